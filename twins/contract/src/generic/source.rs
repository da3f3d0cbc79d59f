//! Made-up values must not depend on what else happened: a small generator keyed by what it is for.

/// A run of numbers fixed by the names it was made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source(u64);

impl Source {
    /// From a number drawn from the universe's seed.
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From names alone: for reads, which have no pen to draw with.
    pub(super) fn of(names: &[&str]) -> Self {
        names.iter().fold(Self(0xcbf2_9ce4_8422_2325), |source, name| source.child(name))
    }

    /// The run of a part.
    #[must_use]
    pub(super) fn child(self, name: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        // 0xff is no byte of UTF-8, so `a/bc` differs from `ab/c`.
        Self(mix(step(name.bytes().fold(self.0, step), 0xff)))
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.bits()) * bound as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// `length` characters of an ASCII alphabet.
    pub(super) fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }

    /// A version 4 UUID.
    pub(super) fn uuid(&mut self) -> String {
        let (a, b) = (self.bits(), self.bits());
        dtu_kernel::seed::uuid(a, b)
    }
}

/// `SplitMix64`'s finaliser: every bit of the answer depends on every bit given.
const fn mix(bits: u64) -> u64 {
    let a = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    b ^ (b >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_give_equal_values_and_others_do_not() {
        let text = |names: &[&str]| Source::of(names).text(b"abcdef0123456789", 16);
        assert_eq!(text(&["okta", "apps", "1"]), text(&["okta", "apps", "1"]));
        assert_ne!(text(&["a", "bc"]), text(&["ab", "c"]));
        assert_eq!(Source::new(7).uuid().len(), 36);
    }
}
