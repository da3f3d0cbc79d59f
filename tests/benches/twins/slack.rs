//! Slack with few messages and with many, what a message costs, and how fast events reach apps.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use dtu_kernel::{
    clock::ClockMode,
    ledger::Keep,
    multiverse::Ports,
    universe::{Options, Universe},
};
use dtu_tests::calls::Call;
use futures_util::{SinkExt as _, StreamExt as _, stream::SelectAll};
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{Page, Runtime, Served, channel, fill, load::Shot, measure, median, process};

/// How many replies the thread has that is read, and how many messages the search finds.
const REPLIES: usize = 50;
const NEEDLES: usize = 20;
/// Slack lets an app have this many sockets.
const SOCKETS_PER_APP: usize = 10;
/// How often a delivery is timed.
const DELIVERIES: usize = 200;
/// How long a delivery may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes the figures.
pub(crate) fn figures(
    page: &mut Page,
    server: &Runtime,
    client: &Runtime,
    span: Duration,
    messages: usize,
    memory: &str,
) -> anyhow::Result<()> {
    page.say("## Slack\n");
    calls(page, server, client, span, messages)?;
    page.say(memory);
    deliveries(page, server, client)
}

/// A universe with so many messages, among them a thread to read and some to find.
struct Busy {
    served: Served,
    thread: String,
}

impl Busy {
    fn of(messages: usize) -> anyhow::Result<Self> {
        let served = Served::start(Keep::Off)?;
        let thread = post(&served, "the beginning of a thread", None)?;
        for n in 0..REPLIES {
            post(&served, &format!("reply number {n}"), Some(&thread))?;
        }
        fill(&served, messages / 2);
        for n in 0..NEEDLES {
            post(&served, &format!("needle number {n}"), None)?;
        }
        fill(&served, messages - messages / 2);
        Ok(Self { served, thread })
    }

    fn shots(&self) -> [(&'static str, Shot); 4] {
        let served = &self.served;
        let (bot, channel, thread) = (served.slack_auth(), channel(served), &self.thread);
        let user = format!("Bearer {}", served.env("SLACK_USER_TOKEN"));
        let shot = |method: &str, auth: &str, form: &str| {
            Shot::form(&format!("/api/{method}"), &[("authorization", auth)], form)
        };
        [
            ("`chat.postMessage`", shot("chat.postMessage", &bot, &format!("channel={channel}&text=hello+there"))),
            (
                "`conversations.history`, 50 messages",
                shot("conversations.history", &bot, &format!("channel={channel}&limit=50")),
            ),
            (
                "`conversations.replies`, 50 replies",
                shot("conversations.replies", &bot, &format!("channel={channel}&ts={thread}&limit=51")),
            ),
            ("`search.messages`, 20 found", shot("search.messages", &user, "query=needle&sort=timestamp")),
        ]
    }
}

fn post(served: &Served, text: &str, thread: Option<&str>) -> anyhow::Result<String> {
    let channel = channel(served);
    let mut form = vec![("channel", channel.as_str()), ("text", text)];
    form.extend(thread.map(|ts| ("thread_ts", ts)));
    let made = Call::slack("chat.postMessage", &served.env("SLACK_BOT_TOKEN"), &form).json(served.universe());
    made["ts"].as_str().map(str::to_owned).with_context(|| format!("a time in {made}"))
}

fn calls(page: &mut Page, server: &Runtime, client: &Runtime, span: Duration, messages: usize) -> anyhow::Result<()> {
    let (small, large) = server.block_on(async { anyhow::Ok((Busy::of(1_000)?, Busy::of(messages)?)) })?;
    page.say(format!("| call | 1,000 messages | {messages} messages | ratio | budget |\n|---|--:|--:|--:|--:|"));
    for ((name, here), (_, there)) in small.shots().into_iter().zip(large.shots()) {
        // Shots differ by ids, so that each universe is measured with its own.
        let [a] = measure(client, [small.served.address("slack")], &here, span);
        let [b] = measure(client, [large.served.address("slack")], &there, span);
        page.say(format!("| {name} | {a:.0}/s | {b:.0}/s | {:.2}x slower | 1.5x |", a / b));
    }
    page.say("");
    Ok(())
}

/// What a short message costs in memory, without a ledger and with one that keeps all, as rows of a table.
pub(crate) fn memory(server: &Runtime, messages: usize) -> anyhow::Result<String> {
    // What a ledger keeps in memory is bounded, so that few messages show what each costs.
    let messages = messages.min(100_000);
    let mut costs = Vec::new();
    for keep in [Keep::Off, Keep::Full] {
        let served = server.block_on(async { Served::start(keep) })?;
        fill(&served, 1_000);
        let before = process::resident_bytes();
        fill(&served, messages);
        costs.push(process::resident_bytes().saturating_sub(before) / messages.max(1) as u64);
    }
    let added = costs[1].saturating_sub(costs[0]);
    Ok(format!(
        "| a short message | bytes | budget |\n|---|--:|--:|\n| ledger off | {} | 600 |\n\
         | what the ledger adds, where it keeps all | {added} | |\n",
        costs[0]
    ))
}

/// A world of apps in Socket Mode, of which the first hears of messages.
fn world(apps: usize) -> String {
    let mut text = String::from(
        "schema: dtu/world/v1\nname: sockets\nepoch: \"2026-03-02T09:00:00Z\"\n\
         company: {name: Sockets, domain: sockets.example, timezone: Europe/London}\n\
         people:\n  - {key: ann, first: Ann, last: A, email: ann@sockets.example}\n\
         slack:\n  channels:\n    - {name: general, general: true, creator: ann, created: -9d, members: [ann]}\n  apps:\n",
    );
    for n in 0..apps {
        let scopes = "[commands, \"chat:write\", \"channels:read\", \"channels:history\"]";
        let _ = writeln!(
            text,
            "    - {{key: app{n}, name: App {n}, bot: bot{n}, scopes: {scopes}, installed_by: ann, signing_secret: s, \
             bot_token: xoxb-bench-{n}, app_token: xapp-1-bench-{n}, channels: [general]}}"
        );
    }
    text
}

/// A universe with so many sockets, ten to an app.
struct Hall {
    served: Served,
}

impl Hall {
    fn of(sockets: usize) -> anyhow::Result<Self> {
        let apps = sockets.div_ceil(SOCKETS_PER_APP);
        let file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
        fs_err::write(file.path(), world(apps))?;
        let multiverse = dtu_universe::multiverse();
        let options = Options { keep: Keep::Off, clock: ClockMode::Real, ..Options::default() };
        let path = file.path().to_str().context("the path is text")?;
        let running = multiverse.create(None, path, &options, Ports::Free)?;
        let hall = Self { served: Served { multiverse, running } };
        for n in 0..apps {
            let events = if n == 0 { json!(["message.channels"]) } else { json!([]) };
            hall.configure(&json!({ "app": format!("app{n}"), "socket_mode": true, "events": events }))?;
        }
        Ok(hall)
    }

    fn universe(&self) -> &std::sync::Arc<Universe> {
        self.served.universe()
    }

    fn configure(&self, with: &Value) -> anyhow::Result<()> {
        let with = with.as_object().cloned().unwrap_or_default();
        let done = self.universe().perform("slack.admin.configure_app", "ann", with);
        done.map(drop).map_err(|refusal| anyhow::anyhow!(refusal.0))
    }

    /// Opens all sockets; those of the first app come first.
    async fn connect(&self, sockets: usize) -> anyhow::Result<Vec<Socket>> {
        let mut open = Vec::with_capacity(sockets);
        for n in 0..sockets {
            let token = format!("xapp-1-bench-{}", n / SOCKETS_PER_APP);
            let answer = Call::slack("apps.connections.open", &token, &[]).json(self.universe());
            let ticket = answer["url"].as_str().with_context(|| format!("an address in {answer}"))?;
            let query = ticket.split_once("/link/").context("the address is known")?.1;
            let (socket, _) = connect_async(format!("ws://{}/link/{query}", self.served.address("slack"))).await?;
            open.push(socket);
        }
        Ok(open)
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Posts in the hall's channel; how long until `heard` says so, the median of many.
async fn latency(universe: &std::sync::Arc<Universe>, heard: &mut mpsc::Receiver<Instant>) -> anyhow::Result<f64> {
    let mut micros = Vec::with_capacity(DELIVERIES);
    for n in 0..DELIVERIES {
        let start = Instant::now();
        let text = format!("message {n}");
        let form = [("channel", "#general"), ("text", text.as_str())];
        let made = Call::slack("chat.postMessage", "xoxb-bench-0", &form).json(universe);
        anyhow::ensure!(made["ok"] == true, "{made}");
        let end = tokio::time::timeout(PATIENCE, heard.recv()).await?.context("the app listens")?;
        micros.push(end.duration_since(start).as_nanos() as f64 / 1e3);
    }
    Ok(median(micros))
}

/// Hears of events on all sockets, and acknowledges each at once.
async fn listen(sockets: Vec<Socket>, told: mpsc::Sender<Instant>) {
    let (mut sinks, mut streams) = (Vec::new(), SelectAll::new());
    for (at, socket) in sockets.into_iter().enumerate() {
        let (sink, stream) = socket.split();
        sinks.push(sink);
        streams.push(stream.map(move |message| (at, message)));
    }
    while let Some((at, message)) = streams.next().await {
        let now = Instant::now();
        let Ok(Message::Text(text)) = message else { continue };
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        if let Some(id) = body["envelope_id"].as_str() {
            let answer = json!({ "envelope_id": id }).to_string();
            if sinks[at].send(Message::text(answer)).await.is_err() || told.send(now).await.is_err() {
                return;
            }
        }
    }
}

fn deliveries(page: &mut Page, server: &Runtime, client: &Runtime) -> anyhow::Result<()> {
    page.say("From the call to the app, the median of 200:\n");
    page.say("| delivery | connections | median |\n|---|--:|--:|");
    for sockets in [SOCKETS_PER_APP, 1_000] {
        let hall = server.block_on(async { Hall::of(sockets) })?;
        let median = client.block_on(async {
            let (told, mut heard) = mpsc::channel(16);
            let listening = tokio::spawn(listen(hall.connect(sockets).await?, told));
            let median = latency(hall.universe(), &mut heard).await;
            listening.abort();
            median
        })?;
        page.say(format!("| over one of the app's sockets | {sockets} | {median:.0} µs |"));
    }
    let hall = server.block_on(async { Hall::of(SOCKETS_PER_APP) })?;
    let median = client.block_on(over_http(&hall))?;
    page.say(format!("| over HTTP | 1 | {median:.0} µs |\n"));
    Ok(())
}

/// The same to an address.
async fn over_http(hall: &Hall) -> anyhow::Result<f64> {
    let (told, mut heard) = mpsc::channel(16);
    let url = format!("http://{}/", sink(told).await?);
    hall.configure(&json!({
        "app": "app0", "socket_mode": false, "events_url": url, "events": ["message.channels"],
    }))?;
    anyhow::ensure!(hall.universe().settle(PATIENCE).await, "the address is proven");
    latency(hall.universe(), &mut heard).await
}

/// An app that proves its address and says when it hears of an event.
async fn sink(told: mpsc::Sender<Instant>) -> anyhow::Result<SocketAddr> {
    let handler = move |axum::Json(body): axum::Json<Value>| {
        let (now, told) = (Instant::now(), told.clone());
        async move {
            if body["type"] == "event_callback" {
                let _ = told.send(now).await;
            }
            axum::Json(json!({ "challenge": body["challenge"] }))
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = axum::Router::new().fallback(axum::routing::post(handler));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
