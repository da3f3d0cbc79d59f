//! What Block Kit allows, as tables: the members of each block and element, and how far each goes.
//!
//! <https://docs.slack.dev/reference/block-kit>

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
    /// An address of at most so many characters.
    Url(usize),
    /// True or false.
    Bool,
    /// A whole number within bounds.
    Int(i64, i64),
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
    /// A list of at most so many objects, of which no more is looked at.
    Objects(usize),
    /// An object of which no more is looked at.
    Object,
    /// A list of text objects, of at most so many items and characters each.
    Texts(usize, usize),
    /// One element of these kinds.
    Element(&'static [&'static str]),
    /// A list of at least one and at most so many elements of these kinds.
    Elements(usize, &'static [&'static str]),
    /// Anything.
    Any,
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
pub(super) struct Member(pub(super) &'static str, pub(super) bool, pub(super) Rule);

/// A kind of block or element.
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

const fn must(name: &'static str, rule: Rule) -> Member {
    Member(name, true, rule)
}

const fn may(name: &'static str, rule: Rule) -> Member {
    Member(name, false, rule)
}

use Labels::Plain as PlainLabels;
use Rule::{
    Any, Bool, Choice, Choices, Confirm, Date, Element, Elements, Groups, Int, Object, Objects, OneOf, Plain, Str,
    Strings, Text, Texts, Time, Url,
};
use Surface::{Home, Message, Modal};

const ALL: &[Surface] = &[Message, Modal, Home];
const MESSAGES: &[Surface] = &[Message];

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
    Kind { name: "alert", surfaces: ALL, members: &[] },
    Kind { name: "call", surfaces: MESSAGES, members: &[must("call_id", Str(255))] },
    Kind { name: "card", surfaces: MESSAGES, members: &[] },
    Kind { name: "carousel", surfaces: MESSAGES, members: &[may("elements", Objects(10))] },
    Kind { name: "container", surfaces: ALL, members: &[] },
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
    Kind { name: "divider", surfaces: ALL, members: &[] },
    Kind {
        name: "file",
        surfaces: MESSAGES,
        members: &[must("external_id", Str(255)), must("source", OneOf(&["remote"]))],
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
    Kind { name: "plan", surfaces: MESSAGES, members: &[] },
    Kind { name: "rich_text", surfaces: ALL, members: &[must("elements", Objects(usize::MAX))] },
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
    Kind { name: "share_shortcut", surfaces: MESSAGES, members: &[] },
    Kind { name: "table", surfaces: MESSAGES, members: &[must("rows", Any), may("column_settings", Objects(20))] },
    Kind { name: "task_card", surfaces: MESSAGES, members: &[] },
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

const PLACEHOLDER: Member = may("placeholder", Plain(150));
const CONFIRM: Member = may("confirm", Confirm);
const FOCUS: Member = may("focus_on_load", Bool);
const MOST_PICKED: Member = may("max_selected_items", Int(1, i64::MAX));
const DISPATCH: Member = may("dispatch_action_config", Object);
const STYLE: Member = may("style", OneOf(&["primary", "danger"]));
const QUERY: Member = may("min_query_length", Int(0, 3000));

/// The elements.
pub(super) const ELEMENTS: &[Kind] = &[
    element(
        "button",
        &[
            must("text", Plain(75)),
            may("value", Str(2000)),
            may("url", Url(3000)),
            may("accessibility_label", Str(75)),
            STYLE,
            CONFIRM,
        ],
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
    element("feedback_buttons", &[must("positive_button", Object), must("negative_button", Object)]),
    element("file_input", &[may("filetypes", Strings(usize::MAX)), may("max_files", Int(1, 10))]),
    element("icon_button", &[must("icon", Str(255)), must("text", Plain(75)), CONFIRM]),
    element("image", &[must("alt_text", Str(2000)), may("image_url", Url(3000)), may("slack_file", Object)]),
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
    element("rich_text_input", &[PLACEHOLDER, FOCUS, DISPATCH, may("initial_value", Object)]),
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
    element("workflow_button", &[must("text", Plain(75)), must("workflow", Object), STYLE]),
];

const RESPONSE_URL: Member = may("response_url_enabled", Bool);
const DEFAULT_TO_CURRENT: Member = may("default_to_current_conversation", Bool);
const FILTER: Member = may("filter", Object);

const fn element(name: &'static str, members: &'static [Member]) -> Kind {
    Kind { name, members, surfaces: &[] }
}

/// Element types that send an action when used.
pub(crate) fn is_interactive(kind: &str) -> bool {
    kind != "image" && ELEMENTS.iter().any(|known| known.name == kind)
}

/// Element types that offer several things of which one or more are picked.
pub(crate) fn is_select(kind: &str) -> bool {
    SELECTS.contains(&kind)
}

/// The members of a view.
pub(super) const VIEW: &[Member] = &[
    may("private_metadata", Str(3000)),
    may("callback_id", Str(255)),
    may("external_id", Str(255)),
    may("clear_on_close", Bool),
    may("notify_on_close", Bool),
    may("submit", Plain(24)),
    may("close", Plain(24)),
    may("submit_disabled", Bool),
];

/// The title of a modal.
pub(super) const TITLE: Member = must("title", Plain(24));
