//! What an org has from its first day.

use dtu_kernel::tx::Tx;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{branding::of_brand, find, id_shape, policy_kinds};
use crate::{
    api::{device_integrations, features, stamp},
    model::{State, mapping},
    policy::{self, POLICIES},
};

/// Puts what every org has into the store. Draws are keyed, so that nothing else moves.
pub(crate) fn start(state: &mut State, tx: &mut Tx<'_>) {
    let mut desk = Desk { at: stamp(state.founded), state, tx };
    desk.org();
    desk.branding();
    desk.sign_in();
    desk.policies();
    desk.rest();
}

struct Desk<'a, 't> {
    state: &'a mut State,
    tx: &'a mut Tx<'t>,
    /// When the org was made.
    at: String,
}

impl Desk<'_, '_> {
    /// Adds an object that is known by another member than an id, or else one with an id.
    fn add_named(&mut self, place: &str, id: Option<SmolStr>, members: Value) {
        match (id, members) {
            (Some(id), Value::Object(members)) => self.state.objects.put_seed(place, &id, members),
            (_, members) => drop(self.add(place, members)),
        }
    }

    /// Adds an object with an id of its collection's kind, made when the org was; its id.
    fn add(&mut self, place: &str, members: Value) -> SmolStr {
        let collection = template(place);
        let Value::Object(mut members) = members else { return SmolStr::default() };
        let prefix = find(&collection).map_or("", |row| (row.prefix)(&members));
        let drawn = || self.tx.id(&id_shape(&collection, prefix));
        let id = members.get("id").and_then(Value::as_str).map_or_else(drawn, SmolStr::from);
        members.insert("id".to_owned(), Value::from(id.as_str()));
        for name in times(&collection) {
            members.entry(*name).or_insert_with(|| Value::from(self.at.as_str()));
        }
        self.state.objects.put_seed(place, &id, members);
        id
    }

    fn org(&mut self) {
        let name = self.state.org.to_string();
        let id = self.tx.id(&id_shape("/api/v1/org", "00o"));
        let org = json!({
            "id": id, "subdomain": name, "companyName": name, "status": "ACTIVE", "created": self.at,
            "lastUpdated": self.at,
        });
        self.one("/api/v1/org", org);
        self.one("/api/v1/rate-limit-settings/admin-notifications", json!({ "notificationsEnabled": true }));
        self.one("/api/v1/rate-limit-settings/per-client", json!({ "defaultMode": "ENFORCE" }));
        self.one("/api/v1/rate-limit-settings/warning-threshold", json!({ "warningThreshold": 60 }));
        let tokens: Vec<_> = self.state.tokens.iter().map(|token| (token.id.clone(), token.user.clone())).collect();
        for (token, user) in tokens {
            self.add(
                "/api/v1/principal-rate-limits",
                json!({
                    "orgId": id, "principalId": token, "principalType": "SSWS_TOKEN", "defaultPercentage": 50,
                    "defaultConcurrencyPercentage": 50, "createdBy": user, "lastUpdatedBy": user,
                }),
            );
        }
    }

    fn one(&mut self, path: &str, members: Value) {
        if let Value::Object(members) = members {
            self.state.objects.put_seed_one(path, members);
        }
    }

    fn branding(&mut self) {
        let name = self.state.org.to_string();
        // The app with which end users begin is Okta's own, and not among the org's.
        let app = self.tx.id(&id_shape("/api/v1/brands apps", "0oa"));
        let app = json!({ "appInstanceId": app, "appLinkName": null, "classicApplicationUri": null });
        let brand = self.add("/api/v1/brands", json!({ "name": name, "isDefault": true, "defaultApp": app }));
        for companion in of_brand(self.state.kind.is_classic(), "/api/v1/brands", &brand) {
            self.add_named(&companion.place, companion.id, Value::Object(companion.members));
        }
        if self.state.kind.is_classic() {
            return;
        }
        self.add(
            "/api/v1/domains",
            json!({
                "id": "default", "domain": format!("{name}.okta.com"), "certificateSourceType": "OKTA_MANAGED",
                "validationStatus": "COMPLETED", "brandId": brand,
            }),
        );
    }

    fn sign_in(&mut self) {
        let recovery = json!({ "allowedFor": "recovery" });
        let email = json!({ "allowedFor": "recovery", "tokenLifetimeInMinutes": 5 });
        let verify = json!({
            "compliance": { "fips": "OPTIONAL" }, "channelBinding": { "style": "NUMBER_CHALLENGE", "required": "NEVER" },
            "userVerification": "PREFERRED", "userVerificationMethods": ["BIOMETRICS", "PIN"], "appInstanceId": "",
        });
        let all = [
            ("email", "okta_email", "Email", "ACTIVE", email),
            ("app", "okta_verify", "Okta Verify", "ACTIVE", verify),
            ("password", "okta_password", "Password", "ACTIVE", Value::Null),
            ("phone", "phone_number", "Phone", "INACTIVE", recovery.clone()),
            ("security_key", "webauthn", "Security Key or Biometric", "INACTIVE", Value::Null),
            ("security_question", "security_question", "Security Question", "ACTIVE", recovery),
        ];
        for (kind, key, name, status, settings) in all {
            let mut one = json!({ "type": kind, "key": key, "name": name, "status": status });
            if !settings.is_null() {
                one["settings"] = settings;
            }
            let id = self.add("/api/v1/authenticators", one);
            for method in methods(key) {
                let kind = method["type"].as_str().map(SmolStr::from);
                self.add_named(&format!("/api/v1/authenticators/{id}/methods"), kind, method);
            }
        }
    }

    /// The default policies of each kind, with their rules.
    fn policies(&mut self) {
        for kind in ["OKTA_SIGN_ON", "PASSWORD", "MFA_ENROLL", "IDP_DISCOVERY"] {
            self.default_policy(kind);
        }
        let of_all = "The default policy for new people.";
        let enrollment = (self.state.apps.enrollment.clone(), "PROFILE_ENROLLMENT", "Default Policy", of_all, true);
        let apps = self.state.apps.policy.clone();
        let two = (apps, "ACCESS_POLICY", "Any two factors", "Require two factors to access.", true);
        let console = (SmolStr::default(), "ACCESS_POLICY", policy::CONSOLE, "", false);
        for (id, kind, name, description, system) in [console, two, enrollment] {
            let mut policy = json!({
                "type": kind, "name": name, "status": "ACTIVE", "priority": 1, "system": system, "conditions": null,
            });
            for (member, value) in [("id", id.as_str()), ("description", description)] {
                if !value.is_empty() {
                    policy[member] = value.into();
                }
            }
            let id = self.add(POLICIES, policy);
            let is_default = id == self.state.apps.policy;
            let rule = if is_default { policy_kinds::default_app_rule() } else { policy_kinds::last_rule(kind) };
            if let Some(rule) = rule {
                self.add(&policy::rules_of(&id), rule);
            }
        }
    }

    /// A policy for all who no other policy is for.
    fn default_policy(&mut self, kind: &str) {
        let (name, description) = match kind {
            "IDP_DISCOVERY" => ("Idp Discovery Policy", "The default IdP Discovery Policy"),
            _ => ("Default Policy", "The default policy applies in all situations if no other policy applies."),
        };
        let mut policy = json!({
            "type": kind, "name": name, "description": description, "status": "ACTIVE", "priority": 1, "system": true,
            "conditions": { "people": { "groups": { "include": [self.state.groups.everyone] } } },
        });
        match kind {
            "IDP_DISCOVERY" => policy["conditions"] = Value::Null,
            "MFA_ENROLL" => policy["settings"] = policy_kinds::enrolments(),
            _ => {}
        }
        if let Value::Object(members) = &mut policy {
            super::resource::fill(members, policy_kinds::policy(kind));
        }
        let id = self.add(POLICIES, policy);
        self.add(&policy::rules_of(&id), policy_kinds::default_rule(kind));
    }

    /// What tells Okta of devices: offered from the start, in use once somebody activates it.
    fn device_integrations(&mut self) {
        for (name, title, platform) in device_integrations::OFFERED {
            let one = json!({ "name": name, "displayName": title, "platform": platform, "status": "DEACTIVATED" });
            let id = self.tx.id(&id_shape(device_integrations::PLACE, "din"));
            self.add_named(device_integrations::PLACE, Some(id), one);
        }
    }

    fn rest(&mut self) {
        for (name, usage) in [("BlockedIpZone", "BLOCKLIST"), ("LegacyIpZone", "POLICY")] {
            let zone = json!({ "type": "IP", "name": name, "status": "ACTIVE", "usage": usage, "system": true });
            self.add("/api/v1/zones", zone);
        }
        self.add("/api/v1/realms", json!({ "profile": { "name": "Default Realm" }, "isDefault": true }));
        let type_id = self.state.users.type_id.clone();
        let sms = json!({
            "id": "default", "name": "Default", "type": "SMS_VERIFY_CODE", "template": "Your verification code is ${code}.",
        });
        self.add("/api/v1/templates/sms", sms);
        self.behaviors();
        self.device_integrations();
        self.mappings(&type_id);
        for feature in &features::SEEDS {
            self.add("/api/v1/features", feature.members());
        }
    }

    /// Profiles of people and of the app by which they enrol Okta Verify, either way.
    fn mappings(&mut self, type_id: &SmolStr) {
        let app = self.tx.id(&id_shape("/api/v1/mappings apps", "0oa"));
        let user = json!({ "id": type_id, "name": "user", "type": "user" });
        let app = json!({ "id": app, "name": "Okta_Authenticator", "type": "appuser" });
        let email = json!({ "email": { "expression": "appuser.userName", "pushStatus": "DONT_PUSH" } });
        let name = json!({ "email": { "expression": "user.email", "pushStatus": "DONT_PUSH" } });
        for (source, target, properties) in [(&app, &user, email), (&user, &app, name)] {
            self.add("/api/v1/mappings", json!({ "source": source, "target": target, "properties": properties }));
        }
        let apps: Vec<_> = self.state.apps.iter().cloned().collect();
        for (id, members) in apps.iter().flat_map(|app| mapping::of_app(type_id, app)) {
            self.state.objects.put_seed(mapping::MAPPINGS, &id, members);
        }
    }

    fn behaviors(&mut self) {
        let location = |granularity: &str| json!({ "maxEventsUsedForEvaluation": 20, "granularity": granularity });
        let all = [
            ("New City", "ANOMALOUS_LOCATION", location("CITY")),
            ("New Country", "ANOMALOUS_LOCATION", location("COUNTRY")),
            ("New State", "ANOMALOUS_LOCATION", location("SUBDIVISION")),
            ("New Device", "ANOMALOUS_DEVICE", json!({ "maxEventsUsedForEvaluation": 20 })),
            ("New IP", "ANOMALOUS_IP", json!({ "maxEventsUsedForEvaluation": 50 })),
            ("Velocity", "VELOCITY", json!({ "velocityKph": 805 })),
        ];
        for (name, kind, settings) in all {
            self.add(
                "/api/v1/behaviors",
                json!({ "name": name, "type": kind, "status": "ACTIVE", "settings": settings }),
            );
        }
    }
}

/// The methods of an authenticator.
fn methods(key: &str) -> Vec<Value> {
    let plain = |kind: &str, status: &str| json!({ "type": kind, "status": status });
    match key {
        "okta_verify" => {
            let signed = |kind: &str, more: (&str, Value)| {
                let mut settings = json!({ "algorithms": ["ES256", "RS256"], "keyProtection": "ANY" });
                settings[more.0] = more.1;
                json!({ "type": kind, "status": "INACTIVE", "settings": settings })
            };
            let totp = json!({
                "timeIntervalInSeconds": 30, "encoding": "Base32", "algorithm": "HMACSHA1", "passCodeLength": 6,
            });
            vec![
                json!({ "type": "totp", "status": "ACTIVE", "settings": totp }),
                signed("push", ("transactionTypes", json!(["LOGIN"]))),
                signed("signed_nonce", ("showSignInWithOV", json!("NEVER"))),
            ]
        }
        "okta_email" => vec![plain("email", "ACTIVE")],
        "webauthn" => {
            let settings = json!({ "userVerification": "DISCOURAGED", "attachment": "ANY" });
            vec![json!({ "type": "webauthn", "status": "ACTIVE", "settings": settings })]
        }
        "okta_password" => vec![plain("password", "ACTIVE")],
        "phone_number" => vec![plain("sms", "INACTIVE"), plain("voice", "INACTIVE")],
        other => vec![plain(other, "ACTIVE")],
    }
}

/// What the times of a collection's objects are called.
fn times(collection: &str) -> &'static [&'static str] {
    match collection {
        "/api/v1/principal-rate-limits" => &["createdDate", "lastUpdate"],
        "/api/v1/brands" | "/api/v1/brands/{}/themes" | "/api/v1/domains" | "/api/v1/features" | "/api/v1/mappings" => {
            &[]
        }
        _ => &["created", "lastUpdated"],
    }
}

/// A place with its ids taken out: every second part of what is below a collection's first name.
fn template(place: &str) -> String {
    let is_id = |part: &str| part.len() == 20 && part.bytes().any(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = place.split('/').map(|part| if is_id(part) { "{}" } else { part }).collect();
    parts.join("/")
}
