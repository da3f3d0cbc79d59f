//! The times of reminders as people write them: "tomorrow at 5pm", "in 20 minutes", "every weekday".
//!
//! Slack's page says which words it takes and what it makes of them; where a day has no hour, it is nine in the morning:
//! <https://slack.com/help/articles/208423427-Set-a-reminder>.

use std::collections::BTreeSet;

use jiff::{
    Span, Zoned,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use serde::Serialize;
use serde_json::Value;

/// The furthest a reminder can be away, in seconds.
const REMINDER_MAX: i64 = 5 * 366 * DAY;
const DAY: i64 = 24 * 3600;
/// The hour of a day that was named without one.
const MORNING: Time = Time::constant(9, 0, 0, 0);
/// The hour of "tonight".
const EVENING: Time = Time::constant(20, 0, 0, 0);

/// How often a reminder comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// Each day.
    Daily,
    /// Each week.
    Weekly,
    /// Each month.
    Monthly,
    /// Each year.
    Yearly,
}

impl Frequency {
    /// The word in `recurrence` members.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        }
    }
}

/// When a reminder comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recurrence {
    /// How often.
    pub frequency: Frequency,
    /// On which days of the week, from Monday (0) on; none where on the day of the first.
    pub weekdays: BTreeSet<i8>,
}

impl Recurrence {
    const fn new(frequency: Frequency) -> Self {
        Self { frequency, weekdays: BTreeSet::new() }
    }

    /// Reads a `recurrence` argument: an object, or text that holds one.
    pub(crate) fn read(given: &Value) -> Option<Self> {
        let parsed = given.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let given = parsed.as_ref().unwrap_or(given);
        let frequency = match given["frequency"].as_str()? {
            "daily" => Frequency::Daily,
            "weekly" => Frequency::Weekly,
            "monthly" => Frequency::Monthly,
            "yearly" => Frequency::Yearly,
            _ => return None,
        };
        let days = given["weekdays"].as_array().map(Vec::as_slice).unwrap_or_default();
        let days = days.iter().map(|day| weekday(day.as_str()?.to_ascii_lowercase().as_str()));
        let weekdays: BTreeSet<i8> = days.map(|day| day.map(Weekday::to_monday_zero_offset)).collect::<Option<_>>()?;
        if weekdays.is_empty() || frequency == Frequency::Weekly { Some(Self { frequency, weekdays }) } else { None }
    }

    /// The names of the days.
    pub fn days(&self) -> Vec<&'static str> {
        self.weekdays.iter().filter_map(|day| WEEKDAYS.get(usize::try_from(*day).ok()?).copied()).collect()
    }

    /// The next time after one, in seconds.
    pub(crate) fn next(&self, time: i64, tz: &str) -> Option<i64> {
        let last = zoned(time, tz)?;
        let one = Span::new();
        let next = match self.frequency {
            Frequency::Daily => last.checked_add(one.days(1)),
            Frequency::Monthly => last.checked_add(one.months(1)),
            Frequency::Yearly => last.checked_add(one.years(1)),
            Frequency::Weekly if self.weekdays.is_empty() => last.checked_add(one.weeks(1)),
            Frequency::Weekly => return self.next_weekday(&last),
        };
        Some(next.ok()?.timestamp().as_second())
    }

    fn next_weekday(&self, last: &Zoned) -> Option<i64> {
        let days = (1..=7).filter_map(|days| last.checked_add(Span::new().days(days)).ok());
        let mut fitting = days.filter(|day| self.weekdays.contains(&day.weekday().to_monday_zero_offset()));
        Some(fitting.next()?.timestamp().as_second())
    }
}

/// When a reminder is due, and how often it comes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct When {
    /// In seconds.
    pub(crate) time: i64,
    pub(crate) again: Option<Recurrence>,
}

/// Reads the time of a reminder: seconds since 1970, seconds from now within a day, or what people say.
pub(crate) fn read(text: &str, now: i64, tz: &str) -> Option<When> {
    let text = text.trim().to_ascii_lowercase();
    let is_ahead = |time: &i64| *time > now && *time <= now + REMINDER_MAX;
    if let Ok(number) = text.parse::<i64>() {
        let time = if (1..=DAY).contains(&number) { now + number } else { number };
        return is_ahead(&time).then_some(When { time, again: None });
    }
    let today = zoned(now, tz)?;
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let (time, again) = match words.as_slice() {
        ["in", span @ ..] => (later(&today, span)?, None),
        words if words.contains(&"every") => {
            let rest: Vec<&str> = words.iter().copied().filter(|word| *word != "every").collect();
            repeated(&today, &rest).map(|(time, again)| (time, Some(again)))?
        }
        words => (once(&today, words)?, None),
    };
    is_ahead(&time).then_some(When { time, again })
}

fn zoned(secs: i64, tz: &str) -> Option<Zoned> {
    let zone = TimeZone::get(tz).unwrap_or(TimeZone::UTC);
    Some(jiff::Timestamp::from_second(secs).ok()?.to_zoned(zone))
}

/// `15 minutes`, `an hour and 30 minutes`, `2 weeks`.
fn later(now: &Zoned, words: &[&str]) -> Option<i64> {
    let words: Vec<&str> = words.iter().copied().filter(|word| *word != "and").collect();
    if words.is_empty() {
        return None;
    }
    let mut at = now.clone();
    for pair in words.chunks(2) {
        let [number, unit] = pair else { return None };
        let number = if matches!(*number, "a" | "an") { 1 } else { number.parse::<i64>().ok()? };
        at = at.checked_add(span(number, unit)?).ok()?;
    }
    Some(at.timestamp().as_second())
}

fn span(number: i64, unit: &str) -> Option<Span> {
    let one = Span::new();
    match unit.trim_end_matches('s') {
        "second" | "sec" => one.try_seconds(number),
        "minute" | "min" => one.try_minutes(number),
        "hour" | "hr" => one.try_hours(number),
        "day" => one.try_days(number),
        "week" => one.try_weeks(number),
        "month" => one.try_months(number),
        "year" => one.try_years(number),
        _ => return None,
    }
    .ok()
}

/// A day, an hour, or both, in either order: the first such time ahead.
fn once(now: &Zoned, words: &[&str]) -> Option<i64> {
    let (hour, day) = split(words)?;
    if day.is_empty() {
        let at = on(now, now.date(), hour?)?;
        return if at > now.timestamp().as_second() { Some(at) } else { on(now, now.date().tomorrow().ok()?, hour?) };
    }
    let (date, usual) = read_day(now.date(), &day)?;
    on(now, date, hour.unwrap_or(usual))
}

/// `day at 8am`, `weekday`, `monday and thursday at noon`, `month`, `year`, `january 25`.
fn repeated(now: &Zoned, words: &[&str]) -> Option<(i64, Recurrence)> {
    let (hour, day) = split(words)?;
    let hour = hour.unwrap_or(MORNING);
    let again = match day.as_slice() {
        ["day"] => Recurrence::new(Frequency::Daily),
        ["week"] => Recurrence::new(Frequency::Weekly),
        ["month"] => Recurrence::new(Frequency::Monthly),
        ["year"] => Recurrence::new(Frequency::Yearly),
        ["weekday" | "weekdays"] => Recurrence { weekdays: (0..5).collect(), ..Recurrence::new(Frequency::Weekly) },
        [day, "month"] => return monthly(now, ordinal(day)?, hour),
        days if !days.is_empty() && days.iter().all(|day| weekday(day).is_some()) => {
            let weekdays = days.iter().filter_map(|day| weekday(day)).map(Weekday::to_monday_zero_offset).collect();
            Recurrence { weekdays, ..Recurrence::new(Frequency::Weekly) }
        }
        day => {
            let time = on(now, read_day(now.date(), day)?.0, hour)?;
            return Some((time, Recurrence::new(Frequency::Yearly)));
        }
    };
    let first = |days: i64| now.date().checked_add(Span::new().days(days)).ok();
    let fits =
        |date: &Date| again.weekdays.is_empty() || again.weekdays.contains(&date.weekday().to_monday_zero_offset());
    let mut times = (0..=7).filter_map(first).filter(fits).filter_map(|date| on(now, date, hour));
    let time = times.find(|time| *time > now.timestamp().as_second())?;
    Some((time, again))
}

/// The next such day of a month, and of each month after it.
fn monthly(now: &Zoned, day: i8, hour: Time) -> Option<(i64, Recurrence)> {
    let this = now.date().first_of_month();
    let months = (0..=12).filter_map(|months| this.checked_add(Span::new().months(months)).ok());
    let days = months.filter_map(|month| Date::new(month.year(), month.month(), day).ok());
    let mut times = days.filter_map(|date| on(now, date, hour));
    let time = times.find(|time| *time > now.timestamp().as_second())?;
    Some((time, Recurrence::new(Frequency::Monthly)))
}

fn on(now: &Zoned, date: Date, time: Time) -> Option<i64> {
    Some(date.to_datetime(time).to_zoned(now.time_zone().clone()).ok()?.timestamp().as_second())
}

/// The hour among words, and the words that name the day. None where there are two hours.
fn split<'a>(words: &[&'a str]) -> Option<(Option<Time>, Vec<&'a str>)> {
    let (mut hour, mut day) = (None, Vec::new());
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let (after_at, next) = (at >= 2 && matches!(words[at - 2], "at" | "@"), words.get(at).copied());
        let half = next.filter(|next| matches!(*next, "am" | "pm" | "a.m." | "p.m."));
        match read_hour(word, half, after_at) {
            _ if matches!(*word, "at" | "@" | "on" | "the" | "of" | "and" | "this") => {}
            Some(found) if hour.is_none() => {
                hour = Some(found);
                at += usize::from(half.is_some());
            }
            Some(_) => return None,
            None => day.push(*word),
        }
    }
    Some((hour, day))
}

/// `5pm`, `5:30 pm`, `17:30`, `noon`; a bare number only after "at".
fn read_hour(word: &str, half: Option<&str>, after_at: bool) -> Option<Time> {
    match word {
        "noon" => return Time::new(12, 0, 0, 0).ok(),
        "midnight" => return Time::new(0, 0, 0, 0).ok(),
        _ => {}
    }
    let (digits, half) = match word.strip_suffix("am").or(word.strip_suffix("pm")) {
        Some(digits) => (digits, Some(&word[digits.len()..])),
        None => (word, half),
    };
    let (hours, minutes) = digits.split_once(':').map_or((digits, None), |(hours, rest)| (hours, Some(rest)));
    if half.is_none() && minutes.is_none() && !after_at {
        return None;
    }
    let (hours, minutes): (i8, i8) = (hours.parse().ok()?, minutes.unwrap_or("0").parse().ok()?);
    let hours = match half.map(|half| half.starts_with('p')) {
        None => hours,
        Some(_) if !(1..=12).contains(&hours) => return None,
        Some(is_pm) => hours % 12 + if is_pm { 12 } else { 0 },
    };
    Time::new(hours, minutes, 0, 0).ok()
}

/// The day that words name, and the hour that it has where none is said.
fn read_day(today: Date, words: &[&str]) -> Option<(Date, Time)> {
    let in_days = |days: i64| today.checked_add(Span::new().days(days)).ok();
    let date = match words {
        ["today"] => Some(today),
        ["tonight"] => return Some((today, EVENING)),
        ["tomorrow"] => in_days(1),
        ["next", "week"] => today.nth_weekday(1, Weekday::Monday).ok(),
        ["next", "month"] => today.first_of_month().checked_add(Span::new().months(1)).ok(),
        [day] | ["next", day] if weekday(day).is_some() => today.nth_weekday(1, weekday(day)?).ok(),
        [date] if date.contains(['-', '/']) => numbered(today, date),
        [day, name] | [name, day] if month(name).is_some() => ahead(today, month(name)?, ordinal(day)?),
        [day, name, year] | [name, day, year] if month(name).is_some() => {
            Date::new(year.parse().ok()?, month(name)?, ordinal(day)?).ok()
        }
        _ => None,
    };
    date.map(|date| (date, MORNING))
}

/// `2026-12-24`, `12/24/2026`, `12/24`.
fn numbered(today: Date, text: &str) -> Option<Date> {
    let parts: Vec<&str> = text.split(['-', '/']).collect();
    match parts.as_slice() {
        [year, month, day] if year.len() == 4 => {
            Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
        }
        [month, day, year] => Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok(),
        [month, day] => ahead(today, month.parse().ok()?, day.parse().ok()?),
        _ => None,
    }
}

/// The next such day of a year.
fn ahead(today: Date, month: i8, day: i8) -> Option<Date> {
    let this_year = Date::new(today.year(), month, day).ok();
    this_year.filter(|date| *date >= today).or_else(|| Date::new(today.year() + 1, month, day).ok())
}

fn ordinal(text: &str) -> Option<i8> {
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text);
    digits.parse().ok()
}

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// The months as they are written in full.
pub(crate) const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The place of a name in a list, whole or by three letters at least.
fn place(names: &[&str], text: &str) -> Option<i8> {
    let fits = |name: &&str| text.len() >= 3 && name.starts_with(text);
    i8::try_from(names.iter().position(fits)?).ok()
}

fn weekday(text: &str) -> Option<Weekday> {
    let text = text.strip_suffix('s').filter(|text| text.ends_with("day")).unwrap_or(text);
    Weekday::from_monday_zero_offset(place(&WEEKDAYS, text)?).ok()
}

fn month(text: &str) -> Option<i8> {
    place(&MONTHS, text).map(|place| place + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ZONE: &str = "Europe/London";

    fn seconds(text: &str) -> i64 {
        text.parse::<jiff::civil::DateTime>().unwrap().in_tz(ZONE).unwrap().timestamp().as_second()
    }

    /// A Monday at nine, and an hour later.
    fn now() -> i64 {
        seconds("2026-03-02T10:00")
    }

    #[test]
    fn times_are_read() {
        let check = |text: &str, wanted: &str| {
            let read = read(text, now(), ZONE).map(|when| when.time);
            assert_eq!(read, (!wanted.is_empty()).then(|| seconds(wanted)), "{text}");
        };
        check("20", "2026-03-02T10:00:20");
        check("in 15 minutes", "2026-03-02T10:15");
        check("In an hour and 5 mins", "2026-03-02T11:05");
        check("in 2 weeks", "2026-03-16T10:00");
        check("in a month", "2026-04-02T10:00");
        check("tomorrow", "2026-03-03T09:00");
        check("tomorrow at 5:30pm", "2026-03-03T17:30");
        check("at 9am", "2026-03-03T09:00");
        check("5 pm", "2026-03-02T17:00");
        check("at 12", "2026-03-02T12:00");
        check("noon", "2026-03-02T12:00");
        check("tonight", "2026-03-02T20:00");
        check("friday at 17:00", "2026-03-06T17:00");
        check("on Monday", "2026-03-09T09:00");
        check("next week", "2026-03-09T09:00");
        check("next month", "2026-04-01T09:00");
        check("July 4th", "2026-07-04T09:00");
        check("at 8am on January 25", "2027-01-25T08:00");
        check("2 April, 2027 at noon", "2027-04-02T12:00");
        check("on 2026-12-24", "2026-12-24T09:00");
        check("1/15", "2027-01-15T09:00");
        for text in
            ["", "whenever", "in", "in 5", "in 5 moons", "2026-03-01", "at 25:00", "at 13pm", "tomorrow at 5pm 6pm"]
        {
            check(text, "");
        }
        assert_eq!(read(&now().to_string(), now(), ZONE), None, "now is not ahead");
        assert_eq!(read("2772442060", now(), ZONE), None, "too far");
    }

    #[test]
    fn what_comes_again_is_read_and_comes_again() {
        let check = |text: &str, times: &[&str]| {
            let when = read(text, now(), ZONE).unwrap_or_else(|| panic!("{text}"));
            let (mut at, again) = (when.time, when.again.unwrap());
            for wanted in times {
                assert_eq!(at, seconds(wanted), "{text}: {wanted}");
                at = again.next(at, ZONE).unwrap();
            }
        };
        check("every day", &["2026-03-03T09:00", "2026-03-04T09:00"]);
        check("every day at 11am", &["2026-03-02T11:00", "2026-03-03T11:00"]);
        check("every weekday at 11am", &["2026-03-02T11:00", "2026-03-03T11:00"]);
        check("every thursday", &["2026-03-05T09:00", "2026-03-12T09:00"]);
        check("every tuesday and friday at noon", &["2026-03-03T12:00", "2026-03-06T12:00", "2026-03-10T12:00"]);
        check("every week", &["2026-03-03T09:00", "2026-03-10T09:00"]);
        check("every month", &["2026-03-03T09:00", "2026-04-03T09:00"]);
        check("on the 1st of every month", &["2026-04-01T09:00", "2026-05-01T09:00"]);
        check("at 4pm every monday", &["2026-03-02T16:00", "2026-03-09T16:00"]);
        check("every june 1", &["2026-06-01T09:00", "2027-06-01T09:00"]);
        // Summer time begins on the 29th; the hour stays.
        check("every sunday", &["2026-03-08T09:00", "2026-03-15T09:00", "2026-03-22T09:00", "2026-03-29T09:00"]);
    }

    #[test]
    fn recurrences_are_read() {
        let check = |given: Value, wanted: Option<(&str, Vec<&str>)>| {
            let read = Recurrence::read(&given);
            assert_eq!(read.as_ref().map(|again| (again.frequency.as_str(), again.days())), wanted, "{given}");
        };
        check(json!({ "frequency": "daily" }), Some(("daily", vec![])));
        check(
            json!("{\"frequency\":\"weekly\",\"weekdays\":[\"Monday\",\"friday\"]}"),
            Some(("weekly", vec!["monday", "friday"])),
        );
        check(json!({ "frequency": "yearly" }), Some(("yearly", vec![])));
        check(json!({ "frequency": "daily", "weekdays": ["monday"] }), None);
        check(json!({ "frequency": "weekly", "weekdays": ["someday"] }), None);
        check(json!({ "frequency": "hourly" }), None);
        check(json!("nonsense"), None);
    }
}
