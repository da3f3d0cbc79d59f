//! Loading, views, affordances, environment.

use std::sync::Arc;

use dtu_kernel::{host::host, twin::EnvVar, universe::Universe, world::World};
use dtu_okta::{Okta, model::State, token_env};
use serde_json::{Value, json};

use crate::support::{ADMIN, BOT, Org, call, options};

#[test]
fn acme_is_all_there() {
    let org = Org::acme();
    let users = org.view("users");
    let count = |view: &Value| view.as_array().map(Vec::len);
    assert_eq!((count(&users), count(&org.view("groups")), count(&org.view("log"))), (Some(42), Some(24), Some(0)));
    let lena = users.as_array().expect("is a list").iter().find(|user| user["login"] == "lena.fischer@acme.example");
    let lena = lena.expect("works here");
    assert_eq!(lena["manager"], "omar.haddad@acme.example");
    assert_eq!(lena["groups"], json!(["Design", "Everyone"]));
    assert_eq!((&lena["status"], &lena["department"]), (&json!("ACTIVE"), &json!("Design")));
    let groups = org.view("groups");
    let figma = groups.as_array().expect("is a list").iter().find(|group| group["name"] == "figma-admin");
    let members = json!(["omar.haddad@acme.example", "zoe.oneill@acme.example"]);
    assert_eq!(figma.map(|group| &group["members"]), Some(&members));
    let row = json!({ "group": "figma-admin", "user": "zoe.oneill@acme.example" });
    assert!(org.view("memberships").as_array().expect("is a list").contains(&row));
}

#[test]
fn clients_are_told_where_and_with_what() {
    let org = Org::acme();
    let env = org.universe.env();
    let told = [EnvVar::text("OKTA_CLIENT_ORGURL", "http://okta.test"), EnvVar::text("OKTA_CLIENT_TOKEN", ADMIN)];
    assert_eq!(env, told);
    let state = org.universe.state::<State>("okta").expect("is Okta's");
    assert_eq!(token_env(&state, "access-bot"), Some(vec![("OKTA_CLIENT_TOKEN", BOT.to_owned())]));
    assert_eq!(token_env(&state, "nobody"), None);
}

fn problems(section: &str) -> Vec<String> {
    let text = format!(
        r#"schema: dtu/world/v1
name: tiny
epoch: "2026-03-02T09:00:00Z"
company: {{name: Tiny, domain: tiny.example, timezone: Europe/London}}
people:
  - {{key: ann, first: Ann, last: Lee, email: ann@tiny.example, admin: true}}
  - {{key: bob, first: Bob, last: Ray, email: bob@tiny.example, status: deprovisioned}}
groups:
  - {{key: all, name: All, members: [ann]}}
{section}"#
    );
    let world = World::parse("tiny.yaml", &text, &["okta"]).expect("the shared part is good");
    let made = Universe::create("tiny", Arc::from([host(Okta)]), Arc::new(world), &options());
    match made {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(|problem| problem.to_string().replace("\n  hint: ", " | ")).collect(),
    }
}

#[test]
fn worlds_are_read_strictly() {
    let check = |section: &str, wanted: &[&str]| {
        let found = problems(section);
        assert_eq!(found.len(), wanted.len(), "{found:#?}");
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(found.starts_with("tiny.yaml:") && found.contains(wanted), "{found}");
        }
    };
    check("", &[]);
    check("okta: {org: tiny}\n", &[]);
    check("okta: {organisation: tiny}\n", &["organisation"]);
    check(
        "okta:\n  tokens: [{name: a, owner: an, value: x}]\n",
        &["11:29: nobody has the key `an` | did you mean `ann`?"],
    );
    check("okta:\n  tokens: [{name: a, owner: bob, value: x}]\n", &["`bob` has left"]);
    check(
        "okta:\n  devices: [{name: A, platform: ios, people: [an]}]\n",
        &["nobody has the key `an` | did you mean `ann`?"],
    );
    check(
        "okta:\n  devices: [{name: A, platform: ios, people: [ann], status: deactivated}]\n",
        &["a device that is deactivated is nobody's"],
    );
    check(
        "okta:\n  devices: [{name: A, platform: ios, id: guo1}]\n",
        &["`guo1` is no id of a device | ids are `guo` and 17 letters and digits"],
    );
    check("okta:\n  devices: [{name: A, platform: ios, profile: {serial: 1}}]\n", &["devices have no `serial`"]);
    check(
        "okta:\n  tokens:\n    - {name: a, owner: ann, value: x}\n    - {name: a, owner: ann, value: x}\n",
        &["the token name `a` is used twice", "the token value `x` is used twice"],
    );
    check(
        "okta:\n  groups:\n    - {key: all, name: ALL, members: [bobby]}\n",
        &["nobody has the key `bobby`", "the group key `all` is used twice", "the group name `ALL` is used twice"],
    );
}

#[test]
fn worlds_have_apps() {
    let check = |section: &str, wanted: &[&str]| {
        let found = problems(&format!("okta:\n  apps:\n{section}"));
        assert_eq!(found.len(), wanted.len(), "{found:#?}");
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(found.starts_with("tiny.yaml:") && found.contains(wanted), "{found}");
        }
    };
    let scim =
        |server: &str| format!("    - {{key: a, kind: saml, label: A, people: [ann], provisioning: {{{server}}}}}\n");
    check(&scim("base_url: \"http://127.0.0.1:9/scim\", token: x, patch: true"), &[]);
    check(&scim("base_url: ftp://a"), &["the app's SCIM server has no http address"]);
    check(&scim("base_url: \"http://a/?b\""), &["must end in a path"]);
    check(&scim("base_url: \"http://a\", token: x, header: y"), &["takes one of"]);
    check(&scim("base_url: \"http://a\", user: x"), &["takes `user` and `password` together"]);
    check("    - {key: wiki, kind: bookmark, label: Wiki, people: [ann], groups: [all]}\n", &[]);
    check("    - {key: a, kind: saml, label: A}\n    - {key: b, kind: oidc, label: B}\n", &[]);
    check(
        "    - {key: a, kind: swa, label: A}\n    - {key: a, kind: swa, label: B}\n",
        &["the app key `a` is used twice"],
    );
    check("    - {key: a, kind: bookmark, label: A, people: [an]}\n", &["12:51: nobody has the key `an`"]);
    check("    - {key: a, kind: bookmark, label: A, groups: [al]}\n", &["there is no group `al`"]);
    check("    - {key: a, kind: bookmark, label: A, people: [bob]}\n", &["inactive user"]);
    check("    - {key: a, kind: bookmark, label: ''}\n", &["an app needs a label"]);
    check("    - {key: a, kind: carrier_pigeon, label: A}\n", &["carrier_pigeon"]);
}

#[test]
fn administrators_act_as_people_do() {
    let org = Org::acme();
    let user = json!({ "user": "lena.fischer@acme.example" });
    let perform = |verb: &str, with: &Value| org.perform(&format!("okta.admin.{verb}"), "dana", with);
    let made = perform(
        "create_user",
        &json!({ "first_name": "Ada", "last_name": "Quill", "email": "ada.quill@acme.example", "department": "Design",
                 "manager": "omar", "groups": ["Design"] }),
    );
    assert_eq!(made.expect("may")["status"], "PROVISIONED");
    let ada = org.get("/api/v1/users/ada.quill");
    assert_eq!(ada.text("/profile/managerId"), "omar.haddad@acme.example");
    let status = || org.get("/api/v1/users/lena.fischer").text("/status").to_owned();
    for (verb, wanted) in
        [("suspend_user", "SUSPENDED"), ("unsuspend_user", "ACTIVE"), ("deactivate_user", "DEPROVISIONED")]
    {
        perform(verb, &user).expect("may");
        assert_eq!(status(), wanted);
    }
    perform("activate_user", &user).expect("may");
    assert_eq!(status(), "PROVISIONED");
    perform("unlock_user", &json!({ "user": "callum" })).expect("may");
    perform("create_group", &json!({ "name": "Movers" })).expect("may");
    let member = json!({ "user": "mei.zhang@acme.example", "group": "movers" });
    perform("add_to_group", &member).expect("may");
    perform("remove_from_group", &member).expect("may");
    perform("revoke_token", &json!({ "name": "access-bot" })).expect("may");
    let bot = call("GET /api/v1/users/me").header("authorization", &format!("SSWS {BOT}"));
    org.refuse(bot, 401, "E0000011", &[]);
    assert_eq!(org.events()["user.account.unlock_by_admin"], 1);
}

#[test]
fn refusals_are_in_clear_words() {
    let org = Org::acme();
    let check = |verb: &str, actor: &str, with: Value, wanted: &str| {
        let refused = org.perform(verb, actor, &with).expect_err("is refused");
        assert!(refused.contains(wanted), "{refused}");
    };
    let lena = || json!({ "user": "lena.fischer@acme.example" });
    check("okta.admin.suspend_user", "lena", lena(), "lena.fischer@acme.example is not an administrator");
    check("okta.admin.suspend_user", "ghost", lena(), "nobody in Okta is called `ghost`");
    check("okta.admin.suspend_user", "dana", json!({ "user": "ghost" }), "there is no person `ghost`");
    check("okta.admin.unlock_user", "dana", lena(), "is ACTIVE: The user is not locked out.");
    let group = json!({ "user": "lena.fischer@acme.example", "group": "Movers" });
    check("okta.admin.add_to_group", "dana", group, "there is no group `Movers`");
    check("okta.admin.revoke_token", "dana", json!({ "name": "x" }), "there is no API token `x`");
    check("okta.admin.revoke_token", "dana", json!({}), "missing name");
    check("okta.user.sign_in", "bea", json!({}), "the account is SUSPENDED");
    check("okta.user.sign_in", "emeka", json!({}), "a new password is due");
    assert!(org.events().is_empty(), "refusals leave no trace");
}

#[test]
fn people_sign_in() {
    let org = Org::acme();
    org.perform("okta.user.sign_in", "lena", &json!({})).expect("may");
    let got = org.get("/api/v1/users/lena.fischer");
    assert_eq!(got.text("/lastLogin"), "2026-03-02T09:00:00.000Z");
    let done = org.perform("okta.user.sign_in", "emeka", &json!({ "new_password": "Correct-Horse-7" })).expect("may");
    assert_eq!(done["status"], "ACTIVE");
    let events = org.events();
    assert_eq!((events["user.session.start"], events["user.account.update_password"]), (2, 1));
}
