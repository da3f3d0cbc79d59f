//! Secrets that only who has the world's file can read again.
//!
//! A text is added to a stream that BLAKE3 makes of a key and of the text's placeholder. The key derives from the world's
//! file; the placeholder is a hash of the text, so that no stream is used for two texts.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::placeholder;

fn stream(world: &str, named: &str, length: usize) -> Vec<u8> {
    let key = blake3::derive_key("dtu sealed secrets v1", world.as_bytes());
    let mut stream = vec![0; length];
    blake3::Hasher::new_keyed(&key).update(named.as_bytes()).finalize_xof().fill(&mut stream);
    stream
}

fn mixed(world: &str, named: &str, text: &[u8]) -> Vec<u8> {
    stream(world, named, text.len()).iter().zip(text).map(|(a, b)| a ^ b).collect()
}

/// A secret, sealed.
pub(super) fn close(world: &str, named: &str, secret: &str) -> String {
    STANDARD.encode(mixed(world, named, secret.as_bytes()))
}

/// The secret; none where the world is another one.
pub(super) fn open(world: &str, named: &str, sealed: &str) -> Option<String> {
    let text = String::from_utf8(mixed(world, named, &STANDARD.decode(sealed).ok()?)).ok()?;
    // Other spellings of a secret have placeholders of their own.
    (placeholder(&text) == named).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_world_opens_what_was_sealed_with_it() {
        let named = placeholder("a secret of nobody");
        let sealed = close("name: small", &named, "a secret of nobody");
        assert!(!sealed.contains("secret"));
        assert_eq!(open("name: small", &named, &sealed).as_deref(), Some("a secret of nobody"));
        assert_eq!(open("name: large", &named, &sealed), None);
        assert_eq!(open("name: small", &placeholder("another"), &sealed), None);
    }
}
