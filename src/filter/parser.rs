//! Tokens → [`Expr`].
//!
//! ss's language: `and` and `or` have equal precedence and associate to the left; two adjacent terms mean `and`;
//! `not` binds tighter.

use std::ops::Range;

use super::endpoint::{EndpointMatch, Net};
use super::expr::{End, Expr, Name, Term};
use super::glob::Glob;
use super::lexer::{Compare, Token, TokenKind};
use super::typed::{BadEndpoint, Typed, TypedHost, TypedPort, port};
use super::values::{count, device_term, flag, mark, micros, plain_micros, rate, size, timer};
use super::{Dialect, FilterError, states_named};
use crate::fields::{self, Field, Kind, plain_word};
use crate::model::{Needs, StateSet};

/// Limit on nested brackets and `not`. Functions that walk an expression recurse as deep, so this bounds the stack.
pub(super) const DEEPEST: u32 = 64;

/// Limit on changes between `and` and `or` in a filter. Both associate to the left, so each change nests the
/// expression one level deeper: this bounds the stack too. Terms joined by the same word are a flat list of any
/// length.
pub(super) const MOST_CHANGES: u32 = 128;

/// The words that begin a term without naming a field.
pub const LANGUAGE: [&str; 4] = ["exclude", "addr", "port", "autobound"];

/// A parsed filter: the states named on the outermost level, and the rest.
pub(super) struct Parsed {
    pub(super) states: Option<StateSet>,
    pub(super) expr: Expr,
}

pub(super) struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    /// The end of the expression, where something may be missing.
    end: usize,
    depth: u32,
    /// How often `and` followed `or`, or `or` followed `and`.
    changes: u32,
    dialect: Dialect,
    states: Option<StateSet>,
}

type Parse<T> = Result<T, FilterError>;

impl<'a> Parser<'a> {
    pub(super) fn new(tokens: &'a [Token], end: usize, dialect: Dialect) -> Self {
        Self { tokens, at: 0, end, depth: 0, changes: 0, dialect, states: None }
    }

    pub(super) fn parse(mut self) -> Parse<Parsed> {
        self.leading_states()?;
        if self.at > 0 && self.peek().is_none() || self.tokens.is_empty() {
            return Ok(Parsed { states: self.states, expr: Expr::always() });
        }
        // Under an `or` a state is a term like the others.
        self.depth = u32::from(self.has_outer_or());
        let expr = self.list()?;
        if self.peek().is_some() {
            // Only a bracket that was never opened ends an expression early.
            return Err(self.expected("a term, 'and' or 'or'"));
        }
        Ok(Parsed { states: self.states, expr })
    }

    fn peek(&self) -> Option<&'a TokenKind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.end..self.end, |token| token.span.clone())
    }

    /// The place of the token before this one.
    fn last_span(&self) -> Range<usize> {
        self.at
            .checked_sub(1)
            .and_then(|at| self.tokens.get(at))
            .map_or(self.end..self.end, |token| token.span.clone())
    }

    fn take(&mut self, kind: &TokenKind) -> bool {
        let found = self.peek() == Some(kind);
        self.at += usize::from(found);
        found
    }

    fn expected(&self, what: &'static str) -> FilterError {
        FilterError::Expected { span: self.span(), what }
    }

    /// As in ss, `state X` and `exclude X` before the expression apply to all of it, whatever its operators.
    fn leading_states(&mut self) -> Parse<()> {
        while let Some(TokenKind::Word { text, quoted: false }) = self.peek() {
            let word = plain_word(text);
            let of_states = fields::named(&word).is_some_and(|field| field.kind == Kind::State);
            if !of_states && !["exclude", "excl"].contains(&&*word) {
                break;
            }
            self.term()?;
        }
        if self.peek() == Some(&TokenKind::Or) {
            // `state listen or sport = :80`: the state is an alternative, not a condition on the whole.
            self.at = 0;
            self.states = None;
        }
        if self.at > 0 && self.take(&TokenKind::And) && self.peek().is_none() {
            return Err(self.expected("a term"));
        }
        Ok(())
    }

    fn has_outer_or(&self) -> bool {
        let mut open = 0_usize;
        self.tokens.iter().any(|token| {
            match token.kind {
                TokenKind::Open => open += 1,
                TokenKind::Close => open = open.saturating_sub(1),
                _ => {}
            }
            open == 0 && token.kind == TokenKind::Or
        })
    }

    /// Whether the next term is part of the outermost `and`: then a state goes into the kernel's state mask.
    fn is_outermost(&self) -> bool {
        self.depth == 0
    }

    /// Terms from left to right: ss gives `and` and `or` the same strength.
    fn list(&mut self) -> Parse<Expr> {
        let mut left = self.factor()?.unwrap_or_else(Expr::always);
        let mut before = None;
        loop {
            let (is_or, join): (bool, fn(Expr, Expr) -> Expr) = match self.peek() {
                Some(TokenKind::Or) => (true, Expr::or),
                Some(TokenKind::And | TokenKind::Word { .. } | TokenKind::Not | TokenKind::Open) => {
                    (false, Expr::and)
                }
                _ => return Ok(left),
            };
            self.count_change(before, is_or)?;
            before = Some(is_or);
            if matches!(self.peek(), Some(TokenKind::Or | TokenKind::And)) {
                self.at += 1;
            }
            if let Some(right) = self.factor()? {
                left = join(left, right);
            }
        }
    }

    fn count_change(&mut self, before: Option<bool>, is_or: bool) -> Parse<()> {
        self.changes += u32::from(before.is_some_and(|was_or| was_or != is_or));
        if self.changes > MOST_CHANGES {
            return Err(FilterError::TooManyChanges { span: self.span() });
        }
        Ok(())
    }

    /// A term; `None` if it only narrowed the states.
    fn factor(&mut self) -> Parse<Option<Expr>> {
        match self.peek() {
            Some(TokenKind::Not) => {
                self.at += 1;
                let inner = self.nested(Self::factor)?;
                Ok(Some(inner.unwrap_or_else(Expr::always).negated()))
            }
            Some(TokenKind::Open) => {
                self.at += 1;
                let inner = self.nested(Self::list)?;
                if !self.take(&TokenKind::Close) {
                    return Err(self.expected("')'"));
                }
                Ok(Some(inner))
            }
            Some(TokenKind::Word { .. }) => self.term(),
            _ => Err(self.expected("a term")),
        }
    }

    fn nested<T>(&mut self, parse: fn(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= DEEPEST {
            return Err(FilterError::TooDeep { span: self.last_span() });
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn term(&mut self) -> Parse<Option<Expr>> {
        let span = self.span();
        let Some(TokenKind::Word { text, quoted }) = self.peek() else { return Err(self.expected("a term")) };
        self.at += 1;
        let word = if *quoted { String::new() } else { plain_word(text) };
        let expr = match word.as_str() {
            "exclude" | "excl" => return self.state(true),
            "addr" => self.address(End::Either)?,
            "port" => self.ports(End::Either)?,
            "autobound" => Expr::Term(Term::Autobound { range: None }),
            word => match fields::named(word) {
                Some(field) if field.kind == Kind::State => return self.state(false),
                Some(field) => self.of_field(field, word)?,
                // As `state X`: in ss's language a word alone is an address.
                None => match self.bare_states(text, *quoted) {
                    Some(set) => return Ok(self.in_states(set, false)),
                    None => self.bare_endpoint(text, span)?,
                },
            },
        };
        Ok(Some(expr))
    }

    /// A comparison of a field; `word` is the field's name as typed.
    fn of_field(&mut self, field: &'static Field, word: &str) -> Parse<Expr> {
        let text = |text: &str| Term::Text { field, glob: Glob::new(text) };
        match field.kind {
            Kind::Endpoint(end) | Kind::Address(end) => self.address(end.into()),
            Kind::Port(end) => self.ports(end.into()),
            Kind::Text if field.needs.contains(Needs::HOSTS) => {
                self.address(if field.word == "peer_host" { End::Peer } else { End::Local })
            }
            Kind::Device => self.equality(|word| Ok(device_term(word))),
            Kind::Mark => self.equality(|word| mark(&word.text)),
            Kind::Cgroup => self.equality(|path| Ok(Term::Cgroup { path, id: None })),
            Kind::Timer => self.equality(|word| timer(&word.text)),
            Kind::User if field.needs == Needs::USERS => self.equality(|name| Ok(Term::User { name })),
            Kind::Processes(_) => self.process(field),
            Kind::Word(words, expected) => self.equality(|word| {
                let glob = Glob::new(&word.text.to_ascii_lowercase());
                let fits = words.iter().any(|word| glob.matches(word.as_bytes()));
                if fits { Ok(Term::Text { field, glob }) } else { Err(expected) }
            }),
            Kind::State | Kind::User | Kind::Text | Kind::Container | Kind::List => {
                self.equality(|word| Ok(text(&word.text)))
            }
            Kind::Count | Kind::Number | Kind::Large => self.number(field, count, "a number"),
            Kind::Bytes => self.number(field, size, "a size such as 4096, 4k or 1M"),
            Kind::Rate => self.number(field, rate, "a rate such as 4096, 4k or 1M/s"),
            Kind::Flag => self.number(field, flag, "true or false"),
            Kind::Time(1) if word.ends_with("_us") => self.number(field, plain_micros, "microseconds"),
            Kind::Time(_) => self.number(field, micros, "a time such as 200ms or 2s"),
        }
    }

    /// The word that must come next, with its place.
    fn operand(&mut self, what: &'static str) -> Parse<(&'a str, Range<usize>)> {
        let span = self.span();
        let Some(TokenKind::Word { text, .. }) = self.peek() else { return Err(self.expected(what)) };
        self.at += 1;
        Ok((text, span))
    }

    fn state(&mut self, exclude: bool) -> Parse<Option<Expr>> {
        if self.peek().is_none() {
            let word = if exclude { "exclude" } else { "state" };
            return Err(FilterError::MissingState { span: self.last_span(), word });
        }
        // `state != X` excludes it.
        let exclude = exclude == self.equals()?;
        let (word, span) = self.operand("the name of a state")?;
        let set = self.states_of(word, &span)?;
        Ok(self.in_states(set, exclude))
    }

    /// The states of a list, `established,close-wait`.
    fn states_of(&self, list: &str, span: &Range<usize>) -> Parse<StateSet> {
        list.split(',').try_fold(StateSet::EMPTY, |all, word| {
            let unknown = || FilterError::UnknownState { span: span.clone(), word: word.to_owned() };
            Ok(all | states_named(word, self.dialect).ok_or_else(unknown)?)
        })
    }

    /// The states that a word alone names, in our own language.
    fn bare_states(&self, word: &str, quoted: bool) -> Option<StateSet> {
        let is_ours = self.dialect == Dialect::Own && !quoted;
        self.states_of(word, &(0..0)).ok().filter(|_| is_ours)
    }

    /// A term for these states, or nothing where they go into the kernel's state mask.
    fn in_states(&mut self, set: StateSet, exclude: bool) -> Option<Expr> {
        if !self.is_outermost() {
            let term = Expr::Term(Term::State(set));
            return Some(if exclude { term.negated() } else { term });
        }
        self.states = Some(match (self.states, exclude) {
            (states, false) => states.unwrap_or(StateSet::EMPTY) | set,
            (states, true) => states.unwrap_or(StateSet::ALL) - set,
        });
        None
    }

    /// `=` or `!=`, or nothing, which is `=`.
    fn equals(&mut self) -> Parse<bool> {
        match self.peek() {
            Some(TokenKind::Compare(Compare::Equal)) => {
                self.at += 1;
                Ok(true)
            }
            Some(TokenKind::Compare(Compare::NotEqual)) => {
                self.at += 1;
                Ok(false)
            }
            Some(TokenKind::Compare(_)) => Err(self.expected("'=' or '!='")),
            _ => Ok(true),
        }
    }

    fn equality(&mut self, make: impl FnOnce(Name) -> Result<Term, &'static str>) -> Parse<Expr> {
        let equals = self.equals()?;
        let (word, span) = self.operand("a name")?;
        let term = make(Name::new(word, &span)).map_err(|what| FilterError::Expected { span, what })?;
        let expr = Expr::Term(term);
        Ok(if equals { expr } else { expr.negated() })
    }

    fn process(&mut self, field: &'static Field) -> Parse<Expr> {
        let equals = self.equals()?;
        let (word, _) = self.operand("a name")?;
        let name = |word: &str| Expr::Term(Term::Text { field, glob: Glob::new(word) });
        // A holder as it is printed, `13379/python3[16]`; a process may be called so too.
        let is_own = *field == fields::PROCESS;
        let number = if is_own { &fields::PID } else { &fields::PEER_PID };
        let is = |field, value| Expr::Term(Term::Number { field, compare: Compare::Equal, value });
        let expr = match printed_holder(word) {
            Some((pid, program, descriptors)) => {
                let process = is(number, pid).and(name(program));
                // Whose descriptors they are is known of the socket's own holders.
                let descriptors: Vec<_> =
                    descriptors.into_iter().filter(|_| is_own).map(|fd| is(&fields::FD, fd)).collect();
                let held = match descriptors.as_slice() {
                    [] => process,
                    [one] => process.and(one.clone()),
                    _ => process.and(Expr::Or(descriptors)),
                };
                name(word).or(held)
            }
            None => name(word),
        };
        Ok(if equals { expr } else { expr.negated() })
    }

    fn address(&mut self, end: End) -> Parse<Expr> {
        let equals = self.equals()?;
        let (word, span) = self.operand("an address")?;
        let place = span.clone();
        let typed: Typed =
            word.parse().map_err(|why| FilterError::BadEndpoint { span, word: word.to_owned(), why })?;
        let expr = self.readings(end, word, &typed, &place);
        Ok(if equals { expr } else { expr.negated() })
    }

    /// Both meanings of a word such as netstat's `::1:80`, also an address; in ss's dialect the address alone.
    fn readings(&self, end: End, word: &str, typed: &Typed, place: &Range<usize>) -> Expr {
        let expr = endpoint(end, typed, place);
        match Typed::of_netstat(word) {
            Some(other) if matches!(other.port, TypedPort::Number(_)) && other != *typed => {
                match self.dialect {
                    Dialect::Own => expr.or(endpoint(end, &other, place)),
                    Dialect::Ss => expr,
                }
            }
            _ => expr,
        }
    }

    /// An endpoint without `src` or `dst` before it: it matches either end.
    fn bare_endpoint(&self, word: &str, span: Range<usize>) -> Parse<Expr> {
        let bad = |why| FilterError::BadEndpoint { span: span.clone(), word: word.to_owned(), why };
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            return port(word).map(|port| port_term(End::Either, Compare::Equal, &port, &span)).map_err(bad);
        }
        if !word.contains(['.', ':', '/', '*', '%']) {
            return Err(FilterError::UnknownWord { span, word: word.to_owned() });
        }
        match word.parse::<Typed>() {
            // A host name must follow a word such as `src`, or have a port after it. `sport:80` is a typing error.
            Ok(Typed { host: TypedHost::Name(name), port, .. })
                if port == TypedPort::Any || is_term(&name) =>
            {
                Err(bad(BadEndpoint::Addr(name)))
            }
            // A number such as 0.5 is no address.
            Ok(_) if word.parse::<f64>().is_ok() => Err(bad(BadEndpoint::Addr(word.to_owned()))),
            Ok(typed) => Ok(self.readings(End::Either, word, &typed, &span)),
            Err(why) => Err(bad(why)),
        }
    }

    fn ports(&mut self, end: End) -> Parse<Expr> {
        let compare = self.comparison();
        let (word, span) = self.operand("a port")?;
        let number = word.strip_prefix(':').unwrap_or(word);
        let place = span.clone();
        let typed =
            port(number).map_err(|why| FilterError::BadEndpoint { span, word: word.to_owned(), why })?;
        Ok(port_term(end, compare, &typed, &place))
    }

    /// An operator, or nothing, which is `=`.
    fn comparison(&mut self) -> Compare {
        let Some(TokenKind::Compare(compare)) = self.peek() else { return Compare::Equal };
        self.at += 1;
        *compare
    }

    fn number(
        &mut self,
        field: &'static Field,
        read: fn(&str) -> Option<u64>,
        what: &'static str,
    ) -> Parse<Expr> {
        let compare = self.comparison();
        let (word, span) = self.operand(what)?;
        let value = read(word).ok_or(FilterError::Expected { span, what })?;
        Ok(Expr::Term(Term::Number { field, compare, value }))
    }
}

/// Whether a word begins a term.
fn is_term(word: &str) -> bool {
    LANGUAGE.contains(&&*plain_word(word))
        || word.eq_ignore_ascii_case("excl")
        || fields::named(word).is_some()
}

/// `PID/NAME` or `PID/NAME[FD,FD]`.
fn printed_holder(word: &str) -> Option<(u64, &str, Vec<u64>)> {
    let (pid, name) = word.split_once('/')?;
    let pid = count(pid).filter(|_| !pid.is_empty())?;
    let bare = name.strip_suffix(']').and_then(|name| name.rsplit_once('['));
    let held = bare.and_then(|(name, descriptors)| {
        Some((name, descriptors.split(',').map(count).collect::<Option<Vec<_>>>()?))
    });
    let (name, descriptors) = held.unwrap_or((name, Vec::new()));
    Some((pid, name, descriptors))
}

/// `place` is kept with the names in the endpoint, for error messages.
fn endpoint(end: End, typed: &Typed, place: &Range<usize>) -> Expr {
    let number = match typed.port {
        TypedPort::Number(port) => Some(port),
        TypedPort::Any | TypedPort::Service(_) => None,
    };
    let at = |end: End| {
        let fits = Expr::Term(match &typed.host {
            TypedHost::Any => Term::Endpoint { end, matcher: EndpointMatch::new(None, number) },
            TypedHost::Net(net) => Term::Endpoint { end, matcher: EndpointMatch::new(Some(*net), number) },
            TypedHost::Name(name) => Term::Host { end, name: Name::new(name, place), port: number },
        });
        let all_v6 = Term::Endpoint { end, matcher: EndpointMatch::new(Some(Net::ALL_V6), None) };
        let fits = if typed.inet_only { fits.and(Expr::Term(all_v6).negated()) } else { fits };
        match &typed.device {
            Some(name) => fits.and(Expr::Term(device_term(Name::new(name, place)))),
            None => fits,
        }
    };
    let TypedPort::Service(_) = &typed.port else { return at(end) };
    // The address and the named port must be of the same end.
    let both = |end: End| Expr::And(vec![at(end), port_term(end, Compare::Equal, &typed.port, place)]);
    match end {
        End::Either => Expr::Or(vec![both(End::Local), both(End::Peer)]),
        one => both(one),
    }
}

/// `port != 80` means that neither end has it.
fn port_term(end: End, compare: Compare, port: &TypedPort, place: &Range<usize>) -> Expr {
    if (end, compare) == (End::Either, Compare::NotEqual) {
        return port_term(end, Compare::Equal, port, place).negated();
    }
    Expr::Term(match port {
        TypedPort::Any => Term::Endpoint { end, matcher: EndpointMatch::new(None, None) },
        TypedPort::Number(number) => Term::Port { end, compare, value: *number },
        TypedPort::Service(name) => Term::Service { end, compare, name: Name::new(name, place) },
    })
}
