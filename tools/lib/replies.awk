#!/usr/bin/awk -f
# Replies of the server as plain columns: a wallet as "member points dollars", a rank as "rank score".

# The value of a field in a flat piece of JSON; empty where there is none.
function value(piece, name) {
    if (!match(piece, "\"" name "\":\"?[^\",}]*")) return ""
    piece = substr(piece, RSTART, RLENGTH)
    sub("\"" name "\":\"?", "", piece)
    return piece
}

/"balances":/ {
    points = 0
    dollars = "0.00"
    count = split($0, pieces, "{")
    for (i = 1; i <= count; i++) {
        if (value(pieces[i], "currency") == "PTS") points = value(pieces[i], "available")
        if (value(pieces[i], "currency") == "USD") dollars = value(pieces[i], "available")
    }
    print value($0, "member"), points, dollars
}

/"rank":/ {
    sub(/"entries":\[[^\]]*\]/, "")
    print value($0, "rank"), value($0, "score")
}
