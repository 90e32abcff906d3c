//! /proc/net/tcp and tcp6: which files, opened and read line by line. What a line means is in [`mod@line`].

mod ahead;
pub mod line;

use std::fs::{self, File};
use std::io::{self, BufRead, Read as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;

use self::ahead::Ahead;
use super::Sink;
use crate::model::{Family, Gap};
use crate::query::Query;

/// How many bad lines are told by their number.
const NUMBERS_TOLD: usize = 5;

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ProcfsError {
    /// A file that must be there.
    #[error("{}: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A term of the filter about which /proc says nothing.
    #[error("/proc does not tell what '{term}' asks for")]
    Untold {
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
    let mut gaps = Vec::new();
    let mut tables = 0;
    for family in query.families.each() {
        let path = folder.join(match family {
            Family::Inet => "tcp",
            Family::Inet6 => "tcp6",
        });
        match read_table(&path, *family, query, sink, &mut gaps) {
            Ok(ControlFlow::Continue(())) => tables += 1,
            Ok(ControlFlow::Break(())) => break,
            // IPv6 may be off.
            Err(error) if *family == Family::Inet6 && error.kind() == io::ErrorKind::NotFound => {}
            // What came from the other table is no less true.
            Err(error) if tables > 0 => {
                gaps.push(Gap::Unreadable { path: shown(&path), reason: error.to_string() });
            }
            Err(source) => return Err(ProcfsError::File { path, source }),
        }
    }
    Ok(gaps)
}

/// Reads one table; an error means that it has given nothing.
fn read_table(
    path: &Path,
    family: Family,
    query: &Query,
    sink: &mut dyn Sink,
    gaps: &mut Vec<Gap>,
) -> io::Result<ControlFlow<()>> {
    let file = open(path)?;
    let mut table = Table { family, query, bad: BadLines::default(), lines: 0 };
    let end = thread::scope(|scope| table.read(Ahead::new(scope, file)?, sink));
    gaps.extend(table.bad.into_gap(path));
    match end {
        // Even a table without sockets has a heading.
        Ok(_) if table.lines == 0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is empty")),
        Err(error) if table.lines > 0 => {
            gaps.push(Gap::Unreadable { path: shown(path), reason: error.to_string() });
            Ok(ControlFlow::Continue(()))
        }
        end => end,
    }
}

/// The folder of a proc tree that holds its first process's tables. `self` and `thread-self` there would be the
/// reader's own, and `net` is a link to `self/net` in a live tree.
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

/// What may not be seen is an error: it must not be passed over for something else.
fn is_there(path: &Path) -> Result<bool, ProcfsError> {
    match fs::metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(source) => Err(ProcfsError::File { path: path.to_owned(), source }),
    }
}

/// Opens a table. Nothing but a plain file is one, as all in /proc are: a pipe would be waited for.
fn open(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a plain file"));
    }
    File::open(path)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

struct Table<'a> {
    family: Family,
    query: &'a Query,
    bad: BadLines,
    lines: u64,
}

impl Table<'_> {
    fn read(&mut self, mut file: impl BufRead, sink: &mut dyn Sink) -> io::Result<ControlFlow<()>> {
        let mut bytes = Vec::with_capacity(256);
        loop {
            // Nearly all lines lie whole in the buffer.
            let whole = file.fill_buf()?;
            let end = memchr::memchr(b'\n', whole);
            if let Some(line) = end.and_then(|end| whole.get(..end)) {
                let end = line.len() + 1;
                let flow = self.take(line, sink);
                file.consume(end);
                if flow.is_break() {
                    return Ok(flow);
                }
            } else if read_line(&mut file, &mut bytes)? {
                let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
                if self.take(line, sink).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            } else {
                return Ok(ControlFlow::Continue(()));
            }
        }
    }

    fn take(&mut self, line: &[u8], sink: &mut dyn Sink) -> ControlFlow<()> {
        self.lines += 1;
        // The first line is a heading.
        if self.lines == 1 && line::is_heading(line) {
            return ControlFlow::Continue(());
        }
        match line::parse(line, self.family) {
            Ok(socket) if !self.query.states.contains(socket.state) => ControlFlow::Continue(()),
            Ok(socket) => sink.row(&socket),
            Err(error) => {
                self.bad.note(self.lines, &error);
                ControlFlow::Continue(())
            }
        }
    }
}

/// Reads the next line, its break too; false at the end. Of a line that is too long for a socket only the start is
/// kept, whatever follows.
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
        if self.lines.len() < NUMBERS_TOLD {
            self.lines.push(number);
        }
        self.count += 1;
    }

    fn into_gap(self, path: &Path) -> Option<Gap> {
        let Self { count, lines, first } = self;
        (count > 0).then(|| Gap::BadLines { path: shown(path), count, lines, first })
    }
}
