//! The schema of what [`super::user_body`] writes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde_json::Value;
use smol_str::SmolStr;

use super::Empty;

/// A person as Okta shows them.
#[derive(JsonSchema)]
#[schemars(rename = "UserBody", rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct UserShape {
    id: SmolStr,
    status: &'static str,
    created: String,
    activated: Option<String>,
    status_changed: Option<String>,
    last_login: Option<String>,
    last_updated: String,
    password_changed: Option<String>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    realm_id: Option<SmolStr>,
    r#type: TypeRef,
    profile: BTreeMap<String, Value>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    credentials: Option<CredentialsBody>,
    #[schemars(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    embedded: Option<Value>,
    #[schemars(rename = "_links")]
    links: BTreeMap<String, LinkBody>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct LinkBody {
    href: String,
    method: Option<&'static str>,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct TypeRef {
    id: SmolStr,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct CredentialsBody {
    #[schemars(skip_serializing_if = "Option::is_none")]
    password: Option<Empty>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    emails: Option<Vec<MailBody>>,
    #[schemars(skip_serializing_if = "Option::is_none")]
    recovery_question: Option<QuestionBody>,
    provider: ProviderBody,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct MailBody {
    value: String,
    status: &'static str,
    r#type: &'static str,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct QuestionBody {
    question: SmolStr,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct ProviderBody {
    r#type: SmolStr,
    name: SmolStr,
}
