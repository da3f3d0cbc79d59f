//! The virtual clock: long times pass in as many steps as things happen in them, each at its own time; rules end on it;
//! the ledger tells what rules did.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dtu_kernel::{
    clock::ClockMode,
    fault::Rule,
    time::Timestamp,
    universe::{Options, Universe},
};
use dtu_tests::calls::Call;
use serde_json::{Value, json};

use crate::{
    soak::pause,
    support::{Plane, stepped},
};

const DAY: Duration = Duration::from_secs(86_400);

fn universe(clock: ClockMode) -> Arc<Universe> {
    let options = Options { clock, ..Options::default() };
    dtu_universe::multiverse().create_unserved("acme", &options).expect("acme loads")
}

fn env(universe: &Universe, name: &str) -> String {
    let found = universe.env().into_iter().find(|variable| variable.name == name);
    found.map(|variable| variable.content().to_owned()).expect("the twin names it")
}

fn slack(universe: &Arc<Universe>, method: &str, form: &[(&str, &str)]) -> Value {
    Call::slack(method, &env(universe, "SLACK_BOT_TOKEN"), form).json(universe)
}

fn arm(universe: &Universe, rule: Value) {
    universe.arm(&[serde_json::from_value(rule).expect("is a rule")]).expect("is armed");
}

/// The ledger's entries from one on.
fn entries(universe: &Universe, from: u64) -> Vec<Value> {
    let length = usize::try_from(universe.ledger().len() - from).expect("fits");
    universe.ledger().page(from, length).expect("is read")
}

/// The names of the timers to come, with their days.
fn due(universe: &Universe, start: Timestamp) -> Vec<(String, u64)> {
    let day = |at: Timestamp| at.since(start).as_secs() / DAY.as_secs();
    universe.jobs().iter().map(|job| (job.what.to_string(), day(job.due))).collect()
}

/// Plans things for the days to come: messages at these, and a lock of an account that ends by itself.
fn plan_ahead(universe: &Arc<Universe>, days: &[u64]) {
    for day in days {
        let at = universe.now().after(DAY * u32::try_from(*day).expect("fits")).as_secs().to_string();
        let form = [("channel", "#general"), ("text", &*format!("on day {day}")), ("post_at", &*at)];
        let said = slack(universe, "chat.scheduleMessage", &form);
        assert_eq!(said["ok"], true, "{said}");
    }
}

#[tokio::test]
async fn a_month_with_nothing_in_it_is_one_step() {
    let universe = universe(ClockMode::Stepped);
    // What a loaded world plans by itself comes first.
    universe.run_until_quiet(DAY).await;
    let (from, start) = (universe.ledger().len(), universe.now());
    assert!(universe.jobs().is_empty(), "{:?}", universe.jobs());
    universe.advance(DAY * 30).await;
    assert_eq!(universe.now().since(start), DAY * 30);
    let kinds: Vec<Value> = entries(&universe, from).iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, [json!("clock")], "no timer, and one move of the clock");
}

#[tokio::test]
async fn a_month_takes_a_step_for_each_thing_that_happens_in_it() {
    let universe = universe(ClockMode::Stepped);
    universe.run_until_quiet(DAY).await;
    let start = universe.now();
    plan_ahead(&universe, &[20, 3, 3, 27]);
    let names = due(&universe, start);
    assert_eq!(names.iter().map(|(_, day)| *day).collect::<Vec<_>>(), [3, 3, 20, 27], "soonest first: {names:?}");
    assert!(names.iter().all(|(name, _)| name.contains("schedul")), "timers have names: {names:?}");
    // Tokens and sign-ins end without a timer: who asks later is told.
    let from = universe.ledger().len();
    universe.advance(DAY * 30).await;
    let steps = entries(&universe, from);
    let timers: Vec<&Value> = steps.iter().filter(|entry| entry["kind"] == "timer").collect();
    assert_eq!((timers.len(), steps.len()), (4, 5), "four timers and one move: {steps:?}");
    let days: Vec<u64> = timers
        .iter()
        .map(|entry| {
            Timestamp::parse(entry["at"].as_str().expect("has a time")).expect("is a time").since(start).as_secs()
                / DAY.as_secs()
        })
        .collect();
    assert_eq!(days, [3, 3, 20, 27], "each at its own time");
    let messages = universe.view("slack", "messages").expect("is a view");
    let said = messages.as_array().expect("rows").iter();
    let said: BTreeMap<&str, u64> = said
        .filter(|row| row["text"].as_str().is_some_and(|text| text.starts_with("on day")))
        .map(|row| {
            let ts = row["ts"].as_str().and_then(|ts| ts.split('.').next()).expect("has a time");
            let passed = ts.parse::<i64>().expect("is a number") - start.as_secs();
            (row["text"].as_str().expect("is text"), u64::try_from(passed).expect("is later") / DAY.as_secs())
        })
        .collect();
    assert_eq!(said, [("on day 20", 20), ("on day 27", 27), ("on day 3", 3)].into());
}

#[tokio::test]
async fn running_until_quiet_stops_at_the_last_thing_or_where_it_was_told_to() {
    let universe = universe(ClockMode::Stepped);
    universe.run_until_quiet(DAY).await;
    assert_eq!(universe.run_until_quiet(DAY * 30).await, Duration::ZERO, "nothing is due: nothing moves");
    plan_ahead(&universe, &[2, 9]);
    assert_eq!(universe.run_until_quiet(DAY * 5).await.as_secs() / 86_400, 2, "the last thing within five days");
    assert_eq!(universe.jobs().len(), 1, "what is later stays");
    assert_eq!(universe.run_until_quiet(DAY * 30).await.as_secs() / 86_400, 7);
    assert!(universe.jobs().is_empty());
    let now = universe.now();
    universe.advance(Duration::ZERO).await;
    universe.advance_to(now.before(DAY)).await;
    assert_eq!(universe.now(), now, "the clock does not run backwards");
}

#[tokio::test]
async fn the_control_plane_moves_the_clock_and_says_what_is_due() {
    let plane = Plane::start().await;
    let universe = plane.universe(stepped(1)).await;
    let at = |path: &str| format!("/v1/universes/{}/clock{path}", universe["universe"].as_str().unwrap_or_default());
    plane.call("POST", &at("/run-until-quiet"), None).await;
    let (_, before) = plane.call("GET", &at(""), None).await;
    assert_eq!(before["due"], json!([]));
    for (path, body, status, told) in [
        ("/set", json!({ "to": "2020-01-01T00:00:00Z" }), 422, "does not run backwards"),
        ("/set", json!({ "to": "tomorrow" }), 400, "the body does not fit"),
        ("/set", json!({}), 400, "to"),
        ("/advance", json!({ "by": "-1s" }), 400, "-1s"),
        ("/advance", json!({ "by": "" }), 400, ""),
        ("/advance", json!({ "by": "999999d" }), 400, "a hundred years"),
        ("/advance", json!({ "by": "1s", "to": "x" }), 400, "unknown field `to`"),
        ("/run-until-quiet", json!({ "most": "long" }), 400, "long"),
    ] {
        let (got, answer) = plane.call("POST", &at(path), Some(body.clone())).await;
        assert_eq!(got, status, "{path} {body}: {answer}");
        assert!(answer.to_string().contains(told), "{path} {body}: {answer}");
        let (_, after) = plane.call("GET", &at(""), None).await;
        assert_eq!(after["now"], before["now"], "{path} {body} moves nothing");
    }
    for (path, body, now) in [
        ("/advance", json!({ "by": "0s" }), before["now"].as_str().expect("is a time").to_owned()),
        ("/set", json!({ "to": "2026-03-05T00:00:00Z" }), "2026-03-05T00:00:00.000000Z".to_owned()),
        ("/advance", json!({ "by": "1d" }), "2026-03-06T00:00:00.000000Z".to_owned()),
        ("/run-until-quiet", json!({}), "2026-03-06T00:00:00.000000Z".to_owned()),
    ] {
        let (status, answer) = plane.call("POST", &at(path), Some(body.clone())).await;
        assert_eq!((status, &answer["now"]), (200, &json!(now)), "{path} {body}: {answer}");
    }
}

/// Whether a rule strikes a call now.
fn strikes(universe: &Arc<Universe>) -> bool {
    slack(universe, "users.info", &[("user", "USLACKBOT")])["ok"] == false
}

#[tokio::test]
async fn a_rule_ends_on_the_universes_clock() {
    let busy = |expires: &str| json!({ "id": "busy", "on": { "operation": "users.info" }, "do": { "error": {} }, "expires": expires });
    let standing = universe(ClockMode::Stepped);
    arm(&standing, busy("10m"));
    pause(Duration::from_millis(30)).await;
    assert!(strikes(&standing), "the machine's time does not count");
    standing.advance(Duration::from_secs(600)).await;
    assert!(strikes(&standing), "to the last");
    standing.advance(Duration::from_millis(1)).await;
    assert!(!strikes(&standing));
    // A clock that runs with the machine's, and one that runs faster.
    for (mode, factor) in [(ClockMode::Real, 1), (ClockMode::Scaled(1_000), 1_000)] {
        let running = universe(mode);
        // However slow the machine, it asks in time once the time is long enough.
        for millis in [40, 400, 4_000, 40_000] {
            let ends = running.now().after(Duration::from_millis(millis * factor));
            arm(&running, busy(&format!("{}ms", millis * factor)));
            let struck = strikes(&running);
            if running.now() < ends {
                assert!(struck, "{mode}");
                while running.now() <= ends.after(Duration::from_millis(factor)) {
                    pause(Duration::from_millis(5)).await;
                }
                assert!(!strikes(&running), "{mode}: it ends by itself");
                break;
            }
            running.disarm(None);
        }
        let later = universe(mode);
        arm(&later, busy("1h"));
        later.advance(Duration::from_secs(3_601)).await;
        assert!(!strikes(&later), "{mode}: moving the clock ends it too");
    }
}

#[test]
fn a_guarded_rule_ends_with_its_test_also_where_that_panics() {
    let universe = universe(ClockMode::Stepped);
    let rules: Vec<Rule> = vec![
        serde_json::from_value(json!({ "id": "a", "on": { "operation": "users.info" }, "do": { "error": {} } }))
            .expect("is a rule"),
        serde_json::from_value(json!({ "id": "b", "on": {}, "do": { "garbled": {} } })).expect("is a rule"),
    ];
    let guard = universe.arm_guarded(&rules).expect("are armed");
    assert!(strikes(&universe));
    drop(guard);
    assert!(!strikes(&universe) && universe.faults().is_empty());
    arm(&universe, json!({ "id": "other", "on": { "operation": "users.list" }, "do": { "error": {} } }));
    let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guard = universe.arm_guarded(&rules).expect("are armed");
        assert!(!strikes(&universe), "this does not hold");
    }));
    assert!(broken.is_err(), "the test has panicked");
    assert!(!strikes(&universe));
    let left: Vec<String> = universe.faults().iter().map(|(rule, _)| rule.id.to_string()).collect();
    assert_eq!(left, ["other"], "the guard's own rules are gone, and no other");
}

#[tokio::test]
async fn the_ledger_tells_of_each_rule_that_was_armed_that_fired_and_that_was_passed_over_and_why() {
    let universe = universe(ClockMode::Stepped);
    let from = universe.ledger().len();
    let on = |more: Value| {
        let mut on = json!({ "twin": "slack", "operation": "users.info" });
        on.as_object_mut().expect("is an object").extend(more.as_object().expect("is an object").clone());
        on
    };
    let error = json!({ "error": {} });
    for rule in [
        json!({ "id": "early", "on": on(json!({ "after": "1h" })), "do": error }),
        json!({ "id": "asked", "on": on(json!({ "where": "args.user == 'nobody'" })), "do": error }),
        json!({ "id": "unfit", "on": on(json!({})), "do": { "bad_cursor": {} } }),
        json!({ "id": "second", "on": on(json!({ "nth": 2 })), "do": error }),
        json!({ "id": "never", "on": on(json!({ "probability": "0/1" })), "do": error }),
        json!({ "id": "once", "on": on(json!({})), "do": error, "times": 1 }),
        json!({ "id": "behind", "on": on(json!({})), "do": { "garbled": {} } }),
    ] {
        arm(&universe, rule);
    }
    for _ in 0..3 {
        strikes(&universe);
    }
    universe.disarm(None);
    let told: Vec<String> = entries(&universe, from)
        .iter()
        .filter_map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            match entry["kind"].as_str()? {
                "fault" => Some(format!("{} struck {}", text("rule"), text("on"))),
                "fault_skipped" => Some(format!("{} passed over: {}", text("rule"), text("error"))),
                "control" => Some(entry["detail"].to_string()),
                "request" => Some(format!("{} {}", text("operation"), text("fault"))),
                _ => None,
            }
        })
        .collect();
    let armed = ["early", "asked", "unfit", "second", "never", "once", "behind"];
    let mut wanted: Vec<String> = armed.iter().map(|id| format!("{{\"armed\":[\"{id}\"]}}")).collect();
    wanted.extend(
        [
            "once struck users.info",
            "early passed over: not in force at this time",
            "asked passed over: its condition does not hold",
            "unfit passed over: the effect cannot strike such a call",
            "second passed over: not the nth match",
            "never passed over: the draw went the other way",
            "behind passed over: a rule before it fired",
            "users.info once",
            "second struck users.info",
            "never passed over: a rule before it fired",
            "once passed over: a rule before it fired",
            "users.info second",
            "behind struck users.info",
            "once passed over: it has fired as often as it may",
            "users.info behind",
            "{\"disarmed\":\"*\"}",
        ]
        .map(str::to_owned),
    );
    assert_eq!(told, wanted);
}
