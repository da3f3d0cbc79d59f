//! What custom identity sources have told Okta: sessions with what was uploaded in them, and whom and which groups Okta
//! knows them for.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/IdentitySource/.

use std::{sync::Arc, time::Duration};

use dtu_kernel::{
    ids::IdShape,
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::shape;

/// Ids of sources.
pub const SOURCE_ID: IdShape = shape("0oa", "identity source");
/// Ids of sessions.
pub const SESSION_ID: IdShape = shape("aps", "identity source session");
/// The most entries of one upload, by the document's `maxItems`.
pub const UPLOAD_MAX: usize = 200;
/// The most people of one session
/// (help.okta.com/wf/en-us/content/topics/workflows/connector-reference/okta/actions/bulkuserimport.htm).
pub const PEOPLE_MAX: usize = 10_000;
/// A session into which nothing is uploaded ends by then, as the document's list of statuses says.
pub const IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// New: nothing was uploaded yet.
    Created,
    /// Something was uploaded.
    InProgress,
    /// The import is under way.
    Triggered,
    /// The import is over.
    Completed,
    /// It was cancelled.
    Closed,
    /// Nobody used it.
    Expired,
    /// The import could not be done.
    Error,
}

impl Status {
    /// As Okta writes it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::InProgress => "IN_PROGRESS",
            Self::Triggered => "TRIGGERED",
            Self::Completed => "COMPLETED",
            Self::Closed => "CLOSED",
            Self::Expired => "EXPIRED",
            Self::Error => "ERROR",
        }
    }

    /// Whether something may still be uploaded.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Created | Self::InProgress)
    }
}

/// Somebody as a source has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Brought {
    /// The source's own id.
    pub external: SmolStr,
    /// What it says of them.
    pub profile: Map<String, Value>,
}

/// Members of a group, by the source's own ids.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Members {
    /// The group.
    pub group: SmolStr,
    /// Its people.
    pub people: Vec<SmolStr>,
}

/// What is uploaded at once.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Upload {
    /// People to make or change.
    People(Vec<Brought>),
    /// People to deactivate.
    PeopleGone(Vec<SmolStr>),
    /// Groups to make or change.
    Groups(Vec<Brought>),
    /// Groups to delete.
    GroupsGone(Vec<SmolStr>),
    /// Memberships to make.
    Members(Vec<Members>),
    /// Memberships to end.
    MembersGone(Vec<Members>),
}

impl Upload {
    /// How many people are made, changed or deactivated by it.
    pub const fn people(&self) -> usize {
        match self {
            Self::People(people) => people.len(),
            Self::PeopleGone(people) => people.len(),
            _ => 0,
        }
    }

    /// Its place in an import: people and groups are there before memberships, and go after them.
    const fn turn(&self) -> u8 {
        match self {
            Self::People(_) => 0,
            Self::Groups(_) => 1,
            Self::MembersGone(_) => 2,
            Self::Members(_) => 3,
            Self::GroupsGone(_) => 4,
            Self::PeopleGone(_) => 5,
        }
    }
}

/// A session.
#[derive(Clone, Debug, Serialize)]
pub struct Session {
    /// `aps...`.
    pub id: SmolStr,
    /// The source's id: an app's.
    pub source: SmolStr,
    /// Where it stands.
    pub status: Status,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub last_updated: Timestamp,
    /// What was uploaded, in this order.
    pub uploads: Vec<Arc<Upload>>,
}

impl Session {
    /// What was uploaded, in the order in which an import takes it.
    pub fn in_turn(&self) -> Vec<Arc<Upload>> {
        let mut all = self.uploads.clone();
        all.sort_by_key(|upload| upload.turn());
        all
    }

    /// How many people are in it.
    pub fn people(&self) -> usize {
        self.uploads.iter().map(|upload| upload.people()).sum()
    }
}

/// Who somebody of a source is in Okta.
#[derive(Clone, Debug, Serialize)]
pub struct Person {
    /// The source's own id.
    pub external: SmolStr,
    /// The id in Okta.
    pub user: SmolStr,
    /// When the source first told of them.
    pub created: Timestamp,
    /// When it last did.
    pub last_updated: Timestamp,
    /// What it says of them.
    pub profile: Map<String, Value>,
}

/// Which group in Okta one of a source is.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// The source's own id.
    pub external: SmolStr,
    /// The id in Okta.
    pub group: SmolStr,
    /// What the source says of it.
    pub profile: Map<String, Value>,
}

/// A source that was set up in the admin console.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// `0oa...`: an app's id.
    pub id: SmolStr,
    /// What it is called.
    pub name: SmolStr,
}

type Key = (SmolStr, SmolStr);

/// The table of sessions.
pub const SESSIONS: &str = "identity_source_sessions";

/// All sources, each under its app's id.
#[derive(Clone, Debug)]
pub struct Sources {
    set_up: Table<SmolStr, Source>,
    sessions: Table<Key, Session>,
    people: Table<Key, Person>,
    groups: Table<Key, Group>,
    /// The source's own ids of groups and people by source and Okta's id.
    external: OrdMap<Key, SmolStr>,
    /// Sessions in the order of their making.
    order: OrdMap<(SmolStr, u64), SmolStr>,
    next: u64,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            set_up: Table::new("identity_sources"),
            sessions: Table::new(SESSIONS),
            people: Table::new("identity_source_users"),
            groups: Table::new("identity_source_groups"),
            external: OrdMap::new(),
            order: OrdMap::new(),
            next: 0,
        }
    }
}

fn key(source: &str, id: &str) -> Key {
    (source.into(), id.into())
}

impl Sources {
    /// A source that was set up in the admin console.
    pub fn get(&self, id: &str) -> Option<&Arc<Source>> {
        self.set_up.get(&SmolStr::new(id))
    }

    /// Sets a source up.
    pub fn put(&mut self, changes: &mut Changes, source: Source) {
        self.set_up.put(changes, source.id.clone(), source);
    }

    /// A session.
    pub fn session(&self, source: &str, id: &str) -> Option<&Arc<Session>> {
        self.sessions.get(&key(source, id))
    }

    /// A source's sessions, the oldest first.
    pub fn sessions(&self, source: &str) -> impl Iterator<Item = &Arc<Session>> {
        let own = self.order.range((source.into(), 0)..=(source.into(), u64::MAX));
        own.filter_map(|((source, _), id)| self.sessions.get(&(source.clone(), id.clone())))
    }

    /// Writes a session.
    pub fn put_session(&mut self, changes: &mut Changes, session: Session) -> Arc<Session> {
        let key = (session.source.clone(), session.id.clone());
        if self.sessions.get(&key).is_none() {
            self.order.insert((key.0.clone(), self.next), key.1.clone());
            self.next += 1;
        }
        self.sessions.put(changes, key, session)
    }

    /// Somebody of a source.
    pub fn person(&self, source: &str, external: &str) -> Option<&Arc<Person>> {
        self.people.get(&key(source, external))
    }

    /// Writes somebody of a source.
    pub fn put_person(&mut self, changes: &mut Changes, source: &str, person: Person) -> Arc<Person> {
        self.external.insert(key(source, &person.user), person.external.clone());
        self.people.put(changes, (source.into(), person.external.clone()), person)
    }

    /// Forgets somebody of a source.
    pub fn drop_person(&mut self, changes: &mut Changes, source: &str, person: &Person) {
        self.external.remove(&key(source, &person.user));
        self.people.remove(changes, &key(source, &person.external));
    }

    /// A group of a source, by the source's own id or Okta's.
    pub fn group(&self, source: &str, name: &str) -> Option<&Arc<Group>> {
        let by_external = self.groups.get(&key(source, name));
        by_external.or_else(|| self.groups.get(&(source.into(), self.external.get(&key(source, name))?.clone())))
    }

    /// Writes a group of a source.
    pub fn put_group(&mut self, changes: &mut Changes, source: &str, group: Group) -> Arc<Group> {
        self.external.insert(key(source, &group.group), group.external.clone());
        self.groups.put(changes, (source.into(), group.external.clone()), group)
    }

    /// Forgets a group of a source.
    pub fn drop_group(&mut self, changes: &mut Changes, source: &str, group: &Group) {
        self.external.remove(&key(source, &group.group));
        self.groups.remove(changes, &key(source, &group.external));
    }

    /// The source's own id of somebody in Okta, where it has them.
    pub fn external_of(&self, source: &str, user: &str) -> Option<&SmolStr> {
        self.external.get(&key(source, user))
    }

    /// The people whom a source has brought, in the order of its ids.
    pub fn people_of(&self, source: &str) -> impl Iterator<Item = &Arc<Person>> {
        let source = SmolStr::new(source);
        let from = self.people.range((source.clone(), SmolStr::default())..);
        from.take_while(move |((of, _), _)| *of == source).map(|(_, person)| person)
    }

    /// The groups that a source has brought, in the order of its ids.
    pub fn groups_of(&self, source: &str) -> impl Iterator<Item = &Arc<Group>> {
        let source = SmolStr::new(source);
        let from = self.groups.range((source.clone(), SmolStr::default())..);
        from.take_while(move |((of, _), _)| *of == source).map(|(_, group)| group)
    }
}
