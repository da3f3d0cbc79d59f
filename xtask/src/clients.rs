//! Installs the client libraries that the tests drive: Python's into a virtual environment, Node's by lockfile, Rust's
//! by building the program that stands on it; and a browser, of the system's own.

use std::{path::Path, process::Command};

use anyhow::{Context as _, bail};

use crate::shell::{output, root, run, say};

/// Installs all client libraries, where they are not there yet.
pub(crate) fn install() -> anyhow::Result<()> {
    let clients = root().join("target/clients");
    fs_err::create_dir_all(&clients).context("cannot make target/clients")?;
    python(&clients)?;
    node(&clients)?;
    browser()?;
    rust(&clients)
}

/// Installs Chromium, in which reports are looked at. Where it cannot be installed that one test is left out, but not
/// on a build server.
fn browser() -> anyhow::Result<()> {
    if Path::new("/usr/bin/chromium").exists() || variable("CHROMIUM").is_some() {
        return Ok(());
    }
    say("Chromium is not installed; trying to install it");
    match apt_get(&["chromium"]) {
        Err(why) if variable("CI").is_none() => {
            say(&format!("warning: reports are not looked at in a browser: {why:#}"));
            Ok(())
        }
        done => done,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether this is a build server, and where the browser is, nothing else says"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Builds the program of Rust's client, which is no part of the workspace: few need what it stands on.
fn rust(clients: &Path) -> anyhow::Result<()> {
    let manifest = root().join("tests/clients/rust/Cargo.toml");
    if !manifest.exists() {
        return Ok(());
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--locked", "--manifest-path"]).arg(&manifest);
    cargo.arg("--target-dir").arg(clients.join("rust"));
    run(cargo)
}

fn python(clients: &Path) -> anyhow::Result<()> {
    let requirements = root().join("tests/clients/python/requirements.txt");
    let stamp = clients.join("python.stamp");
    if !requirements.exists() || is_fresh(&requirements, &stamp)? {
        return Ok(());
    }
    needed("python3", "Python", PYTHON_MIN, &["python3", "python3-venv"])?;
    let venv = clients.join("venv");
    // What another Python left there is of no use to this one.
    let make = || {
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(&venv);
        make
    };
    if run(make()).is_err() {
        say("`python3 -m venv` does not work; trying to install it");
        apt_get(&["python3-venv"])?;
        run(make())?;
    }
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&requirements);
    run(pip)?;
    fs_err::copy(&requirements, &stamp).context("cannot note what is installed")?;
    Ok(())
}

fn node(clients: &Path) -> anyhow::Result<()> {
    let source = root().join("tests/clients/node");
    let lock = source.join("package-lock.json");
    let stamp = clients.join("node.stamp");
    // The stamp outlives the folder, which is not below `target`.
    if !lock.exists() || is_fresh(&lock, &stamp)? && source.join("node_modules").exists() {
        return Ok(());
    }
    needed("node", "Node", NODE_MIN, &["nodejs", "npm"])?;
    if version("npm").is_none() {
        say("npm is not installed; trying to install it");
        apt_get(&["npm"])?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--prefix"]).arg(&source);
    run(npm)?;
    fs_err::copy(&lock, &stamp).context("cannot note what is installed")?;
    Ok(())
}

/// The oldest Python and Node that the client libraries run on: major and minor number.
const PYTHON_MIN: (u32, u32) = (3, 10);
const NODE_MIN: (u32, u32) = (20, 0);

/// Makes sure that a program is there and new enough; installs it from `packages` where it is missing.
fn needed(program: &str, name: &str, least: (u32, u32), packages: &[&str]) -> anyhow::Result<()> {
    let wanted = format!("{name} {}.{} or newer is needed for the client tests", least.0, least.1);
    if version(program).is_none() {
        say(&format!("{name} is not installed; trying to install it"));
        apt_get(packages).with_context(|| wanted.clone())?;
    }
    let Some(found) = version(program) else { bail!("{wanted}, and `{program} --version` does not tell its own") };
    if number(&found).is_none_or(|number| number < least) {
        bail!("{wanted}, and `{program}` is {found}\n  hint: put a newer one first in PATH");
    }
    Ok(())
}

/// What a program says of its version; none where there is no such program.
fn version(program: &str) -> Option<String> {
    let mut asked = Command::new(program);
    asked.arg("--version");
    output(asked).ok().map(|text| text.trim().to_owned())
}

/// Major and minor number in `Python 3.11.2` or `v20.19.2`.
fn number(version: &str) -> Option<(u32, u32)> {
    let digits = version.find(|c: char| c.is_ascii_digit()).map(|at| &version[at..])?;
    let mut parts = digits.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Whether what `wanted` says is what was installed last.
fn is_fresh(wanted: &Path, stamp: &Path) -> anyhow::Result<bool> {
    let wanted = fs_err::read(wanted).context("cannot read what is to be installed")?;
    Ok(fs_err::read(stamp).is_ok_and(|installed| installed == wanted))
}

/// Installs Debian packages, where this is a Debian and we may.
fn apt_get(packages: &[&str]) -> anyhow::Result<()> {
    let by_hand = || format!("install `{}` by hand, then run this again", packages.join(" "));
    let mut update = Command::new("apt-get");
    update.args(["update", "--quiet"]);
    run(update).with_context(by_hand)?;
    let mut install = Command::new("apt-get");
    // Nobody is there to answer a question.
    install.env("DEBIAN_FRONTEND", "noninteractive");
    install.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages);
    run(install).with_context(by_hand)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn versions_are_read() {
        let check = |text: &str, wanted: Option<(u32, u32)>| assert_eq!(number(text), wanted, "{text}");
        check("Python 3.11.2", Some((3, 11)));
        check("v20.19.2", Some((20, 19)));
        check("v18.0.0-pre", Some((18, 0)));
        check("none", None);
        check("v20", None);
    }
}
