//! Services whose paths are no tree but names of methods: `bookmarks.add` is a noun and a verb.

use smol_str::SmolStr;

use super::{
    collection::{Collection, Fill, bare, ids},
    form::{self, Form},
    plan::{Kind, Level, Plan},
    tree::{Segment, Tree},
    verbs::{self, Deed},
};
use crate::contract::Operation;

/// Arguments that say in what something is, rather than what it is.
const PARENTS: &[&str] =
    &["channel_id", "channel", "team_id", "user_group", "usergroup", "list_id", "canvas_id", "file_id"];

/// Understands a method.
pub(super) fn plan(tree: &Tree, index: usize, noun: &str, verb: &str) -> Option<Plan> {
    let operation = tree.op(index).operation;
    let deed = verbs::deed(verb);
    let collection = collection(tree, noun);
    let kind = match deed {
        Deed::List => Kind::List,
        Deed::Create => Kind::Create,
        Deed::Get => Kind::Get,
        Deed::Update => Kind::Update,
        Deed::Delete => Kind::Delete,
        Deed::Change => Kind::Change,
        Deed::Other => return None,
    };
    let key = key(operation, noun, &collection);
    match kind {
        Kind::List => {
            form::list(&tree.op(index), last(noun))?;
            Some(Plan::about(kind, collection, None))
        }
        Kind::Create => (collection.fill == Fill::Created).then(|| Plan::about(kind, collection, None)),
        Kind::Change => {
            let sets = verbs::change(&collection.item.as_ref()?.item(), verb)?;
            Some(Plan { sets: Some(sets), ..Plan::about(kind, collection, Some(key?)) })
        }
        _ => {
            let plan = Plan::about(kind, collection, Some(key?));
            (plan.level == Level::Stores).then_some(plan)
        }
    }
}

fn last(noun: &str) -> &str {
    noun.rsplit('.').next().unwrap_or(noun)
}

fn collection(tree: &Tree, noun: &str) -> Collection {
    let of = |deed: Deed| tree.methods(noun).find(move |(_, verb)| verbs::deed(verb) == deed).map(|(index, _)| index);
    let one = form::singular(last(noun));
    let lists = of(Deed::List).filter(|index| form::list(&tree.op(*index), last(noun)).is_some());
    let mut segments = vec![Segment::Literal(noun.into())];
    segments.extend(parent(tree, lists, of(Deed::Create)).map(Segment::Param));
    let mut collection = bare(tree, &segments);
    collection.rpc = true;
    collection.strict.fill(false);
    let shown = |index: Option<usize>| form::object(&tree.op(index?), &one).filter(|form| form.inside.is_some());
    let listed = || form::list(&tree.op(lists?), last(noun)).filter(|list| !list.item().properties().is_empty());
    collection.item = shown(of(Deed::Get)).or_else(|| shown(of(Deed::Create))).or_else(listed);
    collection.ids = collection.item.as_ref().map(|item| known_by(item, &one)).unwrap_or_default();
    let read = lists.or(of(Deed::Get)).is_some();
    if of(Deed::Create).is_some() && read && !collection.ids.is_empty() {
        collection.fill = Fill::Created;
    }
    collection
}

fn known_by(item: &Form, one: &str) -> Vec<SmolStr> {
    ids(&item.item(), &format!("{one}_id"), one)
}

/// The argument that the list and the making of things share, and that says in what they are.
fn parent(tree: &Tree, lists: Option<usize>, creates: Option<usize>) -> Option<SmolStr> {
    let takes = |index: usize, name: &str| argument(tree.op(index).operation, name);
    let shared =
        |name: &&&str| lists.is_some_and(|index| takes(index, name)) && creates.is_some_and(|index| takes(index, name));
    PARENTS.iter().find(shared).map(SmolStr::new)
}

/// Whether an operation takes an argument of a name, in the query or the body.
fn argument(operation: &'static Operation, name: &str) -> bool {
    let facts = operation.facts.get();
    let parameter = facts.parameters.iter().any(|parameter| parameter.name == name);
    let bodies = facts.request.iter().flat_map(|request| request.content.values());
    parameter || bodies.into_iter().any(|schema| schema.properties.contains_key(name))
}

/// The argument that says which object.
fn key(operation: &'static Operation, noun: &str, collection: &Collection) -> Option<SmolStr> {
    let one = form::singular(last(noun));
    let own = collection.ids.first().map(SmolStr::to_string);
    let mut names = vec![format!("{one}_id"), one, "id".to_owned()];
    names.extend(own);
    names.into_iter().find(|name| argument(operation, name)).map(SmolStr::from)
}
