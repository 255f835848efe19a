//! racelint: finds data races and lost updates in Rust source and names the threads that race.

pub mod finding;
pub mod hir;
pub mod project;
pub mod resolve;
pub mod syntax;
