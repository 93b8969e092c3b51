//! Names of functions, out of the symbols of the program and of its libraries.

use std::collections::HashMap;
use std::fs;

use object::{Object, ObjectSegment, ObjectSymbol, SymbolKind};

/// A file that lies in memory, or a part of it.
pub(crate) struct Module {
    pub begins: usize,
    pub ends: usize,
    /// Where in the file it begins.
    offset: usize,
    pub path: String,
}

/// What lies in this process's memory and can be run; nothing where the system does not say.
pub(crate) fn modules() -> Vec<Module> {
    let said = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    said.lines().filter_map(module_in).collect()
}

/// `begin-end rights offset device inode path` (proc(5)).
fn module_in(line: &str) -> Option<Module> {
    let mut words = line.split_whitespace();
    let (begins, ends) = words.next()?.split_once('-')?;
    let rights = words.next()?;
    let offset = words.next()?;
    let path = words.nth(2)?;
    let hex = |text: &str| usize::from_str_radix(text, 16).ok();
    let module = Module { begins: hex(begins)?, ends: hex(ends)?, offset: hex(offset)?, path: path.to_owned() };
    rights.contains('x').then_some(module)
}

/// The functions of one file, by their addresses in it.
struct Symbols {
    /// Where parts of the file lie: its offset, length and address.
    segments: Vec<(u64, u64, u64)>,
    /// Address, length and name, in the order of addresses.
    functions: Vec<(u64, u64, String)>,
}

impl Symbols {
    fn of(path: &str) -> Option<Self> {
        let bytes = fs::read(path).ok()?;
        let file = object::File::parse(&*bytes).ok()?;
        let segments = file.segments().map(|segment| {
            let (offset, length) = segment.file_range();
            (offset, length, segment.address())
        });
        let is_function = |symbol: &object::Symbol<'_, '_>| symbol.kind() == SymbolKind::Text && symbol.address() > 0;
        let symbols = file.symbols().chain(file.dynamic_symbols()).filter(is_function);
        let named =
            |symbol: object::Symbol<'_, '_>| Some((symbol.address(), symbol.size(), symbol.name().ok()?.to_owned()));
        let mut functions: Vec<_> = symbols.filter_map(named).collect();
        functions.sort_unstable_by_key(|function| function.0);
        functions.dedup_by_key(|function| function.0);
        Some(Self { segments: segments.collect(), functions })
    }

    fn name_at(&self, offset: u64) -> Option<String> {
        let is_in = |(begins, length, _): &&(u64, u64, u64)| (*begins..begins + length).contains(&offset);
        let (begins, _, address) = self.segments.iter().find(is_in)?;
        let address = address + (offset - begins);
        let at = self.functions.partition_point(|function| function.0 <= address).checked_sub(1)?;
        let (begins, length, name) = &self.functions[at];
        (address < begins + (*length).max(1)).then(|| format!("{:#}", rustc_demangle::demangle(name)))
    }
}

/// Names that were looked for.
pub(crate) struct Names {
    modules: Vec<Module>,
    files: HashMap<String, Option<Symbols>>,
    known: HashMap<usize, String>,
}

impl Default for Names {
    fn default() -> Self {
        Self { modules: modules(), files: HashMap::new(), known: HashMap::new() }
    }
}

impl Names {
    /// The names of a stack's functions, the innermost first.
    pub(crate) fn of(&mut self, stack: impl Iterator<Item = usize>) -> Vec<String> {
        stack.map(|ip| self.name_of(ip)).collect()
    }

    fn name_of(&mut self, ip: usize) -> String {
        if let Some(name) = self.known.get(&ip) {
            return name.clone();
        }
        // Of a caller the address is behind its call.
        let name = self.looked_up(ip.saturating_sub(1)).unwrap_or_else(|| format!("{ip:#x}"));
        self.known.insert(ip, name.clone());
        name
    }

    fn looked_up(&mut self, ip: usize) -> Option<String> {
        let module = self.modules.iter().find(|module| (module.begins..module.ends).contains(&ip))?;
        let symbols = self.files.entry(module.path.clone()).or_insert_with(|| Symbols::of(&module.path));
        let name = symbols.as_ref().and_then(|symbols| symbols.name_at((ip - module.begins + module.offset) as u64));
        let file = module.path.rsplit('/').next().unwrap_or_default();
        Some(name.unwrap_or_else(|| format!("{file} {:#x}", ip - module.begins + module.offset)))
    }
}
