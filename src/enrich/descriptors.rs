//! How many descriptors a process has open, and how many it may have.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::kernel::files::read_text;
use crate::model::{Descriptors, Gap};

/// The descriptors of a process below `root`, a proc tree; `None` where it has ended meanwhile.
///
/// Those that are open are counted only where `may_matter` says so of the limit: it takes a look at each.
pub fn descriptors(
    root: &Path,
    pid: u32,
    may_matter: impl Fn(u64) -> bool,
) -> Result<Option<Descriptors>, Gap> {
    let folder = root.join(pid.to_string());
    let unless_ended = |path: &Path, error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Ok(None),
        // The process ended between open and read.
        _ if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => Ok(None),
        _ => Err(Gap::Unreadable { path: path.display().to_string(), reason: error.to_string() }),
    };
    let limits = folder.join("limits");
    let limit = match read_text(&limits) {
        Ok(text) => soft_limit(&text),
        Err(error) => return unless_ended(&limits, error),
    };
    if limit.is_none_or(|limit| !may_matter(limit)) {
        return Ok(None);
    }
    let open = folder.join("fd");
    match count(&open) {
        Ok(open) => Ok(Some(Descriptors { pid, open, limit })),
        Err(error) => unless_ended(&open, error),
    }
}

/// `Max open files            1024                 524288               files`; `None` where it is unlimited.
fn soft_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The folder's size is their number from Linux 6.2 on, and 0 before.
fn count(folder: &Path) -> io::Result<u64> {
    match fs::metadata(folder)?.size() {
        0 => Ok(fs::read_dir(folder)?.count() as u64),
        size => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_is_the_soft_limit() {
        let text = "Limit                     Soft Limit           Hard Limit           Units\n\
                    Max processes             15361                15361                processes\n\
                    Max open files            64                   524288               files\n";
        assert_eq!(soft_limit(text), Some(64));
        assert_eq!(soft_limit("Max open files   unlimited unlimited files\n"), None);
        assert_eq!(soft_limit(""), None);
    }

    #[test]
    fn an_open_file_counts() {
        let root = Path::new("/proc");
        let own = || descriptors(root, std::process::id(), |_| true).unwrap().unwrap();
        let before = own();
        let held: Vec<_> = (0..300).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        let after = own();
        // Other tests open and close files meanwhile.
        assert!(after.open > before.open + held.len() as u64 / 2, "{before:?} {after:?}");
        assert!(after.limit.is_some());
        assert_eq!(descriptors(root, std::process::id(), |_| false), Ok(None));
        assert_eq!(descriptors(root, u32::MAX, |_| true), Ok(None));
    }
}
