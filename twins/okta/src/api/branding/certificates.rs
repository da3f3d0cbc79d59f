//! The certificate of a custom domain that the org brings itself.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/CustomDomain/.

use data_encoding::HEXLOWER;
use dtu_kernel::{
    operation::{Operation, Typed},
    time::Timestamp,
    twin::Write,
};
use http::Method;
use rsa::{RsaPrivateKey, pkcs1::DecodeRsaPrivateKey as _, pkcs8::DecodePrivateKey as _, traits::PublicKeyParts as _};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use smol_str::SmolStr;

use super::CALLS;
use crate::{
    Okta,
    api::{act, no_content},
    error::Error,
    input::object,
    model::{certificate, event_type::DOMAIN_CERTIFICATE},
    resources::party,
};

const DOMAINS: &str = "/api/v1/domains";
/// The sizes of keys that Okta takes, in bits.
const SIZES: [usize; 3] = [2_048, 3_072, 4_096];

/// The operation of this file.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    let path = "/api/v1/domains/{domainId}/certificate";
    vec![Operation::write("upsertCertificate", &[Method::PUT], path, upsert).limit(CALLS)]
}

/// Arguments of `upsertCertificate`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Upsert {
    domain_id: SmolStr,
    #[serde(deserialize_with = "object")]
    body: Sent,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Sent {
    r#type: String,
    certificate: String,
    #[serde(rename = "certificateChain")]
    chain: String,
    #[serde(rename = "privateKey")]
    key: String,
}

impl Sent {
    /// What is shown of it: whose it is, its fingerprint, and until when it holds.
    ///
    /// # Errors
    /// What is missing, no PEM, of another key, or over. The words are the twin's.
    fn read(&self, now: Timestamp) -> Result<Value, Error> {
        let all = [
            ("type", &self.r#type),
            ("certificate", &self.certificate),
            ("certificateChain", &self.chain),
            ("privateKey", &self.key),
        ];
        let blank = all.into_iter().filter(|(_, text)| text.trim().is_empty());
        let blank: Vec<_> = blank.map(|(name, _)| (name, "The field cannot be left blank")).collect();
        if !blank.is_empty() {
            return Err(Error::fields(&blank));
        }
        let refuse = |name: &'static str, why: &'static str| Err(Error::fields(&[(name, why)]));
        if self.r#type != "PEM" {
            return refuse("type", "The field has an invalid value");
        }
        let der = |text: &str| certificate::pem(text.as_bytes(), "CERTIFICATE");
        let Some((own, (modulus, _))) = der(&self.certificate).and_then(|der| {
            let key = certificate::rsa_key(&der)?;
            Some((der, key))
        }) else {
            return refuse("certificate", "The certificate cannot be read");
        };
        if der(&self.chain).is_none_or(|der| certificate::rsa_key(&der).is_none()) {
            return refuse("certificateChain", "The certificate cannot be read");
        }
        let text = self.key.trim();
        let key = RsaPrivateKey::from_pkcs8_pem(text).ok().or_else(|| RsaPrivateKey::from_pkcs1_pem(text).ok());
        let Some(key) = key.filter(|key| SIZES.contains(&key.n().bits())) else {
            return refuse("privateKey", "The private key cannot be read, or has another size than 2048, 3072 or 4096");
        };
        let start = modulus.iter().position(|byte| *byte != 0).unwrap_or_default();
        if key.n().to_bytes_be() != modulus[start..] {
            return refuse("privateKey", "The private key does not match the certificate");
        }
        match certificate::validity(&own) {
            Some((from, until)) if from <= now && now < until => Ok(json!({
                "subject": certificate::subject(&own).unwrap_or_default(),
                "fingerprint": HEXLOWER.encode(&Sha256::digest(&own)),
                "expiration": until.iso_millis(),
            })),
            _ => refuse("certificate", "The certificate is not valid now"),
        }
    }
}

/// `upsertCertificate`: of a domain that is proven. Okta no longer cares for its certificate then.
fn upsert(cx: &mut Write<'_, '_, Okta>, args: Upsert) -> Result<Typed<()>, Error> {
    let found = cx.state.objects.member(DOMAINS, &args.domain_id).cloned();
    let mut domain = found.ok_or_else(|| Error::not_found(&args.domain_id, "Domain"))?;
    if args.domain_id == "default" {
        return Err(Error::invalid("id", "This operation is not supported for this domain"));
    }
    let status = domain.get("validationStatus").and_then(Value::as_str);
    if !matches!(status, Some("VERIFIED" | "COMPLETED")) {
        return Err(Error::invalid("domain", "domain: The domain is not verified"));
    }
    let shown = args.body.read(cx.scene.now)?;
    act(cx, |act| {
        for (name, value) in [
            ("certificateSourceType", json!("MANUAL")),
            ("publicCertificate", shown),
            ("validationStatus", json!("COMPLETED")),
        ] {
            domain.insert(name.to_owned(), value);
        }
        let target = party("CustomDomain", &args.domain_id, Some(&domain));
        act.state.objects.keep(&mut act.tx.changes, DOMAINS, &args.domain_id, domain);
        act.log(&DOMAIN_CERTIFICATE, vec![target]);
        Ok(no_content())
    })
}
