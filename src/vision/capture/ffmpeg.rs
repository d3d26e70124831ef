//! How FFmpeg is told to end the opening of a network camera that sends nothing.
//!
//! OpenCV's own time-out counts from the beginning of the opening, which takes long for a camera of few frames a
//! second. What tells that one from one that hangs is that bytes come. OpenCV hands options to FFmpeg out of the
//! environment only.

/// The variable out of which OpenCV takes them.
const VARIABLE: &str = "OPENCV_FFMPEG_CAPTURE_OPTIONS";
/// FFmpeg 5; before it, the option `timeout` meant to listen for a camera.
const MIN_AVFORMAT: u32 = 59;

/// Has FFmpeg end an opening in which the camera sends nothing for 5 seconds. What the environment says already
/// stays.
///
/// # Safety
/// The process must have no other thread: C libraries read the environment without a lock.
#[allow(unsafe_code, reason = "the environment of the process is changed")]
pub unsafe fn limit_silence() {
    let build = opencv::core::get_build_information().unwrap_or_default();
    if let Some(options) = options(&build)
        && std::env::var_os(VARIABLE).is_none()
    {
        // SAFETY: the caller's promise.
        unsafe { std::env::set_var(VARIABLE, options) };
    }
}

/// The options for the FFmpeg that this OpenCV was built with. The first is OpenCV's default, which they replace.
fn options(build: &str) -> Option<String> {
    let line = build.lines().map(str::trim).find_map(|line| line.strip_prefix("avformat:"))?;
    let version: String = line.chars().skip_while(|c| *c != '(').skip(1).take_while(char::is_ascii_digit).collect();
    let microseconds = u64::from(super::video::NETWORK_TIMEOUT_MS.unsigned_abs()) * 1000;
    (version.parse::<u32>().ok()? >= MIN_AVFORMAT).then(|| format!("rtsp_flags;prefer_tcp|timeout;{microseconds}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ffmpeg_whose_option_has_another_meaning_gets_none() {
        let of = |version: &str| options(&format!("  FFMPEG: YES\n    avformat:                  YES ({version})\n"));
        assert_eq!(of("59.27.100").as_deref(), Some("rtsp_flags;prefer_tcp|timeout;5000000"));
        assert_eq!(of("58.76.100"), None);
        assert_eq!(options("FFMPEG: NO"), None);
        let here = opencv::core::get_build_information().unwrap();
        assert!(options(&here).is_some(), "the OpenCV of this build says of its FFmpeg: {here}");
    }
}
