//! One-time codes that follow from a shared secret and the time (RFC 4226 and RFC 6238).

use data_encoding::BASE32_NOPAD;
use dtu_kernel::time::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// How long a code is shown, in seconds.
pub const STEP_SECS: u64 = 30;
/// How many digits a code has.
pub const DIGITS: u32 = 6;
/// How many bytes a secret that Okta draws has: sixteen characters of base32.
pub const KEY_BYTES: usize = 10;
/// How many steps a clock may be off, to each side.
const DRIFT: u64 = 1;

/// The code of a counter.
pub fn hotp(key: &[u8], counter: u64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("keys of HMAC have any length");
    mac.update(&counter.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash.last().copied().unwrap_or_default() & 0xf);
    let word: [u8; 4] = hash[at..at + 4].try_into().expect("is four bytes of twenty");
    let number = u32::from_be_bytes(word) & 0x7fff_ffff;
    format!("{:06}", number % 10_u32.pow(DIGITS))
}

/// The step that a time lies in.
pub fn step(now: Timestamp) -> u64 {
    u64::try_from(now.as_secs()).unwrap_or(0) / STEP_SECS
}

/// The code that an app shows at a time.
pub fn totp(key: &[u8], now: Timestamp) -> String {
    hotp(key, step(now))
}

/// The step whose code was given, where a clock may be a step off.
pub fn matching(key: &[u8], code: &str, now: Timestamp) -> Option<u64> {
    let here = step(now);
    let mut steps = here.saturating_sub(DRIFT)..=here + DRIFT;
    steps.find(|step| hotp(key, *step) == code.trim())
}

/// A secret as people copy it into an app.
pub fn base32(key: &[u8]) -> String {
    BASE32_NOPAD.encode(key)
}

#[cfg(test)]
mod tests {
    use dtu_kernel::time::Timestamp;

    /// RFC 6238, appendix B, of whose eight digits the last six are shown.
    #[test]
    fn codes_are_those_of_the_standard() {
        let check = |secs: i64, wanted: &str| {
            assert_eq!(super::totp(b"12345678901234567890", Timestamp::from_secs(secs)), wanted, "{secs}");
        };
        check(59, "287082");
        check(1_111_111_109, "081804");
        check(1_111_111_111, "050471");
        check(1_234_567_890, "005924");
        check(2_000_000_000, "279037");
        check(20_000_000_000, "353130");
    }

    #[test]
    fn a_clock_may_be_a_step_off() {
        let key = b"12345678901234567890";
        let now = Timestamp::from_secs(1_111_111_111);
        let check = |off: i64, wanted: bool| {
            let code = super::totp(key, Timestamp::from_secs(1_111_111_111 + off));
            assert_eq!(super::matching(key, &code, now).is_some(), wanted, "{off}");
        };
        check(0, true);
        check(-30, true);
        check(30, true);
        check(-90, false);
        check(90, false);
    }
}
