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

/// What nothing else is known of.
const BINARY: Media = row("binary", "application/octet-stream", "Binary");

/// <https://docs.slack.dev/reference/objects/file-object>
const TYPES: &[Media] = &[
    row("applescript", "text/plain", "AppleScript"),
    row("avi", "video/x-msvideo", "AVI Video"),
    row("binary", "application/octet-stream", "Binary"),
    row("bmp", "image/bmp", "Bitmap"),
    row("c", "text/plain", "C"),
    row("clojure", "text/plain", "Clojure"),
    row("cpp", "text/plain", "C++"),
    row("csharp", "text/plain", "C#"),
    row("csv", "text/csv", "CSV"),
    row("css", "text/css", "CSS"),
    row("dart", "text/plain", "Dart"),
    row("diff", "text/plain", "Diff"),
    row("doc", "application/msword", "Word Document"),
    row("docker", "text/plain", "Docker"),
    row("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "Word Document"),
    row("email", "message/rfc822", "Email"),
    row("epub", "application/epub+zip", "EPUB"),
    row("erlang", "text/plain", "Erlang"),
    row("flac", "audio/flac", "FLAC"),
    row("gif", "image/gif", "GIF"),
    row("go", "text/plain", "Go"),
    row("groovy", "text/plain", "Groovy"),
    row("gzip", "application/gzip", "Gzip"),
    row("haskell", "text/plain", "Haskell"),
    row("heic", "image/heic", "HEIC"),
    row("html", "text/html", "HTML"),
    row("java", "text/plain", "Java"),
    row("javascript", "text/javascript", "JavaScript"),
    row("jpg", "image/jpeg", "JPEG"),
    row("json", "application/json", "JSON"),
    row("key", "application/vnd.apple.keynote", "Keynote Document"),
    row("kotlin", "text/plain", "Kotlin"),
    row("latex", "text/plain", "LaTeX/sTeX"),
    row("list", "application/vnd.slack-list", "List"),
    row("lua", "text/plain", "Lua"),
    row("m4a", "audio/mp4", "MPEG 4 Audio"),
    row("markdown", "text/markdown", "Markdown (raw)"),
    row("mov", "video/quicktime", "QuickTime Movie"),
    row("mp3", "audio/mpeg", "MP3"),
    row("mp4", "video/mp4", "MPEG 4 Video"),
    row("mpg", "video/mpeg", "MPEG Video"),
    row("numbers", "application/vnd.apple.numbers", "Numbers Document"),
    row("objc", "text/plain", "Objective-C"),
    row("odp", "application/vnd.oasis.opendocument.presentation", "OpenDocument Presentation"),
    row("ods", "application/vnd.oasis.opendocument.spreadsheet", "OpenDocument Spreadsheet"),
    row("odt", "application/vnd.oasis.opendocument.text", "OpenDocument Text"),
    row("ogg", "audio/ogg", "OGG"),
    row("pages", "application/vnd.apple.pages", "Pages Document"),
    row("pdf", "application/pdf", "PDF"),
    row("perl", "text/plain", "Perl"),
    row("php", "text/plain", "PHP"),
    row("png", "image/png", "PNG"),
    row("post", "", "Post"),
    row("powershell", "text/plain", "PowerShell"),
    row("ppt", "application/vnd.ms-powerpoint", "PowerPoint Presentation"),
    row("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", "PowerPoint Presentation"),
    row("psd", "image/vnd.adobe.photoshop", "Photoshop Document"),
    row("puppet", "text/plain", "Puppet"),
    row("python", "text/plain", "Python"),
    row("quip", "application/vnd.slack-docs", "Canvas"),
    row("r", "text/plain", "R"),
    row("remote", "", "Remote"),
    row("rtf", "application/rtf", "Rich Text File"),
    row("ruby", "text/plain", "Ruby"),
    row("rust", "text/plain", "Rust"),
    row("sass", "text/plain", "Sass"),
    row("scala", "text/plain", "Scala"),
    row("scheme", "text/plain", "Scheme"),
    row("shell", "text/plain", "Shell"),
    row("sql", "text/plain", "SQL"),
    row("svg", "image/svg+xml", "SVG"),
    row("swift", "text/plain", "Swift"),
    row("tar", "application/x-tar", "Tarball"),
    row("text", "text/plain", "Plain Text"),
    row("tiff", "image/tiff", "TIFF"),
    row("tsv", "text/tab-separated-values", "TSV"),
    row("typescript", "text/plain", "TypeScript"),
    row("vb", "text/plain", "VB.NET"),
    row("vcard", "text/vcard", "vCard"),
    row("verilog", "text/plain", "Verilog"),
    row("wav", "audio/wav", "WAV"),
    row("webm", "video/webm", "WebM"),
    row("webp", "image/webp", "WebP"),
    row("wmv", "video/x-ms-wmv", "Windows Media Video"),
    row("xls", "application/vnd.ms-excel", "Excel Spreadsheet"),
    row("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "Excel Spreadsheet"),
    row("xml", "application/xml", "XML"),
    row("yaml", "text/yaml", "YAML"),
    row("zip", "application/zip", "Zip"),
];

const ENDINGS: &[(&str, &str)] = &[
    ("bat", "shell"),
    ("bash", "shell"),
    ("cc", "cpp"),
    ("clj", "clojure"),
    ("cs", "csharp"),
    ("cxx", "cpp"),
    ("dockerfile", "docker"),
    ("eml", "email"),
    ("erl", "erlang"),
    ("gz", "gzip"),
    ("h", "c"),
    ("hpp", "cpp"),
    ("hs", "haskell"),
    ("htm", "html"),
    ("jpeg", "jpg"),
    ("js", "javascript"),
    ("kt", "kotlin"),
    ("log", "text"),
    ("m", "objc"),
    ("md", "markdown"),
    ("mjs", "javascript"),
    ("mpeg", "mpg"),
    ("patch", "diff"),
    ("pl", "perl"),
    ("pp", "puppet"),
    ("ps1", "powershell"),
    ("py", "python"),
    ("rb", "ruby"),
    ("rs", "rust"),
    ("scm", "scheme"),
    ("scss", "sass"),
    ("sh", "shell"),
    ("tex", "latex"),
    ("tgz", "gzip"),
    ("tif", "tiff"),
    ("ts", "typescript"),
    ("tsx", "typescript"),
    ("txt", "text"),
    ("v", "verilog"),
    ("vcf", "vcard"),
    ("yml", "yaml"),
];

/// The type of Slack's word; binary where it is none.
pub(crate) fn of(filetype: &str) -> Media {
    TYPES.iter().find(|media| media.filetype == filetype).copied().unwrap_or(BINARY)
}

/// Whether Slack knows a type for snippets by this word.
pub(crate) fn is_snippet_type(filetype: &str) -> bool {
    filetype == "auto"
        || (of(filetype).mime.starts_with("text/") && of(filetype).filetype == filetype)
        || matches!(filetype, "json" | "xml")
}

/// How the bytes of a type begin, from where on.
const MARKS: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpg"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (8, b"WEBP", "webp"),
    (8, b"WAVE", "wav"),
    (0, b"%PDF-", "pdf"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"ID3", "mp3"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (0, b"8BPS", "psd"),
    (4, b"ftypheic", "heic"),
    (4, b"ftypqt", "mov"),
    (4, b"ftypM4A", "m4a"),
    (4, b"ftyp", "mp4"),
    (0, b"PK\x03\x04", "zip"),
];

/// The type of a file: by how its bytes begin where that is unmistakable, else by its name, else by whether it is text.
/// What Slack looks at is not documented; a picture under another name is shown as one.
pub(crate) fn of_file(name: &str, content: &[u8]) -> Media {
    let by_name = of_name(name);
    let begins = |(at, mark, _): &&(usize, &[u8], &str)| content.get(*at..).is_some_and(|rest| rest.starts_with(mark));
    let by_mark = MARKS.iter().find(begins).map(|(.., filetype)| of(filetype));
    match by_mark {
        // Documents of office programs, books and so on are archives inside.
        Some(mark) if mark.filetype == "zip" && !is_plain(by_name) => by_name,
        Some(mark) => mark,
        None if by_name.filetype != BINARY.filetype => by_name,
        None if !content.is_empty() && is_words(content) => of("text"),
        None => BINARY,
    }
}

fn is_plain(kind: Media) -> bool {
    kind.filetype == BINARY.filetype || kind.mime.starts_with("text/")
}

fn is_words(content: &[u8]) -> bool {
    str::from_utf8(content).is_ok_and(|text| !text.chars().any(|c| c.is_control() && !c.is_whitespace()))
}

/// The type that a file name's ending stands for.
fn of_name(name: &str) -> Media {
    // What Slack makes itself comes under no name.
    const OWN: [&str; 4] = ["list", "post", "quip", "remote"];
    let ending = name.rsplit_once('.').map_or_else(String::new, |(_, ending)| ending.to_ascii_lowercase());
    if OWN.contains(&ending.as_str()) {
        return BINARY;
    }
    if name.eq_ignore_ascii_case("dockerfile") {
        return of("docker");
    }
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
        check("Dockerfile", "docker");
    }

    #[test]
    fn bytes_tell_types_that_names_do_not() {
        let check = |name: &str, content: &[u8], filetype: &str| {
            assert_eq!(of_file(name, content).filetype, filetype, "{name}");
        };
        check("upload", b"\x89PNG\r\n\x1a\n", "png");
        check("a.txt", b"\xff\xd8\xff\xe0", "jpg");
        check("a.png", b"words", "png");
        check("book.docx", b"PK\x03\x04", "docx");
        check("book", b"PK\x03\x04", "zip");
        check("sound", b"RIFF\0\0\0\0WAVEfmt ", "wav");
        check("notes", "sch\u{f6}n\n".as_bytes(), "text");
        check("notes", b"\0\x01", "binary");
        check("notes", b"", "binary");
    }
}
