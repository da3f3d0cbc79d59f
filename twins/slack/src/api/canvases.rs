//! `canvases.*` and `conversations.canvases.create`.

use dtu_kernel::{
    operation::Typed,
    twin::{Read, Write},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::marks::{channel_of, done};
use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    limits::{TIER_2, TIER_3},
    model::{
        State,
        canvases::{self, Change, SectionKind},
        documents::{self, Access, Whom},
        files,
    },
};

const WRITE: &[&str] = &["canvases:write"];
const READ: &[&str] = &["canvases:read"];
const ACCESS: &[&str] =
    &["canvas_not_found", "channel_not_found", "invalid_parameters", "restricted_action", "user_not_found"];

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    vec![
        Row::write("canvases.create", ANY, "/api/canvases.create", create).limit(TIER_2).scopes(WRITE).errors(&[
            "canvas_creation_failed",
            "channel_not_found",
            "is_archived",
            "not_in_channel",
        ]),
        Row::write("conversations.canvases.create", ANY, "/api/conversations.canvases.create", create_for_channel)
            .limit(TIER_2)
            .scopes(WRITE)
            .errors(&[
                "canvas_creation_failed",
                "channel_canvas_already_exists",
                "channel_not_found",
                "is_archived",
                "not_in_channel",
            ]),
        Row::write("canvases.edit", ANY, "/api/canvases.edit", edit).limit(TIER_3).scopes(WRITE).errors(&[
            "canvas_editing_failed",
            "canvas_not_found",
            "restricted_action",
        ]),
        Row::write("canvases.delete", ANY, "/api/canvases.delete", delete)
            .limit(TIER_3)
            .scopes(WRITE)
            .errors(&["canvas_not_found", "restricted_action"]),
        Row::write("canvases.access.set", ANY, "/api/canvases.access.set", set_access)
            .limit(TIER_3)
            .scopes(WRITE)
            .errors(ACCESS),
        Row::write("canvases.access.delete", ANY, "/api/canvases.access.delete", delete_access)
            .limit(TIER_3)
            .scopes(WRITE)
            .errors(ACCESS),
        Row::read("canvases.sections.lookup", ANY, "/api/canvases.sections.lookup", look_up)
            .limit(TIER_3)
            .scopes(READ)
            .errors(&["canvas_deleted", "canvas_not_found"]),
        Row::read("canvases.getContent", ANY, "/api/canvases.getContent", get_content)
            .limit(TIER_3)
            .scopes(READ)
            .errors(&["canvas_not_found"]),
    ]
}

/// An object that may come as text.
pub(super) fn object(given: Option<Value>, name: &str) -> Result<Option<Value>, Error> {
    let wrong = || Error::Arguments(vec![format!("must be a valid object [json-pointer:/{name}]")]);
    match given {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => serde_json::from_str(&text).map(Some).map_err(|_| wrong()),
        Some(other) => Ok(Some(other)),
    }
}

/// What Markdown an object of type `markdown` holds.
fn markdown(given: &Value, at: &str) -> Result<String, Error> {
    let text = given["markdown"].as_str().filter(|_| given["type"] == "markdown");
    text.map(str::to_owned)
        .ok_or_else(|| Error::Arguments(vec![format!("must be of type markdown [json-pointer:{at}]")]))
}

/// Arguments of `canvases.create` and `conversations.canvases.create`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Create {
    title: Option<String>,
    document_content: Option<Value>,
    channel_id: Option<SmolStr>,
}

/// `canvases.create`
fn create(cx: &mut Write<'_, '_, Slack>, args: Create) -> Result<Typed<Value>, Error> {
    make(cx, args, false)
}

/// `conversations.canvases.create`: one for each channel.
fn create_for_channel(cx: &mut Write<'_, '_, Slack>, args: Create) -> Result<Typed<Value>, Error> {
    if args.channel_id.is_none() {
        return Err(Error::Arguments(vec!["missing required field: channel_id".to_owned()]));
    }
    make(cx, args, true)
}

fn make(cx: &mut Write<'_, '_, Slack>, args: Create, own: bool) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let named = args.channel_id.filter(|id| !id.is_empty());
    let channel = named.map(|id| channel_of(cx.state, token, &id, true)).transpose()?;
    if own && channel.as_ref().is_some_and(|channel| cx.state.content.canvas_of.contains_key(&channel.id)) {
        return Err(Code::ChannelCanvasAlreadyExists.into());
    }
    let content = object(args.document_content, "document_content")?;
    let content = content.map(|content| markdown(&content, "/document_content")).transpose()?.unwrap_or_default();
    let tab = channel.as_deref().map(|channel| (channel, own));
    let made = canvases::create(cx.state, cx.tx, token, (args.title.as_deref(), &content), tab);
    let id = made.map_err(|detail| Error::Detailed(Code::CanvasCreationFailed, detail))?;
    Ok(Typed::ok(&json!({ "canvas_id": id })))
}

/// Arguments of `canvases.edit`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Edit {
    canvas_id: SmolStr,
    changes: Vec<Value>,
}

/// `canvases.edit`: one change at a time.
fn edit(cx: &mut Write<'_, '_, Slack>, args: Edit) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let [change] = args.changes.as_slice() else {
        return Err(Error::Arguments(vec!["must have exactly 1 item [json-pointer:/changes]".to_owned()]));
    };
    let change = read_change(change)?;
    let (id, _) = canvases::find(cx.state, &args.canvas_id, &token.user, Access::Write)?;
    let edited = canvases::edit(cx.state, cx.tx, &id, change);
    edited.map_err(|detail| Error::Detailed(Code::CanvasEditingFailed, detail))?;
    Ok(done())
}

fn read_change(change: &Value) -> Result<Change, Error> {
    let lacks =
        |name: &str| Error::Arguments(vec![format!("missing required field: {name} [json-pointer:/changes/0]")]);
    let section = change["section_id"].as_str().filter(|id| !id.is_empty()).map(SmolStr::new);
    let needed = || section.clone().ok_or_else(|| lacks("section_id"));
    let text = || match &change["document_content"] {
        Value::Null => Err(lacks("document_content")),
        given => markdown(given, "/changes/0/document_content"),
    };
    Ok(match change["operation"].as_str() {
        Some("insert_at_start") => Change::AtStart(text()?),
        Some("insert_at_end") => Change::AtEnd(text()?),
        Some("insert_before") => Change::Before(needed()?, text()?),
        Some("insert_after") => Change::After(needed()?, text()?),
        Some("replace") => Change::Replace(section, text()?),
        Some("delete") => Change::Delete(needed()?),
        Some("rename") => match &change["title_content"] {
            Value::Null => return Err(lacks("title_content")),
            given => Change::Rename(markdown(given, "/changes/0/title_content")?.into()),
        },
        None => return Err(lacks("operation")),
        Some(_) => {
            let words = "must be a valid enum value [json-pointer:/changes/0/operation]";
            return Err(Error::Arguments(vec![words.to_owned()]));
        }
    })
}

/// A canvas.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct OneCanvas {
    canvas_id: SmolStr,
}

/// `canvases.delete`: by its owner.
fn delete(cx: &mut Write<'_, '_, Slack>, args: OneCanvas) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let (id, _) = canvases::find(cx.state, &args.canvas_id, &token.user, Access::Owner)?;
    canvases::forget(cx.state, cx.tx, &id);
    files::delete(cx.state, cx.tx, &id);
    Ok(done())
}

/// Whom access is about.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(crate) struct Entities {
    #[serde(default)]
    pub(crate) channel_ids: Vec<SmolStr>,
    #[serde(default)]
    pub(crate) user_ids: Vec<SmolStr>,
}

impl Entities {
    /// Channels or people, not both.
    pub(crate) fn whom(self) -> Result<Whom, Code> {
        match (self.channel_ids.is_empty(), self.user_ids.is_empty()) {
            (false, true) => Ok(Whom::Channels(self.channel_ids)),
            (true, false) => Ok(Whom::Users(self.user_ids)),
            _ => Err(Code::InvalidParameters),
        }
    }
}

/// Arguments of `canvases.access.set`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct SetAccess {
    canvas_id: SmolStr,
    access_level: Access,
    #[serde(default)]
    channel_ids: Vec<SmolStr>,
    #[serde(default)]
    user_ids: Vec<SmolStr>,
}

/// The canvas, where it has people of its own: who may see a channel's follows from the channel.
fn with_own_people(state: &State, id: &str, user: &SmolStr) -> Result<SmolStr, Code> {
    let (id, canvas) = canvases::find(state, id, user, Access::Write)?;
    if canvas.is_channels { Err(Code::CanvasNotFound) } else { Ok(id) }
}

/// `canvases.access.set`: only an owner makes another the owner.
fn set_access(cx: &mut Write<'_, '_, Slack>, args: SetAccess) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let whom = Entities { channel_ids: args.channel_ids, user_ids: args.user_ids }.whom()?;
    let id = with_own_people(cx.state, &args.canvas_id, &token.user)?;
    if args.access_level == Access::Owner {
        canvases::find(cx.state, &id, &token.user, Access::Owner)?;
        if !matches!(&whom, Whom::Users(users) if users.len() == 1) {
            return Err(Code::InvalidParameters.into());
        }
    }
    documents::set_access(cx.state, cx.tx, (&id, &token.user), &whom, Some(args.access_level))?;
    Ok(done())
}

/// Arguments of `canvases.access.delete`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct DeleteAccess {
    canvas_id: SmolStr,
    #[serde(default)]
    channel_ids: Vec<SmolStr>,
    #[serde(default)]
    user_ids: Vec<SmolStr>,
}

/// `canvases.access.delete`
fn delete_access(cx: &mut Write<'_, '_, Slack>, args: DeleteAccess) -> Result<Typed<Value>, Error> {
    let token = cx.caller.token()?;
    let whom = Entities { channel_ids: args.channel_ids, user_ids: args.user_ids }.whom()?;
    let id = with_own_people(cx.state, &args.canvas_id, &token.user)?;
    documents::set_access(cx.state, cx.tx, (&id, &token.user), &whom, None)?;
    Ok(done())
}

/// Arguments of `canvases.sections.lookup`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct LookUp {
    canvas_id: SmolStr,
    criteria: Value,
}

/// `canvases.sections.lookup`
fn look_up(cx: &Read<'_, Slack>, args: LookUp) -> Result<Typed<Value>, Error> {
    let wrong = |what: &str| Error::Arguments(vec![format!("{what} [json-pointer:/criteria]")]);
    let criteria = object(Some(args.criteria), "criteria")?.unwrap_or_default();
    let (mut kinds, mut any) = (Vec::new(), false);
    for kind in criteria["section_types"].as_array().into_iter().flatten() {
        match kind.as_str() {
            Some("h1") => kinds.push(SectionKind::Heading(1)),
            Some("h2") => kinds.push(SectionKind::Heading(2)),
            Some("h3") => kinds.push(SectionKind::Heading(3)),
            Some("any_header") => any = true,
            _ => return Err(wrong("must be a valid enum value")),
        }
    }
    if any {
        kinds = (1..=3).map(SectionKind::Heading).collect();
    }
    let text = criteria["contains_text"].as_str().filter(|text| !text.is_empty());
    if kinds.is_empty() && text.is_none() {
        return Err(wrong("must have section_types or contains_text"));
    }
    let user = &cx.caller.token()?.user;
    if cx
        .state
        .files
        .get(&args.canvas_id)
        .is_some_and(|file| file.mode == files::Mode::Tombstone && file.filetype == "quip")
    {
        return Err(Code::CanvasDeleted.into());
    }
    let (_, canvas) = canvases::find(cx.state, &args.canvas_id, user, Access::Read)?;
    let found: Vec<Value> = canvases::look_up(&canvas, &kinds, text).map(|id| json!({ "id": id })).collect();
    Ok(Typed::ok(&json!({ "sections": found })))
}

/// What a canvas is told in.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ContentType {
    /// As it was written.
    #[default]
    Markdown,
    /// As its file is downloaded.
    Html,
}

impl ContentType {
    pub(crate) fn of(self, canvas: &canvases::Canvas) -> String {
        match self {
            Self::Markdown => canvases::markdown(canvas),
            Self::Html => canvases::html(canvas),
        }
    }
}

/// Arguments of `canvases.getContent`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct GetContent {
    canvas_id: SmolStr,
    #[serde(default)]
    content_type: ContentType,
}

/// `canvases.getContent`: all of it at once.
fn get_content(cx: &Read<'_, Slack>, args: GetContent) -> Result<Typed<Value>, Error> {
    let user = &cx.caller.token()?.user;
    let (_, canvas) = canvases::find(cx.state, &args.canvas_id, user, Access::Read)?;
    Ok(Typed::ok(&json!({ "content": args.content_type.of(&canvas) })))
}
