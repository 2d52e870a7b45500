/// A source of request lines for the load loop.
protocol LineSource {
    /// Writes the next line with its newline; returns what it is, or nil when there is nothing more to send.
    mutating func writeNext(into lines: inout LineWriter) -> LineKind?
}

/// What the load loop has to know about a line that it sends.
enum LineKind {
    case command
    case duplicate
    case read
}

extension ScoringJob {
    /// The longest line that a source writes, newline included.
    static let lineBytesMax = 320

    /// The commands that prepare an empty server for the job: two currencies, the plans, one board.
    ///
    /// - Parameters:
    ///   - levels: how many upline levels are paid, 0 to 100: 5 %, 3 %, and 1 % for each further one.
    ///   - plans: how many plans there are, at least 1; all but the first are for actions of other types.
    public static func setupLines(levels: Int = 3, plans: Int = 1) -> [String] {
        precondition(levels >= 0 && plans >= 1)
        var lines = [
            #"{"op":"currency.put","currency":"PTS","kind":"points","scale":0}"#,
            #"{"op":"currency.put","currency":"USD","kind":"money","scale":2}"#,
            planLine("scoring", type: "purchase", levels: levels),
        ]
        for number in 1..<plans { lines.append(planLine("other-\(number)", type: "other-\(number)", levels: levels)) }
        lines.append(
            #"{"op":"board.put","board":"monthly","score":{"currency":"PTS"},"period":"month","ties":"competition"}"#)
        return lines
    }

    /// Points to the performer of actions of one type, and shares of their value to the upline.
    private static func planLine(_ plan: String, type: String, levels: Int) -> String {
        let when = #""when":"action.type == '\#(type)'","#
        let rates = (0..<levels).map { level in #"{"rate":"\#(level == 0 ? 5 : level == 1 ? 3 : 1)%"}"# }
        let referral =
            #"{"bonus":"referral",\#(when)"rewards":[{"to":"upline","currency":"USD","levels":"#
            + "[\(rates.joined(separator: ","))]}]}"
        return #"{"op":"plan.put","plan":{"plan":"\#(plan)","bonuses":["#
            + #"{"bonus":"points",\#(when)"rewards":[{"to":"performer","currency":"PTS","per":"1.00","amount":"1"}]}"#
            + (levels == 0 ? "" : ",\(referral)") + "]}}"
    }

    /// Writes the line that creates a member.
    func writeMember(_ member: UInt64, into lines: inout LineWriter) {
        lines.text(#"{"op":"member.put","member":"m"#)
        lines.number(member)
        if let referrer = referrer(of: member) {
            lines.text(#"","referrer":"m"#)
            lines.number(referrer)
        }
        lines.text("\"}\n")
    }

    /// The external id of the action with a number.
    func externalId(_ number: UInt64) -> String { "s\(seed)-\(number)" }

    /// Writes the line of an action. All actions occur in November 2026, 1,024 in a second.
    @inline(__always)
    func writeAction(_ action: Action, into lines: inout LineWriter) {
        lines.text(#"{"op":"action","externalId":"s"#)
        lines.number(seed)
        lines.text("-")
        lines.number(action.number)
        lines.text(#"","performer":"m"#)
        lines.number(action.performer)
        lines.text(#"","type":"purchase","value":""#)
        lines.number(action.cents / 100)
        lines.text(".")
        lines.number(action.cents % 100, digits: 2)
        let second = (action.number >> 10) % (30 * 86_400)
        lines.text(#"","currency":"USD","at":"2026-11-"#)
        lines.number(1 + second / 86_400, digits: 2)
        lines.text("T")
        lines.number(second / 3_600 % 24, digits: 2)
        lines.text(":")
        lines.number(second / 60 % 60, digits: 2)
        lines.text(":")
        lines.number(second % 60, digits: 2)
        lines.text("Z\"}\n")
    }

    /// The lines that create some members, of whom the stream may know nothing yet.
    public func memberLines(_ members: Range<UInt64>) -> [UInt8] {
        lines(members.count) { lines in
            for member in members { writeMember(member, into: &lines) }
        }
    }

    /// The lines of the actions at some positions of the stream, those that are sent again included.
    public func actionLines(_ positions: Range<UInt64>) -> [UInt8] {
        lines(positions.count) { lines in
            for position in positions { writeAction(action(number(at: position)), into: &lines) }
        }
    }

    private func lines(_ count: Int, _ write: (inout LineWriter) -> Void) -> [UInt8] {
        var lines = LineWriter(capacity: count * Self.lineBytesMax)
        write(&lines)
        return lines.withBytes(from: 0) { Array($0) }
    }

    /// Writes a read: the neighbours of a member on the board, or a member's wallet.
    func writeRead(_ draw: UInt64, into lines: inout LineWriter) {
        let member = Self.scaled(draw >> 32, below: members)
        if draw & 1 == 0 {
            lines.text(#"{"op":"board.rank","board":"monthly","period":"2026-11","around":5,"member":"m"#)
        } else {
            lines.text(#"{"op":"wallet","member":"m"#)
        }
        lines.number(member)
        lines.text("\"}\n")
    }
}

/// All members, each behind its referrer.
struct MemberLines: LineSource {
    let job: ScoringJob
    private var next: UInt64 = 0

    init(_ job: ScoringJob) { self.job = job }

    mutating func writeNext(into lines: inout LineWriter) -> LineKind? {
        guard next < job.members else { return nil }
        job.writeMember(next, into: &lines)
        next += 1
        return .command
    }
}

/// The actions from a position on, with reads mixed in.
struct ActionLines: LineSource {
    let job: ScoringJob
    /// The position of the next action.
    private(set) var position: UInt64
    private let end: UInt64
    /// Out of 2³² lines, how many are reads.
    private let readThreshold: UInt64
    private var lineNumber: UInt64 = 0

    /// - Parameters:
    ///   - limit: how many actions at most.
    ///   - readRatio: the share of lines that are reads, 0 to 0.99.
    init(_ job: ScoringJob, from position: UInt64, limit: UInt64, readRatio: Double) {
        precondition(readRatio >= 0 && readRatio <= 0.99)
        self.job = job
        self.position = position
        end = position.addingReportingOverflow(limit).overflow ? .max : position + limit
        readThreshold = UInt64(readRatio * 0x1p32)
    }

    @inline(__always)
    mutating func writeNext(into lines: inout LineWriter) -> LineKind? {
        guard position < end else { return nil }
        if readThreshold > 0 {
            lineNumber &+= 1
            let draw = ScoringJob.mixed(lineNumber, seed: ~job.seed &+ position)
            if draw & 0xFFFF_FFFF < readThreshold {
                job.writeRead(ScoringJob.mixed(draw, seed: job.seed), into: &lines)
                return .read
            }
        }
        let number = job.number(at: position)
        job.writeAction(job.action(number), into: &lines)
        defer { position += 1 }
        return number == position ? .command : .duplicate
    }
}
