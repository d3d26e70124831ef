//! The real gpsd, over a receiver of the test's own that speaks NMEA.

use super::process::{PATIENCE, address};
use jiff::Timestamp;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How often the receiver has a fix.
const EVERY: Duration = Duration::from_millis(200);
/// The speed of the track: 26.2 knots.
pub const SPEED_M_S: f32 = 13.48;
/// Its direction.
pub const HEADING: f32 = 0.0;

/// What the receiver says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sky {
    /// A fix at this place (degrees north and west).
    Fix(f64, f64),
    /// None.
    Covered,
}

/// A receiver and gpsd, at work. Both end when it is dropped.
pub struct Gpsd {
    sky: Arc<Mutex<Sky>>,
    feed: SocketAddr,
    at: SocketAddr,
    gpsd: Option<Child>,
    over: Arc<AtomicBool>,
}

impl Gpsd {
    /// None, and a line that says so, where gpsd is not installed.
    pub fn start(sky: Sky) -> Option<Self> {
        let found = ["/usr/sbin/gpsd", "/usr/bin/gpsd"].iter().any(|path| std::path::Path::new(path).exists());
        if !found {
            eprintln!("SKIPPED: gpsd is not installed; .ci/setup installs it");
            return None;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (feed, sky, over) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(sky)), Arc::default());
        let mut gpsd = Self { sky, feed, at: address(), gpsd: None, over };
        let (sky, over) = (gpsd.sky.clone(), gpsd.over.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (sky, over) = (sky.clone(), over.clone());
                std::thread::spawn(move || receiver(stream, &sky, &over));
            }
        });
        gpsd.again();
        Some(gpsd)
    }

    /// Where gpsd listens.
    pub fn address(&self) -> SocketAddr {
        self.at
    }

    /// From now on the receiver says this.
    pub fn set(&self, sky: Sky) {
        *self.sky.lock().unwrap() = sky;
    }

    /// Gpsd is gone.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.gpsd.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Gpsd is there again, at the same address.
    pub fn again(&mut self) {
        let program = if std::path::Path::new("/usr/sbin/gpsd").exists() { "/usr/sbin/gpsd" } else { "gpsd" };
        let child = Command::new(program)
            .args(["-N", "-n", "-S", &self.at.port().to_string(), &format!("tcp://{}", self.feed)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.gpsd = Some(child.unwrap());
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(self.at).is_err() {
            assert!(Instant::now() < deadline, "gpsd does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Gpsd {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.stop();
    }
}

/// Writes sentences until nobody reads them.
fn receiver(mut stream: TcpStream, sky: &Mutex<Sky>, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let now = Timestamp::now();
        let epoch = now.as_millisecond() / EVERY.as_millis() as i64 * EVERY.as_millis() as i64;
        let said = sentences(*sky.lock().unwrap(), Timestamp::from_millisecond(epoch).unwrap());
        if stream.write_all(said.as_bytes()).is_err() {
            return;
        }
        std::thread::sleep(EVERY);
    }
}

/// A cycle of a receiver: fix, satellites, motion.
fn sentences(sky: Sky, at: Timestamp) -> String {
    let time = format!("{}.{:02}", at.strftime("%H%M%S"), at.subsec_millisecond() / 10);
    let date = at.strftime("%d%m%y").to_string();
    let minutes = |degrees: f64| (degrees.trunc(), degrees.fract() * 60.0);
    let all = match sky {
        Sky::Fix(north, west) => {
            let ((lat, lat_min), (lon, lon_min)) = (minutes(north), minutes(west));
            let place = format!("{lat:02.0}{lat_min:08.5},N,{lon:03.0}{lon_min:08.5},W");
            [
                format!("GPGGA,{time},{place},1,08,1.0,10.0,M,-25.0,M,,"),
                "GPGSA,A,3,04,05,09,12,24,25,29,31,,,,,1.8,1.0,1.5".into(),
                format!("GPRMC,{time},A,{place},26.2,{HEADING:05.1},{date},,,A"),
            ]
        }
        Sky::Covered => [
            format!("GPGGA,{time},,,,,0,00,,,M,,M,,"),
            "GPGSA,A,1,,,,,,,,,,,,,,,".into(),
            format!("GPRMC,{time},V,,,,,,,{date},,,N"),
        ],
    };
    all.iter().map(|body| format!("${body}*{:02X}\r\n", body.bytes().fold(0, |sum, b| sum ^ b))).collect()
}
