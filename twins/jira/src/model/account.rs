//! Atlassian accounts.

use std::sync::Arc;

use dtu_kernel::{
    ids::HEX,
    seed::Draw,
    table::{Changes, Table},
};
use imbl::{OrdMap, OrdSet, Vector};
use serde::Serialize;
use smol_str::{SmolStr, format_smolstr};

/// An account of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The account's id, the same in all of Atlassian's products.
    pub id: SmolStr,
    /// The mail address, also the login.
    pub email: SmolStr,
    /// The name that others see.
    pub display_name: SmolStr,
    /// Whether the person can sign in.
    pub active: bool,
    /// The person's IANA time zone.
    pub time_zone: SmolStr,
    /// Whether the person administers the site.
    pub admin: bool,
}

/// An account id. Atlassian has made them in several shapes over the years, and a site holds all of them: 24
/// hexadecimal digits that begin with the time of sign-up, and a directory's number before a UUID.
pub fn id(draw: &mut Draw) -> SmolStr {
    match draw.below(4) {
        0 => format_smolstr!("5{}", draw.text(HEX, 23)),
        1 => format_smolstr!("557058:{}", draw.uuid()),
        _ => format_smolstr!("712020:{}", draw.uuid()),
    }
}

/// All accounts of a site.
#[derive(Clone, Debug)]
pub struct Accounts {
    rows: Table<SmolStr, Account>,
    /// Ids in the order in which people came.
    order: Vector<SmolStr>,
    by_email: OrdMap<SmolStr, SmolStr>,
    /// What a search's prefix can match, with the account's id.
    prefixes: OrdSet<(SmolStr, SmolStr)>,
}

impl Default for Accounts {
    fn default() -> Self {
        let (order, by_email, prefixes) = (Vector::new(), OrdMap::new(), OrdSet::new());
        Self { rows: Table::new("users"), order, by_email, prefixes }
    }
}

impl Accounts {
    /// An account by id.
    pub fn get(&self, id: &str) -> Option<&Account> {
        self.rows.get(&SmolStr::new(id)).map(|row| &**row)
    }

    /// An account by mail address, whose case does not count.
    pub fn by_email(&self, email: &str) -> Option<&Account> {
        self.by_email.get(email.to_lowercase().as_str()).and_then(|id| self.get(id))
    }

    /// Accounts in the order in which people came, from the place `start`.
    pub fn from(&self, start: usize) -> impl Iterator<Item = &Account> {
        (start..self.order.len()).filter_map(|at| self.get(&self.order[at]))
    }

    /// The accounts of which the display name, a word of it, or the mail address begins with `prefix`, by id.
    pub fn beginning_with(&self, prefix: &str) -> impl Iterator<Item = &Account> {
        let prefix = SmolStr::from(prefix.to_lowercase());
        let from = (prefix.clone(), SmolStr::default());
        let found = self.prefixes.range(from..).take_while(|(text, _)| text.starts_with(prefix.as_str()));
        let ids: std::collections::BTreeSet<&SmolStr> = found.map(|(_, id)| id).collect();
        ids.into_iter().filter_map(|id| self.get(id))
    }

    /// Writes an account and its indexes.
    pub fn put(&mut self, changes: &mut Changes, account: Account) {
        if let Some(before) = self.rows.get(&account.id).map(Arc::clone) {
            self.by_email.remove(before.email.to_lowercase().as_str());
            for prefix in prefixes(&before) {
                self.prefixes.remove(&(prefix, before.id.clone()));
            }
        } else {
            self.order.push_back(account.id.clone());
        }
        self.by_email.insert(account.email.to_lowercase().into(), account.id.clone());
        for prefix in prefixes(&account) {
            self.prefixes.insert((prefix, account.id.clone()));
        }
        self.rows.put(changes, account.id.clone(), account);
    }

    /// Deactivates an account, and gives it back as it is now; none where there is none.
    pub fn deactivate(&mut self, changes: &mut Changes, id: &str) -> Option<Account> {
        let account = Account { active: false, ..self.get(id)?.clone() };
        self.put(changes, account.clone());
        Some(account)
    }
}

fn prefixes(account: &Account) -> impl Iterator<Item = SmolStr> {
    let name = account.display_name.to_lowercase();
    let words: Vec<SmolStr> = name.split_whitespace().map(SmolStr::new).collect();
    [SmolStr::from(&name), SmolStr::from(account.email.to_lowercase())].into_iter().chain(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SITE;
    use dtu_kernel::seed::SeedTree;

    fn account(id: &str, name: &str, email: &str) -> Account {
        Account {
            id: id.into(),
            email: email.into(),
            display_name: name.into(),
            active: true,
            time_zone: "UTC".into(),
            admin: false,
        }
    }

    #[test]
    fn indexes_follow_the_rows() {
        let (mut accounts, mut changes) = (Accounts::default(), Changes::default());
        accounts.put(&mut changes, account("b", "Ann Lee", "ann@x.example"));
        accounts.put(&mut changes, account("a", "Lea Ann Ray", "lea@x.example"));
        let found = |accounts: &Accounts, prefix: &str| -> Vec<String> {
            accounts.beginning_with(prefix).map(|account| account.id.to_string()).collect()
        };
        assert_eq!(found(&accounts, "ANN"), ["a", "b"]);
        assert_eq!(found(&accounts, "ann l"), ["b"]);
        assert_eq!(found(&accounts, "lea@"), ["a"]);
        assert_eq!(found(&accounts, "ee"), [""; 0]);
        assert_eq!(found(&accounts, ""), ["a", "b"]);
        accounts.put(&mut changes, account("b", "Zoe Lee", "zoe@x.example"));
        assert_eq!(found(&accounts, "ann"), ["a"]);
        assert!(accounts.by_email("ann@x.example").is_none());
        assert_eq!(accounts.by_email("ZOE@x.example").map(|account| account.id.as_str()), Some("b"));
        let order: Vec<&str> = accounts.from(0).map(|account| account.id.as_str()).collect();
        assert_eq!(order, ["b", "a"]);
    }

    #[test]
    fn ids_have_the_shapes_that_there_are() {
        let seeds = SeedTree::new(7);
        let ids: Vec<SmolStr> = (0..64).map(|n| id(&mut seeds.draw(SITE, n))).collect();
        let of = |shape: fn(&SmolStr) -> bool| ids.iter().filter(|id| shape(id)).count();
        let counts = [
            of(|id| id.len() == 24 && !id.contains(':')),
            of(|id| id.len() == 43 && id.starts_with("557058:")),
            of(|id| id.len() == 43 && id.starts_with("712020:")),
        ];
        assert!(counts.iter().all(|count| *count > 0) && counts.iter().sum::<usize>() == 64, "{counts:?}");
    }
}
