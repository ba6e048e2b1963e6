//! The runbook's links and the files that it names.

use std::collections::BTreeSet;

use crate::files::{read, root};

/// The anchor of a heading, as the usual viewers make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The anchors of all headings of a page.
pub(crate) fn headings(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let lines = text.lines().filter(|line| {
        fenced ^= line.starts_with("```");
        !fenced && line.starts_with('#')
    });
    lines
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect()
}

#[test]
fn links_lead_somewhere() {
    for page in ["deploy/README.md", "deploy/railway/README.md"] {
        let text = read(page);
        let folder = root().join(page).parent().unwrap().to_owned();
        for part in text.split("](").skip(1) {
            let link = part.split_once(')').unwrap().0;
            if link.starts_with("http") {
                continue;
            }
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                root().join(page)
            } else {
                folder.join(file)
            };
            assert!(target.exists(), "{page}: {link}");
            if !fragment.is_empty() {
                let headings = headings(&std::fs::read_to_string(&target).unwrap());
                assert!(headings.contains(fragment), "{page}: {link}");
            }
        }
    }
}

/// What is typed into Twilio's console is the same everywhere.
#[test]
fn the_webhook_of_twilio_is_the_same_on_every_page() {
    let pages = [
        "README.md",
        "deploy/README.md",
        "deploy/railway/README.md",
        "crates/ingress/README.md",
    ];
    for page in pages {
        let text = read(page);
        let suffixes: Vec<_> = text.match_indices("#rc=").collect();
        assert!(!suffixes.is_empty(), "{page}");
        for (at, _) in suffixes {
            let rest = text.get(at..).unwrap();
            assert!(rest.starts_with("#rc=5&rp=all&rt=4000&ct=2000"), "{page}");
        }
    }
}

/// docker-compose 1.29 has no `cp`, and no `--wait`.
#[test]
fn old_compose_knows_every_command() {
    for page in ["README.md", "deploy/README.md"] {
        let text = read(page);
        for lacking in ["compose cp", "--wait", "compose ls", "compose watch"] {
            assert!(!text.contains(lacking), "{page}: {lacking}");
        }
    }
}
