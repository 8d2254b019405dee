#import step
#import gelu
struct ElementwiseParams {
    tokens: u32, // T, most rows
    width: u32, // elements of a row of out
    softcap: f32, // c of softcap
}
@group(1) @binding(0) var<uniform> params: ElementwiseParams;

fn inside(id: vec3<u32>) -> bool {
    return id.x < params.width && id.y < rows_of(params.tokens);
}
