//! The System Log.
//!
//! See developer.okta.com/docs/reference/system-log-query/.

use std::sync::Arc;

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use imbl::OrdSet;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{app::App, event_type::EventType, group::Group, group_rule::Rule, hook::Hook, token::Token, user::User};
use crate::query::Fields;

/// An actor or target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its id.
    pub id: SmolStr,
    /// `User`, `UserGroup`, ...
    pub kind: &'static str,
    /// A login, or what stands for one.
    pub alternate_id: SmolStr,
    /// Its name.
    pub display_name: SmolStr,
}

impl Party {
    /// A person.
    pub fn user(user: &User) -> Self {
        let display_name = user.profile.full_name().into();
        Self { id: user.id.clone(), kind: "User", alternate_id: user.login().into(), display_name }
    }

    /// A group.
    pub fn group(group: &Group) -> Self {
        let unknown = SmolStr::new_static("unknown");
        Self { id: group.id.clone(), kind: "UserGroup", alternate_id: unknown, display_name: group.name.clone() }
    }

    /// A group rule.
    pub fn rule(rule: &Rule) -> Self {
        Self::named_rule(rule.id.clone(), rule.name.clone())
    }

    /// A group rule that is gone.
    pub fn named_rule(id: SmolStr, name: SmolStr) -> Self {
        Self { id, kind: "GroupRule", alternate_id: SmolStr::new_static("unknown"), display_name: name }
    }

    /// An app.
    pub fn app(app: &App) -> Self {
        let name = SmolStr::from(display_name(app));
        Self { id: app.id.clone(), kind: "AppInstance", alternate_id: app.label.clone(), display_name: name }
    }

    /// A person's use of an app: its id, and the person's name in it.
    pub fn app_user(id: &SmolStr, name: &str, user: &User) -> Self {
        let display_name = user.profile.full_name().into();
        Self { id: id.clone(), kind: "AppUser", alternate_id: name.into(), display_name }
    }

    /// An API token.
    pub fn token(token: &Token) -> Self {
        let unknown = SmolStr::new_static("unknown");
        Self { id: token.id.clone(), kind: "Token", alternate_id: unknown, display_name: token.name.clone() }
    }

    /// An event hook.
    pub fn hook(hook: &Hook) -> Self {
        let unknown = SmolStr::new_static("unknown");
        Self { id: hook.id.clone(), kind: "EventHook", alternate_id: unknown, display_name: hook.name.clone() }
    }

    fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "type": self.kind,
            "alternateId": self.alternate_id,
            "displayName": self.display_name,
            "detailEntry": null,
        })
    }
}

/// What the log calls an app's definition.
fn display_name(app: &App) -> &str {
    match app.name.as_str() {
        "oidc_client" => "OpenID Connect Client",
        "bookmark" => "Bookmark App",
        _ => &app.label,
    }
}

/// From where somebody acts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// The address; empty where Okta itself acts.
    pub address: SmolStr,
    /// The program as it names itself; empty where it does not.
    pub agent: SmolStr,
}

/// In what request something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// `WEB` or `JOB`.
    pub kind: &'static str,
    /// The request's id.
    pub id: SmolStr,
    /// The id of the API token that was used; empty where none was.
    pub token: SmolStr,
    /// The path.
    pub uri: SmolStr,
    /// Path and query.
    pub url: SmolStr,
}

impl Transaction {
    /// Work that nobody asked for in a request.
    pub fn job() -> Self {
        let empty = SmolStr::default;
        Self { kind: "JOB", id: empty(), token: empty(), uri: empty(), url: empty() }
    }
}

/// How something went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `SUCCESS` or `FAILURE`.
    pub result: &'static str,
    /// Why; empty where there is nothing to say.
    pub reason: SmolStr,
}

impl Outcome {
    /// It went well.
    pub const SUCCESS: Self = Self { result: "SUCCESS", reason: SmolStr::new_static("") };

    /// It failed.
    pub fn failure(reason: impl Into<SmolStr>) -> Self {
        Self { result: "FAILURE", reason: reason.into() }
    }
}

/// An entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number: the order in which entries were kept.
    pub seq: u64,
    /// Its id.
    pub uuid: SmolStr,
    /// When it happened, to the millisecond.
    pub published: Timestamp,
    /// What happened.
    pub event: &'static EventType,
    /// Who did it.
    pub actor: Party,
    /// From where.
    pub client: Client,
    /// How it went.
    pub outcome: Outcome,
    /// To whom or what.
    pub targets: Vec<Party>,
    /// In what request.
    pub transaction: Transaction,
}

/// Text, or null where there is none.
fn text(value: &str) -> Value {
    if value.is_empty() { Value::Null } else { Value::from(value) }
}

impl Entry {
    /// `WARN` for failures and denials, else `INFO`.
    pub fn severity(&self) -> &'static str {
        if matches!(self.outcome.result, "FAILURE" | "DENY") { "WARN" } else { "INFO" }
    }

    /// The entry as the System Log API and event hooks show it.
    pub fn to_json(&self) -> Value {
        let targets: Vec<Value> = self.targets.iter().map(Party::to_json).collect();
        json!({
            "actor": self.actor.to_json(),
            "client": self.client_json(),
            "device": null,
            "authenticationContext": {
                "authenticationProvider": null,
                "credentialProvider": null,
                "credentialType": null,
                "issuer": null,
                "interface": null,
                "authenticationStep": 0,
                "rootSessionId": null,
                "externalSessionId": null,
            },
            "displayMessage": self.event.message,
            "eventType": self.event.name,
            "outcome": { "result": self.outcome.result, "reason": text(&self.outcome.reason) },
            "published": self.published.iso_millis(),
            "securityContext": { "asNumber": null, "asOrg": null, "isp": null, "domain": null, "isProxy": null },
            "severity": self.severity(),
            "debugContext": { "debugData": self.debug_json() },
            "legacyEventType": text(self.event.legacy),
            "transaction": self.transaction_json(),
            "uuid": self.uuid,
            "version": "0",
            "request": { "ipChain": self.ip_chain() },
            "target": if targets.is_empty() { Value::Null } else { Value::Array(targets) },
        })
    }

    fn client_json(&self) -> Value {
        let agent = if self.client.agent.is_empty() {
            Value::Null
        } else {
            json!({ "rawUserAgent": self.client.agent, "os": "Unknown", "browser": "UNKNOWN" })
        };
        json!({
            "userAgent": agent,
            "zone": "null",
            "device": "Unknown",
            "id": null,
            "ipAddress": text(&self.client.address),
            "geographicalContext": null,
        })
    }

    fn debug_json(&self) -> Value {
        if self.transaction.id.is_empty() {
            return json!({});
        }
        json!({
            "requestId": self.transaction.id,
            "requestUri": self.transaction.uri,
            "url": self.transaction.url,
        })
    }

    fn transaction_json(&self) -> Value {
        let token = &self.transaction.token;
        let detail = if token.is_empty() { json!({}) } else { json!({ "requestApiTokenId": token }) };
        json!({ "type": self.transaction.kind, "id": text(&self.transaction.id), "detail": detail })
    }

    fn ip_chain(&self) -> Vec<Value> {
        let hop =
            |address: &SmolStr| json!({ "ip": address, "geographicalContext": null, "version": "V4", "source": null });
        Some(&self.client.address).filter(|address| !address.is_empty()).map(hop).into_iter().collect()
    }

    /// Whether each of `words` (lower case) is a word of one of the entry's values.
    pub fn mentions(&self, words: &[String]) -> bool {
        let mut missing: Vec<&str> = words.iter().map(String::as_str).collect();
        for value in self.values() {
            let value = value.to_lowercase();
            let all = || value.split_whitespace().flat_map(|word| std::iter::once(word).chain(word.split('-')));
            missing.retain(|wanted| *wanted != value && all().all(|word| word != *wanted));
        }
        missing.is_empty()
    }

    /// All values that keywords are looked for in.
    fn values(&self) -> impl Iterator<Item = &str> {
        let parties = std::iter::once(&self.actor).chain(&self.targets);
        let parties = parties.flat_map(|party| [&*party.id, party.kind, &*party.alternate_id, &*party.display_name]);
        let event = [self.event.name, self.event.message, self.event.legacy, self.outcome.result, self.severity()];
        let (client, transaction) = (&self.client, &self.transaction);
        let texts = [&self.uuid, &self.outcome.reason, &client.address, &client.agent, &transaction.id];
        let more = [&transaction.uri, &transaction.url, &transaction.token];
        parties.chain(event).chain(texts.into_iter().chain(more).map(SmolStr::as_str))
    }
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

/// A part of an actor or target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartyField {
    /// `id`.
    Id,
    /// `type`.
    Type,
    /// `alternateId`.
    AlternateId,
    /// `displayName`.
    DisplayName,
}

/// What entries can be filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogField {
    /// `uuid`.
    Uuid,
    /// `eventType`.
    EventType,
    /// `legacyEventType`.
    Legacy,
    /// `displayMessage`.
    Message,
    /// `severity`.
    Severity,
    /// `version`.
    Version,
    /// `actor.*`.
    Actor(PartyField),
    /// `target.*`: of several targets, one must fit.
    Target(PartyField),
    /// `outcome.result`.
    Result,
    /// `outcome.reason`.
    Reason,
    /// `client.ipAddress`.
    Address,
    /// `client.userAgent.rawUserAgent`.
    Agent,
    /// `transaction.id`.
    TransactionId,
    /// `transaction.type`.
    TransactionType,
    /// `transaction.detail.requestApiTokenId`.
    Token,
    /// `debugContext.debugData.requestUri`.
    Uri,
    /// `debugContext.debugData.url`.
    Url,
    /// `debugContext.debugData.requestId`.
    RequestId,
    /// An attribute that Okta knows and that is null in all entries of the twin.
    Null,
}

impl LogField {
    /// Whether entries are indexed by it.
    pub const fn indexed(self) -> bool {
        matches!(self, Self::EventType | Self::Actor(PartyField::Id) | Self::Target(PartyField::Id) | Self::Token)
    }
}

impl Party {
    fn field(&self, field: PartyField) -> &str {
        match field {
            PartyField::Id => &self.id,
            PartyField::Type => self.kind,
            PartyField::AlternateId => &self.alternate_id,
            PartyField::DisplayName => &self.display_name,
        }
    }
}

impl Fields<LogField> for Entry {
    fn any(&self, field: &LogField, test: &mut dyn FnMut(&str) -> bool) -> bool {
        let value: &str = match field {
            LogField::Uuid => &self.uuid,
            LogField::EventType => self.event.name,
            LogField::Legacy => self.event.legacy,
            LogField::Message => self.event.message,
            LogField::Severity => self.severity(),
            LogField::Version => "0",
            LogField::Actor(field) => self.actor.field(*field),
            LogField::Target(field) => return self.targets.iter().any(|target| test(target.field(*field))),
            LogField::Result => self.outcome.result,
            LogField::Reason => &self.outcome.reason,
            LogField::Address => &self.client.address,
            LogField::Agent => &self.client.agent,
            LogField::TransactionId | LogField::RequestId => &self.transaction.id,
            LogField::TransactionType => self.transaction.kind,
            LogField::Token => &self.transaction.token,
            LogField::Uri => &self.transaction.uri,
            LogField::Url => &self.transaction.url,
            LogField::Null => "",
        };
        !value.is_empty() && test(value)
    }
}

/// All entries.
#[derive(Clone, Debug)]
pub struct Log {
    table: Table<u64, Entry>,
    by_time: OrdSet<(Timestamp, u64)>,
    by_value: OrdSet<(LogField, SmolStr, u64)>,
    next: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self { table: Table::new("log"), by_time: OrdSet::new(), by_value: OrdSet::new(), next: 1 }
    }
}

impl Log {
    /// The number that the next entry will have.
    pub const fn next_seq(&self) -> u64 {
        self.next
    }

    /// An entry by number.
    pub fn get(&self, seq: u64) -> Option<&Arc<Entry>> {
        self.table.get(&seq)
    }

    /// All, oldest first. Costs what the log holds: for views.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.table.iter().map(|(_, entry)| entry)
    }

    /// The number of the first entry that is not older than `at`; the next number where there is none.
    pub fn first_since(&self, at: Timestamp) -> u64 {
        self.by_time.range((at, 0)..).next().map_or(self.next, |(_, seq)| *seq)
    }

    /// Entries numbered from `low` up to but without `high`, oldest or newest first. Where `only` names an indexed
    /// value (in lower case), entries without it are passed over unseen.
    pub fn between(
        &self,
        low: u64,
        high: u64,
        only: Option<(LogField, SmolStr)>,
        newest_first: bool,
    ) -> Box<dyn Iterator<Item = &Arc<Entry>> + '_> {
        if low >= high {
            return Box::new(std::iter::empty());
        }
        let Some((field, value)) = only else {
            let rows = self.table.range(low..high).map(|(_, entry)| entry);
            return if newest_first { Box::new(rows.rev()) } else { Box::new(rows) };
        };
        let range = (field, value.clone(), low)..(field, value, high);
        let rows = self.by_value.range(range).filter_map(|(_, _, seq)| self.table.get(seq));
        if newest_first { Box::new(rows.rev()) } else { Box::new(rows) }
    }

    /// Adds an entry, whose number must be the next.
    pub fn append(&mut self, changes: &mut Changes, entry: Entry) {
        debug_assert_eq!(entry.seq, self.next, "entries are numbered in order");
        self.next = entry.seq + 1;
        self.by_time.insert((entry.published, entry.seq));
        for (field, value) in indexed_values(&entry) {
            self.by_value.insert((field, value.to_lowercase().into(), entry.seq));
        }
        self.table.put(changes, entry.seq, entry);
    }
}

fn indexed_values(entry: &Entry) -> Vec<(LogField, SmolStr)> {
    let mut values = vec![
        (LogField::EventType, SmolStr::new_static(entry.event.name)),
        (LogField::Actor(PartyField::Id), entry.actor.id.clone()),
    ];
    if !entry.transaction.token.is_empty() {
        values.push((LogField::Token, entry.transaction.token.clone()));
    }
    values.extend(entry.targets.iter().map(|target| (LogField::Target(PartyField::Id), target.id.clone())));
    values
}
