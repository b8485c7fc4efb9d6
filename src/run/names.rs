//! An install or a component that is given by its name: its id is asked for once.

use serde_json::Value;

use crate::base::outcome::Ending;
use crate::nuon::id::{ComponentId, Id, InstallId};
use crate::nuon::look::{self, Look, Miss, Unread};
use crate::nuon::target::{Target, segment};
use crate::run::session::Session;
use crate::watch::pin;

/// Whether a text is an id, well-shaped or not: shapes change. Anything else is a name.
pub fn is_id(text: &str, prefix: &str) -> bool {
    text.starts_with(prefix) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// What to tell the user of an id whose shape is not the server's.
pub fn strange_shape(what: &str, id: &str, prefix: &str) -> Option<String> {
    (!pin::is_shaped(id, prefix)).then(|| {
        format!("{what} {id} does not look like an id, which is {prefix} and 23 lower-case letters or digits; it is taken as it is")
    })
}

/// The target with ids for names. What only begins like an id may be a name (`cmpapi`, `inlet`); where the server knows
/// none, it is taken for an id.
///
/// # Errors
/// The look that brought no id, or a signal.
pub fn resolve(target: &Target, session: &mut Session<'_, '_>) -> Result<Target, Unread> {
    let (install, component) = (&target.install, &target.component);
    if pin::is_shaped(install, "inl") && pin::is_shaped(component, "cmp") {
        return Ok(target.clone());
    }
    let may_be_ids = is_id(install, "inl") && is_id(component, "cmp");
    let document = match ask_for_install(install, session) {
        Err(unread) if may_be_ids && is_final(&unread) => return Ok(target.clone()),
        document => document?,
    };
    let found = id_of(&document)?;
    let component = component_of(&found, component, &document, session)?;
    Ok(Target { install: found, component })
}

/// The same where only the install is one: a workflow is gated as a whole.
///
/// # Errors
/// The look that brought no id, or a signal.
pub fn resolve_install(target: &Target, session: &mut Session<'_, '_>) -> Result<Target, Unread> {
    let install = &target.install;
    if pin::is_shaped(install, "inl") {
        return Ok(target.clone());
    }
    let found = match install_id(install, session) {
        Err(unread) if is_id(install, "inl") && is_final(&unread) => install.clone(),
        found => found?,
    };
    Ok(Target { install: found, component: target.component.clone() })
}

/// The id of an install that may be given by its name.
///
/// # Errors
/// The look that brought no id, or a signal.
pub fn install_id(install: &InstallId, session: &mut Session<'_, '_>) -> Result<InstallId, Unread> {
    id_of(&ask_for_install(install, session)?)
}

fn id_of(install: &Value) -> Result<InstallId, Unread> {
    let found = install["id"].as_str().filter(|id| is_id(id, "inl")).and_then(InstallId::new);
    found.ok_or_else(|| strange("the install has no id"))
}

/// The id of a component that may be given by its name.
fn component_of(
    install: &InstallId,
    component: &ComponentId,
    document: &Value,
    session: &mut Session<'_, '_>,
) -> Result<ComponentId, Unread> {
    if pin::is_shaped(component, "cmp") {
        return Ok(component.clone());
    }
    let may_be_id = is_id(component, "cmp");
    let mut components = document["install_components"].as_array().cloned().unwrap_or_default();
    if named(&components, component).is_empty() {
        components = match session.pages(&format!("/v1/installs/{}/components", segment(install))) {
            Err(unread) if may_be_id && is_final(&unread) => Vec::new(),
            pages => pages.map_err(|unread| unknown("component", component, unread))?,
        };
    }
    match named(&components, component).as_slice() {
        [id] => Ok(id.clone()),
        [] if may_be_id => Ok(component.clone()),
        [] => Err(not_found(format!("the install {install} has no component \"{component}\""))),
        ids => Err(not_found(format!("the install {install} has {} components \"{component}\"", ids.len()))),
    }
}

/// Whether asking again would not change it.
fn is_final(unread: &Unread) -> bool {
    matches!(unread, Unread::Look(look) if matches!(**look, Look::Absent(_) | Look::Refused(..)))
}

/// The server's answer about an install, by its id or name.
///
/// # Errors
/// The look that brought none, or a signal.
pub fn ask_for_install(install: &str, session: &mut Session<'_, '_>) -> Result<Value, Unread> {
    let answer = session.get(&format!("/v1/installs/{}", segment(install)));
    let document = look::json(answer, session.clock.utc()).map_err(|unread| unknown("install", install, unread))?;
    match document["id"].as_str() {
        Some(id) if id == install || document["name"] == *install && !id.is_empty() => Ok(document),
        _ => Err(strange("the answer is about another install")),
    }
}

/// The ids of the components of that name; what is the id of one is no other's name.
fn named(components: &[Value], name: &str) -> Vec<ComponentId> {
    let id = |entry: &Value| {
        let ids = [&entry["component_id"], &entry["component"]["id"]];
        ids.into_iter().filter_map(Value::as_str).find(|id| is_id(id, "cmp")).and_then(ComponentId::new)
    };
    let mut ids: Vec<ComponentId> = components
        .iter()
        .filter(|entry| entry["component"]["name"] == name || entry["component_name"] == name)
        .filter_map(id)
        .collect();
    ids.extend(components.iter().filter_map(id).find(|id| **id == *name));
    if ids.iter().any(|id| **id == *name) {
        ids.retain(|id| **id == *name);
    }
    ids.sort();
    ids.dedup();
    ids
}

fn not_found(why: String) -> Unread {
    Look::Refused(Ending::NotFound, why).into()
}

fn strange(why: &str) -> Unread {
    Look::Missed(Miss::new(format!("200, but {why}"))).into()
}

fn unknown(what: &str, name: &str, unread: Unread) -> Unread {
    match unread {
        Unread::Look(look) => match *look {
            Look::Absent(miss) => not_found(format!("the {what} \"{name}\" is not known: {}", miss.why)),
            other => other.into(),
        },
        signal => signal,
    }
}
