//! Whether a value fits: a plain yes or no without compiled validators, for choosing among alternatives and for
//! keeping what was given. `validate` says what is wrong and where.

use serde_json::Value;

use super::{
    pattern::Patterns,
    view::{Choice, Extra, View},
};
use crate::schema::{Schema, Type};

/// Alternatives inside alternatives deeper than this are taken to fit.
const DEPTH_MAX: usize = 24;

/// Whether a value fits a schema as part of an answer.
pub(super) fn fits(patterns: &Patterns, view: &View<'_>, value: &Value) -> bool {
    Fit { patterns, depth: 0 }.all(view, value)
}

#[derive(Clone, Copy)]
struct Fit<'a> {
    patterns: &'a Patterns,
    depth: usize,
}

impl Fit<'_> {
    const fn deeper(self) -> Self {
        Self { patterns: self.patterns, depth: self.depth + 1 }
    }

    fn all(self, view: &View<'_>, value: &Value) -> bool {
        if self.depth > DEPTH_MAX {
            return true;
        }
        if value.is_null() && view.choice().is_none() {
            return view.nullable();
        }
        let basic = value.is_null() || self.plainly(view, value);
        basic && view.choices().iter().all(|choice| self.chooses(view, *choice, value))
    }

    fn plainly(self, view: &View<'_>, value: &Value) -> bool {
        let typed = view.parts().iter().all(|part| part.types.is_empty() || has_type(&part.types, value));
        let listed = view.values().is_none_or(|values| values.contains(&value));
        let denied = view.parts().iter().filter_map(|part| part.not.as_deref());
        let allowed = denied.into_iter().all(|not| !self.one(view, not, value));
        typed && listed && allowed && self.shaped(view, value)
    }

    fn one(self, view: &View<'_>, schema: &Schema, value: &Value) -> bool {
        self.deeper().all(&View::of(view.document, schema), value)
    }

    /// `oneOf` means just one, `anyOf` at least one.
    fn chooses(self, view: &View<'_>, choice: Choice<'_>, value: &Value) -> bool {
        let mut fitting = choice.branches.iter().filter(|branch| self.one(view, branch, value));
        fitting.next().is_some() && (!choice.just_one || fitting.next().is_none())
    }

    fn shaped(self, view: &View<'_>, value: &Value) -> bool {
        match value {
            Value::String(text) => self.text(view, text),
            Value::Number(number) => number.as_f64().is_none_or(|number| in_range(view, number)),
            Value::Array(items) => self.list(view, items),
            Value::Object(members) => self.object(view, members),
            Value::Null | Value::Bool(_) => true,
        }
    }

    fn text(self, view: &View<'_>, text: &str) -> bool {
        let length = text.chars().count();
        (view.min_length()..=view.max_length()).contains(&length)
            && view.patterns().all(|pattern| self.patterns.matches(pattern, text))
            && view.parts().iter().filter_map(|part| part.format.as_deref()).all(|format| has_format(format, text))
    }

    fn list(self, view: &View<'_>, items: &[Value]) -> bool {
        let distinct = !view.unique_items() || (1..items.len()).all(|at| !items[..at].contains(&items[at]));
        let each = view.items();
        (view.min_items()..=view.max_items()).contains(&items.len())
            && distinct
            && each.is_none_or(|view| items.iter().all(|item| self.deeper().all(&view, item)))
    }

    fn object(self, view: &View<'_>, members: &serde_json::Map<String, Value>) -> bool {
        let absent = |name: &str| !members.contains_key(name) && !view.property(name).is_some_and(|v| v.write_only());
        let whole = !view.required().any(|name| absent(name));
        let most = view.parts().iter().filter_map(|part| part.max_properties).min().unwrap_or(u64::MAX);
        let counted = members.len() >= view.min_properties() && members.len() as u64 <= most;
        let fits = |name: &String, value: &Value| match (view.property(name), view.additional()) {
            (Some(view), _) => self.deeper().all(&view, value),
            (None, Extra::No) => false,
            (None, Extra::Of(schema)) => self.one(view, schema, value),
            (None, Extra::Unsaid | Extra::Any) => true,
        };
        whole && counted && members.iter().all(|(name, value)| fits(name, value))
    }
}

fn has_type(types: &[Type], value: &Value) -> bool {
    types.iter().any(|kind| match kind {
        Type::Boolean => value.is_boolean(),
        Type::Integer => value.as_f64().is_some_and(|number| number.fract().abs() < f64::EPSILON),
        Type::Number => value.is_number(),
        Type::String => value.is_string(),
        Type::Array => value.is_array(),
        Type::Object => value.is_object(),
    })
}

fn in_range(view: &View<'_>, number: f64) -> bool {
    view.number(|part| part.minimum.as_ref()).all(|low| number >= low)
        && view.number(|part| part.maximum.as_ref()).all(|high| number <= high)
        && view.number(|part| part.exclusive_minimum.as_ref()).all(|low| number > low)
        && view.number(|part| part.exclusive_maximum.as_ref()).all(|high| number < high)
        && view.number(|part| part.multiple_of.as_ref()).all(|unit| (number / unit).fract().abs() < 1e-9)
}

/// The formats that are easily missed by what was given; of others nothing is known here.
fn has_format(format: &str, text: &str) -> bool {
    match format {
        "date-time" => dtu_kernel::time::Timestamp::parse(text).is_ok(),
        "date" => dtu_kernel::time::Timestamp::parse(&format!("{text}T00:00:00Z")).is_ok(),
        "email" => text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()),
        "uri" => text.parse::<http::Uri>().is_ok_and(|uri| uri.scheme().is_some()) || is_other_uri(text),
        "uuid" => text.len() == 36 && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        _ => true,
    }
}

/// `mailto:` and the like, which are no addresses of the web.
fn is_other_uri(text: &str) -> bool {
    let scheme = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic()) && !text.contains(['/', ' ']);
    text.split_once(':').is_some_and(|(before, after)| scheme(before) && !after.contains(' '))
}
