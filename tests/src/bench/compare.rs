//! The same benchmark with the services of two builds, in turn.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use tempfile::TempDir;

use super::figures::{Figures, quantile};
use crate::print_table;

/// What each build measured, by place of the part and of the figure, round after round.
type Values = BTreeMap<(usize, usize), [Vec<f64>; 2]>;

/// What a message passes through. The rest is of this build, so that both are measured alike.
const SERVICES: [&str; 4] = ["ingress", "worker", "egress", "echo"];

/// Measures with the services in `other` and with those beside this program in turn, prints the medians,
/// their ratio and the range of the rounds' ratios, and gives all that was measured.
///
/// # Errors
/// When one of them fails.
pub fn compare(other: &Path, rounds: u32, flags: &[String]) -> anyhow::Result<Vec<Figures>> {
    let own = std::env::current_exe()?;
    let beside = own.parent().context("a folder of programs")?;
    let folders = [stage(beside, other)?, stage(beside, beside)?];
    let (mut values, mut disturbed) = (Values::new(), BTreeMap::<usize, u32>::new());
    let (mut all, mut last) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        for (build, folder) in folders.iter().enumerate() {
            last = measured(folder.path(), flags).with_context(|| format!("round {round}"))?;
            for (part, figures) in last.iter().enumerate() {
                *disturbed.entry(part).or_default() += u32::from(figures.is_disturbed());
                for (place, figure) in figures.figures.iter().enumerate() {
                    let of = values.entry((part, place)).or_default();
                    of[build].push(figure.value);
                }
            }
            all.extend(last.clone());
        }
    }
    for (part, figures) in last.iter().enumerate() {
        let row = |(place, figure): (usize, &super::Figure)| {
            let text = values.get(&(part, place)).map(line).unwrap_or_default();
            (format!("{} ({})", figure.name, figure.unit), text)
        };
        let rows: Vec<_> = figures.figures.iter().enumerate().map(row).collect();
        let disturbed = disturbed.get(&part).copied().unwrap_or_default();
        let heading = format!(
            "{}: other build, this build, ratio; {disturbed} of {} measurements disturbed",
            figures.heading,
            rounds * 2
        );
        print_table(&heading, &rows);
    }
    Ok(all)
}

/// A folder from which this program finds the services of `services`.
fn stage(beside: &Path, services: &Path) -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    // Copied: programs are looked for beside this one, wherever a link leads.
    fs::copy(beside.join("bench"), folder.path().join("bench"))?;
    symlink(beside.join("simulator"), folder.path().join("simulator"))?;
    let services = services.canonicalize()?;
    for name in SERVICES {
        symlink(services.join(name), folder.path().join(name))?;
    }
    Ok(folder)
}

fn line([other, this]: &[Vec<f64>; 2]) -> String {
    let ratios = other.iter().zip(this).map(|(other, this)| this / other);
    let mut ratios: Vec<_> = ratios.collect();
    let (least, most) = (quantile(&mut ratios, 0.0), quantile(&mut ratios, 1.0));
    let middle = |values: &[f64]| quantile(&mut values.to_vec(), 0.5);
    let (other, this) = (middle(other), middle(this));
    let ratio = this / other;
    format!("{other:9.2} {this:9.2}  × {ratio:.2} ({least:.2} to {most:.2})")
}

fn measured(folder: &Path, flags: &[String]) -> anyhow::Result<Vec<Figures>> {
    let file = folder.join("figures.json");
    let mut command = Command::new(folder.join("bench"));
    command.args(flags).arg("--json").arg(&file);
    let status = command.status()?;
    ensure!(status.success(), "{}: {status}", folder.display());
    Ok(serde_json::from_slice(&fs::read(&file)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_compared_with_each_other() {
        let line = line(&[vec![100.0, 200.0, 400.0], vec![50.0, 50.0, 400.0]]);
        assert_eq!(line, "   200.00     50.00  × 0.25 (0.25 to 1.00)");
    }
}
