//! What is generated from `wit/`. Each extension point has a world of its own, so that a component names only those that
//! it has; the encoder joins them again.

/// What any plugin imports, and the lifecycle that it exports.
#[expect(clippy::same_length_and_capacity, reason = "generated")]
pub mod base {
    wit_bindgen::generate!({
        path: "../wit",
        world: "base",
        pub_export_macro: true,
        generate_unused_types: true,
    });
}

/// The extension point `alert-rules`.
#[expect(clippy::same_length_and_capacity, reason = "generated")]
pub mod alert_rules {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package keelson:sdk;
            world alert-rules { export keelson:plugin/alert-rules@0.2.0; }
        ",
        world: "keelson:sdk/alert-rules",
        with: { "keelson:plugin/types@0.2.0": crate::bindings::base::keelson::plugin::types },
        generate_all,
        pub_export_macro: true,
    });
}

/// The extension point `views`.
#[expect(clippy::same_length_and_capacity, reason = "generated")]
pub mod views {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package keelson:sdk;
            world views { export keelson:plugin/views@0.2.0; }
        ",
        world: "keelson:sdk/views",
        with: { "keelson:plugin/types@0.2.0": crate::bindings::base::keelson::plugin::types },
        generate_all,
        pub_export_macro: true,
    });
}

/// The extension point `routes`.
#[expect(clippy::same_length_and_capacity, reason = "generated")]
pub mod routes {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package keelson:sdk;
            world routes { export keelson:plugin/routes@0.2.0; }
        ",
        world: "keelson:sdk/routes",
        with: { "keelson:plugin/types@0.2.0": crate::bindings::base::keelson::plugin::types },
        generate_all,
        pub_export_macro: true,
    });
}

/// The extension point `tasks`.
#[expect(clippy::same_length_and_capacity, reason = "generated")]
pub mod tasks {
    wit_bindgen::generate!({
        path: "../wit",
        inline: "
            package keelson:sdk;
            world tasks { export keelson:plugin/tasks@0.2.0; }
        ",
        world: "keelson:sdk/tasks",
        with: { "keelson:plugin/types@0.2.0": crate::bindings::base::keelson::plugin::types },
        generate_all,
        pub_export_macro: true,
    });
}
