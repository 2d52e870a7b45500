import TestSupport

extension StreamGenerator {
    private mutating func externalId(in world: Int) -> String {
        worlds[world].nextExternalId += 1
        let number = worlds[world].nextExternalId
        return has(.oddIds) && random.once(in: 40)
            ? String(repeating: "e", count: 124) + padded(number, 4) : "x\(number)"
    }

    mutating func action(in world: Int) -> Line {
        let id = externalId(in: world)
        var line = line("action", in: world).with("externalId", text: id)
            .with("performer", text: anyMember(in: world))
            .with("type", text: random.pick(["purchase", "purchase", "signup", "course.completed", "deal.closed"]))
        var value: Int?
        var unit: World.Unit?
        if !random.once(in: 5) {
            unit = random.once(in: 8) ? nil : random.pick(worlds[world].units)
            let scale = unit?.scale ?? random.number(0...6)
            value = units(scale)
            line["value"] = decimal(value!, scale)
            line["currency"] = unit.map { Line.quoted($0.id) }
            if unit == nil { value = nil }
        }
        worlds[world].sent.append(World.Sent(id: id, value: value, currency: unit))
        if random.once(in: 3) { line["at"] = Line.quoted(moment()) }
        if random.once(in: 4) { line["title"] = random.pick(["\"Order 7\"", "\"x\"", "\"\"", "null"]) }
        if has(.attributes) && random.once(in: 2) {
            line["attributes"] = random.pick([
                "{\"channel\":\"web\"}", "{\"channel\":\"shop\",\"quantity\":3}", "{\"quantity\":2}",
                "{\"quantity\":1.5,\"flag\":true}", "{\"quantity\":\"2\",\"flag\":false}", "{\"flag\":1}", "{}",
                "{\"channel\":7,\"deep\":{\"a\":[1,2,{\"b\":\"c\"}]}}",
            ])
        }
        return line
    }

    /// A number of least units: mostly small, sometimes 0, at the edge of Int64 when the stream wants that.
    private mutating func units(_ scale: Int) -> Int {
        if has(.edgeAmounts) && random.once(in: 3) {
            return random.pick([Int.max, Int.max - 1, Int.max / 2, Int.max / 100, 1 << 53 + 1, 1_000_000_000_000])
        }
        let one = Int(powerOfTen(scale))
        return random.pick([0, 1, one, 10 * one, random.number(0...one), random.number(0...100 * one)])
    }

    /// An amount as JSON text: a string or a number, with or without zeros at its end.
    mutating func decimal(_ units: Int, _ scale: Int) -> String {
        var text = ExactDecimal.text(Int64(units), scale: scale)
        if text.contains("."), random.once(in: 2) {
            while text.last == "0" { text.removeLast() }
            if text.last == "." { text.removeLast() }
        } else if random.once(in: 8) {
            // More of them than the currency has decimals.
            text += (text.contains(".") ? "" : ".") + String(repeating: "0", count: random.number(1...6))
        }
        return random.once(in: 3) ? text : Line.quoted(text)
    }

    /// A reversal of something sent before, the latest more often; `nil` when nothing was sent.
    mutating func reversal(in world: Int) -> Line? {
        let sent = worlds[world].sent
        guard !sent.isEmpty else { return nil }
        let target = random.once(in: 2) ? sent.suffix(4).randomElement(using: &random)! : random.pick(sent)
        var line = line("reverse", in: world).with("externalId", text: externalId(in: world))
            .with("of", text: target.id)
        if !random.once(in: 3) {
            let scale = target.currency?.scale ?? 2
            let value = target.value ?? random.number(0...500)
            switch random.number(0...11) {
            case 0: line["value"] = decimal(value, scale)
            case 1: line["value"] = random.pick(["0", "\"-1\"", "\"0.000001\"", "1000000000000"])
            case 2 where value < Int.max: line["value"] = decimal(value + 1, scale)
            default: line["value"] = decimal(random.number(0...max(0, value / 2)), scale)
            }
        }
        if random.once(in: 3) { line["at"] = Line.quoted(moment()) }
        return line
    }

    mutating func redeem(in world: Int) -> Line {
        let unit = random.pick(worlds[world].units)
        return line("redeem", in: world).with("externalId", text: externalId(in: world))
            .with("member", text: random.pick(worlds[world].members)).with("currency", text: unit.id)
            .with("amount", decimal(random.once(in: 20) ? random.pick([0, -1]) : units(unit.scale) / 3, unit.scale))
            .with("reason", text: random.pick([nil, "mug"])).with("at", text: random.once(in: 6) ? moment() : nil)
    }

    mutating func adjust(in world: Int) -> Line {
        let unit = random.pick(worlds[world].units)
        let amount = units(unit.scale)
        return line("adjust", in: world).with("externalId", text: externalId(in: world))
            .with("member", text: random.pick(worlds[world].members)).with("currency", text: unit.id)
            .with("amount", decimal(random.once(in: 3) ? -amount - (amount == .max ? 1 : 0) : amount, unit.scale))
            .with("reason", text: random.pick([nil, "goodwill"])).with("at", text: random.once(in: 6) ? moment() : nil)
    }

    /// A line that was sent before, with the same or with changed content.
    mutating func resent(in world: Int) -> Line? {
        guard var line = worlds[world].lines.randomElement(using: &random) else { return nil }
        switch random.number(0...9) {
        case 0 where line["value"] != nil: line["value"] = "\"7\""
        case 1 where line["performer"] != nil: line["performer"] = Line.quoted(anyMember(in: world))
        case 2: line["at"] = Line.quoted(moment())
        case 3 where line["amount"] != nil: line["amount"] = "\"7\""
        case 4 where line["type"] != nil: line["title"] = "\"Other\""
        case 5:
            var other = action(in: world)
            other["externalId"] = line["externalId"]
            return other
        case 6 where line["type"] != nil: line["attributes"] = "{\"channel\":\"other\"}"
        case 7:
            // The same number in other words.
            for name in ["value", "amount"] {
                if let text = line[name], text.contains("."), text.hasPrefix("\"") {
                    line[name] = String(text.dropFirst().dropLast())
                } else if let text = line[name], !text.contains("."), !text.hasPrefix("\"") {
                    line[name] = Line.quoted(text)
                }
            }
        default: break
        }
        return line
    }
}
