//! Facts of a schema that stand alone: types, values, bounds, formats.

use std::fmt::Display;

use serde_json::{Number, Value};

use super::{
    change::{Log, Reason, join},
    uses::Uses,
};
use crate::schema::{Schema, Type};

const REFUSED: Reason = Reason::breaks("requests that were taken are refused");
const OTHER: Reason = Reason::breaks("answers may be what clients do not expect");

/// All facts of one schema that need no look at others.
pub(super) fn compare(old: &Schema, new: &Schema, at: &str, uses: Uses, log: &mut Log) {
    types(old, new, at, uses, log);
    nullable(old, new, at, uses, log);
    values(old, new, at, uses, log);
    bounds(old, new, at, uses, log);
    exact(old.pattern.as_ref(), new.pattern.as_ref(), &join(at, "pattern"), REFUSED.when(uses.request), log);
    exact(old.multiple_of.as_ref(), new.multiple_of.as_ref(), &join(at, "multipleOf"), REFUSED.when(uses.request), log);
    format(old, new, at, uses, log);
    flags(old, new, at, uses, log);
}

fn types(old: &Schema, new: &Schema, at: &str, uses: Uses, log: &mut Log) {
    const ALL: [Type; 6] = [Type::Boolean, Type::Integer, Type::Number, Type::String, Type::Array, Type::Object];
    let takes = |schema: &Schema, of: Type| {
        let as_number = of == Type::Integer && schema.types.contains(&Type::Number);
        schema.types.is_empty() || schema.types.contains(&of) || as_number
    };
    let narrower = ALL.iter().any(|of| takes(old, *of) && !takes(new, *of));
    let wider = ALL.iter().any(|of| takes(new, *of) && !takes(old, *of));
    if narrower || wider {
        let reason = REFUSED.when(narrower && uses.request).or(OTHER.when(wider && uses.response));
        log.changed(&join(at, "type"), reason, format!("{} is now {}", named(&old.types), named(&new.types)));
    }
}

fn named(types: &[Type]) -> String {
    let names: Vec<String> = types.iter().map(|of| format!("{of:?}").to_lowercase()).collect();
    if names.is_empty() { "any type".to_owned() } else { names.join(" or ") }
}

fn nullable(old: &Schema, new: &Schema, at: &str, uses: Uses, log: &mut Log) {
    let at = &join(at, "nullable");
    match (old.nullable, new.nullable) {
        (false, true) => log.added(at, OTHER.when(uses.response), "it may be null now"),
        (true, false) => log.removed(at, REFUSED.when(uses.request), "it may not be null any more"),
        _ => {}
    }
}

fn values(old: &Schema, new: &Schema, at: &str, uses: Uses, log: &mut Log) {
    const UNKNOWN: Reason = Reason::MayBreak("clients with a closed list do not know it");
    let at = &join(at, "enum");
    match (&old.values, &new.values) {
        (None, Some(_)) => log.added(at, REFUSED.when(uses.request), "only certain values are taken now"),
        (Some(_), None) => log.removed(at, UNKNOWN.when(uses.response), "any value is possible now"),
        (Some(old), Some(new)) => {
            for value in old.iter().filter(|value| !new.contains(value)) {
                log.removed(at, REFUSED.when(uses.request), format!("value {} is gone", shown(value)));
            }
            for value in new.iter().filter(|value| !old.contains(value)) {
                log.added(at, UNKNOWN.when(uses.response), format!("value {} is new", shown(value)));
            }
        }
        (None, None) => {}
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| format!("`{text}`"))
}

fn bounds(old: &Schema, new: &Schema, at: &str, uses: Uses, log: &mut Log) {
    let number = |number: &Option<Number>| number.as_ref().and_then(Number::as_f64);
    let mut least = |word, old: Option<f64>, new: Option<f64>| bound(&join(at, word), old, new, f64::gt, uses, log);
    least("minimum", number(&old.minimum), number(&new.minimum));
    least("exclusiveMinimum", number(&old.exclusive_minimum), number(&new.exclusive_minimum));
    least("minLength", count(old.min_length), count(new.min_length));
    least("minItems", count(old.min_items), count(new.min_items));
    least("minProperties", count(old.min_properties), count(new.min_properties));
    let mut most = |word, old: Option<f64>, new: Option<f64>| bound(&join(at, word), old, new, f64::lt, uses, log);
    most("maximum", number(&old.maximum), number(&new.maximum));
    most("exclusiveMaximum", number(&old.exclusive_maximum), number(&new.exclusive_maximum));
    most("maxLength", count(old.max_length), count(new.max_length));
    most("maxItems", count(old.max_items), count(new.max_items));
    most("maxProperties", count(old.max_properties), count(new.max_properties));
}

/// Counts are far below what a float holds exactly.
#[expect(clippy::cast_precision_loss, reason = "bounds of lengths are small, and only compared")]
fn count(count: Option<u64>) -> Option<f64> {
    count.map(|count| count as f64)
}

fn bound(at: &str, old: Option<f64>, new: Option<f64>, is_tighter: fn(&f64, &f64) -> bool, uses: Uses, log: &mut Log) {
    match (old, new) {
        (None, Some(new)) => log.added(at, REFUSED.when(uses.request), format!("{new} is a limit now")),
        (Some(old), None) => log.removed(at, Reason::None, format!("{old} is no limit any more")),
        (Some(old), Some(new)) if old.total_cmp(&new).is_ne() => {
            let tighter = is_tighter(&new, &old);
            log.changed(at, REFUSED.when(tighter && uses.request), format!("the limit {old} is now {new}"));
        }
        _ => {}
    }
}

/// A fact that is compared as a whole; breaks where there is one now.
fn exact<T: PartialEq + Display>(old: Option<&T>, new: Option<&T>, at: &str, reason: Reason, log: &mut Log) {
    match (old, new) {
        (None, Some(new)) => log.added(at, reason, format!("{new} holds now")),
        (Some(old), None) => log.removed(at, Reason::None, format!("{old} does not hold any more")),
        (Some(old), Some(new)) if old != new => log.changed(at, reason, format!("{old} is now {new}")),
        _ => {}
    }
}

fn format(old: &Schema, new: &Schema, at: &str, uses: Uses, log: &mut Log) {
    if old.format == new.format {
        return;
    }
    let reason =
        REFUSED.when(uses.request && new.format.is_some()).or(OTHER.when(uses.response && old.format.is_some()));
    let named = |schema: &Schema| schema.format.clone().unwrap_or_else(|| "no format".into());
    log.changed(&join(at, "format"), reason, format!("{} is now {}", named(old), named(new)));
}

fn flags(old: &Schema, new: &Schema, at: &str, uses: Uses, log: &mut Log) {
    let flags = [
        ("uniqueItems", old.unique_items, new.unique_items, REFUSED.when(uses.request)),
        (
            "readOnly",
            old.read_only,
            new.read_only,
            Reason::breaks("requests cannot set it any more").when(uses.request),
        ),
        ("writeOnly", old.write_only, new.write_only, Reason::breaks("clients read it").when(uses.response)),
        ("deprecated", old.deprecated, new.deprecated, Reason::None),
    ];
    for (word, old, new, reason) in flags {
        match (old, new) {
            (false, true) => log.added(&join(at, word), reason, format!("it is {word} now")),
            (true, false) => log.removed(&join(at, word), Reason::None, format!("it is not {word} any more")),
            _ => {}
        }
    }
    if old.default != new.default {
        let named = |schema: &Schema| schema.default.as_ref().map_or_else(|| "none".to_owned(), shown);
        let what = format!("{} is now {}", named(old), named(new));
        log.changed(&join(at, "default"), Reason::None, what);
    }
}
