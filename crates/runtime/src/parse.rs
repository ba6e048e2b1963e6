//! Configuration mistakes, all of them at once, one line each, without values.

mod names;
mod placeholder;
mod tidy;
mod unused;

use std::process;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command, Parser};

/// The exit code of a program whose configuration is wrong (`EX_USAGE` of sysexits.h).
pub const BAD_CONFIGURATION: i32 = 64;

/// The command line of a program.
pub trait CommandLine: Parser {
    /// What is wrong with the settings of the command as a whole.
    fn mistakes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether the command looks into mistakes, and must not end by them.
    fn examines(&self) -> bool {
        false
    }
}

/// Whoever made more has to begin anew.
const MOST_MISTAKES: usize = 100;

/// Reads flags and environment. Help and version end the process with 0; mistakes end it with
/// [`BAD_CONFIGURATION`] and one line for each, unless the command examines them: then they are given
/// back with it. A variable that is not used is never a mistake, and what stands around a secret or an id
/// no part of it; both are warned of, and so is a name that nothing reads.
pub fn parse<T: CommandLine>() -> (T, Vec<String>) {
    let arguments: Vec<_> = std::env::args_os().collect();
    let command = without_empty_variables(T::command());
    let Read {
        matches,
        mut mistakes,
        mut warnings,
    } = match_all(command, &arguments);
    let Some(matches) = matches else {
        warn(&warnings);
        refuse(&mistakes)
    };
    let (chosen, own) = chosen(T::command(), &matches);
    warnings.extend(tidy::oddities(&chosen));
    add_new(&mut mistakes, tidy::quoted(&chosen));
    add_new(&mut mistakes, placeholder::placeholders(&chosen, own));
    let strays = names::strays(
        &T::command(),
        std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()),
    );
    let config = T::from_arg_matches(&matches).unwrap_or_else(|error| {
        mistakes.push(whole(&error));
        refuse(&mistakes)
    });
    add_new(&mut mistakes, config.mistakes());
    if config.examines() {
        mistakes.extend(strays);
    } else {
        warnings.extend(strays);
    }
    warn(&warnings);
    if mistakes.is_empty() || config.examines() {
        return (config, mistakes);
    }
    refuse(&mistakes)
}

/// A command and the one below it may both have a setting.
fn add(lines: &mut Vec<String>, line: String) {
    if !lines.contains(&line) {
        lines.push(line);
    }
}

/// Adds mistakes about settings that are named in none so far: what else is said of one follows from that.
fn add_new(mistakes: &mut Vec<String>, more: Vec<String>) {
    let names = |line: &str| -> Vec<String> {
        let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let is_name = |word: &&str| {
            word.len() > 3
                && word
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        };
        words.filter(is_name).map(str::to_owned).collect()
    };
    let first = |line: &str| names(line).into_iter().next();
    let told: Vec<_> = mistakes.iter().filter_map(|line| first(line)).collect();
    let is_new = |line: &String| !names(line).iter().any(|name| told.contains(name));
    mistakes.extend(more.into_iter().filter(is_new));
}

/// The command that is run, whose settings count, with what was given for them.
fn chosen(command: Command, matches: &ArgMatches) -> (Command, &ArgMatches) {
    let below = matches.subcommand();
    match below.and_then(|(name, below)| Some((command.find_subcommand(name)?.clone(), below))) {
        Some((sub, below)) => chosen(sub, below),
        None => (command, matches),
    }
}

#[expect(
    clippy::print_stderr,
    reason = "no log exists before the configuration does"
)]
fn warn(warnings: &[String]) {
    for warning in warnings {
        eprintln!("configuration warning: {warning}");
    }
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
    command = tidy::tidied(command);
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

/// What could be read, and what was wrong with it.
struct Read {
    matches: Option<ArgMatches>,
    mistakes: Vec<String>,
    warnings: Vec<String>,
}

/// clap stops at the first bad value. A bad value from the environment is noted, its variable is
/// left out, and the rest is read again.
fn match_all(mut command: Command, arguments: &[std::ffi::OsString]) -> Read {
    let (mut mistakes, mut warnings) = (Vec::new(), Vec::new());
    loop {
        let error = match command.clone().try_get_matches_from(arguments) {
            Ok(matches) => {
                return Read {
                    matches: Some(matches),
                    mistakes,
                    warnings,
                };
            }
            Err(error) => error,
        };
        if !error.use_stderr() {
            error.exit();
        }
        let culprit = culprit(&command, &error, arguments);
        let variable = culprit
            .as_ref()
            .and_then(|culprit| variable_of(&command, culprit));
        let unused =
            variable.and_then(|name| unused::why(&name, |name| is_set(&command, name, arguments)));
        match unused {
            Some(why) => add(&mut warnings, why),
            None => add(&mut mistakes, describe(&command, &error)),
        }
        let Some(culprit) = culprit.filter(|_| mistakes.len() < MOST_MISTAKES) else {
            return Read {
                matches: None,
                mistakes,
                warnings,
            };
        };
        command = without_env(command, &culprit);
    }
}

/// An argument with the subcommands that lead to it.
type Culprit = (Vec<String>, String);

fn variable_of(command: &Command, (path, id): &Culprit) -> Option<String> {
    let mut path = path.iter();
    let command = path.try_fold(command, |command, name| command.find_subcommand(name))?;
    let arg = command
        .get_arguments()
        .find(|arg| arg.get_id() == id.as_str())?;
    Some(arg.get_env()?.to_string_lossy().into_owned())
}

/// Whether a setting has a value, from the environment or as a flag.
fn is_set(command: &Command, variable: &str, arguments: &[std::ffi::OsString]) -> bool {
    let all = std::iter::once(command).chain(command.get_subcommands());
    let mut flags = all
        .flat_map(Command::get_arguments)
        .filter(|arg| arg.get_env().is_some_and(|env| env == variable));
    let in_environment = std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    in_environment
        || flags.any(|arg| {
            let flag = format!("--{}", arg.get_long().unwrap_or_default());
            arguments
                .iter()
                .any(|word| word.to_string_lossy().split('=').next() == Some(&flag))
        })
}

/// The argument that a bad value came to from the environment, with the subcommand it belongs to.
fn culprit(
    command: &Command,
    error: &clap::Error,
    arguments: &[std::ffi::OsString],
) -> Option<Culprit> {
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
    let words: Vec<_> = arguments
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    argument_of(command, flag, &words)
}

/// The argument with this flag, of the command or of one of its subcommands that are named.
fn argument_of(command: &Command, flag: &str, words: &[String]) -> Option<Culprit> {
    let is_flag = |arg: &&clap::Arg| {
        arg.get_long()
            .is_some_and(|long| flag.strip_prefix("--") == Some(long))
    };
    let own = command.get_arguments().find(is_flag);
    if let Some(arg) = own.filter(|arg| arg.get_env().is_some()) {
        return Some((Vec::new(), arg.get_id().to_string()));
    }
    command.get_subcommands().find_map(|sub| {
        let named = words.iter().any(|word| word == sub.get_name());
        let (mut path, id) = named.then(|| argument_of(sub, flag, words)).flatten()?;
        path.insert(0, sub.get_name().to_owned());
        Some((path, id))
    })
}

fn without_env(command: Command, (path, id): &Culprit) -> Command {
    match path.split_first() {
        None => command.mut_arg(id, |arg| arg.env(None::<&str>)),
        Some((name, rest)) => {
            let below = (rest.to_vec(), id.clone());
            command.mut_subcommand(name, |sub| without_env(sub, &below))
        }
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
            let name = variable(arg);
            if is_service_link(name.split(' ').next().unwrap_or_default()) {
                return format!(
                    "{name}: set by a service link of Kubernetes or Docker; set it to your own value, or \
                     switch the links off (enableServiceLinks: false)"
                );
            }
            let name_alone = name.split(' ').next().unwrap_or_default();
            if std::env::var_os(name_alone)
                .is_some_and(|value| value.to_str().is_some_and(tidy::is_quoted))
            {
                return format!("{name}: {}", tidy::QUOTED);
            }
            let expected = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(valid)) if !valid.is_empty() => {
                    format!("expected one of {}", valid.join(", "))
                }
                _ => expected(reason.as_deref()),
            };
            format!("{name}: {expected}")
        }
        _ => whole(error),
    }
}

/// What a value should have been, in words that need no Rust to be understood.
fn expected(reason: Option<&str>) -> String {
    match reason {
        Some("invalid digit found in string" | "cannot parse integer from empty string") => {
            "expected a whole number".into()
        }
        Some("invalid float literal" | "cannot parse float from empty string") => {
            "expected a number".into()
        }
        Some("number would be zero for non-zero type") => "must be at least 1".into(),
        Some(reason)
            if reason.starts_with("number too large") || reason.starts_with("number too small") =>
        {
            "is beyond what can be set".into()
        }
        Some(reason) => reason.to_owned(),
        None => "the value is not valid".into(),
    }
}

/// A service named `redis` puts `REDIS_PORT=tcp://10.0.0.1:6379` into every container beside it.
fn is_service_link(variable: &str) -> bool {
    let value = std::env::var_os(variable);
    value.is_some_and(|value| value.to_string_lossy().starts_with("tcp://"))
}

/// A mistake in the command line with all that helps: what is missing, how it is used, what was meant. A
/// command without its subcommand is answered with its help.
fn whole(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.trim_start_matches("error: ").trim_end();
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return format!("a command is missing\n\n{text}");
    }
    text.to_owned()
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
        match_all(<Cli as clap::CommandFactory>::command(), &words).mistakes
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
        let lines = mistakes(&[]).concat();
        assert!(
            lines.contains("--port") && lines.contains("Usage:"),
            "{lines}"
        );
        assert!(mistakes(&["--port", "1"]).is_empty());
    }
}
