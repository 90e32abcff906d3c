//! A trace ring of our own: an instance of tracefs (`instances/tcpstates-PID`), from creation to removal.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::fs::{AtFlags, Dir, FlockOperation, Mode, OFlags, flock, mkdirat, openat, statat, unlinkat};
use rustix::io::Errno;

use super::cpu::Ring;
use super::format::Layout;
use super::setup_error::SetupError;
use super::tracefs::{self, FOLDER, Tracefs};
use crate::kernel::process::is_initial_namespace;

/// Bounds on the memory of all rings together, and of each, in KiB.
const ALL_RINGS: u64 = 64 << 10;
const RING: std::ops::RangeInclusive<u64> = 128..=8 << 10;

/// The start of the names of our instances.
const PREFIX: &str = "tcpstates-";

/// An instance. Dropping this value removes it.
#[derive(Debug)]
pub(crate) struct Instance {
    tracefs: Tracefs,
    path: String,
    folder: OwnedFd,
    rings: Vec<Ring>,
    /// If this process is killed, closing this file makes the kernel stop the recording and free the memory
    /// (`options/disable_on_free`).
    free: Option<OwnedFd>,
}

impl Instance {
    /// Creates an instance. It records nothing yet.
    pub(crate) fn make(tracefs: Tracefs) -> Result<Self, SetupError> {
        let all = openat(&tracefs, "instances", FOLDER, Mode::empty());
        let all = all.map_err(|error| SetupError::tracefs("instances", error))?;
        if lock(&all) {
            remove_stale(&all);
        }
        let (path, folder, free) = make(&tracefs)?;
        // The lock ends here: from now on the kernel refuses to remove this instance.
        drop(all);
        let mut instance = Self { tracefs, path, folder, rings: Vec::new(), free: Some(free) };
        // A new instance has the options of the top-level one, which anybody may have changed.
        for (option, value) in [
            ("options/disable_on_free", "1"),
            // A full ring drops new events and counts them.
            ("options/overwrite", "0"),
            ("options/stacktrace", "0"),
            ("options/userstacktrace", "0"),
            // Both of these make the kernel name threads at every context switch. Names come from /proc if its thread
            // numbers are the same as the events'; otherwise the kernel's own list of names is read.
            ("options/record-cmd", if is_initial_namespace() == Some(true) { "0" } else { "1" }),
            ("options/record-tgid", "0"),
            // poll() returns when a ring is filled to a quarter.
            ("buffer_percent", "25"),
        ] {
            // An old kernel may lack an option. The trace works without any of them.
            let _ = instance.set(option, value);
        }
        // One clock for all processors, CLOCK_MONOTONIC: the merge of the rings depends on it.
        instance.must_set("trace_clock", "mono")?;
        instance.resize();
        instance.open_rings()?;
        Ok(instance)
    }

    /// The instance's folder.
    pub(crate) fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// The file system.
    pub(crate) fn tracefs(&self) -> &Tracefs {
        &self.tracefs
    }

    /// One ring for each possible processor, so that one that comes online later is seen too.
    pub(crate) fn rings(&self) -> &[Ring] {
        &self.rings
    }

    /// The same rings, for reading.
    pub(crate) fn rings_mut(&mut self) -> &mut [Ring] {
        &mut self.rings
    }

    /// The number of records lost so far.
    pub(crate) fn lost(&self) -> u64 {
        self.rings.iter().filter_map(|ring| ring.stats(self.folder()).ok()).map(|stats| stats.lost).sum()
    }

    /// The layout of an event's records.
    pub(crate) fn layout(&self, event: &str) -> Result<Layout, SetupError> {
        self.tracefs.layout(event)
    }

    /// Enables the event `GROUP/NAME`. If the kernel accepts the filter for it, only matching events are recorded.
    pub(crate) fn record(&self, event: &str, filter: Option<&str>) -> Result<(), SetupError> {
        let file = format!("events/{event}/filter");
        if let Some(filter) = filter
            && self.set(&file, filter).is_err()
        {
            // The file would keep the refused filter, with an error message. Every event passes, then as now.
            let _ = self.set(&file, "0");
        }
        self.must_set(&format!("events/{event}/enable"), "1")
    }

    /// Stops the recording.
    pub(crate) fn stop(&self) {
        // If this fails, later events are recorded and not read.
        let _ = self.set("tracing_on", "0");
    }

    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        tracefs::write(&self.folder, file, value)
    }

    fn must_set(&self, file: &str, value: &str) -> Result<(), SetupError> {
        self.set(file, value).map_err(|error| SetupError::tracefs(file, error))
    }

    /// Sets the size of the rings. If memory is short, the kernel's default size stays.
    fn resize(&self) {
        let number = |file: &str| -> Option<u64> {
            // A ring that is not yet allocated shows `7 (expanded: 1408)`.
            let text = tracefs::read(&self.folder, file).ok()?;
            text.split_whitespace().next()?.parse().ok()
        };
        let processors = match (number("buffer_total_size_kb"), number("buffer_size_kb")) {
            (Some(all), Some(one)) => all / one.max(1),
            _ => return,
        };
        let size = (ALL_RINGS / processors.max(1)).clamp(*RING.start(), *RING.end());
        let _ = self.set("buffer_size_kb", &size.to_string());
    }

    fn open_rings(&mut self) -> Result<(), SetupError> {
        let failed = |error: Errno| SetupError::tracefs("per_cpu", error);
        let folder = openat(&self.folder, "per_cpu", FOLDER, Mode::empty()).map_err(failed)?;
        let mut processors: Vec<u32> = Vec::new();
        for entry in Dir::read_from(&folder).map_err(failed)? {
            let name = entry.map_err(failed)?;
            let number: Option<u32> =
                name.file_name().to_str().ok().and_then(|name| name.strip_prefix("cpu")?.parse().ok());
            processors.extend(number);
        }
        processors.sort_unstable();
        let open = |cpu| {
            Ring::open(self.folder.as_fd(), cpu)
                .map_err(|error| SetupError::tracefs(&format!("per_cpu/cpu{cpu}/trace_pipe_raw"), error))
        };
        self.rings = processors.into_iter().map(open).collect::<Result<_, _>>()?;
        Ok(())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.stop();
        // The kernel refuses to remove an instance while its files are open.
        self.rings.clear();
        self.free = None;
        // If another program has one of its files open, this fails, and the next trace removes the instance.
        let _ = unlinkat(&self.tracefs, &self.path, AtFlags::REMOVEDIR);
    }
}

/// Waits until no other trace is between creating its instance and opening its first file: such an instance would be
/// taken for a stale one. Another program may hold the lock for long: then stops waiting and returns false.
fn lock(instances: &OwnedFd) -> bool {
    const ATTEMPTS: u32 = 500;
    for _ in 0..ATTEMPTS {
        match flock(instances, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return true,
            Err(Errno::AGAIN | Errno::INTR) => std::thread::sleep(Duration::from_millis(10)),
            Err(_) => return false,
        }
    }
    false
}

/// Creates the folder and opens it, and `free_buffer` in it. If it was removed meanwhile, it is created again.
fn make(tracefs: &Tracefs) -> Result<(String, OwnedFd, OwnedFd), SetupError> {
    const ATTEMPTS: u32 = 100;
    let pid = std::process::id();
    let mut error = Errno::EXIST;
    for attempt in 0..ATTEMPTS {
        let path = match attempt {
            0 => format!("instances/{PREFIX}{pid}"),
            // A process of another PID namespace may have the same number.
            _ => format!("instances/{PREFIX}{pid}-{attempt}"),
        };
        match mkdirat(tracefs, &path, Mode::RWXU) {
            Ok(()) => {}
            Err(Errno::EXIST) => continue,
            Err(error) => return Err(SetupError::tracefs(&path, error)),
        }
        match open_first(tracefs, &path) {
            Ok((folder, free)) => return Ok((path, folder, free)),
            Err(gone @ (Errno::NOENT | Errno::NODEV)) => error = gone,
            Err(error) => {
                let _ = unlinkat(tracefs, &path, AtFlags::REMOVEDIR);
                return Err(SetupError::tracefs(&path, error));
            }
        }
    }
    Err(SetupError::tracefs("instances", error))
}

/// Opens the folder and `free_buffer`. From then on the kernel refuses to remove the instance.
fn open_first(tracefs: &Tracefs, path: &str) -> Result<(OwnedFd, OwnedFd), Errno> {
    let folder = openat(tracefs, path, FOLDER, Mode::empty())?;
    let free = openat(&folder, "free_buffer", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    // The kernel finds the instance by its address in memory, which may by now belong to another instance.
    statat(&folder, "free_buffer", AtFlags::empty())?;
    Ok((folder, free))
}

/// Removes the instances of traces that were killed. The kernel refuses to remove those in use, so no process number needs
/// to be checked, which could be one of another PID namespace.
fn remove_stale(instances: &OwnedFd) {
    let Ok(entries) = Dir::read_from(instances) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_bytes().starts_with(PREFIX.as_bytes()) {
            let _ = unlinkat(instances, entry.file_name(), AtFlags::REMOVEDIR);
        }
    }
}
