//! Canvases: Markdown in sections that have ids.
//!
//! <https://docs.slack.dev/surfaces/canvases>

use std::sync::Arc;

use bytes::Bytes;
use dtu_kernel::{
    ids::{HEX, IdShape},
    tx::Tx,
};
use serde::Serialize;
use serde_json::json;
use smol_str::SmolStr;

use super::{SITE, State, apps::Token, channels::Channel, documents, files::Mode, skills};
use crate::{error::Code, events, model::schedule::stamp};

const SECTION: IdShape =
    IdShape { site: SITE.child("canvas section"), prefix: "temp:C:", alphabet: HEX, drawn: 28, suffix: "" };
/// What a canvas is called that nobody named.
const UNTITLED: &str = "Untitled";

/// What a section is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SectionKind {
    /// A heading of a level from 1 to 3.
    Heading(u8),
    /// Anything else.
    Other,
}

/// A block of Markdown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Its id.
    pub id: SmolStr,
    /// What it is.
    pub kind: SectionKind,
    /// What it says.
    pub markdown: String,
}

/// A canvas.
#[derive(Clone, Debug, Serialize)]
pub struct Canvas {
    /// What it says.
    pub sections: Vec<Section>,
    /// The channel whose own canvas it is, or in which it is a tab.
    pub channel: Option<SmolStr>,
    /// Whether it is the channel's own: who may do what follows from the channel alone.
    pub is_channels: bool,
}

/// A change to a canvas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    AtStart(String),
    AtEnd(String),
    Before(SmolStr, String),
    After(SmolStr, String),
    /// Of one section, or of all.
    Replace(Option<SmolStr>, String),
    Delete(SmolStr),
    Rename(SmolStr),
}

/// Reads Markdown into blocks: headings, and what stands between empty lines.
///
/// # Errors
/// What a canvas does not take, in Slack's words.
fn read(markdown: &str) -> Result<Vec<(SectionKind, String)>, String> {
    let mut blocks: Vec<(SectionKind, String)> = Vec::new();
    let (mut open, mut fenced) = (false, false);
    for (at, line) in markdown.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            fenced = !fenced;
        }
        if !fenced && is_list_in_quote(trimmed) {
            return Err(format!("'content' error: line {}: Unsupported block type (List) within block quote", at + 1));
        }
        let heading = if fenced { None } else { heading(trimmed) };
        match (trimmed.is_empty() && !fenced, heading) {
            (true, _) => open = false,
            (_, Some(level)) => {
                blocks.push((SectionKind::Heading(level), trimmed.to_owned()));
                open = false;
            }
            _ if open => {
                if let Some((_, text)) = blocks.last_mut() {
                    text.push('\n');
                    text.push_str(line);
                }
            }
            _ => {
                blocks.push((SectionKind::Other, line.to_owned()));
                open = true;
            }
        }
    }
    Ok(blocks)
}

fn heading(line: &str) -> Option<u8> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let is_one = (1..=3).contains(&level) && line[level..].starts_with(' ');
    u8::try_from(level).ok().filter(|_| is_one)
}

fn is_list_in_quote(line: &str) -> bool {
    let Some(inner) = line.strip_prefix('>').map(str::trim_start) else { return false };
    let numbered = inner.split_once(". ").is_some_and(|(n, _)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    numbered || ["- ", "* ", "+ "].iter().any(|mark| inner.starts_with(mark))
}

fn sections(tx: &mut Tx<'_>, markdown: &str) -> Result<Vec<Section>, String> {
    let blocks = read(markdown)?;
    Ok(blocks.into_iter().map(|(kind, markdown)| Section { id: tx.id(&SECTION), kind, markdown }).collect())
}

/// Makes a canvas: a tab of a channel where one is given.
///
/// # Errors
/// What is wrong with the Markdown.
pub(crate) fn create(
    state: &mut State,
    tx: &mut Tx<'_>,
    token: &Token,
    (title, markdown): (Option<&str>, &str),
    tab: Option<(&Channel, bool)>,
) -> Result<SmolStr, String> {
    let sections = sections(tx, markdown)?;
    let title = title.filter(|title| !title.is_empty()).unwrap_or(UNTITLED);
    let file = documents::add(state, tx, token, title, Mode::Canvas);
    let (channel, is_channels) = (tab.map(|(channel, _)| channel.id.clone()), tab.is_some_and(|(_, own)| own));
    if let Some(channel) = channel.clone().filter(|_| is_channels) {
        state.content.canvas_of.insert(channel, file.id.clone());
    }
    let canvas = Canvas { sections, channel, is_channels };
    put(state, tx, &file.id, canvas);
    Ok(file.id.clone())
}

/// Writes a canvas, and the page that its file holds.
fn put(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr, canvas: Canvas) {
    let page = Bytes::from(html(&canvas));
    state.content.canvases.put(&mut tx.changes, id.clone(), canvas);
    state.files.update(&mut tx.changes, id, |file| {
        file.size = page.len() as u64;
        file.content = page;
    });
}

/// A canvas as its file is downloaded: a page whose parts carry the ids of sections.
pub(crate) fn html(canvas: &Canvas) -> String {
    let part = |section: &Section| {
        let text = section.markdown.trim_start_matches('#').trim();
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let tag = match section.kind {
            SectionKind::Heading(level) => format!("h{level}"),
            SectionKind::Other => "p".to_owned(),
        };
        format!("<{tag} id='{}'>{text}</{tag}>\n", section.id)
    };
    canvas.sections.iter().map(part).collect()
}

/// A canvas as Markdown.
pub(crate) fn markdown(canvas: &Canvas) -> String {
    let all: Vec<&str> = canvas.sections.iter().map(|section| section.markdown.as_str()).collect();
    all.join("\n\n")
}

/// Changes a canvas; apps that see it hear that the file has changed.
///
/// # Errors
/// What is wrong with the change.
pub(crate) fn edit(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr, change: Change) -> Result<(), String> {
    if let Change::Rename(title) = change {
        state.files.update(&mut tx.changes, id, |file| (file.title, file.name) = (title.clone(), title));
        announce(state, tx, id);
        return Ok(());
    }
    let Some(row) = state.content.canvases.get(id).map(Arc::clone) else { return Ok(()) };
    let mut canvas = Canvas::clone(&row);
    let place = |canvas: &Canvas, id: &SmolStr| {
        let at = canvas.sections.iter().position(|section| section.id == *id);
        at.ok_or_else(|| format!("'section_id' error: section {id} not found"))
    };
    let (at, gone, new) = match change {
        Change::AtStart(new) => (0, 0, new),
        Change::AtEnd(new) => (canvas.sections.len(), 0, new),
        Change::Before(section, new) => (place(&canvas, &section)?, 0, new),
        Change::After(section, new) => (place(&canvas, &section)? + 1, 0, new),
        Change::Replace(Some(section), new) => (place(&canvas, &section)?, 1, new),
        Change::Replace(None, new) => (0, canvas.sections.len(), new),
        Change::Delete(section) => (place(&canvas, &section)?, 1, String::new()),
        Change::Rename(_) => return Ok(()),
    };
    let new = sections(tx, &new)?;
    canvas.sections.splice(at..at + gone, new);
    put(state, tx, id, canvas);
    announce(state, tx, id);
    Ok(())
}

fn announce(state: &State, tx: &mut Tx<'_>, id: &SmolStr) {
    let event = json!({ "type": "file_change", "file_id": id, "file": { "id": id }, "event_ts": stamp(tx.now) });
    events::about_file(state, tx, id, None, &event);
}

/// Forgets a canvas whose file is deleted.
pub(crate) fn forget(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr) {
    let Some(canvas) = state.content.canvases.remove(&mut tx.changes, id) else { return };
    skills::forget(state, tx, id);
    if let Some(channel) = canvas.channel.as_ref().filter(|_| canvas.is_channels) {
        state.content.canvas_of.remove(channel);
    }
}

/// The ids of the sections that are of a kind, where kinds are given, and hold a text, where one is.
pub(crate) fn look_up<'a>(
    canvas: &'a Canvas,
    kinds: &'a [SectionKind],
    text: Option<&'a str>,
) -> impl Iterator<Item = &'a SmolStr> {
    let text = text.map(str::to_lowercase);
    let fits = move |section: &&Section| {
        (kinds.is_empty() || kinds.contains(&section.kind))
            && text.as_ref().is_none_or(|text| section.markdown.to_lowercase().contains(text))
    };
    canvas.sections.iter().filter(fits).map(|section| &section.id)
}

/// A canvas that somebody may read, change or own.
///
/// # Errors
/// Where it is not there for them, or they may do less.
pub(crate) fn find(
    state: &State,
    id: &str,
    user: &SmolStr,
    wanted: documents::Access,
) -> Result<(SmolStr, Arc<Canvas>), Code> {
    let id = SmolStr::new(id);
    let canvas = state.content.canvases.get(&id).map(Arc::clone).ok_or(Code::CanvasNotFound)?;
    let file = state.files.get(&id).ok_or(Code::CanvasNotFound)?;
    match state.document_access(file, user) {
        None => Err(Code::CanvasNotFound),
        Some(level) if level < wanted => Err(Code::RestrictedAction),
        Some(_) => Ok((id, canvas)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_read_into_blocks() {
        let check = |markdown: &str, wanted: &[(SectionKind, &str)]| {
            let blocks = read(markdown).unwrap();
            let told: Vec<(SectionKind, &str)> = blocks.iter().map(|(kind, text)| (*kind, text.as_str())).collect();
            assert_eq!(told, wanted, "{markdown}");
        };
        let other = SectionKind::Other;
        check("", &[]);
        check("# A\ntext\nmore\n\nlast", &[(SectionKind::Heading(1), "# A"), (other, "text\nmore"), (other, "last")]);
        check("- one\n- two", &[(other, "- one\n- two")]);
        check("#no heading", &[(other, "#no heading")]);
        check("```\n# code\n\nx\n```", &[(other, "```\n# code\n\nx\n```")]);
        check("#### four", &[(other, "#### four")]);
    }

    #[test]
    fn lists_do_not_stand_in_quotes() {
        let check = |markdown: &str, wanted: bool| assert_eq!(read(markdown).is_ok(), wanted, "{markdown}");
        check("> quote", true);
        check("> - item", false);
        check("text\n\n> 1. item", false);
        check("> 1.5 litres", true);
    }
}
