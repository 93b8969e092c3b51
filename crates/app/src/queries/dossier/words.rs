//! Codes in words, for people; a code without words here stands as it is.

use report::dossier::Language;
use serde_json::Value;

/// The text at `pointer`.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The text of a language at `pointer`.
pub(super) fn said<'a>(value: &'a Value, pointer: &str, language: Language) -> Option<&'a str> {
    text(value, &format!("{pointer}/{}", language.code()))
}

fn word(code: &str, words: &[(&str, &str, &str)], language: Language) -> String {
    let known = words.iter().find(|(known, ..)| *known == code);
    known.map_or(code, |(_, pt, en)| if language == Language::Pt { pt } else { en }).to_owned()
}

/// How grave.
pub(super) fn gravity(code: &str, language: Language) -> String {
    let words = [
        ("low", "baixa", "low"),
        ("medium", "média", "medium"),
        ("high", "alta", "high"),
        ("critical", "crítica", "critical"),
    ];
    word(code, &words, language)
}

/// What a finding rests on.
pub(super) fn kind(code: &str, language: Language) -> String {
    let words = [
        ("rule", "regra legal", "legal rule"),
        ("signal", "sinal fora do padrão", "signal out of pattern"),
        ("context", "contexto", "context"),
    ];
    word(code, &words, language)
}

/// What became of an innocent explanation.
pub(super) fn explained(code: &str, language: Language) -> String {
    let words = [
        ("possible", "possível", "possible"),
        ("likely", "provável", "likely"),
        ("ruled_out", "descartada", "ruled out"),
        ("not_checked", "não verificada", "not checked"),
    ];
    word(code, &words, language)
}

/// Whether a finding holds.
pub(super) fn state(code: &str, language: Language) -> String {
    word(code, &[("open", "vigente", "open"), ("withdrawn", "retirado", "withdrawn")], language)
}

/// What a person concluded.
pub(super) fn verdict(code: &str, language: Language) -> String {
    word(code, &[("confirmed", "confirmado", "confirmed"), ("dismissed", "descartado", "dismissed")], language)
}

/// Where an investigation, or a flag in it, stands.
pub(super) fn standing(code: &str, language: Language) -> String {
    let words = [
        ("active", "em curso", "active"),
        ("completed", "concluída", "completed"),
        ("failed", "falhou", "failed"),
        ("cancelled", "cancelada", "cancelled"),
        ("waiting", "à espera", "waiting"),
        ("running", "em julgamento", "running"),
        ("judged", "julgado", "judged"),
        ("requested", "pedida", "requested"),
        ("planned", "planejada", "planned"),
        ("writing", "em redação", "writing"),
        ("done", "feito", "done"),
        ("skipped", "não verificado", "not checked"),
        ("left", "não feito", "not done"),
    ];
    word(code, &words, language)
}

/// A modality of procurement.
pub(super) fn modality(code: &str, language: Language) -> String {
    let words = [
        ("pregao", "pregão", "reverse auction (pregão)"),
        ("concorrencia", "concorrência", "open tender (concorrência)"),
        ("dispensa", "dispensa de licitação", "waiver (dispensa)"),
        ("inexigibilidade", "inexigibilidade", "no competition possible (inexigibilidade)"),
        ("tomada_de_precos", "tomada de preços", "price-taking (tomada de preços)"),
        ("convite", "convite", "invitation (convite)"),
        ("leilao", "leilão", "auction (leilão)"),
        ("concurso", "concurso", "contest (concurso)"),
        ("credenciamento", "credenciamento", "accreditation (credenciamento)"),
    ];
    word(code, &words, language)
}

/// A table of the canonical records.
pub(super) fn table(code: &str, language: Language) -> String {
    let words = [
        ("contracts", "contratos", "contracts"),
        ("items", "itens", "items"),
        ("tenders", "licitações", "tenders"),
        ("bids", "propostas", "bids"),
        ("amendments", "aditivos", "amendments"),
        ("sanctions", "sanções", "sanctions"),
        ("payments", "pagamentos", "payments"),
        ("registrations", "cadastro de empresas", "company register"),
        ("partners", "sócios", "partners"),
        ("buyers", "órgãos", "buyers"),
        ("suppliers", "fornecedores", "suppliers"),
        ("terms", "termos", "terms"),
    ];
    word(code, &words, language)
}

/// What a supplier or partner is.
pub(super) fn party(code: &str, language: Language) -> String {
    let words = [
        ("company", "pessoa jurídica", "company"),
        ("person", "pessoa física", "person"),
        ("foreign", "estrangeiro", "foreign"),
        ("unverified", "número com dígitos que não conferem", "a number whose check digits are wrong"),
        ("organization", "organização", "organization"),
    ];
    word(code, &words, language)
}

/// A field whose absence leaves something not computable.
pub(super) fn field(code: &str, language: Language) -> String {
    let words = [
        ("contracts", "o contrato a que o registro se refere", "the contract that the record refers to"),
        ("tenders", "a licitação a que o registro se refere", "the tender that the record refers to"),
        (
            "contracts.activity",
            "o ramo de atividade do objeto (CNAE ou código de catálogo)",
            "the line of activity of what is bought",
        ),
        ("contracts.buyer_id", "o código do órgão ou da unidade compradora", "the code of the buying body or unit"),
        ("contracts.supplier_id", "o CNPJ ou CPF do contratado", "the supplier's number"),
        ("contracts.ends_on", "o fim da vigência do contrato", "the last day of the contract"),
        ("contracts.object", "o objeto do contrato", "what the contract buys"),
        ("contracts.signed_on", "a data de assinatura do contrato", "the day the contract was signed"),
        ("contracts.value", "o valor do contrato", "the contract's value"),
        ("contracts.published_on", "a data de publicação do contrato", "the day the contract was published"),
        ("contracts.value_initial", "o valor inicial do contrato", "the contract's initial value"),
        ("contracts.value_final", "o valor do contrato com os aditivos", "the contract's value with amendments"),
        ("amendments.nature", "a natureza do aditivo (prazo, valor, reajuste)", "the nature of the amendment"),
        ("items.catalog_code", "o código de catálogo do item (CATMAT ou CATSER)", "the item's catalogue code"),
        ("items.unit_price", "o preço unitário do item", "the item's unit price"),
        ("items.unit", "a unidade de fornecimento do item", "the item's unit of supply"),
        ("bids.bidder_id", "o CNPJ ou CPF de cada licitante", "the number of each bidder"),
        ("bids.won", "qual proposta venceu", "which bid won"),
        ("bids.price", "o valor de cada proposta", "the price of each bid"),
        ("buyers.sphere", "a esfera do órgão", "the buyer's sphere of government"),
        ("buyers.state", "a UF do órgão", "the buyer's state"),
        ("tenders.bidders", "o número e a lista dos licitantes", "the number and the list of bidders"),
        ("tenders.object", "o objeto da licitação", "what the tender buys"),
        ("tenders.result_on", "a data do resultado da licitação", "the day of the tender's result"),
        ("tenders.published_on", "a data de publicação do edital", "the day the tender was published"),
        ("tenders.opens_on", "a data de abertura das propostas", "the day the bids were opened"),
        ("tenders.estimate", "o valor estimado da licitação", "the tender's estimate"),
        ("payments.buyer_id", "o código do órgão que paga", "the code of the paying body"),
        ("partners.since_on", "a data de entrada do sócio", "the day the partner came in"),
        ("registrations.opened_on", "o início de atividade da empresa", "the company's first day of activity"),
        ("registrations.status_on", "a data da situação cadastral da empresa", "the day of the company's status"),
        ("sanctions.listed_on", "a data da lista de sanções", "the day of the list of sanctions"),
        ("sanctions.scope", "o alcance da sanção", "the scope of the sanction"),
        ("calendar.local_holidays", "os feriados locais", "the local holidays"),
        ("bids", "as propostas e os licitantes", "the bids and the bidders"),
        ("bids.value", "o valor de cada proposta", "the value of each bid"),
        ("amendments.value", "o valor do aditivo", "the amendment's value"),
        ("contracts.legal_basis", "o amparo legal da contratação", "the legal basis of the contract"),
        ("contracts.modality", "a modalidade da contratação", "the modality"),
        ("contracts.regime", "a lei que rege a contratação", "the law that governs the contract"),
        ("contracts.published_in_pncp", "a data de publicação no PNCP", "the day of publication in PNCP"),
        ("items.category", "a categoria do item (bem, serviço, obra)", "the item's category"),
        (
            "tenders.activity",
            "o ramo de atividade do objeto (CNAE ou código de catálogo)",
            "the line of activity of what is bought",
        ),
        ("tenders.closes_on", "o fim do prazo de propostas", "the last day for bids"),
        ("tenders.criterion", "o critério de julgamento", "the criterion of judgement"),
        ("tenders.regime", "a lei que rege a licitação", "the law that governs the tender"),
        ("tenders.value_awarded", "o valor homologado da licitação", "the value awarded"),
        ("tenders.value_estimated", "o valor estimado da licitação", "the tender's estimate"),
        ("registrations", "o registro da empresa no cadastro", "the company's entry in the register"),
        ("registrations.main_activity", "a atividade principal da empresa", "the company's main activity"),
        ("registrations.size", "o porte da empresa", "the company's size"),
        (
            "buyers.form",
            "o limite próprio de empresa estatal (Lei 13.303/2016)",
            "the limit of a state company (Lei 13.303/2016)",
        ),
        ("buyers.population", "a população do município", "the municipality's population"),
        ("sales", "vendas em número suficiente", "enough sales"),
        ("values", "valores em número suficiente", "enough values"),
        ("values.range", "valores de grandezas diferentes", "values of different magnitudes"),
        ("weeks", "semanas em número suficiente", "enough weeks"),
        ("weeks.spent", "semanas com despesa em número suficiente", "enough weeks with spending"),
        ("whole_year", "os meses do período, sem falta", "every month of the period"),
        ("years", "anos em número suficiente", "enough years"),
        ("waivers", "dispensas em número suficiente", "enough waivers"),
        ("peers", "pares em número suficiente", "enough peers"),
        ("peers.spread", "pares com valores diferentes entre si", "peers whose values differ"),
    ];
    let words = word(code, &words, language);
    if words == code { words } else { format!("{words} ({code})") }
}
