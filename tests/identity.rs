//! Users and what they sign in with, over HTTPS and on both databases.

mod acting;
mod assignments;
mod denied;
mod desk;
mod factors;
mod keys;
mod lockout;
mod names;
mod reach;
mod refusals;
mod reset;
mod users;
