//! Signing people in to an app: asked by the app, or by the app's tile.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dtu_kernel::{
    ids::HEX,
    operation::Typed,
    time::Timestamp,
    twin::{Read, Write},
    wire::Answer,
};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    attributes::{Bad, Subject},
    by_key,
    message::Said,
    metadata, page,
    request::{self, AuthnRequest},
    settings::{Settings, Unfit},
    sign::Signer,
};
use crate::{
    Okta,
    error::Error,
    events,
    model::{
        Act, Acting, SITE, State,
        app::{App, Mode},
        app_keys, assignment,
        event_type::{APP_ACCESS_REFUSED, SSO},
        grant::Pushed,
        log::{Outcome, Party},
        user::User,
    },
    oauth::{self, form::Form, log, session},
};

/// Why nobody is signed in to an app.
#[derive(Clone, Debug)]
pub enum Refused {
    /// There is no such app, or it is switched off.
    NotFound,
    /// The person has not the app of this label.
    NotAssigned(SmolStr),
    /// The request, or the app's settings, are not in order.
    Bad(String),
}

impl Refused {
    fn page(&self) -> Answer {
        match self {
            Self::NotFound => page::not_found(),
            Self::NotAssigned(label) => page::not_assigned(label),
            Self::Bad(text) => page::bad(text),
        }
    }

    /// In words, for whoever plays the person.
    pub fn words(&self) -> String {
        match self {
            Self::NotFound => "there is no active SAML app at this address".to_owned(),
            Self::NotAssigned(label) => format!("the app `{label}` is not assigned to the person"),
            Self::Bad(text) => text.clone(),
        }
    }
}

impl From<Unfit> for Refused {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Incomplete => Self::Bad("The app has no address to post answers to, or no audience.".to_owned()),
            Unfit::Unsupported(text) => Self::Bad(text.to_owned()),
        }
    }
}

impl From<Bad> for Refused {
    fn from(bad: Bad) -> Self {
        Self::Bad(format!("The app's setting '{}' has no value for this user.", bad.what))
    }
}

/// An answer on its way to an app.
#[derive(Clone, Debug)]
pub struct Post {
    /// Where it is posted to.
    pub address: String,
    /// The fields of the form: `SAMLResponse` and `RelayState`.
    pub fields: Vec<(String, String)>,
}

impl Post {
    fn new(address: &str, xml: &str, relay_state: String) -> Self {
        let fields = vec![("SAMLResponse".to_owned(), STANDARD.encode(xml)), ("RelayState".to_owned(), relay_state)];
        Self { address: address.to_owned(), fields }
    }
}

/// What is asked for.
#[derive(Clone, Debug, Default)]
struct Asked {
    /// The app's request as it came; none where nobody asked.
    text: Option<String>,
    /// The same, read.
    request: Option<AuthnRequest>,
    /// What the app wants back.
    relay_state: Option<String>,
    /// The session that was there when the request came: it is not new enough where the app wants people signed in anew.
    before: Option<SmolStr>,
}

/// What is kept of a request while somebody signs in.
const KEPT_AS: &str = "saml";
/// For how long.
const KEPT: Duration = Duration::from_secs(3_600);

impl Asked {
    fn read(state: &State, app: &App, form: &Form, now: Timestamp) -> Result<Self, Refused> {
        let Some(key) = form.get("okta_key") else {
            return Self::of(form.get("SAMLRequest"), form.get("RelayState"), None);
        };
        let kept = state.grants.pushed.get(key).filter(|kept| kept.server == KEPT_AS && kept.client == app.id);
        let kept = kept.filter(|kept| now < kept.expires);
        let kept = kept.ok_or_else(|| Refused::Bad("The request has expired.".to_owned()))?;
        let text = |member: &str| kept.parameters[member].as_str();
        Self::of(text("SAMLRequest"), text("RelayState"), text("before"))
    }

    fn of(text: Option<&str>, relay_state: Option<&str>, before: Option<&str>) -> Result<Self, Refused> {
        let read = |text: &str| request::decode(text).and_then(|xml| AuthnRequest::read(&xml));
        let request = text.map(read).transpose().map_err(|problem| Refused::Bad(problem.to_owned()))?;
        let (text, relay_state) = (text.map(str::to_owned), relay_state.map(str::to_owned));
        Ok(Self { text, request, relay_state, before: before.map(SmolStr::new) })
    }

    /// Keeps it while somebody signs in; gives back where to go on.
    fn keep(&self, act: &mut Act<'_, '_>, app: &App, path: &str, before: Option<&str>) -> String {
        let (now, key) = (act.now(), act.tx.draw(SITE.child("okta_key")).text(HEX, 40));
        let parameters = json!({ "SAMLRequest": self.text, "RelayState": self.relay_state, "before": before });
        let (server, client, expires) = (KEPT_AS.into(), app.id.clone(), now.after(KEPT));
        let kept = Pushed { server, client, parameters, expires };
        act.state.grants.pushed.put(&mut act.tx.changes, now, key.as_str().into(), expires, kept);
        format!("{path}?okta_key={key}")
    }

    /// Where the answer goes.
    ///
    /// # Errors
    /// A request that was meant for another endpoint, or that wants what the app has not.
    fn address<'s>(&self, settings: &Settings<'s>, app: &App) -> Result<&'s str, Refused> {
        let Some(request) = &self.request else { return Ok(settings.acs) };
        let bad = |text: &str| Err(Refused::Bad(text.to_owned()));
        // Front servers change hosts: only the path says which endpoint was meant.
        let own = metadata::address(app, "");
        if request.destination.as_ref().is_some_and(|destination| !destination.ends_with(own.as_str())) {
            return bad("The SAML request has another destination.");
        }
        if request.issuer.is_empty() {
            return bad("The SAML request has no issuer.");
        }
        if request.binding.as_deref().is_some_and(|binding| binding != POST_BINDING) {
            return bad("The SAML request wants its answer by another binding than HTTP-POST.");
        }
        // Addresses that a request names count only for apps that have several: support.okta.com/help/s/article/
        // How-to-use-dynamic-SSO-URLs-for-Custom-SAML-applications.
        if settings.others.is_empty() {
            return Ok(settings.acs);
        }
        let found = settings.acs_of(request.acs_url.as_deref(), request.acs_index);
        found
            .ok_or_else(|| Refused::Bad("The SAML request wants its answer at an address that the app has not.".into()))
    }

    fn forces(&self, settings: &Settings<'_>) -> bool {
        settings.honors_force && self.request.as_ref().is_some_and(|request| request.force)
    }
}

const POST_BINDING: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";

/// The active SAML app at an address.
fn find(state: &State, name: &str, key: &str) -> Result<Arc<App>, Refused> {
    let found = by_key(state, key).filter(|app| app.name == name && app.active && app.mode == Mode::Saml20);
    found.cloned().ok_or(Refused::NotFound)
}

/// Somebody who has signed in.
#[derive(Clone, Debug)]
struct Person {
    user: Arc<User>,
    signed_in: Timestamp,
}

/// The answer that signs somebody in to an app.
fn post(act: &mut Act<'_, '_>, app: &App, asked: &Asked, person: &Person) -> Result<Post, Refused> {
    let settings = Settings::of(app)?;
    let address = asked.address(&settings, app)?;
    let Some(found) = assignment::find(act.state, app, &person.user) else {
        let targets = vec![Party::app(app), Party::user(&person.user)];
        act.log_outcome(&APP_ACCESS_REFUSED, targets, Outcome::failure("User is not assigned to the app"));
        return Err(Refused::NotAssigned(app.label.clone()));
    };
    let subject = Subject { state: act.state, app, user: &person.user, found: &found };
    let (name, attributes) = (subject.name(&settings)?, subject.attributes(&settings)?);
    let key = app_keys::find(act.state, app, &app.kid).map_err(|error| Refused::Bad(error.words()))?.clone();
    let said = Said { name: &name, attributes, signed_in: person.signed_in, ..said(act, &settings, asked, address) };
    let signer = Signer { key: &key, signature: settings.signature, digest: settings.digest };
    let xml = said.success(&signer);
    act.log(&SSO, vec![Party::app(app), Party::app_user(&found.id, &name, &person.user)]);
    Ok(Post::new(address, &xml, relay_state(asked, &settings)))
}

/// What goes back to the app beside the answer.
fn relay_state(asked: &Asked, settings: &Settings<'_>) -> String {
    match (&asked.relay_state, &asked.request) {
        (Some(own), _) => own.clone(),
        (None, Some(_)) => String::new(),
        (None, None) => settings.relay_state.to_owned(),
    }
}

/// An answer that says nothing of anybody yet.
fn said<'a>(act: &mut Act<'_, '_>, settings: &'a Settings<'a>, asked: &'a Asked, acs: &'a str) -> Said<'a> {
    let mut id = || format!("id{}", act.tx.draw(SITE.child("saml")).text(b"0123456789", 22));
    Said {
        settings,
        acs,
        in_response_to: asked.request.as_ref().map(|request| request.id.as_str()),
        name: "",
        attributes: Vec::new(),
        ids: [id(), id(), id()],
        signed_in: act.tx.now,
        now: act.tx.now,
    }
}

/// The answer that says that nobody is signed in.
fn no_passive(act: &mut Act<'_, '_>, app: &App, asked: &Asked) -> Result<Post, Refused> {
    let settings = Settings::of(app)?;
    let address = asked.address(&settings, app)?;
    let key = app_keys::find(act.state, app, &app.kid).map_err(|error| Refused::Bad(error.words()))?.clone();
    let signer = Signer { key: &key, signature: settings.signature, digest: settings.digest };
    let xml = said(act, &settings, asked, address).no_passive(&signer);
    Ok(Post::new(address, &xml, relay_state(asked, &settings)))
}

/// `samlSignOn` and `samlSignOnWithPost`: at the address that apps send people to. Without a request it is as if the
/// person had chosen the app's tile.
pub fn sign_on(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let request = cx.scene.request;
    let found = find(cx.state, request.path_param("appName"), request.path_param("externalKey"));
    let asked = found.and_then(|app| Ok((Asked::read(cx.state, &app, &form, cx.scene.now)?, app)));
    match asked {
        Ok((asked, app)) => Ok(Typed::from_answer(go(cx, &app, &asked, &form))),
        Err(refused) => Ok(Typed::from_answer(refused.page())),
    }
}

/// Signs in to an app whoever has a session, or else sends them to sign in first.
fn go(cx: &mut Write<'_, '_, Okta>, app: &App, asked: &Asked, form: &Form) -> Answer {
    let request = cx.scene.request;
    let cookie = session::cookie(request).map(SmolStr::new);
    let present = session::current(cx.state, request, cx.scene.now);
    let mut act = Act::new(cx.state, cx.tx, log::acting(cx.scene, Acting::system().actor));
    let token = form.get("sessionToken").or_else(|| form.get("onetimetoken"));
    let by_token = token.and_then(|token| session::exchange(&mut act, token));
    let (person, begun) = if let Some((user, session)) = by_token {
        act.by.actor = Party::user(&user);
        (Some(Person { user, signed_in: session.signed_in }), Some(session.id))
    } else {
        let forces = Settings::of(app).is_ok_and(|settings| asked.forces(&settings));
        let is_new = asked.text.is_some() && form.get("okta_key").is_some() && asked.before != cookie;
        let person = present.filter(|_| !forces || is_new).and_then(|session| {
            let user = act.state.users.get(&session.user).cloned()?;
            Some(Person { user, signed_in: session.signed_in })
        });
        (person, None)
    };
    let posted = match person {
        Some(person) => {
            act.by.actor = Party::user(&person.user);
            post(&mut act, app, asked, &person)
        }
        None if asked.request.as_ref().is_some_and(|request| request.passive) => no_passive(&mut act, app, asked),
        None => {
            let answer = ask(&mut act, app, asked, cookie.as_deref());
            events::announce(&mut act);
            return answer;
        }
    };
    events::announce(&mut act);
    let answer =
        posted.map_or_else(|refused| refused.page(), |posted| oauth::page::form_post(&posted.address, &posted.fields));
    begun.map_or(answer.clone(), |key| session::set_cookie(answer, &key))
}

/// The sign-in page, which goes on here. What is wrong with the request is told first.
fn ask(act: &mut Act<'_, '_>, app: &App, asked: &Asked, cookie: Option<&str>) -> Answer {
    let checked = Settings::of(app).map_err(Refused::from).and_then(|settings| asked.address(&settings, app).map(drop));
    if let Err(refused) = checked {
        return refused.page();
    }
    let next = asked.keep(act, app, &metadata::address(app, ""), cookie);
    oauth::page::sign_in(&act.state.org, &next, "", None)
}

/// `openTile`: the address of an app's tile, which starts what the app's sign-on mode is.
pub fn open(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let request = cx.scene.request;
    let found = cx.state.apps.get(request.path_param("appId")).cloned();
    let found = found.filter(|app| app.active && app.name == request.path_param("appName"));
    let Some(app) = found else { return Ok(Typed::from_answer(page::not_found())) };
    if app.mode == Mode::Saml20 {
        let relay_state = form.get("RelayState").or_else(|| form.get("fromURI")).map(str::to_owned);
        let asked = Asked { relay_state, ..Asked::default() };
        return Ok(Typed::from_answer(go(cx, &app, &asked, &form)));
    }
    Ok(Typed::from_answer(follow(cx, &app)))
}

/// Sends somebody who has the app to where it is.
fn follow(cx: &mut Write<'_, '_, Okta>, app: &App) -> Answer {
    let request = cx.scene.request;
    let target = match app.mode {
        Mode::Bookmark => app.setting("/app/url").as_str(),
        Mode::OpenIdConnect => app.setting("/oauthClient/initiate_login_uri").as_str(),
        _ => None,
    };
    let Some(target) = target else { return page::not_found() };
    let Some(session) = session::current(cx.state, request, cx.scene.now) else {
        return oauth::page::sign_in(&cx.state.org, &request.path, "", None);
    };
    let Some(user) = cx.state.users.get(&session.user).cloned() else { return page::not_found() };
    let mut act = Act::new(cx.state, cx.tx, log::acting(cx.scene, Party::user(&user)));
    let Some(found) = assignment::find(act.state, app, &user) else {
        let targets = vec![Party::app(app), Party::user(&user)];
        act.log_outcome(&APP_ACCESS_REFUSED, targets, Outcome::failure("User is not assigned to the app"));
        events::announce(&mut act);
        return page::not_assigned(&app.label);
    };
    let name = found.user_name.clone().unwrap_or_default();
    act.log(&SSO, vec![Party::app(app), Party::app_user(&found.id, &name, &user)]);
    events::announce(&mut act);
    match app.mode {
        Mode::OpenIdConnect => {
            let mark = if target.contains('?') { '&' } else { '?' };
            let issuer: String = form_urlencoded::byte_serialize(request.origin.as_bytes()).collect();
            oauth::page::redirect(&format!("{target}{mark}iss={issuer}"))
        }
        _ => oauth::page::redirect(target),
    }
}

fn refuse_logout(state: &State, name: &str, key: &str) -> Answer {
    match find(state, name, key) {
        Ok(_) => page::bad("Single logout is not supported for this app."),
        Err(refused) => refused.page(),
    }
}

/// `samlLogout`: refused, with or without a request.
pub fn log_out(cx: &Read<'_, Okta>, _: Form) -> Result<Typed<()>, Error> {
    let request = cx.scene.request;
    let answer = refuse_logout(cx.state, request.path_param("appName"), request.path_param("externalKey"));
    Ok(Typed::from_answer(answer))
}

/// `samlLogoutWithPost`: the same.
pub fn log_out_with_post(cx: &mut Write<'_, '_, Okta>, _: Form) -> Result<Typed<()>, Error> {
    let request = cx.scene.request;
    let answer = refuse_logout(cx.state, request.path_param("appName"), request.path_param("externalKey"));
    Ok(Typed::from_answer(answer))
}

/// Signs somebody who has just signed in in to an app, without a browser: by the address that the app has sent the
/// person to, or by the app's tile.
///
/// # Errors
/// [`Refused`].
pub fn scripted(
    act: &mut Act<'_, '_>,
    app: Option<&App>,
    address: Option<&str>,
    user: &Arc<User>,
) -> Result<Post, Refused> {
    let person = Person { user: Arc::clone(user), signed_in: act.now() };
    let Some(address) = address else {
        let app = app.filter(|app| app.active && app.mode == Mode::Saml20).ok_or(Refused::NotFound)?;
        return post(act, app, &Asked::default(), &person);
    };
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let parts: Vec<&str> = path.split('/').rev().take(5).collect();
    let ["saml", "sso", key, name, "app"] = parts[..] else { return Err(Refused::NotFound) };
    let app = find(act.state, name, key)?;
    let form = Form::of(form_urlencoded::parse(query.as_bytes()));
    let form = form.map_err(|error| Refused::Bad(error.description.to_string()))?;
    let asked = Asked::read(act.state, &app, &form, act.tx.now)?;
    post(act, &app, &asked, &person)
}

/// What an affordance gives back of an answer.
pub fn shown(post: &Post) -> Value {
    let mut shown = json!({ "post": post.address });
    for (name, value) in &post.fields {
        shown[name] = json!(value);
    }
    shown
}
