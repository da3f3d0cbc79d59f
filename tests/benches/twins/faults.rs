//! What armed rules cost calls that they do not strike, and what a stuck connection costs the others.

use std::time::Duration;

use anyhow::Context as _;
use dtu_kernel::{fault::Rule, ledger::Keep};
use dtu_tests::calls::Call;
use serde_json::{Value, json};

use crate::{Page, Runtime, Served, load::Shot, load::hold_open, measure};

/// The numbers of rules that are compared with none.
const RULES: [usize; 2] = [10, 100];

/// Writes the figures.
pub(crate) fn figures(page: &mut Page, server: &Runtime, client: &Runtime, span: Duration) -> anyhow::Result<()> {
    page.say("## Fault rules\n");
    page.say("Calls that no armed rule strikes, against the same with no rule armed; then the same while eight other");
    page.say("connections wait for an answer that hangs or drips.\n");
    page.say("| call | armed | rate | ratio | budget |\n|---|---|--:|--:|--:|");
    let shot = |served: &Served| -> anyhow::Result<Shot> {
        let lena = Call::okta("getUser", &served.env("OKTA_CLIENT_TOKEN"), &["lena.fischer@acme.example"], None);
        let lena = lena.json(served.universe());
        let id = lena["id"].as_str().context("lena is in Okta")?;
        Ok(Shot::get(&format!("/api/v1/users/{id}"), &[("authorization", &served.okta_auth())]))
    };
    for (kind, other) in [
        ("of other operations", rule as fn(usize) -> Value),
        ("of this operation, whose conditions do not hold", conditional as fn(usize) -> Value),
    ] {
        for count in RULES {
            let (none, some) =
                server.block_on(async { anyhow::Ok((Served::start(Keep::Off)?, Served::start(Keep::Off)?)) })?;
            let rules: Vec<Rule> = (0..count).map(|n| serde_json::from_value(other(n))).collect::<Result<_, _>>()?;
            some.universe().arm(&rules)?;
            let [a, b] = measure(client, [none.address("okta"), some.address("okta")], &shot(&none)?, span);
            let budget = if kind.starts_with("of other") && count == 100 { "90 %" } else { "" };
            let ratio = 100.0 * b / a;
            page.say(format!(
                "| Okta `GET /api/v1/users/{{id}}` | {count} {kind} | {b:.0}/s | **{ratio:.0} %** | {budget} |"
            ));
        }
    }
    for (name, effect) in
        [("hangs", json!({ "hang": { "for": "1h" } })), ("drips", json!({ "drip": { "every": "1s", "bytes": 1 } }))]
    {
        let (free, busy) =
            server.block_on(async { anyhow::Ok((Served::start(Keep::Off)?, Served::start(Keep::Off)?)) })?;
        let stuck: Rule =
            serde_json::from_value(json!({ "id": "stuck", "on": { "operation": "listGroups" }, "do": effect }))?;
        // Both have the rule, so that they differ by the stuck connections alone.
        for served in [&free, &busy] {
            served.universe().arm(std::slice::from_ref(&stuck))?;
        }
        let slow = Shot::get("/api/v1/groups", &[("authorization", &busy.okta_auth())]);
        let held = client.block_on(hold_open(busy.address("okta"), &slow, 8));
        let [a, b] = measure(client, [free.address("okta"), busy.address("okta")], &shot(&free)?, span);
        drop(held);
        let ratio = 100.0 * b / a;
        page.say(format!(
            "| the same, beside eight answers of which each {name} | 1 | {b:.0}/s | **{ratio:.0} %** | 95 % |"
        ));
    }
    page.say("");
    Ok(())
}

/// A rule of another operation.
fn rule(n: usize) -> Value {
    let operations = ["listUsers", "addGroup", "create*", "delete*", "*Policy", "list{Apps,Zones}"];
    json!({ "id": format!("r{n}"), "on": { "twin": "okta", "operation": operations[n % 6] }, "do": { "reset": {} } })
}

/// A rule of the operation that is called, for other arguments.
fn conditional(n: usize) -> Value {
    let on = json!({ "twin": "okta", "operation": "get*", "where": format!("path.userId == 'nobody-{n}'") });
    json!({ "id": format!("c{n}"), "on": on, "do": { "reset": {} } })
}
