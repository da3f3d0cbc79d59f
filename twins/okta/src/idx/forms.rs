//! The forms that a transaction shows: what can be sent next, and where to.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    enroll, flow, identify, ion,
    method::Method,
    recover,
    transaction::{Idx, Step},
};
use crate::{
    inline_hooks::registration::Enrollment,
    model::{
        State,
        factor::{Factor, Kind},
        user::User,
    },
};

/// What forms are made from.
#[derive(Debug)]
pub struct Desk<'a> {
    /// The org.
    pub state: &'a State,
    /// The address that the caller used.
    pub origin: &'a str,
    /// The state handle.
    pub handle: &'a str,
    /// The transaction.
    pub idx: &'a Idx,
    /// Whose it is; none where nobody is known.
    pub user: Option<&'a Arc<User>>,
}

impl Desk<'_> {
    /// A form, with the state handle behind its fields.
    pub fn form(&self, name: &str, path: &str, mut fields: Vec<Value>) -> Value {
        fields.push(ion::state_handle(self.handle));
        ion::form(name, &format!("{}/idp/idx{path}", self.origin), fields)
    }

    /// All forms of the transaction.
    pub fn all(&self) -> Vec<Value> {
        match (self.idx.step, self.idx.with) {
            (Step::Identify, _) => self.beginning(),
            (Step::IdentifyRecovery, _) => vec![self.form("identify-recovery", "/identify", vec![identifier()])],
            (Step::Profile, _) => vec![self.profile(), self.form("select-identify", "/identify/select", Vec::new())],
            (Step::Select, _) => vec![self.select()],
            (Step::Data, Some(method)) => self.with_others(self.data(method)),
            (Step::Challenge, Some(method)) => self.with_others(self.challenge(method)),
            (Step::SelectEnroll, _) => vec![self.select_enroll()],
            (Step::EnrollData, _) => vec![self.enroll_data(), self.select_enroll()],
            (Step::Enroll, Some(method)) => vec![self.enroll(method), self.select_enroll()],
            (Step::Reset, _) => vec![self.new_password("reset-authenticator")],
            (Step::Expired, _) => vec![self.new_password("reenroll-authenticator")],
            (Step::Warning, _) => {
                let skip = self.form("skip", "/skip", Vec::new());
                vec![self.new_password("reenroll-authenticator-warning"), skip]
            }
            _ => Vec::new(),
        }
    }

    /// Who one is, and where the org has it, registration.
    fn beginning(&self) -> Vec<Value> {
        let mut fields = vec![identifier()];
        if identify::asks_for_password(self.state) {
            fields.push(ion::object("credentials", vec![ion::secret("passcode", "Password")], true));
        }
        fields.push(json!({ "name": "rememberMe", "type": "boolean", "label": "Remember this device" }));
        let mut all = vec![self.form("identify", "/identify", fields)];
        if Enrollment::of(self.state).open {
            all.push(self.form("select-enroll-profile", "/enroll", Vec::new()));
        }
        all
    }

    fn profile(&self) -> Value {
        let fields = Enrollment::of(self.state).fields;
        let fields = fields.iter().map(|field| ion::text(&field.name, &field.label, field.required)).collect();
        self.form("enroll-profile", "/enroll/new", vec![ion::object("userProfile", fields, true)])
    }

    /// A form about one authenticator, and the choice of another where there is one.
    fn with_others(&self, mut form: Value) -> Vec<Value> {
        form["relatesTo"] = json!([format!("$.{}", self.current())]);
        let others = self.choices().len() > 1;
        if others { vec![form, self.select()] } else { vec![form] }
    }

    /// The member of the answer that shows what is in use.
    pub fn current(&self) -> &'static str {
        match self.idx.step {
            Step::Data | Step::Challenge => "currentAuthenticatorEnrollment",
            _ => "currentAuthenticator",
        }
    }

    /// By what the person can show who they are, those of one authenticator together.
    pub fn choices(&self) -> Vec<(Vec<Method>, Option<Arc<Factor>>)> {
        let Some(user) = self.user else { return Vec::new() };
        if self.idx.recovers {
            return together(recover::ways(self.state, user).into_iter().map(|method| (method, None)));
        }
        if self.idx.sign.proof.password.is_none() {
            return vec![(vec![Method::Password], None)];
        }
        let all = flow::usable(self.state, user, self.idx).into_iter();
        together(all.map(|factor| (Method::Factor(factor.kind), Some(factor))))
    }

    fn select(&self) -> Value {
        let all = self.choices().into_iter().enumerate();
        let options = all.map(|(at, (methods, factor))| {
            let mut fields = vec![ion::fixed("id", &methods[0].id(self.state)), ways(&methods)];
            if let Some(factor) = factor.filter(|factor| factor.kind.is_phone()) {
                fields.push(ion::fixed("enrollmentId", &factor.id));
            }
            option(&methods, fields, &format!("$.authenticatorEnrollments.value[{at}]"))
        });
        let field = json!({ "name": "authenticator", "type": "object", "options": options.collect::<Vec<_>>() });
        self.form("select-authenticator-authenticate", "/challenge", vec![field])
    }

    /// The methods of one authenticator.
    fn data(&self, method: Method) -> Value {
        let found = self.choices().into_iter().find(|(methods, _)| methods[0].key() == method.key());
        let (methods, factor) = found.unwrap_or_else(|| (vec![method], None));
        let mut fields = vec![ion::fixed("id", &method.id(self.state))];
        let mut field = ways(&methods);
        if method.has_ways() && field.get("options").is_none() {
            field = json!({
                "name": "methodType", "type": "string", "required": true,
                "options": methods.iter().map(|one| json!({ "label": one.label(), "value": one.text() })).collect::<Vec<_>>(),
            });
        }
        fields.push(field);
        if let Some(factor) = factor.filter(|factor| factor.kind.is_phone()) {
            fields.push(ion::fixed("enrollmentId", &factor.id));
        }
        let mut field = ion::object("authenticator", fields, true);
        field["label"] = json!(method.name());
        self.form("authenticator-verification-data", "/challenge", vec![field])
    }

    fn challenge(&self, method: Method) -> Value {
        let fields = match method.kind() {
            Some(Kind::Push) => {
                let mut form = self.form("challenge-poll", "/authenticators/poll", Vec::new());
                form["refresh"] = json!(REFRESH);
                return form;
            }
            None => vec![ion::secret("passcode", "Password")],
            Some(Kind::Totp) => vec![ion::text("totp", "Enter code", true)],
            Some(Kind::Question) => vec![
                json!({ "name": "questionKey", "required": true, "value": self.question().0, "mutable": false }),
                json!({ "name": "answer", "label": self.question().1, "required": true, "secret": true }),
            ],
            Some(Kind::WebAuthn) => ["authenticatorData", "clientData", "signatureData"].map(hidden).to_vec(),
            Some(_) => vec![ion::text("passcode", "Enter code", true)],
        };
        self.form("challenge-authenticator", "/challenge/answer", vec![ion::object("credentials", fields, true)])
    }

    /// The key and the text of the person's security question.
    pub fn question(&self) -> (String, String) {
        use crate::model::factor::Profile;
        let own = self.user.and_then(|user| self.state.factors.of_kind(&user.id, Kind::Question));
        match own.map(|factor| &factor.profile) {
            Some(Profile::Question { question, text }) => (question.to_string(), text.to_string()),
            _ => (String::new(), String::new()),
        }
    }

    /// What can be enrolled, those of one authenticator together.
    pub fn offers(&self) -> Vec<Vec<Method>> {
        let Some(user) = self.user else { return Vec::new() };
        let all = enroll::offered(self.state, user, self.idx).into_iter().map(|method| (method, None));
        together(all).into_iter().map(|(methods, _)| methods).collect()
    }

    fn select_enroll(&self) -> Value {
        let all = self.offers().into_iter().enumerate();
        let options = all.map(|(at, methods)| {
            let mut fields = vec![ion::fixed("id", &methods[0].id(self.state))];
            match methods[0].kind() {
                Some(Kind::Push) => fields.push(channel()),
                kind => {
                    fields.extend(
                        [ways(&methods)].into_iter().chain(kind.filter(|kind| kind.is_phone()).map(|_| number())),
                    );
                }
            }
            option(&methods, fields, &format!("$.authenticators.value[{at}]"))
        });
        let field = json!({ "name": "authenticator", "type": "object", "options": options.collect::<Vec<_>>() });
        self.form("select-authenticator-enroll", "/credential/enroll", vec![field])
    }

    fn enroll_data(&self) -> Value {
        let method = self.idx.with.unwrap_or(Method::Factor(Kind::Sms));
        let offers = self.offers().into_iter().find(|methods| methods[0].key() == method.key());
        let methods = offers.unwrap_or_else(|| vec![method]);
        let choice = json!({
            "name": "methodType", "type": "string", "required": true,
            "options": methods.iter().map(|one| json!({ "label": one.label(), "value": one.text() })).collect::<Vec<_>>(),
        });
        let fields = vec![ion::fixed("id", &method.id(self.state)), choice, number()];
        let mut field = ion::object("authenticator", fields, true);
        field["label"] = json!(method.name());
        let mut form = self.form("authenticator-enrollment-data", "/credential/enroll", vec![field]);
        form["relatesTo"] = json!(["$.currentAuthenticator"]);
        form
    }

    fn enroll(&self, method: Method) -> Value {
        let fields = match method.kind() {
            Some(Kind::Push) => {
                let mut form = self.form("enroll-poll", "/challenge/poll", Vec::new());
                (form["refresh"], form["relatesTo"]) = (json!(REFRESH), json!(["$.currentAuthenticator"]));
                return form;
            }
            None => vec![ion::secret("passcode", "Enter password")],
            Some(Kind::Question) => questions(),
            Some(Kind::WebAuthn) => ["clientData", "attestation"].map(hidden).to_vec(),
            Some(_) => vec![ion::text("passcode", "Enter code", true)],
        };
        let credentials = ion::object("credentials", fields, true);
        let mut form = self.form("enroll-authenticator", "/challenge/answer", vec![credentials]);
        form["relatesTo"] = json!(["$.currentAuthenticator"]);
        form
    }

    fn new_password(&self, name: &str) -> Value {
        let mut fields = vec![ion::secret("passcode", "New password")];
        fields.push(json!({
            "name": "revokeSessions", "type": "boolean", "label": "Sign me out of all other devices", "required": false,
        }));
        let mut form = self.form(name, "/challenge/answer", vec![ion::object("credentials", fields, true)]);
        form["relatesTo"] = json!(["$.currentAuthenticator"]);
        form
    }
}

/// How long a caller waits between two polls, in milliseconds.
const REFRESH: u64 = 4_000;

fn identifier() -> Value {
    ion::text("identifier", "Username", true)
}

/// A field that a browser fills in.
fn hidden(name: &str) -> Value {
    json!({ "name": name, "label": name, "required": true, "visible": false })
}

/// What a phone's number is.
fn number() -> Value {
    json!({ "name": "phoneNumber", "type": "string", "label": "Phone number", "required": true })
}

/// The one way by which Okta Verify is set up here.
fn channel() -> Value {
    let options = json!([{ "label": "QR Code", "value": "qrcode" }]);
    json!({ "name": "channel", "type": "string", "required": false, "options": options })
}

/// The questions that people can choose, with the answer to one.
fn questions() -> Vec<Value> {
    use crate::model::factor::question::QUESTIONS;
    let options: Vec<Value> = QUESTIONS.iter().map(|(key, text)| json!({ "label": text, "value": key })).collect();
    vec![
        json!({ "name": "questionKey", "type": "string", "label": "Choose a security question", "required": true,
            "options": options }),
        json!({ "name": "answer", "label": "Answer", "required": true, "secret": true }),
    ]
}

/// The method of an authenticator: fixed, or a choice of several.
fn ways(methods: &[Method]) -> Value {
    match methods {
        [one] => json!({ "name": "methodType", "required": false, "value": one.text(), "mutable": false }),
        several => {
            let options: Vec<Value> =
                several.iter().map(|one| json!({ "label": one.label(), "value": one.text() })).collect();
            json!({ "name": "methodType", "type": "string", "required": false, "options": options })
        }
    }
}

fn option(methods: &[Method], fields: Vec<Value>, relates_to: &str) -> Value {
    json!({ "label": methods[0].name(), "value": { "form": { "value": fields } }, "relatesTo": relates_to })
}

/// Methods, those of one authenticator together, each with its first factor.
fn together(all: impl Iterator<Item = (Method, Option<Arc<Factor>>)>) -> Vec<(Vec<Method>, Option<Arc<Factor>>)> {
    let mut rows: Vec<(Vec<Method>, Option<Arc<Factor>>)> = Vec::new();
    for (method, factor) in all {
        match rows.iter_mut().find(|(methods, _)| methods[0].key() == method.key()) {
            Some((methods, _)) if methods.contains(&method) => {}
            Some((methods, _)) => methods.push(method),
            None => rows.push((vec![method], factor)),
        }
    }
    rows
}
