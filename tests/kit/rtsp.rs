//! A network camera on the loopback: RTSP 1.0, and on the same connection RTP/JPEG (RFC 2435) or H.265 (RFC 7798).
//!
//! It numbers its pictures, and a picture shows its number, so that a test can tell which it got.

use opencv::core::{CV_8UC3, Mat, Rect, Scalar, Vec3b, Vector};
use opencv::imgcodecs::imencode_def;
use opencv::imgproc::{FILLED, LINE_8, rectangle};
use opencv::prelude::*;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub const WIDTH: i32 = 640;
pub const HEIGHT: i32 = 480;
/// Name and password of a camera that asks for them, as they stand in an address.
pub const LOGIN: &str = "user:hunter2";
/// `LOGIN` in Base64.
const AUTHORIZATION: &str = "Basic dXNlcjpodW50ZXIy";
/// Types of payload.
const JPEG: u8 = 26;
const H265: u8 = 96;
/// Bytes of picture in one packet, so that a packet fits into an Ethernet frame.
const PAYLOAD: usize = 1400;
/// The same of H.265, whose pictures are small here, so that some have several packets.
const H265_PAYLOAD: usize = 200;

/// What the camera does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Answers and sends pictures.
    Send,
    /// Keeps the connection and sends nothing.
    Hang,
    /// Answers OPTIONS, and nothing after it.
    OptionsOnly,
    /// Hangs up in the middle of a picture, and on each new try.
    Cut,
}

/// How the camera is made.
#[derive(Clone, Copy)]
pub struct Model {
    /// Pictures a second.
    pub rate: u32,
    /// It drops who has not been heard for this long, in seconds.
    pub session: u64,
    /// It wants `LOGIN`.
    pub login: bool,
    pub codec: Codec,
}

/// How it encodes its pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Codec {
    #[default]
    Jpeg,
    /// [`H265_PICTURES`] of them again and again, a key picture every 20, each in two slices.
    H265,
}

/// After so many the numbers that H.265 shows begin anew.
pub const H265_PICTURES: u64 = 60;

impl Default for Model {
    fn default() -> Self {
        Self { rate: 30, session: 60, login: false, codec: Codec::Jpeg }
    }
}

/// What the camera has seen and done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Pictures sent whole; the next one has this number.
    pub sent: u64,
    pub connections: u64,
    /// Requests of FFmpeg; the others ask whether the camera answers.
    pub by_ffmpeg: u64,
    pub keepalives: u64,
    pub teardowns: u64,
    /// Sessions it ended since nothing was heard.
    pub expired: u64,
}

struct State {
    order: Order,
    seen: Seen,
    off: bool,
}

/// A camera at work; it ends when dropped.
pub struct RtspCamera {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<()>>,
}

impl RtspCamera {
    pub fn start(model: Model) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { order: Order::Send, seen: Seen::default(), off: false }));
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map(Result::unwrap) {
                {
                    let mut state = lock(&shared);
                    if state.off {
                        return;
                    }
                    state.seen.connections += 1;
                }
                // The other end may go at any moment.
                let _ = Connection::new(stream, model, Arc::clone(&shared)).serve();
            }
        });
        Self { address, state, thread: Some(thread) }
    }

    /// Its address, with name and password when given.
    pub fn url(&self, login: &str) -> String {
        let at = if login.is_empty() { "" } else { "@" };
        format!("rtsp://{login}{at}{}/live", self.address)
    }

    /// Once this returns, no picture is on its way but such as the order wants.
    pub fn order(&self, order: Order) {
        lock(&self.state).order = order;
    }

    pub fn seen(&self) -> Seen {
        lock(&self.state).seen
    }
}

impl Drop for RtspCamera {
    fn drop(&mut self) {
        lock(&self.state).off = true;
        // Wakes it when it waits for a connection.
        drop(TcpStream::connect(self.address));
        let _ = self.thread.take().unwrap().join();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(|e| e.into_inner())
}

struct Connection {
    stream: TcpStream,
    model: Model,
    state: Arc<Mutex<State>>,
    /// Bytes that are no whole request yet.
    input: Vec<u8>,
    heard: Instant,
    /// When the next picture is due, once playing.
    due: Option<Instant>,
    packet: u16,
}

impl Connection {
    fn new(stream: TcpStream, model: Model, state: Arc<Mutex<State>>) -> Self {
        stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        Self { stream, model, state, input: Vec::new(), heard: Instant::now(), due: None, packet: 0 }
    }

    fn serve(mut self) -> std::io::Result<()> {
        let state = Arc::clone(&self.state);
        loop {
            {
                let mut state = lock(&state);
                match state.order {
                    _ if state.off => return Ok(()),
                    Order::Cut if self.due.is_some() => return self.send_picture(state.seen.sent, false),
                    Order::Cut => return Ok(()),
                    Order::Hang => {}
                    Order::OptionsOnly => {
                        while let Some(request) = self.request() {
                            if request.starts_with("OPTIONS") {
                                self.answer(&request, &mut state.seen)?;
                            }
                        }
                    }
                    Order::Send => {
                        while let Some(request) = self.request() {
                            if !self.answer(&request, &mut state.seen)? {
                                return Ok(());
                            }
                        }
                        if self.due.is_some_and(|due| due <= Instant::now()) {
                            self.send_picture(state.seen.sent, true)?;
                            state.seen.sent += 1;
                            self.due = self.due.map(|due| due + Duration::from_secs(1) / self.model.rate);
                        }
                        if self.heard.elapsed() > Duration::from_secs(self.model.session) {
                            state.seen.expired += 1;
                            return Ok(());
                        }
                    }
                }
            }
            let tick = Duration::from_millis(5);
            let wait = self.due.map_or(tick, |due| due.saturating_duration_since(Instant::now()).min(tick));
            self.stream.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => return Ok(()),
                Ok(count) => self.input.extend(&bytes[..count]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// The next whole request. Reports about the reception, which come in between, are passed over.
    fn request(&mut self) -> Option<String> {
        while let Some(&[b'$', _, high, low]) = self.input.get(..4) {
            let end = 4 + usize::from(u16::from_be_bytes([high, low]));
            if self.input.len() < end {
                return None;
            }
            self.input.drain(..end);
        }
        let end = self.input.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
        let request: Vec<u8> = self.input.drain(..end).collect();
        Some(String::from_utf8(request).unwrap())
    }

    /// False when the session is over.
    fn answer(&mut self, request: &str, seen: &mut Seen) -> std::io::Result<bool> {
        self.heard = Instant::now();
        let header = |name: &str| {
            let lines = request.lines().filter_map(|l| l.split_once(':'));
            lines.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
        };
        seen.by_ffmpeg += u64::from(header("User-Agent").starts_with("Lavf"));
        let mut words = request.split_whitespace();
        let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let session = format!("Session: 4711;timeout={}\r\n", self.model.session);
        let (status, more) = match method {
            "OPTIONS" => {
                ("200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\n\r\n".to_owned())
            }
            _ if self.model.login && header("Authorization") != AUTHORIZATION => {
                ("401 Unauthorized", "WWW-Authenticate: Basic realm=\"camera\"\r\n\r\n".to_owned())
            }
            "DESCRIBE" => {
                let (number, codec) = match self.model.codec {
                    Codec::Jpeg => (JPEG, "JPEG"),
                    Codec::H265 => (H265, "H265"),
                };
                let sdp = format!(
                    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n\
                     m=video 0 RTP/AVP {number}\r\na=rtpmap:{number} {codec}/90000\r\na=control:track1\r\n"
                );
                let kind = "Content-Type: application/sdp";
                ("200 OK", format!("Content-Base: {target}/\r\n{kind}\r\nContent-Length: {}\r\n\r\n{sdp}", sdp.len()))
            }
            "SETUP" if header("Transport").starts_with("RTP/AVP/TCP") => {
                ("200 OK", format!("Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n{session}\r\n"))
            }
            "SETUP" => ("461 Unsupported Transport", "\r\n".to_owned()),
            "PLAY" => {
                self.due = Some(Instant::now());
                ("200 OK", format!("{session}\r\n"))
            }
            "GET_PARAMETER" => {
                seen.keepalives += 1;
                ("200 OK", format!("{session}\r\n"))
            }
            "TEARDOWN" => {
                seen.teardowns += 1;
                ("200 OK", "\r\n".to_owned())
            }
            _ => ("501 Not Implemented", "\r\n".to_owned()),
        };
        write!(self.stream, "RTSP/1.0 {status}\r\nCSeq: {}\r\n{more}", header("CSeq"))?;
        Ok(method != "TEARDOWN")
    }

    /// Sends a picture, or only the first half of its bytes.
    fn send_picture(&mut self, number: u64, whole: bool) -> std::io::Result<()> {
        let (payload_type, payloads) = match self.model.codec {
            Codec::Jpeg => (JPEG, jpeg_payloads(number)),
            Codec::H265 => (H265, h265_payloads(number)),
        };
        let time = (number * 90_000 / u64::from(self.model.rate)) as u32;
        let (mut out, count) = (Vec::new(), payloads.len());
        for (n, payload) in payloads.into_iter().enumerate() {
            let mut packet = vec![0x80, payload_type | u8::from(n + 1 == count) << 7];
            packet.extend(self.packet.to_be_bytes());
            packet.extend(time.to_be_bytes());
            packet.extend([0, 0, 0, 7]); // The sender's number.
            packet.extend(payload);
            out.extend([b'$', 0]);
            out.extend((packet.len() as u16).to_be_bytes());
            out.extend(packet);
            self.packet = self.packet.wrapping_add(1);
        }
        let end = if whole { out.len() } else { out.len() / 2 };
        self.stream.write_all(&out[..end])
    }
}

/// A picture in RTP/JPEG.
fn jpeg_payloads(number: u64) -> Vec<Vec<u8>> {
    let (tables, scan) = jpeg(number);
    let part = |(n, bytes): (usize, &[u8])| {
        // The first byte, for interlacing, stays 0.
        let mut payload = ((n * PAYLOAD) as u32).to_be_bytes().to_vec();
        // Type 1 is 4:2:0; quality 255 is tables in the first packet of each picture.
        payload.extend([1, 255, (WIDTH / 8) as u8, (HEIGHT / 8) as u8]);
        if n == 0 {
            payload.extend([0, 0, 0, 128]);
            payload.extend(tables);
        }
        payload.extend(bytes);
        payload
    };
    scan.chunks(PAYLOAD).enumerate().map(part).collect()
}

/// A picture in H.265: its parameter sets and slices, a large one in several packets.
fn h265_payloads(number: u64) -> Vec<Vec<u8>> {
    static STREAM: &[u8] = include_bytes!("../../fixtures/numbered.hevc");
    let mut payloads = Vec::new();
    for unit in h265_picture(STREAM, number % H265_PICTURES) {
        if unit.len() <= H265_PAYLOAD {
            payloads.push(unit.to_vec());
            continue;
        }
        // Fragments of one unit have the type 49, and its own type behind that.
        let (kind, count) = (unit[0] >> 1 & 0x3F, unit[2..].len().div_ceil(H265_PAYLOAD));
        for (n, bytes) in unit[2..].chunks(H265_PAYLOAD).enumerate() {
            let place = u8::from(n == 0) << 7 | u8::from(n + 1 == count) << 6;
            let mut payload = vec![unit[0] & 0x81 | 49 << 1, unit[1], place | kind];
            payload.extend(bytes);
            payloads.push(payload);
        }
    }
    payloads
}

/// The units of one picture. The first slice of a picture has the first bit behind its header set; what stands
/// before it belongs to it.
fn h265_picture(stream: &[u8], number: u64) -> Vec<&[u8]> {
    let starts: Vec<usize> =
        stream.windows(3).enumerate().filter(|(_, w)| *w == [0, 0, 1]).map(|(n, _)| n + 3).collect();
    let ends = starts.iter().skip(1).map(|start| start - 3).chain([stream.len()]);
    let mut picture = 0;
    let mut slices_of = false;
    let mut units = Vec::new();
    for (start, end) in starts.iter().zip(ends) {
        let unit = &stream[*start..end];
        let unit = unit.strip_suffix(&[0]).unwrap_or(unit);
        let is_slice = unit[0] >> 1 & 0x3F < 32;
        let begins = if is_slice { unit[2] & 0x80 != 0 } else { true };
        if begins && slices_of {
            picture += 1;
            slices_of = false;
        }
        slices_of |= is_slice;
        if picture == number {
            units.push(unit);
        }
    }
    units
}

/// The two quantisation tables and the compressed data of a picture.
fn jpeg(number: u64) -> ([u8; 128], Vec<u8>) {
    let mut bytes = Vector::new();
    imencode_def(".jpg", &picture(number), &mut bytes).unwrap();
    let bytes = bytes.to_vec();
    let mut tables = [0; 128];
    let mut at = 2;
    loop {
        let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        let segment = &bytes[at + 4..at + 2 + length];
        match bytes[at + 1] {
            0xDB => {
                for table in segment.chunks_exact(65) {
                    let id = usize::from(table[0]); // 8 bits an entry, or this is out of range.
                    tables[id * 64..][..64].copy_from_slice(&table[1..]);
                }
            }
            0xC0 => assert_eq!(segment[6..9], [1, 0x22, 0], "not baseline 4:2:0"),
            0xDD => panic!("restart markers need another type"),
            0xDA => return (tables, bytes[at + 2 + length..bytes.len() - 2].to_vec()),
            _ => {}
        }
        at += 2 + length;
    }
}

const BITS: i32 = 16;
const CELL: i32 = WIDTH / BITS;

/// Above, the number in black and white cells; below, a colour of its own.
fn picture(number: u64) -> Mat {
    let [blue, green, red] = colour(number);
    let mut mat = Mat::new_rows_cols_with_default(HEIGHT, WIDTH, CV_8UC3, Scalar::new(blue, green, red, 0.)).unwrap();
    for bit in 0..BITS {
        let value = if number >> bit & 1 == 1 { 255. } else { 0. };
        let cell = Rect::new(bit * CELL, 0, CELL, HEIGHT / 2);
        rectangle(&mut mat, cell, Scalar::all(value), FILLED, LINE_8, 0).unwrap();
    }
    mat
}

/// Blue, green and red of the lower half of a picture.
pub fn colour(number: u64) -> [f64; 3] {
    [37, 53, 71].map(|step| (number * step % 256) as f64)
}

/// The colour that a picture really shows below.
pub fn colour_of(image: &Mat) -> [f64; 3] {
    image.at_2d::<Vec3b>(HEIGHT * 3 / 4, WIDTH / 2).unwrap().0.map(f64::from)
}

/// The number that a picture shows.
pub fn number_of(image: &Mat) -> u64 {
    let white = |bit: i32| image.at_2d::<Vec3b>(HEIGHT / 4, bit * CELL + CELL / 2).unwrap()[1] > 127;
    (0..BITS).map(|bit| u64::from(white(bit)) << bit).sum()
}
