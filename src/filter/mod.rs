//! The FILTER words: which states, and which ends, a socket must have.
//!
//! A filter is `[state X | exclude X]… [ENDPOINT]…`. Several `state` are or-ed, `exclude` subtracts; several
//! endpoints must all hold, each at either end.

mod endpoint;

use crate::model::{Socket, StateSet, TcpState};

pub use endpoint::{BadEndpoint, EndpointMatch};

/// Words that begin a term of the language.
pub const WORDS: [&str; 2] = ["state", "exclude"];

/// A filter as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The states, where the filter names any.
    pub states: Option<StateSet>,
    endpoints: Vec<EndpointMatch>,
}

/// Which sockets the word CLOSED means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Bound sockets too: nothing else is ever in that state.
    WithBound,
    /// Just the kernel's number 7, as ss has it: bound sockets have a word of their own, `bound-inactive`.
    WithoutBound,
}

/// A word that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// `state` or `exclude` at the end.
    #[error("'{word}' needs the name of a state behind it")]
    MissingState {
        /// The last word.
        word: String,
    },
    /// No state and no group of states.
    #[error("'{word}' is not a TCP state")]
    UnknownState {
        /// What stood in its place.
        word: String,
    },
    /// Looks like an address or a port, and is none.
    #[error("'{word}' is not an address or port: {why}")]
    BadEndpoint {
        /// The word.
        word: String,
        /// What is wrong with it.
        why: BadEndpoint,
    },
    /// Neither a word of the language nor an address.
    #[error("'{word}' is neither a filter word nor an address")]
    UnknownWord {
        /// The word.
        word: String,
    },
}

impl Filter {
    /// Reads the FILTER words of a command line. Words that came as one argument are split at blanks.
    pub fn parse(args: &[String], closed: Closed) -> Result<Self, FilterError> {
        let mut filter = Self::default();
        let mut words = args.iter().flat_map(|arg| arg.split_whitespace());
        while let Some(word) = words.next() {
            match word.to_ascii_lowercase().as_str() {
                "state" => {
                    let set = state_operand(word, words.next(), closed)?;
                    filter.states = Some(filter.states.unwrap_or(StateSet::EMPTY) | set);
                }
                "exclude" | "excl" => {
                    let set = state_operand(word, words.next(), closed)?;
                    filter.states = Some(filter.states.unwrap_or(StateSet::ALL) - set);
                }
                _ => filter.endpoints.push(endpoint_term(word)?),
            }
        }
        Ok(filter)
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the socket's ends are those that were asked for. Its state is the query's part.
    pub fn matches(&self, socket: &Socket) -> bool {
        self.endpoints.iter().all(|term| term.matches(&socket.local) || term.matches(&socket.peer))
    }
}

/// The states that a word names: a state in any spelling, or a group.
pub fn states_named(word: &str, closed: Closed) -> Option<StateSet> {
    if let Some(group) = StateSet::group(word) {
        return Some(group);
    }
    match (word.parse().ok()?, closed) {
        (TcpState::Close, Closed::WithoutBound) => Some(StateSet::exactly(TcpState::Close)),
        (state, _) => Some(StateSet::of(state)),
    }
}

fn state_operand(before: &str, word: Option<&str>, closed: Closed) -> Result<StateSet, FilterError> {
    let word = word.ok_or_else(|| FilterError::MissingState { word: before.to_owned() })?;
    states_named(word, closed).ok_or_else(|| FilterError::UnknownState { word: word.to_owned() })
}

fn endpoint_term(word: &str) -> Result<EndpointMatch, FilterError> {
    match word.parse() {
        Ok(term) => Ok(term),
        Err(BadEndpoint::NotAnEndpoint) => Err(FilterError::UnknownWord { word: word.to_owned() }),
        Err(why) => Err(FilterError::BadEndpoint { word: word.to_owned(), why }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Endpoint, Family};
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Filter, FilterError> {
        Filter::parse(&[text.to_owned()], Closed::WithBound)
    }

    fn states(text: &str) -> u32 {
        parse(text).unwrap().states.unwrap().bits() & 0x3fff
    }

    #[test]
    fn states_are_ored_and_excludes_subtract() {
        assert_eq!(states("state listening state estab"), 1 << 10 | 1 << 1);
        assert_eq!(states("exclude listen"), 0x3fff & !(1 << 10));
        assert_eq!(states("exclude listen exclude time-wait"), 0x3fff & !(1 << 10) & !(1 << 6));
        assert_eq!(
            states("state connected exclude SYN_RECV"),
            0x3fff & !(1 << 7 | 1 << 10 | 1 << 3 | 1 << 12)
        );
        assert_eq!(states("STATE closed"), 1 << 7 | 1 << 13);
        assert_eq!(parse(":80").unwrap().states, None);
    }

    #[test]
    fn the_ss_layout_keeps_bound_sockets_apart() {
        let words = ["state".to_owned(), "closed".to_owned()];
        let filter = Filter::parse(&words, Closed::WithoutBound).unwrap();
        assert_eq!(filter.states.unwrap().bits(), 1 << 7);
    }

    #[test]
    fn errors_name_the_word() {
        assert_eq!(parse("state"), Err(FilterError::MissingState { word: "state".to_owned() }));
        assert_eq!(parse("state lisen"), Err(FilterError::UnknownState { word: "lisen".to_owned() }));
        assert_eq!(parse("lisen"), Err(FilterError::UnknownWord { word: "lisen".to_owned() }));
        assert_eq!(
            parse(":http").unwrap_err().to_string(),
            "':http' is not an address or port: 'http' is no port number from 0 to 65535"
        );
    }

    #[test]
    fn endpoints_hold_at_either_end() {
        let socket = Socket::new(
            Family::Inet,
            TcpState::Established,
            Endpoint::new("10.0.0.1".parse().unwrap(), 443),
            Endpoint::new("192.0.2.7".parse().unwrap(), 50000),
        );
        for (text, expected) in [
            (":443", true),
            (":50000", true),
            (":80", false),
            ("10.0.0.1", true),
            ("192.0.2.0/24", true),
            ("192.0.2.7:443", false),
            ("10.0.0.0/8:443 :50000", true),
            ("10.0.0.0/8:443 :50001", false),
            ("*:443", true),
        ] {
            assert_eq!(parse(text).unwrap().matches(&socket), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_words_panic(words in proptest::collection::vec(".{0,12}", 0..5)) {
            let _ = Filter::parse(&words, Closed::WithBound);
        }
    }
}
