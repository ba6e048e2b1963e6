//! The operators' password.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};

/// The shortest password that is taken.
pub(crate) const SHORTEST: usize = 10;
/// The longest.
const LONGEST: usize = 1024;

/// Why a password is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("a password has {SHORTEST} to {LONGEST} characters")]
    Length,
    /// The hash cannot be made.
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
}

/// What is known of the password: its hash.
pub(crate) struct Password(PasswordHash);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

impl Password {
    /// The hash as it is set; none when it is something else. With `$` it is as other programs write it.
    pub(crate) fn read(hash: &SecretString) -> Option<Self> {
        let hash = hash.expose_secret().trim();
        let hash = match hash.starts_with('$') {
            true => hash.to_owned(),
            false => format!("${}", hash.replace(':', "$")),
        };
        let hash = PasswordHash::new(&hash).ok()?;
        let is_argon = hash.algorithm.as_str().starts_with("argon2");
        (is_argon && hash.hash.is_some() && hash.salt.is_some()).then_some(Self(hash))
    }

    /// The hash as a text, the same however it was written.
    pub(crate) fn text(&self) -> String {
        self.0.to_string()
    }

    /// Whether this is it. Takes 19 MiB and some ten milliseconds: not for a thread that serves others.
    pub(crate) fn is(&self, password: &str) -> bool {
        password.len() <= LONGEST
            && Argon2::default()
                .verify_password(password.as_bytes(), &self.0)
                .is_ok()
    }
}

/// What `CONSOLE_PASSWORD_HASH` is set to for a password: Argon2id, with `:` where others write `$`, which
/// shells and Compose would take for a variable.
///
/// # Errors
/// When the password is too short or too long.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    if password.chars().count() < SHORTEST || password.len() > LONGEST {
        return Err(PasswordError::Length);
    }
    let hash: Result<PasswordHash, _> = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string().trim_start_matches('$').replace('$', ":"))
        .map_err(|error| PasswordError::Hash(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_known_by_its_hash_alone() {
        let text = hash("correct horse battery").unwrap();
        assert!(text.starts_with("argon2id:v=19:m=19456,t=2,p=1:"), "{text}");
        let others = format!("${}", text.replace(':', "$"));
        assert!(
            Password::read(&others.into())
                .unwrap()
                .is("correct horse battery")
        );
        let password = Password::read(&text.into()).unwrap();
        assert!(password.is("correct horse battery"));
        assert!(!password.is("correct horse batterz") && !password.is(""));
        assert!(hash("short").is_err());
        assert_eq!(format!("{password:?}"), "Password");
    }

    #[test]
    fn what_is_no_hash_is_not_taken() {
        for text in [
            "",
            "secret",
            "$argon2id$v=19$m=19456,t=2,p=1",
            "$2b$12$abcdefghijklmnopqrstuv",
        ] {
            assert!(Password::read(&text.to_owned().into()).is_none(), "{text}");
        }
    }
}
