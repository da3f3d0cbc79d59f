//! Every operation of the committed contracts through the generic twin.

use std::collections::BTreeMap;

use dtu_contract::{
    contract::Contract,
    generic::{Call, Engine, Kind, Made, Neighbour, Neighbours, Store, customs::Plain},
    validate::{Arguments, Checker, Direction},
};
use dtu_kernel::{time::Timestamp, tx::Desk};
use serde_json::Value;

const SERVICES: [&str; 3] = ["okta", "jira", "slack"];

fn contract(service: &str) -> &'static Contract {
    let path = format!("{}/../{service}/contract.json", env!("CARGO_MANIFEST_DIR"));
    let text: &'static str = fs_err::read_to_string(path).unwrap().leak();
    Box::leak(Box::new(Contract::embedded(text)))
}

/// How many operations there are of each kind and level.
fn counts(service: &str) -> String {
    let contract = contract(service);
    let engine = Engine::new(contract, "test");
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for index in 0..contract.operations().count() {
        let plan = engine.plan(index);
        *counts.entry((plan.level.name(), plan.kind.name())).or_default() += 1;
    }
    let lines = counts.iter().map(|((level, kind), count)| format!("{level:7} {kind:12} {count}"));
    let levels = ["stores", "shapes"].map(|name| {
        let all: usize = counts.iter().filter(|((level, _), _)| *level == name).map(|(_, count)| count).sum();
        format!("{name}: {all}")
    });
    levels.into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

#[test]
fn operations_are_understood() {
    for service in SERVICES {
        insta::assert_snapshot!(format!("plans_of_{service}"), counts(service));
    }
}

/// Path parameters filled in, everything else left out.
fn arguments(path: &str) -> Arguments {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let path = names.map(|name| (name.into(), Value::from("12345"))).collect();
    Arguments { path, ..Arguments::default() }
}

/// The path as a caller would send it.
fn sent(path: &str, arguments: &Arguments) -> String {
    let parameters = arguments.path.iter();
    parameters
        .fold(path.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id.as_str().unwrap_or_default()))
}

/// Whatever is asked for is there, so that no operation is refused for want of it.
struct Everything;

impl Neighbours for Everything {
    fn find(&self, _: &str, id: &str) -> Option<Neighbour> {
        Some(Neighbour::Is(id.into()))
    }
}

fn answered(engine: &Engine, index: usize, path: &str) -> Option<Made> {
    let arguments = arguments(path);
    let now = Timestamp::from_secs(1_772_442_000);
    let origin = "http://127.0.0.1:4000";
    let path = sent(path, &arguments);
    let call = Call {
        arguments: &arguments,
        now,
        origin,
        path: &path,
        query: "",
        caller: "",
        neighbours: &Everything,
        customs: &Plain,
    };
    let mut store = Store::new("objects");
    let mut desk = Desk::new(1, now);
    engine.act(index, &call, &mut store, &mut desk.tx()).ok()
}

#[test]
fn made_up_answers_fit_their_schemas() {
    let mut wrong = Vec::new();
    for service in SERVICES {
        let contract = contract(service);
        let engine = Engine::new(contract, "test");
        let mut index = 0;
        let mut answers = 0;
        for document in &contract.documents {
            let checker = Checker::new(document);
            for (number, operation) in document.operations.iter().enumerate() {
                let made = answered(&engine, index, &operation.path);
                let kind = engine.plan(index).kind;
                index += 1;
                let facts = operation.facts.get();
                let Some(made) = made else { continue };
                answers += 1;
                let body = made.body.clone().map(bytes::Bytes::from).unwrap_or_default();
                let found = checker.response(number, made.status, made.media_type.unwrap_or_default(), &body);
                // A document may name no success at all; then no answer fits.
                let named = facts.success().is_some() || facts.responses.is_empty();
                if !found.is_empty() && named {
                    wrong.push(format!("{service} {kind:?} {}: {} in {body:?}", operation.id, found[0]));
                }
            }
        }
        assert!(answers * 100 > index * 99, "{service}: {answers} of {index}");
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_reads_is_known_without_schemas() {
    for service in SERVICES {
        let contract = contract(service);
        let engine = Engine::new(contract, "test");
        for (index, (_, operation)) in contract.operations().enumerate() {
            let plan = engine.plan(index);
            assert!(engine.writes(index) || plan.kind.reads(), "{}: {plan}", operation.id);
            assert!(plan.kind == Kind::Shape || !plan.to_string().is_empty());
        }
    }
}

/// Parents are all there; of the collection itself only what was made.
struct Parents(String);

impl Neighbours for Parents {
    fn find(&self, collection: &str, id: &str) -> Option<Neighbour> {
        (collection != self.0).then(|| Neighbour::Is(id.into()))
    }
}

/// One collection of a contract: the operations on it by kind, each with its number and path.
type Collections = BTreeMap<String, BTreeMap<Kind, (usize, String)>>;

fn collections(contract: &'static Contract, engine: &Engine) -> Collections {
    let mut all = Collections::new();
    for (index, (_, operation)) in contract.operations().enumerate() {
        let plan = engine.plan(index);
        let text = plan.to_string();
        let template = text.split(' ').find(|word| word.starts_with('/')).unwrap_or_default().to_owned();
        // Paths of methods are no tree, and say elsewhere what they are about.
        if !template.is_empty() && operation.path.starts_with(&template) {
            all.entry(template).or_default().entry(plan.kind).or_insert((index, operation.path.to_string()));
        }
    }
    all
}

/// A call as from nobody.
fn plainly<'a>(arguments: &'a Arguments, now: Timestamp, path: &'a str, neighbours: &'a dyn Neighbours) -> Call<'a> {
    Call { arguments, now, origin: "http://127.0.0.1:4000", path, query: "", caller: "", neighbours, customs: &Plain }
}

/// Makes an object, without any member given or with all of them, and follows it through its life.
fn live(
    engine: &Engine,
    template: &str,
    ways: &BTreeMap<Kind, (usize, String)>,
    checked: &dyn Fn(usize, &Made),
    full: bool,
) -> Result<(), String> {
    let now = Timestamp::from_secs(1_772_442_000);
    let neighbours = Parents(template.to_owned());
    let mut store = Store::new("objects");
    let mut desk = Desk::new(1, now);
    let mut call = |kind: Kind, id: &str| {
        let (index, path) = &ways[&kind];
        let mut arguments = arguments(path);
        if let Some(last) =
            arguments.path.values_mut().last().filter(|_| path.matches('{').count() > template.matches('{').count())
        {
            *last = Value::from(id);
        }
        let path = &sent(path, &arguments);
        if full {
            let bare = arguments.clone();
            arguments.body = engine.sample(*index, &plainly(&bare, now, path, &neighbours));
        }
        let call = plainly(&arguments, now, path, &neighbours);
        let made = engine.act(*index, &call, &mut store, &mut desk.tx()).map_err(|refused| format!("{refused:?}"))?;
        checked(*index, &made);
        let ids: Vec<String> =
            store.to_json().as_object().unwrap().keys().map(|key| key.rsplit('/').next().unwrap().to_owned()).collect();
        Ok::<_, String>((made, ids))
    };
    let (_, ids) = call(Kind::Create, "")?;
    let [id] = ids.as_slice() else { return Err(format!("{} objects were made", ids.len())) };
    for kind in [Kind::Get, Kind::Update, Kind::Change, Kind::Replace, Kind::List, Kind::Get] {
        if ways.get(&kind).is_some_and(|(_, path)| {
            kind == Kind::List || path.matches('{').count() == template.matches('{').count() + 1
        }) {
            let (_, ids) = call(kind, id).map_err(|wrong| format!("{}: {wrong}", kind.name()))?;
            assert_eq!(ids.len(), 1, "{} {template}", kind.name());
        }
    }
    if ways.contains_key(&Kind::Delete) {
        let (_, ids) = call(Kind::Delete, id)?;
        assert!(ids.is_empty(), "delete {template}");
        let again = call(Kind::Delete, id);
        assert!(again.is_err(), "{template} is deleted twice");
    }
    Ok(())
}

#[test]
fn every_inferred_collection_lives() {
    let mut wrong = Vec::new();
    let mut lived = 0;
    for service in ["okta", "jira"] {
        let contract = contract(service);
        let engine = Engine::new(contract, "test");
        let checkers: Vec<_> = contract.documents.iter().map(Checker::new).collect();
        let places: Vec<(usize, usize)> = contract
            .documents
            .iter()
            .enumerate()
            .flat_map(|(at, document)| (0..document.operations.len()).map(move |number| (at, number)))
            .collect();
        let checked = |index: usize, made: &Made| {
            let (document, number) = places[index];
            let body = made.body.clone().map(bytes::Bytes::from).unwrap_or_default();
            let found = checkers[document].response(number, made.status, made.media_type.unwrap_or_default(), &body);
            assert!(
                found.is_empty(),
                "{service} {}: {} in {body:?}",
                contract.documents[document].operations[number].id,
                found[0]
            );
        };
        for (template, ways) in
            collections(contract, &engine).iter().filter(|(_, ways)| ways.contains_key(&Kind::Create))
        {
            lived += 1;
            for full in [false, true] {
                if let Err(what) = live(&engine, template, ways, &checked, full) {
                    wrong.push(format!("{service} {template}: {what}"));
                }
            }
        }
    }
    assert!(lived > 100, "{lived}");
    assert!(wrong.is_empty(), "{} of {lived} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Operations whose document requires a member of the body that the body may not have.
const IMPOSSIBLE: [&str; 2] = ["submitBulkMove", "addSecurityLevelMembers"];

#[test]
fn sample_bodies_fit_their_schemas() {
    let mut wrong = Vec::new();
    for service in ["okta", "jira"] {
        let contract = contract(service);
        let engine = Engine::new(contract, "test");
        let mut index = 0;
        for document in &contract.documents {
            let checker = Checker::new(document);
            for operation in &document.operations {
                let none = Arguments::default();
                let body = engine.sample(index, &plainly(&none, Timestamp::from_secs(0), "", &Everything));
                index += 1;
                let Some(body) = body.filter(|_| !IMPOSSIBLE.contains(&operation.id.as_str())) else { continue };
                let content = &operation.facts.get().request.as_ref().unwrap().content;
                let json = content.iter().find(|(name, _)| name.contains("json")).or_else(|| content.first());
                let schema = json.unwrap().1;
                let found = checker.value(schema, &body, Direction::Request);
                wrong.extend(found.first().map(|found| format!("{service} {}: {found} in {body}", operation.id)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
