//! What the states mean: in general, by the state machine, and on this host, by its settings and sockets.
//!
//! Pure: the facts about the host are passed in.

mod lasts;
mod report;
mod texts;

use std::net::IpAddr;

use crate::model::{Setting, Settings, TcpState, Transition, transitions_from, transitions_into};
use crate::tally::{KeyValue, OneState};

pub(crate) use report::{write_explanation, write_overview};

/// One state, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// The state, one of the eleven.
    pub state: TcpState,
    /// The texts that apply to any host.
    pub text: &'static StateText,
    /// Every transition into the state.
    pub ways_in: Vec<&'static Transition>,
    /// Every transition out of the state.
    pub ways_out: Vec<&'static Transition>,
    /// How long the state lasts on this host: a paragraph for each case.
    pub lasts: Vec<String>,
    /// The settings that affect the state, with their current values.
    pub settings: Vec<(Setting, Option<String>)>,
    /// The sockets that are in the state.
    pub here: Here,
}

/// The texts about a state that apply to any host.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StateText {
    /// Which state.
    pub state: TcpState,
    /// The state in one line.
    pub short: &'static str,
    /// Which end is in the state, in a few words.
    pub who: &'static str,
    /// What the end waits for, in a few words.
    pub waits_for: &'static str,
    /// Which end is in the state, and the segments sent or received before.
    pub story: &'static str,
    /// What a large number of sockets in the state means.
    pub pile: &'static str,
    /// What to do about a large number.
    pub advice: &'static str,
    /// Facts that tutorials get wrong or leave out.
    pub exactly: &'static [&'static str],
    /// The command that lists these sockets.
    pub command: &'static str,
}

/// The sockets of a host that are in a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Here {
    /// How many sockets.
    pub count: u64,
    /// The processes that hold most of the sockets; `None` stands for sockets without a known process.
    pub processes: Vec<(Option<Holder>, u64)>,
    /// The peers with most of the sockets; empty for listeners.
    pub peers: Vec<(IpAddr, u64)>,
    /// The local ports with most of the sockets.
    pub ports: Vec<(u64, u64)>,
}

/// A process that holds sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The PID.
    pub pid: u64,
    /// The name, which may have any bytes.
    pub name: Box<[u8]>,
}

impl Here {
    /// The first few processes, peers and ports that were counted.
    pub(crate) fn of(state: TcpState, counts: &OneState, few: usize) -> Self {
        let count = counts.states.of(state);
        let process = |values: &[KeyValue]| match values {
            [KeyValue::Number(pid), KeyValue::Text(name)] => Some(Holder { pid: *pid, name: name.clone() }),
            _ => None,
        };
        let peer = |values: &[KeyValue]| match values {
            [KeyValue::Addr(addr)] => Some(*addr),
            _ => None,
        };
        let port = |values: &[KeyValue]| match values {
            [KeyValue::Number(port)] => Some(*port),
            _ => None,
        };
        let (processes, peers, ports) =
            (counts.processes.sorted(), counts.peers.sorted(), counts.ports.sorted());
        Self {
            count,
            processes: processes
                .into_iter()
                .map(|(values, amount)| (process(values), amount.count))
                .take(few)
                .collect(),
            peers: peers
                .into_iter()
                .filter_map(|(values, amount)| Some((peer(values)?, amount.count)))
                .take(few)
                .collect(),
            ports: ports
                .into_iter()
                .filter_map(|(values, amount)| Some((port(values)?, amount.count)))
                .take(few)
                .collect(),
        }
    }
}

/// Explains one state.
pub(crate) fn explain(state: TcpState, settings: &Settings, here: Here) -> Option<Explanation> {
    let state = state.shown();
    let text = text(state)?;
    Some(Explanation {
        state,
        text,
        ways_in: transitions_into(state).collect(),
        ways_out: transitions_from(state).collect(),
        lasts: lasts::lasts(state, settings),
        settings: lasts::that_matter(state)
            .iter()
            .map(|setting| (*setting, settings.text(*setting).map(str::to_owned)))
            .collect(),
        here,
    })
}

/// The texts about a state that apply to any host; `None` if it is not one of the eleven.
pub(crate) fn text(state: TcpState) -> Option<&'static StateText> {
    texts::TEXTS.iter().find(|text| text.state == state.shown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_text_in_our_order() {
        let texts: Vec<_> = texts::TEXTS.iter().map(|text| text.state).collect();
        assert_eq!(texts, TcpState::SHOWN);
        for text in &texts::TEXTS {
            let parts =
                [text.short, text.who, text.waits_for, text.story, text.pile, text.advice, text.command];
            assert!(parts.iter().all(|part| !part.is_empty() && !part.contains("  ")), "{}", text.state);
        }
    }

    #[test]
    fn settings_have_their_present_values() {
        let settings: Settings = [(Setting::FinTimeout, "17".to_owned())].into_iter().collect();
        let explanation = explain(TcpState::FinWait2, &settings, Here::default()).unwrap();
        assert_eq!(explanation.settings[0], (Setting::FinTimeout, Some("17".to_owned())));
        assert!(explanation.lasts[0].contains("17 s"), "{:?}", explanation.lasts);
        assert_eq!(explain(TcpState::Other(200), &settings, Here::default()), None);
    }
}
