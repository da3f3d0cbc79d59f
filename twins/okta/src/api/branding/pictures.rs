//! The pictures of a theme: its logo, its icon in tabs, and what lies behind its pages.
//!
//! Pictures themselves are not kept: a theme shows an address that nothing is served at.
//! See developer.okta.com/docs/api/openapi/okta-management/management/tag/Themes/.

use dtu_kernel::{
    ids::IdShape,
    operation::{Operation, Typed},
    twin::Write,
    wire::Answer,
};
use http::{Method, StatusCode, header::CONTENT_TYPE};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::SmolStr;

use super::{CALLS, find};
use crate::{
    Okta,
    api::{act, app_logo::file, no_content},
    error::Error,
    model::{event_type::THEME_UPDATE, shape},
    resources::party,
};

const PICTURE_ID: IdShape = shape("fs0", "theme pictures");

/// A kind of picture.
struct Kind {
    /// The last part of its path.
    name: &'static str,
    /// The theme's member.
    member: &'static str,
    /// What a theme has without one of its own.
    usual: Option<&'static str>,
    /// Files of so many bytes are too large.
    size_max: usize,
    /// The limit in words.
    limit: &'static str,
    /// How an upload is answered.
    status: StatusCode,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "logo",
        member: "logo",
        usual: Some("/img/logos/okta-logo.png"),
        size_max: 100_000,
        limit: "100 kB",
        status: StatusCode::OK,
    },
    // The document has no limit of its own here; that of logos is inferred.
    Kind {
        name: "favicon",
        member: "favicon",
        usual: Some("/favicon.ico"),
        size_max: 100_000,
        limit: "100 kB",
        status: StatusCode::CREATED,
    },
    Kind {
        name: "background-image",
        member: "backgroundImage",
        usual: None,
        size_max: 2_000_000,
        limit: "2 MB",
        status: StatusCode::CREATED,
    },
];

/// The operations of this file.
pub(super) fn operations() -> Vec<Operation<Okta>> {
    const POST: &[Method] = &[Method::POST];
    const DELETE: &[Method] = &[Method::DELETE];
    const LOGO: &str = "/api/v1/brands/{brandId}/themes/{themeId}/logo";
    const ICON: &str = "/api/v1/brands/{brandId}/themes/{themeId}/favicon";
    const BACK: &str = "/api/v1/brands/{brandId}/themes/{themeId}/background-image";
    vec![
        Operation::write("uploadBrandThemeLogo", POST, LOGO, upload).limit(CALLS),
        Operation::write("deleteBrandThemeLogo", DELETE, LOGO, remove).limit(CALLS),
        Operation::write("uploadBrandThemeFavicon", POST, ICON, upload).limit(CALLS),
        Operation::write("deleteBrandThemeFavicon", DELETE, ICON, remove).limit(CALLS),
        Operation::write("uploadBrandThemeBackgroundImage", POST, BACK, upload).limit(CALLS),
        Operation::write("deleteBrandThemeBackgroundImage", DELETE, BACK, remove).limit(CALLS),
    ]
}

/// Arguments: the theme.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Which {
    brand_id: SmolStr,
    theme_id: SmolStr,
}

fn kind(path: &str) -> Option<&'static Kind> {
    let name = path.rsplit('/').next().unwrap_or_default();
    KINDS.iter().find(|kind| kind.name == name)
}

/// Whether a file is a picture of a kind that themes take: PNG, JPG or GIF; icons also as such.
fn is_picture(kind: &Kind, file: &[u8]) -> bool {
    let starts = [b"\x89PNG".as_slice(), b"\xff\xd8\xff", b"GIF8"];
    let is_icon = kind.name == "favicon" && file.starts_with(b"\0\0\x01\0");
    is_icon || starts.iter().any(|start| file.starts_with(start))
}

fn upload(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<Value>, Error> {
    let request = cx.scene.request;
    let kind = kind(&request.path).ok_or(Error::Unsupported)?;
    find(cx.state, &args.brand_id, "themes", &args.theme_id, "Theme")?;
    if !request.media_type().starts_with("multipart/form-data") {
        return Err(Error::MediaType);
    }
    let file = file(&request.body, request.header(CONTENT_TYPE).unwrap_or_default()).unwrap_or_default();
    if file.is_empty() {
        return Err(Error::fields(&[("file", "The field cannot be left blank")]));
    }
    if file.len() >= kind.size_max {
        return Err(Error::invalid("file", format!("file: The file must be less than {} in size", kind.limit)));
    }
    if !is_picture(kind, file) {
        return Err(Error::invalid("file", "file: The file must be in PNG, JPG, or GIF format"));
    }
    let id = cx.tx.id(&PICTURE_ID);
    let address = format!("/fs/bco/1/{id}");
    write(cx, &args, kind, json!(address))?;
    let url = format!("{}{address}", cx.scene.request.origin);
    Ok(Typed::from_answer(Answer::json(&json!({ "url": url })).with_status(kind.status)))
}

fn remove(cx: &mut Write<'_, '_, Okta>, args: Which) -> Result<Typed<()>, Error> {
    let kind = kind(&cx.scene.request.path).ok_or(Error::Unsupported)?;
    write(cx, &args, kind, json!(kind.usual))?;
    Ok(no_content())
}

fn write(cx: &mut Write<'_, '_, Okta>, args: &Which, kind: &Kind, value: Value) -> Result<(), Error> {
    let mut theme = find(cx.state, &args.brand_id, "themes", &args.theme_id, "Theme")?.clone();
    theme.insert(kind.member.to_owned(), value);
    let place = format!("{}/{}/themes", super::BRANDS, args.brand_id);
    act(cx, |act| {
        let target = party("Theme", &args.theme_id, Some(&theme));
        act.state.objects.keep(&mut act.tx.changes, &place, &args.theme_id, theme);
        act.log(&THEME_UPDATE, vec![target]);
        Ok(())
    })
}
