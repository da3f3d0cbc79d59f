//! What people here ask for, and other organizations do, about channels that are shared.

use dtu_kernel::{
    twin::{Affordance, Refusal},
    tx::Tx,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    Slack,
    affordances::find_channel,
    error::Code,
    model::{
        CHANNEL, State,
        connect::{self, Direction, NewInvite, Stage},
    },
};

/// The verbs.
pub(crate) fn all() -> Vec<Affordance<Slack>> {
    vec![
        Affordance::new("slack.user.request_invite", "Asks that somebody outside be invited to a channel.", request),
        Affordance::new(
            "slack.admin.partner_invites",
            "Another organization invites to a channel of its own.",
            invites,
        ),
        Affordance::new("slack.admin.partner_accepts", "Another organization accepts an invitation.", accepts),
    ]
}

fn refused(code: Code) -> Refusal {
    Refusal::new(format!("Slack refuses: {}", code.as_str()))
}

/// Arguments of `slack.user.request_invite`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Request {
    /// Name, `#name` or id.
    channel: String,
    /// Whom to invite.
    email: SmolStr,
}

fn request(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Request) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    let channel = find_channel(state, &user, &with.channel)?;
    connect::check_channel(&channel).map_err(refused)?;
    let new = NewInvite {
        direction: Direction::Outgoing,
        stage: Stage::Requested,
        channel: channel.id.clone(),
        channel_name: channel.name.clone(),
        by: user.id.clone(),
        recipient: with.email,
        partner: None,
        limited: true,
    };
    let row = connect::invite(state, tx, new);
    Ok(json!({ "invite": row.id, "channel": channel.id }))
}

/// Arguments of `slack.admin.partner_invites`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Invites {
    /// The other organization's name.
    organization: String,
    /// What the channel is called there.
    channel_name: SmolStr,
    /// Whom it is for: key, mail address or user name.
    user: String,
}

fn invites(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Invites) -> Result<Value, Refusal> {
    state.person(actor)?;
    let user = state.person(&with.user)?;
    let partner = connect::partner(state, tx, &with.organization);
    let new = NewInvite {
        direction: Direction::Incoming,
        stage: Stage::Sent,
        channel: tx.id(&CHANNEL),
        channel_name: with.channel_name,
        by: partner.domain.clone(),
        recipient: user.id.clone(),
        partner: Some(partner.id.clone()),
        limited: false,
    };
    let row = connect::invite(state, tx, new);
    Ok(json!({ "invite": row.id, "team": partner.id }))
}

/// Arguments of `slack.admin.partner_accepts`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Accepts {
    /// The invitation.
    invite: SmolStr,
    /// The other organization's name.
    organization: String,
}

fn accepts(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: Accepts) -> Result<Value, Refusal> {
    state.person(actor)?;
    let invite = state.content.invites.get(&with.invite).cloned();
    let invite = invite.filter(|row| row.direction == Direction::Outgoing);
    let invite = invite.ok_or_else(|| Refusal::new(format!("there is no invitation `{}` to others", with.invite)))?;
    let partner = connect::partner(state, tx, &with.organization);
    connect::accepted(state, tx, &invite, &partner).map_err(refused)?;
    Ok(json!({ "invite": invite.id, "team": partner.id }))
}
