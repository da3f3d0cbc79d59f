//! Certificates by which identity providers are believed.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/IdentityProviderKeys/. What is shown of them is
//! recorded (2020), also that a certificate stays as it was sent, with its line breaks.

use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{
    Deed, House, Members, Refused, Subject,
    references::PROVIDERS,
    resource::{BASE, Resource, invalid, keep},
};
use crate::{api, model::certificate};

/// Operations whose rules are all here.
pub(super) const BEHAVES: &[&str] = &[
    "listIdentityProviderKeys",
    "createIdentityProviderKey",
    "getIdentityProviderKey",
    "replaceIdentityProviderKey",
    "deleteIdentityProviderKey",
];

/// Where they are kept. Their ids are UUIDs: recorded.
pub(super) const KEYS: &str = "/api/v1/idps/credentials/keys";

pub(super) const ROWS: &[Resource] = &[Resource { collection: KEYS, rule: settle, kept: &["x5c"], ..BASE }];

/// What a certificate says is read from it and from nobody else, and a key stays while a provider is believed by it.
fn settle(house: &House<'_>, subject: &Subject<'_>, deed: Deed<'_>, members: &mut Members) -> Result<(), Refused> {
    match deed {
        Deed::Delete => check_unused(house, subject.id),
        Deed::Change(_) => Ok(()),
        Deed::Create => describe(house, members),
        Deed::Write(old) => {
            keep(old, members, &["kid", "created"]);
            describe(house, members)
        }
    }
}

/// Fills in what the certificate says. The words of the refusal are inferred.
fn describe(house: &House<'_>, members: &mut Members) -> Result<(), Refused> {
    let text = members.get("x5c").and_then(|chain| chain.get(0)).and_then(Value::as_str).unwrap_or_default();
    let read = certificate::decoded(text);
    let found = read.as_ref().and_then(|der| Some((certificate::jwk(der)?, certificate::validity(der)?.1)));
    let (Some(der), Some((key, expires))) = (read, found) else {
        return Err(invalid("x5c", "x5c: The certificate could not be read."));
    };
    members.insert("expiresAt".to_owned(), api::stamp(expires).into());
    if house.state.kind.is_classic() {
        members.insert("alg".to_owned(), key["kty"].clone());
    }
    members.insert("use".to_owned(), json!("sig"));
    members.insert("x5t#S256".to_owned(), certificate::thumbprint(&der).into());
    for name in ["kty", "e", "n", "crv", "x", "y"] {
        match key.get(name) {
            Some(value) => drop(members.insert(name.to_owned(), value.clone())),
            None => drop(members.shift_remove(name)),
        }
    }
    Ok(())
}

fn check_unused(house: &House<'_>, kid: &str) -> Result<(), Refused> {
    let trusts = |(_, provider): &(&SmolStr, &Members)| {
        let trust = provider.get("protocol").and_then(|protocol| protocol.pointer("/credentials/trust"));
        trust.is_some_and(|trust| {
            let more = trust.get("additionalKids").and_then(Value::as_array);
            trust.get("kid").is_some_and(|own| own == kid) || more.is_some_and(|kids| kids.iter().any(|own| own == kid))
        })
    };
    match house.state.objects.members(PROVIDERS).find(trusts) {
        Some(_) => Err(invalid("kid", "kid: The key is used by an identity provider.")),
        None => Ok(()),
    }
}
