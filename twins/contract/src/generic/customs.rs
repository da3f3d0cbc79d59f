//! What a service does with its objects beside what its documents say.

use dtu_kernel::{ids::IdShape, time::Timestamp};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::refusal::Refused;

/// An object that customs look at.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The path of its collection with all parameters as `{}` (`/api/v1/apps/{}/users`); of the one object of a path,
    /// the path.
    pub collection: &'a str,
    /// The path with its parents' ids (`/api/v1/apps/0oa1/users`).
    pub place: &'a str,
    /// Its id; empty for the one object of a path.
    pub id: &'a str,
    /// The universe's time.
    pub now: Timestamp,
    /// The address that the caller used: `http://host:port`.
    pub origin: &'a str,
}

impl Subject<'_> {
    /// The object's own address.
    pub fn address(&self) -> String {
        let Self { place, id, origin, .. } = self;
        if id.is_empty() { format!("{origin}{place}") } else { format!("{origin}{place}/{id}") }
    }
}

/// What is about to happen to an object.
#[derive(Clone, Copy, Debug)]
pub enum Deed<'a> {
    /// It is made.
    Create,
    /// It is written whole or in part; this it was before.
    Write(&'a Map<String, Value>),
    /// A verb changes how it is; this it was before.
    Change(&'a Map<String, Value>),
    /// It is removed.
    Delete,
}

/// An object that comes with another.
#[derive(Clone, Debug)]
pub struct Companion {
    /// The path of its collection with all parameters as `{}`.
    pub collection: SmolStr,
    /// The path with its parents' ids.
    pub place: SmolStr,
    /// Its id; drawn as its collection's are where absent.
    pub id: Option<SmolStr>,
    /// What is known of it but for its id.
    pub members: Map<String, Value>,
}

/// Whether an object is among those that a list was asked for.
pub type Filter = Box<dyn Fn(&Map<String, Value>) -> bool>;

/// What a service does with the objects that the engine keeps. By default nothing: documents say all.
pub trait Customs {
    /// How the id of a new object looks, where documents do not say; `members` is what the caller said of it.
    fn id(&self, collection: &str, members: &Map<String, Value>) -> Option<IdShape> {
        let _ = (collection, members);
        None
    }

    /// Whether the ids of a collection are UUIDs, where documents do not say.
    fn has_uuids(&self, collection: &str) -> bool {
        let _ = collection;
        false
    }

    /// Sees an object before a deed: fills in what the service sets itself, or refuses. What is said of an object that
    /// is removed is forgotten.
    ///
    /// # Errors
    /// Why the service refuses.
    fn settle(&self, subject: &Subject<'_>, deed: Deed<'_>, members: &mut Map<String, Value>) -> Result<(), Refused> {
        let _ = (subject, deed, members);
        Ok(())
    }

    /// Gives an object that is shown what the service shows of it beside what its documents speak of. `known` is all
    /// that is remembered.
    fn dress(&self, subject: &Subject<'_>, known: &Map<String, Value>, shown: &mut Map<String, Value>) {
        let _ = (subject, known, shown);
    }

    /// Gives the object around a list what the service shows there beside what its documents speak of. The subject has
    /// no id.
    fn enclose(&self, subject: &Subject<'_>, shown: &mut Map<String, Value>) {
        let _ = (subject, shown);
    }

    /// Members of a collection's objects that are remembered just as they were given, whatever documents say of their
    /// values.
    fn kept(&self, collection: &str) -> &'static [&'static str] {
        let _ = collection;
        &[]
    }

    /// What comes with a new object: other objects, kept at their own places.
    fn with(&self, subject: &Subject<'_>, members: &Map<String, Value>) -> Vec<Companion> {
        let _ = (subject, members);
        Vec::new()
    }

    /// The member by which a collection is listed where callers do not say, and whether the largest comes first; in the
    /// order of making where none. Such collections must be short.
    fn order(&self, collection: &str) -> Option<(&'static str, bool)> {
        let _ = collection;
        None
    }

    /// What a parameter of a list asks for; none where customs do not know it either.
    ///
    /// # Errors
    /// Why the service refuses.
    fn filter(&self, collection: &str, name: &SmolStr, value: &Value) -> Result<Option<Filter>, Refused> {
        let _ = (collection, name, value);
        Ok(None)
    }
}

/// A service of which nothing is known but its documents.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Customs for Plain {}
