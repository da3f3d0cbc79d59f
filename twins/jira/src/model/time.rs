//! Time as Jira writes it.

use dtu_kernel::time::Timestamp;
use jiff::tz::TimeZone;

/// `2026-03-02T09:00:00.000+0000`: the offset is the time zone's, without a colon. A time zone that nobody knows counts
/// as UTC.
pub fn local(at: Timestamp, time_zone: &str) -> String {
    zoned(at, TimeZone::get(time_zone).unwrap_or(TimeZone::UTC)).strftime("%Y-%m-%dT%H:%M:%S%.3f%z").to_string()
}

/// `2026-03-02T09:00:00Z`: the form of rate-limit headers, in whole seconds.
pub fn utc(at: Timestamp) -> String {
    zoned(at, TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn zoned(at: Timestamp, time_zone: TimeZone) -> jiff::Zoned {
    let instant = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    instant.to_zoned(time_zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_have_no_colon_and_follow_the_season() {
        let check = |at: &str, time_zone: &str, wanted: &str| {
            let at = Timestamp::parse(at).expect("is a time");
            assert_eq!(local(at, time_zone), wanted);
        };
        check("2026-03-02T09:00:00Z", "Europe/London", "2026-03-02T09:00:00.000+0000");
        check("2026-07-02T09:00:00.5Z", "Europe/London", "2026-07-02T10:00:00.500+0100");
        check("2026-03-02T09:00:00Z", "America/New_York", "2026-03-02T04:00:00.000-0500");
        check("2026-03-02T09:00:00Z", "Nowhere/At_All", "2026-03-02T09:00:00.000+0000");
        assert_eq!(utc(Timestamp::from_micros(1_500_000)), "1970-01-01T00:00:01Z");
    }
}
