//! `cargo racelint`: the same command, by default on the current workspace.

use std::process::ExitCode;

/// As in `racelint` itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    racelint::command::cargo_racelint(std::env::args_os())
}
