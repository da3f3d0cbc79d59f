//! XML in its exclusive canonical form, by construction: what is written is what is hashed.
//!
//! See www.w3.org/TR/xml-exc-c14n/: no XML declaration, no empty-element tags, namespaces before attributes, attributes
//! in the order of their names, and a namespace is declared where it is first used. Whoever builds a tree declares it
//! there; whoever signs an element takes one that declares all that is used in it.

/// An element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    name: &'static str,
    namespaces: Vec<(&'static str, &'static str)>,
    attributes: Vec<(&'static str, String)>,
    content: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Element(Element),
    Text(String),
}

/// `urn:oasis:names:tc:SAML:2.0:assertion`.
pub(crate) const SAML2: (&str, &str) = ("saml2", "urn:oasis:names:tc:SAML:2.0:assertion");
/// `urn:oasis:names:tc:SAML:2.0:protocol`.
pub(crate) const SAML2P: (&str, &str) = ("saml2p", "urn:oasis:names:tc:SAML:2.0:protocol");
/// XML signatures.
pub(crate) const DS: (&str, &str) = ("ds", "http://www.w3.org/2000/09/xmldsig#");
/// Exclusive canonical form.
pub(crate) const EC: (&str, &str) = ("ec", "http://www.w3.org/2001/10/xml-exc-c14n#");
/// Metadata.
pub(crate) const MD: (&str, &str) = ("md", "urn:oasis:names:tc:SAML:2.0:metadata");
/// XML Schema.
pub(crate) const XS: (&str, &str) = ("xs", "http://www.w3.org/2001/XMLSchema");
/// The types of values.
pub(crate) const XSI: (&str, &str) = ("xsi", "http://www.w3.org/2001/XMLSchema-instance");

impl Element {
    /// An empty element.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, namespaces: Vec::new(), attributes: Vec::new(), content: Vec::new() }
    }

    /// The same, declaring a namespace.
    pub(crate) fn declaring(mut self, namespace: (&'static str, &'static str)) -> Self {
        self.namespaces.push(namespace);
        self.namespaces.sort_unstable();
        self
    }

    /// The same with an attribute. Names without a prefix go first, which is their canonical order as long as no
    /// element has attributes of two namespaces.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, possible(value.into())));
        self.attributes.sort_by_key(|(name, _)| (name.contains(':'), *name));
        self
    }

    /// The same with an attribute where there is a value.
    pub(crate) fn with_some(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The same with one more element in it.
    pub(crate) fn holding(mut self, child: Self) -> Self {
        self.content.push(Node::Element(child));
        self
    }

    /// The same with more elements in it.
    pub(crate) fn holding_all(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.content.extend(children.into_iter().map(Node::Element));
        self
    }

    /// The same with text in it.
    pub(crate) fn saying(mut self, text: impl Into<String>) -> Self {
        self.content.push(Node::Text(possible(text.into())));
        self
    }

    /// The same with an element put behind the first that it holds.
    pub(crate) fn holding_second(mut self, child: Self) -> Self {
        let at = self.content.len().min(1);
        self.content.insert(at, Node::Element(child));
        self
    }

    /// Its canonical form.
    pub(crate) fn canonical(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// A document of it.
    pub(crate) fn document(&self) -> String {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{}", self.canonical())
    }

    fn write(&self, out: &mut String) {
        out.extend(["<", self.name]);
        for (prefix, uri) in &self.namespaces {
            out.extend([" xmlns:", *prefix, "=\"", *uri, "\""]);
        }
        for (name, value) in &self.attributes {
            out.extend([" ", *name, "=\""]);
            escape(out, value, true);
            out.push('"');
        }
        out.push('>');
        for node in &self.content {
            match node {
                Node::Element(element) => element.write(out),
                Node::Text(text) => escape(out, text, false),
            }
        }
        out.extend(["</", self.name, ">"]);
    }
}

/// A text without the characters that XML cannot hold.
fn possible(mut text: String) -> String {
    text.retain(|c| matches!(c, '\t' | '\n' | '\r') || !matches!(c, '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}'));
    text
}

/// Writes a text as the canonical form has it.
pub(super) fn escape(out: &mut String, text: &str, attribute: bool) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' if !attribute => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\t' if attribute => out.push_str("&#x9;"),
            '\n' if attribute => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_written_canonically() {
        let check = |element: Element, wanted: &str| assert_eq!(element.canonical(), wanted);
        check(Element::new("a"), "<a></a>");
        check(Element::new("a").with("B", "2").with("A", "1"), r#"<a A="1" B="2"></a>"#);
        check(Element::new("a").with("xs:b", "2").with("c", "1"), r#"<a c="1" xs:b="2"></a>"#);
        check(
            Element::new("ds:a").with("c", "1").declaring(XS).declaring(DS),
            r#"<ds:a xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:xs="http://www.w3.org/2001/XMLSchema" c="1"></ds:a>"#,
        );
        check(Element::new("a").saying("<&>\"\r\n\u{1}"), "<a>&lt;&amp;&gt;\"&#xD;\n</a>");
        check(Element::new("a").with("b", "<&>\"\n"), r#"<a b="&lt;&amp;>&quot;&#xA;"></a>"#);
        let two = Element::new("a").holding(Element::new("b")).holding(Element::new("d"));
        check(two.holding_second(Element::new("c")), "<a><b></b><c></c><d></d></a>");
        check(Element::new("a").holding_second(Element::new("c")), "<a><c></c></a>");
    }
}
