use uuid::Uuid;

/// Crockford's alphabet, lower case.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A lower-case ULID: 48 bits of Unix milliseconds and 80 random bits in 26 letters and digits.
pub(crate) fn ulid(unix_millis: u64) -> String {
    let random = Uuid::new_v4().as_u128() & ((1 << 80) - 1);
    encode((u128::from(unix_millis) << 80) | random)
}

fn encode(value: u128) -> String {
    (0..26)
        .rev()
        .filter_map(|place| ALPHABET.get(((value >> (place * 5)) & 31) as usize))
        .map(|letter| char::from(*letter))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_come_first_and_sort() {
        assert_eq!(encode(0), "0".repeat(26));
        assert_eq!(encode(u128::MAX), format!("7{}", "z".repeat(25)));
        let id = ulid(1_469_918_176_385);
        assert_eq!(id.len(), 26);
        assert!(id.starts_with("01aryz6s41"), "{id}");
        assert!(ulid(1) < ulid(2));
    }
}
