//! That a tone is really played: an ALSA device that writes a file takes the place of the sound
//! card, and the samples in it are analysed. ALSA reads its configuration once in a process, so
//! each case runs in a process of its own: this program again.
use crate::kit::sound;

use plated_core::clock::{Clock, SystemClock};
use plated_core::record::Priority;
use plated_vehicle::alert::{Chime, Settings};
use sound::{RATE, alsa_configuration, melody, read};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// Runs `case` of the test [`in_a_process_of_its_own`] with this ALSA configuration.
fn run(case: &str, dir: &Path, configuration: &str) {
    let file = dir.join("asound.conf");
    std::fs::write(&file, configuration).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "alert_chime::in_a_process_of_its_own", "--nocapture"])
        .env("ALSA_CONFIG_PATH", file)
        .env("PLATED_TEST_CASE", case)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn play(case: &str) -> Vec<f64> {
    let dir = tempfile::tempdir().unwrap();
    run(case, dir.path(), &alsa_configuration(dir.path()));
    read(&dir.path().join("default.raw"))
}

/// The child's part. Does nothing in the parent.
#[test]
fn in_a_process_of_its_own() {
    let Ok(case) = std::env::var("PLATED_TEST_CASE") else { return };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let quiet = Settings { sound: false, ..Settings::default() };
    let named = |device: &str| Settings { device: device.into(), ..Settings::default() };
    let play = |config: &Settings, priorities: &[Priority]| {
        let (chime, warning) = Chime::start(config, Arc::clone(&clock));
        assert_eq!(warning, None);
        priorities.iter().for_each(|p| chime.sound(*p));
        while chime.status().played < chime.status().asked {
            std::thread::yield_now();
        }
        chime.status()
    };
    match case.as_str() {
        "high" => {
            let before = clock.monotonic();
            let status = play(&Settings::default(), &[Priority::High]);
            let last = status.last.unwrap();
            assert_eq!(last.priority, Priority::High);
            assert!(last.at >= before && last.at <= clock.monotonic());
        }
        "normal" => drop(play(&Settings::default(), &[Priority::Normal])),
        "low" => drop(play(&Settings::default(), &[Priority::Low])),
        "muted" => {
            let status = play(&quiet, &[Priority::Low, Priority::Normal]);
            assert_eq!((status.asked, status.muted), (0, 2));
        }
        "muted high" => drop(play(&quiet, &[Priority::High, Priority::Normal])),
        "named" => drop(play(&named("speaker"), &[Priority::Normal])),
        "unknown" => {
            let (chime, warning) = Chime::start(&named("trumpet"), clock);
            let warning = warning.unwrap();
            assert!(warning.contains("\"trumpet\"") && warning.contains("speaker"), "{warning}");
            assert!(warning.contains("sound on the default sound device"), "{warning}");
            chime.sound(Priority::Normal);
            while chime.status().played == 0 {
                std::thread::yield_now();
            }
            let status = chime.status();
            assert!(status.error.unwrap().contains("trumpet"));
            assert_eq!(status.instead.as_deref(), Some("default"));
        }
        "lost" => {
            // The configured device and the default one are gone; another is there.
            let (chime, warning) = Chime::start(&named("trumpet"), clock);
            assert!(warning.unwrap().contains("not heard for now"));
            chime.sound(Priority::High);
            while chime.status().played == 0 {
                std::thread::yield_now();
            }
            assert_eq!(chime.status().instead.as_deref(), Some("speaker"));
        }
        "bell" => {
            let (chime, _) = Chime::start(&Settings::default(), clock);
            chime.sound(Priority::High);
            while chime.status().bells == 0 {
                std::thread::yield_now();
            }
            assert_eq!(chime.status().played, 0);
        }
        "no card" => {
            let (chime, warning) = Chime::start(&Settings::default(), clock);
            assert!(warning.unwrap().contains("not heard"));
            (0..1000).for_each(|_| chime.sound(Priority::Low));
            assert!(chime.status().dropped > 900, "what waits for a sound card is bounded");
        }
        "no card, then one" => {
            let (chime, warning) = Chime::start(&named("late"), Arc::clone(&clock));
            assert!(warning.unwrap().contains("not heard"));
            chime.sound(Priority::High);
            let file = std::path::PathBuf::from(std::env::var("ALSA_CONFIG_PATH").unwrap());
            let dir = file.parent().unwrap();
            // The one line of this device alone, in the place of nothing.
            let all = alsa_configuration(dir);
            let late = all.lines().last().unwrap().replace("pcm.speaker", "pcm.late");
            std::fs::write(dir.join("new.conf"), late + "\n").unwrap();
            std::fs::rename(dir.join("new.conf"), &file).unwrap();
            assert_eq!(chime.started().recv_timeout(LONG).unwrap().priority, Priority::High);
            while chime.status().played == 0 {
                std::thread::yield_now();
            }
            assert_eq!(chime.status().error, None);
        }
        other => panic!("no case {other}"),
    }
}

#[test]
fn high_sounds_as_two_fast_tones_in_turn() {
    let samples = play("high");
    assert_eq!(melody(&samples), [1500.0, 1100.0].repeat(6));
    assert!((samples.len() as f64 / RATE - 1.2).abs() < 0.01, "1.2 seconds without a gap");
}

#[test]
fn normal_sounds_as_two_notes() {
    assert_eq!(melody(&play("normal")), [880.0, 0.0, 660.0]);
}

#[test]
fn low_sounds_as_one_soft_note() {
    let samples = play("low");
    assert_eq!(melody(&samples), [440.0]);
    assert!(samples.iter().all(|s| s.abs() < 0.25));
}

#[test]
fn muting_silences_low_and_normal_and_never_high() {
    assert!(play("muted").is_empty());
    assert_eq!(melody(&play("muted high")), [1500.0, 1100.0].repeat(6));
}

#[test]
fn the_configured_device_sounds_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    run("named", dir.path(), &alsa_configuration(dir.path()));
    assert_eq!(melody(&read(&dir.path().join("speaker.raw"))), [880.0, 0.0, 660.0]);
    assert!(read(&dir.path().join("default.raw")).is_empty());
}

#[test]
fn an_unknown_device_is_a_warning_that_names_those_there_are_and_the_default_one_sounds() {
    let dir = tempfile::tempdir().unwrap();
    run("unknown", dir.path(), &alsa_configuration(dir.path()));
    assert_eq!(melody(&read(&dir.path().join("default.raw"))), [880.0, 0.0, 660.0]);
}

#[test]
fn when_the_sound_card_is_lost_the_alert_sounds_on_another() {
    let dir = tempfile::tempdir().unwrap();
    let only_speaker = alsa_configuration(dir.path()).lines().skip(1).collect::<String>();
    run("lost", dir.path(), &only_speaker);
    assert_eq!(melody(&read(&dir.path().join("speaker.raw"))), [1500.0, 1100.0].repeat(6));
}

#[test]
fn without_any_sound_device_the_bell_of_the_terminal_rings() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("asound.conf");
    std::fs::write(&file, "").unwrap();
    // `script` gives it a terminal of its own.
    let program = std::env::current_exe().unwrap();
    let command = format!("'{}' --exact alert_chime::in_a_process_of_its_own --nocapture", program.display());
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env("ALSA_CONFIG_PATH", file)
        .env("PLATED_TEST_CASE", "bell")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains('\x07'), "{shown}");
}

#[test]
fn no_sound_card_is_a_warning_and_nobody_waits_for_one() {
    run("no card", tempfile::tempdir().unwrap().path(), "");
}

#[test]
fn a_high_alert_sounds_as_soon_as_the_sound_card_is_there() {
    let dir = tempfile::tempdir().unwrap();
    run("no card, then one", dir.path(), "");
    assert_eq!(melody(&read(&dir.path().join("speaker.raw"))), [1500.0, 1100.0].repeat(6));
}
