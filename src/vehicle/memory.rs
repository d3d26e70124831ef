//! How the C library hands out memory, for a process that runs for weeks.
//!
//! Left alone, glibc takes a large block that was given back as a sign to keep such blocks in its
//! heaps, one heap for each of many threads. Frames of some MiB and pictures of some hundred KiB, of
//! which a track keeps a few for seconds and the others go at once, then leave holes that add up. Smaller
//! blocks leave holes too, more slowly.

/// Blocks of this size and above go back to the system at once. Rows and small objects stay below.
const LARGE: i32 = 256 << 10;
/// So much may stay free at the end of a heap.
const SPARE: i32 = 1 << 20;
/// Heaps that threads share. What is large or often needed has its own memory.
const HEAPS: i32 = 2;

/// Sets it for the process, before its threads begin. Calling it again does no harm.
pub fn settle() {
    #[cfg(target_env = "gnu")]
    for (name, value) in [(libc::M_MMAP_THRESHOLD, LARGE), (libc::M_TRIM_THRESHOLD, SPARE), (libc::M_ARENA_MAX, HEAPS)]
    {
        #[allow(unsafe_code, reason = "a setting of the C library, by its number")]
        let taken = unsafe { libc::mallopt(name, value) };
        if taken == 0 {
            tracing::debug!(name, value, "The C library does not take a setting of its memory.");
        }
    }
}

/// Gives the pages back that lie free between blocks in use. Takes some milliseconds, for which whoever wants a small
/// block may wait: once a minute is enough.
pub fn tidy() {
    #[cfg(target_env = "gnu")]
    #[allow(unsafe_code, reason = "a call of the C library that touches no block in use")]
    unsafe {
        libc::malloc_trim(0);
    }
}
