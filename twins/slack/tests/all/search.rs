//! Search: words, phrases, modifiers, pages, and who finds what.

use serde_json::{Value, json};

use crate::desk::{BOT, DANA, Desk, TESTER};

fn found(desk: &Desk, query: &str) -> Vec<String> {
    let answer = desk.call(DANA, "search.messages", &format!("query={query}&sort=timestamp&count=100"));
    let matches = answer["messages"]["matches"].as_array().unwrap_or_else(|| panic!("{answer}"));
    matches.iter().map(|hit| hit["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn queries_find_what_they_say() {
    let desk = Desk::new();
    let say = |who: &str, channel: &str, text: &str| {
        desk.act("slack.user.post", who, json!({ "channel": channel, "text": text }))
    };
    say("dana", "general", "zebra crossing ahead");
    say("lena", "general", "Ahead the crossing: zebras https://acme.example");
    let marked = say("lena", "general", "zebra crossing crossing");
    desk.call(
        TESTER,
        "reactions.add",
        &format!("channel={{#general}}&timestamp={}&name=tada", marked["ts"].as_str().unwrap()),
    );
    let check = |query: &str, wanted: &[&str]| assert_eq!(found(&desk, query), wanted, "{query}");
    let (first, second, third) =
        ("zebra crossing ahead", "Ahead the crossing: zebras <https://acme.example>", "zebra crossing crossing");
    check("zebra", &[third, first]);
    check("ZEBRA crossing", &[third, first]);
    check("zebra*", &[third, second, first]);
    check("\"crossing ahead\"", &[first]);
    check("crossing -zebra", &[second]);
    check("crossing from:@lena", &[third, second]);
    check("crossing from:me", &[first]);
    check("crossing -from:me", &[third, second]);
    check("crossing in:%23general", &[third, second, first]);
    check("crossing in:random", &[]);
    check("crossing in:nowhere", &[]);
    check("crossing on:today", &[third, second, first]);
    check("crossing before:today", &[]);
    check("crossing after:yesterday", &[third, second, first]);
    check("crossing after:2030-01-01", &[]);
    check("crossing has:link", &[second]);
    check("crossing has:reaction", &[third]);
    check("crossing has::tada:", &[third]);
    check("crossing is:thread", &[]);
    check("unheardof", &[]);
    // The best match comes first where no order is asked for.
    let best = desk.call(DANA, "search.messages", "query=crossing&highlight=true&count=1");
    assert_eq!(best["messages"]["matches"][0]["text"], "zebra \u{e000}crossing\u{e001} \u{e000}crossing\u{e001}");
    assert_eq!(best["messages"]["paging"], json!({ "count": 1, "total": 3, "page": 1, "pages": 3 }));
    let edited = json!({ "channel": "general", "ts": marked["ts"], "text": "giraffe" });
    desk.act("slack.user.edit", "lena", edited);
    check("crossing", &[second, first]);
    check("giraffe", &["giraffe"]);
}

#[test]
fn people_and_what_is_saved_narrow_a_search() {
    let desk = Desk::new();
    let say = |who: &str, channel: &str, text: &str, thread: Option<&Value>| {
        let mut with = json!({ "channel": channel, "text": text });
        if let Some(thread) = thread {
            with["thread_ts"] = thread["ts"].clone();
        }
        desk.act("slack.user.post", who, with)
    };
    let first = say("dana", "general", "walrus one", None);
    say("lena", "general", "walrus two", Some(&first));
    say("dana", "@lena", "walrus three", None);
    say("dana", "general", "walrus four", None);
    let item = format!("channel={{#general}}&timestamp={}", first["ts"].as_str().unwrap());
    desk.call(DANA, "stars.add", &item);
    desk.call(DANA, "reactions.add", &format!("{item}&name=eyes"));
    let check = |query: &str, wanted: &[&str]| {
        let mut wanted: Vec<String> = wanted.iter().map(|n| format!("walrus {n}")).collect();
        let mut found = found(&desk, &format!("walrus {query}"));
        // The clock stands still, so that messages of two channels have the same time.
        wanted.sort();
        found.sort();
        assert_eq!(found, wanted, "{query}");
    };
    check("", &["four", "three", "two", "one"]);
    check("with:@lena", &["three", "two", "one"]);
    check("-with:@lena", &["four"]);
    check("to:@lena", &["three"]);
    check("to:me", &[]);
    check("is:saved", &["one"]);
    check("has:star", &["one"]);
    check("hasmy::eyes:", &["one"]);
    check("hasmy::tada:", &[]);
    check("with:nobody", &[]);
    // What is unwanted of a span is the span, not each of its ends.
    check("-on:2020-01-01", &["four", "three", "two", "one"]);
    check("-on:today", &[]);
}

#[test]
fn only_people_search_and_find_what_they_may_see() {
    let desk = Desk::new();
    assert_eq!(desk.error(BOT, "search.messages", "query=x"), "not_allowed_token_type");
    assert_eq!(desk.error(TESTER, "search.all", "query=x"), "not_allowed_token_type");
    desk.refuses(
        DANA,
        "search.messages",
        &[
            ("", "invalid_arguments"),
            ("query= ", "No query passed"),
            ("query=x&sort=size", "invalid_arguments"),
            ("query=x&cursor=nonsense", "invalid_cursor"),
        ],
    );
    desk.act("slack.user.create_channel", "lena", json!({ "name": "secret", "private": true }));
    desk.act("slack.user.post", "lena", json!({ "channel": "secret", "text": "quokka" }));
    assert!(found(&desk, "quokka").is_empty());
    desk.act("slack.user.post", "lena", json!({ "channel": "general", "text": "quokka" }));
    assert_eq!(found(&desk, "quokka").len(), 1);
    let with = json!({ "channel": "general", "name": "quokka.txt", "content": "marsupial" });
    desk.act("slack.user.upload", "lena", with);
    let all = desk.call(DANA, "search.all", "query=quokka");
    assert_eq!((&all["messages"]["total"], &all["files"]["total"]), (&json!(1), &json!(1)));
    assert_eq!(desk.call(DANA, "search.files", "query=marsupial")["files"]["matches"][0]["name"], "quokka.txt");
}

#[test]
fn the_index_and_what_is_not_in_it_yet_agree() {
    let desk = Desk::new();
    for n in 0..300 {
        let text = if n % 100 == 7 { format!("rare {n}") } else { format!("common {n}") };
        desk.post(TESTER, &format!("channel={{#general}}&text={text}"));
    }
    assert_eq!(found(&desk, "rare"), ["rare 207", "rare 107", "rare 7"]);
    let page = |cursor: &str| {
        desk.call(DANA, "search.messages", &format!("query=common&sort=timestamp&count=100&cursor={cursor}"))
    };
    let (mut cursor, mut seen) = ("*".to_owned(), 0);
    loop {
        let answer = page(&cursor);
        seen += answer["messages"]["matches"].as_array().unwrap_or_else(|| panic!("{answer}")).len();
        match answer["messages"]["paging"]["next_cursor"].as_str() {
            Some(next) if !next.is_empty() => next.clone_into(&mut cursor),
            _ => break,
        }
    }
    assert_eq!(seen, 297);
    let hit: &Value = &desk.call(DANA, "search.messages", "query=rare&count=1")["messages"]["matches"][0];
    assert!(hit["permalink"].as_str().unwrap().starts_with("https://acme-corp.slack.com/archives/"));
}
