//! Trajectories of small scripts on the test's twin. The supervisor is the `dtu` beside this test program.

mod beats;

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
    let long = "beats: [{pause: 60s}]";
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
    assert!(began.elapsed() < Duration::from_secs(600), "days pass in moments");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_target_is_killed_started_and_given_another_secret() {
    use Outcome::{Satisfied, Unsatisfied, Void};
    let says = "echo $SECRET. >> said; echo up; exec sleep 60";
    let said = |played: &Played| fs_err::read_to_string(played.folder.path().join("said")).expect("is there");
    let play = |beats: &str| {
        let beats = format!("beats: [{beats}]");
        async move { play(ClockMode::Real, says, READY, &beats).await }
    };
    let check = |played: &Played, outcome: Outcome, starts: usize, why: &str| {
        assert_eq!(played.record.outcome, outcome, "{:#?}", played.record);
        assert_eq!(played.record.reasons.join("; "), why);
        assert_eq!(said(played).lines().count(), starts);
    };
    check(&play("{target: kill}").await, Satisfied, 1, "");
    check(&play("{target: kill}, {pause: 50ms}, {target: start}").await, Satisfied, 2, "");
    check(&play("{target: restart}, {target: restart}").await, Satisfied, 3, "");
    check(&play("{target: {pause: 50ms}}, {pause: 20ms}").await, Satisfied, 1, "");
    check(&play("{id: twice, target: start}").await, Void, 1, "beat `twice`: the target is there already");
    let rotated = play("{target: {rotate: {SECRET: \"new-${params.size()}\"}}}").await;
    check(&rotated, Satisfied, 2, "");
    assert_eq!(said(&rotated), ".\nnew-0.\n");
    let again = rotated.folder.path().join("evidence/target-2/stdout");
    assert_eq!(fs_err::read_to_string(again).expect("is there"), "up\n");
    // What ends by itself is missed, also after it was started again.
    let dies = "if test -e once; then echo up; exit 5; fi; touch once; echo up; exec sleep 60";
    let beats = "beats: [{id: again, target: restart}, {pause: 60s}]";
    let died = super::tests::play(ClockMode::Real, dies, READY, beats).await.record;
    let why = "the target ended with exit code 5 before its trajectory was over";
    assert_eq!((died.outcome, died.reasons.join("; ").as_str()), (Unsatisfied, why));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_uses_too_much_is_killed() {
    let memory = "echo up; x=0123456789abcdef; while :; do x=\"$x$x\"; done";
    let limit = |what: &str| format!("{READY}\nlimits: {{{what}}}");
    let why =
        |what: &str| format!("the target used more {what} than it may, and was killed before its trajectory was over");
    let waits = "beats: [{pause: 100s}]";
    check(memory, &limit("memory: 60000000"), waits, Outcome::Unsatisfied, &why("memory")).await;
    check("echo up; while :; do :; done", &limit("cpu: 300ms"), waits, Outcome::Unsatisfied, &why("cpu")).await;
    check(WAITS, &limit("cpu: 5s, memory: 1000000000"), "", Outcome::Satisfied, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_is_remembered() {
    let scenario = "
faults: [{rule: {id: never, on: {twin: shelf, operation: listItems}, do: {error: {status: 503}}}}]
sometimes: [{name: taken, of: \"e.verb == 'shelf.user.take'\"}, {name: asked, of: \"e.operation == 'listItems'\"}]
beats: [{as: lena, do: shelf.user.take, with: {item: cup}, optional: true}]";
    let record = play(ClockMode::Real, WAITS, READY, scenario).await.record;
    assert_eq!(record.seen, ["taken"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_runs_already_is_reset_before_each_trajectory() {
    // Answers any request with the status that it was told, and counts.
    async fn serve(status: u16) -> (String, Arc<std::sync::atomic::AtomicUsize>) {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let (url, asked) = (format!("http://{}", listener.local_addr().expect("is bound")), Arc::default());
        let count: Arc<std::sync::atomic::AtomicUsize> = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = stream.read(&mut [0; 4_096]).await;
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        (url, asked)
    }
    let target = |url: &str| {
        let text =
            format!("schema: dtu/target/v1\nname: there\nurl: {url}\nreset: {url}/reset\nquiesce: {{idle: 30ms}}\n");
        let target = load::target_from("t.yaml".to_owned(), text).unwrap_or_else(|problems| panic!("{problems:#?}"));
        Setup::new(target, Supervisor::at(dtu()), &testing::twins(), true)
    };
    let told = async |status: u16, beats: &str| {
        let (url, asked) = serve(status).await;
        let (setup, scenario) = (target(&url), testing::scenario_with(beats));
        let folder = tempfile::tempdir().expect("makes a folder");
        let played = run(&setup, &scenario, &unit(&scenario), universe(ClockMode::Real), folder.path()).await;
        let record = played.expect("the run goes on");
        (record.outcome, record.reasons.join("; "), asked.load(Ordering::SeqCst))
    };
    assert_eq!(told(204, "").await, (Outcome::Satisfied, String::new(), 1));
    let refused = "the target was not reset: it answered 500".to_owned();
    assert_eq!(told(500, "").await, (Outcome::Void, refused, 1));
    let ended = "beat 1: the target runs by itself: nobody here can end or start it".to_owned();
    assert_eq!(told(204, "beats: [{target: kill}]").await, (Outcome::Void, ended, 1));
    let setup = target("http://127.0.0.1:9");
    let scenario = testing::scenario_with("");
    let folder = tempfile::tempdir().expect("makes a folder");
    let played = run(&setup, &scenario, &unit(&scenario), universe(ClockMode::Real), folder.path()).await;
    assert!(played.is_err_and(|fatal| fatal.to_string().contains("nobody answers at http://127.0.0.1:9/reset")));
}

#[test]
fn a_target_is_a_command_or_runs_already() {
    let check = |lines: &str, told: &str| {
        let text = format!("schema: dtu/target/v1\nname: t\n{lines}\n");
        let found = load::target_from("t.yaml".to_owned(), text).map(|_| "no problems".to_owned());
        let found = found.unwrap_or_else(|problems| problems.iter().map(ToString::to_string).collect());
        assert!(found.contains(told), "{lines}: {found}");
    };
    check("command: [x]", "no problems");
    check("", "`command` is empty");
    check("url: http://127.0.0.1:1", "t.yaml:3:6: a program that runs already needs `reset`");
    check("url: http://127.0.0.1:1\nreset: http://127.0.0.1:1/r", "no problems");
    check("url: nowhere\nreset: x", "this is no URL");
    check("url: http://127.0.0.1:1\nreset: x\ncommand: [x]", "a program that runs already has no `command`");
}
