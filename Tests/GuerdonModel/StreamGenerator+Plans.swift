import TestSupport

extension StreamGenerator {
    mutating func planChange(in world: Int) -> Line {
        if random.once(in: 4), let id = worlds[world].plans.randomElement(using: &random) {
            return line("plan.end", in: world).with("plan", text: id)
                .with("at", text: random.once(in: 2) ? nil : moment())
        }
        return plan(in: world, isValid: !(has(.invalidPlans) && random.once(in: 3)))
    }

    mutating func plan(in world: Int, isValid: Bool) -> Line {
        let id = "p\(random.number(1...3))"
        if !worlds[world].plans.contains(id) { worlds[world].plans.append(id) }
        var plan = Line("")
        plan.fields = []
        plan["plan"] = Line.quoted(id)
        if random.once(in: 3) { plan["title"] = "\"Plan\"" }
        if random.once(in: 4) { plan["schedule"] = "{\"kind\":\"instant\"}" }
        if random.once(in: 4) { plan["starts"] = Line.quoted(random.once(in: 2) ? past() : date(daysBack: 0...40)) }
        if random.once(in: 6) { plan["ends"] = random.pick(["null", Line.quoted(date(daysBack: -60...(-1)))]) }
        if has(.conditions) && random.once(in: 4) { plan["audience"] = Line.quoted(condition()) }
        if has(.debt) && random.once(in: 2) {
            plan["clawback"] = random.pick(["\"debt\"", "\"debt\"", "\"available\""])
        }
        if random.once(in: 2), let account = worlds[world].accounts.randomElement(using: &random) {
            plan["funding"] = Line.quoted(account)
        }
        let bonuses = (1...random.number(1...3)).map { bonus("b\($0)", in: world) }
        plan["bonuses"] = "[" + bonuses.joined(separator: ",") + "]"
        if !isValid { spoil(&plan) }
        return line("plan.put", in: world).with("plan", plan.text)
    }

    private mutating func condition() -> String { random.pick(Conditions.table.keys.sorted()) }

    private mutating func bonus(_ id: String, in world: Int) -> String {
        var bonus = Line("")
        bonus.fields = []
        bonus["bonus"] = Line.quoted(id)
        if has(.conditions) && !random.once(in: 3) { bonus["when"] = Line.quoted(condition()) }
        let rewards = (0..<random.number(1...3)).map { _ in reward(in: world) }
        bonus["rewards"] = "[" + rewards.joined(separator: ",") + "]"
        return bonus.text
    }

    private mutating func reward(in world: Int) -> String {
        if random.once(in: 8) {
            return "{\"to\":\"performer\",\"tag\":\"\(random.pick(["welcomed", "vip", "w", "x"]))\"}"
        }
        let unit = random.pick(worlds[world].units)
        var reward = Line("")
        reward.fields = []
        if has(.uplines) && random.once(in: 2) {
            reward["to"] = "\"upline\""
            let depth = random.once(in: 12) ? random.number(5...60) : random.number(1...4)
            let levels = (0..<depth).map { _ in
                "{" + amount(unit).map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
            }
            reward["levels"] = "[" + levels.joined(separator: ",") + "]"
        } else {
            reward["to"] = "\"performer\""
            for (name, value) in amount(unit) { reward[name] = value }
        }
        reward["currency"] = Line.quoted(unit.id)
        if has(.lifetimes) && random.once(in: 2) { reward["lifetime"] = Line.quoted(lifetime()) }
        if random.once(in: 4) { reward["description"] = random.pick(["\"Welcome\"", "\"Zażółć\""]) }
        if random.once(in: 5) { reward["exchange"] = random.pick(["\"4.25\"", "0.333", "\"100\"", "1"]) }
        return reward.text
    }

    private mutating func amount(_ unit: World.Unit) -> [(String, String)] {
        let fraction = unit.scale > 0 ? "." + String(repeating: "7", count: unit.scale) : ""
        let amounts = ["\"1\"", "\"10\"", "3", "\"0\(fraction)\"", "\"2\(fraction)\"", "0"]
        switch random.number(0...2) {
        case 0:
            let rates = [
                "\"5%\"", "\"3%\"", "\"0.05\"", "0.125", "\"33.333333%\"", "\"100%\"", "\"150%\"", "\"0%\"", "\"50%\"",
            ]
            return [("rate", has(.edgeAmounts) ? random.pick(rates + ["\"100000\"", "1"]) : random.pick(rates))]
        case 1:
            let units = ["\"1.00\"", "\"10\"", "0.5", "\"3\"", "\"0.000001\""]
            return [("per", random.pick(units)), ("amount", random.pick(amounts))]
        default:
            let edge = Line.quoted(ExactDecimal.text(Int64.max, scale: unit.scale))
            return [("amount", has(.edgeAmounts) && random.once(in: 10) ? edge : random.pick(amounts))]
        }
    }

    /// Makes one thing of a plan wrong.
    private mutating func spoil(_ plan: inout Line) {
        let reward = "{\"to\":\"performer\",\"currency\":\"PTS\",\"amount\":\"1\"}"
        let spoiled = { (reward: String) in "[{\"bonus\":\"b\",\"rewards\":[\(reward)]}]" }
        switch random.number(0...13) {
        case 0:
            let invalid = Line.quoted(random.pick(Conditions.invalid))
            plan["bonuses"] = "[{\"bonus\":\"b\",\"when\":\(invalid),\"rewards\":[\(reward)]}]"
        case 1: plan["audience"] = Line.quoted(random.pick(Conditions.invalid))
        case 2: plan["funding"] = "\"nobody\""
        case 3: plan["bonuses"] = spoiled(reward.replacing("PTS", with: "NONE"))
        case 4: plan["schedule"] = "{\"kind\":\"monthly\"}"
        case 5: plan["bonuses"] = spoiled(reward.replacing("\"1\"", with: "\"1.5\""))
        case 6: plan["bonuses"] = spoiled(reward.replacing("\"1\"", with: "\"-1\""))
        case 7: plan["bonuses"] = spoiled(reward.replacing("performer", with: "everybody"))
        case 8:
            let bonus = "{\"bonus\":\"b\",\"rewards\":[\(reward)]}"
            plan["bonuses"] = "[\(bonus),\(bonus)]"
        case 9: plan["clawback"] = "\"never\""
        case 10: plan["starts"] = "\"yesterday\""
        case 11: plan["bonuses"] = nil
        case 12: plan["colour"] = "1"
        default: plan["bonuses"] = spoiled(reward.replacing("\"amount\":\"1\"", with: "\"rate\":\"-5%\""))
        }
    }
}
