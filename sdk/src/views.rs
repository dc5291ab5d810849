//! The extension point `views`.

use serde_json::Value;

use crate::ui::View;
use crate::{Call, Error};

/// Parts of the console: the views of `[[extends.views]]`.
pub trait Views {
    /// What a view shows. `parameters` is an object, what the console was asked with.
    fn render(call: &Call, view: &str, parameters: &Value) -> Result<View, Error>;

    /// Somebody pressed a button of a view, or sent its form.
    fn act(_call: &Call, view: &str, action: &str, _parameters: &Value) -> Result<Acted, Error> {
        Err(Error::new("unknown-action", format!("the view {view} has no action {action}")))
    }
}

/// What came of a button.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acted {
    /// For whoever pressed it.
    pub message: Option<String>,
    /// Whether the view is to be rendered anew.
    pub render: bool,
}

impl Acted {
    /// Done: says so, and has the view rendered anew.
    pub fn saying(message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), render: true }
    }
}

pub(crate) fn object(json: &str) -> Result<Value, Error> {
    serde_json::from_str(json).map_err(|error| Error::new("bad-parameters", error.to_string()))
}
