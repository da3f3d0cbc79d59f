//! What a schema says through its references and parts, as one schema.

use std::collections::BTreeSet;

use smol_str::SmolStr;

use crate::{contract::Document, schema::Schema};

/// A schema without references at its top and without `allOf`. Members keep theirs.
pub(super) fn effective(document: &Document, schema: &Schema) -> Schema {
    gather(document, schema, &mut BTreeSet::new())
}

fn gather<'a>(document: &'a Document, schema: &'a Schema, seen: &mut BTreeSet<&'a SmolStr>) -> Schema {
    let mut whole = Schema::default();
    if let Some(name) = &schema.reference
        && seen.insert(name)
        && let Some(named) = document.schemas.get(name)
    {
        whole = gather(document, named.get(), seen);
    }
    for part in &schema.all_of {
        overlay(&mut whole, gather(document, part, seen));
    }
    let own = Schema { reference: None, all_of: Vec::new(), ..schema.clone() };
    overlay(&mut whole, own);
    whole
}

/// Puts what `over` says on top of what `base` says.
fn overlay(base: &mut Schema, over: Schema) {
    macro_rules! replace {
        ($($field:ident),*) => { $( if over.$field.is_some() { base.$field = over.$field; } )* };
    }
    macro_rules! either {
        ($($field:ident),*) => { $( base.$field |= over.$field; )* };
    }
    macro_rules! extend {
        ($($field:ident),*) => { $( base.$field.extend(over.$field); )* };
    }
    replace!(format, values, default, minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of);
    replace!(min_length, max_length, pattern, items, min_items, max_items, additional, min_properties, max_properties);
    replace!(not, discriminator);
    either!(nullable, unique_items, read_only, write_only, deprecated);
    extend!(properties, required, one_of, any_of);
    if !over.types.is_empty() {
        base.types = over.types;
    }
}
