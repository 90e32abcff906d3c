
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'tcpstates' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'tcpstates'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'tcpstates' {
            [CompletionResult]::new('--count-by', '--count-by', [CompletionResultType]::ParameterName, 'Count by these fields, such as process,state')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Sort by these fields; -FIELD reverses')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Print again every second, or every SEC')
            [CompletionResult]::new('--continuous', '--continuous', [CompletionResultType]::ParameterName, 'Print again every second, or every SEC')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Show at most N sockets, or counts')
            [CompletionResult]::new('--filter-file', '--filter-file', [CompletionResultType]::ParameterName, 'Read the filter from a file, in which # begins a comment')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Choose the columns; `help` lists the fields')
            [CompletionResult]::new('--diff', '--diff', [CompletionResultType]::ParameterName, 'Print what opened and closed within SECONDS')
            [CompletionResult]::new('--sum', '--sum', [CompletionResultType]::ParameterName, 'With --count-by, add up the numbers of these fields')
            [CompletionResult]::new('--resolve-timeout', '--resolve-timeout', [CompletionResultType]::ParameterName, 'Wait for host names no longer than this')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Choose table, plain, netstat, ss, json, ndjson or csv')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Choose table, plain, netstat, ss, json, ndjson or csv')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the states: auto, always or never')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Read from auto, netlink or procfs')
            [CompletionResult]::new('--proc-root', '--proc-root', [CompletionResultType]::ParameterName, 'Read another proc tree, such as /host/proc')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Show sockets in every state')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Show sockets in every state')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Show listening sockets only; -a overrides it')
            [CompletionResult]::new('--listening', '--listening', [CompletionResultType]::ParameterName, 'Show listening sockets only; -a overrides it')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Show each socket''s processes')
            [CompletionResult]::new('--processes', '--processes', [CompletionResultType]::ParameterName, 'Show each socket''s processes')
            [CompletionResult]::new('--program', '--program', [CompletionResultType]::ParameterName, 'Show each socket''s processes')
            [CompletionResult]::new('--names', '--names', [CompletionResultType]::ParameterName, 'Show the names of services and users')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Show tcp_info: round-trip time, retransmissions, …')
            [CompletionResult]::new('--info', '--info', [CompletionResultType]::ParameterName, 'Show tcp_info: round-trip time, retransmissions, …')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Print the number of sockets in each state')
            [CompletionResult]::new('--summary', '--summary', [CompletionResultType]::ParameterName, 'Print the number of sockets in each state')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Show IPv4 sockets')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Show IPv4 sockets')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Show IPv6 sockets')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Show IPv6 sockets')
            [CompletionResult]::new('--explain-filter', '--explain-filter', [CompletionResultType]::ParameterName, 'Say which part of the filter the kernel evaluates and which is left, and do nothing else')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Show TCP sockets, as without it')
            [CompletionResult]::new('--tcp', '--tcp', [CompletionResultType]::ParameterName, 'Show TCP sockets, as without it')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Show user, inode, cookie, cgroup and mark')
            [CompletionResult]::new('--extended', '--extended', [CompletionResultType]::ParameterName, 'Show user, inode, cookie, cgroup and mark')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Show each socket''s timer')
            [CompletionResult]::new('--timers', '--timers', [CompletionResultType]::ParameterName, 'Show each socket''s timer')
            [CompletionResult]::new('--peer-process', '--peer-process', [CompletionResultType]::ParameterName, 'Show the processes at a peer on this host')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show numbers in place of service and user names')
            [CompletionResult]::new('--numeric', '--numeric', [CompletionResultType]::ParameterName, 'Show numbers in place of service and user names')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Show host names in place of addresses')
            [CompletionResult]::new('--resolve', '--resolve', [CompletionResultType]::ParameterName, 'Show host names in place of addresses')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Show the memory of the socket''s buffers')
            [CompletionResult]::new('--memory', '--memory', [CompletionResultType]::ParameterName, 'Show the memory of the socket''s buffers')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Leave the heading out')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'Leave the heading out')
            [CompletionResult]::new('--ndjson', '--ndjson', [CompletionResultType]::ParameterName, 'Print one JSON document a socket, a line each')
            [CompletionResult]::new('-W', '-W ', [CompletionResultType]::ParameterName, 'Cut and wrap nothing')
            [CompletionResult]::new('--wide', '--wide', [CompletionResultType]::ParameterName, 'Cut and wrap nothing')
            [CompletionResult]::new('-O', '-O ', [CompletionResultType]::ParameterName, 'In the ss layout, keep each socket on one line')
            [CompletionResult]::new('--oneline', '--oneline', [CompletionResultType]::ParameterName, 'In the ss layout, keep each socket on one line')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this short help; --help has all')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this short help; --help has all')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print the version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print the version')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explain a TCP state, or all, with this host''s sockets')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Play a scene with real sockets and draw it, as textbooks do')
            [CompletionResult]::new('bind', 'bind', [CompletionResultType]::ParameterValue, 'Say why a port can''t be bound, and who owns it')
            [CompletionResult]::new('diagnose', 'diagnose', [CompletionResultType]::ParameterValue, 'Say what is wrong with this host''s TCP, and what to do')
            [CompletionResult]::new('trace', 'trace', [CompletionResultType]::ParameterValue, 'Show each change of state as it happens')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tcpstates;explain' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Choose the layout')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Choose the layout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the states: auto, always or never')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Read from auto, netlink or procfs')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Show IPv4 sockets')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Show IPv4 sockets')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Show IPv6 sockets')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Show IPv6 sockets')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this short help; --help has all')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this short help; --help has all')
            break
        }
        'tcpstates;demo' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the states: auto, always or never')
            [CompletionResult]::new('--step', '--step', [CompletionResultType]::ParameterName, 'Show each step when Enter is pressed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this short help; --help has all')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this short help; --help has all')
            break
        }
        'tcpstates;bind' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Choose the layout')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Choose the layout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the states: auto, always or never')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Read from auto, netlink or procfs')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Show IPv4 sockets')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Show IPv4 sockets')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Show IPv6 sockets')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Show IPv6 sockets')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this short help; --help has all')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this short help; --help has all')
            break
        }
        'tcpstates;diagnose' {
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'Read everything twice, SECONDS apart, and judge counters by the difference')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'End with status 1 if a finding is at least this severe')
            [CompletionResult]::new('--close-wait-age', '--close-wait-age', [CompletionResultType]::ParameterName, 'Count a CLOSE_WAIT socket only after this long without incoming data')
            [CompletionResult]::new('--close-wait-count', '--close-wait-count', [CompletionResultType]::ParameterName, 'Warn at N such sockets per process; 10 × N is critical')
            [CompletionResult]::new('--queue-percent', '--queue-percent', [CompletionResultType]::ParameterName, 'Warn of an accept queue that is this full')
            [CompletionResult]::new('--syn-recv-count', '--syn-recv-count', [CompletionResultType]::ParameterName, 'Warn of N half-open connections at a listener')
            [CompletionResult]::new('--syn-retries', '--syn-retries', [CompletionResultType]::ParameterName, 'Warn of SYNs that were sent again N times')
            [CompletionResult]::new('--ports-percent', '--ports-percent', [CompletionResultType]::ParameterName, 'Warn if this share of the local ports towards one destination is taken')
            [CompletionResult]::new('--limit-percent', '--limit-percent', [CompletionResultType]::ParameterName, 'Warn if this share of a limit is used: TIME_WAIT, orphans, memory, a process''s descriptors')
            [CompletionResult]::new('--stall-age', '--stall-age', [CompletionResultType]::ParameterName, 'Warn of data that a peer or a program has not read for this long')
            [CompletionResult]::new('--retrans-percent', '--retrans-percent', [CompletionResultType]::ParameterName, 'Warn of a peer to which this share of the segments was sent again')
            [CompletionResult]::new('--retrans-segments', '--retrans-segments', [CompletionResultType]::ParameterName, 'Judge retransmissions only from N segments on')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Choose the layout')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Choose the layout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the states: auto, always or never')
            [CompletionResult]::new('--source', '--source', [CompletionResultType]::ParameterName, 'Read from auto, netlink or procfs')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this short help; --help has all')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this short help; --help has all')
            break
        }
        'tcpstates;trace' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Show transitions into STATE only, in any spelling')
            [CompletionResult]::new('--duration', '--duration', [CompletionResultType]::ParameterName, 'End after SECONDS')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'End after N lines, or with --summary, N transitions')
            [CompletionResult]::new('--by', '--by', [CompletionResultType]::ParameterName, 'Choose how transitions are found: by the kernel''s tracepoints, or by comparing snapshots, which need no privilege and miss shorter states; the default is tracepoints, or snapshots if those are unavailable')
            [CompletionResult]::new('--poll', '--poll', [CompletionResultType]::ParameterName, 'Take a snapshot every MS milliseconds')
            [CompletionResult]::new('--max-sockets', '--max-sockets', [CompletionResultType]::ParameterName, 'Remember at most N sockets')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Choose the layout')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Choose the layout')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the states: auto, always or never')
            [CompletionResult]::new('--connections', '--connections', [CompletionResultType]::ParameterName, 'Print one line for each connection when it ends')
            [CompletionResult]::new('--summary', '--summary', [CompletionResultType]::ParameterName, 'Print at the end how many transitions there were and how long sockets were in each state; as text, nothing else')
            [CompletionResult]::new('--ndjson', '--ndjson', [CompletionResultType]::ParameterName, 'Print one JSON document a line')
            [CompletionResult]::new('-4', '-4', [CompletionResultType]::ParameterName, 'Show IPv4 sockets')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Show IPv4 sockets')
            [CompletionResult]::new('-6', '-6', [CompletionResultType]::ParameterName, 'Show IPv6 sockets')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Show IPv6 sockets')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'Leave the heading out')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'Leave the heading out')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print this short help; --help has all')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print this short help; --help has all')
            break
        }
        'tcpstates;help' {
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Explain a TCP state, or all, with this host''s sockets')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Play a scene with real sockets and draw it, as textbooks do')
            [CompletionResult]::new('bind', 'bind', [CompletionResultType]::ParameterValue, 'Say why a port can''t be bound, and who owns it')
            [CompletionResult]::new('diagnose', 'diagnose', [CompletionResultType]::ParameterValue, 'Say what is wrong with this host''s TCP, and what to do')
            [CompletionResult]::new('trace', 'trace', [CompletionResultType]::ParameterValue, 'Show each change of state as it happens')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'tcpstates;help;explain' {
            break
        }
        'tcpstates;help;demo' {
            break
        }
        'tcpstates;help;bind' {
            break
        }
        'tcpstates;help;diagnose' {
            break
        }
        'tcpstates;help;trace' {
            break
        }
        'tcpstates;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
