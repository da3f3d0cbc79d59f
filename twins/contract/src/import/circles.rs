//! Schemas that are made of themselves.
//!
//! A tree whose nodes hold nodes is fine: values end. A schema that is its own alternative, or just another name of its
//! own name, says nothing, and whoever follows it never comes back. Such circles are cut where they close.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::{at::At, reader::Reader};
use crate::schema::Schema;

type Schemas = BTreeMap<SmolStr, Schema>;

/// A reference that closes a circle: the schema it is in, its place in there, and where it leads.
type Closing = (SmolStr, String, SmolStr);

impl Reader<'_> {
    /// Takes out all references that close a circle, each with a problem.
    pub(super) fn cut_circles(&mut self, schemas: &mut Schemas) {
        let places = self.places();
        for (name, place, target) in closings(schemas) {
            let pointer = format!("{}{place}/$ref", places.get(&name).map_or("", String::as_str));
            self.broken(&At::Root(&pointer), format!("`{target}` is made of itself"));
            if let Some(schema) = schemas.get_mut(&name) {
                cut(schema, &target);
            }
        }
    }
}

/// Walks from each schema in depth, on a list rather than the stack: chains may be as long as a document.
fn closings(schemas: &Schemas) -> Vec<Closing> {
    let mut done: BTreeMap<&SmolStr, bool> = BTreeMap::new();
    let mut found = Vec::new();
    for start in schemas.keys() {
        let mut open = vec![(start, None)];
        while let Some((name, edges)) = open.pop() {
            let mut edges = match edges {
                Some(edges) => edges,
                None if done.contains_key(name) => continue,
                None => {
                    done.insert(name, false);
                    let mut edges = Vec::new();
                    schemas.get(name).into_iter().for_each(|schema| edges_of(schema, String::new(), &mut edges));
                    edges
                }
            };
            let Some((place, target)) = edges.pop() else {
                done.insert(name, true);
                continue;
            };
            open.push((name, Some(edges)));
            match done.get(target) {
                Some(false) => found.push((name.clone(), place, target.clone())),
                Some(true) => {}
                None => open.push((target, None)),
            }
        }
    }
    found
}

/// The schemas that hold at the same place as this one, with the places of their references.
fn edges_of<'s>(schema: &'s Schema, place: String, edges: &mut Vec<(String, &'s SmolStr)>) {
    let alternatives = [("allOf", &schema.all_of), ("oneOf", &schema.one_of), ("anyOf", &schema.any_of)];
    for (key, list) in alternatives {
        for (index, part) in list.iter().enumerate() {
            edges_of(part, format!("{place}/{key}/{index}"), edges);
        }
    }
    schema.not.iter().for_each(|part| edges_of(part, format!("{place}/not"), edges));
    edges.extend(schema.reference.as_ref().map(|name| (place, name)));
}

fn cut(schema: &mut Schema, target: &SmolStr) {
    if schema.reference.as_ref() == Some(target) {
        schema.reference = None;
    }
    let lists = [&mut schema.all_of, &mut schema.one_of, &mut schema.any_of];
    lists.into_iter().flatten().for_each(|part| cut(part, target));
    schema.not.iter_mut().for_each(|part| cut(part, target));
}
