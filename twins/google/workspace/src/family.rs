//! The APIs over one workspace, and in what their answers differ.

use dtu_kernel::operation::OperationInfo;

/// An API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Drive v3.
    Drive,
    /// Sheets v4.
    Sheets,
    /// Docs v1.
    Docs,
}

impl Family {
    /// The twin's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drive => "google-drive",
            Self::Sheets => "google-sheets",
            Self::Docs => "google-docs",
        }
    }

    /// Its name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Drive => "Google Drive",
            Self::Sheets => "Google Sheets",
            Self::Docs => "Google Docs",
        }
    }

    /// The variable by which clients are told where it is.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Drive => "GOOGLE_DRIVE_URL",
            Self::Sheets => "GOOGLE_SHEETS_URL",
            Self::Docs => "GOOGLE_DOCS_URL",
        }
    }

    /// Whether parameters and members of a body that it does not know are refused; Drive passes over them.
    pub const fn is_strict(self) -> bool {
        !matches!(self, Self::Drive)
    }

    /// The service's name in errors.
    pub const fn service(self) -> &'static str {
        match self {
            Self::Drive => "drive.googleapis.com",
            Self::Sheets => "sheets.googleapis.com",
            Self::Docs => "docs.googleapis.com",
        }
    }

    /// Where paths start that Google serves and the public document does not list as operations: uploads, batches and
    /// the document itself. All else that nothing is served at is a mistake of the caller.
    pub const fn unlisted(self) -> &'static [&'static str] {
        match self {
            Self::Drive => &["/upload/", "/resumable/", "/batch", "/$discovery/", "/discovery/"],
            Self::Sheets | Self::Docs => &["/batch", "/$discovery/"],
        }
    }

    /// An operation's name within Google, as details of errors give it. Public logs show a few of them
    /// (`google.apps.drive.v3.DriveFiles.List`, `google.apps.sheets.v4.SpreadsheetsService.GetValues`); the rest
    /// follow their pattern.
    pub fn method(self, operation: &OperationInfo) -> String {
        let mut parts: Vec<&str> = operation.id.split('.').skip(1).collect();
        let verb = capital(parts.pop().unwrap_or_default());
        let resource = parts.last().copied().unwrap_or_default();
        match self {
            Self::Drive => format!("google.apps.drive.v3.Drive{}.{verb}", capital(resource)),
            Self::Sheets => format!("google.apps.sheets.v4.SpreadsheetsService.{}", about(&verb, resource)),
            Self::Docs => format!("google.apps.docs.v1.DocumentsService.{}", about(&verb, resource)),
        }
    }

    /// The field of an operation's request message that the body stands for, as problems with bodies name it; empty
    /// where the body is the message.
    pub fn body_field(self, operation: &OperationInfo) -> &'static str {
        match (self, operation.id) {
            (Self::Sheets, "sheets.spreadsheets.values.update" | "sheets.spreadsheets.values.append") => "data",
            (Self::Sheets, "sheets.spreadsheets.create") => "spreadsheet",
            (Self::Docs, "docs.documents.create") => "document",
            _ => "",
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// `Get` and `documents` make `GetDocument`; `BatchGetByDataFilter` and `values` make `BatchGetValuesByDataFilter`.
fn about(verb: &str, resource: &str) -> String {
    let noun = match resource {
        "values" => "Values".to_owned(),
        "sheets" => "Sheet".to_owned(),
        plural => capital(plural.strip_suffix('s').unwrap_or(plural)),
    };
    match verb.find("By").or_else(|| verb.rfind("To")) {
        Some(at) => format!("{}{noun}{}", &verb[..at], &verb[at..]),
        None => format!("{verb}{noun}"),
    }
}

#[cfg(test)]
mod tests {
    use dtu_kernel::operation::Level;

    use super::*;

    #[test]
    fn methods_have_google_s_names() {
        for (family, id, wanted) in [
            (Family::Drive, "drive.files.list", "google.apps.drive.v3.DriveFiles.List"),
            (Family::Drive, "drive.about.get", "google.apps.drive.v3.DriveAbout.Get"),
            (Family::Sheets, "sheets.spreadsheets.get", "google.apps.sheets.v4.SpreadsheetsService.GetSpreadsheet"),
            (Family::Sheets, "sheets.spreadsheets.values.get", "google.apps.sheets.v4.SpreadsheetsService.GetValues"),
            (
                Family::Sheets,
                "sheets.spreadsheets.values.batchGetByDataFilter",
                "google.apps.sheets.v4.SpreadsheetsService.BatchGetValuesByDataFilter",
            ),
            (
                Family::Sheets,
                "sheets.spreadsheets.sheets.copyTo",
                "google.apps.sheets.v4.SpreadsheetsService.CopySheetTo",
            ),
            (Family::Docs, "docs.documents.get", "google.apps.docs.v1.DocumentsService.GetDocument"),
        ] {
            let operation = OperationInfo::untyped(id, &[], "/", Level::Stores);
            assert_eq!(family.method(&operation), wanted);
        }
    }
}
