# fish completion for mihfs(1). The program knows its options; this only asks.

function __mihfs_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -e words[1]
    set -l answer (command mihfs --complete $words "$typed" 2>/dev/null)
    # Of "--root=/mo" the path is what follows the sign.
    set -l before (string match -r '^--[^=]*=' -- "$typed")
    set -l path (string replace -r '^--[^=]*=' '' -- "$typed")
    switch "$answer[1]"
        case file
            printf "$before%s\n" (__fish_complete_path "$path")
        case folder
            printf "$before%s\n" (__fish_complete_directories "$path")
    end
    test (count $answer) -gt 1; and printf '%s\n' $answer[2..-1]
end

complete -c mihfs -f -a '(__mihfs_complete)'
