//! Fields that are looked up for a socket, and fields that only some lists show.

use std::borrow::Cow;

use super::value::{Kind, Read, Value};
use super::{End, Field, Part};
use crate::model::{Needs, Timer};

/// Defaults for entries that JSON and CSV show only if chosen by name.
const CHOSEN: Field = Field {
    word: "",
    others: &[],
    json: "",
    help: "",
    kind: Kind::Text,
    needs: Needs::NOTHING,
    part: Part::Chosen,
    read: Read::Any(|_| Value::Unknown),
};

/// The names of hosts.
const HOST: Field = Field { needs: Needs::HOSTS, part: Part::Hosts, ..CHOSEN };
/// Read from each holder.
const OF_HOLDER: Field = Field { needs: Needs::HOLDERS, ..CHOSEN };
/// Shown by `-e`.
const OF_EXTENDED: Field = Field { part: Part::Extended, ..CHOSEN };
/// Taken from the cgroup's path.
const OF_UNIT: Field = Field { needs: Needs::UNITS, ..OF_EXTENDED };
/// Parts of the timer.
const OF_TIMER: Field = Field { part: Part::Timers, kind: Kind::Number, ..CHOSEN };

/// The number of a process that holds the socket.
pub const PID: Field = Field {
    word: "pid",
    json: "processes.pid",
    help: "the PIDs of the processes that hold the socket",
    kind: Kind::Number,
    read: Read::Holders(|holder| Value::Number(holder.process.pid.into())),
    ..OF_HOLDER
};

/// A descriptor by which the socket is held.
pub const FD: Field = Field {
    word: "fd",
    json: "processes.fd",
    help: "the descriptors by which the socket is held",
    kind: Kind::Number,
    read: Read::Holders(|holder| Value::Number(holder.fd.into())),
    ..OF_HOLDER
};

/// The number of a process that holds the other end.
pub const PEER_PID: Field = Field {
    word: "peer_pid",
    json: "peer_processes.pid",
    help: "the PIDs of the processes that hold the other end",
    kind: Kind::Number,
    needs: Needs::PEERS,
    read: Read::PeerHolders(|holder| Value::Number(holder.process.pid.into())),
    ..OF_HOLDER
};

const NAME: Read = Read::Holders(|holder| Value::Text(Cow::Borrowed(&holder.process.name)));

/// Who holds the socket.
pub const PROCESS: Field = Field {
    word: "process",
    json: "processes",
    help: "every holder: pid/program[descriptors]; counted and sorted by the name",
    kind: Kind::Processes(End::Local),
    part: Part::Processes,
    read: NAME,
    ..OF_HOLDER
};

/// The timer.
pub const TIMER: Field = Field {
    word: "timer",
    json: "timer.kind",
    help: "the running timer, as netstat shows it",
    kind: Kind::Timer,
    read: Read::Word(|row| row.socket.timer.as_ref().map(Timer::name)),
    ..OF_TIMER
};

pub(super) static HOSTS: &[Field] = &[
    Field {
        word: "local_host",
        json: "local_host",
        help: "the name of the local address",
        read: Read::Name(|row| row.local_host),
        ..HOST
    },
    Field {
        word: "peer_host",
        json: "peer_host",
        help: "the name of the peer's address",
        read: Read::Name(|row| row.peer_host),
        ..HOST
    },
];

pub(super) static PROCESSES: &[Field] = &[
    PROCESS,
    Field {
        word: "program",
        others: &["name"],
        json: "processes.name",
        help: "the names of the processes that hold the socket",
        read: NAME,
        ..OF_HOLDER
    },
    PID,
    FD,
    Field {
        word: "process_user",
        json: "processes.user",
        help: "the users that these processes run as",
        kind: Kind::User,
        needs: Needs::HOLDER_USERS,
        read: Read::Holders(|holder| match holder.process.details.as_ref() {
            Some(details) => {
                details.uid.map_or(Value::Unknown, |uid| Value::User(details.user.as_deref(), uid))
            }
            None => Value::Unknown,
        }),
        ..OF_HOLDER
    },
    Field {
        word: "command",
        json: "processes.command",
        help: "the command lines of these processes",
        needs: Needs::COMMANDS,
        read: Read::Holders(|holder| match holder.process.details.as_ref() {
            Some(details) => Value::Text(Cow::Borrowed(&details.command)),
            None => Value::Unknown,
        }),
        ..OF_HOLDER
    },
    Field {
        word: "note",
        json: "owner_note",
        help: "why no process holds the socket",
        needs: Needs::NOTES,
        part: Part::Processes,
        read: Read::Any(|row| row.owner_note.map_or(Value::Unknown, Value::Note)),
        ..OF_HOLDER
    },
    Field {
        word: "peer_process",
        json: "peer_processes",
        help: "the processes that hold the other end, where that is on this host",
        kind: Kind::Processes(End::Peer),
        needs: Needs::PEERS,
        part: Part::PeerProcesses,
        read: Read::PeerHolders(|holder| Value::Text(Cow::Borrowed(&holder.process.name))),
        ..OF_HOLDER
    },
    PEER_PID,
];

pub(super) static EXTENDED: &[Field] = &[
    Field {
        word: "user",
        json: "user",
        help: "the user, by name without -n",
        kind: Kind::User,
        needs: Needs::USERS,
        read: Read::Any(|row| match (row.user, row.socket.uid) {
            (name, Some(uid)) => Value::User(name, uid),
            // As in netstat, a half-open connection has its listener's user.
            (name, None) => Value::text(name),
        }),
        ..OF_EXTENDED
    },
    Field {
        word: "cgroup",
        json: "cgroup",
        help: "the cgroup's path",
        kind: Kind::Cgroup,
        needs: Needs::CGROUPS,
        read: Read::Name(|row| row.cgroup.path),
        ..OF_EXTENDED
    },
    Field {
        word: "unit",
        json: "unit",
        help: "the systemd unit",
        read: Read::Name(|row| row.cgroup.unit()),
        ..OF_UNIT
    },
    Field {
        word: "container",
        json: "container",
        help: "the container's id or name",
        kind: Kind::Container,
        read: Read::Any(|row| Value::cow(row.cgroup.container())),
        ..OF_UNIT
    },
    Field {
        word: "pod_uid",
        json: "pod_uid",
        help: "the uid of the Kubernetes pod",
        read: Read::Any(|row| Value::cow(row.cgroup.pod_uid())),
        ..OF_UNIT
    },
    Field {
        word: "mark",
        others: &["fwmark"],
        json: "mark",
        help: "the firewall mark",
        kind: Kind::Mark,
        needs: Needs::MARKS,
        read: Read::Number(|row| row.socket.mark.map(u64::from)),
        ..OF_EXTENDED
    },
    Field {
        word: "v6only",
        json: "v6only",
        help: "whether an IPv6 socket takes IPv6 only",
        kind: Kind::Flag,
        needs: Needs::NETLINK,
        read: Read::Any(|row| row.socket.v6only.map_or(Value::Unknown, Value::Flag)),
        ..OF_EXTENDED
    },
    Field {
        word: "shutdown",
        json: "shutdown",
        help: "the directions that were shut down: none, receive, send or both",
        kind: Kind::Word(&["none", "receive", "send", "both"], "none, receive, send or both"),
        needs: Needs::NETLINK,
        read: Read::Word(|row| {
            let shutdown = row.socket.shutdown?;
            Some(match (shutdown.receive, shutdown.send) {
                (false, false) => "none",
                (true, false) => "receive",
                (false, true) => "send",
                (true, true) => "both",
            })
        }),
        ..OF_EXTENDED
    },
];

pub(super) static TIMERS: &[Field] = &[
    TIMER,
    Field {
        word: "timer_expires",
        json: "timer.expires_ms",
        help: "the time until the timer expires",
        kind: Kind::Time(1_000),
        read: Read::Number(|row| row.socket.timer.map(|timer| timer.expires_ms().into())),
        ..OF_TIMER
    },
    Field {
        word: "timer_retransmits",
        json: "timer.retransmits",
        help: "how often the timer's segment was sent again",
        read: Read::Number(|row| row.socket.timer.map(|timer| timer.retransmits().into())),
        ..OF_TIMER
    },
    Field {
        word: "timer_probes",
        json: "timer.probes",
        help: "the timer's probes without an answer",
        read: Read::Number(|row| row.socket.timer.map(|timer| timer.probes().into())),
        ..OF_TIMER
    },
];
