//! What administrators set up beside people, groups and apps: features, mail, keys of hooks, and the like.

use serde_json::{Value, json};

use crate::support::{ORIGIN, Org, call};

/// The id of a feature.
fn feature(org: &Org, name: &str) -> String {
    let all = org.get("/api/v1/features");
    let at = all.column("/name").iter().position(|own| own == name).expect("is a feature");
    format!("/api/v1/features/{}", all.text(&format!("/{at}/id")))
}

#[test]
fn features_are_switched_with_what_they_need() {
    let org = Org::acme();
    let quick = feature(&org, "Allow end-users to quickly access everyday apps");
    let plugin = feature(&org, "Allow end-users to quickly access everyday apps in the Okta Browser Plugin");
    let got = org.get(&quick);
    assert_eq!((got.text("/status"), got.text("/stage/value")), ("DISABLED", "EA"));
    assert_eq!(got.text("/_links/enable/href"), format!("{ORIGIN}{quick}/enable"));
    assert_eq!(org.get(&format!("{plugin}/dependencies")).column("/id"), [got.text("/id")]);
    assert_eq!(org.get(&format!("{quick}/dependencies")).body, json!([]));
    assert_eq!(org.get(&format!("{quick}/dependents")).column("/status"), ["DISABLED"]);
    let post = |at: &str, verb: &str| call(&format!("POST {at}/{verb}"));
    let needs = "feature: It needs a feature that is disabled: Allow end-users to quickly access everyday apps";
    org.refuse(post(&plugin, "ENABLE"), 400, "E0000001", &[needs]);
    assert_eq!(org.check(post(&plugin, "ENABLE?mode=force"), 200).text("/status"), "ENABLED");
    let got = org.get(&quick);
    assert_eq!((got.text("/status"), got.body.pointer("/_links/enable")), ("ENABLED", None));
    org.check(post(&quick, "disable"), 400);
    org.check(post(&plugin, "disable"), 200);
    assert_eq!(org.check(post(&quick, "disable"), 200).text("/status"), "DISABLED");
    assert_eq!(org.check(post(&quick, "disable"), 200).text("/status"), "DISABLED");
    let beta = feature(&org, "New Admin Dashboard");
    assert_eq!(org.get(&beta).text("/stage/state"), "OPEN");
    org.check(post(&beta, "enable"), 200);
    org.refuse(post(&beta, "enable?mode=soft"), 400, "E0000001", &["mode: The field has an invalid value"]);
    org.refuse(call("GET /api/v1/features/ftrnothing"), 404, "E0000007", &[]);
    org.refuse(post(&beta, "explode"), 404, "E0000008", &[]);
    let events = org.events();
    let count = |event: &str| events.get(event).copied().unwrap_or_default();
    assert_eq!(["system.feature.enable", "system.feature.disable", "system.beta.feature.enable"].map(count), [2, 2, 1]);
}

#[test]
fn administrators_get_the_mail_that_they_or_their_roles_want() {
    let org = Org::acme();
    let status = |of: &str, kind: &str| org.get(&format!("{of}/subscriptions/{kind}")).text("/status").to_owned();
    let say = |of: &str, kind: &str, verb: &str| {
        org.check(call(&format!("POST {of}/subscriptions/{kind}/{verb}")), 200);
    };
    let (role, me) = ("/api/v1/roles/SUPER_ADMIN", "/api/v1/users/me");
    assert_eq!(org.get(&format!("{role}/subscriptions")).column("/notificationType").len(), 13);
    assert_eq!(
        (status(role, "OKTA_UPDATE"), status(role, "USER_LOCKED_OUT")),
        ("subscribed".into(), "unsubscribed".into())
    );
    assert_eq!(status(me, "OKTA_UPDATE"), "subscribed");
    say(me, "OKTA_UPDATE", "unsubscribe");
    assert_eq!((status(me, "OKTA_UPDATE"), status(role, "OKTA_UPDATE")), ("unsubscribed".into(), "subscribed".into()));
    // What is said of the role outdoes what its people said before.
    say(role, "OKTA_UPDATE", "subscribe");
    assert_eq!(status(me, "OKTA_UPDATE"), "subscribed");
    say(me, "USER_LOCKED_OUT", "subscribe");
    assert_eq!((status(me, "USER_LOCKED_OUT"), status(me, "APP_IMPORT")), ("subscribed".into(), "unsubscribed".into()));
    let got = org.get(&format!("{role}/subscriptions/OKTA_UPDATE"));
    let link = format!("{ORIGIN}{role}/subscriptions/OKTA_UPDATE/unsubscribe");
    assert_eq!((got.text("/_links/unsubscribe/href"), got.body["channels"][0].as_str()), (&*link, Some("email")));
    org.refuse(call("GET /api/v1/roles/KING/subscriptions"), 404, "E0000007", &[]);
    org.refuse(call(&format!("GET {role}/subscriptions/WEATHER")), 404, "E0000007", &[]);
    let lena = org.id("lena.fischer");
    org.refuse(call(&format!("GET /api/v1/users/{lena}/subscriptions")), 403, "E0000006", &[]);
    org.refuse(call(&format!("POST /api/v1/users/{lena}/subscriptions/OKTA_UPDATE/subscribe")), 403, "E0000006", &[]);
}

#[test]
fn keys_of_hooks_are_made_named_and_kept_while_they_are_used() {
    let org = Org::acme();
    let post = |name: &str| call("POST /api/v1/hook-keys").json(&json!({ "name": name }));
    let made = org.check(post("First"), 200);
    let at = format!("/api/v1/hook-keys/{}", made.text("/id"));
    let public = org.get(&format!("/api/v1/hook-keys/public/{}", made.text("/keyId")));
    assert_eq!((public.text("/kid"), public.text("/kty"), public.text("/n").len()), (made.text("/keyId"), "RSA", 342));
    assert_eq!(made.body["_embedded"], public.body);
    assert_eq!((made.text("/isUsed"), org.get(&at).body.get("_embedded")), ("false", None));
    assert_eq!(org.get(&format!("{at}?expand=publickey")).body["_embedded"], public.body);
    let taken = "name: An object with this field already exists in the current organization";
    org.refuse(post("First"), 400, "E0000001", &[taken]);
    org.refuse(post(" "), 400, "E0000001", &["name: The field cannot be left blank"]);
    let named = org.check(call(&format!("PUT {at}")).json(&json!({ "name": "Renamed" })), 200);
    assert_eq!((named.text("/name"), named.text("/keyId")), ("Renamed", made.text("/keyId")));
    assert_eq!(org.get("/api/v1/hook-keys").column("/name"), ["Renamed"]);
    let hook = json!({
        "name": "Signed", "type": "com.okta.oauth2.tokens.transform", "version": "1.0.0",
        "channel": { "type": "OAUTH", "version": "1.0.0", "config": {
            "uri": "http://127.0.0.1:9/hook", "method": "POST", "authType": "private_key_jwt", "clientId": "c",
            "tokenUrl": "http://127.0.0.1:9/token", "scope": "s", "hookKeyId": made.text("/id"),
        } },
    });
    let hook = org.check(call("POST /api/v1/inlineHooks").json(&hook), 200);
    assert_eq!(org.get(&at).text("/isUsed"), "true");
    let used = "hookKey: The key is used by an inline hook";
    org.refuse(call(&format!("DELETE {at}")), 400, "E0000001", &[used]);
    let hook = format!("/api/v1/inlineHooks/{}", hook.text("/id"));
    org.check(call(&format!("POST {hook}/lifecycle/deactivate")), 200);
    org.check(call(&format!("DELETE {hook}")), 204);
    org.check(call(&format!("DELETE {at}")), 204);
    org.refuse(call(&format!("GET {at}")), 404, "E0000007", &[]);
    org.refuse(call("GET /api/v1/hook-keys/public/nothing"), 404, "E0000007", &[]);
    let events = org.events();
    for event in ["created", "updated", "deleted"] {
        assert_eq!(events.get(&format!("system.hook.key.{event}")), Some(&1), "{event}");
    }
}

#[test]
fn log_streams_have_schemas() {
    let org = Org::acme();
    let all = org.get("/api/v1/meta/schemas/logStream");
    assert_eq!(all.body.as_array().map(Vec::len), Some(2));
    let one = org.get("/api/v1/meta/schemas/logStream/splunk_cloud_logstreaming");
    assert_eq!(one.body, all.body[1]);
    assert_eq!(one.body["properties"]["settings"]["required"], json!(["edition", "host", "token"]));
    org.refuse(call("GET /api/v1/meta/schemas/logStream/kafka"), 404, "E0000007", &[]);
}

#[test]
fn one_aerial_account_has_consent_at_a_time() {
    let org = Org::acme();
    let at = "/api/v1/org/privacy/aerial";
    let post = |verb: &str, id: &str| call(&format!("POST {at}/{verb}")).json(&json!({ "accountId": id }));
    org.refuse(call(&format!("GET {at}")), 404, "E0000007", &[]);
    let got = org.check(post("grant", "aer1"), 200);
    assert_eq!((got.text("/accountId"), got.text("/grantedBy")), ("aer1", &*org.id("me")));
    assert_eq!(org.get(at).body, got.body);
    assert_eq!(org.check(post("grant", "aer1"), 200).body, got.body);
    org.check(post("grant", "aer2"), 400);
    org.check(post("revoke", "aer2"), 400);
    org.check(call(&format!("POST {at}/grant")).json(&json!({})), 400);
    assert!(org.check(post("revoke", "aer1"), 200).text("/_links/grant/href").ends_with("/aerial/grant"));
    org.check(call(&format!("GET {at}")), 404);
    org.check(post("revoke", "aer1"), 400);
}

#[test]
fn child_orgs_are_made_once_with_a_token_that_is_shown_once() {
    let org = Org::acme();
    let profile = json!({ "firstName": "A", "lastName": "B", "email": "a@b.example", "login": "a@b.example" });
    let post = |name: &str, subdomain: &str| {
        let body = json!({ "name": name, "subdomain": subdomain, "edition": "SKU", "admin": { "profile": profile } });
        call("POST /api/v1/orgs").json(&body)
    };
    let got = org.check(post("Child", "acme-child"), 201);
    assert!(got.text("/id").starts_with("00o") && got.text("/token").len() > 40, "{}", got.body);
    assert_eq!((got.text("/status"), got.text("/tokenType"), got.body.get("admin")), ("ACTIVE", "SSWS", None));
    let taken = "subdomain: An object with this field already exists in the current organization";
    for subdomain in ["acme-child", "ACME-child", "acme"] {
        org.refuse(post("Other", subdomain), 400, "E0000001", &[taken]);
    }
    org.refuse(post("Other", "a child"), 400, "E0000001", &["subdomain: The field has an invalid value"]);
    org.check(post("", "other"), 400);
    org.check(call("POST /api/v1/orgs").json(&json!({ "name": "N", "subdomain": "n", "edition": "SKU" })), 400);
    assert!(!org.view("log").to_string().contains(got.text("/token")));
    assert_eq!(org.events()["system.org.lifecycle.create"], 1);
}

#[test]
fn domains_fail_over_and_back() {
    let org = Org::acme();
    let shown = |target: &str| org.get(target).body["status"].clone();
    let own = json!({ "domain": "acme.okta.com", "isFailedOver": false });
    assert_eq!(shown("/api/v1/dr/status"), json!([own]));
    let custom = json!({ "domain": "id.acme.dev", "certificateSourceType": "OKTA_MANAGED" });
    let custom = org.check(call("POST /api/v1/domains").json(&custom), 200).text("/id").to_owned();
    org.check(call(&format!("POST /api/v1/domains/{custom}/verify")), 200);
    let got = org.post("/api/v1/dr/failover", &json!({ "domains": ["id.acme.dev"] }));
    assert_eq!(got.text("/results/0/domain"), "id.acme.dev");
    let over = json!([{ "domain": "id.acme.dev", "isFailedOver": true }]);
    assert_eq!(shown("/api/v1/dr/status/id.acme.dev"), over);
    assert_eq!(shown("/api/v1/dr/status"), json!([own, over[0]]));
    assert_eq!(org.post("/api/v1/dr/failback", &json!({})).body["results"].as_array().map(Vec::len), Some(2));
    assert_eq!(shown("/api/v1/dr/status/id.acme.dev")[0]["isFailedOver"], false);
    org.check(call("POST /api/v1/dr/failover"), 200);
    org.check(call("GET /api/v1/dr/status/nowhere.example"), 400);
    org.check(call("POST /api/v1/dr/failover").json(&json!({ "domains": ["nowhere.example"] })), 400);
}

#[test]
fn what_carries_mail_and_messages_is_tried() {
    let org = Org::acme();
    let server = json!({
        "alias": "Ours", "enabled": true, "host": "mail.acme.dev", "port": 587, "username": "it@acme.dev",
        "password": "not-a-real-one", "authType": "BASIC_SMTP_AUTH",
    });
    let id = org.check(call("POST /api/v1/email-servers").json(&server), 201).text("/id").to_owned();
    let test = |id: &str, from: &str, to: &str| {
        let body = json!({ "fromAddress": from, "toAddress": to });
        call(&format!("POST /api/v1/email-servers/{id}/test")).json(&body)
    };
    org.check(test(&id, "it@acme.dev", "lena@acme.dev"), 204);
    let bad = "toAddress: The field must be a valid email address";
    org.refuse(test(&id, "it@acme.dev", "lena"), 400, "E0000001", &[bad]);
    org.refuse(test("nothing", "it@acme.dev", "lena@acme.dev"), 404, "E0000007", &[]);
    let body = json!({ "emailAddresses": ["lena.fischer@acme.example", "nobody@acme.example", "x"] });
    let got = org.post("/api/v1/org/email/bounces/remove-list", &body);
    let wrong: Vec<&Value> =
        got.body["errors"].as_array().expect("is a list").iter().map(|one| &one["emailAddress"]).collect();
    assert_eq!(wrong, ["nobody@acme.example", "x"]);
    org.check(call("POST /api/v1/org/email/bounces/remove-list").json(&json!({})), 400);
}

#[test]
fn one_telephony_provider_is_the_first() {
    let org = Org::acme();
    let make = |sid: &str| {
        let body = json!({
            "providerName": "TWILIO", "providerSid": sid, "providerCapability": "ALL",
            "providerSecret": "not-a-real-one", "providerSettings": { "smsServiceSid": "MG1" },
        });
        org.check(call("POST /api/v1/telephony-providers").json(&body), 201).text("/id").to_owned()
    };
    let (one, two) = (make("AC1"), make("AC2"));
    let primary = |id: &str| call(&format!("POST /api/v1/telephony-providers/{id}/setAsPrimary"));
    let is_first = |id: &str| org.get(&format!("/api/v1/telephony-providers/{id}")).body["isPrimaryProvider"].clone();
    org.check(primary(&one), 200);
    let got = org.check(primary(&two), 200);
    assert_eq!(
        (got.text("/id"), &got.body["isPrimaryProvider"], got.body.get("providerSecret")),
        (&*two, &json!(true), None)
    );
    assert_eq!((is_first(&one), is_first(&two)), (json!(false), json!(true)));
    org.refuse(primary("nothing"), 404, "E0000007", &[]);
    let test = |phone: &str| {
        let body = json!({ "phoneNumber": phone, "countryCodeIso2": "US", "factor": "SMS" });
        call(&format!("POST /api/v1/telephony-providers/{one}/test")).json(&body)
    };
    org.check(test("+12065550100"), 204);
    org.refuse(test("5"), 400, "E0000001", &["phoneNumber: The field has an invalid value"]);
}

#[test]
fn the_admin_console_is_governed_on_request() {
    let org = Org::acme();
    let status = || org.get("/api/v1/iam/governance/optIn").text("/optInStatus").to_owned();
    let say = |verb: &str| {
        org.check(call(&format!("POST /api/v1/iam/governance/{verb}")), 200).text("/optInStatus").to_owned()
    };
    assert_eq!((status(), say("optIn"), status()), ("OPTED_OUT".into(), "OPTING_IN".into(), "OPTED_IN".into()));
    assert_eq!((say("optIn"), say("optOut"), status()), ("OPTED_IN".into(), "OPTING_OUT".into(), "OPTED_OUT".into()));
    let group = org.group("vpn-users");
    let bundle = json!({ "name": "Helpers", "description": "Some", "entitlements": [
        { "role": "GROUP_MEMBERSHIP_ADMIN", "targets": [group] }, { "role": "READ_ONLY_ADMIN" },
    ] });
    let at = format!(
        "/api/v1/iam/governance/bundles/{}/entitlements",
        org.post("/api/v1/iam/governance/bundles", &bundle).text("/id")
    );
    let got = org.get(&format!("{at}?limit=1"));
    assert_eq!(
        (got.text("/entitlements/0/role"), got.body.pointer("/entitlements/1")),
        ("GROUP_MEMBERSHIP_ADMIN", None)
    );
    let next = got.text("/_links/next/href").strip_prefix(ORIGIN).expect("goes on").to_owned();
    assert_eq!(org.get(&next).text("/entitlements/0/name"), "Read-only Administrator");
    let values = format!("{at}/{}/values", got.text("/entitlements/0/id"));
    assert_eq!(org.get(&values).text("/entitlementValues/0/name"), "vpn-users");
    org.refuse(call(&format!("GET {at}/nothing/values")), 404, "E0000007", &[]);
    org.refuse(call("GET /api/v1/iam/governance/bundles/nothing/entitlements"), 404, "E0000007", &[]);
    let role = org.get("/api/v1/users/me/roles").text("/0/id").to_owned();
    let sources = format!("/api/v1/users/me/roles/{role}/governance");
    assert_eq!(org.get(&sources).body["grants"], json!([]));
    org.refuse(call(&format!("GET {sources}/gra1")), 404, "E0000007", &[]);
    org.refuse(call(&format!("GET {sources}/gra1/resources")), 404, "E0000007", &[]);
    org.refuse(call("GET /api/v1/users/me/roles/nothing/governance"), 404, "E0000007", &[]);
}

#[test]
fn apps_trust_each_other_one_way() {
    let org = Org::acme();
    let make = |label: &str| {
        let app = json!({ "name": "bookmark", "label": label, "signOnMode": "BOOKMARK", "settings": { "app": { "url": "https://a.example/" } } });
        org.post("/api/v1/apps", &app).text("/id").to_owned()
    };
    let (one, two) = (make("One"), make("Two"));
    let allowed = format!("/api/v1/apps/{one}/interclient-allowed-apps");
    let post = |id: &str| call(&format!("POST {allowed}")).json(&json!({ "id": id }));
    let got = org.check(post(&two), 201);
    assert_eq!((got.text("/appInstanceId"), got.text("/trustedAppInstanceId")), (&*one, &*two));
    assert_eq!(org.get(&allowed).body, json!([two]));
    assert_eq!(org.get(&format!("/api/v1/apps/{two}/interclient-target-apps")).body, json!([one]));
    assert_eq!(org.get(&format!("/api/v1/apps/{one}/interclient-target-apps")).body, json!([]));
    for id in [&*two, &*one, "0oanothing"] {
        org.check(post(id), 400);
    }
    org.check(call(&format!("DELETE {allowed}/{two}")), 204);
    org.refuse(call(&format!("DELETE {allowed}/{two}")), 404, "E0000007", &[]);
    assert_eq!(org.get(&format!("/api/v1/apps/{two}/interclient-target-apps")).body, json!([]));
}

#[test]
fn people_show_the_providers_that_they_are_linked_to() {
    let org = Org::acme();
    let provider = json!({
        "type": "GOOGLE", "name": "Google",
        "protocol": { "type": "OIDC", "scopes": ["openid"], "credentials": { "client": { "client_id": "c", "client_secret": "s" } } },
        "policy": {
            "accountLink": { "action": "AUTO" }, "provisioning": { "action": "AUTO", "groups": { "action": "NONE" } },
            "subject": { "userNameTemplate": { "template": "idpuser.email" }, "matchType": "USERNAME" },
        },
    });
    let id = org.post("/api/v1/idps", &provider).text("/id").to_owned();
    let lena = org.id("lena.fischer");
    let tokens = format!("/api/v1/idps/{id}/users/{lena}/credentials/tokens");
    assert_eq!(org.get(&format!("/api/v1/users/{lena}/idps")).body, json!([]));
    org.refuse(call(&format!("GET {tokens}")), 404, "E0000007", &[]);
    org.post(&format!("/api/v1/idps/{id}/users/{lena}"), &json!({ "externalId": "g-1" }));
    assert_eq!(org.get(&format!("/api/v1/users/{lena}/idps")).column("/id"), [&*id]);
    assert_eq!(org.get(&tokens).body, json!([]));
    org.check(call(&format!("DELETE /api/v1/idps/{id}/users/{lena}")), 204);
    assert_eq!(org.get("/api/v1/users/lena.fischer/idps").body, json!([]));
    org.refuse(call("GET /api/v1/users/nobody/idps"), 404, "E0000007", &[]);
}

#[test]
fn brands_have_files_where_the_feature_is_on() {
    let org = Org::acme();
    let brand = org.get("/api/v1/brands").text("/0/id").to_owned();
    let at = format!("/api/v1/brands/{brand}/well-known-uris");
    let refused = org.refuse(call(&format!("GET {at}")), 401, "E0000015", &[]);
    assert_eq!(refused.header("x-rate-limit-limit"), "");
    let served = |name: &str| call(&format!("GET /.well-known/{name}")).anonymous();
    org.check(served("assetlinks.json"), 404);
    org.check(served("webauthn"), 404);
    let apple = org.check(served("apple-app-site-association"), 200);
    assert!(apple.body["authsrv"]["apps"].is_array());
    let on = feature(&org, "Custom well-known URIs");
    org.check(call(&format!("POST {on}/enable")), 200);
    let put =
        |file: &str, said: Value| call(&format!("PUT {at}/{file}/customized")).json(&json!({ "representation": said }));
    org.check(put("webauthn", json!({ "origins": ["https://acme.dev"] })), 200);
    assert_eq!(org.check(served("webauthn"), 200).body, json!({ "origins": ["https://acme.dev"] }));
    let said = json!({ "applinks": { "apps": [] } });
    org.check(put("apple-app-site-association", said.clone()), 200);
    let got = org.check(served("apple-app-site-association"), 200);
    assert_eq!((&got.body["applinks"], &got.body["authsrv"]), (&said["applinks"], &apple.body["authsrv"]));
    let all = org.get(&format!("{at}?expand=all"));
    assert_eq!(all.body["_embedded"]["apple-app-site-association"]["customized"]["representation"], said);
    assert_eq!(
        org.get(&format!("{at}/webauthn?expand=customized")).body["representation"]["origins"][0],
        "https://acme.dev"
    );
    assert_eq!(org.get(&format!("{at}/webauthn")).body.get("representation"), None);
    for (file, said) in [
        ("webauthn", json!({ "origins": ["acme"] })),
        ("apple-app-site-association", json!({ "authsrv": {} })),
        ("assetlinks.json", json!({})),
        ("robots.txt", json!({})),
    ] {
        org.check(put(file, said), 400);
    }
    org.check(call("GET /api/v1/brands/bndnothing/well-known-uris"), 404);
}

#[test]
fn everybody_reads_what_the_org_says_of_itself() {
    let org = Org::acme();
    let read = |name: &str| org.check(call(&format!("GET /.well-known/{name}")).anonymous(), 200);
    let me = read("okta-organization");
    assert_eq!((me.text("/id"), me.text("/pipeline")), (org.get("/api/v1/org").text("/id"), "idx"));
    assert_eq!(me.text("/_links/organization/href"), ORIGIN);
    let custom = json!({ "domain": "id.acme.dev", "certificateSourceType": "OKTA_MANAGED" });
    let custom = org.check(call("POST /api/v1/domains").json(&custom), 200).text("/id").to_owned();
    org.check(call(&format!("POST /api/v1/domains/{custom}/verify")), 200);
    assert_eq!(read("okta-organization").text("/_links/alternate/href"), "https://id.acme.dev");
    let events = read("ssf-configuration");
    assert_eq!((events.text("/issuer"), events.text("/jwks_uri")), (ORIGIN, &*format!("{ORIGIN}/oauth2/v1/keys")));
    assert_eq!(read("app-authenticator-configuration?oauthClientId=0oanothing").body, json!([]));
    org.check(call("GET /.well-known/app-authenticator-configuration").anonymous(), 400);
}

#[test]
fn browsers_may_ask_before_they_call() {
    let org = Org::acme();
    for path in ["/oauth2/v1/token", "/oauth2/default/v1/token", "/oauth2/v1/par", "/oauth2/default/v1/par"] {
        let ask = call(&format!("OPTIONS {path}")).anonymous().header("origin", "https://app.acme.dev");
        let got = org.check(ask, 204);
        assert_eq!(got.header("access-control-allow-origin"), "https://app.acme.dev", "{path}");
        assert_eq!((got.header("access-control-allow-methods"), got.header("vary")), ("POST", "Origin"), "{path}");
    }
    assert_eq!(org.check(call("OPTIONS /oauth2/v1/token").anonymous(), 204).header("access-control-allow-origin"), "");
    org.check(call("OPTIONS /oauth2/ausnothing/v1/token").anonymous(), 404);
}

#[test]
fn the_domain_of_passkeys_is_verified() {
    let org = Org::acme();
    let all = org.get("/api/v1/authenticators");
    let at = |key: &str| {
        let place = all.column("/key").iter().position(|own| own == key).expect("is an authenticator");
        format!("/api/v1/authenticators/{}/methods", all.text(&format!("/{place}/id")))
    };
    let methods = at("webauthn");
    let verify = |methods: &str, kind: &str| call(&format!("POST {methods}/{kind}/verify-rp-id-domain"));
    org.refuse(verify(&methods, "webauthn"), 400, "E0000001", &["rpId: No RP ID domain is configured"]);
    let body = json!({ "type": "webauthn", "settings": {
        "userVerification": "DISCOURAGED", "attachment": "ANY", "rpId": { "domain": { "name": "acme.dev" } },
    } });
    org.check(call(&format!("PUT {methods}/webauthn")).json(&body), 200);
    org.check(verify(&methods, "webauthn"), 204);
    let got = org.get(&format!("{methods}/webauthn"));
    assert_eq!(got.text("/settings/rpId/domain/validationStatus"), "VERIFIED");
    org.refuse(verify(&at("okta_password"), "password"), 404, "E0000007", &[]);
    org.refuse(verify("/api/v1/authenticators/autnothing/methods", "webauthn"), 404, "E0000007", &[]);
}

#[test]
fn provisioning_connections_show_their_key_and_end_a_consent() {
    let org = Org::acme();
    let app = json!({ "name": "bookmark", "label": "One", "signOnMode": "BOOKMARK", "settings": { "app": { "url": "https://a.example/" } } });
    let id = org.post("/api/v1/apps", &app).text("/id").to_owned();
    org.refuse(call(&format!("GET /api/v1/apps/{id}/connections/default/jwks")), 404, "E0000007", &[]);
    let saml = json!({ "label": "Target", "signOnMode": "SAML_2_0", "settings": { "signOn": {
        "ssoAcsUrl": "https://sp.example/acs", "audience": "https://sp.example", "responseSigned": true,
        "assertionSigned": true, "honorForceAuthn": true, "requestCompressed": false, "allowMultipleAcsEndpoints": false,
    } } });
    let target = org.post("/api/v1/apps", &saml).text("/id").to_owned();
    let server = json!({ "base_url": "http://127.0.0.1:9/scim/v2", "token": "s3cret" });
    org.perform("okta.admin.provision_app", "dana", &json!({ "app": "Target", "server": server }))
        .expect("is connected");
    let got = org.get(&format!("/api/v1/apps/{target}/connections/default/jwks"));
    let keys = org.get(&format!("/api/v1/apps/{target}/credentials/keys")).column("/kid");
    assert!(keys.iter().any(|kid| kid == got.text("/jwks/keys/0/kid")), "{}", got.body);
    let back = |app: &str| call(&format!("POST /api/v1/apps/{app}/{target}/oauth2/callback?code=c&state=s"));
    org.refuse(back("slack"), 404, "E0000007", &[]);
    org.refuse(back("jira"), 404, "E0000007", &[]);
}

#[test]
fn settings_of_okta_personal_are_kept() {
    let org = Org::acme();
    let put = |body: Value| call("PUT /okta-personal-settings/api/v1/edit-feature").json(&body);
    org.check(put(json!({ "enableEnduserEntryPoints": true, "enableExportApps": false })), 204);
    org.refuse(put(json!({ "enableExportApps": "yes" })), 400, "E0000003", &[]);
    let changes = org.universe.diff(0).expect("the ledger is read");
    let kept = |row: &Value| row["enableEnduserEntryPoints"] == true && row["enableExportApps"] == false;
    assert!(changes.iter().any(|change| kept(&json!(change.after)["members"]) || kept(&json!(change.after))));
}

#[test]
fn what_changes_a_brand_is_logged() {
    let org = Org::acme();
    let brand = format!("/api/v1/brands/{}", org.get("/api/v1/brands").text("/0/id"));
    let page = json!({ "pageContent": "<html></html>" });
    for (kind, body) in [("error", &page), ("sign-in", &page), ("sign-out", &json!({ "type": "OKTA_DEFAULT" }))] {
        org.check(call(&format!("PUT {brand}/pages/{kind}/customized")).json(body), 200);
    }
    org.check(call(&format!("PUT {brand}/pages/error/preview")).json(&page), 200);
    for kind in ["error", "sign-in"] {
        for _ in 0..2 {
            org.check(call(&format!("DELETE {brand}/pages/{kind}/customized")), 204);
        }
    }
    let mail = format!("{brand}/templates/email/ForgotPassword");
    let text =
        json!({ "language": "en", "isDefault": true, "subject": "Forgot", "body": "<p>${resetPasswordLink}</p>" });
    org.check(call(&format!("POST {mail}/customizations")).json(&text), 201);
    org.check(call(&format!("PUT {mail}/settings")).json(&json!({ "recipients": "NO_USERS" })), 200);
    org.check(call(&format!("DELETE {mail}/customizations")), 204);
    let events = org.events();
    let count = |event: &&str| events.get(&format!("system.{event}")).copied().unwrap_or_default();
    let all = [
        "custom_error.update",
        "custom_error.delete",
        "custom_signin.update",
        "custom_signin.delete",
        "custom_signout.update",
        "email.template.create",
        "email.template.settings_changed",
        "email.template.delete",
    ];
    assert_eq!(all.iter().map(count).collect::<Vec<_>>(), [1; 8]);
}
