//! `tcpstates` shows every TCP socket of a Linux host and its state.
//!
//! Data goes one way and nothing flows back:
//!
//! ```text
//! argv ─ cli ─► Plan ─► collect ─► Socket ─► enrich ─► select ─► render ─► stdout
//!                       netlink     model    processes  sort      table, plain,
//!                       procfs               users      limit     netstat, ss, json,
//!                                            names      count     ndjson, csv, summary
//! ```
//!
//! | module | may import |
//! |---|---|
//! | `model` | nothing internal |
//! | `kernel` | nothing internal |
//! | `query`, `filter` | `model` |
//! | `collect` | `kernel`, `model`, `query`, `filter` (bytecode) |
//! | `enrich` | `kernel`, `model` |
//! | `trace` | `kernel`, `model`, `query`, `collect` |
//! | `select` | `model`, `filter` |
//! | `explain` | `model`, `select` |
//! | `bind` | `model`, `query` |
//! | `demo` | `model`, `query`, `collect` |
//! | `diagnose` | `model`, `select` |
//! | `render` | `model`, `select` (counts), the report types of `explain`, `bind`, `diagnose`, `demo`, `trace` |
//! | `cli` | `model`, `query`, `filter`, the option enums of `select`, `render`, `diagnose`, `demo`, `trace` |
//! | `run` | everything; only `main` imports `run` |
//!
//! `tests/architecture.rs` reads the `use` lines and fails on any other import.

pub mod bind;
pub mod cli;
pub mod collect;
pub mod demo;
pub mod diagnose;
pub mod enrich;
pub mod exit;
pub mod explain;
pub mod filter;
pub mod kernel;
pub mod model;
pub mod query;
pub mod render;
pub mod run;
pub mod select;
pub mod trace;
