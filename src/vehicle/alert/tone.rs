//! The tones, synthesised. One pattern for each priority, with frequencies of its own, so that
//! an officer tells them apart without looking:
//!
//! | priority | pattern | loudness |
//! |---|---|---|
//! | high | 1,500 Hz and 1,100 Hz in turn, 100 ms each, six times (1.2 s) | 0.8 |
//! | normal | 880 Hz then 660 Hz, 200 ms each, 50 ms apart | 0.6 |
//! | low | one note of 440 Hz, 250 ms | 0.2 |
//!
//! Sine waves; each note swells and fades over 8 ms in the form of a half cosine, so that it does not click.

use plated_core::record::Priority;
use std::f32::consts::PI;

/// One note of a chime, or a rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Note {
    /// In hertz; 0 is a rest.
    pub frequency: f32,
    /// In seconds.
    pub length: f32,
    /// Amplitude, 0 to 1.
    pub loudness: f32,
}

/// Swelling and fading of a note, in seconds.
const EDGE: f32 = 0.008;

/// The notes of the chime of this priority.
pub fn notes(priority: Priority) -> Vec<Note> {
    let note = |frequency, length, loudness| Note { frequency, length, loudness };
    match priority {
        Priority::High => [note(1500.0, 0.1, 0.8), note(1100.0, 0.1, 0.8)].repeat(6),
        Priority::Normal => vec![note(880.0, 0.2, 0.6), note(0.0, 0.05, 0.0), note(660.0, 0.2, 0.6)],
        Priority::Low => vec![note(440.0, 0.25, 0.2)],
    }
}

/// The chime of this priority as samples from -1 to 1, at `rate` samples a second.
pub fn samples(priority: Priority, rate: u32) -> Vec<f32> {
    let rate = rate as f32;
    let mut out = Vec::new();
    for note in notes(priority) {
        let count = (note.length * rate) as usize;
        for n in 0..count {
            let time = n as f32 / rate;
            let from_edge = time.min(count as f32 / rate - time);
            let envelope = if from_edge < EDGE { 0.5 - 0.5 * (PI * from_edge / EDGE).cos() } else { 1.0 };
            out.push(note.loudness * envelope * (2.0 * PI * note.frequency * time).sin());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_chime_clicks_or_clips() {
        for priority in [Priority::Low, Priority::Normal, Priority::High] {
            let samples = samples(priority, 48_000);
            assert!(samples.iter().all(|s| s.abs() <= 0.8));
            // The steepest step of a sine of the highest frequency, plus a little for the swell.
            let steepest = 2.0 * PI * 1500.0 / 48_000.0 * 0.8 + 0.01;
            assert!(samples.windows(2).all(|w| (w[1] - w[0]).abs() <= steepest));
            assert!(samples[0].abs() < 0.001 && samples[samples.len() - 1].abs() < 0.01);
        }
    }

    #[test]
    fn no_two_priorities_share_a_frequency() {
        let all = [Priority::Low, Priority::Normal, Priority::High].map(notes);
        for (i, a) in all.iter().enumerate() {
            for b in &all[i + 1..] {
                assert!(a.iter().all(|x| b.iter().all(|y| x.frequency != y.frequency || x.frequency == 0.0)));
            }
        }
    }
}
