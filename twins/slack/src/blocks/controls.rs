//! The controls in blocks: what a person can do with each, and what it holds then.

use serde_json::{Map, Value, json};

use super::{rules, unescape};
use crate::{emoji, rich_text};

/// A control that a person sees.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    /// The block it stands in.
    pub(crate) block_id: String,
    /// The element.
    pub(crate) element: Value,
    /// The label of the input block around it; empty elsewhere.
    pub(crate) label: String,
    /// Whether it stands in an input block.
    pub(crate) is_input: bool,
    /// Whether using it is told to the app at once.
    pub(crate) dispatches: bool,
    /// Whether it may be left empty.
    pub(crate) optional: bool,
}

impl Control {
    pub(crate) fn action_id(&self) -> &str {
        self.element["action_id"].as_str().unwrap_or_default()
    }

    pub(crate) fn kind(&self) -> &str {
        self.element["type"].as_str().unwrap_or_default()
    }

    /// What it says to people: a button's text, or the label of its input block.
    pub(crate) fn says(&self) -> String {
        let own = self.element["text"]["text"].as_str().map(|text| unescape(text).into_owned());
        own.unwrap_or_else(|| self.label.clone())
    }
}

/// All controls of blocks, in order.
pub(crate) fn controls(blocks: &Value) -> Vec<Control> {
    blocks.as_array().into_iter().flatten().flat_map(with_inner).flat_map(controls_of).collect()
}

/// A block, and the blocks that it groups.
pub(super) fn with_inner(block: &Value) -> Vec<&Value> {
    let inner = block["child_blocks"].as_array().into_iter().flatten();
    let cards = block["elements"].as_array().filter(|_| block["type"] == "carousel").into_iter().flatten();
    std::iter::once(block).chain(inner.chain(cards).flat_map(with_inner)).collect()
}

/// The elements that stand in a block itself, but for that of an input. Two buttons that ask for an opinion are two.
pub(super) fn elements(block: &Value) -> Vec<Value> {
    let lists = [&block["elements"], &block["actions"]].into_iter().filter_map(Value::as_array).flatten();
    lists.chain(block.get("accessory")).flat_map(single).collect()
}

/// An element; each button of it where it is several. What the app is told of is the one that was pressed:
/// <https://docs.slack.dev/reference/block-kit/block-elements/feedback-buttons-element>.
fn single(element: &Value) -> Vec<Value> {
    if element["type"] != "feedback_buttons" {
        return vec![element.clone()];
    }
    let one = |name: &str| {
        let button = &element[name];
        json!({
            "type": element["type"],
            "action_id": element["action_id"],
            "text": button["text"],
            "value": button["value"],
        })
    };
    ["positive_button", "negative_button"].map(one).to_vec()
}

fn controls_of(block: &Value) -> Vec<Control> {
    let is_input = block["type"] == "input";
    let all = elements(block).into_iter().chain(block.get("element").filter(|_| is_input).cloned());
    let usable = all.filter(|element| element["type"].as_str().is_some_and(rules::is_interactive));
    let control = |element: Value| Control {
        block_id: block["block_id"].as_str().unwrap_or_default().to_owned(),
        element,
        label: unescape(block["label"]["text"].as_str().unwrap_or_default()).into_owned(),
        is_input,
        dispatches: !is_input || block["dispatch_action"] == true,
        optional: !is_input || block["optional"] == true,
    };
    usable.map(control).collect()
}

/// The member that holds what an element of a kind is set to; none where it holds nothing.
const fn holds(kind: &str) -> Option<&'static str> {
    Some(match kind.as_bytes() {
        b"plain_text_input" | b"email_text_input" | b"url_text_input" | b"number_input" => "value",
        b"rich_text_input" => "rich_text_value",
        b"static_select" | b"external_select" | b"radio_buttons" | b"overflow" => "selected_option",
        b"multi_static_select" | b"multi_external_select" | b"checkboxes" => "selected_options",
        b"users_select" => "selected_user",
        b"multi_users_select" => "selected_users",
        b"conversations_select" => "selected_conversation",
        b"multi_conversations_select" => "selected_conversations",
        b"channels_select" => "selected_channel",
        b"multi_channels_select" => "selected_channels",
        b"datepicker" => "selected_date",
        b"timepicker" => "selected_time",
        b"datetimepicker" => "selected_date_time",
        b"file_input" => "files",
        _ => return None,
    })
}

/// The member in which an app says what an element is set to at first.
fn starts_with(holds: &str) -> &'static str {
    match holds {
        "value" | "rich_text_value" => "initial_value",
        "selected_option" => "initial_option",
        "selected_options" => "initial_options",
        "selected_user" => "initial_user",
        "selected_users" => "initial_users",
        "selected_conversation" => "initial_conversation",
        "selected_conversations" => "initial_conversations",
        "selected_channel" => "initial_channel",
        "selected_channels" => "initial_channels",
        "selected_date" => "initial_date",
        "selected_time" => "initial_time",
        "selected_date_time" => "initial_date_time",
        _ => "",
    }
}

/// An element's entry in `state.values` with what it is set to.
pub(crate) fn entry(element: &Value, set_to: Value) -> Option<Value> {
    let kind = element["type"].as_str()?;
    let member = holds(kind).filter(|_| kind != "overflow")?;
    let mut entry = json!({ "type": kind, member: set_to });
    if let Some(zone) = element.get("timezone") {
        entry["timezone"] = zone.clone();
    }
    Some(entry)
}

/// What `state.values` holds of fresh blocks: block to action to entry.
pub(crate) fn initial_values(blocks: &Value) -> Map<String, Value> {
    let mut values = Map::new();
    for control in controls(blocks) {
        let Some(member) = holds(control.kind()) else { continue };
        let empty = || if member.ends_with('s') { json!([]) } else { Value::Null };
        let at_first = control.element.get(starts_with(member)).cloned().unwrap_or_else(empty);
        if let Some(entry) = entry(&control.element, at_first) {
            let block = values.entry(control.block_id.clone()).or_insert_with(|| json!({}));
            block[control.action_id()] = entry;
        }
    }
    values
}

/// What an entry of `state.values` is set to.
pub(crate) fn picked(entry: &Value) -> Option<&Value> {
    entry.get(holds(entry["type"].as_str()?)?)
}

/// Whether an entry of `state.values` is set to nothing.
pub(crate) fn is_blank(entry: &Value) -> bool {
    match picked(entry) {
        None | Some(Value::Null) => true,
        Some(Value::Array(list)) => list.is_empty(),
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    }
}

/// What a person has made of a control.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// The member that changed, and what it holds now; none for a button.
    pub(crate) set: Option<(&'static str, Value)>,
}

/// What a control holds once a person has used it with `value`. `offered` are options that the app has given on
/// request; `known` turns a word into the id of a user or channel.
///
/// # Errors
/// Where the control cannot be used so; why, in words.
pub(crate) fn operate(
    control: &Control,
    value: Option<&Value>,
    offered: &[Value],
    known: impl Fn(&'static str, &str) -> Option<String>,
) -> Result<Choice, String> {
    let Some(member) = holds(control.kind()) else { return Ok(Choice { set: None }) };
    let value = value.ok_or_else(|| format!("say with `value` what to do with the {}", control.kind()))?;
    let texts: Vec<String> = match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Null => Vec::new(),
        one => vec![plain(one)],
    };
    let set_to = match member {
        "selected_option" | "selected_options" => {
            let picks = texts.iter().map(|text| option(&control.element, offered, text));
            one_or_all(member, picks.collect::<Result<Vec<_>, _>>()?)
        }
        "selected_user" | "selected_users" => ids(member, "user", &texts, known)?,
        "value" => Value::from(typed(control, texts.first().map(String::as_str).unwrap_or_default())?),
        "rich_text_value" => rich_text::typed(texts.first().map(String::as_str).unwrap_or_default()),
        "selected_date" | "selected_time" => texts.first().map_or(Value::Null, |text| Value::from(text.clone())),
        "selected_date_time" => value.clone(),
        "files" => json!(texts),
        _ => ids(member, "channel", &texts, known)?,
    };
    Ok(Choice { set: Some((member, set_to)) })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn one_or_all(member: &str, mut picks: Vec<Value>) -> Value {
    if member.ends_with('s') { Value::Array(picks) } else { picks.pop().unwrap_or(Value::Null) }
}

fn ids(
    member: &str,
    kind: &'static str,
    texts: &[String],
    known: impl Fn(&'static str, &str) -> Option<String>,
) -> Result<Value, String> {
    let find = |text: &String| known(kind, text).map(Value::from).ok_or_else(|| format!("there is no {kind} `{text}`"));
    Ok(one_or_all(member, texts.iter().map(find).collect::<Result<_, _>>()?))
}

/// The option of a value or label: of the element's own, of its groups, or of those that the app offered.
fn option(element: &Value, offered: &[Value], named: &str) -> Result<Value, String> {
    let own = element["options"].as_array().into_iter().flatten();
    let groups = element["option_groups"].as_array().into_iter().flatten();
    let all: Vec<&Value> =
        own.chain(groups.flat_map(|group| group["options"].as_array().into_iter().flatten())).chain(offered).collect();
    let says = |option: &&&Value| {
        let label = unescape(option["text"]["text"].as_str().unwrap_or_default());
        label == named || emoji::named(named) == label
    };
    let by_value = all.iter().find(|option| option["value"] == named);
    by_value.or_else(|| all.iter().find(says)).map(|option| (*option).clone()).ok_or_else(|| {
        let labels: Vec<&str> = all.iter().filter_map(|option| option["text"]["text"].as_str()).collect();
        format!("there is no option `{named}`; there are {}", labels.join(", "))
    })
}

/// Checks what is typed as Slack's own windows do.
fn typed(control: &Control, text: &str) -> Result<String, String> {
    let (element, long) = (&control.element, i64::try_from(text.chars().count()).unwrap_or(i64::MAX));
    let bound = |name: &str| element[name].as_i64();
    let problem = match control.kind() {
        _ if text.is_empty() => None,
        "plain_text_input" if bound("min_length").is_some_and(|least| long < least) => Some("is too short"),
        "plain_text_input" if bound("max_length").is_some_and(|most| long > most) => Some("is too long"),
        "email_text_input" if !text.contains('@') => Some("is not an email address"),
        "url_text_input" if url::Url::parse(text).is_err() => Some("is not an address"),
        "number_input" if !is_number(element, text) => Some("is not a number that fits"),
        _ => None,
    };
    problem.map_or_else(|| Ok(text.to_owned()), |why| Err(format!("`{text}` {why}")))
}

fn is_number(element: &Value, text: &str) -> bool {
    let Ok(number) = text.parse::<f64>() else { return false };
    let bound = |name: &str| element[name].as_str().and_then(|text| text.parse::<f64>().ok());
    let is_whole = element["is_decimal_allowed"] == true || text.parse::<i64>().is_ok();
    is_whole
        && bound("min_value").is_none_or(|least| number >= least)
        && bound("max_value").is_none_or(|most| number <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_checked() {
        let check = |element: Value, text: &str, fits: bool| {
            let control = Control {
                block_id: "b".to_owned(),
                element,
                label: String::new(),
                is_input: true,
                dispatches: false,
                optional: false,
            };
            assert_eq!(operate(&control, Some(&json!(text)), &[], |_, _| None).is_ok(), fits, "{control:?} {text}");
        };
        check(json!({ "type": "plain_text_input", "min_length": 3, "max_length": 5 }), "four", true);
        check(json!({ "type": "plain_text_input", "min_length": 3 }), "ab", false);
        check(json!({ "type": "plain_text_input", "max_length": 5 }), "abcdef", false);
        check(json!({ "type": "email_text_input" }), "lena", false);
        check(json!({ "type": "url_text_input" }), "https://acme.example", true);
        check(json!({ "type": "number_input", "is_decimal_allowed": false }), "1.5", false);
        check(json!({ "type": "number_input", "is_decimal_allowed": true, "max_value": "1" }), "1.5", false);
        check(json!({ "type": "users_select" }), "nobody", false);
    }
}
