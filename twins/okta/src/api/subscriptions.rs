//! Which mail from Okta administrators get: by role, and each for themselves.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Subscription/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Scene, Write},
    wire::Answer,
};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Links, act, find_user, tokens::Nothing};
use crate::{
    Caller, Okta,
    error::Error,
    model::{
        Act, State,
        role::{self, Role},
        role_type::RoleType,
    },
    policy::Members,
};

/// The operations.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const ROLE: &str = "/api/v1/roles/{roleRef}/subscriptions";
    const OF_ROLE: &str = "/api/v1/roles/{roleRef}/subscriptions/{notificationType}";
    const USER: &str = "/api/v1/users/{userId}/subscriptions";
    const OF_USER: &str = "/api/v1/users/{userId}/subscriptions/{notificationType}";
    let in_role = "/api/v1/roles/{roleRef}/subscriptions/{notificationType}/subscribe";
    let out_role = "/api/v1/roles/{roleRef}/subscriptions/{notificationType}/unsubscribe";
    let in_user = "/api/v1/users/{userId}/subscriptions/{notificationType}/subscribe";
    let out_user = "/api/v1/users/{userId}/subscriptions/{notificationType}/unsubscribe";
    let rows = vec![
        Operation::read("listSubscriptionsRole", GET, ROLE, list),
        Operation::read("getSubscriptionsNotificationTypeRole", GET, OF_ROLE, get),
        Operation::write("subscribeByNotificationTypeRole", POST, in_role, subscribe),
        Operation::write("unsubscribeByNotificationTypeRole", POST, out_role, unsubscribe),
        Operation::read("listSubscriptionsUser", GET, USER, list),
        Operation::read("getSubscriptionsNotificationTypeUser", GET, OF_USER, get),
        Operation::write("subscribeByNotificationTypeUser", POST, in_user, subscribe),
        Operation::write("unsubscribeByNotificationTypeUser", POST, out_user, unsubscribe),
    ];
    rows.into_iter().map(|row| row.limit("other")).collect()
}

/// The kinds of mail, and whether a role gets it unless the org says otherwise: recorded of super administrators
/// (2020) but for the last two, which are younger.
const KINDS: [(&str, bool); 13] = [
    ("IWA_AGENT", true),
    ("CONNECTOR_AGENT", true),
    ("USER_LOCKED_OUT", false),
    ("APP_IMPORT", false),
    ("AD_AGENT", true),
    ("LDAP_AGENT", true),
    ("RATELIMIT_NOTIFICATION", true),
    ("OKTA_ANNOUNCEMENT", true),
    ("OKTA_UPDATE", true),
    ("USER_DEPROVISION", false),
    ("REPORT_SUSPICIOUS_ACTIVITY", true),
    ("AGENT_AUTO_UPDATE_NOTIFICATION", true),
    ("AGENT_AUTO_UPDATE_NOTIFICATION_LDAP", true),
];

/// Where it is kept how many writes there were: what was said last counts.
const TURNS: &str = "/api/v1/subscriptions/turns";

/// Whose mail a path is about: the place where it is kept, and the roles that decide where nothing is.
struct Whose {
    place: String,
    roles: Vec<SmolStr>,
    is_role: bool,
}

/// The name under which a role's mail is kept.
fn name_of(role: &Role) -> SmolStr {
    role.custom.as_ref().map_or_else(|| SmolStr::new_static(role.kind.text()), |custom| custom.role.clone())
}

fn place_of(role: &str) -> String {
    format!("/api/v1/roles/{role}/subscriptions")
}

/// # Errors
/// A role that there is not; another person than the caller.
fn whose(state: &State, caller: &Caller, scene: &Scene<'_>) -> Result<Whose, Error> {
    let path = scene.operation.path;
    if path.starts_with("/api/v1/roles/") {
        let name = scene.request.path_param("roleRef");
        let standard = RoleType::find(name).filter(|kind| *kind != RoleType::Custom);
        let known = standard.map(|kind| SmolStr::new_static(kind.text()));
        let known = known.or_else(|| state.iam.role(name).map(|role| role.id.clone()));
        let role = known.ok_or_else(|| Error::not_found(name, "Role"))?;
        return Ok(Whose { place: place_of(&role), roles: vec![role], is_role: true });
    }
    let user = find_user(state, caller, scene.request.path_param("userId"))?;
    if user.id != caller.user {
        return Err(Error::Forbidden);
    }
    let roles = role::of_user(state, &user).map(|role| name_of(role)).collect();
    Ok(Whose { place: format!("/api/v1/users/{}/subscriptions", user.id), roles, is_role: false })
}

fn kind(scene: &Scene<'_>) -> Result<(&'static str, bool), Error> {
    let name = scene.request.path_param("notificationType");
    let found = KINDS.iter().find(|(known, _)| *known == name).copied();
    found.ok_or_else(|| Error::not_found(name, "NotificationType"))
}

/// What was said at a place, and at which turn.
fn said(state: &State, place: &str, kind: &str) -> Option<(u64, bool)> {
    let one = state.objects.member(place, kind)?;
    Some((one.get("turn").and_then(Value::as_u64)?, one.get("subscribed") == Some(&Value::Bool(true))))
}

/// Whether mail of a kind comes. What is said of a role outdoes what its people have said before; of several roles one
/// is enough. Who has no role gets none: inferred.
fn comes(state: &State, whose: &Whose, (kind, usual): (&'static str, bool)) -> bool {
    let of_roles: Vec<(u64, bool)> =
        whose.roles.iter().map(|role| said(state, &place_of(role), kind).unwrap_or((0, usual))).collect();
    let own = if whose.is_role { None } else { said(state, &whose.place, kind) };
    match own {
        Some((turn, wanted)) if of_roles.iter().all(|(later, _)| *later < turn) => wanted,
        _ => of_roles.iter().any(|(_, wanted)| *wanted),
    }
}

fn body(state: &State, whose: &Whose, kind: (&'static str, bool), origin: &str) -> Value {
    let own = format!("{origin}{}/{}", whose.place, kind.0);
    let subscribed = comes(state, whose, kind);
    let verb = if subscribed { "unsubscribe" } else { "subscribe" };
    let links = Links::new().hint(verb, format!("{own}/{verb}"), &["POST"]).to("self", own);
    let status = if subscribed { "subscribed" } else { "unsubscribed" };
    json!({ "notificationType": kind.0, "channels": ["email"], "status": status, "_links": links.0 })
}

fn list(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Vec<Value>>, Error> {
    let whose = whose(cx.state, cx.caller, cx.scene)?;
    let rows = KINDS.iter().map(|kind| body(cx.state, &whose, *kind, &cx.scene.request.origin));
    Ok(Typed::ok(&rows.collect()))
}

fn get(cx: &Read<'_, Okta>, _: Nothing) -> Result<Typed<Value>, Error> {
    let whose = whose(cx.state, cx.caller, cx.scene)?;
    Ok(Typed::ok(&body(cx.state, &whose, kind(cx.scene)?, &cx.scene.request.origin)))
}

fn subscribe(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    say(cx, true)
}

fn unsubscribe(cx: &mut Write<'_, '_, Okta>, _: Nothing) -> Result<Typed<()>, Error> {
    say(cx, false)
}

/// The answer has no body: recorded.
fn say(cx: &mut Write<'_, '_, Okta>, wanted: bool) -> Result<Typed<()>, Error> {
    let whose = whose(cx.state, cx.caller, cx.scene)?;
    let (kind, _) = kind(cx.scene)?;
    act(cx, |act| {
        let turn = next_turn(act);
        let members = Members::from_iter([("turn".to_owned(), json!(turn)), ("subscribed".to_owned(), json!(wanted))]);
        act.state.objects.keep(&mut act.tx.changes, &whose.place, kind, members);
        Ok(())
    })?;
    Ok(Typed::from_answer(Answer::empty(StatusCode::OK)))
}

fn next_turn(act: &mut Act<'_, '_>) -> u64 {
    let (place, name) = TURNS.rsplit_once('/').unwrap_or_default();
    let before = act.state.objects.one(place, name).and_then(|one| one.get("turn")?.as_u64()).unwrap_or(0);
    let members = Members::from_iter([("turn".to_owned(), json!(before + 1))]);
    act.state.objects.keep_one(&mut act.tx.changes, TURNS, members);
    before + 1
}
