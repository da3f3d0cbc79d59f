//! Trajectories of which the target is a function: a universe, twenty calls, checks and outcome, and no process.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use dtu::{
    check::{self, Watch},
    facts::Facts,
    judge::{self, Story},
    load::{self, LoadedScenario},
    verdict::Outcome,
};
use dtu_kernel::{clock::ClockMode, universe::Options, universe::Universe, world::World};
use dtu_tests::calls::Call;
use serde_json::Map;

use crate::{Cli, Part};

/// Calls of a target.
const CALLS: usize = 20;

const SCENARIO: &str = "
schema: dtu/scenario/v1
id: bench.inside
title: Twenty messages
story: A program posts twenty messages.
world: acme
beats: []
checks:
  - {name: all were posted, that: {count: {of: \"e.operation == 'chat.postMessage' && e.status == 200\", min: 20, max: 20}}}
  - {name: in one channel, that: {finally: \"slack.channels.exists(c, c.name == 'general')\"}}
  - {name: nothing failed, role: guard, that: {never: {of: \"e.status >= 500\"}}}
collateral: {allow: [{table: slack.messages}, {table: slack.channels}]}
";

pub(crate) fn figures(part: &mut Part, cli: &Cli) -> anyhow::Result<()> {
    let scenario = scenario(SCENARIO)?;
    let master = master()?;
    let cores = std::thread::available_parallelism()?.get();
    let (span, done) = (Duration::from_secs(cli.seconds), AtomicU64::new(0));
    let start = Instant::now();
    let runtime = tokio::runtime::Handle::current();
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let _inside = runtime.enter();
                while start.elapsed() < span {
                    let n = done.fetch_add(1, Ordering::Relaxed);
                    assert_eq!(trajectory(&scenario, &master, n), Outcome::Satisfied);
                }
            });
        }
    });
    let an_hour = done.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64() * 3_600.0;
    part.say(format!(
        "| trajectories an hour on {cores} cores, {CALLS} calls within the process, checks and outcome | {an_hour:.0} | 500,000 |"
    ));
    Ok(())
}

fn trajectory(scenario: &LoadedScenario, master: &Arc<Universe>, n: u64) -> Outcome {
    let universe = master.fork(format!("inside/{n}"), Some(n));
    post(&universe, "#general", CALLS);
    let mut facts = Facts::new(Arc::clone(&universe), Map::new());
    let watch = Watch::new(scenario, &facts);
    let checks = check::evaluate_all(scenario, &mut facts, &watch);
    judge::outcome(&scenario.scenario, Story::Told, None, Vec::new(), &checks).0
}

/// A scenario from its text.
pub(crate) fn scenario(text: &str) -> anyhow::Result<LoadedScenario> {
    load::scenario_from("bench.yaml".to_owned(), text.to_owned()).map_err(|problems| anyhow::anyhow!("{problems:?}"))
}

/// A universe of acme from which others are forked.
pub(crate) fn master() -> anyhow::Result<Arc<Universe>> {
    let sections: Vec<&str> = dtu_kernel::world::SERVICES.to_vec();
    let world = World::find("acme", &sections).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    let options = Options { clock: ClockMode::Stepped, ..Options::default() };
    let made = Universe::create("master", dtu_universe::all().into(), Arc::new(world), &options);
    made.map_err(|problems| anyhow::anyhow!("{problems:?}"))
}

/// Posts so many messages to a channel.
pub(crate) fn post(universe: &Arc<Universe>, channel: &str, messages: usize) {
    let token = token(universe);
    for n in 0..messages {
        let text = format!("message number {n} of a long and busy day");
        Call::slack("chat.postMessage", &token, &[("channel", channel), ("text", &text)]).send(universe);
    }
}

fn token(universe: &Universe) -> String {
    let found = universe.env().into_iter().find(|variable| variable.name == "SLACK_BOT_TOKEN");
    found.map(|variable| variable.content().to_owned()).expect("Slack's twin names it")
}
