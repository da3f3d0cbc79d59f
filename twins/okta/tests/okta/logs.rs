//! The System Log.

use std::time::Duration;

use serde_json::json;

use crate::support::{Got, Org, call};

fn suspend(org: &Org, login: &str) {
    org.post(&format!("/api/v1/users/{login}/lifecycle/suspend"), &json!({}));
}

#[test]
fn an_entry_tells_who_did_what_to_whom() {
    let org = Org::acme();
    let request = call("POST /api/v1/users/lena.fischer/lifecycle/suspend").header("user-agent", "okta-sdk-python/3");
    let request_id = org.check(request, 200).header("x-okta-request-id").to_owned();
    let got = org.get("/api/v1/logs");
    insta::assert_json_snapshot!(got.body[0], {
        ".uuid" => "[uuid]", ".actor.id" => "[id]", ".target[].id" => "[id]",
        ".transaction.id" => "[request]", ".transaction.detail.requestApiTokenId" => "[token]",
        ".debugContext.debugData.requestId" => "[request]",
    });
    assert_eq!(got.text("/0/transaction/id"), request_id);
    let token = got.text("/0/transaction/detail/requestApiTokenId");
    let by_token = org.get(&format!("/api/v1/logs?filter=transaction.detail.requestApiTokenId+eq+%22{token}%22"));
    assert_eq!(by_token.column("/uuid").len(), 1);
}

#[test]
fn polling_never_ends() {
    let org = Org::acme();
    let empty = org.get("/api/v1/logs");
    assert_eq!(empty.column("/uuid").len(), 0);
    let next = empty.link("next").expect("polls always go on");
    for login in ["lena.fischer", "omar.haddad", "zoe.oneill"] {
        suspend(&org, login);
    }
    let first = org.get(&next.replace("limit=100", "limit=2"));
    assert_eq!(first.column("/uuid").len(), 2);
    let second = org.get(&first.link("next").expect("goes on"));
    assert_eq!(second.text("/0/target/0/alternateId"), "zoe.oneill@acme.example");
    let third = org.get(&second.link("next").expect("goes on"));
    assert_eq!(third.column("/uuid").len(), 0);
    suspend(&org, "mei.zhang");
    let fourth = org.get(&third.link("next").expect("goes on"));
    assert_eq!(fourth.column("/target/0/alternateId"), ["mei.zhang@acme.example"]);
}

async fn spread() -> Org {
    let org = Org::acme();
    for login in ["lena.fischer", "omar.haddad", "zoe.oneill", "mei.zhang"] {
        suspend(&org, login);
        org.universe.advance(Duration::from_secs(3_600)).await;
    }
    org
}

fn names(got: &Got) -> Vec<String> {
    got.column("/target/0/displayName")
        .iter()
        .map(|name| name.split(' ').next().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn bounded_questions_end() {
    let org = spread().await;
    let day = "since=2026-03-02T00:00:00Z&until=2026-03-02T12:00:00Z";
    let first = org.get(&format!("/api/v1/logs?{day}&limit=2"));
    assert_eq!(names(&first), ["Lena", "Omar"]);
    let second = org.get(&first.link("next").expect("there is more"));
    assert_eq!((names(&second), second.link("next")), (vec!["Zoë".to_owned()], None));
    let down = org.get(&format!("/api/v1/logs?{day}&limit=2&sortOrder=DESCENDING"));
    assert_eq!(names(&down), ["Zoë", "Omar"]);
    let rest = org.get(&down.link("next").expect("there is more"));
    assert_eq!((names(&rest), rest.link("next")), (vec!["Lena".to_owned()], None));
    assert_eq!(names(&org.get("/api/v1/logs?since=2026-03-02T10:30:00Z")), ["Zoë", "Mei"]);
}

#[tokio::test]
async fn filters_and_words_narrow() {
    let org = spread().await;
    let lena = org.id("lena.fischer");
    let check = |query: &str, count: usize| {
        let query = query.replace(' ', "+").replace('"', "%22");
        assert_eq!(org.get(&format!("/api/v1/logs?{query}")).column("/uuid").len(), count, "{query}");
    };
    check(r#"filter=eventType eq "user.lifecycle.suspend""#, 4);
    check(r#"filter=eventType sw "user" and outcome.result eq "SUCCESS""#, 4);
    check(r#"filter=eventType co "group" or eventType ew "suspend""#, 4);
    check(r#"filter=not (eventType eq "user.lifecycle.suspend")"#, 0);
    check(&format!(r#"filter=target.id eq "{lena}""#), 1);
    check(&format!(r#"filter=target.id eq "{lena}" and eventType eq "user.lifecycle.create""#), 0);
    check(&format!(r#"filter=target.id ne "{lena}""#), 3);
    check(r#"filter=actor.alternateId eq "dana.whitfield@acme.example""#, 4);
    check("q=lena", 1);
    check("q=Lena Fischer", 1);
    check("q=Lena Haddad", 0);
    check("q=LEN", 0);
    check("q=user.lifecycle.suspend", 4);
}

#[test]
fn bad_questions_are_refused_in_the_log_s_words() {
    let org = Org::acme();
    let check = |query: &str, code: &str, summary: &str, causes: &[&str]| {
        let got = org.refuse(call(&format!("GET /api/v1/logs?{query}")), 400, code, causes);
        assert_eq!(got.text("/errorSummary"), summary);
        assert_eq!((got.body.get("errorLink"), got.text("/errorId").len()), (None, 36));
    };
    check(
        "filter=display_message+eqq+%22x%22",
        "E0000053",
        "Invalid filter 'display_message eqq \"x\"': Unrecognized attribute operator 'eqq' at position 16. Expected: eq,co,sw,pr,gt,ge,lt,le",
        &[],
    );
    check("filter=some_invalid_field+pr", "E0000053", "field is not valid: some_invalid_field", &[]);
    check("filter=published+gt+%22x%22", "E0000053", "field is not valid: published", &[]);
    check(
        "filter=debugContext.debugData.url+co+%22x%22",
        "E0000031",
        "The supplied combination of operator and field is not currently supported. Operator: co, Field: debugContext.debugData.url",
        &[],
    );
    check(
        "since=2020-01-01T00:00:00Z",
        "E0000053",
        "Invalid parameter: The since parameter is over 180 days prior to the current day.",
        &[],
    );
    let form = "The date format in your query is not recognized. Please enter dates using ISO8601 string format.";
    let valid = "must be a valid date-time or empty.";
    check(
        "until=soon",
        "E0000001",
        &format!("Api validation failed: 'until': {form} 'until': {valid}"),
        &[&format!("until: {form}"), &format!("until: {valid}")],
    );
    let limit = "must be less than or equal to 1000";
    check("limit=1001", "E0000001", &format!("Api validation failed: 'limit': {limit}"), &[&format!("limit: {limit}")]);
    let cursor = "The after parameter is not a valid cursor.";
    check("after=x", "E0000001", &format!("Api validation failed: 'after': {cursor}"), &[&format!("after: {cursor}")]);
}

/// Filters by each kind of field, by index or without, give what a look at each entry gives.
#[tokio::test]
async fn filters_of_all_kinds_find_the_same_as_looking_at_each_entry() {
    let org = spread().await;
    org.refuse(
        call("POST /api/v1/authn")
            .anonymous()
            .json(&json!({ "username": "omar.haddad@acme.example", "password": "x" })),
        401,
        "E0000004",
        &[],
    );
    org.post("/api/v1/groups", &json!({ "profile": { "name": "Movers" } }));
    let all = org.get("/api/v1/logs?limit=1000");
    let all = all.body.as_array().expect("is a list").clone();
    let first = &all[0];
    let text = |pointer: &str| first.pointer(pointer).and_then(serde_json::Value::as_str).expect("is text").to_owned();
    let check = |filter: &str, fits: &dyn Fn(&serde_json::Value) -> bool, some: bool| {
        let query = filter.replace(' ', "+").replace('"', "%22");
        let wanted: Vec<&serde_json::Value> = all.iter().filter(|entry| fits(entry)).collect();
        assert_eq!(wanted.is_empty(), !some, "{filter}");
        for order in ["ASCENDING", "DESCENDING"] {
            let got = org.get(&format!("/api/v1/logs?filter={query}&sortOrder={order}&limit=1000"));
            let mut found: Vec<&serde_json::Value> = got.body.as_array().expect("is a list").iter().collect();
            if order == "DESCENDING" {
                found.reverse();
            }
            assert_eq!(found, wanted, "{filter} {order}");
        }
    };
    let uuid = text("/uuid");
    check(&format!("uuid eq \"{uuid}\""), &|one| one["uuid"] == *uuid, true);
    let request = text("/transaction/id");
    check(&format!("transaction.id eq \"{request}\""), &|one| one["transaction"]["id"] == *request, true);
    let by_request = format!("debugContext.debugData.requestId eq \"{request}\"");
    check(&by_request, &|one| one["debugContext"]["debugData"]["requestId"] == *request, true);
    check("outcome.result eq \"FAILURE\"", &|one| one["outcome"]["result"] == "FAILURE", true);
    check("outcome.result ne \"SUCCESS\"", &|one| one["outcome"]["result"] != "SUCCESS", true);
    check("outcome.result eq \"success\"", &|one| one["outcome"]["result"] == "SUCCESS", true);
    check("severity eq \"WARN\"", &|one| one["severity"] == "WARN", true);
    check("severity eq \"INFO\"", &|one| one["severity"] == "INFO", true);
    check(
        "actor.alternateId eq \"dana.whitfield@acme.example\"",
        &|one| one["actor"]["alternateId"] == "dana.whitfield@acme.example",
        true,
    );
    check(
        "target.alternateId eq \"omar.haddad@acme.example\"",
        &|one| one["target"].to_string().contains("omar.haddad@acme.example"),
        true,
    );
    let starts =
        |one: &serde_json::Value, start: &str| one["eventType"].as_str().is_some_and(|name| name.starts_with(start));
    check("eventType sw \"user\"", &|one| starts(one, "user"), true);
    check(
        "eventType sw \"group\" or eventType eq \"user.session.start\"",
        &|one| starts(one, "group") || one["eventType"] == "user.session.start",
        true,
    );
    check("eventType ne \"user.lifecycle.suspend\"", &|one| one["eventType"] != "user.lifecycle.suspend", true);
    check("displayMessage eq \"Suspend Okta user\"", &|one| one["displayMessage"] == "Suspend Okta user", true);
    check(
        "legacyEventType eq \"core.user.config.user_suspended\"",
        &|one| one["legacyEventType"] == "core.user.config.user_suspended",
        true,
    );
    check(
        "eventType eq \"user.session.start\" and outcome.result eq \"FAILURE\"",
        &|one| one["eventType"] == "user.session.start" && one["outcome"]["result"] == "FAILURE",
        true,
    );
    check(
        &format!("uuid eq \"{uuid}\" or outcome.result eq \"FAILURE\""),
        &|one| one["uuid"] == *uuid || one["outcome"]["result"] == "FAILURE",
        true,
    );
    check("not (outcome.result eq \"SUCCESS\")", &|one| one["outcome"]["result"] != "SUCCESS", true);
    check("client.ipAddress eq \"127.0.0.1\"", &|one| one["client"]["ipAddress"] == "127.0.0.1", true);
}

#[tokio::test]
async fn filtered_pages_go_on_where_they_stopped() {
    let org = spread().await;
    let filter = "filter=eventType+sw+%22user.lifecycle%22";
    let first = org.get(&format!("/api/v1/logs?{filter}&limit=3"));
    assert_eq!(names(&first), ["Lena", "Omar", "Zoë"]);
    let second = org.get(&first.link("next").expect("goes on"));
    assert_eq!(names(&second), ["Mei"]);
    let third = org.get(&second.link("next").expect("polls never end"));
    assert_eq!(names(&third), Vec::<String>::new());
    for login in ["lena.fischer", "omar.haddad"] {
        org.post(&format!("/api/v1/users/{login}/lifecycle/unsuspend"), &json!({}));
    }
    let bounded = format!("{filter}&since=2026-03-01T00:00:00Z&until=2026-03-02T12:30:00Z&limit=4");
    let whole = org.get(&format!("/api/v1/logs?{bounded}"));
    assert_eq!((names(&whole).len(), whole.link("next")), (4, None), "bounded questions end");
}

#[tokio::test]
async fn pages_may_be_empty_and_old_entries_are_not_shown() {
    let org = spread().await;
    let none = org.get("/api/v1/logs?limit=0");
    assert_eq!(names(&none), Vec::<String>::new());
    let next = none.link("next").expect("polls never end").replace("limit=0", "limit=1000");
    assert_eq!(names(&org.get(&next)).len(), 4);
    org.refuse(call("GET /api/v1/logs?limit=-1"), 400, "E0000001", &["limit: must be greater than or equal to 0"]);
    let ten = ["a"; 10].join("+");
    assert_eq!(names(&org.get(&format!("/api/v1/logs?q={ten}"))), Vec::<String>::new());
    let causes = ["q: Freeform search cannot contain more than 10 items."];
    org.refuse(call(&format!("GET /api/v1/logs?q={ten}+a")), 400, "E0000001", &causes);
    // What is older than ninety days is left out, without a word.
    org.universe.advance(Duration::from_secs(90 * 86_400 - 3 * 3_600)).await;
    let since = "since=2026-03-01T00:00:00Z";
    assert_eq!(names(&org.get(&format!("/api/v1/logs?{since}"))), ["Omar", "Zoë", "Mei"]);
}
