//! Benchmarks: runs them, and writes their table into `docs/benchmarks.md`.

use std::process::Command;

use anyhow::Context as _;

use crate::shell::{output, root, say};

/// Measures, and writes the page unless `dry_run`.
pub(crate) fn run(seconds: u64, dry_run: bool) -> anyhow::Result<()> {
    let mut bench = Command::new(env!("CARGO"));
    bench.args(["bench", "--quiet", "--package", "dtu-tests", "--bench", "twins", "--"]);
    bench.args(["--seconds", &seconds.to_string()]);
    let page = output(bench)?;
    if dry_run {
        say(&page);
        return Ok(());
    }
    fs_err::write(root().join("docs/benchmarks.md"), page).context("cannot write docs/benchmarks.md")?;
    say("wrote docs/benchmarks.md");
    Ok(())
}
