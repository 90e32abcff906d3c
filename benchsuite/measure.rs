//! Whole processes, run in turn: wall time, CPU time, peak memory.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::rows::{Memory, Row};

/// One run of a command.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) peak_kib: u64,
}

/// The medians of a command's runs.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) median: Sample,
    /// How often it was run.
    pub(crate) runs: usize,
    /// Ours divided by this, of medians of wall time; and what that may be.
    pub(crate) ratio: f64,
    /// The same of CPU time.
    pub(crate) cpu_ratio: f64,
    pub(crate) bar: Option<f64>,
}

/// A row's results.
pub(crate) struct MeasuredRow {
    pub(crate) name: &'static str,
    pub(crate) ours: Sample,
    pub(crate) others: Vec<Measured>,
    pub(crate) memory: Memory,
}

/// Runs all commands of a row in turn, so that whatever else the machine does befalls all of them.
pub(crate) fn row(row: &Row, rounds: usize, slow_rounds: usize, renew: &mut dyn FnMut()) -> MeasuredRow {
    const SLOW: f64 = 10.0;
    /// Time-wait sockets must last through what is run until the next renewal.
    const RENEWAL: Duration = Duration::from_secs(20);
    let mut ours = Vec::new();
    let mut others = vec![Vec::new(); row.others.len()];
    renew();
    let mut renewed = Instant::now();
    // The first of each warms up and is not counted, unless it takes long.
    for round in 0..=rounds {
        if renewed.elapsed() > RENEWAL {
            renew();
            renewed = Instant::now();
        }
        ours.push(run(&row.ours));
        for (other, samples) in row.others.iter().zip(&mut others) {
            let is_slow = samples.iter().any(|sample: &Sample| sample.wall > SLOW);
            if is_slow && samples.len() >= slow_rounds {
                continue;
            }
            let mut sum = Sample::default();
            for (weight, command) in &other.commands {
                let sample = run(command);
                sum.wall += weight * sample.wall;
                sum.cpu += weight * sample.cpu;
                sum.peak_kib = sum.peak_kib.max(sample.peak_kib);
            }
            samples.push(sum);
            if round == 0 && sum.wall <= SLOW {
                samples.clear();
            }
        }
        if round == 0 {
            ours.clear();
        }
    }
    let median_of_ours = median(&ours);
    let others = row.others.iter().zip(&others).map(|(other, samples)| {
        let median = median(samples);
        let ratio = median_of_ours.wall / median.wall;
        let cpu_ratio = median_of_ours.cpu / median.cpu;
        Measured { name: other.name, median, runs: samples.len(), ratio, cpu_ratio, bar: other.bar }
    });
    MeasuredRow { name: row.name, ours: median_of_ours, others: others.collect(), memory: row.memory }
}

fn median(samples: &[Sample]) -> Sample {
    let of = |value: fn(&Sample) -> f64| {
        let mut values: Vec<_> = samples.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let peak_kib = samples.iter().map(|sample| sample.peak_kib).max().unwrap_or(0);
    Sample { wall: of(|sample| sample.wall), cpu: of(|sample| sample.cpu), peak_kib }
}

fn run(command: &[String]) -> Sample {
    let mut process = Command::new(&command[0]);
    process.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    #[expect(clippy::zombie_processes, reason = "it is waited for, and asked what it used")]
    let child = process.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (status, usage) = wait(child.id());
    let wall = begun.elapsed().as_secs_f64();
    assert_eq!(status, 0, "{command:?} failed");
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Sample {
        wall,
        cpu: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        peak_kib: u64::try_from(usage.ru_maxrss).unwrap_or(0),
    }
}

/// Waits for a child and all that it waited for: no standard function tells what they used.
fn wait(pid: u32) -> (i32, libc::rusage) {
    let mut status = 0;
    // SAFETY: all zeros are a value of this structure of numbers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let pid = libc::pid_t::try_from(pid).expect("it is a process");
    // SAFETY: both pointers are to values that live and are ours.
    let waited = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
    assert_eq!(waited, pid, "the child can be waited for");
    (status, usage)
}
