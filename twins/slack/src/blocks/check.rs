//! The checks that Slack makes before it takes blocks and views: each problem in its words, with its place.
//!
//! The words are those of the validator that Slack has published (<https://github.com/slackhq/hack-json-schema>), as
//! far as a schema says them; the others are what people were told. A member that no page names is refused, and so is
//! one that is null.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::rules::{self, BLOCKS, ELEMENTS, Kind, Labels, Member, Rule, Surface};

/// The most blocks of one message.
const MESSAGE_BLOCKS_MAX: usize = 50;
/// The most blocks of one view.
const VIEW_BLOCKS_MAX: usize = 100;
/// What Slack says of an object that must be right in two ways at once, before what is wrong with it.
pub(crate) const ALL_OF: &str = "failed to match all allowed schemas";

/// What is wrong with blocks, which `at` points to; nothing where they pass.
pub(super) fn blocks(blocks: &[Value], surface: Surface, at: &str) -> Vec<String> {
    let mut problems = Problems { surface, found: Vec::new() };
    problems.blocks(blocks, at);
    problems.found
}

/// What is wrong with a view.
pub(super) fn view(view: &Map<String, Value>, surface: Surface) -> Vec<String> {
    let mut problems = Problems { surface, found: Vec::new() };
    problems.all_of("/view", |problems| problems.view(view));
    if problems.found.is_empty() {
        problems.submit(view);
    }
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

    /// Puts in front of what is found that it is several things at once.
    fn all_of(&mut self, at: &str, check: impl FnOnce(&mut Self)) {
        let before = self.found.len();
        check(self);
        if self.found.len() > before {
            self.found.insert(before, format!("{ALL_OF} [json-pointer:{at}]"));
        }
    }

    fn view(&mut self, view: &Map<String, Value>) {
        const AT: &str = "/view";
        let members = if self.surface == Surface::Modal { rules::MODAL } else { rules::HOME };
        self.members(view, members, &["type"], AT);
    }

    /// Slack looks for what goes with inputs once all else is right.
    fn submit(&mut self, view: &Map<String, Value>) {
        let blocks = view.get("blocks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let input = blocks.iter().position(|block| block["type"] == "input");
        if let (Some(n), Surface::Modal, None) = (input, self.surface, view.get("submit")) {
            let at = format!("/view/blocks/{n}/input");
            self.add("must define `submit` to use an `input` block in modals", &at);
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
            self.block(block, &at);
            if let Some(id) = block["block_id"].as_str()
                && !ids.insert(id)
            {
                self.add(format_args!("`block_id` \"{id}\" already exists"), &format!("{at}/block_id"));
            }
        }
    }

    fn block(&mut self, block: &Value, at: &str) {
        let surface = self.surface;
        let Some((kind, members)) = self.kind(block, BLOCKS, |kind| kind.surfaces.contains(&surface), at) else {
            return;
        };
        self.members(members, kind.members, &["type", "block_id"], at);
        self.name(members, "block_id", at);
        self.whole_block(kind, members, at);
    }

    /// An object, and the kind that it says to be of, if that is one that may stand here.
    fn kind<'a>(
        &mut self,
        value: &'a Value,
        kinds: &'static [Kind],
        fits: impl Fn(&Kind) -> bool,
        at: &str,
    ) -> Option<(&'static Kind, &'a Map<String, Value>)> {
        let Some(members) = value.as_object() else {
            self.add("must provide an object", at);
            return None;
        };
        let name = match members.get("type") {
            None => {
                self.add("missing required field: type", at);
                return None;
            }
            Some(Value::String(name)) => name,
            Some(_) => {
                self.add("must provide a string", &format!("{at}/type"));
                return None;
            }
        };
        let kind = Kind::of(kinds, name).filter(|kind| fits(kind));
        if kind.is_none() {
            self.add(format_args!("unsupported type: {name}"), &format!("{at}/type"));
        }
        kind.map(|kind| (kind, members))
    }

    /// What holds of a block's members together.
    fn whole_block(&mut self, kind: &Kind, block: &Map<String, Value>, at: &str) {
        let has = |names: &[&str]| names.iter().any(|name| block.contains_key(*name));
        match kind.name {
            "section" if !has(&["text", "fields"]) => {
                self.add("must define either `text` or `fields`", &format!("{at}/type"));
            }
            "card" if !has(&["hero_image", "title", "actions", "body"]) => {
                self.add("must define one of `hero_image`, `title`, `actions` or `body`", &format!("{at}/type"));
            }
            "container" if !has(&["title", "rich_text_title"]) => self.add("missing required field: title", at),
            "image" => self.image(block, at),
            "data_table" => self.rows_alike(block, at),
            _ => {}
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

    /// The rows of a data table are of one length, and the first names the columns.
    fn rows_alike(&mut self, table: &Map<String, Value>, at: &str) {
        let rows = table.get("rows").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let cells = |row: &Value| row.as_array().map_or(0, Vec::len);
        for (n, row) in rows.iter().enumerate().skip(1) {
            if cells(row) != cells(&rows[0]) {
                self.add("must have as many items as the first row", &format!("{at}/rows/{n}"));
            }
        }
        let head = rows.first().and_then(Value::as_array).into_iter().flatten();
        for (n, _) in head.enumerate().filter(|(_, cell)| cell["type"] == "rich_text") {
            self.add("unsupported type: rich_text", &format!("{at}/rows/0/{n}/type"));
        }
    }

    /// The members of an object: what must be there, what each holds, and that there are no others besides `also`.
    fn members(&mut self, owner: &Map<String, Value>, members: &[Member], also: &[&str], at: &str) {
        let before = self.found.len();
        for Member(name, ..) in members.iter().filter(|member| member.1 && !owner.contains_key(member.0)) {
            self.add(format_args!("missing required field: {name}"), at);
        }
        // Where something is missing, Slack looks no further into the object.
        if self.found.len() > before || members.iter().any(|member| matches!(member.2, Rule::Open)) {
            return;
        }
        for Member(name, _, rule) in members {
            if let Some(value) = owner.get(*name) {
                self.value(value, *rule, &format!("{at}/{name}"));
            }
        }
        let is_known = |name: &str| also.contains(&name) || members.iter().any(|member| member.0 == name);
        for name in owner.keys().filter(|name| !is_known(name)) {
            self.add(format_args!("invalid additional property: {name}"), at);
        }
    }

    fn value(&mut self, value: &Value, rule: Rule, at: &str) {
        match rule {
            Rule::Plain(most) => self.text_object(value, most, Labels::Plain, at),
            Rule::Text(most) => self.text_object(value, most, Labels::Any, at),
            Rule::Str(most) => self.characters(value, most, at),
            Rule::Words(most) => self.words(value, most, at),
            Rule::Url(most) => self.url(value, most, at),
            Rule::Bool if !value.is_boolean() => self.add("must be a boolean", at),
            Rule::Int(least, most) => self.integer(value, least, most, at),
            Rule::Number if !value.is_number() => self.add("must provide a number", at),
            Rule::OneOf(words) => self.word(value, words, at),
            Rule::Date => self.shaped(value, "0000-00-00", r"^\d{4}-\d{2}-\d{2}$", at),
            Rule::Time => self.shaped(value, "00:00", r"^\d{2}:\d{2}$", at),
            Rule::Confirm => self.shape(value, rules::CONFIRMATION, at),
            Rule::Choice(labels) => self.choice(value, labels, at),
            Rule::Choices(most, labels) => self.list(value, (1, most), at, |problems, option, at| {
                problems.choice(option, labels, at);
            }),
            Rule::Groups => self.list(value, (0, 100), at, |problems, group, at| {
                problems.shape(group, rules::GROUP, at);
            }),
            Rule::Strings(most) => self.list(value, (0, most), at, |problems, item, at| {
                problems.characters(item, 3000, at);
            }),
            Rule::EachOf(words) => self.list(value, (0, usize::MAX), at, |problems, item, at| {
                problems.word(item, words, at);
            }),
            Rule::Object if !value.is_object() => self.add("must provide an object", at),
            Rule::Shape(members) => self.shape(value, members, at),
            Rule::Shapes(bounds, members) => self.list(value, bounds, at, |problems, item, at| {
                problems.shape(item, members, at);
            }),
            Rule::Columns(most, members) => self.list(value, (0, most), at, |problems, item, at| {
                if !item.is_null() {
                    problems.shape(item, members, at);
                }
            }),
            Rule::Typed(kinds) => self.typed(value, kinds, at),
            Rule::TypedList(bounds, kinds) => self.list(value, bounds, at, |problems, item, at| {
                problems.typed(item, kinds, at);
            }),
            Rule::Rows(rows, cells, kinds) => self.list(value, rows, at, |problems, row, at| {
                problems.list(row, cells, at, |problems, cell, at| problems.typed(cell, kinds, at));
            }),
            Rule::Blocks(most) if value.is_array() => self.list(value, (0, most), at, Self::block),
            Rule::Surface => match value.as_array() {
                Some(list) => self.blocks(list, at),
                None => self.add("must provide an array", at),
            },
            Rule::Blocks(_) => self.add("must provide an array", at),
            Rule::Texts(items, most) => self.list(value, (1, items), at, |problems, item, at| {
                problems.text_object(item, most, Labels::Any, at);
            }),
            Rule::Element(kinds) => self.element(value, kinds, at),
            Rule::Elements(most, kinds) => self.elements(value, most, kinds, at),
            Rule::Bool | Rule::Number | Rule::Object | Rule::Any | Rule::Open => {}
        }
    }

    fn list(
        &mut self,
        value: &Value,
        (least, most): (usize, usize),
        at: &str,
        mut check: impl FnMut(&mut Self, &Value, &str),
    ) {
        let Some(items) = value.as_array() else { return self.add("must provide an array", at) };
        if items.len() < least {
            return self.add(format_args!("must provide at least {least} items"), at);
        }
        if items.len() > most {
            self.add(format_args!("no more than {most} items allowed"), at);
        }
        for (n, item) in items.iter().enumerate() {
            check(self, item, &format!("{at}/{n}"));
        }
    }

    fn shape(&mut self, value: &Value, members: &[Member], at: &str) {
        match value.as_object() {
            Some(object) => self.members(object, members, &[], at),
            None => self.add("must provide an object", at),
        }
    }

    fn typed(&mut self, value: &Value, kinds: &'static [Kind], at: &str) {
        if let Some((kind, members)) = self.kind(value, kinds, |_| true, at) {
            // A whole block within another, as rich text in a cell, may have an id.
            let also: &[&str] = if kind.surfaces.is_empty() { &["type"] } else { &["type", "block_id"] };
            self.members(members, kind.members, also, at);
            if kind.name == "image" {
                self.image(members, at);
            }
        }
    }

    fn elements(&mut self, value: &Value, most: usize, kinds: &[&str], at: &str) {
        let mut ids = BTreeSet::new();
        self.list(value, (1, most), at, |problems, element, at| {
            problems.element(element, kinds, at);
            if let Some(id) = element["action_id"].as_str()
                && !ids.insert(id.to_owned())
            {
                problems.add(format_args!("`action_id` \"{id}\" already exists"), &format!("{at}/action_id"));
            }
        });
    }

    fn element(&mut self, element: &Value, kinds: &[&str], at: &str) {
        let Some((kind, members)) = self.kind(element, ELEMENTS, |kind| kinds.contains(&kind.name), at) else { return };
        let also: &[&str] = if rules::is_interactive(kind.name) { &["type", "action_id"] } else { &["type"] };
        self.members(members, kind.members, also, at);
        self.name(members, "action_id", at);
        self.whole(kind, members, at);
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
        self.all_of(at, |problems| match labels {
            Labels::Any => {
                if let Some((kind, members)) = problems.kind(text, rules::TEXTS, |_| true, at) {
                    problems.text_members(members, kind.members, most, at);
                }
            }
            Labels::Plain => match text.as_object() {
                None => problems.add("must provide an object", at),
                Some(members) if members.get("type").is_some_and(|kind| kind != "plain_text") => {
                    problems.add("must be a valid enum value", &format!("{at}/type"));
                }
                Some(members) if !members.contains_key("type") => problems.add("missing required field: type", at),
                Some(members) => problems.text_members(members, rules::PLAIN_TEXT, most, at),
            },
        });
    }

    fn text_members(&mut self, text: &Map<String, Value>, members: &[Member], most: usize, at: &str) {
        self.members(text, members, &["type"], at);
        if let Some(words) = text.get("text").filter(|words| words.is_string()) {
            self.characters(words, most, &format!("{at}/text"));
        }
    }

    fn choice(&mut self, option: &Value, labels: Labels, at: &str) {
        let members = if labels == Labels::Plain { rules::PLAIN_OPTION } else { rules::OPTION };
        self.shape(option, members, at);
    }

    fn word(&mut self, value: &Value, words: &[&str], at: &str) {
        match value.as_str() {
            Some(word) if words.contains(&word) => {}
            Some(_) => self.add("must be a valid enum value", at),
            None => self.add("must provide a string", at),
        }
    }

    fn integer(&mut self, value: &Value, least: i64, most: i64, at: &str) {
        match value.as_i64() {
            None => self.add("must provide an integer", at),
            Some(number) if number < least => self.add(format_args!("must be greater than {least}"), at),
            Some(number) if number > most => self.add(format_args!("must be less than {most}"), at),
            Some(_) => {}
        }
    }

    /// A text in which each `0` of the form is a digit.
    fn shaped(&mut self, value: &Value, form: &str, pattern: &str, at: &str) {
        let fits = |text: &str| {
            let mut pairs = text.bytes().zip(form.bytes());
            text.len() == form.len()
                && pairs.all(|(byte, wanted)| if wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted })
        };
        match value.as_str() {
            None => self.add("must provide a string", at),
            Some(text) if fits(text) => {}
            Some(_) => self.add(format_args!("input must match regex pattern: {pattern}"), at),
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
            None => self.add("must provide a string", at),
            Some(text) if text.chars().count() <= most => {}
            Some(_) => self.add(format_args!("must be less than {} characters", most + 1), at),
        }
    }

    /// Characters, of which there is at least one.
    fn words(&mut self, value: &Value, most: usize, at: &str) {
        if value == "" {
            self.add("must be more than 0 characters", at);
        }
        self.characters(value, most, at);
    }

    fn name(&mut self, owner: &Map<String, Value>, name: &str, at: &str) {
        if let Some(value) = owner.get(name) {
            self.words(value, rules::NAME_MAX, &format!("{at}/{name}"));
        }
    }
}

fn is_file_id(id: &str) -> bool {
    id.len() >= 9 && id.starts_with('F') && id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}
