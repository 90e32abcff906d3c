//! ss's filter language against ss itself, over the zoo and from both sources.

use crate::support::run::{finish, tcpstates};
use crate::support::zoo::Zoo;
use crate::support::{has, namespace, zoo};

/// Expressions that every source can judge.
const EXPRESSIONS: [&str; 74] = [
    "sport = :8100",
    "sport = 8100",
    "sport == :8100",
    "sport eq :8100",
    "dport = :7100",
    "dport != :7100",
    "dport ne :7100",
    "dport neq 7100",
    "sport > :9000",
    "sport gt :9000",
    "sport >= :9002",
    "sport ge 9002",
    "sport geq 9002",
    "sport < :8010",
    "sport lt :8010",
    "sport <= :8010",
    "sport le 8010",
    "sport leq 8010",
    "sport >= :8002 sport <= :8007",
    "sport >= :8002 and sport <= :8007",
    "sport >= :8002 & sport <= :8007",
    "sport >= :8002 && sport <= :8007",
    "sport = :8100 or sport = :9100",
    "sport = :8100 | sport = :9100",
    "sport = :8100 || sport = :9100",
    "not sport = :8100",
    "! sport = :8100",
    "not ( sport = :8100 or sport = :9100 )",
    "sport = :8100 or sport = :9100 and dport = :7200",
    "( sport = :8100 or sport = :9100 ) and dport = :7200",
    "not sport = :8100 and dport = :7100",
    "src 10.99.0.1",
    "src = 10.99.0.1",
    "not src 10.99.0.1",
    "dst 10.99.0.2",
    "dst 10.99.0.2:7100",
    "dst = 10.99.0.2:7100",
    "src 10.99.0.0/24",
    "src 10.0.0.0/8",
    "dst 10.99.0.2/31",
    "src 127.0.0.1",
    "src 127.0.0.0/8",
    "src :8100",
    "dst :7100",
    "src *:8100",
    "src [::1]",
    "src [::1]:9102",
    "dst [::1]:9202",
    "dst [fd99::2]",
    "src [fd99::/16]",
    "dst [fd99::2]:7100",
    "src [fe80::1]",
    "src [::ffff:10.99.0.1]",
    "dst 10.99.0.2 or dst [fd99::2]",
    "not ( dst 10.99.0.2 or dst [fd99::2] ) sport > :9000",
    "src 0.0.0.0/0",
    "src 127/8",
    "src 127",
    "dst 10.99/16",
    "src 0xa.0143/16",
    "src 10.99.0.1/255.255.0.0",
    "src [10/8]:8100",
    "src any:8100",
    "dst all:7100",
    "src default:0x1fa4",
    "sport = 0x1fa4",
    "sport = :017644",
    "src inet:10.99/16",
    "src inet:any:8100",
    "src inet6:any",
    "src inet6:[::1]:9102",
    "dst any",
    "src [::/0]",
    "( ( sport = :8001 or sport = :8002 ) or ( sport = :8003 ) ) and not ( sport = :8002 )",
];

/// Expressions about which /proc says nothing.
const OF_NETLINK: [&str; 7] =
    ["dev = tun0", "dev tun0", "dev != tun0", "dev = lo", "autobound", "fwmark = 0", "fwmark = 0x0/0xff"];

/// The addresses of the listed sockets, in order. `skip` is the number of columns before the local address.
fn ends(text: &str, skip: usize) -> Vec<String> {
    let ends = |line: &str| line.split_whitespace().skip(skip).take(2).collect::<Vec<_>>().join(" ");
    let mut all: Vec<_> = text.lines().map(ends).collect();
    all.sort();
    all
}

fn ours(zoo: &Zoo, source: &str, expression: &str) -> Vec<String> {
    let mut args = vec!["-f", "ss", "-Hnt", "--source", source, "state", "all", "exclude", "bound-inactive"];
    args.extend(expression.split(' '));
    ends(&zoo.namespace().tcpstates(&args), 3)
}

fn theirs(zoo: &Zoo, expression: &str) -> Vec<String> {
    let mut args = vec!["-Hnt", "state", "all"];
    args.extend(expression.split(' '));
    let shown = zoo.namespace().other("ss", &args);
    // Only newer versions of ss show bound sockets, and ours are left out.
    ends(&shown.lines().filter(|line| !line.starts_with("UNCONN")).collect::<Vec<_>>().join("\n"), 3)
}

#[test]
fn the_same_sockets_as_ss_from_both_sources() {
    if !has("ss") {
        return;
    }
    // The kernel lets go of some sockets after a minute, in which a slow machine does not get through all expressions.
    let different = EXPRESSIONS.chunks(8).map(the_same_sockets_as_ss).sum::<Option<usize>>();
    assert!(
        different.is_none_or(|different| different > 58),
        "only {different:?} expressions choose some of the sockets"
    );
}

/// How many of the expressions choose some of the sockets, and not all.
fn the_same_sockets_as_ss(expressions: &[&str]) -> Option<usize> {
    let zoo = zoo()?;
    let mut different = 0;
    for expression in expressions {
        let expected = theirs(&zoo, expression);
        assert_eq!(ours(&zoo, "netlink", expression), expected, "netlink: {expression}");
        // /proc has neither devices nor v6only: they are removed from ss's output.
        let plain = |ends: Vec<String>| {
            let mut plain: Vec<_> =
                ends.iter().map(|end| end.replace("%tun0", "").replace("[::]", "*")).collect();
            plain.sort();
            plain
        };
        assert_eq!(plain(ours(&zoo, "procfs", expression)), plain(expected.clone()), "procfs: {expression}");
        different += usize::from(!expected.is_empty() && expected.len() < zoo.specimens().len() - 2);
    }
    Some(different)
}

#[test]
fn what_only_netlink_tells() {
    let Some(zoo) = zoo() else { return };
    if !has("ss") {
        return;
    }
    for expression in OF_NETLINK {
        assert_eq!(ours(&zoo, "netlink", expression), theirs(&zoo, expression), "{expression}");
        let args =
            [&["-nt", "--source", "procfs"], expression.split(' ').collect::<Vec<_>>().as_slice()].concat();
        let stderr = zoo.namespace().run(&args).failed(1);
        let word = expression.trim_start_matches("not ").split(' ').next().unwrap_or_default();
        assert!(stderr.contains("/proc does not have") && stderr.contains(word), "{expression}: {stderr}");
    }
}

#[test]
fn terms_of_our_own() {
    let Some(zoo) = zoo() else { return };
    let pid = std::process::id().to_string();
    let count = |expression: &str| {
        let args = [&["-nH"], expression.split(' ').collect::<Vec<_>>().as_slice()].concat();
        zoo.namespace().run(&args).done().lines().count()
    };
    let held = |fits: &dyn Fn(&crate::support::zoo::Specimen) -> bool| {
        zoo.specimens().iter().filter(|s| fits(s)).count()
    };
    assert_eq!(count("recvq = 123"), held(&|s| s.recv_q == 123));
    assert_eq!(count("sendq >= 77 and not state listen"), held(&|s| s.send_q >= 77 && s.state != "LISTEN"));
    assert_eq!(count("inode > 0"), held(&|s| s.inode.is_some()));
    // One that waits to be accepted is its listener's process's.
    let is_held = |s: &crate::support::zoo::Specimen| s.inode.is_some() || s.state == "ESTABLISHED";
    assert_eq!(count(&format!("pid = {pid}")), held(&is_held));
    assert_eq!(count(&format!("pid != {pid}")), 0);
    assert_eq!(count("process = integration*"), held(&is_held));
    assert_eq!(
        count("timer = timewait"),
        held(&|s| s.state == "TIME_WAIT" || s.label == "orphaned fin_wait2")
    );
    assert_eq!(
        count("port = 9102"),
        held(&|s| s.local.port() == 9102 || s.peer.is_some_and(|p| p.port() == 9102))
    );
    assert_eq!(count("user root and state listen"), held(&|s| s.state == "LISTEN"));
    assert_eq!(count("uid = 0 state closed"), held(&|s| s.state == "CLOSED"));
    assert_eq!(count("addr fe80::1"), held(&|s| s.local.to_string().starts_with("[fe80")));
    assert_eq!(count("iface = tun0"), held(&|s| s.local.to_string().starts_with("[fe80")));
    assert_eq!(count("rtt > 0 state established"), held(&|s| s.state == "ESTABLISHED"));
    assert_eq!(count("rtt > 1000s"), 0);
}

#[test]
fn a_listener_has_an_accept_queue_and_nothing_else() {
    let Some(zoo) = zoo() else { return };
    let run = |args: &[&str], words: &str| {
        zoo.namespace().tcpstates(&[args, words.split(' ').collect::<Vec<_>>().as_slice()].concat())
    };
    let listeners = |fits: &dyn Fn(&crate::support::zoo::Specimen) -> bool| {
        zoo.specimens().iter().filter(|s| s.state == "LISTEN" && fits(s)).count()
    };
    for words in ["sendq > 0", "sendq >= 0", "recvq >= 0", "rtt < 1s", "rto > 0", "retrans >= 0"] {
        let states = run(&["-naH", "--columns", "state"], words);
        assert!(!states.contains("LISTEN") && states.contains("ESTABLISHED"), "{words}: {states}");
    }
    for (words, expected) in [
        ("accept_queue >= 0", listeners(&|_| true)),
        ("accept_queue = 2", listeners(&|s| s.recv_q == 2)),
        ("backlog > 0", listeners(&|s| s.send_q > 0)),
    ] {
        let states = run(&["-naH", "--columns", "state"], words);
        assert_eq!(states.lines().filter(|line| line.trim() == "LISTEN").count(), expected, "{words}");
        assert_eq!(states.lines().count(), expected, "{words}");
    }
    let columns = "recv-q,send-q,accept-queue,backlog";
    let text = run(&["-naH", "--columns", columns, "--sort", "-accept-queue"], "state listen");
    assert!(text.lines().all(|line| line.starts_with("-      -      ")), "{text}");
    assert!(text.lines().next().is_some_and(|line| line.contains(" 2 ")), "the largest first: {text}");
    let text = run(&["-naH", "--columns", columns], "state established");
    assert!(text.lines().all(|line| line.ends_with("-            -")), "{text}");

    let json = run(&["-nai", "--ndjson"], "state listen");
    for line in json.lines() {
        for null in ["rtt_us", "rttvar_us", "unacked", "sacked", "total_retrans", "ca_state"] {
            assert!(line.contains(&format!("\"{null}\":null")), "{null}: {line}");
        }
        assert!(line.contains("\"snd_cwnd\":10"), "{line}");
    }
    let json = run(&["-nai", "--ndjson"], "state established");
    assert!(!json.contains("\"rtt_us\":null") && json.contains("\"ca_state\":\"open\""), "{json}");
}

#[test]
fn a_count_is_filtered_too() {
    let Some(zoo) = zoo() else { return };
    let summary = |words: &[&str]| zoo.namespace().tcpstates(&[&["-s"], words].concat());
    let pid = std::process::id().to_string();
    let held = zoo.specimens().iter().filter(|s| s.state == "TIME_WAIT").count();
    assert!(summary(&["sport", ">", ":0"]).contains(&format!("TIME_WAIT {held}\n")));
    assert!(summary(&["pid", "=", &pid]).contains("TIME_WAIT 0\n"));
    assert!(summary(&["state", "time-wait"]).starts_with("LISTEN 0\n"));
}

#[test]
fn a_file_and_an_explanation() {
    let Some(namespace) = namespace() else { return };
    let file = tempfile::NamedTempFile::new().expect("a file can be had");
    std::fs::write(file.path(), "# web\nstate listen # servers\ndport = 443\n  and process = nginx\n")
        .expect("it is ours");
    let path = file.path().to_str().expect("a plain path");
    let text = namespace.tcpstates(&["--explain-filter", "--filter-file", path]);
    assert_eq!(text, "states  LISTEN\nkernel  dport <= 0 or dport = 443\nhere    process = nginx\n");
    assert_eq!(namespace.tcpstates(&["-nH", "--filter-file", path]), "");

    std::fs::write(file.path(), "state listen\ndport = much\n").expect("it is ours");
    let stderr = finish(tcpstates(&["--filter-file", path, "--explain-filter"])).failed(2);
    assert_eq!(
        stderr,
        format!(
            "tcpstates: filter: {path}: there is no service 'much'\n    dport = much\n            ^^^^\n"
        )
    );
    std::fs::write(file.path(), "\u{feff}process = \"a#b\" # c\nlisen\n").expect("it is ours");
    let stderr = finish(tcpstates(&["--filter-file", path])).failed(2);
    assert!(stderr.starts_with(&format!("tcpstates: filter: {path}: 'lisen' is neither")), "{stderr}");
    let text = namespace.tcpstates(&["--explain-filter", "-s", "sport = 1"]);
    assert!(text.contains("LISTEN") && text.contains("CLOSED"), "{text}");
    let text = namespace.tcpstates(&["--explain-filter", "-a", "dport = 1"]);
    assert!(!text.contains("LISTEN") && !text.contains("CLOSED"), "what has a peer is neither: {text}");
    let stderr = finish(tcpstates(&["--filter-file", path, ":80"])).failed(2);
    assert!(stderr.starts_with("tcpstates: ':80': --filter-file takes the place"), "{stderr}");
    let stderr = finish(tcpstates(&["--filter-file", "/nowhere/f"])).failed(2);
    assert!(stderr.contains("/nowhere/f"), "{stderr}");
}

#[test]
fn escape_bytes_of_a_filter_reach_no_terminal() {
    let hostile = "process = \u{1b}]52;c;QUJD\u{7}\u{1b}[31m\u{9b}x\u{202e}";
    let is_safe = |text: &str| {
        !text.chars().any(|c| c != '\n' && c != '\t' && tcpstates::internals::layout::text::is_unsafe(c))
    };
    let text = finish(tcpstates(&["--explain-filter", "--color", "always", hostile])).done();
    assert!(is_safe(&text) && text.contains(r"\x1b]52;c;QUJD\x07"), "{text:?}");
    for args in [
        &["sport", "=", "\u{1b}[31m"][..],
        &["\u{1b}[31m"],
        &["user", "=", "\u{1b}[31mx"],
        &["--format", "\u{1b}[31m"],
        &["--\u{1b}[31m"],
        &["bind", "\u{1b}[31m:5"],
        &["explain", "\u{1b}[31m"],
        &["trace", "dport", "=", "\u{1b}"],
    ] {
        let stderr = finish(tcpstates(args)).failed(2);
        assert!(is_safe(&stderr), "{args:?}: {stderr:?}");
    }
}

#[test]
fn errors_point_at_the_word() {
    let stderr = finish(tcpstates(&["sport", "=", ":80", "and", "lisen"])).failed(2);
    assert_eq!(
        stderr,
        "tcpstates: filter: 'lisen' is neither a filter word nor an address\n    sport = :80 and lisen\n                    \
         ^^^^^\nhint: did you mean 'state LISTEN'?\n"
    );
    for (words, message) in [
        (&["autobound", "or", "pid", "=", "5"][..], "filter: only the kernel can evaluate 'autobound'"),
        (&["dev", "=", "nosuch0"], "filter: there is no device 'nosuch0'"),
        (&["user", "=", "no-such-user"], "filter: there is no user 'no-such-user'"),
        (&["sport", "=", "no-such-service"], "filter: there is no service 'no-such-service'"),
        (&["cgroup", "=", "/no/such"], "filter: there is no cgroup '/no/such'"),
    ] {
        let stderr = finish(tcpstates(words)).failed(2);
        assert!(stderr.starts_with(&format!("tcpstates: {message}")), "{words:?}: {stderr}");
    }
}

/// On a real scope: words.rs has every form there is.
#[test]
fn an_end_is_read_back_as_it_was_printed() {
    let Some(zoo) = zoo() else { return };
    let run = |args: &[&str]| zoo.namespace().tcpstates(args);
    for (format, column) in [("plain", 3), ("table", 3), ("netstat", 3), ("ss", 3)] {
        let all = run(&["-nalWH", "-f", format]);
        let line = all.lines().find(|line| line.contains("fe80::1")).expect("one is link-local");
        let printed = line.split_whitespace().nth(column).expect("it has an address");
        for words in [&[printed][..], &["src", printed]] {
            let found = run(&[&["-nalWH", "-f", format], words].concat());
            assert!(!found.is_empty(), "{format} {words:?}");
            assert!(found.lines().all(|line| line.contains(printed)), "{format} {words:?}: {found}");
        }
        let bind = zoo.namespace().run(&["bind", printed]);
        // netstat leaves the device out, without which a link-local address can't be bound.
        assert_eq!(bind.status, Some(if format == "netstat" { 2 } else { 1 }), "{format}: {}", bind.stderr);
    }
    let listeners = |word: &str| run(&["-nlH", word]).lines().count();
    assert_eq!(listeners("9102"), listeners(":9102"));
    assert!(listeners("9102") > 0);
}

/// Terms of each kind; some of them fit nothing or everything.
const TERMS: [&str; 26] = [
    "autobound",
    "state listen",
    "exclude time-wait",
    ":8100",
    "src 10.99.0.1",
    "dst :7100",
    "sport != 8100",
    "port != 9102",
    "dport < 9000",
    "dev = tun0",
    "dev != lo",
    "fwmark = 0",
    "fwmark = 1/1",
    "cgroup = /",
    "pid > 0",
    "process = integration*",
    "user = root",
    "uid = 0",
    "uid > 0",
    "inode > 0",
    "recvq > 0",
    "sendq >= 0",
    "accept_queue = 2",
    "rtt < 1s",
    "timer = off",
    "autobound and sport > 9000",
];

#[test]
fn a_term_and_its_opposite_part_all_sockets() {
    let Some(zoo) = zoo() else { return };
    // The kernel judges the term, or lets all through for another look-up.
    for options in [&["-na", "--ndjson"][..], &["-na", "--ndjson", "--peer-process"]] {
        let cookies = |expression: &str| {
            let words = expression.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>();
            let text = zoo.namespace().tcpstates(&[options, words.as_slice()].concat());
            let cookie = |line: &str| Some(line.split_once("\"cookie\":\"")?.1.split('"').next()?.to_owned());
            let mut cookies: Vec<_> = text.lines().filter_map(cookie).collect();
            cookies.sort_unstable();
            cookies
        };
        let all = cookies("");
        assert_eq!(all.len(), zoo.specimens().len());
        for term in TERMS {
            if term.starts_with("autobound") && options.contains(&"--peer-process") {
                continue;
            }
            if term.starts_with("cgroup")
                && finish(tcpstates(&["--explain-filter", "cgroup", "=", "/"])).status != Some(0)
            {
                continue;
            }
            let (fits, opposite) = (cookies(term), cookies(&format!("not ( {term} )")));
            let mut both = [fits.clone(), opposite.clone()].concat();
            both.sort_unstable();
            assert_eq!(both, all, "{options:?} {term}: {fits:?}, {opposite:?}");
        }
    }
    // Accepted connections have their listener's port, which the kernel did not choose.
    let ports = |words: &str| {
        let words = words.split(' ').collect::<Vec<_>>();
        zoo.namespace().tcpstates(&[&["-naH", "--columns", "local-port"], words.as_slice()].concat())
    };
    let (chosen, others) = (ports("autobound"), ports("not autobound"));
    for specimen in zoo.specimens() {
        let port = specimen.local.port().to_string();
        let is_in = |ports: &str| ports.lines().any(|line| line.trim() == port);
        // The range begins at 32768 in a namespace that was just made.
        assert!(is_in(&others) && !is_in(&chosen) || specimen.local.port() >= 32768, "{}", specimen.label);
    }
    let with_holders =
        |words: &[&str]| zoo.namespace().tcpstates(&[&["-napH"], words].concat()).lines().count();
    assert_eq!(with_holders(&["autobound"]), chosen.lines().count(), "no listener comes with them");
    assert_eq!(with_holders(&["not", "autobound"]), others.lines().count());
}

#[test]
fn a_mark_needs_privilege_and_says_so() {
    let Some(namespace) = namespace() else { return };
    if !has("setpriv") {
        return;
    }
    let run = |words: &[&str]| {
        let mut setpriv = crate::support::run::command("setpriv");
        setpriv
            .args(["--bounding-set=-net_admin", "--inh-caps=-net_admin"])
            .arg(crate::support::run::PROGRAM)
            .args(words);
        namespace.inside(|| finish(setpriv))
    };
    let stderr = run(&["-nt", "fwmark", "=", "5"]).failed(1);
    assert!(stderr.contains("fwmark") && stderr.contains("CAP_NET_ADMIN is needed"), "{stderr}");
    let stderr = run(&["-nt", "fwmark", "=", "5", "or", "recvq", ">", "0"]).failed(1);
    assert!(stderr.contains("'fwmark = 0x5/0xffffffff'") && stderr.contains("CAP_NET_ADMIN"), "{stderr}");
    run(&["-nt", "sport", "=", ":5"]).quiet();
    // Where marks are shown, sorted or counted by, an empty column must not pass for none.
    let note = "tcpstates: the kernel does not report firewall marks (CAP_NET_ADMIN is needed)\n";
    for words in
        [&["-ne"][..], &["-n", "--sort", "mark"], &["-n", "--count-by", "mark"], &["-ne", "-f", "csv"]]
    {
        let (_, stderr) = run(words).noted();
        assert_eq!(stderr, note, "{words:?}");
    }
    let json = run(&["--json", "--columns", "mark"]).noted().0;
    assert!(json.contains("firewall marks"), "{json}");
    namespace.tcpstates(&["-ne"]);
}

#[test]
fn a_mark_beside_a_term_of_our_own() {
    let Some(namespace) = namespace() else { return };
    let sockets: Vec<_> = namespace.inside(|| {
        [(5, "127.0.0.1:8005"), (6, "127.0.0.1:8006"), (0, "127.0.0.1:8000")]
            .into_iter()
            .map(|(mark, addr)| {
                let listener = std::net::TcpListener::bind(addr).expect("the port is free");
                socket2::SockRef::from(&listener).set_mark(mark).expect("root may");
                listener
            })
            .collect()
    });
    for (words, expected) in [
        ("fwmark = 5 or pid = 0", &["8005"][..]),
        ("not (fwmark = 5 or recvq > 9)", &["8000", "8006"]),
        ("fwmark = 4/4 and backlog > 9", &["8005", "8006"]),
        // Judged by the kernel, and here: the value has bits outside of the mask.
        ("fwmark = 0x1f5/0xf", &["8005"]),
        ("fwmark = 0x1f5/0xf or pid = 0", &["8005"]),
        ("not fwmark = 0x1f5/0xf", &["8000", "8006"]),
        ("fwmark = 1/1 or sport = 8000 or uid = 99", &["8000", "8005"]),
    ] {
        for more in [&["--columns", "local-port"][..], &["--columns", "local-port", "--peer-process"]] {
            let words = words.split(' ').collect::<Vec<_>>();
            let text = namespace.tcpstates(&[&["-nH"], more, words.as_slice()].concat());
            let mut ports: Vec<_> = text.lines().map(str::trim).collect();
            ports.sort_unstable();
            assert_eq!(ports, expected, "{words:?}");
        }
    }
    drop(sockets);
}
