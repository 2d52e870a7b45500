import GuerdonCore

extension JSONWriter {
    /// A map of custom values.
    mutating func attributes(_ entries: [AttributeEntry]) {
        beginObject()
        for entry in entries {
            key(text: entry.key)
            attribute(entry.value)
        }
        endObject()
    }

    /// A custom value; decimals are numbers with their decimals as they were written.
    mutating func attribute(_ value: AttributeValue) {
        switch value {
        case .null: null()
        case .bool(let bool): self.bool(bool)
        case .int(let number): self.number(number)
        case .decimal(let decimal):
            let digits = ByteSink(capacity: 32)
            defer { digits.deallocate() }
            Digits.write(decimal.coefficient, scale: Int(decimal.scale), into: digits)
            raw(digits.bytes)
        case .string(let text): string(text)
        case .list(let items):
            beginList()
            for item in items { attribute(item) }
            endList()
        case .map(let entries): attributes(entries)
        }
    }

    /// Member and balances of a wallet, as fields.
    mutating func wallet(_ view: WalletAnswer) {
        key("member")
        string(view.member)
        key("balances")
        beginList()
        for balance in view.balances {
            self.balance(
                balance.currency, scale: balance.scale, available: balance.available, debt: balance.debt,
                lots: balance.lots)
        }
        endList()
    }

    /// A balance of a wallet.
    mutating func balance(_ code: Text, scale: Int, available: Int64, debt: Int64, lots: [WalletAnswer.Lot]?) {
        beginObject()
        key("currency")
        string(code)
        key("available")
        amount(available, scale: scale)
        key("pending")
        amount(0, scale: scale)
        key("reserved")
        amount(0, scale: scale)
        if debt > 0 {
            key("debt")
            amount(debt, scale: scale)
        }
        if let lots { self.lots(lots, scale: scale) }
        endObject()
    }

    private mutating func lots(_ lots: [WalletAnswer.Lot], scale: Int) {
        key("lots")
        beginList()
        for lot in lots {
            beginObject()
            key("amount")
            amount(lot.amount, scale: scale)
            key("expires")
            time(lot.expires)
            key("source")
            string(lot.source)
            endObject()
        }
        endList()
    }

    /// A line of a statement.
    mutating func entry(_ entry: StatementAnswer.Entry) {
        beginObject()
        key("seq")
        number(entry.sequence)
        key("at")
        time(entry.at)
        key("recorded")
        time(entry.recorded)
        key("currency")
        string(entry.currency)
        key("amount")
        amount(entry.amount, scale: entry.scale)
        key("balance")
        amount(entry.balance, scale: entry.scale)
        key("kind")
        word(entry.kind.name)
        key("plan")
        string(entry.plan)
        key("version")
        integer(entry.version)
        key("bonus")
        string(entry.bonus)
        key("level")
        integer(entry.level)
        key("source")
        source(entry)
        key("description")
        string(entry.description)
        endObject()
    }

    private mutating func source(_ entry: StatementAnswer.Entry) {
        guard let externalId = entry.sourceExternalId else { return null() }
        beginObject()
        key("member")
        string(entry.sourceMember)
        key("externalId")
        string(externalId)
        if let of = entry.sourceOf {
            key("of")
            string(of)
        }
        endObject()
    }

    private mutating func integer(_ value: Int?) {
        if let value { number(Int64(value)) } else { null() }
    }

    /// A board without its places, as fields.
    mutating func frame(_ view: BoardAnswer) {
        key("board")
        string(view.board)
        key("period")
        string(view.period)
        key("ends")
        if let ends = view.ends {
            time(ends.time, offset: ends.offset == 0 ? nil : ends.offset)
        } else {
            null()
        }
        key("total")
        number(Int64(view.total))
    }

    /// The places of a board, as a list.
    mutating func places(_ view: BoardAnswer) {
        beginList()
        for entry in view.entries {
            beginObject()
            key("rank")
            number(Int64(entry.rank))
            key("member")
            string(entry.member)
            key("score")
            amount(entry.score, scale: view.scale)
            endObject()
        }
        endList()
    }

    /// A command, what it paid and which conditions failed, as fields.
    mutating func explanation(_ view: ExplainAnswer) {
        key("command")
        CommandJSON.write(view.command, sequence: view.sequence, time: view.recorded, into: &self)
        key("rewards")
        beginList()
        for reward in view.rewards {
            beginObject()
            key("member")
            string(reward.member)
            key("currency")
            string(reward.currency)
            key("amount")
            amount(reward.amount, scale: reward.scale)
            key("plan")
            string(reward.plan)
            key("version")
            number(Int64(reward.version))
            key("bonus")
            string(reward.bonus)
            key("level")
            number(Int64(reward.level))
            endObject()
        }
        endList()
        key("failed")
        beginList()
        for failure in view.failures {
            beginObject()
            key("plan")
            string(failure.plan)
            key("version")
            number(Int64(failure.version))
            key("bonus")
            string(failure.bonus)
            key("level")
            number(Int64(failure.level))
            endObject()
        }
        endList()
        key("left")
        if let left = view.left { amount(left, scale: view.valueScale) } else { null() }
    }
}

extension Posting.Kind {
    /// The name on the wire.
    var name: StaticString {
        switch self {
        case .reward: "reward"
        case .reversal: "reversal"
        case .adjustment: "adjustment"
        case .redemption: "redemption"
        case .expiry: "expiry"
        case .conditionError: "conditionError"
        }
    }
}

extension RefusalCode {
    /// What a refusal without a message of its own says.
    var sentence: String {
        switch self {
        case .none: "Nothing is wrong."
        case .badJson: "The line is not JSON."
        case .badRequest: "The request is malformed."
        case .lineTooLong: "The line is too long; send less in one request."
        case .unknownOp: "There is no such operation."
        case .unknownWorkspace: "There is no such workspace; create it with workspace.put."
        case .unknownMember: "There is no such member in this workspace; create it with member.put."
        case .unknownCurrency: "There is no such currency in this workspace; create it with currency.put."
        case .unknownAccount: "There is no such account in this workspace; create it with account.put."
        case .unknownPlan: "There is no such plan in this workspace; create it with plan.put."
        case .unknownBoard: "There is no such board in this workspace; create it with board.put."
        case .unknownAction: "There is no such action in this workspace."
        case .planInvalid: "The plan is not valid."
        case .conflict: "This contradicts what is already there."
        case .cycle: "The referrer is below the member; this would close a loop."
        case .selfReferral: "A member cannot refer himself."
        case .alreadyReferred: "The member has a referrer already."
        case .insufficientFunds: "The wallet does not hold that much."
        case .budgetExhausted: "The budget of the funding account does not allow it."
        case .capReached: "The cap is reached."
        case .amountOutOfRange: "The amount is out of range."
        case .alreadyReversed: "Nothing of the action is left to reverse."
        case .tooLate: "It is too late for that."
        case .unauthorized: "Say hello with a token first."
        case .forbidden: "The token does not allow it."
        case .overloaded: "The server has too much to do; send it again later."
        case .limitExceeded: "A limit is exceeded."
        case .readOnly: "The server only answers reads."
        case .shuttingDown: "The server is shutting down; send it again to the next one."
        case .diskFull: "The server's disk is full; nothing can be stored."
        }
    }
}
