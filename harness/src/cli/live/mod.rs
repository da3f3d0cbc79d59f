//! Commands for a running `dtu up`, over its control plane.

pub(super) mod clock;
pub(super) mod fault;
pub(super) mod ledger;
pub(super) mod outage;
pub(super) mod universe;

use std::path::{Path, PathBuf};

use dtu_kernel::diagnostic::Diagnostic;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

pub(super) use self::{clock::Clock, fault::Faults, ledger::Ledger, outage::Outage, universe::Universes};
use super::{Failure, Out};

/// The file in which a running `dtu up` says where it is, below the folder where it was started.
pub(super) const SESSION: &str = ".dtu/up.json";

/// Which running universe is meant.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Where {
    /// The control plane's address; that of the `dtu up` started in this folder or one above it where absent.
    #[arg(long, env = "DTU_CONTROL_URL", value_name = "URL", global = true)]
    control: Option<String>,
    /// The control plane's token.
    #[arg(long, env = "DTU_CONTROL_TOKEN", value_name = "TOKEN", hide_env_values = true, global = true)]
    token: Option<String>,
    /// The universe, where there are several.
    #[arg(long, value_name = "ID", global = true)]
    universe: Option<String>,
    /// Prints the control plane's own answer as JSON.
    #[arg(long, global = true)]
    json: bool,
}

/// A control plane to talk to.
struct Plane {
    url: String,
    token: String,
    client: reqwest::Client,
    json: bool,
}

/// What goes on at a command: the plane, and the universe that is meant.
struct Session {
    plane: Plane,
    universe: String,
}

/// Runs a command's future against the universe that is meant.
fn with<F>(place: &Where, act: impl FnOnce(Session) -> F) -> Result<u8, Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    block_on(async {
        let plane = Plane::find(place)?;
        let universe = plane.universe(place.universe.as_deref()).await?;
        act(Session { plane, universe }).await
    })
}

/// Runs a command's future on a small runtime.
fn block_on(act: impl Future<Output = Result<(), Failure>>) -> Result<u8, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(act)?;
    Ok(0)
}

impl Plane {
    /// Finds the control plane that is meant.
    fn find(place: &Where) -> Result<Self, Failure> {
        let (url, token) = match (&place.control, &place.token) {
            (Some(url), Some(token)) => (url.clone(), token.clone()),
            (Some(_), None) => {
                let problem = Diagnostic::whole("--control", "the control plane's token is missing");
                return Err(problem.hint("give `--token`; `dtu up` prints it").into());
            }
            (None, _) => session_file()?,
        };
        let url = url.trim_end_matches('/').to_owned();
        // The control plane is on this machine: a proxy of the environment is none of its business.
        let client = reqwest::Client::builder().no_proxy().build().map_err(Failure::infrastructure)?;
        Ok(Self { url, token, client, json: place.json })
    }

    /// The universe that is meant: the one named, else the only one.
    async fn universe(&self, named: Option<&str>) -> Result<String, Failure> {
        if let Some(named) = named {
            return Ok(named.to_owned());
        }
        let all = self.call(Method::GET, "/v1/universes", None).await?;
        let ids: Vec<&str> = all.as_array().into_iter().flatten().filter_map(|one| one["universe"].as_str()).collect();
        match ids[..] {
            [only] => Ok(only.to_owned()),
            [] => Err(Diagnostic::whole("--universe", "no universe is running there").into()),
            _ => {
                let message = format!("{} universes are running", ids.len());
                Err(Diagnostic::whole("--universe", message).hint(format!("name one: {}", ids.join(", "))).into())
            }
        }
    }

    /// Calls the control plane.
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Failure> {
        let request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.map_err(|_| Failure::Infrastructure {
            what: format!("no control plane answers at {}", self.url),
            hint: "is `dtu up` still running?".to_owned(),
        })?;
        let status = answer.status();
        let body = answer.text().await.unwrap_or_default();
        let value: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
        if status.is_success() { Ok(value) } else { Err(refusal(status, &value)) }
    }

    /// Says what came of a call: as it is with `--json`, else as `words` has it.
    fn say(&self, value: &Value, words: impl FnOnce(&Value) -> String) -> Result<(), Failure> {
        let text = if self.json { format!("{value}\n") } else { words(value) };
        Out::stdout().write(&text)?;
        Ok(())
    }
}

impl Session {
    /// Calls something of the universe.
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Failure> {
        self.plane.call(method, &format!("/v1/universes/{}{path}", self.universe), body).await
    }
}

/// A member that is a text; empty where it is none.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The control plane's refusal as a problem with what was given.
fn refusal(status: StatusCode, body: &Value) -> Failure {
    let error = &body["error"];
    let message = error["message"].as_str().or_else(|| error.as_str()).unwrap_or("the control plane refuses");
    let hint = error["hint"].as_str().or_else(|| body["hint"].as_str()).unwrap_or_default();
    if status.is_server_error() {
        return Failure::Infrastructure { what: message.to_owned(), hint: hint.to_owned() };
    }
    let problem = Diagnostic::whole("control plane", message);
    if hint.is_empty() { problem.into() } else { problem.hint(hint).into() }
}

/// Where the `dtu up` of this folder is, from its file.
fn session_file() -> Result<(String, String), Failure> {
    let here = std::env::current_dir()?;
    let found = here.ancestors().map(|folder| folder.join(SESSION)).find(|file| file.exists());
    let nobody = || {
        let message = "no `dtu up` was started in this folder or above it";
        Diagnostic::whole("--control", message).hint("start one, or give `--control` and `--token`")
    };
    let text = fs_err::read_to_string(found.ok_or_else(nobody)?)?;
    let value: Value = serde_json::from_str(&text).unwrap_or_default();
    match (value["url"].as_str(), value["token"].as_str()) {
        (Some(url), Some(token)) => Ok((url.to_owned(), token.to_owned())),
        _ => Err(nobody().into()),
    }
}

/// The file of a running `dtu up`: written for its time, readable by its user only.
#[derive(Debug)]
pub(super) struct SessionFile {
    path: PathBuf,
    text: String,
}

impl SessionFile {
    /// Says where the control plane is.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub(super) fn write(folder: &Path, url: &str, token: &str) -> std::io::Result<Self> {
        use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
        let path = folder.join(SESSION);
        fs_err::create_dir_all(path.parent().unwrap_or(folder))?;
        // A file that another `dtu up` left may belong to others' eyes.
        drop(fs_err::remove_file(&path));
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let text = format!("{}\n", json!({ "url": url, "token": token }));
        file.write_all(text.as_bytes())?;
        Ok(Self { path, text })
    }
}

impl Drop for SessionFile {
    fn drop(&mut self) {
        // A second `dtu up` of the folder has written its own.
        if fs_err::read_to_string(&self.path).is_ok_and(|text| text == self.text) {
            drop(fs_err::remove_file(&self.path));
        }
    }
}
