//! Sessions.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Session/. What answers look like is recorded
//! (`test_sessions_it`).

use std::sync::Arc;

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::{Read, Scene, Write},
};
use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{act, no_content, stamp};
use crate::{
    Okta,
    error::Error,
    model::{
        State,
        session::{self, Session},
        user::User,
    },
    oauth,
};

/// The bucket of these operations.
const CALLS: &str = "sessions";

/// The operations.
pub fn operations() -> Vec<Operation<Okta>> {
    const ONE: &str = "/api/v1/sessions/{sessionId}";
    const REFRESH: &str = "/api/v1/sessions/{sessionId}/lifecycle/refresh";
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const DELETE: &[Method] = &[Method::DELETE];
    vec![
        Operation::write("createSession", POST, "/api/v1/sessions", create).limit(CALLS),
        Operation::read("getSession", GET, ONE, get).limit(CALLS),
        Operation::write("revokeSession", DELETE, ONE, revoke).limit(CALLS),
        Operation::write("refreshSession", POST, REFRESH, refresh).limit(CALLS),
        Operation::read("getCurrentSession", GET, "/api/v1/sessions/me", get_own).limit(CALLS),
        Operation::write("closeCurrentSession", DELETE, "/api/v1/sessions/me", close_own).limit(CALLS),
        Operation::write("refreshCurrentSession", POST, "/api/v1/sessions/me/lifecycle/refresh", refresh_own)
            .limit(CALLS),
    ]
}

/// A session as Okta shows it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionBody {
    id: SmolStr,
    user_id: SmolStr,
    login: String,
    created_at: String,
    expires_at: String,
    status: &'static str,
    last_password_verification: Option<String>,
    last_factor_verification: Option<String>,
    amr: Vec<SmolStr>,
    idp: IdpBody,
    mfa_active: bool,
    #[serde(rename = "_links")]
    links: Value,
}

#[derive(Debug, Serialize, JsonSchema)]
struct IdpBody {
    id: SmolStr,
    r#type: &'static str,
}

impl SessionBody {
    /// `name` is what its links call it: `me`, or its other id.
    fn new(state: &State, session: &Session, user: &User, name: &str, origin: &str) -> Self {
        let own = format!("{origin}/api/v1/sessions/{name}");
        let person = if name == "me" { "me" } else { &user.id };
        let links = json!({
            "self": { "href": own, "hints": { "allow": ["GET", "DELETE"] } },
            "refresh": { "href": format!("{own}/lifecycle/refresh"), "hints": { "allow": ["POST"] } },
            "user": {
                "name": user.profile.full_name(),
                "href": format!("{origin}/api/v1/users/{person}"),
                "hints": { "allow": ["GET"] },
            },
        });
        Self {
            id: session.id.clone(),
            user_id: user.id.clone(),
            login: user.login().to_owned(),
            created_at: stamp(session.signed_in),
            expires_at: stamp(session.expires),
            status: "ACTIVE",
            last_password_verification: session.proof.password.map(stamp),
            last_factor_verification: session.proof.factor.map(stamp),
            amr: session.proof.amr.clone(),
            idp: match &session.proof.elsewhere {
                Some(provider) => IdpBody { id: provider.id.clone(), r#type: provider.kind },
                None => IdpBody { id: org_id(state), r#type: "OKTA" },
            },
            // On the Identity Engine mail counts as a factor that everybody has: recorded as true of people without
            // any factor of their own.
            mfa_active: !state.kind.is_classic() || session.proof.factor.is_some(),
            links,
        }
    }
}

/// The org's id, which stands for Okta as an identity provider.
fn org_id(state: &State) -> SmolStr {
    let org = state.objects.one("/api/v1", "org");
    org.and_then(|org| org.get("id")?.as_str()).map(SmolStr::from).unwrap_or_default()
}

/// Arguments of `createSession`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Create {
    body: CreateBody,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateBody {
    #[serde(default)]
    session_token: Option<String>,
}

/// `createSession`: a session token becomes a session.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: Create) -> Result<Typed<SessionBody>, Error> {
    let text = args.body.session_token.unwrap_or_default();
    let begun = act(cx, |act| Ok(oauth::session::exchange(act, &text)))?;
    let (user, session) = begun.ok_or(Error::SignIn)?;
    Ok(Typed::ok(&SessionBody::new(cx.state, &session, &user, "me", &cx.scene.request.origin)))
}

/// Arguments of operations on one session.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct One {
    session_id: String,
}

/// Arguments of operations on the browser's own session.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Own {}

fn find(state: &State, scene: &Scene<'_>, id: &str) -> Result<(Arc<Session>, Arc<User>), Error> {
    let missing = || Error::not_found(id, "AppSession");
    let session = state.sessions.get(id, scene.now).cloned().ok_or_else(missing)?;
    let user = state.users.get(&session.user).cloned().ok_or_else(missing)?;
    Ok((session, user))
}

/// `getSession`.
pub fn get(cx: &Read<'_, Okta>, args: One) -> Result<Typed<SessionBody>, Error> {
    let (session, user) = find(cx.state, cx.scene, &args.session_id)?;
    Ok(Typed::ok(&SessionBody::new(cx.state, &session, &user, &session.alias, &cx.scene.request.origin)))
}

/// `refreshSession`.
pub fn refresh(cx: &mut Write<'_, '_, Okta>, args: One) -> Result<Typed<SessionBody>, Error> {
    let (session, user) = find(cx.state, cx.scene, &args.session_id)?;
    let session = act(cx, |act| Ok(session::refresh(act, &session)))?;
    Ok(Typed::ok(&SessionBody::new(cx.state, &session, &user, &session.alias, &cx.scene.request.origin)))
}

/// `revokeSession`.
pub fn revoke(cx: &mut Write<'_, '_, Okta>, args: One) -> Result<Typed<()>, Error> {
    let (session, _) = find(cx.state, cx.scene, &args.session_id)?;
    act(cx, |act| {
        session::end(act, &session);
        Ok(())
    })?;
    Ok(no_content())
}

/// The browser's own session; an API token has none.
fn own(state: &State, scene: &Scene<'_>) -> Result<(Arc<Session>, Arc<User>), Error> {
    let session = oauth::session::current(state, scene.request, scene.now);
    let session = session.ok_or_else(|| Error::not_found("me", "AppSession"))?;
    find(state, scene, &session.id)
}

/// `getCurrentSession`.
pub fn get_own(cx: &Read<'_, Okta>, _: Own) -> Result<Typed<SessionBody>, Error> {
    let (session, user) = own(cx.state, cx.scene)?;
    Ok(Typed::ok(&SessionBody::new(cx.state, &session, &user, "me", &cx.scene.request.origin)))
}

/// `refreshCurrentSession`.
pub fn refresh_own(cx: &mut Write<'_, '_, Okta>, _: Own) -> Result<Typed<SessionBody>, Error> {
    let (session, user) = own(cx.state, cx.scene)?;
    let session = act(cx, |act| Ok(session::refresh(act, &session)))?;
    Ok(Typed::ok(&SessionBody::new(cx.state, &session, &user, "me", &cx.scene.request.origin)))
}

/// `closeCurrentSession`.
pub fn close_own(cx: &mut Write<'_, '_, Okta>, _: Own) -> Result<Typed<()>, Error> {
    let (session, _) = own(cx.state, cx.scene)?;
    act(cx, |act| {
        session::end(act, &session);
        Ok(())
    })?;
    Ok(no_content())
}
