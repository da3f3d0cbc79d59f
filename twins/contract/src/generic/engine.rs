//! The face of the generic twin.

use std::sync::OnceLock;

use dtu_kernel::{seed::Site, tx::Tx};
use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::{
    answer::{Pen, Shown},
    call::{Body, Call, Made, Neighbour},
    collection::{Collection, Fill},
    customs::Subject,
    form,
    make::Maker,
    pattern::Patterns,
    plan::{Kind, Level, Plan},
    planner,
    refusal::Refused,
    source::Source,
    store::{Store, encoded, escaped},
    tree::{Segment, Tree, template},
    view::View,
};
use crate::{contract::Contract, schema::Type};

/// Serves the operations of one contract from their facts alone.
#[derive(Debug)]
pub struct Engine {
    contract: &'static Contract,
    pub(super) service: &'static str,
    tree: OnceLock<(Tree, Vec<OnceLock<Plan>>)>,
    pub(super) patterns: Patterns,
}

/// An object that a call speaks of.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) place: SmolStr,
    pub(super) id: SmolStr,
    /// What is known of it; none where it is there and yet nothing was ever remembered of it.
    pub(super) members: Option<Map<String, Value>>,
}

impl Engine {
    /// An engine that has looked at nothing yet.
    pub fn new(contract: &'static Contract, service: &'static str) -> Self {
        Self { contract, service, tree: OnceLock::new(), patterns: Patterns::default() }
    }

    fn all(&self) -> &(Tree, Vec<OnceLock<Plan>>) {
        self.tree.get_or_init(|| {
            let tree = Tree::new(self.contract);
            let plans = tree.ops.iter().map(|_| OnceLock::new()).collect();
            (tree, plans)
        })
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.all().0
    }

    /// How much of an operation the engine does, the `operation`th of the contract. Reads schemas.
    pub fn level(&self, operation: usize) -> Level {
        self.plan(operation).level
    }

    /// Whether an operation may change something. Reads no schema.
    pub fn writes(&self, operation: usize) -> bool {
        planner::writes(self.tree(), operation)
    }

    /// What an operation is understood as.
    pub fn plan(&self, operation: usize) -> &Plan {
        let (tree, plans) = self.all();
        plans[operation].get_or_init(|| planner::plan(tree, operation))
    }

    /// Answers a call that changes nothing.
    ///
    /// # Errors
    /// Why the service refuses.
    pub fn look(&self, operation: usize, call: &Call<'_>, store: &Store) -> Result<Made, Refused> {
        let plan = self.plan(operation);
        let op = self.tree().op(operation);
        let success = form::success(&op);
        let Some(collection) = plan.collection.as_ref().filter(|_| plan.kind != Kind::Shape) else {
            if let Some(above) = &plan.collection {
                Self::place(above, call, store)?;
            }
            let mut given = call.members(false);
            given.extend(call.arguments.path.iter().map(|(name, value)| (name.to_string(), value.clone())));
            return Ok(self.pen(operation, call, call.path, call.query).shape(&success, &given));
        };
        match plan.kind {
            Kind::List | Kind::Search => self.list(operation, plan.kind, collection, call, store),
            Kind::Get => {
                let found = Self::locate(plan, collection, call, store)?;
                let members = self.known(operation, collection, call, &found);
                let pen = self.pen(operation, call, &found.place, &found.id);
                let link = Some(link(call, collection, &found.place, &found.id)).filter(|_| !collection.rpc);
                let shown = Shown { members: &members, link, id: collection.ids.first().map(SmolStr::as_str) };
                let made = pen.object(&success, &collection.name, &shown);
                Ok(dressed(made, &subject(collection, call, &found.place, &found.id), call, &members))
            }
            _ => {
                let (place, name) = Self::one_place(collection, call, store)?;
                let known = store.find(&place, &name).map(|(_, object)| object.members.clone());
                let pen = self.pen(operation, call, &place, &name);
                let link = Some(address(call, &place, &name));
                let known = known.unwrap_or_default();
                let made = pen.object(&success, "", &Shown { members: &known, link, id: None });
                let place = format!("{place}/{name}");
                Ok(dressed(made, &subject(collection, call, &place, ""), call, &known))
            }
        }
    }

    /// Answers a call that may change something.
    ///
    /// # Errors
    /// Why the service refuses; then nothing was changed.
    pub fn act(&self, operation: usize, call: &Call<'_>, store: &mut Store, tx: &mut Tx<'_>) -> Result<Made, Refused> {
        let plan = self.plan(operation);
        let Some(collection) = plan.collection.as_ref() else { return self.look(operation, call, store) };
        match plan.kind {
            kind if kind.reads() => self.look(operation, call, store),
            Kind::Create => self.create(operation, collection, call, store, tx),
            Kind::Replace | Kind::Update | Kind::Change => self.write(operation, plan, collection, call, store, tx),
            Kind::Delete => self.delete(operation, plan, collection, call, store, tx),
            Kind::Clear => {
                let place = Self::place(collection, call, store)?;
                store.clear(&mut tx.changes, &place);
                Ok(self.pen(operation, call, &place, "").shape(&self.success(operation, None), &Map::new()))
            }
            _ => self.write_one(operation, plan.kind, collection, call, store, tx),
        }
    }

    /// A body that an operation takes, with all members that a caller may set; none where it takes no JSON object.
    pub fn sample(&self, operation: usize, call: &Call<'_>) -> Option<Value> {
        let op = self.tree().op(operation);
        let (media_type, _) = form::json(&op.operation.facts.get().request.as_ref()?.content)?;
        let view = form::request(&op).filter(|_| form::is_json(media_type))?;
        let pen = self.pen(operation, call, "sample", &op.operation.id);
        let maker = Maker { sent: true, ..pen.maker(None, None) };
        maker.envelope(&view, None, pen.source).filter(Value::is_object)
    }

    /// What made-up values of an answer follow from: the service, the operation's document and the object.
    pub(super) fn pen<'a>(&'a self, operation: usize, call: &'a Call<'a>, place: &str, id: &str) -> Pen<'a> {
        let source = Source::of(&[self.service, place, id]);
        Pen { op: self.tree().op(operation), call, patterns: &self.patterns, source }
    }

    /// The answer of success, with this status where the document has it.
    pub(super) fn success(&self, operation: usize, status: Option<u16>) -> form::Success {
        form::success_as(&self.tree().op(operation), status)
    }

    /// Numbers drawn once for a new object of a collection.
    pub(super) fn drawn(&self, collection: &Collection, tx: &mut Tx<'_>) -> Source {
        let site = Site::named(self.service).child("generic").child(&collection.normal);
        Source::new(tx.draw(site).bits())
    }

    /// The path of a collection with its parents' ids filled in. Parents must be there.
    pub(super) fn place(collection: &Collection, call: &Call<'_>, store: &Store) -> Result<SmolStr, Refused> {
        let mut place = String::new();
        for (at, part) in collection.segments.iter().enumerate() {
            let piece = match part {
                Segment::Literal(text) => text.clone(),
                Segment::Param(name) if collection.rpc => match call.argument_text(name) {
                    Some(id) => parent_by_name(name, id, call)?,
                    None => continue,
                },
                Segment::Param(name) => {
                    let id = call.arguments.path.get(name).and_then(super::call::text).unwrap_or_default();
                    let above = &collection.segments[..at];
                    parent(above, &place.as_str().into(), id, collection.strict[at], call, store)?
                }
            };
            place.push('/');
            place.push_str(&if matches!(part, Segment::Param(_)) { escaped(&piece) } else { piece });
        }
        Ok(place.into())
    }

    /// Where the one object of a path is kept: above its last part, under the name of that.
    pub(super) fn one_place(one: &Collection, call: &Call<'_>, store: &Store) -> Result<(SmolStr, SmolStr), Refused> {
        let place = Self::place(one, call, store)?;
        let (above, name) = place.rsplit_once('/').unwrap_or(("", &place));
        Ok((above.into(), name.into()))
    }

    /// The object that a call speaks of.
    pub(super) fn locate(
        plan: &Plan,
        collection: &Collection,
        call: &Call<'_>,
        store: &Store,
    ) -> Result<Found, Refused> {
        let place = Self::place(collection, call, store)?;
        let sent = plan.key.as_deref().and_then(|name| call.argument_text(name)).unwrap_or_default();
        let missing = || Refused::NotFound { collection: collection.name.clone(), id: sent.clone() };
        let elsewhere = call.neighbours.find(&collection.template, &sent);
        let id = match &elsewhere {
            Some(Neighbour::Missing) => return Err(missing()),
            Some(Neighbour::Is(id)) => id.clone(),
            None => sent.clone(),
        };
        if let Some((id, object)) = store.find(&place, &id) {
            return Ok(Found { members: Some(object.members.clone()), place, id });
        }
        // What the service has by itself is there, until a world says what there is.
        let open = matches!(collection.fill, Fill::Open { .. }) && !store.is_seeded(&place);
        if open || elsewhere.is_some() {
            return Ok(Found { place, id, members: None });
        }
        Err(missing())
    }

    /// What is known of an object: at least its id.
    pub(super) fn known(
        &self,
        operation: usize,
        collection: &Collection,
        call: &Call<'_>,
        found: &Found,
    ) -> Map<String, Value> {
        if let Some(members) = &found.members {
            return members.clone();
        }
        let mut members = Map::new();
        let view = collection.item.as_ref().map(form::Form::item);
        if let Some(name) = collection.ids.first() {
            let view = view.as_ref().and_then(|view| view.property(name));
            members.insert(name.to_string(), id_value(view.as_ref(), &found.id));
        }
        let link = link(call, collection, &found.place, &found.id);
        self.enrich(
            operation,
            collection,
            call,
            Some(link),
            &mut members,
            Source::of(&[self.service, &found.place, &found.id]),
        );
        members
    }

    /// Adds what a whole object has besides what is known of it.
    pub(super) fn enrich(
        &self,
        operation: usize,
        collection: &Collection,
        call: &Call<'_>,
        link: Option<String>,
        members: &mut Map<String, Value>,
        source: Source,
    ) {
        let Some(form) = &collection.item else { return };
        let pen = Pen { source, ..self.pen(operation, call, "", "") };
        let link = link.filter(|_| !collection.rpc);
        let shown = Shown { members, link, id: collection.ids.first().map(SmolStr::as_str) };
        if let Some(Value::Object(whole)) = pen.one(form, &shown) {
            super::patch::overlay(members, whole);
        }
    }
}

/// An object as customs see it.
pub(super) fn subject<'a>(collection: &'a Collection, call: &Call<'a>, place: &'a str, id: &'a str) -> Subject<'a> {
    Subject { collection: &collection.normal, place, id, now: call.now, origin: call.origin }
}

/// An answer with one object, as the service's customs show it.
pub(super) fn dressed(mut made: Made, subject: &Subject<'_>, call: &Call<'_>, known: &Map<String, Value>) -> Made {
    if let Some(Body::Json(Value::Object(shown))) = &mut made.body {
        call.customs.dress(subject, known, shown);
    }
    made
}

/// The address of an object.
pub(super) fn link(call: &Call<'_>, collection: &Collection, place: &str, id: &str) -> String {
    debug_assert!(!place.is_empty() || collection.segments.is_empty(), "places are paths");
    address(call, place, id)
}

/// The address of what is known at a place by a name.
pub(super) fn address(call: &Call<'_>, place: &str, name: &str) -> String {
    format!("{}{}/{}", call.origin, encoded(place), encoded(&escaped(name)))
}

/// An id as its member holds it: a number where the schema wants one.
pub(super) fn id_value(view: Option<&View<'_>>, id: &str) -> Value {
    let number = view.is_some_and(|view| view.is(Type::Integer) || view.is(Type::Number));
    id.parse::<i64>().ok().filter(|_| number).map_or_else(|| Value::from(id), Value::from)
}

/// The id of a parent, which must be there: in a collection that can be filled, or where somebody else knows it.
/// A parent that no operation makes, no world gives and nobody knows is taken as it is; what is below it would be out
/// of reach otherwise.
fn parent(
    above: &[Segment],
    place: &SmolStr,
    id: SmolStr,
    strict: bool,
    call: &Call<'_>,
    store: &Store,
) -> Result<SmolStr, Refused> {
    let name = match above.last() {
        Some(Segment::Literal(name)) => name.clone(),
        _ => SmolStr::default(),
    };
    let missing = |id| Err(Refused::NotFound { collection: name, id });
    match call.neighbours.find(&template(above), &id) {
        Some(Neighbour::Is(id)) => return Ok(id),
        Some(Neighbour::Missing) => return missing(id),
        None => {}
    }
    match store.find(place, &id) {
        Some((id, _)) => Ok(id),
        None if strict || store.is_seeded(place) => missing(id),
        None => Ok(id),
    }
}

/// The same for services whose paths are no tree: `neighbours` are asked for the argument's name without `_id`.
fn parent_by_name(name: &str, id: SmolStr, call: &Call<'_>) -> Result<SmolStr, Refused> {
    let collection = SmolStr::new(name.strip_suffix("_id").unwrap_or(name));
    match call.neighbours.find(&collection, &id) {
        Some(Neighbour::Is(id)) => Ok(id),
        Some(Neighbour::Missing) => Err(Refused::NotFound { collection, id }),
        None => Ok(id),
    }
}

/// An object's names besides its id.
pub(super) fn aliases(collection: &Collection, members: &Map<String, Value>) -> Vec<SmolStr> {
    let others = collection.ids.iter().skip(1).filter_map(|name| members.get(name.as_str()));
    others.filter_map(super::call::text).collect()
}
