//! The whole command line: the list's arguments, and the commands.

use clap::{Parser, Subcommand, ValueEnum};

use crate::commands::args::ListArgs;
use crate::commands::bind::BindArgs;
use crate::commands::demo::DemoArgs;
use crate::commands::diagnose::DiagnoseArgs;
use crate::commands::explain::ExplainArgs;
use crate::commands::trace::TraceArgs;

/// Show every TCP socket of this host and its state
///
/// tcpstates lists TCP sockets as netstat and ss do, counts them by state, and hands them over as JSON. It asks the
/// kernel's inet_diag interface, and reads /proc/net/tcp and tcp6 if that is unavailable.
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
    #[command(flatten)]
    pub(super) list: ListArgs,

    /// Keep `state X`, `:PORT`, `ADDR[/LEN][:PORT]`, `dport = 443`, …
    ///
    /// `state X` keeps a state and `exclude X` leaves one out, in any spelling (FIN-WAIT-1, fin_wait1), or a group:
    /// all, connected, synchronized, bucket, big. Several `state` add up. `PORT` or `:PORT`, `HOST:PORT` and `ADDR[/LEN][:PORT]` keep the
    /// sockets with that port or address at either end; an IPv6 address with a port needs brackets: `[::1]:80`.
    /// Terms are joined by `and`, `or`, `not` and brackets, as in ss; see FILTERS in the manual.
    #[arg(value_name = "FILTER")]
    pub(super) filter: Vec<String>,

    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

/// The commands other than the list.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// Explain a TCP state, or all, with this host's sockets
    ///
    /// Without STATE: the state diagram with the number of sockets in each, and a table of the eleven. With STATE, in
    /// any spelling: its names, who is in it, every transition in and out, how long it lasts with this host's settings,
    /// what a large number means and what to do, and who has most of it here.
    Explain(ExplainArgs),

    /// Play a scene with real sockets and draw it, as textbooks do
    ///
    /// The scene is played on two hosts of its own, network namespaces with a wire between them: nothing of this host is
    /// touched. The drawing has a column for each end, with its calls and states, the segments between them, and the time
    /// of each.
    Demo(DemoArgs),

    /// Say why a port can't be bound, and who owns it
    ///
    /// The kernel is asked: a bind is tried and released at once, for IPv4 and for IPv6, and with SO_REUSEADDR where the
    /// port is in use; nothing listens and nothing is sent. A free port is held for some microseconds: a program that
    /// binds it just then fails, so do not run this in a tight loop. Without ADDR, 0.0.0.0 and, for IPv6 only, :: must both succeed; -4 and -6
    /// try one of them. A given :: is tried as programs usually bind it, for IPv4 too unless net.ipv6.bindv6only is set.
    /// Then come the sockets on that port, who holds them, whether they are in the way, and what to do. The exit status
    /// is 0 where a plain bind would succeed, 1 where it would not, 3 where that could not be asked.
    Bind(BindArgs),

    /// Say what is wrong with this host's TCP, and what to do
    ///
    /// Rules go over the sockets, the host's settings and its counters: CLOSE_WAIT that a program holds, full accept
    /// queues, many half-open connections, SYNs without an answer, local ports, TIME_WAIT, orphans, memory and
    /// descriptors that run out, data that nobody reads, retransmissions, listeners of one family. What could not be
    /// read is reported. Exit status: 0, or with --fail-on 1; 3 if the sockets could not be read.
    Diagnose(DiagnoseArgs),

    /// Show each change of state as it happens
    ///
    /// A line a transition: when, who was on the processor (in brackets where it was just interrupted), both ends, the
    /// states before and after, the time in the one before, and what it means. It sees the connections of all network
    /// namespaces by the kernel's tracepoints, for which it must be root; otherwise it compares snapshots of this one.
    Trace(Box<TraceArgs>),

    /// Print a file that is made from the command line's definition
    #[command(hide = true)]
    Generate {
        /// Which file
        #[arg(value_enum)]
        artifact: Artifact,

        /// For `words`, a command line whose last word is to be completed; for `man`, the command whose page is printed
        #[arg(last = true)]
        typed: Vec<String>,
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
    /// The words that complete a command line, for the completions of bash, zsh and fish
    Words,
}
