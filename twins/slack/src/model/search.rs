//! What finds messages by their words: an inverted index that is written in batches.
//!
//! Each message has a number, in the order of writing. A word's entry is the list of the numbers of messages that had
//! it: four bytes each. Nothing is ever taken out of a list; what is found is looked at again before it is shown.
//! Messages written last are not indexed yet but looked through, so that a write seldom touches the lists.

use imbl::{OrdMap, Vector};
use smol_str::{SmolStr, format_smolstr};

use super::State;

/// How many messages are looked through before they are indexed together.
const BATCH: usize = 128;

/// The index.
#[derive(Clone, Debug, Default)]
pub(crate) struct WordIndex {
    /// Number to channel (by its place in `channels`) and timestamp.
    messages: Vector<(u32, u64)>,
    channels: Vector<SmolStr>,
    place_of: OrdMap<SmolStr, u32>,
    /// Word to the numbers of messages.
    words: OrdMap<SmolStr, Vector<u32>>,
    /// How many messages are indexed.
    indexed: usize,
}

/// A word that a search may go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// A word of the text.
    Word(SmolStr),
    /// Any word that begins so.
    Prefix(SmolStr),
    /// Who wrote it.
    From(SmolStr),
    /// Where it is.
    In(SmolStr),
}

impl Key {
    fn entry(&self) -> SmolStr {
        match self {
            Self::Word(word) | Self::Prefix(word) => word.clone(),
            // No word begins with these.
            Self::From(user) => format_smolstr!("@{user}"),
            Self::In(channel) => format_smolstr!("#{channel}"),
        }
    }
}

/// The words of a text, in lower case.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    let all = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '\''));
    all.map(|word| word.trim_matches('\'').to_lowercase()).filter(|word| !word.is_empty())
}

/// Takes in a message that was written or changed.
pub(crate) fn add(state: &mut State, channel: &SmolStr, ts: u64) {
    let index = &mut state.index.words;
    let place = if let Some(place) = index.place_of.get(channel) {
        *place
    } else {
        let place = u32::try_from(index.channels.len()).unwrap_or(u32::MAX);
        index.channels.push_back(channel.clone());
        index.place_of.insert(channel.clone(), place);
        place
    };
    index.messages.push_back((place, ts));
    if index.messages.len() - index.indexed >= BATCH {
        write(state);
    }
}

/// Indexes what is not yet.
fn write(state: &mut State) {
    let mut batch: Vec<(SmolStr, u32)> = Vec::new();
    let index = &state.index.words;
    for number in index.indexed..index.messages.len() {
        let Some((channel, ts)) = index.at(number) else { continue };
        let Some(message) = state.message(channel, ts) else { continue };
        let short = u32::try_from(number).unwrap_or(u32::MAX);
        let mut found: Vec<SmolStr> = words(&message.text).map(SmolStr::from).collect();
        found.push(Key::From(message.user.clone()).entry());
        found.push(Key::In(channel.clone()).entry());
        found.sort_unstable();
        found.dedup();
        batch.extend(found.into_iter().map(|word| (word, short)));
    }
    batch.sort_unstable();
    let index = &mut state.index.words;
    // Once a word, not once a message that has it.
    for group in batch.chunk_by(|(one, _), (other, _)| one == other) {
        let numbers = group.iter().map(|(_, number)| *number);
        index.words.entry(group[0].0.clone()).or_default().extend(numbers);
    }
    index.indexed = index.messages.len();
}

impl WordIndex {
    fn at(&self, number: usize) -> Option<(&SmolStr, u64)> {
        let (place, ts) = self.messages.get(number)?;
        Some((self.channels.get(usize::try_from(*place).ok()?)?, *ts))
    }

    /// How many messages a key may be true of.
    fn weight(&self, key: &Key) -> usize {
        match key {
            Key::Prefix(start) => self.prefixed(start).map(|(_, list)| list.len()).sum(),
            key => self.words.get(&key.entry()).map_or(0, Vector::len),
        }
    }

    fn prefixed<'a>(&'a self, start: &'a SmolStr) -> impl Iterator<Item = (&'a SmolStr, &'a Vector<u32>)> {
        self.words.range(start.clone()..).take_while(move |(word, _)| word.starts_with(start.as_str()))
    }

    /// What all the keys may be true of, newest first: the list of the rarest, and what is not indexed yet.
    pub(crate) fn candidates<'a>(&'a self, keys: &[Key]) -> Candidates<'a> {
        let rarest = keys.iter().min_by_key(|key| self.weight(key));
        let tail = (self.indexed..self.messages.len()).rev();
        let rest: Box<dyn Iterator<Item = usize> + 'a> = match rarest {
            None => Box::new((0..self.indexed).rev()),
            Some(Key::Prefix(start)) => {
                let mut all: Vec<u32> = self.prefixed(start).flat_map(|(_, list)| list.iter().copied()).collect();
                all.sort_unstable();
                all.dedup();
                Box::new(all.into_iter().rev().filter_map(|number| usize::try_from(number).ok()))
            }
            Some(key) => match self.words.get(&key.entry()) {
                Some(list) => Box::new(list.iter().rev().filter_map(|number| usize::try_from(*number).ok())),
                None => Box::new(std::iter::empty()),
            },
        };
        let total = rarest.map_or(self.indexed, |key| self.weight(key)) + (self.messages.len() - self.indexed);
        Candidates { index: self, numbers: Box::new(tail.chain(rest)), left: total }
    }
}

/// Messages that a search looks at.
pub(crate) struct Candidates<'a> {
    index: &'a WordIndex,
    numbers: Box<dyn Iterator<Item = usize> + 'a>,
    /// How many there are still.
    pub(crate) left: usize,
}

impl<'a> Iterator for Candidates<'a> {
    type Item = (&'a SmolStr, u64);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let number = self.numbers.next()?;
            self.left = self.left.saturating_sub(1);
            if let Some(found) = self.index.at(number) {
                return Some(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fall_into_words() {
        let check = |text: &str, wanted: &[&str]| assert_eq!(words(text).collect::<Vec<_>>(), wanted, "{text}");
        check("Hello, World!", &["hello", "world"]);
        check("it's 42.5% — don't", &["it's", "42", "5", "don't"]);
        check("<@U123> über_alles", &["u123", "über_alles"]);
        check("", &[]);
    }
}
