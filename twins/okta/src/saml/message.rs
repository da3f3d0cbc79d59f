//! The answer to a service provider: a response with an assertion in it.
//!
//! See SAML 2.0's core, sections 2 and 3, and the web browser profile, section 4.1.4.2 of its profiles.

use std::time::Duration;

use dtu_kernel::time::Timestamp;

use super::{
    settings::Settings,
    sign::Signer,
    xml::{Element, SAML2, SAML2P, XS, XSI},
};

/// How far the clock of whoever reads an assertion may be off.
const LEEWAY: Duration = Duration::from_secs(300);

/// A statement about a person, with the values of its attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    /// Its name.
    pub(crate) name: String,
    /// The format of the name.
    pub(crate) format: String,
    /// The values.
    pub(crate) values: Vec<String>,
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
    /// What the person is called.
    pub(crate) name: &'a str,
    /// What else is said of the person.
    pub(crate) attributes: Vec<Attribute>,
    /// When the person signed in.
    pub(crate) signed_in: Timestamp,
    /// Now.
    pub(crate) now: Timestamp,
    /// The ids of the response, of the assertion and of the session.
    pub(crate) ids: [String; 3],
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

fn code(value: &str) -> Element {
    Element::new("saml2p:StatusCode").with("Value", format!("urn:oasis:names:tc:SAML:2.0:status:{value}"))
}

impl Said<'_> {
    /// The response, signed as the app wants it.
    pub(crate) fn success(&self, signer: &Signer<'_>) -> String {
        let mut assertion = self.assertion();
        if self.settings.assertion_signed {
            assertion = signer.sign(assertion, &self.ids[1]);
        }
        let mut response = response(self, code("Success"), Some(assertion));
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

    fn assertion(&self) -> Element {
        let assertion = Element::new("saml2:Assertion")
            .declaring(SAML2)
            .declaring(XS)
            .with("ID", self.ids[1].as_str())
            .with("IssueInstant", self.now.iso_millis())
            .with("Version", "2.0")
            .holding(issuer(self.settings))
            .holding(self.subject())
            .holding(self.conditions())
            .holding(self.authentication());
        if self.attributes.is_empty() {
            return assertion;
        }
        assertion.holding(Element::new("saml2:AttributeStatement").holding_all(self.attributes.iter().map(attribute)))
    }

    fn subject(&self) -> Element {
        let name = Element::new("saml2:NameID").with("Format", self.settings.name_format).saying(self.name);
        let data = Element::new("saml2:SubjectConfirmationData")
            .with_some("InResponseTo", self.in_response_to)
            .with("NotOnOrAfter", self.now.after(LEEWAY).iso_millis())
            .with("Recipient", self.settings.recipient.unwrap_or(self.acs));
        let confirmation = Element::new("saml2:SubjectConfirmation")
            .with("Method", "urn:oasis:names:tc:SAML:2.0:cm:bearer")
            .holding(data);
        Element::new("saml2:Subject").holding(name).holding(confirmation)
    }

    fn conditions(&self) -> Element {
        let audience = Element::new("saml2:Audience").saying(self.settings.audience);
        Element::new("saml2:Conditions")
            .with("NotBefore", self.now.before(LEEWAY).iso_millis())
            .with("NotOnOrAfter", self.now.after(LEEWAY).iso_millis())
            .holding(Element::new("saml2:AudienceRestriction").holding(audience))
    }

    fn authentication(&self) -> Element {
        let class = Element::new("saml2:AuthnContextClassRef").saying(self.settings.context);
        let end = self.settings.session_secs.map(|secs| self.now.after(Duration::from_secs(secs)).iso_millis());
        Element::new("saml2:AuthnStatement")
            .with("AuthnInstant", self.signed_in.iso_millis())
            .with("SessionIndex", self.ids[2].as_str())
            .with_some("SessionNotOnOrAfter", end.as_deref())
            .holding(Element::new("saml2:AuthnContext").holding(class))
    }
}

fn attribute(attribute: &Attribute) -> Element {
    let value =
        |text: &String| Element::new("saml2:AttributeValue").declaring(XSI).with("xsi:type", "xs:string").saying(text);
    Element::new("saml2:Attribute")
        .with("Name", attribute.name.as_str())
        .with("NameFormat", attribute.format.as_str())
        .holding_all(attribute.values.iter().map(value))
}
