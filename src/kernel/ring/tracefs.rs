//! The kernel's tracing file system. It need not be mounted.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

use super::format::Layout;
use super::pages::PageLayout;
use super::setup_error::SetupError;
use crate::kernel::files;

/// The root folder of tracefs.
#[derive(Debug)]
pub(crate) struct Tracefs {
    folder: OwnedFd,
}

impl Tracefs {
    /// Opens it where it is mounted. If it is not, mounts it detached: at no path, and only as long as this value lives.
    pub(crate) fn open() -> Result<Self, SetupError> {
        for place in ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"] {
            match open(place, FOLDER, Mode::empty()) {
                Ok(folder) if openat(&folder, "events", FOLDER, Mode::empty()).is_ok() => {
                    return Ok(Self { folder });
                }
                _ => {}
            }
        }
        let folder = mount().map_err(|error| SetupError::tracefs("mount", error))?;
        Ok(Self { folder })
    }

    /// The layout of the records of an event, `GROUP/NAME`.
    pub(crate) fn layout(&self, event: &str) -> Result<Layout, SetupError> {
        let path = format!("events/{event}/format");
        Layout::parse(&self.text(&path)?).ok_or_else(|| unknown(&path))
    }

    /// The layout of the ring's pages.
    pub(crate) fn page_layout(&self) -> Result<PageLayout, SetupError> {
        let path = "events/header_page";
        PageLayout::parse(&self.text(path)?).ok_or_else(|| unknown(path))
    }

    fn text(&self, path: &str) -> Result<String, SetupError> {
        read(&self.folder, path).map_err(|error| SetupError::tracefs(path, error))
    }
}

impl AsFd for Tracefs {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }
}

pub(crate) const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

fn mount() -> io::Result<OwnedFd> {
    let context = fsopen("tracefs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    Ok(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?)
}

fn unknown(path: &str) -> SetupError {
    SetupError::tracefs(path, io::Error::other("unknown format"))
}

/// The text of a file of this folder.
pub(crate) fn read(folder: impl AsFd, path: &str) -> io::Result<String> {
    // The names of processes may contain any bytes.
    Ok(String::from_utf8_lossy(&files::read_in(folder, path)?).into_owned())
}

/// Writes a setting into a file of this folder.
pub(crate) fn write(folder: impl AsFd, path: &str, value: &str) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::CLOEXEC;
    let file = openat(folder, path, flags, Mode::empty())?;
    File::from(file).write_all(value.as_bytes())
}
