//! The player: goes through the beats of a story. Several branches of it may be under way; whenever more than one could
//! go on, the trajectory's seed says which does, so that the same seed gives the same order.

use std::{collections::BTreeMap, time::Duration};

use dtu_kernel::{
    seed::{Draw, SeedTree, Site},
    time::Timestamp,
};
use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use serde_json::json;
use tokio::{sync::watch, time::Instant};

use super::{BEAT_PATIENCE, Stage, Stop, TICK, acts::Came, or, shown};
use crate::{
    load::{
        LoadedAct, LoadedBeat,
        beat::{LoadedChoice, LoadedRepeat, LoadedTimes},
    },
    scenario::At,
    wait::rest,
};

/// How far a story has come.
struct Score<'a> {
    branches: Vec<Branch<'a>>,
    /// When beats with an id were over last.
    over: BTreeMap<&'a str, Timestamp>,
    /// How often beats were begun, by their place in the story.
    begun: BTreeMap<&'a str, u64>,
    began: Timestamp,
    seeds: SeedTree,
    /// How often there was a choice of whose turn it is.
    turns: u64,
    /// Acts whose outcome is awaited, with their branch.
    away: FuturesUnordered<BoxFuture<'static, (usize, Came)>>,
}

/// One of several courses that are played side by side; the first is the story itself.
struct Branch<'a> {
    /// Where it stands: the list that it goes through, below what that is part of.
    frames: Vec<Frame<'a>>,
    state: State<'a>,
    parent: Option<usize>,
}

enum Frame<'a> {
    /// A list of beats, and which comes next.
    List(&'a [LoadedBeat], usize),
    /// A round of a repetition.
    Round { beat: &'a LoadedBeat, of: &'a LoadedRepeat, round: u64, most: u64 },
    /// The beat that a course was picked for.
    Within(&'a LoadedBeat),
}

enum State<'a> {
    /// It goes on to its next beat.
    Next,
    /// A beat's turn has not come yet.
    Waits(Wait<'a>),
    /// Time passes, and then a beat's act is done; without a beat it goes on.
    Rests(Timestamp, Option<&'a LoadedBeat>),
    /// The outcome of a beat's act is awaited.
    Away(&'a LoadedBeat),
    /// So many branches of a beat are not over yet.
    Joins(&'a LoadedBeat, usize),
    Over,
}

/// A beat whose turn has not come yet.
struct Wait<'a> {
    beat: &'a LoadedBeat,
    /// When the branch came to it.
    arrived: Timestamp,
    jitter: Duration,
    /// Up to when its condition must come true; none before it is looked at.
    deadline: Option<Timestamp>,
}

impl Branch<'_> {
    /// Leaves the innermost of what it goes through.
    fn leave(&mut self) {
        self.frames.pop();
    }
}

impl<'a> Score<'a> {
    fn new(beats: &'a [LoadedBeat], began: Timestamp, seed: u64) -> Self {
        let story = Branch { frames: vec![Frame::List(beats, 0)], state: State::Next, parent: None };
        Self {
            branches: vec![story],
            over: BTreeMap::new(),
            begun: BTreeMap::new(),
            began,
            seeds: SeedTree::new(seed),
            turns: 0,
            away: FuturesUnordered::new(),
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.branches[0].state, State::Over)
    }

    /// The branch whose turn it is.
    fn choose(&mut self, ready: &[usize]) -> Option<usize> {
        if ready.len() < 2 {
            return ready.first().copied();
        }
        let mut draw = self.seeds.draw(Site::named("story").child("turn"), self.turns);
        self.turns += 1;
        ready.get(below(&mut draw, ready.len())).copied()
    }

    /// What is drawn for a beat, each time that it is played anew.
    fn draw(&self, what: &str, beat: &LoadedBeat) -> Draw {
        let nth = self.begun.get(beat.path.as_str()).copied().unwrap_or(0);
        self.seeds.draw(Site::named("story").child(what).child(beat.name()), nth)
    }

    /// The number of the round that a branch is in: of the innermost repetition around it.
    fn round(&self, at: usize) -> Option<u64> {
        let branch = &self.branches[at];
        let round = branch.frames.iter().rev().find_map(|frame| match frame {
            Frame::Round { round, .. } => Some(*round),
            _ => None,
        });
        round.or_else(|| self.round(branch.parent?))
    }

    /// A beat is over; its branch goes on.
    fn finish(&mut self, at: usize, beat: &'a LoadedBeat, now: Timestamp) {
        if let Some(id) = &beat.id {
            self.over.insert(id, now);
        }
        self.branches[at].state = State::Next;
    }

    /// A branch has come to its end: what it is part of may be over with it.
    fn end(&mut self, at: usize, now: Timestamp) {
        self.branches[at].state = State::Over;
        let Some(parent) = self.branches[at].parent else { return };
        if let State::Joins(beat, left) = &mut self.branches[parent].state {
            *left -= 1;
            let beat = *beat;
            if *left == 0 {
                self.finish(parent, beat, now);
            }
        }
    }

    fn split(&mut self, at: usize, beat: &'a LoadedBeat, lists: &'a [Vec<LoadedBeat>]) {
        self.branches[at].state = State::Joins(beat, lists.len());
        let branch = |list: &'a Vec<LoadedBeat>| Branch {
            frames: vec![Frame::List(list, 0)],
            state: State::Next,
            parent: Some(at),
        };
        self.branches.extend(lists.iter().map(branch));
    }

    /// When a beat may begin at the earliest, whatever else it waits for; none where that is not known yet.
    fn due(&self, wait: &Wait<'_>) -> Option<Timestamp> {
        let at = match wait.beat.at {
            Some(At::Since(span)) => self.began.after(span.0),
            Some(At::Clock(time)) => time,
            None => wait.arrived,
        };
        let after = match &wait.beat.after {
            Some((id, by)) => self.over.get(id.as_str())?.after(*by),
            None => wait.arrived,
        };
        Some(at.max(after).max(wait.arrived).after(wait.jitter))
    }

    /// When something is due next that only time brings about.
    fn next_due(&self) -> Option<Timestamp> {
        let due = |branch: &Branch<'_>| match &branch.state {
            State::Waits(wait) => wait.deadline.or_else(|| self.due(wait)),
            State::Rests(until, _) => Some(*until),
            _ => None,
        };
        self.branches.iter().filter_map(due).min()
    }

    /// The beat that waits for another that will never be over.
    fn stuck(&self) -> Option<&'a LoadedBeat> {
        self.branches.iter().find_map(|branch| match &branch.state {
            State::Waits(wait) => Some(wait.beat),
            _ => None,
        })
    }
}

fn below(draw: &mut Draw, bound: usize) -> usize {
    usize::try_from(draw.below(bound as u64)).unwrap_or(0)
}

impl<'a> Stage<'a> {
    /// Plays all beats of the story, to the last.
    pub(super) async fn play(&mut self) -> Result<(), Stop> {
        let began = self.universe.now();
        let mut score = Score::new(&self.scenario.beats, began, self.universe.seed());
        let mut ledger = self.universe.ledger().watch();
        loop {
            ledger.borrow_and_update();
            self.settle(&mut score)?;
            if score.is_over() {
                return Ok(());
            }
            let began = Instant::now();
            let ready = self.ready_branches(&mut score)?;
            match score.choose(&ready) {
                Some(at) => self.turn(&mut score, at).await?,
                None => self.rest_a_while(&mut score, &mut ledger, began.elapsed()).await?,
            }
        }
    }

    /// Nobody can go on: lets time pass until something happens.
    async fn rest_a_while(
        &mut self,
        score: &mut Score<'a>,
        ledger: &mut watch::Receiver<u64>,
        cost: Duration,
    ) -> Result<(), Stop> {
        // A busy ledger must not make looking at it the machine's main work.
        if cost > Duration::from_millis(1) {
            rest(cost).await;
        }
        if score.away.is_empty() {
            let Some(until) = score.next_due() else {
                let stuck = score.stuck().map(LoadedBeat::shown).unwrap_or_default();
                return Err(Stop::Void(format!("{stuck} never comes: what it is to come after is never over")));
            };
            self.pass(ledger, until).await;
            return Ok(());
        }
        // The clock stands still where it is stepped: the target is at work.
        let moment = tokio::time::timeout(TICK, ledger.changed());
        tokio::select! {
            Some((at, came)) = score.away.next() => self.came(score, at, came),
            _ = moment => Ok(()),
        }
    }

    /// Takes all branches on to what they wait for next.
    fn settle(&mut self, score: &mut Score<'a>) -> Result<(), Stop> {
        let next = |score: &Score<'a>| score.branches.iter().position(|branch| matches!(branch.state, State::Next));
        while let Some(at) = next(score) {
            let now = self.universe.now();
            match score.branches[at].frames.last_mut() {
                None => score.end(at, now),
                Some(Frame::List(beats, next)) => {
                    let beats: &'a [LoadedBeat] = beats;
                    let beat = beats.get(*next);
                    *next += 1;
                    match beat {
                        Some(beat) => self.arrive(score, at, beat),
                        None => score.branches[at].leave(),
                    }
                }
                Some(Frame::Within(beat)) => {
                    let beat = *beat;
                    score.branches[at].leave();
                    score.finish(at, beat, now);
                }
                Some(Frame::Round { .. }) => self.end_round(score, at)?,
            }
        }
        Ok(())
    }

    fn arrive(&self, score: &mut Score<'a>, at: usize, beat: &'a LoadedBeat) {
        let most = beat.jitter.map_or(0, |span| u64::try_from(span.0.as_millis()).unwrap_or(u64::MAX - 1));
        let jitter = if most == 0 { 0 } else { score.draw("jitter", beat).below(most + 1) };
        let (arrived, jitter) = (self.universe.now(), Duration::from_millis(jitter));
        score.branches[at].state = State::Waits(Wait { beat, arrived, jitter, deadline: None });
    }

    /// The branches that can go on now.
    fn ready_branches(&mut self, score: &mut Score<'a>) -> Result<Vec<usize>, Stop> {
        let now = self.universe.now();
        let mut ready = Vec::new();
        for at in 0..score.branches.len() {
            let is_ready = match &score.branches[at].state {
                State::Rests(until, _) => now >= *until,
                State::Waits(wait) => {
                    score.due(wait).is_some_and(|due| now >= due) && self.may_begin(score, at, now)?
                }
                _ => false,
            };
            if is_ready {
                ready.push(at);
            }
        }
        Ok(ready)
    }

    /// Whether what a beat waits for has come true. What has no value yet may have one later: an error counts only where
    /// it is the last word.
    fn may_begin(&mut self, score: &mut Score<'a>, at: usize, now: Timestamp) -> Result<bool, Stop> {
        self.facts.set_round(score.round(at));
        let State::Waits(wait) = &mut score.branches[at].state else { return Ok(false) };
        let Some(when) = &wait.beat.when else { return Ok(true) };
        let patience = or(wait.beat.timeout, BEAT_PATIENCE);
        let deadline = *wait.deadline.get_or_insert(now.after(patience));
        match self.facts.holds(when) {
            Ok(true) => Ok(true),
            _ if now < deadline => Ok(false),
            Err(why) => Err(why.into()),
            Ok(false) => {
                let (beat, patience) = (wait.beat.shown(), shown(patience));
                let why = format!("{beat} never became possible: within {patience}, `{}` did not hold", when.source());
                Err(Stop::Unsatisfied(why))
            }
        }
    }

    /// A branch goes on.
    async fn turn(&mut self, score: &mut Score<'a>, at: usize) -> Result<(), Stop> {
        let beat = match &score.branches[at].state {
            State::Waits(wait) => wait.beat,
            State::Rests(_, Some(beat)) => return self.begin(score, at, beat).await,
            _ => {
                score.branches[at].state = State::Next;
                return Ok(());
            }
        };
        if let Some(span) = beat.advance {
            self.advance(span.0).await;
        }
        if let Some(span) = beat.pause {
            score.branches[at].state = State::Rests(self.universe.now().after(span.0), Some(beat));
            return Ok(());
        }
        self.begin(score, at, beat).await
    }

    /// Does what is done in a beat, or begins it.
    async fn begin(&mut self, score: &mut Score<'a>, at: usize, beat: &'a LoadedBeat) -> Result<(), Stop> {
        self.facts.set_round(score.round(at));
        if let Some(act) = &beat.target {
            self.act_on_target(act, beat).await?;
        }
        match &beat.act {
            LoadedAct::Nothing => {}
            LoadedAct::Do { verb, with } => self.act(beat, verb, with)?,
            LoadedAct::Http(http) => {
                let asked = self.ask(beat, http)?;
                score.away.push(Box::pin(async move { (at, asked.await) }));
            }
            LoadedAct::Cli(cli) => {
                let nth = score.begun.get(beat.path.as_str()).copied().unwrap_or(0) + 1;
                let ran = self.run_command(beat, cli, nth)?;
                score.away.push(Box::pin(async move { (at, ran.await) }));
            }
            LoadedAct::Parallel(lists) => score.split(at, beat, lists),
            LoadedAct::Repeat(of) => self.begin_rounds(score, at, beat, of)?,
            LoadedAct::Pick(choices) => self.pick(score, at, beat, choices),
        }
        *score.begun.entry(beat.path.as_str()).or_insert(0) += 1;
        match &beat.act {
            LoadedAct::Nothing | LoadedAct::Do { .. } => score.finish(at, beat, self.universe.now()),
            LoadedAct::Http(_) | LoadedAct::Cli(_) => score.branches[at].state = State::Away(beat),
            LoadedAct::Parallel(_) | LoadedAct::Repeat(_) | LoadedAct::Pick(_) => {}
        }
        Ok(())
    }

    /// An act has come out.
    fn came(&mut self, score: &mut Score<'a>, at: usize, came: Came) -> Result<(), Stop> {
        let State::Away(beat) = score.branches[at].state else { return Ok(()) };
        self.take_outcome(beat, came)?;
        score.finish(at, beat, self.universe.now());
        Ok(())
    }

    fn begin_rounds(
        &mut self,
        score: &mut Score<'a>,
        at: usize,
        beat: &'a LoadedBeat,
        of: &'a LoadedRepeat,
    ) -> Result<(), Stop> {
        let most = match &of.times {
            LoadedTimes::Fixed(times) => *times,
            LoadedTimes::Of(program) => {
                let value = self.facts.value(program)?;
                let wrong = || Stop::Void(format!("{}: `{}` is no number of rounds", beat.shown(), program.shown()));
                value.as_u64().ok_or_else(wrong)?
            }
        };
        if most == 0 {
            self.leave(beat, json!({ "rounds": 0 }));
            score.finish(at, beat, self.universe.now());
            return Ok(());
        }
        let branch = &mut score.branches[at];
        branch.frames.extend([Frame::Round { beat, of, round: 1, most }, Frame::List(&of.beats, 0)]);
        branch.state = State::Next;
        Ok(())
    }

    /// A round is over: whether there is another.
    fn end_round(&mut self, score: &mut Score<'a>, at: usize) -> Result<(), Stop> {
        self.facts.set_round(score.round(at));
        let Some(Frame::Round { beat, of, round, most }) = score.branches[at].frames.last_mut() else { return Ok(()) };
        let (beat, of, is_last) = (*beat, *of, *round >= *most);
        let is_done = match &of.until {
            None => is_last,
            Some(until) => match self.facts.holds(until) {
                Ok(true) => true,
                _ if !is_last => false,
                Err(why) => return Err(why.into()),
                Ok(false) => {
                    let rounds = if *most == 1 { "1 round".to_owned() } else { format!("{most} rounds") };
                    let why = format!("{}: after {rounds}, `{}` did not hold", beat.shown(), until.source());
                    return Err(Stop::Unsatisfied(why));
                }
            },
        };
        let now = self.universe.now();
        if is_done {
            self.leave(beat, json!({ "rounds": *round }));
            score.branches[at].leave();
            score.finish(at, beat, now);
            return Ok(());
        }
        *round += 1;
        let branch = &mut score.branches[at];
        branch.frames.push(Frame::List(&of.beats, 0));
        if let Some(every) = of.every {
            branch.state = State::Rests(now.after(every.0), None);
        }
        Ok(())
    }

    /// Takes one of several courses, drawn by their weights.
    fn pick(&mut self, score: &mut Score<'a>, at: usize, beat: &'a LoadedBeat, choices: &'a [LoadedChoice]) {
        let weights = || choices.iter().map(|choice| u64::from(choice.weight));
        let mut drawn = score.draw("pick", beat).below(weights().sum::<u64>().max(1));
        let chosen = weights().position(|weight| {
            let is_it = drawn < weight;
            drawn = drawn.saturating_sub(weight);
            is_it
        });
        let Some(choice) = chosen.and_then(|chosen| choices.get(chosen)) else { return };
        let among: Vec<_> =
            choices.iter().map(|choice| json!({ "name": choice.name, "weight": choice.weight })).collect();
        let outcome = json!({ "chosen": choice.name });
        self.note(beat, None, "pick", json!({ "with": { "among": among }, "result": outcome }));
        self.leave(beat, outcome);
        let branch = &mut score.branches[at];
        branch.frames.extend([Frame::Within(beat), Frame::List(&choice.beats, 0)]);
        branch.state = State::Next;
    }
}
