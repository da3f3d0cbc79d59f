//! What the tests share: a served multiverse with its control plane, and the project's own programs.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
};

use dtu_kernel::{control, multiverse::Multiverse};
use serde_json::{Value, json};

/// A multiverse of all twins with its control plane, over HTTP.
pub(crate) struct Plane {
    serving: control::Serving,
    pub(crate) http: reqwest::Client,
    pub(crate) multiverse: Arc<Multiverse>,
}

impl Plane {
    pub(crate) async fn start() -> Self {
        let multiverse = Arc::new(dtu_universe::multiverse());
        let serving = control::serve(Arc::clone(&multiverse), 0).await.expect("a free port is there");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client is made");
        Self { serving, http, multiverse }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.serving.address)
    }

    pub(crate) fn token(&self) -> &str {
        &self.serving.token
    }

    /// A call of the control plane: status and body.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let method = method.parse().expect("is a method");
        let mut request = self.http.request(method, self.url(path)).bearer_auth(self.token());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("the control plane answers");
        let status = response.status().as_u16();
        let text = response.text().await.expect("the answer is read");
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// A universe made over the control plane: its description.
    /// Its answers are held against the services' public documents.
    pub(crate) async fn universe(&self, mut with: Value) -> Value {
        with["check_responses"] = Value::Bool(true);
        let (status, universe) = self.call("POST", "/v1/universes", Some(with)).await;
        assert_eq!(status, 201, "{universe}");
        universe
    }

    /// A Slack call with the world's broadest token.
    pub(crate) async fn slack(&self, universe: &Value, method: &str, form: &[(&str, &str)]) -> Value {
        let api = universe["env"]["SLACK_API_URL"].as_str().expect("slack is served");
        let token = universe["env"]["SLACK_BOT_TOKEN"].as_str().expect("slack has a token");
        let request = self.http.post(format!("{api}{method}")).bearer_auth(token).form(form);
        request.send().await.expect("the twin answers").json().await.expect("the answer is JSON")
    }

    /// An Okta call with the world's first token: status and body.
    pub(crate) async fn okta(&self, universe: &Value, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let org = universe["env"]["OKTA_CLIENT_ORGURL"].as_str().expect("okta is served");
        let token = universe["env"]["OKTA_CLIENT_TOKEN"].as_str().expect("okta has a token");
        let method = method.parse().expect("is a method");
        let mut request =
            self.http.request(method, format!("{org}{path}")).header("authorization", format!("SSWS {token}"));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("the twin answers");
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or(Value::Null))
    }
}

/// The default universe of a test: a stepped clock, so that nothing moves by itself.
pub(crate) fn stepped(seed: u64) -> Value {
    json!({ "seed": seed, "clock": "stepped" })
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the crate lies in the workspace").to_path_buf()
}

/// A program of the workspace, built once for all tests.
pub(crate) fn program(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "-p", "dtu", "-p", "dtu-okta", "-p", "dtu-slack", "-p", "access-bot", "--bins"])
            .current_dir(root())
            .status()
            .expect("cargo runs");
        assert!(status.success(), "the workspace's programs build");
        let tests = std::env::current_exe().expect("a test knows its program");
        let folder = tests.ancestors().nth(2).expect("tests lie below the profile's folder");
        folder.to_path_buf()
    });
    folder.join(name)
}
