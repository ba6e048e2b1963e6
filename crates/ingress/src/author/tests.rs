use serde_json::json;

use super::*;

const CONVERSATION: &str = "waha:default:31612345678@c.us";

fn said(content: &str) -> ColleagueMessage {
    let message = json!({
        "id": "true_4711@lid_A1", "conversation_id": CONVERSATION, "source": "waha",
        "content": content, "at": "2026-11-22T10:00:00Z",
    });
    serde_json::from_value(message).unwrap()
}

fn send(state: &str, id: &str, text: &str) -> BTreeMap<String, String> {
    let payload = json!({
        "id": "ob_1", "source": "waha", "conversation_id": CONVERSATION, "to": "31612345678@c.us",
        "text": text, "in_reply_to": "A0", "created_at": "2026-11-22T10:00:00Z",
    });
    let mut fields = vec![
        ("state", state.to_owned()),
        ("payload", payload.to_string()),
    ];
    if !id.is_empty() {
        fields.push(("pid", id.to_owned()));
    }
    let owned = |(name, value): (&str, String)| (name.to_owned(), value);
    fields.into_iter().map(owned).collect()
}

fn to(send: &BTreeMap<String, String>, content: &str) -> Relation {
    relation(send, &said(content), &CONVERSATION.parse().unwrap())
}

#[test]
fn a_known_id_is_ours_under_whatever_address_of_the_chat() {
    let known = send("sent", "true_31612345678@c.us_A1", "Dag");
    assert_eq!(to(&known, "iets anders"), Relation::Same);
}

#[test]
fn a_colleague_who_repeats_what_was_sent_is_not_taken_for_us() {
    let known = send("sent", "true_31612345678@c.us_B2", "Dag");
    assert_eq!(to(&known, "Dag"), Relation::Other);
}

#[test]
fn the_text_of_a_send_without_an_id_is_ours_white_space_aside() {
    for state in ["intent", "doubt", "sent"] {
        let unknown = send(state, "", "Dag!\n\nTot morgen ");
        assert_eq!(to(&unknown, "Dag! Tot morgen"), Relation::Alike, "{state}");
    }
    for state in ["due", "failed"] {
        assert_eq!(
            to(&send(state, "", "Dag"), "Dag"),
            Relation::Other,
            "{state}"
        );
    }
}

#[test]
fn another_request_that_has_begun_is_on_the_wire() {
    assert_eq!(to(&send("intent", "", "Dag"), "Hoi"), Relation::OnTheWire);
    assert_eq!(to(&send("doubt", "", "Dag"), "Hoi"), Relation::Other);
}

#[test]
fn a_picture_behind_a_text_is_ours_while_it_is_sent() {
    let mut sent = send("intent", "", "");
    let mut payload: serde_json::Value = serde_json::from_str(&sent["payload"]).unwrap();
    payload["picture"] = json!({"url": "https://cars.test/golf.jpg", "caption": "Volkswagen Golf"});
    sent.insert("payload".into(), payload.to_string());
    assert_eq!(to(&sent, "Volkswagen  Golf"), Relation::Alike);
    assert_eq!(to(&sent, "Hoi"), Relation::OnTheWire);
}

#[test]
fn a_picture_without_words_is_like_no_text() {
    assert_eq!(to(&send("intent", "", ""), ""), Relation::Other);
}
