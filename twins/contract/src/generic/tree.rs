//! The paths of all operations, so that one operation can be understood from its neighbours. No schema is read here.

use std::{collections::BTreeMap, fmt::Write as _};

use smol_str::SmolStr;

use crate::contract::{Contract, Document, Kind, Operation};

/// A part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// As it is.
    Literal(SmolStr),
    /// A parameter's value.
    Param(SmolStr),
}

/// An operation's path, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) segments: Vec<Segment>,
    /// What stands behind a colon at the end (`{range}:append`).
    pub(super) verb: Option<SmolStr>,
    /// Whether a part is neither wholly fixed nor wholly a parameter.
    pub(super) mixed: bool,
}

impl Route {
    pub(super) fn of(path: &str) -> Self {
        let (path, verb) = split_verb(path);
        let parts = path.split('/').filter(|part| !part.is_empty());
        let segments: Vec<_> = parts.map(segment).collect();
        let mixed = segments.iter().any(|part| matches!(part, Segment::Literal(text) if text.contains('{')));
        Self { segments, verb: verb.map(SmolStr::new), mixed }
    }
}

/// `/a/{b}:verb` without its verb. A colon inside braces is part of a parameter.
fn split_verb(path: &str) -> (&str, Option<&str>) {
    let last = path.rfind('/').map_or(0, |at| at + 1);
    match path[last..].rfind(':') {
        Some(colon) if !path[last + colon..].contains('}') => (&path[..last + colon], Some(&path[last + colon + 1..])),
        _ => (path, None),
    }
}

fn segment(part: &str) -> Segment {
    let inner = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    match inner.filter(|name| !name.contains(['{', '}'])) {
        Some(name) => Segment::Param(name.trim_start_matches('+').split('=').next().unwrap_or(name).into()),
        None => Segment::Literal(part.into()),
    }
}

/// A path with all parameters alike: two operations may name the same parameter differently.
pub(super) fn normal(segments: &[Segment]) -> String {
    let mut text = String::new();
    for part in segments {
        text.push('/');
        text.push_str(match part {
            Segment::Literal(literal) => literal,
            Segment::Param(_) => "{}",
        });
    }
    text
}

/// A path as documents write it.
pub(super) fn template(segments: &[Segment]) -> SmolStr {
    let mut text = String::new();
    for part in segments {
        let _ = match part {
            Segment::Literal(literal) => write!(text, "/{literal}"),
            Segment::Param(name) => write!(text, "/{{{name}}}"),
        };
    }
    text.into()
}

/// One operation with its document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op {
    pub(super) document: &'static Document,
    pub(super) operation: &'static Operation,
}

/// All operations by path.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) ops: Vec<Op>,
    routes: Vec<Route>,
    /// By path, without those that have a verb behind a colon.
    by_path: BTreeMap<String, Vec<usize>>,
    /// Methods of a service whose paths are no tree, by noun.
    nouns: BTreeMap<SmolStr, Vec<usize>>,
}

impl Tree {
    pub(super) fn new(contract: &'static Contract) -> Self {
        let ops: Vec<_> = contract.operations().map(|(document, operation)| Op { document, operation }).collect();
        let routes: Vec<_> = ops.iter().map(|op| Route::of(&op.operation.path)).collect();
        let mut by_path: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        let mut nouns: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, (op, route)) in ops.iter().zip(&routes).enumerate() {
            if let Some((noun, _)) = rpc_name(op) {
                nouns.entry(SmolStr::new(noun)).or_default().push(index);
            } else if route.verb.is_none() {
                by_path.entry(normal(&route.segments)).or_default().push(index);
            }
        }
        Self { ops, routes, by_path, nouns }
    }

    pub(super) fn op(&self, index: usize) -> Op {
        self.ops[index]
    }

    pub(super) fn route(&self, index: usize) -> &Route {
        &self.routes[index]
    }

    /// The operation of a method at a path.
    pub(super) fn at(&self, path: &str, method: &str) -> Option<usize> {
        let here = self.by_path.get(path)?;
        here.iter().copied().find(|index| self.ops[*index].operation.method == method)
    }

    /// The operation of a method on the items of a collection.
    pub(super) fn on_item(&self, collection: &str, method: &str) -> Option<usize> {
        self.at(&format!("{collection}/{{}}"), method)
    }

    /// Whether a path has items with operations of their own.
    pub(super) fn has_items(&self, collection: &str) -> bool {
        self.by_path.contains_key(&format!("{collection}/{{}}"))
    }

    /// The methods of a noun, each with its verb.
    pub(super) fn methods(&self, noun: &str) -> impl Iterator<Item = (usize, &'static str)> {
        let all = self.nouns.get(noun).into_iter().flatten();
        all.filter_map(|index| Some((*index, rpc_name(&self.ops[*index])?.1)))
    }
}

/// Noun and verb of a method whose path is no tree (`bookmarks.add`): of documents of Slack's kind, and where a path
/// ends in the operation's id.
pub(super) fn rpc_name(op: &Op) -> Option<(&'static str, &'static str)> {
    let last = op.operation.path.rsplit('/').next()?;
    let alike = op.document.kind == Kind::SlackMethods || op.operation.id == last;
    if !alike || op.operation.path.contains('{') {
        return None;
    }
    last.rsplit_once('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        let check = |path: &str, expected: &str, verb: Option<&str>| {
            let route = Route::of(path);
            assert_eq!((normal(&route.segments).as_str(), route.verb.as_deref()), (expected, verb), "{path}");
        };
        check("/pets", "/pets", None);
        check("/pets/{petId}/toys/", "/pets/{}/toys", None);
        check("/v4/spreadsheets/{id}/values/{range}:append", "/v4/spreadsheets/{}/values/{}", Some("append"));
        check("/v1/{name=projects/*}", "/v1/{name=projects/*}", None);
        check("/a/{b:c}", "/a/{}", None);
        assert!(Route::of("/a/{b}.{c}").mixed);
        assert_eq!(template(&Route::of("/a/{b}").segments), "/a/{b}");
    }
}
