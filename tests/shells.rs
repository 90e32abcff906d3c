//! The completions, typed into the real shells on a terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rexpect::session::PtySession;

use crate::support::has;
use crate::support::run::PROGRAM;

/// What is typed before a tab, and the last word afterwards.
const CASES: [(&str, &str); 22] = [
    ("demo h", "handshake"),
    ("explain est", "established"),
    ("explain close-", "close-wait"),
    ("state est", "established"),
    ("-n exclude time", "time-wait"),
    ("state = est", "established"),
    ("trace --state time", "time-wait"),
    ("trace --state=time", "--state=time-wait"),
    ("trace --state listen,time", "listen,time-wait"),
    ("diagnose --filter", "--filter"),
    ("diagnose --interv", "--interval"),
    ("diagnose --fail-on crit", "critical"),
    ("diag", "diagnose"),
    ("autob", "autobound"),
    ("--columns backl", "backlog"),
    ("--sort state,backl", "state,backlog"),
    ("--sort=-backl", "--sort=-backlog"),
    ("--count-by process,local-p", "process,local-port"),
    ("-nf nets", "netstat"),
    ("--filter-f", "--filter-file"),
    ("process zz-comple", "zz-completed"),
    ("state established and sport", "sport"),
];

/// A folder with the program's name in it, as a script that prints its words unless completions ask it; and a program
/// that runs while the folder is kept.
struct Stage {
    folder: tempfile::TempDir,
    running: Child,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let script = folder.path().join("tcpstates");
        let text = format!(
            "#!/bin/sh\nif [ \"$1\" = generate ]; then exec '{PROGRAM}' \"$@\"; fi\nprintf '<%s>' \"$@\"\necho\n"
        );
        fs::write(&script, text).expect("it can be written");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it is ours");
        let named = folder.path().join("zz-completed");
        // The program that has this name may be one file with many names, such as busybox: the shell is not.
        fs::copy("/bin/bash", &named).expect("it can be copied");
        let mut command = Command::new(named);
        command.args(["--norc", "-c", "read -r line"]).stdin(Stdio::piped());
        Self { running: command.spawn().expect("it runs"), folder }
    }

    /// The shell, ready to be typed into.
    fn shell(&self, program: &str, args: &[&str], script: &str) -> PtySession {
        let folder = self.folder.path();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command.args(args).env_clear().env("HOME", folder).env("TERM", "dumb").env("LC_ALL", "C.UTF-8");
        command.env("PATH", format!("{}:{path}", folder.display())).current_dir(folder);
        let mut session =
            rexpect::session::spawn_command(command, Some(20_000)).expect("a terminal can be had");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(script);
        // The quotes make the echo of the typed line differ from the text that the test waits for.
        session
            .send_line(&format!(
                "{}. '{}'; echo re''ady",
                if program == "zsh" { "autoload -U compinit; compinit -u -D; " } else { "" },
                script.display()
            ))
            .expect("it reads");
        session.exp_string("ready\r\n").expect("it is ready");
        session
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.running.kill();
        let _ = self.running.wait();
    }
}

#[track_caller]
fn completes(program: &str, args: &[&str], script: &str) {
    if !has(program) {
        return;
    }
    let stage = Stage::new();
    fs::write(stage.folder.path().join("zz-filter"), "").expect("it can be written");
    let mut shell = stage.shell(program, args, script);
    let paths = [("--filter-file zz-f", "zz-filter"), ("--filter-file=zz-f", "--filter-file=zz-filter")];
    for (typed, last) in CASES.into_iter().chain(paths) {
        let mut words: Vec<_> = typed.split_whitespace().collect();
        words.pop();
        words.push(last);
        let expected = words.iter().map(|word| format!("<{word}>")).collect::<Vec<_>>().concat();
        shell.send(&format!("tcpstates {typed}\t")).expect("it reads");
        shell.send("\r").expect("it reads");
        shell.flush().expect("it reads");
        if let Err(error) = shell.exp_string(&expected) {
            panic!("{program}: '{typed}' does not give {expected}: {error}");
        }
    }
}

#[test]
fn bash_completes_words() {
    completes("bash", &["--norc", "--noprofile", "-i"], "tcpstates.bash");
}

#[test]
fn zsh_completes_words() {
    completes("zsh", &["-f", "-i"], "_tcpstates");
}

#[test]
fn fish_completes_words() {
    completes("fish", &["--no-config", "-i"], "tcpstates.fish");
}
