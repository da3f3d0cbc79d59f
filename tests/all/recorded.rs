//! Recorded truth: the twins answer as the live services did.
//!
//! The recordings are no part of the project. Where the folder is not there, nothing is checked, and the test says so.

mod certificates;
mod token_calls;

use std::{collections::BTreeMap, path::PathBuf};

use dtu_kernel::{operation::Level, wire::Request};
use dtu_tests::recorded::{
    devices, evidence, org,
    recording::{Exchange, Recording},
    replay::{Played, Progress, Stage},
    sources,
};
use serde_json::{Value, json};

use crate::support::root;

/// One administrator with some tokens; everything else is what every org has.
const OKTA: &str = "
schema: dtu/world/v1
name: recorded
company: {name: Recorded, domain: recorded.example, timezone: Etc/UTC}
people:
  - {key: admin, first: Ada, last: Admin, email: ada.admin@recorded.example, title: Administrator, department: IT, location: London, admin: true}
okta:
  tokens:
    - {name: recorded, owner: admin, value: 00dtu-recorded-token-not-a-real-secret}
    - {name: second, owner: admin, value: 00dtu-second-token-not-a-real-secret}
    - {name: third, owner: admin, value: 00dtu-third-token-not-a-real-secret}
    - {name: fourth, owner: admin, value: 00dtu-fourth-token-not-a-real-secret}
";

const ORIGIN: &str = "https://test.okta.com";
const AUTHORIZATION: [&str; 2] = ["SSWS 00dtu-recorded-token-not-a-real-secret", "SSWS not-a-token"];

/// Recordings that were written or edited by hand: their ids are no service's, or what the service puts around its
/// answers is gone.
const BY_HAND: [&str; 5] = [
    "test_api_service_integrations_it_TestApiServiceIntegrationsResource.test_api_service_integration_lifecycle",
    "test_application_cross_app_access_connections_it_TestApplicationCrossAppAccessConnectionsResource.test_cross_app_access_connection_lifecycle",
    "test_application_features_it_aTestApplicationFeaturesResource.test_application_features_lifecycle",
    "test_factors_it_TestFactorsResource.test_list_factors_signed_nonce",
    "test_groups_it_TestGroupsResource.test_group_profile_custom_attributes",
];

/// A world for a recording: an org of the kind that it was made in.
fn okta_world(recording: Option<&Recording>) -> String {
    let kind = recording.map_or_else(org::Kind::default, org::Kind::of);
    let calls = |recording: &Recording| recording.exchanges.iter().any(token_calls::is_one);
    let client = if recording.is_some_and(calls) { token_calls::client() } else { String::new() };
    let devices = recording.map(|recording| devices::section(recording, "admin")).unwrap_or_default();
    let sources = recording.map(sources::section).unwrap_or_default();
    format!("{OKTA}{}{client}{devices}{sources}", kind.section())
}

/// Credentials are not recorded, but that one was bad shows in the answer.
fn was_refused(exchange: &Exchange) -> bool {
    exchange.response.status == 401 && exchange.response.body["errorCode"] == "E0000011"
}

fn recordings(service: &str) -> Option<Vec<Recording>> {
    let folder: PathBuf = root().parent()?.join("shared/recordings").join(service);
    folder.exists().then(|| Recording::read_all(&folder).expect("recordings are read"))
}

async fn play_okta(recordings: &[Recording]) -> Vec<Played> {
    let okta = dtu_universe::all().into_iter().find(|host| host.name() == "okta").expect("there is an Okta");
    let stage = Stage::new(okta, okta_world, ORIGIN, AUTHORIZATION, was_refused);
    let stage = stage.expect("the world loads").filling(fill);
    let mut played = Vec::new();
    for recording in recordings.iter().filter(|recording| !BY_HAND.contains(&recording.name.as_str())) {
        played.extend(stage.play(recording).await.expect("a recording is played"));
    }
    played
}

/// Puts into a request what recordings leave out.
fn fill(exchange: &Exchange, request: &mut Request, progress: &Progress) {
    token_calls::fill(exchange, request, progress);
    certificates::fill(exchange, request);
}

/// How many exchanges agree, by the level of their operation, for whoever reads the test's output.
fn summary(played: &[Played]) -> String {
    let mut levels: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for one in played {
        let level = levels.entry(one.operation.map_or("not served", |(_, level)| level.name())).or_default();
        level[0] += 1;
        level[1] += usize::from(one.differences.is_empty());
        level[2] += usize::from(!one.differences.is_empty() && one.is_lost);
    }
    let line = |(level, [all, agree, after]): (&str, [usize; 3])| {
        format!(
            "{level}: {agree} of {all} recorded exchanges agree, {after} of the others name an object that the twin has not\n"
        )
    };
    levels.into_iter().map(line).collect()
}

/// What `DTU_EVIDENCE` asks for: `write` writes what is committed anew, `show` tells all disagreements.
#[expect(
    clippy::disallowed_methods,
    reason = "`cargo xtask evidence` asks a test to write, and a test has no command line"
)]
fn is_asked(wish: &str) -> bool {
    std::env::var("DTU_EVIDENCE").is_ok_and(|value| value == wish)
}

#[tokio::test]
async fn okta_answers_as_recorded() {
    let Some(recordings) = recordings("okta") else {
        say("skipped: there are no recordings of Okta beside the repository");
        return;
    };
    let mut played = play_okta(&recordings).await;
    say(&summary(&played));
    // A call that is refused by name says nothing of what the service does.
    played.retain(|one| one.operation.is_some_and(|(_, level)| level != Level::Absent));
    if is_asked("show") {
        played.iter().filter(|one| !one.differences.is_empty()).for_each(|one| say(&evidence::told(one)));
    }
    hold("okta", &played);
}

/// Holds a replay against what is committed, or writes it.
fn hold(service: &str, played: &[Played]) {
    let evidence_file = root().join(format!("tests/evidence/{service}.json"));
    let list_file = root().join(format!("tests/recorded/{service}.txt"));
    let text = fs_err::read_to_string(&evidence_file).unwrap_or_default();
    let before: Value = serde_json::from_str(&text).unwrap_or_else(|_| json!({}));
    let list = fs_err::read_to_string(&list_file).unwrap_or_default();
    let counts = evidence::count(played);
    let fallen = evidence::fallen(&evidence::committed(&before), played);
    assert!(fallen.is_empty(), "fewer exchanges agree than did:\n{}", fallen.join("\n"));
    let surprises = evidence::surprises(played, &list);
    let after = evidence::with_counts(&before, &counts);
    if is_asked("write") {
        let text = serde_json::to_string_pretty(&after).expect("is JSON");
        fs_err::write(&evidence_file, text + "\n").expect("the evidence is written");
        fs_err::write(&list_file, evidence::list(played)).expect("the list is written");
        return;
    }
    assert!(
        surprises.is_empty(),
        "{}\nhint: run `cargo xtask evidence` where this is for the better",
        surprises.join("\n")
    );
    assert!(after == before, "{} is not up to date\nhint: run `cargo xtask evidence`", evidence_file.display());
}

fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
}
