//! The org's preferences, mail, support and contacts.

use serde_json::json;

use crate::support::{Org, call};

#[test]
fn the_footer_is_hidden_and_shown() {
    let org = Org::acme();
    let at = "/api/v1/org/preferences";
    for (verb, shown) in [("hideEndUserFooter", false), ("showEndUserFooter", true), ("showEndUserFooter", true)] {
        let got = org.check(call(&format!("POST {at}/{verb}")), 200);
        assert_eq!(got.body["showEndUserFooter"], shown, "{verb}");
        assert_eq!(org.get(at).body, got.body);
    }
    assert!(org.get(at).body["_links"]["hideEndUserFooter"].is_object());
}

#[test]
fn people_are_opted_in_to_and_out_of_mail() {
    let org = Org::acme();
    let at = "/api/v1/org/privacy/oktaCommunication";
    assert_eq!(org.get(at).body["optOutEmailUsers"], true);
    for (verb, out) in [("optIn", false), ("optOut", true)] {
        assert_eq!(org.check(call(&format!("POST {at}/{verb}")), 200).body["optOutEmailUsers"], out);
        assert_eq!(org.get(at).body["optOutEmailUsers"], out);
    }
}

#[test]
fn support_comes_in_for_eight_hours_and_a_day_more() {
    let org = Org::acme();
    let at = "/api/v1/org/privacy/oktaSupport";
    let check = |verb: &str, state: &str, link: &str| {
        let got = org.check(call(&format!("POST {at}/{verb}")), 200);
        assert_eq!(got.text("/support"), state, "{verb}");
        assert!(got.body["_links"][link].is_object(), "{}", got.body);
        got
    };
    let extend = call(&format!("POST {at}/extend"));
    org.refuse(extend, 400, "E0000001", &["Okta Support access is not granted."]);
    let granted = check("grant", "ENABLED", "extend");
    let extended = check("extend", "ENABLED", "revoke");
    let day = |got: &crate::support::Got| got.text("/expiration")[8..10].parse::<u8>().expect("is a day");
    assert_eq!(granted.text("/expiration")[10..], extended.text("/expiration")[10..]);
    assert!(day(&extended) == day(&granted) + 1 || day(&extended) == 1);
    assert_eq!(check("revoke", "DISABLED", "grant").body["expiration"], json!(null));
    assert_eq!(org.get(at).text("/support"), "DISABLED");
}

#[test]
fn contacts_are_people() {
    let org = Org::acme();
    let lena = org.id("lena.fischer@acme.example");
    let at = "/api/v1/org/contacts/BILLING";
    let first = org.get(at).text("/userId").to_owned();
    assert!(org.get("/api/v1/iam/assignees/users").body.to_string().contains(&first), "is an administrator");
    let put = |id: &str| call(&format!("PUT {at}")).json(&json!({ "userId": id }));
    assert_eq!(org.check(put(&lena), 200).text("/userId"), lena);
    assert_eq!(org.get("/api/v1/org/contacts/billing").text("/userId"), lena);
    assert_eq!(org.get("/api/v1/org/contacts/TECHNICAL").text("/userId"), first);
    org.refuse(put("00unobody"), 404, "E0000007", &[]);
    org.refuse(
        call(&format!("PUT {at}")).json(&json!({})),
        400,
        "E0000001",
        &["userId: The field cannot be left blank"],
    );
    org.refuse(call("GET /api/v1/org/contacts/LEGAL"), 404, "E0000007", &[]);
    assert_eq!(org.get("/api/v1/org/contacts").column("/contactType"), ["BILLING", "TECHNICAL"]);
}
