//! The JSON Schemas of docs/schema against what the program prints. A schema allows keys that it does not name, since later
//! versions add some; these tests do not.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use jsonschema::{Registry, Resource, Validator};
use serde_json::{Value, json};
use tcpstates::internals::fields::{self, Field, Kind, Part, Read};

use crate::support::run::{finish, tcpstates};
use crate::support::zoo;
use crate::support::zoo::Zoo;

const BASE: &str = "tcpstates:///";

/// The options that add keys to a socket, and the parts of the field table that they show.
const OPTIONS: [(&[&str], &[Part]); 9] = [
    (&[], &[]),
    (&["-p"], &[Part::Processes]),
    (&["-pp"], &[Part::Processes]),
    (&["-e"], &[Part::Extended]),
    (&["-o"], &[Part::Timers]),
    (&["-i"], &[Part::TcpInfo]),
    (&["-m"], &[Part::Memory]),
    (&["--peer-process"], &[Part::PeerProcesses]),
    (
        &["-ppeoim", "-r", "--resolve-timeout=0.01", "--peer-process"],
        &[
            Part::Processes,
            Part::Extended,
            Part::Timers,
            Part::TcpInfo,
            Part::Memory,
            Part::Hosts,
            Part::PeerProcesses,
        ],
    ),
];

/// The stored schemas, by their file names.
fn stored() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema");
    let mut schemas: Vec<_> = fs::read_dir(folder)
        .expect("the schemas are there")
        .map(|entry| {
            let path = entry.expect("the folder can be listed").path();
            let text = fs::read_to_string(&path).expect("a schema is UTF-8");
            let schema =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path.file_name().unwrap().to_str().unwrap().to_owned(), schema)
        })
        .collect();
    schemas.sort_by(|(a, _), (b, _)| a.cmp(b));
    schemas
}

/// Forbids the keys that a schema does not name, wherever it describes an object.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let is_object = match members.get("type") {
                Some(Value::String(one)) => one == "object",
                Some(Value::Array(several)) => several.contains(&"object".into()),
                _ => false,
            };
            if is_object && !members.contains_key("additionalProperties") {
                members.insert("unevaluatedProperties".to_owned(), false.into());
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Validates against one of the schemas.
struct Schemas {
    registry: Registry<'static>,
}

impl Schemas {
    fn new() -> Self {
        let mut registry = Registry::new();
        for (name, mut schema) in stored() {
            close(&mut schema);
            registry = registry
                .add(format!("{BASE}{name}"), Resource::from_contents(schema))
                .expect("it can be added");
        }
        Self { registry: registry.prepare().expect("every reference leads somewhere") }
    }

    /// The schema at this reference, such as `socket.json#/$defs/chosen`.
    fn at(&self, reference: &str) -> Validator {
        self.build(&json!({ "$ref": format!("{BASE}{reference}") }))
    }

    fn build(&self, schema: &Value) -> Validator {
        jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .with_registry(&self.registry)
            .build(schema)
            .unwrap_or_else(|error| panic!("{schema}: {error}"))
    }

    /// A whole socket that has these keys too.
    fn socket_with(&self, parts: &[Part]) -> Validator {
        let fields = fields::all().filter(|field| parts.contains(&field.part));
        let keys = fields.map(|field| field.object().map_or(field.key(), |object| object.key()));
        let required: BTreeSet<_> = keys.collect();
        self.build(&json!({ "$ref": format!("{BASE}socket.json"), "required": required }))
    }
}

#[track_caller]
fn assert_valid(validator: &Validator, document: &Value, what: &str) {
    let errors: Vec<_> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {}\n{document}", errors.join("\n"));
}

fn json_of(zoo: &Zoo, args: &[&str]) -> Value {
    let printed = zoo.namespace().run(args);
    serde_json::from_str(&printed.stdout)
        .unwrap_or_else(|error| panic!("{args:?}: {error}: {}", printed.stderr))
}

fn lines_of(zoo: &Zoo, args: &[&str]) -> Vec<Value> {
    let printed = zoo.namespace().run(args).stdout;
    printed.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// The schemas of a field: of its key in a socket, and in an object or a list there.
fn of_field<'a>(keys: &'a Value, holder: &'a Value, field: &Field) -> Option<&'a Value> {
    match field.json.split_once('.') {
        Some(("processes" | "peer_processes", key)) => holder["properties"].get(key),
        Some((object, key)) => keys[object]["properties"].get(key),
        None => keys.get(field.json),
    }
}

#[test]
fn every_schema_is_a_schema() {
    for (name, schema) in stored() {
        if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
            panic!("{name}: {error}");
        }
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
    }
    for (name, _) in stored() {
        Schemas::new().at(&name);
    }
}

#[test]
fn every_field_has_its_schema() {
    let (_, socket) = stored().into_iter().find(|(name, _)| name == "socket.json").expect("it is there");
    let (keys, holder) = (&socket["$defs"]["keys"]["properties"], &socket["$defs"]["holder"]);
    let mut known = BTreeSet::from(["taken_at"]);
    for field in fields::all().filter(|field| !field.json.is_empty()) {
        let schema = of_field(keys, holder, field).unwrap_or_else(|| panic!("no schema: {}", field.json));
        assert!(schema["description"].is_string(), "{}: no description", field.json);
        let is_in_list = matches!(field.read, Read::Holders(_) | Read::PeerHolders(_));
        let types = schema["type"].to_string();
        match field.kind {
            Kind::Count | Kind::Number | Kind::Bytes | Kind::Rate | Kind::Time(_) | Kind::Mark => {
                assert!(types.contains("integer"), "{}: {types}", field.json);
            }
            Kind::Flag => assert!(types.contains("boolean"), "{}: {types}", field.json),
            Kind::Large | Kind::Address(_) | Kind::Device | Kind::Cgroup | Kind::Container => {
                assert!(types.contains("string"), "{}: {types}", field.json);
            }
            Kind::Word(words, _) if words.len() > 1 => {
                let listed = schema["enum"].as_array().unwrap_or_else(|| panic!("{}: no words", field.json));
                let missing = words.iter().find(|word| !listed.contains(&Value::from(**word)));
                assert_eq!(missing, None, "{}", field.json);
            }
            Kind::Processes(_) => assert!(is_in_list && types.contains("array"), "{}: {types}", field.json),
            _ => {}
        }
        known.insert(field.json);
    }
    for (key, schema) in keys.as_object().unwrap() {
        let inner = schema["properties"].as_object();
        match inner {
            Some(inner) => {
                for name in inner.keys().map(|name| format!("{key}.{name}")) {
                    assert!(known.contains(&*name), "{name} is no field");
                }
            }
            None => assert!(known.contains(&**key), "{key} is no field"),
        }
    }
}

#[test]
fn lists_are_as_their_schema_says() {
    let Some(zoo) = zoo() else { return };
    let schemas = Schemas::new();
    let (list, line) = (schemas.at("list.json"), schemas.at("socket.json"));
    for source in ["netlink", "procfs"] {
        for (options, parts) in OPTIONS {
            let what = format!("--source {source} {options:?}");
            let args = |format| [&["-a", "--source", source, format], options].concat();
            // /proc has no numbers of connections, so some options are refused there.
            let refused = zoo.namespace().run(&args("--json")).status != Some(0);
            if refused && source == "procfs" {
                continue;
            }
            let document = json_of(&zoo, &args("--json"));
            assert_valid(&list, &document, &what);
            let sockets = document["sockets"].as_array().unwrap();
            assert!(sockets.len() > 10, "{what}");
            let with = schemas.socket_with(parts);
            for socket in sockets.iter().chain(&lines_of(&zoo, &args("--ndjson"))) {
                assert_valid(&line, socket, &what);
                assert_valid(&with, socket, &what);
            }
        }
    }
}

#[test]
fn chosen_keys_are_as_their_schema_says() {
    let Some(zoo) = zoo() else { return };
    let chosen = Schemas::new().at("socket.json#/$defs/chosen");
    let help = finish(tcpstates(&["--columns", "help"])).quiet();
    let words: Vec<_> = help.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for words in [words.join(","), "state,rtt,pid".to_owned()] {
        let sockets = lines_of(&zoo, &["-a", "--ndjson", "--resolve-timeout=0.01", "--columns", &words]);
        assert!(sockets.len() > 10, "{words}");
        for socket in sockets {
            assert_valid(&chosen, &socket, &words);
        }
    }
}

#[test]
fn counts_and_changes_are_as_their_schemas_say() {
    let Some(zoo) = zoo() else { return };
    let schemas = Schemas::new();
    for args in [&["--json", "-s"][..], &["--ndjson", "-s"], &["--json", "-s", "--source", "procfs"]] {
        assert_valid(&schemas.at("summary.json"), &json_of(&zoo, args), &args.join(" "));
    }
    let words: BTreeSet<_> = fields::all().map(|field| field.word).collect();
    let of_ours = |group: &Value, numbers: &[&str]| {
        let mut keys = group.as_object().unwrap().keys().map(String::as_str);
        keys.all(|key| {
            let of_sum = key.strip_suffix("_sum").is_some_and(|key| words.contains(key));
            of_sum || numbers.contains(&key) || words.contains(key) || key.ends_with("_net")
        })
    };
    let by = "process,state,peer-net/24,local-port,v6only,direction";
    for sums in [&[][..], &["--sum", "recv-q,bytes-sent"]] {
        let counted = |format| [&[format, "--count-by", by], sums].concat();
        let document = json_of(&zoo, &counted("--json"));
        assert_valid(&schemas.at("count.json"), &document, by);
        for group in document["counts"].as_array().unwrap() {
            assert!(of_ours(group, &["count"]), "{group}");
            assert_eq!(group.get("recv_q_sum").is_some(), !sums.is_empty(), "{group}");
        }
        for line in lines_of(&zoo, &counted("--ndjson")) {
            assert_valid(&schemas.at("count.json#/$defs/group"), &line, by);
        }
    }
    let args = ["--json", "--diff", "0.3", "--count-by", "state,local-port"];
    // Listeners come up for as long as the program runs, so the second snapshot has more of them than the first.
    let printed = zoo.namespace().inside(|| {
        std::thread::scope(|scope| {
            let diff = scope.spawn(|| finish(tcpstates(&args)));
            let mut kept = Vec::new();
            while !diff.is_finished() {
                kept.push(std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free"));
                std::thread::sleep(Duration::from_millis(10));
            }
            diff.join().expect("the program ended")
        })
    });
    let changes: Value = serde_json::from_str(&printed.stdout).expect("it is JSON");
    assert!(!changes["changes"].as_array().unwrap().is_empty(), "{changes}");
    assert_valid(&schemas.at("diff.json"), &changes, "--diff");
    for group in changes["changes"].as_array().unwrap() {
        assert!(of_ours(group, &["opened", "closed", "changed"]), "{group}");
    }
}

#[test]
fn reports_are_as_their_schemas_say() {
    let Some(zoo) = zoo() else { return };
    let schemas = Schemas::new();
    assert_valid(&schemas.at("explain.json"), &json_of(&zoo, &["explain", "--json"]), "explain");
    for state in crate::support::zoo::STATES {
        let document = json_of(&zoo, &["explain", state, "--json"]);
        assert_valid(&schemas.at("explain-state.json"), &document, state);
    }
    let bind = schemas.at("bind.json");
    let mut ports: BTreeSet<_> = zoo.specimens().iter().map(|one| one.local.port()).collect();
    // One that needs a privilege, and one that is free.
    ports.extend([80, 5999]);
    for port in ports {
        let document = json_of(&zoo, &["bind", &port.to_string(), "--json"]);
        assert_valid(&bind, &document, &format!("bind {port}"));
    }
    assert_valid(&bind, &json_of(&zoo, &["bind", "203.0.113.1:80", "--json"]), "bind to an address");
    let diagnose = schemas.at("diagnose.json");
    let eager = ["--queue-percent=1", "--syn-recv-count=1", "--syn-retries=0", "--close-wait-age=0"];
    for args in [&[][..], &["--interval", "0.1"], &["--source", "procfs"]] {
        let document = json_of(&zoo, &[&["diagnose", "--json"], &eager[..], args].concat());
        assert_valid(&diagnose, &document, "diagnose");
        assert!(!document["findings"].as_array().unwrap().is_empty(), "{document}");
    }
}

#[test]
fn lines_of_a_trace_are_as_their_schema_says() {
    let Some(namespace) = crate::support::namespace() else { return };
    let trace = Schemas::new().at("trace.json");
    // Snapshots need no privilege beyond the namespace; one connection is enough for a line of each kind.
    for kind in [&[][..], &["--connections"], &["--summary"]] {
        let args = [&["trace", "-f", "ndjson", "--duration", "1"], kind].concat();
        let lines = namespace.inside(|| {
            std::thread::scope(|scope| {
                let trace = scope.spawn(|| finish(tcpstates(&args)));
                while !trace.is_finished() {
                    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
                    let to = listener.local_addr().unwrap();
                    let client = std::net::TcpStream::connect(to).expect("it listens");
                    let accepted = listener.accept().expect("it was called");
                    drop((client, accepted));
                    std::thread::sleep(Duration::from_millis(20));
                }
                trace.join().expect("the program ended")
            })
        });
        assert_eq!(lines.status, Some(0), "{}", lines.stderr);
        let lines = lines.stdout;
        assert!(lines.lines().count() > 2, "{kind:?}: {lines}");
        for line in lines.lines() {
            let line = serde_json::from_str(line).expect("each line is JSON");
            assert_valid(&trace, &line, &format!("{kind:?}"));
        }
        if kind == ["--summary"] {
            assert!(lines.lines().last().unwrap().starts_with("{\"summary\":"), "{lines}");
        }
    }
}

/// The names of all members that a schema describes.
fn names_in<'a>(schema: &'a Value, names: &mut BTreeSet<&'a str>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        names.extend(properties.keys().map(String::as_str));
    }
    match schema {
        Value::Object(members) => members.values().for_each(|member| names_in(member, names)),
        Value::Array(items) => items.iter().for_each(|item| names_in(item, names)),
        _ => {}
    }
}

#[test]
fn the_page_on_json_has_every_key() {
    /// Numbers of the kernel without a meaning that a page could add, and members that are named by their list.
    const UNEXPLAINED: [&str; 29] = [
        "vegas",
        "enabled",
        "rtt_count",
        "rtt_us",
        "min_rtt_us",
        "dctcp",
        "ce_state",
        "alpha",
        "ab_ecn",
        "ab_tot",
        "bbr",
        "bw_bytes_per_s",
        "pacing_gain",
        "cwnd_gain",
        "mptcp",
        "flags",
        "token_remote",
        "id_remote",
        "token_local",
        "id_local",
        "map_subflow_seq",
        "ssn_offset",
        "map_data_len",
        "tls",
        "version",
        "cipher",
        "tx_conf",
        "rx_conf",
        "prefix_length",
    ];
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md")).unwrap();
    let schemas = stored();
    let mut names = BTreeSet::new();
    for (_, schema) in &schemas {
        names_in(schema, &mut names);
    }
    assert!(names.len() > 150, "{names:?}");
    let states = crate::support::zoo::STATES;
    // The thresholds are options, which the page on diagnose has.
    let thresholds: BTreeSet<_> = ["_age", "_count", "_percent", "_retries", "_segments"].into();
    let missing: Vec<_> = names
        .into_iter()
        .filter(|name| !states.contains(name) && !UNEXPLAINED.contains(name))
        .filter(|name| !thresholds.iter().any(|end| name.ends_with(end)))
        .filter(|name| !page.contains(&format!("`{name}`")))
        .collect();
    assert_eq!(missing, [""; 0], "docs/json.md does not name these keys");
    for (name, _) in schemas {
        assert!(name == "common.json" || page.contains(&format!("(schema/{name})")), "{name} has no link");
    }
}

fn remove(of: &mut Value, key: &str) -> Value {
    of.as_object_mut().unwrap().remove(key).unwrap_or_else(|| panic!("no {key}"))
}

fn connection(document: &mut Value) -> &mut Value {
    let sockets = document["sockets"].as_array_mut().unwrap();
    let is_connection = |socket: &&mut Value| socket["state"] == "ESTABLISHED";
    sockets.iter_mut().find(is_connection).expect("there is one")
}

fn rename(of: &mut Value, key: &str, new: &str) {
    let value = remove(of, key);
    of[new] = value;
}

/// Changes one thing somewhere in the document.
type Break = fn(&mut Value);

#[test]
fn a_broken_document_is_not_as_its_schema_says() {
    let Some(zoo) = zoo() else { return };
    let list = Schemas::new().at("list.json");
    let document = json_of(&zoo, &["-a", "--json", "-poemi"]);
    assert_valid(&list, &document, "as it is");
    let broken: [(&str, Break); 12] = [
        ("no source", |all| drop(remove(all, "source"))),
        ("another schema", |all| all["schema"] = 2.into()),
        ("another word for the time", |all| rename(all, "taken_at", "takenAt")),
        ("no list", |all| all["sockets"] = Value::Null),
        ("no state", |all| drop(remove(connection(all), "state"))),
        ("another state", |all| connection(all)["state"] = "CONNECTED".into()),
        ("a port too large", |all| connection(all)["local_port"] = 65536.into()),
        ("a key too many", |all| connection(all)["colour"] = "blue".into()),
        ("a cookie that is a number", |all| connection(all)["cookie"] = 1.into()),
        ("a listener's key", |all| connection(all)["backlog"] = 1.into()),
        ("a misspelt number", |all| rename(&mut connection(all)["tcp_info"], "rtt_us", "rtt")),
        ("no reason", |all| drop(remove(connection(all), "owner_note"))),
    ];
    for (what, change) in broken {
        let mut other = document.clone();
        change(&mut other);
        assert!(!list.is_valid(&other), "{what} was accepted");
    }
}
