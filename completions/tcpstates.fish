# Completions of tcpstates for fish. Made by `tcpstates generate fish`: the program itself knows the words.

function __tcpstates_words
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l found ($words[1] generate words -- $words[2..] "$word" 2>/dev/null)
    if test "$found[1]" = /
        set -l head (string match -r -- '^--[^=]*=' $word)
        for path in (__fish_complete_path (string replace -r -- '^--[^=]*=' '' $word))
            echo "$head$path"
        end
    else
        string join \n -- $found
    end
end
complete -c tcpstates -f -a '(__tcpstates_words)'
