//! Searches the descriptors of all processes for sockets.
//!
//! Folders are read in large batches, `statx` reads each descriptor's inode relative to its folder, and no paths are
//! built. All cores take part: a worker that has no process of its own takes a share of a folder with many descriptors.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashSet;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, StatxFlags, openat, readlinkat_raw, statx};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};
use rustix::path::DecInt;

/// The number of descriptors in a piece of work.
const PIECE: usize = 1024;
/// How many bytes of a folder are read at once.
const BATCH: usize = 32 * 1024;

/// A descriptor that refers to a wanted socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) inode: u64,
    pub(super) pid: u32,
    pub(super) fd: u32,
}

/// What a scan found, and what it could not read.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) found: Vec<Found>,
    /// How many processes were listed.
    pub(super) processes: u64,
    /// Why the list of processes is incomplete.
    pub(super) unlisted: Option<Errno>,
    /// The processes that may not be read.
    pub(super) denied: FxHashSet<u32>,
    /// The processes that could not be read, or only in part, for another reason, and the reason for one of them.
    pub(super) failed: FxHashSet<u32>,
    pub(super) failure: Option<Errno>,
    /// How many of the wanted sockets have no known holder.
    pub(super) missing: usize,
    /// The time was over before the search was.
    pub(super) is_late: bool,
}

/// When a search gives up, and whether it did.
#[derive(Debug, Default)]
pub(super) struct Deadline {
    at: Option<Instant>,
    is_passed: AtomicBool,
}

impl Deadline {
    fn within(patience: Option<Duration>) -> Self {
        Self { at: patience.map(|patience| Instant::now() + patience), is_passed: AtomicBool::new(false) }
    }

    pub(super) fn is_over(&self) -> bool {
        let is_over = self.at.is_some_and(|at| Instant::now() >= at);
        if is_over {
            self.is_passed.store(true, Ordering::Relaxed);
        }
        is_over
    }
}

impl Scan {
    fn add(&mut self, part: Self) {
        self.found.extend(part.found);
        self.denied.extend(part.denied);
        self.failed.extend(part.failed);
        self.failure = self.failure.or(part.failure);
    }

    /// Records whether a process could be read. A process that has just ended is skipped.
    pub(super) fn note(&mut self, pid: u32, result: rustix::io::Result<()>) {
        match result {
            Err(Errno::ACCESS | Errno::PERM) => {
                self.denied.insert(pid);
            }
            Err(error) if !is_gone(error) => {
                self.failed.insert(pid);
                self.failure = Some(error);
            }
            _ => {}
        }
    }

    /// Sorts what was found, and returns the wanted sockets that are not in it.
    fn missing_of(&mut self, wanted: &FxHashSet<u64>) -> FxHashSet<u64> {
        self.found.sort_unstable();
        let sockets = self.found.chunk_by(|a, b| a.inode == b.inode);
        if sockets.clone().count() == wanted.len() {
            return FxHashSet::default();
        }
        let mut missing = wanted.clone();
        for found in sockets.filter_map(|socket| socket.first()) {
            missing.remove(&found.inode);
        }
        missing
    }
}

/// Whether an error means that a process, a thread or a descriptor has just disappeared.
pub(super) fn is_gone(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::SRCH)
}

/// Searches every process in the proc tree at `root`, for no longer than `patience`. A process that ends meanwhile is
/// skipped.
pub(super) fn scan(root: &Path, wanted: &FxHashSet<u64>, patience: Option<Duration>) -> io::Result<Scan> {
    let deadline = Deadline::within(patience);
    let root = open_folder(rustix::fs::CWD, root)?;
    let mut pids = Vec::new();
    let unlisted = each_number(&root, |pid| pids.push(pid)).err();
    if let Some(error) = unlisted.filter(|_| pids.is_empty()) {
        return Err(error.into());
    }
    // Workers take processes from the end, so that low numbers come first.
    pids.sort_unstable_by(|a, b| b.cmp(a));
    let all = pids.clone();
    let method = Method::here();
    let search = Search { root, wanted, method, queue: Queue::new(pids), deadline };
    let mut scan = search.with_all_cores();
    let missing = scan.missing_of(wanted);
    let search = Search { wanted: &missing, queue: Queue::new(Vec::new()), ..search };
    if !missing.is_empty() && !search.deadline.is_over() {
        let readable: Vec<_> = all.iter().copied().filter(|pid| !scan.denied.contains(pid)).collect();
        scan.add(search.threads(&readable));
        scan.found.sort_unstable();
        // Several threads may share a table that is not their process's; it was then searched more than once.
        scan.found.dedup();
        scan.missing = scan.missing_of(wanted).len();
    }
    let is_late = search.deadline.is_passed.load(Ordering::Relaxed);
    Ok(Scan { processes: all.len() as u64, unlisted, is_late, ..scan })
}

pub(super) fn open_folder(at: impl AsFd, path: impl rustix::path::Arg) -> rustix::io::Result<OwnedFd> {
    openat(at, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Calls `take` with each entry of a folder that is a number.
pub(super) fn each_number(folder: impl AsFd, mut take: impl FnMut(u32)) -> rustix::io::Result<()> {
    let mut buffer = vec![MaybeUninit::uninit(); BATCH];
    let mut entries = RawDir::new(folder, &mut buffer);
    while let Some(entry) = entries.next() {
        if let Some(number) = number(entry?.file_name()) {
            take(number);
        }
    }
    Ok(())
}

fn number(name: &CStr) -> Option<u32> {
    name.to_str().ok()?.parse().ok()
}

/// How to read the inode of a descriptor's socket.
#[derive(Clone, Copy, Debug)]
pub(super) enum Method {
    /// By `statx`, which waits for no file server. All sockets are on the same device, `device`.
    Stat { device: (u32, u32) },
    /// By the text of the descriptor's link, where there is no `statx`.
    Link,
}

impl Method {
    fn here() -> Self {
        let device = socket(AddressFamily::UNIX, SocketType::DGRAM, None).and_then(|own| {
            let stat = statx(&own, c"", AtFlags::EMPTY_PATH, StatxFlags::INO)?;
            Ok((stat.stx_dev_major, stat.stx_dev_minor))
        });
        device.map_or(Self::Link, |device| Self::Stat { device })
    }

    /// The inode of the socket that a descriptor refers to; `None` if the descriptor is not a socket's.
    fn inode(self, folder: BorrowedFd<'_>, fd: u32) -> rustix::io::Result<Option<u64>> {
        let Self::Stat { device } = self else { return inode_by_link(folder, fd) };
        // Neither sync with a file server nor mount anything: a dead server would never answer.
        let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
        match statx(folder, DecInt::new(fd), flags, StatxFlags::TYPE | StatxFlags::INO) {
            Ok(stat) => {
                let is_socket = FileType::from_raw_mode(stat.stx_mode.into()) == FileType::Socket
                    && (stat.stx_dev_major, stat.stx_dev_minor) == device;
                Ok(is_socket.then_some(stat.stx_ino))
            }
            Err(error) if is_gone(error) => Err(error),
            // Some file systems refuse even root. The kernel makes the link's text itself, without asking them.
            Err(_) => inode_by_link(folder, fd),
        }
    }
}

/// Reads the inode from the text of the descriptor's link.
fn inode_by_link(folder: BorrowedFd<'_>, fd: u32) -> rustix::io::Result<Option<u64>> {
    let mut buffer = [MaybeUninit::uninit(); 64];
    let (text, _) = readlinkat_raw(folder, DecInt::new(fd), &mut buffer)?;
    let inode = text.strip_prefix(b"socket:[").and_then(|rest| rest.strip_suffix(b"]"));
    Ok(inode.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()))
}

/// A piece of work.
enum Task {
    /// A process that no worker has begun.
    Process(u32),
    /// A share of a folder that another worker is searching.
    Share(Arc<Folder>),
}

/// A folder of descriptors, which workers take piece by piece.
struct Folder {
    pid: u32,
    opened: OwnedFd,
    fds: Vec<u32>,
    taken: AtomicUsize,
}

impl Folder {
    fn next_piece(&self) -> Option<&[u32]> {
        let start = self.taken.fetch_add(PIECE, Ordering::Relaxed);
        self.fds.get(start..).map(|rest| &rest[..rest.len().min(PIECE)]).filter(|piece| !piece.is_empty())
    }
}

/// The remaining work, for any number of workers. Each takes a process of its own while any are left, because workers
/// in the same folder wait for the same kernel locks.
pub(super) struct Queue {
    pending: Mutex<Pending>,
    changed: Condvar,
}

struct Pending {
    pids: Vec<u32>,
    /// Folders that are large enough to be shared.
    shared: Vec<Arc<Folder>>,
    /// How many workers have a task; a task may add others.
    busy: usize,
}

impl Queue {
    fn new(pids: Vec<u32>) -> Self {
        let pending = Pending { pids, shared: Vec::new(), busy: 0 };
        Self { pending: Mutex::new(pending), changed: Condvar::new() }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next task; waits while a busy worker may add one. `None` when all work is done.
    fn take(&self) -> Option<Task> {
        let mut pending = self.pending();
        loop {
            let task = pending.pids.pop().map(Task::Process);
            if let Some(task) = task.or_else(|| pending.shared.last().cloned().map(Task::Share)) {
                pending.busy += 1;
                return Some(task);
            }
            if pending.busy == 0 {
                return None;
            }
            pending = self.changed.wait(pending).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn share(&self, folder: Arc<Folder>) {
        self.pending().shared.push(folder);
        self.changed.notify_all();
    }

    /// Removes a folder that has no pieces left.
    fn unshare(&self, folder: &Arc<Folder>) {
        self.pending().shared.retain(|other| !Arc::ptr_eq(other, folder));
    }

    fn done(&self) {
        let mut pending = self.pending();
        pending.busy -= 1;
        if pending.busy == 0 {
            self.changed.notify_all();
        }
    }
}

pub(super) struct Search<'a> {
    pub(super) root: OwnedFd,
    wanted: &'a FxHashSet<u64>,
    method: Method,
    queue: Queue,
    pub(super) deadline: Deadline,
}

impl Search<'_> {
    /// Searches with as many threads as there are cores, or with fewer if no more can be started.
    fn with_all_cores(&self) -> Scan {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..workers)
                .filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, || self.work()).ok())
                .collect();
            let mut scan = self.work();
            // No worker panics; if one did, what it found would be missing.
            let parts: Vec<_> = others.into_iter().map(|other| other.join().unwrap_or_default()).collect();
            for part in parts {
                scan.add(part);
            }
            scan
        })
    }

    fn work(&self) -> Scan {
        // Room for every wanted socket: a list that grows is copied, and unused room is never touched.
        let mut scan = Scan { found: Vec::with_capacity(self.wanted.len()), ..Scan::default() };
        while !self.deadline.is_over()
            && let Some(task) = self.queue.take()
        {
            let (pid, result) = match task {
                Task::Process(pid) => (pid, self.process(pid, &mut scan)),
                Task::Share(folder) => (folder.pid, self.pieces(&folder, &mut scan)),
            };
            scan.note(pid, result);
            self.queue.done();
        }
        scan
    }

    fn process(&self, pid: u32, scan: &mut Scan) -> rustix::io::Result<()> {
        let process = open_folder(&self.root, DecInt::new(pid))?;
        if self.folder(pid, open_folder(&process, c"fd")?, scan)? {
            return Ok(());
        }
        // No descriptors: the main thread may have ended while other threads still hold some.
        let tasks = open_folder(&process, c"task")?;
        let mut threads = Vec::new();
        each_number(&tasks, |thread| threads.push(thread))?;
        for thread in threads.into_iter().filter(|thread| *thread != pid) {
            match self.thread(pid, &tasks, thread, scan) {
                Ok(true) => break,
                Err(error) if !is_gone(error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Searches the descriptors of a thread; false if it has none.
    pub(super) fn thread(
        &self,
        pid: u32,
        tasks: &OwnedFd,
        thread: u32,
        scan: &mut Scan,
    ) -> rustix::io::Result<bool> {
        let task = open_folder(tasks, DecInt::new(thread))?;
        self.folder(pid, open_folder(&task, c"fd")?, scan)
    }

    /// Searches a folder of descriptors; false if it has none.
    fn folder(&self, pid: u32, folder: OwnedFd, scan: &mut Scan) -> rustix::io::Result<bool> {
        let mut fds = Vec::new();
        // If listing fails, search the descriptors that were listed before.
        let listed = each_number(&folder, |fd| fds.push(fd));
        let searched = if fds.len() <= PIECE {
            self.descriptors(pid, &folder, &fds, scan)
        } else {
            let folder = Arc::new(Folder {
                pid,
                opened: folder,
                fds: std::mem::take(&mut fds),
                taken: AtomicUsize::new(0),
            });
            self.queue.share(folder.clone());
            self.pieces(&folder, scan).map(|()| true)
        }?;
        match listed {
            Err(error) if !is_gone(error) => Err(error),
            _ => Ok(searched),
        }
    }

    /// Searches the remaining pieces of a folder; other workers may take some of them.
    fn pieces(&self, folder: &Arc<Folder>, scan: &mut Scan) -> rustix::io::Result<()> {
        let mut result = Ok(());
        while !self.deadline.is_over()
            && let Some(fds) = folder.next_piece()
        {
            result = result.and(self.descriptors(folder.pid, &folder.opened, fds, scan).map(drop));
        }
        self.queue.unshare(folder);
        result
    }

    /// Searches these descriptors; false if there are none. An error is that of the last descriptor that could not be
    /// read: a process that may not be read refuses each.
    fn descriptors(
        &self,
        pid: u32,
        folder: &OwnedFd,
        fds: &[u32],
        scan: &mut Scan,
    ) -> rustix::io::Result<bool> {
        let mut result = Ok(!fds.is_empty());
        for fd in fds {
            match self.method.inode(folder.as_fd(), *fd) {
                Ok(Some(inode)) if self.wanted.contains(&inode) => {
                    scan.found.push(Found { inode, pid, fd: *fd });
                }
                Err(error) if !is_gone(error) => result = Err(error),
                _ => {}
            }
        }
        result
    }
}
