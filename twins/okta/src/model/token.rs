//! API tokens.
//!
//! See developer.okta.com/docs/guides/create-an-api-token/.

use std::sync::Arc;

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::{OrdMap, OrdSet};
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    Act,
    event_type::{TOKEN_REVOKE, TOKEN_UPDATE},
    log::Party,
};

/// From where a token may be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Whether zones say so; else from anywhere.
    pub zones: bool,
    /// Ids of zones from which it may be used.
    pub include: Vec<SmolStr>,
    /// Ids of zones from which it may not.
    pub exclude: Vec<SmolStr>,
}

/// An API token.
#[derive(Clone, Debug, Serialize)]
pub struct Token {
    /// `00T...`.
    pub id: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// Its owner's id.
    pub user: SmolStr,
    /// When it was made.
    pub created: Timestamp,
    /// From where it may be used: shown, but all calls come from one place here.
    pub network: Network,
    /// The secret: for the target's environment, never for the wire or the ledger.
    #[serde(skip)]
    pub value: SmolStr,
}

/// All API tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    table: Table<SmolStr, Token>,
    by_value: OrdMap<SmolStr, SmolStr>,
    by_user: OrdSet<(SmolStr, SmolStr)>,
    /// The world's first token: the one in `OKTA_CLIENT_TOKEN`.
    pub first: SmolStr,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { table: Table::new("tokens"), by_value: OrdMap::new(), by_user: OrdSet::new(), first: SmolStr::default() }
    }
}

impl Tokens {
    /// A token by its secret.
    pub fn by_value(&self, value: &str) -> Option<&Arc<Token>> {
        self.by_value.get(value).and_then(|id| self.table.get(id))
    }

    /// A token by id.
    pub fn get(&self, id: &str) -> Option<&Arc<Token>> {
        self.table.get(&SmolStr::new(id))
    }

    /// All, by id. Orgs have a handful.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Token>> {
        self.table.iter().map(|(_, token)| token)
    }

    /// A person's tokens.
    pub fn of_user(&self, user: &SmolStr) -> impl Iterator<Item = &Arc<Token>> {
        let (start, user) = ((user.clone(), SmolStr::default()), user.clone());
        let own = self.by_user.range(start..).take_while(move |(of, _)| *of == user);
        own.filter_map(|(_, id)| self.table.get(id))
    }

    /// Adds a token.
    pub fn insert(&mut self, changes: &mut Changes, token: Token) {
        if self.first.is_empty() {
            self.first = token.value.clone();
        }
        self.by_value.insert(token.value.clone(), token.id.clone());
        self.by_user.insert((token.user.clone(), token.id.clone()));
        self.table.put(changes, token.id.clone(), token);
    }

    fn remove(&mut self, changes: &mut Changes, token: &Token) {
        self.by_value.remove(&token.value);
        self.by_user.remove(&(token.user.clone(), token.id.clone()));
        self.table.remove(changes, &token.id);
    }
}

/// Gives a token another name or network.
pub fn update(act: &mut Act<'_, '_>, token: Token) -> Arc<Token> {
    let token = act.state.tokens.table.put(&mut act.tx.changes, token.id.clone(), token);
    act.log(&TOKEN_UPDATE, vec![Party::token(&token)]);
    token
}

/// Revokes a token: it is gone for good.
pub fn revoke(act: &mut Act<'_, '_>, token: &Token) {
    act.state.tokens.remove(&mut act.tx.changes, token);
    act.log(&TOKEN_REVOKE, vec![Party::token(token)]);
}
