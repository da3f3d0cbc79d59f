//! Providers that speak SAML 2.0: people are sent with a request, and come back with a signed response.
//!
//! See developer.okta.com/docs/guides/add-an-external-idp/saml2/main/.

pub(crate) mod metadata;
pub(super) mod request;
mod response;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dtu_kernel::{operation::Typed, twin::Write, wire::Answer};
use serde_json::Value;
use smol_str::SmolStr;

use self::response::{Assertion, Wanted};
use super::{
    Away, Refused,
    arrive::{self, Told},
    provider::{Protocol, Provider},
    start,
};
use crate::{
    Okta,
    authn::body::acting,
    error::Error,
    model::{Act, State, certificate, grant::Used},
    oauth::{form::Form, session::own_path},
    saml::{self, signature::Trust},
};

/// Where the keys of providers are kept.
const KEYS: &str = "/api/v1/idps/credentials/keys";
const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
/// What the log says of a response that is not believed, and of one that comes twice (help.okta.com, "Suspicious
/// activity events").
const NOT_VALID: &str = "Unable to validate incoming SAML Assertion";
const TWICE: &str = "A SAML assert with the same ID has already been processed by Okta for a previous request";

/// The path at which a provider's responses are taken.
fn path(provider: &str) -> String {
    format!("/sso/saml2/{provider}")
}

/// `POST /sso/saml2/{idpId}`: signs in whom a provider's response is about.
pub(super) fn consume(cx: &mut Write<'_, '_, Okta>, form: Form) -> Result<Typed<()>, Error> {
    let id = cx.scene.request.path_param("idpId").to_owned();
    let provider = Provider::active(cx.state, &id).filter(|one| one.protocol() == Some(Protocol::Saml2));
    let Some(provider) = provider else {
        return Ok(Typed::from_answer(Refused::new("Unable to resolve IdP endpoint").page()));
    };
    let origin = cx.scene.request.origin.clone();
    acting(cx, None, |act| Ok(Typed::from_answer(came(act, &provider, &form, &origin))))
}

fn came(act: &mut Act<'_, '_>, provider: &Provider, form: &Form, origin: &str) -> Answer {
    let relayed = form.get("RelayState").unwrap_or_default();
    let away = start::take(act, relayed).filter(|away| away.provider == provider.id);
    let next = away.as_ref().map_or_else(|| own_path(relayed, origin), |away| away.next.clone());
    match believed(act, provider, form.get("SAMLResponse").unwrap_or_default(), away.as_ref()) {
        Ok(assertion) => {
            let told = told(provider, assertion);
            arrive::sign_in(act, provider, told, &next)
        }
        Err(refused) => arrive::refuse(act, provider, &refused, &next),
    }
}

/// The assertion of a response, where it is in order and comes for the first time.
fn believed(act: &mut Act<'_, '_>, provider: &Provider, text: &str, away: Option<&Away>) -> Result<Assertion, Refused> {
    let bad = |why: &str| Refused::logged(format!("{NOT_VALID}: {why}."), format!("{NOT_VALID}: {why}"));
    let plain: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let xml = STANDARD.decode(plain).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let xml = xml.filter(|xml| !xml.is_empty()).ok_or_else(|| bad("it is not base64 encoded"))?;
    let (path, audience) = (path(&provider.id), provider.audience());
    let wanted = Wanted {
        issuer: provider.text("/protocol/credentials/trust/issuer"),
        audience: &audience,
        path: &path,
        request: away.map(|away| away.nonce.as_str()),
        scope: provider.text("/protocol/algorithms/response/signature/scope"),
        trust: trust(act.state, provider),
        skew: Duration::from_secs(provider.skew().unsigned_abs()),
        now: act.tx.now,
    };
    let assertion = response::read(&xml, &wanted).map_err(bad)?;
    let key = SmolStr::from(format!("{}\0{}", provider.id, assertion.id));
    if act.state.sign_ins.used.get(&key).is_some() {
        return Err(Refused::new(TWICE));
    }
    let (now, ends) = (act.now(), assertion.ends);
    act.state.sign_ins.used.put(&mut act.tx.changes, now, key, ends, Used { expires: ends });
    Ok(assertion)
}

/// The keys by which a provider is believed.
fn trust(state: &State, provider: &Provider) -> Trust {
    let mut kids = vec![SmolStr::new(provider.text("/protocol/credentials/trust/kid"))];
    kids.extend(provider.texts("/protocol/credentials/trust/additionalKids"));
    let key = |kid: &SmolStr| {
        let first = state.objects.member(KEYS, kid)?.get("x5c")?.as_array()?.first().and_then(Value::as_str)?;
        certificate::of_text(first)
    };
    Trust {
        keys: kids.iter().filter_map(key).collect(),
        old: provider.text("/protocol/algorithms/response/signature/algorithm") == "SHA-1",
    }
}

fn told(provider: &Provider, assertion: Assertion) -> Told {
    let honors = provider.flag("/protocol/settings/honorPersistentNameId", true);
    let lasting = match assertion.name_format.as_str() {
        TRANSIENT => false,
        PERSISTENT => honors,
        _ => true,
    };
    Told { external: assertion.name, lasting, profile: assertion.profile, tokens: Vec::new() }
}

/// Where a provider asks for names of a kind.
fn name_format(provider: &Provider) -> &str {
    match provider.text("/protocol/settings/nameFormat") {
        "" => saml::UNSPECIFIED,
        format => format,
    }
}
