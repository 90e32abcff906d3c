//! Where the output goes: a full disk, a reader that leaves, a terminal.

use std::fs::File;
use std::io::Read as _;
use std::process::Stdio;

use crate::support::namespace;
use crate::support::run::{PROGRAM, command, finish, tcpstates};
use crate::support::zoo;

const FORMATS: [&str; 7] = ["table", "plain", "netstat", "ss", "json", "ndjson", "csv"];

#[test]
fn a_full_disk_is_an_error() {
    let Some(zoo) = zoo() else { return };
    for args in
        FORMATS.map(|format| vec!["-nat", "-f", format]).into_iter().chain([vec!["-s"], vec!["--help"]])
    {
        let output = zoo.namespace().inside(|| {
            let full = File::options().write(true).open("/dev/full").expect("there is /dev/full");
            tcpstates(&args).stdout(full).stderr(Stdio::piped()).output().expect("it runs")
        });
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            stderr, "tcpstates: write the output: No space left on device (os error 28)\n",
            "{args:?}"
        );
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let Some(zoo) = zoo() else { return };
    for format in FORMATS {
        let (status, stderr) = zoo.namespace().inside(|| {
            let mut command = tcpstates(&["-nato", "-f", format]);
            let (reader, writer) = std::io::pipe().expect("a pipe can be had");
            drop(reader);
            let mut child = command.stdout(writer).stderr(Stdio::piped()).spawn().expect("it runs");
            let mut stderr = String::new();
            child.stderr.take().expect("it was piped").read_to_string(&mut stderr).expect("it can be read");
            (child.wait().expect("it ends"), stderr)
        });
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{format}");
    }
}

#[test]
fn a_terminal_gets_a_table_of_its_width() {
    let Some(zoo) = zoo() else { return };
    let screen = zoo.namespace().inside(|| {
        let mut command = std::process::Command::new(PROGRAM);
        command.args(["-nat"]).env_remove("NO_COLOR").env("TERM", "xterm-256color");
        let mut session =
            rexpect::session::spawn_command(command, Some(5_000)).expect("a terminal can be had");
        session.exp_eof().expect("it ends")
    });
    assert!(screen.contains("Peer Address"), "{screen}");
    assert!(screen.contains('\u{1b}'), "no colour: {screen}");
    let longest = screen.lines().map(visible_width).max();
    assert!(longest <= Some(80), "{longest:?} columns");
}

/// The characters that are no escape sequence.
fn visible_width(line: &str) -> usize {
    let mut rest = line.trim_end_matches('\r');
    let mut width = 0;
    while let Some(c) = rest.chars().next() {
        if c == '\u{1b}' {
            let end = rest.find('m').expect("a sequence ends");
            rest = &rest[end + 1..];
        } else {
            width += 1;
            rest = &rest[c.len_utf8()..];
        }
    }
    width
}

#[test]
fn colour_is_chosen_by_option_then_environment() {
    let Some(namespace) = namespace() else { return };
    let coloured = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = tcpstates(&[&["-f", "table"], args].concat());
        command.envs(variables.iter().copied());
        namespace.inside(|| finish(command)).quiet().contains('\u{1b}')
    };
    assert!(!coloured(&[], &[]), "a pipe has no colour");
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[], &[("CLICOLOR_FORCE", "0")]));
    assert!(!coloured(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!coloured(&["--color=never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn an_empty_list_has_its_heading_and_its_document() {
    let Some(namespace) = namespace() else { return };
    assert_eq!(namespace.tcpstates(&["-nat"]).lines().count(), 1);
    assert_eq!(namespace.tcpstates(&["-nat", "--ndjson"]), "");
    let document: serde_json::Value = serde_json::from_str(&namespace.tcpstates(&["--json"])).unwrap();
    assert_eq!(document["sockets"], serde_json::json!([]));
    assert_eq!(namespace.tcpstates(&["-s"]).lines().count(), 11);
}

/// Two hundred thousand sockets in less memory than they would take: nothing is held but counters and one page.
#[test]
fn memory_does_not_grow_with_the_sockets() {
    const LINES: u32 = 200_000;
    const LIMIT_KIB: u32 = 20 * 1024;
    let tree = tempfile::tempdir().expect("a folder can be had");
    let rows: Vec<_> = (0..LINES)
        .map(|line| {
            let port = 1024 + line % 60_000;
            format!(
                "{line:4}: 0100007F:{port:04X} 0200007F:01BB 01 00000000:00000000 00:00000000 00000000  1000        0 {line}\n"
            )
        })
        .collect();
    std::fs::create_dir(tree.path().join("net")).expect("a folder can be made");
    std::fs::write(tree.path().join("net/tcp"), rows.concat()).expect("it can be written");
    let limited = |args: &[&str]| {
        let mut shell = command("sh");
        shell.args(["-c", &format!("ulimit -v {LIMIT_KIB} && exec \"$0\" \"$@\""), PROGRAM]);
        shell.args(["--proc-root"]).arg(tree.path()).args(args);
        let mut child = shell.stdout(Stdio::piped()).spawn().expect("it runs");
        let read = std::io::copy(&mut child.stdout.take().expect("it was piped"), &mut std::io::sink());
        (child.wait().expect("it ends").success(), read.expect("it can be read"))
    };
    for format in ["plain", "ndjson", "json", "csv", "netstat", "ss"] {
        let (success, bytes) = limited(&["-nat", "-f", format]);
        assert!(success && bytes > u64::from(LINES) * 50, "{format}: {bytes} bytes");
    }
    assert!(limited(&["--summary"]).0);
    // The limit is one that a held list passes, and for want of memory.
    let mut shell = command("sh");
    shell.args(["-c", &format!("ulimit -v {LIMIT_KIB} && exec \"$0\" \"$@\""), PROGRAM]);
    let output =
        shell.args(["-nat", "--sort", "local", "--proc-root"]).arg(tree.path()).output().expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && stderr.contains("memory allocation"), "{stderr}");
}
