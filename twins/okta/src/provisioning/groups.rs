//! Group push: groups of the org that Okta makes in an app, and keeps there as they are here.
//!
//! A push goes by calls of the app's SCIM server of which an answer begins the next. A custom app is looked through for
//! the group by name, gets it, and is then sent the group whole (seen with a live org: GET with a filter, POST, GET,
//! PUT); apps of the catalogue are sent what has changed, by PATCH. What changes while a push is under way is pushed
//! when it is over. Mappings are kept with the generic twin's objects.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/GroupPushMapping/ and
//! developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/.

use std::{collections::BTreeSet, sync::Arc};

use dtu_kernel::{
    delivery::{Delivery, Next, Outbound, Outcome},
    ids::IdShape,
    tx::Tx,
};
use http::Method;
use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::calls::{self, PATCH_OP, VALUE};
use crate::{
    agents::{keep, text},
    api::stamp,
    events,
    model::{
        Act, Acting, State,
        app::App,
        event_type::{EventType, GROUP_PUSH_ADD, GROUP_PUSH_DELETE, GROUP_PUSH_UPDATED},
        group::{self, Group, GroupProfile},
        log::{Outcome as Logged, Party},
        schema::Custom,
        shape,
    },
    policy::Members,
};

/// A call about a group.
pub const GROUP: &str = "scim_group";

const MAPPING_ID: IdShape = shape("gPm", "group push mapping");
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// Where an app's mappings are kept.
pub fn mappings_of(app: &str) -> String {
    format!("/api/v1/apps/{app}/group-push/mappings")
}

/// Where it is noted to which apps a group is pushed: by the mappings' ids, each with its app.
pub fn pushes_of(group: &str) -> String {
    format!("/api/v1/groups/{group}/group-push/mappings")
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// Looks whether there is such a group.
    Find,
    /// Makes one.
    Create,
    /// Gets one, before it is sent whole.
    Fetch,
    /// Sends one whole.
    Replace,
    /// Sends what has changed.
    Patch,
    /// Removes one.
    Delete,
}

/// A call.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Call {
    app: SmolStr,
    mapping: SmolStr,
    number: u64,
    step: Step,
    method: SmolStr,
    path: String,
    body: Option<Value>,
}

/// What a new mapping's group in the app is called, or which it is.
#[derive(Clone, Debug)]
pub enum Target {
    /// One to be made, by this name.
    New(SmolStr),
    /// One that the app has brought.
    Known(Arc<Group>),
}

/// Makes a mapping, and pushes the group where it is active; the mapping's id.
///
/// # Errors
/// A name that no group can have.
pub fn create(
    act: &mut Act<'_, '_>,
    app: &App,
    source: &Group,
    target: Target,
    active: bool,
) -> Result<SmolStr, crate::error::Error> {
    let id = act.tx.id(&MAPPING_ID);
    let (target, external) = match target {
        Target::New(name) => {
            let profile = GroupProfile { name, description: None, custom: Custom::default() };
            (group::bring(act, profile, &app.id)?, None)
        }
        Target::Known(group) => {
            let external = act.state.sources.group(&app.id, &group.id).map(|known| known.external.clone());
            (group, external)
        }
    };
    let now = stamp(act.now());
    let row = json!({
        "id": id, "sourceGroupId": source.id, "targetGroupId": target.id, "status": status(active), "created": now,
        "lastUpdated": now, "errorSummary": "", "external": external, "name": target.name,
    });
    keep(act, &mappings_of(&app.id), &id, row);
    keep(act, &pushes_of(&source.id), &id, json!({ "app": app.id }));
    act.log(&GROUP_PUSH_ADD, vec![Party::group(source), Party::app(app)]);
    push(act, app, &id);
    Ok(id)
}

/// As Okta writes whether a mapping is in use.
pub const fn status(active: bool) -> &'static str {
    if active { "ACTIVE" } else { "INACTIVE" }
}

/// Forgets a mapping, with the group in the app where that is asked for.
pub fn delete(act: &mut Act<'_, '_>, app: &App, id: &str, with_target: bool) {
    let place = mappings_of(&app.id);
    let Some(mapping) = act.state.objects.member(&place, id).cloned() else { return };
    act.state.objects.forget(&mut act.tx.changes, &place, id);
    act.state.objects.forget(&mut act.tx.changes, &pushes_of(text(&mapping, "sourceGroupId")), id);
    if !with_target {
        return;
    }
    if let Some(target) = act.state.groups.get(text(&mapping, "targetGroupId")).cloned() {
        group::end(act, &target);
        act.log(&GROUP_PUSH_DELETE, vec![Party::group(&target), Party::app(app)]);
    }
    if let Some(external) = mapping.get("external").and_then(Value::as_str) {
        let call = Call {
            app: app.id.clone(),
            mapping: id.into(),
            number: 0,
            step: Step::Delete,
            method: "DELETE".into(),
            path: one(external),
            body: None,
        };
        act.tx.deliver(GROUP, json!(call));
    }
}

fn one(id: &str) -> String {
    format!("/Groups/{}", utf8_percent_encode(id, VALUE))
}

/// Ends a write: groups of which it changed the name or the people are pushed, and so are those of people who have got
/// their accounts.
pub(super) fn follow(act: &mut Act<'_, '_>, groups: &BTreeSet<SmolStr>) {
    for group in groups {
        let found = act.state.objects.members(&pushes_of(group));
        let own: Vec<(SmolStr, SmolStr)> =
            found.map(|(id, row)| (id.clone(), SmolStr::new(text(row, "app")))).collect();
        for (id, app) in own {
            if let Some(app) = act.state.apps.get(&app).cloned() {
                push(act, &app, &id);
            }
        }
    }
}

/// Somebody has an account in the app now, or has none any more: the groups that they are in show it.
pub(super) fn account_changed(act: &mut Act<'_, '_>, app: &str, user: &SmolStr) {
    let groups: Vec<SmolStr> = act.state.members.of_user(user).cloned().collect();
    for group in groups {
        let found = act.state.objects.members(&pushes_of(&group));
        let own: Vec<SmolStr> = found.filter(|(_, row)| text(row, "app") == app).map(|(id, _)| id.clone()).collect();
        for id in own {
            if let Some(app) = act.state.apps.get(app).cloned() {
                push(act, &app, &id);
            }
        }
    }
}

/// What an app is to have of a group.
#[derive(Debug, PartialEq)]
struct Wanted {
    name: SmolStr,
    /// Ids of accounts in the app, each with the person's name in it.
    members: Vec<(SmolStr, String)>,
}

fn wanted(state: &State, app: &App, mapping: &Members) -> Option<Wanted> {
    let source = state.groups.get(text(mapping, "sourceGroupId"))?;
    let people = state.members.of_group(&source.id, "");
    let account = |user: &SmolStr| {
        let account = state.provisioning.account(&app.id, user).filter(|account| account.is_wanted())?;
        Some((account.external.clone()?, calls::name(state, app, user)))
    };
    // A group that was made by the push has the name that was given to it for as long as its source has its own.
    let first = mapping.get("sourceName").and_then(Value::as_str);
    let renamed = first.is_some_and(|name| name != source.name);
    let name = if renamed { source.name.clone() } else { text(mapping, "name").into() };
    Some(Wanted { name, members: people.filter_map(account).collect() })
}

/// Pushes a group as it is now, where something about it is another than the app has; after what is under way.
pub fn push(act: &mut Act<'_, '_>, app: &App, id: &str) {
    let place = mappings_of(&app.id);
    let Some(mut mapping) = act.state.objects.member(&place, id).cloned() else { return };
    let connected = act.state.provisioning.connection(&app.id);
    let patches = connected.is_some_and(|connection| connection.patches);
    let can = app.active && connected.is_some_and(|connection| connection.enabled && connection.base_url.is_some());
    if text(&mapping, "status") == "INACTIVE" || !can {
        return;
    }
    if mapping.get("running").is_some_and(|running| *running == json!(true)) {
        mapping.insert("again".to_owned(), json!(true));
        return keep(act, &place, id, Value::Object(mapping));
    }
    let Some(wanted) = wanted(act.state, app, &mapping) else { return };
    if mapping.get("sourceName").is_none() {
        let name = act.state.groups.get(text(&mapping, "sourceGroupId")).map(|group| group.name.clone());
        mapping.insert("sourceName".to_owned(), json!(name));
    }
    let external = mapping.get("external").and_then(Value::as_str).map(SmolStr::new);
    match external {
        None => find(act, app, mapping, &wanted),
        Some(_) if mapping.get("pushed") == Some(&pushed(&wanted)) => keep(act, &place, id, Value::Object(mapping)),
        Some(external) if patches => patch(act, app, mapping, &external, &wanted),
        Some(external) => {
            call(act, app, mapping, (Step::Fetch, Method::GET), one(&external), None);
        }
    }
}

/// What an app has of a group, to be held against what it is to have.
fn pushed(wanted: &Wanted) -> Value {
    let members: Vec<&SmolStr> = wanted.members.iter().map(|(id, _)| id).collect();
    json!({ "name": wanted.name, "members": members })
}

fn find(act: &mut Act<'_, '_>, app: &App, mapping: Members, wanted: &Wanted) {
    let filter = format!("displayName eq \"{}\"", wanted.name.replace('\\', "\\\\").replace('"', "\\\""));
    let path = format!("/Groups?filter={}&startIndex=1&count=100", utf8_percent_encode(&filter, VALUE));
    call(act, app, mapping, (Step::Find, Method::GET), path, None);
}

fn resource(wanted: &Wanted) -> Value {
    let member = |(id, name): &(SmolStr, String)| json!({ "value": id, "display": name });
    let members: Vec<Value> = wanted.members.iter().map(member).collect();
    json!({ "schemas": [CORE], "displayName": wanted.name, "members": members })
}

/// The changes of name and people, one operation each kind.
fn patch(act: &mut Act<'_, '_>, app: &App, mapping: Members, external: &str, wanted: &Wanted) {
    let had = mapping.get("pushed").cloned().unwrap_or_default();
    let mut operations = Vec::new();
    if had["name"] != wanted.name.as_str() {
        operations.push(json!({ "op": "replace", "value": { "id": external, "displayName": wanted.name } }));
    }
    let before: Vec<&str> = had["members"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for gone in before.iter().filter(|id| wanted.members.iter().all(|(own, _)| own != **id)) {
        operations.push(json!({ "op": "remove", "path": format!("members[value eq \"{gone}\"]") }));
    }
    let new: Vec<Value> = wanted
        .members
        .iter()
        .filter(|(id, _)| !before.contains(&id.as_str()))
        .map(|(id, name)| json!({ "value": id, "display": name }))
        .collect();
    if !new.is_empty() {
        operations.push(json!({ "op": "add", "path": "members", "value": new }));
    }
    let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
    call(act, app, mapping, (Step::Patch, Method::PATCH), one(external), Some((body, wanted)));
}

/// Begins a call; what it sends of the group is noted, to be what the app has when it is answered.
fn call(
    act: &mut Act<'_, '_>,
    app: &App,
    mut mapping: Members,
    (step, method): (Step, Method),
    path: String,
    body: Option<(Value, &Wanted)>,
) {
    let number = mapping.get("number").and_then(Value::as_u64).unwrap_or_default() + 1;
    mapping.insert("number".to_owned(), json!(number));
    mapping.insert("running".to_owned(), json!(true));
    if let Some((_, wanted)) = &body {
        mapping.insert("sent".to_owned(), pushed(wanted));
    }
    let id = SmolStr::new(text(&mapping, "id"));
    keep(act, &mappings_of(&app.id), &id, Value::Object(mapping));
    let body = body.map(|(body, _)| body);
    let call = Call { app: app.id.clone(), mapping: id, number, step, method: method.as_str().into(), path, body };
    act.tx.deliver(GROUP, json!(call));
}

/// Builds an attempt; none where the app is gone.
pub fn prepare(state: &State, delivery: &Delivery) -> Option<Outbound> {
    let call: Call = serde_json::from_value(delivery.payload.clone()).ok()?;
    calls::outbound(state, delivery, &call.app, (&call.method, &call.path), call.body.as_ref())
}

/// Takes in what came of an attempt: goes on with the push, or ends it.
pub fn delivered(state: &mut State, tx: &mut Tx<'_>, delivery: &Delivery, outcome: &Outcome) -> Next {
    let Ok(call) = serde_json::from_value::<Call>(delivery.payload.clone()) else { return Next::Done };
    if let Some(again) = calls::again(delivery, outcome) {
        return again;
    }
    let mut act = Act::new(state, tx, Acting::system());
    let mapping = act.state.objects.member(&mappings_of(&call.app), &call.mapping).cloned();
    let mapping = mapping.filter(|mapping| mapping.get("number").and_then(Value::as_u64) == Some(call.number));
    let Some((mapping, app)) = mapping.zip(act.state.apps.get(&call.app).cloned()) else { return Next::Done };
    match calls::read(outcome, call.step == Step::Find) {
        Ok(answer) => go_on(&mut act, &app, mapping, &call, &answer),
        Err(why) => failed(&mut act, &app, mapping, &call, &why),
    }
    events::announce(&mut act);
    Next::Done
}

fn go_on(act: &mut Act<'_, '_>, app: &App, mut mapping: Members, call: &Call, answer: &Map<String, Value>) {
    let Some(wanted) = wanted(act.state, app, &mapping) else { return };
    let known = |mapping: &mut Members, id: SmolStr| drop(mapping.insert("external".to_owned(), json!(id)));
    match call.step {
        Step::Find => {
            let first = answer.get("Resources").and_then(Value::as_array).and_then(|found| found.first());
            if let Some(id) = first.and_then(Value::as_object).and_then(calls::id) {
                let path = one(&id);
                known(&mut mapping, id);
                return self::call(act, app, mapping, (Step::Fetch, Method::GET), path, None);
            }
            let empty = Wanted { name: wanted.name, members: Vec::new() };
            let made = Some((resource(&empty), &empty));
            self::call(act, app, mapping, (Step::Create, Method::POST), "/Groups".to_owned(), made);
        }
        Step::Create => match calls::id(answer) {
            Some(id) => {
                let (path, patches) = (one(&id), is_patched(act.state, app));
                known(&mut mapping, id);
                let sent = mapping.get("sent").cloned().unwrap_or_default();
                mapping.insert("pushed".to_owned(), sent);
                if patches {
                    return done(act, app, mapping);
                }
                self::call(act, app, mapping, (Step::Fetch, Method::GET), path, None);
            }
            None => failed(act, app, mapping, call, "Create new group returned empty group"),
        },
        Step::Fetch => {
            let external = SmolStr::new(text(&mapping, "external"));
            let mut body = answer.clone();
            if let Value::Object(own) = resource(&wanted) {
                body.extend(own);
            }
            body.insert("id".to_owned(), json!(external));
            let body = Value::Object(body);
            self::call(act, app, mapping, (Step::Replace, Method::PUT), one(&external), Some((body, &wanted)));
        }
        Step::Replace | Step::Patch => {
            let sent = mapping.get("sent").cloned().unwrap_or_default();
            mapping.insert("pushed".to_owned(), sent);
            done(act, app, mapping);
        }
        Step::Delete => {}
    }
}

fn is_patched(state: &State, app: &App) -> bool {
    state.provisioning.connection(&app.id).is_some_and(|connection| connection.patches)
}

fn parties(act: &Act<'_, '_>, app: &App, mapping: &Members) -> Vec<Party> {
    let source = act.state.groups.get(text(mapping, "sourceGroupId"));
    source.map(|group| Party::group(group)).into_iter().chain([Party::app(app)]).collect()
}

/// The push is over: the app has the group as it was sent.
fn done(act: &mut Act<'_, '_>, app: &App, mut mapping: Members) {
    let (id, now) = (SmolStr::new(text(&mapping, "id")), stamp(act.now()));
    mapping.insert("running".to_owned(), json!(false));
    mapping.insert("status".to_owned(), json!("ACTIVE"));
    mapping.insert("errorSummary".to_owned(), json!(""));
    mapping.insert("lastPush".to_owned(), json!(now));
    mapping.shift_remove("again");
    let targets = parties(act, app, &mapping);
    rename_target(act, &mapping);
    keep(act, &mappings_of(&app.id), &id, Value::Object(mapping));
    act.log(&GROUP_PUSH_UPDATED, targets);
    // What has changed since is pushed now; where nothing has, no call is made.
    push(act, app, &id);
}

/// Okta's picture of the group in the app follows.
fn rename_target(act: &mut Act<'_, '_>, mapping: &Members) {
    let name = mapping.get("pushed").and_then(|pushed| pushed["name"].as_str()).map(SmolStr::new);
    let target = act.state.groups.get(text(mapping, "targetGroupId")).cloned();
    if let Some((target, name)) = target.zip(name) {
        let profile = GroupProfile { name, description: target.description.clone(), custom: Custom::default() };
        // What the org's own group may be called this one may be, too.
        let _ = group::bring_again(act, &target, profile);
    }
}

/// The push has failed: an administrator must look at it.
fn failed(act: &mut Act<'_, '_>, app: &App, mut mapping: Members, call: &Call, why: &str) {
    let event: &'static EventType = match call.step {
        Step::Find | Step::Create => &GROUP_PUSH_ADD,
        _ => &GROUP_PUSH_UPDATED,
    };
    let words = match call.step {
        Step::Find | Step::Create => format!("Unable to create the group in {}: {why}", app.label),
        _ => format!("Unable to update the group in {}: {why}", app.label),
    };
    let id = SmolStr::new(text(&mapping, "id"));
    mapping.insert("running".to_owned(), json!(false));
    mapping.insert("status".to_owned(), json!("ERROR"));
    mapping.insert("errorSummary".to_owned(), json!(words));
    mapping.shift_remove("again");
    let targets = parties(act, app, &mapping);
    keep(act, &mappings_of(&app.id), &id, Value::Object(mapping));
    act.log_outcome(event, targets, Logged::failure(words));
}
