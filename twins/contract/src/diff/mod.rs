//! What changed between two states of a contract, and what of it breaks clients.
//!
//! Shared schemas are compared once each, with the directions they are used in, and not again in each operation that
//! refers to them. Where one state refers to a schema and the other to another, or to none, what they say is compared.

mod change;
mod effective;
mod limits;
mod operations;
mod schemas;
mod uses;

use std::collections::{BTreeMap, BTreeSet};

use smol_str::SmolStr;

pub use change::{Change, ChangeKind, Subject, breaks};
use change::{Log, Reason};
use schemas::Comparison;
use uses::{Uses, all_uses};

use crate::contract::{Contract, Document};

/// What changed from one state of a contract to another: by document, subject and place.
pub fn diff(old: &Contract, new: &Contract) -> Vec<Change> {
    let by_name = |contract: &'_ Contract| -> BTreeSet<SmolStr> {
        contract.documents.iter().map(|document| document.name.clone()).collect()
    };
    let find = |contract: &'_ Contract, name: &SmolStr| contract.documents.iter().position(|doc| doc.name == *name);
    let mut changes = Vec::new();
    for name in by_name(old).union(&by_name(new)) {
        let mut log = Log::new(name, Subject::Document);
        match (find(old, name), find(new, name)) {
            (Some(old_at), Some(new_at)) => documents(&old.documents[old_at], &new.documents[new_at], &mut log),
            (Some(_), None) => log.removed("", Reason::breaks("clients call its operations"), "the document is gone"),
            _ => log.added("", Reason::None, "the document is new"),
        }
        changes.append(&mut log.into_changes());
    }
    changes.sort();
    changes.dedup();
    changes
}

fn documents(old: &Document, new: &Document, log: &mut Log) {
    if old.version != new.version {
        log.changed("/version", Reason::None, format!("version {} is now {}", old.version, new.version));
    }
    security(old, new, log);
    operations::compare(old, new, log);
    shared_schemas(old, new, log);
}

fn security(old: &Document, new: &Document, log: &mut Log) {
    for (name, scheme) in &old.security {
        log.subject(Subject::Security(name.clone()));
        match new.security.get(name) {
            None => log.removed("", Reason::breaks("callers show who they are by it"), "the scheme is gone"),
            Some(other) if other != scheme => {
                log.changed("", Reason::breaks("callers show who they are in the old way"), "the scheme is another");
            }
            Some(_) => {}
        }
    }
    for name in new.security.keys().filter(|name| !old.security.contains_key(*name)) {
        log.subject(Subject::Security(name.clone()));
        log.added("", Reason::None, "the scheme is new");
    }
}

fn shared_schemas(old: &Document, new: &Document, log: &mut Log) {
    // What only new clients use cannot break.
    let uses: BTreeMap<SmolStr, Uses> = all_uses(old);
    for (name, schema) in &old.schemas {
        log.subject(Subject::Schema(name.clone()));
        let uses = uses.get(name).copied().unwrap_or_default();
        log.directions(uses.directions());
        match new.schemas.get(name) {
            None => log.removed("", Reason::None, "the schema is gone"),
            Some(other) => Comparison::new(old, new, log).schemas(schema.get(), other.get(), "", uses),
        }
    }
    log.directions(Vec::new());
    for name in new.schemas.keys().filter(|name| !old.schemas.contains_key(*name)) {
        log.subject(Subject::Schema(name.clone()));
        log.added("", Reason::None, "the schema is new");
    }
}
