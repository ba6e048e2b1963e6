#!/usr/bin/env bash
# What phone libraries say about two spellings of one WhatsApp user, and about two strangers.
#
# Version: phonenumbers 9.0.43 (PyPI), the Python port of libphonenumber.
# Most would expect: is_number_match() tells whether two numbers are one person's, and is_valid_number()
# tells which spelling is the right one.
# Seen: the WhatsApp id of a Brazilian without the ninth digit is NO_MATCH with the number; two strangers
# are SHORT_NSN_MATCH as soon as one number is written without its area code; both spellings of an
# Argentine mobile number are valid numbers.
# So: numbers of one person are recognised by a table of numbering plans, never by a match of their ends.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check phonenumbers==9.0.43
"$folder/venv/bin/python" - <<'PY'
import sys

import phonenumbers
from phonenumbers import MatchType, is_number_match, is_valid_number, parse

print("phonenumbers", phonenumbers.__version__)
names = {value: name for name, value in vars(MatchType).items() if not name.startswith("_")}
matches = [
    ("Brazil, number and WhatsApp id", "+5531988888880", "+553188888880", "NO_MATCH"),
    ("Mexico, number and WhatsApp id", "+525512345679", "+5215512345679", None),
    ("Argentina, number and WhatsApp id", "+541123456780", "+5491123456780", None),
    ("two strangers, one without area code", "+31201234567", "1234567", "SHORT_NSN_MATCH"),
]
changed = False
for what, one, other, expected in matches:
    seen = names[is_number_match(one, other)]
    print(f"{what}: {one} {other}: {seen}")
    changed |= expected is not None and seen != expected
    changed |= expected is None and seen == "EXACT_MATCH"
for number in ("+541123456780", "+5491123456780"):
    valid = is_valid_number(parse(number))
    print(f"{number}: valid {valid}")
    changed |= not valid
if changed:
    sys.exit("seen something else than before")
PY
