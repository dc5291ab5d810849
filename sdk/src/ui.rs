//! What a view is made of. The console draws it; no HTML, no scripts. `wit/views.schema.json` has all of it.

use serde_json::{Map, Value, json};

/// A view: widgets, one below the other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct View {
    title: Option<String>,
    widgets: Vec<Value>,
}

/// How something is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// No matter.
    Neutral,
    /// All is well.
    Good,
    /// Worth a look.
    Warning,
    /// Somebody has to do something.
    Bad,
}

impl Tone {
    fn name(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

/// How the cells of a column are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// As they are.
    Text,
    /// Numbers, to the right.
    Number,
    /// Bytes, as KiB and so on.
    Bytes,
    /// Unix milliseconds, in the viewer's time zone.
    Instant,
    /// Milliseconds, as hours and minutes.
    Duration,
    /// A word in its tone.
    Status,
}

impl Cell {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Bytes => "bytes",
            Self::Instant => "instant",
            Self::Duration => "duration",
            Self::Status => "status",
        }
    }
}

impl View {
    /// One without anything in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// With words above it.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        self.title = Some(title.to_owned());
        self
    }

    /// Words: paragraphs, *emphasis*, `code` and lists.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.widget(json!({ "type": "text", "text": text }))
    }

    /// One number or word that matters.
    #[must_use]
    pub fn stat(self, label: &str, value: impl Into<Value>, tone: Tone) -> Self {
        self.widget(json!({ "type": "stat", "label": label, "value": value.into(), "tone": tone.name() }))
    }

    /// Rows by columns: (key, label, how it is shown). A cell is the row's member of that key.
    #[must_use]
    pub fn table(self, title: &str, columns: &[(&str, &str, Cell)], rows: &[Map<String, Value>]) -> Self {
        let column = |(key, label, cell): &(&str, &str, Cell)| json!({ "key": key, "label": label, "kind": cell.name() });
        let columns: Vec<Value> = columns.iter().map(column).collect();
        self.widget(json!({ "type": "table", "title": title, "columns": columns, "rows": rows }))
    }

    /// A button; `act` gets the action and the parameters.
    #[must_use]
    pub fn button(self, action: &str, label: &str, parameters: &Value) -> Self {
        self.widget(json!({ "type": "action", "action": action, "label": label, "parameters": parameters }))
    }

    /// Inputs, made from a JSON Schema of an object; `act` gets the action and what was entered.
    #[must_use]
    pub fn form(self, action: &str, schema: &Value, values: &Value) -> Self {
        self.widget(json!({ "type": "form", "action": action, "schema": schema, "values": values }))
    }

    /// Any widget, as the schema has it.
    #[must_use]
    pub fn widget(mut self, widget: Value) -> Self {
        self.widgets.push(widget);
        self
    }

    /// As the host gets it.
    pub fn to_json(&self) -> Value {
        match &self.title {
            Some(title) => json!({ "version": 1, "title": title, "widgets": self.widgets }),
            None => json!({ "version": 1, "widgets": self.widgets }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_the_json_that_the_schema_describes() {
        let row = Map::from_iter([("name".to_owned(), json!("oven"))]);
        let view = View::new()
            .title("Status")
            .stat("Agreements", 7, Tone::Good)
            .table("Lines", &[("name", "Name", Cell::Text)], &[row])
            .button("sync", "Sync now", &json!({}));
        let json = view.to_json();
        assert_eq!((&json["version"], &json["title"]), (&json!(1), &json!("Status")));
        assert_eq!(json["widgets"][1]["rows"][0]["name"], "oven");
        assert_eq!(json["widgets"][2]["action"], "sync");
    }
}
