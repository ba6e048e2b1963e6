//! What the worker's command line offers besides serving. Each has a file.

pub mod acts;
pub mod chat;
pub mod crm;
pub mod doctor;
pub mod domain;
pub mod erase;
pub mod evaluate;
pub mod identity;
pub mod matters;
pub mod notices;
pub mod rehearse;
pub mod release;
pub mod repartition;
pub mod stock;
mod talk;
pub mod understand;

use ::crm::person::{NobodyError, Person};
use clap::Args;

/// Who a command is about.
#[derive(Debug, Clone, Args)]
pub(crate) struct PersonArgs {
    /// The person: a telephone number, an address or conversation, or the CRM's id of the contact.
    #[arg(required = true, value_name = "WHO")]
    who: Vec<String>,
    #[command(flatten)]
    country: CountryArgs,
}

/// How numbers are read.
#[derive(Debug, Clone, Args)]
pub(crate) struct CountryArgs {
    /// The country that numbers beginning with a zero are from.
    #[arg(long, default_value = "31", value_name = "CODE", global = true)]
    country: String,
}

impl CountryArgs {
    pub(crate) fn person(&self, name: &str) -> Result<Person, NobodyError> {
        Person::named(&[name.to_owned()], &self.country)
    }
}

impl PersonArgs {
    pub(crate) fn read(&self) -> Result<Person, NobodyError> {
        Person::named(&self.who, &self.country.country)
    }
}
