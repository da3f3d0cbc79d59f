//! Message timestamps: microseconds, written `secs.micros`, unique within a channel.

use dtu_kernel::time::Timestamp;
use smol_str::SmolStr;

/// A time as Slack writes it in `ts` members.
pub fn ts_text(micros: u64) -> SmolStr {
    // By hand, from the end: each message has several of them.
    let mut text = [b'0'; 24];
    let (mut at, mut rest) = (text.len(), micros);
    while rest > 0 || text.len() - at < 8 {
        at -= 1;
        if text.len() - at == 7 {
            text[at] = b'.';
        } else {
            text[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
    }
    SmolStr::new(std::str::from_utf8(&text[at..]).unwrap_or_default())
}

/// Reads `1772442000.000100`, with any number of decimals up to six or none.
pub fn parse_ts(text: &str) -> Option<u64> {
    let (secs, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if secs.is_empty() || !digits(secs) || !digits(fraction) || fraction.len() > 6 {
        return None;
    }
    let micros: u64 = format!("{fraction:0<6}").parse().ok()?;
    secs.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)
}

/// Reads the timestamp that names a message. Slack compares these as text: one with fewer than six decimals, as
/// floating-point numbers come out, names none.
pub fn parse_message_ts(text: &str) -> Option<u64> {
    let (_, fraction) = text.trim().split_once('.')?;
    if fraction.len() == 6 { parse_ts(text) } else { None }
}

/// The universe's time as a message timestamp.
pub(crate) fn micros(now: Timestamp) -> u64 {
    u64::try_from(now.as_micros()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read_as_they_are_written() {
        let check = |text: &str, micros: Option<u64>| assert_eq!(parse_ts(text), micros, "{text}");
        check("1772442000.000100", Some(1_772_442_000_000_100));
        check("1772442000", Some(1_772_442_000_000_000));
        check("1772442000.5", Some(1_772_442_000_500_000));
        check("0", Some(0));
        check("", None);
        check(".5", None);
        check("-1", None);
        check("12.1234567", None);
        check("yesterday", None);
        check("99999999999999999999", None);
        assert_eq!(parse_message_ts("1772442000.000100"), Some(1_772_442_000_000_100));
        assert_eq!((parse_message_ts("1772442000.0001"), parse_message_ts("1772442000")), (None, None));
        assert_eq!(ts_text(1_772_442_000_000_100), "1772442000.000100");
        assert_eq!((ts_text(0).as_str(), ts_text(5_000_000).as_str()), ("0.000000", "5.000000"));
        assert_eq!(ts_text(u64::MAX), "18446744073709.551615");
    }
}
