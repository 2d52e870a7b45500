import GuerdonCore
import GuerdonWire
import Synchronization
import Testing

/// Reads that go back are made at one log position, fetched elsewhere, and answered later.
@Suite struct PastReadTests {
    private static let time: Int64 = 1_793_527_200_000_000_000

    /// A world whose own log must not be touched, and the log that others fetch from.
    private final class Split {
        /// Batches and postings as the engine puts them away.
        final class Archive: LogSource, @unchecked Sendable {
            // Sendable: used by one test at a time.
            var batches: [CommandBatch] = []
            var history: [Posting] = []
            var lookUps = 0

            func command(at sequence: UInt64) throws -> PastCommand {
                lookUps += 1
                guard let batch = batches.last(where: { $0.firstSequence <= sequence }) else { throw Harness.Missing() }
                var source = ByteSource(batch.body.bytes)
                var shape = ActionShape()
                for _ in batch.firstSequence..<sequence { _ = try CommandCoding.decode(&source, shape: &shape) }
                return PastCommand(command: try CommandCoding.decode(&source, shape: &shape), time: batch.time)
            }

            func postings(at sequence: UInt64) throws -> [Posting] {
                lookUps += 1
                return history.filter { $0.sequence == sequence }
            }
        }

        let world = World(log: NoLog())
        let archive = Archive()
        private let decoder = RequestDecoder()
        private var unsaved: [CommandBatch] = []

        /// Applies lines as one batch, with the tick that is due in front; it is not in the archive yet.
        func apply(_ lines: [String], at time: Int64) throws {
            var defaults = ConnectionDefaults()
            let requests = Requests()
            Array(lines.joined(separator: "\n").utf8).withUnsafeBytes {
                _ = decoder.decode(lines: $0, defaults: &defaults, into: requests)
            }
            var expired: [Posting] = []
            if let due = world.nextExpiry(), due <= time {
                let tick = CommandBatch()
                tick.append(.tick)
                try run(tick, time)
                expired = world.takePostings()
            }
            try run(requests.commands, time)
            world.putBefore(expired)
        }

        private func run(_ batch: CommandBatch, _ time: Int64) throws {
            batch.firstSequence = world.sequence + 1
            batch.time = time
            try world.apply(batch)
            unsaved.append(batch)
        }

        /// Puts the batch into the archive.
        func save() {
            archive.batches += unsaved
            unsaved.removeAll()
            archive.history += Array(world.postings.elements)
            world.forgetBatch()
        }
    }

    private func makeWorld() throws -> Split {
        let split = Split()
        try split.apply(
            [
                #"{"op":"currency.put","currency":"PTS","lifetime":"PT1H"}"#,
                #"{"op":"currency.put","currency":"EUR","scale":2}"#,
                #"{"op":"member.put","member":"top"}"#, #"{"op":"member.put","member":"m","referrer":"top"}"#,
                #"{"op":"plan.put","plan":{"plan":"p","bonuses":[{"bonus":"b","rewards":["#
                    + #"{"to":"performer","currency":"PTS","amount":"2"},"#
                    + #"{"to":"upline","currency":"EUR","levels":[{"rate":"10%"}]}]}]}}"#,
            ], at: Self.time)
        split.save()
        return split
    }

    private static func action(_ id: String) -> String {
        #"{"op":"action","externalId":"\#(id)","performer":"m","type":"t","value":"10"}"#
    }

    /// The answer, with what it takes fetched from the archive; the world's own log throws.
    private func answer(_ read: PastRead, _ split: Split, rounds: Int) throws -> PastAnswer {
        var read = read
        for _ in 0..<rounds {
            #expect(try split.world.answer(&read) == nil)
            try read.fetch(from: split.archive)
        }
        return try #require(try split.world.answer(&read))
    }

    private func statement(_ read: PastRead, _ split: Split, rounds: Int) throws -> StatementAnswer {
        guard case .statement(let answer) = try answer(read, split, rounds: rounds) else { throw Harness.Missing() }
        return answer
    }

    @Test func aStatementShowsTheStateItWasAskedAtHoweverLongFetchingTakes() throws {
        let split = try makeWorld()
        for n in 0..<5 {
            try split.apply([Self.action("a\(n)")], at: Self.time)
            split.save()
        }
        let read = try split.world.statementRead("m", in: "main", currency: nil, limit: 3, before: nil)
        var late = read
        #expect(try split.world.answer(&late) == nil)
        try split.apply([Self.action("later")], at: Self.time)
        split.save()
        let entries = try statement(late, split, rounds: 1)
        #expect(entries.entries.map(\.sourceExternalId) == ["a4", "a3", "a2"])
        #expect(entries.entries.map(\.balance) == [10, 8, 6])
        #expect(read.sequence + 1 == split.world.sequence)
        // Where the page behind begins is no other than if it had been answered at once.
        let next = try split.world.statementRead("m", in: "main", currency: nil, limit: 3, before: entries.next)
        #expect(try statement(next, split, rounds: 1).entries.map(\.sourceExternalId) == ["a1", "a0"])
    }

    @Test func whatTheBatchAtHandDidIsTakenFromMemory() throws {
        let split = try makeWorld()
        try split.apply([Self.action("old")], at: Self.time)
        split.save()
        try split.apply([Self.action("new"), #"{"op":"reverse","externalId":"r","of":"new"}"#], at: Self.time)
        var read = try split.world.statementRead("m", in: "main", currency: "PTS", limit: 2, before: nil)
        // Two lines of the batch, and one of before that the cursor needs.
        #expect(try split.world.answer(&read) == nil)
        split.save()
        let page = try statement(read, split, rounds: 1)
        #expect(page.entries.map(\.kind) == [.reversal, .reward])
        #expect(page.entries.map(\.sourceMember) == ["m", "m"])
        #expect(page.next != nil)
        // A whole statement in one batch needs nobody.
        try split.apply([Self.action("x"), #"{"op":"explainable"}"#], at: Self.time)
        var explain = try split.world.explainRead("x", in: "main")
        let lookUps = split.archive.lookUps
        guard case .explain(let answer)? = try split.world.answer(&explain) else {
            Issue.record("not answered from memory")
            return
        }
        #expect(answer.rewards.map(\.member) == ["m", "top"])
        #expect(split.archive.lookUps == lookUps)
    }

    @Test func aReversalOfLongAgoTakesASecondFetch() throws {
        let split = try makeWorld()
        // Reversing looks back by itself; here it finds the action in memory.
        try split.apply([Self.action("b"), #"{"op":"reverse","externalId":"r","of":"b"}"#], at: Self.time)
        split.save()
        let read = try split.world.statementRead("top", in: "main", currency: nil, limit: 1, before: nil)
        let page = try statement(read, split, rounds: 2)
        #expect(page.entries.map(\.sourceOf) == ["b"])
        #expect(page.entries.map(\.sourceMember) == ["m"])
    }

    @Test func whatExpiredRightBeforeTheBatchIsOnTheStatement() throws {
        let split = try makeWorld()
        try split.apply([Self.action("a")], at: Self.time)
        split.save()
        try split.apply([Self.action("b")], at: Self.time + 7_200_000_000_000)
        let page = try statement(
            try split.world.statementRead("m", in: "main", currency: "PTS", limit: 10, before: nil), split, rounds: 1)
        #expect(page.entries.map(\.kind) == [.reward, .expiry, .reward])
        #expect(page.entries.map(\.balance) == [2, 0, 2])
    }

    @Test func lotsKeepTheAmountsOfTheirMoment() throws {
        let split = try makeWorld()
        try split.apply([Self.action("a")], at: Self.time)
        split.save()
        try split.apply([Self.action("b")], at: Self.time + 1_000_000_000)
        split.save()
        var read = try split.world.walletRead("m", in: "main")
        #expect(try split.world.answer(&read) == nil)
        try split.apply(
            [#"{"op":"redeem","externalId":"s","member":"m","currency":"PTS","amount":"3"}"#],
            at: Self.time + 2_000_000_000)
        split.save()
        guard case .wallet(let wallet) = try answer(read, split, rounds: 1) else { throw Harness.Missing() }
        let lots = try #require(wallet.balances.first?.lots)
        #expect(lots.map(\.amount) == [2, 2])
        #expect(lots.map(\.source) == ["a", "b"])
    }
}
