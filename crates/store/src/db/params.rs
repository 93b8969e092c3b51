//! What stands for the `?` of a query: arrays, tuples and slices, as rusqlite takes them.

use rusqlite::ToSql;

/// Values for the parameters of a query.
pub trait Params {
    /// Hands them to `go`.
    fn with<R>(self, go: impl FnOnce(&[&dyn ToSql]) -> R) -> R;
}

impl Params for &[&dyn ToSql] {
    fn with<R>(self, go: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        go(self)
    }
}

/// `[]`
impl Params for [&(dyn ToSql + Send + Sync); 0] {
    fn with<R>(self, go: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        go(&[])
    }
}

macro_rules! arrays {
    ($($n:literal)*) => {$(
        impl<T: ToSql> Params for [T; $n] {
            fn with<R>(self, go: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
                go(&self.each_ref().map(|value| value as &dyn ToSql))
            }
        }
    )*};
}
arrays!(1 2 3 4);

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: ToSql),+> Params for ($($name,)+) {
            fn with<R>(self, go: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
                #[allow(non_snake_case, reason = "one name for type and value")]
                let ($($name,)+) = &self;
                go(&[$($name as &dyn ToSql),+])
            }
        }
    };
}
tuples!(A B);
tuples!(A B C);

impl<T: ToSql> Params for &Vec<T> {
    fn with<R>(self, go: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        let values: Vec<&dyn ToSql> = self.iter().map(|value| value as &dyn ToSql).collect();
        go(&values)
    }
}
