//! Names and types: what each path means, what type each signature has, which functions a method call may enter.
//!
//! In: a loaded group (`project::load`), the names that models know (`LibraryNames`). Out: `Program`, a database of
//! definitions with dense ids; bodies are lowered and resolved on first use and kept.
//!
//! Invariants. No syn here, no I/O, no value of any variable. A library (a crate that isn't analysed) is known by
//! canonical paths only (`std::sync::Mutex`); `core` and `alloc` names are canonicalized by `LibraryNames`.
//! What can't be resolved is `Res::Unresolved`, never a guess.

pub mod body;
pub mod defs;
pub mod lookup;
pub mod scope;
pub mod ty;

pub use defs::*;
pub use ty::*;
