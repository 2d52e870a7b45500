# One table in Markdown: a column for each contestant, Guerdon's rates divided by theirs below each rate.
function row(label,    c, line) {
    line = "| " label " |"
    for (c = 1; c <= columns; c++) if (column[c] in present) line = line " " cell[column[c]] " |"
    print line
    split("", cell)
}
function names(    c) { split("", cell); for (c = 1; c <= columns; c++) cell[column[c]] = "" }
function rate(label, measurement,    c, name, spread, others) {
    names()
    for (c = 1; c <= columns; c++) {
        name = column[c]
        if (!has(name, measurement)) continue
        spread = count[name SUBSEP measurement] > 1 ? " (" rounded(low(name, measurement)) "–" rounded(high(name, measurement)) ")" : ""
        cell[name] = rounded(median(name, measurement)) spread
    }
    row(label)
    if (!has("guerdon", measurement)) return
    names()
    for (c = 1; c <= columns; c++) {
        name = column[c]
        if (name == "guerdon" || name == "disk" || !has(name, measurement)) continue
        cell[name] = "**" ratio(median("guerdon", measurement), median(name, measurement)) "**"
        others++
    }
    if (others > 0) row("— Guerdon ÷ this")
}
function latencies(label, prefix,    c, name) {
    names()
    for (c = 1; c <= columns; c++) {
        name = column[c]
        if (has(name, prefix ".p50_ms"))
            cell[name] = short(median(name, prefix ".p50_ms")) " / " short(median(name, prefix ".p99_ms")) " / " short(median(name, prefix ".p999_ms"))
    }
    row(label)
}
function plain(label, measurement, factor,    c, name) {
    names()
    for (c = 1; c <= columns; c++) {
        name = column[c]
        if (has(name, measurement)) cell[name] = short(median(name, measurement) * factor)
    }
    row(label)
}
END {
    printf "%s, generator on the same machine; %s members; %s; %s\n\n", machine, grouped(members),
        rounds == 1 ? "one round" : "medians of " rounds " rounds (lowest–highest)", date
    line = "| |"
    rule = "| --- |"
    for (c = 1; c <= columns; c++) {
        if (!(column[c] in present)) continue
        line = line " " title[column[c]] " |"
        rule = rule " ---: |"
    }
    print line
    print rule
    rate("**actions/s, 8 × 512**", "busy.per_second")
    latencies("latency p50 / p99 / p99.9, ms", "busy")
    plain("server CPU an action, µs", "busy.cpu_us", 1)
    latencies("latency at half of that, due at fixed times: p50 / p99 / p99.9, ms", "open")
    rate("actions/s, 1 × 1", "single.per_second")
    latencies("latency p50 / p99 / p99.9, ms", "single")
    plain("members on the board then", "check.scored_members", 1)
    rate("exact ranks/s, pipelined", "reads_rank.per_second")
    rate("exact ranks/s, one by one", "reads_rank_alone.per_second")
    rate("top 10/s, pipelined", "reads_top10.per_second")
    rate("top 10/s, one by one", "reads_top10_alone.per_second")
    rate("five around a member/s, pipelined", "reads_around.per_second")
    rate("five around a member/s, one by one", "reads_around_alone.per_second")
    plain("memory behind it all, MB", "used.memory", 1e-6)
    plain("actions behind it all", "restart.actions", 1)
    plain("ready after SIGKILL, s", "restart.seconds", 1)
    rate("actions/s made again at that", "restart.per_second")
    names()
    for (c = 1; c <= columns; c++)
        if (has(column[c], "check.equal_members")) cell[column[c]] = "all " grouped(median(column[c], "check.equal_members")) " equal"
    row("balances and top 100, before and after SIGKILL")
}
