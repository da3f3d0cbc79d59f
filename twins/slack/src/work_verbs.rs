//! What people do with calls, workflow steps and things of other services.

use std::sync::Arc;

use dtu_kernel::{
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use crate::{
    Slack,
    affordances::{find_app, find_message, find_to_write},
    announce, events,
    model::{
        State, calls,
        functions::{self, Function, Parameter},
        interactivity, mcp,
        schedule::stamp,
        time::ts_text,
    },
    text,
};

/// The verbs.
pub(crate) fn all() -> Vec<Affordance<Slack>> {
    vec![
        Affordance::new("slack.user.reject_call", "Declines a call that a message shows.", reject_call),
        Affordance::new("slack.admin.define_function", "Tells what an app offers to workflows.", define_function),
        Affordance::new("slack.admin.declare_mcp_server", "Tells of an MCP server of an app.", declare_mcp_server),
        Affordance::new("slack.user.run_function", "Runs a workflow with a step of an app.", run_function),
        Affordance::new("slack.user.open_entity", "Opens what an app shows behind a link.", open_entity),
    ]
}

/// Arguments of `slack.user.reject_call`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RejectCall {
    /// Name, `#name` or id; `@somebody` for a direct message.
    channel: String,
    /// The message that shows the call.
    ts: String,
}

fn reject_call(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: RejectCall) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_to_write(state, tx, &user, &with.channel)?;
    let ts = find_message(state, &channel, &with.ts)?;
    let shown = state.message(&channel.id, ts).and_then(|message| calls::ids(message).into_iter().next());
    let call = shown.and_then(|id| state.content.calls.get(&id).map(Arc::clone));
    let call = call.ok_or_else(|| Refusal::new("the message shows no call"))?;
    if call.date_end.is_some() {
        return Err(Refusal::new("the call is over"));
    }
    calls::update(state, tx, &call.id, |call| call.rejected_by.push(user.id.clone()));
    let event = json!({
        "type": "call_rejected",
        "call_id": call.id,
        "user_id": user.id,
        "channel_id": channel.id,
        "external_unique_id": call.external_unique_id,
        "event_ts": stamp(tx.now),
    });
    events::tell(state, tx, &call.app, Some(&channel.id), &event);
    Ok(json!({ "call": call.id, "channel": channel.id }))
}

/// Arguments of `slack.admin.define_function`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DefineFunction {
    /// The app's key, name or id.
    app: String,
    /// What the app knows it by.
    callback_id: SmolStr,
    /// What people see.
    title: SmolStr,
    /// More of that.
    #[serde(default)]
    description: SmolStr,
    /// What goes in.
    #[serde(default)]
    input_parameters: Vec<Parameter>,
    /// What comes out.
    #[serde(default)]
    output_parameters: Vec<Parameter>,
}

fn define_function(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: DefineFunction) -> Result<Value, Refusal> {
    let app = find_app(state, actor, &with.app)?;
    let function = Function {
        id: SmolStr::default(),
        app: app.id.clone(),
        callback_id: with.callback_id,
        title: with.title,
        description: with.description,
        inputs: with.input_parameters.into(),
        outputs: with.output_parameters.into(),
        created: 0,
        updated: 0,
        trigger: SmolStr::default(),
    };
    let row = functions::define(state, tx, function);
    Ok(json!({ "function": row.id, "trigger": row.trigger }))
}

/// Arguments of `slack.admin.declare_mcp_server`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeclareMcpServer {
    /// The app's key, name or id.
    app: String,
    /// What the app calls it.
    name: SmolStr,
    /// Where it is, over https.
    url: SmolStr,
}

fn declare_mcp_server(
    state: &mut State,
    tx: &mut Tx<'_>,
    actor: &str,
    with: DeclareMcpServer,
) -> Result<Value, Refusal> {
    let app = find_app(state, actor, &with.app)?;
    if with.name.is_empty() || !with.url.starts_with("https://") {
        return Err(Refusal::new("a server has a name and an address over https"));
    }
    Ok(json!({ "server": mcp::declare(state, tx, &app.id, &with.name, &with.url) }))
}

/// Arguments of `slack.user.run_function`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RunFunction {
    /// The app's key, name or id.
    app: String,
    /// The function.
    callback_id: SmolStr,
    /// What goes in.
    #[serde(default)]
    inputs: Map<String, Value>,
}

fn run_function(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: RunFunction) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let app = state.find_app(&with.app).filter(|app| !app.removed).map(Arc::clone);
    let app = app.ok_or_else(|| Refusal::new(format!("no app `{}` is installed", with.app)))?;
    let function = state.content.functions.get(&(app.id.clone(), with.callback_id.clone())).map(Arc::clone);
    let missing = || Refusal::new(format!("the app `{}` offers no function `{}`", app.key, with.callback_id));
    let function = function.ok_or_else(missing)?;
    if !state.workflow(&app.id, &with.callback_id).is_some_and(|workflow| workflow.published) {
        return Err(Refusal::new("the workflow is not published any more"));
    }
    let run = functions::run(state, tx, (&app, &user.id), &function, with.inputs);
    let run = run.map_err(|problems| Refusal::new(format!("the inputs do not fit: {}", problems.join("; "))))?;
    Ok(json!({ "app": app.id, "function_execution_id": run.id }))
}

/// Arguments of `slack.user.open_entity`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OpenEntity {
    /// Name, `#name` or id; `@somebody` for a direct message.
    channel: String,
    /// The message with the link.
    ts: String,
    /// The link.
    url: String,
}

fn open_entity(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: OpenEntity) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_to_write(state, tx, &user, &with.channel)?;
    let ts = find_message(state, &channel, &with.ts)?;
    let message = state.message(&channel.id, ts).map(Arc::clone);
    let message = message.filter(|message| announce::links(&message.text).any(|url| text::unescape(url) == with.url));
    let message = message.ok_or_else(|| Refusal::new(format!("the message has no link `{}`", with.url)))?;
    let apps = events::listeners(state, "entity_details_requested");
    let found = apps.into_iter().find_map(|app| {
        let domain = announce::domain_of(&app.unfurl_domains, &with.url).cloned()?;
        Some((app, domain))
    });
    let (app, domain) = found.ok_or_else(|| Refusal::new("no app shows more of the link"))?;
    let trigger = interactivity::make_trigger(state, tx, &app.id, &user.id);
    let mut event = json!({
        "type": "entity_details_requested",
        "user": user.id,
        "trigger_id": trigger,
        "link": { "url": with.url, "domain": domain },
        "entity_url": with.url,
        "app_unfurl_url": with.url,
        "user_locale": "en-US",
        "channel": channel.id,
        "message_ts": ts_text(ts),
        "event_ts": stamp(tx.now),
    });
    if let Some(thread) = message.reply_to {
        event["thread_ts"] = json!(ts_text(thread));
    }
    events::tell(state, tx, &app.id, Some(&channel.id), &event);
    Ok(json!({ "app": app.id, "trigger_id": trigger }))
}
