//! Gate files: what a build must show before it may pass.
//!
//! These types are the format.

use std::path::Path;

use dtu_kernel::{diagnostic::Diagnostic, time::Timestamp};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use crate::{load, plan::Plan};

/// What a build must show before it may pass.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gates {
    /// The format: `dtu/gates/v1`.
    pub schema: GatesSchema,
    /// How much may be run until it is decided.
    #[serde(default)]
    pub budget: Option<Budget>,
    /// How much of a run may say nothing.
    #[serde(default)]
    pub validity: Validity,
    /// What follows where nothing is shown either way.
    #[serde(default)]
    pub on_inconclusive: OnInconclusive,
    /// Scenarios, by id, that are run and do not count for a while.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, Quarantine>")]
    pub quarantine: IndexMap<String, Spanned<Quarantine>>,
    /// What is asked otherwise on some occasions, chosen by name with `--profile`.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, Profile>")]
    pub profiles: IndexMap<String, Spanned<Profile>>,
    /// Scenarios in which nothing may go wrong.
    #[serde(default)]
    pub must_have: Option<MustHave>,
    /// Scenarios that nobody can satisfy: whoever does has cheated.
    #[serde(default)]
    pub canaries: Option<Canaries>,
    /// The least satisfaction.
    #[serde(default)]
    pub minimum: Option<Minimum>,
    /// No worse than the baseline.
    #[serde(default)]
    pub no_regress: Option<NoRegress>,
    /// The least satisfaction of each scenario.
    #[serde(default)]
    pub floors: Option<Floors>,
}

/// The one known version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum GatesSchema {
    /// `dtu/gates/v1`
    #[serde(rename = "dtu/gates/v1")]
    V1,
}

/// What follows where nothing is shown either way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnInconclusive {
    /// Exit code 4: whoever asked decides.
    #[default]
    Tell,
    /// Exit code 0, and a warning. The ruling stays inconclusive.
    Warn,
    /// Exit code 1.
    Fail,
}

/// A scenario that is run and does not count for a while.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quarantine {
    /// The last day of it (`2026-12-31`): it ends by itself.
    pub until: String,
    /// Where it is being looked into.
    pub issue: String,
}

/// What is asked otherwise on some occasion; members that are absent stay as they are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// How much may be run until it is decided.
    #[serde(default)]
    pub budget: Option<Budget>,
    /// How much of a run may say nothing.
    #[serde(default)]
    pub validity: Option<Validity>,
    /// The least satisfaction.
    #[serde(default)]
    pub minimum: Option<Minimum>,
    /// What follows where nothing is shown either way.
    #[serde(default)]
    pub on_inconclusive: Option<OnInconclusive>,
}

/// Whether all must be seen that is to be seen now and then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exercise {
    /// Each fault rule must have fired, and each `sometimes` of a scenario must have been seen, in one trajectory at
    /// least.
    #[default]
    All,
    /// Nothing must.
    Nothing,
}

/// How much may be run until it is decided. The run is looked at after a quarter, a half, three quarters and all of
/// it, each time with a bound that makes up for the other looks.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Trajectories for each variant at most.
    #[schemars(with = "u64")]
    pub seeds: Spanned<u64>,
}

/// How much of a run may say nothing. Beyond it the run is inconclusive, whatever else it shows.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Validity {
    /// The share of void trajectories; 0.02 where absent.
    #[schemars(with = "f64")]
    pub void_max: Spanned<f64>,
    /// The share of undecided trajectories; 0.05 where absent.
    #[schemars(with = "f64")]
    pub undecided_max: Spanned<f64>,
    /// What must have been seen in the run; `all` where absent.
    pub sometimes: Exercise,
}

impl Default for Validity {
    fn default() -> Self {
        Self { void_max: unplaced(0.02), undecided_max: unplaced(0.05), sometimes: Exercise::All }
    }
}

/// Scenarios in which nothing may go wrong.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MustHave {
    /// Scenarios with one of these tags.
    #[schemars(with = "Vec<String>")]
    pub tags: Vec<Spanned<String>>,
    /// So many unsatisfied trajectories are let pass, unless something forbidden happened in one; 0 where absent.
    #[serde(default)]
    pub violations: u64,
    /// Where there are more, and nothing forbidden happened, so many fresh seeds of the variant that failed first are
    /// run: one more failure among them fails the gate, and without one nothing is shown. 0 where absent: it fails at
    /// once.
    #[serde(default)]
    pub confirm: u64,
}

/// Scenarios that nobody can satisfy. They count nowhere else.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Canaries {
    /// Scenarios with one of these tags.
    #[schemars(with = "Vec<String>")]
    pub tags: Vec<Spanned<String>>,
}

/// The least satisfaction. It passes where the lower bound reaches it, and fails where the upper bound does not.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Minimum {
    /// Between 0 and 1.
    #[schemars(with = "f64")]
    pub satisfaction: Spanned<f64>,
}

/// No worse than the baseline, on the same scenarios, variants and seeds.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NoRegress {
    /// How much worse still passes; 0.02 where absent. It passes where the lower bound of the difference is above it,
    /// and fails where there is proof of a drop and none that it stays within this.
    #[schemars(with = "f64")]
    pub margin: Spanned<f64>,
    /// Looks at each scenario too.
    pub per_scenario: PerScenario,
}

impl Default for NoRegress {
    fn default() -> Self {
        Self { margin: unplaced(0.02), per_scenario: PerScenario::default() }
    }
}

/// Screens each scenario, and confirms what it finds on fresh seeds.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PerScenario {
    /// A drop of the fraction that is looked into; 0.30 where absent.
    #[schemars(with = "f64")]
    pub screen: Spanned<f64>,
    /// Pairs of fresh seeds; 15 where absent.
    pub confirm: u64,
    /// Below this the fresh seeds alone prove a regression (Fisher's exact test); 0.01 where absent.
    #[schemars(with = "f64")]
    pub p: Spanned<f64>,
}

impl Default for PerScenario {
    fn default() -> Self {
        Self { screen: unplaced(0.30), confirm: 15, p: unplaced(0.01) }
    }
}

/// The least satisfaction of each scenario, by a sequential test.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Floors {
    /// Of scenarios that are not named.
    #[serde(default)]
    #[schemars(with = "Option<f64>")]
    pub default: Option<Spanned<f64>>,
    /// By the scenario's id.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, f64>")]
    pub scenarios: IndexMap<String, Spanned<f64>>,
    /// What lies so much below its floor must be found; 0.10 where absent.
    #[serde(default = "floor_margin")]
    #[schemars(with = "f64")]
    pub margin: Spanned<f64>,
    /// What passes.
    #[serde(default)]
    pub rule: FloorRule,
}

fn floor_margin() -> Spanned<f64> {
    unplaced(0.10)
}

/// What passes a floor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FloorRule {
    /// What is not shown to lie below.
    #[default]
    NotBelow,
    /// Only what is shown to reach it.
    Proven,
}

impl Default for Gates {
    /// At least 0.90 satisfied, and no worse than a baseline where there is one.
    fn default() -> Self {
        Self {
            schema: GatesSchema::V1,
            budget: None,
            validity: Validity::default(),
            on_inconclusive: OnInconclusive::default(),
            quarantine: IndexMap::new(),
            profiles: IndexMap::new(),
            must_have: None,
            canaries: None,
            minimum: Some(Minimum { satisfaction: unplaced(0.90) }),
            no_regress: None,
            floors: None,
        }
    }
}

impl Gates {
    /// The same as a profile has it.
    ///
    /// # Errors
    /// Where there is no profile of the name.
    pub fn with_profile(mut self, file: &str, name: &str) -> Result<Self, Diagnostic> {
        let Some(profile) = self.profiles.get(name).map(|profile| profile.value.clone()) else {
            let problem = Diagnostic::whole(file, format!("there is no profile `{name}`"));
            return Err(problem.suggest(name, self.profiles.keys().map(String::as_str)));
        };
        self.budget = profile.budget.or(self.budget);
        self.validity = profile.validity.unwrap_or(self.validity);
        self.minimum = profile.minimum.or(self.minimum);
        self.on_inconclusive = profile.on_inconclusive.unwrap_or(self.on_inconclusive);
        Ok(self)
    }

    /// Ends quarantines whose last day has passed, and gives back their scenarios. `today` is written `2026-12-31`.
    pub fn expire(&mut self, today: &str) -> Vec<String> {
        let is_over = |quarantine: &Spanned<Quarantine>| quarantine.value.until.as_str() < today;
        let over = self.quarantine.iter().filter(|(_, quarantine)| is_over(quarantine));
        let over: Vec<String> = over.map(|(id, _)| id.clone()).collect();
        self.quarantine.retain(|_, quarantine| !is_over(quarantine));
        over
    }

    /// How many trajectories of each variant a run may need: the budget, and fresh seeds to confirm what is
    /// suspected.
    /// None where there is no budget.
    pub fn seeds_max(&self) -> Option<u64> {
        let budget = self.budget.as_ref()?.seeds.value;
        let fresh = self.no_regress.as_ref().map_or(0, |rule| budget.div_ceil(4) + rule.per_scenario.confirm);
        let confirm = self.must_have.as_ref().map_or(0, |rule| rule.confirm);
        Some(budget.max(fresh) + confirm)
    }

    /// How many trajectories of each variant are run before the gate is asked for the first time.
    pub fn first_look(&self, planned: u64) -> u64 {
        self.budget.as_ref().map_or(planned, |budget| budget.seeds.value.div_ceil(4))
    }
}

/// A value that stands in no file.
fn unplaced<T>(value: T) -> Spanned<T> {
    Spanned::new(value, serde_saphyr::Location::UNKNOWN, serde_saphyr::Location::UNKNOWN)
}

/// Whether a file says that it is a gate file.
pub fn is_gates(path: &Path) -> bool {
    let says = |line: &str| line.trim_start().starts_with("schema: dtu/gates/");
    fs_err::read_to_string(path).is_ok_and(|text| text.lines().any(says))
}

/// Reads a gate file.
///
/// # Errors
/// Every problem found.
pub fn gates(path: &Path) -> Result<Gates, Vec<Diagnostic>> {
    let (file, text) = load::read(path)?;
    gates_from(&file, &text)
}

/// Reads gates from their text. `file` is what problems name.
///
/// # Errors
/// Every problem found.
pub fn gates_from(file: &str, text: &str) -> Result<Gates, Vec<Diagnostic>> {
    let gates: Gates = load::parse(file, text)?;
    let problems = lint(file, &gates);
    if problems.is_empty() { Ok(gates) } else { Err(problems) }
}

/// The problems that the file alone shows.
fn lint(file: &str, gates: &Gates) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (name, value) in shares(gates) {
        if !(0.0..=1.0).contains(&value.value) {
            let problem = Diagnostic::on(file, value, format!("`{name}` is {}, which is not a share", value.value));
            problems.push(problem.hint("shares are between 0 and 1: 2 % is 0.02"));
        }
    }
    if let Some(budget) = gates.budget.as_ref().filter(|budget| budget.seeds.value == 0) {
        problems.push(Diagnostic::on(file, &budget.seeds, "a budget of no seeds decides nothing"));
    }
    for (id, quarantine) in &gates.quarantine {
        let until = &quarantine.value.until;
        if until.len() != 10 || Timestamp::parse(&format!("{until}T00:00:00Z")).is_err() {
            let problem = Diagnostic::on(file, quarantine, format!("`until` of `{id}` is no day: `{until}`"));
            problems.push(problem.hint("days are written `2026-12-31`"));
        }
    }
    let budgets = gates.profiles.values().filter_map(|profile| profile.value.budget.as_ref());
    for budget in budgets.filter(|budget| budget.seeds.value == 0) {
        problems.push(Diagnostic::on(file, &budget.seeds, "a budget of no seeds decides nothing"));
    }
    let decides = gates.must_have.is_some()
        || gates.minimum.is_some()
        || gates.no_regress.is_some()
        || gates.floors.as_ref().is_some_and(|floors| floors.default.is_some() || !floors.scenarios.is_empty());
    if !decides {
        let problem = Diagnostic::whole(file, "these gates let everything pass");
        problems.push(problem.hint("add `must_have`, `minimum`, `no_regress` or `floors`"));
    }
    problems
}

fn shares(gates: &Gates) -> Vec<(&'static str, &Spanned<f64>)> {
    let mut shares = vec![("void_max", &gates.validity.void_max), ("undecided_max", &gates.validity.undecided_max)];
    shares.extend(gates.minimum.iter().map(|minimum| ("satisfaction", &minimum.satisfaction)));
    for profile in gates.profiles.values() {
        shares.extend(profile.value.minimum.iter().map(|minimum| ("satisfaction", &minimum.satisfaction)));
        if let Some(validity) = &profile.value.validity {
            shares.extend([("void_max", &validity.void_max), ("undecided_max", &validity.undecided_max)]);
        }
    }
    if let Some(rule) = &gates.no_regress {
        let each = &rule.per_scenario;
        shares.extend([("margin", &rule.margin), ("screen", &each.screen), ("p", &each.p)]);
    }
    if let Some(floors) = &gates.floors {
        shares.push(("margin", &floors.margin));
        shares.extend(floors.default.iter().map(|floor| ("default", floor)));
        shares.extend(floors.scenarios.values().map(|floor| ("floor", floor)));
    }
    shares
}

/// The problems of gates with the run that they are to judge: names that it does not know.
pub fn lint_with(file: &str, gates: &Gates, plan: &Plan) -> Vec<Diagnostic> {
    let ids: Vec<&str> = plan.scenarios.iter().map(|scenario| scenario.id.as_str()).collect();
    let tags: Vec<&str> = plan.scenarios.iter().flat_map(|s| s.tags.iter().map(String::as_str)).collect();
    let mut problems = Vec::new();
    let floors = gates.floors.iter().flat_map(|floors| &floors.scenarios);
    for (id, floor) in floors.filter(|(id, _)| !ids.contains(&id.as_str())) {
        let problem = Diagnostic::on(file, floor, format!("the run has no scenario `{id}`"));
        problems.push(problem.suggest(id, ids.iter().copied()));
    }
    for (id, quarantine) in gates.quarantine.iter().filter(|(id, _)| !ids.contains(&id.as_str())) {
        let problem = Diagnostic::on(file, quarantine, format!("the run has no scenario `{id}`"));
        problems.push(problem.suggest(id, ids.iter().copied()));
    }
    let must_have = gates.must_have.iter().flat_map(|rule| &rule.tags);
    let canaries = gates.canaries.iter().flat_map(|rule| &rule.tags);
    for tag in must_have.chain(canaries).filter(|tag| !tags.contains(&tag.value.as_str())) {
        let problem = Diagnostic::on(file, tag, format!("no scenario of the run has the tag `{}`", tag.value));
        problems.push(problem.suggest(&tag.value, tags.iter().copied()));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_have_a_place_and_a_hint() {
        let check = |lines: &str, wanted: &str| {
            let text = format!("schema: dtu/gates/v1\n{lines}\n");
            let found = gates_from("g.yaml", &text).expect_err("has problems");
            let found = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            assert!(found.contains(wanted), "{lines}\n{found}");
        };
        check("minimun: {satisfaction: 0.9}", "g.yaml:2:1: unknown key `minimun`\n  hint: did you mean `minimum`?");
        check("minimum: {satisfaction: 90}", "g.yaml:2:25: `satisfaction` is 90, which is not a share\n  hint: shares");
        check("floors: {scenarios: {a: 0.5, b: -1}}", "g.yaml:2:33: `floor` is -1");
        check("floors: {rule: proved}", "unknown word `proved`\n  hint: did you mean `proven`?");
        check("budget: {seeds: 0}\nminimum: {satisfaction: 0.9}", "g.yaml:2:17: a budget of no seeds");
        check("validity: {void_max: 0.1}", "g.yaml: these gates let everything pass\n  hint: add `must_have`");
        check("floors: {}", "these gates let everything pass");
        check(
            "minimum: {satisfaction: 0.9}\nquarantine: {a: {until: soon, issue: x}}",
            "`until` of `a` is no day: `soon`",
        );
        check("minimum: {satisfaction: 0.9}\nprofiles: {pr: {budget: {seeds: 0}}}", "a budget of no seeds");
        check("minimum: {satisfaction: 0.9}\nprofiles: {pr: {minimum: {satisfaction: 9}}}", "`satisfaction` is 9");
        check("minimum: {}", "missing field `satisfaction`");
    }

    #[test]
    fn a_profile_replaces_what_it_names() {
        let text = "schema: dtu/gates/v1\nminimum: {satisfaction: 0.9}\nbudget: {seeds: 20}\n\
                    profiles: {pr: {budget: {seeds: 4}, on_inconclusive: warn}}\n";
        let gates = || gates_from("g.yaml", text).expect("is read");
        let seeds = |gates: &Gates| gates.budget.as_ref().map(|budget| budget.seeds.value);
        let pr = gates().with_profile("g.yaml", "pr").expect("is there");
        assert_eq!((seeds(&gates()), seeds(&pr)), (Some(20), Some(4)));
        assert_eq!((gates().on_inconclusive, pr.on_inconclusive), (OnInconclusive::Tell, OnInconclusive::Warn));
        assert!(pr.minimum.is_some());
        let problem = gates().with_profile("g.yaml", "rp").expect_err("is not there").to_string();
        assert!(problem.contains("there is no profile `rp`") && problem.contains("known are pr"), "{problem}");
    }

    #[test]
    fn a_quarantine_ends_by_itself() {
        let text = "schema: dtu/gates/v1\nminimum: {satisfaction: 0.9}\n\
                    quarantine: {a: {until: 2026-03-01, issue: '#1'}, b: {until: 2026-03-02, issue: '#2'}}\n";
        let mut gates = gates_from("g.yaml", text).expect("is read");
        assert_eq!(gates.expire("2026-03-02"), ["a"]);
        assert_eq!(gates.quarantine.keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(gates.expire("2026-03-03"), ["b"]);
    }

    #[test]
    fn what_is_left_out_has_the_designs_values() {
        let text = "schema: dtu/gates/v1\nno_regress: {}\nfloors: {default: 0.8}\nmust_have: {tags: [safety]}\n";
        let gates = gates_from("g.yaml", text).expect("is read");
        let rule = gates.no_regress.expect("is there");
        let floors = gates.floors.expect("is there");
        let found = [
            gates.validity.void_max.value,
            gates.validity.undecided_max.value,
            rule.margin.value,
            rule.per_scenario.screen.value,
            rule.per_scenario.p.value,
            floors.margin.value,
        ];
        assert_eq!(found.map(|share| format!("{share:.3}")), ["0.020", "0.050", "0.020", "0.300", "0.010", "0.100"]);
        assert_eq!((rule.per_scenario.confirm, floors.rule), (15, FloorRule::NotBelow));
    }
}
