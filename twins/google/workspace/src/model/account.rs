//! People's accounts.

use std::sync::Arc;

use dtu_kernel::table::{Changes, Table};
use imbl::OrdMap;
use serde::Serialize;
use smol_str::SmolStr;

/// A person's account.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// 21 digits.
    pub id: SmolStr,
    /// The world's key of the person.
    pub key: SmolStr,
    /// The primary address.
    pub email: SmolStr,
    /// First name.
    pub given_name: SmolStr,
    /// Last name.
    pub family_name: SmolStr,
    /// Whether the person administers the workspace.
    pub admin: bool,
    /// Whether an administrator has suspended the account.
    pub suspended: bool,
}

impl Account {
    /// First and last name.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }
}

/// All accounts.
#[derive(Clone, Debug)]
pub struct Accounts {
    table: Table<SmolStr, Account>,
    by_email: OrdMap<SmolStr, SmolStr>,
    by_key: OrdMap<SmolStr, SmolStr>,
}

impl Default for Accounts {
    fn default() -> Self {
        Self { table: Table::new("accounts"), by_email: OrdMap::new(), by_key: OrdMap::new() }
    }
}

impl Accounts {
    /// An account by its id.
    pub fn get(&self, id: &SmolStr) -> Option<&Arc<Account>> {
        self.table.get(id)
    }

    /// An account by its mail address, in any case.
    pub fn by_email(&self, email: &str) -> Option<&Arc<Account>> {
        self.by_email.get(&SmolStr::from(email.to_ascii_lowercase())).and_then(|id| self.table.get(id))
    }

    /// An account by id, mail address or the world's key.
    pub fn find(&self, name: &str) -> Option<&Arc<Account>> {
        let by_key = || self.by_key.get(name).and_then(|id| self.table.get(id));
        self.table.get(&SmolStr::new(name)).or_else(|| self.by_email(name)).or_else(by_key)
    }

    /// All, by id: for views.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.table.iter().map(|(_, account)| account)
    }

    /// Writes an account. Its address and key never change.
    pub fn put(&mut self, changes: &mut Changes, account: Account) -> Arc<Account> {
        self.by_email.insert(account.email.to_ascii_lowercase().into(), account.id.clone());
        self.by_key.insert(account.key.clone(), account.id.clone());
        self.table.put(changes, account.id.clone(), account)
    }
}
