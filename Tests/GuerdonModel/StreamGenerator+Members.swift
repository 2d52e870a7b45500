import TestSupport

extension StreamGenerator {
    /// Somebody known, or now and then somebody new.
    mutating func anyMember(in world: Int) -> String {
        if has(.autoCreate) && random.once(in: 25) {
            let id = "auto\(random.number(1...9))"
            if !worlds[world].members.contains(id) { worlds[world].members.append(id) }
            return id
        }
        return random.pick(worlds[world].members + (worlds[world].members.isEmpty ? ["m1"] : []))
    }

    mutating func newMember(in world: Int) -> Line {
        let number = worlds[world].members.count + 1
        var id = "m\(number)"
        // Two ids that look the same but differ in bytes, and the longest one.
        if has(.oddIds) {
            switch number {
            case 3: id = "caf\u{e9}"
            case 4: id = "cafe\u{301}"
            case 5: id = String(repeating: "x", count: 128)
            case 6: id = "\"\\\u{1}/\u{1F600}"
            default: break
            }
        }
        var line = line("member.put", in: world).with("member", text: id)
        if has(.uplines) && number > 1 && !random.once(in: 5) {
            if has(.codes) && random.once(in: 4) {
                line["referralCode"] = Line.quoted("REF-\(random.number(1...number))")
            } else {
                // A chain as often as a bush.
                let above = random.once(in: 2) ? worlds[world].members.last! : random.pick(worlds[world].members)
                line["referrer"] = Line.quoted(above)
            }
        }
        worlds[world].members.append(id)
        return facts(line)
    }

    mutating func memberChange(in world: Int) -> Line {
        var line = line("member.put", in: world).with("member", text: anyMember(in: world))
        switch random.number(0...5) {
        case 0: line["referrer"] = random.once(in: 15) ? "null" : Line.quoted(anyMember(in: world))
        case 1 where has(.codes):
            line["referralCode"] = Line.quoted(random.pick(["REF-1", "REF-2", "X3Y", "4", "ADA", "REF-02", "nope"]))
            if random.once(in: 4) { line["referrer"] = Line.quoted(anyMember(in: world)) }
        case 2 where has(.codes):
            line["code"] = random.pick([
                "\"ADA\"", "\"BOB\"", "null", "\"REF-2\"", "\"REF-900\"", "\"REF-02\"", "\"X1Y\"",
            ])
        default: line = facts(line)
        }
        return line
    }

    /// Adds some facts about a member, present, changed or cleared.
    private mutating func facts(_ line: Line) -> Line {
        var line = line
        if random.once(in: 3) { line["kind"] = random.pick(["\"staff\"", "\"ambassador\"", "null"]) }
        if random.once(in: 3) { line["tags"] = random.pick(["[]", "[\"vip\"]", "[\"w\",\"vip\",\"w\"]", "null"]) }
        if random.once(in: 5) { line["name"] = random.pick(["\"Ada\"", "\"Łucja Żak\"", "\"Bob\"", "null"]) }
        if random.once(in: 8) { line["birthday"] = random.pick(["\"1990-02-28\"", "\"2000-02-29\"", "null"]) }
        if random.once(in: 8) { line["registered"] = random.pick(["\"2026-01-05\"", "\"2026-06-30\"", "null"]) }
        if random.once(in: 8) { line["email"] = random.pick(["\"a@x.pl\"", "null"]) }
        if random.once(in: 8) { line["phone"] = random.pick(["\"+48 600 100 200\"", "null"]) }
        if has(.attributes) && random.once(in: 3) {
            line["attributes"] = random.pick([
                "{\"region\":\"north\"}", "{\"region\":\"south\",\"age\":17}", "{\"age\":18}", "{\"age\":18.5}",
                "{\"age\":\"old\"}", "{\"age\":null}", "{\"region\":null,\"list\":[1,2.50,{\"deep\":[true]}]}", "{}",
                "null",
            ])
        }
        return line
    }
}
