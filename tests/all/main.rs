//! All integration tests of the workspace, in one binary.

mod bad_documents;
mod bad_input;
mod chaos;
mod clients;
mod control_plane;
mod coverage;
mod determinism;
mod documents;
mod evidence;
mod faults;
mod okta_model;
mod outages;
mod packs;
mod properties;
mod recorded;
mod report_page;
mod run;
mod servers;
mod silent;
mod slack_model;
mod slack_proofs;
mod soak;
mod support;
mod virtual_time;
