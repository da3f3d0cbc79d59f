//! Parts of a contract that are parsed when first looked at: a twin of 700 operations starts without reading them all.

use std::sync::OnceLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

/// A value that is parsed at its first use.
///
/// It borrows the text it stands in. That text lives as long as the process: contracts are part of the program, or
/// were named on its command line.
pub struct Lazy<T> {
    text: Option<&'static RawValue>,
    value: OnceLock<T>,
}

impl<T: DeserializeOwned> Lazy<T> {
    /// The value.
    ///
    /// # Panics
    /// Where the text is not a `T`. [`crate::contract::Contract::read`] has looked before.
    pub fn get(&self) -> &T {
        self.value.get_or_init(|| self.parse().expect("contracts are checked where they are read"))
    }

    /// Parses the value now.
    ///
    /// # Errors
    /// What is wrong with its text.
    pub fn check(&self) -> Result<(), serde_json::Error> {
        if self.value.get().is_none() {
            let _ = self.value.set(self.parse()?);
        }
        Ok(())
    }

    fn parse(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.text.map_or("null", RawValue::get))
    }
}

impl<T> From<T> for Lazy<T> {
    fn from(value: T) -> Self {
        Self { text: None, value: OnceLock::from(value) }
    }
}

impl<T: Clone> Clone for Lazy<T> {
    fn clone(&self) -> Self {
        Self { text: self.text, value: self.value.clone() }
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.value.get() {
            Some(value) => value.fmt(f),
            None => f.write_str("(not parsed yet)"),
        }
    }
}

impl<T: DeserializeOwned + PartialEq> PartialEq for Lazy<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Serialize + DeserializeOwned> Serialize for Lazy<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.get().serialize(serializer)
    }
}

impl<'de: 'static, T> Deserialize<'de> for Lazy<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { text: Some(<&'de RawValue>::deserialize(deserializer)?), value: OnceLock::new() })
    }
}
