//! Whole conversations, as a dealer would read them.

use jiff::SignedDuration;
use serde_json::json;
use shared_types::ControlKind;

use crate::chat::Chat;

async fn told(messages: &[&str]) -> String {
    let mut chat = Chat::with_rules().await;
    for message in messages {
        chat.says(message).await;
    }
    chat.transcript
}

#[tokio::test]
async fn a_golf_is_looked_for() {
    insta::assert_snapshot!(
        told(&[
            "Ik zoek een Volkswagen Golf",
            "15",
            "en een automaat?",
            "liefst vanaf 2018, minder dan 1 ton km",
            "bedankt!",
        ])
        .await
    );
}

#[tokio::test]
async fn slang_and_half_sentences_are_enough() {
    insta::assert_snapshot!(
        told(&[
            "heb je nog een polootje, automaat, max 12 mille?",
            "mag ook een fiesta zijn",
            "geen diesel aub",
            "kan ik zaterdag een proefrit maken?",
            "om een uur of 11",
            "top",
        ])
        .await
    );
}

#[tokio::test]
async fn a_trade_in_collects_what_is_needed() {
    insta::assert_snapshot!(
        told(&[
            "goedemorgen",
            "ik wil mijn Opel Corsa inruilen",
            "ZB-612-N",
            "ongeveer 85.000",
            "wanneer zijn jullie zaterdag open?",
            "dank je wel",
        ])
        .await
    );
}

#[tokio::test]
async fn an_angry_customer_gets_a_colleague_and_silence() {
    let mut chat = Chat::with_rules().await;
    chat.says("wanneer wordt mijn auto geleverd?").await;
    let handed = chat
        .says("dit is echt een schandalige oplichterij!")
        .await
        .unwrap();
    assert!(handed.handoff_note.unwrap().contains("Reason: angry"));
    chat.says("hallo?").await;
    chat.says("ik wil antwoord").await;
    chat.changes_hands(ControlKind::Released);
    chat.says("fijn, het is opgelost. Wanneer zijn jullie morgen open?")
        .await;
    insta::assert_snapshot!(chat.transcript);
}

#[tokio::test]
async fn a_customer_who_wants_no_messages_gets_none() {
    let mut chat = Chat::with_rules().await;
    for message in [
        "zoek een fiat 500",
        "STOP",
        "hallo?",
        "ik zoek toch een auto",
        "START",
        "een fiat 500 tot 8000 euro",
    ] {
        chat.says(message).await;
    }
    insta::assert_snapshot!(chat.transcript);
}

#[tokio::test]
async fn what_sounds_like_an_end_of_messages_ends_none() {
    let mut chat = Chat::with_rules().await;
    for message in [
        "is dit jullie whatsapp?",
        "Ok laat maar, stop maar met zoeken",
        "Nee ik hoef geen auto",
    ] {
        chat.says(message).await;
        assert!(!chat.known.opted_out, "{message}");
    }
    let asked = chat
        .says("ik wil geen reclame meer, wel antwoord op mijn vraag")
        .await;
    assert!(asked.unwrap().text.contains("STOP") && !chat.known.opted_out);
    let noted = chat.says("verwijder al mijn gegevens").await;
    assert!(noted.unwrap().handoff_note.is_some() && !chat.known.opted_out);
}

#[tokio::test]
async fn a_word_that_the_provider_answered_is_followed_without_a_reply() {
    let mut chat = Chat::with_rules().await;
    for (text, word, opted_out) in [
        ("BAJA", "stop", true),
        ("AYUDA", "help", true),
        ("ALTA", "start", false),
    ] {
        let reply = chat.sends(text, json!({"provider_word": word})).await;
        assert!(reply.is_none(), "{text} was answered twice");
        assert_eq!(chat.known.opted_out, opted_out, "{text}");
    }
}

#[tokio::test]
async fn an_english_customer_books_a_service() {
    insta::assert_snapshot!(
        told(&[
            "Hi there",
            "my golf needs new brakes, can you fix that?",
            "12-KDB-4",
            "next Thursday morning would be great",
            "How late are you open on Saturday?",
            "thanks a lot",
        ])
        .await
    );
}

#[tokio::test]
async fn a_german_customer_asks_for_a_lease() {
    insta::assert_snapshot!(
        told(&[
            "Guten Tag, ich suche einen Skoda Octavia Kombi, Diesel, bis 18.000 Euro",
            "gerne mit Automatik",
            "Kann man den auch leasen?",
            "privat",
            "Vielen Dank!",
        ])
        .await
    );
}

#[tokio::test]
async fn what_is_not_understood_three_times_goes_to_a_colleague() {
    insta::assert_snapshot!(
        told(&[
            "blorp wiebel",
            "zwurf knarps",
            "frobnicate de hupsel",
            "hallo",
            "en nu?",
        ])
        .await
    );
}

#[tokio::test]
async fn a_bicycle_workshop_leads_its_own_conversations() {
    let mut chat = Chat::with_domain("bicycle-repair.toml").await;
    for message in [
        "hallo",
        "mijn fiets is kapot",
        "een Gazelle Ultimate",
        "woensdag",
        "bedankt",
        "stop",
    ] {
        chat.says(message).await;
    }
    insta::assert_snapshot!(chat.transcript);
}

#[tokio::test]
async fn nothing_is_said_twice_in_a_row_and_one_question_at_a_time() {
    let mut chat = Chat::with_rules().await;
    let mut last = String::new();
    for message in [
        "hallo",
        "hallo",
        "ik zoek een auto",
        "ik zoek een auto",
        "ik zoek een auto",
        "een auto",
        "blorp",
        "blorp",
        "openingstijden?",
        "openingstijden?",
        "wat is jullie adres",
        "wat is jullie adres",
    ] {
        let Some(reply) = chat.says(message).await else {
            continue;
        };
        assert_ne!(reply.text, last, "after {message}\n{}", chat.transcript);
        let questions = reply.text.matches('?').count();
        assert!(questions <= 1, "{message}: {}", reply.text);
        assert!(reply.text.chars().count() <= 1_600);
        last = reply.text;
    }
}

#[tokio::test]
async fn a_hand_over_in_the_help_desk_holds_until_it_is_released() {
    let chatwoot = || serde_json::json!({"source": "chatwoot"});
    let mut chat = Chat::with_rules().await;
    let told = chat
        .sends("Ik wil een medewerker spreken", chatwoot())
        .await;
    assert!(told.is_some());
    // Sent before the help desk had opened the conversation.
    assert_eq!(chat.sends("Hallo?", chatwoot()).await, None);
    chat.changes_hands(ControlKind::HumanTookOver);
    assert_eq!(chat.sends("Ik zoek een Golf", chatwoot()).await, None);
    chat.changes_hands(ControlKind::Released);
    assert!(chat.sends("Ik zoek een Golf", chatwoot()).await.is_some());
}

/// A person who asks again waits, or says something else in between; a machine does neither.
#[tokio::test]
async fn who_asks_again_is_answered_and_a_machine_that_repeats_itself_is_not() {
    const QUESTION: &str = "Hebben jullie de blauwe Golf nog staan?";
    let after = |chat: &Chat, seconds: i64| json!({"received_at": (chat.now + SignedDuration::from_secs(seconds)).to_string()});
    let mut patient = Chat::with_rules().await;
    let mut busy = Chat::with_rules().await;
    let mut machine = Chat::with_rules().await;
    let mut answered = Vec::new();
    for _ in 0..6 {
        let waited = after(&patient, 90);
        assert!(patient.sends(QUESTION, waited).await.is_some());
        let quick = after(&busy, 5);
        assert!(busy.sends(QUESTION, quick.clone()).await.is_some());
        assert!(busy.sends("hallo?", quick).await.is_some());
        let at_once = after(&machine, 2);
        answered.push(machine.sends(QUESTION, at_once).await.is_some());
    }
    assert_eq!(answered, [true, true, true, true, false, false]);
}

/// Two machines need not repeat themselves to go on for ever.
#[tokio::test]
async fn who_answers_every_answer_at_once_is_a_machine() {
    let mut machine = Chat::with_rules().await;
    let mut hasty = Chat::with_rules().await;
    let mut answered = Vec::new();
    for n in 0..60 {
        let model = ["Golf", "Polo", "Corsa", "Yaris", "Panda"][n % 5];
        let text = format!("Wij hebben{} interesse in een {model}", " ook".repeat(n));
        let at_once =
            json!({"received_at": (machine.now + SignedDuration::from_secs(1)).to_string()});
        answered.push(machine.sends(&text, at_once).await.is_some());
        let read_first =
            json!({"received_at": (hasty.now + SignedDuration::from_secs(4)).to_string()});
        assert!(hasty.sends(&text, read_first).await.is_some(), "{text}");
    }
    let told = machine.known.memory.told.clone().unwrap();
    assert_eq!(told.reason, "machine");
    assert_eq!(answered.iter().filter(|answered| **answered).count(), 51);
    assert!(!answered[51..].contains(&true), "{answered:?}");
    let later = json!({"received_at": (machine.now + SignedDuration::from_mins(5)).to_string()});
    assert!(machine.sends("Is de Golf er nog?", later).await.is_some());
}

/// Who writes fast to a colleague is no machine, and hears nothing of the bot.
#[tokio::test]
async fn who_talks_with_a_colleague_at_once_is_no_machine() {
    let mut chat = Chat::with_rules().await;
    let until = chat.now + SignedDuration::from_hours(4);
    chat.known.memory.taken(until, "a colleague wrote");
    for _ in 0..60 {
        let at_once = json!({"received_at": (chat.now + SignedDuration::from_secs(1)).to_string()});
        let text = "Wij hebben ook interesse in een Golf";
        assert!(chat.sends(text, at_once).await.is_none());
    }
    assert!(chat.known.memory.told.is_none());
}

/// A customer is told that it is noted, so it must be, also where nothing else is said.
#[tokio::test]
async fn a_remark_by_itself_is_noted_with_the_lead() {
    let mut chat = Chat::with_rules().await;
    chat.says("Ich bräuchte Winterreifen auf meinen Kia Ceed")
        .await;
    chat.says("225/45 R17 steht drauf").await;
    let remarks = chat.noted("remarks").await.unwrap();
    assert!(remarks.contains("225/45 R17 steht drauf"), "{remarks}");
}

/// Who wants no messages is not answered, but what he asks of us about his data is done.
#[tokio::test]
async fn who_opted_out_and_wants_to_be_erased_is_told_to_a_colleague_alone() {
    let mut chat = Chat::with_rules().await;
    assert!(chat.says("STOP").await.is_some(), "the end is confirmed");
    assert!(chat.says("en verwijder al mijn gegevens").await.is_none());
    assert_eq!(chat.known.memory.told.as_ref().unwrap().reason, "erasure");
    assert!(chat.says("hallo?").await.is_none());
}
