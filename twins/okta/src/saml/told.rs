//! What an assertion says of a person, and the same as inline hooks see and change it.
//!
//! See developer.okta.com/docs/reference/saml-hook/ for the form that hooks see.

use serde_json::{Map, Value, json};

use super::message::{Attribute, AttributeValue};

/// What an assertion says of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// What the person is called.
    pub(crate) name: String,
    /// The format of that.
    pub(crate) name_format: String,
    /// How the person is confirmed.
    pub(crate) method: String,
    /// Who must present the assertion.
    pub(crate) recipient: String,
    /// The session.
    pub(crate) session: String,
    /// How the person is said to have signed in.
    pub(crate) context: String,
    /// Whom the assertion is meant for.
    pub(crate) audiences: Vec<String>,
    /// What else is said of the person.
    pub(crate) attributes: Vec<Attribute>,
    /// How long the assertion is good, in seconds.
    pub(crate) life: u64,
}

impl Told {
    /// As hooks see it.
    pub(crate) fn to_json(&self) -> Value {
        let claims: Map<String, Value> = self.attributes.iter().map(|one| (one.name.clone(), claim(one))).collect();
        json!({
            "subject": {
                "nameId": self.name,
                "nameFormat": self.name_format,
                "confirmation": { "method": self.method, "data": { "recipient": self.recipient } },
            },
            "authentication": {
                "sessionIndex": self.session,
                "authnContext": { "authnContextClassRef": self.context },
            },
            "conditions": { "audienceRestriction": self.audiences },
            "claims": claims,
            "lifetime": { "expiration": self.life },
        })
    }

    /// What hooks have made of it.
    ///
    /// # Errors
    /// The part that is no part of an assertion.
    pub(crate) fn from_json(value: &Value) -> Result<Self, String> {
        let text = |path: &str| value.pointer(path).and_then(scalar).ok_or_else(|| bad(path));
        let audiences = value.pointer("/conditions/audienceRestriction").and_then(Value::as_array);
        let audiences: Option<Vec<String>> = audiences.and_then(|all| all.iter().map(scalar).collect());
        let claims = value["claims"].as_object().ok_or_else(|| bad("/claims"))?;
        Ok(Self {
            name: text("/subject/nameId")?,
            name_format: text("/subject/nameFormat")?,
            method: text("/subject/confirmation/method")?,
            recipient: text("/subject/confirmation/data/recipient")?,
            session: text("/authentication/sessionIndex")?,
            context: text("/authentication/authnContext/authnContextClassRef")?,
            audiences: audiences.filter(|all| !all.is_empty()).ok_or_else(|| bad("/conditions/audienceRestriction"))?,
            attributes: claims.iter().map(|(name, claim)| attribute(name, claim)).collect::<Result<_, _>>()?,
            life: value.pointer("/lifetime/expiration").and_then(Value::as_u64).ok_or_else(|| bad("/lifetime"))?,
        })
    }
}

fn bad(path: &str) -> String {
    format!("The value at '{path}' is invalid")
}

/// Texts, and numbers and truths as texts.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn claim(attribute: &Attribute) -> Value {
    let values = attribute.values.iter();
    let values: Vec<Value> =
        values.map(|value| json!({ "attributes": { "xsi:type": value.kind }, "value": value.text })).collect();
    json!({ "attributes": { "NameFormat": attribute.format }, "attributeValues": values })
}

fn attribute(name: &str, claim: &Value) -> Result<Attribute, String> {
    let bad = || bad(&format!("/claims/{name}"));
    // The reference's own example of a replacement nests the attributes once more.
    let format = claim.pointer("/attributes/NameFormat").or_else(|| claim.pointer("/attributes/attributes/NameFormat"));
    let format = format.map_or(Some(super::attributes::FORMAT), Value::as_str).ok_or_else(bad)?.to_owned();
    let values = claim["attributeValues"].as_array().ok_or_else(bad)?;
    let values: Option<Vec<AttributeValue>> = values.iter().map(attribute_value).collect();
    Ok(Attribute { name: name.to_owned(), format, values: values.ok_or_else(bad)? })
}

/// A value: its type is one of XML Schema's own, whose prefix is all that assertions declare.
fn attribute_value(value: &Value) -> Option<AttributeValue> {
    let kind = value.pointer("/attributes/xsi:type").map_or(Some(AttributeValue::TEXT), Value::as_str)?;
    let is_plain = kind.strip_prefix("xs:").is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphanumeric()));
    is_plain.then(|| Some(AttributeValue { kind: kind.to_owned(), text: scalar(&value["value"])? })).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Told {
        let value = |text: &str| AttributeValue { kind: "xs:string".to_owned(), text: text.to_owned() };
        Told {
            name: "ann".to_owned(),
            name_format: "f".to_owned(),
            method: "m".to_owned(),
            recipient: "r".to_owned(),
            session: "s".to_owned(),
            context: "c".to_owned(),
            audiences: vec!["a".to_owned()],
            attributes: vec![Attribute {
                name: "http://x/y".to_owned(),
                format: "basic".to_owned(),
                values: vec![value("1"), value("2")],
            }],
            life: 300,
        }
    }

    #[test]
    fn what_hooks_leave_alone_stays() {
        assert_eq!(Told::from_json(&told().to_json()), Ok(told()));
    }

    #[test]
    fn what_is_no_part_of_an_assertion_is_named() {
        let check = |path: &str, value: Value, wanted: &str| {
            let mut seen = told().to_json();
            *seen.pointer_mut(path).expect("is there") = value;
            let wanted = format!("The value at '{wanted}' is invalid");
            assert_eq!(Told::from_json(&seen).map(drop), Err(wanted), "{path}");
        };
        check("/subject/nameId", json!({}), "/subject/nameId");
        check("/authentication/authnContext", json!("x"), "/authentication/authnContext/authnContextClassRef");
        check("/conditions/audienceRestriction", json!([]), "/conditions/audienceRestriction");
        check("/claims", json!([]), "/claims");
        check("/claims/http:~1~1x~1y", json!({}), "/claims/http://x/y");
        check("/claims/http:~1~1x~1y/attributeValues/0/value", json!([]), "/claims/http://x/y");
        check("/claims/http:~1~1x~1y/attributeValues/0/attributes", json!({ "xsi:type": "x y" }), "/claims/http://x/y");
        check("/lifetime/expiration", json!(-1), "/lifetime");
    }
}
