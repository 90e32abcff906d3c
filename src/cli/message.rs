//! clap's errors in this program's words.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use crate::commands::NAMES;
use crate::session::Refusal;

/// The refusal of a command line that clap rejected.
pub(super) fn refusal_of(error: &Error, words: &[OsString]) -> Refusal {
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Refusal::Answer(error.to_string()),
        ErrorKind::InvalidUtf8 => {
            let word = words.iter().find(|word| word.to_str().is_none()).cloned().unwrap_or_default();
            Refusal::usage(format!("'{}' is not UTF-8", word.as_encoded_bytes().escape_ascii()))
        }
        _ => {
            let command = words.iter().skip(1).find_map(|word| NAMES.into_iter().find(|name| word == name));
            Refusal::Usage { message: message_of(error, command), hint: Some(hint_of(error, command)) }
        }
    }
}

fn text(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) if texts.is_empty() => None,
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        ContextValue::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The option as it is typed, `--sort <KEY>` → `--sort`; for a positional argument its name, `[SCENE]` → `SCENE`.
fn option(error: &Error) -> Option<String> {
    let shown = text(error, ContextKind::InvalidArg)?;
    let bare = shown.trim_start_matches(['[', '<']);
    Some(bare.split([' ', '=', '[', ']', '>']).next().unwrap_or_default().to_owned())
}

fn message_of(error: &Error, command: Option<&str>) -> String {
    let option = option(error);
    let value = text(error, ContextKind::InvalidValue);
    // The fields are too many for a message.
    let accepted = text(error, ContextKind::ValidValue).filter(|list| list.matches(", ").count() < 20);
    match (error.kind(), option, value) {
        (ErrorKind::UnknownArgument, Some(word), _) if !word.starts_with('-') => {
            format!("'{word}' is an unexpected argument")
        }
        (ErrorKind::UnknownArgument, Some(option), _) => {
            let of = command.map(|command| format!(" {command}")).unwrap_or_default();
            let why = command.and_then(|command| why_not(command, &option));
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            format!("'{option}' is not an option of tcpstates{of}{why}")
        }
        (ErrorKind::InvalidValue, Some(option), Some(value)) if value.is_empty() => {
            needs_value(&option, accepted)
        }
        (ErrorKind::InvalidValue, Some(option), Some(value)) => {
            let accepted = accepted.map(|list| format!(": expected one of {list}")).unwrap_or_default();
            format!("invalid value '{value}' for {option}{accepted}")
        }
        (ErrorKind::ValueValidation, Some(option), Some(value)) => {
            let why = std::error::Error::source(error).map(|why| format!(": {why}")).unwrap_or_default();
            format!("invalid value '{value}' for {option}{why}")
        }
        (ErrorKind::MissingRequiredArgument, Some(_), _) => {
            format!("{} is missing", text(error, ContextKind::InvalidArg).unwrap_or_default())
        }
        _ => first_line(error),
    }
}

/// Why a command lacks an option that others have.
fn why_not(command: &str, option: &str) -> Option<&'static str> {
    Some(match (command, option) {
        (_, "--proc-root") => "it asks this host, and no other proc tree",
        ("diagnose", "-4" | "-6" | "--ipv4" | "--ipv6") => {
            "it looks at both families, which share most limits"
        }
        ("trace", "--source") => "it asks this host's kernel, and --by chooses how",
        _ => return None,
    })
}

fn needs_value(option: &str, accepted: Option<String>) -> String {
    let accepted = accepted.map(|list| format!(": one of {list}")).unwrap_or_default();
    format!("{option} needs a value{accepted}")
}

fn hint_of(error: &Error, command: Option<&str>) -> String {
    if let (None, ErrorKind::UnknownArgument, Some(option)) = (command, error.kind(), option(error))
        && option.strip_prefix('-').is_some_and(|rest| rest.parse::<f64>().is_ok())
    {
        return "write an interval as -c=2".to_owned();
    }
    if let (None, ErrorKind::UnknownArgument, Some(option)) = (command, error.kind(), option(error))
        && let Some(hint) = elsewhere(&option)
    {
        return hint.to_owned();
    }
    let meant = text(error, ContextKind::SuggestedArg).or_else(|| text(error, ContextKind::SuggestedValue));
    let help = || match command {
        Some(command) => format!("see tcpstates {command} --help"),
        None => "see tcpstates --help".to_owned(),
    };
    meant.map_or_else(help, |meant| format!("did you mean '{meant}'?"))
}

/// What has the answer of an option of ss or netstat that is not ours.
fn elsewhere(option: &str) -> Option<&'static str> {
    Some(match option {
        "-K" | "--kill" => "ss -K closes sockets",
        "-Z" | "--context" | "-z" | "--contexts" => "ss -Z shows security contexts",
        "-E" | "--events" => "tcpstates trace shows sockets as they change",
        "-N" | "--net" => "ip netns exec NAME tcpstates lists the sockets of another network namespace",
        "-b" | "--bpf" => "ss -b shows BPF filters",
        "-D" | "--diag" => "ss -D writes the kernel's answer to a file",
        "-M" | "--mptcp" => {
            "ss -M shows MPTCP sockets; their subflows are shown here, and ulp = mptcp finds them"
        }
        "-S" | "--sctp" => "ss -S shows SCTP sockets",
        "-d" | "--dccp" => "ss -d shows DCCP sockets",
        "-0" | "--packet" => "ss -0 shows packet sockets",
        "--vsock" => "ss --vsock shows vsock sockets",
        "--tipc" => "ss --tipc shows TIPC sockets",
        "--xdp" => "ss --xdp shows XDP sockets",
        "--tos" => "ss --tos shows the type of service",
        "--cgroup" => "-e shows the cgroup",
        "--inet-sockopt" => "ss --inet-sockopt shows socket options",
        "-g" | "--groups" => "ip maddress shows multicast groups",
        "--statistics" => "nstat shows the kernel's counters; -s counts sockets by state",
        "--route" => "ip route shows the routing table",
        _ => return None,
    })
}

/// clap's own message, for rare errors.
fn first_line(error: &Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
