//! The groups that a provider's word puts people into.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/IdentityProvider/ (`policy.provisioning.groups`).

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;
use smol_str::SmolStr;

use super::provider::Provider;
use crate::{
    model::{
        Act,
        group::{self, Group, GroupType},
        user::User,
    },
    policy::Members,
};

/// Does what the policy says of groups: only of those that administrators have made, whoever's profile it is.
pub(super) fn settle(act: &mut Act<'_, '_>, provider: &Provider, user: &Arc<User>, profile: &Members) {
    let action = provider.text("/policy/provisioning/groups/action");
    let because = || vec![provider.party()];
    match action {
        "ASSIGN" => {
            for group in own(act, &provider.texts("/policy/provisioning/groups/assignments")) {
                group::join(act, &group, user, because());
            }
        }
        "APPEND" | "SYNC" => {
            let said = named(profile, provider.text("/policy/provisioning/groups/sourceAttributeName"));
            for group in own(act, &provider.texts("/policy/provisioning/groups/filter")) {
                if said.contains(group.name.as_str()) {
                    group::join(act, &group, user, because());
                } else if action == "SYNC" {
                    group::leave(act, &group, user, because());
                }
            }
        }
        _ => {}
    }
}

/// Those of the groups that administrators have made.
fn own(act: &Act<'_, '_>, ids: &[SmolStr]) -> Vec<Arc<Group>> {
    let groups = ids.iter().filter_map(|id| act.state.groups.get(id));
    groups.filter(|group| group.r#type == GroupType::OktaGroup).cloned().collect()
}

/// The names in an attribute, whose own name may be written in any case.
fn named<'a>(profile: &'a Members, attribute: &str) -> BTreeSet<&'a str> {
    let value = profile.iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute)).map(|(_, value)| value);
    match value {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => BTreeSet::from([one.as_str()]),
        _ => BTreeSet::new(),
    }
}
