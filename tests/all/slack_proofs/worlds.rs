//! The worlds that Slack's proofs are held in: acme, alone or as an organization, with more apps than it has.

use std::sync::Arc;

use dtu_kernel::{
    clock::ClockMode,
    limits::Limits,
    universe::{Options, Universe},
    world::{SERVICES, World},
};
use dtu_universe::facts;

use crate::{silent::Stage, support::root};

const ORG: &str = "  enterprise:\n    name: Acme Group\n    domain: acme-group\n    workspaces:\n    \
                   - {name: Acme Labs, domain: acme-labs, owner: henrik, members: [mei, kwame]}\n";
const ADMINS: &str = "admin, auditlogs:read, channels:read, admin.conversations:read, admin.conversations:write, \
                      admin.users:read, admin.users:write, admin.teams:read, admin.teams:write, admin.apps:read, \
                      admin.apps:write, admin.invites:read, admin.invites:write, admin.usergroups:read, \
                      admin.usergroups:write, admin.roles:read, admin.roles:write, admin.barriers:read, \
                      admin.barriers:write, admin.analytics:read, admin.workflows:read, admin.workflows:write";

/// Acme's text: as an organization where `org` says so, with these apps before its own tester.
pub(super) fn acme(org: bool, apps: &[String]) -> String {
    let text = fs_err::read_to_string(root().join("fixtures/worlds/acme.yaml")).expect("the world is there");
    let (before, tester) = text.split_once("    - key: dtu-tester\n").expect("the world has the app");
    let text = format!("{before}{}    - key: dtu-tester\n{tester}", apps.concat());
    let guests = "  guests: [vikram, bea]";
    assert!(text.contains(guests), "the world has guests");
    text.replacen(
        guests,
        &format!("{}  guests: [vikram]\n  single_channel_guests: [bea]", if org { ORG } else { "" }),
        1,
    )
}

/// An app with tokens of its own, by its key.
pub(super) fn app(key: &str, more: &str) -> String {
    format!(
        "    - {{key: {key}, name: {key}, bot: {key}bot, installed_by: dana, signing_secret: s, bot_token: xoxb-dtu-{key}, {more}}}\n"
    )
}

/// The app through which the owner administers an organization.
pub(super) fn steward() -> String {
    app("steward", &format!("scopes: [commands], user_token: xoxp-dtu-steward, user: henrik, user_scopes: [{ADMINS}]"))
}

/// The same, of a member who administers nothing.
pub(super) fn clerk() -> String {
    app("clerk", &format!("scopes: [commands], user_token: xoxp-dtu-clerk, user: lena, user_scopes: [{ADMINS}]"))
}

/// A universe of such a world.
pub(super) fn universe(text: &str, limits: Limits) -> Arc<Universe> {
    let world = World::parse("acme.yaml", text, &SERVICES).unwrap_or_else(|problems| panic!("{problems:?}"));
    let hosts: Vec<_> = dtu_universe::all().iter().filter(|host| host.name() == "slack").cloned().collect();
    let options = Options { clock: ClockMode::Stepped, limits, ..Options::default() };
    let universe = Universe::create("proofs", hosts.into(), Arc::new(world), &options);
    universe.unwrap_or_else(|problems| panic!("{}", problems[0]))
}

/// The same, ready for calls.
pub(super) fn stage(text: &str) -> Stage {
    Stage::in_universe(facts::of("slack").expect("is a twin"), universe(text, Limits::Off))
}
