//! How far a run has come, told on standard error while it runs.

use std::{collections::BTreeMap, io::Write as _, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    evidence::Record,
    pairing::Arm,
    plan::{Key, Plan},
    summary::Summary,
};

/// About how many lines a whole run tells where standard error is no terminal.
const LINES: u64 = 20;
/// About how often the state is told anew on a terminal.
const REDRAWS: u64 = 200;

/// Tells how far a run has come: in place on a terminal, else in a line now and then.
#[derive(Debug)]
pub struct Progress<'a> {
    plan: &'a Plan,
    baseline: Option<Arm<'a>>,
    bar: Option<ProgressBar>,
}

impl<'a> Progress<'a> {
    /// Begins to tell, also of the difference to a baseline where there is one.
    pub fn new(plan: &'a Plan, baseline: Option<Arm<'a>>) -> Self {
        let target = ProgressDrawTarget::stderr();
        if target.is_hidden() {
            return Self { plan, baseline, bar: None };
        }
        let bar = ProgressBar::with_draw_target(Some(plan.trajectories), target);
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {pos}/{len}  {msg}  {per_sec}  {elapsed}, {eta} left")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { plan, baseline, bar: Some(bar) }
    }

    /// Tells of the records there are.
    pub fn tell(&self, records: &BTreeMap<Key, Record>) {
        let done = records.len() as u64;
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            if self.is_due(done, REDRAWS) {
                bar.set_message(self.state(records));
            }
        } else if self.is_due(done, LINES) {
            let state = self.state(records);
            // Nobody to tell is no reason to stop.
            let _ = writeln!(anstream::stderr(), "{done}/{} {state}", self.plan.trajectories);
        }
    }

    fn state(&self, records: &BTreeMap<Key, Record>) -> String {
        let summary = Summary::new(self.plan, records);
        match self.baseline {
            Some(baseline) => state(&summary.against(Arm { plan: self.plan, records }, baseline)),
            None => state(&summary),
        }
    }

    /// Whether to tell now, so as to do it about so many times in all: what is told costs as much as the run is long.
    fn is_due(&self, done: u64, times: u64) -> bool {
        let every = self.plan.trajectories.div_ceil(times).max(1);
        done.is_multiple_of(every) || done == self.plan.trajectories
    }

    /// Clears the line.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `sat 0.93 [0.81-0.98]  Δ -0.4 pt [-2.9, +2.1]  void 1  undecided 0`
fn state(summary: &Summary) -> String {
    let s = &summary.satisfaction;
    let shown = match (s.point, s.low, s.high) {
        (Some(point), Some(low), Some(high)) => format!("{point:.2} [{low:.2}-{high:.2}]"),
        _ => "-".to_owned(),
    };
    let difference = summary.difference.as_ref().map_or_else(String::new, |d| format!("  Δ {}", d.shown()));
    format!("sat {shown}{difference}  void {}  undecided {}", s.void, s.undecided)
}
