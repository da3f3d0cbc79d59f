//! Benchmarks of the harness: what it adds to a target's own time, how many trajectories an hour it comes to, what
//! checks cost in a large world, and how fast a large report opens. Prints the part of `docs/benchmarks.md` on it.

#![expect(clippy::disallowed_methods, reason = "benchmarks measure in the machine's time")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded to three digits")]

mod checks;
mod inside;
mod outside;
mod page;

use std::time::Instant;

use clap::Parser;

#[derive(Debug, Parser)]
pub(crate) struct Cli {
    /// Trajectories of the large report, each with a process.
    #[arg(long, default_value_t = 5_000)]
    trajectories: u64,
    /// Seconds of trajectories within the process.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How many messages the large universe has.
    #[arg(long, default_value_t = 1_000_000)]
    messages: usize,
    /// What cargo passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    // Universes want a runtime around them.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let _inside = runtime.enter();
    let mut part = Part::default();
    part.say("\n## Harness\n\n| what | figure | budget |\n|---|--:|--:|");
    outside::figures(&mut part)?;
    inside::figures(&mut part, &cli)?;
    page::figures(&mut part, &cli)?;
    checks::figures(&mut part, &cli)?;
    print(&part.0)
}

/// The part of the page in the making.
#[derive(Default)]
pub(crate) struct Part(String);

impl Part {
    pub(crate) fn say(&mut self, line: impl AsRef<str>) {
        self.0.push_str(line.as_ref());
        self.0.push('\n');
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// The median of what `act` takes, in milliseconds.
pub(crate) fn millis(times: usize, mut act: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let mut figures = Vec::new();
    for _ in 0..times.max(1) {
        let start = Instant::now();
        act()?;
        figures.push(start.elapsed().as_secs_f64() * 1e3);
    }
    figures.sort_by(f64::total_cmp);
    Ok(figures[figures.len() / 2])
}
