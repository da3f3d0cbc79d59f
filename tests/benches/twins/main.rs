//! Benchmarks of the twins. Every figure of a server is a ratio to a bare axum server measured in the same run, turn
//! by turn, since machines differ and drift. Prints the page `docs/benchmarks.md`.

#![expect(clippy::disallowed_methods, reason = "benchmarks measure in the machine's time")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded to three digits")]

mod contracts;
mod faults;
mod load;
mod people;
mod process;
mod profile;
mod slack;
mod tokens;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::Parser;
use dtu_kernel::{
    clock::ClockMode,
    ledger::Keep,
    multiverse::{Multiverse, Ports, Running},
    universe::{Options, Universe},
};
use dtu_tests::calls::Call;
use serde_json::Value;

use load::{Shot, fire_once, rate};

#[derive(Parser)]
struct Cli {
    /// Seconds of load for each figure.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How many messages the large universe has.
    #[arg(long, default_value_t = 1_000_000)]
    messages: usize,
    /// How many people the large org has.
    #[arg(long, default_value_t = 1_000_000)]
    people: usize,
    /// Makes one call so many times and measures nothing, for profilers: `bare`, `full` or `off` (the ledger), a call
    /// (`list`, `user`, `post`), how often.
    #[arg(long, value_name = "PLACE,CALL,TIMES")]
    profile: Option<profile::Plan>,
    /// What cargo passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// How often each figure is taken; the median counts.
const ROUNDS: usize = 3;

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if let Some(plan) = &cli.profile {
        return profile::run(plan);
    }
    let span = Duration::from_secs(cli.seconds.max(1));
    // The server has one core, the load the other.
    let server = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // First of all: later what was freed is used again, and nothing seems to cost anything.
    let memory = slack::memory(&server, cli.messages)?;
    let mut page = Page::default();
    page.say("# Benchmarks\n\nWritten by `cargo xtask bench`. Server figures are ratios to a bare axum server measured in turn with it: the same");
    page.say("answer, serialised from memory with serde for each request, on one worker thread, 16 connections, load from the");
    page.say("other core of a 2-core machine. Other figures are of this machine; compare them with each other.\n");
    server_figures(&mut page, &server, &client, span)?;
    size_figures(&mut page, &server, &client, span, cli.messages)?;
    slack::figures(&mut page, &server, &client, span, cli.messages, &memory)?;
    people::figures(&mut page, &server, &client, span, cli.people)?;
    faults::figures(&mut page, &server, &client, span)?;
    contracts::figures(&mut page, &server)?;
    process::figures(&mut page)?;
    print(&page.0)
}

/// The page in the making.
#[derive(Default)]
struct Page(String);

impl Page {
    fn say(&mut self, line: impl AsRef<str>) {
        self.0.push_str(line.as_ref());
        self.0.push('\n');
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// A universe of acme, served.
struct Served {
    multiverse: Multiverse,
    running: Arc<Running>,
}

impl Served {
    fn start(keep: Keep) -> anyhow::Result<Self> {
        let multiverse = dtu_universe::multiverse();
        let options = Options { keep, clock: ClockMode::Real, ..Options::default() };
        let running = multiverse.create(None, "acme", &options, Ports::Free)?;
        Ok(Self { multiverse, running })
    }

    fn universe(&self) -> &Arc<Universe> {
        &self.running.universe
    }

    fn address(&self, twin: &str) -> SocketAddr {
        let url = self.running.urls().find(|(name, _)| *name == twin).map(|(_, url)| url).expect("is served");
        url.trim_start_matches("http://").parse().expect("is an address")
    }

    fn env(&self, name: &str) -> String {
        let found = self.universe().env().into_iter().find(|variable| variable.name == name);
        found.map(|variable| variable.content().to_owned()).expect("the twin names it")
    }

    fn slack_auth(&self) -> String {
        format!("Bearer {}", self.env("SLACK_BOT_TOKEN"))
    }

    fn okta_auth(&self) -> String {
        format!("SSWS {}", self.env("OKTA_CLIENT_TOKEN"))
    }
}

type Runtime = tokio::runtime::Runtime;

fn server_figures(page: &mut Page, server: &Runtime, client: &Runtime, span: Duration) -> anyhow::Result<()> {
    page.say("## Calls, against bare axum\n");
    page.say(
        "| call | answer | bare axum | twin | ratio | ratio, ledger off | budget |\n|---|--:|--:|--:|--:|--:|--:|",
    );
    let (full, off) = server.block_on(async { anyhow::Ok((Served::start(Keep::Full)?, Served::start(Keep::Off)?)) })?;
    let mut shots = shots(&full)?;
    // An RSA signature a token is most of it, here as at Okta.
    shots.push(("token", "Okta `POST /oauth2/{id}/v1/token`", "okta", tokens::shot(&[&full, &off])?, "none"));
    for (_, name, twin, shot, budget) in &shots {
        let (status, body) = client.block_on(fire_once(full.address(twin), shot));
        anyhow::ensure!(status.contains(" 200 "), "{name}: {status}");
        let bare = server.block_on(bare_axum(serde_json::from_slice(&body)?))?;
        let targets = [bare, full.address(twin), off.address(twin)];
        let [bare, with, without] = measure(client, targets, shot, span);
        page.say(format!(
            "| {name} | {} B | {bare:.0}/s | {with:.0}/s | **{:.0} %** | {:.0} % | {budget} |",
            body.len(),
            100.0 * with / bare,
            100.0 * without / bare,
        ));
    }
    page.say("");
    Ok(())
}

/// The calls that are held against a bare server: key, name, twin, request and budget.
type Shots = Vec<(&'static str, &'static str, &'static str, Shot, &'static str)>;

fn shots(served: &Served) -> anyhow::Result<Shots> {
    let (slack, okta) = (served.slack_auth(), served.okta_auth());
    let user = Call::okta("getUser", &served.env("OKTA_CLIENT_TOKEN"), &["lena.fischer@acme.example"], None)
        .json(served.universe());
    let user = format!("/api/v1/users/{}", user["id"].as_str().context("lena is in Okta")?);
    let form = |method: &str, body: &str| Shot::form(&format!("/api/{method}"), &[("authorization", &slack)], body);
    Ok(vec![
        ("list", "Slack `conversations.list`", "slack", form("conversations.list", "limit=20"), "60 %"),
        ("user", "Okta `GET /api/v1/users/{id}`", "okta", Shot::get(&user, &[("authorization", &okta)]), "60 %"),
        (
            "post",
            "Slack `chat.postMessage`",
            "slack",
            form("chat.postMessage", "channel=%23general&text=hello+there"),
            "40 %",
        ),
    ])
}

/// A bare axum server that serialises `body` for each request.
async fn bare_axum(body: Value) -> anyhow::Result<SocketAddr> {
    let body = Arc::new(body);
    let handler = move || {
        let body = Arc::clone(&body);
        async move { axum::Json(body) }
    };
    let router = axum::Router::new().fallback(handler);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        axum::serve(axum::serve::ListenerExt::tap_io(listener, |io| drop(io.set_nodelay(true))), router).await
    });
    Ok(address)
}

/// The median rate of each target, taken in turn.
fn measure<const N: usize>(client: &Runtime, targets: [SocketAddr; N], shot: &Shot, span: Duration) -> [f64; N] {
    let mut rates = [(); N].map(|()| Vec::new());
    for _ in 0..ROUNDS {
        for (target, rates) in targets.iter().zip(&mut rates) {
            rates.push(client.block_on(rate(*target, shot, span / 2)));
        }
    }
    rates.map(median)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn size_figures(
    page: &mut Page,
    server: &Runtime,
    client: &Runtime,
    span: Duration,
    messages: usize,
) -> anyhow::Result<()> {
    let (small, large) =
        server.block_on(async { anyhow::Ok((Served::start(Keep::Off)?, Served::start(Keep::Off)?)) })?;
    fill(&small, 1_000);
    let start = Instant::now();
    fill(&large, messages);
    let took = start.elapsed();
    page.say("## Size\n");
    page.say(format!("Posting {messages} messages within the process took {took:.1?}.\n"));
    page.say(format!("| what | 1,000 messages | {messages} messages | ratio | budget |\n|---|--:|--:|--:|--:|"));
    let auth = small.slack_auth();
    let history = Shot::form(
        "/api/conversations.history",
        &[("authorization", &auth)],
        &format!("limit=50&channel={}", channel(&small)),
    );
    let [a, b] = measure(client, [small.address("slack"), large.address("slack")], &history, span);
    // Universes and listeners want a runtime around them.
    let _runtime = server.enter();
    page.say(format!("| `conversations.history`, 50 messages | {a:.0}/s | {b:.0}/s | {:.2}x slower | 1.5x |", a / b));
    let (a, b) = (fork_nanos(&small), fork_nanos(&large));
    page.say(format!("| fork | {:.1} µs | {:.1} µs | {:.2}x | 10 µs |", a / 1e3, b / 1e3, b / a));
    let (a, b) = (fork_and_write_nanos(&small), fork_and_write_nanos(&large));
    page.say(format!("| fork and first write | {:.1} µs | {:.1} µs | {:.2}x | |", a / 1e3, b / 1e3, b / a));
    let (a, b) = (serve_micros(&small), serve_micros(&large));
    page.say(format!(
        "| fork, listen with all twins, tear down | {a:.0} µs | {b:.0} µs | {:.2}x | 1,000 µs |\n",
        b / a
    ));
    Ok(())
}

fn channel(served: &Served) -> String {
    let answer =
        Call::slack("conversations.list", &served.env("SLACK_BOT_TOKEN"), &[("limit", "999")]).json(served.universe());
    let general = answer["channels"].as_array().into_iter().flatten().find(|channel| channel["is_general"] == true);
    general.and_then(|channel| channel["id"].as_str()).expect("there is a general channel").to_owned()
}

fn fill(served: &Served, messages: usize) {
    let (token, channel) = (served.env("SLACK_BOT_TOKEN"), channel(served));
    for n in 0..messages {
        let text = format!("message number {n} of a long and busy day");
        let call = Call::slack("chat.postMessage", &token, &[("channel", &channel), ("text", &text)]);
        call.send(served.universe());
    }
}

/// The median of what one `act` costs, in nanoseconds, over many.
fn nanos<T>(mut act: impl FnMut() -> T) -> f64 {
    let mut figures = Vec::new();
    for _ in 0..200 {
        let start = Instant::now();
        let made = act();
        figures.push(start.elapsed().as_nanos() as f64);
        drop(made);
    }
    median(figures)
}

fn fork_nanos(served: &Served) -> f64 {
    nanos(|| served.universe().fork("fork", Some(3)))
}

fn fork_and_write_nanos(served: &Served) -> f64 {
    let (token, channel) = (served.env("SLACK_BOT_TOKEN"), channel(served));
    nanos(|| {
        let fork = served.universe().fork("fork", Some(3));
        let call = Call::slack("chat.postMessage", &token, &[("channel", &channel), ("text", "first")]);
        call.send(&fork);
        fork
    })
}

fn serve_micros(served: &Served) -> f64 {
    let mut figures = Vec::new();
    for _ in 0..100 {
        let start = Instant::now();
        let fork = served.universe().fork("fork", Some(3));
        let running = served.multiverse.serve(fork, Ports::Free).expect("free ports are there");
        drop(running);
        figures.push(start.elapsed().as_nanos() as f64 / 1e3);
    }
    median(figures)
}
