//! Slack's refusals: the only place that knows their envelope and statuses.

use std::time::Duration;

use dtu_kernel::{fault::Injected, wire::Answer};
use http::{StatusCode, header};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use crate::model::manifest::Fault;

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
    AccessDenied = "access_denied",
    AccountInactive = "account_inactive",
    ActionProhibited = "action_prohibited",
    AlreadyApproved = "already_approved",
    AlreadyArchived = "already_archived",
    AlreadyInChannel = "already_in_channel",
    AlreadyPinned = "already_pinned",
    AlreadyReacted = "already_reacted",
    AlreadyStarred = "already_starred",
    AltTxtTooLarge = "alt_txt_too_large",
    AppMissingActionUrl = "app_missing_action_url",
    AppNotFound = "app_not_found",
    AppNotSubscribed = "app_not_subscribed",
    ApprovalInactive = "approval_inactive",
    ApprovalNotFound = "approval_not_found",
    AsUserNotSupported = "as_user_not_supported",
    BadClientSecret = "bad_client_secret",
    BadImage = "bad_image",
    BadRedirectUri = "bad_redirect_uri",
    BadTimestamp = "bad_timestamp",
    BadUsers = "bad_users",
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
    CannotShareMandatoryChannel = "cannot_share_mandatory_channel",
    CannotUnfurlMessage = "cannot_unfurl_message",
    CannotUnfurlUrl = "cannot_unfurl_url",
    CannotUpdateAdminUser = "cannot_update_admin_user",
    CantArchiveGeneral = "cant_archive_general",
    CantBroadcastMessage = "cant_broadcast_message",
    CantDeleteFile = "cant_delete_file",
    CantDeleteMessage = "cant_delete_message",
    CantInvite = "cant_invite",
    CantInviteSelf = "cant_invite_self",
    CantKickFromGeneral = "cant_kick_from_general",
    CantKickSelf = "cant_kick_self",
    CantLeaveGeneral = "cant_leave_general",
    CantUpdateMessage = "cant_update_message",
    CanvasCreationFailed = "canvas_creation_failed",
    CanvasDeleted = "canvas_deleted",
    CanvasEditingFailed = "canvas_editing_failed",
    CanvasNotFound = "canvas_not_found",
    ChannelArchived = "channel_archived",
    ChannelCanvasAlreadyExists = "channel_canvas_already_exists",
    ChannelIsArchived = "channel_is_archived",
    ChannelNotFound = "channel_not_found",
    ClientIdTokenMismatch = "client_id_token_mismatch",
    CodeAlreadyUsed = "code_already_used",
    ColumnIdNotProvided = "column_id_not_provided",
    CommentNotFound = "comment_not_found",
    ComplianceExportsPreventDeletion = "compliance_exports_prevent_deletion",
    DuplicateExternalId = "duplicate_external_id",
    DuplicatedItemNotFound = "duplicated_item_not_found",
    EditWindowClosed = "edit_window_closed",
    EkmAccessDenied = "ekm_access_denied",
    EmailTaken = "email_taken",
    ErrorModifyingWorkflows = "error_modifying_workflows",
    ExchangedTriggerId = "exchanged_trigger_id",
    ExecutionNotInRunningState = "execution_not_in_running_state",
    ExpiredTriggerId = "expired_trigger_id",
    ExpiredUrl = "expired_url",
    FatalError = "fatal_error",
    FileCommentNotFound = "file_comment_not_found",
    FileDeleted = "file_deleted",
    FileNotFound = "file_not_found",
    FileUploadSizeRestricted = "file_upload_size_restricted",
    FunctionExecutionNotFound = "function_execution_not_found",
    HandleAlreadyExists = "handle_already_exists",
    HashConflict = "hash_conflict",
    InactiveCall = "inactive_call",
    InactiveInvite = "inactive_invite",
    InternalError = "internal_error",
    InsecureRequest = "insecure_request",
    InvalidAction = "invalid_action",
    InvalidApp = "invalid_app",
    InvalidAppId = "invalid_app_id",
    InvalidArgName = "invalid_arg_name",
    InvalidArguments = "invalid_arguments",
    InvalidArrayArg = "invalid_array_arg",
    InvalidAttachments = "invalid_attachments",
    InvalidAuth = "invalid_auth",
    InvalidBlocks = "invalid_blocks",
    InvalidBlocksFormat = "invalid_blocks_format",
    InvalidBookmarkType = "invalid_bookmark_type",
    InvalidCallId = "invalid_call_id",
    InvalidChannel = "invalid_channel",
    InvalidChannelType = "invalid_channel_type",
    InvalidCharset = "invalid_charset",
    InvalidClientId = "invalid_client_id",
    InvalidCode = "invalid_code",
    InvalidCodeVerifier = "invalid_code_verifier",
    InvalidColumnId = "invalid_column_id",
    InvalidColumnType = "invalid_column_type",
    InvalidCopyAndSchemaArgs = "invalid_copy_and_schema_args",
    InvalidCreatedBy = "invalid_created_by",
    InvalidCursor = "invalid_cursor",
    InvalidDate = "invalid_date",
    InvalidEmail = "invalid_email",
    InvalidEmoji = "invalid_emoji",
    InvalidEventContext = "invalid_event_context",
    InvalidFormData = "invalid_form_data",
    InvalidGrantType = "invalid_grant_type",
    InvalidInputType = "invalid_input_type",
    InvalidJson = "invalid_json",
    InvalidLimit = "invalid_limit",
    InvalidLink = "invalid_link",
    InvalidManifest = "invalid_manifest",
    InvalidMetadata = "invalid_metadata",
    InvalidMetadataFormat = "invalid_metadata_format",
    InvalidMetadataSchema = "invalid_metadata_schema",
    InvalidName = "invalid_name",
    InvalidNameMaxlength = "invalid_name_maxlength",
    InvalidNamePunctuation = "invalid_name_punctuation",
    InvalidNameRequired = "invalid_name_required",
    InvalidNameSpecials = "invalid_name_specials",
    InvalidOptionId = "invalid_option_id",
    InvalidParameters = "invalid_parameters",
    InvalidParentType = "invalid_parent_type",
    InvalidPayload = "invalid_payload",
    InvalidPhoneNumber = "invalid_phone_number",
    InvalidPostType = "invalid_post_type",
    InvalidPresence = "invalid_presence",
    InvalidPrimaryColumn = "invalid_primary_column",
    InvalidProfile = "invalid_profile",
    InvalidRefreshToken = "invalid_refresh_token",
    InvalidRowId = "invalid_row_id",
    InvalidScheduledMessageId = "invalid_scheduled_message_id",
    InvalidSchema = "invalid_schema",
    InvalidSource = "invalid_source",
    InvalidStartTime = "invalid_start_time",
    InvalidTargetTeam = "invalid_target_team",
    InvalidTextBlock = "invalid_text_block",
    InvalidThreadTs = "invalid_thread_ts",
    InvalidTime = "invalid_time",
    InvalidTimestamp = "invalid_timestamp",
    InvalidToken = "invalid_token",
    InvalidTrigger = "invalid_trigger",
    InvalidTriggerId = "invalid_trigger_id",
    InvalidTsLatest = "invalid_ts_latest",
    InvalidTsOldest = "invalid_ts_oldest",
    InvalidTypes = "invalid_types",
    InvalidUnfurlId = "invalid_unfurl_id",
    InvalidUnfurlsFormat = "invalid_unfurls_format",
    InvalidUsers = "invalid_users",
    InvalidWorkspaceFilter = "invalid_workspace_filter",
    InviteAlreadyApproved = "invite_already_approved",
    InviteAlreadyDenied = "invite_already_denied",
    InviteExpired = "invite_expired",
    InviteFromSameOrg = "invite_from_same_org",
    InviteNotFound = "invite_not_found",
    InviteUsed = "invite_used",
    IsArchived = "is_archived",
    IsInactive = "is_inactive",
    JobNotFound = "job_not_found",
    JsonNotObject = "json_not_object",
    LastMember = "last_member",
    LimitRequired = "limit_required",
    ListNotFound = "list_not_found",
    MarkdownTextConflict = "markdown_text_conflict",
    MessageNotFound = "message_not_found",
    MessageNotInStreamingState = "message_not_in_streaming_state",
    MessageNotOwnedByApp = "message_not_owned_by_app",
    MessageTooLong = "message_too_long",
    MethodDeprecated = "method_deprecated",
    MethodNotSupportedForChannelType = "method_not_supported_for_channel_type",
    MissingArgCopyFromListId = "missing_arg_copy_from_list_id",
    MissingArgument = "missing_argument",
    MissingArguments = "missing_arguments",
    MissingChannel = "missing_channel",
    MissingDialog = "missing_dialog",
    MissingDuration = "missing_duration",
    MissingPostType = "missing_post_type",
    MissingRecipientTeamId = "missing_recipient_team_id",
    MissingRecipientUserId = "missing_recipient_user_id",
    MissingResource = "missing_resource",
    MissingSource = "missing_source",
    MissingTargetTeam = "missing_target_team",
    MissingTrigger = "missing_trigger",
    MissingTs = "missing_ts",
    MissingUnfurlId = "missing_unfurl_id",
    MissingUnfurls = "missing_unfurls",
    MsgBlocksTooLong = "msg_blocks_too_long",
    MsgTooLong = "msg_too_long",
    NameAlreadyExists = "name_already_exists",
    NameTaken = "name_taken",
    NameTooLong = "name_too_long",
    NoActiveHooks = "no_active_hooks",
    NoDualBroadcastContentUpdate = "no_dual_broadcast_content_update",
    NoItemSpecified = "no_item_specified",
    NoPermission = "no_permission",
    NoPin = "no_pin",
    NoQuery = "No query passed",
    NoReaction = "no_reaction",
    NoScopes = "no_scopes",
    NoService = "no_service",
    NoSuchSubteam = "no_such_subteam",
    NoTeam = "no_team",
    NoText = "no_text",
    NoUser = "no_user",
    NoUsersProvided = "no_users_provided",
    NotAdmin = "not_admin",
    NotAllowed = "not_allowed",
    NotAllowedTokenType = "not_allowed_token_type",
    NotAnEnterprise = "not_an_enterprise",
    NotAppAdmin = "not_app_admin",
    NotArchived = "not_archived",
    NotAuthed = "not_authed",
    NotAuthorized = "not_authorized",
    NotEnabled = "not_enabled",
    NotEnoughUsers = "not_enough_users",
    NotEnterpriseTeam = "not_enterprise_team",
    NotFound = "not_found",
    NotInChannel = "not_in_channel",
    NotPinnable = "not_pinnable",
    NotStarred = "not_starred",
    NotSupported = "not_supported",
    OauthAuthorizationUrlMismatch = "oauth_authorization_url_mismatch",
    OrgLoginRequired = "org_login_required",
    OverCellFieldsLimit = "over_cell_fields_limit",
    OverColumnMaximum = "over_column_maximum",
    OverPaginationLimit = "over_pagination_limit",
    OverRowMaximum = "over_row_maximum",
    OverTitleLengthMaximum = "over_title_length_maximum",
    PaidOnly = "paid_only",
    ParameterValidationFailed = "parameter_validation_failed",
    PermissionDenied = "permission_denied",
    PkceNotAllowed = "pkce_not_allowed",
    ProfileSetFailed = "profile_set_failed",
    ProfileStatusSetFailedNotValidEmoji = "profile_status_set_failed_not_valid_emoji",
    PushLimitReached = "push_limit_reached",
    RecipientsNotSpecified = "recipients_not_specified",
    RecordNotFound = "record_not_found",
    ReservedName = "reserved_name",
    RestrictedAction = "restricted_action",
    RestrictedActionNonThreadableChannel = "restricted_action_non_threadable_channel",
    RestrictedActionReadOnlyChannel = "restricted_action_read_only_channel",
    RestrictedActionThreadOnlyChannel = "restricted_action_thread_only_channel",
    RestrictedTooMany = "restricted_too_many",
    RowIdNotProvided = "row_id_not_provided",
    ServiceUnavailable = "service_unavailable",
    SnippetTooLarge = "snippet_too_large",
    SnoozeNotActive = "snooze_not_active",
    StoppedByUser = "stopped_by_user",
    StorageLimitReached = "storage_limit_reached",
    StreamingStateConflict = "streaming_state_conflict",
    SubteamMaxUsersExceeded = "subteam_max_users_exceeded",
    TeamAddedToOrg = "team_added_to_org",
    TeamNotFound = "team_not_found",
    ThreadNotFound = "thread_not_found",
    TimeInPast = "time_in_past",
    TimeTooFar = "time_too_far",
    TokenAlreadyExchanged = "token_already_exchanged",
    TokenExpired = "token_expired",
    TokenRevoked = "token_revoked",
    TokenRotationNotEnabled = "token_rotation_not_enabled",
    TooLarge = "too_large",
    TooLong = "too_long",
    TooManyAttachments = "too_many_attachments",
    TooManyBookmarks = "too_many_bookmarks",
    TooManyEmails = "too_many_emails",
    TooManyEmoji = "too_many_emoji",
    TooManyFrames = "too_many_frames",
    TooManyMembers = "too_many_members",
    TooManyPins = "too_many_pins",
    TooManyReactions = "too_many_reactions",
    TooManyUsers = "too_many_users",
    TriggerExchanged = "trigger_exchanged",
    TriggerExpired = "trigger_expired",
    UneditableColumn = "uneditable_column",
    UnknownSnippetType = "unknown_snippet_type",
    UnknownType = "unknown_type",
    UsedUrl = "used_url",
    UserAuthUrlMissing = "user_auth_url_missing",
    UserDisabled = "user_disabled",
    UserIsBot = "user_is_bot",
    UserIsRestricted = "user_is_restricted",
    UserIsUltraRestricted = "user_is_ultra_restricted",
    UserNotFound = "user_not_found",
    UserNotInChannel = "user_not_in_channel",
    UserNotVisible = "user_not_visible",
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
    /// A dialog that cannot be shown, with what is wrong in Slack's words.
    Dialog(Vec<String>),
    /// A manifest that makes no app.
    Manifest(Vec<Fault>),
    /// A code, and a sentence about what was sent.
    Explained(Code, String),
    /// A code, and what is wrong in a member of its own.
    Detailed(Code, String),
    /// A code, and objects that say what is wrong and where.
    Faults(&'static str, Vec<Value>),
    /// A code, and a member that lists objects that it is about.
    Members(&'static str, &'static str, Vec<Value>),
    /// A code, and sentences as they are.
    Told(Code, Vec<String>),
    /// A method that there is no longer.
    NoMethod(&'static str),
    /// An invitation that fails for some of several users.
    Invites {
        /// Whom, and why not.
        failed: Vec<(SmolStr, Code)>,
        /// Whether several were to be invited, so that each is told.
        several: bool,
    },
    /// Something that fails for some of several: the code, and the member that says for which and why.
    Some {
        /// The code.
        code: &'static str,
        /// The member.
        name: &'static str,
        /// What fails, and why.
        failed: Vec<(SmolStr, &'static str)>,
    },
    /// A code, and a member that lists what it is about.
    Listed {
        /// The code.
        code: &'static str,
        /// The member.
        name: &'static str,
        /// The ids.
        ids: Vec<SmolStr>,
    },
    /// Something about roles that fails for some people or things.
    Rejected {
        /// The code.
        code: &'static str,
        /// The people, and why.
        users: Vec<(SmolStr, &'static str)>,
        /// The things, and why.
        entities: Vec<(SmolStr, &'static str)>,
    },
    /// A refusal of the SCIM or audit API: a status of its own, and words.
    Status(u16, SmolStr),
    /// `api.test` asked for an error.
    Echo {
        /// The code asked for.
        code: SmolStr,
        /// The arguments given.
        args: Box<Map<String, Value>>,
    },
    /// A `response_url` that is over: a status of its own.
    Gone(Code),
    /// What a webhook or `response_url` refuses: plain text with a status of its own.
    BadHook(Code),
    /// Too many calls.
    RateLimited(Duration),
    /// Too many posts to a webhook.
    HookRateLimited(Duration),
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

impl From<&'static str> for Error {
    fn from(code: &'static str) -> Self {
        Self::Named(SmolStr::new_static(code))
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
            Self::Refused(code)
            | Self::Gone(code)
            | Self::BadHook(code)
            | Self::Explained(code, _)
            | Self::Told(code, _)
            | Self::Detailed(code, _) => code.as_str(),
            Self::MissingScope { .. } => "missing_scope",
            Self::NoMethod(_) => "unknown_method",
            Self::Arguments(_) | Self::Unserved(_) => Code::InvalidArguments.as_str(),
            Self::Blocks(_) => Code::InvalidBlocks.as_str(),
            Self::Attachments(_) => Code::InvalidAttachments.as_str(),
            Self::Manifest(_) => Code::InvalidManifest.as_str(),
            Self::Dialog(_) => "validation_errors",
            // Slack puts the first user's problem on top.
            Self::Invites { failed, .. } => failed.first().map_or(Code::UserNotFound, |(_, code)| *code).as_str(),
            Self::RateLimited(_) => "ratelimited",
            Self::HookRateLimited(_) => "rate_limited",
            Self::Some { code, .. }
            | Self::Rejected { code, .. }
            | Self::Listed { code, .. }
            | Self::Faults(code, _)
            | Self::Members(code, ..) => code,
            Self::Status(_, code) | Self::Echo { code, .. } | Self::Failure { code, .. } | Self::Named(code) => {
                return code.clone();
            }
        };
        SmolStr::new_static(fixed)
    }

    /// The same at an address that apps were told, where too many calls are refused in plain text.
    pub(crate) fn at_hook(self, is_hook: bool) -> Self {
        match self {
            Self::RateLimited(wait) if is_hook => Self::HookRateLimited(wait),
            other => other,
        }
    }

    /// The answer, with `warning` added where there is one.
    pub fn answer(&self, warning: Option<&str>) -> Answer {
        if let Self::BadHook(code) = self {
            return Answer::text("text/plain", code.as_str()).with_status(hook_status(*code));
        }
        if let Self::HookRateLimited(wait) = self {
            let answer = Answer::text("text/plain", "rate_limited").with_status(StatusCode::TOO_MANY_REQUESTS);
            return answer.with_header(header::RETRY_AFTER, whole_secs(*wait));
        }
        let mut body = json!({ "ok": false, "error": self.code() });
        self.add_details(&mut body);
        if let Some(warning) = warning {
            add_warning(&mut body, warning);
        }
        let answer = Answer::json(&body).with_status(self.status());
        match self {
            Self::RateLimited(wait) => answer.with_header(header::RETRY_AFTER, whole_secs(*wait)),
            _ => answer,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Gone(_) => StatusCode::NOT_FOUND,
            Self::Status(status, _) | Self::Failure { status: Some(status), .. } => {
                StatusCode::from_u16(*status).unwrap_or_default()
            }
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
            Self::Members(_, name, rows) => body[*name] = json!(rows),
            Self::Faults(_, faults) => body["errors"] = json!(faults),
            Self::Dialog(messages) | Self::Told(_, messages) => {
                body["response_metadata"] = json!({ "messages": messages });
            }
            Self::Manifest(faults) => {
                let row = |fault: &Fault| json!({ "message": fault.message, "pointer": fault.pointer });
                body["errors"] = faults.iter().map(row).collect();
            }
            Self::Explained(_, message) | Self::Unserved(message) => {
                body["response_metadata"] = json!({ "messages": as_errors(std::slice::from_ref(message)) });
            }
            Self::Blocks(problems) => {
                body["errors"] = json!(problems);
                body["response_metadata"] = json!({ "messages": as_errors(problems) });
            }
            Self::Invites { failed, several: true } => body["errors"] = not_invited(failed),
            Self::Some { name, failed, .. } => {
                body[*name] = failed.iter().map(|(id, why)| ((*id).to_string(), json!(why))).collect();
            }
            Self::Listed { name, ids, .. } => body[*name] = json!(ids),
            Self::Rejected { users, entities, .. } => {
                let rows = |failed: &[(SmolStr, &'static str)]| -> Value {
                    failed.iter().map(|(id, why)| json!({ "id": id, "error": why })).collect()
                };
                body["rejected_users"] = rows(users);
                body["rejected_entities"] = rows(entities);
            }
            Self::Detailed(_, detail) => body["detail"] = json!(detail),
            Self::NoMethod(name) => body["req_method"] = json!(name),
            Self::Echo { args, .. } => body["args"] = Value::Object((**args).clone()),
            _ => {}
        }
    }
}

/// Whole seconds, rounded up: a caller that waits so long is not refused again.
fn whole_secs(wait: Duration) -> String {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1).to_string()
}

/// The status of a webhook's refusal: <https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>.
const fn hook_status(code: Code) -> StatusCode {
    match code {
        Code::ActionProhibited | Code::InvalidToken => StatusCode::FORBIDDEN,
        Code::ChannelNotFound | Code::NoActiveHooks | Code::NoService | Code::NoTeam => StatusCode::NOT_FOUND,
        Code::ChannelIsArchived => StatusCode::GONE,
        _ => StatusCode::BAD_REQUEST,
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

/// Who could not be invited, and why.
pub(crate) fn not_invited(failed: &[(SmolStr, Code)]) -> Value {
    let row = |(user, code): &(SmolStr, Code)| json!({ "user": user, "ok": false, "error": code.as_str() });
    failed.iter().map(row).collect()
}
