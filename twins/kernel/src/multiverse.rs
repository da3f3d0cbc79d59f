//! Many universes in one process: made, forked, served and ended.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::{Mutex, RwLock};
use smol_str::{SmolStr, format_smolstr};

use crate::{
    diagnostic::Diagnostic,
    environment::Environment,
    host::Host,
    serve::{Listening, Routes, listen, routes},
    universe::{Options, Universe},
    world::{SERVICES, World},
};

/// Where a universe's twins listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// On ports that are free.
    Free,
    /// Each twin on this port plus its number (see [`Multiverse::new`]).
    From(u16),
    /// The first twin on this port, others on free ones.
    First(u16),
}

/// A twin that can be put into universes, with its number for ports.
#[derive(Clone, Debug)]
struct Member {
    host: Arc<dyn Host>,
    number: u16,
    routes: Routes,
}

/// A universe that is being served.
#[derive(Debug)]
pub struct Running {
    /// The universe.
    pub universe: Arc<Universe>,
    listening: Vec<Listening>,
    environment: Mutex<Option<Arc<Environment>>>,
}

impl Running {
    /// Where each twin is served: name and URL.
    pub fn urls(&self) -> impl Iterator<Item = (&'static str, String)> {
        let names = self.universe.twins().iter().map(|twin| twin.name());
        names.zip(self.listening.iter().map(Listening::url))
    }

    /// The environment for clients; its files are written when it is first asked for.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn environment(&self) -> io::Result<Arc<Environment>> {
        let mut made = self.environment.lock();
        if let Some(environment) = made.as_ref() {
            return Ok(Arc::clone(environment));
        }
        Ok(Arc::clone(made.insert(Arc::new(Environment::of(&self.universe)?))))
    }
}

/// Why a universe could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The world is not as it should be.
    #[error("the world cannot be loaded")]
    World(Vec<Diagnostic>),
    /// A twin's port cannot be had.
    #[error("the {twin} twin cannot listen on port {port}: {source}")]
    Port {
        /// The twin.
        twin: &'static str,
        /// The port.
        port: u16,
        /// Why not.
        source: io::Error,
    },
    /// The id is taken.
    #[error("there is a universe `{0}` already")]
    Taken(SmolStr),
    /// There is nothing of that id.
    #[error("there is no universe `{0}`")]
    Unknown(SmolStr),
    /// The process serves as many universes as it may.
    #[error("{0} universes are running, which is the most there may be")]
    TooMany(usize),
}

/// The most universes a process serves: each holds a listener a twin.
pub const UNIVERSES_MAX: usize = 1_000;

/// Many universes over the same twins.
#[derive(Debug)]
pub struct Multiverse {
    members: Vec<Member>,
    twins: Arc<[Arc<dyn Host>]>,
    running: RwLock<BTreeMap<SmolStr, Arc<Running>>>,
    next: AtomicU64,
    /// Worlds read so far, by the name or path they were asked for by, so that one run sees one world.
    worlds: Mutex<BTreeMap<String, Arc<World>>>,
}

impl Multiverse {
    /// Universes of `twins`, each with its number for ports. A world file may have sections of twins that do not
    /// run.
    pub fn new(twins: Vec<(Arc<dyn Host>, u16)>) -> Self {
        let member = |(host, number): (Arc<dyn Host>, u16)| Member { routes: routes(&host), host, number };
        let members: Vec<Member> = twins.into_iter().map(member).collect();
        Self {
            twins: members.iter().map(|member| Arc::clone(&member.host)).collect(),
            members,
            running: RwLock::new(BTreeMap::new()),
            next: AtomicU64::new(1),
            worlds: Mutex::new(BTreeMap::new()),
        }
    }

    /// The twins, in the order of their slots.
    pub fn twins(&self) -> &[Arc<dyn Host>] {
        &self.twins
    }

    /// A world by name or path; read once.
    ///
    /// # Errors
    /// Every problem found in the file.
    pub fn world(&self, name_or_path: &str) -> Result<Arc<World>, Vec<Diagnostic>> {
        let mut worlds = self.worlds.lock();
        if let Some(world) = worlds.get(name_or_path) {
            return Ok(Arc::clone(world));
        }
        let own = self.twins.iter().map(|twin| twin.name()).filter(|name| !SERVICES.contains(name));
        let sections: Vec<&str> = SERVICES.into_iter().chain(own).collect();
        let world = Arc::new(World::find(name_or_path, &sections)?);
        worlds.insert(name_or_path.to_owned(), Arc::clone(&world));
        Ok(world)
    }

    /// A universe that is not served: for runs within the process.
    ///
    /// # Errors
    /// Every problem with the world's sections.
    pub fn create_unserved(&self, world: &str, options: &Options) -> Result<Arc<Universe>, Vec<Diagnostic>> {
        let world = self.world(world)?;
        Universe::create(self.fresh_id(), Arc::clone(&self.twins), world, options)
    }

    /// Makes a universe at its beginning and serves it.
    ///
    /// # Errors
    /// [`CreateError`]; nothing is left behind then.
    pub fn create(
        &self,
        id: Option<SmolStr>,
        world: &str,
        options: &Options,
        ports: Ports,
    ) -> Result<Arc<Running>, CreateError> {
        let id = self.claim(id)?;
        let world = self.world(world).map_err(CreateError::World)?;
        let twins = Arc::clone(&self.twins);
        let universe = Universe::create(id, twins, world, options).map_err(CreateError::World)?;
        self.admit(universe, ports)
    }

    /// Forks a universe and serves the fork on free ports.
    ///
    /// # Errors
    /// [`CreateError`]; nothing is left behind then.
    pub fn fork(&self, from: &str, id: Option<SmolStr>, seed: Option<u64>) -> Result<Arc<Running>, CreateError> {
        let source = self.get(from).ok_or_else(|| CreateError::Unknown(from.into()))?;
        let id = self.claim(id)?;
        self.admit(source.universe.fork(id, seed), Ports::Free)
    }

    /// Serves a universe without taking it in: it ends when what is given back is dropped.
    ///
    /// # Errors
    /// [`CreateError::Port`].
    pub fn serve(&self, universe: Arc<Universe>, ports: Ports) -> Result<Running, CreateError> {
        let mut listening = Vec::with_capacity(self.members.len());
        for (slot, member) in self.members.iter().enumerate() {
            let port = match ports {
                Ports::From(base) => base.saturating_add(member.number),
                Ports::First(port) if slot == 0 => port,
                Ports::Free | Ports::First(_) => 0,
            };
            let twin = member.host.name();
            let served = listen(&universe, slot, member.routes.clone(), port);
            listening.push(served.map_err(|source| CreateError::Port { twin, port, source })?);
        }
        Ok(Running { universe, listening, environment: Mutex::new(None) })
    }

    /// A running universe.
    pub fn get(&self, id: &str) -> Option<Arc<Running>> {
        self.running.read().get(id).cloned()
    }

    /// All running universes, by id.
    pub fn list(&self) -> Vec<Arc<Running>> {
        self.running.read().values().cloned().collect()
    }

    /// Ends a universe; false where there is none of that id.
    pub fn delete(&self, id: &str) -> bool {
        self.running.write().remove(id).is_some()
    }

    fn admit(&self, universe: Arc<Universe>, ports: Ports) -> Result<Arc<Running>, CreateError> {
        let running = Arc::new(self.serve(universe, ports)?);
        let id = SmolStr::new(running.universe.id());
        let mut all = self.running.write();
        if all.contains_key(&id) {
            return Err(CreateError::Taken(id));
        }
        all.insert(id, Arc::clone(&running));
        Ok(running)
    }

    fn claim(&self, id: Option<SmolStr>) -> Result<SmolStr, CreateError> {
        let running = self.running.read();
        if running.len() >= UNIVERSES_MAX {
            return Err(CreateError::TooMany(UNIVERSES_MAX));
        }
        match id {
            Some(id) if running.contains_key(&id) => Err(CreateError::Taken(id)),
            Some(id) => Ok(id),
            None => Ok(self.fresh_id()),
        }
    }

    fn fresh_id(&self) -> SmolStr {
        format_smolstr!("u{}", self.next.fetch_add(1, Ordering::Relaxed))
    }
}
