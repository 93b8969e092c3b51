//! Rows as the executor takes them: JSON, passed on and never copied until a scalar is shown.

use std::sync::Arc;

use async_graphql::Value as GraphqlValue;
use async_graphql::dynamic::{Field, FieldFuture, FieldValue, ResolverContext, TypeRef};
use serde_json::Value;

use super::load::{Loads, Page};
use super::refusal::Refusal;
use super::shapes::{Holds, ShapeField};

/// The row whose field is asked for.
pub fn row<'a>(parent: &'a FieldValue<'a>) -> Option<&'a Value> {
    parent.downcast_ref::<Value>().or_else(|| parent.downcast_ref::<Arc<Value>>().map(|row| &**row))
}

/// A text of a row.
pub fn text_of(row: Option<&Value>, key: &str) -> Option<String> {
    row?.get(key)?.as_str().map(str::to_owned)
}

fn scalar(value: &Value) -> Option<GraphqlValue> {
    match value {
        Value::Null => None,
        Value::Bool(is) => Some(GraphqlValue::Boolean(*is)),
        Value::Number(number) => Some(GraphqlValue::Number(number.clone())),
        Value::String(text) => Some(GraphqlValue::String(text.clone())),
        nested => GraphqlValue::from_json(nested.clone()).ok(),
    }
}

fn shown<'a>(value: &'a Value, holds: &Holds, is_list: bool) -> Option<FieldValue<'a>> {
    match (value, holds) {
        (Value::Null, _) => None,
        (Value::Array(rows), Holds::Object(_)) if is_list => {
            Some(FieldValue::list(rows.iter().filter(|row| row.is_object()).map(|row| FieldValue::borrowed_any(row))))
        }
        (row, Holds::Object(_)) => (row.is_object() && !is_list).then(|| FieldValue::borrowed_any(row)),
        (value, Holds::Scalar(_)) => scalar(value).map(FieldValue::value),
    }
}

/// A field of a view. All may be null but what names a row: a finding of an older version need not have all of them.
pub fn field_of(shape: &ShapeField) -> Field {
    let (key, holds, is_list) = (shape.key.clone(), shape.holds.clone(), shape.is_list);
    let name = match &holds {
        Holds::Scalar(name) => (*name).to_owned(),
        Holds::Object(name) => name.clone(),
    };
    let of = match (is_list, shape.is_id) {
        (true, _) => TypeRef::named_nn_list(name),
        (false, true) => TypeRef::named_nn(name),
        (false, false) => TypeRef::named(name),
    };
    let field = Field::new(&shape.name, of, move |context| {
        FieldFuture::Value(
            row(context.parent_value).and_then(|row| row.get(&key)).and_then(|v| shown(v, &holds, is_list)),
        )
    });
    match &shape.description {
        Some(description) => field.description(description),
        None => field,
    }
}

/// What the fields of one query share.
pub fn loads<'a>(context: &ResolverContext<'a>) -> Result<Arc<Loads>, Refusal> {
    let held = context.ctx.data::<Arc<Loads>>();
    held.cloned().map_err(|_| crate::problem::Problem::internal().into())
}

/// The answer of a field, or nothing and an error beside it: what else was asked for is answered all the same.
pub fn or_nothing<'a>(
    context: &ResolverContext<'a>,
    answered: Result<Option<FieldValue<'a>>, Refusal>,
) -> async_graphql::Result<Option<FieldValue<'a>>> {
    Ok(answered.unwrap_or_else(|refusal| {
        let error = refusal.into_error(context.ctx.item.pos);
        context.ctx.add_error(context.ctx.set_error_path(error));
        None
    }))
}

/// A row of a page, and its place there.
pub struct Edge {
    page: Arc<Page>,
    at: usize,
}

/// The page whose field is asked for.
fn page<'a>(parent: &'a FieldValue<'a>) -> Option<&'a Arc<Page>> {
    parent.downcast_ref::<Arc<Page>>()
}

/// `edges` of a connection.
pub fn edges<'a>(parent: &'a FieldValue<'a>) -> Option<FieldValue<'a>> {
    let page = page(parent)?;
    let edge = |at| FieldValue::owned_any(Edge { page: Arc::clone(page), at });
    Some(FieldValue::list((0..page.rows.len()).map(edge)))
}

/// `nodes` of a connection.
pub fn nodes<'a>(parent: &'a FieldValue<'a>) -> Option<FieldValue<'a>> {
    let rows = &page(parent)?.rows;
    Some(FieldValue::list(rows.iter().map(|row| FieldValue::owned_any(Arc::clone(row)))))
}

/// `pageInfo` of a connection.
pub fn page_info<'a>(parent: &'a FieldValue<'a>) -> Option<FieldValue<'a>> {
    Some(FieldValue::owned_any(Arc::clone(page(parent)?)))
}

/// `node` of an edge.
pub fn node<'a>(parent: &'a FieldValue<'a>) -> Option<FieldValue<'a>> {
    let edge = parent.downcast_ref::<Edge>()?;
    Some(FieldValue::owned_any(Arc::clone(edge.page.rows.get(edge.at)?)))
}

/// `cursor` of an edge.
pub fn cursor<'a>(parent: &'a FieldValue<'a>) -> Option<FieldValue<'a>> {
    let edge = parent.downcast_ref::<Edge>()?;
    // A list that goes on nowhere has no cursors.
    Some(FieldValue::value(edge.page.cursors.get(edge.at).map_or("", String::as_str)))
}

/// A field of `PageInfo`.
pub fn of_page<'a>(parent: &'a FieldValue<'a>, show: fn(&Page) -> Option<GraphqlValue>) -> Option<FieldValue<'a>> {
    show(page(parent)?).map(FieldValue::value)
}
