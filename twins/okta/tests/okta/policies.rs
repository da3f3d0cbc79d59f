//! Policies, their rules, and which of them apply.

use serde_json::{Value, json};

use crate::support::{Got, Org, call};

const POLICIES: &str = "/api/v1/policies";

fn policy(org: &Org, kind: &str, name: &str) -> String {
    org.post(POLICIES, &json!({ "type": kind, "name": name })).text("/id").to_owned()
}

fn rule(org: &Org, policy: &str, body: &Value) -> Got {
    org.post(&format!("{POLICIES}/{policy}/rules"), body)
}

/// Names with priorities, as a list shows them.
fn order(org: &Org, target: &str) -> Vec<(String, u64)> {
    let got = org.get(target);
    let rows = got.body.as_array().expect("is a list");
    let row =
        |row: &Value| (row["name"].as_str().expect("has a name").to_owned(), row["priority"].as_u64().expect("n"));
    rows.iter().map(row).collect()
}

#[track_caller]
fn check_order(org: &Org, target: &str, expected: &[(&str, u64)]) {
    let found = order(org, target);
    let found: Vec<_> = found.iter().map(|(name, priority)| (name.as_str(), *priority)).collect();
    assert_eq!(found, expected, "{target}");
}

#[test]
fn priorities_are_numbered_from_one_and_the_default_policy_is_last() {
    let org = Org::acme();
    let list = "/api/v1/policies?type=OKTA_SIGN_ON";
    check_order(&org, list, &[("Default Policy", 1)]);
    let first = policy(&org, "OKTA_SIGN_ON", "A");
    policy(&org, "OKTA_SIGN_ON", "B");
    check_order(&org, list, &[("A", 1), ("B", 2), ("Default Policy", 3)]);
    let got = org.post(POLICIES, &json!({ "type": "OKTA_SIGN_ON", "name": "C", "priority": 1 }));
    assert_eq!(got.body["priority"], 1);
    check_order(&org, list, &[("C", 1), ("A", 2), ("B", 3), ("Default Policy", 4)]);
    let moved = json!({ "type": "OKTA_SIGN_ON", "name": "A", "priority": 9 });
    let got = org.check(call(&format!("PUT {POLICIES}/{first}")).json(&moved), 200);
    assert_eq!(got.body["priority"], 3, "no further than behind the others");
    check_order(&org, list, &[("C", 1), ("B", 2), ("A", 3), ("Default Policy", 4)]);
    let unmoved = json!({ "type": "OKTA_SIGN_ON", "name": "A2" });
    org.check(call(&format!("PUT {POLICIES}/{first}")).json(&unmoved), 200);
    check_order(&org, list, &[("C", 1), ("B", 2), ("A2", 3), ("Default Policy", 4)]);
    org.check(call(&format!("DELETE {POLICIES}/{}", got_id(&org, list, "C"))), 204);
    check_order(&org, list, &[("B", 1), ("A2", 2), ("Default Policy", 3)]);
    check_order(&org, "/api/v1/policies?type=PASSWORD", &[("Default Policy", 1)]);
}

fn got_id(org: &Org, list: &str, name: &str) -> String {
    let got = org.get(list);
    let rows = got.body.as_array().expect("is a list").clone();
    rows.iter().find(|row| row["name"] == name).expect("is there")["id"].as_str().expect("is text").to_owned()
}

#[test]
fn rules_of_app_policies_leave_gaps_and_push_no_further_than_needed() {
    let org = Org::acme();
    let id = policy(&org, "ACCESS_POLICY", "Shop");
    let list = format!("{POLICIES}/{id}/rules");
    check_order(&org, &list, &[("Catch-all Rule", 99)]);
    let mut ids = Vec::new();
    for (name, priority) in [("One", 1), ("Two", 2), ("Three", 3), ("Four", 4), ("Five", 5)] {
        ids.push(rule(&org, &id, &json!({ "name": name, "priority": priority })).text("/id").to_owned());
    }
    // The example of the guide on priorities.
    for (at, name, priority) in [(2, "Three", 1), (1, "Two", 3), (0, "One", 2)] {
        let body = json!({ "name": name, "priority": priority, "type": "ACCESS_POLICY" });
        org.check(call(&format!("PUT {list}/{}", ids[at])).json(&body), 200);
    }
    let expected = [("Three", 1), ("One", 2), ("Two", 4), ("Four", 5), ("Five", 6), ("Catch-all Rule", 99)];
    check_order(&org, &list, &expected);
    org.check(call(&format!("DELETE {list}/{}", ids[2])), 204);
    check_order(&org, &list, &expected[1..]);
    assert_eq!(rule(&org, &id, &json!({ "name": "Last" })).body["priority"], 7);
    assert_eq!(rule(&org, &policy(&org, "ACCESS_POLICY", "Other"), &json!({ "name": "First" })).body["priority"], 0);
}

#[test]
fn new_policies_and_rules_have_what_their_kind_has() {
    let org = Org::acme();
    let shown = [
        ("OKTA_SIGN_ON", "00p", "0pr", "/actions/signon/session/maxSessionIdleMinutes", json!(120)),
        ("PASSWORD", "00p", "0pr", "/actions/passwordChange/access", json!("ALLOW")),
        ("MFA_ENROLL", "00p", "0pr", "/actions/enroll/self", json!("CHALLENGE")),
        ("ACCESS_POLICY", "rst", "rul", "/actions/appSignOn/access", json!("ALLOW")),
    ];
    for (kind, prefix, rule_prefix, at, value) in shown {
        let made = org.post(POLICIES, &json!({ "type": kind, "name": "New", "priority": 1 }));
        let id = made.text("/id").to_owned();
        assert!(id.starts_with(prefix), "{kind}: {id}");
        assert_eq!((made.text("/status"), &made.body["system"]), ("ACTIVE", &json!(false)), "{kind}");
        let one = rule(&org, &id, &json!({ "name": "R" }));
        assert!(one.text("/id").starts_with(rule_prefix), "{kind}: {}", one.body);
        assert_eq!(one.body.pointer(at), Some(&value), "{kind}: {}", one.body);
        assert_eq!(one.body.pointer("/conditions/network/connection"), Some(&json!("ANYWHERE")), "{kind}");
        assert_eq!(org.get(&format!("{POLICIES}/{id}/rules/{}", one.text("/id"))).body, one.body, "{kind}");
    }
    let made = org.post(POLICIES, &json!({ "type": "PASSWORD", "name": "Strict", "settings": { "password": { "complexity": { "minLength": 14 } } } }));
    let at = |pointer: &str| made.body.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(at("/settings/password/complexity/minLength"), 14);
    assert_eq!(at("/settings/password/lockout/maxAttempts"), 10);
    assert_eq!(at("/conditions/authProvider/provider"), "OKTA");
    let off = org.post("/api/v1/policies?activate=false", &json!({ "type": "PASSWORD", "name": "Off" }));
    assert_eq!(off.text("/status"), "INACTIVE");
    let off = org.post(&format!("{POLICIES}/{}/rules?activate=false", off.text("/id")), &json!({ "name": "Off" }));
    assert_eq!(off.text("/status"), "INACTIVE");
}

#[test]
fn what_cannot_be_is_refused() {
    let org = Org::acme();
    let id = policy(&org, "OKTA_SIGN_ON", "A");
    let rules = format!("{POLICIES}/{id}/rules");
    let made = rule(&org, &id, &json!({ "name": "R" })).text("/id").to_owned();
    let with = |pointer: &str, value: Value| {
        let mut body = json!({ "name": "S", "conditions": { "people": { "groups": {}, "users": {} }, "network": {} } });
        *body.pointer_mut(pointer).expect("is there") = value;
        body
    };
    let named = |about: &str| format!("{about}: Invalid id 'nobody' specified.");
    let zones =
        "conditions.network: You should either include or exclude network zones when you use zones in the policy rule.";
    let cases = [
        (
            "POST",
            POLICIES,
            json!({ "type": "OKTA_SIGN_ON", "name": "A" }),
            "name: Policy name already in use".to_owned(),
        ),
        (
            "POST",
            POLICIES,
            json!({ "type": "OKTA_SIGN_ON", "name": " " }),
            "name: The field cannot be left blank".into(),
        ),
        ("POST", &rules, json!({ "name": "R" }), "name: Rule name already in use".into()),
        (
            "POST",
            &rules,
            json!({ "name": "S", "type": "PASSWORD" }),
            "type: The rule's type does not match the policy's type.".into(),
        ),
        (
            "POST",
            &rules,
            with("/conditions/people/groups", json!({ "include": ["nobody"] })),
            named("conditions.people.groups"),
        ),
        (
            "POST",
            &rules,
            with("/conditions/people/users", json!({ "exclude": ["nobody"] })),
            named("conditions.people.users"),
        ),
        (
            "POST",
            &rules,
            with("/conditions/network", json!({ "connection": "ZONE", "include": ["nobody"] })),
            named("conditions.network"),
        ),
        ("POST", &rules, with("/conditions/network", json!({ "connection": "ZONE" })), zones.into()),
    ];
    for (method, target, body, cause) in cases {
        org.refuse(call(&format!("{method} {target}")).json(&body), 400, "E0000001", &[&cause]);
    }
    let other = json!({ "type": "IDP_DISCOVERY", "name": "Mine" });
    assert_eq!(org.check(call(&format!("POST {POLICIES}")).json(&other), 400).text("/errorCode"), "E0000002");
    for target in [format!("{POLICIES}/nothing"), format!("{rules}/nothing"), format!("{POLICIES}/nothing/rules")] {
        assert_eq!(org.check(call(&format!("GET {target}")), 404).text("/errorCode"), "E0000007", "{target}");
    }
    org.check(call(&format!("DELETE {POLICIES}/{id}")), 204);
    org.refuse(call(&format!("GET {rules}/{made}")), 404, "E0000007", &[]);
    assert_eq!(org.check(call("GET /api/v1/policies"), 400).text("/errorCode"), "E0000028");
}

#[test]
fn what_okta_made_stays() {
    let org = Org::acme();
    let default = |kind: &str| {
        let got = org.get(&format!("{POLICIES}?type={kind}"));
        let rows = got.body.as_array().expect("is a list").clone();
        let found = rows.iter().find(|row| row["system"] == json!(true)).expect("has one").clone();
        found["id"].as_str().expect("is text").to_owned()
    };
    let id = default("PASSWORD");
    let rules = org.get(&format!("{POLICIES}/{id}/rules"));
    let rule = format!("{POLICIES}/{id}/rules/{}", rules.text("/0/id"));
    for line in [
        format!("DELETE {POLICIES}/{id}"),
        format!("POST {POLICIES}/{id}/lifecycle/deactivate"),
        format!("DELETE {rule}"),
        format!("POST {rule}/lifecycle/deactivate"),
    ] {
        assert_eq!(org.check(call(&line), 400).text("/errorCode"), "E0000001", "{line}");
    }
    let body = json!({
        "type": "PASSWORD", "name": "Other", "priority": 7, "settings": { "password": { "complexity": { "minLength": 12 } } },
    });
    let got = org.check(call(&format!("PUT {POLICIES}/{id}")).json(&body), 200);
    assert_eq!((got.text("/name"), &got.body["priority"]), ("Default Policy", &json!(1)));
    assert_eq!(got.body.pointer("/settings/password/complexity/minLength"), Some(&json!(12)));
    let changed = json!({ "name": "Mine", "actions": { "passwordChange": { "access": "DENY" } } });
    let got = org.check(call(&format!("PUT {rule}")).json(&changed), 200);
    assert_eq!((got.text("/name"), got.text("/actions/passwordChange/access")), ("Default Rule", "DENY"));
    let id = default("MFA_ENROLL");
    let rules = org.get(&format!("{POLICIES}/{id}/rules"));
    let rule = format!("{POLICIES}/{id}/rules/{}", rules.text("/0/id"));
    org.refuse(
        call(&format!("PUT {rule}")).json(&json!({ "name": "x" })),
        400,
        "E0000001",
        &["The default rule cannot be edited."],
    );
}

#[test]
fn lifecycles_show_in_links_and_in_the_log() {
    let org = Org::acme();
    let id = policy(&org, "OKTA_SIGN_ON", "A");
    let one = rule(&org, &id, &json!({ "name": "R" })).text("/id").to_owned();
    for target in [format!("{POLICIES}/{id}"), format!("{POLICIES}/{id}/rules/{one}")] {
        let verbs = |org: &Org| {
            let got = org.get(&target);
            (
                got.text("/status").to_owned(),
                ["activate", "deactivate"].map(|verb| got.body["_links"].get(verb).is_some()),
            )
        };
        assert_eq!(verbs(&org), ("ACTIVE".to_owned(), [false, true]), "{target}");
        org.check(call(&format!("POST {target}/lifecycle/deactivate")), 204);
        assert_eq!(verbs(&org), ("INACTIVE".to_owned(), [true, false]), "{target}");
        org.check(call(&format!("POST {target}/lifecycle/activate")), 204);
    }
    let body = json!({ "name": "R2", "type": "SIGN_ON" });
    org.check(call(&format!("PUT {POLICIES}/{id}/rules/{one}")).json(&body), 200);
    org.check(call(&format!("PUT {POLICIES}/{id}")).json(&json!({ "name": "A2", "type": "OKTA_SIGN_ON" })), 200);
    org.check(call(&format!("DELETE {POLICIES}/{id}/rules/{one}")), 204);
    org.check(call(&format!("DELETE {POLICIES}/{id}")), 204);
    let events = org.events();
    for name in ["create", "update", "activate", "deactivate", "delete"] {
        assert_eq!(events.get(&format!("policy.lifecycle.{name}")), Some(&1), "{name}: {events:?}");
    }
    for name in ["add", "update", "activate", "deactivate", "delete"] {
        assert_eq!(events.get(&format!("policy.rule.{name}")), Some(&1), "{name}: {events:?}");
    }
}

#[test]
fn rules_are_shown_inside_their_policy_where_a_caller_asks() {
    let org = Org::acme();
    let id = policy(&org, "PASSWORD", "A");
    let made = rule(&org, &id, &json!({ "name": "R" }));
    assert_eq!(org.get(&format!("{POLICIES}/{id}")).body.get("_embedded"), None);
    let got = org.get(&format!("{POLICIES}/{id}?expand=rules"));
    assert_eq!(got.body.pointer("/_embedded/rules"), Some(&json!([made.body])));
    let listed = org.get(&format!("{POLICIES}?type=PASSWORD&expand=rules"));
    assert_eq!(listed.text("/0/_embedded/rules/0/name"), "R");
    assert_eq!(org.get(&format!("{POLICIES}?type=PASSWORD&q=A")).column("/name"), ["A"]);
    assert_eq!(org.get(&format!("{POLICIES}?type=PASSWORD&status=INACTIVE")).column("/name"), Vec::<String>::new());
}

#[test]
fn policies_of_apps_are_copied_and_given() {
    let org = Org::acme();
    let id = policy(&org, "ACCESS_POLICY", "Shop");
    rule(&org, &id, &json!({ "name": "Staff", "priority": 1 }));
    let copy = org.check(call(&format!("POST {POLICIES}/{id}/clone")), 200);
    assert_eq!((copy.text("/name"), &copy.body["created"]), ("[cloned] Shop", &Value::Null));
    check_order(&org, &format!("{POLICIES}/{}/rules", copy.text("/id")), &[("Staff", 1), ("Catch-all Rule", 99)]);
    let again = org.check(call(&format!("POST {POLICIES}/{id}/clone")), 400);
    assert_eq!(again.causes(), ["name: Policy name already in use"]);
    let signon = policy(&org, "OKTA_SIGN_ON", "A");
    org.check(call(&format!("POST {POLICIES}/{signon}/clone")), 400);

    let app = json!({ "name": "bookmark", "label": "Handbook", "signOnMode": "BOOKMARK", "settings": { "app": { "url": "https://a.example/" } } });
    let app = org.post("/api/v1/apps", &app).text("/id").to_owned();
    assert_eq!(org.get(&format!("{POLICIES}/{id}/app")).body, json!([]));
    org.check(call(&format!("PUT /api/v1/apps/{app}/policies/{id}")), 204);
    assert_eq!(org.get(&format!("{POLICIES}/{id}/app")).column("/label"), ["Handbook"]);
    assert!(org.get(&format!("/api/v1/apps/{app}")).text("/_links/accessPolicy/href").ends_with(&id));
    assert_eq!(org.get(&format!("{POLICIES}/{id}/mappings")).column("/id"), std::slice::from_ref(&app));
    org.get(&format!("{POLICIES}/{id}/mappings/{app}"));
    let cause = "The policy is assigned to applications and cannot be deleted.";
    org.refuse(call(&format!("DELETE {POLICIES}/{id}")), 400, "E0000001", &[cause]);
    let console = got_id(&org, "/api/v1/policies?type=ACCESS_POLICY", "Okta Admin Console");
    let cause = "This policy belongs to \"Okta Admin Console\", and re-assignment of this policy is not allowed";
    org.refuse(call(&format!("PUT /api/v1/apps/{app}/policies/{console}")), 400, "E0000001", &[cause]);
    org.refuse(
        call(&format!("PUT /api/v1/apps/{app}/policies/{signon}")),
        400,
        "E0000001",
        &["The policy is no authentication policy."],
    );
    org.check(call(&format!("PUT /api/v1/apps/{app}/policies/nothing")), 404);
    org.check(call(&format!("PUT /api/v1/apps/nothing/policies/{id}")), 404);
    let map = json!({ "resourceId": app, "resourceType": "ACCESS_POLICY" });
    let got = org.refuse(call(&format!("POST {POLICIES}/{id}/mappings")).json(&map), 400, "E0000001", &[]);
    let summary = "Api validation failed: Policy mappings are no longer supported on this endpoint.";
    assert_eq!(got.text("/errorSummary"), summary);
    let default = got_id(&org, "/api/v1/policies?type=ACCESS_POLICY", "Any two factors");
    org.check(call(&format!("PUT /api/v1/apps/{app}/policies/{default}")), 204);
    org.check(call(&format!("DELETE {POLICIES}/{id}")), 204);
    assert_eq!(org.events().get("application.policy.sign_on.update"), Some(&2));
}
