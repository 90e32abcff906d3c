//! The interface for other programs: the command's questions and answers, with the sockets held in memory.

use std::path::PathBuf;

use super::error::InspectError;
use super::held::Held;
use super::inquiry::Inquiry;
use super::question::{Misuse, Question};
use crate::filter::{Dialect, Filter};
use crate::model::{Access, Families, Gap, Needs, Query, Row, Source, SourceChoice, StateSet};

/// Which sockets to read, and which facts to add to those that the kernel always reports.
///
/// Each fact is looked up only if asked for: without [`holders`](Self::holders) no process is scanned.
#[derive(Clone, Debug)]
pub struct Selection {
    families: Families,
    states: StateSet,
    filter: Filter,
    needs: Needs,
}

impl Default for Selection {
    fn default() -> Self {
        Self::all()
    }
}

impl Selection {
    /// Every TCP socket of this network namespace, bound and idle ones too.
    pub fn all() -> Self {
        Self {
            families: Families::Both,
            states: StateSet::ALL,
            filter: Filter::default(),
            needs: Needs::NOTHING,
        }
    }

    /// Only those of these families.
    #[must_use]
    pub fn families(self, families: Families) -> Self {
        Self { families, ..self }
    }

    /// Only those in these states.
    #[must_use]
    pub fn states(self, states: StateSet) -> Self {
        Self { states, ..self }
    }

    /// Only those that match FILTER words, as the command takes them: `state close-wait and dport = :443`. States
    /// named in the filter replace [`states`](Self::states).
    ///
    /// # Errors
    /// If the filter cannot be parsed; the message shows the place.
    pub fn filter(self, words: &str) -> Result<Self, Error> {
        let filter = Filter::parse(words, Dialect::Own).map_err(Misuse::from)?;
        Ok(Self { states: filter.states.unwrap_or(self.states), filter, ..self })
    }

    /// The processes that hold each socket ([`Row::holders`]), or its listener while it waits for accept().
    #[must_use]
    pub fn holders(mut self) -> Self {
        self.needs |= Needs::HOLDERS;
        self
    }

    /// The names of the sockets' users ([`Row::user`]).
    #[must_use]
    pub fn users(mut self) -> Self {
        self.needs |= Needs::USERS;
        self
    }

    /// The cgroup of each socket, and the unit, container and pod that it names ([`Row::cgroup`]).
    #[must_use]
    pub fn cgroups(mut self) -> Self {
        self.needs |= Needs::UNITS;
        self
    }

    /// The kernel's numbers about each connection ([`Socket::tcp_info`](crate::Socket::tcp_info)).
    #[must_use]
    pub fn tcp_info(mut self) -> Self {
        self.needs |= Needs::TCP_INFO;
        self
    }

    /// The memory of each socket's buffers.
    #[must_use]
    pub fn memory(mut self) -> Self {
        self.needs |= Needs::MEMORY;
        self
    }

    fn question(&self) -> Result<Question, Misuse> {
        let mut query = Query::new(self.families, self.states);
        query.needs = self.needs;
        query.wants_idle = self.states.names_idle();
        Question::of_all(&query, &self.filter)
    }
}

/// Reads sockets from the kernel by netlink or, if netlink is unavailable, from /proc/net/tcp and tcp6.
#[derive(Clone, Debug, Default)]
pub struct Inspector {
    access: Access,
}

impl Inspector {
    /// Asks this network namespace.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads this source only, or either.
    #[must_use]
    pub fn source(mut self, source: SourceChoice) -> Self {
        self.access.source = source;
        self
    }

    /// Reads another tree than /proc, such as another host's that is mounted here.
    #[must_use]
    pub fn proc_root(mut self, root: impl Into<PathBuf>) -> Self {
        self.access.proc_root = Some(root.into());
        self
    }

    /// All sockets that fit, as they are now.
    ///
    /// # Errors
    /// If no source could be read, or if the filter cannot be evaluated. Missing parts of an answer are not errors:
    /// see [`Snapshot::gaps`].
    pub fn snapshot(&self, selection: &Selection) -> Result<Snapshot, Error> {
        let question = selection.question()?;
        let mut held = Inquiry::new(&question, &self.access).hold(None)?;
        let unknown = held.unknown();
        held.gaps.extend(unknown);
        Ok(Snapshot(held))
    }
}

/// The sockets of one read. It is not atomic: each socket is as it was when the kernel's walk reached it.
#[derive(Debug)]
pub struct Snapshot(Held);

impl Snapshot {
    /// A row for each socket, in the order in which they came.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.0.sockets.iter().map(|socket| self.0.row(socket))
    }

    /// Where the sockets were read.
    pub fn source(&self) -> Source {
        self.0.source
    }

    /// Facts that were unavailable. No rows and no gaps mean that no such socket exists.
    pub fn gaps(&self) -> &[Gap] {
        &self.0.gaps
    }
}

/// Why there is no answer. The message says what failed, and why.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Why);

impl Error {
    /// What would help, where something would.
    pub fn hint(&self) -> Option<&str> {
        match &self.0 {
            Why::Inspect(error) => error.hint(),
            Why::Misuse(_) => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error(transparent)]
    Misuse(Misuse),
    #[error(transparent)]
    Inspect(InspectError),
}

impl From<Misuse> for Error {
    fn from(error: Misuse) -> Self {
        Self(Why::Misuse(error))
    }
}

impl From<InspectError> for Error {
    fn from(error: InspectError) -> Self {
        Self(Why::Inspect(error))
    }
}
