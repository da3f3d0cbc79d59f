//! Schemas as facts: the part of JSON Schema that public API documents use, without a word of prose.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use smol_str::SmolStr;

/// A JSON type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// `true` or `false`.
    Boolean,
    /// A number without a fraction.
    Integer,
    /// Any number.
    Number,
    /// Text.
    String,
    /// A list.
    Array,
    /// Names with values.
    Object,
}

/// What a value may be. Absent facts forbid nothing.
///
/// The dialect is the same for all kinds of document: `null` is said by `nullable` (never as a type), exclusive
/// bounds are numbers (as in JSON Schema 2020-12), and references name a schema of the same document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "JSON Schema's own keywords")]
pub struct Schema {
    /// The schema of the document that this one is. Facts beside it hold as well.
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<SmolStr>,
    /// The types it may have; any where empty.
    #[serde(rename = "type", skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<Type>,
    /// Whether it may be `null` besides.
    #[serde(skip_serializing_if = "is_false")]
    pub nullable: bool,
    /// The document's format (`date-time`, `uri`, `int64`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<SmolStr>,
    /// How values look, where the document only shows it by examples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looks: Option<Looks>,
    /// The values it may have; any where absent.
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
    /// What the service takes where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The smallest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Number>,
    /// The largest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Number>,
    /// A number that it must be above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive_minimum: Option<Number>,
    /// A number that it must be below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive_maximum: Option<Number>,
    /// A number that it must be a multiple of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multiple_of: Option<Number>,
    /// The fewest characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    /// The most characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// A regular expression (ECMA-262) that text must match somewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// What each item of a list is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Schema>>,
    /// The fewest items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_items: Option<u64>,
    /// The most items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u64>,
    /// Whether no two items may be equal.
    #[serde(skip_serializing_if = "is_false")]
    pub unique_items: bool,
    /// The named members of an object.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub properties: IndexMap<SmolStr, Schema>,
    /// The members that must be there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<SmolStr>,
    /// Whether members without a name of their own may be there, and what they are.
    #[serde(rename = "additionalProperties", skip_serializing_if = "Option::is_none")]
    pub additional: Option<Additional>,
    /// The fewest members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_properties: Option<u64>,
    /// The most members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_properties: Option<u64>,
    /// All of these hold as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub all_of: Vec<Schema>,
    /// Just one of these holds as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<Schema>,
    /// At least one of these holds as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<Schema>,
    /// This does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Schema>>,
    /// Which member says which schema an object follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discriminator: Option<Discriminator>,
    /// Only answers have it: the service sets it.
    #[serde(skip_serializing_if = "is_false")]
    pub read_only: bool,
    /// Only requests have it: the service never shows it.
    #[serde(skip_serializing_if = "is_false")]
    pub write_only: bool,
    /// Whether the document advises against it.
    #[serde(skip_serializing_if = "is_false")]
    pub deprecated: bool,
}

/// Members of an object that have no schema of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Additional {
    /// Whether they may be there.
    Allowed(bool),
    /// What they are.
    Of(Box<Schema>),
}

/// Which member of an object says which schema it follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discriminator {
    /// The member's name.
    pub property: SmolStr,
    /// The document's schema for each of its values.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub mapping: IndexMap<SmolStr, SmolStr>,
}

/// How a text looks. Made from a document's examples, which are not kept themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "kind")]
pub enum Looks {
    /// An identifier of the service: a fixed beginning, then characters of an alphabet.
    Id {
        /// The fixed beginning; may be empty.
        prefix: SmolStr,
        /// The alphabet of the rest.
        alphabet: Alphabet,
        /// The whole length, in characters.
        length: u8,
    },
    /// A UUID with dashes, in lower case.
    Uuid,
    /// A point in time in this pattern of `strftime`, with `%3f` for milliseconds.
    Time {
        /// The pattern.
        pattern: SmolStr,
    },
    /// A URL of the service itself.
    Url,
    /// A mail address.
    Email,
}

/// The characters of an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alphabet {
    /// `0`-`9`.
    Digits,
    /// `0`-`9`, `a`-`f`.
    Hex,
    /// `A`-`Z`, `0`-`9`.
    Upper,
    /// `a`-`z`, `0`-`9`.
    Lower,
    /// `A`-`Z`, `a`-`z`, `0`-`9`.
    Mixed,
    /// Those, `-` and `_`.
    UrlSafe,
}

impl Alphabet {
    /// The characters, in ASCII.
    pub const fn characters(self) -> &'static [u8] {
        match self {
            Self::Digits => b"0123456789",
            Self::Hex => b"0123456789abcdef",
            Self::Upper => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            Self::Lower => b"abcdefghijklmnopqrstuvwxyz0123456789",
            Self::Mixed => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            Self::UrlSafe => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
