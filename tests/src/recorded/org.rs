//! What kind of Okta org a recording was made in, as its answers show.
//!
//! Orgs differ in what they run on and in what they have bought, and their answers with them. A recording is played to
//! an org of the kind in which it was made; nothing else of the recorded org is taken over.

use serde_json::Value;

use super::recording::Recording;

/// A kind of org, as the `okta` section of a world says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// Whether it ran on the Classic Engine.
    pub classic: bool,
    /// Whether it had Okta Identity Governance.
    pub governance: bool,
}

/// Orgs made since then run on the Identity Engine; what was recorded before (seconds since 1970: March 2022) and
/// shows nothing of its engine, ran on the Classic Engine.
const IDENTITY_ENGINE: i64 = 1_646_092_800;

impl Kind {
    /// The kind of org that a recording shows.
    pub fn of(recording: &Recording) -> Self {
        let mut signs = Signs::default();
        for exchange in &recording.exchanges {
            signs.read(&exchange.response.body);
        }
        let early = recording.made_at().is_some_and(|at| at < IDENTITY_ENGINE);
        Self { classic: signs.classic || (early && !signs.identity), governance: signs.governance }
    }

    /// The lines of the `okta` section.
    pub const fn section(self) -> &'static str {
        match (self.classic, self.governance) {
            (false, false) => "",
            (true, _) => "  engine: classic\n",
            (false, true) => "  governance: true\n",
        }
    }
}

/// What tells one kind from another.
#[derive(Debug, Default)]
struct Signs {
    /// An app without an access policy.
    classic: bool,
    /// An app with one, or a person whose factors can be reset by a link.
    identity: bool,
    /// A person in a realm, or an app that says whether its entitlements are managed.
    governance: bool,
}

impl Signs {
    fn read(&mut self, body: &Value) {
        if let Value::Array(rows) = body {
            for row in rows {
                self.read(row);
            }
            return;
        }
        let links = &body["_links"];
        if body["signOnMode"].is_string() && links["users"].is_object() {
            self.identity |= links["accessPolicy"].is_object();
            self.classic |= links["accessPolicy"].is_null();
            self.governance |= body["settings"]["emOptInStatus"].is_string();
        }
        if body["profile"]["login"].is_string() {
            self.identity |= links["resetFactors"].is_object();
            self.governance |= body["realmId"].is_string();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_show_the_kind_of_org() {
        let check = |body: Value, classic: bool, identity: bool, governance: bool| {
            let mut signs = Signs::default();
            signs.read(&body);
            assert_eq!((signs.classic, signs.identity, signs.governance), (classic, identity, governance), "{body}");
        };
        let app = |links: Value, settings: Value| json!([{ "signOnMode": "x", "_links": links, "settings": settings }]);
        let user = json!({ "login": "x" });
        check(json!({ "a": 1 }), false, false, false);
        check(app(json!({ "users": {} }), json!({})), true, false, false);
        check(app(json!({ "users": {}, "accessPolicy": {} }), json!({})), false, true, false);
        check(app(json!({ "users": {}, "accessPolicy": {} }), json!({ "emOptInStatus": "NONE" })), false, true, true);
        check(json!({ "profile": user, "_links": { "resetFactors": {} } }), false, true, false);
        check(json!({ "profile": user, "realmId": "x" }), false, false, true);
    }
}
