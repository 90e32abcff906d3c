//! /proc/net/tcp and tcp6: which files, opened and read line by line. What a line means is in [`mod@line`].

pub mod line;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

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
    #[error("/proc does not tell what the filter's '{term}' asks for")]
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
    for family in query.families.each() {
        let path = folder.join(match family {
            Family::Inet => "tcp",
            Family::Inet6 => "tcp6",
        });
        let file = match File::open(&path) {
            Ok(file) => file,
            // IPv6 may be off.
            Err(error) if *family == Family::Inet6 && error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(ProcfsError::File { path, source }),
        };
        let mut table = Table { path: &path, family: *family, query, bad: BadLines::default() };
        let end = table.read(BufReader::with_capacity(64 * 1024, file), sink);
        gaps.extend(table.bad.into_gap(&path));
        match end {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => break,
            Err(error) => gaps.push(Gap::Unreadable { path: shown(&path), reason: error.to_string() }),
        }
    }
    Ok(gaps)
}

/// The folder of a proc tree that holds its first process's tables. `self` and `thread-self` there would be the
/// reader's own, and `net` is a link to `self/net` in a live tree.
fn tables_of(root: &Path) -> Result<PathBuf, ProcfsError> {
    let of_init = root.join("1/net");
    if of_init.join("tcp").exists() || of_init.join("tcp6").exists() {
        return Ok(of_init);
    }
    let plain = root.join("net");
    if fs::symlink_metadata(&plain).is_ok_and(|meta| meta.is_dir()) && plain.join("tcp").exists() {
        return Ok(plain);
    }
    Err(ProcfsError::NoTables { root: root.to_owned() })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

struct Table<'a> {
    path: &'a Path,
    family: Family,
    query: &'a Query,
    bad: BadLines,
}

impl Table<'_> {
    fn read(&mut self, mut file: impl BufRead, sink: &mut dyn Sink) -> io::Result<ControlFlow<()>> {
        let mut bytes = Vec::with_capacity(256);
        for number in 1_u64.. {
            bytes.clear();
            if file.read_until(b'\n', &mut bytes)? == 0 {
                break;
            }
            let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
            // The first line is a heading.
            if number == 1 && line::is_heading(text) {
                continue;
            }
            match line::parse(text, self.family) {
                Ok(socket) if !self.query.states.contains(socket.state) => {}
                Ok(socket) => {
                    if sink.row(&socket).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Err(error) => self.bad.note(number, &error),
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl std::fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("path", &self.path).finish_non_exhaustive()
    }
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
