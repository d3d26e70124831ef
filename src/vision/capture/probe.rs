//! Whether a network camera answers, asked before FFmpeg opens it.
//!
//! OpenCV holds one lock while FFmpeg opens a stream: a camera that hangs then keeps every other camera, and
//! every video file, from being opened. So each camera is first asked to describe its stream, on its own thread
//! and outside of OpenCV, and only one that answers is opened. That begins no session at the camera.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of an answer's header that are waited for.
const MAX_HEADER: usize = 16 << 10;

/// Asks the camera at an `rtsp://` or `rtsps://` address to describe its stream, and the one at an `http://` or
/// `https://` address for its pictures, without name and password: that it wants them is an answer too. Over TLS, a
/// handshake that fails is an answer as well: FFmpeg speaks older versions.
///
/// # Errors
/// When nothing answers in time; they never hold a part of the address.
pub fn probe(url: &str, timeout: Duration) -> Result<()> {
    let deadline = Instant::now() + timeout;
    let Address { host, port, bare } = Address::parse(url).ok_or(ErrorKind::InvalidInput)?;
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    let mut connection = Connection { stream: connect(&addresses, deadline)?, deadline };
    if url.starts_with("rtsp:") || url.starts_with("http:") {
        return ask(&mut connection, &bare);
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|_| ErrorKind::InvalidInput)?;
    let mut tls = ClientConnection::new(tls_settings()?, name).map_err(Error::other)?;
    match tls.complete_io(&mut connection) {
        Ok(_) => ask(&mut rustls::Stream::new(&mut tls, &mut connection), &bare),
        Err(e) if is_silence(&e) => Err(e),
        Err(_) => Ok(()),
    }
}

/// Connects to the first address that answers. They share the time: one that is dead, as an IPv6 address often
/// is, leaves enough for the others.
fn connect(addresses: &[SocketAddr], deadline: Instant) -> Result<TcpStream> {
    let mut outcome = Err(Error::from(ErrorKind::NotFound));
    for (address, open) in addresses.iter().zip((1..=addresses.len() as u32).rev()) {
        outcome = TcpStream::connect_timeout(address, left(deadline)? / open);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

fn ask(stream: &mut (impl Read + Write), bare: &str) -> Result<()> {
    let (protocol, request) = match bare.strip_prefix("http://").or_else(|| bare.strip_prefix("https://")) {
        None => {
            let head = format!("DESCRIBE {bare} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp");
            (b"RTSP/", format!("{head}\r\nUser-Agent: plated\r\n\r\n"))
        }
        Some(rest) => {
            let (host, path) = rest.find(['/', '?']).map_or((rest, "/"), |at| rest.split_at(at));
            let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
            let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*");
            (b"HTTP/", format!("{head}\r\nUser-Agent: plated\r\nConnection: close\r\n\r\n"))
        }
    };
    stream.write_all(request.as_bytes())?;
    stream.flush()?;
    let mut answer = Vec::new();
    while !answer.windows(4).any(|w| w == b"\r\n\r\n") {
        let mut some = [0; 512];
        let count = match stream.read(&mut some) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            count => count?,
        };
        answer.extend_from_slice(&some[..count]);
        if count == 0 || answer.len() > MAX_HEADER || !protocol.starts_with(&answer[..answer.len().min(5)]) {
            return Err(ErrorKind::InvalidData.into());
        }
    }
    Ok(())
}

/// A connection that fails at a deadline, however slowly bytes come.
struct Connection {
    stream: TcpStream,
    deadline: Instant,
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.stream.set_read_timeout(Some(left(self.deadline)?))?;
        self.stream.read(buffer)
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.stream.set_write_timeout(Some(left(self.deadline)?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.stream.flush()
    }
}

fn left(deadline: Instant) -> Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn is_silence(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

/// An address taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Address<'a> {
    host: &'a str,
    port: u16,
    /// Without name and password.
    bare: String,
}

impl<'a> Address<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
        let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
        let usual = match scheme {
            "rtsps" => 322,
            "http" => 80,
            "https" => 443,
            _ => 554,
        };
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
        (!host.is_empty()).then(|| Self { host, port, bare: format!("{scheme}://{place}{path}") })
    }
}

fn tls_settings() -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Takes the certificate of any camera: most sign their own. Nothing secret is sent here.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(50);

    #[test]
    fn an_address_is_taken_apart_and_its_password_is_left_out() {
        let of = |url: &'static str| Address::parse(url).map(|a| (a.host, a.port, a.bare));
        assert_eq!(of("rtsp://u:p@cam/live?a=1"), Some(("cam", 554, "rtsp://cam/live?a=1".into())));
        assert_eq!(of("rtsp://u:p%40@10.0.0.7:8554/a@b"), Some(("10.0.0.7", 8554, "rtsp://10.0.0.7:8554/a@b".into())));
        assert_eq!(of("rtsps://[fe80::1]:99/x"), Some(("fe80::1", 99, "rtsps://[fe80::1]:99/x".into())));
        assert_eq!(of("http://u:p@cam?stream=1"), Some(("cam", 80, "http://cam?stream=1".into())));
        assert_eq!(of("rtsp://cam:port/"), None);
    }

    #[test]
    fn an_address_that_does_not_answer_leaves_time_for_the_next_one() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _in_runtime = runtime.enter();
        let dead = tokio::net::TcpSocket::new_v4().unwrap();
        dead.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        // One connection waits to be accepted, and the system answers no other.
        let dead = dead.listen(0).unwrap();
        let address = dead.local_addr().unwrap();
        let _waits = TcpStream::connect(address).unwrap();
        let works = TcpListener::bind("127.0.0.1:0").unwrap();
        let all = [address, works.local_addr().unwrap()];
        assert!(is_silence(&connect(&all[..1], Instant::now() + SHORT).unwrap_err()));
        let connected = connect(&all, Instant::now() + Duration::from_secs(2)).unwrap();
        assert_eq!(connected.peer_addr().unwrap(), all[1]);
    }

    #[test]
    fn a_camera_that_wants_a_password_answers_and_one_that_hangs_or_hangs_up_does_not() {
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
        assert!(probe(&url, LONG).is_ok());
        assert!(probe(&url, LONG).is_err());
        assert!(probe(&url, SHORT).is_err());
        let (asked, _) = camera.join().unwrap();
        assert!(asked.starts_with("DESCRIBE rtsp://127.0.0.1") && !asked.contains("hunter2"), "{asked}");
    }

    #[test]
    fn over_tls_a_camera_that_refuses_the_handshake_answers_and_one_that_is_silent_does_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("rtsps://user:hunter2@{}/live", listener.local_addr().unwrap());
        let camera = std::thread::spawn(move || {
            let (mut old, _) = listener.accept().unwrap();
            let mut hello = [0; 5];
            old.read_exact(&mut hello).unwrap();
            old.write_all(&[21, 3, 1, 0, 2, 2, 70]).unwrap(); // Alert: protocol version.
            let (silent, _) = listener.accept().unwrap();
            (hello, old, silent)
        });
        assert!(probe(&url, LONG).is_ok());
        let silent = probe(&url, SHORT).unwrap_err();
        assert!(is_silence(&silent), "{silent}");
        assert_eq!(camera.join().unwrap().0[0], 22, "it was sent a handshake");
    }
}
