//! The types of TCP sockets and of queries for them, independent of where sockets are read and how they are printed.

pub mod cgroup;
mod consumer;
mod direction;
mod endpoint;
pub mod escape;
mod host;
mod identity;
mod machine;
mod memory;
mod needs;
mod owner;
mod privileges;
mod query;
mod queues;
mod row;
mod sink;
mod snapshot;
mod socket;
mod state;
mod state_set;
mod tcp_info;
mod timer;
mod ulp;

pub use consumer::Consumer;
pub use direction::Direction;
pub use endpoint::{Endpoint, Family, v4_mask, v6_mask};
pub use host::{Counters, Dad, Setting, Settings, TIME_WAIT_MS, port_range};
pub use identity::{Ends, Identity};
pub use machine::{
    MACHINE, Segment, Transition, Trigger, transitions_between, transitions_from, transitions_into,
};
pub use memory::Memory;
pub use needs::Needs;
pub use owner::{Descriptors, Holder, OwnerNote, Process, ProcessDetails};
pub use privileges::Privileges;
pub use query::{Access, Families, KernelFilter, Order, Query, SourceChoice, Target, Visible};
pub use queues::Queues;
pub use row::{Row, RowChange};
pub use sink::Sink;
pub use snapshot::{Collected, Gap, Source, Unread};
pub use socket::{Details, Shutdown, Socket, known_uid};
pub use state::{TcpState, UnknownState};
pub use state_set::StateSet;
pub(crate) use tcp_info::with_tcp_info_fields;
pub use tcp_info::{Algorithm, Congestion, InfoNumber, Reading, TcpInfo};
pub use timer::Timer;
pub use ulp::{Md5Key, Subflow, Tls, Ulp};
