//! Enrolling factors, and taking them away.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use smol_str::SmolStr;

use super::{
    Challenge, Delivery, Device, Factor, Kind, Profile, Proof, Secret, Status, Verdict, challenge, code, question,
    under, verify, webauthn,
};
use crate::{
    devices,
    error::Error,
    model::{
        Act, SITE, State,
        event_type::{ACCOUNT_LOCK, FACTOR_ACTIVATE, FACTOR_DEACTIVATE, FACTOR_UPDATE},
        log::{Outcome, Party},
        profile::Attribute,
        user::{self, User},
    },
    policy::{self, Enroll},
};

/// What a caller says of a factor to be enrolled.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// Of which kind.
    pub kind: Kind,
    /// A question's key.
    pub question: Option<SmolStr>,
    /// The answer to it.
    pub answer: Option<SmolStr>,
    /// A phone's number.
    pub phone: Option<SmolStr>,
    /// What is dialled behind it.
    pub extension: Option<SmolStr>,
    /// A mail address; the person's own where absent.
    pub email: Option<SmolStr>,
    /// The secret of a token of the org's own: in hexadecimal or base32.
    pub shared_secret: Option<SmolStr>,
    /// Whether it is in use at once.
    pub activate: bool,
    /// Whether no code is sent at once.
    pub silent: bool,
    /// Whether another phone takes the place of a known one.
    pub update_phone: bool,
    /// How the code is sent.
    pub how: Delivery,
}

impl Enrolment {
    /// A factor of a kind of which nothing more is said.
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            question: None,
            answer: None,
            phone: None,
            extension: None,
            email: None,
            shared_secret: None,
            activate: false,
            silent: false,
            update_phone: false,
            how: Delivery::default(),
        }
    }
}

/// How long Okta waits until somebody has set up Okta Verify on a phone.
const SET_UP: Duration = Duration::from_secs(600);

fn invalid(cause: &str) -> Error {
    Error::invalid("factorEnrollRequest", cause)
}

/// What a policy calls a kind: by its authenticator, or by the older name of the factor.
const fn classic_key(kind: Kind) -> &'static str {
    match kind {
        Kind::Question => "okta_question",
        Kind::Totp => "okta_otp",
        Kind::GoogleTotp => "google_otp",
        Kind::Sms => "okta_sms",
        Kind::Call => "okta_call",
        Kind::Email => "okta_email",
        Kind::Push => "okta_push",
        Kind::WebAuthn => "fido_webauthn",
        Kind::U2f => "fido_u2f",
        Kind::CustomTotp => "hotp",
        Kind::SignedNonce => "signed_nonce",
        Kind::Rsa => "rsa_token",
        Kind::Symantec => "symantec_vip",
        Kind::YubiKey => "yubikey_token",
        Kind::Duo => "duo",
    }
}

/// What the policy that applies to a person says of a kind. One of which it does not speak may be enrolled: policies
/// from before a factor was switched on name it only once they are saved again.
fn allowed(state: &State, user: &User, kind: Kind) -> Enroll {
    let policy = policy::mfa_enroll(state, user);
    policy.of(kind.authenticator()).or_else(|| policy.of(classic_key(kind))).unwrap_or(Enroll::Optional)
}

/// The kinds that a person may enrol, in the order in which Okta offers them, and whether the person must.
pub fn enrollable(state: &State, user: &User) -> Vec<(Kind, bool)> {
    let policy = Kind::ALL.into_iter().filter(|kind| kind.is_served()).map(|kind| (kind, allowed(state, user, kind)));
    policy
        .filter(|(_, says)| *says != Enroll::NotAllowed)
        .map(|(kind, says)| (kind, says == Enroll::Required))
        .collect()
}

/// Enrols a factor: it then waits for its activation, unless its kind or the caller has it active at once.
///
/// # Errors
/// A deactivated person; a kind that the org or the policy does not have; one that is set up already; a phone, mail
/// address, question or secret that will not do; a code that was sent to the address just now.
pub fn enroll(act: &mut Act<'_, '_>, user: &User, new: &Enrolment) -> Result<Arc<Factor>, Error> {
    if user.status == user::Status::Deprovisioned {
        return Err(Error::NotInStatus);
    }
    if !new.kind.is_served() {
        return Err(invalid("Invalid Factor"));
    }
    if allowed(act.state, user, new.kind) == Enroll::NotAllowed {
        return Err(invalid("Factor not allowed for the user based on the Multifactor policy."));
    }
    let profile = profile(user, new)?;
    let pending = make_room(act, user, new, &profile)?;
    let mut row = Factor { secret: secret(act, new)?, ..fresh(act, user, new, profile, pending.as_deref()) };
    if row.status == Status::PendingActivation && !new.silent {
        start(act, user, &mut row, &new.how)?;
    }
    let row = act.state.factors.put(&mut act.tx.changes, row);
    if row.is_active() {
        finish(act, user, &row);
    }
    Ok(row)
}

/// Refuses what there is already; gives back a factor of the kind that waits for its activation, whose place the new
/// one takes.
fn make_room(act: &Act<'_, '_>, user: &User, new: &Enrolment, profile: &Profile) -> Result<Option<Arc<Factor>>, Error> {
    let factors = &act.state.factors;
    let own = factors.of_user(&user.id);
    let mut same = own.iter().filter(|factor| factor.kind == new.kind);
    if same.clone().any(|factor| factor.is_active()) && !new.kind.is_many() {
        return Err(invalid("A factor of this type is already set up."));
    }
    if let (Some(known), Profile::Phone { number, .. }) = (factors.phone(&user.id, new.kind), profile)
        && known.number != *number
        && !new.update_phone
    {
        return Err(invalid("There is an existing verified phone number."));
    }
    Ok(same.find(|factor| !factor.is_active()).cloned())
}

fn fresh(act: &mut Act<'_, '_>, user: &User, new: &Enrolment, profile: Profile, pending: Option<&Factor>) -> Factor {
    let now = act.now();
    let at_once = match new.kind {
        Kind::Question | Kind::CustomTotp => true,
        kind => new.activate && kind.is_sent(),
    };
    Factor {
        id: pending.map_or_else(|| act.tx.id(new.kind.ids()), |old| old.id.clone()),
        user: user.id.clone(),
        kind: new.kind,
        status: if at_once { Status::Active } else { Status::PendingActivation },
        created: pending.map_or(now, |old| old.created),
        last_updated: now,
        last_verified: None,
        profile,
        secret: Secret::None,
        challenge: None,
        used: None,
        wrong: pending.map(|old| old.wrong.clone()).unwrap_or_default(),
    }
}

/// What a factor that waits for its activation waits for.
fn start(act: &mut Act<'_, '_>, user: &User, row: &mut Factor, how: &Delivery) -> Result<(), Error> {
    match row.kind {
        kind if kind.is_sent() => challenge::send(act, user, row, how)?,
        kind if kind.is_key() => challenge::nonce(act, row),
        Kind::Push => row.challenge = Some(Challenge::new(SmolStr::default(), act.tx.now.after(SET_UP))),
        _ => {}
    }
    Ok(())
}

fn profile(user: &User, new: &Enrolment) -> Result<Profile, Error> {
    match new.kind {
        Kind::Question => asked(new),
        Kind::Sms | Kind::Call => {
            let extension = new.extension.clone().filter(|text| new.kind == Kind::Call && !text.is_empty());
            Ok(Profile::Phone { number: phone_number(new.phone.as_deref().unwrap_or_default())?, extension })
        }
        Kind::Email => {
            let address = new.email.clone().unwrap_or_else(|| user.profile.get(Attribute::EMAIL).into());
            let whole = address.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
            if whole { Ok(Profile::Email(address)) } else { Err(invalid("Invalid Email.")) }
        }
        Kind::Totp | Kind::GoogleTotp => Ok(Profile::Credential(user.login().into())),
        _ => Ok(Profile::Empty),
    }
}

fn asked(new: &Enrolment) -> Result<Profile, Error> {
    let key =
        new.question.as_deref().ok_or_else(|| Error::fields(&[("question", "The field cannot be left blank")]))?;
    let text = question::text(key).ok_or_else(|| invalid("Invalid Profile."))?;
    let answer = new.answer.as_deref().unwrap_or_default();
    if answer.chars().count() < question::ANSWER_MIN {
        return Err(Error::invalid(
            "securityQuestion.answer",
            "The security question answer must be at least 4 characters in length",
        ));
    }
    Ok(Profile::Question { question: key.into(), text: text.into() })
}

/// A phone number as Okta keeps it: `+` and digits.
///
/// # Errors
/// What is no number with its country.
pub fn phone_number(text: &str) -> Result<SmolStr, Error> {
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
    let digits = bare.strip_prefix('+').unwrap_or_default();
    let fits = (2..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    if fits { Ok(bare.into()) } else { Err(invalid("Invalid Phone Number.")) }
}

fn secret(act: &mut Act<'_, '_>, new: &Enrolment) -> Result<Secret, Error> {
    match new.kind {
        Kind::Question => Ok(Secret::Answer(question::hash(new.answer.as_deref().unwrap_or_default()))),
        Kind::Totp | Kind::GoogleTotp => Ok(shared(act)),
        Kind::CustomTotp => {
            let text = new.shared_secret.as_deref().unwrap_or_default();
            let hex = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes());
            let key = hex.or_else(|_| data_encoding::BASE32_NOPAD_NOCASE.decode(text.as_bytes()));
            let key = key.ok().filter(|key| !key.is_empty());
            key.map(Secret::Shared).ok_or_else(|| invalid("Invalid Profile."))
        }
        _ => Ok(Secret::None),
    }
}

/// A secret for an app on a phone.
fn shared(act: &mut Act<'_, '_>) -> Secret {
    let mut draw = act.tx.draw(SITE.child("factor secret"));
    let bits = [draw.bits(), draw.bits()];
    Secret::Shared(bits.iter().flat_map(|bits| bits.to_be_bytes()).take(code::KEY_BYTES).collect())
}

/// What comes of an activation: the phone stays known, and the log tells.
fn finish(act: &mut Act<'_, '_>, user: &User, factor: &Factor) {
    act.state.factors.keep_phone(&mut act.tx.changes, factor);
    act.log(&FACTOR_ACTIVATE, vec![Party::user(user), verify::party(factor)]);
}

/// Activates a factor by what the person shows.
///
/// # Errors
/// A factor that is active already, or too many wrong codes in too short a time.
pub fn activate(act: &mut Act<'_, '_>, user: &User, factor: &Factor, proof: &Proof) -> Result<Verdict, Error> {
    if factor.kind == Kind::Push && proof.is_empty() {
        return Ok(Verdict::Right(wait_for_device(act, factor)));
    }
    if factor.kind == Kind::Push {
        return Err(Error::invalid("factorActivateRequest", "Push factors are activated on the device."));
    }
    if factor.is_active() {
        return Err(Error::invalid("factorActivateRequest", "A factor of this type is already set up."));
    }
    let now = act.tx.now;
    verify::may_activate(factor, now)?;
    let mut row = factor.clone();
    let holds = if factor.kind.is_key() {
        register_key(act, &mut row, proof)
    } else {
        match verify::check(factor, proof, now) {
            verify::Check::Right(used) => {
                row.used = used;
                true
            }
            _ => false,
        }
    };
    if !holds {
        verify::note_wrong(&mut row, now);
        act.state.factors.put(&mut act.tx.changes, row);
        let targets = vec![Party::user(user), verify::party(factor)];
        act.log_outcome(&FACTOR_ACTIVATE, targets, Outcome::failure("INVALID_CREDENTIALS"));
        return Ok(Verdict::Wrong(verify::wrong(factor.kind)));
    }
    Ok(Verdict::Right(into_use(act, user, row)))
}

fn into_use(act: &mut Act<'_, '_>, user: &User, row: Factor) -> Arc<Factor> {
    let row = Factor { status: Status::Active, last_updated: act.now(), challenge: None, wrong: Vec::new(), ..row };
    let row = act.state.factors.put(&mut act.tx.changes, row);
    finish(act, user, &row);
    row
}

/// A browser's new credential.
fn register_key(act: &Act<'_, '_>, row: &mut Factor, proof: &Proof) -> bool {
    let Some(challenge) = row.challenge.as_ref().filter(|challenge| act.tx.now < challenge.expires) else {
        return false;
    };
    let Some(made) = webauthn::register(&challenge.text, proof) else { return false };
    row.profile = Profile::Key { credential: made.credential.into(), name: SmolStr::new_static("Security Key") };
    row.secret = Secret::Public(made.public);
    true
}

/// Okta Verify that is not set up in time is waited for once more.
fn wait_for_device(act: &mut Act<'_, '_>, factor: &Factor) -> Arc<Factor> {
    let late = factor.challenge.as_ref().is_some_and(|challenge| act.tx.now >= challenge.expires);
    let mut row = factor.clone();
    if !factor.is_active() && late {
        row.challenge = Some(Challenge::new(SmolStr::default(), act.tx.now.after(SET_UP)));
        row.last_updated = act.now();
    }
    act.state.factors.put(&mut act.tx.changes, row)
}

/// A phone with Okta Verify has read the QR code: prompts and codes of it are in use together.
///
/// # Errors
/// A factor that does not wait for a phone, or no longer.
pub fn pair(act: &mut Act<'_, '_>, user: &User, factor: &Factor, device: Device) -> Result<Arc<Factor>, Error> {
    let waits = factor.challenge.as_ref().is_some_and(|challenge| act.tx.now < challenge.expires);
    if factor.kind != Kind::Push || factor.is_active() || !waits {
        return Err(Error::invalid("factorActivateRequest", "Factor does not wait for a device."));
    }
    let credential = SmolStr::new(user.login());
    let known = json!({
        "displayName": device.name, "platform": device.platform, "osVersion": device.version, "registered": true,
        "secureHardwarePresent": true,
    });
    let row = Factor { profile: Profile::Verify { credential, device }, ..factor.clone() };
    let row = into_use(act, user, row);
    devices::enrol(act, user, Some(&row), known.as_object().cloned().unwrap_or_default());
    let codes = act.state.factors.of_kind(&user.id, Kind::Totp).cloned();
    if codes.as_ref().is_none_or(|codes| !codes.is_active()) {
        let new = Enrolment::of(Kind::Totp);
        let profile = profile(user, &new)?;
        let codes = Factor { secret: shared(act), ..fresh(act, user, &new, profile, codes.as_deref()) };
        into_use(act, user, codes);
    }
    Ok(row)
}

/// Takes a factor from a person; parts of Okta Verify go together.
///
/// # Errors
/// A deactivated person.
pub fn unenroll(act: &mut Act<'_, '_>, user: &User, factor: &Factor, recovery: bool) -> Result<(), Error> {
    if user.status == user::Status::Deprovisioned {
        return Err(Error::NotInStatus);
    }
    let whole_app = matches!(factor.kind, Kind::Push | Kind::SignedNonce);
    let gone = act.state.factors.of_user(&user.id);
    let goes = |other: &Factor| other.id == factor.id || whole_app && other.kind.is_okta_verify();
    for other in gone.iter().filter(|other| goes(other)) {
        act.state.factors.remove(&mut act.tx.changes, other);
        act.log(&FACTOR_DEACTIVATE, vec![Party::user(user), verify::party(other)]);
    }
    if recovery {
        act.state.factors.drop_phone(&mut act.tx.changes, &user.id, factor.kind);
    }
    Ok(())
}

/// Takes all factors from a person. The caller writes the one line of the log that this is.
pub fn reset_all(act: &mut Act<'_, '_>, user: &User) {
    forget(act, &user.id);
}

/// Nothing is known any more of somebody's factors.
pub fn forget(act: &mut Act<'_, '_>, user: &SmolStr) {
    for factor in act.state.factors.of_user(user) {
        act.state.factors.remove(&mut act.tx.changes, &factor);
    }
    let phones: Vec<Kind> = under(&act.state.factors.phones, user).map(|phone| phone.kind).collect();
    for kind in phones {
        act.state.factors.drop_phone(&mut act.tx.changes, user, kind);
    }
    act.state.factors.tacs.remove(&mut act.tx.changes, user);
    act.state.factors.strikes.remove(user);
    act.state.factors.forget_devices(user);
}

/// Changes what a person's phone factor shows; for calls about the phone itself.
pub fn rename(act: &mut Act<'_, '_>, user: &User, factor: &Factor, profile: Profile) -> Arc<Factor> {
    let row = Factor { profile, last_updated: act.now(), ..factor.clone() };
    let row = act.state.factors.put(&mut act.tx.changes, row);
    act.log(&FACTOR_UPDATE, vec![Party::user(user), verify::party(&row)]);
    row
}

/// Too many wrong proofs lock an account.
pub(super) fn lock(act: &mut Act<'_, '_>, user: &User) {
    let now = act.now();
    let mut row = user.clone();
    row.become_status(user::Status::LockedOut, now);
    let row = act.state.users.put(&mut act.tx.changes, row);
    act.log_outcome(&ACCOUNT_LOCK, vec![Party::user(&row)], Outcome::failure("LOCKED_OUT"));
}
