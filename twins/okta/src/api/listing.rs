//! What the lists of people and of groups share: operators, sort order, absent texts.

use crate::{error::Error, query::Operator, search::Direction};

/// What `filter` compares anything else with.
pub(super) const EQUAL: &[Operator] = &[Operator::Eq];

/// What `filter` compares a time with.
pub(super) const FILTERS: &[Operator] = &[Operator::Eq, Operator::Gt, Operator::Ge, Operator::Lt, Operator::Le];

/// What `search` compares an attribute with that cannot be looked into.
pub(super) const NO_CO: &[Operator] =
    &[Operator::Eq, Operator::Sw, Operator::Pr, Operator::Gt, Operator::Ge, Operator::Lt, Operator::Le];

/// All that `search` knows.
pub(super) const SEARCHES: &[Operator] =
    &[Operator::Eq, Operator::Sw, Operator::Co, Operator::Pr, Operator::Gt, Operator::Ge, Operator::Lt, Operator::Le];

/// What `search` compares a time with.
pub(super) const TIMES: &[Operator] =
    &[Operator::Eq, Operator::Pr, Operator::Gt, Operator::Ge, Operator::Lt, Operator::Le];

/// Whether a parameter says something: one that is empty counts as absent.
pub(super) fn has_text(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.trim().is_empty())
}

/// `sortOrder`.
pub(super) fn direction(text: Option<&str>) -> Result<Direction, Error> {
    match text.map(str::to_ascii_lowercase).as_deref() {
        None | Some("asc" | "ascending") => Ok(Direction::Up),
        Some("desc" | "descending") => Ok(Direction::Down),
        Some(other) => Err(Error::Search(format!("Invalid sort order '{other}'."))),
    }
}
