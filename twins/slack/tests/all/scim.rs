//! SCIM 1.1 and 2.0: identity providers keep people and groups, and everybody sees it.

use http::Method;
use serde_json::{Value, json};

use crate::{
    admin_channels::idp_group,
    desk::{BOT, DANA, Desk},
    office::{CLERK, OWNER, enterprise, plain},
};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

/// Requests that must be refused, with the words.
fn refuses(desk: &Desk, rows: &[(Method, &str, Value, u16, &str)]) {
    for (method, target, body, status, words) in rows {
        let (found, answer) = desk.rest(method.clone(), target, body);
        let said = answer["Errors"]["description"].as_str().or(answer["detail"].as_str()).unwrap_or_default();
        assert_eq!((found, said), (*status, *words), "{method} {target} {body}: {answer}");
    }
}

fn user(name: &str, email: &str) -> Value {
    json!({
        "schemas": ["urn:scim:schemas:core:1.0"],
        "userName": name,
        "name": { "givenName": "Nova", "familyName": "Ray" },
        "emails": [{ "value": email, "primary": true }],
        "title": "Lead",
        "timezone": "Europe/Paris",
        "externalId": "ext-1",
        "phoneNumbers": [{ "value": "+33 1 5550100", "primary": true, "type": "work" }],
        "urn:scim:schemas:extension:enterprise:1.0": { "department": "IT", "employeeNumber": "7" },
    })
}

#[test]
fn identity_providers_need_an_administrators_token() {
    let desk = plain();
    for (token, status, words) in [
        ("", 401, "invalid_authentication"),
        ("xoxp-nobody", 401, "invalid_authentication"),
        (BOT, 401, "invalid_authentication"),
        (CLERK, 403, "not_an_admin"),
    ] {
        for version in ["v1", "v2"] {
            let (found, answer) = desk.rest_as(token, GET, &format!("/scim/{version}/Users"), &Value::Null);
            assert_eq!(found, status, "{token}");
            assert_eq!(answer, json!({ "Errors": { "description": words, "code": status } }), "{token}");
        }
    }
    assert_eq!(desk.rest_as(DANA, GET, "/scim/v1/Users", &Value::Null).0, 200);
}

#[test]
fn people_are_made_changed_and_ended() {
    let desk = enterprise();
    let (status, made) = desk.rest(POST, "/scim/v1/Users", &user("nova", "nova@acme.example"));
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap();
    let at = format!("/scim/v1/Users/{id}");
    assert_eq!(made["meta"]["location"], format!("http://127.0.0.1:7003{at}"));
    assert_eq!(
        (&made["userName"], &made["active"], &made["externalId"]),
        (&json!("nova"), &json!(true), &json!("ext-1"))
    );
    assert_eq!(made["urn:scim:schemas:extension:enterprise:1.0"]["department"], "IT");
    // The ordinary methods see the same person.
    let seen = desk.call(OWNER, "users.info", &format!("user={id}"))["user"].clone();
    assert_eq!(
        (&seen["real_name"], &seen["profile"]["title"], &seen["tz"]),
        (&json!("Nova Ray"), &json!("Lead"), &json!("Europe/Paris"))
    );
    let members = desk.call(OWNER, "conversations.members", "channel={#general}&limit=1000");
    assert!(members["members"].as_array().unwrap().contains(&json!(id)));
    // PATCH sets what is said, PUT all.
    let (status, patched) = desk.rest(PATCH, &at, &json!({ "title": "Head", "name": { "familyName": "Sun" } }));
    assert_eq!(
        (status, &patched["title"], &patched["name"]),
        (200, &json!("Head"), &json!({ "givenName": "Nova", "familyName": "Sun" }))
    );
    let whole = json!({ "userName": "nova", "name": { "givenName": "Nova" }, "emails": [{ "value": "n@acme.example", "primary": true }] });
    let (_, put) = desk.rest(PUT, &at, &whole);
    assert_eq!(
        (&put["title"], &put["name"]["familyName"], &put["emails"][0]["value"]),
        (&json!(""), &json!(""), &json!("n@acme.example"))
    );
    assert!(put["urn:scim:schemas:extension:enterprise:1.0"].is_null() && put["phoneNumbers"].is_null());
    // Ended and brought back.
    assert_eq!(desk.rest(PATCH, &at, &json!({ "active": false })).1["active"], false);
    assert_eq!(desk.call(OWNER, "users.info", &format!("user={id}"))["user"]["deleted"], true);
    assert_eq!(desk.rest(PATCH, &at, &json!({ "active": true })).1["active"], true);
    assert_eq!(desk.call(OWNER, "users.info", &format!("user={id}"))["user"]["deleted"], false);
    assert_eq!(desk.rest(DELETE, &at, &Value::Null).0, 200);
    assert_eq!(desk.rest(GET, &at, &Value::Null).1["active"], false);
    // Who is ended has no tokens.
    assert_eq!(desk.error(CLERK, "auth.test", ""), "");
    assert_eq!(desk.rest(DELETE, "/scim/v2/Users/{@lena}", &Value::Null).0, 204);
    assert_eq!(desk.error(CLERK, "auth.test", ""), "token_revoked");
}

#[test]
fn what_cannot_be_is_refused() {
    let desk = enterprise();
    let bad = |change: Value| {
        let mut body = user("nova", "nova@acme.example");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    refuses(
        &desk,
        &[
            (GET, "/scim/v1/Users/U0NONE", Value::Null, 404, "user_not_found"),
            (GET, "/scim/v1/Users/{@steward}", Value::Null, 404, "user_not_found"),
            (PATCH, "/scim/v1/Users/U0NONE", json!({}), 404, "user_not_found"),
            (DELETE, "/scim/v1/Users/U0NONE", Value::Null, 404, "user_not_found"),
            (POST, "/scim/v1/Users", json!([]), 400, "invalid_json"),
            (POST, "/scim/v1/Users", json!({}), 400, "missing_username"),
            (POST, "/scim/v1/Users", json!({ "userName": "nova" }), 400, "missing_email"),
            (POST, "/scim/v1/Users", bad(json!({ "emails": [{ "value": "x" }] })), 400, "invalid_email"),
            (POST, "/scim/v1/Users", bad(json!({ "userName": "not ok" })), 400, "invalid_username (username=not ok)"),
            (
                POST,
                "/scim/v1/Users",
                bad(json!({ "userName": "lena.fischer" })),
                409,
                "username_taken (username=lena.fischer)",
            ),
            (
                POST,
                "/scim/v1/Users",
                bad(json!({ "emails": [{ "value": "lena.fischer@acme.example" }] })),
                409,
                "email_taken (email=lena.fischer@acme.example)",
            ),
            (
                POST,
                "/scim/v2/Users",
                bad(json!({ "emails": [{ "value": "lena.fischer@acme.example" }] })),
                409,
                "email_taken (email=lena.fischer@acme.example)",
            ),
            (
                PATCH,
                "/scim/v1/Users/{@omar}",
                json!({ "userName": "lena.fischer" }),
                409,
                "username_taken (username=lena.fischer)",
            ),
            (DELETE, "/scim/v1/Users/{@henrik}", Value::Null, 403, "cannot_deactivate_primary_owner"),
            (GET, "/scim/v1/Users?count=x", Value::Null, 400, "invalid_pagination"),
            (GET, "/scim/v1/Users?filter=userName", Value::Null, 400, "invalid_filter"),
            (GET, "/scim/v1/Users?filter=shoes%20eq%201", Value::Null, 400, "unsupported_filter_attribute"),
            (GET, "/scim/v1/Groups/S0NONE", Value::Null, 404, "group_not_found"),
            (POST, "/scim/v1/Groups", json!({}), 400, "missing_display_name"),
            (
                POST,
                "/scim/v1/Groups",
                json!({ "displayName": "X", "members": [{ "value": "U0NONE" }] }),
                404,
                "user_not_found",
            ),
            (PATCH, "/scim/v2/Users/{@omar}", json!({}), 400, "invalid_operations"),
            (GET, "/scim/v1/Schemas/Shoes", Value::Null, 404, "schema_not_found"),
        ],
    );
    // Owners are out of the reach of administrators.
    let (status, answer) = desk.rest_as(DANA, PATCH, "/scim/v1/Users/{@henrik}", &json!({ "title": "x" }));
    assert_eq!((status, &answer["Errors"]["description"]), (403, &json!("cannot_modify_owner")));
}

#[test]
fn people_are_listed_and_filtered() {
    let desk = enterprise();
    let list = |query: &str| desk.rest(GET, &format!("/scim/v1/Users{query}"), &Value::Null).1;
    let all = list("?count=1000");
    let total = all["totalResults"].as_u64().unwrap();
    assert_eq!(all["Resources"].as_array().unwrap().len() as u64, total);
    assert_eq!(list("")["itemsPerPage"], 10);
    let mut seen = Vec::new();
    for start in (1..=total).step_by(7) {
        let page = list(&format!("?startIndex={start}&count=7"));
        assert_eq!((&page["startIndex"], &page["totalResults"]), (&json!(start), &json!(total)));
        seen.extend(page["Resources"].as_array().unwrap().iter().cloned());
    }
    assert_eq!(json!(seen), all["Resources"]);
    for (filter, count) in [
        ("userName Eq \"lena.fischer\"", 1),
        ("filter=userName Eq \"lena.fischer\"", 1),
        ("email eq lena.fischer@acme.example", 1),
        ("emails.value sw \"lena\"", 1),
        ("name.familyName eq \"Fischer\"", 1),
        ("userName eq \"steward\"", 0),
        ("id eq \"{@omar}\"", 1),
        ("title co \"engineer\" and active eq true and not (userName eq lena.fischer)", 0),
    ] {
        let encoded: String = form_urlencoded::byte_serialize(desk.expand(filter).as_bytes()).collect();
        let found = list(&format!("?filter={encoded}"));
        if count > 0 || filter.contains("steward") {
            assert_eq!(found["totalResults"], count, "{filter}: {found}");
        } else {
            assert!(found["totalResults"].as_u64().unwrap() > 1, "{filter}");
        }
    }
}

#[test]
fn groups_are_made_changed_and_removed() {
    let desk = enterprise();
    let id = idp_group(&desk, "Ops", &["lena", "omar"]);
    let at = format!("/scim/v1/Groups/{id}");
    let people = || desk.rest(GET, &at, &Value::Null).1["members"].as_array().unwrap().len();
    assert_eq!(people(), 2);
    // It is a user group, and people have it.
    let groups = desk.call(OWNER, "usergroups.list", "include_users=true");
    let own =
        groups["usergroups"].as_array().unwrap().iter().find(|group| group["id"] == id.as_str()).cloned().unwrap();
    assert_eq!((&own["is_idp_group"], own["users"].as_array().unwrap().len()), (&json!(true), 2));
    let lena = desk.rest(GET, "/scim/v1/Users/{@lena}", &Value::Null).1;
    assert_eq!(lena["groups"], json!([{ "value": id, "display": "Ops" }]));
    assert_eq!(desk.rest(PATCH, &at, &json!({ "members": [{ "value": "{@lena}", "operation": "delete" }, { "value": "{@mei}" }, { "value": "{@kwame}" }] })).0, 204);
    assert_eq!(people(), 3);
    assert_eq!(desk.rest(PATCH, &at, &json!({ "displayName": "Operations" })).0, 204);
    assert_eq!(desk.rest(PUT, &at, &json!({ "displayName": "Operations", "members": [{ "value": "{@mei}" }] })).0, 200);
    assert_eq!(people(), 1);
    let found = desk.rest(GET, "/scim/v1/Groups?filter=displayName%20eq%20%22operations%22", &Value::Null).1;
    assert_eq!(found["totalResults"], 1);
    assert_eq!(desk.rest(POST, "/scim/v1/Groups", &json!({ "displayName": "operations" })).0, 409);
    assert_eq!(desk.rest(DELETE, &at, &Value::Null).0, 204);
    assert_eq!(desk.rest(GET, &at, &Value::Null).0, 404);
    // Groups that people make are none of the identity provider's.
    let (_, listed) = desk.rest(GET, "/scim/v1/Groups?count=100", &Value::Null);
    assert_eq!(listed["totalResults"], 0);
}

#[test]
fn version_two_patches_by_operations() {
    let desk = enterprise();
    let mut body = user("nova", "nova@acme.example");
    body["schemas"] = json!(["urn:ietf:params:scim:schemas:core:2.0:User"]);
    let made = desk.rest(POST, "/scim/v2/Users", &body).1;
    let at = format!("/scim/v2/Users/{}", made["id"].as_str().unwrap());
    let patch = |target: &str, operations: Value| {
        desk.rest(
            PATCH,
            target,
            &json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations }),
        )
    };
    let (status, after) = patch(
        &at,
        json!([
            { "op": "Replace", "path": "name.familyName", "value": "Sun" },
            { "op": "add", "path": "emails[type eq \"work\"].value", "value": "sun@acme.example" },
            { "op": "replace", "value": { "title": "Chief" } },
            { "op": "remove", "path": "externalId" },
            { "op": "replace", "path": "active", "value": "False" },
        ]),
    );
    assert_eq!(status, 200, "{after}");
    assert_eq!(
        (&after["name"]["familyName"], &after["emails"][0]["value"]),
        (&json!("Sun"), &json!("sun@acme.example"))
    );
    assert_eq!((&after["title"], &after["externalId"], &after["active"]), (&json!("Chief"), &json!(""), &json!(false)));
    let group = idp_group(&desk, "Ops", &["lena"]);
    let at = format!("/scim/v2/Groups/{group}");
    let people = || desk.rest(GET, &at, &Value::Null).1["members"].as_array().unwrap().len();
    assert_eq!(
        patch(
            &at,
            json!([{ "op": "add", "path": "members", "value": [{ "value": "{@omar}" }, { "value": "{@mei}" }] }])
        )
        .0,
        204
    );
    assert_eq!(people(), 3);
    assert_eq!(patch(&at, json!([{ "op": "remove", "path": "members[value eq \"{@omar}\"]" }])).0, 204);
    assert_eq!(patch(&at, json!([{ "op": "remove", "path": "members", "value": [{ "value": "{@mei}" }] }])).0, 204);
    assert_eq!(people(), 1);
    assert_eq!(patch(&at, json!([{ "op": "replace", "path": "displayName", "value": "Night" }])).0, 204);
    assert_eq!(patch(&at, json!([{ "op": "replace", "path": "members", "value": [] }])).0, 204);
    assert_eq!((people(), desk.rest(GET, &at, &Value::Null).1["displayName"].clone()), (0, json!("Night")));
    assert_eq!(desk.rest(DELETE, &at, &Value::Null).0, 204);
    let (status, error) = patch("/scim/v2/Users/U0NONE", json!([{ "op": "remove", "path": "title" }]));
    assert_eq!((status, &error["detail"], &error["status"]), (404, &json!("user_not_found"), &json!("404")));
}

#[test]
fn guests_are_provisioned() {
    let desk = enterprise();
    let mut body = user("guest", "guest@partner.example");
    body["urn:scim:schemas:extension:slack:guest:1.0"] =
        json!({ "type": "single", "expiration": "2030-01-01T00:00:00Z" });
    let made = desk.rest(POST, "/scim/v1/Users", &body).1;
    assert_eq!(made["urn:scim:schemas:extension:slack:guest:1.0"]["type"], "single");
    let seen = desk.call(OWNER, "users.info", &format!("user={}", made["id"].as_str().unwrap()))["user"].clone();
    assert_eq!((&seen["is_restricted"], &seen["is_ultra_restricted"]), (&json!(true), &json!(true)));
}

#[test]
fn the_api_tells_of_itself() {
    let desk = plain();
    let get = |target: &str| desk.rest(GET, target, &Value::Null);
    for target in
        ["/scim/v1/ServiceProviderConfigs", "/scim/v2/ServiceProviderConfig", "/scim/v2/ServiceProviderConfigs"]
    {
        let (status, config) = get(target);
        assert_eq!(
            (status, &config["patch"]["supported"], &config["bulk"]["supported"]),
            (200, &json!(true), &json!(false))
        );
    }
    for target in ["/scim/v1/Schemas/Users", "/scim/v2/Schemas/Groups"] {
        assert!(get(target).1["attributes"].as_array().unwrap().len() > 2, "{target}");
    }
    assert_eq!(get("/scim/v2/Schemas").1["Resources"].as_array().unwrap().len(), 2);
    assert_eq!(get("/scim/v2/ResourceTypes").1["Resources"][0]["endpoint"], "/Users");
}
