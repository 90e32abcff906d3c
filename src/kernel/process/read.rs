//! Reads the processes that hold sockets, each once.

use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::kernel::files::{Start, read, read_start};
use crate::kernel::names::{Users, cgroups};
use crate::model::{Gap, Needs, Process, ProcessDetails, Unread};

/// How many bytes of a command line are read. It may have megabytes, and is printed in every row.
const COMMAND_MAX: usize = 4096;

/// Reads processes in a proc tree, and counts what could not be read.
pub(super) struct Reader<'a> {
    root: &'a Path,
    needs: Needs,
    users: Users,
    unread: Vec<(Unread, u64, io::Error)>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(root: &'a Path, needs: Needs) -> Self {
        Self { root, needs, users: Users::default(), unread: Vec::new() }
    }

    /// What could not be read, summed over all processes.
    pub(super) fn gaps(self) -> impl Iterator<Item = Gap> {
        self.unread.into_iter().map(|(what, count, error)| Gap::ProcessesUnread {
            what,
            count,
            reason: error.to_string(),
        })
    }

    /// Reads the requested details of a process, as far as they are readable.
    pub(super) fn process(&mut self, pid: u32) -> Process {
        let folder = self.root.join(pid.to_string());
        let of_command = self.needs.contains(Needs::FIRST_WORDS);
        let has_details = self.needs.contains(Needs::COMMANDS);
        let long_names = self.needs.contains(Needs::LONG_NAMES);
        let wants_command = of_command || has_details || long_names;
        let command = if wants_command { self.command_line(&folder) } else { Start::default() };
        let name = if of_command {
            first_word(&command.bytes)
        } else {
            self.note(Unread::Name, read_comm(folder.join("comm"))).unwrap_or_default()
        };
        let long_names =
            if long_names { self.long_names(&folder, &name, &command.bytes) } else { Box::default() };
        let details = has_details.then(|| self.details(&folder, &command));
        let cgroup = if self.needs.contains(Needs::CGROUPS) { self.cgroup(&folder) } else { None };
        Process { pid, name: name.into(), long_names, details, cgroup }
    }

    /// Returns the value. Counts an error, unless the process has just ended or has no such file.
    fn note<T>(&mut self, what: Unread, read: io::Result<T>) -> Option<T> {
        let error = match read {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let is_gone = error.kind() == io::ErrorKind::NotFound
            || error.raw_os_error() == Some(Errno::SRCH.raw_os_error());
        if !is_gone {
            match self.unread.iter_mut().find(|(other, ..)| *other == what) {
                Some((_, count, _)) => *count += 1,
                None => self.unread.push((what, 1, error)),
            }
        }
        None
    }

    fn command_line(&mut self, folder: &Path) -> Start {
        let start = read_start(folder.join("cmdline"), COMMAND_MAX);
        self.note(Unread::CommandLine, start).unwrap_or_default()
    }

    /// The user that a process runs as, and its command line.
    fn details(&mut self, folder: &Path, command: &Start) -> ProcessDetails {
        let uid = folder.metadata().ok().map(|meta| meta.uid());
        let user = uid.filter(|_| self.needs.contains(Needs::HOLDER_USERS)).and_then(|uid| {
            self.users.look_up(uid);
            self.users.name(uid).map(str::to_owned)
        });
        ProcessDetails { uid, user, command: shown_command(command).into() }
    }

    fn long_names(&mut self, folder: &Path, name: &[u8], command: &[u8]) -> Box<[Box<[u8]>]> {
        let program = self.note(Unread::Program, std::fs::read_link(folder.join("exe")));
        let program = program.map(|path| path.into_os_string().into_vec()).unwrap_or_default();
        long_names(name, command, &program)
    }

    fn cgroup(&mut self, folder: &Path) -> Option<Box<str>> {
        let text = self.note(Unread::Cgroup, read(folder.join("cgroup")))?;
        cgroups::of_process(&text).map(Into::into)
    }
}

pub(super) fn read_comm(path: PathBuf) -> io::Result<Vec<u8>> {
    let mut bytes = read(path)?;
    // The kernel adds a line break; the name may contain others.
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(bytes)
}

/// The first word of the command line; if it is an absolute path, the part after its last slash.
fn first_word(command: &[u8]) -> Vec<u8> {
    /// netstat reads no further.
    const READ: usize = 511;
    let command = command.get(..READ).unwrap_or(command);
    let word = command.split(|byte| *byte == 0).next().unwrap_or_default();
    if word.first() == Some(&b'/') { last_part(word).to_vec() } else { word.to_vec() }
}

/// The part of a path after its last slash.
fn last_part(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// The names of a program that are longer than the kernel keeps: the name of its file, the first word of its command
/// line, and the name of a script if the kernel cut that name.
fn long_names(name: &[u8], command: &[u8], program: &[u8]) -> Box<[Box<[u8]>]> {
    let program = program.strip_suffix(b" (deleted)").unwrap_or(program);
    let mut words = command.split(|byte| *byte == 0).map(last_part);
    let first = words.next();
    let is_cut = name.len() == Process::NAME_MAX;
    let script = words.find(|word| is_cut && word.starts_with(name));
    let mut names: Vec<Box<[u8]>> = Vec::new();
    for long in [Some(last_part(program)), first, script].into_iter().flatten() {
        if long.len() > Process::NAME_MAX && !names.iter().any(|name| **name == *long) {
            names.push(long.into());
        }
    }
    names.into()
}

/// The words of the command line, separated by blanks; `…` follows if only its start was read.
fn shown_command(Start { bytes, is_whole }: &Start) -> Vec<u8> {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let mut shown: Vec<u8> =
        bytes.iter().take(end).map(|byte| if *byte == 0 { b' ' } else { *byte }).collect();
    if !is_whole {
        shown.extend_from_slice("…".as_bytes());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_the_kernel_cut_is_known_from_elsewhere() {
        let names = |name: &str, command: &[u8], program: &str| -> Vec<String> {
            long_names(name.as_bytes(), command, program.as_bytes())
                .iter()
                .map(|name| String::from_utf8_lossy(name).into_owned())
                .collect()
        };
        let long = "kube-controller-manager";
        let command = b"/usr/bin/kube-controller-manager\0--v=2\0";
        assert_eq!(names("kube-controller", command, "/usr/bin/kube-controller-manager (deleted)"), [long]);
        assert_eq!(names("kube-controller", b"", "/usr/bin/kube-controller-manager"), [long]);
        let of_script = names(
            "a-long-name-of-",
            b"/usr/bin/python3\0-u\0/opt/a-long-name-of-a-script.py\0",
            "/usr/bin/python3",
        );
        assert_eq!(of_script, ["a-long-name-of-a-script.py"]);
        // The kernel did not cut the name "python3", so the script is not searched for.
        assert!(
            names("python3", b"python3\0/opt/a-long-name-of-a-script.py\0", "/usr/bin/python3").is_empty()
        );
    }

    #[test]
    fn a_cut_command_line_is_marked() {
        let shown = |bytes: &[u8], is_whole| shown_command(&Start { bytes: bytes.to_vec(), is_whole });
        assert_eq!(shown(b"sleep\x0060\0", true), b"sleep 60");
        assert_eq!(shown(b"a\0b", false), "a b…".as_bytes());
        assert_eq!(shown(b"\0\0", true), b"");
    }

    #[test]
    fn the_first_word_is_as_netstat_has_it() {
        assert_eq!(first_word(b"/usr/sbin/sshd\0-D\0"), b"sshd");
        assert_eq!(first_word(b"./relative/path\0"), b"./relative/path");
        assert_eq!(
            first_word(b"nginx: master process /usr/sbin/nginx"),
            b"nginx: master process /usr/sbin/nginx"
        );
        assert_eq!(first_word(b""), b"");
    }
}
