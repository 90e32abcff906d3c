//! The JSON keys of a diagnosis.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::diagnose::{Counted, Fact, Figure, Finding, Threshold, Thresholds};
use crate::layout::json;
use crate::model::{Setting, Settings};

/// A finding.
#[derive(serde::Serialize)]
pub(super) struct FindingRecord<'a> {
    rule: &'static str,
    severity: &'static str,
    summary: &'a str,
    seen: Facts<'a>,
    why: &'a str,
    advice: &'a str,
    command: &'a str,
    thresholds: Values<'a>,
}

impl<'a> FindingRecord<'a> {
    pub(super) fn of(finding: &'a Finding, thresholds: &'a Thresholds) -> Self {
        Self {
            rule: finding.rule,
            severity: finding.severity.name(),
            summary: &finding.title,
            seen: Facts(&finding.seen),
            why: &finding.why,
            advice: &finding.advice,
            command: &finding.command,
            thresholds: Values(finding.thresholds, thresholds),
        }
    }
}

/// Thresholds by flag.
pub(super) struct Values<'a>(pub(super) &'a [Threshold], pub(super) &'a Thresholds);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values =
            self.0.iter().map(|threshold| (threshold.flag().replace('-', "_"), self.1.of(*threshold)));
        serializer.collect_map(values)
    }
}

/// Settings by name, as the kernel writes them.
pub(super) struct SettingRecords<'a>(pub(super) &'a Settings);

impl Serialize for SettingRecords<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Setting::ALL.iter().map(|setting| (setting.name(), self.0.text(*setting))))
    }
}

/// The facts; a key is the name and the unit.
struct Facts<'a>(&'a [Fact]);

impl Serialize for Facts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for Fact { name, value } in self.0 {
            let key = |unit: &str| format!("{name}{unit}");
            match value {
                Figure::Count(number) | Figure::Setting(number) => map.serialize_entry(&key(""), number)?,
                Figure::Bytes(number) => map.serialize_entry(&key("_bytes"), number)?,
                Figure::Pages(number) => map.serialize_entry(&key("_pages"), number)?,
                Figure::Millis(number) => map.serialize_entry(&key("_ms"), number)?,
                Figure::Percent(number) => map.serialize_entry(&key("_percent"), number)?,
                Figure::Change(number) => map.serialize_entry(&key(""), number)?,
                Figure::Counter(Counted { total, lately }) => {
                    map.serialize_entry(&key(""), total)?;
                    map.serialize_entry(&key("_within_interval"), lately)?;
                }
                Figure::Text(text) => map.serialize_entry(&key(""), text)?,
                Figure::Ports(ports) => map.serialize_entry(&key(""), ports)?,
                Figure::Nets(nets) => {
                    let nets =
                        nets.iter().map(|(net, count)| NetRecord { net: net.to_string(), count: *count });
                    map.serialize_entry(&key(""), &nets.collect::<Vec<_>>())?;
                }
                Figure::Peers(peers) => {
                    let peers = peers.iter().map(|(peer, count)| PeerRecord {
                        address: peer.addr.to_string(),
                        port: peer.port,
                        count: *count,
                    });
                    map.serialize_entry(&key(""), &peers.collect::<Vec<_>>())?;
                }
                Figure::Processes(processes) => {
                    let processes = processes.iter().map(|(process, count)| ProcessRecord {
                        pid: process.as_ref().map(|process| process.pid),
                        name: process.as_ref().map(|process| json::text(&process.name)),
                        count: *count,
                    });
                    map.serialize_entry(&key(""), &processes.collect::<Vec<_>>())?;
                }
            }
        }
        map.end()
    }
}

#[derive(serde::Serialize)]
struct ProcessRecord<'a> {
    pid: Option<u32>,
    name: Option<Cow<'a, str>>,
    count: u64,
}

#[derive(serde::Serialize)]
struct PeerRecord {
    address: String,
    port: Option<u16>,
    count: u64,
}

#[derive(serde::Serialize)]
struct NetRecord {
    net: String,
    count: u64,
}
