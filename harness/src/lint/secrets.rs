//! Secrets in files that people share.

use dtu_kernel::world::World;

use super::Lint;
use crate::expr::Place;

/// How credentials of known services begin, and how long the rest is at least.
const KINDS: [(&str, &str, usize); 12] = [
    ("xoxb-", "a token of Slack", 20),
    ("xoxp-", "a token of Slack", 20),
    ("xapp-", "a token of Slack", 20),
    ("ghp_", "a token of GitHub", 30),
    ("github_pat_", "a token of GitHub", 30),
    ("glpat-", "a token of GitLab", 18),
    ("AKIA", "an access key of AWS", 16),
    ("AIza", "an API key of Google", 30),
    ("ya29.", "a token of Google", 20),
    ("ATATT", "a token of Atlassian", 30),
    ("sk-", "an API key", 24),
    ("-----BEGIN ", "a private key", 0),
];

impl Lint<'_> {
    /// Credentials that are none of the world's own, whose values nobody minds.
    pub(super) fn secrets(&mut self, worlds: &[&World]) {
        let mut found = Vec::new();
        for (number, line) in self.text.lines().enumerate() {
            for (prefix, kind, least) in KINDS {
                for (at, _) in line.match_indices(prefix) {
                    let rest: String = line[at + prefix.len()..].chars().take_while(|c| is_part(*c)).collect();
                    let is_word = line[..at].ends_with(is_part);
                    let is_key = prefix != "-----BEGIN " || line[at..].contains("PRIVATE KEY");
                    let whole = format!("{prefix}{rest}");
                    let is_fake = rest.contains("not-a-real")
                        || rest.contains("dtu")
                        || worlds.iter().any(|world| world.text().contains(&whole));
                    if !is_word && is_key && rest.len() >= least && !is_fake {
                        let column = line[..at].chars().count() as u64 + 1;
                        found.push((Place { line: number as u64 + 1, column }, kind));
                    }
                }
            }
        }
        for (place, kind) in found {
            let problem = self.at(place, format!("this looks like {kind}"));
            let hint = "take those of the world by `${env...}`; a real secret comes from the environment: name it under `secrets` in the target file";
            self.problems.push(problem.hint(hint));
        }
    }
}

const fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}
