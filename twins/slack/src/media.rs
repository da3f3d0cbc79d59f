//! File types: Slack's word for each, what it calls them, and their media types.

/// A file type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Media {
    pub(crate) filetype: &'static str,
    pub(crate) mime: &'static str,
    pub(crate) pretty: &'static str,
}

const fn row(filetype: &'static str, mime: &'static str, pretty: &'static str) -> Media {
    Media { filetype, mime, pretty }
}

/// <https://docs.slack.dev/reference/objects/file-object>
const TYPES: &[Media] = &[
    row("binary", "application/octet-stream", "Binary"),
    row("c", "text/plain", "C"),
    row("csv", "text/csv", "CSV"),
    row("css", "text/css", "CSS"),
    row("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "Word Document"),
    row("gif", "image/gif", "GIF"),
    row("go", "text/plain", "Go"),
    row("gzip", "application/gzip", "Gzip"),
    row("html", "text/html", "HTML"),
    row("java", "text/plain", "Java"),
    row("javascript", "text/javascript", "JavaScript"),
    row("jpg", "image/jpeg", "JPEG"),
    row("json", "application/json", "JSON"),
    row("list", "application/vnd.slack-list", "List"),
    row("markdown", "text/markdown", "Markdown (raw)"),
    row("mp3", "audio/mpeg", "MP3"),
    row("mp4", "video/mp4", "MPEG 4 Video"),
    row("pdf", "application/pdf", "PDF"),
    row("png", "image/png", "PNG"),
    row("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", "PowerPoint Presentation"),
    row("python", "text/plain", "Python"),
    row("quip", "application/vnd.slack-docs", "Canvas"),
    row("remote", "", "Remote"),
    row("ruby", "text/plain", "Ruby"),
    row("rust", "text/plain", "Rust"),
    row("shell", "text/plain", "Shell"),
    row("sql", "text/plain", "SQL"),
    row("svg", "image/svg+xml", "SVG"),
    row("tar", "application/x-tar", "Tarball"),
    row("text", "text/plain", "Plain Text"),
    row("typescript", "text/plain", "TypeScript"),
    row("wav", "audio/wav", "WAV"),
    row("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "Excel Spreadsheet"),
    row("xml", "application/xml", "XML"),
    row("yaml", "text/yaml", "YAML"),
    row("zip", "application/zip", "Zip"),
];

const ENDINGS: &[(&str, &str)] = &[
    ("gz", "gzip"),
    ("htm", "html"),
    ("jpeg", "jpg"),
    ("js", "javascript"),
    ("log", "text"),
    ("md", "markdown"),
    ("py", "python"),
    ("rb", "ruby"),
    ("rs", "rust"),
    ("sh", "shell"),
    ("ts", "typescript"),
    ("txt", "text"),
    ("yml", "yaml"),
];

/// The type of Slack's word; binary where it is none.
pub(crate) fn of(filetype: &str) -> Media {
    TYPES.iter().find(|media| media.filetype == filetype).copied().unwrap_or(TYPES[0])
}

/// Whether Slack knows a type for snippets by this word.
pub(crate) fn is_snippet_type(filetype: &str) -> bool {
    filetype == "auto"
        || (of(filetype).mime.starts_with("text/") && of(filetype).filetype == filetype)
        || matches!(filetype, "json" | "xml")
}

/// The type that a file name's ending stands for.
pub(crate) fn of_name(name: &str) -> Media {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let by_ending = ENDINGS.iter().find(|(short, _)| *short == ending).map(|(_, filetype)| *filetype);
    of(by_ending.unwrap_or(&ending))
}

/// Whether a type is in one of the families that lists are filtered by; none where there is no such family.
pub(crate) fn is_in_family(filetype: &str, is_snippet: bool, family: &str) -> Option<bool> {
    Some(match family {
        "all" => true,
        "spaces" | "gdocs" => false,
        "snippets" => is_snippet,
        "images" => of(filetype).mime.starts_with("image/"),
        "zips" => matches!(filetype, "zip" | "gzip" | "tar"),
        "pdfs" => filetype == "pdf",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_types() {
        let check = |name: &str, filetype: &str| assert_eq!(of_name(name).filetype, filetype, "{name}");
        check("a.PNG", "png");
        check("a.b.jpeg", "jpg");
        check("notes.txt", "text");
        check("noext", "binary");
        check("x.unheard", "binary");
    }
}
