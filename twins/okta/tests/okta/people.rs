//! People: reading, listing, searching, making, changing, deleting.

use std::collections::BTreeSet;

use dtu_okta::model::{State, USER_ID, profile::Attribute, user::User};
use serde_json::{Value, json};

use crate::support::{BOT, Org, call};

fn new_user(login: &str) -> Value {
    json!({ "profile": { "firstName": "New", "lastName": "Person", "login": login, "email": login } })
}

#[test]
fn a_person_looks_like_okta_s() {
    let org = Org::acme();
    let got = org.get("/api/v1/users/lena.fischer@acme.example");
    let keys: Vec<&String> = got.body.as_object().expect("is an object").keys().collect();
    assert_eq!(
        keys,
        [
            "id",
            "status",
            "created",
            "activated",
            "statusChanged",
            "lastLogin",
            "lastUpdated",
            "passwordChanged",
            "type",
            "profile",
            "credentials",
            "_links"
        ]
    );
    insta::assert_json_snapshot!(got.body, {
        ".id" => "[id]", ".type.id" => "[type]", "._links.*.href" => "[href]", ".lastLogin" => "[time]",
    });
    assert!(got.text("/_links/suspend/href").ends_with("/lifecycle/suspend"));
    assert!(got.header("etag").starts_with("W/\""));
    assert_eq!(got.header("content-type"), "application/json");
    assert_eq!(got.header("cache-control"), "no-cache, no-store");
    assert_eq!(got.header("x-rate-limit-limit"), "1000");
    assert_eq!(got.header("x-okta-request-id").len(), 32);
    let id = got.text("/id");
    assert!(id.len() == 20 && id.starts_with("00u") && id.ends_with("5d7"), "{id}");
}

#[test]
fn people_are_found_by_all_their_names() {
    let org = Org::acme();
    let id = org.id("lena.fischer@acme.example");
    for name in [&*id, "lena.fischer", "LENA.FISCHER@acme.example", "lena.fischer%40acme.example"] {
        assert_eq!(org.get(&format!("/api/v1/users/{name}")).text("/id"), id, "{name}");
    }
    assert_eq!(org.get("/api/v1/users/me").text("/profile/email"), "dana.whitfield@acme.example");
    let me = call("GET /api/v1/users/me").header("authorization", &format!("SSWS{BOT}"));
    assert_eq!(org.check(me, 200).text("/profile/userType"), "Service");
    org.post("/api/v1/users?activate=false", &new_user("lena.fischer@elsewhere.example"));
    org.refuse(call("GET /api/v1/users/lena.fischer"), 404, "E0000007", &[]);
}

#[test]
fn less_is_shown_where_less_is_asked() {
    let org = Org::acme();
    let json = "application/json; okta-response=omitCredentials,omitCredentialsLinks";
    let got = org.check(call("GET /api/v1/users/lena.fischer").header("content-type", json), 200);
    assert_eq!(got.body.get("credentials"), None);
    assert_eq!(got.body["_links"].get("resetPassword"), None);
    assert!(got.body["_links"].get("deactivate").is_some());
    let got = org.get("/api/v1/users?limit=1&fields=status,profile:(firstName,%20city)");
    let row = got.body[0].as_object().expect("is an object");
    assert_eq!(row.keys().collect::<Vec<_>>(), ["id", "status", "profile"]);
    assert_eq!(row["profile"].as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(org.get("/api/v1/users/lena.fischer?expand=blocks").body["_embedded"], json!({ "blocks": [] }));
    org.refuse(call("GET /api/v1/users/lena.fischer?expand=x"), 400, "E0000001", &["Expand query is malformed."]);
}

#[test]
fn lists_leave_out_who_is_deactivated() {
    let org = Org::acme();
    let got = org.get("/api/v1/users");
    let statuses: BTreeSet<String> = got.column("/status").into_iter().collect();
    assert!(!statuses.contains("DEPROVISIONED") && statuses.contains("STAGED"), "{statuses:?}");
    assert_eq!(got.link("self").as_deref(), Some("/api/v1/users?limit=200"));
    assert_eq!(got.link("next"), None);
    let links = got.body[0]["_links"].as_object().expect("is an object");
    assert_eq!(links.keys().collect::<Vec<_>>(), ["self"]);
    assert_eq!(org.get("/api/v1/users?filter=status+eq+%22DEPROVISIONED%22").column("/id").len(), 2);
    assert_eq!(org.get("/api/v1/users?search=status+eq+%22deprovisioned%22").column("/id").len(), 2);
    // STAGED come first, as recorded.
    assert_eq!(got.text("/0/status"), "STAGED");
}

#[test]
fn q_matches_beginnings_of_names() {
    let org = Org::acme();
    let check = |q: &str, logins: &[&str]| {
        let got = org.get(&format!("/api/v1/users?q={q}"));
        let found: BTreeSet<String> = got.column("/profile/login").into_iter().collect();
        let wanted: BTreeSet<String> = logins.iter().map(|login| format!("{login}@acme.example")).collect();
        assert_eq!(found, wanted, "{q}");
        assert_eq!(got.link("self"), None, "a query cannot be paged");
    };
    check("lena", &["lena.fischer"]);
    check("FISCH", &["lena.fischer"]);
    check("marcus", &[]);
    check("ro", &["rob.castellanos"]);
    assert_eq!(org.get("/api/v1/groups?q=aws").link("self"), None);
}

#[test]
fn links_repeat_what_counts() {
    let org = Org::acme();
    let check = |query: &str, link: &str| {
        let got = org.get(&format!("/api/v1/users?{query}"));
        assert_eq!(got.link("self").as_deref(), Some(format!("/api/v1/users?limit=200&{link}").as_str()), "{query}");
    };
    check("search=id+pr&sortOrder=0", "search=id+pr");
    check("search=id+pr&sortBy=created&sortOrder=desc", "search=id+pr&sortBy=created&sortOrder=desc");
    check("filter=status+eq+%22STAGED%22", "filter=status+eq+%22STAGED%22");
}

#[test]
fn status_changes_count_from_the_first_credential() {
    let org = Org::acme();
    let check = |activate: bool, password: bool, changed: bool| {
        let login = format!("{activate}.{password}@acme.example");
        let mut body = new_user(&login);
        if password {
            body["credentials"] = json!({ "password": { "value": "Tr0ub4dor-and-3" } });
        }
        let got = org.post(&format!("/api/v1/users?activate={activate}"), &body);
        assert_eq!(got.body["statusChanged"].is_string(), changed, "{login}: {}", got.body);
    };
    check(false, false, false);
    check(false, true, true);
    check(true, false, true);
    check(true, true, true);
}

#[test]
fn the_schema_tells_lengths_of_all_but_mail_addresses() {
    let org = Org::acme();
    let schema = org.get("/api/v1/meta/schemas/user/default").body;
    assert!(schema["description"].is_string());
    let property = |name: &str| schema["definitions"]["base"]["properties"][name].clone();
    assert_eq!((&property("login")["minLength"], &property("login")["maxLength"]), (&json!(5), &json!(100)));
    assert_eq!((property("email").get("minLength"), property("email").get("maxLength")), (None, None));
    assert_eq!(property("email")["format"], "email");
}

#[test]
fn filters_and_searches_find_what_they_say() {
    let org = Org::acme();
    let check = |query: &str, count: usize| {
        let got = org.get(&format!("/api/v1/users?{}", query.replace(' ', "+").replace('"', "%22")));
        assert_eq!(got.column("/id").len(), count, "{query}");
    };
    check(r#"filter=profile.login eq "lena.fischer@acme.example""#, 1);
    check(r#"filter=profile.login eq "LENA.FISCHER@acme.example""#, 0);
    check(r#"filter=status eq "LOCKED_OUT" or status eq "SUSPENDED""#, 2);
    check(r#"filter=lastUpdated gt "2026-01-01T00:00:00.000Z" and status eq "ACTIVE""#, 0);
    check(r#"search=profile.department eq "design""#, 4);
    check(r#"search=profile.department eq "Design" and status eq "ACTIVE""#, 3);
    check(r#"search=profile.department sw "e" and profile.lastName co "á""#, 1);
    check(r#"search=profile.title sw "Backend Engineer""#, 2);
    check(r#"search=profile.lastName co "O'""#, 2);
    check(r#"search=profile.managerId eq "omar.haddad@acme.example""#, 3);
    check("search=profile.secondEmail pr", 0);
    check(r#"search=profile.mobilePhone pr and profile.city eq "London" and profile.department eq "IT""#, 2);
    check(r#"search=(status lt "STAGED" or status gt "STAGED") and profile.department eq "Product""#, 2);
    check(r#"search=profile.employeeNumber gt "1002" and profile.employeeNumber le "1004""#, 2);
    check(r#"search=created lt "2015-01-01T00:00:00Z""#, 1);
    check(r#"search=id eq "00uNobodyNobodyNo5d7""#, 0);
}

#[test]
fn co_is_for_few_attributes() {
    let org = Org::acme();
    let bad = call("GET /api/v1/users?search=profile.title+co+%22Engineer%22");
    assert_eq!(org.check(bad, 400).text("/errorCode"), "E0000031");
}

#[test]
fn searches_are_sorted() {
    let org = Org::acme();
    let sorted = |order: &str| {
        let got =
            org.get(&format!("/api/v1/users?search=profile.department+eq+%22Design%22&sortBy=profile.lastName{order}"));
        got.column("/profile/lastName")
    };
    assert_eq!(sorted(""), ["Alonso", "Fischer", "Haddad", "O'Neill"]);
    assert_eq!(sorted("&sortOrder=desc"), ["O'Neill", "Haddad", "Fischer", "Alonso"]);
}

/// Follows all pages; gives back ids in order of appearance.
fn all_pages(org: &Org, start: &str, mut between: impl FnMut(usize)) -> Vec<String> {
    let (mut target, mut seen) = (Some(start.to_owned()), Vec::new());
    for page in 0..100 {
        let Some(next) = target else { return seen };
        let got = org.get(&next);
        seen.extend(got.column("/id"));
        target = got.link("next");
        between(page);
    }
    panic!("{start} has no last page");
}

#[test]
fn pages_show_everyone_once_whatever_is_added() {
    let org = Org::acme();
    let check = |start: &str, wanted: usize| {
        let org = org.fork();
        let before: BTreeSet<String> = all_pages(&org, start, |_| ()).into_iter().collect();
        let seen = all_pages(&org, start, |page| {
            org.post("/api/v1/users", &new_user(&format!("new{page}@acme.example")));
        });
        assert_eq!(before.len(), wanted, "{start}");
        let unique: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(unique.len(), seen.len(), "{start}: twice");
        assert!(before.is_subset(&unique), "{start}: missed");
    };
    check("/api/v1/users?limit=7", 40);
    check("/api/v1/users?limit=3&filter=status+eq+%22ACTIVE%22", 34);
    check("/api/v1/users?limit=5&search=profile.lastName+pr", 42);
    check("/api/v1/users?limit=5&search=profile.lastName+pr&sortBy=profile.lastName", 42);
    check("/api/v1/users?limit=5&search=profile.lastName+pr&sortBy=profile.mobilePhone&sortOrder=desc", 42);
    check("/api/v1/users?limit=5&search=profile.lastName+pr&sortBy=profile.nickName", 42);
    check("/api/v1/users?limit=2&search=profile.department+eq+%22Design%22", 4);
}

#[test]
fn creation_leads_to_the_documented_state() {
    let org = Org::acme();
    let check = |n: usize, query: &str, credentials: Value, status: &str| {
        let mut body = new_user(&format!("state{n}@acme.example"));
        body["credentials"] = credentials;
        let got = org.post(&format!("/api/v1/users{query}"), &body);
        assert_eq!(got.text("/status"), status, "{query} {body}");
        assert_eq!(org.get(&format!("/api/v1/users/{}", got.text("/id"))).text("/status"), status);
    };
    let password = json!({ "password": { "value": "Correct-Horse-7" } });
    check(1, "?activate=false", json!({}), "STAGED");
    check(2, "", json!({}), "PROVISIONED");
    check(3, "?activate=false", password.clone(), "STAGED");
    check(4, "?activate=true", password.clone(), "ACTIVE");
    check(5, "?activate=true&nextLogin=changePassword", password, "PASSWORD_EXPIRED");
    let federated = json!({ "provider": { "type": "FEDERATION", "name": "FEDERATION" } });
    check(6, "?provider=true", federated.clone(), "ACTIVE");
    check(7, "?provider=true&activate=false", federated, "STAGED");
    let hash = json!({
        "algorithm": "BCRYPT", "workFactor": 10, "salt": "rwh3vH166HCH/NT9XV5FYu",
        "value": "qaMqvAPULkbiQzkTCWo5XDcvzpk8Tna",
    });
    check(8, "", json!({ "password": { "hash": hash } }), "ACTIVE");
}

#[test]
fn new_people_are_in_their_groups_and_in_everyone() {
    let org = Org::acme();
    let mut body = new_user("in.groups@acme.example");
    body["groupIds"] = json!([org.group("VPN-users"), org.group("Everyone")]);
    let id = org.post("/api/v1/users", &body).text("/id").to_owned();
    let got = org.get(&format!("/api/v1/users/{id}/groups"));
    assert_eq!(got.column("/profile/name"), ["Everyone", "vpn-users"]);
    assert_eq!(got.link("self"), Some(format!("/api/v1/users/{id}/groups?limit=200")));
    let first = org.get(&format!("/api/v1/users/{id}/groups?limit=1"));
    let second = org.get(&first.link("next").expect("there is more"));
    assert_eq!((second.column("/profile/name"), second.link("next")), (vec!["vpn-users".to_owned()], None));
    assert_eq!(org.events()["group.user_membership.add"], 1);
}

#[test]
fn bad_people_are_refused_field_by_field() {
    let org = Org::acme();
    let check = |query: &str, body: Value, status: u16, code: &str, causes: &[&str]| {
        org.refuse(call(&format!("POST /api/v1/users{query}")).json(&body), status, code, causes)
    };
    let blank = "The field cannot be left blank";
    let got = check(
        "",
        json!({ "profile": {} }),
        400,
        "E0000001",
        &[
            &format!("login: {blank}"),
            &format!("firstName: {blank}"),
            &format!("lastName: {blank}"),
            &format!("email: {blank}"),
            "login: Username must be in the form of an email address",
        ],
    );
    assert_eq!(got.text("/errorSummary"), "Api validation failed: login");
    let taken = "login: An object with this field already exists in the current organization";
    check("", new_user("Lena.Fischer@acme.example"), 400, "E0000001", &[taken]);
    let mut odd = new_user("odd@acme.example");
    odd["profile"]["notValid"] = json!("x");
    let got = check("", odd, 400, "E0000001", &["Property name 'notValid' is not defined in profile"]);
    assert_eq!(got.text("/errorSummary"), "Api validation failed: newUser");
    let expire = "Could not create user. To create a user and expire their password immediately,";
    check(
        "?nextLogin=changePassword",
        new_user("a1@acme.example"),
        400,
        "E0000124",
        &[&format!("{expire} a password must be specified")],
    );
    let early = "?activate=false&nextLogin=changePassword";
    check(early, new_user("a1@acme.example"), 400, "E0000125", &[&format!("{expire} \"activate\" must be true")]);
    let mut many = new_user("a2@acme.example");
    many["groupIds"] = json!(vec!["00g"; 21]);
    check("", many.clone(), 400, "E0000093", &["The number of group targets is too large"]);
    many["groupIds"] = json!(["00gNope"]);
    check("", many, 404, "E0000007", &[]);
    let mut weak = new_user("weakling@acme.example");
    for password in ["short", "nouppercase1", "NOLOWERCASE1", "NoDigitsHere", "xWeakling99"] {
        weak["credentials"] = json!({ "password": { "value": password } });
        let got = org.check(call("POST /api/v1/users").json(&weak), 400);
        assert_eq!(got.text("/errorSummary"), "Api validation failed: password", "{password}");
    }
    let mut unknown = new_user("a3@acme.example");
    unknown["colour"] = json!("red");
    check("", unknown, 400, "E0000003", &[]);
    assert_eq!(org.get("/api/v1/users?search=profile.firstName+eq+%22New%22").column("/id").len(), 0);
    assert!(org.events().is_empty());
}

#[test]
fn updates_are_partial_and_replacements_are_not() {
    let org = Org::acme();
    let id = org.id("lena.fischer");
    let path = format!("/api/v1/users/{id}");
    let got = org.post(&path, &json!({ "profile": { "nickName": "Leni", "mobilePhone": null } }));
    assert_eq!((got.text("/profile/nickName"), &got.body["profile"]["mobilePhone"]), ("Leni", &Value::Null));
    assert_eq!(got.text("/profile/department"), "Design");
    // What an SDK reads and sends back is taken.
    let whole = org.get(&path).body;
    org.check(call(&format!("PUT {path}")).json(&whole), 200);
    let lean = json!({ "profile": { "firstName": "Lena", "lastName": "F", "login": "lena@acme.example", "email": "lena@acme.example" } });
    let got = org.check(call(&format!("PUT {path}")).json(&lean), 200);
    assert_eq!((got.text("/profile/lastName"), got.body["profile"].get("department")), ("F", None));
    assert_eq!(org.id("lena@acme.example"), id);
    org.check(call("GET /api/v1/users/lena.fischer@acme.example"), 404);
    assert_eq!(org.get("/api/v1/users?search=profile.department+eq+%22Design%22").column("/id").len(), 3);
    let taken = json!({ "profile": { "login": "omar.haddad@acme.example" } });
    org.refuse(
        call(&format!("POST {path}")).json(&taken),
        400,
        "E0000001",
        &["login: An object with this field already exists in the current organization"],
    );
    assert_eq!(org.events()["user.account.update_profile"], 2);
    org.refuse(
        call("POST /api/v1/users/marcus.bell").json(&json!({ "profile": { "title": "x" } })),
        403,
        "E0000038",
        &[],
    );
}

#[test]
fn entity_tags_guard_changes() {
    let org = Org::acme();
    let tag = org.get("/api/v1/users/lena.fischer").header("etag").to_owned();
    let change = |tag: &str| {
        call("POST /api/v1/users/lena.fischer").json(&json!({ "profile": { "title": "Lead" } })).header("if-match", tag)
    };
    org.refuse(change("W/\"0000\""), 412, "E0000231", &[]);
    org.refuse(change("nonsense"), 400, "E0000242", &[]);
    org.check(change(&tag), 200);
    org.refuse(change(&tag), 412, "E0000231", &[]);
    org.check(call("POST /api/v1/users/lena.fischer/lifecycle/suspend"), 200);
    let now = org.get("/api/v1/users/lena.fischer").header("etag").to_owned();
    assert_ne!(now, tag);
    org.check(change(&now), 200);
}

#[test]
fn deleting_takes_two_calls() {
    let org = Org::acme();
    let id = org.id("lena.fischer");
    let delete = || call(&format!("DELETE /api/v1/users/{id}"));
    org.check(delete(), 204);
    assert_eq!(org.get(&format!("/api/v1/users/{id}")).text("/status"), "DEPROVISIONED");
    org.check(delete(), 204);
    org.refuse(delete(), 404, "E0000007", &[]);
    org.check(call("GET /api/v1/users/lena.fischer"), 404);
    let events = org.events();
    assert_eq!((events["user.lifecycle.deactivate"], events["user.lifecycle.delete.completed"]), (1, 1));
}

#[test]
fn sessions_and_schemas_answer() {
    let org = Org::acme();
    org.check(call("DELETE /api/v1/users/lena.fischer/sessions?oauthTokens=true"), 204);
    let got = org.get("/api/v1/meta/schemas/user/default");
    assert_eq!(got.body["definitions"]["base"]["properties"]["login"]["maxLength"], 100);
    org.check(call("GET /api/v1/meta/schemas/user/nope"), 404);
}

#[test]
fn forks_do_not_see_each_other() {
    let org = Org::acme();
    let fork = org.fork();
    let a = org.post("/api/v1/users", &new_user("only.here@acme.example"));
    fork.check(call("GET /api/v1/users/only.here"), 404);
    let b = fork.post("/api/v1/users", &new_user("only.here@acme.example"));
    assert_eq!(a.text("/id"), b.text("/id"), "equal histories draw equal ids");
    fork.check(call("POST /api/v1/users/lena.fischer/lifecycle/suspend"), 200);
    assert_eq!(org.get("/api/v1/users/lena.fischer").text("/status"), "ACTIVE");
}

#[test]
fn no_page_looks_at_everybody() {
    const MANY: usize = 45_000;
    let org = Org::acme();
    let seeded = org.universe.seed_state::<State>("okta", |state, tx| {
        let model = state.users.find("lena.fischer").cloned().expect("works here");
        for n in 0..MANY {
            let mut user = User { id: tx.id(&USER_ID), ..User::clone(&model) };
            user.profile.set(Attribute::LOGIN, &format!("u{n}@acme.example"));
            user.profile.set(Attribute::DEPARTMENT, "Crowd");
            state.users.put(&mut tx.changes, user);
        }
    });
    assert!(seeded);
    // Nobody has a nickname, and no index knows: pages end short and lead on until all were looked at.
    let (mut target, mut pages) = (Some("/api/v1/users?search=profile.nickName+pr".to_owned()), 0);
    while let Some(next) = target {
        let got = org.get(&next);
        assert_eq!(got.column("/id").len(), 0);
        (target, pages) = (got.link("next"), pages + 1);
    }
    assert_eq!(pages, 3);
    // What an index knows is found at once, however many there are.
    let found =
        org.get("/api/v1/users?search=profile.department+eq+%22Crowd%22+and+profile.login+eq+%22u7@acme.example%22");
    assert_eq!((found.column("/id").len(), found.link("next")), (1, None));
    let found = org.get("/api/v1/users?search=profile.department+eq+%22Design%22+and+status+eq+%22ACTIVE%22");
    assert_eq!(found.column("/id").len(), 3);
    let crowd = org.get("/api/v1/users?limit=50&search=profile.department+eq+%22crowd%22");
    assert_eq!((crowd.column("/id").len(), crowd.link("next").is_some()), (50, true));
}

#[test]
fn who_asks_to_be_answered_later_is_answered_at_once() {
    // A server may pass over this preference (RFC 7240, section 2).
    let org = Org::acme();
    let user = org.id("lena.fischer");
    let later = |call: crate::support::Call| call.header("prefer", "respond-async");
    org.check(later(call(&format!("POST /api/v1/users/{user}/lifecycle/deactivate"))), 200);
    org.check(later(call(&format!("DELETE /api/v1/users/{user}"))), 204);
    org.check(call(&format!("GET /api/v1/users/{user}")), 404);
}

#[test]
fn blocks_are_a_feature_that_is_off() {
    let org = Org::acme();
    let user = org.id("lena.fischer");
    org.refuse(call(&format!("GET /api/v1/users/{user}/blocks")), 401, "E0000015", &[]);
    org.refuse(call("GET /api/v1/users/nobody/blocks"), 404, "E0000007", &[]);
}
