//! Pictures: how large they are, and what is told of the smaller ones that Slack makes of them.
//!
//! <https://docs.slack.dev/reference/objects/file-object#thumbnails>

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Sides of square thumbnails, which are told without width and height.
const SQUARES: [u32; 3] = [64, 80, 160];
/// Sides of those that keep the picture's shape.
const SIDES: [u32; 6] = [360, 480, 720, 800, 960, 1024];
/// Sides that a moving picture is shown moving in.
const MOVING: [u32; 2] = [360, 480];

/// What is kept of a picture beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Picture {
    /// In pixels, as it is shown.
    pub width: u32,
    /// In pixels, as it is shown.
    pub height: u32,
    /// The ending of its name, by its content.
    pub ending: Ending,
    /// Whether it has several frames that thumbnails move through.
    pub moves: bool,
    /// How the camera was held (EXIF's 1 to 8); none where the picture does not say.
    pub rotation: Option<u8>,
    /// The few bytes that a client can draw at once, in Base64; none where the picture is too large for thumbnails.
    pub tiny: Option<String>,
}

/// A kind of picture that Slack makes thumbnails of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// GIF.
    Gif,
    /// JPEG.
    Jpg,
    /// PNG.
    Png,
}

/// One of the smaller pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thumb {
    /// The middle, as a square.
    Square(u32),
    /// All of it, at most so large.
    Fit(u32),
    /// All frames, at most so large.
    Moving(u32),
    /// The first frame, as large as it is. Slack has two addresses of it.
    Still,
    /// The other address.
    StillGif,
}

impl Picture {
    /// The thumbnails that there are.
    pub(crate) fn thumbs(&self) -> impl Iterator<Item = Thumb> {
        let longest = self.width.max(self.height);
        let fits = move |side: &u32| *side == 360 || longest >= *side;
        let moving = MOVING.into_iter().filter(fits).map(Thumb::Moving).chain([Thumb::Still, Thumb::StillGif]);
        let still = SQUARES.into_iter().map(Thumb::Square).chain(SIDES.into_iter().filter(fits).map(Thumb::Fit));
        still.chain(moving.filter(|_| self.moves)).filter(|_| self.tiny.is_some())
    }

    /// How the name of a thumbnail ends, after the picture's own name. Those of a GIF are still but for two.
    pub(crate) fn name(&self, thumb: Thumb) -> String {
        let kind = if self.ending == Ending::Jpg { "jpg" } else { "png" };
        match thumb {
            Thumb::Square(side) | Thumb::Fit(side) => format!("_{side}.{kind}"),
            Thumb::Moving(side) => format!("_{side}.gif"),
            Thumb::Still => "_deanimate.png".to_owned(),
            Thumb::StillGif => "_deanimate_gif.png".to_owned(),
        }
    }

    /// Adds to a file what is told of its picture. `under` is the address of its thumbnails up to their own names.
    pub(crate) fn add(&self, told: &mut Value, under: &str) {
        for thumb in self.thumbs() {
            let url = json!(format!("{under}{}", self.name(thumb)));
            match thumb {
                Thumb::Square(side) => told[format!("thumb_{side}")] = url,
                Thumb::Moving(side) => told[format!("thumb_{side}_gif")] = url,
                Thumb::Still => told["deanimate"] = url,
                Thumb::StillGif => told["deanimate_gif"] = url,
                Thumb::Fit(side) => {
                    let (width, height) = fit((self.width, self.height), side);
                    told[format!("thumb_{side}")] = url;
                    told[format!("thumb_{side}_w")] = json!(width);
                    told[format!("thumb_{side}_h")] = json!(height);
                }
            }
        }
        (told["original_w"], told["original_h"]) = (json!(self.width), json!(self.height));
        if let Some(rotation) = self.rotation {
            told["image_exif_rotation"] = json!(rotation);
        }
        if let Some(tiny) = &self.tiny {
            told["thumb_tiny"] = json!(tiny);
        }
    }
}

/// Width and height of a PNG, GIF or JPEG in pixels, as its head says; none where it is none of them.
pub(crate) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let big =
        |at: usize, len: usize| bytes.get(at..at + len).map(|part| part.iter().fold(0, |n, b| n << 8 | u32::from(*b)));
    let little = |at: usize| bytes.get(at..at + 2).map(|part| u32::from(part[1]) << 8 | u32::from(part[0]));
    match ending(bytes)? {
        Ending::Png => return Some((big(16, 4)?, big(20, 4)?)),
        Ending::Gif => return Some((little(6)?, little(8)?)),
        Ending::Jpg => {}
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

/// The kind of a picture, by its first bytes.
pub(crate) fn ending(bytes: &[u8]) -> Option<Ending> {
    match bytes {
        [0xff, 0xd8, ..] => Some(Ending::Jpg),
        _ if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") => Some(Ending::Gif),
        _ => bytes.starts_with(b"\x89PNG\r\n\x1a\n").then_some(Ending::Png),
    }
}

/// Width and height of a thumbnail that is at most `side` pixels each way, and never larger than the picture. That of
/// 800 pixels goes by the width alone.
pub(crate) fn fit((width, height): (u32, u32), side: u32) -> (u32, u32) {
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
        let told = |(width, height), ending, moves, tiny: Option<&str>| {
            let tiny = tiny.map(str::to_owned);
            let picture = Picture { width, height, ending, moves, rotation: None, tiny };
            let mut told = json!({});
            picture.add(&mut told, "u");
            told
        };
        let small = told((500, 100), Ending::Jpg, false, Some("Aw=="));
        assert_eq!((&small["thumb_480_h"], &small["thumb_720"]), (&json!(96), &Value::Null));
        assert_eq!((&small["thumb_64"], &small["original_w"]), (&json!("u_64.jpg"), &json!(500)));
        assert_eq!((&small["deanimate"], &small["thumb_tiny"]), (&Value::Null, &json!("Aw==")));
        let moving = told((400, 400), Ending::Gif, true, Some("Aw=="));
        assert_eq!((&moving["thumb_360_gif"], &moving["thumb_480_gif"]), (&json!("u_360.gif"), &Value::Null));
        assert_eq!(moving["deanimate_gif"], "u_deanimate_gif.png");
        assert_eq!(told((9_000, 9_000), Ending::Png, false, None), json!({ "original_w": 9_000, "original_h": 9_000 }));
    }
}
