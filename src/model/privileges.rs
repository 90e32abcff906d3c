//! What the user who runs the program may see of other processes.

/// Who runs the program, and the capabilities that matter for reading other processes' descriptors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Privileges {
    /// The effective user.
    pub uid: u32,
    /// CAP_SYS_PTRACE: the kernel asks for it before it shows another user's descriptors (`ptrace_may_access`).
    pub ptrace: bool,
    /// CAP_DAC_READ_SEARCH or CAP_DAC_OVERRIDE: only its owner may read a folder of descriptors.
    pub read_any: bool,
}

impl Privileges {
    /// What to do so that the descriptors of every process can be read.
    pub fn hint(self) -> String {
        let lacking: Vec<_> = [(self.ptrace, "CAP_SYS_PTRACE"), (self.read_any, "CAP_DAC_READ_SEARCH")]
            .into_iter()
            .filter(|(held, _)| !held)
            .map(|(_, name)| name)
            .collect();
        let lacking = lacking.join(" and ");
        match (lacking.is_empty(), self.uid) {
            (true, _) => {
                "no capability is missing here: a security module or another user namespace forbids it"
                    .to_owned()
            }
            (false, 0) => format!("root lacks {lacking} here; --cap-add gives it to a container"),
            (false, uid) => format!("user {uid} lacks {lacking}: run tcpstates as root to see every process"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_names_what_is_lacking_and_to_whom() {
        let of = |uid, ptrace, read_any| Privileges { uid, ptrace, read_any }.hint();
        assert_eq!(
            of(1000, false, false),
            "user 1000 lacks CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH: run tcpstates as root to see every process"
        );
        assert_eq!(of(0, false, true), "root lacks CAP_SYS_PTRACE here; --cap-add gives it to a container");
        assert!(!of(0, true, true).contains("as root"));
    }
}
