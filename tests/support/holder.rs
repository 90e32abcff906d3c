//! A program of the tests that listens on a port, in the situations that the tests look at.

use std::ffi::OsString;
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::has;
use super::namespace::Namespace;
use super::run::command;

/// Joins the cgroups whose files are named, opens its listener, joins the cgroup behind `then`, and stays. With `own` the
/// thread that opens it has a table of descriptors of its own.
const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
static char **words;
static int own;
static void join(const char *file) {
    int fd = open(file, O_WRONLY);
    if (fd < 0 || write(fd, "0", 1) != 1) { perror(file); exit(3); }
    close(fd);
}
static void *hold(void *unused) {
    if (own && unshare(CLONE_FILES)) exit(4);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(atoi(words[1])) };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 8)) exit(5);
    puts("ready");
    fflush(stdout);
    for (;;) pause();
    return unused;
}
int main(int count, char **given) {
    words = given;
    for (int at = 2; at < count; at++)
        if (!strcmp(given[at], "own")) own = 1; else join(given[at]);
    pthread_t thread;
    if (!own) hold(NULL);
    pthread_create(&thread, NULL, hold, NULL);
    for (;;) pause();
}
"#;

/// The program, for as long as this is kept; `None`, with a note, where it can't be compiled.
pub(crate) struct Program {
    folder: tempfile::TempDir,
}

impl Program {
    pub(crate) fn new(name: &str) -> Option<Self> {
        if !has("cc") {
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder can be had");
        let source = folder.path().join("holder.c");
        fs::write(&source, SOURCE).expect("it can be written");
        let compiled =
            Command::new("cc").arg("-pthread").arg("-o").arg(folder.path().join(name)).arg(&source).status();
        assert!(compiled.expect("there is a compiler").success());
        Some(Self { folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs it inside until it listens.
    pub(crate) fn listening(&self, namespace: &Namespace, name: &str, words: &[&str]) -> Running {
        let mut program = command(self.path(name));
        program.args(words).stdout(Stdio::piped());
        let mut running = Running(namespace.inside(|| program.spawn().expect("it runs")));
        let mut ready = [0; 6];
        running.0.stdout.as_mut().expect("it was piped").read_exact(&mut ready).expect("it listens");
        running
    }
}

/// Ended when dropped.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A cgroup of the v2 tree, removed when dropped.
pub(crate) struct Cgroup {
    folder: PathBuf,
}

impl Cgroup {
    /// The error says why it is unavailable.
    pub(crate) fn new(name: &str) -> Result<Self, String> {
        let folder = tree()?.join(name);
        fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self { folder })
    }

    /// The file that takes processes.
    pub(crate) fn processes(&self) -> String {
        self.folder.join("cgroup.procs").to_str().expect("a plain path").to_owned()
    }

    /// Moves a process here.
    pub(crate) fn take(&self, process: &Running) {
        fs::write(self.processes(), process.0.id().to_string()).expect("it can be moved");
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // A process that has just ended may be in it for a moment.
        let deadline = Instant::now() + Duration::from_secs(5);
        while fs::remove_dir(&self.folder).is_err() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Where the whole tree is mounted.
fn tree() -> Result<PathBuf, String> {
    let mounts = fs::read("/proc/mounts").map_err(|error| error.to_string())?;
    mounts
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let mut fields = line.split(|byte| *byte == b' ');
            let path = fields.nth(1)?;
            let is_tree = fields.next() == Some(b"cgroup2");
            is_tree.then(|| PathBuf::from(OsString::from(std::ffi::OsStr::from_bytes(path))))
        })
        .find(|path: &PathBuf| is_root(path))
        .ok_or_else(|| "no whole cgroup2 tree is mounted".to_owned())
}

fn is_root(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.ino() == 1)
}
