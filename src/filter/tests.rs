//! The language as people write it, and the kernel's program against the evaluation here.

use std::net::IpAddr;
use std::sync::Arc;

use proptest::prelude::*;

use super::bytecode::compile;
use super::*;
use crate::model::cgroup::Cgroup;
use crate::model::{Endpoint, Family, Holder, Process, Queues, Socket, TcpInfo, TcpState, Timer};

fn parse(text: &str) -> Result<Filter, BadFilter> {
    Filter::parse(text, Dialect::Own)
}

fn states(text: &str) -> u32 {
    parse(text).unwrap().states.unwrap().bits() & 0x3fff
}

fn shown(text: &str) -> String {
    parse(text).unwrap().expr.to_string()
}

fn end(addr: &str, port: u16) -> Endpoint {
    Endpoint::new(addr.parse().unwrap(), port)
}

fn nginx() -> Holder {
    let process = Process::new(5, &b"nginx"[..]);
    Holder { process: Arc::new(process), fd: 3 }
}

fn connection() -> Socket {
    Socket::new(Family::Inet, TcpState::Established, end("10.0.0.1", 443), end("192.0.2.7", 50000))
}

fn fits(text: &str, socket: &Socket) -> Option<bool> {
    parse(text).unwrap().expr.evaluate(&Row::bare(socket), Needs::NOTHING)
}

#[test]
fn states_are_ored_and_excludes_subtract() {
    assert_eq!(states("state listening state estab"), 1 << 10 | 1 << 1);
    assert_eq!(states("exclude listen"), 0x3fff & !(1 << 10));
    assert_eq!(states("exclude listen exclude time-wait"), 0x3fff & !(1 << 10) & !(1 << 6));
    assert_eq!(states("state connected exclude SYN_RECV"), 0x3fff & !(1 << 7 | 1 << 10 | 1 << 3 | 1 << 12));
    assert_eq!(states("STATE closed"), 1 << 7 | 1 << 13);
    assert_eq!(parse(":80").unwrap().states, None);
    let ss = Filter::parse("state closed", Dialect::Ss).unwrap();
    assert_eq!(ss.states.unwrap().bits(), 1 << 7);
}

#[test]
fn leading_states_hold_for_all_that_follows() {
    let filter = parse("state listen sport = 1 or sport = 2").unwrap();
    assert_eq!(filter.states, Some(StateSet::of(TcpState::Listen)));
    assert_eq!(filter.expr.to_string(), "sport = 1 or sport = 2");
    assert_eq!(states(":80 state listen"), 1 << 10, "behind a term, too");
    assert_eq!(states("state listen and :80"), 1 << 10);
    assert_eq!(states("(sport = 1 or sport = 2) state listen"), 1 << 10);
}

#[test]
fn a_state_among_alternatives_is_a_term() {
    let filter = parse("state listen or sport = 1").unwrap();
    assert_eq!(filter.states, None);
    assert_eq!(fits("state listen or sport = 443", &connection()), Some(true));
    assert_eq!(fits("state listen or sport = 444", &connection()), Some(false));
    assert_eq!(fits("not (state listen)", &connection()), Some(true));
    assert_eq!(fits("not (exclude listen)", &connection()), Some(false));
}

#[test]
fn terms_are_taken_from_left_to_right_and_not_binds_stronger() {
    assert_eq!(shown("sport = 1 or sport = 2 and sport = 3"), "(sport = 1 or sport = 2) and sport = 3");
    assert_eq!(shown("sport = 1 or (sport = 2 and sport = 3)"), "sport = 1 or (sport = 2 and sport = 3)");
    assert_eq!(shown("sport = 1 sport = 2 | sport = 3"), "(sport = 1 and sport = 2) or sport = 3");
    assert_eq!(shown("not sport = 1 and sport = 2"), "not sport = 1 and sport = 2");
    assert_eq!(
        shown("! ( sport = 1 || sport = 2 ) && dport = 3"),
        "not (sport = 1 or sport = 2) and dport = 3"
    );
    assert_eq!(shown("(sport = 1)"), "sport = 1");
}

#[test]
fn every_synonym() {
    for text in ["sport = 80", "sport == :80", "sport eq 80", "sport 80", "SPORT=:80", "sport=80"] {
        assert_eq!(shown(text), "sport = 80", "{text}");
    }
    for (text, symbol) in [
        ("dport ne 1", "!="),
        ("dport neq 1", "!="),
        ("dport lt 1", "<"),
        ("dport le 1", "<="),
        ("dport leq 1", "<="),
        ("dport gt 1", ">"),
        ("dport ge 1", ">="),
        ("dport geq 1", ">="),
    ] {
        assert_eq!(shown(text), format!("dport {symbol} 1"), "{text}");
    }
    assert_eq!(shown("src 10.0.0.0/8:22"), "src = 10.0.0.0/8:22");
    assert_eq!(shown("dst != [2001:db8::]/32"), "not dst = [2001:db8::]/32");
    assert_eq!(shown("fwmark 0x10/0xff"), "fwmark = 0x10/0xff");
    assert_eq!(shown("dev = 3 autobound"), "dev = 3 and autobound");
}

#[test]
fn what_needs_quotes_is_shown_in_them_and_states_by_their_words() {
    assert_eq!(shown("process 'a b'"), "process = 'a b'");
    assert_eq!(shown("process \"it's\" unit 'and'"), "process = it's and unit = 'and'");
    assert_eq!(shown("user \"it's me\""), "user = \"it's me\"");
    assert_eq!(shown("sport = 1 or state established"), "sport = 1 or state ESTABLISHED");
    assert_eq!(shown("not (sport = 1 or state connected)"), "not (sport = 1 or state connected)");
}

#[test]
fn a_family_before_an_address() {
    let mapped =
        Socket::new(Family::Inet6, TcpState::Established, end("::ffff:10.0.0.1", 443), end("::1", 1));
    for (text, plain, other) in [
        ("src inet:10/8", true, false),
        ("src inet:any:443", true, false),
        ("inet:*:443", true, false),
        ("src != inet:10/8", false, true),
        ("src inet6:any", false, true),
        ("dst inet6:::1", false, true),
        ("src 10/8", true, true),
    ] {
        assert_eq!((fits(text, &connection()), fits(text, &mapped)), (Some(plain), Some(other)), "{text}");
        assert!(bytecode::is_kernels(&parse(text).unwrap().expr), "{text}");
    }
}

#[test]
fn an_endpoint_as_it_was_printed() {
    for (text, expected) in [
        ("8100", "port = 8100"),
        ("[fe80::1%3]:80", "addr = [fe80::1]/128:80 and dev = 3"),
        ("src *%eth0:68", "src = *:68 and dev = eth0"),
        ("dst != [fe80::1]%eth0:80", "not (dst = [fe80::1]/128:80 and dev = eth0)"),
        ("localhost:3000", "addr = localhost:3000"),
        ("localhost:http", "(src = localhost and sport = http) or (dst = localhost and dport = http)"),
        // An address as for ss, or ::1 and a port as netstat prints them.
        ("src ::1:80", "src = [::1:80]/128 or src = [::1]/128:80"),
        ("::1:abcd", "addr = [::1:abcd]/128"),
        ("dst :::*", "dst = [::]/128"),
        (
            "process = 5/nginx[6,7]",
            "process = 5/nginx[6,7] or (pid = 5 and process = nginx and (fd = 6 or fd = 7))",
        ),
        ("process = 5/nginx[6]", "process = 5/nginx[6] or (pid = 5 and process = nginx and fd = 6)"),
        ("process = kworker/0:1", "process = kworker/0:1"),
        (
            "local_port = 5 Peer-Port > 6 recv-q > 7 mark = 8",
            "sport = 5 and dport > 6 and recv_q > 7 and fwmark = 0x8/0xffffffff",
        ),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
    let ss = Filter::parse("src ::1:80", Dialect::Ss).unwrap();
    assert_eq!(ss.expr.to_string(), "src = [::1:80]/128");
    for (text, message) in [
        ("65536", "'65536' is not an address or port: '65536' is not a port number from 0 to 65535"),
        ("sport:80", "'sport:80' is not an address or port: 'sport' is not a numeric IPv4 or IPv6 address"),
        ("localhost", "'localhost' is neither a filter word nor an address"),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn sizes_and_times_have_units() {
    for (text, expected) in [
        ("recvq > 4k", "recv_q > 4096"),
        ("sendq >= 1.5M", "send_q >= 1572864"),
        ("recvq = 0", "recv_q = 0"),
        ("rtt > 200ms", "rtt > 200000us"),
        ("rto < 2s", "rto < 2000000us"),
        ("rtt > 0.5", "rtt > 500us"),
        ("rtt > 50us", "rtt > 50us"),
        ("rtt_us > 500", "rtt > 500us"),
        ("tcp_info.min_rtt_us > 2ms", "min_rtt > 2000us"),
        ("last-data-recv-ms > 500", "last_data_recv > 500000us"),
        ("delivery_rate > 1M/s", "delivery_rate > 1048576"),
        ("app_limited = yes", "app_limited = true"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
    for bad in [
        "app_limited = maybe",
        "recvq > 4x",
        "rtt > fast",
        "recvq > -1",
        "rtt > 1.",
        "recvq > 99999999999999999999",
    ] {
        assert!(matches!(parse(bad).unwrap_err().error, FilterError::Expected { .. }), "{bad}");
    }
}

#[test]
fn errors_name_the_word_and_point_at_it() {
    for (text, message, pointer) in [
        ("lisen", "'lisen' is neither a filter word nor an address", "    lisen\n    ^^^^^"),
        ("state lisen", "'lisen' is not a TCP state", "    state lisen\n          ^^^^^"),
        (
            "sport = :80 and",
            "the filter ends where a term is expected",
            "    sport = :80 and\n                   ^",
        ),
        (
            "sport = :80 or )",
            "')' found where a term is expected",
            "    sport = :80 or )\n                   ^",
        ),
        ("(sport = 1", "the filter ends where ')' is expected", "    (sport = 1\n              ^"),
        ("sport = 1)", "')' found where a term, 'and' or 'or' is expected", "    sport = 1)\n             ^"),
        ("dst > 10.0.0.1", "'>' found where '=' or '!=' is expected", "    dst > 10.0.0.1\n        ^"),
        (
            "recvq > much",
            "'much' found where a size such as 4096, 4k or 1M is expected",
            "    recvq > much\n            ^^^^",
        ),
        (
            ":99999",
            "':99999' is not an address or port: '99999' is not a port number from 0 to 65535",
            "    :99999\n    ^^^^^^",
        ),
        ("process = \"x", "a quote is not closed", "    process = \"x\n              ^^"),
        ("state", "'state' needs the name of a state behind it", "    state\n    ^^^^^"),
        (
            "timer = late",
            "'late' found where one of off, retransmit, keepalive, timewait, probe0, delayed_ack is expected",
            "    timer = late\n            ^^^^",
        ),
    ] {
        let bad = parse(text).unwrap_err();
        assert_eq!((bad.to_string().as_str(), bad.pointer().as_str()), (message, pointer), "{text}");
    }
}

/// A filter whose `and` and `or` change so often.
fn changing(times: usize) -> String {
    let joins = ["and", "or"].into_iter().cycle().take(times + 1);
    joins.fold("sport = 1".to_owned(), |text, join| format!("{text} {join} sport = 443"))
}

#[test]
fn nesting_is_bounded() {
    let deep = |depth: usize| format!("{}sport = 1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&deep(60)).is_ok());
    let bad = parse(&deep(100)).unwrap_err();
    assert_eq!(bad.to_string(), "more than 64 brackets and 'not' within each other");
    assert!(matches!(parse(&"not ".repeat(100_000)).unwrap_err().error, FilterError::TooDeep { .. }));
    assert!(parse(&changing(128)).is_ok());
    let bad = parse(&changing(129)).unwrap_err();
    assert_eq!(bad.to_string(), "the filter changes between 'and' and 'or' more than 128 times");
    // Within brackets they count too: each list there makes its own levels.
    assert!(parse(&format!("({}) or ({})", changing(65), changing(65))).is_err());
    assert!(parse(&"sport = 1 and sport = 2 or ".repeat(20_000)).is_err());
    // Side by side there is no limit.
    let wide = |join: &str| format!("sport = 443{}", format!(" {join} sport = 443").repeat(50_000));
    for text in [wide("or"), wide("and")] {
        let expr = parse(&text).unwrap().expr;
        assert_eq!(expr.evaluate(&Row::bare(&connection()), Needs::NOTHING), Some(true));
        assert_eq!(
            compile(&expr).is_some(),
            text.contains("and"),
            "too long for the kernel as one condition"
        );
    }
}

/// What a thread that reads half of a table has, and its frames are the largest in a debug build.
#[test]
fn the_deepest_filter_fits_a_small_stack() {
    let text = format!("{}{}{}", "not (".repeat(30), changing(128), ")".repeat(30));
    let work = move || {
        let filter = parse(&text).unwrap().resolve(&mut TestNames).unwrap();
        let expr = &filter.expr;
        assert_eq!(expr.evaluate(&Row::bare(&connection()), Needs::NOTHING), Some(true));
        assert!(expr.rest(&Row::bare(&connection()), Needs::NOTHING).is_some());
        assert!(expr.to_string().len() > 128);
        assert!(compile(expr).is_some() && expr.clone() == *expr);
        assert!(expr.needs_netlink().is_none() && expr.needs() == Needs::NOTHING && !expr.wants_peer());
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn a_long_line_shows_what_is_around_the_fault() {
    let text = format!("{}lisen{}", "sport = 1 or ".repeat(1000), " or sport = 2".repeat(1000));
    let pointer = parse(&text).unwrap_err().pointer();
    let lines: Vec<_> = pointer.lines().collect();
    assert!(pointer.len() < 300 && lines.len() == 2, "{pointer}");
    let caret = lines[1].find('^').unwrap();
    let under: String = lines[0].chars().skip(caret).take(5).collect();
    assert_eq!((under.as_str(), lines[1].trim()), ("lisen", "^^^^^"));
    assert!(lines[0].starts_with("    \u{2026}") && lines[0].ends_with('\u{2026}'));
}

#[test]
fn terms_about_the_socket() {
    let mut socket = connection();
    socket.queues = Queues::Data { recv_q: 5000, send_q: 0 };
    socket.uid = Some(1000);
    socket.inode = Some(77);
    socket.timer = Some(Timer::KeepAlive { expires_ms: 1, probes: 0 });
    let mut info = [0; 104];
    info[68..72].copy_from_slice(&300_000_u32.to_ne_bytes());
    info[100..104].copy_from_slice(&2_u32.to_ne_bytes());
    socket.details =
        Some(Box::new(crate::model::Details { tcp_info: Some(TcpInfo::from_bytes(&info)), memory: None }));
    for (text, expected) in [
        (":443", true),
        (":50000", true),
        ("src :50000", false),
        ("dst :50000", true),
        ("10.0.0.0/8:443 :50000", true),
        ("192.0.2.7:443", false),
        ("addr 192.0.2.0/24", true),
        ("port = 443", true),
        ("port != 443", false),
        ("port > 49999", true),
        ("dport >= 50000", true),
        ("sport < 443", false),
        ("recvq > 4k", true),
        ("sendq > 0", false),
        ("uid = 1000", true),
        ("inode = 77", true),
        ("timer = keepalive", true),
        ("timer = off", false),
        ("rtt > 200ms", true),
        ("retrans >= 2", true),
        ("rto > 0", false),
        ("dev = 0", true),
    ] {
        assert_eq!(fits(text, &socket), Some(expected), "{text}");
    }
    let mut info = [0xff; 104];
    info[0] = 10;
    let tcp_info = Some(TcpInfo::from_bytes(&info));
    let listener = Socket {
        queues: Queues::Accept { pending: 3, backlog: Some(128) },
        details: Some(Box::new(crate::model::Details { tcp_info, memory: None })),
        ..Socket::new(Family::Inet, TcpState::Listen, end("10.0.0.1", 443), end("0.0.0.0", 0))
    };
    for (text, of_socket, of_listener) in [
        ("sendq > 0", false, false),
        ("sendq >= 0", true, false),
        ("recvq >= 0", true, false),
        ("not sendq >= 0", false, true),
        ("rtt >= 0", true, false),
        ("retrans >= 0", true, false),
        ("accept_queue = 3", false, true),
        ("backlog >= 128", false, true),
        ("not backlog >= 0", true, false),
    ] {
        let both = (fits(text, &socket), fits(text, &listener));
        assert_eq!(both, (Some(of_socket), Some(of_listener)), "{text}");
    }
    // What the kernel does not tell of a socket fits nothing.
    assert_eq!(fits("rtt >= 0", &connection()), Some(false));
    assert_eq!(fits("uid = 0", &connection()), Some(false));
}

#[test]
fn what_is_not_looked_up_stays_open() {
    let socket = connection();
    assert_eq!(fits("pid = 5", &socket), None);
    assert_eq!(fits("pid = 5 and sport = 1", &socket), Some(false));
    assert_eq!(fits("pid = 5 or sport = 443", &socket), Some(true));
    assert_eq!(fits("not process = nginx", &socket), None);
    let holders = [nginx()];
    let row =
        Row { holders: &holders, cgroup: Cgroup::at("/system.slice/nginx.service"), ..Row::bare(&socket) };
    let known = Needs::HOLDERS | Needs::CGROUPS;
    for (text, expected) in [
        ("pid = 5", true),
        ("pid > 5", false),
        ("process = ng*", true),
        ("not process = nginx", false),
        ("unit = nginx.*", true),
        ("container = *", false),
    ] {
        assert_eq!(parse(text).unwrap().expr.evaluate(&row, known), Some(expected), "{text}");
    }
}

#[test]
fn what_is_left_is_about_the_holders() {
    let holders = [nginx()];
    for (text, expected, fits) in [
        ("pid = 5 and sport = 443", Some("pid = 5"), true),
        ("sport = 1 or not process = ng*", Some("not process = ng*"), false),
        ("(pid = 5 or process = x) and dport > 5", Some("pid = 5 or process = x"), true),
        ("sport = 443 or pid = 5", None, true),
        ("not (sport = 443 or pid = 5)", None, false),
    ] {
        let rest = parse(text).unwrap().expr.rest(&Row::bare(&connection()), Needs::NOTHING);
        match (rest, expected) {
            (Some(rest), Some(expected)) => {
                // A list of one part is that part.
                assert_eq!(rest.to_string().trim_matches(['(', ')']), expected, "{text}");
                assert_eq!(rest.fits_holders(&holders), Some(fits), "{text}");
            }
            (Some(rest), None) => assert!(rest.is_always() && fits, "{text}: {rest}"),
            (None, None) => assert!(!fits, "{text}"),
            (rest, _) => panic!("{text}: {rest:?}"),
        }
    }
}

#[test]
fn what_has_a_peer_is_neither_listening_nor_just_bound() {
    let wants = |text: &str| parse(text).unwrap().expr.wants_peer();
    for text in
        ["dport = 9", "dport > 0 or dport > 5 and dport >= 1", "dst :80", "dst 10/8:80 pid = 5", "dport != 0"]
    {
        assert!(wants(text), "{text}");
    }
    for text in [
        "dport >= 0",
        "dport < 9",
        "dport != 9",
        "dst any",
        "src :80",
        "dport = 9 or pid = 5",
        ":80",
        "not dport = 9",
        "",
    ] {
        assert!(!wants(text), "{text}");
    }
}

struct TestNames;

impl Names for TestNames {
    fn host(&mut self, name: &str) -> Vec<IpAddr> {
        match name {
            "db.example" => vec!["10.0.0.5".parse().unwrap(), "2001:db8::5".parse().unwrap()],
            _ => Vec::new(),
        }
    }
    fn service(&mut self, name: &str) -> Option<u16> {
        (name == "https").then_some(443)
    }
    fn user(&mut self, name: &str) -> Option<u32> {
        (name == "alice").then_some(1000)
    }
    fn device(&mut self, name: &str) -> Option<u32> {
        (name == "eth0").then_some(2)
    }
    fn ephemeral_ports(&mut self) -> (u16, u16) {
        (32768, 60999)
    }
    fn cgroup(&mut self, path: &str) -> Result<Option<u64>, String> {
        Ok((path == "/a").then_some(9))
    }
}

#[test]
fn names_become_numbers() {
    let resolved =
        |text: &str| parse(text).unwrap().resolve(&mut TestNames).map(|filter| filter.expr.to_string());
    for (text, expected) in [
        ("sport = :https", "sport = 443"),
        ("dst db.example", "dst = 10.0.0.5/32 or dst = [2001:db8::5]/128"),
        ("dst 10.0.0.1:https", "dst = 10.0.0.1/32 and dport = 443"),
        ("user alice", "uid = 1000"),
        ("dev = eth0", "dev = 2"),
        ("cgroup != /a", "not cgroup = /a"),
    ] {
        assert_eq!(resolved(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn an_unknown_name_is_pointed_at() {
    for (text, message, carets) in [
        ("sport = 1 dst nowhere.example:5", "there is no host 'nowhere.example'", 14..31),
        ("sport = nosuch", "there is no service 'nosuch'", 8..14),
        ("not user bob or user alice", "there is no user 'bob'", 9..12),
        ("process = wlan9 dev wlan9", "there is no device 'wlan9'", 20..25),
        ("cgroup '/b'", "there is no cgroup '/b'", 7..11),
    ] {
        let bad = parse(text).unwrap().resolve(&mut TestNames).unwrap_err();
        let pointer = format!("    {text}\n    {}{}", " ".repeat(carets.start), "^".repeat(carets.len()));
        assert_eq!((bad.to_string().as_str(), bad.pointer()), (message, pointer), "{text}");
    }
}

#[test]
fn only_whole_conditions_go_to_the_kernel() {
    let kernel = |text: &str| compile(&parse(text).unwrap().expr).map(|program| program.expr.to_string());
    assert_eq!(kernel("dport = 443 and pid = 5").as_deref(), Some("dport = 443"));
    assert_eq!(kernel("dport = 443 or pid = 5"), None);
    assert_eq!(kernel("not (dport = 443 and pid = 5)"), None);
    assert_eq!(
        kernel("src 10.0.0.0/8 not dst :22 recvq > 5").as_deref(),
        Some("src = 10.0.0.0/8 and not dst = *:22")
    );
    assert_eq!(kernel(""), None);
}

proptest! {
    #[test]
    fn no_text_panics(text: String) {
        if let Err(bad) = parse(&text) {
            let _ = (bad.to_string(), bad.pointer());
        }
    }

    #[test]
    fn no_words_panic(words in proptest::collection::vec(proptest::sample::select(vec![
        "state", "listen", "exclude", "(", ")", "not", "!", "and", "or", "=", "!=", "<", "sport", "dst", "10.0.0.1", ":80", "pid",
        "5", "process", "'a b'", "autobound", "fwmark", "0x1/", "[::1]:1", "/", "dev", "cgroup",
    ]), 0..12)) {
        if let Err(bad) = parse(&words.join(" ")) {
            let _ = (bad.to_string(), bad.pointer());
        }
    }
}

#[test]
fn a_state_alone_and_several_at_once_are_read() {
    for (text, same) in [
        ("close-wait", "state close-wait"),
        ("CLOSE_WAIT sport = :80", "state close-wait sport = :80"),
        ("established,close-wait", "state established state close-wait"),
        ("state established,close-wait", "state established state close-wait"),
        ("exclude listen,closed", "exclude listen exclude closed"),
        ("not time-wait", "not state time-wait"),
        ("close-wait or sport = :80", "state close-wait or sport = :80"),
    ] {
        let (text, same) = (parse(text).unwrap(), parse(same).unwrap());
        assert_eq!((text.states, text.expr.to_string()), (same.states, same.expr.to_string()));
    }
    assert!(parse("established,lisen").is_err());
    assert!(Filter::parse("close-wait", Dialect::Ss).is_err(), "ss has no such word");
}
