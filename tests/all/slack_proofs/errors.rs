//! Errors that the public documents list for a method are caused by what the tables say.

use std::collections::{BTreeMap, BTreeSet};

use dtu_kernel::operation::Level;
use dtu_tests::calls::Call;
use dtu_universe::facts;
use serde::Deserialize;
use serde_json::Value;

use super::{document, hold, left::Left, read, walk, worlds};
use crate::{
    coverage,
    silent::{
        Stage,
        plan::{Given, Step},
    },
    support::root,
};

/// Why an error cannot be caused: the word before the colon of each reason.
const CLASSES: &[&str] = &[
    "enterprise",
    "slack-connect",
    "internal",
    "plan",
    "retired",
    "other-name",
    "transport",
    "policy",
    "external",
    "scale",
    "not-yet",
];

/// A way to an error.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    error: String,
    /// What is done before.
    #[serde(default)]
    first: Vec<Step>,
    /// Arguments in place of the working call's; null leaves one out.
    #[serde(default)]
    with: BTreeMap<String, Value>,
    /// Who calls, where it is not who does in the working call.
    auth: Option<String>,
    /// A body as it goes over the wire, in place of the arguments.
    raw: Option<Raw>,
    /// Whether it is in an organization.
    #[serde(default)]
    org: bool,
    /// The methods that a common case is not for.
    #[serde(default)]
    but: Vec<String>,
}

/// A body as it goes over the wire.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default, rename = "type")]
    kind: String,
    body: String,
}

/// A universe of the acme world in which more people have tokens: guests, two members, somebody whose token may do
/// nothing, and a bot that is nowhere; the owner administers, and the world may be an organization.
fn stage(org: bool) -> Stage {
    let tester = worlds::acme(false, &[]);
    let (_, tester) = tester.split_once("    - key: dtu-tester\n").expect("the world has the app");
    let scopes =
        tester.lines().find(|line| line.trim().starts_with("user_scopes:")).expect("the app has scopes").trim();
    let scopes = scopes.replacen('[', "[\"usergroups:write\", \"tokens.basic\", ", 1);
    let person = |key: &str, user: &str| {
        worlds::app(key, &format!("scopes: [commands], user_token: xoxp-dtu-{key}, user: {user}, {scopes}"))
    };
    let apps = [
        person("guest", "vikram"),
        person("narrow", "bea"),
        person("lena", "lena"),
        worlds::app("bare", "scopes: [commands], user_token: xoxp-dtu-bare, user: omar, user_scopes: [commands]"),
        worlds::app("small", &format!("scopes: [\"chat:write\"], user_token: xoxp-dtu-small, user: omar, {scopes}")),
        worlds::steward(),
        worlds::clerk(),
    ];
    let mut stage = worlds::stage(&worlds::acme(org, &apps));
    name_all(&mut stage);
    stage
}

/// The two universes that cases are tried in.
struct Stages {
    plain: Stage,
    org: Stage,
}

impl Stages {
    fn new() -> Self {
        Self { plain: stage(false), org: stage(true) }
    }

    fn of(&self, case: &Case) -> &Stage {
        if case.org { &self.org } else { &self.plain }
    }
}

/// Learns the names of all channels and people, and texts and lists that are too long.
fn name_all(stage: &mut Stage) {
    let mut names = BTreeMap::new();
    let mut people = BTreeSet::new();
    for (view, member) in [("channels", "name"), ("users", "name"), ("users", "key")] {
        let rows = stage.universe.view("slack", view).unwrap_or_default();
        for row in rows.as_array().into_iter().flatten() {
            if let (Some(name), Some(id)) = (row[member].as_str(), row["id"].as_str()) {
                names.insert(name.to_owned(), id.to_owned());
                if row["deleted"] == false && row["is_bot"] == false {
                    people.insert(id.to_owned());
                }
            }
        }
    }
    let people: Vec<String> = people.into_iter().take(12).collect();
    names.insert("ten".to_owned(), people.join(","));
    names.insert("long".to_owned(), "x".repeat(12_001));
    names.insert("longest".to_owned(), "x".repeat(40_001));
    names.insert("many".to_owned(), (0..1_001).map(|n| format!("U{n:08}")).collect::<Vec<_>>().join(","));
    names.retain(|name, _| !stage.plan.names.contains_key(name));
    stage.plan.names.append(&mut names);
    let more: BTreeMap<String, Given> = read("tests/errors/slack/calls.yaml");
    for (method, given) in more {
        let given = stage.plan.filled(given);
        stage.plan.calls.entry(method).or_insert(given);
    }
}

/// What a method answers in a case: its error, or the whole answer.
async fn answer(stages: &Stages, method: &str, case: &Case) -> String {
    let mut stage = stages.of(case).forked();
    walk(&mut stage, &case.first).await;
    let mut given = stage.plan.calls.get(method).cloned().unwrap_or_default();
    let overlay = stage.plan.filled(Given { with: case.with.clone(), auth: case.auth.clone(), ..Given::default() });
    for (name, value) in overlay.with {
        if value.is_null() {
            given.with.remove(&name)
        } else {
            given.with.insert(name, value)
        };
    }
    given.auth = overlay.auth.or(given.auth);
    let mut call = stage.call(method, &given);
    if let Some(raw) = &case.raw {
        let auth = given.auth.unwrap_or_else(|| stage.plan.auth.clone());
        call = Call::new("slack", method).header("authorization", &auth);
        call = if raw.kind.is_empty() {
            call.bare(raw.body.as_bytes())
        } else {
            call.body(&raw.kind, raw.body.as_bytes())
        };
    }
    let body = call.json(&stage.universe);
    body["error"].as_str().map_or_else(|| body.to_string(), str::to_owned)
}

/// The tables: one file a family.
fn tables() -> BTreeMap<String, Vec<Case>> {
    let folder = "tests/errors/slack";
    let mut files: Vec<_> = fs_err::read_dir(root().join(folder)).expect("the folder is there").collect();
    files.retain(|file| file.as_ref().is_ok_and(|file| file.path().extension().is_some_and(|kind| kind == "yaml")));
    let mut all: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for file in files {
        let name = file.expect("the folder is read").file_name().into_string().expect("names are text");
        if !matches!(name.as_str(), "calls.yaml" | "common.yaml") {
            let table: BTreeMap<String, Vec<Case>> = read(&format!("{folder}/{name}"));
            for (method, mut cases) in table {
                all.entry(method).or_default().append(&mut cases);
            }
        }
    }
    all
}

/// The errors that the archived document lists, by method.
fn listed(document: &Value) -> BTreeMap<String, BTreeSet<String>> {
    fn collect(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                let codes = members.get("error").and_then(|error| error["enum"].as_array());
                into.extend(codes.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
                members.values().for_each(|member| collect(member, into));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            _ => {}
        }
    }
    let paths = document["paths"].as_object().expect("the document has paths");
    let codes = |operations: &Value| {
        let mut codes = BTreeSet::new();
        collect(operations, &mut codes);
        codes
    };
    paths.iter().map(|(path, operations)| (path.trim_matches('/').to_owned(), codes(operations))).collect()
}

#[tokio::test]
async fn errors_are_caused_as_the_tables_say() {
    let stages = Stages::new();
    let mut problems = Vec::new();
    for (method, cases) in tables() {
        for case in cases {
            let got = answer(&stages, &method, &case).await;
            if got != case.error {
                problems.push(format!("{method}: {} where the table says {} (with {:?})", got, case.error, case.with));
            }
        }
    }
    hold(&problems);
}

#[tokio::test]
async fn all_errors_that_can_be_caused_are() {
    let Some(document) = document("slack-web-openapi-archived.json") else { return };
    let (listed, tables, stages) = (listed(&document), tables(), Stages::new());
    let common: Vec<Case> = read("tests/errors/slack/common.yaml");
    let coverage = coverage::of(facts::of("slack").expect("is a twin"));
    let mut found = Vec::new();
    for row in coverage.documented().filter(|row| row.level == Level::Behaves) {
        let method = row.id.as_str();
        let own: BTreeSet<&str> = tables.get(method).into_iter().flatten().map(|case| case.error.as_str()).collect();
        for code in listed.get(method).into_iter().flatten().filter(|code| !own.contains(code.as_str())) {
            let mut caused = false;
            for case in common.iter().filter(|case| case.error == *code && !case.but.iter().any(|but| but == method)) {
                let got = answer(&stages, method, case).await;
                caused |= got == *code;
            }
            if !caused {
                found.push(format!("{method} {code}"));
            }
        }
    }
    let left = Left::read("tests/errors/slack/left.txt");
    let mut problems = left.hold(&found);
    for (place, reason) in left.reasons() {
        let class = reason.split(':').next().unwrap_or_default();
        if !CLASSES.contains(&class) {
            problems.push(format!("{place}: the reason's class `{class}` is none of {}", CLASSES.join(", ")));
        }
    }
    hold(&problems);
}
