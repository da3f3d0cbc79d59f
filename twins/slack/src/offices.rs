//! What people do who are in an organization: sign in, take invitations, and ask for people and apps.

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
    model::{
        State,
        audit::{self, Entity},
        org::{self, APP_REQUEST, AppRequest, INVITE_REQUEST, InviteRequest, Standing},
        sessions::{self, Device, Which},
    },
    workspace_events,
};

/// The verbs.
pub(crate) fn all() -> Vec<Affordance<Slack>> {
    vec![
        Affordance::new("slack.user.sign_in", "Signs in with a browser, program or telephone.", sign_in),
        Affordance::new("slack.user.sign_out", "Signs out everywhere.", sign_out),
        Affordance::new("slack.user.accept_invite", "Takes an invitation, by the address it went to.", accept_invite),
        Affordance::new("slack.user.ask_to_invite", "Asks administrators to invite somebody.", request_invite),
        Affordance::new("slack.user.request_app", "Asks administrators for an app.", request_app),
    ]
}

/// Refuses what only organizations have.
fn need_org(state: &State) -> Result<(), Refusal> {
    match state.enterprise.org {
        Some(_) => Ok(()),
        None => Err(Refusal::new("the workspace is of no organization; the world's `enterprise` makes one")),
    }
}

/// Arguments of `slack.user.sign_in`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// With what.
    device: Device,
}

fn sign_in(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: SignIn) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    need_org(state)?;
    let session = sessions::sign_in(state, tx, &user.id, with.device);
    Ok(json!({ "session_id": session }))
}

/// `slack.user.sign_out` takes nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SignOut {}

fn sign_out(state: &mut State, tx: &mut Tx<'_>, actor: &str, SignOut {}: SignOut) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    need_org(state)?;
    sessions::end_all(state, tx, &user.id, Which::default());
    audit::log(state, tx, &user.id, "user_logout", &Entity::user(&user.id));
    Ok(json!({ "user": user.id }))
}

/// `slack.user.accept_invite` takes the workspace where it is not the one that the twin serves.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AcceptInvite {
    /// The workspace's subdomain.
    workspace: Option<SmolStr>,
}

/// A workspace by its subdomain; the home where none is named.
fn team(state: &State, domain: Option<&SmolStr>) -> Result<SmolStr, Refusal> {
    let Some(domain) = domain else { return Ok(state.workspace.id.clone()) };
    let found = state.enterprise.index.team_by_domain.get(domain);
    found.cloned().ok_or_else(|| Refusal::new(format!("the organization has no workspace `{domain}`")))
}

/// The actor is whoever reads the mail: the address may have no account yet.
fn accept_invite(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: AcceptInvite) -> Result<Value, Refusal> {
    need_org(state)?;
    let team = team(state, with.workspace.as_ref())?;
    let email = state.find_user(actor).and_then(|user| user.email.clone()).unwrap_or_else(|| actor.into());
    let key = (team, SmolStr::new(email.to_ascii_lowercase()));
    let invite = state.enterprise.index.invite_to.get(&key).cloned();
    let invite = invite.ok_or_else(|| Refusal::new(format!("no invitation went to `{email}`")))?;
    let user = org::accept(state, tx, &invite).ok_or_else(|| Refusal::new("the invitation is gone"))?;
    Ok(json!({ "user": user }))
}

/// Arguments of `slack.user.ask_to_invite`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RequestInvite {
    /// The address of who should be invited.
    email: SmolStr,
    /// The ids of the channels that the person should be in.
    #[serde(default)]
    channels: Vec<SmolStr>,
    /// Why.
    #[serde(default)]
    reason: SmolStr,
}

fn request_invite(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: RequestInvite) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    need_org(state)?;
    if let Some(unknown) = with.channels.iter().find(|id| !state.channels.contains(id)) {
        return Err(Refusal::new(format!("there is no channel `{unknown}`")));
    }
    let request = InviteRequest {
        id: tx.id(&INVITE_REQUEST),
        email: with.email,
        team: state.workspace.id.clone(),
        by: user.id.clone(),
        channels: with.channels,
        reason: with.reason,
        at: tx.now.as_secs(),
        standing: Standing::Pending,
        decided_by: SmolStr::default(),
        invite: None,
    };
    Ok(json!({ "invite_request": org::request_invite(state, tx, request) }))
}

/// Arguments of `slack.user.request_app`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RequestApp {
    /// The app's key, name or id.
    app: String,
    /// What to tell the administrators.
    #[serde(default)]
    message: SmolStr,
}

fn request_app(state: &mut State, tx: &mut Tx<'_>, actor: &str, with: RequestApp) -> Result<Value, Refusal> {
    let user = state.person(actor)?;
    need_org(state)?;
    let missing = || Refusal::new(format!("no app is called `{}`", with.app));
    let app = state.find_app(&with.app).ok_or_else(missing)?.id.clone();
    let row = AppRequest {
        id: tx.id(&APP_REQUEST),
        app,
        by: user.id.clone(),
        message: with.message.clone(),
        at: tx.now.as_secs(),
        standing: Standing::Pending,
    };
    let id = row.id.clone();
    workspace_events::app_requested(state, tx, &row);
    state.enterprise.app_requests.put(&mut tx.changes, id.clone(), row);
    Ok(json!({ "app_request": id }))
}
