//! One custom attribute of a schema: what may be said of it, and what it allows in profiles.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Schema/.

use serde::Serialize;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::profile::is_email;

/// A custom attribute.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Property {
    /// Its name in profiles.
    pub name: SmolStr,
    /// The number of its name: what profiles and indexes know it by.
    pub number: u32,
    /// What the schema says of it, as it is shown.
    pub facts: Map<String, Value>,
}

/// What is said of an attribute that is made without saying.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// What the person may do with it.
    pub own: &'static str,
    /// Whether it is shown who masters it.
    pub mastered: bool,
}

/// The longest name.
const NAME_MAX: usize = 255;

const TYPES: [&str; 5] = ["string", "boolean", "number", "integer", "array"];

/// What may be said of an attribute, in the order in which it is shown.
const FACTS: [&str; 22] = [
    "title",
    "description",
    "type",
    "items",
    "required",
    "format",
    "pattern",
    "enum",
    "oneOf",
    "default",
    "mutability",
    "scope",
    "unique",
    "union",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "externalName",
    "externalNamespace",
    "permissions",
    "master",
];

const FORMATS: [&str; 10] = [
    "country-code",
    "date-time",
    "email",
    "encrypted",
    "hashed",
    "language-code",
    "locale",
    "ref-id",
    "timezone",
    "uri",
];

/// Whether a name is one that a custom attribute may have.
///
/// # Errors
/// Why not.
pub fn check_name(name: &str) -> Result<(), String> {
    let well_formed = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.len() <= NAME_MAX;
    if well_formed {
        return Ok(());
    }
    // The words are those of terraform reports: github.com/udplabs/zartan/pull/242.
    Err(format!(
        "Invalid property name: {name}. Property name should only have alphanumeric characters and underscores. It \
         should not start with a digit."
    ))
}

impl Property {
    /// A new attribute, or a known one with some facts changed: nulls take away, what is not sent stays.
    ///
    /// # Errors
    /// What is wrong with the facts.
    pub fn read(
        name: &str,
        number: u32,
        before: Option<&Self>,
        sent: &Map<String, Value>,
        defaults: Defaults,
    ) -> Result<Self, String> {
        let mut facts = before.map(|before| before.facts.clone()).unwrap_or_default();
        let unknown = sent.keys().find(|fact| !FACTS.contains(&fact.as_str()));
        if let Some(fact) = unknown {
            return Err(format!("{name}: The property {fact} is not supported"));
        }
        for (fact, value) in sent {
            if value.is_null() || (fact == "required" && value == &json!(false)) {
                facts.shift_remove(fact);
            } else {
                facts.insert(fact.clone(), value.clone());
            }
        }
        let own = json!([{ "principal": "SELF", "action": defaults.own }]);
        for (fact, value) in [("mutability", json!("READ_WRITE")), ("scope", json!("NONE")), ("permissions", own)] {
            facts.entry(fact).or_insert(value);
        }
        if defaults.mastered {
            facts.entry("master").or_insert(json!({ "type": "PROFILE_MASTER" }));
        }
        let ordered = FACTS.iter().filter_map(|fact| Some(((*fact).to_owned(), facts.get(*fact)?.clone()))).collect();
        let found = Self { name: name.into(), number, facts: ordered };
        found.check(before).map_err(|why| format!("{name}: {why}"))?;
        Ok(found)
    }

    fn check(&self, before: Option<&Self>) -> Result<(), String> {
        let text = |fact: &str| match self.facts.get(fact) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(incorrect(fact)),
        };
        if text("title")?.is_none_or(|title| title.trim().is_empty()) {
            return Err("The field title cannot be left blank".to_owned());
        }
        for fact in ["description", "pattern", "externalName", "externalNamespace"] {
            text(fact)?;
        }
        let one_of = |fact: &str, known: &[&str]| match text(fact)? {
            Some(found) if !known.contains(&found) => Err(invalid(fact)),
            _ => Ok(()),
        };
        let kind = text("type")?.ok_or_else(|| "The field type cannot be left blank".to_owned())?;
        one_of("type", &TYPES)?;
        one_of("scope", &["NONE", "SELF"])?;
        one_of("mutability", &["IMMUTABLE", "READ_ONLY", "READ_WRITE", "WRITE_ONLY"])?;
        one_of("format", &FORMATS)?;
        if before.is_some_and(|before| before.kind() != kind) {
            return Err("The type of a property cannot be changed".to_owned());
        }
        self.check_items(kind)?;
        self.check_choices()?;
        self.check_bounds(kind)?;
        self.check_rights()
    }

    /// Arrays say what they are of, nothing else does.
    fn check_items(&self, kind: &str) -> Result<(), String> {
        match (kind, self.facts.get("items")) {
            ("array", Some(Value::Object(items))) => match items.get("type").and_then(Value::as_str) {
                Some("string" | "number" | "integer") => Ok(()),
                _ => Err(invalid("items")),
            },
            ("array", None) => Err("The field items cannot be left blank".to_owned()),
            (_, None) => Ok(()),
            _ => Err(invalid("items")),
        }
    }

    /// A list of allowed values has at least one, each of the attribute's type and titled once.
    fn check_choices(&self) -> Result<(), String> {
        let holder = self.holder();
        let list = |fact: &str| match holder.get(fact) {
            None => Ok(None),
            Some(Value::Array(all)) if !all.is_empty() => Ok(Some(all)),
            Some(_) => Err(invalid(fact)),
        };
        let (allowed, titled) = (list("enum")?, list("oneOf")?);
        let kind = holder.get("type").and_then(Value::as_str).unwrap_or_default();
        if allowed.is_some_and(|all| all.iter().any(|value| !has_type(value, kind) && !value.is_string())) {
            return Err(incorrect("enum"));
        }
        let Some(titled) = titled else { return Ok(()) };
        let constants: Vec<&Value> = titled.iter().filter_map(|one| one.get("const")).collect();
        let fitting = constants.len() == titled.len()
            && titled.iter().all(|one| one.get("title").is_some_and(Value::is_string))
            && allowed.is_none_or(|all| all.len() == constants.len() && all.iter().all(|one| constants.contains(&one)));
        if fitting { Ok(()) } else { Err(invalid("oneOf")) }
    }

    fn check_bounds(&self, kind: &str) -> Result<(), String> {
        let number = |fact: &str| match self.facts.get(fact) {
            None => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or_else(|| incorrect(fact)),
        };
        for (least, most, fitting) in
            [("minLength", "maxLength", kind == "string"), ("minimum", "maximum", matches!(kind, "number" | "integer"))]
        {
            let (low, high) = (number(least)?, number(most)?);
            if !fitting && (low.is_some() || high.is_some()) {
                return Err(invalid(if low.is_some() { least } else { most }));
            }
            if low.zip(high).is_some_and(|(low, high)| low > high)
                || (least == "minLength" && low < Some(0.0) && low.is_some())
            {
                return Err(invalid(least));
            }
        }
        Ok(())
    }

    fn check_rights(&self) -> Result<(), String> {
        check_permissions(self.facts.get("permissions"))?;
        match self.facts.get("master").map(|master| master["type"].as_str().unwrap_or_default()) {
            None | Some("PROFILE_MASTER" | "OKTA" | "OVERRIDE") => {}
            Some(_) => return Err(invalid("master")),
        }
        if self.facts.get("required").is_some_and(|value| !value.is_boolean()) {
            return Err(incorrect("required"));
        }
        // How the values of several groups go together. That it is told by words too is inferred.
        match self.facts.get("union") {
            None | Some(Value::Bool(_)) => {}
            Some(Value::String(text)) if matches!(text.as_str(), "ENABLE" | "DISABLE") => {}
            Some(_) => return Err(incorrect("union")),
        }
        match self.facts.get("unique") {
            None | Some(Value::Bool(_)) => Ok(()),
            Some(Value::String(text)) if matches!(text.as_str(), "UNIQUE_VALIDATED" | "NOT_UNIQUE") => Ok(()),
            Some(_) => Err(invalid("unique")),
        }
    }

    /// Where its values are described: of an array, its items.
    fn holder(&self) -> &Map<String, Value> {
        match self.facts.get("items") {
            Some(Value::Object(items)) => items,
            _ => &self.facts,
        }
    }

    /// Its type.
    pub fn kind(&self) -> &str {
        self.facts.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether its values are compared as numbers.
    pub fn is_number(&self) -> bool {
        matches!(self.holder().get("type").and_then(Value::as_str), Some("number" | "integer"))
    }

    /// Whether each profile must have it.
    pub fn is_required(&self) -> bool {
        self.facts.get("required") == Some(&json!(true))
    }

    /// Whether no two profiles may have the same value.
    pub fn is_unique(&self) -> bool {
        matches!(self.facts.get("unique"), Some(Value::Bool(true)))
            || self.facts.get("unique") == Some(&json!("UNIQUE_VALIDATED"))
    }

    /// Whether a value may stand in a profile. The words are inferred from those of base attributes.
    ///
    /// # Errors
    /// Why not.
    pub fn admit(&self, value: &Value) -> Result<(), &'static str> {
        const KIND: &str = "The field has an incorrect type";
        if let ("array", Some(Value::Object(items))) = (self.kind(), self.facts.get("items")) {
            let kind = items.get("type").and_then(Value::as_str).unwrap_or_default();
            let all = value.as_array().ok_or(KIND)?;
            if all.iter().any(|one| !has_type(one, kind)) {
                return Err(KIND);
            }
            return if all.iter().all(|one| self.chooses(one)) { Ok(()) } else { Err(NOT_ALLOWED) };
        }
        match value {
            value if !has_type(value, self.kind()) => Err(KIND),
            value if !self.chooses(value) => Err(NOT_ALLOWED),
            Value::String(text) => self.admit_text(text),
            value => self.admit_number(value),
        }
    }

    /// Whether a value is one of the allowed ones, where only some are.
    fn chooses(&self, value: &Value) -> bool {
        let holder = self.holder();
        let same = |one: &Value| {
            one == value || one.as_str().is_some_and(|text| !value.is_string() && *text == *value.to_string())
        };
        let listed = holder.get("enum").and_then(Value::as_array).map(|all| all.iter().any(same));
        let titled = || {
            let all = holder.get("oneOf").and_then(Value::as_array)?;
            Some(all.iter().filter_map(|one| one.get("const")).any(same))
        };
        listed.or_else(titled).unwrap_or(true)
    }

    fn admit_text(&self, text: &str) -> Result<(), &'static str> {
        let bound = |fact: &str| self.facts.get(fact).and_then(Value::as_u64);
        let length = text.chars().count() as u64;
        let said = |fact: &str| self.facts.get(fact).and_then(Value::as_str);
        match () {
            () if bound("maxLength").is_some_and(|most| length > most) => Err("The field is too long"),
            () if bound("minLength").is_some_and(|least| length < least) => Err("The field is too short"),
            () if said("format") == Some("email") && !is_email(text) => Err(NO_PATTERN),
            () if said("pattern").is_some_and(|pattern| !fits(pattern, text)) => Err(NO_PATTERN),
            () => Ok(()),
        }
    }

    fn admit_number(&self, value: &Value) -> Result<(), &'static str> {
        let Some(number) = value.as_f64() else { return Ok(()) };
        let bound = |fact: &str| self.facts.get(fact).and_then(Value::as_f64);
        let outside =
            bound("minimum").is_some_and(|least| number < least) || bound("maximum").is_some_and(|most| number > most);
        if outside { Err(NOT_ALLOWED) } else { Ok(()) }
    }
}

const NOT_ALLOWED: &str = "The field has an invalid value";
const NO_PATTERN: &str = "Does not match required pattern";

fn invalid(fact: &str) -> String {
    format!("The field {fact} has an invalid value")
}

fn incorrect(fact: &str) -> String {
    format!("The field {fact} has an incorrect type")
}

/// What the person may do with an attribute.
///
/// # Errors
/// A right that there is not.
pub fn check_permissions(permissions: Option<&Value>) -> Result<(), String> {
    let Some(permissions) = permissions else { return Ok(()) };
    let fits = |one: &Value| {
        one["principal"] == "SELF" && matches!(one["action"].as_str(), Some("HIDE" | "READ_ONLY" | "READ_WRITE"))
    };
    let all = permissions.as_array().ok_or_else(|| incorrect("permissions"))?;
    if all.iter().all(fits) { Ok(()) } else { Err(invalid("permissions")) }
}

/// Whether a value is of a type of the schema's.
fn has_type(value: &Value, kind: &str) -> bool {
    const INTEGERS: std::ops::RangeInclusive<i64> = -(1 << 31)..=(1 << 31) - 1;
    match kind {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.as_i64().is_some_and(|number| INTEGERS.contains(&number)),
        _ => value.is_array(),
    }
}

/// Whether a pattern fits a whole text; one that cannot be read fits all.
pub fn fits(pattern: &str, text: &str) -> bool {
    const STEPS_MAX: usize = 100_000;
    let whole = format!("^(?:{pattern})$");
    let built = fancy_regex::RegexBuilder::new(&whole).backtrack_limit(STEPS_MAX).build();
    built.map_or(true, |built| built.is_match(text).unwrap_or(false))
}

/// A number as text whose order is the numbers' order.
pub fn sortable(number: f64) -> SmolStr {
    let bits = number.to_bits();
    let ordered = if bits >> 63 == 1 { !bits } else { bits | (1 << 63) };
    format!("{ordered:016x}").into()
}

/// A value as conditions and indexes see it: each item of a list, numbers in their order.
pub fn terms(value: &Value) -> Vec<SmolStr> {
    match value {
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => vec![text.as_str().into()],
        Value::Number(number) => number.as_f64().map(sortable).into_iter().collect(),
        Value::Bool(value) => vec![SmolStr::new(if *value { "true" } else { "false" })],
        Value::Array(all) => all.iter().flat_map(terms).collect(),
        Value::Null | Value::Object(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: Defaults = Defaults { own: "READ_ONLY", mastered: false };

    fn read(facts: &Value) -> Result<Property, String> {
        Property::read("x", 1, None, facts.as_object().expect("is an object"), USER)
    }

    #[test]
    fn facts_are_checked() {
        let check = |facts: Value, wanted: Option<&str>| {
            assert_eq!(read(&facts).err().as_deref(), wanted, "{facts}");
        };
        let with = |more: Value| {
            let mut facts = json!({ "title": "X", "type": "string" });
            facts.as_object_mut().expect("is one").extend(more.as_object().cloned().unwrap_or_default());
            facts
        };
        check(with(json!({})), None);
        check(json!({ "type": "string" }), Some("x: The field title cannot be left blank"));
        check(json!({ "title": "X" }), Some("x: The field type cannot be left blank"));
        check(with(json!({ "type": "date" })), Some("x: The field type has an invalid value"));
        check(with(json!({ "color": 1 })), Some("x: The property color is not supported"));
        check(with(json!({ "type": "array" })), Some("x: The field items cannot be left blank"));
        check(with(json!({ "type": "array", "items": { "type": "string" } })), None);
        check(with(json!({ "items": { "type": "string" } })), Some("x: The field items has an invalid value"));
        check(with(json!({ "enum": [] })), Some("x: The field enum has an invalid value"));
        check(with(json!({ "enum": ["a"], "oneOf": [{ "const": "a", "title": "A" }] })), None);
        check(
            with(json!({ "enum": ["a"], "oneOf": [{ "const": "b", "title": "A" }] })),
            Some("x: The field oneOf has an invalid value"),
        );
        check(with(json!({ "minLength": 5, "maxLength": 4 })), Some("x: The field minLength has an invalid value"));
        check(with(json!({ "minLength": -1 })), Some("x: The field minLength has an invalid value"));
        check(with(json!({ "maxLength": "4" })), Some("x: The field maxLength has an incorrect type"));
        check(with(json!({ "type": "boolean", "maxLength": 4 })), Some("x: The field maxLength has an invalid value"));
        check(with(json!({ "scope": "ALL" })), Some("x: The field scope has an invalid value"));
        check(
            with(json!({ "permissions": [{ "principal": "SELF", "action": "OWN" }] })),
            Some("x: The field permissions has an invalid value"),
        );
        check(with(json!({ "master": { "type": "ME" } })), Some("x: The field master has an invalid value"));
        check(with(json!({ "unique": "NO" })), Some("x: The field unique has an invalid value"));
        check(with(json!({ "required": "yes" })), Some("x: The field required has an incorrect type"));
    }

    #[test]
    fn values_are_admitted_or_not() {
        let check = |facts: Value, value: Value, wanted: Option<&str>| {
            let mut all = json!({ "title": "X" });
            all.as_object_mut().expect("is one").extend(facts.as_object().cloned().unwrap_or_default());
            let property = read(&all).expect("is a property");
            assert_eq!(property.admit(&value).err(), wanted, "{facts} {value}");
        };
        let kind = "The field has an incorrect type";
        check(json!({ "type": "string", "maxLength": 2 }), json!("abc"), Some("The field is too long"));
        check(json!({ "type": "string", "minLength": 2 }), json!("a"), Some("The field is too short"));
        check(json!({ "type": "string" }), json!(1), Some(kind));
        check(json!({ "type": "boolean" }), json!("true"), Some(kind));
        check(json!({ "type": "integer" }), json!(1.5), Some(kind));
        check(json!({ "type": "integer" }), json!(3_000_000_000_i64), Some(kind));
        check(json!({ "type": "integer", "minimum": 5 }), json!(4), Some("The field has an invalid value"));
        check(json!({ "type": "number" }), json!(1.5), None);
        check(json!({ "type": "array", "items": { "type": "string" } }), json!(["a"]), None);
        check(json!({ "type": "array", "items": { "type": "string" } }), json!([1]), Some(kind));
        check(
            json!({ "type": "array", "items": { "type": "string", "enum": ["a"] } }),
            json!(["b"]),
            Some("The field has an invalid value"),
        );
        check(json!({ "type": "string", "enum": ["a"] }), json!("b"), Some("The field has an invalid value"));
        check(json!({ "type": "string", "oneOf": [{ "const": "a", "title": "A" }] }), json!("a"), None);
        check(json!({ "type": "string", "format": "email" }), json!("a"), Some("Does not match required pattern"));
        check(json!({ "type": "string", "pattern": "[a-z]+" }), json!("a1"), Some("Does not match required pattern"));
    }

    #[test]
    fn numbers_sort_as_text() {
        let mut all: Vec<f64> = vec![3.0, -1.5, 0.0, 1e9, -1e9, 2.5];
        all.sort_by_key(|number| sortable(*number));
        assert_eq!(all, [-1e9, -1.5, 0.0, 2.5, 3.0, 1e9]);
    }
}
