//! The rows of the station's database, the same on SQLite and on PostgreSQL.
//!
//! A statement is written once, in what both understand:
//!
//! | | |
//! |---|---|
//! | values | `?1`, `?2`; PostgreSQL gets `$1` |
//! | times, truth | integers: `current = 1`, not `current` |
//! | what may be nothing | `(column = ?1 OR ?1 IS NULL)`: where a value stands first, its type is found |
//! | putting in again | `ON CONFLICT (columns) DO UPDATE SET column = table.column + excluded.column` |
//! | the greater of two | `CASE`; there is no `max` of two values, and no `iif` |
//! | sums | `CAST(sum(column) AS BIGINT)` |
//! | the number of a new row | `RETURNING number`; there is no `rowid` |
//!
//! The words of the schema that differ are in `postgres/schema.rs`.

use super::sqlcipher::SqlContext;
use crate::postgres::Tx;
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, params_from_iter};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

/// The rows, inside one transaction.
pub struct Rows<'a>(pub(super) In<'a>);

/// Where they are.
pub(super) enum In<'a> {
    Sqlite(&'a Connection),
    Postgres(&'a Tx<'a>),
}

/// A value of a statement or of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Nothing.
    Null,
    /// A number, a time in microseconds, or truth.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// What can be handed to a statement.
pub trait Bind {
    /// Its value.
    fn value(&self) -> Value<'_>;
}

/// What can be taken out of a row.
pub trait Column: Sized {
    /// The value as such; none when it is of another sort.
    fn of(value: Value<'_>) -> Option<Self>;
}

/// A row that was found.
pub enum Row<'a> {
    /// In SQLite.
    Sqlite(&'a rusqlite::Row<'a>),
    /// In PostgreSQL.
    Postgres(&'a tokio_postgres::Row),
}

fn could_not_read() -> String {
    "the station's database could not be read".into()
}

fn could_not_write() -> String {
    "the station's database could not write".into()
}

impl<'a> Rows<'a> {
    pub(super) fn of_sqlite(connection: &'a Connection) -> Self {
        Self(In::Sqlite(connection))
    }

    pub(crate) fn of_postgres(transaction: &'a Tx<'a>) -> Self {
        Self(In::Postgres(transaction))
    }

    /// Changes rows; gives how many.
    ///
    /// # Errors
    /// What keeps it from being written.
    pub fn run(&self, sql: &str, values: &[&dyn Bind]) -> Result<u64> {
        match &self.0 {
            In::Sqlite(connection) => connection
                .prepare_cached(sql)
                .and_then(|mut s| s.execute(params_from_iter(values.iter().map(|v| v.value()))))
                .map(|changed| changed as u64)
                .sql(could_not_write),
            In::Postgres(tx) => {
                let values: Vec<Value<'_>> = values.iter().map(|v| v.value()).collect();
                tx.run(&numbered(sql), &as_sql(&values))
            }
        }
    }

    /// Hands each row that a statement finds to `take`, one after the other.
    ///
    /// # Errors
    /// What keeps them from being read, and what `take` returns.
    pub fn each(&self, sql: &str, values: &[&dyn Bind], mut take: impl FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
        match &self.0 {
            In::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql).sql(could_not_read)?;
                let mut rows =
                    statement.query(params_from_iter(values.iter().map(|v| v.value()))).sql(could_not_read)?;
                while let Some(row) = rows.next().sql(could_not_read)? {
                    take(&Row::Sqlite(row))?;
                }
                Ok(())
            }
            In::Postgres(tx) => {
                let values: Vec<Value<'_>> = values.iter().map(|v| v.value()).collect();
                tx.all(&numbered(sql), &as_sql(&values))?.iter().try_for_each(|row| take(&Row::Postgres(row)))
            }
        }
    }

    /// All rows that a statement finds.
    ///
    /// # Errors
    /// What keeps them from being read.
    pub fn all<T>(
        &self,
        sql: &str,
        values: &[&dyn Bind],
        mut take: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        self.each(sql, values, |row| {
            all.push(take(row)?);
            Ok(())
        })?;
        Ok(all)
    }

    /// The first row that a statement finds.
    ///
    /// # Errors
    /// What keeps it from being read.
    pub fn one<T>(
        &self,
        sql: &str,
        values: &[&dyn Bind],
        take: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.all(sql, values, take)?.into_iter().next())
    }
}

fn as_sql<'v>(values: &'v [Value<'_>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// A statement with the values as PostgreSQL numbers them.
fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

impl Row<'_> {
    /// The value of a column, counted from 0.
    ///
    /// # Errors
    /// `Damaged` when it is of another sort.
    pub fn get<T: Column>(&self, column: usize) -> Result<T> {
        T::of(self.value(column)?).ok_or_else(|| odd(column))
    }

    /// The same as it is.
    ///
    /// # Errors
    /// `Damaged` when it is nothing that was written.
    pub fn value(&self, column: usize) -> Result<Value<'_>> {
        Ok(match self {
            Self::Sqlite(row) => match row.get_ref(column).sql(could_not_read)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(n) => Value::Integer(n),
                ValueRef::Real(x) => Value::Real(x),
                ValueRef::Text(text) => Value::Text(std::str::from_utf8(text).map_err(|_| odd(column))?),
                ValueRef::Blob(bytes) => Value::Bytes(bytes),
            },
            Self::Postgres(row) => row.try_get(column).map_err(|_| odd(column))?,
        })
    }
}

fn odd(column: usize) -> Error {
    Error::new(Kind::Damaged, format!("{}: column {column} is not what was written", could_not_read()))
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(n) => ValueRef::Integer(*n),
            Value::Real(x) => ValueRef::Real(*x),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

type Boxed = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut bytes::BytesMut) -> Result<IsNull, Boxed> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Integer(n) if *ty == Type::INT4 => i32::try_from(*n)?.to_sql(ty, out),
            Value::Integer(n) if *ty == Type::BOOL => (*n != 0).to_sql(ty, out),
            Value::Integer(n) => n.to_sql(&Type::INT8, out),
            Value::Real(x) => x.to_sql(ty, out),
            Value::Text(text) => text.to_sql(ty, out),
            // A UUID travels as its 16 bytes too.
            Value::Bytes(bytes) => bytes.to_sql(&Type::BYTEA, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        Ok(match *ty {
            Type::BOOL => Value::Integer(bool::from_sql(ty, raw)?.into()),
            Type::INT4 => Value::Integer(i32::from_sql(ty, raw)?.into()),
            Type::INT8 => Value::Integer(i64::from_sql(ty, raw)?),
            Type::FLOAT8 => Value::Real(f64::from_sql(ty, raw)?),
            Type::BYTEA | Type::UUID => Value::Bytes(raw),
            Type::TEXT | Type::VARCHAR | Type::NAME => Value::Text(std::str::from_utf8(raw)?),
            _ => return Err(format!("a column of type {ty} is not expected").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Boxed> {
        Ok(Value::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

macro_rules! bind {
    ($($type:ty: $value:ident => $as:expr;)*) => {
        $(impl Bind for $type {
            fn value(&self) -> Value<'_> {
                let $value = self;
                $as
            }
        })*
    };
}

bind! {
    i64: n => Value::Integer(*n);
    u64: n => Value::Integer(n.cast_signed());
    u32: n => Value::Integer((*n).into());
    usize: n => Value::Integer(i64::try_from(*n).unwrap_or(i64::MAX));
    bool: truth => Value::Integer((*truth).into());
    f64: x => Value::Real(*x);
    str: text => Value::Text(text);
    String: text => Value::Text(text);
    [u8]: bytes => Value::Bytes(bytes);
    Vec<u8>: bytes => Value::Bytes(bytes);
    Uuid: id => Value::Bytes(id.as_bytes());
    Sha256: hash => Value::Bytes(&hash.0);
    Timestamp: at => Value::Integer(at.as_microsecond());
}

impl<const N: usize> Bind for [u8; N] {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<T: Bind + ?Sized> Bind for &T {
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}

impl<T: Bind> Bind for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Bind::value)
    }
}

macro_rules! column {
    ($($type:ty: $pattern:pat => $as:expr;)*) => {
        $(impl Column for $type {
            fn of(value: Value<'_>) -> Option<Self> {
                if let $pattern = value { $as } else { None }
            }
        })*
    };
}

column! {
    i64: Value::Integer(n) => Some(n);
    u64: Value::Integer(n) => u64::try_from(n).ok();
    u32: Value::Integer(n) => u32::try_from(n).ok();
    bool: Value::Integer(n) => Some(n != 0);
    f64: Value::Real(x) => Some(x);
    String: Value::Text(text) => Some(text.to_owned());
    Vec<u8>: Value::Bytes(bytes) => Some(bytes.to_vec());
    Uuid: Value::Bytes(bytes) => Uuid::from_slice(bytes).ok();
    Sha256: Value::Bytes(bytes) => bytes.try_into().ok().map(Sha256);
    Timestamp: Value::Integer(us) => Timestamp::from_microsecond(us).ok();
}

impl<const N: usize> Column for [u8; N] {
    fn of(value: Value<'_>) -> Option<Self> {
        if let Value::Bytes(bytes) = value { bytes.try_into().ok() } else { None }
    }
}

impl<T: Column> Column for Option<T> {
    fn of(value: Value<'_>) -> Option<Self> {
        if value == Value::Null { Some(None) } else { T::of(value).map(Some) }
    }
}
