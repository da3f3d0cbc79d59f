//! Trajectories of small scripts on the test's twin. The supervisor is the `dtu` beside this test program.

use std::{path::PathBuf, sync::Arc};

use dtu_kernel::clock::ClockMode;
use dtu_kernel::universe::Options;

use super::*;
use crate::{
    load, testing,
    variant::{self, Variant},
};

fn dtu() -> PathBuf {
    let tests = std::env::current_exe().expect("has a path");
    let dtu = tests.ancestors().nth(2).expect("lies in deps").join("dtu");
    assert!(dtu.exists(), "there is no {}: run all tests of the package, not the library's alone", dtu.display());
    dtu
}

fn setup(folder: &Path, command: &str, lines: &str) -> Setup {
    let text = format!(
        "schema: dtu/target/v1\nname: script\ncommand: [sh, -c, '{command}']\nquiesce: {{idle: 30ms}}\n\
         stop: {{grace: 200ms}}\n{lines}\n"
    );
    let file = folder.join("target.yaml");
    fs_err::write(&file, text).expect("writes");
    let target = load::target(&file).unwrap_or_else(|problems| panic!("{problems:#?}"));
    Setup::new(target, Supervisor::at(dtu()), &testing::twins(), true)
}

fn universe(clock: ClockMode) -> Arc<Universe> {
    let options = Options { clock, ..Options::default() };
    let world = Arc::new(testing::world());
    let master = Universe::create("master", testing::twins().into(), world, &options).expect("is made");
    master.fork("test", Some(5))
}

fn unit(scenario: &LoadedScenario) -> Unit {
    let variant: Variant = variant::variants(&scenario.scenario).remove(0);
    let key = crate::plan::Key { scenario: "test.one".to_owned(), variant: variant.id.clone(), n: 1 };
    Unit { key, scenario: 0, variant, seed: 5 }
}

struct Played {
    record: Record,
    universe: Arc<Universe>,
    folder: tempfile::TempDir,
}

async fn play(clock: ClockMode, command: &str, target: &str, scenario: &str) -> Played {
    let folder = tempfile::tempdir().expect("makes a folder");
    let scenario = testing::scenario_with(scenario);
    let universe = universe(clock);
    let setup = setup(folder.path(), command, target);
    let evidence = folder.path().join("evidence");
    fs_err::create_dir_all(&evidence).expect("makes a folder");
    let played = run(&setup, &scenario, &unit(&scenario), Arc::clone(&universe), &evidence).await;
    Played { record: played.expect("the run goes on"), universe, folder }
}

async fn check(command: &str, target: &str, scenario: &str, outcome: Outcome, why: &str) {
    let record = play(ClockMode::Real, command, target, scenario).await.record;
    assert_eq!(record.outcome, outcome, "{record:#?}");
    assert_eq!(record.reasons.join("; "), why);
}

const WAITS: &str = "echo up; exec sleep 60";
const READY: &str = "ready: {any_of: [{log: up}]}";

#[tokio::test(flavor = "multi_thread")]
async fn how_stories_end() {
    use Outcome::{Satisfied, Unsatisfied, Void};
    check(WAITS, READY, "", Satisfied, "").await;
    check("exit 4", READY, "", Unsatisfied, "the target ended with exit code 4 before it was ready").await;
    let never = "beats: [{id: go, when: 'false', timeout: 60ms}]";
    check(WAITS, READY, never, Unsatisfied, "beat `go` never became possible: within 60ms, `false` did not hold").await;
    let dies = "echo up; sleep 0.1; kill -9 $$";
    let long = "beats: [{pause: 5s}]";
    check(dies, READY, long, Unsatisfied, "signal 9 ended the target before its trajectory was over").await;
    let takes = "beats: [{as: lena, do: shelf.user.take, with: {item: cup}}]";
    let refused = "beat 1: shelf.user.take was refused to lena: there is no cup";
    check(WAITS, READY, takes, Unsatisfied, refused).await;
    check(WAITS, READY, &takes.replace("}]", ", optional: true}]"), Satisfied, "").await;
    let connect = format!("{READY}\nconnect: [{{as: lena, do: shelf.user.take, with: {{item: cup}}}}]");
    check(WAITS, &connect, "", Void, "connect: shelf.user.take was refused: there is no cup").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beat_waits_for_what_the_target_does() {
    let scenario = "
beats:
  - {when: 'shelf.items[0].name == \"cup\"', as: lena, do: shelf.user.take, with: {item: cup}}
checks:
  - {name: gone, that: {finally: 'shelf.items.size() == 0'}}
collateral: {allow: [{table: shelf.items}]}";
    // The shell has no HTTP of its own: bash does, by its device for connections.
    let put = "exec 3<>/dev/tcp/127.0.0.1/${URL##*:}; printf \"PUT /items/cup HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\\r\\n\" >&3; cat <&3; sleep 60";
    if crate::process::find_program(Path::new("bash")).is_none() {
        return;
    }
    let command = "exec bash -c \"$SCRIPT\"";
    let target = format!(
        "env: {{URL: \"${{twins.shelf}}\", SCRIPT: {}}}\nready: {{any_of: [{{called: shelf.putItem}}]}}",
        json!(put.replace("${", "$${"))
    );
    let played = play(ClockMode::Real, command, &target, scenario).await;
    assert_eq!(played.record.outcome, Outcome::Satisfied, "{:#?}", played.record);
    let ledger = fs_err::read_to_string(played.folder.path().join("evidence/ledger.ndjson")).expect("is there");
    assert_eq!(ledger.lines().count() as u64, played.universe.ledger().len());
    assert!(ledger.contains("putItem") && ledger.contains("shelf.user.take"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stepped_clock_moves_where_nothing_happens() {
    let scenario = "
beats: [{advance: 1h}, {pause: 30m}, {when: 'now >= \"2026-03-02T10:40\"', timeout: 1h}]
checks: [{name: late, that: {eventually: {within: 2d, that: 'now >= \"2026-03-04T11:00\"'}}}]";
    let began = Instant::now();
    let played = play(ClockMode::Stepped, WAITS, READY, scenario).await;
    assert_eq!(played.record.outcome, Outcome::Satisfied, "{:#?}", played.record);
    assert!(began.elapsed() < Duration::from_secs(20), "days pass in seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn forks_with_seeds_of_their_own_are_valid_worlds() {
    let one = universe(ClockMode::Stepped);
    let two = one.fork("two", Some(6));
    assert_eq!(one.view("shelf", "items"), two.view("shelf", "items"));
    assert_eq!(testing::call(&two, "putItem", "cup", ""), 200);
    assert_ne!(one.view("shelf", "items"), two.view("shelf", "items"));
    assert_eq!((one.seed(), two.seed()), (5, 6));
}
