//! `worker domain`: checks a domain file, or makes a new one to edit.

use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::{Args, Subcommand};

use crate::domain::{Domain, STARTER};

/// `worker domain`.
#[derive(Debug, Clone, Args)]
pub struct DomainArgs {
    #[command(subcommand)]
    command: DomainCommand,
}

#[derive(Debug, Clone, Subcommand)]
enum DomainCommand {
    /// Read a domain file and the files that it names, and tell every mistake with file and line.
    Check {
        /// The main file.
        file: PathBuf,
    },
    /// Make a folder with a small domain to edit: a hairdresser, in Dutch.
    New {
        /// A folder that is empty or does not exist.
        folder: PathBuf,
    },
}

impl DomainArgs {
    /// Whether the domain is right, or was made.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn run(&self) -> io::Result<bool> {
        match &self.command {
            DomainCommand::Check { file } => match check(file) {
                Ok(summary) => runtime::print(&summary).map(|()| true),
                Err(mistakes) => runtime::print(&mistakes).map(|()| false),
            },
            DomainCommand::New { folder } => {
                make(folder)?;
                let file = folder.join(MAIN);
                let file = file.display();
                let rehearsals = folder.join("rehearsals");
                let rehearsals = rehearsals.display();
                runtime::print(&format!(
                    "made {file}; edit it, then:\n  worker domain check {file}\n  \
                     worker chat --domain-file {file}\n  \
                     worker rehearse {rehearsals} --domain-file {file}"
                ))?;
                Ok(true)
            }
        }
    }
}

const MAIN: &str = "domain.toml";

/// What a domain has.
///
/// # Errors
/// Every mistake, a line each.
pub fn check(file: &Path) -> Result<String, String> {
    let domain = Domain::load(file).map_err(|error| error.to_string())?;
    let languages = domain.replies.iter().map(|one| one.language.as_str());
    let languages = languages.collect::<Vec<_>>().join(", ");
    let knowledge = &domain.knowledge;
    Ok(format!(
        "{} is right: {languages}; {} intents, {} goals, {} slots, {} facts, {} attributes, {} alarms",
        domain.business.name,
        domain.intents.len(),
        domain.dialogue.goals.len(),
        domain.slots.len(),
        knowledge.facts.len(),
        knowledge.attributes.len(),
        knowledge.alarms.len(),
    ))
}

/// Writes the starter's files.
///
/// # Errors
/// When the folder has files already, or a file cannot be written.
pub fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    if fs::read_dir(folder)?.next().is_some() {
        let message = format!("{} is not empty", folder.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    for (name, text) in STARTER {
        let path = folder.join(starter_name(name));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let text = match *name {
            "hair-salon.toml" => text
                .replace("hair-salon/", "")
                .replace("car-dealer/nl/", ""),
            _ => (*text).to_owned(),
        };
        fs::write(path, text)?;
    }
    Ok(())
}

/// Where a file of the starter stands in the new folder.
fn starter_name(name: &str) -> &str {
    match name {
        "hair-salon.toml" => MAIN,
        other => {
            let prefixes = ["hair-salon/", "car-dealer/nl/"];
            let mut names = prefixes
                .iter()
                .filter_map(|prefix| other.strip_prefix(prefix));
            names.next().unwrap_or(other)
        }
    }
}
