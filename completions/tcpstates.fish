# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_tcpstates_global_optspecs
    string join \n a/all l/listening t/tcp u/udp w/raw x/unix o/timers e/extended i/info m/memory s/summary ndjson W/wide filter-file= explain-filter O/oneline sort= limit= c/continuous= 4/ipv4 6/ipv6 n/numeric p/processes f/format= json H/no-header color= source= proc-root= h/help V/version
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

complete -c tcpstates -n "__fish_tcpstates_needs_command" -l filter-file -d 'Read the filter from a file, in which # begins a comment' -r -F
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l sort -d 'Sort by state, local, peer, recv-q, send-q or pid; -KEY reverses' -r
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l limit -d 'Show at most N sockets' -r
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
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s u -l udp -d 'UDP: not shown here'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s w -l raw -d 'Raw sockets: not shown here'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s x -l unix -d 'Unix sockets: not shown here'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s o -l timers -d 'Show each socket\'s timer'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s e -l extended -d 'Show user, inode and cookie, and the cgroup and mark where the kernel tells them'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s i -l info -d 'Show the connection\'s numbers: round-trip time, window, retransmissions and the rest of tcp_info'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s m -l memory -d 'Show the memory of the socket\'s buffers'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s s -l summary -d 'Print how many sockets are in each state, whatever -a and -l say'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l ndjson -d 'Print one JSON document a socket, a line each'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s W -l wide -d 'Cut and wrap nothing'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l explain-filter -d 'Say which part of the filter the kernel evaluates and which is left, and do nothing else'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s O -l oneline -d 'In the ss layout, keep each socket on one line'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s 4 -l ipv4 -d 'Show IPv4 sockets'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s 6 -l ipv6 -d 'Show IPv6 sockets'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s n -l numeric -d 'Show numbers in place of service and user names'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s p -l processes -l program -d 'Show the processes that hold each socket: pid, program and descriptor'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -l json -d 'Print one JSON document'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s H -l no-header -d 'Leave the heading out'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -s V -l version -d 'Print version'
complete -c tcpstates -n "__fish_tcpstates_needs_command" -a "generate" -d 'Print a file that is made from the command line\'s definition'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand generate" -s f -l format -d 'Choose the layout' -r -f -a "table\t''
plain\t''
netstat\t''
ss\t''
json\t''
ndjson\t''
csv\t''"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand generate" -l color -d 'Colour the states' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'In any case'
never\t'In no case'"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand generate" -l source -d 'Choose where the sockets are read: from netlink, from /proc, or from /proc where netlink can\'t be had' -r -f -a "auto\t'netlink, else /proc'
netlink\t'netlink only'
procfs\t'/proc only'"
complete -c tcpstates -n "__fish_tcpstates_using_subcommand generate" -l proc-root -d 'Read another proc tree, such as /host/proc' -r -F
complete -c tcpstates -n "__fish_tcpstates_using_subcommand generate" -s 4 -l ipv4 -d 'Show IPv4 sockets'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand generate" -s 6 -l ipv6 -d 'Show IPv6 sockets'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand generate" -s n -l numeric -d 'Show numbers in place of service and user names'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand generate" -s p -l processes -l program -d 'Show the processes that hold each socket: pid, program and descriptor'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand generate" -l json -d 'Print one JSON document'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand generate" -s H -l no-header -d 'Leave the heading out'
complete -c tcpstates -n "__fish_tcpstates_using_subcommand generate" -s h -l help -d 'Print help (see more with \'--help\')'
