//! What tests share: folders, commands, and looking at processes.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

/// The program under test.
pub(crate) const DTU: &str = env!("CARGO_BIN_EXE_dtu");

/// A world without twins, a scenario of two variants, and a target that waits.
const WORLD: &str = "
schema: dtu/world/v1
name: tiny
epoch: 2026-03-02T09:00:00Z
company: {name: Tiny, domain: tiny.example, timezone: Europe/London}
people:
  - {key: rob, first: Rob, last: Ray, email: rob@tiny.example}
";

/// How long targets may take to end: far longer than any machine lets a shell wait for its turn.
pub(crate) const GRACE: &str = "30s";

/// A folder to run `dtu` in.
pub(crate) struct Context {
    folder: tempfile::TempDir,
}

impl Context {
    pub(crate) fn new() -> Self {
        let context = Self { folder: tempfile::tempdir().expect("makes a folder") };
        context.write("tiny.yaml", WORLD);
        context
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs_err::write(self.path(name), text).expect("writes");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs_err::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// A scenario that holds for one of two people.
    pub(crate) fn scenario(&self, name: &str, lines: &str) {
        let text = format!(
            "schema: dtu/scenario/v1\nid: test.{name}\ntitle: It works\nstory: Once.\nworld: ./tiny.yaml\nbeats: []\n\
             meta: {{area: tests}}\n{lines}\n"
        );
        self.write(&format!("{name}.yaml"), &text);
    }

    /// A target that is this shell script.
    pub(crate) fn target(&self, script: &str, lines: &str) {
        self.write("script.sh", script);
        let text = format!(
            "schema: dtu/target/v1\nname: script\ncommand: [sh, script.sh]\nquiesce: {{idle: 20ms}}\n\
             stop: {{grace: {GRACE}}}\n{lines}\n"
        );
        self.write("target.yaml", &text);
    }

    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(DTU);
        command.args(arguments.split_whitespace()).current_dir(self.folder.path());
        command
            .env_remove("RUST_LOG")
            .env_remove("CLICOLOR_FORCE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs `dtu` to its end: exit code, standard output, standard error.
    pub(crate) fn dtu(&self, arguments: &str) -> (i32, String, String) {
        said(&self.command(arguments).output().expect("runs"))
    }
}

pub(crate) fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// Whether a process that was started in a folder is there and not only waits to be reaped. Its number may be another's
/// by now, who runs elsewhere.
pub(crate) fn is_alive(pid: &str, folder: &Path) -> bool {
    let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let is_there = stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']));
    let cwd = || fs_err::read_link(format!("/proc/{pid}/cwd")).ok();
    is_there && fs_err::canonicalize(folder).is_ok_and(|folder| cwd().is_some_and(|cwd| cwd == folder))
}

/// Waits until something holds, for as long as a slow machine may need.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..12_000 {
        if holds() {
            return;
        }
        pause();
    }
    panic!("{what} did not come true");
}

fn pause() {
    pause_for(Duration::from_millis(10));
}

#[expect(clippy::disallowed_methods, reason = "other processes are waited for, which have no condition to wait on")]
pub(crate) fn pause_for(span: Duration) {
    std::thread::sleep(span);
}

pub(crate) fn lines(path: &Path) -> Vec<String> {
    fs_err::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}
