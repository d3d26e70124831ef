//! The sound device: finding it, and playing one chime on it.
//!
//! It is open only while a chime sounds: other programs can use it the rest of the time, a silent
//! vehicle costs no processor time, and a card that was unplugged and comes back is found again.

use super::tone::samples;
use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{BufferSize, Device, DeviceId, FromSample, SampleFormat, SizedSample, Stream, StreamConfig};
use crossbeam_channel::{Sender, bounded, select};
use plated_core::clock::Clock;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::record::Priority;
use plated_core::shutdown::Shutdown;
use std::ffi::{c_char, c_int};
use std::sync::Arc;
use std::time::Duration;

/// The sound devices of the vehicle. Calls may hang in a driver, so nobody but a thread that can be
/// left behind makes them.
pub trait Devices: Send + Sync + 'static {
    /// Whether the device could be played on.
    ///
    /// # Errors
    /// `Missing` says why not.
    fn probe(&self, device: &str) -> Result<()>;

    /// Devices beside the default one on which an alert can be heard.
    fn others(&self) -> Vec<String>;

    /// Plays one chime to its end, or until `stop` is asked for. `started` is told the monotonic time
    /// at which the first samples were handed over.
    ///
    /// # Errors
    /// `Missing` when the device can't be opened or fails.
    fn play(&self, device: &str, priority: Priority, started: &Sender<Duration>, stop: &Shutdown) -> Result<()>;
}

/// `null` would swallow the alert, the default one was tried before, and the others stand for sound
/// servers that say on stderr that they don't run.
const PASSED_OVER: [&str; 4] = ["null", "default", "jack", "oss"];

/// Devices as ALSA has them.
pub struct Alsa {
    /// Tells when a chime starts.
    pub clock: Arc<dyn Clock>,
}

impl Devices for Alsa {
    fn probe(&self, device: &str) -> Result<()> {
        Output::find(device).map(drop)
    }

    fn others(&self) -> Vec<String> {
        hush();
        let ids = cpal::default_host().output_devices().into_iter().flatten().filter_map(|d| d.id().ok());
        let mut names: Vec<String> = ids.map(|id| id.id().to_owned()).collect();
        names.retain(|name| !PASSED_OVER.contains(&name.as_str()));
        // Cards have a colon in their names, converters for the default device have none.
        names.sort_by_key(|name| !name.contains(':'));
        names
    }

    fn play(&self, device: &str, priority: Priority, started: &Sender<Duration>, stop: &Shutdown) -> Result<()> {
        let output = Output::find(device)?;
        let (events, event) = bounded(8);
        let clock = Arc::clone(&self.clock);
        let stream = output.play(samples(priority, output.rate()), events, move || clock.monotonic())?;
        let outcome = loop {
            select! {
                recv(event) -> event => match event {
                    Ok(Event::Started(at)) => drop(started.try_send(at)),
                    Ok(Event::Done) => break Ok(()),
                    Ok(Event::Failed(why)) => break Err(Error::new(Kind::Missing, format!("the sound device failed: {why}"))),
                    Err(_) => break Err(Error::new(Kind::Missing, "the sound device stopped")),
                },
                recv(stop.channel()) -> _ => break Ok(()),
            }
        };
        drop(stream);
        outcome
    }
}

/// A device that was found, and how it wants its samples.
struct Output {
    device: Device,
    config: StreamConfig,
    format: SampleFormat,
}

/// What a device reports while it plays.
#[derive(Debug)]
enum Event {
    /// The first samples were handed to it, at this monotonic time.
    Started(Duration),
    /// The last ones have sounded.
    Done,
    /// It failed.
    Failed(String),
}

/// Samples are handed over in portions of this part of a second, two of them ahead.
const PORTIONS: u32 = 20;

impl Output {
    /// Finds the device by its ALSA name; the empty name is the default device.
    ///
    /// # Errors
    /// `Missing`, with the known names when there is no such device.
    fn find(name: &str) -> Result<Self> {
        hush();
        let host = cpal::default_host();
        let device = if name.is_empty() {
            let device = host.default_output_device();
            device.ok_or_else(|| Error::new(Kind::Missing, "there is no sound device"))?
        } else {
            host.device_by_id(&DeviceId::new(host.id(), name)).ok_or_else(|| unknown(name, &host))?
        };
        let shown =
            if name.is_empty() { "the default sound device".into() } else { format!("the sound device {name}") };
        let supported = device.default_output_config().context(Kind::Missing, || format!("could not use {shown}"))?;
        let mut config = supported.config();
        if let cpal::SupportedBufferSize::Range { min, max } = *supported.buffer_size() {
            config.buffer_size = BufferSize::Fixed((config.sample_rate / PORTIONS).clamp(min, max.max(min)));
        }
        Ok(Self { device, config, format: supported.sample_format() })
    }

    /// Samples a second.
    fn rate(&self) -> u32 {
        self.config.sample_rate
    }

    /// Opens the device and plays `samples` once; they end with dropping the stream. `now` is
    /// asked when the first ones are handed over.
    ///
    /// # Errors
    /// `Missing` when the device can't be opened now.
    fn play(
        &self,
        samples: Vec<f32>,
        events: Sender<Event>,
        now: impl Fn() -> Duration + Send + 'static,
    ) -> Result<Stream> {
        hush();
        let stream = match self.format {
            SampleFormat::F32 => self.build::<f32>(samples, events, now),
            SampleFormat::F64 => self.build::<f64>(samples, events, now),
            SampleFormat::I8 => self.build::<i8>(samples, events, now),
            SampleFormat::I16 => self.build::<i16>(samples, events, now),
            SampleFormat::I24 => self.build::<cpal::I24>(samples, events, now),
            SampleFormat::I32 => self.build::<i32>(samples, events, now),
            SampleFormat::U8 => self.build::<u8>(samples, events, now),
            SampleFormat::U16 => self.build::<u16>(samples, events, now),
            SampleFormat::U32 => self.build::<u32>(samples, events, now),
            other => return Err(Error::new(Kind::Missing, format!("the sound device wants samples of kind {other}"))),
        };
        let stream = stream.context(Kind::Missing, || "could not open the sound device".into())?;
        stream.play().context(Kind::Missing, || "could not start the sound device".into())?;
        Ok(stream)
    }

    fn build<T: SizedSample + FromSample<f32>>(
        &self,
        samples: Vec<f32>,
        events: Sender<Event>,
        now: impl Fn() -> Duration + Send + 'static,
    ) -> Result<Stream, cpal::Error> {
        let channels = usize::from(self.config.channels.max(1));
        // Closing the device cuts off what it still holds: silence, when it holds at most this.
        let held = match self.config.buffer_size {
            BufferSize::Fixed(frames) => 2 * frames as usize,
            BufferSize::Default => self.config.sample_rate as usize / 2,
        };
        let end = samples.len() + held + self.config.sample_rate as usize / 50;
        let mut at = 0;
        let on_error = events.clone();
        let fill = move |out: &mut [T], _: &cpal::OutputCallbackInfo| {
            if at == 0 {
                let _ = events.try_send(Event::Started(now()));
            }
            for frame in out.chunks_mut(channels) {
                let sample = samples.get(at).copied().unwrap_or(0.0);
                frame.fill(T::from_sample(sample));
                at += 1;
                if at == end {
                    let _ = events.try_send(Event::Done);
                }
            }
        };
        let failed = move |error: cpal::Error| match error.kind() {
            // A gap in the sound, or no permission to run in real time: it goes on.
            cpal::ErrorKind::Xrun | cpal::ErrorKind::RealtimeDenied => {}
            _ => {
                let _ = on_error.try_send(Event::Failed(error.to_string()));
            }
        };
        self.device.build_output_stream(self.config, fill, failed, None)
    }
}

/// Keeps ALSA from writing to stderr of its own accord, in this thread: what there is to say about
/// a missing sound card is in our errors, in one line.
fn hush() {
    extern "C" fn say_nothing(
        _file: *const c_char,
        _line: c_int,
        _function: *const c_char,
        _error: c_int,
        _format: *const c_char,
        _values: *mut alsa_sys::__va_list_tag,
    ) {
    }
    #[allow(unsafe_code, reason = "ALSA's way to set where its messages go is a C function")]
    // SAFETY: it stores the pointer for this thread; the function it points to lives for ever,
    // has the type ALSA calls it by, and looks at none of its arguments.
    unsafe {
        alsa_sys::snd_lib_error_set_local(Some(say_nothing));
    }
}

fn unknown(name: &str, host: &cpal::Host) -> Error {
    let ids = host.output_devices().into_iter().flatten().filter_map(|d| d.id().ok());
    let known: Vec<String> = ids.map(|id| id.id().to_owned()).collect();
    let known = if known.is_empty() { "none".into() } else { known.join(", ") };
    Error::new(Kind::Missing, format!("alert.device: there is no sound device \"{name}\"; known are: {known}"))
}
