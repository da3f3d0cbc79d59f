//! The identity sources of an `okta:` section: what administrators had set up before the world begins.

use std::collections::BTreeSet;

use dtu_kernel::{diagnostic::Diagnostic, tx::Tx, world::World};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;
use smol_str::SmolStr;

use crate::{
    contract::is_id,
    model::{
        State,
        identity_source::{SOURCE_ID, Source},
    },
};

/// A custom identity source.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OktaIdentitySource")]
pub(crate) struct SourceRow {
    /// What it is called.
    name: SmolStr,
    /// Its id, where programs know it beforehand: `0oa` and 17 letters and digits. Drawn where absent.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    id: Option<Spanned<SmolStr>>,
}

/// All that is wrong with the sources.
pub(crate) fn check(world: &World, rows: &[SourceRow]) -> Vec<Diagnostic> {
    let mut ids = BTreeSet::new();
    let wrong = |id: &Spanned<SmolStr>| {
        if !is_id(&id.value) || !id.value.starts_with("0oa") {
            let what = format!("`{}` is no id of an identity source", id.value);
            Some(Diagnostic::on(&world.file, id, what).hint("ids are `0oa` and 17 letters and digits"))
        } else if !ids.insert(id.value.clone()) {
            Some(Diagnostic::on(&world.file, id, format!("the id `{}` is used twice", id.value)))
        } else {
            None
        }
    };
    rows.iter().filter_map(|row| row.id.as_ref()).filter_map(wrong).collect()
}

/// Adds the sources.
pub(crate) fn add(state: &mut State, tx: &mut Tx<'_>, rows: Vec<SourceRow>) {
    for SourceRow { name, id } in rows {
        let id = id.map_or_else(|| tx.id(&SOURCE_ID), |id| id.value);
        state.sources.put(&mut tx.changes, Source { id, name });
    }
}
