//! Rows that are known by what a member of theirs is, without making the others.

use std::collections::{BTreeMap, BTreeSet};

use dtu_kernel::rows::{Reader, RowBox};
use serde_json::Value;

/// Members of rows, each with the texts that are looked for in it.
pub(crate) type Wanted<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The rows that one of these texts finds: by index where there is one.
pub(super) fn known_rows(reader: &dyn Reader, wanted: &Wanted<'_>) -> Vec<Value> {
    let mut out = Vec::new();
    let mut unindexed = Vec::new();
    for (member, texts) in wanted {
        if reader.is_indexed(member) {
            let found = texts.iter().filter_map(|text| reader.find(&[(*member, *text)])).flatten();
            out.extend(found.map(|row| reader.whole(&row)));
        } else {
            unindexed.push((*member, texts));
        }
    }
    if !unindexed.is_empty() {
        let is_known = |row: &RowBox| {
            let has = |member: &str, texts: &BTreeSet<&str>| {
                reader.member(row, member).is_some_and(|value| value.as_str().is_some_and(|text| texts.contains(text)))
            };
            unindexed.iter().any(|(member, texts)| has(member, texts))
        };
        out.extend(reader.all().filter(is_known).map(|row| reader.whole(&row)));
    }
    out
}
