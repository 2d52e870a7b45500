import GuerdonCore

/// A plan from its object; refusals name the path of the field.
enum PlanDecoding {
    static func plan(_ object: Node) throws(Refusal) -> PlanDefinition {
        let fields = try Fields(
            object,
            known: ["plan", "title", "schedule", "funding", "starts", "ends", "audience", "clawback", "bonuses"],
            path: "plan.", code: .planInvalid)
        var plan = PlanDefinition(plan: try fields.required("plan", fields.id), bonuses: [])
        plan.title = try fields.text("title")
        try schedule(fields)
        plan.funding = try fields.id("funding")
        plan.starts = try instant(fields, "starts")
        plan.ends = try instant(fields, "ends")
        plan.audience = try fields.expression("audience")
        plan.clawback = try fields.choice("clawback", [("available", .available), ("debt", .debt)]) ?? .available
        for (path, bonus) in try objects(fields, "bonuses") { plan.bonuses.append(try self.bonus(bonus, path)) }
        return plan
    }

    private static func schedule(_ fields: Fields) throws(Refusal) {
        guard let value = fields.value("schedule") else { return }
        guard value.kind == .object else { throw fields.refuse("schedule", "must be {\"kind\":\"instant\"}.") }
        let inner = try Fields(value, known: ["kind"], path: "plan.schedule.", code: .planInvalid)
        let kind = try inner.required("kind", inner.text)
        guard kind == "instant" else {
            throw inner.refuse("kind", "only \"instant\" plans are available; \"\(kind)\" is not available yet.")
        }
    }

    private static func instant(_ fields: Fields, _ name: StaticString) throws(Refusal) -> PlanInstant? {
        guard let text = try fields.text(name) else { return nil }
        return try text.withBytes { bytes throws(Refusal) in
            if let day = TimeText.date(bytes) { return .date(Int32(day)) }
            if let time = TimeText.time(bytes) { return .time(time) }
            throw fields.refuse(
                name, "must be a date such as \"2026-01-31\" or a time such as \"2026-01-31T00:00:00Z\".")
        }
    }

    /// The objects of a list that must be there, each with its path.
    private static func objects(
        _ fields: Fields, _ name: StaticString
    ) throws(Refusal) -> [(path: String, object: Node)] {
        guard let value = fields.value(name), value.kind == .list else {
            throw fields.refuse(name, "must be a list of objects.")
        }
        var result: [(path: String, object: Node)] = []
        for (i, element) in value.elements.enumerated() {
            let path = "\(fields.path)\(name)[\(i)]"
            guard element.kind == .object else {
                throw Refusal(.planInvalid, field: path, "\(path): must be an object.")
            }
            result.append((path, element))
        }
        return result
    }

    private static func bonus(_ object: Node, _ path: String) throws(Refusal) -> BonusDefinition {
        let fields = try Fields(object, known: ["bonus", "when", "rewards"], path: path + ".", code: .planInvalid)
        var bonus = BonusDefinition(
            bonus: try fields.required("bonus", fields.id), when: try fields.expression("when"), rewards: [])
        for (path, reward) in try objects(fields, "rewards") { bonus.rewards.append(try self.reward(reward, path)) }
        return bonus
    }

    private static func reward(_ object: Node, _ path: String) throws(Refusal) -> RewardDefinition {
        let fields = try Fields(
            object,
            known: [
                "to", "currency", "per", "amount", "rate", "levels", "lifetime", "description", "exchange", "tag",
            ], path: path + ".", code: .planInvalid)
        let isUpline = try fields.required("to") { name throws(Refusal) in
            try fields.choice(name, [("performer", false), ("upline", true)])
        }
        if let tag = try fields.id("tag") {
            guard !isUpline else { throw fields.refuse("to", "a tag can only be given to the performer.") }
            guard fields.holdsOnly(["to", "tag"]) else {
                throw fields.refuse("tag", "a reward gives a tag or an amount; make two rewards of it.")
            }
            return RewardDefinition(gift: .tag(tag))
        }
        let currency = try fields.required("currency", fields.id)
        let gift: RewardDefinition.Gift
        if isUpline {
            for name: StaticString in ["per", "amount", "rate"] where fields.value(name) != nil {
                throw fields.refuse(name, "belongs into the levels of a reward to the upline.")
            }
            gift = .upline(currency: currency, levels: try levels(fields))
        } else {
            guard fields.value("levels") == nil else {
                throw fields.refuse("levels", "only a reward to the upline has levels.")
            }
            gift = .performer(currency: currency, try formula(fields))
        }
        return RewardDefinition(
            gift: gift, lifetime: try fields.duration("lifetime"), description: try fields.text("description"),
            exchange: try fields.decimal("exchange"))
    }

    private static func levels(_ fields: Fields) throws(Refusal) -> [Formula?] {
        guard let value = fields.value("levels"), value.kind == .list else {
            throw fields.refuse("levels", "must be a list with what each level above the performer gets.")
        }
        var levels: [Formula?] = []
        for (i, element) in value.elements.enumerated() {
            let path = "\(fields.path)levels[\(i)]"
            if element.isNull {
                levels.append(nil)
                continue
            }
            guard element.kind == .object else {
                throw Refusal(
                    .planInvalid, field: path, "\(path): must be an object such as {\"rate\":\"5%\"}, or null.")
            }
            let inner = try Fields(element, known: ["per", "amount", "rate"], path: path + ".", code: .planInvalid)
            levels.append(try formula(inner))
        }
        return levels
    }

    private static func formula(_ fields: Fields) throws(Refusal) -> Formula {
        if fields.value("rate") != nil {
            for name: StaticString in ["amount", "per"] where fields.value(name) != nil {
                throw fields.refuse(name, "a reward has a rate or an amount, not both.")
            }
            return .rate(try rate(fields))
        }
        let amount = try fields.required("amount", fields.decimal)
        guard let per = try fields.decimal("per") else { return .fixed(amount) }
        return .perUnit(per: per, amount: amount)
    }

    /// A share: `"5%"`, `"0.05"` or `0.05`.
    private static func rate(_ fields: Fields) throws(Refusal) -> DecimalNumber {
        if let text = fields.value("rate"), text.kind == .string, text.text.bytes.last == UInt8(ascii: "%") {
            let digits = Text(bytes: text.text.bytes.dropLast())
            let number = try digits.withBytes { bytes throws(Refusal) in try fields.decimal(bytes, "rate") }
            guard number.scale <= UInt8(Limits.decimalScale) - 2 else {
                throw fields.refuse("rate", "has too many decimals.")
            }
            return DecimalNumber(coefficient: number.coefficient, scale: number.scale + 2)
        }
        return try fields.required("rate", fields.decimal)
    }
}
