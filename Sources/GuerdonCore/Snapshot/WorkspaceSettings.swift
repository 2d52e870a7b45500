// A workspace's settings and named things, as bytes.

extension WorldImage.WorkspaceImage {
    func encodeSettings(into b: ByteSink) {
        b.write(workspace.name)
        b.write(calendars) { entry in
            b.writeVarint(entry.from)
            b.write(entry.calendar.zone.name)
            b.write(entry.calendar.zone.spans) {
                b.writeSigned($0.start)
                b.writeSigned(Int64($0.offset))
            }
            b.write(entry.calendar.weekStart.rawValue)
        }
        b.write(autoCreateMembers)
        b.write(codes.eras) { era in
            b.writeVarint(UInt64(era.from))
            b.write(era.template) { b.write($0.text) }
        }
        b.write(codes.byHand.keys.sorted()) { code in
            b.write(code)
            b.writeVarint(UInt64(codes.byHand[code] ?? 0))
        }
        b.write(Array(currencies)) { c in
            b.write(c.code)
            b.write(c.kind.rawValue)
            b.write(UInt8(c.scale))
            b.write(c.color) { b.write($0) }
            b.write(c.roundings) {
                b.writeVarint($0.from)
                b.write($0.rounding.rawValue)
            }
            b.write(c.lifetimes) { entry in
                b.writeVarint(entry.from)
                b.write(entry.lifetime) { CommandCoding.encode($0, into: b) }
            }
            for amount in [c.books.issuance, c.books.adjustments, c.books.redeemed, c.books.breakage, c.books.credited]
            {
                b.writeSigned(amount)
            }
        }
        b.write(Array(accounts)) { a in
            b.write(a.account)
            b.write(a.legalEntity) { b.write($0) }
            b.writeVarint(UInt64(a.currency))
            b.write(a.budget) { b.writeSigned($0) }
            b.writeSigned(a.spent)
        }
        b.write(boards) { board in
            b.write(board.name)
            b.writeVarint(UInt64(board.currency))
            b.write(board.period.rawValue)
            b.write(board.ties.rawValue)
            b.writeVarint(board.sequence)
        }
        b.write(plans) { plan in
            CommandCoding.encode(plan.definition, into: b)
            b.writeVarint(UInt64(plan.version))
            b.writeVarint(plan.sequence)
            b.writeSigned(plan.starts)
            b.writeSigned(plan.ends)
        }
        b.writeVarint(externalDigest)
        b.writeVarint(actionCount)
        b.writeVarint(conditionErrors)
    }
}

extension Workspace {
    /// Takes the settings that ``WorldImage/WorkspaceImage/encodeSettings(into:)`` wrote; the name was read before.
    func decodeSettings(_ source: inout ByteSource, shardCount: Int) throws {
        func text(_ s: inout ByteSource) throws(MalformedBytes) -> Text { try s.text() }
        let calendars = try source.array { s throws(MalformedBytes) in
            let from = try s.varint()
            let name = try s.text()
            let spans = try s.array { s throws(MalformedBytes) in
                ZoneTable.Span(start: try s.signed(), offset: Int32(truncatingIfNeeded: try s.signed()))
            }
            let weekStart = try s.code(WeekStart.self)
            guard !spans.isEmpty else { throw MalformedBytes(offset: s.position) }
            return (
                from: from, calendar: WorkspaceCalendar(zone: ZoneTable(name: name, spans: spans), weekStart: weekStart)
            )
        }
        guard !calendars.isEmpty else { throw MalformedBytes(offset: source.position) }
        restoreCalendars(calendars)
        autoCreateMembers = try source.bool()
        codes.eras = try source.array { s throws(MalformedBytes) in
            let from = UInt32(truncatingIfNeeded: try s.varint())
            let template = try s.optional(text)
            return ReferralCodes.Era(from: from, template: template.flatMap { ReferralCodes.Template($0) })
        }
        for _ in 0..<(try source.length()) {
            let code = try source.text()
            codes.byHand[code] = UInt32(truncatingIfNeeded: try source.varint())
        }
        for _ in 0..<(try source.length()) { addCurrency(try currency(&source)) }
        for _ in 0..<(try source.length()) {
            let name = try source.text()
            let entity = try source.optional(text)
            let currency = Int(truncatingIfNeeded: try source.varint())
            guard currencies.indices.contains(currency) else { throw MalformedBytes(offset: source.position) }
            addAccount(
                FundingAccount(
                    account: name, legalEntity: entity, currency: currency,
                    budget: try source.optional { s throws(MalformedBytes) in try s.signed() },
                    spent: try source.signed()))
        }
        for _ in 0..<(try source.length()) {
            let name = try source.text()
            let currency = Int(truncatingIfNeeded: try source.varint())
            guard currencies.indices.contains(currency) else { throw MalformedBytes(offset: source.position) }
            addBoard(
                Board(
                    name: name, index: boards.count, currency: currency, period: try source.code(BoardPeriod.self),
                    ties: try source.code(TieStyle.self), sequence: try source.varint(), shardCount: shardCount,
                    members: members, side: side))
        }
        for index in 0..<(try source.length()) {
            let definition = try CommandCoding.plan(&source)
            let version = Int(truncatingIfNeeded: try source.varint())
            let plan = try PlanCompiler(workspace: self).compile(
                definition, index: UInt32(index), version: version, sequence: try source.varint(),
                starts: try source.signed(), ends: try source.signed())
            addPlan(plan)
        }
        externalDigest = try source.varint()
        actionCount = try source.varint()
        conditionErrors = try source.varint()
    }

    private func currency(_ source: inout ByteSource) throws(MalformedBytes) -> Currency {
        let code = try source.text()
        let kind = try source.code(CurrencyKind.self)
        let scale = Int(try source.byte())
        let color = try source.optional { s throws(MalformedBytes) in try s.text() }
        let roundings = try source.array { s throws(MalformedBytes) in
            (from: try s.varint(), rounding: try s.code(Rounding.self))
        }
        let lifetimes = try source.array { s throws(MalformedBytes) in
            (
                from: try s.varint(),
                lifetime: try s.optional { s throws(MalformedBytes) in try CommandCoding.duration(&s) }
            )
        }
        guard Limits.currencyScale.contains(scale), !roundings.isEmpty else {
            throw MalformedBytes(offset: source.position)
        }
        return Currency(
            code: code, kind: kind, scale: scale, roundings: roundings, color: color, lifetimes: lifetimes,
            books: CurrencyBooks(
                issuance: try source.signed(), adjustments: try source.signed(), redeemed: try source.signed(),
                breakage: try source.signed(), credited: try source.signed()))
    }
}
