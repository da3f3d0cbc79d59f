//! Groups and memberships.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{Org, call};

#[test]
fn a_group_looks_like_okta_s() {
    let org = Org::acme();
    let got = org.post("/api/v1/groups", &json!({ "profile": { "name": "Movers", "description": null } }));
    insta::assert_json_snapshot!(got.body, {
        ".id" => "[id]", "._links.logo" => "[logo]", "._links.*.href" => "[href]",
    });
    let id = got.text("/id").to_owned();
    assert!(id.len() == 20 && id.starts_with("00g"), "{id}");
    assert_eq!(org.get(&format!("/api/v1/groups/{id}")).body, got.body);
    let put = call(&format!("PUT /api/v1/groups/{id}")).json(&json!({ "profile": { "name": "Shakers" } }));
    assert_eq!(org.check(put, 200).text("/profile/name"), "Shakers");
    org.check(call(&format!("DELETE /api/v1/groups/{id}")), 204);
    let gone = org.refuse(call(&format!("GET /api/v1/groups/{id}")), 404, "E0000007", &[]);
    assert_eq!(gone.text("/errorSummary"), format!("Not found: Resource not found: {id} (UserGroup)"));
    let events = org.events();
    let counts = ["group.lifecycle.create", "group.profile.update", "group.lifecycle.delete"].map(|name| events[name]);
    assert_eq!(counts, [1, 1, 1]);
}

#[test]
fn bad_groups_are_refused() {
    let org = Org::acme();
    let add = |profile| call("POST /api/v1/groups").json(&json!({ "profile": profile }));
    org.refuse(add(json!({})), 400, "E0000001", &["name: The field cannot be left blank"]);
    org.refuse(add(json!({ "name": "x".repeat(256) })), 400, "E0000001", &["name: The field is too long"]);
    let taken = ["name: An object with this field already exists in the current organization"];
    org.refuse(add(json!({ "name": "ENGINEERING" })), 400, "E0000001", &taken);
    let odd = ["Property name 'colour' is not defined in profile"];
    org.refuse(add(json!({ "name": "x", "colour": "red" })), 400, "E0000001", &odd);
    org.refuse(add(json!({ "name": 5 })), 400, "E0000003", &[]);
    let everyone = org.group("Everyone");
    org.refuse(call(&format!("DELETE /api/v1/groups/{everyone}")), 403, "E0000006", &[]);
    let id = org.id("lena.fischer");
    org.refuse(call(&format!("PUT /api/v1/groups/{everyone}/users/{id}")), 403, "E0000006", &[]);
}

#[test]
fn groups_are_listed_by_name() {
    let org = Org::acme();
    let got = org.get("/api/v1/groups");
    let names: Vec<String> = got.column("/profile/name").iter().map(|name| name.to_lowercase()).collect();
    assert!(names.is_sorted() && names.len() == 24, "{names:?}");
    assert_eq!(got.link("self").as_deref(), Some("/api/v1/groups?limit=10000"));
    assert_eq!(org.get("/api/v1/groups?q=AWS").column("/profile/name"), ["aws-prod-admin", "aws-prod-readonly"]);
    let check = |query: &str, count: usize| {
        let got = org.get(&format!("/api/v1/groups?{}", query.replace(' ', "+").replace('"', "%22")));
        assert_eq!(got.column("/id").len(), count, "{query}");
    };
    check(r#"filter=type eq "BUILT_IN""#, 1);
    check(r#"filter=type eq "OKTA_GROUP""#, 23);
    check(r#"search=profile.name sw "fin""#, 2);
    check(r#"search=profile.description co "production""#, 3);
    check(r#"search=type eq "OKTA_GROUP" and profile.name co "aws""#, 2);
    check(r#"search=type eq "APP_GROUP""#, 0);
    check(r#"filter=lastMembershipUpdated gt "2026-01-01T00:00:00.000Z""#, 0);
    org.refuse(
        call("GET /api/v1/groups?filter=profile.name+eq+%22x%22"),
        400,
        "E0000031",
        &["Invalid filter 'profile.name eq \"x\"': Unrecognized attribute 'profile.name' at position 0."],
    );
    let desc = org.get("/api/v1/groups?search=profile.name+sw+%22aws%22&sortBy=profile.name&sortOrder=desc");
    assert_eq!(desc.column("/profile/name"), ["aws-prod-readonly", "aws-prod-admin"]);
}

#[test]
fn group_pages_join_up() {
    let org = Org::acme();
    let (mut next, mut seen) = (Some("/api/v1/groups?limit=5".to_owned()), Vec::new());
    while let Some(target) = next {
        let got = org.get(&target);
        seen.extend(got.column("/id"));
        next = got.link("next");
        org.post("/api/v1/groups", &json!({ "profile": { "name": format!("zz {}", seen.len()) } }));
        assert!(seen.len() < 200, "ends");
        if seen.len() > 40 {
            break;
        }
    }
    let unique: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(unique.len(), seen.len());
}

#[test]
fn stats_are_embedded_where_asked() {
    let org = Org::acme();
    let got = org.get("/api/v1/groups?q=figma&expand=stats");
    assert_eq!(got.body[0]["_embedded"]["stats"]["usersCount"], 2);
    let got = org.get("/api/v1/groups?q=Everyone&expand=stats,app");
    assert_eq!(got.body[0]["_embedded"]["stats"]["usersCount"], 40);
    org.check(call("GET /api/v1/groups?expand=moon"), 400);
}

#[test]
fn memberships_come_and_go_once() {
    let org = Org::acme();
    let (group, user) = (org.group("figma-admin"), org.id("lena.fischer"));
    let path = format!("/api/v1/groups/{group}/users/{user}");
    for _ in 0..2 {
        org.check(call(&format!("PUT {path}")), 204);
    }
    let got = org.get(&format!("/api/v1/groups/{group}/users"));
    assert_eq!(got.column("/id").len(), 3);
    assert_eq!(got.link("self"), Some(format!("/api/v1/groups/{group}/users?limit=1000")));
    assert!(org.get("/api/v1/users/lena.fischer/groups").column("/profile/name").contains(&"figma-admin".to_owned()));
    for _ in 0..2 {
        org.check(call(&format!("DELETE {path}")), 204);
    }
    assert_eq!(org.get(&format!("/api/v1/groups/{group}/users")).column("/id").len(), 2);
    let events = org.events();
    assert_eq!((events["group.user_membership.add"], events["group.user_membership.remove"]), (1, 1));
    org.refuse(call(&format!("PUT /api/v1/groups/{group}/users/nobody")), 404, "E0000007", &[]);
    org.refuse(call(&format!("PUT /api/v1/groups/nothing/users/{user}")), 404, "E0000007", &[]);
    let left = org.id("marcus.bell");
    org.refuse(call(&format!("PUT /api/v1/groups/{group}/users/{left}")), 403, "E0000038", &[]);
}

#[test]
fn member_pages_join_up() {
    let org = Org::acme();
    let check = |name: &str, count: usize| {
        let group = org.group(name);
        let (mut next, mut seen) = (Some(format!("/api/v1/groups/{group}/users?limit=4")), Vec::new());
        while let Some(target) = next {
            let got = org.get(&target);
            seen.extend(got.column("/id"));
            next = got.link("next");
        }
        assert_eq!(seen.len(), count, "{name}");
        assert!(seen.is_sorted());
    };
    check("vpn-users", 18);
    check("Everyone", 40);
    let group = org.group("vpn-users");
    let bad = call(&format!("GET /api/v1/groups/{group}/users?after=nonsense"));
    org.refuse(bad, 400, "E0000029", &["Invalid cursor."]);
}
