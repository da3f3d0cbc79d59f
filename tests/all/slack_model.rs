//! Slack's channels, their members, messages and threads against a small model of their own: whatever is done in
//! whatever order, the twin refuses what the model refuses, by the same code, and shows what it shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dtu_kernel::{
    clock::ClockMode,
    universe::{Options, Universe},
    world::World,
};
use dtu_tests::calls::Call;
use proptest::prelude::*;
use serde_json::Value;

/// How many people and channel names there are. The first of the people owns the workspace.
const PEOPLE: usize = 3;
const NAMES: usize = 3;
/// How many channels and messages steps look back at.
const BACK: usize = 4;

/// Something that a person's program does. Channels and messages are counted from the newest.
#[derive(Debug, Clone, Copy)]
enum Step {
    Create { name: usize, private: bool },
    Join { channel: usize },
    Invite { channel: usize, whom: usize },
    Kick { channel: usize, whom: usize },
    Leave { channel: usize },
    Archive { channel: usize },
    Unarchive { channel: usize },
    Rename { channel: usize, name: usize },
    Post { channel: usize },
    Reply { channel: usize, to: usize },
    Update { channel: usize, message: usize },
    Delete { channel: usize, message: usize },
}

fn step() -> impl Strategy<Value = (usize, Step)> {
    let (channel, whom, name, message) = (|| 0..BACK, || 0..PEOPLE, || 0..NAMES, || 0..BACK);
    let kind = prop_oneof![
        3 => (name(), any::<bool>()).prop_map(|(name, private)| Step::Create { name, private }),
        2 => channel().prop_map(|channel| Step::Join { channel }),
        3 => (channel(), whom()).prop_map(|(channel, whom)| Step::Invite { channel, whom }),
        1 => (channel(), whom()).prop_map(|(channel, whom)| Step::Kick { channel, whom }),
        2 => channel().prop_map(|channel| Step::Leave { channel }),
        1 => channel().prop_map(|channel| Step::Archive { channel }),
        1 => channel().prop_map(|channel| Step::Unarchive { channel }),
        1 => (channel(), name()).prop_map(|(channel, name)| Step::Rename { channel, name }),
        4 => channel().prop_map(|channel| Step::Post { channel }),
        4 => (channel(), message()).prop_map(|(channel, to)| Step::Reply { channel, to }),
        2 => (channel(), message()).prop_map(|(channel, message)| Step::Update { channel, message }),
        3 => (channel(), message()).prop_map(|(channel, message)| Step::Delete { channel, message }),
    ];
    (0..PEOPLE, kind)
}

/// What somebody wrote.
#[derive(Debug, Clone)]
struct Said {
    by: usize,
    text: String,
    /// The message that it replies to, by its place among all of the channel's.
    to: Option<usize>,
    /// Whether it is gone; a message with replies leaves a trace.
    gone: bool,
}

#[derive(Debug)]
struct Room {
    name: usize,
    private: bool,
    creator: usize,
    archived: bool,
    members: BTreeSet<usize>,
    said: Vec<Said>,
}

impl Room {
    fn is_seen_by(&self, who: usize) -> bool {
        !self.private || self.members.contains(&who)
    }

    /// The replies that are left of a thread.
    fn replies(&self, to: usize) -> Vec<&Said> {
        self.said.iter().filter(|said| said.to == Some(to) && !said.gone).collect()
    }

    /// What the channel shows, oldest first: places with texts, and none for what only left a trace.
    fn shown(&self) -> Vec<(usize, Option<&str>)> {
        let own = self.said.iter().enumerate().filter(|(_, said)| said.to.is_none());
        let kept = own.filter(|(at, said)| !said.gone || !self.replies(*at).is_empty());
        kept.map(|(at, said)| (at, (!said.gone).then_some(said.text.as_str()))).collect()
    }
}

/// The model: no more rules than docs.slack.dev's pages on the methods have.
#[derive(Debug, Default)]
struct Model {
    rooms: Vec<Room>,
    said: usize,
}

type Done = Result<(), &'static str>;

fn refuse_if(wrong: bool, code: &'static str) -> Done {
    if wrong { Err(code) } else { Ok(()) }
}

impl Model {
    /// Who has a name. Archived channels keep theirs.
    fn has_name(&self, name: usize) -> bool {
        self.rooms.iter().any(|room| room.name == name)
    }

    fn seen(&mut self, who: usize, at: usize) -> Result<&mut Room, &'static str> {
        self.rooms.get_mut(at).filter(|room| room.is_seen_by(who)).ok_or("channel_not_found")
    }

    /// A channel with somebody in it.
    fn own(&mut self, who: usize, at: usize) -> Result<&mut Room, &'static str> {
        let room = self.seen(who, at)?;
        if room.members.contains(&who) { Ok(room) } else { Err("not_in_channel") }
    }

    fn take(&mut self, who: usize, step: Step, at: Option<usize>, message: Option<usize>) -> Done {
        let at = at.unwrap_or(usize::MAX);
        match step {
            Step::Create { name, private } => {
                refuse_if(self.has_name(name), "name_taken")?;
                let members = BTreeSet::from([who]);
                self.rooms.push(Room { name, private, creator: who, archived: false, members, said: Vec::new() });
            }
            Step::Join { .. } => {
                let room = self.seen(who, at)?;
                refuse_if(room.private, "method_not_supported_for_channel_type")?;
                refuse_if(room.archived, "is_archived")?;
                room.members.insert(who);
            }
            Step::Invite { whom, .. } => {
                let room = self.own(who, at)?;
                refuse_if(room.archived, "is_archived")?;
                refuse_if(whom == who, "cant_invite_self")?;
                refuse_if(!room.members.insert(whom), "already_in_channel")?;
            }
            Step::Kick { whom, .. } => {
                let room = self.own(who, at)?;
                refuse_if(room.archived, "is_archived")?;
                refuse_if(whom == who, "cant_kick_self")?;
                refuse_if(!room.members.remove(&whom), "not_in_channel")?;
            }
            Step::Leave { .. } => self.leave(who, at)?,
            Step::Archive { .. } => {
                let room = self.seen(who, at)?;
                refuse_if(room.archived, "already_archived")?;
                self.own(who, at)?.archived = true;
            }
            Step::Unarchive { .. } => {
                let room = self.seen(who, at)?;
                refuse_if(!room.archived, "not_archived")?;
                room.archived = false;
                room.members.insert(who);
            }
            Step::Rename { name, .. } => self.rename(who, at, name)?,
            Step::Post { .. } => self.say(who, at, None)?,
            Step::Reply { .. } => self.say(who, at, message)?,
            Step::Update { .. } => {
                let room = self.seen(who, at)?;
                let said = message.and_then(|message| room.said.get_mut(message)).filter(|said| !said.gone);
                let said = said.ok_or("message_not_found")?;
                refuse_if(room.archived, "is_inactive")?;
                refuse_if(said.by != who, "cant_update_message")?;
                said.text.push_str(", edited");
            }
            Step::Delete { .. } => {
                let room = self.seen(who, at)?;
                let said = message.and_then(|message| room.said.get_mut(message)).filter(|said| !said.gone);
                let said = said.ok_or("message_not_found")?;
                // Whoever owns the workspace deletes what others wrote.
                refuse_if(said.by != who && who != 0, "cant_delete_message")?;
                said.gone = true;
            }
        }
        Ok(())
    }

    /// Who is not in a channel has left nothing, which is no error.
    fn leave(&mut self, who: usize, at: usize) -> Done {
        let room = self.seen(who, at)?;
        if !room.members.contains(&who) {
            return Ok(());
        }
        refuse_if(room.archived, "is_archived")?;
        refuse_if(room.private && room.members.len() == 1, "last_member")?;
        room.members.remove(&who);
        Ok(())
    }

    fn rename(&mut self, who: usize, at: usize, name: usize) -> Done {
        let taken = self.has_name(name);
        let room = self.own(who, at)?;
        refuse_if(room.archived, "is_archived")?;
        refuse_if(room.creator != who && who != 0, "not_authorized")?;
        refuse_if(taken && room.name != name, "name_taken")?;
        room.name = name;
        Ok(())
    }

    fn say(&mut self, who: usize, at: usize, to: Option<usize>) -> Done {
        let text = format!("said {}", self.said + 1);
        let room = self.seen(who, at)?;
        refuse_if(room.archived, "is_archived")?;
        refuse_if(!room.members.contains(&who), "not_in_channel")?;
        room.said.push(Said { by: who, text, to, gone: false });
        self.said += 1;
        Ok(())
    }
}

/// The workspace, with what stands for the model's people, channels and messages.
struct Workspace {
    universe: Arc<Universe>,
    people: Vec<String>,
    rooms: Vec<(String, Vec<String>)>,
    said: usize,
}

const WORLD: &str = r#"
schema: dtu/world/v1
name: model
epoch: "2026-03-02T09:00:00Z"
company: {name: Model, domain: model.example, timezone: Europe/London}
people:
  - {key: p0, first: Ann, last: A, email: p0@model.example}
  - {key: p1, first: Bob, last: B, email: p1@model.example}
  - {key: p2, first: Cat, last: C, email: p2@model.example}
slack:
  owner: p0
  channels: []
"#;

fn token(person: usize) -> String {
    format!("xoxp-model-{person}")
}

/// The world, in which each of the people has a token of an app of their own.
fn world() -> World {
    let scopes =
        "[chat:write, channels:read, channels:history, channels:write, groups:read, groups:history, groups:write]";
    let app = |n: usize| {
        format!(
            "    - {{key: a{n}, name: A{n}, bot: bot{n}, scopes: [commands], installed_by: p{n}, signing_secret: s, \
             bot_token: xoxb-model-{n}, user_token: {}, user: p{n}, user_scopes: {scopes}}}\n",
            token(n)
        )
    };
    let apps: String = (0..PEOPLE).map(app).collect();
    let text = format!("{}  apps:\n{apps}", WORLD.trim_start());
    World::parse("model.yaml", &text, &["slack"]).unwrap_or_else(|problems| panic!("{problems:?}"))
}

impl Workspace {
    fn new() -> Self {
        let hosts: Vec<_> = dtu_universe::all().iter().filter(|host| host.name() == "slack").cloned().collect();
        let options = Options { clock: ClockMode::Stepped, check: true, ..Options::default() };
        let universe = Universe::create("model", hosts.into(), Arc::new(world()), &options);
        let universe = universe.unwrap_or_else(|problems| panic!("{}", problems[0]));
        let mut workspace = Self { universe, people: Vec::new(), rooms: Vec::new(), said: 0 };
        for person in 0..PEOPLE {
            let told = workspace.call(person, "auth.test", &[]);
            workspace.people.push(text(&told["user_id"]));
        }
        workspace
    }

    fn call(&self, who: usize, method: &str, form: &[(&str, &str)]) -> Value {
        Call::slack(method, &token(who), form).json(&self.universe)
    }

    /// The ids of a channel and of a message in it.
    fn named(&self, at: Option<usize>, message: Option<usize>) -> (&str, &str) {
        let room = at.and_then(|at| self.rooms.get(at));
        let said = room.and_then(|room| message.and_then(|message| room.1.get(message)));
        (room.map_or("C00000000", |room| &room.0), said.map_or("1.000001", String::as_str))
    }

    /// Does a step: the code with which it is refused.
    fn take(&mut self, who: usize, step: Step, at: Option<usize>, message: Option<usize>) -> Result<(), String> {
        let (channel, ts) = self.named(at, message);
        let words = format!("said {}", self.said + 1);
        let answer = match step {
            Step::Create { name, private } => {
                let private = private.to_string();
                self.call(who, "conversations.create", &[("name", &called(name)), ("is_private", &private)])
            }
            Step::Join { .. } => self.call(who, "conversations.join", &[("channel", channel)]),
            Step::Invite { whom, .. } => {
                self.call(who, "conversations.invite", &[("channel", channel), ("users", &self.people[whom])])
            }
            Step::Kick { whom, .. } => {
                self.call(who, "conversations.kick", &[("channel", channel), ("user", &self.people[whom])])
            }
            Step::Leave { .. } => self.call(who, "conversations.leave", &[("channel", channel)]),
            Step::Archive { .. } => self.call(who, "conversations.archive", &[("channel", channel)]),
            Step::Unarchive { .. } => self.call(who, "conversations.unarchive", &[("channel", channel)]),
            Step::Rename { name, .. } => {
                self.call(who, "conversations.rename", &[("channel", channel), ("name", &called(name))])
            }
            Step::Post { .. } => self.call(who, "chat.postMessage", &[("channel", channel), ("text", &words)]),
            Step::Reply { .. } if message.is_none() => {
                self.call(who, "chat.postMessage", &[("channel", channel), ("text", &words)])
            }
            Step::Reply { .. } => {
                let form = [("channel", channel), ("text", &*words), ("thread_ts", ts)];
                self.call(who, "chat.postMessage", &form)
            }
            Step::Update { .. } => {
                let before = self.text_of(channel, ts).unwrap_or_default();
                let after = format!("{before}, edited");
                self.call(who, "chat.update", &[("channel", channel), ("ts", ts), ("text", &after)])
            }
            Step::Delete { .. } => self.call(who, "chat.delete", &[("channel", channel), ("ts", ts)]),
        };
        if answer["ok"] != true {
            return Err(text(&answer["error"]));
        }
        self.learn(step, at, &answer);
        Ok(())
    }

    /// Keeps the ids of what was made.
    fn learn(&mut self, step: Step, at: Option<usize>, answer: &Value) {
        match step {
            Step::Create { .. } => self.rooms.push((text(&answer["channel"]["id"]), Vec::new())),
            Step::Post { .. } | Step::Reply { .. } => {
                self.said += 1;
                self.rooms[at.expect("was posted in")].1.push(text(&answer["ts"]));
            }
            _ => {}
        }
    }

    /// What a message says, as whoever owns the workspace's views show it.
    fn text_of(&self, channel: &str, ts: &str) -> Option<String> {
        let rows = self.universe.view("slack", "messages")?;
        let found = rows.as_array()?.iter().find(|row| row["ts"] == ts && row["channel_id"] == channel)?;
        found["text"].as_str().map(str::to_owned)
    }

    /// What a list shows of what people said: times with texts, and none for traces.
    fn said(&self, list: &Value, room: usize) -> Vec<(usize, Option<String>)> {
        let place = |ts: &Value| self.rooms[room].1.iter().position(|known| **known == *ts);
        let words = |row: &Value| (row["subtype"] != "tombstone").then(|| text(&row["text"]));
        let rows = list["messages"].as_array().into_iter().flatten();
        rows.filter_map(|row| Some((place(&row["ts"])?, words(row)))).collect()
    }
}

fn called(name: usize) -> String {
    format!("room-{name}")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Whether the twin shows somebody a channel as the model has it.
fn compare(workspace: &Workspace, model: &Model, who: usize, at: usize) -> Result<(), TestCaseError> {
    let (room, id) = (&model.rooms[at], &workspace.rooms[at].0);
    let told = workspace.call(who, "conversations.info", &[("channel", id)]);
    prop_assert_eq!(told["ok"] == true, room.is_seen_by(who), "{} sees channel {}: {}", who, at, told);
    if told["ok"] != true {
        return Ok(());
    }
    let told = &told["channel"];
    let flags =
        (text(&told["name"]), told["is_archived"] == true, told["is_private"] == true, told["is_member"] == true);
    prop_assert_eq!(flags, (called(room.name), room.archived, room.private, room.members.contains(&who)));
    let members = workspace.call(who, "conversations.members", &[("channel", id)]);
    let listed = members["members"].as_array().into_iter().flatten();
    let members: BTreeSet<usize> = listed.filter_map(|id| workspace.people.iter().position(|p| *p == *id)).collect();
    prop_assert_eq!(&members, &room.members, "members of channel {}", at);
    let history = workspace.call(who, "conversations.history", &[("channel", id), ("limit", "999")]);
    let mut shown = workspace.said(&history, at);
    shown.reverse();
    let wanted: Vec<_> = room.shown().into_iter().map(|(at, text)| (at, text.map(str::to_owned))).collect();
    prop_assert_eq!(&shown, &wanted, "history of channel {}", at);
    for (message, _) in wanted {
        compare_thread(workspace, room, who, (at, message), &history)?;
    }
    Ok(())
}

fn compare_thread(
    workspace: &Workspace,
    room: &Room,
    who: usize,
    (at, message): (usize, usize),
    history: &Value,
) -> Result<(), TestCaseError> {
    let (id, times) = &workspace.rooms[at];
    let ts = &times[message];
    let replies = room.replies(message);
    let thread = workspace.call(who, "conversations.replies", &[("channel", id), ("ts", ts)]);
    let told: Vec<String> = workspace.said(&thread, at).into_iter().skip(1).filter_map(|(_, text)| text).collect();
    let wanted: Vec<String> = replies.iter().map(|said| said.text.clone()).collect();
    prop_assert_eq!(told, wanted, "thread {} of channel {}", message, at);
    let parent = history["messages"].as_array().into_iter().flatten().find(|row| row["ts"] == ts.as_str());
    let counted = parent.and_then(|row| row["reply_count"].as_u64()).unwrap_or_default();
    prop_assert_eq!(usize::try_from(counted).unwrap_or_default(), replies.len(), "count of thread {}", message);
    let by: BTreeSet<&str> = replies.iter().map(|said| workspace.people[said.by].as_str()).collect();
    let told: BTreeSet<&str> =
        parent.and_then(|row| row["reply_users"].as_array()).into_iter().flatten().filter_map(Value::as_str).collect();
    prop_assert_eq!(told, by, "people of thread {}", message);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn channels_members_messages_and_threads_are_as_the_model_says(steps in prop::collection::vec(step(), 1..50)) {
        let (mut model, mut workspace) = (Model::default(), Workspace::new());
        for (number, (who, step)) in steps.into_iter().enumerate() {
            let at = model.room(step);
            let message = at.and_then(|at| model.message(at, step));
            let wanted = model.take(who, step, at, message).map_err(str::to_owned);
            let got = workspace.take(who, step, at, message);
            prop_assert_eq!(got, wanted, "step {} {:?} of {}", number, step, who);
            for (at, who) in (0..model.rooms.len()).flat_map(|at| (0..PEOPLE).map(move |who| (at, who))) {
                compare(&workspace, &model, who, at)?;
            }
        }
    }
}

impl Model {
    /// The channel that a step means.
    fn room(&self, step: Step) -> Option<usize> {
        let back = match step {
            Step::Create { .. } => return None,
            Step::Join { channel }
            | Step::Invite { channel, .. }
            | Step::Kick { channel, .. }
            | Step::Leave { channel }
            | Step::Archive { channel }
            | Step::Unarchive { channel }
            | Step::Rename { channel, .. }
            | Step::Post { channel }
            | Step::Reply { channel, .. }
            | Step::Update { channel, .. }
            | Step::Delete { channel, .. } => channel,
        };
        self.rooms.len().checked_sub(back + 1)
    }

    /// The message that a step means: replies are to what the channel shows, and the rest is about anything.
    fn message(&self, at: usize, step: Step) -> Option<usize> {
        let room = &self.rooms[at];
        match step {
            Step::Reply { to, .. } => {
                let shown = room.shown();
                let alive: Vec<usize> = shown.iter().filter(|(_, text)| text.is_some()).map(|(at, _)| *at).collect();
                alive.len().checked_sub(to + 1).map(|at| alive[at])
            }
            Step::Update { message, .. } | Step::Delete { message, .. } => room.said.len().checked_sub(message + 1),
            _ => None,
        }
    }
}

/// What the steps of a run came to, so that a run in which all is refused is seen.
#[test]
fn the_model_knows_its_rules() {
    let mut model = Model::default();
    let mut take = |who: usize, step: Step| {
        let at = model.room(step);
        let message = at.and_then(|at| model.message(at, step));
        model.take(who, step, at, message)
    };
    let rows: BTreeMap<usize, (usize, Step, Done)> = [
        (1, Step::Create { name: 0, private: true }, Ok(())),
        (2, Step::Create { name: 0, private: false }, Err("name_taken")),
        (2, Step::Post { channel: 0 }, Err("channel_not_found")),
        (1, Step::Leave { channel: 0 }, Err("last_member")),
        (1, Step::Invite { channel: 0, whom: 2 }, Ok(())),
        (2, Step::Post { channel: 0 }, Ok(())),
        (1, Step::Reply { channel: 0, to: 0 }, Ok(())),
        (1, Step::Delete { channel: 0, message: 1 }, Err("cant_delete_message")),
        (2, Step::Delete { channel: 0, message: 1 }, Ok(())),
        (2, Step::Update { channel: 0, message: 1 }, Err("message_not_found")),
        (1, Step::Archive { channel: 0 }, Ok(())),
        (1, Step::Post { channel: 0 }, Err("is_archived")),
    ]
    .into_iter()
    .enumerate()
    .collect();
    for (number, (who, step, wanted)) in rows {
        assert_eq!(take(who, step), wanted, "step {number} {step:?}");
    }
}
