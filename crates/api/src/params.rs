//! Parameters: read once, strictly, into what the application asks with.
//!
//! Unknown and repeated names are refused: a filter that is silently left out gives an answer to another question.
//! Each query type reads its own parameters by name; what nobody read is unknown.

use app::queries::{PageLimit, PageQuery, Words};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use chrono::NaiveDate;
use model::{Cnpj, Money};
use serde::de::DeserializeOwned;
use serde::de::value::{Error as ValueError, StrDeserializer};

use crate::limits::ID_CHARS_MAX;
use crate::problem::Problem;

/// The most characters that a parameter may have.
const VALUE_CHARS_MAX: usize = 2_048;

/// What can be read from parameters.
pub trait FromParams: Sized {
    /// Takes its parameters.
    ///
    /// # Errors
    /// The problem that names the first parameter at fault.
    fn read(params: &mut Params) -> Result<Self, Problem>;
}

/// The parameters of one request; each is taken once.
#[derive(Debug, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// The parameters of `pairs`.
    ///
    /// # Errors
    /// A name that stands twice; a value that is too long.
    pub fn new(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        for (at, (name, value)) in pairs.iter().enumerate() {
            if pairs[..at].iter().any(|(other, _)| other == name) {
                return Err(Problem::invalid(name, "stands more than once"));
            }
            if value.chars().count() > VALUE_CHARS_MAX {
                return Err(Problem::invalid(name, format!("longer than {VALUE_CHARS_MAX} characters")));
            }
        }
        Ok(Self(pairs))
    }

    /// Everything was read.
    ///
    /// # Errors
    /// A name that nobody read.
    pub fn finish(self) -> Result<(), Problem> {
        match self.0.first() {
            Some((name, _)) => Err(Problem::invalid(name, "unknown parameter")),
            None => Ok(()),
        }
    }

    /// Everything that nobody has read, as lists of numbers (`3,3.5,4`).
    pub fn numbers(&mut self) -> Result<Vec<(String, Vec<f64>)>, Problem> {
        let refused = |name: &str| Problem::invalid(name, "not numbers parted by commas");
        let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite());
        std::mem::take(&mut self.0)
            .into_iter()
            .map(|(name, value)| {
                let numbers = value.split(',').map(number).collect::<Option<_>>().ok_or_else(|| refused(&name))?;
                Ok((name, numbers))
            })
            .collect()
    }

    /// A text that is not empty.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let Some(at) = self.0.iter().position(|(other, _)| other == name) else { return Ok(None) };
        let (_, value) = self.0.swap_remove(at);
        if value.trim().is_empty() {
            return Err(Problem::invalid(name, "is empty"));
        }
        Ok(Some(value))
    }

    /// A text that `parse` understands.
    fn parsed<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        let text = self.text(name)?;
        text.map(|text| parse(&text).map_err(|e| Problem::invalid(name, e.to_string()))).transpose()
    }

    /// One of the codes of `T`.
    pub fn code<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Problem> {
        self.parsed(name, |text| {
            T::deserialize(StrDeserializer::<ValueError>::new(text))
                .map_err(|e| e.to_string().replace("variant", "value"))
        })
    }

    /// A CNPJ, with or without punctuation.
    pub fn cnpj(&mut self, name: &str) -> Result<Option<Cnpj>, Problem> {
        self.parsed(name, Cnpj::parse)
    }

    /// A day, `AAAA-MM-DD` and nothing else.
    pub fn day(&mut self, name: &str) -> Result<Option<NaiveDate>, Problem> {
        self.parsed(name, |text| match model::dates::parse_iso(text) {
            Ok(day) if day.to_string() == text => Ok(day),
            _ => Err("not a day in the form AAAA-MM-DD"),
        })
    }

    /// An amount such as `-1234.5678`.
    pub fn money(&mut self, name: &str) -> Result<Option<Money>, Problem> {
        self.parsed(name, |text| {
            let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
            let refused = "not an amount: digits, a dot and at most four decimals";
            if plain { Money::parse(text).map_err(|_| refused) } else { Err(refused) }
        })
    }

    /// Words to seek.
    pub fn words(&mut self, name: &str) -> Result<Option<Words>, Problem> {
        let Some(at) = self.0.iter().position(|(other, _)| other == name) else { return Ok(None) };
        let (_, value) = self.0.swap_remove(at);
        Ok(Some(Words::parse(&value)?))
    }

    /// What one of the application's own readers understands.
    pub fn known<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> app::Result<T>) -> Result<Option<T>, Problem> {
        Ok(self.text(name)?.map(|text| parse(&text)).transpose()?)
    }
}

impl FromParams for () {
    fn read(_: &mut Params) -> Result<Self, Problem> {
        Ok(())
    }
}

impl FromParams for PageQuery {
    fn read(params: &mut Params) -> Result<Self, Problem> {
        let limit = params.parsed("limit", |text| {
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            let rows = if digits { text.parse().ok() } else { None };
            rows.and_then(PageLimit::new).ok_or("not a whole number from 1 to 100")
        })?;
        Ok(Self { limit, cursor: params.text("cursor")? })
    }
}

/// A query and its page, out of the request's parameters.
pub struct Asked<Q>(pub Q, pub PageQuery);

impl<Q: FromParams, S: Sync> FromRequestParts<S> for Asked<Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut params = params_of(parts)?;
        let asked = Self(Q::read(&mut params)?, PageQuery::read(&mut params)?);
        params.finish()?;
        Ok(asked)
    }
}

/// A query without pages, out of all of the request's parameters.
pub struct Filtered<Q>(pub Q);

impl<Q: FromParams, S: Sync> FromRequestParts<S> for Filtered<Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut params = params_of(parts)?;
        let query = Q::read(&mut params)?;
        params.finish()?;
        Ok(Self(query))
    }
}

/// The id in the path of a question, with its query out of all parameters.
pub struct IdWith<Q>(pub String, pub Q);

impl<Q: FromParams, S: Send + Sync> FromRequestParts<S> for IdWith<Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = id_of(parts, state).await?;
        let mut params = params_of(parts)?;
        let query = Q::read(&mut params)?;
        params.finish()?;
        Ok(Self(id, query))
    }
}

/// The id in the path of a question, with its query and page out of the parameters.
pub struct IdAsked<Q>(pub String, pub Q, pub PageQuery);

impl<Q: FromParams, S: Send + Sync> FromRequestParts<S> for IdAsked<Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = id_of(parts, state).await?;
        let Asked(query, page) = Asked::from_request_parts(parts, state).await?;
        Ok(Self(id, query, page))
    }
}

/// The id in the path of a question for one thing, which takes no parameters.
pub struct Id(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        params_of(parts)?.finish()?;
        Ok(Self(id_of(parts, state).await?))
    }
}

async fn id_of<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, Problem> {
    let path = Path::<String>::from_request_parts(parts, state).await;
    let Path(id) = path.map_err(|_| Problem::invalid("id", "not percent-encoded UTF-8"))?;
    short_enough(id)
}

/// An id, if one may be as long.
///
/// # Errors
/// Nothing is held under it: it is longer than any.
pub fn short_enough(id: String) -> Result<String, Problem> {
    if id.chars().count() > ID_CHARS_MAX { Err(Problem::not_found("no id is this long")) } else { Ok(id) }
}

fn params_of(parts: &Parts) -> Result<Params, Problem> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
        .map_err(|_| Problem::invalid("query", "not a query string"))?;
    Params::new(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Params {
        Params::new(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()).unwrap()
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(params(&[("d", "2024-02-29")]).day("d").is_ok());
        for text in ["2024/02/29", "2024-02-30", "29/02/2024", "2024-02-29T10:00", "2024-2-9"] {
            assert!(params(&[("d", text)]).day("d").is_err(), "{text}");
        }
        assert!(params(&[("v", "-1234.5")]).money("v").is_ok());
        for text in ["1e3", "1,5", "1.23456", "R$ 1", "--1", "1.2.3", "NaN"] {
            assert!(params(&[("v", text)]).money("v").is_err(), "{text}");
        }
        for text in ["0", "101", "-1", "+5", "1.0", "x", " 5"] {
            assert!(PageQuery::read(&mut params(&[("limit", text)])).is_err(), "{text}");
        }
        assert!(params(&[("id", " ")]).text("id").is_err());
        assert!(params(&[("what", "1")]).finish().is_err());
    }
}
