//! cgroup paths by the number that the kernel gives: the inode of the cgroup's folder.

use std::ffi::OsStr;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::Path;

use procfs::process::Process;
use rustc_hash::FxHashMap;

/// The number of a cgroup by its path below the mount of the v2 tree, or by its whole path.
pub fn cgroup_id(path: &str) -> Option<u64> {
    let mount = mount_point()?;
    let whole = Path::new(path);
    let folder =
        if whole.starts_with(&mount) { whole.to_owned() } else { mount.join(path.trim_start_matches('/')) };
    let meta = folder.metadata().ok().filter(std::fs::Metadata::is_dir)?;
    Some(meta.ino())
}

/// The paths of the cgroup v2 tree, read once.
#[derive(Debug, Default)]
pub struct Cgroups {
    paths: FxHashMap<u64, String>,
}

impl Cgroups {
    /// The tree that is mounted here; empty where none is. Folders that come and go meanwhile are no error.
    pub fn of_host() -> Self {
        let mut cgroups = Self::default();
        if let Some(mount) = mount_point() {
            cgroups.read(&mount);
        }
        cgroups
    }

    /// The path below the mount, `/` for the root.
    pub fn path(&self, id: u64) -> Option<&str> {
        self.paths.get(&id).map(String::as_str)
    }

    fn read(&mut self, mount: &Path) {
        if let Ok(meta) = mount.metadata() {
            self.paths.insert(meta.ino(), "/".to_owned());
        }
        let mut folders = vec![mount.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    let path = entry.path();
                    let below = path.strip_prefix(mount).unwrap_or(&path);
                    self.paths.insert(entry.ino(), format!("/{}", below.display()));
                    folders.push(path);
                }
            }
        }
    }
}

fn mount_point() -> Option<std::path::PathBuf> {
    let mounts = Process::myself().ok()?.mountinfo().ok()?;
    mounts.into_iter().find(|mount| OsStr::new(&mount.fs_type) == "cgroup2").map(|mount| mount.mount_point)
}
