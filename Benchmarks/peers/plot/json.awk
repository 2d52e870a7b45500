# Everything that was measured: contestant, measurement, the values of all rounds.
END {
    printf "{\"date\":\"%s\",\"machine\":\"%s\",\"members\":%d,\"rounds\":%d,\"contestants\":{", date, machine, members, rounds
    for (c = 1; c <= columns; c++) {
        if (!(column[c] in present)) continue
        printf "%s\n\"%s\":{", between++ ? "," : "", column[c]
        inner = 0
        for (k = 1; k <= keys; k++) {
            split(order[k], part, SUBSEP)
            if (part[1] != column[c]) continue
            printf "%s\"%s\":[", inner++ ? "," : "", part[2]
            for (i = 1; i <= count[order[k]]; i++) {
                v = value[order[k], i]
                printf("%s%s", (i > 1 ? "," : ""), (v ~ /^[0-9.]+(e[+-]?[0-9]+)?$/ && part[2] !~ /hash$/ ? v : "\"" v "\""))
            }
            printf "]"
        }
        printf "}"
    }
    print "\n}}"
}
