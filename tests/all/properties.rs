//! Properties of universes that hold for whatever is done in them.

use std::{collections::BTreeSet, sync::Arc};

use dtu_kernel::{
    clock::ClockMode,
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

/// The `after` of the link with `rel="next"`.
fn next_cursor(headers: &http::HeaderMap) -> Option<String> {
    let links = headers.get_all("link").iter().filter_map(|link| link.to_str().ok());
    let next = links.filter(|link| link.contains("rel=\"next\"")).find_map(|link| link.split("after=").nth(1));
    next.and_then(|rest| rest.split(['&', '>']).next()).map(str::to_owned)
}
