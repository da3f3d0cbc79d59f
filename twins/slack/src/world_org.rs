//! How a world's organization becomes state: the workspaces beside the one that the twin serves.

use std::collections::BTreeMap;

use dtu_kernel::{diagnostic::Diagnostic, tx::Tx, world::World};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;
use smol_str::SmolStr;

use crate::model::{
    State, TEAM,
    org::{self, ORG, Org, Seat, Team},
    people::Role,
};

/// An organization: the workspace and others under one administration. Its owner and administrators are those of the
/// workspace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrgEntry {
    /// Its name.
    name: SmolStr,
    /// Its subdomain of enterprise.slack.com.
    domain: SmolStr,
    /// Its workspaces beside the one that has the channels.
    #[serde(default)]
    workspaces: Vec<TeamEntry>,
}

/// A workspace of an organization.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TeamEntry {
    /// Its name.
    name: SmolStr,
    /// Its subdomain of slack.com.
    domain: SmolStr,
    /// What it is for.
    #[serde(default)]
    description: SmolStr,
    /// Who owns it: a person's key.
    #[schemars(with = "String")]
    owner: Spanned<SmolStr>,
    /// Who else is in it.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    members: Vec<Spanned<SmolStr>>,
}

/// Makes an organization into state. Gives back what is wrong with it.
pub(crate) fn load(
    entry: &OrgEntry,
    world: &World,
    people: &BTreeMap<SmolStr, SmolStr>,
    (state, tx): (&mut State, &mut Tx<'_>),
) -> Vec<Diagnostic> {
    let org = Org { id: tx.id(&ORG), name: entry.name.clone(), domain: entry.domain.clone() };
    org::found(state, tx, org, world.epoch.as_secs());
    let mut problems = Vec::new();
    for team in &entry.workspaces {
        load_team(team, world, people, (state, tx), &mut problems);
    }
    problems
}

fn load_team(
    entry: &TeamEntry,
    world: &World,
    people: &BTreeMap<SmolStr, SmolStr>,
    (state, tx): (&mut State, &mut Tx<'_>),
    problems: &mut Vec<Diagnostic>,
) {
    let id = tx.id(&TEAM);
    let named = std::iter::once((&entry.owner, Role::PrimaryOwner));
    for (key, role) in named.chain(entry.members.iter().map(|key| (key, Role::Member))) {
        let Some(user) = people.get(&key.value) else {
            problems.push(world.unknown_person(key));
            continue;
        };
        let since = world.epoch.as_secs();
        org::put_seat(state, tx, &id, user, Seat { role, single_channel: false, expires: 0, since });
    }
    let team = Team {
        id,
        name: entry.name.clone(),
        domain: entry.domain.clone(),
        description: entry.description.clone(),
        discoverability: SmolStr::new_static("closed"),
        icon: None,
        default_channels: Vec::new(),
        owner: people.get(&entry.owner.value).cloned().unwrap_or_default(),
        created: world.epoch.as_secs(),
    };
    org::add_team(state, tx, team);
}
