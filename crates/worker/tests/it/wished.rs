//! What leads and appointments know of what is wished of the stock, given up, chosen and not there.

use serde_json::{Value as Json, json};

use crate::offers::{chat, chat_at, ids};

/// What the lead knows after each message, without what was said in words.
fn wishes(said: &[&str]) -> Vec<Json> {
    let said = said.iter().map(|text| (*text).to_owned()).collect();
    let turns = chat(&[said]).remove(0).into_iter();
    let fields = turns.map(|mut turn| turn["lead"]["fields"].take());
    fields.collect()
}

#[test]
fn what_is_given_up_leaves_the_lead() {
    for said in [
        [
            "Ik zoek een Golf met trekhaak tot 8000 euro",
            "een trekhaak hoeft toch niet",
        ],
        [
            "Ik zoek een Golf met trekhaak tot 8000 euro",
            "laat die trekhaak maar zitten",
        ],
        [
            "Looking for a Golf with a towbar, budget 8000",
            "I don't need the towbar after all",
        ],
        [
            "Looking for a Golf under €8,000 with a towbar",
            "forget the towbar",
        ],
        [
            "Ich suche einen Golf mit Anhängerkupplung bis 8000",
            "Eine Anhängerkupplung brauche ich doch nicht",
        ],
        [
            "Ich suche einen Golf mit Anhängerkupplung bis 8000",
            "Anhängerkupplung muss nicht sein",
        ],
    ] {
        let told = wishes(&said);
        assert_eq!(told[0]["wish.towbar"], "yes", "{said:?}");
        assert!(told[1]["wish.towbar"].is_null(), "{said:?}: {}", told[1]);
        assert_eq!(told[1]["car_model"], "Golf", "{said:?}");
    }
    let told = wishes(&[
        "Ik zoek een Golf of een Polo tot 9000 euro",
        "toch geen Polo",
    ]);
    assert_eq!(told[0]["stock_id"], "D009");
    assert!(
        told[1]["car_model.2"].is_null() && told[1]["stock_id"].is_null(),
        "{}",
        told[1]
    );
    // Another make takes the model along.
    let told = wishes(&["Ik zoek een Ferrari Roma", "of nee, doe maar een Audi"]);
    assert!(
        told[1]["car_make"] == "Audi" && told[1]["car_model"].is_null(),
        "{}",
        told[1]
    );
    let told = wishes(&[
        "Ik zoek een Golf, geen zwarte en geen bruine",
        "zwart mag toch wel",
    ]);
    assert_eq!(
        (&told[0]["not.color"], &told[0]["not.color.2"]),
        (&json!("black"), &json!("brown"))
    );
    assert_eq!(told[1]["not.color"], "brown");
    assert!(told[1]["not.color.2"].is_null());
}

#[test]
fn what_a_customer_insists_on_stays_in_the_lead() {
    let dutch = "Ik zoek een Golf met trekhaak tot 5000 euro";
    for said in [
        [dutch, "niet zonder trekhaak hoor"],
        [dutch, "zonder trekhaak hoeft het niet"],
        [dutch, "zonder trekhaak heb ik er niks aan"],
        [dutch, "trekhaak graag, maar geen haast"],
        [
            "Looking for a Golf with a towbar, budget 5000",
            "I can't do without the towbar",
        ],
        [
            "Ich suche einen Golf mit Anhängerkupplung bis 5000",
            "ohne Anhängerkupplung geht es nicht",
        ],
    ] {
        let told = wishes(&said);
        assert_eq!(told[0]["wish.towbar"], "yes", "{said:?}");
        assert_eq!(told[1]["wish.towbar"], "yes", "{said:?}");
    }
}

#[test]
fn what_was_noted_as_a_wish_stays_after_thanks() {
    for thanks in ["Oké, bedankt!", "dank u wel", "👍"] {
        let told = wishes(&["Ik zoek een Golf", "goedkoper?", thanks]);
        assert_eq!(told[2]["wish.price"], "<=11949", "{thanks}");
        assert_eq!(told[2]["stock_unmet"], "yes", "{thanks}");
    }
}

#[test]
fn what_is_asked_beyond_what_was_found_is_no_wish_after_the_next_message() {
    let told = wishes(&[
        "Ik zoek een Golf",
        "goedkoper?",
        "heeft de eerste een trekhaak?",
    ]);
    assert_eq!(
        (&told[1]["wish.price"], &told[1]["stock_unmet"]),
        (&json!("<=11949"), &json!("yes"))
    );
    assert!(told[2]["wish.price"].is_null(), "{}", told[2]);
    assert_eq!(
        told[2]["stock_unmet"], "no",
        "what fitted before fits still"
    );
}

#[test]
fn what_is_chosen_is_said_to_be_reserved() {
    for (asked, picked, says) in [
        ("Ik zoek een witte Golf", "de goedkoopste", "gereserveerd"),
        ("Do you have a white Golf?", "the cheapest one", "reserved"),
        (
            "Habt ihr einen weißen Golf?",
            "den günstigsten",
            "reserviert",
        ),
    ] {
        let turns = chat(&[vec![asked.to_owned(), picked.to_owned()]]).remove(0);
        assert_eq!(ids(&turns[1]), ["D006"], "{picked}");
        let reply = turns[1]["replies"][0].as_str().unwrap();
        assert!(reply.contains(says), "{reply}");
    }
}

#[test]
fn what_only_a_sold_car_fits_stays_unmet() {
    for said in [
        "Hebben jullie een rode Golf diesel?",
        "Do you have a red diesel Golf?",
        "Haben Sie einen roten Golf Diesel?",
    ] {
        let turns = chat(&[vec![said.to_owned()]]).remove(0);
        let lead = &turns[0]["lead"]["fields"];
        assert_eq!(lead["stock_unmet"], "yes", "{said}: {}", turns[0]);
    }
}

#[test]
fn an_appointment_is_for_what_its_message_names() {
    for said in [
        [
            "Ik zoek een Golf",
            "Kan ik zaterdag een proefrit maken in de Polo?",
        ],
        [
            "Looking for a Golf",
            "Can I test drive the Polo on Saturday at 11?",
        ],
        [
            "Ich suche einen Golf",
            "Probefahrt Samstag um 11, mit dem Polo",
        ],
    ] {
        let turns = chat(&[said.map(str::to_owned).to_vec()]).remove(0);
        let thing = turns[1]["appointment"]["thing"].as_str().unwrap();
        assert!(thing.contains("Polo"), "{said:?}: {thing}");
    }
}

#[test]
fn an_appointment_that_is_moved_is_for_what_it_was_made_for() {
    for said in [
        [
            "Ik wil zaterdag om 11 uur een proefrit in de Golf",
            "Hebben jullie ook een Polo?",
            "kan de proefrit ook om 12 uur?",
        ],
        [
            "Ik wil zaterdag om 11 uur een proefrit in de Golf",
            "Hebben jullie ook een Polo?",
            "ik wil de proefrit afzeggen",
        ],
    ] {
        let turns = chat(&[said.map(str::to_owned).to_vec()]).remove(0);
        let thing = turns[2]["appointment"]["thing"].as_str().unwrap();
        assert!(
            thing.contains("Golf") && !thing.contains("Polo"),
            "{said:?}: {thing}"
        );
    }
}

#[test]
fn whether_one_is_still_there_is_said_with_the_age_of_the_stock() {
    for (said, age) in [
        (["Ik zoek een Kia Niro", "is die er nog?"], "dagen geleden"),
        (
            ["I'm looking for a Kia Niro", "is it still available?"],
            "days ago",
        ),
        (["Ich suche einen Kia Niro", "ist er noch da?"], "Tagen"),
    ] {
        let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(201);
        let said = said.map(str::to_owned).to_vec();
        let turns = chat_at(&[], &[said], &ahead.to_string()).remove(0);
        let reply = turns[1]["replies"][0].as_str().unwrap();
        assert!(reply.contains("Niro") && reply.contains(age), "{reply}");
    }
}
