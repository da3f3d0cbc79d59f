//! Lists, page by page.

use http::HeaderName;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    answer::{Pen, Shown},
    call::{Call, Made},
    collection::Collection,
    engine::{Engine, link, subject},
    filter::{SORTED_MAX, Wanted, compare},
    form::{self, Form},
    paging::{self, Asked},
    plan::Kind,
    refusal::Refused,
    store::{Object, Page, Store},
    times::plain,
    view::View,
};
use crate::{
    contract::{self, Paging},
    schema::Type,
};

/// A part of a list with what the answer says of the whole.
struct Slice<'a> {
    page: Page<'a>,
    /// How many there are in all; only counted where the answer says it.
    total: usize,
    asked: Asked,
}

impl Engine {
    pub(super) fn list(
        &self,
        operation: usize,
        kind: Kind,
        collection: &Collection,
        call: &Call<'_>,
        store: &Store,
    ) -> Result<Made, Refused> {
        let place = Self::place(collection, call, store)?;
        let op = self.tree().op(operation);
        let success = form::success(&op);
        let Some(form) = form::list(&op, &collection.name) else {
            return Ok(self.pen(operation, call, &place, "").shape(&success, &Map::new()));
        };
        let wanted = Wanted::of(&op, kind, collection, &form, call)?;
        let asked = paging::asked(&op, call, &place)?;
        let slice = slice(store, &place, &wanted, asked, counts(&form))?;
        let items = slice.page.items.iter().filter_map(|(id, object)| {
            Some(((*id, *object), self.listed(operation, collection, call, &form, &place, id, object)?))
        });
        let (shown, items): (Vec<_>, Vec<Value>) = items.unzip();
        let pen = self.pen(operation, call, &place, "");
        let body = wrapped(&pen, &form, collection, &place, &slice, items);
        let body = dressed(body, form.inside.as_deref(), collection, call, &place, &shown);
        let mut made = pen.made(&success, body);
        made.headers = links(&pen, &place, &slice);
        Ok(made)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one call and one object")]
    fn listed(
        &self,
        operation: usize,
        collection: &Collection,
        call: &Call<'_>,
        form: &Form,
        place: &str,
        id: &str,
        object: &Object,
    ) -> Option<Value> {
        if form.item().is_scalar() {
            return Some(Value::from(id)).filter(|value| super::fits::fits(&self.patterns, &form.item(), value));
        }
        let pen = self.pen(operation, call, place, id);
        let link = Some(link(call, collection, place, id)).filter(|_| !collection.rpc);
        let shown = Shown { members: &object.members, link, id: collection.ids.first().map(SmolStr::as_str) };
        pen.one(form, &shown)
    }
}

/// A list as the service's customs show it: its objects, and the object around them.
fn dressed(
    body: Option<Value>,
    inside: Option<&str>,
    collection: &Collection,
    call: &Call<'_>,
    place: &str,
    shown: &[(&SmolStr, &Object)],
) -> Option<Value> {
    let mut body = body?;
    let items = match inside {
        Some(name) => body.get_mut(name).and_then(Value::as_array_mut),
        None => body.as_array_mut(),
    };
    for (value, (id, object)) in items.into_iter().flatten().zip(shown) {
        if let Value::Object(members) = value {
            call.customs.dress(&subject(collection, call, place, id), &object.members, members);
        }
    }
    if let Value::Object(around) = &mut body {
        call.customs.enclose(&subject(collection, call, place, ""), around);
    }
    Some(body)
}

fn slice<'a>(
    store: &'a Store,
    place: &SmolStr,
    wanted: &Wanted,
    asked: Asked,
    counted: bool,
) -> Result<Slice<'a>, Refused> {
    let total = || match (counted, wanted.all()) {
        (false, _) => 0,
        (true, true) => store.count(place),
        (true, false) => store.page(place, 0, usize::MAX, |object| wanted.takes(object)).items.len(),
    };
    let total = total();
    let page = match &wanted.sort {
        None => unsorted(store, place, wanted, &asked),
        Some((member, down)) => sorted(store, place, wanted, &asked, member, *down)?,
    };
    Ok(Slice { page, total, asked })
}

/// A range from the cursor's key. Offsets are walked over: the tree has no ranks.
fn unsorted<'a>(store: &'a Store, place: &SmolStr, wanted: &Wanted, asked: &Asked) -> Page<'a> {
    let most = asked.limit.saturating_add(asked.skip);
    let mut page = store.page(place, asked.after, most, |object| wanted.takes(object));
    page.items.drain(..asked.skip.min(page.items.len()));
    page
}

/// Sorted lists are put together whole, so they must be short.
fn sorted<'a>(
    store: &'a Store,
    place: &SmolStr,
    wanted: &Wanted,
    asked: &Asked,
    member: &str,
    down: bool,
) -> Result<Page<'a>, Refused> {
    if store.count(place) > SORTED_MAX {
        return Err(paging::not_honoured("sort"));
    }
    let mut items = store.page(place, 0, usize::MAX, |object| wanted.takes(object)).items;
    items.sort_by(|(_, a), (_, b)| if down { compare(member, b, a) } else { compare(member, a, b) });
    let passed = items.iter().position(|(_, object)| object.ordinal == asked.after).map_or(0, |at| at + 1);
    let start = passed.saturating_add(asked.skip).min(items.len());
    let end = start.saturating_add(asked.limit).min(items.len());
    let next = (end < items.len()).then(|| items[end.max(1) - 1].1.ordinal);
    Ok(Page { items: items[start..end].to_vec(), next })
}

/// Names under which answers say how many items there are in all.
const TOTALS: &[&str] = &["total", "totalcount", "totalsize", "totalresults", "totalitems"];

fn counts(form: &Form) -> bool {
    form.inside.is_some() && form.answer().properties().keys().any(|name| TOTALS.contains(&plain(name).as_str()))
}

/// The items in the answer's own envelope.
fn wrapped(
    pen: &Pen<'_>,
    form: &Form,
    collection: &Collection,
    place: &str,
    slice: &Slice<'_>,
    items: Vec<Value>,
) -> Option<Value> {
    let answer = form.answer();
    let maker = pen.maker(None, None);
    let Some(inside) = &form.inside else { return maker.envelope(&answer, Some(&Value::Array(items)), pen.source) };
    let mut given = Map::new();
    for (name, schemas) in answer.properties() {
        let property = View::all(answer.document, schemas);
        if let Some(value) = said(pen, name, &property, collection, slice, items.len()) {
            given.insert(name.to_string(), value);
        }
    }
    given.insert(inside.to_string(), Value::Array(items));
    let op = pen.op.operation.facts.get();
    if let Some(Paging::Token { next, .. }) = &op.paging {
        put_token(&mut given, &answer, next, slice.page.next.map(|ordinal| paging::cursor(place, ordinal)));
    }
    maker.envelope(&answer, Some(&Value::Object(given)), pen.source)
}

/// What a member of an envelope says of the list, by its name.
fn said(
    pen: &Pen<'_>,
    name: &str,
    view: &View<'_>,
    collection: &Collection,
    slice: &Slice<'_>,
    shown: usize,
) -> Option<Value> {
    let number = view.is(Type::Integer) || view.is(Type::Number);
    let more = slice.page.next.is_some();
    let name = plain(name);
    match name.as_str() {
        "ok" => Some(Value::Bool(true)),
        "islast" | "last" if view.is(Type::Boolean) => Some(Value::Bool(!more)),
        "hasmore" | "hasnext" | "more" if view.is(Type::Boolean) => Some(Value::Bool(more)),
        "startat" | "offset" | "start" if number => Some(Value::from(slice.asked.skip)),
        "maxresults" | "limit" | "pagesize" | "perpage" if number => {
            Some(Value::from(slice.asked.limit.min(1_000_000)))
        }
        "count" | "size" | "returned" | "numberofelements" if number => Some(Value::from(shown)),
        "page" | "pagenumber" if number => Some(Value::from(slice.asked.skip / slice.asked.limit.max(1) + 1)),
        "self" if view.is(Type::String) => Some(Value::from(address(pen, pen.call.query))),
        "kind" => view.default().cloned(),
        _ if TOTALS.contains(&name.as_str()) && number => Some(Value::from(slice.total)),
        _ if collection.name == name.as_str() && number => Some(Value::from(shown)),
        "nextpage" if view.is(Type::String) && more => next_offset(pen, slice),
        _ => None,
    }
}

/// The next page's address where pages are asked for by the number of items before them.
fn next_offset(pen: &Pen<'_>, slice: &Slice<'_>) -> Option<Value> {
    let Some(Paging::Offset { offset, pages: false, .. }) = &pen.op.operation.facts.get().paging else { return None };
    let next = slice.asked.skip.saturating_add(slice.asked.limit);
    Some(Value::from(address(pen, &paging::query_with(pen.call.query, offset, &next.to_string()))))
}

/// Puts the token where the answer holds it. On the last page the member is absent; where it must be there it is empty.
fn put_token(given: &mut Map<String, Value>, answer: &View<'_>, path: &str, token: Option<String>) {
    let slack = answer.document.kind == contract::Kind::SlackMethods;
    let nullable = answer.at(path).is_some_and(|view| view.nullable());
    let value = match token {
        Some(token) => Value::from(token),
        None if nullable && !slack => Value::Null,
        None if slack || must_be_there(answer, path) => Value::from(""),
        None => return,
    };
    let mut at = given;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            at.insert(part.to_owned(), value);
            return;
        }
        let inner = at.entry(part).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(inner) = inner else { return };
        at = inner;
    }
}

fn must_be_there(answer: &View<'_>, path: &str) -> bool {
    let (parent, name) = path.rsplit_once('.').map_or((None, path), |(parent, name)| (Some(parent), name));
    let view = parent.map_or_else(|| Some(answer.clone()), |parent| answer.at(parent));
    view.is_some_and(|view| view.requires(name))
}

/// `Link` headers to this page and the next.
fn links(pen: &Pen<'_>, place: &str, slice: &Slice<'_>) -> Vec<(HeaderName, String)> {
    let Some(Paging::Link { cursor, .. }) = &pen.op.operation.facts.get().paging else { return Vec::new() };
    let relation =
        |query: &str, relation: &str| (http::header::LINK, format!("<{}>; rel=\"{relation}\"", address(pen, query)));
    let next = slice
        .page
        .next
        .map(|ordinal| relation(&paging::query_with(pen.call.query, cursor, &paging::cursor(place, ordinal)), "next"));
    [Some(relation(pen.call.query, "self")), next].into_iter().flatten().collect()
}

fn address(pen: &Pen<'_>, query: &str) -> String {
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}{}{mark}{query}", pen.call.origin, pen.call.path)
}
