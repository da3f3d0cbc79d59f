//! What objects name by id must be there; names must be there and be no other's.

use serde_json::Value;
use smol_str::SmolStr;

use super::{
    Members, Refused,
    resource::{invalid, is, is_active},
};
use crate::{model::State, policy::POLICIES, zone::ZONES};

/// A kind of things that conditions and actions name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reference {
    /// Groups of people.
    Groups,
    /// People.
    People,
    /// Network zones.
    Zones,
    /// Apps.
    Apps,
    /// Identity providers.
    Providers,
}

/// Identity providers.
pub(crate) const PROVIDERS: &str = "/api/v1/idps";

impl Reference {
    /// Where they are named, and what Okta calls them.
    const fn places(self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Groups => (
                &["/conditions/people/groups/include", "/conditions/people/groups/exclude"],
                "conditions.people.groups",
            ),
            Self::People => {
                (&["/conditions/people/users/include", "/conditions/people/users/exclude"], "conditions.people.users")
            }
            Self::Zones => (&["/conditions/network/include", "/conditions/network/exclude"], "conditions.network"),
            Self::Apps => (&["/conditions/app/include", "/conditions/app/exclude"], "conditions.app"),
            Self::Providers => (&["/actions/idp/providers"], "actions.idp.providers"),
        }
    }

    fn exists(self, state: &State, id: &str) -> bool {
        match self {
            // A group that is gone stays in what was said of it: only what can be no group's id is refused.
            Self::Groups => state.groups.get(id).is_some() || id.len() == 20 && id.starts_with("00g"),
            Self::People => state.users.get(id).is_some(),
            Self::Zones => id == "ALL_ZONES" || state.objects.member(ZONES, id).is_some(),
            Self::Apps => state.apps.get(id).is_some(),
            Self::Providers => state.objects.member(PROVIDERS, id).is_some(),
        }
    }
}

/// Whether all that is named is there.
pub(super) fn check(state: &State, members: &Members, kinds: &[Reference]) -> Result<(), Refused> {
    let whole = |pointer: &str| {
        let (first, rest) = pointer.trim_start_matches('/').split_once('/')?;
        members.get(first)?.pointer(&format!("/{rest}"))
    };
    for kind in kinds {
        let (places, about) = kind.places();
        let named = places.iter().filter_map(|place| whole(place)?.as_array()).flatten();
        if let Some(id) = named.filter_map(id_of).find(|id| !kind.exists(state, id)) {
            return Err(invalid(about, format!("{about}: Invalid id '{id}' specified.")));
        }
    }
    check_network(members)
}

/// An id, or the id of an object; apps that are named by their definition have none.
fn id_of(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("id").and_then(Value::as_str))
}

/// A rule for zones says which, either those in or those out: recorded in okta/terraform-provider-okta#236 of articulate.
fn check_network(members: &Members) -> Result<(), Refused> {
    let Some(network) = members.get("conditions").and_then(|conditions| conditions.get("network")) else {
        return Ok(());
    };
    let named = |how: &str| network.get(how).and_then(Value::as_array).is_some_and(|zones| !zones.is_empty());
    let zones = network.get("connection").and_then(Value::as_str) == Some("ZONE");
    if zones && named("include") == named("exclude") {
        let cause = "conditions.network: You should either include or exclude network zones when you use zones in the \
                     policy rule.";
        return Err(invalid("conditions.network", cause));
    }
    Ok(())
}

/// Whether there is a name.
pub(super) fn check_name(members: &Members) -> Result<(), Refused> {
    let said = members.get("name").and_then(Value::as_str).is_some_and(|name| !name.trim().is_empty());
    if said { Ok(()) } else { Err(invalid("name", "name: The field cannot be left blank")) }
}

/// Whether no other has the name.
pub(super) fn check_unique(
    others: Vec<(&SmolStr, &Members)>,
    own: &str,
    members: &Members,
    cause: &str,
) -> Result<(), Refused> {
    let name = members.get("name");
    if others.iter().any(|(id, other)| id.as_str() != own && other.get("name") == name) {
        return Err(invalid("name", format!("name: {cause}")));
    }
    Ok(())
}

/// The name of a policy one of whose rules names a zone or a provider; none where no rule does.
pub(super) fn used_by<'a>(state: &'a State, pointers: &[&str], id: &str) -> Option<&'a str> {
    state.objects.members(POLICIES).find_map(|(policy, members)| {
        let mut rules = state.objects.members(&crate::policy::rules_of(policy)).map(|(_, rule)| rule);
        let names = |rule: &Members| {
            pointers.iter().any(|pointer| {
                let (first, rest) = pointer.trim_start_matches('/').split_once('/').unwrap_or((pointer, ""));
                let found =
                    rule.get(first).and_then(|part| part.pointer(&format!("/{rest}"))).and_then(Value::as_array);
                found.is_some_and(|ids| ids.iter().filter_map(id_of).any(|own| own == id))
            })
        };
        rules.any(names).then(|| members.get("name").and_then(Value::as_str).unwrap_or_default())
    })
}

/// Whether some active object of a place is of a type.
pub(super) fn has_active(state: &State, place: &str, kind: &str) -> bool {
    state.objects.members(place).any(|(_, one)| is(one, "type", kind) && is_active(one))
}
