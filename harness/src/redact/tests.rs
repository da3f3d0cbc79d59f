use dtu_kernel::veil::Veil as _;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A redactor that has seen an entry, and notes with these headers.
fn seen(entry: Value, headers: &[(&str, &str)]) -> Redactor {
    let mut redactor = Redactor::default();
    redactor.read_entry(&entry);
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    redactor.read_note(&Note::Receipt { seq: 0, headers, body: None });
    redactor.seal();
    redactor
}

fn hidden(redactor: &Redactor, text: &str) -> String {
    String::from_utf8(redactor.hidden(text.as_bytes().to_vec())).expect("is text")
}

#[test]
fn secrets_are_found_where_they_are() {
    let check = |entry: Value, headers: &[(&str, &str)], secret: &str, is_one: bool| {
        let found = hidden(&seen(entry.clone(), headers), &format!("<{secret}>"));
        assert_eq!(!found.contains(secret), is_one, "{secret} in {entry} {headers:?}: {found}");
    };
    let body = |body: &str| json!({ "response": { "body": body } });
    let form = |body: &str| json!({ "request": { "content_type": "application/x-www-form-urlencoded", "body": body } });
    check(Value::Null, &[("authorization", "Bearer abc-123-def")], "abc-123-def", true);
    check(Value::Null, &[("Authorization", "SSWS abc-123-def")], "abc-123-def", true);
    check(Value::Null, &[("authorization", "Basic bGVuYTpwYXNzLXdvcmQtMQ==")], "pass-word-1", true);
    check(Value::Null, &[("cookie", "a=1; sid=session-1234")], "session-1234", true);
    check(Value::Null, &[("set-cookie", "sid=session-1234; Path=/somewhere")], "session-1234", true);
    check(Value::Null, &[("set-cookie", "sid=session-1234; Path=/somewhere")], "/somewhere", false);
    check(Value::Null, &[("x-request-id", "session-1234")], "session-1234", false);
    check(body(r#"{"access_token":"t0ken-in-answer"}"#), &[], "t0ken-in-answer", true);
    check(body(r#"{"text":"t0ken-in-answer"}"#), &[], "t0ken-in-answer", false);
    check(body(r#"{"credentials":{"password":{"value":"long enough 1"}}}"#), &[], "long enough 1", true);
    check(body(r#"{"payload":"{\"client_secret\":\"s3cret-inside\"}"}"#), &[], "s3cret-inside", true);
    check(body(r#"{"text":"it is xoxb-12345-abcdefgh."}"#), &[], "xoxb-12345-abcdefgh", true);
    check(form("token=form-token-1&text=hello+there"), &[], "form-token-1", true);
    check(form("token=form-token-1&text=hello+there"), &[], "hello there", false);
    check(json!({ "request": { "target": "/x?token=in-query-1" } }), &[], "in-query-1", true);
    check(json!({ "request": { "target": "/services/T1/B1/posts-secret" } }), &[], "posts-secret", true);
    check(json!({ "changes": [{ "before": null, "after": { "secret": "row-secret-1" } }] }), &[], "row-secret-1", true);
    check(json!({ "with": { "password": "typed-by-lena" } }), &[], "typed-by-lena", true);
    check(form("client_assertion=ey1.ey2.signed&grant_type=x"), &[], "ey1.ey2.signed", true);
    check(form("assertion=ey1.ey2.signed"), &[], "ey1.ey2.signed", true);
    check(form("SAMLResponse=PHNhbWxwOlJlc3BvbnNl%2B"), &[], "PHNhbWxwOlJlc3BvbnNl+", true);
    check(form("code=one-time-code&grant_type=authorization_code"), &[], "one-time-code", true);
    check(form("code=one-time-code&text=x"), &[], "one-time-code", false);
    check(json!({ "request": { "target": "/cb?code=one-time-code&state=x" } }), &[], "one-time-code", true);
    check(Value::Null, &[("DPoP", "ey1.ey2.proof")], "ey1.ey2.proof", true);
    check(Value::Null, &[("x-slack-signature", "v0=abcdef012345")], "v0=abcdef012345", true);
    check(body(r#"{"sessionId":"session-9876"}"#), &[], "session-9876", true);
    check(body(r#"{"device_code":"device-9876"}"#), &[], "device-9876", true);
    check(
        body(r#"{"authScheme":{"type":"HEADER","key":"Authorization","value":"hook-key-1"}}"#),
        &[],
        "hook-key-1",
        true,
    );
    check(
        body(r#"<form><input type="hidden" name="SAMLResponse" value="PHNhbWxwOlJl&#43;"/></form>"#),
        &[],
        "PHNhbWxwOlJl+",
        true,
    );
    check(
        body(r#"<form><input type="hidden" name="RelayState" value="somewhere-else"/></form>"#),
        &[],
        "somewhere-else",
        false,
    );
    check(body(r#"{"password":"short"}"#), &[], "short", false);
    check(body(r#"{"password":"password"}"#), &[], "password", false);
}

#[test]
fn a_secret_is_hidden_in_all_its_spellings() {
    let key = "-----BEGIN PRIVATE KEY-----\nabc\"def\n-----END PRIVATE KEY-----";
    let redactor = seen(json!({ "result": { "private_key": key } }), &[]);
    let within = serde_json::to_string(&json!({ "private_key": key })).expect("is JSON");
    let twice = serde_json::to_string(&json!({ "body": within })).expect("is JSON");
    let query: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
    for text in [key, &within, &twice, &query] {
        let found = hidden(&redactor, text);
        assert!(!found.contains("abc"), "{found}");
    }
    assert!(serde_json::from_str::<Value>(&hidden(&redactor, &twice)).is_ok());
}

#[test]
fn real_secrets_leave_their_names_alone() {
    let (name, secret) = ("OPENAI_API_KEY".to_owned(), "k-really-secret".to_owned());
    let redactor = Redactor::new(&crate::testing::universe(), &[], [(&name, &secret)]);
    assert_eq!(hidden(&redactor, "it is k-really-secret!"), "it is Dtu-Redacted-env-OPENAI_API_KEY!");
}

#[test]
fn a_replay_learns_what_placeholders_stand_for() {
    let universe = crate::testing::universe();
    let mut reveal = Reveal::new(&universe, ["bot: {token: \"from-the-world\"}"]);
    let mark = placeholder("t0ken-of-now");
    let recorded = format!(r#"{{"a":"{mark}","b":"{mark}","c":"{}"}}"#, placeholder("another-one"));
    let shown = |reveal: &Reveal, text: &str| {
        reveal.show(text.as_bytes()).map(|text| String::from_utf8(text).expect("is text"))
    };
    assert_eq!(shown(&reveal, &format!("Bearer {mark}")), Some(format!("Bearer {mark}")));
    assert_eq!(shown(&reveal, &placeholder("from-the-world")), Some("from-the-world".to_owned()));
    reveal.learn(&recorded, r#"{"a":"t0ken-of-now","b":"t0ken-of-now","c":"another-one"}"#);
    assert_eq!(shown(&reveal, &format!("Bearer {mark}")), Some("Bearer t0ken-of-now".to_owned()));
    assert_eq!(reveal.hide(b"<another-one>"), Some(format!("<{}>", placeholder("another-one")).into_bytes()));
    reveal.learn(&format!("x {}", placeholder("right-text")), "x wrong-text");
    assert_eq!(reveal.hide(b"wrong-text"), None, "only the text itself is taken for it");
}

#[test]
fn what_a_target_made_up_is_sealed_and_real_secrets_are_not() {
    let universe = crate::testing::universe();
    let (name, secret) = ("OPENAI_API_KEY".to_owned(), "k-really-secret".to_owned());
    let mut redactor = Redactor::new(&universe, &[], [(&name, &secret)]);
    redactor.keep("ey1.ey2.signed by nobody");
    redactor.seal();
    let world = universe.world().text();
    let sealed = redactor.sealed(world);
    assert!(!sealed.keys().any(|named| named.contains("env-")), "{sealed:?}");
    let recorded = hidden(&redactor, r#"{"proof":"ey1.ey2.signed by nobody"}"#);
    let mut reveal = Reveal::new(&universe, []);
    assert_eq!(reveal.show(recorded.as_bytes()), Some(recorded.clone().into_bytes()), "nobody knows it");
    reveal.unseal(&sealed, "another world");
    assert_eq!(reveal.show(recorded.as_bytes()), Some(recorded.clone().into_bytes()), "it is another's");
    reveal.unseal(&sealed, world);
    let shown = reveal.show(recorded.as_bytes()).map(|text| String::from_utf8(text).expect("is text"));
    assert_eq!(shown.as_deref(), Some(r#"{"proof":"ey1.ey2.signed by nobody"}"#));
    assert_eq!(reveal.hide(shown.unwrap_or_default().as_bytes()), Some(recorded.into_bytes()));
}

#[test]
fn files_of_a_run_are_kept_without_their_secrets() {
    let world = "okta: {tokens: [{name: admin, value: 00-admin-token}]}";
    let env = [("SLACK_BOT_TOKEN", "xoxb-of-target"), ("CHANNEL", "general-talk"), ("X_TOKEN", "${env.X_TOKEN_HERE}")];
    let redactor = Redactor::of_inputs([world], env);
    let found = hidden(&redactor, "00-admin-token xoxb-of-target general-talk ${env.X_TOKEN_HERE}");
    assert!(!found.contains("00-admin") && !found.contains("xoxb-of"), "{found}");
    assert!(found.ends_with(" general-talk ${env.X_TOKEN_HERE}"), "{found}");
}

#[test]
fn worlds_name_their_secrets() {
    let text = "okta: {tokens: [{name: admin, value: 00-admin-token}]}\nslack: {apps: [{bot_token: xoxb-app, name: bot-of-all}]}\n";
    assert_eq!(of_world(text), ["00-admin-token", "xoxb-app"]);
}

proptest! {
    /// However output is cut into chunks, no secret gets through, and nothing else is lost.
    #[test]
    fn streams_hide_what_whole_texts_hide(
        parts in prop::collection::vec(prop_oneof![Just("s3cret-1".to_owned()), Just("s3cret-12".to_owned()), "[s3cret1-]{0,9}"], 0..12),
        size in 1_usize..9,
    ) {
        let redactor = seen(json!({ "with": { "token": "s3cret-1", "secret": "s3cret-12" } }), &[]);
        let text = parts.concat();
        let (mut held, mut out) = (Vec::new(), Vec::new());
        for chunk in text.as_bytes().chunks(size) {
            out.extend(redactor.flow(&mut held, chunk, false));
        }
        out.extend(redactor.flow(&mut held, &[], true));
        prop_assert_eq!(String::from_utf8(out).expect("is text"), hidden(&redactor, &text));
    }
}

#[test]
fn output_is_searched_for_what_was_made_of_secrets() {
    let check = |output: &str, hides: &str| {
        let mut redactor = Redactor::default();
        redactor.keep("s3cret-of-nobody");
        redactor.seal();
        redactor.read_text(output);
        redactor.seal();
        let shown = hidden(&redactor, output);
        assert_eq!((shown.contains(hides), shown.contains(MARK)), (false, true), "{output}: {shown}");
    };
    // `lena:s3cret-of-nobody`, with padding, without, and in the alphabet of addresses.
    check("authorization: Basic bGVuYTpzM2NyZXQtb2Ytbm9ib2R5.", "bGVuYTpzM2NyZXQtb2Ytbm9ib2R5");
    check("{\"auth\":\"czNjcmV0LW9mLW5vYm9keQ==\"}", "czNjcmV0LW9mLW5vYm9keQ");
    check("Pz8_czNjcmV0LW9mLW5vYm9keSE", "czNjcmV0LW9mLW5vYm9keSE");
    let digits = "0123456789abcdef".repeat(4);
    check(&format!("signature v0={digits} fits"), &digits);
    check(&format!("x-hub-signature: sha256={digits}"), &digits);
    check("made xoxb-12345-abcdefgh by myself", "xoxb-12345-abcdefgh");
    let mut redactor = Redactor::default();
    redactor.keep("s3cret-of-nobody");
    redactor.seal();
    redactor.read_text("an-ordinary-line-of-output v0=12 sha256=short cXVpdGUgYW5vdGhlciB0ZXh0");
    redactor.seal();
    assert_eq!(hidden(&redactor, "cXVpdGUgYW5vdGhlciB0ZXh0 v0=12"), "cXVpdGUgYW5vdGhlciB0ZXh0 v0=12");
}
