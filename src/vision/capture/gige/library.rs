//! libaravis, loaded when the first camera of this kind is opened, and a safe way to the few of its functions that are
//! called.
//!
//! It is not linked: it brings GLib, GStreamer and libusb, and most vehicles have USB cameras
//! (`docs/decisions/0064-gige-vision.md`). Once loaded it stays: the types that GLib registers can't be taken back.

use plated_core::error::{Error, Kind, Result};
use std::ffi::{CStr, CString, c_char, c_double, c_int, c_uint, c_void};
use std::ptr::{NonNull, null_mut};
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::Duration;

/// Names under which it is installed; the ABI of 0.8 has been one since 2020.
const NAMES: [&str; 2] = ["libaravis-0.8.so.0", "libaravis-0.8.so"];
/// GLib's objects, which it brings along.
const GOBJECT: &str = "libgobject-2.0.so.0";
const GLIB: &str = "libglib-2.0.so.0";
/// `ARV_BUFFER_STATUS_SUCCESS`
const SUCCESS: c_int = 0;
/// `ARV_GV_STREAM_SOCKET_BUFFER_AUTO`: as large as a picture; the system's default loses packets.
const AUTO: c_int = 1;
/// Buffers that the stream fills in turn.
const BUFFERS: usize = 8;

/// GLib's error.
#[repr(C)]
struct GError {
    _domain: u32,
    _code: c_int,
    message: *const c_char,
}

type Object = c_void;
type Errors = *mut *mut GError;

/// Declares the table of functions and how it is filled, so that a name stands once.
macro_rules! functions {
    ($($name:ident: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        #[allow(unsafe_code, reason = "functions of a C library")]
        struct Functions {
            $($name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Functions {
            /// # Errors
            /// The name of the first that the library lacks.
            #[allow(unsafe_code, reason = "the types are those of the headers of libaravis 0.8")]
            fn of(library: &libloading::Library) -> Result<Self, &'static str> {
                Ok(Self { $($name: {
                    // SAFETY: libaravis' headers declare a function of this name and type; the symbol is copied out
                    // of a library that is never unloaded.
                    *unsafe { library.get(concat!(stringify!($name), "\0").as_bytes()) }.map_err(|_| stringify!($name))?
                },)* })
            }
        }
    };
}

functions! {
    arv_update_device_list: fn();
    arv_get_n_devices: fn() -> c_uint;
    arv_get_device_serial_nbr: fn(c_uint) -> *const c_char;
    arv_get_device_address: fn(c_uint) -> *const c_char;
    arv_get_device_vendor: fn(c_uint) -> *const c_char;
    arv_get_device_model: fn(c_uint) -> *const c_char;
    arv_get_device_protocol: fn(c_uint) -> *const c_char;
    arv_camera_new: fn(*const c_char, Errors) -> *mut Object;
    arv_camera_is_gv_device: fn(*mut Object) -> c_int;
    arv_camera_set_region: fn(*mut Object, c_int, c_int, c_int, c_int, Errors);
    arv_camera_get_region: fn(*mut Object, *mut c_int, *mut c_int, *mut c_int, *mut c_int, Errors);
    arv_camera_set_pixel_format_from_string: fn(*mut Object, *const c_char, Errors);
    arv_camera_set_frame_rate: fn(*mut Object, c_double, Errors);
    arv_camera_get_frame_rate: fn(*mut Object, Errors) -> c_double;
    arv_camera_set_exposure_time: fn(*mut Object, c_double, Errors);
    arv_camera_set_gain: fn(*mut Object, c_double, Errors);
    arv_camera_set_trigger: fn(*mut Object, *const c_char, Errors);
    arv_camera_gv_set_packet_size: fn(*mut Object, c_int, Errors);
    arv_camera_gv_auto_packet_size: fn(*mut Object, Errors) -> c_uint;
    arv_camera_gv_get_packet_size: fn(*mut Object, Errors) -> c_uint;
    arv_camera_get_payload: fn(*mut Object, Errors) -> c_uint;
    arv_camera_create_stream: fn(*mut Object, *const c_void, *mut c_void, Errors) -> *mut Object;
    arv_camera_start_acquisition: fn(*mut Object, Errors);
    arv_camera_stop_acquisition: fn(*mut Object, Errors);
    arv_stream_push_buffer: fn(*mut Object, *mut Object);
    arv_stream_timeout_pop_buffer: fn(*mut Object, u64) -> *mut Object;
    arv_gv_stream_get_statistics: fn(*mut Object, *mut u64, *mut u64);
    arv_buffer_new_allocate: fn(usize) -> *mut Object;
    arv_buffer_get_status: fn(*mut Object) -> c_int;
    arv_buffer_get_data: fn(*mut Object, *mut usize) -> *const u8;
    arv_buffer_get_image_width: fn(*mut Object) -> c_int;
    arv_buffer_get_image_height: fn(*mut Object) -> c_int;
    arv_buffer_get_image_pixel_format: fn(*mut Object) -> u32;
    arv_buffer_get_frame_id: fn(*mut Object) -> u64;
    arv_buffer_get_system_timestamp: fn(*mut Object) -> u64;
}

/// The library at work.
pub struct Library {
    functions: Functions,
    unref: unsafe extern "C" fn(*mut Object),
    set: unsafe extern "C" fn(*mut Object, *const c_char, ...),
    free_error: unsafe extern "C" fn(*mut GError),
    /// Its list of devices is one for the whole process.
    list: Mutex<()>,
}

/// A camera that answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Its serial number, or empty.
    pub serial: String,
    /// Its address in the network.
    pub address: String,
    /// Who made it.
    pub vendor: String,
    /// What it is.
    pub model: String,
}

/// A picture as it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Its number; counts from 1 again after some.
    pub number: u64,
    /// When its first packet came, since 1970 by the system's clock.
    pub at: Duration,
    /// Every packet came.
    pub is_whole: bool,
    /// Columns, rows, and GenICam's number of the pixel format.
    pub shape: (i32, i32, u32),
}

impl Library {
    /// Loads it, or gives what was loaded before.
    ///
    /// # Errors
    /// `Missing`, with what to install.
    #[allow(unsafe_code, reason = "loading a library runs its initialisers, and its functions are found by name")]
    pub fn load() -> Result<&'static Self> {
        static LOADED: OnceLock<Library> = OnceLock::new();
        if let Some(library) = LOADED.get() {
            return Ok(library);
        }
        // SAFETY: the initialisers of these libraries set up GLib's types and have no demands; nothing is unloaded.
        let open = |name: &str| unsafe { libloading::Library::new(name) };
        let missing = |e: libloading::Error| {
            let text = format!(
                "GigE Vision cameras need libaravis, which can't be loaded; install it (apt-get install \
                 libaravis-0.8-0): {e}"
            );
            Error::new(Kind::Missing, text)
        };
        let aravis = NAMES.iter().map(|name| open(name)).reduce(Result::or);
        let aravis = Box::leak(Box::new(aravis.unwrap_or_else(|| open(NAMES[0])).map_err(missing)?));
        let objects = Box::leak(Box::new(open(GOBJECT).map_err(missing)?));
        let glib = Box::leak(Box::new(open(GLIB).map_err(missing)?));
        let functions = Functions::of(aravis).map_err(|name| {
            Error::new(
                Kind::Missing,
                format!("libaravis is too old: it lacks {name}; install libaravis-0.8-0 of 0.8.20 or newer"),
            )
        })?;
        // SAFETY: GLib's headers declare functions of these names and types.
        let library = unsafe {
            Self {
                functions,
                unref: *objects.get(b"g_object_unref\0").map_err(missing)?,
                set: *objects.get(b"g_object_set\0").map_err(missing)?,
                free_error: *glib.get(b"g_error_free\0").map_err(missing)?,
                list: Mutex::default(),
            }
        };
        Ok(LOADED.get_or_init(|| library))
    }

    /// The GigE Vision cameras that answer now; takes a second or two.
    #[allow(unsafe_code, reason = "see the functions")]
    pub fn devices(&self) -> Vec<Found> {
        let _list = self.list();
        let f = &self.functions;
        // SAFETY: no arguments; the list is this process's, and whoever else changes it holds the lock.
        let count = unsafe {
            (f.arv_update_device_list)();
            (f.arv_get_n_devices)()
        };
        let of = |function: unsafe extern "C" fn(c_uint) -> *const c_char, index| {
            // SAFETY: the index is below the count, and the list is not changed while the text is copied.
            unsafe { text(function(index)) }
        };
        let gige = (0..count).filter(|index| of(f.arv_get_device_protocol, *index) == "GigEVision");
        gige.map(|index| Found {
            serial: of(f.arv_get_device_serial_nbr, index),
            address: of(f.arv_get_device_address, index),
            vendor: of(f.arv_get_device_vendor, index),
            model: of(f.arv_get_device_model, index),
        })
        .collect()
    }

    /// Takes control of the camera at this address.
    ///
    /// # Errors
    /// `Missing` when it does not answer or another program controls it.
    #[allow(unsafe_code, reason = "see the functions")]
    pub fn open(&'static self, address: &str) -> Result<Camera> {
        let _list = self.list();
        let name = c_text(address)?;
        // SAFETY: the text ends with a zero and outlives the call.
        let camera = self.call(|error| unsafe { (self.functions.arv_camera_new)(name.as_ptr(), error) });
        let camera = camera.map_err(|why| Error::new(Kind::Missing, format!("the camera at {address}: {why}")))?;
        let none = || Error::new(Kind::Missing, format!("the camera at {address} does not answer"));
        let camera = Camera { object: NonNull::new(camera).ok_or_else(none)?, library: self };
        // SAFETY: a camera of this library.
        let is_gige = unsafe { (self.functions.arv_camera_is_gv_device)(camera.object.as_ptr()) } != 0;
        if is_gige { Ok(camera) } else { Err(Error::new(Kind::Config, format!("{address} is no GigE Vision camera"))) }
    }

    fn list(&self) -> MutexGuard<'_, ()> {
        self.list.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Calls what reports by a `GError`.
    #[allow(unsafe_code, reason = "an error is read and freed")]
    fn call<T>(&self, function: impl FnOnce(Errors) -> T) -> Result<T, String> {
        let mut error: *mut GError = null_mut();
        let done = function(&raw mut error);
        if error.is_null() {
            return Ok(done);
        }
        // SAFETY: GLib set it to an error of its own, which is ours to free, and whose message is a text.
        let message = unsafe {
            let message = text((*error).message);
            (self.free_error)(error);
            message
        };
        Err(message)
    }
}

/// A C text of the library, or nothing.
///
/// # Safety
/// It is null or ends with a zero, and stays while it is copied.
#[allow(unsafe_code, reason = "texts of C")]
unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: as promised.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

fn c_text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::new(Kind::Config, "a text for a camera has a zero in it"))
}

/// A camera under control.
pub struct Camera {
    object: NonNull<Object>,
    library: &'static Library,
}

impl Drop for Camera {
    #[allow(unsafe_code, reason = "see the functions")]
    fn drop(&mut self) {
        // SAFETY: the one reference that `arv_camera_new` gave.
        unsafe { (self.library.unref)(self.object.as_ptr()) };
    }
}

#[allow(unsafe_code, reason = "each call has a camera of this library, and what it points to outlives it")]
impl Camera {
    /// Size of the picture, from the top left.
    pub fn set_size(&self, width: i32, height: i32) -> Result<(), String> {
        let f = self.library.functions.arv_camera_set_region;
        // SAFETY: see above.
        self.library.call(|error| unsafe { f(self.object.as_ptr(), 0, 0, width, height, error) })
    }

    /// Columns and rows.
    pub fn size(&self) -> Result<(i32, i32), String> {
        let (mut x, mut y, mut width, mut height) = (0, 0, 0, 0);
        let f = self.library.functions.arv_camera_get_region;
        // SAFETY: see above.
        self.library
            .call(|error| unsafe { f(self.object.as_ptr(), &mut x, &mut y, &mut width, &mut height, error) })?;
        Ok((width, height))
    }

    /// GenICam's name of a pixel format, such as `Mono8`.
    pub fn set_pixel_format(&self, format: &str) -> Result<(), String> {
        let (format, f) = (
            c_text(format).map_err(|e| e.to_string())?,
            self.library.functions.arv_camera_set_pixel_format_from_string,
        );
        // SAFETY: see above.
        self.library.call(|error| unsafe { f(self.object.as_ptr(), format.as_ptr(), error) })
    }

    /// Pictures a second.
    pub fn set_rate(&self, rate: f64) -> Result<(), String> {
        let f = self.library.functions.arv_camera_set_frame_rate;
        // SAFETY: see above.
        self.library.call(|error| unsafe { f(self.object.as_ptr(), rate, error) })
    }

    /// Pictures a second as the camera says.
    pub fn rate(&self) -> Result<f64, String> {
        let f = self.library.functions.arv_camera_get_frame_rate;
        // SAFETY: see above.
        self.library.call(|error| unsafe { f(self.object.as_ptr(), error) })
    }

    /// How long the shutter is open, in microseconds.
    pub fn set_exposure(&self, microseconds: f64) -> Result<(), String> {
        let f = self.library.functions.arv_camera_set_exposure_time;
        // SAFETY: see above.
        self.library.call(|error| unsafe { f(self.object.as_ptr(), microseconds, error) })
    }

    /// The gain in the camera's own unit.
    pub fn set_gain(&self, gain: f64) -> Result<(), String> {
        let f = self.library.functions.arv_camera_set_gain;
        // SAFETY: see above.
        self.library.call(|error| unsafe { f(self.object.as_ptr(), gain, error) })
    }

    /// What a picture is taken at, such as `Line1`.
    pub fn set_trigger(&self, source: &str) -> Result<(), String> {
        let (source, f) = (c_text(source).map_err(|e| e.to_string())?, self.library.functions.arv_camera_set_trigger);
        // SAFETY: see above.
        self.library.call(|error| unsafe { f(self.object.as_ptr(), source.as_ptr(), error) })
    }

    /// Bytes of a packet; without, the largest that gets through is found out.
    pub fn set_packet_size(&self, bytes: Option<u32>) -> Result<(), String> {
        let (set, find) = {
            let f = &self.library.functions;
            (f.arv_camera_gv_set_packet_size, f.arv_camera_gv_auto_packet_size)
        };
        self.library.call(|error| match bytes.and_then(|bytes| c_int::try_from(bytes).ok()) {
            // SAFETY: see above.
            Some(bytes) => unsafe { set(self.object.as_ptr(), bytes, error) },
            // SAFETY: see above.
            None => {
                unsafe { find(self.object.as_ptr(), error) };
            }
        })
    }

    /// Bytes of a packet.
    pub fn packet_size(&self) -> Result<u32, String> {
        let f = self.library.functions.arv_camera_gv_get_packet_size;
        // SAFETY: see above.
        self.library.call(|error| unsafe { f(self.object.as_ptr(), error) })
    }

    /// Begins to stream.
    pub fn stream(self) -> Result<Stream, String> {
        let library = self.library;
        let f = &library.functions;
        // SAFETY: see above.
        let payload = library.call(|error| unsafe { (f.arv_camera_get_payload)(self.object.as_ptr(), error) })?;
        let stream = library.call(|error| {
            // SAFETY: no callback is given, and so nothing of ours is kept.
            unsafe { (f.arv_camera_create_stream)(self.object.as_ptr(), std::ptr::null(), null_mut(), error) }
        })?;
        let object = NonNull::new(stream).ok_or("it gives no stream")?;
        let stream = Stream { object, buffer: None, camera: self };
        // SAFETY: a property of the streams of GigE cameras, an enumeration, which C passes as an integer; the list ends
        // with null. Without the rights for a larger buffer than the system allows, the system's limit counts.
        unsafe { (library.set)(object.as_ptr(), c"socket-buffer".as_ptr(), AUTO, std::ptr::null::<c_char>()) };
        for _ in 0..BUFFERS {
            // SAFETY: a buffer of the size that the camera says, whose one reference the stream takes over.
            unsafe { (f.arv_stream_push_buffer)(object.as_ptr(), (f.arv_buffer_new_allocate)(payload as usize)) };
        }
        // SAFETY: see above.
        library.call(|error| unsafe { (f.arv_camera_start_acquisition)(stream.camera.object.as_ptr(), error) })?;
        Ok(stream)
    }
}

/// A camera that streams.
pub struct Stream {
    object: NonNull<Object>,
    /// The picture that is looked at; ours until it goes back to the stream.
    buffer: Option<NonNull<Object>>,
    camera: Camera,
}

#[allow(unsafe_code, reason = "each call has a stream or a buffer of this library")]
impl Stream {
    /// The next picture; none when none came in time.
    pub fn next(&mut self, timeout: Duration) -> Option<Arrived> {
        let f = &self.camera.library.functions;
        if let Some(buffer) = self.buffer.take() {
            // SAFETY: the buffer is the stream's own, popped before, and nobody looks at it any more: `bytes` borrows
            // from this stream.
            unsafe { (f.arv_stream_push_buffer)(self.object.as_ptr(), buffer.as_ptr()) };
        }
        let microseconds = u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX);
        // SAFETY: a stream of this library.
        let buffer = NonNull::new(unsafe { (f.arv_stream_timeout_pop_buffer)(self.object.as_ptr(), microseconds) })?;
        self.buffer = Some(buffer);
        let buffer = buffer.as_ptr();
        // SAFETY: a buffer that was just popped. Shape and format are asked for only of one that is whole.
        unsafe {
            let is_whole = (f.arv_buffer_get_status)(buffer) == SUCCESS;
            let shape = match is_whole {
                true => (
                    (f.arv_buffer_get_image_width)(buffer),
                    (f.arv_buffer_get_image_height)(buffer),
                    (f.arv_buffer_get_image_pixel_format)(buffer),
                ),
                false => (0, 0, 0),
            };
            let at = Duration::from_nanos((f.arv_buffer_get_system_timestamp)(buffer));
            Some(Arrived { number: (f.arv_buffer_get_frame_id)(buffer), at, is_whole, shape })
        }
    }

    /// The bytes of the last picture.
    pub fn bytes(&self) -> &[u8] {
        let Some(buffer) = self.buffer else { return &[] };
        let mut size = 0;
        // SAFETY: the buffer is ours until `next`, which needs this stream exclusively, and so are as many bytes as it
        // says; nobody writes to them meanwhile.
        unsafe {
            let data = (self.camera.library.functions.arv_buffer_get_data)(buffer.as_ptr(), &mut size);
            if data.is_null() { &[] } else { std::slice::from_raw_parts(data, size) }
        }
    }

    /// Packets that were asked for again and came, and those that never did.
    pub fn packets(&self) -> (u64, u64) {
        let (mut resent, mut missing) = (0, 0);
        let f = self.camera.library.functions.arv_gv_stream_get_statistics;
        // SAFETY: the stream of a GigE camera, which was seen when it was opened.
        unsafe { f(self.object.as_ptr(), &mut resent, &mut missing) };
        (resent, missing)
    }
}

impl Drop for Stream {
    #[allow(unsafe_code, reason = "see the functions")]
    fn drop(&mut self) {
        let library = self.camera.library;
        // One that does not answer any more can't be stopped.
        // SAFETY: the camera outlives the stream.
        let _ = library.call(|error| unsafe {
            (library.functions.arv_camera_stop_acquisition)(self.camera.object.as_ptr(), error);
        });
        // SAFETY: the popped buffer and the stream are ours, one reference each; the stream's end waits for its thread.
        unsafe {
            if let Some(buffer) = self.buffer.take() {
                (library.unref)(buffer.as_ptr());
            }
            (library.unref)(self.object.as_ptr());
        }
    }
}
