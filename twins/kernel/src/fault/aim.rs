//! Whether there is anything that a rule can strike.

use std::sync::Arc;

use super::{
    armed::glob,
    effect::Strikes,
    rule::{Part, Rule},
    told::RuleError,
};
use crate::{
    diagnostic::{Diagnostic, nearest},
    operation::info::OperationInfo,
};

/// What rules strike: a twin, as far as rules name it.
pub trait Target {
    /// The twin's name.
    fn name(&self) -> &'static str;
    /// Its operation table.
    fn operations(&self) -> &[OperationInfo];
}

/// Looks for a twin, and an operation of it, that a rule on calls can strike.
///
/// # Errors
/// Which is not there, with what may have been meant; also where a pattern cannot be read.
pub fn aimed<T: Target + ?Sized>(rule: &Rule, twins: &[Arc<T>]) -> Result<(), RuleError> {
    let nobody = |part: Part, what: String, hint: String| RuleError::Nobody { rule: rule.id.clone(), what, hint, part };
    let on = &rule.on;
    let of_twin = glob(&rule.id, Part::Twin, on.twin.as_deref().unwrap_or("*"))?.compile_matcher();
    let meant: Vec<&Arc<T>> = twins.iter().filter(|host| of_twin.is_match(host.name())).collect();
    if let (Some(twin), true) = (&on.twin, meant.is_empty()) {
        let known = twins.iter().map(|host| host.name());
        let Diagnostic { hint, .. } = Diagnostic::whole("", "").suggest(twin, known);
        return Err(nobody(Part::Twin, format!("there is no twin `{twin}`"), hint));
    }
    let (Strikes::Calls, Some(name)) = (rule.strikes(), &on.operation) else { return Ok(()) };
    let fits = glob(&rule.id, Part::Operation, name)?.compile_matcher();
    let has = |host: &&Arc<T>| host.operations().iter().any(|operation| fits.is_match(operation.id));
    if meant.iter().any(&has) {
        return Ok(());
    }
    let what = match meant[..] {
        [only] => format!("{} has no operation `{name}`", only.name()),
        _ => format!("no twin has an operation `{name}`"),
    };
    let hint = match twins.iter().find(|host| has(host)) {
        Some(other) => format!("{} has such an operation", other.name()),
        None => nearest(name, meant.iter().flat_map(|host| host.operations()).map(|operation| operation.id)),
    };
    Err(nobody(Part::Operation, what, hint))
}
