# One picture: actions a second as bars, and beside each what an action costs the server. Light and dark.
function text(x, y, class, anchor, words) {
    gsub(/&/, "\\&amp;", words)
    gsub(/</, "\\&lt;", words)
    printf "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\"%s>%s</text>\n", x, y, class, anchor == "" ? "" : " text-anchor=\"" anchor "\"", words
}
END {
    promise["guerdon"] = "rules, wallets, statements, ranks"
    promise["floor"] = "C++ that knows this job alone"
    promise["redis"] = "script an action, appendfsync always"
    promise["redis-everysec"] = "may lose a second"
    promise["postgres-batch"] = "512 actions a transaction"
    promise["postgres"] = "function call an action"
    # What promises less is drawn hollow.
    class["guerdon"] = "o"
    class["floor"] = "f"
    class["redis-everysec"] = "w"
    shown = split("floor guerdon redis-everysec redis postgres-batch postgres", bar, " ")
    width = 860; left = 236; right = 268; top = 84; step = 50
    rows = 0; most = 0
    for (b = 1; b <= shown; b++) {
        if (!has(bar[b], "busy.per_second")) continue
        rows++
        if (high(bar[b], "busy.per_second") > most) most = high(bar[b], "busy.per_second")
    }
    height = top + rows * step + 40
    scale = (width - left - right) / most
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"-12 -8 %d %d\" role=\"img\">\n", width + 24, height + 12, width + 24, height + 12
    printf "<title>Durable actions a second: Guerdon beside Redis and PostgreSQL</title>\n"
    print "<style>"
    print "text{font:14px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#57606a}"
    print ".h{font-size:17px;font-weight:600;fill:#1f2328}.n{font-weight:600;fill:#1f2328}.s{font-size:12px}.v{font-weight:600;fill:#1f2328;font-variant-numeric:tabular-nums}"
    print ".o{fill:#c2410c}.p{fill:#8c959f}.f{fill:#d0d7de}.w{fill:none;stroke:#8c959f}.l{stroke:#57606a;stroke-width:1.5;fill:none}"
    print "@media (prefers-color-scheme:dark){text{fill:#9198a1}.h,.n,.v{fill:#f0f6fc}.o{fill:#fb923c}.p{fill:#6e7681}.f{fill:#3d444d}.w{stroke:#6e7681}.l{stroke:#c9d1d9}}"
    print "</style>"
    text(0, 20, "h", "", "Durable actions a second, each acknowledged on its own")
    text(0, 42, "s", "", sprintf("%s members, three upline levels, a monthly board, 2 %% sent again; 8 connections × 512 in flight; %s", grouped(members), machine))
    text(width - 102, top - 14, "s", "end", "CPU an action")
    text(width, top - 14, "s", "end", "1 × 1, p50")
    y = top
    for (b = 1; b <= shown; b++) {
        name = bar[b]
        if (!has(name, "busy.per_second")) continue
        rate = median(name, "busy.per_second")
        text(0, y + 14, "n", "", title[name])
        text(0, y + 31, "s", "", promise[name])
        size = rate * scale
        if (size < 2) size = 2
        printf "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"26\" rx=\"3\" class=\"%s\"/>\n", left, y + 3, size, name in class ? class[name] : "p"
        from = left + low(name, "busy.per_second") * scale
        to = left + high(name, "busy.per_second") * scale
        if (to - from > 3) printf "<path d=\"M%.1f %.1fH%.1fM%.1f %.1fv8M%.1f %.1fv8\" class=\"l\"/>\n", from, y + 16, to, from, y + 12, to, y + 12
        label = (to > left + size ? to : left + size) + 8
        text(label, y + 21, "v", "", rounded(rate))
        text(width - 102, y + 21, "", "end", short(median(name, "busy.cpu_us")) " µs")
        text(width, y + 21, "", "end", short(median(name, "single.p50_ms")) " ms")
        y += step
    }
    line = rounds == 1 ? "One round" : "Medians of " rounds " rounds, lines from the lowest to the highest"
    if (has("disk", "busy.per_second")) line = line "; the disk alone would take " rounded(median("disk", "busy.per_second")) " a second in the floor's batches"
    text(0, height - 10, "s", "", line ". " date)
    print "</svg>"
}
