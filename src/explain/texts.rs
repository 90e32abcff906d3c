//! The texts about each state that apply to any host. Durations, which depend on the host's settings, are in `lasts`.

use super::StateText;
use crate::model::TcpState;

pub(super) const TEXTS: [StateText; 11] = [
    StateText {
        state: TcpState::Listen,
        short: "A server's socket that waits for connections.",
        who: "a server",
        waits_for: "connections",
        story: "The program has called bind() and listen(). Nothing was sent. Each SYN that comes makes a record of its \
                own (SYN_RECV) and each finished handshake a socket of its own (ESTABLISHED), which waits in the \
                listener's accept queue until the program takes it with accept(); the listener stays in LISTEN.",
        pile: "There are never many listeners; the accept queue is what grows. Recv-Q is how many connections wait in it and \
               Send-Q how many may. A full queue reads one more than its limit, and from then on the kernel drops new \
               SYNs and the last ACKs of handshakes: clients see slow connects, and time-outs.",
        advice: "If Recv-Q stays above 0, the program accepts too slowly: find what delays it, then give it more \
                 threads. A longer queue (the backlog of listen(), at most net.core.somaxconn) only helps against bursts.",
        exactly: &[
            "The backlog limits connections that are established and not accepted, not connections in all. Half-open \
             ones are counted apart, up to the same number: listen() with 5 leaves room for 6 (on older kernels 5) of them, and for 6 of the others.",
            "A SYN does not move the listener to SYN_RECV, as the diagram has it: on Linux it makes a new record beside it.",
        ],
        command: "tcpstates -nlp",
    },
    StateText {
        state: TcpState::SynSent,
        short: "A client has sent its SYN and has no answer yet.",
        who: "a client",
        waits_for: "the server's SYN and ACK",
        story: "The opener: the program has called connect(), and a SYN was sent. It leaves with the peer's SYN+ACK, \
                which takes one round trip; with a RST, which is 'Connection refused'; or when it has sent its SYN often \
                enough in vain, which is 'Connection timed out'.",
        pile: "SYNs go out and nothing comes back: a firewall drops them silently, the host is down, or the \
               address is wrong. A service that refuses answers with a RST at once and leaves nothing here.",
        advice: "See where they go: the peer's address and port say what is cut off. Check routes and firewalls on the \
                 path, then whether the peer listens. Let programs set a time-out of their own for connect().",
        exactly: &[
            "It is rare to see because it lasts one round trip; what is seen is what is not answered.",
            "On Linux any ICMP 'destination unreachable' ends it at once. RFC 9293 (3.9.2.2) allows that for codes 2 to 4, \
             and forbids it for 0, 1 and 5 (network, host and source route): these may pass.",
        ],
        command: "tcpstates -np state syn-sent",
    },
    StateText {
        state: TcpState::SynRecv,
        short: "A server has answered a SYN and waits for the client's ACK.",
        who: "a server that has answered a SYN",
        waits_for: "the client's ACK",
        story: "The listener's side of the handshake: a SYN was received, a SYN+ACK sent. No program knows of it yet. It \
                leaves with the client's ACK, which takes one round trip. In a simultaneous open both ends come here \
                from SYN_SENT.",
        pile: "SYNs come whose senders never answer. From many addresses that is a SYN flood with forged senders; from \
               few, a client whose answers get lost, or a route that is broken one way. It also piles up behind a full \
               accept queue.",
        advice: "Keep tcp_syncookies=1: new clients still get in when the half-open queue is full. See who sends \
                 them with --count-by peer-net/24, and drop floods at the firewall.",
        exactly: &[
            "It is rare to see because it lasts one round trip.",
            "Linux keeps it as a small record (kernel state 12, TCP_NEW_SYN_RECV) that belongs to no process, and \
             reports it as SYN_RECV (3). The socket is made when the handshake's last ACK comes, so a trace shows \
             LISTEN -> SYN_RECV -> ESTABLISHED only then.",
            "Once SYN cookies are sent, nothing is kept of the connections that they stand for: a flood shows no further here.",
        ],
        command: "tcpstates -n --count-by local-port,peer-net/24 state syn-recv",
    },
    StateText {
        state: TcpState::Established,
        short: "The connection is established: data may pass both ways.",
        who: "both ends",
        waits_for: "nothing: data may pass",
        story: "The handshake is complete at this end: the opener has received SYN+ACK and sent its ACK, the listener's \
                side has received that ACK. One that waits to be accepted is no process's yet; -p shows its listener's, in brackets.",
        pile: "Connections in use, or idle ones that nobody closes: a pool without a limit, clients that went away \
               without a word behind a firewall that forgot them.",
        advice: "See whose they are with --count-by process,peer. Recv-Q that stays above 0: this host's program does \
                 not read. Send-Q that stays above 0: the peer does not read, or the network loses segments (-i shows \
                 retransmissions). Against dead peers use keepalive, or time-outs in the protocol.",
        exactly: &[
            "An idle connection sends nothing and lasts as long as both programs and hosts do. Keepalive is off unless a \
             program sets SO_KEEPALIVE; tcp_keepalive_time alone changes nothing.",
        ],
        command: "tcpstates --count-by process,peer state established",
    },
    StateText {
        state: TcpState::FinWait1,
        short: "This end closed first; its FIN is not acknowledged yet.",
        who: "the end that closed first",
        waits_for: "the ACK of its FIN",
        story: "The active closer: the program has called close() or shutdown(), and a FIN goes out behind all its data. \
                The ACK of that FIN leads to FIN_WAIT2; a FIN that comes before, to CLOSING; both in one segment, through \
                FIN_WAIT2 to TIME_WAIT at once.",
        pile: "The peer does not acknowledge: it is gone, or it reads nothing, so that the data before the FIN can't be \
               sent. Those without a process are orphans: the program has closed and the kernel goes on alone.",
        advice: "Send-Q shows what is stuck before the FIN, -o how often it was sent again. Orphans end by themselves; \
                 net.ipv4.tcp_orphan_retries says when. Peers that stop reading need a time-out in the program.",
        exactly: &[
            "It is rare to see because it lasts one round trip.",
            "RFC 9293 has a transition straight to TIME_WAIT, for a segment with both FIN and ACK. Linux takes the ACK first and \
             the FIN behind it: the state is FIN_WAIT2 in between.",
            "The peer's closed window keeps an orphan for minutes, not for ever: it is given up though the peer \
             answers every probe. A socket that a process still holds is probed without end.",
        ],
        command: "tcpstates -npo state fin-wait-1",
    },
    StateText {
        state: TcpState::FinWait2,
        short: "This end has closed and the peer knows; the peer has not closed.",
        who: "the end that closed first, acknowledged",
        waits_for: "the peer's FIN",
        story: "The active closer: its FIN was acknowledged. The peer is in CLOSE_WAIT and may go on sending, until its \
                program closes too; its FIN then leads to TIME_WAIT.",
        pile: "Peers that do not close: each has its other end in CLOSE_WAIT over there. With a process, that program \
               has shut down only its sending side and may wait for ever; without one the kernel waits a limited time.",
        advice: "The fault is with the peer's program; the peers that have most say which. A program that uses \
                 shutdown() should close() when it needs no more answer.",
        exactly: &[
            "net.ipv4.tcp_fin_timeout is about this state, and only about orphans in it; it does not change TIME_WAIT.",
            "Linux keeps an orphan as a small record of the time-wait kind for the last 60 seconds of that time: it has no \
             process and no inode.",
        ],
        command: "tcpstates -npo state fin-wait-2",
    },
    StateText {
        state: TcpState::CloseWait,
        short: "The peer has closed; this host's own program has not.",
        who: "the end whose peer closed first",
        waits_for: "its own program, which must close",
        story: "The passive closer: a FIN was received and acknowledged. The program sees the end of the stream (read() \
                gives 0) and may still send. It leaves when the program calls close(), which sends our FIN, to LAST_ACK.",
        pile: "A program of this host does not close its connections: a leak of descriptors, a pool that keeps what the \
               server has ended, threads that hang. It is never the network's fault, nor the kernel's.",
        advice: "Find the program (-p) and fix it: call close() when read() returns 0. Restarting it clears them meanwhile. No \
                 setting helps: keepalive ends a connection whose peer is gone, but the program keeps the descriptor.",
        exactly: &[
            "CLOSE_WAIT has no time-out of its own: while the peer answers it waits for this host's program without limit.",
            "With SO_KEEPALIVE it ends when the peer no longer answers. The connection is gone from all lists then, but its \
             descriptor is still open: the leak goes on unseen (count the sockets in /proc/PID/fd).",
            "Recv-Q counts the peer's FIN as one byte: 1 means that nothing is left to read.",
        ],
        command: "tcpstates -np state close-wait",
    },
    StateText {
        state: TcpState::LastAck,
        short: "Both ends have closed; the last ACK is awaited.",
        who: "the end whose peer closed first, closed now",
        waits_for: "the ACK of its FIN",
        story: "The passive closer: the peer's FIN was received long ago, now this program has closed too and our FIN was \
                sent. Its acknowledgement ends the connection; this end has no TIME_WAIT.",
        pile: "The peer is gone before it could acknowledge: a client that was switched off, a firewall that has \
               forgotten the connection.",
        advice: "They end by themselves, when the FIN was sent again often enough (-o). Many to one peer: check the \
                 path to it.",
        exactly: &["It is rare to see because it lasts one round trip."],
        command: "tcpstates -no state last-ack",
    },
    StateText {
        state: TcpState::Closing,
        short: "Both ends closed at once; each FIN crossed the other.",
        who: "an end of two that closed at once",
        waits_for: "the ACK of its FIN",
        story: "Both ends are active closers: our FIN was sent, and before its ACK came the peer's FIN, which was \
                acknowledged. The ACK of ours leads to TIME_WAIT, at both ends.",
        pile: "Hardly ever: the two FINs must cross on the way. Those that stay have a peer that acknowledges nothing \
               any more.",
        advice: "They end by themselves, when the FIN was sent again often enough (-o).",
        exactly: &[
            "It comes from a simultaneous close alone, and lasts one round trip at most: the rarest of all.",
        ],
        command: "tcpstates -no state closing",
    },
    StateText {
        state: TcpState::TimeWait,
        short: "Both ends have closed; a record keeps late segments from a new connection.",
        who: "the end that closed first, at the end",
        waits_for: "60 s, so delayed segments cannot reach a new connection",
        story: "The active closer: both FINs were sent and acknowledged. The kernel keeps a small record, so that the \
                last ACK can be sent again and no segment that was delayed gets into a new connection on the same ports.",
        pile: "Usual on a host that opens and closes many connections: each takes its record, some 250 bytes, for a \
               minute. It hurts where a client runs out of local ports to one destination, or where a server that was \
               restarted can't bind its port ('Address already in use').",
        advice: "Keep connections open (pools, HTTP keep-alive), or let the other end close first. Servers set \
                 SO_REUSEADDR before bind(). For clients tcp_tw_reuse = 1 with timestamps, and a wider \
                 ip_local_port_range.",
        exactly: &[
            "RFC 9293 asks for 2 MSL with an MSL of two minutes, which is 4 minutes. Linux keeps TIME_WAIT for 60 \
             seconds, fixed in the kernel (TCP_TIMEWAIT_LEN).",
            "net.ipv4.tcp_fin_timeout does not change it: that is about FIN_WAIT2.",
            "One end has it, the one that closed first; after a simultaneous close both have.",
            "An RST ends it early unless net.ipv4.tcp_rfc1337 is 1.",
            "tcp_tw_recycle is gone since Linux 4.12.",
        ],
        command: "tcpstates -no state time-wait",
    },
    StateText {
        state: TcpState::Close,
        short: "No connection: a socket that is bound, and neither listens nor is connected.",
        who: "bound to a port, not listening or connected",
        waits_for: "its program",
        story: "Where every connection begins and ends. A socket that was only made, or whose connection is over, is in \
                no table of the kernel's; one that has been bound to a port is, and is what shows here. It sends and \
                receives nothing.",
        pile: "A program binds ports and goes no further: ports held in reserve, or connections from ports that the program \
               bound itself, which failed and were not closed. Each keeps its port from others.",
        advice: "Find the program (-p). Such sockets cause 'Address already in use' although netstat shows nothing.",
        exactly: &[
            "Kernel state 7 is TCP_CLOSE. Bound sockets are asked for by a number of their own, 13 \
             (TCP_BOUND_INACTIVE, Linux 6.8 and later); /proc and older kernels do not show them.",
            "A port that connect() chose is free again as soon as that fails, though the program has not closed the \
             socket: only a port that the program bound itself stays taken.",
        ],
        command: "tcpstates -np state closed",
    },
];
