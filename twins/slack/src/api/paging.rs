//! Cursors and page sizes. A cursor names the row to go on from, so that paging stays right while rows are added.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::error::Code;

/// Where the next page begins.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct PageEnd {
    /// Empty where there is none.
    pub(crate) next_cursor: String,
}

impl PageEnd {
    pub(crate) fn new(next: Option<String>) -> Self {
        Self { next_cursor: next.unwrap_or_default() }
    }
}

/// A cursor on the row `key` of a kind.
pub(crate) fn cursor(kind: &str, key: &str) -> String {
    STANDARD.encode(format!("{kind}:{key}"))
}

/// The key of a cursor of this kind; none where no cursor was given.
///
/// # Errors
/// Where the cursor is not one of this method's.
pub(crate) fn read_cursor(cursor: Option<&str>, kind: &str) -> Result<Option<SmolStr>, Code> {
    let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else { return Ok(None) };
    let bytes = STANDARD.decode(cursor).map_err(|_| Code::InvalidCursor)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Code::InvalidCursor)?;
    match text.split_once(':') {
        Some((found, key)) if found == kind && !key.is_empty() => Ok(Some(key.into())),
        _ => Err(Code::InvalidCursor),
    }
}

/// A `limit` argument: a number, or text for one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Limit(Option<String>);

impl Limit {
    /// The page size: what is out of bounds is adjusted without a word.
    ///
    /// # Errors
    /// Where it is not a number.
    pub(crate) fn size(&self, default: usize, most: usize) -> Result<usize, Code> {
        let Some(text) = self.0.as_deref().map(str::trim).filter(|text| !text.is_empty()) else { return Ok(default) };
        let number: i64 = text.parse().map_err(|_| Code::InvalidLimit)?;
        match usize::try_from(number) {
            Err(_) | Ok(0) => Ok(default),
            Ok(size) => Ok(size.min(most)),
        }
    }
}
