//! What runs out.

use std::io::Read as _;
use std::net::{Ipv6Addr, SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;
use socket2::{Domain, Socket, Type};

use super::{listener, local, nothing, only, own_pid, pair};
use crate::support::namespace;
use crate::support::namespace::Namespace;
use crate::support::run::command;

/// Ten ports, one of them reserved and one listened on.
fn few_ports() -> Option<(Namespace, Socket)> {
    let namespace = namespace()?;
    namespace.sysctl("ipv4/ip_local_port_range", "40000 40009");
    namespace.sysctl("ipv4/ip_local_reserved_ports", "40009,50000-50010");
    namespace.sysctl("ipv4/tcp_tw_reuse", "0");
    let server = namespace.inside(|| listener(local(40003), 64));
    Some((namespace, server))
}

#[test]
fn local_ports_that_run_out() {
    let Some((namespace, server)) = few_ports() else { return };
    let connect = || namespace.inside(|| TcpStream::connect(local(40003)));
    let accept = || server.accept().expect("one has come");
    let mut held: Vec<_> = (0..6).map(|_| (connect().expect("there are ports"), accept())).collect();
    nothing(&namespace, &[]);
    held.push((connect().expect("there are ports"), accept()));
    let finding = only(&namespace, &[], "local-ports", "warning");
    assert_eq!((finding.number("taken"), finding.number("usable")), (7, 8));
    assert_eq!((finding.number("reserved"), finding.number("bound")), (1, 1));
    assert_eq!(finding.seen["destination"], "127.0.0.1:40003");
    held.push((connect().expect("there are ports"), accept()));
    let finding = only(&namespace, &[], "local-ports", "critical");
    assert_eq!(finding.number("connections"), 8);
    assert_eq!(finding.first("processes", "pid"), own_pid());
    // So says the kernel.
    let error = connect().expect_err("there is no port left");
    assert_eq!(error.raw_os_error(), Some(libc::EADDRNOTAVAIL));
}

/// With a list that is longer than 32 bytes, of which the last entries take the most ports.
#[test]
fn reserved_ports_at_the_end_of_a_long_list_are_not_usable() {
    let Some((namespace, server)) = few_ports() else { return };
    namespace.sysctl("ipv4/ip_local_reserved_ports", "20000,20002,20004,20006,20008,40005-40009");
    let pairs: Vec<_> = (0..4)
        .map(|_| {
            let client = namespace.inside(|| TcpStream::connect(local(40003))).expect("there are ports");
            (client, server.accept().expect("one has come"))
        })
        .collect();
    let finding = only(&namespace, &[], "local-ports", "critical");
    assert_eq!((finding.number("taken"), finding.number("usable"), finding.number("reserved")), (4, 4, 5));
    drop(pairs);
}

#[test]
fn local_ports_of_ipv6_are_counted_by_themselves() {
    let Some((namespace, _server)) = few_ports() else { return };
    let address = SocketAddr::from((Ipv6Addr::LOCALHOST, 443));
    let held = namespace.inside(|| {
        let listener = listener(address, 64);
        let pairs: Vec<_> = (0..8).map(|_| pair(&listener)).collect();
        (listener, pairs)
    });
    let finding = only(&namespace, &[], "local-ports", "critical");
    assert_eq!(finding.seen["destination"], "[::1]:443");
    drop(held);
}

/// A connection that this end closes first.
fn leave_time_wait(namespace: &Namespace, listener: &Socket, address: SocketAddr) {
    let mut client = namespace.inside(|| TcpStream::connect(address).expect("it listens"));
    let (accepted, _) = listener.accept().expect("one has come");
    client.shutdown(std::net::Shutdown::Write).expect("it stands");
    drop(accepted);
    assert_eq!(client.read(&mut [0]).expect("the other end closes"), 0);
}

#[test]
fn ports_in_time_wait_are_taken_unless_they_are_used_again() {
    let Some((namespace, server)) = few_ports() else { return };
    let connect = || namespace.inside(|| TcpStream::connect(local(40003)));
    (0..8).for_each(|_| leave_time_wait(&namespace, &server, local(40003)));
    let finding = only(&namespace, &[], "local-ports", "critical");
    assert_eq!((finding.number("time_wait"), finding.number("connections")), (8, 0));
    assert!(finding.advice.contains("now 0"), "{}", finding.advice);
    connect().expect_err("there is no port left");
    // On loopback a second after.
    namespace.sysctl("ipv4/tcp_tw_reuse", "2");
    sleep(Duration::from_millis(1500));
    nothing(&namespace, &[]);
    connect().expect("a port is used again");
}

#[test]
fn without_timestamps_time_wait_is_not_used_again() {
    let Some((namespace, server)) = few_ports() else { return };
    namespace.sysctl("ipv4/tcp_tw_reuse", "1");
    namespace.sysctl("ipv4/tcp_timestamps", "0");
    (0..8).for_each(|_| leave_time_wait(&namespace, &server, local(40003)));
    sleep(Duration::from_millis(1500));
    let finding = only(&namespace, &[], "local-ports", "critical");
    assert_eq!((finding.number("taken"), finding.number("time_wait_old_enough")), (8, 8));
    assert!(finding.advice.contains("tcp_timestamps = 0"), "{}", finding.advice);
    // So says the kernel.
    let error = namespace.inside(|| TcpStream::connect(local(40003))).expect_err("there is no port left");
    assert_eq!(error.raw_os_error(), Some(libc::EADDRNOTAVAIL));
}

#[test]
fn ports_that_are_bound_before_connecting_run_out() {
    let Some(namespace) = namespace() else { return };
    namespace.sysctl("ipv4/ip_local_port_range", "40000 40009");
    let servers: Vec<_> = (0..4).map(|port| namespace.inside(|| listener(local(80 + port), 16))).collect();
    let connect = |port: u16| {
        let socket = namespace.inside(|| Socket::new(Domain::IPV4, Type::STREAM, None))?;
        socket.bind(&local(0).into())?;
        socket.connect(&local(80 + port % 4).into())?;
        std::io::Result::Ok(socket)
    };
    let mut held: Vec<_> = (0..7).map(|port| connect(port).expect("there are ports")).collect();
    nothing(&namespace, &[]);
    held.push(connect(7).expect("there are ports"));
    let finding = only(&namespace, &[], "local-ports", "warning");
    assert_eq!((finding.number("taken"), finding.number("usable")), (8, 10));
    held.extend((8..10).map(|port| connect(port).expect("there are ports")));
    let finding = only(&namespace, &[], "local-ports", "critical");
    assert_eq!(finding.first("processes", "pid"), own_pid());
    // So says the kernel, to a program that binds and to one that does not.
    let bound = connect(0).expect_err("there is no port left");
    let plain = namespace.inside(|| TcpStream::connect(local(80))).expect_err("there is no port left");
    let errors = [bound, plain].map(|error| error.raw_os_error());
    assert_eq!(errors, [Some(libc::EADDRINUSE), Some(libc::EADDRNOTAVAIL)]);
    drop(servers);
}

#[test]
fn time_wait_near_its_limit() {
    let Some(namespace) = namespace() else { return };
    let server = namespace.inside(|| listener(local(80), 64));
    let end_one = || leave_time_wait(&namespace, &server, local(80));
    namespace.sysctl("ipv4/tcp_max_tw_buckets", "10");
    (0..7).for_each(|_| end_one());
    nothing(&namespace, &[]);
    end_one();
    let finding = only(&namespace, &[], "time-wait", "warning");
    assert_eq!((finding.number("records"), finding.number("used_percent")), (8, 80));
    assert_eq!(finding.number("overflows"), 0);
    (0..4).for_each(|_| end_one());
    let finding = only(&namespace, &[], "time-wait", "warning");
    assert!(finding.number("records") <= 11 && finding.number("overflows") > 0, "{:?}", finding.seen);
    namespace.sysctl("ipv4/tcp_max_tw_buckets", "1000");
    only(&namespace, &[], "time-wait", "note");
    nothing(&namespace, &["--interval", "0.05"]);
}

/// Ended when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A process with so many descriptors of one listener, up to ten, and how many it has open.
fn sleeper(namespace: &Namespace, listener: &Socket, sockets: u32) -> (Running, u64) {
    let copies: Vec<_> = (3..2 + sockets).map(|number| format!("{number}<&0")).collect();
    let mut child = namespace.inside(|| {
        let stdin = std::os::fd::OwnedFd::from(listener.try_clone().expect("it can be shared"));
        let mut sh = command("sh");
        sh.args(["-c", &format!("exec {}; echo; kill -STOP $$", copies.join(" "))]);
        Running(sh.stdin(stdin).stdout(Stdio::piped()).spawn().expect("sh can be run"))
    });
    // It opens no more files after its line.
    let read = child.0.stdout.as_mut().expect("it is piped").read_exact(&mut [0]);
    read.expect("sh writes a line");
    let folder = format!("/proc/{}", child.0.id());
    // It may have inherited others.
    let open = std::fs::read_dir(format!("{folder}/fd")).expect("it is our child").count() as u64;
    (child, open)
}

fn limit_descriptors(child: &Running, current: u64) {
    let limit = Rlimit { current: Some(current), maximum: Some(4096) };
    prlimit(Some(Pid::from_child(&child.0)), Resource::Nofile, limit).expect("it is our child");
}

#[test]
fn descriptors_of_every_process_are_looked_at() {
    let Some(namespace) = namespace() else { return };
    let listener = namespace.inside(|| listener(local(80), 1));
    let others: Vec<_> = (0..70).map(|_| sleeper(&namespace, &listener, 8)).collect();
    let (child, open) = sleeper(&namespace, &listener, 7);
    limit_descriptors(&child, open);
    let finding = only(&namespace, &[], "descriptors", "critical");
    assert_eq!((finding.number("open"), finding.number("tcp_sockets")), (open, 7));
    drop(others);
}

#[test]
fn descriptors_that_sockets_use_up() {
    let Some(namespace) = namespace() else { return };
    let listener = namespace.inside(|| listener(local(80), 1));
    let (child, open) = sleeper(&namespace, &listener, 8);
    drop(listener);
    let limit = |current| limit_descriptors(&child, current);
    limit(10 * open);
    nothing(&namespace, &[]);
    limit(open + 2);
    let finding = only(&namespace, &[], "descriptors", "warning");
    assert_eq!((finding.number("open"), finding.number("tcp_sockets")), (open, 8));
    assert_eq!(finding.first("processes", "pid"), Value::from(child.0.id()));
    nothing(&namespace, &["--limit-percent", "95"]);
    limit(open);
    only(&namespace, &[], "descriptors", "critical");
}
