//! Targets that are tasks of the test, against the real twins: when they are ready, what they leave behind, and what
//! of them can be replayed.

use std::time::Duration;

use axum::{
    Json, Router,
    http::HeaderMap,
    routing::{get, post},
};
use dtu::{Error, Place, Scenario, Target, Trajectories, target::Sign, verdict::Outcome};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use crate::{
    library::{self, Manner},
    secrets::holding,
    support::{Context, lines},
};

/// A company with an app in Socket Mode and a token for Okta.
const WORLD: &str = r#"
schema: dtu/world/v1
name: small
epoch: "2026-03-02T09:00:00Z"
company: {name: Small, domain: small.example, timezone: Europe/Lisbon}
people:
  - {key: nadia, first: Nadia, last: Ferreira, email: nadia@small.example, admin: true}
  - {key: mina, first: Mina, last: Haddad, email: mina@small.example}
okta:
  org: small
  tokens: [{name: bots, owner: nadia, value: "00dtu-small-bots-token-not-a-real-secret"}]
slack:
  workspace: {name: Small, domain: small}
  owner: nadia
  channels:
    - {key: general, name: general, general: true, creator: nadia, created: -90d, members: everyone}
  apps:
    - key: echo
      name: Echo
      bot: echo
      scopes: ["chat:write", "channels:read", "channels:history", "app_mentions:read"]
      installed_by: nadia
      bot_token: "xoxb-dtu-small-echo-not-a-real-token"
      app_token: "xapp-1-dtu-small-echo-not-a-real-token"
      signing_secret: "dtu0small0echo0signing0secret"
      socket_mode: true
      events: [message.channels]
      channels: [general]
"#;

const STORY: &str = "
schema: dtu/scenario/v1
id: echo.answers
title: It answers
story: Mina says hello, and the program answers.
world: small.yaml
beats: []
checks: [{name: all is well, that: {finally: 'true'}}]
collateral: {allow: [{table: okta.*}]}
";

fn context(story: &str) -> Context {
    let context = Context::new();
    context.write("small.yaml", WORLD);
    context.write("story.yaml", story);
    context
}

fn target<F>(program: impl Fn(Place) -> F + Send + Sync + 'static) -> Target
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    Target::task("echo", program)
        .env("SLACK_BOT_TOKEN", "xoxb-dtu-small-echo-not-a-real-token")
        .env("SLACK_APP_TOKEN", "xapp-1-dtu-small-echo-not-a-real-token")
        .env("OKTA_CLIENT_TOKEN", "00dtu-small-bots-token-not-a-real-secret")
        .idle_after(Duration::from_millis(50))
}

async fn run(context: &Context, target: &Target) -> Result<Trajectories, Error> {
    let story = Scenario::read(context.path("story.yaml"))?;
    story.seeds(1).out(context.path("out")).run(target).await
}

async fn for_ever() -> Result<(), String> {
    std::future::pending().await
}

/// Calls a method of Slack.
async fn slack(place: &Place, token: &str, method: &str, with: &Value) -> Result<Value, String> {
    let call = client().post(format!("{}{method}", place.var("SLACK_API_URL")));
    let answer = call.bearer_auth(place.var(token)).json(with).send().await;
    let text = answer.map_err(|error| error.to_string())?.text().await.map_err(|error| error.to_string())?;
    let answer: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if answer["ok"] == true { Ok(answer) } else { Err(text) }
}

/// A client that goes to the twins, whatever proxy the machine has.
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("is made")
}

/// Answers what people say, over a socket.
async fn echo(place: Place) -> Result<(), String> {
    let opened = slack(&place, "SLACK_APP_TOKEN", "apps.connections.open", &json!({})).await?;
    let url = opened["url"].as_str().ok_or("no address")?;
    let (mut socket, _) = connect_async(url).await.map_err(|error| error.to_string())?;
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let said: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let Some(id) = said["envelope_id"].as_str() else { continue };
        let acknowledged = Message::text(json!({ "envelope_id": id }).to_string());
        socket.send(acknowledged).await.map_err(|error| error.to_string())?;
        let event = &said["payload"]["event"];
        if event["bot_id"].is_null() {
            let with = json!({ "channel": event["channel"], "text": format!("you said {}", event["text"]) });
            slack(&place, "SLACK_BOT_TOKEN", "chat.postMessage", &with).await?;
        }
    }
    Ok(())
}

/// Takes Okta's events, once it has proven that the address is its own.
async fn hook(place: Place) -> Result<(), String> {
    let listener = place.listen().await.map_err(|error| error.to_string())?;
    let prove = |headers: HeaderMap| async move {
        let challenge = headers.get("x-okta-verification-challenge").and_then(|value| value.to_str().ok());
        Json(json!({ "verification": challenge }))
    };
    let served = axum::serve(listener, Router::new().route("/events", get(prove))).into_future();
    let org = place.var("OKTA_CLIENT_ORGURL").trim_end_matches('/').to_owned();
    let call = async |path: &str, body: Value| -> Result<Value, String> {
        let call = client().post(format!("{org}/api/v1/eventHooks{path}")).json(&body);
        let token = format!("SSWS {}", place.var("OKTA_CLIENT_TOKEN"));
        let answer = call.header("authorization", token).send().await.map_err(|error| error.to_string())?;
        serde_json::from_str(&answer.text().await.map_err(|error| error.to_string())?)
            .map_err(|error| error.to_string())
    };
    let hook = json!({
        "name": "hook",
        "events": { "type": "EVENT_TYPE", "items": ["user.lifecycle.deactivate"] },
        "channel": { "type": "HTTP", "version": "1.0.0", "config": { "uri": format!("http://127.0.0.1:{}/events", place.port()) } },
    });
    let subscribe = async {
        let made = call("", hook).await?;
        let id = made["id"].as_str().ok_or_else(|| made.to_string())?;
        call(&format!("/{id}/lifecycle/verify"), json!({})).await?;
        for_ever().await
    };
    // Okta asks while it is told.
    tokio::select! {
        ended = served => ended.map_err(|error| error.to_string()),
        ended = subscribe => ended,
    }
}

/// Serves a page that says that it is well.
async fn healthy(place: Place) -> Result<(), String> {
    let listener = place.listen().await.map_err(|error| error.to_string())?;
    axum::serve(listener, Router::new().route("/healthz", get(|| async { "ok" })))
        .await
        .map_err(|error| error.to_string())
}

async fn says_ready(place: Place) -> Result<(), String> {
    place.say("I am ready");
    for_ever().await
}

async fn first_call(place: Place) -> Result<(), String> {
    slack(&place, "SLACK_BOT_TOKEN", "auth.test", &json!({})).await?;
    for_ever().await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sign_of_readiness_is_seen_and_missed() {
    let context = context(STORY);
    let page = || Sign::Http("http://127.0.0.1:${port}/healthz".to_owned());
    let cases: [(Target, Sign, &str); 5] = [
        (target(echo), Sign::Socket("slack".to_owned()), "it never had a socket of slack open"),
        (
            target(hook),
            Sign::Delivered("okta.event_hook_verification".to_owned()),
            "it never accepted a delivery of okta.event_hook_verification",
        ),
        (
            target(first_call),
            Sign::Called("slack.auth.test".to_owned()),
            "it never called slack.auth.test with success",
        ),
        (target(healthy), page(), "no GET of http://127.0.0.1:${port}/healthz was answered with 2xx"),
        (target(says_ready), Sign::Log("am ready".to_owned()), "its output never held `am ready`"),
    ];
    for (good, sign, lacking) in cases {
        let seen = run(&context, &good.ready_on(&sign)).await.unwrap_or_else(|error| panic!("{sign:?}: {error}"));
        seen.assert_satisfied();
        let idle = target(|_| for_ever()).ready_on(&sign).ready_within(Duration::from_millis(200));
        let missed = run(&context, &idle).await.unwrap_or_else(|error| panic!("{sign:?}: {error}"));
        let record = missed.iter().next().expect("one was run");
        let why = format!("the target was not ready within 200ms: {lacking}");
        assert_eq!((record.outcome, record.reasons.as_slice()), (Outcome::Unsatisfied, [why].as_slice()));
    }
    // With several signs the first that comes counts; all are told where none does.
    let either = target(says_ready).ready_on(&Sign::Socket("slack".to_owned())).ready_when_it_says("I am");
    run(&context, &either).await.expect("runs").assert_satisfied();
    let neither = target(|_| for_ever()).ready_on(&Sign::Socket("slack".to_owned())).ready_when_it_says("I am");
    let missed = run(&context, &neither.ready_within(Duration::from_millis(100))).await.expect("runs");
    assert!(missed.to_string().contains("a socket of slack open, and its output never held `I am`"), "{missed}");
    let unknown = target(|_| for_ever()).ready_on(&Sign::Socket("slak".to_owned()));
    let refused = run(&context, &unknown).await.expect_err("there is no such twin");
    assert!(refused.to_string().contains("did you mean `slack`?"), "{refused}");
}

/// Answers what Slack tells an address, and takes its time to prove that the address is its own.
async fn slow_to_prove(place: Place) -> Result<(), String> {
    let listener = place.listen().await.map_err(|error| error.to_string())?;
    let told = move |Json(told): Json<Value>| take(place.clone(), told);
    axum::serve(listener, Router::new().route("/slack", post(told))).await.map_err(|error| error.to_string())
}

#[expect(clippy::disallowed_methods, reason = "the program is slow in the machine's time, as real ones are")]
async fn take(place: Place, told: Value) -> Json<Value> {
    let event = told["event"].clone();
    if told["type"] == "url_verification" {
        tokio::time::sleep(Duration::from_millis(200)).await;
    } else if event["bot_id"].is_null() {
        let with = json!({ "channel": event["channel"], "text": "you said so" });
        tokio::spawn(async move { slack(&place, "SLACK_BOT_TOKEN", "chat.postMessage", &with).await });
    }
    Json(json!({ "challenge": told["challenge"] }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_begins_when_an_address_is_proven() {
    let context = context(
        &STORY
            .replace("beats: []", "beats: [{as: mina, do: slack.user.post, with: {channel: general, text: hello}}]")
            .replace(
                "finally: 'true'",
                "eventually: {within: 10s, that: \"slack.messages.exists(m, m.from == 'echo')\"}",
            )
            .replace("okta.*", "slack.*"),
    );
    let connect = json!({
        "app": "echo", "socket_mode": false, "events": ["message.channels"],
        "events_url": "http://127.0.0.1:${port}/slack",
    });
    let slow = target(slow_to_prove).connect("nadia", "slack.admin.configure_app", connect);
    run(&context, &slow).await.expect("runs").assert_satisfied();
}

#[tokio::test(flavor = "multi_thread")]
async fn how_a_task_ends_is_how_a_program_ends() {
    // Far longer than it takes any machine to see that the task is over.
    let context = context(&STORY.replace("beats: []", "beats: [{pause: 100s}]"));
    let told = async |target: Target| {
        let trajectories = run(&context, &target).await.expect("runs");
        let record = trajectories.iter().next().expect("one was run");
        let evidence = trajectories.evidence(&record.key).expect("is kept").folder;
        let said = lines(&evidence.join("target/stderr")).join("; ");
        (record.reasons.join("; "), said)
    };
    let after = |code: i32| format!("the target ended with exit code {code} before its trajectory was over");
    let failed = target(|_| async { Err("no such channel".to_owned()) });
    assert_eq!(told(failed).await, (after(1), "no such channel".to_owned()));
    let broke = target(|_| async { panic!("a bug") });
    assert_eq!(told(broke).await, (after(101), "panicked: a bug".to_owned()));
    assert_eq!(told(target(|_| async { Ok(()) })).await, (after(0), String::new()));
    context.write("story.yaml", &STORY.replace("beats: []", "beats: [{pause: 10ms}]"));
    assert_eq!(told(target(|_| for_ever())).await, (String::new(), String::new()));
    context.write("story.yaml", &STORY.replace("beats: []", "beats: [{target: kill}, {target: start}]"));
    assert_eq!(told(target(|_| for_ever())).await, (String::new(), String::new()));
    context.write("story.yaml", &STORY.replace("beats: []", "beats: [{target: {pause: 10ms}}]"));
    let (why, _) = told(target(|_| for_ever())).await;
    assert_eq!(why, "beat 1: the target is a task, which cannot be made to stand still");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_left_open_is_told() {
    let context = context(STORY);
    let leaves = target(|place| async move {
        let listener = place.listen().await.map_err(|error| error.to_string())?;
        // On its own, so that it outlives whoever began it.
        tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(listener);
        });
        for_ever().await
    });
    let told = run(&context, &leaves).await.expect("runs").to_string();
    assert!(told.contains("left behind in 1 trajectory: something still listens on its port"), "{told}");
}

const HELLO: &str = "
beats:
  - {as: mina, do: slack.user.post, with: {channel: '#general', text: hello}}
checks:
  - {name: it answers, that: {eventually: {within: 60s, that: \"slack.messages.exists(m, m.text.contains('you said'))\"}}}
  - {name: over a socket, that: {count: {of: \"e.kind == 'frame'\", min: 1}}}
collateral: {allow: [{table: slack.*}]}
";

#[tokio::test(flavor = "multi_thread")]
async fn what_went_over_sockets_is_replayed_byte_by_byte() {
    let head = STORY.split("beats:").next().unwrap_or_default();
    let context = context(&format!("{head}{HELLO}"));
    let target = target(echo).ready_on(&Sign::Socket("slack".to_owned()));
    let trajectories = run(&context, &target).await.expect("runs");
    trajectories.assert_satisfied();
    let key = &trajectories.iter().next().expect("one was run").key;
    let bundle = trajectories.evidence(key).expect("is kept");
    let frames = bundle.ledger().expect("reads").iter().filter(|entry| entry["kind"] == "frame").count();
    assert!(frames > 0, "frames are part of what is recorded");
    let (code, out, err) = context.dtu(&format!("replay {}", bundle.folder.display()));
    assert_eq!((code, out.contains("all came out again, byte by byte")), (0, true), "{out}{err}");
    // A frame that is another one is told as such.
    let (file, at) = (bundle.folder.join("ledger.ndjson"), bundle.ledger().expect("reads"));
    let meddled = |entry: &Value| {
        let text = entry.to_string();
        if entry["kind"] == "delivery" { text.replace("hello", "hullo") } else { text }
    };
    let changed: Vec<String> = at.iter().map(meddled).collect();
    fs_err::write(&file, changed.join("\n")).expect("writes");
    let (code, out, err) = context.dtu(&format!("replay {}", bundle.folder.display()));
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("first difference at ledger entry"), "{out}");
    // A task is no program that could be started again.
    let (code, _, err) = context.dtu(&format!("replay {} --live", bundle.folder.display()));
    assert_eq!((code, err.contains("target echo")), (2, true), "{err}");
}

/// What a program signs or makes up itself: no twin could ever answer it.
const OWN: [&str; 6] = [
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJub2JvZHkifQ.YXNzZXJ0aW9uLW9mLW5vYm9keQ",
    "eyJ0eXAiOiJkcG9wK2p3dCJ9.eyJqdGkiOiJub2JvZHkifQ.cHJvb2Ytb2Ytbm9ib2R5",
    "sid-of-nobody-102abc",
    "Passw0rd-of-nobody",
    "PHNhbWxwOlJlc3BvbnNlPm5vYm9keTwv",
    "code-verifier-of-nobody-0123456789",
];
/// What the world gives.
const GIVEN: [&str; 4] = [
    "00dtu-small-bots-token-not-a-real-secret",
    "xoxb-dtu-small-echo-not-a-real-token",
    "xapp-1-dtu-small-echo-not-a-real-token",
    "dtu0small0echo0signing0secret",
];

/// Shows Okta and Slack secrets of all kinds, most of which are refused, and says them all.
async fn indiscreet(place: Place) -> Result<(), String> {
    let [assertion, proof, session, password, saml, verifier] = OWN;
    let org = place.var("OKTA_CLIENT_ORGURL").trim_end_matches('/').to_owned();
    let client = client();
    let grant = format!(
        "grant_type=authorization_code&code=code-of-nobody-12345&code_verifier={verifier}&client_assertion={assertion}\
         &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    );
    let form = |path: &str, body: String| {
        let call = client.post(format!("{org}{path}")).header("content-type", "application/x-www-form-urlencoded");
        call.body(body)
    };
    let calls = [
        form("/oauth2/v1/token", grant).header("dpop", proof),
        form("/sso/saml2/nothing", format!("SAMLResponse={saml}")).header("cookie", format!("sid={session}")),
        client
            .post(format!("{org}/api/v1/authn"))
            .json(&json!({ "username": "mina@small.example", "password": password })),
        client.get(format!("{org}/api/v1/users/me")).header("authorization", format!("SSWS {}", GIVEN[0])),
    ];
    for call in calls {
        call.send().await.map_err(|error| error.to_string())?;
    }
    slack(&place, "SLACK_BOT_TOKEN", "auth.test", &json!({})).await?;
    OWN.iter().chain(&GIVEN).for_each(|secret| place.say(&format!("it is {secret}!")));
    place.say("all is said");
    for_ever().await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_that_crossed_the_wire_is_in_what_is_written_and_all_of_it_is_replayed() {
    let context = context(STORY);
    let trajectories = run(&context, &target(indiscreet).ready_when_it_says("all is said")).await.expect("runs");
    let key = &trajectories.iter().next().expect("one was run").key;
    let bundle = trajectories.evidence(key).expect("is kept");
    assert_eq!(bundle.ledger().expect("reads").iter().filter(|entry| entry["kind"] == "request").count(), 5);
    for secret in OWN.iter().chain(&GIVEN).chain(&["code-of-nobody-12345"]) {
        let holding = holding(&context.path("out"), secret);
        assert!(holding.is_empty(), "{secret}: {holding:?}");
    }
    let (code, out, err) = context.dtu(&format!("replay {}", bundle.folder.display()));
    assert_eq!((code, out.contains("all came out again, byte by byte")), (0, true), "{out}{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_library_holds() {
    library::by_hand().await.expect("holds");
    library::tell(Manner::Patient).await.expect("runs").assert_satisfied();
    assert_eq!(library::tell(Manner::Hasty).await.expect("runs").satisfaction(), Some(0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_target_files_are_run_by_the_supervisor_beside_the_test() {
    let context = context(STORY);
    let script = "echo $WHO $PORT; exec sleep 60";
    let command = Target::command("script", ["sh", "-c", script]).env("WHO", "${twins.slack}").env("PORT", "${port}");
    let trajectories = run(&context, &command.ready_when_it_says("http://127.0.0.1:")).await.expect("runs");
    trajectories.assert_satisfied();
    let file = "schema: dtu/target/v1\nname: script\ncommand: [sh, -c, 'echo $WHO; exec sleep 60']\nenv: {WHO: nobody}\n\
                ready: {any_of: [{log: lena}], timeout: 60s}\n";
    context.write("target.yaml", file);
    let file = Target::file(context.path("target.yaml")).expect("is a target file").env("WHO", "lena");
    run(&context, &file).await.expect("runs").assert_satisfied();
    context.write("target.yaml", "schema: dtu/target/v1\nname: script\n");
    let refused = Target::file(context.path("target.yaml")).expect_err("has no command");
    assert!(refused.to_string().contains("`command` is empty"), "{refused}");
}
