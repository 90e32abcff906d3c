# Completions of tcpstates for bash. Made by `tcpstates generate bash`: the program itself knows the words.

_tcpstates() {
    # bash cuts a word at = and :, so the words are taken from the line.
    local line=${COMP_LINE:0:COMP_POINT} word head='' found
    local -a words
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    word=${words[-1]}
    mapfile -t found < <("$1" generate words -- "${words[@]:1}" 2>/dev/null)
    COMPREPLY=()
    if [[ ${found[0]-} == / ]]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "${word#--*=}")
        return
    fi
    # bash replaces only what stands behind the last = or :.
    [[ $word == *[=:]* ]] && head=${word%"${word##*[=:]}"}
    for word in "${found[@]}"; do
        word=${word%%$'\t'*}
        COMPREPLY+=("${word#"$head"}")
    done
}
complete -F _tcpstates tcpstates
