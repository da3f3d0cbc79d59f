//! The scenario harness of the Digital Twin Universe: launches a real program against the twins, plays user
//! stories, and says which fraction of the trajectories likely satisfies the user.

pub mod scenario;
pub mod target;
pub mod verdict;
