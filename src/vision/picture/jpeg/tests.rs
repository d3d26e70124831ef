use super::*;
use opencv::core::{NORM_INF, Scalar, Vec3b, norm2_def};
use opencv::imgproc;
use proptest::prelude::*;

/// Something with edges, colours and smooth parts.
fn drawn(width: i32, height: i32) -> Mat {
    let mut image = Mat::new_rows_cols_with_default(height, width, CV_8UC3, Scalar::all(90.0)).unwrap();
    for y in 0..height {
        for x in 0..width {
            let bars = if (x / 5 + y / 7) % 3 == 0 { 200 } else { 30 };
            let pixel = image.at_2d_mut::<Vec3b>(y, x).unwrap();
            *pixel = Vec3b::from([(x * 255 / width) as u8, bars, (y * 255 / height) as u8]);
        }
    }
    image
}

fn encode(image: &Mat, options: &[i32]) -> Vec<u8> {
    let mut bytes = Vector::new();
    assert!(imgcodecs::imencode(".jpg", image, &mut bytes, &Vector::from_slice(options)).unwrap());
    bytes.to_vec()
}

fn by_opencv(bytes: &[u8]) -> Mat {
    imgcodecs::imdecode(&Vector::from_slice(bytes), imgcodecs::IMREAD_COLOR).unwrap()
}

fn difference(a: &Mat, b: &Mat) -> f64 {
    assert_eq!((a.cols(), a.rows(), a.typ()), (b.cols(), b.rows(), b.typ()));
    norm2_def(a, b).map(|_| opencv::core::norm2(a, b, NORM_INF, &opencv::core::no_array()).unwrap()).unwrap()
}

fn grey(image: &Mat) -> Mat {
    let mut out = Mat::default();
    imgproc::cvt_color_def(image, &mut out, imgproc::COLOR_BGR2GRAY).unwrap();
    out
}

/// A CMYK picture; OpenCV writes none, so this one is stored. 40 × 24, by libjpeg's own encoder.
const CMYK: &[u8] = include_bytes!("kinds/cmyk.jpg");

/// Adds an EXIF segment that says how the picture is to be turned.
fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"\xFF\xE1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    exif.extend([0, orientation, 0, 0, 0, 0, 0, 0]);
    [&jpeg[..2], &exif, &jpeg[2..]].concat()
}

#[test]
fn every_kind_of_jpeg_is_decoded_as_by_opencv() {
    use imgcodecs::{IMWRITE_JPEG_PROGRESSIVE, IMWRITE_JPEG_QUALITY, IMWRITE_JPEG_RST_INTERVAL};
    let photo = drawn(333, 217);
    let plain = encode(&photo, &[]);
    let kinds: Vec<(&str, Vec<u8>)> = vec![
        ("plain", plain.clone()),
        ("poor", encode(&photo, &[IMWRITE_JPEG_QUALITY, 20])),
        ("grey", encode(&grey(&photo), &[])),
        ("progressive", encode(&photo, &[IMWRITE_JPEG_PROGRESSIVE, 1])),
        ("restart markers", encode(&photo, &[IMWRITE_JPEG_RST_INTERVAL, 3])),
        ("one pixel", encode(&drawn(1, 1), &[])),
        ("CMYK", CMYK.to_vec()),
        ("upside down", turned(&plain, 3)),
        ("on its side", turned(&plain, 6)),
        ("zeros at the end", [&plain[..], &[0; 500]].concat()),
    ];
    for (kind, bytes) in kinds {
        let mut image = Mat::default();
        Jpeg::new(bytes.clone()).unwrap().decode(1, &mut image).unwrap();
        assert!(difference(&image, &by_opencv(&bytes)) <= 2.0, "{kind}");
    }
}

#[test]
fn a_turned_picture_is_never_shrunk_or_cut_before_it_is_turned() {
    let jpeg = Jpeg::new(turned(&encode(&drawn(320, 160), &[]), 6)).unwrap();
    assert_eq!(jpeg.shrink_for(40, 40), 1);
    let mut image = Mat::default();
    assert_eq!(jpeg.decode_part(Rect::new(10, 10, 5, 5), &mut image).unwrap(), Rect::new(0, 0, 160, 320));
    let upright = Jpeg::new(turned(&encode(&drawn(320, 160), &[]), 1)).unwrap();
    assert_eq!(upright.shrink_for(40, 20), 8);
}

#[test]
fn shrunk_it_looks_as_if_it_had_been_made_small_by_area() {
    let photo = drawn(640, 360);
    let jpeg = Jpeg::new(encode(&photo, &[])).unwrap();
    let (mut half, mut wanted) = (Mat::default(), Mat::default());
    jpeg.decode(2, &mut half).unwrap();
    let size = opencv::core::Size::new(320, 180);
    imgproc::resize(&photo, &mut wanted, size, 0.0, 0.0, imgproc::INTER_AREA).unwrap();
    let mean = opencv::core::norm2(&half, &wanted, opencv::core::NORM_L1, &opencv::core::no_array()).unwrap()
        / (320.0 * 180.0 * 3.0);
    assert!(mean < 6.0, "{mean}");
}

#[test]
fn it_is_shrunk_to_no_less_than_is_needed() {
    let of = |w, h| Jpeg::new(encode(&drawn(w, h), &[])).unwrap();
    assert_eq!(of(1280, 720).shrink_for(640, 360), 2);
    assert_eq!(of(1279, 719).shrink_for(640, 360), 2);
    assert_eq!(of(1270, 720).shrink_for(640, 363), 1);
    assert_eq!(of(640, 360).shrink_for(640, 360), 1);
}

#[test]
fn what_is_no_jpeg_or_lies_about_its_size_is_an_error() {
    let whole = encode(&drawn(64, 48), &[]);
    for bytes in [&b""[..], b"\xFF\xD8", b"\x89PNG", b"Dear Sir", &whole[..100]] {
        assert!(Jpeg::new(bytes).is_err());
    }
    let frame = whole.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    let mut huge = whole.clone();
    huge[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF]);
    assert_eq!(Jpeg::new(huge).unwrap_err().kind(), Kind::Input);
    // Segments that a decoder needs are missing: an error with libjpeg's reason, not a crash.
    let tables = whole.windows(2).position(|w| w == [0xFF, 0xDB]).unwrap();
    let mut broken = whole.clone();
    broken[tables + 1] = 0xEE;
    let second = broken.windows(2).position(|w| w == [0xFF, 0xDB]).unwrap();
    broken[second + 1] = 0xEE;
    let err = Jpeg::new(broken).unwrap().decode(1, &mut Mat::default()).unwrap_err();
    assert!(err.chain().contains("could not be decoded"), "{}", err.chain());
}

#[test]
fn pixels_that_are_missing_cost_no_more_than_themselves() {
    let whole = encode(&drawn(320, 240), &[]);
    let cut = Jpeg::new(&whole[..whole.len() / 2]).unwrap();
    assert!(!cut.is_whole());
    let (mut half, mut all) = (Mat::default(), Mat::default());
    cut.decode(1, &mut half).unwrap();
    Jpeg::new(whole).unwrap().decode(1, &mut all).unwrap();
    let top = Rect::new(0, 0, 320, 64);
    assert_eq!(difference(&crop(&half, top), &crop(&all, top)), 0.0);
}

fn crop(image: &Mat, part: Rect) -> Mat {
    Mat::roi(image, part).unwrap().try_clone().unwrap()
}

/// What `drawn(61, 45)` makes, with colours kept as OpenCV 4.6 writes none: for how many columns and rows one value
/// of colour stands, and red, green and blue as they are.
const KINDS: [(&str, &[u8], bool); 5] = [
    ("1 × 1", include_bytes!("kinds/444.jpg"), true),
    ("2 × 1", include_bytes!("kinds/422.jpg"), true),
    ("1 × 2", include_bytes!("kinds/440.jpg"), true),
    ("4 × 1", include_bytes!("kinds/411.jpg"), false),
    ("red, green, blue", include_bytes!("kinds/rgb.jpg"), false),
];

/// Both looks at a JPEG that is decoded once are near a whole decode; `false` when it can't be.
fn looks_alike(bytes: &[u8], wanted: Rect) -> bool {
    let jpeg = Jpeg::new(bytes).unwrap();
    let (mut whole, mut half, mut part, mut planes) =
        (Mat::default(), Mat::default(), Mat::default(), Planes::default());
    if !jpeg.decode_planes(&mut planes).unwrap() {
        return false;
    }
    jpeg.decode(1, &mut whole).unwrap();
    planes.half(&mut half).unwrap();
    let got = planes.part(wanted, &mut part).unwrap();
    let inside = Rect::new(0, 0, whole.cols(), whole.rows());
    assert_eq!((got & inside, part.cols(), part.rows()), (got, got.width, got.height));
    let wanted = wanted & inside;
    assert_eq!(wanted & got, wanted);
    // Of narrower ones libjpeg does not smooth the colours.
    if wanted.width > 0 && wanted.height > 0 && inside.width > 4 {
        let there = Rect::new(wanted.x - got.x, wanted.y - got.y, wanted.width, wanted.height);
        assert!(difference(&crop(&part, there), &crop(&whole, wanted)) <= 4.0, "{wanted:?} of {inside:?}");
    }
    // The last column and row of odd sides have half of their pixels outside.
    let (w, h) = (inside.width / 2, inside.height / 2);
    assert_eq!((half.cols(), half.rows()), ((inside.width + 1) / 2, (inside.height + 1) / 2));
    if w > 2 && h > 0 {
        let mut small = Mat::default();
        let even = crop(&whole, Rect::new(0, 0, 2 * w, 2 * h));
        imgproc::resize(&even, &mut small, opencv::core::Size::new(w, h), 0.0, 0.0, imgproc::INTER_AREA).unwrap();
        let half = crop(&half, Rect::new(0, 0, w, h));
        let sum = opencv::core::norm2(&half, &small, opencv::core::NORM_L1, &opencv::core::no_array()).unwrap();
        let mean = sum / f64::from(w * h * 3);
        // Bright colours are cut off before the mean is made, or after it.
        assert!(mean < 10.0, "{mean}");
    }
    true
}

#[test]
fn a_picture_decoded_once_looks_like_a_whole_decode_however_its_colours_are_kept() {
    for (kind, bytes, once) in KINDS {
        assert_eq!(looks_alike(bytes, Rect::new(20, 12, 25, 18)), once, "{kind}");
    }
    let grey = encode(&grey(&drawn(61, 45)), &[]);
    assert!(looks_alike(&grey, Rect::new(20, 12, 25, 18)), "grey");
    for other in [CMYK.to_vec(), turned(&encode(&drawn(61, 45), &[]), 6)] {
        assert!(!looks_alike(&other, Rect::new(20, 12, 25, 18)));
    }
}

#[test]
fn memory_of_a_picture_decoded_once_serves_the_next_of_another_size_and_kind() {
    let (mut planes, mut got, mut fresh) = (Planes::default(), Mat::default(), Mat::default());
    let large = encode(&drawn(200, 120), &[]);
    for bytes in [&large, KINDS[0].1, &encode(&grey(&drawn(90, 70)), &[]), KINDS[1].1, &large] {
        let jpeg = Jpeg::new(bytes).unwrap();
        assert!(jpeg.decode_planes(&mut planes).unwrap());
        planes.half(&mut got).unwrap();
        let mut new = Planes::default();
        assert!(jpeg.decode_planes(&mut new).unwrap());
        new.half(&mut fresh).unwrap();
        assert_eq!(difference(&got, &fresh), 0.0);
    }
}

#[test]
fn damage_is_told_of_a_file_decoded_once_as_of_one_decoded_in_parts() {
    let whole = encode(&drawn(320, 240), &[]);
    let cut = &whole[..whole.len() / 2];
    assert!(Jpeg::new(cut).unwrap().decode_planes(&mut Planes::default()).unwrap());
    let once = Jpeg::new(cut).unwrap().strict().decode_planes(&mut Planes::default()).unwrap_err();
    let parts = Jpeg::new(cut).unwrap().strict().decode(2, &mut Mat::default()).unwrap_err();
    assert_eq!(once.chain(), parts.chain());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Also at the borders, and for parts that lie half or wholly outside.
    #[test]
    fn a_part_has_the_same_pixels_as_the_whole(
        (w, h) in (1..90i32, 1..70i32),
        (x, y, pw, ph) in (-40..120i32, -40..100i32, 0..100i32, 0..100i32),
        restart in 0..4i32,
    ) {
        let bytes = encode(&drawn(w, h), &[imgcodecs::IMWRITE_JPEG_RST_INTERVAL, restart]);
        let jpeg = Jpeg::new(bytes).unwrap();
        let (mut whole, mut part) = (Mat::default(), Mat::default());
        jpeg.decode(1, &mut whole).unwrap();
        let got = jpeg.decode_part(Rect::new(x, y, pw, ph), &mut part).unwrap();
        let picture = Rect::new(0, 0, w, h);
        prop_assert_eq!(got & picture, got);
        let wanted = Rect::new(x, y, pw, ph) & picture;
        prop_assert_eq!(wanted & got, wanted);
        // The outermost pixels of a part may differ by the smoothing of colours.
        if wanted.width > 0 && wanted.height > 0 {
            let inside = Rect::new(wanted.x - got.x, wanted.y - got.y, wanted.width, wanted.height);
            prop_assert_eq!(difference(&crop(&part, inside), &crop(&whole, wanted)), 0.0);
        }
    }

    #[test]
    fn a_picture_of_any_size_decoded_once_looks_like_a_whole_decode(
        (w, h) in (1..90i32, 1..70i32),
        (x, y, pw, ph) in (-40..120i32, -40..100i32, 0..100i32, 0..100i32),
        restart in 0..4i32,
    ) {
        let bytes = encode(&drawn(w, h), &[imgcodecs::IMWRITE_JPEG_RST_INTERVAL, restart]);
        prop_assert!(looks_alike(&bytes, Rect::new(x, y, pw, ph)));
    }

    #[test]
    fn no_byte_of_a_jpeg_can_bring_the_decoder_down(
        (kind, at, to, x) in (0..=KINDS.len(), any::<prop::sample::Index>(), any::<u8>(), 0..64i32),
    ) {
        let mut bytes = KINDS.get(kind).map_or_else(|| encode(&drawn(64, 48), &[]), |(_, bytes, _)| bytes.to_vec());
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(jpeg) = Jpeg::new(bytes) && i64::from(jpeg.size().0) * i64::from(jpeg.size().1) < 1 << 20 {
            let mut out = Mat::default();
            let _ = jpeg.decode(2, &mut out);
            let _ = jpeg.decode_part(Rect::new(x, 0, 30, 20), &mut out);
            let mut planes = Planes::default();
            if jpeg.decode_planes(&mut planes).is_ok_and(|once| once) {
                planes.half(&mut out).unwrap();
                planes.part(Rect::new(x, 0, 30, 20), &mut out).unwrap();
            }
        }
    }
}
