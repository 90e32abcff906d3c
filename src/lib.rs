//! `tcpstates` shows every TCP socket of a Linux host and its state.
//!
//! It is a command first: `tcpstates` itself is [`run()`]. How it is made is in ARCHITECTURE.md.

mod bind;
mod cli;
mod demo;
mod diagnose;
mod exit;
mod explain;
mod filter;
mod inspect;
mod kernel;
mod model;
mod render;
mod run;
mod select;
mod trace;

pub use exit::ExitStatus;
pub use run::run;

/// For the tests and benchmarks of this package alone: anything here may change at any time.
#[doc(hidden)]
pub mod internals {
    pub mod diagnose {
        pub use crate::diagnose::*;
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
    pub mod query {
        pub use crate::model::*;
    }
    pub mod render {
        pub use crate::render::*;
    }
    pub mod select {
        pub use crate::select::*;
    }
}
