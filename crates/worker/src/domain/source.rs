use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Where the files of a domain come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// The default domain, in the binary.
    Embedded,
    /// A folder; names are relative to it.
    Folder(PathBuf),
}

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../deploy/domains/", $name)))),*]
    };
}

/// The default domain and the files that it names.
const EMBEDDED: &[(&str, &str)] = embedded![
    "car-dealer.toml",
    "car-dealer/makes.toml",
    "car-dealer/examples/messages.jsonl",
    "car-dealer/examples/wordings.jsonl",
    "car-dealer/examples/intents.jsonl",
    "car-dealer/examples/questions-nl.jsonl",
    "car-dealer/examples/questions-en.jsonl",
    "car-dealer/examples/questions-de.jsonl",
    "car-dealer/shared/intents.toml",
    "car-dealer/shared/slots.toml",
    "car-dealer/shared/words.toml",
    "car-dealer/shared/consent.toml",
    "car-dealer/shared/foreign.toml",
    "car-dealer/nl/language.toml",
    "car-dealer/nl/intents.toml",
    "car-dealer/nl/slots.toml",
    "car-dealer/nl/consent.toml",
    "car-dealer/nl/acts.toml",
    "car-dealer/nl/stock.toml",
    "car-dealer/en/language.toml",
    "car-dealer/en/intents.toml",
    "car-dealer/en/slots.toml",
    "car-dealer/en/consent.toml",
    "car-dealer/en/acts.toml",
    "car-dealer/en/stock.toml",
    "car-dealer/de/language.toml",
    "car-dealer/de/intents.toml",
    "car-dealer/de/slots.toml",
    "car-dealer/facts.toml",
    "car-dealer/attributes.toml",
    "car-dealer/unserved.toml",
    "car-dealer/offers.toml",
    "car-dealer/de/consent.toml",
    "car-dealer/de/acts.toml",
    "car-dealer/de/stock.toml",
    "car-dealer/nl/moments.toml",
    "car-dealer/en/moments.toml",
    "car-dealer/de/moments.toml",
    "car-dealer/nl/replies.toml",
    "car-dealer/en/replies.toml",
    "car-dealer/de/replies.toml",
    "car-dealer/stock/attributes.toml",
    "car-dealer/stock/schema-org.toml",
    "car-dealer/stock/hexon.toml",
    "car-dealer/stock/autoscout24.toml",
    "car-dealer/stock/mobile-de.toml",
    "car-dealer/stock/cars.csv",
];

/// A small domain to start from.
pub const STARTER: &[(&str, &str)] = embedded![
    "hair-salon.toml",
    "hair-salon/words.toml",
    "hair-salon/knowledge.toml",
    "hair-salon/replies.toml",
    "hair-salon/offers.toml",
    "hair-salon/examples.jsonl",
    "hair-salon/stock/attributes.toml",
    "hair-salon/stock/treatments.csv",
    "hair-salon/stock/words.toml",
    "hair-salon/stock/rehearsals/prices.txt",
    "hair-salon/stock/rehearsals/under-an-amount.txt",
    "hair-salon/rehearsals/two-treatments.txt",
    "hair-salon/rehearsals/closed-day.txt",
    "hair-salon/rehearsals/complaint.txt",
    "hair-salon/rehearsals/together.txt",
    "car-dealer/nl/language.toml",
    "car-dealer/nl/acts.toml",
    "car-dealer/nl/consent.toml",
    "car-dealer/nl/moments.toml",
];

pub(super) const DEFAULT: &str = "car-dealer.toml";

impl Source {
    /// The text of a file, or why there is none.
    pub(super) fn read(&self, name: &str) -> Result<Cow<'static, str>, String> {
        match self {
            Self::Embedded => EMBEDDED
                .iter()
                .find(|(embedded, _)| *embedded == name)
                .map(|(_, text)| Cow::Borrowed(*text))
                .ok_or_else(|| format!("`{name}` is not part of the default domain")),
            Self::Folder(folder) => read_file(&folder.join(name)).map(Cow::Owned),
        }
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))
}
