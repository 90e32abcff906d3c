_tcpstates() {
    local i cur prev opts cmd
    COMPREPLY=()
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        cur="$2"
    else
        cur="${COMP_WORDS[COMP_CWORD]}"
    fi
    prev="$3"
    cmd=""
    opts=""

    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="tcpstates"
                ;;
            tcpstates,bind)
                cmd="tcpstates__subcmd__bind"
                ;;
            tcpstates,demo)
                cmd="tcpstates__subcmd__demo"
                ;;
            tcpstates,diagnose)
                cmd="tcpstates__subcmd__diagnose"
                ;;
            tcpstates,explain)
                cmd="tcpstates__subcmd__explain"
                ;;
            tcpstates,help)
                cmd="tcpstates__subcmd__help"
                ;;
            tcpstates,trace)
                cmd="tcpstates__subcmd__trace"
                ;;
            tcpstates__subcmd__help,bind)
                cmd="tcpstates__subcmd__help__subcmd__bind"
                ;;
            tcpstates__subcmd__help,demo)
                cmd="tcpstates__subcmd__help__subcmd__demo"
                ;;
            tcpstates__subcmd__help,diagnose)
                cmd="tcpstates__subcmd__help__subcmd__diagnose"
                ;;
            tcpstates__subcmd__help,explain)
                cmd="tcpstates__subcmd__help__subcmd__explain"
                ;;
            tcpstates__subcmd__help,help)
                cmd="tcpstates__subcmd__help__subcmd__help"
                ;;
            tcpstates__subcmd__help,trace)
                cmd="tcpstates__subcmd__help__subcmd__trace"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        tcpstates)
            opts="-a -l -t -o -e -i -m -s -W -r -O -c -4 -6 -n -p -f -H -h -V --all --listening --tcp --timers --extended --info --memory --summary --count-by --sum --diff --ndjson --wide --filter-file --explain-filter --peer-process --columns --resolve --resolve-timeout --oneline --sort --limit --continuous --ipv4 --ipv6 --numeric --names --program --processes --format --json --no-header --color --source --proc-root --help --version explain demo bind diagnose trace help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --count-by)
                    COMPREPLY=($(compgen -W "protocol family state recv-q send-q accept-queue backlog local local-address local-port peer peer-address peer-port iface uid inode cookie local-host peer-host process program pid fd process-user command note peer-process peer-pid user cgroup unit container pod-uid mark v6only shutdown timer timer-expires timer-retransmits timer-probes rmem-alloc rcvbuf wmem-alloc sndbuf fwd-alloc wmem-queued optmem memory-backlog drops congestion-control ca-state options snd-wscale rcv-wscale app-limited retransmits probes backoff rto ato mss rcv-mss unacked sacked lost retrans-out fackets last-data-sent last-data-recv last-ack-recv pmtu rcv-ssthresh rtt rttvar ssthresh cwnd advmss reordering rcv-rtt rcv-space retrans pacing-rate max-pacing-rate bytes-acked bytes-received segs-out segs-in notsent min-rtt data-segs-in data-segs-out delivery-rate busy-time rwnd-limited sndbuf-limited delivered delivered-ce bytes-sent bytes-retrans dsack-dups reord-seen rcv-ooopack snd-wnd rcv-wnd rehash total-rto total-rto-recoveries total-rto-time received-ce delivered-e1-bytes delivered-e0-bytes delivered-ce-bytes received-e1-bytes received-e0-bytes received-ce-bytes congestion ulp md5keys direction age" -- "${cur}"))
                    return 0
                    ;;
                --sum)
                    COMPREPLY=($(compgen -W "protocol family state recv-q send-q accept-queue backlog local local-address local-port peer peer-address peer-port iface uid inode cookie local-host peer-host process program pid fd process-user command note peer-process peer-pid user cgroup unit container pod-uid mark v6only shutdown timer timer-expires timer-retransmits timer-probes rmem-alloc rcvbuf wmem-alloc sndbuf fwd-alloc wmem-queued optmem memory-backlog drops congestion-control ca-state options snd-wscale rcv-wscale app-limited retransmits probes backoff rto ato mss rcv-mss unacked sacked lost retrans-out fackets last-data-sent last-data-recv last-ack-recv pmtu rcv-ssthresh rtt rttvar ssthresh cwnd advmss reordering rcv-rtt rcv-space retrans pacing-rate max-pacing-rate bytes-acked bytes-received segs-out segs-in notsent min-rtt data-segs-in data-segs-out delivery-rate busy-time rwnd-limited sndbuf-limited delivered delivered-ce bytes-sent bytes-retrans dsack-dups reord-seen rcv-ooopack snd-wnd rcv-wnd rehash total-rto total-rto-recoveries total-rto-time received-ce delivered-e1-bytes delivered-e0-bytes delivered-ce-bytes received-e1-bytes received-e0-bytes received-ce-bytes congestion ulp md5keys direction age" -- "${cur}"))
                    return 0
                    ;;
                --diff)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --columns)
                    COMPREPLY=($(compgen -W "protocol family state recv-q send-q accept-queue backlog local local-address local-port peer peer-address peer-port iface uid inode cookie local-host peer-host process program pid fd process-user command note peer-process peer-pid user cgroup unit container pod-uid mark v6only shutdown timer timer-expires timer-retransmits timer-probes rmem-alloc rcvbuf wmem-alloc sndbuf fwd-alloc wmem-queued optmem memory-backlog drops congestion-control ca-state options snd-wscale rcv-wscale app-limited retransmits probes backoff rto ato mss rcv-mss unacked sacked lost retrans-out fackets last-data-sent last-data-recv last-ack-recv pmtu rcv-ssthresh rtt rttvar ssthresh cwnd advmss reordering rcv-rtt rcv-space retrans pacing-rate max-pacing-rate bytes-acked bytes-received segs-out segs-in notsent min-rtt data-segs-in data-segs-out delivery-rate busy-time rwnd-limited sndbuf-limited delivered delivered-ce bytes-sent bytes-retrans dsack-dups reord-seen rcv-ooopack snd-wnd rcv-wnd rehash total-rto total-rto-recoveries total-rto-time received-ce delivered-e1-bytes delivered-e0-bytes delivered-ce-bytes received-e1-bytes received-e0-bytes received-ce-bytes congestion ulp md5keys direction age" -- "${cur}"))
                    return 0
                    ;;
                --resolve-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sort)
                    COMPREPLY=($(compgen -W "protocol family state recv-q send-q accept-queue backlog local local-address local-port peer peer-address peer-port iface uid inode cookie local-host peer-host process program pid fd process-user command note peer-process peer-pid user cgroup unit container pod-uid mark v6only shutdown timer timer-expires timer-retransmits timer-probes rmem-alloc rcvbuf wmem-alloc sndbuf fwd-alloc wmem-queued optmem memory-backlog drops congestion-control ca-state options snd-wscale rcv-wscale app-limited retransmits probes backoff rto ato mss rcv-mss unacked sacked lost retrans-out fackets last-data-sent last-data-recv last-ack-recv pmtu rcv-ssthresh rtt rttvar ssthresh cwnd advmss reordering rcv-rtt rcv-space retrans pacing-rate max-pacing-rate bytes-acked bytes-received segs-out segs-in notsent min-rtt data-segs-in data-segs-out delivery-rate busy-time rwnd-limited sndbuf-limited delivered delivered-ce bytes-sent bytes-retrans dsack-dups reord-seen rcv-ooopack snd-wnd rcv-wnd rehash total-rto total-rto-recoveries total-rto-time received-ce delivered-e1-bytes delivered-e0-bytes delivered-ce-bytes received-e1-bytes received-e0-bytes received-ce-bytes congestion ulp md5keys direction age" -- "${cur}"))
                    return 0
                    ;;
                --limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --continuous)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -c)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table plain netstat ss json ndjson csv" -- "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -W "table plain netstat ss json ndjson csv" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto netlink procfs" -- "${cur}"))
                    return 0
                    ;;
                --proc-root)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        tcpstates__subcmd__bind)
            opts="-4 -6 -f -h --ipv4 --ipv6 --format --json --color --source --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --format)
                    COMPREPLY=($(compgen -W "plain json" -- "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -W "plain json" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto netlink procfs" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        tcpstates__subcmd__demo)
            opts="-h --step --color --help handshake close simultaneous-close close-wait time-wait refused syn-timeout"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        tcpstates__subcmd__diagnose)
            opts="-f -h --interval --fail-on --close-wait-age --close-wait-count --queue-percent --syn-recv-count --syn-retries --ports-percent --limit-percent --stall-age --retrans-percent --retrans-segments --format --json --color --source --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --fail-on)
                    COMPREPLY=($(compgen -W "warning critical" -- "${cur}"))
                    return 0
                    ;;
                --close-wait-age)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --close-wait-count)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --queue-percent)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --syn-recv-count)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --syn-retries)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ports-percent)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit-percent)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --stall-age)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --retrans-percent)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --retrans-segments)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "plain json" -- "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -W "plain json" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto netlink procfs" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        tcpstates__subcmd__explain)
            opts="-4 -6 -f -h --ipv4 --ipv6 --format --json --color --source --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --format)
                    COMPREPLY=($(compgen -W "plain json" -- "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -W "plain json" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto netlink procfs" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        tcpstates__subcmd__help)
            opts="explain demo bind diagnose trace help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        tcpstates__subcmd__help__subcmd__bind)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        tcpstates__subcmd__help__subcmd__demo)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        tcpstates__subcmd__help__subcmd__diagnose)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        tcpstates__subcmd__help__subcmd__explain)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        tcpstates__subcmd__help__subcmd__help)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        tcpstates__subcmd__help__subcmd__trace)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        tcpstates__subcmd__trace)
            opts="-4 -6 -f -H -h --state --connections --summary --duration --count --by --poll --max-sockets --ndjson --ipv4 --ipv6 --format --no-header --color --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --state)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --duration)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --count)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --by)
                    COMPREPLY=($(compgen -W "tracepoint poll" -- "${cur}"))
                    return 0
                    ;;
                --poll)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-sockets)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table plain ndjson csv" -- "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -W "table plain ndjson csv" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _tcpstates -o nosort -o bashdefault -o default tcpstates
else
    complete -F _tcpstates -o bashdefault -o default tcpstates
fi
