//! XML that others wrote, in its exclusive canonical form: what their signatures are about.
//!
//! See www.w3.org/TR/xml-exc-c14n/. Comments are left out; documents with a type of their own are refused, so that no
//! entity stands for anything else.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesRef, BytesStart, Event},
};

/// An element as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    name: String,
    /// Prefixes and what they stand for; the empty one for names without a prefix.
    declared: BTreeMap<String, String>,
    attributes: Vec<(String, String)>,
    content: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Element(Node),
    Text(String),
    Instruction(String),
}

/// Prefixes and what they stand for.
pub(crate) type Scope = BTreeMap<String, String>;

const XML: &str = "http://www.w3.org/XML/1998/namespace";

fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

impl Node {
    /// Reads a document; none where it is no well-formed one, or has a type of its own.
    pub(crate) fn parse(xml: &str) -> Option<Self> {
        // As parsers of XML must read ends of lines.
        let text = xml.replace("\r\n", "\n").replace('\r', "\n");
        let mut reader = Reader::from_str(&text);
        let mut open: Vec<Self> = vec![Self::default()];
        loop {
            let top = open.last_mut()?;
            match reader.read_event().ok()? {
                Event::DocType(_) => return None,
                Event::Start(start) => open.push(Self::of(&start)?),
                Event::Empty(start) => top.content.push(Part::Element(Self::of(&start)?)),
                Event::End(_) => {
                    let done = open.pop()?;
                    open.last_mut()?.content.push(Part::Element(done));
                }
                Event::Text(text) => top.say(&text.decode().ok()?),
                Event::CData(text) => top.say(&text.decode().ok()?),
                Event::GeneralRef(name) => top.say(&referred(&name)?),
                Event::PI(text) => top.content.push(Part::Instruction(String::from_utf8(text.to_vec()).ok()?)),
                Event::Comment(_) | Event::Decl(_) => {}
                Event::Eof => break,
            }
        }
        let document = (open.len() == 1).then(|| open.pop()).flatten()?;
        let mut elements = document.content.into_iter().filter_map(|part| match part {
            Part::Element(node) => Some(node),
            Part::Text(_) | Part::Instruction(_) => None,
        });
        let root = elements.next()?;
        elements.next().is_none().then_some(root)
    }

    fn of(start: &BytesStart<'_>) -> Option<Self> {
        let name = String::from_utf8(start.name().as_ref().to_vec()).ok()?;
        let mut node = Self { name, ..Self::default() };
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            let name = String::from_utf8(attribute.key.as_ref().to_vec()).ok()?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned();
            match split(&name) {
                ("", "xmlns") => drop(node.declared.insert(String::new(), value)),
                ("xmlns", prefix) => drop(node.declared.insert(prefix.to_owned(), value)),
                _ => node.attributes.push((name, value)),
            }
        }
        Some(node)
    }

    fn say(&mut self, text: &str) {
        self.content.push(Part::Text(text.to_owned()));
    }

    /// What its name stands for and its own name, among the prefixes of what is around it.
    pub(crate) fn is(&self, around: &Scope, (_, uri): (&str, &str), local: &str) -> bool {
        let (prefix, own) = split(&self.name);
        own == local && self.scope(around).get(prefix).is_some_and(|found| found == uri)
    }

    /// The prefixes that it knows, among those of what is around it.
    pub(crate) fn scope(&self, around: &Scope) -> Scope {
        let mut scope = around.clone();
        scope.extend(self.declared.clone());
        scope
    }

    /// The value of an attribute without a prefix.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// All that it holds of a name, with their places.
    pub(crate) fn children<'n>(
        &'n self,
        around: &Scope,
        namespace: (&'static str, &'static str),
        local: &'n str,
    ) -> Vec<(usize, &'n Self)> {
        let scope = self.scope(around);
        let parts = self.content.iter().enumerate();
        let elements = parts.filter_map(|(at, part)| match part {
            Part::Element(node) => Some((at, node)),
            Part::Text(_) | Part::Instruction(_) => None,
        });
        elements.filter(|(_, node)| node.is(&scope, namespace, local)).collect()
    }

    /// Its text, but for space around it.
    pub(crate) fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Element(_) | Part::Instruction(_) => None,
        });
        texts.collect::<String>().trim().to_owned()
    }

    /// Its canonical form among the prefixes of what is around it, without the part of one place; `inclusive` are the
    /// prefixes that are kept whether they are used or not.
    pub(crate) fn canonical(&self, around: &Scope, without: Option<usize>, inclusive: &[String]) -> String {
        let mut out = String::new();
        self.write(&mut out, around, &Scope::new(), without, inclusive);
        out
    }

    fn write(&self, out: &mut String, around: &Scope, written: &Scope, without: Option<usize>, inclusive: &[String]) {
        let scope = self.scope(around);
        let new = self.namespaces(&scope, written, inclusive);
        let mut written = written.clone();
        written.extend(new.clone());
        out.extend(["<", &self.name]);
        for (prefix, uri) in &new {
            let mark = if prefix.is_empty() { " xmlns" } else { " xmlns:" };
            out.extend([mark, prefix, "=\""]);
            escape(out, uri, true);
            out.push('"');
        }
        for (name, value) in self.sorted(&scope) {
            out.extend([" ", name, "=\""]);
            escape(out, value, true);
            out.push('"');
        }
        out.push('>');
        for (_, part) in self.content.iter().enumerate().filter(|(at, _)| Some(*at) != without) {
            match part {
                Part::Element(node) => node.write(out, &scope, &written, None, inclusive),
                Part::Text(text) => escape(out, text, false),
                Part::Instruction(text) => out.extend(["<?", text, "?>"]),
            }
        }
        out.extend(["</", &self.name, ">"]);
    }

    /// What it must declare: the prefixes that it uses and nothing around it has declared so.
    fn namespaces(&self, scope: &Scope, written: &Scope, inclusive: &[String]) -> Scope {
        let of_attributes = self.attributes.iter().map(|(name, _)| split(name).0).filter(|prefix| !prefix.is_empty());
        let kept = inclusive.iter().map(|prefix| if prefix == "#default" { "" } else { prefix.as_str() });
        let kept = kept.filter(|prefix| scope.contains_key(*prefix));
        let used: BTreeSet<&str> = [split(&self.name).0].into_iter().chain(of_attributes).chain(kept).collect();
        let one = |prefix: &str| {
            let uri = scope.get(prefix).map_or("", String::as_str);
            let before = written.get(prefix).map_or("", String::as_str);
            (prefix != "xml" && uri != before).then(|| (prefix.to_owned(), uri.to_owned()))
        };
        used.into_iter().filter_map(one).collect()
    }

    /// Its attributes by what their prefixes stand for, and their names.
    fn sorted(&self, scope: &Scope) -> Vec<(&str, &str)> {
        let key = |name: &str| {
            let (prefix, local) = split(name);
            let uri = match prefix {
                "" => "",
                "xml" => XML,
                prefix => scope.get(prefix).map_or("", String::as_str),
            };
            (uri.to_owned(), local.to_owned())
        };
        let mut all: Vec<_> = self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        all.sort_by_cached_key(|(name, _)| key(name));
        all
    }
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

fn escape(out: &mut String, text: &str, attribute: bool) {
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
    fn documents_are_written_canonically() {
        let check = |xml: &str, wanted: &str| {
            let node = Node::parse(xml).expect("is a document");
            assert_eq!(node.canonical(&Scope::new(), None, &[]), wanted, "{xml}");
        };
        check("<?xml version=\"1.0\"?>\n<!-- x --><a/>", "<a></a>");
        check("<a b='1'\n  a=\"2\"/>", "<a a=\"2\" b=\"1\"></a>");
        check("<a>x<!-- y -->z<![CDATA[<&]]>&#65;&gt;\r\n</a>", "<a>xz&lt;&amp;A&gt;\n</a>");
        check("<a b=\"&#xA;&lt;>&quot;\"/>", "<a b=\"&#xA;&lt;>&quot;\"></a>");
        check("<p:a xmlns:p='u' xmlns:q='v'><q:b/></p:a>", "<p:a xmlns:p=\"u\"><q:b xmlns:q=\"v\"></q:b></p:a>");
        check("<p:a xmlns:p='u'><p:b/></p:a>", "<p:a xmlns:p=\"u\"><p:b></p:b></p:a>");
        check("<a xmlns='u'><b xmlns=''/></a>", "<a xmlns=\"u\"><b xmlns=\"\"></b></a>");
        check(
            "<a xmlns:z='b' xmlns:y='c' y:a='1' z:a='2' a='3'/>",
            "<a xmlns:y=\"c\" xmlns:z=\"b\" a=\"3\" z:a=\"2\" y:a=\"1\"></a>",
        );
    }

    #[test]
    fn other_texts_are_no_documents() {
        for xml in ["", "x", "<a>", "<a/><b/>", "<!DOCTYPE a><a/>", "<a>&other;</a>", "<a></b>"] {
            assert_eq!(Node::parse(xml), None, "{xml}");
        }
    }

    #[test]
    fn a_part_is_written_with_what_it_uses() {
        let root = Node::parse("<p:a xmlns:p='u' xmlns:xs='s'><p:b/>x</p:a>").expect("is a document");
        let inner = root.children(&Scope::new(), ("", "u"), "b");
        let scope = root.scope(&Scope::new());
        assert_eq!(inner[0].1.canonical(&scope, None, &[]), "<p:b xmlns:p=\"u\"></p:b>");
        let kept = ["xs".to_owned()];
        assert_eq!(inner[0].1.canonical(&scope, None, &kept), "<p:b xmlns:p=\"u\" xmlns:xs=\"s\"></p:b>");
        assert_eq!(root.canonical(&Scope::new(), Some(inner[0].0), &[]), "<p:a xmlns:p=\"u\">x</p:a>");
    }
}
