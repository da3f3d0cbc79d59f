//! How universes come about: at the beginning of a world, or as a fork of another.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use imbl::OrdMap;
use parking_lot::{Mutex, RwLock};
use serde_json::{Value, json};
use smol_str::SmolStr;
use tokio::sync::Notify;

use super::{
    core::{Options, Universe},
    value::{Inner, Snapshot},
    worker,
};
use crate::{
    clock::{Clock, ClockMode},
    diagnostic::Diagnostic,
    fault::FaultPlan,
    host::face::Host,
    ledger::{Event, Ledger, Principal},
    limits::Limits,
    past::Past,
    seed::{Ordinals, SeedTree},
    socket::{SocketId, Sockets},
    states::States,
    tx::Tx,
    windows::Windows,
    world::World,
};

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
        worker::start_worker(&universe);
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
}
