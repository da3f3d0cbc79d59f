//! The addresses of files: where uploads go, and where downloads come from (`files.slack.com` at Slack).

use bytes::Bytes;
use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Write},
    wire::{Answer, Request},
};
use http::{Method, StatusCode, header};
use schemars::JsonSchema;
use serde::Deserialize;
use smol_str::SmolStr;

use crate::{
    Slack,
    error::Error,
    input,
    limits::SPECIAL,
    media,
    model::{
        State,
        audit::{self, Entity},
        files::{self, File, Mode},
    },
    pictures::{Picture, Thumb},
    shapes, thumbnails,
};

const POST: &[Method] = &[Method::POST];
const GET: &[Method] = &[Method::GET];

/// The rows.
pub(crate) fn operations() -> Vec<Operation<Slack>> {
    vec![
        Operation::write("files.receive", POST, "/upload/v1/{ticket}", receive).limit(SPECIAL),
        Operation::read("files.read", GET, "/files-pri/{file}/{name}", read).limit(SPECIAL),
        Operation::write("files.download", GET, "/files-pri/{file}/download/{name}", download).limit(SPECIAL),
        Operation::read("files.thumb", GET, "/files-tmb/{file}/{name}", thumb).limit(SPECIAL),
        Operation::read("files.public", GET, "/files-public/{file}", public).limit(SPECIAL),
        Operation::read("pages.signIn", GET, "/", sign_in).limit(SPECIAL),
    ]
}

/// Arguments that are read elsewhere: a body that is no form, or the address.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Nothing {}

/// What is seen of an upload that is a picture: read before the call has its turn.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Sent {
    #[serde(rename = "~picture")]
    #[schemars(skip)]
    seen: Option<Picture>,
}

/// `POST /upload/v1/{ticket}`: the bytes themselves, or the first file of a form.
#[expect(clippy::unnecessary_wraps, reason = "rows take handlers that may fail")]
fn receive(cx: &mut Write<'_, '_, Slack>, Sent { seen }: Sent) -> Result<Typed<()>, Error> {
    let ticket = SmolStr::new(cx.scene.request.path_param("ticket"));
    let content = input::uploaded(cx.scene.request);
    let answer = match files::receive(cx.state, cx.tx, &ticket, content, seen) {
        Some(size) => Answer::text("text/plain", format!("OK - {size}")),
        None => Answer::text("text/plain", "Not Found").with_status(StatusCode::NOT_FOUND),
    };
    Ok(Typed::from_answer(answer))
}

/// `GET /files-pri/{team}-{file}/{name}`: with a token that may read the file, or the secret of a public one.
#[expect(clippy::unnecessary_wraps, reason = "rows take handlers that may fail")]
fn read(cx: &Read<'_, Slack>, Nothing {}: Nothing) -> Result<Typed<()>, Error> {
    Ok(Typed::from_answer(content(cx.state, cx.scene.request)))
}

/// `GET /files-pri/{team}-{file}/download/{name}`: the same, and the audit log of an organization tells of it.
#[expect(clippy::unnecessary_wraps, reason = "rows take handlers that may fail")]
fn download(cx: &mut Write<'_, '_, Slack>, Nothing {}: Nothing) -> Result<Typed<()>, Error> {
    let request = cx.scene.request;
    let answer = content(cx.state, request);
    let by = input::bearer(request).and_then(|text| cx.state.tokens.get(&text)).map(|token| token.user.clone());
    if let Some(by) = by.filter(|_| answer.status == StatusCode::OK) {
        let file = SmolStr::new(request.path_param("file").rsplit('-').next().unwrap_or_default());
        audit::log(cx.state, cx.tx, &by, "file_downloaded", &Entity::file(&file));
    }
    Ok(Typed::from_answer(answer))
}

fn content(state: &State, request: &Request) -> Answer {
    let named = request.path_param("file").rsplit('-').next().unwrap_or_default();
    let secret = request.query_pairs().find(|(name, _)| name == "pub_secret").map(|(_, value)| value.into_owned());
    let file = state.files.get(&named.into()).filter(|file| file.mode != Mode::Tombstone);
    let opens = |file: &File| secret.as_deref().is_some_and(|secret| file.public.as_deref() == Some(secret));
    let Some(file) = file else { return not_found() };
    if !opens(file) && !may_read(state, request, file) {
        return sign_in_first(request);
    }
    let mut answer = bytes(file);
    if request.path.contains("/download/") {
        let name = file.name.replace(|c: char| c == '"' || c.is_control() || !c.is_ascii(), "_");
        answer = answer.with_header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""));
    }
    answer
}

/// `GET /files-tmb/{team}-{file}-{secret}/{name}_{side}.{ending}`: with a token that may read the file.
#[expect(clippy::unnecessary_wraps, reason = "rows take handlers that may fail")]
fn thumb(cx: &Read<'_, Slack>, Nothing {}: Nothing) -> Result<Typed<()>, Error> {
    let request = cx.scene.request;
    let mut parts = request.path_param("file").rsplit('-');
    let (secret, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let file = cx.state.files.get(&id.into()).filter(|file| file.mode != Mode::Tombstone);
    let file = file.filter(|_| secret == shapes::thumb_secret(id));
    let Some((file, thumb)) = file.and_then(|file| Some((file, asked(file, request.path_param("name"))?))) else {
        return Ok(Typed::from_answer(not_found()));
    };
    if !may_read(cx.state, request, file) {
        return Ok(Typed::from_answer(sign_in_first(request)));
    }
    let made = thumbnails::make(&file.content, thumb).map(|(mime, bytes)| (mime, Bytes::from(bytes)));
    let answer = |body| Answer { status: StatusCode::OK, headers: Vec::new(), body: Some(body) };
    Ok(Typed::from_answer(made.map_or_else(not_found, answer)))
}

/// The thumbnail of a file that goes by a name.
fn asked(file: &File, name: &str) -> Option<Thumb> {
    let picture = file.picture.as_ref()?;
    let own = shapes::name_in_url(&file.name);
    let ending = name.strip_prefix(shapes::thumb_stem(&own))?;
    picture.thumbs().find(|thumb| picture.name(*thumb) == ending)
}

/// A file's bytes under its type.
fn bytes(file: &File) -> Answer {
    let body = Some((media::of(&file.filetype).mime, file.content.clone()));
    Answer { status: StatusCode::OK, headers: Vec::new(), body }
}

/// Whom Slack does not know, it asks to sign in: with a page, not with an error.
fn sign_in_first(request: &Request) -> Answer {
    let back: String = form_urlencoded::byte_serialize(request.path.as_bytes()).collect();
    Answer::empty(StatusCode::FOUND).with_header(header::LOCATION, format!("{}/?redir={back}", request.origin))
}

fn may_read(state: &State, request: &Request, file: &File) -> bool {
    let token = input::bearer(request).and_then(|text| state.tokens.get(&text));
    token.is_some_and(|token| {
        let is_gone = token.revoked || state.users.get(&token.user).is_none_or(|user| user.deleted);
        !is_gone && token.has("files:read") && state.visible_file(&file.id, &token.user).is_some()
    })
}

fn not_found() -> Answer {
    page("Not found").with_status(StatusCode::NOT_FOUND)
}

fn page(title: &str) -> Answer {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head><title>{title} | Slack</title></head>\n<body><h1>{title}</h1></body>\n</html>\n"
    );
    Answer::text("text/html; charset=utf-8", html)
}

/// `GET /files-public/{team}-{file}-{secret}`: the page of a public file.
#[expect(clippy::unnecessary_wraps, reason = "rows take handlers that may fail")]
fn public(cx: &Read<'_, Slack>, Nothing {}: Nothing) -> Result<Typed<()>, Error> {
    let mut parts = cx.scene.request.path_param("file").rsplit('-');
    let (secret, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let file = cx.state.files.get(&id.into()).filter(|file| file.public.as_deref() == Some(secret));
    Ok(Typed::from_answer(file.map_or_else(not_found, |file| page(&file.title.replace(['<', '>', '&'], "_")))))
}

/// `GET /`: the page that asks people to sign in.
#[expect(clippy::unnecessary_wraps, reason = "rows take handlers that may fail")]
fn sign_in(_: &Read<'_, Slack>, Nothing {}: Nothing) -> Result<Typed<()>, Error> {
    Ok(Typed::from_answer(page("Sign in")))
}
