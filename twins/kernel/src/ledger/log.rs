//! The log itself: appended to, followed, and held against an earlier point.

use std::sync::Arc;

use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use super::{
    entry::{Entry, Event, Principal},
    store::Store,
};
use crate::{table::Change, time::Timestamp};

/// How much the ledger keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Everything, with bodies.
    #[default]
    Full,
    /// Entries and changes, without bodies.
    Changes,
    /// Nothing: for volume runs. There is no diff then.
    Off,
}

/// The ranges of entries that led to the present state: a restore leaves out what came after its snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lineage(Vec<(u64, u64)>);

impl Lineage {
    fn contains(&self, seq: u64) -> bool {
        self.0.iter().any(|(from, to)| (*from..*to).contains(&seq))
    }
}

/// A net change of one row between two points.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, JsonSchema)]
pub struct NetChange {
    /// The twin.
    pub twin: String,
    /// The table.
    pub table: String,
    /// The row's key.
    pub key: String,
    /// The row at the first point; null where absent.
    pub before: Value,
    /// The row at the second point; null where absent.
    pub after: Value,
    /// The entries that touched the row.
    pub causes: Vec<Cause>,
}

/// An entry that touched a row.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq, JsonSchema)]
pub struct Cause {
    /// Its position.
    pub seq: u64,
    /// Who made it happen.
    pub principal: String,
}

/// The ledger of one universe.
#[derive(Debug)]
pub struct Ledger {
    keep: Keep,
    store: Arc<Store>,
    lineage: Mutex<Lineage>,
    latest: watch::Sender<u64>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(keep: Keep) -> Self {
        Self::over(keep, Store::new())
    }

    /// The same that keeps few entries in memory (tests).
    #[cfg(test)]
    fn of_small_shelves(keep: Keep) -> Self {
        Self::over(keep, Store::with_shelves_of(2))
    }

    fn over(keep: Keep, store: Store) -> Self {
        let lineage = Mutex::new(Lineage(vec![(0, u64::MAX)]));
        Self { keep, store: Arc::new(store), lineage, latest: watch::Sender::new(0) }
    }

    /// How much is kept.
    pub const fn keep(&self) -> Keep {
        self.keep
    }

    /// Appends an entry and gives back its position.
    pub fn append(
        &self,
        at: Timestamp,
        principal: Principal,
        twin: &'static str,
        cause: Option<u64>,
        event: Event,
        changes: Vec<Change>,
    ) -> u64 {
        self.append_with(at, principal, twin, cause, changes, || event)
    }

    /// The same with an event that is made only where it is kept.
    pub(crate) fn append_with(
        &self,
        at: Timestamp,
        principal: Principal,
        twin: &'static str,
        cause: Option<u64>,
        changes: Vec<Change>,
        event: impl FnOnce() -> Event,
    ) -> u64 {
        let seq = match self.keep {
            Keep::Off => self.store.skip(),
            Keep::Full | Keep::Changes => {
                let event = if self.keep == Keep::Full { event() } else { event().without_bodies() };
                self.store.push(|seq| Entry { seq, at, principal, twin, cause, event, changes })
            }
        };
        // Telling nobody costs as much as telling somebody.
        if self.latest.receiver_count() > 0 {
            self.tell(seq + 1);
        }
        seq
    }

    fn tell(&self, length: u64) {
        self.latest.send_if_modified(|latest| std::mem::replace(latest, length.max(*latest)) < length);
    }

    /// How many entries were appended.
    pub fn len(&self) -> u64 {
        self.store.len()
    }

    /// Whether nothing was appended.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Follows the ledger's length.
    pub fn watch(&self) -> watch::Receiver<u64> {
        let receiver = self.latest.subscribe();
        // What came before there was anybody to tell.
        self.tell(self.len());
        receiver
    }

    /// Up to `limit` entries from `from` on, oldest first, in the form of [`Entry::to_json`].
    ///
    /// # Errors
    /// Where entries on disk cannot be read back.
    pub fn page(&self, from: u64, limit: usize) -> std::io::Result<Vec<Value>> {
        self.store.read(from, limit, Entry::to_json)
    }

    /// The ranges that led to the present state.
    pub fn lineage(&self) -> Lineage {
        let mut lineage = self.lineage.lock().clone();
        let next = self.len();
        if let Some(last) = lineage.0.last_mut() {
            last.1 = next;
        }
        lineage
    }

    /// Makes a snapshot's past, and what comes from now on, the ranges that led to the present state.
    pub fn rebase(&self, past: &Lineage) {
        let mut lineage = past.clone();
        lineage.0.push((self.len(), u64::MAX));
        *self.lineage.lock() = lineage;
    }

    /// The net changes of all rows since entry `since`, along the present lineage, in order of first touch.
    ///
    /// # Errors
    /// Where entries on disk cannot be read back.
    pub fn diff(&self, since: u64) -> std::io::Result<Vec<NetChange>> {
        let lineage = self.lineage.lock().clone();
        let mut net: indexmap::IndexMap<(String, String, String), NetChange> = indexmap::IndexMap::new();
        let mut from = since;
        loop {
            // Bodies say nothing about rows.
            let page = self.store.read(from, 1_024, Entry::head_json)?;
            let Some(last) = page.last() else { break };
            from = last["seq"].as_u64().unwrap_or(from) + 1;
            for entry in &page {
                let seq = entry["seq"].as_u64().unwrap_or(0);
                if lineage.contains(seq) {
                    merge(&mut net, entry, seq);
                }
            }
        }
        Ok(net.into_values().filter(|change| change.before != change.after).collect())
    }
}

fn merge(net: &mut indexmap::IndexMap<(String, String, String), NetChange>, entry: &Value, seq: u64) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for change in entry["changes"].as_array().into_iter().flatten() {
        let (twin, table, key) = (text(&entry["twin"]), text(&change["table"]), text(&change["key"]));
        let slot = net.entry((twin.clone(), table.clone(), key.clone())).or_insert_with(|| NetChange {
            twin,
            table,
            key,
            before: change["before"].clone(),
            after: Value::Null,
            causes: Vec::new(),
        });
        slot.after = change["after"].clone();
        let cause = Cause { seq, principal: text(&entry["principal"]) };
        if slot.causes.last() != Some(&cause) {
            slot.causes.push(cause);
        }
    }
}

#[cfg(test)]
mod tests {
    use smol_str::SmolStr;

    use super::*;
    use crate::table::{Changes, Table};

    fn note(ledger: &Ledger, changes: Vec<Change>) -> u64 {
        let event = Event::Timer { name: "t".into() };
        ledger.append(Timestamp::from_secs(1), Principal::System, "slack", None, event, changes)
    }

    #[test]
    fn a_diff_nets_changes_and_follows_restores() {
        let ledger = Ledger::of_small_shelves(Keep::Full);
        let mut table: Table<SmolStr, String> = Table::new("rows");
        let mut write = |key: &str, value: Option<&str>| {
            let mut changes = Changes::default();
            match value {
                Some(value) => drop(table.put(&mut changes, key.into(), value.to_owned())),
                None => drop(table.remove(&mut changes, &key.into())),
            }
            note(&ledger, changes.into_vec());
        };
        write("a", Some("1"));
        write("b", Some("1"));
        let past = ledger.lineage();
        write("a", Some("2"));
        write("b", None);
        let keys = |since| -> Vec<String> {
            let diff = ledger.diff(since).expect("reads");
            diff.into_iter().map(|c| format!("{}:{}->{}", c.key, c.before, c.after)).collect()
        };
        assert_eq!(keys(0), [r#"a:null->"2""#]);
        ledger.rebase(&past);
        assert_eq!(keys(0), [r#"a:null->"1""#, r#"b:null->"1""#]);
        assert!(keys(2).is_empty());
    }
}
