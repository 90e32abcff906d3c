//! Arguments of `diagnose`.

use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use crate::commands::args::{ReportArgs, SourceArgs};
use crate::commands::interval::interval;
use crate::diagnose::{Severity, Threshold};

/// Options of the diagnosis. Each threshold has an option of the same name.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct DiagnoseArgs {
    /// Read everything twice, SECONDS apart, and judge counters by the difference
    #[arg(long, value_name = "SECONDS", value_parser = interval)]
    pub(crate) interval: Option<Duration>,

    /// End with status 1 if a finding is at least this severe
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub(crate) fail_on: Option<FailOn>,

    /// Count a CLOSE_WAIT socket only after this long without incoming data
    #[arg(long, value_name = "SECONDS", default_value_t = Threshold::CloseWaitAge.default_value(), value_parser = whole)]
    pub(crate) close_wait_age: u64,

    /// Warn at N such sockets per process; 10 × N is critical
    #[arg(long, value_name = "N", default_value_t = Threshold::CloseWaitCount.default_value(), value_parser = count)]
    pub(crate) close_wait_count: u64,

    /// Warn of an accept queue that is this full
    #[arg(long, value_name = "PERCENT", default_value_t = Threshold::QueuePercent.default_value(), value_parser = percent)]
    pub(crate) queue_percent: u64,

    /// Warn of N half-open connections at a listener
    #[arg(long, value_name = "N", default_value_t = Threshold::SynRecvCount.default_value(), value_parser = count)]
    pub(crate) syn_recv_count: u64,

    /// Warn of SYNs that were sent again N times
    #[arg(long, value_name = "N", default_value_t = Threshold::SynRetries.default_value(), value_parser = whole)]
    pub(crate) syn_retries: u64,

    /// Warn if this share of the local ports towards one destination is taken
    #[arg(long, value_name = "PERCENT", default_value_t = Threshold::PortsPercent.default_value(), value_parser = percent)]
    pub(crate) ports_percent: u64,

    /// Warn if this share of a limit is used: TIME_WAIT, orphans, memory, a process's descriptors
    #[arg(long, value_name = "PERCENT", default_value_t = Threshold::LimitPercent.default_value(), value_parser = percent)]
    pub(crate) limit_percent: u64,

    /// Warn of data that a peer or a program has not read for this long
    #[arg(long, value_name = "SECONDS", default_value_t = Threshold::StallAge.default_value(), value_parser = whole)]
    pub(crate) stall_age: u64,

    /// Warn of a peer to which this share of the segments was sent again
    #[arg(long, value_name = "PERCENT", default_value_t = Threshold::RetransPercent.default_value(), value_parser = percent)]
    pub(crate) retrans_percent: u64,

    /// Judge retransmissions only from N segments on
    #[arg(long, value_name = "N", default_value_t = Threshold::RetransSegments.default_value(), value_parser = count)]
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
