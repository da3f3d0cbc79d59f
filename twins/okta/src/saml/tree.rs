//! Other people's XML as a tree, and its exclusive canonical form (www.w3.org/TR/xml-exc-c14n/, without comments).
//!
//! The module [`super::xml`] writes such a form of what Okta says; here it is made of what others have written. Documents
//! with a type of their own are refused, so that no entity stands for anything else.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesRef, BytesStart, Event},
};

use super::xml::escape;

/// The deepest document that is read.
const DEPTH_MAX: usize = 64;
const MALFORMED: &str = "it is not well-formed XML";

/// Prefixes with their namespaces; the empty prefix is the default.
type Scope = BTreeMap<String, String>;

/// An element.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    prefix: String,
    local: String,
    namespace: String,
    scope: Arc<Scope>,
    attributes: Vec<Attribute>,
    content: Vec<Node>,
}

#[derive(Clone, Debug)]
struct Attribute {
    prefix: String,
    local: String,
    namespace: String,
    value: String,
}

#[derive(Clone, Debug)]
enum Node {
    Element(Element),
    Text(String),
}

fn split(name: &[u8]) -> Result<(String, String), &'static str> {
    let name = str::from_utf8(name).map_err(|_| MALFORMED)?;
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    Ok((prefix.to_owned(), local.to_owned()))
}

impl Element {
    /// Reads a document.
    ///
    /// # Errors
    /// In words: what is not well-formed, declares a document type, or holds processing instructions.
    pub(crate) fn read(xml: &str) -> Result<Self, &'static str> {
        // As parsers of XML must read ends of lines.
        let text = xml.replace("\r\n", "\n").replace('\r', "\n");
        let mut reader = Reader::from_str(&text);
        let mut open: Vec<Self> = Vec::new();
        let mut root = None;
        loop {
            match reader.read_event().map_err(|_| MALFORMED)? {
                Event::Start(start) => {
                    if open.len() >= DEPTH_MAX || root.is_some() {
                        return Err(MALFORMED);
                    }
                    open.push(Self::begin(&start, open.last())?);
                }
                Event::Empty(start) => {
                    let element = Self::begin(&start, open.last())?;
                    close(&mut open, &mut root, element)?;
                }
                Event::End(_) => {
                    let element = open.pop().ok_or(MALFORMED)?;
                    close(&mut open, &mut root, element)?;
                }
                Event::Text(text) => say(&mut open, &text.decode().map_err(|_| MALFORMED)?)?,
                Event::CData(text) => say(&mut open, &text.decode().map_err(|_| MALFORMED)?)?,
                Event::GeneralRef(name) => say(&mut open, &referred(&name).ok_or(MALFORMED)?)?,
                Event::Decl(_) | Event::Comment(_) => {}
                Event::DocType(_) | Event::PI(_) => return Err("it holds more than elements and text"),
                Event::Eof => break,
            }
        }
        if open.is_empty() { root.ok_or(MALFORMED) } else { Err(MALFORMED) }
    }

    fn begin(start: &BytesStart<'_>, parent: Option<&Self>) -> Result<Self, &'static str> {
        let mut scope = parent.map(|parent| Arc::clone(&parent.scope)).unwrap_or_default();
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| MALFORMED)?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| MALFORMED)?.into_owned();
            match split(attribute.key.as_ref())? {
                (prefix, local) if prefix.is_empty() && local == "xmlns" => {
                    Arc::make_mut(&mut scope).insert(String::new(), value);
                }
                (prefix, local) if prefix == "xmlns" => drop(Arc::make_mut(&mut scope).insert(local, value)),
                (prefix, local) => attributes.push(Attribute { prefix, local, namespace: String::new(), value }),
            }
        }
        let (prefix, local) = split(start.name().as_ref())?;
        let of = |prefix: &str| match (scope.get(prefix), prefix) {
            (Some(uri), _) => Ok(uri.clone()),
            (None, "") => Ok(String::new()),
            (None, "xml") => Ok("http://www.w3.org/XML/1998/namespace".to_owned()),
            (None, _) => Err(MALFORMED),
        };
        for attribute in attributes.iter_mut().filter(|attribute| !attribute.prefix.is_empty()) {
            attribute.namespace = of(&attribute.prefix)?;
        }
        let namespace = of(&prefix)?;
        Ok(Self { prefix, local, namespace, scope, attributes, content: Vec::new() })
    }

    /// Whether it is an element of a namespace.
    pub(crate) fn is(&self, namespace: &str, local: &str) -> bool {
        self.namespace == namespace && self.local == local
    }

    /// An attribute without a namespace.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|attribute| attribute.prefix.is_empty() && attribute.local == name);
        found.map(|attribute| attribute.value.as_str())
    }

    /// The elements right in it.
    pub(crate) fn children(&self) -> impl Iterator<Item = &Self> {
        self.content.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The elements of a name right in it.
    pub(crate) fn all<'a>(&'a self, namespace: &'a str, local: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children().filter(move |child| child.is(namespace, local))
    }

    /// The first of them.
    pub(crate) fn child(&self, namespace: &str, local: &str) -> Option<&Self> {
        self.children().find(|child| child.is(namespace, local))
    }

    /// The text right in it, without the space around.
    pub(crate) fn text(&self) -> String {
        let text = |node: &Node| match node {
            Node::Text(text) => text.clone(),
            Node::Element(_) => String::new(),
        };
        self.content.iter().map(text).collect::<String>().trim().to_owned()
    }

    /// It and all that is in it, at any depth.
    pub(crate) fn whole(&self) -> Vec<&Self> {
        let mut all = vec![self];
        let mut at = 0;
        while at < all.len() {
            all.extend(all[at].children());
            at += 1;
        }
        all
    }

    /// Its canonical form, but for one element in it, and with prefixes that count as used everywhere.
    pub(crate) fn canonical(&self, without: Option<&Self>, inclusive: &[&str]) -> String {
        let mut out = String::new();
        self.write(&mut out, &Scope::new(), without, inclusive);
        out
    }

    fn write(&self, out: &mut String, rendered: &Scope, without: Option<&Self>, inclusive: &[&str]) {
        let name = qualified(&self.prefix, &self.local);
        out.extend(["<", name.as_str()]);
        let mut rendered = rendered.clone();
        for prefix in self.used(inclusive) {
            let uri = self.scope.get(prefix).map_or("", String::as_str);
            let known = rendered.get(prefix).map_or("", String::as_str);
            if uri == known {
                continue;
            }
            out.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
            out.extend([prefix, "=\""]);
            escape(out, uri, true);
            out.push('"');
            rendered.insert(prefix.to_owned(), uri.to_owned());
        }
        let mut attributes: Vec<&Attribute> = self.attributes.iter().collect();
        attributes.sort_by_key(|attribute| (&attribute.namespace, &attribute.local));
        for attribute in attributes {
            out.extend([" ", qualified(&attribute.prefix, &attribute.local).as_str(), "=\""]);
            escape(out, &attribute.value, true);
            out.push('"');
        }
        out.push('>');
        for node in &self.content {
            match node {
                Node::Element(element) if without.is_some_and(|one| std::ptr::eq(one, element)) => {}
                Node::Element(element) => element.write(out, &rendered, without, inclusive),
                Node::Text(text) => escape(out, text, false),
            }
        }
        out.extend(["</", name.as_str(), ">"]);
    }

    /// The prefixes that are used in its own names, and those that count as used wherever they are known.
    fn used<'a>(&'a self, inclusive: &[&'a str]) -> BTreeSet<&'a str> {
        let own = self.attributes.iter().map(|attribute| attribute.prefix.as_str()).filter(|prefix| !prefix.is_empty());
        let listed = inclusive.iter().map(|prefix| if *prefix == "#default" { "" } else { *prefix });
        let known = listed.filter(|prefix| self.scope.contains_key(*prefix));
        let mut used: BTreeSet<&str> = own.chain(known).chain([self.prefix.as_str()]).collect();
        used.remove("xml");
        used
    }
}

fn close(open: &mut [Element], root: &mut Option<Element>, element: Element) -> Result<(), &'static str> {
    match open.last_mut() {
        Some(parent) => parent.content.push(Node::Element(element)),
        None if root.is_some() => return Err(MALFORMED),
        None => *root = Some(element),
    }
    Ok(())
}

/// Adds text, in one piece with what stands in front of it.
fn say(open: &mut [Element], text: &str) -> Result<(), &'static str> {
    match open.last_mut().map(|parent| &mut parent.content) {
        Some(content) => match content.last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            _ => content.push(Node::Text(text.to_owned())),
        },
        None if text.trim().is_empty() => {}
        None => return Err(MALFORMED),
    }
    Ok(())
}

fn qualified(prefix: &str, local: &str) -> String {
    if prefix.is_empty() { local.to_owned() } else { format!("{prefix}:{local}") }
}

/// What a reference stands for: a character, or one of the entities that need no declaration.
fn referred(name: &BytesRef<'_>) -> Option<String> {
    if let Some(c) = name.resolve_char_ref().ok()? {
        return Some(c.to_string());
    }
    let text = match &*name.decode().ok()? {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_have_one_canonical_form() {
        let check = |xml: &str, wanted: &str| {
            assert_eq!(Element::read(xml).map(|root| root.canonical(None, &[])).as_deref(), Ok(wanted), "{xml}");
        };
        check("<a/>", "<a></a>");
        check("<?xml version='1.0'?>\n<!-- x --><a b='1'\n  a=\"2\"><!-- x --> y </a>\n", "<a a=\"2\" b=\"1\"> y </a>");
        check("<a>x<!-- y -->z<![CDATA[<&]]>&#65;&gt;\r\n</a>", "<a>xz&lt;&amp;A&gt;\n</a>");
        check("<a><![CDATA[\r\n]]>&amp;&#x3e;&#xD;\r</a>", "<a>\n&amp;&gt;&#xD;\n</a>");
        check("<a b=\"&#xA;&lt;>&quot;\r\n\"/>", "<a b=\"&#xA;&lt;>&quot; \"></a>");
        check("<p:a xmlns:p='u' xmlns:q='v'><q:b/></p:a>", "<p:a xmlns:p=\"u\"><q:b xmlns:q=\"v\"></q:b></p:a>");
        check(
            "<a xmlns:x='u' xmlns='d'><x:b/><c x:z='1' y='2'/></a>",
            "<a xmlns=\"d\"><x:b xmlns:x=\"u\"></x:b><c xmlns:x=\"u\" y=\"2\" x:z=\"1\"></c></a>",
        );
        check(
            "<x:a xmlns:x='u'><x:b xmlns:x='u'/><x:b xmlns:x='v'/></x:a>",
            "<x:a xmlns:x=\"u\"><x:b></x:b><x:b xmlns:x=\"v\"></x:b></x:a>",
        );
        check("<a xmlns='d'><b xmlns=''/></a>", "<a xmlns=\"d\"><b xmlns=\"\"></b></a>");
        check(
            "<a xmlns:z='b' xmlns:y='c' y:a='1' z:a='2' a='3'/>",
            "<a xmlns:y=\"c\" xmlns:z=\"b\" a=\"3\" z:a=\"2\" y:a=\"1\"></a>",
        );
    }

    #[test]
    fn a_part_is_written_with_what_it_uses_and_the_prefixes_that_are_listed() {
        let root = Element::read("<p:r xmlns:p='u' xmlns:xs='s'><p:a xmlns:q='q'><b/></p:a>x</p:r>").expect("is one");
        let part = root.child("u", "a").expect("has one");
        assert_eq!(part.canonical(None, &[]), "<p:a xmlns:p=\"u\"><b></b></p:a>");
        assert_eq!(part.canonical(None, &["xs", "none"]), "<p:a xmlns:p=\"u\" xmlns:xs=\"s\"><b></b></p:a>");
        assert_eq!(part.canonical(part.children().next(), &[]), "<p:a xmlns:p=\"u\"></p:a>");
        assert_eq!(root.canonical(Some(part), &[]), "<p:r xmlns:p=\"u\">x</p:r>");
    }

    #[test]
    fn other_texts_are_no_documents() {
        let deep = "<a>".repeat(DEPTH_MAX + 1) + &"</a>".repeat(DEPTH_MAX + 1);
        let all = [
            "",
            "a",
            "x<a/>",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<x:a/>",
            "<!DOCTYPE a><a/>",
            "<a><?p x?></a>",
            "<a>&e;</a>",
        ];
        for xml in all.into_iter().chain([deep.as_str()]) {
            assert!(Element::read(xml).is_err(), "{xml}");
        }
    }
}
