//! Models that really read, made in a millisecond: a plate is nine grey bands, the level of each
//! names its character, and the "reader" takes the levels and says which characters they are.
//! So a test has as many different plates as it wants, and recognition costs next to nothing.

use super::onnx::{self, Element, Graph};
use opencv::core::{Mat, Vector};
use std::path::Path;

const ALPHABET: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_";
const SLOTS: usize = 9;
/// Grey levels between two characters.
const STEP: u8 = 7;
const BAND: usize = 16;
const WIDTH: usize = SLOTS * BAND;
const HEIGHT: usize = 72;
/// The row that is read. The lower half of a picture may hold anything.
const ROW: usize = HEIGHT / 4;

/// Writes `detector.toml` and `reader.toml` with their models to `dir`.
pub fn models(dir: &Path) {
    // The picture is twice as wide as high, so on the square canvas it fills the middle.
    let whole = [0.0, 0.0, 16.0, 64.0, 48.0, 0.0, 0.9];
    let detector = onnx::constant(("images", Element::Float, &[1, 3, 64, 64]), ("output", &[1, 7]), &whole);
    std::fs::write(dir.join("detector.onnx"), detector).unwrap();
    std::fs::write(dir.join("detector.toml"), "format = \"yolo-end2end\"\nfile = \"detector.onnx\"\nthreshold = 0.4\n")
        .unwrap();
    std::fs::write(dir.join("reader.onnx"), reader()).unwrap();
    std::fs::write(
        dir.join("reader.toml"),
        "format = \"fixed-slots\"\nfile = \"reader.onnx\"\nconfig = \"reader.yaml\"\n",
    )
    .unwrap();
    let yaml = format!(
        "max_plate_slots: {SLOTS}\nalphabet: '{ALPHABET}'\npad_char: '_'\nimg_height: {HEIGHT}\nimg_width: {WIDTH}\n\
         keep_aspect_ratio: false\ninterpolation: linear\nimage_color_mode: grayscale\n"
    );
    std::fs::write(dir.join("reader.yaml"), yaml).unwrap();
}

/// The nearer a level is to a character's, the more probable the character.
fn reader() -> Vec<u8> {
    let (width, height, classes) = (WIDTH as i64, HEIGHT as i64, ALPHABET.len() as i64);
    let middles: Vec<i64> = (0..SLOTS).map(|i| (ROW * WIDTH + i * BAND + BAND / 2) as i64).collect();
    let levels: Vec<f32> = (0..ALPHABET.len()).map(|c| level(c).into()).collect();
    let mut graph =
        Graph::new(("plate", Element::Uint8, &[-1, height, width, 1]), ("characters", &[-1, SLOTS as i64, classes]));
    graph
        .integers("flat", &[-1, width * height])
        .integers("middles", &middles)
        .integers("last", &[2])
        .floats("levels", &[classes], &levels)
        .floats("sharpness", &[1], &[-0.2])
        .node("Reshape", &["plate", "flat"], "pixels", &[])
        .node("Gather", &["pixels", "middles"], "points", &[("axis", 1)])
        .node("Cast", &["points"], "numbers", &[("to", Element::Float as i64)])
        .node("Unsqueeze", &["numbers", "last"], "column", &[])
        .node("Sub", &["column", "levels"], "away", &[])
        .node("Mul", &["away", "away"], "square", &[])
        .node("Mul", &["square", "sharpness"], "score", &[])
        .node("Softmax", &["score"], "characters", &[("axis", -1)]);
    graph.model()
}

fn level(class: usize) -> u8 {
    class as u8 * STEP
}

/// A picture of a plate; the empty text is a street without one. `noise` bytes of the lower half
/// can't be compressed, which makes the stored pictures large.
pub fn picture(text: &str, noise: bool) -> Vec<u8> {
    let mut characters = text.chars().chain(std::iter::repeat('_'));
    let levels: Vec<u8> = (0..SLOTS).map(|_| level(ALPHABET.find(characters.next().unwrap()).unwrap())).collect();
    let mut seed = text.bytes().fold(1_u32, |s, b| s.wrapping_mul(31).wrapping_add(b.into()));
    let mut pixels = Vec::with_capacity(WIDTH * HEIGHT);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            pixels.push(if noise && y >= HEIGHT / 2 { (seed >> 24) as u8 } else { levels[x / BAND] });
        }
    }
    let image = Mat::new_rows_cols_with_data(HEIGHT as i32, WIDTH as i32, &pixels).unwrap();
    let mut png = Vector::<u8>::new();
    assert!(opencv::imgcodecs::imencode_def(".png", &image, &mut png).unwrap());
    png.as_slice().to_vec()
}

/// A folder of pictures, shown in this order.
pub fn pictures(dir: &Path, plates: &[String], noise: bool) {
    std::fs::create_dir(dir).unwrap();
    for (n, plate) in plates.iter().enumerate() {
        std::fs::write(dir.join(format!("{n:04}.png")), picture(plate, noise)).unwrap();
    }
}

/// Different registration numbers; at most 1000.
pub fn plates(count: usize) -> Vec<String> {
    let letter = |n: usize| char::from(b'A' + (n % 8) as u8);
    (0..count)
        .map(|n| format!("{}{}{}{}{:03}", 1 + n % 9, letter(n), letter(n / 3), letter(n / 7), n * 37 % 1000))
        .collect()
}
