//! `files.*`, but for files that other services keep.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::conversations::refuse_guest;
use crate::{
    Slack, blocks,
    error::{Code, Error},
    limits::{TIER_2, TIER_3, TIER_4},
    media,
    model::{
        State,
        apps::{Token, TokenKind},
        files::{self, File, Mode, Sharing, Upload},
        time::{parse_message_ts, parse_ts},
    },
    shapes,
};

const ANY: &[Method] = &[Method::POST, Method::GET];
const READ: &[&str] = &["files:read"];
const WRITE: &[&str] = &["files:write", "files:write:user"];
/// The longest description of a picture, in characters.
const ALT_MAX: usize = 1000;
/// The most channels that one call shares a file in.
const CHANNELS_MAX: usize = 100;

/// The rows.
pub(crate) fn operations() -> Vec<Operation<Slack>> {
    vec![
        Operation::write("files.getUploadURLExternal", ANY, "/api/files.getUploadURLExternal", begin)
            .limit(TIER_4)
            .scopes(WRITE)
            .errors(&[
                "alt_txt_too_large",
                "file_upload_size_restricted",
                "missing_argument",
                "snippet_too_large",
                "storage_limit_reached",
                "unknown_snippet_type",
            ])
            .form_only(),
        Operation::write("files.completeUploadExternal", ANY, "/api/files.completeUploadExternal", complete)
            .limit(TIER_4)
            .scopes(WRITE)
            .errors(&[
                "channel_not_found",
                "file_not_found",
                "invalid_blocks",
                "invalid_channel",
                "is_archived",
                "not_in_channel",
            ]),
        Operation::read("files.info", ANY, "/api/files.info", info)
            .limit(TIER_4)
            .scopes(READ)
            .errors(&["file_deleted", "file_not_found"])
            .form_only(),
        Operation::read("files.list", ANY, "/api/files.list", list)
            .limit(TIER_3)
            .scopes(READ)
            .errors(&["channel_not_found", "unknown_type", "user_not_found"])
            .form_only(),
        Operation::write("files.delete", ANY, "/api/files.delete", delete).limit(TIER_3).scopes(WRITE).errors(&[
            "cant_delete_file",
            "file_deleted",
            "file_not_found",
        ]),
        Operation::write("files.sharedPublicURL", ANY, "/api/files.sharedPublicURL", share_publicly)
            .limit(TIER_3)
            .scopes(WRITE)
            .errors(&["file_not_found", "not_allowed_token_type", "user_is_restricted"]),
        Operation::write("files.revokePublicURL", ANY, "/api/files.revokePublicURL", revoke_public)
            .limit(TIER_3)
            .scopes(WRITE)
            .errors(&["file_not_found", "not_allowed_token_type", "user_is_restricted"]),
        Operation::read("files.comments.delete", ANY, "/api/files.comments.delete", delete_comment)
            .limit(TIER_2)
            .scopes(WRITE)
            .errors(&["comment_not_found", "file_deleted", "file_not_found"]),
        Operation::read("files.upload", ANY, "/api/files.upload", retired)
            .limit(TIER_2)
            .scopes(WRITE)
            .errors(&["method_deprecated"])
            .form_only(),
    ]
}

/// Arguments of `files.getUploadURLExternal`. Clients write the description under either name.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Begin {
    filename: SmolStr,
    length: u64,
    #[serde(alias = "alt_text")]
    alt_txt: Option<SmolStr>,
    snippet_type: Option<SmolStr>,
}

/// Where to upload to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Begun {
    upload_url: SmolStr,
    file_id: SmolStr,
}

/// `files.getUploadURLExternal`
fn begin(cx: &mut Write<'_, '_, Slack>, args: Begin) -> Result<Typed<Begun>, Error> {
    let token = cx.caller.token()?;
    let snippet = args.snippet_type.filter(|kind| !kind.is_empty());
    let refused = match &snippet {
        _ if args.length == 0 || args.filename.is_empty() => Some(Code::MissingArgument),
        _ if args.alt_txt.as_ref().is_some_and(|alt| alt.chars().count() > ALT_MAX) => Some(Code::AltTxtTooLarge),
        Some(kind) if !media::is_snippet_type(kind) => Some(Code::UnknownSnippetType),
        Some(_) if args.length > files::SNIPPET_MAX => Some(Code::SnippetTooLarge),
        _ if args.length > files::FILE_MAX => Some(Code::FileUploadSizeRestricted),
        _ => None,
    };
    if let Some(code) = refused {
        return Err(code.into());
    }
    let upload = Upload {
        file: SmolStr::default(),
        snippet: snippet
            .map(|kind| if kind == "auto" { media::of_file(&args.filename, &[]).filetype.into() } else { kind }),
        name: args.filename,
        length: args.length,
        alt_txt: args.alt_txt.filter(|alt| !alt.is_empty()),
        user: token.user.clone(),
        app: token.app.clone(),
        picture: None,
        content: None,
    };
    let (file_id, ticket) = files::begin(cx.state, cx.tx, upload)?;
    Ok(Typed::ok(&Begun { upload_url: files::upload_url(&cx.tx.origin, &ticket), file_id }))
}

/// Arguments of `files.completeUploadExternal`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Complete {
    files: Value,
    channel_id: Option<String>,
    channels: Option<String>,
    thread_ts: Option<String>,
    initial_comment: Option<String>,
    blocks: Option<Value>,
}

/// The files that were made.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Files {
    files: Vec<Value>,
}

/// `files.completeUploadExternal`: the files are there at once, and are shared a little later.
fn complete(cx: &mut Write<'_, '_, Slack>, args: Complete) -> Result<Typed<Files>, Error> {
    let token = cx.caller.token()?.clone();
    let wanted = read_files(args.files)?;
    let sharing = Sharing {
        channels: targets(cx.state, &token, args.channel_id.as_deref(), args.channels.as_deref())?,
        thread: args.thread_ts.as_deref().and_then(parse_message_ts),
        comment: args.initial_comment.filter(|text| !text.is_empty()),
        blocks: blocks::read(args.blocks, cx.tx)?,
    };
    let files = files::complete(cx.state, cx.tx, &token.user, &wanted, &sharing)?;
    Ok(Typed::ok(&Files { files: files.iter().map(|file| shapes::file(cx.state, file)).collect() }))
}

/// Ids and titles, of a list or of text that holds one.
fn read_files(argument: Value) -> Result<Vec<(SmolStr, Option<SmolStr>)>, Error> {
    let wrong = |what: &str| Error::Arguments(vec![format!("{what} [json-pointer:/files]")]);
    let list = match argument {
        Value::String(text) => serde_json::from_str(&text).map_err(|_| wrong("must be valid JSON"))?,
        other => other,
    };
    let Value::Array(items) = list else { return Err(wrong("must provide an array")) };
    if items.is_empty() {
        return Err(wrong("must provide at least 1 items"));
    }
    items
        .iter()
        .enumerate()
        .map(|(n, item)| read_file(item, &format!("/files/{n}")).map_err(Error::Arguments))
        .collect()
}

/// One file of those. A member that the method does not know is refused, as
/// <https://github.com/slackhq/hack-json-schema> does; libraries send null for what they have no value of.
fn read_file(item: &Value, at: &str) -> Result<(SmolStr, Option<SmolStr>), Vec<String>> {
    const KNOWN: [&str; 3] = ["id", "title", "highlight_type"];
    let wrong = |what: &str, at: &str| vec![format!("{what} [json-pointer:{at}]")];
    let members = item.as_object().ok_or_else(|| wrong("must provide an object", at))?;
    let id = members.get("id").ok_or_else(|| wrong("missing required field: id", at))?;
    let id = id.as_str().ok_or_else(|| wrong("must provide a string", &format!("{at}/id")))?;
    if let Some(name) = members.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(wrong(&format!("invalid additional property: {name}"), at));
    }
    Ok((id.into(), members.get("title").and_then(Value::as_str).map(SmolStr::new)))
}

/// The channels to share in: one by `channel_id`, or several by `channels`.
fn targets(state: &State, token: &Token, one: Option<&str>, several: Option<&str>) -> Result<Vec<SmolStr>, Error> {
    let mut found = Vec::new();
    if let Some(id) = one.filter(|id| !id.is_empty()) {
        found.push(target(state, token, id, Code::ChannelNotFound)?);
    }
    let several = several.unwrap_or_default().split(',').map(str::trim).filter(|id| !id.is_empty());
    for id in several {
        found.push(target(state, token, id, Code::InvalidChannel)?);
    }
    if found.len() > CHANNELS_MAX {
        return Err(Code::InvalidChannel.into());
    }
    Ok(found)
}

pub(super) fn target(state: &State, token: &Token, id: &str, unknown: Code) -> Result<SmolStr, Error> {
    let channel = state.visible(id, &token.user).ok_or(unknown)?;
    match channel {
        channel if channel.archived => Err(Code::IsArchived.into()),
        channel if !state.is_member(&channel.id, &token.user) => Err(Code::NotInChannel.into()),
        channel => Ok(channel.id.clone()),
    }
}

/// Arguments of methods about one file.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct One {
    file: String,
}

/// Arguments of `files.info`. No file has comments, so that there is nothing to page through.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Info {
    file: String,
    #[serde(rename = "count")]
    _count: Option<u32>,
    #[serde(rename = "page")]
    _page: Option<u32>,
    #[serde(rename = "limit")]
    _limit: Option<u32>,
    #[serde(rename = "cursor")]
    _cursor: Option<String>,
}

/// A file that the caller may see and that is still there.
fn find<'a>(state: &'a State, token: &Token, id: &str) -> Result<&'a std::sync::Arc<File>, Code> {
    match state.visible_file(id, &token.user) {
        None => Err(Code::FileNotFound),
        Some(file) if file.mode == Mode::Tombstone => Err(Code::FileDeleted),
        Some(file) => Ok(file),
    }
}

/// `files.info`
fn info(cx: &Read<'_, Slack>, args: Info) -> Result<Typed<Value>, Error> {
    let file = find(cx.state, cx.caller.token()?, &args.file)?;
    let mut told = json!({
        "file": shapes::file(cx.state, file),
        "comments": [],
        "response_metadata": { "next_cursor": "" },
    });
    if file.mode == Mode::Snippet {
        let content = String::from_utf8_lossy(&file.content);
        told["content_highlight_html"] = json!(shapes::highlight(&content.lines().collect::<Vec<_>>()));
        told["content_highlight_html_truncated"] = json!(false);
        told["content"] = json!(content);
        told["is_truncated"] = json!(false);
    }
    Ok(Typed::ok(&told))
}

/// Arguments of `files.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct List {
    channel: Option<String>,
    user: Option<SmolStr>,
    ts_from: Option<String>,
    ts_to: Option<String>,
    types: Option<String>,
    count: Option<usize>,
    page: Option<usize>,
    /// Nothing is hidden: the workspace has room for all it keeps.
    #[serde(rename = "show_files_hidden_by_limit")]
    _show_files_hidden_by_limit: Option<bool>,
    /// There is one workspace.
    #[serde(rename = "team_id")]
    _team_id: Option<String>,
}

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Paging {
    pub(super) count: usize,
    pub(super) total: usize,
    pub(super) page: usize,
    pub(super) pages: usize,
}

/// `files.list`, newest first.
fn list(cx: &Read<'_, Slack>, args: List) -> Result<Typed<Value>, Error> {
    let (state, token) = (cx.state, cx.caller.token()?);
    if args.user.as_ref().is_some_and(|user| !state.users.contains(user)) {
        return Err(Code::UserNotFound.into());
    }
    let channel = args.channel.as_deref().filter(|id| !id.is_empty());
    if channel.is_some_and(|id| state.visible(id, &token.user).is_none()) {
        return Err(Code::ChannelNotFound.into());
    }
    let families: Vec<&str> = args.types.as_deref().unwrap_or("all").split(',').map(str::trim).collect();
    if families.iter().any(|family| media::is_in_family("", false, family).is_none()) {
        return Err(Code::UnknownType.into());
    }
    let bound = |text: &Option<String>| text.as_deref().and_then(parse_ts);
    let (from, to) = (bound(&args.ts_from).unwrap_or(0), bound(&args.ts_to).unwrap_or(u64::MAX));
    let fits = |file: &&std::sync::Arc<File>| {
        args.user.as_ref().is_none_or(|user| file.user == *user)
            && channel.is_none_or(|id| file.shares.iter().any(|share| share.channel == id))
            && families.iter().any(|f| media::is_in_family(&file.filetype, file.mode == Mode::Snippet, f) == Some(true))
            && state.visible_file(&file.id, &token.user).is_some()
    };
    let times = (from, SmolStr::default())..=(to, SmolStr::new_static("\u{10ffff}"));
    let found: Vec<_> =
        state.index.files_by_time.range(times).rev().filter_map(|(_, id)| state.files.get(id)).filter(fits).collect();
    let count = args.count.filter(|count| *count > 0).unwrap_or(100).min(1000);
    let page = args.page.filter(|page| *page > 0).unwrap_or(1);
    let paging = Paging { count, total: found.len(), page, pages: found.len().div_ceil(count) };
    let shown = found.into_iter().skip((page - 1).saturating_mul(count)).take(count);
    let files: Vec<Value> = shown.map(|file| shapes::file(state, file)).collect();
    Ok(Typed::ok(&json!({ "files": files, "paging": paging })))
}

/// Nothing besides `ok`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Done {}

/// `files.delete`
fn delete(cx: &mut Write<'_, '_, Slack>, args: One) -> Result<Typed<Done>, Error> {
    let token = cx.caller.token()?;
    let file = find(cx.state, token, &args.file)?;
    let is_admin = token.kind == TokenKind::User && cx.state.users.get(&token.user).is_some_and(|user| user.is_admin());
    if file.user != token.user && !is_admin {
        return Err(Code::CantDeleteFile.into());
    }
    let id = file.id.clone();
    files::delete(cx.state, cx.tx, &id);
    Ok(Typed::ok(&Done {}))
}

/// A file.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Told {
    pub(super) file: Value,
}

/// `files.sharedPublicURL`
fn share_publicly(cx: &mut Write<'_, '_, Slack>, args: One) -> Result<Typed<Told>, Error> {
    set_public(cx, &args.file, true)
}

/// `files.revokePublicURL`
fn revoke_public(cx: &mut Write<'_, '_, Slack>, args: One) -> Result<Typed<Told>, Error> {
    set_public(cx, &args.file, false)
}

fn set_public(cx: &mut Write<'_, '_, Slack>, file: &str, open: bool) -> Result<Typed<Told>, Error> {
    let token = cx.caller.token()?;
    if token.kind != TokenKind::User {
        return Err(Code::NotAllowedTokenType.into());
    }
    refuse_guest(cx.state, token)?;
    let id = find(cx.state, token, file).map_err(|_| Code::FileNotFound)?.id.clone();
    if open && cx.state.policy(|row| row.no_public_files) {
        return Err(Code::NotAllowed.into());
    }
    let file = files::set_public(cx.state, cx.tx, &id, open).ok_or(Code::FileNotFound)?;
    Ok(Typed::ok(&Told { file: shapes::file(cx.state, &file) }))
}

/// Arguments of `files.comments.delete`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Comment {
    file: String,
    #[serde(rename = "id")]
    _id: String,
}

/// `files.comments.delete`: comments on files became threads in 2018, so that none is left to delete.
fn delete_comment(cx: &Read<'_, Slack>, args: Comment) -> Result<Typed<Done>, Error> {
    find(cx.state, cx.caller.token()?, &args.file)?;
    Err(Code::CommentNotFound.into())
}

/// Arguments of `files.upload`, which no longer looks at them.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Nothing {}

/// `files.upload`: retired in November 2025.
fn retired(cx: &Read<'_, Slack>, Nothing {}: Nothing) -> Result<Typed<Done>, Error> {
    cx.caller.token()?;
    Err(Code::MethodDeprecated.into())
}
