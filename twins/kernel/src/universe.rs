//! A universe: an isolated running set of twins over one world, with one seed, clock, ledger and fault plan.
//!
//! All that a universe remembers is one value behind one lock ([`Inner`]). Snapshot, fork and restore copy that
//! value, which costs a few pointers.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use imbl::OrdMap;
use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use serde_json::{Map, Value, json};
use smol_str::{SmolStr, format_smolstr};
use tokio::sync::Notify;

use crate::{
    clock::{Clock, ClockMode},
    diagnostic::Diagnostic,
    distort::Distort,
    fate::Awaited,
    fault::{FaultPlan, Fired, Rule, RuleError, Skipped, Struck, Subject, Tally},
    history::History,
    host::{Host, StateBox},
    job::Job,
    ledger::{Event, Keep, Ledger, Lineage, NetChange, Principal},
    limits::Limits,
    past::Past,
    rows::Reader,
    seed::{Ordinals, SeedTree, Site},
    socket::{End, Out, SocketId, Sockets},
    tape::Tape,
    time::Timestamp,
    twin::{Allowance, Counted, EnvVar, Quota, Refusal},
    tx::{Planned, SocketAct, Tx},
    windows::{MINUTE, Windows},
    world::World,
};

/// How a universe is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seed of all draws.
    pub seed: u64,
    /// How its time relates to the machine's.
    pub clock: ClockMode,
    /// What the clock shows at the start; the machine's time, or the world's epoch under a stepped clock, where absent.
    pub start: Option<Timestamp>,
    /// Whether the services' real rate limits hold.
    pub limits: Limits,
    /// How much the ledger keeps.
    pub keep: Keep,
    /// Whether each answer is held against the service's public documents; one that does not fit is answered as a
    /// server error that says why.
    pub check: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, clock: ClockMode::Real, start: None, limits: Limits::Off, keep: Keep::Full, check: false }
    }
}

/// An isolated running set of twins.
#[derive(Debug)]
pub struct Universe {
    id: SmolStr,
    seeds: SeedTree,
    world: Arc<World>,
    twins: Arc<[Arc<dyn Host>]>,
    limits: Limits,
    check: bool,
    inner: RwLock<Inner>,
    ledger: Ledger,
    /// Calls that have come and are not answered yet, by twin.
    under_way: Vec<AtomicUsize>,
    /// Told when rules are armed or disarmed, or the clock is moved: ports may have to open or close.
    pub(crate) gates: Arc<Notify>,
    /// Requests so far: keys the draws of request ids, so that reads need no pen.
    requests: AtomicU64,
    /// Requests and jobs under way.
    pub(crate) busy: AtomicUsize,
    /// Wakes the worker: a job was added or the clock was moved.
    pub(crate) wake: Arc<Notify>,
    /// Told whenever a request or job ends.
    pub(crate) eased: Notify,
    /// Deliveries that answers wait for, until they are over.
    pub(crate) awaited: Mutex<Awaited>,
    /// Open sockets.
    pub(crate) sockets: Sockets,
    /// What a replay needs besides the ledger; empty where nobody is to replay.
    pub(crate) tape: std::sync::OnceLock<Tape>,
    /// What is done to the target's calls; nothing where nobody plays a bad program.
    pub(crate) distortion: std::sync::OnceLock<Arc<dyn Distort>>,
    origins: RwLock<Vec<SmolStr>>,
    beginning: Snapshot,
    snapshots: Mutex<BTreeMap<SmolStr, Snapshot>>,
}

/// The value of a universe.
#[derive(Clone, Debug)]
pub(crate) struct Inner {
    states: States,
    past: Past,
    /// All states from some moment on, where somebody asked for them.
    history: Option<History>,
    pub(crate) ordinals: Ordinals,
    pub(crate) clock: Clock,
    pub(crate) faults: FaultPlan,
    pub(crate) jobs: OrdMap<(Timestamp, u64), Arc<Job>>,
    pub(crate) next_job: u64,
    /// Counts restores, so that a job that was under way across one does not touch the restored state.
    pub(crate) generation: u64,
    windows: Windows,
}

/// The states of a universe's stores. Twins that name the same store work on one state.
#[derive(Clone, Debug)]
pub(crate) struct States {
    /// One for each store, in the order in which twins first name them.
    boxes: Vec<StateBox>,
    /// Each twin's store, as a place in `boxes`.
    places: Arc<[usize]>,
}

impl States {
    /// The state that a twin works on.
    fn of(&self, slot: usize) -> &StateBox {
        &self.boxes[self.places[slot]]
    }

    /// Replaces it.
    fn set(&mut self, slot: usize, state: StateBox) {
        self.boxes[self.places[slot]] = state;
    }
}

/// A call's number, and what is drawn for its request id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) nr: u64,
    pub(crate) bits: (u64, u64),
}

/// A universe's value at one moment. Taking and keeping one costs pointers.
#[derive(Clone, Debug)]
pub struct Snapshot {
    inner: Inner,
    now: Timestamp,
    requests: u64,
    lineage: Lineage,
    seq: u64,
    /// The sockets that its rows tell of.
    sockets: Vec<(SocketId, usize)>,
}

/// What is known of a kept snapshot.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct SnapshotInfo {
    /// Its id.
    pub id: SmolStr,
    /// What the clock showed.
    pub at: Timestamp,
    /// The ledger's length then.
    pub seq: u64,
}

impl Quota {
    /// The quota of a caller who is not limited yet: nothing counted.
    pub(crate) fn untouched(limit: u32, now: Timestamp) -> Self {
        Self { limit, remaining: limit.saturating_sub(1), reset: now.after(MINUTE) }
    }

    /// The quota shown to callers who were refused before any count.
    pub(crate) fn free(now: Timestamp) -> Self {
        Self::untouched(600, now)
    }
}

impl Inner {
    pub(crate) fn strike(&mut self, subject: Subject<'_>, now: Timestamp, seeds: &SeedTree) -> Struck {
        if self.faults.is_empty() {
            return Struck::default();
        }
        self.faults.strike(subject, now, seeds, &mut self.ordinals)
    }

    /// The state that a twin works on.
    pub(crate) fn state(&self, slot: usize) -> &StateBox {
        self.states.of(slot)
    }

    /// The state that a twin worked on at `then`, as far back as it is kept.
    pub(crate) fn state_at(&self, slot: usize, then: Timestamp) -> &StateBox {
        self.past.at(self.states.places[slot], then).unwrap_or_else(|| self.states.of(slot))
    }

    /// The same without faults, to try something on.
    pub(crate) fn scratch(&self) -> Self {
        let mut scratch = self.clone();
        scratch.faults.clear();
        scratch.history = None;
        scratch
    }

    /// Replaces the state that a twin works on.
    pub(crate) fn commit(&mut self, slot: usize, state: StateBox) {
        if let Some(lag) = self.faults.lag() {
            let was = Arc::clone(self.states.of(slot));
            self.past.keep(self.states.places[slot], self.clock.now(), was, lag);
        }
        self.states.set(slot, state);
        self.remember();
    }

    /// Adds the present states to the history, where one is kept.
    fn remember(&mut self) {
        let now = self.clock.now();
        if let Some(history) = &mut self.history {
            history.add(now, &self.states.boxes);
        }
    }
}

impl Universe {
    /// A universe of `twins` over `world`, at its beginning.
    ///
    /// # Errors
    /// Every problem with the twins' sections of the world file.
    pub fn create(
        id: impl Into<SmolStr>,
        twins: Arc<[Arc<dyn Host>]>,
        world: Arc<World>,
        options: &Options,
    ) -> Result<Arc<Self>, Vec<Diagnostic>> {
        let seeds = SeedTree::new(options.seed);
        let start = match options.clock {
            ClockMode::Stepped => options.start.or(Some(world.epoch)),
            _ => options.start,
        };
        let clock = Clock::new(options.clock, start);
        let mut ordinals = Ordinals::default();
        let (mut boxes, mut problems) = (Vec::with_capacity(twins.len()), Vec::new());
        let mut stores: indexmap::IndexSet<&'static str> = indexmap::IndexSet::new();
        for twin in twins.iter() {
            if !stores.insert(twin.store()) {
                continue;
            }
            let mut tx = Tx::new(world.epoch, SmolStr::default(), (&seeds, options.limits), &mut ordinals);
            match twin.load(&world, &mut tx) {
                Ok(state) => boxes.push(state),
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let place = |twin: &Arc<dyn Host>| stores.get_index_of(twin.store()).unwrap_or_default();
        let inner = Inner {
            states: States { places: twins.iter().map(place).collect(), boxes },
            past: Past::default(),
            history: None,
            ordinals,
            clock,
            faults: FaultPlan::default(),
            jobs: OrdMap::new(),
            next_job: 0,
            generation: 0,
            windows: Windows::default(),
        };
        let ledger = Ledger::new(options.keep);
        let detail = json!({ "world": world.name, "seed": options.seed, "clock": options.clock.to_string() });
        let rules = (options.limits, options.check);
        let none = Vec::new();
        Ok(Self::assemble(id.into(), seeds, world, twins, rules, inner, ledger, 0, none, "created", detail))
    }

    #[expect(clippy::too_many_arguments, reason = "the one constructor behind create and fork")]
    fn assemble(
        id: SmolStr,
        seeds: SeedTree,
        world: Arc<World>,
        twins: Arc<[Arc<dyn Host>]>,
        (limits, check): (Limits, bool),
        inner: Inner,
        ledger: Ledger,
        requests: u64,
        ghosts: Vec<(SocketId, usize)>,
        action: &'static str,
        detail: Value,
    ) -> Arc<Self> {
        let now = inner.clock.now();
        let action = SmolStr::new_static(action);
        ledger.append(now, Principal::Operator, "", None, Event::Control { action, detail }, Vec::new());
        let beginning = Snapshot {
            inner: inner.clone(),
            now,
            requests,
            lineage: ledger.lineage(),
            seq: ledger.len(),
            sockets: ghosts.clone(),
        };
        let universe = Arc::new(Self {
            id,
            seeds,
            world,
            origins: RwLock::new(vec![SmolStr::default(); twins.len()]),
            limits,
            check,
            inner: RwLock::new(inner),
            ledger,
            under_way: (0..twins.len()).map(|_| AtomicUsize::new(0)).collect(),
            gates: Arc::new(Notify::new()),
            requests: AtomicU64::new(requests),
            busy: AtomicUsize::new(0),
            wake: Arc::new(Notify::new()),
            eased: Notify::new(),
            awaited: Mutex::default(),
            sockets: Sockets::default(),
            tape: std::sync::OnceLock::new(),
            distortion: std::sync::OnceLock::new(),
            beginning,
            snapshots: Mutex::new(BTreeMap::new()),
            twins,
        });
        universe.lay_ghosts(&mut universe.lock(), &ghosts);
        crate::job::start_worker(&universe);
        universe
    }

    /// A universe that goes on from this one's present, apart from it: no write in one is visible in the other.
    pub fn fork(&self, id: impl Into<SmolStr>, seed: Option<u64>) -> Arc<Self> {
        let inner = Inner { history: None, ..self.inner.read().clone() };
        let seeds = seed.map_or_else(|| self.seeds.clone(), SeedTree::new);
        let detail = json!({ "from": self.id, "seq": self.ledger.len(), "seed": seeds.seed() });
        let ledger = Ledger::new(self.ledger.keep());
        let requests = self.requests.load(Ordering::Relaxed);
        let (world, twins) = (Arc::clone(&self.world), Arc::clone(&self.twins));
        Self::assemble(
            id.into(),
            seeds,
            world,
            twins,
            (self.limits, self.check),
            inner,
            ledger,
            requests,
            self.sockets.open(),
            "forked",
            detail,
        )
    }

    /// The universe's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The seed of all draws.
    pub fn seed(&self) -> u64 {
        self.seeds.seed()
    }

    pub(crate) fn seeds(&self) -> &SeedTree {
        &self.seeds
    }

    /// The world it started from.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The twins, in the order of their slots.
    pub fn twins(&self) -> &[Arc<dyn Host>] {
        &self.twins
    }

    /// The slot of a twin.
    pub fn slot(&self, twin: &str) -> Option<usize> {
        self.twins.iter().position(|host| host.name() == twin)
    }

    /// The log of all that happened.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The universe's time.
    pub fn now(&self) -> Timestamp {
        self.inner.read().clock.now()
    }

    /// How its time relates to the machine's.
    pub fn clock_mode(&self) -> ClockMode {
        self.inner.read().clock.mode()
    }

    /// A part of a twin's state as people and checks see it.
    pub fn view(&self, twin: &str, name: &str) -> Option<Value> {
        let slot = self.slot(twin)?;
        let state = Arc::clone(self.inner.read().state(slot));
        self.twins[slot].view(&state, name)
    }

    /// A view of the present state, to be read row by row; none where it can only be rendered.
    pub fn read_view(&self, twin: &str, name: &str) -> Option<Arc<dyn Reader>> {
        let slot = self.slot(twin)?;
        let state = Arc::clone(self.inner.read().state(slot));
        self.twins[slot].read_view(&state, name)
    }

    /// Keeps all states from now on, the present one first. Each write then keeps what it replaced.
    pub fn keep_history(&self) {
        let mut inner = self.inner.write();
        inner.history = Some(History::default());
        inner.remember();
    }

    /// How many states were kept; 0 where none are.
    pub fn history_len(&self) -> usize {
        self.inner.read().history.as_ref().map_or(0, History::len)
    }

    /// When a kept state came about, by its number.
    pub fn then(&self, at: usize) -> Option<Timestamp> {
        self.inner.read().history.as_ref()?.since(at)
    }

    /// [`Universe::view`] of a kept state, by its number.
    pub fn view_then(&self, at: usize, twin: &str, name: &str) -> Option<Value> {
        let slot = self.slot(twin)?;
        let state = {
            let inner = self.inner.read();
            Arc::clone(inner.history.as_ref()?.of(at, inner.states.places[slot])?)
        };
        self.twins[slot].view(&state, name)
    }

    /// [`Universe::read_view`] of a kept state, by its number.
    pub fn read_view_then(&self, at: usize, twin: &str, name: &str) -> Option<Arc<dyn Reader>> {
        let slot = self.slot(twin)?;
        let state = {
            let inner = self.inner.read();
            Arc::clone(inner.history.as_ref()?.of(at, inner.states.places[slot])?)
        };
        self.twins[slot].read_view(&state, name)
    }

    /// Whether a twin's state is another in a kept state than in the one before it.
    pub fn is_new_then(&self, at: usize, twin: &str) -> bool {
        let Some(slot) = self.slot(twin) else { return false };
        let inner = self.inner.read();
        inner.history.as_ref().is_some_and(|history| history.is_new(at, inner.states.places[slot]))
    }

    /// A twin's state itself, where its type is known (tests and benchmarks).
    pub fn state<S: Send + Sync + 'static>(&self, twin: &str) -> Option<Arc<S>> {
        let slot = self.slot(twin)?;
        let state = Arc::clone(self.inner.read().state(slot));
        state.downcast().ok()
    }

    /// Replaces a twin's state by what `edit` makes of it, outside ledger and rules (seeding of large worlds in
    /// tests and benchmarks). False where there is no such twin, or its state is of another type.
    pub fn seed_state<S: Clone + Send + Sync + 'static>(
        &self,
        twin: &str,
        edit: impl FnOnce(&mut S, &mut Tx<'_>),
    ) -> bool {
        let Some(slot) = self.slot(twin) else { return false };
        let mut guard = self.inner.write();
        let inner = &mut *guard;
        let Some(state) = inner.state(slot).downcast_ref::<S>() else { return false };
        let mut next = state.clone();
        let mut tx = Tx::new(inner.clock.now(), self.origin(slot), (&self.seeds, self.limits), &mut inner.ordinals);
        edit(&mut next, &mut tx);
        inner.commit(slot, Arc::new(next));
        true
    }

    /// The environment variables that clients of all twins read.
    ///
    /// Where twins of one store name the same variable, the first of them sets it.
    pub fn env(&self) -> Vec<EnvVar> {
        let inner = self.inner.read().clone();
        let mut all: indexmap::IndexMap<&'static str, EnvVar> = indexmap::IndexMap::new();
        for (slot, twin) in self.twins.iter().enumerate() {
            for variable in twin.env(inner.state(slot), &self.origin(slot)) {
                all.entry(variable.name).or_insert(variable);
            }
        }
        all.into_values().collect()
    }

    /// Where a twin is served, for URLs in deliveries.
    pub fn origin(&self, slot: usize) -> SmolStr {
        self.origins.read()[slot].clone()
    }

    /// Says where a twin is served: `http://host:port`.
    pub fn set_origin(&self, slot: usize, origin: impl Into<SmolStr>) {
        self.origins.write()[slot] = origin.into();
    }

    /// Performs a human act in a twin, as `actor` (a person's key or mail address).
    ///
    /// # Errors
    /// What the person would have been told; nothing has changed then.
    pub fn perform(&self, verb: &str, actor: &str, with: Map<String, Value>) -> Result<Value, Refusal> {
        let twin = verb.split('.').next().unwrap_or_default();
        let Some(slot) = self.slot(twin) else {
            return Err(Refusal::new(format!("no twin offers the verb `{verb}`")));
        };
        let origin = self.origin(slot);
        let mut guard = self.inner.write();
        let inner = &mut *guard;
        let now = inner.clock.now();
        let mut state = Arc::clone(inner.state(slot));
        let mut tx = Tx::new(now, origin, (&self.seeds, self.limits), &mut inner.ordinals);
        let shown = Value::Object(with.clone());
        let outcome = self.twins[slot].perform(&mut state, &mut tx, verb, actor, with);
        let (changes, planned) = match outcome {
            Ok(_) => (tx.changes.into_vec(), tx.planned),
            Err(_) => (Vec::new(), Vec::new()),
        };
        inner.commit(slot, state);
        let principal = Principal::Actor(actor.into());
        let event =
            Event::Affordance { verb: verb.into(), with: shown, outcome: outcome.clone().map_err(|refusal| refusal.0) };
        let twin = self.twins[slot].name();
        let seq = self.ledger.append(now, principal.clone(), twin, None, event, changes);
        self.plan(guard, slot, planned, Some(seq), &principal, now);
        outcome
    }

    /// Arms fault rules behind those already armed.
    ///
    /// # Errors
    /// [`RuleError`]; nothing is armed then.
    pub fn arm(&self, rules: &[Rule]) -> Result<(), RuleError> {
        if rules.is_empty() {
            return Ok(());
        }
        let mut inner = self.inner.write();
        let now = inner.clock.now();
        inner.faults.arm(rules, now)?;
        let ids: Vec<&SmolStr> = rules.iter().map(|rule| &rule.id).collect();
        self.note_control(now, "faults", json!({ "armed": ids }));
        for (socket, slot) in self.sockets.open() {
            let serial = self.sockets.serial(socket).unwrap_or_default();
            self.plan_cuts(&mut inner, slot, socket, serial, rules);
        }
        self.wake.notify_one();
        self.gates.notify_waiters();
        Ok(())
    }

    /// Arms fault rules as people write them: those that name a twin or an operation that is not there are refused too.
    ///
    /// # Errors
    /// [`RuleError`]; nothing is armed then.
    pub fn arm_checked(&self, rules: &[Rule]) -> Result<(), RuleError> {
        rules.iter().try_for_each(|rule| crate::fault::aimed(rule, &self.twins))?;
        self.arm(rules)
    }

    /// Arms fault rules until the guard is dropped.
    ///
    /// # Errors
    /// [`RuleError`]; nothing is armed then.
    pub fn arm_guarded(self: &Arc<Self>, rules: &[Rule]) -> Result<Armed, RuleError> {
        self.arm(rules)?;
        let rules = rules.iter().map(|rule| rule.id.clone()).collect();
        Ok(Armed { universe: Arc::clone(self), rules })
    }

    /// The rule that closes a twin's port now, if any; none also where none ever may.
    pub(crate) fn refusal(&self, slot: usize) -> Option<SmolStr> {
        let inner = self.inner.read();
        let rule = inner.faults.refuses(self.twins[slot].name(), inner.clock.now(), &self.seeds)?;
        Some(rule.id.clone())
    }

    /// Whether a rule may close a twin's port, now or later.
    pub(crate) fn may_refuse(&self, slot: usize) -> bool {
        self.inner.read().faults.may_refuse(self.twins[slot].name())
    }

    /// Notes that a twin's port has closed.
    pub(crate) fn note_refusal(&self, slot: usize, rule: &SmolStr) {
        let mut inner = self.inner.write();
        inner.faults.note_fired(rule);
        let now = inner.clock.now();
        let effect = crate::fault::Effect::Refuse {};
        let fired = Fired { rule: rule.clone(), effect, drawn: Duration::ZERO };
        self.record_fault(self.twins[slot].name(), "connect", &fired, now);
    }

    /// Disarms one rule, or all where none is named; false where there was no such rule.
    pub fn disarm(&self, rule: Option<&str>) -> bool {
        let mut inner = self.inner.write();
        let now = inner.clock.now();
        let found = rule.is_none_or(|rule| inner.faults.disarm(rule));
        if rule.is_none() {
            inner.faults.clear();
        }
        if inner.faults.lag().is_none() {
            inner.past.clear();
        }
        self.note_control(now, "faults", json!({ "disarmed": rule.unwrap_or("*") }));
        self.gates.notify_waiters();
        found
    }

    /// The armed rules, and how each has fared.
    pub fn faults(&self) -> Vec<(Rule, Tally)> {
        let inner = self.inner.read();
        let faults = &inner.faults;
        let row = |armed: &Arc<crate::fault::ArmedRule>| {
            let id = &armed.rule.id;
            (armed.rule.clone(), faults.tally(id))
        };
        faults.rules().iter().map(row).collect()
    }

    /// Keeps the present; gives back the snapshot's id.
    pub fn snapshot(&self) -> SnapshotInfo {
        let inner = self.inner.read();
        let now = inner.clock.now();
        let snapshot = Snapshot {
            inner: inner.clone(),
            now,
            requests: self.requests.load(Ordering::Relaxed),
            lineage: self.ledger.lineage(),
            seq: self.ledger.len(),
            sockets: self.sockets.open(),
        };
        let mut kept = self.snapshots.lock();
        let id = format_smolstr!("snap-{}", kept.len() + 1);
        let info = SnapshotInfo { id: id.clone(), at: now, seq: snapshot.seq };
        kept.insert(id.clone(), snapshot);
        self.note_control(now, "snapshot", json!({ "id": id }));
        info
    }

    /// The kept snapshots.
    pub fn snapshots(&self) -> Vec<SnapshotInfo> {
        let info = |(id, kept): (&SmolStr, &Snapshot)| SnapshotInfo { id: id.clone(), at: kept.now, seq: kept.seq };
        self.snapshots.lock().iter().map(info).collect()
    }

    /// Goes back to a kept snapshot; false where there is none of that id. The ledger goes on.
    pub fn restore(&self, id: &str) -> bool {
        let Some(snapshot) = self.snapshots.lock().get(id).cloned() else {
            return false;
        };
        self.rewind(&snapshot, "restored", json!({ "id": id }));
        true
    }

    /// Goes back to the universe's beginning. Kept snapshots stay.
    pub fn reset(&self) {
        self.rewind(&self.beginning.clone(), "reset", json!({}));
    }

    fn rewind(&self, to: &Snapshot, action: &'static str, detail: Value) {
        let mut inner = self.inner.write();
        let (generation, history) = (inner.generation + 1, inner.history.take());
        *inner = Inner { history, generation, ..to.inner.clone() };
        inner.clock.set(to.now);
        inner.remember();
        self.requests.store(to.requests, Ordering::Relaxed);
        self.ledger.rebase(&to.lineage);
        self.note_control(to.now, action, detail);
        self.sockets.clear();
        // What they wait for will not come any more.
        self.awaited.lock().clear();
        self.lay_ghosts(&mut inner, &to.sockets);
        drop(inner);
        self.eased.notify_waiters();
        self.gates.notify_waiters();
        self.wake.notify_one();
    }

    /// Lets twins forget sockets that their rows tell of and whose connections are another's.
    fn lay_ghosts(&self, inner: &mut Inner, ghosts: &[(SocketId, usize)]) {
        for (socket, slot) in ghosts {
            self.forget_socket(inner, *slot, *socket, End::Rewound);
        }
    }

    /// The net changes of all rows since ledger entry `since`.
    ///
    /// # Errors
    /// Where ledger entries on disk cannot be read back.
    pub fn diff(&self, since: u64) -> std::io::Result<Vec<NetChange>> {
        self.ledger.diff(since)
    }

    pub(crate) fn note_control(&self, now: Timestamp, action: &'static str, detail: Value) {
        let action = SmolStr::new_static(action);
        self.ledger.append(now, Principal::Operator, "", None, Event::Control { action, detail }, Vec::new());
    }

    pub(crate) fn record_fault(&self, twin: &'static str, on: &str, fired: &Fired, now: Timestamp) -> u64 {
        let event = Event::Fault {
            rule: fired.rule.clone(),
            on: on.into(),
            effect: serde_json::to_value(&fired.effect).unwrap_or(Value::Null),
        };
        self.ledger.append(now, Principal::Fault(fired.rule.clone()), twin, None, event, Vec::new())
    }

    /// Notes rules that did not fire, each for the first time for its reason.
    pub(crate) fn record_skipped(&self, twin: &'static str, on: &str, skipped: &[Skipped], now: Timestamp) {
        for Skipped { rule, why } in skipped {
            let event = Event::FaultSkipped { rule: rule.clone(), on: on.into(), why: why.words() };
            self.ledger.append(now, Principal::Fault(rule.clone()), twin, None, event, Vec::new());
        }
    }

    /// Counts a call as under way in a twin until the guard is dropped.
    pub(crate) fn under_way(&self, slot: usize) -> UnderWay<'_> {
        self.under_way[slot].fetch_add(1, Ordering::SeqCst);
        UnderWay(&self.under_way[slot])
    }

    /// Whether more calls are under way in a twin than the service takes at once.
    pub(crate) fn has_too_many(&self, slot: usize, most: Option<u32>) -> bool {
        let most = most.and_then(|most| self.limits.of(most)).and_then(|most| usize::try_from(most).ok());
        most.is_some_and(|most| self.under_way[slot].load(Ordering::SeqCst) > most)
    }

    pub(crate) fn lock(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write()
    }

    pub(crate) fn look(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read()
    }

    /// Whether answers are held against the services' public documents.
    pub(crate) const fn checks(&self) -> bool {
        self.check
    }

    /// Whether a call that only reads must take the pen all the same: to count limits or draw faults.
    pub(crate) fn needs_pen(&self, twin: &str, operation: &str) -> bool {
        self.limits.are_on() || self.inner.read().faults.concerns(twin, operation)
    }

    pub(crate) fn request_mark(&self, twin: &'static str) -> Mark {
        let nr = self.requests.fetch_add(1, Ordering::Relaxed);
        let mut draw = self.seeds.draw(Site::named(twin).child("request"), nr);
        Mark { nr, bits: (draw.bits(), draw.bits()) }
    }

    /// Makes the next call the one of this number.
    pub(crate) fn number_requests_from(&self, nr: u64) {
        self.requests.store(nr, Ordering::Relaxed);
    }

    /// Which of the services' limits hold.
    pub(crate) const fn limits(&self) -> Limits {
        self.limits
    }

    /// Whether anybody is limited.
    pub(crate) const fn limits_are_on(&self) -> bool {
        self.limits.are_on()
    }

    /// Counts a call against a twin's limits at the universe's scale: see [`Windows::count`].
    pub(crate) fn count(
        &self,
        inner: &mut Inner,
        twin: &str,
        allowances: Vec<Allowance>,
        now: Timestamp,
    ) -> Vec<Counted> {
        let scaled = |allowance: Allowance| Some(Allowance { calls: self.limits.of(allowance.calls)?, ..allowance });
        inner.windows.count(twin, allowances.into_iter().filter_map(scaled), now)
    }

    /// Counts a call that came while the service had its hands full.
    pub(crate) fn count_at_once(&self, inner: &mut Inner, twin: &str, most: u32, now: Timestamp) -> Counted {
        inner.windows.count_at_once(twin, self.limits.of(most).unwrap_or(most), now)
    }

    /// Queues what a write wants to happen, then gives the pen back and wakes the worker. Gives back the delivery
    /// that the answer waits for, if any.
    pub(crate) fn plan(
        &self,
        mut guard: RwLockWriteGuard<'_, Inner>,
        slot: usize,
        planned: Vec<Planned>,
        cause: Option<u64>,
        principal: &Principal,
        now: Timestamp,
    ) -> Option<u64> {
        if planned.is_empty() {
            return None;
        }
        let awaited = self.carry_out(&mut guard, slot, planned, cause, principal, now);
        drop(guard);
        self.wake.notify_one();
        awaited
    }

    /// Queues what a write wants to happen later, and does to sockets what it wants done now, in order.
    pub(crate) fn carry_out(
        &self,
        inner: &mut Inner,
        slot: usize,
        planned: Vec<Planned>,
        cause: Option<u64>,
        principal: &Principal,
        now: Timestamp,
    ) -> Option<u64> {
        let mut awaited = None;
        for plan in planned {
            let plan = match plan {
                Planned::Socket(act) => {
                    self.act_on_socket(inner, slot, act, cause, now);
                    continue;
                }
                later => later,
            };
            let id = inner.next_job;
            inner.next_job += 1;
            if let Planned::Delivery { awaited: true, .. } = plan {
                self.awaited.lock().expect(id);
                awaited = Some(id);
            }
            if let Some((due, job)) = Job::from_plan(plan, id, slot, now, cause, principal) {
                inner.jobs.insert((due, id), Arc::new(job));
            }
        }
        awaited
    }

    fn act_on_socket(&self, inner: &mut Inner, slot: usize, act: SocketAct, cause: Option<u64>, now: Timestamp) {
        match act {
            SocketAct::Open { socket } => {
                let serial = self.sockets.add(socket, slot);
                self.plan_cuts(inner, slot, socket, serial, &[]);
            }
            SocketAct::Push { socket, text } => {
                let body = bytes::Bytes::copy_from_slice(text.as_bytes());
                if self.sockets.send(socket, Out::Text(text)) {
                    let event = Event::Frame { socket, from_client: false, text: body };
                    let twin = self.twins[slot].name();
                    self.ledger.append(now, Principal::System, twin, cause, event, Vec::new());
                }
            }
            SocketAct::Close { socket, code, reason } => {
                self.sockets.send(socket, Out::Close(code, reason));
            }
            SocketAct::Answer { key, body } => self.sockets.answer(&key, &body),
        }
    }
}

/// A call under way: dropped when its answer is on its way.
#[derive(Debug)]
pub(crate) struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Rules that are disarmed when this is dropped, for tests.
#[derive(Debug)]
pub struct Armed {
    universe: Arc<Universe>,
    rules: Vec<SmolStr>,
}

impl Drop for Armed {
    fn drop(&mut self) {
        for rule in &self.rules {
            self.universe.disarm(Some(rule));
        }
    }
}

impl Drop for Universe {
    fn drop(&mut self) {
        // The worker holds no strong reference; it ends when it finds the universe gone.
        self.wake.notify_one();
    }
}
