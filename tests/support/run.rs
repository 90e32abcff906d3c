//! Runs the program, or another beside it, with a clean environment. A finished run must be looked at whole: its
//! status always, and its stderr unless it is said to be of no matter.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tcpstates::internals::kernel::host::lists_idle;

use super::namespace::Namespace;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tcpstates");

/// A command with nothing of this process's environment but the path.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C");
    command.stdin(Stdio::null());
    command
}

/// The program with these words.
pub(crate) fn tcpstates(args: &[&str]) -> Command {
    let mut command = command(PROGRAM);
    command.args(args);
    command
}

/// The program with these words, and with the usual action at every signal: one that this process ignores, as SIGHUP below
/// nohup or SIGINT in the background of a script, would be ignored there too.
pub(crate) fn tcpstates_at_all_signals(args: &[&str]) -> Command {
    let mut command = command("env");
    command.args(["--default-signal", PROGRAM]).args(args);
    command
}

/// The program where every user may run it, for as long as the folder is kept.
pub(crate) fn program_for_everybody() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder can be had");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let program = folder.path().join("tcpstates");
    // A file that was just written can't be run while another test's child has it open still.
    fs::hard_link(PROGRAM, &program)
        .or_else(|_| fs::copy(PROGRAM, &program).map(drop))
        .expect("it can be put there");
    (folder, program)
}

/// The program run by a user who may start no thread, for as long as the folder is kept.
pub(crate) fn without_threads() -> Option<(tempfile::TempDir, Command)> {
    if !super::has("setpriv") || !super::has("prlimit") {
        return None;
    }
    let (folder, program) = program_for_everybody();
    let mut setpriv = command("setpriv");
    setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups", "prlimit", "--nproc=0"]).arg(program);
    Some((folder, setpriv))
}

/// What a run printed.
pub(crate) struct Finished {
    shown: String,
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs it to its end.
pub(crate) fn finish(mut command: Command) -> Finished {
    let shown = format!("{command:?}");
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {shown}: {error}"));
    finished(shown, output)
}

fn finished(shown: String, output: Output) -> Finished {
    Finished {
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap_or_else(|_| panic!("{shown}: stdout is not UTF-8")),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        shown,
    }
}

impl Finished {
    /// Done, and nothing on stderr.
    #[track_caller]
    pub(crate) fn quiet(self) -> String {
        assert_eq!((self.status, self.stderr.as_str()), (Some(0), ""), "{}", self.shown);
        self.stdout
    }

    /// Done; that a process of this machine may not be read, or that the kernel lists no idle sockets, is of no matter.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        let told = self.stderr.lines().next().unwrap_or_default();
        let idle = !lists_idle() && told.contains("does not list sockets that are bound and idle");
        let of_no_matter = told.is_empty() || told.ends_with("permission denied") || idle;
        assert!(of_no_matter, "{}: {}", self.shown, self.stderr);
        assert_eq!(self.status, Some(0), "{}: {}", self.shown, self.stderr);
        self.stdout
    }

    /// Done, with notes on stderr.
    #[track_caller]
    pub(crate) fn noted(self) -> (String, String) {
        assert_eq!(self.status, Some(0), "{}: {}", self.shown, self.stderr);
        assert!(!self.stderr.is_empty(), "{}: no note", self.shown);
        (self.stdout, self.stderr)
    }

    /// Failed with this status, nothing on stdout.
    #[track_caller]
    pub(crate) fn failed(self, status: i32) -> String {
        assert_eq!(
            (self.status, self.stdout.as_str()),
            (Some(status), ""),
            "{}: {}",
            self.shown,
            self.stderr
        );
        self.stderr
    }
}

impl Namespace {
    /// The program inside, done and without notes.
    #[track_caller]
    pub(crate) fn tcpstates(&self, args: &[&str]) -> String {
        self.run(args).quiet()
    }

    /// The program inside, however it ends.
    pub(crate) fn run(&self, args: &[&str]) -> Finished {
        self.inside(|| finish(tcpstates(args)))
    }

    /// Another program inside.
    #[track_caller]
    pub(crate) fn other(&self, program: &str, args: &[&str]) -> String {
        let mut command = command(program);
        command.args(args);
        self.inside(|| finish(command)).quiet()
    }
}

/// Waits for a program that must end soon.
#[track_caller]
pub(crate) fn await_end_of(child: &mut Child) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while child.try_wait().expect("it can be waited for").is_none() {
        if Instant::now() > deadline {
            child.kill().expect("it can be killed");
            panic!("it did not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
