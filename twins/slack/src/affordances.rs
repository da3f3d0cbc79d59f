//! Human verbs: what people do in Slack's own pages, through the same model functions as the API.

use std::{collections::BTreeMap, sync::Arc};

use dtu_kernel::{
    delivery::is_allowed,
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    Slack,
    blocks::{self, Button},
    emoji,
    error::Code,
    events,
    listeners::SUBSCRIPTIONS,
    model::{
        State,
        apps::{self, App, Verification},
        channels::{self, Channel, Kind},
        drafts,
        interactivity::{self, Occasion, Original},
        messages::{self, Draft, Edited},
        people::{self, Role, User},
        restrictions::{self, Posting},
        time::{micros, parse_ts, ts_text},
    },
    socket_mode,
    text::{self, Reading},
};

/// How many messages a person scrolls back through to find a button.
const SCROLL_MAX: usize = 1000;

/// The verbs.
pub(crate) fn all() -> Vec<Affordance<Slack>> {
    vec![
        Affordance::new("slack.user.post", "Writes a message in a channel or to somebody.", post),
        Affordance::new("slack.user.reply", "Replies in a thread.", reply),
        Affordance::new("slack.user.compose", "Writes something and does not send it.", compose),
        Affordance::new("slack.user.edit", "Edits a message of one's own.", edit),
        Affordance::new("slack.user.slash", "Types a slash command.", slash),
        Affordance::new("slack.user.click", "Presses a button in a message.", click),
        Affordance::new("slack.user.join", "Joins a public channel.", join),
        Affordance::new("slack.user.leave", "Leaves a channel.", leave),
        Affordance::new("slack.user.invite", "Adds somebody to a channel.", invite),
        Affordance::new("slack.user.create_channel", "Makes a channel.", create_channel),
        Affordance::new("slack.admin.deactivate_user", "Deactivates an account.", deactivate_user),
        Affordance::new("slack.admin.configure_app", "Sets where an app is called, and for what.", configure_app),
        Affordance::new("slack.admin.revoke_token", "Takes an app off the workspace.", revoke_token),
    ]
}

/// The conversation that a person names: by name, `#name` or id, or `@somebody` or `dm:somebody` for a direct
/// message, which is opened.
fn find(state: &mut State, tx: &mut Tx<'_>, user: &User, named: &str) -> Result<Arc<Channel>, Refusal> {
    if let Some(channel) = state.visible_by_name(named, &user.id) {
        return Ok(Arc::clone(channel));
    }
    let missing = || Refusal::new(format!("`{}` sees no channel `{named}`", user.label()));
    let is_person = named.contains('@') || state.users.contains(&named.into());
    let other = named.strip_prefix('@').or_else(|| named.strip_prefix("dm:")).or(is_person.then_some(named));
    let other = other.ok_or_else(missing)?;
    let by_app = state.find_app(other).map(|app| app.bot_user.clone());
    let other = by_app.or_else(|| state.find_user(other).map(|user| user.id.clone())).ok_or_else(missing)?;
    let mut talkers = vec![user.id.clone()];
    if other != user.id {
        talkers.push(other);
    }
    if channels::find_direct(state, &talkers).is_none() && restrictions::is_barred(state, &talkers) {
        return Err(Refusal::new(format!("an information barrier keeps `{}` from `{named}`", user.label())));
    }
    let id = channels::open_direct(state, tx, &talkers);
    state.channels.get(&id).map(Arc::clone).ok_or_else(missing)
}

/// The conversation, where the person can write in it.
pub(crate) fn find_to_write(
    state: &mut State,
    tx: &mut Tx<'_>,
    user: &User,
    named: &str,
) -> Result<Arc<Channel>, Refusal> {
    let channel = find(state, tx, user, named)?;
    if channel.archived {
        return Err(Refusal::new(format!("the channel `{named}` is archived")));
    }
    if !state.is_member(&channel.id, &user.id) {
        return Err(Refusal::new(format!("`{}` is not in the channel `{named}`", user.label())));
    }
    Ok(channel)
}

pub(crate) fn find_message(state: &State, channel: &Channel, ts: &str) -> Result<u64, Refusal> {
    let ts = parse_ts(ts).ok_or_else(|| Refusal::new(format!("`{ts}` is not a message timestamp")))?;
    if state.message(&channel.id, ts).is_none() {
        return Err(Refusal::new(format!("the channel has no message `{}`", ts_text(ts))));
    }
    Ok(ts)
}

fn typed(state: &State, text: &str) -> Result<Arc<str>, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new("there is nothing to send"));
    }
    Ok(text::store(state, text, Reading { link_names: true, typed: true }).into())
}

fn say(
    state: &mut State,
    tx: &mut Tx<'_>,
    user: &User,
    channel: &Channel,
    text: &str,
    reply_to: Option<u64>,
) -> Result<Value, Refusal> {
    let stored = typed(state, text)?;
    let posting = Posting { reply: reply_to.is_some(), broadcast: false, text: &stored };
    if let Err(code) = restrictions::check(state, channel, &user.id, posting) {
        return Err(Refusal::new(format!("`{}` may not write there: {}", user.label(), code.as_str())));
    }
    let ts = messages::post(state, tx, &channel.id, Draft { reply_to, unfurl: true, ..Draft::new(&user.id, stored) });
    Ok(json!({ "channel": channel.id, "ts": ts_text(ts) }))
}

/// Arguments of `slack.user.post`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Post {
    /// Name, `#name` or id; `@somebody` for a direct message.
    channel: String,
    /// What to say. `<@key>` and `@user.name` mention people.
    text: String,
    /// The thread to reply in.
    thread_ts: Option<String>,
}

fn post(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Post) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_to_write(state, tx, &user, &with.channel)?;
    let reply_to = with.thread_ts.map(|ts| find_message(state, &channel, &ts)).transpose()?;
    say(state, tx, &user, &channel, &with.text, reply_to)
}

/// Arguments of `slack.user.reply`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reply {
    /// Name, `#name` or id; `@somebody` for a direct message.
    channel: String,
    /// What to say.
    text: String,
    /// The message to reply to; the newest one of the channel where absent.
    thread_ts: Option<String>,
}

fn reply(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Reply) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_to_write(state, tx, &user, &with.channel)?;
    let to = if let Some(ts) = with.thread_ts {
        find_message(state, &channel, &ts)?
    } else {
        let mut newest = state.timeline(&channel.id, u64::MAX).rev().filter(|m| m.subtype().is_none());
        newest.next().ok_or_else(|| Refusal::new("the channel has no message to reply to"))?.ts
    };
    say(state, tx, &user, &channel, &with.text, Some(to))
}

/// Arguments of `slack.user.compose`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Compose {
    /// What is written. Apps are told of links of their domains in it, and may show what they lead to.
    text: String,
}

fn compose(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Compose) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let stored = typed(state, &with.text)?;
    let told = drafts::write(state, tx, &user, &stored);
    let told: Vec<Value> = told.into_iter().map(|(app, id)| json!({ "app": app, "unfurl_id": id })).collect();
    Ok(json!({ "told": told }))
}

/// Arguments of `slack.user.edit`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// Name, `#name` or id; `@somebody` for a direct message.
    channel: String,
    /// The message.
    ts: String,
    /// The new text.
    text: String,
}

fn edit(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Edit) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_to_write(state, tx, &user, &with.channel)?;
    let ts = find_message(state, &channel, &with.ts)?;
    let is_own = |row: &Arc<messages::Message>| row.user == user.id && row.subtype().is_none();
    if !state.message(&channel.id, ts).is_some_and(is_own) {
        return Err(Refusal::new("people can edit their own messages only"));
    }
    if !state.message(&channel.id, ts).is_some_and(|row| state.can_be_edited(row, tx.now)) {
        return Err(Refusal::new("the message is too old to be edited in this workspace"));
    }
    let text = typed(state, &with.text)?;
    let edited = Edited { user: user.id.clone(), ts: micros(tx.now.floor_secs()) };
    messages::edit(state, tx, &channel.id, ts, |message| {
        message.text = Arc::clone(&text);
        message.edit_extra(|extra| extra.edited = Some(edited.clone()));
    });
    Ok(json!({ "channel": channel.id, "ts": ts_text(ts) }))
}

/// Arguments of `slack.user.slash`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Slash {
    /// Where it is typed: name, `#name` or id; `@somebody` for a direct message.
    channel: String,
    /// With the slash.
    command: SmolStr,
    /// What is typed after it.
    #[serde(default)]
    text: String,
}

fn slash(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Slash) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_to_write(state, tx, &user, &with.channel)?;
    let app = state.index.app_by_command.get(&with.command).and_then(|id| state.apps.get(id));
    let Some(app) = app.filter(|app| !app.removed).map(Arc::clone) else {
        return Err(Refusal::new(format!("{} is not a valid command", with.command)));
    };
    let occasion = Occasion { app, user, channel };
    interactivity::slash(state, tx, &occasion, &with.command, with.text.trim());
    Ok(json!({ "channel": occasion.channel.id, "app": occasion.app.key }))
}

/// Arguments of `slack.user.click`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Click {
    /// Name, `#name` or id; `@somebody` for a direct message.
    channel: String,
    /// The button by its action id.
    action_id: Option<String>,
    /// The button by what it says.
    label: Option<String>,
    /// The message; the newest with such a button that the person sees where absent.
    message_ts: Option<String>,
    /// The block, where the message has several such buttons.
    block_id: Option<String>,
}

impl Click {
    fn fits(&self, button: &Button) -> bool {
        self.action_id.as_ref().is_none_or(|id| button.action_id() == id)
            && self.label.as_ref().is_none_or(|label| emoji::is_meant(&button.label(), label))
            && self.block_id.as_ref().is_none_or(|id| button.block_id == *id)
    }

    fn pick(&self, buttons: Vec<Button>) -> Option<Button> {
        buttons.into_iter().find(|button| self.fits(button))
    }

    fn wanted(&self) -> String {
        let named = [("label", &self.label), ("action_id", &self.action_id), ("block_id", &self.block_id)];
        let parts: Vec<String> =
            named.into_iter().filter_map(|(name, value)| Some(format!("{name} `{}`", value.as_ref()?))).collect();
        if parts.is_empty() { "any label".to_owned() } else { parts.join(" and ") }
    }
}

/// A button that a person sees, and where.
struct Found {
    at: Original,
    app: SmolStr,
    button: Button,
}

fn click(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Click) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find(state, tx, &user, &with.channel)?;
    if !state.is_member(&channel.id, &user.id) {
        return Err(Refusal::new(format!("`{}` is not in the channel `{}`", user.label(), with.channel)));
    }
    let Some(found) = find_button(state, &channel, &user, &with)? else {
        let (who, wanted, place) = (user.label(), with.wanted(), &with.channel);
        return Err(Refusal::new(format!("`{who}` sees no button with {wanted} in `{place}`")));
    };
    let app = state.apps.get(&found.app).filter(|app| !app.removed).map(Arc::clone);
    let app = app.ok_or_else(|| Refusal::new("the app behind the button is no longer installed"))?;
    if !app.interacts() {
        return Err(Refusal::new(format!("the app `{}` is not configured to handle interactive responses", app.key)));
    }
    let ts = match found.at {
        Original::Message(ts) | Original::Ephemeral(ts) => ts,
    };
    let occasion = Occasion { app, user, channel };
    interactivity::click(state, tx, &occasion, found.at, &found.button);
    Ok(json!({
        "channel": occasion.channel.id,
        "message_ts": ts_text(ts),
        "action_id": found.button.action_id(),
        "app": occasion.app.key,
    }))
}

/// The newest fitting button among what the person sees: the channel, its threads, and what only they are shown.
fn find_button(state: &State, channel: &Channel, user: &User, with: &Click) -> Result<Option<Found>, Refusal> {
    if let Some(ts) = &with.message_ts {
        let ts = parse_ts(ts).ok_or_else(|| Refusal::new(format!("`{ts}` is not a message timestamp")))?;
        return Ok(button_at(state, channel, user, with, ts));
    }
    let mut recent = state.timeline(&channel.id, u64::MAX).rev().take(SCROLL_MAX);
    let in_channel = recent.find_map(|message| {
        let in_thread = message
            .thread
            .as_ref()
            .and_then(|_| state.thread(&channel.id, message.ts, 0).rev().find_map(|reply| button_of(reply, with)));
        in_thread.or_else(|| button_of(message, with))
    });
    let shown_alone = state.whispers(&channel.id, &user.id).rev().find_map(|shown| whispered_button(shown, with));
    let ts = |found: &Found| match found.at {
        Original::Message(ts) | Original::Ephemeral(ts) => ts,
    };
    Ok(match (in_channel, shown_alone) {
        (Some(a), Some(b)) => Some(if ts(&a) > ts(&b) { a } else { b }),
        (a, b) => a.or(b),
    })
}

fn button_at(state: &State, channel: &Channel, user: &User, with: &Click, ts: u64) -> Option<Found> {
    let in_channel = state.message(&channel.id, ts).and_then(|message| button_of(message, with));
    let key = ((channel.id.clone(), user.id.clone()), ts);
    in_channel.or_else(|| state.ephemerals.get(&key).and_then(|shown| whispered_button(shown, with)))
}

fn button_of(message: &Arc<messages::Message>, with: &Click) -> Option<Found> {
    let button = with.pick(blocks::buttons_of_message(message))?;
    let app = button.app.clone().or_else(|| message.app.clone())?;
    Some(Found { at: Original::Message(message.ts), app, button })
}

fn whispered_button(shown: &Arc<messages::Ephemeral>, with: &Click) -> Option<Found> {
    let app = shown.app.clone()?;
    let button = with.pick(blocks::buttons(shown.blocks.as_deref(), shown.attachments.as_deref()))?;
    Some(Found { at: Original::Ephemeral(shown.ts), app, button })
}

/// Arguments of `slack.user.join` and `slack.user.leave`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneChannel {
    /// Name, `#name` or id.
    channel: String,
}

pub(crate) fn find_channel(state: &State, user: &User, named: &str) -> Result<Arc<Channel>, Refusal> {
    let found = state.visible_by_name(named, &user.id).filter(|channel| channel.kind.is_channel());
    found.map(Arc::clone).ok_or_else(|| Refusal::new(format!("`{}` sees no channel `{named}`", user.label())))
}

/// Why administrators let somebody not come into a channel.
fn objection(state: &State, channel: &Channel, user: &SmolStr) -> Option<&'static str> {
    restrictions::check_join(state, channel, user, 0).err().map(|code| match code {
        Code::TooManyMembers => "the channel has all the members it may have",
        _ => "only people of the channel's groups can be added",
    })
}

fn join(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: OneChannel) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_channel(state, &user, &with.channel)?;
    let why = match &*channel {
        channel if channel.archived => Some("the channel is archived"),
        _ if user.role == Role::Guest => Some("guests join only channels that they are added to"),
        channel if state.is_member(&channel.id, &user.id) => Some("already in the channel"),
        channel => objection(state, channel, &user.id),
    };
    if let Some(why) = why {
        return Err(Refusal::new(why));
    }
    channels::join(state, tx, &channel.id, &user.id, None);
    Ok(json!({ "channel": channel.id }))
}

fn leave(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: OneChannel) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_channel(state, &user, &with.channel)?;
    if !state.is_member(&channel.id, &user.id) {
        return Err(Refusal::new("not in the channel"));
    }
    if channel.general {
        return Err(Refusal::new("nobody can leave the general channel"));
    }
    channels::leave(state, tx, &channel.id, &user.id);
    Ok(json!({ "channel": channel.id }))
}

/// Arguments of `slack.user.invite`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Invite {
    /// Name, `#name` or id.
    channel: String,
    /// Key, mail address or user name; an app by its key.
    user: String,
}

fn invite(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Invite) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_channel(state, &user, &with.channel)?;
    let bot = state.find_app(&with.user).map(|app| app.bot_user.clone());
    let other = bot.or_else(|| state.find_user(&with.user).filter(|user| !user.deleted).map(|user| user.id.clone()));
    let other = other.ok_or_else(|| Refusal::new(format!("`{}` has no active Slack account", with.user)))?;
    let why = match &*channel {
        channel if channel.archived => Some("the channel is archived"),
        channel if !state.is_member(&channel.id, &user.id) => Some("only members of a channel add others"),
        _ if user.role == Role::Guest => Some("guests add nobody"),
        channel if state.is_member(&channel.id, &other) => Some("already in the channel"),
        channel => objection(state, channel, &other),
    };
    if let Some(why) = why {
        return Err(Refusal::new(why));
    }
    channels::join(state, tx, &channel.id, &other, Some(&user.id));
    Ok(json!({ "channel": channel.id, "user": other }))
}

/// Arguments of `slack.user.create_channel`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateChannel {
    /// Its name, with or without `#`.
    name: String,
    /// Whether only its members see it.
    #[serde(default)]
    private: bool,
}

fn create_channel(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: CreateChannel) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    if user.role == Role::Guest {
        return Err(Refusal::new("guests make no channels"));
    }
    let kind = if with.private { Kind::Private } else { Kind::Public };
    let name = with.name.trim_start_matches('#');
    let id = channels::create(state, tx, &user.id, name, kind)
        .map_err(|code| Refusal::new(format!("`{name}` cannot be made: {}", code.as_str())))?;
    Ok(json!({ "channel": id }))
}

/// Arguments of `slack.admin.deactivate_user`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeactivateUser {
    /// Key, mail address or user name.
    user: String,
}

fn deactivate_user(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: DeactivateUser) -> Result<Value, Refusal> {
    let admin = state.person(actor)?;
    if !admin.is_admin() {
        return Err(Refusal::new(format!("`{}` is no administrator of the workspace", admin.label())));
    }
    let user = state.person(&with.user)?;
    if user.role == Role::PrimaryOwner {
        return Err(Refusal::new("the primary owner cannot be deactivated"));
    }
    people::deactivate(state, tx, &user.id);
    Ok(json!({ "user": user.id }))
}

/// The app, where the actor may change it: as its installer, or as an administrator.
pub(crate) fn find_app(state: &State, actor: &str, named: &str) -> Result<Arc<App>, Refusal> {
    let user = state.person(actor)?;
    let missing = || {
        let known: Vec<&str> = state.index.app_by_key.keys().map(SmolStr::as_str).collect();
        Refusal::new(format!("no app `{named}` is installed; there are {}", known.join(", ")))
    };
    let app = state.find_app(named).filter(|app| !app.removed).ok_or_else(missing)?;
    if user.is_admin() || app.installer == user.id {
        return Ok(Arc::clone(app));
    }
    Err(Refusal::new(format!("`{}` neither administers the workspace nor installed `{}`", user.label(), app.key)))
}

/// Arguments of `slack.admin.configure_app`. What is absent stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ConfigureApp {
    /// The app's key, name or id.
    app: String,
    /// Where events go; empty to send none. The address is challenged first.
    events_url: Option<SmolStr>,
    /// The bot events to subscribe to, in place of those before. Scopes that they need are granted with them.
    events: Option<Vec<SmolStr>>,
    /// The events to subscribe to on behalf of the people who have let the app act for them, in place of those before.
    user_events: Option<Vec<SmolStr>>,
    /// Where clicks go.
    interactivity_url: Option<SmolStr>,
    /// Where options are asked for.
    options_url: Option<SmolStr>,
    /// Shortcuts by callback id: `global` or `message`.
    #[serde(default)]
    shortcuts: BTreeMap<SmolStr, ShortcutKind>,
    /// Whether the Home tab is turned on.
    home_tab: Option<bool>,
    /// Slash commands and where they go.
    #[serde(default)]
    commands: BTreeMap<SmolStr, SmolStr>,
    /// Whether all of it goes over sockets that the app opens, and nothing over HTTP.
    socket_mode: Option<bool>,
}

/// Where a shortcut is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ShortcutKind {
    /// Anywhere.
    Global,
    /// On messages.
    Message,
}

impl ConfigureApp {
    fn check(&self) -> Result<(), Refusal> {
        let urls = self
            .events_url
            .iter()
            .chain(&self.interactivity_url)
            .chain(&self.options_url)
            .chain(self.commands.values());
        if let Some(url) = urls.filter(|url| !url.is_empty()).find(|url| !is_allowed(url)) {
            return Err(Refusal::new(format!("`{url}` is not an http address on this machine, the only kind called")));
        }
        if let Some(command) = self.commands.keys().find(|command| !command.starts_with('/') || command.len() < 2) {
            return Err(Refusal::new(format!("`{command}` is not a slash command: write `/{command}`")));
        }
        let known = |name: &SmolStr| SUBSCRIPTIONS.iter().any(|(event, _)| event == name);
        if let Some(name) = self.events.iter().chain(&self.user_events).flatten().find(|name| !known(name)) {
            let names: Vec<&str> = SUBSCRIPTIONS.iter().map(|(name, _)| *name).collect();
            return Err(Refusal::new(format!("unknown event `{name}`; known are {}", names.join(", "))));
        }
        Ok(())
    }
}

fn configure_app(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: ConfigureApp) -> Result<Value, Refusal> {
    let app = find_app(state, actor, &with.app)?;
    with.check()?;
    for command in with.commands.keys() {
        if state.index.app_by_command.get(command).is_some_and(|owner| *owner != app.id) {
            return Err(Refusal::new(format!("{command} belongs to another app")));
        }
    }
    let mut scopes = missing_scopes(&app, with.events.as_deref().unwrap_or_default());
    if !with.commands.is_empty() && !app.scopes.iter().any(|scope| scope == "commands") {
        scopes.push(SmolStr::new_static("commands"));
    }
    grant(state, tx, &app, &scopes);
    apps::edit(state, tx, &app.id, |app| {
        if let Some(url) = with.events_url.clone() {
            app.verification = if url.is_empty() { Verification::None } else { Verification::Pending };
            app.events_url = url;
        }
        if let Some(events) = &with.events {
            app.events = events.as_slice().into();
        }
        if let Some(events) = &with.user_events {
            app.setup.user_events = events.as_slice().into();
        }
        if let Some(url) = with.interactivity_url {
            app.interactivity_url = url;
        }
        app.socket_mode = with.socket_mode.unwrap_or(app.socket_mode);
        if let Some(url) = with.options_url {
            app.surfaces.options_url = url;
        }
        app.surfaces.no_home = with.home_tab.map_or(app.surfaces.no_home, |on| !on);
        let shortcuts = with.shortcuts.into_iter().map(|(id, kind)| (id, kind == ShortcutKind::Message));
        app.surfaces.shortcuts.extend(shortcuts);
        for (command, url) in with.commands {
            app.commands.entry(command).or_default().url = url;
        }
    });
    match with.socket_mode {
        Some(true) => socket_mode::give_app_token(state, tx, &app.id),
        Some(false) => socket_mode::turn_off(state, tx, &app.id),
        None => {}
    }
    let row = state.apps.get(&app.id).map(Arc::clone).unwrap_or(app);
    if with.events_url.is_some_and(|url| !url.is_empty()) {
        events::ask_for_proof(tx, &row);
    }
    Ok(json!({ "app": row.id, "verification": row.verification }))
}

/// The scopes that subscriptions need and the bot lacks: Slack's pages add them as well.
fn missing_scopes(app: &App, names: &[SmolStr]) -> Vec<SmolStr> {
    let needs = SUBSCRIPTIONS.iter().filter(|(event, _)| names.iter().any(|name| name == event));
    let lacking = needs.filter(|(_, scopes)| {
        !scopes.is_empty() && !scopes.iter().any(|scope| app.scopes.iter().any(|has| has == scope))
    });
    let mut missing: Vec<SmolStr> = lacking.map(|(_, scopes)| SmolStr::new_static(scopes[0])).collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

fn grant(state: &mut State, tx: &mut Tx<'_>, app: &App, scopes: &[SmolStr]) {
    if scopes.is_empty() {
        return;
    }
    let all: Vec<SmolStr> = app.scopes.iter().chain(scopes).cloned().collect();
    let granted = all.iter().map(SmolStr::as_str).collect::<Vec<_>>().join(",");
    state.tokens.update(&mut tx.changes, &app.bot_token, |token| {
        token.scopes = all.as_slice().into();
        token.granted = granted.into();
    });
    apps::edit(state, tx, &app.id, |app| app.scopes = all.into());
}

/// Arguments of `slack.admin.revoke_token`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RevokeToken {
    /// The app's key, name or id.
    app: String,
}

fn revoke_token(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: RevokeToken) -> Result<Value, Refusal> {
    let app = find_app(state, actor, &with.app)?;
    apps::remove(state, tx, &app.id);
    Ok(json!({ "app": app.id }))
}
