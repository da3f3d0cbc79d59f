//! What Okta knows of people's accounts in apps that it provisions: connections, accounts, and what is still to be done.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationConnections/ and
//! developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/.

use std::{collections::BTreeSet, ops::Bound::Excluded, sync::Arc};

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::OrdSet;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use smol_str::SmolStr;

use super::app::App;

/// How Okta shows an app's SCIM server who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// Not at all.
    #[default]
    Nothing,
    /// By a bearer token.
    Token(SmolStr),
    /// By a name and a password.
    Basic(SmolStr, SmolStr),
    /// By an `Authorization` header of the administrator's own.
    Header(SmolStr),
}

/// Credentials are written down as a hash: enough to see that they have changed.
fn hidden<S: Serializer>(auth: &Auth, serializer: S) -> Result<S::Ok, S::Error> {
    let text = match auth {
        Auth::Nothing => return serializer.serialize_none(),
        Auth::Token(token) => format!("token {token}"),
        Auth::Basic(name, password) => format!("basic {name} {password}"),
        Auth::Header(value) => format!("header {value}"),
    };
    serializer.serialize_str(&blake3::hash(text.as_bytes()).to_hex()[..16])
}

/// What Okta does in an app (`USER_PROVISIONING`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Powers {
    /// Makes accounts.
    pub create: bool,
    /// Updates their profiles.
    pub update: bool,
    /// Deactivates them.
    pub deactivate: bool,
}

impl Powers {
    /// All of them.
    pub const ALL: Self = Self { create: true, update: true, deactivate: true };
    /// None, as a connection starts.
    pub const NONE: Self = Self { create: false, update: false, deactivate: false };
}

/// An app's provisioning connection.
#[derive(Clone, Debug, Serialize)]
pub struct Connection {
    /// The app's id.
    pub app: SmolStr,
    /// Where its SCIM server is, without a slash at the end; none where Okta does not speak SCIM with it.
    pub base_url: Option<SmolStr>,
    /// How Okta shows who it is.
    #[serde(serialize_with = "hidden")]
    pub auth: Auth,
    /// Whether it is in use.
    pub enabled: bool,
    /// Whether accounts are switched by PATCH, as apps of Okta's catalogue are; custom apps are sent whole accounts.
    pub patches: bool,
    /// What Okta does in the app.
    pub powers: Powers,
    /// `capabilities.update.password`.
    pub password: Value,
    /// `capabilities` of `INBOUND_PROVISIONING`.
    pub inbound: Value,
    /// Whether Okta imports people and groups from the app.
    pub imports: bool,
}

/// Where an account in an app stands, as Okta shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Stage {
    /// Still to be made.
    Staged,
    /// Made, or found.
    Provisioned,
    /// Switched off.
    Deprovisioned,
}

impl Stage {
    /// As Okta writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Staged => "STAGED",
            Self::Provisioned => "PROVISIONED",
            Self::Deprovisioned => "DEPROVISIONED",
        }
    }
}

/// Something to be done with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Find it, or make it.
    Provision,
    /// Bring its profile up to date.
    Update,
    /// Switch it off.
    Deactivate,
}

/// A person's account in an app.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// The app's id.
    pub app: SmolStr,
    /// The person's id.
    pub user: SmolStr,
    /// Its id in the app.
    pub external: Option<SmolStr>,
    /// Where it stands.
    pub stage: Stage,
    /// Since when.
    pub since: Timestamp,
    /// When all that was to do was last done.
    pub synced: Option<Timestamp>,
    /// Why the last task failed.
    pub error: Option<SmolStr>,
    /// What is being done.
    pub running: Option<Task>,
    /// Since when.
    pub started: Timestamp,
    /// The number of the call that is under way: answers to others are too late.
    pub call: u64,
    /// What is to be done then, in this order.
    pub waiting: Vec<Task>,
}

impl Account {
    /// An account that is still to be made.
    pub const fn new(app: SmolStr, user: SmolStr, now: Timestamp) -> Self {
        Self {
            app,
            user,
            external: None,
            stage: Stage::Staged,
            since: now,
            synced: None,
            error: None,
            running: None,
            started: now,
            call: 0,
            waiting: Vec::new(),
        }
    }

    /// As Okta writes whether the account is as Okta wants it.
    pub const fn sync_state(&self) -> &'static str {
        match (self.running, self.waiting.is_empty(), &self.error) {
            (Some(_), ..) => "SYNCING",
            (None, false, _) => "OUT_OF_SYNC",
            (None, true, Some(_)) => "ERROR",
            (None, true, None) => "SYNCHRONIZED",
        }
    }

    /// Whether the account is to be there when all is done.
    pub fn is_wanted(&self) -> bool {
        let last = self.running.iter().chain(&self.waiting).rfind(|task| **task != Task::Update);
        last.map_or(self.external.is_some() && self.stage == Stage::Provisioned, |task| *task == Task::Provision)
    }
}

/// An import from an app's server that is under way.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// Its id.
    pub job: SmolStr,
    /// When the server last answered.
    pub heard: Timestamp,
    /// Whether what it does not find ends.
    pub full: bool,
    /// The people whom it has found, by the app's own ids.
    pub people: BTreeSet<SmolStr>,
    /// The groups that it has found.
    pub groups: BTreeSet<SmolStr>,
}

type Pair = (SmolStr, SmolStr);

/// All connections and accounts.
#[derive(Clone, Debug)]
pub struct Provisioning {
    connections: Table<SmolStr, Connection>,
    accounts: Table<Pair, Account>,
    apps_of_user: OrdSet<Pair>,
    /// Imports under way, by app.
    pub runs: Table<SmolStr, Run>,
}

/// The table of imports under way.
pub const RUNS: &str = "app_imports_running";

/// The table of accounts: its rows follow from what happens to people and apps.
pub const ACCOUNTS: &str = "app_accounts";

impl Default for Provisioning {
    fn default() -> Self {
        Self {
            connections: Table::new("app_connections"),
            accounts: Table::new(ACCOUNTS),
            apps_of_user: OrdSet::new(),
            runs: Table::new(RUNS),
        }
    }
}

impl Provisioning {
    /// An app's connection.
    pub fn connection(&self, app: &str) -> Option<&Arc<Connection>> {
        self.connections.get(&SmolStr::new(app))
    }

    /// Whether no app is provisioned, so that nothing is to be followed.
    pub fn is_idle(&self) -> bool {
        self.connections.is_empty()
    }

    /// Writes a connection.
    pub fn connect(&mut self, changes: &mut Changes, connection: Connection) -> Arc<Connection> {
        self.connections.put(changes, connection.app.clone(), connection)
    }

    /// A person's account in an app.
    pub fn account(&self, app: &str, user: &str) -> Option<&Arc<Account>> {
        self.accounts.get(&(SmolStr::new(app), SmolStr::new(user)))
    }

    /// All accounts, by app and person. For views.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.accounts.iter().map(|(_, account)| account)
    }

    /// The ids of the apps in which a person has an account.
    pub fn apps_of(&self, user: &str) -> Vec<SmolStr> {
        let user = SmolStr::new(user);
        let from = self.apps_of_user.range((user.clone(), SmolStr::default())..);
        from.take_while(|(of, _)| *of == user).map(|(_, app)| app.clone()).collect()
    }

    /// Writes an account and its index entry.
    pub fn put(&mut self, changes: &mut Changes, account: Account) -> Arc<Account> {
        let key = (account.app.clone(), account.user.clone());
        self.apps_of_user.insert((account.user.clone(), account.app.clone()));
        self.accounts.put(changes, key, account)
    }

    /// Forgets an app that is gone.
    pub fn drop_app(&mut self, changes: &mut Changes, app: &SmolStr) {
        self.connections.remove(changes, app);
        self.runs.remove(changes, app);
        let start = (app.clone(), SmolStr::default());
        let rows = self.accounts.range((Excluded(start), std::ops::Bound::Unbounded));
        let users: Vec<SmolStr> =
            rows.take_while(|((of, _), _)| of == app).map(|((_, user), _)| user.clone()).collect();
        for user in users {
            self.accounts.remove(changes, &(app.clone(), user.clone()));
            self.apps_of_user.remove(&(user, app.clone()));
        }
    }
}

/// Apps of Okta's catalogue that can be provisioned, as far as the twin knows them.
const CATALOGUE: [&str; 5] = ["okta_org2org", "zscalerbyz", "scim2headerauth", "scim2basicauth", "scim2oauth"];

/// The connection with which an app starts; none where it cannot be provisioned.
pub fn first(app: &App) -> Option<Connection> {
    CATALOGUE.contains(&app.name.as_str()).then(|| disabled(app))
}

/// A connection that is not in use, and does nothing.
pub fn disabled(app: &App) -> Connection {
    Connection {
        app: app.id.clone(),
        base_url: None,
        auth: Auth::Nothing,
        enabled: false,
        patches: CATALOGUE.contains(&app.name.as_str()),
        powers: Powers::NONE,
        password: serde_json::json!({ "status": "DISABLED", "seed": "RANDOM", "change": "KEEP_EXISTING" }),
        inbound: inbound(),
        imports: false,
    }
}

/// What Okta takes from an app, as a connection starts.
fn inbound() -> Value {
    serde_json::json!({
        "importSettings": {
            "username": { "usernameFormat": "EMAIL" },
            "schedule": { "status": "DISABLED" },
        },
        "importRules": { "userCreateAndMatch": {
            "exactMatchCriteria": "EMAIL",
            "allowPartialMatch": false,
            "autoConfirmExactMatch": false,
            "autoConfirmPartialMatch": false,
            "autoConfirmNewUsers": false,
            "autoActivateNewUsers": false,
        } },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_know_whether_they_are_wanted() {
        let check = |external: bool, stage, running: Option<Task>, waiting: &[Task], wanted: bool, state: &str| {
            let mut account = Account::new("0oa1".into(), "00u1".into(), Timestamp::from_secs(0));
            account.external = external.then(|| "x".into());
            (account.stage, account.running, account.waiting) = (stage, running, waiting.to_vec());
            assert_eq!((account.is_wanted(), account.sync_state()), (wanted, state), "{account:?}");
        };
        check(false, Stage::Staged, Some(Task::Provision), &[], true, "SYNCING");
        check(false, Stage::Staged, Some(Task::Provision), &[Task::Update], true, "SYNCING");
        check(false, Stage::Staged, Some(Task::Provision), &[Task::Deactivate], false, "SYNCING");
        check(true, Stage::Provisioned, None, &[], true, "SYNCHRONIZED");
        check(true, Stage::Provisioned, Some(Task::Update), &[], true, "SYNCING");
        check(true, Stage::Provisioned, None, &[Task::Deactivate, Task::Provision], true, "OUT_OF_SYNC");
        check(true, Stage::Deprovisioned, None, &[], false, "SYNCHRONIZED");
        check(false, Stage::Staged, None, &[], false, "SYNCHRONIZED");
    }
}
