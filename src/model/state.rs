//! The TCP states: one table maps the kernel's numbers, our names and every spelling that people use.

use std::fmt;
use std::str::FromStr;

/// A socket's state, by the kernel's names (include/net/tcp_states.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TcpState {
    /// Data may pass both ways.
    Established,
    /// A SYN was sent; nothing came back yet.
    SynSent,
    /// A SYN was received and answered; the handshake's last segment has not come yet.
    SynRecv,
    /// Closed here; the peer has not acknowledged our FIN.
    FinWait1,
    /// Closed here and acknowledged; the peer may still send.
    FinWait2,
    /// Both ends closed; kept so that delayed segments cannot reach a new connection.
    TimeWait,
    /// No connection.
    Close,
    /// The peer closed; this host's program has not.
    CloseWait,
    /// Both closed; our FIN's acknowledgement is awaited.
    LastAck,
    /// Waiting for connections.
    Listen,
    /// Both closed at once; our FIN's acknowledgement is awaited.
    Closing,
    /// A half-open connection inside the kernel, which reports it as `SynRecv`.
    NewSynRecv,
    /// Bound to a port, and neither listening nor connected (Linux 6.8 and later).
    BoundInactive,
    /// A number that this program does not know.
    Other(u8),
}

/// All names of one state.
struct Spelling {
    state: TcpState,
    kernel: u8,
    /// In our own formats.
    name: &'static str,
    /// In RFC 9293.
    rfc: &'static str,
    netstat: &'static str,
    ss: &'static str,
    /// In ss's filters; `None` if ss has no word of its own for the number.
    ss_word: Option<&'static str>,
    /// In include/net/tcp_states.h.
    kernel_name: &'static str,
    /// The words that are read as this state, without case and separators.
    accepted: &'static [&'static str],
}

#[rustfmt::skip]
const TABLE: [Spelling; 13] = {
    use TcpState::{
        BoundInactive, Close, CloseWait, Closing, Established, FinWait1, FinWait2, LastAck, Listen, NewSynRecv,
        SynRecv, SynSent, TimeWait,
    };
    [
        Spelling { state: Established, kernel: 1, name: "ESTABLISHED", rfc: "ESTABLISHED", netstat: "ESTABLISHED", ss: "ESTAB", ss_word: Some("established"), kernel_name: "TCP_ESTABLISHED", accepted: &["ESTABLISHED", "ESTAB"] },
        Spelling { state: SynSent, kernel: 2, name: "SYN_SENT", rfc: "SYN-SENT", netstat: "SYN_SENT", ss: "SYN-SENT", ss_word: Some("syn-sent"), kernel_name: "TCP_SYN_SENT", accepted: &["SYNSENT"] },
        Spelling { state: SynRecv, kernel: 3, name: "SYN_RECV", rfc: "SYN-RECEIVED", netstat: "SYN_RECV", ss: "SYN-RECV", ss_word: Some("syn-recv"), kernel_name: "TCP_SYN_RECV", accepted: &["SYNRECV", "SYNRCV", "SYNRCVD", "SYNRECEIVED"] },
        Spelling { state: FinWait1, kernel: 4, name: "FIN_WAIT1", rfc: "FIN-WAIT-1", netstat: "FIN_WAIT1", ss: "FIN-WAIT-1", ss_word: Some("fin-wait-1"), kernel_name: "TCP_FIN_WAIT1", accepted: &["FINWAIT1"] },
        Spelling { state: FinWait2, kernel: 5, name: "FIN_WAIT2", rfc: "FIN-WAIT-2", netstat: "FIN_WAIT2", ss: "FIN-WAIT-2", ss_word: Some("fin-wait-2"), kernel_name: "TCP_FIN_WAIT2", accepted: &["FINWAIT2"] },
        Spelling { state: TimeWait, kernel: 6, name: "TIME_WAIT", rfc: "TIME-WAIT", netstat: "TIME_WAIT", ss: "TIME-WAIT", ss_word: Some("time-wait"), kernel_name: "TCP_TIME_WAIT", accepted: &["TIMEWAIT"] },
        Spelling { state: Close, kernel: 7, name: "CLOSED", rfc: "CLOSED", netstat: "CLOSE", ss: "UNCONN", ss_word: Some("unconnected"), kernel_name: "TCP_CLOSE", accepted: &["CLOSED", "CLOSE", "UNCONN", "UNCONNECTED"] },
        Spelling { state: CloseWait, kernel: 8, name: "CLOSE_WAIT", rfc: "CLOSE-WAIT", netstat: "CLOSE_WAIT", ss: "CLOSE-WAIT", ss_word: Some("close-wait"), kernel_name: "TCP_CLOSE_WAIT", accepted: &["CLOSEWAIT"] },
        Spelling { state: LastAck, kernel: 9, name: "LAST_ACK", rfc: "LAST-ACK", netstat: "LAST_ACK", ss: "LAST-ACK", ss_word: Some("last-ack"), kernel_name: "TCP_LAST_ACK", accepted: &["LASTACK"] },
        Spelling { state: Listen, kernel: 10, name: "LISTEN", rfc: "LISTEN", netstat: "LISTEN", ss: "LISTEN", ss_word: Some("listening"), kernel_name: "TCP_LISTEN", accepted: &["LISTEN", "LISTENING"] },
        Spelling { state: Closing, kernel: 11, name: "CLOSING", rfc: "CLOSING", netstat: "CLOSING", ss: "CLOSING", ss_word: Some("closing"), kernel_name: "TCP_CLOSING", accepted: &["CLOSING"] },
        Spelling { state: NewSynRecv, kernel: 12, name: "SYN_RECV", rfc: "SYN-RECEIVED", netstat: "SYN_RECV", ss: "SYN-RECV", ss_word: None, kernel_name: "TCP_NEW_SYN_RECV", accepted: &["NEWSYNRECV"] },
        Spelling { state: BoundInactive, kernel: 13, name: "CLOSED", rfc: "CLOSED", netstat: "CLOSE", ss: "UNCONN", ss_word: Some("bound-inactive"), kernel_name: "TCP_BOUND_INACTIVE", accepted: &["BOUNDINACTIVE"] },
    ]
};

/// A word that names no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a TCP state")]
pub struct UnknownState(pub String);

impl TcpState {
    /// The eleven states of RFC 9293 in the order in which our own formats show them.
    pub const SHOWN: [Self; 11] = [
        Self::Listen,
        Self::SynSent,
        Self::SynRecv,
        Self::Established,
        Self::FinWait1,
        Self::FinWait2,
        Self::CloseWait,
        Self::LastAck,
        Self::Closing,
        Self::TimeWait,
        Self::Close,
    ];

    /// The state with this number in the kernel.
    pub const fn from_kernel(number: u8) -> Self {
        if number >= 1 && number as usize <= TABLE.len() {
            TABLE[number as usize - 1].state
        } else {
            Self::Other(number)
        }
    }

    /// This state's number in the kernel.
    pub fn kernel(self) -> u8 {
        match self {
            Self::Other(number) => number,
            known => known.spelling().map_or(0, |row| row.kernel),
        }
    }

    /// The state as it is counted and shown: the kernel's two private numbers become the state they stand for.
    #[must_use]
    pub const fn shown(self) -> Self {
        match self {
            Self::NewSynRecv => Self::SynRecv,
            Self::BoundInactive => Self::Close,
            other => other,
        }
    }

    /// The place in [`Self::SHOWN`]; `None` for a state that is not one of the eleven.
    pub fn rank(self) -> Option<usize> {
        let shown = self.shown();
        Self::SHOWN.iter().position(|state| *state == shown)
    }

    /// Our own name; `None` for a number that this program does not know.
    pub fn name(self) -> Option<&'static str> {
        self.spelling().map(|row| row.name)
    }

    /// RFC 9293's name.
    pub fn rfc_name(self) -> Option<&'static str> {
        self.spelling().map(|row| row.rfc)
    }

    /// netstat's name.
    pub fn netstat_name(self) -> Option<&'static str> {
        self.spelling().map(|row| row.netstat)
    }

    /// ss's name in its State column.
    pub fn ss_name(self) -> Option<&'static str> {
        self.spelling().map(|row| row.ss)
    }

    /// The word for it in ss's filters.
    pub fn ss_word(self) -> Option<&'static str> {
        self.spelling()?.ss_word
    }

    /// The kernel's name for its number.
    pub fn kernel_name(self) -> Option<&'static str> {
        self.spelling().map(|row| row.kernel_name)
    }

    fn spelling(self) -> Option<&'static Spelling> {
        TABLE.iter().find(|row| row.state == self)
    }
}

impl fmt::Display for TcpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self) {
            (Some(name), _) => f.pad(name),
            (None, state) => f.pad(&format!("UNKNOWN({})", state.kernel())),
        }
    }
}

impl FromStr for TcpState {
    type Err = UnknownState;

    /// Reads any spelling: the RFC's, the kernel's (with or without `TCP_`), netstat's, ss's; in any case, with
    /// `-`, `_`, a blank or nothing between the words.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let folded: String =
            word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).map(|c| c.to_ascii_uppercase()).collect();
        let bare = folded.strip_prefix("TCP").unwrap_or(&folded);
        if let Some(number) = bare.strip_prefix("UNKNOWN(").and_then(|rest| rest.strip_suffix(')')) {
            // The printed form of a state that has no name.
            let number = number.parse().ok().filter(|_| number.bytes().all(|byte| byte.is_ascii_digit()));
            return number.map(Self::from_kernel).ok_or_else(|| UnknownState(word.to_owned()));
        }
        TABLE
            .iter()
            .find(|row| row.accepted.contains(&bare))
            .map(|row| row.state)
            .ok_or_else(|| UnknownState(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn kernel_numbers_come_back() {
        for number in 0..=u8::MAX {
            assert_eq!(TcpState::from_kernel(number).kernel(), number);
        }
    }

    #[test]
    fn the_table_is_in_the_kernels_order() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(usize::from(row.kernel), index + 1);
        }
    }

    #[test]
    fn no_spelling_names_two_states() {
        let mut all: Vec<_> = TABLE.iter().flat_map(|row| row.accepted).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn every_printed_name_is_read_back() {
        for row in &TABLE {
            for name in [row.name, row.rfc, row.netstat, row.ss].into_iter().chain(row.ss_word) {
                assert_eq!(name.parse::<TcpState>().map(TcpState::shown), Ok(row.state.shown()), "{name}");
            }
            assert_eq!(row.kernel_name.parse(), Ok(row.state));
        }
    }

    #[test]
    fn unknown_numbers_keep_their_number() {
        assert_eq!(TcpState::from_kernel(14).to_string(), "UNKNOWN(14)");
        assert_eq!("unknown(14)".parse(), Ok(TcpState::Other(14)));
        for bad in ["UNKNOWN", "UNKNOWN()", "UNKNOWN(+1)", "UNKNOWN(256)", "UNKNOWN(1"] {
            assert!(bad.parse::<TcpState>().is_err(), "{bad}");
        }
        assert_eq!(TcpState::Other(200).rank(), None);
    }

    #[test]
    fn the_words_of_the_field_are_read() {
        for (word, state) in [
            ("LISTENING", TcpState::Listen),
            ("SYN_RCVD", TcpState::SynRecv),
            ("SYN-RCVD", TcpState::SynRecv),
            ("syn_received", TcpState::SynRecv),
            ("syn-rcv", TcpState::SynRecv),
            ("FIN_WAIT_1", TcpState::FinWait1),
            ("FIN-WAIT1", TcpState::FinWait1),
            ("finwait2", TcpState::FinWait2),
            ("CLOSED", TcpState::Close),
            ("unconnected", TcpState::Close),
            ("Estab", TcpState::Established),
            ("TCP_TIME_WAIT", TcpState::TimeWait),
            ("bound-inactive", TcpState::BoundInactive),
        ] {
            assert_eq!(word.parse(), Ok(state), "{word}");
        }
        assert_eq!("lisen".parse::<TcpState>(), Err(UnknownState("lisen".to_owned())));
        assert!("".parse::<TcpState>().is_err());
        assert!("tcp".parse::<TcpState>().is_err());
    }

    proptest! {
        #[test]
        fn every_spelling_in_any_case_with_any_separator(row in 0..TABLE.len(), word in 0_usize..4, bits: u32, separator in "[-_ ]?") {
            let row = &TABLE[row];
            let spelled = [row.rfc, row.name, row.netstat, row.accepted[word % row.accepted.len()]][word];
            let typed: String = spelled
                .chars()
                .enumerate()
                .map(|(i, c)| if bits >> (i % 32) & 1 == 1 { c.to_ascii_lowercase() } else { c })
                .flat_map(|c| if matches!(c, '-' | '_') { separator.clone() } else { c.to_string() }.chars().collect::<Vec<_>>())
                .collect();
            prop_assert_eq!(typed.parse::<TcpState>().map(TcpState::shown), Ok(row.state.shown()));
        }

        #[test]
        fn no_word_panics(word: String) {
            let _ = word.parse::<TcpState>();
        }
    }
}
