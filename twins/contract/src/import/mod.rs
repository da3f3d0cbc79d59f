//! From public documents to a contract.
//!
//! Every kind of document is read as JSON, part by part, rather than into types: one bad part must cost that part only,
//! and every problem has its place. `openapiv3` reads the parts whose shape is fixed in all versions of OpenAPI 3 and
//! that are wrong as a whole or not at all (servers, security schemes); its types for schemas would lose what 3.1 adds.
//!
//! What is kept are facts. Titles, descriptions, examples, tags and links to pages are not; examples are looked at to
//! see how texts look ([`crate::schema::Looks`]). Of schemas, those that an operation leads to are kept.
//!
//! Nothing in a document is fatal to the rest of it, except text that cannot be parsed, nesting deeper than 128, and a
//! kind that is not known. Webhooks, callbacks and links between operations are not read: a twin does not serve them.

mod at;
mod circles;
mod discovery;
mod draft;
mod examples;
mod looks;
mod openapi;
mod paging;
mod reach;
mod reader;
mod routes;
mod schema;
mod share;
mod slack;
mod swagger;
mod text;
mod typescript;

use std::collections::BTreeMap;

use serde_json::Value;
use smol_str::SmolStr;

use self::{
    reader::{Dialect, Reader},
    slack::Archive,
};
use crate::{
    contract::{Contract, Document, FORMAT, Kind},
    lazy::Lazy,
    problem::{Problem, Severity},
    schema::Schema,
};

/// A public document.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// Its file's name without endings.
    pub name: SmolStr,
    /// JSON or YAML.
    pub text: &'a str,
}

/// What was made of some documents.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The contract: of each document what could be read.
    pub contract: Contract,
    /// What could not, by document and place.
    pub problems: Vec<Problem>,
    /// How each document went, in the order given.
    pub summaries: Vec<Summary>,
}

/// How reading one document went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The document's name.
    pub name: SmolStr,
    /// Its kind; `None` where it could not be read at all.
    pub kind: Option<Kind>,
    /// Whether it only adds to another document, and is none of the contract itself.
    pub merged: bool,
    /// Operations in the contract.
    pub operations: usize,
    /// Operations that are left out.
    pub left_out: usize,
    /// Schemas in the contract.
    pub schemas: usize,
}

/// Imports documents of one service, in the order given.
///
/// A list of Slack's methods takes Slack's own Swagger documents as additions, not as documents of their own. Broken
/// documents give problems; parts that cannot be used are problems too.
pub fn import(service: &str, sources: &[Source<'_>]) -> Imported {
    let mut problems = Vec::new();
    let parsed: Vec<_> = sources.iter().map(|source| (source, parse(source, &mut problems))).collect();
    let has_methods = parsed.iter().any(|(_, found)| matches!(found, Some((_, Kind::SlackMethods))));
    let is_addition = |value: &Value, kind: Kind| has_methods && kind == Kind::Swagger2 && is_slack(value);

    let additions = parsed.iter().filter_map(|(source, found)| {
        let (value, _) = found.as_ref().filter(|(value, kind)| is_addition(value, *kind))?;
        Some((*source, value))
    });
    let (archive, archived) = read_archive(additions, &mut problems);

    let mut documents = Vec::new();
    let mut summaries = Vec::new();
    for (source, found) in &parsed {
        let mut summary = Summary::new(source, found.as_ref().map(|(_, kind)| *kind));
        match found {
            Some((value, kind)) if is_addition(value, *kind) => summary.merged = true,
            Some((value, kind)) => {
                let mut reader = read(source, value, *kind, &archive);
                let shared = if *kind == Kind::SlackMethods { archived.clone() } else { BTreeMap::new() };
                documents.push(document(source, *kind, &mut reader, shared, &mut summary));
                problems.append(&mut reader.problems);
            }
            None => {}
        }
        summaries.push(summary);
    }
    problems.sort();
    problems.dedup();
    Imported { contract: Contract { format: FORMAT.into(), service: service.into(), documents }, problems, summaries }
}

/// Reads documents that only add to Slack's methods: what they say of them, and their schemas.
fn read_archive<'a, 's>(
    additions: impl Iterator<Item = (&'s Source<'s>, &'a Value)>,
    problems: &mut Vec<Problem>,
) -> (Archive<'a>, BTreeMap<SmolStr, Schema>) {
    let mut archive = Archive::default();
    let mut schemas = BTreeMap::new();
    for (source, value) in additions {
        let mut reader = read(source, value, Kind::Swagger2, &Archive::default());
        let more = Archive::new(&mut reader);
        archive.drafts.extend(more.drafts);
        archive.examples.extend(more.examples);
        schemas.append(&mut reader.schemas());
        problems.append(&mut reader.problems);
    }
    (archive, schemas)
}

/// What kind of document a value is; `None` where it is none that can be read.
pub fn kind_of(value: &Value) -> Option<Kind> {
    let map = value.as_object()?;
    let version = |key: &str| map.get(key).map(scalar);
    if let Some(version) = version("openapi") {
        return match version.split('.').next() {
            Some("3") if version == "3" || version.starts_with("3.0") => Some(Kind::OpenApi30),
            Some("3") => Some(Kind::OpenApi31),
            _ => None,
        };
    }
    if let Some(version) = version("swagger") {
        return matches!(version.as_str(), "2" | "2.0").then_some(Kind::Swagger2);
    }
    if map.get("kind").is_some_and(|kind| kind == "discovery#restDescription") || map.contains_key("discoveryVersion") {
        return Some(Kind::GoogleDiscovery);
    }
    let methods = map.get("methods").is_some_and(Value::is_array) && map.contains_key("python_only_methods");
    methods.then_some(Kind::SlackMethods)
}

fn parse(source: &Source<'_>, problems: &mut Vec<Problem>) -> Option<(Value, Kind)> {
    let mut broken = |what: String| {
        let (document, pointer) = (source.name.clone(), String::new());
        problems.push(Problem { document, pointer, severity: Severity::Broken, what });
    };
    let mut doubts = Vec::new();
    let value = match text::parse(&source.name, source.text, &mut doubts) {
        Ok(value) => value,
        Err(what) => {
            broken(what);
            return None;
        }
    };
    let kind = kind_of(&value);
    if kind.is_none() {
        broken("no document of a known kind: OpenAPI 3, Swagger 2.0, Google discovery or Slack's methods".to_owned());
    }
    problems.append(&mut doubts);
    Some((value, kind?))
}

/// Reads a document's operations.
fn read<'a>(source: &Source<'_>, value: &'a Value, kind: Kind, archive: &Archive<'a>) -> Reader<'a> {
    let dialect = match kind {
        Kind::OpenApi30 | Kind::SlackMethods => Dialect::OpenApi30,
        Kind::OpenApi31 => Dialect::OpenApi31,
        Kind::Swagger2 => Dialect::Swagger2,
        Kind::GoogleDiscovery => Dialect::Discovery,
    };
    let mut reader = Reader::new(source.name.clone(), value, dialect);
    reader.gather_examples();
    match kind {
        Kind::OpenApi30 | Kind::OpenApi31 => reader.openapi(),
        Kind::Swagger2 => reader.swagger(),
        Kind::GoogleDiscovery => reader.discovery(),
        Kind::SlackMethods => reader.slack(archive),
    }
    reader
}

/// Puts a document together from what was read of it, and `shared` schemas that it may refer to.
fn document(
    source: &Source<'_>,
    kind: Kind,
    reader: &mut Reader<'_>,
    shared: BTreeMap<SmolStr, Schema>,
    summary: &mut Summary,
) -> Document {
    let mut schemas = reader.schemas();
    schemas.extend(shared);
    if kind == Kind::SlackMethods {
        share::share(&mut reader.drafts, &mut schemas);
    }
    reader.cut_circles(&mut schemas);
    let operations = reader.operations(&schemas);
    if operations.is_empty() {
        reader.broken(&at::At::Root(""), "the document has no operation that can be read");
    }
    let schemas = reach::reachable(&operations, schemas);
    summary.operations = operations.len();
    summary.left_out = reader.left_out;
    summary.schemas = schemas.len();
    Document {
        name: source.name.clone(),
        kind,
        version: version(reader.root, kind),
        security: std::mem::take(&mut reader.security),
        operations,
        schemas: schemas.into_iter().map(|(name, schema)| (name, Lazy::from(schema))).collect(),
    }
}

/// The document's own version.
fn version(root: &Value, kind: Kind) -> SmolStr {
    let text = |pointer: &str| root.pointer(pointer).map(scalar).unwrap_or_default();
    let version = match kind {
        Kind::OpenApi30 | Kind::OpenApi31 | Kind::Swagger2 => text("/info/version"),
        Kind::GoogleDiscovery => [text("/version"), text("/revision")].join(" ").trim().to_owned(),
        // The version of the library that the list was made from.
        Kind::SlackMethods => {
            let source = text("/source");
            let is_version = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
            source.split(' ').find(is_version).unwrap_or_default().to_owned()
        }
    };
    version.into()
}

fn is_slack(value: &Value) -> bool {
    value.get("host").is_some_and(|host| host == "slack.com")
}

/// A text or number as text: versions are often written without quotes.
fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Summary {
    fn new(source: &Source<'_>, kind: Option<Kind>) -> Self {
        Self { name: source.name.clone(), kind, merged: false, operations: 0, left_out: 0, schemas: 0 }
    }
}
