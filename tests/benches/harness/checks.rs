//! What one check costs, in a world of a thousand objects and in one of a million.

use std::sync::Arc;

use dtu::{
    check::{self, Watch},
    facts::Facts,
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
const CHECKS: [(&str, &str); 5] = [
    ("of the ledger", "that: {count: {of: \"e.operation == 'chat.postMessage'\", min: 20, max: 20}}"),
    ("of an order", "that: {never: {of: \"e.status >= 500\"}}"),
    ("of small tables at the end", "that: {finally: \"slack.channels.exists(c, c.name == 'general')\"}"),
    ("of the table that is large", "that: {finally: \"slack.messages.exists(m, m.text.contains('number 19 '))\"}"),
    ("that nothing else changed", ""),
];

pub(crate) fn figures(part: &mut Part, cli: &Cli) -> anyhow::Result<()> {
    let (small, large) = (filled(1_000)?, filled(cli.messages)?);
    part.say(format!(
        "\nChecks after twenty calls, in a world of 1,000 messages and in one of {}:\n\n\
         | check | 1,000 | {} | ratio |\n|---|--:|--:|--:|",
        cli.messages, cli.messages
    ));
    for (name, check) in CHECKS {
        let (a, b) = (cost(&small, check)?, cost(&large, check)?);
        part.say(format!("| {name} | {a:.3} ms | {b:.3} ms | {:.1}x |", b / a));
    }
    Ok(())
}

/// A universe with so many messages in the past: none of them is in the ledger of its forks.
fn filled(messages: usize) -> anyhow::Result<Arc<Universe>> {
    let universe = master()?;
    post(&universe, messages);
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
    post(&fork, 20);
    millis(20, || {
        let mut facts = Facts::new(Arc::clone(&fork), Map::new());
        let watch = Watch::new(&scenario, &facts);
        let results = check::evaluate_all(&scenario, &mut facts, &watch);
        let wrong = results.iter().find(|result| result.held != Held::Yes);
        anyhow::ensure!(wrong.is_none(), "{wrong:?}");
        Ok(())
    })
}
