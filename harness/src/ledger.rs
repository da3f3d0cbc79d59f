//! Going through what a universe has told.

use std::io;

use dtu_kernel::universe::Universe;
use serde_json::Value;

/// Goes through a universe's ledger, oldest entry first.
///
/// # Errors
/// Where entries on disk cannot be read back, and those of `look`.
pub fn for_each_entry(universe: &Universe, mut look: impl FnMut(&Value) -> io::Result<()>) -> io::Result<()> {
    const PAGE: usize = 1_024;
    let mut from = 0;
    loop {
        let page = universe.ledger().page(from, PAGE)?;
        if page.is_empty() {
            return Ok(());
        }
        from += page.len() as u64;
        page.iter().try_for_each(&mut look)?;
    }
}
