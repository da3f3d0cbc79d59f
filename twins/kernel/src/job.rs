//! Jobs: deliveries and timers that are due at a time, and the worker that does them.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::HeaderValue;
use parking_lot::RwLockWriteGuard;
use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use crate::{
    clock::ClockMode,
    delivery::{Delivery, Next, Outbound, Outcome, is_allowed},
    fate::Fate,
    fault::{Effect, Strikes, Subject},
    ledger::{Attempt, Event, Principal},
    socket::{Cut, Frame, Out},
    tape::Note,
    time::Timestamp,
    tx::{Planned, Tx},
    universe::{Inner, Universe},
};

/// Something to do at a time.
#[derive(Clone, Debug)]
pub(crate) enum Job {
    Delivery(Delivery),
    /// The service waits no longer for the answer to a delivery that is still on its way, or lost.
    GiveUp(Delivery),
    Timer {
        twin: usize,
        name: SmolStr,
        data: Value,
        cause: Option<u64>,
        struck: bool,
    },
    Cut(Cut),
}

/// A job as listed.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct JobInfo {
    /// When it is due.
    pub due: Timestamp,
    /// The twin.
    pub twin: SmolStr,
    /// The kind of delivery, or the timer's name.
    pub what: SmolStr,
    /// Which attempt of a delivery comes next; 0 for timers.
    pub attempt: u32,
}

impl Job {
    pub(crate) fn from_plan(
        plan: Planned,
        id: u64,
        twin: usize,
        now: Timestamp,
        cause: Option<u64>,
        principal: &Principal,
    ) -> Option<(Timestamp, Self)> {
        Some(match plan {
            Planned::Socket(_) => return None,
            Planned::Delivery { kind, payload, after, .. } => {
                let delivery = Delivery {
                    id,
                    twin,
                    kind,
                    payload,
                    attempt: 1,
                    reason: SmolStr::default(),
                    cause,
                    principal: principal.clone(),
                    struck: false,
                    bad_signature: false,
                    waited: Duration::ZERO,
                    late: false,
                };
                (now.after(after), Self::Delivery(delivery))
            }
            Planned::Timer { name, data, at } => (at, Self::Timer { twin, name, data, cause, struck: false }),
        })
    }
}

/// Starts the universe's worker, where there is a runtime to run it. It ends with the universe.
pub(crate) fn start_worker(universe: &Arc<Universe>) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return;
    };
    let weak = Arc::downgrade(universe);
    let wake = Arc::clone(&universe.wake);
    runtime.spawn(async move {
        while let Some(wait) = work(&weak).await {
            match wait {
                Some(span) => {
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "the worker waits for the machine's clock on behalf of the virtual one"
                    )]
                    let due = tokio::time::sleep(span);
                    tokio::select! { () = wake.notified() => {}, () = due => {} }
                }
                None => wake.notified().await,
            }
        }
    });
}

/// Does all that is due. Gives back how long to wait for the next (`Some(None)`: until woken), or none where the
/// universe is gone.
async fn work(weak: &Weak<Universe>) -> Option<Option<Duration>> {
    loop {
        let universe = weak.upgrade()?;
        let Some((id, job)) = universe.take_due() else {
            return Some(universe.wait_for_next());
        };
        if universe.clock_mode() == ClockMode::Stepped {
            // One after the other: two equal runs see the same order.
            universe.do_job(id, job).await;
        } else {
            tokio::spawn(async move { universe.do_job(id, job).await });
        }
    }
}

impl Universe {
    /// The jobs to come, soonest first.
    pub fn jobs(&self) -> Vec<JobInfo> {
        let inner = self.look();
        let info = |((due, _), job): (&(Timestamp, u64), &Arc<Job>)| {
            let (twin, what, attempt) = match &**job {
                Job::Delivery(delivery) => (delivery.twin, delivery.kind.clone(), delivery.attempt),
                Job::GiveUp(delivery) => {
                    (delivery.twin, format_smolstr!("{} timeout", delivery.kind), delivery.attempt)
                }
                Job::Timer { twin, name, .. } => (*twin, name.clone(), 0),
                Job::Cut(cut) => (cut.slot, SmolStr::new_static("close_socket"), 0),
            };
            JobInfo { due: *due, twin: self.twins()[twin].name().into(), what, attempt }
        };
        inner.jobs.iter().map(info).collect()
    }

    /// Waits until nothing is under way and nothing is due: all requests answered, all deliveries done. False
    /// where that did not come within `patience` (machine time).
    pub async fn settle(&self, patience: Duration) -> bool {
        let calm = async {
            loop {
                let eased = self.eased.notified();
                if self.is_calm() {
                    return;
                }
                eased.await;
            }
        };
        tokio::time::timeout(patience, calm).await.is_ok()
    }

    /// Whether nothing is under way and nothing is due. A call that waits for a delivery that comes later is not under
    /// way: it waits for the clock.
    pub fn is_calm(&self) -> bool {
        let inner = self.look();
        let now = inner.clock.now();
        let due = inner.jobs.get_min().is_some_and(|((due, _), _)| *due <= now);
        !due && self.busy.load(Ordering::SeqCst) == self.awaited.lock().parked()
    }

    /// Moves the clock to `to`, stopping at each job on the way so that it is done at its own time. Does nothing
    /// where `to` has passed.
    pub async fn advance_to(&self, to: Timestamp) {
        /// How long a receiver may hold up the clock at one stop: longer than any service waits for one.
        const PATIENCE: Duration = Duration::from_secs(40);
        let from = self.now();
        loop {
            self.settle(PATIENCE).await;
            let next = self.look().jobs.get_min().map(|((due, _), _)| *due).filter(|due| *due <= to);
            let Some(due) = next else { break };
            let mut inner = self.lock();
            if due > inner.clock.now() {
                inner.clock.set(due);
            }
            drop(inner);
            self.wake.notify_one();
        }
        let mut inner = self.lock();
        if to > inner.clock.now() {
            inner.clock.set(to);
        }
        drop(inner);
        self.gates.notify_waiters();
        self.ledger().append(to, Principal::Operator, "", None, Event::Clock { from, to }, Vec::new());
        self.wake.notify_one();
    }

    /// Moves the clock on by `span`.
    pub async fn advance(&self, span: Duration) {
        self.advance_to(self.now().after(span)).await;
    }

    /// Moves the clock from job to job until none is left, or `most` virtual time has passed. Gives back how far.
    pub async fn run_until_quiet(&self, most: Duration) -> Duration {
        let start = self.now();
        let end = start.after(most);
        loop {
            self.settle(Duration::from_secs(40)).await;
            let next = self.look().jobs.get_min().map(|((due, _), _)| *due);
            match next {
                Some(due) if due <= end => self.advance_to(due).await,
                _ => return self.now().since(start),
            }
        }
    }

    fn take_due(&self) -> Option<(u64, Job)> {
        let mut inner = self.lock();
        let now = inner.clock.now();
        let key = inner.jobs.get_min().map(|(key, _)| *key).filter(|(due, _)| *due <= now)?;
        let job = inner.jobs.remove(&key)?;
        self.busy.fetch_add(1, Ordering::SeqCst);
        if let Job::Delivery(delivery @ Delivery { late: false, .. }) | Job::GiveUp(delivery) = &*job {
            self.awaited.lock().note(delivery.id, Fate::Goes);
        }
        Some((key.1, Arc::unwrap_or_clone(job)))
    }

    fn wait_for_next(&self) -> Option<Duration> {
        self.eased.notify_waiters();
        let inner = self.look();
        let ((due, _), _) = inner.jobs.get_min()?;
        inner.clock.wait_until(*due)
    }

    async fn do_job(self: Arc<Self>, id: u64, job: Job) {
        match job {
            Job::Timer { twin, name, data, cause, struck } => self.run_timer(id, (twin, name, data, cause, struck)),
            Job::Delivery(delivery) => self.do_delivery(id, delivery).await,
            Job::GiveUp(delivery) => self.give_up(id, delivery),
            Job::Cut(cut) => self.run_cut(id, cut),
        }
        self.ease();
    }

    /// A timer's turn has come.
    pub(crate) fn run_timer(&self, id: u64, timer: (usize, SmolStr, Value, Option<u64>, bool)) {
        let (twin, name, data, cause, struck) = timer;
        let now = self.note_job(id, &self.look());
        if struck || !self.is_delayed(twin, &name, &data, cause, now) {
            self.do_timer(twin, name, &data, cause, now);
        }
    }

    /// A socket's turn under a rule has come.
    pub(crate) fn run_cut(&self, id: u64, cut: Cut) {
        let now = self.note_job(id, &self.look());
        self.do_cut(cut, now);
    }

    /// Notes that a job is taken up, for replays. Gives back the time, which is the job's from here on.
    pub(crate) fn note_job(&self, id: u64, inner: &Inner) -> Timestamp {
        let at = inner.clock.now();
        if let Some(tape) = self.tape.get() {
            tape.add(Note::Job { seq: self.ledger().len(), id, at });
        }
        at
    }

    /// One request or job fewer under way.
    pub(crate) fn ease(&self) {
        self.busy.fetch_sub(1, Ordering::SeqCst);
        self.eased.notify_waiters();
    }

    /// Lets the fault plan have its say on a timer; true where it comes later for it.
    fn is_delayed(&self, twin: usize, name: &SmolStr, data: &Value, cause: Option<u64>, now: Timestamp) -> bool {
        let mut guard = self.lock();
        if guard.faults.is_empty() {
            return false;
        }
        let host = self.twins()[twin].name();
        let subject = Subject {
            kind: Strikes::Timers,
            twin: host,
            name,
            writes: true,
            cursors: &[],
            resource: "",
            caller: "",
            facts: &|| json!({ "args": data }),
        };
        let fate = guard.strike(subject, now, self.seeds());
        self.record_skipped(host, name, &fate.skipped, now);
        let Some(fired) = fate.fired else { return false };
        self.record_fault(host, name, &fired, now);
        let Effect::Delay { by } = fired.effect else { return false };
        let job = Job::Timer { twin, name: name.clone(), data: data.clone(), cause, struck: true };
        enqueue(&mut guard, now.after(by.0), job);
        true
    }

    fn do_timer(&self, twin: usize, name: SmolStr, data: &Value, cause: Option<u64>, now: Timestamp) {
        let origin = self.origin(twin);
        let mut guard = self.lock();
        let inner = &mut *guard;
        let mut state = Arc::clone(inner.state(twin));
        let mut tx = Tx::new(now, origin, (self.seeds(), self.limits()), &mut inner.ordinals);
        self.twins()[twin].on_timer(&mut state, &mut tx, &name, data);
        let (changes, planned) = (tx.changes.into_vec(), tx.planned);
        inner.commit(twin, state);
        let host = self.twins()[twin].name();
        let seq = self.ledger().append(now, Principal::System, host, cause, Event::Timer { name }, changes);
        self.plan(guard, twin, planned, Some(seq), &Principal::System, now);
    }

    async fn do_delivery(&self, job: u64, delivery: Delivery) {
        let Some(sent) = self.prepare_attempt(job, delivery) else { return };
        let outcome = match &sent.way {
            Way::Http(outbound) => send(outbound).await,
            Way::Socket(frame) => self.send_frame(frame).await,
        };
        self.conclude_attempt(sent, &outcome);
    }

    /// All of an attempt before something goes out; none where nothing does.
    pub(crate) fn prepare_attempt(&self, job: u64, delivery: Delivery) -> Option<Sent> {
        let (id, late) = (delivery.id, delivery.late);
        match self.take_up(job, delivery) {
            Ok(sent) => Some(sent),
            Err(fate) => {
                self.note_fate(id, late, fate);
                None
            }
        }
    }

    fn take_up(&self, job: u64, mut delivery: Delivery) -> Result<Sent, Fate> {
        let mut guard = self.lock();
        let now = self.note_job(job, &guard);
        if !delivery.struck {
            match self.fate(&mut guard, &mut delivery, now) {
                Fate::Goes => {}
                other => return Err(other),
            }
        }
        let host = &self.twins()[delivery.twin];
        let state = guard.state(delivery.twin);
        let frame = host.frame(state, &delivery, now).map(Way::Socket);
        let Some(way) = frame.or_else(|| host.prepare(state, &delivery, now).map(Way::Http)) else {
            self.note_dropped(&delivery, now);
            return Err(Fate::Over);
        };
        let way = way.within(delivery.waited);
        Ok(Sent { delivery, way, generation: guard.generation })
    }

    /// All of an attempt after something came back, or did not.
    pub(crate) fn conclude_attempt(&self, sent: Sent, outcome: &Outcome) {
        let (id, late) = (sent.delivery.id, sent.delivery.late);
        let fate = self.conclude(sent, outcome);
        self.note_fate(id, late, fate);
    }

    /// Nobody waits for a delivery that was given up.
    fn note_fate(&self, id: u64, late: bool, fate: Fate) {
        if !late {
            self.awaited.lock().note(id, fate);
        }
    }

    fn conclude(&self, sent: Sent, outcome: &Outcome) -> Fate {
        let Sent { delivery, way, generation } = sent;
        let guard = self.lock();
        if guard.generation != generation {
            return Fate::Over;
        }
        let now = guard.clock.now();
        let record = attempt_record(&delivery, &way, outcome);
        if delivery.late {
            let seq = self.note_attempt(&delivery, record, now);
            self.tape_receipt(seq, outcome);
            return Fate::Over;
        }
        self.take_in(guard, delivery, record, outcome, now)
    }

    /// Lets the twin take in what came of an attempt.
    pub(crate) fn take_in(
        &self,
        mut guard: RwLockWriteGuard<'_, Inner>,
        mut delivery: Delivery,
        record: Attempt,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Fate {
        let origin = self.origin(delivery.twin);
        let inner = &mut *guard;
        let mut state = Arc::clone(inner.state(delivery.twin));
        let mut tx = Tx::new(now, origin, (self.seeds(), self.limits()), &mut inner.ordinals);
        let host = &self.twins()[delivery.twin];
        let next = host.delivered(&mut state, &mut tx, &delivery, outcome);
        let (changes, planned) = (tx.changes.into_vec(), tx.planned);
        inner.commit(delivery.twin, state);
        let event = Event::Delivery(Box::new(record));
        let seq = self.ledger().append(now, Principal::System, host.name(), delivery.cause, event, changes);
        self.tape_receipt(seq, outcome);
        let (id, twin, principal) = (delivery.id, delivery.twin, delivery.principal.clone());
        let fate = match next {
            Next::Done => Fate::Over,
            Next::Retry { after, reason } => {
                delivery.attempt += 1;
                delivery.reason = SmolStr::new_static(reason);
                delivery.waited = Duration::ZERO;
                enqueue(inner, now.after(after), Job::Delivery(delivery));
                Fate::Waits
            }
        };
        if let Some(another) = self.plan(guard, twin, planned, Some(seq), &principal, now) {
            self.awaited.lock().follow(id, another);
        }
        self.wake.notify_one();
        fate
    }

    /// Sends one attempt over a socket, and waits for the client's answer.
    async fn send_frame(&self, frame: &Frame) -> Outcome {
        let Some(socket) = frame.socket else { return Outcome::Unreachable };
        let answer = self.sockets.expect(&frame.key);
        if !self.sockets.send(socket, Out::Text(frame.text.clone())) {
            drop(answer);
            self.sockets.give_up(&frame.key);
            return Outcome::Unreachable;
        }
        let Ok(Ok(body)) = tokio::time::timeout(frame.patience, answer).await else {
            self.sockets.give_up(&frame.key);
            return Outcome::TimedOut;
        };
        let json = HeaderValue::from_static(crate::wire::JSON);
        let headers = [(http::header::CONTENT_TYPE, json)].into_iter().collect();
        Outcome::Answered { status: 200, headers, body }
    }

    /// A delivery that lost its object before it went out.
    fn note_dropped(&self, delivery: &Delivery, now: Timestamp) {
        self.note_attempt(delivery, unsent(delivery, "dropped_by_service"), now);
    }

    fn note_attempt(&self, delivery: &Delivery, record: Attempt, now: Timestamp) -> u64 {
        let twin = self.twins()[delivery.twin].name();
        let event = Event::Delivery(Box::new(record));
        self.ledger().append(now, Principal::System, twin, delivery.cause, event, Vec::new())
    }

    /// Notes what came back, for replays.
    fn tape_receipt(&self, seq: u64, outcome: &Outcome) {
        if let Some(tape) = self.tape.get() {
            tape.receipt(seq, outcome);
        }
    }
}

/// An attempt that is on its way.
pub(crate) struct Sent {
    pub(crate) delivery: Delivery,
    way: Way,
    generation: u64,
}

impl Sent {
    /// What is sent.
    pub(crate) fn body(&self) -> Bytes {
        self.way.body()
    }
}

/// How an attempt goes out.
enum Way {
    Http(Outbound),
    Socket(Frame),
}

impl Way {
    /// The same with less time for the answer: so much has been spent on it already.
    fn within(mut self, spent: Duration) -> Self {
        match &mut self {
            Self::Http(outbound) => outbound.timeout = outbound.timeout.saturating_sub(spent),
            Self::Socket(frame) => frame.patience = frame.patience.saturating_sub(spent),
        }
        self
    }

    /// Where to, for the ledger.
    fn address(&self) -> SmolStr {
        match self {
            Self::Http(outbound) => SmolStr::new(&outbound.url),
            Self::Socket(Frame { socket: Some(socket), .. }) => format_smolstr!("socket:{socket}"),
            Self::Socket(Frame { socket: None, .. }) => SmolStr::new_static("socket:none"),
        }
    }

    fn body(&self) -> Bytes {
        match self {
            Self::Http(outbound) => outbound.body.clone(),
            Self::Socket(frame) => Bytes::copy_from_slice(frame.text.as_bytes()),
        }
    }
}

pub(crate) fn enqueue(inner: &mut Inner, due: Timestamp, job: Job) {
    let id = inner.next_job;
    inner.next_job += 1;
    inner.jobs.insert((due, id), Arc::new(job));
}

/// The record of an attempt that never went out.
pub(crate) fn unsent(delivery: &Delivery, why: &'static str) -> Attempt {
    Attempt {
        delivery: delivery.id,
        kind: delivery.kind.clone(),
        url: SmolStr::default(),
        attempt: delivery.attempt,
        request: Bytes::new(),
        outcome: Err(why),
        response: Bytes::new(),
    }
}

fn attempt_record(delivery: &Delivery, way: &Way, outcome: &Outcome) -> Attempt {
    Attempt {
        delivery: delivery.id,
        kind: delivery.kind.clone(),
        url: way.address(),
        attempt: delivery.attempt,
        request: way.body(),
        outcome: outcome.summary(),
        response: match outcome {
            Outcome::Answered { body, .. } => body.clone(),
            _ => Bytes::new(),
        },
    }
}

/// The longest answer to a delivery that is read.
const ANSWER_MAX: usize = 1 << 20;

/// Sends one attempt: to this machine only, within its time, following as many redirects as the service does.
async fn send(outbound: &Outbound) -> Outcome {
    match tokio::time::timeout(outbound.timeout, follow(outbound)).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::TimedOut,
    }
}

async fn follow(outbound: &Outbound) -> Outcome {
    let mut url = outbound.url.clone();
    for _ in 0..=outbound.redirects {
        if !is_allowed(&url) {
            return Outcome::Forbidden;
        }
        let request = client()
            .request(outbound.method.clone(), &url)
            .headers(outbound.headers.clone())
            .body(outbound.body.clone());
        let Ok(mut response) = request.send().await else {
            return Outcome::Unreachable;
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let location = headers.get(http::header::LOCATION).and_then(|value| value.to_str().ok());
        if let (true, Some(location)) = (status.is_redirection(), location) {
            let base = url::Url::parse(&url).and_then(|base| base.join(location));
            match base {
                Ok(next) => url = next.to_string(),
                Err(_) => return Outcome::Unreachable,
            }
            continue;
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() < ANSWER_MAX => body.extend_from_slice(&chunk),
                Ok(_) => break,
                Err(_) => return Outcome::Unreachable,
            }
        }
        body.truncate(ANSWER_MAX);
        return Outcome::Answered { status: status.as_u16(), headers, body: body.into() };
    }
    Outcome::TooManyRedirects
}

/// The process's one client: no proxy, no redirects of its own, no connection kept (targets come and go).
fn client() -> &'static reqwest::Client {
    static CLIENT: std::sync::OnceLock<reqwest::Client> = std::sync::OnceLock::new();
    CLIENT.get_or_init(|| {
        reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .build()
            .expect("a client without TLS needs nothing that could be missing")
    })
}
