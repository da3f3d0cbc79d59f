//! `dtu run` and its kin, as people and pipelines use them.

use serde_json::Value;

use crate::support::{Context, GRACE, eventually, is_alive, lines, said};

const HOLDS: &str = "checks: [{name: all is well, that: {finally: 'true'}}]";
const HOLDS_FOR_LENA: &str =
    "params: {who: {one_of: [lena, omar]}}\nchecks: [{name: all is well, that: {finally: 'params.who == \"lena\"'}}]";
const WAITS: &str = "echo $$ >> started; echo listening; while :; do sleep 0.02; done";
const READY: &str = "ready: {any_of: [{log: listening}]}";

fn check_code(script: &str, lines: &str, target: &str, code: i32, told: &str) {
    let context = Context::new();
    context.scenario("one", lines);
    context.target(script, target);
    let (found, out, err) = context.dtu("run one.yaml --target target.yaml --seeds 2");
    let all = format!("{out}{err}");
    assert_eq!(found, code, "{all}");
    assert!(all.contains(told), "`{told}` is not in\n{all}");
}

#[test]
fn exit_codes_say_what_a_run_came_to() {
    check_code(WAITS, HOLDS, READY, 0, "satisfaction 1.00");
    check_code(WAITS, HOLDS_FOR_LENA, READY, 1, "who=omar #1");
    check_code("echo oh; exit 3", HOLDS, READY, 1, "the target ended with exit code 3 before it was ready");
    check_code("sleep 9", HOLDS, "ready: {any_of: [{log: x}], timeout: 100ms}", 1, "was not ready within 100ms");
    let hangs = format!("{READY}\nlimits: {{wall: 200ms}}");
    let beat = "beats: [{when: 'false'}]\nchecks: [{name: all is well, that: {finally: 'true'}}]";
    let scenario = Context::new();
    scenario.scenario("one", HOLDS);
    scenario.write("one.yaml", &scenario.read("one.yaml").replace("beats: []\n", "").replace(HOLDS, beat));
    scenario.target(WAITS, &hangs);
    let (code, out, _) = scenario.dtu("run one.yaml --target target.yaml --seeds 1");
    assert_eq!((code, out.contains("did not end within 200ms")), (1, true), "{out}");
}

#[test]
fn a_program_that_does_its_work_and_ends_is_content() {
    check_code("echo done", HOLDS, "", 0, "satisfaction 1.00");
}

#[test]
fn a_fault_that_must_fire_and_does_not_makes_void() {
    let rule = "faults: [{rule: {id: lost, on: {deliver: '*'}, do: {drop: {}}}, require: fired}]";
    check_code(WAITS, &format!("{HOLDS}\n{rule}"), READY, 4, "fault rule `lost` never fired");
}

#[test]
fn what_cannot_be_run_is_told_before_anything_runs() {
    check_code(WAITS, HOLDS, "build: {command: [sh, -c, 'echo broken; exit 1']}", 3, "broken");
    let context = Context::new();
    context.scenario("one", HOLDS);
    context.target(WAITS, "");
    context.write("none.yaml", &context.read("target.yaml").replace("[sh, script.sh]", "[./not-there]"));
    let check = |arguments: &str, code: i32, told: &str| {
        let (found, _, err) = context.dtu(arguments);
        assert_eq!(found, code, "{arguments}: {err}");
        assert!(err.contains(told), "{arguments}: `{told}` is not in\n{err}");
    };
    check("run one.yaml --target none.yaml", 3, "none.yaml:3:11: there is no program `./not-there`");
    check("run one.yaml --target missing.yaml", 2, "missing.yaml");
    check("run missing.yaml --target target.yaml", 2, "missing.yaml");
    check("run one.yaml --target target.yaml --seads 2", 2, "--seads");
    check("run one.yaml --target target.yaml --shard 3/2", 2, "is no shard");
    check("run one.yaml --target target.yaml --only test.two/x/1", 2, "hint: did you mean `test.one`?");
    check("report .", 2, "not the folder of a run");
    check("schema nonsense", 2, "nonsense");
    assert!(!context.path("started").exists(), "nothing was launched");
}

#[test]
fn equal_seeds_give_equal_bytes() {
    let context = Context::new();
    context.scenario("one", HOLDS_FOR_LENA);
    context.scenario("two", HOLDS);
    context.target(WAITS, READY);
    let run = "run one.yaml two.yaml --target target.yaml --seeds 3 --json";
    let (code, first, _) = context.dtu(&format!("{run} --out a --jobs 1"));
    let (_, second, _) = context.dtu(&format!("{run} --out b --jobs 4"));
    assert_eq!(code, 1);
    assert_eq!(first, second);
    assert_eq!(first, context.read("a/result.json"));
    let (_, again, _) = context.dtu("report a --json");
    assert_eq!(first, again);
    let result: Value = serde_json::from_str(&first).expect("is one JSON document");
    assert_eq!(result["schema"], "dtu/result/v1");
    assert_eq!(result["satisfaction"]["trajectories"], 9);
    assert_eq!(result["scenarios"][0]["failures"].as_array().map(Vec::len), Some(3));
    assert!(!first.contains(context.path("").to_str().expect("is text")), "{first}");
    let failure = &result["scenarios"][0]["failures"][1];
    let key = format!("test.one/{}/{}", failure["variant"].as_str().expect("is text"), failure["n"]);
    let (_, only, _) = context.dtu(&format!("run one.yaml --target target.yaml --json --only {key}"));
    let only: Value = serde_json::from_str(&only).expect("is JSON");
    assert_eq!(only["satisfaction"]["trajectories"], 1);
    assert_eq!(&only["scenarios"][0]["failures"][0], failure);
    for file in ["junit.xml", "summary.md", "trajectories.ndjson"] {
        assert_eq!(
            context.read(&format!("a/{file}")).replace("a/evidence", "b/evidence"),
            context.read(&format!("b/{file}"))
        );
    }
}

#[test]
fn a_run_that_was_killed_goes_on_where_it_was() {
    let context = Context::new();
    context.scenario("one", HOLDS_FOR_LENA);
    context.target(WAITS, READY);
    context.write("target.yaml", &context.read("target.yaml").replace("idle: 20ms", "idle: 150ms"));
    let run = "run one.yaml --target target.yaml --seeds 3 --jobs 1";
    let mut killed = context.command(&format!("{run} --out out")).spawn().expect("starts");
    eventually("some are done", || records(&context).len() >= 2);
    killed.kill().expect("is killed");
    killed.wait().expect("is gone");
    let finished = records(&context);
    let started = || lines(&context.path("started"));
    eventually("nothing is left behind", || started().iter().all(|pid| !is_alive(pid, &context.path(""))));
    let (_, _, err) = context.dtu(&format!("{run} --out out"));
    assert!(err.contains(&format!("{} of 6 trajectories are finished already", finished.len())), "{err}");
    assert!(started().len() <= 7, "only the one that was under way when it was killed was started twice");
    let after = records(&context);
    assert!(finished.iter().all(|record| after.contains(record)), "what was finished is as it was");
    assert_eq!(after.len(), 6);
    context.dtu(&format!("{run} --out whole"));
    assert_eq!(context.read("out/result.json"), context.read("whole/result.json"));

    let (code, _, err) = context.dtu(&format!("{run} --out out --seed 2"));
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("another plan") && err.contains("hint:"), "{err}");
}

/// The records of finished trajectories: name, and when it was written.
fn records(context: &Context) -> Vec<(String, std::time::SystemTime)> {
    let Ok(files) = fs_err::read_dir(context.path("out/done/test.one")) else { return Vec::new() };
    let record = |file: std::io::Result<fs_err::DirEntry>| {
        let file = file.ok()?;
        let name = file.file_name().into_string().ok().filter(|name| !name.contains("tmp"))?;
        Some((name, file.metadata().ok()?.modified().ok()?))
    };
    files.filter_map(record).collect()
}

#[test]
fn an_interrupted_run_ends_its_targets_and_says_how_to_go_on() {
    let context = Context::new();
    context.scenario("one", HOLDS);
    context.target(WAITS, "ready: {any_of: [{log: never}]}");
    let running = context.command("run one.yaml --target target.yaml --out out").spawn().expect("starts");
    eventually("a target is there", || context.path("started").exists());
    let kill = std::process::Command::new("sh").args(["-c", &format!("kill -INT {}", running.id())]).status();
    assert!(kill.is_ok_and(|status| status.success()));
    let (code, _, err) = said(&running.wait_with_output().expect("ends"));
    assert_eq!(code, 130, "{err}");
    assert!(err.contains("--out out"), "{err}");
    let started = lines(&context.path("started"));
    eventually("nothing is left behind", || started.iter().all(|pid| !is_alive(pid, &context.path(""))));
}

#[test]
fn shards_are_the_whole_without_overlap() {
    let context = Context::new();
    context.scenario("one", HOLDS_FOR_LENA);
    context.target(WAITS, READY);
    let run = "run one.yaml --target target.yaml --seeds 4";
    let trajectories = |arguments: &str, out: &str| {
        context.dtu(&format!("{run} {arguments} --out {out}"));
        lines(&context.path(&format!("{out}/trajectories.ndjson")))
    };
    let mut parts =
        [trajectories("--shard 1/3", "x"), trajectories("--shard 2/3", "y"), trajectories("--shard 3/3", "z")].concat();
    parts.sort();
    let mut whole = trajectories("", "whole");
    whole.sort();
    assert_eq!(parts, whole);
}

#[test]
fn evidence_is_kept_as_asked() {
    let context = Context::new();
    context.scenario("one", HOLDS_FOR_LENA);
    context.target(WAITS, READY);
    context.dtu("run one.yaml --target target.yaml --seeds 1 --out all");
    context.dtu("run one.yaml --target target.yaml --seeds 1 --out failed --keep failed");
    let kept =
        |out: &str| fs_err::read_dir(context.path(&format!("{out}/evidence/test.one"))).map_or(0, Iterator::count);
    assert_eq!((kept("all"), kept("failed")), (2, 1));
    context.dtu("run one.yaml --target target.yaml --seeds 9 --out sample --keep sample");
    // That of all nine that failed, of the first that did not, and of few of its eight fellows.
    let whole = |folder: &std::path::Path| folder.join("ledger.ndjson").is_file();
    let folders = fs_err::read_dir(context.path("sample/evidence/test.one")).expect("is there");
    let folders: Vec<_> = folders.map(|folder| folder.expect("reads").path()).collect();
    assert!(folders.iter().all(|folder| folder.join("manifest.json").is_file()), "{folders:?}");
    let kept_whole = folders.iter().filter(|folder| whole(folder)).count();
    assert!((10..14).contains(&kept_whole) && folders.len() == 18, "{kept_whole} of {folders:?}");
    let folder = fs_err::read_dir(context.path("failed/evidence/test.one")).expect("is there").next();
    let folder = folder.expect("is there").expect("reads").path();
    for file in [
        "manifest.json",
        "ledger.ndjson",
        "diff.json",
        "checks.json",
        "timings.json",
        "target/stdout",
        "target/stderr",
        "target/exit.json",
    ] {
        assert!(folder.join(file).is_file(), "{file} is missing");
    }
    assert_eq!(lines(&folder.join("target/stdout")), ["listening"]);
}

/// A plan with a rule, in a context.
fn plan(context: &Context, rule: &str) {
    context.write("plan.yaml", &format!("schema: dtu/faults/v1\nname: plan\nrules:\n  - {rule}\n"));
}

#[test]
fn a_plan_that_strikes_nothing_is_refused_with_its_place_and_a_hint() {
    let context = Context::new();
    let up = "up --port-base 0 --faults plan.yaml";
    let check = |command: &str, rule: &str, told: &[&str]| {
        plan(&context, rule);
        let (code, out, err) = context.dtu(command);
        assert_eq!((code, out.as_str()), (2, ""), "{command} {rule}: {err}");
        for told in told {
            assert!(err.contains(told), "{command} {rule}: `{told}` is not in\n{err}");
        }
    };
    for command in [up, "lint plan.yaml"] {
        check(
            command,
            "{id: a, on: {twin: okta, operation: listUser}, do: {reset: {}}}",
            &[
                "plan.yaml:4:41: rule `a`: okta has no operation `listUser`\n",
                "  4 |   - {id: a, on: {twin: okta, operation: listUser}, do: {reset: {}}}\n",
                "    |                                         ^^^^^^^^\n  hint: did you mean `listUsers`?",
            ],
        );
        let elsewhere = "{id: a, on: {twin: slack, operation: listUsers}, do: {reset: {}}}";
        check(command, elsewhere, &["plan.yaml:4:42: ", "hint: okta has such an operation"]);
        check(command, "{id: a, on: {operation: postMessage}, do: {reset: {}}}", &["did you mean `chat.postMessage`?"]);
        check(
            command,
            "{id: a, on: {twin: okat}, do: {reset: {}}}",
            &["plan.yaml:4:24: ", "did you mean `okta`?", "^^^^"],
        );
        check(
            command,
            "{id: a, on: {where: args.x == nobody}, do: {reset: {}}}",
            &["plan.yaml:4:35: ", "`nobody`", "^^^^^^"],
        );
        check(command, "{id: a, on: {where: 'args.x ==='}, do: {reset: {}}}", &["plan.yaml:4:", "bad condition", "^"]);
        check(command, "{id: a, on: {}, do: {melt: {}}}", &["plan.yaml:4:", "unknown word `melt`", "^^^^"]);
    }
    check(
        "up --port-base 0 --faults okta-hooks-silnt",
        "{id: a, on: {}, do: {reset: {}}}",
        &["did you mean `okta-hooks-silent`?"],
    );
    check("up --port-base 0 --faults okta-hooks-silent --fault-var silense=1h", "", &["did you mean `silence`?"]);
}

#[test]
fn a_scenario_whose_rule_strikes_nothing_is_refused_with_its_place_and_a_hint() {
    let context = Context::new();
    context.target(WAITS, READY);
    let rule = "faults: [{rule: {id: lost, on: {twin: slack, operation: chat.postMesage}, do: {reset: {}}}}]";
    context.scenario("one", &format!("{HOLDS}\n{rule}"));
    for command in ["lint one.yaml", "run one.yaml --target target.yaml --seeds 1"] {
        let (code, _, err) = context.dtu(command);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains("slack has no operation `chat.postMesage`\n"), "{err}");
        assert!(err.contains("^^^^^^^^^^^^^^^\n  hint: did you mean `chat.postMessage`?"), "{err}");
    }
}

#[test]
fn people_are_told_where_no_universe_runs() {
    let context = Context::new();
    let commands = [
        "clock show",
        "clock advance 1h",
        "fault list",
        "fault add slack-gone",
        "outage slack",
        "ledger",
        "universe list",
    ];
    let check = |code: i32, told: &[&str]| {
        for command in commands {
            let (found, out, err) = context.dtu(command);
            assert_eq!((found, out.as_str()), (code, ""), "{command}: {err}");
            for told in told {
                assert!(err.contains(told), "{command}: `{told}` is not in\n{err}");
            }
        }
    };
    check(
        2,
        &["no `dtu up` was started in this folder or above it", "hint: start one, or give `--control` and `--token`"],
    );
    // One that was killed leaves its file.
    fs_err::create_dir(context.path(".dtu")).expect("is made");
    context.write(".dtu/up.json", "{\"url\": \"http://127.0.0.1:1\", \"token\": \"gone\"}");
    check(3, &["no control plane answers at http://127.0.0.1:1", "hint: is `dtu up` still running?"]);
    context.write(".dtu/up.json", "not JSON");
    check(2, &["no `dtu up` was started"]);
    let (code, _, err) = context.dtu("clock show --control http://127.0.0.1:1");
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("the control plane's token is missing"), "{err}");
    let (code, _, err) = context.dtu("clock advance soon");
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("SPAN: "), "what is given is looked at first: {err}");
    let (code, _, err) = context.dtu("clock set tomorrow");
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("TIME: `tomorrow` is not a time") && err.contains("hint: times are written as"), "{err}");
}

#[test]
fn what_targets_leave_behind_is_told() {
    let context = Context::new();
    context.scenario("one", HOLDS_FOR_LENA);
    // It does not hear that it is to end, once it is another program.
    let deaf = "(trap '' TERM; exec sleep 300) & until grep -qs sleep /proc/$!/comm; do sleep 0.01; done";
    context.target(&format!("{deaf}; {WAITS}"), READY);
    // Who is left behind is waited for as long as the target.
    context.write("target.yaml", &context.read("target.yaml").replace(GRACE, "3s"));
    let (_, out, err) = context.dtu("run one.yaml --target target.yaml --seeds 2 --out out");
    assert!(out.contains("left behind in 4 trajectories: a process was left: sleep"), "{out}{err}");
    let result: Value = serde_json::from_str(&context.read("out/result.json")).expect("is JSON");
    assert_eq!(result["leaks"], serde_json::json!([{ "what": "a process was left: sleep", "trajectories": 4 }]));
    assert!(context.read("out/summary.md").contains("Left behind in 4 trajectories"));
    context.target(WAITS, READY);
    let (_, out, _) = context.dtu("run one.yaml --target target.yaml --seeds 1");
    assert!(!out.contains("left behind"), "{out}");
}

#[test]
fn who_shares_ports_takes_turns_and_others_run_side_by_side() {
    let context = Context::new();
    context.scenario(
        "one",
        "params: {who: {one_of: [lena, omar]}}\nchecks: [{name: all is well, that: {finally: \"params.who != ''\"}}]",
    );
    context.write("one.yaml", &context.read("one.yaml").replace("beats: []", "beats: [{pause: 300ms}]"));
    // Two at a time get in each other's way.
    let alone = "mkdir lock || exit 9; trap 'rmdir lock; exit 0' TERM; echo listening; while :; do sleep 0.02; done";
    let port = dtu::process::free_port().expect("is free");
    context.target(alone, &format!("{READY}\nports: {{slack: {port}}}"));
    let (code, out, err) = context.dtu("run one.yaml --target target.yaml --seeds 2 --jobs 4");
    assert_eq!(code, 0, "{out}{err}");
    // Who comes first waits until another was there: however slowly that one comes, it finds the door locked.
    let meets = "mkdir lock || { touch met; exit 9; }; trap 'rmdir lock; exit 0' TERM; n=0\n\
                 until [ -e met ] || [ $n -gt 1000 ]; do sleep 0.02; n=$((n+1)); done; echo listening\n\
                 while :; do sleep 0.02; done";
    context.target(meets, READY);
    let (code, out, err) = context.dtu("run one.yaml --target target.yaml --seeds 2 --jobs 4");
    assert_eq!((code, out.contains("the target ended with exit code 9")), (1, true), "{out}{err}");
}

#[test]
fn a_build_that_fails_says_what_where_and_how() {
    let context = Context::new();
    context.scenario("one", HOLDS);
    let check = |build: &str, told: &[&str]| {
        context.target(WAITS, READY);
        context.write("target.yaml", &format!("{}build: {build}\n", context.read("target.yaml")));
        let (code, out, err) = context.dtu("run one.yaml --target target.yaml --seeds 1 --json");
        assert_eq!((code, out.as_str()), (3, ""), "{err}");
        for told in told {
            assert!(err.contains(told), "`{told}` is not in\n{err}");
        }
    };
    check(
        "{command: [sh, -c, 'echo said before; echo broken >&2; exit 4']}",
        &[
            "error: target.yaml: the build failed: `sh -c echo said before",
            "exit status: 4",
            "broken",
            "hint: it runs in .",
        ],
    );
    check(
        "{command: [./no-such-builder]}",
        &["the build failed: `./no-such-builder`: there is no program `./no-such-builder`", "hint: it runs in ."],
    );
    check(
        "{command: [no-such-builder]}",
        &["there is no program `no-such-builder`", "hint: it was looked for in PATH"],
    );
    check("{command: [sh, -c, 'exit 0'], cwd: nowhere}", &["the build failed", "hint: it runs in ./nowhere"]);
    let command = "{command: [sh, -c, 'true']}";
    context.target(WAITS, READY);
    let text = context.read("target.yaml").replace("[sh, script.sh]", "[./made]");
    context.write("target.yaml", &format!("{text}build: {command}\n"));
    let (code, _, err) = context.dtu("run one.yaml --target target.yaml --seeds 1");
    assert_eq!(
        (code, err.contains("hint: the build went well, but it does not make this program")),
        (3, true),
        "{err}"
    );
    assert!(!context.path("started").exists(), "nothing was launched");
}
