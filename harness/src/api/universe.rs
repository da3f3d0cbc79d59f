//! A universe in a test: twins on ports of this machine, with their people, their clock and their faults.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dtu_kernel::{
    clock::ClockMode,
    diagnostic::Diagnostic,
    fault::{PlanFile, aimed},
    host::Host,
    limits::Limits,
    multiverse::{Multiverse, Ports, Running},
    time::Timestamp,
    universe::{Armed, Options},
};
use serde_json::{Map, Value};

use super::Error;
use crate::{
    check::{self, Watch},
    collateral,
    expr::{Compiler, EvalError, Place, Program, Scope},
    facts::Facts,
    load,
    verdict::CheckResult,
};

/// A running universe: it is served until this is dropped.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use serde_json::json;
///
/// let universe = dtu::Universe::begin("acme").seed(7).start().await?;
/// // What the program under test reads: `SLACK_API_URL`, `SLACK_BOT_TOKEN`, ...
/// assert!(universe.env()?["SLACK_API_URL"].starts_with(&universe.url("slack")?));
///
/// universe.act("lena", "slack.user.post", json!({"channel": "#general", "text": "good morning"}))?;
/// assert!(universe.holds("slack.messages.exists(m, m.text == 'good morning')")?);
/// # Ok::<(), dtu::Error>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct Universe {
    multiverse: Arc<Multiverse>,
    running: Running,
}

/// A universe about to begin: see [`Universe::begin`].
#[derive(Debug, Clone)]
pub struct Begin {
    world: String,
    twins: Vec<String>,
    options: Options,
}

impl Begin {
    /// The seed of all ids and draws; 1 where nothing is said.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// How time runs; as the machine's where nothing is said. With [`ClockMode::Stepped`] it stands still until
    /// [`Universe::advance`], and begins at the world's epoch.
    #[must_use]
    pub const fn clock(mut self, mode: ClockMode) -> Self {
        self.options.clock = mode;
        self
    }

    /// Whether the services' own rate limits hold; they do not where nothing is said.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = limits;
        self
    }

    /// Holds each answer against the service's public documents: one that does not fit is answered as a server error.
    #[must_use]
    pub const fn check_responses(mut self) -> Self {
        self.options.check = true;
        self
    }

    /// Only these twins; all where nothing is said.
    #[must_use]
    pub fn twins<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.twins = names.into_iter().map(str::to_owned).collect();
        self
    }

    /// Begins, and serves each twin on a free port of the loopback interface.
    ///
    /// # Errors
    /// A world or a twin that is not there, and every problem of the world; no free port.
    #[expect(clippy::unused_async, reason = "serving needs a runtime, and whoever awaits is in one")]
    pub async fn start(self) -> Result<Universe, Error> {
        let multiverse = Arc::new(Multiverse::new(dtu_universe::numbered(chosen(&self.twins)?)));
        let universe = multiverse.create_unserved(&self.world, &self.options)?;
        let running = multiverse.serve(universe, Ports::Free)?;
        Ok(Universe { multiverse, running })
    }
}

fn chosen(names: &[String]) -> Result<Vec<Arc<dyn Host>>, Diagnostic> {
    let all = dtu_universe::all();
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|twin| twin.name() == *name)) {
        return Err(no_twin(unknown, &all));
    }
    Ok(all.into_iter().filter(|twin| names.is_empty() || names.iter().any(|name| name == twin.name())).collect())
}

fn no_twin(name: &str, twins: &[Arc<dyn Host>]) -> Diagnostic {
    let problem = Diagnostic::whole("twins", format!("there is no twin `{name}`"));
    problem.suggest(name, twins.iter().map(|twin| twin.name()))
}

impl Universe {
    /// A universe of a world: the name of one that is part of the program (`acme`), or the path of a file.
    pub fn begin(world: &str) -> Begin {
        Begin { world: world.to_owned(), twins: Vec::new(), options: Options::default() }
    }

    /// Where a twin is, without a slash at the end.
    ///
    /// # Errors
    /// Where there is no such twin.
    pub fn url(&self, twin: &str) -> Result<String, Error> {
        let found = self.running.urls().find(|(name, _)| *name == twin).map(|(_, url)| url);
        found.ok_or_else(|| no_twin(twin, self.multiverse.twins()).into())
    }

    /// The environment that clients of the services read: addresses, tokens, files. The files are there as long as the
    /// universe is.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn env(&self) -> Result<BTreeMap<String, String>, Error> {
        let environment = self.running.environment()?;
        Ok(environment.variables().iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    /// Has a person act: `slack.user.click`, `okta.admin.deactivate_user`. They may do what they may do in the service.
    /// `who` is the person's key in the world, or their mail address.
    ///
    /// # Errors
    /// [`Error::Refused`], as the service refuses it; `with` that is no object.
    pub fn act(&self, who: &str, verb: &str, with: Value) -> Result<Value, Error> {
        let Value::Object(with) = with else {
            return Err(Diagnostic::whole(verb, "what it is done with must be an object").into());
        };
        self.running.universe.perform(verb, who, with).map_err(|refusal| Error::Refused(refusal.to_string()))
    }

    /// Arms fault rules until what is given back is dropped. `rules` is what a fault plan says below `rules:`.
    ///
    /// # Errors
    /// Rules that are none, or that can strike nothing here.
    pub fn fault(&self, rules: &str) -> Result<Armed, Error> {
        // What stands below a key stands further in, where it is not a list of dashes.
        let rules: Vec<String> = rules.lines().map(|line| format!("  {line}")).collect();
        let text = format!("schema: dtu/faults/v1\nname: rules\nrules:\n{}\n", rules.join("\n"));
        self.arm(&PlanFile::parse("rules", &text, &[])?)
    }

    /// Arms a fault plan until what is given back is dropped: one that is part of the program
    /// (`slack-api-brownout`), or a file.
    ///
    /// # Errors
    /// As [`Universe::fault`], and where there is no such plan.
    pub fn fault_plan(&self, name_or_path: &str) -> Result<Armed, Error> {
        self.arm(&PlanFile::find(name_or_path, &[])?)
    }

    fn arm(&self, plan: &PlanFile) -> Result<Armed, Error> {
        let wrong = |why: dtu_kernel::fault::RuleError| {
            Diagnostic::whole(&plan.name, why.to_string()).hint(why.hint().to_owned())
        };
        plan.rules.iter().try_for_each(|rule| aimed(rule, self.multiverse.twins())).map_err(wrong)?;
        Ok(self.running.universe.arm_guarded(&plan.rules).map_err(wrong)?)
    }

    /// What the clock shows.
    pub fn now(&self) -> Timestamp {
        self.running.universe.now()
    }

    /// Moves the clock on, through all that is due on the way, each at its time: tokens expire, retries come due.
    pub async fn advance(&self, span: Duration) {
        let universe = &self.running.universe;
        universe.advance_to(universe.now().after(span)).await;
    }

    /// A universe that goes on from here apart from this one, on ports of its own, and with another seed where one is
    /// given.
    ///
    /// # Errors
    /// No free port.
    pub fn fork(&self, seed: Option<u64>) -> Result<Self, Error> {
        let fork = self.running.universe.fork(format!("{}-fork", self.running.universe.id()), seed);
        let running = self.multiverse.serve(fork, Ports::Free)?;
        Ok(Self { multiverse: Arc::clone(&self.multiverse), running })
    }

    /// The value of a CEL expression over what there is now: `slack.messages`, `okta.users.size()`.
    ///
    /// # Errors
    /// What is no expression, and one without a value.
    pub fn state(&self, expression: &str) -> Result<Value, Error> {
        let program = compiled(expression)?;
        Ok(self.facts().value(&program).map_err(|why| valueless(expression, why))?)
    }

    /// Whether a CEL expression holds now.
    ///
    /// # Errors
    /// As [`Universe::state`], and one that is neither true nor false.
    pub fn holds(&self, expression: &str) -> Result<bool, Error> {
        let program = compiled(expression)?;
        Ok(self.facts().holds(&program).map_err(|why| valueless(expression, why))?)
    }

    /// Waits until a CEL expression holds, for so long on the universe's clock; whether it did. A stepped clock is moved
    /// on where nothing happens by itself.
    ///
    /// # Errors
    /// As [`Universe::holds`], where it has no value to the end.
    pub async fn eventually(&self, expression: &str, within: Duration) -> Result<bool, Error> {
        let program = compiled(expression)?;
        let (mut facts, deadline) = (self.facts(), self.now().after(within));
        loop {
            let now = self.now();
            let found = facts.holds(&program);
            if now >= deadline || found == Ok(true) {
                return Ok(found.map_err(|why| valueless(expression, why))?);
            }
            self.pass(deadline).await;
        }
    }

    /// All that happened so far, oldest first: each call with its answer, each delivery, act, change and fault.
    ///
    /// # Errors
    /// Where entries on disk cannot be read back.
    pub fn ledger(&self) -> Result<Vec<Value>, Error> {
        Ok(self.running.universe.ledger().page(0, usize::MAX)?)
    }

    /// Judges what happened by checks, as scenario files have them. `text` is YAML with `checks:`, and with `collateral:`
    /// where nothing else may have changed. What is to come `eventually` is waited for from now on.
    ///
    /// # Errors
    /// Every problem of the text, by its place.
    pub async fn judge(&self, text: &str) -> Result<Vec<CheckResult>, Error> {
        // What the format asks for besides comes last, so that places in problems are those of the text.
        let rest =
            "schema: dtu/scenario/v1\nid: universe.judged\ntitle: Judged\nstory: In a test.\nworld: none\nbeats: []";
        let scenario = load::scenario_from("checks".to_owned(), format!("{text}\n{rest}\n"))?;
        let mut facts = self.facts();
        let mut watch = Watch::new(&scenario, &facts);
        while let Some(deadline) = watch.deadline() {
            if !watch.poll(&mut facts, self.now()) {
                self.pass(deadline).await;
            }
        }
        let mut results = check::evaluate_all(&scenario, &mut facts, &watch);
        if !text.lines().any(|line| line.starts_with("collateral:")) {
            results.retain(|result| result.name != collateral::NAME);
        }
        Ok(results)
    }

    /// The universe itself, for all that is not here.
    pub const fn inner(&self) -> &Arc<dtu_kernel::universe::Universe> {
        &self.running.universe
    }

    fn facts(&self) -> Facts {
        Facts::new(Arc::clone(&self.running.universe), Map::new())
    }

    /// Lets time pass: until something happens, or a little.
    async fn pass(&self, until: Timestamp) {
        /// How long nothing happens before a stepped clock moves on.
        const IDLE: Duration = Duration::from_millis(100);
        const TICK: Duration = Duration::from_millis(20);
        let universe = &self.running.universe;
        let is_stepped = universe.clock_mode() == ClockMode::Stepped;
        let mut ledger = universe.ledger().watch();
        let happened = tokio::time::timeout(if is_stepped { IDLE } else { TICK }, ledger.changed()).await.is_ok();
        if is_stepped && !happened && universe.is_calm() {
            let next = universe.jobs().first().map_or(until, |job| job.due.min(until));
            universe.advance_to(next).await;
        }
    }
}

fn compiled(expression: &str) -> Result<Program, Vec<Diagnostic>> {
    let mut compiler = Compiler::new("expression", expression, None);
    let program = compiler.program(Scope::State, expression, Place { line: 1, column: 1 });
    if compiler.problems.is_empty() { Ok(program) } else { Err(compiler.problems) }
}

fn valueless(expression: &str, why: EvalError) -> Diagnostic {
    Diagnostic::whole("expression", format!("`{expression}` has no value: {why}"))
}
