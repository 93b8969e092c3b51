//! Putting types together: each with its fields, and what each field costs beside it.

use std::collections::BTreeMap;

use async_graphql::dynamic::{Field, FieldFuture, FieldValue, InputValue, Object, Scalar, SchemaBuilder, TypeRef};

use super::limits::{Cost, Costs, FIRST_DEFAULT};
use super::load::Page;
use super::shapes::{Holds, Shapes};
use super::values;

/// Types on their way to a schema.
pub struct Types<'a> {
    shapes: &'a Shapes,
    objects: BTreeMap<String, Object>,
    costs: Costs,
}

impl<'a> Types<'a> {
    /// None yet but what all connections share.
    pub fn new(shapes: &'a Shapes) -> Self {
        let mut types = Self { shapes, objects: BTreeMap::new(), costs: Costs::new() };
        types.add_page_info();
        types
    }

    /// Adds an empty type.
    pub fn add(&mut self, name: &str, description: &str) {
        let object = Object::new(name);
        let object = if description.is_empty() { object } else { object.description(description) };
        self.objects.insert(name.to_owned(), object);
        self.costs.insert(name.to_owned(), Default::default());
    }

    /// Adds a field to a type.
    pub fn field(&mut self, of: &str, name: &str, cost: Cost, field: Field) {
        if let Some(object) = self.objects.remove(of) {
            self.objects.insert(of.to_owned(), object.field(field));
        }
        self.costs.entry(of.to_owned()).or_default().insert(name.to_owned(), cost);
    }

    /// Adds the type of a view, with those that stand within it. `renamed` fields have another name, for what they point to stands under theirs.
    pub fn view(&mut self, name: &str, renamed: &[(&str, &str)]) {
        self.view_as(name, name, renamed);
    }

    /// Adds the type of the view `shape` under a name of its own.
    pub fn view_as(&mut self, name: &str, shape: &str, renamed: &[(&str, &str)]) {
        if self.objects.contains_key(name) {
            return;
        }
        let Some(shape) = self.shapes.shape(shape) else { return };
        self.add(name, shape.description.as_deref().unwrap_or_default());
        for mut field in shape.fields {
            if let Some((_, to)) = renamed.iter().find(|(from, _)| *from == field.name) {
                (*to).clone_into(&mut field.name);
            }
            let cost = match &field.holds {
                Holds::Scalar(_) => Cost::Scalar,
                Holds::Object(inner) => {
                    self.view(inner, &[]);
                    // Findings have relations below them; other lists within a record are plain data.
                    if inner == "Finding" { Cost::Embedded(inner.clone()) } else { Cost::Object(inner.clone()) }
                }
            };
            self.field(name, &field.name, cost, values::field_of(&field));
        }
    }

    /// Adds the connection of a type, unless it is there; gives its name.
    pub fn connection(&mut self, of: &str) -> String {
        let (connection, edge) = (format!("{of}Connection"), format!("{of}Edge"));
        if self.objects.contains_key(&connection) {
            return connection;
        }
        let value = |name: &str, of: TypeRef, show: for<'b> fn(&'b FieldValue<'b>) -> Option<FieldValue<'b>>| {
            Field::new(name, of, move |context| FieldFuture::Value(show(context.parent_value)))
        };
        let wrapper = |of: &str| Cost::Wrapper(of.to_owned());
        self.add(&edge, "A row, and the cursor behind which the rows after it begin.");
        self.field(&edge, "cursor", Cost::Scalar, value("cursor", TypeRef::named_nn(TypeRef::STRING), values::cursor));
        self.field(&edge, "node", wrapper(of), value("node", TypeRef::named_nn(of), values::node));
        self.add(&connection, "One page of a list.");
        let edges = value("edges", TypeRef::named_nn_list_nn(&edge), values::edges);
        self.field(&connection, "edges", wrapper(&edge), edges);
        let nodes =
            value("nodes", TypeRef::named_nn_list_nn(of), values::nodes).description("The rows without their cursors.");
        self.field(&connection, "nodes", wrapper(of), nodes);
        let info = value("pageInfo", TypeRef::named_nn("PageInfo"), values::page_info);
        self.field(&connection, "pageInfo", wrapper("PageInfo"), info);
        connection
    }

    fn add_page_info(&mut self) {
        self.add("PageInfo", "Where a page begins and ends.");
        let boolean = || TypeRef::named_nn(TypeRef::BOOLEAN);
        let cursor = || TypeRef::named(TypeRef::STRING);
        type Show = fn(&Page) -> Option<async_graphql::Value>;
        let fields: [(&str, TypeRef, Show, &str); 4] = [
            ("hasNextPage", boolean(), |page| Some(page.has_next.into()), "Whether there are more rows."),
            (
                "endCursor",
                cursor(),
                |page| page.cursors.last().map(|c| c.as_str().into()),
                "Give it as `after` for the next page, with the same filters.",
            ),
            ("hasPreviousPage", boolean(), |page| Some(page.has_previous.into()), "Whether rows come before it."),
            ("startCursor", cursor(), |page| page.cursors.first().map(|c| c.as_str().into()), "Of the first row."),
        ];
        for (name, of, show, description) in fields {
            let field =
                Field::new(name, of, move |context| FieldFuture::Value(values::of_page(context.parent_value, show)));
            self.field("PageInfo", name, Cost::Scalar, field.description(description));
        }
    }

    /// Everything in `builder`; with what it costs.
    pub fn finish(self, builder: SchemaBuilder) -> (SchemaBuilder, Costs) {
        let scalars =
            [("Long", "A whole number of up to 64 bits."), ("JSON", "What has no fixed fields, as REST shows it.")];
        let builder =
            scalars.into_iter().fold(builder, |all, (name, is)| all.register(Scalar::new(name).description(is)));
        let builder = self.objects.into_values().fold(builder, SchemaBuilder::register);
        (builder, self.costs)
    }
}

/// How many rows a page is asked for.
pub fn first() -> InputValue {
    InputValue::new("first", TypeRef::named(TypeRef::INT))
        .default_value(FIRST_DEFAULT)
        .description("The most rows, 1 to 100.")
}
