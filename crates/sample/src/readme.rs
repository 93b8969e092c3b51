//! The note that says what the files are.

use std::fs;
use std::io;
use std::path::Path;

use crate::world::World;

pub(crate) fn write(out: &Path, world: &World) -> io::Result<()> {
    let text = format!(
        "DADOS FICTÍCIOS\n\
         ===============\n\n\
         Estes arquivos foram gerados por `cidadao sample --contracts {} --seed {}`.\n\
         Nenhum órgão, empresa, pessoa, contrato ou sanção aqui citado existe. Os nomes trazem a palavra\n\
         \"fictício\", os CNPJs começam por 99 e os códigos de unidade por 90. Somente os formatos\n\
         imitam os das fontes reais, com as suas falhas.\n\n\
         compras/     Portal da Transparência, arquivos mensais: contratos, itens, aditivos, apostilamentos\n\
         licitacoes/  Portal da Transparência, arquivos mensais compactados: licitações, itens, participantes, empenhos\n\
         portal-ui/   Portal da Transparência, exportação da consulta na página\n\
         pncp/        PNCP, respostas da API: contratos e contratações\n\
         sancoes/     CEIS e CNEP\n\
         receita/     Receita Federal, cadastro de empresas: empresas, estabelecimentos, sócios, Simples\n\
         licitacon/   LicitaCon, tribunal de contas: licitações, itens, propostas com preços, contratos\n\
         despesas/    Portal da Transparência, pagamentos mês a mês\n\
         truth.jsonl  os casos plantados e o resultado esperado de cada um; `quarantine` são as linhas defeituosas\n\n\
         ALL DATA IS FICTITIOUS. Only the layouts follow the real sources. See truth.jsonl for the planted cases.\n",
        world.contracts, world.seed,
    );
    fs::write(out.join("LEIA-ME.txt"), text)
}
