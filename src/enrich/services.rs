//! Service names by port, from /etc/services.

use rustc_hash::FxHashMap;

/// The TCP services of a services(5) file.
#[derive(Debug, Default)]
pub struct Services {
    names: FxHashMap<u16, String>,
}

impl Services {
    /// This host's services; none where it has no such file.
    pub fn of_host() -> Self {
        std::fs::read("/etc/services").map_or_else(|_| Self::default(), |text| Self::parse(&text))
    }

    /// The official name of the port, if it has one.
    pub fn name(&self, port: u16) -> Option<&str> {
        self.names.get(&port).map(String::as_str)
    }

    fn parse(text: &[u8]) -> Self {
        let mut names = FxHashMap::default();
        for line in String::from_utf8_lossy(text).lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let (Some(name), Some(port)) = (words.next(), words.next()) else { continue };
            let Some(port) = port.strip_suffix("/tcp").and_then(|port| port.parse().ok()) else { continue };
            // As getservbyport: the first line for a port counts.
            names.entry(port).or_insert_with(|| name.to_owned());
        }
        Self { names }
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
    }
}
