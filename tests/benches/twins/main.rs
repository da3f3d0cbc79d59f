//! Benchmarks.
mod load;
fn main() {}
