//! Pages built as the kernel builds them.

use super::*;
use proptest::prelude::*;

const HEADER: &str = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n\
                      \tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n\
                      \tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n\
                      \tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n";

fn head(kind: u32, delta: u32) -> Vec<u8> {
    let word = if cfg!(target_endian = "little") { delta << 5 | kind } else { kind << 27 | delta };
    word.to_ne_bytes().to_vec()
}

/// A record, padded to whole words. A long record has its length in a word of its own.
fn record(delta: u32, bytes: &[u8]) -> Vec<u8> {
    let words = u32::try_from(bytes.len().div_ceil(4)).unwrap();
    let mut entry = if (1..=28).contains(&words) {
        head(words, delta)
    } else {
        [head(0, delta), (words * 4 + 4).to_ne_bytes().to_vec()].concat()
    };
    entry.extend_from_slice(bytes);
    entry.resize(entry.len().next_multiple_of(4), 0);
    entry
}

fn page(time: u64, flags: u64, entries: &[Vec<u8>]) -> Vec<u8> {
    let data = entries.concat();
    let commit = data.len() as u64 | flags;
    let mut page = [&time.to_ne_bytes()[..], &commit.to_ne_bytes(), &data].concat();
    page.resize(page.len().max(4096), 0xee);
    page
}

type Records = Vec<(Nanos, Vec<u8>)>;

fn read(page: &[u8]) -> (Records, Result<(), Malformed>) {
    let layout = PageLayout::parse(HEADER).unwrap();
    let mut records = Vec::new();
    let read = layout.read(page, |at, record| records.push((at, record.to_vec())));
    (records, read)
}

#[test]
fn record_times_add_up() {
    let long = vec![7; 200];
    let entries = [
        record(5, b"abcd"),
        [head(TIME_EXTEND, 3), 2_u32.to_ne_bytes().to_vec()].concat(),
        record(10, &long),
        // Discarded records, with a time and without.
        [head(PADDING, 4), 8_u32.to_ne_bytes().to_vec(), vec![0; 4]].concat(),
        [head(PADDING, 1), 4_u32.to_ne_bytes().to_vec()].concat(),
        record(0, b"efgh"),
        head(PADDING, 0),
        record(0, b"not in use"),
    ];
    let (records, read) = read(&page(1000, 1 << 31 | 1 << 30, &entries));
    assert_eq!(read, Ok(()));
    let extended = 1005 + (2 << 27) + 3;
    let expected = [(1005, b"abcd".to_vec()), (extended + 10, long), (extended + 10 + 4, b"efgh".to_vec())];
    assert_eq!(records, expected);
}

#[test]
fn an_absolute_time_takes_its_high_bits_from_the_time_before() {
    let stamp = |time: u64| {
        let low = u32::try_from(time & ((1 << 27) - 1)).unwrap();
        let high = u32::try_from(time >> 27 & 0xffff_ffff).unwrap();
        [head(TIME_STAMP, low), high.to_ne_bytes().to_vec()].concat()
    };
    for (begins, at) in [(1000, 2000), (5 << 59 | 7, 5 << 59 | 9), (5 << 59 | 7, 6 << 59 | 3)] {
        let (records, _) = read(&page(begins, 0, &[stamp(at & ((1 << 59) - 1)), record(1, b"abcd")]));
        assert_eq!(records, [(at + 1, b"abcd".to_vec())]);
    }
}

#[test]
fn a_truncated_page_is_an_error() {
    let (records, read) = read(&page(0, 0, &[record(1, b"abcd"), head(28, 1)]));
    assert_eq!((records.len(), read), (1, Err(Malformed)));
    assert!(PageLayout::parse("nothing").is_none());
    assert_eq!(PageLayout::parse(HEADER).unwrap().len(), 4096);
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(bytes: Vec<u8>, len in 0_u64..5000, words: Vec<u32>) {
        let layout = PageLayout::parse(HEADER).unwrap();
        let _ = layout.read(&bytes, |_, _| {});
        let body = words.iter().flat_map(|word| word.to_ne_bytes());
        let page: Vec<u8> = [0_u64.to_ne_bytes(), len.to_ne_bytes()].concat().into_iter().chain(body).collect();
        let _ = layout.read(&page, |_, _| {});
    }

    #[test]
    fn records_are_read_back(records in prop::collection::vec((0_u32..1 << 27, prop::collection::vec(any::<u8>(), 1..40)), 0..50)) {
        let entries: Vec<_> = records.iter().map(|(delta, bytes)| record(*delta, bytes)).collect();
        let (found, read) = read(&page(9, 0, &entries));
        prop_assert_eq!(read, Ok(()));
        let mut at = 9;
        for ((delta, bytes), (time, record)) in records.iter().zip(&found) {
            at += u64::from(*delta);
            prop_assert_eq!((at, bytes.as_slice()), (*time, &record[..bytes.len()]));
        }
        prop_assert_eq!(found.len(), records.len());
    }
}
