import TestSupport

extension StreamGenerator {
    /// A well-formed command that names something that is not there.
    mutating func unknown(in world: Int) -> Line {
        var action = action(in: world)
        switch random.number(0...9) {
        case 0: action["workspace"] = "\"nowhere\""
        case 1: action["performer"] = "\"nobody\""
        case 2:
            action["currency"] = "\"NONE\""
            action["value"] = "1"
        case 3: action["value"] = "\"1.234567\""
        case 4: return line("plan.end", in: world).with("plan", text: "p9")
        case 5: return redeem(in: world).with("member", text: "nobody")
        case 6: return adjust(in: world).with("currency", text: "NONE")
        case 7:
            return line("reverse", in: world).with("externalId", text: "r-\(random.number(1...9))")
                .with(
                    "of", text: random.pick(["nothing", worlds[world].lines.last?.text.suffix(3).description ?? "x"]))
        case 8:
            return line("account.put", in: world).with("account", text: "other").with("currency", text: "NONE")
        default: action["value"] = "\"-1\""
        }
        return action
    }

    /// A line that is wrong in exactly one way that is found before the state is looked at.
    mutating func malformed(in world: Int) -> String {
        var line = action(in: world).with("value", "\"1\"")
        line["currency"] = nil
        worlds[world].sent.removeLast()
        switch random.number(0...8) {
        case 0: return brokenText(numbered(line))
        case 1: return numbered(line.with(random.pick(["amount", "Value", "x", "externalID"]), "1"))
        case 2: return numbered(line.with(random.pick(["externalId", "performer", "type"]), nil))
        case 3: return numbered(line.with(random.pick(["externalId", "performer", "type"]), "\"\""))
        case 4: return numbered(line.with(random.pick(["externalId", "performer", "type", "title"]), "5"))
        case 5:
            let values = [
                "1e3", "1E-2", "\"1e3\"", "\"+1\"", "\"01\"", "\".5\"", "\"5.\"", "\"\"", "\"abc\"", "true", "[1]",
                "{}",
            ]
            return numbered(line.with("value", random.pick(values)))
        case 6:
            let times = [
                "2026-11-01", "2026-11-01T10:00:00", "2026-02-29T10:00:00Z", "2026-11-01T24:00:00Z",
                "1677-01-01T00:00:00Z",
                "2262-01-01T00:00:00Z", "2026-11-01T10:00:00.1234567891Z", "2026-11-01T10:00:00+25:00", "yesterday", "",
            ]
            return numbered(line.with("at", text: random.pick(times)))
        case 7: return numbered(wrongSetting(in: world))
        default:
            return numbered(
                line.with("attributes", random.pick(["[]", "1", "{\"a\":1e5}", "{\"a\":9223372036854775808}"])))
        }
    }

    private mutating func brokenText(_ text: String) -> String {
        switch random.number(0...9) {
        case 0: return String(text.dropLast())
        case 1: return text + "}"
        case 2: return text.replacing("{\"", with: "{'", maxReplacements: 1)
        case 3: return String(text.dropLast()) + ",}"
        case 4: return "[" + text + "]"
        case 5: return String(text.dropLast()) + ",\"type\":\"purchase\"}"
        case 6:
            return "{\"op\":\"action\",\"attributes\":" + String(repeating: "[", count: 40)
                + String(repeating: "]", count: 40) + "}"
        case 7: return "{\"op\":\"action\",\"title\":\"\u{1}\"}"
        case 8: return "{\"op\":\"action\",\"title\":\"\\ud800\"}"
        default: return "{\"op\":\"action\",\"title\":\"\(String(repeating: "long", count: 17_000))\"}"
        }
    }

    private mutating func wrongSetting(in world: Int) -> Line {
        let settings: [Line] = [
            Line("workspace.put").with("timeZone", text: "Mars/Olympus"),
            Line("workspace.put").with("weekStart", text: "friday"),
            Line("workspace.put").with("referralCode", text: "REF"),
            Line("workspace.put").with("referralCode", text: "{seq}{seq}"),
            Line("workspace.put").with("autoCreateMembers", "1"),
            Line("currency.put").with("currency", text: "X").with("scale", "7"),
            Line("currency.put").with("currency", text: "X").with("kind", text: "gold"),
            Line("currency.put").with("currency", text: "X").with("rounding", text: "floor"),
            Line("currency.put").with("currency", text: "X").with("lifetime", text: "1 day"),
            Line("currency.put").with("currency", text: "X").with("color", text: "blue"), Line("currency.put"),
            Line("member.put").with("member", text: String(repeating: "y", count: 129)),
            Line("member.put").with("member", text: "m1").with("birthday", text: "1990-02-30"),
            Line("member.put").with("member", text: "m1").with("tags", "\"vip\""), Line("plan.put"),
            Line("plan.put").with("plan", "[]"),
            Line("board.put").with("board", text: "b").with("period", text: "hour"),
            Line("board.put").with("board", text: "b").with("ties", text: "modified"), Line("nothing"), Line("Action"),
            Line("wallet"), Line("wallet").with("member", text: "m1").with("lots", "1"),
            Line("statement").with("member", text: "m1").with("limit", "0"),
            Line("statement").with("member", text: "m1").with("limit", "1001"),
            Line("board.top").with("board", text: "b1").with("limit", "\"10\""),
            Line("upline").with("member", text: "m1").with("levels", "-1"),
            Line("redeem").with("externalId", text: "q").with("member", text: "m1").with("currency", text: "PTS"),
        ]
        return random.pick(settings)
    }
}
