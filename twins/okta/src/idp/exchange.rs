//! A provider's code becomes tokens, and those become what the provider says of somebody.
//!
//! Three calls at most, each begun by the answer to the one before: the token endpoint, the keys that sign ID tokens,
//! and the provider's own word of the person. Okta's documents do not say how it shows who it is with a secret; that it
//! stands in the form is inferred.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use dtu_kernel::{
    delivery::{Delivery, Next, Outbound, Outcome},
    ids::BASE64_URL,
    time::Timestamp,
    tx::Tx,
    wire::Answer,
};
use form_urlencoded::Serializer;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::{Deserialize, Serialize, Serializer as Writes, ser::SerializeStruct as _};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    Away, Refused,
    arrive::{self, Told},
    profile,
    provider::{Protocol, Provider},
    start,
};
use crate::{
    events,
    model::{
        Act, Acting, SITE, State,
        idp_user::SocialToken,
        rsa_key::{Hash, RsaKey},
    },
    oauth::{
        self,
        jwt::{self, Unverified},
    },
    resources::PROVIDERS,
};

/// A call of a provider.
pub(crate) const KIND: &str = "identity_provider";
/// How long Okta waits for a provider. Its documents do not say; inferred.
pub(crate) const WAIT: Duration = Duration::from_secs(10);
/// How long what came of an exchange is kept.
const KEPT: Duration = Duration::from_secs(120);

/// An exchange under way, or its end.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    by: Acting,
    /// Where the org is.
    origin: SmolStr,
    away: Away,
    code: SmolStr,
    tokens: Map<String, Value>,
    claims: Map<String, Value>,
    /// The answer, once there is one.
    pub(super) over: Option<Answer>,
}

/// Rows hold codes and tokens: they show only where they stand.
impl Serialize for Exchange {
    fn serialize<S: Writes>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("Exchange", 2)?;
        row.serialize_field("provider", &self.away.provider)?;
        row.serialize_field("over", &self.over.is_some())?;
        row.end()
    }
}

/// How far an exchange has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Token,
    Keys,
    UserInfo,
}

impl Step {
    const fn endpoint(self) -> &'static str {
        match self {
            Self::Token => "/protocol/endpoints/token/url",
            Self::Keys => "/protocol/endpoints/jwks/url",
            Self::UserInfo => "/protocol/endpoints/userInfo/url",
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Call {
    ticket: SmolStr,
    step: Step,
}

/// Begins to exchange a code; the present call waits for what comes of it.
pub(super) fn begin(act: &mut Act<'_, '_>, ticket: SmolStr, away: Away, code: &str) {
    let (by, origin) = (act.by.clone(), act.tx.origin.clone());
    let (tokens, claims) = (Map::new(), Map::new());
    let exchange = Exchange { by, origin, away, code: code.into(), tokens, claims, over: None };
    keep(act, &ticket, exchange);
    act.tx.deliver_and_wait(KIND, json!(Call { ticket, step: Step::Token }));
}

fn keep(act: &mut Act<'_, '_>, ticket: &SmolStr, exchange: Exchange) {
    let now = act.now();
    act.state.sign_ins.exchanges.put(&mut act.tx.changes, now, ticket.clone(), now.after(KEPT), exchange);
}

/// Builds an attempt; none where the provider is gone, or has no such endpoint.
pub(crate) fn prepare(state: &State, delivery: &Delivery, now: Timestamp) -> Option<Outbound> {
    let call: Call = serde_json::from_value(delivery.payload.clone()).ok()?;
    let exchange = state.sign_ins.exchanges.get(&call.ticket)?;
    let provider = Provider::active(state, &exchange.away.provider)?;
    let url = provider.text(call.step.endpoint()).to_owned();
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let (mut method, mut body) = (Method::GET, Bytes::new());
    match call.step {
        Step::Token => {
            method = Method::POST;
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            let proof = assertion(state, &provider, &call.ticket, now);
            body = Bytes::from(token_form(&provider, exchange, proof, delivery.bad_signature));
        }
        Step::Keys => {}
        Step::UserInfo => {
            let token = exchange.tokens.get("access_token").and_then(Value::as_str)?;
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).ok()?);
        }
    }
    (!url.is_empty()).then_some(Outbound { method, url, headers, body, timeout: WAIT, redirects: 0 })
}

/// The form of a request for tokens.
fn token_form(provider: &Provider, exchange: &Exchange, assertion: Option<String>, spoilt: bool) -> String {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", &exchange.code)
        .append_pair("redirect_uri", &start::callback(&exchange.origin))
        .append_pair("client_id", provider.text("/protocol/credentials/client/client_id"));
    if !exchange.away.verifier.is_empty() {
        form.append_pair("code_verifier", &exchange.away.verifier);
    }
    let secret = provider.text("/protocol/credentials/client/client_secret");
    match assertion {
        _ if spoilt => drop(form.append_pair("client_secret", "not-the-secret")),
        Some(assertion) => {
            form.append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
                .append_pair("client_assertion", &assertion);
        }
        None if secret.is_empty() => {}
        None => drop(form.append_pair("client_secret", secret)),
    }
    form.finish()
}

/// What shows a provider who Okta is by a key, where the provider wants that (RFC 7523, section 2.2).
fn assertion(state: &State, provider: &Provider, ticket: &str, now: Timestamp) -> Option<String> {
    if provider.text("/protocol/credentials/client/token_endpoint_auth_method") != "private_key_jwt" {
        return None;
    }
    let (kid, key) = signing_key(state, provider)?;
    let client = provider.text("/protocol/credentials/client/client_id");
    let claims = json!({
        "iss": client, "sub": client, "aud": provider.text(Step::Token.endpoint()), "jti": ticket,
        "iat": now.as_secs(), "exp": now.as_secs() + 300,
    });
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(json!({ "alg": "RS256", "kid": kid })), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(Hash::Sha256, text.as_bytes()));
    Some(format!("{text}.{signature}"))
}

/// The key with which Okta signs for a provider: the one that its protocol names.
pub(super) fn signing_key(state: &State, provider: &Provider) -> Option<(SmolStr, RsaKey)> {
    let kid = provider.text("/protocol/credentials/signing/kid");
    let members = state.objects.member(&format!("{PROVIDERS}/{}/credentials/keys", provider.id), kid)?;
    let modulus = URL_SAFE_NO_PAD.decode(members.get("n")?.as_str()?).ok()?;
    Some((kid.into(), RsaKey::of_modulus(&modulus)?))
}

/// Takes in what came of a call: the next one goes out, or the person goes on. Nothing is tried again.
pub(crate) fn delivered(state: &mut State, tx: &mut Tx<'_>, delivery: &Delivery, outcome: &Outcome) -> Next {
    let Ok(Call { ticket, step }) = serde_json::from_value::<Call>(delivery.payload.clone()) else { return Next::Done };
    let Some(mut exchange) = state.sign_ins.exchanges.get(&ticket).map(|row| Exchange::clone(row)) else {
        return Next::Done;
    };
    let mut act = Act::new(state, tx, exchange.by.clone());
    let Some(provider) = Provider::active(act.state, &exchange.away.provider) else { return Next::Done };
    let next = exchange.away.next.clone();
    match taken(&mut exchange, &provider, step, outcome, act.tx.now.as_secs()) {
        Ok(Some(step)) => act.tx.deliver_and_wait(KIND, json!(Call { ticket: ticket.clone(), step })),
        Ok(None) => {
            let told = exchange.told(&mut act, &provider);
            exchange.over = Some(match told {
                Ok(told) => arrive::sign_in(&mut act, &provider, told, &next),
                Err(refused) => arrive::refuse(&mut act, &provider, &refused, &next),
            });
        }
        Err(refused) => exchange.over = Some(arrive::refuse(&mut act, &provider, &refused, &next)),
    }
    keep(&mut act, &ticket, exchange);
    events::announce(&mut act);
    Next::Done
}

const TOKEN: &str = "Unable to get a token from the identity provider";
const ID_TOKEN: &str = "The ID token of the identity provider is invalid";

/// The object that a provider answers.
fn object(outcome: &Outcome, what: &str) -> Result<Map<String, Value>, Refused> {
    let (status, body) = match outcome {
        Outcome::Answered { status, body, .. } => (*status, body),
        other => {
            let why = other.summary().err().unwrap_or_default().replace('_', " ");
            return Err(Refused::logged(format!("{what}."), format!("{what}: {why}")));
        }
    };
    let object = serde_json::from_slice::<Map<String, Value>>(body);
    match (status, object) {
        (200..300, Ok(object)) => Ok(object),
        (_, object) => {
            let object = object.unwrap_or_default();
            let said = object.get("error_description").or_else(|| object.get("error")).and_then(Value::as_str);
            let why = said.map_or_else(|| status.to_string(), |said| format!("{status} {said}"));
            Err(Refused::logged(format!("{what}."), format!("{what}: {why}")))
        }
    }
}

/// What an answer adds; gives back the step that comes next.
fn taken(
    exchange: &mut Exchange,
    provider: &Provider,
    step: Step,
    outcome: &Outcome,
    now: i64,
) -> Result<Option<Step>, Refused> {
    let described = !provider.text(Step::UserInfo.endpoint()).is_empty();
    match step {
        Step::Token => {
            exchange.tokens = object(outcome, TOKEN)?;
            match provider.protocol() {
                Some(Protocol::Oidc) => Ok(Some(Step::Keys)),
                _ if described => Ok(Some(Step::UserInfo)),
                _ => Err(Refused::new("Unable to resolve IdP endpoint")),
            }
        }
        Step::Keys => {
            let keys = object(outcome, "Unable to get the keys of the identity provider")?;
            exchange.claims = verified(exchange, provider, &keys, now)?;
            Ok(described.then_some(Step::UserInfo))
        }
        Step::UserInfo => {
            let said = object(outcome, "Unable to get the profile from the identity provider")?;
            let other = exchange.claims.get("sub").is_some_and(|sub| said.get("sub").is_some_and(|said| said != sub));
            if other {
                return Err(Refused::new("The profile of the identity provider is another person's."));
            }
            exchange.claims.extend(said);
            Ok(None)
        }
    }
}

/// The claims of an ID token that is in order (`OpenID` Connect Core, section 3.1.3.7).
fn verified(
    exchange: &Exchange,
    provider: &Provider,
    keys: &Map<String, Value>,
    now: i64,
) -> Result<Map<String, Value>, Refused> {
    let bad = |why: &str| Refused::logged(format!("{ID_TOKEN}."), format!("{ID_TOKEN}: {why}"));
    let text = exchange.tokens.get("id_token").and_then(Value::as_str).ok_or_else(|| bad("there is none"))?;
    let token = Unverified::read(text).ok_or_else(|| bad("it cannot be read"))?;
    if !token.algorithm().is_some_and(jwt::is_public) {
        return Err(bad("its algorithm is not supported"));
    }
    let keys = keys.get("keys").and_then(Value::as_array).into_iter().flatten();
    let mut named = keys.filter(|key| token.head("kid").is_none() || key["kid"].as_str() == token.head("kid"));
    if !named.any(|key| token.is_signed_by(key)) {
        return Err(bad("its signature does not hold"));
    }
    if token.claim("iss").is_none_or(|issuer| issuer != provider.text("/protocol/issuer/url")) {
        return Err(bad("its issuer is another one"));
    }
    let client = provider.text("/protocol/credentials/client/client_id");
    let for_us = match token.claims.get("aud") {
        Some(Value::String(one)) => one == client,
        Some(Value::Array(all)) => all.iter().any(|one| one == client),
        _ => false,
    };
    if !for_us {
        return Err(bad("it is meant for somebody else"));
    }
    let skew = provider.skew();
    if token.seconds("exp").is_none_or(|ends| ends + skew <= now) {
        return Err(bad("it has expired"));
    }
    if token.seconds("iat").is_none_or(|made| made - skew > now + oauth::SKEW) {
        return Err(bad("it was issued in the future"));
    }
    if token.claim("nonce") != Some(exchange.away.nonce.as_str()) {
        return Err(bad("its nonce is another one"));
    }
    Ok(token.claims)
}

impl Exchange {
    /// What the provider has said of the person, all in all.
    fn told(&self, act: &mut Act<'_, '_>, provider: &Provider) -> Result<Told, Refused> {
        let names = if provider.protocol() == Some(Protocol::Oidc) { ["sub", "sub"] } else { ["sub", "id"] };
        let external = names.iter().find_map(|name| match self.claims.get(*name)? {
            Value::String(text) if !text.is_empty() => Some(SmolStr::new(text)),
            Value::Number(number) => Some(number.to_string().into()),
            _ => None,
        });
        let external = external.ok_or_else(|| Refused::new("The identity provider does not say who it is."))?;
        let profile = profile::of_claims(&self.claims);
        Ok(Told { external, lasting: true, profile, tokens: self.handed_out(act) })
    }

    /// The tokens, as Okta keeps them for programs that call the provider (`listSocialAuthTokens`).
    fn handed_out(&self, act: &mut Act<'_, '_>) -> Vec<SocialToken> {
        const NAMES: [(&str, &str); 2] = [
            ("access_token", "urn:ietf:params:oauth:token-type:access_token"),
            ("id_token", "urn:ietf:params:oauth:token-type:id_token"),
        ];
        let now = act.now();
        let mut draw = act.tx.draw(SITE.child("social token"));
        let text = |name: &str| self.tokens.get(name).and_then(Value::as_str);
        let mut tokens = Vec::new();
        for (name, kind) in NAMES {
            let Some(token) = text(name) else { continue };
            let access = name == "access_token";
            let life = self.tokens.get("expires_in").and_then(Value::as_u64).filter(|_| access);
            tokens.push(SocialToken {
                id: draw.text(BASE64_URL, 22).into(),
                token: token.to_owned(),
                kind,
                scheme: access.then(|| text("token_type").unwrap_or("Bearer").into()),
                scopes: text("scope")
                    .filter(|_| access)
                    .unwrap_or_default()
                    .split_whitespace()
                    .map(SmolStr::from)
                    .collect(),
                expires: life.map(|life| now.after(Duration::from_secs(life))),
            });
        }
        tokens
    }
}
