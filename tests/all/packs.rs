//! The packs that come with the project: a sound program satisfies each story, and each defect is told from it by the
//! stories that concern it.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::{
    clients::{Wanted, node, python, say_skipped, wanted},
    support::{program, root},
};

/// What a pack is played with, and which stories tell which defect.
struct Pack {
    scenarios: &'static str,
    target: &'static str,
    /// The environment variable that makes the program wrong on purpose.
    switch: &'static str,
    defects: &'static [(&'static str, &'static [&'static str])],
}

const OFFBOARDING: Pack = Pack {
    scenarios: "scenarios/offboarding",
    target: "fixtures/targets/offboarding-bot/target.yaml",
    switch: "DEFECTS",
    defects: &[
        ("forgets-repeats", &["offboarding.event-twice"]),
        ("ignores-429", &["offboarding.slack-is-busy"]),
        ("reports-blindly", &["offboarding.slack-refuses"]),
        ("everyone-leaves", &["offboarding.leaver", "offboarding.event-twice"]),
        ("suspended-leave-too", &["offboarding.leaver"]),
    ],
};

const ON_CALL: Pack = Pack {
    scenarios: "scenarios/on-call",
    target: "fixtures/targets/oncall-sync/target.yaml",
    switch: "DEFECTS",
    defects: &[
        ("adds-only", &["on-call.handover"]),
        ("first-page-only", &["on-call.okta-fails", "on-call.slack-is-busy"]),
        ("empties-on-error", &["on-call.okta-fails"]),
        ("tells-each-time", &["on-call.handover"]),
    ],
};

const TOKENS: Pack = Pack {
    scenarios: "scenarios/tokens",
    target: "fixtures/targets/access-bot/target.yaml",
    switch: "ACCESS_BOT_DEFECT",
    defects: &[("silent-failure", &["tokens.revoked", "tokens.expires-in-the-middle"])],
};

#[test]
fn offboarding() {
    if is_there(python().is_some(), "the pack for leavers") {
        check(&OFFBOARDING);
    }
}

#[test]
fn on_call() {
    if is_there(node().is_some(), "the pack for rotas") {
        check(&ON_CALL);
    }
}

#[test]
fn tokens() {
    check(&TOKENS);
}

fn is_there(there: bool, what: &str) -> bool {
    assert!(there || wanted() == Wanted::WhatIsThere, "{what} needs client libraries: run `cargo xtask clients`");
    if !there {
        say_skipped(what);
    }
    there
}

fn check(pack: &Pack) {
    let sound = play(pack, "");
    for (id, point) in &sound {
        assert!(*point > 0.99, "a sound program satisfies {id}: {sound:?}");
    }
    for (defect, stories) in pack.defects {
        let broken = play(pack, defect);
        for story in *stories {
            let (was, is) = (point(&sound, story), point(&broken, story));
            assert!(was - is > 0.5, "{defect} pulls {story} down: from {was} to {is}");
        }
    }
}

fn point(points: &[(String, f64)], id: &str) -> f64 {
    points.iter().find(|(found, _)| found == id).unwrap_or_else(|| panic!("{id} was played")).1
}

/// Plays a pack, once for each variant: the fraction of each scenario.
fn play(pack: &Pack, defect: &str) -> Vec<(String, f64)> {
    let folder = tempfile::tempdir().expect("a folder");
    let target = copy(pack, folder.path());
    let mut dtu = Command::new(program("dtu"));
    dtu.current_dir(folder.path()).arg("run").arg(root().join(pack.scenarios)).args(["--target", &target]);
    dtu.args(["--seeds", "1", "--jobs", "6", "--json", "--out", "out"]);
    dtu.args(["--target-env", &format!("{}={defect}", pack.switch)]);
    let output = dtu.output().expect("runs");
    let error = String::from_utf8_lossy(&output.stderr);
    let result: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("one document: {error}"));
    let scenarios = result["scenarios"].as_array().expect("scenarios").iter();
    let point = |scenario: &Value| {
        let point = scenario["point"].as_f64().unwrap_or_else(|| panic!("it was decided: {scenario:#}"));
        (scenario["id"].as_str().expect("an id").to_owned(), point)
    };
    scenarios.map(point).collect()
}

/// The target's file without its build step, which the tests have done already, and with places that hold elsewhere.
fn copy(pack: &Pack, folder: &Path) -> String {
    let file = root().join(pack.target);
    let home = file.parent().expect("it is in a folder");
    let place = |path: &Path| path.to_str().expect("a path of text").to_owned();
    let text = fs_err::read_to_string(&file).expect("is there");
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with("build:")) {
        let mut line = line.replace("../../../target/release/access-bot", &place(&program("access-bot")));
        line = line.replace("../../../", &format!("{}/", place(&root())));
        for script in ["offboarding_bot.py", "oncall_sync.cjs"] {
            line = line.replace(script, &place(&home.join(script)));
        }
        lines.push(line);
    }
    let target = folder.join("target.yaml");
    fs_err::write(&target, lines.join("\n")).expect("is written");
    place(&target)
}
