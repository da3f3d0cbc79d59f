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
