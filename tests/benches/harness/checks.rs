//! What one check costs, in a world of a thousand objects and in one of a million.

use std::sync::Arc;

use anyhow::Context as _;
use dtu::{
    check::{self, Watch},
    facts::Facts,
    load::LoadedScenario,
    verdict::Held,
};
use dtu_kernel::universe::Universe;
use serde_json::Map;

use crate::{
    Cli, Part,
    inside::{master, post, scenario},
    millis,
};

/// Checks of each kind, and what they are called.
const CHECKS: [(&str, &str); 8] = [
    ("of the ledger", "that: {count: {of: \"e.operation == 'chat.postMessage'\", min: 20, max: 20}}"),
    ("of an order", "that: {never: {of: \"e.status >= 500\"}}"),
    ("of small tables at the end", "that: {finally: \"slack.channels.exists(c, c.name == 'general')\"}"),
    (
        "of the rows of the large table that an index finds",
        "that: {finally: \"slack.messages.filter(m, m.channel == 'random' && m.text.contains('message')).size() == 20\"}",
    ),
    (
        "of an early row of the large table",
        "that: {finally: \"slack.messages.exists(m, m.text.contains('number 19 '))\"}",
    ),
    ("how many rows the large table has", "that: {finally: 'slack.messages.size() >= 1000'}"),
    (ALL_ROWS, "that: {finally: \"!slack.messages.exists(m, m.text.contains('a quiet day'))\"}"),
    ("that nothing else changed", ""),
];
/// The check whose cost grows with the table.
const ALL_ROWS: &str = "of every row of the large table";
/// Seconds that the evaluations of one check may take together.
const PATIENCE: f64 = 10.0;

pub(crate) fn figures(part: &mut Part, cli: &Cli) -> anyhow::Result<()> {
    let (small, large) = (filled(1_000)?, filled(cli.messages)?);
    part.say(format!(
        "\nChecks after twenty calls, in a world of 1,000 messages and in one of {}:\n\n\
         | check | 1,000 | {} | ratio |\n|---|--:|--:|--:|",
        cli.messages, cli.messages
    ));
    let before = most_memory()?;
    let mut each = 0.0;
    for (name, check) in CHECKS {
        let (a, b) = (cost(&small, check)?, cost(&large, check)?);
        part.say(format!("| {name} | {a:.3} ms | {b:.3} ms | {:.1}x |", b / a));
        if name == ALL_ROWS {
            each = (b - a) * 1e6 / (cli.messages.max(1_001) - 1_000) as f64;
        }
    }
    let more = most_memory()? - before;
    part.say(format!(
        "\nA row that a check must look at costs {each:.0} ns. All these checks took {more:.0} MiB beside the worlds.",
    ));
    Ok(())
}

/// The most memory that this process has held, in MiB.
fn most_memory() -> anyhow::Result<f64> {
    let status = fs_err::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("the kernel tells it")?;
    let kib: f64 = line.split_whitespace().next().context("a number")?.parse()?;
    Ok(kib / 1_024.0)
}

/// A universe with so many messages in the past: none of them is in the ledger of its forks.
fn filled(messages: usize) -> anyhow::Result<Arc<Universe>> {
    let universe = master()?;
    post(&universe, "#general", messages);
    Ok(universe)
}

/// The median of one evaluation in milliseconds, with all that it makes of the world for itself.
fn cost(universe: &Arc<Universe>, check: &str) -> anyhow::Result<f64> {
    let checks =
        if check.is_empty() { "checks: []".to_owned() } else { format!("checks: [{{name: it holds, {check}}}]") };
    let text = format!(
        "schema: dtu/scenario/v1\nid: bench.checks\ntitle: A check\nstory: Once.\nworld: acme\nbeats: []\n{checks}\n\
         collateral: {{allow: [{{table: slack.messages}}, {{table: slack.channels}}]}}\n"
    );
    let scenario = scenario(&text)?;
    let fork = universe.fork("checks", Some(7));
    post(&fork, "#random", 20);
    let once = millis(1, || evaluate(&scenario, &fork))?;
    millis(if once * 20.0 > PATIENCE * 1e3 { 3 } else { 20 }, || evaluate(&scenario, &fork))
}

fn evaluate(scenario: &LoadedScenario, fork: &Arc<Universe>) -> anyhow::Result<()> {
    let mut facts = Facts::new(Arc::clone(fork), Map::new());
    let watch = Watch::new(scenario, &facts);
    let results = check::evaluate_all(scenario, &mut facts, &watch);
    let wrong = results.iter().find(|result| result.held != Held::Yes);
    anyhow::ensure!(wrong.is_none(), "{wrong:?}");
    Ok(())
}
