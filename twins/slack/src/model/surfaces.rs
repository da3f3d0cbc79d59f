//! Modals and Home tabs: what apps open, what people do in them, and what apps answer.
//!
//! <https://docs.slack.dev/surfaces/modals>, <https://docs.slack.dev/surfaces/app-home>

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dtu_kernel::{delivery::Outcome, seed::Site, tx::Tx};
use serde::Serialize;
use serde_json::{Map, Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{
    SITE, State, VIEW,
    apps::App,
    interactivity::{self, Trigger},
    people::User,
};
use crate::{
    blocks::{self, Surface},
    error::{Code, Error},
    events::{VIEW_CLOSED, VIEW_SUBMISSION},
};

/// How long a trigger can be used.
const TRIGGER_LIFE: Duration = Duration::from_secs(3);
/// How many modals lie on top of each other.
const STACK_MAX: usize = 3;
/// The longest view, in bytes of JSON.
const VIEW_MAX: usize = 250 * 1024;

/// Where a view is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowKind {
    /// Over all else, until it is submitted or closed.
    Modal,
    /// In the app's Home tab.
    Home,
}

/// A modal that is open, or a Home tab.
#[derive(Clone, Debug, Serialize)]
pub struct Window {
    /// The id.
    pub id: SmolStr,
    /// Where it is shown.
    pub kind: WindowKind,
    /// The app.
    pub app: SmolStr,
    /// Who sees it.
    pub user: SmolStr,
    /// The view as the app gave it, completed.
    pub view: Arc<Value>,
    /// What the person has set its controls to: block to action to entry.
    pub values: Arc<Value>,
    /// What the app has said is wrong, by block.
    pub errors: BTreeMap<SmolStr, SmolStr>,
    /// What went wrong with the last submission.
    pub trouble: Option<SmolStr>,
    /// Changes with each update.
    pub hash: SmolStr,
    /// The first view of its stack.
    pub root: SmolStr,
    /// The view below it.
    pub previous: Option<SmolStr>,
}

impl Window {
    /// A text member of the view; empty where it has none.
    pub fn text(&self, name: &str) -> &str {
        self.view[name].as_str().unwrap_or_default()
    }

    fn flag(&self, name: &str) -> bool {
        self.view[name] == true
    }
}

/// What a person has set the controls of a message to.
#[derive(Clone, Debug, Serialize)]
pub struct Picks {
    /// Block to action to entry.
    pub values: Arc<Value>,
}

/// Options that an app has offered somebody who looks for some.
#[derive(Clone, Debug, Serialize)]
pub struct Suggestion {
    /// The control.
    pub action_id: SmolStr,
    /// The options.
    pub options: Arc<Value>,
}

/// A view that an app gives, checked and completed.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    view: Map<String, Value>,
}

impl Given {
    /// Reads a `view` argument: an object, or text that holds one.
    ///
    /// # Errors
    /// A view that is none, too large, or breaks the rules.
    pub(crate) fn read(argument: Value, kind: WindowKind, tx: &mut Tx<'_>) -> Result<Self, Error> {
        let wrong = |what: &str| Error::Arguments(vec![format!("{what} [json-pointer:/view]")]);
        let view = match argument {
            Value::String(text) => serde_json::from_str(&text).map_err(|_| wrong("must be valid JSON"))?,
            other => other,
        };
        let Value::Object(mut view) = view else { return Err(wrong("must provide an object")) };
        let (wanted, surface) = match kind {
            WindowKind::Modal => ("modal", Surface::Modal),
            WindowKind::Home => ("home", Surface::Home),
        };
        let problems = match view.get("type").and_then(Value::as_str) {
            Some(found) if found != wanted => {
                let at = "[json-pointer:/view";
                vec![format!("{} {at}]", blocks::ALL_OF), format!("must be a valid enum value {at}/type]")]
            }
            Some(_) => blocks::check_view(&view, surface),
            None => {
                let mut problems = blocks::check_view(&view, surface);
                if problems.is_empty() {
                    problems.push(format!("{} [json-pointer:/view]", blocks::ALL_OF));
                }
                problems.push("missing required field: type [json-pointer:/view]".to_owned());
                problems
            }
        };
        if !problems.is_empty() {
            return Err(Error::Arguments(problems));
        }
        if serde_json::to_vec(&view).map_or(0, |bytes| bytes.len()) > VIEW_MAX {
            return Err(Code::ViewTooLarge.into());
        }
        for name in ["title", "submit", "close"] {
            view.get_mut(name).map(blocks::complete_text);
        }
        if let Some(Value::Array(list)) = view.get_mut("blocks") {
            blocks::complete_all(list, tx);
        }
        Ok(Self { view })
    }

    fn external_id(&self) -> SmolStr {
        self.view.get("external_id").and_then(Value::as_str).unwrap_or_default().into()
    }
}

/// Exchanges a trigger for the right to show its user a window.
///
/// # Errors
/// A trigger that is none, another app's, over, or used.
pub(crate) fn use_trigger(state: &mut State, tx: &mut Tx<'_>, app: &SmolStr, id: &str) -> Result<Arc<Trigger>, Error> {
    if id.split('.').count() != 3 {
        return Err(Error::Arguments(vec!["invalid `trigger_id` [json-pointer:/trigger_id]".to_owned()]));
    }
    let id = SmolStr::new(id);
    let trigger = state.triggers.get(&id).filter(|trigger| trigger.app == *app).map(Arc::clone);
    let trigger = trigger.ok_or(Code::InvalidTriggerId)?;
    if trigger.used {
        return Err(Code::ExchangedTriggerId.into());
    }
    if tx.now.since(trigger.at) > TRIGGER_LIFE {
        return Err(Code::ExpiredTriggerId.into());
    }
    state.triggers.update(&mut tx.changes, &id, |trigger| trigger.used = true);
    Ok(trigger)
}

/// Shows a modal in place of those that the user has open.
///
/// # Errors
/// An external id that another view has.
pub(crate) fn open(
    state: &mut State,
    tx: &mut Tx<'_>,
    app: &SmolStr,
    user: &SmolStr,
    given: Given,
) -> Result<Arc<Window>, Code> {
    check_external_id(state, app, &given, None)?;
    close_all(state, tx, user);
    Ok(show(state, tx, WindowKind::Modal, app, user, given))
}

/// Lays a modal on top of those that the user has open.
///
/// # Errors
/// Three that are open already, none that is, or an external id that another view has.
pub(crate) fn push(
    state: &mut State,
    tx: &mut Tx<'_>,
    app: &SmolStr,
    user: &SmolStr,
    given: Given,
) -> Result<Arc<Window>, Code> {
    let stack = state.index.modals.get(user).map(Vec::as_slice).unwrap_or_default();
    let is_own = |id: &SmolStr| state.windows.get(id).is_some_and(|window| window.app == *app);
    if !stack.last().is_some_and(is_own) {
        return Err(Code::NotFound);
    }
    if stack.len() >= STACK_MAX {
        return Err(Code::PushLimitReached);
    }
    check_external_id(state, app, &given, None)?;
    Ok(show(state, tx, WindowKind::Modal, app, user, given))
}

/// Puts a view into the app's Home tab for a user, in place of the one before.
///
/// # Errors
/// A hash of an older view, or an external id that another view has.
pub(crate) fn publish(
    state: &mut State,
    tx: &mut Tx<'_>,
    app: &SmolStr,
    user: &SmolStr,
    given: Given,
    hash: Option<&str>,
) -> Result<Arc<Window>, Code> {
    match state.index.homes.get(&(app.clone(), user.clone())).cloned() {
        Some(id) => update(state, tx, &id, given, hash),
        None if hash.is_some() => Err(Code::HashConflict),
        None => {
            check_external_id(state, app, &given, None)?;
            Ok(show(state, tx, WindowKind::Home, app, user, given))
        }
    }
}

fn check_external_id(state: &State, app: &SmolStr, given: &Given, own: Option<&SmolStr>) -> Result<(), Code> {
    let holder = state.index.view_by_external_id.get(&(app.clone(), given.external_id()));
    if holder.is_some_and(|holder| Some(holder) != own) { Err(Code::DuplicateExternalId) } else { Ok(()) }
}

fn show(
    state: &mut State,
    tx: &mut Tx<'_>,
    kind: WindowKind,
    app: &SmolStr,
    user: &SmolStr,
    given: Given,
) -> Arc<Window> {
    let id = tx.id(&VIEW);
    let below = state.index.modals.get(user).filter(|_| kind == WindowKind::Modal);
    let (root, previous) =
        (below.and_then(|stack| stack.first()).cloned(), below.and_then(|stack| stack.last()).cloned());
    let view = Value::Object(given.view);
    let window = Window {
        kind,
        app: app.clone(),
        user: user.clone(),
        values: Arc::new(Value::Object(blocks::initial_values(&view["blocks"]))),
        errors: BTreeMap::new(),
        trouble: None,
        hash: hash(tx),
        root: root.unwrap_or_else(|| id.clone()),
        previous,
        view: Arc::new(view),
        id: id.clone(),
    };
    match kind {
        WindowKind::Modal => state.index.modals.entry(user.clone()).or_default().push(id),
        WindowKind::Home => drop(state.index.homes.insert((app.clone(), user.clone()), id)),
    }
    put(state, tx, window)
}

fn put(state: &mut State, tx: &mut Tx<'_>, window: Window) -> Arc<Window> {
    let external = SmolStr::new(window.text("external_id"));
    if !external.is_empty() {
        state.index.view_by_external_id.insert((window.app.clone(), external), window.id.clone());
    }
    state.windows.put(&mut tx.changes, window.id.clone(), window)
}

fn hash(tx: &mut Tx<'_>) -> SmolStr {
    const HASHES: Site = SITE.child("view hash");
    let drawn = tx.draw(HASHES).text(dtu_kernel::ids::ALNUM, 8);
    format_smolstr!("{}.{drawn}", tx.now.as_secs())
}

/// Shows another view in the same window. What people have set controls to stays where the controls stay.
///
/// # Errors
/// A window that is not there, the hash of an older view, or an external id that another view has.
pub(crate) fn update(
    state: &mut State,
    tx: &mut Tx<'_>,
    id: &SmolStr,
    given: Given,
    hash_was: Option<&str>,
) -> Result<Arc<Window>, Code> {
    let before = state.windows.get(id).map(Arc::clone).ok_or(Code::NotFound)?;
    if hash_was.is_some_and(|was| was != before.hash) {
        return Err(Code::HashConflict);
    }
    check_external_id(state, &before.app, &given, Some(id))?;
    forget_external_id(state, &before);
    let view = Value::Object(given.view);
    let mut values = blocks::initial_values(&view["blocks"]);
    for (block, actions) in &mut values {
        for (action, entry) in actions.as_object_mut().into_iter().flatten() {
            let kept = before.values.get(block).and_then(|actions| actions.get(action));
            if let Some(kept) = kept.filter(|kept| kept["type"] == entry["type"] && !blocks::is_blank(kept)) {
                *entry = kept.clone();
            }
        }
    }
    let window = Window {
        view: Arc::new(view),
        values: Arc::new(Value::Object(values)),
        errors: BTreeMap::new(),
        trouble: None,
        hash: hash(tx),
        ..Window::clone(&before)
    };
    Ok(put(state, tx, window))
}

fn forget_external_id(state: &mut State, window: &Window) {
    state.index.view_by_external_id.remove(&(window.app.clone(), window.text("external_id").into()));
}

fn close_one(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr) {
    let Some(window) = state.windows.remove(&mut tx.changes, id) else { return };
    forget_external_id(state, &window);
    if let Some(stack) = state.index.modals.get_mut(&window.user) {
        stack.retain(|open| open != id);
    }
}

/// Takes away all modals of a user.
pub(crate) fn close_all(state: &mut State, tx: &mut Tx<'_>, user: &SmolStr) {
    for id in state.index.modals.get(user).cloned().unwrap_or_default() {
        close_one(state, tx, &id);
    }
}

/// A person closes the modal on top; with it all below, where it says so.
pub(crate) fn close(state: &mut State, tx: &mut Tx<'_>, window: &Window) {
    let is_cleared = window.flag("clear_on_close");
    let closed: Vec<SmolStr> = match state.index.modals.get(&window.user) {
        Some(stack) if is_cleared => stack.iter().rev().cloned().collect(),
        _ => vec![window.id.clone()],
    };
    for id in closed {
        let Some(window) = state.windows.get(&id).map(Arc::clone) else { continue };
        if window.flag("notify_on_close")
            && let Some(mut body) = about(state, &window, "view_closed")
        {
            body["is_cleared"] = json!(is_cleared);
            tx.deliver(VIEW_CLOSED, json!({ "app": window.app, "body": body }));
        }
        close_one(state, tx, &id);
    }
}

/// A person sets a control of a window.
pub(crate) fn set(state: &mut State, tx: &mut Tx<'_>, id: &SmolStr, block: &str, action: &str, entry: Value) {
    state.windows.update(&mut tx.changes, id, |window| {
        let mut values = Value::clone(&window.values);
        values[block][action] = entry;
        window.values = Arc::new(values);
        window.errors.remove(block);
        window.trouble = None;
    });
}

/// A person submits a modal.
pub(crate) fn submit(state: &mut State, tx: &mut Tx<'_>, window: &Window) {
    let trigger = interactivity::make_trigger(state, tx, &window.app, &window.user);
    state.windows.update(&mut tx.changes, &window.id, |window| {
        window.errors.clear();
        window.trouble = None;
    });
    let Some(mut body) = about(state, window, "view_submission") else { return };
    body["trigger_id"] = json!(trigger);
    body["response_urls"] = response_urls(state, tx, window);
    tx.deliver(VIEW_SUBMISSION, json!({ "app": window.app, "view": window.id, "body": body }));
}

/// Addresses to post to, one for each control that asks for one.
fn response_urls(state: &mut State, tx: &mut Tx<'_>, window: &Window) -> Value {
    let mut urls = Vec::new();
    for control in blocks::controls(&window.view["blocks"]) {
        let entry = &window.values[&control.block_id][control.action_id()];
        let Some(channel) = blocks::picked(entry).and_then(Value::as_str) else { continue };
        let occasion = (control.element["response_url_enabled"] == true)
            .then(|| interactivity::Occasion::find(state, &window.app, &window.user, channel))
            .flatten();
        if let Some(occasion) = occasion {
            let (_, url) = interactivity::make_response_url(state, tx, "actions", &occasion, None);
            urls.push(json!({
                "block_id": control.block_id,
                "action_id": control.action_id(),
                "channel_id": channel,
                "response_url": url,
            }));
        }
    }
    Value::Array(urls)
}

/// What payloads about a window have in common.
fn about(state: &State, window: &Window, kind: &str) -> Option<Value> {
    let (app, user) = (state.apps.get(&window.app)?, state.users.get(&window.user)?);
    let mut body = payload(state, app, user, kind);
    body["view"] = render(state, state.windows.get(&window.id).map_or(window, |window| &**window));
    Some(body)
}

/// What all payloads have in common.
pub(crate) fn payload(state: &State, app: &App, user: &User, kind: &str) -> Value {
    let team = &state.workspace;
    json!({
        "type": kind,
        "team": { "id": team.id, "domain": team.domain },
        "user": { "id": user.id, "username": user.name, "name": user.name, "team_id": team.id },
        "api_app_id": app.id,
        "token": app.verification_token,
        "enterprise": null,
        "is_enterprise_install": false,
    })
}

/// A window as apps are told it.
pub(crate) fn render(state: &State, window: &Window) -> Value {
    let view = &window.view;
    let object = |name: &str| view.get(name).cloned().unwrap_or(Value::Null);
    let mut told = json!({
        "id": window.id,
        "team_id": state.workspace.id,
        "type": view["type"],
        "blocks": view["blocks"],
        "private_metadata": window.text("private_metadata"),
        "callback_id": window.text("callback_id"),
        "state": { "values": *window.values },
        "hash": window.hash,
        "title": object("title"),
        "clear_on_close": window.flag("clear_on_close"),
        "notify_on_close": window.flag("notify_on_close"),
        "close": object("close"),
        "submit": object("submit"),
        "previous_view_id": window.previous,
        "root_view_id": window.root,
        "app_id": window.app,
        "external_id": window.text("external_id"),
        "app_installed_team_id": state.workspace.id,
        "bot_id": state.apps.get(&window.app).map(|app| app.bot.clone()),
    });
    if window.kind == WindowKind::Home {
        // A Home tab has a title nobody sees.
        told["title"] = json!({ "type": "plain_text", "text": "View Title", "emoji": true });
    }
    told
}

/// An app has answered a submission, or has not.
pub(crate) fn submitted(state: &mut State, tx: &mut Tx<'_>, payload: &Value, outcome: &Outcome) {
    let id = SmolStr::new(payload["view"].as_str().unwrap_or_default());
    let Some(window) = state.windows.get(&id).map(Arc::clone) else { return };
    let trouble = match outcome {
        Outcome::Answered { status, body, .. } if (200..300).contains(status) => {
            respond(state, tx, &window, body).err().map(|error| format_smolstr!("invalid answer: {}", error.code()))
        }
        other => Some(match other.summary() {
            Ok(status) => format_smolstr!("HTTP status {status}"),
            Err(why) => SmolStr::new_static(why),
        }),
    };
    // People see that it did not work, and can try again.
    if trouble.is_some() {
        state.windows.update(&mut tx.changes, &id, |window| window.trouble = trouble);
    }
}

/// Does what an app answers to a submission.
fn respond(state: &mut State, tx: &mut Tx<'_>, window: &Window, body: &[u8]) -> Result<(), Error> {
    let said = std::str::from_utf8(body).unwrap_or_default().trim();
    if said.is_empty() {
        close_one(state, tx, &window.id);
        return Ok(());
    }
    let mut said: Value = serde_json::from_str(said).map_err(|_| Code::InvalidPayload)?;
    let view = said["view"].take();
    match said["response_action"].as_str() {
        Some("clear") => close_all(state, tx, &window.user),
        Some("errors") => return refuse(state, tx, window, &said["errors"]),
        Some("update") => {
            let given = Given::read(view, WindowKind::Modal, tx)?;
            update(state, tx, &window.id, given, None)?;
        }
        Some("push") => {
            let given = Given::read(view, WindowKind::Modal, tx)?;
            push(state, tx, &window.app, &window.user, given)?;
        }
        None if said.as_object().is_some_and(Map::is_empty) => close_one(state, tx, &window.id),
        _ => return Err(Code::InvalidPayload.into()),
    }
    Ok(())
}

/// Shows what an app says is wrong. Each must be about an input of the view.
fn refuse(state: &mut State, tx: &mut Tx<'_>, window: &Window, errors: &Value) -> Result<(), Error> {
    let mut told = BTreeMap::new();
    for (block, text) in errors.as_object().into_iter().flatten() {
        let is_there = blocks::controls(&window.view["blocks"]).iter().any(|c| c.is_input && c.block_id == *block);
        let text = text.as_str().filter(|_| is_there).ok_or(Code::InvalidPayload)?;
        told.insert(SmolStr::new(block), SmolStr::new(text));
    }
    if told.is_empty() {
        return Err(Code::InvalidPayload.into());
    }
    state.windows.update(&mut tx.changes, &window.id, |window| window.errors = told);
    Ok(())
}

/// An app has given options, or has not.
pub(crate) fn suggested(state: &mut State, tx: &mut Tx<'_>, payload: &Value, outcome: &Outcome) {
    let Outcome::Answered { status: 200, body, .. } = outcome else { return };
    let Ok(said) = serde_json::from_slice::<Value>(body) else { return };
    let groups = said["option_groups"].as_array().into_iter().flatten();
    let grouped = groups.flat_map(|group| group["options"].as_array().into_iter().flatten());
    let options: Vec<Value> = said["options"].as_array().into_iter().flatten().chain(grouped).cloned().collect();
    // Menus of attachments and selects of dialogs go by names.
    let named = payload["body"]["action_id"].as_str().or_else(|| payload["body"]["name"].as_str());
    let action_id = SmolStr::new(named.unwrap_or_default());
    let user = SmolStr::new(payload["body"]["user"]["id"].as_str().unwrap_or_default());
    let row = Suggestion { action_id, options: Arc::new(Value::Array(options)) };
    state.suggestions.put(&mut tx.changes, user, row);
}

impl State {
    /// The modal that a user has on top.
    pub fn modal_of(&self, user: &SmolStr) -> Option<&Arc<Window>> {
        self.windows.get(self.index.modals.get(user)?.last()?)
    }

    /// The Home tab of an app for a user.
    pub fn home_of(&self, app: &SmolStr, user: &SmolStr) -> Option<&Arc<Window>> {
        self.windows.get(self.index.homes.get(&(app.clone(), user.clone()))?)
    }

    /// A view of an app by id or external id.
    pub(crate) fn window(&self, app: &SmolStr, id: Option<&str>, external_id: Option<&str>) -> Option<&Arc<Window>> {
        let by_external = |external: &str| self.index.view_by_external_id.get(&(app.clone(), external.into()));
        let id = id.map(SmolStr::new).or_else(|| by_external(external_id?).cloned())?;
        self.windows.get(&id).filter(|window| window.app == *app)
    }
}
