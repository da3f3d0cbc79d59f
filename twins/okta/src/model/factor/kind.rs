//! The kinds of factors.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/UserFactor/ for the pairs of type and
//! provider; the first characters of ids are those of its examples and of recordings.

use dtu_kernel::ids::IdShape;
use serde::{Serialize, Serializer};

use crate::model::shape;

/// A type of factor from one provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A security question.
    Question,
    /// Codes of Okta Verify.
    Totp,
    /// Codes of an authenticator app.
    GoogleTotp,
    /// Codes by text message.
    Sms,
    /// Codes by voice call.
    Call,
    /// Codes by mail.
    Email,
    /// Prompts of Okta Verify.
    Push,
    /// Okta `FastPass`.
    SignedNonce,
    /// Security keys and biometrics.
    WebAuthn,
    /// Security keys of the older standard.
    U2f,
    /// Codes of a token of the org's own.
    CustomTotp,
    /// RSA `SecurID`.
    Rsa,
    /// Symantec VIP.
    Symantec,
    /// One-time passwords of a `YubiKey`.
    YubiKey,
    /// Duo.
    Duo,
}

/// What is known of a kind.
#[derive(Debug)]
struct Facts {
    factor_type: &'static str,
    provider: &'static str,
    authenticator: (&'static str, &'static str),
    ids: IdShape,
}

const fn facts(
    factor_type: &'static str,
    provider: &'static str,
    authenticator: (&'static str, &'static str),
    prefix: &'static str,
) -> Facts {
    Facts { factor_type, provider, authenticator, ids: shape(prefix, factor_type) }
}

static QUESTION: Facts = facts("question", "OKTA", ("security_question", "Security Question"), "ufs");
static TOTP: Facts = facts("token:software:totp", "OKTA", ("okta_verify", "Okta Verify"), "ost");
static GOOGLE: Facts = facts("token:software:totp", "GOOGLE", ("google_otp", "Google Authenticator"), "uft");
static SMS: Facts = facts("sms", "OKTA", ("phone_number", "Phone"), "mbl");
static CALL: Facts = facts("call", "OKTA", ("phone_number", "Phone"), "clf");
static EMAIL: Facts = facts("email", "OKTA", ("okta_email", "Email"), "emf");
static PUSH: Facts = facts("push", "OKTA", ("okta_verify", "Okta Verify"), "opf");
static SIGNED_NONCE: Facts = facts("signed_nonce", "OKTA", ("okta_verify", "Okta Verify"), "crp");
static WEBAUTHN: Facts = facts("webauthn", "FIDO", ("webauthn", "Security Key or Biometric"), "fwf");
static U2F: Facts = facts("u2f", "FIDO", ("webauthn", "Security Key or Biometric"), "fuf");
static CUSTOM: Facts = facts("token:hotp", "CUSTOM", ("custom_otp", "Custom OTP"), "chf");
static RSA: Facts = facts("token", "RSA", ("rsa_token", "RSA SecurID"), "rsa");
static SYMANTEC: Facts = facts("token", "SYMANTEC", ("symantec_vip", "Symantec VIP"), "ufv");
static YUBIKEY: Facts = facts("token:hardware", "YUBICO", ("yubikey_token", "YubiKey Authenticator"), "ykf");
static DUO: Facts = facts("web", "DUO", ("duo", "Duo Security"), "dsf");

impl Kind {
    /// All, in the order in which Okta offers them.
    pub const ALL: [Self; 15] = [
        Self::Question,
        Self::Totp,
        Self::GoogleTotp,
        Self::Sms,
        Self::Call,
        Self::Rsa,
        Self::Push,
        Self::Symantec,
        Self::Email,
        Self::WebAuthn,
        Self::U2f,
        Self::SignedNonce,
        Self::CustomTotp,
        Self::YubiKey,
        Self::Duo,
    ];

    const fn facts(self) -> &'static Facts {
        match self {
            Self::Question => &QUESTION,
            Self::Totp => &TOTP,
            Self::GoogleTotp => &GOOGLE,
            Self::Sms => &SMS,
            Self::Call => &CALL,
            Self::Email => &EMAIL,
            Self::Push => &PUSH,
            Self::SignedNonce => &SIGNED_NONCE,
            Self::WebAuthn => &WEBAUTHN,
            Self::U2f => &U2F,
            Self::CustomTotp => &CUSTOM,
            Self::Rsa => &RSA,
            Self::Symantec => &SYMANTEC,
            Self::YubiKey => &YUBIKEY,
            Self::Duo => &DUO,
        }
    }

    /// `sms`, `token:software:totp`, ...
    pub const fn factor_type(self) -> &'static str {
        self.facts().factor_type
    }

    /// `OKTA`, `GOOGLE`, ...
    pub const fn provider(self) -> &'static str {
        self.facts().provider
    }

    /// The key of the authenticator that the factor belongs to.
    pub const fn authenticator(self) -> &'static str {
        self.facts().authenticator.0
    }

    /// The name of the authenticator that the factor belongs to.
    pub const fn authenticator_name(self) -> &'static str {
        self.facts().authenticator.1
    }

    /// The shape of its ids.
    pub(super) const fn ids(self) -> &'static IdShape {
        &self.facts().ids
    }

    /// The kind of a type and provider. A type alone names its first provider.
    pub fn find(factor_type: &str, provider: Option<&str>) -> Option<Self> {
        let fits = |kind: &Self| {
            kind.factor_type() == factor_type && provider.is_none_or(|provider| kind.provider() == provider)
        };
        Self::ALL.into_iter().find(fits)
    }

    /// How RFC 8176 names it.
    pub(crate) const fn method(self) -> &'static str {
        match self {
            Self::Question => "kba",
            Self::Sms => "sms",
            Self::Call => "tel",
            Self::Push | Self::SignedNonce => "swk",
            Self::WebAuthn | Self::U2f | Self::YubiKey => "hwk",
            _ => "otp",
        }
    }

    /// Whether Okta sends its codes to the person.
    pub const fn is_sent(self) -> bool {
        matches!(self, Self::Sms | Self::Call | Self::Email)
    }

    /// Whether its codes go to a phone.
    pub const fn is_phone(self) -> bool {
        matches!(self, Self::Sms | Self::Call)
    }

    /// Whether the person proves it by a key in a browser.
    pub const fn is_key(self) -> bool {
        matches!(self, Self::WebAuthn | Self::U2f)
    }

    /// Whether it lives in Okta Verify: those go together.
    pub const fn is_okta_verify(self) -> bool {
        matches!(self, Self::Totp | Self::Push | Self::SignedNonce)
    }

    /// Whether it may be verified only after a challenge was issued.
    pub const fn is_challenged(self) -> bool {
        self.is_sent() || self.is_key() || matches!(self, Self::Push)
    }

    /// Whether an org of the twin has it switched on. The others need a service beside Okta, or are told by an
    /// administrator's console of which there is no API.
    pub const fn is_served(self) -> bool {
        !matches!(self, Self::Rsa | Self::Symantec | Self::YubiKey | Self::Duo | Self::SignedNonce | Self::U2f)
    }

    /// Whether a person may have several of it.
    pub const fn is_many(self) -> bool {
        matches!(self, Self::WebAuthn)
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}/{}", self.factor_type(), self.provider()))
    }
}
