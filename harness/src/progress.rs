//! How far a run has come, told on standard error while it runs.

use std::{collections::BTreeMap, io::Write as _, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use crate::{
    pairing::Arm,
    plan::{Key, Plan},
    record::Record,
    stats::as_float,
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
    /// Trajectories that there will be.
    all: u64,
    began: Instant,
    /// Trajectories that were finished before it began: they say nothing of how fast it goes.
    before: u64,
}

impl<'a> Progress<'a> {
    /// Begins to tell of a run of so many trajectories, `before` of which are finished already; also of the difference
    /// to a baseline where there is one.
    pub fn new(plan: &'a Plan, baseline: Option<Arm<'a>>, all: usize, before: usize) -> Self {
        let target = ProgressDrawTarget::stderr();
        let bar = (!target.is_hidden()).then(|| in_place(target));
        Self { plan, baseline, bar, all: all as u64, began: Instant::now(), before: before as u64 }
    }

    /// Tells of the records there are.
    pub fn tell(&self, records: &BTreeMap<Key, Record>) {
        let done = records.len() as u64;
        if let Some(bar) = &self.bar {
            if self.is_due(done, REDRAWS) {
                bar.set_message(self.line(records, self.began.elapsed()));
            }
        } else if self.is_due(done, LINES) {
            // Nobody to tell is no reason to stop.
            let _ = writeln!(anstream::stderr(), "{}", self.line(records, self.began.elapsed()));
        }
    }

    /// `87/250  sat 0.93 [0.88-0.96]  Δ -0.4 pt [-2.9, +2.1]  void 1  undecided 0  4.2/s  39 s left`
    fn line(&self, records: &BTreeMap<Key, Record>, elapsed: Duration) -> String {
        let (done, all) = (records.len() as u64, self.all);
        let pace = pace(done.saturating_sub(self.before), all.saturating_sub(done), elapsed);
        format!("{done}/{all}  {}{pace}", self.state(records))
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
        let every = self.all.div_ceil(times).max(1);
        done.is_multiple_of(every) || done == self.all
    }

    /// Clears the line.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn in_place(target: ProgressDrawTarget) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
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

/// `  4.2/s  39 s left`; empty before anything is done.
fn pace(done: u64, left: u64, elapsed: Duration) -> String {
    let rate = as_float(done) / elapsed.as_secs_f64();
    if done == 0 || !rate.is_finite() {
        return String::new();
    }
    let rate_shown = if rate >= 1.0 { format!("{rate:.1}/s") } else { format!("{:.1}/min", rate * 60.0) };
    if left == 0 {
        return format!("  {rate_shown}");
    }
    let seconds = as_float(left) / rate;
    let span = match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5_400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    };
    format!("  {rate_shown}  {span} left")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report::tests::with_report, verdict::Outcome};

    /// What is told after so many of the fixed trajectories.
    fn told(records: &BTreeMap<Key, Record>, plan: &Plan, baseline: Option<Arm<'_>>, done: usize) -> String {
        let so_far = records.iter().take(done).map(|(key, record)| (key.clone(), record.clone())).collect();
        let all = plan.trajectories;
        Progress { plan, baseline, bar: None, all, began: Instant::now(), before: 0 }
            .line(&so_far, Duration::from_secs(3))
    }

    #[test]
    fn how_fast_it_goes_and_how_long_it_takes() {
        let check = |done, left, seconds, told: &str| {
            assert_eq!(pace(done, left, Duration::from_secs(seconds)), told);
        };
        check(0, 9, 3, "");
        check(9, 9, 0, "");
        check(8, 0, 4, "  2.0/s");
        check(8, 16, 4, "  2.0/s  8 s left");
        check(1, 10, 60, "  1.0/min  10 min left");
        check(10, 20_000, 10, "  1.0/s  5.6 h left");
    }

    #[test]
    fn what_is_told_while_a_run_goes_on() {
        with_report(|report, records| {
            let better: BTreeMap<Key, Record> = records
                .iter()
                .map(|(key, record)| (key.clone(), Record { outcome: Outcome::Satisfied, ..record.clone() }))
                .collect();
            let baseline = Arm { plan: report.plan, records: &better };
            let lines: Vec<String> = [0, 1, 4, 6, 8]
                .into_iter()
                .flat_map(|done| [None, Some(baseline)].map(|baseline| told(records, report.plan, baseline, done)))
                .collect();
            insta::assert_snapshot!(lines.join("\n"));
        });
    }
}
