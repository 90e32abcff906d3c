//! Processes: hostile names, several holders, and what an unprivileged user sees.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::document::Document;
use crate::support::holder::Program;
use crate::support::run::{command, finish, program_for_everybody};
use crate::support::{has, namespace};

/// A `)`, a line break, an escape sequence, a byte that is not UTF-8, a quote and a backslash.
const NAME: &[u8] = b"e)\n\x1b[31m\xff\"x\\d";
const NAME_IN_PRINTF: &str = r#"e)\n\033[31m\377"x\\d"#;
/// As the layouts print it: the backslash is not doubled, as ss does not double it.
const NAME_PRINTED: &str = r#"e)\n\x1b[31m\xff"x\d"#;

/// A shell that named itself so and holds the socket as its stdin. Ended when dropped.
struct Hostile(Child);

impl Hostile {
    fn holding(listener: TcpListener) -> Self {
        let script = format!("printf '{NAME_IN_PRINTF}' > /proc/$$/comm; sleep 30; :");
        let mut shell = command("sh");
        let child = shell
            .args(["-c", &script])
            .stdin(OwnedFd::from(listener))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let hostile = Self(child);
        hostile.wait_for_name();
        hostile
    }

    fn wait_for_name(&self) {
        let path = format!("/proc/{}/comm", self.0.id());
        let deadline = Instant::now() + Duration::from_secs(5);
        while fs::read(&path).expect("it runs").strip_suffix(b"\n") != Some(NAME) {
            assert!(Instant::now() < deadline, "it never took its name");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        // The sleep that it started ends by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn hostile_names_do_nothing_to_a_line_or_a_terminal() {
    let Some(namespace) = namespace() else { return };
    let hostile =
        namespace.inside(|| Hostile::holding(TcpListener::bind("127.0.0.1:80").expect("it can listen")));
    let pid = hostile.0.id();

    let plain = namespace.tcpstates(&["-natpH"]);
    assert_eq!(plain.lines().count(), 1, "{plain:?}");
    assert!(plain.contains(&format!("{pid}/{NAME_PRINTED}[0]")), "{plain:?}");
    let chosen = namespace.tcpstates(&["-natH", "--columns", "program"]);
    assert!(chosen.contains(NAME_PRINTED), "{chosen}");
    let ss = namespace.tcpstates(&["-natpHf", "ss"]);
    assert!(ss.contains(&format!("(\"{NAME_PRINTED}\",pid={pid}")), "{ss}");
    let counts = namespace.tcpstates(&["--count-by", "process"]);
    assert!(counts.contains(NAME_PRINTED), "{counts}");
    for format in ["table", "plain", "csv"] {
        let text = namespace.tcpstates(&["-natpf", format]).replace("\"\"", "\"");
        assert!(text.contains(NAME_PRINTED), "{format}: {text}");
    }
    // What was printed finds it, as the text layouts and as JSON have it.
    let in_json = NAME_PRINTED.replace("\\n", "\n").replace("\\x1b", "\x1b");
    for printed in [NAME_PRINTED, &in_json] {
        let found = namespace.tcpstates(&["-natH", &format!("process = '{printed}'")]);
        assert_eq!(found.lines().count(), 1, "{printed:?}");
    }

    for format in ["table", "plain", "netstat", "ss", "csv", "ndjson", "json"] {
        let text = namespace.tcpstates(&["-natp", "-f", format]);
        let harmful: Vec<_> = text.chars().filter(|c| c.is_control() && *c != '\n').collect();
        assert_eq!(harmful, [], "{format}: {text:?}");
    }

    let json = namespace.tcpstates(&["-natp", "--json"]);
    let document = Document::of(&json);
    let processes = document.sockets[0].processes.clone().expect("they were asked for");
    let named = processes.iter().find(|holder| holder.pid == pid).expect("it holds the socket");
    assert_eq!(named.name, "e)\n\u{1b}[31m\\xff\"x\\d");
    // The sleep that it started holds the socket too.
    assert!(processes.iter().any(|holder| holder.pid != pid && holder.name == "sleep"), "{processes:?}");
}

#[test]
fn an_unprivileged_user_is_told_what_is_missing() {
    let Some(namespace) = namespace() else { return };
    if !has("setpriv") {
        return;
    }
    let (_folder, program) = program_for_everybody();

    let _listener = namespace.inside(|| TcpListener::bind("127.0.0.1:80").expect("it can listen"));
    let run = |args: &[&str]| {
        let mut setpriv = command("setpriv");
        setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program).args(args);
        namespace.inside(|| finish(setpriv))
    };

    let (json, stderr) = run(&["-natp", "--json"]).noted();
    let document = Document::of(&json);
    assert_eq!(
        document.sockets[0].owner_note.clone().flatten().as_deref(),
        Some("may be held by a process that could not be read")
    );
    assert_eq!(document.warnings.len(), 1);
    let lines: Vec<_> = stderr.lines().collect();
    assert_eq!(lines.len(), 2, "one note and its hint: {stderr}");
    assert!(lines[0].ends_with("permission denied"), "{stderr}");
    let hint = "hint: user 65534 lacks CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH: run tcpstates as root to see every process";
    assert_eq!(lines[1], hint);

    // Nothing else needs privilege.
    assert_eq!(run(&["-natH"]).quiet().lines().count(), 1);
    assert!(run(&["-s"]).quiet().starts_with("LISTEN 1\n"));
}

#[test]
fn hidden_processes_are_told() {
    let Some(namespace) = namespace() else { return };
    if !has("unshare") || !has("setpriv") {
        return;
    }
    let (_folder, program) = program_for_everybody();
    let _listener = namespace.inside(|| TcpListener::bind("127.0.0.1:80").expect("it can listen"));
    let mounted = |mount: &str| {
        let script = format!(
            "mount -t {mount} /proc && exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$0\" -natp --json"
        );
        let mut unshare = command("unshare");
        unshare.args(["-m", "sh", "-c", &script]).arg(&program);
        let (json, stderr) = namespace.inside(|| finish(unshare)).noted();
        let document: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(document["warnings"].as_array().map(Vec::len), Some(1), "{json}");
        (document["sockets"][0]["owner_note"].as_str().unwrap_or_default().to_owned(), stderr)
    };
    let (note, stderr) = mounted("proc -o hidepid=2 proc");
    assert_eq!(note, "may be held by a process that could not be read");
    assert!(stderr.contains("hidden") && stderr.contains("\nhint: "), "{stderr}");
    let (_, stderr) = mounted("tmpfs none");
    assert!(stderr.contains("/proc could not be read: no process is listed there"), "{stderr}");
}

#[test]
fn a_name_longer_than_the_kernel_keeps() {
    let Some(namespace) = namespace() else { return };
    let name = "tcpstates-controller-manager";
    let Some(program) = Program::new(name) else { return };
    let holder = program.listening(&namespace, name, &["80"]);
    let counted = |filter: &str| namespace.tcpstates(&["-lnH", filter]).lines().count();
    for (filter, count) in [
        (format!("process = {name}"), 1),
        (format!("not process = {name}"), 0),
        ("process = *-manager".to_owned(), 1),
        // As the kernel has it, and as it is printed.
        (format!("process = {}", &name[..15]), 1),
        (format!("process = {}", &name[..16]), 0),
        (format!("process = {name} pid = {}", holder.0.id()), 1),
    ] {
        assert_eq!(counted(&filter), count, "{filter}");
    }
    let counts = namespace.tcpstates(&["--count-by", "process", &format!("process = {name}")]);
    assert_eq!(counts, format!("{} 1\n", &name[..15]));
}

#[test]
fn sorted_by_process() {
    let Some(namespace) = namespace() else { return };
    let hostile =
        namespace.inside(|| Hostile::holding(TcpListener::bind("127.0.0.1:81").expect("it can listen")));
    let _own = namespace.inside(|| TcpListener::bind("127.0.0.1:80").expect("it can listen"));
    let ports = |sort: &str| {
        let text = namespace.tcpstates(&["-natH", "--sort", sort]);
        text.lines().map(|line| line.split_whitespace().nth(3).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let own_first = std::process::id() < hostile.0.id();
    let rising = if own_first { ["127.0.0.1:80", "127.0.0.1:81"] } else { ["127.0.0.1:81", "127.0.0.1:80"] };
    assert_eq!(ports("pid"), rising);
    let falling: Vec<_> = rising.into_iter().rev().collect();
    assert_eq!(ports("-pid"), falling);
}
