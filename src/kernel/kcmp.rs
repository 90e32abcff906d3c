//! kcmp(2): whether two threads share a kernel resource.

use libc::{SYS_kcmp, c_long, pid_t, syscall};

/// `KCMP_FILES` of linux/kcmp.h: the table of descriptors.
const FILES: c_long = 2;

/// Whether two threads share one descriptor table; `None` if the kernel does not answer (it has no kcmp, or one of the
/// threads has ended or may not be inspected).
pub(crate) fn shares_descriptors(one: u32, other: u32) -> Option<bool> {
    let thread = |number: u32| pid_t::try_from(number).ok().map(c_long::from);
    let (one, other) = (thread(one)?, thread(other)?);
    // SAFETY: kcmp takes five numbers, and neither reads nor writes memory of ours.
    match unsafe { syscall(SYS_kcmp, one, other, FILES, 0 as c_long, 0 as c_long) } {
        0 => Some(true),
        1..=3 => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_share_until_one_has_a_table_of_its_own() {
        let own = |task: rustix::process::Pid| u32::try_from(task.as_raw_nonzero().get()).unwrap();
        let process = own(rustix::process::getpid());
        let compared = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let thread = own(rustix::thread::gettid());
                let shared = shares_descriptors(process, thread);
                // SAFETY: the thread opens and closes nothing after this, and ends.
                unsafe { rustix::thread::unshare_unsafe(rustix::thread::UnshareFlags::FILES) }.unwrap();
                (shared, shares_descriptors(process, thread))
            });
            thread.join().unwrap()
        });
        // A kernel without kcmp answers neither question.
        assert!(matches!(compared, (Some(true), Some(false)) | (None, None)), "{compared:?}");
        assert_eq!(shares_descriptors(process, u32::MAX), None);
    }
}
