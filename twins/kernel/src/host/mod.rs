//! A twin behind one face: what the universe needs of any twin, whatever its types.

mod calls;
pub(crate) mod face;
mod hosted;
mod record;
mod run;

pub use self::{
    face::{AffordanceInfo, Host},
    hosted::{Hosted, host},
};
pub use crate::{
    call::{Called, Waiting},
    states::StateBox,
    wire::Wire,
};
