//! A caller at the other end of the socket has to get on: what it sends and takes has a slowest pace,
//! whatever each single byte does.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Slowest pace, in bytes a second. A command line on the same computer is a thousand times faster,
/// also with a list that it reads from a slow medium.
const MIN_PACE: u64 = 16 << 10;

/// The stream to a caller, with the time that was spent waiting for it.
pub struct Paced<'a> {
    stream: &'a UnixStream,
    grace: Duration,
    waited: Duration,
    bytes: u64,
}

impl<'a> Paced<'a> {
    /// The caller may be slower by `grace` in all.
    pub fn new(stream: &'a UnixStream, grace: Duration) -> Self {
        Self { stream, grace, waited: Duration::ZERO, bytes: 0 }
    }

    /// Does `with` within what is left of the time.
    fn timed(&mut self, with: impl FnOnce(&UnixStream, Duration) -> io::Result<usize>) -> io::Result<usize> {
        let slow = || io::Error::new(ErrorKind::TimedOut, "the caller is too slow");
        let allowed = self.grace + Duration::from_millis(self.bytes * 1000 / MIN_PACE);
        let left = allowed.checked_sub(self.waited).filter(|t| !t.is_zero()).ok_or_else(slow)?;
        let began = Instant::now();
        let done = with(self.stream, left);
        self.waited += began.elapsed();
        match done {
            Ok(n) => {
                self.bytes += n as u64;
                Ok(n)
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Err(slow()),
            Err(e) => Err(e),
        }
    }
}

impl Read for Paced<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.timed(|mut stream, left| {
            stream.set_read_timeout(Some(left))?;
            stream.read(buffer)
        })
    }
}

impl Write for Paced<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.timed(|mut stream, left| {
            stream.set_write_timeout(Some(left))?;
            stream.write(bytes)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_that_sends_a_byte_now_and_then_is_let_go_and_one_that_gets_on_is_not() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let slow = std::thread::spawn(move || {
            while theirs.write_all(b".").is_ok() {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let mut input = Paced::new(&ours, Duration::from_millis(60));
        let error = io::copy(&mut input, &mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(ours);
        slow.join().unwrap();

        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let list = vec![b'x'; 1 << 20];
        let sent = list.len() as u64;
        let sender = std::thread::spawn(move || theirs.write_all(&list).unwrap());
        let mut input = Paced::new(&ours, Duration::from_secs(60));
        assert_eq!(io::copy(&mut input, &mut io::sink()).unwrap(), sent);
        sender.join().unwrap();
    }

    #[test]
    fn a_caller_that_takes_no_answer_is_let_go() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let mut output = Paced::new(&ours, Duration::from_millis(50));
        let error = output.write_all(&vec![b'x'; 64 << 20]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
