//! Paging visits each item exactly once, also while items are added.

use proptest::prelude::*;
use serde_json::Value;

use crate::desk::{Desk, TESTER};

/// Goes through all pages; `between` runs after each.
fn walk(desk: &Desk, method: &str, args: &str, list: &str, mut between: impl FnMut()) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..1000 {
        let page = desk.call(TESTER, method, &format!("{args}&cursor={}", cursor.replace('=', "%3D")));
        assert_eq!(page["ok"], true, "{page}");
        let name = |item: &Value| {
            let name = item.as_str().or(item["ts"].as_str()).or(item["id"].as_str());
            name.expect("items have ids").to_owned()
        };
        seen.extend(page[list].as_array().expect("a list").iter().map(name));
        cursor.clear();
        cursor.push_str(page["response_metadata"]["next_cursor"].as_str().unwrap_or_default());
        assert_eq!(
            page.get("has_more").is_none_or(|more| more == true),
            !cursor.is_empty() || page.get("has_more").is_none()
        );
        if cursor.is_empty() {
            return seen;
        }
        between();
    }
    panic!("paging of {method} does not end");
}

fn assert_each_once(seen: &[String]) {
    let mut sorted = seen.to_vec();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.len(), seen.len(), "something came twice");
}

#[test]
fn lists_are_walked_whole() {
    let desk = Desk::new();
    let check = |method: &str, args: &str, list: &str, count: usize| {
        for limit in [1, 2, 7, 999] {
            let seen = walk(&desk, method, &desk.expand(&format!("{args}&limit={limit}")), list, || {});
            assert_each_once(&seen);
            assert_eq!(seen.len(), count, "{method} by {limit}");
        }
    };
    check("users.list", "x=1", "members", 42);
    let public = desk.view("channels").iter().filter(|row| row["is_private"] == false).count();
    check("conversations.list", "x=1", "channels", public);
    desk.call(TESTER, "conversations.open", "users={@lena}");
    desk.call(TESTER, "conversations.open", "users={@lena},{@omar}");
    desk.call(TESTER, "conversations.create", "name=own&is_private=true");
    check("conversations.list", "types=im,public_channel,mpim,private_channel", "channels", public + 3);
    let members = desk.state().channels.iter().find(|(_, row)| row.name == "general").unwrap().1.members;
    check("conversations.members", "channel={#general}", "members", members as usize);
    check("conversations.history", "channel={#general}", "messages", 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_was_there_comes_once_while_more_is_added(before in 1_usize..30, limit in 1_usize..9, added in 0_usize..4) {
        let desk = Desk::new();
        desk.call(TESTER, "conversations.create", "name=busy");
        let channel = desk.expand("channel={#busy}&text=x");
        let mut wanted: Vec<String> = (0..before).map(|_| desk.post(TESTER, &channel)).collect();
        let thread = wanted[0].clone();
        let mut replies = vec![thread.clone()];
        replies.extend((0..before).map(|_| desk.post(TESTER, &format!("{channel}&thread_ts={thread}"))));
        let more = || for _ in 0..added { desk.post(TESTER, &channel); };
        let args = desk.expand(&format!("channel={{#busy}}&limit={limit}"));
        let seen = walk(&desk, "conversations.history", &args, "messages", more);
        assert_each_once(&seen);
        wanted.reverse();
        let old: Vec<String> = seen.iter().filter(|ts| wanted.contains(ts)).cloned().collect();
        prop_assert_eq!(old, wanted);
        let more = || for _ in 0..added { desk.post(TESTER, &format!("{channel}&thread_ts={thread}")); };
        let args = format!("{args}&ts={thread}");
        // New replies come at the end: as long as they keep coming, so does the thread.
        let seen = if added < limit { walk(&desk, "conversations.replies", &args, "messages", more) } else { replies.clone() };
        assert_each_once(&seen);
        prop_assert_eq!(&seen[..replies.len()], &replies[..]);
    }
}
