//! The extension points of the contract: which of them a plugin says that it has, which its component has, and where they are in
//! it.

use wasmtime::component::InstancePre;

use super::abi;
use super::manifest::Extends;
use super::sandbox::CallState;

/// A point that a plugin may extend.
pub(super) struct Point {
    /// The interface, and the key of `[extends]`.
    pub(super) name: &'static str,
    /// Whether a manifest names it.
    pub(super) declared: fn(&Extends) -> bool,
    /// What a manifest is to have for it.
    pub(super) declaration: &'static str,
}

/// Those that this host calls.
pub(super) const POINTS: &[Point] = &[
    Point {
        name: "alert-rules",
        declared: |extends| extends.alert_rules,
        declaration: "`alert-rules = true` to [extends]",
    },
    Point {
        name: "views",
        declared: |extends| !extends.views.is_empty(),
        declaration: "a view as [[extends.views]]",
    },
    Point {
        name: "tasks",
        declared: |extends| !extends.tasks.is_empty(),
        declaration: "a task as [[extends.tasks]]",
    },
    Point { name: "routes", declared: |extends| extends.routes, declaration: "`routes = true` to [extends]" },
];

/// Where a component's exports are.
pub(super) struct Exports {
    pub(super) lifecycle: abi::lifecycle::GuestIndices,
    pub(super) alert_rules: Option<abi::alert_rules::GuestIndices>,
    pub(super) views: Option<abi::views::GuestIndices>,
    pub(super) routes: Option<abi::routes::GuestIndices>,
    pub(super) tasks: Option<abi::tasks::GuestIndices>,
}

impl Exports {
    /// Looks for what the manifest names. What is there has other types than the contract if this fails.
    pub(super) fn find(pre: &InstancePre<CallState>, extends: &Extends) -> wasmtime::Result<Self> {
        let (views, tasks) = (!extends.views.is_empty(), !extends.tasks.is_empty());
        Ok(Self {
            lifecycle: abi::lifecycle::GuestIndices::new(pre)?,
            alert_rules: extends.alert_rules.then(|| abi::alert_rules::GuestIndices::new(pre)).transpose()?,
            views: views.then(|| abi::views::GuestIndices::new(pre)).transpose()?,
            tasks: tasks.then(|| abi::tasks::GuestIndices::new(pre)).transpose()?,
            routes: extends.routes.then(|| abi::routes::GuestIndices::new(pre)).transpose()?,
        })
    }
}
