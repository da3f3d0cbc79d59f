//! How texts look, from the document's examples.
//!
//! What an example shows of a text is noted at that text's schema. When the schema is read, the majority of its examples
//! decides. What a format or a list of values says already is not guessed again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::schema::{Alphabet, Looks, Schema, Type};

/// Steps that walking a document's examples may take. Real documents need about a tenth.
const FUEL: u32 = 4_000_000;

/// Examples that are kept for one schema.
const MAX_SAMPLES: usize = 100;

/// Ids that must begin alike, so that one example's beginning is taken as fixed.
const ALIKE: usize = 3;

/// The characters that ids of one kind begin with, at most.
const MAX_PREFIX: usize = 3;

/// The characters of an id that are drawn: fewer would run out.
const MIN_DRAWN: usize = 6;

/// What a document's examples show.
pub(super) struct Evidence {
    samples: BTreeMap<usize, Vec<String>>,
    /// All texts that may be identifiers.
    ids: BTreeSet<String>,
    hosts: BTreeSet<String>,
    fuel: u32,
}

impl Default for Evidence {
    fn default() -> Self {
        Self { samples: BTreeMap::new(), ids: BTreeSet::new(), hosts: BTreeSet::new(), fuel: FUEL }
    }
}

/// What one example looks like.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Uuid,
    Time(String),
    Email,
    Url,
    Id(usize),
    Other,
}

impl Evidence {
    /// Takes one step of those that a document's examples may take; false where none is left.
    pub(super) const fn step(&mut self) -> bool {
        let left = self.fuel > 0;
        self.fuel = self.fuel.saturating_sub(1);
        left
    }

    /// Notes an address of the service.
    pub(super) fn host(&mut self, url: &str) {
        let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = behind_scheme.split('/').next().unwrap_or_default();
        if !host.is_empty() {
            self.hosts.insert(host.to_owned());
        }
    }

    /// Notes an example of the text that a part describes.
    pub(super) fn note(&mut self, part: &Value, text: &str) {
        let samples = self.samples.entry(address(part)).or_default();
        if samples.len() < MAX_SAMPLES && text.len() <= 300 {
            samples.push(text.to_owned());
            if id_characters(text) {
                self.ids.insert(text.to_owned());
            }
        }
    }

    /// How the texts of a schema look, by the majority of its examples.
    pub(super) fn looks(&self, part: &Value, called: &str, schema: &Schema) -> Option<Looks> {
        let composed = !(schema.all_of.is_empty() && schema.any_of.is_empty() && schema.one_of.is_empty());
        let any = schema.types.is_empty() && !composed && schema.reference.is_none();
        if !(any || schema.types.contains(&Type::String)) {
            return None;
        }
        let samples = self.samples.get(&address(part))?;
        let mut shapes = BTreeMap::<Shape, usize>::new();
        for sample in samples {
            *shapes.entry(self.shape(sample, called)).or_default() += 1;
        }
        let times = shapes.iter().filter(|(shape, _)| matches!(shape, Shape::Time(_))).map(|(_, count)| count).sum();
        // The first of the most frequent, in the order of shapes: the same each time.
        let (shape, count) = shapes.into_iter().rev().max_by_key(|(_, count)| *count)?;
        let count = if matches!(shape, Shape::Time(_)) { times } else { count };
        let looks = (count * 2 > samples.len()).then(|| self.shaped(shape, samples))?;
        looks.filter(|looks| agrees(looks, schema.format.as_deref()))
    }

    fn shape(&self, text: &str, called: &str) -> Shape {
        if is_uuid(text) {
            return Shape::Uuid;
        }
        if let Some(pattern) = time_pattern(text) {
            return Shape::Time(pattern);
        }
        if is_email(text) {
            return Shape::Email;
        }
        if self.is_own_url(text) {
            return Shape::Url;
        }
        if (is_id_name(called) && is_id(text)) || is_surely_id(text) { Shape::Id(text.len()) } else { Shape::Other }
    }

    fn shaped(&self, shape: Shape, samples: &[String]) -> Option<Looks> {
        Some(match shape {
            Shape::Uuid => Looks::Uuid,
            Shape::Time(pattern) => Looks::Time { pattern: pattern.into() },
            Shape::Email => Looks::Email,
            Shape::Url => Looks::Url,
            Shape::Id(length) => {
                let alike = samples.iter().map(String::as_str).filter(|text| text.len() == length && is_id(text));
                self.id(&alike.collect(), length)?
            }
            Shape::Other => return None,
        })
    }

    /// The look of identifiers of one length: what all begin with, and the alphabet of the rest. A single one is
    /// compared with the document's others.
    fn id(&self, alike: &BTreeSet<&str>, length: usize) -> Option<Looks> {
        let first = *alike.first()?;
        let longest = MAX_PREFIX.min(length.saturating_sub(MIN_DRAWN));
        // Ids in capitals or digits have one letter for their kind, others three: as Slack's and Okta's do.
        let plain = alike.iter().all(|id| id.bytes().all(|byte| !byte.is_ascii_lowercase()));
        let longest = if plain { 1 } else { longest };
        let kin = |prefix: &str| -> Vec<&str> {
            let others = self.ids.range(prefix.to_owned()..).take_while(|id| id.starts_with(prefix));
            others.map(String::as_str).filter(|id| id.len() == length).collect()
        };
        let prefix = if alike.len() > 1 {
            let common = first.bytes().zip(alike.last()?.bytes()).take_while(|(one, other)| one == other).count();
            &first[..common.min(longest)]
        } else {
            Some(&first[..longest]).filter(|prefix| kin(prefix).len() >= ALIKE).unwrap_or_default()
        };
        let all = if prefix.is_empty() { alike.iter().copied().collect() } else { kin(prefix) };
        let alphabet = alphabet(all.iter().chain(alike).copied());
        Some(Looks::Id { prefix: prefix.into(), alphabet, length: u8::try_from(length).ok()? })
    }

    fn is_own_url(&self, text: &str) -> bool {
        let Some((scheme, rest)) = text.split_once("://") else { return false };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        matches!(scheme, "http" | "https") && self.hosts.contains(host)
    }
}

/// Where a part of the document is in memory: its key while the document is read.
fn address(part: &Value) -> usize {
    std::ptr::from_ref(part).addr()
}

/// Whether a look is news beside a format, and no contradiction to it.
fn agrees(looks: &Looks, format: Option<&str>) -> bool {
    match format {
        None => true,
        Some("date-time") => matches!(looks, Looks::Time { .. }),
        Some("uri" | "url") => *looks == Looks::Url,
        Some(_) => false,
    }
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    let lengths: Vec<_> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The pattern of a point in time, as the services write them; `None` for everything else.
fn time_pattern(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digits =
        |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    if bytes.len() == 17 && bytes[10] == b'.' && digits(0..10) && digits(11..17) {
        return Some("%s.%6f".to_owned());
    }
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let parts = [0..4, 5..7, 8..10, 11..13, 14..16, 17..19];
    let dated = marks.iter().all(|(at, mark)| bytes.get(*at) == Some(mark)) && parts.into_iter().all(digits);
    let mut rest = text.get(19..).filter(|_| dated)?;
    let mut pattern = "%Y-%m-%dT%H:%M:%S".to_owned();
    if let Some(fraction) = rest.strip_prefix('.') {
        let places = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=9).contains(&places) {
            return None;
        }
        pattern.extend([".%", &places.to_string(), "f"]);
        rest = &fraction[places..];
    }
    pattern.push_str(zone(rest)?);
    Some(pattern)
}

fn zone(text: &str) -> Option<&'static str> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or_default();
    let numeric = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    match (text, digits.len()) {
        ("Z", _) => Some("Z"),
        (_, 4) if numeric && !digits.contains(':') => Some("%z"),
        (_, 5) if numeric && digits.find(':') == Some(2) => Some("%:z"),
        _ => None,
    }
}

fn is_email(text: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte))
    };
    text.split_once('@').is_some_and(|(name, host)| word(name) && word(host) && host.contains('.'))
}

/// Whether a member of this name holds an identifier, or some.
fn is_id_name(name: &str) -> bool {
    let ends = ["Id", "Ids", "ID", "IDs", "_id", "_ids"];
    matches!(name, "id" | "ids") || ends.iter().any(|end| name.ends_with(end))
}

fn id_characters(text: &str) -> bool {
    (4..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Whether a text may be an identifier that the service draws, rather than a word.
fn is_id(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = !text.contains(['-', '_']) || text.len() >= 20;
    id_characters(text) && plain && digits > 0 && (digits == text.len() || text.len() >= 8)
}

/// Whether a text is such an identifier whatever its member's name: long, and mixed as no word is.
fn is_surely_id(text: &str) -> bool {
    let has = |wanted: fn(&u8) -> bool| text.as_bytes().iter().any(wanted);
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let mixed = (17..=24).contains(&text.len()) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let capitals = (9..=11).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && !has(u8::is_ascii_lowercase);
    plain && has(u8::is_ascii_digit) && (mixed || capitals)
}

/// The smallest alphabet with all of these characters.
fn alphabet<'t>(texts: impl Iterator<Item = &'t str>) -> Alphabet {
    use Alphabet::{Digits, Hex, Lower, Mixed, Upper, UrlSafe};

    let used: BTreeSet<u8> = texts.flat_map(str::bytes).collect();
    let all = [Digits, Hex, Upper, Lower, Mixed];
    let holds = |alphabet: &Alphabet| used.iter().all(|byte| alphabet.characters().contains(byte));
    all.into_iter().find(holds).unwrap_or(UrlSafe)
}
