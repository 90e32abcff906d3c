//! Every command that README.md, the pages in docs/ and the manual show is run, so that none of them rots.
//!
//! A command runs in a shell in the state zoo's namespace, with the program first in its path. The words of the program's
//! answer are another matter: here it must understand the command line and must be able to carry it out.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::run::{Finished, PROGRAM, command, finish};
use crate::support::zoo::Zoo;
use crate::support::{has, zoo};

/// Commands that are shown and not run. An entry that no page shows any more is an error.
const NOT_RUN: [(&str, &str); 12] = [
    ("tcpstates sport = :80 and lisen", "it shows what an error looks like"),
    ("tcpstates -nat --proc-root /host/proc", "it needs another host's proc tree"),
    ("tcpstates -ap --proc-root /host/proc", "it needs another host's proc tree"),
    ("tcpstates demo simultaneous-close --step", "it waits for Enter"),
    ("nsenter --net --target PID tcpstates -ap", "it needs a container"),
    (
        "docker run --rm --net=host --pid=host --cap-add=SYS_PTRACE --cap-add=DAC_READ_SEARCH -v \
         /usr/local/bin/tcpstates:/usr/local/bin/tcpstates:ro debian:stable-slim tcpstates -ap",
        "it needs docker and an image",
    ),
    (
        "install -Dm644 completions/tcpstates.bash /usr/local/share/bash-completion/completions/tcpstates",
        "it changes this host",
    ),
    ("tcpstates explain STATE", "STATE stands for a state"),
    ("tcpstates explain STATE --json", "STATE stands for a state"),
    ("tcpstates bind PORT --json", "PORT stands for a port"),
    ("tcpstates --columns … --ndjson", "it stands for any columns"),
    ("tcpstates --count-by … --json", "it stands for any fields"),
];

/// How long a command may run that never ends by itself.
const ENOUGH: &str = "2";

/// A command, and the page that shows it.
struct Shown {
    page: String,
    command: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder that end so, in order.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there").filter_map(io::Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, end));
        } else if path.to_str().is_some_and(|path| path.ends_with(end)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Whether a shell that reads this runs the program.
fn runs_program(command: &str) -> bool {
    command
        .split([' ', '|', ';', '&', '(', ')'])
        .any(|word| word == "tcpstates" || word.ends_with("/tcpstates"))
}

/// Lines joined where a backslash says so.
fn joined(text: &str) -> String {
    let mut joined = String::new();
    for line in text.lines() {
        if let Some(begun) = line.strip_suffix('\\') {
            joined.push_str(begun.trim());
            joined.push(' ');
        } else {
            joined.push_str(line.trim());
            joined.push('\n');
        }
    }
    joined
}

/// The commands of a page in Markdown: lines with a prompt in `console` blocks, the lines of `sh` blocks that run the
/// program, and code within a line that begins with its name.
fn in_markdown(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("\n```") {
        commands.extend(in_text(before));
        let (language, behind) = behind.split_once('\n').expect("a block begins with a line");
        let (block, behind) = behind.split_once("\n```").expect("a block ends");
        let lines = joined(block);
        for line in lines.lines() {
            let command = match language {
                "console" => line.strip_prefix("$ ").or_else(|| line.strip_prefix("# ")),
                "sh" => Some(line).filter(|line| !line.starts_with('#')),
                _ => None,
            };
            commands.extend(command.filter(|command| runs_program(command)).map(str::to_owned));
        }
        rest = behind;
    }
    commands.extend(in_text(rest));
    commands
}

/// The commands within the lines of a text.
fn in_text(text: &str) -> Vec<String> {
    let code = text.split('`').skip(1).step_by(2).map(|code| code.replace('\n', " "));
    code.filter(|code| code.starts_with("tcpstates ")).filter(|code| *code != "tcpstates trace").collect()
}

/// The commands of a page of the manual, in its section EXAMPLES.
fn in_manual(page: &str) -> Vec<String> {
    let Some((_, examples)) = page.split_once(".SH EXAMPLES") else { return Vec::new() };
    let examples = examples.split("\n.SH").next().unwrap_or_default();
    let blocks = examples.split("\n.nf\n").skip(1).filter_map(|block| block.split_once("\n.fi"));
    blocks
        .flat_map(|(block, _)| {
            let plain = block
                .replace("\\-", "-")
                .replace("\\(aq", "'")
                .replace("\\*(Aq", "'")
                .replace("\\&", "")
                .replace("\\e", "\\");
            joined(&plain).lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|line| runs_program(line))
        .collect()
}

/// All that is shown, each once for a page.
fn shown() -> Vec<Shown> {
    let mut pages = vec![root().join("README.md")];
    pages.extend(files(&root().join("docs"), ".md"));
    pages.extend(files(&root().join("man"), ".1"));
    let mut all = Vec::new();
    for path in pages {
        let text = fs::read_to_string(&path).expect("a page is UTF-8");
        let page = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        let is_manual = path.extension().is_some_and(|extension| extension == "1");
        let mut seen = BTreeSet::new();
        for command in if is_manual { in_manual(&text) } else { in_markdown(&text) } {
            if seen.insert(command.clone()) {
                all.push(Shown { page: page.clone(), command });
            }
        }
    }
    all
}

/// Whether it goes on until it is interrupted.
fn never_ends(command: &str) -> bool {
    let runs = command.split(['|', ';', '&']).filter(|run| runs_program(run));
    let is_endless = |run: &str| {
        let repeats = run.split(' ').filter_map(|word| word.strip_prefix("-c")).any(|interval| {
            interval.is_empty() || interval.starts_with(|c: char| c == '=' || c.is_ascii_digit())
        });
        let traces =
            run.contains("tcpstates trace") && !run.contains("--duration") && !run.contains("--count");
        repeats || traces
    };
    command.starts_with("until ") || runs.into_iter().any(is_endless)
}

/// The command with short intervals: its duration is not tested.
fn hastened(command: &str) -> String {
    let mut words: Vec<_> = command.split(' ').collect();
    for at in 1..words.len() {
        if ["--diff", "--interval", "--duration"].contains(&words[at - 1]) {
            words[at] = "0.2";
        }
    }
    words.join(" ")
}

/// A folder for the commands to work in, with the program in front of the path. Each run of it leaves its status there.
struct Shell {
    folder: tempfile::TempDir,
}

impl Shell {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be had");
        let path = folder.path().join("tcpstates");
        // The signal that ends a command is for the program; the wrapper outlives it to note its status.
        let wrapper = format!(
            "#!/bin/sh\ntrap : INT\n'{PROGRAM}' \"$@\"\nstatus=$?\necho $status >> '{}'\nexit $status\n",
            folder.path().join("statuses").display()
        );
        fs::write(&path, wrapper).expect("it can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        Self { folder }
    }

    /// Runs it, and returns with its end the statuses of the program.
    fn run(&self, zoo: &Zoo, line: &str) -> (Finished, Vec<String>) {
        let statuses = self.folder.path().join("statuses");
        fs::write(&statuses, "").expect("it can be written");
        let mut shell = if never_ends(line) {
            let mut timeout = command("timeout");
            timeout.args(["-s", "INT", "-k", "10", ENOUGH, "sh", "-c", line]);
            timeout
        } else {
            let mut timeout = command("timeout");
            timeout.args(["20", "sh", "-c", &hastened(line)]);
            timeout
        };
        let paths = std::env::var("PATH").unwrap_or_default();
        shell.env("PATH", format!("{}:{paths}", self.folder.path().display()));
        let work = self.folder.path().join("work");
        fs::create_dir_all(&work).expect("a folder can be made");
        shell.current_dir(work);
        let finished = zoo.namespace().inside(|| finish(shell));
        let statuses = fs::read_to_string(&statuses).expect("it was written");
        (finished, statuses.lines().map(str::to_owned).collect())
    }
}

/// What is wrong with how it ended, if anything is.
fn complaint(line: &str, finished: &Finished, statuses: &[String]) -> Option<String> {
    let allowed: &[&str] = if line.contains("tcpstates bind") || line.contains("--fail-on") {
        // Their statuses are answers.
        &["0", "1"]
    } else {
        &["0"]
    };
    let bad = statuses.iter().find(|status| !allowed.contains(&status.as_str()));
    let ended = finished.status;
    if let Some(bad) = bad {
        return Some(format!("the program's status is {bad}"));
    }
    if never_ends(line) {
        // By the signal, or earlier if the command had finished.
        let is_loop = line.starts_with("until ");
        let is_fine = if is_loop {
            matches!(ended, Some(0 | 124))
        } else {
            ended == Some(124) && !finished.stdout.is_empty()
        };
        return (!is_fine).then(|| format!("status {ended:?}, {} bytes were printed", finished.stdout.len()));
    }
    if statuses.is_empty() {
        return Some("the program did not run".to_owned());
    }
    // 1 is the answer of grep, diff and the like, and of the program where it is allowed.
    (!matches!(ended, Some(0 | 1))).then(|| format!("status {ended:?}"))
}

/// Connections that come and go until this is dropped, for the commands that wait for some.
fn with_traffic<T: Send>(zoo: &Zoo, f: impl FnOnce() -> T + Send) -> T {
    let ends = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            zoo.namespace().inside(|| {
                let listeners: Vec<_> = [443, 5432, 8081]
                    .map(|port| TcpListener::bind(("127.0.0.1", port)).expect("it is free"))
                    .into();
                while !ends.load(Ordering::Relaxed) {
                    for listener in &listeners {
                        let to = listener.local_addr().expect("it is bound");
                        let client = TcpStream::connect(to).expect("it listens");
                        let accepted = listener.accept().expect("it was called").0;
                        // Closing with unread data resets.
                        let _ = io::Write::write(&mut &client, b"x");
                        drop(accepted);
                        drop(client);
                    }
                    thread::sleep(Duration::from_millis(20));
                }
            });
        });
        let result = f();
        ends.store(true, Ordering::Relaxed);
        result
    })
}

#[test]
fn every_command_that_is_shown_works() {
    let tools = ["jq", "awk", "ss", "timeout"];
    if !tools.into_iter().all(has) {
        return;
    }
    let Some(zoo) = zoo() else { return };
    let shell = Shell::new();
    let shown = shown();
    assert!(shown.len() > 60, "only {} commands were found", shown.len());
    let run = |Shown { page, command }: &Shown| {
        let (finished, statuses) = shell.run(&zoo, command);
        let why = complaint(command, &finished, &statuses)?;
        Some(format!("{page}: {command}\n  {why}\n  {}", finished.stderr.trim()))
    };
    let is_run = |one: &&Shown| NOT_RUN.iter().all(|(command, _)| *command != one.command);
    let (endless, others): (Vec<_>, Vec<_>) =
        shown.iter().filter(is_run).partition(|one| never_ends(&one.command));
    let mut complaints: Vec<_> = others.into_iter().filter_map(run).collect();
    let endless = with_traffic(&zoo, || endless.into_iter().filter_map(run).collect::<Vec<_>>());
    complaints.extend(endless);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_command_that_does_not_work_is_noticed() {
    if !has("jq") || !has("timeout") {
        return;
    }
    let Some(zoo) = zoo() else { return };
    let shell = Shell::new();
    for (line, fault) in [
        ("tcpstates --no-such-option", "the program's status is 2"),
        ("tcpstates --no-such-option | cat", "the program's status is 2"),
        ("tcpstates --source procfs 'rtt > 1'", "the program's status is 1"),
        ("tcpstates -s | jq .", "status Some("),
        ("tcpstates -s | no-such-program", "status Some(127)"),
        ("tcpstates --ndjson -c port = 1", "status Some(124), 0 bytes"),
    ] {
        let (finished, statuses) = shell.run(&zoo, line);
        let why = complaint(line, &finished, &statuses).unwrap_or_default();
        assert!(why.starts_with(fault), "{line}: '{why}': {}", finished.stderr);
    }
}

#[test]
fn what_is_not_run_is_still_shown() {
    let shown = shown();
    for (command, why) in NOT_RUN {
        assert!(shown.iter().any(|one| one.command == command), "no page shows '{command}' any more ({why})");
    }
}

#[test]
fn the_front_page_is_short() {
    let readme = fs::read_to_string(root().join("README.md")).expect("it is there");
    assert!(readme.lines().count() <= 250, "{} lines", readme.lines().count());
}

#[test]
fn every_link_leads_somewhere() {
    let mut pages = files(&root().join("docs"), ".md");
    pages.extend(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(|page| root().join(page)));
    let mut followed = 0;
    for page in pages {
        let text = fs::read_to_string(&page).expect("a page is UTF-8");
        let folder = page.parent().expect("it is in a folder");
        let of_markdown =
            text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
        let of_html = ["src=\"", "srcset=\""].into_iter().flat_map(|attribute| {
            text.split(attribute).skip(1).filter_map(|rest| rest.split_once('"')).map(|(link, _)| link)
        });
        for link in of_markdown.chain(of_html) {
            let file = link.split('#').next().unwrap_or_default();
            if !file.is_empty() && !link.contains("://") {
                assert!(folder.join(file).exists(), "{}: {link}", page.display());
                followed += 1;
            }
        }
    }
    assert!(followed > 20, "{followed}");
}

#[test]
fn commands_are_found_in_each_kind_of_block() {
    let page = "Text with `tcpstates -a` and `-s`.\n\n```console\n$ tcpstates -s | \\\n  sort\nLISTEN 2\n# tcpstates trace x\n$ ls\n```\n\n\
                ```sh\n# Why?\ncargo test\ntcpstates -l\n```\n\n```text\n$ tcpstates -x\n```\n";
    let expected = ["tcpstates -a", "tcpstates -s | sort", "tcpstates trace x", "tcpstates -l"];
    assert_eq!(in_markdown(page), expected);
    let manual = ".SH EXAMPLES\nA:\n.RS 4\n.nf\ntcpstates \\-np state close\\-wait\nls\n.fi\n.SH FILES\n.nf\ntcpstates no\n.fi\n";
    assert_eq!(in_manual(manual), ["tcpstates -np state close-wait"]);
    assert_eq!(hastened("tcpstates --diff 60 -s"), "tcpstates --diff 0.2 -s");
    assert!(
        never_ends("tcpstates -s -c=60") && never_ends("tcpstates trace :80") && !never_ends("tcpstates -s")
    );
}
