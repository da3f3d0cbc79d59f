//! Installs the client libraries that the tests drive: Python's into a virtual environment, Node's by lockfile, Rust's
//! by building the program that stands on it, all below `target/clients`; and a browser, of the system's own.

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
    match apt_get("chromium") {
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
    let mut version = Command::new("python3");
    version.args(["-c", "import sys; print(sys.version_info >= (3, 10))"]);
    let new_enough = output(version).context("Python 3.10 or newer is needed for the client tests")?;
    if new_enough.trim() != "True" {
        bail!("Python 3.10 or newer is needed for the client tests");
    }
    let venv = clients.join("venv");
    let mut make = Command::new("python3");
    make.args(["-m", "venv"]).arg(&venv);
    if run(make).is_err() {
        say("`python3 -m venv` does not work; trying to install it");
        apt_get("python3-venv")?;
        let mut again = Command::new("python3");
        again.args(["-m", "venv", "--clear"]).arg(&venv);
        run(again)?;
    }
    let mut pip = Command::new(venv.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&requirements);
    run(pip)?;
    fs_err::copy(&requirements, &stamp).context("cannot note what is installed")?;
    Ok(())
}

fn node(clients: &Path) -> anyhow::Result<()> {
    let source = root().join("tests/clients/node");
    let lock = source.join("package-lock.json");
    let stamp = clients.join("node.stamp");
    if !lock.exists() || is_fresh(&lock, &stamp)? {
        return Ok(());
    }
    let mut version = Command::new("node");
    version.arg("--version");
    if output(version).is_err() {
        say("Node is not installed; trying to install it");
        apt_get("nodejs")?;
        apt_get("npm")?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--prefix"]).arg(&source);
    run(npm)?;
    fs_err::copy(&lock, &stamp).context("cannot note what is installed")?;
    Ok(())
}

/// Whether what `wanted` says is what was installed last.
fn is_fresh(wanted: &Path, stamp: &Path) -> anyhow::Result<bool> {
    let wanted = fs_err::read(wanted).context("cannot read what is to be installed")?;
    Ok(fs_err::read(stamp).is_ok_and(|installed| installed == wanted))
}

/// Installs a Debian package, where this is a Debian and we may.
fn apt_get(package: &str) -> anyhow::Result<()> {
    let mut update = Command::new("apt-get");
    update.args(["update", "--quiet"]);
    run(update)?;
    let mut install = Command::new("apt-get");
    install.args(["install", "--yes", "--quiet", "--no-install-recommends", package]);
    run(install).with_context(|| format!("install `{package}` by hand, then run this again"))
}
