//! What is recorded of a call, and what stands in for an answer that does not fit.

use smol_str::SmolStr;

use crate::{
    fault::Fired,
    ledger::Exchange,
    operation::OperationInfo,
    tape::{CallNote, Note},
    twin::Scene,
    universe::core::Universe,
    wire::{Answer, Reply, Request, Wire},
};

/// Stands in for an answer that does not fit the service's public documents, so that whoever caused it fails.
pub(super) fn misfit(scene: &Scene<'_>, misfits: &[String]) -> Reply {
    let mut page = format!("the answer of {} does not fit the service's public documents:\n", scene.operation.id);
    for line in misfits {
        page.push_str("  ");
        page.push_str(line);
        page.push('\n');
    }
    let answer = Answer::text("text/plain; charset=utf-8", page).with_status(http::StatusCode::INTERNAL_SERVER_ERROR);
    Reply::new(answer, scene.now).refused("misfit").as_gap()
}

/// Notes a call, where notes are taken.
pub(super) fn note(universe: &Universe, make: impl FnOnce() -> CallNote) {
    if let Some(tape) = universe.tape.get() {
        tape.add(Note::Call(Box::new(make())));
    }
}

pub(super) fn exchange(
    operation: &OperationInfo,
    request: &Request,
    reply: &Reply,
    wire: Wire,
    caller: SmolStr,
    resource: SmolStr,
    fault: Option<&Fired>,
) -> Exchange {
    let sent = !matches!(wire, Wire::Hang(_) | Wire::Reset);
    Exchange {
        operation: operation.id,
        level: operation.level(),
        gap: reply.gap,
        caller,
        resource,
        method: request.method.clone(),
        target: request.target(),
        content_type: request.header(http::header::CONTENT_TYPE).unwrap_or_default().into(),
        request: request.body.clone(),
        status: if sent { reply.status.as_u16() } else { 0 },
        response: reply.body.clone(),
        error: reply.error.clone(),
        fault: fault.map(|fired| fired.rule.clone()).unwrap_or_default(),
    }
}
