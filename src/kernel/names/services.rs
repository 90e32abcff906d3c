//! Service names by port, from /etc/services.

use rustc_hash::FxHashMap;

/// The TCP services of a services(5) file.
#[derive(Debug, Default)]
pub(crate) struct Services {
    names: FxHashMap<u16, String>,
    ports: FxHashMap<String, u16>,
}

impl Services {
    /// This host's services; empty if it has no such file.
    pub(crate) fn of_host() -> Self {
        std::fs::read("/etc/services").map_or_else(|_| Self::default(), |text| Self::parse(&text))
    }

    /// The official name of the port, if it has one.
    pub(crate) fn name(&self, port: u16) -> Option<&str> {
        self.names.get(&port).map(String::as_str)
    }

    /// The port of a service, by its official name or an alias.
    pub(crate) fn port(&self, name: &str) -> Option<u16> {
        self.ports.get(name).copied()
    }

    fn parse(text: &[u8]) -> Self {
        let mut services = Self::default();
        for line in String::from_utf8_lossy(text).lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let (Some(name), Some(port)) = (words.next(), words.next()) else { continue };
            let Some(port) = port.strip_suffix("/tcp").and_then(|port| port.parse().ok()) else { continue };
            // Like getservbyport: the first line for a port counts.
            services.names.entry(port).or_insert_with(|| name.to_owned());
            for name in std::iter::once(name).chain(words) {
                services.ports.entry(name.to_owned()).or_insert(port);
            }
        }
        services
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_tcp_line_of_a_port_counts() {
        let text = b"# comment\nhttp 80/tcp www # web\nhttp2 80/tcp\ndomain 53/udp\nbad\nworse x/tcp\n";
        let services = Services::parse(text);
        assert_eq!(services.name(80), Some("http"));
        assert_eq!(services.name(53), None);
        assert_eq!(
            (services.port("www"), services.port("http2"), services.port("domain")),
            (Some(80), Some(80), None)
        );
    }
}
