//! Replays: what a universe did, done again by another one that began alike.
//!
//! What came from outside (calls, acts, frames, receivers' answers, moves of the clock) is put in again, each at its
//! time. All that a universe makes of it (answers, faults, deliveries, changes) must come out again, entry by entry.
//! A universe to replay in has no worker: it is made where there is no runtime, with a stepped clock.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use smol_str::SmolStr;
use tokio::sync::mpsc;

use crate::{
    act::Act,
    delivery::Outcome,
    fault::Rule,
    host::{Called, Waiting},
    job::Job,
    ledger::{Event, Principal},
    route::{Found, Paths},
    socket::{End, Out, SocketId},
    tape::{CallNote, Headers, Note, decoded},
    time::Timestamp,
    twin::Reason,
    universe::{Sent, Universe},
    veil::{self, Plain, Veil},
    wire::Request,
};

/// The first place where a replay came out otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The entry.
    pub seq: u64,
    /// Where in it: names and positions, joined by dots.
    pub place: String,
    /// What was recorded there; null where nothing was.
    pub recorded: Value,
    /// What is there now; null where nothing is.
    pub replayed: Value,
}

/// Why a recording cannot be replayed.
#[derive(Debug, thiserror::Error)]
#[error("entry {seq}: {why}")]
pub struct Unable {
    /// The entry at which it ended.
    pub seq: u64,
    /// Why, in words.
    pub why: String,
}

/// What a replay is made from.
#[derive(Debug, Default)]
pub struct Recording {
    /// The ledger, from its first entry on.
    pub entries: Vec<Value>,
    /// What the ledger does not say.
    pub notes: Vec<Note>,
    /// The fault rules that were armed at some time.
    pub rules: Vec<Rule>,
}

/// Does a recording again in a universe that was just forked as the recorded one was. Gives back the first difference.
///
/// # Errors
/// [`Unable`]: the recording is not whole, or holds what cannot be done again.
pub fn replay(universe: &Arc<Universe>, recording: Recording) -> Result<Option<Difference>, Unable> {
    replay_veiled(universe, recording, &mut Plain)
}

/// The same with a recording in which secrets are hidden.
///
/// # Errors
/// As [`replay`].
pub fn replay_veiled(
    universe: &Arc<Universe>,
    recording: Recording,
    veil: &mut dyn Veil,
) -> Result<Option<Difference>, Unable> {
    universe.record();
    let mut replay = Replay::new(universe, recording, veil);
    // How the universe itself began is the caller's business.
    let mut compared = universe.ledger().len();
    while compared < replay.entries.len() as u64 || !replay.jobs.is_empty() {
        let acted = replay.step()?;
        let reached = universe.ledger().len();
        if let Some(difference) = replay.compare(compared, reached) {
            return Ok(Some(difference));
        }
        if !acted && reached == compared {
            return Err(replay.unable("nothing brings this entry about"));
        }
        compared = reached;
    }
    Ok(None)
}

struct Replay<'a> {
    universe: &'a Arc<Universe>,
    veil: &'a mut dyn Veil,
    entries: Vec<Value>,
    rules: BTreeMap<SmolStr, Rule>,
    jobs: VecDeque<(u64, u64, Timestamp)>,
    calls: BTreeMap<u64, CallNote>,
    receipts: BTreeMap<u64, (Headers, Option<String>)>,
    paths: Vec<Paths>,
    /// Calls that wait for a delivery, by their first entry.
    waiting: BTreeMap<u64, (usize, usize, Waiting)>,
    /// Attempts on their way, by delivery and number: copies of a delivery share these.
    sent: BTreeMap<(u64, u64), Vec<Sent>>,
    /// What sockets would send: nobody reads it, and it must not pile up.
    queues: Vec<mpsc::Receiver<Out>>,
    /// How many of the universe's own notes were looked at.
    noted: usize,
}

impl<'a> Replay<'a> {
    fn new(universe: &'a Arc<Universe>, recording: Recording, veil: &'a mut dyn Veil) -> Self {
        let mut replay = Self {
            universe,
            veil,
            entries: recording.entries,
            rules: recording.rules.into_iter().map(|rule| (rule.id.clone(), rule)).collect(),
            jobs: VecDeque::new(),
            calls: BTreeMap::new(),
            receipts: BTreeMap::new(),
            paths: universe.twins().iter().map(|twin| Paths::new(twin.operations())).collect(),
            waiting: BTreeMap::new(),
            sent: BTreeMap::new(),
            queues: Vec::new(),
            noted: 0,
        };
        for note in recording.notes {
            match note {
                Note::Job { seq, id, at } => replay.jobs.push_back((seq, id, at)),
                Note::Call(call) => drop(replay.calls.insert(call.seq, *call)),
                Note::Receipt { seq, headers, body } => drop(replay.receipts.insert(seq, (headers, body))),
            }
        }
        replay
    }

    fn unable(&self, why: impl Into<String>) -> Unable {
        Unable { seq: self.universe.ledger().len(), why: why.into() }
    }

    fn set_clock(&self, at: Timestamp) {
        self.universe.lock().clock.set(at);
    }

    /// Does what comes next; false where that is for nobody to do.
    fn step(&mut self) -> Result<bool, Unable> {
        for queue in &mut self.queues {
            while queue.try_recv().is_ok() {}
        }
        let at = self.universe.ledger().len();
        if let Some((_, id, when)) = self.jobs.front().copied().filter(|(seq, ..)| *seq <= at) {
            self.jobs.pop_front();
            self.set_clock(when);
            self.job(id)?;
            return Ok(true);
        }
        let Some(mut entry) = self.driver(at).cloned() else { return Ok(false) };
        veil::replace(&mut entry, &|text| self.veil.show(text));
        let when = serde_json::from_value(entry["at"].clone()).map_err(|_| self.unable("it has no time"))?;
        self.set_clock(when);
        match entry["kind"].as_str().unwrap_or_default() {
            "request" | "pending" => self.call(&entry),
            "delivery" => self.deliver(&entry),
            "affordance" => {
                self.act(&entry);
                Ok(true)
            }
            "frame" if entry.get("request").is_some() => self.frame(&entry),
            "socket" => self.end_socket(&entry),
            "fault" => self.refuse(&entry),
            "clock" => self.move_clock(&entry),
            "control" => self.control(&entry),
            "act" | "answer" => {
                self.universe.note_act(&Act::of_entry(&entry));
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The entry that stands for what came from outside: faults are told before the call that they strike.
    fn driver(&self, at: u64) -> Option<&Value> {
        let rest = self.entries.get(usize::try_from(at).ok()?..)?;
        let is_fault = |entry: &Value| matches!(entry["kind"].as_str(), Some("fault" | "fault_skipped"));
        let first = rest.first()?;
        if is_fault(first) && first["on"] != "connect" {
            return rest.iter().find(|entry| !is_fault(entry));
        }
        Some(first)
    }

    fn slot(&self, entry: &Value) -> Result<usize, Unable> {
        let twin = entry["twin"].as_str().unwrap_or_default();
        self.universe.slot(twin).ok_or_else(|| self.unable(format!("there is no twin `{twin}`")))
    }

    fn job(&mut self, id: u64) -> Result<(), Unable> {
        let universe = Arc::clone(self.universe);
        let job = {
            let mut inner = universe.lock();
            let key = inner.jobs.keys().find(|(_, job)| *job == id).copied();
            key.and_then(|key| inner.jobs.remove(&key))
        };
        match job.map(Arc::unwrap_or_clone).ok_or_else(|| self.unable(format!("there is no job {id}")))? {
            Job::Delivery(delivery) => {
                let key = (delivery.id, u64::from(delivery.attempt));
                let sent = universe.prepare_attempt(id, delivery);
                self.sent.entry(key).or_default().extend(sent);
            }
            Job::Timer { twin, name, data, cause, struck } => {
                universe.run_timer(id, (twin, name, data, cause, struck));
            }
            Job::GiveUp(delivery) => universe.give_up(id, delivery),
            Job::Cut(cut) => universe.run_cut(id, cut),
        }
        Ok(())
    }

    fn call(&mut self, entry: &Value) -> Result<bool, Unable> {
        if let Some(waiting) = entry["cause"].as_u64().and_then(|cause| self.waiting.remove(&cause)) {
            let (slot, operation, waiting) = waiting;
            self.universe.twins()[slot].resume(self.universe, slot, operation, waiting);
            return Ok(true);
        }
        let seq = entry["seq"].as_u64().unwrap_or_default();
        let note = self.calls.get(&seq).cloned().ok_or_else(|| self.unable("there are no notes of this call"))?;
        let note = self.shown(note);
        let (slot, mut request) = (self.slot(entry)?, request(entry, &note));
        self.universe.number_requests_from(note.nr);
        let twin = Arc::clone(&self.universe.twins()[slot]);
        let unserved = match self.paths[slot].find(&request.method, &request.path) {
            _ if note.too_large => Some(Reason::BodyTooLarge),
            Found::Nothing => Some(Reason::NotFound),
            Found::OtherMethods => Some(Reason::MethodNotAllowed),
            Found::Operation(operation, params) => {
                request.path_params = params;
                match twin.call(self.universe, slot, operation, request.clone()) {
                    Called::Waits(waiting) => drop(self.waiting.insert(seq, (slot, operation, waiting))),
                    Called::Answered(reply, _) => self.queues.extend(
                        reply.socket.and_then(|socket| self.universe.sockets.claim(socket)).map(|(.., queue)| queue),
                    ),
                }
                None
            }
        };
        if let Some(reason) = unserved {
            twin.unserved(self.universe, request, reason);
        }
        Ok(true)
    }

    /// A note with its secrets.
    fn shown(&self, call: CallNote) -> CallNote {
        let mut note = Note::Call(Box::new(call.clone()));
        veil::replace_note(&mut note, &|text| self.veil.show(text));
        match note {
            Note::Call(shown) => *shown,
            Note::Job { .. } | Note::Receipt { .. } => call,
        }
    }

    fn deliver(&mut self, entry: &Value) -> Result<bool, Unable> {
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        let key = (number(&entry["delivery"]["id"]), number(&entry["delivery"]["attempt"]));
        let under_way = self.sent.get_mut(&key).filter(|under_way| !under_way.is_empty());
        let Some(under_way) = under_way else { return Ok(false) };
        let text = entry["request"]["body"].as_str().unwrap_or_default();
        let which = under_way.iter().position(|sent| sent.body() == text.as_bytes()).unwrap_or(0);
        let sent = under_way.remove(which);
        let outcome = match entry["error"].as_str() {
            Some("timeout") => Outcome::TimedOut,
            Some("connection_failed") => Outcome::Unreachable,
            Some("too_many_redirects") => Outcome::TooManyRedirects,
            Some("address_not_allowed") => Outcome::Forbidden,
            _ => self.receipt(entry)?,
        };
        self.universe.conclude_attempt(sent, &outcome);
        Ok(true)
    }

    fn receipt(&self, entry: &Value) -> Result<Outcome, Unable> {
        let seq = entry["seq"].as_u64().unwrap_or_default();
        let (headers, body) =
            self.receipts.get(&seq).ok_or_else(|| self.unable("there are no notes of this answer"))?;
        let text = || Bytes::from(entry["response"]["body"].as_str().unwrap_or_default().to_owned());
        let status = entry["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or_default();
        let body = body.as_deref().map_or_else(text, decoded);
        let mut headers = headers.clone();
        for (_, value) in &mut headers {
            veil::replace_text(value, &|text| self.veil.show(text));
        }
        let body = self.veil.show(&body).map_or(body, Bytes::from);
        Ok(Outcome::Answered { status, headers: header_map(&headers), body })
    }

    fn act(&self, entry: &Value) {
        let principal = entry["principal"].as_str().unwrap_or_default();
        let actor = principal.strip_prefix("actor:").unwrap_or_default();
        let verb = entry["verb"].as_str().unwrap_or_default();
        let with = entry["with"].as_object().cloned().unwrap_or_default();
        // What came of it is in the new entry.
        let _ = self.universe.perform(verb, actor, with);
    }

    fn frame(&self, entry: &Value) -> Result<bool, Unable> {
        let (slot, socket) = (self.slot(entry)?, self.socket(entry)?);
        let text = entry["request"]["body"].as_str().unwrap_or_default();
        self.universe.take_frame(slot, socket, text);
        Ok(true)
    }

    fn end_socket(&self, entry: &Value) -> Result<bool, Unable> {
        let (slot, socket) = (self.slot(entry)?, self.socket(entry)?);
        let what = entry["what"].as_str().unwrap_or_default();
        let end = End::ALL.into_iter().find(|end| end.words() == what);
        let end = end.ok_or_else(|| self.unable(format!("no socket ends as `{what}`")))?;
        if let Some(serial) = self.universe.sockets.serial(socket) {
            self.universe.sockets.forget(socket, serial);
        }
        self.universe.forget_socket(&mut self.universe.lock(), slot, socket, end);
        Ok(true)
    }

    fn socket(&self, entry: &Value) -> Result<SocketId, Unable> {
        entry["socket"].as_u64().ok_or_else(|| self.unable("it names no socket"))
    }

    /// A closed port, which strikes no call.
    fn refuse(&self, entry: &Value) -> Result<bool, Unable> {
        let rule = SmolStr::from(entry["rule"].as_str().unwrap_or_default());
        self.universe.note_refusal(self.slot(entry)?, &rule);
        Ok(true)
    }

    fn move_clock(&self, entry: &Value) -> Result<bool, Unable> {
        let time = |value: &Value| serde_json::from_value(value.clone()).map_err(|_| self.unable("it has no time"));
        let (from, to) = (time(&entry["from"])?, time(&entry["to"])?);
        self.set_clock(to);
        self.universe.ledger().append(to, Principal::Operator, "", None, Event::Clock { from, to }, Vec::new());
        Ok(true)
    }

    fn control(&self, entry: &Value) -> Result<bool, Unable> {
        let detail = &entry["detail"];
        if let Some(armed) = detail["armed"].as_array() {
            let rule = |id: &Value| self.rules.get(id.as_str().unwrap_or_default()).cloned();
            let rules: Option<Vec<Rule>> = armed.iter().map(rule).collect();
            let rules = rules.ok_or_else(|| self.unable("an armed rule is not part of the recording"))?;
            self.universe.arm(&rules).map_err(|why| self.unable(why.to_string()))?;
            return Ok(true);
        }
        if let Some(rule) = detail["disarmed"].as_str() {
            self.universe.disarm((rule != "*").then_some(rule));
            return Ok(true);
        }
        let action = entry["action"].as_str().unwrap_or_default();
        Err(self.unable(format!("`{action}` cannot be done again")))
    }

    /// Learns of secrets from what is new, entry by entry.
    fn learn(&mut self, from: u64, replayed: &[Value], notes: &[Note]) {
        let start = usize::try_from(from).unwrap_or(usize::MAX);
        for (recorded, new) in self.entries.iter().skip(start).zip(replayed) {
            veil::learn(self.veil, recorded, new);
        }
        for (seq, new) in answers(notes) {
            for ((_, recorded), (_, new)) in
                self.calls.get(&seq).into_iter().flat_map(|call| &call.answer_headers).zip(&new.answer_headers)
            {
                self.veil.learn(recorded, new);
            }
        }
    }

    /// The first difference among the entries of these positions.
    fn compare(&mut self, from: u64, to: u64) -> Option<Difference> {
        let mut replayed = self.universe.ledger().page(from, usize::try_from(to - from).ok()?).unwrap_or_default();
        let mut notes = self.universe.notes_from(self.noted);
        self.noted += notes.len();
        self.learn(from, &replayed, &notes);
        let hide = |text: &[u8]| self.veil.hide(text);
        for entry in &mut replayed {
            veil::replace(entry, &hide);
        }
        for note in &mut notes {
            veil::replace_note(note, &hide);
        }
        let (answers, from_place) = (answers(&notes), usize::try_from(from).ok()?);
        for (seq, (at, new)) in (from..).zip((from_place..).zip(&replayed)) {
            let recorded = self.entries.get(at).unwrap_or(&Value::Null);
            if let Some((place, recorded, replayed)) = first_difference(recorded, new) {
                return Some(Difference { seq, place, recorded, replayed });
            }
            let (Some(recorded), Some(new)) = (self.calls.get(&seq), answers.get(&seq)) else { continue };
            let of = |call: &CallNote| serde_json::json!({ "headers": call.answer_headers, "body": call.answer_body });
            if let Some((place, recorded, replayed)) = first_difference(&of(recorded), &of(new)) {
                return Some(Difference { seq, place: format!("response.{place}"), recorded, replayed });
            }
        }
        None
    }
}

fn answers(notes: &[Note]) -> BTreeMap<u64, &CallNote> {
    fn call(note: &Note) -> Option<(u64, &CallNote)> {
        match note {
            Note::Call(call) => Some((call.seq, call)),
            Note::Job { .. } | Note::Receipt { .. } => None,
        }
    }
    notes.iter().filter_map(call).collect()
}

fn request(entry: &Value, note: &CallNote) -> Request {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of_entry = || (text(&entry["request"]["method"]), text(&entry["request"]["target"]));
    let (method, target) = note.line.clone().unwrap_or_else(of_entry);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let body = note.body.as_deref().map_or_else(|| Bytes::from(text(&entry["request"]["body"])), decoded);
    Request {
        method: method.parse().unwrap_or_default(),
        path: path.to_owned(),
        query: query.to_owned(),
        path_params: Vec::new(),
        headers: header_map(&note.headers),
        body,
        origin: note.origin.clone(),
    }
}

fn header_map(headers: &Headers) -> HeaderMap {
    let pair = |(name, value): &(String, String)| {
        Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    };
    let mut out = HeaderMap::new();
    for (name, value) in headers.iter().filter_map(pair) {
        out.append(name, value);
    }
    out
}

/// The first place where two values differ, and what is there.
pub fn first_difference(a: &Value, b: &Value) -> Option<(String, Value, Value)> {
    let within = |name: String, a: Option<&Value>, b: Option<&Value>| match (a, b) {
        (Some(a), Some(b)) => first_difference(a, b).map(|(place, a, b)| {
            let place = if place.is_empty() { name } else { format!("{name}.{place}") };
            (place, a, b)
        }),
        (a, b) => Some((name, a.cloned().unwrap_or_default(), b.cloned().unwrap_or_default())),
    };
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let more = y.keys().filter(|name| !x.contains_key(*name));
            x.keys().chain(more).find_map(|name| within(name.clone(), x.get(name), y.get(name)))
        }
        (Value::Array(x), Value::Array(y)) => {
            (0..x.len().max(y.len())).find_map(|at| within(at.to_string(), x.get(at), y.get(at)))
        }
        _ if a == b => None,
        _ => Some((String::new(), a.clone(), b.clone())),
    }
}
