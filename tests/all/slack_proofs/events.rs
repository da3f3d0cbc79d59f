//! Events have the fields and types of the public samples.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use super::{document, hold, left::Left, read, shape::Shape, stage, walk};
use crate::silent::plan::Step;

/// What causes events.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Causes {
    /// What the app subscribes to.
    subscribe: Vec<String>,
    steps: Vec<Step>,
}

/// An app that proves its address and takes all else.
struct App;

impl Respond for App {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        ResponseTemplate::new(200).set_body_json(json!({ "challenge": body["challenge"] }))
    }
}

/// What an event is: its type, and a message's subtype.
fn kind(event: &Value) -> String {
    let kind = event["type"].as_str().unwrap_or_default();
    match event["subtype"].as_str().filter(|subtype| kind == "message" && !subtype.is_empty()) {
        Some(subtype) => format!("{kind}.{subtype}"),
        None => kind.to_owned(),
    }
}

/// All events that the steps cause, by their kinds.
async fn caused(causes: &Causes) -> BTreeMap<String, Shape> {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(App).mount(&server).await;
    let mut stage = stage();
    let how = json!({ "app": "dtu-tester", "events_url": server.uri(), "events": causes.subscribe });
    let Value::Object(how) = how else { unreachable!("is an object") };
    stage.universe.perform("slack.admin.configure_app", "dana", how).unwrap_or_else(|refusal| panic!("{}", refusal.0));
    assert!(stage.universe.settle(Duration::from_secs(20)).await, "the address is proven");
    walk(&mut stage, &causes.steps).await;
    assert!(stage.universe.settle(Duration::from_secs(20)).await, "deliveries end");
    let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
    for request in server.received_requests().await.unwrap_or_default() {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        shapes.entry(kind(body.get("event").unwrap_or(&body))).or_default().take(&body);
    }
    shapes
}

#[tokio::test]
async fn events_have_the_fields_of_the_samples() {
    let Some(Value::Object(samples)) = document("slack-event-samples-java.json") else { return };
    let shapes = caused(&read("tests/samples/slack-events.yaml")).await;
    let mut found = Vec::new();
    for sample in samples.values() {
        let name = kind(&sample["event"]);
        match shapes.get(&name) {
            Some(shape) => found.extend(shape.lacks(sample).into_iter().map(|place| format!("{name} {place}"))),
            None => found.push(format!("{name} *")),
        }
    }
    found.dedup();
    hold(&Left::read("tests/samples/slack-events.txt").hold(&found));
}
