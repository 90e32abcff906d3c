//! What a terminal of some width shows.

use std::collections::BTreeSet;
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use crate::support::namespace::Namespace;
use crate::support::run::PROGRAM;
use crate::support::{namespace, zoo};

/// What a terminal of so many columns gets; stderr too.
fn on_terminal(namespace: &Namespace, columns: u16, args: &str) -> String {
    namespace.inside(|| {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("stty cols {columns} rows 24; exec {PROGRAM} {args}")]);
        shell.env("TERM", "xterm").env("NO_COLOR", "1");
        let mut session =
            rexpect::session::spawn_command(shell, Some(20_000)).expect("a terminal can be had");
        session.exp_eof().expect("it ends").replace('\r', "")
    })
}

/// The addresses with their ports, as the table prints them.
fn ends(namespace: &Namespace) -> BTreeSet<String> {
    let list = namespace.tcpstates(&["-aH", "-f", "csv", "--columns", "local,peer"]);
    list.lines()
        .flat_map(|line| line.split(',').map(str::to_owned))
        .filter(|end| !end.ends_with('*'))
        .collect()
}

#[test]
fn no_address_is_broken_at_any_width() {
    let Some(zoo) = zoo() else { return };
    let expected = ends(zoo.namespace());
    assert!(expected.len() > 20, "{expected:?}");
    for columns in [132, 100, 80, 60, 40] {
        for args in ["-a", "-ap", "-aepom", "-ai", "-a --columns state,local,peer,process,inode"] {
            let text = on_terminal(zoo.namespace(), columns, args);
            let words: BTreeSet<_> = text
                .split_whitespace()
                .flat_map(|word| [word, word.strip_prefix("peer:").unwrap_or(word)])
                .map(str::to_owned)
                .collect();
            let missing: Vec<_> = expected.difference(&words).collect();
            assert!(missing.is_empty(), "{columns}, {args}: {missing:?}\n{text}");
            for line in text.lines() {
                let is_one_word = line.split_whitespace().count() == 1;
                let width = line.chars().count();
                assert!(width <= usize::from(columns) || is_one_word, "{columns}, {args}: {line}");
            }
        }
    }
}

#[test]
fn the_processes_are_shown_where_they_fit() {
    let Some(namespace) = namespace() else { return };
    let _listener = namespace.inside(|| TcpListener::bind("127.0.0.1:7000").expect("it can listen"));
    let text = on_terminal(&namespace, 80, "-l");
    let own = format!("{}/integration", std::process::id());
    // A search that takes longer than 200 ms says so instead.
    assert!(text.contains(&own) || text.contains("-p shows them, however long it takes"), "{text}");
    assert!(
        text.contains("127.0.0.1:7000 ") && !text.contains("Peer"),
        "numbers, and no column without a value: {text}"
    );
    assert!(!on_terminal(&namespace, 40, "-l").contains("Process"), "they do not fit");
    assert!(on_terminal(&namespace, 40, "-lp").contains(&own), "asked for");
}

#[test]
fn an_empty_list_says_why_and_a_limit_what_it_leaves_out() {
    let Some(namespace) = namespace() else { return };
    let said = |args: &str| on_terminal(&namespace, 80, args);
    assert!(said("-a").contains("\ntcpstates: no TCP socket in this network namespace\n"), "{}", said("-a"));
    let listener = namespace.inside(|| TcpListener::bind("127.0.0.1:7000").expect("it can listen"));
    let _connections: Vec<_> = (0..2)
        .map(|_| {
            namespace.inside(|| (TcpStream::connect("127.0.0.1:7000").unwrap(), listener.accept().unwrap().0))
        })
        .collect();
    let close_wait = said("state close-wait");
    assert!(
        close_wait.ends_with("\ntcpstates: no socket in CLOSE_WAIT; 5 in other states\n"),
        "{close_wait}"
    );
    let none = said("state established sport = :1");
    let expected = "\ntcpstates: no socket matches the filter; 4 others in ESTABLISHED, 1 in other states\n";
    assert!(none.ends_with(expected), "{none}");
    for args in ["-a --limit 2", "-a --limit 2 --sort local"] {
        let text = said(args);
        assert!(text.ends_with("\ntcpstates: 3 more sockets: --limit leaves them out\n"), "{args}: {text}");
    }
    assert!(said("-a --count-by local-port --limit 1").ends_with("\n... 2 more\n"));
    assert!(said("-s").ends_with("\ntotal       5\n"), "{}", said("-s"));
}

#[test]
fn counts_say_who_has_no_process() {
    let Some(zoo) = zoo() else { return };
    let text = on_terminal(zoo.namespace(), 80, "-a --count-by process,state");
    assert!(text.starts_with("Process") && text.contains("\n(no process) "), "{text}");
}
