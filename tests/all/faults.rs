//! Fault rules as unmodified client libraries see them, and as people who arm them are answered.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use dtu_kernel::{
    clock::ClockMode,
    fault::{PlanFile, Rule},
    multiverse::Ports,
    universe::Options,
};
use dtu_tests::calls::Call;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::{
    clients::{self, Wanted},
    soak,
    support::{Plane, root, stepped},
};

/// What each library sees, by effect, twin and library: what `docs/faults.md` is made of.
type Cells = BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>;

/// The scripts run side by side and share the file.
static FILE: Mutex<()> = Mutex::new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_libraries_see_each_effect() {
    matrix(clients::python(), "python/fault_matrix.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_libraries_see_each_effect() {
    matrix(clients::node(), "node/fault_matrix.mjs").await;
}

/// What strikes in front of a service strikes before the service looks at who calls; whom it turns away meets no other
/// rule, and takes no turn of one.
#[test]
fn strangers_meet_what_stands_in_front_of_a_service() {
    let check = |on: Value, effect: Value, (status, error): (u16, &str), fired: u64| {
        let options = Options { clock: ClockMode::Stepped, ..Options::default() };
        let universe = dtu_universe::multiverse().create_unserved("acme", &options).expect("acme loads");
        let rule = json!({ "id": "r", "on": on, "do": effect });
        let what = rule.to_string();
        universe.arm(&[serde_json::from_value(rule).expect("is a rule")]).expect("is armed");
        let answer = Call::slack("users.info", "xoxb-nobody", &[("user", "USLACKBOT")]).send(&universe);
        let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        assert_eq!((answer.status.as_u16(), told["error"].as_str().unwrap_or_default()), (status, error), "{what}");
        assert_eq!(universe.faults()[0].1.fired, fired, "{what}");
    };
    let any = || json!({ "twin": "slack" });
    check(any(), json!({ "error": { "status": 503 } }), (503, "service_unavailable"), 1);
    check(any(), json!({ "latency": { "for": "1ms" } }), (200, "invalid_auth"), 1);
    check(any(), json!({ "error": { "code": "fatal_error" } }), (200, "invalid_auth"), 0);
    check(any(), json!({ "rate_limited": { "retry_after": "5s" } }), (200, "invalid_auth"), 0);
    check(any(), json!({ "revoked": {} }), (200, "invalid_auth"), 0);
    check(json!({ "twin": "slack", "caller": "*" }), json!({ "error": { "status": 503 } }), (200, "invalid_auth"), 0);
    check(json!({ "twin": "okta" }), json!({ "error": { "status": 503 } }), (200, "invalid_auth"), 0);
}

fn path() -> std::path::PathBuf {
    root().join("tests/evidence/faults.json")
}

fn written() -> Cells {
    let text = fs_err::read(path()).unwrap_or_else(|_| b"{}".to_vec());
    serde_json::from_slice(&text).expect("tests/evidence/faults.json is a table of cells")
}

/// How many processes share the cells of a script, each with a universe of its own: most of their time is waiting.
const PARTS: usize = 4;

/// Runs a script and holds the cells that it prints against the file, or writes them down.
async fn matrix(interpreter: Option<std::path::PathBuf>, script: &'static str) {
    let plane = std::sync::Arc::new(Plane::start().await);
    let mut parts = tokio::task::JoinSet::new();
    for part in 0..PARTS {
        let (plane, interpreter) = (std::sync::Arc::clone(&plane), interpreter.clone());
        parts.spawn(async move { clients::said(&plane, interpreter, script, &format!("{part}/{PARTS}")).await });
    }
    let said: Option<Vec<_>> = parts.join_all().await.into_iter().collect();
    let Some(said) = said else { return };
    let rows = said.iter().flat_map(|(_, said)| said.lines()).filter_map(|line| line.strip_prefix("cell "));
    let rows: Vec<Value> = rows.map(|row| serde_json::from_str(row).expect("a cell is JSON")).collect();
    let text = |row: &Value, name: &str| row[name].as_str().expect("is a text").to_owned();
    let libraries: BTreeSet<String> = rows.iter().map(|row| text(row, "library")).collect();
    let mut seen = Cells::new();
    for row in &rows {
        let twins = seen.entry(text(row, "effect")).or_default();
        twins.entry(text(row, "twin")).or_default().insert(text(row, "library"), text(row, "sees"));
    }
    let _file = FILE.lock();
    let mut all = written();
    if clients::wanted() == Wanted::Record {
        each(&mut all, |cells| cells.retain(|library, _| !libraries.contains(library)));
        for (effect, twins) in seen {
            for (twin, cells) in twins {
                all.entry(effect.clone()).or_default().entry(twin).or_default().extend(cells);
            }
        }
        let mut page = serde_json::to_string_pretty(&all).expect("cells are written");
        page.push('\n');
        fs_err::write(path(), page).expect("cells are kept");
        return;
    }
    each(&mut all, |cells| cells.retain(|library, _| libraries.contains(library)));
    for twins in all.values_mut() {
        twins.retain(|_, cells| !cells.is_empty());
    }
    all.retain(|_, twins| !twins.is_empty());
    let drifts = drifts(&all, &seen);
    assert!(drifts.is_empty(), "{}\n  hint: run `cargo xtask evidence`", drifts.join("\n"));
}

fn each(all: &mut Cells, mut edit: impl FnMut(&mut BTreeMap<String, String>)) {
    all.values_mut().flat_map(BTreeMap::values_mut).for_each(&mut edit);
}

/// Where two tables differ, in words.
fn drifts(written: &Cells, seen: &Cells) -> Vec<String> {
    let flat = |cells: &Cells| -> BTreeMap<String, String> {
        let rows = cells.iter().flat_map(|(effect, twins)| {
            twins.iter().flat_map(move |(twin, cells)| {
                cells.iter().map(move |(library, sees)| (format!("{effect} of {twin} through {library}"), sees.clone()))
            })
        });
        rows.collect()
    };
    let (written, seen) = (flat(written), flat(seen));
    let names: BTreeSet<&String> = written.keys().chain(seen.keys()).collect();
    let differ = names.into_iter().filter(|name| written.get(*name) != seen.get(*name));
    differ.map(|name| format!("{name}: {:?}, written down is {:?}", seen.get(name), written.get(name))).collect()
}

#[tokio::test]
async fn rules_that_cannot_strike_are_refused_with_a_suggestion() {
    let plane = Plane::start().await;
    let universe = plane.universe(stepped(1)).await;
    let at = format!("/v1/universes/{}/faults", universe["universe"].as_str().expect("has an id"));
    let do_ = json!({ "reset": {} });
    let nested = "[1,2,3].all(a, [1,2,3].all(b, [1,2,3].all(c, a + b + c > 0)))";
    let long = format!("args.x == '{}'", "a".repeat(5_000));
    for (rules, wanted) in [
        (json!([{ "id": "a", "on": { "twin": "okat" }, "do": do_ }]), "did you mean `okta`?"),
        (
            json!([{ "id": "a", "on": { "twin": "okta", "operation": "listUser" }, "do": do_ }]),
            "did you mean `listUsers`?",
        ),
        (json!([{ "id": "a", "on": { "operation": "listUser" }, "do": do_ }]), "no twin has an operation `listUser`"),
        (json!([{ "id": "a", "on": { "twin": "slack", "operation": "listUsers" }, "do": do_ }]), "slack"),
        (json!([{ "id": "a", "on": { "operation": "[" }, "do": do_ }]), "bad pattern"),
        (json!([{ "id": "a", "on": { "operation": "{a,b" }, "do": do_ }]), "bad pattern"),
        (json!([{ "id": "a", "on": {}, "do": do_ }, { "id": "a", "on": {}, "do": do_ }]), "is there twice"),
        (json!([{ "id": "", "on": {}, "do": do_ }]), "has an id"),
        (json!([{ "id": "a", "on": { "after": "-1s" }, "do": do_ }]), "-1s"),
        (json!([{ "id": "a", "on": {}, "do": { "hang": { "for": "-5m" } } }]), "-5m"),
        (json!([{ "id": "a", "on": {}, "do": { "hang": { "for": "99999999999999999999d" } } }]), "expected a number"),
        (json!([{ "id": "a", "on": {}, "do": { "hang": { "for": "999999d" } } }]), "a hundred years"),
        (json!([{ "id": "a", "on": { "where": nested }, "do": do_ }]), "goes through lists within lists"),
        (json!([{ "id": "a", "on": { "where": long }, "do": do_ }]), "longer than"),
        (json!([{ "id": "a", "on": { "where": "(".repeat(1_500) }, "do": do_ }]), "bad condition"),
        (
            json!([{ "id": "a", "on": { "during": { "name": "x", "lasts": "9d", "every": "1ms" } }, "do": do_ }]),
            "overlap",
        ),
        (json!([{ "id": "a", "on": { "probability": "3/2" }, "do": do_ }]), "3/2"),
        (json!([{ "id": "a", "on": { "probability": "1/0" }, "do": do_ }]), "1/0"),
        (json!([{ "id": "a", "on": { "nth": -1 }, "do": do_ }]), "invalid value"),
        (json!([{ "id": "a", "on": {}, "do": { "melt": {} } }]), "unknown variant `melt`"),
        (json!([{ "id": "a", "on": { "oepration": "x" }, "do": do_ }]), "unknown field `oepration`"),
    ] {
        let (status, error) = plane.call("POST", &at, Some(json!({ "rules": rules }))).await;
        assert_eq!(status, 400, "{rules}: {error}");
        assert!(error.to_string().contains(wanted), "{rules}: {error}");
    }
    let (_, armed) = plane.call("GET", &at, None).await;
    assert_eq!(armed, json!([]), "of a plan that is refused no rule is armed");
    for fine in [
        json!({ "operation": "*" }),
        json!({ "twin": "{okta,slack}", "operation": "list*" }),
        json!({ "operation": "{listUsers,users.list}" }),
    ] {
        let rules = json!({ "rules": [{ "id": "fine", "on": fine, "do": do_ }] });
        let (status, answer) = plane.call("POST", &at, Some(rules)).await;
        assert_eq!(status, 200, "{answer}");
        plane.call("DELETE", &at, None).await;
    }
}

#[tokio::test]
async fn spans_and_copies_beyond_all_bounds_break_nothing() {
    let plane = Plane::start().await;
    let universe = plane.universe(stepped(1)).await;
    let at = format!("/v1/universes/{}/faults", universe["universe"].as_str().expect("has an id"));
    let century = "36500d";
    for effect in [
        json!({ "skew": { "ahead": century } }),
        json!({ "skew": { "behind": century } }),
        json!({ "stale": { "by": century } }),
        json!({ "rate_limited": { "retry_after": century } }),
        json!({ "quota_exhausted": { "resets": century } }),
        json!({ "drift": { "at": "/*/*/*/*", "change": "removed" } }),
        json!({ "drift": { "at": "/", "change": "removed" } }),
        json!({ "error": { "code": "x".repeat(10_000) } }),
        json!({ "error": { "code": "\u{0}\r\nx: y" } }),
        json!({ "scopes_cut": { "scopes": ["\r\nx: y", "ünï"] } }),
    ] {
        let rules = json!({ "rules": [{ "id": "a", "on": {}, "do": effect }] });
        let (status, answer) = plane.call("POST", &at, Some(rules)).await;
        assert_eq!(status, 200, "{effect}: {answer}");
        plane.slack(&universe, "users.list", &[]).await;
        plane.okta(&universe, "GET", "/api/v1/users", None).await;
        let (_, armed) = plane.call("GET", &at, None).await;
        assert!(armed[0]["fired"].as_u64() >= Some(2), "{effect} strikes both: {armed}");
        plane.call("DELETE", &at, None).await;
        let sound = plane.slack(&universe, "users.list", &[]).await;
        assert_eq!(sound["ok"], true, "{effect} leaves nothing behind: {sound}");
    }
    let (_, ledger) = plane
        .call(
            "GET",
            &format!("/v1/universes/{}/ledger?limit=500", universe["universe"].as_str().unwrap_or_default()),
            None,
        )
        .await;
    let broken = ledger["entries"].as_array().expect("entries").iter().filter(|entry| entry["gap"] == true);
    assert_eq!(broken.count(), 0, "no twin broke");
}

fn rules(count: usize) -> Vec<Rule> {
    let rule = |n: usize| json!({ "id": format!("rule-{n}"), "on": { "operation": format!("op{n}*") }, "do": { "reset": {} } });
    (0..count).map(|n| serde_json::from_value(rule(n)).expect("is a rule")).collect()
}

#[test]
fn plans_of_many_rules_are_armed_up_to_a_bound() {
    let universe = dtu_universe::multiverse().create_unserved("acme", &Options::default()).expect("acme loads");
    universe.arm(&rules(10_000)).expect("ten thousand rules are armed");
    let more: Rule = serde_json::from_value(json!({ "id": "x", "on": {}, "do": { "reset": {} } })).expect("is a rule");
    let error = universe.arm(std::slice::from_ref(&more)).expect_err("one more is not");
    assert!(error.to_string().contains("more rules than can be armed"), "{error}");
    assert_eq!(universe.faults().len(), 10_000);
    universe.disarm(Some("rule-77"));
    universe.arm(&[more]).expect("there is room again");
    let many: Vec<String> = rules(10_000).iter().map(|rule| serde_json::to_string(rule).expect("is written")).collect();
    let file = format!("schema: dtu/faults/v1\nname: many\nrules:\n  - {}\n", many.join("\n  - "));
    assert_eq!(PlanFile::parse("many.yaml", &file, &[]).expect("is a plan").rules.len(), 10_000);
}

#[tokio::test]
async fn a_quiet_month_takes_few_steps() {
    let options = Options { clock: ClockMode::Stepped, ..Options::default() };
    let universe = dtu_universe::multiverse().create_unserved("acme", &options).expect("acme loads");
    let storm = json!({ "id": "storm", "on": { "during": { "name": "s", "lasts": "1m", "every": "1h", "jitter": "5m" } },
        "do": { "error": {} } });
    universe.arm(&[serde_json::from_value(storm).expect("is a rule")]).expect("is armed");
    let (from, start) = (universe.ledger().len(), universe.now());
    universe.advance(Duration::from_secs(30 * 86_400)).await;
    assert_eq!(universe.now().since(start), Duration::from_secs(30 * 86_400));
    let steps = universe.ledger().len() - from;
    assert!(steps <= 60, "each job done and each move of the clock is in the ledger, and these are {steps}");
}

/// Whether somebody listens there.
async fn is_open(address: &str) -> bool {
    tokio::net::TcpStream::connect(address).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_port_closes_and_opens_as_the_rules_say() {
    let multiverse = dtu_universe::multiverse();
    let options = Options { clock: ClockMode::Stepped, ..Options::default() };
    let running = multiverse.create(None, "acme", &options, Ports::Free).expect("acme is served");
    let universe = &running.universe;
    let urls: BTreeMap<&str, String> = running.urls().collect();
    let address = |twin: &str| urls[twin].trim_start_matches("http://").to_owned();
    let wait_for = async |twin: &str, open: bool, why: &str| {
        for _ in 0..6_000 {
            if is_open(&address(twin)).await == open {
                return;
            }
            tokio::task::yield_now().await;
            soak::pause(Duration::from_millis(5)).await;
        }
        panic!("{twin} is {}: {why}", if open { "open" } else { "closed" });
    };
    let arm = |on: Value| {
        let rule = serde_json::from_value(json!({ "id": "gone", "on": on, "do": { "refuse": {} } }));
        universe.arm(&[rule.expect("is a rule")]).expect("is armed");
    };
    for (on, moves) in [
        (json!({ "twin": "slack" }), &[(0, false), (3_600, false)][..]),
        (json!({ "twin": "slack", "until": "10s" }), &[(0, false), (5, false), (6, true), (60, true)]),
        (json!({ "twin": "slack", "after": "10s" }), &[(0, true), (9, true), (2, false)]),
        (
            json!({ "twin": "slack", "burst": { "for": "10s", "every": "30s" } }),
            &[(0, false), (15, true), (15, false), (15, true)],
        ),
    ] {
        arm(on.clone());
        for (passes, open) in moves {
            universe.advance(Duration::from_secs(*passes)).await;
            wait_for("slack", *open, &format!("{on} after {passes} s more")).await;
            assert!(is_open(&address("okta")).await, "other twins stay open");
        }
        universe.disarm(None);
        wait_for("slack", true, "no rule is armed").await;
    }
    assert!(universe.faults().is_empty());
}
