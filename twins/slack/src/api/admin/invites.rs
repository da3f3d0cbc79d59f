//! `admin.inviteRequests.*`: members ask that somebody be invited, administrators decide.

use std::sync::Arc;

use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{Asked, Doing, Fields, Method, Pages, Run, Told, done, listed, method};
use crate::{
    error::Error,
    model::{
        org::{self, INVITE, Invite, InviteRequest, Standing},
        people::Role,
    },
};

const REQUESTS: Pages = Pages { kind: "request", default: 100, most: 1_000 };

pub(super) const METHODS: &[Method] = &[
    method!(
        "inviteRequests.approve",
        "invites:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["already_processed", "failed_to_send_invite", "invalid_request", "team_not_found"],
        Run::Act(approve)
    ),
    method!(
        "inviteRequests.deny",
        "invites:write",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["already_processed", "invalid_request", "team_not_found"],
        Run::Act(deny)
    ),
    method!(
        "inviteRequests.list",
        "invites:read",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["invalid_cursor", "invalid_limit", "team_not_found"],
        Run::Look(|cx, fields| list(cx, fields, "invite_requests", Standing::Pending, |_, row| shown(row)))
    ),
    method!(
        "inviteRequests.approved.list",
        "invites:read",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["invalid_cursor", "invalid_limit", "team_not_found"],
        Run::Look(|cx, fields| list(cx, fields, "approved_requests", Standing::Approved, approved))
    ),
    method!(
        "inviteRequests.denied.list",
        "invites:read",
        TIER_2,
        ("feature_not_enabled", "not_an_admin"),
        ["invalid_cursor", "invalid_limit", "team_not_found"],
        Run::Look(|cx, fields| {
            list(
                cx,
                fields,
                "denied_requests",
                Standing::Denied,
                |_, row| json!({ "invite_request": shown(row), "denied_by": decider(row) }),
            )
        })
    ),
];

fn shown(row: &InviteRequest) -> Value {
    json!({
        "id": row.id,
        "email": row.email,
        "date_created": row.at,
        "requester_ids": [row.by],
        "channel_ids": row.channels,
        "invite_type": "full_member",
        "request_reason": row.reason,
        "real_name": "",
        "date_expire": 0,
    })
}

fn decider(row: &InviteRequest) -> Value {
    json!({ "actor_type": "user", "actor_id": row.decided_by })
}

/// A request that was granted, with the invitation as long as nobody has taken it.
fn approved(cx: &Asked<'_>, row: &InviteRequest) -> Value {
    let invite = row.invite.as_ref().and_then(|id| cx.state.enterprise.invites.get(id));
    let mut told = json!({ "invite_request": shown(row), "approved_by": decider(row) });
    if let Some(invite) = invite {
        told["invite"] = json!({
            "id": invite.id,
            "email": invite.email,
            "inviter_id": invite.by,
            "date_created": invite.at,
            "is_bouncing": false,
            "invite_preferences": {
                "is_restricted": invite.role == Role::Guest,
                "is_ultra_restricted": invite.single_channel,
                "channel_ids": invite.channels,
                "is_domain_matched": false,
            },
        });
    }
    told
}

fn list(
    cx: &Asked<'_>,
    fields: &Fields,
    name: &str,
    standing: Standing,
    shown: fn(&Asked<'_>, &InviteRequest) -> Value,
) -> Told {
    let (from, size) = REQUESTS.read(fields)?;
    let team = fields.text("team_id").unwrap_or_else(|| cx.state.workspace.id.clone());
    cx.state.admin_team(&team)?;
    let index = cx.state.enterprise.index.invite_requests.range((team.clone(), standing, from)..);
    let ids = index.take_while(|row| row.0 == team && row.1 == standing).map(|row| row.2.clone());
    let rows = ids.filter_map(|id| Some((id.clone(), cx.state.enterprise.invite_requests.get(&id)?)));
    Ok(listed(name, REQUESTS.cut(size, rows, |row| Some(shown(cx, row)))))
}

/// A request that nobody has decided.
fn pending(cx: &Doing<'_, '_>, fields: &Fields) -> Result<Arc<InviteRequest>, Error> {
    let id = fields.need("invite_request_id")?;
    let team = fields.text("team_id");
    if let Some(team) = &team {
        cx.state.admin_team(team)?;
    }
    let row = cx.state.enterprise.invite_requests.get(&id).ok_or("invalid_request")?;
    if team.is_some_and(|team| team != row.team) {
        return Err("invalid_request".into());
    }
    if row.standing == Standing::Pending { Ok(Arc::clone(row)) } else { Err("already_processed".into()) }
}

fn decide(cx: &mut Doing<'_, '_>, row: &InviteRequest, standing: Standing, invite: Option<SmolStr>) -> Value {
    org::decide(cx.state, cx.tx, row, (standing, &cx.by, invite));
    done()
}

/// `admin.inviteRequests.approve`
fn approve(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let row = pending(cx, fields)?;
    let invite = Invite {
        id: cx.tx.id(&INVITE),
        email: row.email.clone(),
        team: row.team.clone(),
        role: Role::Member,
        single_channel: false,
        channels: row.channels.clone(),
        real_name: SmolStr::default(),
        message: SmolStr::default(),
        expires: 0,
        resend: false,
        password: false,
        by: cx.by.clone(),
        at: cx.tx.now.as_secs(),
    };
    let invite = org::invite(cx.state, cx.tx, invite).map_err(|_| Error::from("failed_to_send_invite"))?;
    Ok(decide(cx, &row, Standing::Approved, Some(invite)))
}

/// `admin.inviteRequests.deny`
fn deny(cx: &mut Doing<'_, '_>, fields: &Fields) -> Told {
    let row = pending(cx, fields)?;
    Ok(decide(cx, &row, Standing::Denied, None))
}
