//! The ledger: the append-only log of all that happened in a universe, in order.
//!
//! Entries hold the rows that a write touched, never roots of the state. Past a limit the oldest entries move to a
//! file and are read back from there; nothing is lost.

use std::{
    io::{BufReader, Read, Seek, SeekFrom, Write},
    sync::Arc,
};

use bytes::Bytes;
use imbl::Vector;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smol_str::SmolStr;
use tokio::sync::watch;

use crate::{
    table::{Change, Row},
    time::Timestamp,
};

/// Who made something happen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// The program under test.
    Target,
    /// A persona that acts through affordances.
    Actor(SmolStr),
    /// The service itself: timers, deliveries, background work.
    System,
    /// A rule of the fault plan.
    Fault(SmolStr),
    /// Whoever holds the control plane's token.
    Operator,
}

impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Target => f.write_str("target"),
            Self::Actor(name) => write!(f, "actor:{name}"),
            Self::System => f.write_str("system"),
            Self::Fault(rule) => write!(f, "fault:{rule}"),
            Self::Operator => f.write_str("operator"),
        }
    }
}

/// How much the ledger keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Everything, with bodies.
    #[default]
    Full,
    /// Entries and changes, without bodies.
    Changes,
    /// Nothing: for volume runs. There is no diff then.
    Off,
}

/// One entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Position, counted from 0 without gaps.
    pub seq: u64,
    /// When, on the universe's clock.
    pub at: Timestamp,
    /// Who made it happen.
    pub principal: Principal,
    /// The twin it concerns; empty for the universe as a whole.
    pub twin: &'static str,
    /// The entry that led to this one (a delivery's cause, a timer's).
    pub cause: Option<u64>,
    /// What happened.
    pub event: Event,
    /// The rows it touched.
    pub changes: Vec<Change>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A call of the data plane and its answer.
    Request(Box<Exchange>),
    /// A call that is committed and whose answer waits for a delivery; the call itself follows with its answer.
    Pending {
        /// The operation's id.
        operation: &'static str,
    },
    /// An attempt to deliver something to the target.
    Delivery(Box<Attempt>),
    /// A human act through an affordance.
    Affordance {
        /// The verb (`slack.user.click`).
        verb: SmolStr,
        /// Its arguments.
        with: Value,
        /// What came of it: the result, or why it was refused.
        outcome: Result<Value, String>,
    },
    /// A fault rule fired.
    Fault {
        /// The rule's id.
        rule: SmolStr,
        /// What it struck: operation or kind of delivery.
        on: SmolStr,
        /// What it did.
        effect: Value,
    },
    /// A timer of a twin came due.
    Timer {
        /// The timer's name.
        name: SmolStr,
    },
    /// The clock was moved.
    Clock {
        /// Where it stood.
        from: Timestamp,
        /// Where it stands.
        to: Timestamp,
    },
    /// Something was done to the universe as a whole.
    Control {
        /// What: `created`, `forked`, `snapshot`, `restored`, `reset`, `faults`.
        action: SmolStr,
        /// More about it.
        detail: Value,
    },
}

/// A call of the data plane and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The operation's id; empty where no operation is served there.
    pub operation: &'static str,
    /// Whether the twin does not implement what was asked: a coverage gap.
    pub gap: bool,
    /// Who called, as the twin names it; empty where not authenticated.
    pub caller: SmolStr,
    /// The object that the call names; empty where none.
    pub resource: SmolStr,
    /// HTTP method.
    pub method: http::Method,
    /// Path and query as sent.
    pub target: SmolStr,
    /// Request content type; empty where none.
    pub content_type: SmolStr,
    /// Request body.
    pub request: Bytes,
    /// HTTP status of the answer; 0 where none was sent.
    pub status: u16,
    /// Body of the answer.
    pub response: Bytes,
    /// The service's own error code, where it refused.
    pub error: SmolStr,
    /// The fault rule that struck, if any.
    pub fault: SmolStr,
}

/// An attempt to deliver something to the target.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The delivery's number within the universe.
    pub delivery: u64,
    /// Its kind (`event_callback`, `event_hook`).
    pub kind: SmolStr,
    /// Where to.
    pub url: SmolStr,
    /// Which attempt, counted from 1.
    pub attempt: u32,
    /// What was sent.
    pub request: Bytes,
    /// What came back: a status, or the reason why nothing did.
    pub outcome: Result<u16, &'static str>,
    /// The answer's body.
    pub response: Bytes,
}

impl Entry {
    /// The entry as the control plane, evidence files and checks see it. The form is stable.
    pub fn to_json(&self) -> Value {
        let mut out = self.head_json();
        let (request, response) = self.event.bodies();
        put_bodies(&mut out, request, response);
        out
    }

    /// The same without bodies.
    fn head_json(&self) -> Value {
        let mut out = json!({
            "seq": self.seq,
            "at": self.at,
            "principal": self.principal.to_string(),
            "twin": self.twin,
        });
        if let Some(cause) = self.cause {
            out["cause"] = json!(cause);
        }
        self.event.write_json(&mut out);
        out["changes"] = self.changes.iter().map(change_json).collect();
        out
    }
}

fn change_json(change: &Change) -> Value {
    let row = |row: &Option<Row>| row.as_ref().map_or(Value::Null, |row| row.to_json());
    json!({ "table": change.table, "key": change.key, "before": row(&change.before), "after": row(&change.after) })
}

impl Event {
    fn write_json(&self, out: &mut Value) {
        match self {
            Self::Request(x) => {
                out["kind"] = json!("request");
                out["operation"] = json!(x.operation);
                out["gap"] = json!(x.gap);
                out["caller"] = json!(x.caller);
                out["resource"] = json!(x.resource);
                out["error"] = json!(x.error);
                out["fault"] = json!(x.fault);
                out["status"] = json!(x.status);
                out["request"] = json!({
                    "method": x.method.as_str(), "target": x.target, "content_type": x.content_type,
                });
                out["response"] = json!({ "status": x.status });
            }
            Self::Delivery(d) => {
                out["kind"] = json!("delivery");
                out["delivery"] = json!({ "id": d.delivery, "kind": d.kind, "url": d.url, "attempt": d.attempt });
                out["request"] = json!({ "method": "POST", "target": d.url });
                match d.outcome {
                    Ok(status) => {
                        out["status"] = json!(status);
                        out["error"] = json!("");
                        out["response"] = json!({ "status": status });
                    }
                    Err(reason) => {
                        out["status"] = json!(0);
                        out["error"] = json!(reason);
                    }
                }
            }
            Self::Pending { operation } => {
                out["kind"] = json!("pending");
                out["operation"] = json!(operation);
            }
            Self::Affordance { verb, with, outcome } => {
                out["kind"] = json!("affordance");
                out["verb"] = json!(verb);
                out["with"] = with.clone();
                match outcome {
                    Ok(result) => out["result"] = result.clone(),
                    Err(reason) => out["error"] = json!(reason),
                }
            }
            Self::Fault { rule, on, effect } => {
                out["kind"] = json!("fault");
                out["rule"] = json!(rule);
                out["on"] = json!(on);
                out["effect"] = effect.clone();
            }
            Self::Timer { name } => {
                out["kind"] = json!("timer");
                out["name"] = json!(name);
            }
            Self::Clock { from, to } => {
                out["kind"] = json!("clock");
                out["from"] = json!(from);
                out["to"] = json!(to);
            }
            Self::Control { action, detail } => {
                out["kind"] = json!("control");
                out["action"] = json!(action);
                out["detail"] = detail.clone();
            }
        }
    }
}

/// Bodies are text nearly always; what is not is shown as its length.
fn text(body: &[u8]) -> Value {
    match std::str::from_utf8(body) {
        Ok(text) => json!(text),
        Err(_) => json!({ "bytes": body.len() }),
    }
}

/// The ranges of entries that led to the present state: a restore leaves out what came after its snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage(Vec<(u64, u64)>);

impl Lineage {
    fn contains(&self, seq: u64) -> bool {
        self.0.iter().any(|(from, to)| (*from..*to).contains(&seq))
    }
}

/// A net change of one row between two points.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, JsonSchema)]
pub struct NetChange {
    /// The twin.
    pub twin: String,
    /// The table.
    pub table: String,
    /// The row's key.
    pub key: String,
    /// The row at the first point; null where absent.
    pub before: Value,
    /// The row at the second point; null where absent.
    pub after: Value,
    /// The entries that touched the row.
    pub causes: Vec<Cause>,
}

/// An entry that touched a row.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, JsonSchema)]
pub struct Cause {
    /// Its position.
    pub seq: u64,
    /// Who made it happen.
    pub principal: String,
}

/// How many entries stay in memory before the oldest half moves to the file.
const ENTRIES_MAX: usize = 65_536;
/// How many bytes of bodies stay in memory before the oldest half moves to the file.
const BYTES_MAX: usize = 32 << 20;

/// The ledger of one universe.
#[derive(Debug)]
pub struct Ledger {
    keep: Keep,
    inner: Mutex<Inner>,
    latest: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    /// Entries in memory: those from `next - entries.len()`.
    entries: Vector<Arc<Entry>>,
    spill: Option<Spill>,
    lineage: Lineage,
    limit: Option<usize>,
    /// Bytes of bodies in memory.
    bytes: usize,
}

/// The file that holds the oldest entries: for each its JSON without bodies, then the bodies as they are, so that
/// moving an entry costs little more than copying it.
#[derive(Debug)]
struct Spill {
    file: std::fs::File,
    /// Where the entry of each seq begins.
    offsets: Vec<u64>,
    end: u64,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(keep: Keep) -> Self {
        let lineage = Lineage(vec![(0, u64::MAX)]);
        Self { keep, inner: Mutex::new(Inner { lineage, ..Inner::default() }), latest: watch::Sender::new(0) }
    }

    /// The same with another limit of entries in memory (tests and small machines).
    #[must_use]
    pub fn with_memory_limit(self, entries: usize) -> Self {
        self.inner.lock().limit = Some(entries.max(2));
        self
    }

    /// How much is kept.
    pub const fn keep(&self) -> Keep {
        self.keep
    }

    /// Appends an entry and gives back its position.
    pub fn append(
        &self,
        at: Timestamp,
        principal: Principal,
        twin: &'static str,
        cause: Option<u64>,
        event: Event,
        changes: Vec<Change>,
    ) -> u64 {
        let mut inner = self.inner.lock();
        let seq = inner.next;
        inner.next += 1;
        if self.keep != Keep::Off {
            let event = if self.keep == Keep::Changes { event.without_bodies() } else { event };
            inner.bytes += event.body_bytes();
            inner.entries.push_back(Arc::new(Entry { seq, at, principal, twin, cause, event, changes }));
            if inner.entries.len() > inner.limit.unwrap_or(ENTRIES_MAX) || inner.bytes > BYTES_MAX {
                inner.spill_half();
            }
        }
        drop(inner);
        self.latest.send_replace(seq + 1);
        seq
    }

    /// How many entries were appended.
    pub fn len(&self) -> u64 {
        self.inner.lock().next
    }

    /// Whether nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Follows the ledger's length.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    /// Up to `limit` entries from `from` on, oldest first, in the form of [`Entry::to_json`].
    ///
    /// # Errors
    /// Where entries on disk cannot be read back.
    pub fn page(&self, from: u64, limit: usize) -> std::io::Result<Vec<Value>> {
        self.read(from, limit, Entry::to_json)
    }

    /// A page of entries, those in memory rendered by `render`.
    fn read(&self, from: u64, limit: usize, render: fn(&Entry) -> Value) -> std::io::Result<Vec<Value>> {
        let mut inner = self.inner.lock();
        let first_in_memory = inner.first_in_memory();
        let mut out = Vec::new();
        if from < first_in_memory
            && let Some(spill) = &mut inner.spill
        {
            let end = first_in_memory.min(from.saturating_add(limit as u64));
            out = spill.read(from, end)?;
        }
        let skip = usize::try_from(from.max(first_in_memory) - first_in_memory).unwrap_or(usize::MAX);
        let rest: Vec<Arc<Entry>> = inner.entries.iter().skip(skip).take(limit - out.len()).cloned().collect();
        drop(inner);
        out.extend(rest.iter().map(|entry| render(entry)));
        Ok(out)
    }

    /// The ranges that led to the present state.
    pub fn lineage(&self) -> Lineage {
        let mut lineage = self.inner.lock().lineage.clone();
        let next = self.len();
        if let Some(last) = lineage.0.last_mut() {
            last.1 = next;
        }
        lineage
    }

    /// Makes a snapshot's past, and what comes from now on, the ranges that led to the present state.
    pub fn rebase(&self, past: &Lineage) {
        let mut inner = self.inner.lock();
        let mut lineage = past.clone();
        lineage.0.push((inner.next, u64::MAX));
        inner.lineage = lineage;
    }

    /// The net changes of all rows since entry `since`, along the present lineage, in order of first touch.
    ///
    /// # Errors
    /// Where entries on disk cannot be read back.
    pub fn diff(&self, since: u64) -> std::io::Result<Vec<NetChange>> {
        let lineage = self.inner.lock().lineage.clone();
        let mut net: indexmap::IndexMap<(String, String, String), NetChange> = indexmap::IndexMap::new();
        let mut from = since;
        loop {
            // Bodies say nothing about rows.
            let page = self.read(from, 1_024, Entry::head_json)?;
            let Some(last) = page.last() else { break };
            from = last["seq"].as_u64().unwrap_or(from) + 1;
            for entry in &page {
                let seq = entry["seq"].as_u64().unwrap_or(0);
                if lineage.contains(seq) {
                    merge(&mut net, entry, seq);
                }
            }
        }
        Ok(net.into_values().filter(|change| change.before != change.after).collect())
    }
}

fn merge(net: &mut indexmap::IndexMap<(String, String, String), NetChange>, entry: &Value, seq: u64) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for change in entry["changes"].as_array().into_iter().flatten() {
        let (twin, table, key) = (text(&entry["twin"]), text(&change["table"]), text(&change["key"]));
        let slot = net.entry((twin.clone(), table.clone(), key.clone())).or_insert_with(|| NetChange {
            twin,
            table,
            key,
            before: change["before"].clone(),
            after: Value::Null,
            causes: Vec::new(),
        });
        slot.after = change["after"].clone();
        let cause = Cause { seq, principal: text(&entry["principal"]) };
        if slot.causes.last() != Some(&cause) {
            slot.causes.push(cause);
        }
    }
}

impl Event {
    /// The bodies of request and answer; empty where there are none.
    fn bodies(&self) -> (&[u8], &[u8]) {
        match self {
            Self::Request(x) => (&x.request, &x.response),
            Self::Delivery(d) => (&d.request, &d.response),
            _ => (&[], &[]),
        }
    }

    fn body_bytes(&self) -> usize {
        let (request, response) = self.bodies();
        request.len() + response.len()
    }

    fn without_bodies(mut self) -> Self {
        match &mut self {
            Self::Request(x) => {
                x.request = Bytes::new();
                x.response = Bytes::new();
            }
            Self::Delivery(d) => {
                d.request = Bytes::new();
                d.response = Bytes::new();
            }
            _ => {}
        }
        self
    }
}

impl Inner {
    fn first_in_memory(&self) -> u64 {
        self.next - self.entries.len() as u64
    }

    /// Moves the older half to the file. Where the disk refuses, memory keeps all: nothing is lost.
    fn spill_half(&mut self) {
        let half = self.entries.len() / 2;
        if self.spill.is_none() {
            match tempfile::tempfile() {
                Ok(file) => {
                    self.spill = Some(Spill { file, offsets: Vec::new(), end: 0 });
                }
                Err(error) => {
                    tracing::warn!(%error, "the ledger stays in memory: no file to move it to");
                    return;
                }
            }
        }
        let Some(spill) = &mut self.spill else { return };
        match spill.write(self.entries.iter().take(half)) {
            Ok(()) => {
                self.entries = self.entries.split_off(half);
                self.bytes = self.entries.iter().map(|entry| entry.event.body_bytes()).sum();
            }
            Err(error) => tracing::warn!(%error, "the ledger stays in memory: cannot write its file"),
        }
    }
}

impl Spill {
    fn write<'a>(&mut self, entries: impl Iterator<Item = &'a Arc<Entry>>) -> std::io::Result<()> {
        let mut text = Vec::new();
        let mut offsets = Vec::new();
        for entry in entries {
            offsets.push(self.end + text.len() as u64);
            let (request, response) = entry.event.bodies();
            for part in [serde_json::to_vec(&entry.head_json())?.as_slice(), request, response] {
                text.extend_from_slice(&(part.len() as u64).to_le_bytes());
                text.extend_from_slice(part);
            }
        }
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&text)?;
        self.end += text.len() as u64;
        self.offsets.extend(offsets);
        Ok(())
    }

    fn read(&mut self, from: u64, to: u64) -> std::io::Result<Vec<Value>> {
        let index = usize::try_from(from).unwrap_or(usize::MAX);
        let Some(offset) = self.offsets.get(index) else {
            return Ok(Vec::new());
        };
        self.file.seek(SeekFrom::Start(*offset))?;
        let mut reader = BufReader::new(&self.file);
        let mut entries = Vec::new();
        for _ in from..to.min(self.offsets.len() as u64) {
            let (head, request, response) = (part(&mut reader)?, part(&mut reader)?, part(&mut reader)?);
            let mut entry: Value = serde_json::from_slice(&head)?;
            put_bodies(&mut entry, &request, &response);
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// One part of an entry in the file: its length, then its bytes.
fn part(reader: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 8];
    reader.read_exact(&mut length)?;
    let mut bytes = vec![0; usize::try_from(u64::from_le_bytes(length)).unwrap_or(0)];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Puts bodies where an entry's JSON has a place for them.
fn put_bodies(entry: &mut Value, request: &[u8], response: &[u8]) {
    for (side, body) in [("request", request), ("response", response)] {
        if let Some(Value::Object(side)) = entry.get_mut(side) {
            side.insert("body".to_owned(), text(body));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Changes, Table};

    fn note(ledger: &Ledger, changes: Vec<Change>) -> u64 {
        let event = Event::Timer { name: "t".into() };
        ledger.append(Timestamp::from_secs(1), Principal::System, "slack", None, event, changes)
    }

    #[test]
    fn what_moved_to_disk_is_read_back() {
        let ledger = Ledger::new(Keep::Full).with_memory_limit(10);
        for _ in 0..1_000 {
            note(&ledger, Vec::new());
        }
        let seqs = |from, limit| -> Vec<u64> {
            let page = ledger.page(from, limit).expect("reads");
            page.iter().filter_map(|entry| entry["seq"].as_u64()).collect()
        };
        assert_eq!(seqs(0, 3), [0, 1, 2]);
        assert_eq!(seqs(985, 50), (985..1_000).collect::<Vec<_>>());
        assert_eq!(seqs(0, 5_000), (0..1_000).collect::<Vec<_>>());
        assert!(seqs(1_000, 10).is_empty());
        assert!(seqs(5_000, 10).is_empty());
    }

    #[test]
    fn a_diff_nets_changes_and_follows_restores() {
        let ledger = Ledger::new(Keep::Full).with_memory_limit(4);
        let mut table: Table<SmolStr, String> = Table::new("rows");
        let mut write = |key: &str, value: Option<&str>| {
            let mut changes = Changes::default();
            match value {
                Some(value) => drop(table.put(&mut changes, key.into(), value.to_owned())),
                None => drop(table.remove(&mut changes, &key.into())),
            }
            note(&ledger, changes.into_vec());
        };
        write("a", Some("1"));
        write("b", Some("1"));
        let past = ledger.lineage();
        write("a", Some("2"));
        write("b", None);
        let keys = |since| -> Vec<String> {
            let diff = ledger.diff(since).expect("reads");
            diff.into_iter().map(|c| format!("{}:{}->{}", c.key, c.before, c.after)).collect()
        };
        assert_eq!(keys(0), [r#"a:null->"2""#]);
        ledger.rebase(&past);
        assert_eq!(keys(0), [r#"a:null->"1""#, r#"b:null->"1""#]);
        assert!(keys(2).is_empty());
    }
}
