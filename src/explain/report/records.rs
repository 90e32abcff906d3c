//! The keys of the document.

use std::borrow::Cow;

use serde::Serialize;

use crate::explain::{Explanation, Holder};
use crate::layout::json;
use crate::model::Transition;

/// A state.
#[derive(Serialize)]
pub(super) struct StateRecord<'a> {
    state: String,
    names: NamesRecord,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    processes: Option<Vec<ProcessRecord<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peers: Option<Vec<PeerRecord>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_ports: Option<Vec<PortRecord>>,
    summary: &'a str,
    who: &'a str,
    waits_for: &'a str,
    story: &'a str,
    ways_in: Vec<WayRecord>,
    ways_out: Vec<WayRecord>,
    lasts: &'a [String],
    settings: Vec<SettingRecord<'a>>,
    pile: &'a str,
    advice: &'a str,
    exactly: &'a [&'a str],
    command: &'a str,
}

#[derive(Serialize)]
struct NamesRecord {
    rfc9293: Option<&'static str>,
    netstat: Option<&'static str>,
    ss: Option<&'static str>,
    ss_filter: Option<&'static str>,
    kernel: Option<&'static str>,
    number: u8,
}

#[derive(Serialize)]
struct ProcessRecord<'a> {
    pid: Option<u64>,
    name: Option<Cow<'a, str>>,
    count: u64,
}

#[derive(Serialize)]
struct PeerRecord {
    peer: String,
    count: u64,
}

#[derive(Serialize)]
struct PortRecord {
    local_port: u64,
    count: u64,
}

#[derive(Serialize)]
struct SettingRecord<'a> {
    name: &'static str,
    value: Option<&'a str>,
}

/// A transition from state to state.
#[derive(Serialize)]
pub(super) struct WayRecord {
    from: String,
    to: String,
    event: String,
    sends: Option<String>,
    rfc9293_section: Option<&'static str>,
    figure_5: bool,
    linux: bool,
    meaning: &'static str,
}

impl<'a> StateRecord<'a> {
    /// With the processes, peers and ports that have most sockets in the state, if they were counted.
    pub(super) fn of(state: &'a Explanation, counted: bool) -> Self {
        let Explanation { text, here, .. } = state;
        let process = |(holder, count): &'a (Option<Holder>, u64)| ProcessRecord {
            pid: holder.as_ref().map(|holder| holder.pid),
            name: holder.as_ref().map(|holder| json::text(&holder.name)),
            count: *count,
        };
        Self {
            state: state.state.to_string(),
            names: NamesRecord {
                rfc9293: state.state.rfc_name(),
                netstat: state.state.netstat_name(),
                ss: state.state.ss_name(),
                ss_filter: state.state.ss_word(),
                kernel: state.state.kernel_name(),
                number: state.state.kernel(),
            },
            count: here.count,
            processes: counted.then(|| here.processes.iter().map(process).collect()),
            peers: counted.then(|| {
                here.peers
                    .iter()
                    .map(|(peer, count)| PeerRecord { peer: peer.to_string(), count: *count })
                    .collect()
            }),
            local_ports: counted.then(|| {
                here.ports
                    .iter()
                    .map(|(port, count)| PortRecord { local_port: *port, count: *count })
                    .collect()
            }),
            summary: text.short,
            who: text.who,
            waits_for: text.waits_for,
            story: text.story,
            ways_in: state.ways_in.iter().map(|way| WayRecord::of(way)).collect(),
            ways_out: state.ways_out.iter().map(|way| WayRecord::of(way)).collect(),
            lasts: &state.lasts,
            settings: state
                .settings
                .iter()
                .map(|(setting, value)| SettingRecord { name: setting.name(), value: value.as_deref() })
                .collect(),
            pile: text.pile,
            advice: text.advice,
            exactly: text.exactly,
            command: text.command,
        }
    }
}

impl WayRecord {
    pub(super) fn of(way: &Transition) -> Self {
        Self {
            from: way.from.to_string(),
            to: way.to.to_string(),
            event: way.event.to_string(),
            sends: way.sends.map(|segment| segment.to_string()),
            rfc9293_section: way.section,
            figure_5: way.in_figure,
            linux: way.on_linux,
            meaning: way.meaning,
        }
    }
}
