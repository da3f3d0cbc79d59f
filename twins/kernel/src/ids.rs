//! Provider-shaped identifiers, drawn from the seed tree.

use smol_str::SmolStr;

use crate::seed::{Draw, Site};

/// Digits and upper-case letters, as in Slack's ids.
pub const UPPER_ALNUM: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Digits, lower-case and upper-case letters, as in Okta's ids.
pub const ALNUM: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// Lower-case hexadecimal digits.
pub const HEX: &[u8] = b"0123456789abcdef";
/// The URL-safe base64 alphabet, as in tokens.
pub const BASE64_URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// How one kind of identifier looks, and where its draws come from.
#[derive(Clone, Copy, Debug)]
pub struct IdShape {
    /// The draws' site. Two kinds never share one.
    pub site: Site,
    /// What each id of the kind starts with.
    pub prefix: &'static str,
    /// What the drawn characters are taken from.
    pub alphabet: &'static [u8],
    /// How many characters are drawn after the prefix.
    pub drawn: usize,
    /// What each id of the kind ends with.
    pub suffix: &'static str,
}

/// 128 bits as 32 hexadecimal digits.
pub fn hex(a: u64, b: u64) -> String {
    let bits = (u128::from(a) << 64) | u128::from(b);
    let digit = |place: u32| char::from(HEX[usize::try_from((bits >> (place * 4)) & 15).unwrap_or(0)]);
    let mut out = String::with_capacity(32);
    out.extend((0..32).rev().map(digit));
    out
}

impl IdShape {
    /// The id that `draw` yields.
    pub fn make(&self, draw: &mut Draw) -> SmolStr {
        let mut out = String::with_capacity(self.prefix.len() + self.drawn + self.suffix.len());
        out.push_str(self.prefix);
        out.push_str(&draw.text(self.alphabet, self.drawn));
        out.push_str(self.suffix);
        SmolStr::from(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_written_as_digits() {
        let check = |a: u64, b: u64| assert_eq!(hex(a, b), format!("{a:016x}{b:016x}"));
        check(0, 0);
        check(1, u64::MAX);
        check(0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210);
    }
}
