//! The `racelint` command: arguments in, exit code out.

use std::process::ExitCode;

/// A parse is mostly small allocations; this allocator takes a quarter off its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    racelint::command::racelint(std::env::args_os())
}
