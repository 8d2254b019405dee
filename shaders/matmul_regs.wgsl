// Linear layer, barrier-free: every invocation holds a tile of 8 rows of x by 4 rows of the weight in registers.
// x [T, K], weight [N, K] -> out [T, N]. Grid: (N / 4 / 32, T / 8). Twin: matmul_regs.
const TILE_ROWS: u32 = 8u;
#import linear_regs
