//! What a TCP socket is, and how sockets are asked for; free of where they are read and how they are shown.

pub mod cgroup;
mod consumer;
mod endpoint;
mod host;
mod machine;
mod memory;
mod owner;
mod privileges;
mod query;
mod queues;
mod row;
pub mod shown;
mod sink;
mod snapshot;
mod socket;
mod state;
mod state_set;
mod tcp_info;
mod timer;
mod ulp;

pub use consumer::Consumer;
pub use endpoint::{Endpoint, Family, v4_mask, v6_mask};
pub use host::{Counters, Dad, Setting, Settings, TIME_WAIT_MS, port_range};
pub use machine::{Event, MACHINE, Segment, Transition, ways_between, ways_in, ways_out};
pub use memory::Memory;
pub use owner::{Descriptors, Holder, ListenerUse, OwnerNote, Process, ProcessDetails, ProcessName};
pub use privileges::Privileges;
pub use query::{
    Access, Attributes, Families, KernelFilter, Needs, Order, Query, Shown, SourceChoice, Target,
};
pub use queues::Queues;
pub use row::Row;
pub use sink::Sink;
pub use snapshot::{Collected, Gap, Source, Unread};
pub use socket::{Details, Shutdown, Socket, known_uid};
pub use state::{TcpState, UnknownState};
pub use state_set::StateSet;
pub(crate) use tcp_info::with_tcp_info_fields;
pub use tcp_info::{Algorithm, Congestion, TcpInfo};
pub use timer::Timer;
pub use ulp::{Md5Key, Subflow, Tls, Ulp};
