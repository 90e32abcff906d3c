//! The texts about each state that apply to any host. Durations, which depend on the host's settings, are in `lasts`.

use super::StateText;
use crate::model::TcpState;

pub(super) const TEXTS: [StateText; 11] = [
    StateText {
        state: TcpState::Listen,
        short: "A server's socket that waits for connections.",
        who: "a server",
        waits_for: "connections",
        story: "The program has called bind() and listen(). Nothing was sent. Each SYN that arrives creates a record \
                of its own (SYN_RECV), and each completed handshake a socket of its own (ESTABLISHED), which waits in \
                the listener's accept queue until the program takes it with accept(). The listener stays in LISTEN.",
        pile: "Many listeners mean nothing; a long accept queue does. Recv-Q is how many connections wait in it, \
               Send-Q how many it may hold. A full queue holds one more than that limit. From then on the kernel \
               drops new SYNs and the last ACKs of handshakes: clients see slow connects and timeouts.",
        advice: "If Recv-Q stays above 0, the program accepts too slowly: find out what delays it, then give it more \
                 threads. A longer queue (the backlog of listen(), at most net.core.somaxconn) only helps against \
                 bursts.",
        exactly: &[
            "The backlog limits connections that are established and not yet accepted, not all connections. Half-open \
             ones are counted separately, with the same limit: listen() with 5 leaves room for 6 half-open \
             connections (5 on older kernels), and for 6 that wait to be accepted.",
            "In the diagram a SYN moves the listener to SYN_RECV. On Linux the listener stays in LISTEN and the SYN \
             creates a new record.",
        ],
        command: "tcpstates -nlp",
    },
    StateText {
        state: TcpState::SynSent,
        short: "A client has sent its SYN and has no answer yet.",
        who: "a client",
        waits_for: "the server's SYN and ACK",
        story: "The opener: the program has called connect(), and a SYN was sent. The state ends with the peer's \
                SYN+ACK, which takes one round trip; with an RST ('Connection refused'); or when the SYN was sent \
                often enough without an answer ('Connection timed out').",
        pile: "SYNs go out and nothing comes back: a firewall drops them silently, the host is down, or the address \
               is wrong. A peer that refuses the connection answers with an RST at once, so that nothing stays in \
               this state.",
        advice: "See which peer addresses and ports have no answer. Check the routes and firewalls on the path, then \
                 whether the peer listens. Give programs a timeout of their own for connect().",
        exactly: &[
            "You seldom see it, because it lasts one round trip: the ones you see have no answer.",
            "On Linux any ICMP 'destination unreachable' ends it at once. RFC 9293 (3.9.2.2) allows that for codes 2 \
             to 4, and forbids it for codes 0, 1 and 5 (network, host and source route), whose causes may be \
             temporary.",
        ],
        command: "tcpstates -np state syn-sent",
    },
    StateText {
        state: TcpState::SynRecv,
        short: "A server has answered a SYN and waits for the client's ACK.",
        who: "a server that has answered a SYN",
        waits_for: "the client's ACK",
        story: "The listener's side of the handshake: a SYN was received, a SYN+ACK sent. No program knows of the \
                connection yet. The state ends with the client's ACK, which takes one round trip. In a simultaneous \
                open both ends come here from SYN_SENT.",
        pile: "SYNs arrive whose senders never answer. From many addresses this is a SYN flood with forged senders; \
               from few addresses, a client that does not receive the answers, or a route that is broken in one \
               direction. A full accept queue also keeps connections in this state.",
        advice: "Keep tcp_syncookies = 1: new clients still get in when the half-open queue is full. See who sends \
                 the SYNs with --count-by peer-net/24, and drop floods at the firewall.",
        exactly: &[
            "You seldom see it, because it lasts one round trip.",
            "Linux keeps it as a small record (kernel state 12, TCP_NEW_SYN_RECV) that belongs to no process, and \
             reports it as SYN_RECV (3). The kernel creates the socket when the handshake's last ACK comes; only then \
             does a trace show LISTEN -> SYN_RECV -> ESTABLISHED.",
            "For a connection that it answers with a SYN cookie the kernel keeps no record: from then on a flood adds \
             nothing to this state.",
        ],
        command: "tcpstates -n --count-by local-port,peer-net/24 state syn-recv",
    },
    StateText {
        state: TcpState::Established,
        short: "The connection is established: both ends can send data.",
        who: "both ends",
        waits_for: "nothing: both can send data",
        story: "The handshake is complete at this end: the opener has received SYN+ACK and sent its ACK, or the \
                listener's side has received that ACK. A connection that waits to be accepted belongs to no process \
                yet; -p shows the listener's process, in brackets.",
        pile: "Connections in use, or idle ones that nobody closes: a pool without a limit, or clients that vanished \
               behind a firewall that has forgotten the connection.",
        advice: "See which processes and peers have them with --count-by process,peer. If Recv-Q stays above 0, this \
                 host's program does not read. If Send-Q stays above 0, the peer does not read, or the network loses \
                 segments (-i shows retransmissions). Against dead peers use keepalive, or timeouts in the protocol.",
        exactly: &[
            "An idle connection sends nothing and lasts as long as both programs and hosts run. Keepalive is off \
             unless a program sets SO_KEEPALIVE; tcp_keepalive_time alone does not turn it on.",
        ],
        command: "tcpstates --count-by process,peer state established",
    },
    StateText {
        state: TcpState::FinWait1,
        short: "This end closed first; its FIN is not acknowledged yet.",
        who: "the end that closed first",
        waits_for: "the ACK of its FIN",
        story: "The active closer: the program has called close() or shutdown(), and a FIN is sent after all its \
                data. The ACK of that FIN leads to FIN_WAIT2. A FIN that comes before this ACK leads to CLOSING. Both \
                in one segment lead through FIN_WAIT2 to TIME_WAIT at once.",
        pile: "The peer does not acknowledge: it is gone, or it does not read, so that the data before the FIN cannot \
               be sent. Those without a process are orphans: the program has closed, and the kernel finishes the \
               close alone.",
        advice: "Send-Q shows how much is stuck before the FIN, -o how often it was sent again. Orphans end by \
                 themselves; net.ipv4.tcp_orphan_retries says when. Against peers that stop reading, set a timeout in \
                 the program.",
        exactly: &[
            "You seldom see it, because it lasts one round trip.",
            "RFC 9293 has a direct transition to TIME_WAIT, for a segment with both FIN and ACK. Linux handles the \
             ACK first and then the FIN: the state is FIN_WAIT2 in between.",
            "If the peer's window is closed, an orphan stays for minutes, not for ever: the kernel drops it even if \
             the peer answers every probe. A socket that a process still holds is probed without end.",
        ],
        command: "tcpstates -npo state fin-wait-1",
    },
    StateText {
        state: TcpState::FinWait2,
        short: "This end has closed and the peer has acknowledged that; the peer has not closed.",
        who: "the end that closed first, its FIN acknowledged",
        waits_for: "the peer's FIN",
        story: "The active closer: its FIN was acknowledged. The peer is in CLOSE_WAIT and may go on sending until \
                its program closes too; the peer's FIN then leads to TIME_WAIT.",
        pile: "Peers that do not close: on each peer the other end of the connection is in CLOSE_WAIT. If a process \
               still holds the socket here, it has shut down only its sending side and may wait for ever; without a \
               process the kernel waits a limited time.",
        advice: "The fault is in the peer's program; see which peers have most. A program that calls shutdown() \
                 should call close() when it needs no further answer.",
        exactly: &[
            "net.ipv4.tcp_fin_timeout applies to this state, and only to orphans in it; it does not change TIME_WAIT.",
            "For the last 60 seconds of that time Linux keeps an orphan as a small record of the time-wait kind, \
             which has no process and no inode.",
        ],
        command: "tcpstates -npo state fin-wait-2",
    },
    StateText {
        state: TcpState::CloseWait,
        short: "The peer has closed; this host's program has not.",
        who: "the end whose peer closed first",
        waits_for: "its own program, which must close",
        story: "The passive closer: a FIN was received and acknowledged. The program sees the end of the stream \
                (read() returns 0) and may still send. The state ends when the program calls close(), which sends our \
                FIN and leads to LAST_ACK.",
        pile: "A program on this host does not close its connections: a leak of descriptors, a pool that keeps \
               connections that the server has closed, threads that hang. The cause is never the network or the \
               kernel.",
        advice: "Find the program (-p) and fix it: it must close the socket when read() returns 0. Restarting the \
                 program clears them for now. No kernel setting helps: keepalive ends a connection whose peer is \
                 gone, but the program keeps the descriptor.",
        exactly: &[
            "CLOSE_WAIT has no timeout: while the peer answers, the connection waits for this host's program, even \
             for years.",
            "With SO_KEEPALIVE the connection ends when the peer no longer answers. Then no list shows it, but its \
             descriptor is still open: the leak goes on unseen (count the sockets in /proc/PID/fd).",
            "Recv-Q counts the peer's FIN as one byte: 1 means that nothing is left to read.",
        ],
        command: "tcpstates -np state close-wait",
    },
    StateText {
        state: TcpState::LastAck,
        short: "Both ends have closed; the last ACK has not come yet.",
        who: "the end whose peer closed first, now closed too",
        waits_for: "the ACK of its FIN",
        story: "The passive closer: the peer's FIN was received before; now this program has closed too and our FIN \
                was sent. The ACK of our FIN ends the connection; this end has no TIME_WAIT.",
        pile: "The peer vanished before it could acknowledge: a client that was switched off, or a firewall that has \
               forgotten the connection.",
        advice: "They end by themselves, when the FIN was sent again often enough (-o shows how often). If many have \
                 the same peer, check the path to it.",
        exactly: &["You seldom see it, because it lasts one round trip."],
        command: "tcpstates -no state last-ack",
    },
    StateText {
        state: TcpState::Closing,
        short: "Both ends closed at the same time; their FINs crossed.",
        who: "both ends, if they closed at the same time",
        waits_for: "the ACK of its FIN",
        story: "Both ends are active closers: our FIN was sent, and before its ACK came, the peer's FIN was received \
                and acknowledged. The ACK of our FIN leads to TIME_WAIT, at both ends.",
        pile: "Large numbers hardly ever occur: the two FINs must cross on the network. Connections that stay here \
               have a peer that no longer acknowledges anything.",
        advice: "They end by themselves, when the FIN was sent again often enough (-o shows how often).",
        exactly: &[
            "Only a simultaneous close leads here, and the state lasts one round trip at most: it is the rarest of \
             all.",
        ],
        command: "tcpstates -no state closing",
    },
    StateText {
        state: TcpState::TimeWait,
        short: "Both ends have closed; a record keeps delayed segments out of a new connection.",
        who: "the end that closed first, after both FINs",
        waits_for: "60 s, so delayed segments cannot reach a new connection",
        story: "The active closer: both FINs were sent and acknowledged. The kernel keeps a small record, so that the \
                last ACK can be sent again and no delayed segment reaches a new connection on the same ports.",
        pile: "Normal on a host that opens and closes many connections: each leaves a record of some 250 bytes for a \
               minute. It is a problem if a client runs out of local ports to one destination, or if a restarted \
               server cannot bind its port ('Address already in use').",
        advice: "Keep connections open (pools, HTTP keep-alive), or let the other end close first. In servers set \
                 SO_REUSEADDR before bind(). For clients set tcp_tw_reuse = 1, with timestamps, and widen \
                 ip_local_port_range.",
        exactly: &[
            "RFC 9293 asks for 2 MSL with an MSL of two minutes, which is 4 minutes. Linux keeps TIME_WAIT for 60 \
             seconds, fixed in the kernel (TCP_TIMEWAIT_LEN).",
            "net.ipv4.tcp_fin_timeout does not change it: that setting applies to FIN_WAIT2.",
            "Only the end that closed first has it; after a simultaneous close both ends have it.",
            "An RST ends it early unless net.ipv4.tcp_rfc1337 is 1.",
            "Linux 4.12 removed tcp_tw_recycle.",
        ],
        command: "tcpstates -no state time-wait",
    },
    StateText {
        state: TcpState::Close,
        short: "No connection: a socket bound to a port, not listening or connected.",
        who: "a socket bound to a port, not listening or connected",
        waits_for: "its program",
        story: "Every connection begins and ends here. The kernel does not list a socket that was only created, or \
                whose connection is closed. It does list a socket that was bound to a port, and this is what shows \
                here. Such a socket sends and receives nothing.",
        pile: "A program binds ports and does not use them: ports held in reserve, or failed connections from ports \
               that the program bound itself, whose sockets it did not close. Each keeps other programs from using \
               its port.",
        advice: "Find the program (-p). These sockets cause 'Address already in use' although netstat shows nothing.",
        exactly: &[
            "Kernel state 7 is TCP_CLOSE. Bound sockets are requested by a number of their own, 13 \
             (TCP_BOUND_INACTIVE, Linux 6.8 and later); /proc and older kernels do not show them.",
            "A port that connect() chose is free again as soon as connect() fails, even if the program has not closed \
             the socket: only a port that the program bound itself stays taken.",
        ],
        command: "tcpstates -np state closed",
    },
];
