//! The checks that Slack makes before it takes blocks and views: each problem in its words, with its place.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::rules::{self, BLOCKS, ELEMENTS, Kind, Labels, Member, Rule, Surface};

/// The most blocks of one message.
const MESSAGE_BLOCKS_MAX: usize = 50;
/// The most blocks of one view.
const VIEW_BLOCKS_MAX: usize = 100;

/// What is wrong with blocks, which `at` points to; nothing where they pass.
pub(super) fn blocks(blocks: &[Value], surface: Surface, at: &str) -> Vec<String> {
    let mut problems = Problems { surface, found: Vec::new() };
    problems.blocks(blocks, at);
    problems.found
}

/// What is wrong with a view.
pub(super) fn view(view: &Map<String, Value>, surface: Surface) -> Vec<String> {
    let mut problems = Problems { surface, found: Vec::new() };
    problems.view(view);
    problems.found
}

struct Problems {
    surface: Surface,
    found: Vec<String>,
}

impl Problems {
    fn add(&mut self, what: impl std::fmt::Display, at: &str) {
        self.found.push(format!("{what} [json-pointer:{at}]"));
    }

    fn view(&mut self, view: &Map<String, Value>) {
        const AT: &str = "/view";
        if self.surface == Surface::Modal {
            self.members(view, std::slice::from_ref(&rules::TITLE), AT);
        }
        match view.get("blocks") {
            Some(Value::Array(list)) => self.blocks(list, "/view/blocks"),
            Some(_) => self.add("must be an array", "/view/blocks"),
            None => self.add("missing required field: blocks", AT),
        }
        self.members(view, rules::VIEW, AT);
        let asks = |block: &Value| block["type"] == "input";
        let has_input = view.get("blocks").and_then(Value::as_array).is_some_and(|list| list.iter().any(asks));
        if self.surface == Surface::Modal && has_input && view.get("submit").is_none_or(Value::is_null) {
            self.add("missing required field: submit", AT);
        }
    }

    fn blocks(&mut self, blocks: &[Value], at: &str) {
        let most = if self.surface == Surface::Message { MESSAGE_BLOCKS_MAX } else { VIEW_BLOCKS_MAX };
        if blocks.len() > most {
            self.add(format_args!("no more than {most} items allowed"), at);
        }
        let mut ids = BTreeSet::new();
        for (n, block) in blocks.iter().enumerate() {
            let at = format!("{at}/{n}");
            let Some(members) = block.as_object() else {
                self.add("must be an object", &at);
                continue;
            };
            if let Some(kind) = self.kind(members, BLOCKS, &at) {
                if kind.surfaces.contains(&self.surface) {
                    self.block(kind, members, &at);
                } else {
                    self.add(format_args!("unsupported type: {}", kind.name), &format!("{at}/type"));
                }
            }
            self.string(members, "block_id", 255, &at);
            if let Some(id) = members.get("block_id").and_then(Value::as_str)
                && !ids.insert(id)
            {
                self.add(format_args!("block_id \"{id}\" already exists"), &format!("{at}/block_id"));
            }
        }
    }

    /// The kind that an object says to be of.
    fn kind(&mut self, object: &Map<String, Value>, kinds: &'static [Kind], at: &str) -> Option<&'static Kind> {
        let Some(name) = object.get("type").and_then(Value::as_str) else {
            self.add("missing required field: type", at);
            return None;
        };
        let kind = Kind::of(kinds, name);
        if kind.is_none() {
            self.add(format_args!("unsupported type: {name}"), &format!("{at}/type"));
        }
        kind
    }

    fn block(&mut self, kind: &Kind, block: &Map<String, Value>, at: &str) {
        self.members(block, kind.members, at);
        match kind.name {
            "section" if !["text", "fields"].iter().any(|name| block.contains_key(*name)) => {
                self.add("missing required field: text", at);
            }
            "image" => self.image(block, at),
            "table" => self.table(block, at),
            _ => {}
        }
        // What is in members that no rule names is not looked into, but must be what it says.
        for name in ["accessory", "element"] {
            let is_known = kind.members.iter().any(|member| member.0 == name);
            if !is_known && block.get(name).is_some_and(|part| !part.is_object()) {
                self.add("must be an object", &format!("{at}/{name}"));
            }
        }
    }

    fn image(&mut self, image: &Map<String, Value>, at: &str) {
        if !["image_url", "slack_file"].iter().any(|name| image.contains_key(*name)) {
            self.add("missing required field: image_url", at);
        }
        if let Some(id) = image.get("slack_file").and_then(|file| file.get("id")).and_then(Value::as_str)
            && !is_file_id(id)
        {
            self.add("input must match regex pattern: ^[F][A-Z0-9]{8,}$", &format!("{at}/slack_file/id"));
        }
    }

    fn table(&mut self, table: &Map<String, Value>, at: &str) {
        let rows = table.get("rows").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if rows.len() > 100 {
            self.add("no more than 100 items allowed", &format!("{at}/rows"));
        }
        for (n, row) in rows.iter().enumerate() {
            match row.as_array() {
                None => self.add("must be an array", &format!("{at}/rows/{n}")),
                Some(cells) if cells.len() > 20 => {
                    self.add("no more than 20 items allowed", &format!("{at}/rows/{n}"));
                }
                Some(_) => {}
            }
        }
    }

    fn members(&mut self, owner: &Map<String, Value>, members: &[Member], at: &str) {
        for Member(name, required, rule) in members {
            match owner.get(*name) {
                None | Some(Value::Null) if *required => self.add(format_args!("missing required field: {name}"), at),
                None | Some(Value::Null) => {}
                Some(value) => self.value(value, *rule, &format!("{at}/{name}")),
            }
        }
    }

    fn value(&mut self, value: &Value, rule: Rule, at: &str) {
        match rule {
            Rule::Plain(most) => self.text_object(value, most, Labels::Plain, at),
            Rule::Text(most) => self.text_object(value, most, Labels::Any, at),
            Rule::Str(most) => self.characters(value, most, at),
            Rule::Url(most) => self.url(value, most, at),
            Rule::Bool if !value.is_boolean() => self.add("must be a boolean", at),
            Rule::Int(least, most) => self.integer(value, least, most, at),
            Rule::OneOf(words) => self.word(value, words, at),
            Rule::Date => self.shaped(value, "0000-00-00", at),
            Rule::Time => self.shaped(value, "00:00", at),
            Rule::Confirm => self.confirm(value, at),
            Rule::Choice(labels) => self.choice(value, labels, at),
            Rule::Choices(most, labels) => self.choices(value, most, labels, at),
            Rule::Groups => self.groups(value, at),
            Rule::Strings(most) => self.list(value, most, at, |problems, item, at| {
                problems.characters(item, 3000, at);
            }),
            Rule::Objects(most) => self.objects(value, most, at),
            Rule::Object if !value.is_object() => self.add("must be an object", at),
            Rule::Texts(items, most) => self.texts(value, items, most, at),
            Rule::Element(kinds) => self.element(value, kinds, at),
            Rule::Elements(most, kinds) => self.elements(value, most, kinds, at),
            Rule::Bool | Rule::Object | Rule::Any => {}
        }
    }

    fn list(&mut self, value: &Value, most: usize, at: &str, mut check: impl FnMut(&mut Self, &Value, &str)) {
        let Some(items) = value.as_array() else { return self.add("must be an array", at) };
        if items.len() > most {
            self.add(format_args!("no more than {most} items allowed"), at);
        }
        for (n, item) in items.iter().enumerate() {
            check(self, item, &format!("{at}/{n}"));
        }
    }

    fn objects(&mut self, value: &Value, most: usize, at: &str) {
        self.list(value, most, at, |problems, item, at| {
            if !item.is_object() {
                problems.add("must be an object", at);
            }
        });
    }

    fn texts(&mut self, value: &Value, items: usize, most: usize, at: &str) {
        if value.as_array().is_some_and(Vec::is_empty) {
            self.add("must have at least 1 item", at);
        }
        self.list(value, items, at, |problems, item, at| problems.text_object(item, most, Labels::Any, at));
    }

    fn elements(&mut self, value: &Value, most: usize, kinds: &[&str], at: &str) {
        if value.as_array().is_some_and(Vec::is_empty) {
            self.add("must have at least 1 item", at);
        }
        let mut ids = BTreeSet::new();
        self.list(value, most, at, |problems, element, at| {
            problems.element(element, kinds, at);
            if let Some(id) = element["action_id"].as_str()
                && !ids.insert(id.to_owned())
            {
                problems.add(format_args!("`action_id` \"{id}\" already exists"), &format!("{at}/action_id"));
            }
        });
    }

    fn element(&mut self, element: &Value, kinds: &[&str], at: &str) {
        let Some(members) = element.as_object() else { return self.add("must be an object", at) };
        match members.get("type").and_then(Value::as_str) {
            None => self.add("missing required field: type", at),
            Some(kind) if !kinds.contains(&kind) => {
                self.add(format_args!("unsupported type: {kind}"), &format!("{at}/type"));
            }
            Some("mrkdwn" | "plain_text") => self.text_object(element, 2000, Labels::Any, at),
            Some(_) => {
                if let Some(kind) = self.kind(members, ELEMENTS, at) {
                    self.members(members, kind.members, at);
                    self.whole(kind, members, at);
                }
            }
        }
        self.string(members, "action_id", 255, at);
    }

    /// What holds of an element's members together.
    fn whole(&mut self, kind: &Kind, element: &Map<String, Value>, at: &str) {
        let number = |name: &str| element.get(name).and_then(Value::as_i64);
        match kind.name {
            "static_select" | "multi_static_select"
                if !["options", "option_groups"].iter().any(|name| element.contains_key(*name)) =>
            {
                self.add("missing required field: options", at);
            }
            "plain_text_input" if number("min_length") > number("max_length") && number("max_length").is_some() => {
                self.add("`min_length` must be less than or equal to `max_length`", &format!("{at}/min_length"));
            }
            "image" => self.image(element, at),
            _ => {}
        }
    }

    fn text_object(&mut self, text: &Value, most: usize, labels: Labels, at: &str) {
        let Some(members) = text.as_object() else { return self.add("must be an object", at) };
        match members.get("type").and_then(Value::as_str) {
            Some("plain_text") => {}
            Some("mrkdwn") if labels == Labels::Any => {}
            Some(kind) => self.add(format_args!("unsupported type: {kind}"), &format!("{at}/type")),
            None => self.add("missing required field: type", at),
        }
        match members.get("text").and_then(Value::as_str) {
            None => self.add("missing required field: text", at),
            Some("") => self.add("must be more than 0 characters", &format!("{at}/text")),
            Some(_) => self.string(members, "text", most, at),
        }
    }

    fn choices(&mut self, value: &Value, most: usize, labels: Labels, at: &str) {
        if value.as_array().is_some_and(Vec::is_empty) {
            self.add("must have at least 1 item", at);
        }
        self.list(value, most, at, |problems, option, at| problems.choice(option, labels, at));
    }

    fn choice(&mut self, option: &Value, labels: Labels, at: &str) {
        const MEMBERS: &[Member] = &[
            Member("value", true, Rule::Str(150)),
            Member("description", false, Rule::Text(75)),
            Member("url", false, Rule::Url(3000)),
        ];
        let Some(members) = option.as_object() else { return self.add("must be an object", at) };
        match members.get("text") {
            Some(text) => self.text_object(text, 75, labels, &format!("{at}/text")),
            None => self.add("missing required field: text", at),
        }
        self.members(members, MEMBERS, at);
    }

    fn groups(&mut self, value: &Value, at: &str) {
        const MEMBERS: &[Member] =
            &[Member("label", true, Rule::Plain(75)), Member("options", true, Rule::Choices(100, Labels::Plain))];
        self.list(value, 100, at, |problems, group, at| match group.as_object() {
            Some(group) => problems.members(group, MEMBERS, at),
            None => problems.add("must be an object", at),
        });
    }

    fn confirm(&mut self, value: &Value, at: &str) {
        const MEMBERS: &[Member] = &[
            Member("title", true, Rule::Plain(100)),
            Member("text", true, Rule::Text(300)),
            Member("confirm", true, Rule::Plain(30)),
            Member("deny", true, Rule::Plain(30)),
            Member("style", false, Rule::OneOf(&["primary", "danger"])),
        ];
        match value.as_object() {
            Some(dialog) => self.members(dialog, MEMBERS, at),
            None => self.add("must be an object", at),
        }
    }

    fn word(&mut self, value: &Value, words: &[&str], at: &str) {
        match value.as_str() {
            Some(word) if words.contains(&word) => {}
            Some(word) => self.add(format_args!("must be a valid enum value: {word}"), at),
            None => self.add("must be a string", at),
        }
    }

    fn integer(&mut self, value: &Value, least: i64, most: i64, at: &str) {
        match value.as_i64() {
            None => self.add("must be an integer", at),
            Some(number) if number < least => self.add(format_args!("must be greater than {}", least - 1), at),
            Some(number) if number > most => self.add(format_args!("must be less than {}", most + 1), at),
            Some(_) => {}
        }
    }

    /// A text in which each `0` of the pattern is a digit.
    fn shaped(&mut self, value: &Value, pattern: &str, at: &str) {
        let fits = |text: &str| {
            let pairs = text.bytes().zip(pattern.bytes());
            text.len() == pattern.len()
                && pairs
                    .into_iter()
                    .all(|(byte, wanted)| if wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted })
        };
        match value.as_str() {
            None => self.add("must be a string", at),
            Some(text) if fits(text) => {}
            Some(_) => self.add("failed to match the required pattern", at),
        }
    }

    fn url(&mut self, value: &Value, most: usize, at: &str) {
        self.characters(value, most, at);
        if let Some(text) = value.as_str()
            && url::Url::parse(text).is_err()
        {
            self.add("must be a valid URL", at);
        }
    }

    fn characters(&mut self, value: &Value, most: usize, at: &str) {
        match value.as_str() {
            None => self.add("must be a string", at),
            Some(text) if text.chars().count() <= most => {}
            Some(_) => self.add(format_args!("must be less than {} characters", most + 1), at),
        }
    }

    fn string(&mut self, owner: &Map<String, Value>, name: &str, most: usize, at: &str) {
        if let Some(value) = owner.get(name).filter(|value| !value.is_null()) {
            self.characters(value, most, &format!("{at}/{name}"));
        }
    }
}

fn is_file_id(id: &str) -> bool {
    id.len() >= 9 && id.starts_with('F') && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}
