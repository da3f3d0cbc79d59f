//! The System Log.
//!
//! See developer.okta.com/docs/reference/system-log-query/.

use std::{collections::BTreeSet, sync::Arc};

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
            "alternateId": text(&self.alternate_id),
            "displayName": text(&self.display_name),
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

/// More debug data of an entry, by name.
pub type Debug = Vec<(&'static str, SmolStr)>;

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
    /// What there is to say of it besides.
    pub debug: Debug,
}

/// Text, or null where there is none.
fn text(value: &str) -> Value {
    if value.is_empty() { Value::Null } else { Value::from(value) }
}

impl Entry {
    /// `WARN` for failures, denials and warnings, else `INFO`.
    pub fn severity(&self) -> &'static str {
        let warns = matches!(self.outcome.result, "FAILURE" | "DENY") || self.event.name.ends_with("warning");
        if warns { "WARN" } else { "INFO" }
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
        let mut all = if self.transaction.id.is_empty() {
            json!({})
        } else {
            json!({
                "requestId": self.transaction.id,
                "requestUri": self.transaction.uri,
                "url": self.transaction.url,
            })
        };
        for (name, value) in &self.debug {
            all[*name] = Value::from(value.as_str());
        }
        all
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

/// A value of a field as the index knows it: the field, and a number made from the value in lower case. Two values of
/// one number are no harm, since what is found is held against the whole filter.
pub type Mark = (LogField, u64);

/// The mark of a value.
pub fn mark(field: LogField, value: &str) -> Mark {
    // FNV-1a: the same on all machines, which the standard hasher is not.
    let bytes = value.chars().flat_map(char::to_lowercase).map(u64::from);
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, c| (hash ^ c).wrapping_mul(0x0100_0000_01b3));
    // What one request caused has one id under two names.
    (if field == LogField::RequestId { LogField::TransactionId } else { field }, hash)
}

/// How narrow the index is by a field, the narrowest first; none where entries are not indexed by it.
pub const fn narrowness(field: LogField) -> Option<u8> {
    match field {
        LogField::Uuid => Some(0),
        LogField::TransactionId | LogField::RequestId => Some(1),
        LogField::Target(PartyField::Id | PartyField::AlternateId) => Some(2),
        LogField::Actor(PartyField::Id | PartyField::AlternateId) => Some(3),
        LogField::EventType => Some(4),
        LogField::Token => Some(5),
        // Failures and warnings are few; what went well is nearly all.
        LogField::Result | LogField::Severity => Some(6),
        _ => None,
    }
}

/// Results and severities that nearly all entries have are not in the index.
pub fn is_common(field: LogField, value: &str) -> bool {
    matches!(field, LogField::Result) && value.eq_ignore_ascii_case("SUCCESS")
        || matches!(field, LogField::Severity) && value.eq_ignore_ascii_case("INFO")
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
    by_mark: OrdSet<(Mark, u64)>,
    next: u64,
}

impl Default for Log {
    fn default() -> Self {
        Self { table: Table::new("log"), by_time: OrdSet::new(), by_mark: OrdSet::new(), next: 1 }
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

    /// Entries numbered from `low` up to but without `high`, oldest or newest first. Where marks are given, entries
    /// with none of them are passed over unseen.
    pub fn between(
        &self,
        low: u64,
        high: u64,
        marks: Option<&[Mark]>,
        newest_first: bool,
    ) -> Box<dyn Iterator<Item = &Arc<Entry>> + '_> {
        if low >= high {
            return Box::new(std::iter::empty());
        }
        let Some(marks) = marks else {
            let rows = self.table.range(low..high).map(|(_, entry)| entry);
            return if newest_first { Box::new(rows.rev()) } else { Box::new(rows) };
        };
        let of = |mark: &Mark| -> Numbers<'_> {
            let rows = self.by_mark.range((*mark, low)..(*mark, high)).map(|(_, seq)| *seq);
            if newest_first { Box::new(rows.rev()) } else { Box::new(rows) }
        };
        let merged = Merged::new(marks.iter().map(of).collect(), newest_first);
        Box::new(merged.filter_map(|seq| self.table.get(&seq)))
    }

    /// Adds an entry, whose number must be the next.
    pub fn append(&mut self, changes: &mut Changes, entry: Entry) {
        debug_assert_eq!(entry.seq, self.next, "entries are numbered in order");
        self.next = entry.seq + 1;
        self.by_time.insert((entry.published, entry.seq));
        for mark in marks(&entry) {
            self.by_mark.insert((mark, entry.seq));
        }
        self.table.put(changes, entry.seq, entry);
    }
}

type Numbers<'a> = Box<dyn Iterator<Item = u64> + 'a>;

/// Several rows of numbers as one in order, each number once.
struct Merged<'a> {
    rows: Vec<Numbers<'a>>,
    /// The first number of each row that is left, in the order asked for, and its row.
    heads: BTreeSet<(u64, usize)>,
    newest_first: bool,
}

impl<'a> Merged<'a> {
    fn new(rows: Vec<Numbers<'a>>, newest_first: bool) -> Self {
        let mut merged = Self { rows, heads: BTreeSet::new(), newest_first };
        (0..merged.rows.len()).for_each(|row| merged.draw(row));
        merged
    }

    /// A number's place in the order, and back.
    const fn place(&self, seq: u64) -> u64 {
        if self.newest_first { u64::MAX - seq } else { seq }
    }

    fn draw(&mut self, row: usize) {
        if let Some(seq) = self.rows[row].next() {
            self.heads.insert((self.place(seq), row));
        }
    }
}

impl Iterator for Merged<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let (place, row) = self.heads.pop_first()?;
        self.draw(row);
        while let Some((same, row)) = self.heads.first().copied().filter(|(other, _)| *other == place) {
            self.heads.remove(&(same, row));
            self.draw(row);
        }
        Some(self.place(place))
    }
}

/// All marks of an entry.
fn marks(entry: &Entry) -> Vec<Mark> {
    let mut marks = vec![
        mark(LogField::Uuid, &entry.uuid),
        mark(LogField::EventType, entry.event.name),
        mark(LogField::Actor(PartyField::Id), &entry.actor.id),
        mark(LogField::Actor(PartyField::AlternateId), &entry.actor.alternate_id),
    ];
    for (field, value) in [
        (LogField::Token, entry.transaction.token.as_str()),
        (LogField::TransactionId, &entry.transaction.id),
        (LogField::Result, entry.outcome.result),
        (LogField::Severity, entry.severity()),
    ] {
        if !value.is_empty() && !is_common(field, value) {
            marks.push(mark(field, value));
        }
    }
    for target in &entry.targets {
        marks.push(mark(LogField::Target(PartyField::Id), &target.id));
        marks.push(mark(LogField::Target(PartyField::AlternateId), &target.alternate_id));
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_numbers_are_merged_in_order() {
        let check = |rows: &[&[u64]], newest_first: bool, expected: &[u64]| {
            let row = |row: &&[u64]| -> Numbers<'static> {
                let mut row = row.to_vec();
                if newest_first {
                    row.reverse();
                }
                Box::new(row.into_iter())
            };
            let merged: Vec<u64> = Merged::new(rows.iter().map(row).collect(), newest_first).collect();
            assert_eq!(merged, expected);
        };
        check(&[], false, &[]);
        check(&[&[1, 4], &[2, 4, 9], &[], &[4]], false, &[1, 2, 4, 9]);
        check(&[&[1, 4], &[2, 4, 9], &[], &[4]], true, &[9, 4, 2, 1]);
    }

    #[test]
    fn marks_disregard_case_and_know_their_field() {
        let of = |field, value| mark(field, value);
        assert_eq!(of(LogField::Result, "FAILURE"), of(LogField::Result, "failure"));
        assert_eq!(of(LogField::RequestId, "a"), of(LogField::TransactionId, "A"));
        assert_ne!(of(LogField::Uuid, "a"), of(LogField::Token, "a"));
        assert_ne!(of(LogField::Uuid, "a"), of(LogField::Uuid, "b"));
    }
}
