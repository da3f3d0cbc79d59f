//! Targets that behave badly.

use std::{path::Path, sync::Arc, time::Duration};

use dtu::{
    process::{Launch, Running, Supervisor, find_program},
    supervise::{Bounds, Exit},
};

use crate::support::{DTU, eventually, is_alive, lines};

fn script(folder: &Path, script: &str) -> Launch {
    Launch {
        program: "sh".into(),
        arguments: vec!["-c".to_owned(), script.to_owned()],
        env: vec![("WHO".to_owned(), "lena".to_owned())],
        dir: folder.to_owned(),
        evidence: folder.join("target"),
        output_max: 1_000,
        grace: Duration::from_millis(300),
        bounds: Bounds::default(),
        stdin: None,
        redactor: Arc::default(),
        signs: vec!["ready to go".to_owned()],
    }
}

async fn launch(launch: Launch) -> Running {
    Running::launch(&Supervisor::at(DTU), launch).await.expect("launches")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("makes a folder")
}

fn output(folder: &Path) -> Vec<String> {
    lines(&folder.join("target/stdout"))
}

fn all_gone(folder: &Path, pids: &[String]) {
    assert!(!pids.is_empty());
    eventually("all processes are gone", || pids.iter().all(|pid| !is_alive(pid, folder)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_sees_its_own_environment_and_may_end_in_order() {
    let folder = folder();
    let text = "trap 'echo bye; exit 7' TERM; echo $WHO ${CARGO_PKG_NAME:-unset}; echo ready to go; while :; do sleep 0.01; done";
    // It may end in order, however slowly.
    let patient = Launch { grace: Duration::from_secs(60), ..script(folder.path(), text) };
    let running = launch(patient).await;
    running.logged("ready to go").await;
    let (exit, _) = running.stop().await;
    assert_eq!(exit, Exit { code: Some(7), asked: true, ..Exit::default() });
    assert_eq!(output(folder.path()), ["lena unset", "ready to go", "bye"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_listen_is_killed_with_its_children() {
    let folder = folder();
    let text = "trap '' TERM; sleep 300 & echo $!; (sleep 300 & echo $!; wait) & echo $$; echo ready to go; while :; do sleep 1; done";
    let running = launch(script(folder.path(), text)).await;
    running.logged("ready to go").await;
    eventually("all are there", || output(folder.path()).len() == 4);
    let (exit, _) = running.stop().await;
    assert_eq!((exit.signal, exit.killed), (Some(9), true));
    let pids: Vec<String> = output(folder.path()).into_iter().filter(|line| line != "ready to go").collect();
    all_gone(folder.path(), &pids);
}

#[tokio::test(flavor = "multi_thread")]
async fn children_that_stay_behind_are_ended_and_named() {
    let folder = folder();
    // Until it is another program, a child bears its parent's name.
    let text = "sleep 300 & until grep -qs sleep /proc/$!/comm; do sleep 0.01; done; echo $!; exit 3";
    let running = launch(script(folder.path(), text)).await;
    running.ended().await;
    // Its output is on the disk once it was waited for.
    let (exit, _) = running.stop().await;
    assert_eq!((exit.code, exit.asked), (Some(3), false));
    let pids = output(folder.path());
    let leaked: Vec<(String, &str)> = exit.leaked.iter().map(|l| (l.pid.to_string(), l.command.as_str())).collect();
    assert_eq!(leaked, [(pids[0].clone(), "sleep 300")]);
    all_gone(folder.path(), &pids);
}

#[tokio::test(flavor = "multi_thread")]
async fn children_that_left_the_group_are_found_too() {
    if find_program(Path::new("setsid")).is_none() {
        return;
    }
    let folder = folder();
    let text = "setsid sh -c 'echo $$; echo ready to go; exec sleep 300' & while :; do sleep 0.05; done";
    // What is left behind has this long to follow the target, which itself ends at once.
    let running = launch(Launch { grace: Duration::from_secs(5), ..script(folder.path(), text) }).await;
    running.logged("ready to go").await;
    let (exit, _) = running.stop().await;
    assert_eq!(exit.leaked.len(), 1, "{exit:?}");
    all_gone(folder.path(), &output(folder.path())[..1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_the_group_and_its_parent_at_once_is_found_too() {
    if find_program(Path::new("setsid")).is_none() {
        return;
    }
    let folder = folder();
    // The number is written by the child itself, whose parent may have ended by then.
    let text = "(setsid sh -c 'echo $$ > child; exec sleep 300' &); until [ -s child ]; do sleep 0.01; done; echo done";
    let running = launch(script(folder.path(), text)).await;
    running.ended().await;
    let (exit, _) = running.stop().await;
    let child = lines(&folder.path().join("child"));
    assert_eq!((exit.code, output(folder.path())), (Some(0), vec!["done".to_owned()]));
    let leaked: Vec<String> = exit.leaked.iter().map(|leaked| leaked.pid.to_string()).collect();
    assert_eq!(leaked, child);
    all_gone(folder.path(), &child);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_target_wrote_before_its_end_is_kept() {
    let folder = folder();
    // More than a pipe holds, and gone the moment it is written.
    let text = "head -c 300000 /dev/zero | tr '\\0' x; echo; echo the end";
    let all = Launch { output_max: 1 << 20, ..script(folder.path(), text) };
    let running = launch(all).await;
    running.ended().await;
    let (exit, written) = running.stop().await;
    assert_eq!((exit.code, written.kept, written.dropped), (Some(0), 300_009, 0));
    assert_eq!(output(folder.path()).last().map(String::as_str), Some("the end"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_output_is_counted_and_thrown_away() {
    let folder = folder();
    let text = "head -c 3000000 /dev/zero | tr '\\0' x; echo ready to go; sleep 300";
    let running = launch(script(folder.path(), text)).await;
    running.logged("ready to go").await;
    let (_, written) = running.kill().await;
    assert_eq!((written.kept, written.dropped), (1_000, 3_000_012 - 1_000));
    assert_eq!(output(folder.path())[0].len(), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_does_not_exist_is_told() {
    let folder = folder();
    let nothing = Launch { program: "no-such-program-at-all".into(), ..script(folder.path(), "") };
    let exit = launch(nothing).await.ended().await;
    assert!(exit.refused.contains("No such file"), "{exit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_target_kills_it() {
    let folder = folder();
    let running = launch(script(folder.path(), "echo $$; echo ready to go; while :; do sleep 1; done")).await;
    running.logged("ready to go").await;
    // The sign is told before the disk has it, and nobody waits for the output of a target that was dropped.
    eventually("its number is written", || output(folder.path()).len() == 2);
    drop(running);
    all_gone(folder.path(), &output(folder.path())[..1]);
}
