//! The target within a trajectory: launched, observed, acted on, and started again.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use dtu_kernel::{environment::Environment, universe::Universe};
use serde_json::Value;
use tokio::sync::watch;

use super::{Fatal, GRACE, IDLE_MAX, OUTPUT, READY, Stage, Stop, TICK, alive::Alive, or, shown};
use crate::{
    expr::Template,
    load::LoadedBeat,
    process::{Launch, Running, free_port},
    scenario::TargetAct,
    supervise::{Bounds, Exit},
    target::Sign,
    task::{Place, Task},
    wait::rest,
};

impl Stage<'_> {
    pub(super) async fn launch(&mut self) -> Result<(), Stop> {
        if let Some(url) = &self.setup.target.target.url {
            return self.begin_anew(&url.value).await;
        }
        let port = free_port().map_err(|error| Stop::Broken(format!("no port for the target: {error}")))?;
        self.facts.set_port(port);
        self.start().await
    }

    /// Brings a program that runs already back to its beginning.
    pub(super) async fn begin_anew(&mut self, url: &str) -> Result<(), Stop> {
        let port = url::Url::parse(url).ok().and_then(|url| url.port_or_known_default());
        self.facts.set_target(port.unwrap_or(0), url.trim_end_matches('/').to_owned());
        let Some(reset) = &self.setup.target.target.reset else { return Ok(()) };
        let client = reqwest::Client::builder().no_proxy().timeout(READY).build();
        let client = client.map_err(|error| Stop::Void(error.to_string()))?;
        match client.post(reset).send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => {
                Err(Stop::Void(format!("the target was not reset: it answered {}", answer.status().as_u16())))
            }
            Err(_) => Err(Stop::Fatal(Fatal(format!("the target cannot be reset: nobody answers at {reset}")))),
        }
    }

    /// Where the output of the process goes that is started next.
    pub(super) fn evidence(&self) -> PathBuf {
        self.evidence_of(self.launched)
    }

    /// The same for the process after so many others.
    pub(super) fn evidence_of(&self, before: u64) -> PathBuf {
        match before {
            0 => self.folder.join("target"),
            before => self.folder.join(format!("target-{}", before + 1)),
        }
    }

    pub(super) async fn start(&mut self) -> Result<(), Stop> {
        self.began_at = self.universe.ledger().len();
        let launch = self.launch_plan()?;
        let launched = match &self.setup.program {
            Some(program) => {
                let place = self.place(&launch)?;
                Task::launch(&**program, place, &launch.evidence).map(Alive::Task)
            }
            None => Running::launch(&self.setup.supervisor, launch).await.map(Alive::Process),
        };
        self.launched += 1;
        let running = launched.map_err(|error| Stop::Broken(format!("no supervisor for the target: {error}")))?;
        self.lives.send_replace(Some(running.exits()));
        self.running = Some(running);
        Ok(())
    }

    pub(super) fn launch_plan(&mut self) -> Result<Launch, Stop> {
        let setup = self.setup;
        let loaded = &setup.target;
        let signs = loaded.target.ready.any_of.iter().filter_map(|sign| match sign {
            Sign::Log(text) => Some(text.clone()),
            Sign::Http(_) | Sign::Called(_) | Sign::Socket(_) | Sign::Delivered(_) => None,
        });
        let signs = signs.collect();
        Ok(Launch { evidence: self.evidence(), signs, ..self.launch_of(&loaded.command)? })
    }

    /// A program of the target's with the target's environment, for evidence and signs to be put in.
    pub(super) fn launch_of(&mut self, command: &[Template]) -> Result<Launch, Stop> {
        let loaded = &self.setup.target;
        let mut filled = Vec::new();
        for part in command {
            filled.push(part.fill_text(&mut self.facts)?);
        }
        let mut env = Vec::new();
        for (name, value) in &loaded.env {
            env.push((name.clone(), value.fill_text(&mut self.facts)?));
        }
        env.extend(loaded.secrets.clone());
        env.retain(|(name, _)| !self.rotated.contains_key(name));
        env.extend(self.rotated.clone());
        let mut command = filled.into_iter();
        let program = command.next().unwrap_or_default();
        Ok(Launch {
            program: program_at(&loaded.dir, &program).into(),
            arguments: command.collect(),
            env,
            dir: if loaded.dir.as_os_str().is_empty() { PathBuf::from(".") } else { loaded.dir.clone() },
            evidence: PathBuf::new(),
            output_max: loaded.target.limits.output.unwrap_or(OUTPUT),
            grace: or(loaded.target.stop.grace, GRACE),
            bounds: Bounds { cpu: loaded.target.limits.cpu.map(|span| span.0), memory: loaded.target.limits.memory },
            signs: Vec::new(),
            stdin: None,
            redactor: Arc::clone(&self.redactor),
        })
    }

    /// Where a task runs: it finds what clients of the services read, and what the target's file sets.
    fn place(&self, launch: &Launch) -> Result<Place, Stop> {
        let environment = Environment::of(&self.universe).map_err(|error| Stop::Void(error.to_string()))?;
        let clients = environment.variables().iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let env = clients.chain(launch.env.iter().cloned()).collect();
        let twins = self.universe.twins().iter().enumerate();
        let twins =
            twins.map(|(slot, twin)| (twin.name().to_owned(), self.universe.origin(slot).to_string())).collect();
        Ok(Place::new(self.facts.port(), twins, env, environment, launch.output_max))
    }

    /// Until the first sign of readiness; at once where there is none to wait for.
    pub(super) async fn ready(&mut self) {
        let signs = &self.setup.target.target.ready.any_of;
        let mut waits: Vec<futures_util::future::BoxFuture<'_, ()>> = Vec::new();
        for (sign, url) in signs.iter().zip(&self.setup.target.ready) {
            match (sign, url, &self.running) {
                (Sign::Http(_), Some(url), _) => {
                    // A URL that has no value is never reached: the time limit says so.
                    let Ok(url) = url.fill_text(&mut self.facts) else { continue };
                    waits.push(Box::pin(answers(url)));
                }
                (Sign::Log(text), _, Some(running)) => waits.push(Box::pin(running.logged(text))),
                (Sign::Called(operation), _, _) => {
                    waits.push(Box::pin(called(&self.universe, operation, self.began_at)));
                }
                (Sign::Socket(twin), _, _) => waits.push(Box::pin(connected(&self.universe, twin))),
                (Sign::Delivered(kind), _, _) => {
                    waits.push(Box::pin(delivered(&self.universe, kind, self.began_at)));
                }
                _ => {}
            }
        }
        if !signs.is_empty() {
            if waits.is_empty() {
                std::future::pending::<()>().await;
            }
            futures_util::future::select_all(waits).await;
        }
    }

    /// The signs that did not come.
    pub(super) fn lacking(&self) -> String {
        let signs = self.setup.target.target.ready.any_of.iter();
        signs.map(Sign::lacking).collect::<Vec<String>>().join(", and ")
    }

    pub(super) fn connect(&mut self) -> Result<(), Stop> {
        let loaded = &self.setup.target;
        for (act, form) in loaded.target.connect.iter().zip(&loaded.connect) {
            let with = form.fill_object(&mut self.facts)?;
            // The target plays no part in this: a refusal is the target file's fault.
            let refused = |why| Stop::Void(format!("connect: {} was refused: {why}", act.verb.value));
            self.universe.perform(&act.verb.value, &act.actor, with).map_err(refused)?;
        }
        Ok(())
    }

    /// Waits until what was connected has come to the program, so that the first beat finds it in force: a service sends
    /// nothing to an address until the program has proven that it is its own.
    pub(super) async fn settle_connections(&self) {
        if !self.setup.target.target.connect.is_empty() {
            // A program that never proves it is told nothing later: checks say what comes of that.
            self.universe.settle(or(self.setup.target.target.quiesce.max, IDLE_MAX)).await;
        }
    }

    pub(super) async fn act_on_target(&mut self, act: &TargetAct, beat: &LoadedBeat) -> Result<(), Stop> {
        let name = &beat.shown();
        if self.setup.target.target.url.is_some() {
            return Err(Stop::Void(format!("{name}: the target runs by itself: nobody here can end or start it")));
        }
        self.note(beat, None, act.action(), Value::Null);
        match act {
            TargetAct::Kill => self.stop_target(true).await,
            TargetAct::Pause(span) => {
                if let Some(running) = &mut self.running {
                    if !running.hold(true).await {
                        return Err(Stop::Void(format!(
                            "{name}: the target is a task, which cannot be made to stand still"
                        )));
                    }
                    rest(span.0).await;
                    running.hold(false).await;
                }
            }
            TargetAct::Start => self.start_again(name).await?,
            TargetAct::Restart => {
                self.stop_target(false).await;
                self.start_again(name).await?;
            }
            TargetAct::Rotate(_) => {
                for (variable, value) in &beat.rotate {
                    let value = value.fill_text(&mut self.facts)?;
                    self.rotated.insert(variable.clone(), value);
                }
                self.stop_target(false).await;
                self.start_again(name).await?;
            }
        }
        Ok(())
    }

    /// Ends the process on purpose: nobody is to miss it.
    pub(super) async fn stop_target(&mut self, at_once: bool) {
        self.lives.send_replace(None);
        if let Some(running) = self.running.take() {
            let ended = if at_once { running.kill().await } else { running.stop().await };
            self.note_end(ended);
        }
    }

    pub(super) async fn start_again(&mut self, name: &str) -> Result<(), Stop> {
        if self.running.is_some() {
            return Err(Stop::Void(format!("{name}: the target is there already")));
        }
        self.start().await?;
        let patience = or(self.setup.target.target.ready.timeout, READY);
        if tokio::time::timeout(patience, self.ready()).await.is_err() {
            let why = self.lacking();
            return Err(Stop::Unsatisfied(format!(
                "{name}: the target was not ready again within {}: {why}",
                shown(patience)
            )));
        }
        Ok(())
    }
}

/// Until a GET of the URL answers 2xx.
async fn answers(url: String) {
    let Ok(client) = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build() else { return };
    loop {
        let answer = client.get(&url).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return;
        }
        rest(Duration::from_millis(20)).await;
    }
}

/// Until the target has called an operation (`slack.auth.test`) with success.
async fn called(universe: &Universe, operation: &str, from: u64) {
    let Some((twin, operation)) = operation.split_once('.') else { return std::future::pending().await };
    let mut ledger = universe.ledger().watch();
    let mut from = from;
    loop {
        ledger.borrow_and_update();
        for entry in universe.ledger().page(from, usize::MAX).unwrap_or_default() {
            from += 1;
            let fits = entry["twin"] == twin && entry["operation"] == operation && entry["error"] == "";
            if fits && entry["status"].as_u64().is_some_and(|status| (200..300).contains(&status)) {
                return;
            }
        }
        if ledger.changed().await.is_err() {
            return;
        }
    }
}

/// Until the target has a socket of a twin open.
async fn connected(universe: &Universe, twin: &str) {
    let mut ledger = universe.ledger().watch();
    while universe.open_sockets(twin).is_empty() {
        ledger.borrow_and_update();
        // A socket opens a moment after the entry that tells of it.
        let _ = tokio::time::timeout(TICK, ledger.changed()).await;
    }
}

/// Until the target has accepted a delivery of a kind (`okta.event_hook_verification`).
async fn delivered(universe: &Universe, kind: &str, from: u64) {
    let Some((twin, kind)) = kind.split_once('.') else { return std::future::pending().await };
    let mut ledger = universe.ledger().watch();
    let mut from = from;
    loop {
        ledger.borrow_and_update();
        for entry in universe.ledger().page(from, usize::MAX).unwrap_or_default() {
            from += 1;
            let fits = entry["kind"] == "delivery" && entry["twin"] == twin && entry["delivery"]["kind"] == kind;
            if fits && entry["status"].as_u64().is_some_and(|status| (200..300).contains(&status)) {
                return;
            }
        }
        if ledger.changed().await.is_err() {
            return;
        }
    }
}

/// Waits until a process ends that was to live.
pub(super) async fn unexpected_end(mut lives: watch::Receiver<Option<watch::Receiver<Option<Exit>>>>) -> Exit {
    loop {
        let Some(mut exits) = lives.borrow_and_update().clone() else {
            if lives.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            continue;
        };
        tokio::select! {
            biased;
            changed = lives.changed() => if changed.is_err() {
                std::future::pending::<()>().await;
            },
            exit = async { exits.wait_for(Option::is_some).await.ok().and_then(|exit| exit.clone()) } => {
                return exit.unwrap_or_default();
            }
        }
    }
}

/// Where a program is: relative to `dir` where it has a slash, else by its name alone.
pub fn program_at(dir: &Path, program: &str) -> PathBuf {
    if program.contains('/') {
        let path = dir.join(program);
        std::path::absolute(&path).unwrap_or(path)
    } else {
        PathBuf::from(program)
    }
}
