//! What is looked up for a socket, and what only some lists show of it.

use std::borrow::Cow;

use super::value::{Kind, Read, Value};
use super::{End, Field, Part};
use crate::model::{Needs, Row, Timer};

type OfRow = for<'a> fn(&Row<'a>) -> Value<'a>;

/// An entry of one part.
const fn of_part(part: Part, word: &'static str, kind: Kind, help: &'static str, read: OfRow) -> Field {
    Field { word, others: &[], json: word, help, kind, needs: Needs::NOTHING, part, read: Read::Row(read) }
}

/// An entry that is read from the holders.
const fn of_holders(
    word: &'static str,
    json: &'static str,
    kind: Kind,
    help: &'static str,
    read: Read,
) -> Field {
    Field { word, others: &[], json, help, kind, needs: Needs::HOLDERS, part: Part::Chosen, read }
}

/// The timer.
pub const TIMER: Field = Field {
    json: "timer.kind",
    ..of_part(Part::Timers, "timer", Kind::Timer, "the running timer, as netstat shows it", |row| {
        row.socket.timer.map_or(Value::Unknown, |timer| Value::Word(timer.name()))
    })
};

/// The number of a process that holds the socket.
pub const PID: Field = of_holders(
    "pid",
    "processes.pid",
    Kind::Number,
    "the holders' process numbers",
    Read::Holders(|holder| Value::Number(holder.process.pid.into())),
);

/// Who holds the socket.
pub const PROCESS: Field = Field {
    part: Part::Processes,
    ..of_holders(
        "process",
        "processes",
        Kind::Processes(End::Local),
        "every holder: pid/program[descriptors]; counted and sorted by the name",
        NAME,
    )
};

const NAME: Read = Read::Holders(|holder| Value::Text(Cow::Borrowed(&holder.process.name)));

fn timer<'a>(row: &Row<'a>, of: fn(&Timer) -> u32) -> Value<'a> {
    Value::number(row.socket.timer.as_ref().map(of))
}

const fn of_timer(
    word: &'static str,
    json: &'static str,
    kind: Kind,
    help: &'static str,
    read: OfRow,
) -> Field {
    Field { json, ..of_part(Part::Timers, word, kind, help, read) }
}

pub(super) static HOSTS: &[Field] = &[
    Field {
        needs: Needs::HOSTS,
        ..of_part(Part::Hosts, "local_host", Kind::Text, "the name of the local address", |row| {
            Value::text(row.local_host)
        })
    },
    Field {
        needs: Needs::HOSTS,
        ..of_part(Part::Hosts, "peer_host", Kind::Text, "the name of the peer's address", |row| {
            Value::text(row.peer_host)
        })
    },
];

pub(super) static PROCESSES: &[Field] = &[
    PROCESS,
    Field {
        others: &["name"],
        ..of_holders("program", "processes.name", Kind::Text, "the holders' names", NAME)
    },
    PID,
    Field {
        needs: Needs::HOLDER_USERS,
        ..of_holders(
            "process_user",
            "processes.user",
            Kind::User,
            "the users that the holders run as",
            Read::Holders(|holder| {
                let details = holder.process.details.as_ref();
                details.map_or(Value::Unknown, |details| match details.uid {
                    Some(uid) => Value::User(details.user.as_deref(), uid),
                    None => Value::Unknown,
                })
            }),
        )
    },
    Field {
        needs: Needs::COMMANDS,
        ..of_holders(
            "command",
            "processes.command",
            Kind::Text,
            "the holders' command lines",
            Read::Holders(|holder| {
                let details = holder.process.details.as_ref();
                details.map_or(Value::Unknown, |details| Value::Text(Cow::Borrowed(&details.command)))
            }),
        )
    },
    Field {
        json: "owner_note",
        needs: Needs::HOLDERS,
        ..of_part(Part::Processes, "note", Kind::Text, "why there is no holder", |row| {
            row.owner_note.map_or(Value::Unknown, Value::Note)
        })
    },
    Field {
        needs: Needs::PEERS,
        part: Part::PeerProcesses,
        ..of_holders(
            "peer_process",
            "peer_processes",
            Kind::Processes(End::Peer),
            "the other end's holders, where that is on this host",
            Read::PeerHolders(|holder| Value::Text(Cow::Borrowed(&holder.process.name))),
        )
    },
];

pub(super) static EXTENDED: &[Field] = &[
    Field {
        needs: Needs::USERS,
        ..of_part(Part::Extended, "user", Kind::User, "the user, by name without -n", |row| {
            match (row.user, row.socket.uid) {
                (name, Some(uid)) => Value::User(name, uid),
                // As netstat has it, a half-open connection's is its listener's.
                (Some(name), None) => Value::text(Some(name)),
                (None, None) => Value::Unknown,
            }
        })
    },
    Field {
        needs: Needs::CGROUPS,
        ..of_part(Part::Extended, "cgroup", Kind::Cgroup, "the cgroup's path", |row| {
            Value::text(row.cgroup.path)
        })
    },
    Field {
        needs: Needs::UNITS,
        ..of_part(Part::Extended, "unit", Kind::Text, "the systemd unit", |row| {
            Value::text(row.cgroup.unit())
        })
    },
    Field {
        needs: Needs::UNITS,
        ..of_part(Part::Extended, "container", Kind::Container, "the container's id or name", |row| {
            Value::cow(row.cgroup.container())
        })
    },
    Field {
        needs: Needs::UNITS,
        ..of_part(Part::Extended, "pod_uid", Kind::Text, "the uid of the Kubernetes pod", |row| {
            Value::cow(row.cgroup.pod_uid())
        })
    },
    Field {
        others: &["fwmark"],
        needs: Needs::NETLINK,
        ..of_part(Part::Extended, "mark", Kind::Mark, "the firewall mark", |row| {
            Value::number(row.socket.mark)
        })
    },
];

pub(super) static TIMERS: &[Field] = &[
    TIMER,
    of_timer("timer_expires", "timer.expires_ms", Kind::Time(1_000), "what remains of the timer", |row| {
        timer(row, Timer::expires_ms)
    }),
    of_timer(
        "timer_retransmits",
        "timer.retransmits",
        Kind::Number,
        "how often the timer's segment was sent again",
        |row| timer(row, Timer::retransmits),
    ),
    of_timer("timer_probes", "timer.probes", Kind::Number, "the timer's probes without an answer", |row| {
        timer(row, Timer::probes)
    }),
];
