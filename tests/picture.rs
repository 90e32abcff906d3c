//! The picture of a terminal in README.md: what the program really prints on one, as SVG, for light and dark pages.
//!
//! `cargo test picture::draw -- --ignored` draws it again, after a change of what the program prints. It needs root and python3.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::support::holder::Running;
use crate::support::namespace;
use crate::support::namespace::Namespace;
use crate::support::run::{PROGRAM, command};

/// What is typed.
const COMMANDS: [&str; 2] = ["tcpstates -at", "tcpstates diagnose"];
/// The terminal's width.
const COLUMNS: usize = 80;
/// A character's width, a line's height and the frame's margin, in the picture's units.
const ADVANCE: usize = 8;
const LINE: usize = 18;
const MARGIN: usize = 16;

/// A shop: a proxy with clients on another host, a program behind it that leaks connections and does not accept, and its
/// database. Each role is a process of its own. It does what the line says that it reads, and says when that is done.
const SCENE: &str = r#"
import socket, sys, time
def listen(family, address, port, backlog):
    s = socket.socket(family); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port)); s.listen(backlog); return s
kept = []; listeners = {}
for line in sys.stdin:
    verb, address, port, count = line.split()
    port, count = int(port), int(count)
    if verb == "listen":
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listeners[port] = listen(family, address, port, count)
    elif verb == "accept":
        kept += [listeners[port].accept()[0] for _ in range(count)]
    elif verb == "connect":
        kept += [socket.create_connection((address, port)) for _ in range(count)]
    elif verb == "send":
        for s in kept[-count:]: s.send(b"SELECT 1")
    elif verb == "close":
        for s in kept[:count]: s.close()
        kept = kept[count:]
    print("done", flush=True)
"#;

/// A process of the scene.
struct Actor(Running);

impl Actor {
    fn start(namespace: &Namespace, folder: &Path, name: &str) -> Self {
        // The kernel names a process after the file that it runs.
        let program = folder.join(name);
        std::os::unix::fs::symlink("/usr/bin/python3", &program).expect("it can be linked");
        let mut actor = command(program);
        actor.arg(folder.join("scene.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        Self(Running(namespace.inside(|| actor.spawn().expect("python3 runs"))))
    }

    fn process(&mut self) -> &mut Child {
        &mut self.0.0
    }

    /// Has it do something, and returns when that is done.
    fn acts(&mut self, line: &str) {
        let child = self.process();
        let stdin = child.stdin.as_mut().expect("it is piped");
        std::io::Write::write_all(stdin, format!("{line}\n").as_bytes()).expect("it reads");
        let mut done = String::new();
        BufReader::new(child.stdout.as_mut().expect("it is piped")).read_line(&mut done).expect("it answers");
        assert_eq!(done, "done\n", "{line}");
    }
}

/// The scene, until it is dropped.
struct Scene {
    host: Namespace,
    _clients: Namespace,
    _actors: Vec<Actor>,
    _folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Option<Self> {
        let (host, clients) = (namespace()?, namespace()?);
        let folder = tempfile::tempdir().expect("a folder can be had");
        fs::write(folder.path().join("scene.py"), SCENE).expect("it can be written");
        let start = |namespace: &Namespace, name: &str| Actor::start(namespace, folder.path(), name);
        let mut proxy = start(&host, "nginx");
        let (mut shop, mut database) = (start(&host, "shop"), start(&host, "postgres"));
        let mut browser = start(&clients, "browser");
        let into = proxy.process().id();
        let made = [
            clients.ip(&format!("link add eth0 type veth peer name eth0 netns {into}")),
            host.ip(
                "addr add 192.0.2.10/24 dev eth0\naddr add 2001:db8::10/64 dev eth0 nodad\nlink set eth0 up",
            ),
            clients.ip(
                "addr add 192.0.2.77/24 dev eth0\naddr add 2001:db8::77/64 dev eth0 nodad\nlink set eth0 up",
            ),
        ];
        made.into_iter().collect::<Result<(), _>>().expect("the hosts can be linked");
        proxy.acts("listen :: 443 511");
        database.acts("listen 127.0.0.1 5432 128");
        shop.acts("listen 127.0.0.1 9000 1");
        for (address, count) in [("192.0.2.10", 2), ("2001:db8::10", 1)] {
            browser.acts(&format!("connect {address} 443 {count}"));
            proxy.acts(&format!("accept - 443 {count}"));
        }
        // Two connections that the database has closed and the program has not, and one in use.
        shop.acts("connect 127.0.0.1 5432 2");
        database.acts("accept - 5432 2");
        database.acts("close - 0 2");
        shop.acts("connect 127.0.0.1 5432 1");
        database.acts("accept - 5432 1");
        shop.acts("send - 0 1");
        // The program does not accept what the proxy asks for.
        proxy.acts("connect 127.0.0.1 9000 2");
        // A client that is gone.
        browser.acts("connect 192.0.2.10 443 1");
        proxy.acts("accept - 443 1");
        proxy.acts("close - 0 1");
        browser.acts("close - 0 1");
        Some(Self { host, _clients: clients, _actors: vec![proxy, shop, database, browser], _folder: folder })
    }

    /// What the program prints on a terminal.
    fn screen(&self, line: &str) -> String {
        // The terminal gets its size before the program asks for it.
        let line = line.replace("tcpstates", PROGRAM);
        let mut shell = command("sh");
        shell.args(["-c", &format!("stty cols {COLUMNS} rows 200 <&1; exec {line}")]).env("TERM", "xterm");
        self.host.inside(|| {
            let mut session =
                rexpect::session::spawn_command(shell, Some(10_000)).expect("a terminal can be had");
            session.exp_eof().expect("it ends")
        })
    }
}

/// A stretch of one style. The style is a class of the picture's: `c1` to `c6` and `c9` to `c14` are colours, `b` is bold, `d` is dim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Span {
    class: String,
    text: String,
}

/// What SGR sequences (ECMA-48) have set.
#[derive(Clone, Copy, Default)]
struct Style {
    colour: Option<u8>,
    bold: bool,
    dim: bool,
}

impl Style {
    fn set(&mut self, parameters: &str) {
        let mut numbers = parameters.split(';').map(|number| number.parse::<u8>().unwrap_or(0));
        while let Some(number) = numbers.next() {
            match number {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                22 => (self.bold, self.dim) = (false, false),
                39 => self.colour = None,
                30..=37 => self.colour = Some(number - 30),
                90..=97 => self.colour = Some(number - 90 + 8),
                // One of 256, of which the first 16 are the terminal's own.
                38 => match (numbers.next(), numbers.next()) {
                    (Some(5), Some(colour @ 0..=15)) => self.colour = Some(colour),
                    other => panic!("no class for the colour {other:?}"),
                },
                other => panic!("no class for SGR {other}"),
            }
        }
    }

    fn class(self) -> String {
        let mut classes: Vec<_> = self.colour.map(|colour| format!("c{colour}")).into_iter().collect();
        classes.extend(self.bold.then(|| "b".to_owned()));
        classes.extend(self.dim.then(|| "d".to_owned()));
        classes.join(" ")
    }
}

/// The lines of a screen, each in its spans.
fn spans(screen: &str) -> Vec<Vec<Span>> {
    let mut style = Style::default();
    let mut lines = Vec::new();
    for line in screen.trim_end().lines() {
        let mut spans = Vec::new();
        let mut parts = line.trim_end_matches('\r').split("\u{1b}[");
        let mut push = |style: Style, text: &str| {
            if !text.is_empty() {
                spans.push(Span { class: style.class(), text: text.to_owned() });
            }
        };
        push(style, parts.next().unwrap_or_default());
        for part in parts {
            let (parameters, text) = part.split_once('m').expect("a sequence is an SGR one");
            style.set(parameters);
            push(style, text);
        }
        lines.push(spans);
    }
    lines
}

fn text_of(line: &[Span]) -> String {
    line.iter().map(|span| span.text.as_str()).collect()
}

/// The colours of a picture: background, frame, text, and the terminal's 16.
struct Palette {
    name: &'static str,
    background: &'static str,
    frame: &'static str,
    text: &'static str,
    colours: [&'static str; 16],
}

/// The colours of GitHub's pages, which have contrast enough on their own backgrounds.
const PALETTES: [Palette; 2] = [
    Palette {
        name: "light",
        background: "#ffffff",
        frame: "#d0d7de",
        text: "#1f2328",
        colours: [
            "#24292f", "#cf222e", "#116329", "#4d2d00", "#0969da", "#8250df", "#1b7c83", "#6e7781",
            "#57606a", "#a40e26", "#1a7f37", "#7d4e00", "#0550ae", "#6639ba", "#136a70", "#57606a",
        ],
    },
    Palette {
        name: "dark",
        background: "#0d1117",
        frame: "#30363d",
        text: "#e6edf3",
        colours: [
            "#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4",
            "#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff",
        ],
    },
];

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The words of a text with the number of characters before them. Words with one blank between them are kept together.
fn stretches(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut column = 0;
    for part in text.split("  ") {
        let words = part.trim();
        if !words.is_empty() {
            found.push((column + part.chars().take_while(|c| *c == ' ').count(), words));
        }
        column += part.chars().count() + 2;
    }
    found
}

/// The lines as a picture. Each stretch of words has its place and length, so columns stand below each other in any font.
fn svg(lines: &[Vec<Span>], palette: &Palette) -> String {
    let (width, height) = (COLUMNS * ADVANCE + 2 * MARGIN, lines.len() * LINE + 2 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <title>{}</title>\n<style>\n\
         text {{ font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, \"DejaVu Sans Mono\", monospace; fill: {}; white-space: pre }}\n\
         .b {{ font-weight: bold }}\n.d {{ opacity: 0.65 }}\n",
        escape(&COMMANDS.join(" and ")),
        palette.text,
    );
    for (number, colour) in palette.colours.iter().enumerate() {
        let _ = writeln!(out, ".c{number} {{ fill: {colour} }}");
    }
    let _ = writeln!(
        out,
        "</style>\n<rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"6\" fill=\"{}\" stroke=\"{}\"/>",
        width - 1,
        height - 1,
        palette.background,
        palette.frame,
    );
    for (number, line) in lines.iter().enumerate() {
        let mut column = 0;
        let y = MARGIN + number * LINE + 13;
        let _ = write!(out, "<text xml:space=\"preserve\" y=\"{y}\">");
        for Span { class, text } in line {
            let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
            for (at, words) in stretches(text) {
                let (x, length) = (MARGIN + (column + at) * ADVANCE, words.chars().count() * ADVANCE);
                let words = escape(words);
                let _ = write!(out, "<tspan x=\"{x}\" textLength=\"{length}\"{class}>{words}</tspan>");
            }
            column += text.chars().count();
        }
        out.push_str("</text>\n");
    }
    out.push_str("</svg>\n");
    out
}

fn path(palette: &Palette) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/terminal-{}.svg", palette.name))
}

/// Draws the picture again, with the numbers of this run.
#[test]
#[ignore = "it writes docs/terminal-light.svg and docs/terminal-dark.svg"]
fn draw() {
    let Some(scene) = Scene::new() else { return };
    let dim = |text: &str| vec![Span { class: "d".to_owned(), text: text.to_owned() }];
    let mut lines = Vec::new();
    for line in COMMANDS {
        let prompt = Span { class: "d".to_owned(), text: "$ ".to_owned() };
        let typed = Span { class: "b".to_owned(), text: line.to_owned() };
        lines.push(vec![prompt, typed]);
        let printed = spans(&scene.screen(line));
        // Of a report the worst finding is enough.
        let end = printed.iter().position(|line| text_of(line).trim().is_empty()).unwrap_or(printed.len());
        lines.extend_from_slice(&printed[..end]);
        if end < printed.len() {
            lines.push(dim("…"));
        }
        lines.push(Vec::new());
    }
    lines.pop();
    for palette in &PALETTES {
        fs::write(path(palette), svg(&lines, palette)).expect("it can be written");
    }
}

/// The lines of a picture, without the blanks between stretches; fails if it is not well-formed.
fn lines_of(picture: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(picture).expect("it is well-formed");
    assert_eq!(document.root_element().tag_name().namespace(), Some("http://www.w3.org/2000/svg"));
    let texts = document.root_element().children().filter(|node| node.has_tag_name("text"));
    texts
        .map(|text| {
            let words = text.descendants().filter(roxmltree::Node::is_text).filter_map(|node| node.text());
            words.collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[test]
fn the_kept_pictures_show_the_commands() {
    let [light, dark] = PALETTES.map(|palette| {
        let picture = fs::read_to_string(path(&palette)).expect("it is kept");
        let document = roxmltree::Document::parse(&picture).expect("it is well-formed");
        for words in document.descendants().filter(|node| node.has_tag_name("tspan")) {
            let number =
                |name| words.attribute(name).and_then(|text| text.parse::<usize>().ok()).expect("a number");
            assert!(number("x") + number("textLength") <= MARGIN + COLUMNS * ADVANCE, "{words:?} is cut");
        }
        assert!(!picture.contains("@font-face") && !picture.contains("href"), "it needs nothing else");
        lines_of(&picture)
    });
    assert_eq!(light, dark);
    for line in COMMANDS {
        assert!(light.contains(&format!("$ {line}")), "{line}: {light:#?}");
    }
    for word in ["ESTABLISHED", "LISTEN", "CLOSE_WAIT", "CRITICAL", "shop"] {
        assert!(light.iter().any(|line| line.contains(word)), "{word}: {light:#?}");
    }
}

#[test]
fn styles_become_classes() {
    let span = |class: &str, text: &str| Span { class: class.to_owned(), text: text.to_owned() };
    assert_eq!(
        spans("a \u{1b}[1mB\u{1b}[0m\r\n\u{1b}[38;5;9mc\r\n"),
        [vec![span("", "a "), span("b", "B")], vec![span("c9", "c")]]
    );
    assert_eq!(
        spans("\u{1b}[92mok\u{1b}[39m \u{1b}[2;31m<&>\u{1b}[m"),
        [[span("c10", "ok"), span("", " "), span("c1 d", "<&>")]]
    );
    assert_eq!(stretches("  a b    c   d "), [(2, "a b"), (9, "c"), (13, "d")]);
    let picture = svg(&spans("\u{1b}[92mok\u{1b}[39m \u{1b}[2;31m<&\"\u{1b}[m\n\nend"), &PALETTES[0]);
    assert_eq!(lines_of(&picture), ["ok <&\"", "", "end"]);
}
