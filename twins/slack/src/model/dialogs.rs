//! Dialogs, which came before modals: one form that a person fills in, and what the app says to it.
//!
//! <https://docs.slack.dev/legacy/legacy-dialogs>

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dtu_kernel::{delivery::Outcome, tx::Tx};
use serde::Serialize;
use serde_json::{Map, Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{
    State,
    interactivity::{self, Occasion, Trigger, payload_name},
    menus,
    schedule::stamp,
};
use crate::events::{BLOCK_SUGGESTION, DIALOG};

/// A dialog that somebody has open.
#[derive(Clone, Debug, Serialize)]
pub struct Dialog {
    /// The app.
    pub app: SmolStr,
    /// Where the person was.
    pub channel: SmolStr,
    /// What the app gave.
    pub given: Arc<Value>,
    /// What the app has said is wrong, by element.
    pub errors: BTreeMap<SmolStr, String>,
    /// What went wrong with the last submission.
    pub trouble: Option<SmolStr>,
}

const TEXT: &str = "text";
const TEXTAREA: &str = "textarea";
const SELECT: &str = "select";
/// The longest values of a line and of an area, in characters.
const LINE_MAX: usize = 150;
const AREA_MAX: usize = 500;

/// All that is wrong with a dialog, in Slack's words: <https://docs.slack.dev/reference/methods/dialog.open>.
pub(crate) fn faults(dialog: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    for name in ["title", "callback_id", "elements"] {
        if dialog.get(name).is_none_or(|value| value.is_null() || value == "") {
            found.push(format!("The field `{name}` is required"));
        }
    }
    for (name, most) in [("title", 24), ("submit_label", 24), ("callback_id", 255), ("state", 3_000)] {
        if longer(dialog.get(name), most) {
            found.push(format!("The field `{name}` cannot be longer than {most} characters"));
        }
    }
    if dialog.get("submit_label").and_then(Value::as_str).is_some_and(|label| label.contains(char::is_whitespace)) {
        found.push("The field `submit_label` can only be one word".to_owned());
    }
    match dialog.get("elements") {
        Some(Value::Array(elements)) => look_at_all(elements, &mut found),
        None | Some(Value::Null) => {}
        Some(_) => found.push("The field `elements` must be a list".to_owned()),
    }
    found
}

fn longer(value: Option<&Value>, most: usize) -> bool {
    value.and_then(Value::as_str).is_some_and(|text| text.chars().count() > most)
}

fn look_at_all(elements: &[Value], found: &mut Vec<String>) {
    const ELEMENTS_MAX: usize = 10;
    if elements.is_empty() {
        found.push("The field `elements` has to include at least one element".to_owned());
    }
    if elements.len() > ELEMENTS_MAX {
        found.push("The field `elements` cannot include more than ten elements".to_owned());
    }
    let mut names = BTreeSet::new();
    for (n, element) in elements.iter().enumerate() {
        let Some(element) = element.as_object() else {
            found.push(format!("Element {n} must be an object"));
            continue;
        };
        if element.get("name").and_then(Value::as_str).is_some_and(|name| !names.insert(name)) {
            found.push(format!("Element {n} has a repeated name"));
        }
        look_at(n, element, found);
    }
}

fn look_at(n: usize, element: &Map<String, Value>, found: &mut Vec<String>) {
    let text = |name: &str| element.get(name).and_then(Value::as_str);
    for name in ["type", "name", "label"] {
        if text(name).is_none_or(str::is_empty) {
            found.push(format!("Element {n} is missing required field `{name}`"));
        }
    }
    for (name, most) in [("name", 300), ("label", 48), ("hint", 150), ("placeholder", 150)] {
        if longer(element.get(name), most) {
            found.push(format!("Element {n} field `{name}` cannot be longer than {most} characters"));
        }
    }
    match text("type") {
        Some(TEXT) => look_at_text(n, element, LINE_MAX, found),
        Some(TEXTAREA) => look_at_text(n, element, AREA_MAX, found),
        Some(SELECT) => look_at_select(n, element, found),
        Some(_) => found.push(format!("Element {n} has an invalid `type`")),
        None => {}
    }
}

fn look_at_text(n: usize, element: &Map<String, Value>, most: usize, found: &mut Vec<String>) {
    let subtype = element.get("subtype").and_then(Value::as_str);
    if subtype.is_some_and(|word| !["email", "number", "tel", "url"].contains(&word)) {
        found.push(format!("Element {n} has an invalid `subtype`"));
    }
    if longer(element.get("value"), most) {
        found.push(format!("Element {n} field `value` cannot be longer than {most} characters"));
    }
    let bound =
        |name: &str| element.get(name).and_then(Value::as_u64).map(|size| usize::try_from(size).unwrap_or(usize::MAX));
    for (name, least) in [("min_length", 0), ("max_length", 1)] {
        if bound(name).is_some_and(|size| size < least || size > most) {
            found.push(format!("Element {n} field `{name}` must be between {least} and {most} (inclusive)"));
        }
    }
}

fn look_at_select(n: usize, element: &Map<String, Value>, found: &mut Vec<String>) {
    const OPTIONS_MAX: usize = 100;
    match element.get("data_source").and_then(Value::as_str) {
        None | Some("static") => {}
        Some("channels" | "conversations" | "external" | "users") => return,
        Some(_) => return found.push(format!("Element {n} has an invalid `data_source`")),
    }
    let options = match element.get("options") {
        Some(Value::Array(options)) => options,
        None if element.contains_key("option_groups") => return,
        None => return found.push(format!("Element {n} field `options` must have at least one option")),
        Some(_) => return found.push(format!("Element {n} field `options` must be a list")),
    };
    if options.is_empty() {
        found.push(format!("Element {n} field `options` must have at least one option"));
    }
    if options.len() >= OPTIONS_MAX {
        found.push(format!("Element {n} field `options` must have fewer than 100 options"));
    }
    for (option, name) in options.iter().flat_map(|option| ["label", "value"].map(|name| (option, name))) {
        match option[name].as_str() {
            None => found.push(format!("Element {n} `options` item is missing required field `{name}`")),
            Some(text) if text.chars().count() > 75 => {
                found.push(format!("Element {n} `options` item `{name}` field cannot exceed 75 characters"));
            }
            Some(_) => {}
        }
    }
}

/// Shows a dialog to the person of a trigger, in place of one that is open.
pub(crate) fn open(state: &mut State, tx: &mut Tx<'_>, trigger: &Trigger, given: Map<String, Value>) {
    let dialog = Dialog {
        app: trigger.app.clone(),
        channel: trigger.channel.clone(),
        given: Arc::new(Value::Object(given)),
        errors: BTreeMap::new(),
        trouble: None,
    };
    state.dialogs.put(&mut tx.changes, trigger.user.clone(), dialog);
}

/// Why a person cannot submit what they have filled in; none where they can.
pub(crate) fn objection(state: &State, user: &SmolStr, dialog: &Dialog, values: &Map<String, Value>) -> Option<String> {
    let elements: Vec<&Value> = dialog.given["elements"].as_array().into_iter().flatten().collect();
    let is_element = |name: &str| elements.iter().any(|element| element["name"] == name);
    if let Some(name) = values.keys().find(|name| !is_element(name)) {
        return Some(format!("the dialog has no element `{name}`"));
    }
    elements.into_iter().find_map(|element| {
        let name = element["name"].as_str().unwrap_or_default();
        let value = values.get(name).or_else(|| at_first(element)).and_then(Value::as_str).unwrap_or_default();
        let why = objection_to(state, user, element, value)?;
        Some(format!("`{name}` {why}"))
    })
}

/// What an element is set to when the dialog opens.
fn at_first(element: &Value) -> Option<&Value> {
    let picked = (element["data_source"] == "external").then(|| element.pointer("/selected_options/0/value")).flatten();
    picked.or_else(|| element.get("value"))
}

/// A person types into a select whose options the app gives.
///
/// # Errors
/// Where there is no such select, or too little is typed; why, in words.
pub(crate) fn look_up(
    state: &State,
    tx: &mut Tx<'_>,
    occasion: &Occasion,
    dialog: &Dialog,
    (name, typed): (&str, &str),
) -> Result<(), String> {
    let mut elements = dialog.given["elements"].as_array().into_iter().flatten();
    let element = elements.find(|element| element["name"] == name && element["data_source"] == "external");
    let element = element.ok_or_else(|| format!("the dialog has no select `{name}` whose options the app gives"))?;
    let least = element["min_query_length"].as_u64().unwrap_or(0);
    if u64::try_from(typed.chars().count()).unwrap_or(u64::MAX) < least {
        return Err(format!("options are looked up from {least} characters on"));
    }
    let mut body = menus::question(state, tx, occasion, "dialog_suggestion", (name, typed));
    body["callback_id"] = dialog.given["callback_id"].clone();
    body["state"] = json!(dialog.given["state"].as_str().unwrap_or_default());
    tx.deliver(BLOCK_SUGGESTION, json!({ "app": dialog.app, "body": body }));
    Ok(())
}

fn objection_to(state: &State, user: &SmolStr, element: &Value, value: &str) -> Option<&'static str> {
    if value.is_empty() {
        return (element["optional"] != true).then_some("is to be filled in");
    }
    let size = u64::try_from(value.chars().count()).unwrap_or(u64::MAX);
    let most = if element["type"] == TEXT { LINE_MAX } else { AREA_MAX };
    let most = element["max_length"].as_u64().unwrap_or_else(|| u64::try_from(most).unwrap_or(u64::MAX));
    match element["type"].as_str().unwrap_or_default() {
        SELECT => (!is_option(state, user, element, value)).then_some("offers no such option"),
        _ if size < element["min_length"].as_u64().unwrap_or(0) => Some("is too short"),
        _ if size > most => Some("is too long"),
        _ => match element["subtype"].as_str() {
            Some("number") if value.parse::<f64>().is_err() => Some("is no number"),
            Some("email") if !value.contains('@') => Some("is no mail address"),
            _ => None,
        },
    }
}

fn is_option(state: &State, user: &SmolStr, element: &Value, value: &str) -> bool {
    let id = SmolStr::new(value);
    match element["data_source"].as_str().unwrap_or("static") {
        "users" => state.users.contains(&id),
        "channels" => state.is_public(&id),
        "conversations" => state.visible(value, user).is_some(),
        "external" => {
            let has = |options: &Value| options.as_array().into_iter().flatten().any(|option| option["value"] == value);
            let offered = state.suggestions.get(user).filter(|row| element["name"] == row.action_id.as_str());
            offered.is_some_and(|row| has(&row.options)) || has(&element["selected_options"])
        }
        _ => {
            let groups = element["option_groups"].as_array().into_iter().flatten();
            let grouped = groups.flat_map(|group| group["options"].as_array().into_iter().flatten());
            element["options"].as_array().into_iter().flatten().chain(grouped).any(|option| option["value"] == value)
        }
    }
}

/// A person submits a dialog.
pub(crate) fn submit(state: &mut State, tx: &mut Tx<'_>, occasion: &Occasion, values: &Map<String, Value>) {
    let user = &occasion.user.id;
    let Some(dialog) = state.dialogs.get(user).map(Arc::clone) else { return };
    let elements = dialog.given["elements"].as_array().into_iter().flatten();
    let submission: Map<String, Value> = elements
        .map(|element| {
            let name = element["name"].as_str().unwrap_or_default();
            let value = values.get(name).or_else(|| at_first(element)).cloned().filter(|value| value != "");
            (name.to_owned(), value.unwrap_or_default())
        })
        .collect();
    state.dialogs.update(&mut tx.changes, user, |dialog| {
        dialog.errors.clear();
        dialog.trouble = None;
    });
    let mut body = payload(state, tx, occasion, &dialog, "dialog_submission");
    body["submission"] = Value::Object(submission);
    tx.deliver(DIALOG, json!({ "app": dialog.app, "user": user, "body": body }));
}

/// A person closes a dialog without submitting it; the app hears of it where it wants to.
pub(crate) fn cancel(state: &mut State, tx: &mut Tx<'_>, occasion: &Occasion) {
    let Some(dialog) = state.dialogs.remove(&mut tx.changes, &occasion.user.id) else { return };
    if dialog.given["notify_on_cancel"] == true {
        let body = payload(state, tx, occasion, &dialog, "dialog_cancellation");
        tx.deliver(DIALOG, json!({ "app": dialog.app, "body": body }));
    }
}

fn payload(state: &mut State, tx: &mut Tx<'_>, occasion: &Occasion, dialog: &Dialog, kind: &str) -> Value {
    let (_, response_url) = interactivity::make_response_url(state, tx, "app", occasion, None);
    let Occasion { app, user, channel } = occasion;
    let team = &state.workspace;
    json!({
        "type": kind,
        "token": app.verification_token,
        "action_ts": stamp(tx.now),
        "team": { "id": team.id, "domain": team.domain },
        "user": { "id": user.id, "name": user.name },
        "channel": { "id": channel.id, "name": payload_name(channel) },
        "callback_id": dialog.given["callback_id"],
        "response_url": response_url,
        "state": dialog.given["state"].as_str().unwrap_or_default(),
    })
}

/// An app has answered a submission, or has not.
pub(crate) fn answered(state: &mut State, tx: &mut Tx<'_>, payload: &Value, outcome: &Outcome) {
    let Some(user) = payload["user"].as_str().map(SmolStr::new) else { return };
    let trouble = match outcome {
        Outcome::Answered { status: 200, body, .. } => match errors(body) {
            Some(errors) => {
                state.dialogs.update(&mut tx.changes, &user, |dialog| dialog.errors = errors);
                return;
            }
            None if body.iter().all(u8::is_ascii_whitespace) => {
                state.dialogs.remove(&mut tx.changes, &user);
                return;
            }
            None => SmolStr::new_static("invalid answer"),
        },
        other => match other.summary() {
            Ok(status) => format_smolstr!("HTTP status {status}"),
            Err(why) => SmolStr::new_static(why),
        },
    };
    state.dialogs.update(&mut tx.changes, &user, |dialog| dialog.trouble = Some(trouble));
}

/// What an app says is wrong, by element; none where it says nothing of the kind.
fn errors(body: &[u8]) -> Option<BTreeMap<SmolStr, String>> {
    let said: Value = serde_json::from_slice(body).ok()?;
    let row = |row: &Value| Some((SmolStr::new(row["name"].as_str()?), row["error"].as_str()?.to_owned()));
    said["errors"].as_array()?.iter().map(row).collect()
}
