//! Human verbs on modals, Home tabs and controls: open, fill, pick, press, submit, close, run a shortcut.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use dtu_kernel::{
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    Slack,
    blocks::{self, Control},
    emoji,
    error::Code,
    events::{self, BLOCK_ACTIONS, BLOCK_SUGGESTION, SHORTCUT},
    menu_verbs,
    model::{
        State,
        apps::App,
        channels,
        dialogs::{self, Dialog},
        files,
        interactivity::{self, Occasion, Original},
        people::User,
        surfaces::{self, Picks, Window},
        time::{micros, parse_ts, ts_text},
    },
    shapes,
};

/// The verbs.
pub(crate) fn all() -> Vec<Affordance<Slack>> {
    vec![
        Affordance::new("slack.user.open_home", "Opens the Home tab of an app.", open_home),
        Affordance::new("slack.user.shortcut", "Runs an app's shortcut, on a message or anywhere.", shortcut),
        Affordance::new("slack.user.use", "Uses a control of a modal, Home tab or message.", operate),
        Affordance::new("slack.user.look_up", "Types into a select whose options the app gives.", look_up),
        Affordance::new("slack.user.upload", "Uploads a file and shares it in a channel.", upload),
        Affordance::new("slack.user.submit", "Submits the modal on top.", submit),
        Affordance::new("slack.user.close", "Closes the modal on top.", close),
        Affordance::new("slack.user.submit_dialog", "Fills in a dialog and submits it.", submit_dialog),
        Affordance::new(
            "slack.user.look_up_in_dialog",
            "Types into a dialog's select whose options the app gives.",
            ask,
        ),
        Affordance::new("slack.user.cancel_dialog", "Closes a dialog without submitting it.", cancel_dialog),
    ]
}

fn find_app(state: &State, named: &str) -> Result<Arc<App>, Refusal> {
    let app = state.find_app(named).filter(|app| !app.removed);
    app.map(Arc::clone).ok_or_else(|| Refusal::new(format!("no app `{named}` is installed")))
}

/// The app, where it takes what people do.
pub(crate) fn check_listens(app: &App) -> Result<(), Refusal> {
    if app.interacts() {
        return Ok(());
    }
    Err(Refusal::new(format!("the app `{}` is not configured to handle interactive responses", app.key)))
}

/// Arguments of `slack.user.open_home`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OpenHome {
    /// The app's key, name or id.
    app: String,
    /// The tab: `home` or `messages`; `home` where absent.
    #[serde(default)]
    tab: Tab,
}

/// A tab of an app's page.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Tab {
    /// What the app publishes.
    #[default]
    Home,
    /// The direct message with the app.
    Messages,
}

fn open_home(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: OpenHome) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let app = find_app(state, &with.app)?;
    let tab = match with.tab {
        Tab::Home if app.surfaces.no_home => {
            return Err(Refusal::new(format!("the app `{}` has no Home tab", app.key)));
        }
        Tab::Home => "home",
        Tab::Messages => "messages",
    };
    let channel = channels::open_direct(state, tx, &[user.id.clone(), app.bot_user.clone()]);
    let mut event = json!({
        "type": "app_home_opened",
        "user": user.id,
        "channel": channel,
        "tab": tab,
        "event_ts": ts_text(micros(tx.now)),
    });
    let view = state.home_of(&app.id, &user.id).filter(|_| tab == "home").map(Arc::clone);
    if let Some(window) = &view {
        event["view"] = surfaces::render(state, window);
    }
    events::tell(state, tx, &app.id, None, &event);
    Ok(json!({ "app": app.id, "channel": channel, "view": view.map(|window| window.id.clone()) }))
}

/// Arguments of `slack.user.shortcut`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Shortcut {
    /// The app's key, name or id.
    app: String,
    /// The shortcut.
    callback_id: SmolStr,
    /// Where the message is, for a shortcut on messages.
    channel: Option<String>,
    /// The message.
    message_ts: Option<String>,
}

fn shortcut(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Shortcut) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let app = find_app(state, &with.app)?;
    check_listens(&app)?;
    let Some(on_message) = app.surfaces.shortcuts.get(&with.callback_id).copied() else {
        return Err(Refusal::new(format!("the app `{}` has no shortcut `{}`", app.key, with.callback_id)));
    };
    let target = match (on_message, &with.channel, &with.message_ts) {
        (false, None, None) => None,
        (true, Some(channel), Some(ts)) => Some(find_message(state, &user, channel, ts)?),
        (true, ..) => return Err(Refusal::new("name the `channel` and `message_ts` that the shortcut is for")),
        (false, ..) => return Err(Refusal::new("the shortcut is not one on messages")),
    };
    let trigger = interactivity::make_trigger(state, tx, &app.id, &user.id);
    let kind = if on_message { "message_action" } else { "shortcut" };
    let mut body = surfaces::payload(state, &app, &user, kind);
    body["callback_id"] = json!(with.callback_id);
    body["trigger_id"] = json!(trigger);
    body["action_ts"] = json!(ts_text(micros(tx.now)));
    if let Some((channel, ts)) = target
        && let (Some(occasion), Some(message)) =
            (Occasion::find(state, &app.id, &user.id, &channel), state.message(&channel, ts).map(Arc::clone))
    {
        let on = Some(Original::Message(ts));
        let (_, url) = interactivity::make_response_url(state, tx, "actions", &occasion, on);
        body["response_url"] = json!(url);
        body["message_ts"] = json!(ts_text(ts));
        body["channel"] = json!({ "id": channel, "name": interactivity::payload_name(&occasion.channel) });
        body["message"] = shapes::message_value(state, &channel, &message);
    }
    tx.deliver(SHORTCUT, json!({ "app": app.id, "body": body }));
    Ok(json!({ "app": app.key, "trigger_id": trigger }))
}

pub(crate) fn find_message(state: &State, user: &User, named: &str, ts: &str) -> Result<(SmolStr, u64), Refusal> {
    let channel = state.visible_by_name(named, &user.id).map(|channel| channel.id.clone());
    let channel = channel.ok_or_else(|| Refusal::new(format!("`{}` sees no channel `{named}`", user.label())))?;
    let found = parse_ts(ts).filter(|ts| {
        let key = ((channel.clone(), user.id.clone()), *ts);
        state.message(&channel, *ts).is_some() || state.ephemerals.contains(&key)
    });
    found.map(|ts| (channel, ts)).ok_or_else(|| Refusal::new(format!("`{named}` has no message `{ts}`")))
}

/// A control, by where it is and what names it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Use {
    /// The app whose Home tab it is on. The modal on top where this and `channel` are absent.
    home: Option<String>,
    /// Where its message is.
    pub(crate) channel: Option<String>,
    /// The message.
    pub(crate) message_ts: Option<String>,
    /// The control by its action id; a menu of an attachment by its name.
    pub(crate) action_id: Option<String>,
    /// The control by what it or its input block says.
    pub(crate) label: Option<String>,
    /// The block, where several have such a control.
    block_id: Option<String>,
    /// What to type, pick or set: a text, a number, or a list. Nothing for a button.
    pub(crate) value: Option<Value>,
}

/// Where a control is.
enum Place {
    Window(Arc<Window>),
    Message { channel: SmolStr, on: Original, app: SmolStr, blocks: Arc<Value> },
}

impl Place {
    fn app<'a>(&self, state: &'a State) -> Result<&'a Arc<App>, Refusal> {
        let id = match self {
            Self::Window(window) => &window.app,
            Self::Message { app, .. } => app,
        };
        let app = state.apps.get(id).filter(|app| !app.removed);
        app.ok_or_else(|| Refusal::new("the app behind it is no longer installed"))
    }

    fn blocks(&self) -> &Value {
        match self {
            Self::Window(window) => &window.view["blocks"],
            Self::Message { blocks, .. } => blocks,
        }
    }
}

impl Use {
    fn place(&self, state: &State, user: &User) -> Result<Place, Refusal> {
        if let Some(app) = &self.home {
            let app = find_app(state, app)?;
            let home = state.home_of(&app.id, &user.id).map(Arc::clone);
            return home.map(Place::Window).ok_or_else(|| Refusal::new("the Home tab is empty"));
        }
        let Some(named) = &self.channel else {
            let modal = state.modal_of(&user.id).map(Arc::clone);
            return modal.map(Place::Window).ok_or_else(|| Refusal::new("no modal is open"));
        };
        let ts = self.message_ts.as_ref().ok_or_else(|| Refusal::new("name the message with `message_ts`"))?;
        let (channel, ts) = find_message(state, user, named, ts)?;
        let is_for_all = state.message(&channel, ts).is_some();
        let on = if is_for_all { Original::Message(ts) } else { Original::Ephemeral(ts) };
        let app = interactivity::app_of(state, &channel, &user.id, on);
        let blocks = interactivity::blocks_of(state, &channel, &user.id, on);
        match (app, blocks) {
            (Some(app), Some(blocks)) => Ok(Place::Message { channel, on, app, blocks }),
            _ => Err(Refusal::new("the message has no controls")),
        }
    }

    fn control(&self, place: &Place) -> Result<Control, Refusal> {
        let all = blocks::controls(place.blocks());
        let fits = |control: &&Control| {
            self.action_id.as_ref().is_none_or(|id| control.action_id() == id)
                && self.block_id.as_ref().is_none_or(|id| control.block_id == *id)
                && self.label.as_ref().is_none_or(|label| emoji::is_meant(&control.says(), label))
        };
        let found = all.iter().find(fits).filter(|_| self.action_id.is_some() || self.label.is_some());
        found.cloned().ok_or_else(|| {
            let there: Vec<&str> = all.iter().map(Control::action_id).collect();
            Refusal::new(format!("there is no such control; there are {}", there.join(", ")))
        })
    }
}

fn operate(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Use) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    if let Some(menu) = menu_verbs::find(state, &user, &with)? {
        return menu_verbs::pick(state, tx, &menu, &with);
    }
    let place = with.place(state, &user)?;
    let control = with.control(&place)?;
    let app = Arc::clone(place.app(state)?);
    if control.dispatches {
        check_listens(&app)?;
    }
    let choice = {
        let offered = state.suggestions.get(&user.id).filter(|row| row.action_id == control.action_id());
        let offered = offered.and_then(|row| row.options.as_array()).map(Vec::as_slice).unwrap_or_default();
        let find = |kind: &'static str, named: &str| match kind {
            "user" => state.find_user(named.trim_start_matches('@')).map(|user| user.id.to_string()),
            _ => state.visible_by_name(named, &user.id).map(|channel| channel.id.to_string()),
        };
        blocks::operate(&control, with.value.as_ref(), offered, find).map_err(Refusal::new)?
    };
    let mut action = interactivity::action(&control.element, &control.block_id, tx.now);
    if let Some((member, set_to)) = &choice.set {
        action[*member] = set_to.clone();
        if let Some(entry) = blocks::entry(&control.element, set_to.clone()) {
            keep(state, tx, &user, &place, &control, entry);
        }
    }
    if control.dispatches {
        tell(state, tx, &app, &user, &place, &action);
    }
    Ok(json!({ "app": app.key, "action_id": control.action_id(), "told": control.dispatches }))
}

/// Remembers what a control was set to.
fn keep(state: &mut State, tx: &mut Tx<'_>, user: &User, place: &Place, control: &Control, entry: Value) {
    match place {
        Place::Window(window) => surfaces::set(state, tx, &window.id, &control.block_id, control.action_id(), entry),
        Place::Message { channel, on, .. } => {
            let (Original::Message(ts) | Original::Ephemeral(ts)) = *on;
            let key = ((channel.clone(), user.id.clone()), ts);
            let mut values = state.picks.get(&key).map_or_else(|| json!({}), |picks| Value::clone(&picks.values));
            values[&control.block_id][control.action_id()] = entry;
            state.picks.put(&mut tx.changes, key, Picks { values: Arc::new(values) });
        }
    }
}

/// Tells the app that a control was used.
fn tell(state: &mut State, tx: &mut Tx<'_>, app: &Arc<App>, user: &Arc<User>, place: &Place, action: &Value) {
    match place {
        Place::Message { channel, on, .. } => {
            if let Some(occasion) = Occasion::find(state, &app.id, &user.id, channel) {
                interactivity::act(state, tx, &occasion, *on, action);
            }
        }
        Place::Window(window) => {
            let trigger = interactivity::make_trigger(state, tx, &app.id, &user.id);
            let window = state.windows.get(&window.id).map_or_else(|| Arc::clone(window), Arc::clone);
            let mut body = surfaces::payload(state, app, user, "block_actions");
            body["container"] = json!({ "type": "view", "view_id": window.id });
            body["trigger_id"] = json!(trigger);
            body["view"] = surfaces::render(state, &window);
            body["actions"] = json!([action]);
            tx.deliver(BLOCK_ACTIONS, json!({ "app": app.id, "body": body }));
        }
    }
}

fn look_up(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Use) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    if let Some(menu) = menu_verbs::find(state, &user, &with)? {
        return menu_verbs::look_up(state, tx, &menu, &with);
    }
    let place = with.place(state, &user)?;
    let control = with.control(&place)?;
    if !blocks::is_select(control.kind()) || !control.kind().ends_with("external_select") {
        return Err(Refusal::new("only selects whose options the app gives are looked up"));
    }
    let app = Arc::clone(place.app(state)?);
    check_listens(&app)?;
    let typed = with.value.as_ref().and_then(Value::as_str).unwrap_or_default();
    let least = control.element["min_query_length"].as_u64().unwrap_or(3);
    if (u64::try_from(typed.chars().count()).unwrap_or(u64::MAX)) < least {
        return Err(Refusal::new(format!("options are looked up from {least} characters on")));
    }
    let mut body = surfaces::payload(state, &app, &user, "block_suggestion");
    body["action_id"] = json!(control.action_id());
    body["block_id"] = json!(control.block_id);
    body["value"] = json!(typed);
    match &place {
        Place::Window(window) => {
            body["container"] = json!({ "type": "view", "view_id": window.id });
            body["view"] = surfaces::render(state, window);
        }
        Place::Message { channel, on, .. } => {
            let (Original::Message(ts) | Original::Ephemeral(ts)) = *on;
            body["container"] = json!({ "type": "message", "message_ts": ts_text(ts), "channel_id": channel });
            body["channel"] = json!({ "id": channel });
        }
    }
    tx.deliver(BLOCK_SUGGESTION, json!({ "app": app.id, "body": body }));
    Ok(json!({ "app": app.key, "action_id": control.action_id() }))
}

/// Arguments of `slack.user.upload`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Upload {
    /// Name, `#name` or id.
    channel: String,
    /// The file's name.
    name: String,
    /// What is in it, of a text.
    #[serde(default)]
    content: String,
    /// What is in it, in Base64, of anything else.
    base64: Option<String>,
    /// What to say with it.
    #[serde(default)]
    comment: String,
    /// The thread to share it in.
    thread_ts: Option<String>,
}

fn upload(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Upload) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = state.visible_by_name(&with.channel, &user.id).map(Arc::clone);
    let channel = channel.filter(|channel| !channel.archived && state.is_member(&channel.id, &user.id));
    let channel =
        channel.ok_or_else(|| Refusal::new(format!("`{}` cannot post in `{}`", user.label(), with.channel)))?;
    let thread = with.thread_ts.as_deref().map(|ts| find_message(state, &user, &with.channel, ts)).transpose()?;
    let refused = |code: Code| Refusal::new(format!("the file cannot be uploaded: {}", code.as_str()));
    let content = match with.base64 {
        None => with.content.into_bytes(),
        Some(text) => STANDARD.decode(text.trim()).map_err(|_| Refusal::new("`base64` is not Base64"))?,
    };
    let content = Bytes::from(content);
    let id = files::upload(state, tx, &user.id, &with.name, content).map_err(refused)?;
    let shared = files::Shared { thread: thread.map(|(_, ts)| ts), words: &with.comment, blocks: &Value::Null };
    let ts = files::share(state, tx, &channel.id, &user.id, std::slice::from_ref(&id), shared);
    Ok(json!({ "file": id, "channel": channel.id, "ts": ts.map(ts_text) }))
}

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn submit(state: &mut State, tx: &mut Tx<'_>, actor: &str, Nothing {}: Nothing) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let window = state.modal_of(&user.id).map(Arc::clone).ok_or_else(|| Refusal::new("no modal is open"))?;
    let app = Arc::clone(Place::Window(Arc::clone(&window)).app(state)?);
    check_listens(&app)?;
    if window.view["submit"].is_null() {
        return Err(Refusal::new("the modal has no submit button"));
    }
    let is_missing = |control: &Control| {
        let entry = &window.values[&control.block_id][control.action_id()];
        control.is_input && !control.optional && blocks::is_blank(entry)
    };
    if let Some(control) = blocks::controls(&window.view["blocks"]).into_iter().find(is_missing) {
        return Err(Refusal::new(format!("please complete this required field: {}", control.label)));
    }
    surfaces::submit(state, tx, &window);
    Ok(json!({ "app": app.key, "view": window.id, "callback_id": window.text("callback_id") }))
}

fn close(state: &mut State, tx: &mut Tx<'_>, actor: &str, Nothing {}: Nothing) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let window = state.modal_of(&user.id).map(Arc::clone).ok_or_else(|| Refusal::new("no modal is open"))?;
    surfaces::close(state, tx, &window);
    Ok(json!({ "view": window.id }))
}

/// Arguments of `slack.user.submit_dialog`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SubmitDialog {
    /// What each element is set to, by its name; what it was filled in with where absent.
    #[serde(default)]
    values: serde_json::Map<String, Value>,
}

/// The dialog that somebody has open, and where.
fn find_dialog(state: &State, user: &User) -> Result<(Arc<Dialog>, Occasion), Refusal> {
    let missing = || Refusal::new(format!("`{}` has no dialog open", user.label()));
    let dialog = state.dialogs.get(&user.id).map(Arc::clone).ok_or_else(missing)?;
    let occasion = Occasion::find(state, &dialog.app, &user.id, &dialog.channel).ok_or_else(missing)?;
    Ok((dialog, occasion))
}

fn submit_dialog(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: SubmitDialog) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let (dialog, occasion) = find_dialog(state, &user)?;
    if let Some(why) = dialogs::objection(state, &user.id, &dialog, &with.values) {
        return Err(Refusal::new(why));
    }
    dialogs::submit(state, tx, &occasion, &with.values);
    Ok(json!({ "app": occasion.app.key, "callback_id": dialog.given["callback_id"] }))
}

/// Arguments of `slack.user.look_up_in_dialog`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ask {
    /// The element's name.
    name: String,
    /// What is typed.
    #[serde(default)]
    value: String,
}

fn ask(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Ask) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let (dialog, occasion) = find_dialog(state, &user)?;
    dialogs::look_up(state, tx, &occasion, &dialog, (&with.name, &with.value)).map_err(Refusal::new)?;
    Ok(json!({ "app": occasion.app.key, "name": with.name }))
}

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CancelDialog {}

fn cancel_dialog(state: &mut State, tx: &mut Tx<'_>, actor: &str, _: CancelDialog) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let (_, occasion) = find_dialog(state, &user)?;
    dialogs::cancel(state, tx, &occasion);
    Ok(json!({ "app": occasion.app.key }))
}
