//! Arguments by name: from query, form, path or JSON, read into a typed struct.
//!
//! Forms and queries carry text only, so numbers, booleans, lists and objects are read from text where the struct
//! wants them; this is what the services' own front ends do.

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor, value::Error as DeError,
};
use serde_json::{Map, Value};

/// Arguments by name, in the order given.
pub type Args = Map<String, Value>;

/// An argument that is missing or not what the operation takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgError {
    /// A required argument is not there.
    #[error("missing {0}")]
    Missing(String),
    /// An argument's value does not fit; the second text says why.
    #[error("bad {0}: {1}")]
    Invalid(String, String),
}

/// Reads `args` into `A`. Unknown names are left to `A` (`deny_unknown_fields` or not).
///
/// # Errors
/// The first argument that is missing or does not fit.
pub fn read<A: DeserializeOwned>(args: Args) -> Result<A, ArgError> {
    let mut at = String::new();
    A::deserialize(Named { args, at: &mut at }).map_err(|error| {
        let text = error.to_string();
        match text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            Some(name) => ArgError::Missing(name.to_owned()),
            None => ArgError::Invalid(at, text),
        }
    })
}

/// The top level: a map from name to lenient value, which remembers the name it reads.
struct Named<'a> {
    args: Args,
    at: &'a mut String,
}

impl<'de> Deserializer<'de> for Named<'_> {
    type Error = DeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_map(Fields { rest: self.args.into_iter(), value: None, at: Some(self.at) })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Fields<'a> {
    rest: serde_json::map::IntoIter,
    value: Option<Value>,
    at: Option<&'a mut String>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = DeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DeError> {
        let Some((name, value)) = self.rest.next() else {
            return Ok(None);
        };
        if let Some(at) = &mut self.at {
            name.clone_into(at);
        }
        self.value = Some(value);
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, DeError> {
        seed.deserialize(Lenient(self.value.take().unwrap_or(Value::Null)))
    }
}

/// A value that may be text for something else.
struct Lenient(Value);

impl Lenient {
    /// Text that holds JSON of the wanted kind, parsed; anything else as it is.
    fn unpacked(self, wanted: fn(&Value) -> bool) -> Value {
        if let Value::String(text) = &self.0
            && let Ok(value) = serde_json::from_str::<Value>(text)
            && wanted(&value)
        {
            return value;
        }
        self.0
    }
}

macro_rules! number_from_text {
    ($($method:ident $visit:ident $type:ty),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
            match &self.0 {
                Value::String(text) => match text.trim().parse::<$type>() {
                    Ok(number) => visitor.$visit(number),
                    Err(_) => Err(DeError::custom(format!("`{text}` is not a number"))),
                },
                _ => self.0.$method(visitor).map_err(DeError::custom),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Lenient {
    type Error = DeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.0.deserialize_any(visitor).map_err(DeError::custom)
    }

    number_from_text! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
        deserialize_f32 visit_f32 f32, deserialize_f64 visit_f64 f64,
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        let truth = match &self.0 {
            Value::Bool(truth) => Some(*truth),
            Value::Number(number) => number.as_u64().map(|n| n != 0),
            Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" | "" => Some(false),
                _ => None,
            },
            _ => None,
        };
        match truth {
            Some(truth) => visitor.visit_bool(truth),
            None => Err(DeError::custom(format!("`{}` is not true or false", self.0))),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match self.0 {
            Value::String(text) => visitor.visit_string(text),
            // A service reads JSON numbers and booleans as text where it wants text.
            Value::Number(number) => visitor.visit_string(number.to_string()),
            Value::Bool(truth) => visitor.visit_string(truth.to_string()),
            other => other.deserialize_string(visitor).map_err(DeError::custom),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        match self.unpacked(Value::is_array) {
            Value::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            // `a,b,c` is a list of texts.
            Value::String(text) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                visitor.visit_seq(Items(parts.map(Value::from).collect::<Vec<_>>().into_iter()))
            }
            other => Err(DeError::custom(format!("`{other}` is not a list"))),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeError> {
        self.unpacked(Value::is_object).deserialize_map(visitor).map_err(DeError::custom)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        self.unpacked(Value::is_object).deserialize_struct(name, fields, visitor).map_err(DeError::custom)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, DeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeError> {
        match self.0 {
            Value::String(text) => visitor.visit_enum(Word(text)),
            other => other.deserialize_enum(name, variants, visitor).map_err(DeError::custom),
        }
    }

    serde::forward_to_deserialize_any! { i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any }
}

struct Items(std::vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Items {
    type Error = DeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DeError> {
        self.0.next().map(|value| seed.deserialize(Lenient(value))).transpose()
    }
}

/// A word for a variant without content.
struct Word(String);

impl<'de> EnumAccess<'de> for Word {
    type Error = DeError;
    type Variant = Unit;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Unit), DeError> {
        seed.deserialize(self.0.into_deserializer()).map(|value| (value, Unit))
    }
}

struct Unit;

impl<'de> VariantAccess<'de> for Unit {
    type Error = DeError;

    fn unit_variant(self) -> Result<(), DeError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, DeError> {
        Err(DeError::custom("expected a word"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, DeError> {
        Err(DeError::custom("expected a word"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, DeError> {
        Err(DeError::custom("expected a word"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Sample {
        channel: String,
        limit: Option<u32>,
        #[serde(default)]
        force: bool,
        #[serde(default)]
        users: Vec<String>,
        blocks: Option<Vec<Value>>,
        #[serde(default)]
        order: Option<Order>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        Up,
        Down,
    }

    fn args(json: &str) -> Args {
        serde_json::from_str(json).expect("is an object")
    }

    #[test]
    fn text_stands_for_what_is_wanted() {
        let sample: Sample = read(args(
            r#"{"channel":"C1","limit":"20","force":"true","users":"U1, U2","blocks":"[{\"type\":\"divider\"}]","order":"down","x":1}"#,
        ))
        .expect("reads");
        assert_eq!(sample.limit, Some(20));
        assert!(sample.force);
        assert_eq!(sample.users, ["U1", "U2"]);
        assert_eq!(sample.blocks.map(|b| b.len()), Some(1));
        assert_eq!(sample.order, Some(Order::Down));
    }

    #[test]
    fn json_is_read_as_it_is() {
        let sample: Sample =
            read(args(r#"{"channel":5,"limit":20,"force":true,"users":["U1"],"blocks":[],"order":null}"#))
                .expect("reads");
        assert_eq!((sample.channel.as_str(), sample.order), ("5", None));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |json: &str, wrong: ArgError| {
            let error = read::<Sample>(args(json)).expect_err("is wrong");
            assert_eq!(std::mem::discriminant(&error), std::mem::discriminant(&wrong));
            let name = |e: ArgError| match e {
                ArgError::Missing(name) | ArgError::Invalid(name, _) => name,
            };
            assert_eq!(name(error), name(wrong));
        };
        check("{}", ArgError::Missing("channel".into()));
        check(r#"{"limit":"x","channel":"C"}"#, ArgError::Invalid("limit".into(), String::new()));
        check(r#"{"channel":{},"limit":1}"#, ArgError::Invalid("channel".into(), String::new()));
        check(r#"{"channel":"C","force":"maybe"}"#, ArgError::Invalid("force".into(), String::new()));
    }
}
