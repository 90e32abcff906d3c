//! `demo`: plays a scene, at its own pace or step by step.

use std::fs::File;
use std::io::{self, BufRead as _, Write as _};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;

use super::args::{ColorArgs, report_style};
use crate::demo::{Moment, Scene, SceneWriter, play};
use crate::layout::ReportStyle;
use crate::layout::text::guarded;
use crate::session::{Doing as _, Environment, Failure, answer, stdout, write};

/// Arguments of `demo`.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct DemoArgs {
    /// Which scene
    #[arg(value_parser = PossibleValuesParser::new(Scene::WORDS.map(|(word, _)| word)), default_value = "close")]
    scene: String,

    /// Show each step when Enter is pressed
    #[arg(long)]
    step: bool,

    #[command(flatten)]
    color: ColorArgs,
}

/// The scene to play, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Demo {
    /// Which.
    pub scene: Scene,
    /// Whether each step waits for Enter.
    pub step: bool,
    /// How it is shown.
    pub style: ReportStyle,
}

pub(crate) fn plan(own: &DemoArgs, environment: Environment) -> Demo {
    // clap accepts no other word.
    let scene = Scene::WORDS
        .into_iter()
        .find(|(name, _)| *name == own.scene)
        .map_or(Scene::Close, |(_, scene)| scene);
    Demo { scene, step: own.step, style: report_style(&own.color, environment) }
}

/// Plays the scene once.
pub(crate) fn run(what: &Demo) -> Result<(), Failure> {
    let mut writer = SceneWriter::new(what.style);
    let mut out = write(stdout())?;
    if what.step {
        step_by_step(what, &mut writer, &mut out)?;
    } else {
        let colors = what.style.color;
        let mut shown = |moment: &Moment| out.write_all(&guarded(&writer.moment(moment), colors));
        play(what.scene, &mut shown)?;
    }
    answer(&writer.tail(), what.style.color)
}

/// A second thread prints one moment at each Enter, while the scene goes on: if the scene waited for Enter too, its
/// segments would be retransmitted meanwhile.
fn step_by_step(what: &Demo, writer: &mut SceneWriter, out: &mut File) -> Result<(), Failure> {
    let (moments, to_show) = channel();
    thread::scope(|threads| {
        let mut show = Some(move || show_each(to_show, writer, out, what.style.color));
        let mut shower = None;
        let result = play(what.scene, &mut |moment| {
            // Not earlier: to make its hosts, the scene may need a process with one thread.
            if let Some(show) = show.take() {
                shower = Some(thread::Builder::new().spawn_scoped(threads, show));
            }
            moments.send(moment.clone()).map_err(|_| io::ErrorKind::BrokenPipe.into())
        });
        drop(moments);
        if let Some(shower) = shower {
            let shower = shower.doing("start a thread")?;
            shower.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok(result?)
    })
}

fn show_each(
    moments: Receiver<Moment>,
    writer: &mut SceneWriter,
    out: &mut File,
    colors: bool,
) -> Result<(), Failure> {
    for moment in moments {
        write(out.write_all(&guarded(&writer.moment(&moment), colors)))?;
        wait_for_enter().doing("wait for Enter")?;
    }
    Ok(())
}

/// Waits for a line of input; after the end of the input, returns at once.
fn wait_for_enter() -> io::Result<()> {
    io::stdin().lock().skip_until(b'\n').map(drop)
}
