//! What programs that manage an org as code send, and what Okta fills in: members that nobody must send though the
//! public document asks for them, and what answers show that nobody said.

use serde_json::{Value, json};

use crate::{
    org_kinds,
    support::{Got, ORIGIN, Org, call},
};

/// Makes an object, and looks at members of the answer and of a later read.
#[track_caller]
fn check(org: &Org, collection: &str, body: &Value, shown: &[(&str, Value)]) -> Got {
    let made = org.send(call(&format!("POST {collection}")).json(body));
    assert!([200, 201].contains(&made.status), "{collection} {body}: {}", made.body);
    let path = collection.split('?').next().unwrap_or_default();
    let read = org.get(&format!("{path}/{}", made.text("/id")));
    for (at, expected) in shown {
        for (got, how) in [(&made, "made"), (&read, "read")] {
            let found = got.body.pointer(at).cloned().unwrap_or_else(|| json!("absent"));
            assert_eq!(&found, expected, "{collection} {body}, {how}, {at}: {}", got.body);
        }
    }
    made
}

fn absent() -> Value {
    json!("absent")
}

#[test]
fn apps_say_what_they_want_and_have_the_rest() {
    let org = Org::acme();
    let check = |body: Value, shown: &[(&str, Value)]| drop(check(&org, "/api/v1/apps", &body, shown));
    let sign_on = json!({
        "ssoAcsUrl": "https://sp.example/acs", "audience": "https://sp.example", "recipient": "https://sp.example/acs",
        "destination": "https://sp.example/acs", "subjectNameIdTemplate": "${user.userName}",
        "subjectNameIdFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress", "assertionSigned": true,
        "signatureAlgorithm": "RSA_SHA256", "digestAlgorithm": "SHA256",
        "authnContextClassRef": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
    });
    check(
        json!({ "label": "Own SAML", "signOnMode": "SAML_2_0", "settings": { "signOn": sign_on } }),
        &[
            ("/settings/signOn/assertionSigned", json!(true)),
            ("/settings/signOn/requestCompressed", json!(false)),
            ("/settings/signOn/allowMultipleAcsEndpoints", json!(false)),
            ("/settings/signOn/samlSignedRequestEnabled", json!(false)),
            ("/settings/signOn/spIssuer", Value::Null),
            ("/settings/signOn/idpIssuer", json!("http://www.okta.com/${org.externalKey}")),
            ("/settings/signOn/slo/enabled", json!(false)),
            ("/settings/signOn/ssoAcsUrlOverride", absent()),
        ],
    );
    check(
        json!({ "name": "amazon_aws", "label": "AWS", "signOnMode": "SAML_2_0", "settings": { "signOn": {} } }),
        &[("/settings/signOn/ssoAcsUrlOverride", Value::Null), ("/settings/signOn/requestCompressed", absent())],
    );
    let plugin = json!({ "name": "bank_of_example", "label": "Bank", "signOnMode": "BROWSER_PLUGIN" });
    check(plugin, &[("/settings/app", json!({})), ("/visibility/appLinks", json!({ "login": true }))]);
    let automatic = json!({
        "name": "facebook", "label": "Feed", "signOnMode": "AUTO_LOGIN", "settings": { "signOn": { "redirectUrl": "" } },
    });
    check(automatic, &[("/settings/signOn/loginUrl", Value::Null), ("/credentials/revealPassword", json!(false))]);
    let federated = json!({
        "siteURL": "https://sp.example", "audienceRestriction": "urn:sp", "wReplyURL": "https://sp.example/reply",
        "nameIDFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified", "usernameAttribute": "username",
        "authnContextClassRef": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        "groupValueFormat": "windowsDomainQualifiedName",
    });
    check(
        json!({
            "name": "template_wsfed", "label": "WS", "signOnMode": "WS_FEDERATION", "settings": { "app": federated },
        }),
        &[
            ("/settings/app/wReplyOverride", json!(false)),
            ("/settings/app/digestAlgorithm", json!("SHA1")),
            ("/settings/app/groupFilter", Value::Null),
        ],
    );
}

/// A provider with this type, and settings of its protocol.
fn provider(kind: &str, protocol: Value) -> Value {
    let policy = json!({
        "accountLink": { "action": "AUTO" },
        "provisioning": { "action": "AUTO", "groups": { "action": "NONE" } },
        "subject": { "userNameTemplate": { "template": "idpuser.email" }, "matchType": "USERNAME" },
    });
    let mut protocol = protocol;
    if protocol["credentials"].is_null() {
        protocol["credentials"] = json!({ "client": { "client_id": "own-id", "client_secret": "own-secret" } });
    }
    json!({ "type": kind, "name": format!("Our {kind}"), "protocol": protocol, "policy": policy })
}

#[test]
fn providers_are_called_where_their_services_are() {
    let org = Org::acme();
    let check = |kind: &str, protocol: &str, authorize: &str| {
        let body = provider(kind, json!({ "type": protocol, "scopes": ["openid", "email"] }));
        let shown = [
            ("/protocol/endpoints/authorization/url", json!(authorize)),
            ("/protocol/endpoints/token/binding", json!("HTTP-POST")),
            ("/policy/maxClockSkew", json!(0)),
            ("/policy/mapAMRClaims", json!(false)),
            ("/policy/provisioning/conditions/suspended/action", json!("NONE")),
        ];
        drop(check(&org, "/api/v1/idps", &body, &shown));
    };
    check("GOOGLE", "OIDC", "https://accounts.google.com/o/oauth2/auth");
    check("FACEBOOK", "OAUTH2", "https://www.facebook.com/dialog/oauth");
    check("MICROSOFT", "OIDC", "https://login.microsoftonline.com/common/oauth2/v2.0/authorize");
    check("APPLE", "OIDC", "https://appleid.apple.com/auth/authorize");
    check("GITHUB", "OAUTH2", "https://github.com/login/oauth/authorize");
}

#[test]
fn a_saml_provider_knows_okta_by_an_address_of_okta_s() {
    let org = Org::acme();
    let trust = |audience: &str| {
        provider(
            "SAML2",
            json!({
                "type": "SAML2",
                "endpoints": { "sso": { "binding": "HTTP-POST", "url": "https://idp.example/sso" } },
                "credentials": { "trust": { "issuer": "https://idp.example", "audience": audience, "kid": "own-kid" } },
            }),
        )
    };
    let acs = ("/protocol/endpoints/acs/type", json!("INSTANCE"));
    let made = check(&org, "/api/v1/idps", &trust(""), std::slice::from_ref(&acs));
    let audience = made.text("/protocol/credentials/trust/audience");
    let drawn = audience.strip_prefix("https://www.okta.com/saml2/service-provider/sp").unwrap_or_default();
    assert_eq!(drawn.len(), 18, "{audience}");
    let own = ("/protocol/credentials/trust/audience", json!("urn:own"));
    check(&org, "/api/v1/idps", &trust("urn:own"), &[acs, own]);
}

#[test]
fn a_card_s_provider_is_asked_for_nothing_of_a_verification() {
    let org = Org::acme();
    let mut body = provider(
        "X509",
        json!({ "type": "MTLS", "credentials": { "trust": { "issuer": "CN=Card", "kid": "own-kid", "revocation": "CRL" } } }),
    );
    body["properties"] = json!({ "additionalAmr": ["sc", "hwk"] });
    let shown = [("/properties/additionalAmr", json!(["sc", "hwk"])), ("/_links/authorize", absent())];
    check(&org, "/api/v1/idps", &body, &shown);
}

fn policy(org: &Org, kind: &str) -> String {
    org.post("/api/v1/policies", &json!({ "type": kind, "name": format!("Ours, {kind}") })).text("/id").to_owned()
}

#[test]
fn policies_and_rules_keep_what_they_are_given() {
    let org = Org::acme();
    let check = |kind: &str, body: Value, shown: &[(&str, Value)]| {
        let place = match kind {
            "" => "/api/v1/policies".to_owned(),
            "IDP_DISCOVERY" => {
                let own = org.get("/api/v1/policies?type=IDP_DISCOVERY").column("/id").remove(0);
                format!("/api/v1/policies/{own}/rules")
            }
            kind => format!("/api/v1/policies/{}/rules", policy(&org, kind)),
        };
        drop(check(&org, &place, &body, shown));
    };
    let factors = json!({ "google_otp": { "enroll": { "self": "REQUIRED" }, "consent": { "type": "NONE" } } });
    check(
        "",
        json!({ "type": "MFA_ENROLL", "name": "By factors", "settings": { "factors": factors } }),
        &[("/settings/factors/google_otp/enroll/self", json!("REQUIRED"))],
    );
    let complexity = json!({ "password": { "complexity": { "minLength": 12, "useADComplexity": true } } });
    check(
        "",
        json!({ "type": "PASSWORD", "name": "Long", "settings": complexity }),
        &[
            ("/settings/password/complexity/useADComplexity", json!(true)),
            ("/settings/password/complexity/minLowerCase", json!(1)),
        ],
    );
    check(
        "OKTA_SIGN_ON",
        json!({
            "type": "SIGN_ON", "name": "Challenged", "conditions": { "riskScore": { "level": "HIGH" } },
            "actions": { "signon": { "access": "CHALLENGE" } },
        }),
        &[("/actions/signon/access", json!("CHALLENGE")), ("/conditions/riskScore/level", json!("HIGH"))],
    );
    check(
        "IDP_DISCOVERY",
        json!({
            "type": "IDP_DISCOVERY", "name": "To Okta",
            "actions": { "idp": { "providers": [{ "type": "OKTA" }], "idpSelectionType": "SPECIFIC" } },
        }),
        &[("/actions/idp/providers", json!([{ "type": "OKTA" }]))],
    );
    let method = json!({
        "type": "ASSURANCE", "factorMode": "2FA", "reauthenticateIn": "PT2H",
        "constraints": [{ "knowledge": { "types": ["password"] } }],
    });
    check(
        "ACCESS_POLICY",
        json!({
            "type": "ACCESS_POLICY", "name": "Most", "conditions": { "userType": { "exclude": [] } },
            "actions": { "appSignOn": { "access": "ALLOW", "verificationMethod": method } },
        }),
        &[("/actions/appSignOn/verificationMethod/constraints/0/knowledge/types", json!(["password"]))],
    );
}

#[test]
fn the_rule_for_all_others_has_no_conditions_and_says_so() {
    let org = Org::acme();
    let rules = org.get(&format!("/api/v1/policies/{}/rules", policy(&org, "ACCESS_POLICY")));
    let last = &rules.body[0];
    assert_eq!(last.get("conditions"), Some(&Value::Null), "{last}");
    let path = last["_links"]["self"]["href"].as_str().unwrap_or_default().trim_start_matches(ORIGIN);
    let write = |body: &Value| call(&format!("PUT {path}")).json(body);
    let mut other = last.clone();
    other["actions"]["appSignOn"]["access"] = json!("DENY");
    assert_eq!(org.check(write(&other), 200).text("/actions/appSignOn/access"), "DENY");
    other["conditions"] = json!({ "network": { "connection": "ANYWHERE" } });
    org.refuse(write(&other), 403, "E0000077", &[]);
}

#[test]
fn what_nobody_must_send_has_its_default() {
    let org = Org::acme();
    let relay = json!({ "host": "192.0.2.7", "port": 587, "username": "relay", "password": "own", "enabled": false, "alias": "R" });
    let shown = [("/authType", json!("BASIC_SMTP_AUTH")), ("/password", absent())];
    let made = check(&org, "/api/v1/email-servers", &relay, &shown);
    let path = format!("PATCH /api/v1/email-servers/{}", made.text("/id"));
    assert_eq!(org.check(call(&path).json(&json!({ "host": "192.0.2.8" })), 200).text("/host"), "192.0.2.8");
    let zone = json!({ "type": "DYNAMIC_V2", "name": "Proxies" });
    check(&org, "/api/v1/zones", &zone, &[("/asns", json!({ "include": [], "exclude": [] }))]);
    let aws = json!({ "accountId": "123456789012", "eventSourceName": "own_events", "region": "eu-west-3" });
    let stream = json!({ "type": "aws_eventbridge", "name": "To AWS", "settings": aws });
    let splunk =
        json!({ "host": "own.splunkcloud.com", "edition": "aws", "token": "11111111-0000-4222-8222-000000000000" });
    let other = json!({ "type": "splunk_cloud_logstreaming", "name": "To Splunk", "settings": splunk });
    let shown = [("/settings/token", absent()), ("/settings/host", json!("own.splunkcloud.com"))];
    check(&org, "/api/v1/logStreams", &other, &shown);
    check(&org, "/api/v1/logStreams", &stream, &[("/settings/eventSourceName", json!("own_events"))]);
    let server = org
        .check(call("POST /api/v1/authorizationServers").json(&json!({ "name": "A", "audiences": ["api://a"] })), 201);
    let scopes = format!("/api/v1/authorizationServers/{}/scopes", server.text("/id"));
    check(&org, &scopes, &json!({ "name": "read" }), &[("/consent", json!("IMPLICIT")), ("/optional", json!(false))]);
    assert_eq!(org.get("/api/v1/templates/sms?templateType=SMS_VERIFY_CODE").column("/id"), ["default"]);
}

#[test]
fn templates_of_emails_have_today_s_names() {
    let check = |kind: &str, name: &str, status: u16| {
        let org = org_kinds::org(kind);
        let brand = org.get("/api/v1/brands").column("/id").remove(0);
        org.check(call(&format!("GET /api/v1/brands/{brand}/templates/email/{name}")), status);
    };
    check("", "ForgotPassword", 200);
    check("", "forgotPassword", 404);
    check("  engine: classic\n", "forgotPassword", 200);
}

#[test]
fn truth_and_numbers_are_read_from_text_and_other_types_are_not() {
    let org = Org::acme();
    let client = json!({ "client": { "client_id": "own-id", "client_secret": "s", "pkce_required": "true" } });
    let body = provider("GOOGLE", json!({ "type": "OIDC", "scopes": ["openid"], "credentials": client }));
    check(&org, "/api/v1/idps", &body, &[("/protocol/credentials/client/pkce_required", json!(true))]);
    let refuse = |path: &str, body: Value| drop(org.refuse(call(path).json(&body), 400, "E0000003", &[]));
    refuse("POST /api/v1/zones", json!({ "type": "IP", "name": "Gates", "gateways": "192.0.2.0/24" }));
    refuse("POST /api/v1/policies", json!({ "type": "OKTA_SIGN_ON", "name": ["A"] }));
}

#[test]
fn an_app_s_own_policy_lets_people_sign_themselves_up() {
    let org = Org::acme();
    let app = json!({
        "name": "bookmark", "label": "Joining", "signOnMode": "BOOKMARK",
        "settings": { "app": { "url": "https://join.example/" } },
    });
    let app = org.post("/api/v1/apps", &app);
    let own = policy(&org, "PROFILE_ENROLLMENT");
    org.check(call(&format!("PUT /api/v1/apps/{}/policies/{own}", app.text("/id"))), 204);
    let seen = org.get(&format!("/api/v1/apps/{}", app.text("/id")));
    assert!(seen.text("/_links/profileEnrollment/href").ends_with(&own), "{}", seen.body);
    assert_eq!(seen.text("/_links/accessPolicy/href"), app.text("/_links/accessPolicy/href"));
    assert_eq!(org.get(&format!("/api/v1/policies/{own}/app")).column("/label"), ["Joining"]);
}

#[test]
fn an_authenticator_s_type_follows_from_its_key() {
    let org = Org::acme();
    let check = |key: &str, kind: &str| {
        let body = json!({ "key": key, "name": format!("Our {key}") });
        let made =
            check(&org, "/api/v1/authenticators", &body, &[("/type", json!(kind)), ("/status", json!("ACTIVE"))]);
        assert!(made.text("/id").starts_with("aut"));
    };
    check("google_otp", "app");
    check("external_idp", "federated");
    check("yubikey_token", "security_key");
}

#[test]
fn nobody_sees_the_keys_of_duo_again() {
    let org = Org::acme();
    let configuration = json!({
        "host": "https://api.duo.example", "integrationKey": "own", "secretKey": "own-secret",
        "userNameTemplate": { "template": "oktaId" },
    });
    let body = json!({
        "key": "duo", "name": "Duo", "provider": { "type": "DUO", "configuration": configuration },
    });
    let shown = [
        ("/provider/configuration/host", json!("https://api.duo.example")),
        ("/provider/configuration/integrationKey", absent()),
        ("/provider/configuration/secretKey", absent()),
    ];
    check(&org, "/api/v1/authenticators", &body, &shown);
}

#[test]
fn an_app_s_attribute_says_how_values_of_groups_go_together() {
    let org = Org::acme();
    let app = json!({
        "name": "bookmark", "label": "Teams", "signOnMode": "BOOKMARK",
        "settings": { "app": { "url": "https://teams.example/" } },
    });
    let app = org.post("/api/v1/apps", &app).text("/id").to_owned();
    let team = json!({ "title": "Teams", "type": "array", "items": { "type": "string" }, "union": "ENABLE" });
    let sent =
        json!({ "definitions": { "custom": { "id": "#custom", "type": "object", "properties": { "teams": team } } } });
    let got = org.post(&format!("/api/v1/meta/schemas/apps/{app}/default"), &sent);
    assert_eq!(got.text("/definitions/custom/properties/teams/union"), "ENABLE");
}

#[test]
fn a_brand_shows_its_themes_as_they_show_themselves() {
    let org = Org::acme();
    let brand = org.get("/api/v1/brands").column("/id").remove(0);
    let themes = org.get(&format!("/api/v1/brands/{brand}/themes"));
    let whole = org.get(&format!("/api/v1/brands/{brand}?expand=themes"));
    assert_eq!(whole.body.pointer("/_embedded/themes/0/logo"), themes.body.pointer("/0/logo"));
    assert_eq!(whole.body.pointer("/_embedded/themes/0/_links/self"), themes.body.pointer("/0/_links/self"));
}

#[test]
fn lists_are_put_in_order_by_members_of_members() {
    let org = Org::acme();
    for name in ["Alpha", "Zulu"] {
        org.send(call("POST /api/v1/realms").json(&json!({ "profile": { "name": name } })));
    }
    let check = |order: &str, expected: [&str; 3]| {
        let found = org.get(&format!("/api/v1/realms?sortBy=profile.name&sortOrder={order}")).column("/profile/name");
        assert_eq!(found, expected, "{order}");
    };
    check("asc", ["Alpha", "Default Realm", "Zulu"]);
    check("desc", ["Zulu", "Default Realm", "Alpha"]);
}

#[test]
fn a_password_for_all_is_told_and_not_shown() {
    let org = Org::acme();
    let form = json!({ "buttonField": "b", "passwordField": "p", "usernameField": "u", "url": "https://a.example" });
    let credentials = |scheme: &str| {
        json!({
            "name": "template_swa", "label": scheme, "signOnMode": "BROWSER_PLUGIN", "settings": { "app": form },
            "credentials": { "scheme": scheme, "userName": "all", "password": { "value": "own-secret" } },
        })
    };
    let shared = credentials("SHARED_USERNAME_AND_PASSWORD");
    check(
        &org,
        "/api/v1/apps",
        &shared,
        &[("/credentials/password", json!({})), ("/credentials/userName", json!("all"))],
    );
    let own = credentials("EDIT_USERNAME_AND_PASSWORD");
    check(&org, "/api/v1/apps", &own, &[("/credentials/password", absent())]);
}

#[test]
fn grants_by_which_people_sign_in_are_for_somebody() {
    let org = Org::acme();
    let server = json!({ "name": "Shop", "audiences": ["api://shop"] });
    let server = org.check(call("POST /api/v1/authorizationServers").json(&server), 201).text("/id").to_owned();
    let policy = json!({
        "type": "OAUTH_AUTHORIZATION_POLICY", "name": "All", "description": "For all", "conditions": { "clients": { "include": ["ALL_CLIENTS"] } },
    });
    let policies = format!("/api/v1/authorizationServers/{server}/policies");
    let policy = org.check(call(&format!("POST {policies}")).json(&policy), 201).text("/id").to_owned();
    let rule = |grant: &str, groups: Value| {
        let conditions = json!({
            "grantTypes": { "include": [grant] }, "scopes": { "include": ["*"] },
            "people": { "groups": { "include": groups } },
        });
        let body = json!({ "type": "RESOURCE_ACCESS", "name": format!("{grant} {groups}"), "conditions": conditions });
        org.send(call(&format!("POST {policies}/{policy}/rules")).json(&body))
    };
    assert_eq!(rule("client_credentials", json!([])).status, 201);
    assert_eq!(rule("password", json!(["EVERYONE"])).status, 201);
    let got = rule("authorization_code", json!([]));
    assert_eq!((got.status, got.text("/errorSummary")), (400, "Api validation failed: conditions.people"));
}
