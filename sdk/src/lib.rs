#![doc = include_str!("../README.md")]

mod alert_rules;
#[doc(hidden)]
pub mod bindings;
mod call;
pub mod clock;
pub mod config;
mod error;
mod export;
mod facts;
pub mod http;
pub mod instant;
pub mod inventory;
pub mod kv;
pub mod log;
mod plugin;
pub mod random;
pub mod routes;
pub mod secrets;
mod tasks;
#[cfg(not(target_arch = "wasm32"))]
pub mod testkit;
pub mod ui;
mod views;

pub use alert_rules::{AlertRules, Rule, Severity, Verdict, Verdicts};
pub use call::Call;
pub use error::{Error, parameters};
#[doc(hidden)]
pub use export::Exports;
pub use facts::Facts;
pub use plugin::Plugin;
pub use routes::Routes;
pub use tasks::{Outcome, Tasks};
pub use views::{Acted, Views};

/// "Absent" in a column of whole numbers and instants.
pub const ABSENT: i64 = i64::MIN;
/// "Never" among the recheck times.
pub const NEVER: i64 = i64::MIN;

/// Exports a type as the plugin of this component: `plugin!(MyPlugin: alert_rules)`.
///
/// After the colon stand the extension points that it has; a component exports those and no others. They must be those
/// of `[extends]` in `plugin.toml`.
#[macro_export]
macro_rules! plugin {
    ($plugin:ty $(: $($point:ident),+ $(,)?)?) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exports = $crate::Exports<$plugin>;
            $crate::bindings::base::export!(Exports with_types_in $crate::bindings::base);
            $($($crate::__extension_point!(Exports $point);)+)?
        };
        // Elsewhere (tests, benchmarks) nothing is exported: no other linker takes such names.
        #[cfg(not(target_arch = "wasm32"))]
        const _: () = {
            $crate::__implements::plugin::<$plugin>();
            $($($crate::__implements::$point::<$plugin>();)+)?
        };
    };
}

/// One export interface for each extension point.
#[doc(hidden)]
#[macro_export]
macro_rules! __extension_point {
    ($exports:ident alert_rules) => {
        $crate::bindings::alert_rules::export!($exports with_types_in $crate::bindings::alert_rules);
    };
    ($exports:ident tasks) => {
        $crate::bindings::tasks::export!($exports with_types_in $crate::bindings::tasks);
    };
    ($exports:ident views) => {
        $crate::bindings::views::export!($exports with_types_in $crate::bindings::views);
    };
    ($exports:ident routes) => {
        $crate::bindings::routes::export!($exports with_types_in $crate::bindings::routes);
    };
}

/// The same demands where nothing is exported.
#[doc(hidden)]
pub mod __implements {
    /// Every plugin.
    pub const fn plugin<P: crate::Plugin>() {}
    /// The extension point of that name.
    pub const fn alert_rules<P: crate::AlertRules>() {}
    /// The extension point of that name.
    pub const fn views<P: crate::Views>() {}
    /// The extension point of that name.
    pub const fn tasks<P: crate::Tasks>() {}
    /// The extension point of that name.
    pub const fn routes<P: crate::Routes>() {}
}
