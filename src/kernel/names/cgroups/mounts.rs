//! Where the kernel's cgroup2 tree is mounted.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use crate::model::escape::unescaped;

/// The mount points of the cgroup2 trees in a mountinfo file, in its order. Malformed lines are skipped: any user can
/// mount something under any name.
pub(super) fn cgroup2(mountinfo: &[u8]) -> Vec<PathBuf> {
    mountinfo.split(|byte| *byte == b'\n').filter_map(mount_point).collect()
}

/// `36 35 98:0 /root /mount/point options optional-fields... - type source options`
fn mount_point(line: &[u8]) -> Option<PathBuf> {
    let mut fields = line.split(|byte| *byte == b' ');
    let point = fields.nth(4)?;
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    // The kernel writes blanks, tabs, line breaks and backslashes in octal.
    (kind == b"cgroup2").then(|| OsString::from_vec(unescaped(point, b"\\", 3, 8)).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn odd_mounts_hide_nothing() {
        let text = b"22 27 0:21 / /proc rw,relatime - proc proc rw\n\
                     90 27 0:50 / /tmp/\xff rw - tmpfs x rw\n\
                     91 27 0:51 / /tmp/two\\040words rw - fuse a\\040b rw\n\
                     92 27 0:52 / /tmp/- rw shared:1 - tmpfs - rw\n\
                     short\n\
                     93 27 0:38 / /sys/fs/cgroup\\040two rw shared:4 master:1 - cgroup2 cgroup2 rw,nsdelegate\n\
                     94 27 0:53 / /later rw - cgroup2 none rw";
        assert_eq!(cgroup2(text), [PathBuf::from("/sys/fs/cgroup two"), "/later".into()]);
    }

    proptest! {
        #[test]
        fn any_file_is_read(bytes: Vec<u8>) {
            let _ = cgroup2(&bytes);
        }
    }
}
