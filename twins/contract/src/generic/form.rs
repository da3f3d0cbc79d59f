//! Where in answers the objects are.

use std::sync::LazyLock;

use indexmap::IndexMap;
use smol_str::SmolStr;

use super::{
    times::plain,
    tree::Op,
    view::{Extra, View},
};
use crate::{
    contract::{Document, Response},
    schema::{Schema, Type},
};

/// A schema that says nothing.
static ANYTHING: LazyLock<Schema> = LazyLock::new(Schema::default);

/// An answer's schema and the member of it that is the object, or the list, where it is not the whole answer.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) document: &'static Document,
    /// The whole answer.
    pub(super) schema: &'static Schema,
    /// The member; none for the whole answer.
    pub(super) inside: Option<SmolStr>,
    /// The object, or each object of the list.
    pub(super) object: Vec<&'static Schema>,
}

impl Form {
    /// What the whole answer must be.
    pub(super) fn answer(&self) -> View<'static> {
        View::of(self.document, self.schema)
    }

    /// What the object must be.
    pub(super) fn item(&self) -> View<'static> {
        View::all(self.document, self.object.iter().copied())
    }
}

/// What an operation answers with on success.
#[derive(Clone, Debug)]
pub(super) struct Success {
    pub(super) status: u16,
    /// The media type; none where there is no body.
    pub(super) media_type: Option<&'static str>,
    pub(super) schema: &'static Schema,
}

/// The answer of success. A document that names none means the one for all other statuses.
pub(super) fn success(op: &Op) -> Success {
    let facts = op.operation.facts.get();
    let any = facts.responses.get("default").map(|response| (200, response));
    let redirected = facts.responses.iter().filter_map(|(status, response)| Some((status.parse().ok()?, response)));
    let redirect = redirected.filter(|(status, _)| (300..400).contains(status)).min_by_key(|(status, _)| *status);
    match facts.success().or(redirect).or(any) {
        Some((status, response)) => with_body(status, response),
        None => Success { status: 200, media_type: None, schema: &ANYTHING },
    }
}

fn with_body(status: u16, response: &'static Response) -> Success {
    // Some documents give bodies to answers that by HTTP have none.
    match json(&response.content).filter(|_| !matches!(status, 204 | 205 | 304)) {
        Some((media_type, schema)) => Success { status, media_type: Some(media_type), schema },
        None => Success { status, media_type: None, schema: &ANYTHING },
    }
}

/// The schema for JSON, or else the first.
pub(super) fn json(content: &'static IndexMap<SmolStr, Schema>) -> Option<(&'static str, &'static Schema)> {
    let plain = content.iter().find(|(name, _)| name.starts_with("application/json"));
    let alike = || content.iter().find(|(name, _)| is_json(name));
    plain.or_else(alike).or_else(|| content.first()).map(|(name, schema)| (name.as_str(), schema))
}

/// Whether a media type is written as JSON. One that stands for all is taken for it.
pub(super) fn is_json(media_type: &str) -> bool {
    media_type.contains("json") || media_type.starts_with("*/*")
}

/// The schema of an operation's body.
pub(super) fn request(op: &Op) -> Option<View<'static>> {
    let (_, schema) = json(&op.operation.facts.get().request.as_ref()?.content)?;
    Some(View::of(op.document, schema))
}

/// The answer as a list, where it is one: a list itself, or an object around one.
pub(super) fn list(op: &Op, noun: &str) -> Option<Form> {
    let success = success(op);
    success.media_type.filter(|media_type| is_json(media_type))?;
    let view = View::of(op.document, success.schema);
    let (inside, items) = if view.is(Type::Array) { (None, Some(view)) } else { wrapped(&view, noun)? };
    let object: Vec<_> = items.and_then(|list| list.items()).map_or_else(|| vec![&*ANYTHING], View::into_parts);
    Some(Form { document: op.document, schema: success.schema, inside, object })
}

type Wrapped = (Option<SmolStr>, Option<View<'static>>);

/// Members that are lists and yet not what a list is about.
const ASIDE: &[&str] =
    &["errors", "warnings", "warningmessages", "errormessages", "messages", "links", "names", "kind"];
/// What the list is called where it is not called by what it lists.
const USUAL: &[&str] = &["values", "items", "results", "data", "entries", "elements", "records", "list", "content"];

/// The one list in an object: called by its noun or in a usual way, or the only one there is.
fn wrapped(view: &View<'static>, noun: &str) -> Option<Wrapped> {
    let mut lists: Vec<(&SmolStr, View<'static>)> = Vec::new();
    for (name, schemas) in view.properties() {
        let property = View::all(view.document, schemas);
        if property.is(Type::Array) && !ASIDE.contains(&plain(name).as_str()) {
            lists.push((name, property));
        }
    }
    let noun = plain(noun);
    let called = |names: &[&str]| lists.iter().position(|(name, _)| names.contains(&plain(name).as_str()));
    let at = called(&[noun.as_str()]).or_else(|| called(USUAL)).or_else(|| (lists.len() == 1).then_some(0))?;
    let (name, property) = lists.swap_remove(at);
    Some((Some(name.clone()), Some(property)))
}

/// The answer as one object; `noun` is what the object would be called in an envelope.
pub(super) fn object(op: &Op, noun: &str) -> Option<Form> {
    let success = success(op);
    success.media_type.filter(|media_type| is_json(media_type))?;
    let view = View::of(op.document, success.schema);
    if view.is(Type::Array) || view.is_scalar() {
        return None;
    }
    let inside = enveloped(&view, noun);
    let object = inside.as_ref().and_then(|name| view.property(name)).unwrap_or(view);
    Some(Form { document: op.document, schema: success.schema, inside, object: object.into_parts() })
}

/// The member that is the object, where the answer is only an envelope.
fn enveloped(view: &View<'_>, noun: &str) -> Option<SmolStr> {
    let properties = view.properties();
    if properties.keys().any(|name| *name == "id") {
        return None;
    }
    let is_object = |name: &&&SmolStr| {
        let property = view.property(name);
        property.is_some_and(|view| view.is(Type::Object) && !view.properties().is_empty())
    };
    let noun = plain(noun);
    let called = properties.keys().filter(|name| plain(name) == noun).find(is_object);
    let rpc = properties.keys().any(|name| *name == "ok");
    let few = properties.len() <= 3;
    let usual =
        || properties.keys().filter(|name| few && matches!(name.as_str(), "data" | "result" | "item")).find(is_object);
    let only = || {
        let mut objects = properties.keys().filter(|name| rpc && **name != "response_metadata").filter(is_object);
        objects.next().filter(|_| objects.next().is_none())
    };
    called.or_else(usual).or_else(only).map(|name| (*name).clone())
}

/// A schema that is itself an object with named members, or free in them.
pub(super) fn is_object(view: &View<'_>) -> bool {
    view.is(Type::Object) || view.is_anything() || view.choice().is_some() && !matches!(view.additional(), Extra::No)
}

/// A noun in the singular, as far as English is regular.
pub(super) fn singular(noun: &str) -> String {
    let noun = plain(noun);
    for (ending, instead) in
        [("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("ss", "ss"), ("us", "us"), ("s", "")]
    {
        if let Some(stem) = noun.strip_suffix(ending).filter(|stem| stem.len() > 1) {
            return format!("{stem}{instead}");
        }
    }
    noun
}

/// The answer of success with this status, where the document has one.
pub(super) fn success_as(op: &Op, status: Option<u16>) -> Success {
    let own = status.and_then(|status| {
        let responses = &op.operation.facts.get().responses;
        Some(with_body(status, responses.get(status.to_string().as_str())?))
    });
    own.unwrap_or_else(|| success(op))
}
