//! Brands, their pages, and custom domains.

use serde_json::json;

use crate::support::{Org, call};

#[test]
fn brands_have_the_org_s_app_and_their_domains() {
    let org = Org::acme();
    let all = org.get("/api/v1/brands");
    let app = all.text("/0/defaultApp/appInstanceId").to_owned();
    assert!(app.starts_with("0oa"), "{}", all.body);
    let new = org.check(call("POST /api/v1/brands").json(&json!({ "name": "Second" })), 201);
    assert_eq!(new.body["defaultApp"]["appInstanceId"], json!(null));
    let at = format!("/api/v1/brands/{}", new.text("/id"));
    assert_eq!(org.get(&at).text("/defaultApp/appInstanceId"), app);
    assert_eq!(org.get(&format!("{at}?expand=domains")).body["_embedded"], json!({ "domains": [] }));
    let again = call("POST /api/v1/brands").json(&json!({ "name": "Second" }));
    org.refuse(again, 409, "E0000202", &[]);
    let default = format!("DELETE /api/v1/brands/{}", all.text("/0/id"));
    org.refuse(call(&default), 409, "E0000200", &[]);
    org.check(call(&format!("DELETE {at}")), 204);
    org.refuse(call(&format!("GET {at}")), 404, "E0000007", &[]);
}

#[test]
fn domains_are_proven_by_records() {
    let org = Org::acme();
    let add = |name: &str| {
        call("POST /api/v1/domains").json(&json!({ "domain": name, "certificateSourceType": "OKTA_MANAGED" }))
    };
    org.refuse(add("id.example.com"), 400, "E0000001", &["domain: Prohibited custom domain name."]);
    let got = org.check(add("id.acme.dev"), 200);
    assert_eq!(got.text("/validationStatus"), "NOT_STARTED");
    assert_eq!(got.text("/dnsRecords/0/fqdn"), "_oktaverification.id.acme.dev");
    assert_eq!(got.text("/dnsRecords/1/recordType"), "CNAME");
    let unsupported = "This operation is not supported for this domain";
    org.refuse(call("POST /api/v1/domains/default/verify"), 400, "E0000001", &[unsupported]);
    org.refuse(call("DELETE /api/v1/domains/default"), 400, "E0000001", &[unsupported]);
    org.check(call(&format!("DELETE /api/v1/domains/{}", got.text("/id"))), 204);
}

#[test]
fn sign_in_pages_show_their_whole_widget() {
    let org = Org::acme();
    let brand = org.get("/api/v1/brands").text("/0/id").to_owned();
    let at = format!("/api/v1/brands/{brand}/pages/sign-in/customized");
    let page =
        json!({ "pageContent": "<p/>", "widgetVersion": "*", "widgetCustomizations": { "widgetGeneration": "G3" } });
    let got = org.check(call(&format!("PUT {at}")).json(&page), 200);
    assert_eq!(got.body["widgetCustomizations"]["showUserIdentifier"], true);
    assert_eq!(got.text("/widgetCustomizations/widgetGeneration"), "G3");
    assert_eq!(org.get(&at).body, got.body);
    let versions = org.get(&format!("/api/v1/brands/{brand}/pages/sign-in/widget-versions"));
    assert_eq!(
        (versions.text("/0"), versions.text("/6"), versions.body.as_array().map(Vec::len)),
        ("5.11", "^5", Some(59))
    );
    org.refuse(call("GET /api/v1/brands/x/pages/sign-in/widget-versions"), 404, "E0000007", &[]);
}

#[test]
fn a_brand_s_own_privacy_policy_is_agreed_to() {
    let org = Org::acme();
    let brand = org.get("/api/v1/brands").text("/0/id").to_owned();
    let put = |more: serde_json::Value| {
        let mut body = json!({ "name": "Main", "customPrivacyPolicyUrl": "https://acme.dev/privacy" });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        call(&format!("PUT /api/v1/brands/{brand}")).json(&body)
    };
    let cause = "agreeToCustomPrivacyPolicy: You must agree to use a custom privacy policy.";
    org.refuse(put(json!({})), 400, "E0000001", &[cause]);
    org.refuse(put(json!({ "agreeToCustomPrivacyPolicy": false })), 400, "E0000001", &[cause]);
    let got = org.check(put(json!({ "agreeToCustomPrivacyPolicy": true })), 200);
    assert_eq!(got.text("/customPrivacyPolicyUrl"), "https://acme.dev/privacy");
}

#[test]
fn a_template_has_one_default_and_one_customization_a_language() {
    let org = Org::acme();
    let brand = org.get("/api/v1/brands").text("/0/id").to_owned();
    let all = format!("/api/v1/brands/{brand}/templates/email/UserActivation/customizations");
    let body = |language: &str, default: bool| json!({ "language": language, "isDefault": default, "subject": "Hi", "body": "<p>${activationLink}</p>" });
    let add = |language: &str, default| call(&format!("POST {all}")).json(&body(language, default));
    let first = org.check(add("en", false), 201);
    assert_eq!(first.body["isDefault"], true);
    org.refuse(add("en", false), 409, "E0000183", &[]);
    org.refuse(add("fr", true), 409, "E0000182", &[]);
    let second = org.check(add("fr", false), 201);
    assert_eq!(second.body["isDefault"], false);
    let put = |one: &str, language: &str, default| call(&format!("PUT {all}/{one}")).json(&body(language, default));
    org.refuse(put(first.text("/id"), "en", false), 409, "E0000185", &[]);
    org.refuse(put(second.text("/id"), "fr", true), 409, "E0000182", &[]);
    org.refuse(put(second.text("/id"), "en", false), 409, "E0000183", &[]);
    org.check(put(second.text("/id"), "de", false), 200);
}
