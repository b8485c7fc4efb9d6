//! JSON that says one thing. serde reads a list as a struct, by position, so that `["active"]` would do for a status;
//! and of two members of one name it takes the last in silence. Here both are errors. Pure.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

/// A `T` that was written as a JSON object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Object<T>(pub T);

impl<T> Deref for Object<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyMap<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyMap<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(OnlyMap(PhantomData)).map(Object)
    }
}

/// Any JSON value in which no object has two members of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Unambiguous(pub Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(Value::Bool(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
                // 1.0 is 1 to JSON, and to both engines but inside of lists and objects.
                if value.fract() == 0.0 && value.abs() < 9e18 {
                    return Ok(Value::from(value as i64));
                }
                Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that is none"))
            }

            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(value.into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(Unambiguous(element)) = list.next_element()? {
                    elements.push(element);
                }
                Ok(Value::Array(elements))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
                let mut members = Map::new();
                while let Some((name, Unambiguous(value))) = object.next_entry::<String, _>()? {
                    match members.entry(name) {
                        Entry::Vacant(vacant) => drop(vacant.insert(value)),
                        Entry::Occupied(there) => {
                            let name = there.key();
                            return Err(A::Error::custom(format!("the member {name:?} is there twice")));
                        }
                    }
                }
                Ok(Value::Object(members))
            }
        }

        deserializer.deserialize_any(Any).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_serde_json_reads() {
        let text = r#"{"a":[1,-2,2.5,true,null,"x\u00e4",{"b":{}},[]],"c":18446744073709551615}"#;
        let Unambiguous(value) = serde_json::from_str(text).expect("parses");
        assert_eq!(value, serde_json::from_str::<Value>(text).expect("parses"));
        assert_eq!(value.to_string(), serde_json::from_str::<Value>(text).expect("parses").to_string());
        let Unambiguous(value) = serde_json::from_str("[1.0,-0.0,1e3,2.5,1e16]").expect("parses");
        assert_eq!(value.to_string(), "[1,0,1000,2.5,10000000000000000]");
        for bad in [r#"{"a":1,"a":2}"#, r#"{"x":[{"a":1,"a":1}]}"#, "1e400", "{} {}", "[1,]"] {
            serde_json::from_str::<Unambiguous>(bad).expect_err(bad);
        }
    }
}
