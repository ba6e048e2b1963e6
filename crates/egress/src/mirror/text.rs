//! Texts as the help desk takes them. Pure.

/// Longest content of a message in Chatwoot is 150,000 characters.
const MAX_CONTENT: usize = 100_000;
/// Longest name of a contact in Chatwoot is 255 characters.
const MAX_NAME: usize = 200;
const JOINER: char = '\u{2060}';

/// What a customer wrote.
pub(super) fn incoming(text: &str) -> String {
    cut(text, MAX_CONTENT)
}

/// What is shown as ours, and may quote a customer. Chatwoot reads outgoing texts as Liquid templates
/// (`app/models/concerns/liquidable.rb`), and a mention in a note rings a colleague
/// (`app/services/messages/mention_service.rb`): neither is a customer's to write.
pub(super) fn outgoing(text: &str) -> String {
    let text = cut(text, MAX_CONTENT);
    let text = text.replace("{{", &format!("{{{JOINER}{{"));
    let text = text.replace("{%", &format!("{{{JOINER}%"));
    text.replace("mention://", &format!("mention:{JOINER}//"))
}

/// A contact's name: one line, and never none.
pub(super) fn name(name: Option<&str>, otherwise: &str) -> String {
    let words: Vec<&str> = name
        .unwrap_or_default()
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let name = cut(&words.join(" "), MAX_NAME);
    if name.is_empty() {
        otherwise.to_owned()
    } else {
        name
    }
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customers_words_in_our_mouth_are_no_template_and_ring_nobody() {
        let hostile = "Ik ben {{ agent.email }} {%if%} [@Petra](mention://user/11/Petra)";
        let shown = outgoing(hostile);
        for mark in ["{{", "{%", "mention://"] {
            assert!(!shown.contains(mark), "{shown}");
        }
        assert_eq!(shown.replace(JOINER, ""), hostile);
        assert_eq!(incoming(hostile), hostile);
    }

    #[test]
    fn a_name_is_one_line_and_never_none() {
        assert_eq!(name(Some("Jan\r\nBcc: x\u{0}"), "+316"), "Jan Bcc: x");
        assert_eq!(name(Some(" \n"), "+316"), "+316");
        assert_eq!(name(None, "+316"), "+316");
        assert_eq!(name(Some(&"é".repeat(500)), "").chars().count(), 201);
    }
}
