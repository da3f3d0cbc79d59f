//! Pictures: how large they are, and the smaller ones that Slack makes of them.
//!
//! <https://docs.slack.dev/reference/objects/file-object#thumbnails>

use serde_json::{Value, json};

/// Sides of square thumbnails, which are told without width and height.
const SQUARES: [u32; 3] = [64, 80, 160];
/// Sides of those that keep the picture's shape.
const SIDES: [u32; 6] = [360, 480, 720, 800, 960, 1024];
/// Sides that a moving picture is shown moving in.
const MOVING: [u32; 2] = [360, 480];

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

/// Width and height of a thumbnail that is at most `side` pixels each way, and never larger than the picture. That of
/// 800 pixels goes by the width alone.
fn fit((width, height): (u32, u32), side: u32) -> (u32, u32) {
    let longest = if side == 800 { width } else { width.max(height) };
    if longest <= side {
        return (width, height);
    }
    let scaled = |length: u32| {
        let pixels = (u64::from(length) * u64::from(side) * 2 + u64::from(longest)) / (u64::from(longest) * 2);
        u32::try_from(pixels).unwrap_or(u32::MAX).max(1)
    };
    (scaled(width), scaled(height))
}

/// How a picture's file name ends.
pub(crate) fn ending(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xff, 0xd8, ..] => "jpg",
        [b'G', b'I', b'F', ..] => "gif",
        _ => "png",
    }
}

/// Adds to a file what is told of a picture. `under` is the address of its thumbnails up to their size. Those of a GIF
/// are still but for two.
pub(crate) fn add(told: &mut Value, of: (u32, u32), under: &str, ending: &str) {
    let moves = ending == "gif";
    let ending = if moves { "png" } else { ending };
    for side in SQUARES {
        told[format!("thumb_{side}")] = json!(format!("{under}_{side}.{ending}"));
    }
    let longest = of.0.max(of.1);
    for side in SIDES.into_iter().filter(|side| *side == 360 || longest >= *side) {
        let (width, height) = fit(of, side);
        told[format!("thumb_{side}")] = json!(format!("{under}_{side}.{ending}"));
        told[format!("thumb_{side}_w")] = json!(width);
        told[format!("thumb_{side}_h")] = json!(height);
    }
    if moves {
        for side in MOVING.into_iter().filter(|side| *side == 360 || longest >= *side) {
            told[format!("thumb_{side}_gif")] = json!(format!("{under}_{side}.gif"));
        }
        told["deanimate"] = json!(format!("{under}_deanimate.png"));
        told["deanimate_gif"] = json!(format!("{under}_deanimate_gif.png"));
    }
    (told["original_w"], told["original_h"]) = (json!(of.0), json!(of.1));
}

/// Whether the last part of an address, after the file's name, is one of a thumbnail.
pub(crate) fn is_thumb(ending: &str) -> bool {
    let name = ending.rsplit_once('.').map_or(ending, |(name, _)| name);
    let sides = SQUARES.iter().chain(&SIDES);
    name == "deanimate" || name == "gif" || sides.into_iter().any(|side| name == side.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn thumbnails_keep_the_shape() {
        let check = |of: (u32, u32), side: u32, wanted: (u32, u32)| assert_eq!(fit(of, side), wanted, "{of:?} {side}");
        check((960, 540), 360, (360, 203));
        check((960, 540), 720, (720, 405));
        check((960, 540), 960, (960, 540));
        check((3024, 4032), 720, (540, 720));
        check((3024, 4032), 800, (800, 1067));
        check((100, 50), 360, (100, 50));
        check((4000, 1), 360, (360, 1));
    }

    #[test]
    fn small_pictures_have_few_thumbnails() {
        let told = |of, kind: &str| {
            let mut told = json!({});
            add(&mut told, of, "u", kind);
            told
        };
        let small = told((500, 100), "jpg");
        assert_eq!((&small["thumb_480_h"], &small["thumb_720"]), (&json!(96), &Value::Null));
        assert_eq!((&small["thumb_64"], &small["original_w"]), (&json!("u_64.jpg"), &json!(500)));
        let moving = told((400, 400), "gif");
        assert_eq!((&moving["thumb_360_gif"], &moving["thumb_480_gif"]), (&json!("u_360.gif"), &Value::Null));
        assert!(is_thumb("360.png") && is_thumb("deanimate.png") && !is_thumb("361.png"));
    }
}
