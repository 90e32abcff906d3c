//! The arguments that several commands have.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args as ClapArgs, ValueEnum};

use super::field_words::FieldWord;
use super::interval::interval;
use crate::layout::{Format, ReportStyle};
use crate::model::{Access, Families, Family, SourceChoice};
use crate::session::Environment;

/// Options of the list and of the counts (--summary, --count-by, --diff).
#[derive(Debug, ClapArgs)]
pub(crate) struct ListArgs {
    /// Show sockets in every state
    #[arg(short, long)]
    pub(crate) all: bool,

    /// Show listening sockets only; -a overrides it
    #[arg(short, long)]
    pub(crate) listening: bool,

    /// Show TCP sockets, as without it
    #[arg(short, long)]
    pub(crate) tcp: bool,

    /// UDP: not shown here
    #[arg(short, long, hide = true)]
    pub(crate) udp: bool,

    /// Raw sockets: not shown here
    #[arg(short = 'w', long, hide = true)]
    pub(crate) raw: bool,

    /// Unix sockets: not shown here
    #[arg(short = 'x', long, hide = true)]
    pub(crate) unix: bool,

    /// Show each socket's timer
    #[arg(short = 'o', long, alias = "options")]
    pub(crate) timers: bool,

    /// Show user, inode, cookie, cgroup and mark
    #[arg(short, long, alias = "extend")]
    pub(crate) extended: bool,

    /// Show tcp_info: round-trip time, retransmissions, …
    #[arg(short, long)]
    pub(crate) info: bool,

    /// Show the memory of the socket's buffers
    #[arg(short, long)]
    pub(crate) memory: bool,

    /// Print the number of sockets in each state
    ///
    /// All states are counted, whatever -a and -l say.
    #[arg(short, long)]
    pub(crate) summary: bool,

    /// Count by these fields, such as process,state
    ///
    /// The fields are separated by commas, such as state, process, user or local-port. The largest count comes first.
    /// peer-net/LEN and local-net/LEN count by network. `help` lists the fields.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', value_parser = FieldWord, hide_possible_values = true)]
    pub(crate) count_by: Vec<String>,

    /// With --count-by, add up the numbers of these fields
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', value_parser = FieldWord, hide_possible_values = true)]
    pub(crate) sum: Vec<String>,

    /// Print what opened and closed within SECONDS
    ///
    /// Sockets that opened, closed and changed their state, counted by the fields of --count-by (default: state).
    #[arg(long, value_name = "SECONDS", value_parser = interval)]
    pub(crate) diff: Option<Duration>,

    /// Print one JSON document a socket, a line each
    #[arg(long, overrides_with_all = ["json", "format", "ndjson"])]
    pub(crate) ndjson: bool,

    /// Cut and wrap nothing
    #[arg(short = 'W', long)]
    pub(crate) wide: bool,

    /// Read the filter from a file, in which # begins a comment
    #[arg(long, value_name = "FILE")]
    pub(crate) filter_file: Option<PathBuf>,

    /// Say which part of the filter the kernel evaluates and which is left, and do nothing else
    #[arg(long)]
    pub(crate) explain_filter: bool,

    /// Show the processes at a peer on this host
    #[arg(long)]
    pub(crate) peer_process: bool,

    /// Choose the columns; `help` lists the fields
    ///
    /// FIELDS are separated by commas. They are the columns of the table, the plain list and CSV, in this order, and the
    /// keys of JSON, whatever other options would add.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', value_parser = FieldWord, hide_possible_values = true)]
    pub(crate) columns: Vec<String>,

    /// Show host names in place of addresses
    #[arg(short, long)]
    pub(crate) resolve: bool,

    /// Wait for host names no longer than this
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = interval)]
    pub(crate) resolve_timeout: Duration,

    /// In the ss layout, keep each socket on one line
    #[arg(short = 'O', long)]
    pub(crate) oneline: bool,

    /// Sort by these fields; -FIELD reverses
    ///
    /// Any fields, separated by commas, such as state, local, recv-q, rtt or pid. `help` lists the fields.
    #[arg(
        long,
        value_name = "FIELDS",
        allow_hyphen_values = true,
        value_delimiter = ',',
        value_parser = FieldWord,
        hide_possible_values = true
    )]
    pub(crate) sort: Vec<String>,

    /// Show at most N sockets, or counts
    #[arg(long, value_name = "N", value_parser = limit, allow_negative_numbers = true)]
    pub(crate) limit: Option<usize>,

    /// Print again every second, or every SEC
    ///
    /// On a terminal the table is redrawn in place; + marks what is new, ~ what has changed, - what is gone.
    /// Elsewhere, lists for people have a blank line between them. JSON and NDJSON are a stream of documents, one a line, each with
    /// `taken_at`; CSV has one heading, and `taken_at` as its first column.
    #[arg(
        short,
        long,
        value_name = "SEC",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = interval
    )]
    pub(crate) continuous: Option<Duration>,

    #[command(flatten)]
    pub(crate) family: FamilyArgs,

    /// Show numbers in place of service and user names
    ///
    /// The table and the plain list show numbers without it; the netstat and ss layouts, and counts, show names.
    #[arg(short, long, aliases = ["numeric-ports", "numeric-users", "numeric-hosts"])]
    pub(crate) numeric: bool,

    /// Show the names of services and users
    ///
    /// It is for the table and the plain list, which otherwise show numbers.
    #[arg(long, overrides_with = "numeric")]
    pub(crate) names: bool,

    /// Show each socket's processes
    ///
    /// Shows pid, program and descriptor. Given twice (-pp), shows the user and the command line too.
    #[arg(short, long, visible_alias = "program", alias = "programs", action = ArgAction::Count)]
    pub(crate) processes: u8,

    /// Choose table, plain, netstat, ss, json, ndjson or csv
    ///
    /// The default is the table on a terminal, and plain into a pipe.
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        hide_possible_values = true,
        value_parser = PossibleValuesParser::new(Format::WORDS.map(|(word, _)| word)),
        overrides_with_all = ["json", "format"]
    )]
    pub(crate) format: Option<String>,

    /// Print one JSON document
    #[arg(long, overrides_with_all = ["json", "format"])]
    pub(crate) json: bool,

    /// Leave the heading out
    #[arg(short = 'H', long)]
    pub(crate) no_header: bool,

    #[command(flatten)]
    pub(crate) color: ColorArgs,

    #[command(flatten)]
    pub(crate) source: SourceArgs,

    /// Read another proc tree, such as /host/proc
    #[arg(long, value_name = "DIR")]
    pub(crate) proc_root: Option<PathBuf>,
}

/// The families.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct FamilyArgs {
    /// Show IPv4 sockets
    #[arg(short = '4', long)]
    ipv4: bool,

    /// Show IPv6 sockets
    #[arg(short = '6', long)]
    ipv6: bool,
}

impl FamilyArgs {
    /// The families that -4 and -6 select.
    pub(crate) fn families(&self) -> Families {
        match (self.ipv4, self.ipv6) {
            (true, false) => Families::Only(Family::Inet),
            (false, true) => Families::Only(Family::Inet6),
            _ => Families::Both,
        }
    }
}

/// Colours.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ColorArgs {
    /// Colour the states: auto, always or never
    ///
    /// auto is on a terminal, unless NO_COLOR is set.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, hide_possible_values = true)]
    color: ColorChoice,
}

impl ColorArgs {
    /// Whether colours are written.
    pub(crate) fn is_on(&self, environment: Environment) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => !environment.no_color && (environment.force_color || environment.terminal),
        }
    }
}

/// The layout and colours of a report.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct ReportArgs {
    /// Choose the layout
    #[arg(short, long, value_name = "FORMAT", value_parser = ["plain", "json"], overrides_with_all = ["json", "format"])]
    format: Option<String>,

    /// Print one JSON document
    #[arg(long, overrides_with_all = ["json", "format"])]
    json: bool,

    #[command(flatten)]
    color: ColorArgs,
}

impl ReportArgs {
    /// Plain text, or one JSON document.
    pub(crate) fn style(&self, environment: Environment) -> ReportStyle {
        let json = self.json || self.format.as_deref() == Some("json");
        ReportStyle { json, ..report_style(&self.color, environment) }
    }
}

/// Plain text, at most `ReportStyle::WIDEST` columns wide so that it is easy to read.
pub(crate) fn report_style(color: &ColorArgs, environment: Environment) -> ReportStyle {
    ReportStyle {
        json: false,
        color: color.is_on(environment),
        width: environment.width.map_or(ReportStyle::WIDEST, usize::from).min(ReportStyle::WIDEST),
    }
}

/// Where the sockets are read.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct SourceArgs {
    /// Read from auto, netlink or procfs
    ///
    /// auto reads netlink, and if netlink is unavailable /proc/net/tcp and tcp6.
    #[arg(long, value_name = "SOURCE", value_enum, default_value_t, hide_possible_values = true)]
    source: SourceArg,
}

impl SourceArgs {
    /// Access to this host's sockets.
    pub(crate) fn access(&self) -> Access {
        Access { source: self.source.into(), proc_root: None }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// In any case
    Always,
    /// In no case
    Never,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceArg {
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

fn limit(word: &str) -> Result<usize, String> {
    word.parse().map_err(|_| "expected a whole number".to_owned())
}
