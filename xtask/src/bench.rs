//! Benchmarks: runs them, and writes their table into `docs/benchmarks.md`.

use std::process::Command;

use anyhow::Context as _;

use crate::shell::{output, root, say};

/// Measures, and writes the page unless `dry_run`.
pub(crate) fn run(seconds: u64, dry_run: bool) -> anyhow::Result<()> {
    let mut page = part("twins", seconds)?;
    // The command that the harness's figures are of, built as its benchmark is.
    let mut dtu = Command::new(env!("CARGO"));
    dtu.args(["build", "--quiet", "--release", "--package", "dtu", "--bin", "dtu"]);
    output(dtu)?;
    page.push_str(&part("harness", seconds)?);
    if dry_run {
        say(&page);
        return Ok(());
    }
    fs_err::write(root().join("docs/benchmarks.md"), page).context("cannot write docs/benchmarks.md")?;
    say("wrote docs/benchmarks.md");
    Ok(())
}

/// What one benchmark prints.
fn part(name: &str, seconds: u64) -> anyhow::Result<String> {
    let mut bench = Command::new(env!("CARGO"));
    bench.args(["bench", "--quiet", "--package", "dtu-tests", "--bench", name, "--"]);
    bench.args(["--seconds", &seconds.to_string()]);
    output(bench)
}
