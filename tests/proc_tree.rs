//! Other proc trees, and lines in them that are no sockets.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, mkfifoat};
use tempfile::TempDir;

use crate::support::run::{Finished, finish, program_for_everybody, tcpstates};

const HEADING: &str =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

fn row(number: u32, port: u16) -> String {
    format!(
        "{number:4}: 0100007F:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 \
         {number}\n"
    )
}

fn tree(files: &[(&str, &str)]) -> TempDir {
    let tree = tempfile::tempdir().expect("a folder can be had");
    for (path, text) in files {
        let path = tree.path().join(path);
        fs::create_dir_all(path.parent().expect("it is below the tree")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }
    tree
}

fn list(root: &Path, args: &[&str]) -> Finished {
    let root = root.to_str().expect("a plain path");
    finish(tcpstates(&[&["-natH", "--proc-root", root], args].concat()))
}

#[test]
fn garbage_is_a_counted_gap_and_loses_no_line() {
    let text =
        [HEADING, &row(1, 80), "garbage\n", &row(2, 81), "  3: 0100007F:XYZ\n", "\n", &row(4, 82)].concat();
    let tree = tree(&[("net/tcp", &text)]);
    let (stdout, stderr) = list(tree.path(), &[]).noted();
    let ports: Vec<_> = stdout.lines().map(|line| line.split_whitespace().nth(3).unwrap()).collect();
    assert_eq!(ports, ["127.0.0.1:80", "127.0.0.1:81", "127.0.0.1:82"]);
    let file = tree.path().join("net/tcp");
    let expected = format!(
        "tcpstates: {}: 3 lines could not be read (lines 3, 5, 6): bad line number\n",
        file.display()
    );
    assert_eq!(stderr, expected);

    let (json, _) = list(tree.path(), &["--json"]).noted();
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["source"], "procfs");
    assert_eq!(document["sockets"].as_array().map(Vec::len), Some(3));
    assert_eq!(document["warnings"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_first_process_comes_before_a_plain_folder() {
    let tables = [[HEADING, &row(1, 80)].concat(), [HEADING, &row(1, 81)].concat()];
    let both = tree(&[("1/net/tcp", &tables[0]), ("net/tcp", &tables[1])]);
    assert!(list(both.path(), &[]).quiet().contains(":80 "));
    let plain = tree(&[("net/tcp", &tables[1])]);
    assert!(list(plain.path(), &[]).quiet().contains(":81 "));
}

#[test]
fn a_tree_without_tables_is_an_error() {
    let empty = tree(&[]);
    let stderr = list(empty.path(), &[]).failed(1);
    assert!(stderr.contains("no TCP tables there"), "{stderr}");

    // In a live tree net is a link to self/net: the reader's own.
    let link = tree(&[("self/net/tcp", HEADING), ("thread-self/net/tcp", HEADING)]);
    symlink("self/net", link.path().join("net")).expect("a link can be made");
    let stderr = list(link.path(), &[]).failed(1);
    assert!(stderr.contains("no TCP tables there"), "{stderr}");

    let stderr = list(Path::new("/nowhere"), &[]).failed(1);
    assert!(stderr.contains("/nowhere"), "{stderr}");
}

#[test]
fn what_is_no_table_is_an_error() {
    let empty = tree(&[("net/tcp", "")]);
    for args in [&["-s"][..], &[]] {
        let stderr = list(empty.path(), args).failed(1);
        assert!(stderr.ends_with("net/tcp: the file is empty\n"), "{stderr}");
    }
    let folder = tree(&[("net/tcp/x", "")]);
    let stderr = list(folder.path(), &[]).failed(1);
    assert!(stderr.ends_with("net/tcp: is a directory\n"), "{stderr}");
    let letter = tree(&[("net/tcp", "Dear reader,\nthere is no socket here.\n")]);
    assert!(list(letter.path(), &[]).failed(1).ends_with("net/tcp: not a table of sockets\n"));
}

/// A hostile tree: no file in it blocks the program, and none is read without end.
#[test]
fn a_table_that_has_no_end_is_an_error() {
    let leading_to = |target: &str| {
        let tree = tree(&[("net/x", "")]);
        symlink(target, tree.path().join("net/tcp")).expect("a link can be made");
        tree
    };
    let failed = |tree: &TempDir, told: &str| {
        let begun = Instant::now();
        let stderr = list(tree.path(), &[]).failed(1);
        assert!(stderr.contains("net/tcp: ") && stderr.contains(told), "{stderr}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    };
    failed(&leading_to("/dev/zero"), "not a regular file");
    let pipe = tree(&[("net/x", "")]);
    mkfifoat(CWD, pipe.path().join("net/tcp"), Mode::RUSR).expect("a pipe can be made");
    failed(&pipe, "not a regular file");
    // The kernel's messages: a read waits for the next one.
    if fs::File::open("/proc/kmsg").is_ok() {
        failed(&leading_to("/proc/kmsg"), "");
    } else {
        crate::support::skip("/proc/kmsg may not be opened here");
    }
    // A sparse file of terabytes, without a line break.
    let long = tree(&[("net/tcp", "")]);
    let table = fs::OpenOptions::new().write(true).open(long.path().join("net/tcp")).expect("it is ours");
    match table.set_len(8 << 40) {
        Ok(()) => failed(&long, "file too large"),
        Err(error) => crate::support::skip(&format!("no file of 8 TiB can be made: {error}")),
    }
}

#[test]
fn a_line_without_end_is_one_bad_line() {
    let long = "x".repeat(1 << 20);
    let tree = tree(&[("net/tcp", &[HEADING, &row(1, 80), &long, "\n", &row(2, 81)].concat())]);
    let (stdout, stderr) = list(tree.path(), &[]).noted();
    assert_eq!(stdout.lines().count(), 2);
    assert!(stderr.contains("1 line could not be read (line 3)"), "{stderr}");
}

#[test]
fn what_may_not_be_seen_is_not_passed_over() {
    if !crate::support::has("setpriv") {
        return;
    }
    let table = [HEADING, &row(1, 80)].concat();
    let tree = tree(&[("1/net/tcp", &table), ("net/tcp", &table)]);
    let (_folder, program) = program_for_everybody();
    let mode =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    mode(tree.path(), 0o755);
    mode(&tree.path().join("1/net"), 0o700);
    let mut setpriv = crate::support::run::command("setpriv");
    setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
    setpriv.args(["-nat", "--proc-root"]).arg(tree.path());
    let stderr = finish(setpriv).failed(1);
    assert!(stderr.ends_with("1/net/tcp: Permission denied (os error 13)\n"), "{stderr}");
    assert_eq!(stderr.matches("Permission denied").count(), 1, "{stderr}");
}

#[test]
fn one_table_that_fails_does_not_undo_the_other() {
    let tree = tree(&[("net/tcp", &[HEADING, &row(1, 80)].concat()), ("net/tcp6/x", "")]);
    let (stdout, stderr) = list(tree.path(), &[]).noted();
    assert_eq!(stdout.lines().count(), 1);
    assert!(stderr.ends_with("net/tcp6 could not be read: is a directory\n"), "{stderr}");
    assert!(list(tree.path(), &["-6"]).failed(1).ends_with("net/tcp6: is a directory\n"));
}

#[test]
fn no_ipv6_is_no_error() {
    let tree = tree(&[("net/tcp", &[HEADING, &row(1, 80)].concat())]);
    assert_eq!(list(tree.path(), &["-6"]).quiet(), "");
    assert_eq!(list(tree.path(), &[]).quiet().lines().count(), 1);
}

#[test]
fn every_number_of_a_state_is_kept() {
    let rows: String =
        (1..=14).map(|state| row(state, 80).replacen(" 0A ", &format!(" {state:02X} "), 1)).collect();
    let tree = tree(&[("net/tcp", &[HEADING, &rows].concat())]);
    let states: Vec<_> = list(tree.path(), &[])
        .quiet()
        .lines()
        .map(|line| line.split_whitespace().nth(5).unwrap().to_owned())
        .collect();
    assert_eq!(
        states,
        [
            "ESTABLISHED",
            "SYN_SENT",
            "SYN_RECV",
            "FIN_WAIT1",
            "FIN_WAIT2",
            "TIME_WAIT",
            "CLOSED",
            "CLOSE_WAIT",
            "LAST_ACK",
            "LISTEN",
            "CLOSING",
            "SYN_RECV",
            "CLOSED",
            "UNKNOWN(14)"
        ]
    );
    let summary = list(tree.path(), &["-s"]).quiet();
    assert!(summary.ends_with("TIME_WAIT 1\nCLOSED 2\nUNKNOWN(14) 1\n"), "{summary}");
}

#[test]
fn what_proc_does_not_tell_is_said() {
    let tree = tree(&[("net/tcp", &[HEADING, &row(1, 80)].concat())]);
    let (json, stderr) = list(tree.path(), &["--json", "-im"]).noted();
    assert!(stderr.contains("/proc does not have"), "{stderr}");
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["sockets"][0]["tcp_info"], serde_json::Value::Null);
    assert!(document["sockets"][0].as_object().unwrap().contains_key("tcp_info"));
    for (args, what) in [
        (&["-im"][..], "connection numbers, buffer memory"),
        (&["-e"], "cookies, marks"),
        (&["--columns", "state,cookie,unit,rtt"], "cookie, connection numbers"),
    ] {
        let args = [&["--proc-root", tree.path().to_str().unwrap()], args].concat();
        let (_, stderr) = finish(tcpstates(&args)).noted();
        assert_eq!(
            stderr.lines().next(),
            Some(&*format!("tcpstates: /proc does not have: {what}")),
            "{args:?}"
        );
    }
    list(tree.path(), &["--columns", "state,inode"]).quiet();
    let told = list(tree.path(), &["--count-by", "iface"]).failed(1);
    assert_eq!(told, "tcpstates: '--count-by iface' needs data that /proc does not have\n");
}
