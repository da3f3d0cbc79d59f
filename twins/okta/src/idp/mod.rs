//! Signing in through other identity providers: social ones and those of enterprises.
//!
//! A person is sent to the provider ([`start`]) because a client or a routing rule ([`route`]) says so, and comes back
//! with a code ([`callback`], [`exchange`]) or an assertion ([`saml`]). What the provider says of them becomes a person
//! of the org, or is refused ([`arrive`]), as the provider's policy has it.
//! See developer.okta.com/docs/concepts/identity-providers/.

pub(crate) mod arrive;
pub(crate) mod callback;
pub(crate) mod exchange;
mod groups;
mod profile;
pub(crate) mod provider;
mod refused;
pub(crate) mod route;
pub mod saml;
pub(crate) mod start;

use std::time::Duration;

use dtu_contract::generic::Done;
use dtu_kernel::operation::Operation;
use http::Method;
use serde::Serialize;
use smol_str::SmolStr;

pub(crate) use self::refused::Refused;
use crate::{
    Okta,
    model::{Act, grant::Passing, mapping},
};

/// The tables of people under way; rows in them follow from other calls.
pub(crate) const TABLES: [&str; 3] = ["idp_sign_ins", "idp_exchanges", "idp_assertions"];

/// For how long somebody may be away at a provider (`developer.okta.com/docs/api/resources/social_authentication.html`).
const AWAY: Duration = Duration::from_secs(900);

/// Somebody who was sent to a provider.
#[derive(Clone, Debug, Serialize)]
pub struct Away {
    /// The provider's id.
    pub(crate) provider: SmolStr,
    /// The path of the org at which they go on.
    pub(crate) next: String,
    /// What the ID token must repeat; of SAML, the id of the request.
    #[serde(skip)]
    pub(crate) nonce: SmolStr,
    /// What proves that the code was asked for here (RFC 7636).
    #[serde(skip)]
    pub(crate) verifier: SmolStr,
    /// Until when they may come back.
    pub(crate) expires: dtu_kernel::time::Timestamp,
}

/// People under way.
#[derive(Clone, Debug)]
pub struct SignIns {
    /// Those who were sent to a provider, by the state that comes back with them.
    pub(crate) away: Passing<Away>,
    /// Those whose code is being exchanged, by the ids of their calls.
    pub(crate) exchanges: Passing<exchange::Exchange>,
    /// Assertions that were used, by provider and id.
    pub(crate) used: Passing<crate::model::grant::Used>,
}

impl Default for SignIns {
    fn default() -> Self {
        let [away, exchanges, used] = TABLES;
        Self { away: Passing::new(away), exchanges: Passing::new(exchanges), used: Passing::new(used) }
    }
}

/// The operations.
pub(crate) fn operations() -> Vec<Operation<Okta>> {
    const GET: &[Method] = &[Method::GET];
    const POST: &[Method] = &[Method::POST];
    const PAGES: &str = "oauth2 pages";
    const CALLBACK: &str = "/oauth2/v1/authorize/callback";
    vec![
        Operation::write("idpCallback", GET, CALLBACK, callback::callback).then(callback::answered).limit(PAGES),
        Operation::write("idpCallbackWithPost", POST, CALLBACK, callback::callback)
            .then(callback::answered)
            .limit(PAGES),
        Operation::write("signInWithProvider", GET, "/sso/idps/{idpId}", start::by_link).limit(PAGES),
        Operation::write("consumeAssertion", POST, "/sso/saml2/{idpId}", saml::consume).limit(PAGES),
        Operation::read("idpMetadata", GET, "/api/v1/idps/{idpId}/metadata.xml", saml::metadata::show).limit(PAGES),
    ]
}

/// What comes of a change of a provider: its people are mapped to Okta's from its first day on, and unknown when it goes.
pub(crate) fn follow(act: &mut Act<'_, '_>, done: &Done) {
    let people = act.state.users.type_id.clone();
    if let (None, Some(members)) = (&done.before, &done.after) {
        let (id, row) = mapping::of_provider(&people, &done.id, members);
        act.state.objects.keep(&mut act.tx.changes, mapping::MAPPINGS, &id, row);
    }
    if done.after.is_none() {
        let id = mapping::id(&done.id, &people);
        act.state.objects.forget(&mut act.tx.changes, mapping::MAPPINGS, &id);
        act.state.idp_users.drop_provider(&mut act.tx.changes, &done.id);
    }
}
