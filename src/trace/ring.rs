//! The ring into which the kernel writes what its tracepoints see on one processor (perf_event_open(2)).

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use rustix::param::page_size;

/// `struct perf_event_attr` up to `PERF_ATTR_SIZE_VER5`, which every kernel since 4.1 takes.
#[derive(Default)]
#[repr(C)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_watermark: u32,
    bp_type: u32,
    config1: u64,
    config2: u64,
    branch_sample_type: u64,
    sample_regs_user: u64,
    sample_stack_user: u32,
    clockid: i32,
    sample_regs_intr: u64,
    aux_watermark: u32,
    sample_max_stack: u32,
}

const ATTRIBUTES_LEN: u32 = 112;
const _: () = assert!(size_of::<Attributes>() == ATTRIBUTES_LEN as usize);

const PERF_TYPE_TRACEPOINT: u32 = 2;
/// `PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_RAW`: [`super::records`] reads them.
const SAMPLE: u64 = 1 << 1 | 1 << 2 | 1 << 7 | 1 << 10;
/// Names of processes, and their beginnings and ends.
const COMM_AND_TASK: u64 = 1 << 9 | 1 << 13;
/// `watermark`, `sample_id_all` and `use_clockid`; `exclude_kernel` is not among them.
const ALWAYS: u64 = 1 << 14 | 1 << 18 | 1 << 25;
/// Reading an event gives its count, then how many of its records found no place.
const PERF_FORMAT_LOST: u64 = 1 << 4;
const PERF_EVENT_IOC_SET_OUTPUT: libc::Ioctl = 0x2405;
const PERF_FLAG_FD_CLOEXEC: libc::c_ulong = 8;

/// Where `struct perf_event_mmap_page` has the two ends of what is to be read, in words.
const DATA_HEAD: usize = 1024 / size_of::<u64>();
const DATA_TAIL: usize = 1032 / size_of::<u64>();

/// A processor's ring, and the tracepoints that write to it.
#[derive(Debug)]
pub(super) struct Ring {
    events: Vec<OwnedFd>,
    /// The kernel's page, then the data.
    map: NonNull<u64>,
    /// Of the data behind the first page, in bytes: a power of two.
    size: usize,
    page: usize,
    /// A record that goes over the ring's end, in one piece.
    whole: Vec<u8>,
}

/// What of a ring can't be had.
#[derive(Debug)]
pub(super) enum RingError {
    /// The tracepoints.
    Open(io::Error),
    /// The memory: more than may be locked, perhaps.
    Map(io::Error),
}

// SAFETY: the map is this value's alone, and stays where it is until the drop.
unsafe impl Send for Ring {}

impl Ring {
    /// A ring of this processor's with the tracepoints that have these numbers, of so many bytes.
    pub(super) fn open(processor: i32, tracepoints: &[u16], size: usize) -> Result<Self, RingError> {
        let page = page_size();
        let mut events = Vec::with_capacity(tracepoints.len());
        for id in tracepoints {
            events.push(event(*id, processor, size, events.is_empty()).map_err(RingError::Open)?);
        }
        let first = events.first().ok_or_else(|| RingError::Open(io::ErrorKind::InvalidInput.into()))?;
        let map = map(first, page + size).map_err(RingError::Map)?;
        let ring = Self { events, map, size, page, whole: Vec::new() };
        ring.share().map_err(RingError::Open)?;
        Ok(ring)
    }

    /// Has all tracepoints write into the first one's ring.
    fn share(&self) -> io::Result<()> {
        let Some((first, others)) = self.events.split_first() else { return Ok(()) };
        for other in others {
            // SAFETY: both are descriptors of perf events, open for the call.
            let done =
                unsafe { libc::ioctl(other.as_raw_fd(), PERF_EVENT_IOC_SET_OUTPUT, first.as_raw_fd()) };
            if done != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    }

    /// What can be waited for: readable once a quarter of the ring is full.
    pub(super) fn descriptor(&self) -> Option<&OwnedFd> {
        self.events.first()
    }

    /// How many records found no place so far, those that no record tells of yet too; 0 where the kernel does not count
    /// them.
    pub(super) fn lost(&self) -> u64 {
        let lost = |event: &OwnedFd| {
            let mut words = [0; 16];
            let len = rustix::io::read(event, &mut words).ok()?;
            words.get(8..len)?.first_chunk().map(|word| u64::from_ne_bytes(*word))
        };
        self.events.iter().filter_map(lost).sum()
    }

    /// Hands on each record that is there now, and frees its place.
    pub(super) fn read(&mut self, mut take: impl FnMut(&[u8])) {
        // SAFETY: these are two words of the page that the map begins with; the kernel and this value access
        // them as atomics.
        let (head, tail) = unsafe { (self.word(DATA_HEAD), self.word(DATA_TAIL)) };
        let end = head.load(Ordering::Acquire);
        let mut at = tail.load(Ordering::Relaxed);
        while at < end {
            let Some(len) = self.record_len(at).filter(|len| *len as u64 <= end - at) else { break };
            let start = self.place(at);
            if start + len <= self.size {
                // SAFETY: `start + len` is within the data, and the kernel does not write there before the tail moves.
                take(unsafe { std::slice::from_raw_parts(self.data().add(start), len) });
            } else {
                self.take_over_the_end(start, len);
                take(&self.whole);
            }
            at += len as u64;
        }
        tail.store(end, Ordering::Release);
    }

    /// The length in a record's header, which is never parted: records are multiples of eight bytes long.
    fn record_len(&self, at: u64) -> Option<usize> {
        /// `struct perf_event_header { u32 type; u16 misc; u16 size; }`
        const HEADER: usize = 8;
        let start = self.place(at);
        if start + HEADER > self.size {
            return None;
        }
        // SAFETY: the header is within the data, and written before the head moved past it.
        let len = unsafe { ptr::read_unaligned(self.data().add(start + 6).cast::<u16>()) };
        Some(usize::from(len)).filter(|len| *len >= HEADER)
    }

    fn take_over_the_end(&mut self, start: usize, len: usize) {
        let first = self.size - start;
        self.whole.clear();
        // SAFETY: both parts are within the data, and the kernel does not write there before the tail moves.
        unsafe {
            self.whole.extend_from_slice(std::slice::from_raw_parts(self.data().add(start), first));
            self.whole.extend_from_slice(std::slice::from_raw_parts(self.data(), len - first));
        }
    }

    fn place(&self, at: u64) -> usize {
        // Less than the size, which is a usize.
        usize::try_from(at % self.size as u64).unwrap_or(0)
    }

    fn data(&self) -> *const u8 {
        // SAFETY: the data is behind the first page of the map.
        unsafe { self.map.as_ptr().cast::<u8>().add(self.page) }
    }

    /// SAFETY: `place` must be that of a word in the first page, which all access as an atomic.
    unsafe fn word<'a>(&self, place: usize) -> &'a AtomicU64 {
        // SAFETY: as the caller says; the page is mapped for as long as this value lives, and `read` keeps it no longer.
        unsafe { AtomicU64::from_ptr(self.map.as_ptr().add(place)) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and nothing refers to it any more.
        let _ = unsafe { munmap(self.map.as_ptr().cast::<c_void>(), self.page + self.size) };
    }
}

/// Opens a tracepoint on a processor, for all processes; with a count of what was lost, where the kernel has one
/// (Linux 6.0).
fn event(id: u16, processor: i32, ring: usize, first: bool) -> io::Result<OwnedFd> {
    event_with(PERF_FORMAT_LOST, id, processor, ring, first)
        .or_else(|_| event_with(0, id, processor, ring, first))
}

fn event_with(read_format: u64, id: u16, processor: i32, ring: usize, first: bool) -> io::Result<OwnedFd> {
    let attributes = Attributes {
        kind: PERF_TYPE_TRACEPOINT,
        size: ATTRIBUTES_LEN,
        config: id.into(),
        sample_period: 1,
        sample_type: SAMPLE,
        read_format,
        flags: if first { ALWAYS | COMM_AND_TASK } else { ALWAYS },
        wakeup_watermark: u32::try_from(ring / 4).unwrap_or(u32::MAX),
        clockid: libc::CLOCK_MONOTONIC,
        ..Attributes::default()
    };
    let everybody: libc::pid_t = -1;
    let no_group: libc::c_int = -1;
    // SAFETY: the attributes are of the size that they tell, and live for the call.
    let descriptor = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attributes,
            everybody,
            processor,
            no_group,
            PERF_FLAG_FD_CLOEXEC,
        )
    };
    match RawFd::try_from(descriptor) {
        // SAFETY: the kernel has just given it out, to nobody else.
        Ok(descriptor) if descriptor >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
        _ => Err(io::Error::last_os_error()),
    }
}

fn map(event: &OwnedFd, len: usize) -> io::Result<NonNull<u64>> {
    // SAFETY: a new mapping takes nobody's place.
    let map = unsafe {
        mmap(ptr::null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, event, 0)
    }?;
    NonNull::new(map.cast::<u64>()).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}
