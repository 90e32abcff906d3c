//! How long a state lasts on this host, from its settings.

use std::time::Duration;

use crate::model::{Setting, Settings, TIME_WAIT_MS, TcpState};

/// `TCP_TIMEOUT_INIT` of include/net/tcp.h: before a SYN is sent for the second time, in milliseconds.
const FIRST_SYN_MS: u64 = 1000;
/// `TCP_RTO_MIN`: the shortest time before data is sent again.
const SHORTEST_RTO_MS: u64 = 200;
/// `TCP_RTO_MAX`, the longest, on kernels that have no setting for it.
const LONGEST_RTO_MS: u64 = 120_000;
/// What tcp_orphan_retries = 0 stands for (`tcp_orphan_retries()` of net/ipv4/tcp_timer.c).
const ORPHAN_RETRIES: u64 = 8;
/// More retries than any setting allows: keeps sums finite.
const MOST_RETRIES: u64 = 1000;

/// The settings that affect a state.
pub(super) fn that_matter(state: TcpState) -> &'static [Setting] {
    use Setting::{
        AbortOnOverflow, FinTimeout, KeepaliveIntvl, KeepaliveProbes, KeepaliveTime, LocalPortRange,
        MaxOrphans, MaxSynBacklog, MaxTwBuckets, OrphanRetries, Retries2, Rfc1337, RtoMaxMs, Somaxconn,
        SynLinearTimeouts, SynRetries, SynackRetries, Syncookies, TwReuse, TwReuseDelay,
    };
    match state.shown() {
        TcpState::Listen => &[Somaxconn, MaxSynBacklog, Syncookies, AbortOnOverflow],
        TcpState::SynSent => &[SynRetries, SynLinearTimeouts, RtoMaxMs],
        TcpState::SynRecv => &[SynackRetries, RtoMaxMs, MaxSynBacklog, Somaxconn, Syncookies],
        TcpState::Established => &[Retries2, RtoMaxMs, KeepaliveTime, KeepaliveIntvl, KeepaliveProbes],
        TcpState::FinWait1 | TcpState::LastAck | TcpState::Closing => {
            &[OrphanRetries, MaxOrphans, Retries2, RtoMaxMs]
        }
        TcpState::FinWait2 => &[FinTimeout, MaxOrphans, KeepaliveTime, KeepaliveIntvl, KeepaliveProbes],
        TcpState::CloseWait => &[KeepaliveTime, KeepaliveIntvl, KeepaliveProbes, Retries2],
        TcpState::TimeWait => &[MaxTwBuckets, TwReuse, TwReuseDelay, Rfc1337, LocalPortRange],
        _ => &[],
    }
}

/// A paragraph for each event that ends the state, or does not.
pub(super) fn lasts(state: TcpState, settings: &Settings) -> Vec<String> {
    match state.shown() {
        TcpState::Listen => vec!["Until its program closes it or exits.".to_owned(), queue(settings)],
        TcpState::SynSent => {
            vec!["One round trip, if the peer answers.".to_owned(), unanswered_syn(settings)]
        }
        TcpState::SynRecv => {
            vec!["One round trip, if the client answers.".to_owned(), unanswered_syn_ack(settings)]
        }
        TcpState::Established => {
            vec![
                "As long as both programs keep it open.".to_owned(),
                unacknowledged(settings),
                keepalive(settings),
            ]
        }
        TcpState::FinWait1 | TcpState::LastAck => vec![
            "One round trip, if the peer answers.".to_owned(),
            orphan(settings),
            held_unacknowledged(settings),
            closed_window(settings),
        ],
        TcpState::Closing => vec![
            "One round trip, if the peer answers.".to_owned(),
            orphan(settings),
            held_unacknowledged(settings),
        ],
        TcpState::FinWait2 => vec![
            orphaned_fin_wait2(settings),
            format!(
                "While a process holds it (one that has called shutdown() and not close()): without limit. {}",
                keepalive(settings)
            ),
        ],
        TcpState::CloseWait => vec![
            "Without limit while the peer answers: until this host's program closes it or exits.".to_owned(),
            format!(
                "An RST from the peer ends it sooner. The program may still send: {}",
                lower(&unacknowledged(settings))
            ),
            keepalive(settings),
        ],
        TcpState::TimeWait => vec![
            format!(
                "{} seconds, fixed in the kernel; -o shows the time that each has left.",
                TIME_WAIT_MS / 1000
            ),
            buckets(settings),
            reuse(settings),
            reset(settings),
        ],
        TcpState::Close => vec!["Until its program closes it, connects or listens.".to_owned()],
        _ => Vec::new(),
    }
}

fn lower(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

fn unreadable(setting: Setting) -> String {
    format!("{} could not be read here.", setting.name())
}

fn queue(settings: &Settings) -> String {
    match settings.number(Setting::Somaxconn) {
        Some(most) => format!(
            "Its accept queue holds as many connections as listen() asked for, but at most {most} \
             (net.core.somaxconn)."
        ),
        None => unreadable(Setting::Somaxconn),
    }
}

fn longest_rto(settings: &Settings) -> u64 {
    settings.number(Setting::RtoMaxMs).unwrap_or(LONGEST_RTO_MS)
}

/// The sum of `count` waits: each is twice the previous one, but at most `longest`.
fn doubled(first: u64, count: u64, longest: u64) -> u64 {
    let waits = std::iter::successors(Some(first), |wait| Some(wait.saturating_mul(2)));
    waits
        .take(usize::try_from(count.min(MOST_RETRIES)).unwrap_or(0))
        .fold(0, |sum: u64, wait| sum.saturating_add(wait.min(longest)))
}

/// How many of the doubled waits are shorter than `longest`.
fn below(first: u64, longest: u64) -> u64 {
    let waits = std::iter::successors(Some(first), |wait| wait.checked_mul(2));
    waits.take_while(|wait| *wait < longest).map(|_| 1).sum()
}

/// `tcp_write_timeout` of net/ipv4/tcp_timer.c: the linear retries come before the exponential ones.
fn unanswered_syn(settings: &Settings) -> String {
    let Some(retries) = settings.number(Setting::SynRetries) else { return unreadable(Setting::SynRetries) };
    let linear = settings.number(Setting::SynLinearTimeouts).unwrap_or(0);
    let apart = FIRST_SYN_MS * linear.min(MOST_RETRIES);
    let millis =
        apart.saturating_add(doubled(FIRST_SYN_MS, retries.saturating_add(1), longest_rto(settings)));
    let how = if linear == 0 {
        "(tcp_syn_retries) at intervals that double from 1 s".to_owned()
    } else {
        format!(
            "(tcp_syn_linear_timeouts: {linear} times a second apart; then tcp_syn_retries: {retries} times at \
             intervals that double)"
        )
    };
    format!(
        "Without an answer the SYN is sent again {} times {how}; connect() fails after {}, unless the program sets a \
         shorter timeout.",
        retries.saturating_add(linear),
        duration(millis)
    )
}

fn unanswered_syn_ack(settings: &Settings) -> String {
    let Some(retries) = settings.number(Setting::SynackRetries) else {
        return unreadable(Setting::SynackRetries);
    };
    let millis = doubled(FIRST_SYN_MS, retries.saturating_add(1), longest_rto(settings));
    format!(
        "Otherwise the SYN+ACK is sent again {retries} times (tcp_synack_retries), the time between doubling from 1 s, and it is \
         forgotten after {}.",
        duration(millis)
    )
}

fn unacknowledged(settings: &Settings) -> String {
    let Some(retries) = settings.number(Setting::Retries2) else { return unreadable(Setting::Retries2) };
    let millis = doubled(SHORTEST_RTO_MS, retries.saturating_add(1), longest_rto(settings));
    format!(
        "Data that is not acknowledged ends it after {retries} retransmissions (tcp_retries2): after at least {}, \
         later if the round trip is long.",
        duration(millis)
    )
}

fn orphan(settings: &Settings) -> String {
    let Some(set) = settings.number(Setting::OrphanRetries) else {
        return unreadable(Setting::OrphanRetries);
    };
    // With 0 the kernel also gives up as soon as the wait reaches the longest time.
    let retries =
        if set == 0 { ORPHAN_RETRIES.min(below(SHORTEST_RTO_MS, longest_rto(settings))) } else { set };
    let means = if set == 0 { format!(" = 0, which means {retries}") } else { format!(" = {set}") };
    let millis = doubled(SHORTEST_RTO_MS, retries.saturating_add(1), longest_rto(settings));
    format!(
        "An orphan, which no process holds, is dropped after {retries} retransmissions (tcp_orphan_retries{means}): \
         after at least {}.",
        duration(millis)
    )
}

fn held_unacknowledged(settings: &Settings) -> String {
    format!("While a process still holds it: {}", lower(&unacknowledged(settings)))
}

/// `tcp_probe_timer` of net/ipv4/tcp_timer.c: answers keep an orphan only while the time between two probes is shorter
/// than the longest.
fn closed_window(settings: &Settings) -> String {
    let Some(set) = settings.number(Setting::OrphanRetries) else {
        return unreadable(Setting::OrphanRetries);
    };
    let longest = longest_rto(settings);
    let probes = below(SHORTEST_RTO_MS, longest).max(set).saturating_add(1);
    format!(
        "If the peer's window is closed, the data before the FIN waits: an orphan is dropped after at least {}, even \
         if the peer answers the probes; while a process holds the socket, the kernel probes without end.",
        duration(doubled(SHORTEST_RTO_MS, probes, longest))
    )
}

/// `tcp_timewait_state_process` of net/ipv4/tcp_minisocks.c.
fn reset(settings: &Settings) -> String {
    match settings.number(Setting::Rfc1337) {
        Some(0) => "An RST from the peer ends it at once (tcp_rfc1337 = 0).".to_owned(),
        Some(set) => format!("With tcp_rfc1337 = {set} an RST does not end it."),
        None => unreadable(Setting::Rfc1337),
    }
}

fn orphaned_fin_wait2(settings: &Settings) -> String {
    match settings.number(Setting::FinTimeout) {
        Some(seconds) => format!(
            "An orphan, which no process holds, is dropped after {} (tcp_fin_timeout).",
            duration(seconds.saturating_mul(1000))
        ),
        None => unreadable(Setting::FinTimeout),
    }
}

fn keepalive(settings: &Settings) -> String {
    let number = |setting| settings.number(setting);
    let (Some(time), Some(interval), Some(probes)) =
        (number(Setting::KeepaliveTime), number(Setting::KeepaliveIntvl), number(Setting::KeepaliveProbes))
    else {
        return unreadable(Setting::KeepaliveTime);
    };
    let seconds = time.saturating_add(interval.saturating_mul(probes));
    format!(
        "With SO_KEEPALIVE the kernel notices after {} that the peer is gone: {time} s of silence, then {probes} \
         probes {interval} s apart. A program can set its own times.",
        duration(seconds.saturating_mul(1000))
    )
}

fn buckets(settings: &Settings) -> String {
    match settings.number(Setting::MaxTwBuckets) {
        Some(most) => format!(
            "The kernel keeps at most {most} (tcp_max_tw_buckets); beyond that a connection ends without TIME_WAIT, \
             and TCPTimeWaitOverflow counts it."
        ),
        None => unreadable(Setting::MaxTwBuckets),
    }
}

fn reuse(settings: &Settings) -> String {
    let Some(reuse) = settings.number(Setting::TwReuse) else { return unreadable(Setting::TwReuse) };
    let delay = duration(settings.tw_reuse_delay_ms());
    let which = match reuse {
        0 => "no new connection of this host can reuse its ports before that".to_owned(),
        1 => format!(
            "a new connection of this host can reuse its ports after {delay}, if both ends use timestamps"
        ),
        _ => format!(
            "a new connection over loopback can reuse its ports after {delay}; other connections cannot"
        ),
    };
    format!(
        "With tcp_tw_reuse = {reuse} {which}. A listener accepts a new SYN with a later sequence number at any time."
    )
}

/// `127 s`, `15 min 24.6 s`, `2 h 11 min 15 s`.
fn duration(millis: u64) -> String {
    let duration = Duration::from_millis(millis);
    let seconds = duration.as_secs();
    let tenths = duration.subsec_millis() / 100;
    let fraction =
        |seconds: u64| if tenths == 0 { format!("{seconds} s") } else { format!("{seconds}.{tenths} s") };
    match seconds {
        0..180 => fraction(seconds),
        180..7200 => format!("{} min {}", seconds / 60, fraction(seconds % 60)),
        _ => format!("{} h {} min {}", seconds / 3600, seconds / 60 % 60, fraction(seconds % 60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(values: &[(Setting, &str)]) -> Settings {
        values.iter().map(|(setting, value)| (*setting, (*value).to_owned())).collect()
    }

    /// The figures that the kernel's own documentation gives (Documentation/networking/ip-sysctl.rst).
    #[test]
    fn the_kernels_defaults_give_the_documented_times() {
        use Setting::{OrphanRetries, Retries2, SynLinearTimeouts, SynRetries, SynackRetries};
        let has = |text: String, part: &str| assert!(text.contains(part), "{text}");
        has(unanswered_syn(&settings(&[(SynRetries, "6"), (SynLinearTimeouts, "4")])), "after 131 s");
        has(unanswered_syn(&settings(&[(SynRetries, "6")])), "after 127 s");
        has(unanswered_syn_ack(&settings(&[(SynackRetries, "5")])), "after 63 s");
        has(unacknowledged(&settings(&[(Retries2, "15")])), "15 min 24.6 s");
        has(orphan(&settings(&[(OrphanRetries, "0")])), "102.2 s");
        has(orphan(&settings(&[(OrphanRetries, "1")])), "after 1 retransmissions");
    }

    #[test]
    fn a_kernel_with_a_shorter_longest_wait_gives_up_sooner() {
        let values = [(Setting::Retries2, "15"), (Setting::RtoMaxMs, "1000")];
        // 0.2 + 0.4 + 0.8 and 13 times a second.
        assert!(unacknowledged(&settings(&values)).contains("14.4 s"));
        // The kernel drops an orphan before the first wait that reaches the maximum: 0.2 + 0.4 + 0.8 + 1.
        let orphans = [(Setting::OrphanRetries, "0"), (Setting::RtoMaxMs, "1000")];
        let answer = orphan(&settings(&orphans));
        assert!(answer.contains("after 3 retransmissions") && answer.contains("2.4 s"), "{answer}");
    }

    #[test]
    fn an_orphan_at_a_closed_window_is_given_up_too() {
        let has = |values: &[(Setting, &str)], part: &str| {
            let text = closed_window(&settings(values));
            assert!(text.contains(part), "{text}");
        };
        // 0.2 s doubled ten times to 102.4 s, and the longest wait once.
        has(&[(Setting::OrphanRetries, "0")], "after at least 5 min 24.6 s");
        has(&[(Setting::OrphanRetries, "0"), (Setting::RtoMaxMs, "1000")], "after at least 2.4 s");
        has(&[(Setting::OrphanRetries, "5"), (Setting::RtoMaxMs, "1000")], "after at least 4.4 s");
    }

    #[test]
    fn keepalive_adds_its_probes() {
        use Setting::{KeepaliveIntvl, KeepaliveProbes, KeepaliveTime};
        let usual = settings(&[(KeepaliveTime, "7200"), (KeepaliveIntvl, "75"), (KeepaliveProbes, "9")]);
        assert!(keepalive(&usual).contains("2 h 11 min 15 s"), "{}", keepalive(&usual));
    }

    #[test]
    fn what_is_not_known_is_said_by_name() {
        for state in TcpState::SHOWN {
            let text = lasts(state, &Settings::default()).join(" ");
            assert!(!text.is_empty(), "{state}");
            let silent = [TcpState::Close];
            assert_eq!(text.contains("could not be read"), !silent.contains(&state), "{state}: {text}");
        }
    }

    #[test]
    fn absurd_settings_do_no_harm() {
        let all: Settings = Setting::ALL.iter().map(|setting| (*setting, u64::MAX.to_string())).collect();
        for state in TcpState::SHOWN {
            assert!(!lasts(state, &all).is_empty());
        }
    }
}
