public import GuerdonCore

/// Replies to the frequent reads of one state.
///
/// What many of them have in common is looked up and encoded once. For one thread.
public final class QuickReplies {
    private let reads = QuickReads()
    private var sequence: UInt64 = 0
    /// The fields of the list that was answered last, and what it was asked for.
    private let list = ByteSink(capacity: 1024)
    private var listed = (period: 0, limit: 0)

    public init() {}

    deinit { list.deallocate() }

    /// Begins to answer from a state; to be called again whenever it may have changed.
    ///
    /// - Parameter now: tells which period is the current one, in nanoseconds since 1970.
    public func begin(_ world: World, now: Int64) {
        sequence = world.sequence
        reads.begin(world, now: now)
        listed = (0, 0)
    }

    /// Ends answering.
    public func end() { reads.end() }

    /// Answers a read.
    ///
    /// - Parameter id: of the request as JSON text; empty when it has none.
    /// - Returns: false, and nothing is written, when the read is to be answered another way: something that it names is not
    ///   there, say.
    public func answer(
        _ read: PlainRead, _ names: PlainReadNames, id: UnsafeRawBufferPointer, into encoder: ReplyEncoder
    ) -> Bool {
        let out = encoder.out
        switch read.operation {
        case .ping: encoder.done(id: id, sequence: sequence)
        case .member: return false
        case .wallet:
            guard reads.choose(workspace: names.workspace), let member = reads.member(names.member) else {
                return false
            }
            encoder.success(id, sequence)
            wallet(member, names.member, out)
        case .rank:
            guard reads.choose(workspace: names.workspace),
                let period = reads.period(board: names.board, names.period),
                let member = reads.member(names.member)
            else { return false }
            encoder.success(id, sequence)
            rank(member, period, around: Int(read.places), out)
        case .top:
            guard reads.choose(workspace: names.workspace),
                let period = reads.period(board: names.board, names.period)
            else { return false }
            let limit = Int(read.places)
            if listed != (period.number, limit) {
                list.removeAll()
                top(period, limit, list)
                listed = (period.number, limit)
            }
            encoder.success(id, sequence)
            out.write(list.bytes)
        }
        return true
    }

    /// The fields of a rank and the end of the line.
    private func rank(_ member: UInt32, _ period: QuickReads.Period, around: Int, _ out: ByteSink) {
        let own = reads.rank(of: member, in: period, around: around)
        out.ascii(",\"rank\":")
        if let rank = own.rank { Digits.write(UInt64(rank), into: out) } else { out.ascii("null") }
        out.ascii(",\"score\":\"")
        Digits.write(own.score, scale: period.frame.scale, into: out)
        out.ascii("\",\"entries\":[")
        places(scale: period.frame.scale, out)
        out.ascii("]}\n")
    }

    /// The fields of a list from the first place on and the end of the line.
    private func top(_ period: QuickReads.Period, _ limit: Int, _ out: ByteSink) {
        let frame = period.frame
        var writer = JSONWriter(out)
        out.write(UInt8(ascii: ","))
        writer.frame(frame)
        out.ascii(",\"entries\":[")
        reads.list(period, from: 0, limit: limit)
        places(scale: frame.scale, out)
        out.ascii("]}\n")
    }

    private func places(scale: Int, _ out: ByteSink) {
        var isFirst = true
        for place in reads.places.elements {
            if isFirst { out.ascii("{\"rank\":") } else { out.ascii(",{\"rank\":") }
            isFirst = false
            Digits.write(UInt64(place.rank), into: out)
            out.ascii(",\"member\":")
            out.quoted(reads.id(of: place.member))
            out.ascii(",\"score\":\"")
            Digits.write(place.score, scale: scale, into: out)
            out.ascii("\"}")
        }
    }

    /// The fields of a wallet and the end of the line.
    private func wallet(_ member: UInt32, _ id: UnsafeRawBufferPointer, _ out: ByteSink) {
        out.ascii(",\"member\":")
        out.quoted(id)
        out.ascii(",\"balances\":")
        var writer = JSONWriter(out)
        writer.beginList()
        reads.wallet(of: member) { balance in
            writer.balance(
                balance.code, scale: balance.scale, available: balance.available, debt: balance.debt, lots: nil)
        }
        writer.endList()
        out.ascii("}\n")
    }
}
