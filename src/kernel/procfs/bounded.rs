//! Limits the reading of a file: a table of another proc tree may lead to a file that has no end, or almost none, such
//! as /proc/kcore.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::kernel::files;

/// The length of a table of 25 million sockets.
const LONGEST: u64 = 4 << 30;
/// The kernel writes 15 million sockets in this time.
const SLOWEST: Duration = Duration::from_secs(30);

/// A reader that fails beyond a limit of bytes or of time. Only the time in reads counts: the consumer of the sockets
/// may take as long as it likes.
pub(super) struct Bounded<R> {
    inner: R,
    bytes_left: u64,
    /// `None` for a file of this kernel, which ends: the kernel's tables come in thousands of short reads, and each
    /// would read the clock.
    time_left: Option<Duration>,
}

impl Bounded<File> {
    /// Opens a regular file. Files of /proc report the length 0; a file that reports too large a length is refused.
    pub(super) fn open(path: &Path, is_own: bool) -> io::Result<Self> {
        let file = files::open(path)?;
        if file.metadata()?.len() > LONGEST {
            Err(io::ErrorKind::FileTooLarge.into())
        } else {
            Ok(Self::new(file, is_own))
        }
    }
}

impl<R> Bounded<R> {
    fn new(inner: R, is_own: bool) -> Self {
        Self { inner, bytes_left: LONGEST, time_left: (!is_own).then_some(SLOWEST) }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match self.time_left {
            None => self.inner.read(buffer)?,
            Some(Duration::ZERO) => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "reading took too long"));
            }
            Some(left) => {
                let begun = Instant::now();
                let read = self.inner.read(buffer)?;
                self.time_left = Some(left.saturating_sub(begun.elapsed()));
                read
            }
        };
        self.bytes_left = self.bytes_left.checked_sub(read as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(mut bounded: Bounded<impl Read>) -> io::Result<usize> {
        let (mut buffer, mut sum) = ([0; 10], 0);
        loop {
            match bounded.read(&mut buffer)? {
                0 => return Ok(sum),
                read => sum += read,
            }
        }
    }

    #[test]
    fn what_has_no_end_is_left_at_the_limit() {
        let bounded = |bytes_left| Bounded { bytes_left, ..Bounded::new(io::repeat(7).take(95), true) };
        assert_eq!(read_all(bounded(95)).unwrap(), 95);
        assert_eq!(read_all(bounded(94)).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn only_the_time_in_reads_counts() {
        /// Takes a millisecond for each read.
        struct Slow;
        impl Read for Slow {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                std::thread::sleep(Duration::from_millis(1));
                Ok(buffer.len())
            }
        }
        let slow = Bounded { time_left: Some(Duration::from_millis(20)), ..Bounded::new(Slow, false) };
        assert_eq!(read_all(slow).unwrap_err().kind(), io::ErrorKind::TimedOut);
        let mut quick =
            Bounded { time_left: Some(Duration::from_millis(20)), ..Bounded::new(io::repeat(7), false) };
        let mut buffer = [0; 10];
        for _ in 0..4 {
            std::thread::sleep(Duration::from_millis(10));
            assert_eq!(quick.read(&mut buffer).unwrap(), 10);
        }
    }
}
