#!/usr/bin/env bash
# The crate duckling reads dates in Dutch and German. Expected, as said on Wednesday 2 December 2026 at
# 11:05: "overmorgen" and "übermorgen" are the 4th, "half drie" is half past two, "eerste kerstdag" is
# 25 December, "morgen früh" is in the morning of the 3rd. Seen: the 3rd for both, half past three,
# 1 January, and the 4th.
set -euo pipefail
version=0.4.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<TOML
[package]
name = "finding"
version = "0.0.0"
edition = "2024"
[dependencies]
duckling = "=$version"
chrono = "0.4"
[workspace]
TOML
cat > src/main.rs <<'RUST'
use chrono::TimeZone;
use duckling::{Context, DimensionKind, Lang, Locale, Options, parse};

fn main() {
    let zone = chrono::FixedOffset::east_opt(3600).unwrap();
    let context = Context {
        reference_time: zone.with_ymd_and_hms(2026, 12, 2, 11, 5, 0).unwrap(),
        ..Context::default()
    };
    for (lang, text) in [
        (Lang::NL, "overmorgen"),
        (Lang::NL, "half drie"),
        (Lang::NL, "eerste kerstdag"),
        (Lang::DE, "übermorgen"),
        (Lang::DE, "morgen früh"),
    ] {
        let locale = Locale::new(lang, None);
        let found = parse(text, &locale, &[DimensionKind::Time], &context, &Options::default());
        let first = found.first().map(|entity| format!("{:?}", entity.value)).unwrap_or_default();
        let at = first.find("value: 20").map_or(0, |at| at + 7);
        println!("{text}: {}", first.get(at..at + 16).unwrap_or("nothing"));
    }
}
RUST
seen=$(cargo run -q)
expected='overmorgen: 2026-12-03T00:00
half drie: 2026-12-02T15:30
eerste kerstdag: 2027-01-01T00:00
übermorgen: 2026-12-03T00:00
morgen früh: 2026-12-04T00:00'
echo "duckling $version"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed"; exit 1; }
