//! Units, containers and pods: by the kernel's cgroup tree and, where it does not tell, by the processes that hold the
//! sockets.

use crate::support::holder::{Cgroup, Program};
use crate::support::namespace::Namespace;
use crate::support::run::{Finished, PROGRAM, command, finish, program_for_everybody};
use crate::support::{has, namespace, or_skip};

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Hides every cgroup tree, as in a chroot or under `ip netns exec`.
const WITHOUT_TREES: &str = "mount --make-rprivate / && awk '$5 ~ \"^/sys/fs/cgroup\" {print $5}' /proc/self/mountinfo | \
                             sort -r | xargs -r umount -l && ";

/// A shell with mounts of its own, in which `$0` is the program.
fn with_own_mounts(namespace: &Namespace, script: &str, program: &str) -> Finished {
    let mut unshare = command("unshare");
    unshare.args(["-m", "sh", "-c", script, program]);
    namespace.inside(|| finish(unshare))
}

#[test]
fn a_units_name_is_printed_as_it_is_and_read_back() {
    const UNIT: &str = r"app\x2dweb@tcpstates.service";
    let Some(namespace) = namespace() else { return };
    let (Some(program), Some(cgroup)) = (Program::new("holder"), or_skip(Cgroup::new(UNIT))) else { return };
    let _holder = program.listening(&namespace, "holder", &["80", &cgroup.processes()]);
    for format in ["plain", "table", "csv"] {
        let shown = namespace.tcpstates(&["-lnHf", format, "--columns", "unit"]);
        assert_eq!(shown.trim_end(), UNIT, "{format}");
        let counts = namespace.tcpstates(&["-Hf", format, "--count-by", "unit"]);
        assert!(counts.starts_with(UNIT), "{format}: {counts}");
    }
    for args in [&["-lnHe"][..], &["-lnHef", "table"], &["-lnHef", "csv"], &["-lnHef", "ss"]] {
        let shown = namespace.tcpstates(args);
        assert!(shown.contains(&format!("/{UNIT}")), "{args:?}: {shown}");
    }
    let json = namespace.tcpstates(&["-lne", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["sockets"][0]["unit"], UNIT);
    let by_filter = namespace.tcpstates(&["-lnH", &format!("unit = {UNIT}")]);
    assert_eq!(by_filter.lines().count(), 1);
    if has("ss") {
        let shown = namespace.other("ss", &["-Hlnte"]);
        assert!(shown.contains(&format!("cgroup:/{UNIT}")), "{shown}");
    }
}

#[test]
fn without_a_mounted_tree_units_are_still_known() {
    let Some(namespace) = namespace() else { return };
    let name = "tcpstates-unmounted.service";
    let (Some(program), Some(cgroup)) = (Program::new("holder"), or_skip(Cgroup::new(name))) else { return };
    if !has("unshare") || !has("setpriv") {
        return;
    }
    let _holder = program.listening(&namespace, "holder", &["80", &cgroup.processes()]);
    let (_folder, for_everybody) = program_for_everybody();
    let for_everybody = for_everybody.to_str().expect("a plain path");
    let run = |rest: &str| with_own_mounts(&namespace, &format!("{WITHOUT_TREES}{rest}"), for_everybody);
    for source in ["netlink", "procfs"] {
        let list = |filter: &str| run(&format!("exec \"$0\" -lnH --source {source} '{filter}'")).done();
        assert_eq!(list(&format!("unit = {name}")).lines().count(), 1, "{source}");
        assert_eq!(list(&format!("not unit = {name}")), "", "{source}");
        assert_eq!(list("container = *"), "", "{source}");
        let columns = run(&format!("exec \"$0\" -lnH --source {source} --columns unit,cgroup")).done();
        assert_eq!(columns, format!("{name} /{name}\n"), "{source}");
        let counts = run(&format!("exec \"$0\" --source {source} --count-by unit")).done();
        assert_eq!(counts, format!("{name} 1\n"), "{source}");
    }
    // Who may neither mount the tree nor read the process knows neither that the unit fits nor that it does not.
    let user = "exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$0\"";
    for filter in ["unit = x.service", "not unit = x.service", "container = *", "pod-uid = *"] {
        let stderr = run(&format!("{user} -lnH '{filter}'")).failed(1);
        let term = filter.trim_start_matches("not ").replace('-', "_");
        assert!(
            stderr.starts_with(&format!(
                "tcpstates: filter: '{term}' cannot be answered for 1 socket: no cgroup2 tree"
            )),
            "{stderr}"
        );
        assert!(
            stderr.contains("\nhint: user 65534 lacks CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"),
            "{stderr}"
        );
        let stderr = run(&format!("{user} --count-by state '{filter}'")).failed(1);
        assert!(stderr.contains("cannot be answered"), "{stderr}");
    }
    // What decides it without the unit is an answer.
    assert_eq!(run(&format!("{user} -lnH 'sport = :80 or unit = x.service'")).noted().0.lines().count(), 1);
    assert_eq!(run(&format!("{user} -lnH 'sport = :81 and unit = x.service'")).quiet(), "");
    let (json, stderr) = run(&format!("{user} -lne --json")).noted();
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    for key in ["cgroup", "unit", "container", "pod_uid"] {
        assert_eq!(document["sockets"][0][key], serde_json::Value::Null, "{key}");
    }
    assert!(
        stderr.contains("the cgroup of 1 socket is unknown: no cgroup2 tree is mounted here"),
        "{stderr}"
    );
    let stderr = run(&format!("{user} -lnH 'cgroup = /{name}'")).failed(2);
    assert!(stderr.contains("no cgroup2 tree is mounted here"), "{stderr}");
}

#[test]
fn what_a_cgroup_namespace_hides_is_no_answer() {
    let Some(namespace) = namespace() else { return };
    let Some(cgroup) = or_skip(Cgroup::new("tcpstates-namespaced.service")) else { return };
    if !has("unshare") {
        return;
    }
    let _listener = namespace.inside(|| std::net::TcpListener::bind("127.0.0.1:80").expect("it can listen"));
    let script = format!("echo 0 > '{}' && exec unshare -C sh \"$1\" \"$0\"", cgroup.processes());
    let run = |rest: &str| {
        let file = tempfile::NamedTempFile::new().expect("a file can be had");
        std::fs::write(file.path(), format!("{WITHOUT_TREES} exec \"$1\" {rest}\n"))
            .expect("it can be written");
        let mut unshare = command("unshare");
        unshare.args(["-m", "sh", "-c", &script, PROGRAM]).arg(file.path());
        namespace.inside(|| finish(unshare))
    };
    let stderr = run("-lnH 'container = *'").failed(1);
    assert!(
        stderr.contains("'container = *' cannot be answered for 1 socket: this cgroup namespace hides"),
        "{stderr}"
    );
    let (_, stderr) = run("-lnH --columns container").noted();
    assert!(stderr.contains("the unit and container of 1 socket is unknown"), "{stderr}");
}

#[test]
fn a_socket_that_systemd_created_is_its_holders() {
    let Some(namespace) = namespace() else { return };
    let units = ["tcpstates-web.socket", "tcpstates-web.service"];
    let [socket, service] = units.map(|unit| or_skip(Cgroup::new(unit)));
    let (Some(socket), Some(service), Some(program)) = (socket, service, Program::new("holder")) else {
        return;
    };
    let holder = program.listening(&namespace, "holder", &["80", &socket.processes()]);
    let shown = || namespace.tcpstates(&["-lnH", "--columns", "unit,cgroup"]);
    assert_eq!(shown(), "tcpstates-web.socket /tcpstates-web.socket\n");
    service.take(&holder);
    assert_eq!(shown(), "tcpstates-web.service /tcpstates-web.socket\n");
    let listed = |filter: &str| namespace.tcpstates(&["-lnH", filter]).lines().count();
    assert_eq!((listed("unit = *.service"), listed("unit = *.socket")), (1, 0));
    assert_eq!(namespace.tcpstates(&["--count-by", "unit,state"]), "tcpstates-web.service LISTEN 1\n");
    let json = namespace.tcpstates(&["-lne", "--json"]);
    assert!(json.contains(r#""cgroup":"/tcpstates-web.socket","unit":"tcpstates-web.service""#), "{json}");
}

#[test]
fn odd_mounts_hide_no_unit() {
    let Some(namespace) = namespace() else { return };
    let name = "tcpstates-odd.service";
    let (Some(program), Some(cgroup)) = (Program::new("holder"), or_skip(Cgroup::new(name))) else { return };
    if !has("unshare") {
        return;
    }
    let _holder = program.listening(&namespace, "holder", &["80", &cgroup.processes()]);
    let folder = tempfile::tempdir().expect("a folder can be had");
    let folder = folder.path().display();
    let script = format!(
        "mount --make-rprivate / && for name in \"$(printf '\\377')\" 'two words' -; do mkdir {folder}/\"$name\" && \
         mount -t tmpfs \"$name\" {folder}/\"$name\"; done && exec \"$0\" -lnH --columns unit"
    );
    assert_eq!(with_own_mounts(&namespace, &script, PROGRAM).done(), format!("{name}\n"));
}

#[test]
fn containers_and_pods_are_found_by_what_their_tools_print() {
    const UID: &str = "1f2e3d4c-5b6a-7988-0a1b-2c3d4e5f6a7b";
    let Some(namespace) = namespace() else { return };
    let scope = format!("docker-{ID}.scope");
    let slice = format!("kubepods-burstable-pod{}.slice", UID.replace('-', "_"));
    let [container, pod] = [&scope, &slice].map(|name| or_skip(Cgroup::new(name)));
    let (Some(container), Some(pod), Some(program)) = (container, pod, Program::new("holder")) else {
        return;
    };
    let _holders = [("80", container), ("81", pod)].map(|(port, cgroup)| {
        (program.listening(&namespace, "holder", &[port, &cgroup.processes()]), cgroup)
    });
    for (filter, port) in [
        (format!("container = {ID}"), ":80 "),
        (format!("container = {}", &ID[..12]), ":80 "),
        (format!("pod-uid = {UID}"), ":81 "),
        (format!("pod_uid = {}*", &UID[..8]), ":81 "),
    ] {
        let shown = namespace.tcpstates(&["-lnH", &filter]);
        assert!(shown.lines().count() == 1 && shown.contains(port), "{filter}: {shown}");
    }
    assert_eq!(namespace.tcpstates(&["-lnH", &format!("container = {}", &ID[..11])]), "");
    let pods = namespace.tcpstates(&["-lnHf", "csv", "--columns", "local-port,pod-uid", "sport = :81"]);
    assert_eq!(pods, format!("81,{UID}\n"));
    let counts = namespace.tcpstates(&["--count-by", "pod-uid", "--ndjson"]);
    assert!(counts.contains(&format!("{{\"pod_uid\":\"{UID}\",\"count\":1}}")), "{counts}");
}
