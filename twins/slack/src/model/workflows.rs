//! Workflows as administrators see them. An app's function that people can start by a trigger is one of a single step.

use std::sync::Arc;

use dtu_kernel::{
    ids::{IdShape, UPPER_ALNUM},
    tx::Tx,
};
use serde::Serialize;
use smol_str::SmolStr;

use super::{SITE, State, functions::Function};

const WORKFLOW: IdShape =
    IdShape { site: SITE.child("workflow"), prefix: "Wf0", alphabet: UPPER_ALNUM, drawn: 9, suffix: "" };

/// A workflow.
#[derive(Clone, Debug, Serialize)]
pub struct Workflow {
    /// Its id.
    pub id: SmolStr,
    /// The app.
    pub app: SmolStr,
    /// The function that is its one step, by the app's name for it.
    pub callback_id: SmolStr,
    /// Who may change it.
    pub collaborators: Vec<SmolStr>,
    /// Whether people may start it.
    pub published: bool,
    /// When it was last published, in seconds.
    pub published_at: i64,
    /// Who changed it last.
    pub updated_by: SmolStr,
    /// When it was changed, in seconds.
    pub updated: i64,
}

/// The workflow of a function that an app tells of: made, or published anew.
pub(crate) fn publish(state: &mut State, tx: &mut Tx<'_>, function: &Function) {
    let key = (function.app.clone(), function.callback_id.clone());
    let by = state.apps.get(&function.app).map(|app| app.installer.clone()).unwrap_or_default();
    let now = tx.now.as_secs();
    let known = state.content.workflow_of.get(&key).and_then(|id| state.content.workflows.get(id));
    let row = match known {
        Some(row) => {
            let row = Workflow::clone(row);
            Workflow { published: true, published_at: now, updated_by: by, updated: now, ..row }
        }
        None => Workflow {
            id: tx.id(&WORKFLOW),
            app: key.0.clone(),
            callback_id: key.1.clone(),
            collaborators: vec![by.clone()],
            published: true,
            published_at: now,
            updated_by: by,
            updated: now,
        },
    };
    state.content.workflow_of.insert(key, row.id.clone());
    state.content.workflows.put(&mut tx.changes, row.id.clone(), row);
}

impl State {
    /// The workflow of an app's function.
    pub fn workflow(&self, app: &SmolStr, callback_id: &SmolStr) -> Option<&Arc<Workflow>> {
        let id = self.content.workflow_of.get(&(app.clone(), callback_id.clone()))?;
        self.content.workflows.get(id)
    }
}
