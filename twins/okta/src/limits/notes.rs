//! What the System Log says of limits that run low or are passed: once a window each.
//!
//! developer.okta.com/docs/reference/rl-system-log-events/ names the events and the debug data of those about people;
//! what the org's say is as Okta's customers keep them in samples (github.com/panther-labs/panther-analysis,
//! `rules/okta_rules`).

use dtu_kernel::twin::{Counted, Force, Write};
use smol_str::{SmolStr, ToSmolStr as _, format_smolstr};

use super::allowances::{CLIENT, MAJORITY, ORG, PRINCIPAL, USER};
use crate::{
    Okta, api,
    model::{
        State,
        event_type::{
            CLIENT_LIMIT_NOTICE, CLIENT_LIMIT_VIOLATION, CONCURRENCY_VIOLATION, EventType, MAJORITY_WARNING,
            OPERATION_VIOLATION, ORG_LIMIT_VIOLATION, ORG_LIMIT_WARNING,
        },
        log::{Debug, Outcome, Party},
    },
};

/// The percentage from which on the log warns, where the org does not say another.
const THRESHOLD: u64 = 60;

/// Whether the log has something to say.
pub fn is_noted(state: &State, counted: &[Counted]) -> bool {
    let refused = counted.iter().any(Counted::refuses);
    counted.iter().any(|one| event(state, one, refused).is_some())
}

/// Says it.
pub fn note(cx: &mut Write<'_, '_, Okta>, counted: &[Counted]) {
    let pattern = SmolStr::new_static(cx.scene.operation.path);
    let now = cx.scene.now;
    let refused = counted.iter().any(Counted::refuses);
    for one in counted {
        let Some(event) = event(cx.state, one, refused) else { continue };
        let percent = threshold(cx.state);
        let written = api::act(cx, |act| {
            let left = one.reset.since(now).as_secs();
            let outcome = outcome(one);
            let debug = debug(act, event, one, left, percent);
            act.log_with(event, vec![url(&pattern)], outcome, debug);
            Ok(())
        });
        debug_assert!(written.is_ok(), "a note cannot be refused");
    }
}

/// The event that a count causes: the first call too many of a window, or the one with which a limit runs low. A call
/// that any limit refuses uses up none.
fn event(state: &State, one: &Counted, refused: bool) -> Option<&'static EventType> {
    let bucket = one.allowance.bucket.as_str();
    let first_over = one.is_over && one.over == 1;
    let of = |scope: &str| bucket.starts_with(scope);
    match () {
        () if bucket == Counted::AT_ONCE => first_over.then_some(&CONCURRENCY_VIOLATION),
        () if of(USER) => first_over.then_some(&OPERATION_VIOLATION),
        () if of(MAJORITY) => first_over.then_some(&MAJORITY_WARNING),
        () if of(CLIENT) => first_over.then_some(match one.allowance.force {
            Force::Watched => &CLIENT_LIMIT_NOTICE,
            Force::Shown | Force::Quiet => &CLIENT_LIMIT_VIOLATION,
        }),
        () if of(PRINCIPAL) => first_over.then_some(&ORG_LIMIT_VIOLATION),
        () if of(ORG) && one.is_over => first_over.then_some(&ORG_LIMIT_VIOLATION),
        () if of(ORG) && !refused => runs_low(state, one).then_some(&ORG_LIMIT_WARNING),
        () => None,
    }
}

/// Whether this very call takes a bucket to the threshold.
fn runs_low(state: &State, one: &Counted) -> bool {
    let bar = u64::from(one.allowance.calls) * threshold(state);
    let reaches = |used: u32| u64::from(used) * 100 >= bar;
    one.used > 0 && reaches(one.used) && !reaches(one.used - 1)
}

fn threshold(state: &State) -> u64 {
    let settings = state.objects.one("/api/v1/rate-limit-settings", "warning-threshold");
    settings.and_then(|settings| settings.get("warningThreshold")?.as_u64()).unwrap_or(THRESHOLD)
}

fn outcome(one: &Counted) -> Outcome {
    if one.refuses() {
        let reason = if one.allowance.bucket.starts_with(USER) { "user_rate_limited" } else { "" };
        return Outcome { result: "DENY", reason: SmolStr::new_static(reason) };
    }
    Outcome { result: "SUCCESS", reason: SmolStr::default() }
}

/// What was called, as these events name it.
fn url(pattern: &SmolStr) -> Party {
    Party {
        id: pattern.clone(),
        kind: "URL Pattern",
        alternate_id: SmolStr::default(),
        display_name: SmolStr::default(),
    }
}

fn debug(act: &crate::model::Act<'_, '_>, event: &EventType, one: &Counted, left: u64, percent: u64) -> Debug {
    let per = one.allowance.per.as_secs();
    let (span, unit) = if per.is_multiple_of(60) { (per / 60, "MINUTES") } else { (per, "SECONDS") };
    let (calls, span, left) = (one.allowance.calls.to_smolstr(), span.to_smolstr(), left.to_smolstr());
    let unit = SmolStr::new_static(unit);
    if one.allowance.bucket.starts_with(USER) {
        return vec![
            ("operationRateLimitType", SmolStr::new_static("web_request")),
            ("operationRateLimitScopeType", SmolStr::new_static("user")),
            ("operationRateLimitSecondsToReset", left),
            ("operationRateLimitThreshold", calls),
            ("operationRateLimitTimeSpan", span),
            ("operationRateLimitTimeUnit", unit),
        ];
    }
    if one.allowance.bucket == Counted::AT_ONCE {
        return vec![("threshold", calls)];
    }
    let scope = match () {
        () if one.allowance.bucket.starts_with(ORG) => "ORG",
        () if one.allowance.bucket.starts_with(PRINCIPAL) => "PRINCIPAL",
        () => "CLIENT",
    };
    let mut all = vec![
        ("rateLimitScopeType", SmolStr::new_static(scope)),
        ("rateLimitSecondsToReset", left),
        ("threshold", calls),
        ("timeSpan", span),
        ("timeUnit", unit),
        ("userId", act.by.actor.id.clone()),
    ];
    if *event == ORG_LIMIT_WARNING {
        all.push(("warningPercent", format_smolstr!("{percent}")));
    }
    all
}
