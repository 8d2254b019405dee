//! `ocelli plan`: what a model costs before it is loaded, and the law of shapes.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use ocelli::base::Result;
use ocelli::tasks::{
    ByPass, Costs, Fitted, PlanOptions, SCALING_EXPONENTS, VitShape, fit_points, open, plan_model, plan_shape,
};

use super::args::PlanArgs;
use super::device_args::DtypeArg;
use super::error::CliError;
use super::json;

pub fn plan(args: &PlanArgs) -> Result<()> {
    if let Some(path) = &args.fit {
        return fit(path, args.json);
    }
    let target = args.target.as_deref().unwrap_or(Path::new(""));
    let options = PlanOptions {
        dtype: args.dtype.map(DtypeArg::dtype),
        prompt_tokens: args.prompt_tokens as usize,
        tflops: args.tflops,
        bandwidth_gbs: args.bandwidth_gbs,
        stream_gbs: args.stream_gbs,
        device_bytes: args.device_mib.map(|bytes| bytes as u64),
    };
    let shape: Result<VitShape, _> = target.to_string_lossy().parse();
    let (costs, title) = match shape {
        Ok(shape) => {
            let shape = VitShape { pooled: !args.no_pooling, ..shape };
            (plan_shape(&shape, &options)?, describe(&shape))
        }
        Err(_) if target.exists() && args.no_pooling => {
            return Err(CliError::Usage("--no-pooling is for a shape: a model has what it has".into()).into());
        }
        Err(_) if target.exists() => (plan_model(&open(target)?, &options)?, target.display().to_string()),
        Err(error) => return Err(error.into()),
    };
    if args.json {
        json::print(&costs)?
    } else {
        json::text(&table(&title, &costs, &options))?
    }
    Ok(())
}

fn describe(shape: &VitShape) -> String {
    let VitShape { width, depth, mlp, heads, patch, pixels, pooled } = *shape;
    let head = if pooled { "a pooling head" } else { "no pooling head" };
    let [by_width, by_depth, by_mlp] = SCALING_EXPONENTS;
    format!(
        "{width}x{depth}x{mlp}/{patch}@{pixels}, {heads} heads of {}, {} tokens, {head}\n\
         as compute t grows, the best width goes with t^{by_width:.2}, depth with t^{by_depth:.2}, MLP with t^{by_mlp:.2}",
        width / heads,
        shape.tokens()
    )
}

fn table(title: &str, costs: &Costs, options: &PlanOptions) -> String {
    let mut text = format!("{title}\n{:<14}{:>12.1} M parameters\n", "", costs.parameters as f64 / 1e6);
    // Writing to a string cannot fail.
    for (part, bytes) in costs.bytes.iter().filter_map(|(part, bytes)| bytes.map(|bytes| (part, bytes))) {
        let _ = writeln!(text, "{part:<14}{:>12.1} MB", bytes as f64 / 1e6);
    }
    let [flop, resident, streamed] = [
        rows(&costs.flop.map(|flop| flop as f64 / 1e9)),
        rows(&costs.seconds.resident.map(|seconds| seconds * 1e3)),
        rows(&costs.seconds.streamed.map(|seconds| seconds * 1e3)),
    ];
    for (((pass, flop), (_, resident)), (_, streamed)) in flop.into_iter().zip(resident).zip(streamed) {
        if let Some(flop) = flop {
            let _ = write!(text, "{pass:<14}{flop:>12.1} GFLOP");
            for (time, how) in [(resident, "resident"), (streamed, "streamed")] {
                if let Some(time) = time {
                    let _ = write!(text, "{time:>12.3} ms {how}");
                }
            }
            text.push('\n');
        }
    }
    if let Some(device) = options.device_bytes {
        let count = costs.devices.map_or("none: a layer does not fit".into(), |count| count.to_string());
        let _ = writeln!(text, "devices of {} MiB: {count}", device as f64 / f64::from(1 << 20));
    }
    text
}

fn rows(figures: &ByPass<f64>) -> [(&'static str, Option<f64>); 3] {
    [("image", figures.image), ("prefill", figures.prefill), ("token", figures.token)]
}

fn fit(path: &Path, as_json: bool) -> Result<()> {
    let table = fs::read(path).map_err(|reason| CliError::reading(path, reason))?;
    let law = fit_points(&table, &path.display().to_string())?;
    if as_json {
        json::print(&law)?
    } else {
        json::text(&told(&law))?
    }
    Ok(())
}

fn told(law: &Fitted) -> String {
    let Fitted { alpha, a, beta, b, xi, c, epsilon, s, optimum } = law;
    let mut text = format!(
        "f = {alpha:.4} x^-{a:.4} + ({beta:.4e} x^{b:.4} + {xi:.4}) t^-{c:.4} + {epsilon:.4}\n\
         the best x goes with t^{s:.4}\n"
    );
    for point in optimum {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "t {:<12.6} x {:.1}", point.t, point.x);
    }
    text
}
