//! Arguments of `diagnose`.

use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use crate::commands::args::{ReportArgs, SourceArgs};
use crate::commands::interval::interval;
use crate::diagnose::{Severity, Threshold};

/// Options of the diagnosis. Each threshold has an option of the same name.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct DiagnoseArgs {
    /// Look twice, this long apart, and judge counters by what they counted meanwhile
    #[arg(long, value_name = "SECONDS", value_parser = interval)]
    pub(crate) interval: Option<Duration>,

    /// End with status 1 where something is found that is as bad as this, or worse
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub(crate) fail_on: Option<FailOn>,

    /// A program holds a socket in CLOSE_WAIT when nothing has come for this long
    #[arg(long, value_name = "SECONDS", default_value_t = Threshold::CloseWaitAge.usual(), value_parser = whole)]
    pub(crate) close_wait_age: u64,

    /// So many of them in one process are a warning, ten times as many critical
    #[arg(long, value_name = "N", default_value_t = Threshold::CloseWaitCount.usual(), value_parser = count)]
    pub(crate) close_wait_count: u64,

    /// Warn of an accept queue that is filled to this part of it
    #[arg(long, value_name = "PERCENT", default_value_t = Threshold::QueuePercent.usual(), value_parser = percent)]
    pub(crate) queue_percent: u64,

    /// Warn of so many half-open connections at a listener
    #[arg(long, value_name = "N", default_value_t = Threshold::SynRecvCount.usual(), value_parser = count)]
    pub(crate) syn_recv_count: u64,

    /// Warn of SYNs that were sent again so often
    #[arg(long, value_name = "N", default_value_t = Threshold::SynRetries.usual(), value_parser = whole)]
    pub(crate) syn_retries: u64,

    /// Warn where this part of the local ports towards one destination is taken
    #[arg(long, value_name = "PERCENT", default_value_t = Threshold::PortsPercent.usual(), value_parser = percent)]
    pub(crate) ports_percent: u64,

    /// Warn where this part of a limit is used: of TIME_WAIT, orphans, memory, a process's descriptors
    #[arg(long, value_name = "PERCENT", default_value_t = Threshold::LimitPercent.usual(), value_parser = percent)]
    pub(crate) limit_percent: u64,

    /// Warn of data that has been waiting this long for a peer or a program to read
    #[arg(long, value_name = "SECONDS", default_value_t = Threshold::StallAge.usual(), value_parser = whole)]
    pub(crate) stall_age: u64,

    /// Warn of a peer to which this part of the segments had to be sent again
    #[arg(long, value_name = "PERCENT", default_value_t = Threshold::RetransPercent.usual(), value_parser = percent)]
    pub(crate) retrans_percent: u64,

    /// Judge that by no fewer segments
    #[arg(long, value_name = "N", default_value_t = Threshold::RetransSegments.usual(), value_parser = count)]
    pub(crate) retrans_segments: u64,

    #[command(flatten)]
    pub(crate) report: ReportArgs,

    #[command(flatten)]
    pub(crate) source: SourceArgs,
}

fn whole(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| "expected a whole number".to_owned())
}

fn count(word: &str) -> Result<u64, String> {
    whole(word).ok().filter(|count| *count > 0).ok_or_else(|| "expected a whole number from 1 on".to_owned())
}

fn percent(word: &str) -> Result<u64, String> {
    let percent = whole(word).ok().filter(|percent| (1..=100).contains(percent));
    percent.ok_or_else(|| "expected a whole number from 1 to 100".to_owned())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Something goes wrong, or soon will
    Warning,
    /// Connections fail, or it is far gone
    Critical,
}

impl From<FailOn> for Severity {
    fn from(arg: FailOn) -> Self {
        match arg {
            FailOn::Warning => Self::Warning,
            FailOn::Critical => Self::Critical,
        }
    }
}
