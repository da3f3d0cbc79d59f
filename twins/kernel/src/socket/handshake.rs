//! How a connection becomes a WebSocket: what is asked, and what is answered (RFC 6455, section 4).

use http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::wire::{Reply, Request};

/// Whether a request asks for a WebSocket, as RFC 6455 wants it asked.
pub fn is_upgrade(request: &Request) -> bool {
    let has = |name: http::HeaderName, word: &str| {
        let value = request.header(name).unwrap_or_default();
        value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    has(http::header::UPGRADE, "websocket")
        && has(http::header::CONNECTION, "upgrade")
        && request.header(http::header::SEC_WEBSOCKET_KEY).is_some_and(|key| !key.is_empty())
}

/// Puts into an answer what switches the connection to the WebSocket protocol.
pub(crate) fn switching(reply: &mut Reply, request: &Request) {
    let key = request.header(header::SEC_WEBSOCKET_KEY).unwrap_or_default();
    reply.fix(header::CONNECTION, "Upgrade");
    reply.fix(header::UPGRADE, "websocket");
    if let Ok(accepted) = HeaderValue::try_from(derive_accept_key(key.as_bytes())) {
        reply.headers.insert(header::SEC_WEBSOCKET_ACCEPT, accepted);
    }
    reply.headers.remove(header::CONTENT_TYPE);
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderName, HeaderValue, Method};
    use smol_str::SmolStr;

    use super::*;

    #[test]
    fn requests_for_a_websocket_are_told_from_others() {
        let check = |headers: &[(&'static str, &'static str)], wanted: bool| {
            let pairs = headers.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)));
            let request = Request {
                method: Method::GET,
                path: "/".to_owned(),
                query: String::new(),
                path_params: Vec::new(),
                headers: pairs.collect::<HeaderMap>(),
                body: Bytes::new(),
                origin: SmolStr::default(),
            };
            assert_eq!(is_upgrade(&request), wanted, "{headers:?}");
        };
        let key = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        check(&[("connection", "keep-alive, Upgrade"), ("upgrade", "WebSocket"), key], true);
        check(&[("connection", "Upgrade"), ("upgrade", "websocket")], false);
        check(&[("connection", "Upgrade"), ("upgrade", "h2c"), key], false);
        check(&[("connection", "keep-alive"), ("upgrade", "websocket"), key], false);
        check(&[], false);
    }
}
