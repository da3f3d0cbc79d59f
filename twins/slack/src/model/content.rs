//! The tables of what people and apps make besides messages: canvases, lists, calls, functions, invitations.

use dtu_kernel::table::Table;
use imbl::{OrdMap, OrdSet};
use serde_json::Value;
use smol_str::SmolStr;

use super::{
    activities::Activity,
    agents::Agents,
    calls::Call,
    canvases::Canvas,
    connect::{Connection, Invite, Partner},
    fields::Field,
    functions::{Execution, Function},
    lists::{Export, Item, List},
    mcp::McpServer,
    skills::Skill,
    workflows::Workflow,
};

/// The tables, with what finds their rows.
#[derive(Clone, Debug)]
pub struct Content {
    /// Canvases by their file.
    pub canvases: Table<SmolStr, Canvas>,
    /// Lists by their file.
    pub lists: Table<SmolStr, List>,
    /// (list, number): their items, in the order in which they were made.
    pub items: Table<(SmolStr, u64), Item>,
    /// Exports of lists under way or done.
    pub exports: Table<SmolStr, Export>,
    /// Calls by id.
    pub calls: Table<SmolStr, Call>,
    /// (app, callback id): what apps offer to workflows.
    pub functions: Table<(SmolStr, SmolStr), Function>,
    /// Runs of functions by id.
    pub executions: Table<SmolStr, Execution>,
    /// (channel, number): the triggers that a channel features.
    pub featured: Table<(SmolStr, u64), SmolStr>,
    /// Workflows by id.
    pub workflows: Table<SmolStr, Workflow>,
    /// When, in microseconds: what functions did.
    pub activities: Table<u64, Activity>,
    /// Slackbot's skills, by their canvas.
    pub skills: Table<SmolStr, Skill>,
    /// (skill, user): whether somebody has turned a skill on or off.
    pub library: Table<(SmolStr, SmolStr), bool>,
    /// (app, id): MCP servers.
    pub mcp_servers: Table<(SmolStr, SmolStr), McpServer>,
    /// (app, user): what people are asked to connect an app to.
    pub connection_requests: Table<(SmolStr, SmolStr), Value>,
    /// Sessions of agents and their channels.
    pub agents: Agents,
    /// What apps show of their things, by the trigger that asked for it.
    pub details: Table<SmolStr, Value>,
    /// Fields of profiles that the workspace has of its own.
    pub fields: Table<SmolStr, Field>,
    /// Invitations between organizations.
    pub invites: Table<SmolStr, Invite>,
    /// Other organizations.
    pub partners: Table<SmolStr, Partner>,
    /// (channel, organization): who is in shared channels.
    pub connections: Table<(SmolStr, SmolStr), Connection>,
    /// (channel, organization): who waits for the host to agree. Derived.
    pub(crate) pending: OrdSet<(SmolStr, SmolStr)>,
    /// Channel of another organization to the invitation to it.
    pub(crate) invite_by_channel: OrdMap<SmolStr, SmolStr>,
    /// Channel to its own canvas.
    pub(crate) canvas_of: OrdMap<SmolStr, SmolStr>,
    /// (list, item) to its number.
    pub(crate) item_number: OrdMap<(SmolStr, SmolStr), u64>,
    /// (list, item, number of a subtask).
    pub(crate) subtasks: OrdSet<(SmolStr, SmolStr, u64)>,
    /// (app, id of its own) to the call.
    pub(crate) call_by_external_id: OrdMap<(SmolStr, SmolStr), SmolStr>,
    /// (app, callback id) to the workflow.
    pub(crate) workflow_of: OrdMap<(SmolStr, SmolStr), SmolStr>,
    /// Trigger to (app, callback id).
    pub(crate) function_by_trigger: OrdMap<SmolStr, (SmolStr, SmolStr)>,
}

impl Default for Content {
    fn default() -> Self {
        Self {
            canvases: Table::new("canvases"),
            lists: Table::new("lists"),
            items: Table::new("list_items"),
            exports: Table::new("list_exports"),
            calls: Table::new("calls"),
            functions: Table::new("functions"),
            executions: Table::new("function_executions"),
            featured: Table::new("featured_workflows"),
            workflows: Table::new("workflows"),
            activities: Table::new("app_activities"),
            skills: Table::new("skills"),
            library: Table::new("skill_library"),
            mcp_servers: Table::new("mcp_servers"),
            connection_requests: Table::new("connection_requests"),
            agents: Agents::default(),
            details: Table::new("entity_details"),
            fields: Table::new("profile_fields"),
            invites: Table::new("connect_invites"),
            partners: Table::new("connect_partners"),
            connections: Table::new("connect_connections"),
            pending: OrdSet::new(),
            invite_by_channel: OrdMap::new(),
            canvas_of: OrdMap::new(),
            item_number: OrdMap::new(),
            subtasks: OrdSet::new(),
            call_by_external_id: OrdMap::new(),
            workflow_of: OrdMap::new(),
            function_by_trigger: OrdMap::new(),
        }
    }
}
