//! Channels that are shared with other organizations: invitations out and in, requests for them, connections.
//!
//! <https://docs.slack.dev/apis/slack-connect/>

use std::sync::Arc;

use dtu_kernel::{
    ids::{IdShape, UPPER_ALNUM},
    tx::Tx,
};
use serde::Serialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    SITE, State, TEAM,
    channels::{self, Channel, Kind},
    schedule::stamp,
};
use crate::{error::Code, events::send, listeners::listeners, shapes, text, workspace_events};

const INVITE: IdShape =
    IdShape { site: SITE.child("connect invite"), prefix: "I0", alphabet: UPPER_ALNUM, drawn: 9, suffix: "" };
/// How long an invitation can be used, in seconds.
const LIFE: i64 = 14 * 24 * 3600;
/// The longest words that go with an invitation, in characters.
pub(crate) const WORDS_MAX: usize = 560;

/// Another organization.
#[derive(Clone, Debug, Serialize)]
pub struct Partner {
    /// Its id.
    pub id: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// Its subdomain of slack.com.
    pub domain: SmolStr,
    /// Since when it is known, in seconds.
    pub created: i64,
}

/// That an organization is in a channel.
#[derive(Clone, Debug, Serialize)]
pub struct Connection {
    /// Whether the channel is that organization's.
    pub hosts: bool,
    /// Since when, in seconds.
    pub since: i64,
    /// Whether its people invite others, not only post.
    pub can_invite: bool,
}

/// Which way an invitation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To another organization.
    Outgoing,
    /// From one.
    Incoming,
}

/// Where an invitation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A member asks for it to be sent.
    Requested,
    /// Nobody has sent it.
    Denied,
    /// It waits to be accepted.
    Sent,
    /// It was accepted, and waits for the host to agree.
    Accepted,
    /// It is done.
    Approved,
    /// Somebody did not want it.
    Declined,
}

/// An invitation.
#[derive(Clone, Debug, Serialize)]
pub struct Invite {
    /// Its id.
    pub id: SmolStr,
    /// Which way it goes.
    pub direction: Direction,
    /// Where it stands.
    pub stage: Stage,
    /// The channel; of an incoming one, where it comes from until it is accepted.
    pub channel: SmolStr,
    /// What the channel is called where it comes from.
    pub channel_name: SmolStr,
    /// Who invites: a user here, or a mail address of the other organization.
    pub by: SmolStr,
    /// Whom it is for: a mail address or a user.
    pub recipient: SmolStr,
    /// The other organization, once it is known.
    pub partner: Option<SmolStr>,
    /// Whether the others may post only.
    pub limited: bool,
    /// What goes with it.
    pub words: SmolStr,
    /// Whether a member asked for it first.
    pub was_requested: bool,
    /// When it was made, in seconds.
    pub created: i64,
    /// When it changed, in seconds.
    pub updated: i64,
    /// When it is over, in seconds.
    pub expires: i64,
}

/// What a new invitation is made of.
pub(crate) struct NewInvite {
    pub(crate) direction: Direction,
    pub(crate) stage: Stage,
    pub(crate) channel: SmolStr,
    pub(crate) channel_name: SmolStr,
    pub(crate) by: SmolStr,
    pub(crate) recipient: SmolStr,
    pub(crate) partner: Option<SmolStr>,
    pub(crate) limited: bool,
}

/// Another organization by its name; made known where it is not.
pub(crate) fn partner(state: &mut State, tx: &mut Tx<'_>, name: &str) -> Arc<Partner> {
    let known = state.content.partners.iter().find(|(_, partner)| partner.name == name).map(|(_, row)| Arc::clone(row));
    known.unwrap_or_else(|| {
        let id = tx.id(&TEAM);
        let domain = name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let row = Partner { id: id.clone(), name: name.into(), domain: domain.into(), created: tx.now.as_secs() };
        state.content.partners.put(&mut tx.changes, id, row)
    })
}

/// Whether a channel can be shared.
///
/// # Errors
/// Why not.
pub(crate) fn check_channel(channel: &Channel) -> Result<(), Code> {
    match channel {
        _ if !channel.kind.is_channel() => Err(Code::InvalidChannelType),
        _ if channel.archived => Err(Code::ChannelArchived),
        _ if channel.general => Err(Code::CannotShareMandatoryChannel),
        _ => Ok(()),
    }
}

/// Makes an invitation.
pub(crate) fn invite(state: &mut State, tx: &mut Tx<'_>, new: NewInvite) -> Arc<Invite> {
    let (id, now) = (tx.id(&INVITE), tx.now.as_secs());
    let row = Invite {
        id: id.clone(),
        direction: new.direction,
        stage: new.stage,
        channel: new.channel,
        channel_name: new.channel_name,
        by: new.by,
        recipient: new.recipient,
        partner: new.partner,
        limited: new.limited,
        words: SmolStr::default(),
        was_requested: new.stage == Stage::Requested,
        created: now,
        updated: now,
        expires: now + LIFE,
    };
    if row.direction == Direction::Incoming {
        state.content.invite_by_channel.insert(row.channel.clone(), id.clone());
    }
    let row = state.content.invites.put(&mut tx.changes, id, row);
    match (row.direction, row.stage) {
        (Direction::Incoming, _) => tell(state, tx, "shared_channel_invite_received", &row, &json!({})),
        (_, Stage::Requested) => tell_request(state, tx, &row),
        _ => {}
    }
    row
}

/// Moves an invitation on.
pub(crate) fn advance(
    state: &mut State,
    tx: &mut Tx<'_>,
    id: &SmolStr,
    edit: impl FnOnce(&mut Invite),
) -> Option<Arc<Invite>> {
    let now = tx.now.as_secs();
    let row = state.content.invites.update(&mut tx.changes, id, |invite| {
        edit(invite);
        invite.updated = now;
    })?;
    if let Some(partner) = &row.partner {
        let key = (row.channel.clone(), partner.clone());
        if row.stage == Stage::Accepted {
            state.content.pending.insert(key)
        } else {
            state.content.pending.remove(&key)
        };
    }
    Some(row)
}

/// Another organization accepts an invitation: the host has to agree yet.
///
/// # Errors
/// Where it cannot be accepted any more.
pub(crate) fn accepted(state: &mut State, tx: &mut Tx<'_>, invite: &Invite, partner: &Partner) -> Result<(), Code> {
    if invite.stage != Stage::Sent || tx.now.as_secs() >= invite.expires {
        return Err(Code::InactiveInvite);
    }
    let row =
        advance(state, tx, &invite.id, |row| (row.stage, row.partner) = (Stage::Accepted, Some(partner.id.clone())));
    if let Some(row) = row {
        tell(
            state,
            tx,
            "shared_channel_invite_accepted",
            &row,
            &json!({ "approval_required": true, "accepting_user": outsider(partner) }),
        );
    }
    Ok(())
}

/// The invitation is agreed to: the other organization is in the channel.
pub(crate) fn approve(state: &mut State, tx: &mut Tx<'_>, invite: &Invite, user: &SmolStr) {
    let Some(partner) = invite.partner.clone() else { return };
    let row = advance(state, tx, &invite.id, |row| row.stage = Stage::Approved);
    let terms = Connection { hosts: false, since: tx.now.as_secs(), can_invite: !invite.limited };
    connect(state, tx, &invite.channel, &partner, terms);
    if let Some(row) = row {
        let more = json!({ "approving_team_id": state.workspace.id, "approving_user": insider(state, user) });
        tell(state, tx, "shared_channel_invite_approved", &row, &more);
    }
}

/// The invitation is not wanted.
pub(crate) fn decline(state: &mut State, tx: &mut Tx<'_>, invite: &Invite, user: &SmolStr) {
    if let Some(row) = advance(state, tx, &invite.id, |row| row.stage = Stage::Declined) {
        let more = json!({ "declining_team_id": state.workspace.id, "declining_user": insider(state, user) });
        tell(state, tx, "shared_channel_invite_declined", &row, &more);
    }
}

/// An invitation of another organization is accepted: the channel is here, with who accepts in it.
///
/// # Errors
/// A name that does not fit or is taken.
pub(crate) fn accept(
    state: &mut State,
    tx: &mut Tx<'_>,
    (invite, user): (&Invite, &SmolStr),
    name: &str,
    private: bool,
) -> Result<SmolStr, Code> {
    let kind = if private { Kind::Private } else { Kind::Public };
    let channel = channels::create(state, tx, user, name, kind)?;
    advance(state, tx, &invite.id, |row| (row.stage, row.channel) = (Stage::Approved, channel.clone()));
    if let Some(partner) = &invite.partner {
        let terms = Connection { hosts: true, since: tx.now.as_secs(), can_invite: true };
        connect(state, tx, &channel, partner, terms);
    }
    Ok(channel)
}

fn connect(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, partner: &SmolStr, terms: Connection) {
    state.content.connections.put(&mut tx.changes, (channel.clone(), partner.clone()), terms);
    let apps = listeners(state, "channel_shared");
    let event = json!({ "type": "channel_shared", "connected_team_id": partner, "channel": channel, "event_ts": stamp(tx.now) });
    send(state, tx, &apps, Some(channel), &event);
}

/// An organization is in a channel no longer. False where it was not in it.
pub(crate) fn disconnect(state: &mut State, tx: &mut Tx<'_>, channel: &SmolStr, partner: &SmolStr) -> bool {
    if state.content.connections.remove(&mut tx.changes, &(channel.clone(), partner.clone())).is_none() {
        return false;
    }
    let is_shared = connected(state, channel).next().is_some();
    workspace_events::unshared(state, tx, channel, partner, is_shared);
    true
}

/// The organization whose channel it is; none where it is the workspace's own.
pub(crate) fn host<'a>(state: &'a State, channel: &SmolStr) -> Option<&'a SmolStr> {
    let rows = state.content.connections.range((channel.clone(), SmolStr::default())..);
    let mut rows = rows.take_while(|(key, _)| key.0 == *channel);
    rows.find(|(_, row)| row.hosts).map(|(key, _)| &key.1)
}

/// The organizations that have accepted to be in a channel, which the host has to agree to yet.
pub(crate) fn pending(state: &State, channel: &SmolStr) -> Vec<SmolStr> {
    let rows = state.content.pending.range((channel.clone(), SmolStr::default())..);
    rows.take_while(|key| key.0 == *channel).map(|key| key.1.clone()).collect()
}

/// The organizations that are in a channel besides the workspace.
pub(crate) fn connected<'a>(state: &'a State, channel: &SmolStr) -> impl Iterator<Item = &'a SmolStr> {
    let channel = channel.clone();
    let rows = state.content.connections.range((channel.clone(), SmolStr::default())..);
    rows.map(|(key, _)| key).take_while(move |key| key.0 == channel).map(|key| &key.1)
}

/// An organization as Slack tells of one.
fn team(id: &str, name: &str, domain: &str, created: i64) -> Value {
    let mut icon = json!({ "image_default": true });
    for size in [34, 44, 68, 88, 102, 132, 230] {
        icon[format!("image_{size}")] =
            json!(format!("https://a.slack-edge.com/80588/img/avatars-teams/{domain}-{size}.png"));
    }
    json!({
        "id": id,
        "name": name,
        "icon": icon,
        "avatar_base_url": "https://ca.slack-edge.com/",
        "is_verified": false,
        "domain": domain,
        "date_created": created,
        "requires_sponsorship": false,
    })
}

fn own_team(state: &State) -> Value {
    team(&state.workspace.id, &state.workspace.name, &state.workspace.domain, 0)
}

fn partner_team(state: &State, id: Option<&SmolStr>) -> Value {
    let row = id.and_then(|id| state.content.partners.get(id));
    row.map_or(Value::Null, |row| team(&row.id, &row.name, &row.domain, row.created))
}

/// What of a profile other organizations are told: names and pictures.
fn is_told_abroad(member: &str) -> bool {
    member.starts_with("image_")
        || matches!(member, "avatar_hash" | "is_custom_image" | "team")
        || member.contains("_name")
}

fn insider(state: &State, id: &SmolStr) -> Value {
    let Some(user) = state.users.get(id) else { return json!({ "id": id, "team_id": state.workspace.id }) };
    let mut profile = serde_json::to_value(shapes::profile(state, user, false)).unwrap_or_default();
    if let Some(members) = profile.as_object_mut() {
        members.retain(|name, _| is_told_abroad(name) && !matches!(name.as_str(), "first_name" | "last_name"));
    }
    if user.about.display_name.is_empty() {
        profile["display_name"] = json!(user.real_name);
    }
    json!({
        "id": id,
        "team_id": state.workspace.id,
        "name": user.name,
        "updated": user.updated,
        "profile": profile,
        "who_can_share_contact_card": "EVERYONE",
    })
}

fn outsider(partner: &Partner) -> Value {
    json!({ "id": format!("U{}", &partner.id[1..]), "team_id": partner.id, "name": partner.domain, "updated": partner.created,
        "profile": { "real_name": partner.name, "display_name": partner.name, "team": partner.id } })
}

/// Where who is invited accepts.
pub(crate) fn link(invite: &SmolStr) -> String {
    format!("https://join.slack.com/share/{invite}")
}

/// What proves that an invitation came.
pub(crate) fn code(invite: &SmolStr) -> SmolStr {
    text::derived_id(&[invite, "code"], 32)
}

/// The invitation alone.
fn inner(state: &State, invite: &Invite) -> Value {
    let is_out = invite.direction == Direction::Outgoing;
    let from = if is_out { own_team(state) } else { partner_team(state, invite.partner.as_ref()) };
    let mut told = json!({
        "id": invite.id,
        "date_created": invite.created,
        "date_invalid": invite.expires,
        "inviting_team": from,
        "link": link(&invite.id),
        "sig": "",
    });
    if is_out {
        told["inviting_user"] = insider(state, &invite.by);
    } else if let Some(partner) = invite.partner.as_ref().and_then(|id| state.content.partners.get(id)) {
        told["inviting_user"] = outsider(partner);
    }
    let member = if invite.recipient.contains('@') { "recipient_email" } else { "recipient_user_id" };
    told[member] = json!(invite.recipient);
    told
}

fn channel(state: &State, invite: &Invite) -> Value {
    let row = state.channels.get(&invite.channel);
    json!({
        "id": invite.channel,
        "is_im": false,
        "is_private": row.is_some_and(|row| row.kind == Kind::Private),
        "name": row.map_or_else(|| invite.channel_name.clone(), |row| row.name.clone()),
    })
}

/// An invitation as `conversations.listConnectInvites` tells it.
pub(crate) fn render(state: &State, invite: &Invite, now: i64) -> Value {
    let status = match invite.stage {
        Stage::Accepted => "accepted",
        Stage::Approved => "approved",
        Stage::Declined | Stage::Denied => "declined",
        _ if now >= invite.expires => "expired",
        _ => "pending",
    };
    let mut acceptances = Vec::new();
    if invite.stage >= Stage::Accepted && invite.direction == Direction::Outgoing {
        acceptances.push(json!({
            "approval_status": if invite.stage == Stage::Approved { "approved" } else { "pending_approval" },
            "date_accepted": invite.updated,
            "date_invalid": invite.expires,
            "date_last_updated": invite.updated,
            "accepting_team": partner_team(state, invite.partner.as_ref()),
        }));
    }
    json!({
        "direction": invite.direction,
        "status": status,
        "date_last_updated": invite.updated,
        "invite_type": "channel",
        "invite": inner(state, invite),
        "channel": channel(state, invite),
        "acceptances": acceptances,
    })
}

/// A request as `conversations.requestSharedInvite.list` tells it.
pub(crate) fn render_request(state: &State, invite: &Invite) -> Value {
    let mut told = json!({
        "id": invite.id,
        "date_created": invite.created,
        "date_last_updated": invite.updated,
        "expires_at": invite.expires,
        "inviting_team": own_team(state),
        "inviting_user": insider(state, &invite.by),
        "is_external_limited": invite.limited,
        "is_sponsored": false,
        "recipient_email": invite.recipient,
        "channel": channel(state, invite),
        "target_user": { "recipient_email": invite.recipient },
    });
    if invite.stage == Stage::Denied {
        told["date_denied"] = json!(invite.updated);
    }
    told
}

fn tell(state: &State, tx: &mut Tx<'_>, name: &str, invite: &Invite, more: &Value) {
    let apps = listeners(state, name);
    if apps.is_empty() {
        return;
    }
    let teams = [own_team(state), partner_team(state, invite.partner.as_ref())];
    let mut event = json!({
        "type": name,
        "invite": inner(state, invite),
        "channel": channel(state, invite),
        "event_ts": stamp(tx.now),
    });
    if name != "shared_channel_invite_received" {
        event["teams_in_channel"] = teams.into_iter().filter(|team| !team.is_null()).collect();
    }
    if let (Some(event), Some(more)) = (event.as_object_mut(), more.as_object()) {
        event.extend(more.clone());
    }
    send(state, tx, &apps, None, &event);
}

fn tell_request(state: &State, tx: &mut Tx<'_>, invite: &Invite) {
    let apps = listeners(state, "shared_channel_invite_requested");
    let (user, row) = (state.users.get(&invite.by), state.channels.get(&invite.channel));
    let (Some(user), Some(row)) = (user, row) else { return };
    let event = json!({
        "type": "shared_channel_invite_requested",
        "actor": {
            "id": user.id,
            "name": user.name,
            "is_bot": false,
            "team_id": state.workspace.id,
            "timezone": user.tz,
            "real_name": user.real_name,
            "display_name": user.about.display_name,
        },
        "channel_id": row.id,
        "event_type": "slack#/events/shared_channel_invite_requested",
        "channel_name": row.name,
        "channel_type": if row.kind == Kind::Private { "private" } else { "public" },
        "target_users": [{ "email": invite.recipient, "invite_id": invite.id }],
        "teams_in_channel": [own_team(state)],
        "is_external_limited": invite.limited,
        "channel_date_created": row.created,
        "channel_message_latest_counted_timestamp": 0,
        "event_ts": stamp(tx.now),
    });
    send(state, tx, &apps, Some(&row.id), &event);
}
