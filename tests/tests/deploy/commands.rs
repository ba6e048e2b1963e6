//! Every command that the README and the runbook name is executed by `scripts/compose-smoke` or by a test.

use std::collections::BTreeSet;
use std::path::Path;

use crate::files::{read, root};

/// Commands for which something is missing that no test can have.
const NOT_HERE: &[(&str, &str)] = &[
    (
        "scripts/demo",
        "the build; `it` runs the programs that it starts",
    ),
    ("docker buildx imagetools", "an image in a registry"),
    ("docker push", "a registry"),
    (
        "scripts/sizing",
        "a machine that does nothing else: it measures",
    ),
    (
        "kubectl apply",
        "a cluster; `kubernetes` renders what it applies",
    ),
    ("kubectl create namespace", "a cluster"),
    ("kubectl label", "a cluster"),
    (
        "docker compose --profile waha",
        "an image that needs a telephone",
    ),
    ("docker compose pull", "images in a registry"),
    ("kill -HUP", "Slack's and PagerDuty's secrets"),
    ("grafana cli", "Grafana's database"),
    (
        "docker build",
        "the time: Compose builds from the same file",
    ),
];

/// A block of commands, by page and heading, and which of its section it is.
struct Block {
    page: &'static str,
    heading: String,
    ordinal: usize,
    commands: Vec<String>,
}

/// The blocks of shell commands of a page, and the commands in its sentences.
fn commands(page: &'static str) -> (Vec<Block>, Vec<String>) {
    let (mut blocks, mut inline) = (Vec::<Block>::new(), Vec::new());
    let (mut heading, mut ordinal, mut fence) = (String::new(), 0, None);
    for line in read(page).lines() {
        let words = line.trim_start();
        match (words.strip_prefix("```"), fence) {
            (Some(_), Some(_)) => fence = None,
            (Some(language), None) => {
                fence = Some(language == "sh");
                if language == "sh" {
                    ordinal += 1;
                    blocks.push(Block {
                        page,
                        heading: heading.clone(),
                        ordinal,
                        commands: Vec::new(),
                    });
                }
            }
            (None, Some(true)) => blocks.last_mut().unwrap().commands.push(words.to_owned()),
            (None, Some(false)) => {}
            (None, None) => {
                if let Some(title) = line.strip_prefix("## ").or(line.strip_prefix("### ")) {
                    (heading, ordinal) = (title.to_owned(), 0);
                }
                inline.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
            }
        }
    }
    (blocks, inline)
}

/// What is run: the program with the words that choose what it does. None for what is no command.
fn essence(command: &str) -> Option<String> {
    let command = command.split(" #").next()?.trim();
    let is_setting = |word: &&str| word.contains('=');
    let words: Vec<&str> = command.split_whitespace().skip_while(is_setting).collect();
    let in_container = words
        .iter()
        .position(|word| *word == "/postduif")
        .map(|at| (at, words.get(at.wrapping_sub(1)).copied()));
    let (program, rest) = match in_container {
        Some((at, service)) => (service.unwrap_or("ingress"), words.get(at + 1..)?),
        None => (*words.first()?, words.get(1..)?),
    };
    let is_verb = |word: &&&str| word.bytes().all(|c| c.is_ascii_lowercase() || c == b'-');
    let verbs: Vec<_> = match program {
        "worker" | "egress" | "ingress" => {
            rest.iter().take_while(is_verb).take(2).copied().collect()
        }
        "docker" if rest.first() == Some(&"compose") && rest.get(1) == Some(&"--profile") => {
            rest.iter().take(3).copied().collect()
        }
        "git" => rest.iter().take(1).copied().collect(),
        "docker" | "kubectl" | "redis-cli" | "kill" | "grafana" => {
            rest.iter().take(2).copied().collect()
        }
        name if name.starts_with("scripts/") => Vec::new(),
        _ => return None,
    };
    (program.starts_with("scripts/") || !verbs.is_empty())
        .then(|| format!("{program} {}", verbs.join(" ")).trim().to_owned())
}

/// The text of all tests and of the journey.
fn sources() -> String {
    let mut text = read("scripts/journey/steps.sh") + &read(".github/workflows/ci.yml");
    for script in ["compose-smoke", "test", "check", "test-redis"] {
        text += &read(&format!("scripts/{script}"));
    }
    let mut folders = vec![root().join("tests")];
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        folders.push(entry.unwrap().path().join("tests"));
    }
    for folder in folders {
        append(&folder, &mut text);
    }
    text
}

fn append(folder: &Path, text: &mut String) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            append(&path, text);
        } else if path.extension().is_some_and(|kind| kind == "rs")
            && !path.ends_with("commands.rs")
        {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

/// Whether a test or the journey gives this command, as arguments of a program or as a line.
fn is_given(essence: &str, sources: &str) -> bool {
    let (program, verbs) = essence.split_once(' ').unwrap_or((essence, ""));
    if !["worker", "egress", "ingress"].contains(&program) {
        return sources.contains(essence);
    }
    let quoted = format!("\"{}\"", verbs.replace(' ', "\", \""));
    sources.contains(&quoted) || sources.contains(essence) || by_its_words(verbs, sources)
}

/// A helper of tests may give the first word, and each of them the second.
fn by_its_words(verbs: &str, sources: &str) -> bool {
    let (first, second) = verbs.split_once(' ').unwrap_or((verbs, ""));
    let is_argument = |word: &str| sources.contains(&format!("\"{word}\""));
    sources.contains(&format!(".arg(\"{first}\")")) && (second.is_empty() || is_argument(second))
}

fn is_followed(block: &Block, journey: &str) -> bool {
    let from = |page: &str| match page {
        "deploy/README.md" => String::new(),
        page => format!("page={page} "),
    };
    ["follow", "follow_past_failures"].iter().any(|verb| {
        let line = format!(
            "  {}{verb} \"{}\" {}",
            from(block.page),
            block.heading,
            block.ordinal
        );
        journey
            .lines()
            .any(|given| given == line || given.starts_with(&format!("{line} ")))
    })
}

#[test]
fn every_command_is_executed() {
    let (journey, sources) = (read("scripts/compose-smoke"), sources());
    let mut followed = BTreeSet::new();
    let mut named = Vec::new();
    for page in ["README.md", "deploy/README.md"] {
        let (blocks, inline) = commands(page);
        for block in blocks {
            let essences = block.commands.iter().filter_map(|line| essence(line));
            if is_followed(&block, &journey) {
                followed.extend(essences);
            } else {
                let place = format!("{page}, {} {}", block.heading, block.ordinal);
                named.extend(essences.map(|essence| (essence, place.clone())));
            }
        }
        let inline = inline.iter().filter_map(|line| essence(line));
        named.extend(inline.map(|essence| (essence, page.to_owned())));
    }
    assert!(followed.len() > 20, "{followed:?}");
    let excused = |essence: &str| NOT_HERE.iter().any(|(name, _)| essence.starts_with(name));
    let mut nobody: Vec<_> = named
        .iter()
        .filter(|(essence, _)| {
            !followed
                .iter()
                .any(|done| done.starts_with(essence.as_str()))
                && !is_given(essence, &sources)
                && !excused(essence)
        })
        .collect();
    nobody.dedup();
    assert!(nobody.is_empty(), "nobody executes {nobody:#?}");
}

#[test]
fn what_is_excused_is_named_somewhere() {
    let pages = read("README.md") + &read("deploy/README.md");
    for (name, _) in NOT_HERE {
        assert!(pages.contains(name), "{name}");
    }
}

#[test]
fn the_reader_of_commands_sees_what_is_run() {
    let of = |command: &str| essence(command).unwrap_or_default();
    assert_eq!(
        of("docker compose exec -T worker /postduif dead-letters list # all"),
        "worker dead-letters list"
    );
    assert_eq!(of("worker erase 0612345678"), "worker erase");
    assert_eq!(of("docker compose up --detach"), "docker compose up");
    assert_eq!(of("scripts/demo --once"), "scripts/demo");
    assert_eq!(of("worker"), "", "the service, and no command");
    assert_eq!(of("CRM_DATABASE_URL"), "");
}
