use std::fmt;

use serde::Serialize;

use super::PlanError;
use crate::base::Result;
use crate::models::shape_law::{LEAST_POINTS, Point, fit};

/// A law fitted to points; see [`ShapeLaw`](crate::models::shape_law::ShapeLaw) for its parameters.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the law's documentation says what each parameter is")]
pub struct Fitted {
    pub alpha: f64,
    pub a: f64,
    pub beta: f64,
    pub b: f64,
    pub xi: f64,
    pub c: f64,
    pub epsilon: f64,
    /// The exponent of the optimum in compute.
    pub s: f64,
    /// The best x at each compute among the points.
    pub optimum: Vec<Optimum>,
}

/// The best x at some compute.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Optimum {
    /// Compute.
    pub t: f64,
    /// The dimension of least error.
    pub x: f64,
}

/// A column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    X,
    T,
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X => "x",
            Self::T => "t",
        })
    }
}

/// Fits the law to a table of points: comma-separated values with the header `x,t,f`. `file` is its name in messages.
///
/// # Errors
/// A line that is no point, too few points, or points that are alike.
pub fn fit_points(table: &[u8], file: &str) -> Result<Fitted> {
    let points = parse(&String::from_utf8_lossy(table), file)?;
    let law = fit(&points);
    let optimum = different(&points, |point| point.t).into_iter().map(|t| Optimum { t, x: law.optimum(t) });
    Ok(Fitted {
        alpha: law.alpha,
        a: law.a,
        beta: law.beta,
        b: law.b,
        xi: law.xi,
        c: law.c,
        epsilon: law.epsilon,
        s: law.exponent(),
        optimum: optimum.collect(),
    })
}

fn parse(table: &str, file: &str) -> Result<Vec<Point>, PlanError> {
    let mut lines = table.trim_start_matches('\u{feff}').lines().enumerate();
    let header = lines.next().map_or("", |(_, line)| line);
    if !header.split(',').map(str::trim).eq(["x", "t", "f"]) {
        return Err(PlanError::Header { file: file.into(), found: cut(header) });
    }
    let mut points = Vec::new();
    for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let bad = |found, expected| PlanError::Row { file: file.into(), line: index + 1, found, expected };
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let [x, t, f] = fields[..] else {
            return Err(bad(format!("{} values", fields.len()), "3: x,t,f"));
        };
        let number = |text: &str| {
            let number = text.parse().ok().filter(|number| RANGE.contains(number));
            number.ok_or_else(|| bad(format!("{:?}", cut(text)), "a number from 1e-30 to 1e30"))
        };
        points.push(Point { x: number(x)?, t: number(t)?, f: number(f)? });
    }
    check(&points, file)?;
    Ok(points)
}

/// Numbers that the law can be fitted to: logarithms of others do not exist or leave no room.
const RANGE: std::ops::RangeInclusive<f64> = 1e-30..=1e30;

/// A bend needs three values, a slope two.
fn check(points: &[Point], file: &str) -> Result<(), PlanError> {
    if points.len() < LEAST_POINTS {
        return Err(PlanError::TooFew { file: file.into(), found: points.len() });
    }
    let enough = |column, found: usize, least| {
        if found >= least { Ok(()) } else { Err(PlanError::Alike { file: file.into(), column, found, least }) }
    };
    enough(Column::X, different(points, |point| point.x).len(), 3)?;
    enough(Column::T, different(points, |point| point.t).len(), 2)
}

/// The different values, from small to large.
fn different(points: &[Point], value: impl Fn(&Point) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = points.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

/// As much of a text as a message repeats.
fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(table: &str) -> String {
        parse(table, "points.csv").expect_err(table).to_string()
    }

    #[test]
    fn what_is_no_table_is_told_with_its_line() {
        let good = "1,1,1\n2,1,1\n3,1,1\n1,2,1\n2,2,1\n3,2,1\n1,3,1\n2,3,1\n";
        assert_eq!(parse(&format!("x, t,f\r\n{good}\n\n"), "").expect("points").len(), 8);
        for (table, part) in [
            ("", "line 1 is \"\", expected the header x,t,f"),
            ("1,2,3\n", "line 1 is \"1,2,3\""),
            ("x,t,f\n1,2\n", "line 2 has 2 values, expected 3"),
            ("x,t,f\n1,2,3\n\n1,2,oops\n", "line 4 has \"oops\", expected a number"),
            ("x,t,f\n0,2,3\n", "line 2 has \"0\""),
            ("x,t,f\n1,-2,3\n", "line 2 has \"-2\""),
            ("x,t,f\n1,2,nan\n", "line 2 has \"nan\""),
            ("x,t,f\n1,inf,3\n", "line 2 has \"inf\""),
            ("x,t,f\n1,2,1e99\n", "line 2 has \"1e99\""),
            ("x,t,f\n1,1,1\n", "1 points, expected at least 8"),
        ] {
            assert!(said(table).contains(part), "{table:?}: {}", said(table));
        }
        assert!(
            said(&format!("x,t,f\n{}", "1,2,3\n".repeat(8))).contains("1 different values of x, expected at least 3")
        );
        let flat = "x,t,f\n1,1,1\n2,1,1\n3,1,1\n4,1,1\n5,1,1\n6,1,1\n7,1,1\n8,1,1\n";
        assert!(said(flat).contains("1 different values of t, expected at least 2"));
    }
}
