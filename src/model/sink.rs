//! Receives the sockets that a source reads.

use std::ops::ControlFlow;

use super::{Socket, Source};

/// Takes the sockets as they are read. Nothing is buffered before.
pub trait Sink: Send {
    /// Begins a new attempt: sockets of an earlier attempt are dropped.
    fn begin(&mut self, source: Source);

    /// Whether earlier sockets can still be dropped, so that another attempt is possible; false once some have been
    /// written.
    fn can_begin_again(&self) -> bool {
        true
    }

    /// Takes one socket, whose memory is reused for the next. `Break` ends the collection.
    fn row(&mut self, socket: &Socket) -> ControlFlow<()>;
}
