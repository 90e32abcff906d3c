//! The trace ring of one processor, in an instance of tracefs.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use super::event::Nanos;
use super::pages::PageLayout;
use super::stats::Stats;
use super::tracefs;

/// A processor's ring.
#[derive(Debug)]
pub(crate) struct Ring {
    /// The processor's number.
    pub(crate) cpu: u32,
    pages: OwnedFd,
    /// The kernel allocates the ring when the processor first comes online.
    is_allocated: bool,
    /// Pages that could not be decoded.
    malformed: u64,
}

impl Ring {
    /// Opens the ring of a processor in an instance's folder.
    pub(crate) fn open(instance: BorrowedFd<'_>, cpu: u32) -> io::Result<Self> {
        let path = format!("per_cpu/cpu{cpu}/trace_pipe_raw");
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(Self {
            cpu,
            pages: openat(instance, path, flags, Mode::empty())?,
            is_allocated: false,
            malformed: 0,
        })
    }

    /// For poll(), which would report an error immediately and repeatedly for a ring that is not allocated.
    pub(crate) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.is_allocated.then(|| self.pages.as_fd())
    }

    /// Calls `take` with each recorded event and its time. `page` is a buffer as large as a page.
    pub(crate) fn read(
        &mut self,
        layout: &PageLayout,
        page: &mut [u8],
        mut take: impl FnMut(Nanos, &[u8]),
    ) -> io::Result<()> {
        /// The kernel may fill the ring as fast as it is read: after this many pages the other rings get their turn.
        const PAGES: usize = 4096;
        for _ in 0..PAGES {
            let len = match rustix::io::read(&self.pages, &mut *page) {
                Ok(0) | Err(Errno::AGAIN) => {
                    self.is_allocated = true;
                    break;
                }
                Ok(len) => len,
                Err(Errno::NODEV) => break,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            self.is_allocated = true;
            let page = page.get(..len).unwrap_or_default();
            self.malformed += u64::from(layout.read(page, &mut take).is_err());
        }
        Ok(())
    }

    /// The kernel's counters of this ring; undecodable pages count as lost.
    pub(crate) fn stats(&self, instance: BorrowedFd<'_>) -> io::Result<Stats> {
        let text = tracefs::read(instance, &format!("per_cpu/cpu{}/stats", self.cpu))?;
        let mut stats = Stats::parse(&text);
        stats.lost += self.malformed;
        Ok(stats)
    }
}
