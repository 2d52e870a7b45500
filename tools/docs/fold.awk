# Folds the output of `perf script -F comm,tid,ip,sym` into lines of `thread;outermost;…;innermost count`.
/^[^ \t]/ {
    thread = $0
    sub(/ +[0-9]+ *:? *$/, "", thread)
    if (thread == "guerdon") thread = "other threads"
    depth = 0
    next
}
/^[ \t]+[0-9a-f]+ / {
    name = $0
    sub(/^[ \t]+[0-9a-f]+ /, "", name)
    gsub(/;/, ":", name)
    frame[++depth] = name
    next
}
/^$/ && thread != "" {
    line = thread
    for (i = depth; i >= 1; i--) line = line ";" frame[i]
    count[line]++
    thread = ""
}
END { for (line in count) print line, count[line] }
