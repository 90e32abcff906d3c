//! Text → words, operators and brackets, each with its place.

use std::ops::Range;

/// A place in the expression, in bytes.
pub(super) type Span = Range<usize>;

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `=`, `==`, `eq`
    Equal,
    /// `!=`, `ne`, `neq`
    NotEqual,
    /// `<`, `lt`
    Less,
    /// `<=`, `le`, `leq`
    LessOrEqual,
    /// `>`, `gt`
    Greater,
    /// `>=`, `ge`, `geq`
    GreaterOrEqual,
}

impl Compare {
    /// Whether `left OP right`.
    pub fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }

    /// As it is usually written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// Any other word; a quoted word is never a keyword.
    Word {
        text: String,
        quoted: bool,
    },
    Compare(Compare),
    And,
    Or,
    Not,
    Open,
    Close,
}

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// A quote that is not closed; the span reaches to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OpenQuote(pub(super) Span);

const SYMBOLS: [(&str, TokenKind); 13] = [
    // Longer symbols first.
    ("&&", TokenKind::And),
    ("||", TokenKind::Or),
    ("==", TokenKind::Compare(Compare::Equal)),
    ("!=", TokenKind::Compare(Compare::NotEqual)),
    ("<=", TokenKind::Compare(Compare::LessOrEqual)),
    (">=", TokenKind::Compare(Compare::GreaterOrEqual)),
    ("&", TokenKind::And),
    ("|", TokenKind::Or),
    ("=", TokenKind::Compare(Compare::Equal)),
    ("<", TokenKind::Compare(Compare::Less)),
    (">", TokenKind::Compare(Compare::Greater)),
    ("!", TokenKind::Not),
    ("(", TokenKind::Open),
];

/// The tokens of an expression.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, OpenQuote> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or(' ');
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, len) = match symbol(rest) {
            Some(found) => found,
            None if matches!(first, '"' | '\'') => quoted(rest, first).ok_or(OpenQuote(at..text.len()))?,
            None => word(rest),
        };
        tokens.push(Token { kind, span: at..at + len });
        at += len;
    }
    Ok(tokens)
}

/// Whether unquoted text is read as one word that is not a keyword.
pub(super) fn is_plain_word(text: &str) -> bool {
    match tokens(text).as_deref() {
        Ok([Token { kind: TokenKind::Word { text: read, quoted: false }, .. }]) => read == text,
        _ => false,
    }
}

fn symbol(rest: &str) -> Option<(TokenKind, usize)> {
    if rest.starts_with(')') {
        return Some((TokenKind::Close, 1));
    }
    SYMBOLS
        .iter()
        .find(|(symbol, _)| rest.starts_with(symbol))
        .map(|(symbol, kind)| (kind.clone(), symbol.len()))
}

fn quoted(rest: &str, quote: char) -> Option<(TokenKind, usize)> {
    let inside = rest.get(1..)?;
    let end = inside.find(quote)?;
    Some((TokenKind::Word { text: inside.get(..end)?.to_owned(), quoted: true }, end + 2))
}

/// A word ends at a blank, a bracket or an operator. It may contain `!`, `*`, `?` and `[`, which globs use.
fn word(rest: &str) -> (TokenKind, usize) {
    let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '=' | '<' | '>' | '&' | '|');
    let mut len = rest.find(ends).unwrap_or(rest.len());
    // `UNKNOWN(14)`, as a state without a name is printed.
    if rest.get(..len).is_some_and(|word| word.eq_ignore_ascii_case("unknown"))
        && let Some((number, _)) = rest.get(len..).and_then(|rest| rest.strip_prefix('(')?.split_once(')'))
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        len += number.len() + 2;
    }
    // `sport!=80`: the operator begins before its `=`.
    if rest.get(len..).is_some_and(|rest| rest.starts_with('='))
        && rest.get(..len).is_some_and(|word| word.ends_with('!'))
    {
        len -= 1;
    }
    let text = rest.get(..len).unwrap_or(rest);
    (keyword(text).unwrap_or_else(|| TokenKind::Word { text: text.to_owned(), quoted: false }), len)
}

fn keyword(word: &str) -> Option<TokenKind> {
    Some(match word.to_ascii_lowercase().as_str() {
        "and" => TokenKind::And,
        "or" => TokenKind::Or,
        "not" => TokenKind::Not,
        "eq" => TokenKind::Compare(Compare::Equal),
        "ne" | "neq" => TokenKind::Compare(Compare::NotEqual),
        "lt" => TokenKind::Compare(Compare::Less),
        "le" | "leq" => TokenKind::Compare(Compare::LessOrEqual),
        "gt" => TokenKind::Compare(Compare::Greater),
        "ge" | "geq" => TokenKind::Compare(Compare::GreaterOrEqual),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<String> {
        let tokens = tokens(text).unwrap();
        tokens.into_iter().map(|token| text[token.span].to_owned()).collect()
    }

    #[test]
    fn operators_need_no_blanks() {
        assert_eq!(shown("sport=:80"), ["sport", "=", ":80"]);
        assert_eq!(
            shown("sport!=80&&!(dport>=5)"),
            ["sport", "!=", "80", "&&", "!", "(", "dport", ">=", "5", ")"]
        );
        assert_eq!(shown("a || b|c and d"), ["a", "||", "b", "|", "c", "and", "d"]);
        assert_eq!(shown("dst [::1]:80"), ["dst", "[::1]:80"]);
        assert_eq!(shown("state UNKNOWN(14) (a)"), ["state", "UNKNOWN(14)", "(", "a", ")"]);
        assert_eq!(shown("unknown(x)"), ["unknown", "(", "x", ")"]);
        assert_eq!(shown("process = 'tmux: server'"), ["process", "=", "'tmux: server'"]);
    }

    #[test]
    fn quotes_must_be_closed() {
        assert_eq!(tokens("process = \"x"), Err(OpenQuote(10..12)));
    }

    proptest! {
        #[test]
        fn any_text_ends_and_spans_are_in_order(text: String) {
            if let Ok(tokens) = tokens(&text) {
                let mut end = 0;
                for token in tokens {
                    prop_assert!(token.span.start >= end && token.span.end > token.span.start);
                    prop_assert!(text.get(token.span.clone()).is_some());
                    end = token.span.end;
                }
            }
        }
    }
}
