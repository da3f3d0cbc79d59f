//! What programs show to get tokens: service accounts and OAuth clients.

use std::sync::Arc;

use dtu_kernel::table::{Changes, Table};
use imbl::OrdMap;
use serde::Serialize;
use smol_str::SmolStr;

/// A Cloud project.
#[derive(Clone, Debug, Serialize)]
pub struct Project {
    /// Its id, of letters, digits and dashes.
    pub id: SmolStr,
    /// Its number, of 12 digits.
    pub number: SmolStr,
}

/// A service account.
#[derive(Clone, Debug, Serialize)]
pub struct Service {
    /// Its unique id, of 21 digits: the client id of its tokens.
    pub id: SmolStr,
    /// The world's key.
    pub key: SmolStr,
    /// Its mail address.
    pub email: SmolStr,
    /// The id of its one key, of 40 hexadecimal digits.
    pub key_id: SmolStr,
    /// Whether it may act for people: domain-wide delegation.
    pub delegates: bool,
    /// The accounts it may act for; all where empty.
    pub acts_for: Vec<SmolStr>,
}

impl Service {
    /// Whether it may act for an account.
    pub fn may_act_for(&self, account: &SmolStr) -> bool {
        self.delegates && (self.acts_for.is_empty() || self.acts_for.contains(account))
    }
}

/// All service accounts.
#[derive(Clone, Debug)]
pub struct Services {
    table: Table<SmolStr, Service>,
    by_email: OrdMap<SmolStr, SmolStr>,
    /// The world's first: the one of `GOOGLE_APPLICATION_CREDENTIALS`.
    first: SmolStr,
}

impl Default for Services {
    fn default() -> Self {
        Self { table: Table::new("service_accounts"), by_email: OrdMap::new(), first: SmolStr::default() }
    }
}

impl Services {
    /// A service account by its unique id.
    pub fn get(&self, id: &SmolStr) -> Option<&Arc<Service>> {
        self.table.get(id)
    }

    /// A service account by its mail address.
    pub fn by_email(&self, email: &str) -> Option<&Arc<Service>> {
        self.by_email.get(email).and_then(|id| self.table.get(id))
    }

    /// A service account by the world's key. Worlds have a handful.
    pub fn by_key(&self, key: &str) -> Option<&Arc<Service>> {
        self.iter().find(|service| service.key == key)
    }

    /// The world's first.
    pub fn first(&self) -> Option<&Arc<Service>> {
        self.table.get(&self.first)
    }

    /// All, by id: for views.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Service>> {
        self.table.iter().map(|(_, service)| service)
    }

    /// Adds a service account.
    pub fn insert(&mut self, changes: &mut Changes, service: Service) {
        if self.first.is_empty() {
            self.first = service.id.clone();
        }
        self.by_email.insert(service.email.clone(), service.id.clone());
        self.table.put(changes, service.id.clone(), service);
    }
}

/// An OAuth client.
#[derive(Clone, Debug, Serialize)]
pub struct Client {
    /// `NNN-xxxx.apps.googleusercontent.com`.
    pub id: SmolStr,
    /// The secret: never for the ledger.
    #[serde(skip)]
    pub secret: SmolStr,
}

/// All OAuth clients.
#[derive(Clone, Debug)]
pub struct Clients {
    table: Table<SmolStr, Client>,
    /// The world's first: the one that tokens of the environment are issued to.
    first: SmolStr,
}

impl Default for Clients {
    fn default() -> Self {
        Self { table: Table::new("clients"), first: SmolStr::default() }
    }
}

impl Clients {
    /// A client by its id.
    pub fn get(&self, id: &str) -> Option<&Arc<Client>> {
        self.table.get(&SmolStr::new(id))
    }

    /// The world's first.
    pub fn first(&self) -> Option<&Arc<Client>> {
        self.table.get(&self.first)
    }

    /// All, by id: for views.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.table.iter().map(|(_, client)| client)
    }

    /// Adds a client.
    pub fn insert(&mut self, changes: &mut Changes, client: Client) {
        if self.first.is_empty() {
            self.first = client.id.clone();
        }
        self.table.put(changes, client.id.clone(), client);
    }
}
