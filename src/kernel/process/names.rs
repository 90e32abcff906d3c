//! Lists processes and threads by number, and reads their names.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use rustix::fs::CWD;

use super::read::read_comm;
use super::scan::{each_number, open_folder};
use crate::kernel::files;

/// Whether this process and its /proc are in the initial PID namespace, from which every process is visible; `None` if
/// /proc does not say.
pub(crate) fn is_initial_namespace() -> Option<bool> {
    /// `PROC_PID_INIT_INO` of linux/proc_ns.h.
    const INITIAL: u64 = 0xefff_fffc;
    Some(fs::metadata("/proc/self/ns/pid").ok()?.ino() == INITIAL)
}

/// The processes that exist now.
pub(crate) fn pids() -> Vec<u32> {
    numbers("/proc")
}

/// The threads of a process.
pub(crate) fn threads_of(pid: u32) -> Vec<u32> {
    numbers(&format!("/proc/{pid}/task"))
}

/// The entries of a folder whose names are numbers, as far as the folder can be read.
fn numbers(folder: &str) -> Vec<u32> {
    let mut numbers = Vec::new();
    if let Ok(folder) = open_folder(CWD, folder) {
        // Entries that were read before a failure are kept.
        let _ = each_number(&folder, |number| numbers.push(number));
    }
    numbers
}

/// Reads the name of a process.
pub(crate) fn name_of(pid: u32) -> Option<Vec<u8>> {
    read_comm(format!("/proc/{pid}/comm").into()).ok()
}

/// Reads the process of a thread.
pub(crate) fn process_of(thread: u32) -> Option<u32> {
    let status = files::read(format!("/proc/{thread}/status")).ok()?;
    let status = String::from_utf8_lossy(&status);
    status.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
}
