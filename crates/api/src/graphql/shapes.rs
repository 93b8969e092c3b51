//! Types out of the OpenAPI document: what a view is, is said once, where the view stands.

use serde_json::Value;

use super::names::camel;

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holds {
    /// A scalar: `String`, `Int`, `Long`, `Float`, `Boolean`, or `JSON` for what has no fixed fields.
    Scalar(&'static str),
    /// An object of this type.
    Object(String),
}

/// A field of a view.
#[derive(Debug, Clone)]
pub struct ShapeField {
    /// As REST names it.
    pub key: String,
    /// As it is named here.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// What it holds.
    pub holds: Holds,
    /// Whether it is a list of that.
    pub is_list: bool,
    /// Whether it is never null: the id of what has one.
    pub is_id: bool,
}

/// A view.
#[derive(Debug, Clone)]
pub struct Shape {
    /// What it is.
    pub description: Option<String>,
    /// Its fields.
    pub fields: Vec<ShapeField>,
}

/// A parameter of a list.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// As REST names it.
    pub key: String,
    /// What it does, with the values it takes where they are few.
    pub description: String,
}

/// The OpenAPI document.
pub struct Shapes(Value);

impl Shapes {
    /// Of this program.
    pub fn of(document: &utoipa::openapi::OpenApi) -> Self {
        Self(serde_json::to_value(document).unwrap_or_default())
    }

    /// A view by its name.
    pub fn shape(&self, name: &str) -> Option<Shape> {
        let schema = self.component(name)?;
        let mut fields = Vec::new();
        self.collect(schema, &mut fields);
        (!fields.is_empty()).then(|| Shape { description: text(schema, "description"), fields })
    }

    /// The parameters of a list beside its page's.
    pub fn parameters(&self, path: &str) -> Vec<Parameter> {
        let listed = self.0["paths"][path]["get"]["parameters"].as_array();
        let of = |parameter: &Value| {
            let key = parameter["name"].as_str()?.to_owned();
            let mut description = text(parameter, "description").unwrap_or_default();
            let schema = &parameter["schema"];
            let values = [schema]
                .into_iter()
                .chain(schema["oneOf"].as_array().into_iter().flatten())
                .find_map(|schema| schema["enum"].as_array());
            if let Some(values) = values {
                let values: Vec<_> = values.iter().filter_map(Value::as_str).map(|v| format!("`{v}`")).collect();
                description = format!("{description} One of {}.", values.join(", "));
            }
            (parameter["in"] == "query" && !matches!(key.as_str(), "limit" | "cursor"))
                .then_some(Parameter { key, description })
        };
        listed.into_iter().flatten().filter_map(of).collect()
    }

    fn component(&self, name: &str) -> Option<&Value> {
        self.0["components"]["schemas"].get(name)
    }

    fn collect(&self, schema: &Value, fields: &mut Vec<ShapeField>) {
        if let Some(name) = reference(schema) {
            if let Some(inner) = self.component(name) {
                self.collect(inner, fields);
            }
            return;
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.collect(part, fields);
        }
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let (holds, is_list) = self.holds(property);
            let description = text(property, "description");
            let is_needed = schema["required"].as_array().is_some_and(|needed| needed.iter().any(|name| name == key));
            let is_id = key == "id" && is_needed && property["type"] == "string";
            fields.push(ShapeField { key: key.clone(), name: camel(key), description, holds, is_list, is_id });
        }
    }

    fn holds(&self, property: &Value) -> (Holds, bool) {
        if let Some(name) = reference(property) {
            let Some(schema) = self.component(name) else { return (Holds::Scalar("JSON"), false) };
            let is_object = schema["properties"].is_object() || schema["allOf"].is_array();
            return if is_object { (Holds::Object(name.to_owned()), false) } else { self.holds(schema) };
        }
        for many in ["oneOf", "anyOf", "allOf"] {
            let parts = property[many].as_array().into_iter().flatten();
            let mut given = parts.filter(|part| part["type"] != "null");
            if let (Some(one), None) = (given.next(), given.next()) {
                return self.holds(one);
            }
        }
        let kind = match &property["type"] {
            Value::String(kind) => kind.as_str(),
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or(""),
            _ => "",
        };
        match kind {
            "string" => (Holds::Scalar("String"), false),
            "boolean" => (Holds::Scalar("Boolean"), false),
            "number" => (Holds::Scalar("Float"), false),
            "integer" if property["format"] == "int32" => (Holds::Scalar("Int"), false),
            "integer" => (Holds::Scalar("Long"), false),
            "array" => match self.holds(&property["items"]) {
                (holds, false) => (holds, true),
                (_, true) => (Holds::Scalar("JSON"), false),
            },
            _ => (Holds::Scalar("JSON"), false),
        }
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

fn text(of: &Value, key: &str) -> Option<String> {
    of[key].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_what_the_document_says() {
        let shapes = Shapes::of(&crate::openapi::document());
        let contract = shapes.shape("Contract").unwrap();
        let field = |name: &str| contract.fields.iter().find(|field| field.name == name).unwrap();
        assert_eq!((field("signedOn").key.as_str(), &field("signedOn").holds), ("signed_on", &Holds::Scalar("String")));
        assert_eq!(field("buyer").holds, Holds::Object("ContractBuyer".to_owned()));
        assert_eq!(field("income").holds, Holds::Scalar("Boolean"));
        assert!(field("object").description.is_some());
        let finding = shapes.shape("Finding").unwrap();
        let field = |name: &str| finding.fields.iter().find(|field| field.name == name).unwrap();
        assert_eq!((&field("contractIds").holds, field("contractIds").is_list), (&Holds::Scalar("String"), true));
        assert_eq!(
            (&field("arithmetic").holds, field("arithmetic").is_list),
            (&Holds::Object("Arithmetic".to_owned()), true)
        );
        assert_eq!(field("title").holds, Holds::Object("Text".to_owned()));
        // What is put together of two views has the fields of both.
        let detail = shapes.shape("InvestigationDetail").unwrap();
        assert!(["id", "status", "plan", "progress"].iter().all(|name| detail.fields.iter().any(|f| f.name == *name)));
        let filters = shapes.parameters("/api/v1/findings");
        assert!(filters.iter().any(|filter| filter.key == "severity" && filter.description.contains("`critical`")));
    }
}
