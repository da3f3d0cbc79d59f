//! The supervisor: a small process between the harness and a target, which is `dtu` itself under a hidden name.
//!
//! It holds a pipe to the harness. When the pipe closes, for whatever reason, it kills the target's whole process
//! group: a harness that dies by SIGKILL leaves nothing behind. Whatever of the target's loses its parent becomes its
//! child, so that it also knows what outlives the target, however it was started.

use std::{
    ffi::OsString,
    io::{BufRead as _, Read as _},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{ExitStatus, Stdio},
};

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill, killpg},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};
use serde::{Deserialize, Serialize};
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    time::{Duration, Instant},
};

use crate::wait::rest;

/// The hidden subcommand. It waits for a line of [`Orders`] on standard input, so that it can be there before it is
/// needed.
pub const COMMAND: &str = "__supervise";
/// The file beside [`Orders::exit`] that the target reads on standard input, where it is there.
pub const STDIN: &str = "stdin";
/// What the harness writes into the pipe to have the target end by itself.
pub const STOP: u8 = b't';
/// What it writes to have the target stand still.
pub const HOLD: u8 = b'h';
/// What it writes to have it go on.
pub const GO_ON: u8 = b'g';

/// How often a target with bounds is looked at.
const BOUNDS_EVERY: Duration = Duration::from_millis(50);
/// How long a tick of processor time is in `/proc`: the kernel shows them as hundredths of a second everywhere.
const TICK: Duration = Duration::from_millis(10);
/// How often children that lost their parent are asked whether they have ended.
const ORPHANS_EVERY: Duration = Duration::from_secs(2);
/// How long children of a target that ended by itself may take to follow it.
const MOMENT: Duration = Duration::from_millis(200);
/// How long killed processes may take to vanish.
const VANISH: Duration = Duration::from_secs(2);

/// What a supervisor is to launch.
#[derive(Debug, Serialize, Deserialize)]
pub struct Orders {
    /// The file that takes the target's [`Exit`]; absolute.
    pub exit: OsString,
    /// How long the target has between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// What it may use.
    pub bounds: Bounds,
    /// The program, absolute or looked up in `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub env: Vec<(String, OsString)>,
    /// Where it runs.
    pub dir: OsString,
}

/// What a target may use of the machine, its children included. It is killed where it uses more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Processor time.
    pub cpu: Option<Duration>,
    /// Bytes of memory.
    pub memory: Option<u64>,
}

/// How a target ended. One with neither code nor signal nor refusal says that the supervisor was lost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code; none where a signal ended it, or it was never started.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether it was asked to end.
    pub asked: bool,
    /// Whether it had to be killed: it had not ended in its time, or the harness was gone.
    pub killed: bool,
    /// Why it could not be started; empty where it was.
    pub refused: String,
    /// The processes that outlived it, and were killed.
    pub leaked: Vec<Leaked>,
    /// What it used too much of, where it was killed for that: `memory` or `cpu`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub exceeded: String,
}

/// A process that outlived the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaked {
    /// Its number.
    pub pid: u32,
    /// Its command line.
    pub command: String,
}

impl Leaked {
    /// What its program is called.
    pub fn name(&self) -> &str {
        let program = self.command.split_whitespace().next().unwrap_or_default();
        program.rsplit('/').next().unwrap_or(program)
    }
}

/// Runs a target under supervision, as soon as it is told which, and writes down how it ended. Gives back the exit code
/// of the supervisor: 0 where it did its work, however the target ended, or where there was none to do.
pub fn main() -> u8 {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return 3 };
    let Some(orders) = orders() else { return 0 };
    let file = Path::new(&orders.exit);
    let exit = runtime.block_on(async {
        match Supervisor::start(&orders, stdin(file)) {
            Ok(supervisor) => supervisor.run().await,
            Err(error) => Exit { refused: error.to_string(), ..Exit::default() },
        }
    });
    u8::from(write(file, &exit).is_err()) * 3
}

/// None where the harness has gone, or had no use for this supervisor.
fn orders() -> Option<Orders> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).ok()?;
    serde_json::from_str(&line).ok()
}

/// What the target reads.
fn stdin(file: &Path) -> Stdio {
    fs_err::File::open(file.with_file_name(STDIN)).map_or_else(|_| Stdio::null(), |file| file.into_file().into())
}

fn write(file: &Path, exit: &Exit) -> std::io::Result<()> {
    let temporary = file.with_extension("tmp");
    fs_err::write(&temporary, serde_json::to_vec(exit)?)?;
    fs_err::rename(&temporary, file)
}

struct Supervisor {
    child: Child,
    /// The target's process group, which it leads.
    group: Option<Pid>,
    grace: Duration,
    bounds: Bounds,
    exit: Exit,
    /// When a target that was asked to end is killed.
    deadline: Option<Instant>,
}

impl Supervisor {
    fn start(orders: &Orders, stdin: Stdio) -> std::io::Result<Self> {
        adopt_orphans();
        let mut command = Command::new(&orders.program);
        command.args(&orders.arguments).stdin(stdin).current_dir(&orders.dir).process_group(0);
        command.env_clear().envs(orders.env.iter().map(|(name, value)| (name, value)));
        let child = command.spawn()?;
        let group = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
        let (grace, bounds) = (orders.grace, orders.bounds);
        Ok(Self { child, group, grace, bounds, exit: Exit::default(), deadline: None })
    }

    async fn run(mut self) -> Exit {
        let status = self.watch().await;
        self.exit.code = status.and_then(|status| status.code());
        self.exit.signal = status.and_then(|status| status.signal());
        self.sweep().await;
        self.exit
    }

    /// Until the target itself has ended.
    async fn watch(&mut self) -> Option<ExitStatus> {
        let mut pipe = pipe();
        let mut terminated = signal(SignalKind::terminate()).ok();
        let is_bounded = self.bounds != Bounds::default();
        // Not at once: what was started this moment has used nothing.
        let every = if is_bounded { BOUNDS_EVERY } else { ORPHANS_EVERY };
        let mut tick = tokio::time::interval_at(Instant::now() + every, every);
        let mut open = true;
        loop {
            let deadline = self.deadline;
            let told = async {
                match &mut terminated {
                    Some(signal) => signal.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                status = self.child.wait() => return status.ok(),
                word = pipe.recv(), if open => match word {
                    Some(STOP) => self.ask(),
                    Some(HOLD) => self.signal(Signal::SIGSTOP),
                    Some(GO_ON) => self.signal(Signal::SIGCONT),
                    Some(_) => {}
                    None => {
                        open = false;
                        self.kill();
                    }
                },
                _ = told => self.kill(),
                () = until(deadline) => self.kill(),
                _ = tick.tick() => {
                    self.let_orphans_go();
                    if is_bounded {
                        self.keep_bounds();
                    }
                }
            }
        }
    }

    fn ask(&mut self) {
        self.exit.asked = true;
        // One that stands still hears nothing.
        self.signal(Signal::SIGCONT);
        self.deadline = Some(Instant::now() + self.grace);
        self.signal(Signal::SIGTERM);
    }

    fn kill(&mut self) {
        self.exit.killed = true;
        self.deadline = None;
        self.signal(Signal::SIGKILL);
    }

    /// To the whole group; one that has no member any more is content.
    fn signal(&self, signal: Signal) {
        let _ = self.group.map(|group| killpg(group, signal));
    }

    /// Kills the target where it and its children use more than they may.
    fn keep_bounds(&mut self) {
        let family = family();
        let memory: u64 = family.iter().map(Process::memory).sum();
        let cpu: Duration = family.iter().map(|process| process.cpu).sum();
        let exceeded = match self.bounds {
            Bounds { memory: Some(most), .. } if memory > most => "memory",
            Bounds { cpu: Some(most), .. } if cpu > most => "cpu",
            _ => return,
        };
        exceeded.clone_into(&mut self.exit.exceeded);
        self.kill();
    }

    /// Children that lost their parent and have ended wait for somebody to ask. The target itself is waited for elsewhere.
    fn let_orphans_go(&self) {
        let target = self.group.map(Pid::as_raw);
        let orphans = children(std::process::id()).into_iter().flatten().filter_map(|pid| i32::try_from(pid).ok());
        for orphan in orphans.filter(|pid| Some(*pid) != target) {
            let _ = waitpid(Pid::from_raw(orphan), Some(WaitPidFlag::WNOHANG));
        }
    }

    /// Ends what outlives the target: first it may end by itself, as long as is left of its time.
    async fn sweep(&mut self) {
        let patience = self.deadline.unwrap_or_else(|| Instant::now() + MOMENT);
        let mut left = left();
        while !left.is_empty() && !self.exit.killed && Instant::now() < patience {
            rest(Duration::from_millis(10)).await;
            left = self::left();
        }
        if !self.exit.killed {
            let leaked = |process: &Process| Leaked { pid: process.pid, command: process.command_line() };
            self.exit.leaked = left.iter().map(leaked).collect();
        }
        let vanished = Instant::now() + VANISH;
        while !left.is_empty() && Instant::now() < vanished {
            self.signal(Signal::SIGKILL);
            left.iter().for_each(Process::kill);
            rest(Duration::from_millis(10)).await;
            left = self::left();
        }
        // Where orphans cannot be adopted, the group is killed unseen.
        self.signal(Signal::SIGKILL);
    }
}

/// Has whoever loses its parent become a child of this process, as far as the system can.
fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_child_subreaper(true);
}

/// What outlived the target, which has been waited for. Nearly always nothing is left, and nobody looks at the machine's
/// processes.
fn left() -> Vec<Process> {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return family(),
            Err(Errno::ECHILD) => return Vec::new(),
            // One that had ended; there may be more.
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return family(),
        }
    }
}

/// What comes through the pipe from the harness. The channel closes when the pipe does.
fn pipe() -> mpsc::UnboundedReceiver<u8> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let words = std::io::stdin().lock().bytes().map_while(Result::ok);
        for word in words {
            if sender.send(word).is_err() {
                return;
            }
        }
    });
    receiver
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// A process as `/proc` shows it.
#[derive(Debug, Clone)]
struct Process {
    pid: u32,
    parent: u32,
    /// Processor time, with that of children that have ended.
    cpu: Duration,
    name: String,
}

impl Process {
    /// Reads `/proc/PID/stat`; none where the process has gone or waits to be reaped.
    fn read(pid: u32) -> Option<Self> {
        let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses and may hold any character.
        let (head, tail) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = tail.split_whitespace().collect();
        if matches!(*fields.first()?, "Z" | "X") {
            return None;
        }
        let number = |at: usize| fields.get(at).and_then(|text| text.parse().ok());
        let name = head.split_once('(').map_or("", |(_, name)| name).to_owned();
        let ticks: u32 = (11..=14).filter_map(number).sum();
        Some(Self { pid, parent: number(1)?, cpu: TICK * ticks, name })
    }

    /// Bytes of memory that it holds; those that it shares are counted for each who does.
    fn memory(&self) -> u64 {
        let status = fs_err::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or_default() * 1_024
    }

    /// One that has gone meanwhile is content.
    fn kill(&self) {
        let _ = i32::try_from(self.pid).map(|pid| kill(Pid::from_raw(pid), Signal::SIGKILL));
    }

    fn command_line(&self) -> String {
        let line = fs_err::read_to_string(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let line = line.trim_end_matches('\0').replace('\0', " ");
        if line.is_empty() { self.name.clone() } else { line }
    }
}

fn processes() -> Vec<Process> {
    let Ok(entries) = fs_err::read_dir("/proc") else { return Vec::new() };
    let pid = |entry: std::io::Result<fs_err::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    entries.filter_map(pid).filter_map(Process::read).collect()
}

/// All descendants of this process.
fn family() -> Vec<Process> {
    let myself = std::process::id();
    let Some(mut pids) = children(myself) else {
        return descendants(&processes(), myself).into_iter().cloned().collect();
    };
    let mut found = Vec::new();
    while let Some(pid) = pids.pop() {
        found.extend(Process::read(pid));
        pids.extend(children(pid).unwrap_or_default());
    }
    found
}

/// The children of a process, of all its threads; none where the kernel does not tell, or the process has gone.
fn children(pid: u32) -> Option<Vec<u32>> {
    let mut found = Vec::new();
    for thread in fs_err::read_dir(format!("/proc/{pid}/task")).ok()? {
        let listed = fs_err::read_to_string(thread.ok()?.path().join("children")).ok()?;
        found.extend(listed.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
    }
    Some(found)
}

/// All descendants of a process.
fn descendants(all: &[Process], ancestor: u32) -> Vec<&Process> {
    let mut found: Vec<&Process> = Vec::new();
    let mut parents = vec![ancestor];
    while let Some(parent) = parents.pop() {
        let children = all.iter().filter(|process| process.parent == parent && process.pid != parent);
        for child in children {
            parents.push(child.pid);
            found.push(child);
        }
    }
    found
}
