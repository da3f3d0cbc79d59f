//! The acme world as an organization: a second workspace, and an app with all that administrators may do.

use std::sync::Arc;

use dtu_kernel::{
    clock::ClockMode,
    universe::{Options, Universe},
    world::{SERVICES, World},
};

use crate::support::root;

/// The organization, with the owner of acme and two people in a second workspace.
const ORG: &str = "  enterprise:\n    name: Acme Group\n    domain: acme-group\n    workspaces:\n    \
                   - {name: Acme Labs, domain: acme-labs, owner: henrik, members: [mei, kwame]}\n";
/// What the app may do for the owner.
const AREAS: &[&str] = &[
    "admin.analytics",
    "admin.app_activities",
    "admin.apps",
    "admin.barriers",
    "admin.conversations",
    "admin.invites",
    "admin.roles",
    "admin.skills",
    "admin.teams",
    "admin.usergroups",
    "admin.users",
    "admin.workflows",
];

/// A universe of the organization in which nothing happens by itself.
pub(super) fn universe() -> Arc<Universe> {
    let text = fs_err::read_to_string(root().join("fixtures/worlds/acme.yaml")).expect("the world is there");
    let text = text.replacen("  guests: [vikram, bea]", &format!("{ORG}  guests: [vikram, bea]"), 1);
    let scopes: Vec<String> = AREAS.iter().flat_map(|area| [format!("{area}:read"), format!("{area}:write")]).collect();
    let text = format!(
        "{}\n    - {{key: steward, name: steward, bot: steward, scopes: [commands], installed_by: henrik, user: henrik, \
         signing_secret: s, bot_token: xoxb-dtu-steward, user_token: xoxp-dtu-steward, user_scopes: [{}, \
         admin.conversations:manage_objects, admin, skills:read, skills:write, canvases:read, tokens.basic, conversations.connect:manage, mpim:write, channels:read, channels:write, chat:write]}}\n",
        text.trim_end(),
        scopes.join(", ")
    );
    let world = World::parse("acme.yaml", &text, &SERVICES).unwrap_or_else(|problems| panic!("{problems:?}"));
    let hosts: Vec<_> = dtu_universe::all().iter().filter(|host| host.name() == "slack").cloned().collect();
    let options = Options { clock: ClockMode::Stepped, ..Options::default() };
    let universe = Universe::create("organization", hosts.into(), Arc::new(world), &options);
    universe.unwrap_or_else(|problems| panic!("{}", problems[0]))
}
