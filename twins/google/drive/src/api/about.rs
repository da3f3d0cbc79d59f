//! The caller, the caller's storage, and what Drive can do.
//!
//! See developers.google.com/workspace/drive/api/reference/rest/v3/about.

use dtu_google_workspace::{
    api::Google,
    caller::Caller,
    error::{Error, Location, Said},
    fields::Mask,
    model::{State, account::Account, token::Holder},
};
use dtu_kernel::{operation::Typed, twin::Read};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::Drive;

/// Arguments of `drive.about.get`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Get {
    /// What is wanted of the answer: nothing is answered without.
    fields: Option<String>,
}

/// `drive.about.get`.
pub fn get(cx: &Read<'_, Google<Drive>>, args: Get) -> Result<Typed<Value>, Error> {
    let Some(fields) = args.fields.filter(|fields| !fields.is_empty()) else {
        let message = "The 'fields' parameter is required for this method.";
        return Err(Said::new("INVALID_ARGUMENT", "required", message).at(Location::parameter("fields")).into());
    };
    let mask = Mask::parse(&fields).map_err(Error::Fields)?;
    let whole = about(cx.state, cx.caller);
    let is_map = |name: &str| matches!(name, "importFormats" | "exportFormats" | "maxImportSizes");
    mask.check(&whole, is_map).map_err(Error::Fields)?;
    // The part asked for is taken from every answer when it is sent.
    Ok(Typed::ok(&Value::Object(whole)))
}

/// Everything there is to say. What a workspace's administrators could change is as Google sets it up.
fn about(state: &State, caller: &Caller) -> Map<String, Value> {
    let theme = json!([{ "id": "abacus", "backgroundImageLink": THEME_IMAGE, "colorRgb": "#ea6100" }]);
    let is_person = matches!(caller.holder, Holder::Person(_));
    let whole = json!({
        "kind": "drive#about",
        "user": user(state, caller),
        "storageQuota": quota(),
        "importFormats": formats(IMPORTS),
        "exportFormats": formats(EXPORTS),
        "maxImportSizes": maxima(),
        "maxUploadSize": UPLOAD_MAX.to_string(),
        "appInstalled": true,
        "folderColorPalette": PALETTE,
        "driveThemes": theme,
        "teamDriveThemes": theme,
        "canCreateDrives": is_person,
        "canCreateTeamDrives": is_person,
    });
    whole.as_object().cloned().unwrap_or_default()
}

/// The caller. Service accounts have their mail address for a name.
fn user(state: &State, caller: &Caller) -> Value {
    let name = state.account(&caller.holder).map_or_else(|| caller.name.to_string(), Account::full_name);
    let (Holder::Person(id) | Holder::Service(id)) = &caller.holder;
    json!({
        "kind": "drive#user",
        "displayName": name,
        "photoLink": "https://lh3.googleusercontent.com/a/default-user=s64",
        "me": true,
        // Twenty digits, the same for a person in all files.
        "permissionId": &id[1..],
        "emailAddress": caller.name,
    })
}

/// Nothing takes up room yet.
fn quota() -> Value {
    json!({ "limit": STORAGE_MAX.to_string(), "usage": "0", "usageInDrive": "0", "usageInDriveTrash": "0" })
}

/// The storage of a workspace, pooled: two terabytes, in bytes.
const STORAGE_MAX: u64 = 2 << 40;
/// The longest upload, in bytes.
const UPLOAD_MAX: u64 = 5_497_558_138_880;
const THEME_IMAGE: &str = "https://ssl.gstatic.com/team_drive_themes/abacus_background.jpg";

/// Colours that folders may have.
const PALETTE: &[&str] = &[
    "#ac725e", "#d06b64", "#f83a22", "#fa573c", "#ff7537", "#ffad46", "#fad165", "#fbe983", "#b3dc6c", "#7bd148",
    "#16a765", "#42d692", "#92e1c0", "#9fe1e7", "#9fc6e7", "#4986e7", "#9a9cff", "#b99aff", "#c2c2c2", "#cabdbf",
    "#cca6ac", "#f691b2", "#cd74e6", "#a47ae2",
];

const DOCUMENT: &str = "application/vnd.google-apps.document";
const SPREADSHEET: &str = "application/vnd.google-apps.spreadsheet";
const PRESENTATION: &str = "application/vnd.google-apps.presentation";
const DRAWING: &str = "application/vnd.google-apps.drawing";

/// The longest files that can be made into Google's, in bytes.
fn maxima() -> Value {
    let mib = |number: u64| (number << 20).to_string();
    json!({ DOCUMENT: mib(10), SPREADSHEET: mib(100), PRESENTATION: mib(100), DRAWING: mib(2) })
}

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
const ODT: &str = "application/vnd.oasis.opendocument.text";
const ODS: &str = "application/vnd.oasis.opendocument.spreadsheet";
const ODP: &str = "application/vnd.oasis.opendocument.presentation";

/// What can be made into which of Google's types.
const IMPORTS: &[(&str, &[&str])] = &[
    (DOCX, &[DOCUMENT]),
    (ODT, &[DOCUMENT]),
    ("application/rtf", &[DOCUMENT]),
    ("application/pdf", &[DOCUMENT]),
    ("text/plain", &[DOCUMENT]),
    ("text/html", &[DOCUMENT]),
    ("text/markdown", &[DOCUMENT]),
    (XLSX, &[SPREADSHEET]),
    (ODS, &[SPREADSHEET]),
    ("text/csv", &[SPREADSHEET]),
    ("text/tab-separated-values", &[SPREADSHEET]),
    (PPTX, &[PRESENTATION]),
    (ODP, &[PRESENTATION]),
];

/// What Google's types can be made into.
/// See developers.google.com/workspace/drive/api/guides/ref-export-formats.
const EXPORTS: &[(&str, &[&str])] = &[
    (
        DOCUMENT,
        &[
            "application/rtf",
            ODT,
            "application/zip",
            "application/pdf",
            "application/epub+zip",
            DOCX,
            "text/plain",
            "text/markdown",
        ],
    ),
    (SPREADSHEET, &[ODS, "text/tab-separated-values", "text/csv", "application/pdf", "application/zip", XLSX]),
    (PRESENTATION, &[ODP, "application/pdf", PPTX, "text/plain", "image/png", "image/jpeg", "image/svg+xml"]),
    (DRAWING, &["application/pdf", "image/jpeg", "image/png", "image/svg+xml"]),
    ("application/vnd.google-apps.script", &["application/vnd.google-apps.script+json"]),
];

fn formats(table: &[(&str, &[&str])]) -> Value {
    table.iter().map(|(from, to)| ((*from).to_owned(), json!(to))).collect()
}
