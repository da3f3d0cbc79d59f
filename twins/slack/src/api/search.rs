//! `search.*`

use std::{cmp::Reverse, sync::Arc};

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Read,
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    Slack,
    error::{Code, Error},
    limits::TIER_2,
    model::{
        State,
        channels::Kind,
        files::File,
        messages::{Message, Subtype},
        time::ts_text,
    },
    query::{Query, Searcher},
    shapes, text,
};

const ANY: &[Method] = &[Method::POST, Method::GET];
const SCOPES: &[&str] = &["search:read"];
const ERRORS: &[&str] = &["No query passed", "not_allowed_token_type"];
/// How many matches are found for sure, besides those of the page; the total of more is reckoned.
const SURE: usize = 1000;
/// The highest page, and the most matches of one.
const PAGES_MAX: usize = 100;

/// The rows.
pub(crate) fn operations() -> Vec<Operation<Slack>> {
    vec![
        Operation::read("search.messages", ANY, "/api/search.messages", search_messages)
            .limit(TIER_2)
            .scopes(SCOPES)
            .errors(ERRORS)
            .form_only(),
        Operation::read("search.files", ANY, "/api/search.files", search_files)
            .limit(TIER_2)
            .scopes(SCOPES)
            .errors(ERRORS)
            .form_only(),
        Operation::read("search.all", ANY, "/api/search.all", search_all)
            .limit(TIER_2)
            .scopes(SCOPES)
            .errors(ERRORS)
            .form_only(),
    ]
}

/// Arguments of all three methods.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Search {
    query: String,
    count: Option<usize>,
    page: Option<usize>,
    #[serde(default)]
    highlight: bool,
    sort: Option<Sort>,
    sort_dir: Option<Direction>,
    /// `*` for the first page of a listing by cursors.
    cursor: Option<String>,
    /// There is one workspace.
    #[serde(rename = "team_id")]
    _team_id: Option<String>,
}

/// What comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Sort {
    Score,
    Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Asc,
    Desc,
}

/// Which matches are asked for.
#[derive(Clone, Copy)]
struct Page {
    count: usize,
    number: usize,
    by_cursor: bool,
}

impl Search {
    fn page(&self) -> Result<Page, Error> {
        let count = self.count.filter(|count| *count > 0).unwrap_or(20).min(PAGES_MAX);
        let Some(cursor) = self.cursor.as_deref().filter(|cursor| !cursor.is_empty()) else {
            let number = self.page.filter(|page| *page > 0).unwrap_or(1).min(PAGES_MAX);
            return Ok(Page { count, number, by_cursor: false });
        };
        let number = match super::paging::read_cursor(Some(cursor), "search") {
            _ if cursor == "*" => 1,
            Ok(Some(number)) => number.parse().map_err(|_| Code::InvalidCursor)?,
            _ => return Err(Code::InvalidCursor.into()),
        };
        Ok(Page { count, number, by_cursor: true })
    }

    fn check(&self) -> Result<(), Code> {
        if self.query.trim().is_empty() { Err(Code::NoQuery) } else { Ok(()) }
    }

    fn is_ascending(&self) -> bool {
        self.sort_dir == Some(Direction::Asc)
    }
}

impl Page {
    fn last(self) -> usize {
        self.number.saturating_mul(self.count)
    }

    fn of<T>(self, all: Vec<T>) -> Vec<T> {
        all.into_iter().skip(self.last() - self.count).take(self.count).collect()
    }

    /// What is told around the matches of a page.
    fn around(self, total: usize, matches: Vec<Value>) -> Value {
        let pages = total.div_ceil(self.count);
        let first = self.last() - self.count + 1;
        let last = first + matches.len().max(1) - 1;
        let mut told = json!({
            "total": total,
            "pagination": {
                "total_count": total,
                "page": self.number,
                "per_page": self.count,
                "page_count": pages,
                "first": first,
                "last": last,
            },
            "paging": { "count": self.count, "total": total, "page": self.number, "pages": pages },
            "matches": matches,
        });
        if self.by_cursor {
            let next = (self.number < pages.min(PAGES_MAX)).then(|| (self.number + 1).to_string());
            let next = next.map(|number| super::paging::cursor("search", &number));
            told["paging"]["next_cursor"] = json!(next.unwrap_or_default());
        }
        told
    }
}

/// `search.messages`
fn search_messages(cx: &Read<'_, Slack>, args: Search) -> Result<Typed<Value>, Error> {
    args.check()?;
    Ok(Typed::ok(&json!({ "query": args.query, "messages": messages(cx, &args)? })))
}

/// `search.files`
fn search_files(cx: &Read<'_, Slack>, args: Search) -> Result<Typed<Value>, Error> {
    args.check()?;
    Ok(Typed::ok(&json!({ "query": args.query, "files": files(cx, &args)? })))
}

/// `search.all`
fn search_all(cx: &Read<'_, Slack>, args: Search) -> Result<Typed<Value>, Error> {
    args.check()?;
    let nothing = args.page()?.around(0, Vec::new());
    Ok(Typed::ok(&json!({
        "query": args.query,
        "messages": messages(cx, &args)?,
        "files": files(cx, &args)?,
        "posts": nothing,
    })))
}

/// The query as the caller means it.
fn query(cx: &Read<'_, Slack>, args: &Search) -> Result<Query, Error> {
    let user = cx.state.users.get(&cx.caller.token()?.user).ok_or(Code::UserNotFound)?;
    let searcher = Searcher { state: cx.state, user, now: cx.scene.now.as_micros() };
    Ok(Query::read(&args.query, &searcher))
}

/// A message that was found.
struct Match<'a> {
    channel: &'a SmolStr,
    message: &'a Arc<Message>,
    score: usize,
}

fn messages(cx: &Read<'_, Slack>, args: &Search) -> Result<Value, Error> {
    let (state, page, query) = (cx.state, args.page()?, query(cx, args)?);
    let me = &cx.caller.token()?.user;
    let mut candidates = state.index.words.candidates(&query.keys());
    let enough = page.last().saturating_add(SURE);
    let mut found: Vec<Match<'_>> = Vec::new();
    let mut looked = 0_usize;
    while looked < enough.saturating_mul(4) && found.len() < enough {
        let Some((channel, ts)) = candidates.next() else { break };
        looked += 1;
        if state.visible(channel, me).is_none() || state.is_suspended(channel) {
            continue;
        }
        let Some(message) = state.message(channel, ts) else { continue };
        if !is_findable(message) {
            continue;
        }
        if let Some(score) = query.matches(state, channel, message) {
            found.push(Match { channel, message, score });
        }
    }
    // An edited message has two entries in the index.
    found.sort_by_key(|hit| (Reverse(hit.message.ts), hit.channel));
    found.dedup_by_key(|hit| (hit.message.ts, hit.channel));
    if args.sort != Some(Sort::Timestamp) {
        found.sort_by_key(|hit| Reverse(hit.score));
    }
    if args.is_ascending() {
        found.reverse();
    }
    // As many of the rest as of what was looked at.
    let reckoned = (candidates.left * found.len()).checked_div(looked).unwrap_or(0);
    let total = found.len() + reckoned;
    let shown = page.of(found);
    let matches = shown.iter().map(|hit| told(state, hit, &query, args.highlight)).collect();
    Ok(page.around(total, matches))
}

/// Whether search shows a message: what somebody wrote, not what Slack says.
fn is_findable(message: &Message) -> bool {
    matches!(message.subtype(), None | Some(Subtype::BotMessage | Subtype::FileShare | Subtype::MeMessage))
}

fn told(state: &State, hit: &Match<'_>, query: &Query, highlight: bool) -> Value {
    let mut body = shapes::message_value(state, hit.channel, hit.message);
    let ts = ts_text(hit.message.ts);
    let name = state.users.get(&hit.message.user).map(|user| user.name.clone()).unwrap_or_default();
    let mut row = json!({
        "iid": text::derived_uuid(&["search", hit.channel, &ts]),
        "team": state.workspace.id,
        "score": hit.score,
        "channel": place(state, hit.channel),
        "type": "message",
        "user": hit.message.user,
        "username": body["username"].as_str().map_or(name, SmolStr::new),
        "ts": ts,
        "text": if highlight { query.highlight(&hit.message.text) } else { hit.message.text.to_string() },
        "permalink": state.permalink(hit.channel, hit.message),
        "no_reactions": hit.message.reactions().is_empty(),
    });
    for name in ["blocks", "attachments", "files"] {
        if let Some(part) = body.get_mut(name) {
            row[name] = part.take();
        }
    }
    row
}

fn place(state: &State, id: &SmolStr) -> Value {
    let Some(channel) = state.channels.get(id) else { return json!({ "id": id }) };
    let is_direct = channel.kind == Kind::Im;
    let mut told = json!({
        "id": id,
        "is_channel": channel.kind.is_channel(),
        "is_group": false,
        "is_im": is_direct,
        "is_mpim": channel.kind == Kind::Mpim,
        "is_private": channel.kind != Kind::Public,
        "is_archived": channel.archived,
        "is_shared": false,
        "is_org_shared": false,
        "is_ext_shared": false,
        "is_pending_ext_shared": false,
        "pending_shared": [],
        "name": channel.name,
        "name_normalized": channel.name,
    });
    if is_direct {
        // A direct message goes by the id of whom it is with.
        let other = channel.talkers.last().cloned().unwrap_or_default();
        told["user"] = json!(other);
        told["name"] = json!(other);
    }
    told
}

fn files(cx: &Read<'_, Slack>, args: &Search) -> Result<Value, Error> {
    let (state, page, query) = (cx.state, args.page()?, query(cx, args)?);
    let me = &cx.caller.token()?.user;
    let fits = |file: &&Arc<File>| {
        let channels: Vec<&SmolStr> = file.shares.iter().map(|share| &share.channel).collect();
        let indexed = file.remote.as_ref().map(|remote| &*remote.indexed).unwrap_or_default();
        let content = if file.is_text() { String::from_utf8_lossy(&file.content) } else { indexed.into() };
        let words = format!("{} {} {content}", file.name, file.title);
        query.matches_file(&words, &file.user, &channels, file.created) && state.visible_file(&file.id, me).is_some()
    };
    let all = state.index.files_by_time.iter().rev().filter_map(|(_, id)| state.files.get(id));
    let mut found: Vec<&Arc<File>> = all.filter(fits).collect();
    if args.is_ascending() {
        found.reverse();
    }
    let total = found.len();
    let matches = page.of(found).into_iter().map(|file| shapes::file(state, file)).collect();
    Ok(page.around(total, matches))
}
