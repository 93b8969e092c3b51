//! The words of the domain: records, money, CNPJ, dates and dated law. No I/O.
