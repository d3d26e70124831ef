//! A network camera that sends JPEGs over HTTP to whoever asks.

use opencv::core::Vector;
use opencv::imgcodecs::{IMREAD_COLOR, IMWRITE_JPEG_QUALITY, imdecode, imencode};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Its pictures a second.
const RATE: u32 = 25;

/// It shows one picture again and again, until it is given another.
pub struct MjpegCamera {
    address: SocketAddr,
    shown: Arc<Mutex<Arc<Vec<u8>>>>,
    /// Connections since the start, and now.
    opened: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

impl MjpegCamera {
    /// One that shows this, in any format.
    pub fn start(picture: &[u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let camera = Self {
            address: listener.local_addr().unwrap(),
            shown: Arc::new(Mutex::new(Arc::new(jpeg(picture)))),
            opened: Arc::default(),
            open: Arc::default(),
        };
        let (shown, opened, open) = (camera.shown.clone(), camera.opened.clone(), camera.open.clone());
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (shown, opened, open) = (shown.clone(), opened.clone(), open.clone());
                std::thread::spawn(move || {
                    let (mut connection, mut counted) = (connection, false);
                    // Whoever hangs up has had enough.
                    let _ = send(&mut connection, &shown, || {
                        opened.fetch_add(1, Ordering::SeqCst);
                        open.fetch_add(1, Ordering::SeqCst);
                        counted = true;
                    });
                    if counted {
                        open.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        camera
    }

    /// It as a source.
    pub fn source(&self, name: &str) -> String {
        format!("[[sources]]\nname = \"{name}\"\nkind = \"mjpeg\"\nurl = \"http://{}/video.mjpg\"\n", self.address)
    }

    /// From now on it shows this.
    pub fn show(&self, picture: &[u8]) {
        *self.shown.lock().unwrap() = Arc::new(jpeg(picture));
    }

    /// How often pictures were asked for.
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// How many ask for pictures now.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

fn send(connection: &mut TcpStream, shown: &Mutex<Arc<Vec<u8>>>, begins: impl FnOnce()) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    begins();
    let kind = "multipart/x-mixed-replace; boundary=frame";
    write!(connection, "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n")?;
    loop {
        let jpeg = shown.lock().unwrap().clone();
        write!(connection, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len())?;
        connection.write_all(&jpeg)?;
        connection.write_all(b"\r\n")?;
        std::thread::sleep(Duration::from_secs(1) / RATE); // The camera's rate.
    }
}

fn jpeg(picture: &[u8]) -> Vec<u8> {
    let mat = imdecode(&Vector::<u8>::from_slice(picture), IMREAD_COLOR).unwrap();
    let mut jpeg = Vector::<u8>::new();
    assert!(imencode(".jpg", &mat, &mut jpeg, &Vector::from_slice(&[IMWRITE_JPEG_QUALITY, 100])).unwrap());
    jpeg.as_slice().to_vec()
}
