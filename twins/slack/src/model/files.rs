//! Files: uploads in three steps, shares, deletion, and files that live elsewhere.
//!
//! <https://docs.slack.dev/messaging/working-with-files>

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use dtu_kernel::{
    ids::{ALNUM, HEX, IdShape},
    seed::Site,
    tx::Tx,
};
use serde::Serialize;
use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{
    FILE, SITE, State,
    audit::{self, Entity},
    documents::Access,
    messages::{self, Draft, Extra, Message, Subtype},
    time::{micros, ts_text},
};
use crate::{
    error::Code,
    events, media,
    pictures::Picture,
    text::{self, Reading},
    thumbnails,
};

/// The largest file, in bytes: the most that one request to the twin carries.
pub(crate) const FILE_MAX: u64 = 10 << 20;
/// The largest snippet, in bytes.
pub(crate) const SNIPPET_MAX: u64 = 1 << 20;
/// How many bytes of files the workspace keeps in all.
const STORAGE_MAX: u64 = 256 << 20;
/// How long Slack works on a file before it is shared.
const WORK: Duration = Duration::from_secs(1);
/// The timer after which a file is shared.
pub(crate) const PROCESSED: &str = "file_processed";

const TICKET: IdShape =
    IdShape { site: SITE.child("upload ticket"), prefix: "CwABAAAA", alphabet: ALNUM, drawn: 48, suffix: "" };
const SECRET: Site = SITE.child("public file");

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Kept by Slack.
    Hosted,
    /// A text that Slack shows.
    Snippet,
    /// Kept by another service.
    External,
    /// A canvas.
    Canvas,
    /// A list.
    List,
    /// Deleted.
    Tombstone,
}

impl Mode {
    /// The mode as Slack writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hosted => "hosted",
            Self::Snippet => "snippet",
            Self::External => "external",
            Self::Canvas => "quip",
            Self::List => "list",
            Self::Tombstone => "tombstone",
        }
    }
}

/// One message that shows a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The channel.
    pub channel: SmolStr,
    /// The message.
    pub ts: u64,
    /// The thread that it is in.
    pub thread: Option<u64>,
}

/// A file that another service keeps.
#[derive(Clone, Debug, Serialize)]
pub struct Remote {
    /// The app's own id of it.
    pub id: SmolStr,
    /// Where it is.
    pub url: SmolStr,
    /// What search finds it by.
    #[serde(skip)]
    pub indexed: Arc<str>,
    /// Whether it has a picture.
    pub preview: bool,
}

/// A file.
#[derive(Clone, Debug, Serialize)]
pub struct File {
    /// The id.
    pub id: SmolStr,
    /// When it was made, in microseconds.
    pub created: u64,
    /// Its name.
    pub name: SmolStr,
    /// What it is called.
    pub title: SmolStr,
    /// Slack's word for the type (`png`, `text`).
    pub filetype: SmolStr,
    /// Who uploaded it.
    pub user: SmolStr,
    /// The app through which it was.
    pub app: SmolStr,
    /// In bytes.
    pub size: u64,
    /// What it is.
    pub mode: Mode,
    /// What people who cannot see it are told.
    pub alt_txt: Option<SmolStr>,
    /// Where it was shared.
    pub shares: Vec<Share>,
    /// Whether Slack has looked at it.
    pub processed: bool,
    /// What opens it to everybody.
    pub public: Option<SmolStr>,
    /// Where it is kept, of a file that another service keeps.
    pub remote: Option<Box<Remote>>,
    /// Who else may do what with a canvas or list: channels and people.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub access: BTreeMap<SmolStr, Access>,
    /// The twin's address as the uploader used it.
    pub origin: SmolStr,
    /// What is seen of it, where it is or has a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<Arc<Picture>>,
    /// Its bytes.
    #[serde(skip)]
    pub content: Bytes,
}

impl File {
    /// Whether a public channel shows it.
    pub fn is_public(&self, state: &State) -> bool {
        let is_public = |share: &Share| state.is_public(&share.channel);
        self.shares.iter().any(is_public)
    }

    /// Whether its text is shown.
    pub fn is_text(&self) -> bool {
        is_text(&self.filetype)
    }
}

fn is_text(filetype: &str) -> bool {
    media::of(filetype).mime.starts_with("text/") || filetype == "json"
}

/// An upload under way.
#[derive(Clone, Debug, Serialize)]
pub struct Upload {
    /// The file that it will be.
    pub file: SmolStr,
    /// The name.
    pub name: SmolStr,
    /// The announced size, in bytes.
    pub length: u64,
    /// The type of a snippet.
    pub snippet: Option<SmolStr>,
    /// What people who cannot see it are told.
    pub alt_txt: Option<SmolStr>,
    /// Who uploads.
    pub user: SmolStr,
    /// Through which app.
    pub app: SmolStr,
    /// What is seen of what has come, where it is a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<Arc<Picture>>,
    /// What has come.
    #[serde(skip)]
    pub content: Option<Bytes>,
}

/// Where and with what words a file is shared.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Sharing {
    pub(crate) channels: Vec<SmolStr>,
    pub(crate) thread: Option<u64>,
    pub(crate) comment: Option<String>,
    pub(crate) blocks: Option<Value>,
}

/// Begins an upload; gives back the file's id and the address's last part.
///
/// # Errors
/// Where the workspace has no room left.
pub(crate) fn begin(state: &mut State, tx: &mut Tx<'_>, upload: Upload) -> Result<(SmolStr, SmolStr), Code> {
    if state.file_bytes.saturating_add(upload.length) > STORAGE_MAX {
        return Err(Code::StorageLimitReached);
    }
    let (file, ticket) = (tx.id(&FILE), tx.id(&TICKET));
    state.index.ticket_of.insert(file.clone(), ticket.clone());
    state.uploads.put(&mut tx.changes, ticket.clone(), Upload { file: file.clone(), ..upload });
    Ok((file, ticket))
}

/// Takes in an upload's bytes; gives back how many. None where no upload has the ticket or there is no room.
pub(crate) fn receive(
    state: &mut State,
    tx: &mut Tx<'_>,
    ticket: &SmolStr,
    content: Bytes,
    picture: Option<Picture>,
) -> Option<u64> {
    let (before, size) = (state.uploads.get(ticket)?.content.as_ref().map_or(0, Bytes::len), content.len() as u64);
    let kept = state.file_bytes.saturating_sub(before as u64);
    if kept.saturating_add(size) > STORAGE_MAX {
        return None;
    }
    state.file_bytes = kept + size;
    // A copy: the request's buffer holds more than the file.
    let content = Bytes::copy_from_slice(&content);
    let picture = picture.map(Arc::new);
    state.uploads.update(&mut tx.changes, ticket, |upload| (upload.content, upload.picture) = (Some(content), picture));
    Some(size)
}

/// Makes uploads into files, and shares them a little later.
///
/// # Errors
/// Where one is no upload of the user's that has come.
pub(crate) fn complete(
    state: &mut State,
    tx: &mut Tx<'_>,
    user: &SmolStr,
    wanted: &[(SmolStr, Option<SmolStr>)],
    sharing: &Sharing,
) -> Result<Vec<Arc<File>>, Code> {
    let mut files = Vec::new();
    for (id, title) in wanted {
        let ticket = state.index.ticket_of.get(id).cloned().ok_or(Code::FileNotFound)?;
        let upload = state.uploads.get(&ticket).filter(|upload| upload.user == *user).map(Arc::clone);
        let upload = upload.filter(|upload| upload.content.is_some()).ok_or(Code::FileNotFound)?;
        state.uploads.remove(&mut tx.changes, &ticket);
        state.index.ticket_of.remove(id);
        let file = of_upload(tx, &upload, title.clone());
        files.push(put(state, tx, file));
    }
    for file in &files {
        created(state, tx, file);
        audit::log(state, tx, user, "file_uploaded", &Entity::file(&file.id));
    }
    let ids: Vec<&SmolStr> = files.iter().map(|file| &file.id).collect();
    tx.timer(tx.now.after(WORK), PROCESSED, json!({ "files": ids, "sharing": sharing, "user": user }));
    Ok(files)
}

fn of_upload(tx: &Tx<'_>, upload: &Upload, title: Option<SmolStr>) -> File {
    let content = upload.content.clone().unwrap_or_default();
    let by_look = || SmolStr::new_static(media::of_file(&upload.name, &content).filetype);
    let filetype = upload.snippet.clone().unwrap_or_else(by_look);
    // Texts that are not too long are shown and can be edited, whether they were meant as snippets or not.
    let is_short_text = is_text(&filetype) && content.len() as u64 <= SNIPPET_MAX && str::from_utf8(&content).is_ok();
    let mode = if upload.snippet.is_some() || is_short_text { Mode::Snippet } else { Mode::Hosted };
    File {
        id: upload.file.clone(),
        created: micros(tx.now),
        name: upload.name.clone(),
        title: title.unwrap_or_else(|| upload.name.clone()),
        filetype,
        user: upload.user.clone(),
        app: upload.app.clone(),
        size: content.len() as u64,
        mode,
        alt_txt: upload.alt_txt.clone(),
        shares: Vec::new(),
        processed: false,
        public: None,
        remote: None,
        access: BTreeMap::new(),
        origin: tx.origin.clone(),
        picture: upload.picture.clone(),
        content,
    }
}

fn put(state: &mut State, tx: &mut Tx<'_>, file: File) -> Arc<File> {
    state.index.files_by_time.insert((file.created, file.id.clone()));
    if let Some(remote) = &file.remote {
        state.index.file_by_external_id.insert((file.app.clone(), remote.id.clone()), file.id.clone());
    }
    state.files.put(&mut tx.changes, file.id.clone(), file)
}

/// Slack has looked at files: they have their types, and are shared where they were to be.
pub(crate) fn processed(state: &mut State, tx: &mut Tx<'_>, data: &Value) {
    let text = |value: &Value| SmolStr::new(value.as_str().unwrap_or_default());
    let user = text(&data["user"]);
    let is_there = |id: &SmolStr| state.files.get(id).is_some_and(|file| file.mode != Mode::Tombstone);
    let ids: Vec<SmolStr> = data["files"].as_array().into_iter().flatten().map(text).filter(is_there).collect();
    for id in &ids {
        state.files.update(&mut tx.changes, id, |file| file.processed = true);
    }
    let sharing = &data["sharing"];
    let channels: Vec<SmolStr> = sharing["channels"].as_array().into_iter().flatten().map(text).collect();
    for channel in channels {
        // Who was put out of the channel meanwhile shares nothing: Slack drops it without a word.
        if state.is_member(&channel, &user) {
            let words = sharing["comment"].as_str().unwrap_or_default();
            let draft = Shared { thread: sharing["thread"].as_u64(), words, blocks: &sharing["blocks"] };
            share(state, tx, &channel, &user, &ids, draft);
        }
    }
}

/// The message around shared files.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a> {
    pub(crate) thread: Option<u64>,
    pub(crate) words: &'a str,
    pub(crate) blocks: &'a Value,
}

/// Shows files in a channel, in one message.
pub(crate) fn share(
    state: &mut State,
    tx: &mut Tx<'_>,
    channel: &SmolStr,
    user: &SmolStr,
    ids: &[SmolStr],
    shared: Shared<'_>,
) -> Option<u64> {
    let first = state.files.get(ids.first()?).map(Arc::clone)?;
    let stored = text::store(state, shared.words, Reading { link_names: false, typed: false });
    let blocks = shared.blocks.is_array().then(|| Arc::new(shared.blocks.clone()));
    let extra = Extra { subtype: Some(Subtype::FileShare), files: Some(ids.into()), blocks, ..Extra::default() };
    let app = Some(first.app.clone()).filter(|_| state.app_of_bot(user).is_some());
    let draft = Draft { app, reply_to: shared.thread, extra, ..Draft::new(user, stored) };
    let was_public: Vec<bool> = ids.iter().map(|id| state.files.get(id).is_some_and(|f| f.is_public(state))).collect();
    // The message names the share: it is known before the message is, so that what is announced is whole.
    let ts = messages::next_ts(state, tx, channel);
    for id in ids {
        let share = Share { channel: channel.clone(), ts, thread: shared.thread };
        state.files.update(&mut tx.changes, id, |file| file.shares.push(share));
    }
    let message = messages::put_at(state, tx, channel, draft, ts);
    events::message_posted(state, tx, channel, &message);
    for (id, was_public) in ids.iter().zip(was_public) {
        announce(state, tx, "file_shared", id, user, Some(channel));
        if !was_public && state.is_public(channel) {
            announce(state, tx, "file_public", id, user, Some(channel));
        }
    }
    Some(ts)
}

fn announce(state: &State, tx: &mut Tx<'_>, name: &str, file: &SmolStr, user: &SmolStr, channel: Option<&SmolStr>) {
    let mut event = json!({ "type": name, "file_id": file, "user_id": user, "file": { "id": file } });
    if let Some(channel) = channel.filter(|_| matches!(name, "file_shared" | "file_unshared")) {
        event["channel_id"] = json!(channel);
    }
    event["event_ts"] = json!(ts_text(micros(tx.now)));
    events::about_file(state, tx, file, channel, &event);
}

/// A message shows other files than before.
pub(crate) fn reshare(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, message: &Message, files: &[SmolStr]) {
    let before = message.extra.as_ref().and_then(|extra| extra.files.clone()).unwrap_or_default();
    for id in before.iter().filter(|id| !files.contains(id)) {
        state.files.update(&mut tx.changes, id, |file| {
            file.shares.retain(|share| share.channel != *channel || share.ts != message.ts);
        });
        announce(state, tx, "file_unshared", id, &message.user, Some(channel));
    }
    for id in files.iter().filter(|id| !before.contains(id)) {
        let share = Share { channel: channel.clone(), ts: message.ts, thread: message.reply_to };
        state.files.update(&mut tx.changes, id, |file| file.shares.push(share));
        announce(state, tx, "file_shared", id, &message.user, Some(channel));
    }
}

/// A message that showed files is deleted: they are no longer shared by it.
pub(crate) fn unshare(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, message: &Message) {
    let Some(ids) = message.extra.as_ref().and_then(|extra| extra.files.clone()) else { return };
    for id in ids.iter() {
        announce(state, tx, "file_unshared", id, &message.user, Some(channel));
        state.files.update(&mut tx.changes, id, |file| {
            file.shares.retain(|share| share.channel != *channel || share.ts != message.ts);
        });
    }
}

/// Deletes a file: messages show that it is gone.
pub(crate) fn delete(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr) {
    let Some(file) = state.files.get(id).map(Arc::clone) else { return };
    let channels: Vec<&SmolStr> = file.shares.iter().map(|share| &share.channel).collect();
    let event = json!({
        "type": "file_deleted",
        "file_id": id,
        "channel_ids": channels,
        "event_ts": ts_text(micros(tx.now)),
    });
    events::about_file(state, tx, id, None, &event);
    audit::log(state, tx, &file.user, "file_deleted", &Entity::file(id));
    state.file_bytes = state.file_bytes.saturating_sub(file.content.len() as u64);
    state.index.files_by_time.remove(&(file.created, id.clone()));
    if let Some(remote) = &file.remote {
        state.index.file_by_external_id.remove(&(file.app.clone(), remote.id.clone()));
    }
    state.files.update(&mut tx.changes, id, |file| {
        file.mode = Mode::Tombstone;
        (file.content, file.picture) = (Bytes::new(), None);
        file.shares.clear();
        file.public = None;
    });
}

/// Opens a file to everybody who has its address, or closes it again.
pub(crate) fn set_public(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr, open: bool) -> Option<Arc<File>> {
    let secret = open.then(|| SmolStr::new(tx.draw(SECRET).text(HEX, 10)));
    let file = state.files.update(&mut tx.changes, id, |file| file.public = secret)?;
    let action = if open { "file_public_link_created" } else { "file_public_link_revoked" };
    audit::log(state, tx, &file.user, action, &Entity::file(id));
    Some(file)
}

/// Makes a file known that another service keeps.
pub(crate) fn add_remote(
    state: &mut State,
    tx: &mut Tx<'_>,
    [app, user]: [&SmolStr; 2],
    title: SmolStr,
    filetype: Option<SmolStr>,
    remote: Remote,
) -> Arc<File> {
    let file = File {
        id: tx.id(&FILE),
        created: micros(tx.now),
        name: title.clone(),
        title,
        filetype: filetype.unwrap_or_else(|| SmolStr::new_static("remote")),
        user: user.clone(),
        app: app.clone(),
        size: 0,
        mode: Mode::External,
        alt_txt: None,
        shares: Vec::new(),
        processed: true,
        public: None,
        remote: Some(Box::new(remote)),
        access: BTreeMap::new(),
        origin: tx.origin.clone(),
        picture: None,
        content: Bytes::new(),
    };
    let file = put(state, tx, file);
    created(state, tx, &file);
    file
}

/// Makes a canvas or list known.
pub(crate) fn add_document(state: &mut State, tx: &mut Tx<'_>, file: File) -> Arc<File> {
    let file = put(state, tx, file);
    created(state, tx, &file);
    file
}

/// A file that a person makes in Slack's own windows: no steps, no waiting.
pub(crate) fn upload(
    state: &mut State,
    tx: &mut Tx<'_>,
    user: &SmolStr,
    name: &str,
    content: Bytes,
) -> Result<SmolStr, Code> {
    let length = content.len() as u64;
    let upload = Upload {
        file: SmolStr::default(),
        name: name.into(),
        length,
        snippet: None,
        alt_txt: None,
        user: user.clone(),
        app: SmolStr::default(),
        picture: None,
        content: None,
    };
    let (id, ticket) = begin(state, tx, upload)?;
    let picture = thumbnails::look(&content);
    receive(state, tx, &ticket, content, picture).ok_or(Code::StorageLimitReached)?;
    complete(state, tx, user, &[(id.clone(), None)], &Sharing::default())?;
    Ok(id)
}

fn created(state: &State, tx: &mut Tx<'_>, file: &File) {
    announce(state, tx, "file_created", &file.id, &file.user, None);
}

impl State {
    /// Whether everybody in the workspace may read a channel.
    pub fn is_public(&self, channel: &SmolStr) -> bool {
        self.channels.get(channel).is_some_and(|channel| channel.kind == super::channels::Kind::Public)
    }

    /// A file that a user may see: an own one, or one of a channel that the user sees.
    pub fn visible_file(&self, id: &str, user: &SmolStr) -> Option<&Arc<File>> {
        let file = self.files.get(&id.into())?;
        let sees = |share: &Share| self.visible(&share.channel, user).is_some();
        let is_document = matches!(file.mode, Mode::Canvas | Mode::List);
        let may_read = || is_document && self.document_access(file, user).is_some();
        let is_there = file.user == *user || file.shares.iter().any(sees) || file.mode == Mode::Tombstone;
        (is_there || may_read()).then_some(file)
    }

    /// The file that an app knows by an id of its own.
    pub fn remote_file(&self, app: &SmolStr, external_id: &str) -> Option<&Arc<File>> {
        self.files.get(self.index.file_by_external_id.get(&(app.clone(), external_id.into()))?)
    }
}

/// The address at which an upload's bytes are taken.
pub(crate) fn upload_url(origin: &str, ticket: &SmolStr) -> SmolStr {
    format_smolstr!("{origin}/upload/v1/{ticket}")
}
