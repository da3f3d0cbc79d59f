//! The registration hook: it is told who wants to register, and lets them, changes their profile, or turns them away.
//!
//! People register in pages, which is no call of the API: the form comes as an affordance, and what became of it shows
//! in the view `registrations`. Without an answer of the hook nobody is registered. Who may register, what the form
//! asks for and which hook is asked, the profile enrollment policy says; orgs of the Classic Engine have none, and ask
//! the first hook that is on. That people prove their mail address at once, where the policy wants that, is assumed.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/InlineHook/ (registration hook).

use dtu_kernel::{
    ids::HEX,
    time::Timestamp,
    twin::{Affordance, Refusal},
    tx::Tx,
    wire::Answer,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;

use super::{
    Stage, active, ask_later, envelope, first, processed,
    reply::{Command, Reply},
};
use crate::{
    Okta,
    api::profiles::fill,
    events,
    model::{
        Act, Acting, SITE, State,
        accounts::{self, Credentials, NewUser},
        log::{Client, Transaction},
        password::NewPassword,
        profile::{Attribute, Profile},
    },
    policy,
    resources::Members,
};

/// The hook's type.
pub const TYPE: &str = "com.okta.user.pre-registration";
/// The table of those who have registered or wanted to.
pub const TABLE: &str = "registrations";

/// The address that the form goes to.
const FORM: &str = "/idp/idx/enroll/new";
/// What is said where a hook turns somebody away by a command.
const DENIED: &str = "Registration denied.";
/// What is said where a hook fails, or refuses without a word.
const FAILED: &str = "Registration cannot be completed at this time.";

/// Somebody who has registered, or wanted to.
#[derive(Clone, Debug, Serialize)]
pub struct Registration {
    login: SmolStr,
    asked: Timestamp,
    status: Status,
    message: String,
    errors: Value,
    user: Option<SmolStr>,
}

/// How far a registration has come.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Waiting,
    Registered,
    Denied,
}

/// A registration that waits.
#[derive(Clone, Debug)]
pub struct Pending {
    id: SmolStr,
    profile: Profile,
    /// What the form asks for and profiles have not: only the hook is told.
    beside: Members,
    password: Option<String>,
    groups: Vec<SmolStr>,
}

/// What an org says of people who register.
#[derive(Clone, Debug, Default)]
pub(crate) struct Enrollment {
    /// Whether they may.
    pub(crate) open: bool,
    /// The hook that is asked, by id.
    pub(crate) hook: Option<SmolStr>,
    /// The groups that they are put into, by id.
    pub(crate) groups: Vec<SmolStr>,
    /// Whether they must show that their mail address is theirs.
    pub(crate) proves_mail: bool,
    /// What the form asks for.
    pub(crate) fields: Vec<Field>,
}

/// A field of the form.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// The attribute.
    pub(crate) name: SmolStr,
    /// What people are told that it is.
    pub(crate) label: SmolStr,
    /// Whether it must be filled in.
    pub(crate) required: bool,
}

impl Enrollment {
    /// See developer.okta.com/docs/api/openapi/okta-management/management/tag/Policy/ (`ProfileEnrollmentPolicyRuleAction`).
    pub(crate) fn of(state: &State) -> Self {
        if state.kind.is_classic() {
            return Self { open: true, hook: first(state, TYPE), ..Self::default() };
        }
        let rules = policy::rules(state, &state.apps.enrollment);
        let action = rules.first().and_then(|(_, rule)| rule.get("actions")?.get("profileEnrollment"));
        let action = action.cloned().unwrap_or_default();
        let texts = |list: &Value, member: &str| -> Vec<SmolStr> {
            let text =
                |one: &Value| if member.is_empty() { one.as_str() } else { one[member].as_str() }.map(SmolStr::from);
            list.as_array().into_iter().flatten().filter_map(text).collect()
        };
        let hooks = texts(&action["preRegistrationInlineHooks"], "inlineHookId");
        let asked = action["profileAttributes"].as_array().into_iter().flatten();
        Self {
            open: action["access"] == "ALLOW" && action["unknownUserAction"] == "REGISTER",
            hook: hooks.into_iter().find(|hook| active(state, hook, TYPE).is_some()),
            groups: texts(&action["targetGroupIds"], ""),
            proves_mail: action.pointer("/activationRequirements/emailVerification") == Some(&Value::Bool(true)),
            fields: asked.filter_map(field).collect(),
        }
    }

    /// Whether a form that is filled in so can be sent.
    fn check(&self, with: &Register) -> Result<(), Refusal> {
        if !self.open {
            return Err(Refusal::new("the profile enrollment policy lets nobody register"));
        }
        if self.fields.is_empty() && with.attributes.is_empty() {
            return Ok(());
        }
        let given = |name: &str| match name {
            "email" | "login" => !with.email.is_empty(),
            "firstName" => !with.first_name.is_empty(),
            "lastName" => !with.last_name.is_empty(),
            other => with.attributes.contains_key(other),
        };
        if let Some((name, _)) = self
            .fields
            .iter()
            .map(|field| (&field.name, field.required))
            .find(|(name, required)| *required && !given(name))
        {
            return Err(Refusal::new(format!("the form asks for `{name}`: give it in `attributes`")));
        }
        let asked = |name: &String| self.fields.iter().any(|field| field.name == *name);
        match with.attributes.keys().find(|name| !asked(name)) {
            Some(name) => Err(Refusal::new(format!("the form does not ask for `{name}`"))),
            None => Ok(()),
        }
    }
}

fn field(one: &Value) -> Option<Field> {
    let name = one["name"].as_str()?;
    let label = one["label"].as_str().unwrap_or(name).into();
    Some(Field { name: name.into(), label, required: one["required"] == true })
}

/// Why somebody was turned away, as they see it.
struct Denial {
    message: String,
    errors: Value,
}

impl Denial {
    fn saying(message: impl Into<String>) -> Self {
        Self { message: message.into(), errors: json!([]) }
    }

    /// What a hook says: its causes belong to fields of the form.
    fn of_hook(error: &Value) -> Self {
        let said = error["errorSummary"].as_str().filter(|said| !said.is_empty()).unwrap_or(FAILED);
        let errors = error.get("errorCauses").filter(|causes| causes.is_array()).cloned();
        Self { message: said.to_owned(), errors: errors.unwrap_or_else(|| json!([])) }
    }
}

/// Arguments of `okta.register`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// First name.
    first_name: String,
    /// Last name.
    last_name: String,
    /// Mail address, which is the login as well.
    email: String,
    /// A password; without one, a mail invites the person to choose one.
    #[serde(default)]
    password: Option<String>,
    /// What else the form asks for, by attribute: those of the profile, or others that only the hook is told.
    #[serde(default)]
    attributes: Members,
}

impl Register {
    fn profile(&self) -> Profile {
        let mut profile = Profile::default();
        for (attribute, value) in [
            (Attribute::FIRST_NAME, &self.first_name),
            (Attribute::LAST_NAME, &self.last_name),
            (Attribute::EMAIL, &self.email),
            (Attribute::LOGIN, &self.email),
        ] {
            profile.set(attribute, value);
        }
        profile
    }
}

/// The verb.
pub fn affordances() -> Vec<Affordance<Okta>> {
    vec![Affordance::new("okta.register", "Registers as a new person in the sign-in page", register)]
}

/// Whoever registers is nobody yet: the System Log names Okta itself.
fn visitor(id: &SmolStr) -> Acting {
    let form = SmolStr::new_static(FORM);
    Acting {
        client: Client {
            address: SmolStr::new_static("127.0.0.1"),
            agent: SmolStr::new_static("Mozilla/5.0 (X11; Linux x86_64)"),
        },
        transaction: Transaction {
            kind: "WEB",
            id: id.clone(),
            token: SmolStr::default(),
            uri: form.clone(),
            url: form,
        },
        ..Acting::system()
    }
}

fn register(state: &mut State, tx: &mut Tx<'_>, _: &str, with: Register) -> Result<Value, Refusal> {
    let enrollment = Enrollment::of(state);
    enrollment.check(&with)?;
    let mut profile = with.profile();
    let (own, beside): (Members, Members) = with.attributes.into_iter().partition(|(name, _)| is_kept(state, name));
    fill(state, &mut profile, &own, "newUser").map_err(|error| Refusal::new(error.words()))?;
    let id = SmolStr::from(tx.draw(SITE.child("registration")).text(HEX, 32));
    let mut act = Act::new(state, tx, visitor(&id));
    let (password, groups) = (with.password, enrollment.groups);
    let pending = Pending { id: id.clone(), profile, beside, password, groups };
    let waiting = Registration {
        login: pending.profile.get(Attribute::LOGIN).into(),
        asked: act.tx.now,
        status: Status::Waiting,
        message: String::new(),
        errors: json!([]),
        user: None,
    };
    act.state.registrations.put(&mut act.tx.changes, id.clone(), waiting);
    if let Some(hook) = enrollment.hook {
        let body = question(&mut act, &hook, &pending);
        ask_later(&mut act, &id, hook, body, Stage::Registration(Box::new(pending)));
    } else {
        finish(&mut act, pending).map_err(|denial| Refusal::new(denial.message))?;
    }
    events::announce(&mut act);
    let row = act.state.registrations.get(&id).map(|row| shown(&id, row));
    Ok(row.unwrap_or_default())
}

/// Whether people's profiles have an attribute.
fn is_kept(state: &State, name: &str) -> bool {
    Attribute::find(name).is_some() || state.schemas.of_people(name).is_some()
}

fn question(act: &mut Act<'_, '_>, hook: &SmolStr, pending: &Pending) -> Value {
    let data = json!({
        "context": {
            "request": {
                "id": pending.id,
                "method": "POST",
                "url": { "value": format!("{}{FORM}", act.tx.origin) },
                "ipAddress": act.by.client.address,
            },
        },
        "userProfile": pending.profile,
        "action": "ALLOW",
    });
    let mut body = envelope(act, TYPE, hook.to_string(), data);
    if let Some(profile) = body.pointer_mut("/data/userProfile").and_then(Value::as_object_mut) {
        profile.extend(pending.beside.clone());
    }
    body["requestType"] = json!("self.service.registration");
    body
}

/// Goes on with the registration as the hook would have it.
pub(super) fn go_on(act: &mut Act<'_, '_>, hook: &SmolStr, mut pending: Pending, reply: &Reply) -> Answer {
    let id = pending.id.clone();
    let verdict = match reply {
        Reply::Commands(commands, _) => {
            let obeyed = obey(act.state, &mut pending.profile, commands);
            processed(act, hook, obeyed.as_ref().err().cloned());
            match obeyed {
                Ok(true) => finish(act, pending),
                Ok(false) => Err(Denial::saying(DENIED)),
                Err(_) => Err(Denial::saying(FAILED)),
            }
        }
        Reply::Refused(why, whole) => {
            processed(act, hook, Some(why.clone()));
            Err(Denial::of_hook(&whole["error"]))
        }
        Reply::TimedOut | Reply::Broken { .. } => Err(Denial::saying(FAILED)),
    };
    if let Err(denial) = verdict {
        act.state.registrations.update(&mut act.tx.changes, &id, |row| {
            row.status = Status::Denied;
            row.message = denial.message;
            row.errors = denial.errors;
        });
    }
    Answer::json(&Map::new())
}

/// Does what the commands say, in their order; whether the person may register.
fn obey(state: &State, profile: &mut Profile, commands: &[Command]) -> Result<bool, String> {
    let mut allowed = true;
    for Command { kind, value } in commands {
        match (kind.as_str(), value) {
            ("com.okta.user.profile.update", Value::Object(changes)) => {
                fill(state, profile, changes, "newUser").map_err(|error| error.words())?;
            }
            ("com.okta.action.update", value) => {
                allowed = match value["registration"].as_str() {
                    Some("ALLOW") => true,
                    Some("DENY") => false,
                    _ => return Err("The registration is neither ALLOW nor DENY".to_owned()),
                };
            }
            ("com.okta.user.profile.update", _) => return Err(format!("The value of '{kind}' is not an object")),
            _ => return Err(format!("The command '{kind}' is not supported")),
        }
    }
    Ok(allowed)
}

/// Makes the person.
fn finish(act: &mut Act<'_, '_>, pending: Pending) -> Result<(), Denial> {
    let groups = pending.groups.iter().filter_map(|id| act.state.groups.get(id).cloned()).collect();
    let new = NewUser {
        realm: None,
        profile: pending.profile,
        credentials: Credentials { password: pending.password.map(NewPassword::Text), ..Credentials::default() },
        groups,
        activate: true,
        federated: false,
        expire: false,
    };
    let user = accounts::create(act, new).map_err(|error| Denial::saying(error.words()))?;
    act.state.registrations.update(&mut act.tx.changes, &pending.id, |row| {
        row.status = Status::Registered;
        row.login = user.login().into();
        row.user = Some(user.id.clone());
    });
    Ok(())
}

fn shown(id: &SmolStr, row: &Registration) -> Value {
    json!({
        "id": id,
        "login": row.login,
        "status": row.status,
        "message": row.message,
        "errors": row.errors,
        "user": row.user,
    })
}

/// All registrations, oldest first.
pub fn view(state: &State) -> Value {
    let mut rows: Vec<_> = state.registrations.iter().collect();
    rows.sort_by_key(|(_, row)| row.asked);
    rows.into_iter().map(|(id, row)| shown(id, row)).collect()
}
