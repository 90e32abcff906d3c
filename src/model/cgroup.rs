//! What a cgroup's path tells: the systemd unit, and the container.

/// The innermost systemd unit in a path: the last part that ends as a unit's name does, slices aside.
pub fn unit(path: &str) -> Option<&str> {
    const KINDS: [&str; 3] = [".service", ".scope", ".socket"];
    path.rsplit('/').find(|part| KINDS.iter().any(|kind| part.len() > kind.len() && part.ends_with(kind)))
}

/// The container's id: 64 hex digits, alone or between a runtime's prefix and suffix, at any depth. Docker,
/// containerd, CRI-O and their rootless forms all have it so; of several the innermost counts.
pub fn container(path: &str) -> Option<&str> {
    path.rsplit('/').find_map(container_in)
}

fn container_in(part: &str) -> Option<&str> {
    const LEN: usize = 64;
    // `docker-<id>.scope`, `cri-containerd-<id>.scope`, `<id>`, `system.slice:docker:<id>`, `libpod-<id>`
    let without_suffix = part.strip_suffix(".scope").unwrap_or(part);
    let start = without_suffix.len().checked_sub(LEN)?;
    let id = without_suffix.get(start..)?;
    let before = without_suffix.get(..start)?;
    let is_id = id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (is_id && (before.is_empty() || before.ends_with(['-', ':']))).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn the_paths_of_the_runtimes() {
        for path in [
            format!("/system.slice/docker-{ID}.scope"),
            format!("/docker/{ID}"),
            format!("/kubepods.slice/kubepods-burstable.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope"),
            format!("/kubepods.slice/crio-{ID}.scope"),
            format!("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container"),
            format!("/system.slice/containerd.service/kubepods:cri-containerd:{ID}"),
        ] {
            assert_eq!(container(&path), Some(ID), "{path}");
        }
        assert_eq!(container("/system.slice/ssh.service"), None);
        assert_eq!(container(&format!("/x/{ID}0")), None);
    }

    #[test]
    fn units() {
        assert_eq!(unit("/system.slice/ssh.service"), Some("ssh.service"));
        assert_eq!(unit("/user.slice/user-0.slice/session-1.scope"), Some("session-1.scope"));
        assert_eq!(unit("/system.slice"), None);
        assert_eq!(unit("/"), None);
        assert_eq!(unit("/user.slice/user@1000.service/app.slice/.service"), Some("user@1000.service"));
    }

    proptest! {
        #[test]
        fn any_path_is_read(path: String) {
            let _ = (unit(&path), container(&path));
        }
    }
}
