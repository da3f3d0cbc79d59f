//! Thumbnails, made: pictures are read within bounds, made smaller, and written again.
//!
//! Slack makes them when it looks at a file; here a file is looked at when it comes, and each thumbnail is made when
//! somebody asks for it.

use std::io::Cursor;

use base64::{Engine, engine::general_purpose::STANDARD};
use image::{
    AnimationDecoder, Delay, DynamicImage, Frame, ImageDecoder, ImageFormat, ImageReader, Limits, RgbaImage,
    codecs::{
        gif::{GifDecoder, GifEncoder, Repeat},
        jpeg::JpegEncoder,
    },
    imageops::FilterType,
    metadata::Orientation,
};

use crate::pictures::{self, Ending, Picture, Thumb, fit};

/// The most pixels of a picture that thumbnails are made of: those of most cameras fit. Larger ones have none.
const PIXELS_MAX: u64 = 16 << 20;
/// The most memory that reading one takes, in bytes: 16 bits of four colours, and what the reader needs beside.
const MEMORY_MAX: u64 = 160 << 20;
/// The most frames of a moving picture that its thumbnails move through. One with more stands still.
const FRAMES_MAX: usize = 64;
/// The side of the smallest thumbnail, in pixels.
const TINY: u32 = 48;
/// How good JPEGs are, of 100.
const QUALITY: u8 = 80;
const TINY_QUALITY: u8 = 25;
/// How coarsely the colours of moving pictures are chosen, of 30.
const GIF_SPEED: i32 = 30;

/// Looks at bytes; none where they are no picture, or a broken one.
pub(crate) fn look(bytes: &[u8]) -> Option<Picture> {
    let (ending, (width, height)) = (pictures::ending(bytes)?, pictures::size(bytes)?);
    let mut seen = Picture { width, height, ending, moves: false, rotation: None, tiny: None };
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Some(seen);
    }
    let (picture, rotation) = read(bytes)?;
    (seen.width, seen.height) = (picture.width(), picture.height());
    seen.rotation = rotation.map(Orientation::to_exif);
    seen.moves = ending == Ending::Gif && frames(bytes, PIXELS_MAX).is_some_and(|frames| frames.len() > 1);
    seen.tiny = Some(tiny(&picture)?);
    Some(seen)
}

/// Makes a thumbnail; gives back its media type and its bytes. None where the bytes are no picture to make it of.
pub(crate) fn make(bytes: &[u8], thumb: Thumb) -> Option<(&'static str, Vec<u8>)> {
    let small = match thumb {
        Thumb::Moving(side) => return Some(("image/gif", moving(bytes, side)?)),
        Thumb::Still | Thumb::StillGif => read(bytes)?.0,
        Thumb::Square(side) => square(&read(bytes)?.0, side),
        Thumb::Fit(side) => {
            let picture = read(bytes)?.0;
            let (width, height) = fit((picture.width(), picture.height()), side);
            shrink(&picture, width, height)
        }
    };
    match pictures::ending(bytes)? {
        Ending::Jpg => Some(("image/jpeg", jpeg(&small, QUALITY)?)),
        Ending::Gif | Ending::Png => Some(("image/png", png(small)?)),
    }
}

/// The picture as it is shown, and how it had to be turned for that.
fn read(bytes: &[u8]) -> Option<(DynamicImage, Option<Orientation>)> {
    let (width, height) = pictures::size(bytes)?;
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return None;
    }
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MEMORY_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let is_said = decoder.exif_metadata().ok().flatten().is_some();
    let orientation = decoder.orientation().ok().filter(|_| is_said);
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    Some((picture, orientation))
}

/// The frames of a GIF; none where they are too many, or have more pixels together than `most`.
fn frames(bytes: &[u8], most: u64) -> Option<Vec<Frame>> {
    let (width, height) = pictures::size(bytes)?;
    let fits = (most / (u64::from(width) * u64::from(height)).max(1)).min(FRAMES_MAX as u64);
    let decoder = GifDecoder::new(Cursor::new(bytes)).ok()?;
    let mut found = Vec::new();
    for frame in decoder.into_frames() {
        if found.len() as u64 >= fits {
            return None;
        }
        found.push(frame.ok()?);
    }
    Some(found)
}

fn moving(bytes: &[u8], side: u32) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut out, GIF_SPEED);
    encoder.set_repeat(Repeat::Infinite).ok()?;
    for frame in frames(bytes, PIXELS_MAX)? {
        let delay: Delay = frame.delay();
        let whole: RgbaImage = frame.into_buffer();
        let (width, height) = fit(whole.dimensions(), side);
        let small = shrink(&DynamicImage::from(whole), width, height).into_rgba8();
        encoder.encode_frame(Frame::from_parts(small, 0, 0, delay)).ok()?;
    }
    drop(encoder);
    Some(out)
}

/// The middle of a picture as a square, whatever the picture's size.
fn square(picture: &DynamicImage, side: u32) -> DynamicImage {
    let (width, height) = (picture.width(), picture.height());
    let shorter = width.min(height);
    let middle = picture.crop_imm((width - shorter) / 2, (height - shorter) / 2, shorter, shorter);
    if shorter < side { middle.resize_exact(side, side, FilterType::Triangle) } else { shrink(&middle, side, side) }
}

fn shrink(picture: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    if (picture.width(), picture.height()) == (width, height) {
        return picture.clone();
    }
    picture.thumbnail_exact(width, height)
}

fn png(picture: DynamicImage) -> Option<Vec<u8>> {
    // Screens show no more than eight bits of a colour.
    let plain = if picture.color().has_alpha() {
        DynamicImage::from(picture.into_rgba8())
    } else {
        DynamicImage::from(picture.into_rgb8())
    };
    let mut out = Cursor::new(Vec::new());
    plain.write_to(&mut out, ImageFormat::Png).ok()?;
    Some(out.into_inner())
}

fn jpeg(picture: &DynamicImage, quality: u8) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, quality).encode_image(&picture.to_rgb8()).ok()?;
    Some(out)
}

/// The smallest thumbnail as Slack writes it: a version, height and width, and of a JPEG what follows its head, which
/// its clients know by heart. The twin's head is not Slack's.
fn tiny(picture: &DynamicImage) -> Option<String> {
    const VERSION: u8 = 3;
    const SCAN: [u8; 2] = [0xff, 0xda];
    let (width, height) = fit((picture.width(), picture.height()), TINY);
    let whole = jpeg(&shrink(picture, width, height), TINY_QUALITY)?;
    let scan = whole.windows(2).position(|pair| pair == SCAN)?;
    let head = usize::from(u16::from_be_bytes([*whole.get(scan + 2)?, *whole.get(scan + 3)?]));
    let [h1, h0] = u16::try_from(height).ok()?.to_be_bytes();
    let [w1, w0] = u16::try_from(width).ok()?.to_be_bytes();
    let mut out = vec![VERSION, h1, h0, w1, w0];
    out.extend_from_slice(whole.get(scan + 2 + head..)?);
    Some(STANDARD.encode(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Left half red, right half blue.
    fn halves(width: u32, height: u32) -> RgbaImage {
        let paint = |x, _| if x < width / 2 { image::Rgba([200, 0, 0, 255]) } else { image::Rgba([0, 0, 200, 255]) };
        RgbaImage::from_fn(width, height, paint)
    }

    fn written(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        DynamicImage::from(halves(width, height)).to_rgb8().write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    fn film(frames: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = GifEncoder::new(&mut out);
        for _ in 0..frames {
            encoder.encode_frame(Frame::new(halves(500, 400))).unwrap();
        }
        drop(encoder);
        out
    }

    #[test]
    fn thumbnails_show_the_picture() {
        let check = |bytes: &[u8], thumb: Thumb, mime: &str, size: (u32, u32)| {
            let (told, made) = make(bytes, thumb).unwrap_or_else(|| panic!("{thumb:?}"));
            assert_eq!((told, pictures::size(&made)), (mime, Some(size)), "{thumb:?}");
            let shown = image::load_from_memory(&made).unwrap().into_rgb8();
            let (left, right) = (shown.get_pixel(2, 2), shown.get_pixel(size.0 - 2, size.1 - 2));
            assert!(left[0] > 150 && left[2] < 60 && right[2] > 150 && right[0] < 60, "{thumb:?} {left:?} {right:?}");
        };
        let (png, jpg) = (written(960, 540, ImageFormat::Png), written(1200, 600, ImageFormat::Jpeg));
        check(&png, Thumb::Square(64), "image/png", (64, 64));
        check(&png, Thumb::Fit(360), "image/png", (360, 203));
        check(&png, Thumb::Fit(960), "image/png", (960, 540));
        check(&jpg, Thumb::Fit(1024), "image/jpeg", (1024, 512));
        check(&written(20, 30, ImageFormat::Jpeg), Thumb::Square(160), "image/jpeg", (160, 160));
        check(&film(3), Thumb::Moving(360), "image/gif", (360, 288));
        check(&film(3), Thumb::StillGif, "image/png", (500, 400));
    }

    #[test]
    fn moving_thumbnails_move() {
        assert_eq!(frames(&make(&film(3), Thumb::Moving(360)).unwrap().1, PIXELS_MAX).unwrap().len(), 3);
        let moves = |frames| look(&film(frames)).unwrap().moves;
        assert_eq!((moves(1), moves(2), moves(FRAMES_MAX + 1)), (false, true, false));
    }

    #[test]
    fn the_smallest_is_told_whole() {
        let told = look(&written(960, 540, ImageFormat::Png)).unwrap();
        assert_eq!((told.width, told.height, told.rotation), (960, 540, None));
        let bytes = STANDARD.decode(told.tiny.unwrap()).unwrap();
        assert_eq!(bytes[..5], [3, 0, 27, 0, 48]);
        assert_eq!(bytes[bytes.len() - 2..], [0xff, 0xd9], "the picture ends");
    }

    #[test]
    fn what_is_broken_or_huge_has_none() {
        let png = written(64, 64, ImageFormat::Png);
        assert_eq!(look(&png[..png.len() / 2]), None);
        assert_eq!(look(b"\x89PNG\r\n\x1a\n"), None);
        assert_eq!(look(b"words"), None);
        // A head that says more than there is, as bombs do.
        let bomb = |side: u32| {
            let mut bytes = png.clone();
            bytes[16..20].copy_from_slice(&side.to_be_bytes());
            bytes[20..24].copy_from_slice(&side.to_be_bytes());
            bytes
        };
        assert_eq!(look(&bomb(4_000)), None, "its sum is wrong");
        let huge = look(&bomb(60_000)).unwrap();
        assert_eq!((huge.width, huge.tiny.is_none(), huge.thumbs().count()), (60_000, true, 0));
        assert_eq!(make(&bomb(60_000), Thumb::Square(64)), None);
        let jpg = written(64, 64, ImageFormat::Jpeg);
        for end in 0..jpg.len() {
            let _ = look(&jpg[..end]);
        }
    }

    #[test]
    fn a_picture_is_shown_as_the_camera_was_held() {
        let plain = written(40, 20, ImageFormat::Jpeg);
        // APP1 with one entry of EXIF: the orientation, a quarter turn to the right.
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let mut turned = plain[..2].to_vec();
        turned.extend_from_slice(&[0xff, 0xe1, length[0], length[1]]);
        turned.append(&mut exif);
        turned.extend_from_slice(&plain[2..]);
        let told = look(&turned).unwrap();
        assert_eq!((told.width, told.height, told.rotation), (20, 40, Some(6)));
        assert_eq!(pictures::size(&make(&turned, Thumb::Fit(360)).unwrap().1), Some((20, 40)));
    }
}
