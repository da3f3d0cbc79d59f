//! The APIs' quotas for each person and project.
//!
//! See developers.google.com/workspace/drive/api/guides/limits, .../sheets/api/limits and .../docs/api/limits. Those
//! for whole projects are higher than one world's callers reach. Drive's are those of projects made before May 2026,
//! which count calls; newer ones count units, of which calls cost more or fewer.

use dtu_kernel::{operation::OperationInfo, twin::Limit};
use smol_str::format_smolstr;

use crate::{caller::Caller, family::Family};

/// A quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What it counts, for people.
    pub title: &'static str,
    /// What it counts, as in details of errors.
    pub metric: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Calls a minute.
    pub per_minute: u32,
}

const DRIVE: Rate = Rate { title: "Queries", metric: "default", name: "defaultPerMinutePerUser", per_minute: 12_000 };
const SHEETS_READ: Rate = read(60);
const SHEETS_WRITE: Rate = write(60);
const DOCS_READ: Rate = read(300);
const DOCS_WRITE: Rate = write(60);

const fn read(per_minute: u32) -> Rate {
    Rate { title: "Read requests", metric: "read_requests", name: "ReadRequestsPerMinutePerUser", per_minute }
}

const fn write(per_minute: u32) -> Rate {
    Rate { title: "Write requests", metric: "write_requests", name: "WriteRequestsPerMinutePerUser", per_minute }
}

/// The quota that counts an operation's calls.
pub const fn rate(family: Family, operation: &OperationInfo) -> &'static Rate {
    match (family, operation.writes) {
        (Family::Drive, _) => &DRIVE,
        (Family::Sheets, false) => &SHEETS_READ,
        (Family::Sheets, true) => &SHEETS_WRITE,
        (Family::Docs, false) => &DOCS_READ,
        (Family::Docs, true) => &DOCS_WRITE,
    }
}

/// The quota of a caller: a person, or a service account that acts for itself.
pub fn limit(family: Family, operation: &OperationInfo, caller: &Caller) -> Limit {
    let rate = rate(family, operation);
    Limit { bucket: format_smolstr!("{}/{}", rate.metric, caller.name), per_minute: rate.per_minute }
}
