//! Events have the fields and types of the public samples.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dtu_kernel::universe::Universe;
use serde::Deserialize;
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use super::{document, hold, left::Left, read, shape::Shape, walk, worlds};
use crate::silent::plan::Step;

/// What causes events in one universe.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scene {
    /// Whether it is an organization's.
    #[serde(default)]
    org: bool,
    /// What the app's bot subscribes to.
    subscribe: Vec<String>,
    /// What the app subscribes to on behalf of people.
    #[serde(default)]
    for_people: Vec<String>,
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

async fn settle(universe: &Arc<Universe>) {
    assert!(universe.settle(Duration::from_secs(20)).await, "deliveries end");
}

/// Does something that must work.
fn act(universe: &Universe, verb: &str, by: &str, how: Value) -> Value {
    let Value::Object(how) = how else { unreachable!("is an object") };
    universe.perform(verb, by, how).unwrap_or_else(|refusal| panic!("{verb}: {}", refusal.0))
}

/// A server that the tester is told of events at.
async fn listening(universe: &Arc<Universe>, bot: &[String], people: &[String]) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(App).mount(&server).await;
    let how = json!({ "app": "dtu-tester", "events_url": server.uri(), "events": bot, "user_events": people });
    act(universe, "slack.admin.configure_app", "dana", how);
    settle(universe).await;
    server
}

/// All that was told, by its kinds.
async fn take(server: &MockServer, shapes: &mut BTreeMap<String, Shape>) {
    for request in server.received_requests().await.unwrap_or_default() {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        shapes.entry(kind(body.get("event").unwrap_or(&body))).or_default().take(&body);
    }
}

/// All events that the steps of a scene cause.
async fn caused(scene: &Scene, shapes: &mut BTreeMap<String, Shape>) {
    let mut stage = worlds::stage(&worlds::acme(scene.org, &[worlds::steward()]));
    let server = listening(&stage.universe, &scene.subscribe, &scene.for_people).await;
    walk(&mut stage, &scene.steps).await;
    settle(&stage.universe).await;
    take(&server, shapes).await;
}

/// More events than an app is sent in an hour, at a thousandth of Slack's limit.
async fn too_many(shapes: &mut BTreeMap<String, Shape>) {
    let universe = worlds::universe(&worlds::acme(false, &[]), "scale:0.001".parse().expect("is a profile"));
    let server = listening(&universe, &["message.channels".to_owned()], &[]).await;
    for number in 0..31 {
        act(&universe, "slack.user.post", "lena", json!({ "channel": "general", "text": number.to_string() }));
        settle(&universe).await;
    }
    take(&server, shapes).await;
}

#[tokio::test]
async fn events_have_the_fields_of_the_samples() {
    let Some(Value::Object(samples)) = document("slack-event-samples-java.json") else { return };
    let scenes: Vec<Scene> = read("tests/samples/slack-events.yaml");
    let mut shapes = BTreeMap::new();
    for scene in &scenes {
        caused(scene, &mut shapes).await;
    }
    too_many(&mut shapes).await;
    let mut found = Vec::new();
    for sample in samples.values() {
        let name = kind(&sample["event"]);
        let name = if name.is_empty() { kind(sample) } else { name };
        match shapes.get(&name) {
            Some(shape) => found.extend(shape.lacks(sample).into_iter().map(|place| format!("{name} {place}"))),
            None => found.push(format!("{name} *")),
        }
    }
    found.dedup();
    hold(&Left::read("tests/samples/slack-events.txt").hold(&found));
}
