//! Small files in the layouts of real sources, with fictitious rows.

use std::io::Write as _;

use serde_json::{Value, json};

/// Text as the Portal writes it: Latin-1, CRLF.
#[must_use]
pub fn latin1(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").chars().map(|c| u8::try_from(u32::from(c)).expect("the text fits Latin-1")).collect()
}

fn quoted(fields: &[&str]) -> String {
    let fields: Vec<String> = fields.iter().map(|f| format!("\"{f}\"")).collect();
    fields.join(";")
}

fn csv<R>(header: &[&str], rows: &[R], line: impl Fn(&R) -> String) -> Vec<u8> {
    let mut text = quoted(header);
    for row in rows {
        text.push('\n');
        text.push_str(&line(row));
    }
    text.push('\n');
    latin1(&text)
}

/// The `n`-th fictitious CNPJ, digits only, with right check digits.
#[must_use]
pub fn cnpj(n: u32) -> String {
    let base = format!("{:08}0001", 99_100_000 + n);
    let digit = |digits: &str| {
        let weights = (2..=9).cycle();
        let sum: u32 = digits.bytes().rev().zip(weights).map(|(d, w)| u32::from(d - b'0') * w).sum();
        match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        }
    };
    let first = digit(&base);
    let second = digit(&format!("{base}{first}"));
    format!("{base}{first}{second}")
}

/// A row of the Portal's `_Compras`.
#[derive(Debug, Clone)]
pub struct Purchase {
    pub number: String,
    pub object: String,
    pub ug: String,
    pub ug_name: String,
    pub signed: String,
    pub supplier: String,
    pub supplier_name: String,
    pub initial: String,
    pub r#final: String,
}

/// The columns of `_Compras`.
pub const PURCHASE_HEADER: &[&str] = &[
    "Número do Contrato",
    "Objeto",
    "Fundamento Legal",
    "Modalidade Compra",
    "Situação Contrato",
    "Código Órgão Superior",
    "Nome Órgão Superior",
    "Código Órgão",
    "Nome Órgão",
    "Código UG",
    "Nome UG",
    "Data Assinatura Contrato",
    "Data Publicação DOU",
    "Data Início Vigência",
    "Data Fim Vigência",
    "Código Contratado",
    "Nome Contratado",
    "Valor Inicial Compra",
    "Valor Final Compra",
    "Número Licitação",
    "Código UG Licitação",
    "Nome UG Licitação",
    "Código Modalidade Compra Licitação",
    "Modalidade Compra Licitação",
];

impl Purchase {
    /// A contract of unit 900901, signed on 5 February 2024.
    #[must_use]
    pub fn new(number: u32, value: &str) -> Self {
        Self {
            number: format!("{number:05}2024"),
            object: format!("Objeto: Aquisição de papel A4, lote {number}"),
            ug: "900901".to_owned(),
            ug_name: "UNIDADE FICTÍCIA 901".to_owned(),
            signed: "05/02/2024".to_owned(),
            supplier: cnpj(1),
            supplier_name: "FICTÍCIA PAPELARIA LTDA".to_owned(),
            initial: value.to_owned(),
            r#final: value.to_owned(),
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> String {
        format!("portal-compras:{}-{}", self.ug, self.number)
    }

    /// Its line.
    #[must_use]
    pub fn line(&self) -> String {
        quoted(&[
            &self.number,
            &self.object,
            "Lei 14.133/2021, art. 75, II",
            "Dispensa de Licitação",
            "Publicado",
            "26000",
            "Ministério Fictício da Educação",
            "26999",
            "Universidade Fictícia",
            &self.ug,
            &self.ug_name,
            &self.signed,
            "",
            &self.signed,
            "",
            &self.supplier,
            &self.supplier_name,
            &self.initial,
            &self.r#final,
            "",
            "",
            "",
            "",
            "",
        ])
    }
}

/// A file of contracts.
#[must_use]
pub fn purchases(rows: &[Purchase]) -> Vec<u8> {
    csv(PURCHASE_HEADER, rows, Purchase::line)
}

/// A file of contracts with lines as they are given.
#[must_use]
pub fn purchase_lines(lines: &[String]) -> Vec<u8> {
    csv(PURCHASE_HEADER, lines, Clone::clone)
}

/// A row of `_ItemCompra`.
#[derive(Debug, Clone)]
pub struct Bought {
    pub contract: String,
    pub ug: String,
    pub code: String,
    pub unit: String,
    pub quantity: String,
    pub total: String,
}

/// A file of items of contracts.
#[must_use]
pub fn bought(rows: &[Bought]) -> Vec<u8> {
    let header = [
        "Código Órgão",
        "Nome Órgão",
        "Código UG",
        "Nome UG",
        "Número Contrato",
        "Código Item Compra",
        "Descrição Item Compra",
        "Descrição Complementar Item Compra",
        "Quantidade Item",
        "Valor Item",
    ];
    csv(&header, rows, |row| {
        let detail = format!("UNIDADE DE FORNECIMENTO: {}", row.unit);
        quoted(&[
            "26999",
            "Universidade Fictícia",
            &row.ug,
            "UNIDADE FICTÍCIA",
            &row.contract,
            &row.code,
            "PAPEL A4",
            &detail,
            &row.quantity,
            &row.total,
        ])
    })
}

/// A file with one tender of each unit, which is where its state is stated: (unit, state, day of result).
#[must_use]
pub fn tenders(units: &[(&str, &str, &str)]) -> Vec<u8> {
    let header = [
        "Número Licitação",
        "Código UG",
        "Nome UG",
        "Código Modalidade Compra",
        "Modalidade Compra",
        "Número Processo",
        "Objeto",
        "Situação Licitação",
        "Código Órgão Superior",
        "Nome Órgão Superior",
        "Código Órgão",
        "Nome Órgão",
        "UF",
        "Município",
        "Data Resultado Compra",
        "Data Abertura",
        "Valor Licitação",
    ];
    csv(&header, units, |(ug, state, day)| {
        let number = format!("{}2024", &day[..2]);
        quoted(&[
            &number,
            ug,
            "UNIDADE FICTÍCIA",
            "5",
            "Pregão",
            "23000000001202411",
            "Objeto: Café",
            "Encerrado",
            "26000",
            "Ministério Fictício da Educação",
            "26999",
            "Universidade Fictícia",
            state,
            "CIDADE FICTÍCIA",
            day,
            day,
            "1500,0000",
        ])
    })
}

/// A row of CEIS.
#[derive(Debug, Clone)]
pub struct Sanctioned {
    pub code: u32,
    pub supplier: String,
    pub name: String,
    pub kind: String,
    pub starts: String,
    pub ends: String,
    pub listed: String,
}

impl Sanctioned {
    /// An inidoneidade of 2024, listed on 1 August 2025.
    #[must_use]
    pub fn new(code: u32, supplier: &str) -> Self {
        Self {
            code,
            supplier: supplier.to_owned(),
            name: "FICTÍCIA PAPELARIA LTDA".to_owned(),
            kind: "Declaração de Inidoneidade com prazo determinado".to_owned(),
            starts: "01/01/2024".to_owned(),
            ends: "31/12/2024".to_owned(),
            listed: "01/08/2025".to_owned(),
        }
    }
}

/// A file of CEIS.
#[must_use]
pub fn ceis(rows: &[Sanctioned]) -> Vec<u8> {
    let header = [
        "CADASTRO",
        "CÓDIGO DA SANÇÃO",
        "TIPO DE PESSOA",
        "CPF OU CNPJ DO SANCIONADO",
        "NOME DO SANCIONADO",
        "NOME INFORMADO PELO ÓRGÃO SANCIONADOR",
        "RAZÃO SOCIAL - CADASTRO RECEITA",
        "NOME FANTASIA - CADASTRO RECEITA",
        "NÚMERO DO PROCESSO",
        "CATEGORIA DA SANÇÃO",
        "DATA INÍCIO SANÇÃO",
        "DATA FINAL SANÇÃO",
        "DATA PUBLICAÇÃO",
        "PUBLICAÇÃO",
        "DETALHAMENTO DO MEIO DE PUBLICAÇÃO",
        "DATA DO TRÂNSITO EM JULGADO",
        "ABRANGÊNCIA DA SANÇÃO",
        "ÓRGÃO SANCIONADOR",
        "UF ÓRGÃO SANCIONADOR",
        "ESFERA ÓRGÃO SANCIONADOR",
        "FUNDAMENTAÇÃO LEGAL",
        "DATA ORIGEM INFORMAÇÃO",
        "ORIGEM INFORMAÇÕES",
        "OBSERVAÇÕES",
    ];
    csv(&header, rows, |row| {
        let person = if row.supplier.len() == 14 && !row.supplier.contains('*') { "J" } else { "F" };
        quoted(&[
            "CEIS",
            &row.code.to_string(),
            person,
            &row.supplier,
            &row.name,
            "",
            "",
            "",
            "123/2023",
            &row.kind,
            &row.starts,
            &row.ends,
            "",
            "",
            "",
            "",
            "Todas as Esferas em todos os Poderes",
            "Ministério Fictício da Cultura",
            "DF",
            "FEDERAL",
            "LEI 14133 - ART. 156, IV",
            &row.listed,
            "",
            "",
        ])
    })
}

/// A contract of PNCP.
#[must_use]
pub fn pncp_contract(number: u32, updated: &str, value: f64) -> Value {
    let body = cnpj(90);
    json!({
        "numeroControlePNCP": format!("{body}-2-{number:06}/2025"), "numeroControlePncpCompra": format!("{body}-1-000003/2025"),
        "receita": false, "objetoContrato": format!("Fornecimento de café, lote {number}"),
        "valorInicial": value, "valorGlobal": value, "dataAtualizacaoGlobal": updated, "dataAtualizacao": updated,
        "numeroContratoEmpenho": format!("{number}/2025"), "processo": "23000/2025", "dataAssinatura": "2025-06-20",
        "dataVigenciaInicio": "2025-06-21", "dataVigenciaFim": "2026-06-20", "dataPublicacaoPncp": "2025-06-24T00:30:04",
        "niFornecedor": cnpj(2), "tipoPessoa": "PJ", "nomeRazaoSocialFornecedor": "FICTÍCIA CAFÉ SA",
        "orgaoEntidade": {"cnpj": body, "razaoSocial": "MUNICÍPIO FICTÍCIO", "poderId": "E", "esferaId": "M"},
        "unidadeOrgao": {"ufNome": "Santa Catarina", "codigoIbge": "4200000", "codigoUnidade": "1", "nomeUnidade": "PREFEITURA FICTÍCIA", "ufSigla": "SC", "municipioNome": "Cidade Fictícia"},
        "categoriaProcesso": {"id": 2, "nome": "Compras"}
    })
}

/// A page of PNCP.
#[must_use]
pub fn pncp_page(records: &[Value]) -> Vec<u8> {
    let n = records.len();
    let page = json!({"data": records, "totalRegistros": n, "totalPaginas": 1, "numeroPagina": 1, "paginasRestantes": 0, "empty": n == 0});
    serde_json::to_vec(&page).unwrap()
}

/// Lines of the Receita: every field quoted, no header.
fn receita(rows: &[Vec<String>]) -> Vec<u8> {
    let line = |row: &Vec<String>| quoted(&row.iter().map(String::as_str).collect::<Vec<_>>()) + "\n";
    latin1(&rows.iter().map(line).collect::<String>())
}

fn owned(fields: &[&str]) -> Vec<String> {
    fields.iter().map(|f| (*f).to_owned()).collect()
}

/// A file of the Receita with the `n`-th fictitious companies: (n, name, share capital such as `1000,00`).
#[must_use]
pub fn receita_companies(companies: &[(u32, &str, &str)]) -> Vec<u8> {
    let row = |(n, name, capital): &(u32, &str, &str)| owned(&[&cnpj(*n)[..8], name, "2062", "49", capital, "01", ""]);
    receita(&companies.iter().map(row).collect::<Vec<_>>())
}

/// A file of the Receita with the head offices of fictitious companies: (n, day of opening `AAAAMMDD`, telephone).
#[must_use]
pub fn receita_establishments(offices: &[(u32, &str, &str)]) -> Vec<u8> {
    let row = |(n, opened, phone): &(u32, &str, &str)| {
        let cnpj = cnpj(*n);
        let mut row = owned(&[&cnpj[..8], &cnpj[8..12], &cnpj[12..], "1", "", "02", opened, "00", "", "", opened]);
        row.extend(owned(&["4761003", "", "RUA", "FICTÍCIA", "10", "SALA 1", "CENTRO", "99000000", "SC", "8105"]));
        row.extend(owned(&["48", phone, "", "", "", "", "", "", ""]));
        row
    };
    receita(&offices.iter().map(row).collect::<Vec<_>>())
}

/// A file of the Receita with partners of fictitious companies: (n, masked CPF, name).
#[must_use]
pub fn receita_partners(partners: &[(u32, &str, &str)]) -> Vec<u8> {
    let row = |(n, cpf, name): &(u32, &str, &str)| {
        owned(&[&cnpj(*n)[..8], "2", name, cpf, "49", "20200115", "", "***000000**", "", "00", "4"])
    };
    receita(&partners.iter().map(row).collect::<Vec<_>>())
}

/// A ZIP archive of files.
#[must_use]
pub fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
