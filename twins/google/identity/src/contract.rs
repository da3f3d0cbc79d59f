//! What Google's public document says of these calls: the one place where rows made from it join the table.

use dtu_kernel::operation::Operation;

use crate::Identity;

/// Rows for what has no hand-written rules. The document has three operations, and all of them have.
pub fn rows() -> Vec<Operation<Identity>> {
    Vec::new()
}
