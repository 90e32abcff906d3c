//! What another program asks with: the same questions and answers as the command's, held in memory.

use std::path::PathBuf;

use super::error::InspectError;
use super::held::Held;
use super::inquiry::Inquiry;
use super::question::{Misuse, Question};
use crate::filter::{Dialect, Filter};
use crate::model::{Access, Families, Gap, Needs, Query, Row, Source, SourceChoice, StateSet};

/// Which sockets are asked for, and what is to be known of each besides what the kernel always says.
///
/// Nothing is looked up that is not asked for: without [`holders`](Self::holders) no process is looked at.
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

    /// Only those that fit FILTER words, as the command takes them: `state close-wait and dport = :443`. States that it
    /// names take the place of [`states`](Self::states).
    ///
    /// # Errors
    /// Where it can't be read; the message shows the place.
    pub fn filter(self, words: &str) -> Result<Self, Error> {
        let filter = Filter::parse(words, Dialect::Own).map_err(Misuse::from)?;
        Ok(Self { states: filter.states.unwrap_or(self.states), filter, ..self })
    }

    /// Who holds each socket ([`Row::holders`]). Of a connection that waits to be accepted, who holds its listener.
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

/// Asks for sockets: the kernel by netlink, and /proc/net/tcp and tcp6 where that can't be had.
#[derive(Clone, Debug, Default)]
pub struct Inspector {
    access: Access,
}

impl Inspector {
    /// Asks this network namespace.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks this source only, or either.
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
    /// Where nothing could be read, or where the filter can't be answered. What could not be seen of an answer is no
    /// error: [`Snapshot::gaps`] has it.
    pub fn snapshot(&self, selection: &Selection) -> Result<Snapshot, Error> {
        let question = selection.question()?;
        let mut held = Inquiry::new(&question, &self.access).hold(None)?;
        let unknown = held.unknown();
        held.gaps.extend(unknown);
        Ok(Snapshot(held))
    }
}

/// Sockets as they were when they were asked for. They don't come at one moment: one that changed meanwhile is there as it
/// was when the kernel came to it.
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

    /// What could not be seen. Without rows and without gaps there is no such socket.
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
