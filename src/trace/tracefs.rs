//! The kernel's own description of its tracepoints: their numbers, and where in a record each field is.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, open, openat};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

/// The tracing file system.
#[derive(Debug)]
pub(super) struct Tracefs {
    folder: OwnedFd,
}

impl Tracefs {
    /// Where it is mounted, else by a mount that has no place and ends with this value.
    pub(super) fn open() -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        for place in ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"] {
            if let Ok(folder) = open(place, flags, Mode::empty())
                && openat(&folder, "events", flags, Mode::empty()).is_ok()
            {
                return Ok(Self { folder });
            }
        }
        let context = fsopen("tracefs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_create(&context)?;
        let folder = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?;
        Ok(Self { folder })
    }

    /// The layout of a tracepoint's records, which is called `group/name`.
    pub(super) fn layout(&self, tracepoint: &str) -> io::Result<Layout> {
        let text = read(&self.folder, &format!("events/{tracepoint}/format"))?;
        Layout::parse(&text)
            .ok_or_else(|| io::Error::other(format!("{tracepoint}: its format can't be read")))
    }
}

/// The processors that are at work.
pub(super) fn processors() -> io::Result<Vec<i32>> {
    let text = read(CWD, "/sys/devices/system/cpu/online")?;
    parse_ranges(text.trim()).ok_or_else(|| io::Error::other("the list of processors can't be read"))
}

fn read(folder: impl AsFd, path: &str) -> io::Result<String> {
    let mut text = String::new();
    let file = openat(folder, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    File::from(file).read_to_string(&mut text)?;
    Ok(text)
}

/// `0-3,6`
fn parse_ranges(text: &str) -> Option<Vec<i32>> {
    let mut numbers = Vec::new();
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
        numbers.extend((first..=last).map(i32::from));
    }
    Some(numbers)
}

/// A tracepoint's number, and its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The `common_type` of its records.
    pub(super) id: u16,
    fields: Vec<(String, Place)>,
}

/// Where a field is within a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    offset: usize,
    size: usize,
}

impl Layout {
    /// Reads a `format` file.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let id = text.lines().find_map(|line| line.strip_prefix("ID:"))?.trim().parse().ok()?;
        let fields = text.lines().filter_map(|line| field(line.trim().strip_prefix("field:")?)).collect();
        Some(Self { id, fields })
    }

    /// Where the field with this name is.
    pub(super) fn place(&self, name: &str) -> Option<Place> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, place)| *place)
    }
}

/// `__u8 saddr[4]; offset:32; size:4; signed:0;`
fn field(line: &str) -> Option<(String, Place)> {
    let mut parts = line.split(';').map(str::trim);
    let declared = parts.next()?;
    let mut number = |key: &str| parts.find_map(|part| part.strip_prefix(key))?.parse().ok();
    let place = Place { offset: number("offset:")?, size: number("size:")? };
    let declared = declared.split_once('[').map_or(declared, |(before, _)| before);
    Some((declared.rsplit([' ', '*']).next()?.to_owned(), place))
}

impl Place {
    /// The field's bytes.
    pub(super) fn bytes(self, record: &[u8]) -> Option<&[u8]> {
        record.get(self.offset..self.offset.checked_add(self.size)?)
    }

    /// The number in it, whatever its width; a signed one as its bits.
    pub(super) fn number(self, record: &[u8]) -> Option<u64> {
        let bytes = self.bytes(record)?;
        Some(match *bytes {
            [one] => one.into(),
            [a, b] => u16::from_ne_bytes([a, b]).into(),
            [a, b, c, d] => u32::from_ne_bytes([a, b, c, d]).into(),
            _ => u64::from_ne_bytes(bytes.try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_format_tells_number_and_places() {
        let text = "name: inet_sock_set_state\nID: 2287\nformat:\n\
                    \tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n\n\
                    \tfield:const void * skaddr;\toffset:8;\tsize:8;\tsigned:0;\n\
                    \tfield:__u8 saddr[4];\toffset:32;\tsize:4;\tsigned:0;\n\nprint fmt: \"field:%s\", 1\n";
        let layout = Layout::parse(text).unwrap();
        assert_eq!(layout.id, 2287);
        assert_eq!(layout.place("skaddr"), Some(Place { offset: 8, size: 8 }));
        assert_eq!(layout.place("saddr"), Some(Place { offset: 32, size: 4 }));
        assert_eq!(layout.place("common_flags"), Some(Place { offset: 2, size: 1 }));
        assert_eq!(layout.place("daddr"), None);
        assert_eq!(Layout::parse("name: x"), None);
    }

    #[test]
    fn numbers_have_their_width() {
        let record = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        assert_eq!(Place { offset: 1, size: 1 }.number(&record), Some(2));
        assert_eq!(Place { offset: 0, size: 2 }.number(&record), Some(u16::from_ne_bytes([1, 2]).into()));
        assert_eq!(Place { offset: 2, size: 8 }.number(&record), None, "past the end");
        assert_eq!(Place { offset: 0, size: 3 }.number(&record), None, "no width of a number");
        assert_eq!(Place { offset: usize::MAX, size: 8 }.bytes(&record), None);
    }

    #[test]
    fn processors_are_ranges() {
        assert_eq!(parse_ranges("0-2,5"), Some(vec![0, 1, 2, 5]));
        assert_eq!(parse_ranges("0"), Some(vec![0]));
        assert_eq!(parse_ranges(""), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text: String, record: Vec<u8>) {
            let lines = format!("ID: 1\n\tfield:{text}\n\tfield:int a;\toffset:{};\tsize:4;", text.len());
            let layout = Layout::parse(&lines);
            prop_assert!(Layout::parse(&text).is_none_or(|layout| text.contains(&layout.id.to_string())));
            if let Some(place) = layout.and_then(|layout| layout.place("a")) {
                prop_assert_eq!(place.number(&record).is_some(), record.len() >= text.len() + 4);
            }
        }
    }
}
