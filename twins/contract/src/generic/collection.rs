//! Objects of one kind at one place of the tree: what fills it, how they look, and how they are known.

use smol_str::SmolStr;

use super::{
    form::{self, Form},
    tree::{Op, Segment, Tree, normal, template},
    verbs,
    view::View,
};
use crate::{
    contract::Place,
    schema::{Schema, Type},
};

/// How objects come to be in a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    /// An operation adds them. Others are not there.
    Created,
    /// Writing to an id that is not there makes one.
    Written,
    /// The service has them by itself. Any id is one; what is written to it is remembered.
    Open {
        /// Whether anything can be written at all.
        written: bool,
    },
}

/// Objects of one kind at one place of the tree.
#[derive(Clone, Debug)]
pub(super) struct Collection {
    pub(super) segments: Vec<Segment>,
    /// As documents write it (`/apps/{appId}/users`).
    pub(super) template: SmolStr,
    /// With all parameters alike.
    pub(super) normal: String,
    /// What kind of thing, for refusals.
    pub(super) name: SmolStr,
    /// The members by which an object is known, its id first.
    pub(super) ids: Vec<SmolStr>,
    /// How a whole object looks.
    pub(super) item: Option<Form>,
    pub(super) fill: Fill,
    /// Whether writing to an absent id makes the object.
    pub(super) upserts: bool,
    /// Whether it is one of a service whose paths are no tree.
    pub(super) rpc: bool,
    /// For each part of the path, whether it is the id of something that is not there unless it was made.
    pub(super) strict: Vec<bool>,
}

/// Whether two views are, at least in part, of one schema.
pub(super) fn alike(one: &View<'_>, other: &View<'_>) -> bool {
    let named = |part: &&Schema| part.reference.is_none();
    let mut parts = one.parts().iter().copied().filter(|part| named(part));
    parts.any(|part| other.parts().iter().any(|known| std::ptr::eq(part, *known)))
}

fn last_literal(path: &str) -> &str {
    path.rsplit('/').find(|part| *part != "{}").unwrap_or_default()
}

/// Whether a GET at a path answers a list.
pub(super) fn lists(tree: &Tree, path: &str) -> bool {
    let noun = last_literal(path);
    tree.at(path, "GET").is_some_and(|index| is_list(&tree.op(index), noun, tree.has_items(path)))
}

/// Whether the query says which object is meant: a parameter that must be there, or that is called as the object's id.
pub(super) fn asks_which(op: &Op) -> bool {
    let item = form::object(op, "").map(|form| form.item());
    let is_id = |name: &str| {
        let ending = ["id", "key", "name"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
        ending && item.as_ref().and_then(|item| item.property(name)).is_some_and(|view| view.is_scalar())
    };
    let mut parameters = op.operation.facts.get().parameters.iter().filter(|parameter| parameter.place == Place::Query);
    parameters.any(|parameter| parameter.required || is_id(&parameter.name))
}

/// A list itself counts always; an object around one where it is clearly about the list.
fn is_list(op: &Op, noun: &str, has_items: bool) -> bool {
    let Some(form) = form::list(op, noun) else { return false };
    let Some(inside) = form.inside.as_ref() else { return true };
    let view = form.answer();
    let named = super::times::plain(inside) == super::times::plain(noun);
    let counted = ["total", "isLast", "nextPageToken", "next_cursor", "startAt", "hasMore", "nextPage"];
    let paged = op.operation.facts.get().paging.is_some() || counted.iter().any(|name| view.property(name).is_some());
    let alone = view.property("id").is_none() && view.properties().len() <= 4;
    (named || has_items) && alone || paged
}

/// Whether a POST at a path adds an object to it.
pub(super) fn creates(tree: &Tree, path: &str) -> bool {
    let Some(index) = tree.at(path, "POST") else { return false };
    let op = tree.op(index);
    let known = tree.has_items(path) || lists(tree, path);
    let noun = last_literal(path);
    let answers_list =
        form::success(&op).media_type.is_some() && form::list(&op, noun).is_some_and(|l| l.inside.is_none());
    known && !verbs::is_search(noun) && !takes_list(&op) && !answers_list
}

/// Whether `path/verb` makes an object of the collection at the path.
fn makes(tree: &Tree, path: &str, verb: &str) -> bool {
    let Some(index) = tree.at(&format!("{path}/{verb}"), "POST").filter(|_| tree.has_items(path)) else { return false };
    let noun = last_literal(path);
    let answered = form::object(&tree.op(index), &form::singular(noun)).map(|form| form.item());
    let known = item(tree, path, noun).map(|form| form.item());
    answered.zip(known).is_some_and(|(answered, known)| alike(&answered, &known))
}

pub(super) fn takes_list(op: &Op) -> bool {
    form::request(op).is_some_and(|view| view.is(Type::Array))
}

/// A collection of which nothing is known but its place.
pub(super) fn bare(tree: &Tree, segments: &[Segment]) -> Collection {
    let literal = segments.iter().rev().find_map(|part| match part {
        Segment::Literal(name) => Some(name.clone()),
        Segment::Param(_) => None,
    });
    Collection {
        segments: segments.to_vec(),
        template: template(segments),
        normal: normal(segments),
        name: literal.unwrap_or_default(),
        ids: Vec::new(),
        item: None,
        fill: Fill::Open { written: false },
        upserts: false,
        rpc: false,
        strict: (0..segments.len()).map(|at| made_here(tree, &segments[..at])).collect(),
    }
}

/// The collection at a place of the tree.
pub(super) fn collection(tree: &Tree, segments: &[Segment]) -> Collection {
    let mut collection = bare(tree, segments);
    let path = collection.normal.clone();
    (collection.fill, collection.upserts) = fill(tree, &path);
    collection.item = item(tree, &path, &collection.name);
    let parameter = item_parameter(tree, &path);
    let view = collection.item.as_ref().map(Form::item);
    collection.ids =
        view.map(|view| ids(&view, parameter.as_deref().unwrap_or("id"), &collection.name)).unwrap_or_default();
    collection
}

/// Whether what stands at a path is there only once an operation has made it.
fn made_here(tree: &Tree, above: &[Segment]) -> bool {
    matches!(above.last(), Some(Segment::Literal(_))) && !matches!(fill(tree, &normal(above)).0, Fill::Open { .. })
}

fn fill(tree: &Tree, path: &str) -> (Fill, bool) {
    let puts = tree.on_item(path, "PUT");
    let creates = creates(tree, path) || verbs::MAKING.iter().any(|verb| makes(tree, path, verb));
    let says_created = |index: usize| tree.op(index).operation.facts.get().responses.contains_key("201");
    let posted = tree.on_item(path, "POST").is_some();
    // Linking: one is posted under its own id, and there is no other way to add one.
    let linked = posted && (lists(tree, path) && tree.on_item(path, "DELETE").is_some());
    let upserts = puts.is_some_and(|index| !creates || says_created(index)) || linked && !creates;
    let patched = posted || tree.on_item(path, "PATCH").is_some();
    let fill = match (creates, upserts) {
        (true, _) => Fill::Created,
        (false, true) => Fill::Written,
        (false, false) => Fill::Open { written: patched },
    };
    (fill, upserts)
}

/// How a whole object looks: as it is shown alone, else in a list, else as it is answered or sent when written.
fn item(tree: &Tree, path: &str, noun: &str) -> Option<Form> {
    let one = form::singular(noun);
    let shown = |index: Option<usize>| form::object(&tree.op(index?), &one);
    let alone = shown(tree.on_item(path, "GET"));
    let listed = || form::list(&tree.op(tree.at(path, "GET")?), noun).filter(|_| lists(tree, path));
    let answered = || shown(tree.at(path, "POST")).or_else(|| shown(tree.on_item(path, "PUT")));
    let posted = || sent(tree.at(path, "POST")?, tree).or_else(|| sent(tree.on_item(path, "PUT")?, tree));
    alone.filter(known).or_else(|| listed().filter(known)).or_else(|| answered().filter(known)).or_else(posted)
}

fn known(form: &Form) -> bool {
    form::is_object(&form.item()) && !form.item().is_anything()
}

fn sent(index: usize, tree: &Tree) -> Option<Form> {
    let op = tree.op(index);
    let request = op.operation.facts.get().request.as_ref()?;
    let (_, schema) = form::json(&request.content)?;
    Some(Form { document: op.document, schema, inside: None, object: vec![schema] })
}

/// How the operations on items call the id.
fn item_parameter(tree: &Tree, path: &str) -> Option<SmolStr> {
    let index = ["GET", "PUT", "PATCH", "DELETE", "POST"].iter().find_map(|method| tree.on_item(path, method))?;
    match tree.route(index).segments.last()? {
        Segment::Param(name) => Some(name.clone()),
        Segment::Literal(_) => None,
    }
}

/// The members of an object that a path's parameter may speak of, the likeliest first.
pub(super) fn ids(item: &View<'_>, parameter: &str, noun: &str) -> Vec<SmolStr> {
    let mut names: Vec<String> = vec![parameter.to_owned()];
    let parts: Vec<&str> = parameter.split("Or").collect();
    if parts.len() > 1 {
        names.extend(parts.iter().flat_map(|part| last_words(part)));
    }
    if parameter.to_ascii_lowercase().ends_with("id") || parts.len() > 1 {
        names.push("id".to_owned());
    }
    names.extend(last_words(parameter));
    names.extend(["id", "key"].map(str::to_owned));
    names.push(format!("{}Id", form::singular(noun)));
    names.push(format!("{}_id", form::singular(noun)));
    let scalar = |name: &str| {
        item.property(name)
            .is_some_and(|view| view.is(Type::String) || view.is(Type::Integer) || view.choice().is_some())
    };
    let mut found: Vec<SmolStr> = Vec::new();
    for name in names.iter().filter(|name| scalar(name)) {
        if !found.iter().any(|known| known == name) {
            found.push(name.into());
        }
    }
    // One member is enough unless the parameter itself says that there are several.
    found.truncate(if parts.len() > 1 { parts.len() } else { 1 });
    if found.is_empty() {
        found.extend(read_only_id(item).or_else(|| scalar("name").then(|| "name".into())));
    }
    found
}

/// `userName` speaks of `name`, `issueKey` of `key`.
fn last_words(parameter: &str) -> Vec<String> {
    let start = parameter.rfind(|c: char| c.is_ascii_uppercase() || c == '_').unwrap_or(0);
    let word = parameter[start..].trim_start_matches('_').to_ascii_lowercase();
    if word.is_empty() { Vec::new() } else { vec![word] }
}

fn read_only_id(item: &View<'_>) -> Option<SmolStr> {
    let ending = |name: &str| name.to_ascii_lowercase().ends_with("id");
    let mut properties = item.properties().into_iter();
    let found = properties.find(|(name, schemas)| {
        let view = View::all(item.document, schemas.iter().copied());
        ending(name) && view.read_only() && view.is(Type::String)
    });
    found.map(|(name, _)| name.clone())
}
