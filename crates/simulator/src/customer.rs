//! The customers' side: what people write, turned into signed webhooks and posted to the ingress.

mod message;
mod post;
mod tamper;

pub use message::{Button, CustomerMessage, Location, Media, Referral};
pub use post::MessageResult;
pub(crate) use post::{post, post_all};
pub use tamper::Tamper;

use serde_json::Value;

/// Merges `patch` into `target` as RFC 7396 says: objects field by field, `null` takes a field
/// away, everything else replaces. A patch that is `null` as a whole changes nothing.
pub(crate) fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        if !patch.is_null() {
            *target = patch.clone();
        }
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = target else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge_patch(fields.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_replaces_adds_and_takes_away() {
        let mut target = json!({ "a": { "b": 1, "c": 2 }, "d": 3 });
        merge_patch(
            &mut target,
            &json!({ "a": { "b": 5, "c": null, "e": { "f": 6 } }, "d": [7] }),
        );
        assert_eq!(
            target,
            json!({ "a": { "b": 5, "e": { "f": 6 } }, "d": [7] })
        );
        merge_patch(&mut target, &Value::Null);
        assert_eq!(target["d"], json!([7]));
    }
}
