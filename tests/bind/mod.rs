//! `bind`: what it says beside what a real bind then does, for every kind of holder.

mod asked;
mod calls;
mod holders;
mod texts;

use std::io;

use anyhow::ensure;
use rustix::process::Uid;
use rustix::thread::set_thread_res_uid;
use serde_json::Value;

use tcpstates::internals::kernel::host::lists_idle;

use crate::support::run::{Finished, finish, program_for_everybody};
use crate::support::{has, namespace, run};
use asked::{asked, compared, eventually, found, in_the_way, target, targets, told};
use holders::{Kind, hold};

#[test]
fn each_holder_alone_is_what_a_real_bind_finds_it_to_be() {
    let Some(namespace) = namespace() else { return };
    for (number, (kind, reuse)) in Kind::ALL.iter().flat_map(|kind| [(kind, false), (kind, true)]).enumerate()
    {
        let port = 20_000 + u16::try_from(number).unwrap();
        let held = namespace.inside(|| hold(*kind, port, reuse));
        for (words, addresses) in targets(port) {
            eventually(|| {
                let (answer, fails) = compared(&namespace, &words, &addresses)?;
                if kind.is_listed() {
                    is_alone(&answer, fails, *kind, reuse)
                } else {
                    is_unlisted(&answer, fails)
                }
            });
        }
        drop(held);
        // That socket blocked, and nothing else.
        if kind.state() != "TIME_WAIT" {
            let (words, addresses) = &targets(port)[0];
            eventually(|| {
                let (answer, fails) = compared(&namespace, words, addresses)?;
                ensure!(!fails && answer["holders"] == serde_json::json!([]), "{kind:?}: {answer:#}");
                Ok(())
            });
        }
    }
}

/// The one holder, of which the verdicts tell everything; but where the kernel lists no idle sockets, one of those might
/// be in the way besides, and what the verdicts tell of one holder alone stays open.
fn is_alone(answer: &Value, fails: bool, kind: Kind, reuse: bool) -> anyhow::Result<()> {
    let case = format!("{kind:?}, SO_REUSEADDR {reuse}: {answer:#}");
    let [holder] = &answer["holders"].as_array().unwrap()[..] else { anyhow::bail!("not one: {case}") };
    let listens = kind.state() == "LISTEN";
    // A listener blocks whatever it set.
    let set = if listens || !fails { Value::Null } else { reuse.into() };
    let blocks = match (fails, listens || !reuse) {
        (false, _) => "no",
        (true, true) => "yes",
        (true, false) => "unless_it_set_reuse_address",
    };
    ensure!(holder["state"] == kind.state() && holder["local_address"] == kind.address(), "state: {case}");
    if !lists_idle() {
        let open = |key: &str, told: Value| holder[key].is_null() || holder[key] == told;
        ensure!(open("overlaps", fails.into()) && open("set_reuse_address", set), "open: {case}");
        ensure!((holder["blocks"] == "no") == (holder["overlaps"] == false), "blocks: {case}");
        return Ok(());
    }
    ensure!(holder["overlaps"] == fails && holder["blocks"] == blocks, "blocks: {case}");
    ensure!(holder["set_reuse_address"] == set, "option: {case}");
    Ok(())
}

/// No holder, and the advice that there may be one which this kernel does not list.
fn is_unlisted(answer: &Value, fails: bool) -> anyhow::Result<()> {
    let advice = answer["advice"].as_str().unwrap_or_default();
    let said = advice.ends_with("bound and idle, which kernels before Linux 6.8 do not show.");
    let helps = advice == "Set SO_REUSEADDR before the bind, as servers do.";
    let fails_with_it = told(answer).iter().any(|(_, reuse, error)| *reuse && error.is_some());
    ensure!(answer["holders"] == serde_json::json!([]), "{answer:#}");
    ensure!(said == fails_with_it && helps == (fails && !fails_with_it), "{answer:#}");
    Ok(())
}

/// Sockets that can share a port: each is reported to block if it does so alone.
#[test]
fn holders_together_are_told_apart() {
    let Some(namespace) = namespace() else { return };
    let mut kinds = vec![
        Kind::Bound,
        Kind::Established,
        Kind::TimeWait,
        Kind::Outgoing,
        Kind::EstablishedV6OfV6only,
        Kind::ListenerElsewhere,
        Kind::V6onlyWildcard,
    ];
    kinds.retain(|kind| kind.is_listed());
    let together = 21_000;
    let held = |kind, port| namespace.inside(|| hold(kind, port, true));
    let _together: Vec<_> = kinds.iter().map(|kind| held(*kind, together)).collect();
    let alone: Vec<_> =
        (together + 1..).zip(&kinds).map(|(port, kind)| (kind, port, held(*kind, port))).collect();
    for (place, (words, addresses)) in targets(together).into_iter().enumerate() {
        eventually(|| {
            let (answer, _) = compared(&namespace, &words, &addresses)?;
            let holders = answer["holders"].as_array().unwrap();
            ensure!(holders.len() == kinds.len(), "{answer:#}");
            for (kind, port, _) in &alone {
                let (words, addresses) = &targets(*port)[place];
                let (_, fails) = compared(&namespace, words, addresses)?;
                let same = |holder: &&Value| {
                    holder["state"] == kind.state() && holder["local_address"] == kind.address()
                };
                let Some(holder) = holders.iter().find(same) else {
                    anyhow::bail!("no {kind:?}: {answer:#}")
                };
                // Whether an IPv6 connection blocks 0.0.0.0 is unknown if other sockets do.
                if holder["overlap"] == "ipv6_connection" {
                    ensure!(holder["overlaps"].is_null(), "{kind:?}, {words:?}: {answer:#}");
                    continue;
                }
                ensure!((holder["blocks"] != "no") == fails, "{kind:?}, {words:?}: {answer:#}");
                ensure!(holder["overlaps"] == fails, "{kind:?}, {words:?}: {answer:#}");
                ensure!(holder["set_reuse_address"] != false, "all set it: {answer:#}");
            }
            Ok(())
        });
    }
}

#[test]
fn what_proc_does_not_tell_is_left_open() {
    let Some(namespace) = namespace() else { return };
    for (port, kind) in (21_100..).zip(Kind::ALL) {
        let _held = namespace.inside(|| hold(kind, port, false));
        // IPv4 alone: there it matters whether an IPv6 socket is for IPv6 only.
        let [_, (mut words, addresses), ..] = targets(port);
        let with_netlink = eventually(|| compared(&namespace, &words, &addresses)).0;
        words.extend(["--source".to_owned(), "procfs".to_owned()]);
        let (answer, fails) = eventually(|| compared(&namespace, &words, &addresses));
        let note = "/proc does not have: bound and idle sockets, IPV6_V6ONLY";
        assert_eq!((&answer["source"], &answer["warnings"][0]), (&"procfs".into(), &note.into()));
        if kind.state() == "CLOSED" {
            let advice = answer["advice"].as_str().unwrap_or_default();
            assert_eq!(advice.starts_with("Try again"), fails, "{answer:#}");
            assert_eq!(advice.ends_with("bound and idle, which /proc does not show."), fails, "{answer:#}");
            assert_eq!(answer["holders"], serde_json::json!([]));
            continue;
        }
        let (less, more) = (&answer["holders"][0], &with_netlink["holders"][0]);
        let (told, really) = (&less["overlaps"], &more["overlaps"]);
        assert!(told == really || told.is_null(), "{answer:#}");
        assert_eq!(less["blocks"] == "no", told == false, "{answer:#}");
        assert!(less["set_reuse_address"].is_null(), "{answer:#}");
    }
}

#[test]
fn every_port_of_the_zoo_is_answered_as_the_kernel_does() {
    let Some(zoo) = crate::support::zoo() else { return };
    let mut ports: Vec<_> = zoo.specimens().iter().map(|specimen| specimen.local.port()).collect();
    ports.sort_unstable();
    ports.dedup();
    let mut half_open = 0;
    for port in ports {
        let (words, addresses) = &targets(port)[0];
        let (answer, fails) = eventually(|| {
            let (answer, fails) = compared(zoo.namespace(), words, addresses)?;
            let expected = zoo.specimens().iter().filter(|specimen| specimen.local.port() == port).count();
            ensure!(answer["holders"].as_array().unwrap().len() == expected, "{answer:#}");
            Ok((answer, fails))
        });
        assert!(fails && !in_the_way(&answer).is_empty(), "{words:?}: {answer:#}");
        for holder in answer["holders"].as_array().unwrap() {
            if holder["state"] == "SYN_RECV" {
                assert_eq!((&holder["overlap"], &holder["blocks"]), (&"half_open".into(), &"no".into()));
                half_open += 1;
            }
        }
    }
    assert!(half_open > 0);
}

#[test]
fn a_scope_parts_listeners_on_link_local_addresses() {
    let Some(namespace) = namespace() else { return };
    let made = namespace.ip("link add one type veth peer name two\nlink set one up\nlink set two up\n\
         addr add fe80::1/64 dev one nodad\naddr add fe80::1/64 dev two nodad");
    let Some(()) = crate::support::or_skip(made) else { return };
    let held = namespace.inside(|| holders::link_local("one", 22_000));
    let (answer, status) = asked(&namespace, &["[fe80::1%one]:22000"]);
    assert_eq!((&answer["holders"][0]["overlap"], status), (&"same_address".into(), 1), "{answer:#}");
    assert_eq!((&answer["interface"], &answer["holders"][0]["interface"]), (&"one".into(), &"one".into()));
    let (answer, status) = asked(&namespace, &["[fe80::1%two]:22000"]);
    assert_eq!((&answer["holders"][0]["overlap"], status), (&"another_interface".into(), 0), "{answer:#}");
    drop(held);
    let stderr = namespace.run(&["bind", "[fe80::1%three]:80"]).failed(2);
    assert_eq!(stderr, "tcpstates: bind: unknown device 'three'\n");
}

#[test]
fn an_ipv6_address_that_may_not_be_used_yet_is_told_from_one_that_is_not_there() {
    let Some(namespace) = namespace() else { return };
    let made = namespace.ip("link add one type veth peer name two\nlink set one up\nlink set two up\n\
         addr add fe80::99/64 dev two nodad");
    let Some(()) = crate::support::or_skip(made) else { return };
    // So long that it is not over before the test.
    namespace.sysctl("ipv6/conf/one/dad_transmits", "100");
    namespace
        .ip("addr add 2001:db8:6::1/64 dev one\naddr add fe80::99/64 dev one")
        .expect("they can be added");
    for (word, dad, note, advice) in [
        ("[2001:db8:6::1]:8080", "tentative", "it is tentative", "network-online.target"),
        ("[fe80::99%one]:8080", "dadfailed", "another host has it too", "from the other host"),
    ] {
        eventually(|| {
            let (answer, status) = asked(&namespace, &[word]);
            ensure!(answer["duplicate_address_detection"] == dad && status == 1, "{answer:#}");
            let said = |key: &str, text| answer[key].to_string().contains(text);
            ensure!(said("notes", note) && said("advice", advice), "{answer:#}");
            Ok(())
        });
    }
    let (answer, _) = asked(&namespace, &["[2001:db8:6::2]:8080"]);
    assert!(answer["duplicate_address_detection"].is_null(), "{answer:#}");
    namespace.sysctl("ipv6/ip_nonlocal_bind", "1");
    let (_, status) = asked(&namespace, &["[2001:db8:6::1]:8080"]);
    assert_eq!(status, 0, "as the advice says");
}

#[test]
fn no_socket_can_be_bound_to_an_ipv6_multicast_address() {
    let Some(namespace) = namespace() else { return };
    for address in ["[ff02::1%lo]:8080", "[ff0e::1]:8080"] {
        let Finished { stdout, status, .. } = namespace.run(&["bind", address]);
        assert!(stdout.starts_with(&format!("{address} can't be bound: invalid argument")), "{stdout}");
        assert!(stdout.contains("TCP has no multicast"), "{stdout}");
        assert_eq!(status, Some(1));
    }
}

#[test]
fn an_address_may_be_written_in_several_ways() {
    let Some(namespace) = namespace() else { return };
    let _held = namespace.inside(|| hold(Kind::Listener, 22_500, false));
    for (words, addresses) in [
        target(&["0.0.0.0:{}"], &["0.0.0.0"], 22_500),
        target(&["[::]:{}"], &["::"], 22_500),
        target(&["-4", "127.0.0.1:{}"], &["127.0.0.1"], 22_500),
        target(&["[::ffff:127.0.0.1]:{}"], &["127.0.0.1"], 22_500),
        // As netstat prints them.
        target(&[":::{}"], &["::"], 22_500),
        target(&["::1:{}"], &["::1"], 22_500),
    ] {
        let (answer, _) = eventually(|| compared(&namespace, &words, &addresses));
        assert_eq!(answer["address"].as_str(), Some(addresses[0].ip().to_string().as_str()));
    }
    let json =
        |words: &[&str]| serde_json::from_str::<Value>(&namespace.run(words).stdout).expect("a document");
    let answer = json(&["bind", "--json", "-4", "localhost:22500"]);
    assert_eq!((&answer["address"], &answer["can_bind"]), (&"127.0.0.1".into(), &false.into()), "{answer:#}");
    assert_eq!(namespace.run(&["bind", "localhost:22500"]).status, Some(1));
}

#[test]
fn every_address_of_both_families_is_tried_as_programs_usually_bind_it() {
    let Some(namespace) = namespace() else { return };
    for (port, kind) in (22_600..).zip([Kind::Listener, Kind::MappedListener]) {
        let _held = namespace.inside(|| hold(kind, port, false));
        let (words, addresses) = target(&["[::]:{}"], &["::"], port);
        let asked_for = |words: &[String], fails: bool, v6only: bool| {
            eventually(|| {
                let (answer, really_fails) = compared(&namespace, words, &addresses)?;
                ensure!(really_fails == fails, "{words:?}: {answer:#}");
                assert_eq!(answer["tries"][0]["v6only"], v6only, "{answer:#}");
                assert_eq!(answer["holders"][0]["overlap"] == "within_wildcard", fails, "{answer:#}");
                // The answer says that IPv4 is included.
                let said = answer["notes"].to_string().contains(&format!("`bind -6 {port}`"));
                assert_eq!(said, !v6only, "{answer:#}");
                Ok(())
            });
        };
        asked_for(&words, true, false);
        asked_for(&["-6".to_owned(), port.to_string()], false, true);
        namespace.sysctl("ipv6/bindv6only", "1");
        asked_for(&words, false, true);
        namespace.sysctl("ipv6/bindv6only", "0");
    }
}

#[test]
fn without_ipv6_addresses_the_wildcard_can_still_be_bound() {
    let Some(namespace) = namespace() else { return };
    namespace.sysctl("ipv6/conf/all/disable_ipv6", "1");
    for (words, addresses) in targets(23_000) {
        eventually(|| compared(&namespace, &words, &addresses));
    }
}

#[test]
fn settings_and_addresses_are_said() {
    let Some(namespace) = namespace() else { return };
    namespace.sysctl("ipv4/ip_unprivileged_port_start", "100");
    namespace.sysctl("ipv4/ip_local_reserved_ports", "9000-9010,40000");
    namespace.sysctl("ipv4/ip_local_port_range", "40000 50000");
    let notes = |words: &[&str]| {
        let (answer, status) = asked(&namespace, words);
        let notes: Vec<_> = answer["notes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|note| note.as_str().unwrap().to_owned())
            .collect();
        let facts = ["privileged", "in_local_reserved_ports", "in_local_port_range"]
            .map(|key| answer[key].as_bool().unwrap());
        (notes.join(" "), facts, status)
    };
    let (text, facts, status) = notes(&["99"]);
    assert!(text.contains("below net.ipv4.ip_unprivileged_port_start (100)"), "{text}");
    assert_eq!((facts, status), ([true, false, false], 0), "root may");
    assert_eq!(notes(&["100"]), (String::new(), [false; 3], 0));
    let (text, facts, _) = notes(&["9010"]);
    assert!(text.contains("in net.ipv4.ip_local_reserved_ports"), "{text}");
    assert_eq!(facts, [false, true, false]);
    assert_eq!(notes(&["40000"]).1, [false, true, true]);
    let (text, facts, _) = notes(&["40001"]);
    assert!(text.contains("in net.ipv4.ip_local_port_range"), "{text}");
    assert_eq!(facts, [false, false, true]);
    for (address, other) in [("192.0.2.1", "192.0.2.1:8080"), ("2001:db8::1", "[2001:db8::1]:8080")] {
        let (text, _, status) = notes(&[other]);
        assert_eq!((text, status), (format!("This host does not have the address {address}."), 1));
        eventually(|| compared(&namespace, &[other.to_owned()], &[other.parse().unwrap()]));
    }
    namespace.sysctl("ipv4/ip_nonlocal_bind", "1");
    assert_eq!(notes(&["192.0.2.1:8080"]), (String::new(), [false; 3], 0));
}

/// The kernel answers one read of the list only, so a first read that is too short loses the rest.
#[test]
fn a_long_list_of_reserved_ports_is_read_whole() {
    let Some(namespace) = namespace() else { return };
    // Every second port: 120 KB of text.
    let all: Vec<_> = (20_001..50_000).step_by(2).map(|port: u16| port.to_string()).collect();
    for list in ["47600,47602,47604-47606,47640-47700", &all.join(",")] {
        // The kernel takes it in pieces, and adds each to what it has.
        namespace.sysctl("ipv4/ip_local_reserved_ports", "");
        namespace.sysctl("ipv4/ip_local_reserved_ports", list);
        for (port, reserved) in
            [("47640", list.len() < 100), ("47641", true), ("49999", list.len() > 100), ("49998", false)]
        {
            let (answer, _) = asked(&namespace, &[port]);
            assert_eq!(answer["in_local_reserved_ports"], reserved, "{port} of {} bytes", list.len());
        }
    }
}

#[test]
fn a_user_may_not_bind_a_port_below_the_first_unprivileged_one() {
    let Some(namespace) = namespace() else { return };
    if !has("setpriv") {
        return;
    }
    namespace.sysctl("ipv4/ip_unprivileged_port_start", "100");
    let (_folder, program) = program_for_everybody();
    let as_user = |words: &[&str]| {
        let mut setpriv = run::command("setpriv");
        setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program).args(words);
        namespace.inside(|| finish(setpriv))
    };
    for (port, error) in [("99", Some(libc::EACCES)), ("100", None)] {
        let Finished { stdout, status, .. } = as_user(&["bind", "--json", port]);
        let answer = serde_json::from_str(&stdout).unwrap();
        eventually(|| {
            let real = namespace.inside(|| {
                // Only this thread's.
                let nobody = Some(Uid::from_raw(65534));
                set_thread_res_uid(nobody, nobody, nobody).expect("root may");
                let (_, addresses) = &targets(port.parse().unwrap())[0];
                found(addresses, true)
            });
            ensure!(real.iter().all(|(.., found)| *found == error), "{real:?}");
            ensure!(told(&answer) == real, "{answer:#}");
            Ok(())
        });
        assert_eq!(status, Some(i32::from(error.is_some())));
    }
    let text = as_user(&["bind", "99"]).stdout;
    assert!(
        text.contains("can't be bound: permission denied") && text.contains("a port from 100 on"),
        "{text}"
    );
}

#[test]
fn the_status_is_the_answer_even_if_nobody_reads_it() {
    let Some(namespace) = namespace() else { return };
    let _held = namespace.inside(|| hold(Kind::Wildcard, 26_000, false));
    for (port, status) in [("26000", 1), ("26001", 0)] {
        let (reader, writer) = io::pipe().expect("a pipe can be had");
        drop(reader);
        let mut command = run::tcpstates(&["bind", port]);
        command.stdout(writer);
        assert_eq!(namespace.inside(|| command.status()).expect("it runs").code(), Some(status));
    }
}

#[test]
fn bad_words_are_named() {
    for (args, message) in [
        (&["bind", "0"][..], "invalid value '0' for bind: for port 0 the kernel would choose one"),
        (&["bind", "no-such-service"], "bind: unknown service 'no-such-service'"),
        (&["bind", "127.0.0.1"], "invalid value '127.0.0.1' for bind: it has no port"),
        (&["bind", "-6", "127.0.0.1:80"], "-6: the address to bind is an IPv4 one"),
        (
            &["bind", "--proc-root", "/x", "80"],
            "'--proc-root' is not an option of tcpstates bind: it asks this host, and no other proc tree\nhint: see tcpstates bind --help",
        ),
        (
            &["bind", "-f", "csv", "80"],
            "invalid value 'csv' for --format: expected one of plain, json\nhint: see tcpstates bind --help",
        ),
        (&["bind", "-p", "80"], "'-p' is not an option of tcpstates bind\nhint: see tcpstates bind --help"),
        (&["-H", "bind", "80"], "--no-header is an option of the list and must come after 'bind'"),
        (
            &["--json", "bind", "80"],
            "--json is an option of the list and must come after 'bind'\nhint: type: tcpstates bind --json",
        ),
        (&[":80", "bind", "80"], "':80' cannot come before 'bind'"),
        (&["-a", "bind", "80"], "--all is an option of the list and must come after 'bind'"),
    ] {
        assert_eq!(finish(run::tcpstates(args)).failed(2), format!("tcpstates: {message}\n"), "{args:?}");
    }
    let stderr = finish(run::tcpstates(&["bind"])).failed(2);
    assert!(stderr.contains("[ADDR:]PORT"), "{stderr}");
}
