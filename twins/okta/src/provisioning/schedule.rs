//! When imports are due: schedules in the format of UNIX's cron, in a time zone.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationFeatures/ (import schedules).

use dtu_kernel::time::Timestamp;
use jiff::{Timestamp as Moment, ToSpan as _, civil::DateTime, tz::TimeZone};
use serde_json::Value;

/// How far ahead a time is looked for: a leap day may be eight years away.
const DAYS_MAX: usize = 366 * 8 + 2;

/// The fields of a schedule: the values at which it is due.
struct Fields {
    minutes: Vec<i8>,
    hours: Vec<i8>,
    days: Vec<i8>,
    months: Vec<i8>,
    weekdays: Vec<i8>,
    /// Whether days of the month, and of the week, are restricted: where both are, either will do.
    restricted: (bool, bool),
}

/// The next time behind another at which a schedule is due; none where it cannot be read, or never is.
pub(super) fn next(schedule: &Value, after: Timestamp) -> Option<Timestamp> {
    let fields = Fields::read(schedule["expression"].as_str()?)?;
    let zone = match schedule["timezone"].as_str() {
        Some(name) => TimeZone::get(name).ok()?,
        None => TimeZone::UTC,
    };
    let start = Moment::from_second(after.as_secs()).ok()?.to_zoned(zone.clone()).datetime();
    let mut date = start.date();
    for _ in 0..DAYS_MAX {
        if fields.has(date.month(), date.day(), date.weekday().to_sunday_zero_offset()) {
            let times = fields.hours.iter().flat_map(|hour| fields.minutes.iter().map(move |minute| (*hour, *minute)));
            let due = times.filter_map(|(hour, minute)| moment(date.at(hour, minute, 0, 0), &zone));
            if let Some(at) = due.filter(|at| *at > after).min() {
                return Some(at);
            }
        }
        date = date.checked_add(1.day()).ok()?;
    }
    None
}

fn moment(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    at.to_zoned(zone.clone()).ok().map(|zoned| Timestamp::from_secs(zoned.timestamp().as_second()))
}

impl Fields {
    fn read(text: &str) -> Option<Self> {
        let [minutes, hours, days, months, weekdays] = text.split_whitespace().collect::<Vec<_>>().try_into().ok()?;
        let mut of_week = field(weekdays, 0, 7)?;
        // Sunday is 0 and 7.
        if of_week.contains(&7) {
            of_week.retain(|day| *day != 7);
            of_week.push(0);
        }
        Some(Self {
            minutes: field(minutes, 0, 59)?,
            hours: field(hours, 0, 23)?,
            days: field(days, 1, 31)?,
            months: field(months, 1, 12)?,
            weekdays: of_week,
            restricted: (!days.starts_with('*'), !weekdays.starts_with('*')),
        })
    }

    fn has(&self, month: i8, day: i8, weekday: i8) -> bool {
        let (by_day, by_week) = (self.days.contains(&day), self.weekdays.contains(&weekday));
        self.months.contains(&month)
            && if self.restricted == (true, true) { by_day || by_week } else { by_day && by_week }
    }
}

/// The values of a field: `*`, `*/15`, `1-5`, `1-9/2`, `3`, or several of these.
fn field(text: &str, least: i8, most: i8) -> Option<Vec<i8>> {
    let mut values = Vec::new();
    for part in text.split(',') {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let step: usize = step.map_or(Ok(1), str::parse).ok().filter(|step| *step > 0)?;
        let (from, to) = match range {
            "*" => (least, most),
            _ => {
                if let Some((from, to)) = range.split_once('-') {
                    (from.parse().ok()?, to.parse().ok()?)
                } else {
                    let one: i8 = range.parse().ok()?;
                    (one, if part.contains('/') { most } else { one })
                }
            }
        };
        if from < least || to > most || from > to {
            return None;
        }
        values.extend((from..=to).step_by(step));
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schedules_are_due_at_their_times() {
        let check = |expression: &str, zone: &str, wanted: &str| {
            let after = Timestamp::parse("2026-03-02T09:00:00Z").expect("is a time");
            let mut schedule = json!({ "expression": expression });
            if !zone.is_empty() {
                schedule["timezone"] = json!(zone);
            }
            assert_eq!(next(&schedule, after).map(Timestamp::iso_millis).unwrap_or_default(), wanted, "{expression}");
        };
        check("0 9 * * *", "", "2026-03-03T09:00:00.000Z");
        check("30 9 * * *", "", "2026-03-02T09:30:00.000Z");
        check("*/15 * * * *", "", "2026-03-02T09:15:00.000Z");
        check("0 0 * * *", "America/New_York", "2026-03-03T05:00:00.000Z");
        check("0 0 9 3 *", "America/New_York", "2026-03-09T04:00:00.000Z");
        check("0 12 * * 0", "", "2026-03-08T12:00:00.000Z");
        check("0 12 * * 7", "", "2026-03-08T12:00:00.000Z");
        check("0 12 15 * 3", "", "2026-03-04T12:00:00.000Z");
        check("0 12 1-7/3,20 4 *", "", "2026-04-01T12:00:00.000Z");
        check("0 0 29 2 *", "", "2028-02-29T00:00:00.000Z");
        for broken in
            ["", "* * * *", "60 * * * *", "* * * * 8", "a * * * *", "5-1 * * * *", "*/0 * * * *", "0 0 30 2 *"]
        {
            check(broken, "", "");
        }
        check("0 9 * * *", "Nowhere/Town", "");
    }
}
