//! One Google Workspace: what Google's twins share.
//!
//! Google's APIs are several services over one store. The store ([`model::State`]), its accounts, credentials and
//! tokens, how a call to an API is believed, and the envelopes of refusals are here; each API's own rules are in its
//! crate.

pub mod api;
pub mod auth;
pub mod backed;
pub mod caller;
pub mod error;
pub mod family;
pub mod fields;
pub mod input;
pub mod keys;
pub mod limits;
pub mod model;
pub mod render;
pub mod scopes;
pub mod testing;
pub mod views;
pub mod world;

use dtu_kernel::seed::Site;

/// The name of the store that all of Google's twins share.
pub const STORE: &str = "google";

/// The root of all draws.
pub const SITE: Site = Site::named(STORE);
