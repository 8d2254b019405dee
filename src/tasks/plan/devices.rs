use super::subject::PartWeights;

/// What must lie on one device: a layer, or a weight between layers.
struct Unit {
    bytes: u64,
    /// Whether it is a layer of the decoder, which has its share of the cache.
    caches: bool,
}

/// The fewest devices of so many bytes that hold a model's layers one after the other, each with room for activations;
/// `None` where a layer does not fit.
pub(super) fn devices(weights: &[PartWeights], kv: Option<u64>, activations: u64, device: u64) -> Option<usize> {
    let units: Vec<Unit> = weights.iter().flat_map(units).collect();
    let layers = units.iter().filter(|unit| unit.caches).count() as u64;
    let share = kv.unwrap_or(0).div_ceil(layers.max(1));
    let room = device.checked_sub(activations)?;
    let (mut devices, mut held) = (1, 0u64);
    for unit in &units {
        let bytes = unit.bytes.saturating_add(if unit.caches { share } else { 0 });
        if bytes > room {
            return None;
        }
        if held.saturating_add(bytes) > room {
            (devices, held) = (devices + 1, 0);
        }
        held += bytes;
    }
    Some(devices)
}

fn units(part: &PartWeights) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut last = None;
    for (name, bytes) in part.names.iter().zip(&part.bytes) {
        let layer = layer(name);
        match units.last_mut() {
            Some(unit) if layer.is_some() && layer == last => unit.bytes = unit.bytes.saturating_add(*bytes),
            _ => units.push(Unit { bytes: *bytes, caches: part.caches && layer.is_some() }),
        }
        last = layer;
    }
    units
}

/// The layer that a weight belongs to, such as `decoder.3` of `decoder.3.qkv`.
fn layer(name: &str) -> Option<&str> {
    let mut parts = name.splitn(3, '.');
    let (part, number) = (parts.next()?, parts.next()?);
    parts.next()?;
    number.parse::<usize>().ok().map(|_| &name[..part.len() + 1 + number.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoder() -> PartWeights {
        let weights = [("decoder.embed", 50), ("decoder.0.q", 30), ("decoder.0.k", 10), ("decoder.1.q", 40)];
        PartWeights {
            name: "decoder",
            names: weights.iter().map(|(name, _)| (*name).to_owned()).collect(),
            bytes: weights.iter().map(|(_, bytes)| *bytes).collect(),
            parameters: 0,
            caches: true,
        }
    }

    #[test]
    fn layers_stay_whole() {
        let of = |kv, activations, device| devices(&[decoder()], kv, activations, device);
        assert_eq!((of(None, 0, 130), of(None, 0, 129), of(None, 0, 50)), (Some(1), Some(2), Some(3)));
        // Nothing is left of a device that an embedding does not fit.
        assert_eq!((of(None, 0, 49), of(None, 1, 50), of(None, 100, 50)), (None, None, None));
        // Ten of the cache with each of two layers.
        assert_eq!((of(Some(20), 0, 150), of(Some(20), 0, 149)), (Some(1), Some(2)));
    }
}
