//! Group rules, and owners of groups.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Org, call};

const RULES: &str = "/api/v1/groups/rules";

fn rule(name: &str, expression: &str, groups: &[&str]) -> Value {
    json!({
        "type": "group_rule", "name": name,
        "conditions": { "expression": { "type": "urn:okta:expression:1.0", "value": expression } },
        "actions": { "assignUserToGroups": { "groupIds": groups } },
    })
}

/// An org with an empty group; its id.
fn org() -> (Org, String) {
    let org = Org::acme();
    let group = org.post("/api/v1/groups", &json!({ "profile": { "name": "Ruled" } }));
    let id = group.text("/id").to_owned();
    (org, id)
}

fn make(org: &Org, name: &str, expression: &str, group: &str) -> String {
    let id = org.post(RULES, &rule(name, expression, &[group])).text("/id").to_owned();
    org.check(call(&format!("POST {RULES}/{id}/lifecycle/activate")), 204);
    id
}

async fn pass(org: &Org) {
    org.universe.advance(Duration::from_secs(5)).await;
}

fn members(org: &Org, group: &str) -> Vec<String> {
    org.get(&format!("/api/v1/groups/{group}/users")).column("/profile/login")
}

fn person(org: &Org, login: &str, profile: Value) -> String {
    let mut all = json!({ "login": login, "email": login, "firstName": "R", "lastName": "Rule" });
    all.as_object_mut().expect("is one").extend(profile.as_object().cloned().unwrap_or_default());
    org.post("/api/v1/users?activate=false", &json!({ "profile": all })).text("/id").to_owned()
}

#[tokio::test]
async fn people_come_and_go_with_their_profile() {
    let (org, group) = org();
    let anna = person(&org, "anna@r.example", json!({ "costCenter": "RULED" }));
    make(&org, "r", "user.costCenter == \"RULED\"", &group);
    assert_eq!(members(&org, &group), [""; 0], "not at once");
    pass(&org).await;
    assert_eq!(members(&org, &group), ["anna@r.example"], "those who are staged too");
    person(&org, "bert@r.example", json!({ "costCenter": "RULED" }));
    pass(&org).await;
    assert_eq!(members(&org, &group).len(), 2);
    org.post(&format!("/api/v1/users/{anna}"), &json!({ "profile": { "costCenter": "other" } }));
    pass(&org).await;
    assert_eq!(members(&org, &group), ["bert@r.example"]);
}

#[tokio::test]
async fn the_log_says_which_rule_it_was() {
    let (org, group) = org();
    person(&org, "anna@r.example", json!({ "costCenter": "RULED" }));
    let rule = make(&org, "r", "user.costCenter == \"RULED\"", &group);
    pass(&org).await;
    let log = org.get("/api/v1/logs?filter=eventType+eq+%22group.user_membership.add%22");
    let targets =
        log.body.as_array().and_then(|all| all.last()).map(|entry| entry["target"].clone()).unwrap_or_default();
    assert_eq!((&targets[2]["id"], &targets[2]["type"]), (&json!(rule), &json!("GroupRule")), "{targets}");
    assert_eq!(org.events()["group.user_membership.rule.evaluation"], 1);
}

#[tokio::test]
async fn whoever_came_by_hand_stays() {
    let (org, group) = org();
    let anna = person(&org, "anna@r.example", json!({ "costCenter": "RULED" }));
    org.check(call(&format!("PUT /api/v1/groups/{group}/users/{anna}")), 204);
    make(&org, "r", "user.costCenter == \"RULED\"", &group);
    pass(&org).await;
    org.post(&format!("/api/v1/users/{anna}"), &json!({ "profile": { "costCenter": "x" } }));
    pass(&org).await;
    assert_eq!(members(&org, &group), ["anna@r.example"]);
}

#[tokio::test]
async fn whoever_is_taken_out_by_hand_is_excluded() {
    let (org, group) = org();
    let anna = person(&org, "anna@r.example", json!({ "costCenter": "RULED" }));
    let rule = make(&org, "r", "user.costCenter == \"RULED\"", &group);
    pass(&org).await;
    org.check(call(&format!("DELETE /api/v1/groups/{group}/users/{anna}")), 204);
    org.post(&format!("/api/v1/users/{anna}"), &json!({ "profile": { "title": "x" } }));
    pass(&org).await;
    assert_eq!(members(&org, &group), [""; 0]);
    let shown = org.get(&format!("{RULES}/{rule}"));
    assert_eq!(shown.body["conditions"]["people"]["users"]["exclude"], json!([anna]));
    assert_eq!(org.events()["group.user_membership.rule.add_exclusion"], 1);
}

#[tokio::test]
async fn a_rule_at_rest_lets_be_and_one_that_is_changed_looks_again() {
    let (org, group) = org();
    let anna = person(&org, "anna@r.example", json!({ "costCenter": "RULED" }));
    let id = make(&org, "r", "user.costCenter == \"RULED\"", &group);
    pass(&org).await;
    org.check(call(&format!("POST {RULES}/{id}/lifecycle/deactivate")), 204);
    org.post(&format!("/api/v1/users/{anna}"), &json!({ "profile": { "costCenter": "x" } }));
    pass(&org).await;
    assert_eq!(members(&org, &group).len(), 1, "who is there stays there");
    let put = call(&format!("PUT {RULES}/{id}")).json(&rule("s", "user.costCenter == \"NONE\"", &[&group]));
    assert_eq!(org.check(put, 200).text("/name"), "s");
    org.check(call(&format!("POST {RULES}/{id}/lifecycle/activate")), 204);
    pass(&org).await;
    assert_eq!(members(&org, &group), [""; 0]);
}

#[tokio::test]
async fn deleting_a_rule_keeps_or_removes_its_people() {
    for (query, left) in [("", 1), ("?removeUsers=true", 0), ("?removeUsers=false", 1)] {
        let (org, group) = org();
        person(&org, "anna@r.example", json!({ "costCenter": "RULED" }));
        let id = make(&org, "r", "user.costCenter == \"RULED\"", &group);
        pass(&org).await;
        org.refuse(
            call(&format!("DELETE {RULES}/{id}")),
            400,
            "E0000001",
            &["A rule whose status is ACTIVE cannot be deleted"],
        );
        org.check(call(&format!("POST {RULES}/{id}/lifecycle/deactivate")), 204);
        let gone = org.check(call(&format!("DELETE {RULES}/{id}{query}")), 202);
        assert_eq!(gone.body, json!({}));
        pass(&org).await;
        assert_eq!(members(&org, &group).len(), left, "{query}");
        org.check(call(&format!("GET {RULES}/{id}")), 404);
    }
}

#[tokio::test]
async fn rules_follow_other_groups_and_undo_each_other_no_more_than_a_few_times() {
    let (org, group) = org();
    let first = org.post("/api/v1/groups", &json!({ "profile": { "name": "First" } })).text("/id").to_owned();
    let anna = person(&org, "anna@r.example", json!({}));
    make(&org, "follows", &format!("isMemberOfGroup(\"{first}\")"), &group);
    pass(&org).await;
    org.check(call(&format!("PUT /api/v1/groups/{first}/users/{anna}")), 204);
    pass(&org).await;
    assert_eq!(members(&org, &group), ["anna@r.example"]);
    org.check(call(&format!("DELETE /api/v1/groups/{first}/users/{anna}")), 204);
    pass(&org).await;
    assert_eq!(members(&org, &group), [""; 0]);
    let third = org.post("/api/v1/groups", &json!({ "profile": { "name": "Third" } })).text("/id").to_owned();
    let odd = format!("!isMemberOfGroup(\"{third}\") AND user.lastName == \"Rule\"");
    make(&org, "odd", &odd, &third);
    org.universe.run_until_quiet(Duration::from_secs(60)).await;
    assert!(org.universe.jobs().is_empty(), "comes to rest");
}

#[tokio::test]
async fn rules_lose_what_they_need() {
    let (org, group) = org();
    let id = make(&org, "r", "user.costCenter == \"RULED\"", &group);
    org.check(call(&format!("DELETE /api/v1/groups/{group}")), 204);
    assert_eq!(org.get(&format!("{RULES}/{id}")).text("/status"), "INVALID");
    org.check(call(&format!("POST {RULES}/{id}/lifecycle/activate")), 400);
    org.check(call(&format!("DELETE {RULES}/{id}")), 202);
}

#[test]
fn rules_are_refused_with_reasons() {
    let (org, group) = org();
    let refuse = |body: Value, cause: &str| {
        org.refuse(call(&format!("POST {RULES}")).json(&body), 400, "E0000001", &[cause]);
    };
    let with = |expression: &str| rule("r", expression, &[&group]);
    refuse(rule("", "true", &[&group]), "name: The field cannot be left blank");
    refuse(rule(&"x".repeat(51), "true", &[&group]), "name: The field is too long");
    refuse(with("user.department =="), "Invalid expression: unexpected token at position 18");
    refuse(with("user.shoeSize == 5"), "Invalid property shoeSize in expression");
    refuse(with("String.len(user.title)"), "Expression must evaluate to a boolean");
    refuse(with("isMemberOfGroup(\"00gNone\")"), "Group 00gNone in expression does not exist");
    refuse(rule("r", "true", &[]), "groupIds: The field cannot be left blank");
    refuse(rule("r", "true", &["00gNone"]), "groupIds: Group 00gNone is not a group that users can be assigned to");
    let id = make(&org, "r", "user.title == \"x\"", &group);
    let put = |body: &Value| call(&format!("PUT {RULES}/{id}")).json(body);
    let busy = "Only rules whose status is INACTIVE can be updated";
    org.refuse(put(&with("true")), 400, "E0000001", &[busy]);
    org.check(call(&format!("POST {RULES}/{id}/lifecycle/deactivate")), 204);
    let other = org.group("vpn-users");
    let fixed = "The actions of a rule cannot be updated";
    org.refuse(put(&rule("r", "true", &[&other])), 400, "E0000001", &[fixed]);
    org.check(call(&format!("GET {RULES}/0prNone")), 404);
}

#[test]
fn rules_are_listed() {
    let (org, group) = org();
    for name in ["Alpha", "Beta", "alphabet"] {
        org.post(RULES, &rule(name, "user.isMissing == null".replace("isMissing", "title").as_str(), &[&group]));
    }
    let names = |query: &str| {
        let mut names = org.get(&format!("{RULES}{query}")).column("/name");
        names.sort();
        names
    };
    assert_eq!(names(""), ["Alpha", "Beta", "alphabet"]);
    assert_eq!(names("?search=alpha"), ["Alpha", "alphabet"]);
    let page = org.get(&format!("{RULES}?limit=2"));
    assert_eq!(page.column("/name").len(), 2);
    let rest = org.get(&page.link("next").expect("goes on"));
    assert_eq!((rest.column("/name").len(), rest.link("next")), (1, None));
    let expanded = org.get(&format!("{RULES}?search=beta&expand=groupIdToGroupNameMap"));
    assert_eq!(expanded.body[0]["_embedded"]["groupIdToGroupNameMap"][&group], json!("Ruled"));
    org.check(call(&format!("GET {RULES}?expand=x")), 400);
    org.check(call(&format!("GET {RULES}?after=x")), 400);
    org.refuse(
        call(&format!("POST {RULES}")).json(&rule("beta", "true", &[&group])),
        400,
        "E0000001",
        &["name: An object with this field already exists in the current organization"],
    );
}

#[test]
fn groups_have_owners() {
    let (org, group) = org();
    let (zoe, other) = (org.id("zoe.oneill"), org.group("vpn-users"));
    let all = format!("/api/v1/groups/{group}/owners");
    let add = |id: &str, kind: &str, status: u16| {
        org.check(call(&format!("POST {all}")).json(&json!({ "id": id, "type": kind })), status)
    };
    let owner = add(&zoe, "USER", 201);
    assert_eq!((owner.text("/type"), owner.text("/originType")), ("USER", "OKTA_DIRECTORY"));
    assert_eq!(add(&other, "GROUP", 201).text("/displayName"), "vpn-users");
    add(&zoe, "USER", 400);
    add(&zoe, "GROUP", 404);
    add("00uNobody", "USER", 404);
    add(&zoe, "ROBOT", 400);
    assert_eq!(org.get(&all).column("/id").len(), 2);
    assert_eq!(org.get(&format!("{all}?search=type+eq+%22USER%22")).column("/id"), std::slice::from_ref(&zoe));
    org.check(call(&format!("DELETE {all}/{zoe}")), 204);
    org.check(call(&format!("DELETE {all}/{zoe}")), 404);
    org.check(call(&format!("DELETE /api/v1/groups/{other}")), 204);
    assert_eq!(org.get(&all).column("/id").len(), 0, "a group that is gone owns nothing");
}
