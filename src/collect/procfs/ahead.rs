//! Reads a large table while the part before is taken: the kernel writes its text as it is read.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, Scope};

/// How much is handed over at once, so that the two threads seldom wake each other. A table that is no larger is read
/// without a thread.
const PIECE: usize = 256 * 1024;
/// How many pieces may wait.
const WAITING: usize = 2;

/// What was read, piece by piece.
pub(super) struct Ahead {
    current: Vec<u8>,
    at: usize,
    /// What follows, and where pieces go that are used up; nothing where all is here.
    rest: Option<Rest>,
}

struct Rest {
    pieces: Receiver<io::Result<Vec<u8>>>,
    used: Sender<Vec<u8>>,
}

impl Ahead {
    /// Reads the first piece, and goes on in a thread where there is more.
    pub(super) fn new<'scope>(
        scope: &'scope Scope<'scope, '_>,
        mut file: impl Read + Send + 'scope,
    ) -> io::Result<Self> {
        let mut current = Vec::new();
        read_piece(&mut file, &mut current)?;
        if current.len() < PIECE {
            return Ok(Self { current, at: 0, rest: None });
        }
        let (ours, pieces) = sync_channel(WAITING);
        let (used, again) = channel();
        Builder::new().spawn_scoped(scope, move || read_on(&mut file, &ours, &again))?;
        Ok(Self { current, at: 0, rest: Some(Rest { pieces, used }) })
    }
}

/// Fills the piece, unless the file ends before.
fn read_piece(file: &mut impl Read, piece: &mut Vec<u8>) -> io::Result<()> {
    piece.clear();
    piece.reserve(PIECE);
    file.take(PIECE as u64).read_to_end(piece).map(drop)
}

/// Until the file ends, or nobody wants more.
fn read_on(file: &mut impl Read, pieces: &SyncSender<io::Result<Vec<u8>>>, again: &Receiver<Vec<u8>>) {
    loop {
        let mut piece = again.try_recv().unwrap_or_default();
        let result = read_piece(file, &mut piece);
        if piece.is_empty() && result.is_ok() {
            return;
        }
        // What came before an error is no less true.
        let is_read = piece.is_empty() || pieces.send(Ok(piece)).is_ok();
        if let Err(error) = result {
            let _ = pieces.send(Err(error));
            return;
        }
        if !is_read {
            return;
        }
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Ahead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.current.len()
            && let Some(Rest { pieces, used }) = &self.rest
        {
            // Its thread may have ended, having read all.
            let next = pieces.recv().unwrap_or_else(|_| Ok(Vec::new()))?;
            let _ = used.send(std::mem::replace(&mut self.current, next));
            self.at = 0;
        }
        Ok(self.current.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives so many bytes, and then fails.
    struct Failing(usize);

    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(self.0).min(4096);
            if count == 0 {
                return Err(io::ErrorKind::InvalidData.into());
            }
            buffer[..count].fill(b'x');
            self.0 -= count;
            Ok(count)
        }
    }

    #[test]
    fn what_comes_before_an_error_is_read() {
        for len in [PIECE + 5, 3 * PIECE, 9 * PIECE + 1] {
            std::thread::scope(|scope| {
                let mut bytes = Vec::new();
                let error = Ahead::new(scope, Failing(len)).unwrap().read_to_end(&mut bytes).unwrap_err();
                assert_eq!((bytes.len(), error.kind()), (len, io::ErrorKind::InvalidData));
            });
        }
    }

    #[test]
    fn nobody_waits_for_whom_is_no_longer_read() {
        std::thread::scope(|scope| {
            let mut ahead = Ahead::new(scope, io::repeat(b'x')).unwrap();
            assert_eq!(ahead.fill_buf().unwrap().len(), PIECE);
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn all_is_read_in_order(len in 0..6 * PIECE) {
            let text: Vec<u8> = (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let mut read = Vec::new();
            std::thread::scope(|scope| {
                Ahead::new(scope, text.as_slice()).unwrap().read_to_end(&mut read).unwrap();
            });
            prop_assert!(read == text);
        }
    }
}
