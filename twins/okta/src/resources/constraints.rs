//! What kinds of factors an app's rule asks for.

use serde_json::Value;

/// The body of a call that writes a rule, with the kinds of factors in capitals: the public document has them so, and
/// Okta's own guide (developer.okta.com/docs/guides/policy-rule-prioritization/) sends and shows them in small letters.
/// None where there is nothing to change.
pub(crate) fn in_capitals(operation: &str, body: &[u8]) -> Option<Vec<u8>> {
    if !["createPolicyRule", "replacePolicyRule"].contains(&operation) {
        return None;
    }
    let mut body: Value = serde_json::from_slice(body).ok()?;
    let all = body.pointer_mut("/actions/appSignOn/verificationMethod/constraints")?.as_array_mut()?;
    let factors = all.iter_mut().filter_map(Value::as_object_mut).flat_map(|one| one.values_mut());
    let kinds = factors.filter_map(|factor| factor.get_mut("types")?.as_array_mut()).flatten();
    let mut any = false;
    for kind in kinds {
        if let Some(text) = kind.as_str().map(str::to_uppercase) {
            *kind = Value::from(text);
            any = true;
        }
    }
    any.then(|| body.to_string().into_bytes())
}
