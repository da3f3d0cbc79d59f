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
    message::{LEEWAY, Said},
    metadata, page,
    request::{self, AuthnRequest},
    settings::{Settings, Unfit, wants_signed},
    sign::Signer,
    told::Told,
    verify,
};
use crate::{
    Okta,
    authn::app::{self as policy, To},
    error::Error,
    events,
    inline_hooks::{self, Caller, saml as hook},
    model::{
        Act, Acting, SITE, State,
        app::{App, Mode},
        app_keys, assignment,
        event_type::{APP_ACCESS_REFUSED, SSO},
        grant::Pushed,
        log::{Outcome, Party},
        session::{self as sessions, Proof, Session},
        user::User,
    },
    oauth::{self, form::Form, log, session},
    policy::access::Verdict,
};

/// Why nobody is signed in to an app.
#[derive(Clone, Debug)]
pub enum Refused {
    /// There is no such app, or it is switched off.
    NotFound,
    /// The person has not the app of this label.
    NotAssigned(SmolStr),
    /// The policy of the app of this label does not let the person in.
    Denied(SmolStr),
    /// The request, or the app's settings, are not in order.
    Bad(String),
}

impl Refused {
    /// As people see it.
    pub(crate) fn page(&self) -> Answer {
        match self {
            Self::NotFound => page::not_found(),
            Self::NotAssigned(label) => page::not_assigned(label),
            Self::Denied(label) => page::denied(label),
            Self::Bad(text) => page::bad(text),
        }
    }

    /// In words, for whoever plays the person.
    pub fn words(&self) -> String {
        match self {
            Self::NotFound => "there is no active SAML app at this address".to_owned(),
            Self::NotAssigned(label) => format!("the app `{label}` is not assigned to the person"),
            Self::Denied(label) => format!("the policy of the app `{label}` does not let the person in"),
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
pub(super) fn find(state: &State, name: &str, key: &str) -> Result<Arc<App>, Refused> {
    let found = by_key(state, key).filter(|app| app.name == name && app.active && app.mode == Mode::Saml20);
    found.cloned().ok_or(Refused::NotFound)
}

/// Somebody who has signed in.
#[derive(Clone, Debug)]
struct Person {
    user: Arc<User>,
    signed_in: Timestamp,
    /// In which session; none where nobody has a browser.
    session: Option<Arc<Session>>,
}

impl Person {
    /// What they have shown: a password now, where they have no browser.
    fn proof(&self, now: Timestamp) -> Proof {
        self.session.as_ref().map_or_else(|| Proof::password(now), |session| session.proof.clone())
    }

    fn of(user: Arc<User>, session: Arc<Session>) -> Self {
        Self { user, signed_in: session.signed_in, session: Some(session) }
    }
}

/// An answer to an app that is made, and not signed: a hook may still change it.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    app: Arc<App>,
    asked: Asked,
    person: Person,
    /// The id of the person's use of the app.
    used: SmolStr,
    ids: [String; 2],
    /// What it says of the person.
    pub(crate) told: Told,
}

impl Draft {
    /// The app.
    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// The person.
    pub(crate) fn user(&self) -> &User {
        &self.person.user
    }

    /// The person's session.
    pub(crate) fn session(&self) -> Option<&Session> {
        self.person.session.as_deref()
    }

    /// Who speaks.
    pub(crate) fn issuer(&self) -> String {
        Settings::of(&self.app).map(|settings| settings.issuer).unwrap_or_default()
    }

    /// The hooks that its app asks.
    pub(crate) fn hooks(&self) -> Vec<SmolStr> {
        Settings::of(&self.app).map(|own| own.hooks.iter().map(SmolStr::new).collect()).unwrap_or_default()
    }

    /// The answer that signs the person in.
    ///
    /// # Errors
    /// A key that the app has not any more.
    pub(crate) fn signed(&self, act: &mut Act<'_, '_>) -> Result<Post, Refused> {
        let settings = Settings::of(&self.app)?;
        let address = self.asked.address(&settings, &self.app)?;
        let key = signing_key(act.state, &self.app)?;
        let signer = Signer { key: &key, signature: settings.signature, digest: settings.digest };
        let said = Said {
            settings: &settings,
            acs: address,
            in_response_to: self.asked.request.as_ref().map(|request| request.id.as_str()),
            told: Some(&self.told),
            signed_in: self.person.signed_in,
            now: act.tx.now,
            ids: self.ids.clone(),
        };
        let xml = said.success(&signer, act.tx.draw(SITE.child("saml encryption")));
        if let Some(session) = &self.person.session {
            sessions::opened(act, &session.id);
        }
        let targets = vec![Party::app(&self.app), Party::app_user(&self.used, &self.told.name, &self.person.user)];
        act.log(&SSO, targets);
        Ok(Post::new(address, &xml, relay_state(&self.asked, &settings)))
    }
}

pub(super) fn signing_key(state: &State, app: &App) -> Result<app_keys::SigningKey, Refused> {
    app_keys::find(state, app, &app.kid).cloned().map_err(|error| Refused::Bad(error.words()))
}

/// The ids of a response, of its assertion and of a session in it.
pub(super) fn ids(act: &mut Act<'_, '_>) -> [String; 3] {
    let mut id = || format!("id{}", act.tx.draw(SITE.child("saml")).text(b"0123456789", 22));
    [id(), id(), id()]
}

/// What an app is to be told of somebody who has it.
fn draft(act: &mut Act<'_, '_>, app: &Arc<App>, asked: &Asked, person: &Person) -> Result<Draft, Refused> {
    let settings = Settings::of(app)?;
    let address = asked.address(&settings, app)?;
    let Some(found) = assignment::find(act.state, app, &person.user) else {
        let targets = vec![Party::app(app), Party::user(&person.user)];
        act.log_outcome(&APP_ACCESS_REFUSED, targets, Outcome::failure("User is not assigned to the app"));
        return Err(Refused::NotAssigned(app.label.clone()));
    };
    let subject = Subject { state: act.state, app, user: &person.user, found: &found };
    let (name, attributes) = (subject.name(&settings)?, subject.attributes(&settings)?);
    let [response, assertion, session] = ids(act);
    let told = Told {
        name,
        name_format: settings.name_format.to_owned(),
        method: BEARER.to_owned(),
        recipient: settings.recipient.unwrap_or(address).to_owned(),
        session,
        context: settings.context.to_owned(),
        audiences: vec![settings.audience.to_owned()],
        attributes,
        life: LEEWAY.as_secs(),
    };
    let (app, asked, person) = (Arc::clone(app), asked.clone(), person.clone());
    Ok(Draft { app, asked, person, used: found.id.clone(), ids: [response, assertion], told })
}

/// How people are confirmed who bring their assertion themselves.
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// What goes back to the app beside the answer.
fn relay_state(asked: &Asked, settings: &Settings<'_>) -> String {
    match (&asked.relay_state, &asked.request) {
        (Some(own), _) => own.clone(),
        (None, Some(_)) => String::new(),
        (None, None) => settings.relay_state.to_owned(),
    }
}

/// The answer that says that nobody is signed in.
fn no_passive(act: &mut Act<'_, '_>, app: &App, asked: &Asked) -> Result<Post, Refused> {
    let settings = Settings::of(app)?;
    let address = asked.address(&settings, app)?;
    let key = signing_key(act.state, app)?;
    let signer = Signer { key: &key, signature: settings.signature, digest: settings.digest };
    let [response, assertion, _] = ids(act);
    let said = Said {
        settings: &settings,
        acs: address,
        in_response_to: asked.request.as_ref().map(|request| request.id.as_str()),
        told: None,
        signed_in: act.tx.now,
        now: act.tx.now,
        ids: [response, assertion],
    };
    Ok(Post::new(address, &said.no_passive(&signer), relay_state(asked, &settings)))
}

/// The page that takes an answer to its app, or says why there is none; with the cookie of a session that began with it.
pub(crate) fn arrival(posted: Result<Post, Refused>, begun: Option<&str>) -> Answer {
    let answer =
        posted.map_or_else(|refused| refused.page(), |posted| oauth::page::form_post(&posted.address, &posted.fields));
    match begun {
        Some(key) => session::set_cookie(answer, key),
        None => answer,
    }
}

/// The answer of `samlSignOn` and its siblings, once the app's hook has said what it wants.
///
/// # Errors
/// A hook's answer that never came.
pub fn hooked(cx: &Read<'_, Okta>) -> Result<Typed<()>, Error> {
    inline_hooks::answer(cx).map(Typed::from_answer)
}

/// `samlSignOn` and `samlSignOnWithPost`: at the address that apps send people to. Without a request it is as if the
/// person had chosen the app's tile.
pub fn sign_on(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let request = cx.scene.request;
    let found = find(cx.state, request.path_param("appName"), request.path_param("externalKey"));
    let asked = found.and_then(|app| Ok((Asked::read(cx.state, &app, &form, cx.scene.now)?, app)));
    let posted = request.method == http::Method::POST;
    let asked = asked.and_then(|(asked, app)| {
        check_signature(&app, &form, &request.query, posted)?;
        Ok((asked, app))
    });
    match asked {
        Ok((asked, app)) => Ok(Typed::from_answer(go(cx, &app, &asked, &form))),
        Err(refused) => Ok(Typed::from_answer(refused.page())),
    }
}

/// Whether a request is the app's, where that is to be shown: each signature is looked at that can be, and none may be
/// missing where the app wants one. A request that was kept meanwhile was looked at before.
fn check_signature(app: &App, form: &Form, query: &str, posted: bool) -> Result<(), Refused> {
    let Some(text) = form.get("SAMLRequest").filter(|_| form.get("okta_key").is_none()) else { return Ok(()) };
    let wants = wants_signed(app);
    let known = app.setting("/signOn/spCertificate/x5c/0").is_string();
    if !posted {
        let looks = wants || known && verify::is_beside(query);
        return if looks { verify::beside(app, query, verify::Message::Sso) } else { Ok(()) };
    }
    let xml = request::decode(text).map_err(|problem| Refused::Bad(problem.to_owned()))?;
    let looks = wants || known && verify::is_inside(&xml);
    if looks { verify::inside(app, &xml, verify::Message::Sso) } else { Ok(()) }
}

/// Signs in to an app whoever has a session, or else sends them to sign in first.
fn go(cx: &mut Write<'_, '_, Okta>, app: &Arc<App>, asked: &Asked, form: &Form) -> Answer {
    let (request, caller) = (cx.scene.request, Caller::of(cx.scene));
    let cookie = session::cookie(request).map(SmolStr::new);
    let present = session::current(cx.state, request, cx.scene.now);
    let mut act = Act::new(cx.state, cx.tx, log::acting(cx.scene, Acting::system().actor));
    let token = form.get("sessionToken").or_else(|| form.get("onetimetoken"));
    let by_token = token.and_then(|token| session::exchange(&mut act, token));
    let (person, begun) = if let Some((user, session)) = by_token {
        act.by.actor = Party::user(&user);
        let key = session.id.clone();
        (Some(Person::of(user, Arc::new(session))), Some(key))
    } else {
        let forces = Settings::of(app).is_ok_and(|settings| asked.forces(&settings));
        let is_new = asked.text.is_some() && form.get("okta_key").is_some() && asked.before != cookie;
        let person = present.filter(|_| !forces || is_new).and_then(|session| {
            let user = act.state.users.get(&session.user).cloned()?;
            Some(Person::of(user, session))
        });
        (person, None)
    };
    let posted = match person {
        Some(person) => {
            act.by.actor = Party::user(&person.user);
            match admitted(&mut act, app, asked, &person, cookie.as_deref()) {
                Err(stopped) => {
                    events::announce(&mut act);
                    return begun.as_deref().map_or(stopped.clone(), |key| session::set_cookie(stopped, key));
                }
                Ok(made) => match hook::begin(&mut act, &caller, Box::new(made), begun.clone()) {
                    Some(made) => made.signed(&mut act),
                    // Nobody sees this answer: the call waits for the hook's.
                    None => Err(Refused::NotFound),
                },
            }
        }
        None if asked.request.as_ref().is_some_and(|request| request.passive) => no_passive(&mut act, app, asked),
        None => {
            let answer = ask(&mut act, app, asked, cookie.as_deref());
            events::announce(&mut act);
            return answer;
        }
    };
    events::announce(&mut act);
    arrival(posted, begun.as_deref())
}

/// What an app is to be told of somebody who has it, once its policy lets them in; else what they see.
fn admitted(
    act: &mut Act<'_, '_>,
    app: &Arc<App>,
    asked: &Asked,
    person: &Person,
    cookie: Option<&str>,
) -> Result<Draft, Answer> {
    let made = draft(act, app, asked, person).map_err(|refused| refused.page())?;
    let need = match policy::judge(act, &To::app(app), &person.user, &person.proof(act.tx.now)) {
        Verdict::Satisfied => return Ok(made),
        Verdict::Missing(need) if need.can_be_met() => need,
        _ => return Err(Refused::Denied(app.label.clone()).page()),
    };
    if asked.request.as_ref().is_some_and(|request| request.passive) {
        return Err(arrival(no_passive(act, app, asked), None));
    }
    let next = asked.keep(act, app, &metadata::address(app, ""), cookie);
    Err(policy::ask(act, &person.user, &person.proof(act.tx.now), &need, &next))
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
fn follow(cx: &mut Write<'_, '_, Okta>, app: &Arc<App>) -> Answer {
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
    match policy::judge(&mut act, &To::app(app), &user, &session.proof) {
        Verdict::Satisfied => sessions::opened(&mut act, &session.id),
        Verdict::Missing(need) if need.can_be_met() => {
            let answer = policy::ask(&mut act, &user, &session.proof, &need, &request.path);
            events::announce(&mut act);
            return answer;
        }
        _ => {
            events::announce(&mut act);
            return page::denied(&app.label);
        }
    }
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

/// Signs somebody who has just signed in in to an app, without a browser: by the address that the app has sent the
/// person to, or by the app's tile.
///
/// # Errors
/// [`Refused`].
pub fn scripted(
    act: &mut Act<'_, '_>,
    app: Option<&Arc<App>>,
    address: Option<&str>,
    user: &Arc<User>,
) -> Result<Post, Refused> {
    let Some(address) = address else {
        let app = app.filter(|app| app.active && app.mode == Mode::Saml20).ok_or(Refused::NotFound)?;
        return at_once(act, app, &Asked::default(), user);
    };
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let parts: Vec<&str> = path.split('/').rev().take(5).collect();
    let ["saml", "sso", key, name, "app"] = parts[..] else { return Err(Refused::NotFound) };
    let app = find(act.state, name, key)?;
    let form = Form::of(form_urlencoded::parse(query.as_bytes()));
    let form = form.map_err(|error| Refused::Bad(error.description.to_string()))?;
    let asked = Asked::read(act.state, &app, &form, act.tx.now)?;
    check_signature(&app, &form, query, false)?;
    at_once(act, &app, &asked, user)
}

/// The answer to an app for somebody who has just signed in without a browser. No hook is asked, for which nothing
/// waits here: an app that has one is refused.
fn at_once(act: &mut Act<'_, '_>, app: &Arc<App>, asked: &Asked, user: &Arc<User>) -> Result<Post, Refused> {
    let person = Person { user: Arc::clone(user), signed_in: act.now(), session: None };
    let made = draft(act, app, asked, &person)?;
    match policy::judge(act, &To::app(app), user, &person.proof(act.tx.now)) {
        Verdict::Satisfied => {}
        Verdict::Denied => return Err(Refused::Denied(app.label.clone())),
        Verdict::Missing(_) => return Err(Refused::Bad("the app asks for more than a password: use a browser".into())),
    }
    if hook::of(act.state, &made).is_some() {
        return Err(Refused::Bad("the app asks an inline hook: use a browser".to_owned()));
    }
    made.signed(act)
}

/// What an affordance gives back of an answer.
pub fn shown(post: &Post) -> Value {
    let mut shown = json!({ "post": post.address });
    for (name, value) in &post.fields {
        shown[name] = json!(value);
    }
    shown
}
