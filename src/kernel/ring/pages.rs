//! Pages of the kernel's trace ring → records, each with its time (`include/linux/ring_buffer.h`).
//!
//! A page starts with a time and the number of bytes used. Entries follow. The first word of an entry has 5 bits for its
//! kind or length, and 27 bits for the nanoseconds since the entry before.

use super::event::Nanos;
use super::format::{Fields, Place};

/// The width of the time in an entry's first word.
const DELTA_BITS: u32 = 27;
/// The width of an absolute time. The bits above are those of the time before.
const STAMP_BITS: u32 = 59;

/// Kinds of entries. 1 to 28: a record of that many words. 0: a record whose length is in the next word.
const LONG: u32 = 0;
const PADDING: u32 = 29;
const TIME_EXTEND: u32 = 30;
const TIME_STAMP: u32 = 31;

/// Where the fields of a page are (`events/header_page`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageLayout {
    time: Place,
    /// The number of bytes used, in the low bits; flags for lost events above them.
    commit: Place,
    data: Place,
}

/// The bytes are not a page as the kernel lays one out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl PageLayout {
    /// Reads `events/header_page`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fields = Fields::parse(text);
        Some(Self {
            time: fields.place("timestamp")?,
            commit: fields.place("commit")?,
            data: fields.place("data")?,
        })
    }

    /// The size of a page in bytes.
    pub(crate) fn len(&self) -> usize {
        self.data.offset.saturating_add(self.data.size)
    }

    /// Calls `take` with each record of a page.
    pub(crate) fn read(&self, page: &[u8], mut take: impl FnMut(Nanos, &[u8])) -> Result<(), Malformed> {
        /// The flags are bits 30 and 31. This is the mask of libtraceevent.
        const LENGTH: u64 = (1 << 27) - 1;
        let mut time = self.time.number(page).ok_or(Malformed)?;
        let len = self.commit.number(page).map(|commit| commit & LENGTH).ok_or(Malformed)?;
        let data = page.get(self.data.offset..).ok_or(Malformed)?;
        let mut rest = data.get(..usize::try_from(len).map_err(|_| Malformed)?).ok_or(Malformed)?;
        while !rest.is_empty() {
            let (record, next) = split(rest, &mut time).ok_or(Malformed)?;
            if let Some(record) = record {
                take(time, record);
            }
            rest = next;
        }
        Ok(())
    }
}

/// Splits off the first entry and advances `time` by its time. `None` in place of a record: the entry is a time, or a
/// record that the kernel discarded.
fn split<'a>(bytes: &'a [u8], time: &mut Nanos) -> Option<(Option<&'a [u8]>, &'a [u8])> {
    let (head, body) = word(bytes)?;
    let (kind, delta) = parts(head);
    match kind {
        // The rest of the page is unused.
        PADDING if delta == 0 => Some((None, &[])),
        PADDING => {
            let (len, _) = word(body)?;
            // 1 marks a discarded record without a time (`rb_event_discard`).
            if delta != 1 {
                *time = time.wrapping_add(delta.into());
            }
            Some((None, body.get(usize::try_from(len).ok()?..)?))
        }
        TIME_EXTEND => {
            let (high, rest) = word(body)?;
            *time = time.wrapping_add(extended(high, delta));
            Some((None, rest))
        }
        TIME_STAMP => {
            let (high, rest) = word(body)?;
            *time = whole_stamp(*time, extended(high, delta));
            Some((None, rest))
        }
        LONG => {
            // The length includes its own word.
            let (len, _) = word(body)?;
            let (record, rest) = body.split_at_checked(usize::try_from(len).ok()?)?;
            *time = time.wrapping_add(delta.into());
            Some((Some(record.get(size_of::<u32>()..)?), rest))
        }
        words => {
            let len = usize::try_from(words).ok()? * size_of::<u32>();
            let (record, rest) = body.split_at_checked(len)?;
            *time = time.wrapping_add(delta.into());
            Some((Some(record), rest))
        }
    }
}

fn word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk()?;
    Some((u32::from_ne_bytes(*word), rest))
}

/// The kind and the time. They are C bit fields, so their order depends on the byte order.
fn parts(head: u32) -> (u32, u32) {
    if cfg!(target_endian = "little") {
        (head & 0x1f, head >> 5)
    } else {
        (head >> DELTA_BITS, head & ((1 << DELTA_BITS) - 1))
    }
}

fn extended(high: u32, low: u32) -> u64 {
    u64::from(high) << DELTA_BITS | u64::from(low)
}

/// Completes an absolute time with the high bits of the time before (`rb_fix_abs_ts`).
fn whole_stamp(before: Nanos, stamp: u64) -> Nanos {
    let low = (1 << STAMP_BITS) - 1;
    let whole = before & !low | stamp & low;
    if whole < before && before > low { whole.wrapping_add(1 << STAMP_BITS) } else { whole }
}

#[cfg(test)]
mod tests;
