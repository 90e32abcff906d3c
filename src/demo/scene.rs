//! The scenes, and who does what in them.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_reuseaddr, socket_error};
use rustix::net::{AddressFamily, SocketFlags, SocketType, accept_with, bind, connect, listen, socket_with};

use super::wire::{PORT, SERVER, Watcher, Wire};
use super::{DemoError, Happening, Role};
use crate::model::{TcpState, Trigger};

/// A scene to play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    /// A connection opens.
    Handshake,
    /// It opens, and the client closes first.
    Close,
    /// Both ends close at once.
    SimultaneousClose,
    /// The server's program does not close.
    CloseWait,
    /// The server closes first, and can't be started again.
    TimeWait,
    /// Nobody listens.
    Refused,
    /// Nobody answers.
    SynTimeout,
}

impl Scene {
    /// The names of the scenes, in the order in which one might teach them.
    pub(crate) const WORDS: [(&'static str, Self); 7] = [
        ("handshake", Self::Handshake),
        ("close", Self::Close),
        ("simultaneous-close", Self::SimultaneousClose),
        ("close-wait", Self::CloseWait),
        ("time-wait", Self::TimeWait),
        ("refused", Self::Refused),
        ("syn-timeout", Self::SynTimeout),
    ];
}

/// Plays a scene, and passes each moment to `watch` as it happens.
pub(crate) fn play<'a>(scene: Scene, watch: &'a mut Watcher<'a>) -> Result<(), DemoError> {
    let mut stage = Stage { wire: Wire::new(watch)?, listener: None, client: None, accepted: None };
    match scene {
        Scene::Handshake => stage.handshake(),
        Scene::Close => stage.orderly_close(),
        Scene::SimultaneousClose => stage.simultaneous_close(),
        Scene::CloseWait => stage.close_wait(),
        Scene::TimeWait => stage.time_wait(),
        Scene::Refused => stage.refused(),
        Scene::SynTimeout => stage.syn_timeout(),
    }
}

/// The wire and the sockets at its ends.
struct Stage<'a> {
    wire: Wire<'a>,
    listener: Option<OwnedFd>,
    client: Option<OwnedFd>,
    accepted: Option<OwnedFd>,
}

impl Stage<'_> {
    fn handshake(&mut self) -> Result<(), DemoError> {
        self.listener = Some(self.listening()?);
        self.wire.called(Role::Server, "listen()", Some(Trigger::PassiveOpen))?;
        self.connect()?;
        self.wire.carry()?;
        let listener = self.listener.as_ref();
        let accepted = listener.map(|listener| accept_with(listener, SocketFlags::CLOEXEC)).transpose();
        self.accepted = accepted.map_err(failed(Role::Server, "accept"))?;
        self.wire.called(Role::Server, "accept()", None)
    }

    fn orderly_close(&mut self) -> Result<(), DemoError> {
        self.handshake()?;
        self.close(Role::Client)?;
        self.wire.carry()?;
        self.close(Role::Server)?;
        self.wire.carry()?;
        self.remark(
            "The end that closed first stays in TIME_WAIT for 60 seconds; the other one is free at once.",
        )
    }

    fn simultaneous_close(&mut self) -> Result<(), DemoError> {
        self.handshake()?;
        self.close(Role::Client)?;
        self.close(Role::Server)?;
        self.wire.carry()?;
        self.remark(
            "The two FINs crossed on the way: both ends were in CLOSING, and both are in TIME_WAIT now.",
        )
    }

    fn close_wait(&mut self) -> Result<(), DemoError> {
        self.handshake()?;
        self.close(Role::Client)?;
        self.wire.carry()?;
        self.remark(
            "The server's program does not call close(). Its end stays in CLOSE_WAIT, which has no time-out of its own; the \
             client's, an orphan now, leaves FIN_WAIT2 after net.ipv4.tcp_fin_timeout.",
        )
    }

    fn time_wait(&mut self) -> Result<(), DemoError> {
        self.handshake()?;
        self.close(Role::Server)?;
        self.wire.carry()?;
        self.close(Role::Client)?;
        self.wire.carry()?;
        self.listener = None;
        self.remark("The server ends, its listener with it, and is started again:")?;
        for (reuse, call) in [(false, "bind()"), (true, "SO_REUSEADDR, bind()")] {
            let call = with_outcome(call, self.bound(reuse).err());
            self.wire.called(Role::Server, &call, None)?;
        }
        self.remark(
            "The server closed first, so the TIME_WAIT is at its end, and holds its port ('Address already \
             in use') against all but sockets with SO_REUSEADDR; the first server had set it, too.",
        )
    }

    fn refused(&mut self) -> Result<(), DemoError> {
        self.connect()?;
        self.wire.carry()?;
        self.outcome()?;
        self.remark("Nobody listens on that port, and the server's kernel says so at once ('Connection refused'): a RST leaves nothing behind.")
    }

    fn syn_timeout(&mut self) -> Result<(), DemoError> {
        /// With the kernel's default the scene would take more than two minutes.
        const RETRIES: &str = "2";
        self.wire.client.set("ipv4/tcp_syn_retries", RETRIES)?;
        self.wire.client.set("ipv4/tcp_syn_linear_timeouts", "0")?;
        self.remark(
            "The way to the server is cut. The client has net.ipv4.tcp_syn_retries = 2 and tcp_syn_linear_timeouts = 0, where 6 \
             and 4 are usual.",
        )?;
        self.wire.cut = true;
        self.connect()?;
        self.wire.carry_while(|wire| wire.state(Role::Client) == TcpState::SynSent)?;
        self.outcome()?;
        self.remark("Each SYN waited twice as long as the one before; with tcp_syn_linear_timeouts the first ones wait a second \
             each. A firewall that drops segments looks just like that.")
    }

    fn remark(&mut self, text: &str) -> Result<(), DemoError> {
        self.wire.report(Happening::Remark(text.to_owned()))
    }

    /// Starts to connect.
    fn connect(&mut self) -> Result<(), DemoError> {
        let failed = failed(Role::Client, "connect");
        let made = self.wire.client.inside(tcp_socket).map_err(DemoError::Wire)?.map_err(&failed)?;
        match connect(&made, &SocketAddrV4::new(SERVER, PORT)) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(failed(error)),
        }
        self.client = Some(made);
        self.wire.called(Role::Client, "connect()", Some(Trigger::ActiveOpen))
    }

    /// Reports how the call to connect() ended.
    fn outcome(&mut self) -> Result<(), DemoError> {
        let error =
            self.client.as_ref().map(socket_error).transpose().map_err(failed(Role::Client, "connect"))?;
        let call = with_outcome("connect()", error.and_then(Result::err));
        self.wire.called(Role::Client, &call, None)
    }

    fn close(&mut self, end: Role) -> Result<(), DemoError> {
        match end {
            Role::Client => self.client = None,
            Role::Server => self.accepted = None,
        }
        self.wire.called(end, "close()", Some(Trigger::Close))
    }

    fn listening(&self) -> Result<OwnedFd, DemoError> {
        // With SO_REUSEADDR, as servers do: another socket with SO_REUSEADDR can then bind in spite of what this one
        // leaves behind.
        let made = self.bound(true).map_err(failed(Role::Server, "bind"))?;
        listen(&made, 8).map_err(failed(Role::Server, "listen"))?;
        Ok(made)
    }

    /// A socket on the server's port.
    fn bound(&self, reuse: bool) -> rustix::io::Result<OwnedFd> {
        let made = self
            .wire
            .server
            .inside(tcp_socket)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))??;
        set_socket_reuseaddr(&made, reuse)?;
        bind(&made, &SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, PORT))?;
        Ok(made)
    }
}

/// A call and, where it failed, the name of the error.
fn with_outcome(call: &str, error: Option<Errno>) -> String {
    match error {
        None => call.to_owned(),
        Some(Errno::ADDRINUSE) => format!("{call}: EADDRINUSE"),
        Some(Errno::CONNREFUSED) => format!("{call}: ECONNREFUSED"),
        Some(Errno::TIMEDOUT) => format!("{call}: ETIMEDOUT"),
        Some(other) => format!("{call}: {other}"),
    }
}

fn tcp_socket() -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)
}

fn failed(end: Role, call: &'static str) -> impl Fn(Errno) -> DemoError {
    move |error| DemoError::Call { end, call, source: error.into() }
}
