use super::section::Section;

/// Something a customer can want.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// As it appears in routing, in labels and in the cues of the vocabulary.
    pub name: String,
    /// From this score on it wins over every intent further down the list.
    pub decisive: Option<f64>,
    /// Small talk: words that no cue explains count against it.
    pub small_talk: bool,
    /// Which of several named things the slots describe.
    pub about: About,
    /// Whether messages of this intent have slots at all.
    pub has_slots: bool,
    /// What a clause of this intent does; by default what the dialogue pursues for it.
    pub act: Option<IntentAct>,
}

/// What a clause of an intent does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentAct {
    /// Wants something done: opens a goal.
    Request,
    /// Tells what is wished for; opens a goal when something is looked for.
    Wish,
    /// Asks about the business.
    Info,
    /// Asks how far something is.
    Status,
    /// Wants a person.
    Handoff,
    /// Is dissatisfied.
    Complain,
    /// Greets.
    Hello,
    /// Thanks, confirms, says goodbye.
    Thanks,
    /// Nothing that calls for an act.
    Nothing,
}

const ACTS: [(&str, IntentAct); 9] = [
    ("request", IntentAct::Request),
    ("wish", IntentAct::Wish),
    ("info", IntentAct::Info),
    ("status", IntentAct::Status),
    ("handoff", IntentAct::Handoff),
    ("complain", IntentAct::Complain),
    ("hello", IntentAct::Hello),
    ("thanks", IntentAct::Thanks),
    ("nothing", IntentAct::Nothing),
];

/// Which of several named things (cars, say) a message's slots describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The one that the customer wants.
    Wanted,
    /// The one that the customer has.
    Own,
}

/// Reads the `[[intents]]`, in their order of precedence.
pub(super) fn read(root: &Section<'_>) -> Vec<Intent> {
    root.sections("intents")
        .into_iter()
        .filter_map(read_one)
        .collect()
}

fn read_one(section: Section<'_>) -> Option<Intent> {
    let name = section.required_text("name");
    let about = match section.text("about") {
        None => About::Wanted,
        Some(text) if text.value == "wanted" => About::Wanted,
        Some(text) if text.value == "own" => About::Own,
        Some(text) => {
            section.problem(text.line, "`about` must be \"wanted\" or \"own\"");
            About::Wanted
        }
    };
    let intent = Intent {
        name: name.map_or_else(String::new, |name| name.value.to_owned()),
        decisive: section.number("decisive"),
        small_talk: section.boolean("small_talk"),
        about,
        has_slots: !section.boolean("without_slots"),
        act: read_act(&section),
    };
    section.close();
    name.map(|_| intent)
}

fn read_act(section: &Section<'_>) -> Option<IntentAct> {
    let text = section.text("act")?;
    let found = ACTS.iter().find(|(name, _)| *name == text.value);
    if found.is_none() {
        let names: Vec<&str> = ACTS.iter().map(|(name, _)| *name).collect();
        let message = format!("`act` must be one of {}", names.join(", "));
        section.problem(text.line, message);
    }
    found.map(|(_, act)| *act)
}

/// The place of the intent that a text names; an unknown name is a problem.
pub(super) fn find(
    intents: &[Intent],
    section: &Section<'_>,
    text: super::section::Text<'_>,
) -> Option<usize> {
    let found = intents.iter().position(|intent| intent.name == text.value);
    if found.is_none() {
        section.problem(text.line, format!("there is no intent `{}`", text.value));
    }
    found
}
