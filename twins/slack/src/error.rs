//! Slack's refusals: the only place that knows their envelope and statuses.

use std::time::Duration;

use dtu_kernel::{fault::Injected, wire::Answer};
use http::{StatusCode, header};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

macro_rules! codes {
    ($($variant:ident = $text:literal),* $(,)?) => {
        /// Slack's error codes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
        }

        impl Code {
            /// The code as Slack writes it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

codes! {
    AccountInactive = "account_inactive",
    AlreadyInChannel = "already_in_channel",
    AlreadyPinned = "already_pinned",
    AlreadyReacted = "already_reacted",
    AlreadyStarred = "already_starred",
    AltTxtTooLarge = "alt_txt_too_large",
    AsUserNotSupported = "as_user_not_supported",
    BadClientSecret = "bad_client_secret",
    BadRedirectUri = "bad_redirect_uri",
    BadTimestamp = "bad_timestamp",
    BookmarkNotFound = "bookmark_not_found",
    BotNotFound = "bot_not_found",
    CannotAddBot = "cannot_add_bot",
    CannotAddOthers = "cannot_add_others",
    CannotAddOthersRecurring = "cannot_add_others_recurring",
    CannotAddSlackbot = "cannot_add_slackbot",
    CannotCompleteOthers = "cannot_complete_others",
    CannotCompleteRecurring = "cannot_complete_recurring",
    CannotDmBot = "cannot_dm_bot",
    CannotFindChannel = "cannot_find_channel",
    CannotFindMessage = "cannot_find_message",
    CannotFindService = "cannot_find_service",
    CannotParse = "cannot_parse",
    CannotParseAttachment = "cannot_parse_attachment",
    CannotPrompt = "cannot_prompt",
    CannotReplyToMessage = "cannot_reply_to_message",
    CannotUnfurlMessage = "cannot_unfurl_message",
    CannotUnfurlUrl = "cannot_unfurl_url",
    CannotUpdateAdminUser = "cannot_update_admin_user",
    CantBroadcastMessage = "cant_broadcast_message",
    CantDeleteFile = "cant_delete_file",
    CantInvite = "cant_invite",
    CantInviteSelf = "cant_invite_self",
    CantUpdateMessage = "cant_update_message",
    ChannelNotFound = "channel_not_found",
    ClientIdTokenMismatch = "client_id_token_mismatch",
    CommentNotFound = "comment_not_found",
    DuplicateExternalId = "duplicate_external_id",
    EmailTaken = "email_taken",
    ExchangedTriggerId = "exchanged_trigger_id",
    ExpiredTriggerId = "expired_trigger_id",
    ExpiredUrl = "expired_url",
    FatalError = "fatal_error",
    FileCommentNotFound = "file_comment_not_found",
    FileDeleted = "file_deleted",
    FileNotFound = "file_not_found",
    FileUploadSizeRestricted = "file_upload_size_restricted",
    HandleAlreadyExists = "handle_already_exists",
    HashConflict = "hash_conflict",
    InternalError = "internal_error",
    InvalidAppId = "invalid_app_id",
    InvalidArgName = "invalid_arg_name",
    InvalidArguments = "invalid_arguments",
    InvalidArrayArg = "invalid_array_arg",
    InvalidAttachments = "invalid_attachments",
    InvalidAuth = "invalid_auth",
    InvalidBlocks = "invalid_blocks",
    InvalidBlocksFormat = "invalid_blocks_format",
    InvalidBookmarkType = "invalid_bookmark_type",
    InvalidChannel = "invalid_channel",
    InvalidCharset = "invalid_charset",
    InvalidClientId = "invalid_client_id",
    InvalidCode = "invalid_code",
    InvalidCursor = "invalid_cursor",
    InvalidEmoji = "invalid_emoji",
    InvalidEventContext = "invalid_event_context",
    InvalidFormData = "invalid_form_data",
    InvalidGrantType = "invalid_grant_type",
    InvalidJson = "invalid_json",
    InvalidLimit = "invalid_limit",
    InvalidLink = "invalid_link",
    InvalidManifest = "invalid_manifest",
    InvalidMetadataFormat = "invalid_metadata_format",
    InvalidMetadataSchema = "invalid_metadata_schema",
    InvalidName = "invalid_name",
    InvalidNameMaxlength = "invalid_name_maxlength",
    InvalidNamePunctuation = "invalid_name_punctuation",
    InvalidNameRequired = "invalid_name_required",
    InvalidNameSpecials = "invalid_name_specials",
    InvalidPayload = "invalid_payload",
    InvalidPostType = "invalid_post_type",
    InvalidPresence = "invalid_presence",
    InvalidProfile = "invalid_profile",
    InvalidRefreshToken = "invalid_refresh_token",
    InvalidScheduledMessageId = "invalid_scheduled_message_id",
    InvalidThreadTs = "invalid_thread_ts",
    InvalidTime = "invalid_time",
    InvalidTriggerId = "invalid_trigger_id",
    InvalidTsLatest = "invalid_ts_latest",
    InvalidTsOldest = "invalid_ts_oldest",
    InvalidTypes = "invalid_types",
    InvalidUnfurlsFormat = "invalid_unfurls_format",
    InvalidUsers = "invalid_users",
    IsArchived = "is_archived",
    IsInactive = "is_inactive",
    JsonNotObject = "json_not_object",
    LimitRequired = "limit_required",
    MarkdownTextConflict = "markdown_text_conflict",
    MessageNotFound = "message_not_found",
    MethodDeprecated = "method_deprecated",
    MethodNotSupportedForChannelType = "method_not_supported_for_channel_type",
    MissingArgument = "missing_argument",
    MissingDuration = "missing_duration",
    MissingPostType = "missing_post_type",
    MissingUnfurls = "missing_unfurls",
    MsgTooLong = "msg_too_long",
    NameAlreadyExists = "name_already_exists",
    NameTaken = "name_taken",
    NameTooLong = "name_too_long",
    NoDualBroadcastContentUpdate = "no_dual_broadcast_content_update",
    NoItemSpecified = "no_item_specified",
    NoPin = "no_pin",
    NoQuery = "No query passed",
    NoReaction = "no_reaction",
    NoSuchSubteam = "no_such_subteam",
    NoText = "no_text",
    NoUser = "no_user",
    NoUsersProvided = "no_users_provided",
    NotAdmin = "not_admin",
    NotAllowedTokenType = "not_allowed_token_type",
    NotAppAdmin = "not_app_admin",
    NotAuthed = "not_authed",
    NotEnabled = "not_enabled",
    NotEnoughUsers = "not_enough_users",
    NotFound = "not_found",
    NotInChannel = "not_in_channel",
    NotPinnable = "not_pinnable",
    NotStarred = "not_starred",
    OauthAuthorizationUrlMismatch = "oauth_authorization_url_mismatch",
    OverPaginationLimit = "over_pagination_limit",
    PermissionDenied = "permission_denied",
    ProfileStatusSetFailedNotValidEmoji = "profile_status_set_failed_not_valid_emoji",
    ProfileSetFailed = "profile_set_failed",
    PushLimitReached = "push_limit_reached",
    ReservedName = "reserved_name",
    RestrictedTooMany = "restricted_too_many",
    ServiceUnavailable = "service_unavailable",
    SnippetTooLarge = "snippet_too_large",
    SnoozeNotActive = "snooze_not_active",
    StorageLimitReached = "storage_limit_reached",
    SubteamMaxUsersExceeded = "subteam_max_users_exceeded",
    TeamNotFound = "team_not_found",
    ThreadNotFound = "thread_not_found",
    TimeInPast = "time_in_past",
    TimeTooFar = "time_too_far",
    TokenAlreadyExchanged = "token_already_exchanged",
    TokenExpired = "token_expired",
    TokenRevoked = "token_revoked",
    TokenRotationNotEnabled = "token_rotation_not_enabled",
    TooLong = "too_long",
    TooManyAttachments = "too_many_attachments",
    TooManyBookmarks = "too_many_bookmarks",
    TooManyEmoji = "too_many_emoji",
    TooManyPins = "too_many_pins",
    TooManyReactions = "too_many_reactions",
    TooManyUsers = "too_many_users",
    UnknownSnippetType = "unknown_snippet_type",
    UnknownType = "unknown_type",
    UsedUrl = "used_url",
    UserDisabled = "user_disabled",
    UserIsBot = "user_is_bot",
    UserIsRestricted = "user_is_restricted",
    UserNotFound = "user_not_found",
    UserNotInChannel = "user_not_in_channel",
    UsersListNotSupplied = "users_list_not_supplied",
    UsersNotFound = "users_not_found",
    ViewTooLarge = "view_too_large",
}

/// Why Slack refuses a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// A code and nothing more.
    Refused(Code),
    /// The token lacks a scope.
    MissingScope {
        /// The scopes of which one is needed, comma-separated.
        needed: SmolStr,
        /// The token's scopes, comma-separated.
        provided: SmolStr,
    },
    /// A code of a method that has no rules of its own.
    Named(SmolStr),
    /// Something that Slack acts on and the twin does not.
    Unserved(String),
    /// `invalid_arguments` with what is wrong, in Slack's words.
    Arguments(Vec<String>),
    /// Blocks that do not pass validation, with each problem and its place.
    Blocks(Vec<String>),
    /// The same for blocks within attachments.
    Attachments(Vec<String>),
    /// A code, and a sentence about what was sent.
    Explained(Code, String),
    /// An invitation that fails for some of several users.
    Invites(Vec<(SmolStr, Code)>),
    /// `api.test` asked for an error.
    Echo {
        /// The code asked for.
        code: SmolStr,
        /// The arguments given.
        args: Box<Map<String, Value>>,
    },
    /// A `response_url` that is over: a status of its own.
    Gone(Code),
    /// A `response_url` body that cannot be used: plain text with a status of its own.
    BadHook(Code),
    /// Too many calls.
    RateLimited(Duration),
    /// A failure that a fault rule asked for.
    Failure {
        /// HTTP status, where the rule gives one.
        status: Option<u16>,
        /// The code.
        code: SmolStr,
    },
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::Refused(code)
    }
}

impl From<Injected> for Error {
    fn from(injected: Injected) -> Self {
        match injected {
            Injected::RateLimited { retry_after: wait } | Injected::QuotaExhausted { resets: wait } => {
                Self::RateLimited(wait)
            }
            Injected::TooManyAtOnce => Self::RateLimited(Duration::from_secs(1)),
            Injected::Revoked => Self::Refused(Code::TokenRevoked),
            Injected::Expired => Self::Refused(Code::TokenExpired),
            Injected::ScopesCut { needed } => {
                Self::MissingScope { needed: needed.join(",").into(), provided: SmolStr::default() }
            }
            Injected::BadCursor => Self::Refused(Code::InvalidCursor),
            Injected::Failure { status, code } => {
                let usual = if status == Some(503) { Code::ServiceUnavailable } else { Code::InternalError };
                Self::Failure { status, code: code.unwrap_or_else(|| SmolStr::new_static(usual.as_str())) }
            }
        }
    }
}

impl Error {
    /// The code as Slack writes it.
    pub fn code(&self) -> SmolStr {
        let fixed = match self {
            Self::Refused(code) | Self::Gone(code) | Self::BadHook(code) | Self::Explained(code, _) => code.as_str(),
            Self::MissingScope { .. } => "missing_scope",
            Self::Arguments(_) | Self::Unserved(_) => Code::InvalidArguments.as_str(),
            Self::Blocks(_) => Code::InvalidBlocks.as_str(),
            Self::Attachments(_) => Code::InvalidAttachments.as_str(),
            // Slack puts the first user's problem on top.
            Self::Invites(users) => users.first().map_or(Code::UserNotFound, |(_, code)| *code).as_str(),
            Self::RateLimited(_) => "ratelimited",
            Self::Echo { code, .. } | Self::Failure { code, .. } | Self::Named(code) => return code.clone(),
        };
        SmolStr::new_static(fixed)
    }

    /// The answer, with `warning` added where there is one.
    pub fn answer(&self, warning: Option<&str>) -> Answer {
        if let Self::BadHook(code) = self {
            return Answer::text("text/plain", code.as_str()).with_status(StatusCode::BAD_REQUEST);
        }
        let mut body = json!({ "ok": false, "error": self.code() });
        self.add_details(&mut body);
        if let Some(warning) = warning {
            add_warning(&mut body, warning);
        }
        let answer = Answer::json(&body).with_status(self.status());
        match self {
            Self::RateLimited(wait) => {
                // Whole seconds, rounded up: a caller that waits so long is not refused again.
                let secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                answer.with_header(header::RETRY_AFTER, secs.max(1).to_string())
            }
            _ => answer,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Gone(_) => StatusCode::NOT_FOUND,
            Self::Failure { status: Some(status), .. } => StatusCode::from_u16(*status).unwrap_or_default(),
            _ => StatusCode::OK,
        }
    }

    fn add_details(&self, body: &mut Value) {
        match self {
            Self::MissingScope { needed, provided } => {
                body["needed"] = json!(needed);
                body["provided"] = json!(provided);
            }
            Self::Arguments(messages) | Self::Attachments(messages) => {
                body["response_metadata"] = json!({ "messages": as_errors(messages) });
            }
            Self::Explained(_, message) | Self::Unserved(message) => {
                body["response_metadata"] = json!({ "messages": as_errors(std::slice::from_ref(message)) });
            }
            Self::Blocks(problems) => {
                body["errors"] = json!(problems);
                body["response_metadata"] = json!({ "messages": as_errors(problems) });
            }
            Self::Invites(users) if users.len() > 1 => {
                let row = |(user, code): &(SmolStr, Code)| json!({ "user": user, "ok": false, "error": code.as_str() });
                body["errors"] = users.iter().map(row).collect();
            }
            Self::Echo { args, .. } => body["args"] = Value::Object((**args).clone()),
            _ => {}
        }
    }
}

fn as_errors(messages: &[String]) -> Vec<String> {
    messages.iter().map(|message| format!("[ERROR] {message}")).collect()
}

/// Puts a warning where Slack puts it: on top, and in the metadata's list.
pub(crate) fn add_warning(body: &mut Value, warning: &str) {
    let all = match body["warning"].as_str() {
        Some(before) => format!("{before},{warning}"),
        None => warning.to_owned(),
    };
    body["warning"] = Value::from(all);
    let metadata = &mut body["response_metadata"];
    match metadata["warnings"].as_array_mut() {
        Some(list) => list.push(Value::from(warning)),
        None => metadata["warnings"] = json!([warning]),
    }
}
