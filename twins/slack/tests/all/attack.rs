//! Bad input of all kinds: every answer is an ordinary one, whatever is sent.

use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::desk::{BOT, DANA, Desk, TESTER};

/// An answer of a served method: status 200 and an object with `ok`.
fn ordinary(desk: &Desk, method: &str, content_type: &str, body: &[u8]) -> Value {
    let headers = [("authorization", format!("Bearer {TESTER}")), ("content-type", content_type.to_owned())];
    let reply = desk.request(Method::POST, &format!("/api/{method}"), &headers, body);
    let text = String::from_utf8_lossy(&reply.body);
    let answer: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{method}: {text}"));
    assert!(reply.status == 200 && answer["ok"].is_boolean(), "{method} {}", String::from_utf8_lossy(body));
    assert_ne!(answer["error"], "fatal_error", "{method} {}", String::from_utf8_lossy(body));
    answer
}

fn methods(desk: &Desk) -> Vec<&'static str> {
    let operations = desk.universe.twins()[0].operations();
    operations.iter().filter(|info| info.path.starts_with("/api/")).map(|info| info.id).collect()
}

#[test]
fn deep_nesting_is_refused_and_overflows_nothing() {
    let desk = Desk::new();
    let general = desk.expand("{#general}");
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    for method in methods(&desk) {
        for body in [deep("[", "]"), deep("{\"blocks\":", "}")] {
            ordinary(&desk, method, "application/json; charset=utf-8", body.as_bytes());
        }
    }
    for argument in ["blocks", "attachments", "metadata", "users", "types", "channel", "text"] {
        for deep in [deep("[", "]"), deep("{\"a\":", "}"), deep("[{\"blocks\":", "}]")] {
            let mut body = json!({ "channel": general, "text": "x" });
            body[argument] = json!(deep);
            ordinary(&desk, "chat.postMessage", "application/json", body.to_string().as_bytes());
        }
    }
    // As deep as JSON may be: stored, told and sent on. Some of the methods above have taken the token away.
    let desk = Desk::new();
    let general = desk.expand("{#general}");
    let depth = 50;
    let payload = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let metadata = json!({ "event_type": "deep", "event_payload": serde_json::from_str::<Value>(&payload).unwrap() });
    let body = json!({ "channel": general, "metadata": metadata, "text": "x" });
    let posted = desk.call_json(TESTER, "chat.postMessage", &body);
    assert_eq!(posted["message"]["metadata"], metadata);
}

#[test]
fn blocks_of_any_shape_are_taken_or_refused() {
    let desk = Desk::new();
    let general = desk.expand("{#general}");
    let odd = [json!({}), json!([]), json!(null), json!(1), json!("x"), json!({ "type": 1 }), json!({ "type": "x" })];
    let kinds = [
        "actions",
        "card",
        "carousel",
        "context",
        "context_actions",
        "container",
        "file",
        "header",
        "image",
        "input",
        "markdown",
        "plan",
        "rich_text",
        "section",
        "table",
        "task_card",
        "video",
    ];
    for kind in kinds {
        for value in &odd {
            let mut block = json!({ "type": kind, "accessory": value, "element": value, "label": value, "text": value,
                "title": value, "fields": [value], "elements": [value], "block_id": value, "action_id": value });
            for blocks in [json!([block.clone()]), json!([value, block.clone()])] {
                let body = json!({ "channel": general, "blocks": blocks, "attachments": [{ "blocks": blocks }] });
                ordinary(&desk, "chat.postMessage", "application/json", body.to_string().as_bytes());
            }
            // What is not looked at in detail is still completed.
            block = json!({ "type": kind, "elements": [value], "element": value });
            let body = json!({ "channel": general, "blocks": [block] });
            ordinary(&desk, "chat.postMessage", "application/json", body.to_string().as_bytes());
        }
    }
}

#[test]
fn a_thread_can_not_be_its_own() {
    let desk = Desk::new();
    let post = |thread: &str| {
        let args = format!("channel={{#general}}&text=x&reply_broadcast=true&thread_ts={thread}");
        desk.call(TESTER, "chat.postMessage", &args)
    };
    // The timestamps to come can be guessed: the first is the epoch's, and each later one follows.
    let mut seen = Vec::new();
    for guess in ["1772442000.000000", "1772442000.000002", "1772442000.000001", "1772442000.000009"] {
        seen.push(post(guess)["ts"].as_str().unwrap().to_owned());
    }
    for ts in &seen {
        post(ts);
        assert_eq!(desk.error(TESTER, "conversations.replies", &format!("channel={{#general}}&ts={ts}")), "");
    }
    assert_eq!(desk.call(TESTER, "conversations.history", "channel={#general}")["ok"], true);
    // What is younger than the reply begins no thread.
    assert!(post("9999999999.000001")["message"].get("thread_ts").is_none());
}

#[test]
fn unicode_comes_back_as_it_was() {
    let desk = Desk::new();
    for text in ["𝄞𝒜́", "שלום עולם", "a\u{0}b", "\u{202e}rtl\u{202c}", "\u{feff}bom", "ǅ İ ß", "\r\n\t"]
    {
        let posted = desk.call_json(TESTER, "chat.postMessage", &json!({ "channel": "general", "text": text }));
        assert_eq!(posted["message"]["text"], text);
        assert_eq!(posted["message"]["blocks"][0]["elements"][0]["elements"][0]["text"], text);
    }
    desk.refuses(
        TESTER,
        "conversations.create",
        &[("name=🦀", "invalid_name_specials"), ("name=a\u{0}", "invalid_name_specials")],
    );
    let whole =
        desk.call_json(TESTER, "chat.postMessage", &json!({ "channel": "general", "text": "𝄞".repeat(40_001) }));
    assert_eq!(whole["message"]["text"].as_str().unwrap().chars().count(), 40_000);
    let lone = br#"{"channel":"general","text":"\ud800"}"#;
    assert_eq!(ordinary(&desk, "chat.postMessage", "application/json", lone)["error"], "invalid_json");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "measures, with much to spare, that no cost is quadratic")]
fn long_text_takes_no_long_time() {
    let desk = Desk::new();
    let started = std::time::Instant::now();
    for piece in ["<", "<@", ":", "*", "`", "[", "[a](", "&", "<@U|", "https://", "@a ", "#"] {
        let text = piece.repeat(40_000 / piece.len());
        let body = json!({ "channel": "general", "text": text, "link_names": true });
        assert_eq!(desk.call_json(TESTER, "chat.postMessage", &body)["ok"], true, "{piece}");
        let body = json!({ "channel": "general", "markdown_text": piece.repeat(12_000 / piece.len()) });
        assert_eq!(desk.call_json(TESTER, "chat.postMessage", &body)["ok"], true, "{piece}");
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn too_much_of_anything_is_refused() {
    let desk = Desk::new();
    desk.call(TESTER, "conversations.create", "name=team");
    let crowd: Vec<String> = (0..5_000).map(|n| format!("U0{n:09}")).collect();
    let crowd = crowd.join(",");
    assert_eq!(
        desk.error(TESTER, "conversations.invite", &format!("channel={{#team}}&users={crowd}")),
        "too_many_users"
    );
    assert_eq!(desk.error(TESTER, "conversations.open", &format!("users={crowd}")), "user_not_found");
    let lena = desk.expand("{@lena}");
    let same = vec![lena.as_str(); 1000].join(",");
    assert_eq!(desk.error(TESTER, "conversations.invite", &format!("channel={{#team}}&users={same}")), "");
    assert_eq!(desk.call(TESTER, "conversations.members", "channel={#team}")["members"].as_array().unwrap().len(), 2);
    let huge = "QUFB".repeat(300_000);
    for (method, args) in [
        ("users.list", ""),
        ("conversations.list", ""),
        ("conversations.members", "channel={#general}&"),
        ("conversations.history", "channel={#general}&"),
        ("conversations.replies", "channel={#general}&ts=1.000001&"),
    ] {
        let code = desk.error(TESTER, method, &format!("{args}cursor={huge}"));
        assert!(["invalid_cursor", "thread_not_found"].contains(&code.as_str()), "{method} {code}");
        for limit in ["0", "-1", "1001", "9223372036854775807"] {
            let code = desk.error(TESTER, method, &format!("{args}limit={limit}"));
            assert!(["", "thread_not_found"].contains(&code.as_str()), "{method} {limit} {code}");
        }
    }
    for (name, code) in [("x".repeat(65), "invalid_arg_name"), ("é".to_owned(), "invalid_arg_name")] {
        let body = json!({ name.clone(): 1 }).to_string();
        assert_eq!(ordinary(&desk, "chat.postMessage", "application/json", body.as_bytes())["error"], code);
        assert_eq!(desk.error(TESTER, "auth.test", &format!("{name}=1")), code);
    }
}

#[test]
fn postings_at_once_get_timestamps_of_their_own() {
    let desk = Desk::new();
    let post_some = || (0..50).map(|_| desk.post(TESTER, "channel={#general}&text=x")).collect::<Vec<_>>();
    let mut all: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(post_some)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 200);
    let shown = desk.call(TESTER, "conversations.history", "channel={#general}&limit=200");
    assert_eq!(shown["messages"][199]["ts"], all[0]);
}

#[test]
fn errors_that_callers_make_up_break_no_header() {
    let desk = Desk::new();
    for code in ["a\r\nset-cookie: x", "é", "\u{0}", &"x".repeat(100_000)] {
        let body = json!({ "error": code }).to_string();
        let answer = ordinary(&desk, "api.test", "application/json", body.as_bytes());
        assert_eq!((answer["error"].as_str(), answer["args"]["error"].as_str()), (Some(code), Some(code)));
    }
    // Tokens are text of any kind too.
    for token in ["\u{7f}", "xoxb-\u{e9}", &"x".repeat(100_000)] {
        assert_eq!(desk.call("", "auth.test", &format!("token={token}"))["error"], "invalid_auth");
    }
}

#[test]
fn the_last_of_equal_arguments_counts() {
    let desk = Desk::new();
    let posted = desk.call(TESTER, "chat.postMessage", "channel=C000&text=a&channel={#general}&text=b");
    assert_eq!(posted["message"]["text"], "b");
    // The body counts over the query, JSON and form alike.
    let bearer = ("authorization", format!("Bearer {TESTER}"));
    for (content_type, body) in
        [("application/json", r#"{"text":"b"}"#), ("application/x-www-form-urlencoded", "text=b")]
    {
        let headers = [bearer.clone(), ("content-type", content_type.to_owned())];
        let target = desk.expand("/api/chat.postMessage?channel={#general}&text=a");
        let reply = desk.request(Method::POST, &target, &headers, body.as_bytes());
        let answer: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(answer["message"]["text"], "b");
    }
    // The header's token counts over the form's.
    assert_eq!(desk.call(TESTER, "auth.test", &format!("token={DANA}"))["user"], "dtutester");
    assert_eq!(desk.call("", "auth.test", &format!("token={DANA}"))["user"], "dana.whitfield");
}

#[test]
fn truth_is_written_in_several_ways() {
    let desk = Desk::new();
    let info = |value: &str| {
        desk.call(BOT, "conversations.info", &format!("channel={{#general}}&include_num_members={value}"))
    };
    for yes in ["1", "true", "True", "TRUE"] {
        assert!(info(yes)["channel"].get("num_members").is_some(), "{yes}");
    }
    for no in ["0", "false", "False", ""] {
        assert!(info(no)["channel"].get("num_members").is_none(), "{no}");
    }
    let refused = info("maybe");
    assert_eq!(refused["error"], "invalid_arguments");
    assert_eq!(
        refused["response_metadata"]["messages"][0],
        "[ERROR] must be a boolean [json-pointer:/include_num_members]"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_is_sent_gets_an_ordinary_answer(
        rows in prop::collection::vec((0_usize..22, 0_usize..18), 0..7),
        as_json in any::<bool>(),
    ) {
        const NAMES: [&str; 22] = ["channel", "user", "users", "text", "ts", "thread_ts", "cursor", "limit", "types", "oldest",
            "latest", "inclusive", "blocks", "attachments", "metadata", "reply_broadcast", "markdown_text", "name",
            "include_num_members", "email", "username", "parse"];
        let desk = Desk::new();
        let values = ["", "x", "0", "-1", "1772442000.000000", "99999999999999999999.999999", "[]", "{}", "[{}]", "null",
            "true", "{#general}", "{@lena}", "{@lena},{@omar}", "im,mpim", "bmV4dF90czox", "\u{0}", "full"].map(|v| desk.expand(v));
        let mut body = serde_json::Map::new();
        for (name, value) in rows {
            let value = &values[value];
            let parsed = if as_json { serde_json::from_str(value).ok() } else { None };
            body.insert(NAMES[name].to_owned(), parsed.unwrap_or_else(|| json!(value)));
        }
        for method in methods(&desk) {
            if as_json {
                ordinary(&desk, method, "application/json", json!(body).to_string().as_bytes());
            } else {
                let pairs = body.iter().map(|(name, value)| (name, value.as_str().unwrap_or_default()));
                let form = url_form(pairs);
                ordinary(&desk, method, "application/x-www-form-urlencoded", form.as_bytes());
            }
        }
    }

    #[test]
    fn raw_bytes_get_an_ordinary_answer(bytes in prop::collection::vec(any::<u8>(), 0..80), kind in 0_usize..5) {
        let kinds = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=\"\"", "text/plain", "\u{7f}"];
        let desk = Desk::new();
        let kind = kinds[kind].replace('\u{7f}', "a/b;charset=\"");
        ordinary(&desk, "chat.postMessage", &kind, &bytes);
    }
}

fn url_form<'a>(pairs: impl Iterator<Item = (&'a String, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
