//! Replays of what was recorded of the test's twin, whole and tampered with.

use dtu_kernel::{act::Act, clock::ClockMode, fault::PlanFile, replay::Recording, veil};
use serde_json::json;

use super::*;
use crate::{
    redact::{Redactor, Reveal},
    testing,
};

/// A recording of calls, acts, a fault and a move of the clock.
async fn recording() -> Recording {
    let options = Options { clock: ClockMode::Stepped, seed: 7, ..Options::default() };
    let world = Arc::new(testing::world());
    let master = Universe::create("master", testing::twins().into(), world, &options).expect("is made");
    let universe = master.fork("recorded", Some(9));
    universe.record();
    let plan = "schema: dtu/faults/v1\nname: busy\nrules: [{id: busy, on: {twin: shelf, operation: putItem, nth: 2}, do: {error: {status: 503}}}]";
    let rules = PlanFile::parse("p.yaml", plan, &[]).expect("is a plan").rules;
    universe.arm(&rules).expect("is armed");
    for item in ["cup", "pot", "jar"] {
        testing::call(&universe, "putItem", item, "owner=lena");
    }
    testing::take_away(&universe, "rob", "cup");
    testing::take_away(&universe, "rob", "nothing");
    universe.advance(std::time::Duration::from_secs(60)).await;
    testing::call(&universe, "listItems", "", "");
    let entries = universe.ledger().page(0, usize::MAX).expect("reads");
    Recording { entries, notes: universe.notes(), rules }
}

/// What a replay of it comes to.
fn again(recording: Recording) -> Result<Option<Difference>, Unable> {
    let start = serde_json::from_value(recording.entries[0]["at"].clone()).expect("is a time");
    let options = Options { clock: ClockMode::Stepped, seed: 7, start: Some(start), ..Options::default() };
    let make = || {
        let world = Arc::new(testing::world());
        let master = Universe::create("master", testing::twins().into(), world, &options).expect("is made");
        replay::replay(&master.fork("again", Some(9)), recording)
    };
    std::thread::scope(|scope| scope.spawn(make).join()).expect("ends")
}

fn at(recording: &Recording, kind: &str, nth: usize) -> usize {
    let places = recording.entries.iter().enumerate().filter(|(_, entry)| entry["kind"] == kind);
    places.map(|(at, _)| at).nth(nth).expect("is there")
}

#[tokio::test]
async fn what_was_recorded_comes_out_again() {
    assert_eq!(again(recording().await).expect("is replayed"), None);
}

#[tokio::test]
async fn the_first_difference_is_shown_with_its_place() {
    let check = async |tamper: fn(&mut Recording), place: &str, recorded: Value, replayed: Value| {
        let mut made = recording().await;
        tamper(&mut made);
        let found = again(made).expect("is replayed").expect("differs");
        assert_eq!((found.place.as_str(), found.recorded, found.replayed), (place, recorded, replayed));
    };
    let answer = |recording: &mut Recording| {
        let at = at(recording, "request", 0);
        recording.entries[at]["status"] = json!(201);
    };
    check(answer, "status", json!(201), json!(200)).await;
    let question = |recording: &mut Recording| {
        let at = at(recording, "request", 2);
        let target = recording.entries[at]["request"]["target"].as_str().expect("is text").replace("jar", "mug");
        recording.entries[at]["request"]["target"] = json!(target);
    };
    check(question, "resource", json!("jar"), json!("mug")).await;
    let refusal = |recording: &mut Recording| {
        let at = at(recording, "affordance", 1);
        recording.entries[at]["error"] = json!("no");
    };
    check(refusal, "error", json!("no"), json!("there is no nothing")).await;
    let fault = |recording: &mut Recording| recording.rules[0].on.nth = Some(3);
    let made = recording().await;
    let expected = at(&made, "fault", 0);
    let mut tampered = made;
    fault(&mut tampered);
    let found = again(tampered).expect("is replayed").expect("differs");
    assert_eq!((found.seq, found.place.as_str()), (expected as u64, "principal"));
}

#[tokio::test]
async fn what_is_not_whole_is_not_replayed() {
    let check = async |tamper: fn(&mut Recording), told: &str| {
        let mut made = recording().await;
        tamper(&mut made);
        let why = again(made).expect_err("cannot be replayed").to_string();
        assert!(why.contains(told), "{why}");
    };
    check(|recording| recording.notes.clear(), "there are no notes of this call").await;
    check(|recording| recording.rules.clear(), "an armed rule is not part of the recording").await;
    let reset = |recording: &mut Recording| {
        let at = at(recording, "request", 0);
        recording.entries[at] = json!({
            "seq": at, "at": recording.entries[at]["at"], "kind": "control", "action": "reset", "detail": {},
        });
    };
    check(reset, "`reset` cannot be done again").await;
}

#[tokio::test]
async fn courses_are_compared_kind_by_kind() {
    let made = recording().await;
    let entries = |edit: &dyn Fn(&mut Vec<Value>)| {
        let mut ledger = made.entries.clone();
        edit(&mut ledger);
        facts::numbered(&testing::twins(), ledger)
    };
    let before = entries(&|_| {});
    let check = |now: Vec<Entry>, wanted: Option<(&str, &str, u64)>| {
        let found = first_divergence(&before, &now);
        let found = found.map(|found| (found.place, found.moment.expect("has one")));
        let shown = found.as_ref().map(|(place, moment)| (place.as_str(), moment.what.as_str(), moment.nth));
        assert_eq!(shown, wanted);
    };
    let (first, second) = (at(&made, "request", 0), at(&made, "request", 2));
    check(entries(&|_| {}), None);
    check(entries(&|ledger| ledger.swap(first + 1, first + 2)), None);
    check(entries(&|ledger| drop(ledger.remove(second))), Some(("it does not happen", "putItem", 3)));
    let refused = |ledger: &mut Vec<Value>| ledger[first]["status"] = json!(409);
    check(entries(&refused), Some(("it comes out otherwise", "putItem", 1)));
    let again = |ledger: &mut Vec<Value>| {
        let mut more = ledger[first].clone();
        more["seq"] = json!(first + 1);
        ledger.insert(second + 1, more);
    };
    check(entries(&again), Some(("it did not happen before", "putItem", 4)));
}

/// The recording as it is written to disk: with placeholders for a password that was put, and with acts of a story.
fn veiled() -> Recording {
    let options = Options { clock: ClockMode::Stepped, seed: 7, ..Options::default() };
    let world = Arc::new(testing::world());
    let master = Universe::create("master", testing::twins().into(), world, &options).expect("is made");
    let universe = master.fork("recorded", Some(9));
    universe.record();
    let act = |answers, more: Value| Act {
        actor: Some("lena".into()),
        answers,
        action: "http".into(),
        name: "ask".into(),
        more: more.as_object().cloned().unwrap_or_default(),
    };
    let began = universe.note_act(&act(None, json!({ "request": { "method": "GET", "target": "/x", "body": "why" } })));
    testing::call(&universe, "putItem", "cup", "token=known-t0ken&owner=known-t0ken");
    testing::call(&universe, "putItem", "pot", "token=lost-t0ken&owner=lost-t0ken");
    universe.note_act(&act(Some(began), json!({ "status": 200, "response": { "status": 200, "body": "so" } })));
    testing::call(&universe, "listItems", "", "");
    let (mut entries, mut notes) = (universe.ledger().page(0, usize::MAX).expect("reads"), universe.notes());
    assert_eq!(entries[usize::try_from(began).expect("fits")]["request"]["body"], "why");
    let mut redactor = Redactor::default();
    redactor.read_all(&universe).expect("reads");
    for entry in &mut entries {
        veil::replace(entry, &|text| redactor.hide(text));
    }
    for note in &mut notes {
        veil::replace_note(note, &|text| redactor.hide(text));
    }
    let text = json!([entries, notes]).to_string();
    assert!(
        !text.contains("n-t0ken") && !text.contains("t-t0ken") && text.matches("Dtu-Redacted-").count() >= 8,
        "{text}"
    );
    Recording { entries, notes, rules: Vec::new() }
}

#[test]
fn a_recording_without_secrets_comes_out_again() {
    let again = |recording: Recording| {
        let start = serde_json::from_value(recording.entries[0]["at"].clone()).expect("is a time");
        let options = Options { clock: ClockMode::Stepped, seed: 7, start: Some(start), ..Options::default() };
        let make = || {
            let world = Arc::new(testing::world());
            let master = Universe::create("master", testing::twins().into(), world, &options).expect("is made");
            let universe = master.fork("again", Some(9));
            // One of the secrets is in a file that the replay has; what became of the other nobody knows.
            let mut reveal = Reveal::new(&universe, ["bot: {token: known-t0ken}"]);
            let difference = replay::replay_veiled(&universe, recording, &mut reveal);
            (difference, universe.view("shelf", "items").unwrap_or_default().to_string())
        };
        std::thread::scope(|scope| scope.spawn(make).join()).expect("ends")
    };
    let (difference, items) = again(veiled());
    assert_eq!(difference.expect("is replayed"), None);
    assert!(items.contains("known-t0ken") && !items.contains("lost-t0ken"), "{items}");
    let mut tampered = veiled();
    let last = tampered.entries.last_mut().expect("is there");
    let answer = last["response"]["body"].as_str().expect("is text").replace("cup", "mug");
    last["response"]["body"] = answer.into();
    let difference = again(tampered).0.expect("is replayed").expect("differs");
    assert!(
        difference.recorded.to_string().contains("mug") && !difference.replayed.to_string().contains("known-t0ken")
    );
}
