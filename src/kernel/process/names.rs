//! Threads and processes by their numbers, and their names.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use crate::kernel::files;

/// Whether this process and its /proc are in the initial PID namespace, from which every process can be seen.
pub(crate) fn is_initial_namespace() -> bool {
    /// `PROC_PID_INIT_INO` of linux/proc_ns.h.
    const INITIAL: u64 = 0xefff_fffc;
    // A kernel without such namespaces has one only.
    fs::metadata("/proc/self/ns/pid").map_or(true, |namespace| namespace.ino() == INITIAL)
}

/// The processes that there are now.
pub(crate) fn pids() -> impl Iterator<Item = u32> {
    numbers("/proc")
}

/// The threads of a process.
pub(crate) fn threads_of(pid: u32) -> impl Iterator<Item = u32> {
    numbers(&format!("/proc/{pid}/task"))
}

/// The entries of a folder whose names are numbers.
fn numbers(folder: &str) -> impl Iterator<Item = u32> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Reads the name of a process.
pub(crate) fn name_of(pid: u32) -> Option<Vec<u8>> {
    let mut name = files::read(format!("/proc/{pid}/comm")).ok()?;
    // The last line break is the file's; others belong to the name.
    name.pop_if(|last| *last == b'\n');
    Some(name)
}

/// Reads the process of a thread.
pub(crate) fn process_of(thread: u32) -> Option<u32> {
    let status = files::read(format!("/proc/{thread}/status")).ok()?;
    let status = String::from_utf8_lossy(&status);
    status.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
}
