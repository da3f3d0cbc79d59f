//! Gzip (RFC 1952) of texts that nobody minds uncompressed: stored blocks and a checksum.

use bytes::Bytes;

/// The media type.
pub(crate) const MEDIA: &str = "application/gzip";
/// The longest stored block.
const BLOCK_MAX: usize = 0xffff;

/// The bytes in gzip, as they are.
pub(crate) fn stored(text: &[u8]) -> Bytes {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut blocks = text.chunks(BLOCK_MAX).peekable();
    if text.is_empty() {
        out.extend([1, 0, 0, 0xff, 0xff]);
    }
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(blocks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    out.extend(checksum(text).to_le_bytes());
    out.extend(u32::try_from(text.len() & 0xffff_ffff).unwrap_or(0).to_le_bytes());
    Bytes::from(out)
}

/// CRC-32 as RFC 1952 has it.
fn checksum(text: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    };
    !text.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
        assert_eq!(checksum(b""), 0);
    }

    #[test]
    fn long_texts_are_in_several_blocks() {
        let text = vec![b'x'; BLOCK_MAX + 1];
        let packed = stored(&text);
        assert_eq!((packed[10], packed[10 + 5 + BLOCK_MAX]), (0, 1));
        assert_eq!(packed.len(), 10 + 5 + BLOCK_MAX + 5 + 1 + 8);
    }
}
