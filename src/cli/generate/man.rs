//! The manual pages, made from the command line's definition.

use std::io::{self, Write as _};

use clap::Command;
use clap_mangen::Man;

use crate::cli::help::definition;
use crate::commands::field_words::described;
use crate::fields::{self, typed_word};
use crate::layout::text::capitalised;

/// The main page's text before the list of fields.
const FIELDS: &str = include_str!("pages/fields.roff");
/// The main page's examples and filters.
const START: &str = include_str!("pages/main_start.roff");
/// The end of the main page.
const END: &str = include_str!("pages/main_end.roff");

/// The end of each command's page.
fn end_of(command: &str) -> &'static str {
    match command {
        "explain" => include_str!("pages/explain.roff"),
        "demo" => include_str!("pages/demo.roff"),
        "bind" => include_str!("pages/bind.roff"),
        "diagnose" => include_str!("pages/diagnose.roff"),
        "trace" => include_str!("pages/trace.roff"),
        _ => "",
    }
}

/// The main page, or the page of a command.
pub(super) fn man(command: Option<&str>) -> io::Result<Vec<u8>> {
    let mut whole = definition();
    whole.build();
    let Some(name) = command else { return main_page(&whole) };
    let Some(command) = whole.find_subcommand(name).filter(|command| !command.is_hide_set()) else {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("no command '{name}'")));
    };
    let page = format!("tcpstates-{name}");
    let man = page_of(command.clone().name(page.clone()).display_name(page));
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    push_synopsis(&mut out, &[command])?;
    man.render_description_section(&mut out)?;
    push_options(&man, &mut out)?;
    out.extend_from_slice(end_of(name).as_bytes());
    Ok(out)
}

fn page_of(command: Command) -> Man {
    Man::new(command).source(format!("tcpstates {}", env!("CARGO_PKG_VERSION"))).manual("User Commands")
}

fn main_page(whole: &Command) -> io::Result<Vec<u8>> {
    let commands: Vec<_> = whole.get_subcommands().filter(|command| !command.is_hide_set()).collect();
    let man = page_of(whole.clone());
    // The first line has the page's tables laid out by tbl(1).
    let mut out = b"'\\\" t\n".to_vec();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    push_synopsis(&mut out, &[&[whole], commands.as_slice()].concat())?;
    man.render_description_section(&mut out)?;
    push_options(&man, &mut out)?;
    out.extend_from_slice(b".SH COMMANDS\n");
    for command in commands {
        let (name, about) =
            (command.get_name(), command.get_about().map(ToString::to_string).unwrap_or_default());
        writeln!(out, ".TP\n\\fBtcpstates {name}\\fR\n{about}; see \\fBtcpstates\\-{name}\\fR(1).")?;
    }
    out.extend_from_slice(START.as_bytes());
    push_fields(&mut out)?;
    out.extend_from_slice(END.as_bytes());
    Ok(out)
}

/// How each of these commands is typed, a line each.
fn push_synopsis(out: &mut Vec<u8>, commands: &[&Command]) -> io::Result<()> {
    writeln!(out, ".SH SYNOPSIS\n.nf")?;
    for command in commands {
        let usage = (*command).clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").replace('-', "\\-");
        writeln!(out, "{}", usage.replacen("tcpstates", "\\fBtcpstates\\fR", 1))?;
    }
    writeln!(out, ".fi")
}

/// A paragraph for each field: its words, its help, and its key in JSON.
fn push_fields(out: &mut Vec<u8>) -> io::Result<()> {
    out.extend_from_slice(FIELDS.as_bytes());
    let escaped = |text: &str| text.replace('-', "\\-");
    for field in fields::all() {
        let others: Vec<_> = field.others.iter().map(|word| typed_word(word)).collect();
        let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
        writeln!(out, ".TP\n\\fB{}\\fR{}", escaped(&field.typed()), escaped(&others))?;
        let unit = match field.kind.unit() {
            "" => String::new(),
            unit => format!(", {unit}"),
        };
        let json = match field.json {
            "" => "its parts".to_owned(),
            key => format!("\\fI{}\\fR", escaped(key)),
        };
        writeln!(out, "{}. JSON: {json}{unit}.", escaped(&capitalised(&described(field))))?;
    }
    Ok(())
}

/// One section for all options: each of their headings is one below it.
fn push_options(man: &Man, out: &mut Vec<u8>) -> io::Result<()> {
    let mut section = Vec::new();
    man.render_options_section(&mut section)?;
    out.extend_from_slice(b".SH OPTIONS\n");
    // groff takes ASCII alone as it is.
    let section = String::from_utf8_lossy(&section).replace('…', "\\[u2026]");
    for line in section.lines().filter(|line| *line != ".SH OPTIONS") {
        match line.strip_prefix(".SH ") {
            Some(heading) => writeln!(out, ".SS {}", capitalised(&heading.to_lowercase().replace('"', "")))?,
            None => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}
