//! The org's rate limits.
//!
//! Recorded `x-rate-limit-limit` values of a workforce org; developer.okta.com/docs/reference/rate-limits/ for how
//! they count: an exact path first, then the longest prefix.

/// Calls a minute by bucket.
pub const LIMITS: &[(&str, u32)] = &[
    ("users", 600),
    ("users/{id} read", 2_000),
    ("users/{id} write", 600),
    ("groups", 500),
    ("groups/{id}", 1_000),
    ("logs", 120),
    ("eventHooks", 1_000),
    ("api-tokens", 300),
    ("other", 1_000),
];

/// Calls a minute of a bucket.
pub fn per_minute(bucket: &str) -> u32 {
    LIMITS.iter().find(|(name, _)| *name == bucket).map_or(1_200, |(_, calls)| *calls)
}

#[cfg(test)]
mod tests {
    use dtu_kernel::host::host;

    #[test]
    fn each_operation_has_a_bucket() {
        for operation in host(crate::Okta).operations() {
            let known = super::LIMITS.iter().any(|(name, _)| *name == operation.limit);
            assert!(known, "{} has the unknown limit `{}`", operation.id, operation.limit);
        }
    }
}
