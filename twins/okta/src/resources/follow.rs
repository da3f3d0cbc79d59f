//! What follows a change of an object: what the System Log says of it, and what changes with it.
//!
//! Names of events: developer.okta.com/docs/reference/api/event-types/.

use dtu_contract::generic::Done;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    Members,
    policies::RULES,
    policy_order::{self, Moved},
    references::PROVIDERS,
};
use crate::{
    idp,
    limits::{SHARE, WHOLE},
    model::{
        Act,
        event_type::{self as types, EventType},
        log::Party,
    },
    policy::POLICIES,
    ssf,
    zone::ZONES,
};

type Event = Option<&'static EventType>;

/// What the log says of the objects of a collection.
struct Told {
    collection: &'static str,
    /// What the log calls such an object.
    kind: &'static str,
    made: Event,
    written: Event,
    removed: Event,
    activated: Event,
    deactivated: Event,
}

const NOTHING: Told =
    Told { collection: "", kind: "", made: None, written: None, removed: None, activated: None, deactivated: None };

static TOLD: &[Told] = &[
    Told {
        collection: POLICIES,
        kind: "PolicyEntity",
        made: Some(&types::POLICY_CREATE),
        written: Some(&types::POLICY_UPDATE),
        removed: Some(&types::POLICY_DELETE),
        activated: Some(&types::POLICY_ACTIVATE),
        deactivated: Some(&types::POLICY_DEACTIVATE),
    },
    Told {
        collection: RULES,
        kind: "PolicyRule",
        made: Some(&types::RULE_ADD),
        written: Some(&types::RULE_UPDATE),
        removed: Some(&types::RULE_DELETE),
        activated: Some(&types::RULE_ACTIVATE),
        deactivated: Some(&types::RULE_DEACTIVATE),
    },
    Told {
        collection: ZONES,
        kind: "NetworkZone",
        made: Some(&types::ZONE_CREATE),
        written: Some(&types::ZONE_UPDATE),
        removed: Some(&types::ZONE_DELETE),
        activated: Some(&types::ZONE_ACTIVATE),
        deactivated: Some(&types::ZONE_DEACTIVATE),
    },
    Told {
        collection: "/api/v1/trustedOrigins",
        kind: "TrustedOrigin",
        made: Some(&types::ORIGIN_CREATE),
        written: Some(&types::ORIGIN_UPDATE),
        removed: Some(&types::ORIGIN_DELETE),
        activated: Some(&types::ORIGIN_ACTIVATE),
        deactivated: Some(&types::ORIGIN_DEACTIVATE),
    },
    Told {
        collection: PROVIDERS,
        kind: "IdentityProvider",
        made: Some(&types::IDP_CREATE),
        written: Some(&types::IDP_UPDATE),
        removed: Some(&types::IDP_DELETE),
        activated: Some(&types::IDP_ACTIVATE),
        deactivated: Some(&types::IDP_DEACTIVATE),
    },
    Told {
        collection: "/api/v1/idps/credentials/keys",
        kind: "IdpKey",
        made: Some(&types::IDP_KEY_CREATE),
        written: Some(&types::IDP_KEY_UPDATE),
        removed: Some(&types::IDP_KEY_DELETE),
        ..NOTHING
    },
    Told {
        collection: "/api/v1/authenticators",
        kind: "Authenticator",
        made: Some(&types::AUTHENTICATOR_CREATE),
        written: Some(&types::AUTHENTICATOR_UPDATE),
        activated: Some(&types::AUTHENTICATOR_ACTIVATE),
        deactivated: Some(&types::AUTHENTICATOR_DEACTIVATE),
        ..NOTHING
    },
    Told {
        collection: "/api/v1/inlineHooks",
        kind: "InlineHook",
        made: Some(&types::INLINE_CREATED),
        written: Some(&types::INLINE_UPDATED),
        removed: Some(&types::INLINE_DELETED),
        activated: Some(&types::INLINE_ACTIVATED),
        deactivated: Some(&types::INLINE_DEACTIVATED),
    },
    Told {
        collection: "/api/v1/logStreams",
        kind: "LogStream",
        made: Some(&types::STREAM_CREATE),
        written: Some(&types::STREAM_UPDATE),
        removed: Some(&types::STREAM_DELETE),
        activated: Some(&types::STREAM_ACTIVATE),
        deactivated: Some(&types::STREAM_DEACTIVATE),
    },
    Told {
        collection: "/api/v1/behaviors",
        kind: "BehaviorSettings",
        made: Some(&types::BEHAVIOR_CREATE),
        written: Some(&types::BEHAVIOR_UPDATE),
        removed: Some(&types::BEHAVIOR_DELETE),
        activated: Some(&types::BEHAVIOR_UPDATE),
        deactivated: Some(&types::BEHAVIOR_UPDATE),
    },
    Told {
        collection: "/api/v1/brands",
        kind: "Brand",
        made: Some(&types::BRAND_CREATE),
        written: Some(&types::BRAND_UPDATE),
        removed: Some(&types::BRAND_DELETE),
        ..NOTHING
    },
    Told { collection: "/api/v1/brands/{}/themes", kind: "Theme", written: Some(&types::THEME_UPDATE), ..NOTHING },
    Told {
        collection: "/api/v1/brands/{}/templates/email/{}/customizations",
        kind: "EmailTemplate",
        made: Some(&types::TEMPLATE_CREATE),
        written: Some(&types::TEMPLATE_UPDATE),
        removed: Some(&types::TEMPLATE_DELETE),
        ..NOTHING
    },
    Told {
        collection: "/api/v1/brands/{}/templates/email/{}/settings",
        kind: "EmailTemplate",
        made: Some(&types::TEMPLATE_SETTINGS),
        written: Some(&types::TEMPLATE_SETTINGS),
        ..NOTHING
    },
    Told {
        collection: "/api/v1/domains",
        kind: "CustomDomain",
        made: Some(&types::DOMAIN_INITIATE),
        written: Some(&types::DOMAIN_UPDATE),
        removed: Some(&types::DOMAIN_DELETE),
        activated: Some(&types::DOMAIN_VERIFY),
        ..NOTHING
    },
    Told {
        collection: "/api/v1/email-domains",
        kind: "EmailDomain",
        made: Some(&types::MAIL_DOMAIN_CREATE),
        written: Some(&types::MAIL_DOMAIN_UPDATE),
        removed: Some(&types::MAIL_DOMAIN_DELETE),
        activated: Some(&types::MAIL_DOMAIN_VERIFY),
        ..NOTHING
    },
    Told {
        collection: "/api/v1/captchas",
        kind: "Captcha",
        made: Some(&types::CAPTCHA_CREATE),
        written: Some(&types::CAPTCHA_UPDATE),
        removed: Some(&types::CAPTCHA_DELETE),
        ..NOTHING
    },
    Told {
        collection: "/api/v1/security-events-providers",
        kind: "SecurityEventsProvider",
        made: Some(&types::SIGNALS_PROVIDER_CREATE),
        written: Some(&types::SIGNALS_PROVIDER_UPDATE),
        removed: Some(&types::SIGNALS_PROVIDER_DELETE),
        activated: Some(&types::SIGNALS_PROVIDER_ACTIVATE),
        deactivated: Some(&types::SIGNALS_PROVIDER_DEACTIVATE),
    },
    Told {
        collection: "/api/v1/threats/configuration",
        kind: "ThreatInsight",
        written: Some(&types::THREAT_UPDATE),
        made: Some(&types::THREAT_UPDATE),
        ..NOTHING
    },
];

/// Follows what was done to an object by a call with this body.
pub(crate) fn follow(act: &mut Act<'_, '_>, done: &Done, body: &Value) {
    if let Some(told) = TOLD.iter().find(|told| told.collection == done.collection)
        && let Some(event) = event_of(told, done)
    {
        let targets = targets(act, told.kind, done);
        act.log(event, targets);
    }
    if done.collection == ssf::PROVIDERS {
        ssf::provider_changed(act, done);
    }
    if done.collection == PROVIDERS {
        idp::follow(act, done);
    }
    if done.collection == "/api/v1/principal-rate-limits" {
        share(act, done);
    }
    move_others(act, done, body);
}

/// Notes how much of the limits a token or client may use up from now on.
fn share(act: &mut Act<'_, '_>, done: &Done) {
    let Some(members) = &done.after else { return };
    let Some(principal) = members.get("principalId").and_then(Value::as_str) else { return };
    let percent =
        members.get("defaultPercentage").and_then(Value::as_u64).and_then(|percent| u8::try_from(percent).ok());
    act.state.shares.insert(principal.into(), percent.unwrap_or(SHARE).clamp(1, WHOLE));
}

fn event_of(told: &Told, done: &Done) -> Event {
    match (&done.before, &done.after) {
        (None, _) => told.made,
        (_, None) => told.removed,
        // What is proven by a verb has no status of that name.
        (Some(_), Some(after)) if done.by_verb && after.contains_key("validationStatus") => told.activated,
        (Some(before), Some(after)) if done.by_verb && before.get("status") == after.get("status") => None,
        (Some(_), Some(after)) if done.by_verb => match after.get("status").and_then(Value::as_str) {
            Some("ACTIVE") => told.activated,
            _ => told.deactivated,
        },
        (Some(_), Some(_)) => told.written,
    }
}

/// The object, and behind a rule its policy.
fn targets(act: &Act<'_, '_>, kind: &'static str, done: &Done) -> Vec<Party> {
    let members = done.after.as_ref().or(done.before.as_ref());
    let mut targets = vec![party(kind, &done.id, members)];
    if done.collection == RULES {
        let policy = done.place.split('/').nth(4).unwrap_or_default();
        targets.push(party("PolicyEntity", policy, act.state.objects.member(POLICIES, policy)));
    }
    targets
}

/// An object as a target of an entry.
pub(crate) fn party(kind: &'static str, id: &str, members: Option<&Members>) -> Party {
    let text = |name: &str| members.and_then(|members| members.get(name)?.as_str()).map(SmolStr::from);
    let unknown = || SmolStr::new_static("unknown");
    Party {
        id: id.into(),
        kind,
        alternate_id: text("type").unwrap_or_else(unknown),
        display_name: text("name").unwrap_or_else(unknown),
    }
}

fn move_others(act: &mut Act<'_, '_>, done: &Done, body: &Value) {
    let stays = done.before.is_some() && done.after.is_some() && body.get("priority").is_none_or(Value::is_null);
    if done.by_verb || stays {
        return;
    }
    let Some(members) = done.after.as_ref().or(done.before.as_ref()) else { return };
    let from = done.before.as_ref().and_then(|before| before.get("priority")?.as_u64());
    let priority = done.after.as_ref().and_then(|after| after.get("priority")?.as_u64());
    policy_order::follow(
        act,
        Moved { collection: &done.collection, place: &done.place, id: &done.id, members, priority, from },
    );
}
