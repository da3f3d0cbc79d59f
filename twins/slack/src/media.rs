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

/// Width and height of a PNG, GIF or JPEG in pixels; none where it is none of them.
pub(crate) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let big =
        |at: usize, len: usize| bytes.get(at..at + len).map(|part| part.iter().fold(0, |n, b| n << 8 | u32::from(*b)));
    let little = |at: usize| bytes.get(at..at + 2).map(|part| u32::from(part[1]) << 8 | u32::from(part[0]));
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some((big(16, 4)?, big(20, 4)?));
    }
    if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        return Some((little(6)?, little(8)?));
    }
    if !bytes.starts_with(b"\xff\xd8") {
        return None;
    }
    // Segments follow each other until one that begins a frame (SOF0 to SOF15, less the three that are tables).
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        if bytes[at] != 0xff {
            return None;
        }
        if (0xc0..=0xcf).contains(&marker) && ![0xc4, 0xc8, 0xcc].contains(&marker) {
            return Some((big(at + 7, 2)?, big(at + 5, 2)?));
        }
        at += 2 + usize::try_from(big(at + 2, 2)?).ok()?;
    }
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

    #[test]
    fn pictures_have_sizes() {
        let check = |bytes: &[u8], wanted: Option<(u32, u32)>| assert_eq!(size(bytes), wanted, "{bytes:?}");
        check(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x20\0\0\x01\0", Some((32, 256)));
        check(b"GIF89a\x10\0\x20\0", Some((16, 32)));
        check(b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\0\x20\0\x40", Some((64, 32)));
        check(b"\xff\xd8\xff\xe0\0\x04ab", None);
        check(b"\x89PNG\r\n\x1a\n", None);
        check(b"text", None);
    }
}
