//! Rate limits as a profile of a universe: off, the services' real ones, or those times a factor.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Which rate limits hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limits {
    /// Nobody is limited.
    #[default]
    Off,
    /// The services' real limits, on the universe's clock.
    Real,
    /// The services' real limits times a factor.
    Scaled {
        /// In thousandths.
        per_mille: u32,
    },
}

impl Limits {
    /// The calls a minute that are allowed where the service allows `calls`; none where nobody is limited. At least one.
    pub fn of(self, calls: u32) -> Option<u32> {
        match self {
            Self::Off => None,
            Self::Real => Some(calls),
            Self::Scaled { per_mille } => {
                let scaled = u64::from(calls) * u64::from(per_mille) / 1_000;
                Some(u32::try_from(scaled).unwrap_or(u32::MAX).max(1))
            }
        }
    }

    /// Whether anybody is limited.
    pub const fn are_on(self) -> bool {
        !matches!(self, Self::Off)
    }
}

impl FromStr for Limits {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("unknown limits `{text}`; known are off, real, scale:K (such as scale:10 or scale:0.1)");
        match text {
            "off" => Ok(Self::Off),
            "real" => Ok(Self::Real),
            _ => {
                let factor = text.strip_prefix("scale:").ok_or_else(wrong)?;
                let (whole, part) = factor.split_once('.').unwrap_or((factor, ""));
                let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
                if whole.is_empty() || whole.len() > 6 || part.len() > 3 || !digits(whole) || !digits(part) {
                    return Err(wrong());
                }
                let per_mille = format!("{whole}{part:0<3}").parse().map_err(|_| wrong())?;
                if per_mille == 0 { Err(wrong()) } else { Ok(Self::Scaled { per_mille }) }
            }
        }
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Real => f.write_str("real"),
            Self::Scaled { per_mille } => {
                let text = format!("{}.{:03}", per_mille / 1_000, per_mille % 1_000);
                write!(f, "scale:{}", text.trim_end_matches('0').trim_end_matches('.'))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Serialize for Limits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Limits {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limits".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let pattern = "^(off|real|scale:[0-9]{1,6}([.][0-9]{1,3})?)$";
        schemars::json_schema!({ "type": "string", "pattern": pattern, "examples": ["off", "real", "scale:0.1"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_read_as_they_are_written() {
        let check = |text: &str, calls: Option<u32>| {
            let limits: Limits = text.parse().expect("is a profile");
            assert_eq!((limits.to_string().as_str(), limits.of(600)), (text, calls));
        };
        check("off", None);
        check("real", Some(600));
        check("scale:10", Some(6_000));
        check("scale:0.1", Some(60));
        check("scale:2.5", Some(1_500));
        check("scale:0.001", Some(1));
        for text in ["", "on", "scale:", "scale:0", "scale:x", "scale:-1", "scale:1.0001", "scale:9999999"] {
            assert!(text.parse::<Limits>().is_err(), "{text}");
        }
    }
}
