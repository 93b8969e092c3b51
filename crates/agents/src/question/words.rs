//! The words of a question: folded, with what stands around them, and whether some reader took them.

use model::text::fold;

/// The most words of a question that are read.
pub(super) const WORDS_MAX: usize = 120;

/// Words that join: they neither begin nor end a name, and say nothing alone.
const JOINING: &[&str] = &[
    "a", "as", "o", "os", "e", "de", "da", "do", "das", "dos", "em", "na", "no", "nas", "nos", "para", "por", "com",
    "um", "uma", "ao", "aos", "que", "ou", "se", "pela", "pelo", "pelas", "pelos", "d", "del",
];

/// Words that ask, or that name what everything here is.
const EMPTY: &str = "qual quais quem onde quando como ha houve existe existem tem foi foram sao era ser esta estao este esta estes \
    estas neste nesta desse deste isso isto mostre mostrar mostra liste listar lista listagem procure procurar investigue investigar veja ver \
    encontre encontrar analise analisar busque buscar contrato contratos contratada contratadas contratado contratados compra \
    compras comprou compraram comprado comprados comprada compradas contratacao contratacoes contratou contrataram contratar licitacao licitacoes \
    licitou gasto gastos gasta gastou gastaram gastar gastanca despesa despesas pago pagos pagou pagaram recebeu receberam recebido ganhou \
    ganharam ganhando ganha vendeu venderam vende fez fizeram feito feitos feita feitas assinou assinados assinado assinadas sinal sinais achado \
    achados suspeita suspeitas suspeito suspeitos irregularidade irregularidades irregular irregulares indicio indicios problema estranho \
    estranhos problemas fraude fraudes ano anos mes meses entre desde ate durante sobre todos todas todo toda tudo estado municipio municipios \
    cidade orgao orgaos unidade uasg ug fornecedor fornecedora fornecedores empresa empresas firma firmas r$ reais cnpj parece parecem \
    quanto quantos quantas quanta total valor valores soma numero quantidade mais menos maior maiores menor menores principais \
    principal caros caras caro cara baratos baratas barato baratas compare comparar comparacao versus vs diferenca algo alguma algum algumas alguns \
    alguem nao sim oi ola bom dia boa tarde noite bem obrigado favor me meu minha eu voce quero queria gostaria saber poderia pode \
    seria dados informacoes fale acima abaixo limite legal publicado publicados publicada publicadas proposta propostas licitante licitantes \
    concorrentes participante participantes objeto objetos lei publico publica publicos publicas eletronico eletronica eletronicos \
    eletronicas muito muita preco precos aqui la ja so tambem ainda seus suas seu sua dele dela deles cada outro outra \
    vencedor vencedores existir houver tiver teve tinha fim final sejam seja governo federal punida punido";

/// A word of the question.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) written: String,
    /// Folded, without what stands around it.
    pub(super) folded: String,
    pub(super) taken: bool,
    /// A comma or the like stands behind it.
    pub(super) ends: bool,
    /// Joined to the word before by `/` or `-`.
    pub(super) joined: bool,
    /// Which quotation it belongs to.
    pub(super) quoted: Option<usize>,
}

impl Word {
    fn of(written: &str, quoted: Option<usize>, joined: bool, ends: bool) -> Option<Self> {
        let folded = fold(written).to_lowercase();
        let folded = folded.trim_matches(|c: char| !c.is_alphanumeric() && c != '$').to_owned();
        (!folded.is_empty()).then(|| Self { written: written.to_owned(), folded, taken: false, ends, joined, quoted })
    }

    /// As names hold it: letters and digits only.
    pub(super) fn bare(&self) -> String {
        self.folded.chars().filter(|c| c.is_alphanumeric()).collect()
    }

    pub(super) fn is_joining(&self) -> bool {
        JOINING.contains(&self.folded.as_str())
    }

    /// It says nothing that could be sought.
    pub(super) fn is_empty(&self) -> bool {
        self.is_joining() || EMPTY.split_whitespace().any(|word| word == self.folded)
    }

    /// Written in capitals only.
    pub(super) fn is_capitals(&self) -> bool {
        self.written.chars().any(char::is_alphabetic) && !self.written.chars().any(char::is_lowercase)
    }

    pub(super) fn is_capitalised(&self) -> bool {
        self.written.chars().next().is_some_and(char::is_uppercase)
    }
}

/// Whether a token of a name is a word that joins.
pub(super) fn joins(token: &str) -> bool {
    JOINING.contains(&token)
}

/// The words of a text, and what came behind the last that is read.
pub(super) fn words_of(text: &str) -> (Vec<Word>, Option<String>) {
    let mut words = Vec::new();
    let mut rest = None;
    for (piece, quoted) in pieces(text) {
        for chunk in piece.split_whitespace() {
            if words.len() >= WORDS_MAX {
                rest.get_or_insert_with(String::new).push_str(&format!("{chunk} "));
                continue;
            }
            push_words(&mut words, chunk, quoted);
        }
    }
    (words, rest.map(|text| text.trim_end().to_owned()))
}

fn push_words(words: &mut Vec<Word>, chunk: &str, quoted: Option<usize>) {
    let around = |c: char| !c.is_alphanumeric() && c != '$';
    let trimmed = chunk.trim_matches(around);
    if trimmed.is_empty() {
        if let (Some(last), true) = (words.last_mut(), chunk.chars().any(|c| ",;:?!–—|".contains(c))) {
            last.ends = true;
        }
        return;
    }
    if let (Some(last), true) = (words.last_mut(), chunk.starts_with(['(', '['])) {
        last.ends = true;
    }
    let behind = chunk.rfind(trimmed).map_or("", |at| &chunk[at + trimmed.len()..]);
    let ends = behind.contains([',', ';', ':', '?', '!', ')', ']']) || (behind == "." && trimmed.chars().count() > 5);
    let parts: Vec<&str> = trimmed.split(['/', '-', '–']).collect();
    let splits = parts.len() > 1
        && parts.iter().all(|part| part.chars().count() >= 2 && part.chars().all(char::is_alphabetic))
        && !parts.iter().any(|part| super::period::month(&fold(part)).is_some());
    if splits {
        let last = parts.len() - 1;
        for (n, part) in parts.iter().enumerate() {
            words.extend(Word::of(part, quoted, n > 0, n == last && ends));
        }
    } else {
        words.extend(Word::of(trimmed, quoted, false, ends));
    }
}

/// A text parted at its quotations.
fn pieces(text: &str) -> Vec<(String, Option<usize>)> {
    let (mut pieces, mut piece, mut inside, mut count) = (Vec::new(), String::new(), None::<char>, 0);
    let chars: Vec<char> = text.chars().collect();
    for (n, &c) in chars.iter().enumerate() {
        let (before, after) = (n.checked_sub(1).map(|n| chars[n]), chars.get(n + 1).copied());
        match inside {
            Some(close) if c == close && (c != '\'' || after.is_none_or(|c| !c.is_alphanumeric())) => {
                pieces.push((std::mem::take(&mut piece), Some(count)));
                (inside, count) = (None, count + 1);
            }
            None => {
                let opens_bare = before.is_none_or(char::is_whitespace);
                let close = match c {
                    '"' => Some('"'),
                    '“' => Some('”'),
                    '«' => Some('»'),
                    '\'' if opens_bare => Some('\''),
                    '‘' if opens_bare => Some('’'),
                    _ => None,
                };
                match close.filter(|close| chars[n + 1..].contains(close)) {
                    Some(close) => {
                        pieces.push((std::mem::take(&mut piece), None));
                        inside = Some(close);
                    }
                    None => piece.push(c),
                }
            }
            Some(_) => piece.push(c),
        }
    }
    // A quotation that is never closed is none.
    pieces.push((piece, None));
    pieces
}

/// Whether two words differ by a typing error: one letter of five or more, two of nine or more.
pub(super) fn is_near(written: &str, meant: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (written.chars().collect(), meant.chars().collect());
    let most = match a.len().min(b.len()) {
        0..5 => return written == meant,
        5..9 => 1,
        _ => 2,
    };
    a.len() <= 40 && a.first() == b.first() && a.len().abs_diff(b.len()) <= most && distance(&a, &b) <= most
}

/// Letters that were left out, put in, changed or swapped with the next.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; 3];
    rows[1] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let (now, last, before) = (2, 1, 0);
        rows[now][0] = i;
        for j in 1..=b.len() {
            let change = rows[last][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = change.min(rows[last][j] + 1).min(rows[now][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[before][j - 2] + 1);
            }
            rows[now][j] = least;
        }
        rows.rotate_left(1);
    }
    rows[1][b.len()]
}
