//! What Block Kit allows, as tables: the members of each block and element, and how far each goes.
//!
//! <https://docs.slack.dev/reference/block-kit>

use super::parts;

/// Where blocks are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// A message or an attachment.
    Message,
    /// A modal.
    Modal,
    /// The Home tab of an app.
    Home,
}

/// What a member may hold.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// A plain text object of at most so many characters.
    Plain(usize),
    /// A text object of either type.
    Text(usize),
    /// A string of at most so many characters.
    Str(usize),
    /// A string of at least one and at most so many characters.
    Words(usize),
    /// An address of at most so many characters.
    Url(usize),
    /// True or false.
    Bool,
    /// A whole number within bounds.
    Int(i64, i64),
    /// A number.
    Number,
    /// One of some words.
    OneOf(&'static [&'static str]),
    /// `YYYY-MM-DD`.
    Date,
    /// `HH:mm`.
    Time,
    /// A confirmation dialog.
    Confirm,
    /// One option.
    Choice(Labels),
    /// A list of at most so many options.
    Choices(usize, Labels),
    /// A list of option groups.
    Groups,
    /// A list of at most so many strings.
    Strings(usize),
    /// A list of some words.
    EachOf(&'static [&'static str]),
    /// An object of which no more is looked at.
    Object,
    /// An object with these members.
    Shape(&'static [Member]),
    /// A list of such objects, at least and at most so many.
    Shapes((usize, usize), &'static [Member]),
    /// A list of at most so many such objects, in which null passes over one.
    Columns(usize, &'static [Member]),
    /// An object that says of which of these kinds it is.
    Typed(&'static [Kind]),
    /// A list of such objects, at least and at most so many.
    TypedList((usize, usize), &'static [Kind]),
    /// Rows of cells: how many of each there may be, and the kinds of cells.
    Rows((usize, usize), (usize, usize), &'static [Kind]),
    /// Blocks within a block, at most so many.
    Blocks(usize),
    /// The blocks of a view.
    Surface,
    /// A list of text objects, of at most so many items and characters each.
    Texts(usize, usize),
    /// One element of these kinds.
    Element(&'static [&'static str]),
    /// A list of at least one and at most so many elements of these kinds.
    Elements(usize, &'static [&'static str]),
    /// Anything.
    Any,
    /// What no page tells the members of: none is looked at.
    Open,
}

/// Which text objects label the options of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Labels {
    /// Plain text only.
    Plain,
    /// Either type.
    Any,
}

/// A member: its name, whether it must be there, what it may hold.
#[derive(Debug)]
pub(super) struct Member(pub(super) &'static str, pub(super) bool, pub(super) Rule);

/// A kind of block or element.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) members: &'static [Member],
    /// Where blocks of the kind may stand; unused for elements.
    pub(super) surfaces: &'static [Surface],
}

impl Kind {
    pub(super) fn of(kinds: &'static [Self], name: &str) -> Option<&'static Self> {
        kinds.iter().find(|kind| kind.name == name)
    }
}

pub(super) const fn must(name: &'static str, rule: Rule) -> Member {
    Member(name, true, rule)
}

pub(super) const fn may(name: &'static str, rule: Rule) -> Member {
    Member(name, false, rule)
}

use Labels::Plain as PlainLabels;
use Rule::{
    Any, Bool, Choice, Choices, Columns, Confirm, Date, EachOf, Element, Elements, Groups, Int, Object, OneOf, Open,
    Plain, Rows, Shape, Str, Strings, Text, Texts, Time, Typed, TypedList, Url, Words,
};
use Surface::{Home, Message, Modal};

pub(super) const ALL: &[Surface] = &[Message, Modal, Home];
pub(super) const MESSAGES: &[Surface] = &[Message];

const SELECTS: &[&str] = &[
    "channels_select",
    "conversations_select",
    "external_select",
    "multi_channels_select",
    "multi_conversations_select",
    "multi_external_select",
    "multi_static_select",
    "multi_users_select",
    "static_select",
    "users_select",
];

/// What may stand beside a section's text.
const ACCESSORIES: &[&str] = &[
    "button",
    "channels_select",
    "checkboxes",
    "conversations_select",
    "datepicker",
    "datetimepicker",
    "external_select",
    "image",
    "multi_channels_select",
    "multi_conversations_select",
    "multi_external_select",
    "multi_static_select",
    "multi_users_select",
    "overflow",
    "radio_buttons",
    "static_select",
    "timepicker",
    "users_select",
    "workflow_button",
];

const ACTIONS: &[&str] = &[
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
    "rich_text_input",
    "static_select",
    "timepicker",
    "users_select",
    "workflow_button",
];

const INPUTS: &[&str] = &[
    "channels_select",
    "checkboxes",
    "conversations_select",
    "datepicker",
    "datetimepicker",
    "email_text_input",
    "external_select",
    "file_input",
    "multi_channels_select",
    "multi_conversations_select",
    "multi_external_select",
    "multi_static_select",
    "multi_users_select",
    "number_input",
    "plain_text_input",
    "radio_buttons",
    "rich_text_input",
    "static_select",
    "timepicker",
    "url_text_input",
    "users_select",
];

/// The blocks.
pub(super) const BLOCKS: &[Kind] = &[
    Kind { name: "actions", surfaces: ALL, members: &[must("elements", Elements(25, ACTIONS))] },
    Kind {
        name: "alert",
        surfaces: &[Modal],
        members: &[must("text", Text(3000)), may("level", OneOf(&["default", "info", "warning", "error", "success"]))],
    },
    Kind { name: "auth_provider", surfaces: ALL, members: parts::AUTH_PROVIDER },
    Kind {
        name: "call",
        surfaces: MESSAGES,
        members: &[must("call_id", Str(255)), may("call", Any), may("api_decoration_available", Bool)],
    },
    Kind { name: "card", surfaces: ALL, members: parts::CARD },
    Kind { name: "carousel", surfaces: MESSAGES, members: &[must("elements", TypedList((1, 10), parts::CARDS))] },
    Kind { name: "container", surfaces: ALL, members: parts::CONTAINER },
    Kind {
        name: "context",
        surfaces: ALL,
        members: &[must("elements", Elements(10, &["image", "mrkdwn", "plain_text"]))],
    },
    Kind {
        name: "context_actions",
        surfaces: MESSAGES,
        members: &[must("elements", Elements(5, &["feedback_buttons", "icon_button"]))],
    },
    Kind { name: "data_table", surfaces: MESSAGES, members: parts::DATA_TABLE },
    Kind {
        name: "data_visualization",
        surfaces: MESSAGES,
        members: &[must("title", Words(50)), must("chart", Typed(parts::CHARTS))],
    },
    Kind { name: "divider", surfaces: ALL, members: &[] },
    Kind {
        name: "file",
        surfaces: MESSAGES,
        members: &[must("external_id", Str(255)), must("source", OneOf(&["remote"])), may("file", Any)],
    },
    Kind { name: "header", surfaces: ALL, members: &[must("text", Plain(150))] },
    Kind {
        name: "image",
        surfaces: ALL,
        members: &[
            must("alt_text", Str(2000)),
            may("image_url", Url(3000)),
            may("slack_file", Object),
            may("title", Plain(2000)),
        ],
    },
    Kind {
        name: "input",
        surfaces: ALL,
        members: &[
            must("label", Plain(2000)),
            must("element", Element(INPUTS)),
            may("hint", Plain(2000)),
            may("optional", Bool),
            may("dispatch_action", Bool),
        ],
    },
    Kind { name: "markdown", surfaces: MESSAGES, members: &[must("text", Str(12_000))] },
    Kind {
        name: "plan",
        surfaces: MESSAGES,
        members: &[
            must("title", Words(usize::MAX)),
            may("plan_id", Str(255)),
            may("tasks", TypedList(MANY, parts::TASKS)),
        ],
    },
    Kind { name: "rich_text", surfaces: ALL, members: parts::RICH_TEXT },
    Kind {
        name: "section",
        surfaces: ALL,
        members: &[
            may("text", Text(3000)),
            may("fields", Texts(10, 2000)),
            may("accessory", Element(ACCESSORIES)),
            may("expand", Bool),
        ],
    },
    Kind { name: "share_shortcut", surfaces: MESSAGES, members: &[may("", Open)] },
    Kind {
        name: "table",
        surfaces: MESSAGES,
        members: &[
            must("rows", Rows((1, 100), (1, 20), parts::CELLS)),
            may("column_settings", Columns(20, parts::COLUMN)),
        ],
    },
    Kind { name: "task_card", surfaces: MESSAGES, members: parts::TASK },
    Kind {
        name: "video",
        surfaces: ALL,
        members: &[
            must("alt_text", Str(2000)),
            must("title", Plain(200)),
            must("thumbnail_url", Url(3000)),
            must("video_url", Url(3000)),
            may("author_name", Str(50)),
            may("description", Plain(200)),
            may("provider_icon_url", Url(3000)),
            may("provider_name", Str(50)),
            may("title_url", Url(3000)),
        ],
    },
];

/// As many as one likes.
pub(super) const MANY: (usize, usize) = (0, usize::MAX);

const PLACEHOLDER: Member = may("placeholder", Plain(150));
const CONFIRM: Member = may("confirm", Confirm);
const FOCUS: Member = may("focus_on_load", Bool);
const MOST_PICKED: Member = may("max_selected_items", Int(1, i64::MAX));
const DISPATCH: Member = may("dispatch_action_config", Shape(DISPATCHES));
const DISPATCHES: &[Member] = &[may("trigger_actions_on", EachOf(&["on_enter_pressed", "on_character_entered"]))];
const SPOKEN: Member = may("accessibility_label", Str(75));
const STYLE: Member = may("style", OneOf(&["primary", "danger"]));
const QUERY: Member = may("min_query_length", Int(0, 3000));

/// The elements.
pub(super) const ELEMENTS: &[Kind] = &[
    element(
        "button",
        &[must("text", Plain(75)), may("value", Str(2000)), may("url", Url(3000)), SPOKEN, STYLE, CONFIRM],
    ),
    element("channels_select", &[PLACEHOLDER, CONFIRM, FOCUS, may("initial_channel", Str(255)), RESPONSE_URL]),
    element(
        "checkboxes",
        &[must("options", Choices(10, Labels::Any)), may("initial_options", Choices(10, Labels::Any)), CONFIRM, FOCUS],
    ),
    element(
        "conversations_select",
        &[PLACEHOLDER, CONFIRM, FOCUS, may("initial_conversation", Str(255)), DEFAULT_TO_CURRENT, FILTER, RESPONSE_URL],
    ),
    element("datepicker", &[PLACEHOLDER, CONFIRM, FOCUS, may("initial_date", Date)]),
    element("datetimepicker", &[CONFIRM, FOCUS, may("initial_date_time", Int(1_000_000_000, 9_999_999_999))]),
    element("email_text_input", &[PLACEHOLDER, FOCUS, DISPATCH, may("initial_value", Str(3000))]),
    element("external_select", &[PLACEHOLDER, CONFIRM, FOCUS, QUERY, may("initial_option", Choice(PlainLabels))]),
    element("feedback_buttons", &[must("positive_button", Shape(FEEDBACK)), must("negative_button", Shape(FEEDBACK))]),
    element("file_input", &[may("filetypes", Strings(usize::MAX)), may("max_files", Int(1, 10))]),
    element(
        "icon_button",
        &[
            must("icon", Str(255)),
            must("text", Plain(75)),
            may("value", Str(2000)),
            may("visible_to_user_ids", Strings(usize::MAX)),
            SPOKEN,
            CONFIRM,
        ],
    ),
    element("image", parts::IMAGE),
    element("mrkdwn", MRKDWN_TEXT),
    element("plain_text", PLAIN_TEXT),
    element(
        "multi_channels_select",
        &[PLACEHOLDER, CONFIRM, FOCUS, MOST_PICKED, may("initial_channels", Strings(100))],
    ),
    element(
        "multi_conversations_select",
        &[
            PLACEHOLDER,
            CONFIRM,
            FOCUS,
            MOST_PICKED,
            DEFAULT_TO_CURRENT,
            FILTER,
            may("initial_conversations", Strings(100)),
        ],
    ),
    element(
        "multi_external_select",
        &[PLACEHOLDER, CONFIRM, FOCUS, MOST_PICKED, QUERY, may("initial_options", Choices(100, PlainLabels))],
    ),
    element(
        "multi_static_select",
        &[
            PLACEHOLDER,
            CONFIRM,
            FOCUS,
            MOST_PICKED,
            may("options", Choices(100, PlainLabels)),
            may("option_groups", Groups),
            may("initial_options", Choices(100, PlainLabels)),
        ],
    ),
    element("multi_users_select", &[PLACEHOLDER, CONFIRM, FOCUS, MOST_PICKED, may("initial_users", Strings(100))]),
    element(
        "number_input",
        &[
            must("is_decimal_allowed", Bool),
            PLACEHOLDER,
            FOCUS,
            DISPATCH,
            may("initial_value", Str(3000)),
            may("min_value", Str(255)),
            may("max_value", Str(255)),
        ],
    ),
    element("overflow", &[must("options", Choices(5, PlainLabels)), CONFIRM]),
    element(
        "plain_text_input",
        &[
            PLACEHOLDER,
            FOCUS,
            DISPATCH,
            may("initial_value", Str(3000)),
            may("multiline", Bool),
            may("min_length", Int(0, 3000)),
            may("max_length", Int(1, 3000)),
        ],
    ),
    element(
        "radio_buttons",
        &[must("options", Choices(10, Labels::Any)), may("initial_option", Choice(Labels::Any)), CONFIRM, FOCUS],
    ),
    element(
        "rich_text_input",
        &[
            PLACEHOLDER,
            FOCUS,
            DISPATCH,
            may("initial_value", Typed(parts::RICH_TEXTS)),
            may("min_lines", Int(1, i64::MAX)),
            may("max_lines", Int(1, i64::MAX)),
        ],
    ),
    element(
        "static_select",
        &[
            PLACEHOLDER,
            CONFIRM,
            FOCUS,
            may("options", Choices(100, PlainLabels)),
            may("option_groups", Groups),
            may("initial_option", Choice(PlainLabels)),
        ],
    ),
    element("timepicker", &[PLACEHOLDER, CONFIRM, FOCUS, may("initial_time", Time), may("timezone", Str(255))]),
    element("url_text_input", &[PLACEHOLDER, FOCUS, DISPATCH, may("initial_value", Url(3000))]),
    element("users_select", &[PLACEHOLDER, CONFIRM, FOCUS, may("initial_user", Str(255))]),
    element("workflow_button", &[must("text", Plain(75)), must("workflow", Object), SPOKEN, STYLE, CONFIRM]),
];

const RESPONSE_URL: Member = may("response_url_enabled", Bool);
const DEFAULT_TO_CURRENT: Member = may("default_to_current_conversation", Bool);
const FILTER: Member = may("filter", Shape(FILTERS));
const FILTERS: &[Member] = &[
    may("include", EachOf(&["im", "mpim", "private", "public"])),
    may("exclude_external_shared_channels", Bool),
    may("exclude_bot_users", Bool),
];
/// One of the two buttons that ask what somebody thinks of an answer.
const FEEDBACK: &[Member] = &[must("text", Plain(75)), must("value", Str(2000)), SPOKEN];

const fn element(name: &'static str, members: &'static [Member]) -> Kind {
    Kind { name, members, surfaces: &[] }
}

/// Element types that send an action when used.
pub(crate) fn is_interactive(kind: &str) -> bool {
    !["image", "mrkdwn", "plain_text"].contains(&kind) && ELEMENTS.iter().any(|known| known.name == kind)
}

/// Element types that offer several things of which one or more are picked.
pub(crate) fn is_select(kind: &str) -> bool {
    SELECTS.contains(&kind)
}

/// The most characters of a `block_id` or `action_id`.
pub(super) const NAME_MAX: usize = 255;

/// The kinds of text objects.
pub(super) const TEXTS: &[Kind] = &[element("mrkdwn", MRKDWN_TEXT), element("plain_text", PLAIN_TEXT)];
const MRKDWN_TEXT: &[Member] = &[must("text", Words(usize::MAX)), may("verbatim", Bool)];
/// A plain text object.
pub(super) const PLAIN_TEXT: &[Member] = &[must("text", Words(usize::MAX)), may("emoji", Bool)];

/// An option whose label is plain.
pub(super) const PLAIN_OPTION: &[Member] = &[must("text", Plain(75)), VALUE, DESCRIPTION, LINK];
/// An option.
pub(super) const OPTION: &[Member] = &[must("text", Text(75)), VALUE, DESCRIPTION, LINK];
const VALUE: Member = must("value", Str(150));
const DESCRIPTION: Member = may("description", Text(75));
const LINK: Member = may("url", Url(3000));
/// A group of options.
pub(super) const GROUP: &[Member] = &[must("label", Plain(75)), must("options", Choices(100, PlainLabels))];
/// What asks once more before something is done.
pub(super) const CONFIRMATION: &[Member] =
    &[must("title", Plain(100)), must("text", Text(300)), must("confirm", Plain(30)), must("deny", Plain(30)), STYLE];

const OWN_DATA: Member = may("private_metadata", Str(3000));
const CALLBACK_ID: Member = may("callback_id", Str(255));
const EXTERNAL_ID: Member = may("external_id", Str(255));
const CLEAR_ON_CLOSE: Member = may("clear_on_close", Bool);
const NOTIFY_ON_CLOSE: Member = may("notify_on_close", Bool);
const SUBMIT: Member = may("submit", Plain(24));
const CLOSE: Member = may("close", Plain(24));
const SUBMIT_DISABLED: Member = may("submit_disabled", Bool);
const VIEW_BLOCKS: Member = must("blocks", Rule::Surface);

/// The members of a modal.
pub(super) const MODAL: &[Member] = &[
    must("title", Plain(24)),
    VIEW_BLOCKS,
    OWN_DATA,
    CALLBACK_ID,
    EXTERNAL_ID,
    CLEAR_ON_CLOSE,
    NOTIFY_ON_CLOSE,
    SUBMIT,
    CLOSE,
    SUBMIT_DISABLED,
];

/// The members of a Home tab; what modals alone use is taken as well.
pub(super) const HOME: &[Member] = &[
    VIEW_BLOCKS,
    OWN_DATA,
    CALLBACK_ID,
    EXTERNAL_ID,
    may("title", Plain(24)),
    CLEAR_ON_CLOSE,
    NOTIFY_ON_CLOSE,
    SUBMIT,
    CLOSE,
    SUBMIT_DISABLED,
];
