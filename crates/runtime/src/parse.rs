//! Configuration mistakes, all of them at once, one line each, without values.

use std::process;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command, Parser};

/// The exit code of a program whose configuration is wrong (`EX_USAGE` of sysexits.h).
pub const BAD_CONFIGURATION: i32 = 64;

/// Reads flags and environment. Help and version end the process with 0; mistakes end it with
/// [`BAD_CONFIGURATION`] and one line for each.
pub fn parse<T: Parser>() -> T {
    let arguments: Vec<_> = std::env::args_os().collect();
    let (matches, mut mistakes) = match_all(without_empty_variables(T::command()), &arguments);
    if mistakes.is_empty() {
        match matches.as_ref().map(T::from_arg_matches) {
            Some(Ok(config)) => return config,
            Some(Err(error)) => mistakes.push(first_line(&error)),
            None => mistakes.push("the command line could not be read".into()),
        }
    }
    refuse(&mistakes)
}

/// Ends the process with [`BAD_CONFIGURATION`] after one line for each mistake.
#[expect(
    clippy::print_stderr,
    clippy::exit,
    reason = "no log exists before the configuration does"
)]
pub fn refuse(mistakes: &[String]) -> ! {
    for mistake in mistakes {
        eprintln!("configuration error: {mistake}");
    }
    process::exit(BAD_CONFIGURATION)
}

/// A variable that is set to nothing counts as not set: compose files pass on what `.env` lacks.
fn without_empty_variables(mut command: Command) -> Command {
    let is_empty = |arg: &clap::Arg| {
        let name = arg.get_env()?;
        std::env::var_os(name).filter(|value| value.is_empty())?;
        Some(arg.get_id().to_string())
    };
    let empty: Vec<_> = command.get_arguments().filter_map(is_empty).collect();
    for id in empty {
        command = command.mut_arg(id, |arg| arg.env(None::<&str>));
    }
    let names: Vec<_> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for name in names {
        command = command.mut_subcommand(name, without_empty_variables);
    }
    command
}

/// clap stops at the first bad value. A bad value from the environment is noted, its variable is
/// left out, and the rest is read again.
fn match_all(
    mut command: Command,
    arguments: &[std::ffi::OsString],
) -> (Option<ArgMatches>, Vec<String>) {
    let mut mistakes = Vec::new();
    loop {
        let error = match command.clone().try_get_matches_from(arguments) {
            Ok(matches) => return (Some(matches), mistakes),
            Err(error) => error,
        };
        if !error.use_stderr() {
            error.exit();
        }
        mistakes.push(describe(&command, &error));
        let culprit = culprit(&command, &error, arguments);
        let Some((path, id)) = culprit.filter(|_| mistakes.len() < 100) else {
            return (None, mistakes);
        };
        command = without_env(command, &path, &id);
    }
}

/// The argument that a bad value came to from the environment, with the subcommand it belongs to.
fn culprit(
    command: &Command,
    error: &clap::Error,
    arguments: &[std::ffi::OsString],
) -> Option<(Option<String>, String)> {
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let flag = shown.split_whitespace().next()?;
    if arguments
        .iter()
        .any(|word| word.to_string_lossy().starts_with(flag))
    {
        return None;
    }
    let in_command = |command: &Command| {
        let arg = command.get_arguments().find(|arg| {
            arg.get_long()
                .is_some_and(|long| flag.strip_prefix("--") == Some(long))
        })?;
        arg.get_env().map(|_| arg.get_id().to_string())
    };
    if let Some(id) = in_command(command) {
        return Some((None, id));
    }
    let words: Vec<_> = arguments
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    command.get_subcommands().find_map(|sub| {
        let named = words.iter().any(|word| word == sub.get_name());
        named
            .then(|| in_command(sub))
            .flatten()
            .map(|id| (Some(sub.get_name().to_owned()), id))
    })
}

fn without_env(command: Command, subcommand: &Option<String>, id: &str) -> Command {
    let reset = |command: Command| command.mut_arg(id, |arg| arg.env(None::<&str>));
    match subcommand {
        None => reset(command),
        Some(name) => command.mut_subcommand(name, reset),
    }
}

/// Names the variable and what was expected, never the value: it may be a secret.
fn describe(command: &Command, error: &clap::Error) -> String {
    let variable = |shown: &str| {
        let flag = shown.split_whitespace().next().unwrap_or(shown).to_owned();
        let all = std::iter::once(command).chain(command.get_subcommands());
        let arg = all.flat_map(Command::get_arguments).find(|arg| {
            arg.get_long()
                .is_some_and(|long| flag.strip_prefix("--") == Some(long))
        });
        let env = arg
            .and_then(|arg| arg.get_env())
            .map(|env| env.to_string_lossy().into_owned());
        env.map_or(flag.clone(), |env| format!("{env} ({flag})"))
    };
    match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::ValueValidation | ErrorKind::InvalidValue, Some(ContextValue::String(arg))) => {
            let reason = std::error::Error::source(error).map(ToString::to_string);
            let expected = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(valid)) if !valid.is_empty() => {
                    format!("expected one of {}", valid.join(", "))
                }
                _ => reason.unwrap_or_else(|| "the value is not valid".into()),
            };
            format!("{}: {expected}", variable(arg))
        }
        (ErrorKind::MissingRequiredArgument, Some(ContextValue::Strings(missing))) => {
            let names: Vec<_> = missing.iter().map(|arg| variable(arg)).collect();
            format!("missing: {}", names.join(", "))
        }
        _ => first_line(error),
    }
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    text.lines()
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[arg(long, env = "PARSE_TEST_PORT")]
        port: u16,
        #[arg(long, env = "PARSE_TEST_LIMIT", default_value_t = 3)]
        limit: u8,
    }

    fn mistakes(words: &[&str]) -> Vec<String> {
        let words: Vec<_> = std::iter::once(&"test")
            .chain(words)
            .map(Into::into)
            .collect();
        match_all(<Cli as clap::CommandFactory>::command(), &words).1
    }

    #[test]
    fn a_bad_value_names_its_variable_and_hides_the_value() {
        let lines = mistakes(&["--port", "hunter2"]);
        assert_eq!(lines.len(), 1);
        assert!(
            lines[0].starts_with("PARSE_TEST_PORT (--port): "),
            "{lines:?}"
        );
        assert!(!lines[0].contains("hunter2"), "{lines:?}");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(mistakes(&[]), ["missing: PARSE_TEST_PORT (--port)"]);
        assert!(mistakes(&["--port", "1"]).is_empty());
    }
}
