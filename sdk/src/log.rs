//! Lines for the provider's log of this plugin. Outside a component (in tests) they are kept for
//! [`testkit::take_log`](crate::testkit::take_log).

pub use crate::bindings::base::keelson::plugin::log::Level;

/// For the plugin's author.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// For the administrator.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Something is off but the call goes on.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// The call could not do its work.
pub fn error(message: &str) {
    write(Level::Error, message);
}

#[cfg(target_arch = "wasm32")]
fn write(level: Level, message: &str) {
    crate::bindings::base::keelson::plugin::log::write(level, message);
}

#[cfg(not(target_arch = "wasm32"))]
fn write(level: Level, message: &str) {
    crate::testkit::record(level, message);
}
