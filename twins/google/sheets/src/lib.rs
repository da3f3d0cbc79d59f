//! Google Sheets' twin: Sheets v4 over the workspace.
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
pub struct Sheets;

/// The twin.
pub const fn twin() -> Google<Sheets> {
    Google::new()
}

impl Api for Sheets {
    const FAMILY: Family = Family::Sheets;
    const READING: &'static [&'static str] = &[
        scopes::DRIVE,
        scopes::DRIVE_FILE,
        scopes::DRIVE_READONLY,
        scopes::SPREADSHEETS,
        scopes::SPREADSHEETS_READONLY,
    ];
    const WRITING: &'static [&'static str] = &[scopes::DRIVE, scopes::DRIVE_FILE, scopes::SPREADSHEETS];

    fn backing() -> &'static Backing {
        contract::backing()
    }
}
