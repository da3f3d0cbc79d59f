//! What the cells of a list hold, by the type of their column.

use serde::Serialize;
use serde_json::{Value, json};

use super::{State, lists::Column};
use crate::error::Code;

/// The types of columns: their name, and the member that a cell's value goes by; empty where nobody sets it.
const TYPES: &[(&str, &str)] = &[
    ("attachment", "attachment"),
    ("canvas", ""),
    ("channel", "channel"),
    ("checkbox", "checkbox"),
    ("created_by", ""),
    ("created_time", ""),
    ("date", "date"),
    ("email", "email"),
    ("last_edited_by", ""),
    ("last_edited_time", ""),
    ("link", "link"),
    ("message", "message"),
    ("number", "number"),
    ("phone", "phone"),
    ("rating", "rating"),
    ("reference", "reference"),
    ("select", "select"),
    ("text", "rich_text"),
    ("timestamp", "timestamp"),
    ("todo_assignee", "user"),
    ("todo_completed", "checkbox"),
    ("todo_due_date", "date"),
    ("user", "user"),
    ("vote", ""),
];
/// The most values of one cell.
const VALUES_MAX: usize = 20;

/// What a cell holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// The member that it goes by.
    pub member: &'static str,
    /// A list of values, or true or false.
    pub value: Value,
}

fn member_of(kind: &str) -> Option<&'static str> {
    TYPES.iter().find(|(name, _)| *name == kind).map(|(_, member)| *member)
}

/// Whether columns may be of a type.
pub(crate) fn is_type(kind: &str) -> bool {
    !kind.starts_with("todo_") && member_of(kind).is_some()
}

/// Whether a column of a type may have these options.
pub(crate) fn options_fit(kind: &str, options: &Value) -> bool {
    let choices = &options["choices"];
    let fits = |choice: &Value| choice["value"].is_string() && choice["label"].is_string();
    let choices_fit = choices.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(fits));
    match kind {
        "select" => choices_fit,
        _ => (options.is_null() || options.is_object()) && choices.is_null(),
    }
}

/// The words of rich text.
pub(crate) fn words(blocks: &Value) -> String {
    let mut out = String::new();
    collect(blocks, &mut out);
    out
}

fn collect(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, out)),
        Value::Object(members) => {
            if let Some(elements) = members.get("elements") {
                collect(elements, out);
            } else {
                let text = members.get("text").or(members.get("url")).and_then(Value::as_str);
                out.push_str(text.unwrap_or_default());
            }
        }
        _ => {}
    }
}

impl Cell {
    /// Reads what is given for a column.
    ///
    /// # Errors
    /// Where the column takes nothing, or something else.
    pub(crate) fn read(state: &State, column: &Column, given: &Value) -> Result<Self, Code> {
        let member = member_of(&column.kind).filter(|member| !member.is_empty()).ok_or(Code::UneditableColumn)?;
        let value = given.get(member).ok_or(Code::InvalidInputType)?.clone();
        if member == "checkbox" {
            return if value.is_boolean() { Ok(Self { member, value }) } else { Err(Code::InvalidInputType) };
        }
        let values = value.as_array().ok_or(Code::InvalidInputType)?;
        let is_single = column.options.as_ref().is_some_and(|options| options["format"] == "single_entity");
        if values.len() > VALUES_MAX || (is_single && values.len() > 1) {
            return Err(Code::OverCellFieldsLimit);
        }
        values.iter().try_for_each(|value| check(state, column, member, value))?;
        Ok(Self { member, value })
    }

    /// As methods tell it.
    pub(crate) fn render(&self, column: &Column) -> Value {
        let mut told = json!({ "key": column.key, "column_id": column.id, "value": self.short() });
        told[self.member] = self.value.clone();
        if self.member == "rich_text" {
            told["text"] = json!(words(&self.value));
        }
        told
    }

    /// The value in one: true or false, a number, or text.
    fn short(&self) -> Value {
        let Some(values) = self.value.as_array() else { return self.value.clone() };
        if self.member == "rich_text" || values.iter().any(Value::is_object) && self.member != "link" {
            return json!(self.value.to_string());
        }
        match values.as_slice() {
            [one] if one.is_number() => one.clone(),
            [one] if self.member == "link" => one["original_url"].clone(),
            many => json!(many.iter().map(plain).collect::<Vec<_>>().join("|")),
        }
    }

    /// As text.
    pub(crate) fn plain(&self) -> String {
        if self.member == "rich_text" { words(&self.value) } else { plain(&self.short()) }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a value is one of a column's.
fn check(state: &State, column: &Column, member: &str, value: &Value) -> Result<(), Code> {
    let text = value.as_str();
    let named = |is_there: fn(&State, &str) -> bool, code: Code| match text {
        None => Err(Code::InvalidInputType),
        Some(id) if is_there(state, id) => Ok(()),
        Some(_) => Err(code),
    };
    let must = |fits: bool, code: Code| match text {
        None => Err(Code::InvalidInputType),
        Some(_) if fits => Ok(()),
        Some(_) => Err(code),
    };
    match member {
        "rich_text" if value["type"] == "rich_text" && value["elements"].is_array() => Ok(()),
        "rich_text" if value.is_object() => Err(Code::InvalidTextBlock),
        "user" => named(|state, id| state.users.contains(&id.into()), Code::UserNotFound),
        "channel" => named(|state, id| state.channels.contains(&id.into()), Code::ChannelNotFound),
        "attachment" => named(|state, id| state.files.contains(&id.into()), Code::FileNotFound),
        "date" => must(text.is_some_and(is_date), Code::InvalidDate),
        "email" => must(text.is_some_and(is_mail), Code::InvalidEmail),
        "phone" => must(text.is_some_and(is_phone), Code::InvalidPhoneNumber),
        "message" => must(text.is_some_and(|url| url.contains("/archives/")), Code::InvalidLink),
        "select" => {
            let choices = column.options.as_ref().and_then(|options| options["choices"].as_array());
            let known = choices.into_iter().flatten().any(|choice| choice["value"].as_str() == text);
            must(known, Code::InvalidOptionId)
        }
        "number" if value.is_number() => Ok(()),
        "timestamp" if value.is_i64() => Ok(()),
        "rating" if value.as_u64().is_some_and(|stars| stars <= most_stars(column)) => Ok(()),
        "link" if value["original_url"].is_string() => Ok(()),
        "reference" if value["file"]["file_id"].is_string() || value["list"].is_object() => Ok(()),
        _ => Err(Code::InvalidInputType),
    }
}

fn most_stars(column: &Column) -> u64 {
    column.options.as_ref().and_then(|options| options["max"].as_u64()).unwrap_or(5)
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_mail(text: &str) -> bool {
    text.split_once('@').is_some_and(|(who, host)| !who.is_empty() && host.contains('.') && !text.contains(' '))
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (3..=20).contains(&digits) && text.chars().all(|c| c.is_ascii_digit() || " +-().#*".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_apart() {
        let check = |fits: fn(&str) -> bool, text: &str, wanted: bool| assert_eq!(fits(text), wanted, "{text}");
        check(is_date, "2026-03-02", true);
        check(is_date, "2026-02-30", false);
        check(is_date, "2 March", false);
        check(is_mail, "a@b.example", true);
        check(is_mail, "a@b", false);
        check(is_phone, "+44 20 7946 0000", true);
        check(is_phone, "call me", false);
    }

    #[test]
    fn rich_text_has_words() {
        let blocks = json!([{ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [
            { "type": "text", "text": "see " }, { "type": "link", "url": "https://a.example" } ] }] }]);
        assert_eq!(words(&blocks), "see https://a.example");
    }
}
