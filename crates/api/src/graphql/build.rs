//! Putting types together: each with its fields, and what each field costs beside it.

use std::collections::BTreeMap;

use async_graphql::dynamic::{Field, FieldFuture, InputValue, Object, Scalar, SchemaBuilder, TypeRef};

use super::limits::{Cost, Costs, FIRST_DEFAULT};
use super::resolve::{Resolve, Resolves};
use super::shapes::{Holds, ShapeField, Shapes};

/// Types on their way to a schema.
pub struct Types<'a> {
    shapes: &'a Shapes,
    objects: BTreeMap<String, Object>,
    costs: Costs,
    resolves: Resolves,
}

/// A field as the library needs it: to check queries by. It is answered by ours ([`super::run`]).
pub fn field(name: impl Into<String>, of: TypeRef) -> Field {
    Field::new(name, of, |_| FieldFuture::Value(None))
}

impl<'a> Types<'a> {
    /// None yet but what all connections share.
    pub fn new(shapes: &'a Shapes) -> Self {
        let mut types = Self { shapes, objects: BTreeMap::new(), costs: Costs::new(), resolves: Resolves::new() };
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
    pub fn field(&mut self, of: &str, name: &str, cost: Cost, resolve: Resolve, field: Field) {
        if let Some(object) = self.objects.remove(of) {
            self.objects.insert(of.to_owned(), object.field(field));
        }
        self.costs.entry(of.to_owned()).or_default().insert(name.to_owned(), cost);
        self.resolves.entry(of.to_owned()).or_default().insert(name.to_owned(), resolve);
    }

    /// Notes what can be followed, which is no field of an object.
    pub fn root_of_events(&mut self, name: &str, of: &str) {
        let cost = Cost::Object(of.to_owned());
        self.costs.entry("Subscription".to_owned()).or_default().insert(name.to_owned(), cost);
        self.resolves.entry("Subscription".to_owned()).or_default().insert(name.to_owned(), Resolve::Event);
    }

    /// Adds a field of a view. All may be null but what names a row: a finding of an older version need not have all of them.
    pub fn shape_field(&mut self, on: &str, shape: &ShapeField, cost: Cost) {
        let (name, resolve) = match (&shape.holds, shape.is_list) {
            (Holds::Scalar(name), _) => ((*name).to_owned(), Resolve::Scalar(shape.key.clone())),
            (Holds::Object(name), true) => (name.clone(), Resolve::Objects(shape.key.clone())),
            (Holds::Object(name), false) => (name.clone(), Resolve::Object(shape.key.clone())),
        };
        let (of, resolve) = match (shape.is_list, shape.is_id) {
            (true, _) => (TypeRef::named_nn_list(name), resolve),
            (false, true) => (TypeRef::named_nn(name), Resolve::Id(shape.key.clone())),
            (false, false) => (TypeRef::named(name), resolve),
        };
        let mut field = field(&shape.name, of);
        if let Some(description) = &shape.description {
            field = field.description(description);
        }
        self.field(on, &shape.name, cost, resolve, field);
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
            self.shape_field(name, &field, cost);
        }
    }

    /// Adds the connection of a type, unless it is there; gives its name.
    pub fn connection(&mut self, of: &str) -> String {
        let (connection, edge) = (format!("{of}Connection"), format!("{of}Edge"));
        if self.objects.contains_key(&connection) {
            return connection;
        }
        let wrapper = |of: &str| Cost::Wrapper(of.to_owned());
        let text = TypeRef::named_nn(TypeRef::STRING);
        self.add(&edge, "A row, and the cursor behind which the rows after it begin.");
        self.field(&edge, "cursor", Cost::Scalar, Resolve::Cursor, field("cursor", text));
        self.field(&edge, "node", wrapper(of), Resolve::Node, field("node", TypeRef::named_nn(of)));
        self.add(&connection, "One page of a list.");
        let edges = field("edges", TypeRef::named_nn_list_nn(&edge));
        self.field(&connection, "edges", wrapper(&edge), Resolve::Edges, edges);
        let nodes = field("nodes", TypeRef::named_nn_list_nn(of)).description("The rows without their cursors.");
        self.field(&connection, "nodes", wrapper(of), Resolve::Nodes, nodes);
        let info = field("pageInfo", TypeRef::named_nn("PageInfo"));
        self.field(&connection, "pageInfo", wrapper("PageInfo"), Resolve::PageInfo, info);
        connection
    }

    fn add_page_info(&mut self) {
        self.add("PageInfo", "Where a page begins and ends.");
        let boolean = || TypeRef::named_nn(TypeRef::BOOLEAN);
        let cursor = || TypeRef::named(TypeRef::STRING);
        let fields: [(&str, TypeRef, super::resolve::OfPage, &str); 4] = [
            ("hasNextPage", boolean(), |page| page.has_next.into(), "Whether there are more rows."),
            (
                "endCursor",
                cursor(),
                |page| page.cursors.last().map(String::as_str).into(),
                "Give it as `after` for the next page, with the same filters.",
            ),
            ("hasPreviousPage", boolean(), |page| page.has_previous.into(), "Whether rows come before it."),
            ("startCursor", cursor(), |page| page.cursors.first().map(String::as_str).into(), "Of the first row."),
        ];
        for (name, of, show, description) in fields {
            let field = field(name, of).description(description);
            self.field("PageInfo", name, Cost::Scalar, Resolve::OfPage(show), field);
        }
    }

    /// Everything in `builder`; with what it costs and how it is answered.
    pub fn finish(self, builder: SchemaBuilder) -> (SchemaBuilder, Costs, Resolves) {
        let scalars =
            [("Long", "A whole number of up to 64 bits."), ("JSON", "What has no fixed fields, as REST shows it.")];
        let builder =
            scalars.into_iter().fold(builder, |all, (name, is)| all.register(Scalar::new(name).description(is)));
        let builder = self.objects.into_values().fold(builder, SchemaBuilder::register);
        (builder, self.costs, self.resolves)
    }
}

/// How many rows a page is asked for.
pub fn first() -> InputValue {
    InputValue::new("first", TypeRef::named(TypeRef::INT))
        .default_value(FIRST_DEFAULT)
        .description("The most rows, 1 to 100.")
}
