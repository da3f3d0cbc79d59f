//! Registering as somebody new, where the profile enrollment policy lets people.

use dtu_kernel::{operation::Typed, twin::Write};
use serde_json::{Map, Value};

use super::{
    body::{Args, Credentials, Moved, New, Taken, step},
    flow,
    message::Refusal,
    transaction::{Idx, Step},
};
use crate::{
    Okta,
    api::profiles::fill,
    error::Error,
    inline_hooks::registration::Enrollment,
    model::{
        Act,
        accounts::{self, NewUser},
        log::Party,
        profile::{Attribute, Profile},
        sign_in,
        user::{self, User},
    },
};

/// `idxEnroll`: somebody new is to say who they are.
pub fn enroll(cx: &mut Write<'_, '_, Okta>, args: Args<Moved>) -> Result<Typed<Value>, Error> {
    step(cx, args.body.state_handle.as_ref(), &[Step::Identify], |act, idx| {
        if !Enrollment::of(act.state).open {
            return Ok((idx, Some(Refusal::registration_off())));
        }
        Ok((idx.at(Step::Profile, None), None))
    })
}

/// `idxEnrollNew`: the form of somebody new. Only what it asks for may be in it.
pub fn create(cx: &mut Write<'_, '_, Okta>, args: Args<New>) -> Result<Typed<Value>, Error> {
    let sent = args.body.user_profile;
    step(cx, args.body.state_handle.as_ref(), &[Step::Profile], |act, idx| {
        let enrollment = Enrollment::of(act.state);
        if !enrollment.open {
            return Ok((idx, Some(Refusal::registration_off())));
        }
        // Nothing waits for the hook here.
        if enrollment.hook.is_some() {
            return Err(Error::Unsupported);
        }
        let given = |name: &str| sent.get(name).is_some_and(|value| !value.is_null() && *value != "");
        if let Some(field) = enrollment.fields.iter().find(|field| field.required && !given(&field.name)) {
            return Ok((idx, Some(Refusal::blank(&field.name))));
        }
        make(act, idx, &sent, &enrollment)
    })
}

/// Makes the person, who is staged until they have shown that the mail address is theirs and chosen a password.
fn make(act: &mut Act<'_, '_>, mut idx: Idx, sent: &Map<String, Value>, enrollment: &Enrollment) -> Taken {
    let asks = |name: &String| enrollment.fields.iter().any(|field| field.name == *name);
    if let Some(name) = sent.keys().find(|name| !asks(name)) {
        return Err(Error::invalid("userProfile", format!("{name}: The field has an invalid value")));
    }
    let mut profile = Profile::default();
    fill(act.state, &mut profile, sent, "userProfile")?;
    if profile.get(Attribute::LOGIN).is_empty() {
        let mail = profile.get(Attribute::EMAIL).to_owned();
        profile.set(Attribute::LOGIN, &mail);
    }
    if act.state.users.by_login(profile.get(Attribute::LOGIN)).is_some() {
        return Ok((idx, Some(Refusal::taken())));
    }
    let groups = enrollment.groups.iter().filter_map(|id| act.state.groups.get(id).cloned()).collect();
    let new = NewUser {
        realm: None,
        profile,
        credentials: accounts::Credentials::default(),
        groups,
        activate: false,
        federated: false,
        expire: false,
    };
    let user = accounts::create(act, new)?;
    act.by.actor = Party::user(&user);
    idx.sign.user = user.id.clone();
    idx.identifier = user.login().into();
    (idx.registers, idx.mail_proven) = (true, !enrollment.proves_mail);
    flow::go_on(act, idx)
}

/// The code that was sent to the mail address of somebody new.
pub fn mail_proven(act: &Act<'_, '_>, mut idx: Idx, shown: &Credentials) -> (Idx, Option<Refusal>) {
    if !flow::is_mailed(act, &idx, shown.passcode()) {
        return (idx, Some(Refusal::code("passcode")));
    }
    idx.mail_proven = true;
    idx.sign.code = smol_str::SmolStr::default();
    (idx.at(Step::SelectEnroll, None), None)
}

/// The first password of somebody new, who is active by it.
pub fn password(act: &mut Act<'_, '_>, mut idx: Idx, user: &User, shown: &Credentials) -> Taken {
    if shown.passcode().is_empty() {
        return Ok((idx, Some(Refusal::blank("passcode"))));
    }
    if !idx.mail_proven {
        return Err(Error::repeated("E0000079"));
    }
    let user = sign_in::choose(act, user, shown.passcode(), false)?;
    if user.status == user::Status::Staged {
        accounts::advance(act, &user, user::Step::Activate)?;
        crate::model::one_time::forget(act, &user.id);
    }
    idx.sign.proof.give_password(act.now());
    flow::go_on(act, idx)
}
