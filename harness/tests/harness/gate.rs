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
    assert!(out.contains("test.one  -100.0 pt [-100.0, ") && out.contains("6 pairs, 0 better, 6 worse"), "{out}");
    let (code, _, err) = context.dtu("baseline bless bad good");
    assert_eq!((code, err.contains("the folder of a run, not of a baseline")), (2, true), "{err}");
    context.dtu("run one.yaml --target target.yaml --seeds 2 --seed 9 --out other");
    let (code, _, err) = context.dtu("gate other --baseline .dtu/baselines/main");
    assert_eq!((code, err.contains("its seed is 1, that of the run 9")), (2, true), "{err}");
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
