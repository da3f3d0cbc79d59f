//! Passwords that another system has hashed, and that are imported with an account.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/User/ (hashed passwords) for the algorithms
//! and what each needs.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256, Sha512};

use crate::error::Error;

/// How the other system hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// bcrypt, with its work factor.
    Bcrypt,
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// PBKDF2 with HMAC.
    Pbkdf2,
}

/// Where the salt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Salted {
    /// Nowhere.
    Not,
    /// In front of the password.
    Before,
    /// Behind the password.
    After,
}

/// A hash that another system made of a password.
#[derive(Clone, Debug)]
pub struct Imported {
    /// How.
    pub algorithm: Algorithm,
    /// The hash.
    pub value: String,
    /// The salt, as sent.
    pub salt: String,
    /// Where the salt stands.
    pub order: Salted,
    /// The work factor of bcrypt; 1 to 20.
    pub work: u64,
    /// The rounds of PBKDF2.
    pub iterations: u64,
    /// The length of PBKDF2's key in bytes.
    pub key_size: u64,
    /// Whether PBKDF2 uses SHA-512 rather than SHA-256.
    pub wide: bool,
}

/// The length of a salt of bcrypt, in its own alphabet.
const BCRYPT_SALT: usize = 22;
/// The work factors of bcrypt that Okta takes.
const WORK: std::ops::RangeInclusive<u64> = 1..=20;
/// The fewest rounds of PBKDF2 that Okta takes.
const ITERATIONS_MIN: u64 = 4_096;
/// The most: a check must not hold everybody up for seconds.
const ITERATIONS_MAX: u64 = 1_000_000;
/// The longest key of PBKDF2, in bytes.
const KEY_MAX: u64 = 1_024;

/// A field that is missing or does not fit.
fn misfit(field: &'static str, why: &'static str) -> Error {
    Error::fields(&[(field, why)])
}

impl Imported {
    /// Whether it says all that its algorithm needs.
    ///
    /// # Errors
    /// The first field that is missing or does not fit.
    pub fn checked(self) -> Result<Self, Error> {
        if self.value.is_empty() {
            return Err(misfit("value", "The field cannot be left blank"));
        }
        match self.algorithm {
            Algorithm::Bcrypt if !WORK.contains(&self.work) => {
                Err(misfit("workFactor", "The field has an invalid value"))
            }
            Algorithm::Bcrypt if self.salt.len() != BCRYPT_SALT => {
                Err(misfit("salt", "The field has an invalid value"))
            }
            Algorithm::Pbkdf2 if !(ITERATIONS_MIN..=ITERATIONS_MAX).contains(&self.iterations) => {
                Err(misfit("iterationCount", "The field has an invalid value"))
            }
            Algorithm::Pbkdf2 if !(1..=KEY_MAX).contains(&self.key_size) => {
                Err(misfit("keySize", "The field has an invalid value"))
            }
            Algorithm::Pbkdf2 if self.salt.is_empty() => Err(misfit("salt", "The field cannot be left blank")),
            _ if self.order != Salted::Not && self.salt.is_empty() => {
                Err(misfit("salt", "The field cannot be left blank"))
            }
            _ => Ok(self),
        }
    }

    /// Whether a password has this hash.
    pub fn fits(&self, password: &str) -> bool {
        match self.algorithm {
            Algorithm::Bcrypt => self.fits_bcrypt(password),
            Algorithm::Pbkdf2 => self.fits_pbkdf2(password),
            Algorithm::Md5 => self.is(&md5::Md5::digest(self.salted(password))),
            Algorithm::Sha1 => self.is(&sha1::Sha1::digest(self.salted(password))),
            Algorithm::Sha256 => self.is(&Sha256::digest(self.salted(password))),
            Algorithm::Sha512 => self.is(&Sha512::digest(self.salted(password))),
        }
    }

    /// The salt's bytes: salts are sent in base64, and one that is none counts as it is.
    fn salt(&self) -> Vec<u8> {
        STANDARD.decode(&self.salt).unwrap_or_else(|_| self.salt.as_bytes().to_vec())
    }

    fn salted(&self, password: &str) -> Vec<u8> {
        let password = password.as_bytes();
        match self.order {
            Salted::Not => password.to_vec(),
            Salted::Before => [self.salt().as_slice(), password].concat(),
            Salted::After => [password, self.salt().as_slice()].concat(),
        }
    }

    fn is(&self, digest: &[u8]) -> bool {
        STANDARD.encode(digest) == self.value
    }

    fn fits_bcrypt(&self, password: &str) -> bool {
        let whole = format!("$2b${:02}${}{}", self.work, self.salt, self.value);
        bcrypt::verify(password, &whole).unwrap_or(false)
    }

    fn fits_pbkdf2(&self, password: &str) -> bool {
        let mut key = vec![0; usize::try_from(self.key_size).unwrap_or_default()];
        let rounds = u32::try_from(self.iterations).unwrap_or(u32::MAX);
        let (password, salt) = (password.as_bytes(), self.salt());
        if self.wide {
            pbkdf2::pbkdf2_hmac::<Sha512>(password, &salt, rounds, &mut key);
        } else {
            pbkdf2::pbkdf2_hmac::<Sha256>(password, &salt, rounds, &mut key);
        }
        self.is(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imported(algorithm: Algorithm, value: &str, salt: &str, order: Salted) -> Imported {
        let (value, salt) = (value.to_owned(), salt.to_owned());
        Imported { algorithm, value, salt, order, work: 4, iterations: 4_096, key_size: 32, wide: false }
    }

    /// Each value was made by another program: Python's hashlib and crypt.
    #[test]
    fn hashes_of_other_systems_are_understood() {
        let check = |algorithm, value: &str, salt: &str, order| {
            let imported = imported(algorithm, value, salt, order).checked().expect("is whole");
            assert!(imported.fits("Tr0ub4dor"), "{algorithm:?}");
            assert!(!imported.fits("Tr0ub4dos"), "{algorithm:?}");
        };
        check(Algorithm::Md5, "f1t9XTQizL4n8XpgidstHA==", "cGVwcGVy", Salted::Before);
        check(Algorithm::Sha1, "NBdDztnUwAZvLISz91FwJzG4Py0=", "cGVwcGVy", Salted::Before);
        check(Algorithm::Sha256, "th9vjK1lp/wTDxGIu8Q4K4fYGjPboqczrWR8i3pL3Ok=", "cGVwcGVy", Salted::Before);
        check(
            Algorithm::Sha512,
            "tSE5UuGVAC8iM0l7GUMIDWoxb+Qdb8GuZtK4Ya9zyafuSh5Vboev3GvcaIKVx93GT9p22eKMrEYG2H264bKJPA==",
            "cGVwcGVy",
            Salted::Before,
        );
        check(Algorithm::Md5, "JWY7E2fWi+a467Nc2RMtJg==", "cGVwcGVy", Salted::After);
        check(
            Algorithm::Sha512,
            "u4GqPUwfG9el6YAHy5nRAz7VeMqVyQhNvnEz/k4T2HFeRQnLoBiJclh5BrjX3Fp/teswZJWfW729uOVpofKlSA==",
            "",
            Salted::Not,
        );
        check(Algorithm::Pbkdf2, "XCos37RkHfVpvAnabDRkG3tX4+soyZW+ZLQYG2510Hg=", "cGVwcGVy", Salted::Not);
        check(Algorithm::Bcrypt, "KC4nwQ/40pdVH.z4/reSqlzV4ZGMBQG", "abcdefghijklmnopqrstuu", Salted::Not);
    }

    #[test]
    fn what_an_algorithm_needs_must_be_there() {
        let check = |imported: Imported, field: &str| {
            let Err(Error::Validation { about, .. }) = imported.checked() else { panic!("{field} is refused") };
            assert_eq!(about, field);
        };
        let plain = |algorithm| imported(algorithm, "eA==", "", Salted::Not);
        check(Imported { value: String::new(), ..plain(Algorithm::Md5) }, "value");
        check(Imported { order: Salted::Before, ..plain(Algorithm::Sha1) }, "salt");
        check(plain(Algorithm::Bcrypt), "salt");
        check(Imported { work: 21, ..plain(Algorithm::Bcrypt) }, "workFactor");
        check(Imported { iterations: 1_000, ..plain(Algorithm::Pbkdf2) }, "iterationCount");
        check(Imported { key_size: 0, ..plain(Algorithm::Pbkdf2) }, "keySize");
        check(plain(Algorithm::Pbkdf2), "salt");
    }
}
