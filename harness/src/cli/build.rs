//! Builds the target, once before the first trajectory.

use std::{path::Path, process::Stdio};

use super::Failure;
use crate::{load::LoadedTarget, process::find_program, trajectory::program_at};

/// How many lines of a failed build's output are shown.
const LINES_MAX: usize = 40;

/// Runs the target's build, where it has one.
pub(super) fn build(target: &LoadedTarget) -> Result<(), Failure> {
    let Some(build) = &target.target.build else { return Ok(()) };
    let Some((program, arguments)) = build.command.split_first() else { return Ok(()) };
    let folder = target.dir.join(build.cwd.as_deref().unwrap_or("."));
    let mut command = std::process::Command::new(program_at(&folder, program));
    command.args(arguments).current_dir(&folder).stdin(Stdio::null());
    let shown = build.command.join(" ");
    let failed = |why: String| Failure::Infrastructure {
        what: format!("{}: the build failed: `{shown}`: {why}", target.path),
        hint: format!("it runs in {}", folder.display()),
    };
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(failed(format!("{}\n{}", output.status, last_lines(&String::from_utf8_lossy(&text)))))
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
        "it was looked for in PATH".to_owned()
    } else if target.target.build.is_some() {
        "the build went well, but it does not make this program".to_owned()
    } else {
        "a program with a slash in it is relative to the target file; give the file a `build`".to_owned()
    }
}
