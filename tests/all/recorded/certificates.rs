//! Certificates of identity providers, which recordings hide: one that can be read in the place of each.

use dtu_kernel::wire::Request;
use dtu_tests::recorded::{recording::Exchange, shape};
use serde_json::Value;

const CERTIFICATE: &str = include_str!("../../../fixtures/keys/provider-rsa.cert.pem");

/// Fills in the certificate of a call that keeps one and worked.
pub(super) fn fill(exchange: &Exchange, request: &mut Request) {
    let keeps = request.path.starts_with("/api/v1/idps/credentials/keys") && exchange.response.status == 200;
    let Ok(Value::Object(mut body)) = serde_json::from_slice(&request.body) else { return };
    let shown = exchange.response.body.pointer("/x5c/0").and_then(Value::as_str);
    if keeps && shown.is_some_and(shape::is_redacted) {
        let lines = CERTIFICATE.lines().filter(|line| !line.starts_with('-'));
        body.insert("x5c".to_owned(), Value::from(vec![lines.collect::<String>()]));
        request.body = Value::Object(body).to_string().into_bytes().into();
    }
}
