//! A person as apps' SCIM servers are told (RFC 7643, sections 4.1 and 4.3).

use serde_json::{Map, Value, json};

use crate::model::{assignment::Use, profile::Attribute, user::User};

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Attributes that are members of the resource itself, by their names in Okta.
const PLAIN: [(&str, &str); 7] = [
    ("title", "title"),
    ("nickName", "nickName"),
    ("profileUrl", "profileUrl"),
    ("userType", "userType"),
    ("preferredLanguage", "preferredLanguage"),
    ("locale", "locale"),
    ("timezone", "timezone"),
];
/// Parts of the name.
const NAME: [(&str, &str); 5] = [
    ("givenName", "firstName"),
    ("familyName", "lastName"),
    ("middleName", "middleName"),
    ("honorificPrefix", "honorificPrefix"),
    ("honorificSuffix", "honorificSuffix"),
];
/// Parts of the enterprise extension.
const COMPANY: [(&str, &str); 5] = [
    ("employeeNumber", "employeeNumber"),
    ("costCenter", "costCenter"),
    ("organization", "organization"),
    ("division", "division"),
    ("department", "department"),
];

/// An attribute in the app: what was said for the app, or else the person's own; none where it is empty.
fn attribute(user: &User, found: Option<&Use>, name: &str) -> Option<String> {
    let said = found.and_then(|found| found.profile.get(name)).and_then(Value::as_str).map(str::to_owned);
    let own = || Attribute::find(name).map(|attribute| user.profile.get(attribute).to_owned());
    said.or_else(own).filter(|value| !value.is_empty())
}

/// The attributes that Okta keeps in the app. `name` is the person's name in it.
pub(super) fn profile(user: &User, found: Option<&Use>, name: &str) -> Map<String, Value> {
    let of = |attributes: &[(&str, &str)]| -> Map<String, Value> {
        let known = attributes
            .iter()
            .filter_map(|(member, own)| Some(((*member).to_owned(), json!(attribute(user, found, own)?))));
        known.collect()
    };
    let mut out = Map::new();
    let mut put = |member: &str, value: Value| out.insert(member.to_owned(), value);
    let mut company = of(&COMPANY);
    if let Some(manager) = attribute(user, found, "managerId") {
        let display = attribute(user, found, "manager");
        company.insert("manager".to_owned(), json!({ "value": manager, "displayName": display }));
    }
    let schemas = if company.is_empty() { vec![CORE] } else { vec![CORE, ENTERPRISE] };
    put("schemas", json!(schemas));
    put("userName", json!(name));
    put("name", Value::Object(of(&NAME)));
    if let Some(mail) = attribute(user, found, "email") {
        put("emails", json!([{ "primary": true, "value": mail, "type": "work" }]));
    }
    let shown = attribute(user, found, "displayName").unwrap_or_else(|| user.profile.full_name());
    put("displayName", json!(shown));
    for (member, value) in of(&PLAIN) {
        put(&member, value);
    }
    let phone = attribute(user, found, "primaryPhone").map(|number| (number, "work"));
    if let Some((number, kind)) = phone.or_else(|| attribute(user, found, "mobilePhone").map(|n| (n, "mobile"))) {
        put("phoneNumbers", json!([{ "primary": true, "value": number, "type": kind }]));
    }
    if !company.is_empty() {
        put(ENTERPRISE, Value::Object(company));
    }
    out
}

/// A person as an app tells of them, by Okta's names: the same the other way round.
pub(super) fn read(theirs: &Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    let mut put = |name: &str, value: Option<&Value>| {
        if let Some(text) = value.and_then(Value::as_str).filter(|text| !text.is_empty()) {
            out.insert(name.to_owned(), json!(text));
        }
    };
    put("userName", theirs.get("userName"));
    put("displayName", theirs.get("displayName"));
    for (member, name) in PLAIN {
        put(name, theirs.get(member));
    }
    for (member, name) in NAME {
        put(name, theirs.get("name").and_then(|parts| parts.get(member)));
    }
    let company = theirs.get(ENTERPRISE);
    for (member, name) in COMPANY {
        put(name, company.and_then(|parts| parts.get(member)));
    }
    put("managerId", company.and_then(|parts| parts.get("manager")?.get("value")));
    put("manager", company.and_then(|parts| parts.get("manager")?.get("displayName")));
    put("email", first(theirs.get("emails"), None).and_then(|mail| mail.get("value")));
    put("mobilePhone", first(theirs.get("phoneNumbers"), Some("mobile")).and_then(|phone| phone.get("value")));
    put("primaryPhone", first(theirs.get("phoneNumbers"), Some("work")).and_then(|phone| phone.get("value")));
    out
}

/// Of several the one that goes first; of a kind, where one is wanted.
fn first<'a>(all: Option<&'a Value>, kind: Option<&str>) -> Option<&'a Value> {
    let all = all.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let fitting = || all.iter().filter(|one| kind.is_none_or(|kind| one["type"] == kind));
    fitting().find(|one| one["primary"] == true).or_else(|| fitting().next())
}

/// A new account: always with a password, which nobody knows.
pub(super) fn new(profile: Map<String, Value>, user: &str, password: &str) -> Value {
    let mut body = profile;
    body.insert("externalId".to_owned(), json!(user));
    body.insert("groups".to_owned(), json!([]));
    body.insert("password".to_owned(), json!(password));
    body.insert("active".to_owned(), json!(true));
    Value::Object(body)
}

/// An account as the app has it, with what Okta knows better.
pub(super) fn merged(theirs: &Map<String, Value>, profile: Map<String, Value>, active: bool) -> Value {
    let mut body = theirs.clone();
    let schemas = union(theirs.get("schemas"), profile.get("schemas"));
    for (member, value) in profile {
        match (body.get_mut(&member), value) {
            (Some(Value::Object(before)), Value::Object(own)) => before.extend(own),
            (_, value) => drop(body.insert(member, value)),
        }
    }
    if !schemas.is_empty() {
        body.insert("schemas".to_owned(), json!(schemas));
    }
    body.insert("active".to_owned(), json!(active));
    Value::Object(body)
}

/// The items of two lists, each once.
fn union(one: Option<&Value>, other: Option<&Value>) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for item in [one, other].into_iter().flatten().filter_map(Value::as_array).flatten() {
        if !all.contains(item) {
            all.push(item.clone());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_app_tells_has_okta_s_names() {
        let theirs = json!({
            "userName": "ada", "name": { "givenName": "Ada", "familyName": "Lovelace" }, "title": "Countess",
            "emails": [{ "value": "b@x.example" }, { "value": "a@x.example", "primary": true }],
            "phoneNumbers": [{ "value": "1", "type": "mobile" }], ENTERPRISE: { "department": "Engines" },
        });
        let wanted = json!({
            "userName": "ada", "firstName": "Ada", "lastName": "Lovelace", "title": "Countess", "email": "a@x.example",
            "mobilePhone": "1", "department": "Engines",
        });
        assert_eq!(Value::Object(read(theirs.as_object().expect("is an object"))), wanted);
    }

    #[test]
    fn what_okta_does_not_keep_stays_as_the_app_has_it() {
        let theirs = json!({
            "schemas": ["a"], "id": "1", "name": { "givenName": "Old", "formatted": "Old One" }, "active": true, "x": 1,
        });
        let own = json!({ "schemas": ["a", "b"], "name": { "givenName": "New" }, "title": "T" });
        let (Value::Object(theirs), Value::Object(own)) = (theirs, own) else { panic!("are objects") };
        let wanted = json!({
            "schemas": ["a", "b"], "id": "1", "name": { "givenName": "New", "formatted": "Old One" }, "active": false,
            "x": 1, "title": "T",
        });
        assert_eq!(merged(&theirs, own, false), wanted);
        assert_eq!(merged(&theirs, Map::new(), true), Value::Object(theirs));
    }
}
