//! Secrets come with what they were copied with: a line end of `echo | base64`, a no-break space.

use std::any::TypeId;
use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};
use secrecy::SecretString;

/// The command with secrets that are read without what is around them.
pub(super) fn tidied(command: Command) -> Command {
    command.mut_args(|arg| {
        if arg.get_value_parser().type_id() == TypeId::of::<SecretString>() {
            arg.value_parser(SecretParser)
        } else {
            arg
        }
    })
}

/// What is odd about the secrets of the environment, by variable and never by value.
pub(super) fn oddities(command: &Command) -> Vec<String> {
    let secrets = command
        .get_arguments()
        .filter(|arg| arg.is_hide_env_values_set());
    secrets
        .filter_map(|arg| {
            let name = arg.get_env()?;
            let value = std::env::var_os(name)?;
            let oddity = oddity(value.to_str()?)?;
            Some(format!("{}: {oddity}", name.to_string_lossy()))
        })
        .collect()
}

fn oddity(value: &str) -> Option<&'static str> {
    let bare = bare(value);
    let quoted = ['"', '\'']
        .iter()
        .any(|quote| bare.len() > 1 && bare.starts_with(*quote) && bare.ends_with(*quote));
    if bare != value {
        Some("white space or control characters around it are left out")
    } else if quoted {
        Some("the quotation marks around it count as part of it")
    } else {
        None
    }
}

/// Without white space, control characters and invisible ones at the ends. What is nothing else stays
/// for the service's own check, which refuses it.
fn bare(value: &str) -> &str {
    let bare = value.trim_matches(|c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
    });
    if bare.is_empty() { value } else { bare }
}

#[derive(Clone)]
struct SecretParser;

impl TypedValueParser for SecretParser {
    type Value = SecretString;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<SecretString, Error> {
        let value = value.to_str().map(bare);
        match value.filter(|value| !value.contains(char::is_control)) {
            Some(value) => Ok(value.into()),
            None => Err(refusal(command, arg)),
        }
    }
}

/// Like clap's own error about a value, but without the value.
fn refusal(command: &Command, arg: Option<&Arg>) -> Error {
    let why = "there is a control character inside, such as a line end";
    let mut error = Error::raw(ErrorKind::ValueValidation, why).with_cmd(command);
    if let Some(arg) = arg {
        error.insert(
            ContextKind::InvalidArg,
            ContextValue::String(arg.to_string()),
        );
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_a_secret_is_no_part_of_it() {
        for value in [
            "token\n",
            "\u{feff}token",
            " token\r\n",
            "\u{a0}token\u{200b}",
            "token\0",
        ] {
            assert_eq!(bare(value), "token");
            assert!(oddity(value).unwrap().contains("left out"));
        }
        assert!(oddity("\"token\"").unwrap().contains("quotation marks"));
        assert_eq!(oddity("to ken"), None);
        assert_eq!(bare(" \n"), " \n");
    }
}
