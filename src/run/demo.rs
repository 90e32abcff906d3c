//! Plays a scene, as it comes or step by step.

use std::io::{self, BufRead as _, Write as _};

use super::{answer, stdout, write};
use crate::cli::Demo;
use crate::demo::{DemoError, Moment, play};
use crate::render::SceneWriter;

/// Plays it once.
pub(super) fn demo(what: &Demo) -> anyhow::Result<()> {
    let mut writer = SceneWriter::new(what.style);
    let mut out = write(stdout())?;
    if what.step {
        // Played to its end first: who reads must not keep the segments waiting, which would be sent again meanwhile.
        let mut moments = Vec::new();
        played(play(what.scene, &mut |moment| {
            moments.push(moment.clone());
            Ok(())
        }))?;
        for moment in &moments {
            write(out.write_all(&writer.moment(moment)))?;
            wait_for_enter()?;
        }
    } else {
        let mut shown = |moment: &Moment| out.write_all(&writer.moment(moment));
        played(play(what.scene, &mut shown))?;
    }
    answer(&writer.tail())
}

/// The watcher's error is the output's.
fn played(result: Result<(), DemoError>) -> anyhow::Result<()> {
    match result {
        Err(DemoError::Watcher(error)) => write(Err(error)),
        other => Ok(other?),
    }
}

/// A line of input; at its end nobody is waited for any more.
fn wait_for_enter() -> io::Result<()> {
    io::stdin().lock().skip_until(b'\n').map(drop)
}
