//! Slack's emoji: their names, their characters, and text in which characters become names.
//!
//! The names are those of `emoji-datasource` 16 (MIT), the set that Slack's pages draw from.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use smol_str::{SmolStr, format_smolstr};

/// The most characters of one emoji: a family with a skin tone each has so many.
const CHARACTERS_MAX: usize = 10;
/// The skin tones, by the number that Slack gives them.
const TONES: [(u8, char); 5] =
    [(2, '\u{1f3fb}'), (3, '\u{1f3fc}'), (4, '\u{1f3fd}'), (5, '\u{1f3fe}'), (6, '\u{1f3ff}')];
/// What asks for the coloured form of a character.
const COLOURED: &str = "fe0f";

/// An emoji of Slack's own.
#[derive(Clone, Copy, Debug)]
struct Emoji {
    /// Its characters, as hexadecimal numbers with dashes between.
    unicode: &'static str,
    /// Whether it comes in skin tones.
    has_tones: bool,
}

/// The emoji by name.
static EMOJI: LazyLock<BTreeMap<&'static str, Emoji>> =
    LazyLock::new(|| rows().map(|(name, emoji, _)| (name, emoji)).collect());

/// The names of the emoji by their characters, with a skin tone where there is one.
static BY_CHARACTERS: LazyLock<BTreeMap<String, SmolStr>> = LazyLock::new(|| {
    let mut found = BTreeMap::new();
    for (name, emoji, _) in rows().filter(|(.., is_first)| *is_first) {
        found.insert(characters(emoji.unicode), SmolStr::new_static(name));
        for (number, _) in TONES.iter().filter(|_| emoji.has_tones) {
            found.insert(characters(&toned(emoji.unicode, *number)), format_smolstr!("{name}::skin-tone-{number}"));
        }
    }
    found
});

/// The characters that emoji begin with.
static FIRST: LazyLock<BTreeSet<char>> =
    LazyLock::new(|| BY_CHARACTERS.keys().filter_map(|text| text.chars().next()).collect());

/// The lines of the list: a name, its characters, `t` where it has skin tones, `also` where it is a second name.
fn rows() -> impl Iterator<Item = (&'static str, Emoji, bool)> {
    include_str!("emoji.txt").lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (name, unicode) = (words.next()?, words.next()?);
        let marks: Vec<&str> = words.collect();
        Some((name, Emoji { unicode, has_tones: marks.contains(&"t") }, !marks.contains(&"also")))
    })
}

/// Whether Slack has an emoji of this name.
pub(crate) fn is_there(name: &str) -> bool {
    EMOJI.contains_key(name)
}

/// The characters of an emoji, as Slack tells them: `1f44b-1f3fb`. None where Slack has none of this name.
pub(crate) fn unicode(name: &str, tone: Option<u8>) -> Option<Cow<'static, str>> {
    let emoji = EMOJI.get(name)?;
    Some(match tone.filter(|_| emoji.has_tones) {
        Some(tone) => toned(emoji.unicode, tone).into(),
        None => emoji.unicode.into(),
    })
}

/// The number of a skin tone's name: 2 of `skin-tone-2`.
pub(crate) fn tone(name: &str) -> Option<u8> {
    let number = name.strip_prefix("skin-tone-")?.parse().ok()?;
    TONES.iter().any(|(known, _)| *known == number).then_some(number)
}

/// The name of the emoji that a text begins with, and how many bytes of the text it is.
pub(crate) fn at_start(text: &str) -> Option<(&'static SmolStr, usize)> {
    let first = text.chars().next()?;
    let may_begin = !first.is_ascii() || first.is_ascii_digit() || matches!(first, '#' | '*');
    if !may_begin || !FIRST.contains(&first) {
        return None;
    }
    let ends = text.char_indices().take(CHARACTERS_MAX).map(|(at, c)| at + c.len_utf8()).collect::<Vec<_>>();
    // A digit is one of an emoji only with what makes it a key.
    let found = ends
        .iter()
        .skip(usize::from(first.is_ascii()))
        .rev()
        .find_map(|end| BY_CHARACTERS.get_key_value(&text[..*end]));
    found.map(|(characters, name)| (name, characters.len()))
}

/// Whether somebody means what is shown: letters count as the same in either case, and emoji by name or character.
pub(crate) fn is_meant(shown: &str, said: &str) -> bool {
    named(shown.trim()).eq_ignore_ascii_case(&named(said.trim()))
}

/// A text in which the characters of emoji have become their names: <https://docs.slack.dev/messaging/formatting-message-text>.
pub(crate) fn named(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let used = if let Some((name, used)) = at_start(rest) {
            out.extend([":", name, ":"]);
            used
        } else {
            out.push(c);
            c.len_utf8()
        };
        rest = &rest[used..];
    }
    out.into()
}

/// The characters of an emoji in a skin tone, which follows the first and takes the place of what asks for colour.
fn toned(unicode: &str, tone: u8) -> String {
    let tone = TONES.iter().find(|(number, _)| *number == tone).map_or('\u{1f3fb}', |(_, tone)| *tone);
    let (first, rest) = unicode.split_once('-').unwrap_or((unicode, ""));
    let rest = rest.strip_prefix(COLOURED).map_or(rest, |rest| rest.trim_start_matches('-'));
    let dash = if rest.is_empty() { "" } else { "-" };
    format!("{first}-{:x}{dash}{rest}", u32::from(tone))
}

fn characters(unicode: &str) -> String {
    unicode.split('-').filter_map(|number| char::from_u32(u32::from_str_radix(number, 16).ok()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_become_names() {
        let check = |text: &str, wanted: &str| assert_eq!(named(text), wanted, "{text}");
        check("plain", "plain");
        check("ünïcode – dashes", "ünïcode – dashes");
        check("Done 🎉!", "Done :tada:!");
        check("👋🏻 and 👋", ":wave::skin-tone-2: and :wave:");
        check("❤️", ":heart:");
        check("1️⃣ of 10", ":one: of 10");
        check("👨‍👩‍👧", ":man-woman-girl:");
        check("🕵🏽‍♀️", ":female-detective::skin-tone-4:");
        check("🇦🇹", ":flag-at:");
    }

    #[test]
    fn names_have_characters() {
        let check = |name: &str, tone: Option<u8>, wanted: Option<&str>| {
            assert_eq!(unicode(name, tone).as_deref(), wanted, "{name} {tone:?}");
        };
        check("tada", None, Some("1f389"));
        check("i_love_you_hand_sign", Some(4), Some("1f91f-1f3fd"));
        check("tada", Some(4), Some("1f389"));
        check("thumbsup", Some(2), Some("1f44d-1f3fb"));
        check("nonsense", None, None);
        assert_eq!((tone("skin-tone-6"), tone("skin-tone-7"), tone("x")), (Some(6), None, None));
    }

    #[test]
    fn all_of_the_list_are_read() {
        assert_eq!(EMOJI.len(), include_str!("emoji.txt").lines().count());
        for text in BY_CHARACTERS.keys() {
            assert!(text.chars().count() <= CHARACTERS_MAX, "{text}");
        }
    }
}
