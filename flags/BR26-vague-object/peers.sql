-- How many words of each tender's object say what is bought: those that are neither function words nor words that fit any purchase.
with folded as (
    select t.id, t.source || '|' || coalesce(t.buyer_id, '?') as unit, ' ' || trim(regexp_replace(lower(strip_accents(t.object)), '[^a-z0-9]+', ' ', 'g')) || ' ' as words, t.object
    from   tenders t where t.object is not null and in_scope(t.source || '|' || coalesce(t.buyer_id, '?'))
),
meant as (
    select id, unit, object, words, trim(regexp_replace(regexp_replace(words, '\b(a|o|e|as|os|ao|aos|de|da|do|das|dos|em|no|na|nos|nas|um|uma|uns|umas|ou|se|para|por|pelo|pela|pelos|pelas|com|sem|que|seu|sua|seus|suas|este|esta|esse|essa|ser|sao|bem|como|entre|p|c)\b', ' ', 'g'), ' +', ' ', 'g')) as content
    from   folded
),
specific as (
    select *, trim(regexp_replace(regexp_replace(content, '\b(aquisicao|aquisicoes|aquisitivo|adquirir|contratacao|contratacoes|contratar|compra|compras|comprar|fornecimento|fornecimentos|fornecer|prestacao|prestacoes|prestar|execucao|execucoes|executar|realizacao|realizar|locacao|locacoes|registro|registros|preco|precos|ata|servico|servicos|material|materiais|produto|produtos|bens|bem|item|itens|objeto|objetos|equipamento|equipamentos|insumo|insumos|diverso|diversos|diversa|diversas|varios|varias|geral|gerais|outro|outros|outra|outras|demais|empresa|empresas|especializado|especializados|especializada|especializadas|pessoa|pessoas|juridica|juridicas|fisica|fisicas|necessidade|necessidades|atender|atendimento|atendendo|demanda|demandas|suprir|destinado|destinados|destinada|destinadas|destina|utilizacao|uso|consumo|permanente|permanentes|eventual|eventuais|futura|futuras|futuro|futuros|parcelado|parcelada|parcelados|parceladas|conforme|especificacao|especificacoes|condicao|condicoes|termo|termos|referencia|edital|editais|anexo|anexos|quantidade|quantidades|quantitativo|quantitativos|secretaria|secretarias|municipal|municipais|municipio|municipios|prefeitura|prefeituras|estado|estadual|estaduais|federal|federais|orgao|orgaos|unidade|unidades|setor|setores|departamento|departamentos|fundo|fundos|administracao|publica|publicas|publico|publicos|interesse|presente|licitacao|licitacoes|pregao|eletronico|eletronicos|presencial|dispensa|inexigibilidade|inexigivel|concorrencia|contrato|contratos|processo|processos|visando|fins|tipo|menor|valor|valores|razao|meio|forma|periodo|ano|exercicio|mes|meses|dia|dias|junto|deste|desta|neste|nesta|sob)\b', ' ', 'g'), ' +', ' ', 'g')) as said
    from   meant
)
select id as row_id, unit as peer_key, object, said,
       case when content = '' then 0 else array_length(string_split(content, ' ')) end as words,
       case when said = '' then 0 else array_length(string_split(said, ' ')) end as value,
       regexp_matches(object, '[0-9]') as has_number
from   specific
