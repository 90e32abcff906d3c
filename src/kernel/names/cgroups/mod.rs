//! Finds a socket's cgroup path: by the number that the kernel gives the socket, which is the inode of the cgroup's
//! folder, or by a process that holds the socket.

mod mounts;

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirEntryExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use rustix::fs::statfs;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

use crate::kernel::files::read;
use crate::model::Socket;
use crate::model::cgroup::{self, Cgroup, CgroupLack};
use crate::model::escape::push_lossless;

/// The inode of the root cgroup's folder. A tree that begins at another cgroup is only a part of the whole tree.
const ROOT: u64 = 1;

/// The number of a cgroup by its path below the mount of the v2 tree, or by its whole path; `None` if there is no such
/// cgroup, an error if there is no tree to read.
pub(crate) fn cgroup_id(path: &str) -> Result<Option<u64>, String> {
    let tree = Tree::here()?;
    let whole = Path::new(path);
    let folder = if whole.starts_with(&tree.path) {
        whole.to_owned()
    } else {
        tree.path.join(path.trim_start_matches('/'))
    };
    Ok(folder.metadata().ok().filter(std::fs::Metadata::is_dir).map(|meta| meta.ino()))
}

/// A cgroup2 tree.
struct Tree {
    path: PathBuf,
    /// The mount, if this program made it.
    _own: Option<OwnedFd>,
    is_whole: bool,
}

impl Tree {
    /// The tree that is mounted here; if there are several, a whole one. If none is mounted, mounts one for this
    /// program alone, where that is permitted. The error says why there is none.
    fn here() -> Result<Self, String> {
        let mountinfo = read("/proc/thread-self/mountinfo")
            .map_err(|error| format!("/proc/thread-self/mountinfo: {error}"))?;
        let trees = mounts::cgroup2(&mountinfo).into_iter().filter_map(|path| Self::at(path, None).ok());
        if let Some(tree) = trees.max_by_key(|tree| tree.is_whole) {
            return Ok(tree);
        }
        let refused =
            |error: io::Error| format!("no cgroup2 tree is mounted here, and mounting one failed: {error}");
        let own = mount().map_err(refused)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", own.as_raw_fd()));
        Self::at(path, Some(own)).map_err(refused)
    }

    /// The tree at this path; an error if something else is there, such as a file system mounted over it.
    fn at(path: PathBuf, own: Option<OwnedFd>) -> io::Result<Self> {
        /// `CGROUP2_SUPER_MAGIC` of linux/magic.h.
        const MAGIC: u64 = 0x6367_7270;
        if u64::try_from(statfs(&path)?.f_type) != Ok(MAGIC) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let is_whole = path.metadata()?.ino() == ROOT;
        Ok(Self { path, _own: own, is_whole })
    }

    /// The path of each cgroup by its number. Folders that appear or disappear meanwhile are not an error.
    fn paths(&self) -> FxHashMap<u64, String> {
        let mut paths = FxHashMap::default();
        if let Ok(meta) = self.path.metadata() {
            paths.insert(meta.ino(), "/".to_owned());
        }
        let mut folders = vec![(self.path.clone(), String::new())];
        while let Some((folder, name)) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    let mut below = format!("{name}/");
                    push_lossless(&mut below, entry.file_name().as_bytes());
                    paths.insert(entry.ino(), below.clone());
                    folders.push((entry.path(), below));
                }
            }
        }
        paths
    }
}

/// Mounts the tree where no other program sees it; closing the descriptor unmounts it.
fn mount() -> io::Result<OwnedFd> {
    let context = fsopen(c"cgroup2", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    Ok(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?)
}

/// The paths of the cgroup v2 tree, read once, and what is known where they are not enough.
#[derive(Debug, Default)]
pub(crate) struct Cgroups {
    paths: FxHashMap<u64, String>,
    /// Whether every cgroup that exists is among them.
    is_whole: bool,
    /// Whether the paths of processes begin at the root of a cgroup namespace.
    is_namespaced: bool,
    /// Whether there are v1 hierarchies: systemd and container runtimes may use these instead, and a socket may be in
    /// the root of the v2 tree whatever its unit.
    has_v1: bool,
    /// Why a path is unknown if no process is found.
    reason: String,
}

impl Cgroups {
    /// The tree of this host.
    pub(crate) fn of_host() -> Self {
        let (is_namespaced, has_v1) = (is_namespaced(), has_v1());
        match Tree::here() {
            Ok(tree) => Self {
                paths: tree.paths(),
                is_whole: tree.is_whole,
                is_namespaced,
                has_v1,
                reason: "the kernel does not report a path, and no holder was found".to_owned(),
            },
            Err(reason) => Self { is_namespaced, has_v1, reason, ..Self::default() },
        }
    }

    /// Paths from processes only: for another proc tree, whose host's cgroup numbers mean nothing here.
    pub(crate) fn of_processes() -> Self {
        let reason = "no holder was found".to_owned();
        Self { is_namespaced: is_namespaced(), reason, ..Self::default() }
    }

    /// Whether the kernel's numbers alone show each socket's cgroup and, with `units`, its unit: a socket that systemd
    /// created for a service has the socket unit's cgroup.
    pub(crate) fn suffice(&self, units: bool) -> bool {
        self.is_whole && !(units && self.paths.values().any(|path| self.is_not_the_programs(path)))
    }

    /// Whether the program that holds a socket of this cgroup may be in another.
    fn is_not_the_programs(&self, path: &str) -> bool {
        is_socket_unit(path) || (self.has_v1 && path == "/")
    }

    /// Whether a process that holds the socket is needed to know its cgroup or unit.
    pub(crate) fn needs_holder(&self, socket: &Socket) -> bool {
        match socket.cgroup.and_then(|id| self.paths.get(&id)) {
            Some(path) => self.is_not_the_programs(path),
            None => socket.inode.is_some(),
        }
    }

    /// What is known of a socket's cgroup. `holders` are the cgroup paths of the processes that hold the socket;
    /// `belongs` says that the socket is some program's, and so in some cgroup.
    pub(crate) fn of<'a>(
        &'a self,
        socket: &Socket,
        belongs: bool,
        mut holders: impl Iterator<Item = &'a str>,
    ) -> Cgroup<'a> {
        // A manager that passes the socket on to a service holds it too.
        let first = holders.next();
        let service = first.into_iter().chain(holders).find(|path| !cgroup::is_manager(path));
        let program = service.or(first);
        let own = socket.cgroup.and_then(|id| self.paths.get(&id)).map(String::as_str);
        match (own, program) {
            (Some("/"), None) if self.has_v1 && belongs => {
                Cgroup { lack: Some(CgroupLack::Unresolved), ..Cgroup::at("/") }
            }
            (Some(path), program) => {
                let is_others = |holder: &&str| self.is_not_the_programs(path) && !cgroup::is_manager(holder);
                let lack = if self.is_whole { None } else { Some(CgroupLack::Hidden) };
                Cgroup { path: Some(path), holder: program.filter(is_others), lack }
            }
            (None, Some(path)) => {
                Cgroup { lack: self.is_namespaced.then_some(CgroupLack::Hidden), ..Cgroup::at(path) }
            }
            (None, None) if socket.cgroup.is_some() && self.is_whole => {
                Cgroup { lack: Some(CgroupLack::Removed), ..Cgroup::default() }
            }
            (None, None) if belongs || socket.cgroup.is_some() => {
                Cgroup { lack: Some(CgroupLack::Unresolved), ..Cgroup::default() }
            }
            (None, None) => Cgroup::default(),
        }
    }

    /// Why something is unknown.
    pub(crate) fn reason(&self, lack: CgroupLack) -> &str {
        match lack {
            CgroupLack::Unresolved => &self.reason,
            CgroupLack::Hidden => "this cgroup namespace hides what is above its root",
            CgroupLack::Removed => "the cgroup has been removed",
        }
    }
}

fn is_socket_unit(path: &str) -> bool {
    cgroup::unit(path).is_some_and(|unit| unit.ends_with(".socket"))
}

/// Whether this program is in another cgroup namespace than the initial one: paths then begin at that namespace's root.
fn is_namespaced() -> bool {
    /// `PROC_CGROUP_INIT_INO` of linux/proc_ns.h.
    const FIRST: &str = "cgroup:[4026531835]";
    // A kernel without such namespaces hides nothing.
    std::fs::read_link("/proc/self/ns/cgroup").is_ok_and(|link| link != Path::new(FIRST))
}

fn has_v1() -> bool {
    let lines = read("/proc/thread-self/cgroup").unwrap_or_default();
    lines.split(|byte| *byte == b'\n').any(|line| !line.is_empty() && !line.starts_with(b"0::"))
}

/// The path in a process's cgroup file, which has a line for each hierarchy. The v2 path comes first, then the path in
/// systemd's own v1 hierarchy, which names units, then a controller's; but `/` only if all are `/`.
pub(crate) fn of_process(text: &[u8]) -> Option<String> {
    let mut shown = String::with_capacity(text.len());
    push_lossless(&mut shown, text);
    // `0::/path`, `1:name=systemd:/path`, `4:memory:/path`
    let lines: Vec<_> = shown
        .lines()
        .filter_map(|line| {
            let mut fields = line.splitn(3, ':');
            Some((fields.next()?, fields.next()?, fields.next()?))
        })
        .collect();
    let rank = |hierarchy: &str, controllers: &str| match (hierarchy, controllers) {
        ("0", "") => 0,
        (_, "name=systemd") => 1,
        _ => 2,
    };
    let best = lines
        .iter()
        .min_by_key(|(hierarchy, controllers, path)| (*path == "/", rank(hierarchy, controllers)));
    // The kernel marks a removed cgroup.
    best.map(|(.., path)| path.strip_suffix(" (deleted)").unwrap_or(path).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, Family, TcpState};
    use proptest::prelude::*;

    #[test]
    fn the_path_of_a_process_in_each_hierarchy() {
        for (text, path) in [
            ("0::/system.slice/ssh.service\n", Some("/system.slice/ssh.service")),
            ("12:pids:/a\n1:name=systemd:/system.slice/b.service\n0::/\n", Some("/system.slice/b.service")),
            ("9:name=systemd:/\n4:memory:/docker/1:2\n0::/\n", Some("/docker/1:2")),
            ("0::/\n", Some("/")),
            ("0::/gone.service (deleted)\n", Some("/gone.service")),
            ("odd\n", None),
            ("", None),
        ] {
            assert_eq!(of_process(text.as_bytes()).as_deref(), path, "{text}");
        }
    }

    fn socket(cgroup: Option<u64>) -> Socket {
        let local = Endpoint::new("10.0.0.1".parse().unwrap(), 80);
        let peer = Endpoint::unspecified(Family::Inet);
        Socket { cgroup, inode: Some(5), ..Socket::new(Family::Inet, TcpState::Listen, local, peer) }
    }

    fn cgroups(is_whole: bool, is_namespaced: bool) -> Cgroups {
        let paths = [(1, "/"), (2, "/system.slice/ssh.socket"), (3, "/system.slice/web.service")];
        let paths = paths.map(|(id, path)| (id, path.to_owned())).into_iter().collect();
        Cgroups { paths, is_whole, is_namespaced, has_v1: false, reason: "a reason".to_owned() }
    }

    #[test]
    fn a_holder_says_what_the_number_does_not() {
        let whole = cgroups(true, false);
        let holders = ["/init.scope", "/system.slice/ssh.service"];
        let of = |cgroups: &Cgroups, id, holders: &[&str]| {
            let cgroup = cgroups.of(&socket(id), true, holders.iter().copied());
            (cgroup.path.map(str::to_owned), cgroup.unit().map(str::to_owned), cgroup.lack)
        };
        let text = |text: &str| Some(text.to_owned());
        let of_socket = |unit: &str| (text("/system.slice/ssh.socket"), text(unit), None);
        assert_eq!(of(&whole, Some(2), &holders), of_socket("ssh.service"));
        assert_eq!(of(&whole, Some(2), &holders[..1]), of_socket("ssh.socket"));
        let web = (text("/system.slice/web.service"), text("web.service"), None);
        assert_eq!(of(&whole, Some(3), &holders), web);
        assert_eq!(of(&whole, Some(9), &[]), (None, None, Some(CgroupLack::Removed)));
        assert_eq!(of(&whole, None, &[]), (None, None, Some(CgroupLack::Unresolved)));
        let ssh = "/system.slice/ssh.service";
        assert_eq!(of(&whole, Some(9), &holders), (text(ssh), text("ssh.service"), None));
        let hidden = Some(CgroupLack::Hidden);
        assert_eq!(of(&cgroups(false, true), Some(1), &[]), (text("/"), None, hidden));
        assert_eq!(of(&cgroups(false, true), None, &holders), (text(ssh), text("ssh.service"), hidden));
    }

    #[test]
    fn beside_v1_the_root_says_nothing() {
        let beside = Cgroups { has_v1: true, ..cgroups(true, false) };
        let of = |holders: &[&str]| {
            let cgroup = beside.of(&socket(Some(1)), true, holders.iter().copied());
            (cgroup.unit().map(str::to_owned), cgroup.lack)
        };
        assert_eq!(of(&["/system.slice/ssh.service"]), (Some("ssh.service".to_owned()), None));
        assert_eq!(of(&["/"]), (None, None));
        assert_eq!(of(&[]), (None, Some(CgroupLack::Unresolved)));
        let orphan = Socket { inode: None, ..socket(Some(1)) };
        assert_eq!(beside.of(&orphan, false, [].into_iter()), Cgroup::at("/"));
        assert!(!beside.suffice(true) && beside.suffice(false));
    }

    #[test]
    fn what_has_no_program_is_in_no_cgroup() {
        let of_kernel = Socket { inode: None, ..socket(None) };
        assert_eq!(cgroups(true, false).of(&of_kernel, false, [].into_iter()), Cgroup::default());
    }

    #[test]
    fn socket_units_need_their_holders() {
        assert!(!cgroups(true, false).suffice(true) && cgroups(true, false).suffice(false));
        assert!(!cgroups(false, false).suffice(false));
    }

    proptest! {
        #[test]
        fn any_file_is_read(bytes: Vec<u8>) {
            let _ = of_process(&bytes);
        }
    }
}
