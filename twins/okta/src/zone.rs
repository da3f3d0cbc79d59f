//! Network zones: which addresses are in them.

use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::model::State;

/// Where zones are kept.
pub const ZONES: &str = "/api/v1/zones";

/// Whether an address is in an active zone. Nobody's address is in `ALL_ZONES` unless it is in one of them; where none
/// is known, it is in no zone. Zones by place or provider hold nothing: no address of a test has a place.
pub fn contains(state: &State, id: &str, address: Option<IpAddr>) -> bool {
    let Some(address) = address else { return false };
    if id == "ALL_ZONES" {
        return state.objects.members(ZONES).any(|(_, zone)| holds(zone, address));
    }
    state.objects.member(ZONES, id).is_some_and(|zone| holds(zone, address))
}

/// Whether an address is in an active zone whose addresses are kept out.
pub fn is_blocked(state: &State, address: Option<IpAddr>) -> bool {
    let Some(address) = address else { return false };
    let blocks = |zone: &Map<String, Value>| zone.get("usage").and_then(Value::as_str) == Some("BLOCKLIST");
    state.objects.members(ZONES).any(|(_, zone)| blocks(zone) && holds(zone, address))
}

fn holds(zone: &Map<String, Value>, address: IpAddr) -> bool {
    let is_active = zone.get("status").and_then(Value::as_str) != Some("INACTIVE");
    let both = ["gateways", "proxies"].into_iter().filter_map(|name| zone.get(name)?.as_array());
    is_active
        && both
            .flatten()
            .any(|range| range.get("value").and_then(Value::as_str).is_some_and(|text| fits(text, address)))
}

/// Whether an address is in a range: `192.0.2.0/24`, `192.0.2.1-192.0.2.9` or one address.
pub fn fits(range: &str, address: IpAddr) -> bool {
    bounds(range).is_some_and(|(first, last)| first.is_ipv4() == address.is_ipv4() && (first..=last).contains(&address))
}

/// The first and the last address of a range; none where it is no range.
pub fn bounds(range: &str) -> Option<(IpAddr, IpAddr)> {
    if let Some((first, last)) = range.split_once('-') {
        let (first, last): (IpAddr, IpAddr) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        return Some((first, last)).filter(|_| first.is_ipv4() == last.is_ipv4() && first <= last);
    }
    let Some((address, bits)) = range.split_once('/') else {
        let address = range.trim().parse().ok()?;
        return Some((address, address));
    };
    block(address.parse().ok()?, bits.parse().ok()?)
}

fn block(address: IpAddr, bits: u32) -> Option<(IpAddr, IpAddr)> {
    match address {
        IpAddr::V4(address) => {
            let free = u32::MAX.checked_shr(bits).unwrap_or(0);
            let first = address.to_bits() & !free;
            (bits <= 32).then(|| (IpAddr::V4(first.into()), IpAddr::V4((first | free).into())))
        }
        IpAddr::V6(address) => {
            let free = u128::MAX.checked_shr(bits).unwrap_or(0);
            let first = address.to_bits() & !free;
            (bits <= 128).then(|| (IpAddr::V6(first.into()), IpAddr::V6((first | free).into())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_the_addresses_between_their_bounds() {
        let check = |range: &str, address: &str, expected: bool| {
            assert_eq!(fits(range, address.parse().expect("is an address")), expected, "{range} {address}");
        };
        check("192.0.2.0/24", "192.0.2.255", true);
        check("192.0.2.0/24", "192.0.3.0", false);
        check("192.0.2.7/32", "192.0.2.7", true);
        check("0.0.0.0/0", "203.0.113.9", true);
        check("192.0.2.3-192.0.2.9", "192.0.2.9", true);
        check("192.0.2.3-192.0.2.9", "192.0.2.10", false);
        check("192.0.2.3", "192.0.2.3", true);
        check("2001:db8::/32", "2001:db8:1::1", true);
        check("2001:db8::/32", "192.0.2.3", false);
        check("192.0.2.0/33", "192.0.2.0", false);
        check("192.0.2.9-192.0.2.3", "192.0.2.5", false);
        check("office", "192.0.2.5", false);
    }
}
