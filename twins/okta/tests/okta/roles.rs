//! Administrator roles: who holds which, what they are narrowed to, and what their holders may do.

use serde_json::{Value, json};

use crate::support::{ADMIN, BOT, Call, Got, Org, call};

const SUPER: &str = "KNKVARKSL5AUITKJJY";
const USER: &str = "KVJUKUS7IFCE2SKO";

/// A call with the token of the access bot.
fn bot(line: &str) -> Call {
    call(line).header("authorization", &format!("SSWS {BOT}"))
}

/// The id of the person who owns the access bot's token.
fn owner(org: &Org) -> String {
    org.check(bot("GET /api/v1/users/me"), 200).text("/id").to_owned()
}

/// Gives a role; the answer.
#[track_caller]
fn give(org: &Org, to: &str, kind: &str) -> Got {
    org.check(call(&format!("POST {to}/roles")).json(&json!({ "type": kind })), 201)
}

/// An org whose access bot has this role and no other; the bot's own id.
fn with(kind: &str) -> (Org, String) {
    let org = Org::acme();
    let id = owner(&org);
    if kind != "SUPER_ADMIN" {
        let at = format!("/api/v1/users/{id}");
        if !kind.is_empty() {
            give(&org, &at, kind);
        }
        org.check(call(&format!("DELETE {at}/roles/{SUPER}")), 204);
    }
    (org, id)
}

#[test]
fn people_of_the_world_who_administer_are_super_administrators() {
    let org = Org::acme();
    let got = org.get(&format!("/api/v1/users/{}/roles", owner(&org)));
    assert_eq!(got.column("/type"), ["SUPER_ADMIN"]);
    assert_eq!((got.text("/0/id"), got.text("/0/label")), (SUPER, "Super Administrator"));
    assert_eq!(got.text("/0/assignmentType"), "USER");
    let lena = org.get("/api/v1/users/lena.fischer@acme.example/roles");
    assert_eq!(lena.body, json!([]));
}

#[test]
fn roles_are_given_and_taken() {
    let org = Org::acme();
    let vpn = org.group("vpn-users");
    for at in [format!("/api/v1/users/{}", org.id("lena.fischer@acme.example")), format!("/api/v1/groups/{vpn}")] {
        let got = give(&org, &at, "USER_ADMIN");
        assert_eq!((got.text("/id"), got.text("/label"), got.text("/status")), (USER, "User Administrator", "ACTIVE"));
        assert!(got.text("/_links/assignee/href").ends_with(&at));
        org.refuse(call(&format!("POST {at}/roles")).json(&json!({ "type": "USER_ADMIN" })), 409, "E0000090", &[]);
        give(&org, &at, "APP_ADMIN");
        // By id, whichever was first: recorded.
        assert_eq!(org.get(&format!("{at}/roles")).column("/type"), ["APP_ADMIN", "USER_ADMIN"]);
        assert_eq!(org.get(&format!("{at}/roles/{USER}")).text("/type"), "USER_ADMIN");
        org.check(call(&format!("DELETE {at}/roles/{USER}")), 204);
        org.refuse(call(&format!("GET {at}/roles/{USER}")), 404, "E0000007", &[]);
        org.refuse(call(&format!("DELETE {at}/roles/{USER}")), 404, "E0000007", &[]);
    }
    let events = org.events();
    for (event, times) in [
        ("user.account.privilege.grant", 2),
        ("user.account.privilege.revoke", 1),
        ("group.privilege.grant", 2),
        ("group.privilege.revoke", 1),
    ] {
        assert_eq!(events.get(event), Some(&times), "{event}");
    }
}

#[test]
fn roles_that_cannot_be_given_are_refused() {
    let org = Org::acme();
    let lena = format!("/api/v1/users/{}/roles", org.id("lena.fischer@acme.example"));
    let check = |to: &str, body: Value, status: u16, code: &str, causes: &[&str]| {
        org.refuse(call(&format!("POST {to}")).json(&body), status, code, causes);
    };
    check(&lena, json!({}), 400, "E0000001", &["type: The field cannot be left blank"]);
    check(&lena, json!({ "type": "KING" }), 400, "E0000003", &[]);
    check(&lena, json!({ "type": "CUSTOM" }), 400, "E0000001", &["role: The field cannot be left blank"]);
    let custom = json!({ "type": "CUSTOM", "role": "cr0", "resource-set": "iam" });
    check(&lena, custom, 404, "E0000007", &[]);
    check("/api/v1/users/00unobody/roles", json!({ "type": "APP_ADMIN" }), 404, "E0000007", &[]);
    check("/api/v1/groups/00gnone/roles", json!({ "type": "APP_ADMIN" }), 404, "E0000007", &[]);
    check("/oauth2/v1/clients/0oanone/roles", json!({ "type": "APP_ADMIN" }), 404, "E0000007", &[]);
    let gone = org.get("/api/v1/users?filter=status+eq+%22DEPROVISIONED%22&limit=1");
    let gone = format!("/api/v1/users/{}/roles", gone.text("/0/id"));
    check(&gone, json!({ "type": "APP_ADMIN" }), 403, "E0000038", &[]);
}

#[test]
fn the_last_super_administrator_keeps_the_role() {
    let org = Org::acme();
    let people = org.get("/api/v1/iam/assignees/users");
    let ids: Vec<String> = people.body["value"]
        .as_array()
        .expect("is a list")
        .iter()
        .map(|one| one["id"].as_str().expect("is text").to_owned())
        .collect();
    let dana = org.id("me");
    for id in ids.iter().filter(|id| **id != dana) {
        org.check(call(&format!("DELETE /api/v1/users/{id}/roles/{SUPER}")), 204);
    }
    let last = call(&format!("DELETE /api/v1/users/{dana}/roles/{SUPER}"));
    org.refuse(last, 400, "E0000001", &["An org must have at least one super administrator."]);
}

#[test]
fn roles_of_groups_are_their_members() {
    let org = Org::acme();
    let (vpn, lena) = (org.group("vpn-users"), org.id("lena.fischer@acme.example"));
    org.check(call(&format!("PUT /api/v1/groups/{vpn}/users/{lena}")), 204);
    give(&org, &format!("/api/v1/groups/{vpn}"), "REPORT_ADMIN");
    let got = org.get(&format!("/api/v1/users/{lena}/roles"));
    assert_eq!((got.text("/0/type"), got.text("/0/assignmentType")), ("REPORT_ADMIN", "GROUP"));
    org.check(call(&format!("DELETE /api/v1/groups/{vpn}")), 204);
    assert_eq!(org.get(&format!("/api/v1/users/{lena}/roles")).body, json!([]));
}

#[test]
fn whoever_is_deactivated_loses_roles() {
    let org = Org::acme();
    let lena = format!("/api/v1/users/{}", org.id("lena.fischer@acme.example"));
    give(&org, &lena, "APP_ADMIN");
    org.check(call(&format!("POST {lena}/lifecycle/deactivate")), 200);
    assert_eq!(org.get(&format!("{lena}/roles")).body, json!([]));
}

#[test]
fn group_targets_narrow_a_role_and_the_last_one_stays() {
    let org = Org::acme();
    let (vpn, figma) = (org.group("vpn-users"), org.group("figma-admin"));
    for at in [format!("/api/v1/users/{}", org.id("lena.fischer@acme.example")), format!("/api/v1/groups/{vpn}")] {
        give(&org, &at, "USER_ADMIN");
        give(&org, &at, "APP_ADMIN");
        let targets = format!("{at}/roles/{USER}/targets/groups");
        assert_eq!(org.get(&targets).body, json!([]));
        for group in [&vpn, &figma, &figma] {
            org.check(call(&format!("PUT {targets}/{group}")), 204);
        }
        let mut ids = vec![vpn.clone(), figma.clone()];
        ids.sort();
        assert_eq!(org.get(&targets).column("/id"), ids);
        let first = org.get(&format!("{targets}?limit=1"));
        let next = first.link("next").expect("there is more");
        assert_eq!([first.column("/id"), org.get(&next).column("/id")].concat(), ids);
        org.refuse(call(&format!("GET {targets}?after=nonsense")), 400, "E0000029", &["Invalid cursor."]);
        org.check(call(&format!("DELETE {targets}/{vpn}")), 204);
        org.refuse(call(&format!("DELETE {targets}/{vpn}")), 404, "E0000007", &[]);
        let last = call(&format!("DELETE {targets}/{figma}"));
        org.refuse(last, 400, "E0000001", &["The last target of a role assignment cannot be removed."]);
        org.refuse(call(&format!("PUT {targets}/00gnone")), 404, "E0000007", &[]);
        let of_app = format!("PUT {at}/roles/IFIFAX2BIRGUSTQ/targets/groups/{vpn}");
        org.refuse(call(&of_app), 400, "E0000091", &[]);
        let shown = org.get(&format!("{at}/roles?expand=targets/groups"));
        assert_eq!(shown.text("/1/_embedded/targets/groups/0/id"), figma);
        org.refuse(call(&format!("GET {at}/roles?expand=x")), 400, "E0000001", &["Expand query is malformed."]);
    }
}

#[test]
fn app_targets_narrow_a_role() {
    let org = Org::acme();
    let at = format!("/api/v1/users/{}", org.id("lena.fischer@acme.example"));
    let bookmark = |label: &str| {
        let app = json!({ "name": "bookmark", "label": label, "signOnMode": "BOOKMARK", "settings": { "app": { "requestIntegration": false, "url": "https://a.example" } } });
        org.post("/api/v1/apps", &app).text("/id").to_owned()
    };
    let (one, two) = (bookmark("One"), bookmark("Two"));
    let role = give(&org, &at, "APP_ADMIN").text("/id").to_owned();
    let apps = format!("{at}/roles/{role}/targets/catalog/apps");
    org.check(call(&format!("PUT {apps}/bookmark/{one}")), 204);
    org.check(call(&format!("PUT {apps}/bookmark/{two}")), 204);
    assert_eq!(org.get(&apps).body.as_array().map(Vec::len), Some(2));
    org.refuse(call(&format!("PUT {apps}/facebook/{one}")), 404, "E0000007", &[]);
    org.check(call(&format!("DELETE {apps}/bookmark/{two}")), 204);
    let last = "The last target of a role assignment cannot be removed.";
    org.refuse(call(&format!("DELETE {apps}/bookmark/{one}")), 400, "E0000001", &[last]);
    // A definition takes the place of its apps, and then none of them can be added.
    org.check(call(&format!("PUT {apps}/bookmark")), 204);
    assert_eq!(org.get(&apps).column("/id"), [""]);
    let whole = "All instances of the app are a target already.";
    org.refuse(call(&format!("PUT {apps}/bookmark/{one}")), 400, "E0000001", &[whole]);
    org.check(call(&format!("PUT {apps}")), 200);
    assert_eq!(org.get(&apps).body, json!([]));
    let user = give(&org, &at, "USER_ADMIN").text("/id").to_owned();
    org.refuse(call(&format!("PUT {at}/roles/{user}/targets/catalog/apps/bookmark")), 400, "E0000091", &[]);
}

#[test]
fn standard_roles_let_their_holders_do_their_work() {
    let calls = [
        "GET /api/v1/users/lena.fischer@acme.example",
        "POST /api/v1/users/lena.fischer@acme.example/lifecycle/suspend",
        "POST /api/v1/users/lena.fischer@acme.example/lifecycle/reset_factors",
        "DELETE /api/v1/users/lena.fischer@acme.example/sessions",
        "POST /api/v1/groups",
        "PUT /api/v1/groups/{vpn}/users/{lena}",
        "GET /api/v1/apps",
        "GET /api/v1/logs",
        "GET /api/v1/authorizationServers",
        "POST /api/v1/zones",
        "GET /api/v1/zones",
        "GET /api/v1/users/lena.fischer@acme.example/roles",
        "POST /api/v1/eventHooks",
    ];
    let check = |kind: &str, expected: &str| {
        let (org, _) = with(kind);
        let (vpn, lena) = (org.group("vpn-users"), org.id("lena.fischer@acme.example"));
        let may = calls.iter().map(|line| {
            let line = line.replace("{vpn}", &vpn).replace("{lena}", &lena);
            let got = org.fork().send(bot(&line).json(&json!({})));
            if got.status == 403 && got.text("/errorCode") == "E0000006" { '-' } else { 'x' }
        });
        assert_eq!(may.collect::<String>(), expected, "{kind}");
    };
    check("SUPER_ADMIN", "xxxxxxxxxxxxx");
    check("ORG_ADMIN", "xxxxxx-xxxx--");
    check("USER_ADMIN", "xxxx-x-------");
    check("HELP_DESK_ADMIN", "x-xx---------");
    check("APP_ADMIN", "x-----xx-----");
    check("READ_ONLY_ADMIN", "x-----xxx-x--");
    check("API_ACCESS_MANAGEMENT_ADMIN", "x-----xxx----");
    check("REPORT_ADMIN", "-------x-----");
    check("GROUP_MEMBERSHIP_ADMIN", "x----x-------");
    check("", "-------------");
}

#[test]
fn a_group_administrator_changes_the_target_s_people_only() {
    let (org, id) = with("USER_ADMIN");
    let (vpn, lena, zoe) =
        (org.group("vpn-users"), org.id("lena.fischer@acme.example"), org.id("zoe.oneill@acme.example"));
    org.check(call(&format!("DELETE /api/v1/groups/{vpn}/users/{zoe}")), 204);
    org.check(call(&format!("PUT /api/v1/groups/{vpn}/users/{lena}")), 204);
    org.check(call(&format!("PUT /api/v1/users/{id}/roles/{USER}/targets/groups/{vpn}")), 204);
    let check = |line: String, body: Value, status: u16| drop(org.fork().check(bot(&line).json(&body), status));
    check(format!("POST /api/v1/users/{lena}/lifecycle/suspend"), json!({}), 200);
    check(format!("POST /api/v1/users/{zoe}/lifecycle/suspend"), json!({}), 403);
    check(format!("GET /api/v1/users/{zoe}"), json!({}), 403);
    check(format!("PUT /api/v1/groups/{vpn}/users/{zoe}"), json!({}), 204);
    check(format!("PUT /api/v1/groups/{}/users/{lena}", org.group("figma-admin")), json!({}), 403);
    let new = |groups: Value| json!({ "profile": { "firstName": "A", "lastName": "B", "email": "a.b@acme.example", "login": "a.b@acme.example" }, "groupIds": groups });
    check("POST /api/v1/users".to_owned(), new(json!([vpn])), 200);
    check("POST /api/v1/users".to_owned(), new(json!([])), 403);
    // A group whose members are administrators is for super administrators.
    give(&org, &format!("/api/v1/groups/{vpn}"), "REPORT_ADMIN");
    check(format!("PUT /api/v1/groups/{vpn}/users/{zoe}"), json!({}), 403);
    check(format!("POST /api/v1/users/{lena}/lifecycle/suspend"), json!({}), 403);
}

#[test]
fn rights_change_with_the_role() {
    let (org, id) = with("READ_ONLY_ADMIN");
    let write = || bot("POST /api/v1/groups").json(&json!({ "profile": { "name": "New" } }));
    org.refuse(write(), 403, "E0000006", &[]);
    let at = format!("/api/v1/users/{id}");
    let org_admin = give(&org, &at, "ORG_ADMIN").text("/id").to_owned();
    org.check(write(), 200);
    org.check(call(&format!("DELETE {at}/roles/{org_admin}")), 204);
    org.refuse(write(), 403, "E0000006", &[]);
}

/// A custom role and a set of resources, bound to the owner of the bot's token.
fn bound(org: &Org, id: &str, permissions: &[&str], resources: &[String]) -> (String, String) {
    let role = json!({ "label": "Keepers", "description": "Keep", "permissions": permissions });
    let role = org.post("/api/v1/iam/roles", &role).text("/id").to_owned();
    let set = json!({ "label": "Things", "description": "Kept", "resources": resources });
    let set = org.post("/api/v1/iam/resource-sets", &set).text("/id").to_owned();
    let member = format!("http://okta.test/api/v1/users/{id}");
    let binding = json!({ "role": role, "members": [member] });
    org.post(&format!("/api/v1/iam/resource-sets/{set}/bindings"), &binding);
    (role, set)
}

#[test]
fn a_custom_role_permits_what_its_set_holds() {
    let (org, id) = with("");
    let (vpn, lena, zoe) =
        (org.group("vpn-users"), org.id("lena.fischer@acme.example"), org.id("zoe.oneill@acme.example"));
    let resources =
        [format!("https://okta.test/api/v1/users/{lena}"), format!("https://okta.test/api/v1/groups/{vpn}")];
    let permissions = ["okta.users.read", "okta.users.lifecycle.suspend", "okta.groups.members.manage"];
    let (role, set) = bound(&org, &id, &permissions, &resources);
    let check = |line: String, allowed: bool| {
        let status = org.fork().send(bot(&line).json(&json!({}))).status;
        assert_eq!(status != 403, allowed, "{line}: {status}");
    };
    check(format!("GET /api/v1/users/{lena}"), true);
    check(format!("GET /api/v1/users/{zoe}"), false);
    check(format!("POST /api/v1/users/{lena}/lifecycle/suspend"), true);
    check(format!("POST /api/v1/users/{lena}/lifecycle/deactivate"), false);
    check(format!("PUT /api/v1/groups/{vpn}/users/{lena}"), true);
    check(format!("DELETE /api/v1/groups/{vpn}"), false);
    check("GET /api/v1/iam/roles".to_owned(), false);
    // What the role loses, its holders lose at once.
    org.check(call(&format!("DELETE /api/v1/iam/roles/{role}/permissions/okta.users.lifecycle.suspend")), 204);
    check(format!("POST /api/v1/users/{lena}/lifecycle/suspend"), false);
    org.check(call(&format!("DELETE /api/v1/iam/resource-sets/{set}")), 204);
    check(format!("GET /api/v1/users/{lena}"), false);
}

#[test]
fn members_of_bindings_hold_the_role() {
    let (org, id) = with("ORG_ADMIN");
    let (role, set) = bound(&org, &id, &["okta.users.read"], &["orn:okta:directory:00o1:users".to_owned()]);
    let held = org.get(&format!("/api/v1/users/{id}/roles"));
    let at = held.column("/type").iter().position(|kind| kind == "CUSTOM").expect("is bound");
    let (member, found) = (held.text(&format!("/{at}/id")).to_owned(), held.text(&format!("/{at}/resource-set")));
    assert_eq!((found, held.text(&format!("/{at}/role"))), (set.as_str(), role.as_str()));
    assert_eq!(held.text(&format!("/{at}/label")), "Keepers");
    let binding = format!("/api/v1/iam/resource-sets/{set}/bindings/{role}");
    assert_eq!(org.get(&format!("{binding}/members")).text("/members/0/id"), member);
    assert_eq!(org.get(&format!("{binding}/members/{member}")).text("/id"), member);
    let vpn = format!("http://okta.test/api/v1/groups/{}", org.group("vpn-users"));
    let add = |member: &str| call(&format!("PATCH {binding}/members")).json(&json!({ "additions": [member] }));
    org.check(add(&vpn), 200);
    org.check(add(&vpn), 200);
    assert_eq!(org.get(&format!("{binding}/members")).body["members"].as_array().map(Vec::len), Some(2));
    org.refuse(add("http://okta.test/api/v1/groups/00gnone"), 404, "E0000007", &[]);
    let twice = json!({ "type": "CUSTOM", "role": role, "resource-set": set });
    org.refuse(call(&format!("POST /api/v1/users/{id}/roles")).json(&twice), 409, "E0000090", &[]);
    org.check(call(&format!("DELETE {binding}/members/{member}")), 204);
    org.refuse(call(&format!("GET {binding}/members/{member}")), 404, "E0000007", &[]);
    assert_eq!(org.get(&format!("/api/v1/users/{id}/roles")).column("/type"), ["ORG_ADMIN"]);
    org.check(call(&format!("DELETE {binding}")), 204);
    org.refuse(call(&format!("GET {binding}")), 404, "E0000007", &[]);
    assert_eq!(org.get(&format!("/api/v1/iam/resource-sets/{set}/bindings")).body["roles"], json!([]));
    assert_eq!(org.events().get("iam.resourceset.bindings.add"), Some(&2));
}

#[test]
fn custom_roles_and_sets_are_unique_by_label_and_found_by_it() {
    let org = Org::acme();
    let role = json!({ "label": "Keepers", "description": "Keep", "permissions": ["okta.users.read"] });
    let id = org.post("/api/v1/iam/roles", &role).text("/id").to_owned();
    assert_eq!(org.get("/api/v1/iam/roles/Keepers").text("/id"), id);
    let refuse = |path: &str, body: Value, cause: &str| {
        org.refuse(call(&format!("POST {path}")).json(&body), 400, "E0000001", &[cause]);
    };
    refuse("/api/v1/iam/roles", role, "label: There is already an admin role with this name.");
    let blank = "The field cannot be left blank";
    refuse("/api/v1/iam/roles", json!({ "label": "B", "description": "b" }), &format!("permissions: {blank}"));
    refuse("/api/v1/iam/roles", json!({ "label": "B", "permissions": [] }), &format!("description: {blank}"));
    let odd = json!({ "label": "B", "description": "b", "permissions": ["x"] });
    refuse("/api/v1/iam/roles", odd, "permissions: The permission is not known.");
    let set = json!({ "label": "Set", "description": "s", "resources": [] });
    let set_id = org.post("/api/v1/iam/resource-sets", &set).text("/id").to_owned();
    assert_eq!(org.get("/api/v1/iam/resource-sets/Set").text("/id"), set_id);
    let taken = "label: An object with this field already exists in the current organization";
    refuse("/api/v1/iam/resource-sets", set, taken);
    refuse(
        "/api/v1/iam/resource-sets",
        json!({ "description": "s", "resources": [] }),
        "label: Label must be specified",
    );
    let binding = call(&format!("POST /api/v1/iam/resource-sets/{set_id}/bindings")).json(&json!({ "role": "cr0x" }));
    org.refuse(binding, 404, "E0000007", &[]);
}

#[test]
fn resources_of_sets_come_and_go() {
    let org = Org::acme();
    let set = json!({ "label": "Set", "description": "s", "resources": ["https://okta.test/api/v1/users"] });
    let at = format!("/api/v1/iam/resource-sets/{}", org.post("/api/v1/iam/resource-sets", &set).text("/id"));
    let vpn = format!("https://okta.test/api/v1/groups/{}/users", org.group("vpn-users"));
    let more = json!({ "additions": [vpn, "https://okta.test/api/v1/users"] });
    org.check(call(&format!("PATCH {at}/resources")).json(&more), 200);
    let all = org.get(&format!("{at}/resources"));
    let rows = all.body["resources"].as_array().expect("is a list");
    assert_eq!(rows.len(), 2, "what is in it already is not added twice");
    assert!(all.text("/resources/1/orn").ends_with(":contained_resources"));
    let id = all.text("/resources/1/id").to_owned();
    let conditions = json!({ "conditions": { "Exclude": { "okta:ORN": ["orn:okta:directory:00o1:users:00u1"] } } });
    let got = org.check(call(&format!("PUT {at}/resources/{id}")).json(&conditions), 200);
    assert_eq!(got.body["conditions"], conditions["conditions"]);
    org.check(call(&format!("DELETE {at}/resources/{id}")), 204);
    org.refuse(call(&format!("DELETE {at}/resources/{id}")), 404, "E0000007", &[]);
    let one = json!({ "resourceOrnOrUrl": "nonsense", "conditions": {} });
    org.refuse(call(&format!("POST {at}/resources")).json(&one), 404, "E0000007", &[]);
    let pages = org.get(&format!("{at}/resources?limit=1"));
    assert_eq!(pages.body["_links"].get("next"), None);
}

#[test]
fn targets_are_shown_by_their_names() {
    let org = Org::acme();
    let (vpn, lena) = (org.group("vpn-users"), org.id("lena.fischer@acme.example"));
    give(&org, &format!("/api/v1/users/{lena}"), "USER_ADMIN");
    org.check(call(&format!("PUT /api/v1/users/{lena}/roles/{USER}/targets/groups/{vpn}")), 204);
    let got = org.get(&format!("/api/v1/users/{lena}/roles/{USER}/targets"));
    assert!(got.text("/0/orn").ends_with(&format!(":groups:{vpn}")), "{}", got.body);
    let none = org.get(&format!("/api/v1/users/{lena}/roles/{USER}/targets?assignmentType=GROUP"));
    assert_eq!(none.body, json!([]));
    org.refuse(call(&format!("GET /api/v1/users/{lena}/roles/x/targets")), 404, "E0000007", &[]);
}

#[test]
fn a_token_s_owner_who_is_no_administrator_still_sees_itself() {
    let (org, id) = with("");
    org.check(bot("GET /api/v1/users/me"), 200);
    org.check(bot(&format!("GET /api/v1/users/{id}")), 200);
    org.refuse(bot("GET /api/v1/users"), 403, "E0000006", &[]);
    assert_ne!(ADMIN, BOT);
}

#[test]
fn the_console_asks_what_a_role_allows() {
    let org = Org::acme();
    let roles = format!("POST /api/v1/users/{}/roles", org.id("lena.fischer"));
    org.check(call(&roles).json(&json!({ "type": "HELP_DESK_ADMIN" })), 201);
    let check = |verb: &str, with: Value, may: bool| {
        let done = org.fork().perform(&format!("okta.admin.{verb}"), "lena", &with);
        match done {
            Ok(done) => assert!(may, "{verb}: {done}"),
            Err(words) => {
                let refused = words.contains("the administrator roles of lena.fischer@acme.example do not allow that");
                assert!(!may && refused, "{verb}: {words}");
            }
        }
    };
    let omar = || json!({ "user": "omar.haddad@acme.example" });
    let member = || json!({ "user": "omar.haddad@acme.example", "group": "Sales" });
    check("unlock_user", json!({ "user": "callum.fraser@acme.example" }), true);
    check("reset_factors", omar(), true);
    check("deactivate_user", omar(), false);
    check("suspend_user", omar(), false);
    check("add_to_group", member(), false);
    check("create_group", json!({ "name": "Movers" }), false);
    let new = json!({ "first_name": "Ada", "last_name": "Quill", "email": "ada.quill@acme.example" });
    check("create_user", new, false);
    check("revoke_token", json!({ "name": "it-admin" }), false);
    check("rotate_keys", json!({}), false);
    check("unlock_user", json!({ "user": "dana.whitfield@acme.example" }), false);
}

/// The sorted names of what a list shows the access bot.
fn shown(org: &Org, list: &str, pointer: &str) -> Vec<String> {
    let mut names = org.check(bot(&format!("GET {list}")), 200).column(pointer);
    names.sort();
    names
}

#[test]
fn lists_show_narrowed_administrators_what_they_administer() {
    let (org, id) = with("USER_ADMIN");
    let (vpn, lena) = (org.group("vpn-users"), org.id("lena.fischer@acme.example"));
    let everybody = shown(&org, "/api/v1/users", "/profile/login").len();
    org.check(call(&format!("PUT /api/v1/groups/{vpn}/users/{lena}")), 204);
    org.check(call(&format!("DELETE /api/v1/groups/{vpn}/users/{}", org.id("me"))), 204);
    let members = || {
        let mut members = org.get(&format!("/api/v1/groups/{vpn}/users")).column("/profile/login");
        members.sort();
        members
    };
    org.check(call(&format!("PUT /api/v1/users/{id}/roles/{USER}/targets/groups/{vpn}")), 204);
    assert!(members().len() < everybody);
    let hidden = org.get("/api/v1/users?filter=status+eq+%22DEPROVISIONED%22").column("/profile/login");
    let living: Vec<String> = members().into_iter().filter(|login| !hidden.contains(login)).collect();
    assert_eq!(shown(&org, "/api/v1/users", "/profile/login"), living);
    assert_eq!(shown(&org, "/api/v1/users?search=id+pr", "/profile/login"), members());
    assert_eq!(shown(&org, "/api/v1/users?q=lena", "/profile/login"), ["lena.fischer@acme.example"]);
    assert_eq!(shown(&org, "/api/v1/users?q=dana", "/id"), Vec::<String>::new());
    let dana = "/api/v1/users?search=profile.login+eq+%22dana.whitfield@acme.example%22";
    assert_eq!(shown(&org, dana, "/id"), Vec::<String>::new());
    for list in ["/api/v1/groups", "/api/v1/groups?q=v", &format!("/api/v1/users/{lena}/groups")] {
        assert_eq!(shown(&org, list, "/id"), std::slice::from_ref(&vpn), "{list}");
    }
    org.refuse(bot("GET /api/v1/apps"), 403, "E0000006", &[]);
    // Pages of what is shown end, and are whole.
    let first = org.check(bot("GET /api/v1/users?limit=1"), 200);
    let (mut seen, mut next) = (first.column("/id"), first.link("next"));
    while let Some(link) = next {
        let page = org.check(bot(&format!("GET {link}")), 200);
        seen.extend(page.column("/id"));
        next = page.link("next");
    }
    assert_eq!(seen.len(), living.len());
}

#[test]
fn lists_show_app_administrators_their_apps() {
    let (org, id) = with("APP_ADMIN");
    let bookmark = |label: &str| {
        let app = json!({ "name": "bookmark", "label": label, "signOnMode": "BOOKMARK", "settings": { "app": { "requestIntegration": false, "url": "https://a.example" } } });
        org.post("/api/v1/apps", &app).text("/id").to_owned()
    };
    let (one, two) = (bookmark("One"), bookmark("Two"));
    let all = shown(&org, "/api/v1/apps", "/id");
    assert!(all.contains(&one) && all.contains(&two));
    let role = org.get(&format!("/api/v1/users/{id}/roles")).text("/0/id").to_owned();
    let apps = format!("/api/v1/users/{id}/roles/{role}/targets/catalog/apps");
    org.check(call(&format!("PUT {apps}/bookmark/{one}")), 204);
    assert_eq!(shown(&org, "/api/v1/apps", "/id"), std::slice::from_ref(&one));
    assert_eq!(shown(&org, "/api/v1/apps?q=Two", "/id"), Vec::<String>::new());
    org.refuse(bot(&format!("GET /api/v1/apps/{two}")), 403, "E0000006", &[]);
    org.check(call(&format!("PUT {apps}/bookmark")), 204);
    let mut both = [one, two];
    both.sort();
    assert_eq!(shown(&org, "/api/v1/apps", "/id"), both);
    // Whoever administers access to APIs sees apps of OpenID Connect only.
    let (org, _) = with("API_ACCESS_MANAGEMENT_ADMIN");
    let client = json!({ "name": "oidc_client", "label": "Web", "signOnMode": "OPENID_CONNECT", "credentials": { "oauthClient": { "token_endpoint_auth_method": "client_secret_basic" } }, "settings": { "oauthClient": { "application_type": "web", "redirect_uris": ["https://a.example/cb"], "response_types": ["code"], "grant_types": ["authorization_code"] } } });
    let client = org.post("/api/v1/apps", &client).text("/id").to_owned();
    assert_eq!(shown(&org, "/api/v1/apps", "/id"), [client]);
}

#[test]
fn lists_show_holders_of_custom_roles_what_their_sets_hold() {
    let org = Org::acme();
    let (vpn, lena) = (org.group("vpn-users"), org.id("lena.fischer@acme.example"));
    let id = owner(&org);
    let at = |path: &str| format!("http://okta.test/api/v1/{path}");
    let permissions = ["okta.users.read", "okta.groups.read", "okta.apps.read"];
    let resources = [at(&format!("users/{lena}")), at(&format!("groups/{vpn}")), at(&format!("groups/{vpn}/users"))];
    bound(&org, &id, &permissions, &resources);
    org.check(call(&format!("DELETE /api/v1/users/{id}/roles/{SUPER}")), 204);
    let mut people = org.get(&format!("/api/v1/groups/{vpn}/users")).column("/profile/login");
    let login = "lena.fischer@acme.example".to_owned();
    if !people.contains(&login) {
        people.push(login);
    }
    people.sort();
    assert_eq!(shown(&org, "/api/v1/users?search=id+pr", "/profile/login"), people);
    assert_eq!(shown(&org, "/api/v1/groups", "/id"), [vpn]);
    org.refuse(bot("GET /api/v1/apps"), 403, "E0000006", &[]);
}
