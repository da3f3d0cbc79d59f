//! Credentials in the bodies of requests and answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smol_str::SmolStr;

use super::Empty;
use crate::{
    error::Error,
    input::object,
    model::{
        accounts::Credentials,
        imported::{Algorithm, Imported, Salted},
        password::NewPassword,
        user::{Provider, User},
    },
};

/// Credentials as they are sent.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CredentialsInput {
    #[serde(default, deserialize_with = "object")]
    pub(super) password: Option<PasswordInput>,
    #[serde(default, deserialize_with = "object")]
    pub(super) recovery_question: Option<QuestionInput>,
    #[serde(default, deserialize_with = "object")]
    pub(super) provider: Option<ProviderInput>,
    #[serde(default, rename = "emails")]
    _emails: Option<Value>,
}

/// A password as it is sent: its text, what another system made of it, or that a hook knows it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordInput {
    #[serde(default)]
    pub(super) value: Option<String>,
    #[serde(default, deserialize_with = "object")]
    hash: Option<HashInput>,
    #[serde(default, deserialize_with = "object")]
    hook: Option<HookInput>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HashInput {
    #[serde(default)]
    algorithm: Option<String>,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    salt: Option<String>,
    #[serde(default)]
    salt_order: Option<String>,
    #[serde(default)]
    work_factor: Option<u64>,
    #[serde(default)]
    iteration_count: Option<u64>,
    #[serde(default)]
    key_size: Option<u64>,
    #[serde(default)]
    digest_algorithm: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HookInput {
    #[serde(default)]
    r#type: Option<String>,
}

/// A recovery question as it is sent.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QuestionInput {
    #[serde(default)]
    pub(super) question: Option<String>,
    #[serde(default)]
    pub(super) answer: Option<String>,
}

/// Who vouches for a password, as it is sent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProviderInput {
    r#type: Option<String>,
    name: Option<String>,
}

const PROVIDERS: [&str; 6] = ["OKTA", "FEDERATION", "SOCIAL", "ACTIVE_DIRECTORY", "LDAP", "IMPORT"];

fn invalid(field: &'static str) -> Error {
    Error::fields(&[(field, "The field has an invalid value")])
}

fn algorithm(name: Option<&str>) -> Result<Algorithm, Error> {
    match name {
        Some("BCRYPT") => Ok(Algorithm::Bcrypt),
        Some("MD5") => Ok(Algorithm::Md5),
        Some("SHA-1") => Ok(Algorithm::Sha1),
        Some("SHA-256") => Ok(Algorithm::Sha256),
        Some("SHA-512") => Ok(Algorithm::Sha512),
        Some("PBKDF2") => Ok(Algorithm::Pbkdf2),
        None => Err(Error::fields(&[("algorithm", "The field cannot be left blank")])),
        Some(_) => Err(invalid("algorithm")),
    }
}

impl HashInput {
    fn read(self) -> Result<NewPassword, Error> {
        let algorithm = algorithm(self.algorithm.as_deref())?;
        let order = match self.salt_order.as_deref() {
            None if self.salt.is_some() => Salted::Before,
            None => Salted::Not,
            Some("PREFIX") => Salted::Before,
            Some("POSTFIX") => Salted::After,
            Some(_) => return Err(invalid("saltOrder")),
        };
        let wide = match self.digest_algorithm.as_deref() {
            Some("SHA512_HMAC") => true,
            Some("SHA256_HMAC") => false,
            None if algorithm != Algorithm::Pbkdf2 => false,
            None => return Err(Error::fields(&[("digestAlgorithm", "The field cannot be left blank")])),
            Some(_) => return Err(invalid("digestAlgorithm")),
        };
        let imported = Imported {
            algorithm,
            value: self.value.unwrap_or_default(),
            salt: self.salt.unwrap_or_default(),
            order,
            work: self.work_factor.unwrap_or_default(),
            iterations: self.iteration_count.unwrap_or_default(),
            key_size: self.key_size.unwrap_or_default(),
            wide,
        };
        Ok(NewPassword::Imported(Box::new(imported.checked()?)))
    }
}

impl PasswordInput {
    /// `{}` is what answers show of a password, so it says nothing.
    fn read(self) -> Result<Option<NewPassword>, Error> {
        match self {
            Self { value: Some(_), hash: Some(_), .. } | Self { value: Some(_), hook: Some(_), .. } => {
                Err(Error::invalid("password", "password: Only one of value, hash and hook can be specified"))
            }
            Self { value: Some(value), .. } => Ok(Some(NewPassword::Text(value))),
            Self { hash: Some(_), hook: Some(_), .. } => {
                Err(Error::invalid("password", "password: Only one of value, hash and hook can be specified"))
            }
            Self { hash: Some(hash), .. } => hash.read().map(Some),
            Self { hook: Some(HookInput { r#type: None }), .. } => Ok(Some(NewPassword::Hook)),
            Self { hook: Some(HookInput { r#type: Some(kind) }), .. } if kind == "default" => {
                Ok(Some(NewPassword::Hook))
            }
            Self { hook: Some(_), .. } => Err(invalid("hook")),
            _ => Ok(None),
        }
    }
}

impl CredentialsInput {
    /// What the caller says; `strict` asks for the rules on the password's age and on earlier ones.
    pub(super) fn read(self, strict: bool) -> Result<Credentials, Error> {
        let password = self.password.map_or(Ok(None), PasswordInput::read)?;
        let question = self.recovery_question.unwrap_or_default();
        let provider = self.provider.map(ProviderInput::read).transpose()?;
        let (question, answer) = (question.question.map(SmolStr::from), question.answer);
        Ok(Credentials { password, question, answer, strict, provider })
    }
}

impl ProviderInput {
    fn read(self) -> Result<Provider, Error> {
        let kind = self.r#type.unwrap_or_else(|| "OKTA".to_owned());
        if !PROVIDERS.contains(&kind.as_str()) {
            return Err(invalid("provider"));
        }
        let name = self.name.unwrap_or_else(|| kind.clone());
        Ok(Provider { r#type: kind.into(), name: name.into() })
    }
}

/// Credentials as operations on them show them: without mail addresses.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<Empty>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_question: Option<ShownQuestion>,
    provider: ShownProvider,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ShownQuestion {
    question: SmolStr,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ShownProvider {
    r#type: SmolStr,
    name: SmolStr,
}

impl Shown {
    /// A person's.
    pub(super) fn of(user: &User) -> Self {
        Self {
            password: user.has_password.then_some(Empty {}),
            recovery_question: user.question.clone().map(|question| ShownQuestion { question }),
            provider: ShownProvider { r#type: user.provider.r#type.clone(), name: user.provider.name.clone() },
        }
    }
}
