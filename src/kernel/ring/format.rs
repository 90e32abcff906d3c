//! The kernel's descriptions of its trace ring: the fields of an event's record, and of a page.

/// The layout of an event's records (`events/GROUP/NAME/format`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The event's number, which each of its records has in `common_type`.
    pub(crate) id: u16,
    fields: Fields,
}

/// Fields by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, Place)>);

/// Where a field is within a record or a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: usize,
    pub(crate) size: usize,
}

impl Layout {
    /// Reads a `format` file.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let id = text.lines().find_map(|line| line.strip_prefix("ID:"))?.trim().parse().ok()?;
        Some(Self { id, fields: Fields::parse(text) })
    }

    /// Where the field with this name is.
    pub(crate) fn place(&self, name: &str) -> Option<Place> {
        self.fields.place(name)
    }
}

impl Fields {
    /// Reads the lines that begin with `field:`.
    pub(crate) fn parse(text: &str) -> Self {
        Self(text.lines().filter_map(|line| field(line.trim().strip_prefix("field:")?)).collect())
    }

    /// Where the field with this name is.
    pub(crate) fn place(&self, name: &str) -> Option<Place> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, place)| *place)
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
    pub(crate) fn bytes(self, record: &[u8]) -> Option<&[u8]> {
        record.get(self.offset..self.offset.checked_add(self.size)?)
    }

    /// The field as a number of 1, 2, 4 or 8 bytes; the bits of a signed number are taken as they are.
    pub(crate) fn number(self, record: &[u8]) -> Option<u64> {
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
