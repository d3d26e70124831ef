//! Whether a network camera answers, found out before it is opened.
//!
//! OpenCV opens one stream after the other: while it waits for a camera that is there but hangs, no
//! other can be opened, 15 seconds long. So each camera is asked first, on its own thread and outside
//! of OpenCV, and only one that answers is opened.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// Bytes of an answer that are waited for.
const MAX_ANSWER: usize = 4096;

/// Asks the camera at an `rtsp://` or `rtsps://` address for its options, without name and password:
/// that it wants them is an answer too. Over TLS only the connection is tried.
///
/// # Errors
/// When nothing answers in time; they never hold a part of the address.
pub fn knock(url: &str, timeout: Duration) -> Result<()> {
    let end = Instant::now() + timeout;
    let left = || {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(Error::from(ErrorKind::TimedOut)) } else { Ok(left) }
    };
    let (host, port, bare) = parts(url).ok_or(ErrorKind::InvalidInput)?;
    let mut outcome = Err(Error::from(ErrorKind::NotFound));
    for address in (host, port).to_socket_addrs()? {
        outcome = TcpStream::connect_timeout(&address, left()?);
        if outcome.is_ok() {
            break;
        }
    }
    let mut stream = outcome?;
    if url.starts_with("rtsps") {
        return Ok(());
    }
    stream.set_write_timeout(Some(left()?))?;
    stream.write_all(format!("OPTIONS {bare} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: plated\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    while !answer.windows(4).any(|w| w == b"\r\n\r\n") {
        stream.set_read_timeout(Some(left()?))?;
        let mut some = [0; 512];
        let count = match stream.read(&mut some) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            count => count?,
        };
        answer.extend_from_slice(&some[..count]);
        if count == 0 || answer.len() > MAX_ANSWER || !b"RTSP/".starts_with(&answer[..answer.len().min(5)]) {
            return Err(ErrorKind::InvalidData.into());
        }
    }
    Ok(())
}

/// Host, port, and the address without name and password.
fn parts(url: &str) -> Option<(&str, u16, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let usual = if scheme == "rtsps" { 322 } else { 554 };
    let (host, port) = match place.strip_prefix('[') {
        Some(six) => {
            let (host, rest) = six.split_once(']')?;
            (host, rest.strip_prefix(':').map_or(Some(usual), |p| p.parse().ok())?)
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (place, usual),
        },
    };
    (!host.is_empty()).then(|| (host, port, format!("{scheme}://{place}{path}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn an_address_is_taken_apart_and_its_password_is_not_sent() {
        let of = |url: &'static str| parts(url);
        assert_eq!(of("rtsp://u:p@cam/live?a=1"), Some(("cam", 554, "rtsp://cam/live?a=1".into())));
        assert_eq!(of("rtsp://u:p%40@10.0.0.7:8554/a@b"), Some(("10.0.0.7", 8554, "rtsp://10.0.0.7:8554/a@b".into())));
        assert_eq!(of("rtsps://[fe80::1]:99/x"), Some(("fe80::1", 99, "rtsps://[fe80::1]:99/x".into())));
        assert_eq!(of("rtsp://cam:port/"), None);
    }

    #[test]
    fn a_camera_that_says_it_wants_a_password_answers_and_one_that_hangs_or_hangs_up_does_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("rtsp://user:hunter2@{}/live", listener.local_addr().unwrap());
        let camera = std::thread::spawn(move || {
            let (mut first, _) = listener.accept().unwrap();
            let mut asked = [0; 200];
            let count = first.read(&mut asked).unwrap();
            first.write_all(b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n").unwrap();
            drop(listener.accept().unwrap());
            let (hangs, _) = listener.accept().unwrap();
            (String::from_utf8_lossy(&asked[..count]).into_owned(), hangs)
        });
        let long = Duration::from_secs(60);
        assert!(knock(&url, long).is_ok());
        assert!(knock(&url, long).is_err());
        assert!(knock(&url, Duration::from_millis(50)).is_err());
        let (asked, _) = camera.join().unwrap();
        assert!(asked.starts_with("OPTIONS rtsp://127.0.0.1") && !asked.contains("hunter2"), "{asked}");
    }
}
