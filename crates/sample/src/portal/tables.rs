//! The eight files of a month.
//!
//! The four of the tender family go into one archive. An archive takes one member at a time, and the four grow
//! side by side; so each is packed into an archive of its own beside the target, and the packed members are then
//! copied together as they are.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use zip::{ZipArchive, ZipWriter};

use crate::FileSummary;
use crate::csv::{Csv, Dialect};
use crate::days::Month;

const COMPRAS: &str = "Número Contrato;Objeto;Fundamento Legal;Modalidade Compra;Situação Contrato;\
    Código Órgão Superior;Nome Órgão Superior;Código Órgão;Nome Órgão;Código UG;Nome UG;Data Assinatura Contrato;\
    Data Publicação DOU;Data Início Vigência;Data Fim Vigência;Código Contratado;Nome Contratado;\
    Valor Inicial Compra;Valor Final Compra;Número Licitação;Código UG Licitação;Nome UG Licitação;\
    Código Modalidade Compra Licitação;Modalidade Compra Licitação";
const ITEMS: &str = "Código Órgão;Nome Órgão;Código UG;Nome UG;Número Contrato;Código Item Compra;\
    Descrição Item Compra;Descrição Complementar Item Compra;Quantidade Item;Valor Item";
const AMENDMENTS: &str = "Número Contrato;Código Órgão Superior;Nome Órgão Superior;Código Órgão;Nome Órgão;\
    Código UG;Nome UG;Número Termo Aditivo;Objeto Termo Aditivo;Data Assinatura Termo;Data Publicação DOU;\
    Valor Termo Aditivo";
const NOTES: &str = "Número Contrato;Código Órgão Superior;Nome Órgão Superior;Código Órgão;Nome Órgão;\
    Código UG;Nome UG;Número Apostilamento;Descrição Apostilamento;Data Apostilamento;Valor Apostilamento";
const TENDERS: &str = "Número Licitação;Código UG;Nome UG;Código Modalidade Compra;Modalidade Compra;\
    Número Processo;Objeto;Situação Licitação;Código Órgão Superior;Nome Órgão Superior;Código Órgão;Nome Órgão;\
    UF;Município;Data Resultado Compra;Data Abertura;Valor Licitação";
const TENDER_ITEMS: &str = "Número Licitação;Código UG;Nome UG;Código Modalidade Compra;Modalidade Compra;\
    Número Processo;Código Órgão;Nome Órgão;Código Item Compra;Descrição;Quantidade Item;Valor Item;\
    Código Vencedor;Nome Vencedor";
const BIDDERS: &str = "Número Licitação;Código UG;Nome UG;Código Modalidade Compra;Modalidade Compra;\
    Número Processo;Código Órgão;Nome Órgão;Código Item Compra;Descrição Item Compra;Código Participante;\
    Nome Participante;Flag Vencedor";
const COMMITMENTS: &str = "Número Licitação;Código UG;Nome UG;Código Modalidade Compra;Modalidade Compra;\
    Número Processo;Código Órgão;Nome Órgão;Código Empenho;Data Emissão Empenho;Observação Empenho;\
    Valor Empenho (R$)";

const MEMBERS: [(&str, &str, &str); 4] = [
    ("Licitação", TENDERS, "portal-licitacoes"),
    ("ItemLicitação", TENDER_ITEMS, "portal-licitacoes"),
    ("ParticipantesLicitação", BIDDERS, "portal-licitacoes"),
    ("EmpenhosRelacionados", COMMITMENTS, "portal-licitacoes"),
];

/// The files of a month, open for writing.
pub(super) struct Tables {
    pub(super) contracts: Csv,
    pub(super) items: Csv,
    pub(super) amendments: Csv,
    pub(super) notes: Csv,
    pub(super) tenders: Csv,
    pub(super) tender_items: Csv,
    pub(super) bidders: Csv,
    pub(super) commitments: Csv,
}

impl Tables {
    pub(super) fn create(out: &Path, month: Month) -> io::Result<Self> {
        // Line ends and a trailing `;` differ from one month's files to another's, as they do in the source.
        let dialect =
            Dialect { latin1: true, crlf: month.index % 4 == 1, trailing: month.index % 10 == 3, separator: b';' };
        let compras = |name: &str, header| Csv::create(&out.join(compras_path(month, name)), dialect, header);
        let packed = |at: usize| {
            let (name, header, _) = MEMBERS[at];
            Csv::create_packed(&part_path(out, month, at), &member_name(month, name), dialect, header)
        };
        Ok(Self {
            contracts: compras("Compras", COMPRAS)?,
            items: compras("ItemCompra", ITEMS)?,
            amendments: compras("TermoAditivo", AMENDMENTS)?,
            notes: compras("Apostilamento", NOTES)?,
            tenders: packed(0)?,
            tender_items: packed(1)?,
            bidders: packed(2)?,
            commitments: packed(3)?,
        })
    }

    /// Closes all files, binds the archive and lists what was written.
    pub(super) fn finish(self, out: &Path, month: Month, files: &mut Vec<FileSummary>) -> io::Result<()> {
        let plain = [
            ("Compras", self.contracts),
            ("ItemCompra", self.items),
            ("TermoAditivo", self.amendments),
            ("Apostilamento", self.notes),
        ];
        for (name, csv) in plain {
            files.push(FileSummary { path: compras_path(month, name), source: "portal-compras", rows: csv.finish()? });
        }
        let archive_path = PathBuf::from(format!("licitacoes/{}_Licitacoes.zip", month.label()));
        let file = BufWriter::with_capacity(1 << 18, File::create(out.join(&archive_path))?);
        let mut archive = ZipWriter::new(file);
        let parts = [self.tenders, self.tender_items, self.bidders, self.commitments];
        for ((at, (name, _, source)), csv) in MEMBERS.into_iter().enumerate().zip(parts) {
            let rows = csv.finish()?;
            let part = part_path(out, month, at);
            let packed = ZipArchive::new(BufReader::new(File::open(&part)?)).map_err(io::Error::other)?;
            archive.merge_archive(packed).map_err(io::Error::other)?;
            fs::remove_file(&part)?;
            let path = PathBuf::from(format!("{}!{}", archive_path.display(), member_name(month, name)));
            files.push(FileSummary { path, source, rows });
        }
        archive.finish().map_err(io::Error::other)?.flush()
    }
}

fn compras_path(month: Month, name: &str) -> PathBuf {
    PathBuf::from(format!("compras/{}_{name}.csv", month.label()))
}

fn member_name(month: Month, name: &str) -> String {
    format!("{}_{name}.csv", month.label())
}

fn part_path(out: &Path, month: Month, at: usize) -> PathBuf {
    out.join(format!("licitacoes/.{}_{at}.part", month.label()))
}
