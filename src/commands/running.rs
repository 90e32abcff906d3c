//! The names of what runs on this host, for completions.

use std::collections::BTreeSet;

use crate::kernel::files;
use crate::kernel::process::{name_of, pids};
use crate::model::cgroup;

/// The names of the running programs, without kernel threads, whose command line is empty.
pub(crate) fn programs() -> BTreeSet<String> {
    let is_program =
        |pid: &u32| files::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty());
    let names = pids().into_iter().filter(is_program).filter_map(name_of);
    names.filter_map(|name| String::from_utf8(name).ok()).collect()
}

/// The systemd units of the running programs.
pub(crate) fn units() -> BTreeSet<String> {
    let paths = pids().into_iter().filter_map(|pid| files::read_text(format!("/proc/{pid}/cgroup")).ok());
    let mut units = BTreeSet::new();
    for text in paths {
        let paths = text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
        units.extend(paths.filter_map(cgroup::unit).map(str::to_owned));
    }
    units
}
