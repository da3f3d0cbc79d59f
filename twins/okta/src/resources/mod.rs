//! What Okta does with the objects that its public documents describe and that have no rules of their own: a table by
//! area, in which each row says how ids look, what is always shown, which links there are, and what is refused.
//!
//! The rows are facts of recorded answers (2021-2026) and of the public documents; what is inferred says so.

mod access;
pub(crate) mod answers;
mod branding;
pub(crate) mod constraints;
mod devices;
mod factors;
mod filter;
mod follow;
mod hooks;
mod integrations;
mod network;
mod org;
mod policies;
mod policy_kinds;
mod policy_order;
mod profiles;
mod provider_keys;
mod providers;
pub(crate) mod reading;
mod references;
mod resource;
mod risk;
mod sign_in;
mod start;

use dtu_contract::generic::{
    customs::{Companion, Customs, Deed, Filter, Subject},
    refusal::Refused,
};
use dtu_kernel::{
    ids::{ALNUM, IdShape},
    time::Timestamp,
    wire::Request,
};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use self::resource::Resource;
pub(crate) use self::{
    follow::{follow, party},
    references::PROVIDERS,
    start::start,
};
use crate::{
    model::{SITE, State},
    policy::POLICIES,
};

/// The members of an object.
pub(crate) type Members = Map<String, Value>;

/// All rows.
const AREAS: &[&[Resource]] = &[
    access::ROWS,
    branding::ROWS,
    devices::ROWS,
    factors::ROWS,
    hooks::ROWS,
    integrations::ROWS,
    network::ROWS,
    org::ROWS,
    policies::ROWS,
    profiles::ROWS,
    provider_keys::ROWS,
    risk::ROWS,
    sign_in::ROWS,
];

/// Operations that are served from the public documents and whose rules the rows know whole.
pub(crate) const BEHAVES: &[&[&str]] = &[
    branding::BEHAVES,
    hooks::BEHAVES,
    network::BEHAVES,
    policies::BEHAVES,
    profiles::BEHAVES,
    provider_keys::BEHAVES,
    sign_in::BEHAVES,
];

/// The row of a collection, by its path with all parameters as `{}`.
pub(crate) fn find(collection: &str) -> Option<&'static Resource> {
    AREAS.iter().copied().flatten().find(|row| row.collection == collection)
}

/// How the ids of a kind look.
fn id_shape(collection: &str, prefix: &'static str) -> IdShape {
    IdShape { site: SITE.child("ids").child(collection), prefix, alphabet: ALNUM, drawn: 14, suffix: "5d7" }
}

/// A policy as it is shown.
pub(crate) fn shown_policy(state: &State, request: &Request, id: &str, members: &Members, origin: &str) -> Members {
    let mut shown = members.clone();
    if let Some(row) = find(POLICIES) {
        let now = Timestamp::default();
        let subject = Subject { collection: POLICIES, place: POLICIES, id, now, origin };
        row.dress(&House { state, caller: "", request }, &subject, members, &mut shown);
    }
    shown
}

/// A member of a place as it is shown.
pub(crate) fn shown_member(
    state: &State,
    request: &Request,
    (collection, place): (&str, &str),
    id: &str,
    members: &Members,
) -> Members {
    let mut shown = members.clone();
    if let Some(row) = find(collection) {
        let (now, origin) = (Timestamp::default(), request.origin.as_str());
        let subject = Subject { collection, place, id, now, origin };
        row.dress(&House { state, caller: "", request }, &subject, members, &mut shown);
    }
    shown
}

/// Okta's customs in one org, for one caller.
#[derive(Debug)]
pub(crate) struct House<'a> {
    /// The org.
    pub state: &'a State,
    /// The id of the person who calls.
    pub caller: &'a str,
    /// The call.
    pub request: &'a Request,
}

impl House<'_> {
    /// A parameter of the query; the first of its name.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.request.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
    }

    /// The org's id.
    pub(crate) fn org(&self) -> Value {
        self.state.objects.one("/api/v1", "org").and_then(|org| org.get("id")).cloned().unwrap_or_default()
    }
}

/// Objects tell when they were made and changed to the second: recorded of all kinds but entries of the System Log.
fn whole_seconds(shown: &mut Members) {
    for name in ["created", "lastUpdated", "createdDate", "lastUpdate"] {
        if let Some(Value::String(time)) = shown.get_mut(name)
            && time.len() == 24
            && time.ends_with('Z')
        {
            time.replace_range(19.., ".000Z");
        }
    }
}

impl Customs for House<'_> {
    fn id(&self, collection: &str, members: &Members) -> Option<IdShape> {
        let row = find(collection)?;
        let prefix = match (row.prefix)(members) {
            "" => "",
            _ if collection == policies::RULES => policies::rule_prefix(self, members),
            prefix => prefix,
        };
        (!prefix.is_empty()).then(|| id_shape(collection, prefix))
    }

    fn has_uuids(&self, collection: &str) -> bool {
        collection == provider_keys::KEYS
    }

    fn settle(&self, subject: &Subject<'_>, deed: Deed<'_>, members: &mut Members) -> Result<(), Refused> {
        let Some(row) = find(subject.collection) else { return Ok(()) };
        row.settle(self, subject, deed, members)
    }

    fn dress(&self, subject: &Subject<'_>, known: &Members, shown: &mut Members) {
        whole_seconds(shown);
        if let Some(row) = find(subject.collection) {
            row.dress(self, subject, known, shown);
        }
    }

    fn kept(&self, collection: &str) -> &'static [&'static str] {
        find(collection).map_or(&[], |row| row.kept)
    }

    fn with(&self, subject: &Subject<'_>, members: &Members) -> Vec<Companion> {
        find(subject.collection).map(|row| (row.with)(self, subject, members)).unwrap_or_default()
    }

    fn order(&self, collection: &str) -> Option<(&'static str, bool)> {
        find(collection)?.order.map(|member| (member, false))
    }

    fn filter(&self, collection: &str, name: &SmolStr, value: &Value) -> Result<Option<Filter>, Refused> {
        filter::read(collection, name, value)
    }
}
