//! `files.remote.*`: files that other services keep.

use std::sync::Arc;

use bytes::Bytes;
use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
    wire::Request,
};
use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    files::{Done, Told, target},
    paging::{Limit, PageEnd, cursor, read_cursor},
};
use crate::{
    Slack,
    error::{Code, Error},
    input,
    limits::TIER_2,
    model::{
        State,
        apps::{Token, TokenKind},
        files::{self, File, Mode, Remote, Shared},
        time::parse_ts,
    },
    pictures::Picture,
    shapes,
};

const ANY: &[Method] = &[Method::POST, Method::GET];
const READ: &[&str] = &["remote_files:read"];
const WRITE: &[&str] = &["remote_files:write"];
const ONE: &[&str] = &["file_deleted", "file_not_found", "not_allowed_token_type"];

/// The rows.
pub(crate) fn operations() -> Vec<Operation<Slack>> {
    vec![
        Operation::write("files.remote.add", ANY, "/api/files.remote.add", add)
            .limit(TIER_2)
            .scopes(WRITE)
            .errors(&["not_allowed_token_type"])
            .form_only(),
        Operation::write("files.remote.update", ANY, "/api/files.remote.update", update)
            .limit(TIER_2)
            .scopes(WRITE)
            .errors(ONE)
            .form_only(),
        Operation::write("files.remote.remove", ANY, "/api/files.remote.remove", remove)
            .limit(TIER_2)
            .scopes(WRITE)
            .errors(ONE)
            .form_only(),
        Operation::read("files.remote.info", ANY, "/api/files.remote.info", info)
            .limit(TIER_2)
            .scopes(READ)
            .errors(&["file_deleted", "file_not_found"])
            .form_only(),
        Operation::read("files.remote.list", ANY, "/api/files.remote.list", list)
            .limit(TIER_2)
            .scopes(READ)
            .errors(&["channel_not_found", "invalid_cursor", "invalid_limit"])
            .form_only(),
        Operation::write("files.remote.share", ANY, "/api/files.remote.share", share)
            .limit(TIER_2)
            .scopes(&["remote_files:share"])
            .errors(&["channel_not_found", "file_deleted", "file_not_found", "is_archived", "not_in_channel"])
            .form_only(),
    ]
}

/// Arguments of `files.remote.add`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Add {
    external_id: SmolStr,
    external_url: SmolStr,
    title: SmolStr,
    filetype: Option<SmolStr>,
    /// Comes as a file, of which this is told where it comes otherwise.
    preview_image: Option<Value>,
    indexable_file_contents: Option<Value>,
    /// What is seen of that file: read before the call has its turn.
    #[serde(rename = "~picture")]
    #[schemars(skip)]
    seen: Option<Picture>,
}

fn bots_only(token: &Token) -> Result<(), Code> {
    if token.kind == TokenKind::Bot { Ok(()) } else { Err(Code::NotAllowedTokenType) }
}

/// What search finds a file by: sent as a file, or as text. None where nothing was sent.
fn words(request: &Request, contents: Option<&Value>) -> Option<Arc<str>> {
    let sent = input::file(request, "indexable_file_contents").map(|bytes| String::from_utf8_lossy(&bytes).into());
    sent.or_else(|| contents.and_then(Value::as_str).map(Arc::from))
}

/// The picture that stands for a file, where one was sent.
fn picture(request: &Request) -> Option<Bytes> {
    // A copy: the request's buffer holds more than the picture.
    input::file(request, "preview_image").map(|bytes| Bytes::copy_from_slice(&bytes))
}

/// `files.remote.add`: a second time with the same id is the same file, which is changed.
fn add(cx: &mut Write<'_, '_, Slack>, args: Add) -> Result<Typed<Told>, Error> {
    let token = cx.caller.token()?;
    bots_only(token)?;
    if cx.state.remote_file(&token.app, &args.external_id).is_some() {
        let named = Named { file: None, external_id: Some(args.external_id.to_string()) };
        let (title, external_url) = (Some(args.title), Some(args.external_url));
        let (filetype, preview_image, contents) = (args.filetype, args.preview_image, args.indexable_file_contents);
        let (indexable_file_contents, seen) = (contents, args.seen);
        let again = Update { named, title, filetype, external_url, preview_image, indexable_file_contents, seen };
        return update(cx, again);
    }
    let picture = picture(cx.scene.request);
    let remote = Remote {
        id: args.external_id,
        url: args.external_url,
        indexed: words(cx.scene.request, args.indexable_file_contents.as_ref()).unwrap_or_default(),
        preview: picture.is_some() || args.preview_image.is_some(),
    };
    let who = [&token.app, &token.user];
    let mut file = files::add_remote(cx.state, cx.tx, who, args.title, args.filetype, remote);
    if let Some(picture) = picture {
        let seen = args.seen.map(Arc::new);
        let shown = cx.state.files.update(&mut cx.tx.changes, &file.id, |file| {
            (file.content, file.picture) = (picture, seen);
        });
        file = shown.unwrap_or(file);
    }
    Ok(Typed::ok(&Told { file: shapes::file(cx.state, &file) }))
}

/// Arguments that name a remote file: by Slack's id, or by the app's own.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Named {
    file: Option<String>,
    external_id: Option<String>,
}

fn find(state: &State, token: &Token, named: &Named) -> Result<Arc<File>, Error> {
    let file = match (&named.file, &named.external_id) {
        (Some(id), _) => state.files.get(&id.as_str().into()).filter(|file| file.remote.is_some()),
        (None, Some(id)) => state.remote_file(&token.app, id),
        (None, None) => return Err(Error::Arguments(vec!["missing required field: file".to_owned()])),
    };
    match file {
        None => Err(Code::FileNotFound.into()),
        Some(file) if file.mode == Mode::Tombstone => Err(Code::FileDeleted.into()),
        Some(file) => Ok(Arc::clone(file)),
    }
}

/// Arguments of `files.remote.update`. What is absent stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Update {
    #[serde(flatten)]
    named: Named,
    title: Option<SmolStr>,
    filetype: Option<SmolStr>,
    external_url: Option<SmolStr>,
    /// Comes as a file, of which this is told where it comes otherwise.
    preview_image: Option<Value>,
    indexable_file_contents: Option<Value>,
    /// What is seen of that file: read before the call has its turn.
    #[serde(rename = "~picture")]
    #[schemars(skip)]
    seen: Option<Picture>,
}

/// `files.remote.update`
fn update(cx: &mut Write<'_, '_, Slack>, args: Update) -> Result<Typed<Told>, Error> {
    let token = cx.caller.token()?;
    bots_only(token)?;
    let id = find(cx.state, token, &args.named)?.id.clone();
    let indexed = words(cx.scene.request, args.indexable_file_contents.as_ref());
    let picture = picture(cx.scene.request);
    let file = cx.state.files.update(&mut cx.tx.changes, &id, |file| {
        if let Some(title) = args.title {
            file.title = title;
        }
        if let Some(filetype) = args.filetype {
            file.filetype = filetype;
        }
        if let Some(remote) = &mut file.remote {
            if let Some(url) = args.external_url {
                remote.url = url;
            }
            remote.preview |= picture.is_some() || args.preview_image.is_some();
            if let Some(indexed) = indexed {
                remote.indexed = indexed;
            }
        }
        if let Some(picture) = picture {
            (file.content, file.picture) = (picture, args.seen.map(Arc::new));
        }
    });
    let file = file.ok_or(Code::FileNotFound)?;
    Ok(Typed::ok(&Told { file: shapes::file(cx.state, &file) }))
}

/// `files.remote.remove`
fn remove(cx: &mut Write<'_, '_, Slack>, args: Named) -> Result<Typed<Done>, Error> {
    let token = cx.caller.token()?;
    bots_only(token)?;
    let id = find(cx.state, token, &args)?.id.clone();
    files::delete(cx.state, cx.tx, &id);
    Ok(Typed::ok(&Done {}))
}

/// `files.remote.info`
fn info(cx: &Read<'_, Slack>, args: Named) -> Result<Typed<Told>, Error> {
    let file = find(cx.state, cx.caller.token()?, &args)?;
    Ok(Typed::ok(&Told { file: shapes::file(cx.state, &file) }))
}

/// Arguments of `files.remote.list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct List {
    channel: Option<String>,
    ts_from: Option<String>,
    ts_to: Option<String>,
    #[serde(default)]
    limit: Limit,
    cursor: Option<String>,
}

/// `files.remote.list`, newest first.
fn list(cx: &Read<'_, Slack>, args: List) -> Result<Typed<Value>, Error> {
    let (state, token) = (cx.state, cx.caller.token()?);
    let size = args.limit.size(100, 1000)?;
    let channel = args.channel.as_deref().filter(|id| !id.is_empty());
    if channel.is_some_and(|id| state.visible(id, &token.user).is_none()) {
        return Err(Code::ChannelNotFound.into());
    }
    let bound = |text: &Option<String>| text.as_deref().and_then(parse_ts);
    let (from, to) = (bound(&args.ts_from).unwrap_or(0), bound(&args.ts_to).unwrap_or(u64::MAX));
    let end = match read_cursor(args.cursor.as_deref(), "remote")? {
        None => (to, SmolStr::new_static("\u{10ffff}")),
        Some(key) => {
            let file = state.files.get(&key).ok_or(Code::InvalidCursor)?;
            (file.created, file.id.clone())
        }
    };
    let fits = |file: &&Arc<File>| {
        file.remote.is_some() && channel.is_none_or(|id| file.shares.iter().any(|share| share.channel == id))
    };
    let times = (from, SmolStr::default())..=end;
    let mut found = state.index.files_by_time.range(times).rev().filter_map(|(_, id)| state.files.get(id)).filter(fits);
    let shown: Vec<Value> = found.by_ref().take(size).map(|file| shapes::file(state, file)).collect();
    let next = found.next().map(|file| cursor("remote", &file.id));
    Ok(Typed::ok(&json!({ "files": shown, "response_metadata": PageEnd::new(next) })))
}

/// Arguments of `files.remote.share`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Share {
    #[serde(flatten)]
    named: Named,
    channels: String,
}

/// `files.remote.share`
fn share(cx: &mut Write<'_, '_, Slack>, args: Share) -> Result<Typed<Told>, Error> {
    let token = cx.caller.token()?.clone();
    let id = find(cx.state, &token, &args.named)?.id.clone();
    let named = args.channels.split(',').map(str::trim).filter(|id| !id.is_empty());
    let channels: Vec<SmolStr> =
        named.map(|id| target(cx.state, &token, id, Code::ChannelNotFound)).collect::<Result<_, _>>()?;
    for channel in &channels {
        let shared = Shared { thread: None, words: "", blocks: &Value::Null };
        files::share(cx.state, cx.tx, channel, &token.user, std::slice::from_ref(&id), shared);
    }
    let file = cx.state.files.get(&id).map(Arc::clone).ok_or(Code::FileNotFound)?;
    Ok(Typed::ok(&Told { file: shapes::file(cx.state, &file) }))
}
