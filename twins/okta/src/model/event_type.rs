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
    BRAND_CREATE = "system.brand.create", "Create brand", "", false;
    BRAND_UPDATE = "system.brand.update", "Update brand", "", false;
    BRAND_DELETE = "system.brand.delete", "Delete brand", "", false;
    THEME_UPDATE = "system.theme.update", "Update theme", "", false;
    ERROR_PAGE_UPDATE = "system.custom_error.update", "Update custom error page", "", false;
    ERROR_PAGE_DELETE = "system.custom_error.delete", "Delete custom error page", "", false;
    SIGN_IN_PAGE_UPDATE = "system.custom_signin.update", "Update custom sign-in page", "", false;
    SIGN_IN_PAGE_DELETE = "system.custom_signin.delete", "Delete custom sign-in page", "", false;
    SIGN_OUT_PAGE_UPDATE = "system.custom_signout.update", "Update custom sign-out page", "", false;
    DOMAIN_INITIATE = "system.custom_url_domain.initiate", "Initiate custom domain", "", false;
    DOMAIN_UPDATE = "system.custom_url_domain.update", "Update custom domain", "", false;
    DOMAIN_VERIFY = "system.custom_url_domain.verify", "Verify custom domain", "", false;
    DOMAIN_DELETE = "system.custom_url_domain.delete", "Delete custom domain", "", false;
    DOMAIN_CERTIFICATE = "system.custom_url_domain.cert_upload", "Upload certificate of custom domain", "", false;
    MAIL_DOMAIN_CREATE = "system.email_domain.create", "Create email domain", "", false;
    MAIL_DOMAIN_UPDATE = "system.email_domain.update", "Update email domain", "", false;
    MAIL_DOMAIN_VERIFY = "system.email_domain.verify", "Verify email domain", "", false;
    MAIL_DOMAIN_DELETE = "system.email_domain.delete", "Delete email domain", "", false;
    TEMPLATE_CREATE = "system.email.template.create", "Create custom email template", "", false;
    TEMPLATE_UPDATE = "system.email.template.update", "Update custom email template", "", false;
    TEMPLATE_DELETE = "system.email.template.delete", "Delete custom email template", "", false;
    TEMPLATE_SETTINGS = "system.email.template.settings_changed", "Change settings of email template", "", false;
    CAPTCHA_CREATE = "system.captcha.create", "Create CAPTCHA", "", false;
    CAPTCHA_UPDATE = "system.captcha.update", "Update CAPTCHA", "", false;
    CAPTCHA_DELETE = "system.captcha.delete", "Delete CAPTCHA", "", false;
    FEATURE_ENABLE = "system.feature.enable", "Enable feature", "", false;
    FEATURE_DISABLE = "system.feature.disable", "Disable feature", "", false;
    BETA_ENABLE = "system.beta.feature.enable", "Enable beta feature", "", false;
    HOOK_KEY_CREATED = "system.hook.key.created", "Create hook key", "", false;
    HOOK_KEY_UPDATED = "system.hook.key.updated", "Update hook key", "", false;
    HOOK_KEY_DELETED = "system.hook.key.deleted", "Delete hook key", "", false;
    ORG_CREATE = "system.org.lifecycle.create", "Create org", "", false;
    ORG_LIMIT_WARNING = "system.org.rate_limit.warning", "Rate limit warning", "core.framework.ratelimit.warning", false;
    ORG_LIMIT_VIOLATION = "system.org.rate_limit.violation", "Rate limit violation", "", false;
    OPERATION_VIOLATION = "system.operation.rate_limit.violation", "Operation rate limit violation", "", false;
    CLIENT_LIMIT_VIOLATION = "system.client.rate_limit.violation", "Client rate limit violation", "", false;
    CLIENT_LIMIT_NOTICE = "system.client.rate_limit.notification", "Client rate limit notification", "", false;
    CONCURRENCY_VIOLATION = "core.concurrency.org.limit.violation", "Too many concurrent requests in flight", "core.concurrency.org.limit.violation", false;
    MAJORITY_WARNING = "app.oauth2.client_id_rate_limit_warning", "OAuth2 client rate limit warning", "", false;
    USER_CREATE = "user.lifecycle.create", "Create okta user", "core.user.config.user_creation.success", true;
    USER_ACTIVATE = "user.lifecycle.activate", "Activate Okta user", "core.user.config.user_activated", true;
    USER_REACTIVATE = "user.lifecycle.reactivate", "Reactivate Okta user", "", true;
    USER_DEACTIVATE = "user.lifecycle.deactivate", "Deactivate Okta user", "core.user.config.user_deactivated", true;
    USER_SUSPEND = "user.lifecycle.suspend", "Suspend Okta user", "core.user.config.user_suspended", true;
    USER_UNSUSPEND = "user.lifecycle.unsuspend", "Unsuspend Okta user", "core.user.config.user_unsuspended", true;
    USER_DELETE = "user.lifecycle.delete.initiated", "Delete Okta user initiated", "", true;
    USER_DELETED = "user.lifecycle.delete.completed", "Delete Okta user completed", "", false;
    ACCOUNT_LOCK = "user.account.lock", "Max sign in attempts exceeded", "core.user_auth.account_locked", true;
    ACCOUNT_UNLOCK = "user.account.unlock_by_admin", "Unlock Okta account by admin", "core.user.config.account_unlock", true;
    ACCOUNT_UNLOCKED = "user.account.unlock", "User unlock account", "core.user.config.account_unlock_success", true;
    UNLOCK_ASKED = "user.account.unlock_token", "Self-service account unlock is requested", "", false;
    ACCOUNT_PROFILE = "user.account.update_profile", "Update user profile for Okta", "core.user.config.profile_update.success", true;
    PRIMARY_EMAIL = "user.account.update_primary_email", "Update user primary email", "", true;
    SECONDARY_EMAIL = "user.account.update_secondary_email", "Update user secondary email", "", true;
    ACCOUNT_PASSWORD = "user.account.update_password", "User update password for Okta", "core.user.config.password_update.success", true;
    ACCOUNT_RESET = "user.account.reset_password", "Password reset for Okta user", "core.user.config.password_reset.success", true;
    ACCOUNT_EXPIRE = "user.account.expire_password", "Expire password for Okta user", "", false;
    FACTORS_RESET = "user.mfa.factor.reset_all", "Reset all factors for user", "core.user.factor.reset_all", true;
    PREREGISTER = "system.mfa.preregister.initiate", "Initiate preregistration of an authenticator", "", true;
    FACTOR_ACTIVATE = "user.mfa.factor.activate", "Activate factor or authenticator enrollment method for user", "core.user.factor.activate", true;
    FACTOR_DEACTIVATE = "user.mfa.factor.deactivate", "Reset factor or authenticator enrollment method for user", "core.user.factor.reset", true;
    FACTOR_UPDATE = "user.mfa.factor.update", "Update factor or authenticator enrollment method for user", "core.user.factor.update", true;
    AUTH_MFA = "user.authentication.auth_via_mfa", "Authentication of user via MFA", "core.user.factor.attempt_success", true;
    AUTH_IDP = "user.authentication.auth_via_IDP", "Authenticate user via IDP", "core.user_auth.idp.saml.login_success", true;
    AUTH_SOCIAL = "user.authentication.auth_via_social", "Authenticate user with social login", "", true;
    PUSH_DENIED = "user.mfa.okta_verify.deny_push", "User rejected Okta push verify", "core.user.factor.okta_verify.deny_push", false;
    PUSH_SENT = "system.push.send_factor_verify_push", "Send factor verification push message", "", false;
    SMS_FACTOR = "system.sms.send_factor_verify_message", "Send factor verification SMS message", "", false;
    VOICE_FACTOR = "system.voice.send_mfa_challenge_call", "Send MFA challenge call", "", false;
    MAIL_FACTOR = "system.email.send_factor_verify_message", "Send factor verification email message", "", false;
    SESSION_START = "user.session.start", "User login to Okta", "core.user_auth.login_success", true;
    SESSION_END = "user.session.end", "User logout from Okta", "core.user_auth.logout_success", true;
    SESSION_CLEAR = "user.session.clear", "Clear user session", "core.user_auth.session_clear", true;
    GROUP_CREATE = "group.lifecycle.create", "Create Okta group", "", true;
    GROUP_DELETE = "group.lifecycle.delete", "Delete Okta group", "", true;
    GROUP_PROFILE = "group.profile.update", "Update Okta group profile", "", true;
    MEMBER_ADD = "group.user_membership.add", "Add user to group membership", "core.user_group_member.user_add", true;
    EXCLUSION_ADD = "group.user_membership.rule.add_exclusion", "Add user to group rule exclusion", "core.user.added_to_rule_exclusion", false;
    RULES_EVALUATION = "group.user_membership.rule.evaluation", "Evaluate group rule", "", false;
    RULES_DEACTIVATED = "group.user_membership.rule.deactivated", "Deactivate group rule", "", false;
    RULES_INVALIDATE = "group.user_membership.rule.invalidate", "Invalidate group rule", "", false;
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
    USER_GRANT = "user.account.privilege.grant", "Grant user privilege", "core.user.admin_privilege.granted", true;
    USER_REVOKE = "user.account.privilege.revoke", "Revoke user privilege", "core.user.admin_privilege.revoked", true;
    GROUP_GRANT = "group.privilege.grant", "Grant group privilege", "", true;
    GROUP_REVOKE = "group.privilege.revoke", "Revoke group privilege", "", true;
    CLIENT_GRANT = "app.oauth2.client.privilege.grant", "Grant privilege to an OAuth2 client", "", true;
    CLIENT_REVOKE = "app.oauth2.client.privilege.revoke", "Revoke privilege from an OAuth2 client", "", true;
    IAM_ROLE_CREATE = "iam.role.create", "Create custom admin role", "", true;
    IAM_ROLE_UPDATE = "iam.role.update", "Update custom admin role", "", true;
    IAM_ROLE_DELETE = "iam.role.delete", "Delete custom admin role", "", true;
    PERMISSION_ADD = "iam.role.permissions.add", "Add permission to custom admin role", "", true;
    PERMISSION_DELETE = "iam.role.permissions.delete", "Delete permission from custom admin role", "", true;
    RESOURCE_SET_CREATE = "iam.resourceset.create", "Create resource set", "", true;
    RESOURCE_SET_UPDATE = "iam.resourceset.update", "Update resource set", "", true;
    RESOURCE_SET_DELETE = "iam.resourceset.delete", "Delete resource set", "", true;
    RESOURCE_ADD = "iam.resourceset.resources.add", "Add resource to resource set", "", true;
    RESOURCE_UPDATE = "iam.resourceset.resources.update", "Update resource of resource set", "", true;
    RESOURCE_DELETE = "iam.resourceset.resources.delete", "Delete resource from resource set", "", true;
    BINDING_ADD = "iam.resourceset.bindings.add", "Create admin role assignment", "", true;
    BINDING_DELETE = "iam.resourceset.bindings.delete", "Delete admin role assignment", "", true;
    POLICY_SIGN_ON = "policy.evaluate_sign_on", "Evaluation of sign-on policy", "", false;
    SSO = "user.authentication.sso", "User single sign on to app", "app.auth.sso", true;
    APP_ACCESS_REFUSED = "app.generic.unauth_app_access_attempt", "User attempted unauthorized access to app", "app.generic.unauth_app_access_attempt", true;
    TOKEN_UPDATE = "system.api_token.update", "Update API token", "api.token.update", false;
    PROVISION_PUSH = "application.provision.user.push", "Push new user to external application", "app.user_management.push_new_user", true;
    PROVISION_PROFILE = "application.provision.user.push_profile", "Push user's profile to external application", "app.user_management.push_profile_success", true;
    PROVISION_DEACTIVATE = "application.provision.user.deactivate", "Deactivate user in external application", "app.user_management.deactivate_user.success", true;
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
    POLICY_CREATE = "policy.lifecycle.create", "Create policy", "", true;
    POLICY_UPDATE = "policy.lifecycle.update", "Update policy", "", true;
    POLICY_DELETE = "policy.lifecycle.delete", "Delete policy", "", true;
    POLICY_ACTIVATE = "policy.lifecycle.activate", "Activate policy", "", true;
    POLICY_DEACTIVATE = "policy.lifecycle.deactivate", "Deactivate policy", "", true;
    RULE_ADD = "policy.rule.add", "Add policy rule", "", true;
    RULE_UPDATE = "policy.rule.update", "Update policy rule", "", true;
    RULE_DELETE = "policy.rule.delete", "Delete policy rule", "", true;
    RULE_ACTIVATE = "policy.rule.activate", "Activate policy rule", "", true;
    RULE_DEACTIVATE = "policy.rule.deactivate", "Deactivate policy rule", "", true;
    APP_POLICY = "application.policy.sign_on.update", "Update application sign on policy", "", true;
    ZONE_CREATE = "zone.create", "Create network zone", "", true;
    ZONE_UPDATE = "zone.update", "Update network zone", "", true;
    ZONE_DELETE = "zone.delete", "Delete network zone", "", true;
    ZONE_ACTIVATE = "zone.activate", "Activate network zone", "", true;
    ZONE_DEACTIVATE = "zone.deactivate", "Deactivate network zone", "", true;
    ORIGIN_CREATE = "security.trusted_origin.create", "Create trusted origin", "", true;
    ORIGIN_UPDATE = "security.trusted_origin.update", "Update trusted origin", "", true;
    ORIGIN_DELETE = "security.trusted_origin.delete", "Delete trusted origin", "", true;
    ORIGIN_ACTIVATE = "security.trusted_origin.activate", "Activate trusted origin", "", true;
    ORIGIN_DEACTIVATE = "security.trusted_origin.deactivate", "Deactivate trusted origin", "", true;
    IDP_CREATE = "system.idp.lifecycle.create", "Create identity provider", "", true;
    IDP_UPDATE = "system.idp.lifecycle.update", "Update identity provider", "", true;
    IDP_DELETE = "system.idp.lifecycle.delete", "Delete identity provider", "", true;
    IDP_ACTIVATE = "system.idp.lifecycle.activate", "Activate identity provider", "", true;
    IDP_DEACTIVATE = "system.idp.lifecycle.deactivate", "Deactivate identity provider", "", true;
    IDP_KEY_CREATE = "system.idp.key.create", "Create key for identity provider", "", true;
    IDP_KEY_UPDATE = "system.idp.key.update", "Update key for identity provider", "", true;
    IDP_KEY_DELETE = "system.idp.key.delete", "Delete key for identity provider", "", true;
    AUTHENTICATOR_CREATE = "security.authenticator.lifecycle.create", "Create authenticator", "", true;
    AUTHENTICATOR_UPDATE = "security.authenticator.lifecycle.update", "Update authenticator", "", true;
    AUTHENTICATOR_ACTIVATE = "security.authenticator.lifecycle.activate", "Activate authenticator", "", true;
    AUTHENTICATOR_DEACTIVATE = "security.authenticator.lifecycle.deactivate", "Deactivate authenticator", "", true;
    IMPORT_START = "system.import.start", "Import started", "", false;
    IMPORT_COMPLETE = "system.import.complete", "Import completed", "", true;
    SOURCES_UPSERT = "system.identity_sources.bulk_upsert", "Bulk upsert of an identity source", "", false;
    SOURCES_DELETE = "system.identity_sources.bulk_delete", "Bulk delete of an identity source", "", false;
    GROUP_PUSH_ADD = "application.provision.group.add", "Add group to application", "", false;
    GROUP_PUSH_UPDATED = "application.provision.group_push.updated", "Update group of application by push", "", false;
    GROUP_PUSH_ACTIVATE = "application.provision.group_push.activate_mapping", "Activate group push mapping", "", false;
    GROUP_PUSH_DEACTIVATE = "application.provision.group_push.deactivate_mapping", "Deactivate group push mapping", "", false;
    GROUP_PUSH_DELETE = "application.provision.group_push.delete_appgroup", "Delete group of application by push", "", false;
    IMPORT_USER_CREATE = "system.import.user.create", "Create user by import", "app.generic.import.details.add_user", false;
    IMPORT_USER_UPDATE = "system.import.user.update", "Update user by import", "app.generic.import.details.update_user", false;
    IMPORT_USER_DELETE = "system.import.user.delete", "Delete user by import", "app.generic.import.details.delete_user", false;
    IMPORT_GROUP_CREATE = "system.import.group.create", "Create group by import", "app.generic.import.details.add_group", true;
    IMPORT_GROUP_UPDATE = "system.import.group.update", "Update group by import", "app.generic.import.details.update_group", false;
    IMPORT_GROUP_DELETE = "system.import.group.delete", "Remove group by import", "app.generic.import.details.delete_group", true;
    DEVICE_ACTIVATE = "device.lifecycle.activate", "Activate device", "", true;
    DEVICE_DEACTIVATE = "device.lifecycle.deactivate", "Deactivate device", "", true;
    DEVICE_SUSPEND = "device.lifecycle.suspend", "Suspend device", "", true;
    DEVICE_UNSUSPEND = "device.lifecycle.unsuspend", "Unsuspend device", "", true;
    DEVICE_DELETE = "device.lifecycle.delete", "Delete device", "", true;
    DEVICE_ENROLL = "device.enrollment.create", "Enroll new device", "", true;
    DEVICE_USER_ADD = "device.user.add", "Add device to user", "", true;
    DEVICE_USER_REMOVE = "device.user.remove", "Remove device from user", "", true;
    SIGNALS_PROVIDER_CREATE = "security.events.provider.create", "Create security events provider", "", false;
    SIGNALS_PROVIDER_UPDATE = "security.events.provider.update", "Update security events provider", "", false;
    SIGNALS_PROVIDER_DELETE = "security.events.provider.delete", "Delete security events provider", "", false;
    SIGNALS_PROVIDER_ACTIVATE = "security.events.provider.activate", "Activate security events provider", "", false;
    SIGNALS_PROVIDER_DEACTIVATE = "security.events.provider.deactivate", "Deactivate security events provider", "", false;
    SIGNALS_RECEIVED = "security.events.provider.receive_event", "Receive security event from provider", "", false;
    SIGNALS_STREAM_CREATE = "security.events.transmitter.create", "Create security events transmitter", "", false;
    SIGNALS_STREAM_DELETE = "security.events.transmitter.delete", "Delete security events transmitter", "", false;
    INLINE_EXECUTED = "inline_hook.executed", "Inline hook executed", "", true;
    INLINE_PROCESSED = "inline_hook.response.processed", "Inline hook response processed", "", false;
    INLINE_CREATED = "inline_hook.created", "Create inline hook", "", false;
    INLINE_UPDATED = "inline_hook.updated", "Update inline hook", "", false;
    INLINE_DELETED = "inline_hook.deleted", "Delete inline hook", "", false;
    INLINE_ACTIVATED = "inline_hook.activated", "Activate inline hook", "", false;
    INLINE_DEACTIVATED = "inline_hook.deactivated", "Deactivate inline hook", "", false;
    STREAM_CREATE = "system.log_stream.lifecycle.create", "Create log stream", "", true;
    STREAM_UPDATE = "system.log_stream.lifecycle.update", "Update log stream", "", true;
    STREAM_DELETE = "system.log_stream.lifecycle.delete", "Delete log stream", "", true;
    STREAM_ACTIVATE = "system.log_stream.lifecycle.activate", "Activate log stream", "", true;
    STREAM_DEACTIVATE = "system.log_stream.lifecycle.deactivate", "Deactivate log stream", "", true;
    BEHAVIOR_CREATE = "security.behavior.settings.create", "Create behavior detection rule", "", true;
    BEHAVIOR_UPDATE = "security.behavior.settings.update", "Update behavior detection rule", "", true;
    BEHAVIOR_DELETE = "security.behavior.settings.delete", "Delete behavior detection rule", "", true;
    THREAT_UPDATE = "security.threat.configuration.update", "Update threat detection configuration", "", true;
    AS_CREATED = "oauth2.as.created", "OAuth2 authorization server is created", "api.oauth2.as.created", false;
    AS_UPDATED = "oauth2.as.updated", "OAuth2 authorization server is updated", "api.oauth2.as.updated", false;
    AS_DELETED = "oauth2.as.deleted", "OAuth2 authorization server is deleted", "api.oauth2.as.deleted", false;
    AS_ACTIVATED = "oauth2.as.activated", "OAuth2 authorization server is activated", "api.oauth2.as.activated", false;
    AS_DEACTIVATED = "oauth2.as.deactivated", "OAuth2 authorization server is deactivated", "api.oauth2.as.deactivated", false;
    SCOPE_CREATED = "oauth2.scope.created", "OAuth2 scope is created", "api.oauth2.scope.created", false;
    SCOPE_UPDATED = "oauth2.scope.updated", "OAuth2 scope is updated", "api.oauth2.scope.updated", false;
    SCOPE_DELETED = "oauth2.scope.deleted", "OAuth2 scope is deleted", "api.oauth2.scope.deleted", false;
    CLAIM_CREATED = "oauth2.claim.created", "OAuth2 claim is created", "api.oauth2.claim.created", false;
    CLAIM_UPDATED = "oauth2.claim.updated", "OAuth2 claim is updated", "api.oauth2.claim.updated", false;
    CLAIM_DELETED = "oauth2.claim.deleted", "OAuth2 claim is deleted", "api.oauth2.claim.deleted", false;
    USER_LOGOUT = "user.authentication.universal_logout", "Universal logout of user", "", true;
    CONSENT_GRANT = "app.oauth2.consent.grant", "User granted consent to app", "", false;
    CONSENT_REVOKE = "app.oauth2.consent.revoke", "Consent revoked", "", false;
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
