//! Folders of small files for the tests of this room.

use std::path::{Path, PathBuf};

/// A temporary folder, removed at the end.
pub(super) struct Tree {
    root: PathBuf,
    _folder: tempfile::TempDir,
}

impl Tree {
    pub fn new(files: &[(&str, &str)]) -> Tree {
        let folder = tempfile::tempdir().expect("temporary folder");
        // Not directly in it: its own name is hidden.
        let root = folder.path().canonicalize().expect("path").join("tree");
        let tree = Tree { root, _folder: folder };
        std::fs::create_dir(&tree.root).expect("folder");
        for (path, text) in files {
            tree.write(path, text.as_bytes());
        }
        tree
    }

    pub fn write(&self, path: &str, text: &[u8]) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("folders");
        std::fs::write(path, text).expect("file");
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The path from the tree's root, `/`-separated.
    pub fn relative(&self, path: &Path) -> String {
        super::shown::slashed(path.strip_prefix(&self.root).unwrap_or(path))
    }
}
