//! Asking a person on another device (CIBA): a client asks, the person approves on their phone, the client polls.
//!
//! See developer.okta.com/docs/guides/configure-ciba/main/ and
//! openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html. The prompt goes to the custom
//! authenticator that the client names. A client that names none asks Okta Verify, which is the twin's: the guide has
//! every client name one.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{operation::Typed, time::Timestamp, twin::Write};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    client_auth,
    error::{self, OAuthError},
    form::Form,
    log, mint,
    request_object::{self, Purpose},
    rules,
    server::Issuer,
};
use crate::{
    Okta,
    error::Error,
    events,
    model::{
        Act, State,
        authorization_server::Wanted,
        client::Client,
        factor::{self, Delivery, Factor, Issued, Kind, push::Fate},
        grant::Kind as TokenKind,
        out_of_band::{Stage, Waiting},
        user::{Status, User},
    },
};

/// The grant.
pub const GRANT: &str = "urn:openid:params:grant-type:ciba";
/// How long a person has, where the client does not say, and at most.
const LIFE_SECS: u64 = 300;
/// How long a client waits between two questions.
pub(super) const INTERVAL: Duration = Duration::from_secs(5);
/// Where enrolments of custom authenticators are kept, by the ids of their factors.
const ENROLMENTS: &str = "/idp/myaccount/app-authenticators";

/// What a client is told.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Told {
    auth_req_id: SmolStr,
    expires_in: u64,
    interval: u64,
}

/// `bcAuthorize`, `bcAuthorizeCustomAS`.
pub fn authorize(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<Told>, Error> {
    let issuer = Issuer::of(cx.state, cx.scene.request)?;
    let client = client_auth::client(cx.state, cx.tx, cx.scene.request, &form)?;
    if !client.may_use(GRANT) {
        return Err(error::grant_not_for_client(&client.grants).into());
    }
    let mut act = Act::new(cx.state, cx.tx, log::acting(cx.scene, log::party(&client)));
    let told = ask(&mut act, &issuer, &client, &form)?;
    events::announce(&mut act);
    Ok(Typed::ok(&told))
}

fn ask(act: &mut Act<'_, '_>, issuer: &Issuer, client: &Client, form: &Form) -> Result<Told, OAuthError> {
    let form = request_object::merged(act, issuer, client, form, Purpose::Backchannel)?;
    let wanted = Wanted { client, user: None, grant: GRANT, scopes: &[] };
    let scopes = issuer.grantable(act.state, &wanted, &form.words("scope"))?;
    if !scopes.iter().any(|scope| scope == "openid") {
        return Err(error::CIBA_OPENID);
    }
    let life = life(&form)?;
    let user = hinted(act.state, issuer, client, &form)?;
    issuer.judge(act.state, &Wanted { user: Some(&user), scopes: &scopes, ..wanted })?;
    let factor = device(act.state, client, &user).ok_or(error::AUTHENTICATOR)?;
    let how = Delivery { message: form.get("binding_message").map(SmolStr::new), ..Delivery::default() };
    let issued = factor::challenge(act, &user, &factor, &how).map_err(|_| error::AUTHENTICATOR)?;
    let push = match issued {
        Issued::Push(push) => Some(push.id.clone()),
        Issued::Challenge(_) => None,
    };
    let (now, id) = (act.tx.now, SmolStr::from(format!("ft{}", mint::draw(act, "auth_req_id", 32))));
    let row = Waiting {
        stage: Stage::Backchannel(scopes),
        server: issuer.id(),
        client: client.id.clone(),
        user: user.id.clone(),
        factor: factor.id.clone(),
        push,
        expires: now.after(life),
        polled: None,
    };
    act.state.grants.waiting.put(&mut act.tx.changes, now, id.clone(), row.expires, row);
    Ok(Told { auth_req_id: id, expires_in: life.as_secs(), interval: INTERVAL.as_secs() })
}

fn life(form: &Form) -> Result<Duration, OAuthError> {
    let Some(text) = form.get("request_expiry") else { return Ok(Duration::from_secs(LIFE_SECS)) };
    let seconds = text.parse().ok().filter(|seconds| (1..=LIFE_SECS).contains(seconds));
    seconds.map(Duration::from_secs).ok_or(error::CIBA_EXPIRY)
}

/// The person whom the client means.
fn hinted(state: &State, issuer: &Issuer, client: &Client, form: &Form) -> Result<Arc<User>, OAuthError> {
    let user = match (form.get("login_hint"), form.get("id_token_hint")) {
        (Some(login), None) => state.users.find(login),
        (None, Some(text)) => {
            let token = state.grants.token(text).filter(|token| token.kind == TokenKind::Id);
            let token = token.filter(|token| token.client == client.id && token.server == issuer.id());
            let token = token.ok_or(error::ID_TOKEN_HINT)?;
            token.user.as_ref().and_then(|id| state.users.get(id))
        }
        _ => return Err(error::CIBA_HINTS),
    };
    let user = user.filter(|user| user.status == Status::Active).ok_or(error::CIBA_USER)?;
    rules::person(state, client, &user.id)
}

/// The factor on which the person is asked.
fn device(state: &State, client: &Client, user: &User) -> Option<Arc<Factor>> {
    let named = state.apps.get(&client.app);
    let named = named.and_then(|app| app.setting("/oauthClient/backchannel_custom_authenticator_id").as_str());
    let pushes = factor::usable(state, user).into_iter().filter(|factor| factor.kind == Kind::Push);
    let asks = |factor: &Arc<Factor>| named.is_none_or(|id| takes_transactions(state, factor, id));
    pushes.filter(asks).last()
}

/// Whether a factor is an enrolment of a custom authenticator, whose person has switched transactions on.
fn takes_transactions(state: &State, factor: &Factor, authenticator: &str) -> bool {
    let Some(row) = state.objects.member(ENROLMENTS, &factor.id) else { return false };
    let kinds = row.get("capabilities").and_then(|all| all.get("transactionTypes")).and_then(Value::as_array);
    let of = row.get("authenticatorId").and_then(Value::as_str) == Some(authenticator);
    of && kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "CIBA"))
}

/// What a client gets that asks once more.
pub(super) struct Approved {
    /// The person.
    pub(super) user: Arc<User>,
    /// What was asked for.
    pub(super) scopes: Vec<SmolStr>,
    /// When the person approved.
    pub(super) at: Timestamp,
}

/// What has become of a request by now.
///
/// # Errors
/// The person has not answered or has refused; a request that is over, or none of the client's.
pub(super) fn poll(act: &mut Act<'_, '_>, issuer: &Issuer, client: &Client, id: &str) -> Result<Approved, OAuthError> {
    let row = act.state.grants.waiting.get(id).cloned();
    let row = row.filter(|row| row.client == client.id && row.server == issuer.id()).ok_or(error::CIBA_REQUEST)?;
    let Stage::Backchannel(scopes) = &row.stage else { return Err(error::CIBA_REQUEST) };
    if row.expires <= act.tx.now {
        return Err(error::CIBA_EXPIRED);
    }
    match fate(act.state, &row, act.tx.now) {
        Fate::Success => {
            end(act, id, &row);
            let user = rules::person(act.state, client, &row.user)?;
            Ok(Approved { user, scopes: scopes.clone(), at: act.now() })
        }
        Fate::Waiting => Err(not_yet(act, id, &row, error::CIBA_PENDING)),
        Fate::Timeout => Err(error::CIBA_EXPIRED),
        Fate::Rejected | Fate::Cancelled => {
            end(act, id, &row);
            Err(error::DENIED.kept())
        }
    }
}

/// What became of the prompt that a client waits for.
pub(super) fn fate(state: &State, row: &Waiting, now: Timestamp) -> Fate {
    let push = row.push.as_ref().and_then(|push| state.factors.push(&row.factor, push));
    push.map_or(Fate::Cancelled, |push| push.fate_at(now))
}

/// What a client is told that asks too early; that it asked is kept.
pub(super) fn not_yet(act: &mut Act<'_, '_>, id: &str, row: &Waiting, pending: OAuthError) -> OAuthError {
    let now = act.tx.now;
    let soon = row.polled.is_some_and(|last| now < last.after(INTERVAL));
    let row = Waiting { polled: Some(now), ..row.clone() };
    act.state.grants.waiting.put(&mut act.tx.changes, now, id.into(), row.expires, row);
    if soon { error::SLOW_DOWN.kept() } else { pending.kept() }
}

/// Ends a wait.
pub(super) fn end(act: &mut Act<'_, '_>, id: &str, row: &Waiting) {
    act.state.grants.waiting.remove(&mut act.tx.changes, id, row.expires);
}
