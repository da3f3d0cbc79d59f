//! MCP servers that apps bring along, and who may use them.
//!
//! <https://docs.slack.dev/ai/slackbot-mcp-client/admin-approval>

use std::sync::Arc;

use dtu_kernel::{
    ids::{IdShape, UPPER_ALNUM},
    tx::Tx,
};
use serde::Serialize;
use smol_str::SmolStr;

use super::{SITE, State};

const SERVER: IdShape =
    IdShape { site: SITE.child("mcp server"), prefix: "Amcp0", alphabet: UPPER_ALNUM, drawn: 9, suffix: "" };

/// An MCP server of an app.
#[derive(Clone, Debug, Default, Serialize)]
pub struct McpServer {
    /// Its id.
    pub id: SmolStr,
    /// The app.
    pub app: SmolStr,
    /// What the app calls it.
    pub name: SmolStr,
    /// Where it is.
    pub url: SmolStr,
    /// Who may use it: `everyone`, `no_one`, `named_entities` or `named_entities_exclude`; empty where nobody has
    /// said, and the app's own rule holds.
    pub permission: SmolStr,
    /// The people who are named.
    pub users: Vec<SmolStr>,
    /// The user groups that are named.
    pub groups: Vec<SmolStr>,
}

/// Tells of a server, or changes where it is.
pub(crate) fn declare(state: &mut State, tx: &mut Tx<'_>, app: &SmolStr, name: &SmolStr, url: &SmolStr) -> SmolStr {
    let known = of_app(state, app).find(|row| row.name == *name).map(|row| McpServer::clone(row));
    let mut row = known.unwrap_or_else(|| McpServer {
        id: tx.id(&SERVER),
        app: app.clone(),
        name: name.clone(),
        ..McpServer::default()
    });
    row.url = url.clone();
    let id = row.id.clone();
    state.content.mcp_servers.put(&mut tx.changes, (app.clone(), id.clone()), row);
    id
}

/// The servers of an app.
pub(crate) fn of_app<'a>(state: &'a State, app: &SmolStr) -> impl Iterator<Item = &'a Arc<McpServer>> + use<'a> {
    let app = app.clone();
    let rows = state.content.mcp_servers.range((app.clone(), SmolStr::default())..);
    rows.take_while(move |(key, _)| key.0 == app).map(|(_, row)| row)
}

impl State {
    /// Whether somebody may use a server.
    pub fn may_use(&self, server: &McpServer, user: &SmolStr) -> bool {
        let in_group = |group: &SmolStr| self.index.groups_of.contains(&(user.clone(), group.clone()));
        let named = || server.users.contains(user) || server.groups.iter().any(in_group);
        match server.permission.as_str() {
            "no_one" => false,
            "named_entities" => named(),
            "named_entities_exclude" => !named(),
            _ => true,
        }
    }
}
