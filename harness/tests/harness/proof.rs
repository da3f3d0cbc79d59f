//! Replays, proofs and admissions, as people and pipelines use them.

use serde_json::Value;

use crate::support::{Context, lines};

const READY: &str = "ready: {any_of: [{log: listening}]}\ncommands: {probe: [sh, probe.sh]}";
const WAITS: &str = "echo $$ >> started; echo listening; while :; do sleep 0.02; done";
/// Says whether the target is broken. Asked by the story, so that no time has to pass for it to be seen.
const PROBE: &str = "test -z \"$BROKEN\" && { test -z \"$WHICH\" || test \"$WHICH\" != \"$BREAKS\"; }";
const PAUSES: &str = "beats: [{pause: 300ms}]\nchecks: [{name: all is well, that: {finally: 'true'}}]";
const PROBES: &str =
    "beats: [{cli: {run: probe, expect: {code: 0}}}]\nchecks: [{name: all is well, that: {finally: 'true'}}]";

/// A context with a scenario of these lines.
fn context(script: &str, scenario: &str) -> Context {
    let context = Context::new();
    context.scenario("one", "checks: [{name: all is well, that: {finally: 'true'}}]");
    let text = context.read("one.yaml").replace("beats: []\n", "");
    let text = text.replace("checks: [{name: all is well, that: {finally: 'true'}}]\n", &format!("{scenario}\n"));
    context.write("one.yaml", &text);
    context.target(script, READY);
    context.write("probe.sh", PROBE);
    context
}

fn bundle(context: &Context, run: &str) -> String {
    let folder = fs_err::read_dir(context.path(&format!("{run}/evidence/test.one"))).expect("is there").next();
    let name = folder.expect("is there").expect("reads").file_name();
    format!("{run}/evidence/test.one/{}", name.to_string_lossy())
}

#[test]
fn a_recorded_trajectory_is_replayed() {
    let faults = "faults: [{rule: {id: lost, on: {deliver: '*'}, do: {drop: {}}}}]";
    let context = context(WAITS, &format!("{PAUSES}\n{faults}"));
    context.dtu("run one.yaml --target target.yaml --seeds 1 --out out");
    let bundle = bundle(&context, "out");
    let (code, out, err) = context.dtu(&format!("replay {bundle}"));
    assert_eq!((code, out.contains("all came out again, byte by byte")), (0, true), "{out}{err}");
    let manifest: Value = serde_json::from_str(&context.read(&format!("{bundle}/manifest.json"))).expect("is JSON");
    for member in ["scenario", "target", "world_digest"] {
        assert_eq!(manifest["about"][member].as_str().map(str::len), Some(64), "{member}");
    }
    assert_eq!(manifest["run"]["target"]["program"].as_str().map(str::len), Some(64));
    let (code, out, err) = context.dtu(&format!("replay {bundle} --live --out again"));
    assert_eq!((code, out.contains("the same course, satisfied again")), (0, true), "{out}{err}");
    // What was recorded is tampered with.
    let ledger = context.read(&format!("{bundle}/ledger.ndjson"));
    context.write(&format!("{bundle}/ledger.ndjson"), &ledger.replace("[\"lost\"]", "[\"found\"]"));
    let (code, _, err) = context.dtu(&format!("replay {bundle}"));
    assert_eq!((code, err.contains("an armed rule is not part of the recording")), (4, true), "{err}");
    context.write(&format!("{bundle}/ledger.ndjson"), &ledger.replace("\"control\"", "\"timer\""));
    let (code, ..) = context.dtu(&format!("replay {bundle}"));
    assert_eq!(code, 4);
    let (code, _, err) = context.dtu("replay out");
    assert_eq!((code, err.contains("this is not the evidence of a trajectory")), (2, true), "{err}");
}

#[test]
fn a_replay_says_where_a_new_process_takes_another_course() {
    let context = context(WAITS, PROBES);
    context.dtu("run one.yaml --target target.yaml --seeds 1 --out out --target-env BROKEN=1");
    let bundle = bundle(&context, "out");
    context.write("other.yaml", &context.read("target.yaml").replace("command:", "env: {BROKEN: ''}\ncommand:"));
    let (code, out, err) = context.dtu(&format!("replay {bundle} --live"));
    assert_eq!((code, out.contains("unsatisfied again")), (0, true), "{out}{err}");
    context.write("probe.sh", "exit 0");
    let (code, out, err) = context.dtu(&format!("replay {bundle} --live --json"));
    assert_eq!(code, 1, "{out}{err}");
    let replayed: Value = serde_json::from_str(&out).expect("is JSON");
    let outcomes = (replayed["outcome"].as_str(), replayed["outcome_now"].as_str());
    assert_eq!(outcomes, (Some("unsatisfied"), Some("satisfied")));
}

#[test]
fn a_fix_is_proven() {
    let check = |before: &str, after: &str, code: i32, told: &str| {
        let context = context(WAITS, PROBES);
        let prove = "prove one.yaml --before target.yaml --after target.yaml --out proof --jobs 4";
        let (found, out, err) = context.dtu(&format!("{prove} {before} {after}"));
        assert_eq!(found, code, "{out}{err}");
        assert!(format!("{out}{err}").contains(told), "`{told}` is not in\n{out}{err}");
        context
    };
    let broken = "--before-env BROKEN=1";
    let context = check(broken, "", 0, "proven: the older build failed in 5 of 5 trajectories");
    let receipt: Value = serde_json::from_str(&context.read("proof/receipt.json")).expect("is JSON");
    assert_eq!((&receipt["verdict"], &receipt["fixed"]), (&"proven".into(), &5.into()));
    assert_eq!(lines(&context.path("proof/before/trajectories.ndjson")).len(), 0, "reports are of runs");
    let (code, out, _) =
        context.dtu("prove one.yaml --before target.yaml --after target.yaml --out proof --before-env BROKEN=1 --json");
    assert_eq!((code, out), (0, context.read("proof/receipt.json")), "nothing was left to run");
    check(broken, "--after-env BROKEN=2", 1, "not fixed: test.one: the newer build failed in 5 of 5");
    check("--before-env OTHER=1", "", 4, "not reproduced: the older build failed in none of 20");
    check("", "", 2, "both targets are the same build");
}

#[test]
fn what_cannot_be_run_proves_nothing() {
    let context = context(WAITS, PROBES);
    let broken = context.read("target.yaml").replace("name:", "build: {command: [sh, -c, 'exit 9']}\nname:");
    context.write("broken.yaml", &broken);
    let (code, out, err) = context.dtu("prove one.yaml --before broken.yaml --after target.yaml --json");
    assert_eq!((code, err.contains("the build failed")), (3, true), "{out}{err}");
    let receipt: Value = serde_json::from_str(&out).expect("is JSON");
    assert_eq!(receipt["verdict"], "cannot_run");
    context.write("script.sh", "exit 1");
    let (code, out, err) =
        context.dtu("prove one.yaml --before target.yaml --after target.yaml --before-env A=1 --out p");
    assert_eq!((code, out.contains("the older build never came up")), (3, true), "{out}{err}");
}

/// Posts a message as a bot of the world `acme`. The shell has no HTTP of its own: bash does, by its device for
/// connections.
const POSTS: &str = r#"
body="channel=access-requests&text=the+report+is+done"
host="${SLACK_API_URL#http://}"; host="${host%%/*}"
exec 3<>"/dev/tcp/${host%%:*}/${host##*:}"
printf 'POST /api/chat.postMessage HTTP/1.1\r\nhost: %s\r\nauthorization: Bearer %s\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: %s\r\nconnection: close\r\n\r\n%s' "$host" "$SLACK_BOT_TOKEN" "${#body}" "$body" >&3
cat <&3
exec sleep 60
"#;

#[test]
fn scenarios_are_admitted_where_they_tell_good_from_bad() {
    if !std::path::Path::new("/bin/bash").exists() {
        return;
    }
    let context = Context::new();
    context.write("script.sh", POSTS);
    context.write(
        "target.yaml",
        "schema: dtu/target/v1\nname: poster\ncommand: [/bin/bash, script.sh]\nquiesce: {idle: 100ms}\n\
         ready: {any_of: [{called: slack.chat.postMessage}]}\n\
         env:\n  SLACK_API_URL: \"${env.SLACK_API_URL}\"\n\
         \x20 SLACK_BOT_TOKEN: xoxb-dtu-acme-accessbot-not-a-real-token\n",
    );
    let scenario = |only: &str| {
        format!(
            "schema: dtu/scenario/v1\nid: test.report\ntitle: It is told\nstory: Once.\nworld: acme\n\
             beats: []\nchecks:\n  - name: it is told\n    that: {{eventually: {{within: 2s, that: \
             \"slack.messages.exists(m, m.text.contains('is done'))\"}}}}\n\
             collateral: {{allow: [{{table: slack.messages{only}}}, {{table: slack.channels}}, {{table: slack.memberships}}]}}\n"
        )
    };
    context.write("one.yaml", &scenario(", where: \"c.after.text.contains('is done') && slack.messages.size() < 0\""));
    let admit = "admit one.yaml --oracle target.yaml --seeds 1 --jobs 5";
    let (code, out, err) = context.dtu(admit);
    assert_eq!(
        (code, out.contains("oracle          0.00  0/1  must reach 0.95: `nothing else changed`")),
        (1, true),
        "{out}{err}"
    );
    context.write("one.yaml", &scenario(""));
    let (_, out, err) = context.dtu(&format!("{admit} --json"));
    let admission: Value = serde_json::from_str(&out).unwrap_or_else(|why| panic!("{why}: {out}{err}"));
    let targets = admission["scenarios"][0]["targets"].as_array().expect("is a list");
    let scores: Vec<String> = targets
        .iter()
        .map(|target| format!("{} {} {}", target["name"], target["score"], target["ruling"]).replace('"', ""))
        .collect();
    // Whatever else is posted is allowed, so that a vandal is not told from the oracle. The oracle does nothing but
    // talk, so that a liar claims that all was done.
    let wanted = [
        "oracle 1.0 admitted",
        "nop 0.0 admitted",
        "liar 0.0 admitted",
        "scorched-earth 1.0 refused",
        "injector 0.0 admitted",
    ];
    assert_eq!(scores, wanted, "{out}");
    assert_eq!(admission["ruling"], "refused");
    let mutants = &admission["scenarios"][0]["mutants"][0];
    assert_eq!((&mutants["name"], mutants["killed"].as_u64() > Some(1)), (&"it is told".into(), true), "{mutants:#}");
    assert_eq!(mutants["not_again"], Value::Null, "what was recorded shows the same again: {mutants:#}");
    let (_, out, err) = context.dtu(&format!("{admit} --out kept"));
    assert!(out.contains("mutants of its checks change an outcome"), "{out}{err}");
    // What nothing hangs on is shown where it stands.
    assert!(out.contains("one.yaml:9:25") && out.contains("^^^"), "{out}{err}");
    let kept: Value = serde_json::from_str(&context.read("kept/admission.json")).expect("is JSON");
    assert_eq!(kept["scenarios"][0]["mutants"], admission["scenarios"][0]["mutants"], "an equal run says the same");
    assert!(context.read("kept/admission.md").starts_with("# Admission: refused"), "{out}{err}");
}

#[test]
fn a_new_scenario_is_without_problems_and_is_explained() {
    let context = Context::new();
    let (code, out, err) = context.dtu("scenario new help.asked --folder mine");
    assert_eq!((code, out.lines().next()), (0, Some("mine/asked.yaml")), "{err}");
    let (code, out, err) = context.dtu("lint mine");
    assert_eq!((code, out.as_str()), (0, "1 scenario: no problems\n"), "{err}");
    let (code, out, err) = context.dtu("explain mine");
    assert_eq!((code, out.contains("fails `an answer comes`")), (0, true), "{out}{err}");
    let (code, _, err) = context.dtu("scenario new help.asked --folder mine");
    assert_eq!((code, err.contains("there is such a file already")), (2, true), "{err}");
    let (code, _, err) = context.dtu("scenario new Help");
    assert_eq!((code, err.contains("this is no id of a scenario")), (2, true), "{err}");
}

#[test]
fn what_a_fix_breaks_elsewhere_is_told() {
    let check = "checks: [{name: all is well, that: {finally: \"params.which != ''\"}}]";
    let story = |which: &str| {
        format!(
            "params: {{which: {{one_of: [{which}]}}}}\nbeats: [{{cli: {{run: probe, expect: {{code: 0}}}}}}]\n{check}"
        )
    };
    let context = context(WAITS, &story("one"));
    context.write("two.yaml", &context.read("one.yaml").replace("test.one", "test.two").replace("[one]", "[two]"));
    let target = context.read("target.yaml").replace("command:", "env: {WHICH: '${params.which}'}\ncommand:");
    context.write("target.yaml", &target);
    let prove = |elsewhere: &str, out: &str| {
        let builds = "--before target.yaml --after target.yaml --before-env BREAKS=one --after-env BREAKS=two";
        context.dtu(&format!("prove one.yaml {elsewhere} {builds} --seeds 5 --jobs 4 --out {out}"))
    };
    let (code, out, err) = prove("", "alone");
    assert_eq!((code, out.contains("proven: the older build failed in 5 of 5")), (0, true), "{out}{err}");
    let (code, out, err) = prove("--elsewhere two.yaml", "both");
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("regressed elsewhere: test.two (which=two): the newer build failed in 20 of 20"), "{out}");
    assert!(out.contains("test.two  (must not get worse)"), "{out}");
    let receipt: Value = serde_json::from_str(&context.read("both/receipt.json")).expect("is JSON");
    let elsewhere = &receipt["scenarios"][1];
    assert_eq!((&elsewhere["to_prove"], &elsewhere["variants"][0]["regressed"]), (&false.into(), &true.into()));
}

#[test]
fn a_pack_names_its_oracle_and_what_it_must_tell() {
    let context = context(WAITS, PROBES);
    context.write(
        "pack.yaml",
        "schema: dtu/pack/v1\nname: one\noracle: target.yaml\n\
         defective:\n  ends: {env: {BROKEN: '1'}, fails: [test.one]}\n  sound: {env: {OTHER: '1'}, fails: [test.one]}\n",
    );
    let (code, out, err) = context.dtu("lint .");
    assert_eq!((code, out.as_str()), (0, "1 scenario, 1 pack: no problems\n"), "{err}");
    let (_, out, err) = context.dtu("admit one.yaml --seeds 1 --jobs 6 --json");
    let admission: Value = serde_json::from_str(&out).unwrap_or_else(|why| panic!("{why}: {out}{err}"));
    let told: Vec<(&str, &str)> = admission["defective"]
        .as_array()
        .expect("is a list")
        .iter()
        .map(|told| (told["name"].as_str().expect("is text"), told["ruling"].as_str().expect("is text")))
        .collect();
    assert_eq!(told, [("ends", "admitted"), ("sound", "refused")], "{out}");
    assert_eq!(admission["defective"][1]["not_by"], serde_json::json!(["test.one"]));
    context.write("pack.yaml", &context.read("pack.yaml").replace("[test.one]", "[test.oen]"));
    let (code, _, err) = context.dtu("lint .");
    assert_eq!((code, err.contains("hint: did you mean `test.one`?")), (2, true), "{err}");
    fs_err::remove_file(context.path("pack.yaml")).expect("is removed");
    let (code, _, err) = context.dtu("admit one.yaml");
    assert_eq!(
        (code, err.contains("hint: name its target file with `--oracle`, or in a `pack.yaml`")),
        (2, true),
        "{err}"
    );
}
