//! Tells the crate whether the web page was built: with `web/dist/index.html` there, the page is embedded; without it,
//! a short text that says how to build it.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(page_built)");
    println!("cargo::rerun-if-changed=../../web/dist");
    if std::path::Path::new("../../web/dist/index.html").is_file() {
        println!("cargo::rustc-cfg=page_built");
    }
}
