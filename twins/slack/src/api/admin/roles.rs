//! `admin.roles.*`, `admin.barriers.*` and `admin.auth.policy.*`: who may do what, talk to whom, and sign in how.

use std::cmp::Reverse;

use serde_json::{Value, json};
use smol_str::{SmolStr, format_smolstr};

use super::{Asked, Doing, Fields, Method, Pages, Run, Told, done, is_bot, listed, method};
use crate::{
    error::Error,
    model::{
        State,
        audit::{self, Entity},
        org::{BARRIER, Barrier},
    },
};

/// The most people and things of one call about roles.
const ROLE_MAX: usize = 10;
/// The most people of one call about policies.
const POLICY_MAX: usize = 1_000;
/// What a barrier restricts: all three or nothing.
const SUBJECTS: [&str; 3] = ["im", "mpim", "call"];
/// The roles that Slack has, as `Rl0` and a letter or digit.
const ROLES: std::ops::RangeInclusive<char> = '1'..='Z';
const ASSIGNMENTS: Pages = Pages { kind: "role", default: 200, most: 200 };
const BARRIERS: Pages = Pages { kind: "barrier", default: 100, most: 1_000 };
const ENTITIES: Pages = Pages { kind: "user", default: 1_000, most: 1_000 };

pub(super) const METHODS: &[Method] = &[
    method!(
        "roles.addAssignments",
        "roles:write",
        TIER_2,
        ("feature_not_enabled", "invalid_actor"),
        [
            "failed_for_some_entities",
            "failed_for_some_users",
            "failed_for_some_users_and_entities",
            "invalid_role_id",
            "no_valid_entities",
            "no_valid_users",
            "too_many_entities",
            "too_many_users",
        ],
        Run::Act(|cx, fields| assign(cx, fields, true))
    ),
    method!(
        "roles.removeAssignments",
        "roles:write",
        TIER_2,
        ("feature_not_enabled", "invalid_actor"),
        [
            "failed_for_some_entities",
            "failed_for_some_users",
            "failed_for_some_users_and_entities",
            "invalid_role_id",
            "no_valid_entities",
            "no_valid_users",
            "too_many_entities",
            "too_many_users",
        ],
        Run::Act(|cx, fields| assign(cx, fields, false))
    ),
    method!(
        "roles.listAssignments",
        "roles:read",
        TIER_3,
        ("feature_not_enabled", "invalid_actor"),
        ["invalid_cursor", "invalid_limit", "invalid_role_id", "invalid_sort"],
        Run::Look(assignments)
    ),
    method!(
        "barriers.create",
        "barriers:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        [
            "barrier_already_exists",
            "barriered_from_usergroups_not_found",
            "invalid_restricted_subjects",
            "primary_usergroup_not_found",
        ],
        Run::Act(create_barrier)
    ),
    method!(
        "barriers.update",
        "barriers:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        [
            "barrier_already_exists",
            "barrier_not_found",
            "barriered_from_usergroups_not_found",
            "invalid_restricted_subjects",
            "primary_usergroup_not_found",
        ],
        Run::Act(update_barrier)
    ),
    method!(
        "barriers.delete",
        "barriers:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["barrier_not_found"],
        Run::Act(|cx, fields| {
            let id = fields.need("barrier_id")?;
            cx.state.enterprise.barriers.remove(&mut cx.tx.changes, &id).ok_or("barrier_not_found")?;
            audit::log(cx.state, cx.tx, &cx.by, "barrier_deleted", &Entity { kind: "barrier", id });
            Ok(done())
        })
    ),
    method!(
        "barriers.list",
        "barriers:read",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["invalid_cursor", "invalid_limit"],
        Run::Look(|cx, fields| {
            let (from, size) = BARRIERS.read(fields)?;
            let rows = cx.state.enterprise.barriers.range(from..).map(|(id, row)| (id.clone(), row));
            Ok(listed("barriers", BARRIERS.cut(size, rows, |row| Some(shown(cx.state, row)))))
        })
    ),
    method!(
        "auth.policy.assignEntities",
        "users:write",
        TIER_4,
        ("feature_not_enabled", "not_an_admin"),
        ["entity_not_found", "policy_not_found"],
        Run::Act(|cx, fields| set_policy(cx, fields, true))
    ),
    method!(
        "auth.policy.removeEntities",
        "users:write",
        TIER_4,
        ("feature_not_enabled", "not_an_admin"),
        ["entity_not_found", "policy_not_found"],
        Run::Act(|cx, fields| set_policy(cx, fields, false))
    ),
    method!(
        "auth.policy.getEntities",
        "users:read",
        TIER_4,
        ("feature_not_enabled", "not_an_admin"),
        ["invalid_cursor", "invalid_limit", "policy_not_found"],
        Run::Look(get_policy)
    ),
];

fn check_role(id: &str) -> Result<(), Error> {
    let mut rest = id.strip_prefix("Rl0").unwrap_or_default().chars();
    let known = rest.next().is_some_and(|c| c.is_ascii_alphanumeric() && ROLES.contains(&c)) && rest.next().is_none();
    if known { Ok(()) } else { Err("invalid_role_id".into()) }
}

/// Whether a role can be given for something: the organization, a workspace or a channel.
fn is_entity(state: &State, id: &SmolStr) -> bool {
    state.enterprise_id() == Some(id) || state.enterprise.teams.contains(id) || state.channels.contains(id)
}

/// `admin.roles.addAssignments` and `removeAssignments`: all of it or nothing.
fn assign(cx: &mut Doing<'_, '_>, fields: &Fields, give: bool) -> Told {
    let role = fields.need("role_id")?;
    let (entities, users) = (fields.some("entity_ids", usize::MAX)?, fields.some("user_ids", usize::MAX)?);
    check_role(&role)?;
    if entities.len() > ROLE_MAX {
        return Err("too_many_entities".into());
    }
    if users.len() > ROLE_MAX {
        return Err("too_many_users".into());
    }
    let is_person = |id: &SmolStr| cx.state.users.get(id).is_some_and(|user| !is_bot(user));
    let no_user: Vec<_> = users.iter().filter(|id| !is_person(id)).map(|id| (id.clone(), "user_not_found")).collect();
    let no_entity: Vec<_> =
        entities.iter().filter(|id| !is_entity(cx.state, id)).map(|id| (id.clone(), "invalid_auth")).collect();
    check_all((&no_user, users.len()), (&no_entity, entities.len()))?;
    for entity in &entities {
        for user in &users {
            set_role(cx, (&role, entity, user), give);
        }
    }
    Ok(done())
}

type Failed = Vec<(SmolStr, &'static str)>;

fn check_all((users, all_users): (&Failed, usize), (entities, all_entities): (&Failed, usize)) -> Result<(), Error> {
    let rejected = |code, users: &Failed, entities: &Failed| {
        Err(Error::Rejected { code, users: users.clone(), entities: entities.clone() })
    };
    match (users.len(), entities.len()) {
        (0, 0) => Ok(()),
        (n, _) if n == all_users => Err("no_valid_users".into()),
        (_, n) if n == all_entities => Err("no_valid_entities".into()),
        (0, _) => rejected("failed_for_some_entities", users, entities),
        (_, 0) => rejected("failed_for_some_users", users, entities),
        _ => rejected("failed_for_some_users_and_entities", users, entities),
    }
}

fn set_role(cx: &mut Doing<'_, '_>, (role, entity, user): (&SmolStr, &SmolStr, &SmolStr), give: bool) {
    let key = ((role.clone(), entity.clone()), user.clone());
    let named = (user.clone(), role.clone(), entity.clone());
    let enterprise = &mut cx.state.enterprise;
    let action = if give {
        if enterprise.assignments.contains(&key) {
            return;
        }
        enterprise.index.roles_of.insert(named);
        enterprise.assignments.put(&mut cx.tx.changes, key, cx.tx.now.as_secs());
        "role_assigned"
    } else {
        enterprise.index.roles_of.remove(&named);
        if enterprise.assignments.remove(&mut cx.tx.changes, &key).is_none() {
            return;
        }
        "role_removed"
    };
    audit::log(cx.state, cx.tx, &cx.by, action, &Entity { kind: "role", id: role.clone() });
}

/// `admin.roles.listAssignments`: the latest first, as the page says, or the oldest.
fn assignments(cx: &Asked<'_>, fields: &Fields) -> Told {
    let (from, size) = ASSIGNMENTS.read(fields)?;
    let (roles, entities) = (fields.list("role_ids"), fields.list("entity_ids"));
    for role in &roles {
        check_role(role)?;
    }
    let ascending = match fields.text("sort_dir").unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "desc" => false,
        "asc" => true,
        _ => return Err("invalid_sort".into()),
    };
    let fits = |list: &[SmolStr], id: &SmolStr| list.is_empty() || list.contains(id);
    let all = cx.state.enterprise.assignments.iter();
    let kept = all.filter(|(key, _)| fits(&roles, &key.0.0) && fits(&entities, &key.0.1));
    // An organization gives few roles.
    let mut rows: Vec<_> =
        kept.map(|(key, at)| (format_smolstr!("{}.{}.{}", key.0.0, key.0.1, key.1), (key, **at))).collect();
    rows.sort_by_key(|(text, (_, at))| (*at, text.clone()));
    if !ascending {
        rows.sort_by_key(|(text, (_, at))| (Reverse(*at), text.clone()));
    }
    let rest = rows.into_iter().skip_while(|(text, _)| !from.is_empty() && *text != from);
    let page = ASSIGNMENTS.cut(size, rest, |(key, at)| {
        Some(json!({ "role_id": key.0.0, "entity_id": key.0.1, "user_id": key.1, "date_create": at }))
    });
    Ok(listed("role_assignments", page))
}

fn shown(state: &State, row: &Barrier) -> Value {
    let group = |id: &SmolStr| json!({ "id": id, "name": state.groups.get(id).map(|group| group.name.clone()) });
    json!({
        "id": row.id,
        "enterprise_id": state.enterprise_id(),
        "primary_usergroup": group(&row.primary),
        "barriered_from_usergroups": row.from.iter().map(group).collect::<Vec<_>>(),
        "restricted_subjects": SUBJECTS,
        "date_update": row.updated,
    })
}

/// The two sides of a barrier: groups of the identity provider.
fn sides(cx: &Doing<'_, '_>, fields: &Fields, own: Option<&SmolStr>) -> Result<(SmolStr, Vec<SmolStr>), Error> {
    let primary = fields.need("primary_usergroup_id")?;
    let from = fields.some("barriered_from_usergroup_ids", usize::MAX)?;
    let mut subjects = fields.some("restricted_subjects", usize::MAX)?;
    let is_group = |id: &SmolStr| cx.state.groups.get(id).is_some_and(|group| group.idp && group.deleted == 0);
    subjects.sort_unstable();
    subjects.dedup();
    if subjects != ["call", "im", "mpim"] {
        return Err("invalid_restricted_subjects".into());
    }
    if !is_group(&primary) {
        return Err("primary_usergroup_not_found".into());
    }
    if !from.iter().all(is_group) || from.contains(&primary) {
        return Err("barriered_from_usergroups_not_found".into());
    }
    // An organization has few barriers.
    let others = cx.state.enterprise.barriers.iter().filter(|(id, _)| Some(*id) != own);
    let clashes = |row: &Barrier| {
        (row.primary == primary && row.from.iter().any(|id| from.contains(id)))
            || (from.contains(&row.primary) && row.from.contains(&primary))
    };
    if others.map(|(_, row)| row).any(|row| clashes(row)) {
        return Err("barrier_already_exists".into());
    }
    Ok((primary, from))
}

fn put_barrier(cx: &mut Doing<'_, '_>, id: SmolStr, (primary, from): (SmolStr, Vec<SmolStr>)) -> Value {
    let row = Barrier { id: id.clone(), primary, from, updated: cx.tx.now.as_secs() };
    let row = cx.state.enterprise.barriers.put(&mut cx.tx.changes, id, row);
    json!({ "barrier": shown(cx.state, &row) })
}

/// `admin.barriers.create`
fn create_barrier(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let sides = sides(cx, fields, None)?;
    let id = cx.tx.id(&BARRIER);
    audit::log(cx.state, cx.tx, &cx.by, "barrier_created", &Entity { kind: "barrier", id: id.clone() });
    Ok(put_barrier(cx, id, sides))
}

/// `admin.barriers.update`
fn update_barrier(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let id = fields.need("barrier_id")?;
    if !cx.state.enterprise.barriers.contains(&id) {
        return Err("barrier_not_found".into());
    }
    let sides = sides(cx, fields, Some(&id))?;
    audit::log(cx.state, cx.tx, &cx.by, "barrier_updated", &Entity { kind: "barrier", id: id.clone() });
    Ok(put_barrier(cx, id, sides))
}

/// The one policy that there is: people who sign in with a password where all others may not.
fn check_policy(fields: &Fields) -> Result<(), Error> {
    if fields.need("policy_name")? != "email_password" {
        return Err("policy_not_found".into());
    }
    fields.word("entity_type", &["USER"]).map(|_| ())
}

/// `admin.auth.policy.assignEntities` and `removeEntities`
fn set_policy(cx: &mut Doing<'_, '_>, fields: &Fields, under: bool) -> Told {
    check_policy(fields)?;
    fields.need("entity_type")?;
    let users = fields.some("entity_ids", POLICY_MAX)?;
    let is_person = |id: &SmolStr| cx.state.users.get(id).is_some_and(|user| !is_bot(user));
    if !users.iter().all(is_person) {
        return Err("entity_not_found".into());
    }
    let now = cx.tx.now.as_secs();
    for user in &users {
        if under {
            cx.state.enterprise.password_users.put(&mut cx.tx.changes, user.clone(), now);
        } else {
            cx.state.enterprise.password_users.remove(&mut cx.tx.changes, user);
        }
    }
    Ok(json!({ "entity_total_count": cx.state.enterprise.password_users.len() }))
}

/// `admin.auth.policy.getEntities`
fn get_policy(cx: &Asked<'_>, fields: &Fields) -> Told {
    check_policy(fields)?;
    let (from, size) = ENTITIES.read(fields)?;
    let rows = cx.state.enterprise.password_users.range(from..).map(|(id, at)| (id.clone(), (id, **at)));
    let page =
        ENTITIES.cut(size, rows, |(id, at)| Some(json!({ "entity_type": "USER", "entity_id": id, "date_added": at })));
    let mut told = listed("entities", page);
    told["entity_total_count"] = json!(cx.state.enterprise.password_users.len());
    Ok(told)
}
