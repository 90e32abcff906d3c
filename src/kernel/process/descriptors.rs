//! How many descriptors a process has open, and how many it may have.

use std::io;
use std::path::{Path, PathBuf};

use procfs::ProcError;
use procfs::process::{LimitValue, Process};
use rustix::io::Errno;

use crate::model::{Descriptors, Gap};

/// The descriptors of a process in the proc tree at `root`; `None` if the process has ended or has no limit, or if
/// `may_matter` refuses its limit.
///
/// Open descriptors are counted only if `may_matter` accepts the limit: before Linux 6.2, counting visits each one.
pub(crate) fn descriptors(
    root: &Path,
    pid: u32,
    may_matter: impl Fn(u64) -> bool,
) -> Result<Option<Descriptors>, Gap> {
    let found = Process::new_with_root(root.join(pid.to_string())).and_then(|process| {
        let limit = match process.limits()?.max_open_files.soft_limit {
            LimitValue::Value(limit) if may_matter(limit) => limit,
            LimitValue::Value(_) | LimitValue::Unlimited => return Ok(None),
        };
        Ok(Some(Descriptors { pid, open: process.fd_count()? as u64, limit }))
    });
    let gap = |path: Option<PathBuf>, reason: io::Error| {
        let path = path.unwrap_or_else(|| root.join(pid.to_string()));
        Gap::Unreadable { path: path.display().to_string(), reason: reason.to_string() }
    };
    match found {
        Ok(found) => Ok(found),
        Err(ProcError::NotFound(_)) => Ok(None),
        // The process ended between open and read.
        Err(ProcError::Io(error, _)) if Errno::from_io_error(&error) == Some(Errno::SRCH) => Ok(None),
        Err(ProcError::Io(error, path)) => Err(gap(path, error)),
        Err(ProcError::PermissionDenied(path)) => Err(gap(path, Errno::ACCESS.into())),
        Err(error) => Err(gap(None, io::Error::other(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_file_counts() {
        let root = Path::new("/proc");
        let own = || descriptors(root, std::process::id(), |_| true).unwrap().unwrap();
        let before = own();
        let held: Vec<_> = (0..300).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
        let after = own();
        // Other tests open and close files meanwhile.
        assert!(after.open > before.open + held.len() as u64 / 2, "{before:?} {after:?}");
        assert!(after.limit > after.open);
        assert_eq!(descriptors(root, std::process::id(), |_| false), Ok(None));
        assert_eq!(descriptors(root, u32::MAX, |_| true), Ok(None));
    }
}
