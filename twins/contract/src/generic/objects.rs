//! Making, changing and removing objects.

use dtu_kernel::tx::Tx;
use serde_json::{Map, Value};
use smol_str::{SmolStr, ToSmolStr};

use super::{
    answer::{Shown, location},
    call::{Call, Done, Made, Neighbour, text},
    collection::Collection,
    customs::{Companion, Deed},
    engine::{Engine, Found, address, aliases, dressed, id_value, link, subject},
    form::{self, Form},
    make::counts_from,
    patch,
    plan::{Kind, Plan},
    refusal::Refused,
    source::Source,
    store::{Entry, Store},
    times::{self, Role},
    tree::Op,
    view::View,
};
use crate::{
    schema::{Alphabet, Type},
    violation::{Part, Rule, Violation},
};

type Members = Map<String, Value>;

impl Engine {
    pub(super) fn create(
        &self,
        operation: usize,
        collection: &Collection,
        call: &Call<'_>,
        store: &mut Store,
        tx: &mut Tx<'_>,
    ) -> Result<Made, Refused> {
        let place = Self::place(collection, call, store)?;
        let mut members = given(&self.tree().op(operation), collection, call);
        taken(collection, &place, &members, store)?;
        let mut source = self.drawn(collection, tx);
        let chosen = collection.ids.first().and_then(|name| members.get(name.as_str())).and_then(text);
        let id = match (chosen, call.customs.id(&collection.normal, &members)) {
            (Some(id), _) => id,
            (None, Some(shape)) => tx.id(&shape),
            (None, None) if call.customs.has_uuids(&collection.normal) => source.uuid().into(),
            (None, None) => self.new_id(operation, collection, &place, call, store, source),
        };
        note_number(collection, &id, store);
        let found = Found { place, id, members: None };
        call.customs.settle(&subject(collection, call, &found.place, &found.id), Deed::Create, &mut members)?;
        self.complete(operation, collection, call, &found, &mut members, source);
        keep(collection, &found, &members, store, tx);
        let companions = call.customs.with(&subject(collection, call, &found.place, &found.id), &members);
        for companion in companions {
            keep_beside(companion, call, store, tx);
        }
        let made = self.show(operation, collection, call, &found, &members, None);
        Ok(made.after(done(collection, &found, None, Some(members))))
    }

    /// An id in the shape that the service's have.
    fn new_id(
        &self,
        operation: usize,
        collection: &Collection,
        place: &SmolStr,
        call: &Call<'_>,
        store: &Store,
        source: Source,
    ) -> SmolStr {
        let name = collection.ids.first().map_or("id", SmolStr::as_str);
        let view = collection.item.as_ref().and_then(|form| form.item().property(name));
        let mut number =
            view.as_ref().and_then(counts_from).map(|start| store.next_number(&collection.template, place, start));
        let maker = self.pen(operation, call, place, "").maker(None, None);
        for attempt in 0..64_u32 {
            let source = source.child("id").child(&attempt.to_string());
            let drawn = view.as_ref().and_then(|view| maker.id_text(name, view, source)).map(SmolStr::from);
            let plain = || SmolStr::from(source.clone().text(Alphabet::Lower.characters(), 20));
            let id =
                number.map_or_else(|| drawn.filter(|text| !text.is_empty()).unwrap_or_else(plain), |n| n.to_smolstr());
            if store.find(place, &id).is_none() {
                return id;
            }
            number = number.map(|number| number + 1);
        }
        source.clone().text(Alphabet::Lower.characters(), 20).into()
    }

    /// Fills in the id and what a whole object has besides what was given.
    fn complete(
        &self,
        operation: usize,
        collection: &Collection,
        call: &Call<'_>,
        found: &Found,
        members: &mut Members,
        source: Source,
    ) {
        if let Some(name) = collection.ids.first() {
            let view = collection.item.as_ref().and_then(|form| form.item().property(name));
            members.insert(name.to_string(), id_value(view.as_ref(), &found.id));
        }
        let link = link(call, collection, &found.place, &found.id);
        let kept = call.customs.kept(&collection.normal).iter();
        let kept: Members = kept.filter_map(|name| Some(((*name).to_owned(), members.get(*name)?.clone()))).collect();
        self.enrich(operation, collection, call, Some(link), members, source);
        members.extend(kept);
        // An id may look otherwise than the documents say; it stays what the object is known by.
        if let (Some(name), true) = (collection.ids.first(), call.customs.id(&collection.normal, members).is_some()) {
            members.insert(name.to_string(), Value::from(found.id.as_str()));
        }
    }

    fn show(
        &self,
        operation: usize,
        collection: &Collection,
        call: &Call<'_>,
        found: &Found,
        members: &Members,
        status: Option<u16>,
    ) -> Made {
        let success = self.success(operation, status);
        let pen = self.pen(operation, call, &found.place, &found.id);
        let address = link(call, collection, &found.place, &found.id);
        let own = Some(address.clone()).filter(|_| !collection.rpc);
        let shown = Shown { members, link: own, id: collection.ids.first().map(SmolStr::as_str) };
        let mut made = pen.object(&success, &collection.name, &shown);
        made.headers.extend(location(&self.tree().op(operation), success.status, &address));
        dressed(made, &subject(collection, call, &found.place, &found.id), call, members)
    }

    /// Replaces, updates, or changes by a verb.
    pub(super) fn write(
        &self,
        operation: usize,
        plan: &Plan,
        collection: &Collection,
        call: &Call<'_>,
        store: &mut Store,
        tx: &mut Tx<'_>,
    ) -> Result<Made, Refused> {
        let place = Self::place(collection, call, store)?;
        let found = match Self::locate(plan, collection, call, store) {
            Err(refused) => return self.upsert(operation, plan, collection, call, place, store, tx).ok_or(refused)?,
            Ok(found) => found,
        };
        let old = self.known(operation, collection, call, &found);
        let mut members = changed(&self.tree().op(operation), plan, collection, call, old.clone())?;
        let deed = if plan.kind == Kind::Change { Deed::Change(&old) } else { Deed::Write(&old) };
        call.customs.settle(&subject(collection, call, &found.place, &found.id), deed, &mut members)?;
        touch(collection, call, &mut members);
        let source = Source::of(&[self.service, &found.place, &found.id]);
        self.complete(operation, collection, call, &found, &mut members, source);
        keep(collection, &found, &members, store, tx);
        let status = found.members.as_ref().filter(|_| plan.kind == Kind::Replace).map(|_| 200);
        let made = self.show(operation, collection, call, &found, &members, status);
        let by_verb = plan.kind == Kind::Change;
        Ok(made.after(Done { by_verb, ..done(collection, &found, Some(old), Some(members)) }))
    }

    /// Makes the object that is written to and not there, where the service does so; else none.
    #[expect(clippy::too_many_arguments, reason = "the parts of one call")]
    fn upsert(
        &self,
        operation: usize,
        plan: &Plan,
        collection: &Collection,
        call: &Call<'_>,
        place: SmolStr,
        store: &mut Store,
        tx: &mut Tx<'_>,
    ) -> Option<Result<Made, Refused>> {
        let id = call.argument_text(plan.key.as_deref()?)?;
        let refused = call.neighbours.find(&collection.template, &id) == Some(Neighbour::Missing);
        if refused || !collection.upserts || plan.kind == Kind::Change {
            return None;
        }
        let mut members = given(&self.tree().op(operation), collection, call);
        let source = self.drawn(collection, tx);
        note_number(collection, &id, store);
        let found = Found { place, id, members: None };
        self.complete(operation, collection, call, &found, &mut members, source);
        keep(collection, &found, &members, store, tx);
        let made = self.show(operation, collection, call, &found, &members, Some(201));
        Some(Ok(made.after(done(collection, &found, None, Some(members)))))
    }

    pub(super) fn delete(
        &self,
        operation: usize,
        plan: &Plan,
        collection: &Collection,
        call: &Call<'_>,
        store: &mut Store,
        tx: &mut Tx<'_>,
    ) -> Result<Made, Refused> {
        let found = Self::locate(plan, collection, call, store)?;
        let mut members = self.known(operation, collection, call, &found);
        call.customs.settle(&subject(collection, call, &found.place, &found.id), Deed::Delete, &mut members)?;
        store.remove(&mut tx.changes, &found.place, &found.id);
        let made = self.show(operation, collection, call, &found, &members, None);
        Ok(made.after(done(collection, &found, Some(members), None)))
    }

    /// Writes the one object of a path without ids.
    pub(super) fn write_one(
        &self,
        operation: usize,
        kind: Kind,
        one: &Collection,
        call: &Call<'_>,
        store: &mut Store,
        tx: &mut Tx<'_>,
    ) -> Result<Made, Refused> {
        let (place, name) = Self::one_place(one, call, store)?;
        let whole = format!("{place}/{name}");
        let mut members = Members::new();
        let before = store.find(&place, &name).map(|(_, object)| object.members.clone());
        if kind == Kind::ResetOne {
            store.remove(&mut tx.changes, &place, &name);
        } else {
            let plan =
                Plan { kind: if kind == Kind::ReplaceOne { Kind::Replace } else { Kind::Update }, ..Plan::shape() };
            let old = before.clone().unwrap_or_default();
            members = changed(&self.tree().op(operation), &plan, one, call, old.clone())?;
            call.customs.settle(&subject(one, call, &whole, ""), Deed::Write(&old), &mut members)?;
            touch(one, call, &mut members);
            let link = address(call, &place, &name);
            self.enrich(operation, one, call, Some(link), &mut members, Source::of(&[self.service, &place, &name]));
            store.put_one(&mut tx.changes, place.clone(), name.clone(), members.clone());
        }
        let pen = self.pen(operation, call, &place, &name);
        let shown = Shown { members: &members, link: Some(address(call, &place, &name)), id: None };
        let made = pen.object(&self.success(operation, None), "", &shown);
        let made = dressed(made, &subject(one, call, &whole, ""), call, &members);
        let after = Some(members).filter(|_| kind != Kind::ResetOne);
        let found = Found { place: whole.into(), id: SmolStr::default(), members: None };
        Ok(made.after(done(one, &found, before, after)))
    }
}

/// What was done to an object.
fn done(collection: &Collection, found: &Found, before: Option<Members>, after: Option<Members>) -> Done {
    let (place, id) = (found.place.clone(), found.id.clone());
    Done { collection: SmolStr::new(&collection.normal), place, id, before, after, by_verb: false }
}

fn keep(collection: &Collection, found: &Found, members: &Members, store: &mut Store, tx: &mut Tx<'_>) {
    let (place, id) = (found.place.clone(), found.id.clone());
    let entry = Entry { place, id, aliases: aliases(collection, members), members: members.clone() };
    store.put(&mut tx.changes, entry);
}

/// Keeps what comes with another object. Without an id, and with none to draw, there is nothing to keep.
fn keep_beside(companion: Companion, call: &Call<'_>, store: &mut Store, tx: &mut Tx<'_>) {
    let Companion { collection, place, id, mut members } = companion;
    let id = if let Some(id) = id {
        id
    } else {
        let Some(shape) = call.customs.id(&collection, &members) else { return };
        let id = tx.id(&shape);
        members.insert("id".to_owned(), Value::from(id.as_str()));
        id
    };
    store.put(&mut tx.changes, Entry { place, id, aliases: Vec::new(), members });
}

/// What the caller may say of an object: what the service sets itself is left out, unless the operation asks for it.
fn given(op: &Op, collection: &Collection, call: &Call<'_>) -> Members {
    let view = collection.item.as_ref().map(Form::item);
    let mut members = call.members(collection.rpc);
    if collection.rpc {
        // Who calls is no part of what is made.
        members.shift_remove("token");
    }
    if let Some(value) = whole(view.as_ref(), call) {
        members = Members::from_iter([("value".to_owned(), value)]);
    }
    if let Some(inner) = unwrapped(view.as_ref(), collection, &members) {
        members = inner;
    }
    let asked = form::request(op);
    let is_asked =
        |name: &str| asked.as_ref().and_then(|view| view.property(name)).is_some_and(|view| !view.read_only());
    let sets_itself =
        |name: &str| view.as_ref().and_then(|view| view.property(name)).is_some_and(|view| view.read_only());
    members.retain(|name, _| is_asked(name) || !sets_itself(name));
    members
}

/// A body that is a value of any kind, where objects hold it as `value`.
fn whole(view: Option<&View<'_>>, call: &Call<'_>) -> Option<Value> {
    let property = view?.property("value")?;
    let body = call.arguments.body.as_ref()?;
    let fits = property.is_anything() || !body.is_object();
    (fits && body.get("value").is_none()).then(|| body.clone())
}

/// A body that is only an envelope around the object (`{"pet": {...}}`).
fn unwrapped(view: Option<&View<'_>>, collection: &Collection, members: &Members) -> Option<Members> {
    let (name, value) = members.iter().next().filter(|_| members.len() == 1)?;
    let alike = times::plain(name) == form::singular(&collection.name) && view?.property(name).is_none();
    value.as_object().filter(|_| alike).cloned()
}

/// Names that must be unique are looked at before anything is made.
fn taken(collection: &Collection, place: &SmolStr, members: &Members, store: &Store) -> Result<(), Refused> {
    for member in &collection.ids {
        let Some(value) = members.get(member.as_str()).and_then(text) else { continue };
        if store.find(place, &value).is_some() {
            let (collection, member) = (collection.name.clone(), member.clone());
            return Err(Refused::Exists { collection, member, value: value.to_string() });
        }
    }
    Ok(())
}

fn note_number(collection: &Collection, id: &str, store: &mut Store) {
    let number = id.parse().ok().filter(|_| id.bytes().all(|byte| byte.is_ascii_digit()));
    if let Some(number) = number {
        store.used_number(&collection.template, number);
    }
}

/// What an object is after a call.
fn changed(op: &Op, plan: &Plan, collection: &Collection, call: &Call<'_>, old: Members) -> Result<Members, Refused> {
    if let Some((member, value)) = &plan.sets {
        let mut members = old;
        members.insert(member.to_string(), value.clone());
        return Ok(members);
    }
    if let Some(steps) = call.arguments.body.as_ref().and_then(patch::steps).filter(|_| plan.kind == Kind::Update) {
        return patch::walk(&old, steps).ok_or_else(|| Refused::Invalid(vec![no_step()]));
    }
    let mut sent = given(op, collection, call);
    if let Some(id) = collection.ids.first() {
        sent.shift_remove(id.as_str());
    }
    if plan.kind == Kind::Replace {
        return Ok(replaced(collection, old, sent));
    }
    let mut members = old;
    patch::merge(&mut members, sent);
    Ok(members)
}

/// What the service set itself stays when the rest is replaced.
fn replaced(collection: &Collection, old: Members, mut sent: Members) -> Members {
    let view = collection.item.as_ref().map(Form::item);
    let stays = |name: &str| {
        let property = view.as_ref().and_then(|view| view.property(name));
        let own = property.is_some_and(|view| view.read_only() || times::role(name, &view).is_some());
        own || collection.ids.iter().any(|id| id == name)
    };
    for (name, value) in old {
        if stays(&name) && !sent.contains_key(&name) {
            sent.insert(name, value);
        }
    }
    sent
}

fn no_step() -> Violation {
    let what = "a step of the patch cannot be done".to_owned();
    Violation { part: Part::Body, at: String::new(), rule: Rule::Syntax, member: SmolStr::default(), what }
}

/// Times of the last change follow the change.
fn touch(collection: &Collection, call: &Call<'_>, members: &mut Members) {
    let Some(view) = collection.item.as_ref().map(Form::item) else { return };
    for (name, schemas) in view.properties() {
        let property = View::all(view.document, schemas);
        let timely = !property.is(Type::Object) && times::role(name, &property) == Some(Role::Updated);
        if let Some(now) = times::made(call.now, name, &property).filter(|_| timely) {
            members.insert(name.to_string(), now);
        }
    }
}
