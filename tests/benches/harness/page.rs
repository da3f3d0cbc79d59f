//! How fast the report of thousands of trajectories is written, and how fast a browser opens it.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use crate::{Cli, Part, millis, outside};

/// A story of which a fifth fails, with a ledger worth looking at.
const STORY: &str = "
schema: dtu/scenario/v1
id: bench.page
title: Three people say something
story: Lena, Omar and Rob write, and a program says what it has heard.
world: acme
params: {n: {one_of: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]}}
beats:
  - {as: lena, do: slack.user.post, with: {channel: '#general', text: 'one of ${params.n}'}}
  - {as: omar, do: slack.user.post, with: {channel: '#general', text: 'two of ${params.n}'}}
  - {as: rob, do: slack.user.post, with: {channel: '#general', text: 'three of ${params.n}'}}
checks:
  - {name: it was not the ninth, that: {finally: 'params.n < 9'}}
  - {name: nobody said three, role: should, that: {never: {of: \"e.verb == 'slack.user.post' && params.n == 10\"}}}
  - {name: the program wrote, that: {count: {of: \"e.operation == 'chat.postMessage' && e.status == 200\", min: 5}}}
";
/// Values of its parameter.
const VARIANTS: u64 = 10;
/// Calls of the program.
const CALLS: u64 = 5;

pub(crate) fn figures(part: &mut Part, cli: &Cli) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("out");
    let target = dtu::Target::task("talker", talk).idle_after(Duration::from_millis(1)).ready_when_it_says("written");
    let story = dtu::Scenario::parse(STORY)?.seeds((cli.trajectories / VARIANTS).max(1)).out(&out);
    let start = Instant::now();
    let records = tokio::runtime::Handle::current().block_on(story.run(&target))?.iter().count();
    let took = start.elapsed().as_secs_f64();
    part.say(format!(
        "| trajectories an hour with a task that makes {CALLS} calls over HTTP, and all evidence | {:.0} | |",
        records as f64 / took * 3_600.0
    ));
    let written = millis(3, || outside::report(&out))?;
    let page = out.join("report.html");
    let size = fs_err::metadata(&page)?.len() as f64 / f64::from(1 << 20);
    let what = format!("report of {records} trajectories ({size:.1} MB)");
    part.say(format!("| {what}: written, with all other reports | {written:.0} ms | |"));
    match opened(&page)? {
        Some([drawn, read, loaded]) => {
            part.say(format!("| {what}: first paint in Chromium | {drawn:.0} ms | 2,000 ms |"));
            part.say(format!("| {what}: read to its end | {read:.0} ms | 2,000 ms |"));
            part.say(format!("| {what}: loaded | {loaded:.0} ms | 2,000 ms |"));
        }
        None => part.say(format!("| {what} in a browser | not measured: Chromium is not installed | |")),
    }
    Ok(())
}

/// Says what it has to say, and then that it is ready.
async fn talk(place: dtu::Place) -> anyhow::Result<()> {
    let token = place.var("SLACK_BOT_TOKEN").to_owned();
    let url = format!("{}/api/chat.postMessage", place.url("slack"));
    let client = reqwest::Client::builder().no_proxy().build()?;
    for n in 0..CALLS {
        let text = format!("call {n} of a long and busy day");
        let call = client.post(&url).bearer_auth(&token).form(&[("channel", "#general"), ("text", &text)]);
        ensure!(call.send().await?.status().is_success(), "Slack refused");
    }
    place.say("written");
    std::future::pending().await
}

/// When the page was first painted, when it had been read to its end, and when it was loaded, in milliseconds.
fn opened(page: &Path) -> anyhow::Result<Option<[f64; 3]>> {
    let node = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/node");
    if !Path::new("/usr/bin/chromium").exists() || !node.join("node_modules/playwright-core").exists() {
        return Ok(None);
    }
    let output = Command::new("node").arg(node.join("report_opens.mjs")).arg(page).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let figure = |name: &str| told[name].as_f64().with_context(|| format!("it tells no `{name}`"));
    Ok(Some([figure("drawn")?, figure("whole")?, figure("loaded")?]))
}
