// Linear layer for few rows, barrier-free: every invocation sums one row of x with 4 rows of the weight.
// x [T, K], weight [N, K] -> out [T, N]. Grid: (N / 4 / 32, T). Twin: matvec_serial.
const TILE_ROWS: u32 = 1u;
#import linear_regs
