//! Google Drive's twin: Drive v3 over the workspace.
//!
//! What it offers is the table in [`Api::operations`]. The workspace that it works on, and how callers are believed and
//! refused, are Google's twins' own in `dtu-google-workspace`.

pub mod api;
pub mod contract;

use dtu_contract::backing::Backing;
use dtu_google_workspace::{
    api::{Api, Google},
    family::Family,
    scopes,
};
use dtu_kernel::operation::Operation;
use http::Method;

/// The API.
#[derive(Debug)]
pub struct Drive;

/// The twin.
pub const fn twin() -> Google<Drive> {
    Google::new()
}

impl Api for Drive {
    const FAMILY: Family = Family::Drive;
    const READING: &'static [&'static str] = &[
        scopes::DRIVE,
        scopes::DRIVE_APPDATA,
        scopes::DRIVE_FILE,
        scopes::DRIVE_METADATA,
        scopes::DRIVE_METADATA_READONLY,
        scopes::DRIVE_PHOTOS_READONLY,
        scopes::DRIVE_READONLY,
    ];
    const WRITING: &'static [&'static str] = &[scopes::DRIVE, scopes::DRIVE_APPDATA, scopes::DRIVE_FILE];

    fn backing() -> &'static Backing {
        contract::backing()
    }

    fn operations() -> Vec<Operation<Google<Self>>> {
        vec![Operation::read("drive.about.get", &[Method::GET], "/drive/v3/about", api::about::get)]
    }
}
