# Draws folded stacks as a flame graph: one SVG, widths are shares of the processor's time, light and dark.
# Set title and note.
function escaped(text) {
    gsub(/&/, "\\&amp;", text)
    gsub(/</, "\\&lt;", text)
    gsub(/>/, "\\&gt;", text)
    return text
}
# A colour by the kind of frame: kernel, C and libraries, Swift of ours.
function kind(name) {
    if (name ~ /^(__x64_sys|do_|ext4|vfs_|tcp_|futex|schedule|__|_raw|ksys|sock_|ip_|blk|submit_|generic_|filemap|folio|copy_|ep_|asm_|clear_|inet_|sk_|net)/) return "k"
    if (name ~ /^[A-Z]/) return "s"
    return "c"
}
# Adds the count to a node and to the nodes above.
{
    count = $NF
    sub(/ [0-9]+$/, "")
    n = split($0, frame, ";")
    path = ""
    all += count
    for (i = 1; i <= n; i++) {
        parent = path
        path = path ";" frame[i]
        if (!(path in sum)) {
            label[path] = frame[i]
            children[parent] = children[parent] SUBSEP path
            if (i > deepest) deepest = i
        }
        sum[path] += count
    }
}
# A node, those above it side by side, the widest first.
function draw(path, x, depth,    w, y, text, chars) {
    w = sum[path] * width / all
    if (w < 0.4) return
    if (depth > deepest) return
    y = base - depth * step + 4
    text = escaped(label[path])
    printf "<g><title>%s: %.2f %%</title><rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" class=\"%s\"/>", text, sum[path] * 100 / all, x, y, (w > 0.8 ? w - 0.4 : w), step - 1, (depth == 1 ? "t" : kind(label[path]))
    chars = int((w - 4) / 6)
    if (chars >= 3) printf "<text x=\"%.1f\" y=\"%d\">%s</text>", x + 2, y + step - 4, escaped((length(label[path]) <= chars ? label[path] : substr(label[path], 1, chars - 1) "…"))
    print "</g>"
    row(path, x, depth + 1)
}
function row(path, x, depth,    list, m, i, j, kept) {
    m = split(substr(children[path], 2), list, SUBSEP)
    for (i = 2; i <= m; i++) {
        kept = list[i]
        for (j = i - 1; j >= 1 && (sum[list[j]] < sum[kept] || sum[list[j]] == sum[kept] && list[j] > kept); j--) list[j + 1] = list[j]
        list[j + 1] = kept
    }
    for (i = 1; i <= m; i++) {
        draw(list[i], x, depth)
        x += sum[list[i]] * width / all
    }
}
END {
    width = 1200; step = 16
    # Deeper than this the kernel goes into itself.
    if (deepest > 34) deepest = 34
    base = 44 + deepest * step
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"-8 0 %d %d\" role=\"img\">\n", width + 16, base + 8, width + 16, base + 8
    printf "<title>%s</title>\n", escaped(title)
    print "<style>"
    print "text{font:10px ui-monospace,'SF Mono',Menlo,Consolas,monospace;fill:#1f2328}.h{font:600 15px system-ui,sans-serif}.n{font:12px system-ui,sans-serif;fill:#57606a}"
    print ".t{fill:#d0d7de}.s{fill:#fdba74}.c{fill:#fde68a}.k{fill:#bfdbfe}"
    print "@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.n{fill:#9198a1}.t{fill:#3d444d}.s{fill:#9a3412}.c{fill:#854d0e}.k{fill:#1e3a8a}}"
    print "</style>"
    printf "<text x=\"0\" y=\"18\" class=\"h\">%s</text>\n<text x=\"0\" y=\"36\" class=\"n\">%s</text>\n", escaped(title), escaped(note)
    row("", 0, 1)
    print "</svg>"
}
