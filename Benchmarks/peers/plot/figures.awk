# Reads lines of contestant, measurement, round and value; gives medians and ranges.
BEGIN {
    FS = "\t"
    columns = split("guerdon floor disk redis redis-everysec postgres-batch postgres", column, " ")
    title["guerdon"] = "Guerdon"
    title["floor"] = "floor"
    title["disk"] = "disk alone"
    title["redis"] = "Redis"
    title["redis-everysec"] = "Redis, everysec"
    title["postgres-batch"] = "PostgreSQL, batches"
    title["postgres"] = "PostgreSQL, calls"
}
{
    key = $1 SUBSEP $2
    if (!(key in count)) order[++keys] = key
    value[key, ++count[key]] = $4
    present[$1] = 1
}
function has(name, measurement) { return (name SUBSEP measurement) in count }
# The lower of the two in the middle when there is an even number.
function sorted(name, measurement, place,    key, n, i, j, kept, list) {
    key = name SUBSEP measurement
    n = count[key]
    for (i = 1; i <= n; i++) {
        kept = value[key, i] + 0
        for (j = i - 1; j >= 1 && list[j] > kept; j--) list[j + 1] = list[j]
        list[j + 1] = kept
    }
    if (place == "low") return list[1]
    if (place == "high") return list[n]
    return list[int((n + 1) / 2)]
}
function median(name, measurement) { return sorted(name, measurement, "middle") }
function low(name, measurement) { return sorted(name, measurement, "low") }
function high(name, measurement) { return sorted(name, measurement, "high") }
function grouped(number,    text, out) {
    text = sprintf("%.0f", number)
    while (length(text) > 3) {
        out = "," substr(text, length(text) - 2) out
        text = substr(text, 1, length(text) - 3)
    }
    return text out
}
# Three digits that count, no more.
function short(number) {
    if (number >= 100) return grouped(number)
    if (number >= 10) return sprintf("%.1f", number)
    return sprintf(number >= 1 ? "%.2f" : "%.3f", number)
}
function rounded(number,    unit) {
    unit = 1
    while (number / unit >= 1000) unit *= 10
    return grouped(int(number / unit + 0.5) * unit)
}
function ratio(a, b,    r) {
    r = a / b
    return r >= 100 ? sprintf("%.0f ×", r) : r >= 10 ? sprintf("%.1f ×", r) : sprintf("%.2f ×", r)
}
