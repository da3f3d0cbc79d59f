//! Values that are made up for each trajectory: nobody can have learnt them.

use dtu_kernel::{seed::Draw, time::Timestamp};
use serde_json::Value;

use crate::scenario::Generated;

/// Beginnings and ends of made-up words: each two of them can be said.
const HEADS: [&str; 24] = [
    "ba", "bre", "cor", "da", "dro", "fel", "fin", "ga", "gri", "hal", "jor", "ka", "lum", "mar", "nor", "ola", "pel",
    "qui", "ra", "sel", "tor", "ul", "ven", "wil",
];
const TAILS: [&str; 24] = [
    "bat", "dan", "del", "dor", "fen", "gar", "gon", "ket", "lan", "len", "lim", "mer", "mon", "nar", "nix", "pan",
    "ran", "rik", "sen", "tar", "tel", "vin", "vor", "zel",
];
/// Given names and surnames.
const FIRST: [&str; 24] = [
    "Ada", "Amir", "Bea", "Carl", "Chidi", "Dina", "Elif", "Emil", "Freya", "Goran", "Hana", "Igor", "Jana", "Kofi",
    "Linh", "Mateo", "Nadia", "Oskar", "Pia", "Quentin", "Rosa", "Sven", "Tara", "Yusuf",
];
const LAST: [&str; 24] = [
    "Abel", "Baptiste", "Castro", "Dvorak", "Eriksen", "Fontaine", "Greco", "Haddad", "Ivanova", "Jansen", "Kimura",
    "Laurent", "Moreau", "Novak", "Okafor", "Petrov", "Quispe", "Rossi", "Schmidt", "Tanaka", "Ueda", "Varga", "Weber",
    "Zhang",
];
const DIGITS: &[u8] = b"0123456789";
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const BOTH: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// A value of a kind.
pub(super) fn value(kind: &Generated, draw: &mut Draw) -> Value {
    Value::String(match kind {
        Generated::Name => format!("{} {}", one(&FIRST, draw), one(&LAST, draw)),
        Generated::Email => {
            let (first, last) = (one(&FIRST, draw).to_lowercase(), one(&LAST, draw).to_lowercase());
            format!("{first}.{last}.{}@{}.example", draw.text(BOTH, 4), word(draw))
        }
        Generated::Word => word(draw),
        Generated::Slug => format!("{}-{}-{}", word(draw), word(draw), draw.text(DIGITS, 2)),
        Generated::Sentence => sentence(draw),
        Generated::Uuid => draw.uuid(),
        Generated::Date => date(draw),
        Generated::Pattern(pattern) => pattern.chars().map(|sign| filled(sign, draw)).collect(),
    })
}

fn one(of: &'static [&'static str], draw: &mut Draw) -> &'static str {
    of[usize::try_from(draw.below(of.len() as u64)).unwrap_or(0)]
}

fn word(draw: &mut Draw) -> String {
    format!("{}{}", one(&HEADS, draw), one(&TAILS, draw))
}

fn sentence(draw: &mut Draw) -> String {
    let words: Vec<String> = (0..4 + draw.below(4)).map(|_| word(draw)).collect();
    let text = words.join(" ");
    let (first, rest) = text.split_at(1);
    format!("{}{rest}.", first.to_uppercase())
}

/// A day of 2026 or 2027.
fn date(draw: &mut Draw) -> String {
    const FIRST_DAY: i64 = 1_767_225_600;
    let days = i64::try_from(draw.below(730)).unwrap_or(0);
    let mut day = Timestamp::from_secs(FIRST_DAY + days * 86_400).iso_millis();
    day.truncate(10);
    day
}

fn filled(sign: char, draw: &mut Draw) -> String {
    match sign {
        '#' => draw.text(DIGITS, 1),
        '?' => draw.text(LETTERS, 1),
        '*' => draw.text(BOTH, 1),
        sign => sign.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dtu_kernel::seed::{SeedTree, Site};

    use super::*;

    #[test]
    fn values_are_of_their_kind_and_differ_from_seed_to_seed() {
        let check = |kind: Generated, is: fn(&str) -> bool| {
            let drawn = |seed| value(&kind, &mut SeedTree::new(seed).draw(Site::named("t"), 0));
            let values: Vec<Value> = (0..50).map(drawn).collect();
            assert_eq!(values, (0..50).map(drawn).collect::<Vec<_>>(), "{kind:?}: a seed says it all");
            assert!(values.iter().all(|value| value.as_str().is_some_and(is)), "{kind:?}: {values:?}");
            let different = values.iter().map(ToString::to_string).collect::<BTreeSet<_>>().len();
            assert!(different > 35, "{kind:?}: {different} of 50");
        };
        let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
        check(Generated::Name, |text| text.split(' ').count() == 2);
        check(Generated::Email, |text| text.contains('@') && text.ends_with(".example") && !text.contains(' '));
        check(Generated::Word, is_word);
        check(Generated::Slug, |text| text.split('-').count() == 3);
        check(Generated::Sentence, |text| text.ends_with('.') && text.starts_with(|c: char| c.is_ascii_uppercase()));
        check(Generated::Uuid, |text| text.len() == 36);
        check(Generated::Date, |text| text.len() == 10 && (text.starts_with("2026-") || text.starts_with("2027-")));
        check(Generated::Pattern("INC-####-??*".to_owned()), |text| text.starts_with("INC-") && text.len() == 12);
    }
}
