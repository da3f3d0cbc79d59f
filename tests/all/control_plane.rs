//! The control plane over HTTP: what the harness, people and other programs rely on.

use serde_json::{Value, json};

use crate::support::{Plane, stepped};

#[tokio::test]
async fn nothing_is_told_without_the_token() {
    let plane = Plane::start().await;
    for (header, wanted) in [
        (None, 401),
        (Some("Bearer wrong".to_owned()), 401),
        (Some(format!("Basic {}", plane.token())), 401),
        (Some(format!("Bearer {}", plane.token())), 200),
    ] {
        for path in ["/v1/universes", "/openapi.json"] {
            let mut request = plane.http.get(plane.url(path));
            if let Some(header) = &header {
                request = request.header("authorization", header);
            }
            let status = request.send().await.expect("answers").status();
            assert_eq!(status, wanted, "{path} with {header:?}");
        }
    }
}

#[tokio::test]
async fn a_universe_is_made_forked_reset_and_ended() {
    let plane = Plane::start().await;
    let base = plane.universe(stepped(7)).await;
    let id = base["universe"].as_str().expect("has an id");
    assert_eq!((&base["seed"], &base["world"], &base["clock"]), (&json!(7), &json!("acme"), &json!("stepped")));

    let posted = plane.slack(&base, "chat.postMessage", &[("channel", "#general"), ("text", "before the fork")]).await;
    assert_eq!(posted["ok"], true, "{posted}");
    let (status, fork) = plane.call("POST", &format!("/v1/universes/{id}/fork"), Some(json!({ "id": "branch" }))).await;
    assert_eq!((status, &fork["universe"]), (201, &json!("branch")));
    assert_ne!(fork["twins"]["slack"]["url"], base["twins"]["slack"]["url"]);

    let channel = posted["channel"].as_str().expect("a channel's id");
    plane.slack(&fork, "chat.postMessage", &[("channel", channel), ("text", "in the fork")]).await;
    let texts = async |universe: &Value| {
        let history = plane.slack(universe, "conversations.history", &[("channel", channel), ("limit", "3")]).await;
        let messages = history["messages"].as_array().expect("a history").clone();
        messages.iter().map(|m| m["text"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(texts(&fork).await[..2], ["in the fork", "before the fork"]);
    assert_eq!(texts(&base).await[0], "before the fork");

    let (status, _) = plane.call("POST", &format!("/v1/universes/{id}/reset"), None).await;
    assert_eq!(status, 200);
    assert_ne!(texts(&base).await[0], "before the fork");
    assert_eq!(texts(&fork).await[0], "in the fork", "a reset of the one leaves the other");

    let (status, _) = plane.call("DELETE", &format!("/v1/universes/{id}"), None).await;
    assert_eq!(status, 204);
    let (status, error) = plane.call("GET", &format!("/v1/universes/{id}"), None).await;
    assert_eq!((status, &error["error"]["code"]), (404, &json!("not_found")));
    let gone = plane.http.get(base["twins"]["slack"]["url"].as_str().expect("a URL")).send().await;
    assert!(gone.is_err(), "a deleted universe listens no more");
}

#[tokio::test]
async fn state_diff_and_ledger_tell_what_happened() {
    let plane = Plane::start().await;
    let universe = plane.universe(stepped(1)).await;
    let at = |path: &str| format!("/v1/universes/{}{path}", universe["universe"].as_str().unwrap_or_default());
    let (_, start) = plane.call("GET", &at("/ledger"), None).await;
    assert_eq!(start["entries"][0]["action"], "created");

    let profile = json!({ "profile": { "name": "book-club" } });
    let (status, group) = plane.okta(&universe, "POST", "/api/v1/groups", Some(profile)).await;
    assert_eq!(status, 200, "{group}");

    let (_, ledger) = plane.call("GET", &at("/ledger?from=1&limit=1"), None).await;
    let entry = &ledger["entries"][0];
    assert_eq!(
        (&entry["principal"], &entry["twin"], &entry["operation"], &entry["status"]),
        (&json!("target"), &json!("okta"), &json!("addGroup"), &json!(200))
    );
    let (_, diff) = plane.call("GET", &at("/diff"), None).await;
    let rows = diff.as_array().expect("rows");
    let added =
        rows.iter().find(|row| row["key"] == group["id"] && row["before"].is_null()).expect("the group was added");
    assert_eq!(added["causes"][0], json!({ "seq": 1, "principal": "target" }));

    let (_, groups) = plane.call("GET", &at("/state/okta/groups"), None).await;
    assert!(groups.as_array().expect("rows").iter().any(|row| row["name"] == "book-club"));
    let (status, error) = plane.call("GET", &at("/state/okta/grups"), None).await;
    assert_eq!((status, &error["error"]["hint"]), (404, &json!("did you mean `groups`?")));
}

#[tokio::test]
async fn the_ledger_can_be_followed() {
    let plane = Plane::start().await;
    let universe = plane.universe(stepped(1)).await;
    let url = plane.url(&format!("/v1/universes/{}/ledger/stream", universe["universe"].as_str().unwrap_or_default()));
    let mut stream = plane.http.get(url).bearer_auth(plane.token()).send().await.expect("answers");
    plane.slack(&universe, "auth.test", &[]).await;
    let mut text = String::new();
    while !text.contains("auth.test") {
        let chunk = tokio::time::timeout(std::time::Duration::from_secs(60), stream.chunk()).await;
        let chunk = chunk.expect("comes in time").expect("is read").expect("does not end");
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(text.contains("event: control") && text.contains("event: request") && text.contains("id: 1"), "{text}");
}

#[tokio::test]
async fn snapshots_bring_back_state_and_time() {
    let plane = Plane::start().await;
    let universe = plane.universe(stepped(1)).await;
    let at = |path: &str| format!("/v1/universes/{}{path}", universe["universe"].as_str().unwrap_or_default());
    let (_, before) = plane.call("GET", &at("/state/okta/groups"), None).await;
    let (status, snapshot) = plane.call("POST", &at("/snapshots"), None).await;
    assert_eq!(status, 201);
    let (_, clock) = plane.call("POST", &at("/clock/advance"), Some(json!({ "by": "90m" }))).await;
    assert_eq!(clock["now"], "2026-03-02T10:30:00.000000Z");
    plane.okta(&universe, "POST", "/api/v1/groups", Some(json!({ "profile": { "name": "late" } }))).await;

    let id = snapshot["id"].as_str().expect("has an id");
    let (status, restored) = plane.call("POST", &at(&format!("/snapshots/{id}/restore")), None).await;
    assert_eq!((status, &restored["now"]), (200, &json!("2026-03-02T09:00:00.000000Z")));
    let (_, after) = plane.call("GET", &at("/state/okta/groups"), None).await;
    assert_eq!(before, after);
    let (_, diff) = plane.call("GET", &at("/diff"), None).await;
    assert_eq!(diff, json!([]), "what was undone is no difference");
    let (status, _) = plane.call("POST", &at("/snapshots/snap-9/restore"), None).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn faults_strike_until_they_are_disarmed() {
    let plane = Plane::start().await;
    let universe = plane.universe(stepped(1)).await;
    let at = |path: &str| format!("/v1/universes/{}{path}", universe["universe"].as_str().unwrap_or_default());
    let rule = json!({ "id": "busy", "on": { "twin": "okta", "operation": "list*" }, "do": { "rate_limited": { "retry_after": "7s" } } });
    let (status, armed) = plane.call("POST", &at("/faults"), Some(json!({ "rules": [rule] }))).await;
    assert_eq!((status, &armed[0]["fired"]), (200, &json!(0)));
    let (status, error) = plane.okta(&universe, "GET", "/api/v1/users", None).await;
    assert_eq!((status, &error["errorCode"]), (429, &json!("E0000047")));
    let (_, armed) = plane.call("GET", &at("/faults"), None).await;
    assert_eq!(armed[0]["fired"], 1);
    let (status, _) = plane.call("POST", &at("/faults"), Some(json!({ "rules": [rule] }))).await;
    assert_eq!(status, 400, "an id is armed once");
    let (status, _) = plane.call("DELETE", &at("/faults/busy"), None).await;
    assert_eq!(status, 204);
    let (status, _) = plane.okta(&universe, "GET", "/api/v1/users", None).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn real_limits_hold_on_the_universes_clock() {
    let plane = Plane::start().await;
    let universe = plane.universe(json!({ "clock": "stepped", "limits": "real" })).await;
    let at = |path: &str| format!("/v1/universes/{}{path}", universe["universe"].as_str().unwrap_or_default());
    // Tier 2: twenty calls a minute and app.
    for call in 1..=21 {
        let answer = plane.slack(&universe, "conversations.list", &[]).await;
        assert_eq!(answer["ok"], call <= 20, "call {call}: {answer}");
    }
    assert_eq!(plane.slack(&universe, "users.info", &[("user", "USLACKBOT")]).await["ok"], true, "other methods go on");
    plane.call("POST", &at("/clock/advance"), Some(json!({ "by": "60s" }))).await;
    assert_eq!(plane.slack(&universe, "conversations.list", &[]).await["ok"], true, "the next minute is a new one");
}

#[tokio::test]
async fn people_act_with_their_own_rights() {
    let plane = Plane::start().await;
    let universe = plane.universe(stepped(1)).await;
    let at = |path: &str| format!("/v1/universes/{}{path}", universe["universe"].as_str().unwrap_or_default());
    let act = |actor: &str, verb: &str, with: Value| json!({ "as": actor, "do": verb, "with": with });
    let (_, verbs) = plane.call("GET", &at("/affordances"), None).await;
    assert!(verbs.as_array().expect("verbs").iter().any(|v| v["verb"] == "slack.user.click"));

    let post = |actor: &str| act(actor, "slack.user.post", json!({ "channel": "#general", "text": "hello" }));
    let (status, done) = plane.call("POST", &at("/affordances"), Some(post("lena"))).await;
    assert_eq!(status, 200, "{done}");
    for (body, why) in [
        (post("nobody"), "nobody"),
        (act("lena", "okta.admin.deactivate_user", json!({ "user": "omar.haddad@acme.example" })), ""),
        (act("lena", "slack.user.fly", json!({})), "no verb"),
        (act("lena", "teams.user.post", json!({})), "no twin"),
        (act("lena", "slack.user.post", json!({ "channel": "#general" })), "text"),
    ] {
        let (status, error) = plane.call("POST", &at("/affordances"), Some(body.clone())).await;
        assert_eq!(status, 422, "{body}: {error}");
        assert!(error["error"]["message"].as_str().is_some_and(|m| m.contains(why)), "{body}: {error}");
    }
}

#[tokio::test]
async fn bad_requests_are_refused_in_words() {
    let plane = Plane::start().await;
    for (method, path, body, status, wanted) in [
        ("POST", "/v1/universes", json!({ "world": "acmee" }), 400, "did you mean `acme`?"),
        ("POST", "/v1/universes", json!({ "wurld": "acme" }), 400, "unknown field `wurld`"),
        ("POST", "/v1/universes", json!({ "clock": "fast" }), 400, "unknown clock `fast`"),
        ("POST", "/v1/universes", json!({ "ledger": "some" }), 400, "unknown ledger `some`"),
        ("POST", "/v1/universes", json!([]), 400, "does not fit"),
        ("POST", "/v1/universes/none/fork", json!({}), 404, "there is no universe `none`"),
        ("PATCH", "/v1/universes", json!({}), 405, "other methods"),
        ("GET", "/nowhere", Value::Null, 404, "nothing is served"),
    ] {
        let (got, error) = plane.call(method, path, Some(body)).await;
        assert_eq!(got, status, "{method} {path}: {error}");
        assert!(error.to_string().contains(wanted), "{method} {path}: {error}");
    }
}

#[tokio::test]
async fn documents_are_openapi() {
    let plane = Plane::start().await;
    let names: Vec<&str> = plane.multiverse.twins().iter().map(|twin| twin.name()).collect();
    let mut paths = vec!["/openapi.json".to_owned()];
    paths.extend(names.iter().map(|name| format!("/v1/twins/{name}/openapi.json")));
    for path in paths {
        let (status, document) = plane.call("GET", &path, None).await;
        assert_eq!(status, 200, "{path}");
        let read: openapiv3::OpenAPI = serde_json::from_value(document).expect(&path);
        assert!(!read.paths.paths.is_empty(), "{path}");
    }
}
