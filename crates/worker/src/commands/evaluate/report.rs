use std::io::{self, Write};

use super::score::{Counts, Miss, Score, share};

const MISSES: usize = 40;

/// Writes the score as tables for a terminal.
pub(super) fn write(score: &Score, threshold: f64, out: &mut impl Write) -> io::Result<()> {
    summary(score, out)?;
    writeln!(
        out,
        "\nslot                 precision  recall     F1  labelled"
    )?;
    for (name, counts) in &score.by_slot {
        slot(name, counts, out)?;
    }
    slot("all (micro)", &score.slots, out)?;
    confusion(score, out)?;
    reliability(score, threshold, out)?;
    misses(&score.misses, out)?;
    let timing = &score.timing;
    let (p50, p95, p99) = (timing.p50, timing.p95, timing.p99);
    writeln!(
        out,
        "\ntime a message: p50 {p50:.1} µs, p95 {p95:.1} µs, p99 {p99:.1} µs"
    )
}

fn summary(score: &Score, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "language  messages  intent  slot F1   exact")?;
    for (name, language) in &score.by_language {
        let intent = share(language.intent_right, language.messages);
        let exact = share(language.exact, language.messages);
        let (messages, f1) = (language.messages, language.slots.f1());
        writeln!(
            out,
            "{name:<8}  {messages:>8}  {intent:>6.3}  {f1:>7.3}  {exact:>6.3}"
        )?;
    }
    let (messages, f1) = (score.messages, score.slots.f1());
    let (intent, exact) = (score.intent_accuracy, score.exact_match);
    writeln!(
        out,
        "all       {messages:>8}  {intent:>6.3}  {f1:>7.3}  {exact:>6.3}"
    )?;
    writeln!(out, "language recognised: {:.3}", score.language_accuracy)
}

fn slot(name: &str, counts: &Counts, out: &mut impl Write) -> io::Result<()> {
    let (precision, recall, f1) = (counts.precision(), counts.recall(), counts.f1());
    let labelled = counts.right + counts.missing;
    writeln!(
        out,
        "{name:<20} {precision:>9.3}  {recall:>6.3}  {f1:>5.3}  {labelled:>8}"
    )
}

fn confusion(score: &Score, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\nlabelled intent      right  taken for")?;
    for (expected, row) in &score.confusion {
        let total: usize = row.values().sum();
        let right = row.get(expected).copied().unwrap_or_default();
        let wrong = row.iter().filter(|(found, _)| *found != expected);
        let wrong: Vec<String> = wrong
            .map(|(found, times)| format!("{found} {times}"))
            .collect();
        writeln!(
            out,
            "{expected:<20} {right:>3}/{total:<3} {}",
            wrong.join(", ")
        )?;
    }
    Ok(())
}

fn reliability(score: &Score, threshold: f64, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "\nconfidence  messages  right   (threshold {threshold})"
    )?;
    for band in score.reliability.iter().filter(|band| band.messages > 0) {
        let (from, to, messages) = (band.from, band.from + 0.1, band.messages);
        let right = share(band.right, band.messages);
        writeln!(out, "{from:.1} to {to:.1}  {messages:>8}  {right:>5.3}")?;
    }
    Ok(())
}

fn misses(misses: &[Miss], out: &mut impl Write) -> io::Result<()> {
    if misses.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\nnot exact, wrong intents first, the most confident first:"
    )?;
    for miss in misses.iter().take(MISSES) {
        writeln!(out, "  {:.2} {}", miss.confidence, miss.text)?;
        if miss.intent != miss.expected_intent {
            writeln!(
                out,
                "       {} instead of {}",
                miss.intent, miss.expected_intent
            )?;
        }
        for (name, value) in &miss.expected_slots {
            if miss.slots.get(name) != Some(value) {
                writeln!(out, "       missing {name} = {value}")?;
            }
        }
        for (name, value) in &miss.slots {
            if miss.expected_slots.get(name) != Some(value) {
                writeln!(out, "       superfluous {name} = {value}")?;
            }
        }
    }
    let more = misses.len().saturating_sub(MISSES);
    if more > 0 {
        writeln!(out, "  and {more} more")?;
    }
    Ok(())
}
