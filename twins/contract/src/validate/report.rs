//! What the checker of JSON Schema finds, as violations.

use jsonschema::{
    JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;
use smol_str::SmolStr;

use crate::violation::{Part, Rule, Violation};

/// Where the checked value stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) part: Part,
    /// The parameter's name; empty for the body.
    pub(super) name: &'a str,
}

impl Place<'_> {
    pub(super) const BODY: Place<'static> = Place { part: Part::Body, name: "" };

    /// A violation at a pointer into the value.
    pub(super) fn violation(&self, pointer: &str, rule: Rule, what: impl Into<String>) -> Violation {
        let at = format!("{}{pointer}", self.name);
        Violation { part: self.part, at, rule, member: SmolStr::default(), what: what.into() }
    }
}

/// All errors as violations, in a stable order, each once.
pub(super) fn report<'e>(place: &Place<'_>, errors: impl Iterator<Item = ValidationError<'e>>) -> Vec<Violation> {
    let mut all: Vec<Violation> = errors.flat_map(|error| violations(place, &error)).collect();
    all.sort();
    all.dedup();
    all
}

fn violations(place: &Place<'_>, error: &ValidationError<'_>) -> Vec<Violation> {
    let at = error.instance_path().as_str();
    match error.kind() {
        Kind::AnyOf { context } => best(place, error, context),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().map(|name| member(place, at, Rule::Unknown, name, "is not known")).collect()
        }
        Kind::Required { property } => {
            vec![member(place, at, Rule::Required, property.as_str().unwrap_or_default(), "is missing")]
        }
        // The expression could not be followed to its end, which says nothing of the value.
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => Vec::new(),
        kind => vec![single(place, at, kind, error.instance())],
    }
}

fn member(place: &Place<'_>, at: &str, rule: Rule, name: &str, how: &str) -> Violation {
    Violation { member: name.into(), ..place.violation(at, rule, format!("`{name}` {how}")) }
}

fn single(place: &Place<'_>, at: &str, kind: &Kind, value: &Value) -> Violation {
    let (rule, what) = match kind {
        Kind::Type { kind } => (Rule::Type, wrong_type(place, kind, value)),
        Kind::Enum { options } => (Rule::Enum, format!("must be one of {}", listed(options))),
        Kind::Constant { expected_value } => (Rule::Enum, format!("must be {expected_value}")),
        Kind::Format { format } => (Rule::Format, format!("must be a {format}")),
        Kind::Pattern { pattern } => (Rule::Pattern, format!("must match {pattern}")),
        Kind::Minimum { limit } => (Rule::Range, format!("must be at least {limit}")),
        Kind::Maximum { limit } => (Rule::Range, format!("must be at most {limit}")),
        Kind::ExclusiveMinimum { limit } => (Rule::Range, format!("must be above {limit}")),
        Kind::ExclusiveMaximum { limit } => (Rule::Range, format!("must be below {limit}")),
        Kind::MultipleOf { multiple_of } => (Rule::Range, format!("must be a multiple of {multiple_of}")),
        Kind::MinLength { limit } => (Rule::Length, format!("must have {limit} characters or more")),
        Kind::MaxLength { limit } => (Rule::Length, format!("must have {limit} characters or fewer")),
        Kind::MinItems { limit } => (Rule::Items, format!("must have {limit} items or more")),
        Kind::MaxItems { limit } => (Rule::Items, format!("must have {limit} items or fewer")),
        Kind::MinProperties { limit } => (Rule::Items, format!("must have {limit} members or more")),
        Kind::MaxProperties { limit } => (Rule::Items, format!("must have {limit} members or fewer")),
        Kind::UniqueItems => (Rule::Items, "must have no two equal items".to_owned()),
        Kind::Not { .. } => (Rule::Alternatives, "fits what it must not be".to_owned()),
        other => (Rule::Alternatives, format!("breaks `{}`", other.keyword())),
    };
    place.violation(at, rule, what)
}

/// The violations of the alternative that fits best: not of another type altogether, then none of its fixed values
/// another, then with the fewest violations, then the first.
fn best(place: &Place<'_>, error: &ValidationError<'_>, context: &[Vec<ValidationError<'static>>]) -> Vec<Violation> {
    let at = error.instance_path().as_str();
    let root = place.violation(at, Rule::Type, "").at;
    let tag_depth = at.matches('/').count() + 1;
    let distance = |found: &[Violation]| {
        let other_type = found.iter().any(|violation| violation.rule == Rule::Type && violation.at == root);
        let is_tag =
            |violation: &&Violation| violation.rule == Rule::Enum && violation.at.matches('/').count() <= tag_depth;
        (other_type, found.iter().filter(is_tag).count(), found.len())
    };
    let branches = context.iter().map(|errors| {
        let mut found: Vec<Violation> = errors.iter().flat_map(|error| violations(place, error)).collect();
        found.sort();
        found.dedup();
        found
    });
    match branches.min_by_key(|found| distance(found)) {
        Some(found) if !found.is_empty() && !distance(&found).0 => found,
        _ => vec![place.violation(at, Rule::Alternatives, format!("fits none of {} alternatives", context.len()))],
    }
}

fn wrong_type(place: &Place<'_>, kind: &TypeKind, value: &Value) -> String {
    let wanted = match kind {
        TypeKind::Single(of) => type_name(*of).to_owned(),
        TypeKind::Multiple(set) => set.iter().map(type_name).collect::<Vec<_>>().join(" or "),
    };
    if place.part == Part::Body {
        format!("must be {wanted}, is {}", value_name(value))
    } else {
        // All parameters are text; to say so helps nobody.
        format!("must be {wanted}")
    }
}

const fn type_name(of: JsonType) -> &'static str {
    match of {
        JsonType::Array => "a list",
        JsonType::Boolean => "a boolean",
        JsonType::Integer => "an integer",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "a string",
    }
}

const fn value_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Up to eight values, and how many there are besides.
fn listed(options: &Value) -> String {
    let options = options.as_array().map_or(&[][..], Vec::as_slice);
    let shown: Vec<String> =
        options.iter().take(8).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
    match options.len().saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
