//! Same build, world, seed and order of requests: the same bytes.

use std::process::Command;

fn transcript(seed: &str) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_simulate")).args([seed, "400"]).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// In two processes, so that nothing of a process (addresses, hash keys, thread timing) is shared.
#[test]
fn the_same_simulation_twice_gives_the_same_transcript() {
    let (first, second) = (transcript("7"), transcript("7"));
    assert!(first.len() > 100_000, "the simulation did something: {} bytes", first.len());
    if first != second {
        let (first, second) = (String::from_utf8_lossy(&first), String::from_utf8_lossy(&second));
        let differs = first.lines().zip(second.lines()).enumerate().find(|(_, (a, b))| a != b);
        panic!("the first difference: {differs:#?}");
    }
    assert_ne!(first, transcript("8"), "another seed, another history");
}
