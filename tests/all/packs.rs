//! The packs that come with the project: each is admitted. A sound program satisfies every variant of each story, no
//! program that does nothing, lies, does too much or begs satisfies any, each known fault is told from the sound
//! program by the stories that concern it, and no check is there that never failed anybody.

use std::{path::Path, process::Command};

use serde_json::Value;

use crate::{
    clients::{Wanted, node, python, say_skipped, wanted},
    support::{program, root},
};

/// A pack, and the target file of its oracle.
struct Pack {
    scenarios: &'static str,
    target: &'static str,
}

const ACCESS: Pack = Pack { scenarios: "scenarios/access", target: "fixtures/targets/access-bot/target.yaml" };
const OFFBOARDING: Pack =
    Pack { scenarios: "scenarios/offboarding", target: "fixtures/targets/offboarding-bot/target.yaml" };
const ON_CALL: Pack = Pack { scenarios: "scenarios/on-call", target: "fixtures/targets/oncall-sync/target.yaml" };
const TOKENS: Pack = Pack { scenarios: "scenarios/tokens", target: "fixtures/targets/access-bot/target.yaml" };

#[test]
fn access() {
    check(&ACCESS);
}

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
    let folder = tempfile::tempdir().expect("a folder");
    let target = copy(pack, folder.path());
    let (code, sound) =
        dtu(pack, folder.path(), &["run", "--target", target.as_str(), "--seeds", "1", "--out", "sound"]);
    assert_eq!(code, Some(0), "a sound program satisfies all variants: {sound:#}");
    for scenario in list(&sound["scenarios"]) {
        let variants = list(&scenario["variants"]).len();
        assert!((3..=6).contains(&variants), "{} has {variants} variants", scenario["id"]);
    }
    // Two variants show what each check is good for; the machine is to be done with it within a minute or two.
    let admit =
        ["admit", "--oracle", target.as_str(), "--seeds", "1", "--variants", "2", "--deny-inert", "--out", "admitted"];
    let (code, admission) = dtu(pack, folder.path(), &admit);
    let told: Vec<&Value> =
        list(&admission["scenarios"]).iter().flat_map(|scenario| list(&scenario["checks"])).collect();
    let inert: Vec<&&Value> = told.iter().filter(|check| check["inert"] == true).collect();
    assert!(inert.is_empty(), "these checks never failed anybody: {inert:#?}");
    assert_eq!(code, Some(0), "the pack is admitted: {admission:#}");
    for score in list(&admission["scenarios"]).iter().flat_map(|scenario| list(&scenario["targets"])) {
        let share = score["score"].as_f64();
        let is_right = match score["part"].as_str() {
            Some("oracle") => share >= Some(0.95),
            Some("defective") => true,
            _ => share == Some(0.0) || score["acts"] == 0,
        };
        assert!(is_right, "{score:#}");
    }
    let defective = list(&admission["defective"]);
    assert!(defective.len() >= 3, "three programs with a known fault at least: {defective:#?}");
    for program in defective {
        assert_eq!(program["ruling"], "admitted", "{program:#}");
        assert!(!list(&program["by"]).is_empty(), "{program:#}");
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Has `dtu` do something with a pack: its exit code, and what it prints.
fn dtu(pack: &Pack, folder: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let mut dtu = Command::new(program("dtu"));
    dtu.current_dir(folder).args(arguments).arg(root().join(pack.scenarios)).args(["--jobs", "6", "--json"]);
    let output = dtu.output().expect("runs");
    let error = String::from_utf8_lossy(&output.stderr);
    let printed = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("one document: {error}"));
    (output.status.code(), printed)
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
