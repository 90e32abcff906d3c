//! Real sockets in this network namespace: most connected, spread over processes, the rest in TIME_WAIT.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// How many connections a process holds both ends of: a process may have 20,000 descriptors where this was made.
const CONNECTIONS: u64 = 9_000;

/// Sockets that are there as long as this value is.
pub(crate) struct Load {
    workers: Vec<Worker>,
    established: u64,
    time_wait: u64,
}

struct Worker {
    child: Child,
    orders: ChildStdin,
    done: BufReader<ChildStdout>,
}

impl Load {
    /// So many sockets, 9 of 11 connected; besides, a few listeners.
    pub(crate) fn new(sockets: u64) -> Self {
        for command in ["ip link set lo up", "sysctl -qw net.ipv4.tcp_max_tw_buckets=1000000"] {
            let done = Command::new("sh").args(["-c", command]).status().expect("there is a shell");
            assert!(done.success(), "{command}");
        }
        let connections = sockets * 9 / 11 / 2;
        let count = connections.div_ceil(CONNECTIONS).max(1);
        let workers: Vec<_> = (0..count)
            .map(|index| Worker::new(index, connections / count + u64::from(index < connections % count)))
            .collect();
        let mut load = Self { workers, established: connections * 2, time_wait: sockets - connections * 2 };
        for worker in &mut load.workers {
            worker.wait();
        }
        load.renew();
        load
    }

    pub(crate) fn described(&self) -> String {
        let Self { workers, established, time_wait } = self;
        format!(
            "{} sockets: {established} ESTABLISHED in {} processes, {time_wait} TIME_WAIT",
            established + time_wait,
            workers.len()
        )
    }

    /// How many descriptors refer to them.
    pub(crate) fn descriptors(&self) -> u64 {
        self.established
    }

    /// Time-wait sockets last a minute: they are destroyed and made anew.
    pub(crate) fn renew(&mut self) {
        let destroy = "ss -K state time-wait >/dev/null 2>&1";
        let done = Command::new("sh").args(["-c", destroy]).status().expect("there is a shell");
        assert!(done.success(), "{destroy}");
        let count = self.workers.len() as u64;
        for (index, worker) in (0..).zip(&mut self.workers) {
            let share = self.time_wait / count + u64::from(index < self.time_wait % count);
            writeln!(worker.orders, "{share}").expect("it reads");
        }
        for worker in &mut self.workers {
            worker.wait();
        }
    }
}

impl Worker {
    fn new(index: u64, connections: u64) -> Self {
        let own = std::env::current_exe().expect("it runs");
        let mut child = Command::new(own)
            .args(["worker", &index.to_string(), &connections.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it can be started");
        let orders = child.stdin.take().expect("it is a pipe");
        let done = BufReader::new(child.stdout.take().expect("it is a pipe"));
        Self { child, orders, done }
    }

    fn wait(&mut self) {
        let mut line = String::new();
        self.done.read_line(&mut line).expect("it can be read");
        assert_eq!(line, "\n", "a worker has ended");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
