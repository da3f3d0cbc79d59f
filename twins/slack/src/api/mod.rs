//! The methods, one file per family: parse, call the model, render. Thin.

pub(crate) mod auth;
pub(crate) mod chat;
pub(crate) mod conversations;
pub(crate) mod hooks;
pub(crate) mod paging;
pub(crate) mod timeline;
pub(crate) mod users;
