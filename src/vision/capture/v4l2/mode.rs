//! What a camera offers, what is asked of it, and what it then gives.

use opencv::core::{CV_8UC1, CV_8UC2, Mat};
use opencv::imgproc::{COLOR_GRAY2BGR, COLOR_YUV2BGR_NV12, COLOR_YUV2BGR_YUYV, cvt_color_def};
use opencv::prelude::MatTraitConst;
use plated_core::error::{Context, Kind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fmt::Write;

/// How a camera packs its pictures, of the ways that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PixelFormat {
    /// Each picture a JPEG.
    Mjpeg,
    /// A plane of light, then one of colours for each two columns and rows.
    Nv12,
    /// Light and, for each two columns, colours.
    Yuyv,
    /// Light alone, as cameras by infra-red give.
    Grey,
}

/// In the order in which they are chosen where the configuration leaves it open: most USB cameras reach their full size
/// and rate as MJPEG only.
pub const PREFERENCE: [PixelFormat; 4] = [PixelFormat::Mjpeg, PixelFormat::Nv12, PixelFormat::Yuyv, PixelFormat::Grey];

impl PixelFormat {
    /// The kernel's four letters for it.
    pub fn code(self) -> u32 {
        u32::from_le_bytes(*match self {
            Self::Mjpeg => b"MJPG",
            Self::Nv12 => b"NV12",
            Self::Yuyv => b"YUYV",
            Self::Grey => b"GREY",
        })
    }

    /// By the kernel's four letters; none for one that is not read.
    pub fn of_code(code: u32) -> Option<Self> {
        // What single pictures are called that come as a stream all the same.
        let jpeg = (code == u32::from_le_bytes(*b"JPEG")).then_some(Self::Mjpeg);
        PREFERENCE.into_iter().find(|format| format.code() == code).or(jpeg)
    }

    /// Pixels out of a buffer whose rows begin so many bytes apart. None for a buffer that is too short, and for JPEGs.
    ///
    /// # Errors
    /// `Internal` when OpenCV can't convert them.
    pub fn pixels(self, bytes: &[u8], width: u32, height: u32, row: u32) -> Result<Option<Mat>> {
        let (width, height, row) = (width as usize, height as usize, row as usize);
        // Rows of the buffer, bytes in each of them, OpenCV's type of what they are, and how to convert it.
        let (rows, used, typ, conversion) = match self {
            Self::Mjpeg => return Ok(None),
            Self::Grey => (height, width, CV_8UC1, COLOR_GRAY2BGR),
            Self::Yuyv => (height, 2 * width, CV_8UC2, COLOR_YUV2BGR_YUYV),
            Self::Nv12 => (height + height / 2, width, CV_8UC1, COLOR_YUV2BGR_NV12),
        };
        let row = row.max(used);
        if used == 0 || rows == 0 || bytes.len() < (rows - 1) * row + used {
            return Ok(None);
        }
        let tight: Vec<u8> = bytes.chunks(row).take(rows).flat_map(|row| &row[..used]).copied().collect();
        let failed = || "a picture of the camera could not be converted".to_owned();
        let mut pixels = Mat::default();
        let flat = Mat::from_slice(&tight).context(Kind::Internal, failed)?;
        let channels = if typ == CV_8UC2 { 2 } else { 1 };
        let shaped = flat.reshape(channels, rows as i32).context(Kind::Internal, failed)?;
        cvt_color_def(&shaped, &mut pixels, conversion).context(Kind::Internal, failed)?;
        Ok(Some(pixels))
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Mjpeg => "mjpeg",
            Self::Nv12 => "nv12",
            Self::Yuyv => "yuyv",
            Self::Grey => "grey",
        })
    }
}

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} x {}", self.width, self.height))
    }
}

/// One format and size, or range of sizes, that a camera offers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Offer {
    /// The kernel's four letters.
    pub code: String,
    /// None for a format that is not read here.
    pub format: Option<PixelFormat>,
    /// The least size.
    pub from: Size,
    /// The largest; the same where there is only one.
    pub to: Size,
    /// Columns and rows between two sizes of a range.
    pub step: Size,
    /// Frames a second, the most first. Empty where the camera does not say.
    pub rates: Vec<f64>,
}

impl Offer {
    /// The size next to this one that it has.
    fn nearest(&self, size: Size) -> Size {
        let next = |wanted: u32, from: u32, to: u32, step: u32| {
            let wanted = wanted.clamp(from, to.max(from));
            from + (wanted - from) / step.max(1) * step.max(1)
        };
        Size {
            width: next(size.width, self.from.width, self.to.width, self.step.width),
            height: next(size.height, self.from.height, self.to.height, self.step.height),
        }
    }
}

/// What the configuration asks of a camera. What it leaves open is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wish {
    /// How pictures are packed.
    pub format: Option<PixelFormat>,
    /// Columns.
    pub width: Option<u32>,
    /// Rows.
    pub height: Option<u32>,
    /// Frames a second.
    pub rate: Option<f64>,
}

/// Asked of a camera where the configuration leaves it open: what most USB cameras have.
const USUAL: (Size, f64) = (Size { width: 1280, height: 720 }, 30.0);
/// A rate is as wished when no more than this share is missing: cameras give 29.97 for 30.
const RATE_SLACK: f64 = 0.02;

/// A format, size and rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Mode {
    /// How pictures are packed.
    pub format: PixelFormat,
    /// Columns and rows.
    pub size: Size,
    /// Frames a second.
    pub rate: f64,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { format, size, rate } = self;
        write!(f, "{size} {format} at {} frames/s", (rate * 100.0).round() / 100.0)
    }
}

impl Wish {
    /// What to ask of a camera that offers these, in this order: the next size, the wished format or the first of
    /// [`PREFERENCE`], the next rate. None where it offers nothing that is read.
    pub fn choose(&self, offers: &[Offer]) -> Option<Mode> {
        let (usual, usual_rate) = USUAL;
        let wanted = Size { width: self.width.unwrap_or(usual.width), height: self.height.unwrap_or(usual.height) };
        let wanted_rate = self.rate.unwrap_or(usual_rate);
        let missing =
            |size: Size| u64::from(size.width.abs_diff(wanted.width)) + u64::from(size.height.abs_diff(wanted.height));
        let readable = offers.iter().filter_map(|offer| Some((offer.format?, offer)));
        let (format, size, offer) = readable.map(|(format, offer)| (format, offer.nearest(wanted), offer)).min_by_key(
            |(format, size, offer)| {
                let is_other = self.format.is_some_and(|wished| wished != *format);
                let is_slow = offer.rates.first().is_some_and(|most| *most < wanted_rate * (1.0 - RATE_SLACK));
                let rank = PREFERENCE.iter().position(|one| one == format);
                (is_other, missing(*size), is_slow, rank)
            },
        )?;
        let near = |rate: &&f64| ((*rate - wanted_rate).abs() * 1000.0) as u64;
        let rate = offer.rates.iter().min_by_key(near).copied().unwrap_or(wanted_rate);
        Some(Mode { format, size, rate })
    }

    /// How what a camera gives differs from what the configuration asks for; none where it is as wished.
    pub fn unmet(&self, given: &Mode) -> Option<String> {
        let mut asked = Vec::new();
        let Size { width, height } = given.size;
        match (self.width, self.height) {
            (Some(w), Some(h)) if (w, h) != (width, height) => asked.push(format!("{w} x {h}")),
            (Some(w), None) if w != width => asked.push(format!("a width of {w}")),
            (None, Some(h)) if h != height => asked.push(format!("a height of {h}")),
            _ => {}
        }
        asked.extend(self.format.filter(|format| *format != given.format).map(|format| format.to_string()));
        let slow = |rate: &f64| (rate - given.rate).abs() > rate * RATE_SLACK;
        asked.extend(self.rate.filter(slow).map(|rate| format!("{rate} frames/s")));
        (!asked.is_empty()).then(|| format!("it gives {given}, and not {} as configured", asked.join(", ")))
    }
}

/// What a camera offers, as a table of lines.
pub fn table(offers: &[Offer]) -> String {
    let mut text = String::from("format  size                        frames/s");
    for offer in offers {
        let size = match offer.from == offer.to {
            true => offer.to.to_string(),
            false => format!("{} to {}", offer.from, offer.to),
        };
        let rates: Vec<String> = offer.rates.iter().map(|rate| ((rate * 100.0).round() / 100.0).to_string()).collect();
        let name = offer.format.map_or_else(|| offer.code.clone(), |format| format.to_string());
        let note = if offer.format.is_none() { "  (not read by plated)" } else { "" };
        // A String takes all.
        let _ = write!(text, "\n{name:<7} {size:<27} {}{note}", rates.join(" "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use opencv::core::Vec3b;
    use proptest::prelude::*;

    fn offer(format: Option<PixelFormat>, width: u32, height: u32, rates: &[f64]) -> Offer {
        let size = Size { width, height };
        let code =
            format.map_or("H264".into(), |format| String::from_utf8(format.code().to_le_bytes().into()).unwrap());
        Offer { code, format, from: size, to: size, step: size, rates: rates.to_vec() }
    }

    fn webcam() -> Vec<Offer> {
        vec![
            offer(Some(PixelFormat::Yuyv), 640, 480, &[30.0, 15.0]),
            offer(Some(PixelFormat::Yuyv), 1280, 720, &[10.0]),
            offer(Some(PixelFormat::Mjpeg), 640, 480, &[30.0]),
            offer(Some(PixelFormat::Mjpeg), 1280, 720, &[30.0, 25.0]),
            offer(None, 1920, 1080, &[30.0]),
        ]
    }

    fn chosen(wish: Wish, offers: &[Offer]) -> String {
        wish.choose(offers).map_or("nothing".into(), |mode| mode.to_string())
    }

    #[test]
    fn what_is_left_open_is_chosen_so_that_the_camera_gives_its_full_rate() {
        assert_eq!(chosen(Wish::default(), &webcam()), "1280 x 720 mjpeg at 30 frames/s");
        let small = Wish { width: Some(640), height: Some(480), rate: Some(15.0), ..Wish::default() };
        assert_eq!(chosen(small, &webcam()), "640 x 480 mjpeg at 30 frames/s");
        let raw = Wish { format: Some(PixelFormat::Yuyv), ..small };
        assert_eq!(chosen(raw, &webcam()), "640 x 480 yuyv at 15 frames/s");
        assert_eq!(chosen(Wish::default(), &webcam()[4..]), "nothing");
        let range = Offer {
            to: Size { width: 1936, height: 1216 },
            step: Size { width: 8, height: 2 },
            ..offer(Some(PixelFormat::Grey), 16, 16, &[])
        };
        let odd = Wish { width: Some(1001), height: Some(5000), ..Wish::default() };
        assert_eq!(chosen(odd, &[range]), "1000 x 1216 grey at 30 frames/s");
    }

    #[test]
    fn a_wish_that_is_not_met_is_told_with_what_comes_instead_and_a_table_of_what_there_is() {
        let wish = Wish { width: Some(1920), height: Some(1080), rate: Some(30.0), format: Some(PixelFormat::Mjpeg) };
        let given = wish.choose(&webcam()).unwrap();
        let unmet = wish.unmet(&given).unwrap();
        assert_eq!(unmet, "it gives 1280 x 720 mjpeg at 30 frames/s, and not 1920 x 1080 as configured");
        let slow = Mode { rate: 10.0, format: PixelFormat::Yuyv, ..given };
        let unmet = Wish { width: Some(640), height: None, ..wish }.unmet(&slow).unwrap();
        assert!(unmet.ends_with("and not a width of 640, mjpeg, 30 frames/s as configured"), "{unmet}");
        assert_eq!(Wish::default().unmet(&slow), None, "nothing was asked for");
        assert_eq!(Wish { rate: Some(30.0), ..Wish::default() }.unmet(&Mode { rate: 29.97, ..given }), None);
        let table = table(&webcam());
        assert!(table.contains("\nmjpeg   1280 x 720                  30 25\n"), "{table}");
        assert!(table.ends_with("H264    1920 x 1080                 30  (not read by plated)"), "{table}");
    }

    #[test]
    fn each_format_gives_its_pixels_whatever_stands_between_two_rows() {
        // 4 columns of light 16, 126, 16, 235, without colour: black, grey, black, white.
        let light = [16_u8, 126, 16, 235];
        let grey = |format: PixelFormat, bytes: &[u8], row| {
            let pixels = format.pixels(bytes, 4, 2, row).unwrap().unwrap();
            assert_eq!((pixels.cols(), pixels.rows()), (4, 2));
            (0..4).map(|x| *pixels.at_2d::<Vec3b>(1, x).unwrap()).collect::<Vec<_>>()
        };
        let row = [&light[..], &[7; 4]].concat();
        let seen = grey(PixelFormat::Grey, &[row.clone(), row.clone()].concat(), 8);
        assert_eq!(seen, light.map(|value| Vec3b::from([value; 3])));
        let full = [0_u8, 128, 0, 255].map(|value| Vec3b::from([value; 3]));
        let is_near = |seen: &[Vec3b]| seen.iter().zip(&full).all(|(a, b)| (0..3).all(|c| a[c].abs_diff(b[c]) <= 1));
        let yuyv: Vec<u8> = light.iter().flat_map(|value| [*value, 128]).chain([9, 9]).collect();
        assert!(is_near(&grey(PixelFormat::Yuyv, &[yuyv.clone(), yuyv].concat(), 10)));
        let nv12 = [row.clone(), row, [vec![128; 4], vec![7; 4]].concat()].concat();
        assert!(is_near(&grey(PixelFormat::Nv12, &nv12, 8)));
    }

    proptest! {
        #[test]
        fn a_buffer_of_any_length_is_a_picture_or_none(
            format in prop::sample::select(PREFERENCE.to_vec()),
            bytes in prop::collection::vec(any::<u8>(), 0..400), columns in 0..20_u32, rows in 0..20_u32, row in 0..30_u32,
        ) {
            // Colours come for two columns and rows; cameras offer no odd sizes of these.
            let (width, height) = (columns * 2, rows * 2);
            if let Some(pixels) = format.pixels(&bytes, width, height, row).unwrap() {
                prop_assert_eq!((pixels.cols() as u32, pixels.rows() as u32), (width, height));
            }
        }

        #[test]
        fn what_is_chosen_is_offered(width in 1..5000_u32, height in 1..5000_u32, rate in 1.0..120.0_f64, from in 1..200_u32, more in 0..4000_u32, step in 0..64_u32) {
            let (from, to) = (Size { width: from, height: from }, Size { width: from + more, height: from + more });
            let ranged = Offer { from, to, step: Size { width: step, height: step }, ..offer(Some(PixelFormat::Nv12), 1, 1, &[30.0, 5.0]) };
            let wish = Wish { width: Some(width), height: Some(height), rate: Some(rate), format: None };
            let mode = wish.choose(&[ranged]).unwrap();
            prop_assert!((from.width..=to.width).contains(&mode.size.width) && (from.height..=to.height).contains(&mode.size.height));
            prop_assert!([30.0, 5.0].contains(&mode.rate));
        }
    }
}
