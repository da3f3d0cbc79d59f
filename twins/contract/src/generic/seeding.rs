//! Objects that a world says are there.

use serde_json::{Map, Value};

use super::{
    call::text,
    collection::Collection,
    engine::{Engine, aliases},
    fits::fits,
    store::{Entry, Store},
    tree::Segment,
};

impl Engine {
    /// Puts an object into the collection at a path with its parents' ids filled in (`/owners/7/pets`).
    ///
    /// # Errors
    /// Why the object cannot stand there, for people.
    pub fn seed(&self, store: &mut Store, path: &str, members: Map<String, Value>) -> Result<(), String> {
        let plans = (0..self.tree().ops.len()).map(|operation| self.plan(operation));
        let found = plans.filter_map(|plan| plan.collection.as_ref()).find(|collection| is_at(collection, path));
        let collection = found.ok_or("no collection of the document is at this path")?;
        let id = collection.ids.iter().find_map(|name| members.get(name.as_str()).and_then(text));
        let names = || collection.ids.first().map_or("id", |name| name.as_str());
        let id = id.ok_or_else(|| format!("the object has no `{}`", names()))?;
        if let Some(item) = &collection.item {
            let view = item.item();
            let wrong = members
                .iter()
                .find(|(name, value)| view.property(name).is_some_and(|member| !fits(&self.patterns, &member, value)));
            if let Some((name, _)) = wrong {
                return Err(format!("`{name}` does not fit the document"));
            }
        }
        let aliases = aliases(collection, &members);
        store.put_seed_known(Entry { place: path.into(), id, aliases, members });
        Ok(())
    }
}

/// Whether a path is a place of a collection.
fn is_at(collection: &Collection, path: &str) -> bool {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let fits = collection.segments.iter().all(|segment| match (segment, parts.next()) {
        (Segment::Literal(literal), Some(part)) => literal == part,
        (Segment::Param(_), Some(_)) => true,
        (_, None) => false,
    });
    fits && parts.next().is_none() && !collection.ids.is_empty()
}
