//! Passwords and recovery answers: what is kept of them, and what a policy wants of them.
//!
//! Only hashes are kept. See developer.okta.com/docs/api/openapi/okta-management/management/tag/UserCred/ for the
//! operations, and .../tag/Policy/ for the settings of password policies.

use std::time::Duration;

use dtu_kernel::{
    table::{Changes, Table},
    time::Timestamp,
};
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    State,
    imported::Imported,
    profile::{Attribute, Profile},
    user::User,
};
use crate::policy::Password as Rules;

/// How a person's password is known.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kept {
    /// There is none.
    #[default]
    None,
    /// By a hash of Okta's own.
    Own(#[serde(skip)] SmolStr),
    /// By a hash that another system made.
    Imported(#[serde(skip)] Box<Imported>),
    /// Not at all: a hook is asked at the first sign-in.
    Hook,
}

/// A password that a caller sets.
#[derive(Clone, Debug)]
pub enum NewPassword {
    /// Its text.
    Text(String),
    /// What another system knows of it.
    Imported(Box<Imported>),
    /// Only a hook knows.
    Hook,
}

/// What is kept of a person's credentials beside the account.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Credential {
    /// The password.
    pub kept: Kept,
    /// Earlier passwords, the latest last.
    #[serde(skip)]
    pub history: Vec<SmolStr>,
    /// The answer to the recovery question.
    #[serde(skip)]
    pub answer: SmolStr,
    /// How often in a row a wrong password was given.
    pub failures: u32,
    /// When the account was locked.
    pub locked: Option<Timestamp>,
}

/// The most earlier passwords that a policy can ask for.
const HISTORY_MAX: usize = 30;

/// Credentials by person. Whoever has no row here and has a password has the world's.
#[derive(Clone, Debug)]
pub struct Passwords(Table<SmolStr, Credential>);

/// The table's name.
pub const TABLE: &str = "passwords";

impl Default for Passwords {
    fn default() -> Self {
        Self(Table::new(TABLE))
    }
}

/// What a password turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The right one.
    Right,
    /// Another one.
    Wrong,
    /// Only the org's password import hook can say.
    Hook,
}

/// The hash of a secret of one person.
fn digest(user: &SmolStr, secret: &str) -> SmolStr {
    let mut hasher = blake3::Hasher::new();
    hasher.update(user.as_bytes());
    hasher.update(&[0]);
    hasher.update(secret.as_bytes());
    hasher.finalize().to_hex().as_str().into()
}

/// Answers are compared without regard to case.
fn answer_digest(user: &SmolStr, answer: &str) -> SmolStr {
    digest(user, &answer.trim().to_lowercase())
}

impl Passwords {
    /// What is kept of a person's credentials.
    pub fn of(&self, user: &SmolStr) -> Credential {
        self.0.get(user).map(|row| Credential::clone(row)).unwrap_or_default()
    }

    /// Whether there is a row.
    pub fn has(&self, user: &SmolStr) -> bool {
        self.0.contains(user)
    }

    /// Writes a row.
    pub fn put(&mut self, changes: &mut Changes, user: &SmolStr, row: Credential) {
        self.0.put(changes, user.clone(), row);
    }

    /// Changes a person's row.
    pub fn edit(&mut self, changes: &mut Changes, user: &SmolStr, edit: impl FnOnce(&mut Credential)) {
        let mut row = self.of(user);
        edit(&mut row);
        self.put(changes, user, row);
    }

    /// Sets a password.
    pub fn set(&mut self, changes: &mut Changes, user: &SmolStr, password: &NewPassword) {
        self.edit(changes, user, |row| {
            let new = match password {
                NewPassword::Text(text) => Kept::Own(digest(user, text)),
                NewPassword::Imported(imported) => Kept::Imported(imported.clone()),
                NewPassword::Hook => Kept::Hook,
            };
            if let Kept::Own(old) = std::mem::replace(&mut row.kept, new) {
                row.history.push(old);
                let surplus = row.history.len().saturating_sub(HISTORY_MAX);
                row.history.drain(..surplus);
            }
            (row.failures, row.locked) = (0, None);
        });
    }

    /// Sets the answer to the recovery question.
    pub fn set_answer(&mut self, changes: &mut Changes, user: &SmolStr, answer: &str) {
        self.edit(changes, user, |row| row.answer = answer_digest(user, answer));
    }

    /// Whether this is the answer to a person's recovery question.
    pub fn answers(&self, user: &SmolStr, answer: &str) -> bool {
        let kept = self.of(user).answer;
        !kept.is_empty() && kept == answer_digest(user, answer)
    }

    /// Forgets a person.
    pub fn remove(&mut self, changes: &mut Changes, user: &SmolStr) {
        if self.has(user) {
            self.0.remove(changes, user);
        }
    }
}

/// Whether a password is a person's.
pub fn check(state: &State, user: &User, password: &str) -> Verdict {
    if !user.has_password || password.is_empty() {
        return Verdict::Wrong;
    }
    let right = match state.passwords.of(&user.id).kept {
        Kept::None => state.sign_on.password.as_deref() == Some(password),
        Kept::Own(kept) => kept == digest(&user.id, password),
        Kept::Imported(imported) => imported.fits(password),
        Kept::Hook => return Verdict::Hook,
    };
    if right { Verdict::Right } else { Verdict::Wrong }
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// A whole number as a factor of a span: ages beyond four thousand million of anything are no limits.
fn times(unit: Duration, count: u64) -> Duration {
    unit * u32::try_from(count).unwrap_or(u32::MAX)
}

impl Rules {
    /// What is wrong with a password by its form, in the words of Okta's answers; none where nothing is.
    pub fn problem(&self, profile: &Profile, password: &str) -> Option<String> {
        let count = |fits: fn(char) -> bool| password.chars().filter(|c| fits(*c)).count() as u64;
        let strong = password.chars().count() as u64 >= self.min_length
            && count(char::is_lowercase) >= self.min_lower
            && count(char::is_uppercase) >= self.min_upper
            && count(|c| c.is_ascii_digit()) >= self.min_number
            && count(|c| !c.is_alphanumeric()) >= self.min_symbol
            && !self.names(profile, password);
        (!strong).then(|| {
            format!("Password requirements were not met. Password requirements: {}.", self.requirements().join(", "))
        })
    }

    /// Whether the password has something of the person in it that must not be there.
    fn names(&self, profile: &Profile, password: &str) -> bool {
        let lower = password.to_lowercase();
        let login = profile.get(Attribute::LOGIN).to_lowercase();
        let name = login.split('@').next().unwrap_or_default();
        let mut parts = name.split(['.', '-', '_', ',', '#']).filter(|part| part.len() >= 4);
        let named = self.exclude_username && parts.any(|part| lower.contains(part));
        let mut values = self.exclude_attributes.iter().filter_map(|name| Attribute::find(name));
        named
            || values.any(|attribute| {
                let value = profile.get(attribute).to_lowercase();
                value.len() >= 3 && lower.contains(&value)
            })
    }

    fn requirements(&self) -> Vec<String> {
        let some = |wanted: u64, what: &str| (wanted > 0).then(|| what.to_owned());
        let attributes = self.exclude_attributes.iter().map(|name| match name.as_str() {
            "firstName" => "does not include your first name".to_owned(),
            "lastName" => "does not include your last name".to_owned(),
            other => format!("does not include your {other}"),
        });
        let kinds = [
            some(self.min_length, &format!("at least {} characters", self.min_length)),
            some(self.min_lower, "a lowercase letter"),
            some(self.min_upper, "an uppercase letter"),
            some(self.min_number, "a number"),
            some(self.min_symbol, "a symbol"),
            some(u64::from(self.exclude_username), "no parts of your username"),
        ];
        kinds.into_iter().flatten().chain(attributes).collect()
    }

    /// What is wrong with a password as the next one of a person, as far as that is about earlier ones.
    pub fn repeats(&self, state: &State, user: &User, password: &str) -> Option<String> {
        let row = state.passwords.of(&user.id);
        let new = digest(&user.id, password);
        let current = match &row.kept {
            Kept::Own(kept) => *kept == new,
            _ => check(state, user, password) == Verdict::Right,
        };
        let earlier = usize::try_from(self.history_count).unwrap_or(HISTORY_MAX);
        let used = current || row.history.iter().rev().take(earlier.saturating_sub(1)).any(|old| *old == new);
        (self.history_count > 0 && used).then(|| {
            let last = self.history_count;
            format!("Password requirements were not met. Your password cannot be any of your last {last} passwords.")
        })
    }

    /// Whether a person changed the password so lately that it cannot be changed again.
    pub fn too_young(&self, user: &User, now: Timestamp) -> bool {
        let span = times(MINUTE, self.min_age_minutes);
        self.min_age_minutes > 0 && user.password_changed.is_some_and(|at| now < at.after(span))
    }

    /// When a person's password expires; none where it does not.
    pub fn expires(&self, user: &User) -> Option<Timestamp> {
        let from = user.password_changed.filter(|_| self.max_age_days > 0)?;
        Some(from.after(times(DAY, self.max_age_days)))
    }

    /// Whether a person's password has expired by its age.
    pub fn expired(&self, user: &User, now: Timestamp) -> bool {
        self.expires(user).is_some_and(|end| end <= now)
    }

    /// The days until a person's password expires, where that is so soon that they are to be warned.
    pub fn warning(&self, user: &User, now: Timestamp) -> Option<u64> {
        let left = self.expires(user)?.since(now);
        let due = self.expire_warn_days > 0 && left <= times(DAY, self.expire_warn_days);
        due.then(|| left.as_secs().div_ceil(DAY.as_secs()))
    }

    /// When an account that is locked now unlocks itself; none where it does not.
    pub fn unlocks(&self, now: Timestamp) -> Option<Timestamp> {
        (self.auto_unlock_minutes > 0).then(|| now.after(times(MINUTE, self.auto_unlock_minutes)))
    }

    /// For how long a recovery token is good.
    pub fn token_life(&self) -> Duration {
        times(MINUTE, self.recovery_token_minutes.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual() -> Rules {
        Rules {
            policy: SmolStr::default(),
            min_length: 8,
            min_lower: 1,
            min_upper: 1,
            min_number: 1,
            min_symbol: 0,
            exclude_username: true,
            exclude_attributes: Vec::new(),
            exclude_common: false,
            max_age_days: 0,
            expire_warn_days: 0,
            min_age_minutes: 0,
            history_count: 4,
            max_attempts: 10,
            auto_unlock_minutes: 0,
            show_lockout_failures: false,
            min_answer_length: 4,
            recovery_token_minutes: 60,
        }
    }

    fn profile() -> Profile {
        let mut profile = Profile::default();
        profile.set(Attribute::LOGIN, "lena.fischer@acme.example");
        profile.set(Attribute::FIRST_NAME, "Lena");
        profile
    }

    #[test]
    fn passwords_are_as_strong_as_the_rules_want() {
        let strict = Rules { min_symbol: 1, exclude_attributes: vec!["firstName".into()], ..usual() };
        let check = |rules: &Rules, password: &str, wanted: bool| {
            assert_eq!(rules.problem(&profile(), password).is_none(), wanted, "{password}");
        };
        let plain = usual();
        check(&plain, "Abcdefg1", true);
        check(&plain, "Abcdef1", false);
        check(&plain, "abcdefg1", false);
        check(&plain, "ABCDEFG1", false);
        check(&plain, "Abcdefgh", false);
        check(&plain, "xFischer1", false);
        check(&plain, "xLena1234", false);
        check(&strict, "Abcdefg1", false);
        check(&strict, "Abcdefg1!", true);
        check(&Rules { exclude_username: false, ..strict }, "xLena1234!", false);
        check(&Rules { exclude_username: false, ..plain }, "xFischer1", true);
    }

    #[test]
    fn requirements_are_told_in_words() {
        let rules = Rules { min_symbol: 1, exclude_attributes: vec!["lastName".into()], ..usual() };
        let wanted = "Password requirements were not met. Password requirements: at least 8 characters, a lowercase \
                      letter, an uppercase letter, a number, a symbol, no parts of your username, does not include \
                      your last name.";
        assert_eq!(rules.problem(&profile(), "x").as_deref(), Some(wanted));
    }
}
