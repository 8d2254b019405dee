// HEAD4: most vec4 of a head that this permutation holds in registers.
#ifdef HD64
const HEAD4: u32 = 16u;
#endif
#ifdef HD128
const HEAD4: u32 = 32u;
#endif
#ifdef HD256
const HEAD4: u32 = 64u;
#endif
