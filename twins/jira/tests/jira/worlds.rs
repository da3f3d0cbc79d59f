//! Loading, views, affordances, environment.

use std::{collections::BTreeMap, sync::Arc};

use dtu_jira::{Jira, model::State, token_env};
use dtu_kernel::{host::host, universe::Universe, world::World};
use serde_json::{Value, json};

use crate::support::{Site, options};

#[test]
fn acme_is_all_there() {
    let site = Site::acme();
    let users = site.view("users");
    let users = users.as_array().expect("is a list");
    assert_eq!(users.len(), 42);
    let inactive = users.iter().filter(|user| user["active"] == false).map(|user| user["email"].as_str());
    let inactive: Vec<_> = inactive.map(Option::unwrap_or_default).collect();
    assert_eq!(inactive, ["beatriz.alonso@acme.example", "kirsten.dahl@acme.example", "marcus.bell@acme.example"]);
    let lena = users.iter().find(|user| user["email"] == "lena.fischer@acme.example").expect("works here");
    assert_eq!(lena["groups"], json!(["Design", "jira-users-acme"]));
    assert_eq!((&lena["timeZone"], &lena["admin"]), (&json!("Europe/Berlin"), &json!(false)));
}

#[test]
fn clients_are_told_where_and_with_what() {
    let site = Site::acme();
    let env: Vec<(&str, String)> =
        site.universe.env().iter().map(|variable| (variable.name, variable.content().to_owned())).collect();
    assert_eq!(env[0], ("JIRA_URL", "http://jira.test".to_owned()));
    assert_eq!(env[1], ("JIRA_EMAIL", "dana.whitfield@acme.example".to_owned()));
    let (name, token) = &env[2];
    assert_eq!(*name, "JIRA_API_TOKEN");
    assert!(token.starts_with("ATATT3xFfGF0") && token.contains("not-a-real-secret"), "{token}");
    assert_eq!(token_env(&site.state(), "default").as_deref(), Some(&env[1..]));
    assert_eq!(token_env(&site.state(), "nobody"), None);
}

const TINY: &str = r#"schema: dtu/world/v1
name: tiny
epoch: "2026-03-02T09:00:00Z"
company: {name: Tiny, domain: tiny.example, timezone: Europe/London}
people:
  - {key: ann, first: Ann, last: Lee, email: ann@tiny.example, admin: true}
  - {key: bob, first: Bob, last: Ray, email: bob@tiny.example, status: suspended}
"#;

fn load(text: &str) -> Result<Arc<Universe>, Vec<String>> {
    let world = World::parse("tiny.yaml", text, &["jira"]).expect("the shared part is good");
    let made = Universe::create("tiny", Arc::from([host(Jira)]), Arc::new(world), &options());
    let told = |problem: &dtu_kernel::diagnostic::Diagnostic| problem.to_string().replace("\n  hint: ", " | ");
    made.map_err(|problems| problems.iter().map(told).collect())
}

#[test]
fn worlds_are_read_strictly() {
    let check = |section: &str, wanted: &[&str]| {
        let found = load(&format!("{TINY}{section}")).err().unwrap_or_default();
        assert_eq!(found.len(), wanted.len(), "{found:#?}");
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(found.starts_with("tiny.yaml:") && found.contains(wanted), "{found}");
        }
    };
    check("", &[]);
    check("jira: {site: tiny}\n", &[]);
    check("jira: {sites: tiny}\n", &["sites"]);
    check("jira:\n  tokens: [{name: a, person: an}]\n", &["9:30: nobody has the key `an` | did you mean `ann`?"]);
    check("jira:\n  tokens: [{name: a, person: bob}]\n", &["`bob` is deactivated"]);
    check(
        "jira:\n  tokens:\n    - {name: a, person: ann, value: x}\n    - {name: a, person: zed, value: x}\n    - {name: b, person: ann, value: \" \"}\n",
        &[
            "11:25: nobody has the key `zed`",
            "the token name `a` is used twice",
            "the token value `x` is used twice",
            "a token's value is not empty | leave `value` out to have one drawn",
        ],
    );
}

#[test]
fn tokens_are_as_the_world_says() {
    let section = "jira:\n  site: other\n  tokens: [{name: ci, person: ann, value: given}, {name: bot, person: ann}]\n";
    let universe = load(&format!("{TINY}{section}")).expect("loads");
    assert_eq!(universe.env()[2].content(), "given");
    let state = universe.state::<State>("jira").expect("is Jira's");
    let bot = token_env(&state, "bot").expect("is there");
    assert!(bot[1].1.contains("dtu-other-not-a-real-secret"), "{bot:?}");
    assert!(token_env(&state, "default").is_none());
    let nobody = load(&TINY.replace(", admin: true", "")).expect("loads");
    assert_eq!(nobody.env().len(), 1, "without an administrator there is no token");
}

#[test]
fn one_person_more_changes_nobody_s_id() {
    let ids = |text: &str| -> BTreeMap<String, String> {
        let users = load(text).expect("loads").view("jira", "users").expect("is a view");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let pairs = users.as_array().expect("is a list").iter();
        pairs.map(|user| (text(&user["email"]), text(&user["accountId"]))).collect()
    };
    let before = ids(TINY);
    let mut after =
        ids(&TINY.replace("people:\n", "people:\n  - {key: zed, first: Zed, last: One, email: zed@tiny.example}\n"));
    after.remove("zed@tiny.example").expect("came");
    assert_eq!(before, after);
}

#[test]
fn administrators_deactivate_people() {
    let site = Site::acme();
    let check = |actor: &str, user: &str, wanted: &str| {
        let refused = site.perform("jira.admin.deactivate_user", actor, &json!({ "user": user })).expect_err("may not");
        assert!(refused.contains(wanted), "{refused}");
    };
    check("lena", "omar", "lena.fischer@acme.example is not an administrator of Jira");
    check("ghost", "omar", "nobody in Jira is called `ghost`");
    check("dana", "ghost", "there is no person `ghost` in Jira");
    let done = site.perform("jira.admin.deactivate_user", "dana", &json!({ "user": "omar.haddad@acme.example" }));
    assert_eq!(done.expect("may")["active"], false);
    let omar = site.get(&format!("/rest/api/3/user?accountId={}", site.id("omar")));
    assert_eq!(omar.body["active"], false);
    assert_eq!(site.get("/rest/api/3/user/search?query=omar").body, json!([]));
    site.perform("jira.admin.deactivate_user", "dana", &json!({ "user": "sam" })).expect("may");
    check("sam", "lena", "cannot sign in to Jira");
}
