//! The answer whether a port can be bound, as text and as a document.

#[cfg(test)]
mod tests;
mod text;
mod words;

use std::borrow::Cow;
use std::io;

use serde::Serialize;

use self::words::{advice, error_message, error_name, notes};
use crate::bind::{Answer, Judged, Occupant, Try, Verdict};
use crate::layout::json::{push_document_head, push_document_tail, push_member, push_row};
use crate::layout::{Head, Parts, ReportStyle};
use crate::model::{Dad, Gap, Row};

/// Appends the answer.
pub(crate) fn write_answer(
    out: &mut Vec<u8>,
    style: ReportStyle,
    head: &Head<'_>,
    answer: &Answer,
    gaps: &[Gap],
) -> io::Result<()> {
    if style.json {
        write_document(out, head, answer, gaps)
    } else {
        text::write(out, style, answer);
        Ok(())
    }
}

/// The socket as the lists show it.
fn row(occupant: &Occupant) -> Row<'_> {
    Row {
        holders: &occupant.holders,
        owner_note: occupant.owner_note,
        interface: occupant.device.as_deref(),
        ..Row::bare(&occupant.socket)
    }
}

fn write_document(out: &mut Vec<u8>, head: &Head<'_>, answer: &Answer, gaps: &[Gap]) -> io::Result<()> {
    push_document_head(out, head)?;
    push_member(out, "port", &answer.target.port)?;
    push_member(out, "address", &answer.target.addr)?;
    push_member(out, "interface", &answer.target.device)?;
    push_member(out, "can_bind", &answer.can_bind())?;
    push_member(out, "tries", &answer.tries.iter().flat_map(TryRecord::both).collect::<Vec<_>>())?;
    out.extend_from_slice(b",\"holders\":[");
    for (number, judged) in answer.occupants.iter().enumerate() {
        out.extend_from_slice(if number == 0 { b"\n" } else { b",\n" });
        push_holder(out, judged)?;
    }
    out.extend_from_slice(if answer.occupants.is_empty() { b"]" } else { b"\n]" });
    push_member(out, "privileged", &answer.facts.privileged(answer.target.port))?;
    push_member(out, "unprivileged_port_start", &answer.facts.unprivileged_from)?;
    push_member(out, "in_local_reserved_ports", &answer.facts.reserved)?;
    push_member(out, "in_local_port_range", &answer.facts.chosen_from)?;
    push_member(out, "duplicate_address_detection", &answer.facts.dad.map(Dad::word))?;
    push_member(out, "notes", &notes(answer))?;
    push_member(out, "advice", &advice(answer))?;
    push_document_tail(out, gaps)
}

/// A socket with the keys of a list, and its effect on the bind.
fn push_holder(out: &mut Vec<u8>, judged: &Judged) -> io::Result<()> {
    let parts = Parts { processes: true, timers: true, ..Parts::default() };
    push_row(out, &row(&judged.occupant), parts);
    // The object stays open for more keys.
    out.pop();
    push_member(out, "v6only", &judged.occupant.socket.v6only)?;
    push_member(out, "overlap", &judged.overlap.name())?;
    push_member(out, "overlaps", &judged.overlaps)?;
    push_member(out, "blocks", &judged.blocks.name())?;
    push_member(out, "set_reuse_address", &judged.set_reuse)?;
    out.push(b'}');
    Ok(())
}

/// One bind that was tried.
#[derive(Serialize)]
struct TryRecord {
    family: &'static str,
    address: String,
    v6only: Option<bool>,
    reuse_address: bool,
    ok: bool,
    error: Option<Cow<'static, str>>,
    message: Option<String>,
}

impl TryRecord {
    fn both(tried: &Try) -> [Self; 2] {
        let of = |reuse_address, verdict: Verdict| Self {
            family: tried.family().name(),
            address: tried.at.ip().to_string(),
            v6only: tried.at.is_ipv6().then_some(tried.v6only),
            reuse_address,
            ok: verdict == Verdict::Bound,
            error: error_name(verdict),
            message: error_message(verdict),
        };
        [of(false, tried.plain), of(true, tried.reuse)]
    }
}
