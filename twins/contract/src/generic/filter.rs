//! Which objects of a list a call asks for. What cannot be honoured is refused, never passed over.

use std::cmp::Ordering;

use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    call::{Call, text},
    collection::Collection,
    customs::Filter,
    form::Form,
    paging::{is_paging, not_honoured},
    plan::Kind,
    refusal::Refused,
    store::Object,
    times::plain,
    tree::{Op, Segment},
    view::View,
};
use crate::schema::Type;

/// Parameters that change how an answer looks and not what it says, or that only say who calls. Answers are whole
/// whatever they ask for.
const HARMLESS: &[&str] = &[
    "$.xgafv",
    "access_token",
    "alt",
    "callback",
    "expand",
    "expands",
    "fields",
    "includefields",
    "key",
    "oauth_token",
    "pretty",
    "prettyprint",
    "quotauser",
    "upload_protocol",
    "uploadtype",
    "supportsalldrives",
    "supportsteamdrives",
    "token",
    "team_id",
    "locale",
    "include_locale",
    "include_num_members",
];
/// Parameters that name the member to sort by.
const SORTS: &[&str] = &["sort", "sortby", "orderby", "order"];
/// Parameters that say which way to sort.
const DIRECTIONS: &[&str] = &["sortorder", "order", "direction", "sortdir", "sortdirection"];
/// Lists longer than this are not sorted.
pub(super) const SORTED_MAX: usize = 1_000;

/// What a call wants of a list.
#[derive(Default)]
pub(super) struct Wanted {
    /// Members with the texts that each may have.
    equal: Vec<(SmolStr, Vec<SmolStr>)>,
    /// The member to sort by, and whether the largest comes first.
    pub(super) sort: Option<(SmolStr, bool)>,
    /// What the service's customs read.
    others: Vec<Filter>,
}

impl Wanted {
    /// Reads the arguments of a call.
    pub(super) fn of(
        op: &Op,
        kind: Kind,
        collection: &Collection,
        form: &Form,
        call: &Call<'_>,
    ) -> Result<Self, Refused> {
        let usual = call.customs.order(&collection.normal).map(|(member, down)| (member.into(), down));
        let mut wanted = Self { sort: usual, ..Self::default() };
        let item = form.item();
        for (name, value) in &call.arguments.query {
            wanted.take(op, collection, &item, call, (name, value))?;
        }
        if kind == Kind::Search
            && let Some(Value::Object(body)) = &call.arguments.body
        {
            for (name, value) in body {
                wanted.take(op, collection, &item, call, (&SmolStr::new(name), value))?;
            }
        }
        Ok(wanted)
    }

    fn take(
        &mut self,
        op: &Op,
        collection: &Collection,
        item: &View<'_>,
        call: &Call<'_>,
        (name, value): (&SmolStr, &Value),
    ) -> Result<(), Refused> {
        let placed = collection.segments.contains(&Segment::Param(name.clone()));
        let harmless = HARMLESS.contains(&name.to_ascii_lowercase().as_str());
        if is_paging(op, name) || placed || harmless || is_default(op, name, value) || is_nothing(value) {
            return Ok(());
        }
        if let Some(filter) = call.customs.filter(&collection.normal, name, value)? {
            self.others.push(filter);
            return Ok(());
        }
        if item.property(name).is_some_and(|view| view.is_scalar()) {
            self.equal.push((name.clone(), texts(value)));
            return Ok(());
        }
        let sorted = self.take_sort(item, name, value);
        sorted.ok_or_else(|| not_honoured(name))
    }

    fn take_sort(&mut self, item: &View<'_>, name: &str, value: &Value) -> Option<()> {
        let (name, value) = (plain(name), text(value)?);
        if DIRECTIONS.contains(&name.as_str())
            && let Some(down) = direction(&value)
        {
            let (member, _) = self.sort.take()?;
            self.sort = Some((member, down));
            return Some(());
        }
        if !SORTS.contains(&name.as_str()) {
            return None;
        }
        let (member, down) = sort_key(&value);
        inner(item, member).filter(View::is_scalar)?;
        self.sort = Some((member.into(), down));
        Some(())
    }

    /// Whether an object is asked for.
    pub(super) fn takes(&self, object: &Object) -> bool {
        let has = |name: &SmolStr, texts: &[SmolStr]| {
            let own = object.members.get(name.as_str()).and_then(text);
            own.is_some_and(|own| texts.contains(&own))
        };
        self.equal.iter().all(|(name, texts)| has(name, texts))
            && self.others.iter().all(|takes| takes(&object.members))
    }

    /// Whether all objects are asked for.
    pub(super) fn all(&self) -> bool {
        self.equal.is_empty() && self.others.is_empty()
    }
}

/// How two objects stand to each other by a member. Those without it come first.
pub(super) fn compare(member: &str, a: &Object, b: &Object) -> Ordering {
    match (value_at(&a.members, member), value_at(&b.members, member)) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => {
            a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal)
        }
        (a, b) => a.and_then(text).cmp(&b.and_then(text)),
    }
}

/// What documents say of a member, also of one inside others (`profile.name`).
fn inner<'a>(item: &View<'a>, path: &str) -> Option<View<'a>> {
    item.property(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        inner(&item.property(first)?, rest)
    })
}

/// The value of such a member.
fn value_at<'a>(members: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    members.get(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        value_at(members.get(first)?.as_object()?, rest)
    })
}

/// `-created`, `created desc` and `created:desc` are all in use.
fn sort_key(value: &str) -> (&str, bool) {
    if let Some(member) = value.strip_prefix('-') {
        return (member, true);
    }
    let value = value.trim_start_matches('+');
    let (member, way) = value.split_once([' ', ':']).unwrap_or((value, ""));
    (member, direction(way).unwrap_or(false))
}

fn direction(value: &str) -> Option<bool> {
    match plain(value).as_str() {
        "asc" | "ascending" => Some(false),
        "desc" | "descending" => Some(true),
        _ => None,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn is_default(op: &Op, name: &str, value: &Value) -> bool {
    let facts = op.operation.facts.get();
    let Some(parameter) = facts.parameters.iter().find(|parameter| parameter.name == name) else { return false };
    let view = View::of(op.document, &parameter.schema);
    let off = view.default().is_none() && view.is(Type::Boolean) && value == &Value::Bool(false);
    off || view.default() == Some(value)
}

fn texts(value: &Value) -> Vec<SmolStr> {
    match value {
        Value::Array(items) => items.iter().filter_map(text).collect(),
        other => text(other).into_iter().collect(),
    }
}
