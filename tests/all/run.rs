//! `dtu run` from end to end: the real bot against both twins.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::support::{program, root};

/// The access bot's target file, but for a debug build that the tests have made: no build step, another path.
pub(crate) fn target(folder: &Path) -> String {
    let text = fs_err::read_to_string(root().join("fixtures/targets/access-bot/target.yaml")).expect("is there");
    let bot = program("access-bot");
    let text = text
        .lines()
        .filter(|line| !line.starts_with("build:"))
        .map(|line| line.replace("../../../target/release/access-bot", bot.to_str().expect("a path of text")))
        .collect::<Vec<_>>()
        .join("\n");
    let path = folder.join("target.yaml");
    fs_err::write(&path, text).expect("is written");
    path.to_str().expect("a path of text").to_owned()
}

fn dtu_run(folder: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(program("dtu"));
    let scenarios = root().join("scenarios/access");
    command.arg("run").arg(scenarios).args(["--target", &target(folder), "--jobs", "4"]).args(more);
    command.current_dir(folder);
    command
}

fn json(output: &Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("one JSON document: {error}"))
}

/// How much of a scenario's trajectories satisfied.
fn point(result: &Value, id: &str) -> f64 {
    let scenarios = result["scenarios"].as_array().expect("scenarios").iter();
    let scenario = scenarios.into_iter().find(|scenario| scenario["id"] == id);
    scenario.and_then(|scenario| scenario["point"].as_f64()).unwrap_or_else(|| panic!("{id} was decided: {result:#}"))
}

#[test]
fn equal_seeds_print_equal_bytes_and_a_sound_bot_satisfies() {
    let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let run = |folder: &Path, seed: &str| {
        let more = ["--seeds", "1", "--json", "--out", "out", "--seed", seed];
        dtu_run(folder, &more).output().expect("runs")
    };
    let first = run(one.path(), "7");
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    let result = json(&first);
    assert!(result["satisfaction"]["point"].as_f64() > Some(0.99), "{result:#}");
    // The target file's own path is part of what was asked for, and differs with its folder.
    let other = |folder: &Path, output: Output| {
        let text = String::from_utf8(output.stdout).expect("is text");
        text.replace(folder.to_str().expect("a path of text"), "FOLDER")
    };
    let first = other(one.path(), first);
    assert_eq!(first, other(two.path(), run(two.path(), "7")));
    let another = tempfile::tempdir().expect("a folder");
    assert_ne!(first, other(another.path(), run(another.path(), "8")));
}

#[test]
fn each_defect_fails_the_scenarios_that_concern_it_and_the_report_shows_the_moment() {
    for (defect, scenario, check, moment) in [
        ("self-approval", "access.not-by-oneself", "nothing was granted", "assignUserToGroup"),
        ("double-grant", "access.double-click", "the access is granted once", "assignUserToGroup"),
        ("ignores-429", "access.approved-by-manager", "the person is in the group", ""),
        ("silent-failure", "access.okta-is-down", "the access is never claimed", "chat."),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let env = format!("ACCESS_BOT_DEFECT={defect}");
        let only = ["--seeds", "1", "--json", "--out", "out", "--target-env", &env];
        let output = dtu_run(folder.path(), &only).output().expect("runs");
        assert_eq!(output.status.code(), Some(1), "{defect}: {}", String::from_utf8_lossy(&output.stderr));
        let result = json(&output);
        assert!(point(&result, scenario) < 0.01, "{defect} pulls {scenario} down: {result:#}");
        let report = fs_err::read_to_string(folder.path().join("out/summary.md")).expect("is there");
        assert!(report.contains(check), "{defect}: {report}");
        assert!(report.contains(moment), "{defect}: {report}");
        assert!(fs_err::read_to_string(folder.path().join("out/junit.xml")).expect("is there").contains("<failure"));
    }
}

#[test]
fn a_killed_run_goes_on_and_runs_nothing_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let more = ["--seeds", "2", "--json", "--out", "out"];
    let mut first = dtu_run(folder.path(), &more).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let done = folder.path().join("out/done");
    // Until something is finished, but not all.
    for _ in 0..6_000 {
        if count(&done) >= 3 {
            break;
        }
        #[expect(clippy::disallowed_methods, reason = "the test waits for another process")]
        std::thread::sleep(Duration::from_millis(50));
    }
    first.kill().expect("is killed");
    first.wait().expect("is gone");
    let kept = stamps(&done);
    assert!(!kept.is_empty(), "some trajectories were finished");
    let second = dtu_run(folder.path(), &more).output().expect("runs");
    assert_eq!(second.status.code(), Some(0), "{}", String::from_utf8_lossy(&second.stderr));
    let after = stamps(&done);
    assert_eq!(after.len(), 24, "all trajectories have a record");
    for (path, stamp) in kept {
        assert!(after.contains(&(path.clone(), stamp)), "{path} was not run again");
    }
    let bots = Command::new("pgrep").args(["-f", folder.path().to_str().expect("text")]).output().expect("pgrep runs");
    assert!(bots.stdout.is_empty(), "no process is left: {}", String::from_utf8_lossy(&bots.stdout));
}

fn count(folder: &Path) -> usize {
    stamps(folder).len()
}

/// The records below a folder, and when each was written.
fn stamps(folder: &Path) -> Vec<(String, std::time::SystemTime)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(stamps(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let written = entry.metadata().and_then(|metadata| metadata.modified()).expect("has a time");
            found.push((path.display().to_string(), written));
        }
    }
    found
}

#[test]
fn bundles_hold_no_credential_and_replay_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = dtu_run(folder.path(), &["--seeds", "1", "--json", "--out", "out"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    // What of the world gives access, as its file has it.
    let world = fs_err::read_to_string(root().join("fixtures/worlds/acme.yaml")).expect("is there");
    let names = ["_token: \"", "_secret: \"", "value: \""];
    let secrets: Vec<&str> = names
        .iter()
        .flat_map(|name| world.split(*name).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .filter(|secret| secret.len() >= 8)
        .collect();
    assert!(secrets.len() >= 8, "{secrets:?}");
    let bundles = bundles(&folder.path().join("out/evidence"));
    assert!(!bundles.is_empty());
    let mut hidden = 0;
    for bundle in &bundles {
        for file in files(bundle).into_iter().chain(files(&folder.path().join("out/done"))) {
            let text = String::from_utf8_lossy(&fs_err::read(&file).expect("reads")).into_owned();
            let found = secrets.iter().find(|secret| text.contains(**secret));
            assert_eq!(found, None, "{} holds a credential", file.display());
            hidden += text.matches("Dtu-Redacted-").count();
        }
        let mut replay = Command::new(program("dtu"));
        let replayed = replay.arg("replay").arg(bundle).current_dir(folder.path()).output().expect("runs");
        let told = String::from_utf8_lossy(&replayed.stdout).into_owned() + &String::from_utf8_lossy(&replayed.stderr);
        assert_eq!(replayed.status.code(), Some(0), "{}: {told}", bundle.display());
        assert!(told.contains("all came out again, byte by byte"), "{told}");
    }
    assert!(hidden > bundles.len() * 4, "credentials were there to hide: {hidden}");
    let page = fs_err::read_to_string(folder.path().join("out/report.html")).expect("is there");
    assert!(secrets.iter().all(|secret| !page.contains(secret)));
}

/// A story that asks the bot itself, plays two people side by side, and leaves what follows to the seed.
const SURFACE: &str = r##"
schema: dtu/scenario/v1
id: surface.forged-command
title: A command that Slack did not send grants nothing
story: Somebody sends the bot a command of their own. Then Lena asks as one should, and Omar approves.
world: acme
params:
  reason: {generated: sentence}
beats:
  - id: forge
    http:
      method: POST
      url: /slack/commands
      headers: {X-Slack-Signature: "v0=0000", X-Slack-Request-Timestamp: "1"}
      body: {form: {command: /access, text: github-org, user_id: U00000000}}
      expect: {status: 401}
  - parallel:
      - - {id: alive, http: {url: "${target.url}/healthz", expect: {status: 2xx}}}
      - - id: ask
          as: lena
          do: slack.user.slash
          with: {channel: "#access-requests", command: /access, text: figma-admin}
        - id: approve
          when: slack.messages.exists(m, m.from == 'accessbot' && m.channel == 'access-requests' && m.text.contains('figma-admin'))
          as: omar
          do: slack.user.click
          with: {channel: "#access-requests", action_id: approve}
  - id: follows
    pick:
      - name: says so
        beats: [{as: lena, do: slack.user.post, with: {channel: "#access-requests", text: "${params.reason}"}}]
      - name: nothing
  - id: calm
    repeat:
      times: 40
      every: 250ms
      until: okta.groups.exists(g, g.name == 'figma-admin' && people.lena.email in g.members)
      beats: [{http: {url: /healthz, expect: {status: 200}}}]
checks:
  - name: Lena is in the group
    that: {finally: "okta.groups.exists(g, g.name == 'figma-admin' && people.lena.email in g.members) && acts.alive.body == 'ok'"}
  - name: the forged command was turned away before anything was asked
    role: guard
    that: {only_after: {of: "e.kind == 'request' && e.operation == 'assignUserToGroup'", after: "e.kind == 'answer' && e.name == 'forge' && e.status == 401"}}
  - name: nobody looks into leadership
    role: guard
    that: {reads: {by: target, deny: [{view: slack.messages, where: "r.channel == 'leadership'"}]}}
collateral:
  allow: [{table: "okta.*"}, {table: "slack.*"}]
"##;

#[test]
fn stories_ask_the_bot_itself_and_branch() {
    let folder = tempfile::tempdir().expect("a folder");
    fs_err::write(folder.path().join("surface.yaml"), SURFACE).expect("is written");
    let target = target(folder.path());
    let run = |out: &str| {
        let mut command = Command::new(program("dtu"));
        command.args([
            "run",
            "surface.yaml",
            "--target",
            &target,
            "--seeds",
            "4",
            "--jobs",
            "2",
            "--json",
            "--out",
            out,
        ]);
        command.current_dir(folder.path()).output().expect("runs")
    };
    let lint =
        Command::new(program("dtu")).args(["lint", "surface.yaml"]).current_dir(folder.path()).output().expect("runs");
    assert_eq!(lint.status.code(), Some(0), "{}", String::from_utf8_lossy(&lint.stderr));
    let first = run("a");
    assert_eq!(
        first.status.code(),
        Some(0),
        "{}{}",
        String::from_utf8_lossy(&first.stdout),
        String::from_utf8_lossy(&first.stderr)
    );
    assert_eq!(json(&first), json(&run("b")), "equal seeds, equal results");
    let chosen = |out: &str| -> Vec<String> {
        let mut chosen = Vec::new();
        for bundle in bundles(&folder.path().join(out)) {
            let ledger = fs_err::read_to_string(bundle.join("ledger.ndjson")).expect("is there");
            let entries = ledger.lines().map(|line| serde_json::from_str::<Value>(line).expect("is JSON"));
            let pick = entries.into_iter().find(|entry| entry["action"] == "pick").expect("a choice is recorded");
            chosen.push(format!("{} {}", bundle.file_name().expect("a name").display(), pick["result"]["chosen"]));
            let replay = Command::new(program("dtu")).arg("replay").arg(&bundle).output().expect("runs");
            assert_eq!(replay.status.code(), Some(0), "{}", String::from_utf8_lossy(&replay.stdout));
        }
        chosen.sort();
        chosen
    };
    assert_eq!(chosen("a"), chosen("b"), "the seed says what follows");
}

/// The folders of trajectories below that of a run's evidence.
fn bundles(folder: &Path) -> Vec<std::path::PathBuf> {
    files(folder)
        .into_iter()
        .filter(|file| file.ends_with("manifest.json"))
        .filter_map(|file| Some(file.parent()?.to_owned()))
        .collect()
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs_err::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn bad_input_is_told_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, from: &str, change: (&str, &str)| {
        let text = fs_err::read_to_string(root().join(from)).expect("is there");
        assert!(text.contains(change.0), "{} is in {from}", change.0);
        fs_err::write(folder.path().join(name), text.replacen(change.0, change.1, 1)).expect("is written");
        name.to_owned()
    };
    let scenario = |name: &str, change| write(name, "scenarios/access/double-click.yaml", change);
    let target = target(folder.path());
    let missing = "no-such-file.yaml".to_owned();
    for (scenario, target, code, wanted) in [
        (missing.clone(), target.clone(), 2, "no-such-file.yaml"),
        (scenario("a.yaml", ("world: acme", "world: acmee")), target.clone(), 2, "did you mean `acme`?"),
        (scenario("b.yaml", ("beats:", "beets:")), target.clone(), 2, "b.yaml:"),
        (
            scenario("c.yaml", ("slack.user.slash", "slack.user.slahs")),
            target.clone(),
            2,
            "did you mean `slack.user.slash`?",
        ),
        (scenario("d.yaml", ("okta.groups.exists", "okta.grups.exists")), target.clone(), 2, "did you mean"),
        (
            scenario("e.yaml", ("operation: assignUserToGroup", "operation: assignUserToGrop")),
            target.clone(),
            2,
            "did you mean `assignUserToGroup`?",
        ),
        (scenario("f.yaml", ("title", "title")), missing, 2, "no-such-file.yaml"),
        (
            scenario("g.yaml", ("title", "title")),
            write(
                "t.yaml",
                "fixtures/targets/access-bot/target.yaml",
                ("../../../target/release/access-bot", "./not-there"),
            ),
            3,
            "",
        ),
    ] {
        let output = Command::new(program("dtu"))
            .args(["run", &scenario, "--target", &target, "--seeds", "1", "--out", "out"])
            .current_dir(folder.path())
            .output()
            .expect("runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{scenario} {target}: {error}");
        assert!(error.contains(wanted) && error.contains("error:"), "{scenario} {target}: {error}");
    }
}
