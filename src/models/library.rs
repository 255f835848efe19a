//! The built-in model files, and which of them a program needs.
//!
//! In: the crates that a program names. Out: the models of the standard library and of those crates, loaded once for
//! each combination, from the combination without its last library. Invariant: a library whose crates aren't named costs nothing and lends no word to anything.

use super::{Models, load};
use rustc_hash::FxHashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// The model files that every program is read with.
const ALWAYS: &[&str] = &[
    include_str!("std.toml"),
    include_str!("std-cell.toml"),
    include_str!("std-collections.toml"),
    include_str!("std-iter.toml"),
    include_str!("std-memory.toml"),
    include_str!("std-primitive.toml"),
    include_str!("std-sync.toml"),
    include_str!("std-system.toml"),
    include_str!("macros.toml"),
];

/// A model file for the users of some crates.
struct Library {
    /// As code names them.
    crates: &'static [&'static str],
    text: &'static str,
}

macro_rules! libraries {
    ($($file:literal: $($name:literal)*;)*) => {
        &[$(Library { crates: &[$($name),*], text: include_str!(concat!("library/", $file, ".toml")) },)*]
    };
}

/// Crates that re-export another's items are listed with it, too. A file may name the types of those above it, not of those below.
const LIBRARIES: &[Library] = libraries! {
    "rayon": "rayon" "rayon_core";
    "tokio": "tokio" "tokio_util" "actix_web" "actix_rt";
    "atomics": "portable_atomic" "atomic_polyfill" "portable_atomic_util";
    "locks": "parking_lot" "lock_api" "spin" "once_cell" "flume" "dashmap" "async_lock" "async_channel" "async_std"
        "smol" "futures" "futures_util";
    "arc_swap": "arc_swap";
    "parking": "parking_lot_core";
    "crossbeam": "crossbeam" "crossbeam_utils" "crossbeam_channel" "crossbeam_queue";
    "pools": "threadpool" "scoped_threadpool" "ctrlc";
    "log": "log";
    "signals": "libc" "nix" "signal_hook" "signal_hook_registry";
    "tests": "rstest" "test_case" "test_log" "sqlx" "async_std" "smol_potat" "actix_web" "actix_rt" "serial_test";
    "futures": "futures" "futures_util" "futures_executor" "futures_channel" "futures_lite" "async_std" "smol"
        "smol_potat" "pollster" "blocking" "tokio_stream";
    "web": "axum" "actix_web" "actix_rt" "tower" "hyper";
    "embedded": "critical_section" "cortex_m" "cortex_m_rt" "riscv" "riscv_rt" "avr_device" "msp430" "bare_metal"
        "rtic" "embassy_executor" "embassy_sync";
    "pyo3": "pyo3";
};

/// A set of libraries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Libraries(u64);

impl Libraries {
    /// All that there are.
    pub fn all() -> Libraries {
        Libraries((1 << LIBRARIES.len()) - 1)
    }

    /// Adds what is known of the crate, if anything is.
    pub fn add_crate(&mut self, name: &str) {
        for (at, library) in LIBRARIES.iter().enumerate() {
            if library.crates.contains(&name) {
                self.0 |= 1 << at;
            }
        }
    }

    /// Adds every library one of whose crates occurs in the text as a word.
    pub fn add_mentioned(&mut self, text: &str) {
        for (at, library) in LIBRARIES.iter().enumerate() {
            if library.crates.iter().any(|name| has_word(text, name)) {
                self.0 |= 1 << at;
            }
        }
    }

    /// The last of them, and the set of those before it.
    fn split_last(self) -> Option<(&'static Library, Libraries)> {
        let at = self.0.checked_ilog2()? as usize;
        LIBRARIES.get(at).map(|last| (last, Libraries(self.0 & !(1 << at))))
    }
}

fn has_word(text: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word)
        .any(|(at, _)| !part(text[..at].chars().next_back()) && !part(text[at + word.len()..].chars().next()))
}

/// The models of the standard library and of these libraries.
pub fn built_in(libraries: Libraries) -> Arc<Models> {
    static LOADED: LazyLock<Mutex<FxHashMap<Libraries, Arc<Models>>>> = LazyLock::new(Mutex::default);
    complete(libraries, &mut LOADED.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A combination is the one without its last library, and that one.
fn complete(libraries: Libraries, loaded: &mut FxHashMap<Libraries, Arc<Models>>) -> Arc<Models> {
    if let Some(models) = loaded.get(&libraries) {
        return models.clone();
    }
    let (mut models, texts) = match libraries.split_last() {
        Some((last, others)) => (Models::clone(&complete(others, loaded)), &[last.text][..]),
        None => (Models::default(), ALWAYS),
    };
    if let Err(error) = load::add_files(&mut models, texts) {
        panic!("built-in models: {error}");
    }
    let models = Arc::new(models);
    loaded.insert(libraries, models.clone());
    models
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole() {
        assert!(has_word("use rayon::prelude::*;", "rayon"));
        assert!(!has_word("use crayon::x; my_rayon::y; rayons", "rayon"));
    }

    #[test]
    fn no_two_libraries_describe_the_same() {
        let mut models = Models::clone(&built_in(Libraries::default()));
        let texts: Vec<&str> = LIBRARIES.iter().map(|library| library.text).collect();
        assert_eq!(load::add_files(&mut models, &texts), Ok(()));
    }

    #[test]
    fn every_combination_of_one_loads() {
        for library in LIBRARIES {
            let mut one = Libraries::default();
            one.add_crate(library.crates[0]);
            assert!(one.split_last().is_some(), "{}", library.crates[0]);
            assert!(built_in(one).fns.len() >= built_in(Libraries::default()).fns.len());
        }
    }
}
