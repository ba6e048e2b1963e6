#!/usr/bin/env bash
# The crate text2num turns number words of Dutch, German and English into digits. Expected: also amounts
# as people say them. Seen: ordinary compounds are read, but no halves ("twaalf en een half duizend",
# "zwölfeinhalbtausend", "twelve and a half thousand"), no ton, mille or grand, no "fuenfzehn" for
# "fünfzehn", and no year said in two halves.
set -euo pipefail
version=2.8.0
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
text2num = "=$version"
[workspace]
TOML
cat > src/main.rs <<'RUST'
use text2num::{Language, text2digits};

fn main() {
    for (language, text) in [
        (Language::dutch(), "zevenduizend negenhonderdvijfennegentig"),
        (Language::dutch(), "twaalf en een half duizend"),
        (Language::dutch(), "anderhalve ton"),
        (Language::dutch(), "zes mille"),
        (Language::german(), "zwölfeinhalbtausend"),
        (Language::german(), "fuenfzehntausend"),
        (Language::english(), "twelve and a half thousand"),
        (Language::english(), "nine grand"),
        (Language::english(), "twenty eighteen"),
    ] {
        println!("{text}: {}", text2digits(text, &language).unwrap_or_else(|_| "none".into()));
    }
}
RUST
seen=$(cargo run -q)
expected='zevenduizend negenhonderdvijfennegentig: 7995
twaalf en een half duizend: none
anderhalve ton: none
zes mille: none
zwölfeinhalbtausend: none
fuenfzehntausend: none
twelve and a half thousand: none
nine grand: none
twenty eighteen: none'
echo "text2num $version"
echo "$seen"
[ "$seen" = "$expected" ] || { echo "this has changed"; exit 1; }
