//! What an app says of how people are signed in to it: custom apps say all, apps of Okta's own definitions what they do
//! otherwise.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/ (`SamlApplicationSettingsSignOn`).

use serde_json::Value;

use super::encrypt::Envelope;
use crate::{
    model::{
        app::{App, Mode},
        rsa_key::Hash,
    },
    saml::key,
};

/// The format of names that says nothing of them.
pub(crate) const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
/// How people sign in by a password.
const PASSWORD: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";

/// How people are signed in to an app.
#[derive(Clone, Debug)]
pub(crate) struct Settings<'a> {
    /// Where answers are posted to.
    pub(crate) acs: &'a str,
    /// Other addresses that requests may ask for, with their numbers.
    pub(crate) others: Vec<(Option<u64>, &'a str)>,
    /// Whom assertions are meant for.
    pub(crate) audience: &'a str,
    /// Who must present them; the address that they are posted to where nobody says.
    pub(crate) recipient: Option<&'a str>,
    /// Where answers say that they go; the address that they are posted to where nobody says.
    pub(crate) destination: Option<&'a str>,
    /// What the app is told where nobody was sent by it.
    pub(crate) relay_state: &'a str,
    /// Who speaks.
    pub(crate) issuer: String,
    /// What people are called in it.
    pub(crate) name: &'a str,
    /// The format of that.
    pub(crate) name_format: &'a str,
    /// How people are said to have signed in.
    pub(crate) context: &'a str,
    /// Whether whole answers are signed.
    pub(crate) response_signed: bool,
    /// Whether assertions are signed.
    pub(crate) assertion_signed: bool,
    /// What signatures hash.
    pub(crate) signature: Hash,
    /// What references hash.
    pub(crate) digest: Hash,
    /// Whether an app that asks for it gets people signed in anew.
    pub(crate) honors_force: bool,
    /// How long sessions in the app last, in seconds; none where the app decides.
    pub(crate) session_secs: Option<u64>,
    /// What the app is told of people.
    pub(crate) statements: Vec<&'a Value>,
    /// The inline hooks that are asked before the app is told.
    pub(crate) hooks: Vec<&'a str>,
    /// How assertions are encrypted; none where everybody may read them.
    pub(crate) envelope: Option<Envelope<'a>>,
}

/// Why nobody can be signed in to an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Nobody said where answers go, or whom they are for.
    Incomplete,
    /// It wants what the twin cannot do.
    Unsupported(&'static str),
}

/// A text that is there and not empty.
fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value[member].as_str().filter(|text| !text.is_empty())
}

fn hash(value: &Value, sha1: &str) -> Hash {
    if value == sha1 { Hash::Sha1 } else { Hash::Sha256 }
}

impl<'a> Settings<'a> {
    /// The settings of an app.
    ///
    /// # Errors
    /// [`Unfit`].
    pub(crate) fn of(app: &'a App) -> Result<Self, Unfit> {
        let (own, definition) = (app.setting("/signOn"), app.setting("/app"));
        if app.mode != Mode::Saml20 {
            return Err(Unfit::Incomplete);
        }
        let envelope = Envelope::of(own)?;
        let acs =
            text(own, "ssoAcsUrlOverride").or_else(|| text(own, "ssoAcsUrl")).or_else(|| text(definition, "acsUrl"));
        let audience = text(own, "audienceOverride").or_else(|| text(own, "audience"));
        let audience = audience.or_else(|| text(definition, "audRestriction"));
        let (acs, audience) = acs.zip(audience).ok_or(Unfit::Incomplete)?;
        let issuer = text(own, "idpIssuer").unwrap_or("http://www.okta.com/${org.externalKey}");
        let lists = [&own["attributeStatements"], &own["configuredAttributeStatements"]];
        Ok(Self {
            acs,
            others: others(own),
            audience,
            recipient: text(own, "recipientOverride").or_else(|| text(own, "recipient")),
            destination: text(own, "destinationOverride").or_else(|| text(own, "destination")),
            relay_state: text(own, "defaultRelayState").unwrap_or_default(),
            issuer: issuer.replace("${org.externalKey}", &key(&app.id)),
            name: text(own, "subjectNameIdTemplate").unwrap_or("${user.userName}"),
            name_format: text(own, "subjectNameIdFormat").unwrap_or(UNSPECIFIED),
            context: text(own, "authnContextClassRef").unwrap_or(PASSWORD),
            response_signed: own["responseSigned"] != false,
            assertion_signed: own["assertionSigned"] != false,
            signature: hash(&own["signatureAlgorithm"], "RSA_SHA1"),
            digest: hash(&own["digestAlgorithm"], "SHA1"),
            honors_force: own["honorForceAuthn"] != false,
            session_secs: own["samlAssertionLifetimeSeconds"].as_u64(),
            statements: lists.into_iter().filter_map(Value::as_array).flatten().collect(),
            hooks: hooks(own),
            envelope,
        })
    }

    /// Where the answer to a request goes; none where the app has not such an address.
    pub(crate) fn acs_of(&self, url: Option<&str>, index: Option<u64>) -> Option<&'a str> {
        let mut others = self.others.iter();
        match (url, index) {
            (None, None) => Some(self.acs),
            (Some(url), _) if url == self.acs => Some(self.acs),
            (Some(url), _) => others.find(|(_, own)| *own == url).map(|(_, own)| *own),
            (None, Some(index)) => others.find(|(own, _)| *own == Some(index)).map(|(_, own)| *own),
        }
    }
}

/// Only apps of the org's own ask hooks (developer.okta.com/docs/reference/saml-hook/#about).
fn hooks(own: &Value) -> Vec<&str> {
    let all = own["inlineHooks"].as_array().filter(|_| text(own, "ssoAcsUrl").is_some());
    all.into_iter().flatten().filter_map(|hook| text(hook, "id")).collect()
}

/// Apps that let requests name other addresses list them.
fn others(own: &Value) -> Vec<(Option<u64>, &str)> {
    if own["allowMultipleAcsEndpoints"] != true {
        return Vec::new();
    }
    let list = own["acsEndpoints"].as_array().into_iter().flatten();
    list.filter_map(|endpoint| Some((endpoint["index"].as_u64(), text(endpoint, "url")?))).collect()
}

/// Whether an app's requests must be signed. The setting is no part of the public document: its name is
/// inferred.
pub(crate) fn wants_signed(app: &App) -> bool {
    *app.setting("/signOn/samlSignedRequestEnabled") == true
}
