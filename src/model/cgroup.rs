//! Reads the systemd unit, the container and the pod from a cgroup's path.

use std::borrow::Cow;

use super::escape;

/// What is known of a socket's cgroup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cgroup<'a> {
    /// The path of the cgroup that the socket was created in. If the kernel's number resolves to no path, the path of a
    /// process that holds the socket.
    pub path: Option<&'a str>,
    /// With socket activation, the path of the process that holds the socket: systemd created the socket for a service,
    /// `path` names the socket unit, and `holder` names the service.
    pub holder: Option<&'a str>,
    /// Why some of this is unknown.
    pub lack: Option<CgroupLack>,
}

/// Why a socket's cgroup is unknown, or known only in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CgroupLack {
    /// Its number resolves to no path, and no process that holds the socket was found.
    Unresolved,
    /// The path begins at the root of a cgroup namespace: what is above it is hidden.
    Hidden,
    /// The cgroup has been removed, so it belongs to no unit and no container.
    Removed,
}

impl<'a> Cgroup<'a> {
    /// A whole path, without a holder's.
    pub fn at(path: &'a str) -> Self {
        Self { path: Some(path), ..Self::default() }
    }

    /// The path that names the unit and the container.
    fn of_program(self) -> Option<&'a str> {
        self.holder.or(self.path)
    }

    /// The systemd unit.
    pub fn unit(self) -> Option<&'a str> {
        unit(self.of_program()?)
    }

    /// The container.
    pub fn container(self) -> Option<Cow<'a, str>> {
        container(self.of_program()?)
    }

    /// The uid of the Kubernetes pod.
    pub fn pod_uid(self) -> Option<Cow<'a, str>> {
        pod_uid(self.of_program()?)
    }

    /// Whether the socket may be in a unit, container or pod that is unknown here.
    pub fn may_hide(self) -> bool {
        matches!(self.lack, Some(CgroupLack::Unresolved | CgroupLack::Hidden))
    }
}

/// The systemd unit: the first part of a path that has the suffix of a unit with processes, except slices. The host's
/// systemd created the first such part; a container's or a user's systemd created those below.
pub fn unit(path: &str) -> Option<&str> {
    const KINDS: [&str; 5] = [".service", ".scope", ".socket", ".mount", ".swap"];
    path.split('/').find(|part| KINDS.iter().any(|kind| part.len() > kind.len() && part.ends_with(kind)))
}

/// Whether a path is a service manager's own; a manager holds sockets for the services that it starts.
pub fn is_manager(path: &str) -> bool {
    path.split('/').any(|part| part == "init.scope")
}

/// The container, by its id or name in the container runtime; of nested containers, the innermost.
pub fn container(path: &str) -> Option<Cow<'_, str>> {
    let parts: Vec<_> = path.split('/').collect();
    (0..parts.len()).rev().find_map(|at| container_in(parts.get(..=at)?))
}

/// The container that the last of these parts names.
fn container_in<'a>(parts: &[&'a str]) -> Option<Cow<'a, str>> {
    let (part, above) = parts.split_last()?;
    let parent = above.last().copied().unwrap_or_default();
    let grandparent = above.iter().rev().nth(1).copied().unwrap_or_default();
    hex_id(part)
        // Amazon ECS: `/ecs/TASK/TASK-NUMBER`
        .or_else(|| {
            let number = part.strip_prefix(parent)?.strip_prefix('-')?;
            (grandparent == "ecs" && is_number(number)).then_some(*part)
        })
        // LXC: `lxc.payload.NAME` and, before LXC 4, `lxc/NAME`
        .or_else(|| part.strip_prefix("lxc.payload."))
        .or_else(|| (parent == "lxc").then_some(*part))
        .filter(|name| !name.is_empty())
        .map(Cow::Borrowed)
        .or_else(|| machine(part))
}

/// 64 hex digits, alone or between a runtime's prefix and suffix. Docker, containerd, CRI-O and their rootless forms
/// all write ids this way: `docker-<id>.scope`, `cri-containerd-<id>.scope`, `<id>`, `system.slice:docker:<id>`,
/// `libpod-<id>`
fn hex_id(part: &str) -> Option<&str> {
    const LEN: usize = 64;
    let name = part.strip_suffix(".scope").unwrap_or(part);
    let (before, id) = name.split_at_checked(name.len().checked_sub(LEN)?)?;
    let is_id = id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    // conmon watches a container from outside: `crio-conmon-<id>.scope`, `libpod-conmon-<id>.scope`.
    let is_container = (before.is_empty() || before.ends_with(['-', ':'])) && !before.ends_with("conmon-");
    (is_id && is_container).then_some(id)
}

/// The name of an nspawn container or a virtual machine that systemd-machined registers: `machine-NAME.scope`, or
/// `systemd-nspawn@NAME.service`.
fn machine(part: &str) -> Option<Cow<'_, str>> {
    let of_scope = part.strip_prefix("machine-").and_then(|rest| rest.strip_suffix(".scope"));
    let of_service = || part.strip_prefix("systemd-nspawn@")?.strip_suffix(".service");
    of_scope.or_else(of_service).filter(|name| !name.is_empty()).map(unescaped)
}

/// Undoes systemd's escaping of a name in a unit's name: `-` for `\x2d`.
fn unescaped(name: &str) -> Cow<'_, str> {
    match String::from_utf8(escape::unescaped(name.as_bytes(), br"\x", 2, 16)) {
        Ok(text) if text != name => Cow::Owned(text),
        _ => Cow::Borrowed(name),
    }
}

/// The uid of a Kubernetes pod: from `kubepods-burstable-pod<uid>.slice` if systemd manages the cgroups (it writes `_`
/// for `-`), or from `kubepods/burstable/pod<uid>`. A static pod's uid is the hash of its file, without hyphens.
pub fn pod_uid(path: &str) -> Option<Cow<'_, str>> {
    let mut parts = path.split('/').skip_while(|part| !part.contains("kubepods"));
    let uid = parts.find_map(|part| {
        let name = part.strip_suffix(".slice").unwrap_or(part);
        let (before, uid) = name.rsplit_once("pod")?;
        let is_uid = uid.len() >= 32 && uid.bytes().all(|b| b.is_ascii_hexdigit() || b"-_".contains(&b));
        ((before.is_empty() || before.ends_with('-')) && is_uid).then_some(uid)
    })?;
    Some(if uid.contains('_') { Cow::Owned(uid.replace('_', "-")) } else { Cow::Borrowed(uid) })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const UID: &str = "1f2e3d4c-5b6a-7988-0a1b-2c3d4e5f6a7b";

    #[test]
    fn the_paths_of_the_runtimes() {
        for path in [
            format!("/system.slice/docker-{ID}.scope"),
            format!("/docker/{ID}"),
            format!("/kubepods.slice/kubepods-burstable.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope"),
            format!("/kubepods.slice/crio-{ID}.scope"),
            format!("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container"),
            format!("/system.slice/containerd.service/kubepods:cri-containerd:{ID}"),
            format!("/docker/{ID}/system.slice/ssh.service"),
        ] {
            assert_eq!(container(&path).as_deref(), Some(ID), "{path}");
        }
        assert_eq!(container("/system.slice/ssh.service"), None);
        assert_eq!(container(&format!("/x/{ID}0")), None);
    }

    #[test]
    fn containers_that_have_no_such_id() {
        const TASK: &str = "8f03e41243824aea923aca126495f665";
        for (path, name) in [
            (format!("/ecs/{TASK}/{TASK}-1653012345"), Some(format!("{TASK}-1653012345"))),
            (format!("/ecs/{TASK}/{TASK}-x"), None),
            (format!("/other/{TASK}/{TASK}-1653012345"), None),
            ("/lxc.payload.web1/system.slice/ssh.service".into(), Some("web1".into())),
            ("/lxc.monitor.web1".into(), None),
            ("/lxc/web1".into(), Some("web1".into())),
            ("/lxc".into(), None),
            ("/machine.slice/machine-debian\\x2dtree.scope/payload".into(), Some("debian-tree".into())),
            ("/machine.slice/machine-qemu\\x2d1\\x2dvm.scope".into(), Some("qemu-1-vm".into())),
            ("/machine.slice/systemd-nspawn@web.service/payload".into(), Some("web".into())),
            ("/machine.slice/machine-.scope".into(), None),
            (format!("/machine.slice/libpod-conmon-{ID}.scope"), None),
            (format!("/kubepods.slice/crio-conmon-{ID}.scope"), None),
        ] {
            assert_eq!(container(&path).as_deref(), name.as_deref(), "{path}");
        }
    }

    #[test]
    fn pods() {
        let escaped = UID.replace('-', "_");
        for path in [
            format!(
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{escaped}.slice/crio-{ID}.scope"
            ),
            format!("/kubepods/besteffort/pod{UID}/{ID}"),
            format!("/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{escaped}.slice"),
        ] {
            assert_eq!(pod_uid(&path).as_deref(), Some(UID), "{path}");
        }
        let of_file = format!("/kubepods.slice/kubepods-pod{}.slice/{ID}", &ID[..32]);
        assert_eq!(pod_uid(&of_file).as_deref(), Some(&ID[..32]));
        for path in
            ["/kubepods.slice/kubepods-burstable.slice", &format!("/other/pod{UID}"), "/kubepods/pod1"]
        {
            assert_eq!(pod_uid(path), None, "{path}");
        }
    }

    #[test]
    fn the_first_unit_is_the_hosts() {
        for (path, expected) in [
            ("/system.slice/ssh.service", Some("ssh.service")),
            ("/user.slice/user-0.slice/session-1.scope", Some("session-1.scope")),
            ("/system.slice", None),
            ("/", None),
            ("/user.slice/user@1000.service/app.slice/.service", Some("user@1000.service")),
            ("/machine.slice/machine-web.scope/payload/system.slice/ssh.service", Some("machine-web.scope")),
            ("/user.slice/user-1.slice/user@1.service/app.slice/a.service", Some("user@1.service")),
        ] {
            assert_eq!(unit(path), expected, "{path}");
        }
    }

    #[test]
    fn the_service_of_a_socket_unit_is_its_holders() {
        let of_systemd =
            Cgroup { holder: Some("/system.slice/ssh.service"), ..Cgroup::at("/system.slice/ssh.socket") };
        assert_eq!(
            (of_systemd.path, of_systemd.unit()),
            (Some("/system.slice/ssh.socket"), Some("ssh.service"))
        );
    }

    proptest! {
        #[test]
        fn any_path_is_read(path: String) {
            let _ = (unit(&path), container(&path), pod_uid(&path), unescaped(&path));
        }
    }
}
