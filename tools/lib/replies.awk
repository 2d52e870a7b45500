#!/usr/bin/awk -f
# Replies of the server as plain columns: a wallet as "member points dollars", a rank as "rank score".

# The text of a field, from the first place where it stands behind `from`.
function text(from, name, at, rest) {
    at = index($0, from)
    if (!at) return ""
    rest = substr($0, at)
    if (!match(rest, "\"" name "\":\"?[^\",}]*")) return ""
    rest = substr(rest, RSTART, RLENGTH)
    sub("\"" name "\":\"?", "", rest)
    return rest
}

/"balances":/ {
    points = text("\"currency\":\"PTS\"", "available")
    dollars = text("\"currency\":\"USD\"", "available")
    print text("{", "member"), points == "" ? 0 : points, dollars == "" ? "0.00" : dollars
}

/"rank":/ { print text("{", "rank"), text("{", "score") }
