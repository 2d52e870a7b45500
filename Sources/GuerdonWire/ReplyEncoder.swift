public import GuerdonCore

/// Writes replies, one JSON object a line, into a sink.
///
/// `id` is always the request's id as JSON text, empty when it had none.
public struct ReplyEncoder {
    /// Where the lines go.
    public let out: ByteSink
    private let texts: RewardTexts?

    /// An encoder that appends to a sink.
    ///
    /// - Parameter texts: kept by whoever writes detailed replies to many batches.
    public init(_ out: ByteSink, texts: RewardTexts? = nil) {
        self.out = out
        self.texts = texts
    }

    /// `{"id":7,` of a reply, or `{`.
    @inline(__always) func begin(_ id: UnsafeRawBufferPointer) {
        if id.isEmpty {
            out.write(UInt8(ascii: "{"))
        } else {
            out.ascii("{\"id\":")
            out.write(id)
            out.write(UInt8(ascii: ","))
        }
    }

    /// `{"id":7,"ok":true,"seq":1234` without its end.
    @inline(__always) func success(_ id: UnsafeRawBufferPointer, _ sequence: UInt64) {
        begin(id)
        out.ascii("\"ok\":true,\"seq\":")
        Digits.write(sequence, into: out)
    }

    /// A reply that says no more than that it is done: `{"id":7,"ok":true,"seq":1234}`.
    @inline(__always)
    public func done(id: UnsafeRawBufferPointer, sequence: UInt64) {
        success(id, sequence)
        out.ascii("}\n")
    }

    /// The reply to a command that was applied before: `sequence` is that of the first one.
    public func duplicate(id: UnsafeRawBufferPointer, sequence: UInt64) {
        success(id, sequence)
        out.ascii(",\"duplicate\":true}\n")
    }

    /// A refusal.
    ///
    /// - Parameter number: the command's number on its connection, told in cumulative mode.
    public func refusal(id: UnsafeRawBufferPointer, _ refusal: Refusal, number: UInt64? = nil) {
        begin(id)
        if let number {
            out.ascii("\"n\":")
            Digits.write(number, into: out)
            out.write(UInt8(ascii: ","))
        }
        out.ascii("\"ok\":false,\"error\":")
        var writer = JSONWriter(out)
        writer.beginObject()
        writer.key("code")
        writer.string(refusal.code.name)
        writer.key("message")
        writer.string(refusal.message)
        if !refusal.field.isEmpty {
            writer.key("field")
            writer.string(refusal.field)
        }
        writer.endObject()
        out.ascii("}\n")
    }

    /// The acknowledgement of the first `count` commands of a connection.
    public func acknowledged(count: UInt64, sequence: UInt64) {
        out.ascii("{\"ack\":")
        Digits.write(count, into: out)
        out.ascii(",\"seq\":")
        Digits.write(sequence, into: out)
        out.ascii("}\n")
    }

    /// The reply to one command of a batch, whatever came of it.
    ///
    /// - Parameters:
    ///   - index: the command's index in its batch.
    ///   - results: of the batch.
    ///   - line: cursor into the batch's reward lines; starts at 0 and is moved on from command to command.
    ///   - detail: whether to say what was paid.
    ///   - number: the command's number on its connection, told with a refusal in cumulative mode.
    @inline(__always)
    public func outcome(
        id: UnsafeRawBufferPointer, of index: Int, in results: BatchResults, detail: Bool, line: inout Int,
        number: UInt64? = nil, names: some NameSource
    ) {
        let outcome = results.outcomes[index]
        if outcome.code == .none, !outcome.isDuplicate, outcome.extra == CommandOutcome.noExtra, !detail {
            return done(id: id, sequence: outcome.sequence)
        }
        rare(id, index, outcome, results, detail, &line, number, names)
    }

    @inline(never)
    private func rare(
        _ id: UnsafeRawBufferPointer, _ index: Int, _ outcome: CommandOutcome, _ results: BatchResults, _ detail: Bool,
        _ line: inout Int, _ number: UInt64?, _ names: some NameSource
    ) {
        let extra = outcome.extra == CommandOutcome.noExtra ? nil : results.extras[Int(outcome.extra)]
        guard outcome.code == .none else {
            if case .refusal(let refusal)? = extra { return self.refusal(id: id, refusal, number: number) }
            return refusal(id: id, Refusal(outcome.code, outcome.code.sentence), number: number)
        }
        if outcome.isDuplicate { return duplicate(id: id, sequence: outcome.sequence) }
        success(id, outcome.sequence)
        switch extra {
        case .member(let created, let code):
            if created { out.ascii(",\"created\":true") } else { out.ascii(",\"created\":false") }
            out.ascii(",\"referralCode\":")
            var writer = JSONWriter(out)
            writer.string(code)
        case .plan(let plan, let version):
            out.ascii(",\"plan\":")
            var writer = JSONWriter(out)
            writer.string(plan)
            out.ascii(",\"version\":")
            Digits.write(Int64(version), into: out)
        case .refusal, nil:
            if detail, outcome.hasRewards { rewards(index, results.lines, &line, names) }
        }
        out.ascii("}\n")
    }

    /// `,"rewards":[…]` for a command that has some or could have had some.
    private func rewards(
        _ index: Int, _ lines: ContiguousArray<RewardLine>, _ line: inout Int, _ names: some NameSource
    ) {
        while line < lines.count, lines[line].command < index { line += 1 }
        out.ascii(",\"rewards\":[")
        let texts = texts ?? RewardTexts()
        var isFirst = true
        while line < lines.count, lines[line].command == index {
            if isFirst { out.ascii("{\"member\":") } else { out.ascii(",{\"member\":") }
            isFirst = false
            reward(lines[line], texts, names)
            line += 1
        }
        out.write(UInt8(ascii: "]"))
    }

    /// A reward behind `"member":`.
    @inline(__always)
    private func reward(_ line: RewardLine, _ texts: RewardTexts, _ names: some NameSource) {
        let found = texts.find(line, names)
        out.quoted(names.memberID(workspace: Int(line.workspace), member: line.member))
        out.write(found.before)
        Digits.write(line.amount, scale: found.scale, into: out)
        out.write(found.behind)
        if line.shortfall != 0 {
            out.ascii(",\"shortfall\":\"")
            Digits.write(line.shortfall, scale: found.scale, into: out)
            out.write(UInt8(ascii: "\""))
        }
        out.write(UInt8(ascii: "}"))
    }
}
