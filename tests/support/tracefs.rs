//! The kernel's tracing file system, and a recording of a test's own to compare a trace with.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

/// Tracefs, mounted at no path.
pub(crate) struct Tracefs(OwnedFd);

impl Tracefs {
    /// Mounts it; the error says why that is not possible here.
    pub(crate) fn mount() -> Result<Self, String> {
        let mount = || {
            let context = fsopen("tracefs", FsOpenFlags::FSOPEN_CLOEXEC)?;
            fsconfig_create(&context)?;
            fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
        };
        mount().map(Self).map_err(|error| format!("cannot mount tracefs: {error}"))
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{file}", self.0.as_raw_fd()))
    }

    /// The content of a file in it.
    pub(crate) fn read(&self, file: &str) -> String {
        let mut opened =
            File::open(self.path(file)).unwrap_or_else(|error| panic!("cannot open {file}: {error}"));
        // Some of its files answer one read only: that asks for all.
        let (mut text, mut piece) = (Vec::new(), vec![0; 1 << 20]);
        loop {
            match opened.read(&mut piece) {
                Ok(0) => return String::from_utf8_lossy(&text).into_owned(),
                Ok(len) => text.extend_from_slice(&piece[..len]),
                Err(error) => panic!("cannot read {file}: {error}"),
            }
        }
    }

    /// Writes a setting.
    pub(crate) fn write(&self, file: &str, value: &str) {
        fs::write(self.path(file), value)
            .unwrap_or_else(|error| panic!("cannot write {value} to {file}: {error}"));
    }
}

/// A recording of transitions, removed with this value.
pub(crate) struct Recording<'a> {
    tracefs: &'a Tracefs,
    name: String,
}

/// A recorded transition: ports, old and new state, as the kernel names these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) local_port: u16,
    pub(crate) peer_port: u16,
    pub(crate) old: String,
    pub(crate) new: String,
}

impl<'a> Recording<'a> {
    /// Records the transitions that fit an event filter.
    pub(crate) fn start(tracefs: &'a Tracefs, filter: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("instances/test-{}-{number}", std::process::id());
        fs::create_dir(tracefs.path(&name)).expect("an instance can be made");
        let recording = Self { tracefs, name };
        let event = "events/sock/inet_sock_set_state";
        for (file, value) in [
            ("trace_clock", "mono"),
            ("buffer_size_kb", "4096"),
            (&format!("{event}/filter"), filter),
            (&format!("{event}/enable"), "1"),
        ] {
            tracefs.write(&format!("{}/{file}", recording.name), value);
        }
        recording
    }

    /// What was recorded so far; all of it.
    pub(crate) fn transitions(&self) -> Vec<Recorded> {
        let text = self.tracefs.read(&format!("{}/trace", self.name));
        assert!(!text.contains("LOST"), "the test's own recording is incomplete");
        text.lines().filter_map(transition).collect()
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        let removed: io::Result<()> = fs::remove_dir(self.tracefs.path(&self.name));
        if !std::thread::panicking() {
            removed.expect("nobody else uses the instance");
        }
    }
}

/// `… inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP sport=… dport=… … oldstate=TCP_… newstate=TCP_…`
fn transition(line: &str) -> Option<Recorded> {
    let (_, fields) = line.split_once(" inet_sock_set_state: ")?;
    let field = |name: &str| {
        fields
            .split(' ')
            .find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
            .expect("it has the field")
    };
    let state = |name| field(name).strip_prefix("TCP_").expect("a state of TCP").to_owned();
    Some(Recorded {
        local_port: field("sport").parse().expect("a port"),
        peer_port: field("dport").parse().expect("a port"),
        old: state("oldstate"),
        new: state("newstate"),
    })
}
