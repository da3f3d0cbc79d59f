//! The methods, one file per family: parse, call the model, render. Thin.

pub(crate) mod about;
pub(crate) mod auth;
pub(crate) mod chat;
pub(crate) mod conversations;
pub(crate) mod downloads;
pub(crate) mod files;
pub(crate) mod groups;
pub(crate) mod hooks;
pub(crate) mod later;
pub(crate) mod marks;
pub(crate) mod paging;
pub(crate) mod remote_files;
pub(crate) mod search;
pub(crate) mod timeline;
pub(crate) mod tokens;
pub(crate) mod users;
pub(crate) mod windows;
pub(crate) mod workspace;

/// Marks, what is said later, people, groups and the workspace.
pub(crate) fn more() -> Vec<crate::Row> {
    let families: [fn() -> Vec<crate::Row>; 6] = [
        marks::operations,
        later::operations,
        about::operations,
        groups::operations,
        workspace::operations,
        tokens::operations,
    ];
    families.into_iter().flat_map(|family| family()).collect()
}
