//! Companies and resellers: what is done with them, what is refused, and who sees which.

mod command_line;
mod desk;
mod hosted;
mod life;
mod onboarding;
mod permissions;
mod resellers;
mod scopes;
mod services;
mod standing;
mod usage;
