complete -c tcpstates -l count-by -d 'Print how many sockets there are by KEY, the most first: state, process, pid, user, local, local-port, peer, peer-port, peer-net/LEN, iface, unit, container or timer' -r
complete -c tcpstates -l diff -d 'Print what opened, closed and changed its state within SECONDS, by the keys of --count-by (state)' -r
complete -c tcpstates -l filter-file -d 'Read the filter from a file, in which # begins a comment' -r -F
complete -c tcpstates -l columns -d 'Choose and order the columns of the table, the plain list and CSV, whatever other options would add; `help` lists them' -r
complete -c tcpstates -l resolve-timeout -d 'Wait for host names no longer than this' -r
complete -c tcpstates -l sort -d 'Sort by state, local, peer, recv-q, send-q or pid; -KEY reverses' -r
complete -c tcpstates -l limit -d 'Show at most N sockets, or with --count-by, N counts' -r
complete -c tcpstates -s c -l continuous -d 'Print anew every SECONDS (1 unless given), until interrupted' -r
complete -c tcpstates -s f -l format -d 'Choose the layout' -r -f -a "table\t''
plain\t''
netstat\t''
ss\t''
json\t''
ndjson\t''
csv\t''"
complete -c tcpstates -l color -d 'Colour the states' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c tcpstates -l source -d 'Choose where the sockets are read: from netlink, from /proc, or from /proc where netlink can\'t be had' -r -f -a "auto\t'netlink, else /proc'
netlink\t'netlink only'
procfs\t'/proc only'"
complete -c tcpstates -l proc-root -d 'Read another proc tree, such as /host/proc' -r -F
complete -c tcpstates -s a -l all -d 'Show sockets in every state'
complete -c tcpstates -s l -l listening -d 'Show listening sockets only; -a beats it'
complete -c tcpstates -s t -l tcp -d 'Show TCP: what it does anyway'
complete -c tcpstates -s o -l timers -d 'Show each socket\'s timer'
complete -c tcpstates -s e -l extended -d 'Show user, inode and cookie, and the cgroup and mark where the kernel tells them'
complete -c tcpstates -s i -l info -d 'Show the connection\'s numbers: round-trip time, window, retransmissions and the rest of tcp_info'
complete -c tcpstates -s m -l memory -d 'Show the memory of the socket\'s buffers'
complete -c tcpstates -s s -l summary -d 'Print how many sockets are in each state, whatever -a and -l say'
complete -c tcpstates -l ndjson -d 'Print one JSON document a socket, a line each'
complete -c tcpstates -s W -l wide -d 'Cut and wrap nothing'
complete -c tcpstates -l explain-filter -d 'Say which part of the filter the kernel evaluates and which is left, and do nothing else'
complete -c tcpstates -l peer-process -d 'Show the processes at the other end, where that is on this host'
complete -c tcpstates -s r -l resolve -d 'Show host names in place of addresses'
complete -c tcpstates -s O -l oneline -d 'In the ss layout, keep each socket on one line'
complete -c tcpstates -s 4 -l ipv4 -d 'Show IPv4 sockets'
complete -c tcpstates -s 6 -l ipv6 -d 'Show IPv6 sockets'
complete -c tcpstates -s n -l numeric -d 'Show numbers in place of service and user names'
complete -c tcpstates -s p -l processes -l program -d 'Show the processes that hold each socket: pid, program and descriptor; twice, user and command line too'
complete -c tcpstates -l json -d 'Print one JSON document'
complete -c tcpstates -s H -l no-header -d 'Leave the heading out'
complete -c tcpstates -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tcpstates -s V -l version -d 'Print version'
