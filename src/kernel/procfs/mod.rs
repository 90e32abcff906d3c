//! Opens /proc/net/tcp and tcp6 and reads them line by line. [`mod@line`] parses a line.

mod bounded;
pub mod line;
mod repeats;

use std::fs;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread::{self, Builder};

use self::bounded::Bounded;
use self::repeats::Recent;
use super::{host, lock};
use crate::model::{Family, Gap, Sink};
use crate::model::{Order, Query};

/// How many bad lines are reported by their number.
const NUMBERS_REPORTED: usize = 5;

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ProcfsError {
    /// A required file could not be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A filter term that /proc has no data for.
    #[error("'{term}' needs data that /proc does not have")]
    NoData {
        /// The term.
        term: String,
    },
    /// Another proc tree without tables.
    #[error("{}: no TCP tables there: neither 1/net/tcp nor a folder net with tcp in it", root.display())]
    NoTables {
        /// The tree.
        root: PathBuf,
    },
}

/// Reads the tables of this network namespace, or of another proc tree, into the sink; returns what is missing.
pub fn read(query: &Query, root: Option<&Path>, sink: &mut dyn Sink) -> Result<Vec<Gap>, ProcfsError> {
    let folder = match root {
        Some(root) => tables_of(root)?,
        // Not self: the thread-group leader may be in another namespace.
        None => PathBuf::from("/proc/thread-self/net"),
    };
    let intake = Mutex::new(Intake { sink, stopped: false });
    let table = |family: Family| read_table(&folder, root.is_none(), family, query, &intake);
    let side_by_side = query.order == Order::Any && root.is_none() && host::is_large();
    let ends: Vec<_> = match query.families.each() {
        [first, second] if side_by_side => {
            let path = file_of(&folder, *second);
            // A new thread starts in this thread's namespace.
            let (first, second) = thread::scope(|scope| {
                let there = Builder::new().spawn_scoped(scope, || table(*second));
                let first = table(*first);
                // If no thread can be started, read one table after the other.
                let second = there
                    .map_or_else(|_| table(*second), |there| there.join().unwrap_or_else(|_| panicked(path)));
                (first, second)
            });
            vec![first, second]
        }
        families => families.iter().map(|family| table(*family)).collect(),
    };
    outcome(ends)
}

/// No thread panics; if one did, its table would be missing.
fn panicked(path: PathBuf) -> TableEnd {
    TableEnd {
        path,
        family: Family::Inet6,
        result: Err(io::Error::other("a thread ended early")),
        gaps: Vec::new(),
    }
}

/// The result of reading a table.
struct TableEnd {
    path: PathBuf,
    family: Family,
    /// An error means that the table gave no sockets.
    result: io::Result<()>,
    gaps: Vec<Gap>,
}

/// The gaps of all tables. A failed IPv4 table is an error; a failed IPv6 table is a gap if the IPv4 table was read.
fn outcome(ends: Vec<TableEnd>) -> Result<Vec<Gap>, ProcfsError> {
    let mut gaps = Vec::new();
    let came = ends.iter().any(|end| end.result.is_ok());
    for end in ends {
        gaps.extend(end.gaps);
        match end.result {
            Ok(()) => {}
            // IPv6 may be disabled.
            Err(error) if end.family == Family::Inet6 && error.kind() == io::ErrorKind::NotFound => {}
            // The sockets of the other table are still valid.
            Err(error) if came && end.family == Family::Inet6 => {
                gaps.push(Gap::Unreadable { path: shown(&end.path), reason: error.to_string() });
            }
            Err(source) => return Err(ProcfsError::File { path: end.path, source }),
        }
    }
    Ok(gaps)
}

fn file_of(folder: &Path, family: Family) -> PathBuf {
    folder.join(match family {
        Family::Inet => "tcp",
        Family::Inet6 => "tcp6",
    })
}

fn read_table(
    folder: &Path,
    is_own: bool,
    family: Family,
    query: &Query,
    intake: &Mutex<Intake<'_>>,
) -> TableEnd {
    let path = file_of(folder, family);
    let mut table = Table {
        family,
        query,
        intake,
        bad: BadLines::default(),
        lines: 0,
        is_readable: false,
        recent: Recent::default(),
    };
    let result =
        Bounded::open(&path, is_own).and_then(|file| table.read(BufReader::with_capacity(64 * 1024, file)));
    let Table { bad, lines, is_readable, .. } = table;
    let mut gaps = Vec::new();
    let result = match result {
        // Even a table without sockets has a heading.
        Ok(()) if lines == 0 && !lock(intake).stopped => {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is empty"))
        }
        Ok(()) if lines > 0 && !is_readable => {
            Err(io::Error::new(io::ErrorKind::InvalidData, "not a table of sockets"))
        }
        Err(error) if is_readable => {
            gaps.push(Gap::Unreadable { path: shown(&path), reason: error.to_string() });
            Ok(())
        }
        other => other,
    };
    if result.is_ok() {
        gaps.extend(bad.into_gap(&path));
    }
    TableEnd { path, family, result, gaps }
}

/// The folder with the tables of a proc tree's first process. In a live tree, `self` and `thread-self` are the reader's
/// own, and `net` is a link to `self/net`.
fn tables_of(root: &Path) -> Result<PathBuf, ProcfsError> {
    let of_init = root.join("1/net");
    if is_there(&of_init.join("tcp"))? {
        return Ok(of_init);
    }
    let plain = root.join("net");
    let is_folder = fs::symlink_metadata(&plain).is_ok_and(|meta| meta.is_dir());
    if is_folder && is_there(&plain.join("tcp"))? {
        return Ok(plain);
    }
    Err(ProcfsError::NoTables { root: root.to_owned() })
}

/// A path that may not be read is an error: no other path must be used in its place.
fn is_there(path: &Path) -> Result<bool, ProcfsError> {
    match fs::metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(source) => Err(ProcfsError::File { path: path.to_owned(), source }),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The state that the tables share.
struct Intake<'a> {
    sink: &'a mut dyn Sink,
    /// The sink wants no more sockets.
    stopped: bool,
}

struct Table<'m, 'a> {
    family: Family,
    query: &'m Query,
    intake: &'m Mutex<Intake<'a>>,
    bad: BadLines,
    lines: u64,
    /// A heading or a socket has been read.
    is_readable: bool,
    recent: Recent,
}

impl Table<'_, '_> {
    /// While one table waits for the kernel, another table's lines may be processed.
    fn read(&mut self, mut file: impl BufRead) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(256);
        loop {
            // Nearly every line is complete in the buffer.
            let buffer = file.fill_buf()?;
            let mut intake = lock(self.intake);
            if intake.stopped {
                return Ok(());
            }
            let mut rest = buffer;
            while let Some((line, behind)) =
                memchr::memchr(b'\n', rest).and_then(|end| rest.split_at_checked(end))
            {
                rest = behind.get(1..).unwrap_or_default();
                self.take(line, &mut intake);
            }
            let (left, taken) = (rest.len(), buffer.len() - rest.len());
            drop(intake);
            file.consume(taken);
            if left > 0 || taken == 0 {
                if !read_line(&mut file, &mut bytes)? {
                    return Ok(());
                }
                let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
                self.take(line, &mut lock(self.intake));
            }
        }
    }

    fn take(&mut self, line: &[u8], intake: &mut Intake<'_>) {
        self.lines += 1;
        // The first line is a heading.
        if self.lines == 1 && line::is_heading(line) {
            self.is_readable = true;
            return;
        }
        if intake.stopped {
            return;
        }
        match line::parse(line, self.family) {
            Ok(socket) => {
                self.is_readable = true;
                if self.query.states.contains(socket.state) && !self.recent.has_seen(&socket) {
                    intake.stopped = intake.sink.row(&socket).is_break();
                }
            }
            Err(error) => self.bad.note(self.lines, &error),
        }
    }
}

/// Reads the next line with its line break; false at the end of the file. If a line is too long for a socket, only its
/// start is kept.
fn read_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    const LONGEST: u64 = 4096;
    line.clear();
    if file.by_ref().take(LONGEST).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if !line.ends_with(b"\n") {
        file.skip_until(b'\n')?;
    }
    Ok(true)
}

#[derive(Default)]
struct BadLines {
    count: u64,
    lines: Vec<u64>,
    first: String,
}

impl BadLines {
    fn note(&mut self, number: u64, error: &line::BadLine) {
        if self.count == 0 {
            self.first = error.to_string();
        }
        if self.lines.len() < NUMBERS_REPORTED {
            self.lines.push(number);
        }
        self.count += 1;
    }

    fn into_gap(self, path: &Path) -> Option<Gap> {
        let Self { count, lines, first } = self;
        (count > 0).then(|| Gap::BadLines { path: shown(path), count, lines, first })
    }
}
