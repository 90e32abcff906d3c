//! Fuzz targets: whatever comes is read or refused, and nothing panics.
//!
//! Each takes something real and damages it: bytes are changed at some places, the rest is cut off, and others are
//! appended. `cargo test` tries some thousands of inputs, `tests/fuzz/run` ten million of each; a coverage-guided fuzzer takes
//! the same targets by `cargo bolero`.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use bolero::check;
use tcpstates::internals::filter::{Dialect, Filter};
use tcpstates::internals::kernel::procfs::line;
use tcpstates::internals::kernel::sock_diag::decode::Decoder;
use tcpstates::internals::kernel::sock_diag::{Datagrams, Recording, dump};
use tcpstates::internals::model::{Families, Family, Query, Sink, Socket, Source, StateSet};

use crate::support::dumps::{messages, recording};

/// Which real input to start from, the bytes to change and where, how much to keep, and what to append.
type Damage = (u8, Vec<(u16, u8)>, u16, Vec<u8>);

fn damaged(real: &[Vec<u8>], (which, changes, left, behind): &Damage) -> Vec<u8> {
    let mut bytes = real[usize::from(*which) % real.len()].clone();
    for (at, byte) in changes.iter().take(8) {
        let at = usize::from(*at) % bytes.len();
        bytes[at] = *byte;
    }
    // Most inputs keep their length, so the parts after the damage are read too.
    if left % 4 == 0 {
        bytes.truncate(usize::from(*left) % (bytes.len() + 1));
    }
    bytes.extend(behind);
    bytes
}

static DUMPS: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| ["inet", "inet6"].map(|name| fs::read(recording(name)).expect("it is recorded")).into());

/// The first sockets' messages of the recorded dumps.
static MESSAGES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    DUMPS.iter().flat_map(|dump| messages(dump).into_iter().take(24).map(<[u8]>::to_vec)).collect()
});

#[test]
fn a_reply() {
    /// The netlink header before a socket.
    const HEADER: usize = 16;
    let sockets: Vec<_> = MESSAGES.iter().map(|message| message[HEADER..].to_vec()).collect();
    check!().with_type::<Damage>().for_each(|damage| {
        let _ = Decoder::new().decode(&damaged(&sockets, damage));
    });
}

/// Counts what comes.
struct Counter(usize);

impl Sink for Counter {
    fn begin(&mut self, _: Source) {
        self.0 = 0;
    }

    fn row(&mut self, _: &Socket) -> ControlFlow<()> {
        self.0 += 1;
        ControlFlow::Continue(())
    }
}

#[test]
fn a_frame() {
    let query = Query::new(Families::Only(Family::Inet), StateSet::ALL);
    check!().with_type::<Damage>().for_each(|damage| {
        let answer = damaged(&MESSAGES, damage);
        let len = answer.len();
        let mut connect = || {
            // Without an end it would be waited for.
            let answers: [io::Result<Vec<u8>>; 2] = [Ok(answer.clone()), Err(io::ErrorKind::TimedOut.into())];
            Ok(Box::new(Recording::new(answers)) as Box<dyn Datagrams + Send>)
        };
        let mut counter = Counter(0);
        let _ = dump(&query, None, &mut connect, &mut counter);
        assert!(counter.0 <= len / 16, "no more sockets than have room");
    });
}

#[test]
fn a_line_of_proc() {
    let lines = [
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000001 00:00000000 00000000  1000        0 12345 1 0000000000000000 100 0 0 10 0",
        "   7: 0100007F:9C40 0100007F:1F90 01 00000010:00000020 01:00000014 00000002     0        0 99 2 0000000000000000 20 4 30 10 -1",
        "   1: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7 1 0000000000000000 100 0 0 10 0",
        "  12: 0100007F:1F90 0100007F:9C41 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0000000000000000",
    ]
    .map(|line| line.as_bytes().to_vec());
    check!().with_type::<(Damage, bool)>().for_each(|(damage, v6)| {
        let _ = line::parse(&damaged(&lines, damage), if *v6 { Family::Inet6 } else { Family::Inet });
    });
}

#[test]
fn a_filter() {
    let filters = [
        "state established and ( dport = :443 or sport != :ssh ) and not dst 10.0.0.0/8",
        "process 'a b*' and pid > 5 or recvq >= 1 and rtt < 2ms",
        "src [fe80::1%eth0]:80 and dev lo and fwmark = 0x10/0xff",
        "exclude time-wait sport < :1024 cgroup /system.slice autobound",
    ]
    .map(|filter| filter.as_bytes().to_vec());
    check!().with_type::<(Damage, bool)>().for_each(|(damage, ss)| {
        let bytes = damaged(&filters, damage);
        let text = String::from_utf8_lossy(&bytes);
        let dialect = if *ss { Dialect::Ss } else { Dialect::Own };
        match Filter::parse(&*text, dialect) {
            Ok(filter) => {
                if filter.expr.is_always() {
                    return;
                }
                // What it is shown as is a filter too. In brackets, since states of the whole are not in the expression.
                let shown = filter.expr.to_string();
                let again = Filter::parse(&*format!("({shown})"), dialect);
                assert!(again.is_ok(), "{text}: {again:?}");
            }
            Err(bad) => drop((bad.to_string(), bad.pointer())),
        }
    });
}
