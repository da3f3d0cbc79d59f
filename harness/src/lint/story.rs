//! Problems in the course of a story: beats that never come, that come too late, or that wait for the machine's clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use dtu_kernel::{clock::ClockMode, time::Timestamp};
use serde_json::Map;

use super::Lint;
use crate::{
    expr::{Place, Program},
    load::{
        LoadedBeat, LoadedScenario,
        beat::{self, LoadedAct},
    },
    scenario::{At, Beat, all_beats},
};

/// How long a beat may wait in the machine's own time: longer waits make each trajectory slow.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// A point of the story: where a beat begins or is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    Begin(usize),
    End(usize),
}

/// What comes before what. Beats are numbered as [`beat::all`] lists them.
#[derive(Debug, Default)]
struct Order<'a> {
    beats: Vec<&'a LoadedBeat>,
    /// For each point, those that come before it for sure.
    before: BTreeMap<Point, Vec<Point>>,
    /// For each beat, the courses that it is part of: the beat that picks, and which of its courses.
    courses: Vec<Vec<(usize, usize)>>,
    /// For each beat, whether it is played in rounds.
    in_round: Vec<bool>,
}

impl<'a> Order<'a> {
    fn of(scenario: &'a LoadedScenario) -> Self {
        let mut order = Self::default();
        order.list(&scenario.beats, None, &[], false);
        for at in 0..order.beats.len() {
            if let Some((id, _)) = &order.beats[at].after
                && let Some(other) = order.find(id)
            {
                order.add(Point::Begin(at), Point::End(other));
            }
        }
        order
    }

    fn find(&self, id: &str) -> Option<usize> {
        self.beats.iter().position(|beat| beat.id.as_deref() == Some(id))
    }

    fn add(&mut self, point: Point, before: Point) {
        self.before.entry(point).or_default().push(before);
    }

    /// A list of beats within another; gives back its last point.
    fn list(&mut self, beats: &'a [LoadedBeat], within: Option<usize>, courses: &[(usize, usize)], in_round: bool) {
        let mut last = within.map(Point::Begin);
        for beat in beats {
            let at = self.beats.len();
            self.beats.push(beat);
            self.courses.push(courses.to_vec());
            self.in_round.push(in_round);
            if let Some(last) = last {
                self.add(Point::Begin(at), last);
            }
            self.add(Point::End(at), Point::Begin(at));
            for (nth, list) in beat.lists().into_iter().enumerate() {
                let mut courses = courses.to_vec();
                if matches!(beat.act, LoadedAct::Pick(_)) {
                    courses.push((at, nth));
                }
                self.list(list, Some(at), &courses, in_round || matches!(beat.act, LoadedAct::Repeat(_)));
            }
            last = Some(Point::End(at));
        }
        // What a beat is over after: the last of each list in it. A course that is not taken holds nothing up.
        if let (Some(within), Some(last)) = (within, last.filter(|last| within.map(Point::Begin) != Some(*last))) {
            self.add(Point::End(within), last);
        }
    }

    /// Whether a point comes before another for sure, or is it.
    fn comes_before(&self, first: Point, then: Point) -> bool {
        let (mut seen, mut open) = (BTreeSet::new(), vec![then]);
        while let Some(point) = open.pop() {
            if point == first {
                return true;
            }
            if seen.insert(point) {
                open.extend(self.before.get(&point).into_iter().flatten());
            }
        }
        false
    }

    /// Whether a beat is played wherever another is.
    fn is_played_with(&self, beat: usize, other: usize) -> bool {
        self.courses[beat].iter().all(|course| self.courses[other].contains(course))
    }
}

impl Lint<'_> {
    /// Problems in the course of the story.
    pub(super) fn story(&mut self, scenario: &LoadedScenario) {
        let order = Order::of(scenario);
        for (at, written) in all_beats(&scenario.scenario.beats).into_iter().enumerate() {
            self.after(&order, at, &written.value);
            self.reads(&order, at);
        }
        self.rounds(scenario, &order);
    }

    /// What can be played, and hardly as it was meant.
    pub(super) fn course(&mut self, scenario: &LoadedScenario) {
        for (beat, written) in beat::all(&scenario.beats).into_iter().zip(all_beats(&scenario.scenario.beats)) {
            let place = Place::from(written.referenced);
            self.condition(beat, place);
            self.waits(scenario, &written.value, place);
        }
        self.times(scenario);
    }

    fn after(&mut self, order: &Order<'_>, at: usize, beat: &Beat) {
        let Some(after) = &beat.after else { return };
        let place = Place::from(after.referenced);
        let (id, _) = after.value.parts();
        let Some(other) = order.find(id) else {
            let problem = self.at(place, format!("no beat has the id `{id}`"));
            let known = order.beats.iter().filter_map(|beat| beat.id.as_deref());
            return self.problems.push(problem.suggest(id, known));
        };
        if order.comes_before(Point::Begin(at), Point::End(other)) {
            let message = format!("this beat never comes: `{id}` is over only after it");
            let hint =
                "beats of a list come one after the other: `after` is for those of another branch, and for waits";
            return self.problems.push(self.at(place, message).hint(hint));
        }
        if !order.is_played_with(other, at) {
            let message = format!("this beat may never come: `{id}` is played only where the choice falls on it");
            self.problems.push(self.at(place, message).hint("name the beat that picks"));
        }
    }

    /// A condition that names nothing is the same for ever.
    fn condition(&mut self, beat: &LoadedBeat, place: Place) {
        let Some(when) = beat.when.as_ref().filter(|when| when.mentions().is_empty()) else { return };
        let message = match when.holds_for(&Map::new()) {
            Ok(true) => "this always holds: there is nothing to wait for",
            Ok(false) => "this never holds: the beat never comes",
            Err(_) => return,
        };
        let place = if when.place().line > 0 { when.place() } else { place };
        self.problems.push(self.at(place, message).hint("name what it depends on, or leave `when` out"));
    }

    /// What came of a beat can be read only after it.
    fn reads(&mut self, order: &Order<'_>, at: usize) {
        let beat = order.beats[at];
        // What ends a repetition is asked within it.
        let until = match &beat.act {
            LoadedAct::Repeat(repeat) => repeat.until.as_ref().map(Program::place),
            _ => None,
        };
        for program in beat.programs() {
            let acts = program.mentions().iter().filter(|mention| mention.root == "acts");
            for id in acts.filter_map(|mention| mention.member.as_deref()) {
                let Some(other) = order.find(id) else { continue };
                let asked = if Some(program.place()) == until { Point::End(at) } else { Point::Begin(at) };
                let is_earlier = asked != Point::Begin(at) || !order.comes_before(asked, Point::End(other));
                if (!is_earlier && !order.in_round[at]) || other == at {
                    let message = format!("nothing has come of `{id}` yet: it comes later than this");
                    self.problems.push(
                        self.at(program.place(), message).hint("read it in a beat after that one, or in a check"),
                    );
                }
            }
        }
    }

    /// Waits in the machine's own time, which make each trajectory slow.
    fn waits(&mut self, scenario: &LoadedScenario, beat: &Beat, place: Place) {
        let per_second = match scenario.scenario.time.mode.as_deref().map_or(Ok(ClockMode::Real), str::parse) {
            Ok(ClockMode::Real) => 1,
            Ok(ClockMode::Scaled(factor)) => factor,
            Ok(ClockMode::Stepped) | Err(_) => return,
        };
        let after = beat.after.as_ref().map(|after| after.value.parts().1);
        let since = beat.at.as_ref().and_then(|at| match at.value {
            At::Since(span) => Some(span),
            At::Clock(_) => None,
        });
        let every = beat.repeat.as_ref().and_then(|repeat| repeat.every);
        let waits = [("pause", beat.pause), ("after", after), ("at", since), ("every", every), ("jitter", beat.jitter)];
        for (key, span) in waits.into_iter().filter_map(|(key, span)| Some((key, span?))) {
            if span.0 / per_second > WAIT_MAX {
                let place = place.find(self.text, &format!("{key}:"));
                let message = format!("`{key}` waits {span} by the machine's clock, in each trajectory");
                let hint = "say `time: {mode: stepped}`, or wait for what is to happen with `when`";
                self.problems.push(self.at(place, message).hint(hint));
            }
        }
    }

    /// `round` is known only where something is repeated.
    fn rounds(&mut self, scenario: &LoadedScenario, order: &Order<'_>) {
        let asks = |program: &&Program| program.mentions().iter().any(|mention| mention.root == "round");
        let outside: Vec<Place> = {
            let of_beats = order
                .beats
                .iter()
                .zip(&order.in_round)
                .filter(|(beat, in_round)| !**in_round && !matches!(beat.act, LoadedAct::Repeat(_)));
            let of_beats = of_beats.flat_map(|(beat, _)| beat.programs());
            let all: BTreeSet<(u64, u64)> = beat::all(&scenario.beats)
                .into_iter()
                .flat_map(LoadedBeat::programs)
                .map(|program| (program.place().line, program.place().column))
                .collect();
            let of_rest = super::programs(scenario);
            let of_rest =
                of_rest.into_iter().filter(|program| !all.contains(&(program.place().line, program.place().column)));
            of_beats.chain(of_rest).filter(asks).map(Program::place).collect()
        };
        for place in outside {
            let problem = self.at(place, "there is no `round` here: nothing is repeated");
            self.problems.push(problem.hint("`round` is known to the beats of a `repeat`"));
        }
    }

    /// Beats with a time that has passed by then.
    fn times(&mut self, scenario: &LoadedScenario) {
        let start = scenario.scenario.time.start.as_deref().and_then(|start| Timestamp::parse(start).ok());
        let mut passed = Duration::ZERO;
        for written in &scenario.scenario.beats {
            let beat = &written.value;
            if let Some(at) = &beat.at {
                let place = Place::from(at.referenced);
                let due = match (at.value, start) {
                    (At::Since(span), _) => span.0,
                    (At::Clock(time), Some(start)) if time >= start => time.since(start),
                    (At::Clock(_), Some(_)) => {
                        self.problems.push(self.at(place, "this is before the story begins").hint("see `time.start`"));
                        continue;
                    }
                    (At::Clock(_), None) => {
                        let problem = self.at(place, "nobody knows what the clock shows at the start");
                        self.problems
                            .push(problem.hint("say it with `time: {start: ...}`, or write a span: `at: 10m`"));
                        continue;
                    }
                };
                if due < passed {
                    let passed = dtu_kernel::time::Span(passed);
                    let message = format!("this beat comes late: by then {passed} have passed since the beginning");
                    self.problems.push(self.at(place, message).hint("beats of a list come one after the other"));
                }
                passed = passed.max(due);
            }
            passed += [beat.advance, beat.pause].into_iter().flatten().map(|span| span.0).sum::<Duration>();
        }
    }
}
