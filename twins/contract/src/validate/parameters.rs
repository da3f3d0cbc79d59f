//! Parameters outside the body, read by their styles.

use std::{borrow::Cow, collections::BTreeSet};

use http::HeaderMap;
use indexmap::IndexMap;
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    Arguments, Direction, Sent,
    coerce::{Shape, list, object},
    compiled::Validators,
    report::Place as At,
};
use crate::{
    contract::{Document, Facts, Parameter, Place, SecurityScheme, Style},
    violation::{Part, Rule, Violation},
};

/// Headers that OpenAPI says are no parameters, whatever documents declare.
const NOT_PARAMETERS: [&str; 3] = ["accept", "authorization", "content-type"];

/// Names and texts as sent, in order.
type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// Reads the parameters of a call into the arguments, and adds what does not fit.
pub(super) fn read(
    document: &'static Document,
    validators: &Validators,
    facts: &'static Facts,
    sent: &Sent<'_>,
    arguments: &mut Arguments,
    violations: &mut Vec<Violation>,
) {
    let pairs = Given {
        path: sent.path_params.iter().map(|(name, text)| (Cow::from(*name), Cow::from(text))).collect(),
        query: form_urlencoded::parse(sent.query.as_bytes()).collect(),
        cookies: cookies(sent.headers),
    };
    let mut consumed = BTreeSet::new();
    for parameter in facts.parameters.iter().filter(|parameter| !is_left_out(parameter)) {
        let mut one =
            One { document, parameter, shape: Shape::of(document, &parameter.schema), consumed: &mut consumed };
        let at = At { part: part(parameter.place), name: &parameter.name };
        let texts = pairs.texts(&parameter.name, parameter.place, sent.headers);
        let Some(value) = one.value(&at, &pairs, &texts, violations) else {
            if parameter.required {
                violations.push(at.violation("", Rule::Required, "is missing"));
            }
            continue;
        };
        violations.extend(validators.own(&parameter.schema, Direction::Request).check(&at, &value));
        place(arguments, parameter.place).insert(parameter.name.clone(), value);
    }
    arguments.unknown = unknown(document, &pairs.query, &consumed);
}

fn is_left_out(parameter: &Parameter) -> bool {
    parameter.place == Place::Header && NOT_PARAMETERS.iter().any(|name| parameter.name.eq_ignore_ascii_case(name))
}

const fn part(place: Place) -> Part {
    match place {
        Place::Path => Part::Path,
        Place::Query => Part::Query,
        Place::Header => Part::Header,
        Place::Cookie => Part::Cookie,
    }
}

const fn place(arguments: &mut Arguments, place: Place) -> &mut IndexMap<SmolStr, Value> {
    match place {
        Place::Path => &mut arguments.path,
        Place::Query => &mut arguments.query,
        Place::Header => &mut arguments.headers,
        Place::Cookie => &mut arguments.cookies,
    }
}

/// Names in the query that no parameter took and no way to sign in uses.
fn unknown(document: &Document, query: &Pairs<'_>, consumed: &BTreeSet<String>) -> Vec<SmolStr> {
    let is_key = |name: &str| {
        let mut schemes = document.security.values();
        schemes.any(|scheme| matches!(scheme, SecurityScheme::ApiKey { place: Place::Query, name: key } if key == name))
    };
    let mut unknown: Vec<SmolStr> = Vec::new();
    for (name, _) in query {
        if !consumed.contains(&**name) && !is_key(name) && !unknown.iter().any(|known| *known == **name) {
            unknown.push(name.as_ref().into());
        }
    }
    unknown
}

/// All that was sent outside headers and body.
struct Given<'a> {
    path: Pairs<'a>,
    query: Pairs<'a>,
    cookies: Pairs<'a>,
}

impl Given<'_> {
    fn texts<'s>(&'s self, name: &str, place: Place, headers: &'s HeaderMap) -> Vec<Cow<'s, str>> {
        let pairs = match place {
            Place::Path => &self.path,
            Place::Query => &self.query,
            Place::Cookie => &self.cookies,
            Place::Header => {
                return headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
            }
        };
        pairs.iter().filter(|(key, _)| key == name).map(|(_, text)| Cow::from(&**text)).collect()
    }
}

fn cookies(headers: &HeaderMap) -> Pairs<'_> {
    let texts = headers.get_all(http::header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.map(|(name, text)| (Cow::from(name), Cow::from(text))).collect()
}

/// One parameter being read.
struct One<'a> {
    document: &'a Document,
    parameter: &'a Parameter,
    shape: Shape<'a>,
    consumed: &'a mut BTreeSet<String>,
}

impl One<'_> {
    /// The value; absent where nothing was sent for it.
    fn value(
        &mut self,
        at: &At<'_>,
        given: &Given<'_>,
        texts: &[Cow<'_, str>],
        violations: &mut Vec<Violation>,
    ) -> Option<Value> {
        let in_query = self.parameter.place == Place::Query;
        if in_query && self.shape.is_object() && self.style() == Style::DeepObject {
            return self.deep_object(&given.query);
        }
        if in_query && self.shape.is_object() && self.parameter.explode && self.style() == Style::Form {
            return self.exploded_object(&given.query);
        }
        if in_query {
            self.consumed.insert(self.parameter.name.to_string());
        }
        let first = texts.first()?;
        if self.shape.is_list() || (self.shape.may_be_list() && texts.len() > 1) {
            return Some(self.list(texts));
        }
        if texts.len() > 1 {
            violations.push(at.violation("", Rule::Items, format!("is given {} times", texts.len())));
        }
        Some(if self.shape.is_object() { self.object(first) } else { self.shape.scalar(self.bare(first)) })
    }

    fn style(&self) -> Style {
        self.parameter.style.unwrap_or(match self.parameter.place {
            Place::Path | Place::Header => Style::Simple,
            Place::Query | Place::Cookie => Style::Form,
        })
    }

    /// The text behind what the style puts in front of it.
    fn bare<'t>(&self, text: &'t str) -> &'t str {
        match self.style() {
            Style::Label => text.strip_prefix('.').unwrap_or(text),
            Style::Matrix => {
                let bare = text.strip_prefix(';').unwrap_or(text);
                let value = bare.strip_prefix(self.parameter.name.as_str()).and_then(|rest| rest.strip_prefix('='));
                value.unwrap_or(bare)
            }
            _ => text,
        }
    }

    fn list(&self, texts: &[Cow<'_, str>]) -> Value {
        // Clients send exploded lists as one text as well, but then a delimiter may be part of an item.
        let whole = self.parameter.explode && self.parameter.place == Place::Query;
        let items = texts
            .iter()
            .filter(|text| !text.is_empty())
            .flat_map(|text| if whole { vec![&**text] } else { self.split(self.bare(text)) });
        list(self.document, &self.shape, items)
    }

    fn split<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let delimiter = match self.style() {
            Style::SpaceDelimited => ' ',
            Style::PipeDelimited => '|',
            Style::Label if self.parameter.explode => '.',
            Style::Matrix if self.parameter.explode => ';',
            _ => ',',
        };
        text.split(delimiter)
            .map(|item| if self.parameter.place == Place::Header { item.trim() } else { item })
            .collect()
    }

    /// `a,1,b,2`, or `a=1,b=2` where exploded.
    fn object(&self, text: &str) -> Value {
        if let Some(json) = self.shape.json(text) {
            return json;
        }
        let parts = self.split(self.bare(text));
        if self.parameter.explode {
            let pairs = parts.iter().map(|part| part.split_once('=').unwrap_or((part, "")));
            return object(self.document, &self.shape, pairs);
        }
        let pairs = parts.chunks(2).map(|pair| (pair[0], pair.get(1).copied().unwrap_or_default()));
        object(self.document, &self.shape, pairs)
    }

    /// `name[a]=1&name[b]=2`.
    fn deep_object(&mut self, query: &Pairs<'_>) -> Option<Value> {
        let mut members = Vec::new();
        for (key, text) in query {
            let inner = key.strip_prefix(self.parameter.name.as_str()).and_then(|rest| rest.strip_prefix('['));
            if let Some(member) = inner.and_then(|inner| inner.strip_suffix(']')) {
                self.consumed.insert(key.to_string());
                members.push((member, &**text));
            }
        }
        (!members.is_empty()).then(|| object(self.document, &self.shape, members.into_iter()))
    }

    /// `a=1&b=2`: each member is a parameter of its own.
    fn exploded_object(&mut self, query: &Pairs<'_>) -> Option<Value> {
        self.consumed.extend(self.shape.properties.keys().map(ToString::to_string));
        let is_member = |key: &str| self.shape.properties.contains_key(&SmolStr::new(key));
        let members: Vec<(&str, &str)> =
            query.iter().filter(|(key, _)| is_member(key)).map(|(key, text)| (&**key, &**text)).collect();
        (!members.is_empty()).then(|| object(self.document, &self.shape, members.into_iter()))
    }
}
