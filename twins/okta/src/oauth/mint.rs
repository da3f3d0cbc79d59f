//! Tokens: what they claim, and how they are given out.
//!
//! See developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/ for the claims of both kinds.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{ids::BASE64_URL, time::Timestamp};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{error::OAuthError, expression, jwt, log, server::Issuer};
use crate::model::{
    Act, REFRESH_ID, SITE,
    authorization_server::{
        Decision, Lifetimes,
        claim::{Claim, SUBJECT, TokenKind, ValueKind},
    },
    client::Client,
    grant::{self, Context, Kind, Token},
    profile::{Attribute, Profile},
    user::User,
};

/// What tokens are made for.
#[derive(Clone, Debug)]
pub struct Grant {
    /// By whom.
    pub issuer: Issuer,
    /// For whom.
    pub client: Arc<Client>,
    /// About whom; none where a program acts for itself.
    pub user: Option<Arc<User>>,
    /// What was granted.
    pub scopes: Vec<SmolStr>,
    /// When the person signed in.
    pub signed_in: Option<Timestamp>,
    /// And how.
    pub context: Context,
    /// From the authorization request.
    pub nonce: Option<SmolStr>,
    /// The key that the tokens are bound to.
    pub bound_to: Option<SmolStr>,
    /// What all tokens of one sign-in share.
    pub family: SmolStr,
    /// How long they live.
    pub lifetimes: Lifetimes,
    /// The rule that allows them, where it names a hook that is to be asked first.
    pub asks: Option<Decision>,
}

/// A token that is not signed yet.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its id.
    pub id: SmolStr,
    /// What it claims.
    pub claims: Map<String, Value>,
    /// How long it lives.
    pub life: Duration,
    made: Timestamp,
}

impl Draft {
    /// Gives it another life, in seconds.
    pub fn live(&mut self, seconds: u64) {
        self.life = Duration::from_secs(seconds);
        self.claims.insert("exp".to_owned(), json!(self.made.as_secs() + seconds.cast_signed()));
    }
}

/// A token that lives for ever ends in a hundred years: rows need an end.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 86_400);
/// ID tokens live an hour, which nobody can change.
const ID_LIFE: Duration = Duration::from_secs(3_600);

impl Grant {
    /// Whether a scope was granted.
    pub fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }

    /// How long access tokens live.
    pub fn access_life(&self) -> Duration {
        minutes(self.lifetimes.access)
    }

    fn row(&self, now: Timestamp, id: SmolStr, kind: Kind, life: Duration, text: &str) -> Token {
        Token {
            id,
            kind,
            server: self.issuer.id(),
            client: self.client.id.clone(),
            user: self.user.as_ref().map(|user| user.id.clone()),
            scopes: self.scopes.clone(),
            created: now,
            issued: now,
            expires: now.after(life),
            signed_in: self.signed_in,
            context: self.context.clone(),
            family: self.family.clone(),
            bound_to: self.bound_to.clone(),
            nonce: self.nonce.clone(),
            replaced: None,
            revoked: false,
            hash: grant::hash(text),
        }
    }
}

fn minutes(count: i64) -> Duration {
    Duration::from_secs(count.unsigned_abs().saturating_mul(60))
}

/// A family of tokens for a new sign-in.
pub fn new_family(act: &mut Act<'_, '_>) -> SmolStr {
    draw(act, "family", 22)
}

pub(crate) fn draw(act: &mut Act<'_, '_>, what: &'static str, length: usize) -> SmolStr {
    act.tx.draw(SITE.child("oauth").child(what)).text(BASE64_URL, length).into()
}

fn put(act: &mut Act<'_, '_>, token: Token) {
    let now = act.tx.now;
    act.state.grants.put(&mut act.tx.changes, now, token);
}

/// Gives out an access token. With a refresh token, its id is part of the access token's.
///
/// # Errors
/// A claim of the server that cannot be evaluated.
pub fn access(act: &mut Act<'_, '_>, grant: &Grant, refresh: Option<&SmolStr>) -> Result<String, OAuthError> {
    let draft = draft_access(act, grant, refresh)?;
    Ok(give_access(act, grant, &draft))
}

/// What an access token would claim.
///
/// # Errors
/// As [`access`].
pub fn draft_access(act: &mut Act<'_, '_>, grant: &Grant, refresh: Option<&SmolStr>) -> Result<Draft, OAuthError> {
    let now = act.now();
    let drawn = draw(act, "access token", 43);
    let jti = SmolStr::from(refresh.map_or_else(|| format!("AT.{drawn}"), |id| format!("AT.{drawn}.{id}")));
    let claims = access_claims(act, grant, &jti, now)?;
    Ok(Draft { id: jti, claims, life: grant.access_life(), made: now })
}

/// Signs an access token and gives it out.
pub fn give_access(act: &mut Act<'_, '_>, grant: &Grant, draft: &Draft) -> String {
    let now = act.now();
    // Recorded: what the org's own server makes is for Okta alone, and says so in its head.
    let kind = if grant.issuer.is_org() { "application/okta-internal-at+jwt" } else { "" };
    let text = grant.issuer.sign(now, kind, &draft.claims);
    let row = grant.row(now, draft.id.clone(), Kind::Access, draft.life, &text);
    put(act, row);
    log::granted(act, grant, Kind::Access);
    text
}

fn access_claims(
    act: &Act<'_, '_>,
    grant: &Grant,
    jti: &str,
    now: Timestamp,
) -> Result<Map<String, Value>, OAuthError> {
    let made = now.as_secs();
    let subject = grant.user.as_ref().map_or(grant.client.id.as_str(), |user| user.login());
    let ends = made + grant.access_life().as_secs().cast_signed();
    let mut claims = object(json!({
        "ver": 1, "jti": jti, "iss": grant.issuer.url(), "aud": grant.issuer.audience(), "iat": made, "exp": ends,
        "cid": grant.client.id,
    }));
    let mut add = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
    if let Some(user) = &grant.user {
        add("uid", json!(user.id));
    }
    add("scp", json!(grant.scopes));
    if let Some(at) = grant.signed_in {
        add("auth_time", json!(at.as_secs()));
    }
    if let Some(class) = &grant.context.acr {
        add("acr", json!(class));
    }
    add("sub", json!(subject));
    if let Some(key) = &grant.bound_to {
        add("cnf", json!({ "jkt": key }));
    }
    add_own_claims(act, grant, TokenKind::Resource, true, &mut claims)?;
    Ok(claims)
}

fn add_own_claims(
    act: &Act<'_, '_>,
    grant: &Grant,
    token: TokenKind,
    whole: bool,
    claims: &mut Map<String, Value>,
) -> Result<(), OAuthError> {
    let Some(server) = &grant.issuer.server else { return Ok(()) };
    let own = |claim: &&Claim| claim.value_type != ValueKind::System && claim.is_in(token, &grant.scopes);
    for claim in server.claims.iter().filter(own).filter(|claim| whole || claim.always_include_in_token) {
        // The subject as Okta sets it is there already.
        if claim.system && claim.value.as_deref() == Some(SUBJECT) {
            continue;
        }
        if let Some(value) = expression::value(act.state, claim, &grant.client, grant.user.as_deref())? {
            claims.insert(claim.name.to_string(), value);
        }
    }
    Ok(())
}

/// What an ID token stands beside: hashes of it are part of the token.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// An access token.
    pub access: Option<&'a str>,
    /// An authorization code.
    pub code: Option<&'a str>,
}

/// Gives out an ID token.
///
/// # Errors
/// A claim of the server that cannot be evaluated.
pub fn id(act: &mut Act<'_, '_>, grant: &Grant, user: &User, beside: Beside<'_>) -> Result<String, OAuthError> {
    let draft = draft_id(act, grant, user, beside.access.is_none() && beside.code.is_none())?;
    Ok(give_id(act, grant, draft, beside))
}

/// What an ID token would claim, alone or beside an access token or a code.
///
/// # Errors
/// As [`id`].
pub fn draft_id(act: &mut Act<'_, '_>, grant: &Grant, user: &User, whole: bool) -> Result<Draft, OAuthError> {
    let now = act.now();
    let jti = SmolStr::from(format!("ID.{}", draw(act, "ID token", 43)));
    let made = now.as_secs();
    let ends = made + ID_LIFE.as_secs().cast_signed();
    let mut claims = object(json!({ "sub": user.id }));
    let okta = || SmolStr::from(act.state.users.type_id.replacen("oty", "00o", 1));
    let idp = grant.context.idp.clone().unwrap_or_else(okta);
    // Beside an access token, the rest is to be had at the userinfo endpoint.
    claims.extend(person(act, grant, user, whole));
    claims.extend(object(json!({
        "ver": 1, "iss": grant.issuer.url(), "aud": grant.client.id, "iat": made, "exp": ends, "jti": jti,
        "amr": grant.context.amr, "idp": idp,
    })));
    let mut add = |name: &str, value: Option<Value>| value.map(|value| claims.insert(name.to_owned(), value));
    add("acr", grant.context.acr.as_ref().map(|class| json!(class)));
    add("nonce", grant.nonce.as_ref().map(|nonce| json!(nonce)));
    add("auth_time", grant.signed_in.map(|at| json!(at.as_secs())));
    add_own_claims(act, grant, TokenKind::Identity, whole, &mut claims)?;
    Ok(Draft { id: jti, claims, life: ID_LIFE, made: now })
}

/// Signs an ID token and gives it out.
pub fn give_id(act: &mut Act<'_, '_>, grant: &Grant, draft: Draft, beside: Beside<'_>) -> String {
    let now = act.now();
    let mut claims = draft.claims;
    let hashes = [("at_hash", beside.access), ("c_hash", beside.code)];
    for (name, text) in hashes {
        text.map(|text| claims.insert(name.to_owned(), json!(jwt::half_digest(text))));
    }
    let text = grant.issuer.sign(now, "", &claims);
    let row = grant.row(now, draft.id, Kind::Id, draft.life, &text);
    put(act, row);
    log::granted(act, grant, Kind::Id);
    text
}

fn person(act: &Act<'_, '_>, grant: &Grant, user: &User, whole: bool) -> Map<String, Value> {
    let mut claims = Map::new();
    let known = scope_claims(act.state, user, &grant.scopes);
    for (name, value) in known {
        if whole || is_always_in(grant, &name) {
            claims.insert(name, value);
        }
    }
    claims
}

/// Whether what Okta itself says of a person is in ID tokens beside an access token: custom servers can be told.
fn is_always_in(grant: &Grant, name: &str) -> bool {
    let own = grant.issuer.server.as_ref().and_then(|server| {
        server.claims.iter().find(|claim| claim.value_type == ValueKind::System && claim.name == name)
    });
    own.map_or_else(
        || ["name", "preferred_username", "email", "groups"].contains(&name),
        |claim| claim.always_include_in_token,
    )
}

/// What the scopes of `OpenID` Connect say of a person, as at the userinfo endpoint.
pub fn scope_claims(state: &crate::model::State, user: &User, scopes: &[SmolStr]) -> Map<String, Value> {
    let has = |scope: &str| scopes.iter().any(|own| own == scope);
    let mut claims = Map::new();
    if has("profile") {
        claims.extend(profile_claims(user));
    }
    if has("email") {
        claims.insert("email".to_owned(), json!(user.profile.get(Attribute::EMAIL)));
        claims.insert("email_verified".to_owned(), json!(true));
    }
    if has("phone") {
        add_text(&mut claims, "phone_number", user.profile.get(Attribute::MOBILE_PHONE));
    }
    if has("address") {
        let address = address(&user.profile);
        if !address.is_empty() {
            claims.insert("address".to_owned(), Value::Object(address));
        }
    }
    if has("groups") {
        claims.insert("groups".to_owned(), json!(crate::views::group_names(state, user)));
    }
    claims
}

fn add_text(claims: &mut Map<String, Value>, name: &str, value: &str) {
    if !value.is_empty() {
        claims.insert(name.to_owned(), json!(value));
    }
}

fn profile_claims(user: &User) -> Map<String, Value> {
    let own = |name: &str| Attribute::find(name).map_or("", |attribute| user.profile.get(attribute));
    let mut claims = Map::new();
    for (claim, value) in [
        ("name", user.profile.full_name().as_str()),
        ("nickname", own("nickName")),
        ("preferred_username", user.login()),
        ("given_name", own("firstName")),
        ("middle_name", own("middleName")),
        ("family_name", own("lastName")),
        ("profile", own("profileUrl")),
        ("zoneinfo", own("timezone")),
        ("locale", own("locale")),
    ] {
        add_text(&mut claims, claim, value);
    }
    claims.insert("updated_at".to_owned(), json!(user.last_updated.as_secs()));
    claims
}

fn address(profile: &Profile) -> Map<String, Value> {
    let own = |name: &str| Attribute::find(name).map_or("", |attribute| profile.get(attribute));
    let mut address = Map::new();
    for (claim, attribute) in [
        ("street_address", "streetAddress"),
        ("locality", "city"),
        ("region", "state"),
        ("postal_code", "zipCode"),
        ("country", "countryCode"),
    ] {
        add_text(&mut address, claim, own(attribute));
    }
    address
}

/// Gives out a refresh token that ends at a certain time; where none is said, as its server says.
pub fn refresh(act: &mut Act<'_, '_>, grant: &Grant, ends: Option<Timestamp>) -> (String, SmolStr) {
    let now = act.now();
    let id = act.tx.id(&REFRESH_ID);
    let text = draw(act, "refresh token", 43).to_string();
    let life = if grant.lifetimes.refresh == 0 { FOR_EVER } else { minutes(grant.lifetimes.refresh) };
    let mut row = grant.row(now, id.clone(), Kind::Refresh, life, &text);
    row.expires = ends.unwrap_or(row.expires);
    put(act, row);
    log::granted(act, grant, Kind::Refresh);
    (text, id)
}

/// A JSON object's members.
pub(super) fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value { members } else { Map::new() }
}
