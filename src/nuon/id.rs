//! Ids of the server, a type for each kind, so that none is taken for another and none is empty. Copies share one text. Pure.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl Id for $name {
            fn new(text: impl Into<String>) -> Option<Self> {
                let text: String = text.into();
                (!text.is_empty()).then(|| Self(text.into()))
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// Of a deploy.
    DeployId
    /// Of a workflow.
    WorkflowId
    /// Of a build.
    BuildId
    /// Of an install, or its name until that is resolved.
    InstallId
    /// Of an app, or its name.
    AppId
    /// Of a run of an app branch, or of its workflow.
    RunId
    /// Of a component, or its name until that is resolved.
    ComponentId
    /// Of a component in an install.
    InstallComponentId
}

impl ComponentId {
    /// What stands for the component where a workflow is gated as a whole.
    pub fn all() -> Self {
        Self("all".into())
    }
}

/// An id of some kind.
pub trait Id: Sized {
    /// The id that a text is, unless it is empty.
    fn new(text: impl Into<String>) -> Option<Self>;
}

/// Reads an id that the server may leave out or empty.
///
/// # Errors
/// It is not a text, or holds what no id does: blanks, or what cannot be seen.
pub fn optional<'de, T: Id, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(D::Error::custom(format!("{text:?} is no id")));
    }
    Ok(T::new(text))
}
