//! HTML: one file that asks nothing of any other place, and prints well.

use std::fmt::Write as _;

use super::svg::svg;
use super::visible::xml;
use super::{Block, Cell, Chart, Column, Dossier, Section, Table};

const STYLE: &str = "
:root{color-scheme:light}
body{font:16px/1.5 Georgia,'Times New Roman',serif;color:#1c1c1c;background:#fff;max-width:60rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.8rem;line-height:1.2;margin:0 0 .5rem}h2{font-size:1.35rem;border-bottom:2px solid #1c1c1c;margin-top:2.2rem}h3{font-size:1.1rem;margin-top:1.8rem}
.meta{color:#444;font-size:.9rem}.notice{border-left:4px solid #b3261e;background:#fdf2f1;padding:.6rem .9rem;margin:1rem 0}
dl{display:grid;grid-template-columns:minmax(9rem,max-content) 1fr;gap:.15rem 1rem;margin:.6rem 0}dt{color:#444}dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.88rem;margin:.8rem 0}caption{text-align:left;font-weight:bold;padding:.2rem 0}
th,td{border-bottom:1px solid #ccc;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#f2f2f2}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
figure{margin:1rem 0}figcaption{font-size:.9rem;color:#333}svg{width:100%;height:auto;max-width:45rem}summary{cursor:pointer;font-size:.88rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f6f6;border:1px solid #ccc;padding:.8rem;font-size:.85rem}
nav ol{columns:2}footer{margin-top:3rem;border-top:1px solid #999;font-size:.85rem;color:#444}
@media print{body{max-width:none;padding:0;font-size:10.5pt}nav{display:none}a{color:inherit;text-decoration:none}h2{break-after:avoid}h3{break-after:avoid}tr,figure,.notice{break-inside:avoid}thead{display:table-header-group}details{display:block}@page{margin:18mm 15mm}}
";

/// The document as HTML.
#[must_use]
pub fn html(dossier: &Dossier) -> String {
    let language = dossier.language;
    let tag = language.say("pt-BR", "en");
    let title = xml(&dossier.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n<p class=\"meta\">{}</p>\n",
        xml(&super::markdown::made(dossier))
    );
    for reason in dossier.partial.iter().chain(&dossier.cut) {
        let _ = writeln!(out, "<p class=\"notice\">{}</p>", xml(reason));
    }
    out.push_str("</header>\n");
    let _ = writeln!(out, "<nav aria-label=\"{0}\"><h2>{0}</h2><ol>", language.say("Sumário", "Contents"));
    for section in dossier.sections.iter().filter(|section| section.level == 2) {
        let _ = writeln!(out, "<li><a href=\"#{}\">{}</a></li>", xml(&section.id), xml(&section.title));
    }
    out.push_str("</ol></nav>\n<main>\n");
    let mut charts = 0;
    for section in &dossier.sections {
        put(&mut out, section, dossier, &mut charts);
    }
    for letter in &dossier.letters {
        let _ = writeln!(
            out,
            "<h2 id=\"{}\">{}</h2>\n<pre>{}</pre>",
            xml(&letter.name),
            xml(&letter.title),
            letter.text.lines().map(xml).collect::<Vec<_>>().join("\n")
        );
    }
    let _ =
        write!(out, "</main>\n<footer><p>{}</p></footer>\n</body>\n</html>\n", xml(&super::markdown::foot(dossier)));
    out
}

fn put(out: &mut String, section: &Section, dossier: &Dossier, charts: &mut u32) {
    let level = section.level.clamp(2, 4);
    let _ = writeln!(out, "<section><h{level} id=\"{}\">{}</h{level}>", xml(&section.id), xml(&section.title));
    for block in &section.blocks {
        match block {
            Block::Text { text } => {
                let _ = writeln!(out, "<p>{}</p>", xml(text));
            }
            Block::Notice { text } => {
                let _ = writeln!(out, "<p class=\"notice\">{}</p>", xml(text));
            }
            Block::List { items } => {
                let items: String = items.iter().map(|item| format!("<li>{}</li>", xml(item))).collect();
                let _ = writeln!(out, "<ul>{items}</ul>");
            }
            Block::Facts { facts } => {
                let facts: String =
                    facts.iter().map(|f| format!("<dt>{}</dt><dd>{}</dd>", xml(&f.label), shown(&f.cell))).collect();
                let _ = writeln!(out, "<dl>{facts}</dl>");
            }
            Block::Table(table) => put_table(out, table, dossier),
            Block::Chart(chart) => {
                *charts += 1;
                put_chart(out, chart, dossier, *charts);
            }
        }
    }
    out.push_str("</section>\n");
}

/// A value, with what it exactly is where it is read otherwise.
fn shown(cell: &Cell) -> String {
    match &cell.value {
        Some(value) => format!("<data value=\"{}\">{}</data>", xml(value), xml(&cell.text)),
        None => xml(&cell.text),
    }
}

fn put_table(out: &mut String, table: &Table, dossier: &Dossier) {
    let class = |column: &Column| if column.number { " class=\"n\"" } else { "" };
    let heads: String =
        table.columns.iter().map(|c| format!("<th scope=\"col\"{}>{}</th>", class(c), xml(&c.name))).collect();
    let _ = write!(
        out,
        "<div class=\"scroll\"><table><caption>{}</caption><thead><tr>{heads}</tr></thead><tbody>",
        xml(&table.caption)
    );
    for row in &table.rows {
        let cells: String =
            row.iter().zip(&table.columns).map(|(cell, c)| format!("<td{}>{}</td>", class(c), shown(cell))).collect();
        let _ = writeln!(out, "<tr>{cells}</tr>");
    }
    out.push_str("</tbody></table></div>\n");
    if let Some(cut) = table.cut(dossier.language) {
        let _ = writeln!(out, "<p class=\"meta\">{}</p>", xml(&cut));
    }
}

fn put_chart(out: &mut String, chart: &Chart, dossier: &Dossier, number: u32) {
    let _ = writeln!(
        out,
        "<figure>{}<figcaption>{}. {}</figcaption><details><summary>{}</summary>",
        svg(chart, &format!("g{number}")),
        xml(&chart.title),
        xml(&chart.text),
        dossier.language.say("Dados do gráfico", "Data of the chart")
    );
    put_table(out, &chart.as_table(), dossier);
    out.push_str("</details></figure>\n");
}
