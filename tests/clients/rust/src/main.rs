//! slack-morphism, unmodified, as a whole app against Slack's twin: it is installed, takes a command, shows a modal,
//! posts a message with a button, and answers that with a reply, a file and a message that comes later.

mod control;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail, ensure};
use hyper_util::client::legacy::connect::HttpConnector;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use slack_morphism::prelude::*;

use self::control::{Control, env};

/// The library's client over plain HTTP: its connector is an argument, as is the address of the API.
type Http = SlackClientHyperConnector<HttpConnector>;
type Client = SlackClient<Http>;
type Any<T> = UserCallbackResult<T>;

const APP: &str = "dtu-tester";
const RECEIPT: &str = "one supper\n";

static HELD: AtomicU32 = AtomicU32::new(0);

fn claim(truth: bool, message: &str) -> Result<()> {
    ensure!(truth, "{message}");
    HELD.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// The library's own types for requests, from what they are as JSON.
fn typed<T: DeserializeOwned>(value: Value) -> Any<T> {
    Ok(serde_json::from_value(value)?)
}

fn token(name: &str, kind: SlackApiTokenType) -> SlackApiToken {
    SlackApiToken::new(env(name).into()).with_token_type(kind)
}

fn bot() -> SlackApiToken {
    token("SLACK_BOT_TOKEN", SlackApiTokenType::Bot)
}

fn soon() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() + 3
}

fn order_view(channel: &str) -> Value {
    let plain = |text: &str| json!({ "type": "plain_text", "text": text });
    json!({
        "type": "modal",
        "callback_id": "order",
        "private_metadata": channel,
        "title": plain("Supper"),
        "submit": plain("Order"),
        "blocks": [{
            "type": "input",
            "block_id": "dish",
            "label": plain("Dish"),
            "element": { "type": "plain_text_input", "action_id": "name" },
        }],
    })
}

async fn command(
    event: SlackCommandEvent,
    client: Arc<Client>,
    _: SlackClientEventsUserState,
) -> Any<SlackCommandEventResponse> {
    let token = bot();
    let view = order_view(&event.channel_id.to_string());
    let request = typed(json!({ "trigger_id": event.trigger_id, "view": view }))?;
    client.open_session(&token).views_open(&request).await?;
    Ok(SlackCommandEventResponse::new(SlackMessageContent::new().with_text("What shall it be?".into())))
}

async fn interaction(
    event: SlackInteractionEvent,
    client: Arc<Client>,
    _: SlackClientEventsUserState,
) -> Any<SlackInteractionResponse> {
    match event {
        SlackInteractionEvent::ViewSubmission(submitted) => {
            ordered(&client, &serde_json::to_value(&submitted.view)?).await
        }
        SlackInteractionEvent::BlockActions(clicked) => {
            tokio::spawn(async move {
                if let Err(error) = cook(&client, &clicked).await {
                    eprintln!("what the button does: {error}");
                }
            });
            Ok(().into())
        }
        _ => Ok(().into()),
    }
}

async fn ordered(client: &Client, view: &Value) -> Any<SlackInteractionResponse> {
    let dish = view["state"]["values"]["dish"]["name"]["value"].as_str().unwrap_or_default();
    if dish == "stone" {
        let errors = json!({ "response_action": "errors", "errors": { "dish": "not to be eaten" } });
        return Ok(typed::<SlackViewSubmissionResponse>(errors)?.into());
    }
    let button = json!({
        "type": "button", "action_id": "cook", "value": dish,
        "text": { "type": "plain_text", "text": format!("Cook {dish}") },
    });
    let request: SlackApiChatPostMessageRequest = typed(json!({
        "channel": view["private_metadata"],
        "text": format!("{dish} for supper?"),
        "blocks": [{ "type": "actions", "elements": [button] }],
    }))?;
    let token = bot();
    client.open_session(&token).chat_post_message(&request).await?;
    Ok(().into())
}

async fn cook(client: &Client, clicked: &SlackInteractionBlockActionsEvent) -> Any<()> {
    let told = serde_json::to_value(clicked)?;
    let (dish, channel, ts) = (&told["actions"][0]["value"], &told["channel"]["id"], &told["message"]["ts"]);
    let dish = dish.as_str().unwrap_or_default();
    let answer = typed(json!({ "text": format!("{dish} is being cooked"), "replace_original": true }))?;
    let url = clicked.response_url.as_ref().ok_or("the click has no address for answers")?;
    client.respond_to_event(url, &answer).await?;
    let token = bot();
    let session = client.open_session(&token);
    let reply = typed(json!({ "channel": channel, "thread_ts": ts, "text": format!("Who wants {dish}?") }))?;
    session.chat_post_message(&reply).await?;
    let begin = SlackApiFilesGetUploadUrlExternalRequest::new("receipt.txt".into(), RECEIPT.len());
    let begun = session.get_upload_url_external(&begin).await?;
    let upload = SlackApiFilesUploadViaUrlRequest::new(begun.upload_url, RECEIPT.into(), "text/plain".into());
    session.files_upload_via_url(&upload).await?;
    let file = json!({ "id": begun.file_id, "title": format!("Receipt for {dish}") });
    let complete = typed(json!({ "files": [file], "channel_id": channel, "thread_ts": ts }))?;
    session.files_complete_upload_external(&complete).await?;
    let later = json!({ "channel": channel, "post_at": soon(), "text": format!("{dish} is ready") });
    session.chat_schedule_message(&typed(later)?).await?;
    Ok(())
}

/// A person lets the app in; the library trades the code for a token, which works.
async fn install(client: &Client, control: &Control) -> Result<()> {
    let redirect = "http://127.0.0.1:9/back";
    control.act("dana", "slack.admin.distribute_app", json!({ "app": APP, "redirect_urls": [redirect] })).await?;
    let allowed =
        control.act("dana", "slack.user.install_app", json!({ "app": APP, "redirect_uri": redirect })).await?;
    let text = |name: &str| allowed[name].as_str().unwrap_or_default().to_owned();
    let request = SlackOAuthV2AccessTokenRequest::new(
        text("client_id").into(),
        text("client_secret").into(),
        text("code").into(),
    )
    .with_redirect_uri(redirect.parse()?);
    let installed = client.oauth2_access(&request).await?;
    let token = SlackApiToken::new(installed.access_token);
    let told = client.open_session(&token).auth_test().await?;
    claim(installed.bot_user_id.as_ref() == Some(&told.user_id), "the app is installed")
}

async fn eat(control: &Control, dish: &str) -> Result<()> {
    let fill = |value: &str| json!({ "label": "Dish", "value": value });
    let slash = json!({ "channel": "general", "command": "/supper", "text": dish });
    control.act("lena", "slack.user.slash", slash).await?;
    control.shows("ephemerals", "text", "What shall it be?", "the command is answered").await?;
    control.can("slack.user.use", fill("stone"), "a modal opens").await?;
    control.act("lena", "slack.user.submit", json!({})).await?;
    control.shows("windows", "errors", json!({ "dish": "not to be eaten" }), "a wrong order leaves it open").await?;
    control.can("slack.user.use", fill(dish), "and to be filled again").await?;
    control.act("lena", "slack.user.submit", json!({})).await?;
    control.shows("messages", "text", format!("{dish} for supper?"), "the order is posted").await?;
    control.act("lena", "slack.user.click", json!({ "channel": "general", "label": format!("Cook {dish}") })).await?;
    let cooking =
        control.shows("messages", "text", format!("{dish} is being cooked"), "the message is replaced").await?;
    let reply = control.shows("messages", "text", format!("Who wants {dish}?"), "the app replies").await?;
    claim(reply["thread_ts"] == cooking["ts"], "in the message's thread")?;
    let file = control.shows("files", "title", format!("Receipt for {dish}"), "a file is uploaded").await?;
    claim(file["text"] == RECEIPT, "whole")?;
    control.shows("messages", "text", format!("{dish} is ready"), "a message comes later").await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let connector = Http::with_connector(HttpConnector::new());
    let api = env("SLACK_API_URL");
    let client = Arc::new(SlackClient::new(connector.with_slack_api_url(api.trim_end_matches('/'))));
    let control = Control::new();
    install(&client, &control).await?;
    let sockets = json!({ "app": APP, "socket_mode": true, "commands": { "/supper": "" } });
    control.act("dana", "slack.admin.configure_app", sockets).await?;
    let callbacks =
        SlackSocketModeListenerCallbacks::new().with_command_events(command).with_interaction_events(interaction);
    let environment = Arc::new(SlackClientEventsListenerEnvironment::new(Arc::clone(&client)));
    let config = SlackClientSocketModeConfig::new().with_max_connections_count(2).with_initial_backoff_in_seconds(1);
    let listener = SlackClientSocketModeListener::new(&config, environment, callbacks);
    listener.listen_for(&token("SLACK_APP_TOKEN", SlackApiTokenType::App)).await?;
    listener.start().await;
    control.shows("apps", "sockets", 2, "both connections are there").await?;
    let eaten = tokio::time::timeout(Duration::from_secs(60), eat(&control, "lentils")).await;
    match eaten.context("supper takes more than a minute")? {
        Ok(()) => listener.shutdown().await,
        Err(error) => bail!("{error:#}"),
    }
    println!("{} claims held", HELD.load(Ordering::Relaxed));
    std::process::exit(0);
}
