//! What the generic twin remembers: objects by place and id, and beside them their order, other names and numbers.

use dtu_kernel::table::{Changes, Table};
use imbl::{OrdMap, OrdSet};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use smol_str::{SmolStr, format_smolstr};

/// Part of a twin's state. Cloning costs a few pointers.
///
/// A *place* is a collection with its parents' ids filled in (`/apps/0oa1/users`). Only the table is recorded; the
/// rest follows from it.
#[derive(Clone, Debug)]
pub struct Store {
    table: Table<(SmolStr, SmolStr), Object>,
    /// In the order of making. An ordinal is never used twice, so it can be a cursor.
    order: OrdMap<(SmolStr, u64), SmolStr>,
    /// Other members than the id that an object is known by.
    aliases: OrdMap<(SmolStr, SmolStr), SmolStr>,
    counts: OrdMap<SmolStr, usize>,
    /// Places that a world has said everything about.
    seeded: OrdSet<SmolStr>,
    /// The largest number given as an id, by collection and by place.
    numbers: OrdMap<SmolStr, u64>,
    next: u64,
}

/// One remembered object.
#[derive(Clone, Debug)]
pub struct Object {
    /// The how-manieth thing remembered; zero for the one object of a place without ids.
    pub(super) ordinal: u64,
    aliases: Vec<SmolStr>,
    /// All that is known of it, members that are never shown among them.
    pub(super) members: Map<String, Value>,
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.members.serialize(serializer)
    }
}

/// What to remember.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) place: SmolStr,
    pub(super) id: SmolStr,
    pub(super) aliases: Vec<SmolStr>,
    pub(super) members: Map<String, Value>,
}

/// A part of a place's list.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) items: Vec<(&'a SmolStr, &'a Object)>,
    /// The last item's ordinal, where more follow it.
    pub(super) next: Option<u64>,
}

impl Store {
    /// An empty store whose table has this name in ledger, diffs and scenarios.
    pub fn new(table_name: &'static str) -> Self {
        Self {
            table: Table::new(table_name),
            order: OrdMap::new(),
            aliases: OrdMap::new(),
            counts: OrdMap::new(),
            seeded: OrdSet::new(),
            numbers: OrdMap::new(),
            next: 1,
        }
    }

    /// Puts an object that a world gives: at a place (`/apps`), under an id. The caller has checked its members.
    pub fn put_seed(&mut self, place: &str, id: &str, members: Map<String, Value>) {
        self.put_seed_known(Entry { place: place.into(), id: id.into(), aliases: Vec::new(), members });
    }

    /// Puts the one object of a path (`/org`) that a world gives.
    pub fn put_seed_one(&mut self, path: &str, members: Map<String, Value>) {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.put_one(&mut Changes::default(), above.into(), name.into(), members);
    }

    /// The same, with the other names that the object is known by.
    pub(super) fn put_seed_known(&mut self, entry: Entry) {
        self.seeded.insert(entry.place.clone());
        self.put(&mut Changes::default(), entry);
    }

    /// The objects of a place in the order of their making, for hand-written rules that go by them.
    pub fn members<'a>(&'a self, place: &str) -> impl Iterator<Item = (&'a SmolStr, &'a Map<String, Value>)> + use<'a> {
        let place = SmolStr::new(place);
        let all = self.order.range((place.clone(), 0)..=(place.clone(), u64::MAX));
        all.filter_map(move |(_, id)| Some((id, &self.row(&place, id)?.members)))
    }

    /// An object of a place, for hand-written rules that go by it.
    pub fn member(&self, place: &str, id: &str) -> Option<&Map<String, Value>> {
        self.row(&SmolStr::new(place), &SmolStr::new(id)).map(|object| &object.members)
    }

    /// Writes an object of a place, for hand-written rules that change it with another. Other names that it is known
    /// by stay.
    pub fn keep(&mut self, changes: &mut Changes, place: &str, id: &str, members: Map<String, Value>) {
        let (place, id) = (SmolStr::new(place), SmolStr::new(id));
        let aliases = self.row(&place, &id).map(|object| object.aliases.clone()).unwrap_or_default();
        self.put(changes, Entry { place, id, aliases, members });
    }

    /// Writes the one object of a path, for hand-written rules that change it with another.
    pub fn keep_one(&mut self, changes: &mut Changes, path: &str, members: Map<String, Value>) {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.put_one(changes, above.into(), name.into(), members);
    }

    /// Removes an object and all that is below it, for hand-written rules that remove it with another; whether it was
    /// there.
    pub fn forget(&mut self, changes: &mut Changes, place: &str, id: &str) -> bool {
        self.remove(changes, &place.into(), &id.into())
    }

    /// All objects as the control plane shows them, by place and id.
    pub fn to_json(&self) -> Value {
        self.table.to_json()
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// What is known of one object of a place, by its id or another of its names.
    pub fn one(&self, place: &str, name: &str) -> Option<&Map<String, Value>> {
        self.find(&place.into(), name).map(|(_, object)| &object.members)
    }

    /// Whether a world gave objects of a place: then there are no others by themselves.
    pub(super) fn is_seeded(&self, place: &str) -> bool {
        self.seeded.contains(place)
    }

    /// How many listed objects a place has.
    pub(super) fn count(&self, place: &str) -> usize {
        self.counts.get(place).copied().unwrap_or(0)
    }

    /// An object by its id or another of its names, with the id.
    pub(super) fn find(&self, place: &SmolStr, name: &str) -> Option<(SmolStr, &Object)> {
        let key = (place.clone(), SmolStr::new(name));
        if let Some(object) = self.table.get(&key) {
            return Some((key.1, object));
        }
        let id = self.aliases.get(&key)?;
        Some((id.clone(), self.table.get(&(key.0, id.clone()))?))
    }

    /// Adds a listed object, or writes over the one there is, which keeps its place in the order.
    pub(super) fn put(&mut self, changes: &mut Changes, entry: Entry) {
        let Entry { place, id, aliases, members } = entry;
        let key = (place.clone(), id.clone());
        let known = self.table.get(&key).map(|object| (object.ordinal, object.aliases.clone()));
        let ordinal = known.as_ref().map_or(self.next, |(ordinal, _)| *ordinal);
        for old in known.iter().flat_map(|(_, aliases)| aliases) {
            self.aliases.remove(&(place.clone(), old.clone()));
        }
        for new in &aliases {
            self.aliases.insert((place.clone(), new.clone()), id.clone());
        }
        if let Some(number) = id.parse().ok().filter(|_| id.bytes().all(|byte| byte.is_ascii_digit())) {
            self.used_number(&place, number);
        }
        if known.is_none() {
            self.next += 1;
            self.order.insert((place.clone(), ordinal), id);
            *self.counts.entry(place).or_insert(0) += 1;
        }
        self.table.put(changes, key, Object { ordinal, aliases, members });
    }

    /// Writes the one object of a place without ids. It is in no list.
    pub(super) fn put_one(
        &mut self,
        changes: &mut Changes,
        place: SmolStr,
        name: SmolStr,
        members: Map<String, Value>,
    ) {
        self.table.put(changes, (place, name), Object { ordinal: 0, aliases: Vec::new(), members });
    }

    /// Removes an object and all that is below it.
    pub(super) fn remove(&mut self, changes: &mut Changes, place: &SmolStr, id: &SmolStr) -> bool {
        let found = self.remove_row(changes, place, id);
        let below = format!("{place}/{}", escaped(id));
        for (place, id) in self.below(&below) {
            self.remove_row(changes, &place, &id);
        }
        found
    }

    /// Removes all listed objects of a place.
    pub(super) fn clear(&mut self, changes: &mut Changes, place: &SmolStr) {
        let all = self.order.range((place.clone(), 0)..=(place.clone(), u64::MAX));
        let ids: Vec<_> = all.map(|(_, id)| id.clone()).collect();
        for id in ids {
            self.remove(changes, place, &id);
        }
    }

    fn remove_row(&mut self, changes: &mut Changes, place: &SmolStr, id: &SmolStr) -> bool {
        let Some(object) = self.table.remove(changes, &(place.clone(), id.clone())) else { return false };
        for alias in &object.aliases {
            self.aliases.remove(&(place.clone(), alias.clone()));
        }
        let listed = self.order.remove(&(place.clone(), object.ordinal)).is_some();
        if let Some(count) = self.counts.get_mut(place).filter(|_| listed) {
            *count -= 1;
        }
        true
    }

    /// The keys of what lies at or below a path.
    fn below(&self, path: &str) -> Vec<(SmolStr, SmolStr)> {
        let start = (SmolStr::new(path), SmolStr::default());
        let within =
            |place: &str| place.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        // Ids such as `a-b` sort between `a` and `a/c`, so the range goes on for as long as the beginning is the same.
        let near = self.table.range(start..).map(|(key, _)| key).take_while(|key| key.0.starts_with(path));
        near.filter(|key| within(&key.0)).cloned().collect()
    }

    /// The next number for an id of a collection at a place, from `start` on.
    pub(super) fn next_number(&self, collection: &SmolStr, place: &SmolStr, start: u64) -> u64 {
        let last = |key: &SmolStr| self.numbers.get(key).map_or(0, |last| last.saturating_add(1));
        last(collection).max(last(place)).max(start)
    }

    /// Keeps numbers from being given twice.
    pub(super) fn used_number(&mut self, collection: &SmolStr, number: u64) {
        let last = self.numbers.entry(collection.clone()).or_insert(0);
        *last = number.max(*last);
    }

    /// Up to `most` objects of a place that `keep` takes, after an ordinal. Walks on until the page is full.
    pub(super) fn page(&self, place: &SmolStr, after: u64, most: usize, keep: impl Fn(&Object) -> bool) -> Page<'_> {
        let mut items: Vec<(&SmolStr, &Object)> = Vec::new();
        let range = (place.clone(), after.saturating_add(1))..=(place.clone(), u64::MAX);
        for ((_, _), id) in self.order.range(range) {
            let Some(object) = self.row(place, id).filter(|object| keep(object)) else { continue };
            if items.len() == most {
                return Page { next: Some(items.last().map_or(after, |(_, last)| last.ordinal)), items };
            }
            items.push((id, object));
        }
        Page { items, next: None }
    }

    fn row(&self, place: &SmolStr, id: &SmolStr) -> Option<&Object> {
        self.table.get(&(place.clone(), id.clone())).map(std::sync::Arc::as_ref)
    }
}

/// An id as part of a place: a slash in it begins no new part.
pub(super) fn escaped(id: &str) -> SmolStr {
    if id.contains('/') { id.replace('/', "%2F").into() } else { format_smolstr!("{id}") }
}

/// What of a part of a path stands as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// A place, or an id as part of one, as it stands in addresses.
pub(super) fn encoded(place: &str) -> String {
    let parts = place.split('/').map(|part| utf8_percent_encode(&part.replace("%2F", "/"), PLAIN).to_string());
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(store: &mut Store, place: &str, id: &str) {
        store.put_seed(place, id, Map::from_iter([("id".to_owned(), Value::from(id))]));
    }

    #[test]
    fn removing_takes_what_is_below_and_nothing_beside() {
        let mut store = Store::new("test");
        let rows =
            [("/a", "1"), ("/a", "1-b"), ("/a/1/b", "x"), ("/a/1-b/b", "y"), ("/a/1/b/x/c", "z"), ("/a/10/b", "w")];
        for (place, id) in rows {
            put(&mut store, place, id);
        }
        store.remove(&mut Changes::default(), &"/a".into(), &"1".into());
        let left: Vec<_> = store.to_json().as_object().expect("is one").keys().cloned().collect();
        assert_eq!(left, ["/a/1-b", "/a/1-b/b/y", "/a/10/b/w"]);
        assert_eq!((store.count("/a"), store.count("/a/1/b")), (1, 0));
    }

    #[test]
    fn pages_follow_the_order_of_making() {
        let mut store = Store::new("test");
        for id in ["c", "a", "b"] {
            put(&mut store, "/a", id);
        }
        let ids = |page: &Page<'_>| page.items.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>();
        let first = store.page(&"/a".into(), 0, 2, |_| true);
        assert_eq!(ids(&first), ["c", "a"]);
        let last = store.page(&"/a".into(), first.next.expect("more follow"), 2, |_| true);
        assert_eq!((ids(&last), last.next), (vec!["b".to_owned()], None));
    }
}
