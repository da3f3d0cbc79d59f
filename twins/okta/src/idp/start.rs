//! Sending people to a provider.

use dtu_kernel::{
    ids::BASE64_URL,
    operation::Typed,
    twin::{Scene, Write},
    wire::Answer,
};
use form_urlencoded::Serializer;
use http::header;
use smol_str::SmolStr;

use super::{
    AWAY, Away, Refused, arrive,
    provider::{Protocol, Provider},
    route::{self, Known},
    saml,
};
use crate::{
    Okta,
    authn::body::acting,
    error::Error,
    model::{Act, SITE, State},
    oauth::{
        authorize::Asked,
        error::{self, OAuthError},
        form::Form,
        jwt,
        session::own_path,
    },
};

/// Where providers send people back to.
pub(crate) fn callback(origin: &str) -> String {
    format!("{origin}/oauth2/v1/authorize/callback")
}

/// Whether the provider that a client names is one that people can sign in with.
///
/// # Errors
/// One that is none.
pub(crate) fn check(state: &State, form: &Form) -> Result<(), OAuthError> {
    let usable = |id: &str| Provider::active(state, id).is_some_and(|one| one.protocol().is_some());
    match form.get("idp") {
        Some(id) if !usable(id) => Err(error::IDP),
        _ => Ok(()),
    }
}

/// Sends somebody whom a client wants signed in to the provider that it names, or that the routing rules choose; none
/// where they sign in with Okta.
pub(crate) fn for_client(act: &mut Act<'_, '_>, asked: &Asked, scene: &Scene<'_>) -> Option<Answer> {
    let form = asked.form();
    if form.words("prompt").contains(&"none") {
        return None;
    }
    let app = app_of(act.state, form.get("client_id"));
    let known = Known { login: form.get("login_hint"), app: app.as_deref(), ..known(act, scene) };
    let provider = match form.get("idp") {
        Some(id) => Provider::active(act.state, id)?,
        None => route::chosen(act.state, &known)?,
    };
    let wish =
        Wish { next: asked.way_back(scene.request), login: form.get("login_hint"), scopes: form.words("idp_scope") };
    Some(go(act, &provider, &wish))
}

/// Sends somebody who has given their name on Okta's own page to the provider that the routing rules choose; none where
/// they sign in with Okta.
pub(crate) fn for_login(act: &mut Act<'_, '_>, login: &str, next: &str, scene: &Scene<'_>) -> Option<Answer> {
    let query = next.split_once('?').map_or("", |(_, query)| query);
    let client = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "client_id");
    let client = client.map(|(_, id)| id);
    let app = app_of(act.state, client.as_deref()).or_else(|| saml_app(act.state, next));
    let login = Some(login).filter(|login| !login.is_empty());
    let known = Known { login, app: app.as_deref(), ..known(act, scene) };
    let provider = route::chosen(act.state, &known)?;
    Some(go(act, &provider, &Wish { next: next.to_owned(), login, scopes: Vec::new() }))
}

/// Whether the routing rules send somebody of a name, on the way to a client, to another provider.
pub(crate) fn is_elsewhere(act: &Act<'_, '_>, login: &str, client: &str, scene: &Scene<'_>) -> bool {
    let app = app_of(act.state, Some(client));
    let known = Known { login: Some(login), app: app.as_deref(), ..known(act, scene) };
    route::chosen(act.state, &known).is_some()
}

/// The app of a client.
fn app_of(state: &State, client: Option<&str>) -> Option<SmolStr> {
    state.clients.get(client?).map(|client| client.app.clone())
}

/// The app of a path at which SAML apps ask for people.
fn saml_app(state: &State, path: &str) -> Option<SmolStr> {
    let key = path.strip_prefix("/app/")?.split('/').nth(1)?;
    crate::saml::by_key(state, key).map(|app| app.id.clone())
}

fn known<'a>(act: &Act<'_, '_>, scene: &Scene<'a>) -> Known<'a> {
    let agent = scene.request.header(header::USER_AGENT).unwrap_or_default();
    Known { from: act.by.client.address.parse().ok(), agent, ..Known::default() }
}

/// `GET /sso/idps/{idpId}`: the link of a button on a page of one's own (developer.okta.com/docs/guides/
/// style-the-widget/, links to providers).
pub(super) fn by_link(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let id = cx.scene.request.path_param("idpId").to_owned();
    let next = own_path(form.get("fromURI").unwrap_or("/"), &cx.scene.request.origin);
    let provider = Provider::active(cx.state, &id).filter(|provider| provider.protocol().is_some());
    let provider = provider.ok_or_else(|| Error::not_found(&id, "IdpTrust"))?;
    let wish = Wish { next, login: form.get("login_hint"), scopes: Vec::new() };
    acting(cx, None, |act| Ok(Typed::from_answer(go(act, &provider, &wish))))
}

/// What somebody is sent to a provider for.
struct Wish<'a> {
    /// The path of the org at which they go on.
    next: String,
    /// The name that they go by, where it is known.
    login: Option<&'a str>,
    /// What the client wants the provider asked for besides.
    scopes: Vec<&'a str>,
}

/// The answer that takes somebody to a provider.
fn go(act: &mut Act<'_, '_>, provider: &Provider, wish: &Wish<'_>) -> Answer {
    let sent = match provider.protocol() {
        Some(Protocol::Saml2) => saml::request::send(act, provider, &wish.next),
        _ => authorize(act, provider, wish),
    };
    sent.unwrap_or_else(|refused| arrive::refuse(act, provider, &refused, &wish.next))
}

/// Keeps somebody who goes away; gives back the state that comes back with them.
pub(super) fn keep(act: &mut Act<'_, '_>, provider: &Provider, next: &str, nonce: &str, verifier: &str) -> String {
    let state = act.tx.draw(SITE.child("idp state")).text(BASE64_URL, 40);
    let now = act.now();
    let expires = now.after(AWAY);
    let away = Away {
        provider: provider.id.clone(),
        next: next.to_owned(),
        nonce: nonce.into(),
        verifier: verifier.into(),
        expires,
    };
    act.state.sign_ins.away.put(&mut act.tx.changes, now, SmolStr::new(&state), expires, away);
    state
}

/// Somebody who comes back with a state, once.
pub(super) fn take(act: &mut Act<'_, '_>, state: &str) -> Option<Away> {
    let away = act.state.sign_ins.away.get(state).map(|away| Away::clone(away))?;
    act.state.sign_ins.away.remove(&mut act.tx.changes, state, away.expires);
    (act.now() < away.expires).then_some(away)
}

/// The provider's authorize endpoint, with a request of the code flow.
fn authorize(act: &mut Act<'_, '_>, provider: &Provider, wish: &Wish<'_>) -> Result<Answer, Refused> {
    let address = provider.text("/protocol/endpoints/authorization/url");
    if address.is_empty() {
        return Err(Refused::new("Unable to resolve IdP endpoint"));
    }
    let mut draw = act.tx.draw(SITE.child("idp nonce"));
    let (nonce, verifier) = (draw.text(BASE64_URL, 40), draw.text(BASE64_URL, 43));
    let proves = provider.flag("/protocol/credentials/client/pkce_required", false);
    let state = keep(act, provider, &wish.next, &nonce, if proves { &verifier } else { "" });
    let mut scopes = provider.texts("/protocol/scopes");
    scopes.extend(wish.scopes.iter().map(SmolStr::new));
    let mut query = Serializer::new(String::new());
    query
        .append_pair("client_id", provider.text("/protocol/credentials/client/client_id"))
        .append_pair("redirect_uri", &callback(&act.tx.origin))
        .append_pair("response_type", "code")
        .append_pair("scope", &scopes.join(" "))
        .append_pair("state", &state);
    if provider.protocol() == Some(Protocol::Oidc) {
        query.append_pair("nonce", &nonce);
    }
    if proves {
        query.append_pair("code_challenge", &jwt::digest(&verifier)).append_pair("code_challenge_method", "S256");
    }
    if let Some(login) = wish.login {
        query.append_pair("login_hint", login);
    }
    let mark = if address.contains('?') { '&' } else { '?' };
    Ok(crate::oauth::page::redirect(&format!("{address}{mark}{}", query.finish())))
}
