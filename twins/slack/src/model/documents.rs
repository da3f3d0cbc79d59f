//! Canvases and lists as files: who may read and change them.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use dtu_kernel::tx::Tx;
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    FILE, State,
    apps::Token,
    files::{self, File, Mode},
    time::micros,
};
use crate::error::Code;

/// How much somebody may do with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Look at it.
    Read,
    /// Change it.
    Write,
    /// Delete it and say who may do what.
    Owner,
}

/// Whom access is given to or taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    Channels(Vec<SmolStr>),
    Users(Vec<SmolStr>),
}

/// Makes the file of a document.
pub(crate) fn add(state: &mut State, tx: &mut Tx<'_>, token: &Token, title: &str, mode: Mode) -> Arc<File> {
    let filetype = if mode == Mode::Canvas { "quip" } else { "list" };
    let file = File {
        id: tx.id(&FILE),
        created: micros(tx.now),
        name: title.into(),
        title: title.into(),
        filetype: SmolStr::new_static(filetype),
        user: token.user.clone(),
        app: token.app.clone(),
        size: 0,
        mode,
        alt_txt: None,
        shares: Vec::new(),
        processed: true,
        public: None,
        remote: None,
        access: BTreeMap::new(),
        origin: tx.origin.clone(),
        picture: None,
        content: Bytes::new(),
    };
    files::add_document(state, tx, file)
}

/// Gives or takes access.
///
/// # Errors
/// Where one whom it is about is not there.
pub(crate) fn set_access(
    state: &mut State,
    tx: &mut Tx<'_>,
    (file, by): (&SmolStr, &SmolStr),
    whom: &Whom,
    level: Option<Access>,
) -> Result<(), Code> {
    let ids = match whom {
        Whom::Channels(ids) if ids.iter().all(|id| state.visible(id, by).is_some()) => ids,
        Whom::Channels(_) => return Err(Code::ChannelNotFound),
        Whom::Users(ids) if ids.iter().all(|id| state.users.contains(id)) => ids,
        Whom::Users(_) => return Err(Code::UserNotFound),
    };
    state.files.update(&mut tx.changes, file, |file| {
        for id in ids {
            match level {
                // What another owns is no longer the first one's.
                Some(Access::Owner) => {
                    let before = std::mem::replace(&mut file.user, id.clone());
                    file.access.insert(before, Access::Write);
                    file.access.remove(id);
                }
                Some(level) => drop(file.access.insert(id.clone(), level)),
                None => drop(file.access.remove(id)),
            }
        }
    });
    Ok(())
}

impl State {
    /// What somebody may do with a document; none where it is not there for them.
    pub fn document_access(&self, file: &File, user: &SmolStr) -> Option<Access> {
        if file.mode == Mode::Tombstone {
            return None;
        }
        if file.user == *user {
            return Some(Access::Owner);
        }
        let tabbed = self.content.canvases.get(&file.id).and_then(|canvas| canvas.channel.as_ref());
        let in_tab = tabbed.filter(|channel| self.is_member(channel, user)).map(|_| Access::Write);
        let is_in = |id: &SmolStr| id == user || self.channels.contains(id) && self.is_member(id, user);
        let given = file.access.iter().filter(|(id, _)| is_in(id)).map(|(_, level)| *level).max();
        let sees = |share: &files::Share| self.visible(&share.channel, user).is_some();
        let shown = file.shares.iter().any(sees).then_some(Access::Read);
        // A skill in the catalogue is for everybody to read.
        let published = self.content.skills.get(&file.id).filter(|skill| skill.shared).map(|_| Access::Read);
        [in_tab, given, shown, published].into_iter().flatten().max()
    }
}
