//! The plugin host with real guests: the shipped plugin, one that misbehaves on demand, and damaged files.

mod access;
mod evil;
mod installed;
mod load;
mod packages;
mod patch;
mod reload;
mod rest;
mod rules;
mod support;
mod tasks;
mod views;
