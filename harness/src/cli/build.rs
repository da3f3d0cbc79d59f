//! Builds the target, once before the first trajectory.

use std::{
    io::{BufRead as _, BufReader, Read},
    path::Path,
    process::{Child, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

use super::Failure;
use crate::{load::LoadedTarget, process::find_program, trajectory::program_at};

/// How many lines of a failed build's output are shown.
const LINES_MAX: usize = 40;

/// Where a program without a slash is looked for.
const IN_PATH: &str = "it was looked for in PATH";

/// Runs the target's build, where it has one.
pub(super) fn build(target: &LoadedTarget) -> Result<(), Failure> {
    let Some(build) = &target.target.build else { return Ok(()) };
    let Some((program, arguments)) = build.command.split_first() else { return Ok(()) };
    let folder = build.cwd.as_deref().map_or_else(|| target.dir.clone(), |cwd| target.dir.join(cwd));
    let path = program_at(&folder, program);
    let mut command = std::process::Command::new(&path);
    command.args(arguments).current_dir(&folder).stdin(Stdio::null());
    let shown = build.command.join(" ");
    let failed = |why: String, hint: String| {
        let what = format!("{}: the build failed: `{shown}`: {why}", target.path);
        Failure::Infrastructure { what, hint }
    };
    let place = || format!("it runs in {}", folder.display());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match find_program(&path) {
        None if path.components().count() == 1 => {
            failed(format!("there is no program `{program}`"), IN_PATH.to_owned())
        }
        None => failed(format!("there is no program `{program}`"), place()),
        Some(_) => failed(error.to_string(), place()),
    })?;
    let text = watched(&mut child, &shown);
    let status = child.wait().map_err(|error| failed(error.to_string(), place()))?;
    if status.success() { Ok(()) } else { Err(failed(format!("{status}\n{}", last_lines(&text)), place())) }
}

/// Whoever waits longer than this is told what for.
const SILENCE: Duration = Duration::from_secs(3);
/// And again after so many times as long as the last time.
const SLOWER: u32 = 2;

/// What a build writes, both streams after each other. Says now and then what it is waiting for: the last that it said.
fn watched(child: &mut Child, shown: &str) -> String {
    let last = Arc::new(Mutex::new(String::new()));
    let (ended, over) = mpsc::channel();
    let streams: [Option<Box<dyn Read + Send>>; 2] =
        [child.stdout.take().map(|out| Box::new(out) as _), child.stderr.take().map(|err| Box::new(err) as _)];
    let read = |stream: Box<dyn Read + Send>| {
        let (last, ended) = (Arc::clone(&last), ended.clone());
        std::thread::spawn(move || lines_of(stream, &last, &ended))
    };
    let readers: Vec<_> = streams.into_iter().flatten().map(read).collect();
    drop(ended);
    let (mut waited, mut patience) = (Duration::ZERO, SILENCE);
    // Ends when both streams have.
    while let Err(RecvTimeoutError::Timeout) = over.recv_timeout(patience) {
        waited += patience;
        patience *= SLOWER;
        super::out::say(&told(shown, waited, &last.lock().unwrap_or_else(PoisonError::into_inner)));
    }
    readers.into_iter().filter_map(|reader| reader.join().ok()).collect()
}

/// All lines of a stream. While `_ended` lives, the stream is not over.
fn lines_of(stream: impl Read, last: &Mutex<String>, _ended: &mpsc::Sender<()>) -> String {
    let mut all = String::new();
    for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if !line.trim().is_empty() {
            line.trim().clone_into(&mut last.lock().unwrap_or_else(PoisonError::into_inner));
        }
        all.push_str(&line);
        all.push('\n');
    }
    all
}

/// `building for 9s: cargo build --release: Blocking waiting for file lock on build directory`
fn told(shown: &str, waited: Duration, last: &str) -> String {
    let last = if last.is_empty() { "it has said nothing so far" } else { last };
    format!("building for {}s: `{shown}`: {last}", waited.as_secs())
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES_MAX)..].join("\n")
}

/// Makes sure that the target's program is there, as far as that can be known before it is launched.
pub(super) fn check_program(target: &LoadedTarget) -> Result<(), Failure> {
    let Some(program) = target.target.command.first().filter(|part| !part.value.contains("${")) else {
        return Ok(());
    };
    let path = program_at(&target.dir, &program.value);
    if find_program(&path).is_some() {
        return Ok(());
    }
    let (line, column) = (program.referenced.line(), program.referenced.column());
    Err(Failure::Infrastructure {
        what: format!("{}:{line}:{column}: there is no program `{}`", target.path, program.value),
        hint: hint(&path, target),
    })
}

fn hint(path: &Path, target: &LoadedTarget) -> String {
    if path.components().count() == 1 {
        IN_PATH.to_owned()
    } else if target.target.build.is_some() {
        "the build went well, but it does not make this program".to_owned()
    } else {
        "a program with a slash in it is relative to the target file; give the file a `build`".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_told_what_for() {
        let check = |last: &str, wanted: &str| assert_eq!(told("make it", Duration::from_secs(9), last), wanted);
        check("", "building for 9s: `make it`: it has said nothing so far");
        check("waiting for a lock", "building for 9s: `make it`: waiting for a lock");
    }

    #[test]
    fn what_a_build_says_is_kept_and_its_last_line_known() {
        let (ended, _over) = mpsc::channel();
        let last = Mutex::default();
        let all = lines_of(&b"one\n  two \n\n"[..], &last, &ended);
        assert_eq!((all.as_str(), last.into_inner().expect("is whole").as_str()), ("one\n  two \n\n", "two"));
    }
}
