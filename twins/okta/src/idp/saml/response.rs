//! What a provider's response says of somebody, once it is believed (SAML 2.0's profiles, section 4.1.4.3).

use std::time::Duration;

use dtu_kernel::time::Timestamp;
use serde_json::{Value, json};
use smol_str::SmolStr;

use crate::{
    policy::Members,
    saml::{
        signature::{self, Flaw, Trust},
        tree::Element,
        xml::{SAML2, SAML2P},
    },
};

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// What a response must fit.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    /// The provider's own name.
    pub(super) issuer: &'a str,
    /// Whom the assertion is for.
    pub(super) audience: &'a str,
    /// The path that it is posted to.
    pub(super) path: &'a str,
    /// The request that it answers; none where nobody asked.
    pub(super) request: Option<&'a str>,
    /// What must be signed: `RESPONSE`, `TOKEN` or `ANY` of the two.
    pub(super) scope: &'a str,
    /// By whom.
    pub(super) trust: Trust,
    /// How far the provider's clock may be off.
    pub(super) skew: Duration,
    /// Now.
    pub(super) now: Timestamp,
}

/// An assertion that is believed.
#[derive(Clone, Debug)]
pub(super) struct Assertion {
    /// Its id.
    pub(super) id: SmolStr,
    /// Until when it may be used.
    pub(super) ends: Timestamp,
    /// The person's name with the provider.
    pub(super) name: SmolStr,
    /// What kind of name that is.
    pub(super) name_format: String,
    /// All that is said of the person.
    pub(super) profile: Members,
}

/// Reads a response.
///
/// # Errors
/// In words: why it is not believed.
pub(super) fn read(xml: &str, wanted: &Wanted<'_>) -> Result<Assertion, &'static str> {
    let response = Element::read(xml)?;
    if !response.is(SAML2P.1, "Response") {
        return Err("it is no response of SAML 2.0");
    }
    let status = response.child(SAML2P.1, "Status").and_then(|status| status.child(SAML2P.1, "StatusCode"));
    if status.and_then(|code| code.get("Value")) != Some(SUCCESS) {
        return Err("the identity provider has not signed the user in");
    }
    if response.children().any(|child| child.is(SAML2.1, "EncryptedAssertion")) {
        return Err("encrypted assertions are not supported");
    }
    let mut all = response.all(SAML2.1, "Assertion");
    let assertion = all.next().filter(|_| all.next().is_none()).ok_or("it has not one assertion")?;
    check_signatures(&response, assertion, wanted)?;
    check_address(&response, wanted)?;
    if assertion.child(SAML2.1, "Issuer").map(Element::text).as_deref() != Some(wanted.issuer) {
        return Err("its issuer is another one");
    }
    let ends = check_times(assertion, wanted)?;
    check_audience(assertion, wanted.audience)?;
    told(assertion, wanted, ends)
}

fn check_signatures(response: &Element, assertion: &Element, wanted: &Wanted<'_>) -> Result<(), &'static str> {
    let whole = is_signed(response, response, &wanted.trust)?;
    let token = is_signed(response, assertion, &wanted.trust)?;
    let enough = match wanted.scope {
        "RESPONSE" => whole,
        "TOKEN" => token,
        _ => whole || token,
    };
    if enough { Ok(()) } else { Err("it is not signed") }
}

/// Whether a part of a response has a signature, which is good where there is one.
fn is_signed(response: &Element, part: &Element, trust: &Trust) -> Result<bool, &'static str> {
    match signature::check(response, part, trust) {
        Ok(()) => Ok(true),
        Err(Flaw::Unsigned) => Ok(false),
        Err(Flaw::Unsupported) => Err("its signature is made in a way that is not supported"),
        Err(Flaw::Weak) => Err("its signature is weaker than the provider's settings want"),
        Err(Flaw::Invalid(why)) => Err(why),
    }
}

/// Front servers change hosts: only the path says where a response was meant to go.
fn check_address(response: &Element, wanted: &Wanted<'_>) -> Result<(), &'static str> {
    if response.get("Destination").is_some_and(|to| !to.is_empty() && !to.ends_with(wanted.path)) {
        return Err("its destination is another one");
    }
    match (response.get("InResponseTo"), wanted.request) {
        (Some(said), Some(request)) if said != request => Err("it answers another request"),
        (Some(_), None) => Err("it answers a request that nobody made"),
        (None, Some(_)) => Err("it answers no request"),
        _ => Ok(()),
    }
}

fn moment(element: &Element, name: &str) -> Result<Option<Timestamp>, &'static str> {
    element.get(name).map(Timestamp::parse).transpose().map_err(|_| "it has a time that is none")
}

/// When the assertion ends, where that is still to come.
fn check_times(assertion: &Element, wanted: &Wanted<'_>) -> Result<Timestamp, &'static str> {
    let conditions = assertion.child(SAML2.1, "Conditions").ok_or("it has no conditions")?;
    if moment(conditions, "NotBefore")?.is_some_and(|from| wanted.now.after(wanted.skew) < from) {
        return Err("it is not good yet");
    }
    let ends = moment(conditions, "NotOnOrAfter")?.ok_or("it never ends")?.after(wanted.skew);
    if ends <= wanted.now { Err("it has expired") } else { Ok(ends) }
}

fn check_audience(assertion: &Element, audience: &str) -> Result<(), &'static str> {
    let conditions = assertion.child(SAML2.1, "Conditions").into_iter();
    let lists: Vec<&Element> = conditions.flat_map(|one| one.all(SAML2.1, "AudienceRestriction")).collect();
    let names = |list: &&Element| list.all(SAML2.1, "Audience").any(|one| one.text() == audience);
    if !lists.is_empty() && lists.iter().all(names) { Ok(()) } else { Err("its audience is another one") }
}

fn told(assertion: &Element, wanted: &Wanted<'_>, ends: Timestamp) -> Result<Assertion, &'static str> {
    let subject = assertion.child(SAML2.1, "Subject").ok_or("it is of nobody")?;
    let name = subject.child(SAML2.1, "NameID").ok_or("it is of nobody")?;
    let mut confirmed = subject.all(SAML2.1, "SubjectConfirmation").filter(|one| one.get("Method") == Some(BEARER));
    if !confirmed.any(|one| confirms(one, wanted)) {
        return Err("its subject is not confirmed for this address and time");
    }
    let text = name.text();
    if text.is_empty() {
        return Err("it is of nobody");
    }
    let format = name.get("Format").unwrap_or(crate::saml::UNSPECIFIED).to_owned();
    let mut profile = Members::new();
    let said = [
        ("subjectNameId", Some(text.clone())),
        ("subjectNameFormat", Some(format.clone())),
        ("subjectNameQualifier", name.get("NameQualifier").map(str::to_owned)),
        ("subjectSpNameQualifier", name.get("SPNameQualifier").map(str::to_owned)),
        ("subjectSpProvidedId", name.get("SPProvidedID").map(str::to_owned)),
        ("subjectConfirmationMethod", Some(BEARER.to_owned())),
        ("authnContextClassRef", class(assertion)),
    ];
    profile.extend(said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))));
    profile.extend(attributes(assertion));
    let id = SmolStr::new(assertion.get("ID").unwrap_or_default());
    Ok(Assertion { id, ends, name: text.into(), name_format: format, profile })
}

fn confirms(confirmation: &Element, wanted: &Wanted<'_>) -> bool {
    let Some(data) = confirmation.child(SAML2.1, "SubjectConfirmationData") else { return false };
    let here = data.get("Recipient").is_some_and(|to| to.ends_with(wanted.path));
    let ends = moment(data, "NotOnOrAfter").ok().flatten().map(|ends| ends.after(wanted.skew));
    here && ends.is_some_and(|ends| wanted.now < ends)
        && data.get("InResponseTo").is_none_or(|said| Some(said) == wanted.request)
}

fn class(assertion: &Element) -> Option<String> {
    let context = assertion.child(SAML2.1, "AuthnStatement")?.child(SAML2.1, "AuthnContext")?;
    context.child(SAML2.1, "AuthnContextClassRef").map(Element::text)
}

/// What the attributes say, by their names: one text, or a list of them.
fn attributes(assertion: &Element) -> Members {
    let statements = assertion.all(SAML2.1, "AttributeStatement");
    let all = statements.flat_map(|statement| statement.all(SAML2.1, "Attribute"));
    all.filter_map(|attribute| {
        let mut values: Vec<Value> =
            attribute.all(SAML2.1, "AttributeValue").map(|value| json!(value.text())).collect();
        let value = if values.len() > 1 { Value::Array(values) } else { values.pop()? };
        Some((attribute.get("Name")?.to_owned(), value))
    })
    .collect()
}
