//! Pictures of apps.
//!
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationLogos/.

use dtu_kernel::{
    operation::{Operation, Typed},
    twin::Write,
    wire::Answer,
};
use http::{Method, StatusCode, header::CONTENT_TYPE};

use super::{
    act,
    apps::{Which, find},
};
use crate::{
    Okta,
    error::Error,
    model::{
        LOGO_ID,
        app::{self, App},
    },
};

/// The operation whose body is a form with a file.
pub(crate) const UPLOAD: &str = "uploadApplicationLogo";
/// The greatest picture, in bytes.
const SIZE_MAX: usize = 1 << 20;

/// The operations of this file.
pub fn operations() -> Vec<Operation<Okta>> {
    vec![Operation::write(UPLOAD, &[Method::POST], "/api/v1/apps/{appId}/logo", upload).limit("apps")]
}

pub(crate) fn find_bytes(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// The content of the part called `file` of a form (RFC 7578); none where there is none.
pub(crate) fn file<'b>(body: &'b [u8], media_type: &str) -> Option<&'b [u8]> {
    let boundary = media_type.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?.trim_matches('"');
    let mark = format!("--{boundary}");
    let mut rest = body;
    loop {
        rest = &rest[find_bytes(rest, mark.as_bytes())? + mark.len()..];
        let head_end = find_bytes(rest, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&rest[..head_end]).into_owned();
        let content = &rest[head_end + 4..];
        let end = find_bytes(content, format!("\r\n{mark}").as_bytes())?;
        if head.split([';', '\r', '\n']).any(|part| matches!(part.trim(), "name=\"file\"" | "name=file")) {
            return Some(&content[..end]);
        }
        rest = &content[end..];
    }
}

/// Whether a file is a picture of a kind that Okta takes: PNG, JPG, GIF or SVG.
fn is_picture(file: &[u8]) -> bool {
    let starts = [b"\x89PNG".as_slice(), b"\xff\xd8\xff", b"GIF8"];
    starts.iter().any(|start| file.starts_with(start)) || find_bytes(file, b"<svg").is_some()
}

/// `uploadApplicationLogo`.
pub fn upload(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let app = find(cx.state, &args.app_id)?;
    if !cx.scene.request.media_type().starts_with("multipart/form-data") {
        return Err(Error::MediaType);
    }
    let request = cx.scene.request;
    let file = file(&request.body, request.header(CONTENT_TYPE).unwrap_or_default()).unwrap_or_default();
    if file.is_empty() {
        return Err(Error::fields(&[("file", "The field cannot be left blank")]));
    }
    if file.len() >= SIZE_MAX {
        return Err(Error::invalid("file", "file: The file must be less than 1 MB in size"));
    }
    if !is_picture(file) {
        return Err(Error::invalid("file", "file: The file must be in PNG, JPG, SVG, or GIF format"));
    }
    act(cx, |act| {
        let logo = act.tx.id(&LOGO_ID);
        app::touch(act, App { logo, ..App::clone(&app) });
        Ok(())
    })?;
    Ok(Typed::from_answer(Answer::empty(StatusCode::CREATED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_found_among_the_parts() {
        let check = |body: &str, expected: Option<&str>| {
            assert_eq!(
                file(body.as_bytes(), "multipart/form-data; boundary=\"x\"").map(String::from_utf8_lossy).as_deref(),
                expected,
                "{body}"
            );
        };
        let part = |name: &str, content: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.png\"\r\n\r\n{content}\r\n")
        };
        check(&format!("{}--x--", part("file", "GIF8")), Some("GIF8"));
        check(&format!("{}{}--x--", part("other", "1"), part("file", "2")), Some("2"));
        check(&format!("{}--x--", part("other", "1")), None);
        check("", None);
    }
}
