//! The command: argv → run → exit status.

fn main() -> std::process::ExitCode {
    tcpstates::run(std::env::args_os()).into()
}
