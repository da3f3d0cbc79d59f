//! Schemas and types of people, and links between them.

use serde_json::{Value, json};

use crate::support::{Org, call};

const USER: &str = "/api/v1/meta/schemas/user/default";
const GROUP: &str = "/api/v1/meta/schemas/group/default";
const TYPES: &str = "/api/v1/meta/types/user";
const LINKED: &str = "/api/v1/meta/schemas/user/linkedObjects";

fn custom(properties: Value) -> Value {
    json!({ "definitions": { "custom": { "id": "#custom", "type": "object", "properties": properties } } })
}

/// An org whose people may have more.
fn org() -> Org {
    let org = Org::acme();
    org.post(
        USER,
        &custom(json!({
            "badge": { "title": "Badge", "type": "string", "minLength": 2, "maxLength": 8, "unique": true },
            "salary": { "title": "Salary", "type": "integer" },
            "remote": { "title": "Remote", "type": "boolean" },
            "langs": { "title": "Languages", "type": "array", "items": { "type": "string" } },
            "size": { "title": "Size", "type": "string", "enum": ["S", "M"] },
        })),
    );
    org
}

fn person(login: &str, more: Value) -> Value {
    let mut all = json!({ "login": login, "email": login, "firstName": "S", "lastName": "Schema" });
    all.as_object_mut().expect("is one").extend(more.as_object().cloned().unwrap_or_default());
    json!({ "profile": all })
}

#[test]
fn schemas_change_by_parts() {
    let org = org();
    let shown = org.get(USER);
    let badge = &shown.body["definitions"]["custom"]["properties"]["badge"];
    assert_eq!((&badge["scope"], &badge["mutability"]), (&json!("NONE"), &json!("READ_WRITE")));
    let again = org.post(USER, &custom(json!({ "badge": { "title": "New", "maxLength": null } })));
    let badge = &again.body["definitions"]["custom"]["properties"]["badge"];
    assert_eq!((&badge["title"], badge.get("maxLength"), &badge["minLength"]), (&json!("New"), None, &json!(2)));
    let gone = org.post(USER, &custom(json!({ "badge": null })));
    assert_eq!(gone.body["definitions"]["custom"]["properties"].get("badge"), None);
    assert!(gone.body["definitions"]["custom"]["properties"].get("salary").is_some());
    let required = org.post(USER, &custom(json!({ "badge": { "title": "B", "type": "string", "required": true } })));
    assert_eq!(required.body["definitions"]["custom"]["required"], json!(["badge"]));
}

#[test]
fn what_a_schema_cannot_be_is_refused() {
    let org = org();
    let refuse = |properties: Value, cause: &str| {
        org.refuse(call(&format!("POST {USER}")).json(&custom(properties)), 400, "E0000001", &[cause]);
    };
    let plain = json!({ "title": "X", "type": "string" });
    refuse(
        json!({ "a-b": plain }),
        "Invalid property name: a-b. Property name should only have alphanumeric characters and underscores. It should \
         not start with a digit.",
    );
    refuse(json!({ "login": plain }), "Property login is already defined in the base schema");
    refuse(json!({ "x": { "title": "X" } }), "x: The field type cannot be left blank");
    refuse(json!({ "salary": { "type": "string" } }), "salary: The type of a property cannot be changed");
    let base = |facts: Value| json!({ "definitions": { "base": { "properties": { "title": facts } } } });
    let update = |body: Value, status: u16| org.check(call(&format!("POST {USER}")).json(&body), status);
    update(base(json!({ "title": "Rank" })), 400);
    update(base(json!({ "title": "Title", "permissions": [{ "principal": "SELF", "action": "HIDE" }] })), 200);
    update(json!({ "definitions": { "base": { "properties": { "shoe": {} } } } }), 400);
    org.check(call("GET /api/v1/meta/schemas/user/oscNone"), 404);
}

#[test]
fn profiles_follow_their_schema() {
    let org = org();
    let refuse = |more: Value, causes: &[&str]| {
        org.refuse(call("POST /api/v1/users").json(&person("a@s.example", more)), 400, "E0000001", causes);
    };
    refuse(json!({ "shoe": 1 }), &["Property name 'shoe' is not defined in profile"]);
    refuse(json!({ "salary": "x" }), &["salary: The field has an incorrect type"]);
    refuse(json!({ "size": "L" }), &["size: The field has an invalid value"]);
    refuse(json!({ "badge": "1" }), &["badge: The field is too short"]);
    let made =
        org.post("/api/v1/users", &person("a@s.example", json!({ "badge": "B-1", "salary": 5, "langs": ["en"] })));
    assert_eq!(made.body["profile"]["salary"], json!(5));
    let taken = "badge: An object with this field already exists in the current organization";
    org.refuse(
        call("POST /api/v1/users").json(&person("b@s.example", json!({ "badge": "b-1" }))),
        400,
        "E0000001",
        &[taken],
    );
    let id = made.text("/id");
    let null = org.post(&format!("/api/v1/users/{id}"), &json!({ "profile": { "salary": null } }));
    assert_eq!(null.body["profile"].get("salary"), None);
    org.post(USER, &custom(json!({ "badge": null })));
    assert_eq!(org.get(&format!("/api/v1/users/{id}")).body["profile"].get("badge"), None, "gone with its attribute");
    org.post(USER, &custom(json!({ "badge": { "title": "B", "type": "string" } })));
    assert_eq!(org.get(&format!("/api/v1/users/{id}")).body["profile"].get("badge"), None, "and stays gone");
}

#[test]
fn base_attributes_can_be_made_optional() {
    let org = org();
    let body = json!({ "definitions": { "base": { "properties": { "lastName": { "required": false } } } } });
    let shown = org.post(USER, &body);
    assert_eq!(shown.body["definitions"]["base"]["required"], json!(["login", "firstName", "email"]));
    let short = json!({ "profile": { "login": "x@s.example", "email": "x@s.example", "firstName": "X" } });
    org.post("/api/v1/users", &short);
}

#[test]
fn people_are_searched_and_sorted_by_custom_attributes() {
    let org = org();
    for (login, more) in [
        ("a@s.example", json!({ "salary": 9, "remote": true, "langs": ["en", "de"] })),
        ("b@s.example", json!({ "salary": 100, "badge": "BB" })),
        ("c@s.example", json!({ "salary": -5, "badge": "AA" })),
    ] {
        org.post("/api/v1/users", &person(login, more));
    }
    let check = |search: &str, wanted: &[&str]| {
        let query = search.replace(' ', "+").replace('"', "%22");
        assert_eq!(org.get(&format!("/api/v1/users?search={query}")).column("/profile/login"), wanted, "{search}");
    };
    check("profile.salary gt 8&sortBy=profile.salary", &["a@s.example", "b@s.example"]);
    check("profile.salary lt 50&sortBy=profile.salary&sortOrder=desc", &["a@s.example", "c@s.example"]);
    check("profile.salary eq 100", &["b@s.example"]);
    check("profile.remote eq true", &["a@s.example"]);
    check("profile.langs eq \"DE\"", &["a@s.example"]);
    check("profile.badge sw \"b\"", &["b@s.example"]);
    check("profile.badge pr&sortBy=profile.badge", &["c@s.example", "b@s.example"]);
    org.check(call("GET /api/v1/users?search=profile.shoe+pr"), 400);
    org.check(call("GET /api/v1/users?search=profile.salary+gt+%22x%22"), 400);
}

#[test]
fn groups_have_custom_attributes() {
    let org = Org::acme();
    let shown = org.post(GROUP, &custom(json!({ "floor": { "title": "Floor", "type": "integer" } })));
    let floor = &shown.body["definitions"]["custom"]["properties"]["floor"];
    assert_eq!(floor["master"], json!({ "type": "PROFILE_MASTER" }));
    let made = org.post("/api/v1/groups", &json!({ "profile": { "name": "Upstairs", "floor": 3 } }));
    assert_eq!(made.body["profile"], json!({ "name": "Upstairs", "description": null, "floor": 3 }));
    let found = org.get("/api/v1/groups?search=profile.floor+ge+2");
    assert_eq!(found.column("/profile/name"), ["Upstairs"]);
    let bad = json!({ "profile": { "name": "Down", "floor": "x" } });
    org.refuse(call("POST /api/v1/groups").json(&bad), 400, "E0000001", &["floor: The field has an incorrect type"]);
    let unknown = json!({ "profile": { "name": "Down", "door": 1 } });
    let cause = "Property name 'door' is not defined in profile";
    org.refuse(call("POST /api/v1/groups").json(&unknown), 400, "E0000001", &[cause]);
}

#[test]
fn apps_have_schemas() {
    let org = Org::acme();
    let link = json!({
        "name": "bookmark", "label": "Handbook", "signOnMode": "BOOKMARK",
        "settings": { "app": { "url": "https://a.example/" } },
    });
    let app = org.post("/api/v1/apps", &link).text("/id").to_owned();
    let path = format!("/api/v1/meta/schemas/apps/{app}/default");
    assert_eq!(org.get(&path).body["definitions"]["base"]["required"], json!(["userName"]));
    let shown = org.post(&path, &custom(json!({ "seat": { "title": "Seat", "type": "string", "scope": "SELF" } })));
    assert_eq!(shown.body["definitions"]["custom"]["properties"]["seat"]["scope"], json!("SELF"));
    org.check(call("GET /api/v1/meta/schemas/apps/0oaNone/default"), 404);
}

#[test]
fn types_have_people_and_schemas_of_their_own() {
    let org = org();
    let made = org.post(TYPES, &json!({ "name": "contractor", "displayName": "Contractor" }));
    let id = made.text("/id").to_owned();
    assert_eq!(org.get(TYPES).column("/name"), ["contractor", "user"]);
    let path = format!("/api/v1/meta/schemas/user/osc{}", &id[3..]);
    org.post(&path, &custom(json!({ "agency": { "title": "Agency", "type": "string", "required": true } })));
    let mut body = person("k@s.example", json!({ "agency": "Acme" }));
    body["type"] = json!({ "id": id });
    let user = org.post("/api/v1/users", &body);
    assert_eq!(user.text("/type/id"), id);
    assert!(user.text("/_links/schema/href").ends_with(&path));
    let mut bare = person("l@s.example", json!({}));
    bare["type"] = json!({ "id": id });
    org.refuse(call("POST /api/v1/users").json(&bare), 400, "E0000001", &["agency: The field cannot be left blank"]);
    let unknown = "Property name 'agency' is not defined in profile";
    let plain = person("m@s.example", json!({ "agency": "Acme" }));
    org.refuse(call("POST /api/v1/users").json(&plain), 400, "E0000001", &[unknown]);
    let found = org.get(&format!("/api/v1/users?search=type.id+eq+%22{id}%22"));
    assert_eq!(found.column("/profile/login"), ["k@s.example"]);
    let inuse = "A user type that is assigned to users cannot be deleted.";
    org.refuse(call(&format!("DELETE {TYPES}/{id}")), 400, "E0000001", &[inuse]);
    let one = format!("/api/v1/users/{}", user.text("/id"));
    let default = json!({ "type": { "id": "default" }, "profile": person("k@s.example", json!({}))["profile"] });
    org.check(call(&format!("POST {one}")).json(&default), 400);
    let back = org.check(call(&format!("PUT {one}")).json(&default), 200);
    assert_eq!(back.body["profile"].get("agency"), None);
    org.check(call(&format!("DELETE {TYPES}/{id}")), 204);
    org.check(call(&format!("GET {TYPES}/{id}")), 404);
    org.check(call(&format!("GET {path}")), 404);
}

#[test]
fn what_a_type_cannot_be_is_refused() {
    let org = Org::acme();
    let id = org.post(TYPES, &json!({ "name": "guest", "displayName": "Guest" })).text("/id").to_owned();
    let refuse = |call, cause: &str| drop(org.refuse(call, 400, "E0000001", &[cause]));
    let post = |body: Value| call(&format!("POST {TYPES}")).json(&body);
    refuse(post(json!({ "name": "x" })), "displayName: The field cannot be left blank");
    refuse(post(json!({ "displayName": "x" })), "name: The field cannot be left blank");
    refuse(post(json!({ "name": "a b", "displayName": "x" })), "name: Does not match required pattern");
    let taken = "name: An object with this field already exists in the current organization";
    refuse(post(json!({ "name": "Guest", "displayName": "x" })), taken);
    let put = |body: Value| call(&format!("PUT {TYPES}/{id}")).json(&body);
    refuse(put(json!({ "name": "guest", "displayName": "x" })), "description: The field cannot be left blank");
    let renamed = json!({ "name": "host", "displayName": "x", "description": "y" });
    refuse(put(renamed), "name: The name of a user type cannot be changed");
    let update = call(&format!("POST {TYPES}/{id}")).json(&json!({ "displayName": "Visitor" }));
    assert_eq!(org.check(update, 200).text("/displayName"), "Visitor");
    let default = org.get(TYPES).body[1]["id"].as_str().unwrap_or_default().to_owned();
    refuse(call(&format!("DELETE {TYPES}/{default}")), "The default user type cannot be deleted.");
}

#[test]
fn people_are_linked() {
    let org = Org::acme();
    let side = |name: &str| json!({ "name": name, "title": name, "description": "d", "type": "USER" });
    let body = json!({ "primary": side("boss"), "associated": side("minion") });
    let made = org.check(call(&format!("POST {LINKED}")).json(&body), 201);
    assert!(made.text("/_links/self/href").ends_with("/linkedObjects/boss"));
    assert_eq!(org.get(&format!("{LINKED}/minion")).body, made.body);
    let twice = [
        "Linked object identifier for primary is already in use.",
        "Linked object identifier for associated is already in use.",
    ];
    org.refuse(call(&format!("POST {LINKED}")).json(&body), 409, "E0000127", &twice);
    let (lena, zoe) = (org.id("lena.fischer"), org.id("zoe.oneill"));
    let link = |from: &str, name: &str, to: &str| call(&format!("PUT /api/v1/users/{from}/linkedObjects/{name}/{to}"));
    org.check(link(&zoe, "boss", &lena), 204);
    org.check(link(&zoe, "minion", &lena), 404);
    org.check(link(&zoe, "chief", &lena), 404);
    org.check(link(&zoe, "boss", "00uNobody"), 404);
    let others = |who: &str, name: &str| {
        let found = org.get(&format!("/api/v1/users/{who}/linkedObjects/{name}")).column("/_links/self/href");
        found.iter().map(|href| href.rsplit('/').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((others(&zoe, "boss"), others(&lena, "minion")), (vec![lena.clone()], vec![zoe.clone()]));
    assert_eq!((others(&lena, "boss").len(), others(&zoe, "minion").len()), (0, 0));
    org.check(call(&format!("DELETE /api/v1/users/{zoe}/linkedObjects/boss")), 204);
    org.check(call(&format!("DELETE /api/v1/users/{zoe}/linkedObjects/boss")), 204);
    assert_eq!(others(&lena, "minion").len(), 0);
    org.check(link(&zoe, "boss", &lena), 204);
    org.check(call(&format!("DELETE {LINKED}/boss")), 204);
    org.check(call(&format!("GET {LINKED}/boss")), 404);
    org.check(call(&format!("POST {LINKED}")).json(&body), 201);
    assert_eq!(others(&lena, "minion").len(), 0, "links go with their definition");
}
