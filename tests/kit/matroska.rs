//! A Matroska file of JPEG pictures with times of their own and no frame rate, as cameras that record
//! motion write it.

/// Pictures with their times in milliseconds (one cluster each), the size, and when it was recorded, in
/// nanoseconds after 2001.
pub fn matroska(pictures: &[(u64, Vec<u8>)], (width, height): (u16, u16), recorded: Option<i64>) -> Vec<u8> {
    let head = element(&[0x1A, 0x45, 0xDF, 0xA3], &element(&[0x42, 0x82], b"matroska"));
    let mut info = element(&[0x2A, 0xD7, 0xB1], &[0x0F, 0x42, 0x40]); // Milliseconds.
    if let Some(nanos) = recorded {
        info.extend(element(&[0x44, 0x61], &nanos.to_be_bytes()));
    }
    if let Some((last, _)) = pictures.last() {
        info.extend(element(&[0x44, 0x89], &(*last as f64).to_be_bytes()));
    }
    let size = [element(&[0xB0], &width.to_be_bytes()), element(&[0xBA], &height.to_be_bytes())].concat();
    let track = [
        element(&[0xD7], &[1]),
        element(&[0x73, 0xC5], &[1]),
        element(&[0x83], &[1]),
        element(&[0x86], b"V_MJPEG"),
        element(&[0xE0], &size),
    ];
    let mut inside = element(&[0x15, 0x49, 0xA9, 0x66], &info);
    inside.extend(element(&[0x16, 0x54, 0xAE, 0x6B], &element(&[0xAE], &track.concat())));
    for (time, jpeg) in pictures {
        let block = [&[0x81, 0, 0, 0x80], &jpeg[..]].concat();
        let cluster = [element(&[0xE7], &time.to_be_bytes()), element(&[0xA3], &block)].concat();
        inside.extend(element(&[0x1F, 0x43, 0xB6, 0x75], &cluster));
    }
    [head, element(&[0x18, 0x53, 0x80, 0x67], &inside)].concat()
}

fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64 | 1 << 56).to_be_bytes();
    [id, &length, content].concat()
}
