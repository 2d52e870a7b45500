#!/usr/bin/awk -f
# The CDNOW purchases as the quickstart needs them, and what they must come to, computed on its own.
#
#   cdnow.awk -v output=members purchases   request lines that make the members
#   cdnow.awk -v output=actions purchases   request lines, one action for each purchase
#   cdnow.awk -v output=wallets purchases   "member points dollars" as they must be
#   cdnow.awk -v output=scores [-v period=1997-03] purchases   "score line member", line being the last that counted
#
# Everything is an integer below 2^53, so awk's numbers are exact.

# Who referred customer number i; 0 for nobody.
function referrer(i) { return i % 1000 == 0 ? 0 : int((i - 1) / 5) }

# A share of an amount in cents, halves rounded up.
function share(cents, percent) { return int((cents * percent + 50) / 100) }

function dollars(cents) { return sprintf("%d.%02d", int(cents / 100), cents % 100) }

{
    customer = $1 + 0
    id[customer] = $1
    month = substr($2, 1, 4) "-" substr($2, 5, 2)
    day = substr($2, 7, 2)
    split($4, parts, ".")
    cents = parts[1] * 100 + parts[2]
}

output == "members" && !(customer in seen) {
    seen[customer] = 1
    from = referrer(customer)
    print "{\"op\":\"member.put\",\"member\":\"" $1 "\"" (from ? ",\"referrer\":\"" id[from] "\"" : "") "}"
}

output == "actions" {
    print "{\"op\":\"action\",\"externalId\":\"cdnow-" NR "\",\"performer\":\"" $1 "\",\"type\":\"purchase\",\"value\":\"" $4 \
        "\",\"currency\":\"USD\",\"at\":\"" month "-" day "T12:00:00Z\"}"
}

output == "wallets" {
    points[customer] += int(cents / 100)
    one = referrer(customer)
    two = one ? referrer(one) : 0
    three = two ? referrer(two) : 0
    if (one) commission[one] += share(cents, 5)
    if (two) commission[two] += share(cents, 3)
    if (three) commission[three] += share(cents, 1)
}

output == "scores" && cents >= 100 && (period == "" || period == "all" || period == month) {
    points[customer] += int(cents / 100)
    last[customer] = NR
}

END {
    if (output == "wallets") for (i = 1; i in id; i++) print id[i], points[i] + 0, dollars(commission[i])
    if (output == "scores") for (i in points) print points[i], last[i], id[i]
}
