//! What the plan depends on besides the arguments: the terminal, and the environment variables about colour.

use rustix::fd::AsFd;
use rustix::termios::{isatty, tcgetwinsize};

/// Read once, and only here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Environment {
    /// Whether the output goes to a terminal.
    pub terminal: bool,
    /// Whether the output can be redrawn in place.
    pub can_redraw: bool,
    /// The terminal's columns, where they are known.
    pub width: Option<u16>,
    /// Whether NO_COLOR is set to anything, or the terminal can't show colours.
    pub no_color: bool,
    /// Whether CLICOLOR_FORCE is set to anything but 0.
    pub force_color: bool,
}

impl Environment {
    /// The environment of this process, writing to `output`.
    pub(crate) fn of(output: impl AsFd) -> Self {
        /// The width of a terminal that does not say it.
        const USUAL: u16 = 80;
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let terminal = isatty(&output);
        let width = tcgetwinsize(&output).ok().map(|size| size.ws_col).filter(|columns| *columns > 0);
        let width = width.or(terminal.then_some(USUAL));
        let is_dumb = set("TERM").is_none_or(|term| term == "dumb");
        Self {
            terminal,
            can_redraw: terminal && !is_dumb,
            width,
            no_color: set("NO_COLOR").is_some() || set("TERM").is_some_and(|term| term == "dumb"),
            force_color: set("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
        }
    }
}
