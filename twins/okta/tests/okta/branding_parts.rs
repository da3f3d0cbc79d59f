//! What brands have: themes with pictures, e-mails with previews, pages, and the domains that mail comes from.

use serde_json::{Value, json};

use crate::support::{Call, ORIGIN, Org, call};

fn brand(org: &Org) -> String {
    format!("/api/v1/brands/{}", org.get("/api/v1/brands").text("/0/id"))
}

fn theme(org: &Org) -> String {
    let brand = brand(org);
    format!("{brand}/themes/{}", org.get(&format!("{brand}/themes")).text("/0/id"))
}

/// A form with a file.
fn upload(target: &str, name: &str, content: &str) -> Call {
    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.gif\"\r\n\r\n{content}\r\n--x--\r\n"
    );
    call(&format!("POST {target}")).raw("multipart/form-data; boundary=x", &body)
}

#[test]
fn brands_are_listed_in_pages_by_name_and_with_what_they_have() {
    let org = Org::acme();
    let first = org.get("/api/v1/brands").text("/0/name").to_owned();
    for name in ["Second", "Third"] {
        org.check(call("POST /api/v1/brands").json(&json!({ "name": name })), 201);
    }
    let page = org.get("/api/v1/brands?limit=2");
    assert_eq!(page.column("/name"), [first.as_str(), "Second"]);
    assert_eq!(org.get(&page.link("next").expect("goes on")).column("/name"), ["Third"]);
    assert_eq!(org.get("/api/v1/brands?q=thi").column("/name"), ["Third"]);
    let all = org.get("/api/v1/brands?expand=themes,domains");
    assert_eq!(all.body[1]["_embedded"]["themes"].as_array().map(Vec::len), Some(1));
    assert_eq!(all.body[0]["_embedded"]["domains"].as_array().map(Vec::len), Some(1));
    assert_eq!(all.body[1]["_embedded"]["domains"], json!([]));
    org.check(call("GET /api/v1/brands?limit=0"), 400);
    org.check(call("GET /api/v1/brands?expand=nothing"), 400);
}

#[test]
fn a_brand_is_replaced_by_what_there_is() {
    let org = Org::acme();
    let at = brand(&org);
    let put = |more: Value| {
        let mut body = json!({ "name": "Main" });
        body.as_object_mut().expect("is an object").extend(more.as_object().expect("is an object").clone());
        call(&format!("PUT {at}")).json(&body)
    };
    let app = org.get(&at).text("/defaultApp/appInstanceId").to_owned();
    let got = org.check(
        put(json!({ "locale": "fr", "removePoweredByOkta": true, "defaultApp": { "appInstanceId": app } })),
        200,
    );
    assert_eq!((got.text("/locale"), &got.body["removePoweredByOkta"]), ("fr", &json!(true)));
    assert_eq!((got.text("/name"), &got.body["isDefault"]), ("Main", &json!(true)));
    org.refuse(put(json!({ "emailDomainId": "OeDnothing" })), 404, "E0000007", &[]);
    org.refuse(put(json!({ "defaultApp": { "appInstanceId": "0oanothing" } })), 404, "E0000007", &[]);
    let reserved = "name: The field has an invalid value";
    org.refuse(put(json!({ "name": "DRAPP_DOMAIN_BRAND" })), 400, "E0000001", &[reserved]);
    org.check(call(&format!("PUT {at}")).json(&json!({})), 400);
    let events = org.events();
    assert_eq!((events["system.brand.update"], events.get("system.brand.create")), (1, None));
}

#[test]
fn themes_are_replaced_but_for_their_pictures() {
    let org = Org::acme();
    let at = theme(&org);
    let body = json!({
        "primaryColorHex": "#ababab", "secondaryColorHex": "#ebebeb",
        "signInPageTouchPointVariant": "BACKGROUND_IMAGE", "endUserDashboardTouchPointVariant": "FULL_THEME",
        "errorPageTouchPointVariant": "OKTA_DEFAULT", "emailTemplateTouchPointVariant": "FULL_THEME",
    });
    let before = org.get(&at).body;
    assert_eq!(before["favicon"], json!(format!("{ORIGIN}/favicon.ico")));
    let got = org.check(call(&format!("PUT {at}")).json(&body), 200);
    for name in ["primaryColorHex", "signInPageTouchPointVariant", "emailTemplateTouchPointVariant"] {
        assert_eq!(got.body[name], body[name], "{name}");
    }
    assert_eq!((&got.body["logo"], &got.body["favicon"]), (&before["logo"], &before["favicon"]));
    let refuse = |name: &str, value: &str| {
        let mut bad = body.clone();
        bad[name] = json!(value);
        org.check(call(&format!("PUT {at}")).json(&bad), 400);
    };
    refuse("primaryColorHex", "red");
    refuse("secondaryColorHex", "#12345");
    refuse("signInPageTouchPointVariant", "PLAIN");
    org.check(call(&format!("PUT {at}")).json(&json!({ "primaryColorHex": "#ababab" })), 400);
    org.refuse(call(&format!("GET {}/themes/thenothing", brand(&org))), 404, "E0000007", &[]);
}

#[test]
fn a_theme_s_pictures_are_uploaded_and_taken_away() {
    let org = Org::acme();
    let at = theme(&org);
    for (path, member, status) in
        [("logo", "logo", 200), ("favicon", "favicon", 201), ("background-image", "backgroundImage", 201)]
    {
        let usual = org.get(&at).body[member].clone();
        let target = format!("{at}/{path}");
        let got = org.check(upload(&target, "file", "GIF8 and so on"), status);
        assert!(got.text("/url").starts_with(&format!("{ORIGIN}/fs/bco/1/fs0")), "{}", got.body);
        assert_eq!(org.get(&at).body[member], got.body["url"], "{path}");
        let cause = "file: The file must be in PNG, JPG, or GIF format";
        org.refuse(upload(&target, "file", "<svg/>"), 400, "E0000001", &[cause]);
        org.refuse(upload(&target, "other", "GIF8"), 400, "E0000001", &["file: The field cannot be left blank"]);
        org.refuse(call(&format!("POST {target}")).json(&json!({})), 400, "E0000021", &[]);
        org.check(upload(&target.replace("/the", "/nothing"), "file", "GIF8"), 404);
        if path != "background-image" {
            let large = format!("GIF8{}", " ".repeat(100_000));
            org.refuse(
                upload(&target, "file", &large),
                400,
                "E0000001",
                &["file: The file must be less than 100 kB in size"],
            );
        }
        org.check(call(&format!("DELETE {target}")), 204);
        assert_eq!(org.get(&at).body[member], usual, "{path}");
        org.check(call(&format!("DELETE {}", target.replace("/the", "/nothing"))), 404);
    }
}

#[test]
fn templates_show_their_settings_and_customizations_on_request() {
    let org = Org::acme();
    let at = format!("{}/templates/email", brand(&org));
    let one = format!("{at}/UserActivation");
    assert_eq!(org.get(&at).column("/name").len(), 20);
    assert_eq!(org.get(&format!("{at}?limit=5")).column("/name").len(), 5);
    let body = json!({ "language": "en", "isDefault": true, "subject": "Hi", "body": "<p>${activationLink}</p>" });
    org.check(call(&format!("POST {one}/customizations")).json(&body), 201);
    let got = org.get(&format!("{one}?expand=settings,customizationCount"));
    assert_eq!(got.body["_embedded"]["customizationCount"], 1);
    assert_eq!(got.text("/_embedded/settings/recipients"), "ALL_USERS");
    assert_eq!(got.text("/_links/settings/href"), format!("{ORIGIN}{one}/settings"));
    let all = org.get(&format!("{at}?expand=customizationCount"));
    assert_eq!(all.body[0]["_embedded"], json!({ "customizationCount": 1 }));
    assert_eq!(all.body[1]["_embedded"], json!({ "customizationCount": 0 }));
    assert_eq!(org.get(&one).body.get("_embedded"), None);
    org.refuse(call(&format!("GET {at}/nothing")), 404, "E0000007", &[]);
    org.check(call(&format!("GET {one}?expand=nothing")), 400);
    let second = org.check(call("POST /api/v1/brands").json(&json!({ "name": "Second" })), 201);
    let other = format!("/api/v1/brands/{}/templates/email", second.text("/id"));
    assert_eq!(org.get(&format!("{other}/UserActivation")).text("/name"), "UserActivation");
    org.refuse(call(&format!("GET {other}/nothing")), 404, "E0000007", &[]);
    org.refuse(call(&format!("POST {other}/nothing/customizations")).json(&body), 404, "E0000007", &[]);
}

#[test]
fn mails_can_be_looked_at_before_they_are_sent() {
    let org = Org::acme();
    let at = format!("{}/templates/email/UserActivation", brand(&org));
    let own = org.get(&format!("{at}/default-content?language=de"));
    assert!(own.text("/body").contains("${activationLink}"), "{}", own.body);
    assert_eq!(own.text("/_links/preview/href"), format!("{ORIGIN}{at}/default-content/preview"));
    let seen = org.get(&format!("{at}/default-content/preview"));
    assert!(seen.text("/body").contains("%28activationLink%20Placeholder%29"), "{}", seen.body);
    assert!(!seen.body.to_string().contains("${"), "{}", seen.body);
    let body = json!({
        "language": "en", "isDefault": true, "subject": "Hello ${user.profile.firstName} of ${org.name}",
        "body": "<p>${user.profile.title} <a href=\"${activationLink}\">Go</a> ${verificationToken}</p>",
    });
    let made = org.check(call(&format!("POST {at}/customizations")).json(&body), 201).text("/id").to_owned();
    let got = org.get(&format!("{at}/customizations/{made}/preview"));
    let me = org.get("/api/v1/users/me");
    assert_eq!(got.text("/subject"), format!("Hello {} of acme", me.text("/profile/firstName")));
    assert!(got.text("/body").ends_with("(verificationToken Placeholder)</p>"), "{}", got.body);
    org.check(call(&format!("POST {at}/test?language=fr")), 204);
    for target in [format!("GET {at}/default-content?language=not+a+language"), format!("POST {at}/test?language=1")] {
        org.check(call(&target), 400);
    }
    for target in [
        format!("GET {at}/customizations/oelnothing/preview"),
        format!("GET {}/default-content", at.replace("UserActivation", "Nothing")),
        "GET /api/v1/brands/bndnothing/templates/email/welcome/default-content/preview".to_owned(),
        "POST /api/v1/brands/bndnothing/templates/email/welcome/test".to_owned(),
        format!("DELETE {}/customizations", at.replace("UserActivation", "Nothing")),
    ] {
        org.refuse(call(&target), 404, "E0000007", &[]);
    }
    let other = json!({ "language": "fr", "isDefault": false, "subject": "A", "body": "<p>${activationLink}</p>" });
    org.check(call(&format!("POST {at}/customizations")).json(&other), 201);
    org.check(call(&format!("DELETE {at}/customizations")), 204);
    assert_eq!(org.get(&format!("{at}/customizations")).body, json!([]));
    let again = org.check(call(&format!("POST {at}/customizations")).json(&other), 201);
    assert_eq!(again.body["isDefault"], true, "the first one is the default again");
}

#[test]
fn mail_domains_are_made_proven_and_used() {
    let org = Org::acme();
    let id = org.get("/api/v1/brands").text("/0/id").to_owned();
    let body = json!({ "brandId": id, "domain": "mail.acme.dev", "displayName": "IT", "userName": "it" });
    let post = |body: &Value| call("POST /api/v1/email-domains").json(body);
    let made = org.check(post(&body), 200);
    let at = format!("/api/v1/email-domains/{}", made.text("/id"));
    assert!(made.text("/id").starts_with("OeD"));
    assert_eq!((made.text("/validationStatus"), made.text("/validationSubdomain")), ("NOT_STARTED", "mail"));
    assert_eq!(made.text("/dnsValidationRecords/0/fqdn"), "_oktaverification.mail.acme.dev");
    assert_eq!(made.text("/dnsValidationRecords/1/fqdn"), "mail.mail.acme.dev");
    assert_eq!(made.body.get("brandId"), None);
    org.refuse(post(&body), 409, "E0000197", &[]);
    let mut stranger = body.clone();
    stranger["brandId"] = json!("bndnothing");
    stranger["domain"] = json!("other.acme.dev");
    org.refuse(post(&stranger), 404, "E0000007", &[]);
    let changed = json!({ "displayName": "Help", "userName": "help" });
    let got = org.check(call(&format!("PUT {at}")).json(&changed), 200);
    assert_eq!((got.text("/displayName"), got.text("/domain")), ("Help", "mail.acme.dev"));
    let got = org.check(call(&format!("POST {at}/verify")), 200);
    assert_eq!((got.text("/validationStatus"), got.text("/userName")), ("VERIFIED", "help"));
    org.refuse(call(&format!("POST {at}/verify")), 400, "E0000217", &[]);
    assert_eq!(org.get(&format!("{at}?expand=brands")).text("/_embedded/brands/0/id"), id);
    assert_eq!(org.get("/api/v1/email-domains").column("/id"), [made.text("/id")]);
    let brand = json!({ "name": "Main", "emailDomainId": made.text("/id") });
    org.check(call(&format!("PUT /api/v1/brands/{id}")).json(&brand), 200);
    let got = org.get(&format!("/api/v1/brands/{id}?expand=emailDomain"));
    assert_eq!(got.text("/_embedded/emailDomain/domain"), "mail.acme.dev");
    org.check(call(&format!("DELETE {at}")), 204);
    org.refuse(call(&format!("GET {at}")), 404, "E0000007", &[]);
}

#[test]
fn pages_are_customized_tried_out_and_reset() {
    let org = Org::acme();
    let at = format!("{}/pages", brand(&org));
    let page = |text: &str| json!({ "pageContent": text });
    for kind in ["error", "sign-in"] {
        let own = org.get(&format!("{at}/{kind}/default"));
        assert!(own.text("/pageContent").contains("<html"), "{kind}: {}", own.body);
        assert_eq!(own.text("/contentSecurityPolicySetting/mode"), "enforced");
        for which in ["customized", "preview"] {
            let one = format!("{at}/{kind}/{which}");
            org.refuse(call(&format!("GET {one}")), 404, "E0000007", &[]);
            org.check(call(&format!("DELETE {one}")), 204);
            let got = org.check(call(&format!("PUT {one}")).json(&page("<p>1</p>")), 200);
            assert_eq!((got.text("/pageContent"), &org.get(&one).body), ("<p>1</p>", &got.body), "{one}");
            org.check(call(&format!("PUT {one}")).json(&page("<p>2</p>")), 200);
            assert_eq!(org.get(&one).text("/pageContent"), "<p>2</p>");
            org.check(call(&format!("PUT {one}")).json(&json!({ "pageContent": 1 })), 400);
            let policy = json!({ "pageContent": "<p/>", "contentSecurityPolicySetting": { "mode": "sometimes" } });
            org.check(call(&format!("PUT {one}")).json(&policy), 400);
        }
        let links = |got: &Value| got["_links"].as_object().map(|all| all.keys().cloned().collect::<Vec<_>>());
        let both = org.get(&format!("{at}/{kind}?expand=default,customized"));
        assert_eq!(links(&both.body).expect("has links"), ["self", "default", "customized", "preview"]);
        assert_eq!(both.text("/_embedded/customized/pageContent"), "<p>2</p>");
        assert_eq!(both.body["_embedded"]["default"], own.body);
        assert_eq!(both.body["_embedded"].get("preview"), None);
        org.check(call(&format!("DELETE {at}/{kind}/customized")), 204);
        org.refuse(call(&format!("GET {at}/{kind}/customized")), 404, "E0000007", &[]);
        let reset = org.get(&format!("{at}/{kind}?expand=customized"));
        assert_eq!(links(&reset.body).expect("has links"), ["self", "default", "preview"]);
        assert_eq!(reset.body.get("_embedded"), None);
        org.check(call(&format!("GET {at}/{kind}?expand=nothing")), 400);
        org.refuse(call(&format!("GET /api/v1/brands/bndnothing/pages/{kind}/default")), 404, "E0000007", &[]);
        org.refuse(call(&format!("DELETE /api/v1/brands/bndnothing/pages/{kind}/preview")), 404, "E0000007", &[]);
    }
    let one = format!("{at}/sign-in/customized");
    let version = |text: &str| json!({ "pageContent": "<p/>", "widgetVersion": text });
    for good in ["*", "^7", "7.38", "5.11"] {
        assert_eq!(org.check(call(&format!("PUT {one}")).json(&version(good)), 200).text("/widgetVersion"), good);
    }
    let cause = "widgetVersion: The field has an invalid value";
    org.refuse(call(&format!("PUT {one}")).json(&version("99.1")), 400, "E0000001", &[cause]);
}

#[test]
fn people_who_sign_out_land_where_the_brand_says() {
    let org = Org::acme();
    let at = format!("{}/pages/sign-out/customized", brand(&org));
    assert_eq!(org.get(&at).body, json!({ "type": "OKTA_DEFAULT" }));
    let put = |body: Value| call(&format!("PUT {at}")).json(&body);
    let own = json!({ "type": "EXTERNALLY_HOSTED", "url": "https://acme.dev/bye" });
    assert_eq!(org.check(put(own.clone()), 200).body, own);
    assert_eq!(org.get(&at).body, own);
    let cause = "url: The field must be a valid URL";
    org.refuse(put(json!({ "type": "EXTERNALLY_HOSTED", "url": "nowhere" })), 400, "E0000001", &[cause]);
    let cause = "url: The field cannot be left blank";
    org.refuse(put(json!({ "type": "EXTERNALLY_HOSTED" })), 400, "E0000001", &[cause]);
    org.check(put(json!({ "type": "OTHER" })), 400);
    assert_eq!(org.check(put(json!({ "type": "OKTA_DEFAULT" })), 200).body, json!({ "type": "OKTA_DEFAULT" }));
}

#[test]
fn domains_are_proven_and_given_to_brands() {
    let org = Org::acme();
    let add = |name: &str, kind: &str| {
        let body = json!({ "domain": name, "certificateSourceType": kind });
        org.check(call("POST /api/v1/domains").json(&body), 200).text("/id").to_owned()
    };
    let (managed, manual) = (add("id.acme.dev", "OKTA_MANAGED"), add("old.acme.dev", "MANUAL"));
    let verify = |id: &str| org.check(call(&format!("POST /api/v1/domains/{id}/verify")), 200);
    assert_eq!(verify(&managed).text("/validationStatus"), "COMPLETED");
    assert_eq!(verify(&manual).text("/validationStatus"), "VERIFIED", "its certificate is still to come");
    let second = org.check(call("POST /api/v1/brands").json(&json!({ "name": "Second" })), 201).text("/id").to_owned();
    let put = |brand: &str| call(&format!("PUT /api/v1/domains/{managed}")).json(&json!({ "brandId": brand }));
    let got = org.check(put(&second), 200);
    assert_eq!((got.text("/brandId"), got.text("/domain")), (second.as_str(), "id.acme.dev"));
    assert_eq!(got.text("/validationStatus"), "COMPLETED");
    org.refuse(put("bndnothing"), 404, "E0000007", &[]);
    let of = |brand: &str| {
        let got = org.get(&format!("{brand}/domains"));
        let all = got.body["domains"].as_array().cloned().unwrap_or_default();
        all.iter().map(|one| one["domain"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of(&format!("/api/v1/brands/{second}")), ["id.acme.dev"]);
    assert_eq!(of(&brand(&org)), ["acme.okta.com", "old.acme.dev"]);
    org.refuse(call("GET /api/v1/brands/bndnothing/domains"), 404, "E0000007", &[]);
    org.refuse(call(&format!("DELETE /api/v1/brands/{second}")), 409, "E0000201", &[]);
}
