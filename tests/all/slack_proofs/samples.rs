//! Answers have the fields and types of the public samples.

use std::collections::BTreeMap;

use dtu_kernel::operation::Level;
use dtu_universe::facts;
use serde::Deserialize;
use serde_json::Value;

use super::{document, hold, left::Left, read, shape::Shape, walk, worlds};
use crate::{
    coverage,
    silent::{
        Stage,
        plan::{Given, Step},
    },
};

/// The samples' members of refusals and warnings.
const OF_REFUSALS: &[&str] = &["error", "needed", "provided", "warning", "errors"];

/// Calls beside those of the walk, in a workspace by itself and in an organization.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Both {
    plain: More,
    organization: More,
}

/// Calls in one universe.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct More {
    /// What all calls find done.
    setup: Vec<Step>,
    calls: BTreeMap<String, Vec<Scene>>,
}

/// A call in circumstances of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scene {
    #[serde(default)]
    first: Vec<Step>,
    #[serde(default)]
    given: Given,
}

/// What a method answers in these circumstances.
async fn answer(stage: &Stage, method: &str, first: &[Step], given: &Given) -> Result<Value, String> {
    let mut stage = stage.forked();
    walk(&mut stage, first).await;
    let body = stage.call(method, &stage.plan.filled(given.clone())).json(&stage.universe);
    if body["ok"] == false { Err(format!("{method} does not work: {body}")) } else { Ok(body) }
}

/// All that a method answers to the calls that there are of it.
async fn answers(stage: &Stage, method: &str, more: &More, shape: &mut Shape, problems: &mut Vec<String>) {
    let scenes = more.calls.get(method).map(Vec::as_slice).unwrap_or_default();
    let usual = stage.plan.calls.get(method).cloned();
    let usual = usual.iter().flat_map(|given| std::iter::once(given).chain(&given.also)).map(|given| (&[][..], given));
    for (first, given) in usual.chain(scenes.iter().map(|scene| (&scene.first[..], &scene.given))) {
        match answer(stage, method, first, given).await {
            Ok(body) => shape.take(&body),
            Err(problem) => problems.push(problem),
        }
    }
}

/// A universe in which all is set up that calls find.
async fn ready(org: bool, more: &More) -> Stage {
    const IDENTITY: &str = "identity.basic, identity.email, identity.avatar, identity.team";
    const MORE: &str = "team.billing:read, team.preferences:read, conversations.connect:manage, tokens.basic, \
                        team:read, openid, profile, email";
    let identity = format!("scopes: [commands], user_token: xoxp-dtu-identity, user: lena, user_scopes: [{IDENTITY}]");
    let more_scopes =
        format!("scopes: [{MORE}], user_token: xoxp-dtu-more, user: henrik, user_scopes: [{MORE}, admin]");
    let apps = [
        worlds::steward(),
        worlds::app("identity", &identity),
        worlds::app("more", &more_scopes),
        worlds::app("classic", "scopes: [bot]"),
    ];
    let mut stage = worlds::stage(&worlds::acme(org, &apps));
    walk(&mut stage, &more.setup).await;
    stage.plan.finish();
    stage
}

/// A sample without what only refusals have.
fn of_success(sample: &Value) -> Value {
    let mut sample = sample.clone();
    if let Some(members) = sample.as_object_mut() {
        members.retain(|name, _| !OF_REFUSALS.contains(&name.as_str()));
        if let Some(metadata) = members.get_mut("response_metadata").and_then(Value::as_object_mut) {
            metadata.retain(|name, _| !matches!(name.as_str(), "messages" | "warnings"));
        }
        members
            .retain(|name, part| name != "response_metadata" || part.as_object().is_some_and(|part| !part.is_empty()));
    }
    sample
}

#[tokio::test]
async fn answers_have_the_fields_of_the_samples() {
    let Some(samples) = document("slack-response-samples-java.json") else { return };
    let Both { plain, organization } = read("tests/samples/slack.yaml");
    let facts = facts::of("slack").expect("is a twin");
    let stages = [
        (ready(false, &plain).await, plain),
        (ready(true, &organization).await, organization),
        (Stage::administrators(facts), More::default()),
    ];
    let coverage = coverage::of(facts);
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for row in coverage.documented().filter(|row| row.level == Level::Behaves) {
        let method = row.id.as_str();
        let Some(sample) = samples.get(method) else { continue };
        let mut shape = Shape::default();
        for (stage, more) in &stages {
            answers(stage, method, more, &mut shape, &mut problems).await;
        }
        found.extend(shape.lacks(&of_success(sample)).into_iter().map(|place| format!("{method} {place}")));
    }
    problems.extend(Left::read("tests/samples/slack.txt").hold(&found));
    hold(&problems);
}
