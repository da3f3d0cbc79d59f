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
    events, media, pictures,
    text::{self, Reading},
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
pub(crate) fn receive(state: &mut State, tx: &mut Tx<'_>, ticket: &SmolStr, content: Bytes) -> Option<u64> {
    let (before, size) = (state.uploads.get(ticket)?.content.as_ref().map_or(0, Bytes::len), content.len() as u64);
    let kept = state.file_bytes.saturating_sub(before as u64);
    if kept.saturating_add(size) > STORAGE_MAX {
        return None;
    }
    state.file_bytes = kept + size;
    // A copy: the request's buffer holds more than the file.
    let content = Bytes::copy_from_slice(&content);
    state.uploads.update(&mut tx.changes, ticket, |upload| upload.content = Some(content));
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
    let by_name = || SmolStr::new_static(media::of_name(&upload.name).filetype);
    let filetype = upload.snippet.clone().unwrap_or_else(by_name);
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
        file.content = Bytes::new();
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
        content: None,
    };
    let (id, ticket) = begin(state, tx, upload)?;
    receive(state, tx, &ticket, content).ok_or(Code::StorageLimitReached)?;
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

/// A file as Slack tells it.
pub(crate) fn render(state: &State, file: &File) -> Value {
    if file.mode == Mode::Tombstone {
        return json!({ "id": file.id, "mode": "tombstone" });
    }
    let known = file.processed;
    let kind = media::of(&file.filetype);
    let when = file.created / 1_000_000;
    let is_external = file.remote.is_some();
    let team = &state.workspace.id;
    let name: String = file
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '_' })
        .collect();
    let private = format!("{}/files-pri/{team}-{}", file.origin, file.id);
    let url = file.remote.as_ref().map(|remote| remote.url.to_string());
    let is_text = file.is_text() && !is_external;
    let mut told = json!({
        "id": file.id,
        "created": when,
        "timestamp": when,
        "name": file.name,
        "title": file.title,
        "mimetype": if known { kind.mime } else { "" },
        "filetype": if known { file.filetype.as_str() } else { "" },
        "pretty_type": if known { kind.pretty } else { "" },
        "user": file.user,
        "user_team": team,
        "editable": matches!(file.mode, Mode::Snippet | Mode::Canvas | Mode::List),
        "size": file.size,
        "mode": file.mode.as_str(),
        "is_external": is_external,
        "external_type": if is_external { "app" } else { "" },
        "is_public": file.is_public(state),
        "public_url_shared": file.public.is_some(),
        "display_as_bot": false,
        "username": "",
        "url_private": url.clone().unwrap_or_else(|| format!("{private}/{name}")),
        "permalink": format!("{}files/{}/{}/{name}", state.url(), file.user, file.id),
        "comments_count": 0,
        "is_starred": false,
        "shares": shares(state, file),
        "channels": ids_of(state, file, Kinds::Public),
        "groups": ids_of(state, file, Kinds::Private),
        "ims": ids_of(state, file, Kinds::Direct),
        "has_more_shares": false,
        "has_rich_preview": false,
        "file_access": "visible",
        "media_display_type": "unknown",
    });
    if let Some(remote) = &file.remote {
        told["external_id"] = json!(remote.id);
        told["external_url"] = json!(remote.url);
        told["app_id"] = json!(file.app);
        told["app_name"] = json!(state.apps.get(&file.app).map(|app| app.name.clone()));
        told["has_rich_preview"] = json!(remote.preview);
        add_picture(&mut told, file, (team, &name));
        return told;
    }
    told["url_private_download"] = json!(format!("{private}/download/{name}"));
    let secret = file.public.as_deref().map_or_else(|| text::derived_id(&[&file.id], 10), SmolStr::new);
    told["permalink_public"] = json!(format!("{}/files-public/{team}-{}-{secret}", file.origin, file.id));
    if let Some(alt) = &file.alt_txt {
        told["alt_txt"] = json!(alt);
    }
    if is_text && known {
        add_preview(&mut told, file);
    }
    if known && kind.mime.starts_with("image/") {
        add_picture(&mut told, file, (team, &name));
    }
    told
}

/// Adds what is told of a picture, where a file is or has one.
fn add_picture(told: &mut Value, file: &File, (team, name): (&SmolStr, &str)) {
    if let Some(size) = pictures::size(&file.content) {
        let under = thumb_name(name);
        let under = format!("{}/files-tmb/{team}-{}-{}/{under}", file.origin, file.id, thumb_secret(&file.id));
        pictures::add(told, size, &under, pictures::ending(&file.content));
    }
}

/// What the addresses of thumbnails begin with: the file's name without its ending.
fn thumb_name(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(name, _)| name)
}

/// What tells the addresses of a file's thumbnails from guesses.
pub(crate) fn thumb_secret(id: &str) -> String {
    format!("{:010x}", text::hash(&[id, "thumbnail"]) & 0xff_ffff_ffff)
}

/// The first lines of a text.
fn add_preview(told: &mut Value, file: &File) {
    const LINES: usize = 5;
    let text = String::from_utf8_lossy(&file.content);
    let lines = text.lines().count();
    let preview: Vec<&str> = text.lines().take(LINES).collect();
    told["preview"] = json!(preview.join("\n"));
    told["preview_highlight"] = json!(highlight(&preview));
    told["lines"] = json!(lines);
    told["lines_more"] = json!(lines.saturating_sub(LINES));
    told["preview_is_truncated"] = json!(lines > LINES);
    told["edit_link"] = json!(format!("{}/edit", told["permalink"].as_str().unwrap_or_default()));
}

/// Lines of a text as Slack's pages draw them: <https://docs.slack.dev/messaging/working-with-files>.
pub(crate) fn highlight(lines: &[&str]) -> String {
    let escaped = |line: &str| line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut drawn = String::new();
    for line in lines {
        drawn.extend(["<div><pre>", &escaped(line), "</pre></div>\n"]);
    }
    let outer = "<div class=\"CodeMirror cm-s-default CodeMirrorServer\">\n<div class=\"CodeMirror-code\">\n";
    format!("{outer}{drawn}</div>\n</div>\n")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kinds {
    Public,
    Private,
    Direct,
}

fn ids_of(state: &State, file: &File, wanted: Kinds) -> Vec<SmolStr> {
    use super::channels::Kind;
    let fits = |share: &&Share| {
        let kind = state.channels.get(&share.channel).map(|channel| channel.kind);
        let found = match kind {
            Some(Kind::Public) => Kinds::Public,
            Some(Kind::Im) => Kinds::Direct,
            _ => Kinds::Private,
        };
        found == wanted
    };
    let mut ids: Vec<SmolStr> = file.shares.iter().filter(fits).map(|share| share.channel.clone()).collect();
    ids.dedup();
    ids
}

fn shares(state: &State, file: &File) -> Value {
    let mut told = json!({});
    for share in &file.shares {
        let (Some(channel), message) = (state.channels.get(&share.channel), state.message(&share.channel, share.ts))
        else {
            continue;
        };
        let family = if state.is_public(&share.channel) { "public" } else { "private" };
        let thread = message.and_then(|message| message.thread.as_deref());
        let mut row = json!({
            "reply_users": thread.map(|thread| thread.users.clone()).unwrap_or_default(),
            "reply_users_count": thread.map_or(0, |thread| thread.users.len()),
            "reply_count": thread.map_or(0, |thread| thread.count),
            "ts": ts_text(share.ts),
            "channel_name": channel.name,
            "team_id": state.workspace.id,
            "share_user_id": file.user,
            "source": "UNKNOWN",
            "is_silent_share": false,
        });
        if let Some(thread) = share.thread {
            row["thread_ts"] = json!(ts_text(thread));
        }
        match told[family][share.channel.as_str()].as_array_mut() {
            Some(rows) => rows.push(row),
            None => told[family][share.channel.as_str()] = json!([row]),
        }
    }
    told
}

/// The address at which an upload's bytes are taken.
pub(crate) fn upload_url(origin: &str, ticket: &SmolStr) -> SmolStr {
    format_smolstr!("{origin}/upload/v1/{ticket}")
}
