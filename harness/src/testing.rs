//! A small twin for tests: a shelf of items, with a call that puts one there, a human who takes one away, and a log.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use dtu_kernel::{
    args::{self, Args},
    clock::ClockMode,
    diagnostic::Diagnostic,
    fault::Injected,
    host::{Host, host},
    operation::{Operation, OperationInfo, Typed},
    rows::{AnyRows, Column, Index, Rows},
    table::Table,
    twin::{Affordance, EnvVar, Limit, Quota, Read, Refusal, Scene, Twin, Unserved, View, Write},
    tx::Tx,
    universe::{Options, Universe},
    wire::{Answer, Reply, Request},
    world::World,
};
use reqwest::{Method, StatusCode, header::HeaderMap};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use smol_str::{SmolStr, format_smolstr};

use crate::{
    facts::Facts,
    load::{self, LoadedScenario},
};

/// The twin.
#[derive(Debug)]
pub(crate) struct Shelf;

#[derive(Clone, Debug, Serialize)]
struct Item {
    name: String,
    owner: String,
}

#[derive(Clone, Debug)]
pub(crate) struct State {
    items: Table<SmolStr, Item>,
    log: Table<u64, String>,
}

static ITEMS: Rows<State, Item> = Rows {
    columns: &[Column::one("name", |_, item| json!(item.name)), Column::one("owner", |_, item| json!(item.owner))],
    all: |state| Box::new(state.items.iter().map(|(_, item)| Arc::clone(item))),
    len: |state| state.items.len(),
    indexes: &[
        Index::new("name", |state, name| Box::new(state.items.get(&name).cloned().into_iter())),
        Index::new("owner", |state, owner| Box::new((ITEMS.all)(state).filter(move |item| item.owner == *owner))),
    ],
};

static OWNERS: Rows<State, String> = Rows {
    columns: &[
        Column::one("owner", |_, owner| json!(owner)),
        Column::many(
            "things",
            |state, owner| owned(state, owner).map(|item| json!(item.name)).collect(),
            |state, owner, name| state.items.get(&name.into()).is_some_and(|item| item.owner == *owner),
            |state, owner| owned(state, owner).count(),
        ),
    ],
    all: |state| {
        let owners: BTreeSet<&String> = state.items.iter().map(|(_, item)| &item.owner).collect();
        Box::new(owners.into_iter().cloned().map(Arc::new))
    },
    len: |state| (OWNERS.all)(state).count(),
    indexes: &[],
};

fn owned(state: &State, owner: &str) -> impl Iterator<Item = Arc<Item>> {
    (ITEMS.all)(state).filter(move |item| item.owner == owner)
}

pub(crate) struct Failure(StatusCode);

impl From<Injected> for Failure {
    fn from(_: Injected) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE)
    }
}

#[derive(Deserialize, JsonSchema)]
struct PutItem {
    item: String,
    #[serde(default)]
    owner: String,
}

#[derive(Deserialize, JsonSchema)]
struct TakeItem {
    item: String,
}

fn put(cx: &mut Write<'_, '_, Shelf>, args: PutItem) -> Result<Typed<Value>, Failure> {
    if args.item == "bomb" {
        return Err(Failure(StatusCode::FORBIDDEN));
    }
    let row = Item { name: args.item.clone(), owner: args.owner };
    cx.state.items.put(&mut cx.tx.changes, args.item.as_str().into(), row);
    let line = cx.state.log.len() as u64;
    cx.state.log.put(&mut cx.tx.changes, line, format!("put {}", args.item));
    Ok(Typed::ok(&json!({ "ok": true, "item": args.item })))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of all handlers")]
fn list(cx: &Read<'_, Shelf>, _: Map<String, Value>) -> Result<Typed<Value>, Failure> {
    Ok(Typed::ok(&cx.state.items.to_json()))
}

fn take(state: &mut State, tx: &mut Tx<'_>, _: &str, args: TakeItem) -> Result<Value, Refusal> {
    let key = SmolStr::from(args.item.as_str());
    let gone = state.items.remove(&mut tx.changes, &key);
    gone.map(|_| json!({ "taken": args.item })).ok_or_else(|| Refusal::new(format!("there is no {}", args.item)))
}

impl Twin for Shelf {
    type State = State;
    type Input = Args;
    type Caller = SmolStr;
    type Error = Failure;

    fn name(&self) -> &'static str {
        "shelf"
    }

    fn title(&self) -> &'static str {
        "Shelf"
    }

    fn body_max(&self) -> usize {
        1_000
    }

    fn operations(&self) -> Vec<Operation<Self>> {
        vec![
            Operation::write("putItem", &[Method::PUT], "/items/{item}", put),
            Operation::read("listItems", &[Method::GET], "/items", list),
        ]
    }

    fn affordances(&self) -> Vec<Affordance<Self>> {
        vec![Affordance::new("shelf.user.take", "Takes an item away.", take)]
    }

    fn views(&self) -> Vec<View<Self>> {
        let log = |state: &State| state.log.iter().map(|(_, line)| json!(line)).collect();
        vec![
            View { name: "items", about: "The items.", render: |state| ITEMS.render(state) },
            View { name: "log", about: "The log.", render: log },
            View { name: "owners", about: "Who owns what.", render: |state| OWNERS.render(state) },
        ]
    }

    fn rows(&self) -> Vec<(&'static str, &'static dyn AnyRows)> {
        vec![("items", &ITEMS), ("owners", &OWNERS)]
    }

    fn load(&self, _: &World, _: &mut Tx<'_>) -> Result<State, Vec<Diagnostic>> {
        Ok(State { items: Table::new("items"), log: Table::new("log") })
    }

    fn env(&self, _: &State, origin: &str) -> Vec<EnvVar> {
        vec![EnvVar::text("SHELF_URL", origin)]
    }

    fn input(&self, _: &OperationInfo, request: &Request) -> Args {
        let path = request.path_params.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
        path.chain(request.query_pairs().map(|(name, value)| (name.into_owned(), json!(value)))).collect()
    }

    fn authenticate(&self, _: &State, _: &Scene<'_>, _: &Args) -> Result<SmolStr, Failure> {
        Ok("bot".into())
    }

    fn decode<A: DeserializeOwned>(_: &OperationInfo, input: Args) -> Result<A, Failure> {
        args::read(input).map_err(|_| Failure(StatusCode::BAD_REQUEST))
    }

    fn caller_name(&self, caller: &SmolStr) -> SmolStr {
        caller.clone()
    }

    fn resource(&self, _: &OperationInfo, input: &Args) -> SmolStr {
        input.get("item").and_then(Value::as_str).unwrap_or_default().into()
    }

    fn limit(&self, _: &OperationInfo, _: &SmolStr) -> Limit {
        Limit { bucket: "all".into(), per_minute: 60 }
    }

    fn render(&self, scene: &Scene<'_>, _: Option<&SmolStr>, _: Quota, result: Result<Answer, Failure>) -> Reply {
        match result {
            Ok(answer) => Reply::new(answer, scene.now),
            Err(Failure(status)) => Reply::new(Answer::empty(status), scene.now).refused("refused"),
        }
    }

    fn unserved(&self, scene: &Unserved<'_>) -> Reply {
        Reply::new(Answer::empty(StatusCode::NOT_FOUND), scene.now)
    }

    fn journals(&self) -> &'static [&'static str] {
        &["log"]
    }
}

/// The one twin of the tests.
pub(crate) fn twins() -> Vec<Arc<dyn Host>> {
    vec![host(Shelf)]
}

/// A company of three.
pub(crate) fn world() -> World {
    let text = "
schema: dtu/world/v1
name: tiny
epoch: 2026-03-02T09:00:00Z
company: {name: Tiny, domain: tiny.example, timezone: Europe/London}
people:
  - {key: rob, first: Rob, last: Ray, email: rob@tiny.example, title: Boss}
  - {key: lena, first: Lena, last: Lind, email: lena@tiny.example, manager: rob, department: Design}
  - {key: omar, first: Omar, last: Oz, email: omar@tiny.example, manager: rob, status: suspended}
";
    World::parse("tiny.yaml", text, &["shelf"]).expect("is a world")
}

/// A universe of the test's twin at the world's epoch.
pub(crate) fn universe() -> Arc<Universe> {
    let options = Options { clock: ClockMode::Stepped, ..Options::default() };
    Universe::create("test", twins().into(), Arc::new(world()), &options).expect("is made")
}

/// The facts of such a universe.
pub(crate) fn facts(params: Value) -> Facts {
    Facts::new(universe(), params.as_object().cloned().unwrap_or_default())
}

/// Calls an operation as the target does; gives back the status.
pub(crate) fn call(universe: &Universe, operation: &str, item: &str, query: &str) -> u16 {
    let twin = &universe.twins()[0];
    let at = twin.operations().iter().position(|info| info.id == operation).expect("is there");
    let info = &twin.operations()[at];
    let request = Request {
        method: info.methods[0].clone(),
        path: info.path.replace("{item}", item),
        query: query.to_owned(),
        path_params: info.path_params().map(|name| (name, item.to_owned())).collect(),
        headers: HeaderMap::new(),
        body: Vec::new().into(),
        origin: format_smolstr!("http://shelf"),
    };
    twin.call(universe, 0, at, request).reply().expect("is answered").status.as_u16()
}

/// A person takes an item away.
pub(crate) fn take_away(universe: &Universe, who: &str, item: &str) -> bool {
    let with = Map::from_iter([("item".to_owned(), json!(item))]);
    universe.perform("shelf.user.take", who, with).is_ok()
}

/// A scenario of no beats and one check, with these lines besides.
pub(crate) fn scenario_with(lines: &str) -> LoadedScenario {
    let checks =
        if lines.contains("checks:") { "" } else { "checks: [{name: all is well, that: {finally: 'true'}}]\n" };
    let beats = if lines.contains("beats:") { "" } else { "beats: []\n" };
    let text = format!(
        "schema: dtu/scenario/v1\nid: test.one\ntitle: A test\nstory: Once.\nworld: tiny\n{beats}{checks}{lines}\n"
    );
    load::scenario_from("s.yaml".to_owned(), text).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// A folder that is gone with the test, with these files in it.
pub(crate) fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("makes a folder");
    for (name, text) in files {
        let path = dir.path().join(name);
        fs_err::create_dir_all(path.parent().expect("has a folder")).expect("makes folders");
        fs_err::write(path, text).expect("writes");
    }
    let path = dir.path().to_owned();
    (dir, path)
}
