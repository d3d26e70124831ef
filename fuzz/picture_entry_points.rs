//! Where pictures of cameras and files enter; one function for each fuzz target.
//!
//! `tests/vehicle/pictures.rs` runs them too, over the corpus and changes of it.

use plated_vision::picture::{Jpeg, MAX_JPEG_PIXELS};

/// Takes any bytes.
pub type EntryPoint = fn(&[u8]);

/// The entry points by name.
pub const TARGETS: [(&str, EntryPoint); 1] = [("picture_header", picture_header)];

/// What is taken for a JPEG has a size within the limit, and can be shrunk to no less than is needed.
pub fn picture_header(bytes: &[u8]) {
    let Ok(jpeg) = Jpeg::new(bytes) else { return };
    let (width, height) = jpeg.size();
    assert!(width > 0 && height > 0, "{width} × {height}");
    assert!(i64::from(width) * i64::from(height) <= MAX_JPEG_PIXELS as i64, "{width} × {height}");
    for (w, h) in [(0, 0), (1, 1), (640, 360), (width, height), (i32::MAX, i32::MAX)] {
        let shrink = jpeg.shrink_for(w, h);
        assert!([1, 2, 4, 8].contains(&shrink));
        let enough = |side: i32, needed: i32| side.unsigned_abs().div_ceil(shrink) >= needed.unsigned_abs();
        assert!(shrink == 1 || enough(width, w) && enough(height, h), "{width} × {height} by {shrink}");
    }
    assert!(!jpeg.is_whole() || bytes.windows(2).any(|two| two == [0xFF, 0xD9]));
    assert_eq!(**jpeg.bytes(), *bytes);
}
