//! What a story does at the target's own surface: requests to it, and its commands.

use std::{future::Future, path::Path, sync::LazyLock, time::Duration};

use dtu_kernel::act::Act;
use reqwest::{
    Client, Response,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use serde_json::{Map, Value, json};

use super::{Fatal, Stage, Stop, or, shown};
use crate::{
    evidence::file_name,
    load::{
        LoadedBeat,
        beat::{LoadedBody, LoadedCli, LoadedHttp},
    },
    process::{Launch, Running},
    scenario::Status,
    supervise::Exit,
};

/// How long an answer or a command may take where the beat says nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// How much of an answer, and of what a command writes, is read: what comes after is cut off.
const READ_MAX: usize = 256 << 10;

/// Asks targets. Each request has a connection of its own, so that none outlives the program that it went to.
static CLIENT: LazyLock<Option<Client>> =
    LazyLock::new(|| Client::builder().no_proxy().redirect(Policy::none()).pool_max_idle_per_host(0).build().ok());

/// How an act came out.
#[derive(Debug)]
pub(super) struct Came {
    /// What it was: `http` or `cli`.
    action: &'static str,
    /// The entry that tells how it began.
    seq: u64,
    /// What the ledger is to tell.
    told: Value,
    /// What later expressions read.
    left: Value,
    /// Why it counts as refused; empty where it does not.
    refused: String,
    /// Why the run cannot go on; empty where it can.
    fatal: String,
    /// How the machine failed the harness; empty where it did not.
    broken: String,
}

impl Came {
    /// A command that the machine did not let run.
    fn broken(seq: u64, why: String) -> Self {
        let (told, left) = (json!({ "error": why }), Value::Null);
        Self { action: "cli", seq, told, left, refused: String::new(), fatal: String::new(), broken: why }
    }
}

/// A request that is ready to be sent.
struct Request {
    method: reqwest::Method,
    url: reqwest::Url,
    headers: HeaderMap,
    body: String,
}

impl Stage<'_> {
    /// Tells of an act in the ledger; gives back the entry's place.
    pub(super) fn note(&mut self, beat: &LoadedBeat, answers: Option<u64>, action: &str, more: Value) -> u64 {
        let actor = beat.actor.as_ref().and_then(|actor| actor.fill_text(&mut self.facts).ok());
        let more = match more {
            Value::Object(more) => more,
            _ => Map::new(),
        };
        let (action, name) = (action.into(), beat.name().into());
        self.universe.note_act(&Act { actor: actor.map(Into::into), answers, action, name, more })
    }

    /// Leaves what came of a beat for later expressions.
    pub(super) fn leave(&mut self, beat: &LoadedBeat, outcome: Value) {
        if let Some(id) = &beat.id {
            self.facts.set_act(id, outcome);
        }
    }

    /// Takes note of how an act came out. One that was refused is the target's failure, unless the beat is optional.
    pub(super) fn take_outcome(&mut self, beat: &LoadedBeat, came: Came) -> Result<(), Stop> {
        self.note(beat, Some(came.seq), came.action, came.told);
        self.leave(beat, came.left);
        if !came.fatal.is_empty() {
            return Err(Stop::Fatal(Fatal(came.fatal)));
        }
        if !came.broken.is_empty() {
            return Err(Stop::Broken(came.broken));
        }
        if came.refused.is_empty() || beat.optional {
            return Ok(());
        }
        Err(Stop::Unsatisfied(format!("{}: {}", beat.shown(), came.refused)))
    }

    /// Sends a request to the target. What comes back is to be awaited.
    pub(super) fn ask(
        &mut self,
        beat: &LoadedBeat,
        http: &LoadedHttp,
    ) -> Result<impl Future<Output = Came> + Send + use<>, Stop> {
        let request = self.request(beat, http)?;
        let target = request.url[url::Position::BeforePath..].to_owned();
        let line = format!("{} {}", request.method, target.split('?').next().unwrap_or_default());
        let told = json!({
            "request": {
                "method": request.method.as_str(),
                "target": target,
                "content_type": request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default(),
                "body": request.body,
            },
            "with": { "headers": headers_json(&request.headers) },
        });
        let seq = self.note(beat, None, "http", told);
        let (patience, expect) = (or(http.timeout, PATIENCE), http.expect.clone());
        Ok(async move {
            let answer = tokio::time::timeout(patience, exchange(request)).await;
            let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {}", shown(patience))));
            answered(seq, &line, answer, expect.as_ref())
        })
    }

    fn request(&mut self, beat: &LoadedBeat, http: &LoadedHttp) -> Result<Request, Stop> {
        let written = http.url.fill_text(&mut self.facts)?;
        let home = self.facts.target_url().to_owned();
        let url = if written.starts_with('/') { format!("{home}{written}") } else { written.clone() };
        let void = |why: &str| Stop::Void(format!("{}: {why}", beat.shown()));
        let url = reqwest::Url::parse(&url).map_err(|_| void(&format!("`{written}` is no URL")))?;
        let is_home = reqwest::Url::parse(&home).is_ok_and(|home| home.host() == url.host());
        // A twin is on this machine, too, and would take the request for one of the target's.
        let is_twin =
            |slot| reqwest::Url::parse(&self.universe.origin(slot)).is_ok_and(|twin| twin.origin() == url.origin());
        if !is_home || (0..self.universe.twins().len()).any(is_twin) {
            return Err(void("this is not at the target, and nobody else is asked"));
        }
        let mut headers = HeaderMap::new();
        let body = match &http.body {
            None => String::new(),
            Some(body) => {
                let (media_type, body) = self.body(body)?;
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
                body
            }
        };
        for (name, value) in &http.headers {
            let value = value.fill_text(&mut self.facts)?;
            let name: HeaderName = name.parse().map_err(|_| void(&format!("`{name}` is no header")))?;
            let value = HeaderValue::from_str(&value);
            headers.insert(name.clone(), value.map_err(|_| void(&format!("this is no value of the header `{name}`")))?);
        }
        let method = http.method.as_str().parse().unwrap_or_default();
        Ok(Request { method, url, headers, body })
    }

    fn body(&mut self, body: &LoadedBody) -> Result<(&'static str, String), Stop> {
        Ok(match body {
            LoadedBody::Json(form) => ("application/json", form.fill(&mut self.facts)?.to_string()),
            LoadedBody::Text(text) => ("text/plain; charset=utf-8", text.fill_text(&mut self.facts)?),
            LoadedBody::Form(form) => {
                let mut pairs = url::form_urlencoded::Serializer::new(String::new());
                for (name, value) in form.fill_object(&mut self.facts)? {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    pairs.append_pair(&name, &value);
                }
                ("application/x-www-form-urlencoded", pairs.finish())
            }
        })
    }

    /// Runs a command of the target. What comes of it is to be awaited.
    pub(super) fn run_command(
        &mut self,
        beat: &LoadedBeat,
        cli: &LoadedCli,
        nth: u64,
    ) -> Result<impl Future<Output = Came> + Send + use<>, Stop> {
        let launch = self.command_launch(beat, cli, nth)?;
        let stdin = launch.stdin.clone().unwrap_or_default();
        let told = json!({ "with": { "command": cli.run, "args": self.args(cli)?, "stdin": stdin } });
        let seq = self.note(beat, None, "cli", told);
        let (supervisor, patience) = (self.setup.supervisor.clone(), or(cli.timeout, PATIENCE));
        let (name, expect) = (cli.run.clone(), cli.expect);
        Ok(async move {
            let folder = launch.evidence.clone();
            match Running::launch(&supervisor, launch).await {
                Ok(running) => ran(seq, &name, end_within(running, patience).await, &folder, expect),
                Err(error) => Came::broken(seq, format!("no supervisor for the command `{name}`: {error}")),
            }
        })
    }

    fn args(&mut self, cli: &LoadedCli) -> Result<Vec<String>, Stop> {
        cli.args.iter().map(|arg| Ok(arg.fill_text(&mut self.facts)?)).collect()
    }

    fn command_launch(&mut self, beat: &LoadedBeat, cli: &LoadedCli, nth: u64) -> Result<Launch, Stop> {
        let Some(command) = self.setup.target.commands.get(&cli.run) else {
            return Err(Stop::Void(format!("{}: the target has no command `{}`", beat.shown(), cli.run)));
        };
        let mut launch = self.launch_of(command)?;
        launch.arguments.extend(self.args(cli)?);
        for (name, value) in &cli.env {
            let value = value.fill_text(&mut self.facts)?;
            launch.env.retain(|(known, _)| known != name);
            launch.env.push((name.clone(), value));
        }
        launch.stdin = cli.stdin.as_ref().map(|stdin| stdin.fill_text(&mut self.facts)).transpose()?;
        launch.evidence = self.folder.join("cli").join(format!("{}-{nth}", file_name(beat.name())));
        launch.signs.clear();
        Ok(launch)
    }
}

/// An answer, read.
struct Answer {
    status: u16,
    headers: Map<String, Value>,
    body: Vec<u8>,
    is_cut: bool,
}

/// Sends a request over a connection of its own, and reads the answer. Redirects are answers like others.
async fn exchange(request: Request) -> Result<Answer, String> {
    let client = CLIENT.as_ref().ok_or("no client can be made")?;
    let Request { method, url, headers, body } = request;
    let sent = client.request(method, url).headers(headers).body(body).send().await;
    let mut response = sent.map_err(|error| why(&error).to_owned())?;
    let (status, headers) = (response.status().as_u16(), headers_json(response.headers()));
    let (body, is_cut) = read(&mut response).await.map_err(|error| why(&error).to_owned())?;
    Ok(Answer { status, headers, body, is_cut })
}

/// Why there is no answer, the same in equal runs.
fn why(error: &reqwest::Error) -> &'static str {
    if error.is_connect() { "nobody answers" } else { "the connection broke" }
}

async fn read(response: &mut Response) -> Result<(Vec<u8>, bool), reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = READ_MAX - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok((body, true));
        }
    }
    Ok((body, false))
}

fn headers_json(headers: &HeaderMap) -> Map<String, Value> {
    let mut out = Map::new();
    for name in headers.keys() {
        let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        out.insert(name.to_string(), Value::String(values.collect::<Vec<_>>().join(", ")));
    }
    out
}

/// A text as entries show it, and what is there of it as JSON.
fn text_and_json(bytes: &[u8], is_cut: bool) -> (Value, Value) {
    let Ok(text) = std::str::from_utf8(bytes) else { return (json!({ "bytes": bytes.len() }), Value::Null) };
    let parsed = if is_cut { None } else { serde_json::from_str(text).ok() };
    (json!(text), parsed.unwrap_or(Value::Null))
}

fn answered(seq: u64, line: &str, answer: Result<Answer, String>, expect: Option<&Status>) -> Came {
    let nothing = String::new;
    let (told, left) = (Value::Null, Value::Null);
    let came = Came { action: "http", seq, told, left, refused: nothing(), fatal: nothing(), broken: nothing() };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let told = json!({ "status": 0, "error": error, "response": { "status": 0, "body": "" } });
            let left = json!({ "status": 0, "headers": {}, "body": "", "json": null, "error": error });
            return Came { told, left, refused: format!("{line}: {error}"), ..came };
        }
    };
    let Answer { status, headers, body, is_cut } = answer;
    let (body, parsed) = text_and_json(&body, is_cut);
    let mut told = json!({
        "status": status, "error": "", "response": { "status": status, "body": body }, "result": { "headers": headers },
    });
    if is_cut {
        told["result"]["cut"] = json!(true);
    }
    let left = json!({ "status": status, "headers": headers, "body": body, "json": parsed, "error": "" });
    let is_other = expect.filter(|expect| !expect.fits(status));
    let refused =
        is_other.map_or_else(String::new, |expect| format!("{line} answered {status}, {expect} was expected"));
    Came { told, left, refused, ..came }
}

/// Waits for a command's end, and kills it where it does not come in time.
async fn end_within(running: Running, patience: Duration) -> Result<Exit, String> {
    let ended = running.ended();
    if tokio::time::timeout(patience, ended).await.is_err() {
        running.kill().await;
        return Err(format!("it did not end within {}", shown(patience)));
    }
    Ok(running.stop().await.0)
}

fn ran(seq: u64, name: &str, ended: Result<Exit, String>, folder: &Path, expect: Option<i32>) -> Came {
    let output = |stream: &str| {
        let bytes = fs_err::read(folder.join(stream)).unwrap_or_default();
        let is_cut = bytes.len() > READ_MAX;
        text_and_json(&bytes[..bytes.len().min(READ_MAX)], is_cut)
    };
    let ((stdout, parsed), (stderr, _)) = (output("stdout"), output("stderr"));
    let exit = ended.as_ref().ok().cloned().unwrap_or_default();
    let error = match (&ended, exit.code, exit.signal) {
        (Err(why), ..) => why.clone(),
        _ if !exit.refused.is_empty() => exit.refused.clone(),
        _ if !exit.exceeded.is_empty() => format!("it used more {} than it may, and was killed", exit.exceeded),
        (_, Some(_), _) => String::new(),
        (_, None, Some(signal)) => format!("signal {signal} ended it"),
        (_, None, None) => return Came::broken(seq, format!("the supervisor of the command `{name}` was lost")),
    };
    let refused = match (exit.code, expect) {
        _ if !error.is_empty() => format!("`{name}`: {error}"),
        (Some(code), Some(wanted)) if code != wanted => {
            format!("`{name}` ended with exit code {code}, {wanted} was expected")
        }
        _ => String::new(),
    };
    let fatal = if exit.refused.is_empty() {
        String::new()
    } else {
        format!("the command `{name}` cannot be started: {}", exit.refused)
    };
    Came {
        action: "cli",
        seq,
        told: json!({ "error": error, "result": { "code": exit.code, "stdout": stdout, "stderr": stderr } }),
        left: json!({ "code": exit.code, "stdout": stdout, "stderr": stderr, "json": parsed, "error": error }),
        refused,
        fatal,
        broken: String::new(),
    }
}
