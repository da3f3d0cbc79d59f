//! Okta's reads with few people and with many.

use std::time::Duration;

use anyhow::Context as _;
use dtu_kernel::ledger::Keep;
use dtu_tests::calls::Call;
use serde_json::{Value, json};

use crate::{Page, Runtime, Served, load::Shot, measure};

/// How many people share a family name, so that a search finds as many in a small org as in a large one.
const FAMILY: usize = 20;

/// One family.
const SEARCH: &str = "/api/v1/users?limit=50&search=profile.lastName%20eq%20%22Family7%22";

/// A universe with so many people more, all in one group.
struct Org {
    served: Served,
    group: String,
    person: String,
}

impl Org {
    fn of(people: usize) -> anyhow::Result<Self> {
        let served = Served::start(Keep::Off)?;
        let token = served.env("OKTA_CLIENT_TOKEN");
        let id = |made: &Value| made["id"].as_str().map(str::to_owned).with_context(|| format!("an id in {made}"));
        let group = json!({ "profile": { "name": "everybody on the bench" } });
        let group = id(&Call::okta("addGroup", &token, &[], Some(&group)).json(served.universe()))?;
        let mut person = String::new();
        for n in 0..people {
            let mail = format!("person{n}@bench.example");
            let body = json!({
                "profile": {
                    "firstName": "Person", "lastName": format!("Family{}", n / FAMILY), "email": mail, "login": mail,
                },
                "groupIds": [group],
            });
            let made = Call::okta("createUser", &token, &[], Some(&body));
            if n == people / 2 {
                person = id(&made.json(served.universe()))?;
            } else {
                made.send(served.universe());
            }
        }
        Ok(Self { served, group, person })
    }
}

/// What is read of an org.
type Target = fn(&Org) -> String;

/// The figures: each read at both sizes.
pub(crate) fn figures(
    page: &mut Page,
    server: &Runtime,
    client: &Runtime,
    span: Duration,
    people: usize,
) -> anyhow::Result<()> {
    let start = std::time::Instant::now();
    let (small, large) = server.block_on(async { anyhow::Ok((Org::of(1_000)?, Org::of(people)?)) })?;
    page.say(format!("Making {people} people within the process took {:.1?}.\n", start.elapsed()));
    page.say(format!("| what | 1,000 people | {people} people | ratio | budget |\n|---|--:|--:|--:|--:|"));
    let reads: [(&str, Target); 4] = [
        ("one person", |org| format!("/api/v1/users/{}", org.person)),
        ("a page of 50 people", |_| "/api/v1/users?limit=50".to_owned()),
        ("a search by family name", |_| SEARCH.to_owned()),
        ("50 members of a group of all", |org| format!("/api/v1/groups/{}/users?limit=50", org.group)),
    ];
    for (name, target) in reads {
        let mut rates = [0.0; 2];
        // Ids differ between the two, so each has its own call; they are measured in turn all the same.
        for (org, rate) in [&small, &large].into_iter().zip(&mut rates) {
            let shot = Shot::get(&target(org), &[("authorization", &org.served.okta_auth())]);
            [*rate] = measure(client, [org.served.address("okta")], &shot, span);
        }
        let [a, b] = rates;
        page.say(format!("| {name} | {a:.0}/s | {b:.0}/s | {:.2}x slower | 1.5x |", a / b));
    }
    page.say("");
    Ok(())
}
