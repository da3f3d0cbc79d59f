//! `admin.users.*`, but for sessions.

use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Asked, Doing, Fields, Method, Pages, Run, Told, done, fields::missing, is_bot, listed, method};
use crate::{
    error::Error,
    model::{
        accounts,
        audit::{self, Entity},
        org::{self, Invite, Seat},
        people::{Account, Role, User},
    },
};

const USERS: Pages = Pages { kind: "user", default: 100, most: 100 };

pub(super) const METHODS: &[Method] = &[
    method!(
        "users.assign",
        "users:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        [
            "invalid_role_for_user",
            "invitor_cannot_see_channel",
            "team_not_found",
            "user_already_team_member",
            "user_is_bot",
            "user_not_found",
        ],
        Run::Act(assign)
    ),
    method!(
        "users.invite",
        "users:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        [
            "already_in_team",
            "already_in_team_invited_user",
            "failed_to_validate_channels",
            "failed_to_validate_expiration",
            "invalid_email",
            "team_not_found",
            "user_disabled",
        ],
        Run::Act(invite)
    ),
    method!(
        "users.list",
        "users:read",
        TIER_4,
        ("feature_not_enabled", "not_an_admin"),
        ["include_deactivated_user_workspaces_invalid", "invalid_cursor", "invalid_limit", "team_not_found"],
        Run::Look(list)
    ),
    method!(
        "users.remove",
        "users:write",
        TIER_2,
        ("feature_not_enabled", "invalid_permissions"),
        ["cannot_modify_primary_owner", "team_not_found", "user_already_deleted", "user_not_found"],
        Run::Act(remove)
    ),
    method!(
        "users.setAdmin",
        "users:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["cannot_modify_primary_owner", "invalid_role_for_user", "team_not_found", "user_not_found"],
        Run::Act(set_admin)
    ),
    method!(
        "users.setOwner",
        "users:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        [
            "cannot_modify_primary_owner",
            "invalid_role_for_user",
            "team_not_found",
            "user_must_be_in_workspace",
            "user_not_found",
        ],
        Run::Act(set_owner)
    ),
    method!(
        "users.setRegular",
        "users:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        [
            "cannot_modify_primary_owner",
            "cannot_set_this_guest_to_regular_at_team_level",
            "team_not_found",
            "user_not_found",
        ],
        Run::Act(set_regular)
    ),
    method!(
        "users.setExpiration",
        "users:write",
        TIER_2,
        ("feature_not_enabled", "failed_to_validate_caller"),
        [
            "failed_to_validate_expiration",
            "team_not_found",
            "user_is_already_deleted",
            "user_is_not_a_guest",
            "user_not_found",
        ],
        Run::Act(set_expiration)
    ),
    method!(
        "users.getExpiration",
        "users:read",
        TIER_4,
        ("paid_teams_only", "no_perms"),
        ["target_team_not_on_org", "user_is_not_guest", "user_not_found"],
        Run::Look(get_expiration)
    ),
];

/// What somebody will be in a workspace.
fn wanted_role(fields: &Fields) -> Result<(Role, bool), Error> {
    let (guest, single) = (fields.flag("is_restricted")?, fields.flag("is_ultra_restricted")?);
    Ok((if guest || single { Role::Guest } else { Role::Member }, single))
}

/// `admin.users.assign`
fn assign(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let (team, user) = (fields.need("team_id")?, fields.need("user_id")?);
    let (role, single_channel) = wanted_role(fields)?;
    let channels = fields.list("channel_ids");
    let home = cx.state.workspace.id.clone();
    cx.state.admin_team(&team)?;
    let row = cx.state.admin_user(&user)?.clone();
    if is_bot(&row) {
        return Err("user_is_bot".into());
    }
    if cx.state.seat(&team, &row).is_some() {
        return Err("user_already_team_member".into());
    }
    // Who is a guest in one workspace is no full member of another.
    let is_guest = |team: &SmolStr| cx.state.seat(team, &row).is_some_and(|seat| seat.role == Role::Guest);
    let others = cx.state.teams_of(&row);
    if others.iter().any(|team| is_guest(team) != (role == Role::Guest)) {
        return Err("invalid_role_for_user".into());
    }
    if channels.iter().any(|id| cx.state.admin_channel(id).is_err()) {
        return Err("invitor_cannot_see_channel".into());
    }
    if team == home {
        let account = Account { single_channel, ..Account::default() };
        accounts::reactivate(cx.state, cx.tx, &cx.by, (&user, role, &account), &channels);
    } else {
        let since = cx.tx.now.as_secs();
        org::put_seat(cx.state, cx.tx, &team, &user, Seat { role, single_channel, expires: 0, since });
        audit::log(cx.state, cx.tx, &cx.by, "user_joined_workspace", &Entity::user(&user));
    }
    Ok(done())
}

/// `admin.users.invite`: the person comes once the invitation is taken.
fn invite(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let (team, email) = (fields.need("team_id")?, fields.need("email")?);
    let channels = fields.list("channel_ids");
    let (role, single_channel) = wanted_role(fields)?;
    cx.state.admin_team(&team)?;
    if channels.is_empty() {
        return Err(missing("channel_ids"));
    }
    if channels.iter().any(|id| cx.state.channels.get(id).is_none_or(|row| !row.kind.is_channel())) {
        return Err("failed_to_validate_channels".into());
    }
    let expires = match fields.text("guest_expiration_ts") {
        None => 0,
        Some(text) => {
            let at: i64 = text.split('.').next().and_then(|secs| secs.parse().ok()).unwrap_or(0);
            if role != Role::Guest || at <= cx.tx.now.as_secs() {
                return Err("failed_to_validate_expiration".into());
            }
            at
        }
    };
    let invite = Invite {
        id: cx.tx.id(&org::INVITE),
        email,
        team,
        role,
        single_channel,
        channels,
        real_name: fields.text("real_name").unwrap_or_default(),
        message: fields.text("custom_message").unwrap_or_default(),
        expires,
        resend: fields.flag("resend")?,
        password: fields.flag("email_password_policy_enabled")?,
        by: cx.by.clone(),
        at: cx.tx.now.as_secs(),
    };
    org::invite(cx.state, cx.tx, invite)?;
    Ok(done())
}

/// One of `admin.users.list`. What a workspace says of somebody is what the person is there.
fn shown(cx: &Asked<'_>, user: &User, seat: Option<&Seat>) -> Value {
    let home = cx.state.users.get(&user.id).map(|user| (user.role, user.account.single_channel, user.account.expires));
    let (role, single, expires) =
        seat.map(|seat| (seat.role, seat.single_channel, seat.expires)).or(home).unwrap_or((Role::Member, false, 0));
    let guest = role == Role::Guest;
    json!({
        "id": user.id,
        "email": user.email.as_deref().unwrap_or_default(),
        "username": user.name,
        "full_name": user.real_name,
        "is_admin": matches!(role, Role::Admin | Role::Owner | Role::PrimaryOwner),
        "is_owner": matches!(role, Role::Owner | Role::PrimaryOwner),
        "is_primary_owner": role == Role::PrimaryOwner,
        "is_restricted": guest,
        "is_ultra_restricted": guest && single,
        "is_bot": is_bot(user),
        "is_active": seat.is_some(),
        "date_created": user.account.created,
        "deactivated_ts": if user.deleted { user.updated } else { 0 },
        "expiration_ts": expires,
    })
}

/// `admin.users.list`: of a workspace, or of the whole organization with more about each.
fn list(cx: &Asked<'_>, fields: &Fields) -> Told {
    let (from, size) = USERS.read(fields)?;
    let active = fields.choice("is_active")?.unwrap_or(true);
    let (gone_too, guests) = (fields.choice("include_deactivated_user_workspaces")?, fields.flag("only_guests")?);
    let team = fields.text("team_id");
    if let Some(team) = &team {
        cx.state.admin_team(team)?;
        if gone_too.is_some() {
            return Err("include_deactivated_user_workspaces_invalid".into());
        }
    }
    let rows = cx.state.users.range(from..).map(|(id, user)| (id.clone(), user));
    let page = USERS.cut(size, rows, |user| {
        let seat = match &team {
            Some(team) => cx.state.seat(team, user),
            None => cx.state.teams_of(user).first().and_then(|team| cx.state.seat(team, user)),
        };
        // Beside the home, who has no place was never there.
        let is_here = team.as_ref().is_none_or(|team| seat.is_some() || *team == cx.state.workspace.id);
        let guest = seat.as_ref().map_or(user.role, |seat| seat.role) == Role::Guest;
        if !is_here || seat.is_some() != active || (guests && !guest) {
            return None;
        }
        let mut told = shown(cx, user, seat.as_ref());
        if team.is_none() {
            let mut teams = cx.state.teams_of(user);
            if gone_too == Some(true) && user.deleted {
                teams.insert(0, cx.state.workspace.id.clone());
            }
            (told["workspaces"], told["has_2fa"], told["has_sso"]) = (json!(teams), json!(false), json!(false));
            let roles =
                cx.state.enterprise.index.roles_of.range((user.id.clone(), SmolStr::default(), SmolStr::default())..);
            let mut roles: Vec<SmolStr> = roles.take_while(|row| row.0 == user.id).map(|row| row.1.clone()).collect();
            roles.dedup();
            told["roles"] = json!(roles);
        }
        Some(told)
    });
    Ok(listed("users", page))
}

/// The workspace and the person of a method that changes what somebody is there.
fn member(cx: &Doing<'_, '_>, fields: &Fields) -> Result<(SmolStr, SmolStr, Seat), Error> {
    let (team, user) = (fields.need("team_id")?, fields.need("user_id")?);
    cx.state.admin_team(&team)?;
    let row = cx.state.admin_user(&user)?;
    let seat = cx.state.seat(&team, row).filter(|_| !is_bot(row)).ok_or("user_not_found")?;
    if seat.role == Role::PrimaryOwner {
        return Err("cannot_modify_primary_owner".into());
    }
    Ok((team, user, seat))
}

/// `admin.users.remove`: out of the workspace, with the person's tokens there.
fn remove(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let (team, user) = (fields.need("team_id")?, fields.need("user_id")?);
    cx.state.admin_team(&team)?;
    let row = cx.state.admin_user(&user)?;
    if row.deleted && team == cx.state.workspace.id {
        return Err("user_already_deleted".into());
    }
    let (team, user, _) = member(cx, fields)?;
    if team == cx.state.workspace.id {
        accounts::deactivate(cx.state, cx.tx, &cx.by, &user);
    } else {
        org::remove_seat(cx.state, cx.tx, &team, &user);
        audit::log(cx.state, cx.tx, &cx.by, "user_deactivated", &Entity::user(&user));
    }
    Ok(done())
}

fn set_role(cx: &mut Doing<'_, '_>, (team, user, seat): (SmolStr, SmolStr, Seat), role: Role) -> Value {
    if team == cx.state.workspace.id {
        accounts::set_role(cx.state, cx.tx, &cx.by, (&user, role, false));
    } else {
        org::put_seat(cx.state, cx.tx, &team, &user, Seat { role, single_channel: false, expires: 0, ..seat });
    }
    done()
}

/// `admin.users.setAdmin`
fn set_admin(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let member = member(cx, fields)?;
    if member.2.role == Role::Guest {
        return Err("invalid_role_for_user".into());
    }
    Ok(set_role(cx, member, Role::Admin))
}

/// `admin.users.setOwner`
fn set_owner(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let user = fields.need("user_id")?;
    let homeless = cx.state.users.get(&user).is_some_and(|user| cx.state.teams_of(user).is_empty());
    if homeless {
        return Err("user_must_be_in_workspace".into());
    }
    let member = member(cx, fields)?;
    if member.2.role == Role::Guest {
        return Err("invalid_role_for_user".into());
    }
    Ok(set_role(cx, member, Role::Owner))
}

/// `admin.users.setRegular`
fn set_regular(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let member = member(cx, fields)?;
    let teams = cx.state.users.get(&member.1).map_or(0, |user| cx.state.teams_of(user).len());
    if member.2.role == Role::Guest && teams > 1 {
        return Err("cannot_set_this_guest_to_regular_at_team_level".into());
    }
    Ok(set_role(cx, member, Role::Member))
}

/// `admin.users.setExpiration`
fn set_expiration(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let user = fields.need("user_id")?;
    let at = fields.number("expiration_ts")?.ok_or_else(|| missing("expiration_ts"))?;
    let team = fields.text("team_id").unwrap_or_else(|| cx.state.workspace.id.clone());
    cx.state.admin_team(&team)?;
    let row = cx.state.admin_user(&user)?.clone();
    if row.deleted && team == cx.state.workspace.id {
        return Err("user_is_already_deleted".into());
    }
    let seat = cx.state.seat(&team, &row).ok_or("user_not_found")?;
    if seat.role != Role::Guest {
        return Err("user_is_not_a_guest".into());
    }
    if at <= cx.tx.now.as_secs() {
        return Err("failed_to_validate_expiration".into());
    }
    if team == cx.state.workspace.id {
        accounts::set_expiry(cx.state, cx.tx, &cx.by, (&user, at));
    } else {
        org::put_seat(cx.state, cx.tx, &team, &user, Seat { expires: at, ..seat });
    }
    Ok(done())
}

/// `admin.users.getExpiration`. The one page says `user`, the clients say `user_id`.
fn get_expiration(cx: &Asked<'_>, fields: &Fields) -> Told {
    let user = fields.text("user_id").or_else(|| fields.text("user")).ok_or_else(|| missing("user"))?;
    let team = fields.text("target_team").unwrap_or_else(|| cx.state.workspace.id.clone());
    cx.state.admin_team(&team).map_err(|_| Error::from("target_team_not_on_org"))?;
    let row = cx.state.admin_user(&user)?;
    let seat = cx.state.seat(&team, row).ok_or("user_not_found")?;
    if seat.role != Role::Guest {
        return Err("user_is_not_guest".into());
    }
    Ok(json!({ "user": {
        "id": row.id,
        "email": row.email,
        "username": row.name,
        "is_restricted": !seat.single_channel,
        "is_ultra_restricted": seat.single_channel,
        "expiration_ts": seat.expires,
    } }))
}
