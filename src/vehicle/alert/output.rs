//! The sound device: finding it, and playing one chime on it.
//!
//! It is open only while a chime sounds: other programs can use it the rest of the time, a silent
//! vehicle costs no processor time, and a card that was unplugged and comes back is found again.

use crossbeam_channel::Sender;
use plated_core::error::{Context, Error, Kind, Result};
use rodio::cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use rodio::cpal::{self, BufferSize, Device, DeviceId, FromSample, SampleFormat, SizedSample, Stream, StreamConfig};
use std::ffi::{c_char, c_int};
use std::time::Duration;

/// A device that was found, and how it wants its samples.
pub struct Output {
    device: Device,
    config: StreamConfig,
    format: SampleFormat,
}

/// What a device reports while it plays.
#[derive(Debug)]
pub enum Event {
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
    pub fn find(name: &str) -> Result<Self> {
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
    pub fn rate(&self) -> u32 {
        self.config.sample_rate
    }

    /// Opens the device and plays `samples` once; they end with dropping the stream. `now` is
    /// asked when the first ones are handed over.
    ///
    /// # Errors
    /// `Missing` when the device can't be opened now.
    pub fn play(
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
