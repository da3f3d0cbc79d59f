//! Problems in scenarios that reading alone does not show: names that no twin and no world knows, checks that cannot
//! fail, and the like.

mod arguments;
mod compared;
mod environment;
mod fields;
mod secrets;
mod story;

use std::{collections::BTreeSet, sync::Arc};

use dtu_kernel::{
    clock::ClockMode,
    diagnostic::Diagnostic,
    fault::{FaultPlan, Places, Rule, aimed},
    host::{AffordanceInfo, Host},
    time::Timestamp,
    world::World,
};
use serde_json::{Map, Value};

pub use self::environment::lint_environment;
pub(crate) use self::fields::members;
use crate::{
    explain,
    expr::{Place, Program, Template},
    facts::variable_of,
    load::{LoadedBeat, LoadedPlan, LoadedProperty, LoadedScenario, LoadedTarget, beat},
    scenario::{Param, Property, Reading, Role, all_beats},
    target::Sign,
};

/// Every problem of a scenario with the twins and the world that it is to run on.
pub fn lint(scenario: &LoadedScenario, twins: &[Arc<dyn Host>], world: &World) -> Vec<Diagnostic> {
    let mut lint = Lint::new(&scenario.path, &scenario.text, twins);
    lint.numbers(scenario);
    lint.time(scenario);
    lint.params(scenario);
    lint.faults(scenario);
    lint.beats(scenario, world);
    lint.story(scenario);
    lint.checks(scenario, world);
    lint.collateral(scenario);
    for program in programs(scenario) {
        lint.names(program, world);
    }
    lint.fields(&programs(scenario), world);
    lint.compared(&programs(scenario));
    lint.done()
}

/// What is unwise in a scenario that has no problems: it can be run all the same.
pub fn advise(scenario: &LoadedScenario, world: &World) -> Vec<Diagnostic> {
    let mut lint = Lint::new(&scenario.path, &scenario.text, &[]);
    lint.course(scenario);
    lint.nothing(scenario);
    lint.secrets(&[world]);
    lint.done()
}

/// What is unwise in a target file that has no problems; `worlds` are those that it runs on.
pub fn advise_target(target: &LoadedTarget, worlds: &[&World]) -> Vec<Diagnostic> {
    let mut lint = Lint::new(&target.path, &target.text, &[]);
    lint.secrets(worlds);
    lint.done()
}

/// Every problem of a target file with the twins that it is to run on.
pub fn lint_target(target: &LoadedTarget, twins: &[Arc<dyn Host>]) -> Vec<Diagnostic> {
    let mut lint = Lint::new(&target.path, &target.text, twins);
    for act in &target.target.connect {
        lint.verb(&act.verb.value, act.verb.referenced.into(), &act.with);
    }
    for twin in target.target.ports.keys() {
        lint.knows_twin(twin, lint.place_of(twin));
    }
    for sign in &target.target.ready.any_of {
        match sign {
            Sign::Called(operation) => lint.called(operation),
            Sign::Socket(twin) => drop(lint.knows_twin(twin, lint.place_of(twin))),
            Sign::Delivered(kind) => {
                let twin = kind.split('.').next().unwrap_or_default();
                lint.knows_twin(twin, lint.place_of(kind));
            }
            Sign::Http(_) | Sign::Log(_) => {}
        }
    }
    lint.done()
}

/// Every problem of a fault plan with the twins that it is to strike.
pub fn lint_plan(plan: &LoadedPlan, twins: &[Arc<dyn Host>]) -> Vec<Diagnostic> {
    plan.plan.astray(twins)
}

/// Every problem of a target file with a scenario and its world: parameters and people that are not there.
pub fn lint_together(target: &LoadedTarget, scenario: &LoadedScenario, world: &World) -> Vec<Diagnostic> {
    let mut lint = Lint::new(&target.path, &target.text, &[]);
    let params = &scenario.scenario.params;
    for program in target_programs(target) {
        let members = program.mentions().iter().filter(|mention| mention.root == "params");
        for member in members.filter_map(|mention| mention.member.as_deref()) {
            if !params.contains_key(member) {
                let id = &scenario.scenario.id.value;
                let problem = lint.at(program.place(), format!("the scenario `{id}` has no parameter `{member}`"));
                lint.problems.push(problem.suggest(member, params.keys().map(String::as_str)));
            }
        }
    }
    for act in &target.target.connect {
        let place = Place::from(act.verb.referenced);
        lint.person(&act.actor, place, world);
    }
    let mut problems = lint.done();
    problems.extend(lint_commands(target, scenario));
    problems
}

/// Commands that a scenario runs and the target has not.
fn lint_commands(target: &LoadedTarget, scenario: &LoadedScenario) -> Vec<Diagnostic> {
    let commands = all_beats(&scenario.scenario.beats).into_iter().filter_map(|beat| beat.value.cli.as_ref());
    let unknown = commands.filter(|cli| !target.commands.contains_key(&cli.run.value));
    let problem = |cli: &crate::scenario::Cli| {
        let name = &cli.run.value;
        let problem = Diagnostic::on(
            &scenario.path,
            &cli.run,
            format!("the target `{}` has no command `{name}`", target.target.name),
        );
        if target.commands.is_empty() {
            problem.hint(format!("name it under `commands` in {}", target.path))
        } else {
            problem.suggest(name, target.commands.keys().map(String::as_str))
        }
    };
    unknown.map(problem).collect()
}

/// All expressions of a scenario.
fn programs(scenario: &LoadedScenario) -> Vec<&Program> {
    let mut out: Vec<&Program> = scenario.faults.iter().flatten().collect();
    out.extend(beat::all(&scenario.beats).into_iter().flat_map(LoadedBeat::programs));
    for check in &scenario.checks {
        out.extend(&check.when);
        match &check.that {
            LoadedProperty::Finally(that) | LoadedProperty::Always(that) | LoadedProperty::Eventually { that, .. } => {
                out.push(that);
            }
            LoadedProperty::LeadsTo { of, to, key, .. } => out.extend([of, to].into_iter().chain(key)),
            LoadedProperty::Budget(_) => {}
            LoadedProperty::Reads(rules) => {
                out.extend(rules.deny.iter().chain(rules.allow.iter().flatten()).filter_map(|rule| rule.only.as_ref()));
            }
            LoadedProperty::Count { of, .. } | LoadedProperty::Never { of, .. } => out.push(of),
            LoadedProperty::Order(steps) => out.extend(steps),
            LoadedProperty::OnlyAfter { of, after } => out.extend([of, after]),
            LoadedProperty::AtMostOncePer { of, key } => out.extend([of, key]),
        }
    }
    out.extend(&scenario.sometimes);
    out.extend(scenario.allow.iter().flatten());
    out.extend(scenario.reads.iter().flatten().filter_map(|rule| rule.only.as_ref()));
    out
}

/// All expressions of a target.
fn target_programs(target: &LoadedTarget) -> Vec<&Program> {
    let texts = target.command.iter().chain(target.env.values()).chain(target.ready.iter().flatten());
    let texts = texts.chain(target.commands.values().flatten());
    texts.flat_map(Template::programs).chain(target.connect.iter().flat_map(|form| form.programs())).collect()
}

/// What is wrong with one file so far.
struct Lint<'a> {
    file: &'a str,
    text: &'a str,
    twins: &'a [Arc<dyn Host>],
    affordances: Vec<AffordanceInfo>,
    problems: Vec<Diagnostic>,
}

impl<'a> Lint<'a> {
    fn new(file: &'a str, text: &'a str, twins: &'a [Arc<dyn Host>]) -> Self {
        let affordances = twins.iter().flat_map(|twin| twin.affordances()).collect();
        Self { file, text, twins, affordances, problems: Vec::new() }
    }

    fn done(mut self) -> Vec<Diagnostic> {
        self.problems.sort_by_key(|problem| (problem.line, problem.column));
        self.problems.dedup();
        self.problems
    }

    fn at(&self, place: Place, message: impl Into<String>) -> Diagnostic {
        place.problem(self.file, message)
    }

    /// The place of a text, for values that do not know theirs.
    fn place_of(&self, needle: &str) -> Place {
        Place::default().find(self.text, needle)
    }

    fn twin_names(&self) -> Vec<&'static str> {
        self.twins.iter().map(|twin| twin.name()).collect()
    }

    fn numbers(&mut self, scenario: &LoadedScenario) {
        let s = &scenario.scenario;
        if !is_weight(s.meta.weight) {
            let problem = self.at(self.place_of("weight:"), format!("a weight of {} counts nothing", s.meta.weight));
            self.problems.push(problem.hint("weights are numbers above 0"));
        }
        if let Some(share) = s.satisfied_when.filter(|share| !(0.0..=1.0).contains(share)) {
            let problem = self.at(self.place_of("satisfied_when:"), format!("{share} is not a share"));
            self.problems.push(problem.hint("`satisfied_when` is between 0 and 1"));
        }
    }

    fn time(&mut self, scenario: &LoadedScenario) {
        let time = &scenario.scenario.time;
        if let Some(Err(why)) = time.mode.as_deref().map(str::parse::<ClockMode>) {
            self.problems.push(self.at(self.place_of("mode:"), why));
        }
        if let Some(Err(why)) = time.start.as_deref().map(Timestamp::parse) {
            let problem = self.at(self.place_of("start:"), format!("`start` is not a time: {why}"));
            self.problems.push(problem.hint("times are written as `2026-03-02T09:00:00Z`"));
        }
    }

    fn params(&mut self, scenario: &LoadedScenario) {
        let programs = programs(scenario);
        let mentions = programs.iter().flat_map(|program| program.mentions()).filter(|m| m.root == "params");
        let used: BTreeSet<Option<&str>> = mentions.map(|mention| mention.member.as_deref()).collect();
        for (name, param) in &scenario.scenario.params {
            if !used.contains(&Some(name.as_str())) && !used.contains(&None) {
                let message = format!("the parameter `{name}` is never used");
                let problem = self.at(param.referenced.into(), message);
                let hint = format!("name it as `params.{name}` where it matters, or take it out");
                self.problems.push(problem.hint(hint));
            }
        }
    }

    fn faults(&mut self, scenario: &LoadedScenario) {
        let rules: Vec<Rule> = scenario.scenario.faults.iter().map(|fault| fault.rule.clone()).collect();
        let mut wrong = FaultPlan::problems(&rules);
        wrong.extend(rules.iter().enumerate().filter_map(|(at, rule)| Some((at, aimed(rule, self.twins).err()?))));
        if wrong.is_empty() {
            return;
        }
        let places = Places::of_scenario(self.text);
        self.problems.extend(wrong.iter().map(|(at, error)| places.problem(self.file, self.text, *at, error)));
    }

    /// Whether there is such a twin; where not, the problem is kept.
    fn knows_twin(&mut self, twin: &str, place: Place) -> bool {
        let names = self.twin_names();
        if names.contains(&twin) {
            return true;
        }
        let problem = self.at(place.find(self.text, twin), format!("there is no twin `{twin}`"));
        self.problems.push(problem.suggest(twin, names));
        false
    }

    fn beats(&mut self, scenario: &LoadedScenario, world: &World) {
        let mut ids = BTreeSet::new();
        let beats = all_beats(&scenario.scenario.beats);
        for (beat, loaded) in beats.into_iter().zip(beat::all(&scenario.beats)) {
            let place = Place::from(beat.referenced);
            if let Some(id) = beat.value.id.as_deref().filter(|id| !ids.insert(id.to_owned())) {
                self.problems.push(self.at(place, format!("two beats have the id `{id}`")));
            }
            if let Some(verb) = &beat.value.verb {
                self.verb(&verb.value, verb.referenced.into(), &beat.value.with);
            }
            if let (Some(actor), Some(written)) = (&loaded.actor, &beat.value.actor) {
                for name in names_of(actor, scenario) {
                    self.person(&name, written.referenced.into(), world);
                }
            }
        }
    }

    fn person(&mut self, name: &str, place: Place, world: &World) {
        if world.person(name).is_none() {
            let problem = self.at(place, format!("nobody in the world `{}` is called `{name}`", world.name));
            self.problems.push(problem.suggest(name, world.keys()));
        }
    }

    fn verb(&mut self, verb: &str, place: Place, with: &Map<String, Value>) {
        let Some(info) = self.affordances.iter().find(|info| info.verb == verb) else {
            let known = self.affordances.iter().map(|info| info.verb);
            return self
                .problems
                .push(self.at(place, format!("no twin offers the verb `{verb}`")).suggest(verb, known));
        };
        let schema = info.arguments_schema();
        let Some(known) = schema["properties"].as_object() else { return };
        let is_open = schema.get("additionalProperties").is_some_and(|more| more != &Value::Bool(false));
        for name in with.keys().filter(|name| !is_open && !known.contains_key(*name)) {
            let problem = self.at(place.find(self.text, name), format!("`{verb}` takes no `{name}`"));
            self.problems.push(problem.suggest(name, known.keys().map(String::as_str)));
        }
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for name in required.filter(|name| !with.contains_key(*name)) {
            self.problems.push(self.at(place, format!("`{verb}` needs `{name}`")).hint("add it under `with`"));
        }
        self.arguments(verb, &schema, with, place);
    }

    fn checks(&mut self, scenario: &LoadedScenario, world: &World) {
        let mut names = BTreeSet::new();
        for check in &scenario.scenario.checks {
            let place = Place::from(check.referenced);
            if !names.insert(check.value.name.as_str()) {
                self.problems.push(self.at(place, format!("two checks have the name `{}`", check.value.name)));
            }
            if let Some(weight) = check.value.weight.filter(|weight| !is_weight(*weight)) {
                let problem = self.at(place, format!("a weight of {weight} counts nothing"));
                self.problems.push(problem.hint("weights are numbers above 0"));
            }
            self.property(&check.value.that, place, world);
        }
        let decides = |role: Role| matches!(role, Role::Must | Role::Guard);
        if !scenario.scenario.checks.iter().any(|check| decides(check.value.role)) {
            let problem = self.at(scenario.scenario.id.referenced.into(), "no check has to hold");
            self.problems
                .push(problem.hint("a scenario needs a check of role `must` or `guard`: without, all satisfies"));
        }
    }

    /// A scenario that asks for nothing.
    fn nothing(&mut self, scenario: &LoadedScenario) {
        if explain::nothing_satisfies(scenario) {
            let problem = self.at(scenario.scenario.id.referenced.into(), "a program that does nothing satisfies");
            let hint =
                "add a check of role `must` that asks for something to be done: `eventually`, or a `count` with `min`";
            self.problems.push(problem.hint(hint));
        }
    }

    fn property(&mut self, property: &Property, place: Place, world: &World) {
        match property {
            Property::Count { min: None | Some(0), max: None, .. } => {
                let problem = self.at(place, "this count always holds");
                self.problems.push(problem.hint("give `min`, `max` or both"));
            }
            Property::Count { min: Some(min), max: Some(max), .. } if min > max => {
                self.problems.push(self.at(place, format!("no count is at least {min} and at most {max}")));
            }
            Property::Reads { deny, allow: None, .. } if deny.is_empty() => {
                let problem = self.at(place, "anything may be read");
                self.problems.push(problem.hint("give `deny`, `allow` or both"));
            }
            Property::Order(steps) if steps.len() < 2 => {
                self.problems.push(self.at(place, "an order needs two entries at least"));
            }
            _ => {}
        }
        if let Property::Count { by: Some(by), .. }
        | Property::Never { by: Some(by), .. }
        | Property::Reads { by: Some(by), .. } = property
        {
            self.principal(by, place, world);
        }
        if let Property::Reads { deny, allow, .. } = property {
            deny.iter().chain(allow.iter().flatten()).for_each(|reading| self.reading(reading));
        }
    }

    fn principal(&mut self, by: &str, place: Place, world: &World) {
        const KNOWN: [&str; 5] = ["target", "actor", "system", "fault", "operator"];
        match by.split_once(':') {
            Some(("actor", person)) => self.person(person, place, world),
            Some(("fault", _)) => {}
            _ if KNOWN.contains(&by) => {}
            _ => {
                let problem = self.at(place.find(self.text, by), format!("there is no principal `{by}`"));
                self.problems.push(problem.suggest(by, KNOWN));
            }
        }
    }

    fn collateral(&mut self, scenario: &LoadedScenario) {
        scenario.scenario.collateral.reads.iter().flatten().for_each(|reading| self.reading(reading));
        for allow in &scenario.scenario.collateral.allow {
            let place = Place::from(allow.table.referenced);
            match allow.table.value.split_once('.') {
                Some((twin, table)) if !table.is_empty() => drop(self.knows_twin(twin, place)),
                _ => {
                    let problem = self.at(place, format!("`{}` is not a table", allow.table.value));
                    self.problems.push(problem.hint("tables are written as `twin.table`, all of a twin as `twin.*`"));
                }
            }
        }
    }

    /// The view that a rule for reading names.
    fn reading(&mut self, reading: &Reading) {
        let place = Place::from(reading.view.referenced);
        let Some((twin, view)) = reading.view.value.split_once('.').filter(|(_, view)| !view.is_empty()) else {
            let problem = self.at(place, format!("`{}` is not a view", reading.view.value));
            return self.problems.push(problem.hint("views are written as `twin.view`, all of a twin as `twin.*`"));
        };
        if !self.knows_twin(twin, place) || view == "*" {
            return;
        }
        let host = self.twins.iter().filter(|host| host.name() == twin);
        let known: Vec<&str> = host.flat_map(|host| host.views()).map(|(name, _)| name).collect();
        if !known.contains(&view) {
            let problem = self.at(place, format!("the {twin} twin has no view `{view}`"));
            self.problems.push(problem.suggest(view, known));
        }
    }

    /// The twins, views and people that an expression names.
    fn names(&mut self, program: &Program, world: &World) {
        for mention in program.mentions() {
            let (root, member) = (mention.root.as_str(), mention.member.as_deref());
            match (root, member) {
                ("people", Some(key)) => self.key(key, program.place(), world),
                _ if program.scope().variables().contains(&root) => {}
                _ => self.twin(root, member, program),
            }
        }
    }

    /// A member of `people`: only keys are there, not mail addresses.
    fn key(&mut self, key: &str, place: Place, world: &World) {
        if !world.keys().any(|known| known == key) {
            let problem = self.at(place, format!("nobody in the world `{}` has the key `{key}`", world.name));
            self.problems.push(problem.suggest(key, world.keys()));
        }
    }

    fn twin(&mut self, root: &str, member: Option<&str>, program: &Program) {
        let Some(twin) = self.twins.iter().find(|twin| variable_of(twin.name()) == root) else {
            let twins = self.twins.iter().map(|twin| variable_of(twin.name())).collect::<Vec<_>>();
            let known = program.scope().variables().iter().copied().chain(twins.iter().map(String::as_str));
            let problem = self.at(program.place(), format!("there is no variable and no twin `{root}`"));
            return self.problems.push(problem.suggest(root, known));
        };
        let views = twin.views();
        if let Some(view) = member.filter(|view| !views.iter().any(|(name, _)| name == view)) {
            let problem = self.at(program.place(), format!("the {} twin has no view `{view}`", twin.name()));
            self.problems.push(problem.suggest(view, views.iter().map(|(name, _)| *name)));
        }
    }

    /// An operation with its twin's name in front.
    fn called(&mut self, name: &str) {
        let place = self.place_of(name);
        let Some((twin, operation)) = name.split_once('.') else {
            let problem = self.at(place, format!("`{name}` is not an operation"));
            return self.problems.push(problem.hint("write the twin in front: `slack.auth.test`"));
        };
        if !self.knows_twin(twin, place) {
            return;
        }
        let host = self.twins.iter().filter(|host| host.name() == twin);
        let known: Vec<&str> = host.flat_map(|host| host.operations()).map(|info| info.id).collect();
        if !known.contains(&operation) {
            let problem = self.at(place, format!("the {twin} twin has no operation `{operation}`"));
            self.problems.push(problem.suggest(operation, known));
        }
    }
}

fn is_weight(weight: f64) -> bool {
    weight > 0.0 && weight.is_finite()
}

/// The people that a text can name: itself, or each value of the parameter that it is made of. What else it may become
/// is known only when it runs.
fn names_of(actor: &Template, scenario: &LoadedScenario) -> Vec<String> {
    if let Some(text) = actor.fixed() {
        return vec![text.to_owned()];
    }
    let source = actor.programs().map(Program::source).next().unwrap_or_default();
    let mut path = source.split('.');
    if !actor.is_whole() || path.next() != Some("params") {
        return Vec::new();
    }
    let param = path.next().and_then(|name| scenario.scenario.params.get(name));
    let Some(Param::OneOf(values) | Param::AnyOf(values)) = param.map(|param| &param.value) else { return Vec::new() };
    let members: Vec<&str> = path.collect();
    let member = |value: &Value| members.iter().try_fold(value.clone(), |value, name| value.get(*name).cloned());
    values.iter().filter_map(|value| member(value)?.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod stories;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        load,
        testing::{scenario_with, twins, world},
    };

    fn found(lines: &str) -> Vec<String> {
        let problems = lint(&scenario_with(lines), &twins(), &world());
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_sound_scenario_has_no_problems() {
        let lines = "
params: {who: {one_of: [lena, rob@tiny.example]}, r: {any_of: [{boss: rob}]}}
time: {mode: stepped, start: '2026-03-02T09:00:00Z'}
faults: [{rule: {id: busy, on: {twin: shelf, operation: 'put*'}, do: {reset: {}}}}]
beats:
  - {id: one, as: '${params.who}', do: shelf.user.take, with: {item: cup}, optional: true}
  - {id: two, as: '${params.r.boss}', do: shelf.user.take, with: {item: '${shelf.items[0].name}'}, optional: true}
checks:
  - {name: a, that: {finally: \"people.lena.name != '' && shelf.items.size() == 0\"}}
  - {name: b, that: {count: {of: e.operation == 'putItem', by: 'actor:lena', max: 1}}}
collateral: {allow: [{table: 'shelf.*', where: c.key == 'cup'}]}";
        assert_eq!(found(lines), [] as [String; 0]);
    }

    #[test]
    fn problems_are_told_with_hints() {
        let check = |lines: &str, wanted: &str| {
            let found = found(lines);
            assert!(found.len() == 1 && found[0].contains(wanted), "{lines}\n{found:#?}");
        };
        let beat = |beat: &str| format!("beats: [{beat}]");
        let that = |that: &str| format!("checks: [{{name: a, that: {that}}}]");
        check(
            &beat("{as: lena, do: shelf.user.tak, with: {item: x}}"),
            "no twin offers the verb `shelf.user.tak`\n  hint: did you mean `shelf.user.take`?",
        );
        check(
            &beat("{as: lena, do: shelf.user.take, with: {item: x, itm: y}}"),
            "`shelf.user.take` takes no `itm`\n  hint: did you mean `item`?",
        );
        check(&beat("{as: lena, do: shelf.user.take}"), "`shelf.user.take` needs `item`");
        check(
            &beat("{as: lina, do: shelf.user.take, with: {item: x}}"),
            "nobody in the world `tiny` is called `lina`\n  hint: did you mean `lena`?",
        );
        check(
            &format!(
                "params: {{who: {{one_of: [{{n: lina}}]}}}}\n{}",
                beat("{as: '${params.who.n}', do: shelf.user.take, with: {item: x}}")
            ),
            "is called `lina`",
        );
        check(&beat("{id: a, pause: 1s}, {id: a, pause: 1s}"), "two beats have the id `a`");
        check(
            &beat("{when: shelff.items.size() > 0}"),
            "there is no variable and no twin `shelff`\n  hint: did you mean `shelf`?",
        );
        check(
            &beat("{when: shelf.itmes.size() > 0}"),
            "the shelf twin has no view `itmes`\n  hint: did you mean `items`?",
        );
        check(&beat("{when: people.lina.name == ''}"), "nobody in the world `tiny` has the key `lina`");
        check("params: {spare: {one_of: [1]}}", "the parameter `spare` is never used");
        check("time: {mode: fast}", "unknown clock `fast`");
        check("time: {start: noon}", "`start` is not a time");
        check("meta: {weight: 0}", "a weight of 0 counts nothing");
        check("satisfied_when: 1.5", "1.5 is not a share");
        check("faults: [{rule: {id: r, on: {twin: shelv}, do: {reset: {}}}}]", "^^^^^\n  hint: did you mean `shelf`?");
        check("faults: [{rule: {id: r, on: {operation: putItme}, do: {reset: {}}}}]", "has no operation `putItme`\n");
        check("faults: [{rule: {id: r, on: {}, do: {drop: {}}}}]", "rule `r`: `drop` cannot strike calls");
        check("collateral: {allow: [{table: shlf.items}]}", "there is no twin `shlf`");
        check("collateral: {allow: [{table: items}]}", "`items` is not a table");
        check(&that("{count: {of: e.gap}}"), "this count always holds");
        check(&that("{count: {of: e.gap, min: 3, max: 2}}"), "no count is at least 3 and at most 2");
        check(&that("{order: [e.gap]}"), "an order needs two entries");
        check(&that("{never: {of: e.gap, by: bot}}"), "there is no principal `bot`");
        check("checks: [{name: a, role: should, that: {finally: 'true'}}]", "no check has to hold");
        check(
            "checks: [{name: a, that: {finally: 'true'}}, {name: a, that: {finally: 'true'}}]",
            "two checks have the name `a`",
        );
        check("checks: [{name: a, weight: -1, that: {finally: 'true'}}]", "a weight of -1 counts nothing");
    }

    #[test]
    fn problems_have_their_place() {
        let found = found("beats:\n  - as: lena\n    do: shelf.user.take\n    with:\n      item: x\n      itm: y\n");
        assert!(found[0].starts_with("s.yaml:12:7: "), "{found:?}");
    }

    #[test]
    fn targets_are_checked_too() {
        let text = "schema: dtu/target/v1\nname: t\ncommand: ['./x', '${params.whom}']\nconnect:\n  - {as: rod, do: shelf.user.tke, with: {}}\n\
                    ready: {any_of: [{called: shelf.listItem}, {called: ping}, {called: shelf.listItems}]}\n";
        let target = load::target_from("t.yaml".to_owned(), text.to_owned()).expect("loads");
        let alone: Vec<String> = lint_target(&target, &twins()).iter().map(|problem| problem.message.clone()).collect();
        let wanted = [
            "no twin offers the verb `shelf.user.tke`",
            "the shelf twin has no operation `listItem`",
            "`ping` is not an operation",
        ];
        assert_eq!(alone, wanted);
        let scenario = scenario_with("params: {who: {one_of: [1]}}");
        let both: Vec<String> =
            lint_together(&target, &scenario, &world()).iter().map(|problem| problem.message.clone()).collect();
        assert_eq!(
            both,
            ["the scenario `test.one` has no parameter `whom`", "nobody in the world `tiny` is called `rod`"]
        );
    }
}
