//! Persistent tables: collections of a twin's state that record what each write changed.

use std::{any::Any, fmt, ops::RangeBounds, sync::Arc};

use imbl::OrdMap;
use serde::Serialize;
use serde_json::Value;
use smol_str::{SmolStr, SmolStrBuilder, format_smolstr};

/// A row of any table, shared between state and ledger.
pub trait Record: Any + Send + Sync + fmt::Debug {
    /// The row as the control plane shows it.
    fn to_json(&self) -> Value;

    /// Writes the same as text behind what is there, without a tree.
    ///
    /// # Errors
    /// Where the row cannot be shown; a part of it may have been written.
    fn write_text(&self, out: &mut Vec<u8>) -> serde_json::Result<()>;
}

impl<T: Serialize + Any + Send + Sync + fmt::Debug> Record for T {
    fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_else(|error| Value::String(format!("unprintable row: {error}")))
    }

    fn write_text(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(out, self)
    }
}

/// A shared row of unknown type.
pub type Row = Arc<dyn Record>;

/// One row that a write touched: two pointers, never a root of the tree.
#[derive(Clone, Debug)]
pub struct Change {
    /// The table's name.
    pub table: &'static str,
    /// The row's key as text.
    pub key: SmolStr,
    /// The row before the write; none where it was added.
    pub before: Option<Row>,
    /// The row after the write; none where it was removed.
    pub after: Option<Row>,
}

/// What a write has changed so far, in order.
#[derive(Debug, Default)]
pub struct Changes(Vec<Change>);

impl Changes {
    /// The rows touched, in order.
    pub fn as_slice(&self) -> &[Change] {
        &self.0
    }

    /// Gives the rows up.
    pub fn into_vec(self) -> Vec<Change> {
        self.0
    }

    fn push<V: Record>(&mut self, table: &'static str, key: SmolStr, before: Option<Arc<V>>, after: Option<Arc<V>>) {
        self.0.push(Change { table, key, before: before.map(|row| row as Row), after: after.map(|row| row as Row) });
    }
}

/// What may key a table: ordered, cheap to copy, and with a text for the ledger.
pub trait Key: Ord + Clone + Send + Sync + fmt::Debug + 'static {
    /// The key as the ledger writes it.
    fn text(&self) -> SmolStr;
}

impl Key for SmolStr {
    fn text(&self) -> SmolStr {
        self.clone()
    }
}

impl Key for u64 {
    fn text(&self) -> SmolStr {
        format_smolstr!("{self}")
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    fn text(&self) -> SmolStr {
        let mut text = SmolStrBuilder::new();
        for part in [self.0.text().as_str(), "/", self.1.text().as_str()] {
            text.push_str(part);
        }
        text.finish()
    }
}

/// A named persistent map. Cloning costs a pointer; a write after a clone copies one path.
///
/// Secondary indexes stand beside the table in the twin's state and are kept by the model function that writes
/// the row; being derived, they are not recorded.
#[derive(Clone, Debug)]
pub struct Table<K: Key, V: Record> {
    name: &'static str,
    rows: OrdMap<K, Arc<V>>,
}

impl<K: Key, V: Record> Table<K, V> {
    /// An empty table. `name` is what ledger, diff and scenarios call it.
    pub fn new(name: &'static str) -> Self {
        Self { name, rows: OrdMap::new() }
    }

    /// The table's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The row of `key`.
    pub fn get(&self, key: &K) -> Option<&Arc<V>> {
        self.rows.get(key)
    }

    /// Whether there is a row of `key`.
    pub fn contains(&self, key: &K) -> bool {
        self.rows.contains_key(key)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All rows in key order. Costs what the table holds: for small tables and views, never for a request.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &Arc<V>)> {
        self.rows.iter()
    }

    /// The rows whose keys lie in `range`, in key order, lazily.
    pub fn range<R: RangeBounds<K>>(&self, range: R) -> impl DoubleEndedIterator<Item = (&K, &Arc<V>)> {
        self.rows.range(range)
    }

    /// Writes a row and records it; gives back the shared new row.
    pub fn put(&mut self, changes: &mut Changes, key: K, row: V) -> Arc<V> {
        let after = Arc::new(row);
        let text = key.text();
        let before = self.rows.insert(key, Arc::clone(&after));
        changes.push(self.name, text, before, Some(Arc::clone(&after)));
        after
    }

    /// Removes a row and records it.
    pub fn remove(&mut self, changes: &mut Changes, key: &K) -> Option<Arc<V>> {
        let before = self.rows.remove(key)?;
        changes.push(self.name, key.text(), Some(Arc::clone(&before)), None);
        Some(before)
    }

    /// Edits a row in a copy and records it; nothing happens where there is none.
    pub fn update(&mut self, changes: &mut Changes, key: &K, edit: impl FnOnce(&mut V)) -> Option<Arc<V>>
    where
        V: Clone,
    {
        let mut row = V::clone(self.rows.get(key)?);
        edit(&mut row);
        Some(self.put(changes, key.clone(), row))
    }

    /// The whole table as the control plane shows it: `{key: row}`.
    pub fn to_json(&self) -> Value {
        self.rows.iter().map(|(key, row)| (key.text().to_string(), row.to_json())).collect()
    }
}
