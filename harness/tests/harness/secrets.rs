//! What is never written to disk, and what is tried again.

use std::{net::TcpListener, path::Path};

use serde_json::Value;

use crate::support::Context;

const HOLDS: &str = "checks: [{name: all is well, that: {finally: \"now != ''\"}}]";
const SECRET: &str = "real-key-of-nobody-0815";

/// The files below a folder that hold a text.
pub(crate) fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder).expect("is a folder") {
        let path = entry.expect("is there").path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if String::from_utf8_lossy(&fs_err::read(&path).expect("reads")).contains(text) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn real_secrets_reach_the_target_and_nothing_else() {
    let context = Context::new();
    context.scenario("one", HOLDS);
    context.write(
        "one.yaml",
        &context
            .read("one.yaml")
            .replace("beats: []", "beats: [{id: say, cli: {run: say, stdin: 'x', expect: {code: 0}}}]"),
    );
    let script = "printf 'key %s' \"$REAL_KEY\" >&2; echo \"$REAL_KEY\" | sha256sum; printf \"$REAL_KEY\" | head -c 12; printf \"$REAL_KEY\" | tail -c +13; echo; echo listening; exec sleep 60";
    context.target(
        script,
        "ready: {any_of: [{log: listening}]}\nsecrets: [REAL_KEY]\ncommands: {say: [sh, -c, 'echo said $REAL_KEY']}",
    );
    let run = "run one.yaml --target target.yaml --seeds 1 --json";
    let (code, _, err) = context.dtu(&format!("{run} --out none"));
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("the secret `REAL_KEY` has no value") && err.contains("hint: set it in the environment"),
        "{err}"
    );

    let from_env = context.command(&format!("{run} --out a")).env("REAL_KEY", SECRET).output().expect("runs");
    let told = String::from_utf8_lossy(&from_env.stdout).into_owned();
    assert_eq!(from_env.status.code(), Some(0), "{told}{}", String::from_utf8_lossy(&from_env.stderr));
    let (code, second, _) = context.dtu(&format!("{run} --out b --target-env REAL_KEY={SECRET}"));
    assert_eq!((code, second.replace("--out b", "--out a")), (0, told.clone()));
    for out in ["a", "b"] {
        assert_eq!(holding(&context.path(out), SECRET), [] as [String; 0]);
        let evidence = holding(&context.path(out), "Dtu-Redacted-env-REAL_KEY");
        for stream in ["target/stdout", "target/stderr", "cli/say-1/stdout", "ledger.ndjson"] {
            assert!(evidence.iter().any(|file| file.ends_with(stream)), "{stream}: {evidence:?}");
        }
    }
    assert!(!told.contains(SECRET));
}

#[test]
fn what_the_machine_spoilt_is_done_again_and_what_the_target_did_is_not() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("has an address").port();
    let context = Context::new();
    context.scenario("one", HOLDS);
    let script = "echo x >> started; echo listening; exec sleep 60";
    let ready = "ready: {any_of: [{log: listening}]}";
    context.target(script, &format!("{ready}\nports: {{okta: {port}}}"));
    let (code, _, err) = context.dtu("run one.yaml --target target.yaml --seeds 1 --out spoilt");
    assert_eq!(code, 4, "{err}");
    let record = |out: &str| -> Value {
        let done = fs_err::read_dir(context.path(&format!("{out}/done/test.one"))).expect("is there").next();
        let file = done.expect("one record").expect("is there").path();
        serde_json::from_slice(&fs_err::read(file).expect("reads")).expect("is JSON")
    };
    let spoilt = record("spoilt");
    assert_eq!(
        (&spoilt["outcome"], spoilt["reruns"].as_array().map(Vec::len)),
        (&Value::from("void"), Some(2)),
        "{spoilt}"
    );
    drop(taken);
    context.target(script, ready);
    context.write("one.yaml", &context.read("one.yaml").replace("now != ''", "people.nobody.name == ''"));
    let (code, ..) = context.dtu("run one.yaml --target target.yaml --seeds 1 --out void");
    assert_eq!(code, 2, "nobody of that name");
    context.write("one.yaml", &context.read("one.yaml").replace("people.nobody.name", "people['no' + 'body'].name"));
    fs_err::remove_file(context.path("started")).ok();
    context.dtu("run one.yaml --target target.yaml --seeds 1 --out void");
    let void = record("void");
    assert_eq!((&void["outcome"], void.get("reruns")), (&Value::from("void"), None), "{void}");
    assert_eq!(context.read("started").lines().count(), 1, "it ran once");
}
