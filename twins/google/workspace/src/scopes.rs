//! OAuth scopes.
//!
//! See developers.google.com/identity/protocols/oauth2/scopes.

use dtu_kernel::operation::OperationInfo;

/// All of a person's Drive.
pub const DRIVE: &str = "https://www.googleapis.com/auth/drive";
/// What of Drive the app made or was opened with.
pub const DRIVE_FILE: &str = "https://www.googleapis.com/auth/drive.file";
/// All of a person's Drive, to read.
pub const DRIVE_READONLY: &str = "https://www.googleapis.com/auth/drive.readonly";
/// The app's own hidden folder.
pub const DRIVE_APPDATA: &str = "https://www.googleapis.com/auth/drive.appdata";
/// Files' metadata.
pub const DRIVE_METADATA: &str = "https://www.googleapis.com/auth/drive.metadata";
/// Files' metadata, to read.
pub const DRIVE_METADATA_READONLY: &str = "https://www.googleapis.com/auth/drive.metadata.readonly";
/// Photos, to read.
pub const DRIVE_PHOTOS_READONLY: &str = "https://www.googleapis.com/auth/drive.photos.readonly";
/// Spreadsheets.
pub const SPREADSHEETS: &str = "https://www.googleapis.com/auth/spreadsheets";
/// Spreadsheets, to read.
pub const SPREADSHEETS_READONLY: &str = "https://www.googleapis.com/auth/spreadsheets.readonly";
/// Documents.
pub const DOCUMENTS: &str = "https://www.googleapis.com/auth/documents";
/// Documents, to read.
pub const DOCUMENTS_READONLY: &str = "https://www.googleapis.com/auth/documents.readonly";
/// The holder's mail address.
pub const EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
/// The holder's name and picture.
pub const PROFILE: &str = "https://www.googleapis.com/auth/userinfo.profile";
/// The holder's id.
pub const OPENID: &str = "openid";

/// What the access token of the environment may be used for.
pub const STANDING: &[&str] = &[DRIVE, SPREADSHEETS, DOCUMENTS, EMAIL, PROFILE, OPENID];

/// Short names for scopes, which only sign-in knows.
const SHORT: &[(&str, &str)] = &[("email", EMAIL), ("profile", PROFILE)];

/// Scopes that stand outside the usual address.
const ELSEWHERE: &[&str] = &[
    OPENID,
    "https://mail.google.com/",
    "https://www.google.com/calendar/feeds",
    "https://www.google.com/m8/feeds",
    "https://docs.google.com/feeds",
    "https://spreadsheets.google.com/feeds",
];

/// What usual scopes start with.
const USUAL: &str = "https://www.googleapis.com/auth/";

/// What follows of scopes that Google knows: each a name, or the first part of names with a dot. Those of APIs that no
/// twin serves are known, too: a token may carry them.
const NAMES: &[&str] = &[
    "admin",
    "apps",
    "bigquery",
    "calendar",
    "chat",
    "classroom",
    "cloud-identity",
    "cloud-platform",
    "contacts",
    "devstorage",
    "directory",
    "documents",
    "drive",
    "forms",
    "gmail",
    "groups",
    "keep",
    "logging",
    "meetings",
    "monitoring",
    "presentations",
    "pubsub",
    "script",
    "spreadsheets",
    "tasks",
    "userinfo",
    "youtube",
];

/// A scope as tokens carry it; none where Google has no such scope.
pub fn known(scope: &str) -> Option<&str> {
    if let Some((_, long)) = SHORT.iter().find(|(short, _)| *short == scope) {
        return Some(long);
    }
    let usual = scope.strip_prefix(USUAL).is_some_and(|name| {
        let first = name.split('.').next().unwrap_or_default();
        let spelled = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b));
        spelled && !name.ends_with('.') && NAMES.contains(&first)
    });
    (usual || ELSEWHERE.contains(&scope)).then_some(scope)
}

/// The scopes of which a caller needs one: the row's own, else those that the public document gives, else those for
/// reading or writing.
pub fn needed(
    operation: &OperationInfo,
    documented: Vec<&'static str>,
    reading: &[&'static str],
    writing: &[&'static str],
) -> Vec<&'static str> {
    match operation.scopes {
        [] if !documented.is_empty() => documented,
        [] if operation.writes => writing.to_vec(),
        [] => reading.to_vec(),
        own => own.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::known;

    #[test]
    fn scopes_are_told_from_inventions() {
        for (scope, wanted) in [
            ("https://www.googleapis.com/auth/drive", Some("https://www.googleapis.com/auth/drive")),
            ("https://www.googleapis.com/auth/drive.file", Some("https://www.googleapis.com/auth/drive.file")),
            ("email", Some("https://www.googleapis.com/auth/userinfo.email")),
            ("openid", Some("openid")),
            ("https://spreadsheets.google.com/feeds", Some("https://spreadsheets.google.com/feeds")),
            ("https://www.googleapis.com/auth/drives", None),
            ("https://www.googleapis.com/auth/drive.", None),
            ("https://www.googleapis.com/auth/drive,https://www.googleapis.com/auth/documents", None),
            ("drive", None),
            ("", None),
        ] {
            assert_eq!(known(scope), wanted, "{scope}");
        }
    }
}
