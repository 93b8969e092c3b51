//! SAGRES: participants and proposals, losers included.

use model::Record;
use sources::Format;

use super::read_bytes;

#[test]
fn participants_and_proposals_meet_their_tender() {
    let tender = "cd_UGestora,nu_Licitacao,tp_Licitacao,dt_Homologacao,tp_Objeto,vl_Licitacao,de_Obs\n201095,00012/2013,4,01/03/2013,2,1000.5,CAFE\n";
    let participants = "cd_UGestora,nu_Licitacao,tp_Licitacao,nu_CPFCNPJ,no_Participante,dt_MesAno\n\
        201095,00012/2013,4,00000000000191,EXEMPLO SA,032013\n\
        201095,00012/2013,4,***982247**,JOSE DA SILVA,032013\n\
        201095,00012/2013,,00000000000191,EXEMPLO SA,032013\n";
    let proposals = "cd_UGestora,nu_Licitacao,tp_Licitacao,nu_CPFCNPJ,cd_Item,cd_SubGrupoItem,qt_Ofertada,vl_Ofertado,st_Proposta\n\
        201095,00012/2013,4,00000000000191,7,3,2.5,1234.56,1\n\
        201095,00012/2013,4,00000000000191,8,3,2.5,x,1\n";
    let tender = read_bytes("licitacao.csv", tender.as_bytes());
    let id = tender.rows()[0].sourced.id.clone();
    let took_part = read_bytes("participantes.csv", participants.as_bytes());
    assert_eq!(took_part.result.as_ref().unwrap().format, Format::SagresParticipantes);
    assert_eq!(took_part.faults(), [(4, "required_field")]);
    let offered = read_bytes("propostas.csv", proposals.as_bytes());
    assert_eq!(offered.result.as_ref().unwrap().format, Format::SagresPropostas);
    assert_eq!(offered.faults(), [(3, "amount")]);
    let bids: Vec<_> = took_part.rows().into_iter().chain(offered.rows()).collect();
    assert_eq!(bids.len(), 3);
    for row in &bids {
        let Record::Bid(bid) = &row.sourced.record else { panic!("{row:?}") };
        assert_eq!(bid.tender_id.as_deref(), Some(id.as_str()));
        assert_eq!(bid.won, None);
    }
    let Record::Bid(bid) = &bids[2].sourced.record else { panic!() };
    assert_eq!((bid.value.unwrap().to_string().as_str(), bid.item_number.as_deref()), ("1234.5600", Some("3-7")));
    assert_eq!(bid.bidder_id.as_deref(), Some("cnpj:00000000000191"));
}
