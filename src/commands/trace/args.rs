//! Options of `trace`.

use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use crate::commands::args::{ColorArgs, FamilyArgs};
use crate::commands::interval::interval;
use crate::filter::{Dialect, states_named};
use crate::model::StateSet;

/// Options of `trace`.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct TraceArgs {
    /// Which connections, by their ends, ports and states: `:443`, `dst 10.0.0.0/8`, `sport = 80 or dport = 80`
    ///
    /// The filter language of the lists; see FILTERS in the manual. A state is the one that a transition leads into.
    /// Fields that a transition lacks (queues, users, round-trip times) are refused.
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Vec<String>,

    /// Show transitions into STATE only, in any spelling
    #[arg(long, value_name = "STATE[,STATE]", value_delimiter = ',', value_parser = states)]
    pub(crate) state: Vec<StateSet>,

    /// Print one line for each connection when it ends
    #[arg(long)]
    pub(crate) connections: bool,

    /// Print at the end how many transitions there were and how long sockets were in each state; as text, nothing else
    #[arg(long)]
    pub(crate) summary: bool,

    /// End after SECONDS
    #[arg(long, value_name = "SECONDS", value_parser = interval)]
    pub(crate) duration: Option<Duration>,

    /// End after N lines, or with --summary, N transitions
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) count: Option<u64>,

    /// Choose how transitions are found: by the kernel's tracepoints, or by comparing snapshots, which need no privilege
    /// and miss shorter states; the default is tracepoints, or snapshots if those are unavailable
    #[arg(long, value_name = "HOW", value_enum)]
    pub(crate) by: Option<ByArg>,

    /// Take a snapshot every MS milliseconds
    #[arg(long, value_name = "MS", default_value = "100", value_parser = clap::value_parser!(u32).range(1..=3_600_000))]
    pub(crate) poll: u32,

    /// Remember at most N sockets
    #[arg(long, value_name = "N", default_value = "1000000", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_sockets: u32,

    /// Print one JSON document a line
    #[arg(long, overrides_with_all = ["format", "ndjson"])]
    pub(crate) ndjson: bool,

    #[command(flatten)]
    pub(crate) family: FamilyArgs,

    /// Choose the layout
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        value_parser = ["table", "plain", "ndjson", "csv"],
        overrides_with_all = ["format", "ndjson"]
    )]
    pub(crate) format: Option<String>,

    /// Leave the heading out
    #[arg(short = 'H', long)]
    pub(crate) no_header: bool,

    #[command(flatten)]
    pub(crate) color: ColorArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ByArg {
    /// At the kernel's tracepoints
    Tracepoint,
    /// By snapshots
    Poll,
}

fn states(word: &str) -> Result<StateSet, String> {
    states_named(word, Dialect::Own).ok_or_else(|| "expected a TCP state".to_owned())
}

fn count(word: &str) -> Result<u64, String> {
    word.parse().ok().filter(|count| *count > 0).ok_or_else(|| "expected a whole number from 1 on".to_owned())
}
