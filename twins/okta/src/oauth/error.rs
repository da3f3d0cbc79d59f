//! Refusals of the OAuth endpoints: their codes, statuses and words.
//!
//! See developer.okta.com/docs/reference/error-codes/#okta-oauth-2-0-error-codes, which has them all.

use std::borrow::Cow;

use dtu_kernel::wire::Answer;
use http::{HeaderName, StatusCode, header};
use serde_json::json;
use smol_str::SmolStr;

/// A refusal in the envelope of RFC 6749.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthError {
    status: u16,
    /// The code (`invalid_grant`).
    pub error: &'static str,
    /// The words.
    pub description: Cow<'static, str>,
    /// A nonce that the caller is to put into its next proof of its key.
    nonce: Option<String>,
    /// What to answer in `WWW-Authenticate`.
    challenge: Option<String>,
    /// Whether there is a body: the API refuses a token without the scope by the header alone.
    bare: bool,
    /// Whether what the call has changed stays: by default a refused call leaves no trace.
    kept: bool,
    /// By which a sign-in goes on that lacks a further factor (`mfa_token`).
    mfa_token: Option<SmolStr>,
}

impl OAuthError {
    const fn new(status: u16, error: &'static str, description: &'static str) -> Self {
        let description = Cow::Borrowed(description);
        Self { status, error, description, nonce: None, challenge: None, bare: false, kept: false, mfa_token: None }
    }

    /// The same with a nonce for the next proof.
    #[must_use]
    pub fn with_nonce(self, nonce: String) -> Self {
        Self { nonce: Some(nonce), ..self }
    }

    /// The same with `WWW-Authenticate`.
    #[must_use]
    pub fn challenging(self, challenge: String) -> Self {
        Self { challenge: Some(challenge), ..self }
    }

    /// The same without a body.
    #[must_use]
    pub fn bare(self) -> Self {
        Self { bare: true, ..self }
    }

    /// The same, where the refused call leaves a trace.
    #[must_use]
    pub fn kept(self) -> Self {
        Self { kept: true, ..self }
    }

    /// The same with the token by which the sign-in goes on.
    #[must_use]
    pub fn with_mfa_token(self, token: SmolStr) -> Self {
        Self { mfa_token: Some(token), ..self }
    }

    /// Whether the refused call leaves a trace.
    pub const fn is_kept(&self) -> bool {
        self.kept
    }

    fn worded(self, description: String) -> Self {
        Self { description: Cow::Owned(description), ..self }
    }

    /// The same with another status: some endpoints have their own.
    #[must_use]
    pub fn at(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The status.
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The answer, and the code for the ledger.
    pub fn answer(&self) -> (Answer, SmolStr) {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut answer = if self.bare {
            Answer::empty(status)
        } else {
            let mut body = json!({ "error": self.error, "error_description": self.description });
            if let Some(token) = &self.mfa_token {
                body["mfa_token"] = json!(token);
            }
            Answer::json(&body).with_status(status)
        };
        if let Some(nonce) = &self.nonce {
            answer = answer.with_header(HeaderName::from_static("dpop-nonce"), nonce);
        }
        if let Some(challenge) = &self.challenge {
            answer = answer.with_header(header::WWW_AUTHENTICATE, challenge);
        }
        (answer, SmolStr::new_static(self.error))
    }
}

macro_rules! refusals {
    ($($name:ident = $status:literal, $error:literal, $words:literal;)*) => {
        $(
            #[doc = concat!("`", $error, "`: ", $words)]
            pub const $name: OAuthError = OAuthError::new($status, $error, $words);
        )*
    };
}

refusals! {
    TOO_MANY = 429, "invalid_grant", "API call exceeded rate limit due to too many requests.";
    CLIENT = 401, "invalid_client", "Client authentication failed. Either the client or the client credentials are invalid.";
    NO_CREDENTIALS = 401, "invalid_client", "No client credentials found.";
    BAD_BASIC = 401, "invalid_client", "Found Authentication header but was not valid client credentials.";
    CLIENT_ID = 401, "invalid_client", "Invalid value for 'client_id' parameter.";
    SECRET = 401, "invalid_client", "The client secret supplied for a confidential client is invalid.";
    ORG_NEEDS_KEY = 401, "invalid_client", "Client Credentials requests to the Org Authorization Server must use the private_key_jwt token_endpoint_auth_method.";
    ORG_NEEDS_SERVICE = 401, "invalid_client", "Only clients with 'application_type' of 'service' may use the client_credentials 'grant_type' with the Org Authorization Server.";
    ASSERTION_ISSUER = 401, "invalid_client", "The issuer claim for client_assertion is not a valid client_id.";
    ASSERTION_SUBJECT = 401, "invalid_client", "The subject claim for client_assertion is not a valid client_id.";
    ASSERTION_AUDIENCE = 401, "invalid_client", "The audience claim for client_assertion must be the endpoint invoked for the request.";
    ASSERTION_NO_EXPIRY = 401, "invalid_client", "The client_assertion must contain the 'exp' claim as seconds since epoch.";
    ASSERTION_EXPIRED = 401, "invalid_client", "The client_assertion token is expired.";
    ASSERTION_TOO_FAR = 401, "invalid_client", "The client_assertion token has an expiration too far into the future.";
    ASSERTION_FUTURE = 401, "invalid_client", "The client_assertion token must be issued before the current time.";
    ASSERTION_USED = 401, "invalid_client", "The client_assertion token has already been used.";
    ASSERTION_SIGNATURE = 401, "invalid_client", "The client_assertion signature is invalid.";
    ASSERTION_UNREADABLE = 401, "invalid_client", "The parsing of the client_assertion failed.";
    ASSERTION_KID = 401, "invalid_client", "The client_assertion JWT kid is invalid.";
    ASSERTION_ALGORITHM = 401, "invalid_client", "The client_assertion JWT signature algorithm is invalid.";
    ASSERTION_NO_KEYS = 401, "invalid_client", "The client does not have a JWKSet configured, but the client_assertion requires one.";
    ASSERTION_NO_SECRET = 401, "invalid_client", "The issuer and subject claim for client_assertion is invalid because the client does not have a client secret.";
    ASSERTION_TYPE = 400, "invalid_request", "The client_assertion_type is invalid.";
    MANY_CREDENTIALS = 401, "invalid_request", "Cannot supply multiple client credentials. Use one of the following: credentials in the Authorization header, credentials in the post body, or a client_assertion in the post body.";
    CREDENTIALS_IN_QUERY = 400, "invalid_request", "Client credentials cannot be supplied via query parameters.";
    DPOP = 400, "invalid_dpop_proof", "The DPoP proof JWT is invalid.";
    DPOP_MISSING = 400, "invalid_dpop_proof", "The DPoP proof JWT header is missing.";
    DPOP_MANY = 400, "invalid_dpop_proof", "Multiple DPoP proof JWT headers are not allowed.";
    DPOP_TYPE = 400, "invalid_dpop_proof", "'typ' must be 'dpop+jwt' in the DPoP proof JWT.";
    DPOP_ALGORITHM = 400, "invalid_dpop_proof", "The DPoP proof JWT signature algorithm is invalid.";
    DPOP_UNREADABLE = 400, "invalid_dpop_proof", "The DPoP proof JWT cannot be parsed.";
    DPOP_SIGNATURE = 400, "invalid_dpop_proof", "The DPoP proof JWT signature is invalid.";
    DPOP_HTM = 400, "invalid_dpop_proof", "'htm' claim in the DPoP proof JWT is invalid.";
    DPOP_HTU = 400, "invalid_dpop_proof", "'htu' claim in the DPoP proof JWT is invalid.";
    DPOP_IAT = 400, "invalid_dpop_proof", "'iat' claim in the DPoP proof JWT is invalid.";
    DPOP_FUTURE = 400, "invalid_dpop_proof", "The DPoP proof JWT is issued in the future.";
    DPOP_OLD = 400, "invalid_dpop_proof", "The DPoP proof JWT is issued more than five minutes in the past.";
    DPOP_JTI = 400, "invalid_dpop_proof", "'jti' claim in the DPoP proof JWT is invalid.";
    DPOP_USED = 400, "invalid_dpop_proof", "The DPoP proof JWT has already been used.";
    DPOP_ATH = 400, "invalid_dpop_proof", "'ath' claim in the DPoP proof does not match the presented access_token.";
    DPOP_BINDING = 400, "invalid_dpop_proof", "The access_token is not bound to the provided DPoP proof.";
    DPOP_REFRESH_BINDING = 400, "invalid_dpop_proof", "Invalid DPoP Public Key binding in refresh token";
    DPOP_NONCE = 400, "use_dpop_nonce", "Authorization server requires nonce in DPoP proof.";
    DPOP_REQUIRED = 400, "invalid_request", "The resource request requires a DPoP proof.";
    DPOP_SCHEME = 400, "invalid_request", "The resource request must use the DPoP authentication scheme when using a DPoP bound token.";
    NOT_BOUND = 401, "invalid_token", "The presented access_token is not DPoP bound.";
    TOKEN_INVALID = 401, "invalid_token", "The access token is invalid.";
    TOKEN_EXPIRED = 401, "invalid_token", "The token has expired.";
    TOKEN_REVOKED = 401, "invalid_token", "The access token has been revoked.";
    TOKEN_ISSUER = 401, "invalid_token", "The access token provided has an invalid issuer.";
    TOKEN_MISSING = 401, "invalid_request", "The access token is missing.";
    TOKEN_IN_QUERY = 400, "invalid_request", "The access token cannot be presented in a query string.";
    INSUFFICIENT = 403, "insufficient_scope", "The access token provided does not contain the required scopes.";
    PKCE = 400, "invalid_grant", "PKCE verification failed.";
    CODE = 400, "invalid_grant", "The authorization code is invalid or has expired.";
    DEVICE_CODE = 400, "invalid_grant", "The device code is invalid or has expired.";
    OTHER_CLIENT = 400, "invalid_grant", "The grant was issued to another client. Please make sure the 'client_id' matches the one used at the authorize request.";
    OTHER_REDIRECT = 400, "invalid_grant", "The 'redirect_uri' does not match the redirection URI used in the authorization request.";
    OTHER_SERVER = 400, "invalid_request", "The grant was issued for another authorization server.";
    REFRESH = 400, "invalid_grant", "The refresh token is invalid or expired.";
    PASSWORD = 400, "invalid_grant", "The credentials provided were invalid.";
    PASSWORD_EXPIRED = 400, "invalid_grant", "Password has expired.";
    SIGN_ON_POLICY = 400, "invalid_grant", "Resource owner password credentials authentication denied by sign on policy.";
    NO_PASSWORD = 400, "invalid_grant", "The user does not configure a password.";
    NO_TOKEN = 400, "invalid_request", "The 'token' parameter is required.";
    REDIRECT = 400, "invalid_request", "The 'redirect_uri' parameter must be a Login redirect URI in the client app settings.";
    LOGOUT_REDIRECT = 400, "invalid_request", "The 'post_logout_redirect_uri' parameter must be a Logout redirect URI in the client app settings.";
    STATE = 400, "invalid_request", "The authentication request has an invalid 'state' parameter.";
    NONCE = 400, "invalid_request", "The 'nonce' parameter is required for authorize requests with either the 'id_token' or 'token' response types..";
    PROMPT = 400, "invalid_request", "Invalid value for 'prompt' parameter. Supported values: [none, consent, login, enroll_authenticator]";
    PROMPT_ZERO_AGE = 400, "invalid_request", "'prompt' parameter must not have the value 'none' for request with 'zero' as max_age.";
    ENROLL = 400, "invalid_request", "Authenticator enrollment requires 'none' response_type.";
    MAX_AGE = 400, "invalid_request", "Invalid value for 'max_age' parameter. It should be within range 0 - 2^31-1.";
    IDP = 400, "invalid_request", "Identity provider is not valid.";
    SERVICE_APP = 400, "invalid_request", "Clients with 'application_type' of 'service' are not allowed to access the 'authorize' endpoint.";
    CHALLENGE = 400, "invalid_request", "PKCE code challenge contains illegal characters.";
    NO_CHALLENGE = 400, "invalid_request", "PKCE code challenge is required by the application.";
    UNASKED_VERIFIER = 400, "invalid_request", "PKCE code challenge should be specified in the authorize request for code verification.";
    NO_VERIFIER = 400, "invalid_request", "PKCE code verifier is required by the application.";
    CHALLENGE_METHOD = 400, "invalid_request", "PKCE code challenge method is not supported. Valid values: [S256]";
    TWO_REQUESTS = 400, "invalid_request", "The authorize request must not contain both a request object and a request uri.";
    PUSHED_URI = 400, "invalid_request", "The 'request_uri' parameter must not be present in the request.";
    REQUEST_URI = 400, "invalid_request_uri", "The authorize request_uri is invalid.";
    REQUEST_URI_SERVER = 400, "invalid_request_uri", "The request_uri was issued for another authorization server.";
    REQUEST_URI_CLIENT = 401, "invalid_client", "The 'client_id' parameter does not match the expected value for the provided request_uri.";
    INTERCLIENT = 403, "access_denied", "No trust relationship exists between the client app and the target app.";
    UNMET = 400, "unmet_authentication_requirements", "The user can't meet the authentication requirements of the request.";
    DENIED = 403, "access_denied", "The resource owner or authorization server denied the request.";
    UNASSIGNED = 400, "access_denied", "User is not assigned to the client application.";
    POLICY = 401, "access_denied", "Policy evaluation failed for this request, please check the policy configurations.";
    LOGIN_REQUIRED = 400, "login_required", "The client specified not to prompt, but the user is not logged in.";
    MORE_NEEDED = 400, "login_required", "The client specified not to prompt, but the client app requires re-authentication or MFA.";
    PENDING = 400, "authorization_pending", "The device authorization is pending. Please try again later.";
    SLOW_DOWN = 400, "slow_down", "Slow down the polling frequency. Please try again later.";
    DEVICE_EXPIRED = 400, "expired_token", "The device code has expired.";
    USER_CODE = 400, "invalid_user_code", "The user code is invalid or has expired.";
    NO_ORG_SCOPES = 400, "consent_required", "You are not allowed any of the requested scopes.";
    NO_SCOPES = 400, "invalid_scope", "No scopes were requested.";
    NO_DEFAULT_SCOPES = 400, "invalid_scope", "The authorization server resource does not have any configured default scopes, 'scope' must be provided.";
    SCOPE = 400, "invalid_scope", "One or more scopes are not configured for the authorization server resource.";
    OPENID_NEEDED = 400, "invalid_scope", "Requests for ID tokens or access tokens with OpenID scopes require the 'openid' scope.";
    OPENID_ALONE = 400, "invalid_scope", "Cannot request 'openid' scopes using client credentials.";
    RESPONSE_MODE = 400, "unsupported_response_mode", "The response mode is not supported by the authorization server. Valid response modes: [query, fragment, form_post, okta_post_message].";
    QUERY_WITH_TOKENS = 400, "unsupported_response_mode", "'query' response mode cannot be used with either the 'id_token' or 'token' response types.";
    MESSAGE_WITH_CODE = 400, "unsupported_response_mode", "'okta_post_message' response mode cannot be used with the 'code' response type.";
    EXCHANGE_SERVER = 400, "invalid_request", "The token exchange grant is supported by custom authorization servers only.";
    SUBJECT = 400, "invalid_grant", "The subject token is invalid.";
    SUBJECT_TYPE = 400, "invalid_request", "The 'subject_token_type' is not supported.";
    REQUESTED_TYPE = 400, "invalid_request", "The 'requested_token_type' is not supported.";
    TARGET = 400, "invalid_target", "The 'audience' is not supported by the authorization server.";
    CONSENT_NEEDED = 400, "consent_required", "The client specified not to prompt, but the client app requires consent.";
    NO_CONSENT = 400, "access_denied", "The resource owner denied the request.";
    BROWSER_SECRET = 401, "invalid_request", "Browser requests to the token endpoint must use Proof Key for Code Exchange.";
    OBJECT = 400, "invalid_request_object", "The request object JWT is invalid.";
    OBJECT_ALGORITHM = 400, "invalid_request_object", "The request object JWT signature algorithm is invalid.";
    OBJECT_SIGNATURE = 400, "invalid_request_object", "The request object JWT signature is invalid.";
    OBJECT_ISSUER = 400, "invalid_request_object", "The issuer claim of the request object JWT must be the client_id.";
    OBJECT_AUDIENCE = 400, "invalid_request_object", "The audience claim of the request object JWT must be the issuer of the authorization server.";
    OBJECT_TIMES = 400, "invalid_request_object", "The request object JWT is expired, not yet valid, or has an expiration too far into the future.";
    OBJECT_USED = 400, "invalid_request_object", "The request object JWT has already been used.";
    OBJECT_REPEATS = 400, "invalid_request", "The request object JWT and the authorize request have different values for the same parameter.";
    MFA_REQUIRED = 403, "mfa_required", "Verify with an additional authenticator to complete the sign-in process.";
    AUTHENTICATOR = 403, "access_denied", "The required authenticator can't be used. Check if it's required by policy and the user is enrolled in the authenticator and try again.";
    OOB_PENDING = 400, "authorization_pending", "No user response received on the out-of-band authenticator yet. Continue polling to wait for a response.";
    CIBA_PENDING = 400, "authorization_pending", "The authorization request is still pending as the user hasn't yet been authenticated.";
    CIBA_EXPIRED = 400, "expired_token", "The auth_req_id has expired.";
    CIBA_REQUEST = 400, "invalid_grant", "The auth_req_id is invalid or has expired.";
    CIBA_OPENID = 400, "invalid_scope", "The authentication request must include the 'openid' scope.";
    CIBA_HINTS = 400, "invalid_request", "The authentication request must contain exactly one of 'login_hint' and 'id_token_hint'.";
    CIBA_EXPIRY = 400, "invalid_request", "Invalid value for 'request_expiry' parameter. It should be within range 1 - 300.";
    CIBA_USER = 400, "unknown_user_id", "The hint identifies no user who can be asked.";
    ID_TOKEN_HINT = 400, "invalid_request", "The 'id_token_hint' parameter is invalid.";
    ID_TOKEN = 401, "invalid_token", "The id token is invalid.";
    UNKNOWN_GRANT = 400, "unsupported_grant_type", "The authorization grant type is not supported by the authorization server.";
}

/// The grants that Okta's authorization servers have, in its order.
const GRANTS: &str = "authorization_code, client_credentials, password, refresh_token, implicit, \
                      urn:ietf:params:oauth:grant-type:device_code, urn:ietf:params:oauth:grant-type:saml2-bearer, \
                      urn:ietf:params:oauth:grant-type:token-exchange, urn:openid:params:grant-type:ciba, \
                      urn:okta:params:oauth:grant-type:otp, urn:okta:params:oauth:grant-type:oob, \
                      http://auth0.com/oauth/grant-type/mfa-otp, http://auth0.com/oauth/grant-type/mfa-oob";

/// No grant is named.
pub fn no_grant() -> OAuthError {
    let words = format!("The token request must specify a 'grant_type'. Valid values: [{GRANTS}]");
    OAuthError::new(400, "invalid_request", "").worded(words)
}

/// A value that a parameter of direct authentication does not take.
pub fn unsupported(parameter: &str, value: &str) -> OAuthError {
    let words = format!("`{value}` isn't supported as a `{parameter}`. Try again with another value.");
    OAuthError::new(400, "invalid_request", "").worded(words)
}

/// A type of challenge that there is not.
pub fn unsupported_challenge(value: &str) -> OAuthError {
    let words = format!("`{value}` isn't supported as a `challenge_type`. Try again with another value.");
    OAuthError::new(403, "access_denied", "").worded(words)
}

/// A code or token of direct authentication that is over.
pub fn over(code: &str) -> OAuthError {
    let words = format!("`{code}` has expired. Use a new `oob_code` or `mfa_token` and try again.");
    OAuthError::new(400, "access_denied", "").worded(words)
}

/// A grant that there is not.
pub fn unknown_grant() -> OAuthError {
    let words = format!("{} Configured grant types: [{GRANTS}].", UNKNOWN_GRANT.description);
    UNKNOWN_GRANT.worded(words)
}

/// A grant that the client may not use.
pub fn grant_not_for_client(own: &[SmolStr]) -> OAuthError {
    let words = format!(
        "The client is not authorized to use the provided grant type. Configured grant types: [{}].",
        own.join(", ")
    );
    OAuthError::new(400, "unauthorized_client", "").worded(words)
}

/// A response type that the client or the server has not.
pub fn response_type(own: &[SmolStr]) -> OAuthError {
    let words = format!(
        "The response type is not supported by the authorization server. Configured response types: [{}].",
        own.join(", ")
    );
    OAuthError::new(400, "unsupported_response_type", "").worded(words)
}

/// A parameter that is missing.
pub fn missing(name: &str) -> OAuthError {
    OAuthError::new(400, "invalid_request", "").worded(format!("The required parameter '{name}' is missing."))
}

/// Parameters that are there twice.
pub fn duplicated(names: &str) -> OAuthError {
    let words = format!("Duplicate parameter provided in request. Duplicated parameters: [{names}].");
    OAuthError::new(400, "invalid_request", "").worded(words)
}

/// Scopes that a refresh token does not have.
pub fn refresh_scopes(names: &str) -> OAuthError {
    let words = format!(
        "Some of the scopes requested for the refresh request were not granted in the original authorize request. \
         Denied scopes: {names}."
    );
    OAuthError::new(400, "access_denied", "").worded(words)
}

/// A token hook refuses, in its own words.
pub fn of_hook(words: &str) -> OAuthError {
    OAuthError::new(400, "server_error", "").worded(words.to_owned())
}

/// What keeps somebody from signing in through another identity provider.
pub fn elsewhere(error: &'static str, words: &str) -> OAuthError {
    OAuthError::new(400, error, "").worded(words.to_owned())
}

/// A claim whose expression cannot be evaluated.
pub fn claim(name: &str) -> OAuthError {
    OAuthError::new(400, "server_error", "").worded(format!("The '{name}' user claim could not be evaluated."))
}
