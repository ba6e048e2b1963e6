//! A model's text in the form of the channel: WhatsApp shows Markdown as it is written. Pure.

/// The text with Markdown put into WhatsApp's own few marks, or taken out.
pub(super) fn plain(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !is_rule(line))
        .map(|line| inline(&block(line)));
    let mut out: Vec<String> = Vec::new();
    for line in lines {
        let line = line.trim_end().to_owned();
        if !(line.is_empty() && out.last().is_none_or(String::is_empty)) {
            out.push(line);
        }
    }
    out.join("\n").trim().to_owned()
}

/// A line of marks alone: a fence, a rule, the line below a table's head.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("```") || (line.len() >= 3 && line.chars().all(|c| "-=_*|: ".contains(c)))
}

/// Headings, quotes, points of a list, rows of a table.
fn block(line: &str) -> String {
    let bare = line.trim_start();
    let heading = bare.trim_start_matches('#');
    if heading.len() < bare.len() && heading.starts_with(' ') {
        let heading = heading.trim().replace("**", "");
        return format!("**{}**", heading.trim_end_matches('#').trim());
    }
    if let Some(cells) = bare
        .strip_prefix('|')
        .and_then(|row| row.trim_end().strip_suffix('|'))
    {
        let cells: Vec<&str> = cells
            .split('|')
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .collect();
        return cells.join(", ");
    }
    if let Some(point) = ["* ", "+ ", "• "]
        .iter()
        .find_map(|mark| bare.strip_prefix(mark))
    {
        return format!("- {point}");
    }
    bare.strip_prefix("> ").unwrap_or(line).to_owned()
}

/// Links, bold, struck and code within a line.
fn inline(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('[') {
        let link = after.split_once("](").and_then(|(text, after)| {
            let (address, after) = after.split_once(')')?;
            (!text.contains(['[', ']'])).then_some((text, address, after))
        });
        out.push_str(
            before
                .strip_suffix('!')
                .filter(|_| link.is_some())
                .unwrap_or(before),
        );
        rest = match link {
            Some((text, address, after)) => {
                let same = text.trim_end_matches('/') == address.trim_end_matches('/');
                out.push_str(&if same {
                    address.to_owned()
                } else {
                    format!("{text}: {address}")
                });
                after
            }
            None => {
                out.push('[');
                after
            }
        };
    }
    out.push_str(rest);
    out.replace("***", "*")
        .replace("**", "*")
        .replace("__", "_")
        .replace("~~", "~")
        .replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_what_whatsapp_shows() {
        for (written, shown) in [
            (
                "Leuk! **Volkswagen Golf** genoteerd.\n\n## Volgende stap\n* **Budget:** hoeveel?\n- [Onze site](https://deduif.example)",
                "Leuk! *Volkswagen Golf* genoteerd.\n\n*Volgende stap*\n- *Budget:* hoeveel?\n- Onze site: https://deduif.example",
            ),
            (
                "| Auto | Prijs |\n|---|---|\n| Golf | 15.000 |",
                "Auto, Prijs\nGolf, 15.000",
            ),
            ("```\nGolf\n```", "Golf"),
            ("~~oud~~ `nieuw`", "~oud~ nieuw"),
            (
                "[https://deduif.example](https://deduif.example/)",
                "https://deduif.example/",
            ),
            (
                "![foto](https://deduif.example/a.jpg)",
                "foto: https://deduif.example/a.jpg",
            ),
            ("### **Stap 2** ###", "*Stap 2*"),
            ("> U vroeg om een Golf", "U vroeg om een Golf"),
        ] {
            assert_eq!(plain(written), shown);
        }
    }

    #[test]
    fn plain_text_stays() {
        for text in [
            "Leuk, een Golf!\nWat is uw budget?",
            "2 * 3 = 6",
            "Nr. #1",
            "Dag [name], *welkom*",
        ] {
            assert_eq!(plain(text), text);
        }
    }
}
