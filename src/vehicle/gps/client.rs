//! The connection to gpsd. It is made again with growing waits, whatever happens.

use super::fixes::{Fixes, MAX_AGE};
use super::judge::{Doubt, Judge};
use super::protocol::{MAX_LINE, Message, WATCH, parse};
use crate::health::{Health, Level};
use plated_core::clock::Clock;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::retry::Backoff;
use plated_core::text::{sentence, visible};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The part of health.
const PART: &str = "gps";
/// How long gpsd may take to take a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Gpsd reports about once a second while a receiver is plugged in. After so long without a word the
/// connection is made anew: the other end may be gone.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);
/// How often it is looked at whether the newest fix is still of now.
const LOOK: Duration = Duration::from_secs(1);
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What the task works with.
#[derive(Clone)]
pub struct Receiver {
    /// Host and port of gpsd.
    pub address: String,
    /// Where fixes go.
    pub fixes: Arc<Fixes>,
    /// Where it says how it is.
    pub health: Arc<Health>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// What is known since the connection was made.
#[derive(Default)]
struct Heard {
    judge: Judge,
    /// Receivers that gpsd reads.
    devices: Option<usize>,
    /// Why the newest report is not used.
    doubt: Option<Doubt>,
    /// Gpsd's own complaint.
    error: Option<String>,
    /// Lines that are none of gpsd's, one after the other.
    foreign: u32,
}

/// Reads fixes until it is cut off.
pub async fn run(receiver: Receiver) {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    receiver.report(Level::Degraded, "gpsd is asked; no position yet".into());
    loop {
        let mut any = false;
        let ended = receiver.listen(&mut any).await;
        if any {
            backoff.reset();
        }
        let why = ended.map_or_else(|e| e.chain(), |()| "it closed the connection".into());
        let text = format!(
            "no position from gpsd at {}: {why}; reads have none. Start gpsd, or take [gps] out of the configuration",
            receiver.address
        );
        receiver.report(Level::Failed, text);
        tokio::time::sleep(backoff.fail()).await;
    }
}

impl Receiver {
    /// One connection, from its beginning to its end. `any`: gpsd said something.
    async fn listen(&self, any: &mut bool) -> Result<()> {
        let failed = || "it can't be reached".to_owned();
        let connected = timeout(CONNECT_TIMEOUT, TcpStream::connect(&self.address)).await;
        let connected = connected.map_err(|_| Error::new(Kind::Network, "it does not answer"))?;
        let mut stream = connected.context(Kind::Network, failed)?;
        let (input, mut output) = stream.split();
        let mut input = BufReader::new(input);
        output.write_all(WATCH).await.context(Kind::Network, failed)?;
        let (mut heard, mut line) = (Heard::default(), Vec::new());
        let mut last_word = self.clock.monotonic();
        loop {
            match timeout(LOOK, read_line(&mut input, &mut line)).await {
                Ok(Ok(true)) => {
                    (*any, last_word) = (true, self.clock.monotonic());
                    self.hear(&mut heard, &line)?;
                    line.clear();
                }
                Ok(Ok(false)) => return Ok(()),
                Ok(Err(e)) => return Err(e).context(Kind::Network, || "the connection broke".into()),
                Err(_) if self.clock.monotonic().saturating_sub(last_word) > SILENCE_TIMEOUT => {
                    return Err(Error::new(Kind::Network, silent(heard.devices)));
                }
                // What was read of a line stays in `line`.
                Err(_) => {}
            }
            self.tell(&heard);
        }
    }

    /// Takes one line.
    fn hear(&self, heard: &mut Heard, line: &[u8]) -> Result<()> {
        let Some(message) = parse(line) else {
            heard.foreign += 1;
            return match heard.foreign {
                0..20 => Ok(()),
                _ => Err(Error::new(Kind::Network, "what answers there is not gpsd")),
            };
        };
        heard.foreign = 0;
        match message {
            Message::Report(report) => {
                let synchronised = self.clock.is_synchronised() == Some(true);
                match heard.judge.judge(&report, self.clock.moment(), synchronised) {
                    Ok(fix) => {
                        self.fixes.add(fix);
                        (heard.doubt, heard.error) = (None, None);
                    }
                    Err(Doubt::OtherReceiver) => {}
                    Err(doubt) => heard.doubt = Some(doubt),
                }
            }
            Message::Devices(n) => heard.devices = Some(n),
            Message::Error(why) => heard.error = Some(visible(&why).at_most(200).to_string()),
            Message::Other => {}
        }
        Ok(())
    }

    /// Puts down how it is.
    fn tell(&self, heard: &Heard) {
        let now = self.clock.monotonic();
        let newest = self.fixes.newest().filter(|fix| now.saturating_sub(fix.came) <= MAX_AGE);
        let Some(fix) = newest else {
            let why = match (heard.doubt, &heard.error) {
                (Some(doubt), _) => doubt.to_string(),
                (None, Some(why)) => format!("gpsd says: {why}"),
                (None, None) => silent(heard.devices).to_owned(),
            };
            return self.report(Level::Degraded, format!("no position: {why}; reads have none"));
        };
        let within = fix.position.error_m.map_or(String::new(), |m| format!(", right to about {} m", m.ceil()));
        self.report(Level::Ok, format!("the position is known{within}"));
    }

    fn report(&self, level: Level, text: String) {
        let logged = sentence(&text);
        if self.health.report(PART, level, text, self.clock.wall()) {
            tracing::warn!("{logged}");
        }
    }
}

/// Why nothing is heard of a receiver.
fn silent(devices: Option<usize>) -> &'static str {
    match devices {
        Some(0) => "gpsd knows no receiver; plug it in, or name it in gpsd's configuration",
        _ => "the receiver says nothing",
    }
}

/// Reads up to the end of a line, and goes on where it was cut off. False at the end of the input.
async fn read_line(input: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> std::io::Result<bool> {
    let left = (MAX_LINE + 1).saturating_sub(line.len());
    input.take(left as u64).read_until(b'\n', line).await?;
    match line.last() {
        Some(b'\n') => Ok(true),
        _ if line.len() > MAX_LINE => Err(std::io::Error::other("a line has no end")),
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_core::clock::ManualClock;

    fn receiver(clock: &Arc<ManualClock>) -> Receiver {
        let (fixes, health) = (Arc::default(), Arc::default());
        Receiver { address: "127.0.0.1:1".into(), fixes, health, clock: clock.clone() }
    }

    fn line(time: &str, mode: u8) -> String {
        format!(
            r#"{{"class":"TPV","device":"/dev/a","mode":{mode},"time":"{time}","lat":38.1,"lon":-121.2,"eph":4.2}}"#
        )
    }

    #[test]
    fn health_says_in_plain_words_why_there_is_no_position() {
        let clock = Arc::new(ManualClock::at("2026-11-26T12:00:00Z".parse().unwrap()));
        let (receiver, mut heard) = (receiver(&clock), Heard::default());
        let mut told = |line: &str, later: u64| {
            clock.advance(Duration::from_secs(later));
            receiver.hear(&mut heard, line.as_bytes()).unwrap();
            receiver.tell(&heard);
            let part = receiver.health.parts().remove(0);
            (part.level, part.text)
        };
        let (level, text) = told(r#"{"class":"DEVICES","devices":[]}"#, 0);
        assert!(level == Level::Degraded && text.contains("gpsd knows no receiver"), "{text}");
        let (level, text) = told(&line("2026-11-26T12:00:00Z", 3), 0);
        assert_eq!((level, &*text), (Level::Ok, "the position is known, right to about 5 m"));
        // It stays known for a moment.
        assert_eq!(told(&line("2026-11-26T12:00:03Z", 1), 3).0, Level::Ok);
        let (level, text) = told(&line("2026-11-26T12:00:06Z", 1), 3);
        assert!(level == Level::Degraded && text.contains("no fix"), "{text}");
        let (level, text) = told(&line("2007-04-12T12:00:06Z", 3), 0);
        assert!(level == Level::Degraded && text.contains("1024 weeks back"), "{text}");
    }

    #[test]
    fn what_answers_and_is_not_gpsd_is_left_again() {
        let clock = Arc::new(ManualClock::at("2026-11-26T12:00:00Z".parse().unwrap()));
        let (receiver, mut heard) = (receiver(&clock), Heard::default());
        let failed = (0..100).find_map(|_| receiver.hear(&mut heard, b"220 mail ready").err());
        assert!(failed.unwrap().chain().contains("not gpsd"));
    }

    #[tokio::test]
    async fn a_line_that_comes_in_pieces_is_one_and_one_without_an_end_is_given_up() {
        let (mut gpsd, here) = tokio::io::duplex(1 << 20);
        let (mut input, mut line) = (BufReader::new(here), Vec::new());
        gpsd.write_all(b"{\"class\":").await.unwrap();
        assert!(timeout(Duration::from_millis(20), read_line(&mut input, &mut line)).await.is_err());
        gpsd.write_all(b"\"X\"}\r\nrest").await.unwrap();
        assert!(read_line(&mut input, &mut line).await.unwrap());
        assert_eq!(line, b"{\"class\":\"X\"}\r\n");
        line.clear();
        gpsd.write_all(&vec![b'a'; MAX_LINE + 10]).await.unwrap();
        assert!(read_line(&mut input, &mut line).await.is_err());
        drop(gpsd);
    }
}
