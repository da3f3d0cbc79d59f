//! Properties of universes that hold for whatever is done in them.

use std::{collections::BTreeSet, sync::Arc};

use dtu_kernel::{
    clock::ClockMode,
    host::{Called, Wire},
    universe::{Options, Universe},
};
use dtu_tests::calls::Call;
use proptest::prelude::*;
use serde_json::{Value, json};

fn universe(seed: u64) -> Arc<Universe> {
    let options = Options { seed, clock: ClockMode::Stepped, check: true, ..Options::default() };
    dtu_universe::multiverse().create_unserved("acme", &options).expect("acme loads")
}

fn env(universe: &Universe, name: &str) -> String {
    let found = universe.env().into_iter().find(|variable| variable.name == name);
    found.map(|variable| variable.content().to_owned()).expect("the twin names its token")
}

/// A write of either twin, as a person or program might make it.
#[derive(Debug, Clone)]
enum Act {
    Post(String),
    CreateChannel(u16),
    CreateGroup(u16),
    CreateUser(u16),
    Suspend(usize),
    PersonPosts(String),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        "[a-z ]{1,20}".prop_map(Act::Post),
        any::<u16>().prop_map(Act::CreateChannel),
        any::<u16>().prop_map(Act::CreateGroup),
        any::<u16>().prop_map(Act::CreateUser),
        (0_usize..20).prop_map(Act::Suspend),
        "[a-z ]{1,20}".prop_map(Act::PersonPosts),
    ]
}

fn perform_all<'a>(universe: &Arc<Universe>, acts: impl IntoIterator<Item = &'a Act>) {
    for act in acts {
        perform(universe, act);
    }
}

fn perform(universe: &Arc<Universe>, act: &Act) {
    let (slack, okta) = (env(universe, "SLACK_BOT_TOKEN"), env(universe, "OKTA_CLIENT_TOKEN"));
    match act {
        Act::Post(text) => {
            Call::slack("chat.postMessage", &slack, &[("channel", "#general"), ("text", text)]).send(universe);
        }
        Act::CreateChannel(n) => {
            Call::slack("conversations.create", &slack, &[("name", &format!("c{n}"))]).send(universe);
        }
        Act::CreateGroup(n) => {
            let body = json!({ "profile": { "name": format!("group {n}") } });
            Call::okta("addGroup", &okta, &[], Some(&body)).send(universe);
        }
        Act::CreateUser(n) => {
            let login = format!("u{n}@acme.example");
            let body = json!({ "profile": { "login": login, "email": login, "firstName": "A", "lastName": "B" } });
            Call::okta("createUser", &okta, &[], Some(&body)).send(universe);
        }
        Act::Suspend(n) => {
            let email = &universe.world().people[*n].email;
            Call::okta("suspendUser", &okta, &[email], None).send(universe);
        }
        Act::PersonPosts(text) => {
            let with = json!({ "channel": "#general", "text": text });
            let Value::Object(with) = with else { unreachable!("an object was written") };
            // A refusal is an answer too.
            let _ = universe.perform("slack.user.post", "omar", with);
        }
    }
}

/// All that can be seen of a universe's state.
fn everything(universe: &Universe) -> Value {
    let twins = universe.twins().iter().map(|twin| {
        let views = twin.views().into_iter().map(|(view, _)| (view.to_owned(), universe.view(twin.name(), view)));
        (twin.name().to_owned(), json!(views.collect::<std::collections::BTreeMap<_, _>>()))
    });
    twins.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_write_in_one_universe_is_seen_in_another(
        common in prop::collection::vec(act(), 0..6),
        left in prop::collection::vec(act(), 1..8),
        right in prop::collection::vec(act(), 0..8),
    ) {
        let base = universe(5);
        perform_all(&base, &common);
        let fork = base.fork("fork", None);
        let at_fork = everything(&base);
        prop_assert_eq!(&everything(&fork), &at_fork);
        perform_all(&base, &left);
        prop_assert_eq!(&everything(&fork), &at_fork, "writes of the base are not seen in the fork");
        let after_left = everything(&base);
        perform_all(&fork, &right);
        prop_assert_eq!(&everything(&base), &after_left, "writes of the fork are not seen in the base");
        // What a universe becomes depends on what was done in it alone.
        let alone = universe(5);
        perform_all(&alone, common.iter().chain(&right));
        prop_assert_eq!(everything(&fork), everything(&alone));
    }

    #[test]
    fn a_restored_universe_goes_on_as_if_nothing_had_been(
        before in prop::collection::vec(act(), 0..6),
        undone in prop::collection::vec(act(), 1..8),
        after in prop::collection::vec(act(), 0..6),
    ) {
        let restored = universe(6);
        perform_all(&restored, &before);
        let (kept, diff) = (everything(&restored), restored.diff(0).expect("is read"));
        let snapshot = restored.snapshot();
        perform_all(&restored, &undone);
        prop_assert!(restored.restore(&snapshot.id));
        prop_assert_eq!(&everything(&restored), &kept);
        prop_assert_eq!(restored.diff(0).expect("is read"), diff);
        perform_all(&restored, &after);
        let straight = universe(6);
        perform_all(&straight, before.iter().chain(&after));
        prop_assert_eq!(everything(&restored), everything(&straight), "ids and times too");
    }

    #[test]
    fn paging_visits_each_item_once_while_others_come(
        page in 1_u16..9,
        inserts in prop::collection::vec(any::<bool>(), 8..30),
    ) {
        let universe = universe(9);
        let (slack, okta) = (env(&universe, "SLACK_BOT_TOKEN"), env(&universe, "OKTA_CLIENT_TOKEN"));
        let limit = page.to_string();
        let mut insert = inserts.iter().copied().cycle().enumerate();
        let mut disturb = || {
            let (n, now) = insert.next().expect("goes on for ever");
            let n = u16::try_from(n).unwrap_or(0);
            if now {
                perform(&universe, &Act::CreateUser(n));
                perform(&universe, &Act::CreateChannel(n));
                perform(&universe, &Act::CreateGroup(n));
                perform(&universe, &Act::Post(format!("message {n}")));
            }
        };
        let general = Call::slack("conversations.list", &slack, &[("limit", "1000")]).json(&universe);
        let general = general["channels"].as_array().expect("channels").iter().find(|c| c["is_general"] == true);
        let general = general.and_then(|c| c["id"].as_str()).expect("there is a general channel").to_owned();
        for (method, list, key, extra) in [
            ("users.list", "members", "id", None),
            ("conversations.list", "channels", "id", None),
            ("conversations.history", "messages", "ts", Some(general.as_str())),
            ("conversations.members", "members", "", Some(general.as_str())),
        ] {
            let arguments = |limit: &str, cursor: &str| {
                let form = [("limit", limit), ("cursor", cursor), ("channel", extra.unwrap_or_default())];
                Call::slack(method, &slack, &form[..2 + usize::from(extra.is_some())]).json(&universe)
            };
            let keys = |answer: &Value| -> Vec<String> {
                let items = answer[list].as_array().expect("a list").iter();
                items.map(|item| if key.is_empty() { item.to_string() } else { item[key].to_string() }).collect()
            };
            let start: BTreeSet<String> = keys(&arguments("1000", "")).into_iter().collect();
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let answer = arguments(&limit, &cursor);
                seen.extend(keys(&answer));
                cursor = answer["response_metadata"]["next_cursor"].as_str().unwrap_or_default().to_owned();
                if cursor.is_empty() || seen.len() > 3_000 {
                    break;
                }
                disturb();
            }
            let distinct: BTreeSet<String> = seen.iter().cloned().collect();
            prop_assert_eq!(distinct.len(), seen.len(), "{}: nothing is seen twice", method);
            prop_assert!(start.is_subset(&distinct), "{}: nothing that was there is missed", method);
        }
        for operation in ["listUsers", "listGroups"] {
            let list = |limit: &str, after: Option<&str>| {
                let call = Call::okta(operation, &okta, &[], None).query("limit", limit);
                after.into_iter().fold(call, |call, after| call.query("after", after)).send(&universe)
            };
            let ids = |body: &[u8]| -> Vec<String> {
                let items: Vec<Value> = serde_json::from_slice(body).expect("a list");
                items.iter().map(|item| item["id"].to_string()).collect()
            };
            let start: BTreeSet<String> = ids(&list("200", None).body).into_iter().collect();
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let reply = list(&limit, after.as_deref());
                seen.extend(ids(&reply.body));
                after = next_cursor(&reply.headers);
                if after.is_none() || seen.len() > 3_000 {
                    break;
                }
                disturb();
            }
            let distinct: BTreeSet<String> = seen.iter().cloned().collect();
            prop_assert_eq!(distinct.len(), seen.len(), "{}: nothing is seen twice", operation);
            prop_assert!(start.is_subset(&distinct), "{}: nothing that was there is missed", operation);
        }
    }
}

/// Which of so many calls a rule with odds struck, while `beside` happens around each.
fn struck(universe: &Arc<Universe>, calls: usize, beside: &[usize], others: &[Act]) -> Vec<bool> {
    let token = env(universe, "SLACK_BOT_TOKEN");
    let call = || Call::slack("users.info", &token, &[("user", "USLACKBOT")]).send(universe).status == 429;
    let mut other = others.iter().cycle();
    (0..calls)
        .map(|n| {
            for _ in 0..beside.get(n).copied().unwrap_or_default() {
                other.next().into_iter().for_each(|act| perform(universe, act));
            }
            call()
        })
        .collect()
}

fn arm(universe: &Universe, rules: &[Value]) {
    let rules: Vec<_> = rules.iter().map(|rule| serde_json::from_value(rule.clone()).expect("is a rule")).collect();
    universe.arm(&rules).expect("is armed");
}

/// Whether the caller of a write is told that it worked.
fn told_of_write(universe: &Arc<Universe>, write: usize, name: &str) -> bool {
    let (slack, okta) = (env(universe, "SLACK_BOT_TOKEN"), env(universe, "OKTA_CLIENT_TOKEN"));
    let login = format!("{name}@acme.example");
    let user = json!({ "profile": { "login": login, "email": login, "firstName": "A", "lastName": "B" } });
    let call = match write {
        0 => Call::slack("conversations.create", &slack, &[("name", name)]),
        1 => Call::slack("chat.postMessage", &slack, &[("channel", "#general"), ("text", name)]),
        2 => Call::okta("addGroup", &okta, &[], Some(&json!({ "profile": { "name": name } }))),
        _ => Call::okta("createUser", &okta, &[], Some(&user)),
    };
    let Called::Answered(reply, wire) = call.called(universe) else { panic!("no write waits here") };
    let said: Option<Value> = serde_json::from_slice(&reply.body).ok();
    matches!(wire, Wire::Plain) && reply.status == 200 && said.is_some_and(|said| said["ok"] != false)
}

fn storm() -> Value {
    json!({ "id": "storm", "on": { "twin": "slack", "operation": "users.info", "probability": "1/2" },
        "do": { "rate_limited": { "retry_after": "1s" } } })
}

/// A rule that has nothing to do with [`storm`], but draws as well.
fn other_rule(n: usize) -> Value {
    let on = [
        json!({ "twin": "okta", "operation": "*", "probability": "1/2" }),
        json!({ "twin": "slack", "operation": "chat.*", "probability": "1/3" }),
        json!({ "twin": "slack", "operation": "conversations.*", "where": "has(args.name)", "probability": "2/3" }),
        json!({ "twin": "jira", "probability": "1/2" }),
    ];
    json!({ "id": format!("other-{n}"), "on": on[n % on.len()], "do": { "error": {} } })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn draws_of_a_rule_depend_on_nothing_else(
        seed in 0_u64..1_000,
        beside in prop::collection::vec(0_usize..4, 24),
        others in prop::collection::vec(act(), 1..8),
        rules in prop::collection::vec(0_usize..8, 0..6),
        place in any::<prop::sample::Index>(),
    ) {
        let alone = universe(seed);
        arm(&alone, &[storm()]);
        let wanted = struck(&alone, 24, &[], &[]);
        prop_assert!(seed > 3 || wanted.contains(&true) && wanted.contains(&false));
        let crowded = universe(seed);
        let mut all: Vec<Value> = rules.iter().enumerate().map(|(n, kind)| {
            let mut rule = other_rule(*kind);
            rule["id"] = json!(format!("other-{n}"));
            rule
        }).collect();
        all.insert(place.index(all.len() + 1), storm());
        arm(&crowded, &all);
        prop_assert_eq!(struck(&crowded, 24, &beside, &others), wanted);
    }

    #[test]
    fn what_was_committed_and_failed_is_there_once(
        writes in prop::collection::vec((0_usize..4, prop::option::of(0_usize..5)), 1..12),
    ) {
        let universe = universe(3);
        for (n, (write, lost)) in writes.iter().enumerate() {
            universe.disarm(None);
            if let Some(effect) = lost {
                let effect = [
                    json!({ "committed_error": {} }),
                    json!({ "committed_reset": {} }),
                    json!({ "committed_hang": { "for": "1s" } }),
                    json!({ "truncated": {} }),
                    json!({ "garbled": {} }),
                ][*effect].clone();
                arm(&universe, &[json!({ "id": "lost", "on": {}, "times": 1, "do": effect })]);
            }
            let name = format!("once-{n}");
            let before = universe.ledger().len();
            let told = told_of_write(&universe, *write, &name);
            prop_assert_eq!(!told, lost.is_some(), "the caller is told what the rule says");
            let (twin, view, member) =
                [("slack", "channels", "name"), ("slack", "messages", "text"), ("okta", "groups", "name"), ("okta", "users", "login")][*write];
            let rows = universe.view(twin, view).expect("is a view");
            let wanted = if *write == 3 { format!("{name}@acme.example") } else { name.clone() };
            let there = rows.as_array().expect("rows").iter().filter(|row| row[member] == json!(wanted)).count();
            prop_assert_eq!(there, 1, "{} is there once", name);
            let entries = usize::try_from(universe.ledger().len() - before).expect("fits");
            let requests = universe.ledger().page(before, entries).expect("is read");
            let requests = requests.iter().filter(|entry| entry["kind"] == "request").count();
            prop_assert_eq!(requests, 1, "one request is in the ledger");
        }
    }

    #[test]
    fn a_stale_read_shows_what_was_there_then(
        lag in 1_u64..40,
        steps in prop::collection::vec((any::<bool>(), 0_u64..15), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let _entered = runtime.enter();
        let universe = universe(4);
        let okta = env(&universe, "OKTA_CLIENT_TOKEN");
        arm(&universe, &[json!({ "id": "lag", "on": { "operation": "listGroups" },
            "do": { "stale": { "by": format!("{lag}s") } } })]);
        let start = universe.now();
        // When each group was made, in seconds after the rule was armed.
        let mut made: Vec<u64> = Vec::new();
        for (writes, passes) in steps {
            if writes {
                let body = json!({ "profile": { "name": format!("stale-{}", made.len()) } });
                Call::okta("addGroup", &okta, &[], Some(&body)).send(&universe);
                made.push(universe.now().since(start).as_secs());
            }
            runtime.block_on(universe.advance(std::time::Duration::from_secs(passes)));
            let now = universe.now().since(start).as_secs();
            let list = Call::okta("listGroups", &okta, &[], None).query("limit", "1000").json(&universe);
            let names = list.as_array().expect("a list").iter();
            let seen = names.filter(|group| group["profile"]["name"].as_str().is_some_and(|n| n.starts_with("stale-")));
            let wanted = made.iter().filter(|at| **at + lag <= now).count();
            prop_assert_eq!(seen.count(), wanted, "at {} with {:?}", now, made);
        }
    }
}

/// The `after` of the link with `rel="next"`.
fn next_cursor(headers: &http::HeaderMap) -> Option<String> {
    let links = headers.get_all("link").iter().filter_map(|link| link.to_str().ok());
    let next = links.filter(|link| link.contains("rel=\"next\"")).find_map(|link| link.split("after=").nth(1));
    next.and_then(|rest| rest.split(['&', '>']).next()).map(str::to_owned)
}
