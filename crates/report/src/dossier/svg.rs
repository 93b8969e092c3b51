//! Charts as SVG: drawn from their data alone, with no script and no outside font. What is drawn is also said in words.

use std::fmt::Write as _;

use super::visible::xml;
use super::{Chart, Drawn, Point};

const WIDTH: f64 = 720.0;
const COLUMNS_HEIGHT: f64 = 220.0;
const BAR_HEIGHT: f64 = 22.0;
const TIMELINE_HEIGHT: f64 = 150.0;
const PLAIN: &str = "#4a6fa5";
const MARKED: &str = "#b3261e";
/// The most characters of a label.
const LABEL_CHARS: usize = 42;

/// The chart, named for who reads it aloud.
#[must_use]
pub(super) fn svg(chart: &Chart, id: &str) -> String {
    let (height, body) = match chart.drawn {
        Drawn::Columns => (COLUMNS_HEIGHT, columns(&chart.points)),
        Drawn::Bars => (bars_height(chart.points.len()), bars(&chart.points)),
        Drawn::Timeline => (TIMELINE_HEIGHT, timeline(&chart.points)),
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\" font-family=\"Libertinus Serif, Georgia, serif\" font-size=\"11\" fill=\"#222\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>{body}</svg>",
        xml(&chart.title),
        xml(&chart.text),
    )
}

/// Only for where things are drawn: what is written comes from the texts.
fn height_of(point: &Point) -> f64 {
    point.cell.exact().parse::<f64>().ok().filter(|n| n.is_finite()).unwrap_or(0.0)
}

fn greatest(points: &[Point]) -> f64 {
    points.iter().map(height_of).fold(0.0_f64, f64::max).max(f64::MIN_POSITIVE)
}

fn colour(point: &Point) -> &'static str {
    if point.marked { MARKED } else { PLAIN }
}

fn clip(text: &str) -> String {
    if text.chars().count() <= LABEL_CHARS {
        text.to_owned()
    } else {
        text.chars().take(LABEL_CHARS - 1).chain(['…']).collect()
    }
}

#[allow(clippy::cast_precision_loss, reason = "few points")]
fn columns(points: &[Point]) -> String {
    let (left, top, foot) = (8.0, 18.0, 46.0);
    let most = greatest(points);
    let step = (WIDTH - 2.0 * left) / points.len().max(1) as f64;
    let room = COLUMNS_HEIGHT - top - foot;
    // Labels of many columns would lie over one another: every so manieth is written, and the marked one.
    let every = (points.len() as f64 / 12.0).ceil().max(1.0) as usize;
    let mut out =
        format!("<line x1=\"{left}\" y1=\"{0}\" x2=\"{1}\" y2=\"{0}\" stroke=\"#999\"/>", top + room, WIDTH - left);
    for (at, point) in points.iter().enumerate() {
        let high = (height_of(point).max(0.0) / most * room).max(1.0);
        let x = left + step * at as f64;
        // Of nothing no column is drawn; its label stands.
        if height_of(point) > 0.0 {
            let _ = write!(
                out,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{high:.1}\" fill=\"{}\"><title>{}: {}</title></rect>",
                x + step * 0.1,
                top + room - high,
                step * 0.8,
                colour(point),
                xml(&point.label),
                xml(&point.cell.text)
            );
        }
        let middle = x + step / 2.0;
        if at % every == 0 || point.marked {
            let turned = format!("rotate(-30 {middle:.1} {:.1})", top + room + 14.0);
            let _ = write!(
                out,
                "<text x=\"{middle:.1}\" y=\"{:.1}\" font-size=\"9\" text-anchor=\"end\" transform=\"{turned}\">{}</text>",
                top + room + 14.0,
                xml(&clip(&point.label))
            );
        }
        if point.marked {
            let _ = write!(
                out,
                "<text x=\"{middle:.1}\" y=\"{:.1}\" font-size=\"12\" text-anchor=\"middle\" fill=\"{MARKED}\">▼</text>",
                (top + room - high - 3.0).max(11.0)
            );
        }
    }
    out
}

#[allow(clippy::cast_precision_loss, reason = "few points")]
fn bars_height(points: usize) -> f64 {
    BAR_HEIGHT * points.max(1) as f64 + 8.0
}

#[allow(clippy::cast_precision_loss, reason = "few points")]
fn bars(points: &[Point]) -> String {
    let (name, number) = (250.0, 130.0);
    let most = greatest(points);
    let mut out = String::new();
    for (at, point) in points.iter().enumerate() {
        let y = 4.0 + BAR_HEIGHT * at as f64;
        let long = (height_of(point).max(0.0) / most * (WIDTH - name - number)).max(0.5);
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text><rect x=\"{name}\" y=\"{:.1}\" width=\"{long:.1}\" height=\"14\" fill=\"{}\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            name - 6.0,
            y + 14.0,
            xml(&clip(&point.label)),
            y + 3.0,
            colour(point),
            name + long + 6.0,
            y + 14.0,
            xml(&point.cell.text)
        );
    }
    out
}

#[allow(clippy::cast_precision_loss, reason = "days of some centuries")]
fn timeline(points: &[Point]) -> String {
    use model::dates::parse_iso;
    let day_of = |point: &Point| point.at.as_deref().and_then(|at| parse_iso(at).ok());
    let days: Vec<_> = points.iter().filter_map(day_of).collect();
    let (Some(first), Some(last)) = (days.iter().min(), days.iter().max()) else { return String::new() };
    let (left, base) = (50.0, 110.0);
    let span = (*last - *first).num_days().max(1) as f64;
    let most = greatest(points);
    let mut out = format!("<line x1=\"{left}\" y1=\"{base}\" x2=\"{}\" y2=\"{base}\" stroke=\"#999\"/>", WIDTH - left);
    for point in points {
        let Some(day) = day_of(point) else { continue };
        let x = left + (day - *first).num_days() as f64 / span * (WIDTH - 2.0 * left);
        let high = (height_of(point).max(0.0) / most * 80.0).max(4.0);
        let _ = write!(
            out,
            "<line x1=\"{x:.1}\" y1=\"{base}\" x2=\"{x:.1}\" y2=\"{:.1}\" stroke=\"{c}\" stroke-width=\"2\"/><circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{c}\"><title>{}: {}</title></circle>",
            base - high,
            base - high,
            xml(&point.label),
            xml(&point.cell.text),
            c = colour(point)
        );
    }
    for (point, anchor, x) in [
        (points.iter().min_by_key(|p| p.at.clone()), "start", left),
        (points.iter().max_by_key(|p| p.at.clone()), "end", WIDTH - left),
    ] {
        if let Some(point) = point {
            let _ = write!(
                out,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
                base + 18.0,
                xml(&clip(&point.label))
            );
        }
    }
    out
}
