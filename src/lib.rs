//! Every TCP socket of a Linux host and its state.
//!
//! ```no_run
//! use tcpstates::{Inspector, Selection};
//!
//! // Who holds connections that the other side has closed?
//! let selection = Selection::all().filter("state close-wait")?.holders();
//! let snapshot = Inspector::new().snapshot(&selection)?;
//! for row in snapshot.rows() {
//!     let names: Vec<_> = row.holders.iter().map(|holder| holder.process.name.escape_ascii().to_string()).collect();
//!     println!("port {}: {}", row.socket.local.port, names.join(" "));
//! }
//! for gap in snapshot.gaps() {
//!     eprintln!("not seen: {gap}");
//! }
//! # Ok::<(), tcpstates::Error>(())
//! ```
//!
//! An [`Inspector`] answers a [`Selection`] with a [`Snapshot`]: a [`Row`] for each [`Socket`], and a [`Gap`] for each thing that
//! could not be seen. An empty answer without gaps means that there is no such socket.
//!
//! `tcpstates` is a command too, which is [`run()`]; README.md shows what it does, ARCHITECTURE.md how it is made.

mod bind;
mod cli;
mod commands;
mod demo;
mod diagnose;
mod exit;
mod explain;
mod fields;
mod filter;
mod inspect;
mod kernel;
mod layout;
mod model;
mod run;
mod session;
mod tally;
mod trace;

pub use exit::ExitStatus;
pub use inspect::{Error, Inspector, Selection, Snapshot};
pub use model::cgroup::{Cgroup, CgroupLack};
pub use model::{
    Algorithm, Congestion, Details, Direction, Endpoint, Families, Family, Gap, Holder, Md5Key, Memory,
    OwnerNote, Privileges, Process, ProcessDetails, Queues, Row, RowChange, Shutdown, Socket, Source,
    SourceChoice, StateSet, Subflow, TcpInfo, TcpState, Timer, Tls, Ulp, Unread,
};
pub use run::run;

/// For the tests and benchmarks of this package alone: anything here may change at any time.
#[doc(hidden)]
pub mod internals {
    pub mod diagnose {
        pub use crate::diagnose::*;
    }
    pub mod fields {
        pub use crate::fields::*;
    }
    pub mod filter {
        pub use crate::filter::*;
    }
    pub mod kernel {
        pub use crate::kernel::*;
    }
    pub mod model {
        pub use crate::model::*;
    }
    pub mod layout {
        pub use crate::layout::*;
    }
    pub mod tally {
        pub use crate::tally::*;
    }
}
