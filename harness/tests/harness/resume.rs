//! Runs that are killed, and runs in parts, against runs that nobody disturbed: byte for byte.

use std::time::Duration;

use crate::support::{Context, eventually, is_alive, lines, pause_for};

const READY: &str = "ready: {any_of: [{log: listening}]}";
/// Is ready at once, unless a file `held` says how many may be: what is started beyond that number waits.
const WAITS: &str = "echo $$ >> started\n\
     while [ -e held ] && [ $(wc -l < started) -gt $(cat held) ]; do sleep 0.02; done\n\
     echo listening; while :; do sleep 0.02; done";
/// Holds for one of two people, so that there are failures with their reasons and repro lines in what is compared.
const FAILS_NOW_AND_THEN: &str = "params: {who: {one_of: [lena, omar]}, turn: {int: {min: 0, max: 9}}}\nchecks:\n  \
     - {name: all is well, that: {finally: 'params.who == \"lena\" || params.turn > 4'}}\n  \
     - {name: nothing is called, role: guard, that: {never: {of: \"e.kind == 'request'\"}}}";

fn context() -> Context {
    let context = Context::new();
    context.scenario("one", FAILS_NOW_AND_THEN);
    context.scenario("two", FAILS_NOW_AND_THEN);
    context.target(WAITS, READY);
    context
}

/// All files by which a run tells what it came to.
const RESULTS: [&str; 5] = ["plan.json", "result.json", "trajectories.ndjson", "junit.xml", "summary.md"];

fn check_equal(context: &Context, one: &str, whole: &str) {
    for file in RESULTS {
        let read = |run: &str| context.read(&format!("{run}/{file}")).replace(&format!("{run}/"), "RUN/");
        assert!(!read(whole).is_empty(), "{file} is there");
        assert_eq!(read(one), read(whole), "{file}");
    }
}

/// Numbers that look drawn, the same in every run of the tests.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

#[test]
fn a_run_that_was_killed_twenty_times_at_random_equals_an_undisturbed_one() {
    let context = context();
    let run = "run one.yaml two.yaml --target target.yaml --seeds 24 --jobs 2";
    let done = || ["one", "two"].map(|name| context.path(&format!("out/done/test.{name}"))).map(records).iter().sum();
    let mut dice = Dice(20);
    let mut kept: usize = 0;
    for kill in 0..20 {
        // However fast the machine, twenty runs of four leave something for the last; two of the four may be
        // children of the run before that had not come to saying so when it was killed.
        context.write("next", &(lines(&context.path("started")).len() + 4).to_string());
        fs_err::rename(context.path("next"), context.path("held")).expect("is replaced at once");
        let mut killed = context.command(&format!("{run} --out out")).spawn().expect("starts");
        // Half of them while it still reads and checks; half while trajectories run, some of them just written down.
        if kill % 2 == 1 {
            let before: usize = done();
            eventually("one more is done", || done() > before || killed.try_wait().is_ok_and(|ended| ended.is_some()));
        }
        pause_for(Duration::from_millis(dice.below(if kill % 2 == 1 { 80 } else { 600 })));
        killed.kill().expect("is killed");
        killed.wait().expect("is gone");
        let now: usize = done();
        assert!(now >= kept, "nothing that was finished is lost");
        kept = now;
    }
    assert!((1..96).contains(&kept), "the kills struck a run that was under way: {kept} of 96 were finished");
    fs_err::remove_file(context.path("held")).expect("is there");
    let (_, _, err) = context.dtu(&format!("{run} --out out"));
    assert!(err.contains(&format!("{kept} of 96 trajectories are finished already")), "{err}");
    let started = lines(&context.path("started"));
    // Each kill may have cut short two that were under way; nothing else was started twice.
    assert!(started.len() <= 96 + 2 * 20, "{} were started", started.len());
    eventually("nothing is left behind", || started.iter().all(|pid| !is_alive(pid, &context.path(""))));
    context.dtu(&format!("{run} --out whole"));
    check_equal(&context, "out", "whole");
}

fn records(folder: std::path::PathBuf) -> usize {
    let names = fs_err::read_dir(folder).into_iter().flatten().flatten();
    names.filter(|file| file.file_name().to_string_lossy().ends_with(".json")).count()
}

#[test]
fn two_shards_merged_equal_one_run_also_where_one_was_killed() {
    let context = context();
    let run = "run one.yaml two.yaml --target target.yaml --seeds 5 --jobs 2";
    let mut killed = context.command(&format!("{run} --shard 1/2 --out x")).spawn().expect("starts");
    let some = || records(context.path("x/done/test.one")) > 1;
    eventually("some are done", || some() || killed.try_wait().is_ok_and(|ended| ended.is_some()));
    killed.kill().expect("is killed");
    killed.wait().expect("is gone");
    for arguments in ["--shard 1/2 --out x", "--shard 2/2 --out y", "--out whole"] {
        context.dtu(&format!("{run} {arguments}"));
    }
    let parts = ["x", "y"].map(|part| lines(&context.path(&format!("{part}/trajectories.ndjson"))).len());
    assert_eq!((parts[0] + parts[1], parts.contains(&0)), (20, false), "each does a part: {parts:?}");
    // In whichever order the parts are named.
    for order in ["x y", "y x"] {
        let name = order.replace(' ', "-");
        let (code, _, err) = context.dtu(&format!("merge {order} --out {name}"));
        assert_eq!(code, 0, "{err}");
        check_equal(&context, &name, "whole");
    }
}
