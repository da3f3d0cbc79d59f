//! Search queries: words, phrases, what is not wanted, and modifiers.
//!
//! <https://slack.com/help/articles/202528808-Search-in-Slack>

use jiff::{Span, civil::Date, tz::TimeZone};
use smol_str::SmolStr;

use crate::model::{
    State,
    channels::{self, Kind},
    marks::Starred,
    messages::Message,
    people::User,
    search::{Key, words},
    when::MONTHS,
};

/// A query, read.
#[derive(Debug, Default)]
pub(crate) struct Query {
    wanted: Vec<Part>,
    /// What one word or modifier stands for is unwanted together.
    unwanted: Vec<Vec<Part>>,
}

/// Something that must be true of what is found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Word(String),
    Prefix(String),
    Phrase(Vec<String>),
    From(SmolStr),
    In(SmolStr),
    /// From a time on, in microseconds.
    Since(u64),
    /// Before a time.
    Until(u64),
    Has(Has),
    Thread,
    Direct,
    /// In a direct message or thread with somebody.
    With(SmolStr),
    /// In a direct message to somebody.
    To(SmolStr),
    /// Saved by somebody.
    Saved(SmolStr),
    /// Somebody has put this emoji on it.
    Own(SmolStr, SmolStr),
    /// Names nobody, or nothing.
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Has {
    Link,
    File,
    Pin,
    Reaction,
    Emoji(SmolStr),
}

/// Who searches, and when.
pub(crate) struct Searcher<'a> {
    pub(crate) state: &'a State,
    pub(crate) user: &'a User,
    /// The universe's time, in microseconds.
    pub(crate) now: i64,
}

impl Query {
    /// Reads a query as somebody means it.
    pub(crate) fn read(text: &str, searcher: &Searcher<'_>) -> Self {
        let mut query = Self::default();
        for token in tokens(text) {
            let (is_unwanted, token) = match token.strip_prefix('-') {
                Some(rest) if !rest.is_empty() => (true, rest),
                _ => (false, token),
            };
            let parts = parts(token, searcher);
            if !is_unwanted {
                query.wanted.extend(parts);
            } else if !parts.is_empty() {
                query.unwanted.push(parts);
            }
        }
        query
    }

    /// What the index may be asked for.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        for part in &self.wanted {
            match part {
                Part::Word(word) => keys.push(Key::Word(word.into())),
                Part::Prefix(start) => keys.push(Key::Prefix(start.into())),
                Part::Phrase(words) => keys.extend(words.iter().map(|word| Key::Word(word.into()))),
                Part::From(user) => keys.push(Key::From(user.clone())),
                Part::In(channel) => keys.push(Key::In(channel.clone())),
                _ => {}
            }
        }
        keys
    }

    /// Whether a message is what is looked for; how often it has the words, where it is.
    pub(crate) fn matches(&self, state: &State, channel: &SmolStr, message: &Message) -> Option<usize> {
        let text: Vec<String> = words(&message.text).collect();
        let holds = |part: &Part| part.holds(state, channel, message, &text);
        if !self.wanted.iter().all(holds) || self.is_unwanted(holds) {
            return None;
        }
        Some(self.wanted.iter().map(|part| part.count(&text)).sum())
    }

    /// Whether a text of a file is what is looked for.
    pub(crate) fn matches_file(&self, text: &str, user: &SmolStr, channels: &[&SmolStr], created: u64) -> bool {
        let text: Vec<String> = words(text).collect();
        let holds = |part: &Part| match part {
            Part::Word(_) | Part::Prefix(_) | Part::Phrase(_) => part.count(&text) > 0,
            Part::From(from) => from == user,
            Part::In(channel) => channels.contains(&channel),
            Part::Since(ts) => created >= *ts,
            Part::Until(ts) => created < *ts,
            Part::Has(has) => *has == Has::File,
            // These are said of messages only.
            _ => false,
        };
        self.wanted.iter().all(holds) && !self.is_unwanted(holds)
    }

    fn is_unwanted(&self, holds: impl Fn(&Part) -> bool) -> bool {
        self.unwanted.iter().any(|parts| parts.iter().all(&holds))
    }

    /// The text with marks around what was looked for.
    pub(crate) fn highlight(&self, text: &str) -> String {
        let is_hit = |word: &str| {
            let word = word.to_lowercase();
            self.wanted.iter().any(|part| match part {
                Part::Word(wanted) => *wanted == word,
                Part::Prefix(start) => word.starts_with(start.as_str()),
                Part::Phrase(words) => words.contains(&word),
                _ => false,
            })
        };
        let mut out = String::with_capacity(text.len() + 8);
        let mut rest = text;
        while let Some(start) = rest.find(char::is_alphanumeric) {
            let end =
                start + rest[start..].find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len() - start);
            out.push_str(&rest[..start]);
            let word = &rest[start..end];
            if is_hit(word) {
                out.extend(["\u{e000}", word, "\u{e001}"]);
            } else {
                out.push_str(word);
            }
            rest = &rest[end..];
        }
        out + rest
    }
}

impl Part {
    fn holds(&self, state: &State, channel: &SmolStr, message: &Message, text: &[String]) -> bool {
        match self {
            Self::Word(_) | Self::Prefix(_) | Self::Phrase(_) => self.count(text) > 0,
            Self::From(user) => message.user == *user,
            Self::In(wanted) => channel == wanted,
            Self::Since(ts) => message.ts >= *ts,
            Self::Until(ts) => message.ts < *ts,
            Self::Has(Has::Link) => message.text.contains("<http"),
            Self::Has(Has::File) => message.extra.as_ref().is_some_and(|extra| extra.files.is_some()),
            Self::Has(Has::Pin) => state.pins.contains(&(channel.clone(), message.ts)),
            Self::Has(Has::Reaction) => !message.reactions().is_empty(),
            Self::Has(Has::Emoji(name)) => message.reactions().iter().any(|reaction| reaction.name == *name),
            Self::Thread => message.reply_to.is_some() || message.thread.is_some(),
            Self::Direct => state.channels.get(channel).is_some_and(|channel| channel.kind == Kind::Im),
            Self::With(other) => is_with(state, channel, message, other),
            Self::To(other) => message.user != *other && is_direct(state, channel, other) && !message.user.is_empty(),
            Self::Saved(by) => {
                let on = Starred::Message(channel.clone(), message.ts);
                state.stars.contains(&(by.clone(), on))
            }
            Self::Own(by, name) => {
                message.reactions().iter().any(|reaction| reaction.name == *name && reaction.users.contains(by))
            }
            Self::Nothing => false,
        }
    }

    fn count(&self, text: &[String]) -> usize {
        match self {
            Self::Word(wanted) => text.iter().filter(|word| *word == wanted).count(),
            Self::Prefix(start) => text.iter().filter(|word| word.starts_with(start.as_str())).count(),
            Self::Phrase(phrase) if phrase.len() <= text.len() => {
                text.windows(phrase.len()).filter(|run| *run == phrase.as_slice()).count()
            }
            _ => 0,
        }
    }
}

/// Whether a conversation is a direct one that somebody is in.
fn is_direct(state: &State, channel: &SmolStr, other: &SmolStr) -> bool {
    let row = state.channels.get(channel).filter(|row| matches!(row.kind, Kind::Im | Kind::Mpim));
    row.is_some() && state.is_member(channel, other)
}

/// Whether a message is in a direct conversation or in a thread that somebody takes part in.
fn is_with(state: &State, channel: &SmolStr, message: &Message, other: &SmolStr) -> bool {
    let first = match message.reply_to {
        Some(parent) => state.message(channel, parent).map(|first| &**first),
        None => Some(message),
    };
    let takes_part = |first: &Message| {
        first.thread.as_ref().is_some_and(|thread| first.user == *other || thread.users.contains(other))
    };
    is_direct(state, channel, other) || first.is_some_and(takes_part)
}

/// The parts of a query that blanks divide, phrases whole.
fn tokens(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let mut quoted = false;
        let end = rest.find(|c: char| {
            quoted ^= c == '"';
            c.is_whitespace() && !quoted
        });
        let end = end.unwrap_or(rest.len());
        found.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    found
}

fn parts(token: &str, searcher: &Searcher<'_>) -> Vec<Part> {
    if let Some(phrase) = token.strip_prefix('"') {
        let phrase: Vec<String> = words(phrase).collect();
        return if phrase.is_empty() { Vec::new() } else { vec![Part::Phrase(phrase)] };
    }
    if let Some((name, value)) = token.split_once(':').filter(|(_, value)| !value.is_empty())
        && let Some(parts) = modifier(&name.to_lowercase(), value.trim_matches('"'), searcher)
    {
        return parts;
    }
    if let Some(start) = token.strip_suffix('*').and_then(|start| words(start).next()) {
        return vec![Part::Prefix(start)];
    }
    words(token).map(Part::Word).collect()
}

/// What a modifier stands for; none where there is none of the name.
fn modifier(name: &str, value: &str, searcher: &Searcher<'_>) -> Option<Vec<Part>> {
    let or_nothing = |part: Option<Part>| vec![part.unwrap_or(Part::Nothing)];
    Some(match name {
        "from" => or_nothing(person(value, searcher).map(Part::From)),
        "in" => or_nothing(place(value, searcher).map(Part::In)),
        "before" => or_nothing(day(value, searcher).map(|(start, _)| Part::Until(start))),
        "after" => or_nothing(day(value, searcher).map(|(_, end)| Part::Since(end))),
        "on" | "during" => match day(value, searcher) {
            Some((start, end)) => vec![Part::Since(start), Part::Until(end)],
            None => vec![Part::Nothing],
        },
        "has" => or_nothing(match value {
            "link" => Some(Part::Has(Has::Link)),
            "file" => Some(Part::Has(Has::File)),
            "pin" => Some(Part::Has(Has::Pin)),
            "star" => Some(Part::Saved(searcher.user.id.clone())),
            "reaction" => Some(Part::Has(Has::Reaction)),
            emoji => emoji.strip_prefix(':').map(|name| Part::Has(Has::Emoji(name.trim_end_matches(':').into()))),
        }),
        "is" => or_nothing(match value {
            "thread" => Some(Part::Thread),
            "dm" => Some(Part::Direct),
            "saved" => Some(Part::Saved(searcher.user.id.clone())),
            _ => None,
        }),
        "hasmy" => or_nothing(
            value.strip_prefix(':').map(|name| Part::Own(searcher.user.id.clone(), name.trim_end_matches(':').into())),
        ),
        "to" => or_nothing(person(value, searcher).map(Part::To)),
        "with" => or_nothing(person(value, searcher).map(Part::With)),
        _ => return None,
    })
}

fn person(named: &str, searcher: &Searcher<'_>) -> Option<SmolStr> {
    let named = named.trim_start_matches("<@").trim_end_matches('>').trim_start_matches('@');
    if named == "me" {
        return Some(searcher.user.id.clone());
    }
    let state = searcher.state;
    let by_app = || state.find_app(named).map(|app| app.bot_user.clone());
    state.find_user(named).map(|user| user.id.clone()).or_else(by_app)
}

fn place(named: &str, searcher: &Searcher<'_>) -> Option<SmolStr> {
    let (state, me) = (searcher.state, &searcher.user.id);
    let named = named.trim_start_matches("<#").trim_end_matches('>');
    let named = named.split('|').next().unwrap_or_default();
    if named.starts_with('@') || named.starts_with("<@") {
        let other = person(named, searcher)?;
        let talkers = if other == *me { vec![other] } else { vec![me.clone(), other] };
        return channels::find_direct(state, &talkers);
    }
    state.visible_by_name(named, me).map(|channel| channel.id.clone())
}

/// A day, month or year in the searcher's time zone: from when to before when, in microseconds.
fn day(value: &str, searcher: &Searcher<'_>) -> Option<(u64, u64)> {
    let zone = TimeZone::get(&searcher.user.tz).unwrap_or(TimeZone::UTC);
    let now = jiff::Timestamp::from_microsecond(searcher.now).ok()?;
    let today = now.to_zoned(zone.clone()).date();
    let (first, span) = span_of(&value.to_lowercase(), today)?;
    let at = |date: Date| u64::try_from(date.to_zoned(zone.clone()).ok()?.timestamp().as_microsecond()).ok();
    Some((at(first)?, at(first.checked_add(span).ok()?)?))
}

fn span_of(value: &str, today: Date) -> Option<(Date, Span)> {
    let one = Span::new();
    if let Some(month) = MONTHS.iter().position(|month| *month == value) {
        let month = i8::try_from(month + 1).ok()?;
        let year = if month > today.month() { today.year() - 1 } else { today.year() };
        return Some((Date::new(year, month, 1).ok()?, one.months(1)));
    }
    match value {
        "today" => return Some((today, one.days(1))),
        "yesterday" => return Some((today.yesterday().ok()?, one.days(1))),
        "week" => {
            let back = i64::from(today.weekday().to_monday_zero_offset());
            return Some((today.checked_sub(one.days(back)).ok()?, one.days(7)));
        }
        "month" => return Some((today.first_of_month(), one.months(1))),
        "year" => return Some((today.first_of_year(), one.years(1))),
        _ => {}
    }
    let parts: Vec<&str> = value.split(['-', '/']).collect();
    match parts.as_slice() {
        [year] if year.len() == 4 => Some((Date::new(year.parse().ok()?, 1, 1).ok()?, one.years(1))),
        [year, month] if year.len() == 4 => {
            Some((Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?, one.months(1)))
        }
        [year, month, day] if year.len() == 4 => {
            Some((Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?, one.days(1)))
        }
        [month, day, year] => {
            Some((Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?, one.days(1)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_fall_into_parts() {
        let check = |text: &str, wanted: &[&str]| assert_eq!(tokens(text), wanted, "{text}");
        check("a  b", &["a", "b"]);
        check("\"a b\" -c from:@me", &["\"a b\"", "-c", "from:@me"]);
        check("in:\"a b\" x", &["in:\"a b\"", "x"]);
        check("", &[]);
    }

    #[test]
    fn days_are_spans() {
        let today = Date::constant(2026, 3, 2);
        let check = |value: &str, first: &str, next: &str| {
            let found = span_of(value, today).map(|(first, span)| (first, first.checked_add(span).unwrap()));
            assert_eq!(found, Some((first.parse().unwrap(), next.parse().unwrap())), "{value}");
        };
        check("today", "2026-03-02", "2026-03-03");
        check("yesterday", "2026-03-01", "2026-03-02");
        check("2026-02-28", "2026-02-28", "2026-03-01");
        check("2/28/2026", "2026-02-28", "2026-03-01");
        check("february", "2026-02-01", "2026-03-01");
        check("december", "2025-12-01", "2026-01-01");
        check("2025", "2025-01-01", "2026-01-01");
        assert!(span_of("someday", today).is_none());
    }
}
