//! The `dtu` command as a whole: what a trajectory costs beyond the target's own time.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Context as _, ensure};

use crate::{Part, millis};

/// A program that says that it is ready, and ends when it is told to.
const TARGET: &str = "echo listening; exec sleep 600";

pub(crate) fn figures(part: &mut Part) -> anyhow::Result<()> {
    const FEW: u64 = 10;
    const MANY: u64 = 110;
    let folder = Folder::new("beats: []", "checks: [{name: all is well, that: {finally: 'true'}}]")?;
    let whole = |seeds: u64| millis(3, || folder.run(seeds, &["--jobs", "1"]));
    // What a run costs once, however long it is, is in both.
    let each = (whole(MANY)? - whole(FEW)?) / (MANY - FEW) as f64;
    let own = millis(50, || folder.target_alone())?;
    part.say(format!(
        "| a trajectory in the `dtu` command, beyond the target's own {own:.1} ms and 1 ms of silence | {:.1} ms | 5 ms |",
        each - own - 1.0
    ));
    Ok(())
}

/// A folder with one scenario and one target.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(beats: &str, checks: &str) -> anyhow::Result<Self> {
        let folder = Self(tempfile::tempdir()?);
        let scenario = format!(
            "schema: dtu/scenario/v1\nid: bench.one\ntitle: It works\nstory: Once.\nworld: acme\n{beats}\n{checks}\n"
        );
        folder.write("one.yaml", &scenario)?;
        folder.write("target.sh", TARGET)?;
        let target = "schema: dtu/target/v1\nname: bench\ncommand: [sh, target.sh]\nquiesce: {idle: 1ms}\n\
                      ready: {any_of: [{log: listening}]}\nstop: {grace: 2s}\n";
        folder.write("target.yaml", target)?;
        Ok(folder)
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        Ok(fs_err::write(self.path(name), text)?)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs so many trajectories of each variant, into a folder of their own: where files were deleted a moment ago, ext4
    /// takes its time to make new ones.
    fn run(&self, seeds: u64, more: &[&str]) -> anyhow::Result<()> {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let out = format!("out-{}", RUNS.fetch_add(1, Ordering::Relaxed));
        let mut command = Command::new(dtu()?);
        command.args(["run", "one.yaml", "--target", "target.yaml", "--out", &out, "--seeds", &seeds.to_string()]);
        command.args(more).current_dir(self.0.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let code = command.status()?.code();
        ensure!(matches!(code, Some(0 | 1)), "`dtu run` ended with {code:?}");
        Ok(())
    }

    /// The target without a harness: started, ready, told to end.
    fn target_alone(&self) -> anyhow::Result<()> {
        use std::io::{BufRead as _, BufReader};
        let mut command = Command::new("sh");
        command.arg("target.sh").current_dir(self.0.path()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("has output")?).read_line(&mut line)?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }
}

/// Writes the reports of a run again.
pub(crate) fn report(out: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(dtu()?);
    command.arg("report").arg(out).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let code = command.status()?.code();
    ensure!(matches!(code, Some(0 | 1)), "`dtu report` ended with {code:?}");
    Ok(())
}

/// The command, built as this benchmark is.
fn dtu() -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folder =
        here.ancestors().nth(2).map(Path::to_path_buf).context("a benchmark lies below the profile's folder")?;
    let program = folder.join("dtu");
    ensure!(program.exists(), "{} is not built: run `cargo xtask bench`", program.display());
    Ok(program)
}
