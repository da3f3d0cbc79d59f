//! Each state with each lifecycle operation, against a table written by hand.

use serde_json::json;

use crate::support::{Org, call};

/// One person of acme in each state; RECOVERY is made.
const PEOPLE: [(&str, &str); 8] = [
    ("STAGED", "hana.sato"),
    ("PROVISIONED", "jonas.weber"),
    ("ACTIVE", "lena.fischer"),
    ("RECOVERY", "omar.haddad"),
    ("PASSWORD_EXPIRED", "emeka.obi"),
    ("LOCKED_OUT", "callum.fraser"),
    ("SUSPENDED", "beatriz.alonso"),
    ("DEPROVISIONED", "marcus.bell"),
];

/// For each operation, what comes of it in the order of [`PEOPLE`]: a state, or a code.
const EXPECTED: [(&str, [&str; 8]); 9] = [
    (
        "activate",
        ["PROVISIONED", "E0000016", "E0000016", "E0000016", "E0000016", "E0000016", "E0000016", "PROVISIONED"],
    ),
    ("reactivate", ["E0000038", "PROVISIONED", "E0000038", "RECOVERY", "E0000038", "E0000038", "E0000038", "E0000038"]),
    (
        "deactivate",
        [
            "DEPROVISIONED",
            "DEPROVISIONED",
            "DEPROVISIONED",
            "DEPROVISIONED",
            "DEPROVISIONED",
            "DEPROVISIONED",
            "DEPROVISIONED",
            "E0000038",
        ],
    ),
    ("suspend", ["E0000001", "E0000001", "SUSPENDED", "E0000001", "E0000001", "E0000001", "E0000001", "E0000001"]),
    ("unsuspend", ["E0000001", "E0000001", "E0000001", "E0000001", "E0000001", "E0000001", "ACTIVE", "E0000001"]),
    ("unlock", ["E0000032", "E0000032", "E0000032", "E0000032", "E0000032", "ACTIVE", "E0000032", "E0000032"]),
    (
        "reset_password?sendEmail=true",
        ["E0000038", "RECOVERY", "RECOVERY", "RECOVERY", "RECOVERY", "RECOVERY", "E0000038", "E0000038"],
    ),
    (
        "expire_password",
        [
            "E0000038",
            "E0000038",
            "PASSWORD_EXPIRED",
            "E0000038",
            "PASSWORD_EXPIRED",
            "E0000038",
            "E0000038",
            "E0000038",
        ],
    ),
    (
        "reset_factors",
        ["STAGED", "PROVISIONED", "ACTIVE", "RECOVERY", "PASSWORD_EXPIRED", "LOCKED_OUT", "SUSPENDED", "DEPROVISIONED"],
    ),
];

const STATUSES: [(&str, u16); 4] = [("E0000001", 400), ("E0000016", 403), ("E0000032", 403), ("E0000038", 403)];

#[test]
fn every_operation_in_every_state() {
    let start = Org::acme();
    start.post("/api/v1/users/omar.haddad/lifecycle/reset_password?sendEmail=true", &json!({}));
    for (operation, outcomes) in EXPECTED {
        for ((status, login), outcome) in PEOPLE.into_iter().zip(outcomes) {
            let org = start.fork();
            assert_eq!(org.get(&format!("/api/v1/users/{login}")).text("/status"), status, "{login}");
            let got = org.send(call(&format!("POST /api/v1/users/{login}/lifecycle/{operation}")));
            let after = org.get(&format!("/api/v1/users/{login}"));
            let refused = STATUSES.iter().find(|(code, _)| *code == outcome);
            if let Some((code, http)) = refused {
                assert_eq!((got.status, got.text("/errorCode")), (*http, *code), "{operation} in {status}");
                assert_eq!(after.text("/status"), status, "{operation} in {status}");
                assert_eq!(org.events(), start.events(), "refusals are not logged");
            } else {
                assert_eq!(got.status, 200, "{operation} in {status}: {}", got.body);
                assert_eq!(after.text("/status"), outcome, "{operation} in {status}");
            }
        }
    }
}

#[test]
fn links_offer_what_the_state_allows() {
    let org = Org::acme();
    let check = |login: &str, wanted: &[&str]| {
        let got = org.get(&format!("/api/v1/users/{login}"));
        let mut found: Vec<&String> = got.body["_links"].as_object().expect("is an object").keys().collect();
        found.retain(|name| !["self", "schema", "type", "resetFactors"].contains(&name.as_str()));
        assert_eq!(found, wanted, "{login}");
    };
    check("hana.sato", &["activate"]);
    check("jonas.weber", &["suspend", "resetPassword", "reactivate", "deactivate"]);
    check("beatriz.alonso", &["unsuspend", "deactivate"]);
    check("marcus.bell", &["activate", "delete"]);
    check("callum.fraser", &["resetPassword", "unlock", "deactivate"]);
}

#[test]
fn what_is_handed_out() {
    let org = Org::acme();
    let post = |path: &str| org.post(&format!("/api/v1/users/{path}"), &json!({}));
    assert_eq!(post("hana.sato/lifecycle/activate").body, json!({}));
    let got = post("yusuf.demir/lifecycle/activate?sendEmail=false");
    let token = got.text("/activationToken");
    assert_eq!(token.len(), 20);
    assert_eq!(got.text("/activationUrl"), format!("http://okta.test/tokens/{token}/verify"));
    assert!(post("hana.sato/lifecycle/reactivate").body.get("activationToken").is_some());
    let got = post("lena.fischer/lifecycle/expire_password_with_temp_password");
    assert_eq!(got.text("/tempPassword").len(), 12);
    assert_eq!(post("omar.haddad/lifecycle/expire_password").text("/status"), "PASSWORD_EXPIRED");
    let got = post("lena.fischer/lifecycle/reset_password?sendEmail=false&revokeSessions=true");
    assert!(got.text("/resetPasswordUrl").starts_with("http://okta.test/reset_password/drp"));
    assert_eq!(org.events()["user.session.clear"], 1);
    org.refuse(call("POST /api/v1/users/mei.zhang/lifecycle/reset_password"), 400, "E0000028", &[]);
    org.refuse(call("POST /api/v1/users/mei.zhang/lifecycle/reset_password?sendEmail=maybe"), 400, "E0000037", &[]);
    let lines = ["The user is not locked out."];
    org.refuse(call("POST /api/v1/users/mei.zhang/lifecycle/unlock"), 403, "E0000032", &lines);
    org.refuse(call("POST /api/v1/users/nobody/lifecycle/unlock"), 404, "E0000007", &[]);
}

#[test]
fn deactivation_takes_groups_and_tokens() {
    let org = Org::acme();
    let bot = call("GET /api/v1/users/me").header("authorization", &format!("SSWS {}", crate::support::BOT));
    org.check(bot.clone(), 200);
    org.post("/api/v1/users/access.botservice/lifecycle/deactivate", &json!({}));
    org.refuse(bot.clone(), 401, "E0000011", &[]);
    org.post("/api/v1/users/access.botservice/lifecycle/activate", &json!({}));
    org.refuse(bot, 401, "E0000011", &[]);
    org.post("/api/v1/users/rafael.quintero/lifecycle/deactivate", &json!({}));
    assert_eq!(org.get("/api/v1/users/rafael.quintero/groups").column("/id").len(), 0);
    let (events, groups) = (org.events(), 6);
    assert_eq!((events["group.user_membership.remove"], events["system.api_token.revoke"]), (groups, 2));
    org.post("/api/v1/users/rafael.quintero/lifecycle/activate", &json!({}));
    assert_eq!(org.get("/api/v1/users/rafael.quintero/groups").column("/profile/name"), ["Everyone"]);
}

#[test]
fn a_password_ends_recovery_and_expiry() {
    let org = Org::acme();
    let password = json!({ "credentials": { "password": { "value": "Correct-Horse-7" } } });
    assert_eq!(org.post("/api/v1/users/emeka.obi", &password).text("/status"), "ACTIVE");
    org.post("/api/v1/users/lena.fischer/lifecycle/reset_password?sendEmail=true", &json!({}));
    assert_eq!(org.post("/api/v1/users/lena.fischer", &password).text("/status"), "ACTIVE");
    let staged = org.post("/api/v1/users/hana.sato", &password);
    assert_eq!(staged.text("/status"), "STAGED");
    org.post("/api/v1/users/hana.sato/lifecycle/activate?sendEmail=false", &json!({}));
    assert_eq!(org.get("/api/v1/users/hana.sato").text("/status"), "ACTIVE");
    org.refuse(call("POST /api/v1/users/beatriz.alonso").json(&password), 403, "E0000038", &[]);
}
