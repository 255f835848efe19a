//! A user's own models, laid over the built-in ones.
//!
//! In: model files as TOML tables. Out: for any set of libraries, its models and the user's. Invariant: a model that was
//! accepted by `add` is understood with every set of libraries, if need be by reading them all.

use super::load::{self, FileText};
use super::{Libraries, Models, built_in};
use serde::Deserialize;
use std::sync::Arc;

/// Model files that a user wrote.
#[derive(Clone, Default)]
pub struct UserModels {
    tables: Vec<toml::Table>,
}

impl std::fmt::Debug for UserModels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} models", self.tables.len())
    }
}

impl UserModels {
    /// Adds one. Errs with a sentence that names the entry at fault; the model is left out then.
    pub fn add(&mut self, table: toml::Table) -> Result<(), String> {
        self.tables.push(table);
        let understood = self.over_exactly(Libraries::all());
        if understood.is_err() {
            self.tables.pop();
        }
        understood.map(|_| ())
    }

    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    pub fn len(&self) -> usize {
        self.tables.len()
    }

    /// These models over those of the libraries.
    pub fn over(&self, libraries: Libraries) -> Arc<Models> {
        self.over_exactly(libraries)
            .or_else(|_| self.over_exactly(Libraries::all()))
            .map_or_else(|_| built_in(libraries), Arc::new)
    }

    fn over_exactly(&self, libraries: Libraries) -> Result<Models, String> {
        let mut models = (*built_in(libraries)).clone();
        for table in &self.tables {
            let file = FileText::deserialize(toml::Value::Table(table.clone()))
                .map_err(|error| error.to_string().trim_end().to_owned())?;
            load::add_parsed(&mut models, &[file])?;
        }
        Ok(models)
    }
}
