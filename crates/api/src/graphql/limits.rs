//! What a query would cost, found out on the parsed document with its variables before anything of it is done.
//!
//! An object costs one point, a scalar none; the number of things that a list is asked for (`first`, or its default) multiplies what
//! stands below. `edges`, `node`, `nodes` and `pageInfo` cost nothing of themselves. What `@skip` and `@include` would leave out is counted:
//! the bound holds whatever the variables say. Each fragment is measured once, those it rests on before it, so that the time taken
//! grows with the document and not with what it unfolds to.

use std::collections::HashMap;

use app::limit_settings::GraphqlSettings;
use async_graphql::Variables;
use async_graphql::parser::types::{
    ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql_value::{ConstValue, Name, Value};

use super::hints::Hint;
use super::refusal::Refusal;

/// How deep selections and fragments may stand within each other, fields or not.
const NESTING_MAX: u64 = 32;
/// How deep introspection may go: the query of the common tools goes 14 levels deep.
const INTROSPECTION_DEPTH_MAX: u64 = 20;
/// Values that one point may bring.
const VALUES_PER_POINT: u64 = 100;
/// Fields at the root, fragments unfolded: each is asked of the database on its own.
const ROOT_FIELDS_MAX: u64 = 25;
/// Rows of a list that stands within a record and has relations below: as many as the record holds at most.
pub const EMBEDDED_MAX: u64 = 20;
/// Lists of the introspection: each may stand once on a way down.
const INTROSPECTION_LISTS: [&str; 8] =
    ["types", "fields", "args", "inputFields", "interfaces", "possibleTypes", "enumValues", "directives"];

/// What a field costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cost {
    /// A scalar: nothing.
    Scalar,
    /// One object, or a list of objects that came with the row: one point.
    Object(String),
    /// Wraps what was counted already.
    Wrapper(String),
    /// So many objects as `first` says, or twenty.
    List(String),
    /// A list of objects that came with the row and have relations of their own.
    Embedded(String),
}

/// What every field of every type costs.
pub type Costs = HashMap<String, HashMap<String, Cost>>;

/// Things that a list holds when nobody says how many.
pub const FIRST_DEFAULT: u64 = 20;
/// The most that it may be asked for.
const FIRST_MAX: u64 = 100;

/// What a selection comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Measure {
    points: u64,
    values: u64,
    /// Fields of the selection itself, fragments unfolded.
    fields: u64,
    depth: u64,
    nesting: u64,
    introspection_depth: u64,
    introspection_values: u64,
    /// Lists of the introspection that stand somewhere below, one bit each.
    lists: u8,
    /// One of them stands twice on a way down.
    repeats: bool,
    /// How long, and for whom, it holds.
    hint: Hint,
}

impl Measure {
    fn and(self, other: Self) -> Self {
        Self {
            points: self.points.saturating_add(other.points),
            values: self.values.saturating_add(other.values),
            fields: self.fields.saturating_add(other.fields),
            depth: self.depth.max(other.depth),
            nesting: self.nesting.max(other.nesting),
            introspection_depth: self.introspection_depth.max(other.introspection_depth),
            introspection_values: self.introspection_values.saturating_add(other.introspection_values),
            lists: self.lists | other.lists,
            repeats: self.repeats || other.repeats,
            hint: self.hint.and(other.hint),
        }
    }
}

/// What an operation is found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whether it reads or writes.
    pub kind: OperationType,
    /// Points.
    pub points: u64,
    /// The fields at its root.
    pub roots: Vec<String>,
    /// How long, and for whom, its answer holds.
    pub hint: Hint,
}

/// Measures the operation of `document` that is asked for.
///
/// # Errors
/// The refusal that names the limit and what the query would cost.
pub fn measure(
    document: &ExecutableDocument,
    operation: Option<&str>,
    variables: &Variables,
    costs: &Costs,
    limits: &GraphqlSettings,
) -> Result<Found, Refusal> {
    let over = |limit: &'static str, max: u64, cost: u64| {
        if cost > max { Err(Refusal::limit(limit, max, cost)) } else { Ok(()) }
    };
    let order = in_order(document)?;
    let counts = counted(document);
    over("aliases", limits.aliases_max, counts.aliases)?;
    over("directives", limits.directives_max, counts.directives)?;
    let mut found = None;
    for (name, one) in document.operations.iter() {
        let ruler = Ruler::new(document, &one.node, variables, costs, &order);
        let root = root_of(one.node.ty);
        let whole = ruler.set(&one.node.selection_set.node, root);
        over("nesting", NESTING_MAX, whole.nesting)?;
        over("depth", limits.depth_max, whole.depth)?;
        over("root-fields", ROOT_FIELDS_MAX, whole.fields)?;
        over("complexity", limits.complexity_max, whole.points)?;
        over("values", limits.complexity_max.saturating_mul(VALUES_PER_POINT), whole.values)?;
        over("introspection-depth", INTROSPECTION_DEPTH_MAX, whole.introspection_depth)?;
        over("introspection-lists", 1, if whole.repeats { 2 } else { 1 })?;
        over("introspection-values", limits.tokens_max, whole.introspection_values)?;
        if operation.is_none_or(|wanted| name.is_some_and(|name| name.as_str() == wanted)) {
            let (roots, again) = ruler.roots(&one.node.selection_set.node);
            if let (OperationType::Mutation, Some(again)) = (one.node.ty, again) {
                let because =
                    format!("`{again}` stands more than once: give what is to be done several times a name each");
                return Err(Refusal::invalid(because));
            }
            found = Some(Found { kind: one.node.ty, points: whole.points, roots, hint: whole.hint });
        }
    }
    found.ok_or_else(|| Refusal::invalid("no operation of this name stands in the query"))
}

fn root_of(kind: OperationType) -> &'static str {
    match kind {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    }
}

/// The fragments, each after those that it rests on.
///
/// # Errors
/// They go in a circle.
fn in_order(document: &ExecutableDocument) -> Result<Vec<Name>, Refusal> {
    #[derive(PartialEq)]
    enum State {
        Open,
        Done,
    }
    let spreads: HashMap<&Name, Vec<&Name>> = document
        .fragments
        .iter()
        .map(|(name, fragment)| (name, spreads_in(&fragment.node.selection_set.node)))
        .collect();
    let mut states: HashMap<&Name, State> = HashMap::new();
    let mut order = Vec::new();
    for start in document.fragments.keys() {
        let mut stack = vec![(start, 0)];
        while let Some((name, next)) = stack.pop() {
            if next == 0 {
                match states.get(name) {
                    Some(State::Done) => continue,
                    Some(State::Open) => {
                        return Err(Refusal::invalid(format!(
                            "the fragment `{name}` contains itself: fragments go in a circle"
                        )));
                    }
                    None => states.insert(name, State::Open),
                };
            }
            match spreads.get(name).and_then(|inner| inner.get(next)) {
                Some(inner) => {
                    stack.push((name, next + 1));
                    stack.push((inner, 0));
                }
                None => {
                    states.insert(name, State::Done);
                    order.push(name.clone());
                }
            }
        }
    }
    Ok(order)
}

/// The fragments that a selection names. It goes as deep as brackets stand, which were counted.
fn spreads_in(set: &SelectionSet) -> Vec<&Name> {
    let mut found = Vec::new();
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => found.extend(spreads_in(&field.node.selection_set.node)),
            Selection::InlineFragment(inline) => found.extend(spreads_in(&inline.node.selection_set.node)),
            Selection::FragmentSpread(spread) => found.push(&spread.node.fragment_name.node),
        }
    }
    found
}

/// What is counted over the whole document as it stands.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    /// Fields under another name, and fields that stand again in one selection.
    aliases: u64,
    directives: u64,
}

fn counted(document: &ExecutableDocument) -> Counts {
    let mut counts = Counts::default();
    for (_, operation) in document.operations.iter() {
        let variables = &operation.node.variable_definitions;
        let on_variables: usize = variables.iter().map(|variable| variable.node.directives.len()).sum();
        counts.directives += (operation.node.directives.len() + on_variables) as u64;
        count(&operation.node.selection_set.node, &mut counts);
    }
    for fragment in document.fragments.values() {
        counts.directives += fragment.node.directives.len() as u64;
        count(&fragment.node.selection_set.node, &mut counts);
    }
    counts
}

fn count(set: &SelectionSet, counts: &mut Counts) {
    let mut seen = std::collections::HashSet::new();
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                let again = !seen.insert(field.node.response_key().node.as_str());
                counts.aliases += u64::from(field.node.alias.is_some() || again);
                counts.directives += field.node.directives.len() as u64;
                count(&field.node.selection_set.node, counts);
            }
            Selection::InlineFragment(inline) => {
                counts.directives += inline.node.directives.len() as u64;
                count(&inline.node.selection_set.node, counts);
            }
            Selection::FragmentSpread(spread) => counts.directives += spread.node.directives.len() as u64,
        }
    }
}

/// Measures selections, with the variables of one operation.
struct Ruler<'a> {
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    costs: &'a Costs,
    fragments: HashMap<&'a Name, Measure>,
}

impl<'a> Ruler<'a> {
    fn new(
        document: &'a ExecutableDocument,
        operation: &'a OperationDefinition,
        variables: &'a Variables,
        costs: &'a Costs,
        order: &'a [Name],
    ) -> Self {
        let mut ruler = Self { document, operation, variables, costs, fragments: HashMap::new() };
        for name in order {
            if let Some(fragment) = document.fragments.get(name) {
                let measured = ruler.fragment(&fragment.node);
                ruler.fragments.insert(name, measured);
            }
        }
        ruler
    }

    fn fragment(&self, fragment: &FragmentDefinition) -> Measure {
        self.set(&fragment.selection_set.node, fragment.type_condition.node.on.node.as_str())
    }

    /// Goes as deep as brackets stand, which were counted.
    fn set(&self, set: &SelectionSet, of: &str) -> Measure {
        let mut whole = Measure::default();
        for selection in &set.items {
            let mut one = match &selection.node {
                Selection::Field(field) => Measure { fields: 1, ..self.field(&field.node, of) },
                Selection::FragmentSpread(spread) => {
                    self.fragments.get(&spread.node.fragment_name.node).copied().unwrap_or_default()
                }
                Selection::InlineFragment(inline) => {
                    let of = inline.node.type_condition.as_ref().map_or(of, |on| on.node.on.node.as_str());
                    self.set(&inline.node.selection_set.node, of)
                }
            };
            one.nesting += 1;
            whole = whole.and(one);
        }
        whole
    }

    fn field(&self, field: &Field, of: &str) -> Measure {
        let name = field.name.node.as_str();
        if of.starts_with("__") || matches!(name, "__schema" | "__type") {
            return self.introspection(field);
        }
        let below = |of: &str| {
            let below = self.set(&field.selection_set.node, of);
            Measure { hint: below.hint.and(Hint::of(of)), ..below }
        };
        let level = |below: Measure, times: u64, own: u64| Measure {
            points: times.saturating_mul(below.points.saturating_add(own)),
            values: times.saturating_mul(below.values.saturating_add(own)),
            depth: below.depth + 1,
            ..below
        };
        match self.costs.get(of).and_then(|fields| fields.get(name)) {
            Some(Cost::Object(of)) => level(below(of), 1, 1),
            Some(Cost::Wrapper(of)) => level(below(of), 1, 0),
            Some(Cost::List(of)) => level(below(of), self.first(field), 1),
            Some(Cost::Embedded(of)) => level(below(of), EMBEDDED_MAX, 1),
            // Unknown ones are refused later; until then they count as what they look like.
            Some(Cost::Scalar) | None if field.selection_set.node.items.is_empty() => {
                Measure { values: 1, ..Measure::default() }
            }
            Some(Cost::Scalar) | None => level(below(""), 1, 1),
        }
    }

    fn introspection(&self, field: &Field) -> Measure {
        let below = self.set(&field.selection_set.node, "__Type");
        let bit = INTROSPECTION_LISTS.iter().position(|list| *list == field.name.node.as_str()).map_or(0, |at| 1 << at);
        let deep = u64::from(!field.selection_set.node.items.is_empty());
        Measure {
            introspection_depth: below.introspection_depth + deep,
            introspection_values: below.introspection_values.saturating_add(1),
            lists: below.lists | bit,
            repeats: below.repeats || below.lists & bit != 0,
            ..below
        }
    }

    /// How many things a list is asked for.
    fn first(&self, field: &Field) -> u64 {
        let given = field.get_argument("first").map(|value| &value.node);
        let number = |value: &ConstValue| match value {
            ConstValue::Number(number) => Some(number.as_u64().unwrap_or(FIRST_MAX)),
            _ => None,
        };
        let asked = match given {
            Some(Value::Number(asked)) => Some(asked.as_u64().unwrap_or(FIRST_MAX)),
            Some(Value::Variable(name)) => {
                let default = || {
                    let of_name = |v: &&async_graphql::Positioned<_>| is_named(&v.node, name);
                    let definition = self.operation.variable_definitions.iter().find(of_name)?;
                    definition.node.default_value.as_ref().and_then(|value| number(&value.node))
                };
                self.variables.get(name).map_or_else(default, number)
            }
            _ => None,
        };
        asked.unwrap_or(FIRST_DEFAULT).min(FIRST_MAX)
    }

    /// The fields at the root, fragments unfolded as often as they stand (which was bounded before), and one whose name in the answer
    /// stands twice.
    fn roots(&self, set: &SelectionSet) -> (Vec<String>, Option<String>) {
        let (mut roots, mut again) = (Vec::new(), None);
        let mut names = std::collections::HashSet::new();
        let mut stack = vec![set];
        while let Some(set) = stack.pop() {
            for selection in &set.items {
                match &selection.node {
                    Selection::Field(field) => {
                        let name = field.node.response_key().node.as_str();
                        if !names.insert(name) {
                            again = Some(name.to_owned());
                        }
                        roots.push(field.node.name.node.to_string());
                    }
                    Selection::InlineFragment(inline) => stack.push(&inline.node.selection_set.node),
                    Selection::FragmentSpread(spread) => {
                        if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                            stack.push(&fragment.node.selection_set.node);
                        }
                    }
                }
            }
        }
        (roots, again)
    }
}

fn is_named(definition: &async_graphql::parser::types::VariableDefinition, name: &Name) -> bool {
    definition.name.node == *name
}

#[cfg(test)]
mod tests {
    use app::Settings;
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    fn found(query: &str, variables: serde_json::Value) -> Result<Found, Refusal> {
        let costs = super::super::schema::schema().unwrap().costs;
        let settings = Settings::load(None, std::iter::empty()).unwrap();
        let document = parse_query(query).unwrap();
        measure(&document, None, &Variables::from_json(variables), &costs, &settings.graphql)
    }

    fn points(query: &str) -> u64 {
        found(query, json!({})).unwrap().points
    }

    #[track_caller]
    fn over(query: &str) -> (String, u64) {
        let refusal = found(query, json!({})).unwrap_err();
        let limit = refusal.extensions["limit"].as_str().unwrap().to_owned();
        (limit, refusal.extensions["cost"].as_u64().unwrap())
    }

    #[test]
    fn objects_cost_a_point_and_lists_multiply() {
        assert_eq!(points("{ stats { contracts } }"), 1);
        assert_eq!(points("{ __typename }"), 0);
        assert_eq!(points("{ buyers { nodes { id name } } }"), 20, "the default is twenty");
        assert_eq!(points("{ buyers(first: 5) { edges { cursor node { id } } pageInfo { endCursor } } }"), 5);
        assert_eq!(
            points(
                "{ buyers(first: 10) { nodes { contracts(first: 10) { nodes { supplier { findings(first: 2) { nodes { id } } } } } } } }"
            ),
            10 * (1 + 10 * (1 + 1 + 2))
        );
        assert_eq!(points("{ findings(first: 3) { nodes { title { pt } arithmetic { result } } } }"), 3 * 3);
        assert_eq!(
            over("{ contracts(first: 100) { nodes { supplier { contracts { nodes { id } } } } } }"),
            ("complexity".to_owned(), 2_200)
        );
    }

    #[test]
    fn what_a_variable_says_counts_or_what_stands_for_it() {
        let query = "query ($n: Int = 7) { buyers(first: $n) { nodes { id } } }";
        assert_eq!(found(query, json!({})).unwrap().points, 7);
        assert_eq!(found(query, json!({"n": 50})).unwrap().points, 50);
        assert_eq!(
            found(query, json!({"n": 4_000_000_000_u64})).unwrap().points,
            100,
            "more is refused by the list itself"
        );
        assert_eq!(found(query, json!({"n": null})).unwrap().points, 20);
        assert_eq!(points("query ($n: Int) { buyers(first: $n) { nodes { id } } }"), 20);
    }

    #[test]
    fn levels_are_counted_through_fragments() {
        let nested = |levels: usize| {
            format!("{}id{}", "supplier { contracts(first: 1) { nodes { ".repeat(levels), " } } }".repeat(levels))
        };
        assert!(found(&format!("{{ contract(id: \"x\") {{ {} }} }}", nested(3)), json!({})).is_ok());
        assert_eq!(over(&format!("{{ contract(id: \"x\") {{ {} }} }}", nested(4))), ("depth".to_owned(), 13));
        let by_fragments = format!(
            "{{ contract(id: \"x\") {{ ...A }} }} fragment A on Contract {{ ...B }} fragment B on Contract {{ ... on Contract {{ {} }} }}",
            nested(4)
        );
        assert_eq!(over(&by_fragments), ("depth".to_owned(), 13));
    }

    #[test]
    fn fragments_in_a_circle_are_found() {
        for query in [
            "{ ...A } fragment A on Query { ...A }",
            "{ ...A } fragment A on Query { ...B } fragment B on Query { stats { contracts } ... on Query { ...C } } fragment C on Query { ...A }",
        ] {
            assert!(found(query, json!({})).unwrap_err().message.contains("circle"), "{query}");
        }
    }

    #[test]
    fn fragments_that_double_take_no_longer_than_they_are_long() {
        let mut query = "{ ...F0 }".to_owned();
        for n in 0..28 {
            query += &format!(" fragment F{n} on Query {{ ...F{} ...F{} }}", n + 1, n + 1);
        }
        assert_eq!(over(&(query + " fragment F28 on Query { __typename }")), ("root-fields".to_owned(), 1 << 28));
        let chain: String = (0..600).map(|n| format!(" fragment F{n} on Query {{ ...F{} }}", n + 1)).collect();
        assert_eq!(over(&format!("{{ ...F0 }}{chain} fragment F600 on Query {{ __typename }}")).0, "nesting");
    }

    #[test]
    fn aliases_repeats_and_directives_are_counted() {
        let many = |one: &dyn Fn(usize) -> String| format!("{{ {} }}", (0..60).map(one).collect::<String>());
        assert_eq!(over(&many(&|n| format!("a{n}: __typename "))), ("aliases".to_owned(), 60));
        assert_eq!(over(&many(&|_| "__typename ".to_owned())), ("aliases".to_owned(), 59));
        let directives = format!("{{ stats {{ {} }} }}", "contracts @include(if: true) ".repeat(40));
        assert_eq!(over(&directives), ("directives".to_owned(), 40));
    }

    #[test]
    fn introspection_has_limits_of_its_own() {
        let deep = format!(
            "{{ __schema {{ types {{ fields {{ args {{ type {{ {} name {} }} }} }} }} }} }}",
            "ofType { ".repeat(9),
            "} ".repeat(9)
        );
        assert_eq!(found(&deep, json!({})).unwrap().points, 0);
        let again = "{ __schema { types { fields { type { fields { type { name } } } } } } }";
        assert_eq!(over(again), ("introspection-lists".to_owned(), 2));
        let again = "{ __schema { types { ...T } } } fragment T on __Type { fields { type { ...U } } } fragment U on __Type { fields { name } }";
        assert_eq!(over(again).0, "introspection-lists");
    }

    #[test]
    fn what_is_unknown_counts_as_what_it_looks_like() {
        assert_eq!(points("{ nothing { of { this } } kind }"), 2);
        assert!(found("query A { stats { contracts } } query B { nope }", json!({})).is_ok());
    }
}
