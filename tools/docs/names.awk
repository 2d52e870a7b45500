# Shortens demangled names in folded stacks: no argument lists, no closures; and takes equal stacks together.
{
    count = $NF
    sub(/ [0-9]+$/, "")
    n = split($0, frame, ";")
    line = frame[1]
    last = ""
    for (i = 2; i <= n; i++) {
        name = frame[i]
        if (name ~ /^(start_thread|clone|__clone|thread_start|\[unknown\])/) continue
        while (gsub(/\([^()]*\)/, "", name) || gsub(/<[^<>]*>/, "", name)) {}
        sub(/^.* in /, "", name)
        gsub(/(specialized|generic specialization of|partial apply forwarder for|partial apply for|protocol witness for|@objc|merged|outlined) ?/, "", name)
        sub(/ in conformance.*$/, "", name)
        sub(/@@?GLIBC.*$/, "", name)
        sub(/^(static|conformance)/, "", name)
        gsub(/ /, "", name)
        # How a thread comes to its work, and how the kernel comes to a call, says nothing.
        if (name ~ /^(thunkfor|ThreadOpsPosix|MultiThreadedEventLoopGroup|DedicatedThread|Engine.start|entry_SYSCALL|do_syscall)/) continue
        if (name == "" || name == last) continue
        line = line ";" name
        last = name
    }
    sum[line] += count
}
END { for (line in sum) print line, sum[line] }
