//! Who calls an API.

use smol_str::SmolStr;

use crate::model::token::Holder;

/// Who calls: the holder of an access token.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Whose rights the call has.
    pub holder: Holder,
    /// The holder's mail address.
    pub name: SmolStr,
    /// The OAuth client or service account that the token was issued to, by id: files an app made are its own.
    pub app: SmolStr,
    /// The token's scopes.
    pub scopes: Vec<SmolStr>,
    /// The number of the project whose quota the call counts against.
    pub project: SmolStr,
}
