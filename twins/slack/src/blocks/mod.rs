//! Blocks: the checks that Slack makes before it takes them, and the buttons in them.
//!
//! <https://docs.slack.dev/reference/block-kit/blocks>

mod check;
mod controls;
mod parts;
mod rules;

use dtu_kernel::tx::Tx;
use serde_json::{Map, Value};
use smol_str::SmolStr;

use crate::{
    emoji,
    error::{Code, Error},
    model::{SITE, messages::Message},
    text::unescape,
};

pub(crate) use check::ALL_OF;
pub(crate) use controls::{Control, controls, entry, initial_values, is_blank, operate, picked};
pub(crate) use rules::{Surface, is_select};

/// The kinds of elements that are pressed, and hold nothing.
const BUTTONS: &[&str] = &["button", "feedback_buttons", "icon_button"];

/// The most attachments of one message.
pub(crate) const ATTACHMENTS_MAX: usize = 100;

/// The most characters in all texts of a message's blocks together. Slack tells of 12,000 and some room for what is
/// around them; what people measure is this: <https://github.com/slackapi/bolt-js/issues/2509>.
pub(crate) const TEXT_MAX: usize = 13_200;

/// How many characters the texts in blocks have together.
pub(crate) fn text_length(blocks: &Value) -> usize {
    match blocks {
        Value::Array(items) => items.iter().map(text_length).sum(),
        Value::Object(members) => members.iter().map(text_of_member).sum(),
        _ => 0,
    }
}

fn text_of_member((name, value): (&String, &Value)) -> usize {
    match value {
        Value::String(text) if name == "text" => text.chars().count(),
        value => text_length(value),
    }
}

/// Reads a `blocks` argument: JSON, or text that holds JSON. None where nothing was given; an empty list stays one.
pub(crate) fn read(argument: Option<Value>, tx: &mut Tx<'_>) -> Result<Option<Value>, Error> {
    let Some(mut blocks) = list(argument, Code::InvalidBlocksFormat)? else { return Ok(None) };
    check_message(&blocks, "").map_err(Error::Blocks)?;
    for block in &mut blocks {
        complete(block, tx);
    }
    Ok(Some(Value::Array(blocks)))
}

/// Reads the blocks of a view that has passed the checks.
pub(crate) fn complete_all(blocks: &mut [Value], tx: &mut Tx<'_>) {
    for block in blocks {
        complete(block, tx);
    }
}

/// What is wrong with a view, in Slack's words and with places.
pub(crate) fn check_view(view: &Map<String, Value>, surface: Surface) -> Vec<String> {
    check::view(view, surface)
}

/// What is wrong with blocks of a message, which `at` points to.
pub(crate) fn check_list(list: &[Value], at: &str) -> Vec<String> {
    check::blocks(list, Surface::Message, at)
}

/// What is wrong with the blocks of a message or attachment, which `under` points to.
fn check_message(blocks: &[Value], under: &str) -> Result<(), Vec<String>> {
    let problems = check::blocks(blocks, Surface::Message, &format!("{under}/blocks"));
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Reads an `attachments` argument. Blocks inside are checked as well.
pub(crate) fn read_attachments(argument: Option<Value>, tx: &mut Tx<'_>) -> Result<Option<Value>, Error> {
    let Some(mut attachments) = list(argument, Code::InvalidAttachments)? else { return Ok(None) };
    if attachments.len() > ATTACHMENTS_MAX {
        return Err(Code::TooManyAttachments.into());
    }
    for (at, attachment) in attachments.iter_mut().enumerate() {
        let Some(members) = attachment.as_object_mut() else { return Err(Code::InvalidAttachments.into()) };
        if let Some(mut blocks) = list(members.remove("blocks"), Code::InvalidAttachments)? {
            check_message(&blocks, &format!("/attachments/{at}")).map_err(Error::Attachments)?;
            for block in &mut blocks {
                complete(block, tx);
            }
            members.insert("blocks".to_owned(), Value::Array(blocks));
        }
        if let Some(color) = members.get_mut("color") {
            complete_color(color);
        }
        let actions = members.get_mut("actions").and_then(Value::as_array_mut).into_iter().flatten();
        for (n, action) in actions.filter_map(Value::as_object_mut).enumerate() {
            action.entry("id").or_insert(Value::from((n + 1).to_string()));
            action.entry("style").or_insert(Value::from(""));
        }
        members.insert("id".to_owned(), Value::from(at + 1));
        if !members.contains_key("fallback") {
            let text = members.get("text").or(members.get("title")).and_then(Value::as_str);
            let fallback = text.unwrap_or("[no preview available]").to_owned();
            members.insert("fallback".to_owned(), Value::from(fallback));
        }
    }
    Ok(Some(Value::Array(attachments)))
}

fn list(argument: Option<Value>, wrong: Code) -> Result<Option<Vec<Value>>, Error> {
    let value = match argument {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => serde_json::from_str(&text).map_err(|_| wrong)?,
        Some(other) => other,
    };
    match value {
        Value::Array(items) => Ok(Some(items)),
        _ => Err(wrong.into()),
    }
}

/// Adds what Slack adds: ids where none were given, and the defaults of text objects.
fn complete(block: &mut Value, tx: &mut Tx<'_>) {
    let Some(members) = block.as_object_mut() else { return };
    if !members.contains_key("block_id") {
        members.insert("block_id".to_owned(), short_id(tx));
    }
    for text in ["text", "label", "title", "subtitle", "body", "hint", "description"] {
        members.get_mut(text).map(complete_text);
    }
    // What groups other blocks completes those as well.
    let inner = if members.get("type").is_some_and(|kind| kind == "carousel") { "elements" } else { "child_blocks" };
    for block in members.get_mut(inner).and_then(Value::as_array_mut).into_iter().flatten() {
        complete(block, tx);
    }
    let fields = members.get_mut("fields").and_then(Value::as_array_mut);
    fields.into_iter().flatten().for_each(complete_text);
    let has_own = members.get("type").is_some_and(|kind| kind == "rich_text" || kind == "carousel");
    let elements = if has_own { None } else { members.get_mut("elements") };
    for element in elements.and_then(Value::as_array_mut).into_iter().flatten() {
        complete_element(element, tx);
    }
    for element in members.get_mut("actions").and_then(Value::as_array_mut).into_iter().flatten() {
        complete_element(element, tx);
    }
    for single in ["accessory", "element"] {
        if let Some(element) = members.get_mut(single) {
            complete_element(element, tx);
        }
    }
}

fn complete_element(element: &mut Value, tx: &mut Tx<'_>) {
    complete_text(element);
    let Some(members) = element.as_object_mut() else { return };
    let kind = members.get("type").and_then(Value::as_str);
    let is_interactive = kind.is_some_and(rules::is_interactive);
    if is_interactive && !members.contains_key("action_id") {
        members.insert("action_id".to_owned(), short_id(tx));
    }
    for text in ["text", "placeholder"] {
        members.get_mut(text).map(complete_text);
    }
    for button in ["positive_button", "negative_button"] {
        members.get_mut(button).and_then(|button| button.get_mut("text")).map(complete_text);
    }
    for list in ["options", "initial_options"] {
        let options = members.get_mut(list).and_then(Value::as_array_mut);
        options.into_iter().flatten().for_each(complete_option);
    }
    members.get_mut("initial_option").map(complete_option);
    let groups = members.get_mut("option_groups").and_then(Value::as_array_mut);
    for group in groups.into_iter().flatten() {
        complete_text(&mut group["label"]);
        group["options"].as_array_mut().into_iter().flatten().for_each(complete_option);
    }
}

fn complete_option(option: &mut Value) {
    for text in ["text", "description"] {
        option.get_mut(text).map(complete_text);
    }
}

/// Adds the default of a text object, and names its emoji unless it says otherwise:
/// <https://docs.slack.dev/reference/block-kit/composition-objects/text-object>.
pub(crate) fn complete_text(text: &mut Value) {
    let default = match text["type"].as_str() {
        Some("plain_text") => ("emoji", true),
        Some("mrkdwn") => ("verbatim", false),
        _ => return,
    };
    let Some(members) = text.as_object_mut() else { return };
    let names_emoji = members.entry(default.0).or_insert(Value::from(default.1)) != false || default.0 == "verbatim";
    if let Some(Value::String(words)) = members.get_mut("text").filter(|_| names_emoji) {
        *words = emoji::named(words).into_owned();
    }
}

/// Slack keeps colours as bare digits, and its three named ones as such too.
fn complete_color(color: &mut Value) {
    let digits = match color.as_str() {
        Some("good") => "2eb886",
        Some("warning") => "daa038",
        Some("danger") => "a30200",
        Some(text) => text.trim_start_matches('#'),
        None => return,
    };
    *color = Value::from(digits);
}

fn short_id(tx: &mut Tx<'_>) -> Value {
    const SITE_OF_BLOCKS: dtu_kernel::seed::Site = SITE.child("block");
    Value::from(tx.draw(SITE_OF_BLOCKS).text(dtu_kernel::ids::ALNUM, 5))
}

/// The words in blocks, for notifications of messages without a text of their own.
pub(crate) fn fallback_text(blocks: &Value) -> String {
    let words = |block: &Value| match &block["text"] {
        Value::String(text) => Some(text.clone()),
        text => text["text"].as_str().map(str::to_owned),
    };
    let all: Vec<String> = blocks.as_array().into_iter().flatten().filter_map(words).collect();
    all.join(" ")
}

/// A button that somebody can press.
#[derive(Clone, Debug)]
pub(crate) struct Button {
    pub(crate) block_id: String,
    pub(crate) element: Value,
    /// The attachment whose own button it is, from 1 on; none where it is in a block.
    pub(crate) attachment: Option<u64>,
    /// What the app knows that attachment by.
    pub(crate) callback_id: String,
    /// The app that put it behind somebody's link; none where it is the message's own.
    pub(crate) app: Option<SmolStr>,
}

impl Button {
    /// What the app knows it by: its id, or the name of an attachment's button.
    pub(crate) fn action_id(&self) -> &str {
        let name = if self.attachment.is_some() { "name" } else { "action_id" };
        self.element[name].as_str().unwrap_or_default()
    }

    pub(crate) fn label(&self) -> String {
        let text = &self.element["text"];
        unescape(text.as_str().or_else(|| text["text"].as_str()).unwrap_or_default()).into_owned()
    }
}

/// The buttons of blocks, and of blocks inside attachments.
pub(crate) fn buttons(blocks: Option<&Value>, attachments: Option<&Value>) -> Vec<Button> {
    let attachments = || attachments.and_then(Value::as_array).into_iter().flatten();
    let of_message = blocks.map(|blocks| (blocks, None));
    let lists = of_message.into_iter().chain(attachments().map(|item| (&item["blocks"], unfurled_by(item))));
    let in_blocks = lists.flat_map(|(blocks, app)| {
        let blocks = blocks.as_array().into_iter().flatten().flat_map(controls::with_inner);
        blocks.flat_map(buttons_of).map(move |button| Button { app: app.clone(), ..button })
    });
    in_blocks.chain(attachments().flat_map(buttons_of_attachment)).collect()
}

/// The app that put an attachment behind somebody's link.
pub(crate) fn unfurled_by(attachment: &Value) -> Option<SmolStr> {
    attachment["app_id"].as_str().filter(|_| attachment["is_app_unfurl"] == true).map(SmolStr::new)
}

/// The attachment in whose blocks a block stands.
pub(crate) fn attachment_with<'a>(attachments: &'a Value, block_id: &str) -> Option<&'a Value> {
    let has =
        |item: &&Value| item["blocks"].as_array().into_iter().flatten().any(|block| block["block_id"] == block_id);
    attachments.as_array().into_iter().flatten().find(has)
}

/// The buttons that an attachment has of its own, from before blocks.
fn buttons_of_attachment(attachment: &Value) -> impl Iterator<Item = Button> {
    let actions = attachment["actions"].as_array().into_iter().flatten();
    let callback_id = attachment["callback_id"].as_str().unwrap_or_default();
    actions.filter(|action| action["type"] == "button" && !action["name"].is_null()).map(move |action| Button {
        block_id: String::new(),
        element: action.clone(),
        attachment: attachment["id"].as_u64(),
        callback_id: callback_id.to_owned(),
        app: unfurled_by(attachment),
    })
}

fn buttons_of(block: &Value) -> impl Iterator<Item = Button> {
    let block_id = block["block_id"].as_str().unwrap_or_default();
    let elements = controls::elements(block).into_iter();
    elements.filter(|element| BUTTONS.iter().any(|kind| element["type"] == *kind)).map(move |element| Button {
        block_id: block_id.to_owned(),
        element,
        attachment: None,
        callback_id: String::new(),
        app: None,
    })
}

/// The buttons of a message.
pub(crate) fn buttons_of_message(message: &Message) -> Vec<Button> {
    buttons(message.blocks().map(|blocks| &**blocks), message.attachments().map(|list| &**list))
}
