//! The control plane of the universe under test: what people do, and what became of it.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

use crate::claim;

/// How long what must come may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A variable that the test sets.
pub fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

/// The control plane.
pub struct Control {
    http: Client<HttpConnector, Full<Bytes>>,
    base: String,
}

impl Control {
    pub fn new() -> Self {
        let base = format!("{}/v1/universes/{}", env("DTU_CONTROL_URL"), env("DTU_UNIVERSE"));
        Self { http: Client::builder(TokioExecutor::new()).build(HttpConnector::new()), base }
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", env("DTU_CONTROL_TOKEN")))
            .header("content-type", "application/json")
            .body(Full::from(body.map(|body| body.to_string()).unwrap_or_default()))?;
        let response = self.http.request(request).await?;
        let status = response.status();
        let text = response.into_body().collect().await?.to_bytes();
        let text = String::from_utf8_lossy(&text);
        if !status.is_success() {
            bail!("{method} {path}: {status} {text}");
        }
        serde_json::from_str(&text).with_context(|| format!("{method} {path}: {text}"))
    }

    /// A person does something; gives what they see of it.
    pub async fn act(&self, who: &str, verb: &str, with: Value) -> Result<Value> {
        let body = json!({ "as": who, "do": verb, "with": with });
        Ok(self.call("POST", "/affordances", Some(body)).await?["result"].clone())
    }

    /// Waits until a person can do something, which is done then.
    pub async fn can(&self, verb: &str, with: Value, message: &str) -> Result<()> {
        self.eventually(message, async || self.act("lena", verb, with.clone()).await.ok()).await.map(drop)
    }

    /// Waits until a view has a row with this member; gives the row.
    pub async fn shows(&self, view: &str, member: &str, is: impl Into<Value>, message: &str) -> Result<Value> {
        let (path, is) = (format!("/state/slack/{view}"), is.into());
        let find = async || {
            let rows = self.call("GET", &path, None).await.ok()?;
            rows.as_array()?.iter().find(|row| row[member] == is).cloned()
        };
        self.eventually(message, find).await
    }

    async fn eventually(&self, message: &str, look: impl AsyncFn() -> Option<Value>) -> Result<Value> {
        let end = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < end {
            if let Some(found) = look().await {
                claim(true, message)?;
                return Ok(found);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("{message}: not within {PATIENCE:?}")
    }
}
