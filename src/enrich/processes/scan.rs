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
    /// Those of them that may not be read.
    pub(super) denied: FxHashSet<u32>,
    /// How many could not be looked through for another reason, and the reason.
    pub(super) failed: u64,
    pub(super) failure: Option<Errno>,
}

/// Looks through every process below `root`, a proc tree. A process that ends meanwhile is passed over.
pub(super) fn scan(root: &Path, wanted: &FxHashSet<u64>) -> io::Result<Scan> {
    let root = open_folder(rustix::fs::CWD, root)?;
    let mut pids = Vec::new();
    each_number(&root, |pid| pids.push(pid))?;
    let processes = pids.len() as u64;
    // Low numbers come off the end first.
    pids.sort_unstable_by(|a, b| b.cmp(a));
    let search = Search { root, wanted, method: Method::here(), queue: Queue::new(pids) };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut scan = std::thread::scope(|scope| {
        // Where no more threads can be had, fewer will do.
        let others: Vec<_> = (1..workers)
            .filter_map(|_| std::thread::Builder::new().spawn_scoped(scope, || search.work()).ok())
            .collect();
        let mut scan = search.work();
        // A worker that panicked has found nothing; none can.
        let parts: Vec<_> = others.into_iter().map(|other| other.join().unwrap_or_default()).collect();
        for part in parts {
            scan.found.extend(part.found);
            scan.denied.extend(part.denied);
            scan.failed += part.failed;
            scan.failure = scan.failure.or(part.failure);
        }
        scan
    });
    scan.processes = processes;
    Ok(scan)
}

fn open_folder(at: impl AsFd, path: impl rustix::path::Arg) -> rustix::io::Result<OwnedFd> {
    openat(at, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Calls `take` with each entry of a folder that is a number.
fn each_number(folder: impl AsFd, mut take: impl FnMut(u32)) -> rustix::io::Result<()> {
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
enum Method {
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
        let name = DecInt::new(fd);
        match self {
            Self::Stat { device } => {
                // Neither a sync with a server nor a mount: a dead one would never answer.
                let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
                let stat = statx(folder, name, flags, StatxFlags::TYPE | StatxFlags::INO)?;
                let is_socket = FileType::from_raw_mode(stat.stx_mode.into()) == FileType::Socket
                    && (stat.stx_dev_major, stat.stx_dev_minor) == device;
                Ok(is_socket.then_some(stat.stx_ino))
            }
            Self::Link => {
                let mut buffer = [MaybeUninit::uninit(); 64];
                let (text, _) = readlinkat_raw(folder, name, &mut buffer)?;
                let inode = text.strip_prefix(b"socket:[").and_then(|rest| rest.strip_suffix(b"]"));
                Ok(inode.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()))
            }
        }
    }
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
struct Queue {
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

struct Search<'a> {
    root: OwnedFd,
    wanted: &'a FxHashSet<u64>,
    method: Method,
    queue: Queue,
}

impl Search<'_> {
    fn work(&self) -> Scan {
        // As many as there may be: a list that grew would be copied, and what is not used is never touched.
        let mut scan = Scan { found: Vec::with_capacity(self.wanted.len()), ..Scan::default() };
        while let Some(task) = self.queue.take() {
            let (pid, result) = match task {
                Task::Process(pid) => (pid, self.process(pid, &mut scan)),
                Task::Share(folder) => (folder.pid, self.pieces(&folder, &mut scan)),
            };
            match result {
                // It has just ended.
                Ok(()) | Err(Errno::NOENT | Errno::SRCH) => {}
                Err(Errno::ACCESS | Errno::PERM) => {
                    scan.denied.insert(pid);
                }
                Err(error) => {
                    scan.failed += 1;
                    scan.failure = Some(error);
                }
            }
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
            let task = open_folder(&tasks, DecInt::new(thread))?;
            if self.folder(pid, open_folder(&task, c"fd")?, scan)? {
                break;
            }
        }
        Ok(())
    }

    /// Looks through a folder of descriptors; false if there is none in it.
    fn folder(&self, pid: u32, folder: OwnedFd, scan: &mut Scan) -> rustix::io::Result<bool> {
        let mut fds = Vec::new();
        match each_number(&folder, |fd| fds.push(fd)) {
            Err(Errno::NOENT) => return Ok(false),
            other => other?,
        }
        if fds.len() <= PIECE {
            self.descriptors(pid, &folder, &fds, scan)?;
            return Ok(!fds.is_empty());
        }
        let folder = Arc::new(Folder { pid, opened: folder, fds, taken: AtomicUsize::new(0) });
        self.queue.share(folder.clone());
        self.pieces(&folder, scan)?;
        Ok(true)
    }

    /// Looks through what is left of a folder, as others may, too.
    fn pieces(&self, folder: &Arc<Folder>, scan: &mut Scan) -> rustix::io::Result<()> {
        let mut result = Ok(());
        while let Some(fds) = folder.next_piece() {
            result = result.and(self.descriptors(folder.pid, &folder.opened, fds, scan));
        }
        self.queue.unshare(folder);
        result
    }

    fn descriptors(
        &self,
        pid: u32,
        folder: &OwnedFd,
        fds: &[u32],
        scan: &mut Scan,
    ) -> rustix::io::Result<()> {
        let mut refused = 0;
        for fd in fds {
            match self.method.inode(folder.as_fd(), *fd) {
                Ok(Some(inode)) if self.wanted.contains(&inode) => {
                    scan.found.push(Found { inode, pid, fd: *fd });
                }
                Err(Errno::ACCESS | Errno::PERM) => refused += 1,
                // Not a wanted one, closed meanwhile, or a file that can't be asked: sockets can.
                _ => {}
            }
        }
        // Some file systems refuse even root; a process refuses all of its descriptors.
        if refused > 0 && refused == fds.len() { Err(Errno::ACCESS) } else { Ok(()) }
    }
}
