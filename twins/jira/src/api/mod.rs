//! What Jira answers: one file a resource. A handler reads arguments, asks the model, and renders.

pub mod server;
pub mod shapes;
pub mod users;

use dtu_kernel::{operation::Typed, twin::Read};

use crate::{Jira, error::Error};

/// What a reading handler is given.
pub type Cx<'a> = Read<'a, Jira>;

/// What a handler answers.
pub type Answered<B> = Result<Typed<B>, Error>;

/// A page of a list that is counted from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The first place.
    pub start: usize,
    /// How many at most.
    pub max: usize,
}

impl Page {
    /// The page that a wish leads to: too small numbers count as the smallest, too large ones as `most`.
    pub fn of(start_at: Option<i32>, max_results: Option<i32>, default: usize, most: usize) -> Self {
        let floor = |wish: i32| usize::try_from(wish).unwrap_or(0);
        Self { start: start_at.map_or(0, floor), max: max_results.map_or(default, floor).min(most) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_cut_to_what_there_is() {
        let check = |start, max, wanted: (usize, usize)| {
            let page = Page::of(start, max, 50, 1_000);
            assert_eq!((page.start, page.max), wanted);
        };
        check(None, None, (0, 50));
        check(Some(7), Some(3), (7, 3));
        check(Some(-1), Some(-1), (0, 0));
        check(None, Some(5_000), (0, 1_000));
    }
}
