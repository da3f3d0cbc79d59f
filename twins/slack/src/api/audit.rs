//! The audit log of an organization, as programs that watch over it read it.
//! <https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference>

use dtu_kernel::{operation::Typed, twin::Read, wire::Answer};
use http::Method;
use serde_json::{Map, Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{downloads::Nothing, paging};
use crate::{
    Row, Slack,
    error::Error,
    limits::TIER_3,
    model::{
        State,
        audit::{self, ACTIONS, Entry, Filter, Moment},
    },
};

const GET: &[Method] = &[Method::GET];
/// How many entries a page has where nothing is said, and at most.
const PAGE: usize = 50;
const PAGE_MAX: usize = 9_999;
/// How many actions can be asked for at once.
const ACTIONS_MAX: usize = 30;

/// The rows.
pub(crate) fn operations() -> Vec<Row> {
    vec![
        Row::read("audit.logs", GET, "/audit/v1/logs", logs).limit(TIER_3).scopes(&["auditlogs:read"]),
        Row::read("audit.schemas", GET, "/audit/v1/schemas", schemas).limit(TIER_3),
        Row::read("audit.actions", GET, "/audit/v1/actions", actions).limit(TIER_3),
    ]
}

#[expect(clippy::unnecessary_wraps, reason = "the end of handlers, which may fail")]
fn told(body: &Value) -> Result<Typed<()>, Error> {
    Ok(Typed::from_answer(Answer::json(body)))
}

fn refused(words: &'static str) -> Error {
    Error::Status(400, SmolStr::new_static(words))
}

/// `GET /logs`: the newest first. A filter that little fits may give short pages.
fn logs(cx: &Read<'_, Slack>, _: Nothing) -> Result<Typed<()>, Error> {
    let query: Vec<(String, String)> =
        cx.scene.request.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let text = |name: &str| query.iter().find(|(own, _)| own == name).map(|(_, value)| SmolStr::new(value.trim()));
    let given = |name: &str| text(name).filter(|text| !text.is_empty());
    let number =
        |name: &str| given(name).map(|text| text.parse::<u64>()).transpose().map_err(|_| refused("invalid_arguments"));
    let size = match number("limit")? {
        None => PAGE,
        Some(n) => usize::try_from(n).ok().filter(|n| (1..=PAGE_MAX).contains(n)).ok_or(refused("invalid_limit"))?,
    };
    let named = given("action").map(|text| text.split(',').map(SmolStr::new).collect::<Vec<_>>()).unwrap_or_default();
    let known = |action: &SmolStr| ACTIONS.iter().any(|(_, names)| names.contains(&action.as_str()));
    if named.len() > ACTIONS_MAX || !named.iter().all(known) {
        return Err(refused("invalid_action"));
    }
    let filter = Filter {
        oldest: number("oldest")?,
        latest: number("latest")?,
        actions: named,
        actor: given("actor"),
        entity: given("entity"),
    };
    let from = cursor(given("cursor").as_deref())?;
    let (found, next) = audit::page(&cx.state.enterprise.log, &filter, from, size);
    let entries: Vec<Value> = found.iter().map(|(moment, entry)| shown(cx.state, *moment, entry)).collect();
    let next = next.map(|(at, n)| paging::cursor("audit", &format_smolstr!("{at}.{n}"))).unwrap_or_default();
    told(&json!({ "entries": entries, "response_metadata": { "next_cursor": next } }))
}

fn cursor(text: Option<&str>) -> Result<Option<Moment>, Error> {
    let key = paging::read_cursor(text, "audit").map_err(|_| refused("invalid_cursor"))?;
    let read = |key: SmolStr| {
        let (at, n) = key.split_once('.')?;
        Some((at.parse().ok()?, n.parse().ok()?))
    };
    key.map(|key| read(key).ok_or(refused("invalid_cursor"))).transpose()
}

fn shown(state: &State, (at, _): Moment, entry: &Entry) -> Value {
    let mut entity = Map::new();
    entity.insert("type".to_owned(), json!(entry.entity.kind));
    entity.insert(entry.entity.kind.to_owned(), entry.shown.clone());
    let mut told = json!({
        "id": entry.id,
        "date_create": at,
        "action": entry.action,
        "actor": { "type": "user", "user": audit::person(state, &entry.actor) },
        "entity": entity,
        // The machine that programs are tested on is the only one there is.
        "context": { "location": location(state, entry), "ua": "", "ip_address": "127.0.0.1" },
    });
    if !entry.details.is_empty() {
        told["details"] = Value::Object(entry.details.clone());
    }
    told
}

/// Where something happened: in the workspace, or in the organization as such.
fn location(state: &State, entry: &Entry) -> Value {
    match (&state.enterprise.org, entry.entity.kind) {
        (Some(org), "enterprise" | "workspace" | "barrier" | "role" | "usergroup") => {
            json!({ "type": "enterprise", "id": org.id, "name": org.name, "domain": org.domain })
        }
        _ => json!({
            "type": "workspace",
            "id": state.workspace.id,
            "name": state.workspace.name,
            "domain": state.workspace.domain,
        }),
    }
}

/// `GET /schemas`: what entries may be about. Needs no token.
fn schemas(_: &Read<'_, Slack>, _: Nothing) -> Result<Typed<()>, Error> {
    let row = |kind: &str, members: &[&str]| {
        let members: Map<String, Value> =
            members.iter().map(|name| ((*name).to_owned(), json!(type_of(name)))).collect();
        json!({ "type": kind, kind: members })
    };
    let rows = [
        row("workspace", &["id", "name", "domain"]),
        row("enterprise", &["id", "name", "domain"]),
        row("user", &["id", "name", "email", "team"]),
        row("file", &["id", "name", "filetype", "title"]),
        row("channel", &["id", "name", "privacy", "is_shared", "is_org_shared", "teams_shared_with"]),
        row("app", &["id", "name", "is_distributed", "is_directory_approved", "is_workflow_app", "scopes"]),
        row("usergroup", &["id", "name"]),
        row("role", &["id", "name", "type"]),
        row("barrier", &["id", "primary_usergroup", "barriered_from_usergroup"]),
    ];
    told(&json!({ "schemas": rows }))
}

fn type_of(member: &str) -> &'static str {
    match member {
        _ if member.starts_with("is_") => "bool",
        "scopes" | "teams_shared_with" | "barriered_from_usergroup" => "array",
        _ => "string",
    }
}

/// `GET /actions`: what entries may tell of. Needs no token.
fn actions(_: &Read<'_, Slack>, _: Nothing) -> Result<Typed<()>, Error> {
    let rows: Map<String, Value> = ACTIONS.iter().map(|(area, names)| ((*area).to_owned(), json!(names))).collect();
    told(&json!({ "actions": rows }))
}
