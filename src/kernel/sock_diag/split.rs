//! Where to split a dump into two parallel walks.

use crate::kernel::host;
use crate::model::{Families, Order, Query};
use crate::model::{StateSet, TcpState};

/// A port that splits the connections so that both walks take about the same time: nearly every connection has, at one
/// end, a port that a kernel chose. `None` if one walk is enough.
pub fn middle_port(query: &Query) -> Option<u16> {
    let is_worth = can_be_parted(query) && host::is_large();
    if is_worth { middle(host::local_ports()?) } else { None }
}

/// Whether two walks can share the query. Families that are listed one after the other are split already. A filter of
/// the query takes the place of the halves' filters, and listeners alone are few.
fn can_be_parted(query: &Query) -> bool {
    let by_family = query.order == Order::Ipv4First;
    query.families == Families::Both
        && (by_family || query.kernel_filter.is_none())
        && !(query.states - StateSet::of(TcpState::Listen)).is_empty()
}

/// Three eighths of the range: the walk of the lower ports also reads the table of bound sockets.
fn middle((first, last): (u16, u16)) -> Option<u16> {
    Some(first + last.checked_sub(first)? / 8 * 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Family;
    use crate::model::KernelFilter;

    #[test]
    fn the_middle_of_the_ports() {
        assert_eq!(middle((32768, 60999)), Some(43352));
        assert_eq!(middle((1024, 65535)), Some(25213));
        assert_eq!(middle((9, 8)), None);
    }

    #[test]
    fn what_is_worth_two_walks() {
        let whole = Query::new(Families::Both, StateSet::ALL);
        let kernel_filter =
            Some(KernelFilter { bytecode: vec![0; 4], says: String::new(), kernel_only: None });
        let filtered = Query { kernel_filter, ..whole.clone() };
        assert!(can_be_parted(&whole));
        assert!(can_be_parted(&Query { order: Order::Ipv4First, ..filtered.clone() }));
        assert!(!can_be_parted(&filtered));
        assert!(!can_be_parted(&Query::new(Families::Only(Family::Inet), StateSet::ALL)));
        assert!(!can_be_parted(&Query::new(Families::Both, StateSet::of(TcpState::Listen))));
    }
}
