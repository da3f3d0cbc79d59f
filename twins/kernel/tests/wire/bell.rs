//! A small service, and clients that write bytes to it.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    args::{self, Args},
    diagnostic::Diagnostic,
    fault::{Injected, Rule},
    host::host,
    multiverse::{Multiverse, Ports, Running},
    operation::{Operation, OperationInfo, Typed},
    twin::{EnvVar, Limit, Quota, Read, Reason, Scene, Twin, Unserved, Write},
    tx::Tx,
    universe::Options,
    wire::{Answer, Reply, Request},
    world::World,
};
use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Tells callers what they have sent.
#[derive(Debug)]
struct Bell;

/// The longest body that the bell takes.
pub(crate) const BODY_MAX: usize = 100_000;

#[derive(Debug)]
struct Failed;

impl From<Injected> for Failed {
    fn from(_: Injected) -> Self {
        Self
    }
}

#[expect(clippy::unnecessary_wraps, reason = "handlers share one signature")]
fn ring(cx: &Read<'_, Bell>, args: Map<String, Value>) -> Result<Typed<Value>, Failed> {
    Ok(Typed::ok(&json!({ "heard": args, "at": cx.scene.request.origin })))
}

#[expect(clippy::unnecessary_wraps, reason = "handlers share one signature")]
fn tell(cx: &mut Write<'_, '_, Bell>, _: Map<String, Value>) -> Result<Typed<Value>, Failed> {
    Ok(Typed::ok(&json!({ "bytes": cx.scene.request.body.len() })))
}

impl Twin for Bell {
    type State = ();
    type Input = Args;
    type Caller = ();
    type Error = Failed;

    fn name(&self) -> &'static str {
        "bell"
    }

    fn title(&self) -> &'static str {
        "Bell"
    }

    fn body_max(&self) -> usize {
        BODY_MAX
    }

    fn operations(&self) -> Vec<Operation<Self>> {
        vec![
            Operation::read("ring", &[Method::GET], "/bells/{name}", ring),
            Operation::write("tell", &[Method::POST], "/bells", tell),
        ]
    }

    fn load(&self, _: &World, _: &mut Tx<'_>) -> Result<(), Vec<Diagnostic>> {
        Ok(())
    }

    fn env(&self, (): &(), origin: &str) -> Vec<EnvVar> {
        vec![EnvVar::text("BELL_URL", origin)]
    }

    fn input(&self, _: &OperationInfo, request: &Request) -> Args {
        request.path_params.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
    }

    fn authenticate(&self, (): &(), _: &Scene<'_>, _: &Args) -> Result<(), Failed> {
        Ok(())
    }

    fn decode<A: DeserializeOwned>(_: &OperationInfo, input: Args) -> Result<A, Failed> {
        args::read(input).map_err(|_| Failed)
    }

    fn caller_name(&self, (): &()) -> SmolStr {
        SmolStr::default()
    }

    fn limit(&self, _: &OperationInfo, (): &()) -> Limit {
        Limit { bucket: "all".into(), per_minute: 60 }
    }

    fn render(&self, scene: &Scene<'_>, _: Option<&()>, _: Quota, result: Result<Answer, Failed>) -> Reply {
        let answer = result.unwrap_or_else(|Failed| Answer::empty(StatusCode::BAD_REQUEST));
        Reply::new(answer, scene.now)
    }

    fn unserved(&self, scene: &Unserved<'_>) -> Reply {
        let status = match scene.reason {
            Reason::NotFound | Reason::Absent(_) => StatusCode::NOT_FOUND,
            Reason::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Reason::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Reason::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Reply::new(Answer::text("text/plain", format!("{:?}", scene.reason)).with_status(status), scene.now)
    }
}

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A bell on a port of its own.
pub(crate) struct Tower {
    running: Arc<Running>,
    address: String,
}

impl Tower {
    pub(crate) fn new() -> Self {
        let multiverse = Multiverse::new(vec![(host(Bell), 0)]);
        let running = multiverse.create(None, "acme", &Options::default(), Ports::Free).expect("a port is free");
        let url = running.urls().next().expect("the bell is served").1;
        Self { running, address: url.trim_start_matches("http://").to_owned() }
    }

    /// Where it is, as `host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Arms a fault rule.
    pub(crate) fn arm(&self, rule: Value) {
        let rule: Rule = serde_json::from_value(rule).expect("is a rule");
        self.running.universe.arm_checked(&[rule]).expect("is armed");
    }

    /// How much has happened.
    pub(crate) fn entries(&self) -> u64 {
        self.running.universe.ledger().len()
    }

    pub(crate) async fn connect(&self) -> Line {
        Line(TcpStream::connect(&self.address).await.expect("the bell listens"))
    }

    /// What comes back for some bytes until the bell closes the connection.
    pub(crate) async fn answers(&self, sent: impl AsRef<[u8]>) -> String {
        let mut line = self.connect().await;
        line.send(sent).await;
        line.rest().await
    }
}

/// A client's connection.
pub(crate) struct Line(pub(crate) TcpStream);

impl Line {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.expect("the bell reads");
    }

    /// All that comes until the bell closes the connection.
    pub(crate) async fn rest(&mut self) -> String {
        let mut all = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut all)).await;
        read.expect("the bell closes in time").expect("the bell closes in order");
        String::from_utf8(all).expect("answers are text")
    }

    /// What comes until a text has come.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        let mut all = String::new();
        while !all.ends_with(end) {
            let byte = tokio::time::timeout(PATIENCE, self.0.read_u8()).await.expect("something comes in time");
            all.push(char::from(byte.unwrap_or_else(|error| panic!("{error} after {all}"))));
        }
        all
    }
}
