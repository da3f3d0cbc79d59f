//! Certificates that others have signed: for requests of apps and identity providers, and of the org's own domains.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use rsa::{RsaPrivateKey, pkcs8::DecodePrivateKey as _, traits::PublicKeyParts as _};
use serde_json::{Value, json};

use crate::support::{Call, Org, call};

/// A value of DER.
fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("is short").to_be_bytes();
    [&[tag, 0x82], &length[..], content].concat()
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    value(0x30, &parts.concat())
}

/// A certificate for a key that somebody has signed, whoever it was.
fn certificate(key: &[u8], from: &str, until: &str) -> Vec<u8> {
    let algorithm = sequence(&[value(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b])]);
    let common = sequence(&[value(0x06, &[0x55, 0x04, 0x03]), value(0x0c, b"id.acme.dev")]);
    let name = sequence(&[value(0x31, &common)]);
    let times = sequence(&[value(0x17, from.as_bytes()), value(0x17, until.as_bytes())]);
    let to_sign = [value(0xa0, &value(2, &[2])), value(2, &[7]), algorithm.clone(), name.clone(), times, name];
    let to_sign = value(0x30, &[to_sign.concat(), key.to_vec()].concat());
    sequence(&[to_sign, algorithm, value(3, &[0, 1])])
}

/// What a value of DER holds, and what is behind it.
fn open(der: &[u8]) -> (&[u8], &[u8]) {
    let (head, len) = match der[1] {
        short if short < 0x80 => (2, usize::from(short)),
        0x81 => (3, usize::from(der[2])),
        _ => (4, usize::from(der[2]) * 256 + usize::from(der[3])),
    };
    (&der[head..head + len], &der[head + len..])
}

/// The key of a request: behind its version and its name.
fn key_of(csr: &str) -> Vec<u8> {
    let der = STANDARD.decode(csr).expect("is base64");
    let rest = open(open(open(open(&der).0).0).1).1;
    rest[..rest.len() - open(rest).1.len()].to_vec()
}

/// The same of a modulus.
fn key_from(modulus: &[u8]) -> Vec<u8> {
    let algorithm = sequence(&[value(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01])]);
    let key = sequence(&[value(2, &[&[0], modulus].concat()), value(2, &[1, 0, 1])]);
    sequence(&[algorithm, value(3, &[&[0], key.as_slice()].concat())])
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
}

const LONG: [&str; 2] = ["250101000000Z", "351231235959Z"];

fn body(call: Call, media_type: &str, text: &str) -> Call {
    call.raw(media_type, text)
}

/// A request below `place`, and its key.
fn request(org: &Org, place: &str) -> (String, Vec<u8>) {
    let got = org.check(call(&format!("POST {place}/csrs")).json(&json!({ "subject": { "commonName": "SP" } })), 201);
    let publish = format!("{place}/csrs/{}/lifecycle/publish", got.text("/id"));
    (publish, key_of(got.text("/csr")))
}

fn app(org: &Org) -> String {
    let app = json!({ "name": "bookmark", "label": "One", "signOnMode": "BOOKMARK", "settings": { "app": { "url": "https://a.example/" } } });
    format!("/api/v1/apps/{}/credentials", org.post("/api/v1/apps", &app).text("/id"))
}

#[test]
fn a_signed_request_of_an_app_is_a_key_of_it() {
    let org = Org::acme();
    let place = app(&org);
    let (publish, key) = request(&org, &place);
    let good = certificate(&key, LONG[0], LONG[1]);
    let post = |media_type: &str, text: &str| body(call(&format!("POST {publish}")), media_type, text);
    let base64 = |text: &str| post("application/pkix-cert", text).header("content-transfer-encoding", "base64");
    let strange = certificate(&request(&org, &place).1, LONG[0], LONG[1]);
    let refused = [
        (base64("not base64!"), "certificate: The certificate cannot be read"),
        (post("application/x-pem-file", "no block"), "certificate: The certificate cannot be read"),
        (base64(&STANDARD.encode(&strange)), "certificate: The certificate does not match the CSR"),
        (
            base64(&STANDARD.encode(certificate(&key, "200101000000Z", "210101000000Z"))),
            "certificate: The certificate is not valid now",
        ),
    ];
    for (call, cause) in refused {
        org.refuse(call, 400, "E0000001", &[cause]);
    }
    org.refuse(post("application/json", "{}"), 400, "E0000021", &[]);
    let got = org.check(post("application/x-pem-file", &pem(&good)), 201);
    let kid = got.text("/kid").to_owned();
    assert_eq!(got.text("/x5c/0"), STANDARD.encode(&good));
    assert_eq!(got.text("/expiresAt"), "2035-12-31T23:59:59.000Z");
    assert!(got.header("location").ends_with(&format!("{place}/keys/{kid}")));
    assert_eq!(org.get(&format!("{place}/keys/{kid}")).body, got.body);
    org.refuse(post("application/x-pem-file", &pem(&good)), 404, "E0000007", &[]);
    let (publish, key) = request(&org, &place);
    let good = certificate(&key, LONG[0], LONG[1]);
    let post = call(&format!("POST {publish}")).header("content-transfer-encoding", "base64");
    org.check(body(post, "application/x-x509-ca-cert", &URL_SAFE.encode(good)), 201);
}

#[test]
fn a_signed_request_of_a_provider_is_a_key_of_it() {
    let org = Org::acme();
    let provider = json!({
        "type": "GOOGLE", "name": "Google",
        "protocol": { "type": "OIDC", "scopes": ["openid"], "credentials": { "client": { "client_id": "c", "client_secret": "s" } } },
        "policy": {
            "accountLink": { "action": "AUTO" }, "provisioning": { "action": "AUTO", "groups": { "action": "NONE" } },
            "subject": { "userNameTemplate": { "template": "idpuser.email" }, "matchType": "USERNAME" },
        },
    });
    let place = format!("/api/v1/idps/{}/credentials", org.post("/api/v1/idps", &provider).text("/id"));
    let (publish, key) = request(&org, &place);
    let post = |until: &str| {
        let text = STANDARD.encode(certificate(&key, LONG[0], until));
        let post = call(&format!("POST {publish}")).header("content-transfer-encoding", "base64");
        body(post, "application/pkix-cert", &text)
    };
    let cause = "certificate: The certificate must be valid for at least 90 days";
    org.refuse(post("260401000000Z"), 400, "E0000001", &[cause]);
    let got = org.check(post(LONG[1]), 201);
    assert_eq!(org.get(&format!("{place}/keys")).column("/kid"), [got.text("/kid")]);
    assert_eq!(org.get(&format!("{place}/csrs")).body, json!([]));
    org.refuse(post(LONG[1]), 404, "E0000007", &[]);
    assert_eq!(org.events()["system.idp.key.create"], 1);
}

#[test]
fn a_domain_that_is_proven_takes_a_certificate_with_its_key() {
    let org = Org::acme();
    let private = include_str!("../../../../fixtures/keys/okta-client.pem");
    let modulus = RsaPrivateKey::from_pkcs8_pem(private).expect("is a key").n().to_bytes_be();
    let made = json!({ "domain": "id.acme.dev", "certificateSourceType": "OKTA_MANAGED" });
    let at = format!("/api/v1/domains/{}", org.check(call("POST /api/v1/domains").json(&made), 200).text("/id"));
    let put = |more: Value| {
        let text = pem(&certificate(&key_from(&modulus), LONG[0], LONG[1]));
        let mut body = json!({ "type": "PEM", "certificate": text, "certificateChain": text, "privateKey": private });
        body.as_object_mut().expect("is an object").extend(more.as_object().cloned().expect("is an object"));
        call(&format!("PUT {at}/certificate")).json(&body)
    };
    org.refuse(put(json!({})), 400, "E0000001", &["domain: The domain is not verified"]);
    org.check(call(&format!("POST {at}/verify")), 200);
    let strange = pem(&certificate(&key_from(&[0xa5; 256]), LONG[0], LONG[1]));
    let refused = [
        (json!({ "type": "DER" }), "type: The field has an invalid value"),
        (json!({ "certificate": "" }), "certificate: The field cannot be left blank"),
        (json!({ "certificate": "x" }), "certificate: The certificate cannot be read"),
        (json!({ "certificateChain": "x" }), "certificateChain: The certificate cannot be read"),
        (json!({ "certificate": strange }), "privateKey: The private key does not match the certificate"),
    ];
    for (more, cause) in refused {
        org.refuse(put(more), 400, "E0000001", &[cause]);
    }
    org.check(put(json!({ "privateKey": "x" })), 400);
    org.check(put(json!({})), 204);
    let got = org.get(&at);
    assert_eq!((got.text("/certificateSourceType"), got.text("/validationStatus")), ("MANUAL", "COMPLETED"));
    assert_eq!(got.text("/publicCertificate/subject"), "CN=id.acme.dev");
    assert_eq!(got.text("/publicCertificate/expiration"), "2035-12-31T23:59:59.000Z");
    let events = org.events();
    for event in ["initiate", "verify", "cert_upload"] {
        assert_eq!(events.get(&format!("system.custom_url_domain.{event}")), Some(&1), "{event}");
    }
    org.refuse(
        call("PUT /api/v1/domains/OcDnothing/certificate").json(&json!({ "type": "PEM" })),
        404,
        "E0000007",
        &[],
    );
}
