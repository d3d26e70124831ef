//! Listening to what was played: an ALSA device that writes a file takes the place of the sound
//! card, and the samples in it are analysed.

use std::path::Path;

pub const RATE: f64 = 48_000.0;
/// All frequencies of all chimes (documented in `alert::tone`).
const TONES: [f64; 5] = [1500.0, 1100.0, 880.0, 660.0, 440.0];

/// Two devices, `default` and `speaker`, which write to files of their own.
pub fn alsa_configuration(dir: &Path) -> String {
    let device = |name: &str, file: &str| {
        format!(
            "pcm.{name} {{ type plug slave {{ format S16_LE rate 48000 channels 1 pcm {{ type file \
             file \"{}\" format raw slave.pcm {{ type null }} }} }} hint {{ show on description \"{file}\" }} }}\n",
            dir.join(file).display()
        )
    };
    device("!default", "default.raw") + &device("speaker", "speaker.raw")
}

/// What was played, without the silence after it.
pub fn read(path: &Path) -> Vec<f64> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let samples: Vec<f64> = bytes.as_chunks().0.iter().map(|b| f64::from(i16::from_le_bytes(*b)) / 32768.0).collect();
    let end = samples.iter().rposition(|s| s.abs() > 0.001).map_or(0, |last| last + 1);
    samples[..end].to_vec()
}

/// Amplitude of one frequency in `samples`, by Goertzel's method.
fn amplitude(samples: &[f64], frequency: f64) -> f64 {
    let step = 2.0 * std::f64::consts::PI * frequency / RATE;
    let (mut a, mut b) = (0.0, 0.0);
    for s in samples {
        (a, b) = (s + 2.0 * step.cos() * a - b, a);
    }
    2.0 * (a * a + b * b - 2.0 * step.cos() * a * b).max(0.0).sqrt() / samples.len() as f64
}

/// The loudest tone of each 50 ms, repeats left out; silence is 0.
pub fn melody(samples: &[f64]) -> Vec<f64> {
    let mut out = Vec::new();
    for part in samples.chunks((RATE / 20.0) as usize).filter(|p| p.len() > 1000) {
        let loud = |f: &f64| amplitude(part, *f);
        let loudest = TONES.into_iter().max_by(|a, b| loud(a).total_cmp(&loud(b))).unwrap();
        let tone = if loud(&loudest) < 0.05 { 0.0 } else { loudest };
        out.push(tone);
    }
    out.dedup();
    out
}
