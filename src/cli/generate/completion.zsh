#compdef tcpstates
# Completions of tcpstates for zsh. Made by `tcpstates generate zsh`: the program itself knows the words.

_tcpstates() {
    local line word
    local -a found
    for line in ${(f)"$(${(Q)words[1]} generate words -- "${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)"}; do
        if [[ $line == / ]]; then
            compset -P '--*='
            _files
            return
        fi
        word=${line%%$'\t'*}
        found+=("${word//:/\\:}:${line#*$'\t'}")
    done
    # A comma takes the place of the space that is added.
    _describe -t words tcpstates found -S ' ' -r ','
}

if [[ $funcstack[1] == _tcpstates ]]; then
    _tcpstates "$@"
else
    compdef _tcpstates tcpstates
fi
