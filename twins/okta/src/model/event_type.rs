//! The System Log's event types: those the twin writes, and those that hooks may ask for.
//!
//! See developer.okta.com/docs/reference/api/event-types/.

/// A type of event.
#[derive(Debug, PartialEq, Eq)]
pub struct EventType {
    /// `user.lifecycle.create`.
    pub name: &'static str,
    /// What the log shows.
    pub message: &'static str,
    /// The name it had in the Events API; empty where it had none.
    pub legacy: &'static str,
    /// Whether event hooks may ask for it.
    pub hooks: bool,
}

macro_rules! event_types {
    ($($id:ident = $name:literal, $message:literal, $legacy:literal, $hooks:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`.")]
            pub static $id: EventType = EventType { name: $name, message: $message, legacy: $legacy, hooks: $hooks };
        )*

        /// All that the twin writes.
        pub static WRITTEN: &[&EventType] = &[$(&$id),*];
    };
}

event_types! {
    USER_CREATE = "user.lifecycle.create", "Create okta user", "core.user.config.user_creation.success", true;
    USER_ACTIVATE = "user.lifecycle.activate", "Activate Okta user", "core.user.config.user_activated", true;
    USER_REACTIVATE = "user.lifecycle.reactivate", "Reactivate Okta user", "", true;
    USER_DEACTIVATE = "user.lifecycle.deactivate", "Deactivate Okta user", "core.user.config.user_deactivated", true;
    USER_SUSPEND = "user.lifecycle.suspend", "Suspend Okta user", "core.user.config.user_suspended", true;
    USER_UNSUSPEND = "user.lifecycle.unsuspend", "Unsuspend Okta user", "core.user.config.user_unsuspended", true;
    USER_DELETE = "user.lifecycle.delete.initiated", "Delete Okta user initiated", "", true;
    USER_DELETED = "user.lifecycle.delete.completed", "Delete Okta user completed", "", false;
    ACCOUNT_UNLOCK = "user.account.unlock_by_admin", "Unlock Okta account by admin", "core.user.config.account_unlock", true;
    ACCOUNT_PROFILE = "user.account.update_profile", "Update user profile for Okta", "core.user.config.profile_update.success", true;
    ACCOUNT_PASSWORD = "user.account.update_password", "User update password for Okta", "core.user.config.password_update.success", true;
    ACCOUNT_RESET = "user.account.reset_password", "Password reset for Okta user", "core.user.config.password_reset.success", true;
    ACCOUNT_EXPIRE = "user.account.expire_password", "Expire password for Okta user", "", false;
    FACTORS_RESET = "user.mfa.factor.reset_all", "Reset all factors for user", "core.user.factor.reset_all", true;
    SESSION_START = "user.session.start", "User login to Okta", "core.user_auth.login_success", true;
    SESSION_CLEAR = "user.session.clear", "Clear user session", "core.user_auth.session_clear", true;
    GROUP_CREATE = "group.lifecycle.create", "Create Okta group", "", true;
    GROUP_DELETE = "group.lifecycle.delete", "Delete Okta group", "", true;
    GROUP_PROFILE = "group.profile.update", "Update Okta group profile", "", true;
    MEMBER_ADD = "group.user_membership.add", "Add user to group membership", "core.user_group_member.user_add", true;
    MEMBER_REMOVE = "group.user_membership.remove", "Remove user from group membership", "core.user_group_member.user_remove", true;
    GROUP_APP_ADD = "group.application_assignment.add", "Add assigned application to group", "", true;
    GROUP_APP_REMOVE = "group.application_assignment.remove", "Remove assigned application from group", "", true;
    GROUP_APP_UPDATE = "group.application_assignment.update", "Update assigned application of group", "", true;
    APP_CREATE = "application.lifecycle.create", "Create application", "app.generic.config.app_created", true;
    APP_UPDATE = "application.lifecycle.update", "Update application", "app.generic.config.app_updated", true;
    APP_ACTIVATE = "application.lifecycle.activate", "Activate application", "app.generic.config.app_activated", true;
    APP_DEACTIVATE = "application.lifecycle.deactivate", "Deactivate application", "app.generic.config.app_deactivated", true;
    APP_DELETE = "application.lifecycle.delete", "Delete application", "app.generic.config.app_deleted", true;
    APP_USER_ADD = "application.user_membership.add", "Add user to application membership", "app.generic.provision.assign_user_to_app", true;
    APP_USER_REMOVE = "application.user_membership.remove", "Remove user's application membership", "app.generic.provision.deassign_user_from_app", true;
    APP_USER_UPDATE = "application.user_membership.update", "Update user's application membership", "", true;
    TOKEN_REVOKE = "system.api_token.revoke", "Revoke API token", "api.token.revoke", true;
    ORG_CODE = "app.oauth2.authorize.code", "OIDC authorization code request", "app.oauth2.authorize.code_success", false;
    ORG_ACCESS = "app.oauth2.token.grant.access_token", "OIDC access token is granted", "app.oauth2.token.grant.access_token_success", false;
    ORG_ID = "app.oauth2.token.grant.id_token", "OIDC id token is granted", "app.oauth2.token.grant.id_token_success", false;
    ORG_REFRESH = "app.oauth2.token.grant.refresh_token", "OIDC refresh token is granted", "app.oauth2.token.grant.refresh_token_success", false;
    ORG_REVOKE = "app.oauth2.token.revoke", "OAuth2 token revocation request", "app.oauth2.token.revoke_success", false;
    ORG_REUSE = "app.oauth2.token.detect_reuse", "Detected reuse of a one-time refresh token", "", false;
    AS_CODE = "app.oauth2.as.authorize.code", "OAuth2 authorization code request", "app.oauth2.as.authorize.code_success", false;
    AS_ACCESS = "app.oauth2.as.token.grant.access_token", "OAuth2 access token is granted", "app.oauth2.as.token.grant.access_token_success", false;
    AS_ID = "app.oauth2.as.token.grant.id_token", "OAuth2 id token is granted", "app.oauth2.as.token.grant.id_token_success", false;
    AS_REFRESH = "app.oauth2.as.token.grant.refresh_token", "OAuth2 refresh token is granted", "app.oauth2.as.token.grant.refresh_token_success", false;
    AS_REVOKE = "app.oauth2.as.token.revoke", "OAuth2 token revocation request", "app.oauth2.as.token.revoke_success", false;
    AS_REUSE = "app.oauth2.as.token.detect_reuse", "Detected reuse of a one-time refresh token", "", false;
    AS_KEY = "app.oauth2.as.key.rollover", "OAuth2 authorization server key rollover", "app.oauth2.as.key.rollover.legacy", false;
    HOOK_CREATED = "event_hook.created", "Create event hook", "", false;
    HOOK_ACTIVATED = "event_hook.activated", "Activate event hook", "", false;
    HOOK_DEACTIVATED = "event_hook.deactivated", "Deactivate event hook", "", false;
    HOOK_UPDATED = "event_hook.updated", "Update event hook", "", false;
    HOOK_DELETED = "event_hook.deleted", "Delete event hook", "", false;
    HOOK_VERIFIED = "event_hook.verified", "Verify event hook", "", false;
    HOOK_DELIVERY = "event_hook.delivery", "Event hook delivery", "", false;
}

/// The families of events that orgs have; a hook that asks for another family is refused.
const FAMILIES: [&str; 14] = [
    "access",
    "app",
    "application",
    "device",
    "directory",
    "group",
    "iam",
    "inline_hook",
    "policy",
    "security",
    "support",
    "system",
    "user",
    "zone",
];

/// Whether an event hook may ask for events of this type. Types that the twin itself never writes are judged by
/// their form and family.
pub fn is_for_hooks(name: &str) -> bool {
    if let Some(written) = WRITTEN.iter().find(|event| event.name == name) {
        return written.hooks;
    }
    let mut parts = name.split('.');
    let family = parts.next().is_some_and(|first| FAMILIES.contains(&first));
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    family && name.contains('.') && parts.all(word)
}

#[cfg(test)]
mod tests {
    #[test]
    fn hooks_ask_for_known_events_only() {
        let check = |name: &str, wanted: bool| assert_eq!(super::is_for_hooks(name), wanted, "{name}");
        check("user.lifecycle.create", true);
        check("application.user_membership.add", true);
        check("user.account.expire_password", false);
        check("event_hook.delivery", false);
        check("user", false);
        check("user..x", false);
        check("weather.rain", false);
    }
}
