//! Gates, baselines and merged runs, as people and pipelines use them.

use serde_json::Value;

use crate::support::{Context, eventually, lines};

const READY: &str = "ready: {any_of: [{log: listening}]}";
const WAITS: &str = "echo $$ >> started; echo listening; while :; do sleep 0.02; done";
const CHECK: &str = "checks: [{name: all is well, that: {finally: 'true'}}]";
const FAILS: &str = "checks: [{name: all is well, that: {finally: 'false'}}]";

fn context(checks: &str, gates: &str) -> Context {
    let context = Context::new();
    context.scenario("one", checks);
    context.target(WAITS, READY);
    context.write("gates.yaml", &format!("schema: dtu/gates/v1\n{gates}\n"));
    context
}

#[test]
fn exit_codes_say_what_the_gate_says() {
    let check = |checks: &str, gates: &str, code: i32, told: &str| {
        let context = context(checks, gates);
        context.dtu("run one.yaml --target target.yaml --seeds 4 --out out");
        let (found, out, err) = context.dtu("gate out --gates gates.yaml");
        assert_eq!(found, code, "{out}{err}");
        assert!(format!("{out}{err}").contains(told), "`{told}` is not in\n{out}{err}");
    };
    check(CHECK, "minimum: {satisfaction: 0.4}", 0, "gate: pass");
    check(FAILS, "minimum: {satisfaction: 0.9}", 1, "gate: fail");
    check(CHECK, "minimum: {satisfaction: 0.9}", 4, "gate: inconclusive");
    check(CHECK, "minimum: {satisfaction: 90}", 2, "gates.yaml:2:25: `satisfaction` is 90");
    check(CHECK, "floors: {scenarios: {test.oen: 0.5}}", 2, "hint: did you mean `test.one`?");
    check(CHECK, "must_have: {tags: [safety]}", 2, "no scenario of the run has the tag `safety`");
    let context = context(CHECK, "minimum: {satisfaction: 0.1}\ncanaries: {tags: [canary]}");
    context.write("one.yaml", &context.read("one.yaml").replace("{area: tests}", "{area: tests, tags: [canary]}"));
    context.scenario("two", CHECK);
    let (code, out, err) =
        context.dtu("run one.yaml two.yaml --target target.yaml --seeds 2 --gates gates.yaml --out out");
    assert_eq!(code, 5, "{out}{err}");
}

#[test]
fn a_run_goes_on_until_its_gate_is_decided() {
    let context = context(CHECK, "minimum: {satisfaction: 0.5}\nbudget: {seeds: 16}");
    let run = "run one.yaml --target target.yaml --gates gates.yaml --json";
    let (code, first, err) = context.dtu(&format!("{run} --out a"));
    assert_eq!(code, 0, "{first}{err}");
    let result: Value = serde_json::from_str(&first).expect("is one document");
    // At 4 the bound of the first look is .25; at 8 that of the second is .57.
    assert_eq!((&result["gate"]["seeds"], &result["gate"]["ruling"]), (&8.into(), &"pass".into()), "{first}");
    assert_eq!(result["satisfaction"]["decided"], 8);
    let (_, second, _) = context.dtu(&format!("{run} --out b --jobs 1"));
    assert_eq!(first, second);
    let (code, gate, _) = context.dtu("gate a --gates gates.yaml --json");
    assert_eq!((code, gate), (0, context.read("a/gate.json")));
}

#[test]
fn a_baseline_is_blessed_shown_and_compared() {
    let context = context(CHECK, "no_regress: {}");
    context.dtu("run one.yaml --target target.yaml --seeds 6 --out good");
    let (code, out, _) = context.dtu("baseline bless good");
    assert_eq!((code, out.as_str()), (0, ".dtu/baselines/main: 6 trajectories of script\n"));
    let (code, out, _) = context.dtu("baseline show");
    assert_eq!((code, out.contains("6/6")), (0, true), "{out}");
    // The same scenario on a worse build.
    context.target("echo oh; exit 3", READY);
    context.dtu("run one.yaml --target target.yaml --seeds 6 --out bad");
    let (code, out, _) = context.dtu("gate bad --gates gates.yaml --baseline .dtu/baselines/main");
    assert_eq!(code, 1, "{out}");
    insta::assert_snapshot!("gate_that_fails", out);
    let (_, out, _) = context.dtu("baseline diff bad");
    insta::assert_snapshot!("baseline_diff", out);
    // Of a scenario that was changed since, and of one that is new, nothing can be said.
    context.scenario("two", CHECK);
    context.write("one.yaml", &context.read("one.yaml").replace("It works", "It works again"));
    context.dtu("run one.yaml two.yaml --target target.yaml --seeds 1 --out later");
    let (code, out, _) = context.dtu("baseline diff later");
    assert_eq!(code, 0);
    insta::assert_snapshot!("baseline_diff_of_other_scenarios", out);
    let (code, _, err) = context.dtu("baseline bless bad good");
    assert_eq!((code, err.contains("the folder of a run, not of a baseline")), (2, true), "{err}");
    context.dtu("run one.yaml --target target.yaml --seeds 2 --seed 9 --out other");
    let (code, _, err) = context.dtu("gate other --baseline .dtu/baselines/main");
    assert_eq!((code, err.contains("its seed is 1, that of the run 9")), (2, true), "{err}");
    let (code, _, err) = context.dtu("baseline diff other");
    assert_eq!((code, err.contains("both builds must be run with the same --seed")), (2, true), "{err}");
}

#[test]
fn merged_shards_are_the_run_that_was_not_sharded() {
    let context = context(CHECK, "");
    let run = "run one.yaml --target target.yaml --seeds 8";
    for arguments in ["--shard 1/2 --out x", "--shard 2/2 --out y", "--out whole"] {
        context.dtu(&format!("{run} {arguments}"));
    }
    let (code, out, err) = context.dtu("merge x y --out both --json");
    assert_eq!(code, 0, "{err}");
    assert_eq!(out, context.read("whole/result.json"));
    for file in ["plan.json", "result.json", "trajectories.ndjson", "junit.xml", "summary.md"] {
        assert_eq!(context.read(&format!("both/{file}")), context.read(&format!("whole/{file}")), "{file}");
    }
    assert_eq!(fs_err::read_dir(context.path("both/evidence/test.one")).map_or(0, Iterator::count), 8);
    context.dtu(&format!("{run} --seed 2 --out other"));
    let (code, _, err) = context.dtu("merge x other --out mixed");
    assert_eq!((code, err.contains("other: this is a part of another run than x: seed 1 and 2")), (2, true), "{err}");
    assert!(!context.path("mixed").exists());
}

#[test]
fn a_gated_run_that_was_killed_again_and_again_equals_an_undisturbed_one() {
    let context = context(CHECK, "minimum: {satisfaction: 0.7}\nbudget: {seeds: 12}");
    let run = "run one.yaml --target target.yaml --gates gates.yaml --jobs 2";
    let done = || fs_err::read_dir(context.path("out/done/test.one")).map_or(0, Iterator::count);
    for kill in 0..4 {
        let mut killed = context.command(&format!("{run} --out out")).spawn().expect("starts");
        eventually("one more is done", || done() > kill * 2 || killed.try_wait().is_ok_and(|ended| ended.is_some()));
        killed.kill().expect("is killed");
        killed.wait().expect("is gone");
    }
    context.dtu(&format!("{run} --out out"));
    // Each kill may have cut short two that were under way.
    let started = lines(&context.path("started")).len();
    context.dtu(&format!("{run} --out whole"));
    assert_eq!(context.read("out/result.json"), context.read("whole/result.json"));
    assert!(started <= 12 + 8, "{started} were started");
}

#[test]
fn gate_files_are_linted() {
    let context = context(CHECK, "minimun: {satisfaction: 0.9}");
    let (code, _, err) = context.dtu("lint gates.yaml");
    assert_eq!((code, err.contains("gates.yaml:2:1: unknown key `minimun`")), (2, true), "{err}");
    context.write("gates.yaml", "schema: dtu/gates/v1\nminimum: {satisfaction: 0.9}\n");
    let (code, out, err) = context.dtu("lint gates.yaml");
    assert_eq!((code, out.as_str()), (0, "1 gate file: no problems\n"), "{err}");
}

#[test]
fn what_a_gate_said_stays_with_its_run() {
    let context = context(CHECK, "minimum: {satisfaction: 0.4}");
    let run = "run one.yaml --target target.yaml --seeds 4 --out out";
    let told = |wanted: bool| {
        let (code, out, err) = context.dtu("report out");
        assert_eq!((code, out.contains("gate: pass")), (0, wanted), "{out}{err}");
        assert_eq!(context.read("out/summary.md").contains("the lower bound reaches 0.40"), wanted);
    };
    context.dtu(run);
    told(false);
    context.dtu("gate out --gates gates.yaml");
    told(true);
    // Whoever runs on without gates has not asked them.
    context.dtu(run);
    told(false);
}

#[test]
fn profiles_quarantines_and_what_follows_are_said_by_the_gates() {
    let gates = "minimum: {satisfaction: 0.9}\nquarantine: {test.two: {until: 2999-01-01, issue: '#1'}, test.one: {until: 2020-01-01, issue: '#2'}}\n\
                 profiles: {pr: {on_inconclusive: warn}, release: {on_inconclusive: fail}}";
    let context = context(CHECK, gates);
    context.scenario("two", FAILS);
    context.dtu("run one.yaml two.yaml --target target.yaml --seeds 2 --out out");
    let check = |arguments: &str, code: i32, told: &str| {
        let (found, out, err) = context.dtu(&format!("gate out --gates gates.yaml {arguments}"));
        assert_eq!(found, code, "{out}{err}");
        assert!(format!("{out}{err}").contains(told), "`{told}` is not in\n{out}{err}");
    };
    check("", 4, "in quarantine, and not counted: test.two");
    check("", 4, "warning: the quarantine of `test.one` has ended: it counts again");
    check("--profile pr", 0, "inconclusive: lets it pass, with this warning");
    check("--profile release", 1, "inconclusive: counts as a failure");
    check("--profile nightly", 2, "there is no profile `nightly`");
}

#[test]
fn what_is_forbidden_ends_a_run_at_once() {
    let forbidden = "checks: [{name: never, role: guard, that: {never: {of: \"e.kind == 'control'\"}}}]";
    let context = context(CHECK, "must_have: {tags: [safe]}\nbudget: {seeds: 40}");
    context.scenario("two", forbidden);
    context.write("two.yaml", &context.read("two.yaml").replace("{area: tests}", "{area: tests, tags: [safe]}"));
    let run = "run one.yaml two.yaml --target target.yaml --gates gates.yaml --json";
    let (code, first, err) = context.dtu(&format!("{run} --out a --jobs 1"));
    assert_eq!(code, 1, "{first}{err}");
    let result: Value = serde_json::from_str(&first).expect("is one document");
    let decided: Vec<_> = (0..2).map(|at| result["scenarios"][at]["decided"].clone()).collect();
    assert_eq!(decided, [0, 1], "where nothing may go wrong is looked at first, and its first trajectory ends it all");
    let (_, second, _) = context.dtu(&format!("{run} --out b --jobs 4"));
    assert_eq!(first, second, "however many were under way");
}

#[test]
fn a_scenario_is_stopped_once_nothing_can_change_what_is_said_of_it() {
    let context = context(FAILS, "floors: {default: 0.8, margin: 0.2}\nbudget: {seeds: 80}");
    context.scenario("two", CHECK);
    let run = "run one.yaml two.yaml --target target.yaml --gates gates.yaml --json";
    let (code, first, err) = context.dtu(&format!("{run} --out a --jobs 1"));
    assert_eq!(code, 1, "{first}{err}");
    let result: Value = serde_json::from_str(&first).expect("is one document");
    let stopped = &result["gate"]["stopped"];
    let of = |at: usize| (stopped[at]["scenario"].as_str(), stopped[at]["ruling"].as_str());
    assert_eq!((of(0), of(1)), ((Some("test.one"), Some("fail")), (Some("test.two"), Some("pass"))), "{stopped}");
    for at in 0..2 {
        assert_eq!(result["scenarios"][at]["decided"], stopped[at]["after"], "{stopped}");
        assert!(stopped[at]["after"].as_u64() < Some(20), "the first look is at 20: {stopped}");
    }
    // However many were under way when it was enough.
    let (_, second, _) = context.dtu(&format!("{run} --out b --jobs 4"));
    assert_eq!(first, second);
    let (_, again, _) = context.dtu(&format!("{run} --out a --jobs 4"));
    assert_eq!(first, again, "nothing was left to run");
    assert!(context.read("a/summary.md").contains("Stopped early: test.one after"), "{}", context.read("a/summary.md"));
}

#[test]
fn what_came_out_differently_in_two_parts_is_told() {
    let context = context(CHECK, "");
    let run = "run one.yaml --target target.yaml --seeds 2";
    // A build that is not the same each time: it looks at what nobody told of.
    context.target("test -e flag && exit 3; echo listening; exec sleep 60", READY);
    context.dtu(&format!("{run} --out x"));
    context.write("flag", "");
    context.dtu(&format!("{run} --out y"));
    let (code, out, err) = context.dtu("merge x y --out both");
    assert_eq!((code, out.contains("nondeterminism: test.one/")), (0, true), "{out}{err}");
    let result: Value = serde_json::from_str(&context.read("both/result.json")).expect("is JSON");
    assert_eq!(result["satisfaction"]["point"], 1.0, "the first counts");
    let told = &result["nondeterminism"];
    assert_eq!((told.as_array().map(Vec::len), &told[0]["others"]), (Some(2), &serde_json::json!(["unsatisfied"])));
    // It stays with the run, and is told once, however often the same part comes.
    let (_, out, err) = context.dtu("merge y --out both --json");
    assert_eq!(
        serde_json::from_str::<Value>(&out).ok().map(|r| r["nondeterminism"].clone()),
        Some(told.clone()),
        "{err}"
    );
}

#[test]
fn the_baselines_build_is_run_where_it_is_missing() {
    let context = context(CHECK, "no_regress: {margin: 1}");
    // Asked by the story, so that no time has to pass for a fault to be seen.
    context.target(WAITS, &format!("{READY}\ncommands: {{probe: [sh, -c, 'test -z \"$BROKEN\"']}}"));
    let probed = context.read("one.yaml").replace("beats: []\n", "beats: [{cli: {run: probe, expect: {code: 0}}}]\n");
    context.write("one.yaml", &probed);
    context
        .write("newer.yaml", &context.read("target.yaml").replace("name: script", "name: newer\nenv: {BROKEN: '1'}"));
    let run = "run one.yaml --target newer.yaml --gates gates.yaml --jobs 4 --json";
    // Both side by side, with no baseline at all.
    let (code, out, err) = context.dtu(&format!("{run} --pair target.yaml --seeds 20 --out paired"));
    let result: Value = serde_json::from_str(&out).unwrap_or_else(|why| panic!("{why}: {err}"));
    assert_eq!((code, &result["difference"]["pairs"]), (1, &20.into()), "{out}{err}");
    // A baseline of five: the screen asks for fifteen fresh pairs, whose older halves are run beside.
    context.dtu("run one.yaml --target target.yaml --seeds 5 --out good");
    context.dtu("baseline bless good main");
    let (code, out, err) = context.dtu(&format!("{run} --baseline main --seeds 20 --out screened"));
    assert_eq!((code, out.contains("on fresh seeds 15/15 to 0/15")), (1, true), "{out}{err}");
    assert_eq!(fs_err::read_dir(context.path("main/done/test.one")).map_or(0, Iterator::count), 5, "it never changes");
    let (code, _, err) = context.dtu(&format!("{run} --baseline main --pair newer.yaml --out other"));
    assert_eq!((code, err.contains("not the build that the baseline was made with")), (2, true), "{err}");
}
