//! The JSON formats that we know: how a record of each is recognised, and who maps it.
//!
//! A file is recognised by its first records. A page may mix records of one source's formats (contracts and tenders of
//! PNCP, say): each goes to its own mapper.

use model::mask_cpfs;

use crate::detect::{Draft, Format, Place};
use crate::encoding::{Encoding, mask_and_clip};
use crate::error::{Fault, Reason};
use crate::fields::hash_text;
use crate::json_fields::{Members, minified};
use crate::json_rows::{Layout, PageError, Piece, Records};
use crate::ocds;
use crate::{
    Error, Input, comprasgov, comprasgov_contracts, contratosgov, contratosgov_tables, pncp, portal_api,
    portal_api_sanctions,
};
use crate::{pncp_df, pncp_items, pncp_terms};

/// Records looked at before a file counts as unknown.
const SNIFFED_RECORDS_MAX: usize = 16;

/// A record on its way to its mapper.
pub(crate) struct Element<'a> {
    /// Its text.
    #[allow(dead_code, reason = "formats with deep records read it whole")]
    pub text: &'a str,
    /// Its members.
    pub members: Members<'a>,
    /// What may be known of its file.
    #[allow(dead_code, reason = "not every format needs it")]
    pub place: Place,
}

/// A JSON format that we know.
pub(crate) struct JsonFormat {
    pub format: Format,
    is: fn(&Members<'_>) -> bool,
    map: fn(&Element<'_>) -> Result<Draft, Fault>,
}

/// In order of preference: the first whose record it is.
const KNOWN: &[JsonFormat] = &[
    JsonFormat { format: Format::PncpContratacoes, is: pncp::is_tender, map: pncp::map_tender },
    JsonFormat { format: Format::PncpContratos, is: pncp::is_contract, map: pncp::map_contract },
    JsonFormat { format: Format::PortalApiContratos, is: portal_api::is_contract, map: portal_api::map_contract },
    JsonFormat { format: Format::PortalApiLicitacoes, is: portal_api::is_tender, map: portal_api::map_tender },
    JsonFormat {
        format: Format::PortalApiParticipantes,
        is: portal_api::is_participant,
        map: portal_api::map_participant,
    },
    JsonFormat {
        format: Format::PortalApiCnep,
        is: portal_api_sanctions::is_cnep,
        map: portal_api_sanctions::map_cnep,
    },
    JsonFormat {
        format: Format::PortalApiCeis,
        is: portal_api_sanctions::is_ceis,
        map: portal_api_sanctions::map_ceis,
    },
    JsonFormat { format: Format::PortalApiDocumentos, is: portal_api::is_document, map: portal_api::map_document },
    JsonFormat { format: Format::ComprasgovCompras, is: comprasgov::is_purchase, map: comprasgov::map_purchase },
    JsonFormat { format: Format::ComprasgovLicitacoes, is: comprasgov::is_tender, map: comprasgov::map_tender },
    JsonFormat {
        format: Format::ComprasgovItensCompra,
        is: comprasgov::is_purchase_item,
        map: comprasgov::map_purchase_items,
    },
    JsonFormat {
        format: Format::ComprasgovItensLicitacao,
        is: comprasgov::is_tender_item,
        map: comprasgov::map_tender_items,
    },
    JsonFormat {
        format: Format::ComprasgovContratos,
        is: comprasgov_contracts::is_contract,
        map: comprasgov_contracts::map_contract,
    },
    JsonFormat {
        format: Format::ContratosgovContratos,
        is: contratosgov::is_contract,
        map: contratosgov::map_contract,
    },
    JsonFormat {
        format: Format::ContratosgovApi,
        is: contratosgov::is_own_contract,
        map: contratosgov::map_own_contract,
    },
    JsonFormat {
        format: Format::ContratosgovHistorico,
        is: contratosgov_tables::is_history,
        map: contratosgov_tables::map_history,
    },
    JsonFormat {
        format: Format::ContratosgovEmpenhos,
        is: contratosgov_tables::is_commitment,
        map: contratosgov_tables::map_commitment,
    },
    JsonFormat {
        format: Format::ContratosgovItens,
        is: contratosgov_tables::is_item,
        map: contratosgov_tables::map_item,
    },
    JsonFormat {
        format: Format::ContratosgovFaturas,
        is: contratosgov_tables::is_invoice,
        map: contratosgov_tables::map_invoice,
    },
    JsonFormat { format: Format::PncpItens, is: pncp_items::is_item, map: pncp_items::map_item },
    JsonFormat { format: Format::PncpResultados, is: pncp_items::is_result, map: pncp_items::map_result },
    JsonFormat { format: Format::PncpItens, is: pncp_items::is_purchase, map: pncp_items::map_purchase },
    JsonFormat { format: Format::PncpTermos, is: pncp_terms::is_term, map: pncp_terms::map_term },
    JsonFormat { format: Format::PncpTermos, is: pncp_terms::is_contract, map: pncp_terms::map_contract },
    JsonFormat { format: Format::PncpDfDispensas, is: pncp_df::is_purchase, map: pncp_df::map_purchase },
    JsonFormat { format: Format::OcdsRecord, is: ocds::is_record, map: ocds::map },
    JsonFormat { format: Format::OcdsRelease, is: ocds::is_release, map: ocds::map },
];

/// A page of PNCP without records.
const PNCP_EMPTY: JsonFormat = JsonFormat { format: Format::PncpEmpty, is: |_| false, map: pncp::map_contract };

/// A package of OCDS without releases or records.
const OCDS_EMPTY: JsonFormat = JsonFormat { format: Format::OcdsEmpty, is: |_| false, map: ocds::map };
/// What every package of OCDS states around its releases or records.
const PACKAGE_HAS: &[&str] = &["publishedDate", "publisher"];

impl JsonFormat {
    /// Its mapper reads a record's text itself and checks it whole, depth included.
    pub(crate) fn checks_whole(&self) -> bool {
        self.format.source() == "ocds"
    }
}

/// A format by its code.
pub(crate) fn known_json(code: &str) -> Option<&'static JsonFormat> {
    KNOWN.iter().find(|known| known.format.code() == code)
}

fn format_of(record: &Members<'_>) -> Option<&'static JsonFormat> {
    KNOWN.iter().find(|known| (known.is)(record))
}

/// The format and layout of a JSON file, or `None` if it is none of ours.
pub(crate) fn sniff(input: &Input, hint: Option<&str>) -> Result<Option<(&'static JsonFormat, Layout)>, Error> {
    let layout = input.with_bytes(|bytes| Layout::of(bytes).map_err(|cause| Error::io(&input.name, cause)))?;
    let known = input.with_bytes(|bytes| {
        let mut records = Records::new(bytes, layout);
        for _ in 0..SNIFFED_RECORDS_MAX {
            match records.step() {
                Ok(Piece::Element) => {
                    let text = std::str::from_utf8(records.element()).unwrap_or_default();
                    let known = Members::parse(text).ok().and_then(|m| format_of(&m));
                    if known.is_some() {
                        return Ok(known);
                    }
                }
                Ok(Piece::Broken(..)) => {}
                Ok(Piece::End) => {
                    let is_page = records.envelope_keys().iter().any(|k| k == "totalRegistros" || k == "totalPaginas");
                    let hinted = hint == Some("pncp") && records.envelope_keys().is_empty();
                    let empty = records.ordinal() == 0 && (is_page || hinted);
                    let is_package = PACKAGE_HAS.iter().all(|name| records.envelope_keys().iter().any(|k| k == name));
                    if records.ordinal() == 0 && is_package {
                        return Ok(Some(&OCDS_EMPTY));
                    }
                    return Ok(empty.then_some(&PNCP_EMPTY));
                }
                Err(PageError::Io(cause)) => return Err(Error::io(&input.name, cause)),
                Err(PageError::Truncated | PageError::Damaged(_)) => return Ok(None),
            }
        }
        Ok(None)
    })?;
    Ok(known.map(|known| (known, layout)))
}

/// Maps one record of a file; gives its hash too.
pub(crate) fn map(element: &[u8], expected: &JsonFormat, place: Place) -> Result<(Draft, String), Fault> {
    let text = std::str::from_utf8(element).map_err(|_| Fault::new(Reason::Encoding, "bytes that are not UTF-8"))?;
    if expected.checks_whole() {
        return ocds::map_text(text, place);
    }
    let members = Members::parse(text)?;
    let known = format_of(&members).filter(|k| k.format.source() == expected.format.source()).unwrap_or(expected);
    let row_hash = hash_text(&mask_cpfs(&minified(text)));
    let draft = (known.map)(&Element { text, members, place })?;
    Ok((draft, row_hash))
}

/// A quarantined record's text.
pub(crate) fn raw_text(element: &[u8]) -> String {
    let near = &element[..element.len().min(crate::csv_rows::RAW_BYTES_MAX * 4)];
    mask_and_clip(&Encoding::Utf8.decode_lossy(near), crate::csv_rows::RAW_BYTES_MAX)
}
