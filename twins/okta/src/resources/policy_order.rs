//! Priorities follow when a policy or a rule comes, moves or goes.
//!
//! See developer.okta.com/docs/guides/policy-rule-prioritization/ (differences in policy priority shifts).

use serde_json::Value;
use smol_str::SmolStr;

use super::{Members, policies::RULES, policy_kinds, resource::holds};
use crate::{
    api::stamp,
    model::Act,
    policy::{self, POLICIES},
};

/// What has changed: an object of a place, which now stands at a priority; none where it is gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moved<'a> {
    pub collection: &'a str,
    pub place: &'a str,
    pub id: &'a str,
    pub members: &'a Members,
    pub priority: Option<u64>,
    /// Where it stood before.
    pub from: Option<u64>,
}

/// Moves the others.
pub(super) fn follow(act: &mut Act<'_, '_>, moved: Moved<'_>) {
    let kind = match moved.collection {
        POLICIES => text(moved.members, "type"),
        RULES => {
            let policy = moved.place.split('/').nth(4).unwrap_or_default();
            let members = act.state.objects.member(POLICIES, policy);
            members.map(|members| text(members, "type")).unwrap_or_default()
        }
        _ => return,
    };
    // The default ones stay last.
    if moved.priority.is_some() && holds(moved.members, "system") {
        return;
    }
    match policy_kinds::has_gaps(&kind) {
        false => number(act, moved, &kind),
        true if moved.collection == RULES => make_room(act, moved),
        true => {}
    }
}

/// Numbers all from one on; what Okta made itself comes last.
fn number(act: &mut Act<'_, '_>, moved: Moved<'_>, kind: &str) {
    let mut ids: Vec<SmolStr> = others(act, moved, kind).into_iter().map(|(id, _)| id).collect();
    if let Some(priority) = moved.priority {
        let at = usize::try_from(priority.max(1) - 1).unwrap_or(usize::MAX).min(ids.len());
        ids.insert(at, moved.id.into());
    }
    for (id, priority) in ids.iter().zip(1..) {
        put(act, moved.place, id, priority);
    }
}

/// The object that stands where another has come moves on by one, and so on until there is a gap. Where the other came
/// from is no gap yet, as the guide's last example has it.
fn make_room(act: &mut Act<'_, '_>, moved: Moved<'_>) {
    let Some(mut taken) = moved.priority else { return };
    let mut all = others(act, moved, "");
    all.retain(|(_, own)| *own < policy_kinds::LAST);
    all.extend(moved.from.map(|from| (SmolStr::default(), from)));
    all.sort_by_key(|(_, own)| *own);
    for (id, priority) in all {
        if priority == taken {
            taken += 1;
            put(act, moved.place, &id, taken);
        }
    }
}

/// All others of the place with their priorities, in their order.
fn others(act: &Act<'_, '_>, moved: Moved<'_>, kind: &str) -> Vec<(SmolStr, u64)> {
    let all = match moved.collection {
        POLICIES => policy::policies(act.state, kind),
        _ => policy::rules(act.state, moved.place.split('/').nth(4).unwrap_or_default()),
    };
    let priority = |one: &Members| one.get("priority").and_then(Value::as_u64).unwrap_or_default();
    all.into_iter().filter(|(id, _)| id.as_str() != moved.id).map(|(id, one)| (id.clone(), priority(one))).collect()
}

fn put(act: &mut Act<'_, '_>, place: &str, id: &str, priority: u64) {
    let Some(members) = act.state.objects.member(place, id) else { return };
    if members.get("priority").and_then(Value::as_u64) == Some(priority) {
        return;
    }
    let mut members = members.clone();
    members.insert("priority".to_owned(), priority.into());
    members.insert("lastUpdated".to_owned(), stamp(act.tx.now).into());
    act.state.objects.keep(&mut act.tx.changes, place, id, members);
}

fn text(members: &Members, name: &str) -> String {
    members.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
