//! `reactions.*`, `pins.*`, `stars.*` and `bookmarks.*`.

use std::{cmp::Reverse, sync::Arc};

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{
    conversations::need_scope,
    paging::{self, Limit},
};
use crate::{
    ANY, Row, Slack, bodies,
    error::{Code, Error},
    limits::{TIER_2, TIER_3},
    model::{
        State,
        apps::{Token, TokenKind},
        channels::{Channel, Kind},
        files::Mode,
        marks::{self, BookmarkChange, Starred},
        time::{parse_message_ts, parse_ts},
    },
};

/// The longest page.
const PAGE_MAX: usize = 1000;
/// The size of pages where none is asked for.
const PAGE: usize = 100;

/// The errors of an item that is not one.
macro_rules! item_errors {
    ($($more:literal),* $(,)?) => {
        &["bad_timestamp", "channel_not_found", "file_comment_not_found", "file_not_found", "message_not_found",
          "no_item_specified", "not_in_channel", $($more),*]
    };
}

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    [reaction_rows(), pin_rows(), star_rows(), bookmark_rows()].into_iter().flatten().collect()
}

fn reaction_rows() -> Vec<Row> {
    vec![
        Row::write("reactions.add", ANY, "/api/reactions.add", react)
            .limit(TIER_3)
            .scopes(&["reactions:write"])
            .errors(item_errors!(
                "already_reacted",
                "invalid_name",
                "is_archived",
                "too_many_emoji",
                "too_many_reactions"
            )),
        Row::write("reactions.remove", ANY, "/api/reactions.remove", unreact)
            .limit(TIER_2)
            .scopes(&["reactions:write"])
            .errors(item_errors!("invalid_name", "is_archived", "no_reaction")),
        Row::read("reactions.get", ANY, "/api/reactions.get", reactions)
            .limit(TIER_3)
            .scopes(&["reactions:read"])
            .errors(item_errors!())
            .form_only(),
        Row::read("reactions.list", ANY, "/api/reactions.list", reacted)
            .limit(TIER_2)
            .scopes(&["reactions:read"])
            .errors(&["invalid_cursor", "invalid_limit", "user_not_found"])
            .form_only(),
    ]
}

fn pin_rows() -> Vec<Row> {
    vec![
        Row::write("pins.add", ANY, "/api/pins.add", pin).limit(TIER_2).scopes(&["pins:write"]).errors(item_errors!(
            "already_pinned",
            "is_archived",
            "not_pinnable",
            "too_many_pins"
        )),
        Row::write("pins.remove", ANY, "/api/pins.remove", unpin)
            .limit(TIER_2)
            .scopes(&["pins:write"])
            .errors(item_errors!("is_archived", "no_pin")),
        Row::read("pins.list", ANY, "/api/pins.list", pins)
            .limit(TIER_2)
            .scopes(&["pins:read"])
            .errors(&["channel_not_found", "not_in_channel"])
            .form_only(),
    ]
}

fn star_rows() -> Vec<Row> {
    vec![
        Row::write("stars.add", ANY, "/api/stars.add", star)
            .limit(TIER_2)
            .scopes(&["stars:write"])
            .errors(item_errors!("already_starred")),
        Row::write("stars.remove", ANY, "/api/stars.remove", unstar)
            .limit(TIER_2)
            .scopes(&["stars:write"])
            .errors(item_errors!("not_starred")),
        Row::read("stars.list", ANY, "/api/stars.list", stars)
            .limit(TIER_3)
            .scopes(&["stars:read"])
            .errors(&["invalid_cursor", "invalid_limit"])
            .form_only(),
    ]
}

fn bookmark_rows() -> Vec<Row> {
    vec![
        Row::write("bookmarks.add", ANY, "/api/bookmarks.add", add_bookmark)
            .limit(TIER_2)
            .scopes(&["bookmarks:write"])
            .errors(&[
                "channel_not_found",
                "invalid_bookmark_type",
                "invalid_emoji",
                "invalid_link",
                "invalid_parent_type",
                "is_archived",
                "not_in_channel",
                "too_many_bookmarks",
            ]),
        Row::write("bookmarks.edit", ANY, "/api/bookmarks.edit", edit_bookmark)
            .limit(TIER_2)
            .scopes(&["bookmarks:write"])
            .errors(&["bookmark_not_found", "channel_not_found", "invalid_emoji", "invalid_link", "not_in_channel"]),
        Row::write("bookmarks.remove", ANY, "/api/bookmarks.remove", remove_bookmark)
            .limit(TIER_2)
            .scopes(&["bookmarks:write"])
            .errors(&["bookmark_not_found", "channel_not_found", "not_in_channel"]),
        Row::read("bookmarks.list", ANY, "/api/bookmarks.list", bookmarks)
            .limit(TIER_3)
            .scopes(&["bookmarks:read"])
            .errors(&["channel_not_found", "not_in_channel"]),
    ]
}

/// Nothing but `ok`.
pub(crate) fn done() -> Typed<Value> {
    Typed::ok(&json!({}))
}

/// What an item is named by. Files and their comments took reactions and pins long ago.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Item {
    channel: Option<SmolStr>,
    timestamp: Option<String>,
    file: Option<SmolStr>,
    file_comment: Option<SmolStr>,
}

/// A channel that the caller may look into; `writes` where the caller must be in it.
pub(crate) fn channel_of(state: &State, token: &Token, named: &str, writes: bool) -> Result<Arc<Channel>, Error> {
    let row = state.visible(named, &token.user).ok_or(Code::ChannelNotFound)?;
    if writes && row.archived {
        return Err(Code::IsArchived.into());
    }
    // People's tokens look into public channels without being in them.
    let may_look = !writes && row.kind == Kind::Public && token.kind == TokenKind::User;
    if may_look || state.is_member(&row.id, &token.user) { Ok(Arc::clone(row)) } else { Err(Code::NotInChannel.into()) }
}

fn message_ts(text: &str) -> Result<u64, Code> {
    parse_ts(text).ok_or(Code::BadTimestamp)?;
    parse_message_ts(text).ok_or(Code::MessageNotFound)
}

impl Item {
    /// The message that is meant.
    fn message(&self, state: &State, token: &Token, writes: bool) -> Result<(SmolStr, u64), Error> {
        let given = |text: &Option<SmolStr>| text.as_ref().is_some_and(|text| !text.is_empty());
        let (channel, ts) =
            (self.channel.as_deref().unwrap_or_default(), self.timestamp.as_deref().unwrap_or_default());
        match () {
            () if given(&self.file) => return Err(Code::FileNotFound.into()),
            () if given(&self.file_comment) => return Err(Code::FileCommentNotFound.into()),
            () if channel.is_empty() || ts.is_empty() => return Err(Code::NoItemSpecified.into()),
            () => {}
        }
        let channel = channel_of(state, token, channel, writes)?;
        let ts = message_ts(ts)?;
        state.message(&channel.id, ts).ok_or(Code::MessageNotFound)?;
        Ok((channel.id.clone(), ts))
    }
}

/// Arguments of `reactions.add` and `reactions.remove`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct React {
    name: SmolStr,
    channel: Option<SmolStr>,
    timestamp: Option<String>,
    file: Option<SmolStr>,
    file_comment: Option<SmolStr>,
}

impl React {
    fn split(self) -> (SmolStr, Item) {
        let Self { name, channel, timestamp, file, file_comment } = self;
        (name, Item { channel, timestamp, file, file_comment })
    }
}

/// `reactions.add`
fn react(cx: &mut Write<'_, '_, Slack>, args: React) -> Result<Typed<Value>, Error> {
    let (name, item) = args.split();
    let token = cx.caller.token()?;
    let (channel, ts) = item.message(cx.state, token, true)?;
    marks::react(cx.state, cx.tx, &token.user, (&channel, ts), &name)?;
    Ok(done())
}

/// `reactions.remove`
fn unreact(cx: &mut Write<'_, '_, Slack>, args: React) -> Result<Typed<Value>, Error> {
    let (name, item) = args.split();
    let token = cx.caller.token()?;
    let (channel, ts) = item.message(cx.state, token, true)?;
    marks::unreact(cx.state, cx.tx, &token.user, (&channel, ts), &name)?;
    Ok(done())
}

/// Arguments of `reactions.get`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct GetReactions {
    channel: Option<SmolStr>,
    timestamp: Option<String>,
    file: Option<SmolStr>,
    file_comment: Option<SmolStr>,
    /// All who reacted are named anyway.
    #[serde(rename = "full")]
    _full: Option<bool>,
}

/// `reactions.get`
fn reactions(cx: &Read<'_, Slack>, args: GetReactions) -> Result<Typed<Value>, Error> {
    let GetReactions { channel, timestamp, file, file_comment, .. } = args;
    let item = Item { channel, timestamp, file, file_comment };
    let (channel, ts) = item.message(cx.state, cx.caller.token()?, false)?;
    let row = cx.state.message(&channel, ts).ok_or(Code::MessageNotFound)?;
    let message = bodies::linked_message(cx.state, &channel, row);
    Ok(Typed::ok(&json!({ "type": "message", "channel": channel, "message": message })))
}

/// Which part of a list is asked for: by cursor, or by page.
struct Part<'a> {
    cursor: Option<&'a str>,
    limit: &'a Limit,
    count: Option<usize>,
    page: Option<usize>,
}

impl Part<'_> {
    /// The part of `rows`, whose keys cursors name, with what tells where it ends.
    fn of(&self, rows: Vec<(SmolStr, Value)>) -> Result<Value, Error> {
        let by_page = self.page.is_some() || self.count.is_some();
        if by_page && self.cursor.is_none_or(str::is_empty) {
            return Ok(self.page_of(rows));
        }
        let size = self.limit.size(PAGE, PAGE_MAX)?;
        let from = paging::read_cursor(self.cursor, "next")?;
        let start = match from {
            None => 0,
            Some(from) => rows.iter().position(|(key, _)| *key == from).ok_or(Code::InvalidCursor)?,
        };
        let next = rows.get(start + size).map(|(key, _)| paging::cursor("next", key)).unwrap_or_default();
        let items: Vec<Value> = rows.into_iter().skip(start).take(size).map(|(_, row)| row).collect();
        Ok(json!({ "items": items, "response_metadata": { "next_cursor": next } }))
    }

    fn page_of(&self, rows: Vec<(SmolStr, Value)>) -> Value {
        let count = self.count.unwrap_or(PAGE).clamp(1, PAGE_MAX);
        let (page, total) = (self.page.unwrap_or(1).max(1), rows.len());
        let items = rows.into_iter().skip((page - 1).saturating_mul(count)).take(count);
        let items: Vec<Value> = items.map(|(_, row)| row).collect();
        let paging = json!({ "count": count, "total": total, "page": page, "pages": total.div_ceil(count) });
        json!({ "items": items, "paging": paging })
    }
}

/// Arguments of `reactions.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListReactions {
    user: Option<SmolStr>,
    count: Option<usize>,
    page: Option<usize>,
    cursor: Option<String>,
    #[serde(default)]
    limit: Limit,
    /// All who reacted are named anyway.
    #[serde(rename = "full")]
    _full: Option<bool>,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `reactions.list`: of what the caller can see.
fn reacted(cx: &Read<'_, Slack>, args: ListReactions) -> Result<Typed<Value>, Error> {
    let (state, token) = (cx.state, cx.caller.token()?);
    let user = args.user.filter(|user| !user.is_empty()).unwrap_or_else(|| token.user.clone());
    if !state.users.contains(&user) {
        return Err(Code::UserNotFound.into());
    }
    let from = (user.clone(), Reverse(u64::MAX), SmolStr::default());
    let rows = state.index.reacted.range(from..).take_while(|row| row.0 == user);
    let seen = rows.filter(|(_, _, channel)| state.is_member(channel, &token.user));
    let items = seen.filter_map(|(_, Reverse(ts), channel)| {
        let message = bodies::linked_message(state, channel, state.message(channel, *ts)?);
        let item = json!({ "type": "message", "channel": channel, "message": message });
        Some((format_smolstr!("{ts}/{channel}"), item))
    });
    let part = Part { cursor: args.cursor.as_deref(), limit: &args.limit, count: args.count, page: args.page };
    Ok(Typed::ok(&part.of(items.collect())?))
}

/// Arguments of `pins.add` and `pins.remove`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct OnePin {
    channel: SmolStr,
    timestamp: Option<String>,
}

impl OnePin {
    fn item(self) -> Item {
        Item { channel: Some(self.channel), timestamp: self.timestamp, ..Item::default() }
    }
}

/// `pins.add`
fn pin(cx: &mut Write<'_, '_, Slack>, args: OnePin) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let (channel, ts) = args.item().message(cx.state, token, true)?;
    marks::pin(cx.state, cx.tx, &token.user, &channel, ts)?;
    Ok(done())
}

/// `pins.remove`
fn unpin(cx: &mut Write<'_, '_, Slack>, args: OnePin) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let (channel, ts) = args.item().message(cx.state, token, true)?;
    marks::unpin(cx.state, cx.tx, &token.user, &channel, ts)?;
    Ok(done())
}

/// A channel.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct OneChannel {
    channel: String,
}

/// `pins.list`: the latest first.
fn pins(cx: &Read<'_, Slack>, args: OneChannel) -> Result<Typed<Value>, Error> {
    let state = cx.state;
    let channel = channel_of(state, cx.caller.token()?, &args.channel, false)?;
    let mut rows: Vec<_> = marks::pins(state, &channel.id).collect();
    rows.sort_by_key(|(ts, pin)| Reverse((pin.created, *ts)));
    let item = |(ts, pin): (u64, &marks::Pin)| {
        let message = bodies::linked_message(state, &channel.id, state.message(&channel.id, ts)?);
        Some(json!({
            "type": "message",
            "created": pin.created,
            "created_by": pin.by,
            "channel": channel.id,
            "message": message,
        }))
    };
    let items: Vec<Value> = rows.into_iter().filter_map(item).collect();
    Ok(Typed::ok(&json!({ "items": items })))
}

/// What is to be starred: a channel where no timestamp is given.
fn starred(state: &State, token: &Token, item: &Item) -> Result<Starred, Error> {
    if item.channel.is_some() && item.timestamp.is_none() && item.file.is_none() && item.file_comment.is_none() {
        let channel = channel_of(state, token, item.channel.as_deref().unwrap_or_default(), false)?;
        return Ok(Starred::Channel(channel.id.clone()));
    }
    if let Some(id) = item.file.as_ref().filter(|id| !id.is_empty()) {
        let file = state.visible_file(id, &token.user).filter(|file| file.mode != Mode::Tombstone);
        return Ok(Starred::File(file.ok_or(Code::FileNotFound)?.id.clone()));
    }
    let (channel, ts) = item.message(state, token, false)?;
    Ok(Starred::Message(channel, ts))
}

/// `stars.add`
fn star(cx: &mut Write<'_, '_, Slack>, item: Item) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let on = starred(cx.state, token, &item)?;
    marks::star(cx.state, cx.tx, &token.user, on)?;
    Ok(done())
}

/// `stars.remove`
fn unstar(cx: &mut Write<'_, '_, Slack>, item: Item) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let on = starred(cx.state, token, &item)?;
    marks::unstar(cx.state, cx.tx, &token.user, &on)?;
    Ok(done())
}

/// Arguments of `stars.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListStars {
    count: Option<usize>,
    page: Option<usize>,
    cursor: Option<String>,
    #[serde(default)]
    limit: Limit,
    /// For tokens of organisations only.
    #[serde(rename = "team_id")]
    _team_id: Option<SmolStr>,
}

/// `stars.list`: the latest first.
fn stars(cx: &Read<'_, Slack>, args: ListStars) -> Result<Typed<Value>, Error> {
    let (state, user) = (cx.state, &cx.caller.token()?.user);
    let from = (user.clone(), Reverse(u64::MAX), Starred::Message(SmolStr::default(), 0));
    let rows = state.index.starred.range(from..).take_while(|row| row.0 == *user);
    let items = rows.filter_map(|(_, Reverse(created), on)| {
        let secs = i64::try_from(created / 1_000_000).unwrap_or(0);
        let item = bodies::starred(state, on, secs);
        (!item.is_null()).then(|| (dtu_kernel::table::Key::text(on), item))
    });
    let part = Part { cursor: args.cursor.as_deref(), limit: &args.limit, count: args.count, page: args.page };
    let mut answer = part.of(items.collect())?;
    // Slack gives pages of stars whatever is asked.
    if answer["paging"].is_null() {
        let total = answer["items"].as_array().map_or(0, Vec::len);
        answer["paging"] = json!({ "count": PAGE, "total": total, "page": 1, "pages": 1 });
    }
    // Pages of stars go by other names than those of all else.
    if let Some(paging) = answer["paging"].as_object_mut() {
        let count = paging.shift_remove("count").unwrap_or_default();
        paging.insert("per_page".to_owned(), count);
        paging.insert("spill".to_owned(), json!(0));
    }
    Ok(Typed::ok(&answer))
}

/// Arguments of `bookmarks.add`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AddBookmark {
    channel_id: SmolStr,
    title: SmolStr,
    #[serde(rename = "type")]
    kind: SmolStr,
    link: Option<SmolStr>,
    emoji: Option<SmolStr>,
    /// Only other types than links have one.
    #[serde(rename = "entity_id")]
    _entity_id: Option<SmolStr>,
    /// Of a folder, of which there are none.
    parent_id: Option<SmolStr>,
}

fn bookmark_channel(state: &State, token: &Token, named: &str, writes: bool) -> Result<Arc<Channel>, Error> {
    let channel = channel_of(state, token, named, writes)?;
    let what = if writes { "bookmarks:write" } else { "bookmarks:read" };
    need_scope(token, &[what])?;
    Ok(channel)
}

/// `bookmarks.add`: links only.
fn add_bookmark(cx: &mut Write<'_, '_, Slack>, args: AddBookmark) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let channel = bookmark_channel(cx.state, token, &args.channel_id, true)?;
    if args.kind != "link" {
        return Err(Code::InvalidBookmarkType.into());
    }
    // Links are all that there is to be put below, and nothing goes below a link.
    if args.parent_id.as_ref().is_some_and(|id| !id.is_empty()) {
        return Err(Code::InvalidParentType.into());
    }
    let change = BookmarkChange { title: Some(args.title), link: args.link, emoji: args.emoji };
    let by = (&token.user, Some(&token.app));
    let id = marks::add_bookmark(cx.state, cx.tx, &channel.id, by, change)?;
    bookmark(cx.state, channel.id.clone(), id)
}

fn bookmark(state: &State, channel: SmolStr, id: SmolStr) -> Result<Typed<Value>, Error> {
    let row = state.bookmarks.get(&(channel, id)).ok_or(Code::BookmarkNotFound)?;
    Ok(Typed::ok(&json!({ "bookmark": bodies::bookmark(state, row) })))
}

/// Arguments of `bookmarks.edit`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct EditBookmark {
    channel_id: SmolStr,
    bookmark_id: SmolStr,
    title: Option<SmolStr>,
    link: Option<SmolStr>,
    emoji: Option<SmolStr>,
}

/// `bookmarks.edit`
fn edit_bookmark(cx: &mut Write<'_, '_, Slack>, args: EditBookmark) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let channel = bookmark_channel(cx.state, token, &args.channel_id, true)?;
    let change = BookmarkChange { title: args.title, link: args.link, emoji: args.emoji };
    marks::edit_bookmark(cx.state, cx.tx, (&channel.id, &args.bookmark_id), &token.user, change)?;
    bookmark(cx.state, channel.id.clone(), args.bookmark_id)
}

/// Arguments of `bookmarks.remove`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct RemoveBookmark {
    channel_id: SmolStr,
    bookmark_id: SmolStr,
}

/// `bookmarks.remove`
fn remove_bookmark(cx: &mut Write<'_, '_, Slack>, args: RemoveBookmark) -> Result<Typed<Value>, Error> {
    let channel = bookmark_channel(cx.state, cx.caller.token()?, &args.channel_id, true)?;
    let key = (channel.id.clone(), args.bookmark_id);
    cx.state.bookmarks.remove(&mut cx.tx.changes, &key).ok_or(Code::BookmarkNotFound)?;
    Ok(done())
}

/// Arguments of `bookmarks.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListBookmarks {
    channel_id: SmolStr,
}

/// `bookmarks.list`
fn bookmarks(cx: &Read<'_, Slack>, args: ListBookmarks) -> Result<Typed<Value>, Error> {
    let channel = bookmark_channel(cx.state, cx.caller.token()?, &args.channel_id, false)?;
    let rows = marks::bookmarks(cx.state, &channel.id).map(|row| bodies::bookmark(cx.state, row));
    Ok(Typed::ok(&json!({ "bookmarks": rows.collect::<Vec<_>>() })))
}
