//! Secrets and ids come with what they were copied with: a line end of `echo | base64`, a no-break space.

use std::any::TypeId;
use std::ffi::OsStr;
use std::marker::PhantomData;

use clap::builder::{TypedValueParser, ValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};
use secrecy::SecretString;

/// The command with settings that are texts read without what is around them.
pub(super) fn tidied(command: Command) -> Command {
    command.mut_args(|arg| {
        if is_secret(&arg) {
            arg.value_parser(Tidy::<SecretString>(PhantomData))
        } else if is_text(&arg) {
            arg.value_parser(Tidy::<String>(PhantomData))
        } else {
            arg
        }
    })
}

pub(super) fn is_secret(arg: &Arg) -> bool {
    arg.get_env().is_some() && arg.get_value_parser().type_id() == TypeId::of::<SecretString>()
}

/// Whether an argument is a setting that takes any text. One whose value is a text, but is looked at,
/// refuses for itself; its parser is told from clap's own by its looks alone.
fn is_text(arg: &Arg) -> bool {
    let parser = format!("{:?}", arg.get_value_parser());
    arg.get_env().is_some() && parser == format!("{:?}", ValueParser::string())
}

/// What is odd about the texts of the environment, by variable and never by value.
pub(super) fn oddities(command: &Command) -> Vec<String> {
    let texts = command
        .get_arguments()
        .filter(|arg| is_secret(arg) || is_text(arg));
    texts
        .filter_map(|arg| {
            let name = arg.get_env()?;
            let value = std::env::var_os(name)?;
            let oddity = oddity(value.to_str()?)?;
            Some(format!("{}: {oddity}", name.to_string_lossy()))
        })
        .collect()
}

fn oddity(value: &str) -> Option<&'static str> {
    (bare(value) != value).then_some("white space or control characters around it are left out")
}

/// Whether somebody's quotation marks became part of a value, as `docker run --env-file` and
/// `kubectl create secret --from-env-file` leave them.
pub(super) fn is_quoted(value: &str) -> bool {
    let bare = bare(value);
    ['"', '\'', '“', '”', '‘', '’', '`']
        .iter()
        .any(|quote| bare.chars().count() > 1 && bare.starts_with(*quote))
        && bare.ends_with(['"', '\'', '“', '”', '‘', '’', '`'])
}

/// Settings of the environment whose value stands in quotation marks, by name.
pub(super) fn quoted(command: &Command) -> Vec<String> {
    let names = command.get_arguments().filter_map(Arg::get_env);
    let is_quoted = |name: &&OsStr| {
        std::env::var_os(name).is_some_and(|value| value.to_str().is_some_and(is_quoted))
    };
    names
        .filter(is_quoted)
        .map(|name| format!("{}: {QUOTED}", name.to_string_lossy()))
        .collect()
}

pub(super) const QUOTED: &str = "the quotation marks around its value count as part of it: \
     `docker run --env-file` and `kubectl --from-env-file` keep them. Take them away";

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

/// Reads a text without what is around it.
#[derive(Clone)]
struct Tidy<T>(PhantomData<fn() -> T>);

impl<T> TypedValueParser for Tidy<T>
where
    T: for<'a> From<&'a str> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let value = value.to_str().map(bare);
        match value.filter(|value| !value.contains(char::is_control)) {
            Some(value) => Ok(T::from(value)),
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
        assert!(is_quoted("\"token\"") && is_quoted("'token'\n") && !is_quoted("to\"ken\""));
        assert_eq!(oddity("to ken"), None);
        assert_eq!(bare(" \n"), " \n");
    }

    #[test]
    fn an_id_is_read_like_a_secret() {
        let read = |value: &str| {
            let id = Arg::new("id").long("id").env("TIDY_TEST_ID");
            let command = tidied(Command::new("test").arg(id));
            let matches = command.try_get_matches_from(["test", "--id", value]);
            matches.map(|matches| matches.get_one::<String>("id").cloned())
        };
        assert_eq!(read("AC123\r\n").unwrap().as_deref(), Some("AC123"));
        assert_eq!(read("\u{a0}AC123 ").unwrap().as_deref(), Some("AC123"));
        assert_eq!(read("two words").unwrap().as_deref(), Some("two words"));
        let error = read("AC\n123").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ValueValidation);
        assert!(!error.to_string().contains("123"), "{error}");
    }

    #[test]
    fn what_is_looked_at_keeps_its_own_parser() {
        let refuse = |_: &str| -> Result<String, String> { Err("no".into()) };
        let arg = Arg::new("url").long("url").env("TIDY_TEST_URL");
        let command = tidied(Command::new("test").arg(arg.value_parser(refuse)));
        assert!(
            command
                .try_get_matches_from(["test", "--url", "x"])
                .is_err()
        );
    }
}
