//! Whether a caller may make a call: what the request says, for the rules in `model::may`.

use dtu_kernel::twin::Scene;
use serde_json::Value;
use smol_str::SmolStr;

use crate::{
    Caller,
    model::{
        State,
        may::{self, Who, Wish},
    },
};

/// Whether the roles in a caller's hands let it make a call.
pub(crate) fn allows(state: &State, caller: &Caller, scene: &Scene<'_>) -> bool {
    let request = scene.request;
    let body = || serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
    let (mut groups, mut app_name) = (Vec::new(), SmolStr::default());
    match scene.operation.id {
        "createUser" => {
            let body = body();
            let ids = body["groupIds"].as_array().into_iter().flatten();
            groups = ids.filter_map(|id| id.as_str().map(SmolStr::new)).collect();
        }
        "createApplication" => app_name = body()["name"].as_str().map(SmolStr::new).unwrap_or_default(),
        _ => {}
    }
    let wish = Wish {
        path: scene.operation.path,
        method: request.method.as_str(),
        params: &request.path_params,
        groups: &groups,
        app_name: &app_name,
    };
    may::may(state, &Who { user: &caller.user, client: caller.client.as_deref() }, &wish)
}
