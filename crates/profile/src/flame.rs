//! A flame graph without scripts: boxes with titles, for any browser and any content policy.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::Profile;

const WIDTH: f64 = 1_600.0;
const ROW: usize = 18;
/// The narrowest box that is drawn, in pixels.
const NARROWEST: f64 = 0.3;
/// Pixels of a letter.
const LETTER: f64 = 6.6;

/// A function within its callers.
#[derive(Default)]
struct Node<'a> {
    count: i64,
    called: BTreeMap<&'a str, Node<'a>>,
}

impl Node<'_> {
    fn depth(&self) -> usize {
        1 + self.called.values().map(Node::depth).max().unwrap_or_default()
    }
}

pub(crate) fn drawn(profile: &Profile) -> Vec<u8> {
    let mut all = Node::default();
    for (frames, counted) in &profile.stacks {
        let count = counted.last().copied().unwrap_or_default().max(0);
        let mut node = &mut all;
        node.count += count;
        for frame in frames.iter().rev() {
            node = node.called.entry(frame).or_default();
            node.count += count;
        }
    }
    let (kind, unit) = profile.kinds.last().copied().unwrap_or_default();
    let title = format!("{kind}, {:.1} s", profile.took.as_secs_f64());
    let height = (all.depth() + 1) * ROW;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"monospace\" font-size=\"11\">\n"
    );
    draw(&mut svg, &title, &all, unit, Place { x: 0.0, per_count: WIDTH / all.count.max(1) as f64, y: height - ROW });
    svg.push_str("</svg>\n");
    svg.into_bytes()
}

#[derive(Clone, Copy)]
struct Place {
    x: f64,
    per_count: f64,
    y: usize,
}

fn draw(svg: &mut String, name: &str, node: &Node<'_>, unit: &str, place: Place) {
    let width = node.count as f64 * place.per_count;
    if width < NARROWEST {
        return;
    }
    let (whole, name) = (escaped(name), name);
    let letters = (width / LETTER) as usize;
    let short: String = if letters < 3 { String::new() } else { name.chars().take(letters).collect() };
    // A name has its colour.
    let hue = name.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % 40 + 15;
    let Place { x, y, .. } = place;
    writeln!(
        svg,
        "<g><title>{whole}: {} {unit}</title><rect x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{}\" fill=\"hsl({hue} 80% 65%)\"/><text x=\"{:.1}\" y=\"{}\">{}</text></g>",
        node.count,
        ROW - 1,
        x + 2.0,
        y + ROW - 6,
        escaped(&short)
    )
    .expect("writing to a string cannot fail");
    let mut x = x;
    for (name, called) in &node.called {
        draw(svg, name, called, unit, Place { x, y: y.saturating_sub(ROW), ..place });
        x += called.count as f64 * place.per_count;
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
