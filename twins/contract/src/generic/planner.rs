//! How an operation is understood: from its path, its method and the schemas around it.

use smol_str::SmolStr;

use super::{
    collection::{Fill, alike, asks_which, bare, collection, creates, lists, takes_list},
    form,
    plan::{Kind, Level, Plan},
    rpc,
    tree::{Op, Segment, Tree, normal, rpc_name},
    verbs,
};
use crate::contract::Place;

/// Whether an operation may change something: from its method and its verb alone.
pub(super) fn writes(tree: &Tree, index: usize) -> bool {
    let op = tree.op(index);
    if let Some((_, verb)) = rpc_name(&op) {
        return !verbs::only_reads(verb);
    }
    match op.operation.method.as_str() {
        "GET" | "HEAD" | "OPTIONS" => false,
        "POST" => !last_verb(tree, index).is_some_and(|verb| verbs::is_search(&verb)),
        _ => true,
    }
}

fn last_verb(tree: &Tree, index: usize) -> Option<SmolStr> {
    let route = tree.route(index);
    let literal = || match route.segments.last()? {
        Segment::Literal(text) => Some(text.clone()),
        Segment::Param(_) => None,
    };
    route.verb.clone().or_else(literal)
}

/// Understands an operation.
pub(super) fn plan(tree: &Tree, index: usize) -> Plan {
    let op = tree.op(index);
    let plan = match rpc_name(&op) {
        Some((noun, verb)) => rpc::plan(tree, index, noun, verb),
        None if tree.route(index).mixed => None,
        None => Planner { tree, index, op, segments: &tree.route(index).segments }.plan(),
    };
    // What counts as a read is known without schemas; a plan that sees it otherwise would have no pen.
    plan.filter(|plan| plan.kind.reads() || writes(tree, index)).unwrap_or_else(|| {
        // Of an answer without memory its path is still looked at: what it stands below must be there.
        let is_path = rpc_name(&op).is_none() && !tree.route(index).mixed;
        let place = is_path.then(|| bare(tree, &tree.route(index).segments));
        Plan { collection: place, ..Plan::shape() }
    })
}

struct Planner<'a> {
    tree: &'a Tree,
    index: usize,
    op: Op,
    segments: &'a [Segment],
}

impl Planner<'_> {
    fn plan(&self) -> Option<Plan> {
        if let Some(verb) = &self.tree.route(self.index).verb {
            return self.by_verb(self.segments, verb);
        }
        match self.segments.split_last()? {
            (Segment::Param(name), above) => self.on_item(name, above),
            (Segment::Literal(name), above) => self.on_literal(name, above),
        }
    }

    fn on_item(&self, name: &SmolStr, above: &[Segment]) -> Option<Plan> {
        let collection = collection(self.tree, above);
        let path = &collection.normal;
        // What can be taken away again was there.
        let shown = ["GET", "DELETE"].iter().any(|method| self.tree.on_item(path, method).is_some());
        let readable = shown || lists(self.tree, path);
        let kind = match self.op.operation.method.as_str() {
            "GET" if form::object(&self.op, "").is_none() => return None,
            "GET" => Kind::Get,
            "DELETE" => Kind::Delete,
            _ if !readable && collection.fill != Fill::Created => return None,
            "PUT" if takes_list(&self.op) => return None,
            "PUT" => Kind::Replace,
            "PATCH" | "POST" => Kind::Update,
            _ => return None,
        };
        Some(Plan::about(kind, collection, Some(name.clone())))
    }

    fn on_literal(&self, name: &SmolStr, above: &[Segment]) -> Option<Plan> {
        let path = normal(self.segments);
        let is_collection = self.tree.has_items(&path) || lists(self.tree, &path) || creates(self.tree, &path);
        let method = self.op.operation.method.as_str();
        if self.is_one(&path) {
            return self.one();
        }
        if matches!(method, "GET" | "POST") && verbs::is_search(name) {
            return self.search(above);
        }
        if is_collection && let Some(plan) = self.on_collection(&path) {
            return Some(plan);
        }
        if method == "GET" { None } else { self.by_verb(above, name) }
    }

    fn on_collection(&self, path: &str) -> Option<Plan> {
        let kind = match self.op.operation.method.as_str() {
            "GET" if lists(self.tree, path) => Kind::List,
            "POST" if creates(self.tree, path) => Kind::Create,
            "DELETE" if self.op.operation.facts.get().parameters.iter().all(|p| p.place == Place::Path) => Kind::Clear,
            _ => return None,
        };
        Some(Plan::about(kind, collection(self.tree, self.segments), None))
    }

    /// Whether a path holds one object rather than many: it is read without saying which, and is no list.
    fn is_one(&self, path: &str) -> bool {
        let Some(read) = self.tree.at(path, "GET") else { return false };
        let op = self.tree.op(read);
        let asked = asks_which(&op);
        let written = ["PUT", "PATCH"].iter().any(|method| self.tree.at(path, method).is_some());
        let list = lists(self.tree, path) && !(written && !self.tree.has_items(path) && !creates(self.tree, path));
        let creating = self.tree.has_items(path) && self.tree.at(path, "POST").is_some();
        !asked && !list && !creating && form::object(&op, "").is_some()
    }

    fn one(&self) -> Option<Plan> {
        let path = normal(self.segments);
        let kind = match self.op.operation.method.as_str() {
            "GET" => Kind::ReadOne,
            _ if takes_list(&self.op) => return None,
            "PUT" => Kind::ReplaceOne,
            "POST" | "PATCH" => Kind::UpdateOne,
            "DELETE" => Kind::ResetOne,
            _ => return None,
        };
        let written = ["PUT", "POST", "PATCH"].iter().any(|method| self.tree.at(&path, method).is_some());
        let mut collection = bare(self.tree, self.segments);
        collection.item = self.tree.at(&path, "GET").and_then(|read| form::object(&self.tree.op(read), ""));
        collection.fill = Fill::Open { written };
        Some(Plan::about(kind, collection, None))
    }

    fn search(&self, above: &[Segment]) -> Option<Plan> {
        let path = normal(above);
        let whole = normal(self.segments);
        if self.tree.has_items(&whole) && !self.tree.has_items(&path) {
            return self.on_collection(&whole);
        }
        let known = self.tree.has_items(&path) || lists(self.tree, &path);
        let Some(Segment::Literal(name)) = above.last().filter(|_| known) else { return None };
        form::list(&self.op, name)?;
        let kind = if self.op.operation.method == "GET" { Kind::List } else { Kind::Search };
        Some(Plan::about(kind, collection(self.tree, above), None))
    }

    /// `/keys/generate` makes a key, if it answers with one.
    fn made_by(&self, above: &[Segment], verb: &str) -> Option<Plan> {
        let path = normal(above);
        if !verbs::is_making(verb) || self.op.operation.method != "POST" || !self.tree.has_items(&path) {
            return None;
        }
        let mut collection = collection(self.tree, above);
        let item = collection.item.as_ref()?.item();
        let answered = form::object(&self.op, &form::singular(&collection.name))?.item();
        if !alike(&answered, &item) {
            return None;
        }
        collection.fill = Fill::Created;
        Some(Plan::about(Kind::Create, collection, None))
    }

    /// An operation whose path ends in a verb, on what stands before it.
    fn by_verb(&self, above: &[Segment], verb: &str) -> Option<Plan> {
        if verbs::is_search(verb) {
            return self.search(above);
        }
        let lifecycle = |part: &Segment| matches!(part, Segment::Literal(name) if name == "lifecycle");
        let above = match above.split_last() {
            Some((last, rest)) if lifecycle(last) => rest,
            _ => above,
        };
        if self.op.operation.method == "GET" {
            return None;
        }
        let (Segment::Param(key), parents) = above.split_last()? else { return self.made_by(above, verb) };
        let collection = collection(self.tree, parents);
        let item = collection.item.as_ref()?.item();
        let sets = verbs::change(&item, verb);
        let members = form::request(&self.op).map(|body| body.properties().into_keys().cloned().collect::<Vec<_>>());
        let by_body =
            members.filter(|m| !m.is_empty()).is_some_and(|m| m.iter().all(|name| item.property(name).is_some()));
        if sets.is_none() && (!by_body || verbs::is_apart(verb)) {
            return None;
        }
        let level = Level::Stores;
        Some(Plan { level, sets, ..Plan::about(Kind::Change, collection, Some(key.clone())) })
    }
}
