/// A motivation plan with all its versions, the newest last.
struct PlanHistory {
    let id: Text
    var versions: [PlanVersion]
}

/// One version of a plan.
struct PlanVersion {
    var version = 0
    var starts: Instant?
    var ends: Instant?
    var funding: Text?
    var audience: String?
    var clawbackIsDebt = false
    var bonuses: [Bonus] = []

    func covers(_ instant: Instant) -> Bool {
        (starts.map { $0 <= instant } ?? true) && (ends.map { instant < $0 } ?? true)
    }
}

/// Condition and rewards.
struct Bonus {
    let id: Text
    var when: String?
    var rewards: [Reward] = []
}

/// What a bonus gives.
enum Reward {
    case tag(Text)
    /// One formula for the performer, or one for each level above him.
    case payment(Payment)
}

/// A reward in a currency.
struct Payment {
    var toUpline: Bool
    var currency: Int
    var formulas: [Formula]
    var lifetime: Lifetime?
    var description: Text?
}

/// Reads a plan against the workspace it is put into.
struct PlanReader {
    let workspace: Workspace

    func read(_ members: [Text: JSON]) throws(Refusal) -> (id: Text, version: PlanVersion) {
        let fields = Fields(members: members, path: "plan.", code: "plan_invalid")
        try fields.allow([
            "plan", "title", "schedule", "funding", "starts", "ends", "audience", "clawback", "bonuses",
        ])
        let id = try fields.requiredId("plan")
        var plan = PlanVersion()
        _ = try fields.text("title")
        try schedule(fields)
        plan.starts = try edge(fields, "starts")
        plan.ends = try edge(fields, "ends")
        if let starts = plan.starts, let ends = plan.ends, ends <= starts { throw fields.refuse("ends") }
        plan.audience = try condition(fields, "audience")
        plan.clawbackIsDebt = try fields.choice("clawback", ["available", "debt"]) == "debt"
        guard case .array(let bonuses)? = fields.value("bonuses") else { throw fields.refuse("bonuses") }
        for (index, json) in bonuses.enumerated() {
            let bonus = try bonus(try object(json, "plan.bonuses[\(index)]"))
            guard !plan.bonuses.contains(where: { $0.id == bonus.id }) else {
                throw Refusal("plan_invalid", "plan.bonuses[\(index)].bonus")
            }
            plan.bonuses.append(bonus)
        }
        if let funding = try fields.id("funding") {
            guard workspace.accounts[funding] != nil else { throw Refusal("unknown_account", "plan.funding") }
            plan.funding = funding
        }
        return (id, plan)
    }

    private func schedule(_ fields: Fields) throws(Refusal) {
        guard let json = fields.value("schedule") else { return }
        guard json == ["kind": "instant"] else { throw Refusal("plan_invalid", openField: ()) }
    }

    private func edge(_ fields: Fields, _ name: Text) throws(Refusal) -> Instant? {
        guard let text = try fields.text(name)?.string else { return nil }
        if let date = CivilDate(text) { return workspace.zone.start(of: date) }
        guard let instant = Instant(rfc3339: text) else { throw fields.refuse(name) }
        return instant
    }

    private func condition(_ fields: Fields, _ name: Text) throws(Refusal) -> String? {
        guard let text = try fields.text(name)?.string else { return nil }
        guard !Conditions.invalid.contains(text) else { throw fields.refuse(name) }
        precondition(Conditions.table[text] != nil, "the model does not know the condition \(text)")
        return text
    }

    private func object(_ json: JSON, _ path: String) throws(Refusal) -> Fields {
        guard case .object(let members) = json else { throw Refusal("plan_invalid", path) }
        return Fields(members: members, path: path + ".", code: "plan_invalid")
    }

    private func bonus(_ fields: Fields) throws(Refusal) -> Bonus {
        try fields.allow(["bonus", "when", "rewards", "title"])
        var bonus = Bonus(id: try fields.requiredId("bonus"))
        bonus.when = try condition(fields, "when")
        guard case .array(let rewards)? = fields.value("rewards") else { throw fields.refuse("rewards") }
        for (index, json) in rewards.enumerated() {
            bonus.rewards.append(try reward(try object(json, fields.path + "rewards[\(index)]")))
        }
        return bonus
    }

    private func reward(_ fields: Fields) throws(Refusal) -> Reward {
        try fields.allow([
            "to", "currency", "per", "amount", "rate", "levels", "lifetime", "description", "exchange", "tag",
        ])
        guard let to = try fields.choice("to", ["performer", "upline"]) else { throw fields.refuse("to") }
        if let tag = try fields.id("tag") {
            guard to == "performer", fields.members.count == 2 else { throw Refusal("plan_invalid", openField: ()) }
            return .tag(tag)
        }
        guard let currencyId = try fields.id("currency") else { throw fields.refuse("currency") }
        guard let currency = workspace.currencyNumber(currencyId) else {
            throw Refusal("unknown_currency", fields.path + "currency")
        }
        let scale = workspace.currencies[currency].scale
        let exchange = try positive(fields, "exchange") ?? ExactDecimal(units: 1, scale: 0)
        var payment = Payment(toUpline: to == "upline", currency: currency, formulas: [])
        payment.lifetime = try fields.lifetime("lifetime").value
        payment.description = try fields.text("description")
        if payment.toUpline {
            guard case .array(let levels)? = fields.value("levels"), !levels.isEmpty else {
                throw fields.refuse("levels")
            }
            for name: Text in ["per", "amount", "rate"] where fields.value(name) != nil { throw fields.refuse(name) }
            for (index, json) in levels.enumerated() {
                let level = try object(json, fields.path + "levels[\(index)]")
                try level.allow(["per", "amount", "rate"])
                payment.formulas.append(try formula(level, scale: scale, exchange: exchange))
            }
        } else {
            guard fields.value("levels") == nil else { throw fields.refuse("levels") }
            payment.formulas = [try formula(fields, scale: scale, exchange: exchange)]
        }
        return .payment(payment)
    }

    private func formula(_ fields: Fields, scale: Int, exchange: ExactDecimal) throws(Refusal) -> Formula {
        if fields.value("rate") != nil {
            guard fields.value("amount") == nil, fields.value("per") == nil else {
                throw Refusal("plan_invalid", openField: ())
            }
            return .rate(try rate(fields), exchange: exchange)
        }
        guard let decimal = try fields.decimal("amount") else { throw Refusal("plan_invalid", openField: ()) }
        guard let amount = decimal.minor(scale: scale), amount >= 0 else { throw fields.refuse("amount") }
        guard let unit = try positive(fields, "per") else { return .fixed(amount) }
        return .per(unit: unit, amount: amount, exchange: exchange)
    }

    private func rate(_ fields: Fields) throws(Refusal) -> ExactDecimal {
        var members = fields.members
        var isPercent = false
        if case .string(let text)? = members["rate"], text.string.hasSuffix("%") {
            isPercent = true
            members["rate"] = .text(String(text.string.dropLast()))
        }
        let plain = Fields(members: members, path: fields.path, code: fields.code)
        guard let rate = try plain.decimal("rate"), rate.units >= 0, rate.scale <= 9 else {
            throw fields.refuse("rate")
        }
        return ExactDecimal(units: rate.units, scale: rate.scale + (isPercent ? 2 : 0))
    }

    private func positive(_ fields: Fields, _ name: Text) throws(Refusal) -> ExactDecimal? {
        guard let decimal = try fields.decimal(name) else { return nil }
        guard decimal.units > 0, decimal.scale <= 9 else { throw fields.refuse(name) }
        return decimal
    }
}
