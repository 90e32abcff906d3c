
use builtin;
use str;

set edit:completion:arg-completer[tcpstates] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'tcpstates'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'tcpstates'= {
            cand --count-by 'Print how many sockets there are by FIELD, the most first, such as state, process, user or local-port; of networks, by peer-net/LEN or local-net/LEN'
            cand --sum 'With --count-by, add up the numbers of these fields'
            cand --diff 'Print what opened, closed and changed its state within SECONDS, by the keys of --count-by (state)'
            cand --filter-file 'Read the filter from a file, in which # begins a comment'
            cand --columns 'Choose the columns of the table, the plain list and CSV, in their order, and the keys of JSON, whatever other options would add; `help` lists the fields'
            cand --resolve-timeout 'Wait for host names no longer than this'
            cand --sort 'Sort by any field, such as state, local, recv-q, rtt or pid; -FIELD reverses'
            cand --limit 'Show at most N sockets, or with --count-by, N counts'
            cand -c 'Print anew every SECONDS (1 unless given), until interrupted'
            cand --continuous 'Print anew every SECONDS (1 unless given), until interrupted'
            cand -f 'Choose the layout'
            cand --format 'Choose the layout'
            cand --color 'Colour the states'
            cand --source 'Choose where the sockets are read: netlink, /proc, or /proc if netlink is unavailable'
            cand --proc-root 'Read another proc tree, such as /host/proc'
            cand -a 'Show sockets in every state'
            cand --all 'Show sockets in every state'
            cand -l 'Show listening sockets only; -a overrides it'
            cand --listening 'Show listening sockets only; -a overrides it'
            cand -t 'Show TCP sockets, as without it'
            cand --tcp 'Show TCP sockets, as without it'
            cand -o 'Show each socket''s timer'
            cand --timers 'Show each socket''s timer'
            cand -e 'Show user, inode and cookie, and the cgroup and mark where the kernel reports them'
            cand --extended 'Show user, inode and cookie, and the cgroup and mark where the kernel reports them'
            cand -i 'Show the connection''s numbers: round-trip time, window, retransmissions and the rest of tcp_info'
            cand --info 'Show the connection''s numbers: round-trip time, window, retransmissions and the rest of tcp_info'
            cand -m 'Show the memory of the socket''s buffers'
            cand --memory 'Show the memory of the socket''s buffers'
            cand -s 'Print how many sockets are in each state; -a and -l do not matter'
            cand --summary 'Print how many sockets are in each state; -a and -l do not matter'
            cand --ndjson 'Print one JSON document a socket, a line each'
            cand -W 'Cut and wrap nothing'
            cand --wide 'Cut and wrap nothing'
            cand --explain-filter 'Say which part of the filter the kernel evaluates and which is left, and do nothing else'
            cand --peer-process 'Show the processes at the other end, where that is on this host'
            cand -r 'Show host names in place of addresses'
            cand --resolve 'Show host names in place of addresses'
            cand -O 'In the ss layout, keep each socket on one line'
            cand --oneline 'In the ss layout, keep each socket on one line'
            cand -4 'Show IPv4 sockets'
            cand --ipv4 'Show IPv4 sockets'
            cand -6 'Show IPv6 sockets'
            cand --ipv6 'Show IPv6 sockets'
            cand -n 'Show numbers in place of service and user names, as the table and the plain list do without it'
            cand --numeric 'Show numbers in place of service and user names, as the table and the plain list do without it'
            cand --names 'Show service and user names in the table and the plain list'
            cand -p 'Show the processes that hold each socket: pid, program and descriptor; twice, user and command line too'
            cand --processes 'Show the processes that hold each socket: pid, program and descriptor; twice, user and command line too'
            cand --program 'Show the processes that hold each socket: pid, program and descriptor; twice, user and command line too'
            cand --json 'Print one JSON document'
            cand -H 'Leave the heading out'
            cand --no-header 'Leave the heading out'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand explain 'Explain the TCP states, or one of them, with what this host has of it'
            cand demo 'Play a scene of TCP''s life with real sockets, and draw it as textbooks do'
            cand bind 'Say why a port can''t be bound, and who holds it'
            cand diagnose 'Say what is wrong with this host''s TCP: what was seen, why it matters, what to do'
            cand trace 'Show every transition from state to state as it happens'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'tcpstates;explain'= {
            cand -f 'Choose the layout'
            cand --format 'Choose the layout'
            cand --color 'Colour the states'
            cand --source 'Choose where the sockets are read: netlink, /proc, or /proc if netlink is unavailable'
            cand -4 'Show IPv4 sockets'
            cand --ipv4 'Show IPv4 sockets'
            cand -6 'Show IPv6 sockets'
            cand --ipv6 'Show IPv6 sockets'
            cand --json 'Print one JSON document'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'tcpstates;demo'= {
            cand --color 'Colour the states'
            cand --step 'Show each step when Enter is pressed'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'tcpstates;bind'= {
            cand -f 'Choose the layout'
            cand --format 'Choose the layout'
            cand --color 'Colour the states'
            cand --source 'Choose where the sockets are read: netlink, /proc, or /proc if netlink is unavailable'
            cand -4 'Show IPv4 sockets'
            cand --ipv4 'Show IPv4 sockets'
            cand -6 'Show IPv6 sockets'
            cand --ipv6 'Show IPv6 sockets'
            cand --json 'Print one JSON document'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'tcpstates;diagnose'= {
            cand --interval 'Look twice, this long apart, and judge counters by what they counted meanwhile'
            cand --fail-on 'End with status 1 where something is found that is as bad as this, or worse'
            cand --close-wait-age 'A program holds a socket in CLOSE_WAIT when nothing has come for this long'
            cand --close-wait-count 'So many of them in one process are a warning, ten times as many critical'
            cand --queue-percent 'Warn of an accept queue that is filled to this part of it'
            cand --syn-recv-count 'Warn of so many half-open connections at a listener'
            cand --syn-retries 'Warn of SYNs that were sent again so often'
            cand --ports-percent 'Warn where this part of the local ports towards one destination is taken'
            cand --limit-percent 'Warn where this part of a limit is used: of TIME_WAIT, orphans, memory, a process''s descriptors'
            cand --stall-age 'Warn of data that has been waiting this long for a peer or a program to read'
            cand --retrans-percent 'Warn of a peer to which this part of the segments had to be sent again'
            cand --retrans-segments 'Judge that by no fewer segments'
            cand -f 'Choose the layout'
            cand --format 'Choose the layout'
            cand --color 'Colour the states'
            cand --source 'Choose where the sockets are read: netlink, /proc, or /proc if netlink is unavailable'
            cand --json 'Print one JSON document'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'tcpstates;trace'= {
            cand --state 'Show transitions into STATE only, in any spelling'
            cand --duration 'End after so long'
            cand --count 'End after N lines, or with --summary, N transitions'
            cand --by 'Choose where transitions are seen: at the kernel''s tracepoints, or by snapshots that are compared, which need no privilege and miss what lasts less; else the first, and the second where that can''t be had'
            cand --poll 'Take a snapshot every MS milliseconds'
            cand --max-sockets 'Remember at most N sockets'
            cand -f 'Choose the layout'
            cand --format 'Choose the layout'
            cand --color 'Colour the states'
            cand --connections 'Print one line for each connection when it ends'
            cand --summary 'Print no transitions, but at the end how many there were and how long sockets were in each state'
            cand --ndjson 'Print one JSON document a line'
            cand -4 'Show IPv4 sockets'
            cand --ipv4 'Show IPv4 sockets'
            cand -6 'Show IPv6 sockets'
            cand --ipv6 'Show IPv6 sockets'
            cand -H 'Leave the heading out'
            cand --no-header 'Leave the heading out'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'tcpstates;help'= {
            cand explain 'Explain the TCP states, or one of them, with what this host has of it'
            cand demo 'Play a scene of TCP''s life with real sockets, and draw it as textbooks do'
            cand bind 'Say why a port can''t be bound, and who holds it'
            cand diagnose 'Say what is wrong with this host''s TCP: what was seen, why it matters, what to do'
            cand trace 'Show every transition from state to state as it happens'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'tcpstates;help;explain'= {
        }
        &'tcpstates;help;demo'= {
        }
        &'tcpstates;help;bind'= {
        }
        &'tcpstates;help;diagnose'= {
        }
        &'tcpstates;help;trace'= {
        }
        &'tcpstates;help;help'= {
        }
    ]
    $completions[$command]
}
