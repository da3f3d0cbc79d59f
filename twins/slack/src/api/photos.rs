//! `users.setPhoto` and `users.deletePhoto`.

use dtu_kernel::{operation::Typed, twin::Write};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use smol_str::format_smolstr;

use crate::{
    ANY, Row, Slack,
    error::{Code, Error},
    input,
    limits::TIER_2,
    model::status,
    pictures::Picture,
    shapes, text,
};

/// The methods.
pub(crate) fn operations() -> Vec<Row> {
    vec![
        Row::write("users.setPhoto", ANY, "/api/users.setPhoto", set)
            .limit(TIER_2)
            .scopes(&["users.profile:write"])
            .errors(&["bad_image", "too_large"])
            .form_only(),
        Row::write("users.deletePhoto", ANY, "/api/users.deletePhoto", delete)
            .limit(TIER_2)
            .scopes(&["users.profile:write"])
            .form_only(),
    ]
}

/// The longest side of a picture, in pixels.
const SIDE_MAX: u32 = 1_024;

/// Arguments of `users.setPhoto` besides the picture, which comes as a file.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Set {
    #[serde(rename = "crop_x")]
    x: Option<u32>,
    #[serde(rename = "crop_y")]
    y: Option<u32>,
    #[serde(rename = "crop_w")]
    width: Option<u32>,
    /// What is seen of the picture: read before the call has its turn.
    #[serde(rename = "~picture")]
    #[schemars(skip)]
    seen: Option<Picture>,
}

/// `users.setPhoto`: of the picture nothing is kept but what tells it from others.
fn set(cx: &mut Write<'_, '_, Slack>, args: Set) -> Result<Typed<Value>, Error> {
    let bytes = input::first_file(cx.scene.request).ok_or(Code::BadImage)?;
    let seen = args.seen.ok_or(Code::BadImage)?;
    let (width, height) = (seen.width, seen.height);
    if width > SIDE_MAX || height > SIDE_MAX {
        return Err(Code::TooLarge.into());
    }
    let (x, y) = (args.x.unwrap_or(0), args.y.unwrap_or(0));
    let side = args.width.unwrap_or_else(|| width.saturating_sub(x).min(height.saturating_sub(y)));
    let fits = |at: u32, within: u32| at.checked_add(side).is_some_and(|end| end <= within);
    if side == 0 || !fits(x, width) || !fits(y, height) {
        return Err(Code::BadImage.into());
    }
    let crop = format!("{x}/{y}/{side}");
    let hash = format_smolstr!("{:012x}", text::hash(&[&String::from_utf8_lossy(&bytes), &crop]) & 0xffff_ffff_ffff);
    let id = cx.caller.token()?.user.clone();
    let user = status::set_photo(cx.state, cx.tx, &id, Some(hash))?;
    let profile = serde_json::to_value(shapes::profile(cx.state, &user, false)).unwrap_or_default();
    let mut told = json!({ "avatar_hash": profile["avatar_hash"] });
    for name in ["image_24", "image_32", "image_48", "image_72", "image_192", "image_512"] {
        told[name] = profile[name].clone();
    }
    for name in ["1024", "original"] {
        told[format!("image_{name}")] =
            json!(shapes::photo(&profile["avatar_hash"].as_str().unwrap_or_default().into(), name));
    }
    Ok(Typed::ok(&json!({ "profile": told })))
}

/// No arguments.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Nothing {}

/// `users.deletePhoto`
fn delete(cx: &mut Write<'_, '_, Slack>, _: Nothing) -> Result<Typed<Value>, Error> {
    let id = cx.caller.token()?.user.clone();
    status::set_photo(cx.state, cx.tx, &id, None)?;
    Ok(super::marks::done())
}
