//! What all commands that run trajectories are asked alike, and how they run a list of them.

use std::{num::NonZeroUsize, sync::Arc};

use super::{Failure, documents::Documents, out, signals};
use crate::{
    plan::{self, Unit, Wishes},
    record::Record,
    runner::{self, Event, Run},
};

/// How many trajectories, from which seed, how many at a time, and what is printed.
#[derive(Debug, clap::Args)]
pub(super) struct Trials {
    /// Trajectories for each variant of a scenario; 5 where absent, 2 of each target where a pack is admitted.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) seeds: Option<u64>,
    /// The seed from which all others are made.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Trajectories at a time; as many as there are processors where absent.
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// Prints what came of it as one JSON document.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) documents: Documents,
}

impl Trials {
    /// How many trajectories run at a time.
    pub(super) fn jobs(&self) -> usize {
        self.jobs.or(std::thread::available_parallelism().ok()).map_or(2, NonZeroUsize::get)
    }

    /// Trajectories for each variant, where nothing else is said than this.
    pub(super) fn seeds(&self, otherwise: u64) -> u64 {
        self.seeds.unwrap_or(otherwise)
    }

    /// So many trajectories for each variant, and all else as it is asked.
    pub(super) fn wishes(&self, seeds: u64) -> Wishes {
        let documents = self.documents.files().map(plan::planned_document).collect();
        Wishes { seeds, seed: self.seed, documents, ..Wishes::default() }
    }

    /// Runs trajectories of several runs, in this order, and counts them on standard error. `hint` says how to go on
    /// where a signal ends it.
    pub(super) async fn go_through(
        &self,
        list: Vec<(Arc<Run>, Unit)>,
        hint: String,
        mut tell: impl FnMut(&Arc<Run>, &Record),
    ) -> Result<(), Failure> {
        let total = list.len();
        let mut done = 0;
        let watch = |run: &Arc<Run>, event: Event<'_>| {
            if let Event::Over(record) = event {
                tell(run, record);
                done += 1;
                if done == total || done % 10 == 0 {
                    out::say(&format!("{done}/{total}"));
                }
            }
            true
        };
        // Who shares a program or its ports waits for their turn.
        let shares = list.iter().any(|(run, _)| run.setup.target.target.is_shared());
        let jobs = if shares { 1 } else { self.jobs() };
        tokio::select! {
            biased;
            // First, so that it is heard from the first trajectory on.
            signal = signals::interrupted() => Err(Failure::Interrupted { signal, hint }),
            ended = runner::go_through(list, jobs, watch) => ended.map_err(Failure::from),
        }
    }
}
