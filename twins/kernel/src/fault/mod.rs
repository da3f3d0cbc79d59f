//! Fault plans: ordered rules that make chosen calls, deliveries, timers and connections fail, drawn from the universe's
//! seed.

mod condition;
mod effect;
mod file;
mod plan;
mod rule;
mod window;

pub(crate) use self::effect::drift;
pub use self::{
    effect::{Change, Effect, Injected, Latency, Strikes},
    file::{PlanFile, SchemaV1},
    plan::{ArmedRule, FaultPlan, Fired, RuleError, Skipped, Struck, Subject, Tally, Why},
    rule::{Match, Rule},
    window::{Burst, During, Episode, Ramp},
};

/// Fault plans that are part of the program, by name.
pub const NAMED: &[(&str, &str)] = &[
    ("okta-rate-limit-storm", include_str!("../../../../fixtures/faults/okta-rate-limit-storm.yaml")),
    ("slack-api-brownout", include_str!("../../../../fixtures/faults/slack-api-brownout.yaml")),
    ("slack-events-duplicated", include_str!("../../../../fixtures/faults/slack-events-duplicated.yaml")),
];
