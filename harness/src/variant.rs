//! Variants of scenarios, and the seeds of their trajectories.

mod generated;

use dtu_kernel::seed::{SeedTree, Site};
use serde_json::{Map, Value};

use crate::scenario::{Param, Scenario};

/// A scenario with one binding of its `one_of` parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Eight hexadecimal digits, made from the scenario's id and the binding: other scenarios and other values of a
    /// parameter do not change it.
    pub id: String,
    /// The binding for people: `requester=lena group=figma-admin`; empty where the scenario has no parameters. Not
    /// unique: ids are.
    pub label: String,
    /// The values of the `one_of` parameters by name, in the order of the file.
    pub params: Map<String, Value>,
}

/// All variants of a scenario: each combination of the values of its `one_of` parameters, in the order of the file,
/// the last parameter changing fastest.
pub fn variants(scenario: &Scenario) -> Vec<Variant> {
    let mut bindings = vec![Map::new()];
    for (name, param) in &scenario.params {
        if let Param::OneOf(values) = &param.value {
            bindings = bindings.iter().flat_map(|binding| extended(binding, name, values)).collect();
        }
    }
    bindings.into_iter().map(|params| Variant::new(&scenario.id.value, params)).collect()
}

/// The binding with `name` bound to each of `values` in turn.
fn extended<'a>(
    binding: &'a Map<String, Value>,
    name: &'a str,
    values: &'a [Value],
) -> impl Iterator<Item = Map<String, Value>> + 'a {
    values.iter().map(move |value| {
        let mut next = binding.clone();
        next.insert(name.to_owned(), value.clone());
        next
    })
}

impl Variant {
    fn new(scenario_id: &str, params: Map<String, Value>) -> Self {
        let label = params.iter().flat_map(|(name, value)| words(name, value)).collect::<Vec<_>>().join(" ");
        let mut hasher = keyed("dtu variant id v1");
        feed(&mut hasher, scenario_id.as_bytes());
        for (name, value) in &params {
            feed(&mut hasher, name.as_bytes());
            feed(&mut hasher, value.to_string().as_bytes());
        }
        let id = hasher.finalize().to_hex()[..8].to_owned();
        Self { id, label, params }
    }

    /// All parameters of a trajectory: the variant's own, and the others drawn by the trajectory's seed, in the order of
    /// the file. Lists that depend on the world were put in before ([`crate::load::pick`]).
    pub fn draw(&self, scenario: &Scenario, trajectory_seed: u64) -> Map<String, Value> {
        let seeds = SeedTree::new(trajectory_seed);
        // Keyed by the name alone: a parameter more changes no other draw.
        let below = |name: &str, bound: u64| seeds.draw(Site::named("params").child(name), 0).below(bound);
        let value = |name: &String, param: &Param| match param {
            Param::OneOf(_) => self.params.get(name).cloned(),
            Param::AnyOf(values) => {
                let at = below(name, values.len() as u64);
                values.get(usize::try_from(at).unwrap_or(0)).cloned()
            }
            Param::Int { min, max } => {
                let span = max.abs_diff(*min).saturating_add(1);
                Some(min.saturating_add_unsigned(below(name, span)).into())
            }
            Param::Generated(kind) => {
                Some(generated::value(kind, &mut seeds.draw(Site::named("params").child(name), 0)))
            }
            Param::From(_) => None,
        };
        let bound = scenario.params.iter().map(|(name, param)| {
            let value = value(name, &param.value).unwrap_or(Value::Null);
            (name.clone(), value)
        });
        bound.collect()
    }
}

/// A parameter for people. Of an object, its members say enough.
fn words(name: &str, value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().map(|(member, value)| format!("{member}={}", shown(value))).collect()
        }
        _ => vec![format!("{name}={}", shown(value))],
    }
}

/// Texts as they are, all else as JSON.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The seed of the `n`th trajectory of a variant. It depends on nothing else: neither on order, nor on sharding, nor on
/// what other scenarios are run.
pub fn trajectory_seed(run_seed: u64, scenario_id: &str, variant_id: &str, n: u64) -> u64 {
    let mut hasher = keyed("dtu trajectory seed v1");
    hasher.update(&run_seed.to_le_bytes());
    first_word(place(hasher, scenario_id, variant_id, n))
}

/// The shard, counted from 0, that runs the `n`th trajectory of a variant. It does not depend on the run's seed.
pub fn shard_of(scenario_id: &str, variant_id: &str, n: u64, shards: u64) -> u64 {
    let word = first_word(place(keyed("dtu shard v1"), scenario_id, variant_id, n));
    // Multiply and shift, as for all draws: no remainder's bias, and nothing to divide by.
    u64::try_from((u128::from(word) * u128::from(shards.max(1))) >> 64).unwrap_or(0)
}

fn keyed(context: &str) -> blake3::Hasher {
    blake3::Hasher::new_derive_key(context)
}

/// Feeds a part with its length in front, so that no two lists of parts are fed alike.
fn feed(hasher: &mut blake3::Hasher, part: &[u8]) {
    hasher.update(&(part.len() as u64).to_le_bytes());
    hasher.update(part);
}

fn place(mut hasher: blake3::Hasher, scenario_id: &str, variant_id: &str, n: u64) -> blake3::Hash {
    feed(&mut hasher, scenario_id.as_bytes());
    feed(&mut hasher, variant_id.as_bytes());
    hasher.update(&n.to_le_bytes());
    hasher.finalize()
}

fn first_word(hash: blake3::Hash) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::testing::scenario_with;

    fn scenario(params: &str) -> Scenario {
        scenario_with(&format!("params: {params}")).scenario
    }

    fn labels(scenario: &Scenario) -> Vec<String> {
        variants(scenario).into_iter().map(|variant| variant.label).collect()
    }

    #[test]
    fn variants_are_all_combinations_in_the_order_of_the_file() {
        let check = |params: &str, wanted: &[&str]| assert_eq!(labels(&scenario(params)), wanted, "{params}");
        check("{}", &[""]);
        check("{b: {one_of: [1, 2]}, a: {one_of: [x, y]}}", &["b=1 a=x", "b=1 a=y", "b=2 a=x", "b=2 a=y"]);
        check("{r: {one_of: [{who: lena, boss: omar}]}, d: {any_of: [1, 2]}}", &["who=lena boss=omar"]);
    }

    #[test]
    fn an_id_depends_on_the_binding_alone() {
        let ids = |params: &str| -> Vec<String> { variants(&scenario(params)).into_iter().map(|v| v.id).collect() };
        let (few, more) = (ids("{a: {one_of: [x, y]}}"), ids("{a: {one_of: [z, x, y]}}"));
        assert_eq!(few, more[1..]);
        assert_eq!(few.iter().chain(&more).collect::<BTreeSet<_>>().len(), 3);
        assert!(few.iter().all(|id| id.len() == 8 && id.bytes().all(|b| b.is_ascii_hexdigit())));
    }

    #[test]
    fn what_is_drawn_depends_on_the_seed_and_the_name() {
        let draws = |params: &str, name: &str| -> Vec<Value> {
            let scenario = scenario(params);
            let variant = variants(&scenario).remove(0);
            (0..40).map(|seed| variant.draw(&scenario, seed)[name].clone()).collect()
        };
        let alone = draws("{d: {any_of: [1, 2, 3]}}", "d");
        assert_eq!(alone, draws("{c: {any_of: [7, 8]}, d: {any_of: [1, 2, 3]}}", "d"));
        assert_eq!(alone.iter().map(ToString::to_string).collect::<BTreeSet<_>>().len(), 3);
        let numbers = draws("{d: {int: {min: -1, max: 2}}}", "d");
        let numbers: BTreeSet<i64> = numbers.iter().filter_map(Value::as_i64).collect();
        assert_eq!(Vec::from_iter(numbers), [-1, 0, 1, 2]);
        let scenario = scenario("{b: {any_of: [1]}, a: {one_of: [x]}}");
        let bound = variants(&scenario).remove(0).draw(&scenario, 1);
        assert_eq!(Value::Object(bound).to_string(), r#"{"b":1,"a":"x"}"#);
    }

    #[test]
    fn seeds_never_change() {
        // Stored seeds and baselines depend on these numbers.
        assert_eq!(trajectory_seed(1, "access.approved", "0a1b2c3d", 0), 4_547_590_803_577_100_756);
        assert_eq!(shard_of("access.approved", "0a1b2c3d", 0, 1_000), 603);
    }

    proptest! {
        #[test]
        fn seeds_differ_wherever_anything_differs(
            a in (0_u64..3, "[ab]{1,2}", "[ab]{1,2}", 0_u64..3),
            b in (0_u64..3, "[ab]{1,2}", "[ab]{1,2}", 0_u64..3),
        ) {
            let seed = |(run, scenario, variant, n): &(u64, String, String, u64)| trajectory_seed(*run, scenario, variant, *n);
            prop_assert_eq!(a == b, seed(&a) == seed(&b));
        }

        #[test]
        fn each_trajectory_is_in_one_shard(id in "[a-z.]{1,8}", n in 0_u64..100, shards in 0_u64..9) {
            prop_assert!(shard_of(&id, "00000000", n, shards) < shards.max(1));
        }

        #[test]
        fn there_are_as_many_variants_as_combinations(sizes in prop::collection::vec(1_usize..4, 0..4)) {
            let params = sizes.iter().enumerate().map(|(at, size)| {
                let values = (0..*size).map(|v| v.to_string()).collect::<Vec<_>>().join(", ");
                format!("p{at}: {{one_of: [{values}]}}")
            });
            let scenario = scenario(&format!("{{{}}}", params.collect::<Vec<_>>().join(", ")));
            let all = variants(&scenario);
            prop_assert_eq!(all.len(), sizes.iter().product::<usize>());
            prop_assert_eq!(all.iter().map(|v| &v.id).collect::<BTreeSet<_>>().len(), all.len());
            // In the order of the file, the last parameter changing fastest: the labels count up.
            prop_assert!(all.windows(2).all(|pair| pair[0].label < pair[1].label));
        }
    }
}
