
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
            cand --count-by 'Count by these fields, such as process,state'
            cand --sort 'Sort by these fields; -FIELD reverses'
            cand -c 'Print again every second, or every SEC'
            cand --continuous 'Print again every second, or every SEC'
            cand --limit 'Show at most N sockets, or counts'
            cand --filter-file 'Read the filter from a file, in which # begins a comment'
            cand --columns 'Choose the columns; `help` lists the fields'
            cand --diff 'Print what opened and closed within SECONDS'
            cand --sum 'With --count-by, add up the numbers of these fields'
            cand --resolve-timeout 'Wait for host names no longer than this'
            cand -f 'Choose table, plain, netstat, ss, json, ndjson or csv'
            cand --format 'Choose table, plain, netstat, ss, json, ndjson or csv'
            cand --color 'Colour the states: auto, always or never'
            cand --source 'Read from auto, netlink or procfs'
            cand --proc-root 'Read another proc tree, such as /host/proc'
            cand -a 'Show sockets in every state'
            cand --all 'Show sockets in every state'
            cand -l 'Show listening sockets only; -a overrides it'
            cand --listening 'Show listening sockets only; -a overrides it'
            cand -p 'Show each socket''s processes'
            cand --processes 'Show each socket''s processes'
            cand --program 'Show each socket''s processes'
            cand --names 'Show the names of services and users'
            cand -i 'Show tcp_info: round-trip time, retransmissions, …'
            cand --info 'Show tcp_info: round-trip time, retransmissions, …'
            cand -s 'Print the number of sockets in each state'
            cand --summary 'Print the number of sockets in each state'
            cand --json 'Print one JSON document'
            cand -4 'Show IPv4 sockets'
            cand --ipv4 'Show IPv4 sockets'
            cand -6 'Show IPv6 sockets'
            cand --ipv6 'Show IPv6 sockets'
            cand --explain-filter 'Say which part of the filter the kernel evaluates and which is left, and do nothing else'
            cand -t 'Show TCP sockets, as without it'
            cand --tcp 'Show TCP sockets, as without it'
            cand -e 'Show user, inode, cookie, cgroup and mark'
            cand --extended 'Show user, inode, cookie, cgroup and mark'
            cand -o 'Show each socket''s timer'
            cand --timers 'Show each socket''s timer'
            cand --peer-process 'Show the processes at a peer on this host'
            cand -n 'Show numbers in place of service and user names'
            cand --numeric 'Show numbers in place of service and user names'
            cand -r 'Show host names in place of addresses'
            cand --resolve 'Show host names in place of addresses'
            cand -m 'Show the memory of the socket''s buffers'
            cand --memory 'Show the memory of the socket''s buffers'
            cand -H 'Leave the heading out'
            cand --no-header 'Leave the heading out'
            cand --ndjson 'Print one JSON document a socket, a line each'
            cand -W 'Cut and wrap nothing'
            cand --wide 'Cut and wrap nothing'
            cand -O 'In the ss layout, keep each socket on one line'
            cand --oneline 'In the ss layout, keep each socket on one line'
            cand -h 'Print this short help; --help has all'
            cand --help 'Print this short help; --help has all'
            cand -V 'Print the version'
            cand --version 'Print the version'
            cand explain 'Explain a TCP state, or all, with this host''s sockets'
            cand demo 'Play a scene with real sockets and draw it, as textbooks do'
            cand bind 'Say why a port can''t be bound, and who owns it'
            cand diagnose 'Say what is wrong with this host''s TCP, and what to do'
            cand trace 'Show each change of state as it happens'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'tcpstates;explain'= {
            cand -f 'Choose the layout'
            cand --format 'Choose the layout'
            cand --color 'Colour the states: auto, always or never'
            cand --source 'Read from auto, netlink or procfs'
            cand -4 'Show IPv4 sockets'
            cand --ipv4 'Show IPv4 sockets'
            cand -6 'Show IPv6 sockets'
            cand --ipv6 'Show IPv6 sockets'
            cand --json 'Print one JSON document'
            cand -h 'Print this short help; --help has all'
            cand --help 'Print this short help; --help has all'
        }
        &'tcpstates;demo'= {
            cand --color 'Colour the states: auto, always or never'
            cand --step 'Show each step when Enter is pressed'
            cand -h 'Print this short help; --help has all'
            cand --help 'Print this short help; --help has all'
        }
        &'tcpstates;bind'= {
            cand -f 'Choose the layout'
            cand --format 'Choose the layout'
            cand --color 'Colour the states: auto, always or never'
            cand --source 'Read from auto, netlink or procfs'
            cand -4 'Show IPv4 sockets'
            cand --ipv4 'Show IPv4 sockets'
            cand -6 'Show IPv6 sockets'
            cand --ipv6 'Show IPv6 sockets'
            cand --json 'Print one JSON document'
            cand -h 'Print this short help; --help has all'
            cand --help 'Print this short help; --help has all'
        }
        &'tcpstates;diagnose'= {
            cand --interval 'Read everything twice, SECONDS apart, and judge counters by the difference'
            cand --fail-on 'End with status 1 if a finding is at least this severe'
            cand --close-wait-age 'Count a CLOSE_WAIT socket only after this long without incoming data'
            cand --close-wait-count 'Warn at N such sockets per process; 10 × N is critical'
            cand --queue-percent 'Warn of an accept queue that is this full'
            cand --syn-recv-count 'Warn of N half-open connections at a listener'
            cand --syn-retries 'Warn of SYNs that were sent again N times'
            cand --ports-percent 'Warn if this share of the local ports towards one destination is taken'
            cand --limit-percent 'Warn if this share of a limit is used: TIME_WAIT, orphans, memory, a process''s descriptors'
            cand --stall-age 'Warn of data that a peer or a program has not read for this long'
            cand --retrans-percent 'Warn of a peer to which this share of the segments was sent again'
            cand --retrans-segments 'Judge retransmissions only from N segments on'
            cand -f 'Choose the layout'
            cand --format 'Choose the layout'
            cand --color 'Colour the states: auto, always or never'
            cand --source 'Read from auto, netlink or procfs'
            cand --json 'Print one JSON document'
            cand -h 'Print this short help; --help has all'
            cand --help 'Print this short help; --help has all'
        }
        &'tcpstates;trace'= {
            cand --state 'Show transitions into STATE only, in any spelling'
            cand --duration 'End after SECONDS'
            cand --count 'End after N lines, or with --summary, N transitions'
            cand --by 'Choose how transitions are found: by the kernel''s tracepoints, or by comparing snapshots, which need no privilege and miss shorter states; the default is tracepoints, or snapshots if those are unavailable'
            cand --poll 'Take a snapshot every MS milliseconds'
            cand --max-sockets 'Remember at most N sockets'
            cand -f 'Choose the layout'
            cand --format 'Choose the layout'
            cand --color 'Colour the states: auto, always or never'
            cand --connections 'Print one line for each connection when it ends'
            cand --summary 'Print at the end how many transitions there were and how long sockets were in each state; as text, nothing else'
            cand --ndjson 'Print one JSON document a line'
            cand -4 'Show IPv4 sockets'
            cand --ipv4 'Show IPv4 sockets'
            cand -6 'Show IPv6 sockets'
            cand --ipv6 'Show IPv6 sockets'
            cand -H 'Leave the heading out'
            cand --no-header 'Leave the heading out'
            cand -h 'Print this short help; --help has all'
            cand --help 'Print this short help; --help has all'
        }
        &'tcpstates;help'= {
            cand explain 'Explain a TCP state, or all, with this host''s sockets'
            cand demo 'Play a scene with real sockets and draw it, as textbooks do'
            cand bind 'Say why a port can''t be bound, and who owns it'
            cand diagnose 'Say what is wrong with this host''s TCP, and what to do'
            cand trace 'Show each change of state as it happens'
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
