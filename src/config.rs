//! What a run is to do, however it was asked for: the library's counterpart of the command line.
//!
//! In: the choices of a caller (`cli` is one). Out: a plain value and, for each rule, the level it has. Invariant: a
//! level set later wins over one set earlier, and naming a rule outranks nothing but order.

use crate::finding::Level;
use crate::project;
use crate::rules::RuleInfo;
use crate::settings::Settings;

/// Everything that changes what is analysed or reported.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What is looked at.
    pub options: project::Options,
    /// Also assumed evidence and rules of level note.
    pub pedantic: bool,
    pub rules: RuleLevels,
    /// Parse every body of every file, however much that is, to tell of all syntax errors.
    pub parse_all: bool,
    /// A place to give an account of, as findings name it.
    pub why: Option<String>,
    /// Worker threads; `None`: one a core.
    pub threads: Option<usize>,
    /// What `racelint.toml` says.
    pub settings: Settings,
}

impl Config {
    /// The level at which a rule reports, or `None` when it is off. Rules of level note are pedantic: off unless
    /// `pedantic` is set or the rule is set by name.
    pub fn level(&self, rule: &RuleInfo) -> Option<Level> {
        if rule.level == Level::Note && !self.pedantic && !self.rules.names(rule.id) {
            return None;
        }
        self.rules.apply(rule.id, rule.level)
    }
}

/// What `-A`, `-W` and `-D` set a rule to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setting {
    Allow,
    Warn,
    Deny,
}

/// The rules that a setting is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selector {
    All,
    /// A known rule's id.
    Rule(&'static str),
}

/// The settings of rules, in the order they were given.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RuleLevels {
    settings: Vec<(Selector, Setting)>,
}

impl RuleLevels {
    /// Adds a setting, which wins over those added before.
    pub fn push(&mut self, selector: Selector, setting: Setting) {
        self.settings.push((selector, setting));
    }

    /// The level of a rule whose own level is `default`; `None`: it is allowed.
    pub fn apply(&self, rule: &str, default: Level) -> Option<Level> {
        let last = self.settings.iter().rev().find(|(selector, _)| match selector {
            Selector::All => true,
            Selector::Rule(id) => *id == rule,
        });
        match last {
            None => Some(default),
            Some((_, Setting::Allow)) => None,
            Some((_, Setting::Warn)) => Some(Level::Warning),
            Some((_, Setting::Deny)) => Some(Level::Error),
        }
    }

    /// Whether some setting is for this rule by name.
    fn names(&self, rule: &str) -> bool {
        self.settings.iter().any(|(selector, _)| matches!(selector, Selector::Rule(id) if *id == rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::info::find;

    fn levels(settings: &[(Selector, Setting)]) -> RuleLevels {
        let mut levels = RuleLevels::default();
        for (selector, setting) in settings {
            levels.push(*selector, *setting);
        }
        levels
    }

    #[test]
    fn the_last_setting_wins() {
        let only_static_mut =
            levels(&[(Selector::All, Setting::Allow), (Selector::Rule("static-mut-race"), Setting::Warn)]);
        assert_eq!(only_static_mut.apply("static-mut-race", Level::Error), Some(Level::Warning));
        assert_eq!(only_static_mut.apply("env-race", Level::Warning), None);

        let denied_after_all =
            levels(&[(Selector::Rule("env-race"), Setting::Allow), (Selector::All, Setting::Deny)]);
        assert_eq!(denied_after_all.apply("env-race", Level::Warning), Some(Level::Error));
        assert_eq!(RuleLevels::default().apply("env-race", Level::Warning), Some(Level::Warning));
    }

    #[test]
    fn pedantic_rules_are_off_unless_asked_for() {
        let rule = find("order-dependent").unwrap();
        let by_all = Config { rules: levels(&[(Selector::All, Setting::Deny)]), ..Config::default() };
        let by_name =
            Config { rules: levels(&[(Selector::Rule(rule.id), Setting::Warn)]), ..Config::default() };
        let pedantic = Config { pedantic: true, ..Config::default() };
        assert_eq!(Config::default().level(rule), None);
        assert_eq!(by_all.level(rule), None);
        assert_eq!(by_name.level(rule), Some(Level::Warning));
        assert_eq!(pedantic.level(rule), Some(Level::Note));
    }
}
