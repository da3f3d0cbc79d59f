//! Fault plans: ordered rules that make chosen calls, deliveries, timers and connections fail, drawn from the universe's
//! seed.

mod aim;
mod armed;
mod condition;
mod drift;
mod effect;
mod file;
mod names;
mod places;
mod plan;
mod rule;
mod told;
mod window;

pub(crate) use self::drift::drift;
pub use self::{
    aim::{Target, aimed},
    armed::ArmedRule,
    condition::Wrong,
    effect::{Change, Effect, Injected, Latency, Strikes},
    file::{PlanFile, SchemaV1},
    places::Places,
    plan::FaultPlan,
    rule::{Match, Part, Rule},
    told::{Fired, RuleError, Skipped, Struck, Subject, Tally, Why},
    window::{Burst, During, Episode, Ramp},
};

/// Fault plans that are part of the program, by name.
pub const NAMED: &[(&str, &str)] = &[
    ("everything-degraded", include_str!("../../../../fixtures/faults/everything-degraded.yaml")),
    ("okta-clock-ahead", include_str!("../../../../fixtures/faults/okta-clock-ahead.yaml")),
    ("okta-committed-but-500", include_str!("../../../../fixtures/faults/okta-committed-but-500.yaml")),
    ("okta-group-rules-late", include_str!("../../../../fixtures/faults/okta-group-rules-late.yaml")),
    ("okta-hooks-late-and-twice", include_str!("../../../../fixtures/faults/okta-hooks-late-and-twice.yaml")),
    ("okta-hooks-silent", include_str!("../../../../fixtures/faults/okta-hooks-silent.yaml")),
    ("okta-membership-lag", include_str!("../../../../fixtures/faults/okta-membership-lag.yaml")),
    ("okta-rate-limit-storm", include_str!("../../../../fixtures/faults/okta-rate-limit-storm.yaml")),
    ("okta-read-only", include_str!("../../../../fixtures/faults/okta-read-only.yaml")),
    ("okta-rules-locked", include_str!("../../../../fixtures/faults/okta-rules-locked.yaml")),
    ("okta-search-lag", include_str!("../../../../fixtures/faults/okta-search-lag.yaml")),
    ("okta-signing-key-rollover", include_str!("../../../../fixtures/faults/okta-signing-key-rollover.yaml")),
    ("okta-token-dead", include_str!("../../../../fixtures/faults/okta-token-dead.yaml")),
    ("schema-drift", include_str!("../../../../fixtures/faults/schema-drift.yaml")),
    ("slack-api-brownout", include_str!("../../../../fixtures/faults/slack-api-brownout.yaml")),
    ("slack-bad-signatures", include_str!("../../../../fixtures/faults/slack-bad-signatures.yaml")),
    ("slack-events-duplicated", include_str!("../../../../fixtures/faults/slack-events-duplicated.yaml")),
    ("slack-events-out-of-order", include_str!("../../../../fixtures/faults/slack-events-out-of-order.yaml")),
    ("slack-events-silent", include_str!("../../../../fixtures/faults/slack-events-silent.yaml")),
    ("slack-gone", include_str!("../../../../fixtures/faults/slack-gone.yaml")),
    ("slack-history-limited", include_str!("../../../../fixtures/faults/slack-history-limited.yaml")),
    ("slack-posted-but-failed", include_str!("../../../../fixtures/faults/slack-posted-but-failed.yaml")),
    ("slack-socket-flapping", include_str!("../../../../fixtures/faults/slack-socket-flapping.yaml")),
    ("slack-token-revoked", include_str!("../../../../fixtures/faults/slack-token-revoked.yaml")),
];
