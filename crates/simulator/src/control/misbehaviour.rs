use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use serde_json::{Value, json};

use super::{not_found, refuse};
use crate::delivery::DeliveryPlan;
use crate::faults::FaultRule;
use crate::llm::LlmRule;
use crate::world::World;

/// Reads one thing or several, with an error that names the field.
fn read<T: serde::de::DeserializeOwned>(body: Value) -> Result<Vec<T>, serde_json::Error> {
    if body.is_array() {
        serde_json::from_value(body)
    } else {
        serde_json::from_value(body).map(|one| vec![one])
    }
}

/// Orders one fault, or an array of them.
pub(super) async fn add(world: Data<World>, body: Json<Value>) -> HttpResponse {
    let rules: Vec<FaultRule> = match read(body.into_inner()) {
        Ok(rules) => rules,
        Err(error) => return refuse(&error.to_string()),
    };
    if let Some(error) = rules.iter().find_map(|rule| rule.validate().err()) {
        return refuse(&error);
    }
    let ids: Vec<u64> = rules
        .into_iter()
        .map(|rule| world.faults.add(rule))
        .collect();
    HttpResponse::Created().json(json!({ "ids": ids }))
}

/// The faults in force, and what they have done.
pub(super) async fn list(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "faults": world.faults.list() }))
}

/// Behaves well again.
pub(super) async fn clear(world: Data<World>) -> HttpResponse {
    world.faults.clear();
    HttpResponse::NoContent().finish()
}

/// Takes one fault back.
pub(super) async fn remove(world: Data<World>, id: Path<u64>) -> HttpResponse {
    if world.faults.remove(*id) {
        HttpResponse::NoContent().finish()
    } else {
        not_found("no fault of that number")
    }
}

/// Sets the usual course of delivery.
pub(super) async fn set_deliveries(world: Data<World>, body: Json<DeliveryPlan>) -> HttpResponse {
    let plan = body.into_inner();
    if let Err(error) = plan.validate() {
        return refuse(&error);
    }
    world.set_deliveries(plan.clone());
    HttpResponse::Ok().json(plan)
}

/// The usual course of delivery.
pub(super) async fn deliveries(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(world.deliveries())
}

/// Scripts one answer of the language model, or several.
pub(super) async fn add_llm_rules(world: Data<World>, body: Json<Value>) -> HttpResponse {
    let rules: Vec<LlmRule> = match read(body.into_inner()) {
        Ok(rules) => rules,
        Err(error) => return refuse(&error.to_string()),
    };
    for rule in rules {
        world.llm.add(rule);
    }
    HttpResponse::Created().json(json!({ "rules": world.llm.list() }))
}

/// The scripted answers.
pub(super) async fn llm_rules(world: Data<World>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "rules": world.llm.list() }))
}

/// Forgets the script.
pub(super) async fn clear_llm_rules(world: Data<World>) -> HttpResponse {
    world.llm.clear();
    HttpResponse::NoContent().finish()
}
