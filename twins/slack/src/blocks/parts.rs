//! What the richer blocks are made of, as tables: runs of rich text, cells, charts, cards, tasks.
//!
//! <https://docs.slack.dev/reference/block-kit/blocks>

use super::rules::{
    ALL, Kind, MANY, Member,
    Rule::{
        Blocks, Bool, Element, Elements, Int, Number, Object, OneOf, Open, Plain, Rows, Shape, Shapes, Str, Text,
        Typed, TypedList, Url, Words,
    },
    may, must,
};

const fn part(name: &'static str, members: &'static [Member]) -> Kind {
    Kind { name, members, surfaces: &[] }
}

/// The members of rich text.
pub(super) const RICH_TEXT: &[Member] = &[must("elements", TypedList((1, usize::MAX), PARAGRAPHS))];
/// Rich text within something else, where it may have a `block_id` as well.
pub(super) const RICH_TEXTS: &[Kind] = &[Kind { name: "rich_text", members: RICH_TEXT, surfaces: ALL }];

/// What rich text consists of.
const PARAGRAPHS: &[Kind] = &[
    part(
        "rich_text_list",
        &[
            must("style", OneOf(&["bullet", "ordered"])),
            must("elements", TypedList(MANY, SECTIONS)),
            may("indent", Int(0, 8)),
            may("offset", Int(0, i64::MAX)),
            BORDER,
        ],
    ),
    part(
        "rich_text_preformatted",
        &[must("elements", TypedList(MANY, RUNS)), may("language", Str(usize::MAX)), BORDER],
    ),
    part("rich_text_quote", &[must("elements", TypedList(MANY, RUNS)), BORDER]),
    part("rich_text_section", SECTION),
];
const SECTIONS: &[Kind] = &[part("rich_text_section", SECTION)];
const SECTION: &[Member] = &[must("elements", TypedList(MANY, RUNS))];
const BORDER: Member = may("border", Int(0, 1));

/// What a paragraph consists of. Slack's page names kinds whose members it does not tell: nothing is looked at of them.
const RUNS: &[Kind] = &[
    part("attachment_mention", OPEN),
    part("broadcast", &[must("range", OneOf(&["here", "channel", "everyone"])), STYLE]),
    part("canvas", OPEN),
    part("canvas_message_unfurl", OPEN),
    part("canvas_user_mention", OPEN),
    part("channel", &[must("channel_id", Words(255)), STYLE]),
    part("citation", OPEN),
    part("color", &[must("value", Words(255)), STYLE]),
    part(
        "date",
        &[
            must("timestamp", Int(i64::MIN, i64::MAX)),
            must("format", Words(usize::MAX)),
            may("url", Url(usize::MAX)),
            may("fallback", Str(usize::MAX)),
            STYLE,
        ],
    ),
    part(
        "emoji",
        &[
            must("name", Words(255)),
            may("unicode", Str(255)),
            may("url", Str(usize::MAX)),
            may("skin_tone", Int(2, 6)),
            may("display_url", Str(usize::MAX)),
            may("display_team_id", Str(255)),
            STYLE,
        ],
    ),
    part("file", OPEN),
    part("link", &[must("url", Words(usize::MAX)), may("text", Str(usize::MAX)), may("unsafe", Bool), STYLE]),
    part("list_record", OPEN),
    part("message_mention", OPEN),
    part("salesforce_data_field", OPEN),
    part("tag", OPEN),
    part("team", &[must("team_id", Words(255)), STYLE]),
    part("text", &[must("text", Words(usize::MAX)), STYLE]),
    part("user", &[must("user_id", Words(255)), STYLE]),
    part("usergroup", &[must("usergroup_id", Words(255)), STYLE]),
    part("work_object_mention", OPEN),
    part("workflow_mention", OPEN),
];
const OPEN: &[Member] = &[may("", Open)];
const STYLE: Member = may("style", Shape(STYLES));
const STYLES: &[Member] = &[
    may("bold", Bool),
    may("italic", Bool),
    may("strike", Bool),
    may("code", Bool),
    may("underline", Bool),
    may("highlight", Bool),
    may("client_highlight", Bool),
    may("unlink", Bool),
];

/// The cells of tables.
pub(super) const CELLS: &[Kind] = &[
    part("raw_number", &[must("value", Number), may("text", Str(usize::MAX))]),
    part("raw_text", &[must("text", Words(usize::MAX))]),
    Kind { name: "rich_text", members: RICH_TEXT, surfaces: ALL },
];
/// How a column of a table is shown.
pub(super) const COLUMN: &[Member] = &[may("align", OneOf(&["left", "center", "right"])), may("is_wrapped", Bool)];
/// A table that people can sort and filter.
pub(super) const DATA_TABLE: &[Member] = &[
    must("rows", Rows((2, 101), (1, 20), CELLS)),
    must("caption", Words(usize::MAX)),
    may("page_size", Int(1, 100)),
    may("row_header_column_index", Int(0, 19)),
];

/// The kinds of charts.
pub(super) const CHARTS: &[Kind] = &[
    part("area", SERIES),
    part("bar", SERIES),
    part("line", SERIES),
    part("pie", &[must("segments", Shapes((1, 6), POINT))]),
];
const SERIES: &[Member] = &[must("series", Shapes((1, 6), ONE_SERIES)), must("axis_config", Object)];
const ONE_SERIES: &[Member] = &[must("name", Words(usize::MAX)), must("data", Shapes((1, usize::MAX), POINT))];
const POINT: &[Member] = &[must("label", Words(usize::MAX)), must("value", Number)];

/// A picture beside or in something else.
pub(super) const IMAGE: &[Member] =
    &[must("alt_text", Str(2000)), may("image_url", Url(3000)), may("slack_file", Object)];
const IMAGES: &[Kind] = &[part("image", IMAGE)];
const ICON: &[Member] = &[must("name", Words(255))];
const ICONS: &[Kind] = &[part("icon", ICON)];

/// A card: at least one of its picture, title, words and buttons is there.
pub(super) const CARD: &[Member] = &[
    may("hero_image", Typed(IMAGES)),
    may("icon", Typed(IMAGES)),
    may("slack_icon", Typed(ICONS)),
    may("title", Text(150)),
    may("subtitle", Text(150)),
    may("subtext", Text(200)),
    may("body", Text(200)),
    may("actions", Elements(3, &["button"])),
];
/// Cards as what others are made of.
pub(super) const CARDS: &[Kind] = &[Kind { name: "card", members: CARD, surfaces: ALL }];

/// What groups other blocks.
pub(super) const CONTAINER: &[Member] = &[
    must("child_blocks", Blocks(10)),
    may("title", Plain(150)),
    may("rich_text_title", Typed(RICH_TEXTS)),
    may("subtitle", Text(150)),
    may("width", OneOf(&["narrow", "standard", "wide", "full"])),
    may("icon", Typed(IMAGES)),
    may("is_collapsible", Bool),
    may("default_collapsed", Bool),
    may("has_header_divider", Bool),
];

/// One thing that an app does for somebody. The title is bare words: a text object is refused.
pub(super) const TASK: &[Member] = &[
    must("task_id", Words(255)),
    must("title", Words(usize::MAX)),
    may("details", Typed(RICH_TEXTS)),
    may("output", Typed(RICH_TEXTS)),
    may("sources", TypedList(MANY, SOURCES)),
    may("status", OneOf(&["pending", "in_progress", "complete", "error"])),
];
/// Tasks as what a plan is made of.
pub(super) const TASKS: &[Kind] = &[Kind { name: "task_card", members: TASK, surfaces: ALL }];
const SOURCES: &[Kind] = &[part("url", &[must("url", Url(usize::MAX)), must("text", Words(usize::MAX))])];

/// A service that somebody may connect with their account.
pub(super) const AUTH_PROVIDER: &[Member] = &[
    must("value", Words(150)),
    must("name", Plain(75)),
    must("is_connected", Bool),
    may("description", Plain(150)),
    may("icon_url", Url(3000)),
    may("auth_url", Url(3000)),
    may("disconnect_url", Url(3000)),
    may("connected_identity", Plain(75)),
    may("connected_context", Plain(75)),
    may("accessory", Element(&["overflow"])),
    may("fallback", Blocks(usize::MAX)),
];
