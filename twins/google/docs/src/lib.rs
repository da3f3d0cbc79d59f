//! Google Docs' twin: Docs v1 over the workspace.
//!
//! What it offers is what its public document has. The workspace that it works on, and how callers are believed and
//! refused, are Google's twins' own in `dtu-google-workspace`.

pub mod contract;

use dtu_contract::backing::Backing;
use dtu_google_workspace::{
    api::{Api, Google},
    family::Family,
    scopes,
};

/// The API.
#[derive(Debug)]
pub struct Docs;

/// The twin.
pub const fn twin() -> Google<Docs> {
    Google::new()
}

impl Api for Docs {
    const FAMILY: Family = Family::Docs;
    const READING: &'static [&'static str] =
        &[scopes::DOCUMENTS, scopes::DOCUMENTS_READONLY, scopes::DRIVE, scopes::DRIVE_FILE, scopes::DRIVE_READONLY];
    const WRITING: &'static [&'static str] = &[scopes::DOCUMENTS, scopes::DRIVE, scopes::DRIVE_FILE];

    fn backing() -> &'static Backing {
        contract::backing()
    }
}
