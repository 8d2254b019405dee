// The sum of a value over the 64 invocations of a workgroup, for all of them. The file that imports this says what a
// Sum is. With subgroups nothing is assumed of their width, nor of which invocations make one up: the first of each
// leaves its sum, and every subgroup adds up what all have left.
#ifdef SUBGROUPS
enable subgroups;
#endif
var<workgroup> sums: array<Sum, 64>;

fn workgroup_sum(lane: u32, value: Sum) -> Sum {
    // Readers of an earlier sum come first.
    workgroupBarrier();
#ifdef SUBGROUPS
    let sum = subgroupAdd(value);
    let rank = subgroupExclusiveAdd(1u);
    let members = subgroupAdd(1u);
    sums[lane] = select(Sum(), sum, rank == 0u);
    workgroupBarrier();
    var share = Sum();
    for (var i = rank; i < 64u; i += members) {
        share += sums[i];
    }
    return subgroupAdd(share);
#else
    sums[lane] = value;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            sums[lane] += sums[lane + half];
        }
    }
    workgroupBarrier();
    return sums[0];
#endif
}
