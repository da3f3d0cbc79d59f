//! API tokens of Atlassian accounts.

use dtu_kernel::{
    ids::{ALNUM, HEX},
    seed::Draw,
    table::{Changes, Table},
};
use imbl::OrdMap;
use serde::Serialize;
use smol_str::{SmolStr, format_smolstr};

/// An API token.
#[derive(Clone, Debug, Serialize)]
pub struct Token {
    /// Its name, unique in the world.
    pub name: SmolStr,
    /// Its owner's account id.
    pub account: SmolStr,
    /// The secret: for the target's environment, never for the wire or the ledger.
    #[serde(skip)]
    pub value: SmolStr,
}

/// A secret with the beginning and the end of a real one, that says of itself that it is none.
pub fn made_up(site: &str, draw: &mut Draw) -> SmolStr {
    let (tail, check) = (draw.text(ALNUM, 32), draw.text(HEX, 8).to_uppercase());
    format_smolstr!("ATATT3xFfGF0-dtu-{site}-not-a-real-secret-{tail}={check}")
}

/// All API tokens.
#[derive(Clone, Debug)]
pub struct Tokens {
    rows: Table<SmolStr, Token>,
    by_value: OrdMap<SmolStr, SmolStr>,
    first: Option<SmolStr>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { rows: Table::new("tokens"), by_value: OrdMap::new(), first: None }
    }
}

impl Tokens {
    /// A token by its secret.
    pub fn by_value(&self, value: &str) -> Option<&Token> {
        self.by_value.get(value).and_then(|name| self.by_name(name))
    }

    /// A token by its name.
    pub fn by_name(&self, name: &str) -> Option<&Token> {
        self.rows.get(&SmolStr::new(name)).map(|row| &**row)
    }

    /// The world's first token: the one that clients find in their environment.
    pub fn first(&self) -> Option<&Token> {
        self.first.as_ref().and_then(|name| self.by_name(name))
    }

    /// Adds a token.
    pub fn add(&mut self, changes: &mut Changes, token: Token) {
        self.first.get_or_insert_with(|| token.name.clone());
        self.by_value.insert(token.value.clone(), token.name.clone());
        self.rows.put(changes, token.name.clone(), token);
    }
}
