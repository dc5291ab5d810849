//! The plugin host with real guests: the shipped plugin, one that misbehaves on demand, and damaged files.

mod evil;
mod installed;
mod load;
mod packages;
mod patch;
mod reload;
mod rules;
mod support;
