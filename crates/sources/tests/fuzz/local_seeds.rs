//! Whole files of states and cities, one per parser, written by hand.

fn cp1252(text: &str) -> Vec<u8> {
    encoding_rs::WINDOWS_1252.encode(&text.replace('\n', "\r\n")).0.into_owned()
}

fn utf8(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

pub fn sagres_tenders() -> Vec<u8> {
    utf8(
        "cd_UGestora,nu_Licitacao,tp_Licitacao,dt_Ano,dt_Homologacao,de_Obs,vl_Licitacao,nu_Propostas,dt_MesAno\n\
        201999,000555016,11,2016,2016-05-03 00:00:00,LOCAÇÃO DE VEICULO,1e+05,3,052016\n\
        201999,000777016,8,2016,NA,\"A, B\",500.25,NA,052016\n",
    )
}

pub fn sagres_contracts() -> Vec<u8> {
    utf8(
        "cd_UGestora,nu_Contrato,nu_Licitacao,de_ObsContrato,dt_AnoContrato,nu_CPFCNPJ,vl_TotalContrato,dt_MesAnoContrato\n\
        201999,000999016,000888016,VEICULO,2016,00000000000191,12345.5,072016\n\
        201999,000992016,000888016,VEICULO,2016,00052998224725,100,002016\n",
    )
}

pub fn sagres_amendments() -> Vec<u8> {
    cp1252(
        ";cd_UGestora;dt_Ano;nu_Contrato;nu_Aditivo;dt_Assinatura;de_Motivo;vl_Aditivo;dt_MesAno;dt_Aditado\n\
        0;201999;2013;000666008;1A;9/7/2013 00:00:00;Supressão;-1520,7000;72013.0;31/12/2013 00:00:00\n\
        1;201999;2013;000666008;;19/12/2013 00:00:00;Prazo;0,0000;72013.0;\n",
    )
}

pub fn sagres_commitments() -> Vec<u8> {
    utf8(
        "cd_UGestora,dt_AnoEmpenho,nu_Licitacao,nu_Empenho,cd_UnidOrcamentaria,tp_Licitacao,vl_Empenho,dt_Empenho\n\
        201999,2016,000777016,0009999,02060,11,3000,2016-04-28T00:00:00Z\n",
    )
}

pub fn sagres_payments() -> Vec<u8> {
    utf8(
        "cd_UGestora,dt_Ano,cd_UnidOrcamentaria,nu_Empenho,nu_Parcela,tp_Lancamento,vl_Pagamento,dt_Pagamento\n\
        201999,2016,02060,0009999,0000002,1,1500.25,2016-05-04 00:00:00\n",
    )
}

pub fn sagres_units() -> Vec<u8> {
    utf8(
        "\"cd_Ugestora\",\"dt_Ano\",\"de_Ugestora\",\"nu_CNPJ\"\n\"101999\",\"2009\",\"Câmara de Exemplo\",\"00000000000191\"\n",
    )
}

/// In both encodings, with enough letters of each to be known for it.
pub fn licitacon_tenders() -> Vec<u8> {
    let mut bytes = utf8(
        "id_orgao,nr_licitacao,ano_licitacao,tipo_licitacao,descricao_objeto,vl_estimado_licitacao,data_adjudicacao,total_concorrentes\n",
    );
    for number in 1..=36 {
        bytes.extend(utf8(&format!("99900,{number},2017,")));
        bytes.extend(b"Menor Pre\xE7o,");
        bytes.extend(utf8("Aquisição,100.5,2017-03-06,3\n"));
    }
    bytes
}

pub fn licitacon_items() -> Vec<u8> {
    utf8(
        "CD_ORGAO,NR_LICITACAO,ANO_LICITACAO,CD_TIPO_MODALIDADE,NR_LOTE,NR_ITEM,DS_ITEM,QT_ITENS,SG_UNIDADE_MEDIDA,VL_UNITARIO_ESTIMADO,VL_UNITARIO_HOMOLOGADO,VL_TOTAL_HOMOLOGADO\n\
        99900,7,2022,PRE,2,1,ARROZ,10,KG,5.5,5,50\n99900,7,2022,PRE,2,2,\"FEIJÃO, PRETO\",1.5,KG,,0.00,0.00\n",
    )
}

pub fn licitacon_bids() -> Vec<u8> {
    utf8(
        "CD_ORGAO,NR_LICITACAO,ANO_LICITACAO,CD_TIPO_MODALIDADE,NR_DOCUMENTO_LICITANTE,NR_LOTE,NR_ITEM,VL_UNITARIO,VL_TOTAL_ITEM,TP_RESULTADO_PROPOSTA\n\
        99900,7,2022,PRE,00000000000191,2,1,5.25,52.50,Vencedora\n99900,7,2022,PRE,52998224725,2,1,5.25,52.50,C\n",
    )
}

pub fn licitacon_bidders() -> Vec<u8> {
    utf8(
        "CD_ORGAO;NR_LICITACAO;ANO_LICITACAO;CD_TIPO_MODALIDADE;NR_DOCUMENTO_LICITANTE;TP_RESULTADO_HABILITACAO\n\
        99900;7;2022;PRE;00000000000191;Inabilitado\n",
    )
}

pub fn licitacon_contracts() -> Vec<u8> {
    utf8(
        "id_orgao,nr_licitacao,ano_licitacao,nr_contrato,ano_contrato,tipo_instrumento_contrato,nr_documento_contratado,dt_inicio_vigencia,dt_final_vigencia,vl_contrato,descricao_objeto_contrato\n\
        99900,1,2017,28,2017,Contrato,00000000000191,2017-05-31,2017-12-27,4321.00,\"Merenda, escolar\"\n",
    )
}

pub fn licitacon_contract_items() -> Vec<u8> {
    utf8(
        "cd_orgao,nr_lote,nr_licitacao,ano_licitacao,nr_contrato,ano_contrato,nr_item,qt_itens_contrato,vl_item_contrato,vl_total_item_contrato\n\
        99900,1,1,2017,28,2017,2,60,2.5,150\n",
    )
}

pub fn mg_commitments() -> Vec<u8> {
    utf8(
        "ano_de_exercicio;unidade_orcamentaria_codigo;unidade_orcamentaria_nome;ano_empenho;numero_empenho;data_registro_doc_empenho;numero_processo_compra_siad;licitacao_descricao_da_modalidade;razao_social_credor;cnpj_cpf_credor_formatado;elemento_despesa_codigo;elemento_despesa_descricao;valor_pago_financeiro;valor_pago_processado;valor_pago_nao_processado\n\
        2026;9991;SECRETARIA;2026;12;2026-01-26;9991030 000999/2024;PREGAO;VIAGENS;00.000.000/0001-91;33;PASSAGENS;54321,76;1,0;2,0\n\
        2026;9991;SECRETARIA;2026;13;2026-01-26;9991030 000999/2024;PREGAO;MARIA;529.982.247/25;33;PASSAGENS;0,0;1,0;2,0\n",
    )
}

pub fn mg_items() -> Vec<u8> {
    utf8(
        "NUMERO_PROCESSO_COMPRA,DATA_CADASTRAMENTO_PROCESSO,OBJETO_PROCESSO,CODIGO_ORGAO_DEMANDANTE,ORGAO_DEMANDANTE,SITUACAO_PROCESSO,PROCEDIMENTO_CONTRATACAO,NUMERO_CONTRATO,CODIGO_ORGAO_CONTRATO,ORGAO_CONTRATO,DATA_PUBLICACAO,INICIO_VIGENCIA,FIM_VIGENCIA,FIM_VIGENCIA_ATUALIZADA,CPF_CNPJ_CONTRATADO,CONTRATADO,CODIGO_ITEM_MATERIAL_SERVICO,ITEM_MATERIAL_SERVICO,QUANTIDADE_HOMOLOGADA,VALOR_REFERENCIA_UNITARIO,VALOR_HOMOLOGADO_UNITARIO,VALOR_HOMOLOGADO\n\
        9990073 000001/2020,2020-04-07,Gases,9250,POLICIA,Concluído,Pregão,9999001,9250,POLICIA,2020-04-10,10/04/20,NA,2020-10-10,00.000.000/0001-91,GASES SA,1198,OXIGENIO,1000,2.5,2.25,2250\n",
    )
}

pub fn mg_awards() -> Vec<u8> {
    utf8(
        "Número do Processo de Compra ;Data de Cadastramento do Processo ;Objeto do Processo ;Código Órgão Demandante ;Órgão Demandante ;Situação do Processo ;Procedimento de Contratação ;Número do Contrato ;Código Órgão ;Órgão Contrato ;Data da Publicação ;Início da Vigência ;Fim da Vigência ;Fim da Vigência Atualizada ;CPF/CNPJ do Contratado ;Contratado ;Valor Homologado \n\
        9990073 000002/2020;07/04/2020;Luvas;9250;POLICIA;Concluído;PREGAO;-;-;INEXISTENTE;-;-;-;-;00.000.000/0001-91;LUVAS SA;4.321,00\n\
        9990073 000003/2020;07/04/2020;Luvas;9250;POLICIA;Concluído;PREGAO;-;-;INEXISTENTE;-;-;-;-;000.000.000-00;INEXISTENTE;0,00\n",
    )
}

pub fn sao_paulo() -> Vec<u8> {
    cp1252(
        "Órgão;Fornecedor;CNPJ;Objeto;Valor (R$);Modalidade;Contrato;Data de Assinatura;Vigência(Dias);Licitação\n\
        OBRAS;EXEMPLO \"X\" LTDA;00.000.000/0001-91;\"Centro;13.140,00;CONVÊNIO EXTRATO DO CONVÊNIO;099/EXEMP;2009;9/4/2009;300;X001/08;\n\
        OBRAS;MARIA;529.982.247-25;Centro;;CONVITE EXTRATO DE ADITAMENTO;;19/4/2009;2010-0.999.111-1;\n",
    )
}

pub fn recife() -> Vec<u8> {
    utf8(
        "\"numerocontrato\";\"orgaocontratante\";\"objetocontrato\";\"origemcontrato\";\"cnpjcontratado\";\"cpfcontratado\";\"razaonomecontratado\";datainiciovigencia;datafimvigencia;valorcontrato1;valorcontrato2;\"situacaocontrato\"\n\
        \"9999.0001/2024\";\"SECRETARIA\";\"LOCAÇÃO\";\"DISPENSA\";\"00000000000191\";;\"EXEMPLO SA\";2024/10/01 00:00:00.000;;5400.5;1700.1;\"CADASTRADO\"\n\
        \"Aguardando Numeração\";\"SECRETARIA\";;\"SARP\";;\"***982247**\";\"MARIA\";2024/10/01 00:00:00.000;;;1700.1;\n",
    )
}

pub fn sagres_participants() -> Vec<u8> {
    let row = "201095,00012/2013,4,00000000000191,EXEMPLO SA,032013";
    format!("cd_UGestora,nu_Licitacao,tp_Licitacao,nu_CPFCNPJ,no_Participante,dt_MesAno\n{row}\n{row}\n").into_bytes()
}

pub fn sagres_proposals() -> Vec<u8> {
    let row = "201095,00012/2013,4,00000000000191,7,3,2.5,1234.56,1";
    format!("cd_UGestora,nu_Licitacao,tp_Licitacao,nu_CPFCNPJ,cd_Item,cd_SubGrupoItem,qt_Ofertada,vl_Ofertado,st_Proposta\n{row}\n{row}\n")
        .into_bytes()
}

/// One file of every format of states and cities, by name.
#[allow(dead_code, reason = "for tests from outside the process")]
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("sagres_tenders.csv", sagres_tenders()),
        ("sagres_contracts.csv", sagres_contracts()),
        ("sagres_amendments.csv", sagres_amendments()),
        ("sagres_commitments.csv", sagres_commitments()),
        ("sagres_payments.csv", sagres_payments()),
        ("sagres_units.csv", sagres_units()),
        ("sagres_participants.csv", sagres_participants()),
        ("sagres_proposals.csv", sagres_proposals()),
        ("licitacon_tenders.csv", licitacon_tenders()),
        ("licitacon_items.csv", licitacon_items()),
        ("licitacon_bids.csv", licitacon_bids()),
        ("licitacon_bidders.csv", licitacon_bidders()),
        ("licitacon_contracts.csv", licitacon_contracts()),
        ("licitacon_contract_items.csv", licitacon_contract_items()),
        ("mg_commitments.csv", mg_commitments()),
        ("mg_items.csv", mg_items()),
        ("mg_awards.csv", mg_awards()),
        ("sao_paulo.csv", sao_paulo()),
        ("recife.csv", recife()),
    ]
}
