//! Words that can't be understood, and those that people type by habit.

use crate::support::namespace;
use crate::support::run::{finish, tcpstates};

/// The message of a refused command line; nothing is on stdout.
#[track_caller]
fn refused(args: &[&str]) -> String {
    finish(tcpstates(args)).failed(2)
}

#[test]
fn bad_options_are_named_with_what_is_accepted() {
    for (args, message) in [
        (&["-u"][..], "-u: only TCP sockets are shown here\nhint: ss -u shows them; -t shows TCP sockets"),
        (&["--sort", "size"], "--sort: 'size' is not a field\nhint: --sort help lists them"),
        (&["--sort", "-recvqq"], "--sort: '-recvqq' is not a field\nhint: did you mean 'recvq'?"),
        (
            &["--columns", "bytes-recieved"],
            "--columns: 'bytes-recieved' is not a field\nhint: did you mean 'bytes-received'?",
        ),
        (&["--sort"], "--sort needs a value\nhint: see tcpstates --help"),
        (
            &["-f", "xml"],
            "invalid value 'xml' for --format: expected one of table, plain, netstat, ss, json, ndjson, csv\nhint: see tcpstates --help",
        ),
        (
            &["--limit", "few"],
            "invalid value 'few' for --limit: expected a whole number\nhint: see tcpstates --help",
        ),
        (
            &["-c=0"],
            "invalid value '0' for --continuous: expected seconds (0.001 to 31536000)\nhint: see tcpstates --help",
        ),
        (&["--sumary"], "'--sumary' is not an option of tcpstates\nhint: did you mean '--summary'?"),
        (
            &["--limit", "-1"],
            "invalid value '-1' for --limit: expected a whole number\nhint: see tcpstates --help",
        ),
        (&["--limit"], "--limit needs a value\nhint: see tcpstates --help"),
        (&["-s", "-f", "ss"], "--summary: the ss layout has no such table"),
        (&["-s", "--sort", "state"], "--sort cannot be combined with --summary"),
        (&["--filter-file", "/dev/zero"], "--filter-file: /dev/zero: it is longer than 1048576 bytes"),
        (&["-i", "-f", "netstat"], "-i is not available in the netstat layout"),
        (
            &["--proc-root", "/x", "--source", "netlink"],
            "--proc-root: another proc tree can't be read with --source netlink",
        ),
        (&[":80", "generate", "man"], "':80' cannot come before 'generate'"),
        (&["-a", "generate", "man"], "--all is an option of the list and must come after 'generate'"),
    ] {
        assert_eq!(refused(args), format!("tcpstates: {message}\n"), "{args:?}");
    }
}

#[test]
fn bad_filter_words_are_pointed_at_with_what_may_be_meant() {
    const ENDPOINTS: &str =
        "accepted are ADDR[/LEN][:PORT] and :PORT, with an IPv6 address before a port in brackets";
    for (args, message, hint) in [
        (&["lisen"][..], "'lisen' is neither a filter word nor an address", "did you mean 'state LISTEN'?"),
        (&["stat", "listen"], "'stat' is neither a filter word nor an address", "did you mean 'state'?"),
        (
            &["-c", "0.5"],
            "'0.5' is not an address or port: '0.5' is not a numeric IPv4 or IPv6 address",
            "write -c=0.5",
        ),
        (&["-c", "2"], "'2' is neither a filter word nor an address", "write -c=2"),
        (&["state", "listn"], "'listn' is not a TCP state", "did you mean 'LISTEN'?"),
        (
            &[":99999"],
            "':99999' is not an address or port: '99999' is not a port number from 0 to 65535",
            ENDPOINTS,
        ),
        (
            &["10.0.0.0/33"],
            "'10.0.0.0/33' is not an address or port: '33' is not a prefix length from 0 to 32",
            ENDPOINTS,
        ),
    ] {
        let stderr = refused(args);
        let lines: Vec<_> = stderr.lines().collect();
        assert_eq!(lines[0], format!("tcpstates: filter: {message}"));
        assert_eq!(lines[3], format!("hint: {hint}"));
        // The carets are under the word.
        let carets = lines[2].trim_start();
        let start = lines[2].len() - carets.len();
        let word = message.split('\'').nth(1).unwrap();
        assert_eq!((&lines[1][start..][..carets.len()], carets.trim_matches('^')), (word, ""), "{stderr}");
    }
}

#[test]
fn words_that_are_no_text_are_named_safely() {
    use std::os::unix::ffi::OsStrExt as _;
    let mut command = tcpstates(&[]);
    command.arg(std::ffi::OsStr::from_bytes(b"a\xff"));
    assert_eq!(finish(command).failed(2), "tcpstates: 'a\\xff' is not UTF-8\n");
    for args in
        [&["a\u{1b}[31mb"][..], &["state", "\u{1b}c"], &["--sort", "\u{1b}c"], &["--proc-root", "/\u{1b}c"]]
    {
        let finished = finish(tcpstates(args));
        assert!(!finished.stderr.is_empty() && !finished.stderr.contains('\u{1b}'), "{:?}", finished.stderr);
    }
}

#[test]
fn a_state_that_is_missing_lists_them() {
    let message = refused(&["state"]);
    let expected = "tcpstates: filter: 'state' needs the name of a state behind it\n    state\n    ^^^^^\nhint: accepted are LISTEN, ";
    assert!(message.starts_with(expected), "{message}");
}

#[test]
fn what_people_type_by_habit() {
    let Some(namespace) = namespace() else { return };
    for args in [
        &["-nat"][..],
        &["-tlnp46"],
        &["-natep"],
        &["-natpoeim"],
        &["-4", "-4", "-n", "-n"],
        &["-pp"],
        &["--json", "--json"],
        &["--processes", "--program"],
        &["--listening", "--numeric", "--tcp"],
        &["-tWO"],
        &["--sort", "-recv-q,local"],
        &["--sort=state", "--sort=pid"],
        &["--color=always", "--color", "never"],
        &["state", "listen", "state", "time-wait"],
        &["state listen", "exclude big"],
        &["[::1]:80"],
        &["*:80"],
    ] {
        namespace.tcpstates(args);
    }
    let (_, note) = namespace.run(&["-tulpn"]).noted();
    assert_eq!(note, "tcpstates: -u: only TCP sockets are shown here\n");
}

#[test]
fn the_last_layout_wins() {
    let Some(namespace) = namespace() else { return };
    assert!(namespace.tcpstates(&["-f", "csv", "--json"]).starts_with('{'));
    assert!(namespace.tcpstates(&["--json", "-f", "csv"]).starts_with("protocol,"));
    assert_eq!(namespace.tcpstates(&["--json", "--ndjson"]), "");
    assert!(namespace.tcpstates(&["--ndjson", "--json"]).starts_with('{'));
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = finish(tcpstates(&["--help"])).quiet();
    assert!(help.contains("Usage: tcpstates [OPTIONS] [FILTER]..."), "{help}");
    assert!(!help.contains("generate"), "the hidden command is not shown");
    let version = finish(tcpstates(&["--version"])).quiet();
    assert_eq!(version, format!("tcpstates {}\n", env!("CARGO_PKG_VERSION")));
    assert!(!finish(tcpstates(&["-h"])).quiet().is_empty());
}

#[test]
fn words_of_other_programs_are_understood_or_said_to_be_theirs() {
    for args in [
        &["--pid", "1"][..],
        &["--port=80"],
        &["-A", "tcp"],
        &["-f", "inet6"],
        &["-F", "/dev/null"],
        &["-natf", "inet6"],
        &["-finet"],
        &["-F/dev/null"],
        &["-tnB"],
        &["-iTCP:80"],
        &["--options", "--programs", "--extend", "--numeric-ports"],
        &["-B"],
        &["close-wait,listen"],
        &["state=established"],
        &["local-port", "80", "peer", "10.0.0.1"],
    ] {
        let _ = finish(tcpstates(&[args, &["--explain-filter"]].concat())).quiet();
    }
    let help = finish(tcpstates(&["help", "explain"])).quiet();
    assert_eq!(help, finish(tcpstates(&["explain", "--help"])).quiet());
    for typed in ["-x", "-A udp", "-f unix"] {
        let stderr = finish(tcpstates(&typed.split(' ').collect::<Vec<_>>())).failed(2);
        let hint = format!("hint: ss {typed} shows them; -t shows TCP sockets\n");
        assert!(stderr.ends_with(&format!("{typed}: only TCP sockets are shown here\n{hint}")), "{stderr}");
    }
    let stderr = finish(tcpstates(&["-tnK"])).failed(2);
    assert_eq!(stderr, "tcpstates: '-K' is not an option of tcpstates\nhint: ss -K closes sockets\n");
    // `sendq > 0`, of which the shell left the first word.
    let stderr = finish(tcpstates(&["sendq"])).failed(2);
    assert!(stderr.ends_with("quote the filter, 'sendq > 0', or write 'sendq gt 0'\n"), "{stderr}");
    // A program that runs: this test's own.
    let comm = std::fs::read_to_string("/proc/self/comm").expect("it can be read");
    let stderr = finish(tcpstates(&[comm.trim_end()])).failed(2);
    assert!(stderr.ends_with(&format!("hint: did you mean 'process {}'?\n", comm.trim_end())), "{stderr}");
}

/// `-h` fits a screen, and the options that it leaves out are in `--help`, each below a heading.
#[test]
fn the_short_help_has_fifty_lines_of_eighty_columns_at_most() {
    let help = |args: &[&str]| {
        let mut command = tcpstates(args);
        command.env("COLUMNS", "80");
        finish(command).quiet()
    };
    for command in ["", "explain", "demo", "bind", "diagnose", "trace"] {
        let args: Vec<_> = [command, "-h"].into_iter().filter(|word| !word.is_empty()).collect();
        let short = help(&args);
        assert!(short.lines().count() <= 50, "{command}: {} lines", short.lines().count());
        let widest = short.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{command}: {widest:?} columns");
    }
    let (short, long) = (help(&["-h"]), help(&["--help"]));
    let headings =
        ["Commands:", "Used most:", "Which sockets:", "What is shown:", "How it is written:", "Where from:"];
    for text in [&short, &long] {
        let found: Vec<_> =
            text.lines().filter(|line| line.ends_with(':') && !line.starts_with(' ')).collect();
        assert_eq!(found[..6], headings, "{text}");
    }
    assert!(long.contains("--filter-file") && !short.contains("--filter-file"));
}
