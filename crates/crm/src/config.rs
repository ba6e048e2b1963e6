//! Settings of the CRM.

use clap::Args;
use secrecy::SecretString;

/// Where contacts and leads are kept.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "CRM")]
pub struct CrmConfig {
    /// `sqlite:<file>` for one machine, `postgres://…` for more.
    #[arg(
        long,
        env = "CRM_DATABASE_URL",
        hide_env_values = true,
        default_value = "sqlite:crm.sqlite",
        value_name = "URL"
    )]
    pub crm_database_url: SecretString,
}
