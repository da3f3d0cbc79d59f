//! How a world's section becomes a workspace, and what is said where it does not.

use std::sync::Arc;

use dtu_kernel::{
    diagnostic::Diagnostic,
    host::host,
    universe::{Options, Universe},
    world::World,
};
use dtu_slack::Slack;

use crate::desk::Desk;

#[test]
fn acme_is_loaded() {
    let desk = Desk::new();
    let channels = desk.view("channels");
    let channel = |name: &str| channels.iter().find(|row| row["name"] == name).expect("is there");
    let members = |name: &str| -> Vec<&str> {
        channel(name)["members"].as_array().unwrap().iter().map(|m| m.as_str().unwrap()).collect()
    };
    // Full members and the two bots: no guests, leavers or people without an account.
    let general = members("general");
    assert!(general.contains(&"lena.fischer@acme.example") && general.contains(&"accessbot"));
    for absent in ["vikram.shetty@acme.example", "marcus.bell@acme.example", "hana.sato@acme.example"] {
        assert!(!general.contains(&absent), "{absent}");
    }
    assert_eq!(general.len(), 42 - 3 - 2 - 2 + 2);
    assert!(channel("exec-private")["is_private"] == true && channel("project-atlas-2024")["is_archived"] == true);
    assert_eq!(members("finance-private").len(), 4);
    let help = desk.texts("it-help");
    assert!(help.iter().any(|text| text.starts_with("Locked out of Okta")));
    let all = desk.view("messages");
    assert!(all.iter().all(|row| !row["text"].as_str().unwrap().contains("<@k")), "mentions are ids");
    let apps = desk.view("apps");
    assert_eq!((apps.len(), apps[0]["verified"].as_bool()), (2, Some(false)));
}

/// A world with a `slack` section, and what is said of it.
fn problems(section: &str) -> Vec<String> {
    let head = r#"
schema: dtu/world/v1
name: w
epoch: "2026-03-02T09:00:00Z"
company: {name: W, domain: w.example, timezone: Europe/London}
people:
  - {key: ann, first: Ann, last: A, email: ann@w.example}
  - {key: bob, first: Bob, last: B, email: bob@w.example}
  - {key: cat, first: Cat, last: C, email: cat@w.example, status: deprovisioned}
slack:
"#;
    let text = format!("{}{section}", head.trim_start());
    let world = World::parse("w.yaml", &text, &["slack"]).expect("the shared part is right");
    let made = Universe::create("w", Arc::new([host(Slack)]), Arc::new(world), &Options::default());
    made.err().unwrap_or_default().iter().map(Diagnostic::to_string).collect()
}

#[test]
fn problems_have_a_place_and_a_hint() {
    let check = |section: &str, wanted: &[&str]| assert_eq!(problems(section), wanted, "{section}");
    let channel =
        |rest: &str| format!("  channels:\n    - {{name: c, creator: ann, created: -1d, members: [ann], {rest}}}\n");
    check("  workspace: {name: W, domain: w}\n", &[]);
    check(&channel("messages: [{from: ann, at: -1h, text: \"<@bob>\"}]"), &[]);
    check("  owner: anne\n", &["w.yaml:10:10: nobody has the key `anne`\n  hint: did you mean `ann`?"]);
    check(
        &channel("messages: [{from: bob, at: -1h, text: x}]"),
        &["w.yaml:11:79: `bob` writes in a channel without being in it"],
    );
    check(
        &channel("messages: [{from: ann, at: 1h, text: \"<@bop>\"}]"),
        &[
            "w.yaml:11:98: the text mentions `bop`, who has no Slack account\n  hint: did you mean `bob`?",
            "w.yaml:11:88: expected a time before the epoch such as `-3d2h`, found `1h`",
        ],
    );
    check(
        &format!("{}    - {{name: c, creator: ann, created: -1d, members: everyone}}\n", channel("")),
        &["w.yaml:12:14: two channels have the name `c`"],
    );
    check(
        "  channels:\n    - {name: c, creator: ann, created: -1d, members: [cat]}\n",
        &["w.yaml:11:55: `cat` has left the company and is in no channel"],
    );
    check(
        "  absent: [bob]\n  channels:\n    - {name: C, creator: bob, created: -1d, members: []}\n",
        &[
            "w.yaml:12:14: `C` is not a channel name (invalid_name_specials)",
            "w.yaml:12:26: `bob` has no Slack account\n  hint: take the key out of `absent`, or name somebody else",
        ],
    );
    let app = |rest: &str| {
        format!(
            "  apps:\n    - {{key: a, name: A, bot: a, scopes: [], installed_by: ann, signing_secret: s, {rest}}}\n"
        )
    };
    check(&app("bot_token: xoxb-1"), &[]);
    check(&app("bot_token: xoxp-1"), &["w.yaml:11:94: tokens of this kind begin with `xoxb-`"]);
    check(&app("bot_token: xoxb-1, channels: [x]"), &["w.yaml:11:113: no channel has the key `x`"]);
    check(
        &app("bot_token: xoxb-1, commands: [{command: go}]"),
        &["w.yaml:11:113: `go` is not a slash command\n  hint: write `/go`"],
    );
    let unknown = problems("  chanels: []\n");
    assert!(unknown[0].starts_with("w.yaml:10:3: unknown field `chanels`"), "{unknown:?}");
    let members = problems("  channels:\n    - {name: c, creator: ann, created: -1d, members: all}\n");
    assert!(members[0].contains("`everyone` or a list of people's keys"), "{members:?}");
}

#[test]
fn a_world_without_slack_is_an_empty_workspace() {
    assert_eq!(problems("  workspace: {name: W, domain: w}\n"), Vec::<String>::new());
}
