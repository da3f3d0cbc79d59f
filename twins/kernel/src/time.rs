//! Points on the universe's time line, and the texts that services write them in.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A point in time: microseconds since the Unix epoch, UTC.
///
/// The only kind of time that state, ledger and twins hold. It comes from a [`crate::clock::Clock`], never from
/// the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since the Unix epoch.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * 1_000_000)
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the Unix epoch, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Seconds since the Unix epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The same point without its fraction of a second.
    #[must_use]
    pub const fn floor_secs(self) -> Self {
        Self(self.as_secs() * 1_000_000)
    }

    /// This much later; saturates at the end of time.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// This much earlier; saturates at the beginning of time.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// How long after `earlier` this is; zero where it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// `2026-03-02T09:00:00.000Z`, as Okta writes time.
    pub fn iso_millis(self) -> String {
        text(&self.iso_millis_bytes())
    }

    /// The same as bytes, which are ASCII.
    pub fn iso_millis_bytes(self) -> [u8; 24] {
        let c = self.civil();
        let mut out = *b"0000-00-00T00:00:00.000Z";
        iso_seconds(&mut out, c);
        digits(&mut out[20..23], c.millisecond());
        out
    }

    /// `2026-03-02T09:00:00.000000Z`, as the ledger writes time: nothing is lost.
    pub fn iso_micros(self) -> String {
        let c = self.civil();
        let mut out = *b"0000-00-00T00:00:00.000000Z";
        iso_seconds(&mut out, c);
        digits(&mut out[20..23], c.millisecond());
        digits(&mut out[23..26], c.microsecond());
        text(&out)
    }

    /// `Mon, 02 Mar 2026 09:00:00 GMT`, the form of the HTTP `Date` header (RFC 9110, section 5.6.7).
    pub fn http_date(self) -> String {
        const DAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
        const MONTHS: [&[u8; 3]; 12] =
            [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
        let c = self.civil();
        let mut out = *b"Mon, 00 Jan 0000 00:00:00 GMT";
        out[..3].copy_from_slice(DAYS[usize::from(c.weekday().to_monday_zero_offset().unsigned_abs())]);
        digits(&mut out[5..7], c.day().into());
        out[8..11].copy_from_slice(MONTHS[usize::from(c.month().unsigned_abs()) - 1]);
        digits(&mut out[12..16], c.year());
        clock_time(&mut out[17..25], c);
        text(&out)
    }

    /// Reads RFC 3339 (`2026-03-02T09:00:00Z`, any offset, any fraction).
    ///
    /// # Errors
    /// The reason, in words, where `text` is not a time with an offset.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.parse::<jiff::Timestamp>().map(|t| Self(t.as_microsecond())).map_err(|error| error.to_string())
    }

    fn civil(self) -> jiff::civil::DateTime {
        let stamp = jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::MAX);
        jiff::tz::Offset::UTC.to_datetime(stamp)
    }
}

/// Text of bytes that are ASCII.
fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).unwrap_or_default().to_owned()
}

/// Writes `2026-03-02T09:00:00` over the beginning of a text of that form. Done by hand: answers are full of times, and
/// formatting them showed in profiles.
fn iso_seconds(out: &mut [u8], c: jiff::civil::DateTime) {
    digits(&mut out[..4], c.year());
    digits(&mut out[5..7], c.month().into());
    digits(&mut out[8..10], c.day().into());
    clock_time(&mut out[11..19], c);
}

/// Writes `09:00:00` over a text of that form.
fn clock_time(out: &mut [u8], c: jiff::civil::DateTime) {
    digits(&mut out[..2], c.hour().into());
    digits(&mut out[3..5], c.minute().into());
    digits(&mut out[6..8], c.second().into());
}

/// A number of a date or time with leading zeros. None of them is negative: time begins in year 0 at the earliest.
fn digits(out: &mut [u8], number: i16) {
    let mut rest = number.unsigned_abs();
    for place in out.iter_mut().rev() {
        *place = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.iso_micros())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// The longest span: sums and multiples of a few of them stay far from the end of time.
const SPAN_MAX: Duration = Duration::from_secs(36_525 * 86_400);

/// Reads a span written by a person: `30s`, `15m`, `2h`, `10d`, `250ms`, or several in a row (`1h30m`).
///
/// # Errors
/// What is wrong with the text, in words.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("expected a span such as `30s`, `15m` or `2h`, found nothing".to_owned());
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().map_err(|_| format!("expected a number at `{rest}` in `{text}`"))?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = match &rest[..letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "" => return Err(format!("a unit is missing behind `{number}` in `{text}`; known are ms, s, m, h, d")),
            other => {
                return Err(format!("unknown unit `{other}` in `{text}`; known are ms, s, m, h, d"));
            }
        };
        rest = &rest[letters..];
        let millis = number.checked_mul(unit).ok_or_else(|| format!("`{text}` is too long"))?;
        total = total.checked_add(Duration::from_millis(millis)).ok_or_else(|| format!("`{text}` is too long"))?;
    }
    if total > SPAN_MAX {
        return Err(format!("`{text}` is longer than a hundred years"));
    }
    Ok(total)
}

/// A [`Duration`] that is read from, and written as, the text of [`parse_span`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_span(&text).map(Self).map_err(D::Error::custom)
    }
}

impl std::fmt::Display for Span {
    /// In the largest unit that leaves nothing over.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = self.0.as_millis();
        let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
        let fits = units.into_iter().find(|(unit, _)| millis > 0 && millis.is_multiple_of(*unit));
        match fits {
            Some((unit, name)) => write!(f, "{}{name}", millis / unit),
            None => write!(f, "{millis}ms"),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl schemars::JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$", "examples": ["30s", "15m", "1h30m"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_a_point_in_time() {
        let t = Timestamp::parse("2026-03-02T09:00:00.123456Z").expect("is a time");
        assert_eq!(t.iso_millis(), "2026-03-02T09:00:00.123Z");
        assert_eq!(t.iso_micros(), "2026-03-02T09:00:00.123456Z");
        assert_eq!(t.http_date(), "Mon, 02 Mar 2026 09:00:00 GMT");
        let sunday =
            Timestamp::parse("1999-12-31T23:59:59.009Z").expect("is a time").after(Duration::from_secs(2 * 86_400));
        assert_eq!(sunday.http_date(), "Sun, 02 Jan 2000 23:59:59 GMT");
        assert_eq!(sunday.iso_millis(), "2000-01-02T23:59:59.009Z");
        assert_eq!(Timestamp::parse(&t.iso_micros()), Ok(t));
        assert!(Timestamp::parse("yesterday").is_err());
    }

    #[test]
    fn spans_are_written_as_they_are_read() {
        for text in ["250ms", "30s", "90s", "15m", "2h", "10d", "0ms"] {
            assert_eq!(parse_span(text).map(|span| Span(span).to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn spans_are_read_as_people_write_them() {
        let check = |text: &str, millis: Option<u64>| {
            assert_eq!(parse_span(text).ok(), millis.map(Duration::from_millis), "{text}");
        };
        check("250ms", Some(250));
        check("30s", Some(30_000));
        check("1h30m", Some(5_400_000));
        check("", None);
        check("5", None);
        check("5y", None);
        check("-5s", None);
        check("99999999999999999999d", None);
    }
}
