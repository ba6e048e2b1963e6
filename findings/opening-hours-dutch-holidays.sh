#!/usr/bin/env bash
# The crate opening-hours knows public holidays by country, so `PH off` looks like all a Dutch shop needs.
# Expected: with the list of NL a shop is closed on the days that most of them keep, and without a list
# `PH` is an error. Seen: Easter Sunday is in the list, Good Friday and 5 May are not; without a list `PH`
# silently matches nothing; and `PH off` before the weekdays is overruled by them.
set -euo pipefail
version=2.1.4
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
opening-hours = { version = "=$version", default-features = false }
chrono = { version = "0.4", default-features = false }
[workspace]
TOML
cat > src/main.rs <<'RUST'
use chrono::NaiveDate;
use opening_hours::localization::Country;
use opening_hours::{Context, OpeningHours};

fn main() {
    let noon = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap().and_hms_opt(12, 0, 0).unwrap();
    let with_list = |text: &str| {
        let hours: OpeningHours = text.parse().unwrap();
        hours.with_context(Context::default().with_holidays(Country::NL.holidays()))
    };
    let always = with_list("24/7; PH off");
    for (name, y, m, d) in [
        ("good_friday", 2027, 3, 26),
        ("easter_sunday", 2027, 3, 28),
        ("liberation_day", 2025, 5, 5),
        ("christmas", 2026, 12, 25),
    ] {
        println!("{name} closed={}", always.is_closed(noon(y, m, d)));
    }
    let without: OpeningHours = "Mo-Fr 09:00-18:00; PH off".parse().unwrap();
    println!("no_list christmas closed={}", without.is_closed(noon(2026, 12, 25)));
    let first = with_list("PH off; Mo-Fr 09:00-18:00");
    println!("ph_first christmas closed={}", first.is_closed(noon(2026, 12, 25)));
}
RUST
seen=$(cargo run -q)
expected='good_friday closed=false
easter_sunday closed=true
liberation_day closed=false
christmas closed=true
no_list christmas closed=false
ph_first christmas closed=false'
echo "opening-hours $version"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed"; exit 1; }
