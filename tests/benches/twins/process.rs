//! Start-up and memory of whole processes.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::Context as _;

use crate::Page;

/// What this process holds in memory.
pub(crate) fn resident_bytes() -> u64 {
    resident("/proc/self/status", "VmRSS:")
}

fn resident(status: &str, what: &str) -> u64 {
    let text = fs_err::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(what));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// Start to the ready line, and memory then, of `dtu up`.
pub(crate) fn figures(page: &mut Page) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the crate lies in the workspace")?;
    let built = Command::new(env!("CARGO")).args(["build", "--release", "--quiet"]).current_dir(root).status()?;
    anyhow::ensure!(built.success(), "dtu builds");
    let (mut starts, mut sizes, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..9 {
        let start = Instant::now();
        let mut child = Command::new(root.join("target/release/dtu"))
            .args(["up", "--port-base", "0", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .context("dtu starts")?;
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().context("is piped")?).read_line(&mut line)?;
        starts.push(start.elapsed().as_micros() as f64 / 1e3);
        let status = format!("/proc/{}/status", child.id());
        sizes.push(resident(&status, "VmRSS:") as f64 / f64::from(1 << 20));
        // The rest are pages of the program's file, which the system maps many at a time and all processes share.
        own.push(resident(&status, "RssAnon:") as f64 / f64::from(1 << 20));
        child.kill()?;
        child.wait()?;
    }
    page.say("## Process\n");
    page.say("| what | figure | budget |\n|---|--:|--:|");
    page.say(format!("| `dtu up`, start to ready, world acme | {:.1} ms | 50 ms |", crate::median(starts)));
    page.say(format!("| its memory then | {:.1} MB | 25 MB |", crate::median(sizes)));
    page.say(format!("| of it not pages of the program's file | {:.1} MB | |", crate::median(own)));
    Ok(())
}
