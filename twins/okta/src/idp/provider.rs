//! An identity provider as its object says it: where it is, how it is spoken with, and what the org does with its people.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/IdentityProvider/.

use serde_json::Value;
use smol_str::SmolStr;

use crate::{
    model::{State, log::Party},
    policy::Members,
    resources::{PROVIDERS, party},
};

/// How Okta and a provider speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `OpenID` Connect: an ID token says who it is.
    Oidc,
    /// OAuth 2.0: the provider's API says who it is.
    OAuth2,
    /// SAML 2.0: a signed assertion says who it is.
    Saml2,
}

/// A provider.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    /// `0oa...`.
    pub(crate) id: SmolStr,
    whole: Value,
}

impl Provider {
    /// A provider that is in use.
    pub(crate) fn active(state: &State, id: &str) -> Option<Self> {
        let members = state.objects.member(PROVIDERS, id)?;
        Some(Self::new(id, members)).filter(|provider| provider.text("/status") == "ACTIVE")
    }

    fn new(id: &str, members: &Members) -> Self {
        Self { id: id.into(), whole: Value::Object(members.clone()) }
    }

    /// The first provider in use one of whose members has a value. Orgs have few.
    pub(crate) fn with(state: &State, member: &str, value: &str) -> Option<Self> {
        let mut all = state.objects.members(PROVIDERS);
        let found = all.find(|(_, one)| one.get(member).and_then(Value::as_str) == Some(value));
        found.and_then(|(id, _)| Self::active(state, id))
    }

    /// A text by its pointer; empty where there is none.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.whole.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// A flag by its pointer.
    pub(crate) fn flag(&self, pointer: &str, usual: bool) -> bool {
        self.whole.pointer(pointer).and_then(Value::as_bool).unwrap_or(usual)
    }

    /// Texts by the pointer of their list.
    pub(crate) fn texts(&self, pointer: &str) -> Vec<SmolStr> {
        let all = self.whole.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
        all.filter_map(Value::as_str).map(SmolStr::from).collect()
    }

    /// How it is spoken with; none of smart cards and of services that prove identities, which sign nobody in here.
    pub(crate) fn protocol(&self) -> Option<Protocol> {
        match self.text("/protocol/type") {
            "OIDC" => Some(Protocol::Oidc),
            "OAUTH2" => Some(Protocol::OAuth2),
            "SAML2" => Some(Protocol::Saml2),
            _ => None,
        }
    }

    /// What people are to Okta whom it made by this provider's word: `FEDERATION`, or `SOCIAL` of all that speak OAuth.
    pub(crate) fn kind(&self) -> &'static str {
        if self.protocol() == Some(Protocol::Saml2) { "FEDERATION" } else { "SOCIAL" }
    }

    /// How far its clock may be off, in seconds.
    pub(crate) fn skew(&self) -> i64 {
        let skew = self.whole.pointer("/policy/maxClockSkew").and_then(Value::as_i64).unwrap_or_default();
        skew.clamp(0, 86_400_000) / 1_000
    }

    /// The audience of what it asserts: what its settings say, or the name that Okta goes by with it. How Okta draws
    /// that name its documents do not say; inferred.
    pub(crate) fn audience(&self) -> String {
        match self.text("/protocol/credentials/trust/audience") {
            "" => {
                let drawn = blake3::hash(format!("service provider of {}", self.id).as_bytes()).to_hex();
                format!("https://www.okta.com/saml2/service-provider/sp{}", &drawn[..18])
            }
            said => said.to_owned(),
        }
    }

    /// As a target of an entry of the log.
    pub(crate) fn party(&self) -> Party {
        party("IdentityProvider", &self.id, self.whole.as_object())
    }
}
