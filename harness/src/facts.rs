//! What is known of a universe while a trajectory runs: the values that expressions see.
//!
//! Only what an expression mentions is made: a view is rendered when an expression names it, and again only after its
//! twin has changed; each ledger entry is parsed once.

mod entry;
mod known;
mod steady;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cel::Context;
use dtu_kernel::{
    environment::Environment,
    host::Host,
    ledger::{Keep, NetChange},
    time::Timestamp,
    universe::Universe,
    world::{Person, PersonStatus, World},
};
use serde_json::{Map, Value, json};

pub use self::entry::Entry;
use self::known::known_rows;
pub(crate) use self::{known::Wanted, steady::short};
use crate::expr::{self, EvalError, Late, Mention, Object, Owned, Program, from_json};

/// The ledger is read in pages of so many entries.
const PAGE: usize = 1_024;

/// What expressions see of a universe.
#[derive(Debug)]
pub struct Facts {
    universe: Arc<Universe>,
    params: Map<String, Value>,
    port: u16,
    /// Where the target answers; empty before it has a port.
    target: String,
    /// What came of the beats that have an id.
    acts: Map<String, Value>,
    /// The number of the present round, where something is repeated.
    round: Option<u64>,
    people: Object,
    environment: Option<Environment>,
    /// Views by twin and name. A twin's are thrown away when an entry changes it.
    views: Views,
    /// The kept state that expressions see instead of the present one, while the past is looked at.
    then: Option<Then>,
    entries: Vec<Entry>,
    /// The ledger position up to which all was read.
    read: u64,
    /// How many entries of a kind were read: by principal, twin and what they are of.
    kinds: Kinds,
    /// How many states were kept when the facts came to rest; none while they follow the universe.
    rest: Option<usize>,
    /// What had changed by then.
    changed: Vec<NetChange>,
}

/// A kept state, the time that it is looked at, and what was seen of it.
#[derive(Debug)]
pub(crate) struct Then {
    at: usize,
    now: Timestamp,
    views: Views,
}

type Views = BTreeMap<(String, String), View>;

/// A view of one state.
#[derive(Debug)]
enum View {
    /// To be read row by row.
    Late(Late),
    /// Rendered.
    Made(Owned),
}

impl View {
    /// As an expression sees it that reads row by row, or one that does not.
    fn value(&self, row_by_row: bool) -> Owned {
        match self {
            Self::Late(late) if row_by_row => Box::new(late.clone()),
            Self::Late(late) => Box::new(late.whole()),
            Self::Made(made) => made.clone(),
        }
    }
}

/// How many entries of a kind there were: by principal, twin and what they are of.
type Kinds = BTreeMap<(String, String, String), u64>;

/// A ledger that was read from a file, each entry with its number among its kind.
pub fn numbered(twins: &[Arc<dyn Host>], ledger: Vec<Value>) -> Vec<Entry> {
    let mut kinds = Kinds::new();
    let entry = |raw| {
        let path = path_of(twins, &raw);
        Entry::new(raw, path).numbered(&mut kinds)
    };
    ledger.into_iter().map(entry).collect()
}

/// The variable that a twin's views are found under: its name as CEL can spell it (`google_drive`).
pub fn variable_of(twin: &str) -> String {
    twin.replace('-', "_")
}

impl Facts {
    /// The facts of a universe, for one binding of the scenario's parameters.
    pub fn new(universe: Arc<Universe>, params: Map<String, Value>) -> Self {
        let people = people(universe.world());
        Self {
            universe,
            params,
            port: 0,
            target: String::new(),
            acts: Map::new(),
            round: None,
            people,
            environment: None,
            views: BTreeMap::new(),
            then: None,
            entries: Vec::new(),
            read: 0,
            kinds: BTreeMap::new(),
            rest: None,
            changed: Vec::new(),
        }
    }

    /// Comes to rest: whatever happens in the universe from now on, expressions see what is known now. Needs a universe
    /// that keeps its states; without, nothing changes.
    ///
    /// # Errors
    /// Where entries on disk cannot be read back.
    pub(crate) fn come_to_rest(&mut self) -> Result<(), EvalError> {
        self.refresh()?;
        let kept = self.universe.history_len();
        if let Some(last) = kept.checked_sub(1) {
            self.changed = self.diff()?;
            self.rest = Some(kept);
            self.then = Some(Then { at: last, now: self.universe.now(), views: BTreeMap::new() });
        }
        Ok(())
    }

    /// How many states are known.
    pub(crate) fn kept(&self) -> usize {
        self.rest.unwrap_or_else(|| self.universe.history_len())
    }

    /// When a kept state came about, by its number.
    pub(crate) fn since(&self, at: usize) -> Option<Timestamp> {
        self.universe.then(at)
    }

    /// Looks at a kept state as it was at some time. Who looks at several, one after the other, hands on what comes
    /// back: what has not changed is not rendered again.
    pub(crate) fn look_back(
        &mut self,
        before: Option<Then>,
        (at, now): (usize, Timestamp),
        look: impl FnOnce(&mut Self),
    ) -> Option<Then> {
        let mut views = BTreeMap::new();
        if let Some(before) = before.filter(|before| before.at <= at) {
            let is_new = |twin: &str| (before.at + 1..=at).any(|at| self.universe.is_new_then(at, twin));
            views.extend(before.views.into_iter().filter(|((twin, _), _)| !is_new(twin)));
        }
        let present = self.then.replace(Then { at, now, views });
        look(self);
        std::mem::replace(&mut self.then, present)
    }

    /// Says which port the target was given.
    pub fn set_port(&mut self, port: u16) {
        self.set_target(port, format!("http://127.0.0.1:{port}"));
    }

    /// Says where the target answers: its port, and its URL without a slash at the end.
    pub fn set_target(&mut self, port: u16, url: String) {
        self.port = port;
        self.target = url;
    }

    /// Where the target answers, without a slash at the end.
    pub fn target_url(&self) -> &str {
        &self.target
    }

    /// Says what came of a beat.
    pub fn set_act(&mut self, id: &str, outcome: Value) {
        self.acts.insert(id.to_owned(), outcome);
    }

    /// Says which round it is.
    pub fn set_round(&mut self, round: Option<u64>) {
        self.round = round;
    }

    /// The target's port; 0 where it has none.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The universe.
    pub fn universe(&self) -> &Arc<Universe> {
        &self.universe
    }

    /// The parameters.
    pub fn params(&self) -> &Map<String, Value> {
        &self.params
    }

    /// Whether an expression over the present state holds.
    ///
    /// # Errors
    /// Why it has no value.
    pub fn holds(&mut self, program: &Program) -> Result<bool, EvalError> {
        program.truth(&self.bind(program)?)
    }

    /// The first kept state in which an expression over the state does not hold: when it came about. None where it
    /// held in all.
    ///
    /// # Errors
    /// Why it has no value, and where no state was kept.
    pub fn first_breach(&mut self, program: &Program) -> Result<Option<Timestamp>, EvalError> {
        if self.kept() == 0 {
            return Err(EvalError("no earlier state was kept".to_owned()));
        }
        let twins = self.universe.twins().iter().map(|twin| twin.name().to_owned());
        let mentions = program.mentions();
        let is_mentioned = |root: &str| mentions.iter().any(|mention| mention.root == root);
        let looked_at: Vec<String> = twins.filter(|twin| is_mentioned(&variable_of(twin))).collect();
        // Where nothing has changed that it looks at, it says what it said before.
        let is_new = |at: usize| {
            at == 0 || is_mentioned("now") || looked_at.iter().any(|twin| self.universe.is_new_then(at, twin))
        };
        let states: Vec<usize> = (0..self.kept()).filter(|at| is_new(*at)).collect();
        let mut then = None;
        for at in states {
            let since = self.universe.then(at).unwrap_or_else(|| self.universe.now());
            let mut held = Ok(true);
            then = self.look_back(then, (at, since), |facts| held = facts.holds(program));
            if !held? {
                return Ok(Some(since));
            }
        }
        Ok(None)
    }

    /// The value of an expression over the present state.
    ///
    /// # Errors
    /// Why it has none.
    pub fn value(&mut self, program: &Program) -> Result<Value, EvalError> {
        program.json(&self.bind(program)?)
    }

    /// All ledger entries so far.
    ///
    /// # Errors
    /// Where entries on disk cannot be read back.
    pub fn entries(&mut self) -> Result<&[Entry], EvalError> {
        self.refresh()?;
        Ok(&self.entries)
    }

    /// The positions in [`Facts::entries`] of those that fit an expression over `e`, of one principal where one is
    /// given.
    ///
    /// # Errors
    /// Why the expression has no value, and for which entry.
    pub fn fitting(&mut self, program: &Program, by: Option<&str>) -> Result<Vec<usize>, EvalError> {
        self.has_ledger()?;
        let mut context = self.bind(program)?;
        let mut out = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            if by.is_some_and(|by| !entry.is_by(by)) {
                continue;
            }
            context.add_variable_as_val("e", entry.value());
            if program.truth(&context).map_err(|why| on(entry, &why))? {
                out.push(at);
            }
        }
        Ok(out)
    }

    /// The values of an expression over `e` for the entries at these positions.
    ///
    /// # Errors
    /// Why the expression has no value, and for which entry.
    pub fn values_at(&mut self, program: &Program, positions: &[usize]) -> Result<Vec<Value>, EvalError> {
        let mut context = self.bind(program)?;
        let mut value = |at: &usize| {
            let entry = &self.entries[*at];
            context.add_variable_as_val("e", entry.value());
            program.json(&context).map_err(|why| on(entry, &why))
        };
        positions.iter().map(&mut value).collect()
    }

    /// Whether an expression over `c` holds for a net change.
    ///
    /// # Errors
    /// Why it has no value, and for which change.
    pub fn fits(&mut self, program: &Program, change: &NetChange) -> Result<bool, EvalError> {
        let mut context = self.bind(program)?;
        let c = json!({
            "twin": change.twin, "table": change.table, "key": change.key, "before": change.before, "after": change.after,
        });
        context.add_variable_as_val("c", from_json(&c));
        let why = |why: EvalError| EvalError(format!("{why} (for a row of `{}.{}`)", change.twin, change.table));
        program.truth(&context).map_err(why)
    }

    /// Whether an expression over `r` holds for a row of a view.
    ///
    /// # Errors
    /// Why it has no value, and for a row of which view.
    pub fn fits_row(&mut self, program: &Program, view: &str, row: &Value) -> Result<bool, EvalError> {
        let mut context = self.bind(program)?;
        context.add_variable_as_val("r", from_json(row));
        program.truth(&context).map_err(|why| EvalError(format!("{why} (for a row of `{view}`)")))
    }

    /// The rows of a twin's view that were there at some time since the story began, each in all its versions, of which a
    /// member is one of these texts. Other rows are not made.
    ///
    /// # Errors
    /// Where no state was kept.
    pub(crate) fn rows_known_as(&self, twin: &str, view: &str, wanted: &Wanted<'_>) -> Result<Vec<Value>, EvalError> {
        let kept = self.kept();
        if kept == 0 {
            return Err(EvalError("no earlier state was kept".to_owned()));
        }
        let (mut seen, mut out) = (BTreeSet::new(), Vec::new());
        for at in (0..kept).filter(|at| *at == 0 || self.universe.is_new_then(*at, twin)) {
            let found = match self.universe.read_view_then(at, twin, view) {
                Some(reader) => known_rows(&*reader, wanted),
                None => match self.universe.view_then(at, twin, view) {
                    Some(Value::Array(rows)) => rows,
                    _ => Vec::new(),
                },
            };
            for row in found {
                if seen.insert(row.to_string()) {
                    out.push(row);
                }
            }
        }
        Ok(out)
    }

    /// The net changes of all rows since the universe began.
    ///
    /// # Errors
    /// Where entries on disk cannot be read back.
    pub fn diff(&self) -> Result<Vec<NetChange>, EvalError> {
        self.has_ledger()?;
        if self.rest.is_some() {
            return Ok(self.changed.clone());
        }
        self.universe.diff(0).map_err(|error| EvalError(format!("the ledger cannot be read: {error}")))
    }

    /// Where the ledger keeps nothing, nothing would ever be found in it, and what is forbidden would seem to hold.
    fn has_ledger(&self) -> Result<(), EvalError> {
        match self.universe.ledger().keep() {
            Keep::Off => Err(EvalError("the universe's ledger keeps nothing".to_owned())),
            Keep::Full | Keep::Changes => Ok(()),
        }
    }

    /// Reads what the ledger holds that was not read yet.
    fn refresh(&mut self) -> Result<(), EvalError> {
        if self.rest.is_some() {
            return Ok(());
        }
        let ledger = self.universe.ledger();
        if ledger.keep() == Keep::Off {
            // Without entries nobody tells what changed.
            self.views.clear();
            return Ok(());
        }
        loop {
            let page = self.universe.ledger().page(self.read, PAGE);
            let page = page.map_err(|error| EvalError(format!("the ledger cannot be read: {error}")))?;
            if page.is_empty() {
                return Ok(());
            }
            for raw in page {
                self.take(raw);
            }
        }
    }

    fn take(&mut self, raw: Value) {
        let path = path_of(self.universe.twins(), &raw);
        let entry = Entry::new(raw, path).numbered(&mut self.kinds);
        self.read = entry.seq + 1;
        if entry.json["changes"].as_array().is_some_and(|changes| !changes.is_empty()) {
            self.views.retain(|(twin, _), _| *twin != entry.twin);
        }
        if matches!(entry.what.as_str(), "restored" | "reset") {
            self.views.clear();
        }
        self.entries.push(entry);
    }

    /// The variables that an expression mentions, with what they hold now.
    fn bind(&mut self, program: &Program) -> Result<Context<'static, 'static>, EvalError> {
        self.refresh()?;
        let mut context = expr::context();
        let roots: BTreeSet<&str> = program.mentions().iter().map(|mention| mention.root.as_str()).collect();
        for root in roots {
            if let Some(value) = self.variable(root, program) {
                context.add_variable_as_val(root, value);
            }
        }
        Ok(context)
    }

    fn variable(&mut self, root: &str, program: &Program) -> Option<Owned> {
        match root {
            "params" => Some(Box::new(Object::from_json(&self.params))),
            "people" => Some(Box::new(self.people.clone())),
            "now" => Some(from_json(&json!(self.now().iso_micros()))),
            "port" => Some(from_json(&json!(self.port))),
            "target" => Some(from_json(&json!({ "port": self.port, "url": self.target }))),
            "acts" => Some(Box::new(Object::from_json(&self.acts))),
            "round" => self.round.map(|round| from_json(&json!(round))),
            "env" => self.env().map(|env| from_json(&env)),
            "twins" => Some(from_json(&self.origins())),
            _ => self.twin(root, program.mentions(), program.reads_row_by_row()),
        }
    }

    fn now(&self) -> Timestamp {
        self.then.as_ref().map_or_else(|| self.universe.now(), |then| then.now)
    }

    /// The environment for clients, made when it is first asked for; its files last as long as these facts. Without
    /// files there is no environment, and the expression says that `env` is not known.
    fn env(&mut self) -> Option<Value> {
        if self.environment.is_none() {
            self.environment = Environment::of(&self.universe).ok();
        }
        let variables = self.environment.as_ref()?.variables().iter();
        Some(variables.map(|(name, value)| ((*name).to_owned(), Value::String(value.clone()))).collect())
    }

    fn origins(&self) -> Value {
        let twins = self.universe.twins().iter().enumerate();
        twins.map(|(slot, twin)| (twin.name().to_owned(), json!(self.universe.origin(slot)))).collect()
    }

    /// The views of a twin that an expression mentions; all where it takes the twin as a whole.
    fn twin(&mut self, root: &str, mentions: &BTreeSet<Mention>, row_by_row: bool) -> Option<Owned> {
        let twin = Arc::clone(self.universe.twins().iter().find(|twin| variable_of(twin.name()) == root)?);
        let whole = mentions.iter().any(|mention| mention.root == root && mention.member.is_none());
        let wanted =
            |view: &&str| whole || mentions.iter().any(|m| m.root == root && m.member.as_deref() == Some(*view));
        let names: Vec<&str> = twin.views().into_iter().map(|(name, _)| name).filter(wanted).collect();
        let views = names
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), self.view(twin.name(), name)?.value(row_by_row))));
        Some(Box::new(Object::new(views.collect::<Vec<_>>())))
    }

    fn view(&mut self, twin: &str, name: &str) -> Option<&View> {
        let (universe, key) = (&self.universe, (twin.to_owned(), name.to_owned()));
        let made = |value: Value| View::Made(from_json(&value));
        let then = self.then.as_ref().map(|then| then.at);
        let views = self.then.as_mut().map_or(&mut self.views, |then| &mut then.views);
        if !views.contains_key(&key) {
            let read = match then {
                Some(at) => universe.read_view_then(at, twin, name),
                None => universe.read_view(twin, name),
            };
            let seen = match (read, then) {
                (Some(reader), _) => View::Late(Late::new(reader)),
                (None, Some(at)) => made(universe.view_then(at, twin, name)?),
                (None, None) => made(universe.view(twin, name)?),
            };
            views.insert(key.clone(), seen);
        }
        views.get(&key)
    }
}

/// The value of an expression over a world's people, before there is a universe.
///
/// # Errors
/// Why it has none.
pub fn of_world(program: &Program, world: &World) -> Result<Value, EvalError> {
    let mut context = expr::context();
    context.add_variable_as_val("people", Box::new(people(world)) as Owned);
    program.json(&context)
}

/// The path template of the operation that a raw entry is of; empty where it is of none.
fn path_of(twins: &[Arc<dyn Host>], raw: &Value) -> &'static str {
    let (Some(twin), Some(operation)) = (raw["twin"].as_str(), raw["operation"].as_str()) else { return "" };
    let twin = twins.iter().find(|host| host.name() == twin);
    let info = twin.and_then(|host| host.operations().iter().find(|info| info.id == operation));
    info.map_or("", |info| info.path)
}

fn on(entry: &Entry, why: &EvalError) -> EvalError {
    let name = if entry.what.is_empty() { "an entry" } else { &entry.what };
    EvalError(format!("{why} (for `{name}` by {}, number {})", entry.principal, entry.nth))
}

/// The world's people by key, as expressions see them.
fn people(world: &World) -> Object {
    Object::new(world.people.iter().map(|person| (person.key.to_string(), from_json(&person_json(world, person)))))
}

fn person_json(world: &World, person: &Person) -> Value {
    let manager = person.manager.as_ref().and_then(|key| world.person(key));
    json!({
        "key": person.key,
        "name": person.full_name(),
        "first": person.first,
        "last": person.last,
        "email": person.email,
        "title": person.title,
        "department": person.department,
        "manager": manager.map_or("", |manager| manager.key.as_str()),
        "manager_email": manager.map_or("", |manager| manager.email.as_str()),
        "status": status_name(person.status),
    })
}

const fn status_name(status: PersonStatus) -> &'static str {
    match status {
        PersonStatus::Active => "active",
        PersonStatus::Staged => "staged",
        PersonStatus::Provisioned => "provisioned",
        PersonStatus::Suspended => "suspended",
        PersonStatus::Deprovisioned => "deprovisioned",
        PersonStatus::PasswordExpired => "password_expired",
        PersonStatus::LockedOut => "locked_out",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        expr::{Compiler, Place, Scope},
        testing::{call, facts, take_away},
    };

    fn program(scope: Scope, source: &str) -> Program {
        let mut compiler = Compiler::new("s.yaml", "", Some(vec!["who"]));
        let program = compiler.program(scope, source, Place::default());
        assert!(compiler.problems.is_empty(), "{:?}", compiler.problems);
        program
    }

    #[test]
    fn the_variables_hold_what_they_say() {
        let mut facts = facts(json!({ "who": "lena" }));
        facts.universe().set_origin(0, "http://127.0.0.1:9");
        let mut check = |source: &str, wanted: Value| {
            assert_eq!(facts.value(&program(Scope::State, source)), Ok(wanted), "{source}");
        };
        check("people[params.who].manager_email", json!("rob@tiny.example"));
        check("people.rob.manager + people.omar.status", json!("suspended"));
        check("people.map(key, people[key].name)", json!(["Rob Ray", "Lena Lind", "Omar Oz"]));
        check("now", json!("2026-03-02T09:00:00.000000Z"));
        check("twins", json!({ "shelf": "http://127.0.0.1:9" }));
        check("env.SHELF_URL", json!("http://127.0.0.1:9"));
        check("shelf", json!({ "items": [], "log": [], "owners": [] }));
    }

    #[test]
    fn views_follow_changes_and_are_made_once() {
        let mut facts = facts(json!({}));
        let any = program(Scope::State, "shelf.items.exists(i, i.name == 'cup')");
        assert_eq!(facts.holds(&any), Ok(false));
        call(&facts.universe().clone(), "putItem", "cup", "");
        assert_eq!(facts.holds(&any), Ok(true));
        let key = ("shelf".to_owned(), "items".to_owned());
        assert!(facts.views.contains_key(&key) && facts.views.len() == 1);
        call(&facts.universe().clone(), "listItems", "", "");
        facts.entries().expect("reads");
        assert!(facts.views.contains_key(&key), "a read changes nothing");
        facts.universe().reset();
        assert_eq!(facts.holds(&any), Ok(false));
    }

    #[test]
    fn entries_are_parsed_once_and_numbered() {
        let mut facts = facts(json!({}));
        let universe = Arc::clone(facts.universe());
        call(&universe, "putItem", "cup", "owner=lena");
        call(&universe, "putItem", "bomb", "");
        take_away(&universe, "rob", "cup");
        let fits = program(Scope::Entry, "e.operation == 'putItem'");
        assert_eq!(facts.fitting(&fits, None), Ok(vec![1, 2]));
        assert_eq!(facts.fitting(&fits, Some("actor")), Ok(vec![]));
        call(&universe, "putItem", "pot", "");
        assert_eq!(facts.fitting(&fits, Some("target")), Ok(vec![1, 2, 4]));
        let args = program(Scope::Entry, "e.args");
        let wanted = vec![json!({ "item": "cup", "owner": "lena" }), json!({ "item": "cup" })];
        assert_eq!(facts.values_at(&args, &[1, 3]), Ok(wanted));
        let shown: Vec<String> = facts
            .entries()
            .expect("reads")
            .iter()
            .map(|entry| format!("{} {} {} {}", entry.principal, entry.what, entry.nth, entry.moment().shows))
            .collect();
        assert_eq!(
            shown,
            [
                "operator created 1 ",
                "target putItem 1 item=cup owner=lena -> 200",
                "target putItem 2 item=bomb -> 403 refused",
                "actor:rob shelf.user.take 1 item=cup",
                "target putItem 3 item=pot -> 200",
            ]
        );
    }

    #[test]
    fn a_ledger_that_keeps_nothing_proves_nothing() {
        let options = dtu_kernel::universe::Options { keep: Keep::Off, ..Default::default() };
        let world = Arc::new(crate::testing::world());
        let universe = Universe::create("off", crate::testing::twins().into(), world, &options).expect("is made");
        let mut facts = Facts::new(universe, Map::new());
        assert!(facts.fitting(&program(Scope::Entry, "e.gap"), None).is_err());
        assert!(facts.diff().is_err());
        let any = program(Scope::State, "shelf.items.size() > 0");
        assert_eq!(facts.holds(&any), Ok(false));
        call(&facts.universe().clone(), "putItem", "cup", "");
        assert_eq!(facts.holds(&any), Ok(true));
    }

    #[test]
    fn a_trajectory_can_be_run_on_any_thread() {
        fn check<T: Send + Sync>() {}
        check::<Facts>();
        check::<crate::load::LoadedScenario>();
        check::<crate::load::LoadedTarget>();
        check::<crate::check::Watch>();
    }

    #[test]
    fn an_error_names_the_entry() {
        let mut facts = facts(json!({}));
        call(&facts.universe().clone(), "putItem", "cup", "");
        let fits = program(Scope::Entry, "e.args.owner == 'lena'");
        let why = facts.fitting(&fits, Some("target")).expect_err("has no owner").to_string();
        assert_eq!(
            why,
            "`e.args.owner == 'lena'`: nothing has the name `owner` there; where it may be absent, ask `has(...)` first \
             (for `putItem` by target, number 1)"
        );
    }
}
