//! The answer to a service provider: a response with an assertion in it.
//!
//! See SAML 2.0's core, sections 2 and 3, and the web browser profile, section 4.1.4.2 of its profiles.

use std::time::Duration;

use dtu_kernel::{seed::Draw, time::Timestamp};

use super::{
    settings::Settings,
    sign::Signer,
    told::Told,
    xml::{Element, SAML2, SAML2P, XS, XSI},
};

/// How far the clock of whoever reads an assertion may be off, and how long assertions are good where nobody says.
pub(crate) const LEEWAY: Duration = Duration::from_secs(300);

/// A statement about a person, with the values of its attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    /// Its name.
    pub(crate) name: String,
    /// The format of the name.
    pub(crate) format: String,
    /// The values.
    pub(crate) values: Vec<AttributeValue>,
}

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AttributeValue {
    /// Its type, one of XML Schema's: `xs:string`.
    pub(crate) kind: String,
    /// As text.
    pub(crate) text: String,
}

impl AttributeValue {
    /// The type of texts.
    pub(crate) const TEXT: &'static str = "xs:string";

    /// A text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { kind: Self::TEXT.to_owned(), text: text.into() }
    }
}

/// All that an answer says.
#[derive(Clone, Debug)]
pub(crate) struct Said<'a> {
    /// How the app wants it.
    pub(crate) settings: &'a Settings<'a>,
    /// Where it is posted to.
    pub(crate) acs: &'a str,
    /// The request's id; none where nobody asked.
    pub(crate) in_response_to: Option<&'a str>,
    /// What is said of the person; nothing where nobody is signed in.
    pub(crate) told: Option<&'a Told>,
    /// When the person signed in.
    pub(crate) signed_in: Timestamp,
    /// Now.
    pub(crate) now: Timestamp,
    /// The ids of the response and of the assertion.
    pub(crate) ids: [String; 2],
}

/// Who speaks: the first part of what is signed.
fn issuer(settings: &Settings<'_>) -> Element {
    Element::new("saml2:Issuer")
        .with("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:entity")
        .saying(settings.issuer.as_str())
}

/// A response with a status, and what it holds behind that.
fn response(said: &Said<'_>, status: Element, body: Option<Element>) -> Element {
    Element::new("saml2p:Response")
        .declaring(SAML2P)
        .with("Destination", said.settings.destination.unwrap_or(said.acs))
        .with("ID", said.ids[0].as_str())
        .with_some("InResponseTo", said.in_response_to)
        .with("IssueInstant", said.now.iso_millis())
        .with("Version", "2.0")
        .holding(issuer(said.settings).declaring(SAML2))
        .holding(Element::new("saml2p:Status").holding(status))
        .holding_all(body)
}

/// The answer to a request to sign somebody out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoggedOut<'a> {
    /// How the app wants it.
    pub(crate) settings: &'a Settings<'a>,
    /// Where it is posted to.
    pub(crate) address: &'a str,
    /// The request's id.
    pub(crate) in_response_to: &'a str,
    /// Now.
    pub(crate) now: Timestamp,
    /// Whether the one who is signed out is the one who was meant; else nobody is.
    pub(crate) meant: bool,
}

impl LoggedOut<'_> {
    /// The answer, which is always signed.
    pub(crate) fn signed(&self, id: &str, signer: &Signer<'_>) -> String {
        let status = if self.meant { code("Success") } else { code("Requester").holding(code("UnknownPrincipal")) };
        let response = Element::new("saml2p:LogoutResponse")
            .declaring(SAML2P)
            .with("Destination", self.address)
            .with("ID", id)
            .with("InResponseTo", self.in_response_to)
            .with("IssueInstant", self.now.iso_millis())
            .with("Version", "2.0")
            .holding(issuer(self.settings).declaring(SAML2))
            .holding(Element::new("saml2p:Status").holding(status));
        signer.sign(response, id).document()
    }
}

fn code(value: &str) -> Element {
    Element::new("saml2p:StatusCode").with("Value", format!("urn:oasis:names:tc:SAML:2.0:status:{value}"))
}

impl Said<'_> {
    /// The response, signed as the app wants it, its assertion encrypted where the app wants that: what is signed is
    /// signed before.
    pub(crate) fn success(&self, signer: &Signer<'_>, draw: Draw) -> String {
        let sign = |assertion| {
            if self.settings.assertion_signed { signer.sign(assertion, &self.ids[1]) } else { assertion }
        };
        let assertion = self.told.map(|told| sign(self.assertion(told)));
        let assertion = match &self.settings.envelope {
            Some(envelope) => assertion.map(|assertion| envelope.seal(&assertion, draw)),
            None => assertion,
        };
        let mut response = response(self, code("Success"), assertion);
        if self.settings.response_signed {
            response = signer.sign(response, &self.ids[0]);
        }
        response.document()
    }

    /// A response that says that nobody is signed in, and that nobody may be asked to.
    pub(crate) fn no_passive(&self, signer: &Signer<'_>) -> String {
        let response = response(self, code("Responder").holding(code("NoPassive")), None);
        let signs = self.settings.response_signed;
        if signs { signer.sign(response, &self.ids[0]).document() } else { response.document() }
    }

    fn assertion(&self, told: &Told) -> Element {
        let assertion = Element::new("saml2:Assertion")
            .declaring(SAML2)
            .declaring(XS)
            .with("ID", self.ids[1].as_str())
            .with("IssueInstant", self.now.iso_millis())
            .with("Version", "2.0")
            .holding(issuer(self.settings))
            .holding(self.subject(told))
            .holding(self.conditions(told))
            .holding(self.authentication(told));
        if told.attributes.is_empty() {
            return assertion;
        }
        assertion.holding(Element::new("saml2:AttributeStatement").holding_all(told.attributes.iter().map(attribute)))
    }

    fn subject(&self, told: &Told) -> Element {
        let name = Element::new("saml2:NameID").with("Format", told.name_format.as_str()).saying(told.name.as_str());
        let data = Element::new("saml2:SubjectConfirmationData")
            .with_some("InResponseTo", self.in_response_to)
            .with("NotOnOrAfter", self.end(told))
            .with("Recipient", told.recipient.as_str());
        let confirmation = Element::new("saml2:SubjectConfirmation").with("Method", told.method.as_str()).holding(data);
        Element::new("saml2:Subject").holding(name).holding(confirmation)
    }

    fn end(&self, told: &Told) -> String {
        self.now.after(Duration::from_secs(told.life)).iso_millis()
    }

    fn conditions(&self, told: &Told) -> Element {
        let audience = |one: &String| Element::new("saml2:Audience").saying(one.as_str());
        Element::new("saml2:Conditions")
            .with("NotBefore", self.now.before(LEEWAY).iso_millis())
            .with("NotOnOrAfter", self.end(told))
            .holding(Element::new("saml2:AudienceRestriction").holding_all(told.audiences.iter().map(audience)))
    }

    fn authentication(&self, told: &Told) -> Element {
        let class = Element::new("saml2:AuthnContextClassRef").saying(told.context.as_str());
        let end = self.settings.session_secs.map(|secs| self.now.after(Duration::from_secs(secs)).iso_millis());
        Element::new("saml2:AuthnStatement")
            .with("AuthnInstant", self.signed_in.iso_millis())
            .with("SessionIndex", told.session.as_str())
            .with_some("SessionNotOnOrAfter", end.as_deref())
            .holding(Element::new("saml2:AuthnContext").holding(class))
    }
}

fn attribute(attribute: &Attribute) -> Element {
    let value = |value: &AttributeValue| {
        Element::new("saml2:AttributeValue")
            .declaring(XSI)
            .with("xsi:type", value.kind.as_str())
            .saying(value.text.as_str())
    };
    Element::new("saml2:Attribute")
        .with("Name", attribute.name.as_str())
        .with("NameFormat", attribute.format.as_str())
        .holding_all(attribute.values.iter().map(value))
}
