//! Operations put next to each other: one for each route, each with an id of its own.

use std::collections::{BTreeMap, BTreeSet};

use smol_str::{SmolStr, format_smolstr};

use super::{
    at::At,
    draft::{Draft, parameter, placeholders},
    paging,
    reader::Reader,
};
use crate::{
    contract::{Operation, Parameter, Place},
    schema::{Schema, Type},
};

impl Reader<'_> {
    /// The whole path of an operation, from the server's part of it and its own. `None`, and a problem, where its
    /// braces do not pair.
    pub(super) fn path(&mut self, at: &At<'_>, prefix: &str, own: &str) -> Option<SmolStr> {
        let slash = if own.starts_with('/') { "" } else { "/" };
        if slash == "/" {
            self.unused(at, "a path begins with `/`");
        }
        let path = format_smolstr!("{prefix}{slash}{own}");
        if let Err(what) = placeholders(&path) {
            self.broken(at, what);
            return None;
        }
        Some(path)
    }

    /// Makes the path's parameters those that its text names: others are dropped, and those that are missing added.
    pub(super) fn fit_path(&mut self, at: &At<'_>, path: &str, parameters: &mut Vec<Parameter>) {
        let named: BTreeSet<&str> = placeholders(path).unwrap_or_default().into_iter().collect();
        parameters.retain(|parameter| {
            let fits = parameter.place != Place::Path || named.contains(parameter.name.as_str());
            if !fits {
                self.unused(at, format!("the path has no `{{{}}}`", parameter.name));
            }
            fits
        });
        let declared = |name: &str| parameters.iter().any(|it| it.place == Place::Path && it.name == name);
        let missing: Vec<_> = named.into_iter().filter(|name| !declared(name)).collect();
        for name in missing {
            self.unused(at, format!("the path's parameter `{name}` is not described; taken as text"));
            let schema = Schema { types: vec![Type::String], ..Schema::default() };
            parameters.push(parameter(name.into(), Place::Path, true, schema));
        }
    }

    /// Puts all operations next to each other: one for each method and path, ids that are unique, by path and method.
    pub(super) fn operations(&mut self, schemas: &BTreeMap<SmolStr, Schema>) -> Vec<Operation> {
        let mut routes = BTreeMap::new();
        let mut ids = BTreeMap::new();
        let mut operations = Vec::new();
        for draft in std::mem::take(&mut self.drafts) {
            let route = (draft.method.clone(), shape(&draft.path));
            if let Some(first) = routes.get(&route) {
                self.left_out(&At::Root(&draft.pointer), format!("answers the same calls as {first}"));
                continue;
            }
            let id = self.unique_id(&draft, &mut ids);
            routes.insert(route, draft.pointer);
            let Draft { method, path, deprecated, stage, mut facts, .. } = draft;
            facts.paging = paging::infer(&facts, schemas);
            operations.push(Operation { id, method, path, deprecated, stage, facts: facts.into() });
        }
        operations.sort_by(|one, other| (&one.path, &one.method).cmp(&(&other.path, &other.method)));
        operations
    }

    /// The operation's id, with a number where it is taken. `ids` has the last number of each.
    fn unique_id(&mut self, draft: &Draft, ids: &mut BTreeMap<SmolStr, u32>) -> SmolStr {
        let id = draft.id.clone().unwrap_or_else(|| made_id(&draft.method, &draft.path));
        let Some(mut number) = ids.insert(id.clone(), 1) else { return id };
        let free = loop {
            number += 1;
            let numbered = format_smolstr!("{id}-{number}");
            if !ids.contains_key(&numbered) {
                break numbered;
            }
        };
        ids.insert(id.clone(), number);
        ids.insert(free.clone(), 1);
        self.unused(&At::Root(&draft.pointer), format!("another operation is `{id}`; this one becomes `{free}`"));
        free
    }
}

/// A path without the names of its parameters: two of one shape are the same to a caller.
fn shape(path: &str) -> String {
    let mut parts = path.split('{');
    let mut shape = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shape.push_str("{}");
        shape.push_str(part.split_once('}').map_or("", |(_, after)| after));
    }
    shape
}

/// An id for an operation without one: `get_users_userId`.
fn made_id(method: &str, path: &str) -> SmolStr {
    let words = path.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<_> = std::iter::once(method.to_ascii_lowercase()).chain(words.map(str::to_owned)).collect();
    words.join("_").into()
}
