//! Messages that an app writes bit by bit: text, tasks, a plan.
//!
//! <https://docs.slack.dev/reference/methods/chat.startStream>

use std::sync::Arc;

use dtu_kernel::tx::Tx;
use serde::Serialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    State,
    messages::{self, Message},
    search,
};
use crate::{
    error::Code,
    text::{self, Reading},
};

/// The longest `details` or `output` of a task, in characters.
pub(crate) const TASK_TEXT_MAX: usize = 256;

/// A part of a message as it came.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Markdown; what follows on it is added to it.
    Text(String),
    /// What an app does or has done: the members of its card. One with the same id takes its place.
    Task(Map<String, Value>),
    /// The title over all tasks.
    Plan(SmolStr),
    /// Blocks, checked and with ids.
    Blocks(Vec<Value>),
}

/// A message that is being written.
#[derive(Clone, Debug, Serialize)]
pub struct Stream {
    /// The app that writes it.
    pub app: SmolStr,
    /// Whether tasks are shown in one plan, not each where it came.
    pub as_plan: bool,
    /// What has come.
    pub parts: Vec<Part>,
    /// Whether a person has stopped it.
    pub stopped: bool,
}

impl Stream {
    /// Takes in a part.
    pub(crate) fn add(&mut self, part: Part) {
        if let (Part::Text(more), Some(Part::Text(text))) = (&part, self.parts.last_mut()) {
            text.push_str(more);
            return;
        }
        let same = |before: &&mut Part| match (&**before, &part) {
            (Part::Task(old), Part::Task(new)) => old.get("task_id") == new.get("task_id"),
            (Part::Plan(_), Part::Plan(_)) => true,
            _ => false,
        };
        match (self.parts.iter_mut().find(same), part) {
            // What an update does not say stays.
            (Some(Part::Task(old)), Part::Task(new)) => old.extend(new),
            (Some(old), part) => *old = part,
            (None, part) => self.parts.push(part),
        }
    }

    /// All text, as Markdown.
    fn markdown(&self) -> String {
        let texts = self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// The blocks, where there is more than text.
    fn blocks(&self) -> Option<Vec<Value>> {
        if self.parts.iter().all(|part| matches!(part, Part::Text(_))) {
            return None;
        }
        let (mut blocks, mut planned) = (Vec::new(), false);
        for part in &self.parts {
            match part {
                Part::Text(text) => blocks.push(json!({ "type": "markdown", "text": text })),
                Part::Blocks(given) => blocks.extend(given.iter().cloned()),
                Part::Task(task) if !self.as_plan => blocks.push(card(task)),
                Part::Plan(_) | Part::Task(_) if !planned => {
                    planned = true;
                    blocks.push(self.plan());
                }
                Part::Plan(_) | Part::Task(_) => {}
            }
        }
        for (n, block) in blocks.iter_mut().enumerate() {
            if block["block_id"].is_null() {
                block["block_id"] = json!(text::derived_id(&["stream", &n.to_string()], 5));
            }
        }
        Some(blocks)
    }

    fn plan(&self) -> Value {
        let title = self.parts.iter().find_map(|part| match part {
            Part::Plan(title) => Some(title.as_str()),
            _ => None,
        });
        let tasks = self.parts.iter().filter_map(|part| match part {
            Part::Task(task) => Some(card(task)),
            _ => None,
        });
        json!({ "type": "plan", "title": title.unwrap_or_default(), "tasks": tasks.collect::<Vec<_>>() })
    }
}

/// A task as a block.
fn card(task: &Map<String, Value>) -> Value {
    let mut card = json!({ "type": "task_card" });
    for (name, value) in task {
        let rich = matches!(name.as_str(), "details" | "output");
        card[name] = if rich { rich_text(value) } else { value.clone() };
    }
    card
}

fn rich_text(words: &Value) -> Value {
    let run = json!({ "type": "text", "text": words });
    json!({ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [run] }] })
}

/// Begins a message of an app that is there already.
pub(crate) fn begin(state: &mut State, tx: &mut Tx<'_>, at: (&SmolStr, u64), stream: Stream) {
    let key = (at.0.clone(), at.1);
    let row = state.streams.put(&mut tx.changes, key, stream);
    write(state, tx, at, &row);
}

/// The stream of a message, where the app may go on with it.
///
/// # Errors
/// Where the message is not there, another app's, or not being written (any more).
pub(crate) fn find(state: &State, (channel, ts): (&SmolStr, u64), app: &SmolStr) -> Result<Arc<Stream>, Code> {
    let message = state.message(channel, ts).ok_or(Code::MessageNotFound)?;
    if message.app.as_ref() != Some(app) {
        return Err(Code::MessageNotOwnedByApp);
    }
    let stream = state.streams.get(&(channel.clone(), ts)).ok_or(Code::MessageNotInStreamingState)?;
    if stream.stopped { Err(Code::StoppedByUser) } else { Ok(Arc::clone(stream)) }
}

/// Goes on with a message.
pub(crate) fn append(state: &mut State, tx: &mut Tx<'_>, at: (&SmolStr, u64), parts: Vec<Part>) {
    let row = state.streams.update(&mut tx.changes, &(at.0.clone(), at.1), |stream| {
        for part in parts {
            stream.add(part);
        }
    });
    if let Some(row) = row {
        write(state, tx, at, &row);
    }
}

/// Puts into the message what has come. Apps hear of it when it is whole.
fn write(state: &mut State, tx: &mut Tx<'_>, (channel, ts): (&SmolStr, u64), stream: &Stream) {
    let shown = render(state, stream);
    messages::touch(state, tx, channel, ts, |message| put(message, &shown));
}

type Shown = (Arc<str>, Option<Arc<Value>>);

fn render(state: &State, stream: &Stream) -> Shown {
    let text = text::from_markdown(&stream.markdown());
    let text = text::store(state, &text, Reading { link_names: false, typed: false });
    (text.into(), stream.blocks().map(|blocks| Arc::new(Value::Array(blocks))))
}

fn put(message: &mut Message, (text, blocks): &Shown) {
    message.text = Arc::clone(text);
    message.edit_extra(|extra| extra.blocks.clone_from(blocks));
}

/// Ends a message: apps hear that it has changed.
pub(crate) fn finish(
    state: &mut State,
    tx: &mut Tx<'_>,
    (channel, ts): (&SmolStr, u64),
    metadata: Option<&Arc<Value>>,
) -> Option<Arc<Message>> {
    let stream = state.streams.remove(&mut tx.changes, &(channel.clone(), ts))?;
    let shown = render(state, &stream);
    let after = messages::edit(state, tx, channel, ts, |message| {
        put(message, &shown);
        message.edit_extra(|extra| {
            if let Some(metadata) = metadata {
                extra.metadata = Some(Arc::clone(metadata));
            }
        });
    });
    search::add(state, channel, ts);
    after
}

/// A person stops a message: what has come stays.
pub(crate) fn stop(state: &mut State, tx: &mut Tx<'_>, (channel, ts): (&SmolStr, u64)) -> bool {
    let key = (channel.clone(), ts);
    let stopped = state.streams.update(&mut tx.changes, &key, |stream| stream.stopped = true);
    stopped.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(as_plan: bool, parts: Vec<Part>) -> Stream {
        let mut stream = Stream { app: SmolStr::default(), as_plan, parts: Vec::new(), stopped: false };
        for part in parts {
            stream.add(part);
        }
        stream
    }

    fn task(id: &str, status: &str) -> Part {
        let task = json!({ "task_id": id, "title": id, "status": status });
        Part::Task(task.as_object().unwrap().clone())
    }

    #[test]
    fn parts_are_put_together() {
        let check = |as_plan, parts, wanted: &[&str]| {
            let blocks = stream(as_plan, parts).blocks();
            let kinds: Vec<String> =
                blocks.iter().flatten().map(|block| block["type"].as_str().unwrap().to_owned()).collect();
            assert_eq!(kinds, wanted);
        };
        let text = |text: &str| Part::Text(text.to_owned());
        check(false, vec![text("a"), text("b")], &[]);
        check(
            false,
            vec![text("a"), task("1", "pending"), text("b"), task("1", "complete")],
            &["markdown", "task_card", "markdown"],
        );
        check(
            true,
            vec![Part::Plan("p".into()), task("1", "pending"), text("a"), task("2", "pending")],
            &["plan", "markdown"],
        );
    }

    #[test]
    fn updates_change_their_task() {
        let stream = stream(false, vec![task("1", "pending"), task("1", "complete")]);
        assert_eq!(stream.blocks().unwrap()[0]["status"], "complete");
        assert_eq!(stream.parts.len(), 1);
    }
}
