//! A lead as ADF 1.0 (Auto-lead Data Format), the XML that dealers' systems take by e-mail. Pure.

use crm::Notice;

/// The document. In ASCII: some receivers read nothing else.
pub(super) fn document(notice: &Notice, vendor: &str) -> String {
    let fields = notice
        .data
        .get("fields")
        .and_then(serde_json::Value::as_object);
    let field = |name: &str| {
        let value = fields.and_then(|fields| fields.get(name)?.as_str());
        value.unwrap_or_default()
    };
    let (id, name, phone) = (
        notice.field("id"),
        notice.field("name"),
        notice.field("phone"),
    );
    let interest = match notice.field("intent") {
        "trade_in" => "trade-in",
        "test_drive" => "test-drive",
        "lease" => "lease",
        _ => "buy",
    };
    let phone = phone.trim_start_matches("tel:");
    let phone = if phone.is_empty() {
        String::new()
    } else {
        format!("<phone type=\"cellphone\">{}</phone>", escape(phone))
    };
    let year = ["year_min", "year", "year_max"].map(field);
    let year = year
        .into_iter()
        .find(|year| !year.is_empty())
        .unwrap_or_default();
    let comments = notice
        .lines()
        .into_iter()
        .map(|(name, value)| format!("{name}: {value}"));
    let comments = comments.collect::<Vec<_>>().join("\n");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<?adf version=\"1.0\"?>\n<adf><prospect status=\"new\">\
         <id sequence=\"1\" source=\"Postduif\">{}</id><requestdate>{}</requestdate>\
         <vehicle interest=\"{interest}\" status=\"used\"><year>{}</year><make>{}</make><model>{}</model></vehicle>\
         <customer><contact><name part=\"full\" type=\"individual\">{}</name>{phone}</contact>\
         <comments>{}</comments></customer>\
         <vendor><vendorname>{}</vendorname><contact><name part=\"full\" type=\"business\">{}</name></contact></vendor>\
         <provider><name part=\"full\">Postduif</name><service>WhatsApp</service></provider></prospect></adf>\n",
        escape(id),
        escape(&notice.at),
        escape(year),
        escape(field("car_make")),
        escape(field("car_model")),
        escape(name),
        escape(&comments),
        escape(vendor),
        escape(vendor),
    )
}

/// Text for XML 1.0: what is markup, what is beyond ASCII, and what may not stand there at all.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' | ' '..='~' => escaped.push(c),
            _ if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            _ => escaped.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crm::Kind;

    #[test]
    fn a_lead_is_a_prospect_in_ascii() {
        let data = json!({
            "id": "l_1", "intent": "car_inquiry", "name": "Zoë <b>", "phone": "tel:+31612345678",
            "fields": {"car_make": "Volkswagen", "car_model": "Golf", "note": "a & b\u{1}"},
        });
        let notice = Notice {
            id: "notice_1".into(),
            kind: Kind::LeadCompleted,
            at: "2026-11-28T18:00:00Z".into(),
            data: data.as_object().unwrap().clone(),
        };
        let adf = document(&notice, "Autobedrijf & Zoon");
        assert!(adf.is_ascii(), "{adf}");
        for part in [
            "<make>Volkswagen</make><model>Golf</model>",
            "Zo&#235; &lt;b&gt;",
            "<phone type=\"cellphone\">+31612345678</phone>",
            "note: a &amp; b ",
            "<vendorname>Autobedrijf &amp; Zoon</vendorname>",
        ] {
            assert!(adf.contains(part), "{part} is not in\n{adf}");
        }
    }
}
