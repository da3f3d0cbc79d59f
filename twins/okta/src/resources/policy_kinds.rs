//! What the kinds of policies and rules have of their own: how they are ordered, and what they have unless a caller
//! says otherwise.
//!
//! Facts: recorded policies (2020-2026), the defaults of the public document, and
//! developer.okta.com/docs/guides/policy-rule-prioritization/ for the two ways in which priorities are kept.

use serde_json::{Value, json};

/// Kinds whose priorities may have gaps; their rules begin at zero and end with one for all others.
const WITH_GAPS: &[&str] = &[
    "ACCESS_POLICY",
    "CLIENT_UPDATE",
    "DEVICE_SIGNAL_COLLECTION",
    "ENTITY_RISK",
    "IDENTITY_CLAIM_SOURCING",
    "POST_AUTH_SESSION",
    "PROFILE_ENROLLMENT",
    "SESSION_VIOLATION_DETECTION",
];

/// The priority of the rule for all others.
pub(crate) const LAST: u64 = 99;

/// Whether the priorities of a kind's rules may have gaps.
pub(crate) fn has_gaps(kind: &str) -> bool {
    WITH_GAPS.contains(&kind)
}

/// What the rules of a kind of policy are called.
pub(crate) fn rule_kind(policy: &str) -> &str {
    if policy == "OKTA_SIGN_ON" { "SIGN_ON" } else { policy }
}

/// What a policy has unless its caller says otherwise.
pub(crate) fn policy(kind: &str) -> Value {
    match kind {
        "PASSWORD" => json!({
            "conditions": { "authProvider": { "provider": "OKTA" } },
            "settings": password_settings(),
        }),
        _ => Value::Null,
    }
}

fn password_settings() -> Value {
    json!({
        "password": {
            "complexity": {
                "minLength": 8, "minLowerCase": 1, "minUpperCase": 1, "minNumber": 1, "minSymbol": 0,
                "excludeUsername": true, "dictionary": { "common": { "exclude": false } }, "excludeAttributes": [],
            },
            "age": { "maxAgeDays": 0, "expireWarnDays": 0, "minAgeMinutes": 0, "historyCount": 4 },
            "lockout": {
                "maxAttempts": 10, "autoUnlockMinutes": 0, "userLockoutNotificationChannels": [],
                "showLockoutFailures": false,
            },
        },
        "recovery": { "factors": {
            "recovery_question": { "status": "ACTIVE", "properties": { "complexity": { "minLength": 4 } } },
            "okta_email": {
                "status": "ACTIVE", "properties": { "recoveryToken": { "tokenLifetimeMinutes": 60 } },
            },
            "okta_sms": { "status": "INACTIVE" },
            "okta_call": { "status": "INACTIVE" },
        } },
        "delegation": { "options": { "skipUnlock": false } },
    })
}

/// Which factors people may enrol where a new org has said nothing: what its authenticators are for.
pub(crate) fn enrolments() -> Value {
    let factor = |key: &str, own: &str| json!({ "key": key, "enroll": { "self": own } });
    json!({ "type": "AUTHENTICATORS", "authenticators": [
        factor("okta_email", "REQUIRED"), factor("okta_password", "REQUIRED"), factor("okta_verify", "OPTIONAL"),
        factor("security_question", "OPTIONAL"),
    ] })
}

/// What a rule has unless its caller says otherwise.
pub(crate) fn rule(kind: &str) -> Value {
    let anyone = json!({ "users": { "exclude": [] } });
    let anywhere = json!({ "connection": "ANYWHERE" });
    match kind {
        "SIGN_ON" => json!({
            "conditions": { "people": anyone, "network": anywhere, "authContext": { "authType": "ANY" } },
            "actions": { "signon": {
                "access": "ALLOW", "requireFactor": false, "primaryFactor": "PASSWORD_IDP",
                "rememberDeviceByDefault": false,
                "session": {
                    "usePersistentCookie": false, "maxSessionIdleMinutes": 120, "maxSessionLifetimeMinutes": 0,
                },
            } },
        }),
        "PASSWORD" => json!({
            "conditions": { "people": anyone, "network": anywhere },
            "actions": {
                "passwordChange": { "access": "ALLOW" }, "selfServicePasswordReset": { "access": "ALLOW" },
                "selfServiceUnlock": { "access": "DENY" },
            },
        }),
        "MFA_ENROLL" => json!({
            "conditions": { "people": anyone, "network": anywhere },
            "actions": { "enroll": { "self": "CHALLENGE" } },
        }),
        "ACCESS_POLICY" => json!({
            "conditions": {
                "people": anyone, "network": anywhere, "riskScore": { "level": "ANY" },
                "userType": { "include": [], "exclude": [] },
            },
            "actions": { "appSignOn": { "access": "ALLOW", "verificationMethod": assurance("2FA") } },
        }),
        "IDP_DISCOVERY" => json!({
            "conditions": { "network": anywhere },
            "actions": { "idp": { "providers": [{ "type": "OKTA" }], "idpSelectionType": "SPECIFIC" } },
        }),
        _ => Value::Null,
    }
}

/// How people show who they are: with one factor or two.
fn assurance(factors: &str) -> Value {
    json!({
        "type": "ASSURANCE", "factorMode": factors, "reauthenticateIn": "PT2H",
        "constraints": [{ "knowledge": { "types": ["password"], "required": true } }],
    })
}

/// The rule of a new policy, or of one that an org has from its first day, for whoever no other rule is for; none
/// where a kind has no such rule.
pub(crate) fn last_rule(kind: &str) -> Option<Value> {
    let actions = match kind {
        "ACCESS_POLICY" => json!({ "appSignOn": { "access": "ALLOW", "verificationMethod": assurance("2FA") } }),
        "PROFILE_ENROLLMENT" => json!({ "profileEnrollment": {
            "access": "ALLOW", "preRegistrationInlineHooks": null, "targetGroupIds": null, "unknownUserAction": "DENY",
            "activationRequirements": { "emailVerification": true },
            "profileAttributes": [
                { "name": "email", "label": "Email", "required": true },
                { "name": "firstName", "label": "First name", "required": true },
                { "name": "lastName", "label": "Last name", "required": true },
            ],
        } }),
        _ => return None,
    };
    Some(json!({
        "type": kind, "name": "Catch-all Rule", "status": "ACTIVE", "priority": LAST, "system": true,
        "conditions": null, "actions": actions,
    }))
}

/// The rule of the policy that apps have which have no other: any one factor, as long as the session lasts. New orgs ask
/// for two factors here, older ones and those that began on the Classic Engine for one, in a policy that is called
/// alike: support.okta.com/help/s/article/Verifying-Authentication-Policy-After-Okta-Identity-Engine-Upgrade and
/// .../about-changing-the-default-authentication-policy; the public document's example of such a rule has one factor and
/// no constraint. A company that exists is of the second kind.
pub(crate) fn default_app_rule() -> Option<Value> {
    let mut rule = last_rule("ACCESS_POLICY")?;
    rule["actions"]["appSignOn"]["verificationMethod"] =
        json!({ "type": "ASSURANCE", "factorMode": "1FA", "reauthenticateIn": "PT43800H", "constraints": [] });
    Some(rule)
}

/// The default rule of a default policy that an org has from its first day.
pub(crate) fn default_rule(kind: &str) -> Value {
    let own = rule_kind(kind);
    let mut made = rule(own);
    if let Value::Object(members) = &mut made {
        if own == "IDP_DISCOVERY" {
            members.insert("conditions".to_owned(), Value::Null);
        }
        for (name, value) in [("type", own), ("name", "Default Rule"), ("status", "ACTIVE")] {
            members.insert(name.to_owned(), value.into());
        }
        members.insert("priority".to_owned(), 1.into());
        members.insert("system".to_owned(), true.into());
    }
    made
}
