//! What organisations are set to, their locations, and what belongs to none.

mod branding;
mod locations;
mod misc;
mod notification;
mod organizations;
mod policy;
mod sending;
mod town;
