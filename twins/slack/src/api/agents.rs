//! `agents.*`: sessions of agents, and the channels that agents make for them.
//!
//! What the pages leave open is written down as inferred: which codes refuse what a session lacks, and how channels
//! are named.

use std::{collections::BTreeMap, sync::Arc};

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
    wire::Request,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    canvases::{ContentType, object},
    conversations::need_scope,
    marks::done,
};
use crate::{
    ANY, Caller, Row, Slack, blocks,
    error::{Code, Error},
    limits::{TIER_2, TIER_3},
    model::{
        State,
        agents::{self, AgentView, NewCodeChannel, NewView, Session, Status, ViewKind},
        apps::{Token, TokenKind},
        canvases::{self, Change},
        channels::{Channel, Kind},
        documents::Access,
        time::parse_message_ts,
        upkeep,
    },
};

/// The longest content of a view, in bytes.
const CONTENT_MAX: usize = 1_000_000;
/// The most commands in a channel, of all agents together.
const COMMANDS_MAX: usize = 10;
/// The longest command, in characters.
const COMMAND_MAX: usize = 31;
/// The commands that Slack itself has, or the best known of them.
const BUILT_IN: &[&str] =
    &["archive", "dnd", "invite", "join", "leave", "me", "msg", "mute", "remind", "search", "who"];
/// The most items above a channel.
const ITEMS_MAX: usize = 5;
/// The longest title of a session and name of an agent, in characters.
const TITLE_MAX: usize = 200;
/// The key of the one view of changes.
const DIFF_KEY: &str = "diff";

const MANAGE: &[&str] = &["code_channels:manage"];
const PLACE: &[&str] = &["channel_not_found", "is_archived", "method_not_supported_for_channel_type", "not_in_channel"];

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    [channel_rows(), view_rows(), session_rows()].into_iter().flatten().collect()
}

fn channel_rows() -> Vec<Row> {
    let manages = |row: Row, errors| row.limit(TIER_2).scopes(MANAGE).errors(errors);
    vec![
        manages(
            Row::write("agents.conversations.create", ANY, "/api/agents.conversations.create", create),
            &["channel_not_found", "message_not_found", "team_not_found"],
        ),
        manages(
            Row::write("agents.conversations.archive", ANY, "/api/agents.conversations.archive", archive),
            &["already_archived", "channel_not_found", "method_not_supported_for_channel_type", "not_in_channel"],
        ),
        manages(
            Row::write("agents.conversations.setCommands", ANY, "/api/agents.conversations.setCommands", set_commands),
            PLACE,
        ),
        manages(
            Row::write(
                "agents.conversations.setProperties",
                ANY,
                "/api/agents.conversations.setProperties",
                set_properties,
            ),
            PLACE,
        ),
    ]
}

fn view_rows() -> Vec<Row> {
    const CANVAS: &[&str] =
        &["canvas_not_found", "channel_not_found", "method_not_supported_for_channel_type", "not_in_channel"];
    let row = |row: Row, errors| row.limit(TIER_3).scopes(MANAGE).errors(errors);
    vec![
        row(
            Row::write("agents.conversations.setView", ANY, "/api/agents.conversations.setView", set_view),
            &[
                "canvas_not_found",
                "channel_not_found",
                "content_too_large",
                "invalid_blocks",
                "invalid_blocks_format",
                "is_archived",
                "method_not_supported_for_channel_type",
                "not_in_channel",
            ],
        ),
        row(
            Row::write("agents.conversations.removeView", ANY, "/api/agents.conversations.removeView", remove_view),
            &["channel_not_found", "method_not_supported_for_channel_type", "not_in_channel", "view_not_found"],
        ),
        row(
            Row::read("agents.conversations.listViews", ANY, "/api/agents.conversations.listViews", list_views),
            &["channel_not_found", "method_not_supported_for_channel_type", "not_in_channel"],
        ),
        row(
            Row::read("agents.conversations.getCanvas", ANY, "/api/agents.conversations.getCanvas", get_canvas),
            CANVAS,
        ),
        row(
            Row::write(
                "agents.conversations.setCanvasContent",
                ANY,
                "/api/agents.conversations.setCanvasContent",
                set_canvas,
            ),
            &[
                "canvas_editing_failed",
                "canvas_not_found",
                "channel_not_found",
                "is_archived",
                "method_not_supported_for_channel_type",
                "not_in_channel",
                "restricted_action",
            ],
        ),
    ]
}

fn session_rows() -> Vec<Row> {
    let row = |row: Row, errors| row.limit(TIER_3).scopes(&["chat:write"]).errors(errors);
    vec![
        row(
            Row::write("agents.sessions.setStatus", ANY, "/api/agents.sessions.setStatus", set_status),
            &["channel_not_found", "message_not_found", "not_in_channel", "user_not_found"],
        ),
        row(
            Row::write("agents.sessions.rename", ANY, "/api/agents.sessions.rename", rename),
            &["channel_not_found", "message_not_found", "not_in_channel", "session_not_found"],
        ),
    ]
}

fn invalid(words: &str, at: &str) -> Error {
    Error::Arguments(vec![format!("{words} [json-pointer:/{at}]")])
}

fn lacks(name: &str) -> Error {
    Error::Arguments(vec![format!("missing required field: {name}")])
}

/// The agent: a bot.
fn agent(caller: &Caller) -> Result<&Arc<Token>, Error> {
    let token = caller.token()?;
    if token.kind == TokenKind::Bot { Ok(token) } else { Err(Code::NotAllowedTokenType.into()) }
}

/// A channel that the agent is in.
fn own_channel(state: &State, token: &Token, id: &str) -> Result<Arc<Channel>, Error> {
    let row = state.visible(id, &token.user).ok_or(Code::ChannelNotFound)?;
    if state.is_member(&row.id, &token.user) { Ok(Arc::clone(row)) } else { Err(Code::NotInChannel.into()) }
}

/// A code channel that the agent is in; `writes` where it must not be archived.
fn code_channel(state: &State, token: &Token, id: &str, writes: bool) -> Result<Arc<Channel>, Error> {
    let row = state.visible(id, &token.user).ok_or(Code::ChannelNotFound)?;
    if !state.content.agents.channels.contains(&row.id) {
        return Err(Code::MethodNotSupportedForChannelType.into());
    }
    if writes && row.archived {
        return Err(Code::IsArchived.into());
    }
    own_channel(state, token, id)
}

/// Arguments of `agents.conversations.create`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    name: Option<SmolStr>,
    session_id: Option<SmolStr>,
    is_private: Option<bool>,
    origin_channel_id: Option<SmolStr>,
    origin_message_ts: Option<String>,
    team_id: Option<SmolStr>,
}

impl Create {
    /// The message that the session began with.
    fn origin(&self, state: &State, token: &Token) -> Result<Option<(Arc<Channel>, u64)>, Error> {
        let given = |text: Option<&str>| text.map(str::to_owned).filter(|text| !text.is_empty());
        let (channel, ts) = (given(self.origin_channel_id.as_deref()), given(self.origin_message_ts.as_deref()));
        let (channel, ts) = match (channel, ts) {
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(lacks("origin_message_ts")),
            (None, Some(_)) => return Err(lacks("origin_channel_id")),
            (Some(channel), Some(ts)) => (channel, ts),
        };
        let row = state.visible(&channel, &token.user).ok_or(Code::ChannelNotFound)?;
        let ts = parse_message_ts(&ts).filter(|ts| state.message(&row.id, *ts).is_some());
        Ok(Some((Arc::clone(row), ts.ok_or(Code::MessageNotFound)?)))
    }
}

/// `agents.conversations.create`: for a session that has a channel already, that one.
fn create(cx: &mut Write<'_, '_, Slack>, args: Create) -> Result<Typed<Value>, Error> {
    let token = agent(cx.caller)?;
    if args.team_id.as_ref().is_some_and(|team| !team.is_empty() && *team != cx.state.workspace.id) {
        return Err(Code::TeamNotFound.into());
    }
    let session = args.session_id.clone().filter(|id| !id.is_empty());
    if let Some(channel) = session.as_ref().and_then(|id| agents::of_session(cx.state, &token.app, id)) {
        return Ok(Typed::ok(&json!({ "channel_id": channel })));
    }
    let origin = args.origin(cx.state, token)?;
    let said = || {
        let (channel, ts) = origin.as_ref()?;
        cx.state.message(&channel.id, *ts).map(|row| SmolStr::new(&*row.text))
    };
    let name = args.name.filter(|name| !name.trim().is_empty()).or_else(said).ok_or_else(|| lacks("name"))?;
    // Where nothing is said of it, it is as private as where it began.
    let private = args.is_private.unwrap_or_else(|| origin.as_ref().is_some_and(|(row, _)| row.kind != Kind::Public));
    let origin = origin.map(|(row, ts)| (row.id.clone(), ts));
    let id = agents::create(cx.state, cx.tx, token, NewCodeChannel { name, session, private, origin })?;
    Ok(Typed::ok(&json!({ "channel_id": id })))
}

/// Arguments of `agents.conversations.archive`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Archive {
    channel_id: SmolStr,
    summary_message_ts: Option<String>,
}

/// `agents.conversations.archive`: a summary that is no message of the channel is passed over.
fn archive(cx: &mut Write<'_, '_, Slack>, args: Archive) -> Result<Typed<Value>, Error> {
    let token = agent(cx.caller)?;
    let row = code_channel_to_archive(cx.state, token, &args.channel_id)?;
    let ts = args.summary_message_ts.as_deref().and_then(parse_message_ts);
    if let Some(summary) = ts.and_then(|ts| cx.state.message(&row.id, ts)).map(Arc::clone) {
        agents::sum_up(cx.state, cx.tx, token, &row, &summary);
    }
    upkeep::archive(cx.state, cx.tx, &row, &token.user)?;
    Ok(done())
}

/// One that is archived has no bots in it any more.
fn code_channel_to_archive(state: &State, token: &Token, id: &SmolStr) -> Result<Arc<Channel>, Error> {
    let made = state.content.agents.channels.get(id).is_some_and(|row| row.app == token.app);
    match state.channels.get(id) {
        Some(row) if made && row.archived => Err(Code::AlreadyArchived.into()),
        _ => code_channel(state, token, id, false),
    }
}

/// Arguments of `agents.conversations.setCommands`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetCommands {
    channel_id: SmolStr,
    commands: Vec<Value>,
}

/// What is wrong with commands of an agent.
fn check_commands(commands: &[Value], others: usize) -> Result<(), Error> {
    if commands.len() + others > COMMANDS_MAX {
        return Err(invalid(&format!("no more than {COMMANDS_MAX} items allowed"), "commands"));
    }
    let mut names: Vec<&str> = Vec::new();
    for (at, command) in commands.iter().enumerate() {
        let at = format!("commands/{at}");
        let members = command.as_object().ok_or_else(|| invalid("must provide an object", &at))?;
        let name = members.get("name").and_then(Value::as_str).unwrap_or_default();
        let fits = (1..=COMMAND_MAX).contains(&name.chars().count())
            && !name.starts_with('/')
            && !name.contains(char::is_whitespace);
        if !fits || names.contains(&name) || BUILT_IN.contains(&name) {
            return Err(invalid("must be a valid command name", &format!("{at}/name")));
        }
        names.push(name);
        for (member, value) in members {
            let fits = match member.as_str() {
                "name" | "description" | "argument_hint" => value.is_string(),
                "should_escape" => value.is_boolean(),
                _ => return Err(invalid(&format!("unexpected field: {member}"), &at)),
            };
            if !fits {
                return Err(invalid("must be of another type", &format!("{at}/{member}")));
            }
        }
    }
    Ok(())
}

/// `agents.conversations.setCommands`: all of the agent's, in place of those before.
fn set_commands(cx: &mut Write<'_, '_, Slack>, args: SetCommands) -> Result<Typed<Value>, Error> {
    let token = agent(cx.caller)?;
    let row = code_channel(cx.state, token, &args.channel_id, true)?;
    let all = cx.state.content.agents.channels.get(&row.id).map(|row| row.commands.clone()).unwrap_or_default();
    let of_others = all.iter().filter(|(app, _)| **app != token.app);
    check_commands(&args.commands, of_others.filter_map(|(_, list)| list.as_array()).map(Vec::len).sum())?;
    let (count, app) = (args.commands.len(), token.app.clone());
    let commands = Value::Array(args.commands);
    cx.state.content.agents.channels.update(&mut cx.tx.changes, &row.id, |row| {
        row.commands.insert(app.clone(), commands.clone());
    });
    Ok(Typed::ok(&json!({ "channel_id": row.id, "command_count": count })))
}

/// Arguments of `agents.conversations.setProperties`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetProperties {
    channel_id: SmolStr,
    code_channel: Option<Value>,
    agent_resource: Option<Value>,
}

fn members(given: Option<Value>, name: &str) -> Result<Map<String, Value>, Error> {
    match object(given, name)? {
        None => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members),
        Some(_) => Err(invalid("must provide an object", name)),
    }
}

/// Texts of an object, each with the most characters that it may have; all others are refused.
fn check_texts(given: &Map<String, Value>, known: &[(&str, usize)], at: &str) -> Result<(), Error> {
    for (name, value) in given {
        let at = format!("{at}/{name}");
        let most = known.iter().find(|(known, _)| known == name).map(|(_, most)| *most);
        let most = most.ok_or_else(|| invalid("unexpected field", &at))?;
        let text = value.as_str().ok_or_else(|| invalid("must provide a string", &at))?;
        if text.chars().count() > most {
            return Err(invalid(&format!("must be less than {} characters", most + 1), &at));
        }
    }
    Ok(())
}

fn check_items(items: &Value) -> Result<(), Error> {
    const AT: &str = "code_channel/context_bar_items";
    const KNOWN: &[(&str, usize)] = &[("key", 64), ("label", 128), ("icon", 64), ("url", 2048), ("item_type", 64)];
    const ICONS: &[&str] =
        &["branch", "code", "folder", "globe", "hierarchy", "life-ring", "link", "lock", "search", "terminal"];
    let items = items.as_array().ok_or_else(|| invalid("must provide an array", AT))?;
    if items.len() > ITEMS_MAX {
        return Err(invalid(&format!("no more than {ITEMS_MAX} items allowed"), AT));
    }
    for (n, item) in items.iter().enumerate() {
        let at = format!("{AT}/{n}");
        let item = item.as_object().ok_or_else(|| invalid("must provide an object", &at))?;
        check_texts(item, KNOWN, &at)?;
        if let Some(name) = ["key", "label"].into_iter().find(|name| !item.contains_key(*name)) {
            return Err(invalid(&format!("missing required field: {name}"), &at));
        }
        let word = |name: &str, words: &[&str]| item.get(name).is_none_or(|word| words.iter().any(|w| word == w));
        if !word("icon", ICONS) || !word("item_type", &["info", "action"]) {
            return Err(invalid("must be a valid enum value", &at));
        }
    }
    Ok(())
}

fn check_summary(summary: &Value) -> Result<(), Error> {
    const AT: &str = "code_channel/summary_message";
    let members = summary.as_object().ok_or_else(|| invalid("must provide an object", AT))?;
    check_texts(members, &[("message_ts", 32), ("thread_ts", 32)], AT)?;
    if members.contains_key("message_ts") { Ok(()) } else { Err(invalid("missing required field: message_ts", AT)) }
}

/// `agents.conversations.setProperties`: what is not named stays.
fn set_properties(cx: &mut Write<'_, '_, Slack>, args: SetProperties) -> Result<Typed<Value>, Error> {
    let token = agent(cx.caller)?;
    let row = code_channel(cx.state, token, &args.channel_id, true)?;
    let bar = members(args.code_channel, "code_channel")?;
    let resource = members(args.agent_resource, "agent_resource")?;
    for (name, value) in &bar {
        match name.as_str() {
            "context_bar_items" => check_items(value)?,
            "summary_message" => check_summary(value)?,
            _ => return Err(invalid("unexpected field", &format!("code_channel/{name}"))),
        }
    }
    let known = [("url", 2048), ("resource_type", 64), ("title", 255), ("provider", 64)];
    check_texts(&resource, &known, "agent_resource")?;
    cx.state.content.agents.channels.update(&mut cx.tx.changes, &row.id, |row| {
        row.code_channel.extend(bar.clone());
        row.agent_resource.extend(resource.clone());
    });
    Ok(Typed::ok(&json!({ "channel_id": row.id })))
}

/// Arguments of `agents.conversations.setView`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetView {
    channel_id: SmolStr,
    #[serde(default, rename = "type")]
    kind: ViewKind,
    view_key: Option<SmolStr>,
    content: Option<String>,
    blocks: Option<Value>,
    canvas_id: Option<SmolStr>,
    access_level: Option<SmolStr>,
    agent_content_hash: Option<SmolStr>,
    pr_url: Option<SmolStr>,
    base_branch: Option<SmolStr>,
    head_branch: Option<SmolStr>,
    name: Option<SmolStr>,
    csp: Option<Value>,
}

impl SetView {
    /// What the agent knows the view by.
    fn key(&self) -> Result<SmolStr, Error> {
        let given = self.view_key.clone().filter(|key| !key.is_empty());
        match (self.kind, given) {
            // There is one of changes in each channel, whatever it is called.
            (ViewKind::Diff, _) => Ok(SmolStr::new_static(DIFF_KEY)),
            (ViewKind::PullRequest, given) => Ok(given.or_else(|| self.pr_url.clone()).unwrap_or_default()),
            (_, given) => given.ok_or_else(|| lacks("view_key")),
        }
    }

    fn label(&self, key: &SmolStr) -> SmolStr {
        let last = key.rsplit('/').next().unwrap_or_default();
        let bare = last.strip_suffix(".html").or_else(|| last.strip_suffix(".htm")).unwrap_or(last);
        self.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| bare.into())
    }

    /// What the view shows, with what goes with it.
    fn shown(self, cx: &mut Write<'_, '_, Slack>, user: &SmolStr) -> Result<Value, Error> {
        let text = |text: Option<String>| text.filter(|text| !text.is_empty()).ok_or_else(|| lacks("content"));
        let mut told = match self.kind {
            ViewKind::Html | ViewKind::Diff => {
                let content = text(self.content)?;
                if content.len() > CONTENT_MAX {
                    return Err("content_too_large".into());
                }
                json!({ "content": content })
            }
            ViewKind::BlockKit => {
                let list = blocks::read(self.blocks, cx.tx)?.ok_or_else(|| lacks("blocks"))?;
                json!({ "blocks": list })
            }
            ViewKind::Canvas => {
                let id = self.canvas_id.filter(|id| !id.is_empty()).ok_or_else(|| lacks("canvas_id"))?;
                canvases::find(cx.state, &id, user, Access::Read)?;
                let level = self.access_level.as_deref().unwrap_or("write");
                if !["write", "comment"].contains(&level) {
                    return Err(invalid("must be a valid enum value", "access_level"));
                }
                json!({ "canvas_id": id, "access_level": level, "agent_content_hash": self.agent_content_hash })
            }
            ViewKind::PullRequest => {
                let url = self.pr_url.filter(|url| !url.is_empty()).ok_or_else(|| lacks("pr_url"))?;
                if !url.starts_with("https://") {
                    return Err(invalid("must be a valid URL", "pr_url"));
                }
                json!({ "pr_url": url })
            }
        };
        if self.kind == ViewKind::Diff {
            told["base_branch"] = json!(self.base_branch);
            told["head_branch"] = json!(self.head_branch);
        }
        if let Some(csp) = object(self.csp, "csp")? {
            check_csp(&csp)?;
            told["csp"] = csp;
        }
        Ok(told)
    }
}

/// Origins that a page may load from or talk to: public ones over https.
fn check_csp(csp: &Value) -> Result<(), Error> {
    let members = csp.as_object().ok_or_else(|| invalid("must provide an object", "csp"))?;
    for (name, list) in members {
        let at = format!("csp/{name}");
        if !["connect_domains", "resource_domains"].contains(&name.as_str()) {
            return Err(invalid("unexpected field", &at));
        }
        let is_public = |origin: &Value| {
            let host = origin.as_str().and_then(|text| text.strip_prefix("https://"));
            host.is_some_and(|host| host.contains('.') && !host.ends_with(".internal") && !host.starts_with("127."))
        };
        if !list.as_array().is_some_and(|list| list.iter().all(is_public)) {
            return Err(invalid("must be a list of https origins", &at));
        }
    }
    Ok(())
}

/// `agents.conversations.setView`: of the same key, the same view again.
fn set_view(cx: &mut Write<'_, '_, Slack>, args: SetView) -> Result<Typed<Value>, Error> {
    let token = Arc::clone(agent(cx.caller)?);
    let row = code_channel(cx.state, &token, &args.channel_id, true)?;
    let (kind, key) = (args.kind, args.key()?);
    let label = args.label(&key);
    let content = args.shown(cx, &token.user)?;
    let canvas = content["canvas_id"].as_str().map(SmolStr::new);
    let new = NewView { key, kind, label, canvas, content };
    let view = agents::set_view(cx.state, cx.tx, &row.id, new);
    let mut told = json!({
        "channel_id": row.id,
        "view_id": view.id,
        "type": kind.as_str(),
        "content_version": view.version,
    });
    if let Some(file) = &view.file {
        told["file_id"] = json!(file);
    }
    if let Some(canvas) = &view.canvas {
        told["canvas_id"] = json!(canvas);
    }
    Ok(Typed::ok(&told))
}

/// Arguments of `agents.conversations.removeView`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct RemoveView {
    channel_id: SmolStr,
    view_key: Option<SmolStr>,
    view_id: Option<SmolStr>,
}

/// `agents.conversations.removeView`: by its key or its id.
fn remove_view(cx: &mut Write<'_, '_, Slack>, args: RemoveView) -> Result<Typed<Value>, Error> {
    let token = agent(cx.caller)?;
    let row = code_channel(cx.state, token, &args.channel_id, false)?;
    let given = |text: Option<SmolStr>| text.filter(|text| !text.is_empty());
    let found = match (given(args.view_key), given(args.view_id)) {
        (Some(key), None) => agents::views(cx.state, &row.id).find(|(known, _)| **known == key),
        (None, Some(id)) => agents::views(cx.state, &row.id).find(|(_, view)| view.id == id),
        _ => return Err(Error::Arguments(vec!["must provide exactly one of view_key or view_id".to_owned()])),
    };
    let (key, view) = found.map(|(key, view)| (key.clone(), Arc::clone(view))).ok_or("view_not_found")?;
    cx.state.content.agents.views.remove(&mut cx.tx.changes, &(row.id.clone(), key));
    Ok(Typed::ok(&json!({ "channel_id": row.id, "view_id": view.id })))
}

/// A channel.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct OneChannel {
    channel_id: SmolStr,
}

/// `agents.conversations.listViews`
fn list_views(cx: &Read<'_, Slack>, args: OneChannel) -> Result<Typed<Value>, Error> {
    let token = agent(cx.caller)?;
    let row = code_channel(cx.state, token, &args.channel_id, false)?;
    let shown = |(key, view): (&SmolStr, &Arc<AgentView>)| {
        let mut told = json!({
            "view_id": view.id,
            "view_key": key,
            "label": view.label,
            "content_version": view.version,
            "date_added": view.added,
        });
        if let Some(file) = view.file.as_ref().or(view.canvas.as_ref()) {
            told["file_id"] = json!(file);
        }
        told
    };
    let views: Vec<Value> = agents::views(cx.state, &row.id).map(shown).collect();
    Ok(Typed::ok(&json!({ "views": views })))
}

/// A canvas that a channel shows: in a view of the agent's, or as a tab.
fn shown_canvas(
    state: &State,
    token: &Token,
    (channel, id): (&Channel, &SmolStr),
    wanted: Access,
) -> Result<(SmolStr, Arc<canvases::Canvas>), Error> {
    let in_view = agents::views(state, &channel.id).any(|(_, view)| view.canvas.as_ref() == Some(id));
    let in_tab = state.content.canvases.get(id).is_some_and(|canvas| canvas.channel.as_ref() == Some(&channel.id));
    if !in_view && !in_tab {
        return Err(Code::CanvasNotFound.into());
    }
    Ok(canvases::find(state, id, &token.user, wanted)?)
}

/// Arguments of `agents.conversations.getCanvas`. Canvases have no comments here, resolved or not.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct GetCanvas {
    channel: SmolStr,
    canvas_id: SmolStr,
    #[serde(default)]
    content_format: ContentType,
    #[serde(default, rename = "include_resolved")]
    _include_resolved: bool,
}

/// `agents.conversations.getCanvas`
fn get_canvas(cx: &Read<'_, Slack>, args: GetCanvas) -> Result<Typed<Value>, Error> {
    let token = agent(cx.caller)?;
    let row = code_channel(cx.state, token, &args.channel, false)?;
    let (id, canvas) = shown_canvas(cx.state, token, (&row, &args.canvas_id), Access::Read)?;
    Ok(Typed::ok(&json!({
        "canvas_id": id,
        "title": cx.state.files.get(&id).map(|file| file.title.clone()),
        "content": args.content_format.of(&canvas),
        "comments": [],
        "has_more_comments": false,
    })))
}

/// Arguments of `agents.conversations.setCanvasContent`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetCanvas {
    channel: SmolStr,
    canvas_id: SmolStr,
    content: String,
}

/// `agents.conversations.setCanvasContent`: all of it; how many sections are others than before is told.
fn set_canvas(cx: &mut Write<'_, '_, Slack>, args: SetCanvas) -> Result<Typed<Value>, Error> {
    let token = agent(cx.caller)?;
    let row = code_channel(cx.state, token, &args.channel, true)?;
    let (id, before) = shown_canvas(cx.state, token, (&row, &args.canvas_id), Access::Write)?;
    let edited = canvases::edit(cx.state, cx.tx, &id, Change::Replace(None, args.content));
    edited.map_err(|detail| Error::Detailed(Code::CanvasEditingFailed, detail))?;
    let after = cx.state.content.canvases.get(&id).map(|canvas| canvas.sections.clone()).unwrap_or_default();
    let was = |at: usize| before.sections.get(at).map(|section| &section.markdown);
    let new = after.iter().enumerate().filter(|(at, section)| was(*at) != Some(&section.markdown)).count();
    let changed = new + before.sections.len().saturating_sub(after.len());
    Ok(Typed::ok(&json!({ "canvas_id": id, "sections_changed_count": changed })))
}

/// The members of a JSON body that are `null`: elsewhere that is as if they were not there.
fn cleared(request: &Request) -> Vec<String> {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let members = body.as_object().into_iter().flatten();
    members.filter(|(_, value)| value.is_null()).map(|(name, _)| name.clone()).collect()
}

/// Arguments of `agents.sessions.setStatus`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetStatus {
    channel_id: SmolStr,
    status: Status,
    thread_ts: Option<String>,
    title: Option<SmolStr>,
    initiator_user_id: Option<SmolStr>,
    icon_emoji: Option<SmolStr>,
    icon_url: Option<SmolStr>,
    username: Option<SmolStr>,
}

impl SetStatus {
    /// What the agent is to go by: what is `null` or empty is cleared.
    fn look(&self, token: &Token, cleared: &[String]) -> Result<BTreeMap<SmolStr, Option<SmolStr>>, Error> {
        if self.username.as_ref().is_some_and(|name| name.chars().count() > TITLE_MAX) {
            return Err(invalid(&format!("must be less than {} characters", TITLE_MAX + 1), "username"));
        }
        let all = [("icon_emoji", &self.icon_emoji), ("icon_url", &self.icon_url), ("username", &self.username)];
        let named = all.into_iter().filter(|(name, value)| value.is_some() || cleared.iter().any(|null| null == name));
        let look: BTreeMap<SmolStr, Option<SmolStr>> = named
            .map(|(name, value)| (SmolStr::new_static(name), value.clone().filter(|text| !text.is_empty())))
            .collect();
        if !look.is_empty() {
            need_scope(token, &["chat:write.customize"])?;
        }
        Ok(look)
    }
}

/// The session that is meant: of a thread, or of a code channel as a whole.
fn session_key(state: &State, channel: &Channel, thread: Option<&str>) -> Result<(SmolStr, u64), Error> {
    let thread = thread.filter(|ts| !ts.is_empty());
    let is_own = state.content.agents.channels.contains(&channel.id);
    let ts = match thread {
        Some(_) if is_own => return Err(invalid("must be omitted for session channels", "thread_ts")),
        None if is_own => 0,
        None => return Err(lacks("thread_ts")),
        Some(ts) => {
            let ts = parse_message_ts(ts).ok_or(Code::MessageNotFound)?;
            state.message(&channel.id, ts).ok_or(Code::MessageNotFound)?;
            ts
        }
    };
    Ok((channel.id.clone(), ts))
}

/// `agents.sessions.setStatus`: begins the session where there is none.
fn set_status(cx: &mut Write<'_, '_, Slack>, args: SetStatus) -> Result<Typed<Value>, Error> {
    let token = agent(cx.caller)?;
    let channel = own_channel(cx.state, token, &args.channel_id)?;
    let key = session_key(cx.state, &channel, args.thread_ts.as_deref())?;
    let look = args.look(token, &cleared(cx.scene.request))?;
    let before = cx.state.content.agents.sessions.get(&key).map(|row| Session::clone(row));
    let title = args.title.unwrap_or_default();
    if title.chars().count() > TITLE_MAX {
        return Err(invalid(&format!("must be less than {} characters", TITLE_MAX + 1), "title"));
    }
    let initiator = args.initiator_user_id.filter(|user| !user.is_empty());
    if initiator.as_ref().is_some_and(|user| !cx.state.is_member(&channel.id, user)) {
        return Err(Code::UserNotFound.into());
    }
    let new = || Session { app: token.app.clone(), status: args.status, title, initiator, look: BTreeMap::new() };
    let mut session = before.unwrap_or_else(new);
    session.status = args.status;
    for (name, value) in look {
        match value {
            Some(value) => drop(session.look.insert(name, value)),
            None => drop(session.look.remove(&name)),
        }
    }
    let row = cx.state.content.agents.sessions.put(&mut cx.tx.changes, key, session);
    let status = row.status.as_str();
    Ok(Typed::ok(&json!({ "status": status, "agent_status": status, "title": row.title })))
}

/// Arguments of `agents.sessions.rename`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Rename {
    channel_id: SmolStr,
    title: SmolStr,
    thread_ts: Option<String>,
}

/// `agents.sessions.rename`: a code channel goes by the new title as well.
fn rename(cx: &mut Write<'_, '_, Slack>, args: Rename) -> Result<Typed<Value>, Error> {
    let token = agent(cx.caller)?;
    let channel = own_channel(cx.state, token, &args.channel_id)?;
    if !(1..=TITLE_MAX).contains(&args.title.chars().count()) {
        return Err(invalid(&format!("must be 1 to {TITLE_MAX} characters"), "title"));
    }
    let key = session_key(cx.state, &channel, args.thread_ts.as_deref())?;
    if !cx.state.content.agents.sessions.contains(&key) {
        return Err("session_not_found".into());
    }
    let title = args.title.clone();
    cx.state.content.agents.sessions.update(&mut cx.tx.changes, &key, |row| row.title = title.clone());
    if key.1 == 0 {
        let name = agents::free_name(cx.state, &args.title);
        upkeep::rename(cx.state, cx.tx, &channel, &token.user, &name)?;
    }
    Ok(Typed::ok(&json!({ "title": args.title })))
}
