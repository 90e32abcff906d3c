//! Looks through the descriptors of all processes for sockets.
//!
//! Folders are read in large batches, each descriptor is asked for its inode by `statx` relative to its folder, and
//! nothing becomes a path. All cores take part: of a folder with many descriptors, whoever has nothing else to do takes
//! a share.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashSet;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, StatxFlags, openat, readlinkat_raw, statx};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};
use rustix::path::DecInt;

/// How many descriptors are a piece of work.
const PIECE: usize = 1024;
/// How much of a folder is read at once.
const BATCH: usize = 32 * 1024;

/// A descriptor that refers to a wanted socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) inode: u64,
    pub(super) pid: u32,
    pub(super) fd: u32,
}

/// What a scan found, and what it could not see.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) found: Vec<Found>,
    /// How many processes were listed.
    pub(super) processes: u64,
    /// Why the list of processes broke off.
    pub(super) unlisted: Option<Errno>,
    /// Those of them that may not be read.
    pub(super) denied: FxHashSet<u32>,
    /// Those that could not be read, or not wholly, for another reason, and the reason of one.
    pub(super) failed: FxHashSet<u32>,
    pub(super) failure: Option<Errno>,
    /// How many of the wanted sockets nobody was seen to hold.
    pub(super) missing: usize,
}

impl Scan {
    fn add(&mut self, part: Self) {
        self.found.extend(part.found);
        self.denied.extend(part.denied);
        self.failed.extend(part.failed);
        self.failure = self.failure.or(part.failure);
    }

    /// Takes note of what became of a process. One that has just ended is passed over.
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

    /// Puts what was found in order, and says which of the wanted sockets are not in it.
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

/// Whether an error says that a process, a thread or a descriptor has just gone.
pub(super) fn is_gone(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::SRCH)
}

/// Looks through every process below `root`, a proc tree. A process that ends meanwhile is passed over.
pub(super) fn scan(root: &Path, wanted: &FxHashSet<u64>) -> io::Result<Scan> {
    let root = open_folder(rustix::fs::CWD, root)?;
    let mut pids = Vec::new();
    let unlisted = each_number(&root, |pid| pids.push(pid)).err();
    if let Some(error) = unlisted.filter(|_| pids.is_empty()) {
        return Err(error.into());
    }
    // Low numbers come off the end first.
    pids.sort_unstable_by(|a, b| b.cmp(a));
    let all = pids.clone();
    let method = Method::here();
    let search = Search { root, wanted, method, queue: Queue::new(pids) };
    let mut scan = search.with_all_cores();
    let missing = scan.missing_of(wanted);
    if !missing.is_empty() {
        let search = Search { wanted: &missing, queue: Queue::new(Vec::new()), ..search };
        let readable: Vec<_> = all.iter().copied().filter(|pid| !scan.denied.contains(pid)).collect();
        scan.add(search.threads(&readable));
        scan.found.sort_unstable();
        // Threads may share a table that is not their process's.
        scan.found.dedup();
        scan.missing = scan.missing_of(wanted).len();
    }
    Ok(Scan { processes: all.len() as u64, unlisted, ..scan })
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

/// How a descriptor is asked for its inode.
#[derive(Clone, Copy, Debug)]
pub(super) enum Method {
    /// `statx`, which waits for no server, and the device that all sockets are on.
    Stat { device: (u32, u32) },
    /// The text of its link, where there is no `statx`.
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

    /// The inode of the socket that a descriptor refers to; `None` where it is something else.
    fn inode(self, folder: BorrowedFd<'_>, fd: u32) -> rustix::io::Result<Option<u64>> {
        let Self::Stat { device } = self else { return inode_by_link(folder, fd) };
        // Neither a sync with a server nor a mount: a dead one would never answer.
        let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
        match statx(folder, DecInt::new(fd), flags, StatxFlags::TYPE | StatxFlags::INO) {
            Ok(stat) => {
                let is_socket = FileType::from_raw_mode(stat.stx_mode.into()) == FileType::Socket
                    && (stat.stx_dev_major, stat.stx_dev_minor) == device;
                Ok(is_socket.then_some(stat.stx_ino))
            }
            Err(error) if is_gone(error) => Err(error),
            // Some file systems refuse even root. The link is the kernel's, which asks none of them.
            Err(_) => inode_by_link(folder, fd),
        }
    }
}

/// The same by the text of the descriptor's link.
fn inode_by_link(folder: BorrowedFd<'_>, fd: u32) -> rustix::io::Result<Option<u64>> {
    let mut buffer = [MaybeUninit::uninit(); 64];
    let (text, _) = readlinkat_raw(folder, DecInt::new(fd), &mut buffer)?;
    let inode = text.strip_prefix(b"socket:[").and_then(|rest| rest.strip_suffix(b"]"));
    Ok(inode.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()))
}

/// A piece of work.
enum Task {
    /// A process that nobody has begun.
    Process(u32),
    /// A share in what another worker is at.
    Share(Arc<Folder>),
}

/// A folder of descriptors, of which workers take one piece after the other.
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

/// The work that is left, for any number of workers. Each takes a process of its own while there are some: in one
/// folder they wait for the same locks of the kernel.
pub(super) struct Queue {
    pending: Mutex<Pending>,
    changed: Condvar,
}

struct Pending {
    pids: Vec<u32>,
    /// Folders that are large enough to be shared.
    shared: Vec<Arc<Folder>>,
    /// How many workers are at a task, from which others may come.
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

    /// The next task; waits while others may bring one. `None` when all is done.
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

    /// Nothing is left of this folder.
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
}

impl Search<'_> {
    /// Works with as many threads as there are cores; fewer will do where no more can be had.
    fn with_all_cores(&self) -> Scan {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..workers)
                .filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, || self.work()).ok())
                .collect();
            let mut scan = self.work();
            // A worker that panicked has found nothing; none can.
            let parts: Vec<_> = others.into_iter().map(|other| other.join().unwrap_or_default()).collect();
            for part in parts {
                scan.add(part);
            }
            scan
        })
    }

    fn work(&self) -> Scan {
        // As many as there may be: a list that grew would be copied, and what is not used is never touched.
        let mut scan = Scan { found: Vec::with_capacity(self.wanted.len()), ..Scan::default() };
        while let Some(task) = self.queue.take() {
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
        // None at all: the thread that the process began with may have ended, and others hold the descriptors.
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

    /// Looks through the descriptors of a thread; false if there are none.
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

    /// Looks through a folder of descriptors; false if there is none in it.
    fn folder(&self, pid: u32, folder: OwnedFd, scan: &mut Scan) -> rustix::io::Result<bool> {
        let mut fds = Vec::new();
        // Where the list breaks off, what came of it is looked at.
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

    /// Looks through what is left of a folder, as others may, too.
    fn pieces(&self, folder: &Arc<Folder>, scan: &mut Scan) -> rustix::io::Result<()> {
        let mut result = Ok(());
        while let Some(fds) = folder.next_piece() {
            result = result.and(self.descriptors(folder.pid, &folder.opened, fds, scan).map(drop));
        }
        self.queue.unshare(folder);
        result
    }

    /// Looks at these descriptors; false if there are none. An error is that of the last that could not be asked: a
    /// process that may not be read refuses each.
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
