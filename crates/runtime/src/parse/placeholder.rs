//! Values that an example left to be filled in: a service that starts with one works for nobody.

use clap::{Arg, ArgMatches, Command, parser::ValueSource};

use super::tidy::is_secret;

/// Words that stand for a value, whole or as a part of one: `change-me` in a database's URL.
const ANYWHERE: [&str; 9] = [
    "replace",
    "placeholder",
    "todo",
    "tbd",
    "fixme",
    "redacted",
    "undefined",
    "dummy",
    "fillin",
];
/// The same with anything behind it: `changeme123`, `replace-with-your-token`.
const BEGINNINGS: [&str; 6] = [
    "changeme",
    "changethis",
    "replaceme",
    "replacethis",
    "replacewith",
    "insertyour",
];
/// Who speaks to whoever fills it in, of which thing: `your-token`, `my_secret`, `enter-key`.
const SPEAKERS: [&str; 5] = ["your", "my", "insert", "enter", "put"];
const THINGS: [&str; 16] = [
    "token", "secret", "password", "passwd", "key", "sid", "account", "number", "url", "host",
    "domain", "user", "username", "phone", "id", "name",
];
/// Nobody's secret.
const WEAK: [&str; 8] = [
    "secret", "password", "token", "key", "apikey", "none", "null", "nil",
];
/// Hosts that are kept for examples (RFC 2606), and the one of ours.
const HOSTS: [&str; 4] = ["example.com", "example.net", "example.org", "example.nl"];
/// The numbers of our own examples.
const NUMBERS: [&str; 2] = ["31201234567", "31612345678"];

/// One line for each setting of the command that is run which still holds an example's value.
pub(super) fn placeholders(command: &Command, matches: &ArgMatches) -> Vec<String> {
    let text = |name: &str| raw(command, matches, name).unwrap_or_default();
    let simulated = !text("TWILIO_API_BASE_URL").is_empty();
    let public = text("PUBLIC_BASE_URL").starts_with("https://");
    let settings = command
        .get_arguments()
        .filter(|arg| arg.get_env().is_some());
    settings
        .filter_map(|arg| {
            let name = arg.get_env()?.to_string_lossy().into_owned();
            let value = raw(command, matches, &name)?;
            let is_secret = is_secret(arg);
            // The simulator's own secrets are the defaults of its settings.
            let is_own = arg.get_default_values().iter().any(|own| *own == *value);
            let why = if is_placeholder(&value, is_secret) || !simulated && is_our_number(&value) {
                "still has the value of an example; put your own there, or leave the setting out"
            } else if is_secret && public && !is_own && value.starts_with("fake-") {
                "is the simulator's, which everybody knows; put your own there"
            } else {
                return None;
            };
            Some(format!("{name}: {why}"))
        })
        .collect()
}

/// What somebody gave for a setting.
fn raw(command: &Command, matches: &ArgMatches, name: &str) -> Option<String> {
    let is_it = |arg: &&Arg| arg.get_env().is_some_and(|env| env == name);
    let arg = command.get_arguments().find(is_it)?;
    let id = arg.get_id().as_str();
    let given = matches.try_contains_id(id).is_ok()
        && matches
            .value_source(id)
            .is_some_and(|source| source != ValueSource::DefaultValue);
    let values = given.then(|| matches.get_raw(id)).flatten()?;
    let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
    Some(values.join(","))
}

fn is_our_number(value: &str) -> bool {
    NUMBERS.iter().any(|number| value.contains(number))
}

fn is_placeholder(value: &str, is_secret: bool) -> bool {
    let parts = || value.split([',', '/', '@', '?', '&', ':', ' ', '<', '>']);
    value.contains('…')
        || value.contains("...")
        || is_template(value)
        || value.split([',', ' ', '@', ':', '/']).any(is_crossed_out)
        || parts().any(|part| stands_for_something(part) || is_example_host(part))
        || is_secret && (WEAK.contains(&letters(value).as_str()) || WEAK.contains(&password(value)))
}

/// `${TOKEN}`, `$(cat file)`, `{{ token }}` and `<token>`, which whoever fills them in passed by.
fn is_template(value: &str) -> bool {
    let bare = value.trim();
    let framed = |start: &str, end: &str| bare.starts_with(start) && bare.ends_with(end);
    value.contains("${")
        || value.contains("$(")
        || value.contains("{{")
        || framed("<", ">")
        || framed("[", "]") && !bare.contains(':')
}

/// `xxxxxxxx`, `ACxxxxxxxx`, `********`: a sign that stands for one of many.
fn is_crossed_out(part: &str) -> bool {
    let last = part.chars().next_back().unwrap_or_default();
    let run = part.chars().rev().take_while(|c| *c == last).count();
    match last {
        'x' | 'X' => run >= 4 || run >= 3 && run == part.len(),
        '*' | '_' | '#' => run >= 3,
        _ => false,
    }
}

/// `your-token`, `change_me`, `replace-with-your-token`.
fn stands_for_something(part: &str) -> bool {
    let bare = letters(part);
    let words: Vec<_> = part
        .split(|c: char| !c.is_alphanumeric())
        .map(letters)
        .collect();
    let is_thing = |word: &str| THINGS.contains(&word);
    let speaks = |word: &String| SPEAKERS.contains(&word.as_str());
    let named = words.first().is_some_and(speaks) && words.iter().any(|word| is_thing(word));
    let joined = SPEAKERS
        .iter()
        .any(|start| bare.strip_prefix(start).is_some_and(is_thing));
    ANYWHERE.contains(&bare.as_str())
        || BEGINNINGS.iter().any(|start| bare.starts_with(start))
        || named
        || joined
}

/// In small letters, without what joins words.
fn letters(text: &str) -> String {
    let all = text.chars().filter(|c| c.is_alphanumeric());
    all.flat_map(char::to_lowercase).collect()
}

fn is_example_host(part: &str) -> bool {
    let host = part.to_ascii_lowercase();
    let below = |known: &&str| {
        host.strip_suffix(*known)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    HOSTS.iter().any(below) || host.ends_with(".example")
}

/// The password in a URL.
fn password(value: &str) -> &str {
    let login = value
        .split_once("://")
        .and_then(|(_, rest)| rest.rsplit_once('@'));
    login
        .and_then(|(login, _)| login.split_once(':'))
        .map_or("", |(_, password)| password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_examples_leave_to_be_filled_in_is_known() {
        for value in [
            "AC…",
            "…",
            "AC...",
            "ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "ACXXXXXXXX",
            "your-token",
            "your_auth_token",
            "YOUR_TOKEN_HERE",
            "changeme",
            "change-me",
            "CHANGE_ME",
            "changeme123",
            "<token>",
            "${TWILIO_AUTH_TOKEN}",
            "$(cat token)",
            "{{ token }}",
            "xxx",
            "********",
            "replace-with-your-token",
            "postgres://postduif:change-me@postgres:5432/postduif",
            "todo",
            "https://bot.example.nl",
            "https://example.com/bot",
            "Postduif <bot@example.nl>",
            "whsec_…",
            "smtps://user:password@mail.example.nl:465",
            "https://your-domain.com",
            "my-secret-token",
            "insert-key",
        ] {
            assert!(is_placeholder(value, true), "{value}");
        }
        for value in [
            "secret",
            "password",
            "postgres://a:password@db/x",
            "token",
            "none",
        ] {
            assert!(
                is_placeholder(value, true) && !is_placeholder(value, false),
                "{value}"
            );
        }
    }

    #[test]
    fn the_simulators_secrets_are_its_own_and_nobody_elses() {
        for (default, told) in [(Some("fake-waha-key"), 0), (None, 1)] {
            let key = Arg::new("key").long("key").env("WAHA_API_KEY");
            let key = key.value_parser(clap::value_parser!(secrecy::SecretString));
            let command = Command::new("serve")
                .arg(Arg::new("base").long("base").env("PUBLIC_BASE_URL"))
                .arg(key.default_values(default));
            let words = "serve --base https://bot.postduif.test --key fake-waha-key";
            let matches = command.clone().get_matches_from(words.split(' '));
            assert_eq!(placeholders(&command, &matches).len(), told, "{default:?}");
        }
    }

    #[test]
    fn what_somebody_chose_is_no_placeholder() {
        for value in [
            "AC0123456789abcdef0123456789abcdef",
            "redis://redis:6379",
            "https://bot.dealer.nl",
            "postgres://postduif:Zw9xYourKoffie@postgres:5432/postduif",
            "gpt-4o-mini",
            "whatsapp",
            "auto",
            "warn,ingress=debug",
            "/data/spool",
            ".twiliocdn.com,.amazonaws.com",
            "https://app.chatwoot.com",
            "unix:///run/redis.sock",
            "my",
            "fd00::1",
            "[::1]:6379",
            "Autobedrijf Mijndert <info@mijndert.nl>",
            "postduif",
            "http://localhost:8090",
            "+31201112233=20",
            "https://myotherkey.nl",
            "sqlite:crm.sqlite",
            "everysec",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert!(!is_placeholder(value, true), "{value}");
        }
    }
}
