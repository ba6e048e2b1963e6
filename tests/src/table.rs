use std::io::Write;

/// Prints rows as two columns under a heading.
pub fn print_table(heading: &str, rows: &[(String, String)]) {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or_default();
    let mut out = std::io::stdout().lock();
    let mut lines = vec![format!("\n{heading}")];
    lines.extend(
        rows.iter()
            .map(|(name, value)| format!("  {name:<width$}  {value}")),
    );
    writeln!(out, "{}", lines.join("\n")).expect("an open output");
}
