//! How transactions are shown.

use dtu_kernel::time::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    flow::Reached,
    mfa,
    transaction::{Recovery, Status, Transaction},
};
use crate::{
    api::stamp,
    model::{State, profile::Attribute, user::User},
    policy::{self, Password},
};

/// A link of a transaction: all of them are posted to.
pub fn link(origin: &str, path: &str, name: Option<&str>) -> Value {
    let href = format!("{origin}/api/v1/authn{path}");
    match name {
        Some(name) => json!({ "name": name, "href": href, "hints": { "allow": ["POST"] } }),
        None => json!({ "href": href, "hints": { "allow": ["POST"] } }),
    }
}

/// The person as transactions show them. Locale and time zone are the org's where the profile has none, as recorded.
pub fn user(user: &User) -> Value {
    let value = |name: &str, usual: &str| {
        let found = Attribute::find(name).map(|attribute| user.profile.get(attribute)).filter(|text| !text.is_empty());
        found.unwrap_or(usual).to_owned()
    };
    json!({
        "id": user.id,
        "passwordChanged": user.password_changed.map(stamp),
        "profile": {
            "login": user.login(),
            "firstName": value("firstName", ""),
            "lastName": value("lastName", ""),
            "locale": value("locale", "en_US"),
            "timeZone": value("timezone", "America/Los_Angeles"),
        },
    })
}

/// What a password must be, as transactions show it.
fn complexity(rules: &Password) -> Value {
    json!({
        "minLength": rules.min_length,
        "minLowerCase": rules.min_lower,
        "minUpperCase": rules.min_upper,
        "minNumber": rules.min_number,
        "minSymbol": rules.min_symbol,
        "excludeUsername": rules.exclude_username,
    })
}

fn age(rules: &Password) -> Value {
    json!({ "minAgeMinutes": rules.min_age_minutes, "historyCount": rules.history_count })
}

/// What a new password must be, as today's APIs show it: attributes of the person that it may not hold are named too.
pub fn requirements(rules: &Password) -> Value {
    let mut complexity = complexity(rules);
    complexity["excludeAttributes"] = json!(rules.exclude_attributes);
    json!({ "complexity": complexity, "age": age(rules) })
}

/// The password rules that hold for somebody who must choose a password.
fn rules(state: &State, user: &User, now: Timestamp) -> Value {
    let rules = policy::password(state, user);
    let left = rules.expires(user).map_or(0, |end| end.since(now).as_secs().div_ceil(86_400));
    json!({
        "expiration": { "passwordExpireDays": left },
        "complexity": complexity(&rules),
        "age": age(&rules),
    })
}

/// Where a transaction has come to.
pub fn reached(state: &State, reached: &Reached, origin: &str) -> Value {
    match reached {
        Reached::Waiting { token, transaction } => waiting(state, token, transaction, origin),
        Reached::SignedIn { token, expires, user: person, relay_state } => {
            let mut body = Map::new();
            body.insert("expiresAt".to_owned(), json!(expires.iso_millis()));
            body.insert("status".to_owned(), json!("SUCCESS"));
            put(&mut body, "relayState", relay_state.as_deref());
            body.insert("sessionToken".to_owned(), json!(token));
            body.insert("_embedded".to_owned(), json!({ "user": user(person) }));
            body.insert("_links".to_owned(), json!({ "cancel": link(origin, "/cancel", None) }));
            Value::Object(body)
        }
        Reached::Unlocked { user: person, relay_state } => {
            let mut body = Map::new();
            body.insert("status".to_owned(), json!("SUCCESS"));
            put(&mut body, "relayState", relay_state.as_deref());
            body.insert("recoveryType".to_owned(), json!(Recovery::Unlock.text()));
            body.insert("_embedded".to_owned(), json!({ "user": user(person) }));
            Value::Object(body)
        }
    }
}

fn put(body: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), json!(value));
    }
}

fn waiting(state: &State, token: &str, transaction: &Transaction, origin: &str) -> Value {
    let mut body = Map::new();
    body.insert("stateToken".to_owned(), json!(token));
    body.insert("expiresAt".to_owned(), json!(stamp(transaction.expires)));
    body.insert("status".to_owned(), json!(transaction.status.text()));
    put(&mut body, "relayState", transaction.relay_state.as_deref());
    put(&mut body, "factorResult", transaction.factor_result.as_deref());
    put(&mut body, "factorType", transaction.recovery_factor.as_deref());
    put(&mut body, "recoveryType", transaction.recovery.map(Recovery::text));
    let embedded = embedded(state, transaction, origin);
    if !embedded.is_empty() {
        body.insert("_embedded".to_owned(), Value::Object(embedded));
    }
    body.insert("_links".to_owned(), Value::Object(links(state, transaction, origin)));
    Value::Object(body)
}

/// What is shown of the person, which is nothing before they have shown who they are.
fn embedded(state: &State, transaction: &Transaction, origin: &str) -> Map<String, Value> {
    let mut embedded = Map::new();
    let Some(person) = state.users.get(&transaction.user) else { return embedded };
    if transaction.status == Status::RecoveryChallenge {
        return embedded;
    }
    let mut shown = user(person);
    if transaction.status == Status::Recovery {
        shown["recovery_question"] = json!({ "question": person.question });
    }
    embedded.insert("user".to_owned(), shown);
    if matches!(transaction.status, Status::PasswordWarn | Status::PasswordExpired | Status::PasswordReset) {
        // The transaction was written just now, so its end tells the time.
        embedded.insert("policy".to_owned(), rules(state, person, transaction.written()));
    }
    embedded.extend(mfa::embedded(state, transaction, origin));
    embedded
}

fn links(state: &State, transaction: &Transaction, origin: &str) -> Map<String, Value> {
    let next = |path: &str, name: &str| link(origin, path, Some(name));
    let mut links = mfa::links(state, transaction, origin);
    let mut add = |name: &str, value: Value| drop(links.insert(name.to_owned(), value));
    match transaction.status {
        Status::PasswordExpired => add("next", next("/credentials/change_password", "changePassword")),
        Status::PasswordWarn => {
            add("next", next("/credentials/change_password", "changePassword"));
            add("skip", next("/skip", "skip"));
        }
        Status::PasswordReset => add("next", next("/credentials/reset_password", "resetPassword")),
        Status::Recovery => add("next", next("/recovery/answer", "answer")),
        Status::RecoveryChallenge => {
            let way = transaction.recovery_factor.as_deref().unwrap_or_default();
            let at = format!("/recovery/factors/{way}");
            add("next", next(&format!("{at}/verify"), "verify"));
            add("resend", next(&format!("{at}/resend"), &way.to_lowercase()));
        }
        Status::MfaEnroll | Status::MfaEnrollActivate | Status::MfaRequired | Status::MfaChallenge => {}
    }
    add("cancel", link(origin, "/cancel", None));
    links
}

/// What somebody is told whose account is locked, where the policy lets them know.
pub fn locked_out(origin: &str) -> Value {
    json!({ "status": "LOCKED_OUT", "_links": { "next": link(origin, "/recovery/unlock", Some("unlock")) } })
}

/// A recovery of which a mail tells: its token is nowhere else.
pub fn mailed(kind: Recovery) -> Value {
    json!({
        "status": "RECOVERY_CHALLENGE", "factorResult": "WAITING", "factorType": "EMAIL", "recoveryType": kind.text(),
    })
}

/// A recovery whose token goes to a trusted application.
pub fn handed(
    token: &str,
    expires: Timestamp,
    kind: Recovery,
    person: &User,
    relay_state: Option<&str>,
    origin: &str,
) -> Value {
    let mut body = Map::new();
    body.insert("expiresAt".to_owned(), json!(stamp(expires)));
    body.insert("status".to_owned(), json!("RECOVERY"));
    put(&mut body, "relayState", relay_state);
    body.insert("recoveryToken".to_owned(), json!(token));
    body.insert("recoveryType".to_owned(), json!(kind.text()));
    body.insert("_embedded".to_owned(), json!({ "user": user(person) }));
    let next = link(origin, "/recovery/token", Some("recovery"));
    body.insert("_links".to_owned(), json!({ "next": next, "cancel": link(origin, "/cancel", None) }));
    Value::Object(body)
}
