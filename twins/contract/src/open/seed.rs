//! What a world says of a twin that is made from a document: objects by the path of their collection.

use std::collections::BTreeMap;

use dtu_kernel::{diagnostic::Diagnostic, world::World};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use crate::{backing::Backing, generic::Store};

/// A section: objects by the path of their collection, parents' ids filled in (`/owners/7/pets`).
type Section = BTreeMap<String, Vec<Spanned<Map<String, Value>>>>;

/// The section's schema.
pub(super) fn schema(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<BTreeMap<String, Vec<Map<String, Value>>>>()
}

/// The store that the world's section makes.
///
/// # Errors
/// Every object that does not fit the document.
pub(super) fn load(name: &'static str, backing: &Backing, world: &World) -> Result<Store, Vec<Diagnostic>> {
    let section: Section = world.section(name)?;
    let mut store = Store::new("objects");
    let mut problems = Vec::new();
    for (path, objects) in section {
        for object in objects {
            if let Err(why) = backing.engine().seed(&mut store, &path, object.value.clone()) {
                let message = format!("`{path}`: {why}");
                problems.push(Diagnostic::on(&world.file, &object, message));
            }
        }
    }
    if problems.is_empty() { Ok(store) } else { Err(problems) }
}
