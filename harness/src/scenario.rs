//! Scenario files: user stories kept outside the target's repository.
//!
//! These types are the format. Expressions are CEL; texts may hold `${...}` with CEL inside.

mod act;

use dtu_kernel::{fault, time::Span};
use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_saphyr::Spanned;

pub use self::act::{
    After, At, Body, Choice, Cli, ExpectAnswer, ExpectExit, Generated, Http, Later, Method, Repeat, Status, Times,
};

/// One user story with its variants, faults and checks.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The format: `dtu/scenario/v1`.
    pub schema: SchemaV1,
    /// A stable name, dotted: `access.approved-by-manager`.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// What must be true, in a sentence.
    pub title: String,
    /// The story as a person would tell it.
    pub story: String,
    /// Area, tags, weight.
    #[serde(default)]
    pub meta: Meta,
    /// The world by name, or by path relative to this file.
    #[schemars(with = "String")]
    pub world: Spanned<String>,
    /// Parameters: each combination of their values is a variant.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Param>")]
    pub params: IndexMap<String, Spanned<Param>>,
    /// How time runs.
    #[serde(default)]
    pub time: TimePlan,
    /// Fault rules armed before the first beat.
    #[serde(default)]
    pub faults: Vec<FaultPlan>,
    /// What the people do, one beat after the other.
    #[schemars(with = "Vec<Beat>")]
    pub beats: Vec<Spanned<Beat>>,
    /// What must hold.
    #[schemars(with = "Vec<Check>")]
    pub checks: Vec<Spanned<Check>>,
    /// What must be seen in some trajectory at least, besides that each fault rule fires: else the run shows too little.
    #[serde(default)]
    pub sometimes: Vec<Sometimes>,
    /// What the target may change; anything else it changes is collateral damage.
    #[serde(default)]
    pub collateral: Collateral,
    /// The share of `should` checks, by weight, that must hold; where absent they only inform.
    #[serde(default)]
    pub satisfied_when: Option<f64>,
}

/// The one known version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum SchemaV1 {
    /// `dtu/scenario/v1`
    #[serde(rename = "dtu/scenario/v1")]
    V1,
}

/// How a scenario is filed and weighed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Meta {
    /// The area, as reports group by it.
    pub area: String,
    /// Words to filter by.
    pub tags: Vec<String>,
    /// How much it counts in the satisfaction of the suite.
    pub weight: f64,
}

impl Default for Meta {
    fn default() -> Self {
        Self { area: String::new(), tags: Vec::new(), weight: 1.0 }
    }
}

/// The values of a parameter.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Param {
    /// Each of these values in turn: one variant each.
    OneOf(Vec<Value>),
    /// One value, drawn from these for each trajectory by its seed.
    AnyOf(Vec<Value>),
    /// One value, drawn for each trajectory by its seed from the list that this gives (CEL over the world's `people`):
    /// `people.filter(key, people[key].department == 'Sales')`.
    From(#[schemars(with = "String")] Spanned<String>),
    /// A whole number, drawn for each trajectory by its seed.
    Int {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
    },
    /// A value made up for each trajectory by its seed.
    Generated(Generated),
}

/// How time runs in the universe.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimePlan {
    /// `real` (default), `scaled:K` or `stepped`.
    #[serde(default)]
    pub mode: Option<String>,
    /// What the clock shows at the start (RFC 3339); the machine's time where absent.
    #[serde(default)]
    pub start: Option<String>,
}

/// A fault rule and whether the scenario means anything without it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// The rule, as in fault plans.
    pub rule: fault::Rule,
    /// Only in variants where this holds (CEL over `params`).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Spanned<String>>,
    /// What must come of it: a trajectory in which a rule required to fire did not is void.
    #[serde(default)]
    pub require: Require,
}

/// What must come of a fault rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Require {
    /// It may fire or not.
    #[default]
    Nothing,
    /// It must fire at least once.
    Fired,
}

/// One step of the story.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Beat {
    /// A name by which other beats, checks and reports refer to the beat. What came of its act is `acts.ID` from then
    /// on: of `http` its `status`, `headers`, `body`, `json` and `error`; of `cli` its `code`, `stdout`, `stderr`, `json`
    /// and `error`; of `do` its `result` and `error`; of `pick` what was `chosen`; of `repeat` its `rounds`.
    #[serde(default)]
    pub id: Option<String>,
    /// Not before this time. A beat that comes late is played at once.
    #[serde(default)]
    #[schemars(with = "Option<At>")]
    pub at: Option<Spanned<At>>,
    /// Not before another beat is over.
    #[serde(default)]
    #[schemars(with = "Option<After>")]
    pub after: Option<Spanned<After>>,
    /// Waits until this holds (CEL).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Spanned<String>>,
    /// How long `when` may take (universe time); 15 s where absent. A beat that never becomes possible makes the
    /// trajectory unsatisfied: the target did not do its part.
    #[serde(default)]
    pub timeout: Option<Span>,
    /// Waits a drawn time up to this (universe time), so that not all trajectories have the same rhythm.
    #[serde(default)]
    pub jitter: Option<Span>,
    /// Who acts: a person's key or mail address.
    #[serde(default, rename = "as")]
    #[schemars(with = "Option<String>")]
    pub actor: Option<Spanned<String>>,
    /// The human verb.
    #[serde(default, rename = "do")]
    #[schemars(with = "Option<String>")]
    pub verb: Option<Spanned<String>>,
    /// The verb's arguments.
    #[serde(default)]
    pub with: serde_json::Map<String, Value>,
    /// A refusal of the act (the button is gone, nobody answers, another answer than expected) is no failure.
    #[serde(default)]
    pub optional: bool,
    /// Moves the universe's clock on by so much, through all that is due on the way.
    #[serde(default)]
    pub advance: Option<Span>,
    /// Waits this long (universe time), for acts that come a moment later.
    #[serde(default)]
    pub pause: Option<Span>,
    /// What happens to the target's process.
    #[serde(default)]
    pub target: Option<TargetAct>,
    /// A request to the target.
    #[serde(default)]
    pub http: Option<Http>,
    /// A command of the target.
    #[serde(default)]
    pub cli: Option<Cli>,
    /// Lists of beats that are played side by side: whenever several could go on, the seed says which does. The beat is
    /// over when all are.
    #[serde(default)]
    #[schemars(with = "Option<Vec<Vec<Beat>>>")]
    pub parallel: Option<Vec<Vec<Spanned<Beat>>>>,
    /// Beats that are played several times.
    #[serde(default)]
    pub repeat: Option<Repeat>,
    /// One of these courses is taken: which, the seed says by their weights.
    #[serde(default)]
    pub pick: Option<Vec<Choice>>,
}

impl Beat {
    /// The lists of beats within it.
    pub fn lists(&self) -> Vec<&[Spanned<Self>]> {
        let branches = self.parallel.iter().flatten().map(Vec::as_slice);
        let rounds = self.repeat.iter().map(|repeat| repeat.beats.as_slice());
        let courses = self.pick.iter().flatten().map(|choice| choice.beats.as_slice());
        branches.chain(rounds).chain(courses).collect()
    }
}

/// All beats of a list and those within them, each before what is within it.
pub fn all_beats(beats: &[Spanned<Beat>]) -> Vec<&Spanned<Beat>> {
    let within = |beat| {
        let beat: &Spanned<Beat> = beat;
        std::iter::once(beat).chain(beat.value.lists().into_iter().flat_map(all_beats)).collect::<Vec<_>>()
    };
    beats.iter().flat_map(within).collect()
}

/// What happens to the target's process.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TargetAct {
    /// It is killed at once, with all its children, and stays away until it is started.
    Kill,
    /// It is started again, with the same port, and waited for until it is ready.
    Start,
    /// It is ended in order and started again.
    Restart,
    /// It stands still for this long (machine time): no answer, no clock, and then it goes on.
    Pause(Span),
    /// It is ended in order and started again with these variables changed; values may hold `${...}`.
    Rotate(#[schemars(with = "BTreeMap<String, String>")] IndexMap<String, Spanned<String>>),
}

impl TargetAct {
    /// What the ledger calls it.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Kill => "target.kill",
            Self::Start => "target.start",
            Self::Restart => "target.restart",
            Self::Pause(_) => "target.pause",
            Self::Rotate(_) => "target.rotate",
        }
    }
}

/// Something that must hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What holds, in a few words; unique within the scenario.
    pub name: String,
    /// What follows where it does not hold.
    #[serde(default)]
    pub role: Role,
    /// How much a `should` check counts.
    #[serde(default)]
    pub weight: Option<f64>,
    /// Only in variants where this holds (CEL over `params`).
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub when: Option<Spanned<String>>,
    /// The property.
    pub that: Property,
}

/// What follows where a check does not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The user is not satisfied: something wanted is missing.
    #[default]
    Must,
    /// The user is not satisfied: something forbidden happened.
    Guard,
    /// The user is less satisfied.
    Should,
    /// Nothing; it is reported.
    Info,
}

/// A property of a trajectory.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Property {
    /// CEL over the state at the end.
    Finally(#[schemars(with = "String")] Spanned<String>),
    /// Becomes true within a time after the last beat, and is waited for.
    Eventually {
        /// How long (universe time).
        within: Span,
        /// CEL over the state.
        #[schemars(with = "String")]
        that: Spanned<String>,
    },
    /// CEL over the state that holds at every moment, from the first beat to the end: after each single write.
    Always(#[schemars(with = "String")] Spanned<String>),
    /// How many ledger entries fit.
    Count {
        /// CEL over the entry `e`.
        #[schemars(with = "String")]
        of: Spanned<String>,
        /// Only entries of this principal (`target`, `actor`, `system`, `fault`).
        #[serde(default)]
        by: Option<String>,
        /// At least so many; 0 where absent.
        #[serde(default)]
        min: Option<u64>,
        /// At most so many; no bound where absent.
        #[serde(default)]
        max: Option<u64>,
    },
    /// No ledger entry fits.
    Never {
        /// CEL over the entry `e`.
        #[schemars(with = "String")]
        of: Spanned<String>,
        /// Only entries of this principal.
        #[serde(default)]
        by: Option<String>,
    },
    /// Ledger entries that fit these come in this order: for each, one that comes after the one before.
    Order(#[schemars(with = "Vec<String>")] Vec<Spanned<String>>),
    /// No ledger entry fits before one that it waits for.
    OnlyAfter {
        /// CEL over the entry `e`.
        #[schemars(with = "String")]
        of: Spanned<String>,
        /// CEL over the entry `e`: what must have come before.
        #[schemars(with = "String")]
        after: Spanned<String>,
    },
    /// Each ledger entry that fits is followed by one that answers it, in time.
    LeadsTo {
        /// CEL over the entry `e`: what calls for an answer.
        #[schemars(with = "String")]
        of: Spanned<String>,
        /// CEL over the entry `e`: the answer.
        #[schemars(with = "String")]
        to: Spanned<String>,
        /// How much later it may come (universe time).
        within: Span,
        /// CEL over the entry `e`: an answer has the same key as what it answers; any answer will do where absent.
        #[serde(default)]
        #[schemars(with = "Option<String>")]
        key: Option<Spanned<String>>,
    },
    /// What may be read: which objects a principal may be shown in answers to its calls.
    Reads {
        /// Who: `target` where absent; `actor`, `actor:lena`.
        #[serde(default)]
        by: Option<String>,
        /// What must not be read.
        #[serde(default)]
        deny: Vec<Reading>,
        /// What may be read: anything else that a view shows must not be. Anything may be where absent.
        #[serde(default)]
        allow: Option<Vec<Reading>>,
    },
    /// How often the target may call.
    Budget {
        /// Only calls to this twin.
        #[serde(default)]
        twin: Option<String>,
        /// At most so many calls.
        #[serde(default)]
        calls: Option<u64>,
        /// At most so many calls that were refused or failed.
        #[serde(default)]
        errors: Option<u64>,
        /// Within any span of this length (universe time); in the whole trajectory where absent.
        #[serde(default)]
        per: Option<Span>,
    },
    /// Among entries that fit, at most one for each key.
    AtMostOncePer {
        /// CEL over the entry `e`.
        #[schemars(with = "String")]
        of: Spanned<String>,
        /// CEL over the entry `e`: the key.
        #[schemars(with = "String")]
        key: Spanned<String>,
    },
}

/// Something that must be seen now and then.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sometimes {
    /// What is seen, in a few words.
    pub name: String,
    /// CEL over the ledger entry `e`: it is seen where some entry fits.
    #[schemars(with = "String")]
    pub of: Spanned<String>,
}

/// What the target may change.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Collateral {
    /// The changes allowed.
    pub allow: Vec<Allow>,
    /// What the target may read: anything else that it is shown is a failure. It may read anything where absent.
    pub reads: Option<Vec<Reading>>,
}

/// Objects that are read.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Twin and view: `okta.users`; all views of a twin: `okta.*`.
    #[schemars(with = "String")]
    pub view: Spanned<String>,
    /// Only objects for which this holds at some time of the story (CEL over the view's row `r`); all where absent.
    #[serde(default, rename = "where")]
    #[schemars(with = "Option<String>")]
    pub only: Option<Spanned<String>>,
}

/// Changes that the target may make.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// Twin and table: `okta.memberships`.
    #[schemars(with = "String")]
    pub table: Spanned<String>,
    /// Only rows for which this holds (CEL over the change `c`: `key`, `before`, `after`); all where absent.
    #[serde(default, rename = "where")]
    #[schemars(with = "Option<String>")]
    pub only: Option<Spanned<String>>,
}
