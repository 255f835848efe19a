//! What the labels of the human format say: names of contexts, what an access does, where a context comes from.
//!
//! In: a finding. Out: short phrases. Invariant: two contexts of a finding never have the same name here; a phrase
//! stands for all contexts that do the same at the same place, so that no range is labelled twice.

use super::lines::Sources;
use crate::finding::{Access, AccessKind, ContextKind, Finding, Thread};

/// The contexts' names as a reader meets them: `` `worker` (×many) ``, `` `worker` of line 17 ``, `the closure`.
pub struct Names {
    plain: Vec<String>,
    many: Vec<bool>,
}

impl Names {
    /// Names of a finding's threads; those that would be the same are told apart by their spawn sites.
    pub fn new(finding: &Finding, sources: &Sources<'_>) -> Names {
        let threads = &finding.threads;
        let plain = threads.iter().map(|thread| {
            let twins = threads.iter().filter(|other| other.name == thread.name);
            let mut name = base_name(thread);
            if twins.clone().count() > 1 {
                let one_file = twins.clone().all(|t| t.spawned_at.file == thread.spawned_at.file);
                let site = match one_file {
                    true => format!(" of line {}", sources.start(thread.spawned_at).line),
                    false => format!(" of {}", sources.path_line(thread.spawned_at)),
                };
                name.push_str(&site);
            }
            name
        });
        Names { plain: plain.collect(), many: threads.iter().map(|thread| thread.many).collect() }
    }

    /// The name, with `(×many)` where several instances run.
    pub fn full(&self, thread: usize) -> String {
        let mark = if self.many.get(thread) == Some(&true) { " (×many)" } else { "" };
        format!("{}{mark}", self.short(thread))
    }

    /// The name alone.
    pub fn short(&self, thread: usize) -> &str {
        self.plain.get(thread).map_or("another thread", String::as_str)
    }
}

fn base_name(thread: &Thread) -> String {
    match thread.name.as_str() {
        "" | "closure" => "the closure".to_owned(),
        name => format!("`{name}`"),
    }
}

/// What all accesses of one range do, as one sentence: `` `one` and `two` read `A` and write it back ``.
/// `tell_locks`: say which locks are held, because that differs between the accesses of the finding.
pub fn accesses_label(accesses: &[&Access], place: &str, tell_locks: bool, names: &Names) -> String {
    let mut actors: Vec<(usize, Vec<&Access>)> = Vec::new();
    for access in accesses {
        match actors.iter_mut().find(|(thread, _)| *thread == access.thread) {
            Some((_, own)) => own.push(access),
            None => actors.push((access.thread, vec![access])),
        }
    }
    let sentences = actors.into_iter().map(|(thread, own)| {
        let locks = if tell_locks { locks_held(&own) } else { String::new() };
        let deeds = |number| format!("{}{locks}", deeds(&own, place, number));
        Sentence { subject: names.full(thread), one: deeds(Number::One), several: deeds(Number::Several) }
    });
    join_sentences(sentences.collect())
}

/// Where contexts that share a spawn site come from: `` `worker` (×many) is spawned here ``.
pub fn spawn_label(threads: &[(usize, &Thread)], names: &Names) -> String {
    let sentences = threads.iter().map(|(id, thread)| {
        let (one, several) = match thread.kind {
            ContextKind::Main => ("starts here", "start here"),
            ContextKind::Thread | ContextKind::Task => ("is spawned here", "are spawned here"),
            ContextKind::Parallel => ("runs in parallel here", "run in parallel here"),
            ContextKind::Test => {
                ("is a test, run in a thread of its own", "are tests, each in its own thread")
            }
            ContextKind::Interrupt => ("is an interrupt handler", "are interrupt handlers"),
            ContextKind::SignalHandler => ("is a signal handler", "are signal handlers"),
            ContextKind::RequestHandler => ("serves requests", "serve requests"),
            ContextKind::PythonCall => ("is called from Python", "are called from Python"),
            ContextKind::Hook => ("is called by any thread", "are called by any thread"),
            ContextKind::Caller => ("may be called by any thread", "may be called by any thread"),
        };
        Sentence { subject: names.full(*id), one: one.to_owned(), several: several.to_owned() }
    });
    join_sentences(sentences.collect())
}

/// `a`, `a and b`, `a, b and c`.
pub fn and_list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The first `max` items with commas, then how many more there are.
pub fn capped_list(items: &[String], max: usize) -> String {
    match items.get(max..) {
        None | Some([]) => items.join(", "),
        Some(rest) => format!("{} and {} more", items[..max].join(", "), rest.len()),
    }
}

/// Grammatical number of the subject.
#[derive(Clone, Copy)]
enum Number {
    One,
    Several,
}

/// A subject with its predicate in both numbers; sentences with one predicate are told together.
struct Sentence {
    subject: String,
    one: String,
    several: String,
}

fn join_sentences(sentences: Vec<Sentence>) -> String {
    let mut groups: Vec<(Sentence, Vec<String>)> = Vec::new();
    for sentence in sentences {
        let subject = sentence.subject.clone();
        match groups.iter_mut().find(|(first, _)| first.one == sentence.one) {
            Some((_, subjects)) => subjects.push(subject),
            None => groups.push((sentence, vec![subject])),
        }
    }
    let told = groups.iter().map(|(sentence, subjects)| {
        let predicate = if subjects.len() == 1 { &sentence.one } else { &sentence.several };
        format!("{} {predicate}", and_list(subjects))
    });
    told.collect::<Vec<_>>().join("; ")
}

/// What one context does at one range; a plain read and a plain write there are one update.
fn deeds(own: &[&Access], place: &str, number: Number) -> String {
    let plain = |kind| own.iter().any(|access| access.atomic.is_none() && access.kind == kind);
    if plain(AccessKind::Read) && plain(AccessKind::Write) && own.iter().all(|a| a.atomic.is_none()) {
        return deed(AccessKind::Update, None, place, number);
    }
    let mut said: Vec<String> = Vec::new();
    for access in own {
        let place = access.of.as_deref().unwrap_or(place);
        let deed = match access.in_place {
            true => changed(place, number),
            false => deed(access.kind, access.atomic, place, number),
        };
        if !said.contains(&deed) {
            said.push(deed);
        }
    }
    and_list(&said)
}

fn deed(kind: AccessKind, atomic: Option<&str>, place: &str, number: Number) -> String {
    let s = match number {
        Number::One => "s",
        Number::Several => "",
    };
    match (kind, atomic) {
        (AccessKind::Read, None) => format!("read{s} `{place}`"),
        (AccessKind::Write, None) => format!("write{s} `{place}`"),
        (AccessKind::Update, None) => format!("read{s} `{place}` and write{s} it back"),
        (AccessKind::Read, Some(ordering)) => format!("load{s} `{place}` ({ordering})"),
        (AccessKind::Write, Some(ordering)) => format!("store{s} to `{place}` ({ordering})"),
        (AccessKind::Update, Some(ordering)) => format!("update{s} `{place}` in one step ({ordering})"),
    }
}

fn changed(place: &str, number: Number) -> String {
    match number {
        Number::One => format!("changes `{place}`"),
        Number::Several => format!("change `{place}`"),
    }
}

/// `, holding `L``: the locks held at all of these accesses.
fn locks_held(own: &[&Access]) -> String {
    let Some((first, rest)) = own.split_first() else { return String::new() };
    let common = first.locks.iter().filter(|lock| rest.iter().all(|access| access.locks.contains(lock)));
    let names: Vec<String> = common.map(|lock| format!("`{lock}`")).collect();
    if names.is_empty() { ", holding no lock".to_owned() } else { format!(", holding {}", and_list(&names)) }
}
