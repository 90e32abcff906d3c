//! Reads files of /proc and /sys, or of a tree that looks like /proc, whole and within bounds.
//!
//! A sysctl answers only one read: the buffer must have room for the whole value, or the rest is silently lost
//! (`proc_do_large_bitmap` and its siblings in kernel/sysctl.c return 0 from any offset but the first). Somebody else's
//! tree can contain anything: a pipe without a writer, a link to a device, an endless file.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use rustix::io::{Errno, pread};

/// Larger than any file that is read whole; the largest is a list of reserved ports, at most 190 KB.
const LONGEST: usize = 16 * 1024 * 1024;

/// Room for the first read: most files of /proc fit.
const FIRST: usize = 4096;

/// The start of a file, or all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Start {
    /// The file's first bytes.
    pub bytes: Vec<u8>,
    /// Whether these are the whole file.
    pub is_whole: bool,
}

/// Reads a whole file; fails with `FileTooLarge` if it is longer than `LONGEST`.
pub(crate) fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    read_in(CWD, path)
}

/// Reads a whole file of a folder that may have no path.
pub(crate) fn read_in(folder: impl AsFd, path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let file = open_in(folder, path)?;
    let Start { bytes, is_whole } = start(|buffer, offset| pread(&file, buffer, offset), LONGEST)?;
    if is_whole { Ok(bytes) } else { Err(io::ErrorKind::FileTooLarge.into()) }
}

/// Reads a whole file; fails with `InvalidData` if it is not UTF-8.
pub(crate) fn read_text(path: impl AsRef<Path>) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Reads the first `limit` bytes of a file.
pub(crate) fn read_start(path: impl AsRef<Path>, limit: usize) -> io::Result<Start> {
    let file = open(path)?;
    start(|buffer, offset| pread(&file, buffer, offset), limit)
}

/// Opens a regular file for reading, and never waits: a pipe is refused, and a read from a file such as /proc/kmsg,
/// which would wait for the next message, fails with `WouldBlock`.
pub(crate) fn open(path: impl AsRef<Path>) -> io::Result<File> {
    open_in(CWD, path)
}

fn open_in(folder: impl AsFd, path: impl AsRef<Path>) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = openat(folder, path.as_ref(), flags, Mode::empty())?;
    match FileType::from_raw_mode(fstat(&file)?.st_mode) {
        FileType::RegularFile => Ok(file.into()),
        FileType::Directory => Err(io::ErrorKind::IsADirectory.into()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

/// Calls `read_at` with a buffer and an offset until the file ends or `limit` bytes have been read.
fn start(
    mut read_at: impl FnMut(&mut [u8], u64) -> rustix::io::Result<usize>,
    limit: usize,
) -> io::Result<Start> {
    // One byte more than `limit` shows whether the file ends there.
    let most = limit.saturating_add(1);
    let mut bytes = vec![0; FIRST.min(most)];
    let mut len = 0;
    loop {
        let room = bytes.get_mut(len..).unwrap_or_default();
        match read_at(room, len as u64) {
            Ok(0) => break,
            // If the first read fills the buffer, the kernel may have cut the answer to fit, and a second read would
            // return 0: read again from the start into a larger buffer.
            Ok(read) if len == 0 && read == room.len() && read < most => {
                bytes.resize(read.saturating_mul(16).min(most), 0);
                continue;
            }
            Ok(read) => len += read,
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        if len >= most {
            break;
        }
        if len == bytes.len() {
            bytes.resize(len.saturating_mul(4).min(most), 0);
        }
    }
    bytes.truncate(len.min(limit));
    bytes.shrink_to_fit();
    Ok(Start { bytes, is_whole: len <= limit })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::symlink;

    /// Reads as from a plain file: at most `most` bytes at once.
    fn in_pieces(file: &[u8], most: usize) -> impl FnMut(&mut [u8], u64) -> rustix::io::Result<usize> {
        move |buffer, offset| {
            let rest = file.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
            let len = rest.len().min(most).min(buffer.len());
            buffer[..len].copy_from_slice(&rest[..len]);
            Ok(len)
        }
    }

    /// Reads as from a sysctl: only a read from offset 0 returns bytes.
    fn once(file: &[u8]) -> impl FnMut(&mut [u8], u64) -> rustix::io::Result<usize> {
        let mut from = in_pieces(file, usize::MAX);
        move |buffer, offset| if offset == 0 { from(buffer, 0) } else { Ok(0) }
    }

    proptest! {
        #[test]
        fn short_reads_and_single_answers_lose_nothing(len in 0_usize..200_000, most in 1_usize..70_000) {
            let file: Vec<u8> = (0..=255).cycle().take(len).collect();
            let all = Start { bytes: file.clone(), is_whole: true };
            prop_assert_eq!(start(in_pieces(&file, most), LONGEST).unwrap(), all.clone());
            prop_assert_eq!(start(once(&file), LONGEST).unwrap(), all);
        }

        #[test]
        fn no_more_is_read_than_was_wanted(len in 0_usize..10_000, most in 1_usize..5_000, limit in 0_usize..10_000) {
            let file = vec![7; len];
            let read = start(in_pieces(&file, most), limit).unwrap();
            prop_assert_eq!(read, Start { bytes: vec![7; len.min(limit)], is_whole: len <= limit });
        }
    }

    #[test]
    fn an_interrupted_read_is_repeated_and_a_failed_one_is_an_error() {
        let mut answers = [Err(Errno::INTR), Ok(3), Err(Errno::INTR), Ok(2), Ok(0)].into_iter();
        assert_eq!(start(|_, _| answers.next().unwrap(), 100).unwrap().bytes.len(), 5);
        let mut answers = [Ok(3), Err(Errno::IO)].into_iter();
        let error = start(|_, _| answers.next().unwrap(), 100).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(Errno::IO.raw_os_error()));
    }

    #[test]
    fn what_does_not_end_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        rustix::fs::mkfifoat(CWD, path("pipe"), Mode::RUSR).unwrap();
        symlink("/dev/zero", path("zero")).unwrap();
        assert_eq!(read(path("pipe")).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(read(path("zero")).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(read(folder.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }

    #[test]
    fn a_file_longer_than_expected_is_refused_and_its_start_can_be_had() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        File::create(&path).unwrap().set_len(LONGEST as u64 + 1).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read_start(&path, 3).unwrap(), Start { bytes: vec![0; 3], is_whole: false });
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_text(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
