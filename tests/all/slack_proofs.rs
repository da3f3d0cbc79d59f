//! Slack's twin against what is public of Slack's answers, events and errors.
//!
//! The calls are those of `tests/silent/slack.yaml`, with more in `tests/samples/` and `tests/errors/`. What of the
//! public samples and lists of errors the twin cannot show is listed beside them with its reason; the lists may only
//! shrink. Where the folder of public documents does not lie beside the repository, nothing is compared.

mod errors;
mod events;
mod left;
mod samples;
mod shape;
mod worlds;

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    silent::{Stage, plan::Step},
    support::root,
};

/// Takes steps one after the other; each must work.
async fn walk(stage: &mut Stage, steps: &[Step]) {
    for step in steps {
        if step.pass > 0 {
            stage.universe.advance(Duration::from_secs(step.pass)).await;
        } else {
            stage.take(step);
        }
    }
}

/// One of the public documents; none where they do not lie beside the repository.
fn document(name: &str) -> Option<Value> {
    let text = fs_err::read_to_string(root().join("../shared/specs").join(name)).ok();
    if text.is_none() {
        say(&format!("skipped: {name} does not lie beside the repository, in ../shared/specs"));
    }
    text.map(|text| serde_json::from_str(&text).expect("the document is JSON"))
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests is told what was left out")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// A file of this repository.
fn read<T: DeserializeOwned>(path: &str) -> T {
    let text = fs_err::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Fails with all problems at once.
fn hold(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
