//! Launching, watching and ending a target. Machine time is looked at here, in `supervise` and in `trajectory` only.

use std::{
    ffi::OsString,
    io::{self, Write as _},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering},
    },
    time::Duration,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, Command},
    sync::{Notify, watch},
    task::JoinHandle,
    time::Instant,
};

use crate::{
    redact::Redactor,
    supervise::{self, Bounds, Exit, Orders},
};

/// What is launched.
#[derive(Debug)]
pub struct Launch {
    /// The program, absolute or looked up in `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its environment, besides what [`inherited`] passes on.
    pub env: Vec<(String, String)>,
    /// Where it runs.
    pub dir: PathBuf,
    /// The folder that takes `stdout`, `stderr` and `exit.json`.
    pub evidence: PathBuf,
    /// Bytes of output kept, of both streams together.
    pub output_max: u64,
    /// How long it has between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// What it may use.
    pub bounds: Bounds,
    /// Texts in the output that are signs of being ready.
    pub signs: Vec<String>,
    /// What it reads on standard input; nothing where absent.
    pub stdin: Option<String>,
    /// What is hidden in its output.
    pub redactor: Arc<Redactor>,
}

/// The environment that a target is given of the harness's own: where programs and scratch files are, and nothing by
/// which it could know that it is being tested.
pub fn inherited() -> Vec<(&'static str, OsString)> {
    let names = ["PATH", "HOME", "TMPDIR", "LANG"];
    names.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))).collect()
}

/// A real secret, by the name of the variable that the target file declares.
pub fn secret(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok()
}

/// The program that supervises targets: `dtu` itself. Clones share what is kept ready.
#[derive(Debug, Clone)]
pub struct Supervisor {
    program: PathBuf,
    /// Supervisors that wait for orders: to start one takes as long as all else that a launch needs.
    spare: Arc<Mutex<Vec<Child>>>,
}

impl Supervisor {
    /// The running program. It may be replaced on disk meanwhile, so it is named in a way that survives that where
    /// there is one.
    ///
    /// # Errors
    /// Where the program cannot tell what it is.
    pub fn this_program() -> io::Result<Self> {
        let myself = PathBuf::from("/proc/self/exe");
        if myself.exists() { Ok(Self::at(myself)) } else { std::env::current_exe().map(Self::at) }
    }

    /// The `dtu` beside this program or above it, as tests of a workspace have it, or else in `PATH`.
    ///
    /// # Errors
    /// Where there is none.
    pub fn find() -> io::Result<Self> {
        let here = std::env::current_exe()?;
        let beside = here.ancestors().skip(1).take(2).map(|folder| folder.join("dtu")).find(|path| path.is_file());
        let found = beside.or_else(|| find_program(Path::new("dtu")));
        let absent = "there is no program `dtu` to supervise the target: neither beside the test's program nor in PATH; \
                      hint: install it (`cargo install --path harness`), or run a task";
        found.map(Self::at).ok_or_else(|| io::Error::other(absent))
    }

    /// None at all: for targets that are tasks.
    pub fn none() -> Self {
        Self::at(PathBuf::new())
    }

    /// A `dtu` at a path (tests).
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { program: path.into(), spare: Arc::default() }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Child>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.arg(supervise::COMMAND).env_clear().envs(inherited());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: Ctrl-C at the terminal is for the harness, which ends its targets in order.
        command.process_group(0);
        command.spawn()
    }

    /// Gives orders to a supervisor that waits for some, or else to a new one; another is there for the next launch.
    async fn order(&self, orders: &Orders) -> io::Result<Child> {
        let mut line = serde_json::to_vec(orders)?;
        line.push(b'\n');
        let waiting = self.spare().pop();
        let told = match waiting {
            // One that somebody has ended meanwhile hears nothing.
            Some(mut child) => tell(&mut child, &line).await.is_ok().then_some(child),
            None => None,
        };
        let child = if let Some(child) = told {
            child
        } else {
            let mut child = self.start()?;
            tell(&mut child, &line).await?;
            child
        };
        let next = self.clone();
        tokio::task::spawn_blocking(move || {
            // Where none can be started, the next launch says so.
            let started = next.start();
            next.spare().extend(started);
        });
        Ok(child)
    }
}

async fn tell(supervisor: &mut Child, line: &[u8]) -> io::Result<()> {
    let pipe = supervisor.stdin.as_mut().ok_or_else(|| io::Error::other("the supervisor has no pipe"))?;
    pipe.write_all(line).await?;
    pipe.flush().await
}

/// A target that was launched. Dropping it kills the target's whole process group.
#[derive(Debug)]
pub struct Running {
    pipe: Option<ChildStdin>,
    exit: watch::Receiver<Option<Exit>>,
    signs: Arc<Signs>,
    pumps: Vec<JoinHandle<io::Result<()>>>,
    output: Arc<Output>,
}

/// How much a target wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    /// Bytes kept.
    pub kept: u64,
    /// Bytes counted and thrown away.
    pub dropped: u64,
}

#[derive(Debug)]
struct Output {
    max: u64,
    kept: AtomicU64,
    dropped: AtomicU64,
}

impl Output {
    /// How many of `wanted` bytes may still be kept.
    fn take(&self, wanted: u64) -> u64 {
        let grant = |kept: u64| Some(kept + wanted.min(self.max.saturating_sub(kept)));
        let before = self.kept.fetch_update(Ordering::SeqCst, Ordering::SeqCst, grant).unwrap_or_default();
        let granted = wanted.min(self.max.saturating_sub(before));
        self.dropped.fetch_add(wanted - granted, Ordering::SeqCst);
        granted
    }
}

/// Texts that are waited for in the output.
#[derive(Debug)]
struct Signs {
    texts: Vec<(String, AtomicBool)>,
    seen: Notify,
}

impl Running {
    /// Launches a target under supervision.
    ///
    /// # Errors
    /// Where the supervisor or the evidence files cannot be had. That the target itself cannot be started shows in
    /// its [`Exit`].
    pub async fn launch(supervisor: &Supervisor, launch: Launch) -> io::Result<Self> {
        let folder = std::path::absolute(&launch.evidence)?;
        fs_err::create_dir_all(&folder)?;
        if let Some(stdin) = &launch.stdin {
            fs_err::write(folder.join(supervise::STDIN), stdin)?;
        }
        let mut child = supervisor.order(&orders(&launch, &folder)).await?;
        let output = Arc::new(Output { max: launch.output_max, kept: AtomicU64::new(0), dropped: AtomicU64::new(0) });
        let texts = launch.signs.into_iter().map(|text| (text, AtomicBool::new(false))).collect();
        let signs = Arc::new(Signs { texts, seen: Notify::new() });
        let redactor = launch.redactor;
        let kept = || Kept { output: Arc::clone(&output), signs: Arc::clone(&signs), redactor: Arc::clone(&redactor) };
        let (sender, exit) = watch::channel(None);
        let mut pumps = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let file = fs_err::File::create(folder.join("stdout"))?;
            pumps.push(tokio::spawn(pump(Source::new(stdout, exit.clone()), file, kept())));
        }
        if let Some(stderr) = child.stderr.take() {
            let file = fs_err::File::create(folder.join("stderr"))?;
            pumps.push(tokio::spawn(pump(Source::new(stderr, exit.clone()), file, kept())));
        }
        let pipe = child.stdin.take();
        tokio::spawn(report_exit(child, folder.join("exit.json"), sender));
        Ok(Self { pipe, exit, signs, pumps, output })
    }

    /// How the target ended; none while it runs.
    pub fn exit(&self) -> Option<Exit> {
        self.exit.borrow().clone()
    }

    /// Waits until the target has ended.
    pub fn ended(&self) -> impl Future<Output = Exit> + Send + 'static {
        let mut exit = self.exit.clone();
        async move {
            let ended = exit.wait_for(Option::is_some).await.ok().and_then(|exit| exit.clone());
            ended.unwrap_or_default()
        }
    }

    /// Follows how it ends.
    pub fn exits(&self) -> watch::Receiver<Option<Exit>> {
        self.exit.clone()
    }

    /// Makes it stand still, or go on.
    pub async fn hold(&mut self, still: bool) {
        if let Some(pipe) = &mut self.pipe {
            // A supervisor that has gone needs no telling.
            let _ = pipe.write_all(&[if still { supervise::HOLD } else { supervise::GO_ON }]).await;
            let _ = pipe.flush().await;
        }
    }

    /// Waits until the text, one of [`Launch::signs`], was in the output.
    pub async fn logged(&self, text: &str) {
        loop {
            let seen = self.signs.seen.notified();
            let found = |(sign, seen): &(String, AtomicBool)| sign == text && seen.load(Ordering::SeqCst);
            if self.signs.texts.iter().any(found) {
                return;
            }
            seen.await;
        }
    }

    /// How much it has written so far.
    pub fn written(&self) -> Written {
        Written { kept: self.output.kept.load(Ordering::SeqCst), dropped: self.output.dropped.load(Ordering::SeqCst) }
    }

    /// Has it end by itself, and ends it where it does not in its time. Waits until all its output is on disk.
    pub async fn stop(mut self) -> (Exit, Written) {
        if let Some(pipe) = &mut self.pipe {
            // A supervisor that has gone needs no telling.
            let _ = pipe.write_all(&[supervise::STOP]).await;
            let _ = pipe.flush().await;
        }
        self.finish().await
    }

    /// Kills it at once.
    pub async fn kill(mut self) -> (Exit, Written) {
        self.pipe = None;
        self.finish().await
    }

    async fn finish(mut self) -> (Exit, Written) {
        let exit = self.ended().await;
        for pump in std::mem::take(&mut self.pumps) {
            // Output that the disk refuses is output that was not kept: the record stands without it.
            let _ = pump.await;
        }
        (exit, self.written())
    }
}

fn orders(launch: &Launch, folder: &Path) -> Orders {
    let inherited = inherited().into_iter().map(|(name, value)| (name.to_owned(), value));
    let own = launch.env.iter().map(|(name, value)| (name.clone(), value.into()));
    Orders {
        exit: folder.join("exit.json").into(),
        grace: launch.grace,
        bounds: launch.bounds,
        program: launch.program.clone(),
        arguments: launch.arguments.clone(),
        env: inherited.chain(own).collect(),
        dir: launch.dir.clone().into(),
    }
}

/// Waits for the supervisor and tells what it wrote down: nothing at all where it was killed itself.
async fn report_exit(mut child: Child, file: PathBuf, sender: watch::Sender<Option<Exit>>) {
    let _ = child.wait().await;
    let read = fs_err::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
    sender.send_replace(Some(read.unwrap_or_default()));
}

/// What becomes of output.
struct Kept {
    output: Arc<Output>,
    signs: Arc<Signs>,
    redactor: Arc<Redactor>,
}

/// What a target writes. All that it wrote before its end is in the pipe by then, and is read, however long that takes a
/// machine with much to do. Who else holds the pipe open is not waited for.
struct Source<R> {
    from: R,
    exit: watch::Receiver<Option<Exit>>,
    /// From the target's end on: how much may be left of what it wrote, and until when that is read.
    rest: Option<(usize, Instant)>,
}

impl<R: AsyncRead + Unpin> Source<R> {
    /// No pipe holds more: what comes after so much was written by somebody who outlived the target.
    const PIPE_MAX: usize = 1 << 20;
    /// How long a pipe may be silent that somebody else holds open. It is far longer than it takes to see what is in it.
    const SILENCE: Duration = Duration::from_millis(500);
    /// How long a pipe is read that somebody else goes on writing to a little at a time.
    const LONGEST: Duration = Duration::from_secs(30);

    fn new(from: R, exit: watch::Receiver<Option<Exit>>) -> Self {
        Self { from, exit, rest: None }
    }

    /// Reads what is there next; nothing at the end.
    async fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_none() {
            tokio::select! {
                biased;
                read = self.from.read(chunk) => return read,
                // One whose sender is gone has ended too.
                _ = self.exit.wait_for(Option::is_some) => {}
            }
        }
        let (left, until) = *self.rest.get_or_insert_with(|| (Self::PIPE_MAX, Instant::now() + Self::LONGEST));
        let most = chunk.len().min(left);
        if most == 0 || Instant::now() >= until {
            return Ok(0);
        }
        let read = tokio::time::timeout(Self::SILENCE, self.from.read(&mut chunk[..most])).await.unwrap_or(Ok(0))?;
        self.rest = Some((left - read, until));
        Ok(read)
    }
}

/// Moves output into its file, as far as it may be kept and without secrets, and looks for signs in all of it.
async fn pump(mut from: Source<impl AsyncRead + Unpin>, mut file: fs_err::File, kept: Kept) -> io::Result<()> {
    let Kept { output, signs, redactor } = kept;
    let longest = signs.texts.iter().map(|(text, _)| text.len()).max().unwrap_or(0);
    let mut chunk = vec![0; 64 * 1024];
    let (mut window, mut held): (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());
    loop {
        let read = from.read(&mut chunk).await?;
        // Before the disk: somebody waits for the sign.
        if longest > 0 {
            window.extend_from_slice(&chunk[..read]);
            signs.look(&window);
            // A sign may be cut by the end of a chunk.
            let keep = window.len().min(longest - 1);
            window.drain(..window.len() - keep);
        }
        let granted = usize::try_from(output.take(read as u64)).unwrap_or(read);
        let shown = redactor.flow(&mut held, &chunk[..granted], read == 0);
        file.write_all(&shown)?;
        if read == 0 {
            return Ok(());
        }
    }
}

impl Signs {
    fn look(&self, output: &[u8]) {
        for (text, seen) in &self.texts {
            let found = || output.windows(text.len().max(1)).any(|window| window == text.as_bytes());
            if !seen.load(Ordering::SeqCst) && found() {
                seen.store(true, Ordering::SeqCst);
                self.seen.notify_waiters();
            }
        }
    }
}

/// A port for a target. Ports below those that the system hands out by itself are tried in turn, so that no other
/// socket takes the port before the target does.
///
/// # Errors
/// Where no port is free.
pub fn free_port() -> io::Result<u16> {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Two runs at a time begin in different places.
    let start = u16::try_from(std::process::id().wrapping_mul(61) % u32::from(COUNT)).unwrap_or(0);
    for _ in 0..COUNT {
        let port = FIRST + start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr().map(|address| address.port())
}

/// Whether somebody listens on a port of the loopback interface.
pub fn is_taken(port: u16) -> bool {
    port > 0 && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err()
}

/// Finds a program as the system would: as it is where it has a slash, else in `PATH`. None where there is none.
pub fn find_program(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 || program.is_absolute() {
        return program.is_file().then(|| program.to_owned());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}
