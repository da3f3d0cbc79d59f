//! Blocks: the checks that Slack makes before it takes them, and the buttons in them.
//!
//! <https://docs.slack.dev/reference/block-kit/blocks>

use std::collections::BTreeSet;

use dtu_kernel::tx::Tx;
use serde_json::{Map, Value};

use crate::{
    error::{Code, Error},
    model::{SITE, messages::Message},
    text::unescape,
};

/// The most blocks of one message.
const BLOCKS_MAX: usize = 50;
/// The most attachments of one message.
const ATTACHMENTS_MAX: usize = 100;

/// Block types that messages may have.
const TYPES: &[&str] = &[
    "actions",
    "alert",
    "card",
    "carousel",
    "call",
    "container",
    "context",
    "context_actions",
    "divider",
    "file",
    "header",
    "image",
    "input",
    "markdown",
    "plan",
    "rich_text",
    "section",
    "share_shortcut",
    "table",
    "task_card",
    "video",
];

/// Element types that send an action when used.
const INTERACTIVE: &[&str] = &[
    "button",
    "channels_select",
    "checkboxes",
    "conversations_select",
    "datepicker",
    "datetimepicker",
    "external_select",
    "feedback_buttons",
    "icon_button",
    "multi_channels_select",
    "multi_conversations_select",
    "multi_external_select",
    "multi_static_select",
    "multi_users_select",
    "overflow",
    "plain_text_input",
    "radio_buttons",
    "static_select",
    "timepicker",
    "users_select",
    "workflow_button",
];

/// Reads a `blocks` argument: JSON, or text that holds JSON. None where nothing was given; an empty list stays one.
pub(crate) fn read(argument: Option<Value>, tx: &mut Tx<'_>) -> Result<Option<Value>, Error> {
    let Some(mut blocks) = list(argument, Code::InvalidBlocksFormat)? else { return Ok(None) };
    check(&blocks, "").map_err(Error::Blocks)?;
    for block in &mut blocks {
        complete(block, tx);
    }
    Ok(Some(Value::Array(blocks)))
}

/// What is wrong with the blocks of a message or attachment, which `under` points to.
fn check(blocks: &[Value], under: &str) -> Result<(), Vec<String>> {
    let mut problems = Problems::default();
    problems.check_blocks(blocks, &format!("{under}/blocks"));
    if problems.found.is_empty() { Ok(()) } else { Err(problems.found) }
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
            check(&blocks, &format!("/attachments/{at}")).map_err(Error::Attachments)?;
            for block in &mut blocks {
                complete(block, tx);
            }
            members.insert("blocks".to_owned(), Value::Array(blocks));
        }
        if let Some(color) = members.get_mut("color") {
            complete_color(color);
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

#[derive(Default)]
struct Problems {
    found: Vec<String>,
}

impl Problems {
    fn add(&mut self, what: impl std::fmt::Display, at: &str) {
        self.found.push(format!("{what} [json-pointer:{at}]"));
    }

    fn check_blocks(&mut self, blocks: &[Value], under: &str) {
        if blocks.len() > BLOCKS_MAX {
            self.add(format_args!("no more than {BLOCKS_MAX} items allowed"), under);
        }
        let mut ids = BTreeSet::new();
        for (n, block) in blocks.iter().enumerate() {
            let at = format!("{under}/{n}");
            let Some(members) = block.as_object() else {
                self.add("must be an object", &at);
                continue;
            };
            match members.get("type").and_then(Value::as_str) {
                None => self.add("missing required field: type", &at),
                Some(kind) if !TYPES.contains(&kind) => {
                    self.add(format_args!("unsupported type: {kind}"), &format!("{at}/type"));
                }
                Some(kind) => self.check_block(kind, members, &at),
            }
            self.check_length(members, "block_id", 255, &at);
            if let Some(id) = members.get("block_id").and_then(Value::as_str)
                && !ids.insert(id)
            {
                self.add(format_args!("block_id \"{id}\" already exists"), &format!("{at}/block_id"));
            }
        }
    }

    fn check_block(&mut self, kind: &str, block: &Map<String, Value>, at: &str) {
        self.check_shape(kind, block, at);
        match kind {
            "section" => self.check_section(block, at),
            "header" => self.check_text(block, 150, Some("plain_text"), at),
            "markdown" => {
                self.check_present(block, "text", at);
                self.check_length(block, "text", 12_000, at);
            }
            "actions" => self.check_elements(block, 25, at),
            "context" => self.check_elements(block, 10, at),
            "rich_text" if !block.get("elements").is_some_and(Value::is_array) => {
                self.add("missing required field: elements", at);
            }
            "image" => {
                self.check_present(block, "alt_text", at);
                if !["image_url", "slack_file"].iter().any(|name| block.contains_key(*name)) {
                    self.add("missing required field: image_url", at);
                }
            }
            "input" => {
                match block.get("label") {
                    Some(label) => self.check_text_object(label, 2000, Some("plain_text"), &format!("{at}/label")),
                    None => self.add("missing required field: label", at),
                }
                match block.get("element") {
                    Some(element) => self.check_element(element, &format!("{at}/element")),
                    None => self.add("missing required field: element", at),
                }
            }
            _ => {}
        }
    }

    /// What holds of the parts of all blocks that are not looked into below: they are objects.
    fn check_shape(&mut self, kind: &str, block: &Map<String, Value>, at: &str) {
        let looked_into = |name: &str| {
            matches!(
                (kind, name),
                ("section", "accessory") | ("input", "element") | ("actions" | "context", "elements")
            )
        };
        for name in ["accessory", "element"] {
            if block.get(name).is_some_and(|part| !part.is_object()) && !looked_into(name) {
                self.add("must be an object", &format!("{at}/{name}"));
            }
        }
        let elements = block.get("elements").and_then(Value::as_array).filter(|_| !looked_into("elements"));
        for (n, element) in elements.into_iter().flatten().enumerate() {
            if !element.is_object() {
                self.add("must be an object", &format!("{at}/elements/{n}"));
            }
        }
    }

    fn check_section(&mut self, block: &Map<String, Value>, at: &str) {
        if block.contains_key("text") {
            self.check_text(block, 3000, None, at);
        } else if !block.contains_key("fields") {
            self.add("missing required field: text", at);
        }
        if let Some(fields) = block.get("fields") {
            let fields = fields.as_array().map(Vec::as_slice).unwrap_or_default();
            if fields.is_empty() || fields.len() > 10 {
                self.add("must have between 1 and 10 items", &format!("{at}/fields"));
            }
            for (n, field) in fields.iter().enumerate() {
                self.check_text_object(field, 2000, None, &format!("{at}/fields/{n}"));
            }
        }
        if let Some(accessory) = block.get("accessory") {
            self.check_element(accessory, &format!("{at}/accessory"));
        }
    }

    fn check_elements(&mut self, block: &Map<String, Value>, most: usize, at: &str) {
        let Some(elements) = block.get("elements").and_then(Value::as_array) else {
            return self.add("missing required field: elements", at);
        };
        if elements.is_empty() {
            self.add("must have at least 1 item", &format!("{at}/elements"));
        }
        if elements.len() > most {
            self.add(format_args!("no more than {most} items allowed"), &format!("{at}/elements"));
        }
        let mut ids = BTreeSet::new();
        for (n, element) in elements.iter().enumerate() {
            let at = format!("{at}/elements/{n}");
            self.check_element(element, &at);
            if let Some(id) = element["action_id"].as_str()
                && !ids.insert(id)
            {
                self.add(format_args!("`action_id` \"{id}\" already exists"), &format!("{at}/action_id"));
            }
        }
    }

    fn check_element(&mut self, element: &Value, at: &str) {
        let Some(members) = element.as_object() else { return self.add("must be an object", at) };
        match members.get("type").and_then(Value::as_str) {
            None => self.add("missing required field: type", at),
            Some("mrkdwn" | "plain_text") => self.check_text_object(element, 2000, None, at),
            Some("image") => self.check_present(members, "alt_text", at),
            Some("button") => {
                self.check_text(members, 75, Some("plain_text"), at);
                self.check_length(members, "value", 2000, at);
                self.check_length(members, "url", 3000, at);
                if let Some(style) = members.get("style").and_then(Value::as_str)
                    && !["primary", "danger"].contains(&style)
                {
                    self.add(format_args!("must be a valid enum value: {style}"), &format!("{at}/style"));
                }
            }
            Some(kind) if !INTERACTIVE.contains(&kind) => {
                self.add(format_args!("unsupported type: {kind}"), &format!("{at}/type"));
            }
            Some(_) => {}
        }
        self.check_length(members, "action_id", 255, at);
    }

    fn check_text(&mut self, owner: &Map<String, Value>, most: usize, only: Option<&str>, at: &str) {
        match owner.get("text") {
            None => self.add("missing required field: text", at),
            Some(text) => self.check_text_object(text, most, only, &format!("{at}/text")),
        }
    }

    fn check_text_object(&mut self, text: &Value, most: usize, only: Option<&str>, at: &str) {
        let Some(members) = text.as_object() else { return self.add("must be an object", at) };
        match members.get("type").and_then(Value::as_str) {
            Some("plain_text") => {}
            Some("mrkdwn") if only.is_none() => {}
            Some(kind) => self.add(format_args!("unsupported type: {kind}"), &format!("{at}/type")),
            None => self.add("missing required field: type", at),
        }
        match members.get("text").and_then(Value::as_str) {
            None => self.add("missing required field: text", at),
            Some("") => self.add("must be more than 0 characters", &format!("{at}/text")),
            Some(_) => self.check_length(members, "text", most, at),
        }
    }

    fn check_present(&mut self, owner: &Map<String, Value>, name: &str, at: &str) {
        if !owner.contains_key(name) {
            self.add(format_args!("missing required field: {name}"), at);
        }
    }

    fn check_length(&mut self, owner: &Map<String, Value>, name: &str, most: usize, at: &str) {
        match owner.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.chars().count() <= most => {}
            Some(Value::String(_)) => {
                self.add(format_args!("must be less than {} characters", most + 1), &format!("{at}/{name}"));
            }
            Some(_) => self.add("must be a string", &format!("{at}/{name}")),
        }
    }
}

/// Adds what Slack adds: ids where none were given, and the defaults of text objects.
fn complete(block: &mut Value, tx: &mut Tx<'_>) {
    let Some(members) = block.as_object_mut() else { return };
    if !members.contains_key("block_id") {
        members.insert("block_id".to_owned(), short_id(tx));
    }
    for text in ["text", "label", "title"] {
        members.get_mut(text).map(complete_text);
    }
    let fields = members.get_mut("fields").and_then(Value::as_array_mut);
    fields.into_iter().flatten().for_each(complete_text);
    let is_rich = members.get("type").is_some_and(|kind| kind == "rich_text");
    let elements = if is_rich { None } else { members.get_mut("elements") };
    for element in elements.and_then(Value::as_array_mut).into_iter().flatten() {
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
    let is_interactive = kind.is_some_and(|kind| INTERACTIVE.contains(&kind));
    if is_interactive && !members.contains_key("action_id") {
        members.insert("action_id".to_owned(), short_id(tx));
    }
    members.get_mut("text").map(complete_text);
}

fn complete_text(text: &mut Value) {
    let default = match text["type"].as_str() {
        Some("plain_text") => ("emoji", true),
        Some("mrkdwn") => ("verbatim", false),
        _ => return,
    };
    if let Some(members) = text.as_object_mut() {
        members.entry(default.0).or_insert(Value::from(default.1));
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
}

impl Button {
    pub(crate) fn action_id(&self) -> &str {
        self.element["action_id"].as_str().unwrap_or_default()
    }

    pub(crate) fn label(&self) -> String {
        unescape(self.element["text"]["text"].as_str().unwrap_or_default()).into_owned()
    }
}

/// The buttons of blocks, and of blocks inside attachments.
pub(crate) fn buttons(blocks: Option<&Value>, attachments: Option<&Value>) -> Vec<Button> {
    let inside = attachments.and_then(Value::as_array).into_iter().flatten().map(|attachment| &attachment["blocks"]);
    let lists = blocks.into_iter().chain(inside);
    lists.filter_map(Value::as_array).flatten().flat_map(buttons_of).collect()
}

fn buttons_of(block: &Value) -> impl Iterator<Item = Button> {
    let elements = block["elements"].as_array().into_iter().flatten().chain(block.get("accessory"));
    let block_id = block["block_id"].as_str().unwrap_or_default();
    elements
        .filter(|element| element["type"] == "button")
        .map(move |element| Button { block_id: block_id.to_owned(), element: element.clone() })
}

/// The buttons of a message.
pub(crate) fn buttons_of_message(message: &Message) -> Vec<Button> {
    buttons(message.blocks().map(|blocks| &**blocks), message.attachments().map(|list| &**list))
}
