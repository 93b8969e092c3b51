//! An operation made ready to be answered: fragments unfolded, arguments with their values, each field beside how it is answered.
//!
//! The library has checked it by then: what stands here has its type, and every fragment is there.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Pos, Positioned, Variables};
use async_graphql_value::{ConstValue, Name, Value};

use super::limits::{Cost, Costs};
use super::resolve::{Given, Resolve, Resolves};

/// Selections of one type.
#[derive(Default)]
pub struct Plan<'a> {
    /// Its fields, in the order of the answer.
    pub fields: Vec<Planned<'a>>,
    /// Whether something in it asks for what is not there yet.
    pub asks: bool,
}

/// What a field is.
pub enum What<'a> {
    /// `__typename`, of this type.
    Typename(&'a str),
    /// `__schema` or `__type`: the library answered it.
    Introspection,
    /// Answered so.
    Field(&'a Resolve),
}

/// One field.
pub struct Planned<'a> {
    /// Its name in the answer.
    pub key: &'a str,
    /// The same as JSON, with a colon behind it.
    pub label: Vec<u8>,
    /// How it is answered.
    pub what: What<'a>,
    /// Its arguments.
    pub given: Given,
    /// Where it stands in the query.
    pub at: Pos,
    /// The type of its value; empty for a scalar.
    pub of: &'a str,
    /// What is asked of its value.
    pub below: Plan<'a>,
}

impl Planned<'_> {
    /// Whether it asks for what is not there yet, or something below it does.
    pub fn asks(&self) -> bool {
        let itself = matches!(
            self.what,
            What::Field(Resolve::Leads(..) | Resolve::Below(_) | Resolve::ContractsNamed | Resolve::ById(..))
        );
        itself || self.below.asks
    }
}

/// What plans are made of.
pub struct Planner<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    costs: &'a Costs,
    resolves: &'a Resolves,
}

impl<'a> Planner<'a> {
    /// For an operation of `document` with these variables.
    pub fn new(
        document: &'a ExecutableDocument,
        operation: &'a OperationDefinition,
        variables: &'a Variables,
        costs: &'a Costs,
        resolves: &'a Resolves,
    ) -> Self {
        Self { fragments: &document.fragments, operation, variables, costs, resolves }
    }

    /// The operation, whose root is the type `root`.
    pub fn plan(&self, root: &'a str) -> Plan<'a> {
        self.of(&[&self.operation.selection_set.node], root)
    }

    fn of(&self, sets: &[&'a SelectionSet], of: &'a str) -> Plan<'a> {
        let mut found = Vec::new();
        let mut places = HashMap::new();
        for set in sets {
            self.collect(set, &mut found, &mut places);
        }
        let fields: Vec<_> = found.into_iter().filter_map(|(field, sets)| self.planned(field, &sets, of)).collect();
        let asks = fields.iter().any(Planned::asks);
        Plan { fields, asks }
    }

    /// The fields of a selection with all that is selected of each, fragments unfolded.
    fn collect(
        &self,
        set: &'a SelectionSet,
        found: &mut Vec<(&'a Positioned<Field>, Vec<&'a SelectionSet>)>,
        places: &mut HashMap<&'a str, usize>,
    ) {
        for selection in set.items.iter().filter(|selection| self.is_wanted(selection.node.directives())) {
            match &selection.node {
                Selection::Field(field) => {
                    let place = *places.entry(field.node.response_key().node.as_str()).or_insert(found.len());
                    if place == found.len() {
                        found.push((field, Vec::new()));
                    }
                    found[place].1.push(&field.node.selection_set.node);
                }
                Selection::InlineFragment(inline) => self.collect(&inline.node.selection_set.node, found, places),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) {
                        self.collect(&fragment.node.selection_set.node, found, places);
                    }
                }
            }
        }
    }

    fn is_wanted(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let says = |wanted: bool| {
                let condition = directive.node.get_argument("if").and_then(|value| self.value(&value.node));
                condition.is_none_or(|value| value == ConstValue::Boolean(wanted))
            };
            match directive.node.name.node.as_str() {
                "skip" => says(false),
                "include" => says(true),
                _ => true,
            }
        })
    }

    fn planned(&self, field: &'a Positioned<Field>, sets: &[&'a SelectionSet], of: &'a str) -> Option<Planned<'a>> {
        let (name, key) = (field.node.name.node.as_str(), field.node.response_key().node.as_str());
        let what = match name {
            "__typename" => What::Typename(of),
            "__schema" | "__type" => What::Introspection,
            _ => What::Field(self.resolves.get(of)?.get(name)?),
        };
        let (of, below) = match (&what, self.costs.get(of).and_then(|fields| fields.get(name))) {
            (What::Field(_), Some(Cost::Object(of) | Cost::Wrapper(of) | Cost::List(of) | Cost::Embedded(of))) => {
                (of.as_str(), self.of(sets, of))
            }
            _ => ("", Plan::default()),
        };
        let given = field.node.arguments.iter();
        let given = given.filter_map(|(name, value)| Some((name.node.to_string(), self.value(&value.node)?)));
        let label = serde_json::Value::from(key).to_string() + ":";
        Some(Planned {
            key,
            label: label.into_bytes(),
            what,
            given: Given::new(given.collect()),
            at: field.pos,
            of,
            below,
        })
    }

    /// A value with those of its variables; nothing for a variable without one.
    fn value(&self, value: &Value) -> Option<ConstValue> {
        let value = value.clone().into_const_with(|name| {
            let definition = self.operation.variable_definitions.iter().find(|one| one.node.name.node == name);
            let default = || definition?.node.default_value.as_ref().map(|value| value.node.clone());
            self.variables.get(&name).cloned().or_else(default).ok_or(())
        });
        value.ok()
    }
}
