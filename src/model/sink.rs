//! Who takes the sockets that a source has.

use std::ops::ControlFlow;

use super::{Socket, Source};

/// Takes the sockets as they come. Nothing is held on the way to it.
pub trait Sink: Send {
    /// A new attempt begins: what came before is forgotten.
    fn begin(&mut self, source: Source);

    /// Whether what came can be forgotten yet, and so another attempt be made. Not so once some of it has been written.
    fn can_begin_again(&self) -> bool {
        true
    }

    /// One socket, whose memory is used again for the next. `Break` ends the collection.
    fn row(&mut self, socket: &Socket) -> ControlFlow<()>;
}
