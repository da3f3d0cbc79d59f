//! The report of a run, in a real browser: `tests/clients/node/report_page.mjs` looks at it as a person does.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    clients::node,
    run::target,
    support::{program, root},
};

/// Chromium, where Debian puts it or where `CHROMIUM` says.
fn chromium() -> Option<PathBuf> {
    let path = PathBuf::from(variable("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".to_owned()));
    path.exists().then_some(path)
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether this is a build server, and where the browser is, nothing else says"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Why there can be no look at a page.
fn missing() -> Option<&'static str> {
    if chromium().is_none() {
        return Some("Chromium is not installed");
    }
    let driver = root().join("tests/clients/node/node_modules/playwright-core");
    (node().is_none() || !driver.exists()).then_some("playwright-core is not installed")
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests is told what was left out")]
fn say_skipped(why: &str) {
    eprintln!("skipped the look at a report in a browser: {why}; `cargo xtask clients` installs it");
}

/// A run in which the bot lets people approve their own requests; gives back its report.
fn report(folder: &Path) -> PathBuf {
    let scenarios = ["not-by-oneself", "double-click"].map(|name| root().join(format!("scenarios/access/{name}.yaml")));
    let mut command = Command::new(program("dtu"));
    command.arg("run").args(scenarios).args(["--target", &target(folder), "--seeds", "1", "--out", "out"]);
    command.args(["--target-env", "ACCESS_BOT_DEFECT=self-approval"]).current_dir(folder);
    let output = command.output().expect("runs");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    folder.join("out/report.html")
}

#[test]
fn a_failed_trajectory_is_looked_into_in_a_browser() {
    if let Some(why) = missing() {
        assert!(variable("CI").is_none(), "{why}: run `cargo xtask clients`");
        say_skipped(why);
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let page = report(folder.path());
    let script = root().join("tests/clients/node/report_page.mjs");
    let mut look = Command::new(node().expect("is there"));
    look.arg(script).arg(page).env("CHROMIUM", chromium().expect("is there"));
    let output = look.output().expect("node runs");
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (told(&output.stdout), told(&output.stderr));
    assert!(output.status.success() && out.trim_end().ends_with("claims held"), "{out}{err}");
}
