//! What the states mean: on any host by the state machine, and on this one by its settings and its sockets.
//!
//! Pure: what is known of the host is passed in.

mod lasts;
mod report;
mod texts;

use std::net::IpAddr;

use crate::model::{Setting, Settings, TcpState, Transition, ways_in, ways_out};
use crate::tally::{KeyValue, OneState};

pub(crate) use report::{write_explanation, write_overview};

/// One state, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// The state, one of the eleven.
    pub state: TcpState,
    /// What holds on any host.
    pub text: &'static StateText,
    /// Every way into it.
    pub ways_in: Vec<&'static Transition>,
    /// Every way out of it.
    pub ways_out: Vec<&'static Transition>,
    /// How long it lasts on this host, a paragraph each.
    pub lasts: Vec<String>,
    /// The settings that matter to it, with their present values.
    pub settings: Vec<(Setting, Option<String>)>,
    /// What there is of it.
    pub here: Here,
}

/// What is said of a state on any host.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StateText {
    /// Which state.
    pub state: TcpState,
    /// What it is, in one line.
    pub short: &'static str,
    /// Which end is in it, in a few words.
    pub who: &'static str,
    /// What for, in a few words.
    pub waits_for: &'static str,
    /// Who is in it, and what was sent or received to get there.
    pub story: &'static str,
    /// What many of them mean.
    pub pile: &'static str,
    /// What to do about them.
    pub advice: &'static str,
    /// Where tutorials differ.
    pub exactly: &'static [&'static str],
    /// The command that shows them.
    pub command: &'static str,
}

/// What a host has of a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Here {
    /// How many sockets.
    pub count: u64,
    /// The processes that have most of them; of those that no process holds, or none that can be seen, `None`.
    pub processes: Vec<(Option<Holder>, u64)>,
    /// The peers that have most of them; listeners have none.
    pub peers: Vec<(IpAddr, u64)>,
    /// The local ports that have most of them.
    pub ports: Vec<(u64, u64)>,
}

/// A process that holds sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// Its number.
    pub pid: u64,
    /// Its name: any bytes.
    pub name: Box<[u8]>,
}

impl Here {
    /// What was counted of the state, of each kind the first few.
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
        ways_in: ways_in(state).collect(),
        ways_out: ways_out(state).collect(),
        lasts: lasts::lasts(state, settings),
        settings: lasts::that_matter(state)
            .iter()
            .map(|setting| (*setting, settings.text(*setting).map(str::to_owned)))
            .collect(),
        here,
    })
}

/// What is said of a state on any host; `None` for one that is not of the eleven.
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
