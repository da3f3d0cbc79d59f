//! What has no hand-written rules is served from the contract: rows behind a twin's own.

use std::sync::{Arc, OnceLock};

use dtu_kernel::{
    operation::{Depth, Described, Level, Operation as Row, OperationInfo},
    route::numbered,
    twin::{Read, Scene, Twin, Write},
    wire::{self, Answer, Reply},
};
use http::{Method, StatusCode, header};
use indexmap::{IndexMap, IndexSet};
use smol_str::SmolStr;

use crate::{
    contract::{Contract, Document, Operation},
    describe,
    differences::Differences,
    generic::{
        self, Body, Call, Done, Engine, Made, Neighbour, Neighbours, Store,
        customs::{self, Customs},
        refusal::Refused,
    },
    validate::{Arguments, Checker, Sent},
    violation::{Rule, Violation},
};

/// A twin that serves from its contract what it has no hand-written rules for.
pub trait Backed: Twin {
    /// Its contract and what works on it.
    fn backing(&self) -> &'static Backing;

    /// What the generic twin remembers: a part of the state.
    fn objects(state: &Self::State) -> &Store;

    /// The same, to be changed.
    fn objects_mut(state: &mut Self::State) -> &mut Store;

    /// The refusal in the service's own terms.
    fn refuse(operation: &OperationInfo, refused: Refused) -> Self::Error;

    /// What hand-written rules know of an object that a path names; none where they know nothing of its collection,
    /// which is named by its path (`/api/v1/users`).
    fn neighbour(state: &Self::State, collection: &str, id: &str) -> Option<Neighbour> {
        let _ = (state, collection, id);
        None
    }

    /// What the service does with its objects beside what its documents say, in this call.
    fn customs<'a>(state: &'a Self::State, caller: &'a Self::Caller, scene: &'a Scene<'_>) -> Box<dyn Customs + 'a> {
        let _ = (state, caller, scene);
        Box::new(customs::Plain)
    }

    /// Follows what a call has done to an object of the generic twin: changes that come with it, and what is said of
    /// it elsewhere (a log). An error undoes the call.
    ///
    /// # Errors
    /// Why the service refuses.
    fn follow(cx: &mut Write<'_, '_, Self>, done: &Done) -> Result<(), Self::Error> {
        let _ = (cx, done);
        Ok(())
    }

    /// Reads a call's arguments.
    ///
    /// # Errors
    /// What does not fit the contract.
    fn arguments(place: Place, scene: &Scene<'_>, input: Self::Input) -> Result<Arguments, Refused> {
        drop(input);
        place.read(scene)
    }
}

/// How a service goes with its contract.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// Operations that are refused by name, by the provider's ids (a `*` at the end stands for any ending), each with
    /// the reason: where a made-up answer would be a lie that programs act on.
    pub absent: &'static [(&'static str, &'static str)],
    /// Whether each operation is served under `GET` besides its own method (Slack).
    pub also_get: bool,
    /// Operations that the generic twin serves and whose rules the service's customs know whole, by the provider's ids
    /// in groups: they count as behaving. Behind an id that several documents use stands the path.
    pub behaves: &'static [&'static [&'static str]],
}

impl Rules {
    /// Whether customs know all rules of an operation.
    pub fn behaves(&self, operation: &Operation) -> bool {
        let is = |entry: &&str| match entry.split_once(' ') {
            Some((id, path)) => id == operation.id && path == operation.path,
            None => *entry == operation.id,
        };
        self.behaves.iter().any(|group| group.iter().any(is))
    }

    /// Why an operation is refused by name; none where it is served.
    pub fn reason(&self, id: &str) -> Option<&'static str> {
        let is = |pattern: &str| pattern.strip_suffix('*').map_or(pattern == id, |start| id.starts_with(start));
        self.absent.iter().find(|(pattern, _)| is(pattern)).map(|(_, reason)| *reason)
    }
}

/// A twin's contract, and what works on it. One a process.
#[derive(Debug)]
pub struct Backing {
    contract: &'static Contract,
    engine: Engine,
    checkers: Vec<Checker>,
    differences: Differences,
    rules: Rules,
    /// Where each method and path stands, made when answers are first checked.
    by_path: OnceLock<IndexMap<(SmolStr, SmolStr), usize>>,
}

/// An operation of a contract.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    backing: &'static Backing,
    /// Its document's number, and its number there.
    document: usize,
    at: usize,
    /// Its number among all operations.
    number: usize,
}

impl Place {
    /// The document.
    pub fn document(self) -> &'static Document {
        &self.backing.contract.documents[self.document]
    }

    /// The operation.
    pub fn operation(self) -> &'static Operation {
        &self.document().operations[self.at]
    }

    /// Reads the arguments of a call over HTTP as the document has them.
    ///
    /// # Errors
    /// What does not fit.
    pub fn read(self, scene: &Scene<'_>) -> Result<Arguments, Refused> {
        self.check(&Sent::of(scene.request))
    }

    /// Reads arguments that the twin has put together itself.
    ///
    /// # Errors
    /// What does not fit.
    pub fn check(self, sent: &Sent<'_>) -> Result<Arguments, Refused> {
        self.backing.checkers[self.document].request(self.at, sent)
    }

    /// The operation's refusal in the document's shape; none where the document has none of these statuses.
    pub fn refusal(self, statuses: &[u16], what: &str, scene: &Scene<'_>) -> Option<Answer> {
        let around = (scene.now, scene.request.origin.as_str());
        self.backing.engine.refusal(self.number, statuses, what, around).map(answer)
    }

    /// What is known of the operation for a table.
    fn info(self) -> OperationInfo {
        let operation = self.operation();
        let methods = methods(&operation.method, self.backing.rules.also_get);
        let mut info = OperationInfo::untyped(&operation.id, methods, &operation.path, Level::Absent);
        info.contract = Some(self.number);
        info.depth = if self.backing.rules.behaves(operation) {
            Depth::Is(Level::Behaves)
        } else {
            Depth::Ask(Arc::new(move || self.backing.level(&operation.id, self.number)))
        };
        info.described =
            Some(Described::new(move |document| describe::operation(document, self.document(), self.operation())));
        info
    }
}

impl Backing {
    /// A contract at work. Parses and compiles nothing yet.
    ///
    /// # Panics
    /// Where the list of differences cannot be read; a test of each twin reads its list.
    pub fn new(contract: &'static Contract, service: &'static str, differences: Differences, rules: Rules) -> Self {
        Self {
            contract,
            engine: Engine::new(contract, service),
            checkers: contract.documents.iter().map(Checker::new).collect(),
            differences,
            rules,
            by_path: OnceLock::new(),
        }
    }

    /// The contract.
    pub const fn contract(&self) -> &'static Contract {
        self.contract
    }

    /// What serves operations that have no rules of their own.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How the service goes with its contract.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The reviewed list of what differs from the public documents.
    pub const fn differences(&self) -> &Differences {
        &self.differences
    }

    /// All operations.
    fn places(&'static self) -> impl Iterator<Item = Place> {
        let of =
            move |(document, all): (usize, &'static Document)| (0..all.operations.len()).map(move |at| (document, at));
        let all = self.contract.documents.iter().enumerate().flat_map(of);
        all.enumerate().map(move |(number, (document, at))| Place { backing: self, document, at, number })
    }

    /// What of an answer does not fit the public documents, less what is known to differ. Nothing is said of
    /// operations that the documents do not have.
    pub fn misfits(&'static self, operation: &OperationInfo, reply: &Reply) -> Vec<String> {
        self.misfits_as(operation, reply, reply.status.as_u16())
    }

    /// The same for an answer that the documents have under another status than its own: services that refuse with 200.
    pub fn misfits_as(&'static self, operation: &OperationInfo, reply: &Reply, status: u16) -> Vec<String> {
        let Some(place) = self.find(operation) else { return Vec::new() };
        let media = reply.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let found = self.checkers[place.document].response(place.at, status, media, &reply.body);
        // Documents name few of the statuses that a service refuses with, and leave out most refusals' bodies.
        let said = |violation: &Violation| violation.rule != Rule::Undeclared || status < 400;
        let found = found.into_iter().filter(said);
        let unknown = found.filter(|violation| self.differences.allows(operation.id, status, violation).is_none());
        unknown.map(|violation| format!("{status}: {violation}")).collect()
    }

    /// The operation of the contract that a row serves: the one that it is made from, or else by one of its methods and
    /// its path.
    pub fn find(&'static self, row: &OperationInfo) -> Option<Place> {
        if let Some(number) = row.contract {
            return self.place(number);
        }
        let by_path = self.by_path.get_or_init(|| {
            let key = |place: &Place| (place.operation().method.clone(), numbered(&place.operation().path));
            // The first of a method and path is the one that is served.
            let mut map = IndexMap::new();
            for place in self.places() {
                map.entry(key(&place)).or_insert(place.number);
            }
            map
        });
        let path = numbered(row.path);
        let mut keys = row.methods.iter().map(|method| (SmolStr::new(method.as_str()), path.clone()));
        let number = keys.find_map(|key| by_path.get(&key).copied())?;
        self.place(number)
    }

    /// The operation of a number among all.
    fn place(&'static self, number: usize) -> Option<Place> {
        let mut at = number;
        for (document, all) in self.contract.documents.iter().enumerate() {
            if at < all.operations.len() {
                return Some(Place { backing: self, document, at, number });
            }
            at -= all.operations.len();
        }
        None
    }

    /// How far the twin goes with an operation that has no rules of its own. Looks into its schemas.
    pub fn level(&'static self, id: &str, number: usize) -> Level {
        match self.engine.level(number) {
            _ if self.rules.reason(id).is_some() => Level::Absent,
            _ if self.place(number).is_some_and(|place| self.rules.behaves(place.operation())) => Level::Behaves,
            generic::Level::Stores => Level::Stores,
            generic::Level::Shapes => Level::Shapes,
        }
    }
}

/// A twin's own rows, and behind them those that its contract serves.
///
/// Rows go by method and path: an operation of the contract that an own row serves is left to it.
pub fn rows<T: Backed>(twin: &T, mut own: Vec<Row<T>>) -> Vec<Row<T>> {
    let backing = twin.backing();
    let mut served: IndexSet<(Method, SmolStr)> = IndexSet::new();
    for row in &own {
        let path = numbered(row.info().path);
        served.extend(row.info().methods.iter().map(|method| (method.clone(), path.clone())));
    }
    for place in backing.places() {
        let operation = place.operation();
        let method = Method::from_bytes(operation.method.as_bytes()).unwrap_or_default();
        if served.insert((method, numbered(&operation.path))) {
            own.push(row(place));
        }
    }
    own
}

fn row<T: Backed>(place: Place) -> Row<T> {
    let backing = place.backing;
    if backing.rules.reason(&place.operation().id).is_some() {
        return Row::absent(place.info());
    }
    let info = place.info();
    if backing.engine.writes(place.number) {
        Row::untyped_write(info, Box::new(move |cx, input| write::<T>(place, cx, input)))
    } else {
        Row::untyped_read(info, Box::new(move |cx, input| read::<T>(place, cx, input)))
    }
}

/// What hand-written rules know, for the engine.
struct Known<'a, T: Backed>(&'a T::State);

impl<T: Backed> Neighbours for Known<'_, T> {
    fn find(&self, collection: &str, id: &str) -> Option<Neighbour> {
        T::neighbour(self.0, collection, id)
    }
}

fn call<'a>(
    scene: &'a Scene<'_>,
    arguments: &'a Arguments,
    neighbours: &'a dyn Neighbours,
    customs: &'a dyn Customs,
) -> Call<'a> {
    let request = scene.request;
    Call {
        arguments,
        now: scene.now,
        origin: &request.origin,
        path: &request.path,
        query: &request.query,
        caller: "",
        neighbours,
        customs,
    }
}

fn read<T: Backed>(place: Place, cx: &Read<'_, T>, input: T::Input) -> Result<Answer, T::Error> {
    let refuse = |refused| T::refuse(cx.scene.operation, refused);
    let arguments = T::arguments(place, cx.scene, input).map_err(refuse)?;
    let known = Known::<T>(cx.state);
    let customs = T::customs(cx.state, cx.caller, cx.scene);
    let call = call(cx.scene, &arguments, &known, &*customs);
    let made = place.backing.engine.look(place.number, &call, T::objects(cx.state));
    made.map(answer).map_err(refuse)
}

fn write<T: Backed>(place: Place, cx: &mut Write<'_, '_, T>, input: T::Input) -> Result<Answer, T::Error> {
    let refuse = |refused| T::refuse(cx.scene.operation, refused);
    let arguments = T::arguments(place, cx.scene, input).map_err(refuse)?;
    // What the rules know is asked of the state as it was before: pointers only.
    let before = cx.state.clone();
    let known = Known::<T>(&before);
    let customs = T::customs(&before, cx.caller, cx.scene);
    let call = call(cx.scene, &arguments, &known, &*customs);
    let made = place.backing.engine.act(place.number, &call, T::objects_mut(cx.state), cx.tx).map_err(refuse)?;
    if let Some(done) = &made.done {
        T::follow(cx, done)?;
    }
    Ok(answer(made))
}

fn answer(made: Made) -> Answer {
    let media_type = made.media_type.unwrap_or(wire::JSON);
    let body = made.body.map(|body| match body {
        Body::Json(value) => (media_type, wire::to_json_bytes(&value)),
        Body::Bytes(bytes) => (media_type, bytes),
    });
    let status = StatusCode::from_u16(made.status).unwrap_or(StatusCode::OK);
    Answer { status, headers: made.headers, body }
}

/// A method's name as a list of methods.
fn methods(name: &str, also_get: bool) -> &'static [Method] {
    match (name, also_get) {
        ("POST", true) => &[Method::POST, Method::GET],
        ("POST", false) => &[Method::POST],
        ("PUT", _) => &[Method::PUT],
        ("PATCH", _) => &[Method::PATCH],
        ("DELETE", _) => &[Method::DELETE],
        ("HEAD", _) => &[Method::HEAD],
        ("OPTIONS", _) => &[Method::OPTIONS],
        ("TRACE", _) => &[Method::TRACE],
        _ => &[Method::GET],
    }
}
