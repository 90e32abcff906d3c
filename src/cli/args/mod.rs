//! What was typed.

mod diagnose;
mod field;
mod interval;
mod trace;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub(super) use self::diagnose::DiagnoseArgs;
use self::field::FieldWord;
use self::interval::interval;
pub(super) use self::trace::{ByArg, TraceArgs};
use super::environment::Environment;
use crate::demo::Scene;
use crate::layout::Format;
use crate::model::{Families, Family, SourceChoice};

/// Show every TCP socket of this host and its state
///
/// tcpstates lists TCP sockets as netstat and ss do, counts them by state, and hands them over as JSON. It asks the
/// kernel's inet_diag interface, and reads /proc/net/tcp and tcp6 where that can't be had.
///
/// Without -a or -l it shows all sockets but those in LISTEN and CLOSED. On a terminal it prints a table, into a
/// pipe one plain line a socket, in netstat's columns.
#[derive(Debug, Parser)]
#[command(
    name = "tcpstates",
    version,
    args_override_self = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    override_usage = "tcpstates [OPTIONS] [FILTER]..."
)]
pub(super) struct Args {
    /// Which sockets: `state X`, `exclude X`, `PORT`, `ADDR[/LEN][:PORT]`, or a term such as `dport = 443`
    ///
    /// `state X` keeps a state and `exclude X` leaves one out, in any spelling (FIN-WAIT-1, fin_wait1), or a group:
    /// all, connected, synchronized, bucket, big. Several `state` add up. `PORT` or `:PORT`, `HOST:PORT` and `ADDR[/LEN][:PORT]` keep the
    /// sockets with that port or address at either end; an IPv6 address with a port needs brackets: `[::1]:80`.
    /// Terms are joined by `and`, `or`, `not` and brackets, as in ss; see FILTERS in the manual.
    #[arg(value_name = "FILTER")]
    pub(super) filter: Vec<String>,

    #[command(flatten)]
    pub(super) list: ListArgs,

    #[command(flatten)]
    pub(super) shared: SharedArgs,

    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// Options of the list.
#[derive(Debug, ClapArgs)]
pub(super) struct ListArgs {
    /// Show sockets in every state
    #[arg(short, long)]
    pub(super) all: bool,

    /// Show listening sockets only; -a beats it
    #[arg(short, long)]
    pub(super) listening: bool,

    /// Show TCP: what it does anyway
    #[arg(short, long)]
    pub(super) tcp: bool,

    /// UDP: not shown here
    #[arg(short, long, hide = true)]
    pub(super) udp: bool,

    /// Raw sockets: not shown here
    #[arg(short = 'w', long, hide = true)]
    pub(super) raw: bool,

    /// Unix sockets: not shown here
    #[arg(short = 'x', long, hide = true)]
    pub(super) unix: bool,

    /// Show each socket's timer
    #[arg(short = 'o', long)]
    pub(super) timers: bool,

    /// Show user, inode and cookie, and the cgroup and mark where the kernel tells them
    #[arg(short, long)]
    pub(super) extended: bool,

    /// Show the connection's numbers: round-trip time, window, retransmissions and the rest of tcp_info
    #[arg(short, long)]
    pub(super) info: bool,

    /// Show the memory of the socket's buffers
    #[arg(short, long)]
    pub(super) memory: bool,

    /// Print how many sockets are in each state, whatever -a and -l say
    #[arg(short, long)]
    pub(super) summary: bool,

    /// Print how many sockets there are by FIELD, the most first, such as state, process, user or local-port; of networks,
    /// by peer-net/LEN or local-net/LEN
    #[arg(long, value_name = "FIELD[,FIELD]", value_delimiter = ',', value_parser = FieldWord, hide_possible_values = true)]
    pub(super) count_by: Vec<String>,

    /// With --count-by, add up the numbers of these fields
    #[arg(long, value_name = "FIELD[,FIELD]", value_delimiter = ',', value_parser = FieldWord, hide_possible_values = true)]
    pub(super) sum: Vec<String>,

    /// Print what opened, closed and changed its state within SECONDS, by the keys of --count-by (state)
    #[arg(long, value_name = "SECONDS", value_parser = interval)]
    pub(super) diff: Option<Duration>,

    /// Print one JSON document a socket, a line each
    #[arg(long, overrides_with_all = ["json", "format", "ndjson"])]
    pub(super) ndjson: bool,

    /// Cut and wrap nothing
    #[arg(short = 'W', long)]
    pub(super) wide: bool,

    /// Read the filter from a file, in which # begins a comment
    #[arg(long, value_name = "FILE")]
    pub(super) filter_file: Option<PathBuf>,

    /// Say which part of the filter the kernel evaluates and which is left, and do nothing else
    #[arg(long)]
    pub(super) explain_filter: bool,

    /// Show the processes at the other end, where that is on this host
    #[arg(long)]
    pub(super) peer_process: bool,

    /// Choose and order the columns of the table, the plain list and CSV, whatever other options would add; `help`
    /// lists the fields
    #[arg(long, value_name = "FIELD[,FIELD]", value_delimiter = ',', value_parser = FieldWord, hide_possible_values = true)]
    pub(super) columns: Vec<String>,

    /// Show host names in place of addresses
    #[arg(short, long)]
    pub(super) resolve: bool,

    /// Wait for host names no longer than this
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = interval)]
    pub(super) resolve_timeout: Duration,

    /// In the ss layout, keep each socket on one line
    #[arg(short = 'O', long)]
    pub(super) oneline: bool,

    /// Sort by any field, such as state, local, recv-q, rtt or pid; -FIELD reverses
    #[arg(
        long,
        value_name = "FIELD[,FIELD]",
        allow_hyphen_values = true,
        value_delimiter = ',',
        value_parser = FieldWord,
        hide_possible_values = true
    )]
    pub(super) sort: Vec<String>,

    /// Show at most N sockets, or with --count-by, N counts
    #[arg(long, value_name = "N", value_parser = limit, allow_negative_numbers = true)]
    pub(super) limit: Option<u64>,

    /// Print anew every SECONDS (1 unless given), until interrupted
    ///
    /// Lists for people have a blank line between them. JSON and NDJSON are a stream of documents, one a line, each with
    /// `taken_at`; CSV has one heading, and `taken_at` as its first column.
    #[arg(
        short,
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = interval
    )]
    pub(super) continuous: Option<Duration>,
}

/// Options that subcommands may have too (`shares`).
#[derive(Debug, ClapArgs)]
pub(super) struct SharedArgs {
    /// Show IPv4 sockets
    #[arg(short = '4', long, global = true)]
    pub(super) ipv4: bool,

    /// Show IPv6 sockets
    #[arg(short = '6', long, global = true)]
    pub(super) ipv6: bool,

    /// Show numbers in place of service and user names
    #[arg(short, long, global = true)]
    pub(super) numeric: bool,

    /// Show the processes that hold each socket: pid, program and descriptor; twice, user and command line too
    #[arg(short, long, visible_alias = "program", action = ArgAction::Count, global = true)]
    pub(super) processes: u8,

    /// Choose the layout
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        value_parser = PossibleValuesParser::new(Format::WORDS.map(|(word, _)| word)),
        overrides_with_all = ["json", "format"],
        global = true
    )]
    pub(super) format: Option<String>,

    /// Print one JSON document
    #[arg(long, overrides_with_all = ["json", "format"], global = true)]
    pub(super) json: bool,

    /// Leave the heading out
    #[arg(short = 'H', long, global = true)]
    pub(super) no_header: bool,

    /// Colour the states
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, global = true)]
    pub(super) color: ColorChoice,

    /// Choose where the sockets are read: from netlink, from /proc, or from /proc where netlink can't be had
    #[arg(long, value_name = "SOURCE", value_enum, default_value_t, global = true)]
    pub(super) source: SourceArg,

    /// Read another proc tree, such as /host/proc
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) proc_root: Option<PathBuf>,
}

impl SharedArgs {
    /// What -4 and -6 leave.
    pub(super) fn families(&self) -> Families {
        match (self.ipv4, self.ipv6) {
            (true, false) => Families::Only(Family::Inet),
            (false, true) => Families::Only(Family::Inet6),
            _ => Families::Both,
        }
    }

    /// Whether colours are written.
    pub(super) fn color(&self, environment: Environment) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => !environment.no_color && (environment.force_color || environment.terminal),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// In any case
    Always,
    /// In no case
    Never,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum SourceArg {
    /// netlink, else /proc
    #[default]
    Auto,
    /// netlink only
    Netlink,
    /// /proc only
    Procfs,
}

impl From<SourceArg> for SourceChoice {
    fn from(arg: SourceArg) -> Self {
        match arg {
            SourceArg::Auto => Self::Auto,
            SourceArg::Netlink => Self::Netlink,
            SourceArg::Procfs => Self::Procfs,
        }
    }
}

/// What it does besides listing.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// Explain the TCP states, or one of them, with what this host has of it
    ///
    /// Without STATE: the state diagram with the number of sockets in each, and a table of the eleven. With STATE, in
    /// any spelling: its names, who is in it, every way in and out, how long it lasts with this host's settings, what
    /// a pile of it means and what to do, and who has most of it here.
    Explain {
        /// A state
        #[arg(value_name = "STATE")]
        state: Option<String>,
    },

    /// Play a scene of TCP's life with real sockets, and draw it as textbooks do
    ///
    /// The scene is played on two hosts of its own, network namespaces with a wire between them: nothing of this host is
    /// touched. The drawing has a column for each end, with its calls and states, the segments between them, and the time
    /// of each.
    Demo {
        /// Which scene
        #[arg(value_parser = PossibleValuesParser::new(Scene::WORDS.map(|(word, _)| word)), default_value = "close")]
        scene: String,

        /// Show each step when Enter is pressed
        #[arg(long)]
        step: bool,
    },

    /// Say why a port can't be bound, and who holds it
    ///
    /// The kernel is asked: a bind is tried and released at once, for IPv4 and for IPv6, and with SO_REUSEADDR where the
    /// port is in use; nothing listens and nothing is sent. A free port is held for some microseconds: a program that
    /// binds it just then fails, so do not run this in a tight loop. Without ADDR, 0.0.0.0 and, for IPv6 only, :: must both succeed; -4 and -6
    /// try one of them. A given :: is tried as programs usually bind it, for IPv4 too unless net.ipv6.bindv6only is set.
    /// Then come the sockets on that port, who holds them, whether they are in the way, and what to do. The exit status
    /// is 0 where a plain bind would succeed, 1 where it would not, 3 where that could not be asked.
    Bind {
        /// What to bind: `80`, `127.0.0.1:80`, `[::1]:80`, `[fe80::1%eth0]:80`, `localhost:80`
        ///
        /// As ss, netstat and tcpstates print it. Of a name its first IPv4 and its first IPv6 address are tried.
        #[arg(value_name = "[ADDR:]PORT")]
        target: String,
    },

    /// Say what is wrong with this host's TCP: what was seen, why it matters, what to do
    ///
    /// Rules go over the sockets, the host's settings and its counters: CLOSE_WAIT that a program holds, full accept
    /// queues, piles of half-open connections, SYNs without an answer, local ports, TIME_WAIT, orphans, memory and
    /// descriptors that run out, data that nobody reads, retransmissions, listeners of one family. What could not be
    /// seen is said. Exit status: 0, or with --fail-on 1; 3 where it could not be asked.
    Diagnose(DiagnoseArgs),

    /// Show every transition from state to state as it happens
    ///
    /// A line a transition: when, who was on the processor (in brackets where it was just interrupted), both ends, the
    /// states before and after, the time in the one before, and what it means. It sees the connections of all network
    /// namespaces by the kernel's tracepoints, for which it must be root; else it compares snapshots of this one.
    Trace(Box<TraceArgs>),

    /// Print a file that is made from the command line's definition
    #[command(hide = true)]
    Generate {
        /// Which file
        #[arg(value_enum)]
        artifact: Artifact,
    },
}

/// A file that is made from the command line's definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Artifact {
    /// The manual page
    Man,
    /// Completions for bash
    Bash,
    /// Completions for zsh
    Zsh,
    /// Completions for fish
    Fish,
    /// Completions for elvish
    Elvish,
    /// Completions for `PowerShell`
    Powershell,
}

fn limit(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| "it is no whole number of sockets".to_owned())
}
