//! The authorize endpoints: where people sign in to a client.
//!
//! See developer.okta.com/docs/api/openapi/okta-oauth/oauth/tag/OrgAS/#tag/OrgAS/operation/authorize.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    operation::Typed,
    time::Timestamp,
    twin::{Read, Scene, Write},
    wire::{Answer, Request},
};
use form_urlencoded::Serializer;
use smol_str::SmolStr;

use super::{
    error::{self, OAuthError},
    form::Form,
    log,
    mint::{self, Beside, Grant},
    page,
    request_object::{self, Purpose},
    rules,
    server::Issuer,
    session,
    token::Minting,
};
use crate::{
    Okta,
    authn::app::{self, To},
    error::Error,
    events,
    idp::start,
    inline_hooks::{
        Caller,
        tokens::{self, Goal},
    },
    model::{
        Act, State,
        authorization_server::Wanted,
        client::{Client, ClientType},
        consent,
        event_type::SSO,
        grant::{Code, Context},
        log::Party,
        session::{self as sessions, Proof, Session},
        user::User,
    },
    policy::{
        access::{Need, Verdict},
        assurance::Assurance,
    },
};

/// How long a code is good.
const CODE_LIFE: Duration = Duration::from_secs(300);
/// What may be asked for, in the order of the words.
const RESPONSES: [&str; 7] =
    ["code", "code id_token", "code id_token token", "code token", "id_token", "id_token token", "token"];

/// How an answer is sent to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the query of its address.
    Query,
    /// Behind the `#` of its address.
    Fragment,
    /// By a form that the browser sends.
    FormPost,
    /// To the window that opened this one.
    Message,
}

/// Where an answer goes.
#[derive(Clone, Debug)]
pub struct Target {
    address: String,
    mode: Mode,
    state: Option<String>,
}

/// A request to sign in that is in order.
#[derive(Clone, Debug)]
pub struct Asked {
    issuer: Issuer,
    client: Arc<Client>,
    target: Target,
    code: bool,
    token: bool,
    id_token: bool,
    scopes: Vec<SmolStr>,
    challenge: Option<SmolStr>,
    nonce: Option<SmolStr>,
    prompt: Vec<String>,
    max_age: Option<i64>,
    class: Option<SmolStr>,
    form: Form,
    /// The session that began with the call.
    begun: Option<SmolStr>,
}

/// When and how somebody has signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// When.
    pub at: Timestamp,
    /// By which methods, as RFC 8176 names them.
    pub amr: Vec<SmolStr>,
    /// The id of the identity provider whose word they came with; none where that is Okta.
    pub idp: Option<SmolStr>,
    /// The id of their session; none where they have no browser.
    pub session: Option<SmolStr>,
}

impl SignedIn {
    /// By a password, now.
    pub fn by_password(now: Timestamp) -> Self {
        Self { at: now, amr: Context::default().amr, idp: None, session: None }
    }

    fn of(session: &Session) -> Self {
        let idp = session.proof.elsewhere.as_ref().map(|provider| provider.id.clone());
        Self { at: session.signed_in, amr: session.proof.amr.clone(), idp, session: Some(session.id.clone()) }
    }
}

/// Why a request is refused: to the person, or to the client.
#[derive(Clone, Debug)]
pub enum Refused {
    /// Nobody knows whom to send the person back to.
    Shown(Box<OAuthError>),
    /// The client is told.
    Sent(Box<(Target, OAuthError)>),
}

impl From<OAuthError> for Refused {
    fn from(error: OAuthError) -> Self {
        Self::Shown(Box::new(error))
    }
}

impl Target {
    /// The answer that takes the person back to the client.
    pub fn answer(&self, mut fields: Vec<(String, String)>) -> Answer {
        fields.extend(self.state.iter().map(|state| ("state".to_owned(), state.clone())));
        match self.mode {
            Mode::Query | Mode::Fragment => page::redirect(&self.with(&fields)),
            Mode::FormPost => page::form_post(&self.address, &fields),
            Mode::Message => {
                let end = self.address.match_indices('/').nth(2).map_or(self.address.len(), |(at, _)| at);
                page::post_message(&self.address[..end], &fields)
            }
        }
    }

    /// The address with the fields.
    fn with(&self, fields: &[(String, String)]) -> String {
        let text = Serializer::new(String::new()).extend_pairs(fields).finish();
        let mark = match self.mode {
            Mode::Fragment => "#",
            _ if self.address.contains('?') => "&",
            _ => "?",
        };
        format!("{}{mark}{text}", self.address)
    }

    fn refuse(&self, error: &OAuthError) -> Answer {
        self.answer(vec![
            ("error".to_owned(), error.error.to_owned()),
            ("error_description".to_owned(), error.description.to_string()),
        ])
    }
}

/// Reads a request to sign in.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read(act: &mut Act<'_, '_>, issuer: &Issuer, form: &Form) -> Result<Asked, Refused> {
    let form = pushed(act, issuer, form)?;
    let client = form.get("client_id").and_then(|id| act.state.clients.get(id)).filter(|client| client.active).cloned();
    let client = client.ok_or(error::CLIENT_ID)?;
    // What is wrong with a signed request is told to the client, where the address beside it is the client's.
    let (form, bad_object) = match request_object::merged(act, issuer, &client, &form, Purpose::Authorize) {
        Ok(merged) => (merged, None),
        Err(error) => (form, Some(error)),
    };
    let form = &form;
    let address = form.get("redirect_uri").ok_or_else(|| error::missing("redirect_uri"))?;
    if !is_redirect(&client, address) {
        return Err(error::REDIRECT.into());
    }
    let words = form.words("response_type");
    let has = |word: &str| words.contains(&word);
    let tokens = has("token") || has("id_token");
    let target = Target {
        address: address.to_owned(),
        mode: if tokens { Mode::Fragment } else { Mode::Query },
        state: form.get("state").map(str::to_owned),
    };
    let send = |error: OAuthError| Refused::Sent(Box::new((target.clone(), error)));
    let mode = mode(form, tokens, has("code"), target.mode).map_err(send)?;
    let target = Target { mode, ..target };
    let send = |error: OAuthError| Refused::Sent(Box::new((target.clone(), error)));
    if let Some(error) = bad_object {
        return Err(send(error));
    }
    check_kind(&client, &words).map_err(send)?;
    check_extras(form).map_err(send)?;
    start::check(act.state, form).map_err(send)?;
    let class = class(act.state, form);
    let challenge = challenge(&client, form, has("code")).map_err(send)?;
    if has("id_token") && form.get("nonce").is_none() {
        return Err(send(error::NONCE));
    }
    let prompt = prompt(form).map_err(send)?;
    let max_age = max_age(form, &prompt).map_err(send)?;
    let wanted = Wanted { client: &client, user: None, grant: "authorization_code", scopes: &[] };
    let scopes = issuer.grantable(act.state, &wanted, &form.words("scope")).map_err(send)?;
    rules::check_openid(&scopes).map_err(send)?;
    if has("id_token") && !scopes.iter().any(|scope| scope == "openid") {
        return Err(send(error::OPENID_NEEDED));
    }
    Ok(Asked {
        issuer: issuer.clone(),
        client: Arc::clone(&client),
        target: target.clone(),
        code: has("code"),
        token: has("token"),
        id_token: has("id_token"),
        scopes,
        challenge,
        nonce: form.get("nonce").map(SmolStr::new),
        prompt,
        max_age,
        class,
        form: form.clone(),
        begun: None,
    })
}

/// The parameters, those that were pushed beforehand in place of the address that stands for them.
fn pushed(act: &mut Act<'_, '_>, issuer: &Issuer, form: &Form) -> Result<Form, OAuthError> {
    let Some(address) = form.get("request_uri") else { return Ok(form.clone()) };
    if form.get("request").is_some() {
        return Err(error::TWO_REQUESTS);
    }
    let now = act.tx.now;
    let pushed = act.state.grants.pushed.get(address).filter(|pushed| now < pushed.expires).cloned();
    let pushed = pushed.ok_or(error::REQUEST_URI)?;
    if form.get("client_id").is_some_and(|id| id != pushed.client) {
        return Err(error::REQUEST_URI_CLIENT);
    }
    if pushed.server != issuer.id() {
        return Err(error::REQUEST_URI_SERVER);
    }
    Ok(Form::from_json(&pushed.parameters))
}

/// Whether an address is one to which a client has people sent back.
pub(crate) fn is_redirect(client: &Client, address: &str) -> bool {
    let is_own = |own: &SmolStr| fits(own, address, client.kind) || client.wildcards && fits_wildcard(own, address);
    client.redirects.iter().any(is_own)
}

/// Whether an address is a registered one. Programs on a person's machine may listen at any port (RFC 8252).
fn fits(own: &str, address: &str, kind: ClientType) -> bool {
    let without_port = |url: &str| -> Option<String> {
        let rest = url.strip_prefix("http://127.0.0.1").or_else(|| url.strip_prefix("http://[::1]"))?;
        let path = rest.strip_prefix(':').map_or(rest, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        Some(path.to_owned())
    };
    let any_port = kind == ClientType::Native;
    own == address || any_port && without_port(own).is_some_and(|path| without_port(address) == Some(path))
}

/// Whether an address is one that a registered one with a `*` in its lowest domain stands for. See
/// developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/ (`wildcard_redirect`).
fn fits_wildcard(own: &str, address: &str) -> bool {
    let Some((before, after)) = own.split_once('*') else { return false };
    // Only the lowest domain may have one: before it there is no dot, behind it another domain.
    let lowest = before.split_once("://").is_some_and(|(_, host)| !host.contains(['.', '/', '?', '#']));
    let part = address.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    let is_label = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    lowest && after.contains('.') && !after.contains('*') && part.is_some_and(is_label)
}

fn mode(form: &Form, tokens: bool, code: bool, usual: Mode) -> Result<Mode, OAuthError> {
    match form.get("response_mode") {
        None => Ok(usual),
        Some("query") if tokens => Err(error::QUERY_WITH_TOKENS),
        Some("query") => Ok(Mode::Query),
        Some("fragment") => Ok(Mode::Fragment),
        Some("form_post") => Ok(Mode::FormPost),
        Some("okta_post_message") if code => Err(error::MESSAGE_WITH_CODE),
        Some("okta_post_message") => Ok(Mode::Message),
        Some(_) => Err(error::RESPONSE_MODE),
    }
}

fn check_kind(client: &Client, words: &[&str]) -> Result<(), OAuthError> {
    if client.kind == ClientType::Service {
        return Err(error::SERVICE_APP);
    }
    let mut sorted = words.to_vec();
    sorted.sort_unstable();
    let known = RESPONSES.contains(&sorted.join(" ").as_str());
    let configured = words.iter().all(|word| client.responses.iter().any(|own| own == word));
    if words.is_empty() || !known || !configured { Err(error::response_type(&client.responses)) } else { Ok(()) }
}

/// Parameters whose features the org has not, and the state that Okta insists on.
fn check_extras(form: &Form) -> Result<(), OAuthError> {
    if form.get("state").is_none() {
        return Err(error::STATE);
    }
    if form.get("interclient_token").is_some() {
        return Err(error::INTERCLIENT);
    }
    if form.get("enroll_amr_values").is_some() {
        return Err(error::ENROLL);
    }
    Ok(())
}

/// The class of assurance that the client asks for: of several the first that Okta knows, and nothing where it knows
/// none (developer.okta.com/docs/guides/step-up-authentication/main/).
pub(crate) fn class(state: &State, form: &Form) -> Option<SmolStr> {
    let is_known = |class: &&str| Assurance::of_class(class, state.kind.is_classic(), true).is_some();
    form.words("acr_values").into_iter().find(is_known).map(SmolStr::new)
}

pub(crate) fn challenge(client: &Client, form: &Form, code: bool) -> Result<Option<SmolStr>, OAuthError> {
    let Some(challenge) = form.get("code_challenge") else {
        let needed = client.pkce && code || form.get("code_challenge_method").is_some();
        return if needed { Err(error::NO_CHALLENGE) } else { Ok(None) };
    };
    // Without a method, RFC 7636 means the verifier itself, which Okta does not take.
    if form.get("code_challenge_method") != Some("S256") {
        return Err(error::CHALLENGE_METHOD);
    }
    let good = challenge.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~'));
    let fits = (43..=128).contains(&challenge.len());
    if good && fits { Ok(Some(challenge.into())) } else { Err(error::CHALLENGE) }
}

fn prompt(form: &Form) -> Result<Vec<String>, OAuthError> {
    let words = form.words("prompt");
    if words.contains(&"enroll_authenticator") {
        return Err(error::ENROLL);
    }
    let known = words.iter().all(|word| matches!(*word, "none" | "login" | "consent"));
    let alone = !words.contains(&"none") || words.len() == 1;
    if known && alone { Ok(words.into_iter().map(str::to_owned).collect()) } else { Err(error::PROMPT) }
}

fn max_age(form: &Form, prompt: &[String]) -> Result<Option<i64>, OAuthError> {
    let Some(text) = form.get("max_age") else { return Ok(None) };
    let age = text.parse::<i32>().ok().filter(|age| *age >= 0).ok_or(error::MAX_AGE)?;
    if age == 0 && prompt.iter().any(|word| word == "none") {
        return Err(error::PROMPT_ZERO_AGE);
    }
    Ok(Some(age.into()))
}

/// `authorize`, `authorizeWithPost` and their siblings of custom servers.
pub fn authorize(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let request = cx.scene.request;
    let issuer = Issuer::of(cx.state, request)?;
    let present = session::current(cx.state, request, cx.scene.now);
    let person = present.as_ref().and_then(|session| cx.state.users.get(&session.user)).cloned();
    let actor = person.as_ref().map_or_else(|| crate::model::Acting::system().actor, |user| Party::user(user));
    let mut act = Act::new(cx.state, cx.tx, log::acting(cx.scene, actor));
    let asked = match read(&mut act, &issuer, &form) {
        Ok(asked) => asked,
        Err(refused) => return Ok(Typed::from_answer(refusal(&refused))),
    };
    let answer = if let Some(text) = asked.form.get("sessionToken").map(str::to_owned) {
        by_token(&mut act, asked, &text, cx.scene)
    } else {
        let fresh = person.zip(present).filter(|(_, session)| asked.is_content_with(session.signed_in, cx.scene.now));
        match fresh {
            Some((user, session)) => assured(&mut act, &asked, &user, &session, cx.scene),
            None => start::for_client(&mut act, &asked, cx.scene).unwrap_or_else(|| ask(&act, &asked, request)),
        }
    };
    events::announce(&mut act);
    Ok(Typed::from_answer(answer))
}

/// Goes on with somebody who has signed in, once they have shown what the app's policy asks for, and then what the
/// client asks for besides (developer.okta.com/docs/guides/step-up-authentication/main/, evaluation flow).
fn assured(act: &mut Act<'_, '_>, asked: &Asked, user: &Arc<User>, session: &Session, scene: &Scene<'_>) -> Answer {
    if let Err(error) = rules::person(act.state, &asked.client, &user.id) {
        return asked.target.refuse(&error);
    }
    let to = To::client(act.state, &asked.client);
    match app::judge(act, &to, user, &session.proof) {
        Verdict::Denied => return asked.target.refuse(&error::DENIED),
        Verdict::Missing(need) => return ask_more(act, asked, user, session, (&need, &error::DENIED), scene.request),
        Verdict::Satisfied => {}
    }
    match asked.assurance(act.state, user).and_then(|class| app::missing(act, &to, user, &session.proof, &class)) {
        Some(need) => ask_more(act, asked, user, session, (&need, &error::UNMET), scene.request),
        None => consented(act, asked, user, &SignedIn::of(session), scene),
    }
}

/// Asks somebody who has signed in for more, or tells the client that they cannot show it.
fn ask_more(
    act: &mut Act<'_, '_>,
    asked: &Asked,
    user: &Arc<User>,
    session: &Session,
    (need, unmet): (&Need, &OAuthError),
    request: &Request,
) -> Answer {
    if asked.prompts("none") {
        return asked.target.refuse(&error::MORE_NEEDED);
    }
    if !need.can_be_met() {
        return asked.target.refuse(unmet);
    }
    app::ask(act, user, &session.proof, need, &asked.way_back(request))
}

/// Goes on with somebody who has signed in, once they have consented to what their consent is needed for.
fn consented(
    act: &mut Act<'_, '_>,
    asked: &Asked,
    user: &Arc<User>,
    signed_in: &SignedIn,
    scene: &Scene<'_>,
) -> Answer {
    let request = scene.request;
    let missing = consent::missing(act.state, &asked.issuer, &asked.client, user, &asked.scopes);
    // Who wants the person asked gets that once more, whatever they have consented to.
    let shown = if asked.prompts("consent") {
        consent::asked(act.state, &asked.issuer, &asked.client, &asked.scopes)
    } else {
        missing.clone()
    };
    if shown.is_empty() {
        return finish(act, asked, user, signed_in, scene);
    }
    if asked.prompts("none") {
        return asked.target.refuse(&error::CONSENT_NEEDED);
    }
    // Only the page's form can answer: an address cannot consent for somebody.
    match asked.form.get(ANSWER).filter(|_| request.method == http::Method::POST) {
        Some("allow") => {
            consent::give(act, &asked.issuer, &asked.client, user, &missing);
            finish(act, asked, user, signed_in, scene)
        }
        Some(_) => asked.target.refuse(&error::NO_CONSENT),
        None => page::consent((&act.state.org, &asked.client.name), &request.path, ANSWER, &asked.form, &shown),
    }
}

/// What the page's form says of somebody's consent.
const ANSWER: &str = "okta_consent";

/// Asks the app's policy and the client whether a password, given without a browser, will do.
///
/// # Errors
/// It will not.
pub fn admit_willing(act: &mut Act<'_, '_>, asked: &Asked, user: &User) -> Result<(), &'static str> {
    let to = To::client(act.state, &asked.client);
    let proof = Proof::password(act.tx.now);
    match app::judge(act, &to, user, &proof) {
        Verdict::Denied => return Err("the app's policy does not let the person in"),
        Verdict::Missing(_) => return Err("the app asks for more than a password: use a browser"),
        Verdict::Satisfied => {}
    }
    match asked.assurance(act.state, user).and_then(|class| app::missing(act, &to, user, &proof, &class)) {
        Some(_) => Err("the client asks for more than a password: use a browser"),
        None => Ok(()),
    }
}

/// Takes somebody who has signed in without a browser, and consents, back to the client.
///
/// # Errors
/// A token hook, for which nothing waits here.
pub fn finish_willing(
    act: &mut Act<'_, '_>,
    asked: &Asked,
    user: &Arc<User>,
    signed_in: &SignedIn,
) -> Result<Answer, &'static str> {
    let missing = consent::missing(act.state, &asked.issuer, &asked.client, user, &asked.scopes);
    consent::give(act, &asked.issuer, &asked.client, user, &missing);
    match minting(act, asked, user, signed_in) {
        Ok(made) if tokens::of(act.state, &made).is_some() => Err("a token hook is asked: use a browser"),
        Ok(made) => Ok(complete(act, asked, user, signed_in, &made)),
        Err(error) => Ok(asked.refused(&error)),
    }
}

/// The answer to a request that is not in order.
pub fn refusal(refused: &Refused) -> Answer {
    match refused {
        Refused::Shown(error) => page::refused(error),
        Refused::Sent(sent) => sent.0.refuse(&sent.1),
    }
}

impl Asked {
    /// Whether a sign-in of a certain time will do.
    fn is_content_with(&self, signed_in: Timestamp, now: Timestamp) -> bool {
        let age = now.since(signed_in).as_secs();
        let recent = self.max_age.is_none_or(|most| age <= most.unsigned_abs() && most > 0);
        recent && !self.prompts("login")
    }

    /// What the client asks a person for by `acr_values`.
    fn assurance(&self, state: &State, user: &User) -> Option<Assurance> {
        app::of_class(state, user, self.class.as_deref()?)
    }

    fn prompts(&self, word: &str) -> bool {
        self.prompt.iter().any(|own| own == word)
    }

    /// The parameters.
    pub(crate) const fn form(&self) -> &Form {
        &self.form
    }

    /// The answer that tells the client why, after a wait.
    pub fn refused(&self, error: &OAuthError) -> Answer {
        self.with_cookie(self.target.refuse(error))
    }

    fn with_cookie(&self, answer: Answer) -> Answer {
        match &self.begun {
            Some(key) => session::set_cookie(answer, key),
            None => answer,
        }
    }

    fn context(&self, signed_in: &SignedIn) -> Context {
        Context { amr: signed_in.amr.clone(), acr: self.class.clone(), idp: signed_in.idp.clone() }
    }

    /// The address that goes on here. Signing in anew is done by then: it must not ask for it again.
    pub(crate) fn way_back(&self, request: &Request) -> String {
        let done = ["prompt", "max_age", "request_uri", "sessionToken", "idp", "idp_scope"];
        let again = self.form.iter().filter(|(name, _)| !done.contains(name));
        let again = again.chain(self.prompts("consent").then_some(("prompt", "consent")));
        let query = Serializer::new(String::new()).extend_pairs(again).finish();
        format!("{}?{query}", request.path)
    }
}

/// Signs in by a session token, which begins a session as well.
fn by_token(act: &mut Act<'_, '_>, asked: Asked, text: &str, scene: &Scene<'_>) -> Answer {
    let begun = session::exchange(act, text);
    let Some((user, session)) = begun else { return asked.target.refuse(&error::LOGIN_REQUIRED) };
    act.by.actor = Party::user(&user);
    let asked = Asked { begun: Some(session.id.clone()), ..asked };
    session::set_cookie(assured(act, &asked, &user, &session, scene), &session.id)
}

/// Asks the person to sign in.
fn ask(act: &Act<'_, '_>, asked: &Asked, request: &Request) -> Answer {
    if asked.prompts("none") {
        return asked.target.refuse(&error::LOGIN_REQUIRED);
    }
    page::sign_in(&act.state.org, &asked.way_back(request), asked.form.get("login_hint").unwrap_or_default(), None)
}

/// Sends somebody who has signed in back to the client, once the token hook has said what it wants where one is asked.
fn finish(act: &mut Act<'_, '_>, asked: &Asked, user: &Arc<User>, signed_in: &SignedIn, scene: &Scene<'_>) -> Answer {
    let made = match minting(act, asked, user, signed_in) {
        Ok(made) => made,
        Err(error) => return asked.target.refuse(&error),
    };
    let goal = Goal::Browser(Box::new((asked.clone(), Arc::clone(user), signed_in.clone())));
    match tokens::begin(act, &Caller::of(scene), &asked.form, made, goal) {
        Err(made) => answered(act, asked, user, signed_in, &made),
        // Nobody sees this answer: the call waits for the hook's.
        Ok(()) => page::redirect("/"),
    }
}

/// The answer of `authorize` and its siblings, once a token hook has said what it wants.
///
/// # Errors
/// A hook's answer that never came.
pub fn hooked(cx: &Read<'_, Okta>) -> Result<Typed<()>, Error> {
    tokens::answered(cx).map(Typed::from_answer)
}

/// The answer of a call that may have waited, with the cookie of a session that began with it.
pub fn complete(
    act: &mut Act<'_, '_>,
    asked: &Asked,
    user: &Arc<User>,
    signed_in: &SignedIn,
    made: &Minting,
) -> Answer {
    let answer = answered(act, asked, user, signed_in, made);
    asked.with_cookie(answer)
}

/// The tokens that are asked for, not signed yet.
fn minting(
    act: &mut Act<'_, '_>,
    asked: &Asked,
    user: &Arc<User>,
    signed_in: &SignedIn,
) -> Result<Minting, OAuthError> {
    let user = rules::person(act.state, &asked.client, &user.id)?;
    let name = if asked.code { "authorization_code" } else { "implicit" };
    let wanted = Wanted { client: &asked.client, user: Some(&user), grant: name, scopes: &asked.scopes };
    let lifetimes = asked.issuer.judge(act.state, &wanted)?;
    let asks = if asked.token || asked.id_token { asked.issuer.asks(act.state, &wanted) } else { None };
    let family = mint::new_family(act);
    let grant = Grant {
        issuer: asked.issuer.clone(),
        client: Arc::clone(&asked.client),
        user: Some(Arc::clone(&user)),
        scopes: asked.scopes.clone(),
        signed_in: Some(signed_in.at),
        context: asked.context(signed_in),
        nonce: asked.nonce.clone(),
        bound_to: None,
        family,
        lifetimes,
        asks,
    };
    let access = asked.token.then(|| mint::draft_access(act, &grant, None)).transpose()?;
    let whole = !asked.token && !asked.code;
    let id = asked.id_token.then(|| mint::draft_id(act, &grant, &user, whole)).transpose()?;
    Ok(Minting { grant, refresh: None, access, id, exchanged: None })
}

/// Signs what was asked for and sends it to the client.
fn answered(act: &mut Act<'_, '_>, asked: &Asked, user: &Arc<User>, signed_in: &SignedIn, made: &Minting) -> Answer {
    let grant = &made.grant;
    enter(act, asked, user, signed_in);
    let code = asked.code.then(|| code(act, asked, user, signed_in.at, &grant.context));
    let access = made.access.as_ref().map(|draft| (mint::give_access(act, grant, draft), draft.life));
    let beside = Beside { access: access.as_ref().map(|(text, _)| text.as_str()), code: code.as_deref() };
    let id_token = made.id.clone().map(|draft| mint::give_id(act, grant, draft, beside));
    let mut fields = Vec::new();
    let mut add = |name: &str, value: String| fields.push((name.to_owned(), value));
    if let Some(code) = code {
        add("code", code);
    }
    if let Some((access, life)) = access {
        add("access_token", access);
        add("token_type", "Bearer".to_owned());
        add("expires_in", life.as_secs().to_string());
        add("scope", grant.scopes.join(" "));
    }
    if let Some(id_token) = id_token {
        add("id_token", id_token);
    }
    asked.target.answer(fields)
}

/// Notes that somebody has come into the client's app.
fn enter(act: &mut Act<'_, '_>, asked: &Asked, user: &User, signed_in: &SignedIn) {
    if let Some(id) = &signed_in.session {
        sessions::opened(act, id);
    }
    let to = To::client(act.state, &asked.client);
    let used = to.used(act.state, user);
    act.log(&SSO, vec![to.party, used]);
}

fn code(act: &mut Act<'_, '_>, asked: &Asked, user: &User, signed_in: Timestamp, context: &Context) -> String {
    let text = mint::draw(act, "code", 43);
    let now = act.now();
    let code = Code {
        grant: "authorization_code",
        server: asked.issuer.id(),
        client: asked.client.id.clone(),
        user: user.id.clone(),
        scopes: asked.scopes.clone(),
        redirect: asked.target.address.as_str().into(),
        challenge: asked.challenge.clone(),
        nonce: asked.nonce.clone(),
        signed_in,
        context: context.clone(),
        expires: now.after(CODE_LIFE),
    };
    act.state.grants.codes.put(&mut act.tx.changes, now, text.clone(), code.expires, code);
    log::coded(act, asked.issuer.is_org(), &asked.client, user);
    text.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_whole_but_for_ports_of_native_programs() {
        let check = |own: &str, address: &str, kind, wanted| assert_eq!(fits(own, address, kind), wanted, "{address}");
        check("https://a.example/cb", "https://a.example/cb", ClientType::Web, true);
        check("https://a.example/cb", "https://a.example/cb/", ClientType::Web, false);
        check("https://a.example/cb", "https://a.example/cb?x=1", ClientType::Web, false);
        check("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb", ClientType::Web, false);
        check("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb", ClientType::Native, true);
        check("http://127.0.0.1:80/cb", "http://127.0.0.1:5000/other", ClientType::Native, false);
        check("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", ClientType::Native, false);
    }

    #[test]
    fn a_wildcard_stands_for_a_part_of_the_lowest_domain() {
        let check =
            |own: &str, address: &str, wanted| assert_eq!(fits_wildcard(own, address), wanted, "{own} {address}");
        check("https://pr-*.a.example/cb", "https://pr-12.a.example/cb", true);
        check("https://*.a.example/cb", "https://x-1.a.example/cb", true);
        check("https://*.a.example/cb", "https://.a.example/cb", false);
        check("https://*.a.example/cb", "https://x.y.a.example/cb", false);
        check("https://*.a.example/cb", "https://evil.example/?x.a.example/cb", false);
        check("https://*.a.example/cb", "https://x.a.example/other", false);
        check("https://a.*.example/cb", "https://a.b.example/cb", false);
        check("https://a.example/*", "https://a.example/cb", false);
        check("https://*", "https://a", false);
        check("https://a.example/cb", "https://a.example/cb", false);
    }

    #[test]
    fn answers_stand_where_the_mode_says() {
        let fields = || vec![("code".to_owned(), "a b".to_owned())];
        let check = |address: &str, mode, wanted: &str| {
            let target = Target { address: address.to_owned(), mode, state: Some("s&t".to_owned()) };
            let answer = target.answer(fields());
            assert_eq!(answer.headers[0].1, wanted);
        };
        check("http://a/cb", Mode::Query, "http://a/cb?code=a+b&state=s%26t");
        check("http://a/cb?x=1", Mode::Query, "http://a/cb?x=1&code=a+b&state=s%26t");
        check("http://a/cb", Mode::Fragment, "http://a/cb#code=a+b&state=s%26t");
    }
}
