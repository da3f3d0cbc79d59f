//! The scenario harness of the Digital Twin Universe: launches a real program against the twins, plays user
//! stories, and says which fraction of the trajectories likely satisfies the user.

pub mod admit;
pub mod bundle;
pub mod check;
pub mod cli;
pub mod collateral;
pub mod evidence;
pub mod explain;
pub mod expr;
pub mod facts;
pub mod gate;
pub mod gates;
pub mod judge;
pub mod lint;
pub mod load;
pub mod merge;
pub mod mischief;
pub mod pairing;
pub mod plan;
pub mod process;
pub mod progress;
pub mod prove;
pub mod reads;
pub mod redact;
pub mod replay;
pub mod report;
pub mod runner;
pub mod scenario;
pub mod schema;
pub mod stats;
pub mod summary;
pub mod supervise;
pub mod target;
pub mod trajectory;
pub mod variant;
pub mod verdict;

#[cfg(test)]
mod testing;
