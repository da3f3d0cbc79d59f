//! Values that fit a schema: what was given, with what is missing made up.

use dtu_kernel::time::Timestamp;
use serde_json::{Map, Value};

use super::{
    fits::fits,
    pattern::Patterns,
    source::Source,
    times,
    view::{Choice, Extra, View},
};
use crate::schema::{Looks, Schema, Type};

/// Objects inside objects are made up this deep. What must go deeper ends in something empty: a schema that requires
/// itself has no value at all.
const DEPTH_MAX: usize = 12;
/// Members that nobody requires are sent this deep.
const SENT_MAX: usize = 3;
/// Alternatives are tried out this deep; below, the first is taken.
const CHOICES_MAX: usize = 4;

/// What made-up values depend on besides their schema.
#[derive(Clone, Debug)]
pub(super) struct Maker<'a> {
    pub(super) now: Timestamp,
    /// `http://host:port`.
    pub(super) origin: &'a str,
    /// The address of the object itself, where it has one.
    pub(super) link: Option<String>,
    /// The member by which the object is known.
    pub(super) id: Option<&'a str>,
    /// Whether the value is sent rather than answered: with all members that a caller may set.
    pub(super) sent: bool,
    /// Whether members that nobody requires are made all the same.
    pub(super) whole: bool,
    pub(super) patterns: &'a Patterns,
}

/// Where in a value.
#[derive(Clone, Copy, Debug)]
struct At {
    depth: usize,
    choices: usize,
    /// Whether this is the object itself: it shows id, times, links and status though nobody required them.
    top: bool,
}

impl At {
    const fn inside(self) -> Self {
        Self { depth: self.depth + 1, choices: self.choices, top: false }
    }
}

impl Maker<'_> {
    /// A value that fits, with all of `given` that fits. None only where no value was found.
    pub(super) fn complete(&self, view: &View<'_>, given: Option<&Value>, source: Source) -> Option<Value> {
        self.value("", view, given, source, At { depth: 0, choices: 0, top: true })
    }

    /// The same for something that is no object of its own, such as the envelope of a list.
    pub(super) fn envelope(&self, view: &View<'_>, given: Option<&Value>, source: Source) -> Option<Value> {
        self.value("", view, given, source, At { depth: 0, choices: 0, top: false })
    }

    fn value(&self, name: &str, view: &View<'_>, given: Option<&Value>, source: Source, at: At) -> Option<Value> {
        if at.depth > DEPTH_MAX {
            return Some(empty(view));
        }
        match given {
            Some(Value::Null) if fits(self.patterns, view, &Value::Null) => return Some(Value::Null),
            Some(Value::Null) => return self.value(name, view, None, source, at),
            _ => {}
        }
        if let Some(choice) = view.choice() {
            return self.chosen(name, view, choice, given, source, at);
        }
        self.plain(name, view, given, source, at)
    }

    fn plain(&self, name: &str, view: &View<'_>, given: Option<&Value>, source: Source, at: At) -> Option<Value> {
        let objects = view.types().contains(&Type::Object) || view.is_anything();
        match given {
            Some(Value::Object(members)) if objects => return Some(self.object(view, Some(members), source, at)),
            Some(Value::Array(items)) if view.types().contains(&Type::Array) => {
                return Some(self.list(name, view, items, source, at));
            }
            Some(value) if fits(self.patterns, view, value) => return Some(whole(view, value)),
            Some(value) => {
                let other = other_writing(value).filter(|value| fits(self.patterns, view, value));
                if other.is_some() {
                    return other;
                }
            }
            None => {}
        }
        self.made(name, view, source, at)
    }

    /// A value out of nothing.
    fn made(&self, name: &str, view: &View<'_>, source: Source, at: At) -> Option<Value> {
        if let Some(value) = self.listed(name, view) {
            return Some(value);
        }
        // Nothing is better than nonsense.
        if view.nullable() && at.depth > 0 && times::role(name, view).is_none() && !view.is_anything() {
            return Some(Value::Null);
        }
        match view.types().first() {
            Some(Type::Object) => Some(self.object(view, None, source, at)),
            Some(Type::Array) => Some(self.list(name, view, &[], source, at)),
            Some(Type::Boolean) => Some(Value::Bool(false)),
            Some(Type::Integer) => times::made(self.now, name, view).or_else(|| number(view, true)),
            Some(Type::Number) => times::made(self.now, name, view).or_else(|| number(view, false)),
            Some(Type::String) if is_id(name) => self.id_text(name, view, source).map(Value::String),
            Some(Type::String) => self.text(name, view, source).map(Value::String),
            None if view.is_anything() => Some(Value::Object(Map::new())),
            None => None,
        }
    }

    /// The default, or one of the values that there are.
    fn listed(&self, name: &str, view: &View<'_>) -> Option<Value> {
        let default = view.default().filter(|value| !value.is_null() && fits(self.patterns, view, value));
        if let Some(value) = default {
            return Some(value.clone());
        }
        let values = view.values()?;
        let usable = || values.iter().filter(|value| fits(self.patterns, view, value));
        let active = usable().find(|value| is_status(name) && means_active(value));
        active.or_else(|| usable().find(|value| !value.is_null())).or_else(|| usable().next()).map(|v| (*v).clone())
    }

    fn object(&self, view: &View<'_>, given: Option<&Map<String, Value>>, source: Source, at: At) -> Value {
        let named = discriminated(view, given);
        let view = named.as_ref().unwrap_or(view);
        if let Some(choice) = view.choice() {
            let given = given.cloned().map(Value::Object);
            let value = self.chosen("", view, choice, given.as_ref(), source, at);
            return value.unwrap_or_else(|| Value::Object(Map::new()));
        }
        let mut members = Map::new();
        for (name, schemas) in view.properties() {
            let property = View::all(view.document, schemas);
            let given = given.and_then(|given| given.get(name.as_str()));
            if let Some(value) = self.property(view, name, &property, given, source, at) {
                members.insert(name.to_string(), value);
            }
        }
        self.extra(view, given, source, at, &mut members);
        // The member that names a schema may itself have been made up.
        match discriminated(view, Some(&members)) {
            Some(more) => self.object(&more, Some(&members), source, at),
            None => Value::Object(members),
        }
    }

    /// One named member; none where it is better absent.
    fn property(
        &self,
        view: &View<'_>,
        name: &str,
        property: &View<'_>,
        given: Option<&Value>,
        source: Source,
        at: At,
    ) -> Option<Value> {
        if if self.sent { property.read_only() } else { property.write_only() } {
            return None;
        }
        let required = view.requires(name);
        let noteworthy = at.top && self.is_noteworthy(name, property);
        let given = given.filter(|value| !value.is_null() || fits(self.patterns, property, value));
        let sent = (self.sent || self.whole) && at.depth < SENT_MAX;
        if given.is_none() && !required && !noteworthy && !sent {
            return None;
        }
        if given.is_none() && at.top && name == "_links" {
            return self.links(property, source, at);
        }
        let value = self.value(name, property, given, source.child(name), at.inside())?;
        // What must not be there cannot hurt; what does not fit can.
        (required || fits(self.patterns, property, &value)).then_some(value)
    }

    /// Members that the object shows though nobody required them.
    fn is_noteworthy(&self, name: &str, view: &View<'_>) -> bool {
        let id = self.id == Some(name) || name == "id" && view.is_scalar();
        let fixed = view.values().is_some_and(|values| values.len() == 1) || name == "kind" && view.default().is_some();
        let linked = view.links(name) || name == "_links" && view.property("self").is_some();
        let status = is_status(name) && view.values().is_some_and(|values| !values.is_empty());
        id || times::role(name, view).is_some() || status || self.link.is_some() && linked || fixed && view.is_scalar()
    }

    /// `{"self": {"href": ...}}`
    fn links(&self, view: &View<'_>, source: Source, at: At) -> Option<Value> {
        let link = Value::String(self.link.clone()?);
        let target = Value::Object(Map::from_iter([("href".to_owned(), link)]));
        let given = Value::Object(Map::from_iter([("self".to_owned(), target)]));
        let value = self.value("_links", view, Some(&given), source.child("_links"), at.inside())?;
        fits(self.patterns, view, &value).then_some(value)
    }

    /// Members without a schema of their own: those given are shown where the document speaks of them, those required
    /// are made.
    fn extra(
        &self,
        view: &View<'_>,
        given: Option<&Map<String, Value>>,
        source: Source,
        at: At,
        members: &mut Map<String, Value>,
    ) {
        let named = |name: &str| view.property(name).is_some();
        let shown = given.into_iter().flatten().filter(|(name, _)| !named(name));
        match view.additional() {
            Extra::No | Extra::Unsaid => {}
            Extra::Any => members.extend(shown.map(|(name, value)| (name.clone(), value.clone()))),
            Extra::Of(schema) => {
                let view = View::of(view.document, schema);
                members.extend(shown.filter_map(|(name, value)| {
                    let value = self.value(name, &view, Some(value), source.child(name), at.inside())?;
                    Some((name.clone(), value))
                }));
            }
        }
        for name in view.required().filter(|name| !named(name)) {
            if !members.contains_key(name.as_str()) {
                members.insert(name.to_string(), self.unnamed(view, name, source, at));
            }
        }
        self.fill(view, source, at, members);
    }

    fn unnamed(&self, view: &View<'_>, name: &str, source: Source, at: At) -> Value {
        let made = match view.additional() {
            Extra::Of(schema) => {
                let view = View::of(view.document, schema);
                self.value(name, &view, None, source.child(name), at.inside())
            }
            _ => None,
        };
        made.unwrap_or_else(|| Value::String(name.to_owned()))
    }

    /// Members until there are as many as there must be.
    fn fill(&self, view: &View<'_>, source: Source, at: At, members: &mut Map<String, Value>) {
        if members.len() >= view.min_properties() {
            return;
        }
        for (name, schemas) in view.properties() {
            let property = View::all(view.document, schemas);
            if members.len() >= view.min_properties() || property.write_only() || members.contains_key(name.as_str()) {
                continue;
            }
            if let Some(value) = self.value(name, &property, None, source.child(name), at.inside()) {
                members.insert(name.to_string(), value);
            }
        }
        for count in 0..view.min_properties().saturating_sub(members.len()) {
            let name = format!("member{count}");
            let value = self.unnamed(view, &name, source, at);
            members.entry(name).or_insert(value);
        }
    }

    fn list(&self, name: &str, view: &View<'_>, given: &[Value], source: Source, at: At) -> Value {
        let each = view.items();
        let item = |index: usize, given: Option<&Value>| {
            let source = source.child(&index.to_string());
            match &each {
                Some(each) => self.value(name, each, given, source, at.inside()),
                None => Some(given.cloned().unwrap_or_else(|| Value::String(source.clone().text(b"abcdef", 8)))),
            }
        };
        let kept = given.iter().take(view.max_items()).enumerate();
        let mut items: Vec<_> = kept.filter_map(|(index, value)| item(index, Some(value))).collect();
        let distinct = view.unique_items();
        let mut index = items.len();
        let least = view.min_items().max(usize::from(self.whole)).min(view.max_items());
        while items.len() < least && index < least + 64 {
            match item(index, None) {
                Some(value) if !distinct || !items.contains(&value) => items.push(value),
                _ => items.extend(each.as_ref().and_then(|each| another(each, &items))),
            }
            index += 1;
        }
        let mut seen: Vec<Value> = Vec::new();
        if distinct {
            items.retain(|value| {
                !seen.contains(value) && {
                    seen.push(value.clone());
                    true
                }
            });
        }
        Value::Array(items)
    }

    /// The first alternative that holds: the one that a member names, then those that what was given follows as it
    /// is, then the others.
    fn chosen(
        &self,
        name: &str,
        view: &View<'_>,
        choice: Choice<'_>,
        given: Option<&Value>,
        source: Source,
        at: At,
    ) -> Option<Value> {
        let ordered = self.ordered(view, choice, given);
        let deeper = At { choices: at.choices + 1, ..at };
        let mut first = None;
        for whole in [self.whole, true] {
            let maker = Maker { whole, ..self.clone() };
            for branch in &ordered {
                let taken = view.taking(branch);
                let given = tagged(view, choice, branch, given);
                let value = maker.value(name, &taken, given.as_ref(), source, deeper);
                let Some(value) = value else { continue };
                if at.choices >= CHOICES_MAX || fits(self.patterns, view, &value) {
                    return Some(value);
                }
                first.get_or_insert(value);
            }
            // Alternatives that all take the little that must be there are told apart by what may be there.
            if self.whole || !choice.just_one || at.choices > 0 {
                break;
            }
        }
        first
    }

    fn ordered<'v>(&self, view: &View<'v>, choice: Choice<'v>, given: Option<&Value>) -> Vec<&'v Schema> {
        let named = choice.discriminator.and_then(|discriminator| {
            let value = given?.get(discriminator.property.as_str())?.as_str()?;
            let name = discriminator.mapping.get(value).map_or(value, |name| name.as_str());
            choice.branches.iter().find(|branch| branch.reference.as_deref() == Some(name))
        });
        let follows =
            |branch: &&Schema| given.is_some_and(|given| fits(self.patterns, &View::of(view.document, branch), given));
        let (mut ordered, others): (Vec<_>, Vec<_>) = choice.branches.iter().partition(follows);
        ordered.extend(others);
        ordered.splice(0..0, named);
        ordered
    }
}

/// The schema that the object's own member names, beside no alternatives.
fn discriminated<'v>(view: &View<'v>, given: Option<&Map<String, Value>>) -> Option<View<'v>> {
    let discriminator = view.discriminator()?;
    let value = given?.get(discriminator.property.as_str())?.as_str()?;
    let schema = view.document.schemas.get(discriminator.mapping.get(value)?)?.get();
    let known = view.parts().iter().any(|part| std::ptr::eq(*part, schema));
    let more = View::all(view.document, view.parts().iter().copied().chain([schema]));
    (!known).then_some(more)
}

/// What was given, with the member that names an alternative saying which was taken.
fn tagged(view: &View<'_>, choice: Choice<'_>, branch: &Schema, given: Option<&Value>) -> Option<Value> {
    let Some(discriminator) = choice.discriminator else { return given.cloned() };
    let property = discriminator.property.as_str();
    let is_object = given.is_none_or(Value::is_object);
    let said = given.is_some_and(|given| given.get(property).is_some());
    let Some(name) = branch.reference.as_ref().filter(|_| is_object && !said) else { return given.cloned() };
    let mapped = discriminator.mapping.iter().find(|(_, schema)| *schema == name).map(|(value, _)| value);
    // Some documents name the member and yet list other values for it.
    let known = View::of(view.document, branch).property(property).is_some();
    let Some(value) = mapped.or(Some(name)).filter(|_| known) else { return given.cloned() };
    let mut members = given.and_then(Value::as_object).cloned().unwrap_or_default();
    members.insert(property.to_owned(), Value::String(value.to_string()));
    Some(Value::Object(members))
}

/// Another of an enum's values.
fn another(view: &View<'_>, taken: &[Value]) -> Option<Value> {
    view.values()?.into_iter().find(|value| !taken.contains(value)).cloned()
}

/// Something that ends what would go on for ever.
fn empty(view: &View<'_>) -> Value {
    if view.nullable() {
        return Value::Null;
    }
    match view.types().first() {
        Some(Type::Array) => Value::Array(Vec::new()),
        Some(Type::String) => Value::String(String::new()),
        Some(Type::Boolean) => Value::Bool(false),
        Some(Type::Integer | Type::Number) => Value::from(0),
        Some(Type::Object) | None => Value::Object(Map::new()),
    }
}

/// A whole number as one: `7.0` is an integer, yet not all readers of JSON take it for one.
fn whole(view: &View<'_>, value: &Value) -> Value {
    let number = value.as_f64().filter(|_| view.is(Type::Integer) && value.is_f64());
    #[expect(clippy::cast_possible_truncation, reason = "numbers beyond the least and the greatest become these")]
    number.map_or_else(|| value.clone(), |number| Value::from(number as i64))
}

/// The smallest number that there may be, and zero where nothing is said.
fn number(view: &View<'_>, whole: bool) -> Option<Value> {
    let most = |list: &mut dyn Iterator<Item = f64>| list.reduce(f64::max);
    let low = most(&mut view.number(|part| part.minimum.as_ref()));
    let step = if whole { 1.0 } else { 0.5 };
    let above = most(&mut view.number(|part| part.exclusive_minimum.as_ref()))
        .map(|low| (low + step).floor().max(low + step / 2.0));
    let high = view.number(|part| part.maximum.as_ref()).reduce(f64::min);
    let below = view.number(|part| part.exclusive_maximum.as_ref()).reduce(f64::min).map(|high| high - step);
    let least = low.into_iter().chain(above).reduce(f64::max);
    let largest = high.into_iter().chain(below).reduce(f64::min);
    let wanted = least.unwrap_or_else(|| largest.map_or(0.0, |high| high.min(0.0)));
    let wanted = if whole { wanted.ceil() } else { wanted };
    let unit = view.number(|part| part.multiple_of.as_ref()).next();
    let wanted = unit.map_or(wanted, |unit| (wanted / unit).ceil() * unit);
    if wanted.fract().abs() < f64::EPSILON && wanted.abs() < 9e15 {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        return Some(Value::from(wanted as i64));
    }
    serde_json::Number::from_f64(wanted).map(Value::Number)
}

fn is_id(name: &str) -> bool {
    name == "id" || name.ends_with("Id") || name.ends_with("_id")
}

/// Whether a member says how an object is.
pub(super) fn is_status(name: &str) -> bool {
    matches!(name, "status" | "state" | "lifecycleState" | "lifecycle_state")
}

fn means_active(value: &Value) -> bool {
    let meaning = value.as_str().map(times::plain);
    meaning
        .is_some_and(|text| matches!(text.as_str(), "active" | "enabled" | "open" | "available" | "live" | "current"))
}

/// Whether an id of this shape counts up rather than being drawn, and from where.
pub(super) fn counts_from(view: &View<'_>) -> Option<u64> {
    match (view.types().first()?, view.looks()) {
        (Type::Integer | Type::Number, _) => Some(1),
        (Type::String, Some(Looks::Id { prefix, alphabet: crate::schema::Alphabet::Digits, length })) => {
            let digits = u32::from(*length).saturating_sub(u32::try_from(prefix.len()).unwrap_or(0));
            prefix.is_empty().then(|| 10_u64.checked_pow(digits.saturating_sub(1)).unwrap_or(1))
        }
        (Type::String, None) if matches!(view.format(), Some("int64" | "uint64" | "int32")) => Some(1),
        _ => None,
    }
}

/// A whole number written as text, or the text of one: documents write one id now so, now so.
fn other_writing(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => text.parse::<i64>().ok().map(Value::from),
        Value::Number(number) => Some(Value::from(number.to_string())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::{Document, Kind};

    /// What is made of a schema, with a schema `Knot` beside it.
    fn made(schema: &Value, given: Option<&Value>) -> Value {
        let parse = |value: &Value| serde_json::from_value::<Schema>(value.clone()).expect("is a schema");
        let knot = json!({"type": ["object"], "required": ["next"], "properties": {"next": {"$ref": "Knot"}}});
        let document = Document {
            name: "test".into(),
            kind: Kind::OpenApi30,
            version: "1".into(),
            security: indexmap::IndexMap::new(),
            operations: Vec::new(),
            schemas: [("Knot".into(), parse(&knot).into())].into(),
        };
        let maker = Maker {
            now: Timestamp::from_secs(1_772_442_000),
            origin: "http://h",
            link: Some("http://h/a/1".to_owned()),
            id: None,
            sent: false,
            whole: false,
            patterns: &Patterns::default(),
        };
        let schema = parse(schema);
        let view = View::of(&document, &schema);
        let value = maker.complete(&view, given, Source::new(1)).expect("there is a value");
        let circular = schema.reference.is_some();
        assert!(circular || fits(maker.patterns, &view, &value), "{value} does not fit");
        value
    }

    #[test]
    fn values_follow_from_schemas() {
        let check = |schema: Value, expected: Value| assert_eq!(made(&schema, None), expected, "{schema}");
        check(json!({"type": ["integer"], "minimum": 3}), json!(3));
        check(json!({"type": ["integer"], "exclusiveMinimum": 3, "multipleOf": 5}), json!(5));
        check(json!({"type": ["number"], "maximum": -2}), json!(-2));
        check(json!({"type": ["boolean"], "default": true}), json!(true));
        check(json!({"type": ["string"], "enum": ["A", "B"]}), json!("A"));
        check(json!({"type": ["string"], "format": "date-time"}), json!("2026-03-02T09:00:00.000Z"));
        check(json!({"type": ["string"], "looks": {"kind": "time", "pattern": "%Y/%m"}}), json!("2026/03"));
        check(json!({"type": ["array"], "items": {"type": ["integer"]}, "minItems": 2}), json!([0, 0]));
        check(
            json!({"type": ["array"], "items": {"enum": ["A", "B"]}, "minItems": 2, "uniqueItems": true}),
            json!(["A", "B"]),
        );
        check(
            json!({"type": ["object"], "properties": {"a": {}, "status": {"enum": ["OFF", "ACTIVE"]}}}),
            json!({"status": "ACTIVE"}),
        );
        check(
            json!({"type": ["object"], "required": ["n"], "properties": {"n": {"type": ["string"], "nullable": true}}}),
            json!({"n": null}),
        );
        check(
            json!({"type": ["object"], "properties": {"self": {"type": ["string"]}}}),
            json!({"self": "http://h/a/1"}),
        );
        check(json!({"oneOf": [{"type": ["integer"]}, {"type": ["string"]}]}), json!(0));
        let knot = made(&json!({"$ref": "Knot"}), None).to_string();
        assert!(knot.len() < 500, "it ends: {knot}");
    }

    #[test]
    fn what_was_given_is_kept_where_it_fits() {
        let named = json!({"type": ["object"], "required": ["a"], "properties": {
            "a": {"type": ["integer"]}, "b": {"type": ["string"], "writeOnly": true}, "c": {"type": ["string"], "enum": ["X"]},
        }});
        let branches = json!({"oneOf": [
            {"type": ["object"], "required": ["x"], "properties": {"x": {"type": ["integer"]}}, "additionalProperties": false},
            {"type": ["object"], "required": ["y"], "properties": {"y": {"type": ["integer"]}}, "additionalProperties": false},
        ]});
        let check = |schema: &Value, given: Value, expected: Value| {
            assert_eq!(made(schema, Some(&given)), expected, "{given}");
        };
        check(&named, json!({"a": 7, "b": "s", "c": "X", "d": 1}), json!({"a": 7, "c": "X"}));
        check(&named, json!({"a": "text", "c": "Y"}), json!({"a": 0, "c": "X"}));
        check(&named, json!({"a": null}), json!({"a": 0, "c": "X"}));
        check(&branches, json!({"y": 4}), json!({"y": 4}));
        check(
            &json!({"type": ["object"], "additionalProperties": {"type": ["integer"]}}),
            json!({"k": 1}),
            json!({"k": 1}),
        );
        check(&json!({"type": ["array"], "items": {"type": ["integer"]}, "maxItems": 1}), json!([3, 4]), json!([3]));
    }
}
