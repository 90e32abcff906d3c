# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_tcpstates_global_optspecs
    string join \n a/all l/listening t/tcp o/timers e/extended i/info m/memory s/summary count-by= diff= ndjson W/wide filter-file= explain-filter peer-process columns= r/resolve resolve-timeout= O/oneline sort= limit= c/continuous= 4/ipv4 6/ipv6 n/numeric p/processes f/format= json H/no-header color= source= proc-root= h/help V/version
end

function __fish_tcpstates_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_tcpstates_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_tcpstates_using_subcommand
    set -l cmd (__fish_tcpstates_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c tcpstates -n "__fish_tcpstates_needs_command" -l count-by -d 'Print how many sockets there are by KEY, the most first: state, process, pid, user, local, local-port, peer, peer-port, peer-net/LEN, iface, unit, container, pod-uid or timer' -r
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l diff -d 'Print what opened, closed and changed its state within SECONDS, by the keys of --count-by (state)' -r
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l filter-file -d 'Read the filter from a file, in which # begins a comment' -r -F
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l columns -d 'Choose and order the columns of the table, the plain list and CSV, whatever other options would add; `help` lists them' -r
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l resolve-timeout -d 'Wait for host names no longer than this' -r
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l sort -d 'Sort by state, local, peer, recv-q, send-q, accept-queue, backlog or pid; -KEY reverses' -r
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l limit -d 'Show at most N sockets, or with --count-by, N counts' -r
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s c -l continuous -d 'Print anew every SECONDS (1 unless given), until interrupted' -r
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s f -l format -d 'Choose the layout' -r -f -a "table\t''
plain\t''
netstat\t''
ss\t''
json\t''
ndjson\t''
csv\t''"
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l color -d 'Colour the states' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l source -d 'Choose where the sockets are read: from netlink, from /proc, or from /proc where netlink can\'t be had' -r -f -a "auto\t'netlink, else /proc'
netlink\t'netlink only'
procfs\t'/proc only'"
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l proc-root -d 'Read another proc tree, such as /host/proc' -r -F
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s a -l all -d 'Show sockets in every state'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s l -l listening -d 'Show listening sockets only; -a beats it'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s t -l tcp -d 'Show TCP: what it does anyway'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s o -l timers -d 'Show each socket\'s timer'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s e -l extended -d 'Show user, inode and cookie, and the cgroup and mark where the kernel tells them'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s i -l info -d 'Show the connection\'s numbers: round-trip time, window, retransmissions and the rest of tcp_info'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s m -l memory -d 'Show the memory of the socket\'s buffers'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s s -l summary -d 'Print how many sockets are in each state, whatever -a and -l say'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l ndjson -d 'Print one JSON document a socket, a line each'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s W -l wide -d 'Cut and wrap nothing'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l explain-filter -d 'Say which part of the filter the kernel evaluates and which is left, and do nothing else'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l peer-process -d 'Show the processes at the other end, where that is on this host'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s r -l resolve -d 'Show host names in place of addresses'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s O -l oneline -d 'In the ss layout, keep each socket on one line'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s 4 -l ipv4 -d 'Show IPv4 sockets'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s 6 -l ipv6 -d 'Show IPv6 sockets'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s n -l numeric -d 'Show numbers in place of service and user names'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s p -l processes -l program -d 'Show the processes that hold each socket: pid, program and descriptor; twice, user and command line too'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l json -d 'Print one JSON document'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s H -l no-header -d 'Leave the heading out'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s V -l version -d 'Print version'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -a "explain" -d 'Explain the TCP states, or one of them, with what this host has of it'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -a "demo" -d 'Play a scene of TCP\'s life with real sockets, and draw it as textbooks do'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -a "bind" -d 'Say why a port can\'t be bound, and who holds it'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -a "diagnose" -d 'Say what is wrong with this host\'s TCP: what was seen, why it matters, what to do'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -a "trace" -d 'Show every transition from state to state as it happens'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand explain" -s f -l format -d 'Choose the layout' -r -f -a "plain\t''
json\t''"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand explain" -l color -d 'Colour the states' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand explain" -l source -d 'Choose where the sockets are read: from netlink, from /proc, or from /proc where netlink can\'t be had' -r -f -a "auto\t'netlink, else /proc'
netlink\t'netlink only'
procfs\t'/proc only'"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand explain" -s 4 -l ipv4 -d 'Show IPv4 sockets'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand explain" -s 6 -l ipv6 -d 'Show IPv6 sockets'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand explain" -l json -d 'Print one JSON document'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand demo" -l color -d 'Colour the states' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand demo" -l step -d 'Show each step when Enter is pressed'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand bind" -s f -l format -d 'Choose the layout' -r -f -a "plain\t''
json\t''"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand bind" -l color -d 'Colour the states' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand bind" -l source -d 'Choose where the sockets are read: from netlink, from /proc, or from /proc where netlink can\'t be had' -r -f -a "auto\t'netlink, else /proc'
netlink\t'netlink only'
procfs\t'/proc only'"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand bind" -s 4 -l ipv4 -d 'Show IPv4 sockets'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand bind" -s 6 -l ipv6 -d 'Show IPv6 sockets'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand bind" -l json -d 'Print one JSON document'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand bind" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -l interval -d 'Look twice, this long apart, and judge counters by what they counted meanwhile' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -l fail-on -d 'End with status 1 where something is found that is as bad as this, or worse' -r -f -a "warning\t'Something goes wrong, or soon will'
critical\t'Connections fail, or it is far gone'"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -l close-wait-age -d 'A program holds a socket in CLOSE_WAIT when nothing has come for this long' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -l close-wait-count -d 'So many of them in one process are a warning, ten times as many critical' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -l queue-percent -d 'Warn of an accept queue that is filled to this part of it' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -l syn-recv-count -d 'Warn of so many half-open connections at a listener' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -l syn-retries -d 'Warn of SYNs that were sent again so often' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -l ports-percent -d 'Warn where this part of the local ports towards one destination is taken' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -l limit-percent -d 'Warn where this part of a limit is used: of TIME_WAIT, orphans, memory, a process\'s descriptors' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -l stall-age -d 'Warn of data that has been waiting this long for a peer or a program to read' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -l retrans-percent -d 'Warn of a peer to which this part of the segments had to be sent again' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -l retrans-segments -d 'Judge that by no fewer segments' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -s f -l format -d 'Choose the layout' -r -f -a "plain\t''
json\t''"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -l color -d 'Colour the states' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -l source -d 'Choose where the sockets are read: from netlink, from /proc, or from /proc where netlink can\'t be had' -r -f -a "auto\t'netlink, else /proc'
netlink\t'netlink only'
procfs\t'/proc only'"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -l json -d 'Print one JSON document'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand diagnose" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand trace" -l state -d 'Show transitions into STATE only, in any spelling' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand trace" -l duration -d 'End after so long' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand trace" -l count -d 'End after N lines' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand trace" -l by -d 'Choose where transitions are seen: at the kernel\'s tracepoints, or by snapshots that are compared, which need no privilege and miss what lasts less; else the first, and the second where that can\'t be had' -r -f -a "tracepoint\t'At the kernel\'s tracepoints'
poll\t'By snapshots'"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand trace" -l poll -d 'Take a snapshot every MS milliseconds' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand trace" -l max-sockets -d 'Remember at most N sockets' -r
complete -c tcpstates -n "__fish_tcpstates_using_subcommand trace" -s f -l format -d 'Choose the layout' -r -f -a "table\t''
plain\t''
ndjson\t''
csv\t''"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand trace" -l color -d 'Colour the states' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand trace" -l connections -d 'Print one line for each connection when it ends'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand trace" -l summary -d 'Print at the end how many transitions there were, and how long sockets were in each state'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand trace" -l ndjson -d 'Print one JSON document a line'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand trace" -s 4 -l ipv4 -d 'Show IPv4 sockets'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand trace" -s 6 -l ipv6 -d 'Show IPv6 sockets'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand trace" -s H -l no-header -d 'Leave the heading out'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand trace" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand help; and not __fish_seen_subcommand_from explain demo bind diagnose trace help" -f -a "explain" -d 'Explain the TCP states, or one of them, with what this host has of it'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand help; and not __fish_seen_subcommand_from explain demo bind diagnose trace help" -f -a "demo" -d 'Play a scene of TCP\'s life with real sockets, and draw it as textbooks do'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand help; and not __fish_seen_subcommand_from explain demo bind diagnose trace help" -f -a "bind" -d 'Say why a port can\'t be bound, and who holds it'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand help; and not __fish_seen_subcommand_from explain demo bind diagnose trace help" -f -a "diagnose" -d 'Say what is wrong with this host\'s TCP: what was seen, why it matters, what to do'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand help; and not __fish_seen_subcommand_from explain demo bind diagnose trace help" -f -a "trace" -d 'Show every transition from state to state as it happens'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand help; and not __fish_seen_subcommand_from explain demo bind diagnose trace help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
