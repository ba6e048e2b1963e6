use super::super::pattern::Pattern;
use super::super::section::Section;
use super::reader::Reader;
use crate::dialogue::act::Consent;

/// What a pattern of `[consent]` is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentCue {
    /// A command; it counts when its clause says nothing else: "stop".
    Command(Consent),
    /// An act with its object named, wherever it stands: "no more messages".
    Named(Consent),
    /// What may stand around a command: courtesies, and reasons such as "not interested".
    Around,
    /// The end of a letter, after which a name follows.
    SignOff,
    /// Makes a stop doubtful: "but I do want an answer".
    But,
    /// A sentence with it speaks of commands instead of giving one.
    Unless,
}

const KEYS: [(&str, ConsentCue); 11] = [
    ("stop", ConsentCue::Command(Consent::Stop)),
    ("start", ConsentCue::Command(Consent::Start)),
    ("erase", ConsentCue::Command(Consent::Erase)),
    ("doubtful", ConsentCue::Command(Consent::Doubtful)),
    ("stop_anywhere", ConsentCue::Named(Consent::Stop)),
    ("start_anywhere", ConsentCue::Named(Consent::Start)),
    ("erase_anywhere", ConsentCue::Named(Consent::Erase)),
    ("around", ConsentCue::Around),
    ("sign_off", ConsentCue::SignOff),
    ("but", ConsentCue::But),
    ("unless", ConsentCue::Unless),
];

impl Reader<'_, '_> {
    pub(super) fn read_consent(&mut self, section: Section<'_>) {
        for (key, cue) in KEYS {
            let found: Vec<Pattern> = self.patterns(&section, key);
            self.into
                .consent
                .extend(found.into_iter().map(|pattern| (cue, pattern)));
        }
        section.close();
    }
}
