//! How fast the report of thousands of trajectories is written, and how fast a browser opens it.

use std::{path::Path, process::Command, time::Instant};

use anyhow::{Context as _, ensure};

use crate::{Cli, Part, millis, outside::Folder};

/// A story of which a fifth fails, with a ledger worth looking at.
const BEATS: &str = "
params: {n: {one_of: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}
beats:
  - {as: lena, do: slack.user.post, with: {channel: '#general', text: 'one of ${params.n}'}}
  - {as: omar, do: slack.user.post, with: {channel: '#general', text: 'two of ${params.n}'}}
  - {as: rob, do: slack.user.post, with: {channel: '#general', text: 'three of ${params.n}'}}
";
/// Values of its parameter.
const VARIANTS: u64 = 10;
const CHECKS: &str = "
checks:
  - {name: it was not the ninth, that: {finally: 'params.n < 9'}}
  - {name: nobody said three, role: should, that: {never: {of: \"e.verb == 'slack.user.post' && params.n == 10\"}}}
";

pub(crate) fn figures(part: &mut Part, cli: &Cli) -> anyhow::Result<()> {
    let folder = Folder::new(BEATS, CHECKS)?;
    let start = Instant::now();
    let out = folder.run((cli.trajectories / VARIANTS).max(1), &[])?;
    let took = start.elapsed().as_secs_f64();
    let records = fs_err::read_to_string(out.join("trajectories.ndjson"))?.lines().count();
    part.say(format!(
        "| trajectories an hour in the `dtu` command, each with a process, with all reports | {:.0} | |",
        records as f64 / took * 3_600.0
    ));
    let page = out.join("report.html");
    let size = fs_err::metadata(&page)?.len() as f64 / f64::from(1 << 20);
    let what = format!("report of {records} trajectories ({size:.1} MB)");
    let written = millis(3, || folder.report(&out))?;
    part.say(format!("| {what}: written, with all other reports | {written:.0} ms | |"));
    match opened(&page)? {
        Some((drawn, whole)) => {
            part.say(format!("| {what}: first paint in Chromium | {drawn:.0} ms | 2,000 ms |"));
            part.say(format!("| {what}: read to its end | {whole:.0} ms | 2,000 ms |"));
        }
        None => part.say(format!("| {what} in a browser | not measured: Chromium is not installed | |")),
    }
    Ok(())
}

/// When the page was first painted and when it had been read to its end, in milliseconds.
fn opened(page: &Path) -> anyhow::Result<Option<(f64, f64)>> {
    let node = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/node");
    if !Path::new("/usr/bin/chromium").exists() || !node.join("node_modules/playwright-core").exists() {
        return Ok(None);
    }
    let output = Command::new("node").arg(node.join("report_opens.mjs")).arg(page).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let figure = |name: &str| told[name].as_f64().with_context(|| format!("it tells no `{name}`"));
    Ok(Some((figure("drawn")?, figure("whole")?)))
}
