//! Two whole tests of a small bot: `cargo run --package dtu --example library`.
//!
//! The bot answers the slash command `/access` by saying in a channel who asks for what. In a project of yours the bot
//! is your own program, and each function below is a `#[tokio::test(flavor = "multi_thread")]`.

use std::time::Duration;

use axum::{Form, Router, extract::State, routing::post};
use dtu::{Error, Place, Scenario, Target, Trajectories, Universe, kernel::clock::ClockMode};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// What Slack sends of a command, as far as the bot cares.
#[derive(Deserialize)]
struct Command {
    user_id: String,
    text: String,
}

/// Whether the bot waits when Slack tells it to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// It tries again after that.
    Patient,
    /// It goes on as if all were well.
    Hasty,
}

/// The program under test.
async fn bot(place: Place, manner: Manner) -> std::io::Result<()> {
    let listener = place.listen().await?;
    let answer = move |State(place): State<Place>, Form(command): Form<Command>| async move {
        // Slack wants its answer at once.
        tokio::spawn(async move { ask(&place, &command, manner).await });
    };
    let app = Router::new().route("/commands", post(answer)).with_state(place.clone());
    place.say("listening");
    axum::serve(listener, app).await
}

#[expect(clippy::disallowed_methods, reason = "the bot is a program like any other: it waits in the machine's time")]
async fn ask(place: &Place, command: &Command, manner: Manner) -> reqwest::Result<()> {
    let text = format!("<@{}> asks for {}", command.user_id, command.text);
    let call = reqwest::Client::new()
        .post(format!("{}chat.postMessage", place.var("SLACK_API_URL")))
        .bearer_auth(place.var("SLACK_BOT_TOKEN"))
        .json(&json!({ "channel": "access-requests", "text": text }));
    loop {
        let answer = call.try_clone().expect("its body is a text").send().await?;
        if answer.status() != StatusCode::TOO_MANY_REQUESTS || matches!(manner, Manner::Hasty) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Who does what, what fails meanwhile, and what must hold. Usually a file outside the bot's repository.
const STORY: &str = r##"
schema: dtu/scenario/v1
id: access.asked
title: A request reaches the channel, though Slack is busy
story: Somebody types /access. Slack turns the first message down and says how long to wait.
world: acme
params:
  who: {one_of: [lena, priya]}
faults:
  - rule:
      id: slack-is-busy
      on: {twin: slack, operation: chat.postMessage, nth: 1}
      do: {rate_limited: {retry_after: 1s}}
    require: fired
beats:
  - as: "${params.who}"
    do: slack.user.slash
    with: {channel: "#access-requests", command: /access, text: figma-admin}
checks:
  - name: the channel reads of it
    that:
      eventually:
        within: 4s
        that: slack.messages.exists(m, m.channel == 'access-requests' && m.text.endsWith('asks for figma-admin'))
collateral:
  allow: [{table: slack.messages}, {table: slack.channels}]
"##;

/// Runs the story: two people, two seeds each, twins of their own for every trajectory.
pub(crate) async fn tell(manner: Manner) -> Result<Trajectories, Error> {
    let target = Target::task("bot", move |place| bot(place, manner))
        .env("SLACK_BOT_TOKEN", "xoxb-dtu-acme-accessbot-not-a-real-token")
        .connect(
            "dana",
            "slack.admin.configure_app",
            json!({
                "app": "access-bot",
                "commands": { "/access": "http://127.0.0.1:${port}/commands" },
            }),
        )
        .ready_when_it_says("listening");
    Scenario::parse(STORY)?.seeds(2).run(&target).await
}

/// Without a story: a universe, whose people, clock and faults the test itself drives.
pub(crate) async fn by_hand() -> Result<(), Error> {
    let universe = Universe::begin("acme").seed(7).clock(ClockMode::Stepped).start().await?;
    let env = universe.env()?;
    let whoami = || async {
        let call = reqwest::Client::new().post(format!("{}auth.test", env["SLACK_API_URL"]));
        let answer = call.bearer_auth(&env["SLACK_BOT_TOKEN"]).send().await.expect("Slack answers");
        serde_json::from_str::<Value>(&answer.text().await.expect("is text")).expect("is JSON")
    };
    assert_eq!(whoami().await["ok"], true);

    // A fault holds as long as what was given back.
    let busy = universe.fault("[{id: busy, on: {twin: slack}, do: {error: {code: internal_error}}}]")?;
    assert_eq!(whoami().await["error"], "internal_error");
    drop(busy);

    // A fork goes on apart from here.
    let fork = universe.fork(None)?;
    fork.act("lena", "slack.user.post", json!({ "channel": "#general", "text": "only here" }))?;
    assert!(fork.holds("slack.messages.exists(m, m.text == 'only here')")?);
    assert!(!universe.holds("slack.messages.exists(m, m.text == 'only here')")?);

    // An hour goes by in no time.
    let before = universe.now();
    universe.advance(Duration::from_secs(3_600)).await;
    assert_eq!(universe.now().since(before), Duration::from_secs(3_600));

    // Checks are those of scenario files.
    let results =
        universe.judge("checks: [{name: asked twice, that: {count: {of: \"e.operation == 'auth.test'\", min: 2}}}]");
    assert!(results.await?.iter().all(|result| result.held == dtu::verdict::Held::Yes));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    by_hand().await?;
    tell(Manner::Patient).await?.assert_satisfied();
    let hasty = tell(Manner::Hasty).await?;
    assert_eq!(hasty.satisfaction(), Some(0.0));
    #[expect(clippy::print_stdout, reason = "an example shows what it does")]
    {
        println!("{hasty}");
    }
    Ok(())
}
